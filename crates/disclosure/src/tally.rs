//! What one pass over rows counts of each cell. Passes over different rows are put together, as long as no unit, and no case
//! that was counted, has rows in both.
//!
//! Absent: how rows find their cells (`lookup`), which sets are measured (`tabulate`).

use std::collections::HashMap;

use crate::measured::Measured;
use crate::prints::Prints;

/// Counts of cells.
pub(crate) struct Tally {
    pub(crate) units: Vec<Units>,
    pub(crate) stories: Stories,
    /// In units of the agencies that hold the records, and of those that served.
    pub(crate) caseloads: [Caseloads; 2],
    /// Of cases, acts and sums. Units are measured by themselves, agencies by their caseloads.
    pub(crate) measured: Vec<Measured>,
    /// None where nothing is remembered.
    pub(crate) prints: Vec<Prints>,
}

/// The units of a cell.
#[derive(Clone, Copy, Default)]
pub(crate) struct Units {
    /// Distinct units.
    pub(crate) n: u64,
    /// Sum of their record keys modulo 2^128.
    pub(crate) c: u128,
    /// The same of those that are marked.
    pub(crate) core: u128,
    /// Rows.
    pub(crate) rows: u64,
}

impl Tally {
    /// Nothing yet, of so many cells and agencies. `few`: cases that are the largest.
    pub(crate) fn of(cells: usize, agencies: usize, few: usize, prints: bool) -> Self {
        Self {
            units: vec![Units::default(); cells],
            stories: Stories { few, units: vec![0; cells * few], top: vec![0; cells], beside: vec![0; cells] },
            caseloads: std::array::from_fn(|_| Caseloads::of(cells, agencies)),
            measured: vec![Measured::default(); cells],
            prints: vec![Prints::default(); if prints { cells } else { 0 }],
        }
    }

    /// Adds what another pass has counted.
    pub(crate) fn merge(&mut self, other: Self) {
        for (units, other) in self.units.iter_mut().zip(other.units) {
            units.n += other.n;
            units.c = units.c.wrapping_add(other.c);
            units.core = units.core.wrapping_add(other.core);
            units.rows += other.rows;
        }
        self.stories.merge(&other.stories);
        self.caseloads.iter_mut().zip(other.caseloads).for_each(|(caseloads, other)| caseloads.merge(other));
        self.measured.iter_mut().zip(&other.measured).for_each(|(measured, other)| measured.merge(other));
        self.prints.iter_mut().zip(&other.prints).for_each(|(prints, other)| prints.merge(other));
    }
}

/// How large the cases of a cell are.
pub(crate) struct Stories {
    /// Cases that are kept apart: all but one of those that must be there (`min_cases`).
    few: usize,
    /// Units of the `few` largest cases of each cell, the largest first.
    units: Vec<u64>,
    /// Units of the largest case.
    top: Vec<u64>,
    /// Units beside the `few` largest.
    beside: Vec<u64>,
}

impl Stories {
    /// Counts a case with so many units in a cell.
    pub(crate) fn add(&mut self, cell: usize, units: u64) {
        self.top[cell] = self.top[cell].max(units);
        self.beside[cell] += left_over(&mut self.units[cell * self.few..][..self.few], units);
    }

    /// Units of the largest case of a cell, and units beside the largest.
    pub(crate) fn of(&self, cell: usize) -> (u64, u64) {
        (self.top[cell], self.beside[cell])
    }

    fn merge(&mut self, other: &Self) {
        for cell in 0..self.top.len() {
            self.top[cell] = self.top[cell].max(other.top[cell]);
            self.beside[cell] += other.beside[cell];
            for &units in &other.units[cell * self.few..][..self.few] {
                self.beside[cell] += left_over(&mut self.units[cell * self.few..][..self.few], units);
            }
        }
    }
}

/// Puts a number among the largest, and gives what falls out: the smallest of them, or itself.
fn left_over(largest: &mut [u64], mut number: u64) -> u64 {
    for kept in largest {
        if number > *kept {
            std::mem::swap(kept, &mut number);
        }
    }
    number
}

/// How many units of each cell each agency has.
pub(crate) enum Caseloads {
    /// For each cell a load of every agency.
    Grid { agencies: usize, loads: Vec<Load> },
    /// Where that would be too many: by cell and agency.
    Sparse(HashMap<(u32, u16), Load>),
}

