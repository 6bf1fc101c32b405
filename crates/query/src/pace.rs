//! How often questions may be asked: by one reader, and by all together.
//!
//! Absent: what questions cost (that is charged in the vault, privacy.md 6.8), and reads of indicators, whose bodies are made
//! once and cost next to nothing.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::turns::Who;

/// Readers that are remembered before those that have not asked for a while are forgotten.
const REMEMBERED: usize = 10_000;

/// Questions in a minute. They may come all at once; then they come one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Of one reader: of the holder of a key or account, or of one network without one.
    pub of_one: NonZeroU32,
    /// Of all readers together.
    pub of_all: NonZeroU32,
}

/// Counts questions.
pub(crate) struct Paced {
    of_one: DefaultKeyedRateLimiter<Who>,
    of_all: DefaultDirectRateLimiter,
    clock: DefaultClock,
}

impl Paced {
    pub(crate) fn new(pace: Pace) -> Self {
        Self {
            of_one: RateLimiter::keyed(Quota::per_minute(pace.of_one)),
            of_all: RateLimiter::direct(Quota::per_minute(pace.of_all)),
            clock: DefaultClock::default(),
        }
    }

    /// Counts a question, or says how long until one may come. One that its reader may not ask is not counted for all.
    pub(crate) fn count(&self, who: &Who) -> Result<(), Duration> {
        if self.of_one.len() > REMEMBERED {
            self.of_one.retain_recent();
            self.of_one.shrink_to_fit();
        }
        let now = self.clock.now();
        self.of_one.check_key(who).map_err(|until| until.wait_time_from(now))?;
        self.of_all.check().map_err(|until| until.wait_time_from(now))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_reader_that_asks_too_often_waits_and_the_others_do_not() {
        let pace = Pace { of_one: NonZeroU32::new(3).unwrap(), of_all: NonZeroU32::new(5).unwrap() };
        let (paced, named) = (Paced::new(pace), |name: &str| Who::of(Some(name), None));
        for _ in 0..3 {
            paced.count(&named("a")).unwrap();
        }
        let wait = paced.count(&named("a")).unwrap_err();
        assert!(wait > Duration::from_secs(10) && wait <= Duration::from_secs(20), "{wait:?}");
        paced.count(&named("b")).unwrap();
        paced.count(&named("b")).unwrap();
        assert!(paced.count(&named("c")).is_err(), "all together have asked five");
    }
}
