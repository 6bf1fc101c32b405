//! The functions of PostgreSQL that clients call, as functions of SQLite named `f_...`. Each takes SQLite's values: integers for
//! numbers, OIDs and booleans, text for all else, arrays in PostgreSQL's text form. Names that begin with `f__` are the
//! translation's own helpers.

#![allow(clippy::unnecessary_wraps, reason = "all functions have one signature, of which some can fail")]

mod array;
mod cast;
mod catalog;
mod gather;
mod numbers;
mod regex;
mod session;
mod sets;
mod text;

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};

use crate::error::{CatalogueError, Fault, Result};
use crate::facts::Facts;

pub(crate) use array::{elements, join};
pub(crate) use cast::{read_bool, reg_text};
pub(crate) use sets::record_of;

/// The longest text that a function makes.
pub(crate) const MAX_TEXT: usize = 1 << 20;

/// One call.
pub(crate) struct Call<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) arguments: &'a [Value],
}

/// What a function is made of. `Lax` functions see NULLs; for the others NULL gives NULL.
#[derive(Clone, Copy)]
pub(crate) enum Body {
    Strict(fn(&Call<'_>) -> Result<Value>),
    Lax(fn(&Call<'_>) -> Result<Value>),
}

use Body::{Lax, Strict};

impl Call<'_> {
    /// How many arguments there are.
    fn count(&self) -> usize {
        self.arguments.len()
    }

    /// An argument as text; empty where absent or NULL.
    fn text(&self, place: usize) -> String {
        self.arguments.get(place).map(value_text).unwrap_or_default()
    }

    /// An argument as a whole number; 0 where absent or none.
    fn int(&self, place: usize) -> i64 {
        match self.arguments.get(place) {
            Some(Value::Integer(number)) => *number,
            Some(Value::Real(number)) => number.round() as i64,
            Some(Value::Text(text)) => text.trim().parse().unwrap_or_default(),
            _ => 0,
        }
    }

    /// An argument as an OID, if it can be one.
    fn oid(&self, place: usize) -> Option<u32> {
        match self.arguments.get(place) {
            Some(Value::Integer(number)) => u32::try_from(*number).ok(),
            Some(Value::Text(text)) => text.parse().ok(),
            _ => None,
        }
    }

    fn real(&self, place: usize) -> f64 {
        match self.arguments.get(place) {
            Some(Value::Integer(number)) => *number as f64,
            Some(Value::Real(number)) => *number,
            Some(Value::Text(text)) => text.trim().parse().unwrap_or_default(),
            _ => 0.0,
        }
    }

    fn is_null(&self, place: usize) -> bool {
        matches!(self.arguments.get(place), None | Some(Value::Null))
    }
}

/// A value as PostgreSQL would write it, not knowing its type.
pub(crate) fn value_text(value: &Value) -> String {
    match value {
        Value::Null | Value::Blob(_) => String::new(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => real_text(*number),
        Value::Text(text) => text.clone(),
    }
}

/// A number with a fraction as PostgreSQL writes `float8` (`extra_float_digits` 1: the shortest that reads back the same).
pub(crate) fn real_text(number: f64) -> String {
    if number.is_nan() {
        "NaN".into()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity".into() } else { "-Infinity".into() }
    } else if number != 0.0 && (number.abs() >= 1e15 || number.abs() < 1e-4) {
        let text = format!("{number:e}");
        match text.split_once('e') {
            Some((digits, power)) => {
                let power: i32 = power.parse().unwrap_or_default();
                format!("{digits}e{}{:02}", if power < 0 { '-' } else { '+' }, power.abs())
            }
            None => text,
        }
    } else {
        format!("{number}")
    }
}

fn text(value: impl Into<String>) -> Result<Value> {
    Ok(Value::Text(value.into()))
}

fn int(value: impl Into<i64>) -> Result<Value> {
    Ok(Value::Integer(value.into()))
}

fn flag(value: bool) -> Result<Value> {
    Ok(Value::Integer(i64::from(value)))
}

fn null(_: &Call<'_>) -> Result<Value> {
    Ok(Value::Null)
}

fn invalid(message: impl Into<String>) -> CatalogueError {
    CatalogueError::new(Fault::InvalidValue, message)
}

fn optional(value: Option<impl Into<String>>) -> Result<Value> {
    Ok(value.map_or(Value::Null, |value| Value::Text(value.into())))
}

/// The functions by name.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, Body)> {
    [
        array::FUNCTIONS,
        catalog::FUNCTIONS,
        cast::FUNCTIONS,
        numbers::FUNCTIONS,
        regex::FUNCTIONS,
        session::FUNCTIONS,
        sets::FUNCTIONS,
        text::FUNCTIONS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// Whether there is a function of that name here.
pub(crate) fn is_known(name: &str) -> bool {
    use std::collections::HashSet;
    use std::sync::LazyLock;
    static NAMES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| all().map(|(name, _)| name).collect());
    NAMES.contains(name)
}

/// Gives the functions to a connection.
pub(crate) fn register(connection: &Connection, facts: &Facts) -> rusqlite::Result<()> {
    for (name, body) in all() {
        let name = format!("f_{name}");
        let flags = FunctionFlags::SQLITE_UTF8;
        // Without arguments a function must not count as constant: to estimate rows, SQLite calls a constant one with no list of
        // arguments at all, which rusqlite 0.37 takes for a slice.
        if let Lax(_) = body {
            let own = facts.clone();
            connection.create_scalar_function(name.as_str(), 0, flags, move |context| run(&own, body, context))?;
        }
        let own = facts.clone();
        let flags = flags | FunctionFlags::SQLITE_DETERMINISTIC;
        connection.create_scalar_function(name.as_str(), -1, flags, move |context| run(&own, body, context))?;
    }
    gather::register(connection, facts)
}

fn run(facts: &Facts, body: Body, context: &Context<'_>) -> rusqlite::Result<Value> {
    let mut arguments = Vec::with_capacity(context.len());
    for place in 0..context.len() {
        arguments.push(match context.get_raw(place) {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Integer(number),
            ValueRef::Real(number) => Value::Real(number),
            ValueRef::Text(bytes) => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
            ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
        });
    }
    let act = match body {
        Strict(_) if arguments.contains(&Value::Null) => return Ok(Value::Null),
        Strict(act) | Lax(act) => act,
    };
    let call = Call { facts, arguments: &arguments };
    // A panic must not cross SQLite's frames; there is none that is known, and one would be an error like others.
    let outcome = catch_unwind(AssertUnwindSafe(|| act(&call)))
        .unwrap_or_else(|_| Err(CatalogueError::new(Fault::Internal, "a function of the system catalogue failed")));
    match outcome {
        Ok(Value::Text(text)) if text.len() > MAX_TEXT => {
            fail(facts, CatalogueError::new(Fault::TooComplex, "a value of the answer would be longer than 1 MiB"))
        }
        Ok(value) => Ok(value),
        Err(error) => fail(facts, error),
    }
}

fn fail(facts: &Facts, error: CatalogueError) -> rusqlite::Result<Value> {
    let message = error.message.clone();
    facts.with(|running| running.fault = Some(error));
    Err(rusqlite::Error::UserFunctionError(message.into()))
}
