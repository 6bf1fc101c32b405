//! The committer: the only one who speaks with the lake. It takes partitions over, answers looks into committed rows,
//! writes the files of a batch and makes them visible in one commit with their offsets and claims.
//!
//! It works through its messages in order, so a look that was asked for after a batch sees that batch. What the lake
//! cannot do now is tried until it can, with one log line per change of state. Absent: any decision about a message.
//!
//! Source: ingestion.md 3.4 (steps 3, 4 and 8 to 12), 3.5.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use eventlog::Partition;
use lake::{ClosedBatch, Events, LakeError, Lane, LaneBatch, OffsetRange, Outcome, PartitionId, Written};
use policy::{OnReject, Policy};
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, info, warn};

use crate::IngestError;
use crate::backoff::Backoff;
use crate::batch::{EncodedBatch, RangeRows, Topic, pick};
use crate::budget::{Charge, Ticket};
use crate::clock::Clock;
use crate::config::{Pacing, WorkerConfig};
use crate::copies::{Found, Wanted};
use crate::generation::{earlier_generations, is_file, is_of_another_log, split};
use crate::lookup::{self, KnownFiles};
use crate::memory::{self, Memory, WindowRule};
use crate::metrics::{Meters, Stage};
use crate::receipts::Receipts;
use crate::source::Control;
use crate::status::{Activity, Monitor};
use crate::tolerance::{Allowance, Tolerance};
use crate::window::Window;

/// What others ask of the committer.
#[derive(Debug)]
pub(crate) enum ToCommitter {
    /// Claim these partitions and say where to read them.
    Assign { partitions: Vec<(Partition, PartitionId)>, reply: oneshot::Sender<Vec<Assignment>> },
    /// Make this batch visible. What it takes in memory is returned when the rest is dropped.
    Batch(EncodedBatch, Charge, Ticket),
    /// These rows were the last of an assignment.
    Release { topic: Arc<Topic> },
    /// Look what an operator has done for these partitions, which stand still: say below which offset each may set aside what
    /// cannot be accepted, and tell the source of those whose next offset was moved.
    Look { partitions: Vec<PartitionId>, reply: oneshot::Sender<Vec<Option<i64>>> },
    /// Find first rows of event ids.
    Find { wanted: Vec<Wanted>, reply: oneshot::Sender<Found> },
}

/// A partition taken over.
#[derive(Debug)]
pub(crate) struct Assignment {
    pub partition: Partition,
    /// `None`: the stream has rows of another log, and nobody confirmed this one.
    pub topic: Option<Arc<Topic>>,
    /// Next offset by the lake.
    pub next: Option<i64>,
    /// Last ingested record: offset and log time in milliseconds.
    pub last: Option<(i64, i64)>,
    pub window: Window,
    pub tolerance: Tolerance,
}

pub(crate) struct Committer<'e> {
    pub events: &'e mut Events,
    pub policy: Arc<Policy>,
    pub config: WorkerConfig,
    pub clock: Arc<dyn Clock>,
    pub rule: WindowRule,
    pub monitor: Monitor,
    pub control: mpsc::UnboundedSender<Control>,
    pub meters: Meters,
    pub owned: BTreeMap<PartitionId, Owned>,
    pub known: KnownFiles,
    pub receipts: Receipts,
}

/// A partition of ours: its assignment and the next offset that we committed.
pub(crate) struct Owned {
    topic: Arc<Topic>,
    committed: Option<i64>,
}

