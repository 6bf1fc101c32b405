//! True and released numbers of several cells side by side: distributions, orders, associations, changes, sums
//! (privacy.md 6.13).
//!
//! Each is one number about many cells.

use std::collections::BTreeMap;

use crate::query::Coordinate;

/// A cell of a table that is not empty: where it stands, its true number, and its released one where it is shown.
pub(super) struct Compared {
    pub(super) at: Vec<Coordinate>,
    pub(super) units: u64,
    pub(super) shown: Option<i128>,
}

/// A number in a sum: true, and where it is shown released, with the variance of its noise.
pub(super) struct Addend {
    pub(super) units: u64,
    pub(super) shown: Option<(i128, u64)>,
}

/// What became of the changes from one year to the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// Both years are shown.
    pub compared: u64,
    /// Of these, the released numbers rise, fall or stay as the true ones do.
    pub kept: u64,
    /// Of these, one rises and the other falls. The rest stay in one and not in the other.
    pub turned: u64,
}

impl Changes {
    pub(super) fn merge(&mut self, other: Self) {
        self.compared += other.compared;
        self.kept += other.kept;
        self.turned += other.turned;
    }
}

/// `sqrt(1/2 sum (sqrt p - sqrt q)^2)` of true and released numbers of the shown cells, each as parts of their sum;
/// `None` where none is shown.
pub(super) fn hellinger(cells: &[Compared]) -> Option<f64> {
    let shown = || cells.iter().filter_map(|cell| Some((cell.units as f64, cell.shown? as f64)));
    let (p, q) = shown().fold((0.0, 0.0), |(p, q), (a, b)| (p + a, q + b));
    let squares = shown().map(|(a, b)| ((a / p).sqrt() - (b.max(0.0) / q.max(1.0)).sqrt()).powi(2));
    (p > 0.0).then(|| (squares.sum::<f64>() / 2.0).sqrt())
}

/// Shown cells that differ along one dimension alone, by their code on it: true and released numbers.
fn rows_along(dimension: usize, cells: &[Compared]) -> impl Iterator<Item = BTreeMap<Coordinate, (u64, i128)>> {
    let mut rows: BTreeMap<Vec<Coordinate>, BTreeMap<Coordinate, (u64, i128)>> = BTreeMap::new();
    for (cell, value) in cells.iter().filter_map(|cell| Some((cell, cell.shown?))) {
        let mut elsewhere = cell.at.clone();
        let here = elsewhere.remove(dimension);
        rows.entry(elsewhere).or_default().insert(here, (cell.units, value));
    }
    rows.into_values()
}

