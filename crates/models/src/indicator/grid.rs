//! From a table of an indicator's file to a `TableQuery`: codes by name become codes by number, periods become codes.

use std::collections::{BTreeMap, BTreeSet};

use disclosure::{Dimension, Measure, TableQuery};
use events::code_list::{self, CodeList};
use policy::{Count, MeasureColumn, Policy, Resolved, TimeLevel};

use super::file::{Except, Select, Table};

/// The code of an unknown quarter: the record is known only by its year.
pub const UNKNOWN_QUARTER: u16 = policy::time::UNKNOWN;

/// The years of an edition: fifteen, ending with that of its `as_of` (domain, 7: "15-year trend").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Years {
    /// First year.
    pub first: u16,
    /// Last year.
    pub last: u16,
}

impl Years {
    /// Fifteen years ending with this one.
    pub fn ending(last: u16) -> Self {
        Self { first: last - 14, last }
    }
}

/// Why a table of a file is no question.
#[derive(Debug, thiserror::Error)]
pub enum GridError {
    /// The policy has no such dataset.
    #[error("the policy has no dataset `{0}`")]
    Dataset(String),
    /// The dataset has no such column or level.
    #[error("dataset `{dataset}` has no column or level `{name}`")]
    Dimension {
        /// The dataset.
        dataset: String,
        /// The name.
        name: String,
    },
    /// The code list has no such code.
    #[error("`{name}` has no code `{code}`")]
    Code {
        /// The dimension.
        name: String,
        /// The code.
        code: String,
    },
}

/// The code of a quarter, 1 to 4.
pub fn quarter_code(year: u16, quarter: u16) -> u16 {
    (year - 1900) * 4 + (quarter - 1)
}

/// `2024-Q1`, or `_X`.
pub fn quarter_name(code: u16) -> String {
    TimeLevel::Quarter.label(code)
}

/// `FY2024-25`, July 2024 to June 2025. The letters tell it from a month, as which `2011-12` would be read.
pub fn fiscal_year_name(first: u16) -> String {
    format!("FY{}", TimeLevel::FiscalYear.label(first))
}

/// The column of `published` in which a dimension stands; none for time.
///
/// Levels with one list of codes, or of one sense in different datasets, share a column: where victims were exploited is the
/// province, where they were recruited the origin; a verdict and a sentence are outcomes of a trial; the bands of a measure are those of the
/// measure that the row names.
pub fn published_column(dimension: &str) -> Option<&'static str> {
    match dimension {
        name if TimeLevel::from_name(name).is_some() => None,
        "outcome_6" | "outcome_12" | "verdict" | "sentence" => Some("outcome"),
        "place_exploited_province" => Some("province"),
        "place_recruited_province" => Some("origin"),
        "to_country" | "from_country" => Some("country"),
        "assistance" => Some("service"),
        "to_body" | "lead_agency_group" => Some("agency_group"),
        name => {
            crate::edition::DIMENSIONS.iter().find(|column| **column == name).copied().or_else(|| band_column(name))
        }
    }
}

/// The column of bands. Ages have a list of their own and are no bands of a measure.
fn band_column(level: &str) -> Option<&'static str> {
    (level.ends_with("_band") && level != "age_band").then_some("band")
}

/// A range of values of a measure, as `published` and its code list have it. Ranges of several measures are one list: the unit
/// is that of the measure that a row names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Band {
    low: i64,
    /// None where it is open.
    last: Option<i64>,
}

impl Band {
    /// `0`, `6-11`, `240_or_more`: an id of SDMX, which the policy's `240+` is not.
    pub fn code(&self) -> String {
        match self.last {
            Some(last) if last == self.low => self.low.to_string(),
            Some(last) => format!("{}-{last}", self.low),
            None => format!("{}_or_more", self.low),
        }
    }

    /// Its edges: it holds the lower one and not the upper one, which of an open band is the measure's bound.
    pub(crate) fn edges(measure: &MeasureColumn) -> impl Iterator<Item = (String, i64, i64)> {
        Self::of(measure).into_iter().zip(measure.bins.windows(2)).map(|(band, edge)| (band.code(), edge[0], edge[1]))
    }

