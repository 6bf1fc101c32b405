//! The same facts are the same Snapshot and the same edition, whatever came first and however it was cut into batches.

use std::collections::BTreeMap;
use std::time::Duration;

use lake::maintain::{Lease, Maintainer, Now, Rules};
use models::edition::{release, to_batch};
use models::{RefreshOptions, Snapshot};
use sample::{Feedline, Size};

use crate::support::{AS_OF, Arrival, Lake, feed, policy, vault};

/// Hashes of all marts, and of the rows that an edition would publish.
pub async fn hashes(
    lines: &[Feedline],
    arrival: Arrival,
    options: &RefreshOptions,
) -> (BTreeMap<String, String>, String) {
    let (snapshot, _) = Lake::of(lines, arrival).await.refresh(options).await;
    let (policy, as_of) = (policy(), AS_OF.parse().unwrap());
    let released = release(&snapshot.source(&policy), &vault(&policy), as_of, 1).unwrap();
    let rows = to_batch(&released.rows, 1, as_of);
    (snapshot.hashes(), lake::canonical::hash(&rows.schema(), &[rows]).unwrap().to_hex().to_string())
}

/// The topics one after the other, the last first; each in its own order.
fn by_topic(mut lines: Vec<Feedline>) -> Vec<Feedline> {
    lines.sort_by(|a, b| b.topic.cmp(a.topic));
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edition_is_equal_whatever_the_batches_partitions_order_of_arrival_wire_format_and_buckets() {
    let lines = feed(Size::Small);
    let expected = hashes(&lines, Arrival::default(), &RefreshOptions::default()).await;
    assert_eq!(expected.0.len(), 21, "fourteen datasets, the calendar, and six tables of reference data");

    let cut_small = Arrival { partitions: 3, batch_rows: 997 };
    let few_buckets = RefreshOptions { buckets: Some(4), threads: 1, ..RefreshOptions::default() };
    assert_eq!(
        hashes(&lines, cut_small, &few_buckets).await,
        expected,
        "three partitions, small batches, four buckets"
    );

    let avro: Vec<Feedline> = lines.iter().cloned().map(sample::avro::line).collect();
    assert!(avro.iter().filter(|line| line.value.first() == Some(&0)).count() > 20_000);
    let by_avro = hashes(&avro, Arrival::default(), &RefreshOptions::default()).await;
    assert_eq!(by_avro, expected, "the same events written in Avro");

    let many_buckets = RefreshOptions { buckets: Some(64), ..RefreshOptions::default() };
    assert_eq!(hashes(&by_topic(lines), Arrival::default(), &many_buckets).await, expected, "topic after topic");
}

/// Compaction puts rows into other files, in another order: before anything was staged, and between two refreshes.
#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_equal_whether_files_were_compacted_before_they_were_staged_or_after() {
    let lines: Vec<_> = feed(Size::Small).into_iter().take(6_000).collect();
    let force = RefreshOptions { force: true, ..RefreshOptions::default() };
    let lake = Lake::of(&lines, Arrival { partitions: 1, batch_rows: 97 }).await;
    let before = lake.refresh(&force).await;
    let (files, staged) = (lake.events().await.files.len(), before.0.lake_version());
    assert_eq!(Snapshot::latest_lake_version(&lake.store).await.unwrap(), Some(staged));

    let mut lease = Lease::new(&lake.store, "m");
    let mut maintainer = Maintainer::open(&lake.store, "m", lease.number(), Rules::default()).await.unwrap();
    lease.keep(Duration::ZERO, 0).await.unwrap();
    let far = Now { unix_ms: 0, today: i32::MAX };
    maintainer.compact(far, Some(staged), |_, _| {}).await.unwrap();
    let compacted = lake.events().await.files.len();
    assert!(files > 20 && compacted <= 2, "{files} files became {compacted}");
    let after = lake.refresh(&force).await;
    assert_eq!(after.0.hashes(), before.0.hashes());
    assert_eq!(after.1.stage, before.1.stage, "no event is lost or staged twice");

    let fresh = Lake::of(&lines, Arrival { partitions: 1, batch_rows: 97 }).await;
    let mut lease = Lease::new(&fresh.store, "m");
    let mut maintainer = Maintainer::open(&fresh.store, "m", lease.number(), Rules::default()).await.unwrap();
    lease.keep(Duration::ZERO, 0).await.unwrap();
    maintainer.compact(far, None, |_, _| {}).await.unwrap();
    assert_eq!(fresh.refresh(&force).await.0.hashes(), before.0.hashes());
}
