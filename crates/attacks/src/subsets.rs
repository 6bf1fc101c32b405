//! A6 (ii): reconstruction from every kind of subset that the grammar has (Dinur and Nissim; Cohen and Nissim; privacy.md 7.2).
//!
//! The attacker knows four quasi-identifiers of everybody and asks how many have the secret in subsets drawn by lot: stretches of
//! months, nodes, sets of sibling codes, levels made by CASE. The secrets are the unknowns of a system whose right sides are the
//! answers; whoever is above a half is claimed to have the secret. Least squares between 0 and 1 stand in the place of the linear
//! programme of the papers: noise is bounded and nearly normal here, and thousands of rows of a hundred terms each take seconds
//! so, where `microlp` is made for sparse ones.
//!
//! Absent: subsets as if by lot (`cloning::lots`: the grammar has none), quasi-identifiers that are not known.

use anyhow::{Context, Result};
use policy::{Policy, Share, TimeLevel};
use rand::Rng;
use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use crate::know::between;
use crate::people::{BALANCED, People, YEARS};
use crate::referee::Arena;
use crate::target::{Door, Reply, Sql, Target};

/// Persons of a population.
pub const PERSONS: usize = 240;
/// Questions for each person.
const QUESTIONS: usize = 8;
/// One question in so many makes a level by CASE.
const BY_CASE: usize = 8;
/// The fewest persons that are asked about: of fewer those with the secret are hidden.
const LEAST: usize = 26;
/// Months of the data.
const MONTHS: usize = 24;
/// Steps of the descent.
const STEPS: usize = 400;

/// Quasi-identifiers with sibling codes none of which asks for more protection than its column.
const CODES: [(&str, &[&str]); 3] = [
    ("sex", &["F", "M"]),
    ("age_band", &["18-20", "21-23", "24-26", "27-29", "30-38", "39-47", "48+"]),
    ("citizenship", &["PK", "AF", "BD", "IN", "NP", "LK"]),
];

/// What became of the claims.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reconstructed {
    /// Persons about whom the claim is right.
    pub right: usize,
    /// Persons.
    pub persons: usize,
    /// Persons about whom the claim would be right that the more frequent code is everybody's.
    pub majority: usize,
    /// Questions that were answered, of all populations.
    pub answered: usize,
}

/// Attacks as many populations as give the trials, each with keys of its own. With `quotas` all roles' shares are spent.
pub fn reconstructed(arena: &Arena, target: Target, quotas: bool) -> Result<Reconstructed> {
    let one = |door: &Door, number: u64| attack(door, target, number, quotas).map(Some);
    let all = arena.some(arena.trials.div_ceil(PERSONS).max(2), &one)?;
    Ok(all.into_iter().fold(Reconstructed::default(), |a, b| Reconstructed {
        right: a.right + b.right,
        persons: a.persons + b.persons,
        majority: a.majority + b.majority,
        answered: a.answered + b.answered,
    }))
}

fn attack(door: &Door, target: Target, number: u64, quotas: bool) -> Result<Reconstructed> {
    let mut rng = ChaCha8Rng::seed_from_u64(0xa6 << 32 | number);
    let people = population(door.policy(), &mut rng)?;
    let truth: Vec<bool> = (0..people.len()).map(|at| people.has(door.policy(), at, BALANCED)).collect();
    door.open_with(target, number, &[&people], quotas)?;
    if quotas {
        door.declare()?;
    }
    let known = known(door.policy(), &people)?;
    let mut subsets: Vec<Subset> =
        std::iter::repeat_with(|| subset(&known, &mut rng)).flatten().take(QUESTIONS * PERSONS).collect();
    // The first questions have the least noise, and large subsets are shown.
    subsets.sort_by_key(|subset| std::cmp::Reverse(subset.members.len()));
    let rows = if quotas { asked_one_by_one(door, target, subsets) } else { asked_together(door, target, subsets) };
    let claims: Vec<bool> = least_squares(&rows, people.len()).into_iter().map(|x| x > 0.5).collect();
    let having = truth.iter().filter(|has| **has).count();
    Ok(Reconstructed {
        right: claims.iter().zip(&truth).filter(|(claim, truth)| claim == truth).count(),
        persons: truth.len(),
        majority: having.max(truth.len() - having),
        answered: rows.len(),
    })
}

