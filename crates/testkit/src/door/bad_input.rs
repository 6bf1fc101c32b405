//! `door_bad_input`: thousands of bad requests, in classes, drawn from a seed, and good events of all agencies in between.
//!
//! For each bad one: the right status, the code, a sentence that names place and remedy, and nothing of what was sent. Each good one is
//! accepted, while the others are sent. A few threads send, each the cases of its own numbers, so that a seed gives the same cases.
//! Absent: what the lake has of the good ones afterwards (`door_received`), and how much memory the program took (`xtask`).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::acknowledged::{self, Acknowledged};
use super::answers::Want;
use super::dice::Dice;
use super::edits::{EDITS, Edit};
use super::http::{Answer, Connection, head, request};
use super::requests::{AGENCY, CLASSES, Case, Ground, How, MAPPING, good, marked, post};
use super::{At, Sender, event};
use crate::Measured;

/// Threads that send.
const THREADS: u64 = 4;
/// How often each edit comes beside the other classes.
const OF_AN_EDIT: usize = 4;
/// A good event after so many bad requests.
const GOOD_AFTER: u64 = 4;
/// Numbers of good events of one thread begin so far from those of the next.
const APART: u64 = 1 << 32;
/// Failures that are written down.
const TOLD: usize = 40;

/// What is sent.
#[derive(Debug, Clone, clap::Args)]
pub struct BadInput {
    #[command(flatten)]
    at: At,
    /// Bad requests
    #[arg(long, default_value_t = 5_000)]
    requests: u64,
    /// Draws them
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where to write which good events were acknowledged
    #[arg(long)]
    acknowledged: PathBuf,
    /// This one alone, and what is answered
    #[arg(long)]
    only: Option<u64>,
}

/// What a thread has seen.
#[derive(Default)]
struct Seen {
    classes: BTreeMap<&'static str, u64>,
    failures: Vec<String>,
    good: Vec<(String, Acknowledged)>,
    waited: Vec<Duration>,
}

/// Measures.
pub fn measure(asked: &BadInput) -> Result<Measured> {
    let senders = asked.at.senders()?;
    let (ground, first) = ground(asked, &senders)?;
    let seen = std::thread::scope(|scope| {
        let one = |thread| {
            let (ground, senders) = (&ground, &senders);
            scope.spawn(move || asked.thread(thread, ground, senders))
        };
        let threads: Vec<_> = (0..THREADS).map(one).collect();
        let joined = threads.into_iter().map(|one| one.join().map_err(|_| anyhow::anyhow!("a thread failed"))?);
        joined.collect::<Result<Vec<Seen>>>()
    })?;
    let mut classes: BTreeMap<&str, u64> = BTreeMap::new();
    for (class, count) in seen.iter().flat_map(|seen| &seen.classes) {
        *classes.entry(class).or_default() += count;
    }
    let failures: Vec<&String> = seen.iter().flat_map(|seen| &seen.failures).collect();
    let good = seen.iter().flat_map(|seen| &seen.good).map(|(agency, one)| (agency.as_str(), *one));
    acknowledged::write(&asked.acknowledged, good.clone().chain(first.iter().map(|one| (AGENCY, *one))))?;
    let longest = seen.iter().flat_map(|seen| &seen.waited).max().copied().unwrap_or_default();
    Ok(Measured {
        value: json!(failures.len()),
        met: failures.is_empty(),
        details: json!({
            "bad_requests": classes.values().sum::<u64>(), "classes": classes.len(), "seed": asked.seed,
            "good_events": good.count() + first.len(), "longest_wait_of_a_good_one_ms": longest.as_secs_f64() * 1e3,
            "requests_by_class": classes, "failures": failures.iter().take(TOLD).collect::<Vec<_>>(),
        }),
    })
}

/// Puts the mapping in place, and spends an `Idempotency-Key` on a first event.
fn ground(asked: &BadInput, senders: &[Sender]) -> Result<(Ground, Vec<Acknowledged>)> {
    let own = senders.iter().find(|sender| sender.agency == AGENCY).context("no key of the agency that sends")?;
    let ground = Ground { key: own.key.clone(), spent: format!("spent-{}", asked.seed) };
    let mut connection = Connection::open(asked.at.address)?;
    let mapping = request(&head("PUT", "/v1/mappings/cases", &own.key, &[]), MAPPING.as_bytes());
    ensure!(connection.ask(&mapping)?.status == 204, "the mapping was not taken");
    let first = event(THREADS * APART, AGENCY);
    let headers = [("content-type", "application/json"), ("idempotency-key", &*ground.spent)];
    let answer = connection.ask(&post(&ground, &headers, first.as_bytes()))?;
    ensure!(answer.status == 202, "the first event was not taken: {}", answer.status);
    Ok((ground, acknowledged::of_answer(&answer.json())?))
}

