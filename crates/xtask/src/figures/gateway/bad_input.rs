//! `gateway.bad_input`: what nobody should send, and whether it harms those who send well.

use anyhow::{Context, Result};
use serde_json::json;

use super::super::amanat::{Profile, build};
use super::super::measure::measure as measured_by;
use super::super::{Bench, Measured};
use super::served::{Store, number};

/// Bad requests; `DOOR_BAD_REQUESTS` names others.
const REQUESTS: u64 = 5_000;
/// Largest resident set, MiB. The door may hold 320 MiB for all and 128 MiB for one agency, and all that is bad comes from one.
const MOST: f64 = 256.0;
/// Texts of the input that must not be in a log line begin so (`testkit::door::answers::MARK`).
const MARK: &str = "zq7secret";

/// Measures.
pub fn measure(bench: &Bench) -> Result<Measured> {
    let program = build(Profile::Dev, "amanat", "amanat")?;
    let (store, requests) = (Store::new(bench, &program, None)?, number("DOOR_BAD_REQUESTS", REQUESTS));
    let environment =
        [("AMANAT_GATEWAY__ARRIVAL_SECONDS", "1"), ("AMANAT_TELEMETRY__LEVEL", "info,gateway=debug,endpoint=debug")];
    let mut door = store.open(&["gateway"], &environment)?;
    let before = door.resident_mib();
    let acknowledged = bench.scratch.join("acknowledged").to_string_lossy().into_owned();
    let at = store.at();
    let mut arguments: Vec<&str> = at.iter().map(String::as_str).collect();
    let (count, seed) = (requests.to_string(), number("DOOR_SEED", 1).to_string());
    arguments.extend(["--requests", &count, "--seed", &seed, "--acknowledged", &acknowledged]);
    let bad = measured_by(bench, Profile::Dev, "door_bad_input", &arguments)?;
    let (alive, peak) = (!door.ended()?, door.peak_mib());
    door.kill()?;
    store.ingest()?;
    let good = bad.details["good_events"].as_u64().context("no number of good events")?.to_string();
    let arguments = ["--data", &store.data, "--acknowledged", &acknowledged, "--events", &good];
    let received = measured_by(bench, Profile::Dev, "door_received", &arguments)?;
    let quoted = store.said()?.lines().filter(|line| line.to_lowercase().contains(MARK)).count();
    let in_time = peak <= MOST && requests >= REQUESTS;
    Ok(Measured {
        value: format!("{} and {peak:.0}", bad.value),
        met: bad.met && received.met && alive && quoted == 0 && in_time,
        details: json!({
            "answers": bad.details, "alive": alive, "mib": {"before": before.round(), "peak": peak.round()},
            "log_lines_that_quote": quoted, "in_the_lake": received.details,
        }),
    })
}
