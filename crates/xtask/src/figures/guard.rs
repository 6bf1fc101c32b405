//! The figures of guarded SQL over protected tables (privacy.md 6.16).
//!
//! Rewrites, neighbours and generated statements are trials of the room `attacks`, each with a short form for every change;
//! anchors and the audit log are measured by the examples of the room `ledger`.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::amanat::{Profile, build, build_example, run};
use super::measure::measure;
use super::road::{DUCKDB, python_with, text};
use super::{Bench, Figure, Measured};

/// The registry's part for guarded SQL.
pub fn figures() -> Vec<Figure> {
    [questions(), utility(), speed(), rewrites(), neighbours(), generated_sql(), consistency(), ledgers()]
        .into_iter()
        .flatten()
        .collect()
}

fn questions() -> Vec<Figure> {
    vec![Figure {
        name: "guard.questions",
        shows: "sixty questions of an analyst over 30,000 victims, one after the other on one ledger, one role, default policy",
        unit: "answered, at least 80 % of the persons asked about in visible cells",
        goal: "≥ 55; the rest refused with a hint that leads to an answer",
        minutes: 5,
        short: false,
        correctness: false,
        run: |bench| measure(bench, Profile::Dev, "questions", &["--size", "medium"]),
    }]
}

fn utility() -> Vec<Figure> {
    vec![Figure {
        name: "guard.utility",
        shows: "what protection costs on both samples, over all published tables; writes docs/utility.md",
        unit: "% of persons in hidden cells (medium)",
        goal: "< 5 %; median error < 5 % for n ≥ 50; noise intervals hold in 95 to 98.5 %",
        minutes: 4,
        short: false,
        correctness: false,
        run: |bench| {
            let page = bench.root.join("docs/utility.md");
            measure(bench, Profile::Dev, "utility", &["--write", &text(&page)])
        },
    }]
}

fn speed() -> Vec<Figure> {
    vec![Figure {
        name: "guard.speed",
        shows: "a protected GROUP BY (4 dimensions, 1 filter) over 10 million persons, vault resident, 100,000 anchors, cold and repeated, beside DuckDB's unprotected answer on the same Parquet",
        unit: "× DuckDB's time, counting alone, with the search for anchors, and repeated",
        goal: "counting ≤ 2×; repeated ≤ 0.1×",
        minutes: 3,
        short: false,
        correctness: false,
        run: |bench| {
            let python = python_with("duckdb", DUCKDB)?;
            measure(bench, Profile::Dev, "speed", &["--python", &text(&python)])
        },
    }]
}

fn rewrites() -> Vec<Figure> {
    let figure = |name, shows, minutes, short, run| Figure {
        name,
        shows,
        unit: "applications with another answer",
        goal: "0 of at least 30 rules",
        minutes,
        short,
        correctness: true,
        run,
    };
    vec![
        figure(
            "guard.rewrites",
            "every rewriting rule on 200 questions, each way on a vault of its own: the same bytes",
            5,
            false,
            |_| trial("rewrites", "200"),
        ),
        figure("guard.rewrites_short", "every rewriting rule on 8 questions: the same bytes", 1, true, |_| {
            trial("rewrites", "8")
        }),
    ]
}

fn neighbours() -> Vec<Figure> {
    let figure = |name, shows, minutes, short, run| Figure {
        name,
        shows,
        unit: "questions with another refusal, other rows or another schema",
        goal: "0",
        minutes,
        short,
        correctness: true,
        run,
    };
    vec![
        figure(
            "guard.neighbours",
            "10,000 random questions on two countries that differ in one person, 20 persons in turn",
            5,
            false,
            |_| trial("neighbours", "10000"),
        ),
        figure(
            "guard.neighbours_short",
            "300 random questions on two countries that differ in one person",
            1,
            true,
            |_| trial("neighbours", "300"),
        ),
    ]
}

fn generated_sql() -> Vec<Figure> {
    let figure = |name, shows, minutes, short, run| Figure {
        name,
        shows,
        unit: "statements with a scan outside the vault, a panic, or a canary in a text",
        goal: "0",
        minutes,
        short,
        correctness: true,
        run,
    };
    vec![
        figure(
            "guard.generated_sql",
            "1,000,000 statements from a grammar and from mutations of questions and attacks: put to the guard, one in 20 asked to the end",
            40,
            false,
            |_| trial("statements", "1000000"),
        ),
        figure(
            "guard.generated_sql_short",
            "20,000 statements from a grammar and from mutations of questions and attacks",
            1,
            true,
            |_| trial("statements", "20000"),
        ),
    ]
}

fn consistency() -> Vec<Figure> {
    vec![Figure {
        name: "guard.consistency",
        shows: "three editions with late events and corrections between them: every published cell asked in SQL, every margin of every table",
        unit: "cells with another value than published",
        goal: "0",
        minutes: 2,
        short: false,
        correctness: true,
        run: |bench| measure(bench, Profile::Dev, "consistency", &[]),
    }]
}

fn ledgers() -> Vec<Figure> {
    vec![
        Figure {
            name: "guard.anchors",
            shows: "a vault with 100,000 anchors in its memory: what they take, how long a new cell takes beside them, and the answers after a restart (development build)",
            unit: "ms a cell, nothing known of it before",
            goal: "each answer equal after a restart",
            minutes: 1,
            short: false,
            correctness: true,
            run: anchors,
        },
        Figure {
            name: "guard.audit",
            shows: "an audit log of 1,000,000 entries verified; what is changed in one is found: each field, its hash, its place, at 1,000 random positions (development build)",
            unit: "s to verify",
            goal: "every change found at its entry",
            minutes: 1,
            short: false,
            correctness: true,
            run: audit,
        },
    ]
}

/// Runs a trial of the guard (`attacks`), so many times.
fn trial(name: &str, count: &str) -> Result<Measured> {
    let program = build(Profile::Dev, "attacks", "guard")?;
    let found: Value = serde_json::from_str(&run(&program, &[name, count])?.out).context("the trial's answer")?;
    Ok(Measured {
        value: found["value"].as_str().context("a value")?.to_owned(),
        met: found["met"].as_bool().context("a verdict")?,
        details: found["details"].clone(),
    })
}

/// Runs an example of the ledger in the scratch folder.
fn ledger(bench: &Bench, name: &str, entries: &str) -> Result<Value> {
    let program = build_example("ledger", name)?;
    let ran = run(&program, &[entries, &bench.scratch.to_string_lossy()])?;
    serde_json::from_str(&ran.out).context("the example's answer")
}

fn anchors(bench: &Bench) -> Result<Measured> {
    let found = ledger(bench, "vault_bench", "100000")?;
    let micros = found["micros_a_cell"].as_f64().context("micros_a_cell")?;
    let met = found["restart_answers_equal"] == json!(true);
    Ok(Measured { value: format!("{:.1}", micros / 1e3), met, details: found })
}

fn audit(bench: &Bench) -> Result<Measured> {
    let found = ledger(bench, "audit_bench", "1000000")?;
    let seconds = found["verify_seconds"].as_f64().context("verify_seconds")?;
    let met = found["missed"] == json!([]) && found["found_in_the_long_log"] == json!(true);
    Ok(Measured { value: format!("{seconds:.1}"), met, details: found })
}
