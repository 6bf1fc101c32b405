//! A small population, written as codes, and the road through the vault.

use std::collections::BTreeMap;
use std::sync::Arc;

use disclosure::{
    Column, Coordinate, Dimension, Figure, Mark, Measure, Microdata, ObsStatus, Prepared, Release, Span, Table,
    TableQuery, Vault, VaultError, tabulate,
};
use events::code_list::list;
use policy::{DEFAULT_AGENCIES, DEFAULT_DATASETS, Key, Keys, Master, Policy};

/// A person identified as a victim. Numbers are codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Victim {
    pub sid: u64,
    pub case: u64,
    pub agency: u16,
    pub year: u16,
    pub quarter: u16,
    pub sex: u16,
    pub age_group: u16,
    pub province: u16,
    pub exploitation: Vec<u16>,
}

impl Victim {
    /// An ordinary one, in a case of her own, held by the police.
    pub fn number(sid: u64) -> Self {
        Self {
            sid,
            case: sid,
            agency: agency("POL-PB"),
            year: 2024,
            quarter: quarter(2024, 1),
            sex: code("sex", "F"),
            age_group: code("age_group", "adult"),
            province: code("province", "PK-PB"),
            exploitation: vec![code("exploitation", "sexual")],
        }
    }
}

/// So many ordinary victims, each changed by `change`.
pub fn people(sids: std::ops::RangeInclusive<u64>, change: impl Fn(&mut Victim)) -> Vec<Victim> {
    let mut people: Vec<Victim> = sids.map(Victim::number).collect();
    people.iter_mut().for_each(change);
    people
}

pub fn code(of: &str, code: &str) -> u16 {
    list(of).code(code).unwrap()
}

pub fn agency(code: &str) -> u16 {
    Policy::default().agencies.get(code).unwrap().index
}

/// As `models` counts quarters: from 1900-Q1.
pub fn quarter(year: u16, quarter: u16) -> u16 {
    (year - 1900) * 4 + quarter - 1
}

/// The raw keys of the test vectors (privacy.md 6.5, 6.6).
pub fn keys() -> Keys {
    let raw = |first: u8| Key::from_bytes(std::array::from_fn(|i| first + i as u8));
    let derived = Keys::derive(&Master::from_bytes([9; 32]));
    Keys { rk: raw(0), noise: raw(0x20), threshold: raw(0x40), ..derived }
}

/// The rows of a mart. Dimensions are codes by name.
pub fn microdata(dataset: &str, victims: &[Victim]) -> Microdata {
    let mut victims = victims.to_vec();
    victims.sort_by_key(|v| v.sid);
    let one = |of: &dyn Fn(&Victim) -> u16| Column::One(victims.iter().map(of).collect());
    let mut offsets = vec![0];
    let mut exploitation = Vec::new();
    for victim in &victims {
        exploitation.extend(&victim.exploitation);
        offsets.push(exploitation.len() as u32);
    }
    let dims = BTreeMap::from([
        ("year".to_owned(), one(&|v| v.year)),
        ("quarter".to_owned(), one(&|v| v.quarter)),
        ("sex".to_owned(), one(&|v| v.sex)),
        ("age_group".to_owned(), one(&|v| v.age_group)),
        ("province".to_owned(), one(&|v| v.province)),
        ("agency_group".to_owned(), one(&|_| 0)),
        ("exploitation".to_owned(), Column::Many { offsets, codes: exploitation }),
        ("section".to_owned(), one(&|v| v.exploitation[0])),
        ("scope".to_owned(), one(&|v| v.sex)),
    ]);
    Microdata {
        dataset: dataset.to_owned(),
        sid: victims.iter().map(|v| v.sid).collect(),
        case_sid: victims.iter().map(|v| v.case).collect(),
        agency: victims.iter().map(|v| v.agency).collect(),
        served_by: None,
        dims,
        measures: BTreeMap::new(),
    }
}

pub fn prepared(dataset: &str, victims: &[Victim]) -> Prepared {
    prepared_by(&Policy::default(), dataset, victims)
}

pub fn prepared_by(policy: &Policy, dataset: &str, victims: &[Victim]) -> Prepared {
    Prepared::new(microdata(dataset, victims), policy, &keys()).unwrap()
}

pub fn query(dataset: &str, by: Vec<Dimension>) -> TableQuery {
    TableQuery { dataset: dataset.into(), measure: Measure::Units, population: BTreeMap::new(), by }
}

/// Every code of the list of this name, and the total.
pub fn whole(name: &str) -> Dimension {
    Dimension::whole_list(name, list(name).codes.len())
}

pub fn years(codes: &[u16]) -> Dimension {
    Dimension::codes("year", codes.to_vec())
}

pub fn table(name: &str, rows: &Prepared, query: &TableQuery) -> Table {
    Table { name: name.into(), cells: tabulate(rows, query).unwrap(), marks: Vec::new() }
}

/// A vault with the default policy that remembers nothing yet.
pub fn vault() -> Vault {
    Vault::forgetful(Arc::new(undeclared()), &keys())
}

/// The default policy without grids that are charged first, so that a test sees the noise of its own.
pub fn undeclared() -> Policy {
    let (before, rest) = DEFAULT_DATASETS.split_once("\ndeclared = [").unwrap();
    let (_, after) = rest.split_once("\n]\n").unwrap();
    Policy::parse(DEFAULT_AGENCIES, &format!("{before}\n{after}")).unwrap()
}

/// An edition of the end of 2025.
pub fn span() -> Span {
    Span::whole(1, 2011..=2025)
}

pub fn released(tables: Vec<Table>) -> Release {
    vault().release(tables, &span()).unwrap().0
}

pub fn try_released(tables: Vec<Table>) -> Result<Release, VaultError> {
    Ok(vault().release(tables, &span())?.0)
}

/// The one figure of victims of one year, nothing else asked.
pub fn year_total(victims: &[Victim]) -> Figure {
    year_total_by(&Policy::default(), victims)
}

pub fn year_total_by(policy: &Policy, victims: &[Victim]) -> Figure {
    let rows = prepared_by(policy, "victims", victims);
    let release = released(vec![table("t", &rows, &query("victims", vec![years(&[2024])]))]);
    *release.tables[0].at(&[Coordinate::Code(2024)]).unwrap()
}

pub fn value(figure: &Figure) -> Option<i64> {
    figure.value().map(|value| value.as_integer().unwrap())
}

pub fn is_hidden(figure: &Figure) -> bool {
    figure.value().is_none() && figure.obs_status() == ObsStatus::Q
}

pub fn marked(mut table: Table, mark: Mark) -> Table {
    table.marks.push(mark);
    table
}
