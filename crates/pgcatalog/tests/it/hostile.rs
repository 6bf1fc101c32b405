//! What a hostile client may send: it ends with an error, learns nothing of what lies beneath, and leaves the catalogue usable.

use std::time::{Duration, Instant};

use pgcatalog::{Catalogue, Fault};

use crate::fixture::{ask, catalogue, session, settings};

/// The catalogue still answers.
fn usable(catalogue: &Catalogue) {
    let rows = ask(catalogue, "SELECT count(*) FROM pg_namespace WHERE nspname = 'published'").expect("it answers");
    assert_eq!(rows.rows, [[Some("1".to_owned())]]);
}

fn fault(sql: &str) -> Fault {
    let catalogue = catalogue().with_deadline(Duration::from_millis(300));
    catalogue.concern(sql);
    let outcome = ask(&catalogue, sql);
    usable(&catalogue);
    match outcome {
        Ok(rows) => panic!("{sql} was answered: {:?}", rows.rows.iter().take(3).collect::<Vec<_>>()),
        Err(error) => {
            let message = error.message.to_lowercase();
            assert!(!message.contains("sqlite_") || sql.contains("sqlite_"), "{message}");
            assert_ne!(error.fault, Fault::Internal, "{message}");
            error.fault
        }
    }
}

#[test]
fn sqlites_own_tables_are_unknown_tables() {
    for sql in [
        "SELECT * FROM sqlite_master",
        "SELECT * FROM sqlite_schema",
        "SELECT * FROM \"sqlite_master\"",
        "SELECT * FROM main.sqlite_master",
        "SELECT * FROM pg_catalog.sqlite_master",
        "TABLE sqlite_master",
        "SELECT * FROM sqlite_temp_master",
        "SELECT * FROM _role",
        "SELECT * FROM \"_setting\"",
        "SELECT * FROM \"information_schema.tables\"",
        "SELECT * FROM json_tree",
        "SELECT * FROM pragma_table_info",
    ] {
        assert_eq!(fault(sql), Fault::UndefinedTable, "{sql}");
    }
}

#[test]
fn sqlites_own_functions_are_unknown_functions() {
    for sql in [
        "SELECT sqlite_version()",
        "SELECT sqlite_source_id()",
        "SELECT randomblob(1000000000)",
        "SELECT zeroblob(1000000000)",
        "SELECT readfile('/etc/passwd')",
        "SELECT writefile('/tmp/x', 'y')",
        "SELECT load_extension('x')",
        "SELECT hex('a')",
        "SELECT * FROM json_each('[1]')",
        "SELECT * FROM pragma_database_list()",
        "SELECT * FROM json_tree('[1]')",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT pg_sleep(100)",
        "SELECT f_version()",
        "SELECT _user_oid()",
        "SELECT _setting('x', 'y')",
    ] {
        assert_eq!(fault(sql), Fault::UndefinedFunction, "{sql}");
    }
}

/// Each of these takes a million times as long as its first part where a parser tries one reading after another.
#[test]
fn what_may_be_read_in_many_ways_is_read_with_bounded_work() {
    let calls = [
        "abs(",
        "coalesce(1, ",
        "trim(",
        "position(1 in ",
        "substring(",
        "cast(",
        "1 IN (",
        "(",
        "a => f(",
        "-(",
        "CASE WHEN ",
    ];
    let queries = [
        "SELECT (",
        "SELECT 1 FROM (",
        "SELECT 1 FROM ((",
        "SELECT * FROM ((",
        "SELECT 1 WHERE 1 IN ((",
        "WITH a AS ((",
    ];
    for (head, part) in calls.map(|part| ("SELECT ", part)).into_iter().chain(queries.map(|part| ("", part))) {
        let closing = ")".repeat(part.matches('(').count() * 40);
        for end in ["1", "SELECT 1", ""] {
            for closing in ["", &closing, &closing[..closing.len() / 2]] {
                let text = format!("{head}{}{end}{closing}", part.repeat(40));
                // Whatever it says; it says it at once.
                catalogue().concern(&text);
            }
        }
    }
    usable(&catalogue());
}

#[test]
fn what_needs_copies_of_its_parts_stays_small_or_is_refused() {
    for (open, close) in [
        ("nullif(", ", 1)"),
        ("(", " BETWEEN 1 AND 2)::int"),
        ("CASE ", " WHEN 1 THEN 2 WHEN 2 THEN 3 WHEN 3 THEN 4 END"),
        ("(", " IN (1, 2, 3))::int"),
        ("(", ")::text::int"),
        ("coalesce(1, ", ")"),
        ("greatest(1, ", ")"),
    ] {
        let text = format!("SELECT {}1{}", open.repeat(30), close.repeat(30));
        let before = Instant::now();
        let _ = ask(&catalogue().with_deadline(Duration::from_millis(300)), &text);
        assert!(before.elapsed() < Duration::from_secs(20), "{open}");
    }
    assert_eq!(fault(&format!("SELECT {}1{}", "nullif(".repeat(30), ", 1)".repeat(30))), Fault::TooComplex);
}

