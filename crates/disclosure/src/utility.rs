//! What protection costs: true against released, over a release and per table (privacy.md 6.13).
//!
//! Measured inside the vault and told as sums, medians and shares over cells, never cell by cell. The figures are for the
//! house, not for publication.
//!
//! Two things move a number: the noise of its tier, and the separation guard, which lets another set answer. They are told
//! apart: noise against the number of the set that answered, *bias* between that and the cell's own.

mod compare;

use std::collections::{BTreeMap, HashSet};

use crate::board::{Board, CellId, Family, Placed, State};
use crate::noise::Tier;
use crate::query::{Coordinate, Measure};
use crate::released::Marked;
pub use compare::Changes;
use compare::{Addend, Compared};

/// The sizes of cells that are told apart, in true units: first and last of each class. The second is where small cells bear
/// the price of the guard, the fourth what the goals are set for (privacy.md 6.13).
pub const SIZES: [(u64, u64); 4] = [(1, 10), (11, 33), (34, 49), (50, u64::MAX)];

/// Of so many cells a median or percentile is told, at least: of fewer it is nearly the number of one of them, and the
/// error and relative error of one cell together are its true number.
const FEWEST_TOLD: usize = 11;

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
    /// Cramér's V of released numbers as a multiple of that of the true ones, of each margin over two dimensions.
    pub associations: Vec<f64>,
    /// Changes from one year to the next, all else equal.
    pub changes: Changes,
    /// `|sqrt(released) - sqrt(true)|` of the shown cells, sorted: on a large number the same error weighs less.
    roots: Vec<f64>,
    /// How far totals are from the sum of their parts where all of these are shown, in standard deviations of the
    /// noise, sorted.
    gaps: Vec<f64>,
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

    /// The median of `|released - true|`; `None` where few are shown, as for what follows.
    pub fn median_absolute(&self) -> Option<u64> {
        told(&self.absolute, 50)
    }

    /// The median of the relative error, in millionths.
    pub fn median_relative_ppm(&self) -> Option<u64> {
        told(&self.relative_ppm, 50)
    }

    /// How many were answered by a set of another size.
    pub fn moved(&self) -> u64 {
        self.bias.iter().filter(|bias| **bias > 0).count() as u64
    }

    /// The 95th percentile and the largest of the bias.
    pub fn bias(&self) -> Option<(u64, u64)> {
        Some((told(&self.bias, 95)?, *self.bias.last()?))
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

    /// The median and the 95th percentile of `|sqrt(released) - sqrt(true)|`; `None` where few are shown.
    pub fn roots(&self) -> Option<(f64, f64)> {
        Some((told(&self.roots, 50)?, told(&self.roots, 95)?))
    }

    /// Totals of which every part is shown, and how far they are from the sum of these, in standard deviations of the
    /// noise: median and 95th percentile, .67 and 1.96 where there is nothing but noise.
    pub fn gaps(&self) -> Option<(u64, f64, f64)> {
        Some((self.gaps.len() as u64, told(&self.gaps, 50)?, told(&self.gaps, 95)?))
    }

    fn sort(&mut self) {
        self.sizes.iter_mut().for_each(SizeClass::sort);
        for sorted in [&mut self.hellinger, &mut self.associations, &mut self.roots, &mut self.gaps] {
            sorted.sort_by(f64::total_cmp);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.cells += other.cells;
        self.cells_hidden += other.cells_hidden;
        self.units += other.units;
        self.units_hidden += other.units_hidden;
        self.covered += other.covered;
        self.ranked.0 += other.ranked.0;
        self.ranked.1 += other.ranked.1;
        self.changes.merge(other.changes);
        self.hellinger.extend(&other.hellinger);
        self.associations.extend(&other.associations);
        self.roots.extend(&other.roots);
        self.gaps.extend(&other.gaps);
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
        self.roots.push(((value.max(0) as f64).sqrt() - (cell.units as f64).sqrt()).abs());
        self.covered += u64::from(distance(value, cell.answered_by) <= half);
    }
}

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
    for (placed, gaps) in board.tables.iter().zip(gaps_by_table(board)) {
        let mut utility = Utility { gaps, ..of_table(board, placed) };
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
    let mut margins: BTreeMap<Vec<bool>, Vec<Compared>> = BTreeMap::new();
    for (cell, &id) in placed.ids.iter().enumerate() {
        let Some(measured) = measured(board, id) else { continue };
        utility.add(&measured);
        let at = query.coordinates(&placed.cells.shape, cell);
        let split = at.iter().map(|at| *at != Coordinate::Total).collect();
        let shown = measured.shown.map(|(value, _)| value);
        margins.entry(split).or_default().push(Compared { at, units: measured.units, shown });
    }
    for (split, cells) in margins {
        let split: Vec<usize> = (0..split.len()).filter(|at| split[*at]).collect();
        if let [row, column] = split[..] {
            utility.hellinger.extend(compare::hellinger(&cells));
            utility.associations.extend(compare::association((row, column), &cells));
        }
        for dimension in split {
            match query.by[dimension].name.as_str() {
                "province" => {
                    let ranked = compare::ranked(dimension, &cells);
                    utility.ranked.0 += ranked.0;
                    utility.ranked.1 += ranked.1;
                }
                "year" => utility.changes.merge(compare::changes(dimension, &cells)),
                _ => {}
            }
        }
    }
    utility
}

/// How far totals are from their parts, for each table those of which it has all parts. Those of several count once.
fn gaps_by_table(board: &Board) -> Vec<Vec<f64>> {
    let tables: Vec<HashSet<CellId>> = board.tables.iter().map(|placed| placed.ids.iter().copied().collect()).collect();
    let addend = |&id: &CellId| Addend { units: board.cells[id].true_value(), shown: board.cells[id].shown() };
    let mut gaps = vec![Vec::new(); tables.len()];
    let counts = |family: &&Family| !matches!(board.cells[family.total].measure, Measure::Sum(_));
    for family in board.families.iter().filter(|family| family.complementary).filter(counts) {
        let Some(table) = tables.iter().position(|ids| family.children.iter().all(|part| ids.contains(part))) else {
            continue;
        };
        let parts: Vec<Addend> = family.children.iter().map(addend).collect();
        gaps[table].extend(compare::additivity_gap(&addend(&family.total), &parts));
    }
    gaps
}

fn measured(board: &Board, id: usize) -> Option<Measured> {
    let entry = &board.cells[id];
    let units = entry.true_value();
    // What a sum loses is not told in units.
    if matches!(entry.measure, Measure::Sum(_)) || entry.exact || entry.mark.is_some_and(Marked::hides) || units == 0 {
        return None;
    }
    let shown = match entry.state {
        State::Shown { value, tier, .. } => Some((value, tier.map_or(0, Tier::half_width_95))),
        State::Hidden(_) => None,
    };
    Some(Measured { units, answered_by: entry.anchor.map_or(units, |answering| answering.units), shown })
}

fn distance(value: i128, n: u64) -> u64 {
    u64::try_from(value.abs_diff(n.into())).unwrap_or(u64::MAX)
}

/// The value below which so many of a hundred lie, of sorted numbers; none where these are too few to tell.
fn told<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    let quantile = sorted.get((sorted.len() * percent / 100).min(sorted.len().checked_sub(1)?)).copied();
    quantile.filter(|_| sorted.len() >= FEWEST_TOLD)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many cells like each of these.
    fn of(copies: usize, cells: &[Measured]) -> Utility {
        let mut utility = Utility::default();
        (0..copies).for_each(|_| cells.iter().for_each(|cell| utility.add(cell)));
        utility.sort();
        utility
    }

    #[test]
    fn a_number_of_another_set_counts_as_bias_and_not_as_noise() {
        let answered_by_another = Measured { units: 60, answered_by: 66, shown: Some((68, 4)) };
        let noisy = Measured { units: 60, answered_by: 60, shown: Some((66, 4)) };
        let hidden = Measured { units: 20, answered_by: 20, shown: None };
        let utility = of(6, &[answered_by_another, noisy, hidden]);
        assert_eq!((utility.cells, utility.cells_hidden, utility.units_hidden), (18, 6, 120));
        assert_eq!(utility.covered, 6, "2 from the set that answered; 6 of noise is outside");
        let large = &utility.sizes[3];
        assert_eq!((large.shown(), large.moved(), large.bias()), (12, 6, Some((6, 6))));
        assert_eq!(large.median_absolute(), Some(8));
        assert_eq!((utility.sizes[1].cells, utility.sizes[1].shown()), (6, 0));
    }

    #[test]
    fn roots_are_compared_over_all_shown_cells() {
        let shown = |units, released| Measured { units, answered_by: units, shown: Some((released, 4)) };
        let hidden = Measured { units: 9, answered_by: 9, shown: None };
        assert_eq!(of(4, &[shown(49, 64), shown(400, 400), shown(25, 16), hidden]).roots(), Some((1.0, 1.0)));
    }

    #[test]
    fn of_few_shown_cells_nothing_is_told_that_one_of_them_has() {
        let small = || Measured { units: 8, answered_by: 17, shown: Some((15, 4)) };
        let (few, enough) = (of(10, &[small()]), of(11, &[small()]));
        let (few, enough) = ((&few.sizes[0], few.roots()), (&enough.sizes[0], enough.roots()));
        assert_eq!(
            (few.0.median_absolute(), few.0.median_relative_ppm(), few.0.bias(), few.1),
            (None, None, None, None)
        );
        assert_eq!((few.0.shown(), few.0.moved()), (10, 10));
        assert_eq!(enough.0.median_absolute(), Some(7));
        assert!(enough.1.is_some());
    }
}
