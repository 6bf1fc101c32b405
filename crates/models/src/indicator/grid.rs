//! From a table of an indicator's file to a `TableQuery`: codes by name become codes by number, periods become codes.

use std::collections::BTreeMap;

use disclosure::{Dimension, Measure, TableQuery};
use events::code_list::{self, CodeList};
use policy::{Count, Policy, TimeLevel};

use super::file::{Select, Table};

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

/// The column of `published` in which a dimension stands; none for time.
pub fn published_column(dimension: &str) -> Option<&'static str> {
    match dimension {
        "year" | "quarter" => None,
        "outcome_6" | "outcome_12" => Some("outcome"),
        name => crate::edition::DIMENSIONS.iter().find(|column| **column == name).copied(),
    }
}

impl Table {
    /// The question that this table asks.
    pub fn query(&self, policy: &Policy, years: Years) -> Result<TableQuery, GridError> {
        let by = self.by.iter().map(|name| self.dimension(name, policy, years)).collect::<Result<_, _>>()?;
        Ok(TableQuery {
            dataset: self.dataset.clone(),
            measure: Measure::Units,
            population: self.population(policy)?,
            by,
        })
    }

    /// Whether the policy has its dataset, with every column that it names.
    pub fn is_known(&self, policy: &Policy) -> bool {
        let Some(dataset) = policy.datasets.get(&self.dataset) else { return false };
        self.by.iter().chain(self.population.keys()).all(|name| dataset.resolve(name).is_some())
    }

    /// Whether the policy declares the table exact: an act of the state on a declared grid.
    pub fn is_exact(&self, policy: &Policy) -> bool {
        let by: Vec<&str> = self.by.iter().map(String::as_str).collect();
        let Some(dataset) = policy.datasets.get(&self.dataset) else { return false };
        self.population(policy).is_ok_and(|population| dataset.is_declared(Count::Unit, &by, &population))
    }

    /// Whether any cell is exact: the table, or its totals by period.
    pub fn has_exact_cells(&self, policy: &Policy) -> bool {
        let totals = Self { by: self.by.iter().take(1).cloned().collect(), ..self.clone() };
        self.is_exact(policy) || (self.by.len() > 1 && totals.is_exact(policy))
    }

    /// The code list of a dimension that is no period.
    pub fn list(&self, name: &str, policy: &Policy) -> Result<&'static CodeList, GridError> {
        let dataset = policy.datasets.get(&self.dataset).ok_or_else(|| GridError::Dataset(self.dataset.clone()))?;
        let unknown = || GridError::Dimension { dataset: self.dataset.clone(), name: name.to_owned() };
        let list = dataset.resolve(name).ok_or_else(unknown)?.list().ok_or_else(unknown)?.to_owned();
        Ok(code_list::list(&list))
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
        let list = self.list(name, policy)?;
        let codes = match self.codes.get(name) {
            Some(select) => chosen(name, list, select)?,
            None => (0..list.codes.len() as u16).collect(),
        };
        let dimension = Dimension::codes(name, codes);
        Ok(if self.total.get(name) == Some(&false) { dimension } else { dimension.with_total() })
    }
}

fn chosen(name: &str, list: &CodeList, select: &Select) -> Result<Vec<u16>, GridError> {
    let missing = |code: &str| GridError::Code { name: name.to_owned(), code: code.to_owned() };
    let mut codes = match select {
        Select::Codes(codes) => {
            codes.iter().map(|code| list.code(code).ok_or_else(|| missing(code))).collect::<Result<Vec<u16>, _>>()?
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
    fn an_edition_speaks_of_fifteen_years() {
        assert_eq!(Years::ending(2025), Years { first: 2011, last: 2025 });
    }
}
