//! The source's part of a worker: reads the log into batches, and keeps an eye on what there is to read.
//!
//! It owns the [`EventSource`] and nothing else touches it. It never waits for one thing alone: while a batch waits for the
//! pipeline, or the lake for its store, the group is answered and orders are obeyed. What it can fix by waiting it waits
//! for (with one log line when the state changes, not one per try); what concerns one partition halts that partition,
//! visibly, while the others go on. Absent: any look into a message but for what it needs to be read, any offset but those that the
//! lake gave.
//!
//! Source: ingestion.md 3.4 (steps 2 to 6), 3.5, 3.11.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use eventlog::{Change, EventSource, Fetched, LogError, Partition, Records, Watermarks};
use events::Limits;
use lake::PartitionId;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, error, info, warn};

mod group;
mod standing;

use crate::IngestError;
use crate::backoff::Backoff;
use crate::batch::{RawBatch, Run, Topic};
use crate::budget::{Charge, Purse, UnderWay};
use crate::clock::{Clock, Ids};
use crate::committer::{Assignment, ToCommitter};
use crate::config::{Pacing, WorkerConfig};
use crate::metrics::{Meters, Stage};
use crate::pipeline::Assigned;
use crate::reading::{Reading, out_of_range};
use crate::schemas::{Asked, Gate, Schemas, Waiting};
use crate::status::{Halt, Monitor, State};
use crate::versions::KnownVersions;
use crate::worker::ToPipeline;

/// How long the source waits for anything before it answers its group again.
const TICK: Duration = Duration::from_millis(200);

/// Batches under way that still count as "the others are idle": one is written while the next is decoded.
const IDLE: usize = 1;

/// What others ask of the source.
#[derive(Debug)]
pub(crate) enum Control {
    /// Hand over what was read, then end.
    Finish,
    /// The partition's rows are stored up to `next`: tell the log's tools.
    Committed { topic: Arc<Topic>, next: i64 },
    /// Another worker owns the partition now.
    Fenced { topic: Arc<Topic>, found: i64 },
    /// The partition has a message that may not be set aside: it stands still before it.
    Rejected { topic: Arc<Topic>, halt: Halt },
    /// The partition's next offset was moved by an operator: claim it and read it anew.
    Moved { topic: Arc<Topic> },
}

/// When the worker ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// Never.
    Told,
    /// When everything that the log held at the beginning has been read.
    Drained,
}

pub(crate) struct SourcePart<S> {
    pub source: S,
    pub config: WorkerConfig,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn Ids>,
    pub monitor: Monitor,
    pub control: mpsc::UnboundedReceiver<Control>,
    pub pipeline: mpsc::Sender<ToPipeline>,
    pub committer: mpsc::Sender<ToCommitter>,
    pub messages: Purse,
    pub under_way: UnderWay,
    pub until: Until,
    pub schemas: Schemas,
    pub meters: Meters,
    pub versions: KnownVersions,
}

impl<S: EventSource> SourcePart<S> {
    /// Runs until told, drained, or alone; gives the source back.
    pub(crate) async fn run(self) -> (S, Result<(), IngestError>) {
        let mut reader = LogReader::new(self);
        let result = reader.run().await;
        (reader.io.source, result)
    }
}

/// The source's part at work.
struct LogReader<S> {
    io: SourcePart<S>,
    reading: BTreeMap<Partition, Reading>,
    /// Partitions that stand still, and from when on they may be claimed again, if ever.
    halted: BTreeMap<Partition, Option<Duration>>,
    /// Those of them that an operator's permit lets go on, each with the offset that must lie below it.
    rejected: BTreeMap<Partition, i64>,
    open: Open,
    /// What goes to the pipeline, in order.
    outbox: VecDeque<ToPipeline>,
    /// What the group said and nobody has looked at yet.
    change: Change,
    /// Partitions to be given up, each with the offset whose commit is waited for; and since when.
    leaving: Vec<(Arc<Topic>, i64)>,
    leaving_since: Option<Duration>,
    /// What the log held at the beginning, when that is how far to read.
    targets: Option<BTreeMap<Partition, i64>>,
    scanned_at: Option<Duration>,
    backoff: Backoff,
    /// Holds back messages that cannot be read yet: their Avro schema or their version is not known.
    gate: Gate,
    last_ingested_at_us: i64,
}

