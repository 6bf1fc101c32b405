//! Replay: what was set aside is read again under today's contract and policy (ingestion.md 3.13).
//!
//! One more source of events: its stream is `replay/v1`, with one partition, a claim and a next offset of its own, and its messages
//! are the set-aside rows that no row resolves yet. They pass the very pipeline of a worker, as messages of the agency whose stream
//! they came by; what passes is appended, and each new row names the one that it resolves (header `amanat-replay-of`). What does
//! not pass is counted and left as it is. Originals are never changed.
//!
//! Why it is exactly once: what is resolved is read from the table *after* the claim, so whatever another replay committed before it
//! is seen, and whatever it would commit later fails at the claim. Rows and what they resolve are one commit. So the same
//! command finds nothing left, two at once never both append, and one that was killed is finished by the next.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use eventlog::{Partition, RecordsBuilder};
use events::{Limits, form};
use futures::TryStreamExt as _;
use lake::{ClosedBatch, Events, EventsSnapshot, LakeError, Outcome, PartitionId};
use policy::{Keys, OnReject, Policy};

mod candidates;

pub use candidates::resolved;
use candidates::{candidates, text};

use crate::IngestError;
use crate::batch::{RawBatch, Run, Topic};
use crate::budget::UnderWay;
use crate::clock::{Clock, Ids};
use crate::committer::{lake_counts, lane_batches, offset_range};
use crate::config::WorkerConfig;
use crate::copies::{Earlier, Found, Wanted};
use crate::crash;
use crate::crash_loop::CrashLoop;
use crate::generation::split;
use crate::lookup::{self, KnownFiles};
use crate::pipeline::{Assigned, Pipeline, content_key};
use crate::schemas::{SchemaSource, Schemas};
use crate::selection::Selection;
use crate::set_aside::{OpenError, Place, SetAsideMessage, open_set_aside};
use crate::status::Counts;
use crate::tolerance::Tolerance;
use crate::window::Window;

/// The partition to which replays append; its `log_stream` is `replay/v1`.
pub fn replay_partition() -> PartitionId {
    PartitionId::new("replay", "v1", 0)
}

/// Why a replay ended early. What it committed until then stays; the same command goes on behind it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// Another replay took over.
    #[error(
        "another replay has taken over; nothing is appended twice: let it end, and run this command again for what is left"
    )]
    TakenOver,
    /// The lake does not answer, or refuses.
    #[error("the lake cannot be read or written")]
    Lake(#[from] LakeError),
    /// The rows could not be made.
    #[error(transparent)]
    Rows(IngestError),
    /// Our own decoder judged a message in two ways.
    #[error(
        "a message was accepted and then refused, which is a fault of this program: nothing of its batch was appended"
    )]
    Undecided,
}

/// What a replay found and did. Counts of messages, by class.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Replayed {
    /// Set-aside rows that the predicate takes and that no row resolved before.
    pub selected: u64,
    /// Set-aside rows that the predicate takes and that were resolved before.
    pub resolved_before: u64,
    /// Of the selected, those whose bytes have expired (ingestion.md 3.6): they can only be sent again.
    pub expired: u64,
    /// Of the selected, those whose bytes cannot be opened: another key, or a damaged file.
    pub unopened: u64,
    /// Of the selected, those written with an Avro schema that cannot be had now.
    pub waiting: u64,
    /// Of the selected, those that pass, by the class for which they had been set aside.
    pub passed: BTreeMap<String, u64>,
    /// Of the selected, those that do not, by the class for which they would be set aside today.
    pub refused: BTreeMap<&'static str, u64>,
    /// What those that passed have become; nothing in a preview.
    pub appended: Counts,
    /// Version of the table looked at, or of the last commit.
    pub lake_version: u64,
}

