//! What a `.yml` says must be true is looked at, and a mart of which it is not true makes no Snapshot.

use models::{ModelsError, RefreshOptions, Snapshot, SqlSet, refresh};
use sample::{Feedline, Size};

use crate::support::{Arrival, Lake, feed, keys, policy};

/// The tests of a file replaced by these.
fn with_tests(path: &str, tests: &str) -> SqlSet {
    let set = SqlSet::embedded();
    let text = set.text(path).unwrap();
    let (before, _) = text.split_once("tests:").unwrap();
    let text = format!("{before}tests:\n{tests}\n");
    set.with_files([(path.to_owned(), text)])
}

fn with_text(path: &str, from: &str, to: &str) -> SqlSet {
    let set = SqlSet::embedded();
    let text = set.text(path).unwrap();
    assert!(text.contains(from), "{path} no longer says `{from}`");
    let text = text.replace(from, to);
    set.with_files([(path.to_owned(), text)])
}

async fn lake() -> Lake {
    let few: Vec<Feedline> = feed(Size::Small).into_iter().take(3_000).collect();
    Lake::of(&few, Arrival::default()).await
}

/// The file and the test that a refresh fails with.
async fn failed(lake: &Lake, sql: SqlSet, thorough: bool) -> Option<(String, String)> {
    let options = RefreshOptions { sql, thorough, force: true, ..RefreshOptions::default() };
    match refresh(&lake.store, &lake.events().await, &policy(), &keys(), &options).await {
        Ok(_) => None,
        Err(ModelsError::Test { path, test }) => Some((path, test)),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_test_stops_a_refresh_that_breaks_it() {
    let lake = lake().await;
    let told = |set, thorough| failed(&lake, set, thorough);
    assert_eq!(told(SqlSet::embedded(), true).await, None, "as they stand, all hold");
    for (path, test, name) in [
        ("marts/cases.yml", "  - unique: [agency]", "Unique"),
        ("marts/victims.yml", "  - not_null: [nobody]", "NotNull"),
        ("marts/charges.yml", "  - relationship: { column: year, to: charge_accounts, key: sex }", "Relationship"),
        (
            "marts/victims.yml",
            "  - reconcile: { with: victim_accounts, distinct: [record_id, occurred_from, status] }",
            "Reconcile",
        ),
    ] {
        let (failed, with) = told(with_tests(path, test), true).await.unwrap_or_else(|| panic!("{test} holds"));
        assert_eq!(failed, path.replace(".yml", ".sql"));
        assert!(with.starts_with(name), "{with}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nulls_and_codes_outside_their_list_are_found_by_every_refresh() {
    let lake = lake().await;
    let told = |set| failed(&lake, set, false);
    let null = with_text("marts/cases.sql", "record_id AS case_ref", "CAST(NULL AS VARCHAR) AS case_ref");
    assert!(told(null).await.is_some_and(|(path, test)| path == "marts/cases.sql" && test.starts_with("NotNull")));
    let foreign = with_text("marts/cases.yml", "list: province", "list: yes_no");
    assert!(told(foreign).await.is_some_and(|(_, test)| test.starts_with("AcceptedValues")));
    let foreign = with_text("marts/victims.yml", "list: means, many: true", "list: yes_no, many: true");
    assert!(told(foreign).await.is_some_and(|(_, test)| test.starts_with("AcceptedValues")));
    assert!(Snapshot::open_latest(&lake.store).await.unwrap().is_none(), "no Snapshot was made");
}
