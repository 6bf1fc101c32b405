//! The Parsing Canonical Form of a schema (Avro specification 1.11): what two schemas with the same bytes have in common.

use super::parse::{Id, SchemaFault, Type, Types};
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The Parsing Canonical Form of a schema's text.
///
/// # Errors
/// [`SchemaFault`] if the text is no Avro schema, or refers to other schemas.
pub fn canonical_form(schema: &str) -> Result<String, SchemaFault> {
    Types::parse(schema).map(|types| of(&types))
}

pub(crate) fn of(types: &Types) -> String {
    let mut out = String::new();
    write(types, types.root, &mut BTreeSet::new(), &mut out);
    out
}

fn write(types: &Types, id: Id, told: &mut BTreeSet<Id>, out: &mut String) {
    let name = match types.get(id) {
        Type::Record { name, .. } | Type::Enum { name, .. } | Type::Fixed { name, .. } => name,
        Type::Array(items) => return wrapped("array", "items", types, *items, told, out),
        Type::Map(values) => return wrapped("map", "values", types, *values, told, out),
        Type::Union(branches) => return list(types, branches, told, out),
        primitive => {
            out.push_str(match primitive {
                Type::Null => "\"null\"",
                Type::Boolean => "\"boolean\"",
                Type::Int => "\"int\"",
                Type::Long => "\"long\"",
                Type::Float => "\"float\"",
                Type::Double => "\"double\"",
                Type::Bytes => "\"bytes\"",
                _ => "\"string\"",
            });
            return;
        }
    };
    if !told.insert(id) {
        out.push_str(&json!(name).to_string());
        return;
    }
    let _ = write!(out, "{{\"name\":{},", json!(name));
    match types.get(id) {
        Type::Enum { symbols, .. } => {
            let _ = write!(out, "\"type\":\"enum\",\"symbols\":{}", json!(symbols));
        }
        Type::Fixed { size, .. } => {
            let _ = write!(out, "\"type\":\"fixed\",\"size\":{size}");
        }
        Type::Record { fields, .. } => {
            out.push_str("\"type\":\"record\",\"fields\":[");
            for (i, field) in fields.iter().enumerate() {
                let _ = write!(out, "{}{{\"name\":{},\"type\":", if i == 0 { "" } else { "," }, json!(field.name));
                write(types, field.of, told, out);
                out.push('}');
            }
            out.push(']');
        }
        _ => {}
    }
    out.push('}');
}

fn wrapped(kind: &str, of: &str, types: &Types, id: Id, told: &mut BTreeSet<Id>, out: &mut String) {
    let _ = write!(out, "{{\"type\":\"{kind}\",\"{of}\":");
    write(types, id, told, out);
    out.push('}');
}

fn list(types: &Types, branches: &[Id], told: &mut BTreeSet<Id>, out: &mut String) {
    out.push('[');
    for (i, branch) in branches.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write(types, *branch, told, out);
    }
    out.push(']');
}
