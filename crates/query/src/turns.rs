//! Turns to compute, given fairly: readers take turns, not questions.
//!
//! Guarantees: no more questions than `at_once` hold a turn, and no more than `of_one` of one reader; of those who wait, the
//! reader that was served least recently is next, whose questions come in their order; a question that leaves its place leaves
//! nothing behind. Not guaranteed: a turn at all where all places are taken; order among readers that come at once.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::question::Turn;

/// Whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    /// The holder of a key or account.
    Named(String),
    /// Somebody without one, by the network that the question comes from.
    From(IpAddr),
    /// Somebody of whom nothing is known.
    Anybody,
}

impl Who {
    pub(crate) fn of(key_id: Option<&str>, peer: Option<IpAddr>) -> Self {
        match (key_id, peer) {
            (Some(key_id), _) => Self::Named(key_id.to_owned()),
            (None, Some(peer)) => Self::From(network(peer)),
            (None, None) => Self::Anybody,
        }
    }
}

/// The network of an address, which is one reader where nobody is named: an address of IPv4, and of IPv6 the first 64 bits, for the
/// rest is one household's to choose.
pub fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(peer) => Ipv6Addr::from_bits(peer.to_bits() >> 64 << 64).into(),
        IpAddr::V4(peer) => peer.into(),
    }
}

/// How many turns and places there are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places {
    pub(crate) at_once: usize,
    pub(crate) of_one: usize,
    pub(crate) waiting: usize,
    pub(crate) waiting_of_one: usize,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// By all together.
    ByAll,
    /// By the one who asks.
    ByOne,
}

pub(crate) struct Turns {
    places: Places,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: HashMap<Who, usize>,
    /// Readers that wait, least recently served first.
    queues: VecDeque<(Who, VecDeque<oneshot::Sender<Turn>>)>,
}

impl State {
    fn running_of(&self, who: &Who) -> usize {
        self.running.get(who).copied().unwrap_or_default()
    }

    /// Forgets those who have left.
    fn sweep(&mut self) {
        self.queues.iter_mut().for_each(|(_, queue)| queue.retain(|waits| !waits.is_closed()));
        self.queues.retain(|(_, queue)| !queue.is_empty());
    }
}

/// A turn; given back when it is dropped.
pub(crate) struct Held {
    turns: Arc<Turns>,
    who: Who,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.turns.locked();
        if let Some(running) = state.running.get_mut(&self.who) {
            *running -= 1;
            if *running == 0 {
                state.running.remove(&self.who);
            }
        }
        drop(state);
        Turns::give(&self.turns);
    }
}

impl Turns {
    pub(crate) fn new(places: Places) -> Arc<Self> {
        Arc::new(Self { places, state: Mutex::default() })
    }

    /// A turn, when there is one. Dropping the future leaves the place.
    pub(crate) async fn take(turns: &Arc<Self>, who: Who) -> Result<Turn, Taken> {
        let turn = {
            let mut state = turns.locked();
            state.sweep();
            turns.place_for(&state, &who)?;
            let (gives, turn) = oneshot::channel();
            match state.queues.iter_mut().find(|(known, _)| *known == who) {
                Some((_, queue)) => queue.push_back(gives),
                None => state.queues.push_back((who, VecDeque::from([gives]))),
            }
            turn
        };
        Self::give(turns);
        // The other end is dropped with the turns alone.
        turn.await.map_err(|_| Taken::ByAll)
    }

    /// Whether there is a place to compute or to wait in.
    fn place_for(&self, state: &State, who: &Who) -> Result<(), Taken> {
        let all: usize = state.running.values().sum();
        let waiting: usize = state.queues.iter().map(|(_, queue)| queue.len()).sum();
        let own = state.queues.iter().find(|(known, _)| known == who).map_or(0, |(_, queue)| queue.len());
        let Places { at_once, of_one, waiting: most, waiting_of_one } = self.places;
        if all + waiting >= at_once.saturating_add(most) {
            return Err(Taken::ByAll);
        }
        if state.running_of(who) + own >= of_one.saturating_add(waiting_of_one) {
            return Err(Taken::ByOne);
        }
        Ok(())
    }

