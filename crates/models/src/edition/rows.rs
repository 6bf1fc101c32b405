//! Rows of `published.indicator_values`, long form (issue: edition, indicator, measure, time_period, all dimensions, value,
//! lo95, hi95, obs_status, conf_status, unit, as_of).

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray};
use chrono::{Datelike, NaiveDate};
use disclosure::{Amount, Figure};

use super::DIMENSIONS;

/// What names a row in its edition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// For instance `V01`.
    pub indicator: String,
    /// For instance `victims`.
    pub measure: String,
    /// `2024`, `2024-Q1`, or `_X` for an unknown quarter.
    pub time_period: String,
    /// Codes in the order of [`DIMENSIONS`].
    pub dimensions: [String; DIMENSIONS.len()],
}

/// A released row.
#[derive(Debug, Clone)]
pub struct Row {
    /// Where it stands.
    pub key: Key,
    /// What may be shown.
    pub figure: Figure,
    /// `person`, `case`, `inspection`, `rate` or `percent`.
    pub unit: String,
}

/// Days from 1 January of year 1 to 1 January 1970.
const UNIX_EPOCH_FROM_CE: i32 = 719_163;

/// The rows as a batch of the published table.
pub fn to_batch(rows: &[Row], edition: i64, as_of: NaiveDate) -> RecordBatch {
    let text =
        |of: &dyn Fn(&Row) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values(rows.iter().map(of))) };
    let number = |of: &dyn Fn(&Figure) -> Option<Amount>| -> ArrayRef {
        let micros: Decimal128Array = rows.iter().map(|row| of(&row.figure).map(Amount::micros)).collect();
        Arc::new(micros.with_precision_and_scale(38, 6).expect("38 and 6 are a precision and a scale"))
    };
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|_| edition))),
        text(&|row| row.key.indicator.clone()),
        text(&|row| row.key.measure.clone()),
        text(&|row| row.key.time_period.clone()),
    ];
    columns.extend((0..DIMENSIONS.len()).map(|at| text(&|row| row.key.dimensions[at].clone())));
    columns.extend([number(&Figure::value), number(&Figure::lo95), number(&Figure::hi95)]);
    columns.extend([
        text(&|row| row.figure.obs_status().code().into()),
        text(&|row| row.figure.conf_status().code().into()),
        text(&|row| row.unit.clone()),
    ]);
    let day = as_of.num_days_from_ce() - UNIX_EPOCH_FROM_CE;
    columns.push(Arc::new(Date32Array::from_iter_values(rows.iter().map(|_| day))));
    RecordBatch::try_new(lake::published::schema(&DIMENSIONS), columns)
        .expect("the columns are those of the schema, in its order")
}
