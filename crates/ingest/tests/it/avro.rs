//! Events written in Avro: they become the same rows; a partition whose schema cannot be had waits and loses nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::*;
use events::{EventType, Limits, Message, avro, encode};
use ingest::{Clock, CountedIds, Need, SchemaAnswer, SchemaSource, State, WaitReason, Waiting, Worker, WorkerReport};
use policy::Policy;

/// A registry whose answers the test decides, and which counts how often it was asked for an id.
#[derive(Debug, Default)]
struct Registry {
    schemas: Mutex<BTreeMap<u32, String>>,
    away: Mutex<bool>,
    asked: Mutex<BTreeMap<u32, u32>>,
}

impl Registry {
    fn knows(&self, id: u32, kind: EventType) {
        self.schemas.lock().unwrap().insert(id, avro::schema_of(kind, 1).to_string());
    }
    fn asked(&self, id: u32) -> u32 {
        self.asked.lock().unwrap().get(&id).copied().unwrap_or(0)
    }
}

impl SchemaSource for Registry {
    fn schema(&self, id: u32) -> SchemaAnswer {
        *self.asked.lock().unwrap().entry(id).or_default() += 1;
        if *self.away.lock().unwrap() {
            return SchemaAnswer::Away("connection refused".into());
        }
        self.schemas.lock().unwrap().get(&id).map_or(SchemaAnswer::Unknown, |text| SchemaAnswer::Found(text.clone()))
    }
}

/// A clock that goes, so that what waits is asked for again.
#[derive(Debug)]
pub struct Going(pub Instant);

impl Clock for Going {
    fn now_us(&self) -> i64 {
        (LOG_MS + 60_000) * 1000
    }
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The same event in Avro, under a schema's id, as Confluent's serializers send it: without a content type.
pub fn in_avro(sent: &Sent, id: u32) -> Sent {
    let headers: Vec<(&str, &[u8])> = sent.headers.iter().map(|(n, v)| (n.as_str(), v.as_slice())).collect();
    let message = Message { key: None, headers: &headers, value: sent.value.as_deref() };
    let event = events::decode(&message, &Limits::default()).unwrap();
    let mut other = sent.clone().value(encode::avro_of(&event, id).value);
    other.headers.retain(|(name, _)| name != "content-type");
    other
}

const CASES: u32 = 3;
const REFERRALS: u32 = 70_000;

fn registry() -> Arc<Registry> {
    let registry = Registry::default();
    registry.knows(CASES, EventType::CaseRegistered);
    registry.knows(REFERRALS, EventType::VictimReferred);
    Arc::new(registry)
}

impl Place {
    async fn avro_worker(&mut self, registry: Option<&Arc<Registry>>) -> Worker<eventlog::sqlite::SqliteSource> {
        let (source, events) = (self.log.source().unwrap(), self.events().await);
        let clock = Arc::new(Going(Instant::now()));
        let (keys, ids) = (Arc::new(keys()), Arc::new(CountedIds::new(events.lake_version() + 1)));
        let worker = Worker::new(source, events, Arc::new(Policy::default()), keys, config(), clock, ids);
        match registry {
            Some(registry) => worker.with_schemas(Arc::clone(registry) as Arc<dyn SchemaSource>),
            None => worker,
        }
    }

