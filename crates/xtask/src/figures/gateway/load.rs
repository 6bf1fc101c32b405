//! `gateway.load`: how fast the door is, beside the log without a door.

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::super::amanat::{Profile, Running};
use super::super::measure::measure as measured_by;
use super::super::{Bench, Measured};
use super::served::{Store, built_apart, number, profile};

/// Goals, events a second: in batches, and one by one.
const FAST: (f64, f64) = (30_000.0, 5_000.0);
/// Longest 99th percentile at those rates, milliseconds.
const P99: f64 = 50.0;
/// Each part takes so many seconds; `DOOR_SECONDS` names others.
const SECONDS: u64 = 15;
/// Numbers of one part's events begin so far from those of the next.
const APART: u64 = 1 << 36;

/// What a part sends: its name and arguments.
const PARTS: [(&str, &[&str]); 5] = [
    ("batches", &["--per-request", "1000", "--connections", "8"]),
    ("batches in gzip", &["--per-request", "1000", "--connections", "8", "--gzip"]),
    ("single events", &["--connections", "64"]),
    ("batches at the goal's rate", &["--per-request", "500", "--connections", "16", "--rate", "30000"]),
    ("single events at the goal's rate", &["--connections", "64", "--rate", "5000"]),
];

/// Measures.
pub fn measure(bench: &Bench) -> Result<Measured> {
    let (profile, seconds) = (profile(), number("DOOR_SECONDS", SECONDS).to_string());
    let limit = measured_by(bench, profile, "door_limit", &["--sizes", "1,32,1000"])?;
    let limit: Value = serde_json::from_str(&limit.value).context("what the log takes without a door")?;
    let program = built_apart(bench, profile)?;
    let store = Store::new(bench, &program, None)?;
    let door = store.open(&["gateway"], &[])?;
    let mut parts = Map::new();
    for (number, (name, arguments)) in (1..).zip(PARTS) {
        let first = (number * APART).to_string();
        let at = store.at();
        let more = ["--seconds", &seconds, "--first", &first];
        let arguments: Vec<&str> = at.iter().map(String::as_str).chain(arguments.iter().copied()).chain(more).collect();
        parts.insert(name.to_owned(), part(bench, profile, &door, &arguments)?);
    }
    let of = |name: &str, what: &str| parts[name][what].as_f64().unwrap_or_default();
    let p99 = |name: &str| parts[name]["ms"]["p99"].as_f64().unwrap_or(f64::MAX);
    let batches = of("batches", "events_per_second").min(of("batches in gzip", "events_per_second"));
    let single = of("single events", "events_per_second");
    let slowest = (p99("batches at the goal's rate"), p99("single events at the goal's rate"));
    let fast = batches >= FAST.0 && single >= FAST.1 && slowest.0.max(slowest.1) <= P99;
    let refused: f64 = parts.values().filter_map(|part| part["not_202"].as_f64()).sum();
    let share = |rate: f64, size: &str| rate / limit[size].as_f64().unwrap_or(f64::NAN);
    Ok(Measured {
        value: format!("{batches:.0}, {single:.0}, {:.0} and {:.0}", slowest.0, slowest.1),
        met: fast && refused == 0.0 && profile == Profile::Release,
        details: json!({
            "parts": parts, "log_without_a_door_events_per_second_by_events_in_an_append": limit,
            "share_of_the_log": {
                "batches_of_1000": share(of("batches", "events_per_second"), "1000"),
                "single_beside_appends_of_1": share(single, "1"), "single_beside_appends_of_32": share(single, "32"),
            },
            "note": "clients and program share the processors; `processors_of_…` says who took how much",
            "peak_mib": door.peak_mib(),
        }),
    })
}

fn part(bench: &Bench, profile: Profile, door: &Running, arguments: &[&str]) -> Result<Value> {
    let before = door.cpu_seconds();
    let mut part = measured_by(bench, profile, "door_load", arguments)?;
    let seconds = part.details["seconds"].as_f64().unwrap_or(f64::NAN);
    part.details["processors_of_the_program"] = json!((door.cpu_seconds() - before) / seconds);
    part.details["events_per_second"] = part.value.parse::<f64>().map_or(Value::Null, |rate| json!(rate));
    Ok(part.details)
}
