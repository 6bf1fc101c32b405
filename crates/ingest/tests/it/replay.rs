//! Replay (ingestion.md 3.13): what was set aside is read again under today's contract and policy, once.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::*;
use ingest::{
    Clock, CountedIds, ErrorClass, NoRegistry, Replay, ReplayError, Replayed, SchemaSource, Selection, StaticSchemas,
    WorkerConfig, replay_partition,
};
use lake::maintain::{Lease, Maintainer, Now, Rules};
use policy::Policy;

const INSPECTION: &str = r#"{"record_version":1,"occurred_on":"2024-03-08","place":"PK-PB","sector":"brick_kiln","kind":"bonded","outcome":["no_violation"]}"#;

fn inspection(agency: &str, n: u64) -> Sent {
    event(agency, "inspection.conducted", n, INSPECTION)
}

/// A policy that lets the police inspect.
fn police_inspect() -> Policy {
    let police = "[groups.POL]\nemits = [";
    let agencies = policy::DEFAULT_AGENCIES.replacen(police, &format!("{police}\"inspection.conducted\", "), 1);
    assert_ne!(agencies, policy::DEFAULT_AGENCIES);
    Policy::parse(&agencies, policy::DEFAULT_DATASETS).unwrap()
}

/// What today is: the policy, who knows schemas, and the settings.
struct Today {
    policy: Policy,
    schemas: Arc<dyn SchemaSource>,
    config: WorkerConfig,
    clock: Arc<dyn Clock>,
}

fn today() -> Today {
    let clock = Arc::new(StillClock { days: 1 });
    Today { policy: police_inspect(), schemas: Arc::new(NoRegistry), config: config(), clock }
}

impl Place {
    async fn replay_under(&mut self, today: Today, predicate: &str, append: bool) -> Result<Replayed, ReplayError> {
        let mut events = self.events().await;
        let ids = Arc::new(CountedIds::new(lake_writer(&events)));
        let (policy, keys) = (Arc::new(today.policy), Arc::new(keys()));
        let Today { schemas, config, clock, .. } = today;
        let replay = Replay { events: &mut events, policy, keys, config, schemas, clock, ids };
        let selection = if predicate.is_empty() { Selection::ALL } else { Selection::parse(predicate).unwrap() };
        if append { replay.run(&selection).await } else { replay.preview(&selection).await }
    }

    async fn replay(&mut self, predicate: &str) -> Replayed {
        self.replay_under(today(), predicate, true).await.unwrap()
    }

    async fn replayed_rows(&mut self) -> Vec<Row> {
        self.rows().await.into_iter().filter(|row| row.partition == replay_partition()).collect()
    }
}

/// A number that no other writer of the test has.
fn lake_writer(events: &lake::Events) -> u64 {
    events.writer_id().rsplit('-').next().unwrap().parse::<u64>().unwrap() + (1 << 40)
}

fn counts(pairs: &[(&str, u64)]) -> BTreeMap<String, u64> {
    pairs.iter().map(|(class, count)| ((*class).to_owned(), *count)).collect()
}

#[tokio::test]
async fn what_passes_today_is_appended_with_the_position_of_its_original_and_the_rest_is_counted_by_class() {
    let mut place = Place::new();
    place.send(&[case(1), inspection(POLICE, 2), case(3).value("{"), inspection("POL-SD", 4)]);
    place.drain().await;
    let before = place.rows().await;
    let done = place.replay("").await;
    assert_eq!(done.passed, counts(&[("type_not_permitted", 2)]));
    assert_eq!(done.refused, BTreeMap::from([("parse", 1)]));
    assert_eq!((done.selected, done.appended.ok, done.appended.rows()), (3, 2, 2));

    let rows = place.replayed_rows().await;
    let seen: Vec<_> = rows.iter().map(|row| (row.offset, row.status(), row.get("agency").unwrap())).collect();
    assert_eq!(seen, [(0, "ok", POLICE), (1, "ok", "POL-SD")], "offset = next ordinal; the original row's agency");
    let origin = |agency: &str, offset: i64| format!("{}/{offset}", place.partition(agency));
    assert_eq!(rows[0].header("amanat-replay-of"), Some(origin(POLICE, 1).as_str()));
    assert_eq!(rows[1].header("amanat-replay-of"), Some(origin("POL-SD", 0).as_str()));
    assert_eq!(rows[0].get("event_id"), Some(id(2).to_string().as_str()));
    assert_eq!(rows[0].get("log_ts"), before[1].get("log_ts"), "it is judged against the log's time, not today's");
    let after: Vec<_> = place.rows().await.into_iter().filter(|row| row.partition != replay_partition()).collect();
    assert_eq!(after, before, "originals are untouched");
    place.reconciled().await;
}

