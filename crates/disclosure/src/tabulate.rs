//! Counting: first which rows fall into which cells, then one pass over these by unit, one by case and one by agency
//! (privacy.md 6.5, *Accumulator*), on two threads.
//!
//! A unit counts once in a cell however many of its rows hit it; on a many-valued dimension it is in the cell of each
//! of its codes; totals are cells of their own. No hash of user data in the loops over units: per cell one integer
//! remembers which unit hit it last. What is measured may be another set than the units (their cases, their acts): it
//! has a name and a fingerprint of its own, while floors go by the units.
//!
//! Absent: noise, floors, any judgment. What leaves is [`Cells`], which cannot be printed or serialised: only
//! [`protect`](crate::protect) takes it further.

use std::fmt;

use policy::AgencyRule;

use crate::error::DisclosureError;
use crate::hits::{Hits, grouped};
use crate::measured::{MOST_ACTS, Measured, powers_of, value_key, value_powers};
use crate::microdata::{Column, Prepared, Rows};
use crate::noise::{SetName, record_key};
use crate::prints::{Prints, case_element};
use crate::query::{Measure, Shape, TableQuery};
use crate::released::Amount;

/// True counts of a table, not yet fit for anybody's eyes.
#[derive(Clone)]
pub struct Cells {
    pub(crate) query: TableQuery,
    pub(crate) shape: Shape,
    pub(crate) facts: Vec<Facts>,
    /// One per cell; none where the whole table is exact and nothing is remembered of it.
    pub(crate) prints: Vec<Prints>,
    pub(crate) rows: Prepared,
}

impl fmt::Debug for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cells({}, {} cells)", self.query.dataset, self.shape.cells)
    }
}

/// What the floors need to know of a cell (privacy.md 6.6), and what is measured of it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Distinct units.
    pub(crate) n: u64,
    /// Sum of their record keys modulo 2^128.
    pub(crate) c: u128,
    /// Rows.
    pub(crate) rows: u64,
    /// Units of the largest case.
    pub(crate) top_case: u64,
    /// Units beside the largest cases: all but one of those that must be there (`min_cases`).
    pub(crate) beside_cases: u64,
    /// Agencies' contributions in units.
    pub(crate) agencies: Contributions,
    /// Contributions in units of the agencies that served, where the rows tell.
    pub(crate) servers: Contributions,
    /// The set whose size or sum is the answer.
    pub(crate) measured: Measured,
}

impl Facts {
    /// The set that is measured.
    pub(crate) fn set(&self) -> SetName {
        self.measured.set
    }

