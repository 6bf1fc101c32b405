//! The referee: makes trials, lets an attack run against a target with a fresh vault, and compares its claims with the truth.
//!
//! Absent: any hint to the attacker of what is true.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, anyhow};
use policy::Policy;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::know::{Knowledge, Pair, Public};
use crate::membership::Attack;
use crate::people::{People, Secret};
use crate::score::{Metric, Score, Tally, auc, auc_limit, wilson};
use crate::target::{Door, Sql, Target};

/// Workers: the machines that this is for have two cores.
pub const WORKERS: usize = 2;
/// Different keys.
const KEYS: u64 = 16;
/// How many pairs are tried for each that a trial needs.
const TRIES: usize = 12;
/// By how many persons sets must differ to be no neighbours of each other: about half of them have the secret.
const APART: usize = 36;

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

    /// Whether a number is of this size.
    pub const fn holds(self, n: usize) -> bool {
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

/// The population that is attacked, and the doors to it.
pub struct Arena {
    /// The policy in force.
    pub policy: Arc<Policy>,
    /// The population.
    pub people: People,
    /// Trials of a class.
    pub trials: usize,
    /// Workers.
    pub workers: usize,
    /// The slots in which answers leave; `None`: as soon as they are there.
    pub slot: Option<Duration>,
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
    /// How many of the others have the secret, where that is fixed.
    pub having: Option<usize>,
    /// Whether the victim must be the only one of her case, beside so many cases.
    pub cases: Option<(usize, usize)>,
}

impl Arena {
    /// The same with one in `share` of the trials, and no doors yet.
    #[must_use]
    pub fn part(&self, share: usize) -> Self {
        Self {
            policy: Arc::clone(&self.policy),
            people: self.people.clone(),
            trials: self.trials.div_ceil(share),
            workers: self.workers,
            slot: self.slot,
            doors: Mutex::default(),
        }
    }

    /// Runs `one` for as many trials as there are, on all workers; each has a door of its own.
    pub fn parallel<T: Send>(&self, one: &(dyn Fn(&Door, u64) -> Result<Option<T>> + Sync)) -> Result<Vec<T>> {
        self.some(self.trials, one)
    }

    /// The same, so many.
    pub fn some<T: Send>(
        &self,
        trials: usize,
        one: &(dyn Fn(&Door, u64) -> Result<Option<T>> + Sync),
    ) -> Result<Vec<T>> {
        let worker = |worker: usize| -> Result<Vec<T>> {
            let free = self.doors.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let door = free.map_or_else(|| Door::timed(&self.policy, self.slot), Ok)?;
            let wanted = trials / self.workers + usize::from(worker < trials % self.workers);
            let mut done = Vec::with_capacity(wanted);
            let mut number = worker as u64;
            while done.len() < wanted {
                if let Some(result) = one(&door, number)? {
                    done.push(result);
                }
                number += self.workers as u64;
                if number > 1_000_000 {
                    return Err(anyhow!("too few trials of this kind can be had in the population"));
                }
            }
            self.doors.lock().unwrap_or_else(PoisonError::into_inner).push(door);
            Ok(done)
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..self.workers).map(|at| scope.spawn(move || worker(at))).collect();
            let mut all = Vec::new();
            for handle in workers {
                all.extend(handle.join().map_err(|_| anyhow!("a worker broke off"))??);
            }
            Ok(all)
        })
    }

    /// Trials of one kind: made once, so that all targets are attacked with the same questions.
    pub fn plans(&self, kind: Membership) -> Result<Trials<'_>> {
        let public = Public::of(&self.policy, &self.people);
        let truth: Vec<bool> =
            (0..self.people.len()).map(|person| self.people.has(&self.policy, person, kind.secret)).collect();
        let bases = public.isolating(kind.conditions, kind.r);
        let victims: Vec<usize> = (0..truth.len()).filter(|&person| !bases[person].is_empty()).collect();
        let plans = self.parallel(&|_, number| {
            let mut rng = ChaCha8Rng::seed_from_u64(0xa11a ^ number << 8);
            let victim = victims[rng.random_range(0..victims.len())];
            Ok(plan(&public, &truth, (victim, &bases[victim]), kind, &mut rng).map(|pairs| (victim, pairs)))
        })?;
        Ok(Trials { arena: self, secret: kind.secret, public, truth, plans })
    }
}

/// Trials on membership.
pub struct Trials<'a> {
    arena: &'a Arena,
    secret: Secret,
    public: Public<'a>,
    truth: Vec<bool>,
    plans: Vec<(usize, Vec<Pair>)>,
}