/// The batch being gathered.
#[derive(Default)]
struct Open {
    bytes: usize,
    rows: usize,
    since: Option<Duration>,
    charge: Option<Charge>,
}

impl<S: EventSource> LogReader<S> {
    fn new(io: SourcePart<S>) -> Self {
        let backoff = Backoff::new(io.config.backoff_first, io.config.backoff_most);
        let limits = Limits { max_bytes: io.config.max_payload };
        let gate = Gate::new(io.schemas.clone(), io.versions.clone(), limits, backoff.clone());
        Self {
            io,
            reading: BTreeMap::new(),
            halted: BTreeMap::new(),
            rejected: BTreeMap::new(),
            open: Open::default(),
            outbox: VecDeque::new(),
            change: Change::None,
            leaving: Vec::new(),
            leaving_since: None,
            targets: None,
            scanned_at: None,
            backoff,
            gate,
            last_ingested_at_us: i64::MIN,
        }
    }

    async fn run(&mut self) -> Result<(), IngestError> {
        loop {
            match self.turn().await {
                Ok(()) => {}
                Err(Stop::Alone) => return Ok(()),
                Err(Stop::Finished) => return self.finish().await,
                Err(Stop::Failed(error)) => return Err(error),
            }
        }
    }

    /// One thing that is due.
    async fn turn(&mut self) -> Result<(), Stop> {
        loop {
            match self.io.control.try_recv() {
                Ok(control) => self.obey(control)?,
                Err(TryRecvError::Disconnected) => return Err(Stop::Alone),
                Err(TryRecvError::Empty) => break,
            }
        }
        self.follow_group()?;
        if self.scan_is_due() {
            match self.scan().await {
                // How far to read is not known yet: ask again soon. Polls are the pause between two scans.
                Ok(()) if self.io.until == Until::Drained && self.targets.is_none() => {}
                Ok(()) => self.scanned_at = Some(self.io.clock.elapsed()),
                Err(Trouble::Log(error)) => return self.trouble(error).await,
                Err(Trouble::Stop(stop)) => return Err(stop),
            }
        }
        self.ask_for_schemas().await?;
        if self.is_drained() {
            return Err(Stop::Finished);
        }
        let bytes = self.bytes_wanted();
        let room = self.io.messages.has_room(bytes);
        if self.outbox.is_empty() && self.is_due(room) {
            self.close();
        }
        if !self.outbox.is_empty() {
            return self.offer().await;
        }
        if room {
            return self.read(bytes).await;
        }
        let messages = self.io.messages.clone();
        self.rest(messages.room(bytes)).await
    }

