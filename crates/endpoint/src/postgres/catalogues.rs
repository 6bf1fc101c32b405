//! Questions about the catalogue: from what the tables say of themselves, made anew for each edition.
//!
//! They are answered by `pgcatalog`, which holds descriptions and no rows. What it does not have of `information_schema`
//! (its lists of functions, of code lists) the reader has, and is asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use pgcatalog::{Catalogue, CatalogueError, Concern, Described, Fault, Function, FunctionKind, Schema, Session};
use query::{ColumnInfo, Current, Param, Reader, TableInfo};

use super::cells::{Column, oid, type_of};
use super::errors::Failed;
use super::settings::SERVER_VERSION;
use super::table::Table;

/// Name of the database, whatever a client calls it.
const DATABASE: &str = "amanat";
/// The pseudo-type of arguments and results of any type.
const ANY: u32 = 2276;
/// Schemas with what they are for.
const SCHEMAS: [(&str, &str); 3] = [
    ("published", "Published numbers: one table for each indicator, all values of all editions, the editions"),
    ("reference", "Code lists, definitions of indicators, population"),
    ("protected", "Records of people, of which protected counts, sums and means are answered to a key"),
];

/// What functions of the catalogue say of a session.
pub(super) struct Facts {
    pub(super) user: String,
    pub(super) settings: BTreeMap<String, String>,
    pub(super) pid: i32,
}

/// The catalogue of the latest edition.
pub(super) struct Catalogues {
    made: Mutex<Option<(Arc<Current>, Arc<Catalogue>)>>,
    started_us: i64,
}

/// Whether the catalogue has an answer: else the reader is asked.
pub(super) type Answered<T> = Result<Option<T>, Failed>;

impl Catalogues {
    pub(super) fn new() -> Self {
        Self { made: Mutex::default(), started_us: now_us() }
    }

    /// The catalogue over what is published now.
    fn current(&self, reader: &Reader) -> Result<Arc<Catalogue>, Failed> {
        let current = reader.current();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, catalogue)) = &*made
            && Arc::ptr_eq(of, &current)
        {
            return Ok(Arc::clone(catalogue));
        }
        let catalogue = Catalogue::new(&described(reader, &current)).map_err(|error| failed(&error))?;
        let catalogue = Arc::new(catalogue);
        *made = Some((current, Arc::clone(&catalogue)));
        Ok(catalogue)
    }

    /// Types of the values and columns of a statement about the catalogue. May take a while: for a thread that may block.
    pub(super) fn shape(&self, reader: &Reader, sql: &str, given: &[u32]) -> Answered<(Vec<u32>, Vec<Column>)> {
        let Some(catalogue) = self.concerned(reader, sql)? else { return Ok(None) };
        let shape = or_reader(catalogue.shape(sql, &stated(given)))?;
        Ok(shape.map(|shape| (shape.parameters, columns(shape.columns))))
    }

    /// The rows of a statement about the catalogue. May take a while: for a thread that may block.
    pub(super) fn answer(
        &self,
        reader: &Reader,
        facts: &Facts,
        sql: &str,
        (given, params): (&[u32], &[Param]),
    ) -> Answered<Table> {
        let Some(catalogue) = self.concerned(reader, sql)? else { return Ok(None) };
        let path = facts.settings.get("search_path").map_or("", String::as_str);
        let path: Vec<String> = path.split(',').map(|name| name.trim().trim_matches('"').to_owned()).collect();
        let session = Session {
            user: &facts.user,
            search_path: &path,
            settings: &facts.settings,
            backend_pid: facts.pid,
            now_us: now_us(),
            started_us: self.started_us,
        };
        let params: Vec<Option<String>> = params.iter().map(text).collect();
        let rows = or_reader(catalogue.answer(&session, sql, &stated(given), &params))?;
        Ok(rows.map(|rows| Table::of_texts(columns(rows.columns), rows.rows)))
    }

    /// The catalogue, where a statement is for it.
    fn concerned(&self, reader: &Reader, sql: &str) -> Answered<Arc<Catalogue>> {
        let catalogue = self.current(reader)?;
        match catalogue.concern(sql) {
            Concern::Catalogue => Ok(Some(catalogue)),
            Concern::Data => Ok(None),
            Concern::Both { table } => {
                let shown: String = table.chars().take(80).collect();
                let failed = Failed::new("0A000", format!("{shown} cannot be read together with system tables."));
                Err(failed.hint("Ask pg_catalog and information_schema in a question of their own."))
            }
        }
    }
}

