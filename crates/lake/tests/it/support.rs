//! A lake in a temporary directory, and rows that are about nothing.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Date32Array, DictionaryArray, Int32Array, Int64Array, StringArray, new_null_array};
use arrow::array::{AsArray, BinaryArray, MapBuilder, MapFieldNames, StringBuilder, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use arrow::record_batch::RecordBatch;
use futures::TryStreamExt;
use lake::maintain::{self, Fingerprint, Lease, Maintainer, Now, Rules};
use lake::{
    ClosedBatch, Counts, Events, EventsSnapshot, Lane, LaneBatch, OffsetRange, Outcome, PartitionId, Retry, Store,
};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use tempfile::TempDir;
use uuid::Uuid;

pub use crate::faulty::{Fault, Faults};
use crate::stores;

pub fn partition(number: i32) -> PartitionId {
    PartitionId::new("log#0", "tip.events.FIA.v1", number)
}

/// A lake, on disk or on S3, and the directory that is its own.
pub struct Place {
    pub dir: TempDir,
    pub store: Store,
}

impl Place {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = stores::at(dir.path());
        Self { dir, store }
    }

    /// One on disk, wherever the others are.
    pub fn on_disk() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::local(dir.path()).unwrap();
        Self { dir, store }
    }

    /// The same lake through a store that fails as told.
    pub fn through(&self, faults: &Faults) -> Store {
        faults.over(&self.store)
    }

    /// Files on disk that no listing shows: of uploads that did not come to their end.
    pub fn staged(&self) -> usize {
        fn count(dir: &std::path::Path) -> usize {
            let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
            entries
                .map(|path| if path.is_dir() { count(&path) } else { path.to_string_lossy().contains('#').into() })
                .sum()
        }
        count(self.dir.path())
    }

    pub async fn events(&self, writer: &str) -> Events {
        Events::open_or_create(&self.store, writer).await.unwrap().with_retry(Retry { attempts: 3, wait_ms: 1 })
    }

    /// Objects below a folder of the store, by name.
    pub async fn files(&self, below: &str, ending: &str) -> Vec<Path> {
        let all: Vec<ObjectMeta> = self.store.objects().list(Some(&Path::from(below))).try_collect().await.unwrap();
        let named = all.into_iter().map(|meta| meta.location).filter(|path| path.as_ref().ends_with(ending));
        let mut found: Vec<_> = named.collect();
        found.sort();
        found
    }

    pub async fn bytes(&self, path: &str) -> Vec<u8> {
        self.store.objects().get(&Path::from(path)).await.unwrap().bytes().await.unwrap().to_vec()
    }

    pub async fn is_there(&self, path: &str) -> bool {
        self.store.objects().head(&Path::from(path)).await.is_ok()
    }

    /// Damages the store behind everybody's back.
    pub async fn overwrite(&self, path: &str, bytes: &[u8]) {
        self.store.objects().put(&Path::from(path), bytes.to_vec().into()).await.unwrap();
    }

    pub async fn delete(&self, path: &str) {
        self.store.objects().delete(&Path::from(path)).await.unwrap();
    }
}

/// Rows of a partition at these offsets.
pub fn rows(partition: &PartitionId, offsets: Range<i64>) -> RecordBatch {
    let schema = lake::events::file_schema();
    let count = (offsets.end - offsets.start) as usize;
    let few = |text: &str| -> ArrayRef {
        let texts: DictionaryArray<Int32Type> = std::iter::repeat_n(text, count).collect();
        Arc::new(texts)
    };
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "event_id" => Arc::new(StringArray::from_iter_values(offsets.clone().map(|n| format!("id-{n}")))),
            // In another order than the offsets.
            "record_id" => {
                Arc::new(StringArray::from_iter_values(offsets.clone().map(|n| format!("r-{}", n * 7 % 10))))
            }
            "headers" => headers(count),
            "payload" => Arc::new(BinaryArray::from_iter_values(offsets.clone().map(|n| format!("bytes {n}")))),
            "ingested_at" => Arc::new(TimestampMicrosecondArray::from(vec![1; count]).with_timezone("UTC")),
            "log_stream" => few(&partition.log_stream),
            "log_partition" => Arc::new(Int32Array::from(vec![partition.partition; count])),
            "log_offset" => Arc::new(Int64Array::from_iter_values(offsets.clone())),
            "writer_id" | "batch_id" => few("x"),
            "claim" => Arc::new(Int64Array::from(vec![1; count])),
            "_status" => few("ok"),
            _ => new_null_array(field.data_type(), count),
        }
    });
    RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
}

/// A maintainer that holds the lease, and the lease.
pub async fn maintainer(store: &Store, name: &str) -> (Maintainer, Lease) {
    let mut lease = Lease::new(store, name);
    let number = lease.number();
    let rules = Rules { most_small: 3, run_bytes: 1 << 14, ..Rules::default() };
    let maintainer = Maintainer::open(store, name, number, rules).await.unwrap();
    let maintainer = maintainer.with_retry(Retry { attempts: 3, wait_ms: 1 });
    lease.keep(Duration::ZERO, maintain::claimed(maintainer.events())).await.unwrap();
    (maintainer, lease)
}

/// A day after the rows of [`lane`].
pub const NEXT_DAY: Now = Now { unix_ms: 20_001 * DAY_MS, today: 20_001 };
pub const DAY_MS: i64 = 86_400_000;

