//! What can be named, and what a slip of the pen is told.

use query::{Code, Limits, Place, Question, Settings};

use crate::vault::{self, ByRule, figure};
use crate::{ask, world, written};

async fn rows(sql: &str) -> Vec<String> {
    let reader = world::reader(Limits::default()).await;
    written(&ask(&reader, sql, Vec::new()).await.unwrap_or_else(|refusal| panic!("{sql}: {refusal}")))
}

#[tokio::test]
async fn an_indicator_is_a_table_of_the_latest_edition_with_its_own_dimensions_only() {
    let columns = "select column_name from information_schema.columns where table_schema = 'published' \
                   and table_name = 'c01' order by ordinal_position";
    let own = [
        "edition",
        "measure",
        "time_period",
        "province",
        "agency_group",
        "value",
        "lo95",
        "hi95",
        "obs_status",
        "conf_status",
        "unit",
        "as_of",
    ];
    assert_eq!(rows(columns).await, own);
    assert_eq!(rows("select distinct edition from published.c01").await, ["2"]);
    assert_eq!(rows("select distinct edition from published.indicator_values order by 1").await, ["1", "2"]);
}

#[tokio::test]
async fn the_long_table_has_the_columns_of_the_lake() {
    let columns = rows(
        "select column_name from information_schema.columns where table_name = 'indicator_values' order by ordinal_position",
    )
    .await;
    let schema = lake::published::schema(&world::DIMENSIONS);
    assert_eq!(columns, schema.fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>());
}

#[tokio::test]
async fn every_table_that_is_listed_can_be_read() {
    let reader = world::reader(Limits::default()).await;
    let listed = "select table_schema || '.' || table_name from information_schema.tables";
    let tables = written(&ask(&reader, listed, Vec::new()).await.expect("a list"));
    assert_eq!(tables.len(), 16, "3 indicators, values, editions, 6 lists, indicators, population, 3 lists of names");
    for table in tables {
        let count = ask(&reader, &format!("select * from {table}"), Vec::new()).await;
        assert!(count.is_ok_and(|a| a.row_count() > 0), "{table}");
    }
}