    /// What is true of an exact cell: units or rows, unclamped.
    pub(crate) fn exact_value(&self, measure: &Measure) -> u64 {
        match measure {
            Measure::Rows => self.rows,
            _ => self.n,
        }
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

/// True counts of a table, and of each cell the fingerprint by which the vault knows it again.
pub(crate) struct Counted {
    pub(crate) facts: Vec<Facts>,
    pub(crate) prints: Vec<Prints>,
}

impl Counted {
    /// Adds what another pass over the same hits has counted; each fact and print is counted by one pass alone.
    fn merge(&mut self, other: Self) {
        for (fact, other) in self.facts.iter_mut().zip(other.facts) {
            fact.top_case = other.top_case;
            fact.beside_cases = other.beside_cases;
            fact.agencies = other.agencies;
            fact.servers = other.servers;
            if other.measured != Measured::default() {
                fact.measured = other.measured;
            }
        }
        for (prints, other) in self.prints.iter_mut().zip(&other.prints) {
            prints.merge(other);
        }
    }
}

/// Counts the cells of a table.
///
/// Fails when the question does not fit the policy or the rows (see [`DisclosureError`]); never because of a count.
pub fn tabulate(rows: &Prepared, query: &TableQuery) -> Result<Cells, DisclosureError> {
    let shape = query.shape()?;
    let plan = Plan::new(&rows.0, query, &shape)?;
    let Counted { facts, prints } = plan.count(&|cell| cell as u32, shape.cells)?;
    Ok(Cells { query: query.clone(), shape, facts, prints, rows: rows.clone() })
}

impl Cells {
    /// Counts unions of cells: `union_of` gives each cell the number of its union (`NOWHERE` for none).
    /// A unit counts once in a union, so unions are counted, not added.
    pub(crate) fn count_unions(&self, union_of: &[u32], unions: usize) -> Result<Counted, DisclosureError> {
        let plan = Plan::new(&self.rows.0, &self.query, &self.shape)?;
        plan.count(&|cell| union_of[cell], unions)
    }

    /// The fingerprint of a cell, where one was taken.
    pub(crate) fn prints_of(&self, cell: usize) -> Option<&Prints> {
        self.prints.get(cell)
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
    population: Vec<Chosen<'a>>,
    dataset: &'a str,
    measure: &'a Measure,
    /// Whether the table is on a declared grid as a whole: nothing of it is remembered.
    exact: bool,
}

/// A condition of the population: for each code that there could be, whether it is asked for.
struct Chosen<'a> {
    column: &'a Column,
    codes: Vec<bool>,
}

impl Chosen<'_> {
    fn holds(&self, row: u32) -> bool {
        self.column.at(row as usize).iter().any(|&code| self.codes[usize::from(code)])
    }

    /// The rows among these for which it holds.
    fn among(&self, rows: std::ops::Range<u32>) -> Vec<u32> {
        match self.column {
            Column::One(codes) => {
                let codes = codes[rows.start as usize..rows.end as usize].iter();
                rows.zip(codes).filter(|(_, code)| self.codes[usize::from(**code)]).map(|(row, _)| row).collect()
            }
            Column::Many { .. } => rows.filter(|&row| self.holds(row)).collect(),
        }
    }
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
        let dimensions = query.by.iter().zip(&shape.strides).map(|(dimension, &stride)| {
            let column = column_of(rows, &dimension.name)?;
            let longest = dimension.positions().map(|(_, code)| usize::from(code) + 1).max().unwrap_or(0);
            let mut offset_of_code = vec![NO_POSITION; longest];
            for (position, code) in dimension.positions() {
                offset_of_code[usize::from(code)] = (position * stride) as u32;
            }
            let total = dimension.total.then_some((dimension.codes.len() * stride) as u32);
            Ok(Lookup { name: &dimension.name, column, offset_of_code, total })
        });
        let population = query.population.iter().map(|(name, codes)| {
            let mut chosen = vec![false; usize::from(u16::MAX) + 1];
            for &code in codes {
                chosen[usize::from(code)] = true;
            }
            Ok(Chosen { column: column_of(rows, name)?, codes: chosen })
        });
        Ok(Self {
            rows,
            dimensions: dimensions.collect::<Result<_, DisclosureError>>()?,
            population: population.collect::<Result<_, DisclosureError>>()?,
            dataset: &query.dataset,
            measure: &query.measure,
            exact: query.is_exact(&rows.policy),
        })
    }

    /// Counts, cells mapped to targets (the same target for the cells of a union).
    fn count(&self, target: &dyn Fn(usize) -> u32, targets: usize) -> Result<Counted, DisclosureError> {
        let hits = self.hits(target)?;
        std::thread::scope(|scope| {
            let groups = scope.spawn(|| {
                let mut counted = self.nothing(targets);
                self.count_cases(&hits, &mut counted);
                self.count_caseloads(&hits, &mut counted);
                counted
            });
            let mut counted = self.nothing(targets);
            self.count_units(&hits, &mut counted);
            self.count_measure(&hits, &mut counted)?;
            counted.merge(groups.join().expect("counting does not panic"));
            Ok(counted)
        })
    }

    fn nothing(&self, targets: usize) -> Counted {
        let prints = if self.exact { Vec::new() } else { vec![Prints::default(); targets] };
        Counted { facts: vec![Facts::default(); targets], prints }
    }