impl BadInput {
    fn thread(&self, thread: u64, ground: &Ground, senders: &[Sender]) -> Result<Seen> {
        let (wheel, mut seen) = (wheel(), Seen::default());
        let mut neighbour = Connection::open(self.at.address)?;
        for number in (0..self.requests).filter(|number| number % THREADS == thread) {
            if self.only.is_some_and(|only| only != number) {
                continue;
            }
            let (name, case) = wheel[(number as usize) % wheel.len()].make(&mut Dice::of(self.seed, number), ground);
            *seen.classes.entry(name).or_default() += 1;
            let objection = match self.answer(&case) {
                Ok(answer) => case.want.objects(&answer),
                Err(error) => Some(format!("no answer: {error}")),
            };
            seen.failures.extend(objection.map(|what| format!("{number} {name}: {what}")));
            if (number / THREADS).is_multiple_of(GOOD_AFTER) {
                neighbourly(thread * APART + number, senders, &mut neighbour, &mut seen)?;
            }
        }
        Ok(seen)
    }

    fn answer(&self, case: &Case) -> std::io::Result<Answer> {
        let mut connection = Connection::open(self.at.address)?;
        match case.how {
            // What is refused by its head need not be taken to its end.
            How::Whole => drop(connection.send(&case.bytes)),
            How::Half => {
                connection.send(&case.bytes[..case.bytes.len() - 100])?;
                connection.finish()?;
            }
            How::Slowly => connection.send(&case.bytes[..case.bytes.len() - 100])?,
        }
        connection.answer()
    }
}

/// A good event of one of the agencies, which must be accepted.
fn neighbourly(number: u64, senders: &[Sender], neighbour: &mut Connection, seen: &mut Seen) -> Result<()> {
    let sender = &senders[number as usize % senders.len()];
    let head = head("POST", "/v1/events", &sender.key, &[("content-type", "application/json")]);
    let began = Instant::now();
    let answer = neighbour.ask(&request(&head, event(number, &sender.agency).as_bytes()))?;
    seen.waited.push(began.elapsed());
    if answer.status != 202 {
        seen.failures.push(format!("a good event: {} {}", answer.status, String::from_utf8_lossy(&answer.body)));
        return Ok(());
    }
    let places = acknowledged::of_answer(&answer.json())?;
    seen.good.extend(places.into_iter().map(|place| (sender.agency.clone(), place)));
    Ok(())
}

/// A class of bad requests.
#[derive(Clone, Copy)]
enum Class {
    Edit(&'static Edit),
    Request(&'static str, super::requests::Make),
}

/// Every class, as often as it comes.
fn wheel() -> Vec<Class> {
    let requests = CLASSES.iter().flat_map(|(name, often, make)| vec![Class::Request(name, *make); *often]);
    let edits = EDITS.iter().flat_map(|edit| [Class::Edit(edit); OF_AN_EDIT]);
    requests.chain(edits).collect()
}

impl Class {
    fn make(self, dice: &mut Dice, ground: &Ground) -> (&'static str, Case) {
        match self {
            Self::Request(name, make) => (name, make(dice, ground)),
            Self::Edit(edit) => (edit.name, edited(edit, dice, ground)),
        }
    }
}

/// An event that is wrong in one place, as one event or as a line.
fn edited(edit: &Edit, dice: &mut Dice, ground: &Ground) -> Case {
    let kind = *dice.one(&["application/json", "application/x-ndjson", "application/cloudevents+json"]);
    let text = good(dice).replace(edit.find, &edit.by.replace('§', &marked(dice)));
    let bytes = post(ground, &[("content-type", kind)], text.as_bytes());
    Case { bytes, how: How::Whole, want: Want::line(edit.status, edit.code, edit.place) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_cases_of_each_class_and_another_seed_others() {
        let ground = Ground { key: "amanat_0".into(), spent: "spent".into() };
        let made = |seed| -> Vec<(&str, Vec<u8>)> {
            let one = |(number, class): (u64, Class)| class.make(&mut Dice::of(seed, number), &ground);
            let small = |(name, case): (&'static str, Case)| (name, case.bytes.into_iter().take(4_000).collect());
            (0..).zip(wheel()).map(one).map(small).collect()
        };
        let (one, again, other) = (made(1), made(1), made(2));
        assert!(one == again && one != other);
        let classes: std::collections::BTreeSet<&str> = one.iter().map(|(name, _)| *name).collect();
        assert!(classes.len() >= 100 && classes.len() == CLASSES.len() + EDITS.len(), "{}", classes.len());
    }
}
