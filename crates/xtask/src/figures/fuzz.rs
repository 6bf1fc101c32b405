//! `ingest.fuzz`: what `cargo xtask fuzz` has run on this machine, over all its runs.

use anyhow::Result;
use serde_json::json;

use super::{Bench, Figure, Measured};
use crate::fuzz::accounts;

/// Minutes that each target needs.
const ENOUGH: u64 = 10;

/// The registry's part for fuzzing.
pub fn figures() -> Vec<Figure> {
    vec![Figure {
        name: "ingest.fuzz",
        shows: "fuzz targets: minutes run, inputs tried, crashes that are open (`cargo xtask fuzz` runs them)",
        unit: "inputs tried",
        goal: "10 minutes each; 0 crashes open",
        minutes: 1,
        short: false,
        correctness: true,
        run: measure,
    }]
}

fn measure(bench: &Bench) -> Result<Measured> {
    let accounts = accounts(&bench.root)?;
    let inputs: u64 = accounts.values().map(|account| account.inputs).sum();
    let met = accounts.values().all(|account| account.minutes >= ENOUGH && account.crashes == 0);
    Ok(Measured { value: inputs.to_string(), met, details: json!(accounts) })
}