/// A replay that has not begun.
#[derive(Debug)]
pub struct Replay<'e> {
    /// The table, under a writer of its own.
    pub events: &'e mut Events,
    /// Today's policy.
    pub policy: Arc<Policy>,
    /// The deployment's keys.
    pub keys: Arc<Keys>,
    /// The worker's settings: what is accepted, how large a batch may be.
    pub config: WorkerConfig,
    /// Who knows writers' Avro schemas.
    pub schemas: Arc<dyn SchemaSource>,
    /// For `ingested_at`.
    pub clock: Arc<dyn Clock>,
    /// For batches.
    pub ids: Arc<dyn Ids>,
}

impl Replay<'_> {
    /// Says what would pass. Nothing is claimed or written.
    ///
    /// # Errors
    /// As [`ReplayError`] says.
    pub async fn preview(self, selection: &Selection) -> Result<Replayed, ReplayError> {
        self.events.refresh().await?;
        let snapshot = self.events.snapshot()?;
        Box::pin(Work::new(self, 0, None).all(&snapshot, selection, false)).await
    }

    /// Appends what passes.
    ///
    /// # Errors
    /// As [`ReplayError`] says.
    pub async fn run(self, selection: &Selection) -> Result<Replayed, ReplayError> {
        self.events.refresh().await?;
        let (_, found) = candidates(&self.events.snapshot()?, selection).await?;
        if found.selected == 0 {
            return Ok(found);
        }
        let id = replay_partition();
        let claim = self.events.claim(std::slice::from_ref(&id)).await?[&id];
        let snapshot = self.events.snapshot()?;
        let committed = snapshot.cut.get(&id).copied();
        Box::pin(Work::new(self, claim, committed).all(&snapshot, selection, true)).await
    }
}

/// A set-aside message, opened.
struct Opened {
    /// Where it was set aside.
    origin: String,
    /// Why.
    class: String,
    /// When the log received it, milliseconds UTC: it is judged against that time as it was then.
    log_ms: i64,
    message: SetAsideMessage,
}

impl Opened {
    fn bytes(&self) -> usize {
        let SetAsideMessage { key, headers, value } = &self.message;
        let headers = headers.iter().map(|(name, value)| name.len() + value.len());
        headers.chain([key, value].into_iter().flatten().map(Vec::len)).sum()
    }
}

/// A replay at work.
struct Work<'e> {
    replay: Replay<'e>,
    pipeline: Pipeline,
    schemas: Schemas,
    key: (u64, u64),
    claim: i64,
    /// Next offset of [`replay_partition`] by the lake.
    committed: Option<i64>,
    known: KnownFiles,
    ingested_at_us: i64,
}

impl<'e> Work<'e> {
    fn new(replay: Replay<'e>, claim: i64, committed: Option<i64>) -> Self {
        crash::guard_panic_texts();
        let schemas = Schemas::new(replay.schemas.clone());
        let pipeline = Pipeline::new(
            replay.keys.clone(),
            &replay.config,
            lake::events::file_schema(),
            replay.events.writer_id(),
            schemas.known.clone(),
            // What kills this process leaves the lake and the originals as they are.
            CrashLoop::begin(None, replay.config.memory_bytes),
        );
        let key = content_key(&replay.keys);
        Self {
            replay,
            pipeline,
            schemas,
            key,
            claim,
            committed,
            known: KnownFiles::default(),
            ingested_at_us: i64::MIN,
        }
    }

    /// One partition after the other, so that a batch is one agency's, and as many bytes at a time as a worker's batch has.
    async fn all(
        mut self,
        snapshot: &EventsSnapshot,
        selection: &Selection,
        append: bool,
    ) -> Result<Replayed, ReplayError> {
        let (candidates, mut report) = candidates(snapshot, selection).await?;
        for ((agency, partition), mut offsets) in candidates {
            offsets.sort_unstable();
            let columns = ["log_offset", "log_ts", "_status", "_error_class", "payload"];
            let mut batches = snapshot.rows_at(&partition, &offsets, &columns)?;
            let (mut chunk, mut bytes) = (Vec::new(), 0);
            while let Some(batch) = batches.try_next().await? {
                for row in 0..batch.num_rows() {
                    let Some(opened) = self.open(&partition, &batch, row, &mut report)? else { continue };
                    bytes += opened.bytes();
                    chunk.push(opened);
                    if bytes >= self.replay.config.batch_bytes || chunk.len() >= self.replay.config.batch_rows {
                        self.chunk(&agency, std::mem::take(&mut chunk), append, &mut report).await?;
                        bytes = 0;
                    }
                }
            }
            self.chunk(&agency, chunk, append, &mut report).await?;
        }
        Ok(report)
    }

