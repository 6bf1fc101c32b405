//! Calls of functions.

use sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList,
    FunctionArguments, ObjectName,
};

use super::expr::{session_value, unnested};
use super::names::{fold, parts};
use super::scope::Scope;
use super::{Translator, Typed, cast};
use crate::builtin::{self, Routine};
use crate::error::{CatalogueError, Fault, Result};
use crate::{functions, oid};

/// Functions that SQLite has under the same name and meaning, over a window only.
const WINDOWS: [&str; 11] = [
    "row_number",
    "rank",
    "dense_rank",
    "percent_rank",
    "cume_dist",
    "ntile",
    "lag",
    "lead",
    "first_value",
    "last_value",
    "nth_value",
];

/// Functions of one value from many rows.
const AGGREGATES: [&str; 13] = [
    "count",
    "sum",
    "min",
    "max",
    "avg",
    "bool_and",
    "bool_or",
    "every",
    "string_agg",
    "array_agg",
    "json_agg",
    "jsonb_agg",
    "json_object_agg",
];

/// The name of a function: it may stand in `pg_catalog` or `information_schema`.
pub(super) fn function_name(name: &ObjectName) -> Result<String> {
    let mut parts = parts(name)?;
    let last = parts.pop().unwrap_or_default();
    match parts.pop().as_deref() {
        None | Some("pg_catalog" | "information_schema") => Ok(last),
        Some(schema) => Err(undefined(&format!("{schema}.{last}"))),
    }
}

/// Whether a function of that name is known here, of any kind.
pub(crate) fn is_known(name: &str) -> bool {
    functions::is_known(name)
        || super::sets::is_set(name)
        || WINDOWS.contains(&name)
        || AGGREGATES.contains(&name)
        || session_value(name).is_some()
        || matches!(
            name,
            "coalesce"
                | "nullif"
                | "greatest"
                | "least"
                | "array"
                | "row"
                | "to_json"
                | "to_jsonb"
                | "row_to_json"
                | "json_build_object"
                | "jsonb_build_object"
                | "json_build_array"
                | "jsonb_build_array"
                | "pg_typeof"
                | "any"
                | "all"
                | "some"
        )
}

fn undefined(name: &str) -> CatalogueError {
    CatalogueError::new(Fault::UndefinedFunction, format!("function {name} does not exist in the system catalogue"))
}

/// The arguments of a call.
pub(super) fn list(arguments: &FunctionArguments) -> Result<Option<&FunctionArgumentList>> {
    match arguments {
        FunctionArguments::None => Ok(None),
        FunctionArguments::List(list) => Ok(Some(list)),
        FunctionArguments::Subquery(_) => Err(CatalogueError::unsupported("a query as the argument of a function")),
    }
}

/// An argument that is an expression. `*` is none.
pub(super) fn plain(argument: &FunctionArg) -> Result<&Expr> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))
        | FunctionArg::Named { arg: FunctionArgExpr::Expr(expr), .. }
        | FunctionArg::ExprNamed { arg: FunctionArgExpr::Expr(expr), .. } => Ok(expr),
        _ => Err(CatalogueError::unsupported("this form of an argument")),
    }
}

impl Translator {
    /// A call.
    pub(super) fn call(&mut self, function: &Function, scope: &Scope<'_>) -> Result<Typed> {
        let name = function_name(&function.name)?;
        if let FunctionArguments::Subquery(query) = &function.args
            && name == "array"
        {
            return self.array_of_query(query, scope);
        }
        // Words without brackets that the parser knows as functions: `current_date`.
        if matches!(function.args, FunctionArguments::None)
            && let Some(value) = session_value(&name)
        {
            return Ok(value);
        }
        let list = list(&function.args)?;
        if WINDOWS.contains(&name.as_str()) || AGGREGATES.contains(&name.as_str()) {
            return self.aggregate(&name, function, list, scope);
        }
        let arguments: &[FunctionArg] = list.map(|list| list.args.as_slice()).unwrap_or_default();
        if matches!(name.as_str(), "to_json" | "to_jsonb" | "row_to_json") {
            let value = self.json_argument(plain(arguments.first().ok_or_else(|| undefined(&name))?)?, scope)?;
            return Ok(Typed::new(value, if name == "to_jsonb" { oid::JSONB } else { oid::JSON }));
        }
        if name == "row" {
            let items = arguments.iter().map(|argument| plain(argument).cloned()).collect::<Result<Vec<Expr>>>()?;
            return self.expr(&Expr::Tuple(items), scope);
        }
        if super::sets::is_set(&name) {
            return self.set_in_projection(&name, arguments, scope);
        }
        let mut values = Vec::new();
        for argument in arguments {
            values.push(self.expr(plain(argument)?, scope)?);
        }
        self.call_with(&name, values)
    }

