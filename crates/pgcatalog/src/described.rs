//! What the catalogue is told: plain data, made by the caller from its own descriptions.

use std::collections::BTreeMap;

/// What is described: one database, as a Postgres client will see it. None of it comes from rows.
#[derive(Debug, Clone, Default)]
pub struct Described {
    /// Name of the database.
    pub database: String,
    /// The PostgreSQL release that is claimed, such as `15.18`. Clients choose the text of their questions by it; the system
    /// tables have the columns of PostgreSQL 15, so a 15 is what fits them.
    pub server_version: String,
    /// The schemas, in the order in which an empty search path looks through them.
    pub schemas: Vec<Schema>,
    /// Functions beside PostgreSQL's own that a question for data may call.
    pub functions: Vec<Function>,
    /// Names of roles. The first owns everything (one named like the database where there is none); a session's user is shown to itself also where it is not named here.
    pub roles: Vec<String>,
}

/// A schema.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    /// Its name.
    pub name: String,
    /// What it is for, as `COMMENT ON SCHEMA` would say; empty for none.
    pub comment: String,
    /// Its tables.
    pub tables: Vec<Table>,
}

/// A table. Clients are shown an ordinary table (`relkind` r) that nobody may write: every client lists tables at once, and many
/// leave views out (`\dt`, SQLAlchemy's `get_table_names`, Power BI's navigator by default) or look for a definition of a view.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// What it holds; empty for no comment.
    pub comment: String,
    /// Its columns, in order.
    pub columns: Vec<Column>,
}

/// A column.
#[derive(Debug, Clone, Default)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// OID of its type, a built-in one of PostgreSQL.
    pub type_oid: u32,
    /// Whether NULL cannot occur.
    pub not_null: bool,
    /// What it means, with the code list that it uses; empty for no comment.
    pub comment: String,
}

/// A function.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// What it does; empty for no comment.
    pub comment: String,
    /// OIDs of its arguments' types.
    pub arguments: Vec<u32>,
    /// OID of its result's type.
    pub result: u32,
    /// What kind of function it is.
    pub kind: FunctionKind,
}

/// The kind of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionKind {
    /// One value from one row's.
    Scalar,
    /// One value from many rows'.
    Aggregate,
    /// One value from a row and those around it.
    Window,
}

/// Facts of one session that functions show. Time is a fact too: the catalogue has no clock of its own (but for its deadline).
#[derive(Debug, Clone)]
pub struct Session<'a> {
    /// Who asks: `current_user`, and what privileges are asked about when no role is named.
    pub user: &'a str,
    /// Schemas in which an unqualified name is looked for, after `pg_catalog`. Empty means all schemas as described.
    pub search_path: &'a [String],
    /// Settings of this session, shown by `current_setting`, `SHOW` and `pg_settings` over the defaults. Names without regard to
    /// case; a name that PostgreSQL does not know is shown too.
    pub settings: &'a BTreeMap<String, String>,
    /// Number that `pg_backend_pid()` gives.
    pub backend_pid: i32,
    /// The time of the statement, microseconds since 1970-01-01 UTC.
    pub now_us: i64,
    /// When the server started, microseconds since 1970-01-01 UTC.
    pub started_us: i64,
}

/// Which side a statement is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Concern {
    /// It reads system tables, or no table at all and only functions that the catalogue has: [`crate::Catalogue::answer`] is for it.
    Catalogue,
    /// It reads no system table, or is no question that can be read: the guard is for it.
    Data,
    /// It reads both, which nobody answers: the numbers of one side would be joined with the names of the other outside the guard.
    Both {
        /// The first table that is not a system table, as the statement names it.
        table: String,
    },
}

/// What a statement takes and gives, before it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// OID of the type of `$1`, `$2` and so on.
    pub parameters: Vec<u32>,
    /// Name and type of each column of the result.
    pub columns: Vec<(String, u32)>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// Name and type of each column.
    pub columns: Vec<(String, u32)>,
    /// Values in PostgreSQL's text format; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
}
