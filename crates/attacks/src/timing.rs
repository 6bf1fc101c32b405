//! A19: what a clock at the client's end tells, through the real endpoint with its real slots (privacy.md 6.11, 7.2).
//!
//! The two databases of a comparison differ in one person, and what is asked is the smallest set that she is in. An answer is
//! timed when nothing is known of it, when it is in the cache, and when a set that is near or not near was asked about before.
//! The classifier is the latency itself: how often it is longer for one side than for the other.
//!
//! Absent: the network, whose jitter hides more than this.

use std::time::{Duration, Instant};

use anyhow::Result;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::know::Public;
use crate::people::{BALANCED, People};
use crate::referee::Arena;
use crate::target::{Door, Sql, Target};

/// The shortest time after which an answer leaves, as it is shipped.
pub const SLOT: Duration = Duration::from_millis(250);

/// Workers where answers wait for slots: they need hardly a processor.
const WORKERS: u64 = 8;

/// What two latencies are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// With the person and without her, asked for the first time.
    Cold,
    /// The same, asked before.
    Warm,
    /// The same, after the set without her was asked about: near, if she is in it, else the same set.
    Anchored,
    /// A set that a near one answers for against one that has a number of its own, in one database.
    HitOrMiss,
    /// An answer that is known against one that is not, in one database: no secret, but a sign that the clock sees work.
    KnownOrNew,
}

impl Compared {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Cold, Self::Warm, Self::Anchored, Self::HitOrMiss, Self::KnownOrNew];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cold => "one person more, cold",
            Self::Warm => "one person more, warm",
            Self::Anchored => "one person more, after a near set",
            Self::HitOrMiss => "near set or new one",
            Self::KnownOrNew => "known answer or new one",
        }
    }
}

/// So many answers of each side with their latencies in microseconds; without a `slot` they leave when they are there.
pub fn timed(
    arena: &Arena,
    target: Target,
    compared: Compared,
    slot: Option<Duration>,
    each: usize,
) -> Result<Vec<(f64, bool)>> {
    let public = Public::of(&arena.policy, &arena.people);
    let bases = public.isolating(1, 0);
    // One after the other where nothing is waited for, or they would be timed against each other.
    let workers = if slot.is_some() { WORKERS } else { 1 };
    let arena = &Arena { slot, workers: workers as usize, ..arena.part(1) };
    arena.some(2 * each, &|door: &Door, number| {
        let mut rng = ChaCha8Rng::seed_from_u64(0xa19 << 32 | number);
        let victim = rng.random_range(0..arena.people.len());
        let Some(levels) = bases[victim].first() else { return Ok(None) };
        let Some(pair) = public.pair(victim, levels, &(40..=70), 0, &mut rng) else { return Ok(None) };
        let side = number / workers % 2 == 0;
        let is_in = side || matches!(compared, Compared::HitOrMiss | Compared::KnownOrNew);
        let people = if is_in { arena.people.clone() } else { arena.people.without(&[victim]) };
        // Both sides are prepared anew. A door keeps the rows of a population that has a name, and the work that this saved one
        // side before the clock began was seen on the clock (.53; with equal work .50).
        let people = People { name: 0, ..people };
        door.open(target, number, &[&people])?;
        let own = arena.people.one[BALANCED.column][victim];
        let own =
            format!("{} = '{}'", BALANCED.column, public.dataset.code_text(BALANCED.column, own).unwrap_or_default());
        let sql = |condition: &str| format!("select count(*) from victims where {condition}");
        let (asked, near) = (sql(&pair.larger(&own)), sql(&pair.smaller(&own)));
        let before = match (compared, side) {
            (Compared::Cold, _) => None,
            (Compared::Warm, _) | (Compared::KnownOrNew, true) => Some(asked.clone()),
            (Compared::Anchored, _) | (Compared::HitOrMiss, true) => Some(near),
            // Something else is asked before, so that the first question of a vault is not what is timed.
            (Compared::HitOrMiss | Compared::KnownOrNew, false) => Some(sql("year = 2022 and sex = 'M'")),
        };
        if let Some(before) = before {
            door.ask(&before);
        }
        let began = Instant::now();
        door.ask(&asked);
        Ok(Some((began.elapsed().as_secs_f64() * 1e6, side)))
    })
}
