//! A2 and A4: the number of a group that is never shown, or the exact one of a group that is, from sums over other groups
//! (privacy.md 7.2).
//!
//! Absent: any question about a hidden group itself; `OR` over two columns, which the grammar has not.

use std::collections::BTreeSet;

use anyhow::Result;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::know::{Public, between};
use crate::numeric::Tracked;
use crate::referee::Arena;
use crate::target::{Door, Sql, Target};

/// Whose group is too small to be shown.
const HIDDEN: &str = "AF";
/// Part of them among those of Pakistan and Afghanistan.
const SHARE: f64 = 0.08 / 0.96;

/// How Denning's trackers are put into the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tracker {
    /// All, without those who are not of the group.
    Individual,
    /// The group with those of a second one, without the second one.
    General,
    /// Both, and both again in two parts of the population: as many estimates as there are.
    Union,
}

impl Tracker {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Individual, Self::General, Self::Union];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Individual => "individual tracker",
            Self::General => "general tracker",
            Self::Union => "union of trackers",
        }
    }

    /// Pairs of which the first has the group more than the second.
    fn differences(self, all: &str) -> Vec<[String; 2]> {
        let of = |more: &str, fewer: &str| {
            let under = |also: &str| if also.is_empty() { all.to_owned() } else { format!("{all} and {also}") };
            [under(more), under(fewer)]
        };
        let individual = of("", "citizenship in ('PK', 'BD', '_X')");
        let general = of("citizenship in ('PK', 'AF')", "citizenship = 'PK'");
        match self {
            Self::Individual => vec![individual],
            Self::General => vec![general],
            Self::Union => {
                vec![individual, general, of("citizenship in ('AF', 'BD', 'PK')", "citizenship in ('BD', 'PK')")]
            }
        }
    }
}

/// Groups of 1 to 10 within one of the truth.
pub fn tracked(arena: &Arena, target: Target, tracker: Tracker) -> Result<Tracked> {
    estimated(arena, target, 0xa2a, &|door, all, guess| {
        let answers = door.counts("victims", &tracker.differences(all).concat());
        estimate(&answers, guess, target, 8.0)
    })
}

/// A4, suppressed parts: the same groups, from the sums over all ways to part everybody in two, and everybody but the group.
pub fn suppressed(arena: &Arena, target: Target) -> Result<Tracked> {
    estimated(arena, target, 0xa4a, &|door, all, guess| {
        let parts = partitions();
        let rest = format!("{all} and citizenship in ('PK', 'BD', '_X')");
        let of = |whole: &str| parts.iter().map(|part| format!("{whole} and {part}")).collect::<Vec<_>>();
        let everybody = door.counts("victims", &of(all));
        let others = door.counts("victims", &of(&rest));
        let sum = |two: &[Option<i64>]| Some(two[0]? + two[1]?);
        let sums = everybody.chunks(2).zip(others.chunks(2)).flat_map(|(all, others)| [sum(all), sum(others)]);
        let sums = door.counts("victims", &[all.to_owned(), rest]).into_iter().chain(sums);
        // A sum of two parts has two draws of noise.
        estimate(&sums.collect::<Vec<_>>(), guess, target, 16.0)
    })
}

/// Groups too small to be shown, estimated through the door from what all are called and a guess by their size.
fn estimated(
    arena: &Arena,
    target: Target,
    seed: u64,
    through: &(dyn Fn(&Door, &str, f64) -> f64 + Sync),
) -> Result<Tracked> {
    let public = Public::of(&arena.policy, &arena.people);
    let (citizenship, months) = (&public.known["citizenship"], &public.known["month"]);
    let hidden = public.dataset.code_of("citizenship", HIDDEN, crate::people::YEARS);
    let latest = *months.iter().max().unwrap_or(&0);
    let results = arena.parallel(&|door: &Door, number| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed << 32 | number);
        let example = rng.random_range(0..arena.people.len());
        let (first, last) = (months[example], months[example] + rng.random_range(0..8));
        let levels = [["province", "sex"], ["province", "age_group"], ["province", "status"]][rng.random_range(0..3)];
        let mut group = public.like(&levels, example);
        group.retain(|&at| (first..=last).contains(&months[at]));
        let truth = group.iter().filter(|&&at| Some(citizenship[at]) == hidden).count();
        if !(30..=140).contains(&group.len()) || !(1..=10).contains(&truth) || last > latest {
            return Ok(None);
        }
        door.open(target, number % 16, &[&arena.people])?;
        let base: Vec<String> = levels.iter().map(|level| public.condition(level, example)).collect();
        let all = format!("{} and {}", base.join(" and "), between((first, last)));
        let guess = (group.len() as f64 * SHARE).max(1.0);
        Ok(Some((truth as i64, through(door, &all, guess).round() as i64, guess.round() as i64)))
    })?;
    let near = |of: &dyn Fn(&(i64, i64, i64)) -> i64| results.iter().filter(|r| (of(r) - r.0).abs() <= 1).count();
    let best = (1..=10).map(|guess| near(&|_| guess)).max().unwrap_or(0);
    Ok(Tracked { trials: results.len(), near: near(&|r| r.1), guessed: best.max(near(&|r| r.2)) })
}

