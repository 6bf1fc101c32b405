//! Versions of the contract side by side (ingestion.md 3.10): on a running system a field is added, a required one relaxed, a
//! code added; producers of before and of after publish together, and nobody stops.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use crate::avro::{Going, in_avro, until, waiting};
use crate::support::*;
use eventlog::sqlite::SqliteSource;
use events::{EventType, avro};
use ingest::{CountedIds, KnownVersions, Need, StaticSchemas, Waiting, Worker, WorkerReport};
use policy::Policy;

/// The registry's ids of the schemas of victims: that of version 1, and that of version 2, which is version 3's, too.
const FIRST: u32 = 11;
const SECOND: u32 = 12;

/// A victim identified, as a producer of this version tells of her. Version 2 added `contact_id` and relaxed
/// `referral_source`, version 3 added the code `online_contact`.
fn victim(n: u64, version: u16) -> Sent {
    let news = match version {
        1 => r#""referral_source":"police","recruiter_relation":"stranger""#,
        2 => r#""contact_id":"HLP-PB/c0nt4ctc0nt4ctc0","recruiter_relation":"stranger""#,
        _ => r#""contact_id":"HLP-PB/c0nt4ctc0nt4ctc0","recruiter_relation":"online_contact""#,
    };
    let data = format!(
        r#"{{"record_version":1,"occurred_on":"2024-03","person":[{{"kind":"document","token":"{TOKEN}"}}],"sex":"F","age_band":"09-17","citizenship":"PK","status":"possible","exploitation":["sexual"],"place_identified":"PK-PB",{news}}}"#
    );
    event(POLICE, "victim.identified", n, &data).speaks(version)
}

impl Sent {
    /// The same, naming another version of its type.
    fn speaks(self, version: u16) -> Self {
        self.header("ce_dataschema", &format!("https://schemas.amanat.example/victim.identified/v{version}"))
    }
}

/// A worker that has the schemas of both versions and a clock that goes; one of before, if `known` is an earlier version.
async fn worker(place: &mut Place, known: u16) -> Worker<SqliteSource> {
    let text = |version| avro::schema_of(EventType::VictimIdentified, version).to_string();
    let schemas = StaticSchemas(BTreeMap::from([(FIRST, text(1)), (SECOND, text(2))]));
    let (source, events) = (place.log.source().unwrap(), place.events().await);
    let (keys, ids) = (Arc::new(keys()), Arc::new(CountedIds::new(events.lake_version() + 1)));
    let clock = Arc::new(Going(Instant::now()));
    Worker::new(source, events, Arc::new(Policy::default()), keys, config(), clock, ids)
        .with_schemas(Arc::new(schemas))
        .with_versions(KnownVersions::default().up_to(EventType::VictimIdentified, known))
}

async fn drain(place: &mut Place, known: u16) -> WorkerReport {
    worker(place, known).await.drain().await.unwrap()
}

fn needs(offset: i64, version: u16) -> Waiting {
    Waiting { offset, need: Need::Version { kind: EventType::VictimIdentified, version } }
}

#[tokio::test]
async fn old_and_new_producers_publish_together_while_the_worker_runs_and_nobody_stops() {
    let mut place = Place::new();
    let mut worker = worker(&mut place, 3).await;
    let monitor = worker.monitor();
    let rounds = 12;
    let publishing = async {
        for round in 0..rounds {
            let n = 100 * round;
            // One producer at a time is upgraded; those of before stay, in JSON and in Avro, whatever version they speak.
            let mut all = vec![victim(n + 1, 1), in_avro(&victim(n + 2, 1), FIRST), victim(n + 3, 1).structured()];
            if round >= 3 {
                all.extend([victim(n + 4, 2), in_avro(&victim(n + 5, 2), SECOND), victim(n + 6, 2).structured()]);
                all.push(in_avro(&victim(n + 7, 1), FIRST).speaks(2));
            }
            if round >= 6 {
                all.extend([victim(n + 8, 3), in_avro(&victim(n + 9, 3), SECOND), victim(n + 10, 3).structured()]);
                all.push(in_avro(&victim(n + 11, 1), FIRST).speaks(3));
            }
            let before = monitor.report().counts.rows();
            place.send(&all);
            until(|| monitor.report().counts.rows() == before + all.len() as u64).await;
            assert_eq!(monitor.report().waiting().count(), 0, "round {round}");
        }
    };
    let report = worker.run_until(publishing).await.unwrap();
    let sent = 3 * rounds + 4 * (rounds - 3) + 4 * (rounds - 6);
    assert_eq!((report.counts.ok, report.counts.rows()), (sent, sent), "none set aside, none twice");
    place.reconciled().await;
    let mut told: BTreeMap<String, u64> = BTreeMap::new();
    for row in place.rows().await {
        *told.entry(row.get("schema_id").unwrap().rsplit_once('/').unwrap().1.to_owned()).or_default() += 1;
    }
    let of = |version: &str, rows| (version.to_owned(), rows);
    let expected = [of("v1", 3 * rounds), of("v2", 4 * (rounds - 3)), of("v3", 4 * (rounds - 6))];
    assert_eq!(told, BTreeMap::from(expected), "each row says the version that was published");
}

