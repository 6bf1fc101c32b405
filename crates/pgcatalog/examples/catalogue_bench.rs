//! Measures a catalogue of 150 tables and 2,000 columns: how long it takes to make, the first answer (which copies it), and what
//! clients ask most. Prints one JSON object. `cargo run -p pgcatalog --example catalogue_bench`.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, reason = "a measurement")]

use std::collections::BTreeMap;
use std::time::Instant;

use pgcatalog::{Catalogue, Column, Described, Schema, Session, Table};
use serde_json::json;

const TABLES: usize = 150;
const COLUMNS: usize = 2_000;

fn main() {
    let column = |number: usize| Column {
        name: format!("column_{number}"),
        type_oid: [25, 20, 16, 1082][number % 4],
        not_null: number.is_multiple_of(3),
        comment: format!("What column {number} means"),
    };
    let table = |number: usize| Table {
        name: format!("table_{number}"),
        comment: format!("What table {number} holds"),
        columns: (number * COLUMNS / TABLES..(number + 1) * COLUMNS / TABLES).map(column).collect(),
    };
    let described = Described {
        database: "warehouse".into(),
        server_version: "15.18".into(),
        schemas: vec![Schema {
            name: "published".into(),
            comment: String::new(),
            tables: (0..TABLES).map(table).collect(),
        }],
        functions: Vec::new(),
        roles: vec!["owner".into()],
    };
    let timed = |act: &mut dyn FnMut()| {
        let start = Instant::now();
        act();
        start.elapsed().as_micros() as f64 / 1000.0
    };
    let mut catalogue = None;
    let first = timed(&mut || catalogue = Some(Catalogue::new(&described).unwrap()));
    let again = timed(&mut || catalogue = Some(Catalogue::new(&described).unwrap()));
    let catalogue = catalogue.unwrap();
    let settings = BTreeMap::new();
    let session =
        Session { user: "analyst", search_path: &[], settings: &settings, backend_pid: 1, now_us: 0, started_us: 0 };
    let ask = |sql: &str| timed(&mut || drop(catalogue.answer(&session, sql, &[], &[]).unwrap()));
    let tables = "SELECT n.nspname, c.relname, pg_catalog.obj_description(c.oid, 'pg_class') FROM pg_catalog.pg_class c \
                  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                  WHERE c.relkind IN ('r','p','') AND n.nspname !~ '^pg_toast' AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1,2";
    let columns = "SELECT * FROM information_schema.columns WHERE table_schema = 'published'";
    let report = json!({
        "make_first_ms": first,
        "make_again_ms": again,
        "first_answer_ms": ask("SELECT 1"),
        "select_1_ms": ask("SELECT 1"),
        "list_tables_ms": ask(tables),
        "all_columns_ms": ask(columns),
    });
    println!("{report}");
}
