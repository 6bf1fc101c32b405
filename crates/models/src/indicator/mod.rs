//! Indicators: questions to the vault, read from `sql/indicators/*.yml`. An indicator is not SQL: it names a dataset, a
//! population and the grids on which it is counted, and the vault does the rest.
//!
//! Parsed once; what leaves this module names codes that exist and dimensions that the policy knows.

mod file;
mod grid;

use std::sync::LazyLock;

use disclosure::CountedTable;
pub use file::{Part, Parts, Quantiles, Rate, Revision, Select, Share, Table, Text};
pub use grid::{Band, GridError, Years, bands, fiscal_year_name, published_column, quarter_code, quarter_name};

/// One indicator.
#[derive(Debug, Clone, PartialEq)]
pub struct Indicator {
    /// Stable id, for instance `V01`.
    pub id: String,
    /// Title in English and Urdu.
    pub title: Text,
    /// What it says and what it leaves out.
    pub description: Text,
    /// What one of its values is: `person`, `case`, `inspection`, `activity`, `contact`, `rate` (per 100,000 population),
    /// `percent`, `pkr` (rupees), `day` or `month`. A table or a share may have one of its own.
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
    /// Quantiles of released values.
    pub quantiles: Vec<Quantiles>,
    /// Changes between editions of what the other indicators said of the country.
    pub revisions: Vec<Revision>,
    /// A rate of released values.
    pub rate: Option<Rate>,
}

impl Indicator {
    /// Its tables as the sparsity of questions is judged by them: each counts units of a dataset. Bands are no level of these:
    /// they are written in another way there.
    pub fn counted(&self) -> impl Iterator<Item = CountedTable> {
        let column =
            |by: &String| Some((by.clone(), published_column(by).filter(|column| *column != "band")?.to_owned()));
        self.tables.iter().filter(|table| table.sum.is_none()).map(move |table| CountedTable {
            indicator: self.id.clone(),
            measure: table.measure.clone(),
            dataset: table.dataset.clone(),
            period: table.by.first().cloned().unwrap_or_default(),
            columns: table.by.iter().filter_map(column).collect(),
            conditions: table.population.keys().cloned().collect(),
        })
    }

    /// Names of the dimensions that its tables use, as columns of `published`, without time.
    pub fn dimensions(&self) -> Vec<&'static str> {
        let of_shares = self.shares.iter().flat_map(Share::levels);
        let of_parts =
            self.quantiles.iter().map(|quantiles| &quantiles.of).chain(self.rate.iter().map(|rate| &rate.of));
        let is_part = |table: &Table, by: &String| table.parts.as_ref().is_some_and(|parts| parts.of == *by);
        let of_tables = self.tables.iter().flat_map(|table| table.by.iter().filter(move |by| !is_part(table, by)));
        let by = of_tables.chain(of_shares).chain(of_parts.flat_map(|part| &part.by)).map(String::as_str);
        let series = self.revisions.first().map(|_| "series");
        let mut columns: Vec<&'static str> = by.chain(series).filter_map(published_column).collect();
        columns.sort_by_key(|column| crate::edition::DIMENSIONS.iter().position(|dimension| dimension == column));
        columns.dedup();
        columns
    }

    /// The series of it that is compared between editions: its first measure, of the country.
    pub fn series(&self) -> Option<&str> {
        self.tables.first().map(|table| table.measure.as_str())
    }

    /// Other indicators from whose released cells it is made, each once.
    pub fn made_of(&self) -> Vec<&str> {
        let shares = self.shares.iter().flat_map(|share| [Some(&share.of), share.to.as_ref()]).flatten();
        let parts = shares.chain(self.quantiles.iter().map(|q| &q.of)).chain(self.rate.iter().map(|rate| &rate.of));
        let mut ids: Vec<&str> = parts.map(|part| part.indicator.as_str()).filter(|id| *id != self.id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

/// The files, in the order in which indicators are listed. Grids are charged in the order of the policy's declared ones
/// (privacy.md 6.8).
const FILES: [(&str, &str); 37] = [
    ("V01", include_str!("../../../../sql/indicators/V01.yml")),
    ("V02", include_str!("../../../../sql/indicators/V02.yml")),
    ("V03", include_str!("../../../../sql/indicators/V03.yml")),
    ("V04", include_str!("../../../../sql/indicators/V04.yml")),
    ("V05", include_str!("../../../../sql/indicators/V05.yml")),
    ("V06", include_str!("../../../../sql/indicators/V06.yml")),
    ("V07", include_str!("../../../../sql/indicators/V07.yml")),
    ("V08", include_str!("../../../../sql/indicators/V08.yml")),
    ("V09", include_str!("../../../../sql/indicators/V09.yml")),
    ("V10", include_str!("../../../../sql/indicators/V10.yml")),
    ("V11", include_str!("../../../../sql/indicators/V11.yml")),
    ("V12", include_str!("../../../../sql/indicators/V12.yml")),
    ("C01", include_str!("../../../../sql/indicators/C01.yml")),
    ("C02", include_str!("../../../../sql/indicators/C02.yml")),
    ("C03", include_str!("../../../../sql/indicators/C03.yml")),
    ("C04", include_str!("../../../../sql/indicators/C04.yml")),
    ("C05", include_str!("../../../../sql/indicators/C05.yml")),
    ("C06", include_str!("../../../../sql/indicators/C06.yml")),
    ("C07", include_str!("../../../../sql/indicators/C07.yml")),
    ("C08", include_str!("../../../../sql/indicators/C08.yml")),
    ("C09", include_str!("../../../../sql/indicators/C09.yml")),
    ("C10", include_str!("../../../../sql/indicators/C10.yml")),
    ("L01", include_str!("../../../../sql/indicators/L01.yml")),
    ("L02", include_str!("../../../../sql/indicators/L02.yml")),
    ("L03", include_str!("../../../../sql/indicators/L03.yml")),
    ("L04", include_str!("../../../../sql/indicators/L04.yml")),
    ("S01", include_str!("../../../../sql/indicators/S01.yml")),
    ("S02", include_str!("../../../../sql/indicators/S02.yml")),
    ("S03", include_str!("../../../../sql/indicators/S03.yml")),
    ("R01", include_str!("../../../../sql/indicators/R01.yml")),
    ("R02", include_str!("../../../../sql/indicators/R02.yml")),
    ("P01", include_str!("../../../../sql/indicators/P01.yml")),
    ("P02", include_str!("../../../../sql/indicators/P02.yml")),
    ("Q01", include_str!("../../../../sql/indicators/Q01.yml")),
    ("Q02", include_str!("../../../../sql/indicators/Q02.yml")),
    ("Q03", include_str!("../../../../sql/indicators/Q03.yml")),
    ("Q04", include_str!("../../../../sql/indicators/Q04.yml")),
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
    fn every_dimension_has_a_column_of_its_own_in_published() {
        for indicator in all() {
            for table in &indicator.tables {
                let is_part = |by: &&String| table.parts.as_ref().is_some_and(|parts| parts.of == **by);
                let split: Vec<&String> = table.by.iter().skip(1).filter(|by| !is_part(by)).collect();
                let columns: std::collections::BTreeSet<_> = split.iter().map(|by| published_column(by)).collect();
                assert!(!columns.contains(&None) && columns.len() == split.len(), "{}: {:?}", indicator.id, table.by);
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
        assert_eq!(exact, ["C01", "C04", "C05", "C06", "C07", "C08", "L01", "L02", "L03", "L04"]);
    }
}
