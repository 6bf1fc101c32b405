//! The referee's arithmetic and the scoreboard (privacy.md 7.1, 7.3).
//!
//! Absent: attacks, truth.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use crate::target::Target;

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// 500 trials a class; goals bind on point estimates.
    Fast,
    /// 4,000 trials a class; goals bind on the upper 95 % limit.
    Nightly,
}

impl Profile {
    /// Trials of a class.
    pub fn trials(self) -> usize {
        match self {
            Self::Fast => 500,
            Self::Nightly => 4_000,
        }
    }
}

/// What a number of the board means, and what it may be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Mean of the rates of right claims among those who have the secret and those who do not; 0.5 is a guess.
    Accuracy,
    /// Share of trials.
    Share,
    /// A number of things, of so many tried.
    Count,
}

/// One cell of the scoreboard.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// `A1`.
    pub attack: &'static str,
    /// Which variant and size of cell.
    pub class: String,
    /// Who was attacked.
    pub target: Target,
    /// What is counted.
    pub metric: Metric,
    /// Trials, or things tried.
    pub trials: usize,
    /// The result.
    pub value: f64,
    /// Its upper 95 % Wilson limit, where it is a rate.
    pub upper: f64,
    /// The most that it may be.
    pub at_most: Option<f64>,
    /// The least that it must be: a positive control.
    pub at_least: Option<f64>,
    /// Why the goal is missed, where that is known and open.
    pub open: Option<&'static str>,
}

impl Score {
    /// Whether the goal is kept and the control has fallen, but for what is open.
    pub fn holds(&self, profile: Profile) -> bool {
        self.open.is_some() || self.is_met(profile)
    }

    /// Whether the goal is kept, or the control has fallen.
    pub fn is_met(&self, profile: Profile) -> bool {
        let bound = if profile == Profile::Nightly && self.metric != Metric::Count { self.upper } else { self.value };
        self.at_most.is_none_or(|most| bound <= most + 1e-9)
            && self.at_least.is_none_or(|least| self.value >= least - 1e-9)
    }
}

/// Claims about one secret against the truth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Those who have it: claimed so, and all.
    pub with: (usize, usize),
    /// Those who have it not: claimed so, and all.
    pub without: (usize, usize),
}

impl Tally {
    /// Counts a claim.
    pub fn add(&mut self, claim: bool, truth: bool) {
        let side = if truth { &mut self.with } else { &mut self.without };
        side.0 += usize::from(claim == truth);
        side.1 += 1;
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let sum = |a: (usize, usize), b: (usize, usize)| (a.0 + b.0, a.1 + b.1);
        Self { with: sum(self.with, other.with), without: sum(self.without, other.without) }
    }

    /// Trials.
    pub fn trials(self) -> usize {
        self.with.1 + self.without.1
    }

    /// Mean of both rates of right claims: what is claimed of everybody alike gets 0.5, whatever the drawn share of those
    /// who have it.
    pub fn accuracy(self) -> f64 {
        let rate = |(right, all): (usize, usize)| if all == 0 { 0.5 } else { right as f64 / all as f64 };
        f64::midpoint(rate(self.with), rate(self.without))
    }
}

/// The upper 95 % limit of a rate after Wilson (privacy.md 7.1).
pub fn wilson(rate: f64, trials: usize) -> f64 {
    if trials == 0 {
        return 1.0;
    }
    let (n, z) = (trials as f64, 1.96_f64);
    let s = rate * n;
    let half = z / (n + z * z) * (s * (n - s) / n + z * z / 4.0).max(0.0).sqrt();
    ((s + z * z / 2.0) / (n + z * z) + half).min(1.0)
}

/// What is known of an attack beside its numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// `A1`.
    pub attack: &'static str,
    /// A sentence or two.
    pub text: String,
}

/// All scores of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scoreboard {
    /// How much was tried.
    pub profile: Profile,
    /// Persons of the populations.
    pub persons: usize,
    /// The cells, in the order of the attacks.
    pub scores: Vec<Score>,
    /// What was seen beside them.
    pub remarks: Vec<Remark>,
    /// How long each attack took, seconds.
    pub seconds: BTreeMap<&'static str, f64>,
}

impl Scoreboard {
    /// Goals missed, known or not.
    pub fn missed(&self) -> Vec<&Score> {
        self.scores.iter().filter(|score| !score.is_met(self.profile)).collect()
    }

    /// Goals missed for no known reason, and controls that stand.
    pub fn broken(&self) -> Vec<&Score> {
        self.scores.iter().filter(|score| !score.holds(self.profile)).collect()
    }

    /// The table in Markdown: one line for each class, one column for each target.
    pub fn table(&self) -> String {
        let mut text = String::from("| attack | class | measure | goal for ours |");
        for target in Target::ALL {
            let _ = write!(text, " {} |", target.name());
        }
        text.push_str(" trials |\n|---|---|---|---|---|---|---|---|---|\n");
        let mut seen: Vec<(&str, &str)> = Vec::new();
        for score in &self.scores {
            let key = (score.attack, score.class.as_str());
            if seen.contains(&key) {
                continue;
            }
            seen.push(key);
            let of = |target: Target| {
                self.scores.iter().find(|s| s.attack == key.0 && s.class == key.1 && s.target == target)
            };
            let measure = match score.metric {
                Metric::Accuracy => "accuracy",
                Metric::Share => "share",
                Metric::Count => "number",
            };
            let goal = of(Target::Ours)
                .and_then(|s| s.at_most)
                .map_or_else(|| "–".to_owned(), |g| format!("≤ {}", number(g, score.metric)));
            let _ = write!(text, "| {} | {} | {measure} | {goal} |", key.0, key.1);
            for target in Target::ALL {
                let cell = of(target).map_or_else(
                    || "–".to_owned(),
                    |s| {
                        let value = number(s.value, s.metric);
                        let upper =
                            if s.metric == Metric::Count { String::new() } else { format!(" ({:.3})", s.upper) };
                        let mark = if s.is_met(self.profile) { "" } else { "**" };
                        format!("{mark}{value}{upper}{mark}")
                    },
                );
                let _ = write!(text, " {cell} |");
            }
            let trials = of(Target::Ours).map_or(score.trials, |s| s.trials);
            let _ = writeln!(text, " {trials} |");
        }
        text
    }
}

fn number(value: f64, metric: Metric) -> String {
    if metric == Metric::Count { format!("{value:.0}") } else { format!("{value:.3}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_wilsons() {
        assert!((wilson(0.5, 500) - 0.5437).abs() < 5e-4);
        assert!((wilson(0.0, 100) - 0.0370).abs() < 5e-4);
        assert!((wilson(1.0, 100) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn one_claim_for_everybody_is_a_guess() {
        let mut tally = Tally::default();
        for at in 0..90 {
            tally.add(true, at % 3 == 0);
        }
        assert!((tally.accuracy() - 0.5).abs() < 1e-9);
        assert_eq!(tally.trials(), 90);
    }
}
