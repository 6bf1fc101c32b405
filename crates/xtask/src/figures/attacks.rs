//! `guard.attacks`: the attack scoreboard (privacy.md 7.3), and the page made from it.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::amanat::{Profile, build, run_with};
use super::{Bench, Figure, Measured};

/// The registry's part for attacks.
pub fn figures() -> Vec<Figure> {
    vec![Figure {
        name: "guard.attacks",
        shows: "attacks through the public endpoint on exact numbers over a floor, set-keyed noise, what is built, and the same without the separation guard; writes docs/attacks.md",
        unit: "goals missed",
        goal: "0 of privacy.md 7.3 (here on point estimates); every positive control falls",
        minutes: 40,
        short: false,
        // What is open misses its goal and is told; anything else makes the program fail.
        correctness: false,
        run: measure,
    }]
}

fn measure(bench: &Bench) -> Result<Measured> {
    let program = build(Profile::Dev, "attacks", "attacks")?;
    let page = bench.root.join("docs/attacks.md");
    let page = page.to_string_lossy();
    let ran = run_with(&program, &["--profile", "fast", "--only", "all", "--json", "--write", &page], &[])?;
    let board: Value = serde_json::from_str(&ran.out).context("the scoreboard")?;
    let scores = board["scores"].as_array().context("scores")?;
    let exceeds = |score: &&Value| match (score["value"].as_f64(), score["at_most"].as_f64()) {
        (Some(value), Some(most)) => value > most + 1e-9,
        _ => false,
    };
    let missed: Vec<&Value> = scores.iter().filter(exceeds).collect();
    let named = |score: &&Value| json!({"attack": score["attack"], "class": score["class"], "value": score["value"], "goal": score["at_most"]});
    Ok(Measured {
        value: missed.len().to_string(),
        met: missed.is_empty(),
        details: json!({"missed": missed.iter().map(named).collect::<Vec<_>>(), "seconds": board["seconds"], "scores": scores.len()}),
    })
}
