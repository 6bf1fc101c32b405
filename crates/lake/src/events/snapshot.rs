//! Readers of `events`: one pinned version, its files, its cut, and what came since another version.
//!
//! A snapshot never changes and needs no lock; it stays readable while nobody deletes its files. Absent: DataFusion.
//! Files are read through Parquet directly, columns chosen by the caller.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use deltalake::DeltaTable;
use deltalake::logstore::LogStoreRef;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt};
use serde::Deserialize;
use uuid::Uuid;

use super::entry::read_commit;
use super::read::{self, RowFilter, Sought};
use super::schema;
use super::seen::Seen;
use crate::{BatchStream, LakeError, PartitionId, Result};

/// Application id that counts the rewrites that have erased somebody.
pub(crate) const ERASURE: &str = "erasure/v1";

/// Lanes of the table: accepted rows and the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Status `ok`, `tombstone`, `erased`.
    Main,
    /// Status `set_aside`, `duplicate`, `conflict`.
    Side,
}

impl Lane {
    /// Value of `_lane`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Side => "side",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Main, Self::Side].into_iter().find(|lane| lane.name() == name)
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A data file of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Path within the table.
    pub path: String,
    /// Its lane.
    pub lane: Lane,
    /// `ingest_date` of its rows, days since 1970.
    pub ingest_date: i32,
    /// Rows in it.
    pub rows: u64,
    /// Bytes of it.
    pub bytes: u64,
    /// Least and greatest `log_stream`, `log_partition`, `log_offset`, each on its own; `None` = unknown.
    pub span: Option<Span>,
    /// Least and greatest `event_id` among its rows; `None` = unknown, or no row has one.
    pub ids: Option<(Uuid, Uuid)>,
}

/// Where the rows of a file lie in the log: a box around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Least and greatest stream.
    pub streams: (String, String),
    /// Least and greatest partition.
    pub partitions: (i32, i32),
    /// Least and greatest offset.
    pub offsets: (i64, i64),
}

impl DataFile {
    /// Whether the file may hold rows of this partition with offsets of `[from, to)`.
    pub fn may_hold(&self, partition: &PartitionId, from: i64, to: i64) -> bool {
        self.span.as_ref().is_none_or(|span| {
            let stream = &*partition.log_stream;
            // Long strings are cut in statistics, so the greatest is compared as a prefix too.
            let streams = span.streams.0.as_str() <= stream
                && (stream <= span.streams.1.as_str() || stream.starts_with(&span.streams.1));
            let partitions = span.partitions.0 <= partition.partition && partition.partition <= span.partitions.1;
            streams && partitions && span.offsets.0 < to && from <= span.offsets.1
        })
    }

    /// Whether one of its rows may carry this event id.
    pub fn may_carry(&self, id: Uuid) -> bool {
        self.ids.is_none_or(|(least, greatest)| least <= id && id <= greatest)
    }
}

/// What an operator's resets have skipped of a partition, behind its first row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skips {
    /// Offsets, in all.
    pub offsets: i64,
    /// The next offset that the last one set.
    pub end: i64,
}

/// One version of the table, for reading.
#[derive(Debug, Clone)]
pub struct EventsSnapshot {
    /// Version of the table.
    pub lake_version: u64,
    /// Its files, in order of ingest date, first offset and path.
    pub files: Arc<[DataFile]>,
    /// The next offset of each partition: everything below is in the files, once, or was skipped by a reset.
    pub cut: BTreeMap<PartitionId, i64>,
    /// What resets have skipped, of the partitions of which they did.
    pub skips: BTreeMap<PartitionId, Skips>,
    /// How many rewrites have taken persons out of rows: what was made of the rows of before still holds them.
    pub erasures: i64,
    objects: Arc<dyn ObjectStore>,
    log: LogStoreRef,
}

impl EventsSnapshot {
    pub(super) fn new(seen: &Seen, log: LogStoreRef) -> Self {
        let txns = &seen.txns;
        let cut: BTreeMap<PartitionId, i64> =
            txns.iter().filter_map(|(app, next)| Some((PartitionId::of_app_id(app)?, next))).collect();
        let skips = |id: &PartitionId| {
            let (offsets, end) = (txns.get(&id.skipped_app_id())?, txns.get(&id.skip_end_app_id())?);
            Some((id.clone(), Skips { offsets, end }))
        };
        Self {
            skips: cut.keys().filter_map(skips).collect(),
            lake_version: seen.version(),
            erasures: txns.get(ERASURE).unwrap_or(0),
            files: seen.files(),
            cut,
            objects: log.object_store(None),
            log,
        }
    }

    /// Columns that [`EventsSnapshot::read`] knows.
    pub fn schema(&self) -> SchemaRef {
        schema::schema()
    }