    /// What is measured beside units, cases and agencies: acts, and sums.
    fn count_measure(&self, hits: &Hits, counted: &mut Counted) -> Result<(), DisclosureError> {
        match self.measure {
            Measure::Units | Measure::Cases | Measure::Agencies => {}
            Measure::Rows => self.count_values(hits, counted, "rows", &|_| Some(1), (0, i128::from(MOST_ACTS))),
            Measure::Sum(column) => {
                let no_column = || self.no_measure(column);
                let bounds = self.rows.policy.measures.get(column).ok_or_else(no_column)?;
                let values = self.rows.data.measures.get(column).ok_or_else(no_column)?;
                let micros = |value: i64| i128::from(value) * Amount::ONE;
                let value = |row: usize| values[row].map(micros);
                self.count_values(hits, counted, column, &value, (micros(bounds.min), micros(bounds.max)));
            }
        }
        Ok(())
    }

    fn no_measure(&self, column: &str) -> DisclosureError {
        DisclosureError::MissingColumn { dataset: self.dataset.to_owned(), column: column.to_owned() }
    }

    /// Distinct units, and rows.
    fn count_units(&self, hits: &Hits, counted: &mut Counted) {
        let measured = matches!(self.measure, Measure::Units);
        let mut last_unit = vec![0u32; counted.facts.len()];
        for (place, (&unit, &key)) in hits.units.iter().zip(&hits.keys).enumerate() {
            for &cell in hits.at(place) {
                let cell = cell as usize;
                let fact = &mut counted.facts[cell];
                fact.rows += 1;
                if std::mem::replace(&mut last_unit[cell], unit + 1) == unit + 1 {
                    continue;
                }
                fact.n += 1;
                fact.c = fact.c.wrapping_add(key);
                if measured {
                    fact.measured.add(key, 1);
                    if let Some(prints) = counted.prints.get_mut(cell) {
                        prints.add(&self.rows.powers[unit as usize]);
                    }
                }
            }
        }
    }

    /// The largest cases, what is beside them, and what cases look like together with their members.
    fn count_cases(&self, hits: &Hits, counted: &mut Counted) {
        let (rows, targets) = (self.rows, counted.facts.len());
        if rows.case.is_empty() {
            return;
        }
        let few = usize::try_from(rows.policy.min_cases).unwrap_or(usize::MAX).saturating_sub(1);
        let mut largest = vec![0; targets * few];
        let universe = &rows.policy.universe;
        let measured = matches!(self.measure, Measure::Cases);
        grouped(hits, &|row| rows.case[row], targets, |cell, row, share| {
            let case = rows.data.case_sid[row];
            let fact = &mut counted.facts[cell];
            fact.top_case = fact.top_case.max(share.units);
            fact.beside_cases += left_over(&mut largest[cell * few..][..few], share.units);
            if measured {
                fact.measured.add(record_key(&rows.secrets.rk, "cases", case), 1);
            }
            match (counted.prints.get_mut(cell), self.measure) {
                (Some(prints), Measure::Cases) => prints.add(&powers_of(&rows.secrets.ek, "cases", case)),
                (Some(prints), Measure::Units) => {
                    prints.add_case(case_element(&rows.secrets.ek, universe, case, share.c));
                }
                _ => {}
            }
        });
    }

    /// Whose caseloads the units are in.
    fn count_caseloads(&self, hits: &Hits, counted: &mut Counted) {
        let (rows, targets) = (self.rows, counted.facts.len());
        let measured = matches!(self.measure, Measure::Agencies);
        let agencies = &rows.data.agency;
        grouped(hits, &|row| u32::from(agencies[row]), targets, |cell, row, share| {
            let agency = agencies[row];
            let fact = &mut counted.facts[cell];
            fact.agencies.add(share.units, rows.is_private(agency));
            if measured {
                fact.measured.add(record_key(&rows.secrets.rk, "agencies", u64::from(agency)), 1);
                if let Some(prints) = counted.prints.get_mut(cell) {
                    prints.add(&powers_of(&rows.secrets.ek, "agencies", u64::from(agency)));
                }
            }
        });
        let served_by = rows.data.served_by.as_ref().filter(|_| rows.policy.agency_rule == AgencyRule::Private);
        if let Some(served_by) = served_by {
            grouped(hits, &|row| u32::from(served_by[row]), targets, |cell, row, share| {
                counted.facts[cell].servers.add(share.units, rows.is_private(served_by[row]));
            });
        }
    }

