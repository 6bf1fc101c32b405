//! Threads that compute, apart from those that answer.
//!
//! A fold keeps a thread busy for long; on the runtime that serves HTTP or writes batches it would make others wait. A
//! refresh therefore brings its own runtime and takes it along when it ends.
//!
//! Absent: work stealing between refreshes, priorities.

use std::future::Future;

use futures::future::BoxFuture;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::error::ModelsError;
use crate::stage::StageError;

/// A runtime for one piece of heavy work.
pub(crate) struct Cpu(Option<Runtime>);

impl Cpu {
    /// So many threads.
    pub fn new(threads: usize) -> Result<Self, ModelsError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            .thread_name("amanat-models")
            .enable_all()
            .build()
            .map_err(|e| ModelsError::Stage(StageError::Scratch(e)))?;
        Ok(Self(Some(runtime)))
    }

    /// Runs `work` there while the caller's task waits.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, ModelsError>> + Send + 'static,
    ) -> Result<T, ModelsError> {
        let runtime = self.0.as_ref().expect("it is taken only when dropped");
        runtime.spawn(work).await.map_err(|_| ModelsError::Stopped)?
    }
}

impl Drop for Cpu {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Dropping a runtime inside another one would block it.
            runtime.shutdown_background();
        }
    }
}

/// Gives memory that was freed back to the system.
///
/// Buckets are made by one thread and freed by another, large and small in turn, and the C library gives back what is free at the end of a
/// heap alone: after a rebuild of 30 million events its heaps held a GiB that nobody used
/// (docs/decisions/2026-11-26-the-systems-allocator.md). A call takes some 20 ms, and what is needed
/// again is asked for page by page: it is for a few large steps.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn give_back() {
    // SAFETY: malloc_trim(3) takes a number and touches blocks alone that are free; it may be called from any thread.
    #[expect(unsafe_code, reason = "the C library offers no other way from within the process")]
    unsafe {
        libc::malloc_trim(KEPT_FREE);
    }
}

/// Free bytes that stay at the end of the main heap.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_FREE: libc::size_t = 32 << 20;

/// Other C libraries do it by themselves, or cannot.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) const fn give_back() {}

/// Does tasks side by side, so many at a time; what they gave, in no order.
///
/// # Errors
/// The first task's that fails; the others are let go.
pub(crate) async fn side_by_side<T: Send + 'static>(
    tasks: Vec<BoxFuture<'static, Result<T, ModelsError>>>,
    parallel: usize,
) -> Result<Vec<T>, ModelsError> {
    let (mut running, mut done) = (JoinSet::new(), Vec::with_capacity(tasks.len()));
    for task in tasks {
        if running.len() >= parallel.max(1)
            && let Some(ended) = running.join_next().await
        {
            done.push(ended.map_err(|_| ModelsError::Stopped)??);
        }
        running.spawn(task);
    }
    while let Some(ended) = running.join_next().await {
        done.push(ended.map_err(|_| ModelsError::Stopped)??);
    }
    Ok(done)
}
