//! Arrays, which are texts in PostgreSQL's form: `{1,2,NULL}`; vectors (`int2vector`) are `1 2`.

use rusqlite::types::Value;

use super::{Body, Call, Lax, Strict, flag, int, invalid, text, value_text};
use crate::error::Result;
use crate::oid;

pub(super) const FUNCTIONS: &[(&str, Body)] = &[
    ("array_length", Strict(length)),
    ("array_upper", Strict(upper)),
    ("array_lower", Strict(lower)),
    ("array_ndims", Strict(|call| Ok(if list(call, 0)?.is_empty() { Value::Null } else { Value::Integer(1) }))),
    ("array_dims", Strict(dims)),
    ("cardinality", Strict(|call| int(list(call, 0)?.len() as i64))),
    ("array_append", Lax(append)),
    ("array_prepend", Lax(prepend)),
    ("array_cat", Lax(cat)),
    ("array_position", Lax(position)),
    ("array_positions", Lax(positions)),
    ("array_remove", Lax(remove)),
    ("array_fill", Lax(fill)),
    ("array_replace", Lax(replace)),
    ("array_to_string", Lax(to_string)),
    ("string_to_array", Lax(from_string)),
    ("_array", Lax(|call| text(join(call.arguments.iter().map(item))))),
    ("_array_json", Strict(|call| json_of(&call.text(0), call.int(1) as u32))),
    ("_json_array", Strict(json_array)),
    ("_subscript", Strict(subscript)),
    ("_slice", Lax(slice)),
    ("_contains", Strict(|call| Ok(Value::Integer(i64::from(contains(call, 0, 1)?))))),
    ("_overlaps", Strict(overlaps)),
    ("_vector_array", Strict(|call| text(join(list(call, 0)?.into_iter())))),
];

/// The elements of an array or vector. A nested array is flattened, as `unnest` does it.
pub(crate) fn elements(array: &str) -> Result<Vec<Option<String>>> {
    let array = array.trim();
    let inner = match array.find('{') {
        Some(open) if array.ends_with('}') && (open == 0 || array.starts_with('[')) => {
            &array[open + 1..array.len() - 1]
        }
        _ if array.chars().all(|letter| letter.is_ascii_digit() || letter == ' ' || letter == '-') => {
            return Ok(array.split_whitespace().map(|item| Some(item.to_owned())).collect());
        }
        _ => {
            return Err(invalid(format!(
                "malformed array literal: an array is written {{a,b}}, and this begins otherwise ({} letters)",
                array.len()
            )));
        }
    };
    let mut items = Vec::new();
    let mut item = String::new();
    let mut quoted = false;
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                // Blanks around an element are none of it (`array_in`): ADBC writes `{"r", "v"}`.
                if item.trim().is_empty() {
                    item.clear();
                }
                quoted = true;
                loop {
                    match letters.next() {
                        Some('\\') => item.extend(letters.next()),
                        Some('"') => break,
                        Some(other) => item.push(other),
                        None => return Err(invalid("malformed array literal: a quoted element does not end")),
                    }
                }
            }
            '\\' => item.extend(letters.next()),
            '{' | '}' => {}
            ',' => items.push(finish(&mut item, &mut quoted)),
            blank if quoted && blank.is_whitespace() => {}
            other => item.push(other),
        }
    }
    if !items.is_empty() || quoted || !item.trim().is_empty() {
        items.push(finish(&mut item, &mut quoted));
    }
    Ok(items)
}

fn finish(item: &mut String, quoted: &mut bool) -> Option<String> {
    let whole = std::mem::take(item);
    if std::mem::take(quoted) {
        return Some(whole);
    }
    let bare = whole.trim();
    if bare.eq_ignore_ascii_case("null") { None } else { Some(bare.to_owned()) }
}

/// An array of elements (`array_out` in `arrayfuncs.c`).
pub(crate) fn join(items: impl Iterator<Item = Option<String>>) -> String {
    let items: Vec<String> = items.map(|item| item.map_or_else(|| "NULL".to_owned(), |item| element(&item))).collect();
    format!("{{{}}}", items.join(","))
}

