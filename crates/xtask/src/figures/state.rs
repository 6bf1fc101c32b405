//! The figures of what is known of persons and cases, before anything of it is protected.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::json;

use super::amanat::{self, Profile};
use super::measure::measure;
use super::road::{DUCKDB, python_with, text};
use super::{Bench, Figure, Measured};

/// The registry's part for the state of the world.
pub fn figures() -> Vec<Figure> {
    vec![incremental(), fold(), memory(), scattered(), as_known_on(), erasure(), linkage(), tokenize(), indicators()]
}

fn incremental() -> Figure {
    Figure {
        name: "state.incremental",
        shows: "1,000 tangled logs (late versions, corrections of corrections, retractions of what never comes, one id with two contents, in two records; merges and splits, words of the steward on conflicts and reference data), each refreshed in two to seven parts, of what is new alone, against the same log rebuilt (development build)",
        unit: "logs of 1,000 with equal bytes of every mart",
        goal: "1,000",
        minutes: 15,
        short: false,
        correctness: true,
        run: |bench| measure(bench, Profile::Dev, "refolds", &["--logs", "1000"]),
    }
}

fn fold() -> Figure {
    Figure {
        name: "state.fold",
        shows: "the full fold of 10 million events of a synthetic country whose persons were linked, against DuckDB running the same sql/ on the same Parquet files with as many threads; both make the same rows (release build)",
        unit: "times DuckDB's time",
        goal: "≤ 1.0",
        minutes: 40,
        short: false,
        correctness: false,
        run: |bench| {
            let python = text(&python_with("duckdb", DUCKDB)?);
            measure(bench, Profile::Release, "fold_against_duckdb", &["--millions", "10", "--python", &python])
        },
    }
}

fn memory() -> Figure {
    Figure {
        name: "state.memory",
        shows: "a rebuild (stage, fold, marts) in a process of its own, of 10 million events of a synthetic country and of all 30 million: its greatest resident set, and how many times what it takes beside the finished marts grows when events triple (release build)",
        unit: "at 30 million; times that of 10 million beside the marts",
        goal: "≤ 1.25 times",
        minutes: 60,
        short: false,
        correctness: false,
        run: |bench| measure(bench, Profile::Release, "fold_memory", &["--millions", "30"]),
    }
}

fn scattered() -> Figure {
    Figure {
        name: "state.scattered",
        shows: "a refresh after late events and corrections scattered over all records of 10 million events, against a rebuild of the same lake, from 0.01 to 10 % of the events; equal marts (release build)",
        unit: "of a rebuild, after 0.1 % and after 1 %",
        goal: "≤ 15 % and ≤ 35 %",
        minutes: 30,
        short: false,
        correctness: false,
        run: |bench| measure(bench, Profile::Release, "scattered", &["--millions", "10"]),
    }
}

fn as_known_on() -> Figure {
    Figure {
        name: "state.as_known_on",
        shows: "twelve editions published while a synthetic country reports and is linked anew, each recomputed at the end from the events below its cut: marts and rows (development build)",
        unit: "editions of 12 whose marts and rows are equal, byte for byte",
        goal: "12",
        minutes: 2,
        short: false,
        correctness: true,
        run: |bench| measure(bench, Profile::Dev, "as_known_on", &[]),
    }
}

fn erasure() -> Figure {
    Figure {
        name: "state.erasure",
        shows: "a hundred persons of a synthetic country, half of them known to several agencies, erased while it reports on: their tokens and surrogates in every file of the data directory, Parquet and the embedded log read as well, at once and when everything that is held for a time has ended (development build)",
        unit: "occurrences after 125 days",
        goal: "0",
        minutes: 3,
        short: false,
        correctness: true,
        run: |bench| measure(bench, Profile::Dev, "erasure", &[]),
    }
}

fn linkage() -> Figure {
    Figure {
        name: "state.linkage",
        shows: "persons of several agencies who are one, found by tokens alone: 20,000 persons at overlaps of 5, 10 and 20 %, 60 % without documents, 3 % of tokens wrong, five seeds each; a million persons of whom many know no day of birth; series over wrong tokens and over the limit of blocks (development build)",
        unit: "precision and recall, pair by pair, the worst mean of the three overlaps",
        goal: "≥ 0.99 and ≥ 0.95",
        minutes: 2,
        short: false,
        correctness: true,
        run: |bench| measure(bench, Profile::Dev, "linkage", &[]),
    }
}

fn tokenize() -> Figure {
    Figure {
        name: "state.tokenize",
        shows: "an agency's file of 500,000 persons (name, date of birth, CNIC, mother, district) sealed into four tokens each, one thread; 50,000 persons recorded twice, each word of the name in one of the spellings in which it is met",
        unit: "rows a second, and persons whose two records share a phonetic token",
        goal: "≥ 50,000 and ≥ 90 %",
        minutes: 1,
        short: false,
        correctness: false,
        run: |bench| measure(bench, Profile::Release, "tokenize", &[]),
    }
}

fn indicators() -> Figure {
    Figure {
        name: "state.indicators",
        shows: "each indicator counted on a population of which everything is known, what must be counted reckoned by hand beside it (domain.md 5 and 7; docs/indicators.md names the tests)",
        unit: "indicators whose tests pass",
        goal: "all of domain.md 7: 37 of 37",
        minutes: 10,
        short: false,
        correctness: true,
        run: counted_by_hand,
    }
}

/// Indicators of domain.md 7.
const INDICATORS: usize = 37;

/// Runs the tests that name an indicator; an indicator is counted where it has one and all of its own pass.
fn counted_by_hand(bench: &Bench) -> Result<Measured> {
    let (ids, tests) = (crate::indicators::ids(&bench.root)?, crate::indicators::tests(&bench.root)?);
    let all: BTreeSet<&str> = tests.values().flatten().map(String::as_str).collect();
    let arguments: Vec<&str> = ["--", "--exact"].into_iter().chain(all.iter().copied()).collect();
    let ran = amanat::test("models", &arguments)?;
    let passes = |id: &&String| {
        tests.get(*id).is_some_and(|own| own.iter().all(|test| ran.names.iter().any(|passed| passed == test)))
    };
    let (good, bad): (Vec<&String>, Vec<&String>) = ids.iter().partition(passes);
    Ok(Measured {
        value: format!("{} of {}", good.len(), ids.len()),
        met: bad.is_empty() && ids.len() == INDICATORS,
        details: json!({ "tests": all.len(), "without": bad, "failed": ran.failed }),
    })
}
