//! Functions about objects: names of types and roles, comments, definitions, visibility, sizes.

use rusqlite::types::Value;

use super::cast::{read_reg, reg_text, role_name};
use super::{Body, Call, Lax, Strict, flag, int, null, optional, text};
use crate::builtin;
use crate::directory::{Procedure, quote_ident};
use crate::error::Result;
use crate::oid;

pub(super) const FUNCTIONS: &[(&str, Body)] = &[
    ("format_type", Lax(format_type)),
    ("_typeof", Lax(|call| text(call.facts.directory.format_type(call.int(0) as u32, None)))),
    ("pg_get_userbyid", Strict(user_by_id)),
    ("pg_table_is_visible", Strict(table_is_visible)),
    ("pg_type_is_visible", Strict(type_is_visible)),
    ("pg_function_is_visible", Strict(function_is_visible)),
    ("pg_operator_is_visible", Strict(|_| flag(true))),
    ("pg_opclass_is_visible", Strict(|_| flag(true))),
    ("pg_opfamily_is_visible", Strict(|_| flag(true))),
    ("pg_conversion_is_visible", Strict(|_| flag(true))),
    ("pg_ts_dict_is_visible", Strict(|_| flag(true))),
    ("pg_ts_config_is_visible", Strict(|_| flag(true))),
    ("pg_ts_parser_is_visible", Strict(|_| flag(true))),
    ("pg_ts_template_is_visible", Strict(|_| flag(true))),
    ("pg_collation_is_visible", Strict(|_| flag(true))),
    ("pg_statistics_obj_is_visible", Strict(|_| flag(true))),
    ("obj_description", Strict(obj_description)),
    ("shobj_description", Strict(|_| Ok(Value::Null))),
    ("col_description", Strict(col_description)),
    ("pg_get_expr", Strict(null)),
    ("pg_get_constraintdef", Strict(null)),
    ("pg_get_indexdef", Strict(null)),
    ("pg_get_viewdef", Strict(view_definition)),
    ("pg_get_ruledef", Strict(null)),
    ("pg_get_triggerdef", Strict(null)),
    ("pg_get_functiondef", Strict(function_definition)),
    ("pg_get_function_arguments", Strict(function_arguments)),
    ("pg_get_function_identity_arguments", Strict(function_arguments)),
    ("pg_get_function_result", Strict(function_result)),
    ("pg_get_function_arg_default", Strict(null)),
    ("pg_get_function_sqlbody", Strict(null)),
    ("pg_get_partkeydef", Strict(null)),
    ("pg_get_partition_constraintdef", Strict(null)),
    ("pg_get_statisticsobjdef", Strict(null)),
    ("pg_get_statisticsobjdef_columns", Strict(null)),
    ("pg_get_statisticsobjdef_expressions", Strict(null)),
    ("pg_get_serial_sequence", Strict(null)),
    ("pg_get_replica_identity_index", Strict(null)),
    ("pg_describe_object", Strict(null)),
    ("pg_sequence_last_value", Strict(null)),
    ("pg_collation_for", Strict(null)),
    ("pg_index_column_has_property", Strict(null)),
    ("pg_index_has_property", Strict(null)),
    ("pg_indexam_has_property", Strict(null)),
    ("pg_partition_root", Strict(null)),
    ("pg_relation_is_publishable", Strict(|_| flag(false))),
    ("row_security_active", Strict(|_| flag(false))),
    ("pg_relation_is_updatable", Strict(|_| int(0))),
    ("pg_column_is_updatable", Strict(|_| flag(false))),
    // Sizes and counts would come from data: none is known.
    ("pg_relation_size", Strict(null)),
    ("pg_table_size", Strict(null)),
    ("pg_total_relation_size", Strict(null)),
    ("pg_indexes_size", Strict(null)),
    ("pg_database_size", Strict(null)),
    ("pg_tablespace_size", Strict(null)),
    ("pg_tablespace_location", Strict(|_| text(""))),
    ("pg_relation_filenode", Strict(null)),
    ("pg_relation_filepath", Strict(null)),
    ("pg_stat_get_numscans", Strict(null)),
    ("pg_stat_get_live_tuples", Strict(null)),
    ("pg_stat_get_dead_tuples", Strict(null)),
    ("pg_encoding_to_char", Strict(|call| text(if call.int(0) == 6 { "UTF8" } else { "" }))),
    ("pg_char_to_encoding", Strict(char_to_encoding)),
    ("pg_encoding_max_length", Strict(|call| if call.int(0) == 6 { int(4) } else { Ok(Value::Null) })),
    ("acldefault", Strict(null)),
    ("oidvectortypes", Strict(vector_types)),
];

