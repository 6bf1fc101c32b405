//! How published numbers were revised (Q04): what the first edition that showed a number said of it, against the edition of one
//! and of four quarters later.
//!
//! Computed from the rows of earlier editions and of this one, released as they are: nothing is disclosed that they do not say.
//! An edition belongs to the quarter of its date; of several in one quarter the last one counts. Where there is none in the
//! quarter asked about (it has not come, or was left out), the change was not collected: flag L.
//!
//! Absent: reasons of a revision; cells below the country, of which `GET /v1/revisions` tells.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Decimal128Type;
use chrono::{Datelike, NaiveDate};
use disclosure::{Told, change};
use lake::Published;

use super::manifest::Manifest;
use super::rows::{Key, Row};
use super::{DIMENSIONS, EditionError};
use crate::indicator::{self, Indicator, Revision};

/// What an edition said of the country, by indicator and period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// The date that it speaks of.
    pub as_of: NaiveDate,
    said: BTreeMap<(String, String), Told>,
}

/// What the editions below a number said, oldest first. One whose manifest has no date is left out: it belongs to no quarter.
pub async fn earlier(published: &mut Published, below: i64) -> Result<Vec<Earlier>, EditionError> {
    let mut history = Vec::new();
    for info in published.editions().await?.into_iter().filter(|info| info.edition < below) {
        let Some(as_of) = Manifest::as_of_of(&info.manifest) else { continue };
        let said = published.read(info.edition).await?.iter().flat_map(said_in).collect();
        history.push(Earlier { as_of, said });
    }
    Ok(history)
}

impl Earlier {
    /// What an edition that is being made says.
    pub(super) fn of(released: &[Row], as_of: NaiveDate) -> Self {
        Self { as_of, said: released.iter().filter_map(said_by).collect() }
    }
}

/// The rows of the changes, by what was said before and what this edition says.
pub(super) fn rows(history: &[Earlier], now: &Earlier) -> Vec<Row> {
    let editions: Vec<&Earlier> = history.iter().chain([now]).collect();
    let rules = || indicator::all().iter().flat_map(|of| of.revisions.iter().map(move |rule| (of, rule)));
    let periods = now.said.keys();
    periods.flat_map(|at| rules().map(|(of, rule)| row(&editions, of, rule, at)).collect::<Vec<_>>()).collect()
}

fn row(editions: &[&Earlier], of: &Indicator, rule: &Revision, at: &(String, String)) -> Row {
    let shown = |edition: &&&Earlier| edition.said.get(at).is_some_and(|told| told.micros.is_some());
    let figure = match editions.iter().find(shown) {
        None => change(Told { micros: None }, Some(Told { micros: None })),
        Some(first) => {
            let wanted = quarter(first.as_of) + i32::from(rule.quarters);
            let later = editions.iter().rfind(|edition| quarter(edition.as_of) == wanted);
            // What a later edition does not have any more is as good as hidden.
            let said = |edition: &&Earlier| edition.said.get(at).copied().unwrap_or(Told { micros: None });
            change(first.said[at], later.map(said))
        }
    };
    let mut dimensions = DIMENSIONS.map(|_| "_Z".to_owned());
    if let Some(series) = DIMENSIONS.iter().position(|name| *name == "series") {
        dimensions[series].clone_from(&at.0);
    }
    let (indicator, measure) = (of.id.clone(), rule.measure.clone());
    Row { key: Key { indicator, measure, time_period: at.1.clone(), dimensions }, figure, unit: of.unit.clone() }
}

fn quarter(date: NaiveDate) -> i32 {
    date.year() * 4 + date.month0() as i32 / 3
}

/// What a row says of the country, where its measure is the series of its indicator.
fn said_by(row: &Row) -> Option<((String, String), Told)> {
    let Key { indicator, measure, time_period, dimensions } = &row.key;
    let national = dimensions.iter().all(|code| is_total(code));
    (national && is_series(indicator, measure, time_period)).then(|| {
        let micros = row.figure.value().map(disclosure::Amount::micros);
        ((indicator.clone(), time_period.clone()), Told { micros })
    })
}

