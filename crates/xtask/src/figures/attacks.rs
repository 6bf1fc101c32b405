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
        goal: "0 of privacy.md 7.3, upper 95 % limits, 4,000 trials a class; every positive control falls",
        // Hours where nothing was kept; `.ci/nightly` runs one attack after the other before.
        minutes: 300,
        short: false,
        // What is open misses its goal and is told; anything else makes the program fail.
        correctness: false,
        run: measure,
    }]
}

fn measure(bench: &Bench) -> Result<Measured> {
    let program = build(Profile::Dev, "attacks", "attacks")?;
    let page = bench.root.join("docs/attacks.md");
    let kept = crate::cache()?.join("attacks");
    let (page, kept) = (page.to_string_lossy(), kept.to_string_lossy());
    let args = ["--profile", "nightly", "--only", "all", "--resume", &kept, "--json", "--write", &page];
    let board: Value = serde_json::from_str(&run_with(&program, &args, &[])?.out).context("the scoreboard")?;
    let scores = board["scores"].as_array().context("scores")?;
    let missed: Vec<&Value> = scores.iter().filter(|score| score["is_beyond"] == true).collect();
    let named = |score: &&Value| {
        let [attack, class, value, limit, goal] =
            ["attack", "class", "value", "upper", "at_most"].map(|key| &score[key]);
        json!({"attack": attack, "class": class, "value": value, "limit": limit, "goal": goal})
    };
    Ok(Measured {
        value: missed.len().to_string(),
        met: missed.is_empty(),
        details: json!({"missed": missed.iter().map(named).collect::<Vec<_>>(), "seconds": board["seconds"], "scores": scores.len()}),
    })
}
