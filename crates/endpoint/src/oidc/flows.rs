//! Sign-ins that have begun and not come back, in memory: each comes back once, to the browser that began it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// How long a sign-in may take.
pub(super) const LONGEST: Duration = Duration::from_mins(10);
/// Sign-ins that are kept; the oldest goes first.
const MOST: usize = 10_000;

/// A sign-in that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flow {
    /// Hash of the cookie of the browser that began it.
    pub(super) browser: blake3::Hash,
    /// What the token must repeat.
    pub(super) nonce: String,
    /// What proves to the provider that the code is fetched by who asked for it (RFC 7636).
    pub(super) verifier: String,
    /// Where the browser goes afterwards: a path of this service.
    pub(super) to: String,
    pub(super) began: SystemTime,
}

#[derive(Default)]
pub(super) struct Flows {
    /// By the hash of the state.
    begun: Mutex<HashMap<blake3::Hash, Flow>>,
}

impl Flows {
    pub(super) fn begin(&self, state: &str, flow: Flow) {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if begun.len() >= MOST {
            begun.retain(|_, known| is_going(known, flow.began));
        }
        if begun.len() >= MOST
            && let Some(oldest) = begun.iter().min_by_key(|(_, known)| known.began).map(|(state, _)| *state)
        {
            begun.remove(&oldest);
        }
        begun.insert(blake3::hash(state.as_bytes()), flow);
    }

    /// The sign-in of a state, which comes back now and never again. None for another browser than the one that began it, which
    /// leaves it to that one.
    pub(super) fn take(&self, state: &str, browser: &str, now: SystemTime) -> Option<Flow> {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let state = blake3::hash(state.as_bytes());
        let is_its_own = begun.get(&state)?.browser == blake3::hash(browser.as_bytes());
        let flow = is_its_own.then(|| begun.remove(&state)).flatten()?;
        is_going(&flow, now).then_some(flow)
    }
}

fn is_going(flow: &Flow, now: SystemTime) -> bool {
    // A clock that was put back ends nothing that has just begun, and what it ends can be begun again.
    now.duration_since(flow.began).map_or_else(|back| back.duration() < LONGEST, |since| since < LONGEST)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
    }

    fn flow(browser: &str, began: SystemTime) -> Flow {
        let text = String::new;
        Flow { browser: blake3::hash(browser.as_bytes()), nonce: text(), verifier: text(), to: text(), began }
    }

    #[test]
    fn a_sign_in_comes_back_once_in_time_and_to_the_browser_that_began_it() {
        let flows = Flows::default();
        for state in ["a", "b"] {
            flows.begin(state, flow("mine", at(0)));
        }
        assert_eq!(flows.take("a", "another", at(1)), None);
        assert_eq!(flows.take("a", "", at(1)), None);
        assert!(flows.take("a", "mine", at(1)).is_some(), "who else tried has not spent it");
        assert_eq!(flows.take("a", "mine", at(1)), None, "once");
        assert_eq!(flows.take("b", "mine", at(600)), None, "in time");
        assert_eq!(flows.take("", "mine", at(1)), None);
    }

    #[test]
    fn what_is_begun_and_left_is_bounded() {
        let flows = Flows::default();
        for n in 0..2 * MOST {
            flows.begin(&n.to_string(), flow("mine", at(n as u64 / 1000)));
        }
        assert_eq!(flows.begun.lock().unwrap().len(), MOST);
        assert!(flows.take(&(2 * MOST - 1).to_string(), "mine", at(60)).is_some(), "the newest is kept");
    }
}