/// Pairs of cells that differ along one dimension alone: whose order is kept, and turned round. Equal ones have none.
pub(super) fn ranked(dimension: usize, cells: &[Compared]) -> (u64, u64) {
    let (mut kept, mut turned) = (0, 0);
    for row in rows_along(dimension, cells) {
        let row: Vec<_> = row.into_values().collect();
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

/// The changes from each year to the next, all else equal. `dimension` is that of the years.
pub(super) fn changes(dimension: usize, cells: &[Compared]) -> Changes {
    let mut changes = Changes::default();
    for row in rows_along(dimension, cells) {
        for (year, earlier) in &row {
            // The year that is not known is the last of all numbers.
            let next = if let Coordinate::Code(year) = year { year.checked_add(1) } else { None };
            let Some(later) = next.and_then(|next| row.get(&Coordinate::Code(next))) else { continue };
            let (before, after) = (later.0.cmp(&earlier.0), later.1.cmp(&earlier.1));
            changes.compared += 1;
            changes.kept += u64::from(before == after);
            changes.turned += u64::from(before == after.reverse() && before.is_ne());
        }
    }
    changes
}

/// Cramér's V of the released numbers as a multiple of that of the true ones, over two dimensions. A hidden number
/// counts as none, as for whoever has only what is shown: above 1, protection makes what is related look more so.
/// `None` where nothing is related in truth, or too little is shown to tell.
pub(super) fn association((row, column): (usize, usize), cells: &[Compared]) -> Option<f64> {
    let at = |cell: &Compared| (cell.at[row], cell.at[column]);
    let before = cramers_v(cells.iter().map(|cell| (at(cell), cell.units as f64)))?;
    let after = cramers_v(cells.iter().filter_map(|cell| Some((at(cell), cell.shown?.max(0) as f64))))?;
    (before > 1e-9).then(|| after / before)
}

/// `sqrt(chi^2 / n / (k - 1))`, k the smaller of the numbers of rows and columns; `None` where it is 1.
fn cramers_v(cells: impl Iterator<Item = ((Coordinate, Coordinate), f64)>) -> Option<f64> {
    let cells: Vec<_> = cells.filter(|(_, n)| *n > 0.0).collect();
    let (mut rows, mut columns, mut all) = (BTreeMap::new(), BTreeMap::new(), 0.0);
    for ((row, column), n) in &cells {
        *rows.entry(row).or_insert(0.0) += n;
        *columns.entry(column).or_insert(0.0) += n;
        all += n;
    }
    let least = rows.len().min(columns.len());
    // chi^2 / n = sum of n_ij^2 / (n_i n_j), less 1: empty cells add nothing.
    let squares: f64 = cells.iter().map(|((row, column), n)| n * n / (rows[row] * columns[column])).sum();
    (least > 1 && all > 0.0).then(|| ((squares - 1.0).max(0.0) / (least - 1) as f64).sqrt())
}

/// How far a released total is from the sum of its released parts, in standard deviations of the noise of them all.
///
/// `None` where a part that somebody is in is hidden, where the true parts do not add up (a unit may have several
/// codes, or none), and where one part is the total, whose number it then has.
pub(super) fn additivity_gap(total: &Addend, parts: &[Addend]) -> Option<f64> {
    let parts: Vec<&Addend> = parts.iter().filter(|part| part.units > 0).collect();
    let adds_up = parts.iter().map(|part| part.units).sum::<u64>() == total.units;
    let (value, variance) = total.shown?;
    let shown = parts.iter().map(|part| part.shown).collect::<Option<Vec<_>>>()?;
    let (sum, variance) = shown.iter().fold((0, variance), |sum, part| (sum.0 + part.0, sum.1 + part.1));
    let told = adds_up && parts.len() > 1 && variance > 0;
    told.then(|| value.abs_diff(sum) as f64 / (variance as f64).sqrt())
}

#[cfg(test)]
mod tests {
    //! Tables small enough to work out by hand.

    use super::*;

    /// Cells by province and year: true numbers, and released ones where they are shown.
    fn table(cells: &[(u16, u16, u64, Option<i128>)]) -> Vec<Compared> {
        let at = |province, year| vec![Coordinate::Code(province), Coordinate::Code(year)];
        let cell = |&(province, year, units, shown)| Compared { at: at(province, year), units, shown };
        cells.iter().map(cell).collect()
    }

    fn is_about(found: Option<f64>, expected: f64) -> bool {
        found.is_some_and(|found| (found - expected).abs() < 1e-9)
    }

    #[test]
    fn equal_distributions_are_at_no_distance() {
        assert!(is_about(hellinger(&table(&[(1, 1, 1, Some(2)), (1, 2, 3, Some(6))])), 0.0));
        // p = (.36, .64), q = (.64, .36): sqrt(1/2 (.2^2 + .2^2)) = .2. What is hidden is in neither.
        let cells = [(1, 1, 36, Some(64)), (1, 2, 64, Some(36)), (2, 1, 7, None)];
        assert!(is_about(hellinger(&table(&cells)), 0.2));
        assert_eq!(hellinger(&table(&[(2, 1, 7, None)])), None);
    }

    #[test]
    fn orders_are_compared_within_rows() {
        let cells = [(1, 1, 10, Some(12)), (2, 1, 20, Some(11)), (1, 2, 5, Some(5)), (2, 2, 9, Some(30))];
        assert_eq!(ranked(0, &table(&cells)), (1, 1));
    }

    #[test]
    fn a_change_is_kept_blurred_or_turned_round_between_years_that_follow_each_other() {
        let cells = table(&[
            (1, 2020, 50, Some(52)),
            (1, 2021, 60, Some(58)), // rises in both
            (1, 2022, 58, Some(58)), // falls, and stays in what was released
            (1, 2023, 58, Some(58)), // stays in both
            (2, 2020, 40, Some(44)),
            (2, 2021, 42, Some(41)), // rises, and falls in what was released
            (2, 2022, 30, None),
            (2, 2023, 90, Some(92)), // of the year before nothing is shown
            (2, u16::MAX, 20, Some(22)),
        ]);
        assert_eq!(changes(1, &cells), Changes { compared: 4, kept: 2, turned: 1 });
    }

    #[test]
    fn associations_are_compared_by_cramers_v() {
        // 60, 40; 40, 60: chi^2 = 200 * .04, V = .2. Released 70, 30; 30, 70: V = .4.
        let cells = [(1, 1, 60, Some(70)), (1, 2, 40, Some(30)), (2, 1, 40, Some(30)), (2, 2, 60, Some(70))];
        assert!(is_about(association((0, 1), &table(&cells)), 2.0));
        assert!(is_about(association((1, 0), &table(&cells)), 2.0));
        // With the small ones hidden, province tells the year: V = 1.
        let hidden = [(1, 1, 60, Some(60)), (1, 2, 40, None), (2, 1, 40, None), (2, 2, 60, Some(60))];
        assert!(is_about(association((0, 1), &table(&hidden)), 5.0));
    }

    #[test]
    fn where_nothing_is_related_or_one_row_is_shown_no_association_is_told() {
        let even = [(1, 1, 20, Some(21)), (1, 2, 40, Some(37)), (2, 1, 30, Some(30)), (2, 2, 60, Some(61))];
        assert_eq!(association((0, 1), &table(&even)), None);
        let one_row = [(1, 1, 60, Some(60)), (1, 2, 40, Some(40)), (2, 1, 4, None), (2, 2, 6, None)];
        assert_eq!(association((0, 1), &table(&one_row)), None);
    }

    fn addend(units: u64, released: i128) -> Addend {
        Addend { units, shown: Some((released, 4)) }
    }

    fn hidden(units: u64) -> Addend {
        Addend { units, shown: None }
    }

    #[test]
    fn a_total_is_as_far_from_its_parts_as_their_noise_makes_likely() {
        // |103 - (41 + 58)| / sqrt(3 * 4); a hidden part in which nobody is adds nothing.
        let gap = additivity_gap(&addend(100, 103), &[addend(40, 41), addend(60, 58), hidden(0)]);
        assert!(is_about(gap, 4.0 / 12f64.sqrt()));
        assert!(is_about(additivity_gap(&addend(100, 99), &[addend(40, 41), addend(60, 58)]), 0.0));
    }

    #[test]
    fn what_is_hidden_does_not_add_up_or_is_one_part_has_no_gap() {
        assert_eq!(additivity_gap(&hidden(100), &[addend(40, 41), addend(60, 58)]), None);
        assert_eq!(additivity_gap(&addend(100, 103), &[addend(40, 41), addend(55, 58), hidden(5)]), None);
        assert_eq!(additivity_gap(&addend(100, 103), &[addend(70, 71), addend(60, 58)]), None);
        assert_eq!(additivity_gap(&addend(100, 103), &[addend(100, 103), hidden(0)]), None);
        let exact = |units: u64| Addend { units, shown: Some((units.into(), 0)) };
        assert_eq!(additivity_gap(&exact(100), &[exact(40), exact(60)]), None);
    }
}
