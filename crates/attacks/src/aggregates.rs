//! A11: is a person in the data? What is learned from whole vectors of released numbers (Pyrgelis, Troncoso and De Cristofaro
//! 2018; privacy.md 7.2).
//!
//! The attacker knows the victim's quasi-identifiers, a part of the others, and of the rest how codes are spread. She makes shadow
//! populations with the victim and with somebody else in her place, asks tables like the published ones and cells of the victim's
//! neighbourhood of each, learns to tell both kinds apart, and judges populations that she has not seen.
//!
//! Absent: secrets; populations that differ in size.

use anyhow::Result;
use policy::{Policy, Share};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::know::{Public, between};
use crate::learner::{Example, Learned};
use crate::people::People;
use crate::referee::Arena;
use crate::target::{Door, Reply, Sql, Target};

/// Persons of a population.
const PERSONS: usize = 400;
/// Shadow populations from which the attacker learns, for each victim.
const SHADOWS: usize = 160;
/// Populations about each victim that are judged.
const JUDGED: usize = 200;
/// Cells of the victim's neighbourhood.
const CELLS: usize = 120;
/// What draws the weights of the classifier to nothing: there are more numbers than shadows.
const RIDGE: f64 = 0.3;
/// Tables like those that are published.
const TABLES: [&str; 5] =
    ["year, province", "year, sex, age_group", "year, sector", "year, citizenship", "province, status"];
/// Levels of the victim's neighbourhood.
const LEVELS: [&str; 7] = ["sex", "age_group", "age_band", "province", "status", "citizenship", "sector"];

/// How many of the others are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    /// One in twenty.
    Twentieth,
    /// Every second one.
    Half,
    /// All of them.
    AllButOne,
}

impl Background {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::AllButOne, Self::Half, Self::Twentieth];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Twentieth => "5 % known",
            Self::Half => "half known",
            Self::AllButOne => "all but one known",
        }
    }

    const fn known(self) -> usize {
        match self {
            Self::Twentieth => PERSONS / 20,
            Self::Half => PERSONS / 2,
            Self::AllButOne => PERSONS - 1,
        }
    }
}

/// Judgments about as many populations as there are trials: the score, and whether the victim is in it. Scores are in units of
/// the classifier of each victim. With `quotas` all roles' shares are spent.
pub fn judged(arena: &Arena, target: Target, background: Background, quotas: bool) -> Result<Vec<(f64, bool)>> {
    let judged = JUDGED.min(arena.trials);
    let all = arena.some(arena.trials.div_ceil(judged), &|door: &Door, number| {
        let mut rng = ChaCha8Rng::seed_from_u64(0xa11a << 32 | number);
        let world = World::new(door.policy(), background, &mut rng);
        let examples: Vec<Example> = (0..SHADOWS + judged)
            .map(|at| world.example(door, (target, quotas), at, &mut rng))
            .collect::<Result<_>>()?;
        let (shadows, unseen) = examples.split_at(SHADOWS);
        let learned = Learned::from(shadows, RIDGE);
        Ok(Some(unseen.iter().map(|(features, is_in)| (learned.score(features), *is_in)).collect::<Vec<_>>()))
    })?;
    Ok(all.concat())
}

/// What the attacker knows: the victim, some others, and a reserve that is like the rest.
struct World {
    /// The victim first, then those who are known, then the reserve.
    reserve: People,
    known: usize,
    cells: Vec<String>,
}

/// Persons of the reserve for each of a population.
const RESERVE: usize = 5;

impl World {
    fn new(policy: &Policy, background: Background, rng: &mut ChaCha8Rng) -> Self {
        let reserve = People::victims(policy, RESERVE * PERSONS, rng).shuffled(rng);
        let cells = cells(policy, &reserve, rng);
        Self { reserve, known: background.known(), cells }
    }

    /// A population, every second one with the victim, and its answers.
    fn example(
        &self,
        door: &Door,
        (target, quotas): (Target, bool),
        at: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<Example> {
        let is_in = at.is_multiple_of(2);
        let first = usize::from(!is_in);
        let mut persons: Vec<usize> = (first..=self.known).collect();
        while persons.len() < PERSONS {
            let person = rng.random_range(self.known + 1..self.reserve.len());
            if !persons.contains(&person) {
                persons.push(person);
            }
        }
        door.open_with(target, rng.random(), &[&self.reserve.only(persons)], quotas)?;
        if quotas {
            door.declare()?;
        }
        Ok((self.features(door, quotas), is_in))
    }

    /// All numbers, and of each cell whether it is shown. What is hidden counts as the middle between nothing and the floor.
    fn features(&self, door: &Door, quotas: bool) -> Vec<f64> {
        let mut answers: Vec<Option<i64>> = Vec::new();
        for by in TABLES {
            let reply = door
                .ask(&format!("select n from (select {by}, count(*) n from victims group by {by} order by {by}) t"));
            answers.extend(reply.numbers().into_iter().flatten());
        }
        if quotas {
            answers.extend(self.cells.iter().map(|cell| paid(door, cell)));
        } else {
            answers.extend(door.counts("victims", &self.cells));
        }
        let number = |answer: &Option<i64>| answer.map_or(5.5, |number| number as f64);
        let shown = |answer: &Option<i64>| f64::from(u8::from(answer.is_some()));
        answers.iter().map(number).chain(answers.iter().map(shown)).collect()
    }
}

/// The answer to whichever role can still pay for it.
fn paid(door: &Door, cell: &str) -> Option<i64> {
    let sql = format!("select count(*) from victims where {cell}");
    let reply = Share::ALL.iter().map(|role| door.ask_as(*role, &sql)).find(Reply::is_answer)?;
    reply.first().first().copied().flatten()
}

/// Populations that the victim would be in: two of her codes, or one and a stretch of months with hers at one end.
fn cells(policy: &Policy, reserve: &People, rng: &mut ChaCha8Rng) -> Vec<String> {
    const VICTIM: usize = 0;
    let public = Public::of(policy, reserve);
    let (own, months) = (public.known["month"][VICTIM], &public.known["month"]);
    let (first, last) = (*months.iter().min().unwrap_or(&own), *months.iter().max().unwrap_or(&own));
    let cell = || {
        let level = LEVELS.choose(rng).copied().unwrap_or("sex");
        let levels: Vec<&str> =
            [level].into_iter().chain(LEVELS.choose(rng).copied().filter(|other| *other != level)).collect();
        let span = if rng.random_bool(0.5) {
            (first.max(own - rng.random_range(0..18)), own)
        } else {
            (own, last.min(own + rng.random_range(0..18)))
        };
        let conditions: Vec<String> = levels.iter().map(|level| public.condition(level, VICTIM)).collect();
        format!("{} and {}", conditions.join(" and "), between(span))
    };
    std::iter::repeat_with(cell).take(CELLS).collect()
}
