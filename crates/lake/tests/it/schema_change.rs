//! The table's columns are changed while a batch is on its way (ingestion.md 3.4, crash-point table; 3.10).

use lake::{Events, LakeError, Outcome};
use serde_json::{Value, json};

use crate::support::*;

/// What a maintainer of a newer program commits: other columns, in a commit without rows.
async fn change_columns(place: &Place, change: impl Fn(&mut Vec<Value>)) {
    let commits = place.files("lake/events/_delta_log", ".json").await;
    let mut metadata = None;
    for commit in &commits {
        let text = String::from_utf8(place.bytes(commit.as_ref()).await).unwrap();
        let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        metadata = lines.rfind(|line| line.get("metaData").is_some()).or(metadata);
    }
    let mut metadata = metadata.unwrap();
    let mut columns: Value = serde_json::from_str(metadata["metaData"]["schemaString"].as_str().unwrap()).unwrap();
    change(columns["fields"].as_array_mut().unwrap());
    metadata["metaData"]["schemaString"] = Value::String(columns.to_string());
    let info = json!({"commitInfo": {"timestamp": 1, "operation": "ADD COLUMN"}});
    let path = format!("lake/events/_delta_log/{:020}.json", commits.len());
    place.overwrite(&path, format!("{info}\n{metadata}\n").as_bytes()).await;
}

fn column(name: &str, nullable: bool) -> Value {
    json!({"name": name, "type": "string", "nullable": nullable, "metadata": {}})
}

fn named<'a>(columns: &'a mut [Value], name: &str) -> &'a mut Value {
    columns.iter_mut().find(|column| column["name"] == name).unwrap()
}

#[tokio::test]
async fn a_batch_on_its_way_while_a_column_is_added_is_committed_with_the_same_files_once() {
    let changes: [fn(&mut Vec<Value>); 2] = [
        |columns| columns.push(column("note", true)),
        |columns| named(columns, "writer_id")["nullable"] = Value::Bool(true),
    ];
    for change in changes {
        let place = Place::new();
        let mut events = place.events("w").await;
        let at = partition(0);
        let claim = claim(&mut events, &at).await;
        append(&mut events, &at, None, 5, claim).await;
        let batch = closed(&events, &at, Some(5), 9, claim).await;
        let version = events.lake_version();
        change_columns(&place, change).await;

        assert_eq!(events.commit(&batch).await.unwrap(), Outcome::Committed { lake_version: version + 2 });
        assert_eq!(events.commit(&batch).await.unwrap(), Outcome::Committed { lake_version: version + 2 }, "and once");
        let files = events.snapshot().unwrap().files;
        assert!(files.iter().any(|file| file.path == batch.written.adds[0].path), "the same files");
        assert!(matches!(append(&mut events, &at, Some(9), 12, claim).await, Outcome::Committed { .. }));
        assert_eq!(all_offsets(&place).await, (0..12).map(|n| (0, n)).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_batch_that_does_not_fit_the_columns_any_more_is_not_committed_and_the_column_is_named() {
    let changes: [fn(&mut Vec<Value>); 4] = [
        |columns| columns.push(column("note", false)),
        |columns| named(columns, "record_version")["type"] = "string".into(),
        |columns| columns.retain(|column| column["name"] != "record_version"),
        |columns| named(columns, "record_version")["nullable"] = Value::Bool(false),
    ];
    for (change, name) in changes.into_iter().zip(["note", "record_version", "record_version", "record_version"]) {
        let place = Place::new();
        let mut events = place.events("w").await;
        let at = partition(0);
        let claim = claim(&mut events, &at).await;
        let batch = closed(&events, &at, None, 5, claim).await;
        let mut idle = events.clone();
        change_columns(&place, change).await;
        let version = place.files("lake/events/_delta_log", ".json").await.len();

        let refused = |error: LakeError| {
            assert!(matches!(error, LakeError::Schema(_)) && !error.is_transient(), "{error:?}");
            assert!(error.to_string().contains(&format!("column `{name}`")), "{error}");
        };
        refused(events.commit(&batch).await.unwrap_err());
        refused(idle.refresh().await.unwrap_err());
        refused(Events::open(&place.store, "x").await.unwrap_err());
        assert_eq!(place.files("lake/events/_delta_log", ".json").await.len(), version, "nothing was committed");
    }
}

#[tokio::test]
async fn files_with_a_column_that_this_program_does_not_know_are_not_written_anew() {
    let place = Place::new();
    let mut events = filled(&place, 6, 5).await;
    change_columns(&place, |columns| columns.push(column("note", true))).await;
    append(&mut events, &partition(0), Some(30), 35, 1).await;
    let (mut m, _lease) = maintainer(&place.store, "m").await;
    m.announce().await.unwrap();
    let error = m.compact(NEXT_DAY, None, |_, _| {}).await.unwrap_err();
    assert!(matches!(&error, LakeError::Schema(what) if what.contains("`note`")), "{error:?}");
    assert_eq!(place.events("r").await.snapshot().unwrap().files.len(), 7, "the files stay");
}
