//! A worker: three parts that hand batches on, so that reading, decoding and writing overlap.
//!
//! ```text
//! source thread ──batches of messages──▶ pipeline thread ──batches of rows──▶ committer (the caller's task) ──▶ lake
//!  reads the log    (handed over)         decode … columns  (two at most)       files, one commit
//! ```
//!
//! Guarantees: rows and next offsets in one commit (I1, I2), under the worker's claim (I3); a message is never dropped:
//! it becomes a row, or its partition stands still, visibly. Memory: at most four batches exist at once, whatever the
//! log holds: one being read, one being decoded, and two as rows, of which one is being written. Non-guarantees: no order between partitions, no exclusive ownership in time (claims decide at commit).
//! Failure and recovery: a worker that ends in any way loses nothing, because offsets come from the lake.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::mpsc::{self as sync_mpsc, Receiver, sync_channel};
use std::thread::{Builder, JoinHandle};

use eventlog::EventSource;
use lake::Events;
use policy::{Keys, Policy};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::IngestError;
use crate::batch::{RawBatch, Topic};
use crate::clock::{Clock, Ids};
use crate::committer::{Committer, ToCommitter};
use crate::config::WorkerConfig;
use crate::copies::{Earlier, Found, Wanted};
use crate::crash;
use crate::lookup::{KnownFiles, WindowRule};
use crate::metrics::Meters;
use crate::pipeline::{Pipeline, content_key};
use crate::schemas::{NoRegistry, SchemaSource, Schemas};
use crate::source::{Control, SourceThread, Until};
use crate::status::{Monitor, WorkerReport};
use crate::window::Window;

/// Batches of rows that may exist at once: one being written, one being made.
const ENCODED_BATCHES: usize = 2;

/// What the source thread hands to the pipeline, in order.
#[derive(Debug)]
pub(crate) enum ToPipeline {
    /// A partition is read from now on.
    Assigned { topic: Arc<Topic>, window: Window },
    /// Messages.
    Batch(RawBatch),
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
    schemas: Schemas,
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
        let monitor = Monitor::new(events.lake_version());
        let schemas = Schemas::new(Arc::new(NoRegistry));
        Self { source: Some(source), events, policy, keys, config, clock, ids, monitor, schemas }
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
        self.run(Until::Told, cancel).await
    }

    /// Ingests until everything that the log held at the beginning is committed, or stands in a partition that is halted
    /// or waits for an Avro schema.
    ///
    /// # Errors
    /// As [`Self::run_until`].
    pub async fn drain(&mut self) -> Result<WorkerReport, IngestError> {
        self.run(Until::Drained, pending()).await
    }

    /// Gives back the source and the table.
    pub fn into_parts(self) -> (Option<S>, Events) {
        (self.source, self.events)
    }

    async fn run(&mut self, until: Until, cancel: impl Future<Output = ()>) -> Result<WorkerReport, IngestError> {
        crash::guard_panic_texts();
        let source = self.source.take().ok_or(IngestError::Abandoned)?;
        let (control, obeyed) = sync_mpsc::channel();
        let (to_pipeline, raw) = sync_channel(0);
        let (to_committer, asked) = mpsc::channel(1);
        let reader = self.source_thread(source, until, obeyed, to_pipeline, to_committer.clone());
        let source_thread = spawn("ingest-source", move || reader.run());
        let rooms = Arc::new(Semaphore::new(ENCODED_BATCHES));
        let mut pipeline = {
            let (schema, known) = (lake::events::file_schema(), self.schemas.known.clone());
            Pipeline::new(self.keys.clone(), &self.config, schema, self.events.writer_id(), known)
        };
        let end = EndSource(control.clone());
        let pipeline_thread = spawn("ingest-pipeline", move || {
            let _end = end;
            run_pipeline(&mut pipeline, &raw, to_committer, &rooms)
        });
        let end = EndSource(control.clone());
        let result = finish_when(cancel, &control, self.committer(control.clone()).run(asked)).await;
        drop(end);
        // Both threads end now; joining waits for a poll of the source at most.
        let (source, read) = join(source_thread, "source").await?;
        self.source = Some(source);
        let decoded = join(pipeline_thread, "pipeline").await?;
        // The first cause, not "the other one is gone".
        result
            .and(read)
            .and(decoded.or_else(|error| if matches!(error, IngestError::Ending) { Ok(()) } else { Err(error) }))?;
        Ok(self.monitor.report())
    }

    fn source_thread(
        &self,
        source: S,
        until: Until,
        control: Receiver<Control>,
        pipeline: sync_mpsc::SyncSender<ToPipeline>,
        committer: mpsc::Sender<ToCommitter>,
    ) -> SourceThread<S> {
        let (config, clock, ids) = (self.config.clone(), self.clock.clone(), self.ids.clone());
        let (monitor, schemas) = (self.monitor.clone(), self.schemas.clone());
        SourceThread { source, config, clock, ids, monitor, control, pipeline, committer, until, schemas }
    }

    fn committer(&mut self, control: sync_mpsc::Sender<Control>) -> Committer<'_> {
        let span_s = self.config.window_span.as_secs() as i64;
        Committer {
            events: &mut self.events,
            policy: self.policy.clone(),
            config: self.config.clone(),
            rule: WindowRule { span_s, key: content_key(&self.keys) },
            monitor: self.monitor.clone(),
            control,
            meters: Meters::new(),
            owned: BTreeMap::new(),
            known: KnownFiles::default(),
        }
    }
}