    /// Opens one row, or counts why it cannot be.
    fn open(
        &self,
        partition: &PartitionId,
        batch: &RecordBatch,
        row: usize,
        report: &mut Replayed,
    ) -> Result<Option<Opened>, LakeError> {
        let (statuses, classes) = (text(batch.column(2))?, text(batch.column(3))?);
        if statuses.value(row) != "set_aside" {
            return Ok(None);
        }
        let offset = batch.column(0).as_primitive::<Int64Type>().value(row);
        let payloads = batch.column(4).as_binary::<i32>();
        let payload = payloads.is_valid(row).then(|| payloads.value(row));
        let place = Place { log_stream: &partition.log_stream, partition: partition.partition, offset };
        match open_set_aside(&self.replay.keys, place, payload) {
            Ok(message) => Ok(Some(Opened {
                origin: format!("{partition}/{offset}"),
                class: classes.value(row).to_owned(),
                log_ms: batch.column(1).as_primitive::<TimestampMicrosecondType>().value(row).div_euclid(1000),
                message,
            })),
            Err(OpenError::Expired) => {
                report.expired += 1;
                Ok(None)
            }
            Err(error) => {
                tracing::warn!(partition = %partition, offset, %error, "a set-aside row stays as it is");
                report.unopened += 1;
                Ok(None)
            }
        }
    }

    /// Judges a chunk of one agency's messages, and appends those that pass.
    async fn chunk(
        &mut self,
        agency: &str,
        chunk: Vec<Opened>,
        append: bool,
        report: &mut Replayed,
    ) -> Result<(), ReplayError> {
        let topic = Arc::new(self.topic(agency)?);
        let judged = self.judge(&topic, &chunk, report);
        let passing: Vec<Opened> =
            chunk.into_iter().zip(judged).filter_map(|(one, pass)| pass.then_some(one)).collect();
        for one in &passing {
            *report.passed.entry(one.class.clone()).or_default() += 1;
        }
        if append && !passing.is_empty() {
            self.append(&topic, &passing, report).await?;
        }
        Ok(())
    }

    /// The replay's partition, on which today only this agency speaks: its own types, its own first rows.
    fn topic(&self, agency: &str) -> Result<Topic, LakeError> {
        let id = replay_partition();
        let source = Partition::new(&*id.log_stream, id.partition);
        let own = |known: &&PartitionId| {
            let stream = split(&known.log_stream).map(|(_, stream)| stream);
            stream.and_then(eventlog::agency_of) == Some(agency)
        };
        let kin = self.replay.events.snapshot()?.cut.keys().filter(own).cloned().collect();
        Ok(Topic::new(source, id, agency, self.claim, &self.replay.policy.agencies).with_kin(kin))
    }

    /// Which of the messages pass; the others are counted.
    fn judge(&mut self, topic: &Arc<Topic>, chunk: &[Opened], report: &mut Replayed) -> Vec<bool> {
        let run = run(topic, None, 0, chunk);
        let limits = Limits { max_bytes: self.replay.config.max_payload };
        let mut known = self.schemas.known.now();
        let records = run.chunks.iter().flat_map(eventlog::Records::iter);
        let waits: Vec<bool> =
            records.map(|record| self.schemas.lacks(&record, &mut known, limits).is_some()).collect();
        let judged = self.pipeline.judge(&run).into_iter().zip(waits);
        let passes = judged.map(|(refused, waits)| {
            match refused {
                _ if waits => report.waiting += 1,
                Some(class) => *report.refused.entry(class.name()).or_default() += 1,
                None => return true,
            }
            false
        });
        passes.collect()
    }

