//! The contract as Avro schemas: one record for each version of an event type, committed as `schemas/<type>/v<version>.avsc`. A later version keeps the names
//! of the records, so that it reads what the earlier ones wrote.
//!
//! Codes and dates are strings, whole numbers longs, optional fields `["null", T]` with default null, `fields` of a
//! correction a union with one record for each fact. Why: docs/decisions/2026-11-26-avro-types.md.

use crate::contract::{Contract, RecordVersion};
use crate::data::{self, each_plain};
use crate::value::{Kind, When};
use crate::{EventType, person};
use serde_json::{Value, json};

/// Namespace of the contract's records.
const NAMESPACE: &str = "pk.tip";

/// What the name of a correction's record ends with.
const PATCH_SUFFIX: &str = "Fields";

/// Avro schema of the data of a version of a type, one that there is.
pub fn schema_of(kind: EventType, version: u16) -> Value {
    macro_rules! dispatch {
        (
            [$($name:ident $patch:ident,)*]
            [$($of:ident $number:literal $old:ident $old_patch:ident $next:ident,)*]
        ) => {
            match (kind, version) {
                $((EventType::$of, $number) => whole::<data::$old>(kind, version),)*
                $((EventType::$name, _) => whole::<data::$name>(kind, version),)*
                (EventType::RecordCorrected, 1..=3) => whole::<data::CorrectionHeadV3>(kind, version),
                (EventType::RecordCorrected, 4) => whole::<data::CorrectionHeadV4>(kind, version),
                (EventType::RecordCorrected, _) => whole::<data::CorrectionHead>(kind, version),
                (EventType::RecordRetracted, 1) => whole::<data::RetractionHeadV1>(kind, version),
                (EventType::RecordRetracted, 2) => whole::<data::RetractionHeadV2>(kind, version),
                (EventType::RecordRetracted, _) => whole::<data::RetractionHead>(kind, version),
            }
        };
    }
    each_plain!(dispatch)
}

/// Name of a type's record.
pub(crate) fn record_name(kind: EventType) -> String {
    format!("{kind:?}")
}

/// Name of the record of a correction's `fields`, by the target's type.
pub(crate) fn patch_name(kind: EventType) -> String {
    format!("{kind:?}{PATCH_SUFFIX}")
}

/// Whether it is the name of that record.
pub(crate) fn is_patch_name(name: &str, kind: EventType) -> bool {
    name == patch_name(kind)
}

/// A record of the contract's.
pub(crate) fn record(name: &str, doc: &str, fields: Vec<Value>) -> Value {
    json!({ "type": "record", "name": name, "namespace": NAMESPACE, "doc": doc, "fields": fields })
}

/// A field that may be absent.
pub(crate) fn optional_field(name: &str, of: &Value, doc: Option<&str>) -> Value {
    let mut field = field(name, &json!(["null", of]), doc);
    field["default"] = Value::Null;
    field
}

fn field(name: &str, of: &Value, doc: Option<&str>) -> Value {
    let mut field = json!({ "name": name, "type": of });
    if let Some(doc) = doc {
        field["doc"] = doc.trim().into();
    }
    field
}

fn whole<T: Contract>(kind: EventType, version: u16) -> Value {
    let mut fields = vec![field("record_version", &RecordVersion::avro(), Some("The agency's counter on the record."))];
    if T::OCCURRED {
        let doc = "When it happened (Asia/Karachi): day, month, quarter or year (2024-03-09, 2024-03, 2024-Q1, 2024).";
        fields.push(field("occurred_on", &When::avro(), Some(doc)));
    }
    if T::PERSON {
        let doc = "Tokens of one person, made on the agency's machine; the first names the person.";
        fields.push(field("person", &person::avro(), Some(doc)));
    }
    fields.extend(T::FIELDS.iter().map(|f| {
        let make = if f.required { field } else { optional_field };
        make(f.name, &(f.avro)(), Some(f.doc))
    }));
    if T::FIELDS_OF_TARGET {
        let doc = "The fields replaced, those of the target's type; one that is null is not replaced.";
        fields.push(field("fields", &patches(version), Some(doc)));
    }
    record(&record_name(kind), &format!("{}, version {version}: {}", kind.name(), kind.dataschema(version)), fields)
}

/// The union of what a correction of this version may replace, in the order of the contract.
fn patches(correction: u16) -> Value {
    EventType::ALL
        .iter()
        .filter(|kind| kind.is_fact())
        .filter_map(|kind| Some(patch_of(*kind, kind.in_correction(correction)?)))
        .collect()
}

fn patch_of(kind: EventType, version: u16) -> Value {
    macro_rules! dispatch {
        (
            [$($name:ident $patch:ident,)*]
            [$($of:ident $number:literal $old:ident $old_patch:ident $next:ident,)*]
        ) => {
            match (kind, version) {
                $((EventType::$of, $number) => patch::<data::$old>(kind),)*
                $((EventType::$name, _) => patch::<data::$name>(kind),)*
                _ => Value::Null,
            }
        };
    }
    each_plain!(dispatch)
}

fn patch<T: Contract>(kind: EventType) -> Value {
    let mut fields = Vec::new();
    if T::OCCURRED {
        fields.push(optional_field("occurred_on", &When::avro(), None));
    }
    fields.extend(T::FIELDS.iter().map(|f| optional_field(f.name, &(f.avro)(), None)));
    record(&patch_name(kind), &format!("Fields of {} that a correction replaces.", kind.name()), fields)
}