#[tokio::test]
async fn a_worker_of_before_waits_at_the_first_newer_event_and_one_that_knows_it_reads_on() {
    for form in ["binary", "structured", "escaped", "avro"] {
        let newer = |n, version| match form {
            "binary" => victim(n, version),
            "avro" => in_avro(&victim(n, version), SECOND),
            _ => {
                let sent = victim(n, version).structured();
                let text = String::from_utf8(sent.value.clone().unwrap()).unwrap();
                if form == "escaped" { sent.value(text.replace('/', "\\/")) } else { sent }
            }
        };
        let mut place = Place::new();
        place.send(&[victim(1, 1), newer(2, 2), victim(3, 1), newer(4, 3), newer(5, 2)]);
        place.send(&[event("FIA", "case.registered", 6, CASE), event("FIA", "case.registered", 7, CASE)]);
        let report = drain(&mut place, 1).await;
        assert_eq!(waiting(&report), [needs(1, 2)], "{form}");
        assert_eq!(report.partitions[&place.partition(POLICE)].committed, Some(1), "{form}");
        assert_eq!(report.partitions[&place.partition("FIA")].committed, Some(2), "the others go on");
        assert!(waiting(&report)[0].to_string().contains("pk.tip.victim.identified of version 2"));

        let report = drain(&mut place, 2).await;
        assert_eq!((waiting(&report), report.counts.ok), (vec![needs(3, 3)], 2), "{form}: one step further");

        let report = drain(&mut place, 3).await;
        assert_eq!((waiting(&report).len(), report.counts.ok), (0, 2), "{form}");
        let rows = place.rows().await;
        let police = place.partition(POLICE);
        let classes: Vec<_> = rows.iter().filter(|row| row.partition == police).map(Row::class).collect();
        assert_eq!(classes, [""; 5], "{form}: none lost, none set aside");
        place.reconciled().await;
    }
}

#[tokio::test]
async fn a_running_worker_of_before_ingests_what_it_knows_and_stands_at_what_it_does_not() {
    let mut place = Place::new();
    let mut worker = worker(&mut place, 1).await;
    let monitor = worker.monitor();
    let meanwhile = async {
        place.send(&[victim(1, 1), victim(2, 2), victim(3, 1)]);
        until(|| monitor.report().waiting().count() == 1).await;
        let cases: Vec<_> = (10..20).map(|n| event("FIA", "case.registered", n, CASE)).collect();
        place.send(&cases);
        until(|| monitor.report().counts.ok == 11).await;
    };
    let report = worker.run_until(meanwhile).await.unwrap();
    assert_eq!((waiting(&report), report.counts.set_aside_total()), (vec![needs(1, 2)], 0));
    assert_eq!(drain(&mut place, 3).await.counts.ok, 2);
    place.reconciled().await;
}

#[tokio::test]
async fn what_is_no_version_of_ours_or_refused_in_any_version_is_set_aside_and_waits_for_nobody() {
    let mut place = Place::new();
    let schema = |n, text: &str| victim(n, 1).header("ce_dataschema", text);
    let refused = [
        schema(1, "https://schemas.amanat.example/victim.identified/v0"),
        schema(2, "https://schemas.amanat.example/victim.identified/v02"),
        schema(3, "https://schemas.amanat.example/victim.identified/2"),
        schema(4, "https://schemas.amanat.example/case.registered/v2"),
        schema(5, "https://elsewhere.example/victim.identified/v2"),
        victim(6, 9).header("ce_id", "none"),
        victim(7, 9).value("{"),
        victim(8, 9).value(vec![b' '; config().max_payload + 1]),
        victim(9, 9).header("ce_source", "urn:pk:tip:FIA").header("ce_subject", &record("FIA", 9)),
    ];
    place.send(&refused);
    place.send(&[victim(10, 1)]);
    let report = drain(&mut place, 1).await;
    assert_eq!((waiting(&report).len(), report.counts.set_aside_total(), report.counts.ok), (0, 9, 1));
    place.reconciled().await;
}

#[tokio::test]
async fn an_agency_that_has_upgraded_may_send_again_what_it_sent_before() {
    let mut place = Place::new();
    // The same event id and content, in the words of each version.
    let sent = victim(1, 1);
    place.send(&[sent.clone(), sent.clone().speaks(2), in_avro(&sent, FIRST).speaks(3), victim(1, 2)]);
    let counts = drain(&mut place, 3).await.counts;
    assert_eq!((counts.ok, counts.duplicate, counts.conflict), (1, 2, 1), "only other content is a conflict");
    place.reconciled().await;
}

#[tokio::test]
async fn a_correction_names_the_fields_that_its_own_version_knows() {
    let mut place = Place::new();
    let corrected = |n, version: u16, fields: &str| {
        let target = id(1);
        let data = format!(
            r#"{{"record_version":2,"target":"{target}","target_type":"pk.tip.victim.identified","fields":{{{fields}}},"reason":"new_information"}}"#
        );
        let schema = format!("https://schemas.amanat.example/record.corrected/v{version}");
        event(POLICE, "record.corrected", n, &data).header("ce_dataschema", &schema)
    };
    let (contact, code) = (r#""contact_id":"HLP-PB/c0nt4ctc0nt4ctc0""#, r#""recruiter_relation":"online_contact""#);
    place.send(&[
        victim(1, 1),
        corrected(2, 1, contact),
        corrected(3, 2, contact),
        corrected(4, 2, code),
        corrected(5, 3, code),
    ]);
    let counts = drain(&mut place, 3).await.counts;
    assert_eq!((counts.ok, counts.set_aside_total()), (3, 2));
}
