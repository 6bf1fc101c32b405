//! Growing pauses between tries, and one log line per change of state instead of one per try.
//!
//! No jitter: a worker has no crowd of equals that would try at the same moment, and tests stay exact.

use std::time::Duration;

/// Pauses that double from the first to the longest.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) const fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, failures: 0 }
    }

    /// A try failed: how long to wait, and whether this is news.
    pub(crate) fn failed(&mut self) -> (Duration, bool) {
        let wait = self.first.saturating_mul(1 << self.failures.min(20)).min(self.most);
        self.failures += 1;
        (wait, self.failures == 1)
    }

    /// A try worked: whether this is news.
    pub(crate) fn worked(&mut self) -> bool {
        std::mem::take(&mut self.failures) > 0
    }

    /// Tries that failed in a row.
    pub(crate) const fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_only_changes_are_news() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(350));
        let waits: Vec<_> = (0..4).map(|_| backoff.failed()).map(|(wait, news)| (wait.as_millis(), news)).collect();
        assert_eq!(waits, [(100, true), (200, false), (350, false), (350, false)]);
        assert!(backoff.worked());
        assert!(!backoff.worked());
        assert_eq!(backoff.failed().0.as_millis(), 100);
    }
}
