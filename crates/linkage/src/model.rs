//! The second pass: how probable it is that two persons are one, by what comparing them shows.
//!
//! A mixture of four kinds of pairs (Fellegi and Sunter 1969, with the kinds of pairs that they call unmatched told apart):
//!
//! - **one** person;
//! - **kin**: siblings and twins share the mother's name and no more;
//! - **namesakes** share name and birth, in one spelling or two, by chance; so they have one sex and one age, and that is no further evidence;
//! - **strangers** share a token because it is wrong in one record, or a mother's name and place that many have.
//!
//! Given the kind, each comparison is independent of the others, but that strangers whose mothers are of one place are
//! mostly met in one province.
//!
//! All probabilities but those of names and documents of kin, and of codes of strangers, are estimated from the pairs themselves by expectation and maximization
//! (Winkler 1988), from the start that stands below, which also weighs in as a few pairs so that a small register is
//! judged by it. A token counts by how many others hold it: each class has its own probability (Winkler 2000), estimated and not
//! taken from counts, because those who share a rare token mostly *are* one person.
//!
//! Pairs of two agencies and pairs of one agency are two populations with one set of probabilities: how many are one is
//! estimated for each.
//!
//! Only additions, multiplications and divisions, in the order of pattern numbers, so every machine finds the same.
//! Absent: thresholds and what follows from them (`cluster`).

use crate::compare::Table;
use crate::pattern::{CODES, PATTERNS, Pattern, TOKEN_LEVELS, UNKNOWN, code, document, mother, name};
use crate::seen::{Codes, MOST_LEVELS, SMOOTHING, Seen};

/// Rounds of estimation. A fixed number, because a stop by nearness could fall on either side of a limit.
const ROUNDS: usize = 300;
/// The start weighs as much as so many pairs.
const PRIOR_PAIRS: f64 = 20.0;
/// Kinds of pairs.
const KINDS: usize = 4;
const ONE: usize = 0;
const KIN: usize = 1;
const NAMESAKES: usize = 2;
const STRANGERS: usize = 3;
/// Two populations of pairs.
pub(crate) const ACROSS: usize = 0;
pub(crate) const WITHIN: usize = 1;
/// Patterns without and with a shared mother's name.
const GROUPS: usize = 2;

/// How pairs of each pattern are counted: across agencies, within one.
pub(crate) type Counts = [Vec<u64>; 2];

/// No pair counted.
pub(crate) fn no_counts() -> Counts {
    [vec![0; PATTERNS], vec![0; PATTERNS]]
}

/// The population of a pair.
pub(crate) fn population(within: bool) -> usize {
    if within { WITHIN } else { ACROSS }
}

/// What one kind of pairs shows.
#[derive(Debug, Clone)]
struct Shows {
    tokens: [[f64; MOST_LEVELS]; 3],
    codes: [Codes; GROUPS],
}

impl Shows {
    /// Probability of the levels of a pattern that are known.
    fn probability(&self, pattern: Pattern) -> f64 {
        let tokens = self.tokens.iter().zip(pattern.tokens).filter(|(_, level)| *level != UNKNOWN);
        let group = &self.codes[usize::from(pattern.shares_mother())];
        let codes = group.iter().zip(pattern.codes).filter(|(_, level)| *level != UNKNOWN);
        let of_tokens: f64 = tokens.map(|(levels, level)| levels[level as usize]).product();
        codes.map(|(levels, level)| levels[level as usize]).product::<f64>() * of_tokens
    }
}

/// The model, fitted to a register.
#[derive(Debug)]
pub(crate) struct Model {
    kinds: [Shows; KINDS],
    /// Expected pairs by population and kind.
    pairs: [[f64; KINDS]; 2],
}

impl Model {
    /// Fits it to the counts of compared pairs.
    pub(crate) fn fit(table: &Table, counts: &Counts) -> Self {
        let seen = Seen::new(table, counts);
        let mut model = Self::start(table, &seen);
        let begin = model.kinds.clone();
        for _ in 0..ROUNDS {
            let expected = model.expect(&seen);
            model.maximize(&begin, &expected, &seen);
        }
        model
    }

