//! Types: how a type is named, and how a value becomes one of another type.

use sqlparser::ast::{ArrayElemTypeDef, CharacterLength, DataType, TimezoneInfo};

use super::names::parts;
use super::{Origin, Translator, Typed, quoted};
use crate::builtin;
use crate::error::{CatalogueError, Fault, Result};
use crate::oid;

/// The OID of a type as it is written, and the length that `varchar(n)` and `char(n)` have.
pub(super) fn data_type(written: &DataType) -> Result<(u32, Option<u64>)> {
    let length = |length: &Option<CharacterLength>| match length {
        Some(CharacterLength::IntegerLength { length, .. }) => Some(*length),
        _ => None,
    };
    let plain = |kind: u32| Ok((kind, None));
    match written {
        DataType::Varchar(size) | DataType::CharacterVarying(size) | DataType::CharVarying(size) => {
            Ok((oid::VARCHAR, length(size)))
        }
        DataType::Char(size) | DataType::Character(size) => Ok((oid::BPCHAR, length(size).or(Some(1)))),
        DataType::Text => plain(oid::TEXT),
        DataType::Bool | DataType::Boolean => plain(oid::BOOL),
        DataType::SmallInt(_) | DataType::Int2(_) => plain(oid::INT2),
        DataType::Int(_) | DataType::Integer(_) | DataType::Int4(_) => plain(oid::INT4),
        DataType::BigInt(_) | DataType::Int8(_) => plain(oid::INT8),
        DataType::Float4 | DataType::Real => plain(oid::FLOAT4),
        DataType::Float8 | DataType::Float(_) | DataType::Double(_) | DataType::DoublePrecision => plain(oid::FLOAT8),
        DataType::Numeric(_) | DataType::Decimal(_) | DataType::Dec(_) => plain(oid::NUMERIC),
        DataType::Date => plain(oid::DATE),
        DataType::Time(_, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz) => plain(oid::TIMETZ),
        DataType::Time(..) => plain(oid::TIME),
        DataType::Timestamp(_, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz) => plain(oid::TIMESTAMPTZ),
        DataType::Timestamp(..) => plain(oid::TIMESTAMP),
        DataType::Interval { .. } => plain(oid::INTERVAL),
        DataType::Regclass => plain(oid::REGCLASS),
        DataType::Uuid => plain(oid::UUID),
        DataType::JSON => plain(oid::JSON),
        DataType::JSONB => plain(oid::JSONB),
        DataType::Bytea => plain(oid::BYTEA),
        DataType::Array(ArrayElemTypeDef::SquareBracket(element, _) | ArrayElemTypeDef::AngleBracket(element)) => {
            plain(builtin::array_of(data_type(element)?.0))
        }
        DataType::Custom(name, modifiers) => custom(&parts(name)?, modifiers),
        other => Err(undefined(&other.to_string())),
    }
}

fn undefined(name: &str) -> CatalogueError {
    CatalogueError::new(Fault::UndefinedObject, format!("type \"{name}\" does not exist"))
}

fn custom(parts: &[String], modifiers: &[String]) -> Result<(u32, Option<u64>)> {
    let (schema, name) = match parts {
        [name] => (None, name),
        [schema, name] => (Some(schema.as_str()), name),
        _ => return Err(undefined(&parts.join("."))),
    };
    if schema == Some("information_schema") {
        return Ok((
            match name.as_str() {
                "cardinal_number" => oid::INT4,
                "sql_identifier" => oid::NAME,
                "character_data" | "yes_or_no" => oid::VARCHAR,
                "time_stamp" => oid::TIMESTAMPTZ,
                _ => return Err(undefined(&parts.join("."))),
            },
            None,
        ));
    }
    if schema.is_some_and(|schema| schema != "pg_catalog") {
        return Err(undefined(&parts.join(".")));
    }
    let kind = builtin::type_named(name).ok_or_else(|| undefined(name))?;
    let length = matches!(kind.oid, oid::VARCHAR | oid::BPCHAR)
        .then(|| modifiers.first().and_then(|size| size.parse().ok()))
        .flatten();
    Ok((kind.oid, length))
}

