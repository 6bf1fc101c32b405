//! What a worker tells about itself: counts, lag, the state of each partition, the lake's version. Nothing about persons.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::AddAssign;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lake::PartitionId;
use tokio::sync::watch;

use crate::budget::Purse;
use crate::schemas::Waiting;
use crate::set_aside::ErrorClass;

/// Rows by status and reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Accepted events.
    pub ok: u64,
    /// Messages without a value.
    pub tombstone: u64,
    /// Second copies of an event, with the same content.
    pub duplicate: u64,
    /// Second copies of an event id, with other content.
    pub conflict: u64,
    /// Set-aside messages by [`ErrorClass`], in the order of [`ErrorClass::ALL`]; conflicts are not among them.
    pub set_aside: [u64; ErrorClass::ALL.len()],
    /// Envelope attributes that events carried beside what is stored.
    pub ignored_attributes: u64,
}

impl Counts {
    /// Rows of all kinds.
    pub fn rows(&self) -> u64 {
        self.ok + self.tombstone + self.duplicate + self.conflict + self.set_aside_total()
    }

    /// Set-aside rows of all classes, without conflicts.
    pub fn set_aside_total(&self) -> u64 {
        self.set_aside.iter().sum()
    }

    /// Set-aside rows of a class.
    pub fn of(&self, class: ErrorClass) -> u64 {
        self.set_aside[class as usize]
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.ok += other.ok;
        self.tombstone += other.tombstone;
        self.duplicate += other.duplicate;
        self.conflict += other.conflict;
        self.ignored_attributes += other.ignored_attributes;
        for (mine, theirs) in self.set_aside.iter_mut().zip(other.set_aside) {
            *mine += theirs;
        }
    }
}

/// Why a partition is not read, although others go on. An operator decides; nothing is skipped meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// The log holds nothing any more at the offset wanted: records were deleted before they were ingested.
    Deleted {
        /// Next offset to ingest.
        wanted: i64,
        /// First offset that the log holds.
        low: i64,
    },
    /// The log ends before the offset wanted: the stream was truncated or recreated.
    Truncated {
        /// Next offset to ingest.
        wanted: i64,
        /// Offset after the last that the log holds.
        high: i64,
    },
    /// The log's last ingested record is not the one that was ingested: the stream was recreated and has grown.
    Recreated {
        /// Offset at which they differ.
        offset: i64,
    },
    /// The stream has rows of another log, and this one was not confirmed as its continuation.
    OtherLog,
    /// Another worker holds a higher claim.
    Fenced {
        /// The claim of this worker.
        own: i64,
        /// The claim found in the lake.
        found: i64,
    },
    /// The next message cannot be accepted, and the policy of its agency does not let it be set aside (any more).
    Rejected {
        /// Its offset, the next to be ingested.
        offset: i64,
        /// What is wrong with it.
        class: ErrorClass,
        /// The sentence that its row would have: place and remedy, never a value.
        detail: Cow<'static, str>,
        /// So many of so many offsets were to be set aside at most; `None` where none is.
        limit: Option<(u32, u32)>,
    },
    /// The source refuses to read the partition (damaged, or unknown to it).
    Source {
        /// The source's own words; they name no data.
        reason: String,
    },
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deleted { wanted, low } => write!(
                f,
                "offset {wanted} is next, but the log begins at {low}: records were deleted before they were ingested; \
                 restore them, or accept the loss and read what is left as a new generation (raise `log.generation`)"
            ),
            Self::Truncated { wanted, high } => write!(
                f,
                "offset {wanted} is next, but the log ends at {high}: the stream was truncated or recreated; \
                 confirm it as a new generation (raise `log.generation`), or restore the log"
            ),
            Self::Recreated { offset } => write!(
                f,
                "the log's record at offset {offset} is not the one that was ingested: the stream was recreated; \
                 confirm it as a new generation (raise `log.generation`), or restore the log"
            ),
            Self::OtherLog => f.write_str(
                "the lake has rows of this stream from another log: check which log is configured; if this one continues \
                 it, confirm that with `log.accept_new_source = true` until it is read",
            ),
            Self::Fenced { own, found } => {
                write!(f, "another worker claimed the partition (claim {found}, ours {own}); stop one of the two")
            }
            Self::Rejected { offset, class, detail, limit } => {
                write!(f, "the message at offset {offset} cannot be accepted ({class}: {detail}), and ")?;
                match limit {
                    Some((most, window)) => write!(
                        f,
                        "{most} of the {window} offsets before it were set aside already, the policy's limit: see with \
                         `amanat set-aside list` whether the agency changed what it sends"
                    )?,
                    None => f.write_str("the agency's policy is to stand still for that (`on_reject`)")?,
                }
                f.write_str(
                    "; have the producer mended, then let the partition go on with `amanat resume`: what cannot be \
                     accepted below the offset that you name is set aside",
                )
            }
            Self::Source { reason } => f.write_str(reason),
        }
    }
}

