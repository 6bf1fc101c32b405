//! A worker: three parts that hand batches on, so that reading, decoding and writing overlap.
//!
//! ```text
//! source ──batches of messages──▶ pipeline ──batches of rows──▶ committer ──▶ lake
//!  reads the log                   decode … columns               files, one commit
//! ```
//!
//! Each has a thread to itself (the committer the caller's task), or all take turns on one (see [`Pacing`]). Beside them, where agencies are
//! told, receipts are sent of what was committed (`receipts`); nobody waits for that.
//!
//! Guarantees: rows and next offsets in one commit (I1, I2), under the worker's claim (I3); a message is never dropped:
//! it becomes a row, or its partition stands still, visibly. Memory: what is held between log and commit stays within the
//! byte budget (I5, `budget`), whatever the log holds and however long the store stalls. Non-guarantees: no order between
//! partitions, no exclusive ownership in time (claims decide at commit).
//! Failure and recovery: a worker that ends in any way loses nothing, because offsets come from the lake.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use eventlog::{EventSink, EventSource};
use futures::future::OptionFuture;
use lake::Events;
use policy::{Keys, Policy};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tracing::error;

use crate::IngestError;
use crate::batch::{RawBatch, Topic};
use crate::budget::{Purse, UnderWay};
use crate::clock::{Clock, Ids};
use crate::committer::{Committer, ToCommitter};
use crate::config::{Pacing, WorkerConfig};
use crate::copies::{Earlier, Found, Wanted};
use crate::crash;
use crate::crash_loop::CrashLoop;
use crate::lookup::KnownFiles;
use crate::memory::WindowRule;
use crate::metrics::{Meters, Stage};
use crate::pipeline::{Assigned, Pipeline, content_key};
use crate::receipts::{Receipts, Sender, Sink};
use crate::schemas::{NoRegistry, SchemaSource, Schemas};
use crate::source::{Control, SourcePart, Until};
use crate::status::{Halt, Monitor, WorkerReport};
use crate::versions::KnownVersions;

/// What the source hands to the pipeline, in order.
#[derive(Debug)]
pub(crate) enum ToPipeline {
    /// A partition is read from now on.
    Assigned(Assigned),
    /// Messages.
    Batch(RawBatch),
    /// A partition is read no longer.
    Released { topic: Arc<Topic> },
}

/// Ingests one log into one lake.
///
/// Several workers may work on one lake: the later claim of a partition wins and the earlier worker halts it as fenced.
#[derive(Debug)]
pub struct Worker<S> {
    source: Option<S>,
    events: Events,
    policy: Arc<Policy>,
    keys: Arc<Keys>,
    config: WorkerConfig,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    monitor: Monitor,
    messages: Purse,
    rows: Purse,
    schemas: Schemas,
    crash_file: Option<PathBuf>,
    versions: KnownVersions,
    receipts: Option<Sink>,
}

