//! A lake in a temporary directory, rows that are about nothing, and an object store whose failures a test writes down.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, Date32Array, DictionaryArray, Int32Array, Int64Array, StringArray, new_null_array};
use arrow::array::{AsArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use lake::{
    ClosedBatch, Counts, Events, EventsSnapshot, FsyncStore, Lane, LaneBatch, OffsetRange, Outcome, PartitionId, Retry,
    Store,
};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};
use tempfile::TempDir;
use url::Url;
use uuid::Uuid;

pub fn partition(number: i32) -> PartitionId {
    PartitionId::new("log#0", "tip.events.FIA.v1", number)
}

/// A lake and its directory.
pub struct Place {
    pub dir: TempDir,
    pub store: Store,
}

impl Place {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::local(dir.path()).unwrap();
        Self { dir, store }
    }

    /// The same directory through a store that fails as told.
    pub fn through(&self, faults: &Faults) -> Store {
        let url = Url::from_directory_path(self.dir.path().canonicalize().unwrap()).unwrap();
        Store::from_object_store(url, Arc::new(Faulty { inner: FsyncStore::new(), faults: faults.clone() })).unwrap()
    }

    pub async fn events(&self, writer: &str) -> Events {
        Events::open_or_create(&self.store, writer).await.unwrap().with_retry(Retry { attempts: 3, wait_ms: 1 })
    }

    /// Files below a folder of the store, by name.
    pub fn files(&self, below: &str, ending: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.dir.path().join(below)];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            for path in entries.map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else if path.to_str().unwrap().ends_with(ending) {
                    found.push(path);
                }
            }
        }
        found.sort();
        found
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
    ClosedBatch { batch_id: Uuid::from_u128(to as u128), ranges, written, counts, schema_ids: Vec::new() }
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
    let schema = lake::published::schema(&["sex"]);
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

/// What the next puts do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// As if nothing were wrong.
    None,
    /// No space left; nothing is put.
    Full,
    /// The place is read only; nothing is put.
    ReadOnly,
    /// The store is away; nothing is put.
    Away,
    /// It is put, but the answer is lost.
    LostAnswer,
}

/// The script of a faulty store, for puts below a path.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    script: Arc<Mutex<VecDeque<Fault>>>,
    below: Arc<Mutex<String>>,
    unreadable: Arc<Mutex<Unreadable>>,
}

/// An object that cannot be read once it was read so many more times after the next commit.
#[derive(Debug, Default)]
struct Unreadable {
    name: Option<String>,
    is_committed: bool,
    reads_left: usize,
}

impl Faults {
    /// From now on the next puts of names that contain `name` go as the script says.
    pub fn script(&self, name: &str, faults: &[Fault]) {
        name.clone_into(&mut self.below.lock().unwrap());
        *self.script.lock().unwrap() = faults.iter().copied().collect();
    }

    /// Once the next commit is put, names that contain `name` are read so many times more, and then no more.
    pub fn unreadable_after_commit(&self, name: &str, reads_left: usize) {
        *self.unreadable.lock().unwrap() = Unreadable { name: Some(name.to_owned()), is_committed: false, reads_left };
    }

    /// Everything can be read again.
    pub fn heal(&self) {
        *self.unreadable.lock().unwrap() = Unreadable::default();
    }

    fn put_done(&self, location: &Path) {
        self.unreadable.lock().unwrap().is_committed |= location.as_ref().contains("_delta_log");
    }

    fn read(&self, location: &Path) -> Result<()> {
        let mut fault = self.unreadable.lock().unwrap();
        let meant = fault.name.as_ref().is_some_and(|name| location.as_ref().contains(name));
        if !meant || !fault.is_committed {
            return Ok(());
        }
        fault.reads_left =
            fault.reads_left.checked_sub(1).ok_or_else(|| failed(std::io::ErrorKind::ConnectionReset))?;
        Ok(())
    }

    fn next(&self, location: &Path) -> Fault {
        if !location.as_ref().contains(self.below.lock().unwrap().as_str()) {
            return Fault::None;
        }
        self.script.lock().unwrap().pop_front().unwrap_or(Fault::None)
    }
}

/// A file system that fails as its script says.
#[derive(Debug)]
struct Faulty {
    inner: FsyncStore,
    faults: Faults,
}

impl std::fmt::Display for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Faulty")
    }
}

fn failed(kind: std::io::ErrorKind) -> Error {
    Error::Generic { store: "Faulty", source: Box::new(std::io::Error::from(kind)) }
}

fn error_of(fault: Fault) -> Option<Error> {
    match fault {
        Fault::None => None,
        Fault::Full => Some(failed(std::io::ErrorKind::StorageFull)),
        Fault::ReadOnly => Some(failed(std::io::ErrorKind::ReadOnlyFilesystem)),
        Fault::Away | Fault::LostAnswer => Some(failed(std::io::ErrorKind::ConnectionReset)),
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let fault = self.faults.next(location);
        match error_of(fault) {
            None => {
                let done = self.inner.put_opts(location, payload, opts).await?;
                self.faults.put_done(location);
                Ok(done)
            }
            Some(error) => {
                if fault == Fault::LostAnswer {
                    self.inner.put_opts(location, payload, opts).await?;
                }
                Err(error)
            }
        }
    }

    async fn put_multipart_opts(&self, at: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        match error_of(self.faults.next(at)) {
            None => self.inner.put_multipart_opts(at, options).await,
            Some(error) => Err(error),
        }
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.faults.read(location)?;
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.faults.read(location)?;
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}