    /// Adds up a value of each row by unit, clipped to public bounds; the set measured is of pairs (unit, value).
    fn count_values(
        &self,
        hits: &Hits,
        counted: &mut Counted,
        column: &str,
        value: &dyn Fn(usize) -> Option<i128>,
        (least, most): (i128, i128),
    ) {
        let rows = self.rows;
        let (mut sums, mut touched) = (vec![None::<i128>; counted.facts.len()], Vec::new());
        let mut hit = hits.iter().peekable();
        while let Some(&(first, _)) = hit.peek() {
            while let Some((row, cells)) = hit.next_if(|(row, _)| rows.unit[*row] == rows.unit[first]) {
                if let Some(value) = value(row) {
                    for &cell in cells {
                        let sum = &mut sums[cell as usize];
                        if sum.is_none() {
                            touched.push(cell as usize);
                        }
                        *sum = Some(sum.unwrap_or(0) + value);
                    }
                }
            }
            let sid = rows.data.sid[first];
            for cell in touched.drain(..) {
                let Some(sum) = sums[cell].take() else { continue };
                let sum = sum.clamp(least, most);
                let key = value_key(&rows.secrets.rk, self.dataset, column, sid, sum);
                counted.facts[cell].measured.add(key, sum);
                if let Some(prints) = counted.prints.get_mut(cell) {
                    prints.add(&value_powers(&rows.secrets.ek, self.dataset, column, sid, sum));
                }
            }
        }
    }

    /// The rows of the population with the targets that each hits, each once. Rows that hit none are left out.
    fn hits(&self, target: &dyn Fn(usize) -> u32) -> Result<Hits, DisclosureError> {
        let rows = self.chosen();
        let single = self.dimensions.iter().all(|d| d.total.is_none() && matches!(d.column, Column::One(_)));
        let hits = if single { self.single_hits(&rows, target) } else { self.several_hits(&rows, target)? };
        Ok(hits.with_units(self.rows))
    }

    /// The rows of the population, ascending: one condition after the other, so that a later one looks at few rows.
    fn chosen(&self) -> Vec<u32> {
        let all = self.rows.unit.len() as u32;
        let Some((first, others)) = self.population.split_first() else { return (0..all).collect() };
        let half = all / 2;
        let mut rows = std::thread::scope(|scope| {
            let second = scope.spawn(|| first.among(half..all));
            let mut rows = first.among(0..half);
            rows.extend(second.join().expect("a look at codes does not panic"));
            rows
        });
        for condition in others {
            rows.retain(|&row| condition.holds(row));
        }
        rows
    }

    /// Each row has one code on each dimension, and no totals are asked for: one cell at most.
    fn single_hits(&self, rows: &[u32], target: &dyn Fn(usize) -> u32) -> Hits {
        let mut cells = vec![0u32; rows.len()];
        for Lookup { column, offset_of_code, .. } in &self.dimensions {
            let Column::One(codes) = column else { continue };
            for (cell, &row) in cells.iter_mut().zip(rows) {
                let code = usize::from(codes[row as usize]);
                let offset = offset_of_code.get(code).copied().unwrap_or(NO_POSITION);
                *cell = if *cell == NOWHERE || offset == NO_POSITION { NOWHERE } else { *cell + offset };
            }
        }
        let (rows_hit, cells_hit) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        let mut hits = Hits { rows: rows_hit, cells: cells_hit, ..Hits::none() };
        for (&row, cell) in rows.iter().zip(cells) {
            let cell = if cell == NOWHERE { NOWHERE } else { target(cell as usize) };
            if cell != NOWHERE {
                hits.rows.push(row);
                hits.cells.push(cell);
            }
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
            for dimension in &self.dimensions {
                self.extend(dimension, row as usize, &cells, &mut next)?;
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

/// Puts a number among the largest, and gives what falls out: the smallest of them, or itself.
fn left_over(largest: &mut [u64], mut number: u64) -> u64 {
    for kept in largest {
        if number > *kept {
            std::mem::swap(kept, &mut number);
        }
    }
    number
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
