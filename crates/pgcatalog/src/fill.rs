//! Makes the tables: every system table of PostgreSQL 15, filled from the descriptions alone. What would come from rows (sizes,
//! statistics, activity) is empty or says "not known" (`reltuples` -1, `relpages` 0), so no table here grows with the data.

use std::collections::HashMap;

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::builtin::{self, RELATIONS, ROWS, Relation, TYPES};
use crate::directory::{Class, Directory};
use crate::error::{CatalogueError, Fault, Result};
use crate::{oid, views};

/// Attribute number, name and type of the columns that every table has beside its own (`heap.c`).
const SYSTEM_ATTRIBUTES: [(i64, &str, u32); 6] = [
    (-1, "ctid", oid::TID),
    (-2, "xmin", oid::XID),
    (-3, "cmin", oid::CID),
    (-4, "xmax", oid::XID),
    (-5, "cmax", oid::CID),
    (-6, "tableoid", oid::OID),
];

/// Columns that are searched: an index each.
const INDEXES: [(&str, &str); 12] = [
    ("pg_class", "oid"),
    ("pg_class", "relnamespace"),
    ("pg_class", "relname"),
    ("pg_attribute", "attrelid"),
    ("pg_type", "oid"),
    ("pg_type", "typname"),
    ("pg_type", "typelem"),
    ("pg_type", "typrelid"),
    ("pg_description", "objoid"),
    ("pg_proc", "oid"),
    ("pg_proc", "proname"),
    ("pg_namespace", "oid"),
];

/// Puts rows into one table: columns by name, the others NULL.
struct Writer<'c> {
    statement: rusqlite::CachedStatement<'c>,
    places: HashMap<&'static str, usize>,
    row: Vec<Value>,
}

impl<'c> Writer<'c> {
    fn new(connection: &'c Connection, name: &str) -> Result<Self> {
        let relation = builtin::relation(None, name).ok_or_else(|| internal(format!("no system table {name}")))?;
        let marks = vec!["?"; relation.columns.len()].join(",");
        let statement =
            connection.prepare_cached(&format!("INSERT INTO \"{name}\" VALUES ({marks})")).map_err(internal)?;
        let places = relation.columns.iter().enumerate().map(|(place, column)| (column.name, place)).collect();
        Ok(Self { statement, places, row: vec![Value::Null; relation.columns.len()] })
    }

    fn put(&mut self, fields: &[(&str, Value)]) -> Result<()> {
        self.row.fill(Value::Null);
        for (name, value) in fields {
            let place = *self.places.get(name).ok_or_else(|| internal(format!("no system column {name}")))?;
            self.row[place].clone_from(value);
        }
        self.statement.execute(rusqlite::params_from_iter(&self.row)).map_err(internal)?;
        Ok(())
    }
}

fn internal(cause: impl std::fmt::Display) -> CatalogueError {
    CatalogueError::new(Fault::Internal, format!("the system catalogue could not be made: {cause}"))
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn number(value: u32) -> Value {
    Value::Integer(i64::from(value))
}

fn int(value: i64) -> Value {
    Value::Integer(value)
}

fn flag(value: bool) -> Value {
    Value::Integer(i64::from(value))
}

/// Makes and fills all tables and views.
pub(crate) fn fill(connection: &Connection, directory: &Directory) -> Result<()> {
    connection.execute_batch("BEGIN").map_err(internal)?;
    let views = views::definitions()?;
    for relation in RELATIONS.iter() {
        if !views.contains_key(relation.stored().as_str()) {
            create_table(connection, relation)?;
        }
    }
    schemas_and_roles(connection, directory)?;
    classes(connection, directory)?;
    types(connection, directory)?;
    procedures(connection, directory)?;
    comments(connection, directory)?;
    rows(connection)?;
    for (table, column) in INDEXES {
        connection
            .execute_batch(&format!("CREATE INDEX \"{table}.{column}\" ON \"{table}\" (\"{column}\")"))
            .map_err(internal)?;
    }
    for (name, definition) in &views {
        connection.execute_batch(definition).map_err(|cause| internal(format!("{name}: {cause}")))?;
    }
    analyze(connection).map_err(internal)?;
    connection.execute_batch("COMMIT").map_err(internal)
}

/// Tells SQLite how large the tables are. Of an empty one its ANALYZE says nothing, and it would take it for a large one, as
/// `pg_constraint` and `pg_index` are not. (Samples of values are left out: names are as likely to be asked for as others.)
fn analyze(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "ANALYZE; DROP TABLE sqlite_stat4; \
         INSERT INTO sqlite_stat1 SELECT name, NULL, '1' FROM sqlite_schema \
         WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT IN (SELECT tbl FROM sqlite_stat1);",
    )
}

