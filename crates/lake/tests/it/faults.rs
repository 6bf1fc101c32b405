//! A store that is full, read only, away or damaged: named as such, nothing lost, nothing twice.

use std::fs;

use lake::{Events, LakeError, Outcome, Retry};

use crate::support::*;

async fn through(place: &Place, faults: &Faults) -> Events {
    let store = place.through(faults);
    Events::open_or_create(&store, "w").await.unwrap().with_retry(Retry { attempts: 3, wait_ms: 1 })
}

#[tokio::test]
async fn a_full_or_read_only_disk_keeps_its_name_and_the_batch_goes_in_later_once() {
    for (fault, is_named) in [
        (Fault::Full, (|e: &LakeError| matches!(e, LakeError::Full { .. })) as fn(&LakeError) -> bool),
        (Fault::ReadOnly, |e| matches!(e, LakeError::ReadOnly { .. })),
    ] {
        let (place, faults) = (Place::new(), Faults::default());
        let mut events = through(&place, &faults).await;
        let at = partition(0);
        let claim = claim(&mut events, &at).await;

        faults.script(".parquet", &[fault]);
        let error = events.write(vec![lane(rows(&at, 0..5))]).await.unwrap_err();
        assert!(is_named(&error), "{fault:?} while uploading: {error}");

        let batch = closed(&events, &at, None, 5, claim).await;
        faults.script("_delta_log", &[fault; 3]);
        match events.commit(&batch).await.unwrap_err() {
            LakeError::Unresolved { attempts: 3, source } => assert!(is_named(&source), "{fault:?}: {source}"),
            other => panic!("{other}"),
        }
        assert_eq!(all_offsets(&place).await, []);
        assert!(matches!(events.commit(&batch).await.unwrap(), Outcome::Committed { .. }), "the disk is well again");
        assert_eq!(all_offsets(&place).await.len(), 5);
    }
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_found_and_not_made_again() {
    let (place, faults) = (Place::new(), Faults::default());
    let mut events = through(&place, &faults).await;
    let at = partition(0);
    let claim = claim(&mut events, &at).await;
    let batch = closed(&events, &at, None, 5, claim).await;
    for script in [&[Fault::LostAnswer][..], &[Fault::Away, Fault::LostAnswer], &[]] {
        faults.script("_delta_log", script);
        assert!(matches!(events.commit(&batch).await.unwrap(), Outcome::Committed { .. }));
        assert_eq!(all_offsets(&place).await.len(), 5, "after {script:?}");
    }
}

/// Found by the model in `protocol`: the put is durable and answered, then the store cannot be read for so long that the
/// call gives up, and the next call begins with what was cached.
#[tokio::test]
async fn a_batch_is_in_once_when_what_others_committed_could_not_be_read_after_its_commit() {
    let mut unresolved = 0;
    for reads_left in 0..6 {
        let (place, faults) = (Place::new(), Faults::default());
        let mut events = through(&place, &faults).await;
        let at = partition(0);
        let mine = claim(&mut events, &at).await;
        let batch = closed(&events, &at, None, 5, mine).await;
        let mut other = place.events("other").await;
        claim(&mut other, &partition(1)).await;

        faults.unreadable_after_commit(&format!("{:020}.json", other.lake_version()), reads_left);
        match events.commit(&batch).await {
            Ok(outcome) => assert!(matches!(outcome, Outcome::Committed { .. })),
            Err(LakeError::Unresolved { .. }) => unresolved += 1,
            Err(other) => panic!("{other}"),
        }
        assert_eq!(all_offsets(&place).await.len(), 5, "the commit is durable");
        let lake_version = place.events("reader").await.lake_version();
        faults.heal();
        // The same files under another commit would not show as rows, but as a second change of the table.
        assert_eq!(events.commit(&batch).await.unwrap(), Outcome::Committed { lake_version }, "{reads_left} reads");
        assert_eq!(place.events("reader").await.lake_version(), lake_version, "it is not made again");
    }
    assert!(unresolved > 0, "the store was away for too short a time");
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_still_the_claim() {
    let (place, faults) = (Place::new(), Faults::default());
    let mut events = through(&place, &faults).await;
    let at = partition(0);
    faults.script("_delta_log", &[Fault::LostAnswer]);
    let claim = claim(&mut events, &at).await;
    assert!(matches!(append(&mut events, &at, None, 5, claim).await, Outcome::Committed { .. }));
}

#[tokio::test]
async fn a_torn_file_of_the_last_commit_is_damage() {
    for tear in [
        (|path| fs::write(path, "PAR1").unwrap()) as fn(&std::path::Path),
        |path| fs::remove_file(path).unwrap(),
        |path| {
            let mut bytes = fs::read(path).unwrap();
            let end = bytes.len() - 4;
            bytes[end..].fill(0);
            fs::write(path, bytes).unwrap();
        },
    ] {
        let place = Place::new();
        let mut events = place.events("w").await;
        let at = partition(0);
        let claim = claim(&mut events, &at).await;
        append(&mut events, &at, None, 5, claim).await;
        let files = place.files("lake/events", ".parquet");
        assert_eq!(files.len(), 1);
        tear(&files[0]);
        let damaged = Events::open_or_create(&place.store, "w").await.unwrap_err();
        assert!(matches!(&damaged, LakeError::Damaged { table, .. } if table == "events"), "{damaged}");
    }
}

#[tokio::test]
async fn a_torn_commit_is_damage_and_not_an_older_version() {
    let place = Place::new();
    let mut events = place.events("w").await;
    let at = partition(0);
    let claim = claim(&mut events, &at).await;
    append(&mut events, &at, None, 5, claim).await;
    let last = place.files("lake/events/_delta_log", ".json").pop().unwrap();
    let half = fs::read(&last).unwrap();
    fs::write(&last, &half[..half.len() / 2]).unwrap();
    let error = Events::open_or_create(&place.store, "w").await.unwrap_err();
    assert!(!matches!(error, LakeError::NoTable(_)), "{error}");
    assert_eq!(fs::read(&last).unwrap().len(), half.len() / 2, "nothing is repaired behind anybody's back");
}
