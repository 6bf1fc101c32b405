//! The rows of one indicator of one edition, chosen by filters: the road of the indicator API.
//!
//! Filters are names and texts as they stand in a query string. They are checked against the catalogue before any row is
//! read, so that what is refused does not depend on the data (privacy.md 6.11). Absent: HTTP, and the forms of an answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use arrow::array::{ArrayRef, AsArray, BooleanArray, StringArray};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use chrono::NaiveDate;

use crate::catalogue::{Catalogue, Dimension, IndicatorMeta};
use crate::current::Current;
use crate::editions::EditionMeta;
use crate::known::{self, NotKnown};
use crate::names;

/// Codes that any dimension may have beside those of its list: total, not applicable, unknown.
pub const COMMON_CODES: [&str; 3] = ["_T", "_Z", "_X"];

/// Filters that every indicator has, beside its dimensions.
pub const COMMON_FILTERS: [&str; 6] = ["measure", "time_period", "from", "to", "edition", "as_known_on"];

/// Columns after the dimensions, in order.
const AFTER: [&str; 6] = ["value", "lo95", "hi95", "obs_status", "conf_status", "unit"];

/// More codes than this are not listed in a hint.
const LISTED: usize = 16;

/// Which rows of an indicator are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Id of the indicator, as the catalogue writes it.
    pub indicator: String,
    /// Number of the edition; None for the latest.
    pub edition: Option<u32>,
    /// The date of what is asked for in place of an edition; [`Selection::at`] finds which that is.
    pub as_known_on: Option<NaiveDate>,
    measures: BTreeSet<String>,
    periods: BTreeSet<String>,
    from: Option<Period>,
    to: Option<Period>,
    codes: BTreeMap<String, BTreeSet<String>>,
}

/// The rows of a selection, in the order of the edition.
#[derive(Debug, Clone)]
pub struct Rows {
    /// The edition that they are of.
    pub edition: EditionMeta,
    /// Columns: `measure`, `time_period`, the dimensions of the indicator, `value`, `lo95`, `hi95`, `obs_status`,
    /// `conf_status`, `unit`.
    pub batch: RecordBatch,
}

/// What of an indicator an edition holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Available {
    /// Its measures, in the order of the edition.
    pub measures: Vec<String>,
    /// Its periods, ascending; what is no period (`_X`) is last.
    pub periods: Vec<String>,
    /// Number of its rows.
    pub rows: usize,
}

/// Why a selection cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// No such indicator.
    UnknownIndicator,
    /// Neither a dimension of the indicator nor a common filter.
    UnknownFilter,
    /// Not a code of the dimension's list, or not a measure of the indicator.
    UnknownCode,
    /// Not a year, a quarter, a fiscal year or a number; or a range that ends before it begins.
    Malformed,
    /// Nothing has been published yet.
    NoEdition,
    /// No edition of that number.
    UnknownEdition,
    /// No edition that was known on that date.
    NoEditionOnDate,
    /// The edition in memory does not have the columns of an edition; a defect of ours.
    Internal,
}

/// A selection that cannot be made, and what to ask instead. Never a value from the data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail} {hint}")]
pub struct Unselected {
    /// The cause.
    pub why: Why,
    /// What is wrong, in one sentence.
    pub detail: String,
    /// What to ask instead; may be empty.
    pub hint: String,
}

impl Unselected {
    pub(crate) fn new(why: Why, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { why, detail: detail.into(), hint: hint.into() }
    }
}

impl From<NotKnown> for Unselected {
    fn from(NotKnown { detail, hint }: NotKnown) -> Self {
        Self { why: Why::NoEditionOnDate, detail, hint }
    }
}

/// A year, a quarter or a fiscal year, as the quarters from its first to its last (`year * 4 + quarter - 1`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Period {
    first: i32,
    last: i32,
}

impl Period {
    /// `2024`, `2024-Q1` or `FY2024-25`, which is July 2024 to June 2025.
    fn parse(text: &str) -> Option<Self> {
        let number = |digits: &str, count: usize| {
            (digits.len() == count && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse::<i32>().ok())?
        };
        if let Some(years) = text.strip_prefix("FY").or_else(|| text.strip_prefix("fy")) {
            let (first, next) = years.split_once('-')?;
            let (first, next) = (number(first, 4)?, number(next, 2)?);
            return (next == (first + 1) % 100).then_some(Self { first: first * 4 + 2, last: first * 4 + 5 });
        }
        match text.split_once('-') {
            None => number(text, 4).map(|year| Self { first: year * 4, last: year * 4 + 3 }),
            Some((year, quarter)) => {
                let quarter = number(quarter.strip_prefix(['Q', 'q'])?, 1).filter(|q| (1..=4).contains(q))?;
                let at = number(year, 4)? * 4 + quarter - 1;
                Some(Self { first: at, last: at })
            }
        }
    }

