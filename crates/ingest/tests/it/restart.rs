//! A worker that ends in any way, at any place, loses nothing and doubles nothing.

use std::process::Command;
use std::time::Duration;

use crate::support::*;
use ingest::{Halt, State};
use tokio::sync::oneshot;

#[tokio::test]
async fn a_restart_continues_at_the_next_offset() {
    let mut place = Place::new();
    place.send(&[case(1), case(2)]);
    let first = place.drain().await;
    assert_eq!(first.counts.rows(), 2);
    place.send(&[case(3)]);
    let second = place.drain().await;
    assert_eq!(second.counts.rows(), 1);
    assert_eq!(second.partitions[&place.partition(POLICE)].committed, Some(3));
    assert_eq!(place.reconciled().await.status("ok"), 3);
}

/// An event whose id was made `ms` after the others'.
fn made_later(ms: u64, version: u128) -> Sent {
    let made = u128::try_from(LOG_MS).unwrap() + u128::from(ms);
    let id = uuid::Uuid::from_u128(made << 80 | version << 76 | 0b10 << 62 | u128::from(ms));
    case(100 + ms).header("ce_id", &id.to_string())
}

/// A worker with room for two ids commits each message on its own.
fn small_window() -> ingest::WorkerConfig {
    let mut config = config();
    (config.batch_rows, config.poll_bytes, config.window_bytes) = (1, 1, 256);
    config
}

/// The older files are away: who reads them fails. Of files on disk, which alone can be moved away; what is read is not the
/// store's choice.
#[tokio::test]
async fn a_restart_reads_no_further_back_than_its_windows_have_room() {
    if std::env::var_os("AMANAT_TEST_S3").is_some() {
        return;
    }
    let mut place = Place::new();
    place.send(&(1..=6).map(|n| made_later(n, 7)).collect::<Vec<_>>());
    place.try_drain(small_window()).await.unwrap();
    let mut files = place.snapshot().await.files.to_vec();
    files.sort_by_key(|file| file.span.as_ref().unwrap().offsets.0);
    assert_eq!(files.len(), 6);
    let away = tempfile::tempdir().unwrap();
    let table = place.path().join("lake/events");
    let places =
        files[..4].iter().enumerate().map(|(n, file)| (table.join(&file.path), away.path().join(n.to_string())));
    let places: Vec<_> = places.collect();
    for (here, there) in &places {
        std::fs::rename(here, there).unwrap();
    }
    place.send(&[made_later(5, 7), made_later(7, 7)]);
    let report = place.try_drain(small_window()).await.unwrap();
    assert_eq!((report.counts.duplicate, report.counts.ok), (1, 1));
    for (here, there) in &places {
        std::fs::rename(there, here).unwrap();
    }
    place.send(&[made_later(1, 7), made_later(8, 7), made_later(7, 7)]);
    let report = place.try_drain(small_window()).await.unwrap();
    assert_eq!((report.counts.duplicate, report.counts.ok), (2, 1), "what was not read is looked up");
    assert_eq!(place.reconciled().await.status("ok"), 8);
}

/// Ids of version 8 do not tell when they were made, and a file's greatest id may be one.
#[tokio::test]
async fn a_restart_recognises_copies_whatever_the_ids_tell() {
    let mut place = Place::new();
    place.send(&[made_later(90, 7), made_later(40, 8), made_later(3, 7), made_later(4, 7)]);
    let mut whole = small_window();
    (whole.batch_rows, whole.poll_bytes) = (2, 1 << 20);
    place.try_drain(whole).await.unwrap();
    place.send(&[made_later(90, 7), made_later(40, 8), made_later(91, 7), made_later(41, 8)]);
    let report = place.try_drain(small_window()).await.unwrap();
    assert_eq!((report.counts.duplicate, report.counts.ok), (2, 2));
    assert_eq!(place.reconciled().await.status("ok"), 6);
}

