//! The figures of ingest: what it costs, how fresh its lake is, how it comes back, and that it loses and doubles nothing.

mod commits;
mod live;
mod no_loss;
mod recovery;
mod workers;

use anyhow::{Context, Result};
use serde_json::json;

use super::amanat::{Profile, build};
use super::{Bench, Figure, Measured};
use crate::bench::{Feed, Line, drain, duckdb, median, spark};
use crate::kafka::Broker;

/// CPU of a million events, seconds: JSON and Avro.
const CPU: (f64, f64) = (4.0, 2.5);
/// Events per second from the local log on two cores.
const SPEED: f64 = 400_000.0;
/// Largest resident set, MiB.
const MEMORY: f64 = 512.0;
/// How many times less CPU than the best peer that keeps the same promises.
const PEERS: f64 = 5.0;

/// The registry's part for ingest.
pub fn figures() -> Vec<Figure> {
    let costs = [
        Figure {
            name: "ingest.json",
            shows: "a worker drains the local log of JSON events, payload kept (release)",
            unit: "CPU-s per million",
            goal: "≤ 4.0; ≥ 400,000 events/s",
            minutes: 2,
            short: false,
            correctness: false,
            run: json_cost,
        },
        Figure {
            name: "ingest.avro",
            shows: "the same of events in Avro",
            unit: "CPU-s per million",
            goal: "≤ 2.5",
            minutes: 2,
            short: false,
            correctness: false,
            run: avro_cost,
        },
        Figure {
            name: "ingest.peers",
            shows: "CPU against Spark with Delta Lake, once it is warm, both from Kafka; DuckDB without exactly-once beside it",
            unit: "× less than the cheapest peer",
            goal: "≥ 5×",
            minutes: 6,
            short: false,
            correctness: false,
            run: peers,
        },
        Figure {
            name: "ingest.memory",
            shows: "resident set while 10 million events are drained, deduplication windows full",
            unit: "MiB",
            goal: "≤ 512 MiB",
            minutes: 8,
            short: false,
            correctness: false,
            run: memory,
        },
    ];
    costs
        .into_iter()
        .chain(live::figures())
        .chain(recovery::figures())
        .chain(workers::figures())
        .chain(no_loss::figures())
        .collect()
}

fn json_cost(bench: &Bench) -> Result<Measured> {
    let line = local(bench, false)?;
    let met = line.cpu_seconds_per_million <= CPU.0 && line.events_per_second >= SPEED;
    Ok(Measured { value: two(line.cpu_seconds_per_million), met, details: json!(line) })
}

fn avro_cost(bench: &Bench) -> Result<Measured> {
    let line = local(bench, true)?;
    Ok(Measured {
        value: two(line.cpu_seconds_per_million),
        met: line.cpu_seconds_per_million <= CPU.1,
        details: json!(line),
    })
}

fn local(bench: &Bench, avro: bool) -> Result<Line> {
    let program = build(Profile::Release, "amanat", "amanat")?;
    let feed = Feed::make(&program, bench, "medium", None, avro)?;
    Ok(median(drain(&program, &feed, None)?))
}

fn peers(bench: &Bench) -> Result<Measured> {
    let program = build(Profile::Release, "amanat", "amanat")?;
    let feed = Feed::make(&program, bench, "medium", None, false)?;
    let broker = Broker::up()?;
    let published = feed.on_kafka(&program, bench, &broker)?;
    let ours = median(drain(&program, &published, Some(&broker))?);
    let peers = spark(bench, &published, &broker)?;
    let cheapest =
        peers.iter().map(|line| line.cpu_seconds_per_million).min_by(f64::total_cmp).context("no peer ran")?;
    let ratio = cheapest / ours.cpu_seconds_per_million;
    let bound = duckdb(bench, &program)?;
    Ok(Measured {
        value: format!("{ratio:.1}"),
        met: ratio >= PEERS,
        details: json!({"ours": ours, "peers": peers, "bound_without_exactly_once": bound}),
    })
}

/// Events of the long drain.
pub const LONG: u64 = 10_000_000;

fn memory(bench: &Bench) -> Result<Measured> {
    let program = build(Profile::Release, "amanat", "amanat")?;
    let feed = Feed::make(&program, bench, "large", Some(LONG), false)?;
    let line = crate::bench::drain_once(&program, &feed, None)?;
    Ok(Measured { value: format!("{:.0}", line.peak_mib), met: line.peak_mib <= MEMORY, details: json!(line) })
}

fn two(number: f64) -> String {
    format!("{number:.2}")
}
