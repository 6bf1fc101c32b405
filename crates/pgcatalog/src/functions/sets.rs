//! Functions that give many rows: each makes a JSON array, over which `json_each` goes (which may refer to tables before it, as
//! PostgreSQL's functions in FROM do).

use rusqlite::types::Value;
use serde_json::json;

use super::array::{elements, native, split};
use super::{Body, Call, Lax, Strict, text};
use crate::builtin::ROWS;
use crate::error::{CatalogueError, Fault, Result};
use crate::oid;

pub(super) const FUNCTIONS: &[(&str, Body)] = &[
    ("_generate_series", Strict(series)),
    ("_generate_subscripts", Strict(subscripts)),
    ("_expandarray", Strict(expand)),
    ("_keywords", Lax(|_| keywords())),
    ("_string_table", Lax(|call| text(serde_json::Value::from(split(call)).to_string()))),
    ("_options", Strict(options)),
    ("_one", Lax(|call| text(serde_json::Value::from(vec![as_json(call.arguments.first())]).to_string()))),
    ("_none", Lax(|_| text("[]"))),
];

/// The most rows that one function gives.
const MAX_ROWS: i64 = 100_000;

fn as_json(value: Option<&Value>) -> serde_json::Value {
    match value {
        Some(Value::Integer(number)) => json!(number),
        Some(Value::Real(number)) => json!(number),
        Some(Value::Text(text)) => json!(text),
        _ => serde_json::Value::Null,
    }
}

fn series(call: &Call<'_>) -> Result<Value> {
    let (from, to) = (call.int(0), call.int(1));
    let step = if call.count() > 2 { call.int(2) } else { 1 };
    if step == 0 {
        return Err(super::invalid("step size cannot equal zero"));
    }
    let count = i128::from(to).saturating_sub(i128::from(from)) / i128::from(step);
    if count >= i128::from(MAX_ROWS) {
        return Err(CatalogueError::new(Fault::TooComplex, "generate_series() would give more than 100,000 rows"));
    }
    let rows: Vec<i64> = (0..=count.max(-1))
        .filter_map(|place| i64::try_from(i128::from(from) + place * i128::from(step)).ok())
        .collect();
    // Where the first is beyond the last, the division rounds to 0 as well.
    let rows = if (step > 0 && from > to) || (step < 0 && from < to) { Vec::new() } else { rows };
    text(json!(rows).to_string())
}

fn subscripts(call: &Call<'_>) -> Result<Value> {
    let base = i64::from(call.text(0).starts_with('{'));
    let count = if call.int(1) == 1 { elements(&call.text(0))?.len() as i64 } else { 0 };
    text(json!((base..base + count).collect::<Vec<_>>()).to_string())
}

/// `_pg_expandarray`: each element and its place from 1. The second argument is the type of elements.
fn expand(call: &Call<'_>) -> Result<Value> {
    let kind = call.int(1) as u32;
    let rows: Vec<serde_json::Value> = elements(&call.text(0))?
        .into_iter()
        .zip(1..)
        .map(|(item, place)| {
            let value = item.map_or(serde_json::Value::Null, |item| match native(item, kind) {
                Value::Integer(number) => json!(number),
                other => json!(super::value_text(&other)),
            });
            json!([value, place])
        })
        .collect();
    text(serde_json::Value::from(rows).to_string())
}

fn keywords() -> Result<Value> {
    let rows: Vec<serde_json::Value> = ROWS
        .iter()
        .filter(|(table, _)| *table == "pg_get_keywords")
        .map(|(_, row)| {
            let field = |place: usize| row.get(place).cloned().flatten();
            json!([field(0), field(1), i64::from(field(2).as_deref() == Some("t")), field(3), field(4)])
        })
        .collect();
    text(serde_json::Value::from(rows).to_string())
}

/// `pg_options_to_table`: `name=value` each.
fn options(call: &Call<'_>) -> Result<Value> {
    let rows: Vec<serde_json::Value> = elements(&call.text(0))?
        .into_iter()
        .flatten()
        .map(|option| match option.split_once('=') {
            Some((name, value)) => json!([name, value]),
            None => json!([option, null_json()]),
        })
        .collect();
    text(serde_json::Value::from(rows).to_string())
}

fn null_json() -> Option<String> {
    None
}

/// Columns of a function whose rows are records, with their types; `None` for one of single values.
pub(crate) fn record_of(name: &str) -> Option<&'static [(&'static str, u32)]> {
    Some(match name {
        "_pg_expandarray" => &[("x", oid::ANYELEMENT), ("n", oid::INT4)],
        "pg_get_keywords" => &[
            ("word", oid::TEXT),
            ("catcode", oid::CHAR),
            ("barelabel", oid::BOOL),
            ("catdesc", oid::TEXT),
            ("baredesc", oid::TEXT),
        ],
        "pg_options_to_table" => &[("option_name", oid::TEXT), ("option_value", oid::TEXT)],
        "aclexplode" => {
            &[("grantor", oid::OID), ("grantee", oid::OID), ("privilege_type", oid::TEXT), ("is_grantable", oid::BOOL)]
        }
        "pg_partition_tree" => {
            &[("relid", oid::REGCLASS), ("parentrelid", oid::REGCLASS), ("isleaf", oid::BOOL), ("level", oid::INT4)]
        }
        _ => return None,
    })
}
