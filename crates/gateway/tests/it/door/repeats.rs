//! `Idempotency-Key`: the same request again is answered again, and nothing is appended twice.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use gateway::door::{Limits, Settings};

use super::world::{NOW_MS, World, event, lines, settings};

const KEY: &[(&str, &str)] = &[("idempotency-key", "\"8e03978e-40d5-43e8-bc93-6894a57f9324\"")];

#[tokio::test]
async fn the_same_key_and_body_give_the_first_answer_again_also_after_a_restart() {
    let mut world = World::new();
    let body = lines(0..2) + &event(2).replace("\"F\"", "\"Q\"");
    let first = world.events(&body, KEY).await;
    assert_eq!(first.status, 207);
    for starts in 0..2 {
        let again = world.events(&body, KEY).await;
        assert_eq!((again.status, &again.body), (207, &first.body));
        assert_eq!(again.header("location"), first.header("location"));
        assert_eq!(world.appended().len(), 2 + starts, "nothing was appended but what each start of a world does");
        world = world.again();
    }
}

#[tokio::test]
async fn the_same_key_with_another_body_is_422_and_of_another_agency_is_another_key() {
    let world = World::new();
    assert_eq!(world.events(&event(1), KEY).await.status, 202);
    let other = world.events(&event(2), KEY).await;
    assert_eq!((other.status, other.code()), (422, "key_reused"));
    let fia = format!("Bearer {}", world.keys[1]);
    let theirs = event(2).replace("POL-PB", "FIA");
    assert_eq!(world.events(&theirs, &[("authorization", &fia), KEY[0]]).await.status, 202);
    assert_eq!(world.appended().len(), 1);
}

#[tokio::test]
async fn a_body_that_was_refused_whole_may_be_mended_under_the_same_key() {
    let world = World::new();
    assert_eq!(world.events(&event(1).replace("\"F\"", "\"Q\""), KEY).await.status, 422);
    assert_eq!(world.events(&event(1), KEY).await.status, 202);
}

#[tokio::test]
async fn a_key_in_flight_is_409_even_when_its_client_has_left() {
    let world = World::new();
    world.gate.shut(true);
    let body = event(1);
    let mut first = Box::pin(world.events(&body, KEY));
    assert!(futures::poll!(&mut first).is_pending());
    let second = world.events(&body, KEY).await;
    assert_eq!((second.status, second.code(), second.header("retry-after")), (409, "key_in_flight", "1"));
    drop(first);
    assert_eq!(world.events(&body, KEY).await.status, 409, "the work goes on");
    world.gate.shut(false);
    let done = world.until(|| world.events(&body, KEY), |answer| answer.status != 409).await;
    assert_eq!(done.status, 202);
    assert_eq!(world.appended().len(), 1, "the answer that nobody heard");
}

#[tokio::test]
async fn a_key_that_is_none_is_400() {
    let world = World::new();
    for key in ["", "\"\"", "two words", &"x".repeat(256)] {
        let answer = world.events(&event(1), &[("idempotency-key", key)]).await;
        assert_eq!((answer.status, answer.code()), (400, "malformed_key"), "{key}");
    }
    let twice = [("idempotency-key", "a"), ("Idempotency-Key", "b")];
    assert_eq!(world.events(&event(1), &twice).await.status, 400);
}

static LATER: AtomicI64 = AtomicI64::new(NOW_MS);

fn later() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(LATER.load(Ordering::Relaxed) as u64)
}

#[tokio::test]
async fn a_key_holds_for_its_time_and_may_be_used_anew_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = eventlog::sqlite::SqliteLog::open(folder.path().join("log.db"), uuid::Uuid::from_u128(1)).unwrap();
    let settings = Settings { clock: later, ..settings(Limits::default()) };
    let world = World::over(folder, super::world::Log::Sqlite(log), settings);
    assert_eq!(world.events(&event(1), KEY).await.status, 202);
    LATER.store(NOW_MS + 47 * 3_600_000, Ordering::Relaxed);
    assert_eq!(world.events(&event(2), KEY).await.status, 422);
    LATER.store(NOW_MS + 49 * 3_600_000, Ordering::Relaxed);
    assert_eq!(world.events(&event(2), KEY).await.status, 202);
}
