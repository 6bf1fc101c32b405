//! Reference data as tables for readers: published with each edition, as they were known below its cut.
//!
//! `reference.populations` has the counts, `reference.population` what is made of them for each year. Absent: storage.

use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema};

use super::line::{Cell, Is, Line};
use super::{Agency, Area, Change, Count, Court, DatedCode, Reference};
use crate::edition::{Population, Populations};

/// A table that is open to everybody.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenTable {
    /// Its name; `reference.<name>` in SQL.
    pub name: &'static str,
    /// What it holds.
    pub description: &'static str,
    /// What each column means, in order.
    pub columns: Vec<&'static str>,
    /// Its rows.
    pub rows: RecordBatch,
}

impl Reference {
    /// The tables of an edition that speaks of these years.
    pub fn tables(&self, years: RangeInclusive<i32>) -> Vec<OpenTable> {
        vec![
            table::<Area>(&self.areas),
            table::<Change>(&self.changes),
            table::<Count>(&self.counts),
            table::<Court>(&self.courts),
            table::<Agency>(&self.agencies),
            table::<DatedCode>(&self.codes),
            by_year(&Populations::of(&self.counts).rows(years)),
        ]
    }
}

fn table<L: Line>(entries: &[L]) -> OpenTable {
    let rows: Vec<Vec<Cell>> = entries.iter().map(L::cells).collect();
    let (mut fields, mut arrays): (Vec<Field>, Vec<ArrayRef>) = (Vec::new(), Vec::new());
    for (at, column) in L::COLUMNS.iter().enumerate() {
        let array = array(column.is, rows.iter().map(|cells| &cells[at]));
        fields.push(Field::new(column.name, array.data_type().clone(), true));
        arrays.push(array);
    }
    OpenTable {
        name: L::TABLE,
        description: L::DESCRIPTION,
        columns: L::COLUMNS.iter().map(|column| column.description).collect(),
        rows: rows_of(fields, arrays),
    }
}

fn rows_of(fields: Vec<Field>, arrays: Vec<ArrayRef>) -> RecordBatch {
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
        .expect("the columns are those of the schema, and of one length")
}

fn array<'c>(is: Is, cells: impl Iterator<Item = &'c Cell>) -> ArrayRef {
    match is {
        Is::Text => Arc::new(
            cells.map(|cell| if let Cell::Text(text) = cell { text.as_deref() } else { None }).collect::<StringArray>(),
        ),
        Is::Number => Arc::new(
            cells.map(|cell| if let Cell::Number(number) = cell { *number } else { None }).collect::<Int64Array>(),
        ),
        Is::Day => {
            Arc::new(cells.map(|cell| if let Cell::Day(day) = cell { *day } else { None }).collect::<Date32Array>())
        }
    }
}

/// Populations by year, with the columns that `reference.population` always had.
fn by_year(rows: &[Population]) -> OpenTable {
    let text =
        |of: fn(&Population) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(rows.iter().map(of))) };
    let number =
        |of: fn(&Population) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(rows.iter().map(of))) };
    let columns: [(&str, ArrayRef, &'static str); 7] = [
        ("year", number(|row| row.year.into()), "Calendar year"),
        ("province", text(|row| &row.province), "Code of the area; _T is the nation"),
        ("sex", text(|row| &row.sex), "Code of the sex; _T of all"),
        ("age_group", text(|row| &row.age_group), "Code of the age group; _T of all"),
        ("population", number(|row| row.population), "Residents: by a count of the year, else on 1 July"),
        (
            "method",
            text(|row| &row.method),
            "census, estimate or projection of the year itself; interpolated; extrapolated",
        ),
        ("source", text(|row| &row.source), "The publications that it follows from"),
    ];
    let fields = columns.iter().map(|(name, array, _)| Field::new(*name, array.data_type().clone(), true)).collect();
    OpenTable {
        name: "population",
        description: "Resident population by year, for rates: counted, interpolated between counts, or extrapolated",
        columns: columns.iter().map(|(.., description)| *description).collect(),
        rows: rows_of(fields, columns.into_iter().map(|(_, array, _)| array).collect()),
    }
}