impl Trials<'_> {
    /// Lets an attack run: one tally for each of its claims. One in `share` of the trials is enough where a target is only a
    /// control. With `quotas` a role's share of the charges is a limit, and what is refused tells nothing.
    pub fn run(&self, target: Target, attack: &dyn Attack, share: usize, quotas: bool) -> Result<Vec<Tally>> {
        let results = self.each(target, share, quotas, &|door, know, rng| attack.run(door, know, rng))?;
        let mut tallies = Vec::new();
        for (claims, truth) in results {
            tallies.resize(claims.len(), Tally::default());
            claims.into_iter().zip(&mut tallies).for_each(|(claim, tally)| tally.add(claim, truth));
        }
        Ok(tallies)
    }

    /// What `one` makes of each trial's questions, beside the truth.
    pub fn each<T: Send>(
        &self,
        target: Target,
        share: usize,
        quotas: bool,
        one: &(dyn Fn(&dyn Sql, &Knowledge<'_>, &mut ChaCha8Rng) -> T + Sync),
    ) -> Result<Vec<(T, bool)>> {
        let trials = self.plans.len().div_ceil(share);
        self.arena.some(trials, &|door, number| {
            let (victim, pairs) = &self.plans[number as usize % self.plans.len()];
            let has = |person: &&usize| self.truth[**person];
            let others = pairs.iter().map(|pair| pair.others.iter().filter(has).count() as i64).collect();
            door.open_with(target, number % KEYS, &[&self.arena.people], quotas)?;
            let pairs = pairs.clone();
            let know = Knowledge { target, secret: self.secret, pairs, others, public: &self.public };
            Ok(Some((one(door, &know, &mut ChaCha8Rng::seed_from_u64(number)), self.truth[*victim])))
        })
    }
}

/// Pairs that isolate a victim.
fn plan(
    public: &Public<'_>,
    truth: &[bool],
    (victim, bases): (usize, &[Vec<&'static str>]),
    kind: Membership,
    rng: &mut ChaCha8Rng,
) -> Option<Vec<Pair>> {
    let mut pairs: Vec<Pair> = Vec::new();
    let size = kind.size.persons();
    for _ in 0..TRIES * kind.pairs {
        let found = if kind.complements && rng.random_bool(0.5) {
            public.complement(victim, &size, kind.r, rng)
        } else {
            public.pair(victim, &bases[rng.random_range(0..bases.len())], &size, kind.r, rng)
        };
        let Some(pair) = found.filter(|pair| fits(public, victim, pair, kind)) else { continue };
        let having = |persons: &[usize]| persons.iter().filter(|&&at| truth[at]).count();
        let n = having(&pair.rest);
        if kind.having.is_some_and(|wanted| wanted != having(&pair.others)) {
            continue;
        }
        let differing = |before: &Pair| {
            let common = before.rest.iter().filter(|at| pair.rest.binary_search(at).is_ok()).count();
            before.rest.len() + pair.rest.len() - 2 * common
        };
        let least = if kind.apart { APART } else { 1 };
        if kind.size.holds(n) && pairs.iter().all(|before| differing(before) >= least) {
            pairs.push(pair);
            if pairs.len() == kind.pairs {
                return Some(pairs);
            }
        }
    }
    None
}

/// Whether the cases of a pair are as they must be.
fn fits(public: &Public<'_>, victim: usize, pair: &Pair, kind: Membership) -> bool {
    let Some((least, most)) = kind.cases else { return true };
    let cases: BTreeSet<u64> = pair.rest.iter().map(|&at| public.case[at]).collect();
    !cases.contains(&public.case[victim]) && (least..=most).contains(&cases.len())
}

/// A line of the board; its goal and its control come with [`Score::bounded`].
fn line(attack: &'static str, class: String, target: Target, metric: Metric, trials: usize) -> Score {
    let (value, upper, at_most, at_least, open) = (0.0, 0.0, None, None, None);
    Score { attack, class, target, metric, trials, value, upper, at_most, at_least, open, is_beyond: false }
}

/// A line of the board from a tally.
pub fn accuracy(attack: &'static str, class: String, target: Target, tally: Tally) -> Score {
    let (value, trials) = (tally.accuracy(), tally.trials());
    Score { value, upper: wilson(value, trials), ..line(attack, class, target, Metric::Accuracy, trials) }
}

/// A line from a share.
pub fn share(attack: &'static str, class: String, target: Target, hits: usize, trials: usize) -> Score {
    let value = if trials == 0 { 0.0 } else { hits as f64 / trials as f64 };
    Score { value, upper: wilson(value, trials), ..line(attack, class, target, Metric::Share, trials) }
}

/// A line from a number of things.
pub fn number(attack: &'static str, class: String, target: Target, count: usize, tried: usize) -> Score {
    let value = count as f64;
    Score { value, upper: value, ..line(attack, class, target, Metric::Count, tried) }
}

/// A line from a mean over so many things.
pub fn mean(attack: &'static str, class: String, target: Target, value: f64, things: usize) -> Score {
    Score { value, upper: value, ..line(attack, class, target, Metric::Mean, things) }
}

/// A line from what was right of so many claims, where `base` of them are right without the answers: `(C - P) / (1 - P)`.
pub fn gain(attack: &'static str, class: String, target: Target, (right, claims): (usize, usize), base: f64) -> Score {
    let beyond = |rate: f64| if base < 1.0 { (rate - base) / (1.0 - base) } else { 0.0 };
    let rate = if claims == 0 { base } else { right as f64 / claims as f64 };
    // Who claims nothing is never right.
    let upper = if claims == 0 { 0.0 } else { beyond(wilson(rate, claims)) };
    Score { value: beyond(rate), upper, ..line(attack, class, target, Metric::Gain, claims) }
}

/// A line from scores, the higher the likelier the secret: the area under the curve.
pub fn area(attack: &'static str, class: String, target: Target, scored: &[(f64, bool)]) -> Score {
    let with = scored.iter().filter(|(_, has)| *has).count();
    let value = auc(scored);
    let upper = auc_limit(value, with, scored.len() - with);
    Score { value, upper, ..line(attack, class, target, Metric::Auc, scored.len()) }
}

impl Score {
    /// A share less what is right without the answers.
    #[must_use]
    pub fn less(self, base: f64) -> Self {
        Self { metric: Metric::Gain, value: self.value - base, upper: self.upper - base, ..self }
    }

    /// Where the goal binds on the estimate itself.
    #[must_use]
    pub fn on_estimate(self) -> Self {
        Self { upper: self.value, ..self }
    }

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
