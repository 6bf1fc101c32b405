//! The catalogue: which side a statement is for, what it gives, and its answer.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::backup::Backup;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode};

use crate::described::{Concern, Described, Rows, Session, Shape};
use crate::directory::Directory;
use crate::error::{CatalogueError, Fault, Result};
use crate::facts::Facts;
use crate::translate::{Question, Translated, read, translate};
use crate::{concern, fill, functions, output};

/// How long one statement may run.
const DEADLINE: Duration = Duration::from_secs(2);

/// The most rows of an answer. Six thousand columns of tables, each with its type, are within it many times.
const MAX_ROWS: usize = 200_000;

/// The most bytes of an answer.
const MAX_BYTES: usize = 64 << 20;

/// Steps of SQLite's machine between two looks at the clock: about a tenth of a millisecond.
const STEPS: i32 = 5_000;

/// Connections that are kept for the next statement.
const KEPT: usize = 4;

/// Functions of SQLite itself that a translation uses.
const NATIVE: [&str; 27] = [
    "coalesce",
    "nullif",
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "string_agg",
    "group_concat",
    "json",
    "json_object",
    "json_array",
    "json_quote",
    "json_each",
    "->>",
    "->",
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

/// A connection and what its functions see.
struct Line {
    connection: Connection,
    facts: Facts,
}

/// The system catalogue of what is described. It is shared by all sessions: each statement says whose it is.
pub struct Catalogue {
    directory: Arc<Directory>,
    /// The database as it was made; other connections copy it.
    original: Mutex<Connection>,
    idle: Mutex<Vec<Line>>,
    deadline: Duration,
}

impl std::fmt::Debug for Catalogue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Catalogue").field("database", &self.directory.database).finish_non_exhaustive()
    }
}

impl Catalogue {
    /// Makes the catalogue. It fails where a description cannot be one: two tables of one name, a type that is not built in.
    pub fn new(described: &Described) -> Result<Self> {
        check(described)?;
        let directory = Arc::new(Directory::new(described));
        let connection = Connection::open_in_memory().map_err(internal)?;
        functions::register(&connection, &Facts::new(Arc::clone(&directory))).map_err(internal)?;
        fill::fill(&connection, &directory)?;
        Ok(Self { directory, original: Mutex::new(connection), idle: Mutex::default(), deadline: DEADLINE })
    }

    /// The same with another time that a statement may run, for tests and for slow machines.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Which side a statement is for. It never fails: what cannot be read is [`Concern::Data`], where the guard refuses it with
    /// its own words. A statement that reads no table at all is for the catalogue if it has all functions that are called
    /// (`SELECT 1`, `SELECT version()`), and so is SHOW.
    pub fn concern(&self, sql: &str) -> Concern {
        match read(sql) {
            Ok(Some(question)) => concern::of(&question),
            Ok(None) | Err(_) => Concern::Data,
        }
    }

    /// What a statement takes and gives, without running it. `given` are the types of parameters that the client has stated
    /// (`None` or absent where it has not).
    pub fn shape(&self, sql: &str, given: &[Option<u32>]) -> Result<Shape> {
        let translated = translated(sql, given)?;
        Ok(Shape { parameters: translated.parameters, columns: translated.columns })
    }

