//! Counting: first which rows fall into which cells, then one pass over these by unit, one by case and one by agency
//! (privacy.md 6.5, *Accumulator*), on two threads.
//!
//! Rows lie so that those of a unit are neighbours and, where a unit has one row, those of a case too: no pass needs to sort.
//! A unit counts once in a cell however many of its rows hit it; on a many-valued dimension it is in the cell of each
//! of its codes; totals are cells of their own. No hash of user data in the loops over units: per cell one integer
//! remembers which unit hit it last. What is measured may be another set than the units (their cases, their acts): it
//! has a name and a fingerprint of its own, while floors go by the units.
//!
//! Absent: noise, floors, any judgment. What leaves is [`Cells`], which cannot be printed or serialised: only
//! [`protect`](crate::protect) takes it further.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use policy::AgencyRule;

use crate::error::DisclosureError;
use crate::gf64::odd_powers;
use crate::hits::{Hits, grouped};
use crate::lookup::Lookup;
use crate::measured::{MOST_ACTS, Measured, value_element, value_key};
use crate::microdata::{Cases, Prepared, Rows};
use crate::noise::{SetName, is_marked, record_key};
use crate::prints::{Prints, UNIT_WORDS, case_element};
use crate::query::{Measure, Shape, TableQuery};
use crate::released::Amount;
use crate::sketch::element;
use crate::tally::{Tally, Units};

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
    /// Which units are marked and what is measured of these: sets that have it in common have one answer (`anchors`).
    pub(crate) core: u128,
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

/// Counts the cells of a table.
///
/// Fails when the question does not fit the policy or the rows (see [`DisclosureError`]); never because of a count.
pub fn tabulate(rows: &Prepared, query: &TableQuery) -> Result<Cells, DisclosureError> {
    let shape = query.shape()?;
    let plan = Plan::new(&rows.0, query, &shape)?;
    let Counted { facts, prints } = plan.count(&|cell| cell as u32, shape.cells)?;
    Ok(Cells { query: query.clone(), shape, facts, prints, rows: rows.clone() })
}

