//! The referee: makes trials, lets an attack run against a target with a fresh vault, and compares its claims with the truth.
//!
//! Absent: any hint to the attacker of what is true.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, anyhow};
use policy::Policy;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::know::{Knowledge, Pair, Public};
use crate::membership::Attack;
use crate::people::{People, Secret};
use crate::score::{Metric, Score, Tally, wilson};
use crate::target::{Door, Target};

/// Workers: the machines that this is for have two cores.
const WORKERS: usize = 2;
/// Different keys.
const KEYS: u64 = 16;
/// How many plans are tried for one trial.
const TRIES: u64 = 4_000;

/// Cells of the smaller set, by the number of its persons with the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// 11 to 33.
    Small,
    /// 34 and more.
    Large,
}

impl Size {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Small, Self::Large];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Small => "n = 11..33",
            Self::Large => "n ≥ 34",
        }
    }

    const fn holds(self, n: usize) -> bool {
        match self {
            Self::Small => n >= 11 && n <= 33,
            Self::Large => n >= 34,
        }
    }

    /// Persons of a population of which about half have the secret.
    const fn persons(self) -> std::ops::RangeInclusive<usize> {
        match self {
            Self::Small => 26..=60,
            Self::Large => 74..=320,
        }
    }
}

/// What is attacked and with what means.
pub struct Arena {
    /// The policy in force.
    pub policy: Arc<Policy>,
    /// The population.
    pub people: People,
    /// Trials of a class.
    pub trials: usize,
    /// Doors that are not in use: each remembers the rows that it prepared.
    pub doors: Mutex<Vec<Door>>,
}

/// A kind of trial on membership.
#[derive(Clone, Copy)]
pub struct Membership {
    /// What the attacker wants to know.
    pub secret: Secret,
    /// Size of the cells.
    pub size: Size,
    /// Others in the difference, of whom she knows the secret.
    pub r: usize,
    /// Pairs of one trial.
    pub pairs: usize,
    /// Conditions of a base.
    pub conditions: usize,
    /// Whether pairs may be complements (`NOT q`).
    pub complements: bool,
    /// Whether stretches of one trial must end differently enough to be no neighbours of each other.
    pub apart: bool,
}

impl Arena {
    /// Runs `one` for as many trials as there are, on all workers; each has a door of its own.
    pub fn parallel<T: Send>(&self, one: &(dyn Fn(&Door, u64) -> Result<Option<T>> + Sync)) -> Result<Vec<T>> {
        let worker = |worker: usize| -> Result<Vec<T>> {
            let free = self.doors.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let door = free.map_or_else(|| Door::new(&self.policy), Ok)?;
            let wanted = self.trials / WORKERS + usize::from(worker < self.trials % WORKERS);
            let mut done = Vec::with_capacity(wanted);
            let mut number = worker as u64;
            while done.len() < wanted {
                if let Some(result) = one(&door, number)? {
                    done.push(result);
                }
                number += WORKERS as u64;
                if number > 200_000 {
                    return Err(anyhow!("too few trials of this kind can be had in the population"));
                }
            }
            self.doors.lock().unwrap_or_else(PoisonError::into_inner).push(door);
            Ok(done)
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..WORKERS).map(|at| scope.spawn(move || worker(at))).collect();
            let mut all = Vec::new();
            for handle in workers {
                all.extend(handle.join().map_err(|_| anyhow!("a worker broke off"))??);
            }
            Ok(all)
        })
    }

    /// Trials of an attack on membership: one tally for each of its claims.
    pub fn membership(&self, target: Target, attack: &dyn Attack, kind: Membership) -> Result<Vec<Tally>> {
        let public = Public::of(&self.policy, &self.people);
        let truth: Vec<bool> =
            (0..self.people.len()).map(|person| self.people.has(&self.policy, person, kind.secret)).collect();
        let results = self.parallel(&|door, number| {
            let mut rng = ChaCha8Rng::seed_from_u64(0xa11a ^ number << 8);
            let Some((victim, pairs)) = plan(&public, &truth, kind, &mut rng) else { return Ok(None) };
            let others = pairs.iter().map(|pair| pair.others.iter().filter(|&&at| truth[at]).count() as i64).collect();
            door.open(target, number % KEYS, &[&self.people])?;
            let know = Knowledge { target, secret: kind.secret, pairs, others, public: &public };
            let claims = attack.run(door, &know, &mut rng);
            Ok(Some((claims, truth[victim])))
        })?;
        let mut tallies = Vec::new();
        for (claims, truth) in results {
            tallies.resize(claims.len(), Tally::default());
            claims.into_iter().zip(&mut tallies).for_each(|(claim, tally)| tally.add(claim, truth));
        }
        Ok(tallies)
    }
}

/// A victim and pairs that isolate her.
fn plan(public: &Public<'_>, truth: &[bool], kind: Membership, rng: &mut ChaCha8Rng) -> Option<(usize, Vec<Pair>)> {
    let victim = rng.random_range(0..truth.len());
    let mut pairs: Vec<Pair> = Vec::new();
    let mut tries = 0;
    while pairs.len() < kind.pairs {
        tries += 1;
        if tries > 40 * kind.pairs as u64 || tries > TRIES {
            return None;
        }
        let complement = kind.complements && rng.random_bool(0.5);
        let size = kind.size.persons();
        let found = if complement {
            public.complement(victim, &size, kind.r, rng)
        } else {
            public.pair(victim, &size, kind.r, kind.conditions, rng)
        };
        let Some(pair) = found else { continue };
        let n = pair.rest.iter().filter(|&&at| truth[at]).count();
        let other = |before: &Pair| {
            let common = before.rest.iter().filter(|at| pair.rest.contains(at)).count();
            before.rest.len() + pair.rest.len() - 2 * common
        };
        let least = if kind.apart { 60 } else { 1 };
        if kind.size.holds(n) && pairs.iter().all(|before| other(before) >= least) {
            pairs.push(pair);
        }
    }
    Some((victim, pairs))
}

/// A line of the board from a tally.
pub fn accuracy(attack: &'static str, class: String, target: Target, tally: Tally) -> Score {
    let (value, trials) = (tally.accuracy(), tally.trials());
    let upper = wilson(value, trials);
    Score { attack, class, target, metric: Metric::Accuracy, trials, value, upper, at_most: None, at_least: None }
}

/// A line from a share.
pub fn share(attack: &'static str, class: String, target: Target, hits: usize, trials: usize) -> Score {
    let value = if trials == 0 { 0.0 } else { hits as f64 / trials as f64 };
    let upper = wilson(value, trials);
    Score { attack, class, target, metric: Metric::Share, trials, value, upper, at_most: None, at_least: None }
}

/// A line from a number of things.
pub fn number(attack: &'static str, class: String, target: Target, count: usize, tried: usize) -> Score {
    let value = count as f64;
    Score {
        attack,
        class,
        target,
        metric: Metric::Count,
        trials: tried,
        value,
        upper: value,
        at_most: None,
        at_least: None,
    }
}

impl Score {
    /// With a goal for what is built, and a control for a weaker target.
    #[must_use]
    pub fn bounded(mut self, goal: f64, controls: &[(Target, f64)]) -> Self {
        if self.target == Target::Ours {
            self.at_most = Some(goal);
        }
        self.at_least = controls.iter().find(|(target, _)| *target == self.target).map(|(_, least)| *least);
        self
    }
}
