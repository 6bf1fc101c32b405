//! What many rows gather into one value: a JSON array, within a bound. (SQLite's own `json_group_array` finds only at its end that a
//! value is too long, after it has taken the memory.)

use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};

use crate::error::{CatalogueError, Fault};
use crate::facts::Facts;

/// The longest gathered array, in bytes. All columns of a catalogue of thousands take a tenth of it.
const MAX_GATHERED: usize = 8 << 20;

/// Gathers values (`f__gather`) or texts that are JSON already (`f__gather_json`).
struct Gather {
    facts: Facts,
    json: bool,
}

impl Aggregate<String, Value> for Gather {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<String> {
        Ok(String::from("["))
    }

    fn step(&self, context: &mut Context<'_>, gathered: &mut String) -> rusqlite::Result<()> {
        if gathered.len() > 1 {
            gathered.push(',');
        }
        match context.get_raw(0) {
            ValueRef::Null | ValueRef::Blob(_) => gathered.push_str("null"),
            ValueRef::Integer(number) => gathered.push_str(&number.to_string()),
            ValueRef::Real(number) => gathered.push_str(&serde_json::Value::from(number).to_string()),
            ValueRef::Text(bytes) => {
                let text = String::from_utf8_lossy(bytes);
                if self.json {
                    gathered.push_str(&text);
                } else {
                    gathered.push_str(&serde_json::Value::from(text).to_string());
                }
            }
        }
        if gathered.len() > MAX_GATHERED {
            let error = CatalogueError::new(Fault::TooComplex, "an array of the answer would be longer than 8 MiB");
            let message = error.message.clone();
            self.facts.with(|running| running.fault = Some(error));
            return Err(rusqlite::Error::UserFunctionError(message.into()));
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, gathered: Option<String>) -> rusqlite::Result<Value> {
        Ok(Value::Text(gathered.unwrap_or_else(|| String::from("[")) + "]"))
    }
}

/// Gives the two to a connection.
pub(super) fn register(connection: &Connection, facts: &Facts) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    for (name, json) in [("f__gather", false), ("f__gather_json", true)] {
        connection.create_aggregate_function(name, 1, flags, Gather { facts: facts.clone(), json })?;
    }
    Ok(())
}