impl<S: EventSource + 'static> Worker<S> {
    /// A worker that has not begun. Nothing is read and nothing is claimed before [`Self::run_until`] or [`Self::drain`].
    pub fn new(
        source: S,
        events: Events,
        policy: Arc<Policy>,
        keys: Arc<Keys>,
        config: WorkerConfig,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Self {
        let half = config.memory_bytes / 2;
        let (messages, rows) = (Purse::new(half), Purse::new(half));
        let monitor = Monitor::new(events.writer_id(), events.lake_version(), [messages.clone(), rows.clone()]);
        let (schemas, versions) = (Schemas::new(Arc::new(NoRegistry)), KnownVersions::default());
        let (source, crash_file, receipts) = (Some(source), None, None);
        Self {
            source,
            events,
            policy,
            keys,
            config,
            clock,
            ids,
            monitor,
            messages,
            rows,
            schemas,
            crash_file,
            versions,
            receipts,
        }
    }

    /// Says where agencies are told what became of their messages: a sink of the log that is read. Without it nobody is told,
    /// and a later worker that has one makes up for it.
    #[must_use]
    pub fn with_receipts(self, sink: Box<dyn EventSink>) -> Self {
        Self { receipts: Some(Sink::new(sink)), ..self }
    }

    /// Says where a file may be kept by which a message that kills the process is found and set aside, instead of killing it
    /// for ever. It must be this worker's alone, and be there again when the worker is started again.
    #[must_use]
    pub fn with_crash_file(self, path: PathBuf) -> Self {
        Self { crash_file: Some(path), ..self }
    }

    /// Says which versions of the contract it reads, if not all of this program's. Where a later one comes the partition
    /// waits: so a worker of before behaves beside producers that were upgraded first.
    #[must_use]
    pub fn with_versions(self, versions: KnownVersions) -> Self {
        Self { versions, ..self }
    }

    /// Says who knows writers' Avro schemas. Without it a partition with Avro messages waits.
    #[must_use]
    pub fn with_schemas(self, source: Arc<dyn SchemaSource>) -> Self {
        Self { schemas: Schemas::new(source), ..self }
    }

    /// A view of the worker to keep while it runs.
    pub fn monitor(&self) -> Monitor {
        self.monitor.clone()
    }

    /// Ingests until `cancel` is ready; then commits what was read and ends.
    ///
    /// # Errors
    /// What waiting does not mend; see [`IngestError`]. The worker may be run again afterwards.
    pub async fn run_until(&mut self, cancel: impl Future<Output = ()>) -> Result<WorkerReport, IngestError> {
        Box::pin(self.run(Until::Told, cancel)).await
    }

    /// Ingests until everything that the log held at the beginning is committed, or stands in a partition that is halted
    /// or waits for an Avro schema or another program.
    ///
    /// # Errors
    /// As [`Self::run_until`].
    pub async fn drain(&mut self) -> Result<WorkerReport, IngestError> {
        Box::pin(self.run(Until::Drained, pending())).await
    }

    /// Gives back the source and the table.
    pub fn into_parts(self) -> (Option<S>, Events) {
        (self.source, self.events)
    }

    async fn run(&mut self, until: Until, cancel: impl Future<Output = ()>) -> Result<WorkerReport, IngestError> {
        crash::guard_panic_texts();
        let source = self.source.take().ok_or(IngestError::Abandoned)?;
        let meters = Meters::new();
        let (control, obeyed) = mpsc::unbounded_channel();
        let (to_pipeline, raw) = mpsc::channel(1);
        let (to_committer, asked) = mpsc::channel(1);
        let reader = SourcePart {
            source,
            config: self.config.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            monitor: self.monitor.clone(),
            control: obeyed,
            pipeline: to_pipeline,
            committer: to_committer.clone(),
            messages: self.messages.clone(),
            under_way: UnderWay::default(),
            until,
            schemas: self.schemas.clone(),
            meters: meters.clone(),
            versions: self.versions.clone(),
        };
        let decoder = Decoder {
            pipeline: Pipeline::new(
                self.keys.clone(),
                &self.config,
                lake::events::file_schema(),
                self.events.writer_id(),
                self.schemas.known.clone(),
                CrashLoop::begin(self.crash_file.as_deref(), self.config.memory_bytes),
            ),
            raw,
            committer: AskCommitter(to_committer),
            rows: self.rows.clone(),
            clock: self.clock.clone(),
            meters: meters.clone(),
            monitor: self.monitor.clone(),
            source: EndSource(control.clone()),
        };
        let (pacing, patience) = (self.config.pacing, self.config.release_wait);
        let end = EndSource(control.clone());
        let teller = self.teller(meters.clone());
        let receipts = teller.as_ref().map_or_else(Receipts::default, Receipts::of);
        let committer = self.committer(control.clone(), meters, receipts);
        let commit = async {
            let done = finish_when(cancel, &control, committer.run(asked)).await;
            drop(end);
            done
        };
        let (source, read, decoded, committed) = match pacing {
            Pacing::OwnThreads => {
                let told = teller.map(tells_on_a_thread);
                let done = on_threads(reader, decoder, commit).await?;
                if let Some(told) = told {
                    // What the log does not take in time is made from the table by whoever owns the partition next.
                    let _ = tokio::time::timeout(patience, told).await;
                }
                done
            }
            Pacing::OneThread => {
                let tell = OptionFuture::from(teller.map(Sender::run));
                let ((source, read), decoded, committed, _) = futures::join!(reader.run(), decoder.run(), commit, tell);
                (source, read, decoded, committed)
            }
        };
        self.source = Some(source);
        // The first cause, not "the other one is gone".
        committed
            .and(read)
            .and(decoded.or_else(|error| if matches!(error, IngestError::Ending) { Ok(()) } else { Err(error) }))?;
        Ok(self.monitor.report())
    }

    /// Who sends receipts, if anybody is told.
    fn teller(&self, meters: Meters) -> Option<Sender> {
        let sink = self.receipts.clone()?;
        let (store, clock) = (self.events.store().clone(), self.clock.clone());
        Some(Sender::new(sink, store, clock, &self.config, self.monitor.clone(), meters))
    }

    fn committer(
        &mut self,
        control: mpsc::UnboundedSender<Control>,
        meters: Meters,
        receipts: Receipts,
    ) -> Committer<'_> {
        let span_s = self.config.window_span.as_secs() as i64;
        Committer {
            events: &mut self.events,
            policy: self.policy.clone(),
            config: self.config.clone(),
            clock: self.clock.clone(),
            rule: WindowRule { span_s, key: content_key(&self.keys), bytes: self.config.window_bytes },
            monitor: self.monitor.clone(),
            control,
            meters,
            owned: BTreeMap::new(),
            known: KnownFiles::default(),
            receipts,
        }
    }
}

/// What reading, decoding and committing came to.
type Done<S> = (S, Result<(), IngestError>, Result<(), IngestError>, Result<(), IngestError>);

