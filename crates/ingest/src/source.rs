//! The source thread: reads the log into batches, and keeps an eye on what there is to read.
//!
//! It owns the [`EventSource`] and nothing else touches it. What it can fix by waiting it waits for (with one log line
//! when the state changes, not one per try); what concerns one partition halts that partition, visibly, while the others
//! go on. Absent: any look into a message but for the schema it needs, any offset but those that the lake gave.
//!
//! Source: ingestion.md 3.4 (steps 2 to 6), 3.11.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError};
use std::time::Duration;

use eventlog::{EventSource, Fetched, LogError, Partition, Records, Watermarks};
use events::Limits;
use lake::PartitionId;
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, error, info, warn};

use crate::IngestError;
use crate::backoff::Backoff;
use crate::batch::{RawBatch, Run, Topic};
use crate::clock::{Clock, Ids};
use crate::committer::{Assignment, ToCommitter};
use crate::config::WorkerConfig;
use crate::schemas::{Asked, Gate, Schemas, Waiting};
use crate::status::{Halt, Monitor, State};
use crate::worker::ToPipeline;

/// What others ask of the source thread.
#[derive(Debug)]
pub(crate) enum Control {
    /// Hand over what was read, then end.
    Finish,
    /// The partition's rows are stored up to `next`: tell the log's tools.
    Committed { topic: Arc<Topic>, next: i64 },
    /// Another worker owns the partition now.
    Fenced { topic: Arc<Topic>, found: i64 },
    /// The partition's next offset was moved by an operator: claim it and read it anew.
    Moved { topic: Arc<Topic> },
}

/// When the thread ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// Never.
    Told,
    /// When everything that the log held at the beginning has been read.
    Drained,
}

/// A partition being read.
struct Reading {
    topic: Arc<Topic>,
    /// Next offset by the lake when the open batch began.
    committed: Option<i64>,
    /// First offset not yet in a closed batch, and first offset not yet read.
    from: i64,
    next: i64,
    /// The last ingested record and its log time: what the log must still have at that offset.
    probe: Option<(i64, i64)>,
    /// Messages of the open batch.
    chunks: Vec<Records>,
}

pub(crate) struct SourceThread<S> {
    pub source: S,
    pub config: WorkerConfig,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn Ids>,
    pub monitor: Monitor,
    pub control: Receiver<Control>,
    pub pipeline: SyncSender<ToPipeline>,
    pub committer: mpsc::Sender<ToCommitter>,
    pub until: Until,
    pub schemas: Schemas,
}

impl<S: EventSource> SourceThread<S> {
    /// Runs until told, drained, or alone; gives the source back.
    pub(crate) fn run(self) -> (S, Result<(), IngestError>) {
        let mut reader = LogReader::new(self);
        let result = reader.run();
        (reader.io.source, result)
    }
}

/// The thread at work.
struct LogReader<S> {
    io: SourceThread<S>,
    reading: BTreeMap<Partition, Reading>,
    halted: BTreeSet<Partition>,
    open: Open,
    /// What the log held at the beginning, when that is how far to read.
    targets: Option<BTreeMap<Partition, i64>>,
    scanned_at: Option<Duration>,
    backoff: Backoff,
    /// Holds back Avro messages whose schema is not known yet.
    gate: Gate,
    last_ingested_at_us: i64,
}

/// The batch being gathered.
#[derive(Default)]
struct Open {
    bytes: usize,
    rows: usize,
    since: Option<Duration>,
}

impl<S: EventSource> LogReader<S> {
    fn new(io: SourceThread<S>) -> Self {
        let backoff = Backoff::new(io.config.backoff_first, io.config.backoff_most);
        let limits = Limits { max_bytes: io.config.max_payload };
        let gate = Gate::new(io.schemas.clone(), limits, backoff.clone());
        Self {
            io,
            reading: BTreeMap::new(),
            halted: BTreeSet::new(),
            open: Open::default(),
            targets: None,
            scanned_at: None,
            backoff,
            gate,
            last_ingested_at_us: i64::MIN,
        }
    }

    fn run(&mut self) -> Result<(), IngestError> {
        loop {
            let step = match self.io.control.try_recv() {
                Ok(control) => self.obey(control),
                Err(TryRecvError::Disconnected) => Err(Stop::Alone),
                Err(TryRecvError::Empty) => self.step(),
            };
            match step {
                Ok(()) => {}
                Err(Stop::Alone) => return Ok(()),
                // Without the others nothing is lost: what they did not commit is read again.
                Err(Stop::Finished) => return self.close().or(Ok(())),
                Err(Stop::Failed(error)) => return Err(error),
            }
        }
    }

