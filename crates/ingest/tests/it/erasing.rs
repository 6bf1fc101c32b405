//! Who is erased is in no row any more, and each offset still is there once.

use std::sync::Arc;
use std::time::Duration;

use ingest::Eraser;
use lake::maintain::{Did, Lease, Maintainer, Now, Rules};
use policy::Erased;

use crate::support::*;

const OTHER: &str = "mkjhgfdcb9876543210n";

/// What stands for the person of [`TOKEN`], and her surrogate.
fn ordered() -> (Erased, [u8; 16], [u8; 16]) {
    let surrogate = policy::person_surrogate(&keys(), POLICE, TOKEN);
    let mut erased = Erased::nobody(&keys());
    let image = erased.order(surrogate);
    (erased, surrogate, image)
}

async fn erase(place: &Place, erased: Erased) -> Did {
    let store = place.store();
    let mut lease = Lease::new(&store, "m");
    let mut maintainer = Maintainer::open(&store, "m", lease.number(), Rules::default()).await.unwrap();
    lease.keep(Duration::ZERO, lake::maintain::claimed(maintainer.events())).await.unwrap();
    maintainer.announce().await.unwrap();
    let now = Now { unix_ms: LOG_MS, today: i32::MAX };
    let eraser = Eraser::new(Arc::new(erased));
    let did = maintainer.erase(eraser, [1; 32], now).await.unwrap();
    let again = maintainer.erase(Eraser::new(Arc::new(ordered().0)), [1; 32], now).await.unwrap();
    assert_eq!(again, Did::default(), "nothing is left to be done");
    lease.release().await.unwrap();
    did
}

fn hex(bytes: &[u8]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes.try_into().unwrap()))
}

/// An event about another person.
fn of_other(n: u64) -> Sent {
    let referral = referral(n);
    let data = String::from_utf8(referral.value.clone().unwrap()).unwrap();
    referral.value(data.replace(TOKEN, OTHER))
}

fn correction(n: u64, of: u64, record_of: u64) -> Sent {
    let data = format!(
        r#"{{"record_version":2,"target":"{}","target_type":"pk.tip.victim.referred","fields":{{"service":"legal"}},"reason":"data_entry"}}"#,
        id(of)
    );
    event(POLICE, "record.corrected", n, &data).header("ce_subject", &record(POLICE, record_of))
}

#[tokio::test]
async fn a_row_about_her_becomes_a_stub_and_what_is_about_others_stays_as_it_was() {
    let mut place = Place::new();
    place.send(&[referral(1), case(2), of_other(3)]);
    place.drain().await;
    let before = place.rows().await;
    let did = erase(&place, ordered().0).await;
    assert_eq!((did.rewrites, did.files_erased), (1, 1));
    let after = place.rows().await;
    assert_eq!(after.iter().map(Row::status).collect::<Vec<_>>(), ["erased", "ok", "ok"]);
    assert_eq!(after[1..], before[1..]);
    let stub = &after[0];
    for gone in ["record_id", "record_version", "occurred_from", "recorded_at"] {
        assert_eq!(stub.get(gone), None, "{gone}");
    }
    assert!(stub.subjects.is_none() && stub.links.is_none() && stub.payload.is_none());
    for kept in ["event_id", "event_type", "agency", "log_ts"] {
        assert_eq!(stub.get(kept), before[0].get(kept), "{kept}");
    }
    place.reconciled().await;
}

#[tokio::test]
async fn corrections_of_what_was_said_of_her_go_with_it_wherever_they_lie() {
    let mut place = Place::new();
    let mut one_by_one = config();
    (one_by_one.batch_rows, one_by_one.poll_bytes) = (1, 1);
    place.send(&[correction(5, 1, 1), referral(1), correction(6, 3, 3), of_other(3), correction(7, 5, 1)]);
    place.try_drain(one_by_one).await.unwrap();
    assert!(place.rows().await.iter().all(|row| row.status() == "ok"));
    erase(&place, ordered().0).await;
    let statuses: Vec<String> = place.rows().await.iter().map(|row| row.status().to_owned()).collect();
    assert_eq!(
        statuses,
        ["erased", "erased", "ok", "ok", "erased"],
        "also a correction of a correction, and one that came before"
    );
}

#[tokio::test]
async fn in_what_is_said_of_others_something_stands_for_her_that_names_nobody() {
    let (erased, person, image) = ordered();
    let other = hex(&policy::person_surrogate(&keys(), POLICE, OTHER));
    let merged = format!(
        r#"{{"record_version":1,"person_id":"{other}","into":"{}","evidence":"model","confidence":990}}"#,
        hex(&person)
    );
    let order = format!(r#"{{"record_version":1,"person_id":"{}","legal_basis":"court_order"}}"#, hex(&person));
    let mut place = Place::new();
    place.send(&[event("LINK", "persons.merged", 1, &merged), event("STEWARD", "person.erasure_ordered", 2, &order)]);
    place.drain().await;
    erase(&place, erased).await;
    let rows = place.rows().await;
    let row = |kind: &str| rows.iter().find(|row| row.get("event_type").unwrap().ends_with(kind)).unwrap();
    assert_eq!(row("merged").status(), "ok");
    assert_eq!(row("erasure_ordered").status(), "erased", "the order was carried out");
    for row in &rows {
        assert!(row.payload_text().contains(&hex(&image)) && !row.payload_text().contains(&hex(&person)));
        assert!(row.subjects.as_ref().unwrap().iter().any(|subject| subject[..] == image));
    }
    assert!(row("merged").payload_text().contains(&other));
}

#[tokio::test]
async fn a_second_copy_of_what_was_erased_is_known_and_says_nothing() {
    let mut place = Place::new();
    place.send(&[referral(1), referral(1)]);
    place.drain().await;
    erase(&place, ordered().0).await;
    let mut without_window = config();
    without_window.window_bytes = 0;
    place.send(&[referral(1)]);
    place.try_drain(without_window).await.unwrap();
    let rows = place.rows().await;
    assert_eq!(rows.iter().map(Row::status).collect::<Vec<_>>(), ["erased", "duplicate", "duplicate"]);
    assert!(rows[1].get("record_id").is_none() && rows[2].payload.is_none());
}

#[tokio::test]
async fn what_arrives_of_her_later_goes_at_the_next_look() {
    let mut place = Place::new();
    place.send(&[referral(1)]);
    place.drain().await;
    erase(&place, ordered().0).await;
    place.send(&[referral(8), correction(9, 1, 1), case(3)]);
    place.drain().await;
    erase(&place, ordered().0).await;
    let statuses: Vec<String> = place.rows().await.iter().map(|row| row.status().to_owned()).collect();
    assert_eq!(statuses, ["erased", "erased", "erased", "ok"]);
}