    fn read(name: &str, text: &str) -> Result<Self, Unselected> {
        Self::parse(text).ok_or_else(|| {
            let detail = format!("{name} is neither a year nor a quarter nor a fiscal year.");
            Unselected::new(Why::Malformed, detail, "Write 2024, 2024-Q1 or FY2024-25.")
        })
    }
}

impl Selection {
    /// Reads the filters of a request. Values of one name may be repeated or separated by commas; names and ids are found
    /// without regard to case, codes are written as they stand in the data.
    ///
    /// # Errors
    /// [`Why::UnknownIndicator`], [`Why::UnknownFilter`], [`Why::UnknownCode`], [`Why::Malformed`].
    pub fn new<'a>(
        catalogue: &Catalogue,
        indicator: &str,
        filters: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Unselected> {
        let meta = catalogue.indicator(indicator).ok_or_else(|| unknown_indicator(catalogue, indicator))?;
        let mut selection = Self {
            indicator: meta.id.clone(),
            edition: None,
            as_known_on: None,
            measures: BTreeSet::new(),
            periods: BTreeSet::new(),
            from: None,
            to: None,
            codes: BTreeMap::new(),
        };
        // `edition=latest` is an edition as well.
        let mut names_edition = false;
        for (name, text) in filters {
            names_edition |= name.eq_ignore_ascii_case("edition");
            for part in text.split(',').map(str::trim) {
                selection.add(catalogue, meta, name, part)?;
            }
        }
        if selection.from.zip(selection.to).is_some_and(|(from, to)| from.first > to.last) {
            return Err(Unselected::new(Why::Malformed, "from is later than to.", "Exchange them."));
        }
        if names_edition && selection.as_known_on.is_some() {
            let hint = "Give one of them: the edition by its number, or the date on which it was known.";
            return Err(Unselected::new(Why::Malformed, "edition and as_known_on are both given.", hint));
        }
        Ok(selection)
    }

    /// The same of the edition that was known on its date, where it has one; `today` is a day in Pakistan.
    ///
    /// # Errors
    /// [`Why::NoEditionOnDate`], [`Why::NoEdition`].
    pub fn at(self, current: &Current, today: NaiveDate) -> Result<Self, Unselected> {
        let Some(date) = self.as_known_on else { return Ok(self) };
        current.chosen(None)?;
        let (edition, _) = known::on(current.editions(), date, today)?;
        Ok(Self { edition: Some(edition.edition), ..self })
    }

    fn add(&mut self, catalogue: &Catalogue, meta: &IndicatorMeta, name: &str, text: &str) -> Result<(), Unselected> {
        let once = |taken: bool| {
            let detail = format!("{} is given more than once.", name.to_lowercase());
            if taken { Err(Unselected::new(Why::Malformed, detail, "Give it once.")) } else { Ok(()) }
        };
        match name.to_lowercase().as_str() {
            "measure" => drop(self.measures.insert(text.to_owned())),
            "time_period" => {
                if text != "_X" {
                    Period::read("time_period", text)?;
                }
                self.periods.insert(text.to_uppercase());
            }
            "from" => {
                once(self.from.is_some())?;
                self.from = Some(Period::read("from", text)?);
            }
            "to" => {
                once(self.to.is_some())?;
                self.to = Some(Period::read("to", text)?);
            }
            "edition" => {
                once(self.edition.is_some())?;
                self.edition = edition_number(text)?;
            }
            "as_known_on" => {
                once(self.as_known_on.is_some())?;
                self.as_known_on = Some(known::read(text).ok_or_else(no_date)?);
            }
            _ => {
                let dimension = meta.dimension(name).ok_or_else(|| unknown_filter(catalogue, meta, name))?;
                check_code(catalogue, dimension, text)?;
                self.codes.entry(dimension.name.clone()).or_default().insert(text.to_owned());
            }
        }
        Ok(())
    }