/// Types that a client has stated.
fn stated(given: &[u32]) -> Vec<Option<u32>> {
    given.iter().map(|given| (*given != 0 && *given != oid::UNKNOWN).then_some(*given)).collect()
}

/// What the catalogue has not, the reader may have: its own columns of `information_schema`.
fn or_reader<T>(answer: pgcatalog::Result<T>) -> Answered<T> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if matches!(error.fault, Fault::UndefinedTable | Fault::UndefinedColumn) => Ok(None),
        Err(error) => Err(failed(&error)),
    }
}

fn failed(error: &CatalogueError) -> Failed {
    if error.fault == Fault::Internal {
        tracing::error!(error = error as &dyn std::error::Error, "the catalogue did not answer");
    }
    let failed = Failed::new(error.fault.sqlstate(), error.message.clone());
    failed.hint("SELECT * FROM information_schema.tables, or information_schema.columns, lists what there is.")
}

fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

fn columns(columns: Vec<(String, u32)>) -> Vec<Column> {
    columns.into_iter().map(|(name, type_oid)| Column { name, type_oid }).collect()
}

fn text(param: &Param) -> Option<String> {
    match param {
        Param::Null => None,
        Param::Bool(truth) => Some(if *truth { "t" } else { "f" }.to_owned()),
        Param::Number(number) => Some(number.to_string()),
        Param::Text(text) => Some(text.clone()),
    }
}

/// What the catalogue is told: words and types, nothing of rows.
fn described(reader: &Reader, current: &Current) -> Described {
    let mut tables = current.listed();
    let schemas = SCHEMAS.map(|(name, comment)| {
        let (own, others) = tables.drain(..).partition::<Vec<TableInfo>, _>(|table| table.schema == name);
        tables = others;
        Schema { name: name.to_owned(), comment: comment.to_owned(), tables: own.into_iter().map(table).collect() }
    });
    let function = |(name, kind): (&str, &str)| Function {
        name: name.to_owned(),
        comment: "On offer in questions".to_owned(),
        arguments: vec![ANY],
        result: ANY,
        kind: match kind {
            "aggregate" => FunctionKind::Aggregate,
            "window" => FunctionKind::Window,
            _ => FunctionKind::Scalar,
        },
    };
    Described {
        database: DATABASE.to_owned(),
        server_version: SERVER_VERSION.to_owned(),
        schemas: schemas.into_iter().filter(|schema| !schema.tables.is_empty()).collect(),
        functions: reader.functions().into_iter().map(function).collect(),
        roles: vec![DATABASE.to_owned(), policy::PUBLIC.to_owned()],
    }
}

fn table(table: TableInfo) -> pgcatalog::Table {
    let has_totals = table.schema == "published";
    let columns = table.columns.into_iter().map(|info| column(info, has_totals)).collect();
    pgcatalog::Table { name: table.name, comment: table.description, columns }
}

fn column(column: ColumnInfo, has_totals: bool) -> pgcatalog::Column {
    let total = if has_totals { "; _T is all of them together, and no part to add up" } else { "" };
    let list = column.code_list.map(|list| format!("codes in {list}{total}"));
    let comment: Vec<String> = column.description.into_iter().chain(list).filter(|text| !text.is_empty()).collect();
    pgcatalog::Column {
        name: column.name,
        type_oid: type_of(&column.data_type),
        not_null: !column.is_nullable,
        comment: comment.join("; "),
    }
}
