//! From a client's PostgreSQL to SQLite's SQL, with the type of every column and parameter.
//!
//! One walk over the parsed tree does both: each expression becomes SQLite's text and its PostgreSQL type at once. No name of the
//! client gets into the text: tables are `r1`, `r2`, columns of subqueries `c1`, `c2`, and every column is resolved here, so that
//! SQLite never guesses (a name that it does not know in double quotes would be a string to it, and names differ by case here).
//!
//! Values inside: integers for numbers, OIDs and booleans; text for all else; arrays in PostgreSQL's text form.

mod call;
mod cast;
mod dialect;
mod expr;
mod from;
mod names;
mod operator;
mod parse;
mod query;
mod scope;
mod sets;
mod window;

pub(crate) use call::is_known;
pub(crate) use parse::{Question, read};

use std::collections::HashMap;

use crate::error::{CatalogueError, Fault, Result};
use crate::oid;

/// A statement in SQLite's SQL.
#[derive(Debug, Clone)]
pub(crate) struct Translated {
    pub(crate) sql: String,
    /// Types of `$1`, `$2` and so on.
    pub(crate) parameters: Vec<u32>,
    /// Names and types of the result.
    pub(crate) columns: Vec<(String, u32)>,
}

/// Where the value of an expression comes from, which decides what type it can still take.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    /// It has its type.
    Plain,
    /// A string literal: it takes the type of what it meets.
    Literal(String),
    /// NULL without a type.
    Null,
    /// A parameter of which no type is known yet.
    Parameter(usize),
}

/// An expression in SQLite's SQL and its type in PostgreSQL.
#[derive(Debug, Clone)]
struct Typed {
    sql: String,
    oid: u32,
    origin: Origin,
}

impl Typed {
    fn new(sql: impl Into<String>, oid: u32) -> Self {
        Self { sql: sql.into(), oid, origin: Origin::Plain }
    }

    fn null() -> Self {
        Self { sql: "NULL".into(), oid: oid::UNKNOWN, origin: Origin::Null }
    }

    fn literal(text: &str) -> Self {
        Self { sql: quoted(text), oid: oid::UNKNOWN, origin: Origin::Literal(text.to_owned()) }
    }

    /// Whether it takes the type of what it meets.
    fn is_open(&self) -> bool {
        self.origin != Origin::Plain
    }
}

/// A string in SQLite's SQL.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A WITH query: its table in SQLite's SQL and its columns.
#[derive(Debug, Clone)]
struct Common {
    table: String,
    columns: Vec<(String, u32)>,
}

/// A function of many rows in a projection: it becomes a table beside those of FROM.
#[derive(Debug)]
struct SetCall {
    source: String,
    alias: String,
}

/// How deep expressions and queries may nest; SQLite's own limit for expressions is 1,000.
const MAX_DEPTH: usize = 400;

/// The longest statement in SQLite's SQL.
const MAX_LENGTH: usize = 4 << 20;

/// Bytes that the expressions of a statement may come to, each counted with those in it: an expression of which SQLite needs two
/// copies has two of each in it, and so on.
const MAX_WRITTEN: usize = 32 << 20;

struct Translator {
    parameters: Vec<Option<u32>>,
    aliases: usize,
    depth: usize,
    /// Bytes of all expressions so far.
    written: usize,
    /// WITH queries in sight, the innermost last.
    commons: Vec<HashMap<String, Common>>,
    /// Functions of many rows of the SELECT that is translated; `None` where they cannot stand.
    sets: Option<Vec<SetCall>>,
    /// Named windows of the SELECT that is translated.
    windows: HashMap<String, String>,
}

/// Translates a question. `given` are the types of parameters that the client has stated.
pub(crate) fn translate(question: &Question, given: &[Option<u32>]) -> Result<Translated> {
    let mut translator = Translator {
        parameters: given.iter().map(|kind| kind.filter(|&kind| kind != 0 && kind != oid::UNKNOWN)).collect(),
        aliases: 0,
        depth: 0,
        written: 0,
        commons: Vec::new(),
        sets: None,
        windows: HashMap::new(),
    };
    let (sql, columns) = match question {
        Question::Query(query) => translator.query(query, None, &[])?,
        Question::Show(name) => return Ok(show(name)),
    };
    if sql.len() > MAX_LENGTH {
        return Err(too_complex("the statement is too long for the system catalogue"));
    }
    Ok(Translated {
        sql,
        parameters: translator.parameters.into_iter().map(|kind| kind.unwrap_or(oid::TEXT)).collect(),
        columns: columns.into_iter().map(|(name, kind)| (name, shown(kind))).collect(),
    })
}

/// The type that a client is told.
fn shown(kind: u32) -> u32 {
    match kind {
        oid::UNKNOWN => oid::TEXT,
        kind if sets::is_record(kind) => oid::RECORD,
        kind => kind,
    }
}

fn show(name: &str) -> Translated {
    let known = crate::builtin::ROWS
        .iter()
        .filter(|(table, _)| *table == "pg_settings")
        .find_map(|(_, row)| row.first().and_then(Option::as_deref).filter(|known| known.eq_ignore_ascii_case(name)));
    let name = known.unwrap_or(name);
    if name == "all" {
        return Translated {
            sql: "SELECT name, setting, short_desc FROM pg_settings ORDER BY lower(name)".into(),
            parameters: Vec::new(),
            columns: ["name", "setting", "description"].map(|name| (name.to_owned(), oid::TEXT)).into(),
        };
    }
    Translated {
        sql: format!("SELECT f_current_setting({})", quoted(name)),
        parameters: Vec::new(),
        columns: vec![(name.to_owned(), oid::TEXT)],
    }
}

fn too_complex(message: impl Into<String>) -> CatalogueError {
    CatalogueError::new(Fault::TooComplex, message)
}

impl Translator {
    /// A new name of a table.
    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("r{}", self.aliases)
    }

    /// One level deeper.
    fn descend<T>(&mut self, act: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= MAX_DEPTH {
            return Err(too_complex("the statement nests too deeply: 400 levels are read"));
        }
        self.depth += 1;
        let done = act(self);
        self.depth -= 1;
        done
    }

    /// The WITH query of that name.
    fn common(&self, name: &str) -> Option<&Common> {
        self.commons.iter().rev().find_map(|level| level.get(name))
    }

    /// A parameter, with the type that is known of it.
    fn parameter(&mut self, mark: &str) -> Result<Typed> {
        let number: usize = mark
            .strip_prefix('$')
            .and_then(|digits| digits.parse().ok())
            .filter(|number| (1..=1000).contains(number))
            .ok_or_else(|| CatalogueError::new(Fault::Syntax, "a parameter is written $1 to $1000"))?;
        if self.parameters.len() < number {
            self.parameters.resize(number, None);
        }
        let sql = format!("?{number}");
        Ok(match self.parameters[number - 1] {
            Some(kind) => Typed::new(cast::bound(&sql, kind), kind),
            None => Typed { sql, oid: oid::UNKNOWN, origin: Origin::Parameter(number) },
        })
    }
}
