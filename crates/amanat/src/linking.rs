//! Who is one with whom: `amanat link run|list|decide`, and the linkage that `amanat up` runs every so often.
//!
//! What linkage finds, and what the steward decides, become events on the log like any agency's (domain.md 4): ingest takes them in, and
//! the next Snapshot counts by them. Running it again over the same facts says nothing; killed before it had said all, the
//! next run says the rest.
//!
//! Absent: the comparison (crate `linkage`), what is compared (`models::people`).

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use eventlog::{EventSink, Outgoing, stream_name};
use events::encode::Encoded;
use lake::{Events, StoreLock};
use linkage::{Doubt, PersonId, Summary, Word};
use models::people::{self, Found, LINK, STEWARD};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::cli::{LinkCommand, OneWord};
use crate::config::Config;
use crate::data_dir::{DataDir, log_failure};
use crate::{every, exit, progress};

/// Events appended together.
const BLOCK: usize = 2_000;
/// How long after its start a process links for the first time: what came meanwhile has been read by then.
const AFTER_A_START: Duration = Duration::from_mins(15);

/// `amanat link …`.
pub fn run(config: Config, command: LinkCommand) -> anyhow::Result<()> {
    let dir = DataDir::open(&config)?;
    match command {
        LinkCommand::Run { dry_run, json } => {
            let found = found(&dir)?;
            if !dry_run {
                publish(&mut *dir.sink(&config)?, &dir, &found)?;
            }
            exit::print(&if json { numbers(&found) } else { told(&found, dry_run) })
        }
        LinkCommand::List { most, json } => exit::print(&listed(&found(&dir)?, most, json)),
        LinkCommand::Decide { person, other, one } => decide(&config, &dir, person, other, one),
    }
}

/// Links everybody by the newest facts.
fn found(dir: &DataDir) -> anyhow::Result<Found> {
    let bar = progress::spinner("linking");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let found = runtime.block_on(find(dir))?;
    bar.finish_and_clear();
    Ok(found)
}

/// Links everybody by the newest facts; a fold goes before, unless another process keeps the Snapshots fresh.
///
/// # Errors
/// Nothing was ingested yet; decisions of the steward that contradict each other; storage errors.
pub async fn find(dir: &DataDir) -> anyhow::Result<Found> {
    fold(dir).await?;
    let events = Events::open(&dir.store, "link").await?.snapshot()?;
    let threads = models::RefreshOptions::default().threads;
    Ok(people::link(&dir.store, &events, &dir.policy, &dir.keys, threads).await?)
}

/// Folds the newest facts, unless another process does.
///
/// # Errors
/// Nothing was ingested yet; storage errors.
pub async fn fold(dir: &DataDir) -> anyhow::Result<()> {
    // Who holds the lock folds; its latest Snapshot is kept while a newer one is made.
    let is_free = dir.lock(StoreLock::REFRESH).is_ok();
    if is_free {
        crate::edition::refresh_once(dir, models::RefreshOptions::default()).await?;
    }
    Ok(())
}

/// Links every so often until it is told to stop. A failure is said and tried again: who was one stays one. How many were found is in
/// no line, for it may be one.
///
/// # Errors
/// None; the signature is that of the other tasks of `up`.
pub async fn keep(config: Config, dir: Arc<DataDir>, stop: CancellationToken) -> anyhow::Result<()> {
    let hours = if dir.is_sample() { 0 } else { config.linkage.every_hours };
    let work = || once(config.clone(), Arc::clone(&dir));
    every::so_often(Duration::from_hours(hours), AFTER_A_START, stop, work).await;
    Ok(())
}

async fn once(config: Config, dir: Arc<DataDir>) {
    let linked = async {
        let found = find(&dir).await?;
        tokio::task::spawn_blocking(move || publish(&mut *dir.sink(&config)?, &dir, &found)).await?
    };
    match linked.await {
        Ok(words) => info!(something_new = words > 0, "persons of all agencies were linked"),
        Err(error) => warn!("persons were not linked: {error:#}"),
    }
}

/// Appends what linkage found to the log; gives how many events it was.
///
/// # Errors
/// The log does not take them. What was appended before stays; the next run says the rest.
pub fn publish(sink: &mut dyn EventSink, dir: &DataDir, found: &Found) -> anyhow::Result<usize> {
    for events in found.events(dir.is_sample()).chunks(BLOCK) {
        append(sink, LINK, events)?;
    }
    Ok(found.words.len())
}

fn decide(config: &Config, dir: &DataDir, person: PersonId, other: PersonId, one: OneWord) -> anyhow::Result<()> {
    if person == other {
        return Err(exit::Failure::Usage("two different persons are expected: she is one with herself".into()).into());
    }
    let are_one = match one {
        OneWord::Yes => Some(true),
        OneWord::No => Some(false),
        OneWord::Withdraw => None,
    };
    say(config, dir, (person, other), are_one)?;
    exit::note("the decision is in the log; `amanat link run` obeys it once it has been ingested");
    Ok(())
}