/// A table of `commits` files of `each` rows of partition 0, on date 20,000.
pub async fn filled(place: &Place, commits: i64, each: i64) -> Events {
    let mut events = place.events("w").await;
    let at = partition(0);
    let claim = claim(&mut events, &at).await;
    for n in 0..commits {
        append(&mut events, &at, (n > 0).then_some(n * each), (n + 1) * each, claim).await;
    }
    events
}

/// All rows of a snapshot, whatever their order and files.
pub async fn fingerprint(snapshot: &EventsSnapshot) -> (u64, u128) {
    let schema = lake::events::schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let mut found = Fingerprint::new(&schema).unwrap();
    for file in snapshot.files.iter() {
        let mut batches = snapshot.read(file, &names).unwrap();
        while let Some(batch) = batches.try_next().await.unwrap() {
            found.add(&batch).unwrap();
        }
    }
    found.get()
}

/// The same with payloads of so many bytes that do not compress.
pub fn bulky(partition: &PartitionId, offsets: Range<i64>, bytes: usize) -> RecordBatch {
    let plain = rows(partition, offsets.clone());
    let mut columns = plain.columns().to_vec();
    let payload = |n: i64| {
        let mut payload = vec![0; bytes];
        blake3::Hasher::new().update(&n.to_le_bytes()).finalize_xof().fill(&mut payload);
        payload
    };
    let at = plain.schema().index_of("payload").unwrap();
    columns[at] = Arc::new(BinaryArray::from_iter_values(offsets.map(payload)));
    RecordBatch::try_new(plain.schema(), columns).unwrap()
}

fn headers(count: usize) -> ArrayRef {
    let names = MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
    let mut headers = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for n in 0..count {
        headers.keys().append_value("amanat-hash");
        headers.values().append_value(n.to_string());
        headers.append(true).unwrap();
    }
    Arc::new(headers.finish())
}

pub fn lane(rows: RecordBatch) -> LaneBatch {
    LaneBatch { lane: Lane::Main, ingest_date: 20_000, rows }
}

/// A batch of a partition that is written and not committed.
pub async fn closed(events: &Events, at: &PartitionId, from: Option<i64>, to: i64, claim: i64) -> ClosedBatch {
    let written = events.write(vec![lane(rows(at, from.unwrap_or(0)..to))]).await.unwrap();
    batch(at, from, to, claim, written)
}

pub fn batch(at: &PartitionId, from: Option<i64>, to: i64, claim: i64, written: lake::Written) -> ClosedBatch {
    let ranges = vec![OffsetRange { partition: at.clone(), from, to, claim }];
    let counts = Counts { ok: (to - from.unwrap_or(0)) as u64, ..Counts::default() };
    ClosedBatch {
        batch_id: Uuid::from_u128(to as u128),
        ranges,
        written,
        counts,
        schema_ids: Vec::new(),
        receipted: Vec::new(),
    }
}

/// Writes and commits offsets of a partition under a claim.
pub async fn append(events: &mut Events, at: &PartitionId, from: Option<i64>, to: i64, claim: i64) -> Outcome {
    let batch = closed(events, at, from, to, claim).await;
    events.commit(&batch).await.unwrap()
}

pub async fn claim(events: &mut Events, at: &PartitionId) -> i64 {
    events.claim(std::slice::from_ref(at)).await.unwrap()[at]
}

/// Partition and offset of every row, sorted.
pub async fn offsets(snapshot: &EventsSnapshot) -> Vec<(i32, i64)> {
    let mut found = Vec::new();
    for file in snapshot.files.iter() {
        let columns = ["log_partition", "log_offset"];
        let batches: Vec<RecordBatch> = snapshot.read(file, &columns).unwrap().try_collect().await.unwrap();
        for batch in batches {
            let partitions = batch.column(0).as_primitive::<Int32Type>().values().iter().copied();
            found.extend(partitions.zip(batch.column(1).as_primitive::<Int64Type>().values().iter().copied()));
        }
    }
    found.sort_unstable();
    found
}

pub async fn all_offsets(place: &Place) -> Vec<(i32, i64)> {
    offsets(&place.events("reader").await.snapshot().unwrap()).await
}

/// A table of numbers and words.
pub fn table(rows: &[(i64, Option<&str>)]) -> RecordBatch {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0)));
    let words: ArrayRef = Arc::new(rows.iter().map(|row| row.1).collect::<StringArray>());
    RecordBatch::try_from_iter_with_nullable([("n", numbers, false), ("word", words, true)]).unwrap()
}

/// Rows of an edition: cells of one indicator, with these values.
pub fn edition(number: i64, values: &[i64]) -> RecordBatch {
    edition_by(&["sex"], number, values)
}

/// The same with these dimensions.
pub fn edition_by(dimensions: &[&str], number: i64, values: &[i64]) -> RecordBatch {
    let schema = lake::published::schema(dimensions);
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        match (field.name().as_str(), field.data_type()) {
            ("edition", _) => Arc::new(Int64Array::from(vec![number; values.len()])),
            ("value", to) => {
                let whole: ArrayRef = Arc::new(Int64Array::from(values.to_vec()));
                arrow::compute::cast(&whole, to).unwrap()
            }
            ("time_period", _) => {
                Arc::new(StringArray::from_iter_values((0..values.len()).map(|n| (2000 + n).to_string())))
            }
            (_, DataType::Utf8) => Arc::new(StringArray::from_iter_values(values.iter().map(|_| "_T"))),
            (_, DataType::Date32) => Arc::new(Date32Array::from(vec![20_000; values.len()])),
            (_, other) => new_null_array(other, values.len()),
        }
    });
    RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
}
