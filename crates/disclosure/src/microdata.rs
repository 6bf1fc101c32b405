//! What the vault reads: the rows of one dataset, in codes (privacy.md 6.2, "Mart rows").
//!
//! Absent: names, texts, dates, tokens. A row is a surrogate, a case, an agency and codes. The types here print no
//! content.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use policy::{Dataset, Key, Keys, Policy};

use crate::error::DisclosureError;
use crate::noise::record_key;
use crate::sketch::element;

/// A column of codes.
#[derive(Clone, PartialEq, Eq)]
pub enum Column {
    /// One code per row; unknown is the list's `_X`.
    One(Vec<u16>),
    /// Several codes per row: those of row `r` are `codes[offsets[r]..offsets[r + 1]]`.
    Many {
        /// One more than there are rows, ascending, the first 0.
        offsets: Vec<u32>,
        /// All codes.
        codes: Vec<u16>,
    },
}

impl Column {
    fn fits(&self, rows: usize) -> bool {
        match self {
            Self::One(codes) => codes.len() == rows,
            Self::Many { offsets, codes } => {
                offsets.len() == rows + 1
                    && offsets[0] == 0
                    && offsets[rows] as usize == codes.len()
                    && offsets.is_sorted()
            }
        }
    }
}

/// The rows of a dataset: one per unit (services, returns, charges, judgments: one per unit and act), sorted by `sid`.
#[derive(Clone, PartialEq, Eq)]
pub struct Microdata {
    /// The dataset's name.
    pub dataset: String,
    /// Surrogate of the unit in its universe, ascending.
    pub sid: Vec<u64>,
    /// Surrogate of the case, or of the record where there is no case.
    pub case_sid: Vec<u64>,
    /// Number of the agency that holds the record (`policy::AgencyIndex`).
    pub agency: Vec<u16>,
    /// Number of the agency that served or assisted the unit, where the dataset tells of services: she is in that agency's
    /// caseload too. `None` where it does not.
    pub served_by: Option<Vec<u16>>,
    /// Columns by dimension name; time levels (`year`, `quarter`) are columns like others.
    pub dims: BTreeMap<String, Column>,
    /// Numbers by the policy's name of the measure, one per row as they were said: not clipped. `None` = never said.
    pub measures: BTreeMap<String, Vec<Option<i64>>>,
}

impl fmt::Debug for Microdata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Microdata({})", self.dataset)
    }
}

/// Where rows come from: implemented over the marts of a Snapshot.
///
/// Guarantee asked for: the same Snapshot gives the same rows, sorted by sid. Not asked for: any order among the rows
/// of a unit.
pub trait MicrodataSource {
    /// Why rows could not be read.
    type Error;

    /// The rows of a dataset.
    fn open(&self, dataset: &str) -> Result<Microdata, Self::Error>;
}

/// Rows that have been checked and given their record keys; what [`tabulate`](crate::tabulate) counts.
///
/// Cheap to clone.
#[derive(Clone)]
pub struct Prepared(pub(crate) Arc<Rows>);

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prepared({})", self.0.dataset)
    }
}

/// Rows as they are counted: those of a unit lie together and, where each unit has one row, those of a case too.
pub(crate) struct Rows {
    pub(crate) dataset: String,
    pub(crate) policy: Dataset,
    /// Surrogate of each row's unit.
    pub(crate) sid: Vec<u64>,
    pub(crate) case_sid: Vec<u64>,
    pub(crate) agency: Vec<u16>,
    pub(crate) served_by: Option<Vec<u16>>,
    pub(crate) columns: BTreeMap<String, Codes>,
    pub(crate) measures: BTreeMap<String, Vec<Option<i64>>>,
    /// Ordinal of each row's unit; `None` where each row is a unit of its own.
    unit: Option<Vec<u32>>,
    /// Record key of each unit.
    pub(crate) keys: Vec<u128>,
    /// Element of each unit in sketches. Its powers are worked out when it is counted: that takes no longer than to fetch
    /// 112 bytes from memory, and leaves half of the memory free.
    pub(crate) elements: Vec<u64>,
    /// Keys of what is measured beside units.
    pub(crate) secrets: Secrets,
    pub(crate) cases: Cases,
    /// One more than the largest number of an agency.
    pub(crate) agencies: usize,
    /// Whether the agency of this number holds a private caseload.
    private: Vec<bool>,
}

