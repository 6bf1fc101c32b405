//! Linked rows of one bucket as sorted Arrow batches, one per family.
//!
//! Absent: files (see `super`), rules, rows that were staged before (see `again`).

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Builder, Int64Array, RecordBatch, StringBuilder, UInt16Array, UInt16Builder,
    UInt64Array,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use events::{Data, EventType, Precision};

use super::family::{Bytes16, Family, Said};
use super::link::Links;
use super::rows::Row;
use crate::keys::hash_bytes;

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

/// The column that hashes the record.
pub(crate) const RECORD_HASH: &str = "record_hash";

/// The column that says which rows the steward chose.
pub(crate) const IS_CHOSEN: &str = "is_chosen";

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
    let mut fields = vec![
        Field::new("record_id", DataType::Utf8, false),
        // By it a record is found again, and dealt to its bucket.
        Field::new(RECORD_HASH, DataType::UInt64, false),
    ];
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
        Field::new("event_id", bytes.clone(), false),
        Field::new("fact", DataType::UInt16, false),
        Field::new("agency", DataType::UInt16, false),
        Field::new("is_copy", DataType::Boolean, false),
        // The steward's word made it the one that is kept; no model reads it.
        Field::new(IS_CHOSEN, DataType::Boolean, false),
        Field::new("retracted", DataType::Boolean, false),
        Field::new("target_retracted", DataType::Boolean, false),
        Field::new("target_unknown", DataType::Boolean, false),
        Field::new("flagged", DataType::Boolean, false),
        Field::new("occurred_from", DataType::Date32, true),
        Field::new("occurred_to", DataType::Date32, true),
        Field::new("occurred_precision", DataType::UInt16, true),
        // What a row says of itself, of which links are made anew when its record has new rows; no model reads it.
        Field::new("target", bytes.clone(), true),
    ]);
    if family.person {
        fields.push(Field::new("said_person_id", bytes, false));
    }
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

/// A row and what it is to the others of its record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Linked<'r, 'a> {
    /// The row.
    pub row: &'r Row<'a>,
    /// Its links.
    pub links: Links,
}

/// The rows of `family` among `rows`, sorted. `agency` numbers the agency a report is expected of.
pub(crate) fn batch(
    family: &Family,
    rows: &[Linked<'_, '_>],
    agency: &dyn Fn(&str) -> Option<u16>,
) -> Result<RecordBatch, ArrowError> {
    let mut mine: Vec<Linked<'_, '_>> = rows.iter().filter(|linked| family.has(linked.row)).copied().collect();
    mine.sort_unstable_by(compare);
    let mut columns = envelope(family, &mine);
    if family.name == "calendar" {
        let reporting = mine.iter().map(|linked| match &linked.row.data {
            Data::ReportExpected(report) => agency(&report.agency),
            _ => Some(linked.row.raw.agency),
        });
        columns.push(Arc::new(reporting.collect::<UInt16Array>()));
    }
    let mut own = (family.columns)();
    for linked in &mine {
        own.push(match &linked.row.data {
            Data::RecordCorrected(correction) => Said::Patch(&correction.fields),
            Data::TokensRotated(_) => linked.row.second.map_or(Said::Fact(&linked.row.data), Said::Token),
            data => Said::Fact(data),
        });
    }
    columns.extend(own.finish());
    RecordBatch::try_new(schema(family), columns)
}

/// [`ORDER`]; copies, which share a place, by content.
fn compare(a: &Linked<'_, '_>, b: &Linked<'_, '_>) -> Ordering {
    let key = |it: &Linked<'_, '_>| (it.links.person, it.links.place, is_correction(it), it.row.own);
    let by_record = a.row.raw.record_id.cmp(b.row.raw.record_id);
    by_record.then_with(|| key(a).cmp(&key(b))).then_with(|| a.row.raw.content().cmp(&b.row.raw.content()))
}

fn is_correction(linked: &Linked<'_, '_>) -> bool {
    linked.row.raw.kind == EventType::RecordCorrected
}

fn envelope(family: &Family, rows: &[Linked<'_, '_>]) -> Vec<ArrayRef> {
    let mut record_id = StringBuilder::with_capacity(rows.len(), rows.len() * 32);
    let (mut person_id, mut said_person_id) = (Bytes16::default(), Bytes16::default());
    let (mut place_event_id, mut event_id, mut target) = (Bytes16::default(), Bytes16::default(), Bytes16::default());
    let (mut from, mut to) = (Date32Builder::new(), Date32Builder::new());
    let mut precision = UInt16Builder::new();
    for Linked { row, links } in rows {
        record_id.append_value(row.raw.record_id);
        person_id.append(links.person);
        said_person_id.append(row.person);
        place_event_id.append(links.place.event_id.to_be_bytes());
        event_id.append(row.own.event_id.to_be_bytes());
        target.append_option(row.target().map(u128::to_be_bytes));
        from.append_option(row.occurred.map(|o| o.from));
        to.append_option(row.occurred.map(|o| o.to));
        precision.append_option(row.occurred.map(|o| precision_code(o.precision)));
    }
    let hashes = rows.iter().map(|linked| hash_bytes(linked.row.raw.record_id.as_bytes()));
    let mut out: Vec<ArrayRef> = vec![Arc::new(record_id.finish()), Arc::new(hashes.collect::<UInt64Array>())];
    if family.person {
        out.push(Arc::new(person_id.0.finish()));
    }
    out.extend([
        numbers(rows, |it| it.links.place.version),
        numbers(rows, |it| it.links.place.recorded_at),
        Arc::new(place_event_id.0.finish()),
        flags(rows, is_correction),
        numbers(rows, |it| it.row.own.version),
        numbers(rows, |it| it.row.own.recorded_at),
        Arc::new(event_id.0.finish()),
        codes(rows, |it| fact_code(it.row.fact)),
        codes(rows, |it| it.row.raw.agency),
        flags(rows, |it| it.row.is_copy),
        flags(rows, |it| it.row.raw.is_chosen),
        flags(rows, |it| it.links.retracted),
        flags(rows, |it| it.links.target_retracted),
        flags(rows, |it| it.links.target_unknown),
        flags(rows, |it| it.links.flagged),
        Arc::new(from.finish()),
        Arc::new(to.finish()),
        Arc::new(precision.finish()),
        Arc::new(target.0.finish()),
    ]);
    if family.person {
        out.push(Arc::new(said_person_id.0.finish()));
    }
    out
}

fn numbers(rows: &[Linked<'_, '_>], value: impl Fn(&Linked<'_, '_>) -> i64) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(rows.iter().map(value)))
}

fn codes(rows: &[Linked<'_, '_>], value: impl Fn(&Linked<'_, '_>) -> u16) -> ArrayRef {
    Arc::new(UInt16Array::from_iter_values(rows.iter().map(value)))
}

fn flags(rows: &[Linked<'_, '_>], value: impl Fn(&Linked<'_, '_>) -> bool) -> ArrayRef {
    Arc::new(rows.iter().map(|it| Some(value(it))).collect::<BooleanArray>())
}