/// The same of the rows of an edition as they were published. Dimensions that it does not have apply to nothing.
fn said_in(batch: &RecordBatch) -> Vec<((String, String), Told)> {
    let texts = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    let [Some(indicator), Some(measure), Some(period)] = ["indicator", "measure", "time_period"].map(texts) else {
        return Vec::new();
    };
    let dimensions: Vec<_> = DIMENSIONS.iter().filter_map(|name| texts(name)).collect();
    let value = batch.column_by_name("value").and_then(|column| column.as_primitive_opt::<Decimal128Type>());
    let said = |row: usize| {
        let national = dimensions.iter().all(|codes| codes.is_null(row) || is_total(codes.value(row)));
        (national && is_series(indicator.value(row), measure.value(row), period.value(row))).then(|| {
            let micros = value.filter(|value| value.is_valid(row)).map(|value| value.value(row));
            ((indicator.value(row).to_owned(), period.value(row).to_owned()), Told { micros })
        })
    };
    (0..batch.num_rows()).filter_map(said).collect()
}

fn is_total(code: &str) -> bool {
    matches!(code, "_T" | "_Z")
}

/// Whether a measure is the series of its indicator, and the period one of those that it is first published by.
fn is_series(id: &str, measure: &str, period: &str) -> bool {
    let known = indicator::all().iter().find(|indicator| indicator.id == id);
    let table = known.and_then(|indicator| indicator.tables.first()).filter(|table| table.measure == measure);
    table.is_some_and(|table| match table.by.first().map(String::as_str) {
        Some("year") => period.len() == 4,
        Some("quarter") => period.contains("-Q"),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use disclosure::ObsStatus;

    use super::*;

    /// An edition that says this of victims in 2024; nothing where it is hidden.
    fn edition(as_of: &str, victims: Option<i128>) -> Earlier {
        let told = Told { micros: victims.map(|victims| victims * disclosure::Amount::ONE) };
        let said = BTreeMap::from([(("V01".to_owned(), "2024".to_owned()), told)]);
        Earlier { as_of: as_of.parse().unwrap(), said }
    }

    /// The changes of the period after one and after four quarters, by the last of these editions.
    fn changes(editions: &[Earlier]) -> Vec<(String, ObsStatus)> {
        let (now, history) = editions.split_last().unwrap();
        let shown = |row: &Row| {
            let value = row.figure.value().map(|value| value.to_string()).unwrap_or_default();
            (value, row.figure.obs_status())
        };
        rows(history, now).iter().map(shown).collect()
    }

    /// Indicators: Q04.
    #[test]
    fn the_first_shown_value_is_compared_with_those_of_one_and_of_four_quarters_later() {
        let all = [
            edition("2024-12-31", None),
            edition("2025-03-31", Some(200)),
            edition("2025-06-30", Some(210)),
            edition("2025-12-31", Some(215)),
            edition("2026-03-31", Some(220)),
        ];
        assert_eq!(changes(&all), [("5".to_owned(), ObsStatus::A), ("10".to_owned(), ObsStatus::A)]);
        let row = &rows(&all[..4], &all[4])[0];
        let series = DIMENSIONS.iter().position(|name| *name == "series").unwrap();
        assert_eq!((row.key.time_period.as_str(), row.key.dimensions[series].as_str()), ("2024", "V01"));
        assert_eq!(row.unit, "percent");
    }

    #[test]
    fn a_change_whose_edition_has_not_come_or_was_left_out_is_not_collected() {
        let missing = (String::new(), ObsStatus::L);
        assert_eq!(changes(&[edition("2025-03-31", Some(200))]), [missing.clone(), missing.clone()]);
        let left_out = [edition("2025-03-31", Some(200)), edition("2025-09-30", Some(210))];
        assert_eq!(changes(&left_out), [missing.clone(), missing]);
    }

    #[test]
    fn of_several_editions_in_a_quarter_the_last_one_counts() {
        let all =
            [edition("2025-03-31", Some(200)), edition("2025-05-31", Some(300)), edition("2025-06-30", Some(200))];
        assert_eq!(changes(&all)[0], ("0".to_owned(), ObsStatus::A));
    }

    #[test]
    fn what_is_hidden_is_no_change_of_nothing() {
        let hidden = (String::new(), ObsStatus::Q);
        assert_eq!(changes(&[edition("2025-03-31", None)]), [hidden.clone(), hidden.clone()]);
        let later = [edition("2025-03-31", Some(200)), edition("2025-06-30", None)];
        assert_eq!(changes(&later)[0], hidden);
    }
}
