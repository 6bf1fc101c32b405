//! Rows that were staged before, linked anew with those that came since.
//!
//! Their payloads are not decoded again: what a row says of itself stands in its columns.
//!
//! Absent: which rows belong together (whole records come in), the links themselves (see `link`).

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, FixedSizeBinaryArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Int64Type, UInt16Type};
use arrow::error::ArrowError;
use events::EventType;

use super::family::{Bytes16, Family, RETRACTIONS};
use super::link::{Links, Told};
use super::rows::Place;

/// What the rows of a family's batch say of themselves.
pub(crate) fn told<'a>(family: &Family, rows: &'a RecordBatch) -> Vec<Told<'a>> {
    let texts = column(rows, "record_id").as_string::<i32>();
    let (facts, agencies) = (codes(rows, "fact"), codes(rows, "agency"));
    let (versions, times) = (numbers(rows, "record_version"), numbers(rows, "recorded_at"));
    let (ids, targets) =
        (column(rows, "event_id").as_fixed_size_binary(), column(rows, "target").as_fixed_size_binary());
    let persons = rows.column_by_name("said_person_id").map(AsArray::as_fixed_size_binary);
    let (corrections, copies) = (flags(rows, "is_correction"), flags(rows, "is_copy"));
    let at = |row: usize| {
        let fact = EventType::ALL[usize::from(facts[row])];
        let kind = match () {
            () if family.name == RETRACTIONS.name => EventType::RecordRetracted,
            () if corrections.value(row) => EventType::RecordCorrected,
            () => fact,
        };
        Told {
            record: texts.value(row),
            agency: agencies[row],
            kind,
            fact,
            own: Place { version: versions[row], recorded_at: times[row], event_id: id(ids, row) },
            target: targets.is_valid(row).then(|| id(targets, row)),
            person: persons.map_or([0; 16], |persons| bytes(persons, row)),
            is_copy: copies.value(row),
        }
    };
    (0..rows.num_rows()).map(at).collect()
}

/// The rows of a family's batch with other links.
pub(crate) fn with_links(rows: &RecordBatch, links: &[Links]) -> Result<RecordBatch, ArrowError> {
    let ids = |value: fn(&Links) -> [u8; 16]| -> ArrayRef {
        let mut out = Bytes16::default();
        for link in links {
            out.append(value(link));
        }
        Arc::new(out.0.finish())
    };
    let numbers =
        |value: fn(&Links) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(links.iter().map(value))) };
    let flags = |value: fn(&Links) -> bool| -> ArrayRef {
        Arc::new(links.iter().map(|link| Some(value(link))).collect::<BooleanArray>())
    };
    let schema = rows.schema();
    let columns = schema.fields().iter().zip(rows.columns()).map(|(field, old)| match field.name().as_str() {
        "person_id" => ids(|link| link.person),
        "place_version" => numbers(|link| link.place.version),
        "place_recorded_at" => numbers(|link| link.place.recorded_at),
        "place_event_id" => ids(|link| link.place.event_id.to_be_bytes()),
        "retracted" => flags(|link| link.retracted),
        "target_retracted" => flags(|link| link.target_retracted),
        "target_unknown" => flags(|link| link.target_unknown),
        "flagged" => flags(|link| link.flagged),
        _ => Arc::clone(old),
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect())
}

/// Columns by which an event is known: the agency and the event id.
pub(crate) const EVENT: [&str; 2] = ["agency", "event_id"];

/// The events of rows with the columns [`EVENT`].
pub(crate) fn events(rows: &RecordBatch) -> impl Iterator<Item = (u16, u128)> + '_ {
    let (agencies, ids) = (codes(rows, "agency"), column(rows, "event_id").as_fixed_size_binary());
    (0..rows.num_rows()).map(move |row| (agencies[row], id(ids, row)))
}

/// The column, which every staged batch has.
fn column<'a>(rows: &'a RecordBatch, name: &str) -> &'a ArrayRef {
    rows.column_by_name(name).expect("staged rows have the columns of their schema")
}

fn codes<'a>(rows: &'a RecordBatch, name: &str) -> &'a [u16] {
    column(rows, name).as_primitive::<UInt16Type>().values()
}

fn numbers<'a>(rows: &'a RecordBatch, name: &str) -> &'a [i64] {
    debug_assert_eq!(column(rows, name).data_type(), &DataType::Int64);
    column(rows, name).as_primitive::<Int64Type>().values()
}

fn flags<'a>(rows: &'a RecordBatch, name: &str) -> &'a BooleanArray {
    column(rows, name).as_boolean()
}

fn bytes(values: &FixedSizeBinaryArray, row: usize) -> [u8; 16] {
    values.value(row).try_into().expect("the column is 16 bytes wide")
}

fn id(values: &FixedSizeBinaryArray, row: usize) -> u128 {
    u128::from_be_bytes(bytes(values, row))
}
