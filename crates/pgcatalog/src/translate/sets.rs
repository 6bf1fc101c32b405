//! Functions of many rows: in FROM, and in a projection, where they become a table beside those of FROM. Each is `json_each` over an
//! array that a function makes, which may refer to the tables before it.

use sqlparser::ast::{Function, FunctionArg};

use super::call::{function_name, list, plain};
use super::scope::{Column, Scope};
use super::{SetCall, Translator, Typed, cast};
use crate::builtin;
use crate::error::{CatalogueError, Fault, Result};
use crate::functions::record_of;
use crate::oid;

/// The functions of many rows that are known.
const SETS: [&str; 17] = [
    "unnest",
    "generate_series",
    "generate_subscripts",
    "_pg_expandarray",
    "pg_get_keywords",
    "string_to_table",
    "regexp_matches",
    "regexp_split_to_table",
    "pg_options_to_table",
    "aclexplode",
    "pg_partition_tree",
    "pg_partition_ancestors",
    "pg_listening_channels",
    "json_array_elements_text",
    "jsonb_array_elements_text",
    "json_array_elements",
    "jsonb_array_elements",
];

/// Whether a function gives many rows.
pub(super) fn is_set(name: &str) -> bool {
    SETS.contains(&name)
}

/// Types of the rows of functions, above all that PostgreSQL gives: the function's place among [`SETS`] and the type of elements. A
/// client is told that it is a record.
const RECORDS: u32 = 0xF000_0000;

fn record_kind(name: &str, element: u32) -> Option<u32> {
    record_of(name)?;
    let place = SETS.iter().position(|known| *known == name)?;
    Some(RECORDS + ((place as u32) << 16) + (element & 0xffff))
}

/// Whether a type is that of a function's rows.
pub(super) fn is_record(kind: u32) -> bool {
    kind >= RECORDS
}

/// A field of a function's row.
pub(super) fn field(row: &Typed, name: &str) -> Result<Typed> {
    let fields = is_record(row.oid)
        .then(|| SETS.get(((row.oid - RECORDS) >> 16) as usize))
        .flatten()
        .and_then(|set| record_of(set));
    let found = fields.and_then(|fields| fields.iter().enumerate().find(|(_, (field, _))| *field == name));
    let Some((place, (_, kind))) = found else {
        return Err(CatalogueError::new(
            Fault::UndefinedColumn,
            format!("column \"{name}\" not found in the value's fields"),
        ));
    };
    let kind = if *kind == oid::ANYELEMENT { row.oid & 0xffff } else { *kind };
    Ok(Typed::new(format!("({}->>{place})", row.sql), kind))
}

/// A function of many rows, ready to be a table.
pub(super) struct Rows {
    /// `json_each(...)`.
    pub(super) source: String,
    /// Names and types of its columns; the name of a single one is the function's.
    pub(super) columns: Vec<(String, u32)>,
    /// Whether a row is a JSON array of the columns.
    pub(super) record: bool,
    /// The type of a row.
    pub(super) kind: u32,
}

impl Rows {
    /// Its columns as those of a table of an alias.
    pub(super) fn columns_of(&self, alias: &str) -> Vec<Column> {
        self.columns
            .iter()
            .enumerate()
            .map(|(place, (name, kind))| {
                let sql = if self.record { format!("({alias}.value->>{place})") } else { format!("{alias}.value") };
                Column::new(name, sql, *kind)
            })
            .collect()
    }
}

impl Translator {
    /// A function of many rows with its arguments.
    pub(super) fn rows_of(&mut self, name: &str, arguments: &[FunctionArg], scope: &Scope<'_>) -> Result<Rows> {
        let mut values = Vec::new();
        for argument in arguments {
            values.push(self.expr(plain(argument)?, scope)?);
        }
        self.rows_with(name, values)
    }

