//! What protection costs: true against released, per table and margin (privacy.md 6.13).
//!
//! Measured inside the vault. The figures are for the house, not for publication: published utilities are bucketed.

use crate::board::{Board, Placed};
use crate::query::Coordinate;
use crate::released::Marked;

/// The cost of protection on one margin of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Utility {
    /// The table.
    pub table: String,
    /// The dimensions that split the margin; the others are totals.
    pub margin: Vec<String>,
    /// Protected cells that are not empty.
    pub cells: u64,
    /// Of these, hidden.
    pub cells_hidden: u64,
    /// Units in protected cells (a unit counts in each of its cells).
    pub units: u64,
    /// Of these, in hidden cells.
    pub units_hidden: u64,
    /// Shown cells with at least 50 units, and their median relative error in millionths.
    pub large: Error,
    /// Shown cells with 34 to 49 units.
    pub medium: Error,
    /// Shown cells with fewer than 34.
    pub small: Error,
    /// Shown cells whose 95 % interval holds the true value.
    pub covered: u64,
}

/// Relative error `|released - true| / true` over some cells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Error {
    /// How many cells.
    pub cells: u64,
    /// Their median, in millionths.
    pub median_ppm: u64,
}

impl Utility {
    /// Share of units in hidden cells, in millionths.
    pub fn units_hidden_ppm(&self) -> u64 {
        (self.units_hidden * 1_000_000).checked_div(self.units).unwrap_or(0)
    }
}

/// Measures every margin of every table. Exact and marked cells are left out: they cost nothing.
pub(crate) fn measure(board: &Board) -> Vec<Utility> {
    let mut utilities = Vec::new();
    for placed in &board.tables {
        let dimensions = placed.cells.query.by.len();
        for margin in 0..1usize << dimensions {
            let utility = of_margin(board, placed, margin);
            if utility.cells > 0 {
                utilities.push(utility);
            }
        }
    }
    utilities
}

fn of_margin(board: &Board, placed: &Placed, margin: usize) -> Utility {
    let query = &placed.cells.query;
    let splits = |at: usize| margin >> at & 1 == 1;
    let names = query.by.iter().enumerate().filter(|(at, _)| splits(*at)).map(|(_, d)| d.name.clone());
    let mut utility = Utility {
        table: placed.name.clone(),
        margin: names.collect(),
        cells: 0,
        cells_hidden: 0,
        units: 0,
        units_hidden: 0,
        large: Error::default(),
        medium: Error::default(),
        small: Error::default(),
        covered: 0,
    };
    let mut errors: [Vec<u64>; 3] = Default::default();
    for (cell, &id) in placed.ids.iter().enumerate() {
        let at = query.coordinates(&placed.cells.shape, cell);
        let here = at.iter().enumerate().all(|(at, c)| splits(at) == (*c != Coordinate::Total));
        let entry = &board.cells[id];
        let n = entry.true_value();
        if !here || entry.exact || entry.mark.is_some_and(Marked::hides) || n == 0 {
            continue;
        }
        utility.cells += 1;
        utility.units += n;
        let crate::board::State::Shown { value, tier, .. } = entry.state else {
            utility.cells_hidden += 1;
            utility.units_hidden += n;
            continue;
        };
        let off = u64::try_from(value.abs_diff(n.into())).unwrap_or(u64::MAX);
        utility.covered += u64::from(off <= tier.map_or(0, crate::noise::Tier::half_width_95));
        let class = if n >= 50 { 0 } else { 1 + usize::from(n < 34) };
        errors[class].push(off * 1_000_000 / n);
    }
    let [large, medium, small] = errors.map(median);
    Utility { large, medium, small, ..utility }
}

fn median(mut errors: Vec<u64>) -> Error {
    errors.sort_unstable();
    let middle = |errors: &[u64]| u64::midpoint(errors[(errors.len() - 1) / 2], errors[errors.len() / 2]);
    Error { cells: errors.len() as u64, median_ppm: if errors.is_empty() { 0 } else { middle(&errors) } }
}