fn create_table(connection: &Connection, relation: &Relation) -> Result<()> {
    let columns: Vec<String> =
        relation.columns.iter().map(|column| format!("\"{}\" {}", column.name, affinity(column.type_oid))).collect();
    connection
        .execute_batch(&format!("CREATE TABLE \"{}\" ({})", relation.stored(), columns.join(",")))
        .map_err(internal)
}

fn affinity(kind: u32) -> &'static str {
    match kind {
        oid::BOOL => "INTEGER",
        oid::FLOAT4 | oid::FLOAT8 => "REAL",
        kind if oid::is_integer(kind) => "INTEGER",
        _ => "TEXT",
    }
}

fn schemas_and_roles(connection: &Connection, directory: &Directory) -> Result<()> {
    let mut namespaces = Writer::new(connection, "pg_namespace")?;
    for (oid, name) in &directory.schemas {
        namespaces.put(&[("oid", number(*oid)), ("nspname", text(name)), ("nspowner", int(10))])?;
    }
    connection.execute_batch("CREATE TABLE \"_role\" (oid INTEGER, name TEXT)").map_err(internal)?;
    for (oid, name) in &directory.roles {
        connection.execute("INSERT INTO \"_role\" VALUES (?, ?)", (oid, name)).map_err(internal)?;
    }
    Writer::new(connection, "pg_database")?.put(&[
        ("oid", number(directory.database_oid)),
        ("datname", text(&directory.database)),
        ("datdba", int(10)),
        ("encoding", int(6)),
        ("datlocprovider", text("c")),
        ("datistemplate", flag(false)),
        ("datallowconn", flag(true)),
        ("datconnlimit", int(-1)),
        ("datfrozenxid", int(716)),
        ("datminmxid", int(1)),
        ("dattablespace", int(1663)),
        ("datcollate", text("C.UTF-8")),
        ("datctype", text("C.UTF-8")),
    ])
}

fn classes(connection: &Connection, directory: &Directory) -> Result<()> {
    let mut writer = Writer::new(connection, "pg_class")?;
    let mut attributes = Writer::new(connection, "pg_attribute")?;
    for class in &directory.classes {
        let table = class.kind == 'r';
        writer.put(&[
            ("oid", number(class.oid)),
            ("relname", text(&class.name)),
            ("relnamespace", number(class.schema)),
            ("reltype", number(class.row_type)),
            ("reloftype", int(0)),
            ("relowner", int(10)),
            ("relam", int(if table { 2 } else { 0 })),
            ("relfilenode", int(0)),
            ("reltablespace", int(0)),
            ("relpages", int(0)),
            ("reltuples", Value::Real(-1.0)),
            ("relallvisible", int(0)),
            ("reltoastrelid", int(0)),
            ("relhasindex", flag(false)),
            ("relisshared", flag(false)),
            ("relpersistence", text("p")),
            ("relkind", Value::Text(class.kind.into())),
            ("relnatts", int(class.columns.len() as i64)),
            ("relchecks", int(0)),
            ("relhasrules", flag(!table)),
            ("relhastriggers", flag(false)),
            ("relhassubclass", flag(false)),
            ("relrowsecurity", flag(false)),
            ("relforcerowsecurity", flag(false)),
            ("relispopulated", flag(true)),
            ("relreplident", text(if class.row_type == 0 { "n" } else { "d" })),
            ("relispartition", flag(false)),
            ("relrewrite", int(0)),
            ("relfrozenxid", int(0)),
            ("relminmxid", int(0)),
        ])?;
        write_attributes(&mut attributes, class)?;
    }
    Ok(())
}

fn write_attributes(writer: &mut Writer<'_>, class: &Class) -> Result<()> {
    for (place, column) in class.columns.iter().enumerate() {
        attribute(writer, class, place as i64 + 1, &column.name, column.type_oid, column.not_null)?;
    }
    if class.kind == 'r' && class.row_type != 0 {
        for (place, name, kind) in SYSTEM_ATTRIBUTES {
            attribute(writer, class, place, name, kind, true)?;
        }
    }
    Ok(())
}

