//! The referee's arithmetic and the scoreboard (privacy.md 7.1, 7.3).
//!
//! Absent: attacks, truth.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Deserializer, Serialize};

use crate::target::Target;

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// 500 trials a class; goals bind on point estimates.
    Fast,
    /// 4,000 trials a class, 1,000 where questions are searched and learnt from; goals bind on the upper 95 % limit.
    Nightly,
    /// As nightly, with 4,000 trials everywhere, and a longer search: days. Before a release.
    Release,
}

impl Profile {
    /// Trials of a class.
    pub fn trials(self) -> usize {
        match self {
            Self::Fast => 500,
            Self::Nightly | Self::Release => 4_000,
        }
    }

    /// Whether goals bind on upper 95 % limits.
    pub fn goes_by_limits(self) -> bool {
        self != Self::Fast
    }
}

/// What a number of the board means, and what it may be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Mean of the rates of right claims among those who have the secret and those who do not; 0.5 is a guess.
    Accuracy,
    /// Share of trials.
    Share,
    /// A number of things, of so many tried.
    Count,
    /// The area under the curve of right against wrong claims; 0.5 is a guess.
    Auc,
    /// What is right beyond what is right without the answers.
    Gain,
    /// A mean.
    Mean,
}

impl Metric {
    const fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::Share => "share",
            Self::Count => "number",
            Self::Auc => "AUC",
            Self::Gain => "gain",
            Self::Mean => "mean",
        }
    }

    /// Whether it has a limit that its value stays below in 95 of 100 runs.
    const fn has_limit(self) -> bool {
        !matches!(self, Self::Count | Self::Mean)
    }
}

/// The attacks of privacy.md 7.2 that stand on the board.
pub const ATTACKS: [&str; 22] = [
    "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", "A10", "A11", "A12", "A13", "A14", "A15", "A16", "A17",
    "A18", "A19", "A20", "A21", "A22",
];

/// `A1`; an alias, as a text that is read would else be borrowed from the file.
type Name = &'static str;

/// The name of an attack, as this program has it.
fn known<'de, D: Deserializer<'de>>(from: D) -> Result<&'static str, D::Error> {
    let name = String::deserialize(from)?;
    let known = ATTACKS.into_iter().find(|attack| *attack == name);
    known.ok_or_else(|| serde::de::Error::custom(format!("no attack is called {name}")))
}

/// One cell of the scoreboard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// `A1`.
    /// The attack.
    #[serde(deserialize_with = "known")]
    pub attack: Name,
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
    #[serde(skip_deserializing)]
    pub open: Option<String>,
    /// Whether it is beyond its goal, by what the profile goes by, open or not.
    #[serde(skip_deserializing)]
    pub is_beyond: bool,
}

impl Score {
    /// Whether the goal is kept and the control has fallen, but for what is open.
    pub fn holds(&self, profile: Profile) -> bool {
        self.open.is_some() || self.is_met(profile)
    }

    /// Whether the goal is kept, or the control has fallen.
    pub fn is_met(&self, profile: Profile) -> bool {
        self.keeps_goal(profile) && self.at_least.is_none_or(|least| self.value >= least - 1e-9)
    }

    /// Whether the goal is kept, where there is one: by estimates, or by limits where there are any.
    pub fn keeps_goal(&self, profile: Profile) -> bool {
        let bound = if profile.goes_by_limits() && self.metric.has_limit() { self.upper } else { self.value };
        self.at_most.is_none_or(|most| bound <= most + 1e-9)
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// `A1`.
    /// The attack.
    #[serde(deserialize_with = "known")]
    pub attack: Name,
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
    /// An empty one.
    pub fn new(profile: Profile, persons: usize) -> Self {
        Self { profile, persons, scores: Vec::new(), remarks: Vec::new(), seconds: BTreeMap::new() }
    }

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
            let goal = of(Target::Ours)
                .and_then(|s| s.at_most)
                .map_or_else(|| "–".to_owned(), |g| format!("≤ {}", number(g, score.metric)));
            let _ = write!(text, "| {} | {} | {} | {goal} |", key.0, key.1, score.metric.name());
            for target in Target::ALL {
                let cell = of(target).map_or_else(
                    || "–".to_owned(),
                    |s| {
                        let value = number(s.value, s.metric);
                        let upper = if s.metric.has_limit() { format!(" ({:.3})", s.upper) } else { String::new() };
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
    match metric {
        Metric::Count => format!("{value:.0}"),
        Metric::Mean => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}

/// How often one who has the secret is scored above one who has not, ties by half: 0.5 is a guess (Mann and Whitney).
pub fn auc(scored: &[(f64, bool)]) -> f64 {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut above, mut without_below, mut with) = (0.0, 0.0, 0.0);
    for ties in sorted.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let of = |truth: bool| ties.iter().filter(|(_, has)| *has == truth).count() as f64;
        above += of(true) * (without_below + of(false) / 2.0);
        without_below += of(false);
        with += of(true);
    }
    if with == 0.0 || without_below == 0.0 { 0.5 } else { above / (with * without_below) }
}

/// The upper 95 % limit of an area under the curve (Hanley and McNeil 1982).
pub fn auc_limit(area: f64, with: usize, without: usize) -> f64 {
    if with == 0 || without == 0 {
        return 1.0;
    }
    let (q1, q2) = (area / (2.0 - area), 2.0 * area * area / (1.0 + area));
    let (n, m, square) = (with as f64, without as f64, area * area);
    let variance = (area * (1.0 - area) + (n - 1.0) * (q1 - square) + (m - 1.0) * (q2 - square)) / (n * m);
    (area + 1.96 * variance.max(0.0).sqrt()).min(1.0)
}

/// How many of those who have the secret are above all but `wrong` of those who have not: true claims at a false-claim rate of
/// `wrong` in so many.
pub fn claimed_at(scored: &[(f64, bool)], wrong: usize) -> usize {
    let mut without: Vec<f64> = scored.iter().filter(|(_, has)| !has).map(|(score, _)| *score).collect();
    without.sort_by(|a, b| b.total_cmp(a));
    let least = without.get(wrong).copied().unwrap_or(f64::NEG_INFINITY);
    scored.iter().filter(|(score, has)| *has && *score > least).count()
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
    fn the_area_is_the_share_of_pairs_in_order() {
        let scored = [(0.1, false), (0.4, true), (0.4, false), (0.9, true)];
        assert!((auc(&scored) - 0.875).abs() < 1e-9);
        assert!((auc(&[(1.0, true), (1.0, false)]) - 0.5).abs() < 1e-9);
        assert_eq!([claimed_at(&scored, 0), claimed_at(&scored, 1)], [1, 2]);
        assert!((auc_limit(0.5, 100, 100) - 0.5803).abs() < 1e-3);
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