impl Halt {
    /// Every reason, by its name in metrics and in `amanat status --json`.
    pub const REASONS: [&str; 8] =
        ["deleted", "truncated", "recreated", "other_log", "fenced", "rejected", "too_many_rejected", "source"];

    /// The reason, as one word.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Deleted { .. } => "deleted",
            Self::Truncated { .. } => "truncated",
            Self::Recreated { .. } => "recreated",
            Self::OtherLog => "other_log",
            Self::Fenced { .. } => "fenced",
            Self::Rejected { limit: None, .. } => "rejected",
            Self::Rejected { limit: Some(_), .. } => "too_many_rejected",
            Self::Source { .. } => "source",
        }
    }
}

/// Whether a partition is being ingested.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum State {
    /// It is read.
    #[default]
    Reading,
    /// It stands still until an Avro schema can be had, which is asked for again and again, or a program comes that knows a
    /// version of the contract.
    Waiting(Waiting),
    /// It stands still until an operator acts.
    Halted(Halt),
}

/// One partition, as `amanat status` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartitionStatus {
    /// Next offset by the lake; `None` = nothing committed yet.
    pub committed: Option<i64>,
    /// First offset that the log holds, as last seen.
    pub low: Option<i64>,
    /// Next offset to be written to the log, as last seen.
    pub high: Option<i64>,
    /// The claim under which this worker reads it.
    pub claim: Option<i64>,
    /// Whether it is being read.
    pub state: State,
}

impl PartitionStatus {
    /// Messages in the log that are not yet in the lake; `None` while the log has not told, and where another worker has claimed
    /// the partition: how far that one is, this one does not know.
    pub fn lag(&self) -> Option<i64> {
        if matches!(self.state, State::Halted(Halt::Fenced { .. })) {
            return None;
        }
        let next = self.committed.or(self.low).unwrap_or(0);
        self.high.map(|high| (high - next).max(0))
    }
}

/// Whether the two things that a worker depends on answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reachable {
    /// The event log does not answer.
    pub log_away: bool,
    /// The lake cannot be written.
    pub lake_away: bool,
}

/// What the part of a worker that speaks with the lake is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activity {
    /// Nothing is asked of the lake.
    #[default]
    Waiting,
    /// It takes partitions over.
    Claiming,
    /// It looks for first copies of events.
    Looking,
    /// It writes and commits a batch.
    Committing,
}

/// What a worker did since it was made, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkerReport {
    /// By which the lake knows what this worker commits and claims.
    pub writer_id: String,
    /// Rows committed by this worker, by status and reason.
    pub counts: Counts,
    /// Batches committed.
    pub batches: u64,
    /// Times that a batch had to leave a partition out because another worker had claimed it.
    pub fenced: u64,
    /// Last lake version seen.
    pub lake_version: u64,
    /// Every partition met.
    pub partitions: BTreeMap<PartitionId, PartitionStatus>,
    /// Whether log and lake answer.
    pub reachable: Reachable,
    /// What is asked of the lake now.
    pub activity: Activity,
    /// Bytes held between the log and the commit, of messages and of rows (I5).
    pub held_bytes: usize,
    /// Offsets in the lake of which the log has acknowledged no receipt.
    pub receipts_owed: i64,
    /// Whether the lake is being read for receipts.
    pub makes_receipts: bool,
}

