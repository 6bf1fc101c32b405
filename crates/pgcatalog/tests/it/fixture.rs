//! The catalogue of the tests: three schemas of synthetic tables, as the recorded answers know them.

use std::collections::BTreeMap;

use pgcatalog::{Catalogue, Column, Described, Function, FunctionKind, Rows, Schema, Session, Table};

fn column(name: &str, type_oid: u32, not_null: bool, comment: &str) -> Column {
    Column { name: name.into(), type_oid, not_null, comment: comment.into() }
}

fn table(name: &str, comment: &str, columns: Vec<Column>) -> Table {
    Table { name: name.into(), comment: comment.into(), columns }
}

/// The description.
pub fn described() -> Described {
    let published = vec![
        table(
            "v01",
            "Victims identified",
            vec![
                column("time_period", 25, true, ""),
                column("province", 25, true, "Province of identification (code list PROVINCE)"),
                column("sex", 25, false, ""),
                column("value", 20, false, "Victims; NULL is hidden"),
                column("lo95", 20, false, ""),
                column("hi95", 20, false, ""),
                column("obs_status", 25, false, ""),
                column("as_of", 1082, false, ""),
            ],
        ),
        table(
            "c01",
            "Cases registered",
            vec![
                column("time_period", 25, true, ""),
                column("province", 25, false, ""),
                column("value", 20, false, ""),
                column("rate", 701, false, ""),
                column("final", 16, false, ""),
            ],
        ),
    ];
    let reference = vec![table(
        "province",
        "Provinces",
        vec![
            column("code", 25, true, ""),
            column("label_en", 25, false, ""),
            column("label_ur", 25, false, ""),
            column("valid_from", 1082, false, ""),
            column("valid_to", 1184, false, ""),
        ],
    )];
    let protected = vec![table(
        "victims",
        "Victims: only counts of them leave",
        vec![
            column("year", 23, false, ""),
            column("province", 25, false, ""),
            column("status", 25, false, ""),
            column("age_group", 25, false, ""),
        ],
    )];
    let schema = |name: &str, comment: &str, tables| Schema { name: name.into(), comment: comment.into(), tables };
    Described {
        database: "warehouse".into(),
        server_version: "15.18".into(),
        schemas: vec![
            schema("published", "Indicators of the editions", published),
            schema("reference", "Code lists", reference),
            schema("protected", "Records that can be counted", protected),
        ],
        functions: vec![Function {
            name: "lo95".into(),
            comment: "Lower end of the interval of a number".into(),
            arguments: vec![20],
            result: 20,
            kind: FunctionKind::Scalar,
        }],
        roles: vec!["amanat".into(), "analyst".into()],
    }
}

/// The catalogue.
pub fn catalogue() -> Catalogue {
    Catalogue::new(&described()).expect("the fixture is a catalogue")
}

/// Settings of the session.
pub fn settings() -> BTreeMap<String, String> {
    BTreeMap::from([("application_name".to_owned(), "tests".to_owned())])
}

/// The session.
pub fn session(settings: &BTreeMap<String, String>) -> Session<'_> {
    Session {
        user: "analyst",
        search_path: &[],
        settings,
        backend_pid: 4711,
        now_us: 1_795_000_000_000_000,
        started_us: 1_794_000_000_000_000,
    }
}

/// An answer without parameters.
pub fn ask(catalogue: &Catalogue, sql: &str) -> pgcatalog::Result<Rows> {
    let settings = settings();
    catalogue.answer(&session(&settings), sql, &[], &[])
}

/// An answer as lines: types, then rows.
pub fn lines(rows: &Rows) -> Vec<String> {
    let head = rows.columns.iter().map(|(name, kind)| format!("{name}:{kind}")).collect::<Vec<_>>().join(" | ");
    let body = rows
        .rows
        .iter()
        .map(|row| row.iter().map(|field| field.as_deref().unwrap_or("NULL")).collect::<Vec<_>>().join(" | "));
    std::iter::once(head).chain(body).collect()
}
