//! Forms that others send to be filled in (GLOTIP, SDG 16.2.2, the TIP report), filled from one edition.
//!
//! A form is a list of tables; a table names an indicator, a measure and the codes of its rows and columns ([`forms`]). Every
//! cell is a published one with its flag, or says that none is published: nothing is computed here, and no cell is left empty
//! or made zero because it is hidden.
//!
//! Absent: HTTP, files (`endpoint` writes them); the numbering of forms that were not at hand.

mod forms;

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use crate::catalogue::{Catalogue, Text};
use crate::current::Current;
use crate::editions::EditionMeta;
use crate::selection::{Selection, Unselected, Why};

pub use forms::{Axis, FORMS, Form, Table};

/// The code of all.
const TOTAL: &str = "_T";
/// Dimensions of a cell: which code in which.
pub type Codes = BTreeMap<String, String>;

/// A form with its numbers.
#[derive(Debug, Clone)]
pub struct Filled {
    /// The form.
    pub form: &'static Form,
    /// The edition that filled it.
    pub edition: EditionMeta,
    /// The period, as published: `2024` or `FY2024-25`.
    pub period: String,
    /// Its tables, in order.
    pub tables: Vec<FilledTable>,
}

/// A table of a form with its numbers.
#[derive(Debug, Clone)]
pub struct FilledTable {
    /// What it asks for.
    pub table: &'static Table,
    /// Labels of its rows.
    pub rows: Vec<Text>,
    /// Labels of its columns.
    pub columns: Vec<Text>,
    /// Its cells, row by row.
    pub cells: Vec<Vec<Cell>>,
}

/// A cell of a form: where it stands in the edition, and what the edition says there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Id of the indicator.
    pub indicator: String,
    /// Its measure.
    pub measure: String,
    /// Codes that are no totals.
    pub codes: Codes,
    /// The value and the ends of its interval, as written; none where it is not shown.
    pub value: Option<[String; 3]>,
    /// SDMX observation status. `O` where the edition publishes no such cell.
    pub status: String,
    /// What one of the value is; empty where there is none.
    pub unit: String,
}

/// The status of a cell that the edition does not publish: SDMX, missing value.
pub const NOT_PUBLISHED: &str = "O";

/// Finds a form by its id.
///
/// # Errors
/// [`Why::UnknownIndicator`] with those that there are.
pub fn form(id: &str) -> Result<&'static Form, Unselected> {
    FORMS.iter().find(|form| form.id.eq_ignore_ascii_case(id)).ok_or_else(|| {
        let known: Vec<&str> = FORMS.iter().map(|form| form.id).collect();
        let hint = format!("A questionnaire is one of {}.", known.join(", "));
        Unselected::new(Why::UnknownIndicator, "There is no such questionnaire.", hint)
    })
}

/// The period of a year as published: a calendar year, or the fiscal year that begins in its July.
pub fn period(year: u16, fiscal: bool) -> String {
    if fiscal { format!("FY{year}-{:02}", (year + 1) % 100) } else { year.to_string() }
}

/// Fills a form from an edition; the latest where none is named.
///
/// # Errors
/// [`Why::NoEdition`], [`Why::UnknownEdition`], [`Why::Internal`].
pub fn fill(
    catalogue: &Catalogue,
    current: &Current,
    form: &'static Form,
    edition: Option<u32>,
    period: &str,
) -> Result<Filled, Unselected> {
    let edition = current.edition_numbered(edition)?.clone();
    let tables = form.tables.iter().map(|table| filled(catalogue, current, table, edition.edition, period));
    let tables = tables.collect::<Result<_, _>>()?;
    Ok(Filled { form, edition, period: period.to_owned(), tables })
}

fn filled(
    catalogue: &Catalogue,
    current: &Current,
    table: &'static Table,
    edition: u32,
    period: &str,
) -> Result<FilledTable, Unselected> {
    let told = Told::of(catalogue, current, table.indicator, edition, period)?;
    let [rows, columns] = [table.rows, table.columns].map(|axis| steps(catalogue, &told, table, axis));
    let row = |row: &Step| columns.iter().map(|column| told.cell(table, row, column)).collect();
    Ok(FilledTable {
        table,
        cells: rows.iter().map(row).collect(),
        rows: rows.into_iter().map(|step| step.label).collect(),
        columns: columns.into_iter().map(|step| step.label).collect(),
    })
}

