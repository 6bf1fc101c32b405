//! Counts before protection, for comparing with a generator's ground truth and with a source's own totals.
//!
//! **Never on the road to a reader.** Callers are tests, figures and the import's reconciliation; whatever is made here
//! must not be published, logged or sent. The names are long so that they are seen in review.

use crate::cell_query::CellQuery;
use crate::error::DisclosureError;
use crate::query::{Coordinate, Measure};
use crate::released::Amount;
use crate::tabulate::{Cells, tabulate};
use crate::vault::{Vault, VaultError};

/// A cell before protection.
#[derive(Clone, PartialEq, Eq)]
pub struct UnprotectedCell {
    /// Where it stands.
    pub at: Vec<Coordinate>,
    /// The true count; of a sum, the sum within the public bounds of its column.
    pub count: u64,
}

/// The true counts of a table.
pub fn unprotected_counts(cells: &Cells) -> Vec<UnprotectedCell> {
    let count = |facts: &crate::tabulate::Facts| match &cells.query.measure {
        Measure::Sum(_) => u64::try_from(facts.measured.value / Amount::ONE).unwrap_or(0),
        measure => facts.exact_value(measure),
    };
    let cell = |(cell, facts)| UnprotectedCell { at: cells.query.coordinates(&cells.shape, cell), count: count(facts) };
    cells.facts.iter().enumerate().map(cell).collect()
}

/// The true number of units in each cell of a question, in the order of its answer, on the Snapshot that is open.
pub fn unprotected_units(vault: &Vault, question: &CellQuery) -> Result<Vec<UnprotectedCell>, VaultError> {
    let room = vault.room().ok_or(VaultError::NoRoom)?;
    let unknown = || DisclosureError::UnknownDataset(question.dataset.clone());
    let rows = room.datasets.get(&question.dataset).ok_or_else(unknown)?;
    let query = vault.table_query(&room, question, Measure::Units)?;
    Ok(unprotected_counts(&tabulate(rows, &query)?))
}
