//! What a worker keeps beside the lake for the operator of its machine, in `<data>/ingest/`: which partitions stand still and
//! why, and which process holds which claims, for `amanat status`; and the file by which a message that kills the process is found.
//!
//! All are hints. Progress, permits and claims are in the lake; an entry holds only while its partition has not moved.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ingest::{Monitor, State, WorkerReport};
use lake::PartitionId;
use serde::de::DeserializeOwned;
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

/// The process of a worker that runs, or was killed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// By which the lake knows it.
    pub writer_id: String,
    /// Name of its machine.
    pub host: String,
    /// Its number there.
    pub pid: u32,
    /// The claims that it holds, as far as it knows.
    pub claims: Vec<Claim>,
}

/// A claim of a worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// On which partition.
    #[serde(flatten)]
    pub partition: PartitionId,
    /// The fencing number.
    pub claim: i64,
}

impl Process {
    fn of(report: &WorkerReport) -> Self {
        let claim = |(partition, status): (&PartitionId, &ingest::PartitionStatus)| {
            Some(Claim { partition: partition.clone(), claim: status.claim? })
        };
        Self {
            writer_id: report.writer_id.clone(),
            host: host(),
            pid: std::process::id(),
            claims: report.partitions.iter().filter_map(claim).collect(),
        }
    }
}

/// The machine's name, as its kernel has it.
fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::env::var("HOSTNAME").map_err(|_| ()));
    name.map_or_else(|()| "this machine".to_owned(), |name| name.trim().to_owned())
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

    /// Does so as often as it changes, and says which process this is while it runs.
    pub async fn keep_telling(self, monitor: Monitor, stop: CancellationToken) {
        let (mut told, mut said) = (None, None);
        while !stop.is_cancelled() {
            let report = monitor.report();
            let now = (standing(&report), Process::of(&report));
            if told.as_ref() != Some(&now.0) {
                self.put(&now.0);
                told = Some(now.0);
            }
            if said.as_ref() != Some(&now.1) {
                self.say(PROCESS, Some(&now.1));
                said = Some(now.1);
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        self.say(PROCESS, None::<&Process>);
    }

    fn put(&self, standing: &[Standing]) {
        self.say(SUFFIX, (!standing.is_empty()).then_some(standing));
    }

    /// A hint that cannot be written is no reason not to ingest.
    fn say(&self, suffix: &str, what: Option<&(impl Serialize + ?Sized)>) {
        let file = self.folder.join(format!("{}{suffix}", self.worker));
        if let Err(error) = write(&file, what) {
            warn!(file = %file.display(), %error, "`amanat status` cannot be told how this worker stands");
        }
    }
}

const SUFFIX: &str = ".standing.json";
const PROCESS: &str = ".process.json";

fn folder(data: &Path) -> PathBuf {
    data.join("ingest")
}

/// Nothing to say: no file.
fn write(file: &Path, what: Option<&(impl Serialize + ?Sized)>) -> io::Result<()> {
    let Some(what) = what else {
        return fs::remove_file(file).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        });
    };
    let new = file.with_extension("new");
    fs::write(&new, serde_json::to_vec_pretty(what)?)?;
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

/// What the workers on this data directory have said of what stands still. A file that cannot be read, or is of another version,
/// says nothing.
pub fn read(data: &Path) -> Vec<Standing> {
    said::<Vec<Standing>>(data, SUFFIX).into_iter().flatten().collect()
}

/// Which processes ingest on this data directory, as they have said.
pub fn processes(data: &Path) -> Vec<Process> {
    said(data, PROCESS)
}

fn said<T: DeserializeOwned>(data: &Path, suffix: &str) -> Vec<T> {
    let files = fs::read_dir(folder(data)).into_iter().flatten().flatten().map(|entry| entry.path());
    let ours = files.filter(|file| file.to_string_lossy().ends_with(suffix));
    ours.filter_map(|file| serde_json::from_slice(&fs::read(file).ok()?).ok()).collect()
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
