//! `ingest.freshness`: from the moment an event is due to be published until it can be read from `events`.

use anyhow::Result;
use serde_json::json;

use super::super::amanat::{Profile, Running, build};
use super::super::measure::measure;
use super::super::{Bench, Figure, Measured, same_store, text};
use crate::bench::{Feed, drain, median};
use crate::kafka::Broker;

/// Seconds of publishing.
const SECONDS: &str = "60";

pub fn figures() -> Vec<Figure> {
    vec![Figure {
        name: "ingest.freshness",
        shows: "published at half the rate at which Kafka is drained here → visible in `events`, p50 and p99 (release)",
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
    let feed = Feed::make(&program, bench, "medium", None, false)?;
    let broker = Broker::up()?;
    let published = feed.on_kafka(&program, bench, &broker)?;
    let drained = median(drain(&program, &published, Some(&broker))?);
    drop(broker);
    let broker = Broker::up()?;
    let (brokers, data) = (broker.bootstrap(), bench.scratch.join("live"));
    same_store(&published.data, &data)?;
    let data = text(&data);
    build(Profile::Release, "testkit", "measure")?;
    let rate = (drained.events_per_second / 2.0).round();
    let worker = Running::start(&program, &["up", "--role", "ingest", "--data", &data, "--brokers", &brokers], &[])?;
    let arguments = ["--brokers", &brokers, "--data", &data, "--rate", &rate.to_string(), "--seconds", SECONDS];
    let mut measured = measure(bench, Profile::Release, "live", &arguments)?;
    measured.details["drained_events_per_second"] = json!(drained.events_per_second);
    measured.details["worker_peak_mib"] = json!(worker.peak_mib());
    Ok(measured)
}