fn format_type(call: &Call<'_>) -> Result<Value> {
    if call.is_null(0) {
        return Ok(Value::Null);
    }
    let modifier = if call.is_null(1) { None } else { Some(call.int(1)) };
    text(call.facts.directory.format_type(call.int(0) as u32, modifier))
}

fn user_by_id(call: &Call<'_>) -> Result<Value> {
    let number = call.int(0) as u32;
    text(role_name(call.facts, number).unwrap_or_else(|| format!("unknown (OID={number})")))
}

fn table_is_visible(call: &Call<'_>) -> Result<Value> {
    let number = call.int(0) as u32;
    let directory = &call.facts.directory;
    Ok(directory.class(number).map_or(Value::Null, |class| {
        let found = directory.class_along(&call.facts.path(), &class.name);
        Value::Integer(i64::from(found.is_some_and(|found| found.oid == number)))
    }))
}

fn in_path(call: &Call<'_>, schema: u32) -> bool {
    let directory = &call.facts.directory;
    schema == oid::PG_CATALOG || call.facts.path().iter().any(|name| directory.schema_named(name) == Some(schema))
}

fn type_is_visible(call: &Call<'_>) -> Result<Value> {
    let number = call.int(0) as u32;
    if builtin::type_of(number).is_some() {
        return flag(true);
    }
    Ok(call
        .facts
        .directory
        .row_type(number)
        .map_or(Value::Null, |(class, _)| Value::Integer(i64::from(in_path(call, class.schema)))))
}

fn function_is_visible(call: &Call<'_>) -> Result<Value> {
    Ok(procedure(call).map_or(Value::Null, |procedure| Value::Integer(i64::from(in_path(call, procedure.schema)))))
}

fn procedure<'a>(call: &'a Call<'_>) -> Option<&'a Procedure> {
    call.facts.directory.procedure(call.oid(0)?)
}

fn comment(call: &Call<'_>, object: u32, table: Option<u32>, column: i32) -> Result<Value> {
    let comments = &call.facts.directory.comments;
    let found = match table {
        Some(table) => comments.get(&(object, table, column)),
        None => [oid::PG_CLASS, oid::PG_NAMESPACE, oid::PG_PROC]
            .iter()
            .find_map(|table| comments.get(&(object, *table, column))),
    };
    optional(found.cloned())
}

fn obj_description(call: &Call<'_>) -> Result<Value> {
    let object = call.int(0) as u32;
    if call.count() < 2 {
        return comment(call, object, None, 0);
    }
    match builtin::relation(None, &call.text(1)) {
        Some(relation) => comment(call, object, Some(relation.oid), 0),
        None => Ok(Value::Null),
    }
}

fn col_description(call: &Call<'_>) -> Result<Value> {
    let column = call.int(1) as i32;
    if column == 0 { Ok(Value::Null) } else { comment(call, call.int(0) as u32, Some(oid::PG_CLASS), column) }
}

/// System views are shown without a definition: they are not made of SQL that a client could read.
fn view_definition(call: &Call<'_>) -> Result<Value> {
    let number = match &call.arguments[0] {
        Value::Text(name) => read_reg(call.facts, name, oid::REGCLASS),
        _ => call.oid(0),
    };
    let class = number.and_then(|number| call.facts.directory.class(number));
    optional(class.filter(|class| class.kind == 'v').map(|_| ""))
}