    /// Gives what is free to those who wait.
    fn give(turns: &Arc<Self>) {
        loop {
            let mut state = turns.locked();
            state.sweep();
            if state.running.values().sum::<usize>() >= turns.places.at_once {
                return;
            }
            let next = state.queues.iter().position(|(who, _)| state.running_of(who) < turns.places.of_one);
            let Some((who, mut queue)) = next.and_then(|next| state.queues.remove(next)) else { return };
            let first = queue.pop_front();
            *state.running.entry(who.clone()).or_default() += 1;
            let held = Held { turns: Arc::clone(turns), who: who.clone() };
            if !queue.is_empty() {
                state.queues.push_back((who, queue));
            }
            drop(state);
            // To who has just left it is not given: it comes back by being dropped.
            let _ = first.map(|waits| waits.send(Turn::of(held)));
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn turns(at_once: usize, of_one: usize, waiting: usize, waiting_of_one: usize) -> Arc<Turns> {
        Turns::new(Places { at_once, of_one, waiting, waiting_of_one })
    }

    fn named(name: &str) -> Who {
        Who::of(Some(name), None)
    }

    #[test]
    fn readers_take_turns_whoever_came_first_with_many() {
        let turns = turns(1, 1, 16, 8);
        let first = Turns::take(&turns, named("a")).now_or_never().unwrap().unwrap();
        let mut of_a: Vec<_> = (0..4).map(|_| Box::pin(Turns::take(&turns, named("a")))).collect();
        for waits in &mut of_a {
            assert!(waits.as_mut().now_or_never().is_none());
        }
        let mut of_b = Box::pin(Turns::take(&turns, named("b")));
        assert!(of_b.as_mut().now_or_never().is_none());
        drop(first);
        // a was served first and then b has come, so one of a is next, and then b before the other three.
        let second = of_a[0].as_mut().now_or_never().expect("a's next").unwrap();
        assert!(of_b.as_mut().now_or_never().is_none());
        drop(second);
        assert!(of_a[1].as_mut().now_or_never().is_none());
        let _third = of_b.as_mut().now_or_never().expect("b's turn").unwrap();
    }

    #[test]
    fn one_reader_leaves_a_turn_and_places_to_the_others() {
        let turns = turns(2, 1, 4, 2);
        let _first = Turns::take(&turns, named("a")).now_or_never().unwrap().unwrap();
        let mut waits: Vec<_> = (0..2).map(|_| Box::pin(Turns::take(&turns, named("a")))).collect();
        for waits in &mut waits {
            assert!(waits.as_mut().now_or_never().is_none(), "the other turn is not for the same reader");
        }
        let more = Turns::take(&turns, named("a")).now_or_never().unwrap();
        assert_eq!(more.err(), Some(Taken::ByOne));
        assert!(Turns::take(&turns, named("b")).now_or_never().is_some_and(|turn| turn.is_ok()));
    }

    #[test]
    fn who_leaves_its_place_leaves_nothing_behind() {
        let turns = turns(1, 1, 1, 1);
        let first = Turns::take(&turns, named("a")).now_or_never().unwrap().unwrap();
        let mut waits = Box::pin(Turns::take(&turns, named("b")));
        assert!(waits.as_mut().now_or_never().is_none());
        assert_eq!(Turns::take(&turns, named("c")).now_or_never().unwrap().err(), Some(Taken::ByAll));
        drop(waits);
        let mut waits = Box::pin(Turns::take(&turns, named("c")));
        assert!(waits.as_mut().now_or_never().is_none(), "b's place is free");
        drop(first);
        drop(waits);
        assert!(Turns::take(&turns, named("d")).now_or_never().is_some_and(|turn| turn.is_ok()), "and so is the turn");
    }

    #[test]
    fn a_household_is_one_reader_and_a_name_goes_before_an_address() {
        let of = |text: &str| Who::of(None, text.parse().ok());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_eq!(Who::of(Some("a"), "192.0.2.1".parse().ok()), named("a"));
    }
}
