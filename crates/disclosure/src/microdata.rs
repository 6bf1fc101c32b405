//! What the vault reads: the rows of one dataset, in codes (privacy.md 6.2, "Mart rows").
//!
//! Absent: names, texts, dates, tokens. A row is a surrogate, a case, an agency and codes. The types here print no
//! content.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use policy::{Dataset, Key, Keys, Policy};

use crate::error::DisclosureError;
use crate::measured::powers_of;
use crate::noise::record_key;
use crate::prints::Powers;

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

    /// The codes of a row.
    pub(crate) fn at(&self, row: usize) -> &[u16] {
        match self {
            Self::One(codes) => &codes[row..=row],
            Self::Many { offsets, codes } => &codes[offsets[row] as usize..offsets[row + 1] as usize],
        }
    }
}

/// The rows of a dataset: one per unit (services, returns, charges, judgments: one per unit and act), sorted by `sid`.
#[derive(Clone)]
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
        write!(f, "Prepared({})", self.0.data.dataset)
    }
}

pub(crate) struct Rows {
    pub(crate) data: Microdata,
    pub(crate) policy: Dataset,
    /// Ordinal of each row's unit.
    pub(crate) unit: Vec<u32>,
    /// Record key of each unit.
    pub(crate) keys: Vec<u128>,
    /// Powers of each unit's sketch element (112 bytes; privacy.md 6.5, *Accumulator*).
    pub(crate) powers: Vec<Powers>,
    /// Keys of what is measured beside units.
    pub(crate) secrets: Secrets,
    /// Number of each row's case; empty where the unit is itself a record.
    pub(crate) case: Vec<u32>,
    /// Whether the agency of this number holds a private caseload.
    private: Vec<bool>,
}

/// Keys of entities and of values, for what cannot be worked out once per unit.
pub(crate) struct Secrets {
    pub(crate) rk: Key,
    pub(crate) ek: Key,
}

impl Rows {
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
        let (unit, sids) = units(&data.sid);
        let record_keys = sids.iter().map(|&sid| record_key(&keys.rk, &dataset.universe, sid)).collect();
        let case = if dataset.unit.is_record() { Vec::new() } else { numbered(&data.case_sid) };
        let private = policy.agencies.iter().map(|agency| agency.private).collect();
        Ok(Self(Arc::new(Rows {
            keys: record_keys,
            powers: sids.iter().map(|&sid| powers_of(&keys.ek, &dataset.universe, sid)).collect(),
            secrets: Secrets { rk: keys.rk.clone(), ek: keys.ek.clone() },
            case,
            private,
            unit,
            policy: dataset,
            data,
        })))
    }

    /// The dataset's name.
    pub fn dataset(&self) -> &str {
        &self.0.data.dataset
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

/// The ordinal of each row's surrogate among those that there are.
fn numbered(surrogates: &[u64]) -> Vec<u32> {
    let mut order: Vec<(u64, u32)> = surrogates.iter().copied().zip(0..).collect();
    order.sort_unstable();
    let mut numbers = vec![0; surrogates.len()];
    for (number, group) in order.chunk_by(|a, b| a.0 == b.0).enumerate() {
        for (_, row) in group {
            numbers[*row as usize] = number as u32;
        }
    }
    numbers
}

/// The ordinal of each row's unit, and the units' sids.
fn units(sid: &[u64]) -> (Vec<u32>, Vec<u64>) {
    let mut sids: Vec<u64> = Vec::new();
    let mut unit = Vec::with_capacity(sid.len());
    for &sid in sid {
        if sids.last() != Some(&sid) {
            sids.push(sid);
        }
        unit.push(sids.len() as u32 - 1);
    }
    (unit, sids)
}
