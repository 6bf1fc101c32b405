//! Sessions of those who came in by a password, in memory.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// A session ends so long after its beginning: a working day.
pub(crate) const LONGEST: Duration = Duration::from_hours(12);
/// A session ends after so long without a request.
const IDLE: Duration = Duration::from_hours(2);
/// Requests at the same time read the clock in one order and come here in another: so far back no clock has jumped.
const AT_ONCE: Duration = Duration::from_secs(30);
/// Sessions that are kept; the one that was used least recently goes first.
const MOST: usize = 10_000;

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    /// Whose it is.
    pub(crate) name: String,
    /// By what they came in ([`policy::Asker::known_by`]).
    pub(crate) known_by: Option<blake3::Hash>,
    /// What a request that changes something must show beside the cookie: a page of another origin cannot know it.
    pub(crate) csrf: String,
}

#[derive(Default)]
pub(super) struct Sessions {
    /// By the hash of the token: who reads this memory has no token.
    open: Mutex<HashMap<blake3::Hash, Open>>,
}

struct Open {
    session: Session,
    began: SystemTime,
    used: SystemTime,
}

impl Open {
    fn holds(&self, now: SystemTime) -> bool {
        let now = now + AT_ONCE;
        let within =
            |since: SystemTime, limit: Duration| now.duration_since(since).is_ok_and(|passed| passed < limit + AT_ONCE);
        within(self.began, LONGEST) && within(self.used, IDLE)
    }
}

impl Sessions {
    /// Opens one, from random bytes.
    pub(super) fn open(
        &self,
        (name, known_by): (&str, Option<blake3::Hash>),
        random: [[u8; 32]; 2],
        now: SystemTime,
    ) -> (String, Session) {
        let [token, csrf] = random.map(|bytes| blake3::Hash::from_bytes(bytes).to_hex().to_string());
        let session = Session { name: name.to_owned(), known_by, csrf };
        let mut open = self.locked();
        if open.len() >= MOST {
            open.retain(|_, open| open.holds(now));
        }
        if open.len() >= MOST
            && let Some(oldest) = open.iter().min_by_key(|(_, open)| open.used).map(|(hash, _)| *hash)
        {
            open.remove(&oldest);
        }
        open.insert(blake3::hash(token.as_bytes()), Open { session: session.clone(), began: now, used: now });
        (token, session)
    }

    /// The session of a token, which is used now.
    pub(super) fn find(&self, token: &str, now: SystemTime) -> Option<Session> {
        let hash = blake3::hash(token.as_bytes());
        let mut all = self.locked();
        let open = all.get_mut(&hash)?;
        if !open.holds(now) {
            all.remove(&hash);
            return None;
        }
        open.used = open.used.max(now);
        Some(open.session.clone())
    }

    /// Ends all but those.
    pub(super) fn keep(&self, those: impl Fn(&Session) -> bool) {
        self.locked().retain(|_, open| those(&open.session));
    }

    /// Ends one.
    pub(super) fn end(&self, token: &str) {
        self.locked().remove(&blake3::hash(token.as_bytes()));
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<blake3::Hash, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
    }

    #[test]
    fn a_session_ends_when_it_is_not_used_and_after_a_working_day_in_any_case() {
        let sessions = Sessions::default();
        let (token, session) = sessions.open(("a", None), [[1; 32], [2; 32]], at(0));
        assert_eq!(sessions.find(&token, at(60)), Some(session));
        assert!(sessions.find(&token, at(60 + 7200)).is_none());
        let (token, _) = sessions.open(("a", None), [[3; 32], [4; 32]], at(0));
        for hour in 1..12 {
            assert!(sessions.find(&token, at(hour * 3600)).is_some(), "{hour}");
        }
        assert!(sessions.find(&token, at(12 * 3600)).is_none());
    }

    #[test]
    fn a_session_that_was_ended_is_over_and_no_other_token_opens_it() {
        let sessions = Sessions::default();
        let (token, session) = sessions.open(("a", None), [[1; 32], [2; 32]], at(0));
        assert!(sessions.find(&session.csrf, at(1)).is_none());
        assert!(sessions.find("", at(1)).is_none());
        sessions.end(&token);
        assert!(sessions.find(&token, at(1)).is_none());
    }

    #[test]
    fn requests_at_the_same_time_that_come_in_another_order_than_their_clocks_end_nothing() {
        let sessions = Sessions::default();
        let (token, _) = sessions.open(("a", None), [[1; 32], [2; 32]], at(0));
        for second in [12, 10, 11, 10] {
            assert!(sessions.find(&token, at(second)).is_some(), "{second}");
        }
        assert!(sessions.find(&token, at(12 + 7199)).is_some(), "it was last used at the latest of them");
    }

    #[test]
    fn a_clock_that_jumps_back_ends_sessions_rather_than_keeping_them() {
        let sessions = Sessions::default();
        let (token, _) = sessions.open(("a", None), [[1; 32], [2; 32]], at(100));
        assert!(sessions.find(&token, at(0)).is_none());
    }
}