fn element(item: &str) -> String {
    let special = |letter: char| matches!(letter, '{' | '}' | ',' | '"' | '\\') || letter.is_whitespace();
    if item.is_empty() || item.eq_ignore_ascii_case("null") || item.contains(special) {
        format!("\"{}\"", item.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        item.to_owned()
    }
}

fn item(value: &Value) -> Option<String> {
    if *value == Value::Null { None } else { Some(value_text(value)) }
}

fn list(call: &Call<'_>, place: usize) -> Result<Vec<Option<String>>> {
    if call.is_null(place) { Ok(Vec::new()) } else { elements(&call.text(place)) }
}

/// A JSON array for `json_each`, its elements as SQLite keeps the type.
fn json_of(array: &str, kind: u32) -> Result<Value> {
    let items: Vec<serde_json::Value> = elements(array)?
        .into_iter()
        .map(|item| match item {
            None => serde_json::Value::Null,
            Some(item) => json_item(item, kind),
        })
        .collect();
    text(serde_json::Value::Array(items).to_string())
}

fn json_item(item: String, kind: u32) -> serde_json::Value {
    if kind == oid::BOOL {
        return i64::from(matches!(item.as_str(), "t" | "true" | "1")).into();
    }
    if oid::is_integer(kind) {
        if let Ok(number) = item.parse::<i64>() {
            return number.into();
        }
    } else if matches!(kind, oid::FLOAT4 | oid::FLOAT8)
        && let Ok(number) = item.parse::<f64>()
    {
        return number.into();
    }
    item.into()
}

/// An array from a JSON array: what an aggregate gathered. One of booleans has `t` and `f`; gathered from nothing it is NULL
/// (unless a third argument says that it is of a subquery, `ARRAY(...)`, which gives an empty one).
fn json_array(call: &Call<'_>) -> Result<Value> {
    let gathered: Vec<serde_json::Value> =
        serde_json::from_str(&call.text(0)).map_err(|_| invalid("an array could not be gathered"))?;
    if gathered.is_empty() && call.count() < 3 {
        return Ok(Value::Null);
    }
    let boolean = call.int(1) == i64::from(oid::BOOL);
    text(join(gathered.into_iter().map(|item| match item {
        serde_json::Value::Null => None,
        serde_json::Value::Number(number) if boolean => Some(if number.as_i64() == Some(0) { "f" } else { "t" }.into()),
        serde_json::Value::String(text) => Some(text),
        other => Some(other.to_string()),
    })))
}

fn length(call: &Call<'_>) -> Result<Value> {
    let count = list(call, 0)?.len();
    Ok(if count == 0 || call.int(1) != 1 { Value::Null } else { Value::Integer(count as i64) })
}

/// Vectors count from 0, arrays from 1.
fn base(call: &Call<'_>) -> i64 {
    i64::from(call.text(0).starts_with('{'))
}

fn upper(call: &Call<'_>) -> Result<Value> {
    let count = list(call, 0)?.len() as i64;
    Ok(if count == 0 || call.int(1) != 1 { Value::Null } else { Value::Integer(count - 1 + base(call)) })
}

fn lower(call: &Call<'_>) -> Result<Value> {
    let count = list(call, 0)?.len();
    Ok(if count == 0 || call.int(1) != 1 { Value::Null } else { Value::Integer(base(call)) })
}

fn dims(call: &Call<'_>) -> Result<Value> {
    let count = list(call, 0)?.len() as i64;
    let base = base(call);
    if count == 0 { Ok(Value::Null) } else { text(format!("[{base}:{}]", count - 1 + base)) }
}

fn append(call: &Call<'_>) -> Result<Value> {
    let mut items = list(call, 0)?;
    items.push(call.arguments.get(1).and_then(item));
    text(join(items.into_iter()))
}

fn prepend(call: &Call<'_>) -> Result<Value> {
    let mut items = vec![call.arguments.first().and_then(item)];
    items.extend(list(call, 1)?);
    text(join(items.into_iter()))
}

fn cat(call: &Call<'_>) -> Result<Value> {
    if call.is_null(0) && call.is_null(1) {
        return Ok(Value::Null);
    }
    let mut items = list(call, 0)?;
    items.extend(list(call, 1)?);
    text(join(items.into_iter()))
}

fn wanted(call: &Call<'_>) -> Result<(Vec<Option<String>>, Option<String>)> {
    Ok((list(call, 0)?, call.arguments.get(1).and_then(item)))
}

fn position(call: &Call<'_>) -> Result<Value> {
    let (items, wanted) = wanted(call)?;
    Ok(items
        .iter()
        .position(|item| *item == wanted)
        .map_or(Value::Null, |place| Value::Integer(place as i64 + base(call))))
}

fn positions(call: &Call<'_>) -> Result<Value> {
    let (items, wanted) = wanted(call)?;
    text(join(
        items.iter().enumerate().filter(|(_, item)| **item == wanted).map(|(place, _)| Some((place + 1).to_string())),
    ))
}

fn remove(call: &Call<'_>) -> Result<Value> {
    let (items, wanted) = wanted(call)?;
    text(join(items.into_iter().filter(|item| *item != wanted)))
}

fn fill(call: &Call<'_>) -> Result<Value> {
    let count =
        list(call, 1)?.into_iter().flatten().next().and_then(|count| count.parse::<usize>().ok()).unwrap_or_default();
    if count > 10_000 {
        return Err(invalid("array size exceeds the maximum allowed here, 10,000"));
    }
    let value = call.arguments.first().and_then(item);
    text(join(std::iter::repeat_n(value, count)))
}

fn replace(call: &Call<'_>) -> Result<Value> {
    let (items, wanted) = wanted(call)?;
    let other = call.arguments.get(2).and_then(item);
    text(join(items.into_iter().map(|item| if item == wanted { other.clone() } else { item })))
}

fn to_string(call: &Call<'_>) -> Result<Value> {
    if call.is_null(0) || call.is_null(1) {
        return Ok(Value::Null);
    }
    let replacement = call.arguments.get(2).and_then(item);
    let items: Vec<String> =
        list(call, 0)?.into_iter().filter_map(|item| item.or_else(|| replacement.clone())).collect();
    text(items.join(&call.text(1)))
}

pub(super) fn split(call: &Call<'_>) -> Vec<Option<String>> {
    let whole = call.text(0);
    let null = call.arguments.get(2).and_then(item);
    let parts: Vec<String> = if whole.is_empty() {
        Vec::new()
    } else if call.is_null(1) {
        whole.chars().map(String::from).collect()
    } else if call.text(1).is_empty() {
        vec![whole]
    } else {
        whole.split(&call.text(1)).map(str::to_owned).collect()
    };
    parts.into_iter().map(Some).map(|part| if part == null { None } else { part }).collect()
}

fn from_string(call: &Call<'_>) -> Result<Value> {
    if call.is_null(0) { Ok(Value::Null) } else { text(join(split(call).into_iter())) }
}

/// `array[n]`; the third argument is the type of elements, which says how SQLite keeps one.
fn subscript(call: &Call<'_>) -> Result<Value> {
    let place = call.int(1) - base(call);
    let items = list(call, 0)?;
    let Some(Some(item)) = usize::try_from(place).ok().and_then(|place| items.into_iter().nth(place)) else {
        return Ok(Value::Null);
    };
    Ok(native(item, call.int(2) as u32))
}

/// An element as SQLite keeps its type.
pub(super) fn native(item: String, kind: u32) -> Value {
    match json_item(item, kind) {
        serde_json::Value::Number(number) => {
            number.as_i64().map_or_else(|| Value::Real(number.as_f64().unwrap_or_default()), Value::Integer)
        }
        serde_json::Value::String(text) => Value::Text(text),
        other => Value::Text(other.to_string()),
    }
}

fn slice(call: &Call<'_>) -> Result<Value> {
    if call.is_null(0) {
        return Ok(Value::Null);
    }
    let base = base(call);
    let items = list(call, 0)?;
    let from = if call.is_null(1) { base } else { call.int(1) };
    let to = if call.is_null(2) { items.len() as i64 } else { call.int(2) };
    let kept = items
        .into_iter()
        .enumerate()
        .filter(|(place, _)| (from..=to).contains(&(*place as i64 + base)))
        .map(|(_, item)| item);
    text(join(kept))
}

fn contains(call: &Call<'_>, whole: usize, part: usize) -> Result<bool> {
    let whole = list(call, whole)?;
    Ok(list(call, part)?.iter().all(|item| item.is_some() && whole.contains(item)))
}

fn overlaps(call: &Call<'_>) -> Result<Value> {
    let other = list(call, 1)?;
    flag(list(call, 0)?.iter().any(|item| item.is_some() && other.contains(item)))
}
