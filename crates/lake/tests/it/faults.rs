//! A store that is full, read only, away or damaged: named as such, nothing lost, nothing twice.

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

/// S3's clients try again after a lost answer, and are then told of their own first try: the version is taken, by us.
#[tokio::test]
async fn a_commit_that_the_client_put_twice_is_found_and_not_made_again() {
    let (place, faults) = (Place::new(), Faults::default());
    let mut events = through(&place, &faults).await;
    let at = partition(0);
    let claim = claim(&mut events, &at).await;
    let batch = closed(&events, &at, None, 5, claim).await;
    let version = events.lake_version();
    faults.script("_delta_log", &[Fault::Retried]);
    assert_eq!(events.commit(&batch).await.unwrap(), Outcome::Committed { lake_version: version + 1 });
    assert_eq!(all_offsets(&place).await.len(), 5);
    assert_eq!(place.events("r").await.lake_version(), version + 1, "one commit, once");
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

/// What becomes of a file; `None`: it is gone.
type Tear = fn(Vec<u8>) -> Option<Vec<u8>>;

#[tokio::test]
async fn a_torn_file_of_the_last_commit_is_damage() {
    let tears: [Tear; 3] = [
        |_| Some(b"PAR1".to_vec()),
        |_| None,
        |mut bytes| {
            let end = bytes.len() - 4;
            bytes[end..].fill(0);
            Some(bytes)
        },
    ];
    for tear in tears {
        let place = Place::new();
        let mut events = place.events("w").await;
        let at = partition(0);
        let claim = claim(&mut events, &at).await;
        append(&mut events, &at, None, 5, claim).await;
        let files = place.files("lake/events", ".parquet").await;
        assert_eq!(files.len(), 1);
        match tear(place.bytes(files[0].as_ref()).await) {
            Some(torn) => place.overwrite(files[0].as_ref(), &torn).await,
            None => place.delete(files[0].as_ref()).await,
        }
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
    let last = place.files("lake/events/_delta_log", ".json").await.pop().unwrap();
    let half = place.bytes(last.as_ref()).await;
    place.overwrite(last.as_ref(), &half[..half.len() / 2]).await;
    let error = Events::open_or_create(&place.store, "w").await.unwrap_err();
    assert!(!matches!(error, LakeError::NoTable(_)), "{error}");
    assert_eq!(place.bytes(last.as_ref()).await.len(), half.len() / 2, "nothing is repaired behind anybody's back");
}

/// A table that has seen a commit whose transactions it has not would commit past it under an old claim: the library sees no
/// conflict with what is in the table already. Found by simulation.
#[tokio::test]
async fn a_look_that_fails_halfway_leaves_files_and_transactions_together() {
    for work in 0..12 {
        let (place, faults) = (Place::new(), Faults::default());
        let mut paused = through(&place, &faults).await;
        let at = partition(0);
        let old = claim(&mut paused, &at).await;
        let batch = closed(&paused, &at, None, 4, old).await;
        let mut other = place.events("other").await;
        let new = claim(&mut other, &at).await;
        append(&mut other, &at, None, 5, new).await;

        faults.reads(Some(work));
        let looked = paused.refresh().await;
        faults.reads(None);
        let outcome = paused.commit(&batch).await.unwrap();
        assert_eq!(outcome, Outcome::Fenced { partition: at, claim: Some(new) }, "{work} reads worked: {looked:?}");
        assert_eq!(all_offsets(&place).await.len(), 5, "{work} reads worked");
    }
}

#[tokio::test]
async fn a_commit_that_landed_and_could_not_be_followed_is_found_at_the_next_call() {
    for work in 0..12 {
        let (place, faults) = (Place::new(), Faults::default());
        let mut events = through(&place, &faults).await.with_retry(Retry { attempts: 1, wait_ms: 0 });
        let at = partition(0);
        let claimed = claim(&mut events, &at).await;
        let batch = closed(&events, &at, None, 5, claimed).await;
        // Another one's commit in between, so that the commit has something to read after it.
        let mut other = place.events("other").await;
        claim(&mut other, &partition(1)).await;

        faults.reads(Some(work));
        let first = events.commit(&batch).await;
        faults.reads(None);
        let again = events.commit(&batch).await.unwrap();
        assert!(matches!(again, Outcome::Committed { .. }), "{work} reads worked: {first:?}, then {again:?}");
        assert_eq!(all_offsets(&place).await.len(), 5, "{work} reads worked: {first:?}");
    }
}
