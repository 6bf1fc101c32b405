//! The same facts are the same Snapshot and the same edition, whatever came first and however it was cut into batches.

use std::collections::BTreeMap;

use models::RefreshOptions;
use models::edition::{release, to_batch};
use sample::{Feedline, Size};

use crate::support::{AS_OF, Arrival, Lake, feed, keys, policy};

/// Hashes of all marts, and of the rows that an edition would publish.
async fn hashes(lines: &[Feedline], arrival: Arrival, options: &RefreshOptions) -> (BTreeMap<String, String>, String) {
    let (snapshot, _) = Lake::of(lines, arrival).await.refresh(options).await;
    let (policy, as_of) = (policy(), AS_OF.parse().unwrap());
    let released = release(&snapshot.source(&policy), &policy, &keys(), as_of).unwrap();
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
    assert_eq!(expected.0.len(), 9, "eight datasets and the calendar");

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