    pub(super) fn rows_with(&mut self, name: &str, values: Vec<Typed>) -> Result<Rows> {
        let count = values.len();
        let wrong = || {
            CatalogueError::new(
                Fault::UndefinedFunction,
                format!("function {name} with {count} arguments does not exist"),
            )
        };
        let wanted = match name {
            "generate_series" => oid::INT4,
            "unnest" | "_pg_expandarray" | "generate_subscripts" | "pg_options_to_table" | "aclexplode" => {
                oid::TEXT_ARRAY
            }
            _ => oid::TEXT,
        };
        let mut arguments = Vec::new();
        for (place, value) in values.into_iter().enumerate() {
            let wanted = if name == "generate_subscripts" && place == 1 { oid::INT4 } else { wanted };
            arguments.push(self.coerce(value, wanted)?);
        }
        let first = arguments.first().cloned();
        let kind = first.as_ref().map_or(oid::TEXT, |first| first.oid);
        let element = builtin::element_of(kind).unwrap_or(oid::TEXT);
        let sql: Vec<String> = arguments
            .iter()
            .map(|argument| if wanted == oid::TEXT { cast::text(argument) } else { argument.sql.clone() })
            .collect();
        let all = sql.join(",");
        let (call, kind) = match (name, count) {
            ("unnest" | "_pg_expandarray", 1) if builtin::element_of(kind).is_none() => return Err(wrong()),
            ("unnest", 1) => (format!("f__array_json({all},{element})"), element),
            ("generate_series", 2 | 3) => (
                format!("f__generate_series({all})"),
                if arguments.iter().any(|value| value.oid == oid::INT8) { oid::INT8 } else { oid::INT4 },
            ),
            ("generate_subscripts", 2 | 3) => (format!("f__generate_subscripts({},{})", sql[0], sql[1]), oid::INT4),
            ("_pg_expandarray", 1) => (format!("f__expandarray({all},{element})"), element),
            ("pg_get_keywords", 0) => ("f__keywords()".into(), oid::TEXT),
            ("string_to_table", 2 | 3) => (format!("f__string_table({all})"), oid::TEXT),
            ("regexp_matches", 2 | 3) => (format!("f__regexp_matches({all})"), oid::TEXT_ARRAY),
            ("regexp_split_to_table", 2 | 3) => (format!("f__regexp_split({all})"), oid::TEXT),
            ("pg_options_to_table", 1) => (format!("f__options({all})"), oid::TEXT),
            ("aclexplode" | "pg_partition_tree" | "pg_partition_ancestors" | "pg_listening_channels", _) => {
                ("f__none()".into(), if name == "pg_partition_ancestors" { oid::REGCLASS } else { oid::TEXT })
            }
            ("json_array_elements_text" | "jsonb_array_elements_text", 1) => (all, oid::TEXT),
            ("json_array_elements", 1) => (all, oid::JSON),
            ("jsonb_array_elements", 1) => (all, oid::JSONB),
            _ => return Err(wrong()),
        };
        let record = record_of(name);
        let row = record_kind(name, kind);
        let columns = match record {
            Some(fields) => fields
                .iter()
                .map(|(field, of)| ((*field).to_owned(), if *of == oid::ANYELEMENT { kind } else { *of }))
                .collect(),
            None if name.contains("_array_elements") => vec![("value".to_owned(), kind)],
            None => vec![(name.to_owned(), kind)],
        };
        Ok(Rows { source: format!("json_each({call})"), columns, record: record.is_some(), kind: row.unwrap_or(kind) })
    }

    /// A function of many rows in a projection: its value in a row.
    pub(super) fn set_in_projection(
        &mut self,
        name: &str,
        arguments: &[FunctionArg],
        scope: &Scope<'_>,
    ) -> Result<Typed> {
        let rows = self.rows_of(name, arguments, scope)?;
        let alias = self.add_set(&rows)?;
        if rows.record {
            return Ok(Typed::new(format!("{alias}.value"), rows.kind));
        }
        rows.columns_of(&alias)
            .first()
            .map(Column::typed)
            .ok_or_else(|| CatalogueError::unsupported("a function without columns"))
    }

    /// `(function(...)).field`.
    pub(super) fn field_of_call(&mut self, function: &Function, field: &str, scope: &Scope<'_>) -> Result<Typed> {
        let columns = self.columns_of_call(function, scope)?;
        let found = columns.iter().find(|column| column.name == field);
        found.map(Column::typed).ok_or_else(|| {
            CatalogueError::new(Fault::UndefinedColumn, format!("column \"{field}\" not found in the function's rows"))
        })
    }

    /// The columns of a function of many rows in a projection.
    pub(super) fn columns_of_call(&mut self, function: &Function, scope: &Scope<'_>) -> Result<Vec<Column>> {
        let name = function_name(&function.name)?;
        if !is_set(&name) {
            return Err(CatalogueError::unsupported("a field of a function's value"));
        }
        let arguments = list(&function.args)?.map(|list| list.args.as_slice()).unwrap_or_default();
        let rows = self.rows_of(&name, arguments, scope)?;
        let alias = self.add_set(&rows)?;
        Ok(rows.columns_of(&alias))
    }

    /// Adds the rows as a table of the SELECT, once for each call.
    fn add_set(&mut self, rows: &Rows) -> Result<String> {
        if let Some(known) = self.sets.as_ref().and_then(|sets| sets.iter().find(|set| set.source == rows.source)) {
            return Ok(known.alias.clone());
        }
        let alias = self.alias();
        let sets = self
            .sets
            .as_mut()
            .ok_or_else(|| CatalogueError::new(Fault::NotSupported, "set-returning functions are not allowed here"))?;
        sets.push(SetCall { source: rows.source.clone(), alias: alias.clone() });
        Ok(alias)
    }
}

/// The tables of a SELECT's functions of many rows, to follow its own: those after the first go in step with it.
pub(super) fn joined(from: &str, sets: &[SetCall]) -> String {
    let mut text = from.to_owned();
    for (place, SetCall { source, alias }) in sets.iter().enumerate() {
        if place > 0 {
            text.push_str(&format!(" LEFT JOIN {source} AS {alias} ON {alias}.key = {}.key", sets[0].alias));
        } else if text.is_empty() {
            text = format!("FROM {source} AS {alias}");
        } else {
            text.push_str(&format!(" JOIN {source} AS {alias}"));
        }
    }
    text
}