/// Everybody has a month and one code of each column, all equally often and independently, and a secret of her own.
fn population(policy: &Policy, rng: &mut ChaCha8Rng) -> Result<People> {
    let mut people = People::plain(policy, "victims", PERSONS);
    let dataset = policy.datasets.get("victims").context("victims")?;
    let code = |level: &str, text: &str| dataset.code_of(level, text, YEARS).context("a code of the list");
    let mut put = |column: &str, codes: Vec<u16>| {
        let drawn = (0..PERSONS).filter_map(|_| codes.choose(rng).copied()).collect();
        people.one.insert(column.to_owned(), drawn);
    };
    put("month", TimeLevel::Month.codes(YEARS)[..MONTHS].to_vec());
    for (column, codes) in CODES {
        put(column, codes.iter().map(|text| code(column, text)).collect::<Result<_>>()?);
    }
    put(BALANCED.column, vec![code(BALANCED.column, BALANCED.code)?, code(BALANCED.column, "transnational_out")?]);
    put("place_identified", vec![code("place_identified", "PK-PB")?]);
    put("status", vec![code("status", "actual")?]);
    Ok(people)
}

/// What is known of everybody: the month, and the position of each other code in [`CODES`].
struct Known {
    months: Vec<u16>,
    codes: Vec<Vec<usize>>,
}

fn known(policy: &Policy, people: &People) -> Result<Known> {
    let dataset = policy.datasets.get("victims").context("victims")?;
    let position = |(column, codes): (&str, &[&str])| -> Vec<usize> {
        let texts = people.one[column].iter().map(|&code| dataset.code_text(column, code).unwrap_or_default());
        texts.map(|text| codes.iter().position(|code| *code == text).unwrap_or_default()).collect()
    };
    Ok(Known { months: people.one["month"].clone(), codes: CODES.map(position).to_vec() })
}

/// A population of the grammar, without the secret.
struct Subset {
    /// Its conditions.
    conditions: Vec<String>,
    /// Where it is a class of a level made by CASE: the column and the codes of the class.
    class: Option<(&'static str, String)>,
    /// Who is in it.
    members: Vec<u32>,
}

/// A subset by lot: a stretch of months, codes of at most two columns, or both; none where it is too small.
fn subset(known: &Known, rng: &mut ChaCha8Rng) -> Option<Subset> {
    let mut members: Vec<u32> = (0..PERSONS as u32).collect();
    let mut conditions = Vec::new();
    if rng.random_bool(0.8) {
        let months = TimeLevel::Month.codes(YEARS);
        let (one, other) = (rng.random_range(0..MONTHS), rng.random_range(0..MONTHS));
        let span = (months[one.min(other)], months[one.max(other)]);
        members.retain(|&at| (span.0..=span.1).contains(&known.months[at as usize]));
        conditions.push(between(span));
    }
    let mut columns: Vec<usize> = (0..CODES.len()).collect();
    columns.remove(rng.random_range(0..columns.len()));
    let mut class = None;
    for column in columns {
        let (name, codes) = CODES[column];
        let chosen: Vec<usize> = (0..codes.len()).filter(|_| rng.random_bool(0.5)).collect();
        if chosen.is_empty() || chosen.len() == codes.len() {
            continue;
        }
        members.retain(|&at| chosen.contains(&known.codes[column][at as usize]));
        let texts: Vec<String> = chosen.iter().map(|&at| format!("'{}'", codes[at])).collect();
        let texts = format!("({})", texts.join(", "));
        if class.is_none() && rng.random_range(0..BY_CASE) == 0 {
            class = Some((name, texts));
        } else {
            conditions.push(format!("{name} in {texts}"));
        }
    }
    (members.len() >= LEAST).then_some(Subset { conditions, class, members })
}

impl Subset {
    fn condition(&self) -> String {
        [&[BALANCED.sql()], &self.conditions[..]].concat().join(" and ")
    }

