//! What must hold at the end of a world, judged from the store alone and from an undisturbed run.

use std::collections::BTreeMap;
use std::sync::Arc;

use eventlog::EventSource as _;
use eventlog::simulated::SimulatedLog;
use futures::TryStreamExt as _;
use ingest::WorkerReport;
use lake::{Events, PartitionId, Store};
use object_store::{ObjectStore as _, ObjectStoreExt as _};
use serde_json::Value;
use url::Url;

use super::store::Bucket;
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
    let commits = history(bucket).await?;
    offsets_only_grow_under_growing_claims(&commits)?;
    let found = rows_of(bucket).await?;
    each_message_is_one_row(&found, &truth.rows)?;
    everything_is_in(bucket, log, truth).await?;
    everyone_was_told(&snapshot(bucket).await?.cut, log, &found)?;
    Ok(commits.len() as u64)
}

/// One commit, as its lines say.
struct Commit {
    txns: Vec<(String, i64)>,
    /// Partition, first and next offset, claim.
    ranges: Vec<(String, i64, i64, i64)>,
}

/// The commits in order, read from the log's own files.
async fn history(bucket: &Bucket) -> Result<Vec<Commit>, String> {
    let mut commits = Vec::new();
    for version in 0.. {
        let path = object_store::path::Path::from(format!("lake/events/_delta_log/{version:020}.json"));
        let Ok(found) = bucket.objects.get(&path).await else { break };
        let text = found.bytes().await.map_err(|error| error.to_string())?;
        let mut commit = Commit { txns: Vec::new(), ranges: Vec::new() };
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let line: Value = serde_json::from_slice(line).map_err(|error| format!("commit {version}: {error}"))?;
            if let Some(txn) = line.get("txn") {
                commit.txns.push((text_of(&txn["appId"]), txn["version"].as_i64().unwrap_or_default()));
            }
            for range in line["commitInfo"]["ranges"].as_array().into_iter().flatten() {
                let number = |name: &str| range[name].as_i64().unwrap_or_default();
                let partition =
                    format!("{}/{}", text_of(&range["partition"]["log_stream"]), range["partition"]["partition"]);
                commit.ranges.push((partition, number("from"), number("to"), number("claim")));
            }
        }
        commits.push(commit);
    }
    let listed: Vec<_> = bucket.objects.list(None).try_collect().await.map_err(|error| error.to_string())?;
    let on_disk = listed.iter().filter(|object| object.location.extension() == Some("json")).count();
    if on_disk != commits.len() {
        return Err(format!("the log has {on_disk} commits, of which {} follow each other", commits.len()));
    }
    Ok(commits)
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// I2: a partition's next offset never decreases, and moves only in a commit that begins where it stood. I3: no commit under a
/// claim lower than the highest committed.
fn offsets_only_grow_under_growing_claims(commits: &[Commit]) -> Result<(), String> {
    let mut latest: BTreeMap<String, i64> = BTreeMap::new();
    for (version, commit) in commits.iter().enumerate() {
        for (partition, from, to, claim) in &commit.ranges {
            let held = latest.get(&format!("claim/v1/{partition}")).copied().unwrap_or_default();
            if *claim < held {
                return Err(format!(
                    "I3: commit {version} under claim {claim} of {partition}, where {held} was committed"
                ));
            }
            let next = latest.get(&format!("in/v1/{partition}")).copied().unwrap_or_default();
            if *from != next {
                return Err(format!("I2: commit {version} brings {from}..{to} of {partition}, whose next was {next}"));
            }
        }
        for (app, next) in &commit.txns {
            let before = latest.insert(app.clone(), *next);
            if before.is_some_and(|before| *next < before) {
                return Err(format!("I2: commit {version} sets {app} back from {before:?} to {next}"));
            }
        }
    }
    Ok(())
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