/// Units of a cell that an agency has.
#[derive(Clone, Copy, Default)]
pub(crate) struct Load {
    units: u32,
    /// One more than the ordinal of the last unit: one with several rows counts once.
    last: u32,
    /// Whether any of them is marked.
    marked: bool,
}

impl Load {
    /// Adds the units of other rows; none is in both.
    fn merge(&mut self, other: &Self) {
        self.units += other.units;
        self.marked |= other.marked;
    }
}

/// The most loads of a grid: 48 MiB.
const WIDEST_GRID: usize = 1 << 22;

impl Caseloads {
    fn of(cells: usize, agencies: usize) -> Self {
        match cells.saturating_mul(agencies) {
            loads if loads <= WIDEST_GRID => Self::Grid { agencies, loads: vec![Load::default(); loads] },
            _ => Self::Sparse(HashMap::new()),
        }
    }

    /// Counts a unit; those of other rows of the same unit were counted just before.
    #[inline]
    pub(crate) fn add(&mut self, cell: u32, agency: u16, unit: u32, marked: bool) {
        let load = match self {
            Self::Grid { agencies, loads } => &mut loads[cell as usize * *agencies + usize::from(agency)],
            Self::Sparse(loads) => loads.entry((cell, agency)).or_default(),
        };
        load.units += u32::from(load.last != unit + 1);
        load.last = unit + 1;
        load.marked |= marked;
    }

    /// Tells how many units each agency has of each cell, where it has any, and whether one of them is marked.
    pub(crate) fn each(&self, mut tell: impl FnMut(usize, u16, u64, bool)) {
        let mut tell = |cell, agency, load: &Load| {
            if load.units > 0 {
                tell(cell, agency, u64::from(load.units), load.marked);
            }
        };
        match self {
            Self::Grid { agencies, loads } => {
                for (at, load) in loads.iter().enumerate() {
                    tell(at / agencies, (at % agencies) as u16, load);
                }
            }
            Self::Sparse(loads) => loads.iter().for_each(|(&(cell, agency), load)| tell(cell as usize, agency, load)),
        }
    }

    fn merge(&mut self, other: Self) {
        match (self, other) {
            (Self::Grid { loads, .. }, Self::Grid { loads: others, .. }) => {
                loads.iter_mut().zip(&others).for_each(|(load, other)| load.merge(other));
            }
            (Self::Sparse(loads), Self::Sparse(others)) => {
                for (at, other) in others {
                    loads.entry(at).or_default().merge(&other);
                }
            }
            _ => unreachable!("both are of as many cells and agencies"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Units beside the two largest cases, and of the largest, counted in one pass and in two.
    #[test]
    fn the_largest_cases_of_two_passes_are_the_largest_of_both() {
        let sizes = [4, 9, 1, 9, 7, 2, 12, 3];
        for cut in 0..=sizes.len() {
            let counted = |sizes: &[u64]| {
                let mut stories = Tally::of(1, 0, 2, false).stories;
                for &units in sizes {
                    stories.add(0, units);
                }
                stories
            };
            let mut stories = counted(&sizes[..cut]);
            stories.merge(&counted(&sizes[cut..]));
            assert_eq!(stories.of(0), (12, 47 - 12 - 9));
        }
    }

    #[test]
    fn caseloads_are_the_same_whether_there_is_room_for_all_or_not() {
        let units = [(0, 3, 1), (0, 3, 1), (0, 2, 1), (1, 3, 1), (0, 3, 2), (1, 0, 5)];
        let told = |make: &dyn Fn() -> Caseloads| {
            let (mut first, mut second) = (make(), make());
            units[..4].iter().for_each(|&(cell, agency, unit)| first.add(cell, agency, unit, unit == 2));
            units[4..].iter().for_each(|&(cell, agency, unit)| second.add(cell, agency, unit, unit == 2));
            first.merge(second);
            let mut told = Vec::new();
            first.each(|cell, agency, units, marked| told.push((cell, agency, units, marked)));
            told.sort_unstable();
            told
        };
        let expected = [(0, 2, 1, false), (0, 3, 2, true), (1, 0, 1, false), (1, 3, 1, false)];
        assert_eq!(told(&|| Caseloads::of(2, 4)), expected);
        assert_eq!(told(&|| Caseloads::Sparse(HashMap::new())), expected);
    }
}
