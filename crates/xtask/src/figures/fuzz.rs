//! `ingest.fuzz` and `doors.fuzz`: what `cargo xtask fuzz` has run on this machine, over all its runs.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde_json::json;

use super::{Bench, Figure, Measured};
use crate::fuzz::{Account, accounts};

/// Minutes that each target needs.
const ENOUGH: u64 = 10;

/// Targets of the readers' doors; the others read what agencies send.
const DOORS: [&str; 6] = [
    "catalogue_statements",
    "postgres_messages",
    "postgres_statements",
    "query_parameters",
    "saved_question",
    "sdmx_keys",
];

/// The registry's part for fuzzing.
pub fn figures() -> Vec<Figure> {
    vec![
        figure(
            "ingest.fuzz",
            "fuzz targets of what agencies send: minutes run, inputs tried, crashes that are open (`cargo xtask fuzz` runs them)",
            |bench| measure(bench, false),
        ),
        figure(
            "doors.fuzz",
            "fuzz targets of what readers send: messages and texts of PostgreSQL clients, questions to the catalogue, query parameters, saved questions, SDMX keys (`cargo xtask fuzz` runs them)",
            |bench| measure(bench, true),
        ),
    ]
}

fn figure(name: &'static str, shows: &'static str, run: fn(&Bench) -> Result<Measured>) -> Figure {
    Figure {
        name,
        shows,
        unit: "inputs tried",
        goal: "10 minutes each; 0 crashes open",
        minutes: 1,
        short: false,
        correctness: true,
        run,
    }
}

/// Of the targets of the doors, or of all others.
fn measure(bench: &Bench, of_doors: bool) -> Result<Measured> {
    let all = accounts(&bench.root)?;
    let lost: Vec<&str> = DOORS.into_iter().filter(|name| !all.contains_key(*name)).collect();
    ensure!(lost.is_empty(), "there are no targets {}", lost.join(", "));
    let of = |(name, _): &(String, Account)| DOORS.contains(&name.as_str()) == of_doors;
    let accounts: BTreeMap<String, Account> = all.into_iter().filter(of).collect();
    let inputs: u64 = accounts.values().map(|account| account.inputs).sum();
    let met = accounts.values().all(|account| account.minutes >= ENOUGH && account.crashes == 0);
    Ok(Measured { value: inputs.to_string(), met, details: json!(accounts) })
}
