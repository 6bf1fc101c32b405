//! `ingest.recovery`: kill -9, and how long until rows are committed again: by the same worker restarted, with the
//! deduplication windows full; and by another of its group.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::super::amanat::{Profile, Running, build, run};
use super::super::{Bench, Figure, Measured, same_store, text};
use super::commits::Commits;
use crate::bench::Feed;
use crate::kafka::Broker;

/// Rows after which the windows are full: several times what 64 MiB hold at some 45 bytes an id.
const FULL: u64 = 7_000_000;
/// Kills, each after further commits.
const KILLS: usize = 3;
/// Seconds until the next commit.
const GOAL: f64 = 3.0;
/// Session timeout of the group, milliseconds: the default.
const SESSION: u64 = 10_000;
/// Longest that anything here may take.
const LIMIT: Duration = Duration::from_mins(5);

pub fn figures() -> Vec<Figure> {
    vec![Figure {
        name: "ingest.recovery",
        shows: "kill -9 → the next commit of rows: restarted with its deduplication windows full; taken over by another of the group (release)",
        unit: "s, restarted and taken over",
        goal: "≤ 3 s; ≤ session timeout (10 s) + 3 s",
        minutes: 8,
        short: false,
        correctness: false,
        run: recovery,
    }]
}

fn recovery(bench: &Bench) -> Result<Measured> {
    let program = build(Profile::Release, "amanat", "amanat")?;
    let feed = Feed::make(&program, bench, "large", Some(super::LONG), false)?;
    let data = text(&feed.data);
    let arguments = ["up", "--role", "ingest", "--data", &data];
    let mut commits = Commits::of(&feed.data);
    let mut running = Running::start(&program, &arguments, &[])?;
    let mut rows = 0;
    commits.wait(LIMIT, |commit| {
        rows += commit.rows;
        rows >= FULL
    })?;
    let mut restarted = Vec::new();
    for _ in 0..KILLS {
        running.kill()?;
        commits.new_ones()?;
        running = Running::start(&program, &arguments, &[])?;
        commits.wait(LIMIT, |_| true)?;
        restarted.push(seconds(running.began));
    }
    running.kill()?;
    let taken_over = taken_over(bench, &program, &feed)?;
    let worst = restarted.iter().copied().fold(0.0, f64::max);
    Ok(Measured {
        value: format!("{worst:.1} and {taken_over:.1}"),
        met: worst <= GOAL && taken_over <= SESSION as f64 / 1e3 + GOAL,
        details: json!({"restarted_seconds": restarted, "rows_before": rows, "taken_over_seconds": taken_over, "session_timeout_ms": SESSION}),
    })
}

/// Two workers share the topics of a live feed; one is killed, and the other commits what was its.
fn taken_over(bench: &Bench, program: &std::path::Path, feed: &Feed) -> Result<f64> {
    let broker = Broker::up()?;
    let (brokers, data) = (broker.bootstrap(), bench.scratch.join("takeover"));
    same_store(&feed.data, &data)?;
    let folder = text(&data);
    let session = SESSION.to_string();
    let environment = [("AMANAT_LOG__GROUP", "takeover"), ("AMANAT_LOG__SESSION_TIMEOUT_MS", &*session)];
    let up = ["up", "--role", "ingest", "--data", &folder, "--brokers", &brokers];
    run(program, &["sample", "--size", "small", "--data", &folder, "--brokers", &brokers])?;
    let first = Running::start(program, &up, &environment)?;
    let mut commits = Commits::of(&data);
    let of_first = commits.wait(LIMIT, |_| true)?.writer;
    let live = bench.scratch.join("takeover-live");
    same_store(&feed.data, &live)?;
    let live = text(&live);
    let feeding = ["sample", "--size", "medium", "--rate", "4000", "--data", &live, "--brokers", &brokers];
    let _producer = Running::start(program, &feeding, &[])?;
    let second = Running::start(program, &up, &environment)?;
    let mut other = None;
    commits.wait(LIMIT, |commit| {
        let found = commit.writer != of_first;
        if found {
            other = Some(commit.writer.clone());
        }
        found
    })?;
    let other = other.context("two workers commit")?;
    // What the first still has after the second has its share.
    let held = commits.wait(LIMIT, |commit| commit.writer == of_first)?.partitions;
    first.kill()?;
    let killed = Instant::now();
    let next = commits
        .wait(LIMIT, |commit| commit.writer == other && commit.partitions.intersection(&held).next().is_some())?;
    ensure!(next.rows > 0, "the takeover has rows");
    let taken = seconds(killed);
    second.kill()?;
    Ok(taken)
}

fn seconds(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 100.0).round() / 100.0
}