    /// The same text for every request for the same rows, whatever the order and form of its filters. Neither the edition nor a
    /// date is in it.
    pub fn canonical(&self) -> String {
        let mut text = self.indicator.clone();
        let sets = [("measure", &self.measures), ("time_period", &self.periods)];
        let dimensions = self.codes.iter().map(|(name, codes)| (name.as_str(), codes));
        for (name, codes) in sets.into_iter().chain(dimensions) {
            if !codes.is_empty() {
                // In quotes: a code that has the form of another filter is no other filter.
                let _ = write!(text, "&{name}={codes:?}");
            }
        }
        for (name, at) in [("from", self.from.map(|p| p.first)), ("to", self.to.map(|p| p.last))] {
            if let Some(at) = at {
                let _ = write!(text, "&{name}={at}");
            }
        }
        text
    }

    /// The filters as a query string would have them, in one order whatever that of the request. The edition is not among
    /// them.
    pub fn pairs(&self) -> Vec<(&str, String)> {
        let joined = |codes: &BTreeSet<String>| codes.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        let sets = [("measure", &self.measures), ("time_period", &self.periods)];
        let dimensions = self.codes.iter().map(|(name, codes)| (name.as_str(), codes));
        let named = sets.into_iter().chain(dimensions).filter(|(_, codes)| !codes.is_empty());
        let mut pairs: Vec<(&str, String)> = named.map(|(name, codes)| (name, joined(codes))).collect();
        let quarter = |at: i32| format!("{:04}-Q{}", at.div_euclid(4), at.rem_euclid(4) + 1);
        pairs.extend(self.from.map(|p| ("from", quarter(p.first))));
        pairs.extend(self.to.map(|p| ("to", quarter(p.last))));
        pairs
    }

    fn has_period(&self, text: &str) -> bool {
        if !self.periods.is_empty() && !self.periods.contains(text) {
            return false;
        }
        if self.from.is_none() && self.to.is_none() {
            return true;
        }
        // A range holds the periods that lie wholly in it: the year 2024 is not in `from=2024-Q2`.
        Period::parse(text).is_some_and(|p| {
            self.from.is_none_or(|from| from.first <= p.first) && self.to.is_none_or(|to| p.last <= to.last)
        })
    }
}

impl Current {
    /// The rows of a selection. None that fits is an answer with no rows.
    ///
    /// # Errors
    /// [`Why::NoEdition`], [`Why::UnknownEdition`], [`Why::UnknownCode`] for a measure that the indicator does not have
    /// in that edition, [`Why::UnknownIndicator`], [`Why::Internal`].
    pub fn rows(&self, selection: &Selection) -> Result<Rows, Unselected> {
        let (edition, whole) = self.asked(selection)?;
        let meta = self
            .catalogue()
            .indicator(&selection.indicator)
            .ok_or_else(|| unknown_indicator(self.catalogue(), &selection.indicator))?;
        let its = of_indicator(whole, meta).map_err(|e| malformed(&e))?;
        let measures = distinct(&its, "measure").map_err(|e| malformed(&e))?;
        if let Some(unknown) = selection.measures.iter().find(|m| !measures.contains(m)) {
            let detail = format!("{} has no measure {}.", meta.id, quoted(unknown));
            return Err(Unselected::new(Why::UnknownCode, detail, one_of("measure", unknown, &measures)));
        }
        let batch = selection.filter(&its).map_err(|e| malformed(&e))?;
        Ok(Rows { edition: edition.clone(), batch })
    }

    /// The edition that a selection is made from.
    ///
    /// # Errors
    /// [`Why::NoEdition`], [`Why::UnknownEdition`].
    pub fn edition_of(&self, selection: &Selection) -> Result<&EditionMeta, Unselected> {
        self.asked(selection).map(|(meta, _)| meta)
    }

    /// What of an indicator the latest edition holds; nothing when there is none.
    ///
    /// # Errors
    /// [`Why::Internal`].
    pub fn available(&self, indicator: &IndicatorMeta) -> Result<Available, Unselected> {
        let Ok((_, whole)) = self.chosen(None) else {
            return Ok(Available::default());
        };
        let its = of_indicator(whole, indicator).map_err(|e| malformed(&e))?;
        let mut periods = distinct(&its, "time_period").map_err(|e| malformed(&e))?;
        periods.sort_by_cached_key(|p| (Period::parse(p).is_none(), p.clone()));
        let measures = distinct(&its, "measure").map_err(|e| malformed(&e))?;
        Ok(Available { measures, periods, rows: its.num_rows() })
    }