#[tokio::test]
async fn nothing_new_makes_no_commit_but_the_claim() {
    let mut place = Place::new();
    place.send(&[case(1)]);
    place.drain().await;
    let before = place.snapshot().await.lake_version;
    let report = place.drain().await;
    assert_eq!((report.batches, report.counts.rows()), (0, 0));
    assert_eq!(place.snapshot().await.lake_version, before + 1);
}

#[tokio::test]
async fn several_partitions_go_into_one_commit() {
    let mut place = Place::new();
    place.send(&[case(1), event("FIA", "case.registered", 2, CASE), event("POL-SD", "case.registered", 3, CASE)]);
    let report = place.drain().await;
    assert_eq!((report.batches, report.counts.ok, report.partitions.len()), (1, 3, 3));
}

/// More than a megabyte for each of three partitions, with copies and what cannot be accepted among them.
#[tokio::test]
async fn rows_are_the_same_however_many_threads_decode_a_batch() {
    let mut messages = Vec::new();
    for n in 0..12_000 {
        let agency = ["POL-PB", "FIA", "POL-SD"][n as usize % 3];
        let number = if n % 11 == 0 { n / 33 * 3 + n % 3 } else { n };
        let one = event(agency, "case.registered", number, CASE);
        messages.push(if n % 17 == 0 { one.value("{") } else { one });
    }
    let bytes: usize = messages.iter().filter_map(|sent| sent.value.as_ref().map(Vec::len)).sum();
    let headers = messages.iter().flat_map(|sent| &sent.headers).map(|(name, value)| name.len() + value.len());
    assert!(bytes + headers.sum::<usize>() > 3 << 20, "a thread is started for each megabyte at most");
    let mut of = Vec::new();
    for decode_threads in [1, 3] {
        let mut place = Place::new();
        place.send_together(&messages);
        let large = 64 << 20;
        let config = ingest::WorkerConfig {
            batch_bytes: large,
            batch_rows: 100_000,
            poll_bytes: large,
            memory_bytes: 4 * large,
            decode_threads,
            ..config()
        };
        let report = place.try_drain(config).await.unwrap();
        assert!(report.counts.duplicate > 100 && report.counts.set_aside_total() > 100 && report.batches == 1);
        for (_, places) in places_by_file(&place.snapshot().await).await {
            assert!(places.is_sorted());
        }
        of.push((report.counts, place.rows().await, place.reconciled().await.rows().clone()));
    }
    assert_eq!(of[0], of[1]);
}

#[tokio::test]
async fn rows_of_a_file_are_in_order_of_their_place() {
    let mut place = Place::new();
    let mut messages = Vec::new();
    for n in 0..50 {
        let bad = n % 7 == 0;
        let one = if n % 2 == 0 { case(n) } else { event("FIA", "case.registered", n, CASE) };
        messages.push(if bad { one.value("{") } else { one });
    }
    place.send(&messages);
    place.drain().await;
    for (_, places) in places_by_file(&place.snapshot().await).await {
        assert!(places.is_sorted() && !places.is_empty());
    }
}

#[tokio::test]
async fn a_cancelled_worker_commits_what_it_has_read() {
    let mut place = Place::new();
    place.send(&[case(1), case(2)]);
    let mut worker = place.worker(config()).await;
    let monitor = worker.monitor();
    let (cancel, cancelled) = oneshot::channel::<()>();
    let running = tokio::spawn(async move { worker.run_until(async { drop(cancelled.await) }).await });
    // The clock stands still, so nothing closes the batch but the request to end. Wait for the partition to be read.
    wait_until(|| !monitor.report().partitions.is_empty()).await;
    cancel.send(()).unwrap();
    running.await.unwrap().unwrap();
    place.drain().await;
    assert_eq!(place.reconciled().await.status("ok"), 2);
}

