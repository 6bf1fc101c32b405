//! Values as PostgreSQL sends them in its text format, and parameters as SQLite takes them.

use rusqlite::types::{Value, ValueRef};

use crate::error::{CatalogueError, Fault, Result};
use crate::facts::Facts;
use crate::functions::{elements, join, read_bool, real_text, reg_text};
use crate::{builtin, oid};

/// A value of a row in the text format of its type. It is one of that type: a client that asked for binary values can encode it.
pub(crate) fn text(value: ValueRef<'_>, kind: u32, facts: &Facts) -> Result<Option<String>> {
    let unfit = || {
        let name = builtin::type_of(kind).map_or("its type", |kind| kind.name);
        CatalogueError::new(Fault::InvalidValue, format!("a value of the answer is out of range for type {name}"))
    };
    Ok(Some(match value {
        ValueRef::Null => return Ok(None),
        ValueRef::Integer(number) if kind == oid::BOOL => if number == 0 { "f" } else { "t" }.into(),
        ValueRef::Integer(number) if oid::is_reg(kind) => reg_text(facts, number, kind),
        ValueRef::Integer(number) if fits(number, kind) => number.to_string(),
        ValueRef::Real(number) if !oid::is_integer(kind) && kind != oid::BOOL => real_text(number),
        ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => return Err(unfit()),
        ValueRef::Text(bytes) => {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let readable = match kind {
                oid::BOOL => text == "t" || text == "f",
                oid::FLOAT4 | oid::FLOAT8 | oid::NUMERIC => text.parse::<f64>().is_ok(),
                kind if oid::is_reg(kind) => true,
                kind if oid::is_integer(kind) => text.parse::<i64>().is_ok_and(|number| fits(number, kind)),
                _ => true,
            };
            if !readable {
                return Err(unfit());
            }
            match builtin::element_of(kind) {
                _ if kind == oid::RECORD => record(&text),
                Some(element) if oid::is_reg(element) => names(&text, element, facts),
                _ => text,
            }
        }
    }))
}

/// Whether a whole number is in the range of a type.
fn fits(number: i64, kind: u32) -> bool {
    match kind {
        oid::INT2 => i16::try_from(number).is_ok(),
        oid::INT4 => i32::try_from(number).is_ok(),
        oid::OID | oid::XID | oid::CID => u32::try_from(number).is_ok(),
        _ => true,
    }
}

/// A row, which is a JSON array or object inside, as PostgreSQL writes a record.
fn record(json: &str) -> String {
    let fields: Vec<serde_json::Value> = match serde_json::from_str(json) {
        Ok(serde_json::Value::Array(fields)) => fields,
        Ok(serde_json::Value::Object(fields)) => fields.into_iter().map(|(_, field)| field).collect(),
        _ => return json.to_owned(),
    };
    let fields: Vec<String> = fields
        .into_iter()
        .map(|field| match field {
            serde_json::Value::Null => String::new(),
            serde_json::Value::Bool(value) => if value { "t" } else { "f" }.to_owned(),
            serde_json::Value::String(text) if text.is_empty() || text.contains(['"', '\\', '(', ')', ',', ' ']) => {
                format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\"\""))
            }
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        })
        .collect();
    format!("({})", fields.join(","))
}

/// An array of numbers of objects as one of their names.
fn names(array: &str, element: u32, facts: &Facts) -> String {
    match elements(array) {
        Ok(items) => join(items.into_iter().map(|item| {
            item.map(|item| item.parse::<i64>().map(|number| reg_text(facts, number, element)).unwrap_or(item))
        })),
        Err(_) => array.to_owned(),
    }
}

/// A parameter in the text format of its type, as SQLite keeps it.
pub(crate) fn parameter(value: Option<&str>, kind: u32, place: usize) -> Result<Value> {
    let Some(text) = value else { return Ok(Value::Null) };
    let invalid = || {
        let name = builtin::type_of(kind).map_or("its type", |kind| kind.name);
        CatalogueError::new(Fault::InvalidValue, format!("parameter ${place} cannot be read as {name}"))
    };
    Ok(match kind {
        oid::BOOL => Value::Integer(i64::from(read_bool(text).ok_or_else(invalid)?)),
        oid::FLOAT4 | oid::FLOAT8 | oid::NUMERIC => Value::Real(text.trim().parse().map_err(|_| invalid())?),
        oid::CHAR => Value::Text(text.chars().take(1).collect()),
        kind if oid::is_reg(kind) => text.trim().parse().map_or_else(|_| Value::Text(text.to_owned()), Value::Integer),
        kind if oid::is_integer(kind) => Value::Integer(text.trim().parse().map_err(|_| invalid())?),
        _ => Value::Text(text.to_owned()),
    })
}