/// Keys of entities and of values, for what cannot be worked out once per unit.
pub(crate) struct Secrets {
    pub(crate) rk: Key,
    pub(crate) ek: Key,
}

/// How the rows of a case are found.
pub(crate) enum Cases {
    /// There are none: the unit is itself a record.
    None,
    /// They lie together.
    Together,
    /// By the number of each row's case: a unit with rows in two cases cannot lie with both.
    Apart(Vec<u32>),
}

/// A column of codes as it is kept: nearly all lists are short, and a pass over many rows takes as long as its bytes.
pub(crate) enum Codes {
    /// One code per row, each below 256.
    Short(Vec<u8>),
    /// One code per row.
    Long(Vec<u16>),
    /// Several codes per row: those of row `r` are `codes[offsets[r]..offsets[r + 1]]`.
    Many { offsets: Vec<u32>, codes: Vec<u16> },
}

impl Codes {
    /// A column, its rows in this order (`None`: as they stand).
    fn of(column: Column, order: Option<&[u32]>) -> Self {
        match column {
            Column::One(codes) if codes.iter().all(|&code| code < 256) => {
                Self::Short(ordered(codes.iter().map(|&code| code as u8).collect(), order))
            }
            Column::One(codes) => Self::Long(ordered(codes, order)),
            Column::Many { offsets, codes } => {
                let Some(order) = order else { return Self::Many { offsets, codes } };
                let (mut ends, mut moved) = (vec![0], Vec::with_capacity(codes.len()));
                for &row in order {
                    moved.extend(&codes[offsets[row as usize] as usize..offsets[row as usize + 1] as usize]);
                    ends.push(moved.len() as u32);
                }
                Self::Many { offsets: ends, codes: moved }
            }
        }
    }

    /// Tells each code of a row.
    #[inline]
    pub(crate) fn each(&self, row: usize, mut tell: impl FnMut(u16)) {
        match self {
            Self::Short(codes) => tell(codes[row].into()),
            Self::Long(codes) => tell(codes[row]),
            Self::Many { offsets, codes } => {
                codes[offsets[row] as usize..offsets[row + 1] as usize].iter().for_each(|&code| tell(code));
            }
        }
    }
}

impl Rows {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.sid.len()
    }

    /// Ordinal of a row's unit.
    #[inline]
    pub(crate) fn unit(&self, row: usize) -> usize {
        self.unit.as_ref().map_or(row, |unit| unit[row] as usize)
    }

    /// The rows in pieces of about so many, cut where neither a unit nor a case that lies together is.
    pub(crate) fn pieces(&self, size: usize) -> Vec<Range<u32>> {
        let together = matches!(self.cases, Cases::Together);
        let joined = |row: usize| {
            self.sid[row] == self.sid[row - 1] || (together && self.case_sid[row] == self.case_sid[row - 1])
        };
        let (mut pieces, mut start) = (Vec::new(), 0);
        while start < self.len() {
            let mut end = (start + size).min(self.len());
            while end < self.len() && joined(end) {
                end += 1;
            }
            pieces.push(start as u32..end as u32);
            start = end;
        }
        pieces
    }

    /// Whether an agency holds a private caseload; one that the policy does not list is taken for private.
    pub(crate) fn is_private(&self, agency: u16) -> bool {
        self.private.get(usize::from(agency)).copied().unwrap_or(true)
    }
}