/// Reads and decodes on a thread each, commits here.
async fn on_threads<S: EventSource + 'static>(
    reader: SourcePart<S>,
    decoder: Decoder,
    commit: impl Future<Output = Result<(), IngestError>>,
) -> Result<Done<S>, IngestError> {
    let runtime = Handle::current();
    let source_thread = spawn("ingest-source", move || runtime.block_on(reader.run()));
    let runtime = Handle::current();
    let pipeline_thread = spawn("ingest-pipeline", move || runtime.block_on(decoder.run()));
    let committed = commit.await;
    // Both threads end now; joining waits for a poll of the source at most.
    let (source, read) = join(source_thread, "source").await?;
    let decoded = join(pipeline_thread, "pipeline").await?;
    Ok((source, read, decoded, committed))
}

/// Sends receipts on a thread of its own, because an append may block for long; the answer comes when that has ended.
fn tells_on_a_thread(teller: Sender) -> oneshot::Receiver<()> {
    let (ended, told) = oneshot::channel();
    let runtime = Handle::current();
    drop(spawn("ingest-receipts", move || {
        runtime.block_on(teller.run());
        // Nobody waits for it any more where the worker was dropped.
        let _ = ended.send(());
    }));
    told
}

/// Ends the source when a part that it works for is gone, however that went, even if there is nothing to read.
struct EndSource(mpsc::UnboundedSender<Control>);

impl Drop for EndSource {
    fn drop(&mut self) {
        // A source that has ended needs no telling.
        let _ = self.0.send(Control::Finish);
    }
}

/// Runs the committer; once `cancel` is ready, the source is told to hand over what it has and end, and so the rest.
async fn finish_when(
    cancel: impl Future<Output = ()>,
    control: &mpsc::UnboundedSender<Control>,
    committer: impl Future<Output = Result<(), IngestError>>,
) -> Result<(), IngestError> {
    let mut committer = std::pin::pin!(committer);
    tokio::select! {
        result = &mut committer => return result,
        () = cancel => {}
    }
    // A source that is gone has nothing left to hand over.
    let _ = control.send(Control::Finish);
    committer.await
}

/// The pipeline at work.
struct Decoder {
    pipeline: Pipeline,
    raw: mpsc::Receiver<ToPipeline>,
    committer: AskCommitter,
    rows: Purse,
    clock: Arc<dyn Clock>,
    meters: Meters,
    monitor: Monitor,
    source: EndSource,
}

impl Decoder {
    async fn run(mut self) -> Result<(), IngestError> {
        let done = self.work().await;
        // Not reached when a message kills the process, or this thread.
        self.pipeline.end();
        done
    }

    async fn work(&mut self) -> Result<(), IngestError> {
        while let Some(message) = self.raw.recv().await {
            match message {
                ToPipeline::Assigned(assigned) => self.pipeline.assign(assigned),
                ToPipeline::Batch(batch) => self.batch(batch).await?,
                ToPipeline::Released { topic } => {
                    self.pipeline.release(&topic.id);
                    self.committer.tell(ToCommitter::Release { topic }).await?;
                }
            }
        }
        Ok(())
    }

    async fn batch(&mut self, batch: RawBatch) -> Result<(), IngestError> {
        // Rows take about what their messages took.
        self.rows.room(batch.bytes).await;
        let charge = self.rows.charge(batch.bytes);
        let began = self.clock.elapsed();
        let rows = self.pipeline.encode(&batch, &mut self.committer).await?;
        self.meters.spent(Stage::Decode, self.clock.elapsed().saturating_sub(began));
        for (topic, halt) in self.pipeline.rejections() {
            self.stands_still(topic, halt);
        }
        let RawBatch { ticket, runs, charge: messages, .. } = batch;
        drop((runs, messages));
        self.committer.tell(ToCommitter::Batch(rows, charge, ticket)).await
    }
}

impl Decoder {
    /// Says so itself: the source may have read everything and be gone.
    fn stands_still(&self, topic: Arc<Topic>, halt: Halt) {
        error!(partition = %topic.source, reason = %halt, "partition halted");
        self.monitor.halted(&topic.id, topic.claim, halt.clone());
        let _ = self.source.0.send(Control::Rejected { topic, halt });
    }
}

/// Looks into committed rows by asking the committer, behind the batches that are on their way.
struct AskCommitter(mpsc::Sender<ToCommitter>);

impl AskCommitter {
    async fn tell(&self, message: ToCommitter) -> Result<(), IngestError> {
        self.0.send(message).await.map_err(|_| IngestError::Ending)
    }
}

impl Earlier for AskCommitter {
    async fn find(&mut self, wanted: Vec<Wanted>) -> Result<Found, IngestError> {
        if wanted.is_empty() {
            return Ok(Found::default());
        }
        let (reply, answer) = oneshot::channel();
        self.tell(ToCommitter::Find { wanted, reply }).await?;
        answer.await.map_err(|_| IngestError::Ending)
    }
}

fn spawn<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    Builder::new().name(name.to_owned()).spawn(work).expect("the system gives a process two more threads")
}

async fn join<T: Send + 'static>(thread: JoinHandle<T>, part: &'static str) -> Result<T, IngestError> {
    let joined = tokio::task::spawn_blocking(move || thread.join()).await;
    joined.ok().and_then(Result::ok).ok_or(IngestError::Crashed { part })
}
