//! `refolds`: many tangled logs, each refreshed in random parts, against the same log rebuilt: equal marts, byte for byte.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};
use eventlog::simulated::{ManualClock, SimulatedLog};
use eventlog::{EventSink as _, EventSource as _, Outgoing};
use models::{Layering, Memory, Plans, RefreshOptions, Snapshot};
use sample::tangle::{self, LOG_MS, Line};
use serde_json::json;

use crate::Measured;
use crate::road::{Batches, Place};

/// Logs tried at a time.
const AT_ONCE: usize = 2;

/// What trying one log came to.
#[derive(Default)]
struct Tried {
    equal: bool,
    refreshes: u64,
    above: u64,
    rows: u64,
    retractions: u64,
    waiting: u64,
    choices: u64,
    chosen: u64,
    staged: BTreeMap<String, u64>,
}

/// Measures.
pub async fn measure(scratch: &Path, logs: u64, messages: u32) -> Result<Measured> {
    let began = Instant::now();
    let plans = Plans::default();
    let (mut different, mut all) = (Vec::new(), Tried::default());
    let seeds: Vec<u64> = (0..logs).collect();
    for some in seeds.chunks(AT_ONCE) {
        let tasks: Vec<_> = some
            .iter()
            .map(|seed| {
                let (folder, plans, seed) = (scratch.join(format!("refold-{seed}")), plans.clone(), *seed);
                tokio::spawn(async move { try_log(&folder, seed, messages, plans).await })
            })
            .collect();
        for (seed, task) in some.iter().zip(tasks) {
            let tried = task.await??;
            if !tried.equal {
                different.push(*seed);
            }
            all.refreshes += tried.refreshes;
            all.above += tried.above;
            all.rows += tried.rows;
            all.retractions += tried.retractions;
            all.waiting += tried.waiting;
            all.choices += tried.choices;
            all.chosen += tried.chosen;
            for (family, rows) in tried.staged {
                *all.staged.entry(family).or_default() += rows;
            }
        }
    }
    Ok(Measured {
        value: json!(logs - different.len() as u64),
        met: different.is_empty() && all.above > logs && all.chosen > 0,
        details: json!({
            "logs": logs, "messages_of_each": messages, "refreshes": all.refreshes, "of_what_was_new_alone": all.above,
            "events": all.rows, "retractions": all.retractions, "retractions_waiting": all.waiting, "staged": all.staged,
            "decided_by_the_steward": all.choices, "decided_with_effect": all.chosen,
            "different": different, "seconds": began.elapsed().as_secs(),
        }),
    })
}

async fn try_log(folder: &Path, seed: u64, messages: u32, plans: Plans) -> Result<Tried> {
    let place = Place::new(folder)?;
    let surrogate = |agency: &str, token: &str| policy::person_surrogate(&place.keys, agency, token);
    let log = SimulatedLog::new("tangle", 1, ManualClock::at(LOG_MS));
    let lines = tangle::lines(seed, messages, log.source().source_uid(), &surrogate);
    // From few layers to many, with or without every test of every model.
    let most = 1 + (seed % 5) as usize;
    let layering = Layering { new_per_mille: 1_000_000, grown_per_mille: 1_000_000, most };
    let tight = Memory { held_bytes: 0, rows_at_once: 7 };
    let memory = if seed.is_multiple_of(3) { tight } else { Memory::default() };
    let step =
        RefreshOptions { layering, plans, thorough: seed.is_multiple_of(4), memory, ..RefreshOptions::default() };
    let (mut tried, mut from) = (Tried::default(), 0);
    for to in parts(seed, lines.len()) {
        append(&log, &lines[from..to])?;
        place.ingest(log.source(), Batches::default()).await?;
        let (_, report) = place.refresh(&step).await?;
        tried.refreshes += 1;
        tried.above += u64::from(report.records_changed.is_some());
        from = to;
    }
    ensure!(from == lines.len(), "the parts are the log");
    let opened = Snapshot::open_latest(&place.store).await?;
    let stepwise = opened.map(|snapshot| (snapshot.hashes(), snapshot.info().stage.clone()));
    let (folded, _) = place.refresh(&RefreshOptions { force: true, memory: tight, ..step.clone() }).await?;
    let (rebuilt, report) = place.refresh(&RefreshOptions { rebuild: true, ..step }).await?;
    tried.equal = stepwise
        .is_some_and(|(marts, stage)| marts == rebuilt.hashes() && marts == folded.hashes() && stage == report.stage);
    tried.rows = report.stage.raw;
    tried.retractions = report.stage.retractions;
    tried.waiting = report.stage.retractions_waiting;
    tried.choices = report.stage.choices;
    tried.chosen = report.stage.chosen;
    tried.staged = report.stage.staged;
    std::fs::remove_dir_all(folder)?;
    Ok(tried)
}

/// Where a log of so many messages is cut: from two to seven parts, by the seed.
fn parts(seed: u64, messages: usize) -> Vec<usize> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut cuts: Vec<usize> = (0..=next(6)).map(|_| 1 + next(messages - 1)).collect();
    cuts.push(messages);
    cuts.sort_unstable();
    cuts.dedup();
    cuts
}

fn append(log: &SimulatedLog, lines: &[Line]) -> Result<()> {
    let mut sink = log.sink();
    for line in lines {
        let headers: Vec<(&str, &[u8])> = line.headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let (key, value) = (Some(line.key.as_bytes()), Some(line.value.as_bytes()));
        let out = Outgoing { key, headers: &headers, value, timestamp_ms: LOG_MS };
        sink.append(&eventlog::stream_name(line.agency), &[out])?;
    }
    Ok(())
}
