//! Which rows fall into which cells, and what each case has in them.
//!
//! Absent: how rows find their cells (`lookup`), what is made of the counts.

use crate::microdata::Rows;
use crate::noise::is_marked;

/// Rows that hit a target, ascending, with the targets of each. Units and their keys lie beside them: fetched in one loop
/// that does nothing else, they come from memory many at a time.
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
        self.units = self.rows.iter().map(|&row| rows.unit(row as usize) as u32).collect();
        self.keys = self.units.iter().map(|&unit| rows.keys[unit as usize]).collect();
        self
    }

    /// These hits and those of rows behind.
    pub(crate) fn and(mut self, behind: Self) -> Self {
        if let (Some(ends), Some(more)) = (&mut self.ends, &behind.ends) {
            ends.extend(more.iter().map(|end| end + self.cells.len()));
        }
        self.rows.extend(behind.rows);
        self.units.extend(behind.units);
        self.keys.extend(behind.keys);
        self.cells.extend(behind.cells);
        self
    }

    /// The targets of the row at a place.
    #[inline]
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
    pub(crate) fn by(&self, number: &dyn Fn(usize) -> u32) -> Vec<(u32, u32)> {
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

/// What a group has in a cell: distinct units, the sum of their record keys, and whether any of them is marked.
#[derive(Clone, Copy, Default)]
pub(crate) struct Share {
    pub(crate) units: u64,
    pub(crate) c: u128,
    pub(crate) marked: bool,
}

/// Tells what each group of rows has in each cell. `order` names the group and the place of each row, those of a group one
/// after the other.
pub(crate) fn grouped(
    hits: &Hits,
    order: impl IntoIterator<Item = (u64, u32)>,
    targets: usize,
    mut tell: impl FnMut(usize, u64, Share),
) {
    let (mut touched, mut shares) = (Vec::new(), vec![Share::default(); targets]);
    let mut last_unit = vec![0u32; targets];
    let mut order = order.into_iter().peekable();
    while let Some((group, first)) = order.next() {
        let mut next = Some(first);
        while let Some(place) = next {
            let (unit, key) = (hits.units[place as usize], hits.keys[place as usize]);
            for &cell in hits.at(place as usize) {
                let share = &mut shares[cell as usize];
                if share.units == 0 {
                    touched.push(cell);
                }
                if std::mem::replace(&mut last_unit[cell as usize], unit + 1) != unit + 1 {
                    share.units += 1;
                    share.c = share.c.wrapping_add(key);
                    share.marked |= is_marked(key);
                }
            }
            next = order.next_if(|(other, _)| *other == group).map(|(_, place)| place);
        }
        for cell in touched.drain(..) {
            tell(cell as usize, group, std::mem::take(&mut shares[cell as usize]));
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

    /// Unit 1 has two rows of one case; unit 2 a row of another, in two cells.
    fn three_rows() -> Hits {
        Hits {
            rows: vec![0, 1, 2],
            units: vec![1, 1, 2],
            keys: vec![10, 10, 7],
            ends: Some(vec![1, 2, 4]),
            cells: vec![0, 0, 0, 1],
        }
    }

    #[test]
    fn a_unit_counts_once_in_a_cell_of_its_group() {
        let (hits, mut told) = (three_rows(), Vec::new());
        let order = [(4, 2), (5, 0), (5, 1)];
        grouped(&hits, order, 2, |cell, group, share| told.push((cell, group, share.units, share.c)));
        assert_eq!(told, [(0, 4, 1, 7), (1, 4, 1, 7), (0, 5, 1, 10)]);
    }

    #[test]
    fn hits_of_rows_behind_keep_their_targets() {
        let both = three_rows().and(three_rows());
        assert_eq!(
            both.iter().map(|(_, cells)| cells.to_vec()).collect::<Vec<_>>()[2..5],
            [vec![0, 1], vec![0], vec![0]]
        );
    }
}