#[tokio::test]
async fn the_same_replay_twice_finds_nothing_left_and_writes_nothing() {
    let mut place = Place::new();
    place.send(&[inspection(POLICE, 1), inspection(POLICE, 2)]);
    place.drain().await;
    assert_eq!(place.replay("").await.appended.ok, 2);
    let version = place.snapshot().await.lake_version;
    let again = place.replay("").await;
    assert_eq!((again.selected, again.resolved_before, again.appended.rows()), (0, 2, 0));
    assert_eq!(place.snapshot().await.lake_version, version);
    place.send(&[inspection(POLICE, 3)]);
    place.drain().await;
    assert_eq!(place.replay("").await.appended.ok, 1, "what is set aside later goes on behind it");
    let offsets: Vec<_> = place.replayed_rows().await.iter().map(|row| row.offset).collect();
    assert_eq!(offsets, [0, 1, 2]);
    place.reconciled().await;
}

#[tokio::test]
async fn a_preview_says_what_would_pass_and_writes_nothing() {
    let mut place = Place::new();
    place.send(&[inspection(POLICE, 1), case(2).value("{")]);
    place.drain().await;
    let version = place.snapshot().await.lake_version;
    let would = place.replay_under(today(), "", false).await.unwrap();
    assert_eq!(would.passed, counts(&[("type_not_permitted", 1)]));
    assert_eq!((would.refused, would.appended.rows()), (BTreeMap::from([("parse", 1)]), 0));
    assert_eq!(place.snapshot().await.lake_version, version);
}

#[tokio::test]
async fn only_what_the_predicate_takes_is_replayed() {
    let mut place = Place::new();
    place.send(&[inspection(POLICE, 1), inspection(POLICE, 2), inspection("POL-SD", 3)]);
    place.drain().await;
    let done = place.replay("_error_class = 'type_not_permitted' and agency = 'POL-PB' and log_offset >= 1").await;
    assert_eq!((done.selected, done.appended.ok), (1, 1));
    assert_eq!(place.replay("ingest_date < '2024-03-09'").await.selected, 0);
    assert_eq!(place.replay("ingest_date = '2024-03-09'").await.appended.ok, 2);
    place.reconciled().await;
}

/// Types and source are judged by the agency of the stream on which the message came.
#[tokio::test]
async fn a_message_on_the_topic_of_another_agency_stays_set_aside_whoever_may_emit_it() {
    let mut place = Place::new();
    place.send(&[event("FIA", "case.registered", 1, CASE).on_topic_of(POLICE)]);
    place.drain().await;
    let done = place.replay("").await;
    assert_eq!(done.refused, BTreeMap::from([(ErrorClass::AgencyMismatch.name(), 1)]));
    assert!(place.replayed_rows().await.is_empty());
}

