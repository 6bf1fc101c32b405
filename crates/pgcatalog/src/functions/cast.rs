//! Casts between the types: what reads a text as a value, and what writes a value as text.

use rusqlite::types::Value;

use super::array::{elements, join};
use super::{Body, Call, Lax, Strict, invalid, real_text, text};
use crate::directory::{quote_ident, split_identifier};
use crate::error::{CatalogueError, Fault, Result};
use crate::facts::Facts;
use crate::oid;

pub(super) const FUNCTIONS: &[(&str, Body)] = &[
    ("_int", Strict(to_int)),
    ("_real", Strict(to_real)),
    ("_bool", Strict(to_bool)),
    ("_bool_text", Strict(|call| text(bool_text(call.int(0))))),
    (
        "_real_text",
        Strict(|call| {
            text(match &call.arguments[0] {
                Value::Real(number) => real_text(*number),
                other => super::value_text(other),
            })
        }),
    ),
    ("_reg_text", Strict(|call| text(reg_text(call.facts, call.int(0), call.int(1) as u32)))),
    ("_reg", Strict(to_reg)),
    ("_array_text", Strict(array_text)),
    ("_array_reg", Strict(array_reg)),
    ("to_regclass", Strict(|call| soft(call, oid::REGCLASS))),
    ("to_regtype", Strict(|call| soft(call, oid::REGTYPE))),
    ("to_regproc", Strict(|call| soft(call, oid::REGPROC))),
    ("to_regprocedure", Strict(|call| soft(call, oid::REGPROCEDURE))),
    ("to_regnamespace", Strict(|call| soft(call, oid::REGNAMESPACE))),
    ("to_regrole", Strict(|call| soft(call, oid::REGROLE))),
    ("_date", Lax(|call| Ok(call.arguments.first().cloned().unwrap_or(Value::Null)))),
];

/// A boolean as a cast to text writes it.
pub(crate) fn bool_text(value: i64) -> &'static str {
    if value == 0 { "false" } else { "true" }
}

fn to_int(call: &Call<'_>) -> Result<Value> {
    match &call.arguments[0] {
        Value::Integer(number) => Ok(Value::Integer(*number)),
        // To the even number, as rint() does it.
        Value::Real(number) => Ok(Value::Integer(number.round_ties_even() as i64)),
        other => super::value_text(other)
            .trim()
            .parse()
            .map(Value::Integer)
            .map_err(|_| invalid("invalid input syntax for a whole number: write digits only")),
    }
}

fn to_real(call: &Call<'_>) -> Result<Value> {
    match &call.arguments[0] {
        Value::Integer(number) => Ok(Value::Real(*number as f64)),
        Value::Real(number) => Ok(Value::Real(*number)),
        other => super::value_text(other)
            .trim()
            .parse()
            .map(Value::Real)
            .map_err(|_| invalid("invalid input syntax for a number")),
    }
}

/// What PostgreSQL reads as a boolean (`boolin`: any unambiguous beginning).
pub(crate) fn read_bool(text: &str) -> Option<bool> {
    let word = text.trim().to_ascii_lowercase();
    match word.as_str() {
        "" | "o" => None,
        "1" | "on" => Some(true),
        "0" => Some(false),
        _ if "true".starts_with(&word) || "yes".starts_with(&word) => Some(true),
        _ if "false".starts_with(&word) || "no".starts_with(&word) || ("off".starts_with(&word) && word.len() > 1) => {
            Some(false)
        }
        _ => None,
    }
}

fn to_bool(call: &Call<'_>) -> Result<Value> {
    match &call.arguments[0] {
        Value::Integer(number) => Ok(Value::Integer(i64::from(*number != 0))),
        other => read_bool(&super::value_text(other))
            .map(|value| Value::Integer(i64::from(value)))
            .ok_or_else(|| invalid("invalid input syntax for type boolean: write true or false")),
    }
}

/// The name of a number of one of the `reg...` types; the number itself where nothing has it.
pub(crate) fn reg_text(facts: &Facts, number: i64, kind: u32) -> String {
    let directory = &facts.directory;
    let Ok(object) = u32::try_from(number) else { return number.to_string() };
    if object == 0 {
        return "-".into();
    }
    let name = match kind {
        oid::REGCLASS => directory.class(object).map(|class| {
            let path = facts.path();
            let visible = directory.class_along(&path, &class.name).is_some_and(|found| found.oid == object);
            let schema = directory.schema(class.schema).unwrap_or_default();
            qualified(schema, &class.name, visible)
        }),
        oid::REGTYPE => {
            let name = directory.format_type(object, None);
            if name == "???" {
                None
            } else {
                Some(match directory.row_type(object) {
                    Some((class, array))
                        if !facts.path().iter().any(|schema| directory.schema_named(schema) == Some(class.schema)) =>
                    {
                        let schema = directory.schema(class.schema).unwrap_or_default();
                        format!("{}{}", qualified(schema, &class.name, false), if array { "[]" } else { "" })
                    }
                    _ => name,
                })
            }
        }
        oid::REGPROC | oid::REGPROCEDURE => directory.procedure(object).map(|procedure| {
            let schema = directory.schema(procedure.schema).unwrap_or_default();
            let visible = schema == "pg_catalog" || facts.path().iter().any(|known| known == schema);
            let name = qualified(schema, &procedure.name, visible);
            if kind == oid::REGPROC {
                name
            } else {
                let arguments: Vec<String> =
                    procedure.arguments.iter().map(|kind| directory.format_type(*kind, None)).collect();
                format!("{name}({})", arguments.join(","))
            }
        }),
        oid::REGNAMESPACE => directory.schema(object).map(quote_ident),
        oid::REGROLE => role_name(facts, object).map(|name| quote_ident(&name)),
        oid::REGCOLLATION => Some(match object {
            100 => "\"default\"".to_owned(),
            950 => "\"C\"".to_owned(),
            951 => "\"POSIX\"".to_owned(),
            _ => return number.to_string(),
        }),
        _ => None,
    };
    name.unwrap_or_else(|| number.to_string())
}