    fn obey(&mut self, control: Control) -> Result<(), Stop> {
        match control {
            Control::Finish => return Err(Stop::Finished),
            Control::Committed { topic, next } => {
                if let Err(error) = self.io.source.hint(&topic.source, next) {
                    debug!(partition = %topic.source, %error, "the log took no hint of progress");
                }
            }
            Control::Fenced { topic, found } if self.holds(&topic) => {
                self.drop_partition(&topic.source);
                self.halt(&topic.source, Halt::Fenced { own: topic.claim, found });
            }
            Control::Moved { topic } if self.holds(&topic) => {
                warn!(partition = %topic.source, "the next offset was moved in the lake; reading the partition anew");
                self.drop_partition(&topic.source);
                self.scanned_at = None;
            }
            // About an assignment that is over.
            Control::Fenced { .. } | Control::Moved { .. } => {}
        }
        Ok(())
    }

    fn holds(&self, topic: &Arc<Topic>) -> bool {
        self.reading.get(&topic.source).is_some_and(|reading| Arc::ptr_eq(&reading.topic, topic))
    }

    /// Looks for new partitions, reads some records, closes the batch: whatever is due.
    fn step(&mut self) -> Result<(), Stop> {
        if self.scan_is_due() {
            match self.scan() {
                // How far to read is not known yet: ask again soon. Polls are the pause between two scans.
                Ok(()) if self.io.until == Until::Drained && self.targets.is_none() => {}
                Ok(()) => self.scanned_at = Some(self.io.clock.elapsed()),
                Err(Trouble::Log(error)) => return self.trouble(error),
                Err(Trouble::Stop(stop)) => return Err(stop),
            }
        }
        self.ask_for_schemas()?;
        if self.is_drained() {
            return Err(Stop::Finished);
        }
        let (bytes, wait) = (self.bytes_wanted(), self.time_left().min(self.io.config.poll_wait));
        match self.io.source.poll(bytes, wait) {
            Ok(fetched) => {
                self.answered();
                if let Some(fetched) = fetched {
                    self.take(fetched);
                }
            }
            Err(error) => self.trouble(error)?,
        }
        if self.batch_is_full() { self.close() } else { Ok(()) }
    }

    fn scan_is_due(&self) -> bool {
        let now = self.io.clock.elapsed();
        self.scanned_at.is_none_or(|then| now.saturating_sub(then) >= self.io.config.rescan)
    }