#[tokio::test]
async fn an_event_that_was_sent_again_meanwhile_is_a_duplicate_of_it_or_a_conflict_with_it() {
    let mut place = Place::new();
    let other = INSPECTION.replace("brick_kiln", "agriculture");
    place.send(&[inspection(POLICE, 1), inspection(POLICE, 2)]);
    place.drain().await;
    place.send(&[inspection(POLICE, 1), inspection(POLICE, 2).value(other)]);
    let events = place.events().await;
    let (source, ids) = (place.log.source().unwrap(), Arc::new(CountedIds::new(lake_writer(&events))));
    let clock = Arc::new(StillClock { days: 0 });
    let (policy, keys) = (Arc::new(police_inspect()), Arc::new(keys()));
    let mut worker = ingest::Worker::new(source, events, policy, keys, config(), clock, ids);
    assert_eq!(worker.drain().await.unwrap().counts.ok, 2, "today's worker takes them");

    let done = place.replay("").await;
    assert_eq!((done.appended.ok, done.appended.duplicate, done.appended.conflict), (0, 1, 1));
    let rows = place.replayed_rows().await;
    let named = |offset: i64| format!("{}/{offset}", place.partition(POLICE));
    for (row, status, first, origin) in [(&rows[0], "duplicate", 2, 0), (&rows[1], "conflict", 3, 1)] {
        assert_eq!(row.status(), status);
        assert_eq!(row.header("amanat-of"), Some(named(first).as_str()));
        assert_eq!(row.header("amanat-replay-of"), Some(named(origin).as_str()), "it is resolved all the same");
    }
    assert_eq!(place.replay("").await.selected, 0);
    place.reconciled().await;
}

#[tokio::test]
async fn two_set_aside_copies_of_an_event_become_one_and_its_duplicate() {
    let mut place = Place::new();
    place.send(&[inspection(POLICE, 1), inspection(POLICE, 1), inspection("POL-SD", 1)]);
    place.drain().await;
    let mut small = today();
    small.config.batch_rows = 1;
    let done = place.replay_under(small, "", true).await.unwrap();
    assert_eq!((done.appended.ok, done.appended.duplicate), (2, 1), "an id is one agency's");
    let of = place.replayed_rows().await[1].header("amanat-of").map(str::to_owned);
    assert_eq!(of.as_deref(), Some("replay/v1/0/0"));
}

/// The time is asked for when a batch is closed: between the claim of this replay and its commit.
#[derive(Debug)]
struct Meanwhile {
    path: std::path::PathBuf,
    done: AtomicBool,
    other: Mutex<Option<Replayed>>,
}