    /// In English.
    pub fn en(&self) -> String {
        match self.last {
            Some(last) if last == self.low => self.low.to_string(),
            Some(last) => format!("{} to {last}", self.low),
            None => format!("{} or more", self.low),
        }
    }

    /// In Urdu. A number alone is one in every language.
    pub fn ur(&self) -> String {
        match self.last {
            Some(last) if last == self.low => self.low.to_string(),
            Some(last) => format!("{} تا {last}", self.low),
            None => format!("{} یا زیادہ", self.low),
        }
    }

    /// The bands of a measure, ascending; the last one is open.
    fn of(measure: &MeasureColumn) -> Vec<Self> {
        let edges = measure.bins.windows(2);
        let mut bands: Vec<Self> = edges.map(|edge| Self { low: edge[0], last: Some(edge[1] - 1) }).collect();
        if let Some(open) = bands.last_mut() {
            open.last = None;
        }
        bands
    }
}

/// The bands of all measures of a policy, ascending, each once.
pub fn bands(policy: &Policy) -> BTreeSet<Band> {
    policy.datasets.iter().flat_map(|dataset| dataset.measures.values()).flat_map(Band::of).collect()
}

impl Table {
    /// The question that this table asks.
    pub fn query(&self, policy: &Policy, years: Years) -> Result<TableQuery, GridError> {
        let by = self.by.iter().map(|name| self.dimension(name, policy, years)).collect::<Result<_, _>>()?;
        Ok(TableQuery {
            dataset: self.dataset.clone(),
            measure: self.sum.clone().map_or(Measure::Units, Measure::Sum),
            population: self.population(policy)?,
            by,
        })
    }

    /// Whether the policy has its dataset and all its levels. That the default one has them for every table is tested.
    pub fn is_known(&self, policy: &Policy) -> bool {
        let names = || self.by.iter().chain(self.population.keys());
        let sums = |dataset: &policy::Dataset| self.sum.as_ref().is_none_or(|sum| dataset.measures.contains_key(sum));
        let has = |dataset: &policy::Dataset| names().all(|name| dataset.resolve(name).is_some()) && sums(dataset);
        policy.datasets.get(&self.dataset).is_some_and(has)
    }

    /// Whether the policy declares the table exact: an act of the state on a declared grid.
    pub fn is_exact(&self, policy: &Policy) -> bool {
        let by: Vec<&str> = self.by.iter().map(String::as_str).collect();
        let Some(dataset) = policy.datasets.get(&self.dataset).filter(|_| self.sum.is_none()) else { return false };
        self.population(policy).is_ok_and(|population| dataset.is_declared(Count::Unit, &by, &population))
    }

    /// Whether any cell is exact: the table, or its totals by period.
    pub fn has_exact_cells(&self, policy: &Policy) -> bool {
        let totals = Self { by: self.by.iter().take(1).cloned().collect(), ..self.clone() };
        self.is_exact(policy) || (self.by.len() > 1 && totals.is_exact(policy))
    }

    /// A code of one of its dimensions as `published` has it.
    pub(crate) fn code_text(&self, name: &str, code: u16, policy: &Policy) -> Result<String, GridError> {
        let unknown = || GridError::Dimension { dataset: self.dataset.clone(), name: name.to_owned() };
        let dataset = policy.datasets.get(&self.dataset).ok_or_else(|| GridError::Dataset(self.dataset.clone()))?;
        if let Some(Resolved::Band(measure)) = dataset.resolve(name) {
            // What no band has is unknown.
            let band = Band::of(measure).into_iter().nth(code.into());
            return Ok(band.map_or_else(|| code_list::UNKNOWN.to_owned(), |band| band.code()));
        }
        dataset.code_text(name, code).ok_or_else(unknown)
    }

