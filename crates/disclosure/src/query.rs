//! One measure of a question, laid out as a table: a typed query that names dimensions and codes and can express nothing else (privacy.md 6.2).
//!
//! Absent: expressions, casts, ranges of values, texts. Dimensions of time are codes like others, made by whoever asks.

use std::collections::BTreeMap;

use policy::Count;
use serde::{Deserialize, Serialize};

use crate::error::DisclosureError;
use crate::measured::MOST_ACTS;

/// Cells of one table, totals included. Published tables are wider than an analyst's question (4,000; privacy.md 6.2).
const MAX_CELLS: usize = 1 << 20;

/// What is measured of a cell (privacy.md 6.2). Means, shares and quantiles are made of these, once released.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Measure {
    /// Distinct units: persons, where the dataset counts persons.
    Units,
    /// Rows of the mart (acts), clamped per unit.
    Rows,
    /// Distinct cases, or records where there is no case.
    Cases,
    /// Distinct agencies that hold the records: shown only where the units of the same cell are, which are asked for with them.
    Agencies,
    /// The sum of a measure column within its public bounds.
    Sum(String),
}

impl Measure {
    /// What one unit, case, agency or pair of unit and value adds at most (privacy.md 6.5).
    pub fn most_of_one(&self, dataset: &policy::Dataset) -> i64 {
        match self {
            Self::Units | Self::Cases | Self::Agencies => 1,
            Self::Rows => MOST_ACTS as i64,
            Self::Sum(column) => dataset.measures.get(column).map_or(0, |m| m.min.abs().max(m.max.abs())),
        }
    }

    /// In words: `units`, `sum of children`.
    pub fn to_text(&self) -> String {
        match self {
            Self::Units => "units".to_owned(),
            Self::Rows => "rows".to_owned(),
            Self::Cases => "cases".to_owned(),
            Self::Agencies => "agencies".to_owned(),
            Self::Sum(column) => format!("sum of {column}"),
        }
    }

    /// What a declared grid calls it; none for what is never declared exact.
    pub fn count(&self) -> Option<Count> {
        match self {
            Self::Units => Some(Count::Unit),
            Self::Rows => Some(Count::Rows),
            Self::Cases | Self::Agencies | Self::Sum(_) => None,
        }
    }
}

/// A table of one dataset and measure: cells laid out over closed lists of codes, with totals where they are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableQuery {
    /// The dataset.
    pub dataset: String,
    /// What is counted.
    pub measure: Measure,
    /// Who is counted: for each dimension, units with at least one of these codes.
    pub population: BTreeMap<String, Vec<u16>>,
    /// How the count is broken down.
    pub by: Vec<Dimension>,
}

/// A dimension of a question, with its closed list of codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dimension {
    /// A column of the dataset, one of its levels, or a level of time.
    pub name: String,
    /// Every code that gets a cell, present in the data or not; `_X` among them. Numbers of classes, where there are any.
    pub codes: Vec<u16>,
    /// A user-defined level: the codes of the dimension that each class takes together (privacy.md 6.3, *Case*).
    pub classes: Option<Vec<Vec<u16>>>,
    /// Whether the total over this dimension is asked for: a cell of its own, coordinate [`Coordinate::Total`].
    /// Without a total, rows with other codes are simply not asked about; with one they are an error.
    pub total: bool,
    /// Whether hidden siblings along this dimension are also counted together (privacy.md 6.6, *remainder row*).
    pub remainder: bool,
    /// Coarser dimensions of the same release to which these codes add up (quarters to years).
    pub rolls_up: Vec<RollUp>,
}

/// How the codes of a dimension add up to a coarser one. The audit needs it: who sees quarters and years can subtract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollUp {
    /// Name of the coarser dimension.
    pub to: String,
    /// For each code of the finer dimension, in its order, the coarser code; `None` where there is none
    /// (an unknown quarter belongs to no one year).
    pub codes: Vec<Option<u16>>,
}

impl Dimension {
    /// A dimension over a whole code list of `codes` codes, with its total.
    pub fn whole_list(name: impl Into<String>, codes: usize) -> Self {
        Self::codes(name, (0..codes as u16).collect()).with_total()
    }

    /// A dimension over these codes, without a total.
    pub fn codes(name: impl Into<String>, codes: Vec<u16>) -> Self {
        Self { name: name.into(), codes, classes: None, total: false, remainder: false, rolls_up: Vec::new() }
    }

    /// A user-defined level over classes of a dimension's codes.
    pub fn classes(name: impl Into<String>, classes: Vec<Vec<u16>>) -> Self {
        Self { classes: Some(classes.clone()), ..Self::codes(name, (0..classes.len() as u16).collect()) }
    }

    /// Asks for the total over this dimension.
    #[must_use]
    pub fn with_total(self) -> Self {
        Self { total: true, ..self }
    }