    async fn avro_drain(&mut self, registry: &Arc<Registry>) -> WorkerReport {
        self.avro_worker(Some(registry)).await.drain().await.unwrap()
    }
}

pub fn waiting(report: &WorkerReport) -> Vec<Waiting> {
    report.waiting().map(|(_, waiting)| waiting.clone()).collect()
}

#[tokio::test]
async fn an_event_in_avro_becomes_a_row_with_its_framing_kept_and_its_tokens_replaced() {
    let mut place = Place::new();
    let (json, avro) = (referral(1), in_avro(&referral(2), REFERRALS));
    place.send(&[json, avro.clone()]);
    let report = place.avro_drain(&registry()).await;
    assert_eq!(report.counts.ok, 2);
    let rows = place.rows().await;
    let (one, two) = (rows[0].payload.as_ref().unwrap(), rows[1].payload.as_ref().unwrap());
    assert_eq!(two[..5], avro.value.unwrap()[..5]);
    assert!(!two.windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes()), "no token is stored");
    let sealed = |payload| events::decode_sealed(EventType::VictimReferred, 1, payload).unwrap();
    assert_eq!(sealed(one).persons[0], sealed(two).persons[0], "the same person in both");
    assert_eq!(sealed(one).data, sealed(two).data);
    assert_eq!(rows[0].subjects.as_ref().unwrap()[0], rows[1].subjects.as_ref().unwrap()[0]);
    assert_eq!(rows[1].get("schema_id"), Some(EventType::VictimReferred.dataschema(1)));
    place.reconciled().await;
}

#[tokio::test]
async fn an_event_in_json_and_in_avro_is_one_event_whichever_came_first_and_whenever() {
    let mut place = Place::new();
    let registry = registry();
    place.send(&[referral(1), in_avro(&referral(1), REFERRALS), in_avro(&case(2), CASES), case(2)]);
    let report = place.avro_drain(&registry).await;
    assert_eq!((report.counts.ok, report.counts.duplicate, report.counts.conflict), (2, 2, 0));
    // Behind a restart the first copies are read from the lake.
    place.send(&[in_avro(&referral(1), REFERRALS), case(2)]);
    let report = place.avro_drain(&registry).await;
    assert_eq!((report.counts.ok, report.counts.duplicate, report.counts.conflict), (0, 2, 0));
    let other = case(2).value(CASE.replace("PK-PB", "PK-SD"));
    place.send(&[in_avro(&other, CASES)]);
    assert_eq!(place.avro_drain(&registry).await.counts.conflict, 1, "other content is a conflict in Avro, too");
    place.reconciled().await;
}

#[tokio::test]
async fn a_schema_that_the_registry_lacks_makes_its_partition_wait_and_no_other() {
    let mut place = Place::new();
    let registry = registry();
    let labour = |n| event("LAB-PB", "case.registered", n, CASE);
    place.send(&[case(1), in_avro(&case(2), CASES), in_avro(&case(3), 99), case(4), in_avro(&case(5), CASES)]);
    place.send(&[labour(6), labour(7)]);
    let report = place.avro_drain(&registry).await;
    assert_eq!(waiting(&report), [Waiting { offset: 2, need: Need::Schema { id: 99, reason: WaitReason::Unknown } }]);
    assert_eq!(report.counts.ok + report.counts.set_aside_total(), 4, "what is before it, and the other partition");
    assert_eq!(report.partitions[&place.partition(POLICE)].committed, Some(2));
    assert_eq!(report.partitions[&place.partition("LAB-PB")].committed, Some(2));
    assert!(place.rows().await.iter().all(|row| row.detail().is_empty() || !row.detail().contains("99")));

    registry.knows(99, EventType::CaseRegistered);
    let report = place.avro_drain(&registry).await;
    assert_eq!((waiting(&report).len(), report.counts.ok, report.counts.set_aside_total()), (0, 3, 0));
    place.reconciled().await;
}

#[tokio::test]
async fn a_partition_that_waits_is_read_on_when_the_schema_comes_without_a_restart() {
    let mut place = Place::new();
    let registry = registry();
    *registry.away.lock().unwrap() = true;
    place.send(&[case(1), in_avro(&case(2), CASES), case(3)]);
    let mut worker = place.avro_worker(Some(&registry)).await;
    let (monitor, partition) = (worker.monitor(), place.partition(POLICE));
    let state = || monitor.report().partitions.get(&partition).map(|status| status.state.clone());
    let seen = async {
        let need = Need::Schema { id: CASES, reason: WaitReason::Away("connection refused".into()) };
        let away = Waiting { offset: 1, need };
        until(|| state() == Some(State::Waiting(away.clone()))).await;
        until(|| registry.asked(CASES) > 2).await;
        *registry.away.lock().unwrap() = false;
        until(|| monitor.report().counts.ok == 3).await;
        assert_eq!(state(), Some(State::Reading));
    };
    let report = worker.run_until(seen).await.unwrap();
    assert_eq!((report.counts.ok, report.counts.set_aside_total()), (3, 0));
    place.reconciled().await;
}

