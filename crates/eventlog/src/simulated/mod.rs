//! A log in memory for tests: same contract, no disk, no network, no real time, and faults when the script says so.
//!
//! What counts as a failure of the reader under test (architecture.md 5.14): a record lost or taken twice after any of
//! [`ReadFault`] and [`WriteFault`] but [`ReadFault::Redeliver`], which breaks the contract on purpose, to see whether the
//! reader notices. Not a failure: late, slow, or an error that says what happened.
//!
//! Everything happens on the caller's thread in the order of the calls, so a run repeats exactly. Waiting moves the
//! [`ManualClock`] and returns at once.

mod clock;
mod reader;
mod writer;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::{LogError, Result};
use crate::partition::Partition;
use crate::source::{Change, Watermarks};
pub use clock::ManualClock;
pub use reader::SimulatedSource;
pub use writer::SimulatedSink;

/// What goes wrong with a question of a source, or with a poll that would bring records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadFault {
    /// The next call of any kind fails with [`LogError::Unavailable`].
    Unavailable,
    /// The next poll brings nothing, although there is something; it takes its whole wait.
    Silent,
    /// The next poll takes so long, and brings one record at most.
    Slow(Duration),
    /// The next batch comes a second time. No correct log does this.
    Redeliver,
}

/// What goes wrong with the next append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteFault {
    /// Nothing is appended: [`LogError::Unavailable`].
    Unavailable,
    /// All is appended, but the answer is lost: [`LogError::Unavailable`].
    LostAnswer,
    /// Nothing is appended: [`LogError::DiskFull`].
    DiskFull,
}

/// A log in memory. Clones share it.
#[derive(Clone)]
pub struct SimulatedLog {
    state: Arc<Mutex<State>>,
    clock: ManualClock,
    source_uid: Arc<str>,
}

struct State {
    partitions_per_stream: i32,
    streams: BTreeMap<Arc<str>, Vec<Stored>>,
    reading: VecDeque<ReadFault>,
    writing: VecDeque<WriteFault>,
    hints: BTreeMap<Partition, i64>,
    members: BTreeMap<Arc<str>, Member>,
}

/// What a member of the log's group has.
#[derive(Default)]
struct Member {
    mine: BTreeSet<Partition>,
    change: Option<Change>,
    /// Times that it gave up what was taken from it.
    released: u64,
}

/// A partition.
#[derive(Default)]
struct Stored {
    low: i64,
    high: i64,
    records: VecDeque<Message>,
}

#[derive(Clone)]
struct Message {
    offset: i64,
    timestamp_ms: i64,
    key: Option<Vec<u8>>,
    headers: Vec<(String, Vec<u8>)>,
    value: Option<Vec<u8>>,
}

impl Stored {
    fn watermarks(&self) -> Watermarks {
        Watermarks { low: self.low, high: self.high }
    }
}

impl SimulatedLog {
    /// An empty log with this id, whose streams have so many partitions.
    pub fn new(uid: &str, partitions_per_stream: i32, clock: ManualClock) -> Self {
        assert!(partitions_per_stream > 0, "a stream has partitions");
        let state = State {
            partitions_per_stream,
            streams: BTreeMap::new(),
            reading: VecDeque::new(),
            writing: VecDeque::new(),
            hints: BTreeMap::new(),
            members: BTreeMap::new(),
        };
        Self { state: Arc::new(Mutex::new(state)), clock, source_uid: format!("{uid}#0").into() }
    }

    /// A reader.
    pub fn source(&self) -> SimulatedSource {
        SimulatedSource::new(self.clone(), None)
    }

    /// A reader that is a member of the log's group and reads what [`Self::give`] gives it.
    pub fn member(&self, name: &str) -> SimulatedSource {
        self.state().members.entry(name.into()).or_default();
        SimulatedSource::new(self.clone(), Some(name.into()))
    }

    /// Decides what a member is to read, as the brokers of a group do. `Change::Lost`: it was thought dead, and is not asked
    /// to finish anything.
    pub fn give(&self, member: &str, partitions: impl IntoIterator<Item = Partition>, change: Change) {
        let mut state = self.state();
        let member = state.members.entry(member.into()).or_default();
        member.mine = partitions.into_iter().collect();
        member.change = Some(member.change.map_or(change, |before| before.max(change)));
    }

    /// How often a member has given up what was taken from it.
    pub fn released(&self, member: &str) -> u64 {
        self.state().members.get(member).map_or(0, |member| member.released)
    }

    /// A writer.
    pub fn sink(&self) -> SimulatedSink {
        SimulatedSink::new(self.clone())
    }

    /// Puts a fault at the end of the script for sources.
    pub fn on_read(&self, fault: ReadFault) {
        self.state().reading.push_back(fault);
    }

    /// Puts a fault at the end of the script for sinks.
    pub fn on_append(&self, fault: WriteFault) {
        self.state().writing.push_back(fault);
    }

    /// Deletes the records below an offset, as retention does.
    pub fn trim(&self, partition: &Partition, below: i64) -> Result<()> {
        self.with(partition, |stored| {
            let below = below.min(stored.high);
            stored.records.retain(|record| record.offset >= below);
            stored.low = stored.low.max(below);
        })
    }

    /// Cuts the records from an offset on, as a broker does that lost its unsynced tail.
    pub fn truncate(&self, partition: &Partition, from: i64) -> Result<()> {
        self.with(partition, |stored| {
            stored.records.retain(|record| record.offset < from);
            stored.high = stored.high.min(from);
            stored.low = stored.low.min(stored.high);
        })
    }

    /// Uses up offsets without a record, as transaction markers do.
    pub fn leave_gap(&self, partition: &Partition, offsets: i64) -> Result<()> {
        self.with(partition, |stored| stored.high += offsets)
    }

    /// Deletes the stream.
    pub fn delete(&self, stream: &str) {
        self.state().streams.remove(stream);
    }

    /// Deletes the stream and makes it anew, empty, under the same name.
    pub fn recreate(&self, stream: &str) {
        self.delete(stream);
        self.state().create(stream);
    }

    /// What was last hinted for a partition.
    pub fn hinted(&self, partition: &Partition) -> Option<i64> {
        self.state().hints.get(partition).copied()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, partition: &Partition, change: impl FnOnce(&mut Stored) -> T) -> Result<T> {
        self.state().stored(partition).map(change)
    }
}

impl State {
    fn create(&mut self, stream: &str) -> &mut Vec<Stored> {
        let partitions = self.partitions_per_stream;
        self.streams.entry(stream.into()).or_insert_with(|| (0..partitions).map(|_| Stored::default()).collect())
    }

    fn stored(&mut self, partition: &Partition) -> Result<&mut Stored> {
        let found = self
            .streams
            .get_mut(&partition.stream)
            .and_then(|all| all.get_mut(usize::try_from(partition.number).ok()?));
        found.ok_or_else(|| LogError::UnknownPartition { partition: partition.clone() })
    }
}

fn unavailable() -> LogError {
    LogError::Unavailable { place: "the simulated log".into(), reason: "the script says so".into() }
}
