//! What an operator may set for a worker, with defaults that need no setting.

use std::num::NonZero;
use std::thread;
use std::time::Duration;

use lake::StoreKind;

/// Settings of a [`crate::Worker`].
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// Kind of data that the store admits.
    pub store_kind: StoreKind,
    /// Largest message value accepted, in bytes; larger ones are set aside as `oversize`.
    pub max_payload: usize,
    /// A batch closes when it holds this many bytes of messages.
    pub batch_bytes: usize,
    /// A batch closes when it holds this many messages.
    pub batch_rows: usize,
    /// A batch closes when its first message has waited this long and the rest of the worker is idle.
    pub batch_age: Duration,
    /// A batch closes when its first message has waited this long, however busy the rest of the worker is.
    pub batch_age_most: Duration,
    /// Bytes that the worker may hold between the log and the commit, beside its windows: half as messages, half as rows.
    pub memory_bytes: usize,
    /// How far back data files are read for the deduplication windows at a start, if their bytes suffice; older ids are looked
    /// up in the lake.
    pub window_span: Duration,
    /// Bytes that all deduplication windows together may take.
    pub window_bytes: usize,
    /// Most bytes asked of the source at once.
    pub poll_bytes: usize,
    /// Longest wait for the source, and so for a request to stop.
    pub poll_wait: Duration,
    /// How often the source is asked for new partitions and for its high watermarks.
    pub rescan: Duration,
    /// First wait after a source or store that does not answer; doubles up to [`Self::backoff_most`].
    pub backoff_first: Duration,
    /// Longest wait between two tries.
    pub backoff_most: Duration,
    /// How often a write to the lake is tried before the worker gives up; `None` = for ever.
    pub store_attempts: Option<u32>,
    /// Whether a log with a uid not seen before may continue a stream that has rows of another log.
    ///
    /// Off: such a partition halts until an operator confirms (the log was replaced, or another one is configured). A
    /// raised generation of a log that is known needs no other confirmation.
    pub accept_new_source: bool,
    /// How long what was read of a partition that is given up may take to be committed, before it is dropped.
    pub release_wait: Duration,
    /// After how long a partition may be claimed again that another worker claimed although the group gave it to this one;
    /// `None` = when an operator restarts this worker (who assigned by hand assigned twice).
    pub reclaim_after: Option<Duration>,
    /// What waits for news of the log.
    pub pacing: Pacing,
    /// Threads that decode a large batch, each some of its partitions; one where all parts take turns on one thread. The rows are
    /// the same for any number.
    pub decode_threads: usize,
    /// Days for which set-aside bytes are to be kept; each row says until when (ingestion.md 3.6).
    pub set_aside_days: u32,
}

/// On what a worker's parts run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pacing {
    /// Reading and decoding have a thread each, and the source waits for news on its own: the way to work.
    OwnThreads,
    /// All parts take turns on the caller's thread and wait by the runtime's clock, so that the same events and faults come in
    /// the same order at each run: for simulations. The source is asked without waiting.
    OneThread,
}

/// Threads that decode by default, where the machine has as many processors: a few keep the writer of files busy.
const DECODE_THREADS: usize = 4;

impl WorkerConfig {
    /// Defaults for a store of this kind.
    pub fn new(store_kind: StoreKind) -> Self {
        Self {
            store_kind,
            max_payload: 1 << 20,
            batch_bytes: 24 << 20,
            batch_rows: 256 * 1024,
            batch_age: Duration::from_millis(500),
            batch_age_most: Duration::from_secs(10),
            memory_bytes: 96 << 20,
            window_span: Duration::from_hours(7 * 24),
            window_bytes: 64 << 20,
            poll_bytes: 4 << 20,
            poll_wait: Duration::from_millis(100),
            rescan: Duration::from_secs(5),
            backoff_first: Duration::from_millis(100),
            backoff_most: Duration::from_secs(30),
            store_attempts: None,
            accept_new_source: false,
            release_wait: Duration::from_secs(3),
            reclaim_after: None,
            pacing: Pacing::OwnThreads,
            decode_threads: thread::available_parallelism().map_or(1, NonZero::get).min(DECODE_THREADS),
            set_aside_days: 90,
        }
    }
}
