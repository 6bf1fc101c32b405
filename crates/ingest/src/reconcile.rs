//! Is it all there? Counts by lane, status and reason from the committed table, held against the offsets that the same
//! table says were read.
//!
//! It reads the table alone, so it is true whatever a worker believes of itself. Absent: payloads, and the log (an
//! offset that holds no message, such as a transaction marker of Kafka, shows as missing here).
//! Source: ingestion.md I1, I6.

use std::collections::BTreeMap;

use arrow::array::{Array as _, AsArray as _};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use futures::TryStreamExt as _;
use lake::{DataFile, EventsSnapshot, LakeError, PartitionId};

/// What the table holds, by partition, at one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciliation {
    /// Version of the table.
    pub lake_version: u64,
    /// Every partition that has rows or was read.
    pub partitions: BTreeMap<PartitionId, Tally>,
}

/// What the table holds of one partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Rows by lane (`main`, `side`), status and reason (empty: none).
    pub rows: BTreeMap<(&'static str, String, String), u64>,
    /// First offset that has a row.
    pub first: Option<i64>,
    /// Next offset to read, by the table's transactions.
    pub next: Option<i64>,
    /// Offsets of `[first, next)` without a row that no reset skipped.
    pub missing: u64,
    /// Offsets of `[first, next)` that resets have skipped.
    pub skipped: u64,
    /// Rows beyond the first at one offset.
    pub doubled: u64,
    /// Rows at or after `next`: rows that no transaction covers.
    pub beyond: u64,
}

impl Tally {
    /// Rows of all kinds.
    pub fn total(&self) -> u64 {
        self.rows.values().sum()
    }

    /// Each offset read has exactly one row, or was skipped by a reset.
    pub fn is_whole(&self) -> bool {
        self.missing == 0 && self.doubled == 0 && self.beyond == 0
    }
}

impl Reconciliation {
    /// Each offset read has exactly one row, in every partition.
    pub fn is_whole(&self) -> bool {
        self.partitions.values().all(Tally::is_whole)
    }

    /// Rows of all partitions by lane, status and reason.
    pub fn rows(&self) -> BTreeMap<(&'static str, String, String), u64> {
        let mut sum = BTreeMap::new();
        for (kind, rows) in self.partitions.values().flat_map(|tally| &tally.rows) {
            *sum.entry(kind.clone()).or_default() += rows;
        }
        sum
    }

    /// Rows of a status, over all reasons.
    pub fn status(&self, status: &str) -> u64 {
        self.rows().iter().filter(|((_, s, _), _)| s == status).map(|(_, rows)| rows).sum()
    }

    /// Rows set aside or in conflict for a reason (`_error_class`).
    pub fn reason(&self, class: crate::ErrorClass) -> u64 {
        self.rows().iter().filter(|((_, _, reason), _)| reason == class.name()).map(|(_, rows)| rows).sum()
    }
}

/// Counts the rows of a version of the table.
///
/// # Errors
/// Storage errors of the lake.
pub async fn reconcile(snapshot: &EventsSnapshot) -> Result<Reconciliation, LakeError> {
    let mut found = BTreeMap::new();
    for file in snapshot.files.iter() {
        count_file(snapshot, file, &mut found).await?;
    }
    for partition in snapshot.cut.keys() {
        found.entry(partition.clone()).or_insert_with(Gathered::default);
    }
    let tally = |(id, gathered): (PartitionId, Gathered)| {
        let next = snapshot.cut.get(&id).copied();
        let skipped = snapshot.skips.get(&id).map_or(0, |skips| skips.offsets.unsigned_abs());
        (id, gathered.tally(next, skipped))
    };
    Ok(Reconciliation { lake_version: snapshot.lake_version, partitions: found.into_iter().map(tally).collect() })
}

#[derive(Default)]
struct Gathered {
    rows: BTreeMap<(&'static str, String, String), u64>,
    offsets: Vec<i64>,
}

impl Gathered {
    fn tally(mut self, next: Option<i64>, skipped: u64) -> Tally {
        let all = self.offsets.len();
        self.offsets.sort_unstable();
        self.offsets.dedup();
        let first = self.offsets.first().copied();
        let end = next.unwrap_or(i64::MIN);
        let covered = self.offsets.iter().filter(|offset| **offset < end).count();
        let expected = first.map_or(0, |first| (end - first).max(0));
        Tally {
            rows: self.rows,
            first,
            next,
            missing: expected.unsigned_abs().saturating_sub(covered as u64 + skipped),
            skipped,
            doubled: (all - self.offsets.len()) as u64,
            beyond: (self.offsets.len() - covered) as u64,
        }
    }
}

async fn count_file(
    snapshot: &EventsSnapshot,
    file: &DataFile,
    found: &mut BTreeMap<PartitionId, Gathered>,
) -> Result<(), LakeError> {
    let columns = ["log_stream", "log_partition", "log_offset", "_status", "_error_class"];
    let mut batches = snapshot.read(file, &columns)?;
    while let Some(batch) = batches.try_next().await? {
        let text = |column: usize| cast(batch.column(column), &DataType::Utf8);
        let (streams, statuses, classes) = (text(0)?, text(3)?, text(4)?);
        let (streams, statuses, classes) =
            (streams.as_string::<i32>(), statuses.as_string::<i32>(), classes.as_string::<i32>());
        let partitions = batch.column(1).as_primitive::<Int32Type>();
        let offsets = batch.column(2).as_primitive::<Int64Type>();
        let mut run: Option<(PartitionId, Gathered)> = None;
        for row in 0..batch.num_rows() {
            let (stream, partition) = (streams.value(row), partitions.value(row));
            let same = |(id, _): &(PartitionId, Gathered)| *id.log_stream == *stream && id.partition == partition;
            if !run.as_ref().is_some_and(same) {
                put_back(found, run.take());
                let id = PartitionId { log_stream: stream.into(), partition };
                let gathered = found.remove(&id).unwrap_or_default();
                run = Some((id, gathered));
            }
            let (_, gathered) = run.as_mut().expect("a run was begun above");
            gathered.offsets.push(offsets.value(row));
            let class = if classes.is_null(row) { "" } else { classes.value(row) };
            gathered.count(file.lane.name(), statuses.value(row), class);
        }
        put_back(found, run);
    }
    Ok(())
}

impl Gathered {
    fn count(&mut self, lane: &'static str, status: &str, class: &str) {
        let known = self.rows.iter_mut().find(|((l, s, c), _)| *l == lane && s == status && c == class);
        match known {
            Some((_, rows)) => *rows += 1,
            None => drop(self.rows.insert((lane, status.to_owned(), class.to_owned()), 1)),
        }
    }
}

fn put_back(found: &mut BTreeMap<PartitionId, Gathered>, run: Option<(PartitionId, Gathered)>) {
    found.extend(run);
}