/// One place on an axis.
struct Step {
    label: Text,
    /// Measure, where the axis is one of measures.
    measure: Option<&'static str>,
    code: Option<(&'static str, String)>,
    /// All that is hidden beside the codes that are shown: known to be suppressed.
    others: bool,
}

/// The places of an axis.
fn steps(catalogue: &Catalogue, told: &Told, table: &Table, axis: Axis) -> Vec<Step> {
    let step = |label, code| Step { label, measure: None, code, others: false };
    let named = |dimension: &'static str, code: &str| {
        step(label(catalogue, table.indicator, dimension, code), Some((dimension, code.to_owned())))
    };
    match axis {
        Axis::Total => vec![step(both("Total", "کل"), None)],
        Axis::Measures(measures) => {
            let of = |&(measure, en, ur)| Step { measure: Some(measure), ..step(both(en, ur), None) };
            measures.iter().map(of).collect()
        }
        Axis::Codes(dimension, codes) => codes.iter().map(|code| named(dimension, code)).collect(),
        Axis::List(dimension) => {
            let codes = codes_of(catalogue, table.indicator, dimension);
            codes.iter().map(|code| named(dimension, code)).chain([named(dimension, TOTAL)]).collect()
        }
        Axis::Shown(dimension) => {
            let codes = codes_of(catalogue, table.indicator, dimension);
            let shown = codes.iter().filter(|code| told.shows(table.measure, dimension, code));
            let mut steps: Vec<Step> = shown.map(|code| named(dimension, code)).collect();
            steps.push(Step { others: true, ..step(both("All others", "باقی تمام"), None) });
            steps.push(named(dimension, TOTAL));
            steps
        }
    }
}

fn both(en: &str, ur: &str) -> Text {
    Text { en: en.to_owned(), ur: ur.to_owned() }
}

/// The codes of a dimension's list, in its order, the unknown last.
fn codes_of(catalogue: &Catalogue, indicator: &str, dimension: &str) -> Vec<String> {
    let list = catalogue.indicator(indicator).and_then(|meta| meta.dimension(dimension)?.code_list.as_deref());
    let list = list.and_then(|name| catalogue.code_list(name));
    let mut codes: Vec<String> = list.into_iter().flat_map(|list| &list.codes).map(|code| code.code.clone()).collect();
    codes.sort_by_key(|code| code == "_X");
    codes
}

fn label(catalogue: &Catalogue, indicator: &str, dimension: &str, code: &str) -> Text {
    if code == TOTAL {
        return both("Total", "کل");
    }
    let list = catalogue.indicator(indicator).and_then(|meta| meta.dimension(dimension)?.code_list.as_deref());
    let found = list.and_then(|name| catalogue.code_list(name)?.codes.iter().find(|known| known.code == code));
    found.map_or_else(|| both(code, code), |known| both(&known.en, &known.ur))
}

/// What an edition says of an indicator in a period.
struct Told {
    dimensions: Vec<String>,
    /// By measure and codes of all dimensions.
    cells: BTreeMap<(String, Vec<String>), Said>,
}

struct Said {
    value: Option<[String; 3]>,
    status: String,
    unit: String,
}

