//! Who guesses waits, and longer each time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use policy::is_name;
use query::network;

/// Wrong passwords of a name from one address before it waits (OWASP Authentication Cheat Sheet: account lockout).
pub(super) const FREE: u32 = 5;
/// Wrong passwords of a name from everywhere before all wait: guessing by many is slow as well, and one guesser does not keep the
/// owner out.
const FREE_OF_ALL: u32 = 100;
/// Wrong passwords of whatever names from one address before it waits: many names are not tried, nor this memory filled, from one
/// place. Far above what a building behind one address comes to.
const FREE_OF_ADDRESS: u32 = 100;
/// The first wait; each further wrong password doubles it.
const FIRST: Duration = Duration::from_mins(1);
/// The longest wait, and how long a wrong password is remembered.
const LONGEST: Duration = Duration::from_hours(1);
/// Names and addresses that are remembered at most.
const REMEMBERED: usize = 10_000;
/// Wrong keys and passwords that are written to the log in a minute: more of them tell nothing new.
const READ_IN_A_MINUTE: u32 = 60;

#[derive(Default)]
pub(super) struct Lockout {
    tries: Mutex<Tries>,
}

#[derive(Default)]
struct Tries {
    of: HashMap<(String, Option<IpAddr>), Wrong>,
    minute: u64,
    written: u32,
}

#[derive(Clone, Copy)]
struct Wrong {
    count: u32,
    last: SystemTime,
    until: Option<SystemTime>,
}

impl Lockout {
    /// How long a name must not be tried from an address; `Ok` where it may be.
    pub(super) fn check(&self, name: &str, peer: Option<IpAddr>, now: SystemTime) -> Result<(), Duration> {
        let tries = self.locked();
        let waits = keys(name, peer).filter_map(|(key, _)| {
            let until = tries.of.get(&key)?.until?;
            until.duration_since(now).ok().filter(|wait| !wait.is_zero())
        });
        waits.max().map_or(Ok(()), Err)
    }

    /// Counts a wrong password, and says how long the next must wait.
    pub(super) fn count(&self, name: &str, peer: Option<IpAddr>, now: SystemTime) -> Option<Duration> {
        let mut tries = self.locked();
        if tries.of.len() >= REMEMBERED {
            tries.forget_some(now);
        }
        let mut longest = None;
        for (key, free) in keys(name, peer) {
            // What nobody can be called is not remembered by name, however long it is.
            if !key.0.is_empty() && !is_name(name) {
                continue;
            }
            let wrong = tries.of.entry(key).or_insert(Wrong { count: 0, last: now, until: None });
            if now.duration_since(wrong.last).is_ok_and(|since| since > LONGEST) {
                wrong.count = 0;
            }
            (wrong.count, wrong.last) = (wrong.count.saturating_add(1), now);
            if wrong.count >= free {
                let wait = FIRST.saturating_mul(1 << (wrong.count - free).min(10)).min(LONGEST);
                wrong.until = Some(now + wait);
                longest = longest.max(Some(wait));
            }
        }
        longest
    }

    /// Forgets the wrong passwords of a name from an address: the right one came.
    pub(super) fn forget(&self, name: &str, peer: Option<IpAddr>) {
        self.locked().of.remove(&(name.to_owned(), peer.map(network)));
    }

    /// Whether one more line about a wrong password would be read.
    pub(super) fn is_read(&self, now: SystemTime) -> bool {
        let minute = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs() / 60;
        let mut tries = self.locked();
        if tries.minute != minute {
            (tries.minute, tries.written) = (minute, 0);
        }
        tries.written += 1;
        tries.written <= READ_IN_A_MINUTE
    }

    fn locked(&self) -> MutexGuard<'_, Tries> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tries {
    /// Makes room: what is old goes first, then what waits for nothing, then what waits least.
    fn forget_some(&mut self, now: SystemTime) {
        self.of.retain(|_, wrong| now.duration_since(wrong.last).is_ok_and(|since| since <= LONGEST));
        if self.of.len() >= REMEMBERED {
            self.of.retain(|_, wrong| wrong.until.is_some_and(|until| until > now));
        }
        if self.of.len() >= REMEMBERED {
            let mut ends: Vec<Option<SystemTime>> = self.of.values().map(|wrong| wrong.until).collect();
            ends.sort_unstable();
            let median = ends[ends.len() / 2];
            self.of.retain(|_, wrong| wrong.until > median);
        }
    }
}

