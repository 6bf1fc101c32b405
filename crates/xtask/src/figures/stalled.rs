//! `ingest.stalled`: a store that stops answering for half an hour, and what the worker's memory does meanwhile.
//!
//! The server is paused, not killed: it keeps its connections and says nothing, which is the worst that a store can do. The log goes on
//! offering messages. Nothing may be lost, and the worker may hold no more after the half hour than after its first minute.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::amanat::{Running, built_apart, run};
use super::s3::{Bucketed, commits, path};
use super::{Bench, Figure, Measured};
use crate::bench::Feed;
use crate::s3::Server;

/// Minutes without an answer; `STALLED_MINUTES` names others.
const MINUTES: u64 = 30;
/// Events in the log: more than a worker may hold.
const EVENTS: u64 = 2_000_000;
/// Commits before the store stops.
const BEFORE: usize = 8;
/// After so long the queues are full.
const FULL: Duration = Duration::from_mins(1);
/// Largest resident set, and how much more of it at the end of the pause than when the queues were full; MiB.
const MOST: (f64, f64) = (512.0, 16.0);
/// Longest until everything is in the lake afterwards. The worker tries again at the latest after 30 s.
const PATIENCE: Duration = Duration::from_mins(10);

/// The registry's part.
pub fn figures() -> Vec<Figure> {
    vec![Figure {
        name: "ingest.stalled",
        shows: "the S3 server answers nobody for 30 minutes while the log is full: resident set of the worker, and what is in the lake afterwards (release)",
        unit: "MiB more at the end of the pause than after its first minute, and at most",
        goal: "≤ 16 and ≤ 512 MiB; every event in the lake",
        minutes: 40,
        short: false,
        correctness: false,
        run: stalled,
    }]
}

fn stalled(bench: &Bench) -> Result<Measured> {
    let program = built_apart(bench)?;
    let minutes = std::env::var("STALLED_MINUTES").ok().and_then(|minutes| minutes.parse().ok()).unwrap_or(MINUTES);
    let feed = Feed::make(&program, bench, "large", Some(EVENTS), false)?;
    let server = Server::up()?;
    let place = Bucketed::new(bench, &server, &feed.data, "stalled", "")?;
    let (data, config) = (path(&place.data), path(&place.config));
    let log = server.objects("stalled").join("lake/events/_delta_log");
    let mut worker = Running::start(&program, &["up", "--role", "ingest", "--data", data, "--config", config], &[])?;
    until("the first commits", || Ok(commits(&log) >= BEFORE))?;
    server.pause()?;
    let (paused, held_at) = (Instant::now(), commits(&log));
    let mut resident = Vec::new();
    while paused.elapsed() < Duration::from_secs(minutes * 60) {
        ensure!(!worker.ended()?, "the worker ended while the store was silent");
        std::thread::sleep(Duration::from_secs(1));
        if paused.elapsed() >= FULL {
            resident.push(worker.resident_mib());
        }
    }
    let committed_meanwhile = commits(&log) - held_at;
    server.resume()?;
    let resumed = Instant::now();
    let mut status = json!(null);
    until("the rest", || {
        status = serde_json::from_str(&run(&program, &["status", "--json", "--data", data, "--config", config])?.out)?;
        Ok(lag(&status) == 0)
    })?;
    let drained = resumed.elapsed();
    let in_lake: i64 = each(&status, "in_lake").sum();
    let first = resident.first().copied().unwrap_or_default();
    let (grown, most) = (resident.iter().copied().fold(0.0, f64::max) - first, worker.peak_mib());
    Ok(Measured {
        value: format!("{grown:.0} and {most:.0}"),
        met: grown <= MOST.1 && most <= MOST.0 && in_lake as f64 >= feed.events && minutes >= MINUTES,
        details: json!({
            "minutes_silent": minutes, "events": feed.events, "offsets_in_the_lake": in_lake,
            "commits_before": held_at, "commits_while_silent": committed_meanwhile,
            "resident_mib": {"after_the_first_minute": first, "greatest_afterwards": first + grown, "peak_of_the_run": most},
            "seconds_until_all_was_in_the_lake": drained.as_secs_f64(),
        }),
    })
}

fn lag(status: &Value) -> i64 {
    each(status, "lag").sum()
}

fn each<'s>(status: &'s Value, name: &'s str) -> impl Iterator<Item = i64> + 's {
    status["partitions"].as_array().into_iter().flatten().filter_map(move |row| row[name].as_i64())
}

fn until(what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let began = Instant::now();
    while !is_so()? {
        ensure!(began.elapsed() < PATIENCE, "{what} did not come within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
