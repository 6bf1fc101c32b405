//! What is published so that one partition becomes another.

use std::collections::{BTreeMap, BTreeSet};

use linkage::{Change, Clusters, PersonId, difference};
use proptest::prelude::*;

fn clusters(clusters: &[&[u8]]) -> Clusters {
    Clusters::of(clusters.iter().map(|members| members.iter().map(|person| [*person; 16]).collect()))
}

fn merged(kept: u8, joined: u8) -> Change {
    Change::Merged { kept: [kept; 16], joined: [joined; 16] }
}

fn split(from: u8, persons: &[u8]) -> Change {
    Change::Split { from: [from; 16], persons: persons.iter().map(|person| [*person; 16]).collect() }
}

#[test]
fn equal_partitions_differ_by_nothing() {
    let all = clusters(&[&[1, 4], &[2], &[3]]);
    assert_eq!(difference(&all, &all), []);
}

#[test]
fn who_was_not_linked_is_merged_one_by_one() {
    assert_eq!(difference(&Clusters::default(), &clusters(&[&[1, 4, 5], &[2]])), [merged(1, 4), merged(1, 5)]);
}

#[test]
fn two_clusters_become_one_by_one_event() {
    assert_eq!(difference(&clusters(&[&[1, 4], &[2, 5]]), &clusters(&[&[1, 2, 4, 5]])), [merged(1, 2)]);
}

#[test]
fn who_leaves_takes_along_who_stays_with_her() {
    assert_eq!(difference(&clusters(&[&[1, 2, 4, 5]]), &clusters(&[&[1, 4], &[2, 5]])), [split(1, &[2, 5])]);
}

#[test]
fn who_moves_leaves_before_she_is_merged() {
    let (old, new) = (clusters(&[&[1, 3], &[2]]), clusters(&[&[1], &[2, 3]]));
    assert_eq!(difference(&old, &new), [split(1, &[3]), merged(2, 3)]);
}

/// Partitions of twelve persons; the smaller number is the older person.
fn partition() -> impl Strategy<Value = Clusters> {
    proptest::collection::vec(0..6_usize, 12).prop_map(|places| {
        let mut members = vec![Vec::new(); 6];
        places.iter().enumerate().for_each(|(person, place)| members[*place].push([person as u8; 16]));
        Clusters::of(members)
    })
}

fn sets(clusters: &Clusters) -> BTreeMap<PersonId, BTreeSet<PersonId>> {
    clusters.iter().map(|members| (members[0], members.iter().copied().collect())).collect()
}

/// What somebody knows who is told of changes: clusters by their ids.
fn told(known: &mut BTreeMap<PersonId, BTreeSet<PersonId>>, change: &Change) {
    match change {
        Change::Split { from, persons } => {
            let left = known.get_mut(from).unwrap();
            assert!(persons.iter().all(|person| left.remove(person)), "who leaves was there");
            known.insert(persons[0], persons.iter().copied().collect());
        }
        Change::Merged { kept, joined } => {
            let members = known.remove(joined).unwrap();
            known.get_mut(kept).unwrap().extend(members);
        }
    }
}

proptest! {
    #[test]
    fn who_is_told_of_the_differences_knows_the_new_partition(old in partition(), new in partition()) {
        let mut known = sets(&old);
        let changes = difference(&old, &new);
        for change in &changes {
            told(&mut known, change);
        }
        prop_assert_eq!(known, sets(&new));
        // Down to the pieces that both have, and up again: nothing less leads there without calling strangers one.
        let place = |of: &Clusters, person: u8| of.iter().position(|members| members.contains(&[person; 16]));
        let pieces: BTreeSet<_> = (0..12).map(|person| (place(&old, person), place(&new, person))).collect();
        prop_assert_eq!(changes.len(), 2 * pieces.len() - old.len() - new.len());
    }
}
