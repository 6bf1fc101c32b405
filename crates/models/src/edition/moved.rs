//! By how much a cell moved between two states of what was known, as far as it may be said: the true counts stay in here.
//!
//! What is said of protected cells is a band, never a count; of the exact cells of a declared grid it is the difference (privacy.md
//! 6.6). Bands begin at the floor of persons, so that a move of few looks like none.
//!
//! Absent: which states are compared (`amanat explain-number` folds them), and any road from the network to here.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use disclosure::Vault;

use super::release::unprotected;
use super::{DIMENSIONS, EditionError, EditionSource, Key};
use crate::indicator;

/// Which cell of an indicator is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The indicator.
    pub indicator: String,
    /// The measure; needed where an indicator counts several.
    pub measure: Option<String>,
    /// The period, as published.
    pub time_period: String,
    /// Codes of dimensions; a dimension that is not named is the total.
    pub dimensions: BTreeMap<String, String>,
}

/// Why a cell is not counted.
#[derive(Debug, thiserror::Error)]
pub enum NoCell {
    /// An indicator that is computed from another's released cells.
    #[error("{indicator} is computed from released cells of other indicators ({of}); explain one of those")]
    Derived {
        /// The indicator.
        indicator: String,
        /// Those that it is computed from.
        of: String,
    },
    /// No indicator of this id.
    #[error("there is no indicator {0}; `GET /v1/indicators` lists them")]
    Indicator(String),
    /// A dimension that the indicator does not have.
    #[error("{indicator} has no dimension {dimension}; it has {has}")]
    Dimension {
        /// The indicator.
        indicator: String,
        /// What was named.
        dimension: String,
        /// Those that it has.
        has: String,
    },
    /// Several measures.
    #[error("{indicator} counts several things; name the measure: {has}")]
    Measure {
        /// The indicator.
        indicator: String,
        /// Its measures.
        has: String,
    },
    /// A fiscal year, which is the sum of its released quarters.
    #[error("{0} is the sum of its quarters as they were released; explain these")]
    Fiscal(String),
    /// The counts could not be made.
    #[error(transparent)]
    Edition(#[from] EditionError),
}

/// A true count. What it is, nobody is told; two of them can be compared.
#[derive(Clone, Copy)]
pub struct Counted {
    count: u64,
    exact: bool,
}

/// By how much a count moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moved {
    /// By fewer than the floor, perhaps not at all.
    Little,
    /// Down or up by so many, at least and less than.
    Between {
        /// Whether it grew.
        up: bool,
        /// At least.
        least: u64,
        /// Less than; none above the last band.
        below: Option<u64>,
    },
    /// By exactly so many: a cell that is published exactly.
    Exactly(i64),
}

/// Where bands begin: at the floor of persons (privacy.md 6.4), then about twice as far each time.
const BANDS: [u64; 7] = [11, 25, 50, 100, 250, 500, 1_000];

impl Counted {
    /// What happened from this state to another.
    #[must_use]
    pub fn moved_to(self, later: Self) -> Moved {
        let by = later.count as i64 - self.count as i64;
        if self.exact && later.exact {
            return Moved::Exactly(by);
        }
        let Some(band) = BANDS.iter().rposition(|least| by.unsigned_abs() >= *least) else { return Moved::Little };
        Moved::Between { up: by > 0, least: BANDS[band], below: BANDS.get(band + 1).copied() }
    }
}

/// Counts a cell in one state.
///
/// # Errors
/// The indicator has no such cell; the Snapshot cannot be counted.
pub fn count<S>(source: &S, vault: &Vault, as_of: NaiveDate, cell: &Cell) -> Result<Counted, NoCell>
where
    S: EditionSource,
    S::Error: std::fmt::Display,
{
    let wanted = wanted(cell)?;
    let counts = unprotected(source, vault, as_of)?;
    let found = counts.iter().find(|(key, _)| *key == wanted);
    // A cell that no grid has because nothing is in its period yet counts nothing.
    let count = found.map_or(0, |(_, count)| *count);
    Ok(Counted { count, exact: is_exact(cell, vault) })
}