#[test]
fn nothing_but_a_question_is_answered() {
    for sql in [
        "INSERT INTO pg_class VALUES (1)",
        "UPDATE pg_class SET relname = 'x'",
        "DELETE FROM pg_class",
        "CREATE TABLE x (a int)",
        "DROP TABLE pg_class",
        "COPY (SELECT 1) TO '/tmp/x'",
        "WITH x AS (INSERT INTO pg_class VALUES (1) RETURNING *) SELECT * FROM x",
        "SELECT 1 INTO x",
    ] {
        assert!(matches!(fault(sql), Fault::NotSupported | Fault::Syntax), "{sql}");
    }
    for sql in [
        "ATTACH DATABASE '/tmp/x' AS y",
        "PRAGMA database_list",
        "VACUUM INTO '/tmp/x'",
        "SELECT 1; SELECT 2",
        "",
        ";",
        "SELECT 'a\0b'",
    ] {
        assert!(matches!(fault(sql), Fault::NotSupported | Fault::Syntax), "{sql}");
    }
}

#[test]
fn what_never_ends_is_ended() {
    for sql in [
        "WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x) SELECT count(*) FROM x",
        "WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x) SELECT n FROM x",
        "SELECT count(*) FROM pg_attribute a, pg_attribute b, pg_attribute c, pg_attribute d",
        "SELECT count(*) FROM generate_series(1, 99999) a, generate_series(1, 99999) b, generate_series(1, 99999) c",
        "SELECT * FROM generate_series(1, 9000000000000000000)",
        "SELECT * FROM pg_attribute a, pg_attribute b",
        "SELECT repeat(relname, 1000000000) FROM pg_class",
        "SELECT lpad('x', 2000000000)",
        "WITH RECURSIVE x(t) AS (SELECT 'a' UNION ALL SELECT t || t FROM x) SELECT max(length(t)) FROM x",
    ] {
        let start = Instant::now();
        assert_eq!(fault(sql), Fault::TooComplex, "{sql}");
        assert!(start.elapsed() < Duration::from_secs(10), "{sql} took {:?}", start.elapsed());
    }
}

#[test]
fn what_nests_too_deeply_or_is_too_long_is_refused_before_it_is_read() {
    // (Of nested CASE the parser gives up in its own way: it takes the word for the name of a column.)
    let nested = |open: &str, inside: &str, close: &str, times: usize| {
        format!("SELECT {}{inside}{}", open.repeat(times), close.repeat(times))
    };
    for sql in [
        nested("(", "1", ")", 5_000),
        nested("NOT ", "true", "", 5_000),
        nested("- ", "1", "", 5_000),
        nested("1 + ", "1", "", 5_000),
        nested("(SELECT ", "1", ")", 3_000),
        nested("abs(", "1", ")", 3_000),
        nested("", "1", "::int", 5_000),
        nested("", "1", " UNION SELECT 1", 5_000),
        nested("", "1", " IS NULL", 5_000),
        nested("1 + ", "1", "", 3_900),
        nested("", "1", "::int", 3_900),
        nested("", "1", " UNION SELECT 1", 3_900),
        nested("", "true", " IS NULL", 3_900),
        format!("SELECT '{}'", "x".repeat(300 << 10)),
    ] {
        let fault = fault(&sql);
        assert!(matches!(fault, Fault::TooComplex | Fault::Syntax), "{fault:?} {}", &sql[..40]);
    }
    fault(&nested("CASE WHEN true THEN ", "1", " END", 3_000));
}

#[test]
fn a_quoted_name_is_a_name_and_never_a_string_or_a_piece_of_sql() {
    assert_eq!(fault("SELECT \"x\" FROM pg_class"), Fault::UndefinedColumn);
    assert_eq!(
        fault("SELECT relname AS \"a\"\"; DROP TABLE pg_class; --\" FROM pg_class WHERE \"OID\" = 1"),
        Fault::UndefinedColumn
    );
    let catalogue = catalogue();
    let rows =
        ask(&catalogue, "SELECT 'it''s; --' AS \"a\"\"b'c\", \"T\".\"x\"\"y\" FROM (SELECT 1 AS \"x\"\"y\") AS \"T\"")
            .expect("names are free");
    assert_eq!(rows.columns[0].0, "a\"b'c");
    assert_eq!(rows.rows, [[Some("it's; --".to_owned()), Some("1".to_owned())]]);
}

#[test]
fn parameters_are_values() {
    let catalogue = catalogue();
    let settings = settings();
    let ask = |sql: &str, values: &[&str]| {
        let values: Vec<Option<String>> = values.iter().map(|value| Some((*value).to_owned())).collect();
        catalogue.answer(&session(&settings), sql, &[], &values)
    };
    let rows = ask("SELECT relname FROM pg_class WHERE relname = $1", &["x' OR '1'='1"]).expect("a text");
    assert!(rows.rows.is_empty());
    assert_eq!(
        ask("SELECT relname FROM pg_class WHERE oid = $1", &["1 OR 1=1"]).expect_err("no number").fault,
        Fault::InvalidValue
    );
    assert_eq!(ask("SELECT $1", &[]).expect_err("none given").fault, Fault::Parameters);
    assert_eq!(ask("SELECT $1", &["a", "b"]).expect_err("one too many").fault, Fault::Parameters);
    assert_eq!(ask("SELECT $99999", &["a"]).expect_err("no such").fault, Fault::Syntax);
    assert_eq!(ask("SELECT relname ~ $1 FROM pg_class", &["(((("]).expect_err("no pattern").fault, Fault::InvalidValue);
    assert!(ask("SELECT count(*) FROM pg_class WHERE relname ~ $1", &["(a*)*(a*)*(a*)*b"]).is_ok());
}
