//! Indicators: questions to the vault, read from `sql/indicators/*.yml`. An indicator is not SQL: it names a dataset, a
//! population and the grids on which it is counted, and the vault does the rest.
//!
//! Parsed once; what leaves this module names codes that exist and dimensions that the policy knows.

mod file;
mod grid;

use std::sync::LazyLock;

use disclosure::CountedTable;
pub use file::{Part, Parts, Rate, Select, Share, Table, Text};
pub use grid::{GridError, Years, published_column, quarter_code, quarter_name};

/// One indicator.
#[derive(Debug, Clone, PartialEq)]
pub struct Indicator {
    /// Stable id, for instance `V01`.
    pub id: String,
    /// Title in English and Urdu.
    pub title: Text,
    /// What it says and what it leaves out.
    pub description: Text,
    /// `person`, `case`, `inspection`, `rate` (per 100,000 population) or `percent`.
    pub unit: String,
    /// How one is counted (domain, 5).
    pub counting_rule: Text,
    /// Which date places it in a period.
    pub time_basis: Text,
    /// Groups of agencies whose events it rests on.
    pub agencies: Vec<String>,
    /// Standards that ask for it.
    pub standard: Vec<String>,
    /// `std`, `sens` or `high` (privacy.md 6.8).
    pub sensitivity: String,
    /// First year.
    pub since: String,
    /// Tables that are counted.
    pub tables: Vec<Table>,
    /// Shares of released values.
    pub shares: Vec<Share>,
    /// A rate of released values.
    pub rate: Option<Rate>,
}

impl Indicator {
    /// Its tables as the sparsity of questions is judged by them: each counts units of a dataset.
    pub fn counted(&self) -> impl Iterator<Item = CountedTable> {
        self.tables.iter().map(|table| CountedTable {
            indicator: self.id.clone(),
            measure: table.measure.clone(),
            dataset: table.dataset.clone(),
            period: table.by.first().cloned().unwrap_or_default(),
            columns: table.by.iter().filter_map(|by| Some((by.clone(), published_column(by)?.to_owned()))).collect(),
            conditions: table.population.keys().cloned().collect(),
        })
    }

    /// Names of the dimensions that its tables use, as columns of `published`, without time.
    pub fn dimensions(&self) -> Vec<&'static str> {
        let parts = self.shares.iter().map(|share| &share.of).chain(self.rate.iter().map(|rate| &rate.of));
        let by = self.tables.iter().flat_map(|table| &table.by).chain(parts.flat_map(|part| &part.by));
        let mut columns: Vec<&'static str> = by.filter_map(|name| published_column(name)).collect();
        columns.sort_by_key(|column| crate::edition::DIMENSIONS.iter().position(|dimension| dimension == column));
        columns.dedup();
        columns
    }
}

/// The files, in the order in which indicators are listed and their grids charged (privacy.md 6.8).
const FILES: [(&str, &str); 20] = [
    ("V01", include_str!("../../../../sql/indicators/V01.yml")),
    ("V02", include_str!("../../../../sql/indicators/V02.yml")),
    ("V03", include_str!("../../../../sql/indicators/V03.yml")),
    ("V04", include_str!("../../../../sql/indicators/V04.yml")),
    ("V11", include_str!("../../../../sql/indicators/V11.yml")),
    ("C01", include_str!("../../../../sql/indicators/C01.yml")),
    ("C03", include_str!("../../../../sql/indicators/C03.yml")),
    ("C04", include_str!("../../../../sql/indicators/C04.yml")),
    ("C05", include_str!("../../../../sql/indicators/C05.yml")),
    ("L01", include_str!("../../../../sql/indicators/L01.yml")),
    ("L02", include_str!("../../../../sql/indicators/L02.yml")),
    ("S01", include_str!("../../../../sql/indicators/S01.yml")),
    ("R01", include_str!("../../../../sql/indicators/R01.yml")),
    ("V10", include_str!("../../../../sql/indicators/V10.yml")),
    ("V12", include_str!("../../../../sql/indicators/V12.yml")),
    ("C06", include_str!("../../../../sql/indicators/C06.yml")),
    ("C09", include_str!("../../../../sql/indicators/C09.yml")),
    ("L04", include_str!("../../../../sql/indicators/L04.yml")),
    ("P01", include_str!("../../../../sql/indicators/P01.yml")),
    ("Q01", include_str!("../../../../sql/indicators/Q01.yml")),
];

/// The texts of the files, for the hash of `sql/`.
pub fn texts() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.iter().copied()
}

/// All indicators, in order.
pub fn all() -> &'static [Indicator] {
    static ALL: LazyLock<Vec<Indicator>> = LazyLock::new(|| {
        FILES
            .iter()
            .map(|(name, text)| {
                Indicator::parse(text).unwrap_or_else(|error| {
                    panic!("sql/indicators/{name}.yml, compiled in and read by a test: {error}")
                })
            })
            .collect()
    });
    &ALL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_parses_and_is_named_after_its_indicator() {
        for ((name, _), indicator) in FILES.iter().zip(all()) {
            assert_eq!(*name, indicator.id);
        }
    }

    #[test]
    fn every_indicator_speaks_english_and_urdu() {
        for indicator in all() {
            for text in [&indicator.title, &indicator.description, &indicator.counting_rule, &indicator.time_basis] {
                assert!(text.en.is_ascii() || text.en.contains('…'), "{}: {}", indicator.id, text.en);
                assert!(text.ur.chars().any(|letter| ('\u{600}'..='\u{6ff}').contains(&letter)), "{}", indicator.id);
            }
        }
    }

    #[test]
    fn every_grid_is_a_question_that_the_policy_knows() {
        let policy = policy::Policy::default();
        for indicator in all() {
            for table in &indicator.tables {
                table.query(&policy, Years::ending(2025)).unwrap_or_else(|error| panic!("{}: {error}", indicator.id));
            }
        }
    }

    #[test]
    fn acts_of_the_state_are_declared_exact_and_persons_are_not() {
        let policy = policy::Policy::default();
        let exact: Vec<&str> = all()
            .iter()
            .filter(|indicator| indicator.tables.iter().any(|table| table.is_exact(&policy)))
            .map(|indicator| indicator.id.as_str())
            .collect();
        assert_eq!(exact, ["C01", "C04", "C05", "L01", "L02", "C06", "L04"]);
    }
}