/// The key under which the cell is published.
fn wanted(cell: &Cell) -> Result<Key, NoCell> {
    let Some(known) = indicator::all().iter().find(|known| known.id == cell.indicator) else {
        return Err(NoCell::Indicator(cell.indicator.clone()));
    };
    if cell.time_period.starts_with("FY") {
        return Err(NoCell::Fiscal(cell.time_period.clone()));
    }
    // By how much a sum moved would tell what one person was given.
    let counted = known.tables.iter().filter(|table| table.sum.is_none());
    let mut measures: Vec<&str> = counted.map(|table| table.measure.as_str()).collect();
    measures.dedup();
    let measure = match (&cell.measure, measures.as_slice()) {
        (_, []) => {
            let of = known.made_of();
            let of = if of.is_empty() { "sums and earlier editions".to_owned() } else { of.join(", ") };
            return Err(NoCell::Derived { indicator: cell.indicator.clone(), of });
        }
        (Some(named), has) if has.contains(&named.as_str()) => named.clone(),
        (None, [only]) => (*only).to_owned(),
        (_, has) => return Err(NoCell::Measure { indicator: cell.indicator.clone(), has: has.join(", ") }),
    };
    let applicable = known.dimensions();
    if let Some(dimension) = cell.dimensions.keys().find(|name| !applicable.contains(&name.as_str())) {
        let (indicator, dimension) = (cell.indicator.clone(), dimension.clone());
        return Err(NoCell::Dimension { indicator, dimension, has: applicable.join(", ") });
    }
    let code = |name: &&str| match cell.dimensions.get(*name) {
        Some(code) => code.clone(),
        None if applicable.contains(name) => "_T".to_owned(),
        None => "_Z".to_owned(),
    };
    let dimensions = DIMENSIONS.each_ref().map(code);
    Ok(Key { indicator: cell.indicator.clone(), measure, time_period: cell.time_period.clone(), dimensions })
}

/// Whether the cell is one of an indicator whose grids are all published exactly.
fn is_exact(cell: &Cell, vault: &Vault) -> bool {
    let of = |known: &&indicator::Indicator| known.id == cell.indicator;
    let grids = indicator::all().iter().find(of).into_iter().flat_map(|known| &known.tables);
    grids.into_iter().all(|table| table.is_exact(vault.policy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(from: u64, to: u64, exact: bool) -> Moved {
        Counted { count: from, exact }.moved_to(Counted { count: to, exact })
    }

    #[test]
    fn a_move_of_fewer_than_the_floor_looks_like_none() {
        for by in 0..11 {
            assert_eq!(moved(100, 100 + by, false), Moved::Little);
            assert_eq!(moved(100, 100 - by, false), Moved::Little);
        }
    }

    #[test]
    fn a_larger_one_is_told_by_its_band() {
        assert_eq!(moved(0, 11, false), Moved::Between { up: true, least: 11, below: Some(25) });
        assert_eq!(moved(60, 36, false), Moved::Between { up: false, least: 11, below: Some(25) });
        assert_eq!(moved(0, 25, false), Moved::Between { up: true, least: 25, below: Some(50) });
        assert_eq!(moved(9_000, 0, false), Moved::Between { up: false, least: 1_000, below: None });
    }

    #[test]
    fn what_is_published_exactly_is_told_exactly() {
        assert_eq!(moved(7, 4, true), Moved::Exactly(-3));
    }

    #[test]
    fn a_cell_is_named_as_it_is_published() {
        let cell = |indicator: &str, dimension: &str| Cell {
            indicator: indicator.to_owned(),
            measure: None,
            time_period: "2025".to_owned(),
            dimensions: BTreeMap::from([(dimension.to_owned(), "PK-PB".to_owned())]),
        };
        let key = wanted(&cell("V01", "province")).expect("V01 has provinces");
        assert_eq!((key.measure.as_str(), key.dimensions[0].as_str()), ("victims", "PK-PB"));
        assert!(key.dimensions[1..3].iter().all(|code| code == "_T") && key.dimensions[3] == "_Z");
        assert!(matches!(wanted(&cell("V04", "province")), Err(NoCell::Derived { .. })));
        assert!(matches!(wanted(&cell("V99", "province")), Err(NoCell::Indicator(_))));
        assert!(matches!(wanted(&cell("V01", "role")), Err(NoCell::Dimension { .. })));
    }
}
