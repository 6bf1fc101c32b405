//! An operator's reset: one commit without rows, audited, forward only, and seen by whoever would write there.

use lake::{Events, LakeError, Move, Outcome, PartitionId, Reset, Skips};
use uuid::Uuid;

use crate::support::*;

fn reset(id: u128, moves: &[(&PartitionId, Option<i64>, i64)]) -> Reset {
    let moves =
        moves.iter().map(|(partition, from, to)| Move { partition: (*partition).clone(), from: *from, to: *to });
    Reset { id: Uuid::from_u128(id), moves: moves.collect(), operator: "someone".into(), reason: "a test".into() }
}

async fn filled_to_five(place: &Place) -> (Events, i64) {
    let mut events = place.events("w").await;
    let claim = claim(&mut events, &partition(0)).await;
    append(&mut events, &partition(0), None, 5, claim).await;
    (events, claim)
}

#[tokio::test]
async fn a_batch_that_was_under_way_is_told_that_its_partition_was_moved() {
    let place = Place::new();
    let at = partition(0);
    let (mut worker, claim) = filled_to_five(&place).await;
    let under_way = closed(&worker, &at, Some(5), 8, claim).await;
    let mut operator = place.events("operator").await;
    assert!(matches!(operator.reset(&reset(1, &[(&at, Some(5), 7)])).await.unwrap(), Outcome::Committed { .. }));
    let told = worker.commit(&under_way).await.unwrap();
    assert_eq!(told, Outcome::Moved { partition: at.clone(), seen: Some(7) }, "under a claim that it still holds");
    assert!(matches!(append(&mut worker, &at, Some(7), 9, claim).await, Outcome::Committed { .. }));
    assert_eq!(offsets(&place.events("r").await.snapshot().unwrap()).await.len(), 7);
}

#[tokio::test]
async fn what_resets_skipped_is_remembered_by_the_table_itself() {
    let place = Place::new();
    let at = partition(0);
    let (mut events, claim) = filled_to_five(&place).await;
    events.reset(&reset(1, &[(&at, Some(5), 7)])).await.unwrap();
    append(&mut events, &at, Some(7), 8, claim).await;
    events.reset(&reset(2, &[(&at, Some(8), 18)])).await.unwrap();
    events.checkpoint().await.unwrap();
    let snapshot = place.events("r").await.snapshot().unwrap();
    assert_eq!(snapshot.skips[&at], Skips { offsets: 12, end: 18 });
    assert_eq!(snapshot.cut[&at], 18);
}

#[tokio::test]
async fn the_commit_says_who_moved_what_and_why() {
    let place = Place::new();
    let (mut events, _) = filled_to_five(&place).await;
    let done = events.reset(&reset(1, &[(&partition(0), Some(5), 7)])).await.unwrap();
    let Outcome::Committed { lake_version } = done else { panic!("{done:?}") };
    let name = format!("{lake_version:020}.json");
    let text = String::from_utf8(place.bytes(&format!("lake/events/_delta_log/{name}")).await).unwrap();
    let infos = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let info = infos.into_iter().find_map(|line| line.get("commitInfo").cloned()).unwrap();
    assert_eq!(info["reset"]["operator"], "someone");
    assert_eq!(info["reset"]["reason"], "a test");
    assert_eq!((&info["reset"]["moves"][0]["from"], &info["reset"]["moves"][0]["to"]), (&5.into(), &7.into()));
    assert!(!text.contains("\"add\""), "no rows");
}

#[tokio::test]
async fn a_reset_never_goes_backward_and_moves_all_or_nothing() {
    let place = Place::new();
    let (mut events, _) = filled_to_five(&place).await;
    let backward = events.reset(&reset(1, &[(&partition(0), Some(5), 4)])).await;
    assert!(matches!(backward, Err(LakeError::BadRange { .. })), "{backward:?}");
    let stale = [(&partition(1), None, 3), (&partition(0), Some(4), 9)];
    let told = events.reset(&reset(2, &stale)).await.unwrap();
    assert_eq!(told, Outcome::Moved { partition: partition(0), seen: Some(5) });
    let cut = place.events("r").await.snapshot().unwrap().cut;
    assert_eq!((cut.get(&partition(0)), cut.get(&partition(1))), (Some(&5), None));
}

#[tokio::test]
async fn a_reset_whose_answer_was_lost_is_done_once() {
    let place = Place::new();
    let at = partition(0);
    filled_to_five(&place).await;
    let faults = Faults::default();
    let store = place.through(&faults);
    let mut events =
        Events::open(&store, "operator").await.unwrap().with_retry(lake::Retry { attempts: 3, wait_ms: 1 });
    faults.script("_delta_log", &[Fault::LostAnswer]);
    let decided = reset(1, &[(&at, Some(5), 7)]);
    let first = events.reset(&decided).await.unwrap();
    assert!(matches!(first, Outcome::Committed { .. }));
    let snapshot = place.events("r").await.snapshot().unwrap();
    assert_eq!((snapshot.cut[&at], snapshot.skips[&at].offsets), (7, 2));
}