    /// One commit: the rows, what they resolve, and the next offset.
    async fn append(
        &mut self,
        topic: &Arc<Topic>,
        passing: &[Opened],
        report: &mut Replayed,
    ) -> Result<(), ReplayError> {
        let from = self.committed.unwrap_or(0);
        let run = run(topic, self.committed, from, passing);
        self.ingested_at_us = self.ingested_at_us.max(self.replay.clock.now_us());
        let batch = RawBatch {
            id: self.replay.ids.next_batch_id(),
            oldest_log_ms: run.first_log_ms().unwrap_or_default(),
            bytes: run.chunks.iter().map(eventlog::Records::bytes).sum(),
            runs: vec![run],
            ingested_at_us: self.ingested_at_us,
            charge: None,
            ticket: UnderWay::default().begin(),
        };
        // No window: each id is looked up among all first rows of the agency.
        let mut window = Window::new(self.key);
        window.forget_until(i64::MAX);
        let tolerance = Tolerance::new(OnReject::SetAside, 0, Vec::new());
        self.pipeline.assign(Assigned { topic: topic.clone(), window, tolerance, next: from, log_end: from });
        let snapshot = self.replay.events.snapshot()?;
        let mut earlier = FirstRows { snapshot, agency: &topic.agency, key: self.key, known: &mut self.known };
        let rows = self.pipeline.encode(&batch, &mut earlier).await.map_err(unboxed)?;
        let [range] = &rows.ranges[..] else { return Err(ReplayError::Undecided) };
        if range.counts.set_aside_total() > 0 || range.counts.rows() != passing.len() as u64 {
            return Err(ReplayError::Undecided);
        }
        let closed = ClosedBatch {
            batch_id: rows.id,
            ranges: vec![offset_range(range)],
            written: self.replay.events.write(lane_batches(&rows)).await?,
            counts: lake_counts(&rows.ranges),
            schema_ids: rows.schema_ids.clone(),
            // A replay has no partition of the log, and nobody is told of it there.
            receipted: Vec::new(),
        };
        match self.replay.events.commit(&closed).await? {
            Outcome::Committed { lake_version } => {
                (self.committed, report.lake_version) = (Some(range.to), lake_version);
                report.appended += range.counts;
                Ok(())
            }
            Outcome::Fenced { .. } | Outcome::Moved { .. } => Err(ReplayError::TakenOver),
        }
    }
}

fn unboxed(error: IngestError) -> ReplayError {
    match error {
        IngestError::Lake(error) => ReplayError::Lake(error),
        other => ReplayError::Rows(other),
    }
}

/// Messages as records of the replay's partition from this offset on.
fn run(topic: &Arc<Topic>, committed: Option<i64>, from: i64, messages: &[Opened]) -> Run {
    let mut records = RecordsBuilder::starting_at(from);
    for (offset, one) in (from..).zip(messages) {
        let SetAsideMessage { key, headers, value } = &one.message;
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        records.push(offset, one.log_ms, key.as_deref(), headers, value.as_deref());
    }
    let records = records.finish();
    let origins = messages.iter().map(|one| one.origin.clone()).collect();
    Run { topic: topic.clone(), committed, from, to: records.next_offset(), chunks: vec![records], origins }
}

/// First rows of an agency's events, wherever they are.
struct FirstRows<'a> {
    snapshot: EventsSnapshot,
    agency: &'a str,
    key: (u64, u64),
    known: &'a mut KnownFiles,
}

impl Earlier for FirstRows<'_> {
    async fn find(&mut self, wanted: Vec<Wanted>) -> Result<Found, IngestError> {
        let mut found = lookup::find(&self.snapshot, &wanted, self.key, self.known).await.map_err(IngestError::Lake)?;
        // The replay's own partition holds events of all agencies; an id is unique within one.
        found.rows.retain(|_, row| form::agency_of_record(&row.record_id) == Some(self.agency));
        Ok(found)
    }
}
