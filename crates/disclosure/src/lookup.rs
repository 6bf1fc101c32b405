//! How rows find their cells: conditions first, then one dimension after the other.
//!
//! Absent: counting (`tabulate`).

use std::ops::Range;

use crate::error::DisclosureError;
use crate::hits::Hits;
use crate::microdata::{Codes, Rows};
use crate::query::{Dimension, Shape, TableQuery};

/// A cell that belongs to no union.
pub(crate) const NOWHERE: u32 = u32::MAX;
/// A code without a position.
const NO_POSITION: u32 = u32::MAX;
/// Codes that there could be.
const CODES: usize = 1 << 16;
/// Rows that are looked at in a row: what is found of them stays near.
const BLOCK: usize = 4096;

/// The conditions and dimensions of a question, over the columns of its rows.
pub(crate) struct Lookup<'a> {
    rows: &'a Rows,
    population: Vec<Chosen<'a>>,
    dimensions: Vec<Axis<'a>>,
}

/// A condition of the population: for each code that there could be, whether it is asked for.
struct Chosen<'a> {
    column: &'a Codes,
    codes: Box<[bool; CODES]>,
}

impl Chosen<'_> {
    fn holds(&self, row: u32) -> bool {
        let mut holds = false;
        self.column.each(row as usize, |code| holds |= self.codes[usize::from(code)]);
        holds
    }

    /// The rows among these for which it holds.
    fn among(&self, rows: Range<u32>) -> Vec<u32> {
        let range = rows.start as usize..rows.end as usize;
        match self.column {
            Codes::Short(codes) => self.found(rows.start, &codes[range]),
            Codes::Long(codes) => self.found(rows.start, &codes[range]),
            Codes::Many { .. } => rows.filter(|&row| self.holds(row)).collect(),
        }
    }

    /// The rows with these codes, of which the first has this number, for which it holds. Every row is written down, and
    /// the next one over it unless it is to stay: no branch that would have to be guessed.
    fn found<C: Copy + Into<u16>>(&self, first: u32, codes: &[C]) -> Vec<u32> {
        let (mut rows, mut block, mut row) = (Vec::new(), [0; BLOCK], first);
        for codes in codes.chunks(BLOCK) {
            let mut found = 0;
            for &code in codes {
                block[found] = row;
                found += usize::from(self.codes[usize::from(code.into())]);
                row += 1;
            }
            rows.extend(&block[..found]);
        }
        rows
    }
}

/// One dimension: the offset of each code in the array of cells.
struct Axis<'a> {
    name: &'a str,
    column: &'a Codes,
    offset_of_code: Vec<u32>,
    total: Option<u32>,
}

impl<'a> Axis<'a> {
    fn new(dimension: &'a Dimension, stride: usize, column: &'a Codes) -> Self {
        let longest = dimension.positions().map(|(_, code)| usize::from(code) + 1).max().unwrap_or(0);
        let mut offset_of_code = vec![NO_POSITION; longest];
        for (position, code) in dimension.positions() {
            offset_of_code[usize::from(code)] = (position * stride) as u32;
        }
        let total = dimension.total.then_some((dimension.codes.len() * stride) as u32);
        Self { name: &dimension.name, column, offset_of_code, total }
    }

    #[inline]
    fn offset(&self, code: u16) -> u32 {
        self.offset_of_code.get(usize::from(code)).copied().unwrap_or(NO_POSITION)
    }

    /// Moves the cells of rows along the dimension; `NOWHERE` stays what it is.
    fn shift<C: Copy + Into<u16>>(&self, codes: &[C], rows: &[u32], cells: &mut [u32]) {
        for (cell, &row) in cells.iter_mut().zip(rows) {
            let offset = self.offset(codes[row as usize].into());
            *cell = if *cell == NOWHERE || offset == NO_POSITION { NOWHERE } else { *cell + offset };
        }
    }

    /// The cells of a row on one more dimension. `Err`: a code has none, though a total is asked for.
    fn extend(&self, row: usize, cells: &[u32], out: &mut Vec<u32>) -> Result<(), ()> {
        out.clear();
        let mut outside = false;
        self.column.each(row, |code| match self.offset(code) {
            NO_POSITION => outside |= self.total.is_some(),
            offset => out.extend(cells.iter().map(|cell| cell + offset)),
        });
        if let Some(total) = self.total {
            out.extend(cells.iter().map(|cell| cell + total));
        }
        if outside { Err(()) } else { Ok(()) }
    }
}

