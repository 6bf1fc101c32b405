//! What is open: findings that are known, with their reasons (`open.toml`).
//!
//! Absent: goals.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::score::Scoreboard;
use crate::target::Target;

/// Where they stand. Beside the program and not in it: see there.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/open.toml");

/// A finding that is not closed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Finding {
    attack: String,
    /// A part of the names of its classes; of several findings that fit, the first.
    class: String,
    /// The estimate keeps the goal, as a rule, and its upper limit does not.
    #[serde(default)]
    by_limit: bool,
    why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Findings {
    finding: Vec<Finding>,
}

fn findings() -> Result<Vec<Finding>> {
    let text = std::fs::read_to_string(Path::new(FILE)).context(FILE)?;
    Ok(toml::from_str::<Findings>(&text).context(FILE)?.finding)
}

/// Says of each score whether it is beyond its goal, and, where that is known, why.
pub(super) fn mark(board: &mut Scoreboard) -> Result<()> {
    let (findings, profile) = (findings()?, board.profile);
    for score in &mut board.scores {
        let open = findings.iter().find(|open| score.attack == open.attack && score.class.contains(&open.class));
        let open = open.filter(|_| score.target == Target::Ours && !score.is_met(profile));
        score.open = open.map(|open| open.why.clone());
        score.is_beyond = !score.keeps_goal(profile);
    }
    Ok(())
}

/// Findings that nothing of a whole run shows any more: they are closed, and must leave the list. What only a limit shows
/// is not asked of a run that goes by estimates.
pub fn closed(board: &Scoreboard) -> Result<Vec<String>> {
    let shown =
        |open: &Finding| board.scores.iter().any(|s| s.attack == open.attack && s.open.as_ref() == Some(&open.why));
    let is_closed = |open: &Finding| {
        let is_judged = board.profile.goes_by_limits() || !open.by_limit;
        is_judged && board.seconds.contains_key(open.attack.as_str()) && !shown(open)
    };
    let closed = findings()?.into_iter().filter(is_closed);
    Ok(closed.map(|open| format!("{} {}", open.attack, open.class)).collect())
}