    /// A call of a function of single values.
    pub(super) fn call_with(&mut self, name: &str, values: Vec<Typed>) -> Result<Typed> {
        match name {
            "coalesce" | "greatest" | "least" => {
                let single = values.len() == 1;
                let (mut values, kind) = self.unified(values)?;
                if single {
                    return Ok(values.remove(0));
                }
                let sql: Vec<String> = values.into_iter().map(|value| value.sql).collect();
                Ok(Typed::new(
                    if name == "coalesce" {
                        format!("coalesce({})", sql.join(","))
                    } else {
                        // NULLs are passed over, which SQLite's own of many arguments do not.
                        let act = if name == "greatest" { "max" } else { "min" };
                        let rows: Vec<String> = sql.iter().map(|sql| format!("({sql})")).collect();
                        format!("(SELECT {act}(column1) FROM (VALUES {}))", rows.join(","))
                    },
                    kind,
                ))
            }
            "nullif" => {
                let [first, second] =
                    <[Typed; 2]>::try_from(values).map_err(|_| undefined("nullif of other than two arguments"))?;
                let first = if first.is_open() && second.is_open() { self.coerce(first, oid::TEXT)? } else { first };
                let test = self.compare("=", first.clone(), second)?;
                Ok(Typed::new(format!("CASE WHEN {} THEN NULL ELSE {} END", test.sql, first.sql), first.oid))
            }
            "pg_typeof" => {
                let kind = values.first().map_or(oid::UNKNOWN, |value| value.oid);
                Ok(Typed::new(kind.to_string(), oid::REGTYPE))
            }
            "json_build_object" | "jsonb_build_object" | "json_build_array" | "jsonb_build_array" => {
                self.json_build(name, values)
            }
            // There is no other session value with brackets than these, but for their words alone.
            "current_role" | "current_catalog" | "user" => session_value(name).ok_or_else(|| undefined(name)),
            "mod" => self.resolved("mod", values),
            _ => self.resolved(name, values),
        }
    }

    fn resolved(&mut self, name: &str, values: Vec<Typed>) -> Result<Typed> {
        let known = functions::is_known(name);
        let routine = if known { choose(name, &values) } else { None };
        let Some(routine) = routine else {
            let kinds: Vec<&str> =
                values.iter().map(|value| builtin::type_of(value.oid).map_or("unknown", |kind| kind.name)).collect();
            return Err(undefined(&format!("{name}({})", kinds.join(", "))));
        };
        let mut sql = Vec::with_capacity(values.len());
        let mut given = Vec::with_capacity(values.len());
        for (place, value) in values.into_iter().enumerate() {
            let wanted = argument_type(routine, place);
            let value = self.argument(value, wanted)?;
            given.push(value.oid);
            sql.push(value.sql);
        }
        let result = result_type(routine, &given);
        Ok(Typed::new(format!("f_{name}({})", sql.join(",")), result))
    }

    /// A value as an argument of a type.
    fn argument(&mut self, value: Typed, wanted: u32) -> Result<Typed> {
        let kind = match wanted {
            oid::ANY | oid::ANYELEMENT | oid::ANYNONARRAY | oid::ANYCOMPATIBLE => oid::TEXT,
            oid::ANYARRAY | oid::ANYCOMPATIBLEARRAY => oid::TEXT_ARRAY,
            other => other,
        };
        let value = self.coerce(value, kind)?;
        if wanted == oid::ANY && value.oid == oid::BOOL {
            return Ok(Typed::new(format!("CASE {} WHEN 1 THEN 't' WHEN 0 THEN 'f' END", value.sql), oid::TEXT));
        }
        if (wanted == oid::ANY || oid::is_text(wanted)) && !oid::is_integer(value.oid)
            || oid::is_reg(value.oid) && oid::is_text(wanted)
        {
            return Ok(Typed::new(cast::text(&value), if wanted == oid::ANY { oid::TEXT } else { value.oid }));
        }
        // An array of names of objects as text: array_to_string and the like.
        if matches!(wanted, oid::ANYARRAY) && builtin::element_of(value.oid).is_some_and(oid::is_reg) {
            return Ok(Typed::new(cast::text(&value), value.oid));
        }
        Ok(value)
    }