    /// Asks for the remainder row along this dimension.
    #[must_use]
    pub fn with_remainder(self) -> Self {
        Self { remainder: true, ..self }
    }

    /// Declares to which coarser codes these add up, one per code.
    #[must_use]
    pub fn rolling_up_to(mut self, to: impl Into<String>, codes: Vec<Option<u16>>) -> Self {
        self.rolls_up.push(RollUp { to: to.into(), codes });
        self
    }

    /// The codes of the rows, with the position that each belongs to.
    pub(crate) fn positions(&self) -> impl Iterator<Item = (usize, u16)> {
        let classes = self.classes.iter().flatten().enumerate();
        let classes = classes.flat_map(|(position, codes)| codes.iter().map(move |&code| (position, code)));
        let codes = self.codes.iter().copied().enumerate().filter(|_| self.classes.is_none());
        classes.chain(codes)
    }

    /// What tells the dimension's codes from those of another with the same name: its classes, where it has any.
    pub(crate) fn label(&self) -> String {
        self.classes.as_ref().map_or_else(|| self.name.clone(), |classes| format!("{}{classes:?}", self.name))
    }

    /// Number of positions: codes, and the total.
    pub(crate) fn len(&self) -> usize {
        self.codes.len() + usize::from(self.total)
    }

    /// What stands at a position.
    pub(crate) fn coordinate(&self, position: usize) -> Coordinate {
        self.codes.get(position).map_or(Coordinate::Total, |&code| Coordinate::Code(code))
    }

    fn check(&self) -> Result<(), DisclosureError> {
        let malformed = |rule| Err(DisclosureError::Malformed { dimension: self.name.clone(), rule });
        let mut sorted = self.codes.clone();
        sorted.sort_unstable();
        sorted.dedup();
        if sorted.is_empty() {
            return malformed("has no codes");
        }
        if sorted.len() != self.codes.len() {
            return malformed("names a code twice");
        }
        if self.rolls_up.iter().any(|up| up.codes.len() != self.codes.len()) {
            return malformed("rolls up with another number of codes than it has");
        }
        if self.remainder && !self.total {
            return malformed("has a remainder and no total");
        }
        Ok(())
    }
}

/// Where a cell stands on one dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Coordinate {
    /// One code.
    Code(u16),
    /// All units (`_T`): a cell of its own.
    Total,
    /// The hidden siblings along this dimension, counted together.
    Remainder,
}

/// The cells of a question as a dense array: positions of each dimension, strides, size.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) strides: Vec<usize>,
    pub(crate) cells: usize,
}

impl TableQuery {
    /// Whether the table as a whole stands on a declared grid: its cells, margins included, are exact.
    pub(crate) fn is_exact(&self, policy: &policy::Dataset) -> bool {
        let by: Vec<_> = self.by.iter().map(|dimension| dimension.name.as_str()).collect();
        let plain = self.by.iter().all(|dimension| dimension.classes.is_none());
        plain && self.measure.count().is_some_and(|count| policy.is_declared(count, &by, &self.population))
    }

    /// Checks the question and lays out its cells.
    pub(crate) fn shape(&self) -> Result<Shape, DisclosureError> {
        for (at, dimension) in self.by.iter().enumerate() {
            dimension.check()?;
            if self.by[..at].iter().any(|other| other.name == dimension.name) {
                let rule = "is asked for twice";
                return Err(DisclosureError::Malformed { dimension: dimension.name.clone(), rule });
            }
        }
        let mut strides = vec![0; self.by.len()];
        let mut cells = 1usize;
        for (at, dimension) in self.by.iter().enumerate().rev() {
            strides[at] = cells;
            cells = cells.saturating_mul(dimension.len());
        }
        if cells > MAX_CELLS {
            return Err(DisclosureError::TooManyCells { cells, limit: MAX_CELLS });
        }
        Ok(Shape { strides, cells })
    }

    /// The codes of the data that a cell stands on, by level: of a class, all of its codes; where it is broken down by what it
    /// is selected by, its own.
    pub(crate) fn codes_on(&self, at: &[Coordinate]) -> BTreeMap<String, Vec<u16>> {
        let mut on = self.population.clone();
        for (dimension, at) in self.by.iter().zip(at) {
            if let Coordinate::Code(code) = at {
                let position = dimension.codes.iter().position(|known| known == code);
                let codes = dimension.positions().filter(|(at, _)| Some(*at) == position).map(|(_, code)| code);
                on.insert(dimension.name.clone(), codes.collect());
            }
        }
        on
    }

    /// The coordinates of a cell.
    pub(crate) fn coordinates(&self, shape: &Shape, cell: usize) -> Vec<Coordinate> {
        let position = |(dimension, stride): (&Dimension, &usize)| cell / stride % dimension.len();
        self.by.iter().zip(&shape.strides).map(|pair| pair.0.coordinate(position(pair))).collect()
    }
}