    /// The measures of an indicator in any edition, in alphabetical order.
    ///
    /// # Errors
    /// [`Why::Internal`].
    pub fn measures(&self, indicator: &IndicatorMeta) -> Result<Vec<String>, Unselected> {
        let mut all = BTreeSet::new();
        for (_, whole) in self.editions().filter_map(|edition| self.rows_of(edition.edition)) {
            let its = of_indicator(whole, indicator).map_err(|e| malformed(&e))?;
            all.extend(distinct(&its, "measure").map_err(|e| malformed(&e))?);
        }
        Ok(all.into_iter().collect())
    }

    /// The edition of a number; the latest where none is named.
    ///
    /// # Errors
    /// [`Why::NoEdition`], [`Why::UnknownEdition`].
    pub fn edition_numbered(&self, number: Option<u32>) -> Result<&EditionMeta, Unselected> {
        self.chosen(number).map(|(meta, _)| meta)
    }

    fn asked(&self, selection: &Selection) -> Result<(&EditionMeta, &RecordBatch), Unselected> {
        if selection.edition.is_none() && selection.as_known_on.is_some() {
            // The latest is no answer to a date: `Selection::at` comes first.
            return Err(Unselected::new(
                Why::Internal,
                "The edition of the date was not looked up; the fault is ours.",
                "",
            ));
        }
        self.chosen(selection.edition)
    }

    fn chosen(&self, number: Option<u32>) -> Result<(&EditionMeta, &RecordBatch), Unselected> {
        let newest = self.latest().ok_or_else(|| {
            let hint = "Ask again when the first edition is published; GET /readyz tells.";
            Unselected::new(Why::NoEdition, "Nothing has been published yet.", hint)
        })?;
        let number = number.unwrap_or(newest.edition);
        self.rows_of(number).ok_or_else(|| {
            let hint = format!("The latest is {}; GET /v1/editions lists them.", newest.edition);
            Unselected::new(Why::UnknownEdition, format!("There is no edition {number}."), hint)
        })
    }
}

impl Selection {
    fn filter(&self, its: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let mut keep = vec![true; its.num_rows()];
        let mut only = |name: &str, test: &dyn Fn(&str) -> bool| -> Result<(), ArrowError> {
            let column = texts(column(its, name)?)?;
            for (keep, text) in keep.iter_mut().zip(column.iter()) {
                *keep = *keep && text.is_some_and(test);
            }
            Ok(())
        };
        if !self.measures.is_empty() {
            only("measure", &|m| self.measures.contains(m))?;
        }
        if !self.periods.is_empty() || self.from.is_some() || self.to.is_some() {
            only("time_period", &|p| self.has_period(p))?;
        }
        for (name, codes) in &self.codes {
            only(name, &|code| codes.contains(code))?;
        }
        filter_record_batch(its, &BooleanArray::from(keep))
    }
}