/// The name of a role, the session's own user among them.
pub(super) fn role_name(facts: &Facts, object: u32) -> Option<String> {
    facts
        .directory
        .role(object)
        .map(str::to_owned)
        .or_else(|| facts.with(|running| (running.user_oid == object).then(|| running.user.clone())))
}

/// The number of a role, the session's own user among them.
pub(super) fn role_number(facts: &Facts, name: &str) -> Option<u32> {
    facts
        .directory
        .role_named(name)
        .or_else(|| facts.with(|running| (running.user == name).then_some(running.user_oid)))
}

fn qualified(schema: &str, name: &str, visible: bool) -> String {
    if visible { quote_ident(name) } else { format!("{}.{}", quote_ident(schema), quote_ident(name)) }
}

/// A name read as one of the `reg...` types.
pub(super) fn read_reg(facts: &Facts, name: &str, kind: u32) -> Option<u32> {
    let name = name.trim();
    if name == "-" {
        return Some(0);
    }
    if let Ok(number) = name.parse() {
        return Some(number);
    }
    let directory = &facts.directory;
    if kind == oid::REGTYPE {
        return directory.type_number(name, &facts.path());
    }
    let bare = if kind == oid::REGPROCEDURE { name.split('(').next().unwrap_or_default() } else { name };
    let mut parts = split_identifier(bare)?;
    let last = parts.pop()?;
    let schema = match parts.pop() {
        // A name of three parts begins with that of the database.
        Some(schema) => Some(directory.schema_named(&schema)?),
        None => None,
    };
    match kind {
        oid::REGCLASS => match schema {
            Some(schema) => directory.class_in(schema, &last),
            None => directory.class_along(&facts.path(), &last),
        }
        .map(|class| class.oid),
        oid::REGNAMESPACE => directory.schema_named(&last),
        oid::REGROLE => role_number(facts, &last),
        oid::REGCOLLATION => match last.as_str() {
            "default" => Some(100),
            "C" => Some(950),
            "POSIX" => Some(951),
            _ => None,
        },
        oid::REGPROC => {
            let mut found =
                directory.procedures_named(&last).filter(|known| schema.is_none_or(|schema| known.schema == schema));
            let first = found.next()?;
            found.next().is_none().then_some(first.oid)
        }
        oid::REGPROCEDURE => {
            let inner = name.split_once('(')?.1.strip_suffix(')')?;
            let arguments: Option<Vec<u32>> = inner
                .split(',')
                .filter(|part| !part.trim().is_empty())
                .map(|part| directory.type_number(part, &facts.path()))
                .collect();
            let arguments = arguments?;
            directory.procedures_named(&last).find(|known| known.arguments == arguments).map(|known| known.oid)
        }
        _ => None,
    }
}

fn soft(call: &Call<'_>, kind: u32) -> Result<Value> {
    let name = call.text(0);
    // A number is no name to these functions.
    if name.trim().parse::<u32>().is_ok() {
        return Ok(Value::Null);
    }
    Ok(read_reg(call.facts, &name, kind).map_or(Value::Null, |number| Value::Integer(i64::from(number))))
}

fn to_reg(call: &Call<'_>) -> Result<Value> {
    if let Value::Integer(number) = call.arguments[0] {
        return Ok(Value::Integer(number));
    }
    let name = call.text(0);
    let kind = call.int(1) as u32;
    let (fault, what) = match kind {
        oid::REGCLASS => (Fault::UndefinedTable, "relation"),
        oid::REGTYPE => (Fault::UndefinedObject, "type"),
        oid::REGPROC | oid::REGPROCEDURE => (Fault::UndefinedFunction, "function"),
        oid::REGNAMESPACE => (Fault::UndefinedObject, "schema"),
        oid::REGROLE => (Fault::UndefinedObject, "role"),
        _ => (Fault::UndefinedObject, "object"),
    };
    read_reg(call.facts, &name, kind)
        .map(|number| Value::Integer(i64::from(number)))
        .ok_or_else(|| CatalogueError::new(fault, format!("{what} \"{name}\" does not exist")))
}

/// An array of numbers of a `reg...` type, or of booleans, with its elements' names.
fn array_text(call: &Call<'_>) -> Result<Value> {
    let kind = call.int(1) as u32;
    let items = elements(&call.text(0))?;
    text(join(items.into_iter().map(|item| {
        item.map(|item| match item.parse::<i64>() {
            Ok(number) if oid::is_reg(kind) => reg_text(call.facts, number, kind),
            _ => item,
        })
    })))
}

/// An array of names as one of numbers of a `reg...` type.
fn array_reg(call: &Call<'_>) -> Result<Value> {
    let kind = call.int(1) as u32;
    let mut numbers = Vec::new();
    for item in elements(&call.text(0))? {
        numbers.push(match item {
            None => None,
            Some(name) => Some(
                read_reg(call.facts, &name, kind)
                    .ok_or_else(|| CatalogueError::new(Fault::UndefinedObject, format!("\"{name}\" does not exist")))?
                    .to_string(),
            ),
        });
    }
    text(join(numbers.into_iter()))
}
