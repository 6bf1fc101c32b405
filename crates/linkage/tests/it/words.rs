//! What is said so that one partition becomes another.

use std::collections::{BTreeMap, BTreeSet};

use linkage::{Clusters, Decisions, Evidence, Known, Linkage, PersonId, Summary, Word, words};
use proptest::prelude::*;

fn clusters(clusters: &[&[u8]]) -> Clusters {
    Clusters::of(clusters.iter().map(|members| members.iter().map(|person| [*person; 16]).collect()))
}

fn linkage(sure: Clusters, plausible: Clusters) -> Linkage {
    Linkage { clusters: sure, plausible, merges: Vec::new(), doubtful: Vec::new(), summary: Summary::default() }
}

/// What is known of persons who were said to be counted as others.
fn known(said: &[(u8, u8)]) -> BTreeMap<PersonId, Known> {
    let known = |into: u8| Known { into: Some([into; 16]), plausible: None };
    said.iter().map(|(person, into)| ([*person; 16], known(*into))).collect()
}

fn merged(person: u8, into: u8) -> (PersonId, Word) {
    ([person; 16], Word::Merged { into: [into; 16], evidence: Evidence::Model, confidence: 0 })
}

fn split(person: u8, from: u8, into: u8) -> (PersonId, Word) {
    ([person; 16], Word::Split { from: [from; 16], into: [into; 16], evidence: Evidence::Model })
}

fn said(before: &[(u8, u8)], now: &[&[u8]]) -> Vec<(PersonId, Word)> {
    words(&known(before), &linkage(clusters(now), clusters(now)), &Decisions::default())
}

#[test]
fn nothing_is_said_of_what_is_known() {
    assert_eq!(said(&[(4, 1)], &[&[1, 4], &[2], &[3]]), []);
}

#[test]
fn each_who_joins_is_told_of() {
    assert_eq!(said(&[], &[&[1, 4, 5], &[2]]), [merged(4, 1), merged(5, 1)]);
}

#[test]
fn of_two_clusters_the_older_ones_id_stays_and_all_of_the_other_are_told_of() {
    assert_eq!(said(&[(4, 1), (5, 2)], &[&[1, 2, 4, 5]]), [merged(2, 1), merged(5, 1)]);
}

#[test]
fn who_leave_together_are_counted_as_the_oldest_of_them() {
    assert_eq!(said(&[(2, 1), (4, 1), (5, 1)], &[&[1, 4], &[2, 5]]), [split(2, 1, 2), split(5, 1, 2)]);
}

#[test]
fn who_moves_leaves_before_she_is_merged() {
    assert_eq!(said(&[(3, 1)], &[&[1], &[2, 3]]), [split(3, 1, 3), merged(3, 2)]);
}

#[test]
fn a_cluster_keeps_its_id_when_a_late_record_makes_another_of_its_persons_the_oldest() {
    assert_eq!(said(&[(2, 1)], &[&[2, 1]]), []);
}

#[test]
fn a_doubt_is_told_of_once_and_taken_back_when_it_is_none_any_more() {
    let none = Decisions::default();
    let (alone, together) = (clusters(&[&[1], &[2]]), clusters(&[&[1, 2]]));
    let doubted = words(&BTreeMap::new(), &linkage(alone.clone(), together.clone()), &none);
    assert_eq!(doubted, [([2; 16], Word::Doubted { into: [1; 16] })]);
    let known = BTreeMap::from([([2; 16], Known { into: None, plausible: Some([1; 16]) })]);
    assert_eq!(words(&known, &linkage(alone.clone(), together), &none), []);
    assert_eq!(words(&known, &linkage(alone.clone(), alone), &none), [([2; 16], Word::Doubted { into: [2; 16] })]);
}

#[test]
fn a_split_that_the_steward_wants_says_so() {
    let apart = Decisions { not_one: vec![([2; 16], [1; 16])], ..Decisions::default() };
    let now = clusters(&[&[1], &[2]]);
    let told = words(&known(&[(2, 1)]), &linkage(now.clone(), now), &apart);
    let word = Word::Split { from: [1; 16], into: [2; 16], evidence: Evidence::Steward };
    assert_eq!(told, [([2; 16], word)]);
}

/// Partitions of twelve persons, the second coarser than the first; the smaller number is the older person.
fn partitions() -> impl Strategy<Value = (Clusters, Clusters)> {
    let places = proptest::collection::vec(0..6_usize, 12);
    (places, proptest::collection::vec(0..4_usize, 6)).prop_map(|(places, together)| {
        let of = |place: &dyn Fn(usize) -> usize| {
            let mut members = vec![Vec::new(); 6];
            places.iter().enumerate().for_each(|(person, at)| members[place(*at)].push([person as u8; 16]));
            Clusters::of(members)
        };
        (of(&|at| at), of(&|at| together[at]))
    })
}

/// Sets of persons who are counted as the same.
fn sets(counted_as: impl Fn(PersonId) -> PersonId) -> BTreeSet<BTreeSet<PersonId>> {
    let mut sets: BTreeMap<PersonId, BTreeSet<PersonId>> = BTreeMap::new();
    for person in (0..12).map(|person| [person; 16]) {
        sets.entry(counted_as(person)).or_default().insert(person);
    }
    sets.into_values().collect()
}

fn are(clusters: &Clusters) -> BTreeSet<BTreeSet<PersonId>> {
    clusters.iter().map(|members| members.iter().copied().collect()).collect()
}

proptest! {
    #[test]
    fn who_keeps_the_last_word_on_each_person_knows_the_partition(
        rounds in proptest::collection::vec(partitions(), 1..6),
    ) {
        let mut known: BTreeMap<PersonId, Known> = BTreeMap::new();
        for (sure, plausible) in rounds {
            let found = linkage(sure.clone(), plausible.clone());
            for (person, word) in words(&known, &found, &Decisions::default()) {
                let said = known.entry(person).or_default();
                match word {
                    Word::Split { into, .. } | Word::Merged { into, .. } => said.into = Some(into),
                    Word::Doubted { into } => said.plausible = Some(into),
                }
            }
            let counted = |person| known.get(&person).and_then(|known| known.into).unwrap_or(person);
            prop_assert_eq!(sets(counted), are(&sure));
            for members in sure.iter() {
                prop_assert!(members.contains(&counted(members[0])), "the id is that of one of them");
            }
            let would = |person| known.get(&person).and_then(|known| known.plausible).unwrap_or(counted(person));
            prop_assert_eq!(sets(would), are(&plausible));
            prop_assert_eq!(words(&known, &found, &Decisions::default()), []);
        }
    }
}
