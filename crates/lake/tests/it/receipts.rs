//! How far receipts were acknowledged is part of a data commit of the partition's owner (ingestion.md 3.3, 3.4).

use crate::support::*;
use lake::{Events, Move, Outcome, PartitionId, Reset};
use uuid::Uuid;

/// Commits offsets with what is known of receipts.
async fn append_with(
    events: &mut Events,
    at: &PartitionId,
    (from, to): (Option<i64>, i64),
    claim: i64,
    receipted: &[(&PartitionId, i64)],
) -> Outcome {
    let mut batch = closed(events, at, from, to, claim).await;
    batch.receipted = receipted.iter().map(|(id, next)| ((*id).clone(), *next)).collect();
    events.commit(&batch).await.unwrap()
}

/// What a commit says of receipts.
async fn said(place: &Place, outcome: &Outcome) -> Vec<(String, i64)> {
    let Outcome::Committed { lake_version } = outcome else { panic!("{outcome:?}") };
    let text = place.bytes(&format!("lake/events/_delta_log/{lake_version:020}.json")).await;
    let lines = serde_json::Deserializer::from_slice(&text).into_iter::<serde_json::Value>().map(Result::unwrap);
    let txns = lines.filter_map(|line| line.get("txn").cloned());
    let receipts = txns.filter_map(|txn| {
        let app = txn["appId"].as_str().unwrap().strip_prefix("receipt/v1/")?;
        Some((app.to_owned(), txn["version"].as_i64().unwrap()))
    });
    receipts.collect()
}

#[tokio::test]
async fn a_data_commit_carries_receipts_only_where_they_moved_and_never_backward() {
    let place = Place::new();
    let at = partition(0);
    let mut events = place.events("w").await;
    let claim = claim(&mut events, &at).await;
    let first = append_with(&mut events, &at, (None, 5), claim, &[(&at, 0)]).await;
    assert_eq!(said(&place, &first).await, [(at.to_string(), 0)]);
    let moved = append_with(&mut events, &at, (Some(5), 8), claim, &[(&at, 5)]).await;
    assert_eq!(said(&place, &moved).await, [(at.to_string(), 5)]);
    for known in [5, 3] {
        let to = events.next_offset(&at).unwrap() + 1;
        let still = append_with(&mut events, &at, (Some(to - 1), to), claim, &[(&at, known)]).await;
        assert_eq!(said(&place, &still).await, []);
    }
    events.checkpoint().await.unwrap();
    assert_eq!(place.events("r").await.receipted(&at), Some(5));
}

#[tokio::test]
async fn receipts_of_a_partition_that_a_batch_has_no_claim_on_are_left_out() {
    let place = Place::new();
    let (mine, other) = (partition(0), partition(1));
    let mut events = place.events("w").await;
    let claim = claim(&mut events, &mine).await;
    let done = append_with(&mut events, &mine, (None, 5), claim, &[(&mine, 2), (&other, 4)]).await;
    assert_eq!(said(&place, &done).await, [(mine.to_string(), 2)]);
    assert_eq!(place.events("r").await.receipted(&other), None);
}

#[tokio::test]
async fn nobody_is_owed_a_receipt_of_what_lies_before_the_start_that_a_reset_gave() {
    let place = Place::new();
    let (begun, skipped) = (partition(1), partition(0));
    let mut events = place.events("w").await;
    let claim = claim(&mut events, &skipped).await;
    append_with(&mut events, &skipped, (None, 5), claim, &[(&skipped, 2)]).await;
    let moves = [(&begun, None, 40), (&skipped, Some(5), 9)];
    let moves = moves.map(|(partition, from, to)| Move { partition: partition.clone(), from, to }).to_vec();
    let reset = Reset { id: Uuid::from_u128(1), moves, operator: "someone".into(), reason: "a test".into() };
    events.reset(&reset).await.unwrap();
    let reader = place.events("r").await;
    assert_eq!(reader.receipted(&begun), Some(40));
    assert_eq!(reader.receipted(&skipped), Some(2), "what was read before a skip is still owed");
}