    fn aggregate(
        &mut self,
        name: &str,
        function: &Function,
        list: Option<&FunctionArgumentList>,
        scope: &Scope<'_>,
    ) -> Result<Typed> {
        let arguments: &[FunctionArg] = list.map(|list| list.args.as_slice()).unwrap_or_default();
        let distinct = list.is_some_and(|list| list.duplicate_treatment == Some(DuplicateTreatment::Distinct));
        let mut order = String::new();
        for clause in list.map(|list| list.clauses.as_slice()).unwrap_or_default() {
            match clause {
                FunctionArgumentClause::OrderBy(by) => order = format!(" {}", self.order(by, scope)?),
                _ => return Err(CatalogueError::unsupported("this clause of an aggregate")),
            }
        }
        let mut tail = String::new();
        if let Some(filter) = &function.filter {
            let filter = self.hinted(filter, scope, oid::BOOL)?;
            tail.push_str(&format!(" FILTER (WHERE {})", filter.sql));
        }
        if let Some(over) = &function.over {
            tail.push_str(&format!(" OVER {}", self.window(over, scope)?));
        }
        if matches!(arguments, [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]) {
            return Ok(Typed::new(format!("{name}(*){tail}"), oid::INT8));
        }
        let word = if distinct { "DISTINCT " } else { "" };
        if function.over.is_some() && matches!(name, "array_agg" | "string_agg" | "json_agg" | "jsonb_agg") {
            return Err(CatalogueError::unsupported(format!("{name} over a window")));
        }
        if matches!(name, "json_agg" | "jsonb_agg") {
            let value = self.json_argument(plain(arguments.first().ok_or_else(|| undefined(name))?)?, scope)?;
            let sql = format!("f__gather_json({word}json_quote({value}){order}){tail}");
            return Ok(Typed::new(
                format!("nullif({sql},'[]')"),
                if name == "json_agg" { oid::JSON } else { oid::JSONB },
            ));
        }
        let mut values = Vec::new();
        for argument in arguments {
            let value = self.expr(plain(argument)?, scope)?;
            values.push(if value.is_open() { self.coerce(value, oid::TEXT)? } else { value });
        }
        if WINDOWS.contains(&name) {
            if function.over.is_none() {
                return Err(CatalogueError::new(
                    Fault::Syntax,
                    format!("window function {name} requires an OVER clause"),
                ));
            }
            let kind = match name {
                "lag" | "lead" | "first_value" | "last_value" | "nth_value" => {
                    values.first().map_or(oid::TEXT, |value| value.oid)
                }
                "percent_rank" | "cume_dist" => oid::FLOAT8,
                "ntile" => oid::INT4,
                _ => oid::INT8,
            };
            let sql: Vec<String> = values.into_iter().map(|value| value.sql).collect();
            return Ok(Typed::new(format!("{name}({}){tail}", sql.join(",")), kind));
        }
        let value = values.first().cloned().ok_or_else(|| undefined(&format!("{name}()")))?;
        let single = |act: &str, kind: u32| Ok(Typed::new(format!("{act}({word}{}{order}){tail}", value.sql), kind));
        match name {
            "count" => single("count", oid::INT8),
            "min" | "max" => single(name, value.oid),
            "bool_and" | "every" => single("min", oid::BOOL),
            "bool_or" => single("max", oid::BOOL),
            "avg" => {
                single("avg", if matches!(value.oid, oid::FLOAT4 | oid::FLOAT8) { oid::FLOAT8 } else { oid::NUMERIC })
            }
            "sum" => single(
                "sum",
                match value.oid {
                    oid::INT2 | oid::INT4 => oid::INT8,
                    oid::INT8 => oid::NUMERIC,
                    other => other,
                },
            ),
            "array_agg" if builtin::element_of(value.oid).is_some() => {
                Err(CatalogueError::unsupported("an array of arrays from array_agg()"))
            }
            "array_agg" => {
                let gathered = format!("f__gather({word}{}{order}){tail}", value.sql);
                Ok(Typed::new(format!("f__json_array({gathered},{})", value.oid), builtin::array_of(value.oid)))
            }
            "string_agg" => {
                let separator = values
                    .get(1)
                    .map(|separator| separator.sql.clone())
                    .ok_or_else(|| undefined("string_agg(text)"))?;
                let text = cast::text(&value);
                if distinct {
                    let gathered = format!("f__gather({word}{text}{order}){tail}");
                    return Ok(Typed::new(
                        format!("f_array_to_string(f__json_array({gathered},25),{separator})"),
                        oid::TEXT,
                    ));
                }
                Ok(Typed::new(format!("string_agg({text},{separator}{order}){tail}"), oid::TEXT))
            }
            _ => Err(undefined(name)),
        }
    }

    /// `ARRAY(SELECT ...)`.
    fn array_of_query(&mut self, query: &sqlparser::ast::Query, scope: &Scope<'_>) -> Result<Typed> {
        let (sql, columns) = self.query(query, Some(scope), &[])?;
        let [(_, kind)] = columns.as_slice() else {
            return Err(CatalogueError::new(Fault::Syntax, "subquery must return only one column"));
        };
        let kind = if *kind == oid::UNKNOWN { oid::TEXT } else { *kind };
        Ok(Typed::new(
            format!("f__json_array((SELECT f__gather(c1) FROM ({sql})),{kind},1)"),
            if builtin::element_of(kind).is_some() { kind } else { builtin::array_of(kind) },
        ))
    }

