//! The form of an indicator's file.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Indicator;

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// English.
    pub en: String,
    /// Urdu.
    pub ur: String,
}

/// A selection of codes of a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Select {
    /// These codes.
    Codes(Vec<String>),
    /// All codes but these.
    Except(Except),
    /// Codes with these attributes in their code list, for instance `{ act: PTPA }`.
    Attributes(BTreeMap<String, String>),
}

/// Codes that are left out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Except {
    /// The codes.
    pub except: Vec<String>,
}

/// A table that is counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Name of the measure in `published`.
    pub measure: String,
    /// Dataset of the policy.
    pub dataset: String,
    /// Who is counted.
    #[serde(rename = "where", default)]
    pub population: BTreeMap<String, Select>,
    /// Dimensions; the first is the period.
    pub by: Vec<String>,
    /// The measure column of the dataset that is summed; without one, units are counted. A sum is never exact: its noise is as
    /// wide as the column's public bounds, and what few make up is hidden (privacy.md 6.5, 6.6 rule 5).
    #[serde(default)]
    pub sum: Option<String>,
    /// What one of its values is, where that is not the indicator's unit.
    #[serde(default)]
    pub unit: Option<String>,
    /// Codes shown of a dimension, where not all of its list.
    #[serde(default)]
    pub codes: BTreeMap<String, Select>,
    /// Dimensions that have no total (default: every one but time has).
    #[serde(default)]
    pub total: BTreeMap<String, bool>,
    /// Codes of a dimension that are measures of their own and no column of `published`: those of the persons referred
    /// who were served. The total bears the table's own name; codes that are not named are counted and protected with
    /// the others, so that what is not said cannot be computed, and are not published.
    #[serde(default)]
    pub parts: Option<Parts>,
    /// Facts of the last so many days before the edition may still change the value: provisional.
    #[serde(default)]
    pub provisional_days: Option<i32>,
}

/// Codes that are measures of their own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parts {
    /// The dimension; it has a total.
    pub of: String,
    /// Name of the measure by code.
    pub measures: BTreeMap<String, String>,
}

/// A share of released values, in percent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Name of the measure.
    pub measure: String,
    /// The numerator; and the denominator, where `to` is not given.
    pub of: Part,
    /// The denominator, cell by cell.
    #[serde(default)]
    pub to: Option<Part>,
    /// Codes of dimensions of its own, in place of the last one of `of`: which field is complete, where shares of several
    /// tables stand in one measure.
    #[serde(default)]
    pub at: BTreeMap<String, String>,
    /// Whether it is what the share leaves of the whole: of the unknown, the known.
    #[serde(default)]
    pub complement: bool,
}

/// Quantiles of a measure, from the released cells of its public bands (privacy.md 6.5, *Quantile*).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantiles {
    /// The cells; the last dimension is the measure's bands.
    pub of: Part,
    /// Bands that are no value: of who is not imprisoned, there is no length.
    #[serde(default)]
    pub without: Vec<String>,
    /// What one of the measure is: `day`, `month`, `pkr`.
    pub unit: String,
    /// Name of each, by percent: 50 is the median.
    pub measures: BTreeMap<u8, String>,
}

/// A change of what was first published, by what editions said later.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revision {
    /// Name of the measure.
    pub measure: String,
    /// After so many quarters.
    pub quarters: u16,
}

/// A rate of released values.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Name of the measure.
    pub measure: String,
    /// The numerator.
    pub of: Part,
    /// Per so many of the population.
    pub per: i64,
    /// Codes of a dimension for which there is no denominator.
    #[serde(default)]
    pub not_collected: BTreeMap<String, Vec<String>>,
}

impl Share {
    /// The levels on which it stands: of its part, where the last one is not replaced by codes of its own.
    pub(super) fn levels(&self) -> impl Iterator<Item = &String> {
        let kept = self.of.by.len() - usize::from(!self.at.is_empty() && !self.of.by.is_empty());
        self.of.by[..kept].iter().chain(self.at.keys())
    }
}

impl Rate {
    /// Whether the persons of a policy are inhabitants of the territory that `reference.population` counts.
    pub fn is_of(&self, policy: &policy::Policy) -> bool {
        policy.datasets.population() == Some(crate::edition::TERRITORY)
    }
}

/// Cells of a table of this edition.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Whose table.
    pub indicator: String,
    /// Which measure.
    pub measure: String,
    /// Over which dimensions; the others at their total.
    pub by: Vec<String>,
    /// Codes of the last dimension that are added up above the line.
    #[serde(default)]
    pub numerator: Vec<String>,
    /// Codes of the last dimension that are added up below the line.
    #[serde(default)]
    pub denominator: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    title: Text,
    description: Text,
    unit: String,
    counting_rule: Text,
    time_basis: Text,
    agencies: Vec<String>,
    standard: Vec<String>,
    sensitivity: String,
    since: String,
    #[serde(default)]
    tables: Vec<Table>,
    #[serde(default)]
    shares: Vec<Share>,
    #[serde(default)]
    quantiles: Vec<Quantiles>,
    #[serde(default)]
    revisions: Vec<Revision>,
    #[serde(default)]
    rate: Option<Rate>,
}

impl Indicator {
    /// Reads a file.
    pub fn parse(text: &str) -> Result<Self, serde_norway::Error> {
        let File {
            id,
            title,
            description,
            unit,
            counting_rule,
            time_basis,
            agencies,
            standard,
            sensitivity,
            since,
            tables,
            shares,
            quantiles,
            revisions,
            rate,
        } = serde_norway::from_str(text)?;
        Ok(Self {
            id,
            title,
            description,
            unit,
            counting_rule,
            time_basis,
            agencies,
            standard,
            sensitivity,
            since,
            tables,
            shares,
            quantiles,
            revisions,
            rate,
        })
    }
}
