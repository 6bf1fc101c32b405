//! Released cells as the rows of a table.
//!
//! Absent: any number that is not a [`Figure`] or made of some. What is not shown is NULL, whatever the reason.

use std::collections::HashMap;

use arrow::array::{ArrayRef, RecordBatch, new_empty_array};
use arrow::datatypes::DataType;
use datafusion::common::DataFusionError;
use datafusion::scalar::ScalarValue;
use disclosure::{Amount, Figure, Place};

use super::interval::Interval;
use super::release::{Beside, Cell, Histogram, Release, Row, Source};
use crate::companions::Companion;
use crate::oracle::ReleasedCells;

/// The answers of a statement, each found by its coordinates.
pub(super) struct Answers<'a> {
    by_place: Vec<HashMap<&'a [Option<u16>], &'a [Figure]>>,
    as_of: Option<&'a str>,
}

impl<'a> Answers<'a> {
    fn new(answers: &'a [ReleasedCells]) -> Self {
        let by_place = |answer: &'a ReleasedCells| {
            answer.cells.iter().map(|(at, figures)| (at.as_slice(), figures.as_slice())).collect()
        };
        let as_of = answers.iter().find_map(|answer| answer.as_of.as_deref());
        Self { by_place: answers.iter().map(by_place).collect(), as_of }
    }

    fn figures(&self, cell: &Cell) -> Option<&'a [Figure]> {
        let at: Vec<Option<u16>> = cell.at.iter().copied().map(Some).collect();
        self.by_place.get(cell.question)?.get(at.as_slice()).copied()
    }

    pub(super) fn figure(&self, cell: &Cell, measure: usize) -> Option<&'a Figure> {
        self.figures(cell)?.get(measure)
    }

    /// Whether a group is shown: of a question without measures it is there, or its number of units is.
    fn is_shown(&self, cell: &Cell) -> bool {
        self.figures(cell).is_some_and(|figures| figures.iter().all(|figure| figure.value().is_some()))
    }

    fn amount(&self, cell: &Cell, measure: usize) -> Option<Amount> {
        self.figure(cell, measure)?.value()
    }

    /// A mean in millionths, where enough units are shown.
    pub(super) fn mean(&self, source: &Source) -> Option<i128> {
        let Source::Mean { cell, sum, units, least } = source else { return None };
        let units = self.amount(cell, *units).and_then(Amount::as_integer).filter(|units| units >= least)?;
        self.amount(cell, *sum).map(|sum| sum.micros() / i128::from(units))
    }

    /// How many of some cells are shown.
    pub(super) fn shown(&self, cells: &[Cell]) -> i128 {
        cells.iter().filter(|cell| self.is_shown(cell)).count() as i128
    }

    fn value(&self, source: &Source) -> ScalarValue {
        match source {
            Source::Known(value) => value.clone(),
            Source::Count(cell, measure) => {
                ScalarValue::Int64(self.amount(cell, *measure).and_then(Amount::as_integer))
            }
            Source::Sum(cell, measure) => decimal(self.amount(cell, *measure).map(Amount::micros)),
            Source::Mean { .. } => decimal(self.mean(source)),
            Source::Shown(cells) => ScalarValue::Int64(i64::try_from(self.shown(cells)).ok()),
            Source::Quantile(histogram) => decimal(self.quantile(histogram).map(|place| place.value)),
        }
    }

    /// A companion of a value, in its type.
    fn companion(
        &self,
        source: &Source,
        beside: &Beside,
        data_type: &DataType,
    ) -> Result<ScalarValue, DataFusionError> {
        let (status, interval) = self.interval(source, beside.most);
        let number = |of: fn(&Interval) -> i128| decimal(interval.as_ref().map(of)).cast_to(data_type);
        match beside.companion {
            Companion::Lo => number(|interval| interval.lo),
            Companion::Hi => number(|interval| interval.hi),
            Companion::Bias => number(|interval| interval.bias),
            Companion::Flag => Ok(ScalarValue::Utf8(Some(status.code().to_owned()))),
            Companion::Deviation => Ok(ScalarValue::Float64(interval.map(|interval| interval.deviation))),
            Companion::AsOf => ScalarValue::Utf8(self.as_of.map(str::to_owned)).cast_to(data_type),
        }
    }
}

impl Answers<'_> {
    /// A quantile (privacy.md 6.5, Quantile; 6.3 for the least and the most), only where four times the floor of units are shown.
    pub(super) fn quantile(&self, histogram: &Histogram) -> Option<Place> {
        let bins = histogram.bins.iter().map(|(low, high, cell)| (*low, *high, self.figure(cell, 0)));
        disclosure::Histogram::new(bins, histogram.k)?.place(histogram.order)
    }
}

fn decimal(micros: Option<i128>) -> ScalarValue {
    ScalarValue::Decimal128(micros, 38, 6)
}

impl Release {
    /// The rows of this table, from the answers to all questions of its statement.
    pub(crate) fn batch(&self, answers: &[ReleasedCells]) -> Result<RecordBatch, DataFusionError> {
        let answers = Answers::new(answers);
        let is_there = |row: &&Row| row.only_if.as_ref().is_none_or(|cell| answers.is_shown(cell));
        let rows: Vec<&Row> = self.rows.iter().filter(is_there).collect();
        let own = self.schema.fields().len() - self.beside.len();
        let column = |at: usize, data_type: &DataType| -> Result<ArrayRef, DataFusionError> {
            if rows.is_empty() {
                return Ok(new_empty_array(data_type));
            }
            let Some(beside) = at.checked_sub(own).and_then(|at| self.beside.get(at)) else {
                return ScalarValue::iter_to_array(rows.iter().map(|row| answers.value(&row.values[at])));
            };
            let companion = |row: &&Row| answers.companion(&row.values[beside.of], beside, data_type);
            ScalarValue::iter_to_array(rows.iter().map(companion).collect::<Result<Vec<_>, _>>()?)
        };
        let columns = self.schema.fields().iter().enumerate().map(|(at, field)| column(at, field.data_type()));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        RecordBatch::try_new(std::sync::Arc::clone(&self.schema), columns).map_err(Into::into)
    }
}
