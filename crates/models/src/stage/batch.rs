//! Linked rows of one bucket as sorted Arrow batches, one per family.
//!
//! Absent: files (see `super`), rules.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBuilder, Date32Builder, Int64Builder, RecordBatch, StringBuilder, UInt16Builder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use events::{Data, EventType, Precision};

use super::family::{Bytes16, Family, Said};
use super::rows::Row;

/// The order of staged rows and of their files: the record, the person, the place (a correction's is its target's), then
/// corrections after their target in the order of their own place. [`crate::sql`] writes the same as `{{order}}`.
pub(crate) const ORDER: &[&str] = &[
    "record_id",
    "person_id",
    "place_version",
    "place_recorded_at",
    "place_event_id",
    "is_correction",
    "record_version",
    "recorded_at",
    "event_id",
];

/// The number of a fact in column `fact`.
pub(crate) fn fact_code(kind: EventType) -> u16 {
    EventType::ALL.iter().position(|k| *k == kind).expect("ALL has every type") as u16
}

/// The number of a precision in column `occurred_precision`.
pub(crate) fn precision_code(precision: Precision) -> u16 {
    precision as u16
}

/// Columns of a family's staged rows.
pub(crate) fn schema(family: &Family) -> SchemaRef {
    let bytes = DataType::FixedSizeBinary(16);
    let mut fields = vec![Field::new("record_id", DataType::Utf8, false)];
    if family.person {
        fields.push(Field::new("person_id", bytes.clone(), false));
    }
    fields.extend([
        Field::new("place_version", DataType::Int64, false),
        Field::new("place_recorded_at", DataType::Int64, false),
        Field::new("place_event_id", bytes.clone(), false),
        Field::new("is_correction", DataType::Boolean, false),
        Field::new("record_version", DataType::Int64, false),
        Field::new("recorded_at", DataType::Int64, false),
        Field::new("event_id", bytes, false),
        Field::new("fact", DataType::UInt16, false),
        Field::new("agency", DataType::UInt16, false),
        Field::new("is_copy", DataType::Boolean, false),
        Field::new("retracted", DataType::Boolean, false),
        Field::new("target_retracted", DataType::Boolean, false),
        Field::new("target_unknown", DataType::Boolean, false),
        Field::new("flagged", DataType::Boolean, false),
        Field::new("occurred_from", DataType::Date32, true),
        Field::new("occurred_to", DataType::Date32, true),
        Field::new("occurred_precision", DataType::UInt16, true),
    ]);
    if family.name == "calendar" {
        fields.push(Field::new("reporting_agency", DataType::UInt16, true));
    }
    fields.extend((family.fields)());
    Arc::new(Schema::new(fields))
}

/// The columns a family's files are sorted by.
pub(crate) fn order(family: &Family) -> Vec<String> {
    ORDER.iter().filter(|name| family.person || **name != "person_id").map(|name| (*name).to_owned()).collect()
}

/// The rows of `family` among `rows`, sorted. Retractions are in no family: what they did is marked on their targets.
/// `agency` numbers the agency a report is expected of.
pub(crate) fn batch(
    family: &Family,
    rows: &[Row<'_>],
    agency: &dyn Fn(&str) -> Option<u16>,
) -> Result<RecordBatch, ArrowError> {
    let mut mine: Vec<&Row<'_>> =
        rows.iter().filter(|row| !row.is_retraction() && family.facts.contains(&row.fact)).collect();
    mine.sort_unstable_by(|a, b| compare(a, b));
    let mut columns = envelope(family, &mine);
    if family.name == "calendar" {
        let reporting = mine.iter().map(|row| match &row.data {
            Data::ReportExpected(report) => agency(&report.agency),
            _ => Some(row.raw.agency),
        });
        columns.push(Arc::new(reporting.collect::<arrow::array::UInt16Array>()));
    }
    let mut own = (family.columns)();
    for row in &mine {
        own.push(match &row.data {
            Data::RecordCorrected(correction) => Said::Patch(&correction.fields),
            data => Said::Fact(data),
        });
    }
    columns.extend(own.finish());
    RecordBatch::try_new(schema(family), columns)
}

/// [`ORDER`]; copies, which share a place, by content.
fn compare(a: &Row<'_>, b: &Row<'_>) -> Ordering {
    let key = |row: &Row<'_>| (row.person, row.place, row.is_correction(), row.own);
    a.raw
        .record_id
        .cmp(b.raw.record_id)
        .then_with(|| key(a).cmp(&key(b)))
        .then_with(|| a.raw.content().cmp(&b.raw.content()))
}

fn envelope(family: &Family, rows: &[&Row<'_>]) -> Vec<ArrayRef> {
    let mut record_id = StringBuilder::with_capacity(rows.len(), rows.len() * 32);
    let (mut person_id, mut place_event_id, mut event_id) =
        (Bytes16::default(), Bytes16::default(), Bytes16::default());
    let (mut from, mut to) = (Date32Builder::new(), Date32Builder::new());
    let mut precision = UInt16Builder::new();
    for row in rows {
        record_id.append_value(row.raw.record_id);
        person_id.append(row.person.unwrap_or_default());
        place_event_id.append(row.place.event_id.to_be_bytes());
        event_id.append(row.own.event_id.to_be_bytes());
        from.append_option(row.occurred.map(|o| o.from));
        to.append_option(row.occurred.map(|o| o.to));
        precision.append_option(row.occurred.map(|o| precision_code(o.precision)));
    }
    let mut out: Vec<ArrayRef> = vec![Arc::new(record_id.finish())];
    if family.person {
        out.push(Arc::new(person_id.0.finish()));
    }
    out.extend([
        numbers(rows, |r: &Row<'_>| r.place.version),
        numbers(rows, |r| r.place.recorded_at),
        Arc::new(place_event_id.0.finish()),
        flags(rows, |r: &Row<'_>| r.is_correction()),
        numbers(rows, |r| r.own.version),
        numbers(rows, |r| r.own.recorded_at),
        Arc::new(event_id.0.finish()),
        codes(rows, |r| fact_code(r.fact)),
        codes(rows, |r| r.raw.agency),
        flags(rows, |r| r.is_copy),
        flags(rows, |r| r.retracted),
        flags(rows, |r| r.target_retracted),
        flags(rows, |r| r.target_unknown),
        flags(rows, |r| r.flagged),
        Arc::new(from.finish()),
        Arc::new(to.finish()),
        Arc::new(precision.finish()),
    ]);
    out
}

fn numbers(rows: &[&Row<'_>], value: impl Fn(&Row<'_>) -> i64) -> ArrayRef {
    let mut out = Int64Builder::with_capacity(rows.len());
    for row in rows {
        out.append_value(value(row));
    }
    Arc::new(out.finish())
}

fn codes(rows: &[&Row<'_>], value: impl Fn(&Row<'_>) -> u16) -> ArrayRef {
    let mut out = UInt16Builder::with_capacity(rows.len());
    for row in rows {
        out.append_value(value(row));
    }
    Arc::new(out.finish())
}

fn flags(rows: &[&Row<'_>], value: impl Fn(&Row<'_>) -> bool) -> ArrayRef {
    let mut out = BooleanBuilder::with_capacity(rows.len());
    for row in rows {
        out.append_value(value(row));
    }
    Arc::new(out.finish())
}
