//! Counting: one pass over the units, then one per case and one per agency (privacy.md 6.5, *Accumulator*).
//!
//! A unit counts once in a cell however many of its rows hit it; on a many-valued dimension it is in the cell of each
//! of its codes; totals are cells of their own. No hash of user data in the loops: per cell one integer remembers which
//! unit hit it last.
//!
//! Absent: noise, floors, any judgment. What leaves is [`Cells`], which cannot be printed or serialised: only
//! [`protect`](crate::protect) takes it further.

use std::fmt;

use crate::error::DisclosureError;
use crate::microdata::{Column, Prepared, Rows};
use crate::noise::SetName;
use crate::query::{Measure, Shape, TableQuery};

/// True counts of a question, not yet fit for anybody's eyes.
pub struct Cells {
    pub(crate) query: TableQuery,
    pub(crate) shape: Shape,
    pub(crate) facts: Vec<Facts>,
    pub(crate) rows: Prepared,
}

impl fmt::Debug for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cells({}, {} cells)", self.query.dataset, self.shape.cells)
    }
}

/// What the floors need to know of a cell (privacy.md 6.6).
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Distinct units.
    pub(crate) n: u64,
    /// Sum of their record keys modulo 2^128.
    pub(crate) c: u128,
    /// Rows.
    pub(crate) rows: u64,
    /// Distinct cases.
    pub(crate) cases: u64,
    /// Units of the largest case.
    pub(crate) top_case: u64,
    /// Agencies' contributions in units.
    pub(crate) agencies: Contributions,
    /// Contributions in units of the agencies that served, where the rows tell.
    pub(crate) servers: Contributions,
}

impl Facts {
    /// The true value of a measure.
    pub(crate) fn value(&self, measure: &Measure) -> u64 {
        match measure {
            Measure::Rows => self.rows,
            _ => self.n,
        }
    }

    pub(crate) fn set(&self) -> SetName {
        SetName { n: self.n, c: self.c }
    }
}

/// Who holds the records of a cell, as far as the p % rule asks.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Contributions {
    /// Contributing agencies.
    pub(crate) count: u64,
    /// Sum of their contributions.
    pub(crate) sum: u64,
    /// The largest contribution.
    pub(crate) first: u64,
    /// The second largest.
    pub(crate) second: u64,
    /// Whether a private caseload is (or shares) the largest.
    pub(crate) private_first: bool,
}

impl Contributions {
    pub(crate) fn add(&mut self, units: u64, private: bool) {
        self.count += 1;
        self.sum += units;
        if units > self.first {
            (self.second, self.first, self.private_first) = (self.first, units, private);
        } else {
            self.second = self.second.max(units);
            self.private_first |= units == self.first && private;
        }
    }
}

/// Counts the cells of a question.
///
/// Fails when the question does not fit the policy or the rows (see [`DisclosureError`]); never because of a count.
pub fn tabulate(rows: &Prepared, query: &TableQuery) -> Result<Cells, DisclosureError> {
    let shape = query.shape()?;
    let plan = Plan::new(&rows.0, query, &shape)?;
    let facts = plan.count(&|cell| cell as u32, shape.cells)?;
    Ok(Cells { query: query.clone(), shape, facts, rows: rows.clone() })
}

impl Cells {
    /// Counts unions of cells: `union_of` gives each cell the number of its union (`NOWHERE` for none).
    /// A unit counts once in a union, so unions are counted, not added.
    pub(crate) fn count_unions(&self, union_of: &[u32], unions: usize) -> Result<Vec<Facts>, DisclosureError> {
        let plan = Plan::new(&self.rows.0, &self.query, &self.shape)?;
        plan.count(&|cell| union_of[cell], unions)
    }
}

/// A cell that belongs to no union.
pub(crate) const NOWHERE: u32 = u32::MAX;
/// A code without a position.
const NO_POSITION: u32 = u32::MAX;

