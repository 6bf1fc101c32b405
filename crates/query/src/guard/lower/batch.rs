//! Released cells as the rows of a table.
//!
//! Absent: any number that is not a [`Figure`] or made of some. What is not shown is NULL, whatever the reason.

use std::collections::HashMap;

use arrow::array::{ArrayRef, RecordBatch, new_empty_array};
use arrow::datatypes::DataType;
use datafusion::common::DataFusionError;
use datafusion::scalar::ScalarValue;
use disclosure::{Amount, Figure};

use super::measure::Order;
use super::release::{Cell, Histogram, Release, Row, Source};
use crate::oracle::ReleasedCells;

/// The answers of a statement, each found by its coordinates.
struct Answers<'a>(Vec<HashMap<&'a [Option<u16>], &'a [Figure]>>);

impl<'a> Answers<'a> {
    fn new(answers: &'a [ReleasedCells]) -> Self {
        let by_place = |answer: &'a ReleasedCells| {
            answer.cells.iter().map(|(at, figures)| (at.as_slice(), figures.as_slice())).collect()
        };
        Self(answers.iter().map(by_place).collect())
    }

    fn figures(&self, cell: &Cell) -> Option<&'a [Figure]> {
        let at: Vec<Option<u16>> = cell.at.iter().copied().map(Some).collect();
        self.0.get(cell.question)?.get(at.as_slice()).copied()
    }

    /// Whether a group is shown: of a question without measures it is there, or its number of units is.
    fn is_shown(&self, cell: &Cell) -> bool {
        self.figures(cell).is_some_and(|figures| figures.iter().all(|figure| figure.value().is_some()))
    }

    fn amount(&self, cell: &Cell, measure: usize) -> Option<Amount> {
        self.figures(cell)?.get(measure)?.value()
    }

    fn value(&self, source: &Source) -> ScalarValue {
        match source {
            Source::Known(value) => value.clone(),
            Source::Count(cell, measure) => {
                ScalarValue::Int64(self.amount(cell, *measure).and_then(Amount::as_integer))
            }
            Source::Sum(cell, measure) => decimal(self.amount(cell, *measure).map(Amount::micros)),
            Source::Mean { cell, sum, units, least } => {
                let units = self.amount(cell, *units).and_then(Amount::as_integer).filter(|units| units >= least);
                let sum = self.amount(cell, *sum).map(Amount::micros);
                decimal(units.zip(sum).map(|(units, sum)| sum / i128::from(units)))
            }
            Source::Shown(cells) => {
                let shown = cells.iter().filter(|cell| self.is_shown(cell)).count();
                ScalarValue::Int64(Some(shown as i64))
            }
            Source::Quantile(histogram) => decimal(self.quantile(histogram)),
        }
    }
}

/// Bins as units in millionths, a hidden one as half the floor.
struct Bins {
    /// Lower edge, upper edge, units.
    bins: Vec<(i64, i64, i128)>,
    all: i128,
}

impl Answers<'_> {
    /// A quantile in millionths: linear inside its bin and rounded to a tenth of it, only where four times the floor of
    /// units are shown (privacy.md 6.5, Quantile; 6.3 for the least and the most).
    fn quantile(&self, histogram: &Histogram) -> Option<i128> {
        let k = i128::from(histogram.k) * Amount::ONE;
        let shown = |cell: &Cell| self.amount(cell, 0).map(Amount::micros);
        let released: i128 = histogram.bins.iter().filter_map(|(_, _, cell)| shown(cell)).sum();
        if released < 4 * k {
            return None;
        }
        let bins: Vec<_> =
            histogram.bins.iter().map(|(low, high, cell)| (*low, *high, shown(cell).unwrap_or(k / 2))).collect();
        let all = bins.iter().map(|(_, _, units)| units).sum();
        let bins = Bins { bins, all };
        match histogram.order {
            Order::Quantile(millionths) => bins.at(bins.all * millionths / Amount::ONE),
            Order::Least => Bins::passing(bins.bins.iter(), k).map(|(low, _)| i128::from(low) * Amount::ONE),
            Order::Most => Bins::passing(bins.bins.iter().rev(), k).map(|(_, high)| i128::from(high) * Amount::ONE),
        }
    }
}

impl Bins {
    /// The value below which so many units are.
    fn at(&self, below: i128) -> Option<i128> {
        let mut before = 0;
        for &(low, high, units) in &self.bins {
            if before + units >= below && units > 0 {
                let width = i128::from(high - low);
                // A tenth of the bin: no more digits than the histogram supports.
                let tenths = ((below - before) * 20 / units + 1) / 2;
                return Some(i128::from(low) * Amount::ONE + tenths * width * (Amount::ONE / 10));
            }
            before += units;
        }
        self.bins.last().map(|&(_, high, _)| i128::from(high) * Amount::ONE)
    }

    /// The edges of the bin in which the units pass K.
    fn passing<'b>(bins: impl Iterator<Item = &'b (i64, i64, i128)>, k: i128) -> Option<(i64, i64)> {
        let mut passed = 0;
        for &(low, high, units) in bins {
            passed += units;
            if passed > k {
                return Some((low, high));
            }
        }
        None
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
        let column = |at: usize, data_type: &DataType| -> Result<ArrayRef, DataFusionError> {
            if rows.is_empty() {
                return Ok(new_empty_array(data_type));
            }
            ScalarValue::iter_to_array(rows.iter().map(|row| answers.value(&row.values[at])))
        };
        let columns = self.schema.fields().iter().enumerate().map(|(at, field)| column(at, field.data_type()));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        RecordBatch::try_new(std::sync::Arc::clone(&self.schema), columns).map_err(Into::into)
    }
}
