//! `amanat replay`: what was set aside is read again under today's contract and policy; what passes is appended, once.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use ingest::{RandomIds, Replay, ReplayError, Replayed, Selection, SystemClock};
use lake::{Events, LakeError};
use serde_json::{Value, json};

use crate::cli::ReplayArgs;
use crate::config::Config;
use crate::data_dir::{DataDir, unusable};
use crate::exit::{self, Failure};
use crate::{avro_schemas, progress, up};

/// Replays, or says what would pass.
pub fn run(config: Config, args: ReplayArgs) -> anyhow::Result<()> {
    let selection = match &args.predicate {
        Some(text) => Selection::parse(text).map_err(|error| Failure::Usage(format!("--where: {error}")))?,
        None => Selection::ALL,
    };
    let dir = DataDir::open(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let bar = progress::spinner("replaying");
    let done = runtime.block_on(replay(&config, &dir, &selection, args.dry_run));
    bar.finish_and_clear();
    let done = done?;
    exit::print(&if args.json { format!("{}\n", report(&done, args.dry_run)) } else { said(&done, args.dry_run) })
}

async fn replay(config: &Config, dir: &DataDir, selection: &Selection, dry_run: bool) -> anyhow::Result<Replayed> {
    let writer = format!("replay-{}", uuid::Uuid::new_v4().simple());
    let mut events = match Events::open(&dir.store, &writer).await {
        Err(LakeError::NoTable(_)) => return Ok(Replayed::default()),
        opened => opened.map_err(|error| unusable(&dir.path, &error))?,
    };
    let replay = Replay {
        events: &mut events,
        policy: Arc::clone(&dir.policy),
        keys: Arc::clone(&dir.keys),
        config: up::worker_config(config, dir.kind),
        schemas: avro_schemas::source(config, dir)?,
        clock: Arc::new(SystemClock::default()),
        ids: Arc::new(RandomIds),
    };
    let done = if dry_run { replay.preview(selection).await } else { replay.run(selection).await };
    done.map_err(|error| match error {
        ReplayError::TakenOver => Failure::Unavailable(error.to_string()).into(),
        other => other.into(),
    })
}

fn report(done: &Replayed, dry_run: bool) -> Value {
    let appended = &done.appended;
    json!({
        "dry_run": dry_run, "selected": done.selected, "resolved_before": done.resolved_before,
        "passed": done.passed, "refused": done.refused, "expired": done.expired, "unopened": done.unopened,
        "waiting": done.waiting, "lake_version": done.lake_version,
        "appended": { "ok": appended.ok, "duplicate": appended.duplicate, "conflict": appended.conflict }
    })
}

fn said(done: &Replayed, dry_run: bool) -> String {
    let mut text = format!("{} set-aside message(s) selected", done.selected);
    if done.resolved_before > 0 {
        text.push_str(&format!(", {} more were resolved before", done.resolved_before));
    }
    let passed: u64 = done.passed.values().sum();
    text.push_str(&format!("\n{passed} {}{}\n", if dry_run { "would pass" } else { "passed" }, by_class(&done.passed)));
    let refused: u64 = done.refused.values().sum();
    if refused > 0 {
        text.push_str(&format!("{refused} stay set aside{}\n", by_class(&done.refused)));
    }
    for (count, what) in [
        (done.expired, "cannot be read any more: their bytes have expired; the agency can send them again"),
        (done.unopened, "cannot be opened: another key, or a damaged file; the log names them"),
        (done.waiting, "need an Avro schema that cannot be had now; replay them when the registry has it"),
    ] {
        if count > 0 {
            text.push_str(&format!("{count} {what}\n"));
        }
    }
    if !dry_run {
        let appended = &done.appended;
        text.push_str(&format!(
            "appended: {} accepted, {} duplicate(s), {} in conflict\n",
            appended.ok, appended.duplicate, appended.conflict
        ));
    }
    text
}

/// `: schema 3, type_not_permitted 1`.
fn by_class<K: Display>(counts: &BTreeMap<K, u64>) -> String {
    let classes: Vec<String> = counts.iter().map(|(class, count)| format!("{class} {count}")).collect();
    if classes.is_empty() { String::new() } else { format!(": {}", classes.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_names_classes_and_what_an_operator_can_do() {
        let done = Replayed {
            selected: 6,
            resolved_before: 2,
            expired: 1,
            passed: BTreeMap::from([("oversize".into(), 1), ("schema".into(), 3)]),
            refused: BTreeMap::from([("parse", 1)]),
            ..Replayed::default()
        };
        let text = said(&done, true);
        assert!(text.starts_with("6 set-aside message(s) selected, 2 more were resolved before\n"), "{text}");
        assert!(text.contains("4 would pass: oversize 1, schema 3\n1 stay set aside: parse 1\n"), "{text}");
        assert!(text.contains("the agency can send them again") && !text.contains("appended"), "{text}");
    }
}
