//! A maintainer killed at any point of a rewrite: no row is lost or doubled, and the next one finishes the work.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

use lake::maintain::{Lease, Maintainer, Rules};

use crate::support::*;

/// Runs [`the_process_that_is_killed`] in a process of its own, which ends at a fail point.
fn killed_at(point: &str, place: &Place) {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["kills::the_process_that_is_killed", "--exact", "--ignored"])
        .env("FAILPOINTS", format!("{point}=return(abort)"))
        .env("LAKE_DIR", place.dir.path())
        .output()
        .unwrap()
        .status;
    assert_eq!(status.signal(), Some(6), "it ended at {point}: {status}");
}

#[tokio::test]
#[ignore = "run by the tests of this module, in a process of its own"]
async fn the_process_that_is_killed() {
    let _scenario = fail::FailScenario::setup();
    let store = crate::stores::at(std::path::Path::new(&std::env::var("LAKE_DIR").unwrap()));
    let (mut maintainer, _lease) = maintainer(&store, "killed").await;
    maintainer.expire(20_001, NEXT_DAY).await.unwrap();
    maintainer.compact(NEXT_DAY, None, |_, _| {}).await.unwrap();
    maintainer.events().clone().checkpoint().await.unwrap();
}

async fn successor(place: &Place) -> Maintainer {
    let mut lease = Lease::new(&place.store, "next");
    lease.keep(Duration::ZERO, 0).await.unwrap();
    lease.keep(Duration::from_secs(90), 0).await.unwrap();
    let rules = Rules { most_small: 3, ..Rules::default() };
    Maintainer::open(&place.store, "next", lease.number(), rules).await.unwrap()
}

#[tokio::test]
async fn killed_at_any_point_of_a_rewrite_the_rows_stay_and_the_next_maintainer_finishes() {
    for point in [
        "rewrite_before_upload",
        "rewrite_after_upload",
        "rewrite_before_commit",
        "rewrite_after_commit",
        "after_checkpoint",
    ] {
        let place = Place::new();
        let before = fingerprint(&filled(&place, 6, 20).await.snapshot().unwrap()).await;
        killed_at(point, &place);
        let after = place.events("r").await.snapshot().unwrap();
        assert_eq!(fingerprint(&after).await, before, "at {point}");

        let mut next = successor(&place).await;
        next.announce().await.unwrap();
        next.compact(NEXT_DAY, None, |_, _| {}).await.unwrap();
        let done = place.events("r").await.snapshot().unwrap();
        assert_eq!((fingerprint(&done).await, done.files.len()), (before, 1), "at {point}");
        // What the killed one left is nobody's.
        let later = lake::maintain::Now { unix_ms: i64::MAX / 4, ..NEXT_DAY };
        next.vacuum(later).await.unwrap();
        assert_eq!(place.files("lake/events/_lane=main", ".parquet").await.len(), 1, "at {point}");
        assert_eq!(fingerprint(&place.events("r").await.snapshot().unwrap()).await, before, "at {point}");
    }
}
