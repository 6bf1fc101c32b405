//! What a worker keeps beside the lake for the operator of its machine, in `<data>/ingest/`: which partitions stand still and
//! why, for `amanat status`, and the file by which a message that kills the process is found.
//!
//! Both are hints. Progress, permits and claims are in the lake; an entry holds only while its partition has not moved.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ingest::{Monitor, State, WorkerReport};
use lake::PartitionId;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// How often a running worker is asked whether something stands still.
const LOOK: Duration = Duration::from_secs(1);

/// A partition that stands still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Which one.
    #[serde(flatten)]
    pub partition: PartitionId,
    /// Its next offset by the lake when it was seen.
    pub next: Option<i64>,
    /// The reason as one word: [`ingest::Halt::reason`], or `waiting` (for an Avro schema).
    pub reason: String,
    /// The reason and the remedy.
    pub why: String,
}

impl Standing {
    /// Waits for an Avro schema, and goes on by itself.
    pub const WAITING: &'static str = "waiting";
}

/// The files of one worker.
#[derive(Debug, Clone)]
pub struct WorkerFiles {
    folder: PathBuf,
    worker: String,
}

impl WorkerFiles {
    /// Of the worker of this name, of which there is one at a time in a data directory.
    pub fn new(data: &Path, worker: &str) -> Self {
        Self { folder: folder(data), worker: worker.to_owned() }
    }

    /// Where the worker says which message it decodes, while that may kill it.
    pub fn decoding(&self) -> PathBuf {
        self.folder.join(format!("{}.decoding", self.worker))
    }

    /// Writes down which partitions stand still; nothing, if none does.
    pub fn tell(&self, report: &WorkerReport) {
        self.put(&standing(report));
    }

    /// Does so as often as it changes.
    pub async fn keep_telling(self, monitor: Monitor, stop: CancellationToken) {
        let mut told = None;
        while !stop.is_cancelled() {
            let now = standing(&monitor.report());
            if told.as_ref() != Some(&now) {
                self.put(&now);
                told = Some(now);
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// A hint that cannot be written is no reason not to ingest.
    fn put(&self, standing: &[Standing]) {
        let file = self.folder.join(format!("{}{SUFFIX}", self.worker));
        if let Err(error) = write(&file, standing) {
            warn!(file = %file.display(), %error, "`amanat status` cannot be told which partitions stand still");
        }
    }
}

const SUFFIX: &str = ".standing.json";

fn folder(data: &Path) -> PathBuf {
    data.join("ingest")
}

fn write(file: &Path, standing: &[Standing]) -> io::Result<()> {
    if standing.is_empty() {
        return fs::remove_file(file).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        });
    }
    let new = file.with_extension("new");
    fs::write(&new, serde_json::to_vec_pretty(standing)?)?;
    fs::rename(new, file)
}

fn standing(report: &WorkerReport) -> Vec<Standing> {
    let entry = |(partition, status): (&PartitionId, &ingest::PartitionStatus)| {
        let (reason, why) = match &status.state {
            State::Reading => return None,
            State::Waiting(waiting) => (Standing::WAITING, waiting.to_string()),
            State::Halted(halt) => (halt.reason(), halt.to_string()),
        };
        Some(Standing { partition: partition.clone(), next: status.committed, reason: reason.to_owned(), why })
    };
    report.partitions.iter().filter_map(entry).collect()
}

/// What the workers on this data directory have said. A file that cannot be read, or is of another version, says nothing.
pub fn read(data: &Path) -> Vec<Standing> {
    let files = fs::read_dir(folder(data)).into_iter().flatten().flatten().map(|entry| entry.path());
    let ours = files.filter(|file| file.to_string_lossy().ends_with(SUFFIX));
    let read = |file: PathBuf| serde_json::from_slice::<Vec<Standing>>(&fs::read(file).ok()?).ok();
    ours.filter_map(read).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_read_and_nothing_is_left_when_nothing_stands_still() {
        let data = tempfile::tempdir().unwrap();
        fs::create_dir(folder(data.path())).unwrap();
        let partition = PartitionId::new("u", "tip.events.FIA.v1", 2);
        let entry = Standing { partition, next: Some(7), reason: "fenced".into(), why: "stop one of the two".into() };
        let files = WorkerFiles::new(data.path(), "0");
        files.put(std::slice::from_ref(&entry));
        assert_eq!(read(data.path()), [entry]);
        fs::write(folder(data.path()).join("1.standing.json"), "torn").unwrap();
        assert_eq!(read(data.path()).len(), 1);
        files.put(&[]);
        assert!(read(data.path()).is_empty());
    }
}
