//! The table of events: rows and offsets are one fact; claims fence; a lost answer is not a second batch.

use std::collections::BTreeMap;

use lake::{Events, LakeError, Outcome, Owner, PartitionId};

use crate::support::*;

#[tokio::test]
async fn rows_and_the_next_offset_are_in_the_table_together() {
    let place = Place::new();
    let mut events = place.events("w").await;
    let at = partition(0);
    assert_eq!(events.next_offsets(std::slice::from_ref(&at)).await.unwrap()[&at], None, "never read");
    let claim = claim(&mut events, &at).await;
    assert!(matches!(append(&mut events, &at, None, 5, claim).await, Outcome::Committed { .. }));
    assert!(matches!(append(&mut events, &at, Some(5), 9, claim).await, Outcome::Committed { .. }));

    let reader = place.events("r").await.snapshot().unwrap();
    assert_eq!(offsets(&reader).await, (0..9).map(|n| (0, n)).collect::<Vec<_>>());
    assert_eq!(reader.cut, BTreeMap::from([(at.clone(), 9)]));
    assert_eq!(events.next_offsets(std::slice::from_ref(&at)).await.unwrap()[&at], Some(9));
}

#[tokio::test]
async fn files_that_no_commit_names_are_not_there() {
    let place = Place::new();
    let mut events = place.events("w").await;
    let at = partition(0);
    let claim = claim(&mut events, &at).await;
    closed(&events, &at, None, 5, claim).await; // and the process dies
    assert_eq!(all_offsets(&place).await, []);
    append(&mut events, &at, None, 5, claim).await;
    assert_eq!(all_offsets(&place).await.len(), 5, "once");
}

#[tokio::test]
async fn a_batch_committed_twice_is_in_the_table_once() {
    let place = Place::new();
    let mut events = place.events("w").await;
    let at = partition(0);
    let claim = claim(&mut events, &at).await;
    let batch = closed(&events, &at, None, 5, claim).await;
    let first = events.commit(&batch).await.unwrap();
    assert_eq!(events.commit(&batch).await.unwrap(), first, "the same version is named again");
    let mut restarted = place.events("w2").await;
    assert_eq!(restarted.commit(&batch).await.unwrap(), first, "by another process too");
    assert_eq!(all_offsets(&place).await.len(), 5);
}

#[tokio::test]
async fn a_later_claim_fences_the_earlier_one_before_its_rows_land() {
    let place = Place::new();
    let (mut old, mut new) = (place.events("old").await, place.events("new").await);
    let at = partition(0);
    let before = claim(&mut old, &at).await;
    let paused = closed(&old, &at, None, 5, before).await;
    let after = claim(&mut new, &at).await;
    assert!(after > before);
    let refused = old.commit(&paused).await.unwrap();
    assert_eq!(refused, Outcome::Fenced { partition: at.clone(), claim: Some(after) });
    assert!(matches!(append(&mut new, &at, None, 3, after).await, Outcome::Committed { .. }));
    assert_eq!(all_offsets(&place).await.len(), 3);
}

#[tokio::test]
async fn a_claim_whose_owner_died_is_followed_by_a_higher_one() {
    let place = Place::new();
    let at = partition(0);
    let dead = {
        let mut owner = place.events("dies").await;
        claim(&mut owner, &at).await
    };
    let mut next = place.events("next").await;
    let higher = claim(&mut next, &at).await;
    assert!(higher > dead);
    assert_eq!(next.next_offset(&at), None, "a claim moves no offset");
    assert!(matches!(append(&mut next, &at, None, 5, higher).await, Outcome::Committed { .. }));
    assert_eq!(all_offsets(&place).await.len(), 5);
}

#[tokio::test]
async fn a_batch_that_does_not_follow_is_told_where_to_read() {
    let place = Place::new();
    let mut events = place.events("w").await;
    let at = partition(0);
    let claim = claim(&mut events, &at).await;
    append(&mut events, &at, None, 5, claim).await;
    for wrong in [None, Some(3), Some(7)] {
        let batch = closed(&events, &at, wrong, 9, claim).await;
        let told = events.commit(&batch).await.unwrap();
        assert_eq!(told, Outcome::Moved { partition: at.clone(), seen: Some(5) }, "from {wrong:?}");
    }
    assert_eq!(all_offsets(&place).await.len(), 5);
}

#[tokio::test]
async fn writers_of_different_partitions_do_not_disturb_each_other() {
    let place = Place::new();
    let (mut a, mut b) = (place.events("a").await, place.events("b").await);
    let (p, q) = (partition(0), partition(1));
    let (mine, theirs) = (claim(&mut a, &p).await, claim(&mut b, &q).await);
    let (first, second) = (closed(&a, &p, None, 4, mine).await, closed(&b, &q, None, 6, theirs).await);
    let (first, second) = tokio::join!(a.commit(&first), b.commit(&second));
    assert!(matches!((first.unwrap(), second.unwrap()), (Outcome::Committed { .. }, Outcome::Committed { .. })));
    assert_eq!(all_offsets(&place).await.len(), 10);
}

#[tokio::test]
async fn a_batch_that_contradicts_itself_is_refused() {
    let place = Place::new();
    let mut events = place.events("w").await;
    let at = partition(0);
    let claim = claim(&mut events, &at).await;
    let mut batch = closed(&events, &at, None, 5, claim).await;
    batch.ranges[0].from = Some(6);
    assert!(matches!(events.commit(&batch).await, Err(LakeError::BadRange { .. })));
    batch.ranges[0].from = None;
    batch.ranges.push(batch.ranges[0].clone());
    assert!(matches!(events.commit(&batch).await, Err(LakeError::BadRange { .. })), "a partition twice");
}