    /// Which partitions there are, how far they go, and which of them are new. A partition that does not answer now is
    /// left for the next scan and keeps the marks it had: it must not hold up the others. When none answers, the log is
    /// away.
    fn scan(&mut self) -> Result<(), Trouble> {
        let all = self.io.source.partitions()?;
        let mut new = BTreeMap::new();
        let mut targets = BTreeMap::new();
        let mut silent = None;
        for partition in all.into_iter().filter(|p| eventlog::agency_of(&p.stream).is_some()) {
            let marks = match self.io.source.watermarks(&partition) {
                Ok(marks) => marks,
                Err(error) if error.partition().is_some() => {
                    self.halt(&partition, Halt::Source { reason: error.to_string() });
                    continue;
                }
                Err(error) if error.is_transient() => {
                    debug!(partition = %partition, %error, "the partition does not answer; it is left for the next scan");
                    silent = Some(error);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            self.io.monitor.partition(&self.id(&partition), |status| {
                (status.low, status.high) = (Some(marks.low), Some(marks.high));
            });
            targets.insert(partition.clone(), marks.high);
            if !self.reading.contains_key(&partition) && !self.halted.contains(&partition) {
                new.insert(partition, marks);
            }
        }
        let all_answered = silent.is_none();
        if let (Some(error), true) = (silent, targets.is_empty()) {
            return Err(error.into());
        }
        let complete = self.assign(new)? && all_answered;
        if self.io.until == Until::Drained && self.targets.is_none() && complete {
            self.targets = Some(targets);
        }
        self.answered();
        Ok(())
    }

    fn id(&self, partition: &Partition) -> PartitionId {
        PartitionId::new(self.io.source.source_uid(), &partition.stream, partition.number)
    }

    /// Claims partitions and begins to read them where the lake says; whether all of them answered.
    fn assign(&mut self, new: BTreeMap<Partition, Watermarks>) -> Result<bool, Trouble> {
        if new.is_empty() {
            return Ok(true);
        }
        let mut all = true;
        let (reply, answer) = oneshot::channel();
        let partitions = new.keys().map(|p| (p.clone(), self.id(p))).collect();
        self.io.committer.blocking_send(ToCommitter::Assign { partitions, reply }).map_err(|_| Stop::Alone)?;
        for assignment in answer.blocking_recv().map_err(|_| Stop::Alone)? {
            let partition = assignment.partition.clone();
            match start(&assignment, new[&partition]) {
                Ok(reading) => match self.begin(partition.clone(), reading, assignment) {
                    // The next scan claims it again.
                    Err(Trouble::Log(error)) if error.is_transient() => {
                        debug!(partition = %partition, %error, "the partition is not read yet");
                        all = false;
                    }
                    begun => begun?,
                },
                Err(halt) => self.halt(&partition, halt),
            }
        }
        Ok(all)
    }

    fn begin(&mut self, partition: Partition, reading: Reading, assignment: Assignment) -> Result<(), Trouble> {
        self.io.source.read_from(&partition, reading.next)?;
        info!(partition = %partition, from = reading.from, claim = reading.topic.claim, "reading");
        // It may have waited for a schema under an assignment that is over.
        self.io.monitor.partition(&self.id(&partition), |status| status.state = State::Reading);
        let (topic, window) = (reading.topic.clone(), assignment.window);
        self.io.pipeline.send(ToPipeline::Assigned { topic, window }).map_err(|_| Stop::Alone)?;
        self.reading.insert(partition, reading);
        Ok(())
    }

    /// Adds records to the open batch.
    fn take(&mut self, Fetched { partition, records }: Fetched) {
        let Some(reading) = self.reading.get_mut(&partition) else { return };
        if let Some(offset) = reading.probe_fails(&records) {
            self.drop_partition(&partition);
            self.halt(&partition, Halt::Recreated { offset });
            return;
        }
        // What was under way when the partition was stopped.
        if self.gate.holds(&partition) {
            return;
        }
        let from = reading.next.max(reading.from);
        let (records, held) = self.gate.pass(&partition, records, from, self.io.clock.elapsed());
        reading.next = reading.next.max(records.next_offset());
        if reading.next > reading.from {
            self.open.since.get_or_insert_with(|| self.io.clock.elapsed());
        }
        self.open.bytes += records.bytes();
        self.open.rows += records.len();
        reading.chunks.push(records);
        if let Some(waiting) = held {
            let _ = self.io.source.stop(&partition);
            self.tell_waiting(&partition, waiting);
        }
    }

    fn tell_waiting(&self, partition: &Partition, waiting: Waiting) {
        self.io.monitor.partition(&self.id(partition), |status| status.state = State::Waiting(waiting));
    }

    /// Asks again for the schemas that partitions wait for, when it is time, and reads on those that need not wait longer.
    fn ask_for_schemas(&mut self) -> Result<(), Stop> {
        for asked in self.gate.ask_again(self.io.clock.elapsed()) {
            match asked {
                Asked::Still(partition, waiting) => self.tell_waiting(&partition, waiting),
                Asked::Ready(partition) => {
                    let Some(next) = self.reading.get(&partition).map(|reading| reading.next) else { continue };
                    match self.io.source.read_from(&partition, next) {
                        Ok(()) => {
                            info!(partition = %partition, from = next, "the Avro schema is known; reading on");
                            self.gate.forget(&partition);
                            self.io.monitor.partition(&self.id(&partition), |status| status.state = State::Reading);
                        }
                        // It is asked for again, and so the log.
                        Err(error) => self.trouble(error)?,
                    }
                }
            }
        }
        Ok(())
    }

    fn bytes_wanted(&self) -> usize {
        self.io.config.batch_bytes.saturating_sub(self.open.bytes).min(self.io.config.poll_bytes).max(1)
    }

    /// Until the open batch is too old.
    fn time_left(&self) -> Duration {
        let age = self.open.since.map_or(Duration::ZERO, |since| self.io.clock.elapsed().saturating_sub(since));
        self.io.config.batch_age.saturating_sub(age)
    }

    fn batch_is_full(&self) -> bool {
        let config = &self.io.config;
        self.open.since.is_some()
            && (self.open.bytes >= config.batch_bytes
                || self.open.rows >= config.batch_rows
                || self.time_left().is_zero())
    }

    fn is_drained(&self) -> bool {
        // A partition that halted while it was read is still in `reading`, for what it has in the open batch. One that
        // waits for a schema was asked for at least once: a drain does not wait with it.
        let reached = |(partition, high): (&Partition, &i64)| {
            self.halted.contains(partition)
                || self.gate.holds(partition)
                || self.reading.get(partition).is_none_or(|reading| reading.next >= *high)
        };
        self.targets.as_ref().is_some_and(|targets| targets.iter().all(reached))
    }

    /// Sends the open batch on. Waits while the pipeline is busy: that is the back-pressure.
    fn close(&mut self) -> Result<(), Stop> {
        self.open = Open::default();
        let runs: Vec<Run> = self.reading.values_mut().filter_map(Reading::close).collect();
        if runs.is_empty() {
            return Ok(());
        }
        self.last_ingested_at_us = self.last_ingested_at_us.max(self.io.clock.now_us());
        let (id, ingested_at_us) = (self.io.ids.next_batch_id(), self.last_ingested_at_us);
        self.io.pipeline.send(ToPipeline::Batch(RawBatch { id, runs, ingested_at_us })).map_err(|_| Stop::Alone)
    }

    /// An error of the source: one partition's, or one that waiting may mend, or one that it may not.
    fn trouble(&mut self, error: LogError) -> Result<(), Stop> {
        if let Some(partition) = error.partition().cloned() {
            // What was read before is good: it stays in the open batch.
            let halt = match error {
                LogError::OffsetOutOfRange { wanted, watermarks, .. } => out_of_range(wanted, watermarks),
                other => Halt::Source { reason: other.to_string() },
            };
            self.halt(&partition, halt);
            return Ok(());
        }
        if matches!(error, LogError::Refused { .. } | LogError::NewerFormat { .. } | LogError::NotALog { .. }) {
            return Err(Stop::Failed(IngestError::Log(error)));
        }
        let (wait, news) = self.backoff.failed();
        if news {
            warn!(%error, "the event log does not answer; trying until it does");
            self.io.monitor.update(|report| report.reachable.log_away = true);
        }
        // What has been read must not wait for the log.
        if self.open.since.is_some() {
            self.close()?;
        }
        match self.io.control.recv_timeout(wait) {
            Ok(control) => self.obey(control),
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Err(RecvTimeoutError::Disconnected) => Err(Stop::Alone),
        }
    }

    fn answered(&mut self) {
        if self.backoff.worked() {
            info!("the event log answers again");
            self.io.monitor.update(|report| report.reachable.log_away = false);
        }
    }

    /// The partition stands still; the others go on.
    fn halt(&mut self, partition: &Partition, halt: Halt) {
        error!(partition = %partition, reason = %halt, "partition halted");
        let _ = self.io.source.stop(partition);
        self.gate.forget(partition);
        self.io.monitor.partition(&self.id(partition), |status| status.state = State::Halted(halt));
        self.halted.insert(partition.clone());
    }

    /// Forgets what was read of the partition and not sent on.
    fn drop_partition(&mut self, partition: &Partition) {
        self.reading.remove(partition);
        self.gate.forget(partition);
        let _ = self.io.source.stop(partition);
    }
}

/// Where to read an assigned partition, or why not to (ingestion.md 3.4, step 4).
fn start(assignment: &Assignment, marks: Watermarks) -> Result<Reading, Halt> {
    let topic = assignment.topic.clone().ok_or(Halt::OtherLog)?;
    let from = assignment.next.unwrap_or(marks.low);
    if from < marks.low || from > marks.high {
        return Err(out_of_range(from, marks));
    }
    // The last record ingested is read again to see that it is still the same; the pipeline leaves it out. Between it and
    // what is next there may be offsets without a record (transaction markers).
    let probe = assignment.last.filter(|(offset, _)| (marks.low..from).contains(offset));
    let next = probe.map_or(from, |(offset, _)| offset);
    Ok(Reading { topic, committed: assignment.next, from, next, probe, chunks: Vec::new() })
}

const fn out_of_range(wanted: i64, marks: Watermarks) -> Halt {
    if wanted < marks.low {
        Halt::Deleted { wanted, low: marks.low }
    } else {
        Halt::Truncated { wanted, high: marks.high }
    }
}

impl Reading {
    /// The offset at which the log differs from what was ingested. The question stays open until a record at that
    /// offset or after it has come: a batch may be empty.
    fn probe_fails(&mut self, records: &Records) -> Option<i64> {
        let (offset, log_ms) = self.probe?;
        let record = records.iter().find(|record| record.offset >= offset)?;
        self.probe = None;
        (record.offset == offset && record.timestamp_ms != log_ms).then_some(offset)
    }

    /// What the open batch holds of the partition, if anything.
    fn close(&mut self) -> Option<Run> {
        let chunks = std::mem::take(&mut self.chunks);
        if self.next <= self.from {
            return None;
        }
        let run = Run { topic: self.topic.clone(), committed: self.committed, from: self.from, to: self.next, chunks };
        (self.committed, self.from) = (Some(self.next), self.next);
        Some(run)
    }
}

/// Why the loop ends.
enum Stop {
    /// Asked for, or nothing left to read.
    Finished,
    /// The other threads are gone.
    Alone,
    /// Waiting does not mend it.
    Failed(IngestError),
}

/// What may go wrong in a scan.
enum Trouble {
    Log(LogError),
    Stop(Stop),
}

impl From<LogError> for Trouble {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

impl From<Stop> for Trouble {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}
