//! Uploads that come to no end, and puts that arrive when nobody waits for them any more (ingestion.md 3.4, crash-point table).

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use lake::maintain::Now;
use lake::{Events, LaneBatch, Outcome, Retry};
use object_store::Error;

use crate::support::*;

/// Enough for an upload in several parts, of 5 MiB each.
fn large() -> LaneBatch {
    lane(bulky(&partition(0), 0..200, 64 << 10))
}

async fn through(place: &Place, faults: &Faults) -> Events {
    let events = Events::open_or_create(&place.through(faults), "w").await.unwrap();
    events.with_retry(Retry { attempts: 3, wait_ms: 1 })
}

async fn nothing_is_there(place: &Place) {
    assert_eq!(all_offsets(place).await, []);
    assert_eq!(place.files("lake/events", ".parquet").await, []);
}

#[tokio::test]
async fn an_upload_that_breaks_at_any_part_shows_nothing_and_the_batch_goes_in_later_once() {
    let (place, faults) = (Place::new(), Faults::default());
    let mut events = through(&place, &faults).await;
    let at = partition(0);
    let claim = claim(&mut events, &at).await;
    let mut broke = 0;
    let written = loop {
        let script: Vec<_> = std::iter::repeat_n(Fault::None, broke).chain([Fault::Away]).collect();
        faults.script(".parquet", &script);
        match events.write(vec![large()]).await {
            Ok(written) => break written,
            Err(error) => assert!(error.is_transient(), "{error}"),
        }
        nothing_is_there(&place).await;
        assert_eq!(place.staged(), 0, "broken at {broke}");
        broke += 1;
    };
    assert!(broke >= 5, "its beginning, three parts and its end: {broke}");
    assert!(matches!(events.commit(&batch(&at, None, 200, claim, written)).await.unwrap(), Outcome::Committed { .. }));
    assert_eq!(all_offsets(&place).await.len(), 200);
    assert_eq!(place.files("lake/events", ".parquet").await.len(), 1);
}

/// As when a group takes its partitions away.
#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing() {
    let place = Place::on_disk();
    let events = place.events("w").await;
    let mut writer = events.writer().unwrap();
    // More than a row group: its parts are on their way before the file is closed.
    writer.write(lane(bulky(&partition(0), 0..140_000, 64))).await.unwrap();
    assert_eq!(place.staged(), 1, "it has begun");
    writer.abort().await;
    assert_eq!(place.staged(), 0);
    nothing_is_there(&place).await;
}

#[tokio::test]
#[ignore = "run by the test below, in a process of its own"]
async fn the_process_that_dies_while_it_uploads() {
    let store = crate::stores::at(std::path::Path::new(&std::env::var("LAKE_DIR").unwrap()));
    let faults = Faults::default();
    let events = Events::open(&faults.over(&store), "dies").await.unwrap();
    faults.script(".parquet", &[Fault::None, Fault::None, Fault::Die]);
    let _ = events.write(vec![large()]).await;
}

#[tokio::test]
async fn what_a_process_that_dies_in_the_middle_of_an_upload_leaves_nobody_sees_and_vacuum_takes() {
    let place = Place::new();
    let mut events = place.events("w").await;
    let at = partition(0);
    let claim = claim(&mut events, &at).await;
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["uploads::the_process_that_dies_while_it_uploads", "--exact", "--ignored"]);
    let status = child.env("LAKE_DIR", place.dir.path()).output().unwrap().status;
    assert_eq!(status.signal(), Some(6), "{status}");
    nothing_is_there(&place).await;
    let written = events.write(vec![large()]).await.unwrap();
    assert!(matches!(events.commit(&batch(&at, None, 200, claim, written)).await.unwrap(), Outcome::Committed { .. }));
    assert_eq!(all_offsets(&place).await.len(), 200);

    let left = usize::from(place.store.dir().is_some());
    let (mut m, _lease) = maintainer(&place.store, "m").await;
    m.announce().await.unwrap();
    let today = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    for (days, still_there) in [(6, left), (8, 0)] {
        m.vacuum(Now { unix_ms: today + days * DAY_MS, today: 30_000 }).await.unwrap();
        assert_eq!(place.staged(), still_there, "after {days} days");
    }
    assert_eq!(all_offsets(&place).await.len(), 200);
}

/// Of a put that was given up and its retry one is in the log, whichever comes first: both may only create, both aim behind the
/// newest version, and they share their application ids (ingestion.md 3.4, "a property worth a proof").
#[tokio::test]
async fn a_put_that_arrives_after_it_was_given_up_is_in_the_log_once_with_its_retry() {
    for script in [&[Fault::Late, Fault::None][..], &[Fault::Late, Fault::Overtaken]] {
        let (place, faults) = (Place::new(), Faults::default());
        let mut events = through(&place, &faults).await;
        let at = partition(0);
        let claim = claim(&mut events, &at).await;
        let batch = closed(&events, &at, None, 5, claim).await;
        let version = events.lake_version();
        faults.script("_delta_log", script);
        assert_eq!(
            events.commit(&batch).await.unwrap(),
            Outcome::Committed { lake_version: version + 1 },
            "{script:?}"
        );
        if script[1] == Fault::None {
            let late = faults.arrive(&*place.store.root_objects()).await;
            assert!(matches!(late, Err(Error::AlreadyExists { .. })), "{late:?}");
        }
        assert_eq!(place.events("r").await.lake_version(), version + 1, "one commit: {script:?}");
        assert_eq!(all_offsets(&place).await.len(), 5, "{script:?}");
        assert!(matches!(append(&mut events, &at, Some(5), 9, claim).await, Outcome::Committed { .. }));
    }
}
