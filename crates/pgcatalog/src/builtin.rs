//! What PostgreSQL 15 itself brings: its system tables' columns, its types and the functions that are known here, read once from
//! `data/*.tsv` (the rows of its catalogue in the form of `COPY`, which is what a client compares with).

use std::collections::HashMap;
use std::sync::LazyLock;

/// A column of a system table.
#[derive(Debug, Clone)]
pub(crate) struct SystemColumn {
    pub(crate) name: &'static str,
    pub(crate) type_oid: u32,
    pub(crate) not_null: bool,
}

/// A system table or view.
#[derive(Debug)]
pub(crate) struct Relation {
    pub(crate) schema: &'static str,
    pub(crate) name: &'static str,
    pub(crate) oid: u32,
    pub(crate) kind: char,
    pub(crate) columns: Vec<SystemColumn>,
}

impl Relation {
    /// Its name as a table of the SQLite database: that of `information_schema` is spelt out, since names repeat.
    pub(crate) fn stored(&self) -> String {
        if self.schema == "pg_catalog" { self.name.to_owned() } else { format!("{}.{}", self.schema, self.name) }
    }
}

/// A built-in type.
#[derive(Debug)]
pub(crate) struct Type {
    pub(crate) oid: u32,
    pub(crate) name: &'static str,
    pub(crate) length: i32,
    pub(crate) category: char,
    /// Type of the elements of an array or vector, else 0.
    pub(crate) element: u32,
    /// Type of arrays of it, else 0.
    pub(crate) array: u32,
    pub(crate) align: char,
    pub(crate) storage: char,
    pub(crate) by_value: bool,
    pub(crate) collation: u32,
    /// The whole row.
    pub(crate) row: Row,
}

/// A function of PostgreSQL that is known here.
#[derive(Debug)]
pub(crate) struct Routine {
    pub(crate) oid: u32,
    pub(crate) name: &'static str,
    pub(crate) kind: char,
    pub(crate) set: bool,
    pub(crate) result: u32,
    pub(crate) arguments: Vec<u32>,
    /// Type of the elements of a variadic last argument, else 0.
    pub(crate) variadic: u32,
    pub(crate) defaults: usize,
    pub(crate) all_arguments: Option<String>,
    pub(crate) modes: Option<String>,
    pub(crate) names: Option<String>,
    pub(crate) strict: bool,
    pub(crate) volatile: char,
    pub(crate) source: &'static str,
}

/// The system tables and views by schema and name.
pub(crate) static RELATIONS: LazyLock<Vec<Relation>> = LazyLock::new(|| {
    lines(include_str!("../data/relations.tsv"))
        .map(|fields| Relation {
            schema: fields[0],
            name: fields[1],
            oid: number(fields[2]),
            kind: first(fields[3]),
            columns: fields[4].split(',').map(column).collect(),
        })
        .collect()
});

static RELATION_BY_NAME: LazyLock<HashMap<(&'static str, &'static str), &'static Relation>> =
    LazyLock::new(|| RELATIONS.iter().map(|relation| ((relation.schema, relation.name), relation)).collect());

/// The built-in types.
pub(crate) static TYPES: LazyLock<Vec<Type>> = LazyLock::new(|| {
    lines(include_str!("../data/pg_type.tsv"))
        .map(|fields| Type {
            oid: number(fields[0]),
            name: fields[1],
            length: fields[2].parse().unwrap_or_default(),
            by_value: fields[3] == "1",
            category: first(fields[5]),
            element: number(fields[10]),
            array: number(fields[11]),
            align: first(fields[19]),
            storage: first(fields[20]),
            collation: number(fields[21]),
            row: fields.iter().map(|field| unescape(field)).collect(),
        })
        .collect()
});

static TYPE_BY_OID: LazyLock<HashMap<u32, &'static Type>> =
    LazyLock::new(|| TYPES.iter().map(|kind| (kind.oid, kind)).collect());

static TYPE_BY_NAME: LazyLock<HashMap<&'static str, &'static Type>> =
    LazyLock::new(|| TYPES.iter().map(|kind| (kind.name, kind)).collect());