/// Ends the source thread when a part that it works for is gone, however that went, even if there is nothing to read.
struct EndSource(sync_mpsc::Sender<Control>);

impl Drop for EndSource {
    fn drop(&mut self) {
        // A source thread that has ended needs no telling.
        let _ = self.0.send(Control::Finish);
    }
}

/// Runs the committer; once `cancel` is ready, the source is told to hand over what it has and end, and so the rest.
async fn finish_when(
    cancel: impl Future<Output = ()>,
    control: &sync_mpsc::Sender<Control>,
    committer: impl Future<Output = Result<(), IngestError>>,
) -> Result<(), IngestError> {
    let mut committer = std::pin::pin!(committer);
    tokio::select! {
        result = &mut committer => return result,
        () = cancel => {}
    }
    // A source thread that is gone has nothing left to hand over.
    let _ = control.send(Control::Finish);
    committer.await
}

fn run_pipeline(
    pipeline: &mut Pipeline,
    raw: &Receiver<ToPipeline>,
    committer: mpsc::Sender<ToCommitter>,
    rooms: &Arc<Semaphore>,
) -> Result<(), IngestError> {
    let mut earlier = AskCommitter(committer);
    for message in raw {
        match message {
            ToPipeline::Assigned { topic, window } => pipeline.assign(topic.id.clone(), window),
            ToPipeline::Batch(batch) => {
                let room = futures::executor::block_on(Arc::clone(rooms).acquire_owned());
                let room = room.map_err(|_| IngestError::Ending)?;
                let rows = pipeline.encode(&batch, &mut earlier)?;
                drop(batch);
                earlier.0.blocking_send(ToCommitter::Batch(rows, room)).map_err(|_| IngestError::Ending)?;
            }
        }
    }
    Ok(())
}

/// Looks into committed rows by asking the committer, behind the batches that are on their way.
struct AskCommitter(mpsc::Sender<ToCommitter>);

impl Earlier for AskCommitter {
    fn find(&mut self, wanted: Vec<Wanted>) -> Result<Found, IngestError> {
        if wanted.is_empty() {
            return Ok(Found::default());
        }
        let (reply, answer) = oneshot::channel();
        self.0.blocking_send(ToCommitter::Find { wanted, reply }).map_err(|_| IngestError::Ending)?;
        answer.blocking_recv().map_err(|_| IngestError::Ending)
    }
}

fn spawn<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    Builder::new().name(name.to_owned()).spawn(work).expect("the system gives a process two more threads")
}

async fn join<T: Send + 'static>(thread: JoinHandle<T>, part: &'static str) -> Result<T, IngestError> {
    let joined = tokio::task::spawn_blocking(move || thread.join()).await;
    joined.ok().and_then(Result::ok).ok_or(IngestError::Crashed { part })
}
