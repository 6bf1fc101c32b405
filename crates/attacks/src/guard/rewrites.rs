//! `guard.rewrites`: every rule on as many questions of the grammar as asked for; the rewritten question must be answered
//! with the same bytes (privacy.md 6.16, 2).
//!
//! Each of the two is asked of a vault of its own with the same keys and nothing remembered, so that no earlier answer
//! stands in for the later one. Compared are the values, byte by byte as the endpoint wrote them; rows in any order, names
//! of columns not. What the guard refuses plainly said is not asked (it counts under `refused_plainly`).

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Result, bail};
use policy::Policy;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, json};

use super::Found;
use super::asking::Grammar;
use super::country::country;
use super::rules::{RULES, Rule, Said};
use crate::people::People;
use crate::target::{Door, Reply, Target};

/// Units of each dataset.
const UNITS: usize = 1_500;
/// Questions of the grammar after which a rule that can be applied too seldom is a defect of the grammar.
const TRIES: usize = 100_000;
/// Pairs that differ, of which the texts are told.
const TOLD: usize = 12;

/// What came of a rule.
#[derive(Default)]
struct Tally {
    same: usize,
    shown: usize,
    refused_plainly: BTreeMap<String, usize>,
    misses: Vec<String>,
}

/// Applies each rule to so many questions.
pub fn run(questions: usize, seed: u64) -> Result<Found> {
    let policy = Arc::new(Policy::default());
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut country = country(&policy, UNITS, &mut rng);
    for (name, people) in (1..).zip(&mut country) {
        people.name = name;
    }
    let door = Door::new(&policy)?;
    let mut tallies = Vec::new();
    for rule in RULES {
        tallies.push((
            rule.name,
            apply(rule, questions, &door, &Grammar { policy: &policy, country: &country, about: None }, &mut rng)?,
        ));
    }
    Ok(found(questions, &tallies))
}

fn apply(rule: &Rule, questions: usize, door: &Door, grammar: &Grammar<'_>, rng: &mut ChaCha8Rng) -> Result<Tally> {
    let mut tally = Tally::default();
    for _ in 0..TRIES {
        if tally.same + tally.misses.len() == questions {
            return Ok(tally);
        }
        let Some((plain, otherwise)) = (rule.say)(&grammar.asking(rng)) else { continue };
        let first = answer(door, grammar.country, &plain)?;
        if !first.is_answer() {
            *tally.refused_plainly.entry(first.code()).or_default() += 1;
            continue;
        }
        let second = answer(door, grammar.country, &otherwise)?;
        let values = values(&first);
        if second.is_answer() && values == self::values(&second) {
            tally.same += 1;
            tally.shown += usize::from(values.iter().any(|row| row.contains(|c: char| c.is_ascii_digit())));
        } else {
            tally.misses.push(format!(
                "{}\n{}\n{} {}",
                plain.sql,
                otherwise.sql,
                second.code(),
                difference(&first, &second)
            ));
        }
    }
    bail!("`{}` can be applied to too few questions of the grammar: {}", rule.name, tally.same)
}

fn answer(door: &Door, country: &[People], said: &Said) -> Result<Reply> {
    door.open(Target::Ours, 1, &country.iter().collect::<Vec<_>>())?;
    Ok(door.ask_with(&said.sql, &said.params))
}

/// The rows as they were written, in one order.
fn values(reply: &Reply) -> Vec<String> {
    let mut rows: Vec<String> = reply.rows().iter().map(|row| json!(row).to_string()).collect();
    rows.sort();
    rows
}

/// The first row that only one of them has.
fn difference(one: &Reply, other: &Reply) -> String {
    let (one, other) = (values(one), values(other));
    let only =
        |these: &[String], those: &[String]| these.iter().find(|row| !those.contains(row)).cloned().unwrap_or_default();
    format!("{} rows and {}: {} against {}", one.len(), other.len(), only(&one, &other), only(&other, &one))
}

fn found(questions: usize, tallies: &[(&str, Tally)]) -> Found {
    let misses: Vec<&String> = tallies.iter().flat_map(|(_, tally)| &tally.misses).collect();
    let applied: usize = tallies.iter().map(|(_, tally)| tally.same + tally.misses.len()).sum();
    let line = |(name, tally): &(&str, Tally)| {
        let line = json!({"same": tally.same, "with_a_number": tally.shown, "missed": tally.misses.len(), "refused_plainly": tally.refused_plainly});
        ((*name).to_owned(), line)
    };
    Found {
        value: misses.len().to_string(),
        met: misses.is_empty() && tallies.len() >= 30,
        details: json!({
            "rules": tallies.len(),
            "questions_a_rule": questions,
            "applications": applied,
            "by_rule": tallies.iter().map(line).collect::<Map<_, _>>(),
            "missed": misses.into_iter().take(TOLD).collect::<Vec<_>>(),
        }),
    }
}