/// How rows find their cells.
struct Plan<'a> {
    rows: &'a Rows,
    dimensions: Vec<Lookup<'a>>,
    population: Vec<(&'a Column, Vec<bool>)>,
    dataset: &'a str,
}

/// One dimension: the offset of each code in the array of cells.
struct Lookup<'a> {
    name: &'a str,
    column: &'a Column,
    offset_of_code: Vec<u32>,
    total: Option<u32>,
}

impl<'a> Plan<'a> {
    fn new(rows: &'a Rows, query: &'a TableQuery, shape: &Shape) -> Result<Self, DisclosureError> {
        if query.dataset != rows.data.dataset {
            return Err(DisclosureError::UnknownDataset(query.dataset.clone()));
        }
        if query.measure == Measure::Rows {
            let by: Vec<_> = query.by.iter().map(|d| d.name.as_str()).collect();
            if !rows.policy.is_declared(policy::Count::Rows, &by, &query.population) {
                return Err(DisclosureError::RowsNotDeclared(query.dataset.clone()));
            }
        }
        let dimensions = query.by.iter().zip(&shape.strides).map(|(dimension, &stride)| {
            let column = column_of(rows, &dimension.name)?;
            let longest = dimension.codes.iter().max().map_or(0, |&code| usize::from(code) + 1);
            let mut offset_of_code = vec![NO_POSITION; longest];
            for (position, &code) in dimension.codes.iter().enumerate() {
                offset_of_code[usize::from(code)] = (position * stride) as u32;
            }
            let total = dimension.total.then_some((dimension.codes.len() * stride) as u32);
            Ok(Lookup { name: &dimension.name, column, offset_of_code, total })
        });
        let population = query.population.iter().map(|(name, codes)| {
            let mut chosen = vec![false; codes.iter().max().map_or(0, |&code| usize::from(code) + 1)];
            for &code in codes {
                chosen[usize::from(code)] = true;
            }
            Ok((column_of(rows, name)?, chosen))
        });
        Ok(Self {
            rows,
            dimensions: dimensions.collect::<Result<_, DisclosureError>>()?,
            population: population.collect::<Result<_, DisclosureError>>()?,
            dataset: &query.dataset,
        })
    }

    /// Counts, cells mapped to targets (the same target for the cells of a union).
    fn count(&self, target: &dyn Fn(usize) -> u32, targets: usize) -> Result<Vec<Facts>, DisclosureError> {
        let hits = self.hits(target)?;
        let mut facts = vec![Facts::default(); targets];
        let mut last_unit = vec![0u32; targets];
        for row in 0..self.rows.unit.len() {
            let unit = self.rows.unit[row];
            for &cell in hits.of(row) {
                let fact = &mut facts[cell as usize];
                fact.rows += 1;
                if std::mem::replace(&mut last_unit[cell as usize], unit + 1) != unit + 1 {
                    fact.n += 1;
                    fact.c = fact.c.wrapping_add(self.rows.keys[unit as usize]);
                }
            }
        }
        let rows = self.rows;
        grouped(rows, &rows.by_case, &|row| rows.data.case_sid[row], &hits, targets, |cell, _, units| {
            facts[cell].cases += 1;
            facts[cell].top_case = facts[cell].top_case.max(units);
        });
        grouped(rows, &rows.by_agency, &|row| rows.data.agency[row], &hits, targets, |cell, agency, units| {
            facts[cell].agencies.add(units, rows.is_private(agency));
        });
        if let Some(served_by) = &rows.data.served_by {
            grouped(rows, &rows.by_server, &|row| served_by[row], &hits, targets, |cell, agency, units| {
                facts[cell].servers.add(units, rows.is_private(agency));
            });
        }
        Ok(facts)
    }