impl WorkerReport {
    /// Partitions that stand still, with the reason.
    pub fn halted(&self) -> impl Iterator<Item = (&PartitionId, &Halt)> {
        self.partitions.iter().filter_map(|(id, status)| match &status.state {
            State::Halted(halt) => Some((id, halt)),
            State::Reading | State::Waiting(_) => None,
        })
    }

    /// Partitions that wait for an Avro schema or for a newer program, with the reason.
    pub fn waiting(&self) -> impl Iterator<Item = (&PartitionId, &Waiting)> {
        self.partitions.iter().filter_map(|(id, status)| match &status.state {
            State::Waiting(waiting) => Some((id, waiting)),
            State::Reading | State::Halted(_) => None,
        })
    }

    /// Messages in the log that are not yet in the lake, over all partitions that have told.
    pub fn lag(&self) -> i64 {
        self.partitions.values().filter_map(PartitionStatus::lag).sum()
    }
}

/// A view of a running worker that can be kept and shared.
#[derive(Debug, Clone)]
pub struct Monitor {
    report: Arc<Mutex<WorkerReport>>,
    gone: Arc<Mutex<BTreeSet<PartitionId>>>,
    purses: Arc<[Purse; 2]>,
    version: Arc<watch::Sender<u64>>,
}

impl Monitor {
    pub(crate) fn new(writer_id: &str, lake_version: u64, purses: [Purse; 2]) -> Self {
        let report = WorkerReport { writer_id: writer_id.to_owned(), lake_version, ..WorkerReport::default() };
        Self {
            report: Arc::new(Mutex::new(report)),
            gone: Arc::default(),
            purses: Arc::new(purses),
            version: Arc::new(watch::Sender::new(lake_version)),
        }
    }

    /// How the worker stands now.
    pub fn report(&self) -> WorkerReport {
        let held_bytes = self.purses.iter().map(Purse::held).sum();
        WorkerReport { held_bytes, ..self.lock().clone() }
    }

    /// The most bytes that the worker may hold between the log and the commit.
    pub fn budget_bytes(&self) -> usize {
        self.purses.iter().map(Purse::limit).sum()
    }

    /// Follows the lake's version: changes after every commit of this worker.
    pub fn lake_version(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut WorkerReport)) {
        change(&mut self.lock());
    }

    pub(crate) fn partition(&self, id: &PartitionId, change: impl FnOnce(&mut PartitionStatus)) {
        self.update(|report| change(report.partitions.entry(id.clone()).or_default()));
    }

    /// The partition is another worker's now, and no longer in the report.
    pub(crate) fn given_up(&self, id: &PartitionId) {
        self.update(|report| drop(report.partitions.remove(id)));
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
    }

    /// Partitions that were given up at some time and are not held now.
    pub(crate) fn gone(&self) -> BTreeSet<PartitionId> {
        let mut gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        let report = self.lock();
        gone.retain(|id| !report.partitions.contains_key(id));
        gone.clone()
    }

    /// The assignment of this claim stands still. One that came after it says for itself how it stands.
    pub(crate) fn halted(&self, id: &PartitionId, claim: i64, halt: Halt) {
        self.partition(id, |status| {
            if status.claim == Some(claim) {
                status.state = State::Halted(halt);
            }
        });
    }

    /// A batch is in the lake; returns the sum of its counts.
    pub(crate) fn committed(&self, counts: impl Iterator<Item = Counts>, lake_version: u64) -> Counts {
        let mut total = Counts::default();
        counts.for_each(|part| total += part);
        self.update(|report| {
            report.counts += total;
            report.batches += 1;
            report.lake_version = lake_version;
        });
        self.version.send_replace(lake_version);
        total
    }

    /// A panic elsewhere leaves counts that are still true: they are added in one step.
    fn lock(&self) -> MutexGuard<'_, WorkerReport> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
