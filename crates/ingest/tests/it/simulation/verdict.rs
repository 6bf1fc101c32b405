//! What must hold at the end of a world, judged from the store alone and from an undisturbed run.

use std::collections::BTreeMap;
use std::sync::Arc;

use eventlog::EventSource as _;
use eventlog::simulated::SimulatedLog;
use ingest::WorkerReport;
use lake::{Events, PartitionId, Store};
use url::Url;

use super::store::Bucket;
use crate::commits::{history, offsets_only_grow_under_growing_claims};
use crate::receipts;
use crate::support::{Row, rows};

/// The header that says until when set-aside bytes are kept: it depends on when they were ingested.
const KEPT_UNTIL: &str = "amanat-keep-until";

/// The table's rows in order of place.
async fn rows_of(bucket: &Bucket) -> Result<Vec<Row>, String> {
    let mut rows = rows(&snapshot(bucket).await?).await;
    for row in &mut rows {
        row.headers.retain(|(name, _)| name != KEPT_UNTIL);
    }
    Ok(rows)
}

async fn snapshot(bucket: &Bucket) -> Result<lake::EventsSnapshot, String> {
    let store = Store::from_object_store(Url::parse("memory:///").unwrap(), Arc::new(bucket.view(usize::MAX)));
    let events = Events::open(&store.unwrap(), "verdict").await;
    events.and_then(|events| events.snapshot()).map_err(|error| format!("the table cannot be read: {error}"))
}

/// What an undisturbed worker makes of a log: its rows, and the next offset of each partition that its policy stops.
pub struct Truth {
    rows: Vec<Row>,
    stopped: BTreeMap<PartitionId, Option<i64>>,
}

/// The truth, when the worker that made the table was not disturbed.
pub async fn truth(bucket: &Bucket, report: &WorkerReport) -> Result<Truth, String> {
    let cut = snapshot(bucket).await?.cut;
    let stopped = report.halted().map(|(partition, _)| (partition.clone(), cut.get(partition).copied())).collect();
    Ok(Truth { rows: rows_of(bucket).await?, stopped })
}

/// The number of commits, or the first breach found.
pub async fn judge(bucket: &Bucket, log: &SimulatedLog, truth: &Truth) -> Result<u64, String> {
    let commits = history(&*bucket.objects).await?;
    offsets_only_grow_under_growing_claims(&commits)?;
    let found = rows_of(bucket).await?;
    each_message_is_one_row(&found, &truth.rows)?;
    everything_is_in(bucket, log, truth).await?;
    everyone_was_told(&snapshot(bucket).await?.cut, log, &found)?;
    Ok(commits.len() as u64)
}

/// I1, I6, I8: the rows are those that an undisturbed worker makes: each offset once, status, payload, reason, first copy alike.
fn each_message_is_one_row(found: &[Row], truth: &[Row]) -> Result<(), String> {
    let place = |row: &Row| format!("{} offset {}", row.partition, row.offset);
    let at = |row: &Row| (row.partition.clone(), row.offset);
    if let Some((twice, _)) = found.iter().zip(found.iter().skip(1)).find(|(one, next)| at(one) == at(next)) {
        return Err(format!("I1: {} has two rows", place(twice)));
    }
    for (found, truth) in found.iter().zip(truth) {
        if (&found.partition, found.offset) != (&truth.partition, truth.offset) {
            return Err(format!("I1: {} is not as expected {}", place(found), place(truth)));
        }
        if found != truth {
            return Err(format!(
                "I8: {} is {} where an undisturbed worker says {}",
                place(found),
                found.status(),
                truth.status()
            ));
        }
    }
    if found.len() != truth.len() {
        return Err(format!("I1: {} rows for {} messages", found.len(), truth.len()));
    }
    Ok(())
}

/// The receipts, folded, are the table: each row once, accepted or with its reason, up to the next offset of its partition.
fn everyone_was_told(cut: &BTreeMap<PartitionId, i64>, log: &SimulatedLog, rows: &[Row]) -> Result<(), String> {
    let known = receipts::known(receipts::told(&mut log.source()));
    receipts::agrees(rows, &known)?;
    for (id, next) in cut.iter().filter(|(id, _)| rows.iter().any(|row| row.partition == **id)) {
        let of = known.get(&(id.log_stream.to_string(), id.partition)).and_then(|known| known.ranges.last());
        if of.is_none_or(|range| range.1 != *next) {
            return Err(format!("{id} is in the table up to {next}, and was told of up to {of:?}"));
        }
    }
    Ok(())
}

/// Everything that the log holds is below the table's next offsets, or below where the policy makes a partition stand still.
async fn everything_is_in(bucket: &Bucket, log: &SimulatedLog, truth: &Truth) -> Result<(), String> {
    let cut = snapshot(bucket).await?.cut;
    let mut source = log.source();
    for partition in source.partitions().unwrap() {
        let high = source.watermarks(&partition).unwrap().high;
        let id = PartitionId::new(source.source_uid(), &partition.stream, partition.number);
        let (reached, expected) = (cut.get(&id).copied(), truth.stopped.get(&id).copied().unwrap_or(Some(high)));
        if reached != expected {
            return Err(format!("I1: {partition} ends at {high}, the table at {reached:?} and not at {expected:?}"));
        }
    }
    Ok(())
}