/// A bound parameter of a type. (What is bound is already a number where the type is one; names of objects come as text.)
pub(super) fn bound(mark: &str, kind: u32) -> String {
    match builtin::element_of(kind) {
        _ if oid::is_reg(kind) => format!("f__reg({mark},{kind})"),
        Some(element) if oid::is_reg(element) => format!("f__array_reg({mark},{element})"),
        _ => mark.to_owned(),
    }
}

/// A value as a cast to text writes it.
pub(super) fn text(typed: &Typed) -> String {
    let sql = &typed.sql;
    match builtin::element_of(typed.oid) {
        _ if typed.oid == oid::BOOL => format!("f__bool_text({sql})"),
        _ if oid::is_reg(typed.oid) => format!("f__reg_text({sql},{})", typed.oid),
        _ if matches!(typed.oid, oid::FLOAT4 | oid::FLOAT8 | oid::NUMERIC) => format!("f__real_text({sql})"),
        _ if oid::is_integer(typed.oid) => format!("CAST({sql} AS TEXT)"),
        Some(element) if oid::is_reg(element) => format!("f__array_text({sql},{element})"),
        _ => sql.clone(),
    }
}

/// A value as JSON.
pub(super) fn json(typed: &Typed) -> String {
    let sql = &typed.sql;
    match typed.oid {
        oid::BOOL => format!("json(CASE {sql} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END)"),
        oid::JSON | oid::JSONB => format!("json({sql})"),
        kind if oid::is_number(kind) => sql.clone(),
        kind => match builtin::element_of(kind) {
            Some(element) if kind != oid::INT2VECTOR && kind != oid::OIDVECTOR => {
                format!("json(f__array_json({sql},{element}))")
            }
            _ => text(typed),
        },
    }
}

impl Translator {
    /// A value as one of a type, where PostgreSQL does it without being asked: what has no type yet takes it, others stay.
    pub(super) fn coerce(&mut self, typed: Typed, kind: u32) -> Result<Typed> {
        match typed.origin.clone() {
            Origin::Plain => Ok(typed),
            Origin::Null => Ok(Typed::new("NULL", kind)),
            Origin::Literal(text) => Ok(Typed::new(literal(&text, kind)?, kind)),
            Origin::Parameter(number) => {
                let known = *self.parameters[number - 1].get_or_insert(kind);
                Ok(Typed::new(bound(&typed.sql, known), known))
            }
        }
    }

    /// `value::type`.
    pub(super) fn cast(&mut self, typed: Typed, kind: u32, length: Option<u64>) -> Result<Typed> {
        let typed = if typed.is_open() { self.coerce(typed, kind)? } else { typed };
        let sql = converted(&typed, kind)?;
        Ok(match length {
            Some(length) => Typed::new(format!("f__truncate({sql},{length})"), kind),
            None => Typed::new(sql, kind),
        })
    }

    /// The type that several values have together: that of the first that has one, the widest among numbers.
    pub(super) fn common_type(values: &[Typed]) -> u32 {
        values
            .iter()
            .filter(|typed| !typed.is_open() && typed.oid != oid::UNKNOWN)
            .map(|typed| typed.oid)
            .fold(oid::UNKNOWN, wider)
    }
}

fn converted(typed: &Typed, kind: u32) -> Result<String> {
    let sql = &typed.sql;
    let from = typed.oid;
    if from == kind {
        return Ok(sql.clone());
    }
    let from_number =
        oid::is_integer(from) || from == oid::BOOL || matches!(from, oid::FLOAT4 | oid::FLOAT8 | oid::NUMERIC);
    Ok(match kind {
        oid::CHAR => format!("f__truncate({},1)", text(typed)),
        oid::NAME => format!("f__truncate({},63)", text(typed)),
        kind if oid::is_text(kind) => text(typed),
        oid::BOOL => format!("f__bool({sql})"),
        oid::NUMERIC if from_number => sql.clone(),
        oid::FLOAT4 | oid::FLOAT8 | oid::NUMERIC => format!("f__real({sql})"),
        kind if oid::is_reg(kind) && from_number => sql.clone(),
        kind if oid::is_reg(kind) => format!("f__reg({},{kind})", text(typed)),
        kind if oid::is_integer(kind) && oid::is_integer(from) => sql.clone(),
        kind if oid::is_integer(kind) => format!("f__int({sql})"),
        oid::DATE if matches!(from, oid::TIMESTAMP | oid::TIMESTAMPTZ) => format!("f__truncate({sql},10)"),
        oid::TIMESTAMP if from == oid::TIMESTAMPTZ => format!("f_replace({sql},'+00','')"),
        kind => converted_array(typed, kind)?,
    })
}

