//! Entries from the marts of a Snapshot.
//!
//! Absent: rules. What stands was decided by `sql/`.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, Int64Type, UInt16Type};

use super::entries::{Area, Change, Count, Court};
use crate::error::ModelsError;

/// A mart and its name.
pub(super) struct Mart<'a>(pub &'static str, pub &'a RecordBatch);

impl<'a> Mart<'a> {
    fn column(&self, name: &str) -> Result<&'a dyn Array, ModelsError> {
        let missing = || ModelsError::Column { mart: self.0.to_owned(), column: name.to_owned() };
        self.1.column_by_name(name).map(AsRef::as_ref).ok_or_else(missing)
    }

    pub(super) fn texts(&self, name: &str) -> Result<Vec<Option<String>>, ModelsError> {
        Ok(self.column(name)?.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect())
    }

    /// Texts of a column that has no null.
    pub(super) fn names(&self, name: &str) -> Result<Vec<String>, ModelsError> {
        Ok(self.texts(name)?.into_iter().map(Option::unwrap_or_default).collect())
    }

    pub(super) fn codes(&self, name: &str) -> Result<Vec<Option<u16>>, ModelsError> {
        Ok(self.column(name)?.as_primitive::<UInt16Type>().iter().collect())
    }

    pub(super) fn days(&self, name: &str) -> Result<Vec<Option<i32>>, ModelsError> {
        Ok(self.column(name)?.as_primitive::<Int32Type>().iter().collect())
    }

    fn numbers(&self, name: &str) -> Result<Vec<Option<i64>>, ModelsError> {
        Ok(self.column(name)?.as_primitive::<Int64Type>().iter().collect())
    }
}

pub(super) fn areas(rows: &RecordBatch) -> Result<Vec<Area>, ModelsError> {
    let mart = Mart("areas", rows);
    let (area, level, parent) = (mart.names("unit")?, mart.codes("level")?, mart.texts("parent")?);
    let (from, to) = (mart.days("valid_from")?, mart.days("valid_to")?);
    let (name_en, name_ur, source) = (mart.names("name_en")?, mart.names("name_ur")?, mart.names("published_in")?);
    let entry = |row: usize| Area {
        area: area[row].clone(),
        level: level[row].unwrap_or_default(),
        parent: parent[row].clone(),
        valid_from: from[row],
        valid_to: to[row],
        name_en: name_en[row].clone(),
        name_ur: name_ur[row].clone(),
        source: source[row].clone(),
    };
    Ok((0..rows.num_rows()).map(entry).collect())
}

pub(super) fn changes(rows: &RecordBatch) -> Result<Vec<Change>, ModelsError> {
    let mart = Mart("area_changes", rows);
    let (area, into, on) = (mart.names("unit")?, mart.names("into_area")?, mart.days("changed_on")?);
    let (share, source) = (mart.numbers("share_per_mille")?, mart.names("published_in")?);
    let entry = |row: usize| Change {
        area: area[row].clone(),
        into_area: into[row].clone(),
        changed_on: on[row].unwrap_or_default(),
        share_per_mille: share[row],
        source: source[row].clone(),
    };
    Ok((0..rows.num_rows()).map(entry).collect())
}

pub(super) fn counts(rows: &RecordBatch) -> Result<Vec<Count>, ModelsError> {
    let mart = Mart("populations", rows);
    let (area, on, persons) = (mart.names("unit")?, mart.days("counted_on")?, mart.numbers("persons")?);
    let (sex, age_group, method) = (mart.codes("of_sex")?, mart.codes("of_age_group")?, mart.codes("method")?);
    let source = mart.names("published_in")?;
    let entry = |row: usize| Count {
        area: area[row].clone(),
        counted_on: on[row].unwrap_or_default(),
        sex: sex[row],
        age_group: age_group[row],
        persons: persons[row].unwrap_or_default(),
        method: method[row].unwrap_or_default(),
        source: source[row].clone(),
    };
    Ok((0..rows.num_rows()).map(entry).collect())
}

pub(super) fn courts(rows: &RecordBatch) -> Result<Vec<Court>, ModelsError> {
    let mart = Mart("courts", rows);
    let (court, level, area) = (mart.names("unit")?, mart.codes("level")?, mart.names("area")?);
    let (from, to) = (mart.days("valid_from")?, mart.days("valid_to")?);
    let (name_en, name_ur, source) = (mart.names("name_en")?, mart.names("name_ur")?, mart.names("published_in")?);
    let entry = |row: usize| Court {
        court: court[row].clone(),
        level: level[row].unwrap_or_default(),
        area: area[row].clone(),
        valid_from: from[row].unwrap_or_default(),
        valid_to: to[row],
        name_en: name_en[row].clone(),
        name_ur: name_ur[row].clone(),
        source: source[row].clone(),
    };
    Ok((0..rows.num_rows()).map(entry).collect())
}
