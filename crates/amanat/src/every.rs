//! Work that a role does every so often, until it is told to stop.
//!
//! Absent: what becomes of a failure. The work says it and is done again at its next time.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Does `work` for the first time `first` after now, or sooner where it is done more often, and then every so often; never where `every` is
/// zero. Ends when told to stop and no work is at hand, and not before: a task that ends, ends the program.
pub async fn so_often<F: Future<Output = ()>>(
    every: Duration,
    first: Duration,
    stop: CancellationToken,
    mut work: impl FnMut() -> F,
) {
    if every.is_zero() {
        return stop.cancelled().await;
    }
    let mut wait = every.min(first);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => wait = every,
        }
        work().await;
    }
}
