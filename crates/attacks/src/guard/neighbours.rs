//! `guard.neighbours`: random questions on two countries that differ in one person, who is missing from every dataset of one
//! of them (privacy.md 6.16, 5).
//!
//! Both vaults have the same keys, begin with nothing remembered and are asked the same in the same order. Compared is
//! everything that may not depend on a person: status, code and text of a refusal, columns with their types and notes,
//! how many rows there are and the codes in them, and the slot that the answer leaves in (the first of 250 ms x 2^k that is
//! not over). The slot is by the clock, which other work on the machine moves too, so it is told and decides nothing.
//! Numbers, and which cells have one, may differ by the law of the separation guard: how often they do is told.
//!
//! Absent: rows that SQL picks by released numbers (HAVING, DISTINCT), which differ as these do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use policy::Policy;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::Found;
use super::asking::Grammar;
use super::country::{country, without};
use super::rules::{RULES, Said};
use super::wild::Wild;
use crate::people::{FIRST_SID, People};
use crate::target::{Door, Reply, Target};

/// Units of each dataset.
const UNITS: usize = 1_000;
/// Questions about one person; then another one is missing, and both vaults begin anew.
const ABOUT_ONE: usize = 500;
/// Rules after which SQL picks rows by released numbers.
const PICKING: [&str; 2] = ["HAVING as outer WHERE", "DISTINCT as GROUP BY"];
/// The shortest slot (privacy.md 6.11).
const SLOT: Duration = Duration::from_millis(250);
/// Pairs that differ, of which the texts are told.
const TOLD: usize = 10;

/// A question, and how many of its columns are codes; `None` where SQL is free to pick rows.
struct Asked {
    said: Said,
    keys: Option<usize>,
}

#[derive(Default)]
struct Tally {
    answered: u64,
    refused: BTreeMap<String, u64>,
    differing: Vec<String>,
    slots: u64,
    cells: u64,
    shown_in_one: u64,
    other_number: u64,
    touched: u64,
}

/// Asks so many questions of both.
pub fn run(questions: usize, seed: u64) -> Result<Found> {
    let policy = Arc::new(Policy::default());
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let country = country(&policy, UNITS, &mut rng);
    let doors = [Door::new(&policy)?, Door::new(&policy)?];
    let wild = Wild::new(&policy);
    let (mut tally, mut persons) = (Tally::default(), 0);
    for asked in 0..questions {
        if asked % ABOUT_ONE == 0 {
            persons += 1;
        }
        let sid = FIRST_SID + (persons * 37) % UNITS as u64;
        if asked % ABOUT_ONE == 0 {
            let rows =
                |people: &[People], door: &Door| door.open(Target::Ours, persons, &people.iter().collect::<Vec<_>>());
            rows(&country, &doors[0])?;
            rows(&without(&country, sid), &doors[1])?;
        }
        let grammar = Grammar { policy: &policy, country: &country, about: Some(sid) };
        tally.compare(&doors, &asked_next(&grammar, &wild, &mut rng));
    }
    Ok(found(questions, persons, &tally))
}

fn asked_next(grammar: &Grammar<'_>, wild: &Wild, rng: &mut ChaCha8Rng) -> Asked {
    if rng.random_bool(0.2) {
        return Asked { said: wild.statement(rng).into(), keys: None };
    }
    let asking = grammar.asking(rng);
    let rule = RULES.choose(rng).filter(|rule| !PICKING.contains(&rule.name));
    let said = rule.and_then(|rule| (rule.say)(&asking)).map(|(_, otherwise)| otherwise);
    Asked { said: said.unwrap_or_else(|| asking.plain().into()), keys: Some(asking.by.len()) }
}

impl Tally {
    fn compare(&mut self, doors: &[Door; 2], asked: &Asked) {
        let answers = doors.each_ref().map(|door| {
            let began = Instant::now();
            (door.ask_with(&asked.said.sql, &asked.said.params), began.elapsed())
        });
        let [(one, first), (other, second)] = answers;
        if shape(&one, asked.keys) != shape(&other, asked.keys) {
            self.differing.push(format!("{}\n{}\n{}", asked.said.sql, one.class(), other.class()));
        }
        self.slots += u64::from(slot(first) != slot(second));
        if !one.is_answer() {
            *self.refused.entry(one.code()).or_default() += 1;
            return;
        }
        self.answered += 1;
        if let Some(keys) = asked.keys {
            self.numbers(&one.rows(), &other.rows(), keys);
        }
    }

    /// How often released numbers differ.
    fn numbers(&mut self, one: &[Vec<Value>], other: &[Vec<Value>], keys: usize) {
        let cells = |rows: &[Vec<Value>]| -> Vec<Value> {
            rows.iter().flat_map(|row| row.iter().skip(keys)).cloned().collect()
        };
        let before = (self.shown_in_one, self.other_number);
        for (one, other) in cells(one).iter().zip(&cells(other)) {
            self.cells += 1;
            self.shown_in_one += u64::from(one.is_null() != other.is_null());
            self.other_number += u64::from(!one.is_null() && !other.is_null() && one != other);
        }
        self.touched += u64::from(before != (self.shown_in_one, self.other_number));
    }
}

/// What may not depend on a person. Over released numbers an error of SQL (`PRIV-2001`) may come with one of them alone.
fn shape(reply: &Reply, keys: Option<usize>) -> Value {
    let json: Value = serde_json::from_str(&reply.text).unwrap_or_default();
    match keys {
        _ if !reply.is_answer() && reply.code() != "PRIV-2001" => json!([reply.status, json]),
        None => json!("computed over released numbers"),
        Some(keys) => {
            let mut codes: Vec<Vec<Value>> =
                reply.rows().into_iter().map(|row| row.into_iter().take(keys).collect()).collect();
            codes.sort_by_cached_key(|row| json!(row).to_string());
            json!([reply.status, json["columns"], json["notes"], codes])
        }
    }
}

/// Which slot an answer leaves in.
fn slot(took: Duration) -> u32 {
    (0..u32::BITS).find(|doubled| took <= SLOT * 2_u32.pow(*doubled)).unwrap_or(u32::BITS)
}

fn found(questions: usize, persons: u64, tally: &Tally) -> Found {
    Found {
        value: tally.differing.len().to_string(),
        met: tally.differing.is_empty(),
        details: json!({
            "questions": questions,
            "persons_missing_in_turn": persons,
            "answered": tally.answered,
            "refused": tally.refused,
            "cells_compared": tally.cells,
            "cells_shown_in_one_alone": tally.shown_in_one,
            "cells_with_another_number": tally.other_number,
            "answers_with_such_a_cell": tally.touched,
            "slots_that_differ_by_the_clock": tally.slots,
            "differing": tally.differing.iter().take(TOLD).collect::<Vec<_>>(),
        }),
    }
}