/// Puts the steward's word on a pair into the log.
///
/// # Errors
/// The log does not take it.
pub fn say(config: &Config, dir: &DataDir, pair: (PersonId, PersonId), are_one: Option<bool>) -> anyhow::Result<()> {
    let at_us = DateTime::<Utc>::from(SystemTime::now()).timestamp_micros();
    let event = people::decided(pair.0, pair.1, are_one, at_us, dir.is_sample());
    append(&mut *dir.sink(config)?, STEWARD, &[event])
}

/// Appends events to the log of an agency.
///
/// # Errors
/// The log does not take them.
pub fn append(sink: &mut dyn EventSink, agency: &str, events: &[Encoded]) -> anyhow::Result<()> {
    let now_ms = DateTime::<Utc>::from(SystemTime::now()).timestamp_millis();
    let headers: Vec<Vec<(&str, &[u8])>> = events.iter().map(Encoded::header_slices).collect();
    let out = events.iter().zip(&headers).map(|(event, headers)| Outgoing {
        key: Some(&event.key),
        headers,
        value: Some(&event.value),
        timestamp_ms: now_ms,
    });
    sink.append(&stream_name(agency), &out.collect::<Vec<_>>()).map_err(log_failure)?;
    Ok(())
}

/// For programs: what was found, in numbers.
fn numbers(found: &Found) -> String {
    let Summary { persons, clusters, all_plausible_linked, linked, compared, left_out, waiting } = found.summary;
    let count = |which: fn(&Word) -> bool| found.words.iter().filter(|(_, _, word)| which(word)).count();
    let told = json!({
        "persons_of_agencies": persons, "persons": clusters, "persons_if_all_plausible_linked": all_plausible_linked,
        "linked_of_agencies": linked, "linked_per_mille": found.summary.linked_per_mille(),
        "pairs_compared": compared, "pairs_left_out": left_out, "decisions_waiting": waiting,
        "pairs_for_the_steward": found.doubtful.len(),
        "merged": count(|word| matches!(word, Word::Merged { .. })),
        "split": count(|word| matches!(word, Word::Split { .. })),
        "doubted": count(|word| matches!(word, Word::Doubted { .. })),
    });
    format!("{told}\n")
}

/// For people.
fn told(found: &Found, dry_run: bool) -> String {
    let Summary { persons, clusters, all_plausible_linked, left_out, waiting, .. } = found.summary;
    let share = found.summary.linked_per_mille();
    let mut out = format!(
        "{persons} person(s) as agencies name them are {clusters}; {all_plausible_linked} if all that is plausible were linked\n\
         {}.{} % of them are linked with others\n",
        share / 10,
        share % 10
    );
    let is_or_would = if dry_run { "would be published" } else { "are in the log" };
    let _ = writeln!(out, "{} event(s) {is_or_would}", found.words.len());
    let _ = writeln!(out, "{} pair(s) wait for the steward: `amanat link list`", found.doubtful.len());
    if left_out > 0 {
        let _ = writeln!(out, "{left_out} pair(s) share a token that too many have, and were not compared by it");
    }
    if waiting > 0 {
        let _ = writeln!(out, "{waiting} decision(s) are about somebody who is not known here");
    }
    out
}

fn listed(found: &Found, most: usize, as_json: bool) -> String {
    let hex = |person: &PersonId| format!("{:032x}", u128::from_be_bytes(*person));
    let pairs = found.doubtful.iter().take(most);
    if as_json {
        let pair = |doubtful: &linkage::Doubtful| {
            json!({
                "person": hex(&doubtful.pair.0), "other": hex(&doubtful.pair.1),
                "confidence_per_mille": doubtful.confidence, "because": because(doubtful.because),
            })
        };
        return format!("{}\n", serde_json::Value::Array(pairs.map(pair).collect()));
    }
    let mut out = String::new();
    for doubtful in pairs {
        let (person, other) = (hex(&doubtful.pair.0), hex(&doubtful.pair.1));
        let _ = writeln!(out, "{person} {other}  {:>4} ‰  {}", doubtful.confidence, because(doubtful.because));
    }
    if found.doubtful.len() > most {
        let _ = writeln!(out, "… and {} more: --most {}", found.doubtful.len() - most, found.doubtful.len());
    }
    out
}

fn because(doubt: Doubt) -> &'static str {
    match doubt {
        Doubt::Weak => "the evidence is not enough",
        Doubt::Contradicts(_) => "what is known of the two contradicts",
        Doubt::OthersContradict => "somebody linked with one of them contradicts the other",
        Doubt::AgencyKeepsApart => "one agency knows them as two",
        Doubt::TooMany => "together they would be too many",
    }
}
