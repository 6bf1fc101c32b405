//! JSON Schema (2020-12) of the data of each event type and of the envelope, made from the contract.
//!
//! The committed files under `schemas/` are compared with these by a test, so that they cannot drift.
//! Absent: validation (see `validate`), fetching.

use crate::contract::{Contract, RecordVersion};
use crate::data::{self, each_plain};
use crate::value::{Kind, When};
use crate::{EventType, calendar, event_type, form, person};
use serde_json::{Map, Value, json};

/// Edition of JSON Schema.
pub const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// JSON Schema of the data of a version of a type, one that there is.
pub fn of(kind: EventType, version: u16) -> Value {
    titled(
        kind,
        version,
        if kind == EventType::RecordCorrected { corrected(version) } else { object_of(kind, version, true) },
    )
}

/// The object of a version of a type: whole, or the `fields` of a correction.
fn object_of(kind: EventType, version: u16, whole: bool) -> Map<String, Value> {
    macro_rules! dispatch {
        (
            [$($name:ident $patch:ident,)*]
            [$($of:ident $number:literal $old:ident $old_patch:ident $next:ident,)*]
        ) => {
            match (kind, version) {
                $((EventType::$of, $number) => object::<data::$old>(whole),)*
                $((EventType::$name, _) => object::<data::$name>(whole),)*
                (EventType::RecordCorrected, 1..=3) => object::<data::CorrectionHeadV3>(whole),
                (EventType::RecordCorrected, 4) => object::<data::CorrectionHeadV4>(whole),
                (EventType::RecordCorrected, _) => object::<data::CorrectionHead>(whole),
                (EventType::RecordRetracted, 1) => object::<data::RetractionHeadV1>(whole),
                (EventType::RecordRetracted, 2) => object::<data::RetractionHeadV2>(whole),
                (EventType::RecordRetracted, _) => object::<data::RetractionHead>(whole),
            }
        };
    }
    each_plain!(dispatch)
}

fn titled(kind: EventType, version: u16, mut body: Map<String, Value>) -> Value {
    let mut schema = Map::new();
    schema.insert("$schema".into(), DIALECT.into());
    schema.insert("$id".into(), kind.dataschema(version).into());
    schema.insert("title".into(), kind.name().into());
    schema.append(&mut body);
    Value::Object(schema)
}

fn object<T: Contract>(whole: bool) -> Map<String, Value> {
    let mut properties = Map::new();
    let mut required = Vec::new();
    if whole {
        properties
            .insert("record_version".into(), described(RecordVersion::schema(), "The agency's counter on the record."));
        required.push("record_version");
    }
    if T::OCCURRED {
        properties.insert(
            "occurred_on".into(),
            described(When::schema(), "When it happened (Asia/Karachi): day, month, quarter or year."),
        );
        required.push("occurred_on");
    }
    if whole && T::PERSON {
        properties.insert("person".into(), person::schema());
        required.push("person");
    }
    for field in T::FIELDS {
        properties.insert(field.name.into(), described((field.schema)(), field.doc));
        if field.required {
            required.push(field.name);
        }
    }
    let mut object = Map::new();
    object.insert("type".into(), "object".into());
    object.insert("additionalProperties".into(), false.into());
    if whole {
        object.insert("required".into(), required.into());
    } else {
        object.insert("minProperties".into(), 1.into());
    }
    object.insert("properties".into(), Value::Object(properties));
    object
}

fn described(mut schema: Value, doc: &str) -> Value {
    if let Value::Object(map) = &mut schema {
        map.insert("description".into(), doc.trim().into());
    }
    schema
}

/// A correction's `fields` are those of its target's type, in the version that goes with the correction's.
fn corrected(version: u16) -> Map<String, Value> {
    let mut body = object_of(EventType::RecordCorrected, version, true);
    let rule = |fact: &EventType| {
        let fields = object_of(*fact, fact.in_correction(version)?, false);
        Some(json!({
            "if": { "properties": { "target_type": { "const": fact.name() } }, "required": ["target_type"] },
            "then": { "properties": { "fields": fields } }
        }))
    };
    let rules: Vec<_> = EventType::ALL.iter().filter(|kind| kind.is_fact()).filter_map(rule).collect();
    if let Some(Value::Object(properties)) = body.get_mut("properties") {
        properties.insert(
            "fields".into(),
            json!({
                "type": "object", "minProperties": 1,
                "description": "The fields replaced, each of the target's type; neither person nor record_version."
            }),
        );
    }
    if let Some(Value::Array(required)) = body.get_mut("required") {
        required.push("fields".into());
    }
    body.insert("allOf".into(), rules.into());
    body
}

