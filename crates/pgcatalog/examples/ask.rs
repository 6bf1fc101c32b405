//! Answers the recorded statements of files and prints one JSON object a line: the statement's place, its columns with types, rows or
//! the error. What another server answers to the same can be compared with it.
//! `cargo run -p pgcatalog --example ask -- crates/pgcatalog/tests/recorded/psql.sql`, or `-- -c 'SELECT ...'` for one statement.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, dead_code, reason = "a tool for comparison")]

#[path = "../tests/it/fixture.rs"]
mod fixture;

use std::time::Instant;

use serde_json::json;

fn main() {
    let catalogue = fixture::catalogue();
    let settings = fixture::settings();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let shape = |sql: &str| catalogue.shape(sql, &[]).map(|shape| shape.parameters).unwrap_or_default();
    let answer = |file: &str, place: usize, sql: &str, parameters: &[Option<String>]| {
        let start = Instant::now();
        let answer = catalogue.answer(&fixture::session(&settings), sql, &[], parameters);
        let ms = start.elapsed().as_millis() as u64;
        let line = match answer {
            Ok(rows) => {
                json!({"file": file, "place": place, "ms": ms, "columns": rows.columns, "parameters": shape(sql), "rows": rows.rows})
            }
            Err(error) => {
                json!({"file": file, "place": place, "ms": ms, "error": error.message, "state": error.fault.sqlstate()})
            }
        };
        println!("{line}");
    };
    if let [flag, sql] = arguments.as_slice()
        && flag == "-c"
    {
        return answer("-", 0, sql, &[]);
    }
    for file in &arguments {
        let text = std::fs::read_to_string(file).unwrap();
        for (place, block) in text.split("\n\n\n").filter(|block| !block.trim().is_empty()).enumerate() {
            let parameters: Vec<Option<String>> = block
                .lines()
                .filter_map(|line| line.strip_prefix("--$ "))
                .map(|given| (given != "NULL").then(|| given.to_owned()))
                .collect();
            let sql: Vec<&str> =
                block.lines().filter(|line| !line.starts_with("--$ ") && !line.starts_with("--: ")).collect();
            answer(file, place, &sql.join("\n"), &parameters);
        }
    }
}