pub async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn without_a_registry_the_partition_waits_and_names_the_setting() {
    let mut place = Place::new();
    place.send(&[in_avro(&case(1), CASES)]);
    let report = place.avro_worker(None).await.drain().await.unwrap();
    let [only] = waiting(&report).try_into().unwrap();
    assert!(only.to_string().contains("set ingest.avro_schemas"), "{only}");
    assert_eq!(report.counts.rows(), 0);
}

#[tokio::test]
async fn a_schema_that_is_known_is_never_asked_for_again() {
    let mut place = Place::new();
    let registry = registry();
    let many: Vec<Sent> = (1..50).map(|n| in_avro(&case(n), CASES)).collect();
    place.send(&many);
    let mut worker = place.avro_worker(Some(&registry)).await;
    worker.drain().await.unwrap();
    place.send(&[in_avro(&case(50), CASES)]);
    let report = worker.drain().await.unwrap();
    assert_eq!((report.counts.ok, registry.asked(CASES)), (50, 1));
}

#[tokio::test]
async fn a_schema_that_cannot_be_read_under_the_contract_sets_its_messages_aside_with_the_reason() {
    let mut place = Place::new();
    let registry = registry();
    registry.schemas.lock().unwrap().insert(8, r#"{"type":"record","name":"Order","fields":[]}"#.into());
    place.send(&[in_avro(&case(1), 8), in_avro(&case(2), 8), in_avro(&case(3), CASES)]);
    let report = place.avro_drain(&registry).await;
    assert_eq!((report.counts.ok, report.counts.set_aside_total(), registry.asked(8)), (1, 2, 1));
    let rows = place.rows().await;
    let row = rows.iter().find(|row| row.offset == 0).unwrap();
    assert_eq!(row.class(), "schema");
    assert!(
        row.detail().contains("Avro schema 8") && row.detail().contains("schemas/<type>/v1.avsc"),
        "{}",
        row.detail()
    );
    place.reconciled().await;
}

#[tokio::test]
async fn a_message_that_is_refused_whatever_its_schema_is_set_aside_and_does_not_wait() {
    let mut place = Place::new();
    let registry = registry();
    let large = vec![0; config().max_payload + 1];
    place.send(&[in_avro(&case(1), 99).header("ce_id", "none"), case(2).value(large), in_avro(&case(3), CASES)]);
    let report = place.avro_drain(&registry).await;
    assert_eq!((report.counts.ok, report.counts.set_aside_total(), registry.asked(99)), (1, 2, 0));
    place.reconciled().await;
}

#[tokio::test]
async fn broken_avro_is_set_aside_and_its_bytes_are_in_no_sentence() {
    let mut place = Place::new();
    let whole = in_avro(&referral(1), REFERRALS);
    let mut bytes = whole.value.clone().unwrap();
    bytes.truncate(bytes.len() - 3);
    place.send(&[whole.value(bytes), in_avro(&referral(2), REFERRALS)]);
    let report = place.avro_drain(&registry()).await;
    assert_eq!((report.counts.ok, report.counts.set_aside_total()), (1, 1));
    let rows = place.rows().await;
    let row = rows.iter().find(|row| row.offset == 0).unwrap();
    assert_eq!(row.class(), "parse");
    assert!(row.detail().contains("byte") && !row.detail().contains(TOKEN), "{}", row.detail());
}
