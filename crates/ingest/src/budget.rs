//! The byte budget: how much a worker may hold between the log and the commit (ingestion.md 3.11, I5).
//!
//! Two purses: one for messages (what is being gathered, waits, or is decoded), one for rows (what was decoded and is
//! not yet in the lake). Two, so that messages can never take the room that would let them become rows. Who wants to take
//! asks for room first; what is taken is returned when its [`Charge`] is dropped. A purse may be exceeded by what the log hands
//! over in one piece, or by one batch whose rows are larger than its messages, never by more: nothing is taken beyond the limit
//! knowingly.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// A number of bytes that may be held at once. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Purse(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limit: usize,
    held: AtomicUsize,
    freed: Notify,
}

/// Bytes held, until dropped.
#[derive(Debug)]
pub(crate) struct Charge {
    purse: Purse,
    bytes: usize,
}

impl Purse {
    pub(crate) fn new(limit: usize) -> Self {
        Self(Arc::new(Inner { limit, held: AtomicUsize::new(0), freed: Notify::new() }))
    }

    /// The most that may be held.
    pub(crate) fn limit(&self) -> usize {
        self.0.limit
    }

    /// Bytes held now.
    pub(crate) fn held(&self) -> usize {
        self.0.held.load(Ordering::Acquire)
    }

    /// Whether so many bytes may be taken. An empty purse has room for anything: what is larger than the limit must still pass,
    /// alone.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        let held = self.held();
        held == 0 || held.saturating_add(bytes) <= self.0.limit
    }

    /// Waits until there is room for so many bytes.
    pub(crate) async fn room(&self, bytes: usize) {
        loop {
            let freed = self.0.freed.notified();
            let mut freed = std::pin::pin!(freed);
            // Registered before looking, so that a return in between is not missed.
            freed.as_mut().enable();
            if self.has_room(bytes) {
                return;
            }
            freed.await;
        }
    }

    /// Takes so many bytes.
    pub(crate) fn charge(&self, bytes: usize) -> Charge {
        self.0.held.fetch_add(bytes, Ordering::AcqRel);
        Charge { purse: self.clone(), bytes }
    }
}

impl Charge {
    /// Takes more under the same charge.
    pub(crate) fn add(&mut self, bytes: usize) {
        self.purse.0.held.fetch_add(bytes, Ordering::AcqRel);
        self.bytes += bytes;
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.purse.0.held.fetch_sub(self.bytes, Ordering::AcqRel);
        self.purse.0.freed.notify_waiters();
    }
}

/// Batches on their way from the source to the lake. Clones share the count.
#[derive(Debug, Clone, Default)]
pub(crate) struct UnderWay(Arc<AtomicUsize>);

/// One batch on its way, until dropped.
#[derive(Debug)]
pub(crate) struct Ticket(UnderWay);

impl UnderWay {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    pub(crate) fn begin(&self) -> Ticket {
        self.0.fetch_add(1, Ordering::AcqRel);
        Ticket(self.clone())
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn what_was_taken_is_returned_and_whoever_waits_for_it_goes_on() {
        let purse = Purse::new(100);
        let mut first = purse.charge(60);
        first.add(20);
        assert!(purse.has_room(20) && !purse.has_room(21));
        let waiting = purse.room(50);
        let mut waiting = std::pin::pin!(waiting);
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(first);
        assert!(waiting.now_or_never().is_some());
        assert_eq!(purse.held(), 0);
    }

    #[test]
    fn what_is_larger_than_the_purse_passes_alone() {
        let purse = Purse::new(100);
        assert!(purse.has_room(1000));
        let _little = purse.charge(1);
        assert!(!purse.has_room(1000));
    }
}
