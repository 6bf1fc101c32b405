//! Counts before protection, for comparing with a generator's ground truth and with a source's own totals.
//!
//! **Never on the road to a reader.** Callers are tests, figures and the import's reconciliation; whatever is made here
//! must not be published, logged or sent. The names are long so that they are seen in review.

use crate::query::Coordinate;
use crate::tabulate::Cells;

/// A cell before protection.
#[derive(Clone, PartialEq, Eq)]
pub struct UnprotectedCell {
    /// Where it stands.
    pub at: Vec<Coordinate>,
    /// The true count.
    pub count: u64,
}

/// The true counts of a question.
pub fn unprotected_counts(cells: &Cells) -> Vec<UnprotectedCell> {
    let count = |facts: &crate::tabulate::Facts| facts.exact_value(&cells.query.measure);
    let cell = |(cell, facts)| UnprotectedCell { at: cells.query.coordinates(&cells.shape, cell), count: count(facts) };
    cells.facts.iter().enumerate().map(cell).collect()
}
