//! A wall clock that jumps: only when a row was ingested depends on it (ingestion.md 3.4, crash-point table; 3.9).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arrow::array::AsArray as _;
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use futures::TryStreamExt as _;
use ingest::{Clock, CountedIds, Worker};

use crate::support::*;

/// A wall clock that is wrong in another way each time it is asked.
#[derive(Debug, Default)]
struct JumpingClock {
    asked: AtomicUsize,
}

impl Clock for JumpingClock {
    fn now_us(&self) -> i64 {
        let wrong_days = [0, 2, -400, 1, -1, 3, -2];
        let days = wrong_days[self.asked.fetch_add(1, Ordering::SeqCst) % wrong_days.len()];
        StillClock { days }.now_us()
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

/// Rows but for how long set-aside bytes are kept, which is counted from when they were ingested.
async fn rows_of(place: &mut Place) -> Vec<Row> {
    let mut rows = place.rows().await;
    for row in &mut rows {
        row.headers.retain(|(name, _)| name != "amanat-keep-until");
    }
    rows
}

#[tokio::test]
async fn a_clock_that_jumps_changes_no_row_and_the_time_of_ingestion_never_goes_back() {
    let messages: Vec<Sent> = (0..60)
        .map(|n| match n % 6 {
            2 => case(n).value("half {"),
            4 => case(n - 4),
            5 => referral(n),
            _ => case(n),
        })
        .collect();
    let mut undisturbed = Place::new();
    undisturbed.send(&messages);
    undisturbed.drain().await;

    let mut place = Place::new();
    place.send(&messages);
    let mut small = config();
    (small.batch_rows, small.poll_bytes) = (4, 1);
    let (source, events) = (place.log.source().unwrap(), place.events().await);
    let (policy, keys, ids) = (place.policy.clone(), Arc::new(keys()), Arc::new(CountedIds::new(7)));
    let clock = Arc::new(JumpingClock::default());
    let report = Worker::new(source, events, policy, keys, small, clock, ids).drain().await.unwrap();
    assert!(report.batches >= 10, "{} batches", report.batches);
    place.reconciled().await;
    assert_eq!(rows_of(&mut place).await, rows_of(&mut undisturbed).await);

    let snapshot = place.snapshot().await;
    let mut times = Vec::new();
    for file in snapshot.files.iter() {
        let batches: Vec<_> = snapshot.read(file, &["log_offset", "ingested_at"]).unwrap().try_collect().await.unwrap();
        for batch in batches {
            let offsets = batch.column(0).as_primitive::<Int64Type>().values().iter().copied();
            let at = batch.column(1).as_primitive::<TimestampMicrosecondType>().values().iter().copied();
            times.extend(offsets.zip(at));
        }
    }
    times.sort_unstable();
    assert_eq!(times.len(), messages.len());
    assert!(times.is_sorted_by_key(|(_, at)| *at), "{times:?}");
    assert!(times.first().unwrap().1 < times.last().unwrap().1, "it did jump");
}
