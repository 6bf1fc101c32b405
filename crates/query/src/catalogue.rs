//! What the indicators, code lists and denominators *are*: plain data given once, when the reader is made.
//!
//! The definitions are kept in `sql/indicators/*.yml` and `schemas/code-lists/*.json`; the program reads them there and
//! hands them over. Absent here: any value of an indicator (those come from an edition, [`crate::EditionSource`]).

use std::collections::BTreeMap;

use disclosure::CountedTable;
use serde::{Deserialize, Serialize};

/// A text in the two languages of the product.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Text {
    /// English.
    pub en: String,
    /// Urdu, right to left, no markup.
    pub ur: String,
}

/// One dimension of an indicator: a column of `published.indicator_values` and the code list that its cells come from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dimension {
    /// Name of the column, lower case: `province`.
    pub name: String,
    /// Name of the code list in `reference`, without the schema: `province`. None for a dimension without a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_list: Option<String>,
    /// What the dimension says.
    #[serde(default)]
    pub title: Text,
}

/// The definition of one indicator (domain.md 7): what is counted, when, on which dimensions, after which standard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndicatorMeta {
    /// Stable id: `V01`. Compared without regard to case.
    pub id: String,
    /// Title, with the unit named.
    pub title: Text,
    /// What it shows and what it does not.
    pub description: Text,
    /// What one unit of the value is: `person`, `case`, `per_100000`, `share`.
    pub unit: String,
    /// How double counting is avoided.
    pub counting_rule: Text,
    /// The date that places a unit in a period.
    pub time_basis: Text,
    /// The published dimensions, time excepted (it is the column `time_period`).
    pub dimensions: Vec<Dimension>,
    /// Agency groups whose records enter.
    #[serde(default)]
    pub agencies: Vec<String>,
    /// Standards it follows: `GLOTIP`, `SDG 16.2.2`.
    #[serde(default)]
    pub standard: Vec<String>,
    /// `std`, `sens` or `high` (privacy.md 6.6).
    pub sensitivity: String,
    /// First edition or date that published it.
    pub since: String,
}

/// One code of a list with its labels and roll-ups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeEntry {
    /// The code, exactly as it stands in the data.
    pub code: String,
    /// English label.
    pub en: String,
    /// Urdu label.
    pub ur: String,
    /// The code above it in the same list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Roll-ups and other attributes by name: `act` of a section of law, `region` of a country.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// A closed code list; `reference.<name>` in SQL, `/v1/code-lists/<name>` over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeListMeta {
    /// Name, lower case with underscores.
    pub name: String,
    /// Version of the list.
    pub version: String,
    /// Where the codes come from.
    pub source: String,
    /// True while the list awaits an official source.
    #[serde(default)]
    pub provisional: bool,
    /// The codes in their official order.
    pub codes: Vec<CodeEntry>,
}

/// One denominator: resident population (domain.md 6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PopulationRow {
    /// Calendar year.
    pub year: i32,
    /// Code of `reference.province`, or `_T` for the total of the provinces that have a figure.
    pub province: String,
    /// Code of `reference.sex`, or `_T`.
    pub sex: String,
    /// Code of `reference.age_group`, or `_T`.
    pub age_group: String,
    /// Persons.
    pub population: i64,
    /// How the figure was made: `census`, `projection`, …
    pub method: String,
    /// Who published it.
    pub source: String,
}

/// Everything a reader may know about the numbers before there is any.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    /// Definitions in the order in which they are listed.
    pub indicators: Vec<IndicatorMeta>,
    /// Code lists in the order in which they are listed.
    pub code_lists: Vec<CodeListMeta>,
    /// Denominators.
    pub population: Vec<PopulationRow>,
    /// Published tables by which the sparsity of questions is judged; without one of a dataset it is not.
    pub counted: Vec<CountedTable>,
}

impl Catalogue {
    /// The definition of an indicator, found without regard to case.
    pub fn indicator(&self, id: &str) -> Option<&IndicatorMeta> {
        self.indicators.iter().find(|i| i.id.eq_ignore_ascii_case(id))
    }

    /// A code list, found without regard to case.
    pub fn code_list(&self, name: &str) -> Option<&CodeListMeta> {
        self.code_lists.iter().find(|l| l.name.eq_ignore_ascii_case(name))
    }
}

impl IndicatorMeta {
    /// The dimension of that name, found without regard to case.
    pub fn dimension(&self, name: &str) -> Option<&Dimension> {
        self.dimensions.iter().find(|d| d.name.eq_ignore_ascii_case(name))
    }
}
