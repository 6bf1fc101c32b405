//! Immutable folders: whole or not there.

use arrow::record_batch::RecordBatch;
use futures::TryStreamExt;
use lake::{LakeError, folder};
use serde_json::json;

use crate::support::*;

const PARENT: &str = "lake/marts";

async fn write(place: &Place, name: &str, rows: &RecordBatch) -> folder::Folder {
    let writer = folder::create(&place.store, PARENT, name).await.unwrap();
    writer.write("t.parquet", &rows.schema(), &["n"], std::slice::from_ref(rows)).await.unwrap();
    writer.finish(json!({"made": "by a test"})).await.unwrap()
}

#[tokio::test]
async fn a_folder_is_read_as_it_was_written() {
    let place = Place::new();
    let rows = table(&[(1, Some("a")), (2, None)]);
    write(&place, "1", &rows).await;
    let found = folder::open(&place.store, PARENT, "1").await.unwrap();
    assert_eq!(found.manifest.metadata, json!({"made": "by a test"}));
    assert_eq!((found.file("t.parquet").unwrap().rows, found.file("t.parquet").unwrap().sorted_by.len()), (2, 1));
    let read: Vec<RecordBatch> = found.read("t.parquet", None).await.unwrap().try_collect().await.unwrap();
    assert_eq!(read, [rows]);
    let some: Vec<RecordBatch> = found.read("t.parquet", Some(&["word"])).await.unwrap().try_collect().await.unwrap();
    assert_eq!(some[0].num_columns(), 1);
    found.verify().await.unwrap();
}

#[tokio::test]
async fn a_folder_without_its_manifest_is_not_there_and_is_swept() {
    let place = Place::new();
    let rows = table(&[(1, None)]);
    write(&place, "1", &rows).await;
    let killed = folder::create(&place.store, PARENT, "2").await.unwrap();
    killed.write("t.parquet", &rows.schema(), &[], std::slice::from_ref(&rows)).await.unwrap();
    drop(killed);
    assert!(matches!(folder::open(&place.store, PARENT, "2").await, Err(LakeError::NoFolder(_))));
    assert_eq!(folder::latest(&place.store, PARENT).await.unwrap().unwrap().name, "1");
    assert_eq!(folder::list(&place.store, PARENT).await.unwrap().len(), 1);
    assert_eq!(folder::sweep(&place.store, PARENT).await.unwrap(), ["2"]);
    assert!(place.files("lake/marts/2", "").await.is_empty());
    assert!(!place.dir.path().join(PARENT).join("2").exists(), "nor an empty directory on disk");
    assert!(folder::sweep(&place.store, PARENT).await.unwrap().is_empty());
    folder::open(&place.store, PARENT, "1").await.unwrap().verify().await.unwrap();
}

#[tokio::test]
async fn a_name_is_used_once() {
    let place = Place::new();
    let second = folder::create(&place.store, PARENT, "1").await.unwrap();
    write(&place, "1", &table(&[(1, None)])).await;
    assert!(matches!(folder::create(&place.store, PARENT, "1").await, Err(LakeError::FolderTaken(_))));
    assert!(matches!(second.finish(json!({})).await, Err(LakeError::FolderTaken(_))), "of two, one wins");
}

/// S3's clients try again after a lost answer, and are then told of their own first try.
#[tokio::test]
async fn a_folder_whose_manifest_was_put_twice_by_the_client_is_the_writers() {
    let (place, faults) = (Place::new(), Faults::default());
    let rows = table(&[(1, None)]);
    let writer = folder::create(&place.through(&faults), PARENT, "1").await.unwrap();
    writer.write("t.parquet", &rows.schema(), &[], std::slice::from_ref(&rows)).await.unwrap();
    faults.script("manifest.json", &[Fault::Retried]);
    writer.finish(json!({"made": "by a test"})).await.unwrap();
    folder::open(&place.store, PARENT, "1").await.unwrap().verify().await.unwrap();
}

#[tokio::test]
async fn a_newer_manifest_and_a_torn_one_are_named() {
    let place = Place::new();
    write(&place, "1", &table(&[(1, None)])).await;
    let manifest = format!("{PARENT}/1/manifest.json");
    let text = String::from_utf8(place.bytes(&manifest).await).unwrap();
    place.overwrite(&manifest, text.replace("\"format\": 1", "\"format\": 2").as_bytes()).await;
    let newer = folder::latest(&place.store, PARENT).await.unwrap_err();
    assert!(matches!(newer, LakeError::NewerFormat { found: 2, known: 1 }), "{newer}");
    place.overwrite(&manifest, &text.as_bytes()[..text.len() / 2]).await;
    assert!(matches!(folder::latest(&place.store, PARENT).await, Err(LakeError::Json { .. })));
}

#[tokio::test]
async fn a_changed_byte_is_found() {
    let place = Place::new();
    let found = write(&place, "1", &table(&[(1, Some("a"))])).await;
    let file = found.path_of("t.parquet");
    let mut bytes = place.bytes(&file).await;
    bytes[6] ^= 1;
    place.overwrite(&file, &bytes).await;
    let damaged = found.verify().await.unwrap_err();
    assert!(matches!(&damaged, LakeError::Damaged { what, .. } if what.contains("t.parquet")), "{damaged}");
}

#[tokio::test]
async fn a_linked_file_outlives_the_folder_it_came_from() {
    let place = Place::new();
    let first = write(&place, "1", &table(&[(1, Some("a"))])).await;
    let writer = folder::create(&place.store, PARENT, "2").await.unwrap();
    writer.link(&first, "t.parquet").await.unwrap();
    let second = writer.finish(json!({})).await.unwrap();
    folder::remove(&place.store, PARENT, "1").await.unwrap();
    assert!(matches!(folder::open(&place.store, PARENT, "1").await, Err(LakeError::NoFolder(_))));
    second.verify().await.unwrap();
}

#[tokio::test]
async fn a_full_disk_leaves_no_folder() {
    let (place, faults) = (Place::new(), Faults::default());
    let store = place.through(&faults);
    let rows = table(&[(1, None)]);
    let writer = folder::create(&store, PARENT, "1").await.unwrap();
    writer.write("t.parquet", &rows.schema(), &[], std::slice::from_ref(&rows)).await.unwrap();
    faults.script("manifest.json", &[Fault::Full]);
    assert!(matches!(writer.finish(json!({})).await, Err(LakeError::Full { .. })));
    assert!(folder::latest(&store, PARENT).await.unwrap().is_none());
    let writer = folder::create(&store, PARENT, "1").await.unwrap();
    faults.script("t.parquet", &[Fault::Full]);
    let error = writer.write("t.parquet", &rows.schema(), &[], std::slice::from_ref(&rows)).await.unwrap_err();
    assert!(matches!(error, LakeError::Full { .. }), "{error}");
}
