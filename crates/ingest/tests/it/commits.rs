//! The commits of the table as its own log tells them, and what they must be like: no code of the writer's.

use std::collections::BTreeMap;

use futures::TryStreamExt as _;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use serde_json::Value;

const LOG: &str = "lake/events/_delta_log";

/// One commit, as its lines say.
pub struct Commit {
    txns: Vec<(String, i64)>,
    /// Partition, first and next offset, claim.
    ranges: Vec<(String, i64, i64, i64)>,
}

/// The commits in order, read from the log's own files.
pub async fn history(objects: &dyn ObjectStore) -> Result<Vec<Commit>, String> {
    let mut commits = Vec::new();
    for version in 0.. {
        let Ok(found) = objects.get(&Path::from(format!("{LOG}/{version:020}.json"))).await else { break };
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
    let listed: Vec<_> = objects.list(Some(&Path::from(LOG))).try_collect().await.map_err(|error| error.to_string())?;
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
pub fn offsets_only_grow_under_growing_claims(commits: &[Commit]) -> Result<(), String> {
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
