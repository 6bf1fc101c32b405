//! The statements, one function each. Absent: any decision.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::schema::{Draft, Level, Reference, Schema, SchemaType, Version, Which};

type Sql<T> = rusqlite::Result<T>;

/// The columns of a schema, and of a version with its schema.
const SCHEMA: &str = "schemas.id, schemas.type, schemas.text, schemas.refs";

fn draft_of(row: &Row<'_>, first: usize) -> Sql<Draft> {
    let kind: String = row.get(first)?;
    let unreadable = |column, what: String| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, what.into());
    let schema_type = SchemaType::of(&kind).ok_or_else(|| unreadable(first, "an unknown type of schema".into()))?;
    let references: String = row.get(first + 2)?;
    let references: Vec<Reference> =
        serde_json::from_str(&references).map_err(|error| unreadable(first + 2, error.to_string()))?;
    Ok(Draft { schema_type, text: row.get(first + 1)?, references })
}

fn schema_of(row: &Row<'_>) -> Sql<Schema> {
    Ok(Schema { id: row.get(0)?, draft: draft_of(row, 1)? })
}

fn version_of(row: &Row<'_>) -> Sql<Version> {
    Ok(Version { schema: schema_of(row)?, subject: row.get(4)?, version: row.get(5)? })
}

pub(super) fn subjects(connection: &Connection) -> Sql<Vec<String>> {
    let mut statement = connection.prepare_cached("SELECT DISTINCT subject FROM versions ORDER BY subject")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

pub(super) fn version_numbers(connection: &Connection, subject: &str) -> Sql<Vec<i32>> {
    let sql = "SELECT version FROM versions WHERE subject = ?1 ORDER BY version";
    connection.prepare_cached(sql)?.query_map([subject], |row| row.get(0))?.collect()
}

fn one_version(connection: &Connection, filter: &str, parameters: impl rusqlite::Params) -> Sql<Option<Version>> {
    let sql = format!(
        "SELECT {SCHEMA}, versions.subject, versions.version FROM versions JOIN schemas ON schemas.id = versions.schema
         WHERE {filter} ORDER BY versions.version DESC LIMIT 1"
    );
    connection.prepare_cached(&sql)?.query_row(parameters, version_of).optional()
}

pub(super) fn version(connection: &Connection, subject: &str, which: Which) -> Sql<Option<Version>> {
    match which {
        Which::Latest => one_version(connection, "subject = ?1", [subject]),
        Which::Number(number) => one_version(connection, "subject = ?1 AND version = ?2", (subject, number)),
    }
}

pub(super) fn version_of_digest(connection: &Connection, subject: &str, digest: &[u8]) -> Sql<Option<Version>> {
    one_version(connection, "subject = ?1 AND schemas.digest = ?2", (subject, digest))
}

pub(super) fn all_versions(connection: &Connection, subject: &str) -> Sql<Vec<Version>> {
    let sql = format!(
        "SELECT {SCHEMA}, versions.subject, versions.version FROM versions JOIN schemas ON schemas.id = versions.schema
         WHERE subject = ?1 ORDER BY versions.version"
    );
    connection.prepare_cached(&sql)?.query_map([subject], version_of)?.collect()
}

pub(super) fn schema(connection: &Connection, id: i32) -> Sql<Option<Schema>> {
    let sql = format!("SELECT {SCHEMA} FROM schemas WHERE id = ?1");
    connection.prepare_cached(&sql)?.query_row([id], schema_of).optional()
}

pub(super) fn places(connection: &Connection, id: i32) -> Sql<Vec<(String, i32)>> {
    let sql = "SELECT subject, version FROM versions WHERE schema = ?1 ORDER BY subject, version";
    connection.prepare_cached(sql)?.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

pub(super) fn referenced_by(connection: &Connection, subject: &str, version: i32) -> Sql<Vec<i32>> {
    let sql = "SELECT schemas.id FROM schemas WHERE EXISTS (SELECT 1 FROM json_each(schemas.refs)
               WHERE value ->> 'subject' = ?1 AND value ->> 'version' = ?2) ORDER BY schemas.id";
    connection.prepare_cached(sql)?.query_map((subject, version), |row| row.get(0))?.collect()
}

/// Adds the schema, unless one says the same, and the next version of the subject. Within a transaction of the caller.
pub(super) fn add(connection: &Connection, subject: &str, draft: &Draft, digest: &[u8]) -> Sql<Version> {
    let references = serde_json::to_string(&draft.references)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    connection.execute(
        "INSERT INTO schemas (type, text, refs, digest) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (digest) DO NOTHING",
        (draft.schema_type.name(), &draft.text, references, digest),
    )?;
    connection.execute(
        "INSERT INTO versions (subject, version, schema)
         SELECT ?1, 1 + coalesce((SELECT max(version) FROM versions WHERE subject = ?1), 0), id
         FROM schemas WHERE digest = ?2",
        (subject, digest),
    )?;
    version(connection, subject, Which::Latest)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

/// Bytes of the texts of all schemas; SQLite knows them without reading the texts.
pub(super) fn schema_bytes(connection: &Connection) -> Sql<i64> {
    connection.query_row("SELECT coalesce(sum(octet_length(text)), 0) FROM schemas", [], |row| row.get(0))
}

pub(super) fn subject_count(connection: &Connection) -> Sql<i64> {
    connection.query_row("SELECT count(DISTINCT subject) FROM versions", [], |row| row.get(0))
}

/// The level of a subject; of the empty name, the global one.
pub(super) fn level(connection: &Connection, subject: &str) -> Sql<Option<Level>> {
    let sql = "SELECT level FROM levels WHERE subject = ?1";
    let text: Option<String> = connection.prepare_cached(sql)?.query_row([subject], |row| row.get(0)).optional()?;
    Ok(text.and_then(|text| text.parse().ok()))
}

pub(super) fn set_level(connection: &Connection, subject: &str, level: Level) -> Sql<()> {
    let sql = "INSERT INTO levels (subject, level) VALUES (?1, ?2) ON CONFLICT (subject) DO UPDATE SET level = ?2";
    connection.execute(sql, (subject, level.name())).map(drop)
}

pub(super) fn clear_level(connection: &Connection, subject: &str) -> Sql<()> {
    connection.execute("DELETE FROM levels WHERE subject = ?1", [subject]).map(drop)
}

pub(super) fn fetched(connection: &Connection, registry: &str, id: i32) -> Sql<Option<Draft>> {
    let sql = "SELECT type, text, '[]' FROM fetched WHERE registry = ?1 AND id = ?2";
    connection.prepare_cached(sql)?.query_row((registry, id), |row| draft_of(row, 0)).optional()
}

pub(super) fn keep_fetched(connection: &Connection, registry: &str, id: i32, draft: &Draft) -> Sql<()> {
    let sql = "INSERT INTO fetched (registry, id, type, text) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
    connection.execute(sql, (registry, id, draft.schema_type.name(), &draft.text)).map(drop)
}
