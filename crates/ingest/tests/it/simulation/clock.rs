//! Time that moves when it is told to, and a wall clock that may jump.

use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use ingest::{Clock, Sleep};

use crate::support::LOG_MS;

/// Clones share it.
#[derive(Debug, Clone, Default)]
pub struct SimClock(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    passed: Duration,
    /// By how much the wall clock is wrong, microseconds.
    wrong_us: i64,
    sleepers: Vec<(Duration, Waker)>,
}

impl SimClock {
    pub fn passed(&self) -> Duration {
        self.0.lock().unwrap().passed
    }

    /// Moves on, and wakes whoever has slept enough.
    pub fn advance(&self, by: Duration) {
        let mut state = self.0.lock().unwrap();
        state.passed += by;
        let now = state.passed;
        let (awake, asleep): (Vec<_>, Vec<_>) =
            std::mem::take(&mut state.sleepers).into_iter().partition(|(until, _)| *until <= now);
        state.sleepers = asleep;
        drop(state);
        for (_, waker) in awake {
            waker.wake();
        }
    }

    /// Sets the wall clock forward or back.
    pub fn jump(&self, by_us: i64) {
        self.0.lock().unwrap().wrong_us += by_us;
    }
}

impl Clock for SimClock {
    fn now_us(&self) -> i64 {
        let state = self.0.lock().unwrap();
        (LOG_MS + 60_000) * 1000 + state.passed.as_micros() as i64 + state.wrong_us
    }

    fn elapsed(&self) -> Duration {
        self.passed()
    }

    fn sleep(&self, time: Duration) -> Sleep {
        let clock = self.clone();
        let until = self.passed() + time;
        Box::pin(std::future::poll_fn(move |context| {
            let mut state = clock.0.lock().unwrap();
            if state.passed >= until {
                return Poll::Ready(());
            }
            state.sleepers.push((until, context.waker().clone()));
            Poll::Pending
        }))
    }
}