fn attribute(writer: &mut Writer<'_>, class: &Class, place: i64, name: &str, kind: u32, not_null: bool) -> Result<()> {
    let described = builtin::type_of(kind);
    let array = described.is_some_and(|kind| kind.category == 'A' && kind.length == -1);
    // System tables compare by bytes (collation C), others by the database's own.
    let collation = match described.map_or(0, |kind| kind.collation) {
        100 if class.row_type == 0 && class.kind == 'r' => 950,
        other => other,
    };
    writer.put(&[
        ("attrelid", number(class.oid)),
        ("attname", text(name)),
        ("atttypid", number(kind)),
        ("attstattarget", int(if place > 0 { -1 } else { 0 })),
        ("attlen", int(described.map_or(-1, |kind| i64::from(kind.length)))),
        ("attnum", int(place)),
        ("attndims", int(i64::from(array))),
        ("attcacheoff", int(-1)),
        ("atttypmod", int(-1)),
        ("attbyval", flag(described.is_some_and(|kind| kind.by_value))),
        ("attalign", Value::Text(described.map_or('i', |kind| kind.align).into())),
        ("attstorage", Value::Text(described.map_or('x', |kind| kind.storage).into())),
        ("attcompression", text("")),
        ("attnotnull", flag(not_null)),
        ("atthasdef", flag(false)),
        ("atthasmissing", flag(false)),
        ("attidentity", text("")),
        ("attgenerated", text("")),
        ("attisdropped", flag(false)),
        ("attislocal", flag(true)),
        ("attinhcount", int(0)),
        ("attcollation", number(collation)),
    ])
}

/// Columns of `data/pg_type.tsv`, in its order.
const TYPE_COLUMNS: [&str; 23] = [
    "oid",
    "typname",
    "typlen",
    "typbyval",
    "typtype",
    "typcategory",
    "typispreferred",
    "typisdefined",
    "typdelim",
    "typsubscript",
    "typelem",
    "typarray",
    "typinput",
    "typoutput",
    "typreceive",
    "typsend",
    "typmodin",
    "typmodout",
    "typanalyze",
    "typalign",
    "typstorage",
    "typcollation",
    "typbasetype",
];

fn types(connection: &Connection, directory: &Directory) -> Result<()> {
    let mut writer = Writer::new(connection, "pg_type")?;
    for kind in TYPES.iter() {
        let mut fields: Vec<(&str, Value)> = TYPE_COLUMNS
            .iter()
            .zip(&kind.row)
            .map(|(column, field)| (*column, field.as_ref().map_or(Value::Null, |field| Value::Text(field.clone()))))
            .filter(|(column, _)| *column != "typsubscript")
            .collect();
        fields.extend(common_type_fields(oid::PG_CATALOG, 0));
        fields.push(("typsubscript", int(subscript_handler(kind.row[9].as_deref()))));
        writer.put(&fields)?;
    }
    for class in directory.classes.iter().filter(|class| class.row_type != 0) {
        let row = [
            ("oid", number(class.row_type)),
            ("typname", text(&class.name)),
            ("typtype", text("c")),
            ("typcategory", text("C")),
            ("typarray", number(class.row_array)),
            ("typelem", int(0)),
            ("typsubscript", int(0)),
            ("typinput", int(2290)),
            ("typoutput", int(2291)),
            ("typreceive", int(2402)),
            ("typsend", int(2403)),
            ("typanalyze", int(0)),
        ];
        let array = [
            ("oid", number(class.row_array)),
            ("typname", Value::Text(format!("_{}", class.name))),
            ("typtype", text("b")),
            ("typcategory", text("A")),
            ("typarray", int(0)),
            ("typelem", number(class.row_type)),
            ("typsubscript", int(6179)),
            ("typinput", int(750)),
            ("typoutput", int(751)),
            ("typreceive", int(2400)),
            ("typsend", int(2401)),
            ("typanalyze", int(3816)),
        ];
        for (fields, relation) in [(row, class.oid), (array, 0)] {
            let mut fields = fields.to_vec();
            fields.extend(common_type_fields(class.schema, relation));
            fields.extend([
                ("typlen", int(-1)),
                ("typbyval", flag(false)),
                ("typispreferred", flag(false)),
                ("typisdefined", flag(true)),
                ("typdelim", text(",")),
                ("typmodin", int(0)),
                ("typmodout", int(0)),
                ("typalign", text("d")),
                ("typstorage", text("x")),
                ("typcollation", int(0)),
                ("typbasetype", int(0)),
            ]);
            writer.put(&fields)?;
        }
    }
    Ok(())
}