/// The functions of PostgreSQL that are known here.
pub(crate) static ROUTINES: LazyLock<Vec<Routine>> = LazyLock::new(|| {
    lines(include_str!("../data/pg_proc.tsv"))
        .map(|fields| Routine {
            oid: number(fields[0]),
            name: fields[1],
            kind: first(fields[2]),
            set: fields[3] == "1",
            result: number(fields[4]),
            arguments: fields[5].split_whitespace().map(number).collect(),
            variadic: number(fields[6]),
            defaults: fields[7].parse().unwrap_or_default(),
            all_arguments: unescape(fields[8]),
            modes: unescape(fields[9]),
            names: unescape(fields[10]),
            strict: fields[11] == "1",
            volatile: first(fields[12]),
            source: fields[13],
        })
        .collect()
});

static ROUTINES_BY_NAME: LazyLock<HashMap<&'static str, Vec<&'static Routine>>> = LazyLock::new(|| {
    let mut found: HashMap<&'static str, Vec<&'static Routine>> = HashMap::new();
    for routine in ROUTINES.iter() {
        found.entry(routine.name).or_default().push(routine);
    }
    found
});

/// The fields of a row; `None` is NULL.
pub(crate) type Row = Vec<Option<String>>;

/// Rows of further system tables: name of the table, then a row's fields.
pub(crate) static ROWS: LazyLock<Vec<(&'static str, Row)>> = LazyLock::new(|| {
    let mut table = "";
    let mut rows = Vec::new();
    for line in include_str!("../data/rows.tsv").lines() {
        match line.strip_prefix('#') {
            Some(name) => table = name,
            None => rows.push((table, line.split('\t').map(unescape).collect())),
        }
    }
    rows
});

/// The system table of that name. Without a schema it is one of `pg_catalog`.
pub(crate) fn relation(schema: Option<&str>, name: &str) -> Option<&'static Relation> {
    let schema = match schema {
        None | Some("pg_catalog") => "pg_catalog",
        Some("information_schema") => "information_schema",
        Some(_) => return None,
    };
    RELATION_BY_NAME.get(&(schema, name)).copied()
}

/// The type of that OID.
pub(crate) fn type_of(oid: u32) -> Option<&'static Type> {
    TYPE_BY_OID.get(&oid).copied()
}

/// The type of that internal name, such as `int4` or `_text`.
pub(crate) fn type_named(name: &str) -> Option<&'static Type> {
    TYPE_BY_NAME.get(name).copied()
}

/// The element type of an array or vector; `None` for other types.
pub(crate) fn element_of(oid: u32) -> Option<u32> {
    type_of(oid).filter(|kind| kind.category == 'A' && kind.element != 0).map(|kind| kind.element)
}

/// The type of arrays of a type; those of text where it has none.
pub(crate) fn array_of(oid: u32) -> u32 {
    type_of(oid).map(|kind| kind.array).filter(|&array| array != 0).unwrap_or(crate::oid::TEXT_ARRAY)
}

/// The functions of that name.
pub(crate) fn routines(name: &str) -> &'static [&'static Routine] {
    ROUTINES_BY_NAME.get(name).map(Vec::as_slice).unwrap_or_default()
}

fn lines(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().map(|line| line.split('\t').collect())
}

fn column(text: &'static str) -> SystemColumn {
    let (name, kind) = text.split_once(' ').unwrap_or((text, "25"));
    SystemColumn { name, type_oid: number(kind.trim_end_matches('!')), not_null: kind.ends_with('!') }
}

fn number(text: &str) -> u32 {
    text.parse().unwrap_or_default()
}

fn first(text: &str) -> char {
    text.chars().next().unwrap_or(' ')
}

/// A field of `COPY`'s text form.
fn unescape(field: &str) -> Option<String> {
    if field == "\\N" {
        return None;
    }
    let mut text = String::with_capacity(field.len());
    let mut letters = field.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some(other) => text.push(other),
                None => {}
            },
            other => text.push(other),
        }
    }
    Some(text)
}