    /// Hands over what was read. Without the others nothing is lost: what they did not commit is read again.
    async fn finish(&mut self) -> Result<(), IngestError> {
        self.close();
        while let Some(message) = self.outbox.pop_front() {
            let pipeline = self.io.pipeline.clone();
            if self.attend(pipeline.send(message)).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    fn obey(&mut self, control: Control) -> Result<(), Stop> {
        match control {
            Control::Finish => return Err(Stop::Finished),
            Control::Committed { topic, next } => self.committed(&topic, next),
            Control::Fenced { topic, found } if self.holds(&topic) => {
                self.drop_partition(&topic.source);
                self.halt(&topic.source, Halt::Fenced { own: topic.claim, found });
            }
            Control::Moved { topic } if self.holds(&topic) || self.halted.contains_key(&topic.source) => {
                warn!(partition = %topic.source, "the next offset was moved in the lake; reading the partition anew");
                self.drop_partition(&topic.source);
                self.goes_on(&topic.source);
                self.scanned_at = None;
            }
            Control::Rejected { topic, halt } if self.holds(&topic) => {
                self.drop_partition(&topic.source);
                self.stand_still(&topic.source, halt);
            }
            // About an assignment that is over.
            Control::Fenced { topic, .. } | Control::Moved { topic } | Control::Rejected { topic, .. } => {
                self.leaving.retain(|(leaving, _)| !Arc::ptr_eq(leaving, &topic));
            }
        }
        Ok(())
    }

    fn committed(&mut self, topic: &Arc<Topic>, next: i64) {
        self.leaving.retain(|(leaving, to)| !Arc::ptr_eq(leaving, topic) || next < *to);
        if let Some(reading) = self.reading.get_mut(&topic.source).filter(|reading| Arc::ptr_eq(&reading.topic, topic))
        {
            reading.acknowledged = Some(next);
        }
        if let Err(error) = self.io.source.hint(&topic.source, next) {
            debug!(partition = %topic.source, %error, "the log took no hint of progress");
        }
    }

    fn holds(&self, topic: &Arc<Topic>) -> bool {
        self.reading.get(&topic.source).is_some_and(|reading| Arc::ptr_eq(&reading.topic, topic))
    }

    /// Waits for something, but obeys and answers meanwhile; the caller looks again afterwards.
    async fn rest(&mut self, until: impl Future<Output = ()>) -> Result<(), Stop> {
        tokio::select! {
            biased;
            control = self.io.control.recv() => control.map_or(Err(Stop::Alone), |control| self.obey(control)),
            () = until => Ok(()),
            () = self.io.clock.sleep(TICK) => Ok(()),
        }
    }

    /// Waits for something that must come before anything else, and shows the group meanwhile that this worker is alive.
    async fn attend<T>(&mut self, done: impl Future<Output = T>) -> T {
        let mut done = pin!(done);
        loop {
            tokio::select! {
                biased;
                done = &mut done => return done,
                () = self.io.clock.sleep(TICK) => {
                    // An error is met again at the next turn, where there is something to do about it.
                    let change = self.io.source.changed().unwrap_or(Change::None);
                    self.change = self.change.max(change);
                }
            }
        }
    }

    /// Gives the next message to the pipeline. Waits while it is busy: that is the back-pressure.
    async fn offer(&mut self) -> Result<(), Stop> {
        let pipeline = self.io.pipeline.clone();
        tokio::select! {
            biased;
            control = self.io.control.recv() => control.map_or(Err(Stop::Alone), |control| self.obey(control)),
            permit = pipeline.reserve() => {
                let permit = permit.map_err(|_| Stop::Alone)?;
                if let Some(message) = self.outbox.pop_front() {
                    permit.send(message);
                }
                Ok(())
            }
            () = self.io.clock.sleep(TICK) => Ok(()),
        }
    }

    fn scan_is_due(&self) -> bool {
        let now = self.io.clock.elapsed();
        self.scanned_at.is_none_or(|then| now.saturating_sub(then) >= self.io.config.rescan)
    }

    /// Which partitions there are, how far they go, and which of them are new. A partition that does not answer now is
    /// left for the next scan and keeps the marks it had: it must not hold up the others. When none answers, the log is
    /// away.
    async fn scan(&mut self) -> Result<(), Trouble> {
        self.look_at_what_stands_still().await?;
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
            if !self.reading.contains_key(&partition) && !self.stands_still(&partition) {
                new.insert(partition, marks);
            }
        }
        let all_answered = silent.is_none();
        if let (Some(error), true) = (silent, targets.is_empty()) {
            return Err(error.into());
        }
        let complete = self.assign(new).await? && all_answered;
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
    async fn assign(&mut self, new: BTreeMap<Partition, Watermarks>) -> Result<bool, Trouble> {
        if new.is_empty() {
            return Ok(true);
        }
        let mut all = true;
        let (reply, answer) = oneshot::channel();
        let partitions = new.keys().map(|p| (p.clone(), self.id(p))).collect();
        let committer = self.io.committer.clone();
        let ask = committer.send(ToCommitter::Assign { partitions, reply });
        self.attend(ask).await.map_err(|_| Stop::Alone)?;
        for assignment in self.attend(answer).await.map_err(|_| Stop::Alone)? {
            let partition = assignment.partition.clone();
            match Reading::start(&assignment, new[&partition]) {
                Ok(reading) => match self.begin(partition.clone(), reading, assignment, new[&partition].high) {
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

    fn begin(
        &mut self,
        partition: Partition,
        reading: Reading,
        assignment: Assignment,
        log_end: i64,
    ) -> Result<(), Trouble> {
        self.io.source.read_from(&partition, reading.next)?;
        info!(partition = %partition, from = reading.from, claim = reading.topic.claim, "reading");
        self.goes_on(&partition);
        // It may have stood still, or waited for a schema, under an assignment that is over.
        self.io.monitor.partition(&reading.topic.id, |status| {
            (status.state, status.claim) = (State::Reading, Some(reading.topic.claim));
        });
        let (topic, next) = (reading.topic.clone(), reading.from);
        let Assignment { window, tolerance, .. } = assignment;
        self.outbox.push_back(ToPipeline::Assigned(Assigned { topic, window, tolerance, next, log_end }));
        self.reading.insert(partition, reading);
        Ok(())
    }

    /// Takes what came: the log must still be the same, and what the messages need be there.
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
        self.keep(&partition, records);
        if let Some(waiting) = held {
            let _ = self.io.source.stop(&partition);
            self.tell_waiting(&partition, waiting);
        }
    }

    /// Puts records into the open batch.
    fn keep(&mut self, partition: &Partition, records: Records) {
        let Some(reading) = self.reading.get_mut(partition) else { return };
        reading.next = reading.next.max(records.next_offset());
        if reading.next <= reading.from {
            // The probe alone, however large: it is not ours to write again, and a batch that holds nothing else is not
            // closed, so that what it took would never be returned.
            return;
        }
        self.open.since.get_or_insert_with(|| self.io.clock.elapsed());
        let bytes = records.bytes();
        self.io.meters.read(records.len(), bytes);
        self.open.bytes += bytes;
        match &mut self.open.charge {
            Some(charge) => charge.add(bytes),
            None => self.open.charge = Some(self.io.messages.charge(bytes)),
        }
        self.open.rows += records.len();
        reading.chunks.push(records);
    }

    fn tell_waiting(&self, partition: &Partition, waiting: Waiting) {
        self.io.monitor.partition(&self.id(partition), |status| status.state = State::Waiting(waiting));
    }

    /// Asks again for the schemas that partitions wait for, when it is time, and reads on those that need not wait longer.
    async fn ask_for_schemas(&mut self) -> Result<(), Stop> {
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
                        Err(error) => self.trouble(error).await?,
                    }
                }
            }
        }
        Ok(())
    }

    fn bytes_wanted(&self) -> usize {
        self.io.config.batch_bytes.saturating_sub(self.open.bytes).min(self.io.config.poll_bytes).max(1)
    }

    /// How long the open batch has waited for company.
    fn age(&self) -> Duration {
        self.open.since.map_or(Duration::ZERO, |since| self.io.clock.elapsed().saturating_sub(since))
    }

    /// Until the open batch should be closed, if the others are idle then.
    fn time_left(&self) -> Duration {
        self.io.config.batch_age.saturating_sub(self.age())
    }

    /// Whether to close the open batch: fresh when the others are idle, large when they are busy (ingestion.md 3.12).
    fn is_due(&self, room: bool) -> bool {
        let config = &self.io.config;
        let full = self.open.bytes >= config.batch_bytes || self.open.rows >= config.batch_rows || !room;
        let old =
            self.time_left().is_zero() && (self.io.under_way.count() <= IDLE || self.age() >= config.batch_age_most);
        self.open.since.is_some() && (full || old)
    }

    /// Reads some records, or waits a moment for them.
    async fn read(&mut self, bytes: usize) -> Result<(), Stop> {
        let wait = self.time_left().min(self.io.config.poll_wait).max(Duration::from_millis(1));
        let own_thread = self.io.config.pacing == Pacing::OwnThreads;
        match self.io.source.poll(bytes, if own_thread { wait } else { Duration::ZERO }) {
            Ok(Some(fetched)) => {
                self.answered();
                self.take(fetched);
                Ok(())
            }
            Ok(None) => {
                self.answered();
                if own_thread { Ok(()) } else { self.rest(self.io.clock.sleep(wait)).await }
            }
            Err(error) => self.trouble(error).await,
        }
    }

    fn is_drained(&self) -> bool {
        // A partition that halted while it was read is still in `reading`, for what it has in the open batch. One that
        // waits for a schema was asked for at least once: a drain does not wait with it.
        let reached = |(partition, high): (&Partition, &i64)| {
            self.halted.contains_key(partition)
                || self.gate.holds(partition)
                || self.reading.get(partition).is_none_or(|reading| reading.next >= *high)
        };
        self.targets.as_ref().is_some_and(|targets| targets.iter().all(reached))
    }

    /// Closes the open batch, if it holds anything.
    fn close(&mut self) {
        let age = self.age();
        let open = std::mem::take(&mut self.open);
        let runs: Vec<Run> = self.reading.values_mut().filter_map(Reading::close).collect();
        if runs.is_empty() {
            return;
        }
        self.io.meters.spent(Stage::Gather, age);
        let oldest_log_ms = runs.iter().filter_map(Run::first_log_ms).min().unwrap_or_default();
        self.last_ingested_at_us = self.last_ingested_at_us.max(self.io.clock.now_us());
        let (id, ingested_at_us) = (self.io.ids.next_batch_id(), self.last_ingested_at_us);
        let (charge, ticket) = (open.charge, self.io.under_way.begin());
        let batch = RawBatch { id, runs, ingested_at_us, oldest_log_ms, bytes: open.bytes, charge, ticket };
        self.outbox.push_back(ToPipeline::Batch(batch));
    }

    /// An error of the source: one partition's, or one that waiting may mend, or one that it may not.
    async fn trouble(&mut self, error: LogError) -> Result<(), Stop> {
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
        self.close();
        let mut waited = self.io.clock.sleep(wait);
        loop {
            let change = self.io.source.changed().unwrap_or(Change::None);
            self.change = self.change.max(change);
            tokio::select! {
                biased;
                () = &mut waited => return Ok(()),
                done = self.offer_or_rest() => done?,
            }
        }
    }

    async fn offer_or_rest(&mut self) -> Result<(), Stop> {
        if self.outbox.is_empty() { self.rest(std::future::pending()).await } else { self.offer().await }
    }

    fn answered(&mut self) {
        if self.backoff.worked() {
            info!("the event log answers again");
            self.io.monitor.update(|report| report.reachable.log_away = false);
        }
    }

    /// Whether the partition is halted and may not be claimed again yet.
    fn stands_still(&self, partition: &Partition) -> bool {
        let again = self.halted.get(partition);
        again.is_some_and(|again| again.is_none_or(|again| self.io.clock.elapsed() < again))
    }

    /// The partition stands still; the others go on.
    fn halt(&mut self, partition: &Partition, halt: Halt) {
        error!(partition = %partition, reason = %halt, "partition halted");
        self.stand_still(partition, halt);
    }

    /// The same, where it was said already.
    fn stand_still(&mut self, partition: &Partition, halt: Halt) {
        let _ = self.io.source.stop(partition);
        let fenced = matches!(halt, Halt::Fenced { .. });
        if let Halt::Rejected { offset, .. } = &halt {
            self.rejected.insert(partition.clone(), *offset);
        }
        self.gate.forget(partition);
        self.io.monitor.partition(&self.id(partition), |status| status.state = State::Halted(halt));
        // A group gave the partition to this worker: whoever claimed it meanwhile may be gone.
        let again = self.io.config.reclaim_after.filter(|_| fenced).map(|after| self.io.clock.elapsed() + after);
        self.halted.insert(partition.clone(), again);
    }

    /// It need not stand still any longer.
    fn goes_on(&mut self, partition: &Partition) {
        self.halted.remove(partition);
        self.rejected.remove(partition);
    }

    /// Forgets what was read of the partition and not sent on.
    fn drop_partition(&mut self, partition: &Partition) {
        self.reading.remove(partition);
        self.gate.forget(partition);
        let _ = self.io.source.stop(partition);
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
