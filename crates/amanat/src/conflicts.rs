//! Which content of an event counts: `amanat conflict list|decide`.
//!
//! What the steward decides becomes an event on the log like any agency's; ingest takes it in, and the next fold counts by it.
//!
//! Absent: what is a conflict and what may be told of it (`models::conflicts`).

use std::fmt::Write as _;
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use lake::Events;
use models::conflicts::{self, Because, Conflict, Content};
use models::people::{self, STEWARD};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::cli::{ConflictCommand, DecideArgs};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::exit::{self, Failure};
use crate::linking;

/// `amanat conflict …`.
pub fn run(config: Config, command: ConflictCommand) -> anyhow::Result<()> {
    let dir = DataDir::open(&config)?;
    let all = tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(found(&dir))?;
    match command {
        ConflictCommand::List { agency, decided, most, json } => {
            let is_meant = |conflict: &&Conflict| {
                agency.as_ref().is_none_or(|agency| *agency == conflict.agency) && (decided || !conflict.is_decided())
            };
            let meant: Vec<&Conflict> = all.iter().filter(is_meant).collect();
            exit::print(&if json { as_json(&meant, most) } else { as_text(&meant, most) })
        }
        ConflictCommand::Decide(args) => {
            let row = row(&all, &args)?;
            decide(&config, &dir, &args.agency, args.event, row)?;
            exit::note("the decision is in the log; the next fold obeys it once it has been ingested");
            Ok(())
        }
    }
}

/// All conflicts of what has been ingested.
///
/// # Errors
/// Storage errors.
pub async fn found(dir: &DataDir) -> anyhow::Result<Vec<Conflict>> {
    let events = match Events::open(&dir.store, "conflicts").await {
        Err(lake::LakeError::NoTable(_)) => return Ok(Vec::new()),
        events => events?.snapshot()?,
    };
    Ok(conflicts::conflicts(&events, &dir.policy, &dir.keys).await?)
}

/// The row that is meant, if it is one of the event.
fn row<'a>(all: &'a [Conflict], args: &DecideArgs) -> Result<&'a str, Failure> {
    let is_meant = |conflict: &&Conflict| conflict.agency == args.agency && conflict.event_id == args.event;
    let Some(conflict) = all.iter().find(is_meant) else {
        let what = "of this event of this agency one content is known: nothing is to be decided. `amanat conflict list --decided` has what is; what was published and not yet ingested is not known here";
        return Err(Failure::Refused(what.into()));
    };
    let contents = &conflict.contents;
    let found = match (&args.row, args.counts) {
        (Some(row), _) => contents.iter().find(|content| content.row == *row),
        (None, Some(number)) => number.checked_sub(1).and_then(|at| contents.get(at)),
        (None, None) => None,
    };
    let known = || format!("this event has contents 1 to {}: `amanat conflict list` shows their rows", contents.len());
    found.map(|content| content.row.as_str()).ok_or_else(|| Failure::Usage(known()))
}

/// Puts the steward's word into the log.
///
/// # Errors
/// The log does not take it.
pub fn decide(config: &Config, dir: &DataDir, agency: &str, event_id: Uuid, row: &str) -> anyhow::Result<()> {
    let at_us = DateTime::<Utc>::from(SystemTime::now()).timestamp_micros();
    let event = people::counted(agency, event_id, row, at_us, dir.is_sample());
    linking::append(&mut *dir.sink(config)?, STEWARD, &[event])
}

/// For programs.
fn as_json(conflicts: &[&Conflict], most: usize) -> String {
    let content = |content: &Content| json!({ "row": content.row, "type": content.kind.name(), "read_at": instant(content.read_us) });
    let one = |conflict: &&Conflict| {
        let (because, decided_at) = reason(conflict.because);
        json!({
            "agency": conflict.agency, "event_id": conflict.event_id,
            "contents": conflict.contents.iter().map(content).collect::<Vec<_>>(),
            "differs": conflict.differs.iter().map(|it| json!({ "field": it.field, "said": it.said })).collect::<Vec<_>>(),
            "counts": conflict.counts + 1, "because": because, "decided_at": decided_at,
        })
    };
    format!("{}\n", Value::Array(conflicts.iter().take(most).map(one).collect()))
}

/// The code of a reason, and when it was given.
fn reason(because: Because) -> (&'static str, Option<String>) {
    match because {
        Because::Least => ("least", None),
        Because::Decided(at) => ("decided", Some(instant(at))),
        Because::DecidedForAbsent(at) => ("decided_for_absent", Some(instant(at))),
    }
}

/// For people.
fn as_text(conflicts: &[&Conflict], most: usize) -> String {
    let mut out = String::new();
    for conflict in conflicts.iter().take(most) {
        let _ = writeln!(out, "{} {}", conflict.agency, conflict.event_id);
        for (at, content) in conflict.contents.iter().enumerate() {
            let counts = if at == conflict.counts { why(conflict.because) } else { String::new() };
            let (number, kind, read) = (at + 1, content.kind.short_name(), instant(content.read_us));
            let _ = writeln!(out, "  {number}  {kind}, read {read}, row {}{counts}", content.row);
        }
        for difference in &conflict.differs {
            let said = difference.said.as_ref().map_or_else(|| "differs".to_owned(), |said| told(said));
            let _ = writeln!(out, "     {}: {said}", difference.field);
        }
    }
    match conflicts.len() {
        0 => out.push_str("no conflict waits for the steward\n"),
        all if all > most => _ = writeln!(out, "… and {} more: --most {all}", all - most),
        _ => {}
    }
    out
}

fn told(said: &[Option<String>]) -> String {
    let said: Vec<&str> = said.iter().map(|said| said.as_deref().unwrap_or("not said")).collect();
    said.join(" | ")
}

fn why(because: Because) -> String {
    match because {
        Because::Least => "  counts: nothing was decided, and its content is the least".to_owned(),
        Because::Decided(at) => format!("  counts: decided {}", instant(at)),
        Because::DecidedForAbsent(at) => {
            format!("  counts: its content is the least; what was decided {} is not here", instant(at))
        }
    }
}

/// A time as it is shown.
pub fn instant(us: i64) -> String {
    DateTime::from_timestamp_micros(us).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}
