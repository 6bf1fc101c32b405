//! `ingest.freshness`: from the moment an event is due to be published until it can be read from `events`.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;

use super::super::amanat::{Profile, Running, build};
use super::super::measure::measure;
use super::super::{Bench, Figure, Measured, same_store, text};
use crate::bench::{Feed, drain_once};
use crate::kafka::Broker;

/// Seconds of publishing, at full load and at half of it.
const SECONDS: (u32, u32) = (10, 60);

pub fn figures() -> Vec<Figure> {
    vec![Figure {
        name: "ingest.freshness",
        shows: "published at half the rate at which Kafka is drained while broker and producer work on this machine too → visible in `events`, p50 and p99 (release)",
        unit: "s, p50 and p99",
        goal: "≤ 0.8 s and ≤ 2 s",
        minutes: 5,
        short: false,
        correctness: false,
        run: freshness,
    }]
}

fn freshness(bench: &Bench) -> Result<Measured> {
    let program = build(Profile::Release, "amanat", "amanat")?;
    build(Profile::Release, "testkit", "measure")?;
    let feed = Feed::make(&program, bench, "small", None, false)?;
    let alone = {
        let (feed, broker) = (Feed::make(&program, bench, "medium", None, false)?, Broker::up()?);
        let published = feed.on_kafka(&program, bench, &broker)?;
        drain_once(&program, &published, Some(&broker))?.events_per_second
    };
    // More than it can take: what it takes then, with the producer beside it, is full load.
    let (full, _) = live(bench, &program, &feed, "full", alone, SECONDS.0)?;
    let seen = |name: &str| full.details[name].as_f64().with_context(|| format!("live told no {name}"));
    let last = full.details["visible_after_seconds"]["most"].as_f64().context("live told no latest event")?;
    let sustained = seen("events")? / (seen("seconds")? + last);
    let (mut measured, peak_mib) = live(bench, &program, &feed, "half", sustained / 2.0, SECONDS.1)?;
    measured.details["drained_events_per_second"] = json!({"without_producer": alone, "with_producer": sustained});
    measured.details["worker_peak_mib"] = json!(peak_mib);
    Ok(measured)
}

/// Publishes at a rate to a broker of its own while a worker ingests; the worker's largest resident set beside it, MiB.
fn live(bench: &Bench, program: &Path, like: &Feed, name: &str, rate: f64, seconds: u32) -> Result<(Measured, f64)> {
    let broker = Broker::up()?;
    let (brokers, data) = (broker.bootstrap(), bench.scratch.join(name));
    same_store(&like.data, &data)?;
    let data = text(&data);
    let worker = Running::start(program, &["up", "--role", "ingest", "--data", &data, "--brokers", &brokers], &[])?;
    let (rate, seconds) = (format!("{rate:.0}"), seconds.to_string());
    let arguments = ["--brokers", &brokers, "--data", &data, "--rate", &rate, "--seconds", &seconds];
    let measured = measure(bench, Profile::Release, "live", &arguments)?;
    Ok((measured, worker.peak_mib()))
}
