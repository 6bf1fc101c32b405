//! The country of linkage: what it says of itself holds, and what linkage would have to find is there.

use std::collections::{BTreeMap, BTreeSet};

use sample::linkage::{Country, Sighting};
use sample::names::TokenKind;

const PERSONS: u32 = 5_000;

fn sightings(country: Country) -> Vec<Sighting> {
    country.sightings().collect()
}

/// Of a thousand.
fn per_mille(part: usize, whole: usize) -> usize {
    part * 1000 / whole
}

fn token(sighting: &Sighting, kind: TokenKind) -> Option<[u8; 16]> {
    sighting.seen.tokens.iter().find(|(of, _)| *of == kind).map(|(_, token)| *token)
}

#[test]
fn everybody_is_met_and_the_agencies_overlap_as_asked() {
    let mut agencies: BTreeMap<u32, BTreeSet<u16>> = BTreeMap::new();
    for sighting in sightings(Country::new(1, PERSONS, 100)) {
        agencies.entry(sighting.truth).or_default().insert(sighting.agency);
    }
    assert_eq!(agencies.len(), PERSONS as usize);
    let several = agencies.values().filter(|agencies| agencies.len() > 1).count();
    assert!((85..=115).contains(&per_mille(several, agencies.len())), "{several}");
}

#[test]
fn six_in_ten_have_no_document() {
    let all = sightings(Country { wrong_per_mille: 0, ..Country::new(1, PERSONS, 100) });
    let documented: BTreeSet<u32> =
        all.iter().filter(|of| token(of, TokenKind::Document).is_some()).map(|of| of.truth).collect();
    assert!((330..=400).contains(&per_mille(documented.len(), PERSONS as usize)), "{}", documented.len());
}

#[test]
fn a_document_is_wrong_as_often_as_asked() {
    let mut documents: BTreeMap<u32, Vec<[u8; 16]>> = BTreeMap::new();
    for sighting in sightings(Country::new(1, PERSONS, 1000)) {
        documents.entry(sighting.truth).or_default().extend(token(&sighting, TokenKind::Document));
    }
    // Two readings of one document differ where either is wrong.
    let pairs: Vec<bool> = documents.values().filter(|all| all.len() == 2).map(|all| all[0] != all[1]).collect();
    let differ = per_mille(pairs.iter().filter(|differ| **differ).count(), pairs.len());
    assert!((40..=80).contains(&differ), "{differ}");
}

#[test]
fn names_are_skewed_and_mothers_shared_by_siblings() {
    let all = sightings(Country { wrong_per_mille: 0, ..Country::new(1, PERSONS, 100) });
    let holders = |kind| {
        let mut holders: BTreeMap<[u8; 16], BTreeSet<u32>> = BTreeMap::new();
        for (sighting, token) in all.iter().filter_map(|of| Some((of, token(of, kind)?))) {
            holders.entry(token).or_default().insert(sighting.truth);
        }
        holders.into_values().map(|holders| holders.len()).collect::<Vec<_>>()
    };
    assert!(holders(TokenKind::Document).iter().all(|many| *many == 1));
    assert!(holders(TokenKind::NameBirth).iter().any(|many| *many > 1), "namesakes of one year");
    let shared: usize = holders(TokenKind::MotherName).into_iter().filter(|many| *many > 1).sum();
    assert!(per_mille(shared, PERSONS as usize) > 300, "{shared}");
}

#[test]
fn the_same_seed_makes_the_same_country() {
    let once = || sightings(Country::nation(4, 500, 200)).iter().map(|of| (of.id, of.event)).collect::<Vec<_>>();
    assert_eq!(once(), once());
}