    /// Chosen columns of a file, in the order asked, row order as written.
    ///
    /// # Errors
    /// `Schema` for an unknown column; storage errors in the stream.
    pub fn read(&self, file: &DataFile, columns: &[&str]) -> Result<BatchStream> {
        self.read_where(file, columns, &RowFilter::All)
    }

    /// Chosen columns of the rows of a file that pass the filter.
    ///
    /// # Errors
    /// As [`EventsSnapshot::read`].
    pub fn read_where(&self, file: &DataFile, columns: &[&str], filter: &RowFilter) -> Result<BatchStream> {
        read::file(Arc::clone(&self.objects), file.clone(), columns, filter.clone())
    }

    /// Chosen columns of the rows of one partition from an offset on, over all files that may hold some: what a
    /// deduplication window is rebuilt from. Order is by file; within a file by offset, or by record where it was
    /// compacted.
    ///
    /// # Errors
    /// As [`EventsSnapshot::read`].
    pub fn scan_partition(&self, partition: &PartitionId, from: i64, columns: &[&str]) -> Result<BatchStream> {
        let filter = RowFilter::Offsets { partition: partition.clone(), from, to: i64::MAX };
        self.scan(|file| file.may_hold(partition, from, i64::MAX), columns, &filter)
    }

    /// Chosen columns of the rows at given positions of one partition: the first copies of duplicates.
    ///
    /// # Errors
    /// As [`EventsSnapshot::read`].
    pub fn rows_at(&self, partition: &PartitionId, offsets: &[i64], columns: &[&str]) -> Result<BatchStream> {
        let mut offsets = offsets.to_vec();
        offsets.sort_unstable();
        offsets.dedup();
        let may_hold = |file: &DataFile| offsets.iter().any(|at| file.may_hold(partition, *at, at + 1));
        let filter = RowFilter::Positions(Arc::new(BTreeMap::from([(partition.clone(), offsets.clone())])));
        self.scan(may_hold, columns, &filter)
    }

    /// Chosen columns of the rows of a file that carry one of these event ids, by its Bloom filters where it has some. `ids` are
    /// as the table has them, lower case with hyphens.
    ///
    /// # Errors
    /// Storage errors, `Schema` for an unknown column.
    pub async fn seek_ids(&self, file: &DataFile, ids: &Arc<HashSet<String>>, columns: &[&str]) -> Result<Sought> {
        read::by_ids(Arc::clone(&self.objects), file.clone(), columns, Arc::clone(ids)).await
    }

    /// The first offset of each partition among rows ingested on a date or later (days since 1970); a partition without
    /// such rows is absent. A partition's offsets ascend with the date, so it is looked for on later dates only until it is
    /// found.
    ///
    /// # Errors
    /// Storage errors.
    pub async fn first_offsets_since(&self, date: i32) -> Result<BTreeMap<PartitionId, i64>> {
        let mut found: BTreeMap<PartitionId, (i32, i64)> = BTreeMap::new();
        for file in self.files.iter().filter(|file| file.ingest_date >= date) {
            let open = |id: &PartitionId| found.get(id).is_none_or(|(on, _)| *on == file.ingest_date);
            let wanted: Vec<_> = self.cut.keys().filter(|id| open(id) && file.may_hold(id, 0, i64::MAX)).collect();
            if wanted.is_empty() {
                continue;
            }
            let mut batches = self.read(file, &["log_stream", "log_partition", "log_offset"])?;
            let mut firsts = vec![i64::MAX; wanted.len()];
            while let Some(batch) = batches.try_next().await? {
                read::first_offsets(&batch, &wanted, &mut firsts)?;
            }
            let wanted: Vec<PartitionId> = wanted.into_iter().cloned().collect();
            for (id, first) in wanted.into_iter().zip(firsts).filter(|(_, first)| *first != i64::MAX) {
                let known = found.entry(id).or_insert((file.ingest_date, first));
                known.1 = known.1.min(first);
            }
        }
        Ok(found.into_iter().map(|(id, (_, first))| (id, first)).collect())
    }

    fn scan(&self, wanted: impl Fn(&DataFile) -> bool, columns: &[&str], filter: &RowFilter) -> Result<BatchStream> {
        let files: Vec<_> = self.files.iter().filter(|file| wanted(file)).collect();
        let parts = files.into_iter().map(|file| self.read_where(file, columns, filter)).collect::<Result<Vec<_>>>()?;
        Ok(futures::stream::iter(parts).flatten().boxed())
    }

