//! The same event id twice, in one batch, across batches, across restarts, and beyond the window.

use crate::support::*;
use lake::Lane;

async fn statuses(place: &mut Place) -> Vec<String> {
    place.reconciled().await;
    place.rows().await.iter().map(|row| row.status().to_owned()).collect()
}

/// The same data with its fields in another order and other white space.
fn reserialised(n: u64) -> Sent {
    case(n).value("{ \"province\" : \"PK-PB\",\n\"sections\":[\"PTPA-3-1\"],\"occurred_on\":\"2024-03-08\",\"record_version\":1 }")
}

fn other_content(n: u64) -> Sent {
    case(n).value(CASE.replace("PK-PB", "PK-SD"))
}

#[tokio::test]
async fn the_same_event_twice_is_counted_once_and_noted() {
    let mut place = Place::new();
    place.send(&[case(1), case(2), case(1)]);
    let report = place.drain().await;
    assert_eq!((report.counts.ok, report.counts.duplicate), (2, 1));
    assert_eq!(statuses(&mut place).await, ["ok", "ok", "duplicate"]);
    let copy = place.rows().await.pop().unwrap();
    assert_eq!(copy.lane, Lane::Side);
    assert!(copy.payload.is_none() && copy.subjects.is_none());
    assert_eq!(copy.get("event_id"), Some(id(1).to_string().as_str()));
    let first = format!("{}/0", place.partition(POLICE));
    assert_eq!(copy.header("amanat-of"), Some(first.as_str()));
}

#[tokio::test]
async fn the_same_id_with_other_content_is_a_conflict_and_kept_sealed() {
    let mut place = Place::new();
    let mut other = referral(1);
    other.value = Some(String::from_utf8(other.value.unwrap()).unwrap().replace("shelter", "medical").into_bytes());
    place.send(&[referral(1), other]);
    let report = place.drain().await;
    assert_eq!((report.counts.ok, report.counts.conflict), (1, 1));
    let rows = place.rows().await;
    assert_eq!((rows[1].status(), rows[1].class(), rows[1].lane), ("conflict", "conflict", Lane::Side));
    assert!(rows[1].payload_text().contains("medical") && !rows[1].payload_text().contains(TOKEN));
    assert_eq!(rows[1].subjects, rows[0].subjects);
    assert!(rows[1].header("amanat-of").unwrap().ends_with("/0"));
    assert!(rows[1].detail().contains("amanat-of"));
    place.reconciled().await;
}

#[tokio::test]
async fn a_copy_that_was_serialised_anew_is_still_the_same_event() {
    let mut place = Place::new();
    place.send(&[case(1), reserialised(1)]);
    place.drain().await;
    assert_eq!(statuses(&mut place).await, ["ok", "duplicate"]);
}

#[tokio::test]
async fn the_same_event_in_structured_and_binary_mode_is_the_same_event() {
    let mut place = Place::new();
    place.send(&[referral(1), referral(1).structured()]);
    place.drain().await;
    assert_eq!(statuses(&mut place).await, ["ok", "duplicate"]);
}

#[tokio::test]
async fn the_same_data_recorded_at_another_time_is_other_content() {
    let mut place = Place::new();
    place.send(&[case(1), case(1).header("ce_time", "2024-03-09T11:00:01+05:00")]);
    place.drain().await;
    assert_eq!(statuses(&mut place).await, ["ok", "conflict"]);
}

#[tokio::test]
async fn two_agencies_may_use_the_same_id() {
    let mut place = Place::new();
    place.send(&[case(1), event("FIA", "case.registered", 1, CASE)]);
    assert_eq!(place.drain().await.counts.ok, 2);
}

#[tokio::test]
async fn copies_are_recognised_after_a_restart() {
    let mut place = Place::new();
    place.send(&[case(1), case(2), case(3)]);
    place.drain().await;
    place.send(&[case(1), other_content(2), reserialised(3), case(4), case(4)]);
    place.drain().await;
    let expected = ["ok", "ok", "ok", "duplicate", "conflict", "duplicate", "ok", "duplicate"];
    assert_eq!(statuses(&mut place).await, expected);
}

#[tokio::test]
async fn a_third_copy_is_compared_with_the_first_one() {
    let mut place = Place::new();
    place.send(&[case(1), other_content(1), other_content(1), case(1)]);
    place.drain().await;
    assert_eq!(statuses(&mut place).await, ["ok", "conflict", "conflict", "duplicate"]);
}

