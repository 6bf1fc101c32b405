//! A worker over files that maintenance compacted: rows lie in order of record, not of offset, and nothing else differs.

use std::time::Duration;

use ingest::{Halt, State, list_set_aside};
use lake::maintain::{Lease, Maintainer, Now, Rules};

use crate::support::*;

/// Makes one file of each lane and date, whatever there is.
async fn compact(place: &Place) {
    let store = place.store();
    let mut lease = Lease::new(&store, "m");
    let mut maintainer = Maintainer::open(&store, "m", lease.number(), Rules::default()).await.unwrap();
    lease.keep(Duration::ZERO, lake::maintain::claimed(maintainer.events())).await.unwrap();
    maintainer.announce().await.unwrap();
    let far = Now { unix_ms: LOG_MS, today: i32::MAX };
    let did = maintainer.compact(far, None, |_, _| {}).await.unwrap();
    lease.release().await.unwrap();
    assert!(did.rewrites > 0, "there was something to compact");
}

fn one_by_one() -> ingest::WorkerConfig {
    let mut config = config();
    (config.batch_rows, config.poll_bytes) = (1, 1);
    config
}

fn other_content(n: u64) -> Sent {
    case(n).value(CASE.replace("PK-PB", "PK-SD"))
}

async fn statuses(place: &mut Place) -> Vec<String> {
    place.reconciled().await;
    place.rows().await.iter().map(|row| row.status().to_owned()).collect()
}

#[tokio::test]
async fn windows_are_rebuilt_from_compacted_files_and_copies_are_compared_with_their_rows() {
    let mut place = Place::new();
    place.send(&[case(3), case(1), case(2)]);
    place.try_drain(one_by_one()).await.unwrap();
    compact(&place).await;
    place.send(&[case(1), other_content(2), case(4), case(4)]);
    let report = place.drain().await;
    assert_eq!((report.counts.duplicate, report.counts.conflict, report.counts.ok), (2, 1, 1));
    assert_eq!(statuses(&mut place).await, ["ok", "ok", "ok", "duplicate", "conflict", "ok", "duplicate"]);
    let rows = place.rows().await;
    assert!(rows[3].header("amanat-of").unwrap().ends_with("/1"), "the position of the first copy");
}

#[tokio::test]
async fn copies_beyond_the_window_are_found_by_the_filters_of_compacted_files() {
    let mut place = Place::new();
    let mut config = one_by_one();
    config.window_bytes = 0;
    place.send(&(0..40).map(case).collect::<Vec<_>>());
    place.try_drain(config.clone()).await.unwrap();
    compact(&place).await;
    place.send(&[case(7), other_content(9), case(100), case(101), case(100)]);
    place.try_drain(config).await.unwrap();
    let all = statuses(&mut place).await;
    assert_eq!(all[40..], ["duplicate", "conflict", "ok", "ok", "duplicate"]);
}

#[tokio::test]
async fn compaction_changes_no_row_and_a_restart_goes_on_at_the_same_offset() {
    let mut place = Place::new();
    place.send(&[case(2), case(1).value("{"), referral(3), case(1), case(2)]);
    place.try_drain(one_by_one()).await.unwrap();
    let before = place.rows().await;
    compact(&place).await;
    assert_eq!(place.rows().await, before);
    place.send(&[case(8)]);
    assert_eq!(place.drain().await.counts.ok, 1);
    assert_eq!(place.reconciled().await.rows().values().sum::<u64>(), 6);
}

#[tokio::test]
async fn a_recreated_stream_is_recognised_by_the_last_row_of_a_compacted_file() {
    let mut place = Place::new();
    let day = 86_400_000;
    // The last offset has the least record: it lies first in the compacted file.
    place.send(&[case(9), case(8), case(1)]);
    place.try_drain(one_by_one()).await.unwrap();
    compact(&place).await;
    let uid = place.log.source_uid().split('#').next().unwrap().parse().unwrap();
    std::fs::remove_file(place.path().join("log.db")).unwrap();
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(place.path().join(format!("log.db{ending}")));
    }
    place.log = eventlog::sqlite::SqliteLog::open(place.path().join("log.db"), uid).unwrap();
    let later = |n: u64| Sent { log_ms: LOG_MS + day, ..case(n) };
    place.send(&[later(11), later(12), later(13), later(14)]);
    let report = place.drain().await;
    let halted = report.partitions[&place.partition(POLICE)].state.clone();
    assert_eq!(halted, State::Halted(Halt::Recreated { offset: 2 }));
}

#[tokio::test]
async fn a_set_aside_message_is_listed_and_opens_from_a_compacted_file() {
    let mut place = Place::new();
    place.send(&[case(1).value("{"), case(2), case(3).value("[")]);
    place.try_drain(one_by_one()).await.unwrap();
    compact(&place).await;
    let snapshot = place.snapshot().await;
    assert_eq!(list_set_aside(&snapshot, |_| true, 10).await.unwrap().all, 2);
    let shown = ingest::show_set_aside(&snapshot, &keys(), &place.partition(POLICE), 2).await.unwrap();
    assert_eq!(shown.value.as_deref(), Some(&b"["[..]));
}
