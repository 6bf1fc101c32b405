//! What an attacker knows, and the questions that she finds with it: pairs of questions that differ by one person.
//!
//! She knows of everybody all that is no secret (every quasi-identifier), the cases, and how the answers are made
//! (Kerckhoffs); not the secrets and not the keys. A pair is two populations of the grammar: a base with a stretch of months,
//! and the same without the month in which the victim, and `r` others, stand at its end; or a base, and the same without a
//! code that the victim has.
//!
//! Absent: truth.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use policy::{Dataset, Policy, TimeLevel};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::people::Secret;
use crate::target::Target;

/// What an attacker knows.
pub struct Knowledge<'a> {
    /// Who she attacks: the mechanism is public.
    pub target: Target,
    /// The secret that she wants to know.
    pub secret: Secret,
    /// The questions that she has found.
    pub pairs: Vec<Pair>,
    /// Of each pair, how many of the others in the difference have the secret: she knows them.
    pub others: Vec<i64>,
    /// What everybody may know of everybody.
    pub public: &'a Public<'a>,
}

/// What everybody may know of everybody.
pub struct Public<'a> {
    /// Of which dataset.
    pub dataset: &'a Dataset,
    /// Codes by level.
    pub known: BTreeMap<String, Vec<u16>>,
    /// Cases: raids are in the newspapers.
    pub case: Vec<u64>,
}

/// Two populations that differ by the victim and `others`.
#[derive(Debug, Clone)]
pub struct Pair {
    /// Conditions on both.
    pub base: Vec<String>,
    /// The condition of the larger one; none where it is the base.
    pub with: Option<String>,
    /// The condition of the smaller one.
    pub without: String,
    /// The persons of the smaller one, whatever their secret.
    pub rest: Vec<usize>,
    /// Who is in the difference beside the victim.
    pub others: Vec<usize>,
    /// The months of the smaller one, for a stretch: first and last.
    pub months: Option<(u16, u16)>,
}

/// Levels by which a base selects.
const BASES: [&str; 6] = ["sex", "age_group", "province", "status", "citizenship", "sector"];
/// Levels of which NOT has few codes. Not the sex: NOT women holds transgender persons, whose cells have a stricter profile
/// than the base, so that both numbers would always differ and tell nothing.
const COMPLEMENTS: [&str; 3] = ["status", "age_group", "province"];

impl<'a> Public<'a> {
    /// Of a population.
    pub fn of(policy: &'a Policy, people: &crate::people::People) -> Self {
        Self {
            dataset: policy.datasets.get(&people.dataset).expect("a dataset"),
            known: people.known(policy),
            case: people.case.clone(),
        }
    }

    fn persons(&self) -> usize {
        self.known.get("month").map_or(0, Vec::len)
    }

    /// `level = 'CODE'` as the person has it.
    pub fn condition(&self, level: &str, person: usize) -> String {
        let code = self.known[level][person];
        format!("{level} = '{}'", self.dataset.code_text(level, code).unwrap_or_default())
    }

    /// The month of a person, as a condition.
    pub fn months_of(&self, person: usize) -> String {
        let own = self.known["month"][person];
        between((own, own))
    }

    /// Those who have the same codes as a person.
    pub fn like(&self, levels: &[&str], person: usize) -> Vec<usize> {
        let columns: Vec<(&[u16], u16)> = levels
            .iter()
            .map(|level| {
                let codes = self.known[*level].as_slice();
                (codes, codes[person])
            })
            .collect();
        (0..self.persons()).filter(|&at| columns.iter().all(|(codes, code)| codes[at] == *code)).collect()
    }

