//! Which side a statement is for.

use pgcatalog::Concern;

use crate::fixture::catalogue;

#[test]
fn what_reads_system_tables_alone_is_for_the_catalogue() {
    let catalogue = catalogue();
    for sql in [
        "SELECT * FROM pg_class",
        "SELECT * FROM pg_catalog.pg_class c, information_schema.tables t",
        "SELECT relname FROM \"pg_class\" WHERE oid = 'published.v01'::regclass",
        "TABLE pg_namespace",
        "WITH v01 AS (SELECT 1 AS a) SELECT * FROM v01 JOIN pg_class ON true",
        "SELECT * FROM pg_no_such_table",
        "SELECT * FROM warehouse.pg_catalog.pg_class",
        "SELECT version()",
        "SELECT 1",
        "SELECT current_user, current_schema(), pg_catalog.pg_backend_pid()",
        "SELECT * FROM unnest(current_schemas(true))",
        "SELECT pg_catalog.no_such_function()",
        "SHOW search_path",
        "SHOW TRANSACTION ISOLATION LEVEL",
        "VALUES (1), (2)",
    ] {
        assert_eq!(catalogue.concern(sql), Concern::Catalogue, "{sql}");
    }
}

#[test]
fn what_reads_no_system_table_or_cannot_be_read_is_for_the_guard() {
    let catalogue = catalogue();
    for sql in [
        "SELECT * FROM published.v01",
        "SELECT count(*) FROM victims WHERE province = 'PK-PB'",
        "SELECT version(), count(*) FROM victims",
        "SELECT lo95(1)",
        "SELECT no_such_function(1)",
        "TABLE victims",
        "WITH a AS (SELECT * FROM victims) SELECT * FROM a",
        "SELECT * FROM tables",
        "EXPLAIN SELECT * FROM pg_class",
        "SELECT FROM WHERE",
        "INSERT INTO pg_class VALUES (1)",
        "SELECT 1; SELECT 2",
        "",
    ] {
        assert_eq!(catalogue.concern(sql), Concern::Data, "{sql}");
    }
}

#[test]
fn what_reads_both_names_the_table_that_is_not_the_systems() {
    let catalogue = catalogue();
    for (sql, table) in [
        ("SELECT * FROM published.v01, pg_class", "published.v01"),
        ("SELECT (SELECT count(*) FROM victims) FROM pg_class", "victims"),
        ("SELECT * FROM pg_class WHERE relname IN (SELECT province FROM protected.victims)", "protected.victims"),
        ("SELECT 1 FROM pg_class UNION TABLE victims", "victims"),
        (
            "WITH pg AS (SELECT * FROM pg_class) SELECT * FROM pg JOIN LATERAL (SELECT * FROM victims) v ON true",
            "victims",
        ),
    ] {
        assert_eq!(catalogue.concern(sql), Concern::Both { table: table.into() }, "{sql}");
    }
}