fn names(procedure: &Procedure) -> Vec<String> {
    let names = procedure.names.as_deref().and_then(|names| super::array::elements(names).ok()).unwrap_or_default();
    names.into_iter().map(Option::unwrap_or_default).collect()
}

fn function_arguments(call: &Call<'_>) -> Result<Value> {
    let Some(procedure) = procedure(call) else { return Ok(Value::Null) };
    let names = names(procedure);
    let arguments: Vec<String> = procedure
        .arguments
        .iter()
        .enumerate()
        .map(|(place, kind)| {
            let last = place + 1 == procedure.arguments.len();
            let variadic = if last && procedure.variadic != 0 { "VARIADIC " } else { "" };
            let name = names
                .get(place)
                .filter(|name| !name.is_empty())
                .map(|name| format!("{} ", quote_ident(name)))
                .unwrap_or_default();
            format!("{variadic}{name}{}", call.facts.directory.format_type(*kind, None))
        })
        .chain(outputs(call, procedure))
        .collect();
    text(arguments.join(", "))
}

/// Output arguments, which follow the others in the text of a function's arguments.
fn outputs(call: &Call<'_>, procedure: &Procedure) -> Vec<String> {
    let (Some(kinds), Some(modes)) = (&procedure.all_arguments, &procedure.modes) else { return Vec::new() };
    let (Ok(kinds), Ok(modes)) = (super::array::elements(kinds), super::array::elements(modes)) else {
        return Vec::new();
    };
    let names = names(procedure);
    let mut outputs = Vec::new();
    for (place, (kind, mode)) in kinds.into_iter().zip(modes).enumerate() {
        if mode.as_deref() == Some("o") {
            let kind = kind.and_then(|kind| kind.parse().ok()).unwrap_or_default();
            let name = names.get(place).cloned().unwrap_or_default();
            outputs.push(format!("OUT {} {}", quote_ident(&name), call.facts.directory.format_type(kind, None)));
        }
    }
    outputs
}

/// The types of a function's arguments, by their names.
fn vector_types(call: &Call<'_>) -> Result<Value> {
    let kinds = super::array::elements(&call.text(0))?;
    let names = kinds
        .into_iter()
        .flatten()
        .map(|kind| call.facts.directory.format_type(kind.parse().unwrap_or_default(), None));
    text(names.collect::<Vec<_>>().join(", "))
}

fn function_result(call: &Call<'_>) -> Result<Value> {
    let Some(procedure) = procedure(call) else { return Ok(Value::Null) };
    let set = if procedure.set { "SETOF " } else { "" };
    text(format!("{set}{}", call.facts.directory.format_type(procedure.result, None)))
}

fn function_definition(call: &Call<'_>) -> Result<Value> {
    let Some(procedure) = procedure(call) else { return Ok(Value::Null) };
    if procedure.kind == 'a' {
        return Err(super::invalid(format!("\"{}\" is an aggregate function", procedure.name)));
    }
    let name = format!(
        "{}.{}",
        quote_ident(call.facts.directory.schema(procedure.schema).unwrap_or_default()),
        quote_ident(&procedure.name)
    );
    let Value::Text(arguments) = function_arguments(call)? else { return Ok(Value::Null) };
    let result = reg_text(call.facts, i64::from(procedure.result), oid::REGTYPE);
    text(format!(
        "CREATE OR REPLACE FUNCTION {name}({arguments})\n RETURNS {result}\n LANGUAGE internal\nAS $function${}$function$\n",
        procedure.source
    ))
}

fn char_to_encoding(call: &Call<'_>) -> Result<Value> {
    int(if matches!(call.text(0).to_ascii_lowercase().as_str(), "utf8" | "utf-8" | "unicode") { 6 } else { -1 })
}