    /// For each person, the levels by which a base may select so that she and `r` others stand alone in her month.
    pub fn isolating(&self, most_levels: usize, r: usize) -> Vec<Vec<Vec<&'static str>>> {
        let levels: Vec<&'static str> = BASES.into_iter().filter(|level| self.known.contains_key(*level)).collect();
        let single = levels.iter().map(|&level| vec![level]);
        let double = levels.iter().enumerate().flat_map(|(at, &a)| levels[at + 1..].iter().map(move |&b| vec![a, b]));
        let mut found = vec![Vec::new(); self.persons()];
        for levels in single.chain(double).filter(|levels| levels.len() <= most_levels) {
            let key = |person: usize| {
                levels.iter().chain(&["month"]).map(|level| self.known[*level][person]).collect::<Vec<_>>()
            };
            let mut together: BTreeMap<Vec<u16>, Vec<usize>> = BTreeMap::new();
            (0..self.persons()).for_each(|person| together.entry(key(person)).or_default().push(person));
            for person in together.into_values().filter(|persons| persons.len() == r + 1).flatten() {
                found[person].push(levels.clone());
            }
        }
        found
    }

    /// A pair over a base, of which the smaller population has so many persons, and the difference `r` others.
    pub fn pair(
        &self,
        victim: usize,
        levels: &[&str],
        size: &RangeInclusive<usize>,
        r: usize,
        rng: &mut ChaCha8Rng,
    ) -> Option<Pair> {
        let base: Vec<String> = levels.iter().map(|level| self.condition(level, victim)).collect();
        let like = self.like(levels, victim);
        if like.len() < *size.start() {
            return None;
        }
        self.stretch(victim, &base, &like, size, r, rng)
    }

    /// Base and stretch of months of which the victim is at the end.
    fn stretch(
        &self,
        victim: usize,
        base: &[String],
        like: &[usize],
        size: &RangeInclusive<usize>,
        r: usize,
        rng: &mut ChaCha8Rng,
    ) -> Option<Pair> {
        let months = &self.known["month"];
        let own = months[victim];
        let others: Vec<usize> = like.iter().copied().filter(|&at| months[at] == own && at != victim).collect();
        if others.len() != r {
            return None;
        }
        let (first, last) = (*months.iter().min()?, *months.iter().max()?);
        let wanted = rng.random_range(size.clone());
        let backwards = rng.random_bool(0.5);
        let mut end = own;
        let rest = loop {
            if (backwards && end <= first) || (!backwards && end >= last) {
                return None;
            }
            end = if backwards { end - 1 } else { end + 1 };
            let inside = |at: &usize| {
                if backwards { (end..own).contains(&months[*at]) } else { months[*at] > own && months[*at] <= end }
            };
            let rest: Vec<usize> = like.iter().copied().filter(inside).collect();
            if rest.len() >= wanted {
                break rest;
            }
        };
        if !size.contains(&rest.len()) {
            return None;
        }
        let (with, months) = if backwards { ((end, own), (end, own - 1)) } else { ((own, end), (own + 1, end)) };
        Some(Pair {
            base: base.to_vec(),
            with: Some(between(with)),
            without: between(months),
            rest,
            others,
            months: Some(months),
        })
    }

    /// A base, and the same without a code that the victim has: `NOT q`.
    pub fn complement(
        &self,
        victim: usize,
        size: &RangeInclusive<usize>,
        r: usize,
        rng: &mut ChaCha8Rng,
    ) -> Option<Pair> {
        let apart = COMPLEMENTS[rng.random_range(0..COMPLEMENTS.len())];
        let levels: Vec<&str> = self.some_levels(2, rng).into_iter().filter(|level| *level != apart).collect();
        let like = self.like(&levels, victim);
        let (code, codes) = (self.known[apart][victim], &self.known[apart]);
        let (others, rest): (Vec<usize>, Vec<usize>) =
            like.into_iter().filter(|&at| at != victim).partition(|&at| codes[at] == code);
        if others.len() != r || !size.contains(&rest.len()) {
            return None;
        }
        let text = self.dataset.code_text(apart, code).unwrap_or_default();
        let base = levels.iter().map(|level| self.condition(level, victim)).collect();
        Some(Pair { base, with: None, without: format!("{apart} <> '{text}'"), rest, others, months: None })
    }

    /// Stretches near that of a pair: other beginnings, so that between `least` and `most` persons more or fewer are in
    /// them, the longest first. Whoever knows the sizes of groups can say so; of nobody's secret anything is known.
    pub fn neighbours(&self, pair: &Pair, apart: &RangeInclusive<usize>) -> Vec<Neighbour> {
        let Some((first, last)) = pair.months else { return Vec::new() };
        let months = &self.known["month"];
        let backwards = pair.with.as_deref() == Some(&between((first, last + 1)));
        let (least, most) = (*months.iter().min().unwrap_or(&first), *months.iter().max().unwrap_or(&last));
        let mut found = Vec::new();
        // The end where the victim stands stays; the other end moves.
        let moved = if backwards {
            (least..=last).map(|m| (m, last)).collect::<Vec<_>>()
        } else {
            (first..=most).map(|m| (first, m)).collect()
        };
        for (from, to) in moved {
            let inside = self.in_base(pair).filter(|&at| (from..=to).contains(&months[at])).count();
            if apart.contains(&inside.abs_diff(pair.rest.len())) {
                found.push(Neighbour { condition: between((from, to)), persons: inside });
            }
        }
        found.sort_by_key(|neighbour| std::cmp::Reverse(neighbour.persons));
        found
    }

    /// Stretches on both sides of a pair: those that reach beyond the victim's month, and those that end before the smaller
    /// population does; the farthest first, with up to `most` persons more or fewer. Nobody's secret is known.
    pub fn both_sides(&self, pair: &Pair, most: usize) -> [Vec<Neighbour>; 2] {
        let Some((first, last)) = pair.months else { return [Vec::new(), Vec::new()] };
        let months = &self.known["month"];
        let backwards = pair.with.as_deref() == Some(&between((first, last + 1)));
        let ends = (*months.iter().min().unwrap_or(&first), *months.iter().max().unwrap_or(&last));
        let (beyond, before): (Vec<_>, Vec<_>) = if backwards {
            ((last + 2..=ends.1).map(|m| (first, m)).collect(), (first..last).rev().map(|m| (first, m)).collect())
        } else {
            let beyond = (ends.0..first.saturating_sub(1)).rev().map(|m| (m, last));
            (beyond.collect(), (first + 1..=last).map(|m| (m, last)).collect())
        };
        [beyond, before].map(|spans| {
            let mut found: Vec<Neighbour> = Vec::new();
            for span in spans {
                let persons = self.in_base(pair).filter(|&at| (span.0..=span.1).contains(&months[at])).count();
                if persons.abs_diff(pair.rest.len()) > most {
                    break;
                }
                if found.last().is_none_or(|nearer| nearer.persons != persons) {
                    found.push(Neighbour { condition: between(span), persons });
                }
            }
            found.reverse();
            found
        })
    }

    fn in_base<'b>(&'b self, pair: &'b Pair) -> impl Iterator<Item = usize> + 'b {
        let example = pair.rest[0];
        let level = |condition: &'b String| condition.split(' ').next().unwrap_or_default();
        let levels: Vec<&str> = pair.base.iter().map(level).collect();
        self.like(&levels, example).into_iter()
    }

    fn some_levels(&self, count: usize, rng: &mut ChaCha8Rng) -> Vec<&'static str> {
        let mut levels = BASES.to_vec();
        levels.retain(|level| self.known.contains_key(*level));
        while levels.len() > count {
            levels.swap_remove(rng.random_range(0..levels.len()));
        }
        levels
    }
}

/// A population beside that of a pair.
pub struct Neighbour {
    /// In place of the condition of one side.
    pub condition: String,
    /// How many are in it, with the secret or without.
    pub persons: usize,
}

/// A stretch of months, both ends inside.
pub fn between((from, to): (u16, u16)) -> String {
    let day = |code: u16| format!("{}-01", TimeLevel::Month.label(code));
    format!("month between '{}' and '{}'", day(from), day(to))
}

impl Pair {
    /// The condition of the larger population among those who satisfy `also`.
    pub fn larger(&self, also: &str) -> String {
        self.under(also, self.with.as_deref())
    }

    /// The condition of the smaller one.
    pub fn smaller(&self, also: &str) -> String {
        self.under(also, Some(&self.without))
    }

    /// Another condition in their place.
    pub fn under(&self, also: &str, condition: Option<&str>) -> String {
        let all = self.base.iter().map(String::as_str).chain([also]).chain(condition);
        all.collect::<Vec<_>>().join(" and ")
    }
}

impl Secret {
    /// As a condition.
    pub fn sql(&self) -> String {
        format!("{} = '{}'", self.column, self.code)
    }
}