    /// Answers a statement for a session. `given` as for [`Catalogue::shape`]; `parameters` are in PostgreSQL's text format.
    /// It fails with a class and a sentence ([`CatalogueError`]): what cannot be read or is not known, and what would take more
    /// than two seconds or 200,000 rows. The catalogue is usable after every error.
    pub fn answer(
        &self,
        session: &Session<'_>,
        sql: &str,
        given: &[Option<u32>],
        parameters: &[Option<String>],
    ) -> Result<Rows> {
        let translated = translated(sql, given)?;
        if parameters.len() != translated.parameters.len() {
            let message = format!(
                "the statement takes {} parameters, {} were given",
                translated.parameters.len(),
                parameters.len()
            );
            return Err(CatalogueError::new(Fault::Parameters, message));
        }
        let line = self.line()?;
        line.facts.set(session);
        let answered = self.run(&line, &translated, parameters);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(line);
        }
        answered
    }

    /// A connection that nobody uses.
    fn line(&self) -> Result<Line> {
        if let Some(line) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            return Ok(line);
        }
        let mut connection = Connection::open_in_memory().map_err(internal)?;
        {
            let original = self.original.lock().unwrap_or_else(PoisonError::into_inner);
            let copy = Backup::new(&original, &mut connection).map_err(internal)?;
            copy.run_to_completion(i32::MAX, Duration::ZERO, None).map_err(internal)?;
        }
        let facts = Facts::new(Arc::clone(&self.directory));
        functions::register(&connection, &facts).map_err(internal)?;
        harden(&connection).map_err(internal)?;
        Ok(Line { connection, facts })
    }

    fn run(&self, line: &Line, translated: &Translated, parameters: &[Option<String>]) -> Result<Rows> {
        let end = Instant::now() + self.deadline;
        line.connection.progress_handler(STEPS, Some(move || Instant::now() >= end));
        let failed = |error: rusqlite::Error| self.failure(line, &error);
        let mut statement = line.connection.prepare(&translated.sql).map_err(failed)?;
        for (place, (value, kind)) in parameters.iter().zip(&translated.parameters).enumerate() {
            let value = output::parameter(value.as_deref(), *kind, place + 1)?;
            // A parameter that is in no expression (its type was stated, it is not used) has no place.
            if place < statement.parameter_count() {
                statement.raw_bind_parameter(place + 1, value).map_err(failed)?;
            }
        }
        let mut rows = Vec::new();
        let mut bytes = 0;
        let mut cursor = statement.raw_query();
        while let Some(row) = cursor.next().map_err(failed)? {
            let mut fields = Vec::with_capacity(translated.columns.len());
            for (place, (_, kind)) in translated.columns.iter().enumerate() {
                let field = output::text(row.get_ref(place).map_err(failed)?, *kind, &line.facts)?;
                bytes += field.as_ref().map_or(8, |field| field.len() + 24);
                fields.push(field);
            }
            rows.push(fields);
            if rows.len() > MAX_ROWS || bytes > MAX_BYTES {
                return Err(CatalogueError::new(
                    Fault::TooComplex,
                    "the answer would have more than 200,000 rows or 64 MiB: ask with LIMIT or WHERE",
                ));
            }
        }
        Ok(Rows { columns: translated.columns.clone(), rows })
    }

    /// What SQLite's failure means to the client. Its own words stay here: they are about another statement than the client's.
    fn failure(&self, line: &Line, error: &rusqlite::Error) -> CatalogueError {
        if let Some(fault) = line.facts.with(|running| running.fault.take()) {
            return fault;
        }
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => CatalogueError::new(
                Fault::TooComplex,
                format!("the question to the system catalogue takes longer than {:?}", self.deadline),
            ),
            Some(ErrorCode::TooBig | ErrorCode::OutOfMemory) => {
                CatalogueError::new(Fault::TooComplex, "a value of the answer is too long")
            }
            _ if text.contains("too large") || text.contains("too many") || text.contains("stack overflow") => {
                CatalogueError::new(Fault::TooComplex, "the statement is too complex for the system catalogue")
            }
            _ => CatalogueError::unsupported("a part of this statement"),
        }
    }
}

fn translated(sql: &str, given: &[Option<u32>]) -> Result<Translated> {
    match read(sql)? {
        Some(question @ (Question::Query(_) | Question::Show(_))) => translate(&question, given),
        None => Err(CatalogueError::unsupported("a statement that is no SELECT")),
    }
}

fn internal(error: impl std::fmt::Display) -> CatalogueError {
    CatalogueError::new(Fault::Internal, format!("the system catalogue failed: {error}"))
}

/// Whether the descriptions can be a catalogue.
fn check(described: &Described) -> Result<()> {
    let wrong = |message: String| Err(CatalogueError::new(Fault::Internal, message));
    let mut names = HashSet::new();
    for (place, schema) in described.schemas.iter().enumerate() {
        if matches!(schema.name.as_str(), "pg_catalog" | "information_schema" | "pg_toast") {
            return wrong(format!("the schema {} is the system's own: give another name", schema.name));
        }
        if described.schemas[..place].iter().any(|other| other.name == schema.name) {
            return wrong(format!("the schema {} is described twice: leave one out", schema.name));
        }
        for table in &schema.tables {
            if !names.insert((&schema.name, &table.name)) {
                return wrong(format!("the table {}.{} is described twice: leave one out", schema.name, table.name));
            }
            if let Some(column) = table.columns.iter().find(|column| crate::builtin::type_of(column.type_oid).is_none())
            {
                let place = format!("{}.{}.{}", schema.name, table.name, column.name);
                return wrong(format!(
                    "the column {place} has type {}, which is not built in: describe it by a built-in one",
                    column.type_oid
                ));
            }
        }
    }
    Ok(())
}

/// Takes from a connection all that a statement of a client does not need: SQLite then answers SELECTs over the tables here, with
/// the functions here, and nothing else, whatever the translation should let through.
fn harden(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, true)?;
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_LENGTH, 16 << 20),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 8 << 20),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 1000),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 500),
        (Limit::SQLITE_LIMIT_FUNCTION_ARG, 127),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 1000),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        connection.set_limit(limit, value)?;
    }
    // The schema and the sizes of its tables are read once, before reading them is forbidden.
    connection.query_row("SELECT count(*) FROM pg_class", [], |_| Ok(()))?;
    connection.authorizer(Some(authorize));
    Ok(())
}

fn authorize(context: AuthContext<'_>) -> Authorization {
    static FUNCTIONS: LazyLock<HashSet<String>> = LazyLock::new(|| {
        functions::all()
            .map(|(name, _)| format!("f_{name}"))
            .chain(NATIVE.iter().chain(&["f__gather", "f__gather_json"]).map(|name| (*name).to_owned()))
            .collect()
    });
    match context.action {
        AuthAction::Select | AuthAction::Recursive => Authorization::Allow,
        AuthAction::Read { table_name, .. } if !table_name.starts_with("sqlite_") => Authorization::Allow,
        AuthAction::Function { function_name } if FUNCTIONS.contains(function_name) => Authorization::Allow,
        _ => Authorization::Deny,
    }
}
