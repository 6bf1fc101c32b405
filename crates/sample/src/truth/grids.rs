//! The grids of domain.md 7.1 and the tally of their cells.

use std::collections::HashMap;
use std::fmt;

use crate::codes::Code;
use crate::when::When;

use super::{Cell, TOTAL};

/// A time period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Period {
    /// A calendar year.
    Year(i32),
    /// A quarter 1..=4 of a year.
    Quarter(i32, u32),
    /// The quarter of what is known only by year.
    UnknownQuarter,
}

impl Period {
    /// The year of what happened.
    pub fn year(when: When) -> Self {
        Self::Year(when.year())
    }

    /// The quarter of what happened.
    pub fn quarter(when: When) -> Self {
        when.quarter().map_or(Self::UnknownQuarter, |quarter| Self::Quarter(when.year(), quarter))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Year(year) => write!(f, "{year}"),
            Self::Quarter(year, quarter) => write!(f, "{year}-Q{quarter}"),
            Self::UnknownQuarter => write!(f, "_X"),
        }
    }
}

/// A measure of an indicator on a grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Indicator.
    pub indicator: &'static str,
    /// Measure.
    pub measure: &'static str,
    /// Dimensions beside time, at most two.
    pub dims: &'static [&'static str],
    /// Whether it has margins.
    pub totals: bool,
}

/// Counts by grid, period and codes; the grids are few and told apart by their number.
#[derive(Default)]
pub(super) struct Tally {
    grids: Vec<Grid>,
    counts: HashMap<(usize, Period, [Code; 2]), i64>,
}

impl Tally {
    /// Counts a unit once in the grid: under each of its codes of the first dimension, its code of the second, and all
    /// margins. Pass an empty code for a dimension that the grid lacks.
    pub(super) fn count(&mut self, grid: Grid, period: Period, first: &[Code], second: Code) {
        let totals = usize::from(grid.totals && !grid.dims.is_empty());
        let number = self.number(grid);
        for &one in first.iter().chain([TOTAL].iter().take(totals)) {
            self.add(number, period, [one, second]);
            if grid.totals && grid.dims.len() > 1 {
                self.add(number, period, [one, TOTAL]);
            }
        }
    }

    fn add(&mut self, grid: usize, period: Period, codes: [Code; 2]) {
        *self.counts.entry((grid, period, codes)).or_default() += 1;
    }

    fn number(&mut self, grid: Grid) -> usize {
        self.grids.iter().position(|known| *known == grid).unwrap_or_else(|| {
            self.grids.push(grid);
            self.grids.len() - 1
        })
    }

    pub(super) fn cells(&self) -> Vec<Cell> {
        let cell = |((number, time_period, codes), value): (&(usize, Period, [Code; 2]), &i64)| {
            let Grid { indicator, measure, dims, .. } = self.grids[*number];
            let dims = dims.iter().copied().zip(codes.iter().copied()).collect();
            Cell { indicator, measure, time_period: *time_period, dims, value: *value }
        };
        let mut cells: Vec<Cell> = self.counts.iter().map(cell).collect();
        cells.sort_unstable();
        cells
    }
}