    /// An argument as JSON: a table's name means a row of it.
    fn json_argument(&mut self, expr: &Expr, scope: &Scope<'_>) -> Result<String> {
        if let Expr::Identifier(ident) = unnested(expr) {
            let name = fold(ident);
            if scope.column(&name)?.is_none()
                && let Some(relation) = scope.relation(None, &name)
            {
                return Ok(relation.json());
            }
        }
        let value = self.hinted(expr, scope, oid::TEXT)?;
        Ok(cast::json(&value))
    }

    fn json_build(&mut self, name: &str, values: Vec<Typed>) -> Result<Typed> {
        let object = name.ends_with("object");
        let mut sql = Vec::new();
        for (place, value) in values.into_iter().enumerate() {
            let value = self.coerce(value, oid::TEXT)?;
            sql.push(if object && place % 2 == 0 { cast::text(&value) } else { cast::json(&value) });
        }
        if object && sql.len() % 2 == 1 {
            return Err(CatalogueError::new(Fault::InvalidValue, "argument list must have even number of elements"));
        }
        let act = if object { "json_object" } else { "json_array" };
        Ok(Typed::new(
            format!("{act}({})", sql.join(",")),
            if name.starts_with("jsonb") { oid::JSONB } else { oid::JSON },
        ))
    }
}

/// The type of an argument by its place.
fn argument_type(routine: &Routine, place: usize) -> u32 {
    let last = routine.arguments.len().saturating_sub(1);
    if routine.variadic != 0 && place >= last {
        return routine.variadic;
    }
    routine.arguments.get(place).copied().unwrap_or(oid::ANY)
}

/// The function among those of a name that takes the arguments best (`func_select_candidate` in `parse_func.c`, simplified):
/// one whose types are the arguments' own, else one that takes them widened; what has no type yet is taken for text.
fn choose(name: &str, values: &[Typed]) -> Option<&'static Routine> {
    let fits = |routine: &&&'static Routine| {
        let count = routine.arguments.len();
        let least = if routine.variadic != 0 { count - 1 } else { count - routine.defaults };
        values.len() >= least && (values.len() <= count || routine.variadic != 0)
    };
    let score = |routine: &Routine| -> i32 {
        values.iter().enumerate().map(|(place, value)| fitness(value, argument_type(routine, place))).sum()
    };
    let candidates: Vec<&'static Routine> = builtin::routines(name).iter().filter(fits).copied().collect();
    candidates.into_iter().rev().max_by_key(|routine| score(routine))
}

fn fitness(value: &Typed, wanted: u32) -> i32 {
    let array = builtin::element_of(value.oid).is_some();
    if value.is_open() {
        return i32::from(oid::is_text(wanted)) * 2 + i32::from(wanted == oid::TEXT);
    }
    match wanted {
        _ if wanted == value.oid => 10,
        oid::ANY => 4,
        oid::ANYARRAY | oid::ANYCOMPATIBLEARRAY if array => 6,
        oid::ANYELEMENT | oid::ANYNONARRAY | oid::ANYCOMPATIBLE => 5,
        _ if oid::is_text(wanted) && oid::is_text(value.oid) => {
            if wanted == oid::TEXT {
                8
            } else {
                6
            }
        }
        _ if oid::is_integer(wanted) && oid::is_integer(value.oid) => 7,
        oid::FLOAT8 | oid::NUMERIC if oid::is_number(value.oid) => {
            if wanted == oid::FLOAT8 {
                6
            } else {
                5
            }
        }
        oid::FLOAT4 if oid::is_number(value.oid) => 4,
        _ if oid::is_text(wanted) => -2,
        _ => -20,
    }
}

fn result_type(routine: &Routine, given: &[u32]) -> u32 {
    let place_of = |wanted: &[u32]| {
        routine.arguments.iter().position(|kind| wanted.contains(kind)).and_then(|place| given.get(place).copied())
    };
    let element = || {
        place_of(&[oid::ANYARRAY, oid::ANYCOMPATIBLEARRAY])
            .and_then(builtin::element_of)
            .or_else(|| place_of(&[oid::ANYELEMENT, oid::ANYNONARRAY, oid::ANYCOMPATIBLE]))
            .unwrap_or(oid::TEXT)
    };
    match routine.result {
        oid::ANYELEMENT | oid::ANYNONARRAY | oid::ANYCOMPATIBLE => element(),
        oid::ANYARRAY | oid::ANYCOMPATIBLEARRAY => {
            place_of(&[oid::ANYARRAY, oid::ANYCOMPATIBLEARRAY]).unwrap_or_else(|| builtin::array_of(element()))
        }
        oid::VOID => oid::TEXT,
        other => other,
    }
}