/// JSON Schema of the envelope in structured mode; `data` is left to the type's own schema.
pub fn envelope() -> Value {
    let names: Vec<_> = EventType::ALL.iter().map(|t| t.name()).collect();
    let schemas: Vec<_> = EventType::versions().map(|(kind, version)| kind.dataschema(version)).collect();
    json!({
        "$schema": DIALECT,
        "$id": format!("{}envelope/v1", event_type::SCHEMA_BASE),
        "title": "CloudEvents 1.0 envelope of an event, structured mode",
        "type": "object",
        "required": ["specversion", "id", "source", "type", "dataschema", "subject", "time", "data"],
        "properties": {
            "specversion": { "const": "1.0" },
            "id": { "type": "string", "pattern": form::UUID_PATTERN, "description": "UUID version 7, or 8 if imported; unique per source." },
            "source": { "type": "string", "pattern": format!("^{}{}$", form::SOURCE_PREFIX, form::AGENCY_PATTERN), "description": "The agency that states the fact." },
            "type": { "enum": names },
            "dataschema": { "enum": schemas },
            "subject": described(person::token_schema(&format!("{}/", form::AGENCY_PATTERN)), "Record id; its agency is the source's."),
            "time": { "type": "string", "pattern": time_pattern(), "description": "When the agency recorded it: RFC 3339 with an offset." },
            "datacontenttype": { "type": "string", "pattern": "^[aA][pP][pP][lL][iI][cC][aA][tT][iI][oO][nN]/[jJ][sS][oO][nN]$" },
            "synthetic": { "enum": [true, false, "true", "false"], "description": "Whether the event is made up." },
            "data": { "type": "object" },
            "data_base64": false
        },
        "additionalProperties": { "type": ["string", "number", "boolean", "null"], "description": "Other attributes are left out and counted." }
    })
}

const YEAR: &str = "(19(4[89]|[5-9][0-9])|2[0-9]{3})";
const LEAP: &str = "(19(48|52|56|60|64|68|72|76|80|84|88|92|96)|2[0-9](0[48]|[2468][048]|[13579][26])|2[048]00)";
const DAY: &str =
    "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))";
const DAY_1947: &str = "1947-(08-(1[4-9]|2[0-9]|3[01])|(10|12)-(0[1-9]|[12][0-9]|3[01])|(09|11)-(0[1-9]|[12][0-9]|30))";

/// The regular expression of [`calendar::Occurred::parse`]: exact, leap years and 1947-08-14 included.
pub(crate) fn date_pattern(with_days: bool) -> String {
    debug_assert_eq!(calendar::LAST_YEAR, 2_999);
    let coarse = format!("(1947|{YEAR})|1947-(Q[34]|0[89]|1[0-2])|{YEAR}-(Q[1-4]|0[1-9]|1[0-2])");
    if with_days { format!("^({coarse}|{DAY_1947}|{YEAR}-{DAY}|{LEAP}-02-29)$") } else { format!("^({coarse})$") }
}

/// The regular expression of those of a single day.
pub(crate) fn day_pattern() -> String {
    format!("^({DAY_1947}|{YEAR}-{DAY}|{LEAP}-02-29)$")
}

/// The regular expression of [`calendar::parse_instant`].
fn time_pattern() -> String {
    let clock = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])";
    format!("^((1947|{YEAR})-{DAY}|{LEAP}-02-29)[Tt]{clock}$")
}

/// Writes a schema as the committed files have it: two spaces, lists of scalars filled to 120 columns.
pub fn render(schema: &Value) -> String {
    let mut out = String::new();
    render_at(schema, 0, &mut out);
    out.push('\n');
    out
}

fn render_at(value: &Value, indent: usize, out: &mut String) {
    let inner = "  ".repeat(indent + 1);
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (i, (key, value)) in map.iter().enumerate() {
                out.push_str(if i == 0 { "{\n" } else { ",\n" });
                out.push_str(&inner);
                out.push_str(&json!(key).to_string());
                out.push_str(": ");
                render_at(value, indent + 1, out);
            }
            out.push('\n');
            out.push_str(&"  ".repeat(indent));
            out.push('}');
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i == 0 { "[\n" } else { ",\n" });
                out.push_str(&inner);
                render_at(item, indent + 1, out);
            }
            out.push('\n');
            out.push_str(&"  ".repeat(indent));
            out.push(']');
        }
        Value::Array(items) => fill(items, &inner, indent, out),
        scalar => out.push_str(&scalar.to_string()),
    }
}

fn fill(items: &[Value], inner: &str, indent: usize, out: &mut String) {
    let texts: Vec<String> = items.iter().map(Value::to_string).collect();
    let one_line = texts.join(", ");
    if one_line.len() < 80 {
        out.push('[');
        out.push_str(&one_line);
        out.push(']');
        return;
    }
    let mut column = usize::MAX;
    for (i, text) in texts.iter().enumerate() {
        if column.saturating_add(text.len()) > 116 {
            out.push_str(if i == 0 { "[\n" } else { ",\n" });
            out.push_str(inner);
            column = inner.len();
        } else {
            out.push_str(", ");
            column += 2;
        }
        out.push_str(text);
        column += text.len();
    }
    out.push('\n');
    out.push_str(&"  ".repeat(indent));
    out.push(']');
}