    /// The probability that two with this pattern are one.
    fn probability(&self, pattern: Pattern, within: bool) -> f64 {
        let weights = self.weights(pattern, population(within));
        weights[ONE] / weights.iter().sum::<f64>()
    }

    /// The same in millionths, rounded down: what is compared and told.
    pub(crate) fn millionths(&self, pattern: Pattern, within: bool) -> u32 {
        (self.probability(pattern, within) * 1e6) as u32
    }

    fn weights(&self, pattern: Pattern, population: usize) -> [f64; KINDS] {
        std::array::from_fn(|kind| self.pairs[population][kind] * self.kinds[kind].probability(pattern))
    }

    /// What is believed before any pair was seen.
    fn start(table: &Table, seen: &Seen) -> Self {
        let people = table.len() as f64;
        let pairs = [
            [0.05 * people + 1.0, 0.1 * people + 1.0, 0.05 * people + 1.0, seen.pairs[ACROSS]],
            [0.005 * people + 1.0, 0.1 * people + 1.0, 0.01 * people + 1.0, seen.pairs[WITHIN]],
        ];
        Self { kinds: [one(seen), kin(seen), namesakes(seen), strangers(seen)], pairs }
    }

    /// How many pairs of each kind show what, as the model has it now.
    fn expect(&self, seen: &Seen) -> Expected {
        let mut expected = Expected::default();
        for (population, pattern, count) in &seen.patterns {
            let weights = self.weights(*pattern, *population);
            let sum = weights.iter().sum::<f64>();
            for (kind, weight) in weights.iter().enumerate() {
                expected.add(kind, *population, *pattern, count * weight / sum);
            }
        }
        expected
    }

    /// The probabilities by which that is likeliest.
    fn maximize(&mut self, begin: &[Shows; KINDS], expected: &Expected, seen: &Seen) {
        for (population, pairs) in self.pairs.iter_mut().enumerate() {
            pairs[..STRANGERS].copy_from_slice(&expected.pairs[population][..STRANGERS]);
        }
        for comparison in 0..TOKEN_LEVELS.len() {
            let of = |kind: usize| &expected.tokens[kind][comparison];
            self.kinds[ONE].tokens[comparison] = shares(of(ONE), &begin[ONE].tokens[comparison]);
            self.kinds[STRANGERS].tokens[comparison] = seen.among_strangers(comparison, of(STRANGERS));
        }
        // Kin share a mother. That they share no name and no document is said, not estimated: else they would drift to be one.
        self.kinds[KIN].tokens[2] = shares(&expected.tokens[KIN][2], &begin[KIN].tokens[2]);
        // Namesakes share a name, and all else like strangers.
        let [document, _, mother] = self.kinds[STRANGERS].tokens;
        let name = shares(&expected.tokens[NAMESAKES][1], &begin[NAMESAKES].tokens[1]);
        self.kinds[NAMESAKES].tokens = [document, name, mother];
        for kind in [ONE, KIN, NAMESAKES] {
            let pooled = expected.pooled(kind);
            let codes = std::array::from_fn(|field| shares(&pooled[field], &begin[kind].codes[0][field]));
            self.kinds[kind].codes = [codes; GROUPS];
        }
        self.kinds[STRANGERS].codes[1] =
            std::array::from_fn(|field| shares(&expected.codes[STRANGERS][1][field], &seen.by_chance[field]));
    }
}

/// Of a hundred pairs that are one, some seven have a token that is wrong in one of the two records, some fifteen
/// another spelling of the name.
fn one(seen: &Seen) -> Shows {
    let name = [(name::DIFFERENT, 0.06), (name::EXACT_BUT_SOUND, 0.04), (name::EXACT, 0.75), (name::SOUND, 0.15)];
    Shows {
        tokens: [
            spread(seen, 0, &[(document::DIFFERENT, 0.07), (document::SHARED, 0.93)]),
            spread(seen, 1, &name),
            spread(seen, 2, &[(mother::DIFFERENT, 0.1), (mother::SHARED, 0.9)]),
        ],
        codes: [[[0.0, 0.5, 0.44, 0.04, 0.02], two(0.99), two(0.97), two(0.75), [0.0, 0.35, 0.15, 0.5, 0.0]]; GROUPS],
    }
}