    /// The code list of a dimension that is neither a period nor a band.
    pub fn list(&self, name: &str, policy: &Policy) -> Result<&'static CodeList, GridError> {
        let dataset = policy.datasets.get(&self.dataset).ok_or_else(|| GridError::Dataset(self.dataset.clone()))?;
        let unknown = || GridError::Dimension { dataset: self.dataset.clone(), name: name.to_owned() };
        let list = dataset.resolve(name).ok_or_else(unknown)?.list().ok_or_else(unknown)?.to_owned();
        Ok(code_list::list(&list))
    }

    /// Every code of a list, or every band of a measure.
    fn all_codes(&self, name: &str, policy: &Policy) -> Result<Vec<u16>, GridError> {
        match policy.datasets.get(&self.dataset).and_then(|dataset| dataset.resolve(name)) {
            Some(Resolved::Band(measure)) => Ok((0..=measure.unknown()).collect()),
            _ => Ok((0..self.list(name, policy)?.codes.len() as u16).collect()),
        }
    }

    pub(crate) fn population(&self, policy: &Policy) -> Result<BTreeMap<String, Vec<u16>>, GridError> {
        let codes =
            |(name, select): (&String, &Select)| Ok((name.clone(), chosen(name, self.list(name, policy)?, select)?));
        self.population.iter().map(codes).collect()
    }

    fn dimension(&self, name: &str, policy: &Policy, years: Years) -> Result<Dimension, GridError> {
        let range = years.first..=years.last;
        match name {
            "year" => return Ok(Dimension::codes("year", range.collect())),
            "quarter" => {
                let mut codes: Vec<u16> =
                    range.flat_map(|year| (1..=4).map(move |quarter| quarter_code(year, quarter))).collect();
                let mut of_year: Vec<Option<u16>> = codes.iter().map(|code| Some(1900 + code / 4)).collect();
                codes.push(UNKNOWN_QUARTER);
                of_year.push(None);
                return Ok(Dimension::codes("quarter", codes).rolling_up_to("year", of_year));
            }
            _ => {}
        }
        let codes = match self.codes.get(name) {
            Some(select) => chosen(name, self.list(name, policy)?, select)?,
            None => self.all_codes(name, policy)?,
        };
        let dimension = Dimension::codes(name, codes);
        Ok(if self.total.get(name) == Some(&false) { dimension } else { dimension.with_total() })
    }
}

fn chosen(name: &str, list: &CodeList, select: &Select) -> Result<Vec<u16>, GridError> {
    let missing = |code: &str| GridError::Code { name: name.to_owned(), code: code.to_owned() };
    let named = |codes: &[String]| -> Result<Vec<u16>, GridError> {
        codes.iter().map(|code| list.code(code).ok_or_else(|| missing(code))).collect()
    };
    let mut codes = match select {
        Select::Codes(codes) => named(codes)?,
        Select::Except(Except { except }) => {
            let except = named(except)?;
            (0..list.codes.len() as u16).filter(|code| !except.contains(code)).collect()
        }
        Select::Attributes(wanted) => {
            let has =
                |code: &events::code_list::Code| wanted.iter().all(|(key, value)| code.attrs.get(key) == Some(value));
            (0..).zip(&list.codes).filter(|(_, code)| has(code)).map(|(index, _)| index).collect()
        }
    };
    codes.sort_unstable();
    if codes.is_empty() {
        return Err(missing("(any with these attributes)"));
    }
    Ok(codes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_and_its_code_are_the_same_thing() {
        assert_eq!(quarter_name(quarter_code(2024, 1)), "2024-Q1");
        assert_eq!(quarter_name(quarter_code(2011, 4)), "2011-Q4");
        assert_eq!(quarter_name(UNKNOWN_QUARTER), "_X");
    }

    #[test]
    fn a_band_is_written_as_the_policy_writes_it_but_for_an_id_of_sdmx() {
        let policy = Policy::default();
        let judgments = policy.datasets.get("judgments").unwrap();
        let measure = &judgments.measures["imprisonment_months"];
        let table = Table { dataset: "judgments".into(), ..Table::default() };
        for code in 0..=measure.unknown() {
            let text = table.code_text("imprisonment_months_band", code, &policy).unwrap();
            assert_eq!(text, measure.band_text(code).unwrap().replace('+', "_or_more"));
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)), "{text}");
        }
        assert_eq!(bands(&policy).iter().filter(|band| band.code() == "0").count(), 1, "each once");
    }

    #[test]
    fn an_edition_speaks_of_fifteen_years() {
        assert_eq!(Years::ending(2025), Years { first: 2011, last: 2025 });
    }
}