/// The mean of the differences, each of this variance, drawn to the guess as its noise deserves.
fn estimate(answers: &[Option<i64>], guess: f64, target: Target, variance: f64) -> f64 {
    let differences: Vec<f64> = answers
        .chunks(2)
        .filter_map(|two| match two {
            [Some(more), Some(fewer)] if target != Target::Ours || more != fewer => Some((more - fewer) as f64),
            _ => None,
        })
        .collect();
    if differences.is_empty() {
        // One number for both: the group is small.
        return guess.min(4.0);
    }
    let (count, mean) = (differences.len() as f64, differences.iter().sum::<f64>() / differences.len() as f64);
    if target == Target::K11Exact { mean } else { guess + (mean - guess) * guess / (guess + variance / count) }
}

/// What averaging over partitions gave (Asghar and Kaafar).
#[derive(Debug, Clone, Copy, Default)]
pub struct Averaged {
    /// Groups of fewer than 100.
    pub trials: usize,
    /// Most different sums for one group.
    pub copies: usize,
    /// Groups whose number was told exactly.
    pub exact: usize,
    /// The same where only the group itself is asked about.
    pub guessed: usize,
}

/// Columns by which a group is parted in two.
const PARTED: [(&str, &[&str]); 3] = [
    ("sex", &["F", "M", "T", "_X"]),
    ("status", &["actual", "possible", "_X"]),
    ("age_group", &["child", "adult", "_X"]),
];

/// A4: the number of a group of 11 to 99 as the mean of all sums of two parts.
pub fn averaged(arena: &Arena, target: Target) -> Result<Averaged> {
    let public = Public::of(&arena.policy, &arena.people);
    let months = &public.known["month"];
    let latest = *months.iter().max().unwrap_or(&0);
    let results = arena.parallel(&|door: &Door, number| {
        let mut rng = ChaCha8Rng::seed_from_u64(0xa4 << 32 | number);
        let example = rng.random_range(0..arena.people.len());
        let (first, last) = (months[example], months[example] + rng.random_range(0..8));
        let levels = [["province", "sector"], ["citizenship", "sector"]][rng.random_range(0..2)];
        let mut group = public.like(&levels, example);
        group.retain(|&at| (first..=last).contains(&months[at]));
        if !(24..=99).contains(&group.len()) || last > latest {
            return Ok(None);
        }
        door.open(target, number % 16, &[&arena.people])?;
        let base: Vec<String> = levels.iter().map(|level| public.condition(level, example)).collect();
        let all = format!("{} and {}", base.join(" and "), between((first, last)));
        let parts: Vec<String> = partitions().into_iter().map(|part| format!("{all} and {part}")).collect();
        let answers = door.counts("victims", &[std::slice::from_ref(&all), &parts].concat());
        let whole = answers[0];
        // Nearly the same parts have the same numbers: that is no copy.
        let pairs: BTreeSet<(i64, i64)> = answers[1..].chunks(2).filter_map(|two| Some((two[0]?, two[1]?))).collect();
        let sums: Vec<i64> = whole.into_iter().chain(pairs.into_iter().map(|(one, other)| one + other)).collect();
        let truth = group.len() as i64;
        let weighted = mean(whole, &sums);
        Ok(Some((sums.len(), weighted == Some(truth), whole == Some(truth))))
    })?;
    let count = |of: &dyn Fn(&(usize, bool, bool)) -> bool| results.iter().filter(|result| of(result)).count();
    Ok(Averaged {
        trials: results.len(),
        copies: results.iter().map(|result| result.0).max().unwrap_or(0),
        exact: count(&|result| result.1),
        guessed: count(&|result| result.2),
    })
}

/// The number of the whole has one draw, a sum of two parts two of them.
fn mean(whole: Option<i64>, sums: &[i64]) -> Option<i64> {
    let all: i64 = sums.iter().sum();
    let (twice, weights) = (all + whole.unwrap_or(0), sums.len() as i64 + i64::from(whole.is_some()));
    (weights > 0).then(|| (twice as f64 / weights as f64).round() as i64)
}

/// Every way to part the codes of a column in two, as two conditions each.
fn partitions() -> Vec<String> {
    let mut found = Vec::new();
    for (column, codes) in PARTED {
        for chosen in 1..1_u32 << (codes.len() - 1) {
            let side = |inside: bool| {
                let of = (0..codes.len()).filter(|at| (chosen >> at & 1 == 1) == inside);
                let texts: Vec<String> = of.map(|at| format!("'{}'", codes[at])).collect();
                format!("{column} in ({})", texts.join(", "))
            };
            found.extend([side(true), side(false)]);
        }
    }
    found
}