    /// The targets that each row hits, each once.
    fn hits(&self, target: &dyn Fn(usize) -> u32) -> Result<Hits, DisclosureError> {
        let mut hits = Hits { offsets: vec![0], cells: Vec::new() };
        let (mut cells, mut next) = (Vec::new(), Vec::new());
        for row in 0..self.rows.unit.len() {
            if self.is_counted(row) {
                cells.clear();
                cells.push(0u32);
                for dimension in &self.dimensions {
                    self.extend(dimension, row, &cells, &mut next)?;
                    std::mem::swap(&mut cells, &mut next);
                }
                let start = hits.cells.len();
                for &cell in &cells {
                    let cell = target(cell as usize);
                    if cell != NOWHERE && !hits.cells[start..].contains(&cell) {
                        hits.cells.push(cell);
                    }
                }
            }
            hits.offsets.push(hits.cells.len());
        }
        Ok(hits)
    }

    fn is_counted(&self, row: usize) -> bool {
        let chosen = |chosen: &[bool], code: u16| chosen.get(usize::from(code)).copied().unwrap_or(false);
        self.population.iter().all(|(column, codes)| column.at(row).iter().any(|&code| chosen(codes, code)))
    }

    /// The cells of a row on one more dimension.
    fn extend(
        &self,
        dimension: &Lookup<'_>,
        row: usize,
        cells: &[u32],
        out: &mut Vec<u32>,
    ) -> Result<(), DisclosureError> {
        out.clear();
        for &code in dimension.column.at(row) {
            let offset = dimension.offset_of_code.get(usize::from(code)).copied().unwrap_or(NO_POSITION);
            if offset != NO_POSITION {
                out.extend(cells.iter().map(|cell| cell + offset));
            } else if dimension.total.is_some() {
                let (dataset, dimension) = (self.dataset.to_owned(), dimension.name.to_owned());
                return Err(DisclosureError::OutsideDomain { dataset, dimension });
            }
        }
        if let Some(total) = dimension.total {
            out.extend(cells.iter().map(|cell| cell + total));
        }
        Ok(())
    }
}

/// The targets hit by each row.
struct Hits {
    offsets: Vec<usize>,
    cells: Vec<u32>,
}

impl Hits {
    fn of(&self, row: usize) -> &[u32] {
        &self.cells[self.offsets[row]..self.offsets[row + 1]]
    }
}

/// For rows ordered by (group, unit): tells how many distinct units of each group are in each cell.
fn grouped<G: Copy + PartialEq>(
    rows: &Rows,
    order: &[u32],
    group_of: &dyn Fn(usize) -> G,
    hits: &Hits,
    targets: usize,
    mut tell: impl FnMut(usize, G, u64),
) {
    let mut touched: Vec<u32> = Vec::new();
    let mut units_in = vec![0u64; targets];
    let mut last_unit = vec![0u32; targets];
    let mut group = None;
    for &row in order {
        let now = group_of(row as usize);
        if let Some(before) = group.filter(|&before| before != now) {
            for cell in touched.drain(..) {
                tell(cell as usize, before, std::mem::take(&mut units_in[cell as usize]));
                last_unit[cell as usize] = 0;
            }
        }
        group = Some(now);
        let unit = rows.unit[row as usize] + 1;
        for &cell in hits.of(row as usize) {
            if units_in[cell as usize] == 0 {
                touched.push(cell);
            }
            units_in[cell as usize] += u64::from(last_unit[cell as usize] != unit);
            last_unit[cell as usize] = unit;
        }
    }
    if let Some(before) = group {
        for cell in touched {
            tell(cell as usize, before, units_in[cell as usize]);
        }
    }
}

fn column_of<'a>(rows: &'a Rows, name: &str) -> Result<&'a Column, DisclosureError> {
    let dataset = || rows.data.dataset.clone();
    if rows.policy.resolve(name).is_none() {
        return Err(DisclosureError::UnknownDimension { dataset: dataset(), dimension: name.to_owned() });
    }
    rows.data
        .dims
        .get(name)
        .ok_or_else(|| DisclosureError::MissingColumn { dataset: dataset(), column: name.to_owned() })
}