impl<'a> Lookup<'a> {
    pub(crate) fn new(rows: &'a Rows, query: &'a TableQuery, shape: &Shape) -> Result<Self, DisclosureError> {
        let axis = |(dimension, &stride): (&'a Dimension, &usize)| {
            Ok(Axis::new(dimension, stride, column_of(rows, &dimension.name)?))
        };
        let chosen = |(name, codes): (&String, &Vec<u16>)| {
            let column = column_of(rows, name)?;
            let mut chosen = vec![false; CODES];
            for &code in codes {
                chosen[usize::from(code)] = true;
            }
            Ok(Chosen { column, codes: chosen.try_into().expect("a flag for each code") })
        };
        let dimensions = query.by.iter().zip(&shape.strides).map(axis).collect::<Result<_, DisclosureError>>()?;
        let population = query.population.iter().map(chosen).collect::<Result<_, DisclosureError>>()?;
        Ok(Self { rows, population, dimensions })
    }

    /// The rows of the population among these, with the targets that each hits, each once. Rows that hit none are left out.
    pub(crate) fn hits(&self, rows: Range<u32>, target: &dyn Fn(usize) -> u32) -> Result<Hits, DisclosureError> {
        let rows = self.chosen(rows);
        let single = self.dimensions.iter().all(|d| d.total.is_none() && !matches!(d.column, Codes::Many { .. }));
        let hits = if single { self.single_hits(rows, target) } else { self.several_hits(&rows, target)? };
        Ok(hits.with_units(self.rows))
    }

    /// The rows of the population, ascending: one condition after the other, so that a later one looks at few rows.
    fn chosen(&self, rows: Range<u32>) -> Vec<u32> {
        let Some((first, others)) = self.population.split_first() else { return rows.collect() };
        let mut rows = first.among(rows);
        for condition in others {
            rows.retain(|&row| condition.holds(row));
        }
        rows
    }

    /// Each row has one code on each dimension, and no totals are asked for: one cell at most.
    fn single_hits(&self, rows: Vec<u32>, target: &dyn Fn(usize) -> u32) -> Hits {
        let mut cells = vec![0u32; rows.len()];
        for axis in &self.dimensions {
            match axis.column {
                Codes::Short(codes) => axis.shift(codes, &rows, &mut cells),
                Codes::Long(codes) => axis.shift(codes, &rows, &mut cells),
                Codes::Many { .. } => {}
            }
        }
        for cell in cells.iter_mut().filter(|cell| **cell != NOWHERE) {
            *cell = target(*cell as usize);
        }
        let mut hits = Hits { rows, cells, ..Hits::none() };
        if hits.cells.contains(&NOWHERE) {
            let mut cells = hits.cells.iter();
            hits.rows.retain(|_| cells.next() != Some(&NOWHERE));
            hits.cells.retain(|&cell| cell != NOWHERE);
        }
        hits
    }

    /// The general case: a row is in the cell of each of its codes, and in totals.
    fn several_hits(&self, rows: &[u32], target: &dyn Fn(usize) -> u32) -> Result<Hits, DisclosureError> {
        let (mut hits, mut ends) = (Hits::none(), Vec::new());
        let (mut cells, mut next) = (Vec::new(), Vec::new());
        for &row in rows {
            cells.clear();
            cells.push(0u32);
            for axis in &self.dimensions {
                axis.extend(row as usize, &cells, &mut next).map_err(|()| self.outside(axis))?;
                std::mem::swap(&mut cells, &mut next);
            }
            let start = hits.cells.len();
            for &cell in &cells {
                let cell = target(cell as usize);
                if cell != NOWHERE && !hits.cells[start..].contains(&cell) {
                    hits.cells.push(cell);
                }
            }
            if hits.cells.len() > start {
                hits.rows.push(row);
                ends.push(hits.cells.len());
            }
        }
        hits.ends = Some(ends);
        Ok(hits)
    }

    fn outside(&self, axis: &Axis<'_>) -> DisclosureError {
        DisclosureError::OutsideDomain { dataset: self.rows.dataset.clone(), dimension: axis.name.to_owned() }
    }
}

fn column_of<'a>(rows: &'a Rows, name: &str) -> Result<&'a Codes, DisclosureError> {
    let dataset = || rows.dataset.clone();
    if rows.policy.resolve(name).is_none() {
        return Err(DisclosureError::UnknownDimension { dataset: dataset(), dimension: name.to_owned() });
    }
    rows.columns.get(name).ok_or_else(|| DisclosureError::MissingColumn { dataset: dataset(), column: name.to_owned() })
}