/// Of siblings one in thirty is a twin; of a thousand pairs two have names that sound alike, and five one document.
fn kin(seen: &Seen) -> Shows {
    let name = [(name::DIFFERENT, 0.997), (name::EXACT_BUT_SOUND, 0.0005), (name::EXACT, 0.0005), (name::SOUND, 0.002)];
    Shows {
        tokens: [
            spread(seen, 0, &[(document::DIFFERENT, 0.995), (document::SHARED, 0.005)]),
            spread(seen, 1, &name),
            spread(seen, 2, &[(mother::DIFFERENT, 0.05), (mother::SHARED, 0.95)]),
        ],
        codes: [[[0.0, 0.05, 0.25, 0.3, 0.4], two(0.5), two(0.97), two(0.85), [0.0, 0.2, 0.4, 0.4, 0.0]]; GROUPS],
    }
}

/// Most have no papers and a date of birth that is a year.
fn namesakes(seen: &Seen) -> Shows {
    let (province, papers) = (seen.by_chance[3], [0.0, 0.1, 0.2, 0.7, 0.0]);
    let name = spread(seen, 1, &[(name::EXACT, 0.3), (name::SOUND, 0.7)]);
    Shows {
        tokens: [seen.shared_by_all(0), name, seen.shared_by_all(2)],
        codes: [[[0.0, 0.3, 0.65, 0.04, 0.01], two(0.99), two(0.9), province, papers]; GROUPS],
    }
}

/// As if everybody who shares something were a stranger.
fn strangers(seen: &Seen) -> Shows {
    Shows { tokens: std::array::from_fn(|at| seen.shared_by_all(at)), codes: [seen.by_chance; GROUPS] }
}

/// Levels of a code that is the same with this probability.
fn two(same: f64) -> [f64; code::LEVELS] {
    [0.0, same, 1.0 - same, 0.0, 0.0]
}

/// Shares of each level, with the start as a few pairs more.
fn shares<const N: usize>(expected: &[f64; N], begin: &[f64; N]) -> [f64; N] {
    let all = expected[1..].iter().sum::<f64>() + PRIOR_PAIRS;
    std::array::from_fn(|level| if level == 0 { 0.0 } else { (expected[level] + PRIOR_PAIRS * begin[level]) / all })
}

/// Probabilities given for groups of levels, each from its first one on, spread over the group as compared pairs are.
fn spread(seen: &Seen, comparison: usize, groups: &[(u8, f64)]) -> [f64; MOST_LEVELS] {
    let mut levels = [0.0; MOST_LEVELS];
    for (at, (first, probability)) in groups.iter().enumerate() {
        let end = groups.get(at + 1).map_or(TOKEN_LEVELS[comparison], |(next, _)| *next as usize);
        let group = *first as usize..end;
        let counted = &seen.tokens[comparison][group.clone()];
        let all = counted.iter().sum::<f64>() + SMOOTHING * counted.len() as f64;
        for (level, count) in levels[group].iter_mut().zip(counted) {
            *level = probability * (count + SMOOTHING) / all;
        }
    }
    levels
}

/// What the model expects of the pairs that were seen, by kind.
#[derive(Default)]
struct Expected {
    pairs: [[f64; KINDS]; 2],
    tokens: [[[f64; MOST_LEVELS]; 3]; KINDS],
    codes: [[Codes; GROUPS]; KINDS],
}

impl Expected {
    fn add(&mut self, kind: usize, population: usize, pattern: Pattern, many: f64) {
        self.pairs[population][kind] += many;
        for (levels, level) in self.tokens[kind].iter_mut().zip(pattern.tokens) {
            levels[level as usize] += many;
        }
        for (levels, level) in self.codes[kind][usize::from(pattern.shares_mother())].iter_mut().zip(pattern.codes) {
            levels[level as usize] += many;
        }
    }

    /// Codes of a kind, whatever is shared.
    fn pooled(&self, kind: usize) -> Codes {
        let mut all = Codes::default();
        for (field, level) in (0..CODES).flat_map(|field| (0..code::LEVELS).map(move |level| (field, level))) {
            all[field][level] = self.codes[kind].iter().map(|codes| codes[field][level]).sum();
        }
        all
    }
}
