//! Editions of the sample: what is exact, what was not collected, and that the manifest's hash is that of `sql/`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use disclosure::ObsStatus;
use models::edition::{Key, Row, release, unprotected};
use models::{RefreshOptions, SqlSet, refresh};
use policy::Policy;
use sample::Size;

use crate::support::{AS_OF, Arrival, Lake, feed, keys, policy};

const EXACT: [&str; 4] = ["C01", "C04", "L01", "L02"];

#[tokio::test(flavor = "multi_thread")]
async fn exact_cells_are_the_counts_and_what_nobody_reported_is_not_a_zero() {
    let lake = Lake::of(&feed(Size::Small), Arrival::default()).await;
    let (snapshot, _) = lake.refresh(&RefreshOptions::default()).await;
    assert_eq!(snapshot.sql_hash(), SqlSet::embedded().hash().to_hex().as_str());
    let (policy, as_of) = (policy(), AS_OF.parse().unwrap());
    let source = snapshot.source(&policy);
    let counts: BTreeMap<Key, u64> = unprotected(&source, &policy, &keys(), as_of).unwrap().into_iter().collect();
    let rows = release(&source, &policy, &keys(), as_of).unwrap().rows;

    let is_exact = |row: &&Row| EXACT.contains(&row.key.indicator.as_str()) && row.unit != "percent";
    let (mut zeros, mut silent) = (0, 0);
    for row in rows.iter().filter(is_exact) {
        let count = counts[&row.key];
        match row.figure.obs_status() {
            ObsStatus::L => {
                silent += 1;
                assert_eq!(count, 0, "{:?}: reported, and marked as not collected", row.key);
                assert_eq!(row.figure.value(), None);
            }
            ObsStatus::A => {
                zeros += usize::from(count == 0);
                let exact = [row.figure.value(), row.figure.lo95(), row.figure.hi95()];
                assert!(
                    exact.iter().all(|v| v.and_then(disclosure::Amount::as_integer) == Some(count as i64)),
                    "{:?}",
                    row.key
                );
            }
            other => panic!("{:?} is {other:?}", row.key),
        }
    }
    assert!(zeros > 0 && silent > 0, "{zeros} zeros, {silent} not collected");

    // Nothing about persons is ever said to be empty: missing and hidden look the same.
    let of_victims = |row: &&Row| ["V01", "V03", "V11"].contains(&row.key.indicator.as_str());
    assert!(rows.iter().filter(of_victims).all(|row| row.figure.obs_status() != ObsStatus::L));
}

/// As the store of the CTDC records: victims and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_policy_of_one_dataset_makes_its_mart_and_publishes_its_indicators_alone() {
    let few: Vec<_> = feed(Size::Small).into_iter().take(6_000).collect();
    let lake = Lake::of(&few, Arrival::default()).await;
    let policy = Arc::new(Policy::parse(policy::DEFAULT_AGENCIES, policy::CTDC_DATASETS).unwrap());
    let options = RefreshOptions::default();
    let (snapshot, _) = refresh(&lake.store, &lake.events().await, &policy, &keys(), &options).await.unwrap();
    assert_eq!(snapshot.hashes().keys().collect::<Vec<_>>(), ["calendar", "victims"]);
    let rows = release(&snapshot.source(&policy), &policy, &keys(), AS_OF.parse().unwrap()).unwrap().rows;
    let indicators: BTreeSet<&str> = rows.iter().map(|row| row.key.indicator.as_str()).collect();
    assert_eq!(
        indicators.into_iter().collect::<Vec<_>>(),
        ["V01", "V03", "V04", "V11"],
        "no rate: they are of the whole world"
    );
}