async fn wait_until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn of_two_workers_on_one_lake_the_older_claim_is_fenced() {
    let mut place = Place::new();
    place.send(&[case(1)]);
    let partition = place.partition(POLICE);
    let mut at_once = config();
    at_once.batch_age = Duration::ZERO;
    let mut older = place.worker(at_once).await;
    let monitor = older.monitor();
    let (cancel, cancelled) = oneshot::channel::<()>();
    let running = tokio::spawn(async move { older.run_until(async { drop(cancelled.await) }).await });
    let committed = || monitor.report().partitions.get(&partition).and_then(|p| p.committed);
    wait_until(|| committed() == Some(1)).await;

    assert_eq!(place.drain().await.counts.rows(), 0, "the younger worker claims and finds all of it done");
    place.send(&[case(2)]);
    let halted = || matches!(monitor.report().partitions[&partition].state, State::Halted(Halt::Fenced { .. }));
    wait_until(halted).await;
    cancel.send(()).unwrap();
    let report = running.await.unwrap().unwrap();
    assert_eq!((report.counts.ok, report.halted().count()), (1, 1));

    assert_eq!(place.drain().await.counts.ok, 1);
    assert_eq!(place.reconciled().await.status("ok"), 2);
}

fn messages() -> Vec<Sent> {
    (0..40)
        .map(|n| match n % 8 {
            3 => case(n).value("half {"),
            5 => case(n - 2).value(CASE),
            6 => referral(n),
            _ => case(n),
        })
        .collect()
}

/// Ingests the directory that the environment names, four messages to a batch, with the fail points that it names.
#[tokio::test]
#[ignore = "run by other tests, in a process that is to die"]
async fn a_process_that_ingests() {
    let Some(dir) = std::env::var_os("INGEST_TEST_DIR") else { return };
    let scenario = fail::FailScenario::setup();
    let mut place = Place::at(dir.into(), std::process::id().into());
    let mut config = config();
    (config.batch_rows, config.poll_bytes) = (4, 1);
    if let Ok(rule) = std::env::var("INGEST_TEST_ON_REJECT") {
        place.policy = policy(&rule);
    }
    let crash_file = place.path().join("RUNNING");
    let sink = Box::new(place.log.sink().unwrap());
    place.worker(config).await.with_crash_file(crash_file).with_receipts(sink).drain().await.unwrap();
    scenario.teardown();
}

/// Runs a worker in a process of its own; true when it ended by itself.
fn ingest_in_a_process(place: &Place, fail_points: &str) -> bool {
    process_that_ingests(place, fail_points).output().unwrap().status.success()
}

/// A process that ingests a place, and dies or panics where the fail points say.
pub fn process_that_ingests(place: &Place, fail_points: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "restart::a_process_that_ingests", "--test-threads", "1"]);
    command.env("INGEST_TEST_DIR", place.path()).env("FAILPOINTS", fail_points);
    command
}

async fn dies_and_goes_on(fail_point: &str) {
    let mut undisturbed = Place::new();
    undisturbed.send(&messages());
    undisturbed.drain().await;

    let mut place = Place::new();
    place.send(&messages());
    // The third batch kills the process, and so does the third after that.
    let dies = format!("{fail_point}=2*off->return(abort)");
    assert!(!ingest_in_a_process(&place, &dies), "it was to die");
    let after_one = ingest::reconcile(&place.snapshot().await).await.unwrap();
    assert!(after_one.is_whole() && after_one.status("ok") > 0, "{after_one:?}");
    assert!(!ingest_in_a_process(&place, &dies), "it was to die again");
    assert!(ingest_in_a_process(&place, ""), "it was to live");
    place.reconciled().await;
    assert_eq!(place.rows().await, undisturbed.rows().await);
}

#[tokio::test]
async fn a_process_that_dies_before_the_upload_loses_and_doubles_nothing() {
    dies_and_goes_on("before_upload").await;
}

#[tokio::test]
async fn a_process_that_dies_before_the_commit_loses_and_doubles_nothing() {
    dies_and_goes_on("before_commit").await;
}

#[tokio::test]
async fn a_process_that_dies_after_the_commit_loses_and_doubles_nothing() {
    dies_and_goes_on("after_commit").await;
}
