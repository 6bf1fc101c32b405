//! What PostgreSQL's SQL means, where SQLite's would mean something else. Each expected value is
//! PostgreSQL 15's own, but for the last test's: what it would tell of data is not known here.

use pgcatalog::{Fault, Rows};

use crate::fixture::{ask, catalogue, session, settings};

/// The only value of an answer, with its type.
fn value(sql: &str) -> (u32, Option<String>) {
    let rows: Rows = ask(&catalogue(), sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    assert_eq!((rows.rows.len(), rows.columns.len()), (1, 1), "{sql}");
    (rows.columns[0].1, rows.rows[0][0].clone())
}

fn all(cases: &[(&str, u32, Option<&str>)]) {
    for (sql, kind, expected) in cases {
        assert_eq!(value(sql), (*kind, expected.map(str::to_owned)), "{sql}");
    }
}

#[test]
fn booleans_are_letters_in_a_row_and_words_as_text() {
    all(&[
        ("SELECT true", 16, Some("t")),
        ("SELECT 1 = 2", 16, Some("f")),
        ("SELECT true::text", 25, Some("true")),
        ("SELECT 'yes'::bool", 16, Some("t")),
        ("SELECT (NULL::bool) IS TRUE", 16, Some("f")),
        ("SELECT ARRAY[true, false, NULL]", 1000, Some("{t,f,NULL}")),
        ("SELECT (ARRAY[true, false])[2]", 16, Some("f")),
        ("SELECT 'x' || true", 25, Some("xtrue")),
        ("SELECT concat('x', true)", 25, Some("xt")),
        ("SELECT bool_and(relname <> '') FROM pg_class", 16, Some("t")),
        ("SELECT NULL IS DISTINCT FROM 1", 16, Some("t")),
        ("SELECT 0 = 0 AND NOT false", 16, Some("t")),
    ]);
}

#[test]
fn numbers_of_objects_are_names_in_the_output() {
    all(&[
        ("SELECT 'pg_class'::regclass", 2205, Some("pg_class")),
        ("SELECT 'pg_class'::regclass::oid", 26, Some("1259")),
        ("SELECT 1259::regclass::text", 25, Some("pg_class")),
        ("SELECT 'information_schema.tables'::regclass", 2205, Some("information_schema.tables")),
        ("SELECT 'v01'::regclass = 'published.v01'::regclass", 16, Some("t")),
        ("SELECT to_regclass('no.such')", 2205, None),
        ("SELECT 'int4'::regtype", 2206, Some("integer")),
        ("SELECT 'timestamp with time zone'::regtype::oid", 26, Some("1184")),
        ("SELECT 'character varying(10)'::regtype", 2206, Some("character varying")),
        ("SELECT '_text'::regtype", 2206, Some("text[]")),
        ("SELECT 'array_in'::regproc", 24, Some("array_in")),
        ("SELECT 'lower(text)'::regprocedure", 2202, Some("lower(text)")),
        ("SELECT 'pg_catalog'::regnamespace::oid", 26, Some("11")),
        ("SELECT 'analyst'::regrole", 4096, Some("analyst")),
        ("SELECT 0::regclass", 2205, Some("-")),
        ("SELECT 999999999::regclass", 2205, Some("999999999")),
        ("SELECT '{23,25}'::regtype[]", 2211, Some("{integer,text}")),
        ("SELECT '{23,25}'::regtype[]::text[]", 1009, Some("{integer,text}")),
        ("SELECT pg_typeof(1)", 2206, Some("integer")),
        ("SELECT format_type(1043, 14)", 25, Some("character varying(10)")),
        ("SELECT format_type(1700, 655366)", 25, Some("numeric(10,2)")),
    ]);
    let catalogue = catalogue();
    assert_eq!(ask(&catalogue, "SELECT 'no.such'::regclass").expect_err("no such").fault, Fault::UndefinedTable);
    assert_eq!(ask(&catalogue, "SELECT 'nosuch'::regtype").expect_err("no such").fault, Fault::UndefinedObject);
}

#[test]
fn arrays_count_from_one_and_vectors_from_nought() {
    all(&[
        ("SELECT ARRAY[1, 2, 3]", 1007, Some("{1,2,3}")),
        ("SELECT (ARRAY['a', 'b'])[1]", 25, Some("a")),
        ("SELECT (ARRAY[1, 2, 3])[2:3]", 1007, Some("{2,3}")),
        ("SELECT (ARRAY[1])[5]", 23, None),
        ("SELECT ('1 2'::int2vector)[0]", 21, Some("1")),
        ("SELECT array_upper('1 2'::int2vector, 1)", 23, Some("1")),
        ("SELECT '{a,\"b c\",NULL,\"NULL\",\"\"}'::text[]", 1009, Some("{a,\"b c\",NULL,\"NULL\",\"\"}")),
        ("SELECT array_to_string(ARRAY['a', NULL, 'b'], ',')", 25, Some("a,b")),
        ("SELECT array_to_string(ARRAY['a', NULL], ',', '*')", 25, Some("a,*")),
        ("SELECT string_to_array('a,b', ',')", 1009, Some("{a,b}")),
        ("SELECT array_length(ARRAY[1, 2], 1)", 23, Some("2")),
        ("SELECT array_length('{}'::int[], 1)", 23, None),
        ("SELECT cardinality('{}'::int[])", 23, Some("0")),
        ("SELECT ARRAY(SELECT s FROM generate_series(3, 1, -1) s)", 1007, Some("{3,2,1}")),
        ("SELECT ARRAY(SELECT 1 WHERE false)", 1007, Some("{}")),
        ("SELECT array_agg(s ORDER BY s DESC) FROM generate_series(1, 3) s", 1007, Some("{3,2,1}")),
        ("SELECT array_agg(s) FILTER (WHERE s > 1) FROM generate_series(1, 3) s", 1007, Some("{2,3}")),
        ("SELECT array_agg(1) WHERE false", 1007, None),
        ("SELECT 2 = ANY(ARRAY[1, 2])", 16, Some("t")),
        ("SELECT 2 = ANY('{1,2}')", 16, Some("t")),
        ("SELECT 'r' = ANY(ARRAY['r'::\"char\", 'v'])", 16, Some("t")),
        ("SELECT relkind = 'rest' FROM pg_class WHERE oid = 1259", 16, Some("t")),
        ("SELECT relkind = ANY('{v,r}') FROM pg_class WHERE oid = 1259", 16, Some("t")),
        ("SELECT relkind = ANY('{ \"v\" , \"r\" }') FROM pg_class WHERE oid = 1259", 16, Some("t")),
        ("SELECT 3 <> ALL(ARRAY[1, 2])", 16, Some("t")),
        ("SELECT 'abc' LIKE ANY(ARRAY['x%', 'a%'])", 16, Some("t")),
        ("SELECT ARRAY[1] || 2 || ARRAY[3]", 1007, Some("{1,2,3}")),
        ("SELECT ARRAY[1, 2] @> ARRAY[2]", 16, Some("t")),
        ("SELECT ARRAY[1, 2] && ARRAY[5]", 16, Some("f")),
    ]);
}

#[test]
fn nulls_are_last_and_first_when_descending() {
    let rows = |sql: &str| {
        ask(&catalogue(), sql)
            .expect(sql)
            .rows
            .into_iter()
            .map(|row| row[0].clone().unwrap_or_default())
            .collect::<Vec<_>>()
    };
    assert_eq!(rows("SELECT * FROM (VALUES (2), (NULL), (1)) v(x) ORDER BY x"), ["1", "2", ""]);
    assert_eq!(rows("SELECT * FROM (VALUES (2), (NULL), (1)) v(x) ORDER BY x DESC"), ["", "2", "1"]);
    assert_eq!(rows("SELECT * FROM (VALUES (2), (NULL), (1)) v(x) ORDER BY 1 NULLS FIRST"), ["", "1", "2"]);
    assert_eq!(
        rows("SELECT 2 AS a UNION ALL SELECT NULL UNION ALL SELECT 1 ORDER BY a DESC NULLS LAST LIMIT 2"),
        ["2", "1"]
    );
    assert_eq!(
        rows("SELECT DISTINCT ON (x) y FROM (VALUES (1, 'b'), (1, 'a'), (2, 'c')) v(x, y) ORDER BY x, y"),
        ["a", "c"]
    );
}

#[test]
fn functions_of_many_rows_stand_beside_a_table_and_in_a_select_list() {
    let rows = |sql: &str| {
        let rows = ask(&catalogue(), sql).unwrap_or_else(|error| panic!("{sql}: {error}")).rows;
        rows.into_iter()
            .map(|row| row.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>().join("|"))
            .collect::<Vec<_>>()
    };
    assert_eq!(rows("SELECT unnest(ARRAY['a', 'b'])"), ["a", "b"]);
    assert_eq!(rows("SELECT x, unnest(y) FROM (VALUES (1, ARRAY[5, 6]), (2, '{}')) v(x, y)"), ["1|5", "1|6"]);
    assert_eq!(rows("SELECT unnest(ARRAY[1, 2]), unnest(ARRAY[3, 4])"), ["1|3", "2|4"]);
    assert_eq!(
        rows(
            "SELECT (information_schema._pg_expandarray('7 9'::int2vector)).n, (information_schema._pg_expandarray('7 9'::int2vector)).x"
        ),
        ["1|7", "2|9"]
    );
    assert_eq!(
        rows("SELECT (k).x FROM (SELECT information_schema._pg_expandarray('7 9'::int2vector) AS k) q"),
        ["7", "9"]
    );
    assert_eq!(
        rows(
            "SELECT v.x, u FROM (VALUES (1, ARRAY[5, 6])) v(x, y), unnest(v.y) WITH ORDINALITY AS u(u, n) WHERE n = 2"
        ),
        ["1|6"]
    );
    assert_eq!(
        rows(
            "SELECT v.x, s.s FROM (VALUES (1), (2)) v(x) LEFT JOIN LATERAL (SELECT v.x * 10 AS s WHERE v.x > 1) s ON true"
        ),
        ["1|", "2|20"]
    );
    assert_eq!(rows("SELECT generate_subscripts(ARRAY['a', 'b'], 1)"), ["1", "2"]);
    assert_eq!(rows("SELECT x FROM (VALUES (1), (2), (3)) v(x) WHERE x IN (SELECT unnest(ARRAY[1, 3]))"), ["1", "3"]);
    assert_eq!(rows("SELECT 1 FROM unnest('{}'::int[])"), Vec::<String>::new());
}

#[test]
fn names_are_folded_and_columns_have_postgresqls_names() {
    let names =
        |sql: &str| ask(&catalogue(), sql).expect(sql).columns.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(
        names(
            "SELECT RelName, 1, count(*), 'x'::text, now(), CASE WHEN true THEN 1 END FROM PG_CLASS GROUP BY relname LIMIT 1"
        ),
        ["relname", "?column?", "count", "text", "now", "case"]
    );
    assert_eq!(
        names(
            "SELECT relname::varchar AS \"X y\", oid::int, (SELECT 1 AS z), ARRAY[1], EXISTS (SELECT 1), coalesce(1, 2) FROM pg_class LIMIT 1"
        ),
        ["X y", "oid", "z", "array", "exists", "coalesce"]
    );
    assert_eq!(
        names("SELECT current_user, user, current_catalog, true"),
        ["current_user", "user", "current_catalog", "?column?"]
    );
}

#[test]
fn parameters_take_the_type_of_what_they_meet() {
    let catalogue = catalogue();
    let kinds = |sql: &str, given: &[Option<u32>]| {
        catalogue.shape(sql, given).unwrap_or_else(|error| panic!("{sql}: {error}")).parameters
    };
    assert_eq!(
        kinds("SELECT 1 FROM pg_class WHERE oid = $1 AND relname = $2 AND relkind = ANY($3)", &[]),
        [26, 19, 1002]
    );
    assert_eq!(kinds("SELECT $1", &[]), [25]);
    assert_eq!(kinds("SELECT $1", &[Some(23)]), [23]);
    assert_eq!(kinds("SELECT $2::int, $1::regclass", &[]), [2205, 23]);
    assert_eq!(kinds("SELECT 1 FROM pg_type WHERE oid = ANY($1::oid[]) LIMIT $2", &[]), [1028, 20]);
    assert_eq!(kinds("SELECT format_type($1, $2), has_table_privilege($3, 'select')", &[]), [26, 23, 25]);
    assert_eq!(
        kinds("SELECT relname FROM pg_class WHERE relname IN ($1, $2) AND relpages BETWEEN $3 AND $4", &[]),
        [19, 19, 23, 23]
    );
    let settings = settings();
    let ask = |sql: &str, values: &[Option<&str>]| {
        let values: Vec<Option<String>> = values.iter().map(|value| value.map(str::to_owned)).collect();
        catalogue.answer(&session(&settings), sql, &[], &values).unwrap_or_else(|error| panic!("{sql}: {error}")).rows
    };
    assert_eq!(
        ask("SELECT relname FROM pg_class WHERE oid = $1::regclass", &[Some("published.v01")]),
        [[Some("v01".to_owned())]]
    );
    assert_eq!(ask("SELECT count(*) FROM pg_type WHERE oid = ANY($1)", &[Some("{23,25}")]), [[Some("2".to_owned())]]);
    assert_eq!(ask("SELECT $1::bool, $1", &[Some("on")]), [[Some("t".to_owned()), Some("t".to_owned())]]);
    assert_eq!(ask("SELECT $1::text IS NULL", &[None]), [[Some("t".to_owned())]]);
}

#[test]
fn texts_are_matched_as_postgresql_matches_them() {
    all(&[
        ("SELECT 'Abc' LIKE 'a%'", 16, Some("f")),
        ("SELECT 'Abc' ILIKE 'a%'", 16, Some("t")),
        ("SELECT 'a_c' LIKE 'a\\_c'", 16, Some("t")),
        ("SELECT 'abc' LIKE 'a\\_c'", 16, Some("f")),
        ("SELECT 'a%c' LIKE 'a!%c' ESCAPE '!'", 16, Some("t")),
        ("SELECT 'pg_x' ~ '^pg_'", 16, Some("t")),
        ("SELECT 'PG_x' ~* '^pg_'", 16, Some("t")),
        ("SELECT 'abc' OPERATOR(pg_catalog.~) '^(abc)$' COLLATE pg_catalog.default", 16, Some("t")),
        ("SELECT 'abc' !~ 'b'", 16, Some("f")),
        ("SELECT substring('foobar' from 'o(.)b')", 25, Some("o")),
        ("SELECT substring('foobar' from 2 for 3)", 25, Some("oob")),
        ("SELECT pg_catalog.substring('foobar', 2)", 25, Some("oobar")),
        ("SELECT regexp_replace('abc', '(b)', '[\\1]')", 25, Some("a[b]c")),
        ("SELECT E'a\\tb'", 25, Some("a\tb")),
        ("SELECT split_part('a.b.c', '.', 2)", 25, Some("b")),
        ("SELECT quote_ident('Select')", 25, Some("\"Select\"")),
        ("SELECT quote_literal('it''s')", 25, Some("'it''s'")),
        ("SELECT format('%I.%s %L', 'a b', 1, NULL)", 25, Some("\"a b\".1 NULL")),
        ("SELECT greatest(1, NULL, 3)", 23, Some("3")),
        ("SELECT 7 / 2", 23, Some("3")),
        ("SELECT current_date = now()::date", 16, Some("t")),
        ("SELECT ROW(1, 2) = ROW(1, 3)", 16, Some("f")),
        ("SELECT '{\"a\": {\"b\": 2}}'::json -> 'a' ->> 'b'", 25, Some("2")),
        ("SELECT interval '1 day'", 1186, Some("1 day")),
        ("SELECT position('b' in 'abc')", 23, Some("2")),
        ("SELECT trim(both 'x' from 'xax')", 25, Some("a")),
        ("SELECT pg_size_pretty(123456789::bigint)", 25, Some("118 MB")),
        ("SELECT reltuples FROM pg_class WHERE relname = 'v01'", 700, Some("-1")),
        ("SELECT to_char(now(), 'YYYY-MM-DD')", 25, Some("2026-11-18")),
    ]);
}

#[test]
fn nothing_tells_of_sizes_or_activity() {
    all(&[
        ("SELECT count(*) FROM pg_class WHERE relpages <> 0 OR reltuples <> -1", 20, Some("0")),
        ("SELECT pg_total_relation_size('published.v01')", 20, None),
        ("SELECT pg_size_pretty(pg_table_size('published.v01'::regclass))", 25, None),
        ("SELECT count(*) FROM pg_stat_activity", 20, Some("0")),
        ("SELECT count(*) FROM pg_stats", 20, Some("0")),
        ("SELECT count(*) FROM pg_statistic", 20, Some("0")),
        ("SELECT count(n_live_tup) FROM pg_stat_user_tables", 20, Some("0")),
        ("SELECT count(*) FROM pg_locks", 20, Some("0")),
        ("SELECT passwd FROM pg_shadow LIMIT 1", 25, None),
    ]);
}

#[test]
fn a_condition_that_names_each_of_many_tables_is_read() {
    let conditions: Vec<String> = (0..600).map(|number| format!("(relname = 't{number}' AND relkind = 'r')")).collect();
    let sql = format!("SELECT count(*) FROM pg_class WHERE {} OR relname = 'v01'", conditions.join(" OR "));
    assert_eq!(value(&sql).1.as_deref(), Some("1"));
    let items: Vec<String> = (0..1_000).map(|number| format!("'t{number}'")).collect();
    let sql = format!(
        "SELECT count(*) FROM pg_class WHERE relname = ANY(ARRAY[{}, 'v01']) AND relname NOT IN ({})",
        items.join(","),
        items.join(",")
    );
    assert_eq!(value(&sql).1.as_deref(), Some("1"));
}

#[test]
fn what_is_wrong_has_the_class_that_clients_know() {
    let catalogue = catalogue();
    for (sql, fault, state) in [
        ("SELECT (1", Fault::Syntax, "42601"),
        ("SELECT * FROM pg_nothing", Fault::UndefinedTable, "42P01"),
        ("SELECT * FROM published.v01", Fault::UndefinedTable, "42P01"),
        ("SELECT x.relname FROM pg_class c", Fault::UndefinedTable, "42P01"),
        ("SELECT nothing FROM pg_class", Fault::UndefinedColumn, "42703"),
        ("SELECT c.nothing FROM pg_class c", Fault::UndefinedColumn, "42703"),
        ("SELECT nothing(1)", Fault::UndefinedFunction, "42883"),
        ("SELECT 1::nothing", Fault::UndefinedObject, "42704"),
        ("SELECT current_setting('no.such')", Fault::UndefinedObject, "42704"),
        ("SELECT oid FROM pg_class a, pg_class b", Fault::AmbiguousColumn, "42702"),
        ("SELECT 1 FROM pg_class a, pg_type a", Fault::DuplicateAlias, "42712"),
        ("SELECT 'x'::int", Fault::InvalidValue, "22023"),
        ("SELECT 1 / 0", Fault::InvalidValue, "22023"),
        ("SELECT 2147483647 + 1", Fault::InvalidValue, "22023"),
        ("SELECT relname FROM pg_class GROUP BY CUBE (relname)", Fault::NotSupported, "0A000"),
    ] {
        let error = ask(&catalogue, sql).map(|rows| rows.rows).expect_err(sql);
        assert_eq!((error.fault, error.fault.sqlstate()), (fault, state), "{sql}: {error}");
    }
}

#[test]
fn many_sessions_ask_at_once_and_each_sees_itself() {
    let catalogue = catalogue();
    let settings = settings();
    std::thread::scope(|threads| {
        for number in 0..8 {
            let (catalogue, settings) = (&catalogue, &settings);
            threads.spawn(move || {
                let user = format!("reader{number}");
                for _ in 0..20 {
                    let own = pgcatalog::Session { user: &user, ..session(settings) };
                    let rows = catalogue.answer(
                        &own,
                        "SELECT rolname, current_user FROM pg_roles WHERE rolname LIKE 'reader%'",
                        &[],
                        &[],
                    );
                    let expected = vec![vec![Some(user.clone()), Some(user.clone())]];
                    assert_eq!(rows.expect("answered").rows, expected);
                }
            });
        }
    });
}

#[test]
fn what_cannot_be_a_catalogue_is_refused_with_its_place() {
    let refused = |change: &dyn Fn(&mut pgcatalog::Described)| {
        let mut described = crate::fixture::described();
        change(&mut described);
        pgcatalog::Catalogue::new(&described).expect_err("no catalogue").message
    };
    assert!(
        refused(&|described| described.schemas[0].tables[1].name = "v01".into())
            .contains("published.v01 is described twice")
    );
    assert!(
        refused(&|described| described.schemas[1].name = "published".into()).contains("published is described twice")
    );
    assert!(
        refused(&|described| described.schemas[1].name = "pg_catalog".into())
            .contains("pg_catalog is the system's own")
    );
    assert!(
        refused(&|described| described.schemas[0].tables[0].columns[2].type_oid = 99_999)
            .contains("published.v01.sex has type 99999")
    );
}

#[test]
fn a_table_keeps_its_number_when_others_come_and_go() {
    let number = |described: &pgcatalog::Described| {
        let catalogue = pgcatalog::Catalogue::new(described).expect("a catalogue");
        ask(&catalogue, "SELECT 'reference.province'::regclass::oid").expect("known").rows
    };
    let mut described = crate::fixture::described();
    let before = number(&described);
    described.schemas[0].tables.remove(0);
    described.schemas.swap(0, 1);
    assert_eq!(number(&described), before);
}
