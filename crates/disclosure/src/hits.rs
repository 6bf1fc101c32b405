//! Which rows fall into which cells, and what each case or agency has in them.
//!
//! Absent: how rows find their cells (`tabulate`), what is made of the counts.

use crate::microdata::Rows;

/// Rows that hit a target, ascending, with the targets of each. Units and their keys lie beside them, because passes in
/// another order than that of the rows would wait for memory.
pub(crate) struct Hits {
    pub(crate) rows: Vec<u32>,
    pub(crate) units: Vec<u32>,
    pub(crate) keys: Vec<u128>,
    /// Where the targets of each row end; `None` where each has one.
    pub(crate) ends: Option<Vec<usize>>,
    pub(crate) cells: Vec<u32>,
}

impl Hits {
    /// No rows yet.
    pub(crate) fn none() -> Self {
        Self { rows: Vec::new(), units: Vec::new(), keys: Vec::new(), ends: None, cells: Vec::new() }
    }

    /// Puts the units of the rows beside them.
    pub(crate) fn with_units(mut self, rows: &Rows) -> Self {
        self.units = self.rows.iter().map(|&row| rows.unit[row as usize]).collect();
        self.keys = self.units.iter().map(|&unit| rows.keys[unit as usize]).collect();
        self
    }

    /// The targets of the row at a place.
    pub(crate) fn at(&self, place: usize) -> &[u32] {
        match &self.ends {
            None => &self.cells[place..=place],
            Some(ends) => &self.cells[if place == 0 { 0 } else { ends[place - 1] }..ends[place]],
        }
    }

    /// Rows with their targets.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &[u32])> {
        self.rows.iter().enumerate().map(|(place, &row)| (row as usize, self.at(place)))
    }

    /// Places of rows, by a number of each row; rows of one number stay in their order.
    fn by(&self, number: &dyn Fn(usize) -> u32) -> Vec<(u32, u32)> {
        let mut order: Vec<(u32, u32)> = self.rows.iter().map(|&row| number(row as usize)).zip(0..).collect();
        let bits = u32::BITS - order.iter().map(|(number, _)| *number).max().unwrap_or(0).leading_zeros();
        let mut sorted = vec![(0, 0); order.len()];
        // Digits from the last to the first; each pass keeps the order of what it finds equal.
        for shift in (0..bits).step_by(DIGIT) {
            let digit = |number: u32| (number >> shift) as usize & ((1 << DIGIT) - 1);
            let mut starts = vec![0u32; 1 << DIGIT];
            for (number, _) in &order {
                starts[digit(*number)] += 1;
            }
            let mut sum = 0;
            for start in &mut starts {
                sum += std::mem::replace(start, sum);
            }
            for entry in &order {
                let start = &mut starts[digit(entry.0)];
                sorted[*start as usize] = *entry;
                *start += 1;
            }
            std::mem::swap(&mut order, &mut sorted);
        }
        order
    }
}

/// Bits that a pass of sorting looks at.
const DIGIT: usize = 11;

/// What a group has in a cell: distinct units and the sum of their record keys.
#[derive(Clone, Copy, Default)]
pub(crate) struct Share {
    pub(crate) units: u64,
    pub(crate) c: u128,
}

/// Tells what each group of rows has in each cell, with one of its rows.
pub(crate) fn grouped(
    hits: &Hits,
    group_of: &dyn Fn(usize) -> u32,
    targets: usize,
    mut tell: impl FnMut(usize, usize, Share),
) {
    let order = hits.by(group_of);
    let (mut touched, mut shares) = (Vec::new(), vec![Share::default(); targets]);
    let mut last_unit = vec![0u32; targets];
    for group in order.chunk_by(|a, b| a.0 == b.0) {
        for &(_, place) in group {
            let place = place as usize;
            let unit = hits.units[place];
            for &cell in hits.at(place) {
                let share = &mut shares[cell as usize];
                if share.units == 0 {
                    touched.push(cell);
                }
                if std::mem::replace(&mut last_unit[cell as usize], unit + 1) != unit + 1 {
                    share.units += 1;
                    share.c = share.c.wrapping_add(hits.keys[place]);
                }
            }
        }
        let row = hits.rows[group[0].1 as usize] as usize;
        for cell in touched.drain(..) {
            tell(cell as usize, row, std::mem::take(&mut shares[cell as usize]));
            last_unit[cell as usize] = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_ordered_by_numbers_of_any_size_and_equal_ones_stay_in_order() {
        let numbers = [70_000, 3, 5_000_000, 3, 0, 70_000, u32::MAX];
        let hits = Hits { rows: (0..7).collect(), ..Hits::none() };
        let places: Vec<u32> = hits.by(&|row| numbers[row]).into_iter().map(|(_, place)| place).collect();
        assert_eq!(places, [4, 1, 3, 0, 5, 2, 6]);
    }

    #[test]
    fn a_unit_counts_once_in_a_cell_of_its_group() {
        // Unit 1 has two rows of one case; unit 2 a row of another, in two cells.
        let hits = Hits {
            rows: vec![0, 1, 2],
            units: vec![1, 1, 2],
            keys: vec![10, 10, 7],
            ends: Some(vec![1, 2, 4]),
            cells: vec![0, 0, 0, 1],
        };
        let mut told = Vec::new();
        grouped(&hits, &|row| [5, 5, 4][row], 2, |cell, row, share| told.push((cell, row, share.units, share.c)));
        assert_eq!(told, [(0, 2, 1, 7), (1, 2, 1, 7), (0, 0, 1, 10)]);
    }
}