    /// Files with new rows since `version`, exclusive, in the order of their commits. Rewritten files are not new.
    ///
    /// # Errors
    /// `HistoryGone` when a commit in between was cleaned up, or a file it added was rewritten: rebuild in full.
    pub async fn added_since(&self, version: u64) -> Result<Vec<DataFile>> {
        let by_path: BTreeMap<_, _> = self.files.iter().map(|file| (file.path.as_str(), file)).collect();
        let mut added = Vec::new();
        for at in version + 1..=self.lake_version {
            let gone = LakeError::HistoryGone { lake_version: at };
            let Some(commit) = read_commit(&self.log, at).await? else {
                return Err(gone);
            };
            for add in commit.adds.iter().filter(|add| add.data_change) {
                let Some(file) = by_path.get(add.path.as_str()) else {
                    return Err(gone);
                };
                added.push((*file).clone());
            }
        }
        Ok(added)
    }
}

/// Files in a stable order: what lies together in the log is read together.
pub(super) fn in_order(mut files: Vec<DataFile>) -> Arc<[DataFile]> {
    files.sort_by(|a, b| order(a).cmp(&order(b)));
    files.into()
}

fn order(file: &DataFile) -> (i32, Option<(&str, i64)>, &str) {
    (file.ingest_date, file.span.as_ref().map(|s| (s.streams.0.as_str(), s.offsets.0)), &file.path)
}

type PartitionValues = std::collections::HashMap<String, Option<String>>;

/// A file as the log describes it.
///
/// # Errors
/// `Damaged` when its lane, date or number of rows is missing.
pub(super) fn data_file(path: String, size: i64, place: &PartitionValues, stats: Option<&str>) -> Result<DataFile> {
    let damaged = |what: &str| LakeError::Damaged { table: "events".into(), what: format!("{what} of {path}") };
    let value = |name: &str| place.get(name).and_then(|v| v.as_deref());
    let lane = value("_lane").and_then(Lane::parse).ok_or_else(|| damaged("lane"))?;
    let ingest_date = value("ingest_date").and_then(days).ok_or_else(|| damaged("date"))?;
    let stats: Stats = serde_json::from_str(stats.unwrap_or("{}")).map_err(|_| damaged("statistics"))?;
    let rows = stats.num_records.ok_or_else(|| damaged("row count"))?;
    let ids = stats.min_values.id().zip(stats.max_values.id());
    let span = stats.min_values.span(stats.max_values);
    Ok(DataFile { path, lane, ingest_date, rows, bytes: size as u64, span, ids })
}

/// `2026-11-23` as days since 1970.
fn days(date: &str) -> Option<i32> {
    let date: chrono::NaiveDate = date.parse().ok()?;
    i32::try_from((date - chrono::NaiveDate::default()).num_days()).ok()
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Stats {
    num_records: Option<u64>,
    min_values: Bounds,
    max_values: Bounds,
}

/// Named as in the statistics of a Delta log.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Bounds {
    log_stream: Option<String>,
    log_partition: Option<i32>,
    log_offset: Option<i64>,
    event_id: Option<String>,
}

impl Bounds {
    /// The event id, unless it was cut.
    fn id(&self) -> Option<Uuid> {
        self.event_id.as_deref().and_then(|id| Uuid::try_parse(id).ok())
    }

    fn span(self, max: Self) -> Option<Span> {
        Some(Span {
            streams: (self.log_stream?, max.log_stream?),
            partitions: (self.log_partition?, max.log_partition?),
            offsets: (self.log_offset?, max.log_offset?),
        })
    }
}

/// A power cut under a file system without sync, or a copy made while writing, shows in the last commit first: each of
/// its files must have its length and Parquet's closing mark.
pub(super) async fn check_last_commit(table: &DeltaTable) -> Result<()> {
    let (version, log, objects) = (table.snapshot()?.version(), table.log_store(), table.object_store());
    let damaged = |what: String| LakeError::Damaged { table: "events".into(), what };
    let Some(commit) = read_commit(&log, version).await.map_err(|e| damaged(e.to_string()))? else {
        return Ok(());
    };
    let checks = commit.adds.into_iter().map(|add| {
        let objects = Arc::clone(&objects);
        async move {
            let whole = is_whole(&objects, &add.path, add.size as u64).await?;
            if whole { Ok(()) } else { Err(damaged(format!("data file {} of commit {version}", add.path))) }
        }
    });
    futures::stream::iter(checks).buffered(8).try_collect::<()>().await
}

async fn is_whole(objects: &Arc<dyn ObjectStore>, path: &str, bytes: u64) -> Result<bool> {
    let path = Path::from(path);
    match objects.head(&path).await {
        Ok(meta) if meta.size != bytes => return Ok(false),
        Err(object_store::Error::NotFound { .. }) => return Ok(false),
        other => other.map(drop)?,
    }
    let options = GetOptions { range: Some(GetRange::Suffix(4)), ..GetOptions::default() };
    let tail = objects.get_opts(&path, options).await?.bytes().await?;
    Ok(tail.as_ref() == b"PAR1")
}
