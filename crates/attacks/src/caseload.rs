//! A16, beside openers: what the second-largest agency learns of the largest, a private one, and whether a cell of one story
//! is shown (privacy.md 6.6 rules 2 and 3, 7.2).
//!
//! Absent: agencies that share what they know.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::know::Public;
use crate::referee::Arena;
use crate::target::{Door, Sql, Target};

/// What was seen of the cells of ordinary breakdowns.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stories {
    /// Shown cells in which a private caseload is the largest.
    pub dominated: usize,
    /// Those in which the second-largest agency, by taking its own off, is within 10 % of the largest.
    pub estimated: usize,
    /// All shown cells.
    pub shown: usize,
    /// Those in which one case has more than four fifths of the persons.
    pub one_case: usize,
}

/// Breakdowns of places and times, in which raids and shelters stand alone.
const BREAKDOWNS: [&str; 6] = [
    "place_identified, year",
    "place_identified, month",
    "place_identified, quarter",
    "place_identified, sex",
    "province, month",
    "place_identified, sector",
];

/// All of them, on some vaults.
pub fn stories(arena: &Arena, target: Target) -> Result<Stories> {
    let public = Public::of(&arena.policy, &arena.people);
    let found = arena.some(arena.trials.div_ceil(50).max(2), &|door: &Door, number| {
        door.open(target, number % 16, &[&arena.people])?;
        let mut seen = Stories::default();
        for by in BREAKDOWNS {
            of_breakdown(arena, &public, door, by, &mut seen);
        }
        Ok(Some(seen))
    })?;
    Ok(found.into_iter().fold(Stories::default(), |a, b| Stories {
        dominated: a.dominated + b.dominated,
        estimated: a.estimated + b.estimated,
        shown: a.shown + b.shown,
        one_case: a.one_case + b.one_case,
    }))
}

fn of_breakdown(arena: &Arena, public: &Public<'_>, door: &Door, by: &str, seen: &mut Stories) {
    let levels: Vec<&str> = by.split(", ").collect();
    let mut members: BTreeMap<Vec<String>, Vec<usize>> = BTreeMap::new();
    for person in 0..arena.people.len() {
        let text = |level: &&str| public.dataset.code_text(level, public.known[*level][person]).unwrap_or_default();
        members.entry(levels.iter().map(text).collect()).or_default().push(person);
    }
    let answer = door.ask(&format!("select {by}, count(*) from victims group by {by}"));
    for (row, numbers) in answer.rows().iter().zip(answer.numbers()) {
        let code = |code: &serde_json::Value| code.as_str().map_or_else(|| code.to_string(), str::to_owned);
        let codes: Vec<String> = row.iter().take(levels.len()).map(code).collect();
        let (Some(shown), Some(persons)) = (numbers.last().copied().flatten(), members.get(&codes)) else { continue };
        seen.shown += 1;
        let cases = shares(persons.iter().map(|&at| arena.people.case[at]));
        seen.one_case += usize::from(cases.first().is_some_and(|(_, most)| most * 5 > persons.len() * 4));
        let agencies = shares(persons.iter().map(|&at| u64::from(arena.people.agency[at])));
        let private = |index: u64| arena.policy.agencies.iter().any(|a| u64::from(a.index) == index && a.private);
        let [(largest, most), rest @ ..] = &agencies[..] else { continue };
        if private(*largest) {
            let own = rest.first().map_or(0, |(_, units)| *units);
            let estimate = shown - own as i64;
            seen.dominated += 1;
            seen.estimated += usize::from(10 * estimate.abs_diff(*most as i64) <= *most as u64);
        }
    }
}

/// How many persons each has, the largest first.
fn shares(of: impl Iterator<Item = u64>) -> Vec<(u64, usize)> {
    let mut counted: BTreeMap<u64, usize> = BTreeMap::new();
    of.for_each(|name| *counted.entry(name).or_default() += 1);
    let mut counted: Vec<(u64, usize)> = counted.into_iter().collect();
    counted.sort_by_key(|&(name, units)| (std::cmp::Reverse(units), name));
    counted
}