impl Told {
    /// Nothing, where the indicator is not published or has no such period.
    fn of(catalogue: &Catalogue, current: &Current, id: &str, edition: u32, period: &str) -> Result<Self, Unselected> {
        let nothing = Self { dimensions: Vec::new(), cells: BTreeMap::new() };
        let Some(meta) = catalogue.indicator(id) else { return Ok(nothing) };
        let number = edition.to_string();
        let selection = Selection::new(catalogue, id, [("edition", number.as_str()), ("time_period", period)])?;
        let rows = current.rows(&selection)?;
        let dimensions: Vec<String> = meta.dimensions.iter().map(|dimension| dimension.name.clone()).collect();
        Self::read(dimensions, &rows.batch).map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "an edition in memory does not have its columns");
            Unselected::new(Why::Internal, "The rows could not be read; the fault is ours.", "")
        })
    }

    fn read(dimensions: Vec<String>, batch: &RecordBatch) -> Result<Self, ArrowError> {
        let text = |name: &str| texts(batch, name);
        let (measure, status, unit) = (text("measure")?, text("obs_status")?, text("unit")?);
        let [value, lo, hi] = ["value", "lo95", "hi95"].map(text);
        let (value, lo, hi) = (value?, lo?, hi?);
        let codes = dimensions.iter().map(|name| text(name)).collect::<Result<Vec<_>, _>>()?;
        let of = |column: &[Option<String>], row: usize| column[row].clone().unwrap_or_default();
        let cell = |row: usize| {
            let number = |column: &[Option<String>]| column[row].as_deref().map(|text| plain(text).to_owned());
            let value = number(&value).zip(number(&lo)).zip(number(&hi)).map(|((value, lo), hi)| [value, lo, hi]);
            let at = codes.iter().map(|column| of(column, row)).collect();
            ((of(&measure, row), at), Said { value, status: of(&status, row), unit: of(&unit, row) })
        };
        let cells = (0..batch.num_rows()).map(cell).collect();
        Ok(Self { dimensions, cells })
    }

    /// None where the edition has no such cell, nor a dimension that it would stand on.
    fn find(&self, measure: &str, codes: &Codes) -> Option<&Said> {
        if codes.keys().any(|name| !self.dimensions.contains(name)) {
            return None;
        }
        let at = self.dimensions.iter().map(|name| codes.get(name).map_or(TOTAL, String::as_str).to_owned()).collect();
        self.cells.get(&(measure.to_owned(), at))
    }

    /// Whether a code has any value beside totals.
    fn shows(&self, measure: &str, dimension: &str, code: &str) -> bool {
        let codes = Codes::from([(dimension.to_owned(), code.to_owned())]);
        self.find(measure, &codes).is_some_and(|said| said.value.is_some())
    }

    fn cell(&self, table: &Table, row: &Step, column: &Step) -> Cell {
        let measure = row.measure.or(column.measure).unwrap_or(table.measure);
        let fixed = table.only.iter().map(|(dimension, code)| ((*dimension).to_owned(), (*code).to_owned()));
        let chosen = [row, column].into_iter().filter_map(|step| step.code.clone());
        let chosen = chosen.map(|(dimension, code)| (dimension.to_owned(), code));
        let codes: Codes = fixed.chain(chosen).filter(|(_, code)| code != TOTAL).collect();
        let (indicator, measure) = (table.indicator.to_owned(), measure.to_owned());
        let none = |status: &str| (None, status.to_owned(), String::new());
        let (value, status, unit) = match self.find(&measure, &codes) {
            _ if (row.others || column.others) && !self.cells.is_empty() => none("Q"),
            Some(said) => (said.value.clone(), said.status.clone(), said.unit.clone()),
            None => none(NOT_PUBLISHED),
        };
        Cell { indicator, measure, codes, value, status, unit }
    }
}

impl Filled {
    /// The flags that occur, ascending.
    pub fn flags(&self) -> BTreeSet<&str> {
        let cells = self.tables.iter().flat_map(|table| table.cells.iter().flatten());
        cells.map(|cell| cell.status.as_str()).collect()
    }
}

/// A decimal without zeros after the point.
fn plain(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

fn texts(batch: &RecordBatch, name: &str) -> Result<Vec<Option<String>>, ArrowError> {
    let column = batch.column_by_name(name);
    let column = column.ok_or_else(|| ArrowError::SchemaError(format!("there is no column {name}")))?;
    let column = cast(column, &DataType::Utf8)?;
    let column = column.as_string::<i32>();
    Ok((0..column.len()).map(|row| column.is_valid(row).then(|| column.value(row).to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_found_by_its_name_and_another_is_refused_with_those_that_there_are() {
        assert_eq!(form("GLOTIP").unwrap().id, "glotip");
        assert!(form("census").unwrap_err().hint.contains("glotip, sdg, tip-report"));
    }

    #[test]
    fn a_fiscal_year_begins_in_july() {
        assert_eq!([period(2024, false), period(2024, true), period(1999, true)], ["2024", "FY2024-25", "FY1999-00"]);
    }

    #[test]
    fn every_table_says_in_both_languages_what_it_asks_for() {
        for table in FORMS.iter().flat_map(|form| form.tables) {
            assert!(!table.title.0.is_empty() && !table.title.1.is_empty() && table.title.0 != table.title.1);
        }
    }
}
