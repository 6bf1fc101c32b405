//! What protection costs: true against released, over a release and per table (privacy.md 6.13).
//!
//! Measured inside the vault and told as sums, medians and shares over cells, never cell by cell. The figures are for the
//! house, not for publication.
//!
//! Two things move a number: the noise of its tier, and the separation guard, which lets another set answer. They are told
//! apart: noise against the number of the set that answered, *bias* between that and the cell's own.

use std::collections::BTreeMap;

use crate::board::{Board, Placed, State};
use crate::noise::Tier;
use crate::query::Coordinate;
use crate::released::Marked;

/// The sizes of cells that are told apart, in true units: first and last of each class. The second is where small cells bear
/// the price of the guard, the fourth what the goals are set for (privacy.md 6.13).
pub const SIZES: [(u64, u64); 4] = [(1, 10), (11, 33), (34, 49), (50, u64::MAX)];

/// The cost of protection on a table, or on all of them. Exact and marked cells are left out (they cost nothing), and empty
/// ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Utility {
    /// Protected cells, margins included.
    pub cells: u64,
    /// Of these, hidden.
    pub cells_hidden: u64,
    /// Units in protected cells (a unit counts in each of its cells).
    pub units: u64,
    /// Of these, in hidden cells.
    pub units_hidden: u64,
    /// By [`SIZES`].
    pub sizes: [SizeClass; 4],
    /// Shown cells whose noise interval holds the number of the set that answered.
    pub covered: u64,
    /// Hellinger distances between true and released distributions, of each margin over two dimensions.
    pub hellinger: Vec<f64>,
    /// Pairs of provinces, all else equal, whose order the released numbers keep, and those that they turn round.
    pub ranked: (u64, u64),
}

/// Shown cells of one size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SizeClass {
    /// Cells of this size, shown or hidden.
    pub cells: u64,
    /// `|released - true|` of the shown ones, sorted.
    absolute: Vec<u64>,
    /// The same as a part of the true number, in millionths, sorted.
    relative_ppm: Vec<u64>,
    /// By how many units the set that answered is larger or smaller, sorted.
    bias: Vec<u64>,
}

impl SizeClass {
    /// How many are shown.
    pub fn shown(&self) -> u64 {
        self.absolute.len() as u64
    }

    /// The median of `|released - true|`; `None` where none is shown.
    pub fn median_absolute(&self) -> Option<u64> {
        quantile(&self.absolute, 50)
    }

    /// The median of the relative error, in millionths.
    pub fn median_relative_ppm(&self) -> Option<u64> {
        quantile(&self.relative_ppm, 50)
    }

    /// How many were answered by a set of another size.
    pub fn moved(&self) -> u64 {
        self.bias.iter().filter(|bias| **bias > 0).count() as u64
    }

    /// The 95th percentile and the largest of the bias.
    pub fn bias(&self) -> Option<(u64, u64)> {
        Some((quantile(&self.bias, 95)?, *self.bias.last()?))
    }

    fn sort(&mut self) {
        self.absolute.sort_unstable();
        self.relative_ppm.sort_unstable();
        self.bias.sort_unstable();
    }
}

impl Utility {
    /// Share of units in hidden cells, in millionths.
    pub fn units_hidden_ppm(&self) -> u64 {
        (self.units_hidden * 1_000_000).checked_div(self.units).unwrap_or(0)
    }

    /// Share of shown cells whose noise interval holds, in millionths.
    pub fn covered_ppm(&self) -> u64 {
        (self.covered * 1_000_000).checked_div(self.cells - self.cells_hidden).unwrap_or(0)
    }

    /// Kendall's tau of the orders of provinces; `None` where no two can be compared.
    pub fn tau(&self) -> Option<f64> {
        let (kept, turned) = (self.ranked.0 as f64, self.ranked.1 as f64);
        (kept + turned > 0.0).then(|| (kept - turned) / (kept + turned))
    }

    fn sort(&mut self) {
        self.sizes.iter_mut().for_each(SizeClass::sort);
        self.hellinger.sort_by(f64::total_cmp);
    }

    fn merge(&mut self, other: &Self) {
        self.cells += other.cells;
        self.cells_hidden += other.cells_hidden;
        self.units += other.units;
        self.units_hidden += other.units_hidden;
        self.covered += other.covered;
        self.ranked.0 += other.ranked.0;
        self.ranked.1 += other.ranked.1;
        self.hellinger.extend(&other.hellinger);
        for (size, other) in self.sizes.iter_mut().zip(&other.sizes) {
            size.cells += other.cells;
            size.absolute.extend(&other.absolute);
            size.relative_ppm.extend(&other.relative_ppm);
            size.bias.extend(&other.bias);
        }
    }

    /// Counts a cell.
    fn add(&mut self, cell: &Measured) {
        let size = SIZES.iter().position(|(first, last)| (*first..=*last).contains(&cell.units)).unwrap_or(0);
        let size = &mut self.sizes[size];
        self.cells += 1;
        self.units += cell.units;
        size.cells += 1;
        let Some((value, half)) = cell.shown else {
            self.cells_hidden += 1;
            self.units_hidden += cell.units;
            return;
        };
        let off = distance(value, cell.units);
        size.absolute.push(off);
        size.relative_ppm.push(off * 1_000_000 / cell.units);
        size.bias.push(cell.answered_by.abs_diff(cell.units));
        self.covered += u64::from(distance(value, cell.answered_by) <= half);
    }
}

/// A shown cell: where it stands, its true and its released number.
type ShownCell = (Vec<Coordinate>, u64, i128);

/// A cell that is not empty.
struct Measured {
    units: u64,
    /// How many are in the set that answers for it.
    answered_by: u64,
    /// The released number and the half-width of its noise, where it is shown.
    shown: Option<(i128, u64)>,
}