/// Every message in a batch of its own, all in one batch, and a worker for each message.
#[tokio::test]
async fn what_a_message_becomes_does_not_depend_on_batch_boundaries_or_restarts() {
    let messages = [
        case(1),
        case(1),
        other_content(1),
        case(2).value("half {"),
        reserialised(1),
        referral(3),
        case(2),
        case(2),
        referral(3).structured(),
    ];
    let mut whole = Place::new();
    whole.send(&messages);
    whole.drain().await;

    let mut single = Place::new();
    single.send(&messages);
    let mut config = config();
    (config.batch_rows, config.poll_bytes) = (1, 1);
    single.try_drain(config).await.unwrap();

    let mut restarted = Place::new();
    for message in &messages {
        restarted.send(std::slice::from_ref(message));
        restarted.drain().await;
    }
    let rows = whole.rows().await;
    assert_eq!(rows.len(), messages.len());
    assert_eq!(rows, single.rows().await);
    assert_eq!(rows, restarted.rows().await);
}

/// An agency whose clock is ahead: its ids are newer than the log's times. What its copies become must not depend on
/// which batch forgot the first ones.
#[tokio::test]
async fn copies_of_ids_newer_than_their_log_times_are_recognised_whatever_the_batches() {
    let day = 86_400_000;
    let at = |sent: Sent, days: i64| Sent { log_ms: LOG_MS + days * day, ..sent };
    let ahead = |n: u64| {
        let ms = u128::try_from(LOG_MS + 20 * day).unwrap();
        let id = uuid::Uuid::from_u128(ms << 80 | 0x7 << 76 | 0b10 << 62 | u128::from(n));
        case(n).header("ce_id", &id.to_string())
    };
    let messages = [ahead(1), at(case(2), 9), at(ahead(1), 10), at(case(3), 19), at(ahead(1), 40)];
    let mut whole = Place::new();
    whole.send(&messages);
    whole.drain().await;
    let mut single = Place::new();
    single.send(&messages);
    let mut config = config();
    (config.batch_rows, config.poll_bytes) = (1, 1);
    single.try_drain(config).await.unwrap();
    assert_eq!(statuses(&mut whole).await, ["ok", "ok", "duplicate", "ok", "duplicate"]);
    assert_eq!(whole.rows().await, single.rows().await);
}

/// With a window of no bytes every older id is looked up, and the answers are the same.
#[tokio::test]
async fn copies_beyond_the_window_are_looked_up() {
    let mut place = Place::new();
    let mut config = config();
    config.window_bytes = 0;
    (config.batch_rows, config.poll_bytes) = (1, 1);
    place.send(&[case(1), case(2), case(1), other_content(2), case(3), reserialised(1), case(3)]);
    place.try_drain(config).await.unwrap();
    let expected = ["ok", "ok", "duplicate", "conflict", "ok", "duplicate", "duplicate"];
    assert_eq!(statuses(&mut place).await, expected);
}

/// A batch may span years of log time, as after a long outage or an import: its own rows are not in the lake yet.
#[tokio::test]
async fn copies_beyond_the_window_are_recognised_in_one_batch_too() {
    let day = 86_400_000;
    let later = |sent: Sent, days: i64| Sent { log_ms: sent.log_ms + days * day, ..sent };
    let messages =
        [case(1), later(case(2), 8), later(case(1), 9), later(other_content(1), 40), later(reserialised(2), 40)];
    let mut place = Place::new();
    place.send(&messages);
    place.drain().await;
    assert_eq!(statuses(&mut place).await, ["ok", "ok", "duplicate", "conflict", "duplicate"]);
    let rows = place.rows().await;
    assert!(rows[2..4].iter().all(|row| row.header("amanat-of").unwrap().ends_with("/0")));
}

/// In one batch: a row that turns out to be a copy of an older row, and a copy of that row.
#[tokio::test]
async fn a_copy_of_a_row_that_is_itself_found_to_be_a_copy_names_the_oldest() {
    let mut place = Place::new();
    place.send(&[case(1), case(2)]);
    let mut config = config();
    config.window_bytes = 0;
    place.try_drain(config.clone()).await.unwrap();
    place.send(&[case(1), other_content(1), case(1), case(5)]);
    place.try_drain(config).await.unwrap();
    assert_eq!(statuses(&mut place).await, ["ok", "ok", "duplicate", "conflict", "duplicate", "ok"]);
    let rows = place.rows().await;
    assert!(rows[2..5].iter().all(|row| row.header("amanat-of").unwrap().ends_with("/0")));
}

#[tokio::test]
async fn a_set_aside_message_does_not_use_up_its_id() {
    let mut place = Place::new();
    place.send(&[case(1).value("{"), case(1)]);
    place.drain().await;
    assert_eq!(statuses(&mut place).await, ["set_aside", "ok"]);
}
