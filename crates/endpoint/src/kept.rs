//! Reference tables that were kept with an edition, read by name, and the day that is asked of them.
//!
//! Absent: which tables there are (`query::Current::reference`).

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Int64Type};
use chrono::NaiveDate;

use crate::problem::{Kind, Problem};
use crate::request::Pairs;

/// The day of an address that has no other parameter than `at`.
pub(crate) fn asked_day(pairs: &mut Pairs) -> Result<Option<NaiveDate>, Problem> {
    let at = pairs.take("at").map(|text| day(&text)).transpose()?;
    if pairs.rest().next().is_some() {
        let hint = "This address has one parameter, at.";
        return Err(Problem::new(Kind::MalformedParameter, "There is a parameter that is none of this address.", hint));
    }
    Ok(at)
}

fn day(text: &str) -> Result<NaiveDate, Problem> {
    text.parse()
        .map_err(|_| Problem::new(Kind::MalformedParameter, "at is not a day.", "Write a day such as 2018-01-01."))
}

/// A table whose cells are read by name; a column that it does not have is empty.
pub(crate) struct Rows<'a>(pub(crate) &'a RecordBatch);

impl Rows<'_> {
    pub(crate) fn text(&self, name: &str, row: usize) -> Option<String> {
        let column = self.0.column_by_name(name)?.as_string_opt::<i32>()?;
        column.is_valid(row).then(|| column.value(row).to_owned())
    }

    pub(crate) fn number(&self, name: &str, row: usize) -> Option<i64> {
        let column = self.0.column_by_name(name)?.as_primitive_opt::<Int64Type>()?;
        column.is_valid(row).then(|| column.value(row))
    }

    pub(crate) fn day(&self, name: &str, row: usize) -> Option<NaiveDate> {
        let column = self.0.column_by_name(name)?.as_primitive_opt::<Date32Type>()?;
        column.is_valid(row).then(|| column.value_as_date(row)).flatten()
    }

    /// Whether a row is so on a day, by its columns `valid_from` and `valid_to`.
    pub(crate) fn is_so_on(&self, at: NaiveDate, row: usize) -> bool {
        self.day("valid_from", row).is_none_or(|from| from <= at) && self.day("valid_to", row).is_none_or(|to| at <= to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_as_one() {
        assert!(day("2018-05-31").is_ok() && day("2018").is_err() && day("today").is_err());
    }
}
