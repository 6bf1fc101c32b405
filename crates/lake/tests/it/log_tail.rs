//! The latest version is found without a listing, and a log that is not whole is refused as a listing would.

use lake::{Events, FsyncStore, LakeError};
use object_store::ObjectStore;
use object_store::path::Path;

use crate::support::*;

fn commit(version: u64) -> String {
    format!("lake/events/_delta_log/{version:020}.json")
}

#[tokio::test]
async fn a_listing_of_a_log_from_a_version_is_what_a_full_listing_shows() {
    use futures::TryStreamExt;
    let place = Place::on_disk();
    filled(&place, 12, 1).await;
    let log = place.dir.path().canonicalize().unwrap().join("lake/events/_delta_log");
    let log = Path::from_absolute_path(log).unwrap();
    let store = FsyncStore::new();
    let mut all: Vec<_> = store.list(Some(&log)).try_collect().await.unwrap();
    all.sort_by(|a, b| a.location.cmp(&b.location));
    for from in 0..=13_u64 {
        let offset = log.clone().join(format!("{from:020}"));
        let found: Vec<_> = store.list_with_offset(Some(&log), &offset).try_collect().await.unwrap();
        let shown = |metas: &[object_store::ObjectMeta]| -> Vec<_> {
            metas.iter().map(|meta| (meta.location.clone(), meta.size, meta.last_modified)).collect()
        };
        let expected: Vec<_> = all.iter().filter(|meta| meta.location > offset).cloned().collect();
        assert_eq!(shown(&found), shown(&expected), "from {from}");
    }
}

#[tokio::test]
async fn a_commit_that_vanished_from_the_middle_is_not_written_over() {
    let place = Place::new();
    let mut events = filled(&place, 6, 1).await;
    place.delete(&commit(4)).await;
    let at = partition(0);
    // Whoever stood before the gap must not take it for the end of the log.
    assert!(Events::open(&place.store, "x").await.is_err());
    let batch = closed(&events, &at, Some(6), 7, 1).await;
    let _ = events.commit(&batch).await;
    assert!(!place.is_there(&commit(4)).await, "nothing is written into the gap");
}

#[tokio::test]
async fn a_writer_that_stands_at_the_newest_checkpoint_sees_what_others_commit_next() {
    let place = Place::new();
    let mut events = filled(&place, 5, 1).await;
    events.checkpoint().await.unwrap();
    let mut reader = place.events("r").await;
    assert_eq!(reader.refresh().await.unwrap(), events.lake_version());
    append(&mut events, &partition(0), Some(5), 6, 1).await;
    assert_eq!(reader.refresh().await.unwrap(), events.lake_version());
    assert!(!matches!(Events::open(&place.store, "x").await, Err(LakeError::Delta(_))));
}

#[tokio::test]
async fn a_torn_hint_of_the_newest_checkpoint_is_passed_over_and_made_anew() {
    let hint = "lake/events/_delta_log/_last_checkpoint";
    let tears: [fn(&mut Vec<u8>); 3] =
        [Vec::clear, |bytes| bytes.truncate(bytes.len() / 2), |bytes| bytes.iter_mut().for_each(|byte| *byte = 0)];
    for tear in tears {
        let place = Place::new();
        let mut events = filled(&place, 4, 5).await;
        events.checkpoint().await.unwrap();
        append(&mut events, &partition(0), Some(20), 25, 1).await;
        let mut bytes = place.bytes(hint).await;
        tear(&mut bytes);
        place.overwrite(hint, &bytes).await;

        let mut reader = place.events("r").await;
        assert_eq!(offsets(&reader.snapshot().unwrap()).await.len(), 25);
        append(&mut events, &partition(0), Some(25), 30, 1).await;
        reader.refresh().await.unwrap();
        let (m, _lease) = maintainer(&place.store, "m").await;
        m.events().clone().checkpoint().await.unwrap();
        assert!(serde_json::from_slice::<serde_json::Value>(&place.bytes(hint).await).is_ok());
        assert_eq!(all_offsets(&place).await.len(), 30);
    }
}