/// Counts half of the rows, as each of two threads does, and keeps nothing: for measuring what each pass takes.
pub(crate) fn count_half(
    rows: &Prepared,
    query: &TableQuery,
    done: &mut dyn FnMut(&'static str),
) -> Result<(), DisclosureError> {
    let shape = query.shape()?;
    let plan = Plan::new(&rows.0, query, &shape)?;
    let half = rows.0.pieces(rows.0.len().div_ceil(2).max(1)).into_iter().next().unwrap_or(0..0);
    plan.count_rows(half, &|cell| cell as u32, &mut plan.nothing(shape.cells), done).map(drop)
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

/// Pieces that rows are counted in: enough that neither of two threads waits long for the other, and that what is found of one
/// stays near.
const PIECES: usize = 16;
/// Rows of a piece at least, because each has a cost for each cell.
const SMALLEST_PIECE: usize = 1 << 14;

/// What one thread has counted.
struct Pass {
    tally: Tally,
    /// Of each of its pieces, where cases lie apart.
    hits: Vec<(usize, Hits)>,
    /// The piece that failed.
    failed: Option<(usize, DisclosureError)>,
}

/// A question over the rows that answer it.
struct Plan<'a> {
    rows: &'a Rows,
    lookup: Lookup<'a>,
    dataset: &'a str,
    measure: &'a Measure,
    /// Whether the table is on a declared grid as a whole: nothing of it is remembered.
    exact: bool,
}

impl<'a> Plan<'a> {
    fn new(rows: &'a Rows, query: &'a TableQuery, shape: &Shape) -> Result<Self, DisclosureError> {
        if query.dataset != rows.dataset {
            return Err(DisclosureError::UnknownDataset(query.dataset.clone()));
        }
        Ok(Self {
            rows,
            lookup: Lookup::new(rows, query, shape)?,
            dataset: &query.dataset,
            measure: &query.measure,
            exact: query.is_exact(&rows.policy),
        })
    }

    /// Counts, cells mapped to targets (the same target for the cells of a union), on two threads. Each takes the next piece
    /// of the rows when it is done with one; which takes which makes no difference.
    fn count(&self, target: &(dyn Fn(usize) -> u32 + Sync), targets: usize) -> Result<Counted, DisclosureError> {
        let (pieces, next) = (self.rows.pieces((self.rows.len() / PIECES).max(SMALLEST_PIECE)), AtomicUsize::new(0));
        let work = || self.count_pieces(&pieces, &next, target, targets);
        let (mut first, second) = std::thread::scope(|scope| {
            let second = scope.spawn(work);
            (work(), second.join().expect("counting does not panic"))
        });
        first.tally.merge(second.tally);
        // Of several failures that of the first rows: every piece before it was counted.
        if let Some((_, error)) = first.failed.into_iter().chain(second.failed).min_by_key(|(piece, _)| *piece) {
            return Err(error);
        }
        if let Cases::Apart(number) = &self.rows.cases {
            let mut hits: Vec<(usize, Hits)> = first.hits.into_iter().chain(second.hits).collect();
            hits.sort_by_key(|(piece, _)| *piece);
            let hits = hits.into_iter().map(|(_, hits)| hits).reduce(Hits::and).unwrap_or_else(Hits::none);
            let case = |place: u32| self.rows.case_sid[hits.rows[place as usize] as usize];
            let order = hits.by(&|row| number[row]).into_iter().map(|(_, place)| (case(place), place));
            self.count_cases(&hits, order, &mut first.tally);
        }
        Ok(self.counted(&first.tally))
    }

    /// Counts pieces of the rows as long as there are any, or until one fails.
    fn count_pieces(
        &self,
        pieces: &[Range<u32>],
        next: &AtomicUsize,
        target: &dyn Fn(usize) -> u32,
        targets: usize,
    ) -> Pass {
        let mut pass = Pass { tally: self.nothing(targets), hits: Vec::new(), failed: None };
        let take = || next.fetch_add(1, Ordering::Relaxed);
        let mut piece = take();
        while let Some(rows) = pieces.get(piece) {
            match self.count_rows(rows.clone(), target, &mut pass.tally, &mut |_| {}) {
                Ok(hits) if matches!(self.rows.cases, Cases::Apart(_)) => pass.hits.push((piece, hits)),
                Ok(_) => {}
                Err(error) => {
                    pass.failed = Some((piece, error));
                    return pass;
                }
            }
            piece = take();
        }
        pass
    }

    fn nothing(&self, targets: usize) -> Tally {
        let few = usize::try_from(self.rows.policy.min_cases).unwrap_or(usize::MAX).saturating_sub(1);
        Tally::of(targets, self.rows.agencies, few, !self.exact)
    }

    /// Counts all that rows tell that lie together. `done` hears which pass is.
    fn count_rows(
        &self,
        rows: Range<u32>,
        target: &dyn Fn(usize) -> u32,
        tally: &mut Tally,
        done: &mut dyn FnMut(&'static str),
    ) -> Result<Hits, DisclosureError> {
        let hits = self.lookup.hits(rows, target)?;
        done("conditions and cells");
        self.count_units(&hits, tally);
        self.count_measure(&hits, tally)?;
        done("units");
        self.count_caseloads(&hits, tally);
        done("caseloads");
        if let Cases::Together = self.rows.cases {
            let cases: Vec<u64> = hits.rows.iter().map(|&row| self.rows.case_sid[row as usize]).collect();
            self.count_cases(&hits, cases.into_iter().zip(0..), tally);
        }
        done("cases");
        Ok(hits)
    }

    /// Puts together what was counted of each cell.
    fn counted(&self, tally: &Tally) -> Counted {
        let mut prints = tally.prints.clone();
        let fact = |(cell, units): (usize, &Units)| {
            let (top_case, beside_cases) = tally.stories.of(cell);
            let measured = match self.measure {
                Measure::Units => Measured::of_units(SetName { n: units.n, c: units.c }),
                _ => tally.measured[cell],
            };
            let core = units.core.wrapping_add(measured.core);
            let Units { n, c, rows, .. } = *units;
            Facts { n, c, rows, top_case, beside_cases, measured, core, ..Facts::default() }
        };
        let mut facts: Vec<Facts> = tally.units.iter().enumerate().map(fact).collect();
        let [held, served] = &tally.caseloads;
        held.each(|cell, agency, units, marked| {
            facts[cell].agencies.add(units, self.rows.is_private(agency));
            if matches!(self.measure, Measure::Agencies) {
                let (secrets, agency) = (&self.rows.secrets, u64::from(agency));
                let key = record_key(&secrets.rk, "agencies", agency);
                facts[cell].measured.add(key, 1, marked);
                facts[cell].core = facts[cell].core.wrapping_add(if marked { key } else { 0 });
                if let Some(prints) = prints.get_mut(cell) {
                    prints.add(element(&secrets.ek, "agencies", agency));
                }
            }
        });
        served.each(|cell, agency, units, _| facts[cell].servers.add(units, self.rows.is_private(agency)));
        Counted { facts, prints }
    }

    /// What is measured beside units, cases and agencies: acts, and sums.
    fn count_measure(&self, hits: &Hits, tally: &mut Tally) -> Result<(), DisclosureError> {
        match self.measure {
            Measure::Units | Measure::Cases | Measure::Agencies => {}
            Measure::Rows => self.count_values(hits, tally, "rows", &|_| Some(1), (0, i128::from(MOST_ACTS))),
            Measure::Sum(column) => {
                let no_column = || self.no_measure(column);
                let bounds = self.rows.policy.measures.get(column).ok_or_else(no_column)?;
                let values = self.rows.measures.get(column).ok_or_else(no_column)?;
                let micros = |value: i64| i128::from(value) * Amount::ONE;
                let value = |row: usize| values[row].map(micros);
                self.count_values(hits, tally, column, &value, (micros(bounds.min), micros(bounds.max)));
            }
        }
        Ok(())
    }

    fn no_measure(&self, column: &str) -> DisclosureError {
        DisclosureError::MissingColumn { dataset: self.dataset.to_owned(), column: column.to_owned() }
    }

    /// Distinct units, and rows.
    fn count_units(&self, hits: &Hits, tally: &mut Tally) {
        // Fetched before any is used, like the keys.
        let printed = matches!(self.measure, Measure::Units) && !self.exact;
        let elements = hits.units.iter().filter(|_| printed).map(|&unit| self.rows.elements[unit as usize]);
        let elements: Vec<u64> = elements.collect();
        let mut last_unit = vec![0u32; tally.units.len()];
        let mut powers = [0; UNIT_WORDS];
        for (place, (&unit, &key)) in hits.units.iter().zip(&hits.keys).enumerate() {
            if let Some(&element) = elements.get(place) {
                odd_powers(element, &mut powers);
            }
            for &cell in hits.at(place) {
                let cell = cell as usize;
                let units = &mut tally.units[cell];
                units.rows += 1;
                if std::mem::replace(&mut last_unit[cell], unit + 1) == unit + 1 {
                    continue;
                }
                units.n += 1;
                units.c = units.c.wrapping_add(key);
                units.core = units.core.wrapping_add(if is_marked(key) { key } else { 0 });
                if printed {
                    tally.prints[cell].add_powers(&powers);
                }
            }
        }
    }

    /// The largest cases, what is beside them, and what cases look like together with their members.
    fn count_cases(&self, hits: &Hits, order: impl IntoIterator<Item = (u64, u32)>, tally: &mut Tally) {
        let (rows, targets) = (self.rows, tally.units.len());
        let (secrets, universe) = (&rows.secrets, &rows.policy.universe);
        let measured = matches!(self.measure, Measure::Cases);
        grouped(hits, order, targets, |cell, case, share| {
            tally.stories.add(cell, share.units);
            if measured {
                tally.measured[cell].add(record_key(&secrets.rk, "cases", case), 1, share.marked);
            }
            match (tally.prints.get_mut(cell), self.measure) {
                (Some(prints), Measure::Cases) => prints.add(element(&secrets.ek, "cases", case)),
                (Some(prints), Measure::Units) => {
                    prints.add_case(case_element(&secrets.ek, universe, case, share.c));
                }
                _ => {}
            }
        });
    }

    /// Whose caseloads the units are in.
    fn count_caseloads(&self, hits: &Hits, tally: &mut Tally) {
        let served_by = self.rows.served_by.as_ref().filter(|_| self.rows.policy.agency_rule == AgencyRule::Private);
        for (caseloads, agencies) in tally.caseloads.iter_mut().zip([Some(&self.rows.agency), served_by]) {
            let Some(agencies) = agencies else { continue };
            let agencies: Vec<u16> = hits.rows.iter().map(|&row| agencies[row as usize]).collect();
            for (place, ((&unit, &key), &agency)) in hits.units.iter().zip(&hits.keys).zip(&agencies).enumerate() {
                hits.at(place).iter().for_each(|&cell| caseloads.add(cell, agency, unit, is_marked(key)));
            }
        }
    }

    /// Adds up a value of each row by unit, clipped to public bounds; the set measured is of pairs (unit, value).
    fn count_values(
        &self,
        hits: &Hits,
        tally: &mut Tally,
        column: &str,
        value: &dyn Fn(usize) -> Option<i128>,
        (least, most): (i128, i128),
    ) {
        let rows = self.rows;
        let (mut sums, mut touched) = (vec![None::<i128>; tally.units.len()], Vec::new());
        let mut hit = hits.iter().peekable();
        while let Some(&(first, _)) = hit.peek() {
            while let Some((row, cells)) = hit.next_if(|(row, _)| rows.unit(*row) == rows.unit(first)) {
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
            let (sid, marked) = (rows.sid[first], is_marked(rows.keys[rows.unit(first)]));
            for cell in touched.drain(..) {
                let Some(sum) = sums[cell].take() else { continue };
                let sum = sum.clamp(least, most);
                let key = value_key(&rows.secrets.rk, self.dataset, column, sid, sum);
                tally.measured[cell].add(key, sum, marked);
                if let Some(prints) = tally.prints.get_mut(cell) {
                    prints.add(value_element(&rows.secrets.ek, self.dataset, column, sid, sum));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use policy::{Keys, Master, Policy};

    use super::*;
    use crate::gf64::tests::numbers;
    use crate::microdata::{Column, Microdata};
    use crate::query::Dimension;

    const PERSONS: usize = 3 * SMALLEST_PIECE;
    const SEXES: u16 = 4;

    fn keys() -> Keys {
        Keys::derive(&Master::from_bytes([5; 32]))
    }

    /// Case, agency and sex of persons, as good as random.
    fn persons() -> Vec<(u64, u16, u16)> {
        let draws: Vec<u64> = numbers(11).take(3 * PERSONS).collect();
        let person =
            |draws: &[u64]| ((draws[0] % 3_000) << 40, (draws[1] % 7) as u16, (draws[2] % u64::from(SEXES)) as u16);
        draws.chunks(3).map(person).collect()
    }

    /// Victims by sex, each person with so many rows.
    fn counted(copies: usize) -> Cells {
        let rows: Vec<(u64, (u64, u16, u16))> =
            (1..).zip(persons()).flat_map(|person| std::iter::repeat_n(person, copies)).collect();
        let data = Microdata {
            dataset: "victims".to_owned(),
            sid: rows.iter().map(|row| row.0).collect(),
            case_sid: rows.iter().map(|row| row.1.0).collect(),
            agency: rows.iter().map(|row| row.1.1).collect(),
            served_by: None,
            dims: BTreeMap::from([("sex".to_owned(), Column::One(rows.iter().map(|row| row.1.2).collect()))]),
            measures: BTreeMap::new(),
        };
        let by = vec![Dimension::whole_list("sex", SEXES.into())];
        let query =
            TableQuery { dataset: "victims".to_owned(), measure: Measure::Units, population: BTreeMap::new(), by };
        tabulate(&Prepared::new(data, &Policy::default(), &keys()).unwrap(), &query).unwrap()
    }

    #[test]
    fn a_cell_holds_what_its_persons_make_one_after_the_other() {
        let (cells, keys) = (counted(1), keys());
        for cell in 0..=SEXES {
            let inside = |sex| cell == SEXES || sex == cell;
            let (mut c, mut prints) = (0u128, Prints::default());
            let (mut cases, mut agencies) = (BTreeMap::<u64, (u64, u128)>::new(), BTreeMap::<u16, u64>::new());
            for (sid, (case, agency, _)) in (1..).zip(persons()).filter(|(_, (.., sex))| inside(*sex)) {
                let key = record_key(&keys.rk, "victims", sid);
                c = c.wrapping_add(key);
                prints.add(element(&keys.ek, "victims", sid));
                let members = cases.entry(case).or_default();
                *members = (members.0 + 1, members.1.wrapping_add(key));
                *agencies.entry(agency).or_default() += 1;
            }
            for (&case, &(_, c)) in &cases {
                prints.add_case(case_element(&keys.ek, "victims", case, c));
            }
            let mut sizes: Vec<u64> = cases.values().map(|members| members.0).collect();
            sizes.sort_unstable_by(|a, b| b.cmp(a));
            let facts = &cells.facts[usize::from(cell)];
            assert!(facts.c == c && cells.prints[usize::from(cell)] == prints, "{cell}");
            assert_eq!((facts.n, facts.top_case), (sizes.iter().sum(), sizes[0]));
            assert_eq!(facts.beside_cases, sizes[2..].iter().sum::<u64>());
            assert_eq!((facts.agencies.count, facts.agencies.sum), (7, facts.n));
            assert_eq!(facts.agencies.first, *agencies.values().max().unwrap());
        }
    }

    /// What judgments of so many persons have of marked ones, by what is measured. Persons have one or two judgments, at one of five
    /// courts; cases are of one to three.
    fn cores(persons: impl Iterator<Item = u64>) -> Vec<u128> {
        let rows: Vec<u64> = persons.flat_map(|sid| std::iter::repeat_n(sid, 1 + (sid % 2) as usize)).collect();
        let data = Microdata {
            dataset: "judgments".to_owned(),
            case_sid: rows.iter().map(|sid| sid - sid % (1 + sid / 10 % 3)).collect(),
            agency: rows.iter().map(|sid| (sid % 5) as u16).collect(),
            served_by: None,
            dims: BTreeMap::from([("sex".to_owned(), Column::One(vec![0; rows.len()]))]),
            measures: BTreeMap::from([("imprisonment_months".to_owned(), rows.iter().map(|_| Some(6)).collect())]),
            sid: rows,
        };
        let rows = Prepared::new(data, &Policy::default(), &keys()).unwrap();
        let sum = Measure::Sum("imprisonment_months".to_owned());
        let core = |measure| {
            let by = vec![Dimension::whole_list("sex", 1)];
            let query = TableQuery { dataset: "judgments".to_owned(), measure, population: BTreeMap::new(), by };
            tabulate(&rows, &query).unwrap().facts[0].core
        };
        [Measure::Units, Measure::Cases, Measure::Agencies, Measure::Rows, sum].map(core).to_vec()
    }

    #[test]
    fn whoever_is_not_marked_changes_the_core_of_nothing_that_is_measured() {
        let policy = Policy::default();
        let (all, universe) = (cores(100..220), &policy.datasets.get("judgments").unwrap().universe);
        for victim in 100..220 {
            let marked = is_marked(record_key(&keys().rk, universe, victim));
            let without = cores((100..220).filter(|&sid| sid != victim));
            assert!(all.iter().zip(&without).all(|(with, without)| (with != without) == marked), "{victim}, {marked}");
        }
    }

    #[test]
    fn rows_of_a_case_that_do_not_lie_together_count_the_same() {
        let (once, thrice) = (counted(1), counted(3));
        assert!(matches!((&once.rows.0.cases, &thrice.rows.0.cases), (Cases::Together, Cases::Apart(_))));
        assert!(once.prints == thrice.prints);
        for (once, thrice) in once.facts.iter().zip(&thrice.facts) {
            assert!(*thrice == Facts { rows: 3 * once.rows, ..*once });
        }
    }
}
