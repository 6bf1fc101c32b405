//! The vault's memory: the contract of `ReleaseStore`, and what refuses to open (privacy.md 6.1).

use std::sync::Barrier;

use disclosure::{Entry, Head, ReleaseStore, Remembered, StoreError};
use ledger::VaultStore;
use proptest::prelude::*;

use crate::support::*;

#[test]
fn what_was_committed_is_replayed_in_that_order_by_the_next_process() {
    let place = Place::new();
    let entries = [anchor(0), answer(0), charge(0), anchor(1), answer(1), answer(2), charge(1)];
    let mut store = VaultStore::create(&place.vault(), KEY).unwrap();
    let half = store.commit(Head::default(), &entries[..3]).unwrap();
    let head = store.commit(half, &entries[3..]).unwrap();
    drop(store);
    let mut store = VaultStore::open(&place.vault(), KEY, head).unwrap();
    assert_eq!(all(&mut store), entries);
    let mut later = Vec::new();
    assert_eq!(store.replay(half, &mut |entry| later.push(entry)).unwrap(), head);
    assert_eq!((later.as_slice(), store.head().unwrap()), (&entries[3..], head));
}

#[test]
fn a_missing_memory_is_an_error_and_is_not_made_anew() {
    let place = Place::new();
    let opened = VaultStore::open(&place.vault(), KEY, Head::default());
    assert!(matches!(opened, Err(StoreError::Missing)), "{opened:?}");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn a_memory_of_another_key_is_refused() {
    let place = Place::new();
    place.remembered(0..1);
    let opened = VaultStore::open(&place.vault(), "8899aabbccddeeff", Head::default());
    assert!(matches!(opened, Err(StoreError::OtherKey)), "{opened:?}");
}

#[test]
fn a_memory_that_ends_before_what_is_known_is_refused() {
    let place = Place::new();
    let (store, head) = place.remembered(0..3);
    drop(store);
    let known = head.after(b"one more");
    let opened = VaultStore::open(&place.vault(), KEY, known);
    assert!(matches!(opened, Err(StoreError::Behind { has: 3, known: 4 })), "{opened:?}");
}

#[test]
fn a_memory_that_went_another_way_than_what_is_known_is_damaged_there() {
    let place = Place::new();
    let (mut store, _) = place.remembered(0..3);
    let other = Head { entries: 2, hash: [9; 32] };
    let opened = VaultStore::open(&place.vault(), KEY, other);
    assert!(matches!(opened, Err(StoreError::Damaged(2))), "{opened:?}");
    assert!(matches!(store.replay(other, &mut |_| ()), Err(StoreError::Damaged(2))));
}

#[test]
fn an_older_copy_put_back_is_refused_by_the_head_that_was_recorded_since() {
    let place = Place::new();
    let (mut store, before) = place.remembered(0..3);
    let copy = place.path().join("copy.db");
    assert_eq!(store.backup_to(&copy).unwrap(), before);
    let known = store.commit(before, &[answer(0)]).unwrap();
    drop(store);
    std::fs::rename(&copy, place.vault()).unwrap();
    let opened = VaultStore::open(&place.vault(), KEY, known);
    assert!(matches!(opened, Err(StoreError::Behind { has: 3, known: 4 })), "{opened:?}");
}

#[test]
fn a_commit_after_another_head_than_the_newest_has_moved() {
    let place = Place::new();
    let (mut store, head) = place.remembered(0..2);
    assert!(matches!(store.commit(Head::default(), &[anchor(9)]), Err(StoreError::Moved)));
    let other = Head { hash: [1; 32], ..head };
    assert!(matches!(store.commit(other, &[anchor(9)]), Err(StoreError::Moved)));
    assert_eq!(store.head().unwrap(), head);
}

#[test]
fn of_two_that_commit_at_once_exactly_one_wins_and_the_other_replays_and_succeeds() {
    let place = Place::new();
    place.remembered(0..0);
    let rounds = 40;
    let barrier = Barrier::new(2);
    let path = place.vault();
    let moved: u64 = std::thread::scope(|scope| {
        let writer = |me: u64| {
            let (barrier, path) = (&barrier, &path);
            move || {
                let mut store = VaultStore::open(path, KEY, Head::default()).unwrap();
                let (mut head, mut moved) = (Head::default(), 0);
                for round in 0..rounds {
                    head = store.replay(head, &mut |_| ()).unwrap();
                    barrier.wait(); // both know the same head
                    let mine = [anchor(2 * round + me)];
                    head = match store.commit(head, &mine) {
                        Ok(head) => head,
                        Err(StoreError::Moved) => {
                            moved += 1;
                            let mut between = Vec::new();
                            let head = store.replay(head, &mut |entry| between.push(entry)).unwrap();
                            assert_eq!(between, [anchor(2 * round + 1 - me)]);
                            store.commit(head, &mine).unwrap()
                        }
                        Err(error) => panic!("{error}"),
                    };
                    barrier.wait(); // both are in
                }
                moved
            }
        };
        let (one, two) = (scope.spawn(writer(0)), scope.spawn(writer(1)));
        one.join().unwrap() + two.join().unwrap()
    });
    assert_eq!(moved, rounds);
    let mut store = VaultStore::open(&path, KEY, Head::default()).unwrap();
    assert_eq!(all(&mut store).len() as u64, 2 * rounds);
}

#[test]
fn a_changed_entry_is_named() {
    let place = Place::new();
    let (mut store, head) = place.remembered(0..5);
    tamper(&place.vault(), "UPDATE entries SET bytes = CAST(bytes || x'00' AS BLOB) WHERE number = 3");
    let mut told = 0;
    let replayed = store.replay(Head::default(), &mut |_| told += 1);
    assert!(matches!(replayed, Err(StoreError::Damaged(3))), "{replayed:?}");
    assert_eq!(told, 2);
    // Who knows it up to there already sees what comes after.
    assert_eq!(store.replay(Head { entries: 3, hash: hash_at(&place, 3) }, &mut |_| ()).unwrap(), head);
}

fn hash_at(place: &Place, number: u64) -> [u8; 32] {
    let connection = rusqlite::Connection::open(place.vault()).unwrap();
    connection.query_row("SELECT hash FROM entries WHERE number = ?1", [number], |row| row.get(0)).unwrap()
}

#[test]
fn an_entry_that_was_taken_away_is_named() {
    let place = Place::new();
    let (mut store, _) = place.remembered(0..5);
    tamper(&place.vault(), "DELETE FROM entries WHERE number = 2");
    assert!(matches!(store.replay(Head::default(), &mut |_| ()), Err(StoreError::Damaged(2))));
}

#[test]
fn bytes_that_are_no_entry_are_named_though_their_hash_holds() {
    let place = Place::new();
    let (mut store, head) = place.remembered(0..1);
    let bytes = [0xff; 9];
    rusqlite::Connection::open(place.vault())
        .unwrap()
        .execute("INSERT INTO entries VALUES (2, ?1, ?2)", (bytes, head.after(&bytes).hash))
        .unwrap();
    assert!(matches!(store.replay(Head::default(), &mut |_| ()), Err(StoreError::Damaged(2))));
}

#[test]
fn a_copy_is_whole_and_opens_where_the_original_was_while_others_go_on() {
    let place = Place::new();
    let (mut store, head) = place.remembered(0..100);
    let copy = place.path().join("copy.db");
    assert_eq!(store.backup_to(&copy).unwrap(), head);
    store.commit(head, &[answer(0)]).unwrap();
    let mut copied = VaultStore::open(&copy, KEY, head).unwrap();
    assert_eq!(all(&mut copied), (0..100).map(anchor).collect::<Vec<_>>());
    copied.commit(head, &[charge(1)]).unwrap();
    let again = store.backup_to(&copy);
    assert!(matches!(again, Err(StoreError::Io(_))), "{again:?}");
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let one = (any::<u64>(), 0..3).prop_map(|(n, kind)| match kind {
        0 => anchor(n >> 8),
        1 => answer(n >> 8),
        _ => charge(n >> 8),
    });
    prop::collection::vec(one, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn it_is_the_memory_in_memory_kept_on_disk(batches in prop::collection::vec((entries(), any::<bool>()), 1..8)) {
        let place = Place::new();
        let (mut disk, mut memory) = (VaultStore::create(&place.vault(), KEY).unwrap(), Remembered::default());
        let mut stale = Head::default();
        for (batch, late) in batches {
            let head = memory.head().unwrap();
            prop_assert_eq!(disk.head().unwrap(), head);
            let after = if late { stale } else { head };
            match (disk.commit(after, &batch), memory.commit(after, &batch)) {
                (Ok(one), Ok(other)) => prop_assert_eq!(one, other),
                (Err(StoreError::Moved), Err(StoreError::Moved)) => prop_assert!(late),
                other => prop_assert!(false, "{:?}", other),
            }
            let (mut one, mut other) = (Vec::new(), Vec::new());
            let heads = (disk.replay(stale, &mut |e| one.push(e)), memory.replay(stale, &mut |e| other.push(e)));
            prop_assert_eq!(heads.0.unwrap(), heads.1.unwrap());
            prop_assert_eq!(one, other);
            stale = head;
        }
    }
}