fn converted_array(typed: &Typed, kind: u32) -> Result<String> {
    let sql = &typed.sql;
    let (Some(element), from) = (builtin::element_of(kind), builtin::element_of(typed.oid)) else {
        return Ok(sql.clone());
    };
    let vector = |kind: u32| matches!(kind, oid::INT2VECTOR | oid::OIDVECTOR);
    Ok(match from {
        Some(from) if oid::is_reg(from) && !oid::is_integer(element) => format!("f__array_text({sql},{from})"),
        Some(_) if vector(kind) => return Err(CatalogueError::unsupported("a cast of an array to a vector")),
        Some(_) if vector(typed.oid) => format!("f__vector_array({sql})"),
        Some(from) if oid::is_reg(element) && !oid::is_integer(from) => format!("f__array_reg({sql},{element})"),
        Some(_) => sql.clone(),
        None if oid::is_reg(element) => format!("f__array_reg({sql},{element})"),
        None if oid::is_text(typed.oid) => sql.clone(),
        None => return Err(CatalogueError::new(Fault::InvalidValue, "a single value cannot be cast to an array")),
    })
}

/// The type that two have together (`select_common_type` in `parse_coerce.c`): among numbers the one that holds both, among strings
/// the first, unless only it becomes the other without being asked.
pub(super) fn wider(left: u32, right: u32) -> u32 {
    const RANKS: [u32; 6] = [oid::INT2, oid::INT4, oid::INT8, oid::NUMERIC, oid::FLOAT4, oid::FLOAT8];
    let rank = |kind: u32| RANKS.iter().position(|known| *known == kind);
    match (rank(left), rank(right)) {
        _ if left == oid::UNKNOWN => right,
        (Some(first), Some(second)) => RANKS[first.max(second)],
        _ if left == oid::CHAR && right == oid::TEXT => right,
        _ if matches!(left, oid::VARCHAR | oid::BPCHAR) && right == oid::NAME => right,
        _ if left == oid::INT4 && oid::is_integer(right) => right,
        _ => left,
    }
}

/// A string literal as one of a type.
fn literal(text: &str, kind: u32) -> Result<String> {
    let invalid = || {
        let name = builtin::type_of(kind).map_or("this type", |kind| kind.name);
        CatalogueError::new(Fault::InvalidValue, format!("invalid input syntax for type {name}"))
    };
    Ok(match kind {
        oid::BOOL => i32::from(crate::functions::read_bool(text).ok_or_else(invalid)?).to_string(),
        oid::FLOAT4 | oid::FLOAT8 | oid::NUMERIC => {
            let number = text.trim().parse::<f64>().map_err(|_| invalid())?;
            if number.is_finite() { text.trim().to_owned() } else { quoted(text) }
        }
        oid::CHAR => quoted(&text.chars().take(1).collect::<String>()),
        kind if oid::is_reg(kind) => format!("f__reg({},{kind})", quoted(text)),
        kind if oid::is_integer(kind) => text.trim().parse::<i64>().map_err(|_| invalid())?.to_string(),
        kind => match builtin::element_of(kind) {
            Some(element) if oid::is_reg(element) => format!("f__array_reg({},{element})", quoted(text)),
            Some(element) => quoted(&array_literal(text, kind, element)?),
            None => quoted(text),
        },
    })
}

fn array_literal(text: &str, kind: u32, element: u32) -> Result<String> {
    let items = crate::functions::elements(text)?;
    if matches!(kind, oid::INT2VECTOR | oid::OIDVECTOR) {
        return Ok(text.trim().to_owned());
    }
    Ok(crate::functions::join(items.into_iter().map(|item| {
        item.map(|item| match crate::functions::read_bool(&item) {
            Some(value) if element == oid::BOOL => if value { "t" } else { "f" }.to_owned(),
            _ => item,
        })
    })))
}
