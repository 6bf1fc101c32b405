//! The worker's only sources of time and of fresh ids: arguments, so that a test decides both.
//!
//! Nothing here may decide whether an event is accepted: times are judged against each other (ingestion.md 3.9), and
//! what these produce goes only into `ingested_at`, `ingest_date` and `batch_id`, which models never read.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use uuid::Uuid;

/// What time it is, and how much has passed.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Microseconds since 1970, UTC. May jump: callers that need order clamp it.
    fn now_us(&self) -> i64;
    /// Time since some fixed moment; never goes back.
    fn elapsed(&self) -> Duration;
    /// Passes so much time.
    fn sleep(&self, time: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(time))
    }
}

/// Time that passes.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now_us(&self) -> i64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as i64)
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// Ids of batches. (The writer's own id is the one its `lake::Events` was opened with.)
pub trait Ids: Send + Sync + fmt::Debug {
    /// A new batch's id; never the same twice in one store: an ambiguous commit is resolved by it.
    fn next_batch_id(&self) -> Uuid;
}

/// Fresh random ids.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    fn next_batch_id(&self) -> Uuid {
        Uuid::new_v4()
    }
}

/// Counted ids, for tests: batch `n` of writer `w` always has the same id.
#[derive(Debug)]
pub struct CountedIds {
    writer: u64,
    batches: AtomicU64,
}

impl CountedIds {
    /// Ids of writer number `writer`.
    pub const fn new(writer: u64) -> Self {
        Self { writer, batches: AtomicU64::new(0) }
    }
}

impl Ids for CountedIds {
    fn next_batch_id(&self) -> Uuid {
        Uuid::from_u64_pair(self.writer, self.batches.fetch_add(1, Ordering::Relaxed) + 1)
    }
}