/// A name from one address (of IPv6, from one network), the name from everywhere, and the address whatever the name.
fn keys(name: &str, peer: Option<IpAddr>) -> impl Iterator<Item = ((String, Option<IpAddr>), u32)> {
    // The second key has no address, and a name that no account has: it is apart from the first where the peer is not known.
    let peer = peer.map(network);
    let of_address = peer.map(|peer| ((String::new(), Some(peer)), FREE_OF_ADDRESS));
    [((name.to_owned(), peer), FREE), ((format!("{name}@"), None), FREE_OF_ALL)].into_iter().chain(of_address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
    }

    #[test]
    fn each_wrong_password_past_the_fifth_doubles_the_wait_up_to_an_hour() {
        let lockout = Lockout::default();
        let waits: Vec<Option<u64>> =
            (0..14).map(|n| lockout.count("a", None, at(n)).map(|wait| wait.as_secs())).collect();
        assert_eq!(waits[..7], [None, None, None, None, Some(60), Some(120), Some(240)]);
        assert_eq!(waits[13], Some(3600));
        assert!(lockout.check("a", None, at(14)).is_err());
        assert!(lockout.check("a", None, at(13 + 3600)).is_ok());
        assert!(lockout.check("b", None, at(14)).is_ok());
    }

    #[test]
    fn a_guesser_does_not_keep_the_owner_out_until_guessing_comes_from_everywhere() {
        let lockout = Lockout::default();
        let peer = |n: u32| Some(IpAddr::V4(std::net::Ipv4Addr::from_bits(n)));
        for _ in 0..20 {
            lockout.count("a", peer(1), at(0));
        }
        assert!(lockout.check("a", peer(1), at(1)).is_err());
        assert!(lockout.check("a", peer(2), at(1)).is_ok());
        for n in 0..100 {
            lockout.count("a", peer(100 + n), at(1));
        }
        assert!(lockout.check("a", peer(2), at(2)).is_err());
        lockout.forget("a", peer(1));
        assert!(lockout.check("a", peer(1), at(2)).is_err(), "who comes in does not open it to guessers");
    }

    #[test]
    fn an_address_that_tries_many_names_waits_and_others_do_not() {
        let lockout = Lockout::default();
        let peer = |n: u32| Some(IpAddr::V4(std::net::Ipv4Addr::from_bits(n)));
        for n in 0..FREE_OF_ADDRESS {
            assert!(lockout.check("a", peer(1), at(0)).is_ok(), "{n}");
            lockout.count(&format!("n{n}"), peer(1), at(0));
        }
        assert!(lockout.check("a", peer(1), at(1)).is_err());
        assert!(lockout.check("a", peer(2), at(1)).is_ok());
    }

    #[test]
    fn what_is_remembered_is_bounded_and_a_clock_that_jumps_back_locks_nobody_for_ever() {
        let lockout = Lockout::default();
        for _ in 0..8 {
            lockout.count("guessed", None, at(0));
        }
        for n in 0..2 * REMEMBERED {
            lockout.count(&n.to_string(), None, at(0));
            lockout.count(&format!("no name {n}"), None, at(0));
        }
        assert!(lockout.locked().of.len() <= REMEMBERED + 3);
        assert!(lockout.check("guessed", None, at(1)).is_err(), "a flood of names opens no name that is locked");
        let lockout = Lockout::default();
        for _ in 0..30 {
            lockout.count("a", None, at(10_000_000));
        }
        let wait = lockout.check("a", None, at(10_000_000)).err();
        assert_eq!(wait, Some(LONGEST));
    }

    #[test]
    fn a_flood_of_wrong_passwords_is_not_a_flood_of_lines() {
        let lockout = Lockout::default();
        let read = (0..1000).filter(|_| lockout.is_read(at(0))).count();
        assert_eq!(read, READ_IN_A_MINUTE as usize);
        assert!(lockout.is_read(at(120)));
    }
}
