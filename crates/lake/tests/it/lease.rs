//! Who maintains: one at a time, and a paused one learns that it no longer does.

use std::time::Duration;

use lake::maintain::{Lease, Maintainer, Rules, Standing};
use lake::{LakeError, Store};

use crate::support::*;

const S: fn(u64) -> Duration = Duration::from_secs;

async fn held(lease: &mut Lease, now: u64) -> bool {
    matches!(lease.keep(S(now), 0).await.unwrap(), Standing::Held { .. })
}

async fn objects(place: &Place) -> usize {
    place.files("lake/_lease", ".json").await.len()
}

#[tokio::test]
async fn the_first_holds_renews_every_twenty_seconds_and_keeps_one_object() {
    let place = Place::new();
    let mut a = Lease::new(&place.store, "a");
    assert_eq!(a.keep(S(0), 0).await.unwrap(), Standing::Held { number: 1 });
    assert_eq!(a.keep(S(19), 0).await.unwrap(), Standing::Held { number: 1 });
    assert_eq!(a.keep(S(20), 0).await.unwrap(), Standing::Held { number: 2 });
    assert_eq!((a.number().get(), objects(&place).await), (Some(2), 1));
}

#[tokio::test]
async fn another_waits_until_it_has_seen_no_new_number_for_ninety_seconds_of_its_own_clock() {
    let place = Place::new();
    let (mut a, mut b) = (Lease::new(&place.store, "a"), Lease::new(&place.store, "b"));
    assert!(held(&mut a, 0).await);
    // b's clock has nothing to do with a's.
    let b0 = 1_000_000;
    assert!(!held(&mut b, b0).await);
    assert!(held(&mut a, 60).await, "a renews");
    assert!(!held(&mut b, b0 + 60).await, "a new number: the ninety seconds begin again");
    assert!(!held(&mut b, b0 + 149).await);
    assert!(held(&mut b, b0 + 150).await);
    assert!(!held(&mut a, 200).await, "and a learns it");
    assert_eq!(a.number().get(), None);
}

#[tokio::test]
async fn of_many_that_take_over_at_once_one_wins() {
    let place = Place::new();
    let mut gone = Lease::new(&place.store, "gone");
    assert!(held(&mut gone, 0).await);
    let mut others: Vec<_> = (0..8).map(|n| Lease::new(&place.store, &format!("{n}"))).collect();
    for other in &mut others {
        assert!(!held(other, 0).await);
    }
    let takes = others.iter_mut().map(|other| other.keep(S(90), 0));
    let standings = futures::future::join_all(takes).await;
    let won = standings.iter().filter(|s| matches!(s, Ok(Standing::Held { .. }))).count();
    assert_eq!(won, 1, "{standings:?}");
}

#[tokio::test]
async fn a_holder_that_ends_is_followed_at_once_and_numbers_never_repeat() {
    let place = Place::new();
    let (mut a, mut b) = (Lease::new(&place.store, "a"), Lease::new(&place.store, "b"));
    assert_eq!(a.keep(S(0), 41).await.unwrap(), Standing::Held { number: 42 }, "above what the table has seen");
    a.release().await.unwrap();
    assert_eq!(b.keep(S(0), 42).await.unwrap(), Standing::Held { number: 44 });
}

#[tokio::test]
async fn a_number_whose_answer_was_lost_is_still_the_holders() {
    let (place, faults) = (Place::new(), Faults::default());
    let store: Store = place.through(&faults);
    let mut a = Lease::new(&store, "a");
    faults.script("_lease", &[Fault::LostAnswer]);
    assert!(a.keep(S(0), 0).await.is_err());
    assert!(held(&mut a, 1).await);

    faults.script("_lease", &[Fault::Retried]);
    let _ = a.keep(S(21), 0).await.unwrap();
    assert!(held(&mut a, 22).await, "nor does a second try of the client take it away");
}

#[tokio::test]
async fn a_paused_maintainer_that_wakes_after_a_takeover_commits_and_deletes_nothing() {
    let place = Place::new();
    filled(&place, 4, 10).await;
    let (mut paused, _lease) = maintainer(&place.store, "paused").await;
    paused.announce().await.unwrap();
    let old = paused.to_compact(NEXT_DAY, None).await.unwrap();
    assert_eq!(old.len(), 1);

    let mut b = Lease::new(&place.store, "b");
    assert!(!held(&mut b, 0).await);
    assert!(held(&mut b, 90).await);
    let mut next = Maintainer::open(&place.store, "b", b.number(), Rules::default()).await.unwrap();
    next.announce().await.unwrap();
    let version = next.events().lake_version();

    let files = place.files("lake/events", ".parquet").await;
    let error = paused.compact(NEXT_DAY, None, |_, _| {}).await.unwrap_err();
    assert!(matches!(error, LakeError::Superseded { .. }), "{error}");
    for error in [paused.vacuum(NEXT_DAY).await.unwrap_err(), paused.purge(&[]).await.unwrap_err()] {
        assert!(matches!(error, LakeError::Superseded { .. }), "{error}");
    }
    assert!(matches!(paused.checkpoint(true).await, Err(LakeError::Superseded { .. })));
    assert!(matches!(paused.clean_log(NEXT_DAY).await, Err(LakeError::Superseded { .. })));
    assert_eq!(place.events("r").await.lake_version(), version);
    assert_eq!(place.files("lake/events", ".parquet").await, files);
}