impl Committer<'_> {
    /// Works until nobody can ask any more.
    pub(crate) async fn run(mut self, mut asked: mpsc::Receiver<ToCommitter>) -> Result<(), IngestError> {
        while let Some(message) = asked.recv().await {
            let answered = self.answer(message).await;
            self.is(Activity::Waiting);
            answered?;
        }
        Ok(())
    }

    async fn answer(&mut self, message: ToCommitter) -> Result<(), IngestError> {
        // Who asked may be gone; then nobody reads these partitions and nothing is lost.
        match message {
            ToCommitter::Assign { partitions, reply } => {
                self.is(Activity::Claiming);
                let _ = reply.send(self.assign(partitions).await?);
            }
            ToCommitter::Find { wanted, reply } => {
                self.is(Activity::Looking);
                let _ = reply.send(self.find(wanted).await?);
            }
            ToCommitter::Look { partitions, reply } => {
                self.is(Activity::Looking);
                let _ = reply.send(self.look(&partitions).await?);
            }
            ToCommitter::Batch(batch, _charge, _ticket) => {
                self.is(Activity::Committing);
                self.batch(batch).await?;
            }
            ToCommitter::Release { topic } => self.release(&topic),
        }
        Ok(())
    }

    fn is(&self, activity: Activity) {
        self.monitor.update(|report| report.activity = activity);
    }

    fn release(&mut self, topic: &Arc<Topic>) {
        if self.owned.get(&topic.id).is_some_and(|owned| Arc::ptr_eq(&owned.topic, topic)) {
            self.owned.remove(&topic.id);
            self.receipts.released(topic);
        }
    }

    async fn assign(&mut self, partitions: Vec<(Partition, PartitionId)>) -> Result<Vec<Assignment>, IngestError> {
        let mut backoff = self.backoff();
        loop {
            match self.try_assign(&partitions).await {
                Ok(assignments) => return Ok(self.answered(&mut backoff, assignments)),
                Err(error) => self.failed(&mut backoff, error).await?,
            }
        }
    }

    /// Claims first and reads the offsets afterwards: what the owner before us committed until then is behind us.
    async fn try_assign(&mut self, partitions: &[(Partition, PartitionId)]) -> Result<Vec<Assignment>, LakeError> {
        self.events.refresh().await?;
        let before = self.events.snapshot()?;
        let foreign = |id: &PartitionId| !self.config.accept_new_source && is_of_another_log(id, before.cut.keys());
        let (refused, taken): (Vec<_>, Vec<_>) = partitions.iter().cloned().partition(|(_, id)| foreign(id));
        let ids: Vec<_> = taken.iter().map(|(_, id)| id.clone()).collect();
        let claims = self.events.claim(&ids).await?;
        let next = self.events.next_offsets(&ids).await?;
        let snapshot = self.events.snapshot()?;
        let mut memories = memory::memories(&snapshot, &ids, self.rule).await?;
        let topic = |(partition, id): &(Partition, PartitionId)| {
            let agency = eventlog::agency_of(&partition.stream).unwrap_or_default();
            let topic = Topic::new(partition.clone(), id.clone(), agency, claims[id], &self.policy.agencies);
            Arc::new(topic.with_kin(earlier_generations(id, before.cut.keys())))
        };
        let topics: Vec<Arc<Topic>> = taken.iter().map(topic).collect();
        let allowances: Vec<_> = topics.iter().map(|topic| self.allowance(topic, next[&topic.id])).collect();
        let tolerances = Tolerance::rebuilt(&snapshot, &allowances).await?;
        let mut assignments = Vec::new();
        for (((partition, id), topic), tolerance) in taken.into_iter().zip(topics).zip(tolerances) {
            let (Memory { window, last }, next) =
                (memories.remove(&id).expect("a memory was made for each"), next[&id]);
            self.receipts.assigned(&topic, self.events.receipted(&id), next);
            self.owned.insert(id.clone(), Owned { topic: topic.clone(), committed: next });
            self.monitor.partition(&id, |status| status.committed = next);
            assignments.push(Assignment { partition, topic: Some(topic), next, last, window, tolerance });
        }
        let nothing = |(partition, _)| {
            let window = Window::new(self.rule.key);
            let tolerance = Tolerance::new(OnReject::Suspend, 0, Vec::new());
            Assignment { partition, topic: None, next: None, last: None, window, tolerance }
        };
        assignments.extend(refused.into_iter().map(nothing));
        Ok(assignments)
    }

    /// A file does not go on, and who imports it reads what became of each row: it has no limit.
    fn allowance(&self, topic: &Topic, next: Option<i64>) -> Allowance {
        let partition = topic.id.clone();
        let rule = if of_a_file(&partition) { OnReject::SetAside } else { topic.on_reject };
        let permitted = self.events.permitted(&partition).unwrap_or(0);
        Allowance { partition, rule, permitted, next: next.unwrap_or(0) }
    }

    async fn find(&mut self, wanted: Vec<Wanted>) -> Result<Found, IngestError> {
        let mut backoff = self.backoff();
        loop {
            let found = match self.events.snapshot() {
                Ok(snapshot) => lookup::find(&snapshot, &wanted, self.rule.key, &mut self.known).await,
                Err(error) => Err(error),
            };
            match found {
                Ok(found) => return Ok(self.answered(&mut backoff, found)),
                Err(error) => self.failed(&mut backoff, error).await?,
            }
        }
    }

    async fn look(&mut self, partitions: &[PartitionId]) -> Result<Vec<Option<i64>>, IngestError> {
        let mut backoff = self.backoff();
        loop {
            match self.events.refresh().await {
                Ok(_) => break,
                Err(error) => self.failed(&mut backoff, error).await?,
            }
        }
        self.answered(&mut backoff, ());
        for partition in partitions {
            if self.was_reset(partition) {
                self.moved(partition, self.events.next_offset(partition));
            }
        }
        Ok(partitions.iter().map(|partition| self.events.permitted(partition)).collect())
    }

    /// Whether the lake's next offset is no longer where our last commit left it although the claim is still ours: only a
    /// reset does that. It is asked here and not of the source, which hears of our own commits later than they happen.
    fn was_reset(&self, partition: &PartitionId) -> bool {
        self.owned.get(partition).is_some_and(|owned| {
            let ours = self.events.claim_of(partition) == Some(owned.topic.claim);
            ours && self.events.next_offset(partition) != owned.committed
        })
    }

    /// Commits what is still ours of a batch. A partition that is not is dropped and the rest is written anew.
    async fn batch(&mut self, mut batch: EncodedBatch) -> Result<(), IngestError> {
        let mut backoff = self.backoff();
        let mut written = None;
        loop {
            let before = batch.ranges.len();
            batch.ranges.retain(|range| self.is_ours(range));
            if batch.ranges.is_empty() {
                return Ok(());
            }
            if batch.ranges.len() < before && !lake::mistake("mistake.fenced_rows_stay") {
                written = None;
            }
            match self.try_batch(&batch, &mut written).await {
                Ok(Outcome::Committed { lake_version }) => {
                    self.answered(&mut backoff, ());
                    self.committed(&batch, lake_version);
                    return Ok(());
                }
                Ok(Outcome::Fenced { partition, claim }) => self.fenced(&partition, claim),
                Ok(Outcome::Moved { partition, seen }) => self.moved(&partition, seen),
                Err(error) => self.failed(&mut backoff, error).await?,
            }
        }
    }

    /// Contiguous with what we committed, under the claim that we hold.
    fn is_ours(&self, range: &RangeRows) -> bool {
        let owned = self.owned.get(&range.topic.id);
        let ours = owned.is_some_and(|o| Arc::ptr_eq(&o.topic, &range.topic) && o.committed == range.committed);
        if !ours {
            debug!(partition = %range.topic.id, "rows of a partition that is no longer ours are dropped");
        }
        ours
    }

    /// Files are written once and committed as often as it takes: every error of a commit is ambiguous, and the same
    /// files under the same batch id are how a lost answer is recognised.
    async fn try_batch(&mut self, batch: &EncodedBatch, written: &mut Option<Written>) -> Result<Outcome, LakeError> {
        let written = if let Some(written) = written {
            written
        } else {
            let began = self.clock.elapsed();
            let files = self.write(batch).await?;
            self.spent(Stage::Write, began);
            written.insert(files)
        };
        let closed = ClosedBatch {
            batch_id: batch.id,
            ranges: batch.ranges.iter().map(offset_range).collect(),
            written: written.clone(),
            counts: lake_counts(&batch.ranges),
            schema_ids: batch.schema_ids.clone(),
            receipted: self.receipts.acknowledged(batch),
        };
        let began = self.clock.elapsed();
        let outcome = self.events.commit(&closed).await;
        self.spent(Stage::Commit, began);
        outcome
    }

    fn spent(&self, stage: Stage, since: Duration) {
        self.meters.spent(stage, self.clock.elapsed().saturating_sub(since));
    }

    /// Encoding takes a core for a while, so it happens on a thread that may compute.
    async fn write(&self, batch: &EncodedBatch) -> Result<Written, LakeError> {
        let mut writer = self.events.writer()?;
        let lanes = lane_batches(batch);
        let encode = async move {
            for lane in lanes {
                if let Err(error) = writer.write(lane).await {
                    writer.abort().await;
                    return Err(error);
                }
            }
            writer.close().await
        };
        if self.config.pacing == Pacing::OneThread {
            return encode.await;
        }
        let runtime = tokio::runtime::Handle::current();
        let encode = move || runtime.block_on(encode);
        tokio::task::spawn_blocking(encode).await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    fn committed(&mut self, batch: &EncodedBatch, lake_version: u64) {
        for range in &batch.ranges {
            let topic = &range.topic;
            if let Some(owned) = self.owned.get_mut(&topic.id) {
                owned.committed = Some(range.to);
            }
            self.monitor.partition(&topic.id, |status| status.committed = Some(range.to));
            let _ = self.control.send(Control::Committed { topic: topic.clone(), next: range.to });
        }
        self.receipts.committed(batch, lake_version);
        let counts = batch.ranges.iter().map(|range| range.counts);
        let total = self.monitor.committed(counts, lake_version);
        let oldest_us = self.clock.now_us().saturating_sub(batch.oldest_log_ms.saturating_mul(1000));
        self.meters.committed(&total, Duration::from_micros(oldest_us.max(0).cast_unsigned()));
        debug!(lake_version, rows = total.rows(), ranges = batch.ranges.len(), "committed");
    }

    fn fenced(&mut self, partition: &PartitionId, claim: Option<i64>) {
        self.monitor.update(|report| report.fenced += 1);
        self.meters.fenced();
        if let Some(owned) = self.owned.remove(partition) {
            self.receipts.released(&owned.topic);
            let _ = self.control.send(Control::Fenced { topic: owned.topic, found: claim.unwrap_or(0) });
        }
    }

    fn moved(&mut self, partition: &PartitionId, seen: Option<i64>) {
        warn!(partition = %partition, ?seen, "the lake's next offset is not where this worker stands");
        if let Some(owned) = self.owned.remove(partition) {
            self.receipts.released(&owned.topic);
            let _ = self.control.send(Control::Moved { topic: owned.topic });
        }
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(self.config.backoff_first, self.config.backoff_most)
    }

    fn answered<T>(&self, backoff: &mut Backoff, answer: T) -> T {
        if backoff.worked() {
            info!("the lake can be written again");
            self.monitor.update(|report| report.reachable.lake_away = false);
        }
        answer
    }

    /// Waits before the next try, or gives up: for good when waiting cannot help.
    async fn failed(&self, backoff: &mut Backoff, error: LakeError) -> Result<(), IngestError> {
        let (wait, news) = backoff.failed();
        if !error.is_transient() || self.config.store_attempts.is_some_and(|most| backoff.failures() >= most) {
            return Err(IngestError::Lake(error));
        }
        if news {
            warn!(error = &error as &dyn std::error::Error, "the lake cannot be written; trying until it can");
            self.monitor.update(|report| report.reachable.lake_away = true);
        }
        let activity = self.monitor.report().activity;
        self.is(Activity::Waiting);
        self.clock.sleep(wait.max(Duration::from_millis(1))).await;
        self.is(activity);
        Ok(())
    }
}

