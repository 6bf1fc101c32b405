//! What each client asks, as recorded, and the answers to it. A file of `tests/recorded/` is a client; in it, each statement follows
//! a line that says what the client does with it. Where parameters are bound, a line gives them (`NULL` is NULL).

use std::time::Duration;

use crate::fixture::{catalogue, lines, session, settings};

/// One recorded statement.
pub struct Recorded {
    /// What the client does with it.
    pub purpose: String,
    /// What is bound to `$1`, `$2` and so on.
    pub parameters: Vec<Option<String>>,
    /// The statement.
    pub sql: String,
}

/// The statements of a client's file.
pub fn statements(text: &str) -> Vec<Recorded> {
    text.split("\n\n\n").filter(|block| !block.trim().is_empty()).map(statement).collect()
}

fn statement(block: &str) -> Recorded {
    let mut recorded = Recorded { purpose: String::new(), parameters: Vec::new(), sql: String::new() };
    for line in block.trim().lines() {
        if let Some(given) = line.strip_prefix("--$ ") {
            recorded.parameters.push(if given == "NULL" { None } else { Some(given.to_owned()) });
        } else if let Some(purpose) = line.strip_prefix("--: ") {
            purpose.clone_into(&mut recorded.purpose);
        } else {
            recorded.sql.push_str(line);
            recorded.sql.push('\n');
        }
    }
    recorded
}

/// Rows of an answer that a snapshot keeps; the others it counts.
const SHOWN: usize = 12;

fn snapshot(client: &str, text: &str) -> String {
    // What is right must not depend on how busy the machine is.
    let catalogue = catalogue().with_deadline(Duration::from_mins(2));
    let settings = settings();
    let mut report = String::new();
    for recorded in statements(text) {
        report.push_str(&format!("## {}\n", recorded.purpose));
        match catalogue.answer(&session(&settings), &recorded.sql, &[], &recorded.parameters) {
            Ok(rows) => {
                let shape = catalogue.shape(&recorded.sql, &[]).expect("what was answered has a shape");
                assert_eq!(shape.columns, rows.columns, "{client}: {}", recorded.purpose);
                if !shape.parameters.is_empty() {
                    report.push_str(&format!("parameters: {:?}\n", shape.parameters));
                }
                let mut all = lines(&rows);
                // Without an order of its own an answer has none.
                if !recorded.sql.to_lowercase().contains("order by") {
                    all[1..].sort();
                }
                for line in all.iter().take(SHOWN + 1) {
                    report.push_str(line);
                    report.push('\n');
                }
                report.push_str(&format!("({} rows)\n\n", rows.rows.len()));
            }
            Err(error) => report.push_str(&format!("{}: {error}\n\n", error.fault.sqlstate())),
        }
    }
    report
}

macro_rules! recorded {
    ($($client:ident)*) => {
        $(
            #[test]
            fn $client() {
                let text = include_str!(concat!("../recorded/", stringify!($client), ".sql"));
                insta::assert_snapshot!(stringify!($client), snapshot(stringify!($client), text));
            }
        )*
        /// Every client's file.
        pub const CLIENTS: &[(&str, &str)] = &[$((stringify!($client), include_str!(concat!("../recorded/", stringify!($client), ".sql")))),*];
    };
}

recorded! { psql asyncpg psycopg pgjdbc sqlalchemy pandas_ibis_adbc psqlodbc node pgcli pgadmin npgsql bi }