    fn row(self, sum: i64, door: &Door, target: Target) -> Row {
        let told = |sql: &str| door.variance(door.compile(sql).ok()?.swap_remove(0)).ok();
        // The noise of the others is as wide everywhere.
        let is_charged = matches!(target, Target::Ours | Target::OursWithoutGuard);
        let variance = if is_charged { told(&self.sql()) } else { None };
        Row { members: self.members, sum: sum as f64, weight: 1.0 / variance.unwrap_or(4.0).max(1.0) }
    }

    /// The question where it is one of its own.
    fn sql(&self) -> String {
        let condition = self.condition();
        match &self.class {
            None => format!("select count(*) from victims where {condition}"),
            Some((column, codes)) => format!(
                "select n from (select case when {column} in {codes} then 'in' else 'out' end side, count(*) n \
                 from victims where {condition} group by 1) t where side = 'in'"
            ),
        }
    }
}

/// The secrets of these persons add up to about this.
struct Row {
    members: Vec<u32>,
    sum: f64,
    weight: f64,
}

/// Asks everything; a set that EXPLAIN says is answered with wider noise counts less.
fn asked_together(door: &Door, target: Target, subsets: Vec<Subset>) -> Vec<Row> {
    let (plain, by_case): (Vec<Subset>, Vec<Subset>) = subsets.into_iter().partition(|subset| subset.class.is_none());
    let conditions: Vec<String> = plain.iter().map(Subset::condition).collect();
    let answers = door.counts("victims", &conditions).into_iter().zip(plain);
    let cases = by_case.into_iter().map(|subset| (door.ask(&subset.sql()).first().first().copied().flatten(), subset));
    let row = |(sum, subset): (Option<i64>, Subset)| Some(subset.row(sum?, door, target));
    answers.chain(cases).filter_map(row).collect()
}

/// Each by whichever role can still pay for it.
fn asked_one_by_one(door: &Door, target: Target, subsets: Vec<Subset>) -> Vec<Row> {
    let ask = |subset: Subset| {
        let sql = subset.sql();
        let reply = Share::ALL.iter().map(|role| door.ask_as(*role, &sql)).find(Reply::is_answer)?;
        Some(subset.row(reply.first().first().copied().flatten()?, door, target))
    };
    subsets.into_iter().filter_map(ask).collect()
}

/// The secrets between 0 and 1 that fit the answers best, by projected accelerated descent (Beck and Teboulle 2009).
fn least_squares(rows: &[Row], persons: usize) -> Vec<f64> {
    let gradient = |x: &[f64]| {
        let mut slope = vec![0.0; persons];
        for row in rows {
            let rest: f64 = row.weight * (row.members.iter().map(|&at| x[at as usize]).sum::<f64>() - row.sum);
            row.members.iter().for_each(|&at| slope[at as usize] += rest);
        }
        slope
    };
    // No eigenvalue is larger than the largest sum of a row of A'A.
    let mut steepest = vec![0.0_f64; persons];
    for row in rows {
        row.members.iter().for_each(|&at| steepest[at as usize] += row.weight * row.members.len() as f64);
    }
    let step = 1.0 / steepest.into_iter().fold(1e-9, f64::max);
    let (mut x, mut ahead, mut momentum) = (vec![0.5; persons], vec![0.5; persons], 1.0_f64);
    for _ in 0..STEPS {
        let slope = gradient(&ahead);
        let next: Vec<f64> = ahead.iter().zip(slope).map(|(x, slope)| (x - step * slope).clamp(0.0, 1.0)).collect();
        let grown = f64::midpoint(1.0, (1.0 + 4.0 * momentum * momentum).sqrt());
        let carried = (momentum - 1.0) / grown;
        ahead = next.iter().zip(&x).map(|(next, x)| next + carried * (next - x)).collect();
        (x, momentum) = (next, grown);
    }
    x
}
