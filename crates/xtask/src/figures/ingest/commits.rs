//! What the Delta log of a lake tells to someone who only looks at its files: who committed what, and when it was there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::Value;

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_millis(2);

/// A commit of rows.
#[derive(Debug, Clone)]
pub struct Commit {
    /// Whose.
    pub writer: String,
    /// Rows in its files.
    pub rows: u64,
    /// The partitions it has rows or offsets of: stream and number.
    pub partitions: BTreeSet<(String, i64)>,
}

/// Reads the commits of a lake as they come.
pub struct Commits {
    log: PathBuf,
    next: u64,
}

impl Commits {
    /// From the first one on.
    pub fn of(data: &Path) -> Self {
        Self { log: data.join("lake/events/_delta_log"), next: 0 }
    }

    /// Those that came since the last call; claims and maintenance are left out.
    pub fn new_ones(&mut self) -> Result<Vec<Commit>> {
        let mut commits = Vec::new();
        while let Ok(text) = std::fs::read_to_string(self.log.join(format!("{:020}.json", self.next))) {
            commits.extend(commit(&text)?);
            self.next += 1;
        }
        Ok(commits)
    }

    /// Waits for the first new commit that `wanted` wants.
    pub fn wait(&mut self, limit: Duration, mut wanted: impl FnMut(&Commit) -> bool) -> Result<Commit> {
        let began = Instant::now();
        loop {
            if let Some(commit) = self.new_ones()?.into_iter().find(&mut wanted) {
                return Ok(commit);
            }
            ensure!(began.elapsed() < limit, "no such commit within {limit:?}");
            std::thread::sleep(LOOK);
        }
    }
}

fn commit(text: &str) -> Result<Option<Commit>> {
    let mut found = Commit { writer: String::new(), rows: 0, partitions: BTreeSet::new() };
    for line in text.lines() {
        let action: Value = serde_json::from_str(line)?;
        if let Some(info) = action.get("commitInfo") {
            info["writer_id"].as_str().unwrap_or_default().clone_into(&mut found.writer);
            for range in info["ranges"].as_array().into_iter().flatten() {
                let partition = &range["partition"];
                let stream = partition["log_stream"].as_str().or(range["stream"].as_str()).unwrap_or_default();
                let number = partition["partition"].as_i64().or(partition.as_i64()).unwrap_or_default();
                found.partitions.insert((stream.to_owned(), number));
            }
        } else if let Some(add) = action.get("add").filter(|add| add["dataChange"] == true) {
            let statistics: Value = serde_json::from_str(add["stats"].as_str().unwrap_or("{}"))?;
            found.rows += statistics["numRecords"].as_u64().unwrap_or(0);
        }
    }
    Ok((found.rows > 0).then_some(found))
}