/// Measures a release: over all tables, and each table by name.
pub(crate) fn measure(board: &Board) -> (Utility, BTreeMap<String, Utility>) {
    let mut all = Utility::default();
    let mut by_table = BTreeMap::new();
    for placed in &board.tables {
        let mut utility = of_table(board, placed);
        all.merge(&utility);
        utility.sort();
        by_table.insert(placed.name.clone(), utility);
    }
    all.sort();
    (all, by_table)
}

fn of_table(board: &Board, placed: &Placed) -> Utility {
    let query = &placed.cells.query;
    let mut utility = Utility::default();
    let mut margins: BTreeMap<Vec<bool>, Vec<ShownCell>> = BTreeMap::new();
    for (cell, &id) in placed.ids.iter().enumerate() {
        let Some(measured) = measured(board, id) else { continue };
        utility.add(&measured);
        if let Some((value, _)) = measured.shown {
            let at = query.coordinates(&placed.cells.shape, cell);
            let split = at.iter().map(|at| *at != Coordinate::Total).collect();
            margins.entry(split).or_default().push((at, measured.units, value));
        }
    }
    for (split, cells) in margins {
        if split.iter().filter(|split| **split).count() == 2 {
            utility.hellinger.push(hellinger(cells.iter().map(|(_, n, value)| (*n as f64, *value as f64))));
        }
        for (dimension, _) in query.by.iter().enumerate().filter(|(at, d)| split[*at] && d.name == "province") {
            let ranked = ranked(dimension, &cells);
            utility.ranked.0 += ranked.0;
            utility.ranked.1 += ranked.1;
        }
    }
    utility
}

fn measured(board: &Board, id: usize) -> Option<Measured> {
    let entry = &board.cells[id];
    let units = entry.true_value();
    if entry.exact || entry.mark.is_some_and(Marked::hides) || units == 0 {
        return None;
    }
    let shown = match entry.state {
        State::Shown { value, tier, .. } => Some((value, tier.map_or(0, Tier::half_width_95))),
        State::Hidden(_) => None,
    };
    Some(Measured { units, answered_by: entry.anchor.map_or(units, |answering| answering.units), shown })
}

/// `sqrt(1/2 sum (sqrt p - sqrt q)^2)` of true and released numbers, each as parts of their sum.
fn hellinger(cells: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    let (p, q) = cells.clone().fold((0.0, 0.0), |(p, q), (a, b)| (p + a, q + b));
    let squares = cells.map(|(a, b)| ((a / p).sqrt() - (b.max(0.0) / q.max(1.0)).sqrt()).powi(2));
    (squares.sum::<f64>() / 2.0).sqrt()
}

/// Pairs of cells that differ along one dimension alone, whose order is kept, and turned round. Equal numbers have no order.
fn ranked(dimension: usize, cells: &[ShownCell]) -> (u64, u64) {
    let elsewhere = |at: &[Coordinate]| {
        at.iter().enumerate().filter(|(here, _)| *here != dimension).map(|(_, c)| *c).collect::<Vec<_>>()
    };
    let mut rows: BTreeMap<Vec<Coordinate>, Vec<(u64, i128)>> = BTreeMap::new();
    for (at, n, value) in cells {
        rows.entry(elsewhere(at)).or_default().push((*n, *value));
    }
    let (mut kept, mut turned) = (0, 0);
    for row in rows.values() {
        for (at, a) in row.iter().enumerate() {
            for b in &row[at + 1..] {
                let (before, after) = (a.0.cmp(&b.0), a.1.cmp(&b.1));
                kept += u64::from(before == after && before.is_ne());
                turned += u64::from(before == after.reverse() && before.is_ne());
            }
        }
    }
    (kept, turned)
}

fn distance(value: i128, n: u64) -> u64 {
    u64::try_from(value.abs_diff(n.into())).unwrap_or(u64::MAX)
}

/// The value below which so many of a hundred lie, of sorted numbers.
fn quantile(sorted: &[u64], percent: usize) -> Option<u64> {
    sorted.get((sorted.len() * percent / 100).min(sorted.len().checked_sub(1)?)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_another_set_counts_as_bias_and_not_as_noise() {
        let mut utility = Utility::default();
        utility.add(&Measured { units: 60, answered_by: 66, shown: Some((68, 4)) });
        utility.add(&Measured { units: 60, answered_by: 60, shown: Some((66, 4)) });
        utility.add(&Measured { units: 20, answered_by: 20, shown: None });
        utility.sort();
        assert_eq!((utility.cells, utility.cells_hidden, utility.units_hidden), (3, 1, 20));
        assert_eq!(utility.covered, 1, "2 from the set that answered; 6 of noise is outside");
        let large = &utility.sizes[3];
        assert_eq!((large.shown(), large.moved(), large.bias()), (2, 1, Some((6, 6))));
        assert_eq!(large.median_absolute(), Some(8));
        assert_eq!((utility.sizes[1].cells, utility.sizes[1].shown()), (1, 0));
    }

    #[test]
    fn equal_distributions_are_at_no_distance_and_orders_are_compared_within_rows() {
        assert!(hellinger([(1.0, 2.0), (3.0, 6.0)].into_iter()) < 1e-12);
        assert!((hellinger([(1.0, 0.0), (0.0, 1.0)].into_iter()) - 1.0).abs() < 1e-12);
        let at = |province, year| vec![Coordinate::Code(province), Coordinate::Code(year)];
        let cells = [(at(1, 1), 10, 12), (at(2, 1), 20, 11), (at(1, 2), 5, 5), (at(2, 2), 9, 30)];
        assert_eq!(ranked(0, &cells), (1, 1));
    }
}
