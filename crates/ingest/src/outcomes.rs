//! What became of messages, by partition: rows by status and reason, and when the last ones came. For whoever looks now and then.
//!
//! A file never changes, so each is counted once, however often somebody looks. Memory is by file and partition, never by row.
//! Absent: offsets and whether they are all there ([`crate::reconcile()`] proves that, at more cost), payloads, and any column
//! that names a record or a person.

use std::collections::{BTreeMap, HashMap};

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, TimestampMicrosecondType};
use futures::TryStreamExt as _;
use lake::{DataFile, EventsSnapshot, LakeError, PartitionId};

/// What became of one partition's messages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Rows by status and reason (empty: none).
    pub rows: BTreeMap<(String, String), u64>,
    /// When the newest rows were read from the log, by the clock of the worker that did (`ingested_at`), microseconds UTC.
    pub last_ingested_us: Option<i64>,
}

impl Outcome {
    /// Rows of all kinds.
    pub fn total(&self) -> u64 {
        self.rows.values().sum()
    }

    /// Rows of a status, over all reasons.
    pub fn status(&self, status: &str) -> u64 {
        self.rows.iter().filter(|((s, _), _)| s == status).map(|(_, rows)| rows).sum()
    }

    fn add(&mut self, other: &Self) {
        for (kind, rows) in &other.rows {
            *self.rows.entry(kind.clone()).or_default() += rows;
        }
        self.last_ingested_us = self.last_ingested_us.max(other.last_ingested_us);
    }
}

/// Counts of the files that were looked at so far.
#[derive(Debug, Default)]
pub struct Outcomes {
    files: HashMap<String, BTreeMap<PartitionId, Outcome>>,
}

const COLUMNS: [&str; 5] = ["log_stream", "log_partition", "_status", "_error_class", "ingested_at"];

impl Outcomes {
    /// What a version of the table says of each partition; reads the files that are new since the last look.
    ///
    /// # Errors
    /// Storage errors of the lake.
    pub async fn look(&mut self, snapshot: &EventsSnapshot) -> Result<BTreeMap<PartitionId, Outcome>, LakeError> {
        let mut files = HashMap::with_capacity(snapshot.files.len());
        let mut sum: BTreeMap<PartitionId, Outcome> = BTreeMap::new();
        for file in snapshot.files.iter() {
            let counted = match self.files.remove(&file.path) {
                Some(counted) => counted,
                None => count(snapshot, file).await?,
            };
            for (partition, outcome) in &counted {
                sum.entry(partition.clone()).or_default().add(outcome);
            }
            files.insert(file.path.clone(), counted);
        }
        // Files that the table no longer has are forgotten.
        self.files = files;
        Ok(sum)
    }
}

async fn count(snapshot: &EventsSnapshot, file: &DataFile) -> Result<BTreeMap<PartitionId, Outcome>, LakeError> {
    let mut found = BTreeMap::new();
    let mut batches = snapshot.read(file, &COLUMNS)?;
    while let Some(batch) = batches.try_next().await? {
        count_batch(&batch, &mut found)?;
    }
    Ok(found)
}

/// Rows of one kind lie together, so names are made for a run of them and not for each.
fn count_batch(batch: &RecordBatch, found: &mut BTreeMap<PartitionId, Outcome>) -> Result<(), LakeError> {
    let text = |column: usize| cast(batch.column(column), &DataType::Utf8);
    let (streams, statuses, classes) = (text(0)?, text(2)?, text(3)?);
    let (streams, statuses, classes) =
        (streams.as_string::<i32>(), statuses.as_string::<i32>(), classes.as_string::<i32>());
    let partitions = batch.column(1).as_primitive::<Int32Type>();
    let times = batch.column(4).as_primitive::<TimestampMicrosecondType>();
    let kind = |row: usize| {
        let class = if classes.is_null(row) { "" } else { classes.value(row) };
        (streams.value(row), partitions.value(row), statuses.value(row), class)
    };
    let mut from = 0;
    while from < batch.num_rows() {
        let (stream, partition, status, class) = kind(from);
        let to = (from..batch.num_rows()).find(|row| kind(*row) != kind(from)).unwrap_or(batch.num_rows());
        let outcome = found.entry(PartitionId { log_stream: stream.into(), partition }).or_default();
        *outcome.rows.entry((status.to_owned(), class.to_owned())).or_default() += (to - from) as u64;
        let newest = (from..to).filter(|row| times.is_valid(*row)).map(|row| times.value(row)).max();
        outcome.last_ingested_us = outcome.last_ingested_us.max(newest);
        from = to;
    }
    Ok(())
}