/// The rows of an indicator with the columns of [`Rows::batch`].
fn of_indicator(whole: &RecordBatch, meta: &IndicatorMeta) -> Result<RecordBatch, ArrowError> {
    let ids = texts(column(whole, "indicator")?)?;
    let keep: BooleanArray =
        ids.iter().map(|id| Some(id.is_some_and(|id| id.eq_ignore_ascii_case(&meta.id)))).collect();
    let dimensions = meta.dimensions.iter().map(|d| d.name.as_str());
    let columns = ["measure", "time_period"]
        .into_iter()
        .chain(dimensions)
        .chain(AFTER)
        .map(|name| whole.schema().index_of(name))
        .collect::<Result<Vec<_>, _>>()?;
    filter_record_batch(&whole.project(&columns)?, &keep)
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, ArrowError> {
    batch.column_by_name(name).ok_or_else(|| ArrowError::SchemaError(format!("there is no column {name}")))
}

fn texts(array: &ArrayRef) -> Result<StringArray, ArrowError> {
    Ok(cast(array, &DataType::Utf8)?.as_string::<i32>().clone())
}

/// The texts of a column, each once, in the order of their first row.
fn distinct(batch: &RecordBatch, name: &str) -> Result<Vec<String>, ArrowError> {
    let column = texts(column(batch, name)?)?;
    let mut seen = BTreeSet::new();
    Ok(column.iter().flatten().filter(|text| seen.insert(*text)).map(str::to_owned).collect())
}

fn malformed(error: &ArrowError) -> Unselected {
    tracing::error!(error = error as &dyn std::error::Error, "an edition in memory does not have its columns");
    Unselected::new(Why::Internal, "The rows could not be read; the fault is ours.", "")
}

fn edition_number(text: &str) -> Result<Option<u32>, Unselected> {
    if text.eq_ignore_ascii_case("latest") {
        return Ok(None);
    }
    let wrong = || Unselected::new(Why::Malformed, "edition is not a number.", "Write a number from 1, or latest.");
    text.parse().map(Some).map_err(|_| wrong())
}

fn no_date() -> Unselected {
    Unselected::new(Why::Malformed, "as_known_on is no date.", "Write a day in Pakistan: 2026-01-31.")
}

fn unknown_indicator(catalogue: &Catalogue, id: &str) -> Unselected {
    let ids: Vec<String> = catalogue.indicators.iter().map(|i| i.id.clone()).collect();
    let detail = format!("There is no indicator {}.", quoted(id));
    Unselected::new(Why::UnknownIndicator, detail, one_of("GET /v1/indicators lists them; the id", id, &ids))
}

fn unknown_filter(catalogue: &Catalogue, meta: &IndicatorMeta, name: &str) -> Unselected {
    let names: Vec<String> =
        meta.dimensions.iter().map(|d| d.name.as_str()).chain(COMMON_FILTERS).map(str::to_owned).collect();
    let detail = format!("{} has no dimension {}.", meta.id, quoted(name));
    // The name of a dimension that others have is no slip of the pen.
    let others = catalogue.indicators.iter().filter(|i| i.dimension(name).is_some());
    let others: Vec<&str> = others.map(|i| i.id.as_str()).collect();
    let hint = if others.is_empty() {
        one_of("A filter", name, &names)
    } else {
        format!("It is one of {}. A filter of {} is one of {}.", others.join(", "), meta.id, names.join(", "))
    };
    Unselected::new(Why::UnknownFilter, detail, hint)
}

/// A dimension without a list takes any code: what does not occur selects nothing.
fn check_code(catalogue: &Catalogue, dimension: &Dimension, code: &str) -> Result<(), Unselected> {
    let Some(list) = dimension.code_list.as_deref().and_then(|name| catalogue.code_list(name)) else {
        return Ok(());
    };
    if COMMON_CODES.contains(&code) || list.codes.iter().any(|c| c.code == code) {
        return Ok(());
    }
    let codes: Vec<String> = list
        .codes
        .iter()
        .map(|c| c.code.as_str())
        .filter(|c| !COMMON_CODES.contains(c))
        .chain(COMMON_CODES)
        .map(str::to_owned)
        .collect();
    let detail = format!("{} is no code of {}.", quoted(code), dimension.name);
    let mut hint = one_of("A code", code, &codes);
    let _ = write!(hint, " GET /v1/code-lists/{} has the labels.", list.name);
    Err(Unselected::new(Why::UnknownCode, detail, hint))
}

/// The nearest of several names, and all of them if they are few.
fn one_of(what: &str, wanted: &str, all: &[String]) -> String {
    let mut hint = String::new();
    let same = all.iter().find(|one| one.eq_ignore_ascii_case(wanted)).map(String::as_str);
    if let Some(near) = same.or_else(|| names::nearest(wanted, all.iter().map(String::as_str))) {
        let _ = write!(hint, "Did you mean {near}? ");
    }
    let listed: Vec<&str> = all.iter().map(String::as_str).take(LISTED).collect();
    let more = if all.len() > LISTED { format!(" or one of {} others", all.len() - LISTED) } else { String::new() };
    let _ = write!(hint, "{what} is one of {}{more}.", listed.join(", "));
    hint
}

/// What the client wrote, shortened: it is an echo of the request and never of the data.
fn quoted(text: &str) -> String {
    let short: String = text.chars().filter(|c| !c.is_control()).take(40).collect();
    format!("'{short}'")
}

#[cfg(test)]
mod tests {
    use super::Period;

    #[test]
    fn a_period_is_a_year_a_quarter_or_a_fiscal_year() {
        assert_eq!(Period::parse("2024"), Some(Period { first: 8096, last: 8099 }));
        assert_eq!(Period::parse("2024-Q4"), Some(Period { first: 8099, last: 8099 }));
        assert_eq!(Period::parse("FY2024-25"), Some(Period { first: 8098, last: 8101 }));
        assert_eq!(Period::parse("FY1999-00"), Some(Period { first: 7998, last: 8001 }));
        for wrong in ["FY2024", "FY2024-26", "FY2024-2025", "FY-25", "2024-25"] {
            assert_eq!(Period::parse(wrong), None, "{wrong}");
        }
        for wrong in ["", "24", "+024", "2024-", "2024-Q5", "2024-Q0", "2024-Q11", "2024-01", "_X", "２０２４"] {
            assert_eq!(Period::parse(wrong), None, "{wrong}");
        }
    }
}