#[tokio::test]
async fn a_question_sees_one_edition_state_and_a_new_edition_appears_without_restart() {
    let (reader, memory) = world::reader_over(1, Settings::default()).await;
    let sql = "select value from v01 where province = 'PK-PB' and time_period = '2024'";
    assert_eq!(written(&ask(&reader, sql, Vec::new()).await.expect("edition 1")), ["120"]);
    memory.visible.store(2, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(written(&ask(&reader, sql, Vec::new()).await.expect("still edition 1")), ["120"]);
    assert!(reader.refresh().await.expect("refreshed"));
    assert_eq!(written(&ask(&reader, sql, Vec::new()).await.expect("edition 2")), ["130"]);
}

#[tokio::test]
async fn a_slip_is_told_where_it_is_and_what_was_meant() {
    let reader = world::reader(Limits::default()).await;
    for (sql, code, place, hint) in [
        ("select valeu from v01", Code::UnknownColumn, (1, 8), "Did you mean value?"),
        ("select value\nfrom v01\nwhere provinse = 'x'", Code::UnknownColumn, (3, 7), "Did you mean province?"),
        ("select w.value from v01 v", Code::UnknownColumn, (1, 8), "Did you mean v.value?"),
        ("select 1 from publishd.v01", Code::UnknownTable, (1, 15), "Did you mean published.v01?"),
        ("select * from indicator_value", Code::UnknownTable, (1, 15), "Did you mean published.indicator_values?"),
        ("select summ(value) from v01", Code::UnknownFunction, (1, 8), "Did you mean sum?"),
        ("select now()", Code::UnknownFunction, (1, 8), "Write the date itself"),
        ("select a.value from v01 a, v01 b where value > 1", Code::Meaning, (1, 40), "a.value"),
        ("select 1;\nselect 2", Code::OneStatement, (2, 1), "one question at a time"),
        ("drop table v01", Code::Statement, (1, 1), "read only"),
        ("select * from v01 where x = ?", Code::Parameter, (1, 29), "$1"),
        ("select count(*) from victims", Code::UnknownTable, (1, 22), "Case records cannot be queried"),
        ("select province, sum(value) from v01", Code::Meaning, (1, 8), "GROUP BY"),
    ] {
        let refusal = ask(&reader, sql, Vec::new()).await.expect_err(sql);
        assert_eq!(refusal.code, code, "{sql}: {refusal}");
        let (line, column) = place;
        assert_eq!(refusal.place, Some(Place { line, column }), "{sql}: {refusal}");
        assert!(refusal.hint.as_deref().unwrap_or_default().contains(hint), "{sql}: {refusal}");
    }
}

#[tokio::test]
async fn a_refusal_says_nothing_of_the_rows() {
    let reader = world::reader(Limits::default()).await;
    for sql in [
        "select cast(province as integer) from v01",
        "select cast(time_period as date) from v01 where time_period like '%Q%'",
        "select 1 / (value - 130) from v01 where value is not null",
        "select (select province from v01)",
        "select chr(cast(value * 100000000 as bigint)) from v01",
        "select cast(value * 1000000000 as integer) from v01 where value is not null",
        "select make_date(cast(value as integer) * 10000000, 1, 1) from v01 where value is not null",
    ] {
        let refusal = ask(&reader, sql, Vec::new()).await.expect_err(sql);
        assert_eq!(refusal.code, Code::Expression, "{sql}: {refusal}");
        let said = refusal.to_string();
        for value in ["PK-", "202", "130", "60", "_T"] {
            assert!(!said.contains(value), "{sql}: {said}");
        }
    }
}

/// The datasets of the policy.
const PROTECTED: [&str; 14] = [
    "accused",
    "activities",
    "cases",
    "charges",
    "compensations",
    "contacts",
    "inspections",
    "judgments",
    "overlaps",
    "releases",
    "returns",
    "services",
    "stays",
    "victims",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn protected_tables_are_listed_with_columns_comments_and_code_lists() {
    let reader = vault::reader(ByRule::new(|_| Some(figure(200)))).await;
    let listed = async |sql: &str| written(&ask(&reader, sql, Vec::new()).await.expect("a list"));
    let tables = "select table_name from information_schema.tables where table_schema = 'protected' order by 1";
    assert_eq!(listed(tables).await, PROTECTED);
    let without = "select count(*) from information_schema.columns where table_schema = 'protected' \
                   and (description is null or description = '')";
    assert_eq!(listed(without).await, ["0"], "columns without a comment");
    let some = "select column_name, data_type, coalesce(code_list, '-') from information_schema.columns \
                where table_name = 'judgments' and column_name in ('year', 'month', 'sex', 'province', 'verdict', \
                'fine_pkr', 'person_id') order by 1";
    assert_eq!(
        listed(some).await,
        [
            "fine_pkr | bigint | -",
            "month | date | -",
            "person_id | text | -",
            "province | text | reference.province",
            "sex | text | reference.sex",
            "verdict | text | reference.verdict",
            "year | integer | -",
        ]
    );
    let lists = "select distinct code_list from information_schema.columns where code_list is not null order by 1";
    for list in listed(lists).await {
        assert!(!listed(&format!("select code from {list}")).await.is_empty(), "{list} can be read");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_listed_level_of_a_protected_table_can_be_asked_by() {
    let reader = vault::reader(ByRule::new(|_| Some(figure(200)))).await;
    let levels = "select table_name || ' ' || column_name from information_schema.columns \
                  where table_schema = 'protected' and data_type <> 'bigint' \
                  and column_name not in ('person_id', 'case_id', 'agency', 'place_identified', 'place_recruited', \
                  'place_transit', 'place_exploited')";
    let levels = written(&ask(&reader, levels, Vec::new()).await.expect("a list"));
    assert!(levels.len() > 100, "{}", levels.len());
    for level in levels {
        let (table, column) = level.split_once(' ').expect("two names");
        let sql = format!("select {column}, count(*) from {table} group by {column}");
        let (questions, _) =
            reader.compile(Question::new(&sql)).await.unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
        assert_eq!(questions.len(), 1, "{sql}");
    }
}

#[tokio::test]
async fn what_is_listed_of_protected_tables_does_not_depend_on_what_is_published() {
    let listed = async |visible: u32| {
        let reader = vault::reader_over(ByRule::new(|_| Some(figure(200))), visible).await;
        let sql = "select * from information_schema.columns where table_schema = 'protected'";
        written(&ask(&reader, sql, Vec::new()).await.expect("a list"))
    };
    assert_eq!(listed(0).await, listed(2).await);
}

#[tokio::test]
async fn where_no_vault_is_no_protected_table_is_listed() {
    let protected = rows("select count(*) from information_schema.tables where table_schema = 'protected'").await;
    assert_eq!(protected, ["0"]);
}