#[tokio::test]
async fn a_reader_keeps_the_version_it_opened_and_can_ask_what_came_since() {
    let place = Place::new();
    let mut events = place.events("w").await;
    let at = partition(0);
    let claim = claim(&mut events, &at).await;
    append(&mut events, &at, None, 5, claim).await;
    let old = events.snapshot().unwrap();
    append(&mut events, &at, Some(5), 9, claim).await;
    let new = events.snapshot().unwrap();
    assert_eq!((offsets(&old).await.len(), offsets(&new).await.len()), (5, 9));
    let since: u64 = new.added_since(old.lake_version).await.unwrap().iter().map(|file| file.rows).sum();
    assert_eq!(since, 4);
}

#[tokio::test]
async fn a_hundred_versions_make_a_checkpoint_that_remembers_every_offset() {
    let place = Place::new();
    let mut events = place.events("w").await;
    let partitions: Vec<PartitionId> = (0..3).map(partition).collect();
    let claims = events.claim(&partitions).await.unwrap();
    let mut due = 0;
    for n in 0..40 {
        for at in &partitions {
            append(&mut events, at, (n > 0).then_some(n), n + 1, claims[at]).await;
            due += usize::from(events.checkpoint_if_due().await.unwrap());
        }
    }
    assert_eq!(due, 1);
    let mut reader = place.events("r").await;
    let expected: BTreeMap<_, _> = partitions.iter().map(|at| (at.clone(), Some(40))).collect();
    assert_eq!(reader.next_offsets(&partitions).await.unwrap(), expected);
    assert_eq!(offsets(&reader.snapshot().unwrap()).await.len(), 120);
}

#[tokio::test]
async fn a_store_without_the_table_says_so_to_readers() {
    let place = Place::new();
    assert!(matches!(Events::open(&place.store, "r").await, Err(LakeError::NoTable("events"))));
}

#[tokio::test]
async fn a_permit_is_found_by_others_never_shrinks_and_keeps_its_reason_in_the_log() {
    let place = Place::new();
    let (mut worker, mut operator) = (place.events("worker").await, place.events("operator").await);
    let at = partition(0);
    let claim = claim(&mut worker, &at).await;
    assert_eq!(operator.permitted(&at), None);
    let version = operator.permit(&at, 7, "an old client").await.unwrap();
    for (below, reason) in [(7, "again"), (3, "less")] {
        assert_eq!(operator.permit(&at, below, reason).await.unwrap(), version, "nothing is committed");
    }
    // It moves no offset and takes no claim.
    assert!(matches!(append(&mut worker, &at, None, 5, claim).await, Outcome::Committed { .. }));
    worker.refresh().await.unwrap();
    assert_eq!(worker.permitted(&at), Some(7));
    let mut log = Vec::new();
    for file in place.files("lake/events/_delta_log", ".json").await {
        log.push(String::from_utf8(place.bytes(file.as_ref()).await).unwrap());
    }
    let said = |reason: &str| log.iter().filter(|text| text.contains(reason)).count();
    assert_eq!((said("an old client"), said("again"), said("less")), (1, 0, 0));
    let mut later = place.events("later").await;
    later.checkpoint().await.unwrap();
    assert_eq!(place.events("last").await.permitted(&at), Some(7), "a checkpoint keeps it");
}

#[tokio::test]
async fn a_version_that_was_followed_commit_by_commit_is_the_one_that_is_read_anew() {
    let place = Place::new();
    let (mut one, mut other) = (place.events("one").await, place.events("other").await);
    let (here, there) = (partition(0), partition(1));
    let (claim_here, claim_there) = (claim(&mut one, &here).await, claim(&mut other, &there).await);
    let mut next = (None, None);
    for n in 1..=6 {
        append(&mut one, &here, next.0, n * 5, claim_here).await;
        append(&mut other, &there, next.1, n * 7, claim_there).await;
        next = (Some(n * 5), Some(n * 7));
        if n == 3 {
            let (mut maintainer, _lease) = maintainer(&place.store, "m").await;
            maintainer.announce().await.unwrap();
            let done = maintainer.compact(NEXT_DAY, None, |_, _| {}).await.unwrap();
            assert!(done.rewrites > 0, "files went and others came");
        }
    }
    one.refresh().await.unwrap();
    let (followed, anew) = (one.snapshot().unwrap(), place.events("r").await.snapshot().unwrap());
    assert_eq!((followed.lake_version, &followed.cut), (anew.lake_version, &anew.cut));
    assert_eq!(followed.files, anew.files);
    assert_eq!(one.claim_of(&there), Some(claim_there));
}

#[tokio::test]
async fn the_owner_is_who_made_the_newest_commit_under_the_claim_and_is_looked_for_only_so_far() {
    let place = Place::new();
    let (mut one, mut two) = (place.events("one").await, place.events("two").await);
    let (here, there) = (partition(0), partition(1));
    claim(&mut one, &here).await;
    let first = claim(&mut one, &there).await;
    let later = claim(&mut two, &there).await;
    let refused = append(&mut one, &there, None, 3, first).await;
    assert!(matches!(refused, Outcome::Fenced { .. }));
    append(&mut two, &there, None, 3, later).await;
    let reader = place.events("r").await;
    let owner = |claim, writer: &str| Owner { claim, writer_id: writer.to_owned() };
    let all = reader.owners([&here, &there, &partition(2)], 100).await.unwrap();
    assert_eq!(all, BTreeMap::from([(here.clone(), owner(1, "one")), (there.clone(), owner(later, "two"))]));
    let near = reader.owners([&here, &there], 1).await.unwrap();
    assert_eq!(near, BTreeMap::from([(there, owner(later, "two"))]));
}