fn common_type_fields(schema: u32, relation: u32) -> [(&'static str, Value); 6] {
    [
        ("typnamespace", number(schema)),
        ("typowner", int(10)),
        ("typrelid", number(relation)),
        ("typnotnull", flag(false)),
        ("typtypmod", int(-1)),
        ("typndims", int(0)),
    ]
}

fn subscript_handler(name: Option<&str>) -> i64 {
    name.and_then(|name| builtin::routines(name).first()).map_or(0, |routine| i64::from(routine.oid))
}

fn procedures(connection: &Connection, directory: &Directory) -> Result<()> {
    let mut writer = Writer::new(connection, "pg_proc")?;
    let optional = |field: &Option<String>| field.as_ref().map_or(Value::Null, |field| Value::Text(field.clone()));
    for procedure in &directory.procedures {
        let arguments: Vec<String> = procedure.arguments.iter().map(ToString::to_string).collect();
        writer.put(&[
            ("oid", number(procedure.oid)),
            ("proname", text(&procedure.name)),
            ("pronamespace", number(procedure.schema)),
            ("proowner", int(10)),
            ("prolang", int(12)),
            ("procost", Value::Real(1.0)),
            ("prorows", Value::Real(if procedure.set { 1000.0 } else { 0.0 })),
            ("provariadic", number(procedure.variadic)),
            ("prosupport", int(0)),
            ("prokind", Value::Text(procedure.kind.into())),
            ("prosecdef", flag(false)),
            ("proleakproof", flag(false)),
            ("proisstrict", flag(procedure.strict)),
            ("proretset", flag(procedure.set)),
            ("provolatile", Value::Text(procedure.volatile.into())),
            ("proparallel", text("s")),
            ("pronargs", int(procedure.arguments.len() as i64)),
            ("pronargdefaults", int(procedure.defaults as i64)),
            ("prorettype", number(procedure.result)),
            ("proargtypes", Value::Text(arguments.join(" "))),
            ("proallargtypes", optional(&procedure.all_arguments)),
            ("proargmodes", optional(&procedure.modes)),
            ("proargnames", optional(&procedure.names)),
            ("prosrc", text(&procedure.source)),
        ])?;
    }
    Ok(())
}

fn comments(connection: &Connection, directory: &Directory) -> Result<()> {
    let mut writer = Writer::new(connection, "pg_description")?;
    let mut comments: Vec<_> = directory.comments.iter().collect();
    comments.sort();
    for ((object, table, column), comment) in comments {
        writer.put(&[
            ("objoid", number(*object)),
            ("classoid", number(*table)),
            ("objsubid", int(i64::from(*column))),
            ("description", text(comment)),
        ])?;
    }
    Ok(())
}

/// The further rows that PostgreSQL itself brings. A flag of `COPY` (`t`, `f`) is a number here.
fn rows(connection: &Connection) -> Result<()> {
    let mut created = Vec::new();
    for (table, row) in ROWS.iter().filter(|(table, _)| *table != "pg_get_keywords") {
        let relation = builtin::relation(None, table).ok_or_else(|| internal(format!("no system table {table}")))?;
        // Settings are shown over what the session says: the table keeps the defaults, a view shows them.
        let stored = if *table == "pg_settings" { "_setting".to_owned() } else { relation.stored() };
        if stored == "_setting" && !created.contains(&stored) {
            let columns: Vec<&str> = relation.columns.iter().map(|column| column.name).collect();
            connection
                .execute_batch(&format!("CREATE TABLE \"_setting\" ({})", columns.join(",")))
                .map_err(internal)?;
            created.push(stored.clone());
        }
        let values =
            row.iter().zip(&relation.columns).map(|(field, column)| match (field.as_deref(), column.type_oid) {
                (None, _) => Value::Null,
                (Some(field), oid::BOOL) => flag(field == "t"),
                (Some(field), kind) if oid::is_integer(kind) => {
                    field.parse().map_or_else(|_| text(field), Value::Integer)
                }
                (Some(field), _) => text(field),
            });
        let marks = vec!["?"; row.len()].join(",");
        connection
            .prepare_cached(&format!("INSERT INTO \"{stored}\" VALUES ({marks})"))
            .and_then(|mut statement| statement.execute(rusqlite::params_from_iter(values)))
            .map_err(internal)?;
    }
    Ok(())
}
