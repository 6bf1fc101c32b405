//! Who is erased is in no mart, whether maintenance has been there or not, whatever came first and whatever comes later.

use std::sync::Arc;
use std::time::Duration;

use ingest::Eraser;
use lake::Events;
use lake::maintain::{Lease, Maintainer, Now, Rules, claimed};
use models::{Orders, RefreshOptions, people};
use policy::{Erased, Unit};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use sample::tangle::{self, LOG_MS};

use crate::incremental::{Growing, LOG, layering, surrogate};
use crate::road::PLANS;
use crate::support::{keys, policy};

/// Persons of two agencies.
fn persons() -> [[u8; 16]; 2] {
    ["POL-PB", "IOM"].map(|agency| surrogate(agency, "bcdfghjkmnpqrst00"))
}

async fn order(growing: &Growing) {
    let mut erased = Erased::nobody(&keys());
    for person in persons() {
        growing.tell(&people::erasure(person, erased.order(person), 0, LOG_MS * 1_000, true)).await;
    }
}

/// What the next maintenance does.
async fn maintain(growing: &Growing) {
    let events = Events::open(&growing.store, "orders").await.unwrap().snapshot().unwrap();
    let orders = Orders::of(&events, &keys()).await.unwrap();
    let mut lease = Lease::new(&growing.store, "m");
    let mut maintainer = Maintainer::open(&growing.store, "m", lease.number(), Rules::default()).await.unwrap();
    lease.keep(Duration::ZERO, claimed(maintainer.events())).await.unwrap();
    let now = Now { unix_ms: LOG_MS, today: i32::MAX };
    let did = maintainer.erase(Eraser::new(Arc::clone(&orders.erased)), [1; 32], now).await.unwrap();
    assert!(did.files_erased > 0, "the orders themselves at least");
    lease.release().await.unwrap();
}

async fn is_gone(seed: u64, ordered_after: usize, maintained_after: usize) -> Result<(), TestCaseError> {
    let lines = tangle::lines(seed, 60, LOG, &surrogate);
    let growing = Growing::new();
    let step = RefreshOptions { layering: layering(3), plans: PLANS.clone(), ..RefreshOptions::default() };
    let rebuild = RefreshOptions { rebuild: true, ..step.clone() };
    let (before, rest) = lines.split_at(ordered_after);
    let (between, after) = rest.split_at(maintained_after.min(rest.len()));
    growing.ingest(before).await;
    growing.refresh(&step).await;
    order(&growing).await;
    growing.refresh(&step).await;
    growing.ingest(between).await;
    let left_out = growing.refresh(&step).await.0;
    prop_assert_eq!(left_out.hashes(), growing.refresh(&rebuild).await.0.hashes(), "step by step as from nothing");
    let dealt = RefreshOptions { buckets: Some(8), ..rebuild.clone() };
    prop_assert_eq!(
        left_out.hashes(),
        growing.refresh(&dealt).await.0.hashes(),
        "whatever record lies with whatever other"
    );
    maintain(&growing).await;
    let taken_out = growing.refresh(&step).await.0;
    prop_assert_eq!(left_out.hashes(), taken_out.hashes(), "left out as taken out");
    growing.ingest(after).await;
    let later = growing.refresh(&step).await.0;
    prop_assert_eq!(later.hashes(), growing.refresh(&rebuild).await.0.hashes(), "and whatever comes later");
    for dataset in policy().datasets.iter().filter(|dataset| dataset.unit == Unit::Person) {
        let rows = later.microdata(&dataset.name, &policy()).unwrap();
        for person in persons() {
            prop_assert!(!rows.sid.contains(&policy::sid(&keys(), &dataset.universe, person)), "{}", dataset.name);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn an_erased_person_is_in_no_mart_before_and_after_maintenance(
        seed in any::<u64>(),
        ordered_after in 20_usize..50,
        maintained_after in 0_usize..20,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(is_gone(seed, ordered_after, maintained_after))?;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_snapshot_that_questions_are_asked_of_is_replaced_by_one_without_her() {
    let growing = Growing::new();
    growing.ingest(&tangle::lines(7, 60, LOG, &surrogate)).await;
    let (open, _) = growing.refresh(&RefreshOptions::default()).await;
    let in_use = Some(models::InUse { marts: open.hashes(), cut: open.cut() });
    order(&growing).await;
    let options = RefreshOptions { in_use, ..RefreshOptions::default() };
    let (now, _) = growing.refresh(&options).await;
    let instead = models::Snapshot::open_with(&growing.store, &open.hashes()).await.unwrap().unwrap();
    assert_ne!(instead.hashes(), open.hashes(), "she was in it");
    assert_eq!(instead.hashes(), now.hashes(), "but for the orders nothing came");
    assert_eq!((instead.cut(), instead.info().erased_since), (open.cut(), 2), "of the same cut, and it says so");
    assert_ne!(instead.name(), now.name());
    let latest = models::Snapshot::open_latest(&growing.store).await.unwrap().unwrap();
    assert_eq!(latest.name(), now.name(), "what is known now goes on from what was known last");
}

/// An id under which a correction of what was said of her came, and somebody accused: the one goes, the other stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_correction_of_hers_goes_and_what_else_its_id_tells_stays() {
    is_gone(2_539_960_139_677_295_964, 47, 7).await.unwrap();
    is_gone(3_628_821_303_462_931_549, 43, 13).await.unwrap();
}
