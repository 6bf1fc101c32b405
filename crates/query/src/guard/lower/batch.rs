//! Released cells as the rows of a table.
//!
//! Absent: any number that is not a [`Figure`]. What is not shown is NULL, whatever the reason.

use std::collections::HashMap;

use arrow::array::{ArrayRef, RecordBatch, new_empty_array};
use arrow::datatypes::DataType;
use datafusion::common::DataFusionError;
use datafusion::scalar::ScalarValue;
use disclosure::{Amount, Figure};

use super::release::{Cell, Release, Row, Source};
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
                let shown = cells.iter().filter(|cell| self.figures(cell).is_some()).count();
                ScalarValue::Int64(Some(shown as i64))
            }
        }
    }
}

fn decimal(micros: Option<i128>) -> ScalarValue {
    ScalarValue::Decimal128(micros, 38, 6)
}

impl Release {
    /// The rows of this table, from the answers to all questions of its statement.
    pub(crate) fn batch(&self, answers: &[ReleasedCells]) -> Result<RecordBatch, DataFusionError> {
        let answers = Answers::new(answers);
        let is_there = |row: &&Row| row.only_if.as_ref().is_none_or(|cell| answers.figures(cell).is_some());
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