impl Prepared {
    /// Checks rows against the policy and derives their record keys.
    ///
    /// Fails when the dataset is unknown, a column does not fit the rows, or rows are not sorted by sid.
    pub fn new(data: Microdata, policy: &Policy, keys: &Keys) -> Result<Self, DisclosureError> {
        let dataset = policy.datasets.get(&data.dataset);
        let dataset = dataset.ok_or_else(|| DisclosureError::UnknownDataset(data.dataset.clone()))?.clone();
        check(&data)?;
        let (unit, one_each) = units(&data.sid);
        let (cases, order) = match (dataset.unit.is_record(), one_each) {
            (true, _) => (Cases::None, None),
            (false, true) => (Cases::Together, Some(by_number(&data.case_sid))),
            (false, false) => (Cases::Apart(numbered(&data.case_sid)), None),
        };
        let order = order.as_deref();
        let sid = ordered(data.sid, order);
        let mut units = sid.clone();
        units.dedup();
        let served_by = data.served_by.map(|served_by| ordered(served_by, order));
        let agency = ordered(data.agency, order);
        let agencies = agency.iter().chain(served_by.iter().flatten()).max();
        Ok(Self(Arc::new(Rows {
            keys: units.iter().map(|&sid| record_key(&keys.rk, &dataset.universe, sid)).collect(),
            elements: units.iter().map(|&sid| element(&keys.ek, &dataset.universe, sid)).collect(),
            agencies: agencies.map_or(0, |&most| usize::from(most) + 1),
            case_sid: ordered(data.case_sid, order),
            columns: data.dims.into_iter().map(|(name, column)| (name, Codes::of(column, order))).collect(),
            measures: data.measures.into_iter().map(|(name, values)| (name, ordered(values, order))).collect(),
            secrets: Secrets { rk: keys.rk.clone(), ek: keys.ek.clone() },
            private: policy.agencies.iter().map(|agency| agency.private).collect(),
            unit: (!one_each).then_some(unit),
            dataset: data.dataset,
            policy: dataset,
            sid,
            agency,
            served_by,
            cases,
        })))
    }

    /// The dataset's name.
    pub fn dataset(&self) -> &str {
        &self.0.dataset
    }
}

fn check(data: &Microdata) -> Result<(), DisclosureError> {
    let rows = data.sid.len();
    let misshapen =
        |column: &str| DisclosureError::Misshapen { dataset: data.dataset.clone(), column: column.to_owned() };
    if data.case_sid.len() != rows {
        return Err(misshapen("case_sid"));
    }
    if data.agency.len() != rows {
        return Err(misshapen("agency"));
    }
    if data.served_by.as_ref().is_some_and(|served| served.len() != rows) {
        return Err(misshapen("served_by"));
    }
    if let Some((name, _)) = data.dims.iter().find(|(_, column)| !column.fits(rows)) {
        return Err(misshapen(name));
    }
    if let Some((name, _)) = data.measures.iter().find(|(_, values)| values.len() != rows) {
        return Err(misshapen(name));
    }
    if !data.sid.is_sorted() {
        return Err(DisclosureError::NotSorted(data.dataset.clone()));
    }
    Ok(())
}

/// Rows by ascending number; those of one number stay in their order.
fn by_number(numbers: &[u64]) -> Vec<u32> {
    let mut order: Vec<(u64, u32)> = numbers.iter().copied().zip(0..).collect();
    order.sort_unstable();
    order.into_iter().map(|(_, row)| row).collect()
}

/// What rows have, in another order (`None`: as they stand).
fn ordered<T: Copy>(of_rows: Vec<T>, order: Option<&[u32]>) -> Vec<T> {
    let Some(order) = order else { return of_rows };
    order.iter().map(|&row| of_rows[row as usize]).collect()
}

/// The ordinal of each row's surrogate among those that there are.
fn numbered(surrogates: &[u64]) -> Vec<u32> {
    let mut numbers = vec![0; surrogates.len()];
    let order = by_number(surrogates);
    for (number, group) in order.chunk_by(|&a, &b| surrogates[a as usize] == surrogates[b as usize]).enumerate() {
        for &row in group {
            numbers[row as usize] = number as u32;
        }
    }
    numbers
}

/// The ordinal of each row's unit, and whether each has one row.
fn units(sid: &[u64]) -> (Vec<u32>, bool) {
    let mut ordinal = 0;
    let unit = (0..sid.len()).map(|row| {
        ordinal += u32::from(row > 0 && sid[row] != sid[row - 1]);
        ordinal
    });
    let unit: Vec<u32> = unit.collect();
    let one_each = unit.last().is_none_or(|&last| last as usize + 1 == sid.len());
    (unit, one_each)
}