fn of_a_file(partition: &PartitionId) -> bool {
    split(&partition.log_stream).is_some_and(|(uid, _)| is_file(uid))
}

pub(crate) fn offset_range(range: &RangeRows) -> OffsetRange {
    OffsetRange { partition: range.topic.id.clone(), from: range.committed, to: range.to, claim: range.topic.claim }
}

pub(crate) fn lake_counts(ranges: &[RangeRows]) -> lake::Counts {
    let mut sum = lake::Counts::default();
    for counts in ranges.iter().map(|range| &range.counts) {
        sum.ok += counts.ok + counts.tombstone;
        sum.set_aside += counts.set_aside_total();
        sum.duplicate += counts.duplicate;
        sum.conflict += counts.conflict;
    }
    sum
}

/// The rows of the ranges that are left, without copying them: neighbours together.
pub(crate) fn lane_batches(batch: &EncodedBatch) -> Vec<LaneBatch> {
    let of_lane = |lane: Lane, pieces: &[RecordBatch], ranges: Vec<Range<usize>>| {
        let place = |rows| LaneBatch { lane, ingest_date: batch.ingest_date, rows };
        ranges.into_iter().flat_map(|rows| pick(pieces, &rows)).map(place).collect::<Vec<_>>()
    };
    let main = slices(batch.ranges.iter().map(|range| &range.main));
    let side = slices(batch.ranges.iter().map(|range| &range.side));
    let mut lanes = of_lane(Lane::Main, &batch.main, main);
    lanes.extend(of_lane(Lane::Side, std::slice::from_ref(&batch.side), side));
    lanes
}

fn slices<'a>(ranges: impl Iterator<Item = &'a Range<usize>>) -> Vec<Range<usize>> {
    let mut slices: Vec<Range<usize>> = Vec::new();
    for rows in ranges.filter(|rows| !rows.is_empty()) {
        match slices.last_mut().filter(|last| last.end == rows.start) {
            Some(last) => last.end = rows.end,
            None => slices.push(rows.clone()),
        }
    }
    slices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_partition_that_was_lost_are_left_out() {
        assert_eq!(slices([0..3, 3..3, 3..5, 8..9].iter()), [0..5, 8..9]);
    }
}
