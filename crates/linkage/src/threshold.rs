//! From which probability on the model's word is enough for a link.
//!
//! It is found for each register: links are made from the likeliest pair down, as long as of all that are made no more than
//! [`WRONG_PER_MILLE`] are expected to be wrong. Where most who share a name are one person, a doubtful one more does not hurt; in a
//! register of namesakes it does. The count of persons is what is published, and this bounds its error from that side.

use crate::model::{Counts, Model, population};
use crate::pattern::Pattern;

/// Of a thousand links between agencies, so many may be expected to be wrong, by the model.
pub const WRONG_PER_MILLE: u64 = 5;
/// Nobody is linked who is more probably not one, in millionths.
pub const LINK_LEAST: u32 = 500_000;
/// Whoever is one with this probability is always linked, in millionths, be there ever so few pairs.
pub const LINK_ALWAYS: u32 = 950_000;
/// From this probability on, in millionths, two persons of one agency: it had both before it, and called them two.
pub const LINK_WITHIN: u32 = 950_000;

/// One million: certainty.
const CERTAIN: u64 = 1_000_000;

/// Probabilities from which on pairs are linked, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Threshold {
    across: u32,
}

impl Threshold {
    /// The threshold of a register.
    pub(crate) fn new(model: &Model, counts: &Counts) -> Self {
        let across = counts[population(false)].iter().enumerate().filter(|(_, count)| **count > 0);
        let mut pairs: Vec<(u32, u64)> = across
            .map(|(number, count)| (Pattern::of_number(number), *count))
            .filter(|(pattern, _)| {
                !pattern.sexes_differ() && !pattern.names_contradict() && !pattern.documents_contradict(false)
            })
            .map(|(pattern, count)| (model.millionths(pattern, false), count))
            .collect();
        pairs.sort_unstable_by(|a, b| b.cmp(a));
        let (mut made, mut wrong, mut across) = (0, 0, CERTAIN as u32);
        for same in pairs.chunk_by(|a, b| a.0 == b.0) {
            let many: u64 = same.iter().map(|(_, count)| count).sum();
            made += many;
            wrong += many * (CERTAIN - u64::from(same[0].0));
            if wrong * 1000 > WRONG_PER_MILLE * made * CERTAIN {
                break;
            }
            across = same[0].0;
        }
        Self { across: across.clamp(LINK_LEAST, LINK_ALWAYS) }
    }

    /// The threshold for pairs of one agency, or of two.
    pub(crate) fn of(self, within: bool) -> u32 {
        if within { self.across.max(LINK_WITHIN) } else { self.across }
    }
}
