//! What is counted of a register, and what two persons would show by chance: the ground on which the model is fitted.
//!
//! Absent: any belief about who is one (model).

use crate::blocks::pairs_of;
use crate::compare::Table;
use crate::model::{ACROSS, Counts, WITHIN};
use crate::pattern::{CODES, Pattern, TOKEN_LEVELS, birth_level, code, name};

/// Pairs that are added to each level, so that nothing is impossible.
pub(crate) const SMOOTHING: f64 = 0.5;
/// Most levels of a comparison of tokens.
pub(crate) const MOST_LEVELS: usize = name::LEVELS;

/// Probabilities of the levels of each code.
pub(crate) type Codes = [[f64; code::LEVELS]; CODES];

/// What is counted and does not change while the model is fitted.
pub(crate) struct Seen {
    /// Population, pattern and count of compared pairs.
    pub patterns: Vec<(usize, Pattern, f64)>,
    /// Compared pairs by level of each comparison of tokens.
    pub tokens: [[f64; MOST_LEVELS]; 3],
    /// All pairs of each population, compared or not.
    pub pairs: [f64; 2],
    /// All pairs of which both have such a token.
    pub known: [f64; 3],
    /// Codes of any two persons.
    pub by_chance: Codes,
}

impl Seen {
    pub(crate) fn new(table: &Table, counts: &Counts) -> Self {
        let mut patterns = Vec::new();
        let mut tokens = [[0.0; MOST_LEVELS]; 3];
        for (population, counts) in counts.iter().enumerate() {
            for (number, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                let pattern = Pattern::of_number(number);
                patterns.push((population, pattern, *count as f64));
                for (levels, level) in tokens.iter_mut().zip(pattern.tokens) {
                    levels[level as usize] += *count as f64;
                }
            }
        }
        let mut pairs = [0.0; 2];
        pairs[WITHIN] = within(&table.agencies);
        pairs[ACROSS] = pairs_of(table.len()) as f64 - pairs[WITHIN];
        Self { patterns, tokens, pairs, known: known(table), by_chance: by_chance(table) }
    }

    /// Strangers' tokens as if everybody who shares one were a stranger: where the estimation begins.
    pub(crate) fn shared_by_all(&self, comparison: usize) -> [f64; MOST_LEVELS] {
        self.among_strangers(comparison, &self.tokens[comparison])
    }

    /// Strangers' tokens, of whom so many share something; all who are not compared share nothing.
    pub(crate) fn among_strangers(&self, comparison: usize, shared: &[f64; MOST_LEVELS]) -> [f64; MOST_LEVELS] {
        let levels = TOKEN_LEVELS[comparison];
        let all = self.known[comparison] + SMOOTHING * levels as f64;
        let mut shares = [0.0; MOST_LEVELS];
        for level in 2..levels {
            shares[level] = (shared[level] + SMOOTHING) / all;
        }
        shares[1] = (1.0 - shares.iter().sum::<f64>()).max(SMOOTHING / all);
        shares
    }
}

/// Pairs within agencies.
fn within(agencies: &[u16]) -> f64 {
    let mut sorted = agencies.to_vec();
    sorted.sort_unstable();
    sorted.chunk_by(|a, b| a == b).map(|agency| pairs_of(agency.len())).sum::<u64>() as f64
}

/// Pairs of which both have documents, names or sounds of names, mothers' names.
fn known(table: &Table) -> [f64; 3] {
    let rows = |has: &dyn Fn(u32) -> bool| pairs_of((0..table.len() as u32).filter(|row| has(*row)).count()) as f64;
    let has = |kind: usize, row: u32| table.held[kind].is_known(row);
    let names = rows(&|row| has(1, row)) + rows(&|row| has(2, row)) - rows(&|row| has(1, row) && has(2, row));
    [rows(&|row| has(0, row)), names, rows(&|row| has(3, row))]
}

/// Levels of codes of any two persons.
fn by_chance(table: &Table) -> Codes {
    let [sex, citizenship, province] = std::array::from_fn(|field| {
        let mut codes: Vec<u16> = table.codes.iter().filter_map(|codes| codes[field]).collect();
        codes.sort_unstable();
        let same = codes.chunk_by(|a, b| a == b).map(|code| pairs_of(code.len())).sum::<u64>() as f64;
        let all = pairs_of(codes.len()) as f64;
        levels([same, all - same])
    });
    [births(&table.born), sex, citizenship, province, papers(table)]
}

/// Levels of papers of any two persons.
fn papers(table: &Table) -> [f64; code::LEVELS] {
    let all = table.len();
    let with = (0..all as u32).filter(|row| table.held[0].is_known(*row)).count();
    let (both, neither) = (pairs_of(with) as f64, pairs_of(all - with) as f64);
    levels([both, pairs_of(all) as f64 - both - neither, neither])
}

/// Levels of years of birth of any two persons: each span of years against each.
fn births(born: &[Option<(i16, i16)>]) -> [f64; code::LEVELS] {
    let mut sorted: Vec<(i16, i16)> = born.iter().copied().flatten().collect();
    sorted.sort_unstable();
    let spans: Vec<((i16, i16), usize)> = sorted.chunk_by(|a, b| a == b).map(|span| (span[0], span.len())).collect();
    let mut pairs = [0.0; 4];
    let mut add = |one, other, many: f64| pairs[birth_level(Some(one), Some(other)) as usize - 1] += many;
    for (at, (span, many)) in spans.iter().enumerate() {
        add(*span, *span, pairs_of(*many) as f64);
        spans[at + 1..].iter().for_each(|(other, others)| add(*span, *other, *many as f64 * *others as f64));
    }
    levels(pairs)
}

/// Shares of each level of a code, of so many pairs.
fn levels<const N: usize>(pairs: [f64; N]) -> [f64; code::LEVELS] {
    let all = pairs.iter().sum::<f64>() + N as f64 * SMOOTHING;
    let mut shares = [0.0; code::LEVELS];
    shares[1..].iter_mut().zip(pairs).for_each(|(share, many)| *share = (many + SMOOTHING) / all);
    shares
}