impl Clock for Meanwhile {
    fn now_us(&self) -> i64 {
        if !self.done.swap(true, Ordering::SeqCst) {
            let path = self.path.clone();
            let other = std::thread::spawn(move || {
                let runtime = tokio::runtime::Runtime::new().unwrap();
                runtime.block_on(async { Place::at(path, 99).replay("").await })
            });
            *self.other.lock().unwrap() = Some(other.join().unwrap());
        }
        (LOG_MS + 60_000) * 1000
    }
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

#[tokio::test]
async fn of_two_replays_at_once_one_appends_and_the_other_is_told() {
    let mut place = Place::new();
    place.send(&[inspection(POLICE, 1), inspection("POL-SD", 2)]);
    place.drain().await;
    let path = place.path().to_owned();
    let meanwhile = Arc::new(Meanwhile { path, done: AtomicBool::new(false), other: Mutex::new(None) });
    let overtaken = Today { clock: meanwhile.clone(), ..today() };
    let told = place.replay_under(overtaken, "", true).await;
    assert!(matches!(told, Err(ReplayError::TakenOver)), "{told:?}");
    assert_eq!(meanwhile.other.lock().unwrap().as_ref().unwrap().appended.ok, 2);
    assert_eq!(place.replayed_rows().await.len(), 2, "each once");
    place.reconciled().await;
}

#[tokio::test]
async fn a_message_whose_bytes_have_expired_is_counted_as_such() {
    let mut place = Place::new();
    place.send(&[inspection(POLICE, 1)]);
    place.drain().await;
    let store = place.store();
    let mut lease = Lease::new(&store, "m");
    let mut maintainer = Maintainer::open(&store, "m", lease.number(), Rules::default()).await.unwrap();
    lease.keep(Duration::ZERO, lake::maintain::claimed(maintainer.events())).await.unwrap();
    maintainer.announce().await.unwrap();
    maintainer.expire(i32::MAX, Now { unix_ms: LOG_MS, today: i32::MAX }).await.unwrap();
    let done = place.replay("").await;
    assert_eq!((done.selected, done.expired, done.appended.rows()), (1, 1, 0));
}

/// An id that the registry has by now is asked for; one that it has not keeps its message where it is.
#[tokio::test]
async fn a_message_whose_avro_schema_cannot_be_had_waits_and_resolves_nothing() {
    let mut place = Place::new();
    let mut framed = inspection(POLICE, 1).value([&[0, 0, 0, 0, 7][..], &[2; 40]].concat());
    framed.headers.retain(|(name, _)| name != "content-type");
    place.send(&[framed]);
    let mut worker =
        place.worker(config()).await.with_schemas(Arc::new(StaticSchemas(BTreeMap::from([(7, "{".into())]))));
    worker.drain().await.unwrap();
    assert_eq!(place.reconciled().await.reason(ErrorClass::Schema), 1);
    let done = place.replay("").await;
    assert_eq!((done.waiting, done.appended.rows()), (1, 0));
}

/// Whoever sends the header resolves nothing by it.
#[tokio::test]
async fn a_senders_own_header_of_that_name_is_not_kept() {
    let mut place = Place::new();
    place.send(&[inspection(POLICE, 1)]);
    let forged = format!("{}/0", place.partition(POLICE));
    place.send(&[
        case(2).header("amanat-replay-of", &forged),
        inspection(POLICE, 3).header("amanat-replay-of", &forged),
    ]);
    place.drain().await;
    assert_eq!(place.replay("").await.appended.ok, 2);
    let named: BTreeSet<_> = place
        .rows()
        .await
        .iter()
        .filter_map(|row| Some((row.partition.clone(), row.header("amanat-replay-of")?.to_owned())))
        .collect();
    assert_eq!(named.len(), 2, "one each, of the replay alone: {named:?}");
    assert!(named.iter().all(|(partition, _)| *partition == replay_partition()));
}

/// Replays the directory that the environment names, two messages to a batch, with the fail points that it names.
#[tokio::test]
#[ignore = "run by other tests, in a process that is to die"]
async fn a_process_that_replays() {
    let Some(dir) = std::env::var_os("INGEST_TEST_DIR") else { return };
    let scenario = fail::FailScenario::setup();
    let mut place = Place::at(dir.into(), std::process::id().into());
    let mut today = today();
    today.config.batch_rows = 2;
    place.replay_under(today, "", true).await.unwrap();
    scenario.teardown();
}

fn replay_in_a_process(place: &Place, fail_points: &str) -> bool {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "replay::a_process_that_replays", "--test-threads", "1"]);
    command.env("INGEST_TEST_DIR", place.path()).env("FAILPOINTS", fail_points);
    command.output().unwrap().status.success()
}

#[tokio::test]
async fn a_replay_that_was_killed_is_finished_by_the_next_and_each_original_is_resolved_once() {
    for point in ["before_upload", "before_commit", "after_commit"] {
        let mut place = Place::new();
        place.send(&(0..7).map(|n| inspection(POLICE, n)).collect::<Vec<_>>());
        place.drain().await;
        // The second batch kills the process.
        assert!(!replay_in_a_process(&place, &format!("{point}=1*off->return(abort)")), "it was to die at {point}");
        let left = place.replayed_rows().await.len();
        assert_eq!(left, if point == "after_commit" { 4 } else { 2 }, "{point}");
        assert!(replay_in_a_process(&place, ""), "it was to live");
        let rows = place.replayed_rows().await;
        let origins: BTreeSet<_> = rows.iter().map(|row| row.header("amanat-replay-of").unwrap()).collect();
        assert_eq!((rows.len(), origins.len()), (7, 7), "{point}");
        assert!(rows.iter().all(|row| row.status() == "ok"));
        place.reconciled().await;
    }
}
