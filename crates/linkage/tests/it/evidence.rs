//! What makes two persons one, and what does not.

use linkage::Kind::{Document, MotherName, NameBirth, Phonetic};
use linkage::{Born, Contradiction, DecisionError, Decisions, Doubt, Evidence, Mention, Register, RegisterError, Said};

use crate::support::{among_others, are_one, person};

/// All four tokens, numbered.
fn whole(number: u8, agency: u16, [document, name, sound, mother]: [u8; 4]) -> Mention {
    let refs = [(Document, document), (NameBirth, name), (Phonetic, sound), (MotherName, mother)];
    let mut person = person(number, agency, &refs);
    (person.sex, person.born, person.province) = (Said::One(0), Born::between(1990, 1990), Said::One(1));
    person
}

fn link(persons: &[Mention]) -> linkage::Linkage {
    among_others(persons, &Decisions::default())
}

#[test]
fn a_document_and_a_name_make_one_person_and_the_older_id_stays() {
    let linkage = link(&[whole(2, 1, [1, 2, 3, 4]), whole(1, 0, [1, 2, 3, 4])]);
    let merge = linkage.merge_of(&[2; 16]).unwrap();
    assert_eq!((merge.kept, merge.joined), ([1; 16], [2; 16]));
    assert_eq!(merge.evidence, Evidence::Rule("document_and_name"));
    assert!(merge.confidence >= 990);
    assert!(linkage.merge_of(&[1; 16]).is_none());
}

#[test]
fn the_document_of_somebody_else_makes_nobody_one() {
    let linkage = link(&[whole(1, 0, [1, 2, 3, 4]), whole(2, 1, [1, 12, 13, 14])]);
    assert!(!are_one(&linkage, 1, 2));
    let doubtful = linkage.doubtful.iter().find(|doubtful| doubtful.pair == ([1; 16], [2; 16])).unwrap();
    assert_eq!(doubtful.because, Doubt::Contradicts(Contradiction::Names), "a steward may see it");
}

#[test]
fn a_misread_document_does_not_part_who_shares_name_and_mother() {
    let linkage = link(&[whole(1, 0, [1, 2, 3, 4]), whole(2, 1, [11, 2, 3, 4])]);
    assert_eq!(linkage.merge_of(&[2; 16]).unwrap().evidence, Evidence::Rule("name_and_mother_despite_documents"));
}

#[test]
fn two_of_one_agency_with_different_documents_are_two() {
    let linkage = link(&[whole(1, 0, [1, 2, 3, 4]), whole(2, 0, [11, 2, 3, 4])]);
    assert!(!are_one(&linkage, 1, 2));
    let doubtful = linkage.doubtful.iter().find(|doubtful| doubtful.pair == ([1; 16], [2; 16])).unwrap();
    assert_eq!(doubtful.because, Doubt::Contradicts(Contradiction::Documents));
}

#[test]
fn two_of_one_agency_are_one_by_document_and_name() {
    assert!(are_one(&link(&[whole(1, 0, [1, 2, 3, 4]), whole(2, 0, [1, 2, 3, 4])]), 1, 2));
}

#[test]
fn a_brother_and_a_sister_are_two() {
    let mut sister = whole(2, 1, [1, 2, 3, 4]);
    sister.sex = Said::One(1);
    assert!(!are_one(&link(&[whole(1, 0, [1, 2, 3, 4]), sister]), 1, 2));
}

#[test]
fn siblings_who_share_a_mother_alone_are_two() {
    let sibling = |number, agency, name| whole(number, agency, [number, name, name, 4]);
    let linkage = link(&[sibling(1, 0, 21), sibling(2, 1, 22), sibling(3, 2, 23)]);
    assert!(!are_one(&linkage, 1, 2) && !are_one(&linkage, 2, 3));
}

#[test]
fn another_spelling_is_bridged_by_its_sound() {
    let refs = |name| [(NameBirth, name), (Phonetic, 3), (MotherName, 4)];
    assert!(are_one(&link(&[person(1, 0, &refs(1)), person(2, 1, &refs(2))]), 1, 2));
}

#[test]
fn who_stands_between_two_that_contradict_is_one_with_the_one_who_is_closer() {
    // 1 and 3 are of one agency and have different documents; 2 has none, and shares more with 1.
    let between = person(2, 1, &[(NameBirth, 2), (Phonetic, 3), (MotherName, 4)]);
    let linkage = link(&[whole(1, 0, [1, 2, 3, 4]), between, whole(3, 0, [11, 12, 3, 4])]);
    assert!(are_one(&linkage, 1, 2) && !are_one(&linkage, 1, 3));
    assert!(linkage.doubtful.iter().any(|doubtful| doubtful.pair == ([2; 16], [3; 16])));
}

#[test]
fn a_steward_decides_against_all_evidence() {
    let (one, other) = (whole(1, 0, [1, 2, 3, 4]), whole(2, 1, [1, 2, 3, 4]));
    let stranger = whole(3, 2, [31, 32, 33, 34]);
    let decisions = Decisions { one: vec![([3; 16], [1; 16])], not_one: vec![([2; 16], [1; 16])] };
    let linkage = among_others(&[one, other, stranger], &decisions);
    assert!(!are_one(&linkage, 1, 2) && are_one(&linkage, 1, 3));
    assert_eq!(linkage.merge_of(&[3; 16]).unwrap().evidence, Evidence::Steward);
    assert_eq!(linkage.merge_of(&[3; 16]).unwrap().confidence, 1000);
    assert!(linkage.doubtful.iter().all(|doubtful| doubtful.pair != ([1; 16], [2; 16])), "who was decided is no doubt");
}

#[test]
fn decisions_that_contradict_each_other_are_refused() {
    let persons = [person(1, 0, &[]), person(2, 1, &[]), person(3, 2, &[])];
    let decisions = Decisions { one: vec![([1; 16], [2; 16]), ([2; 16], [3; 16])], not_one: vec![([1; 16], [3; 16])] };
    let refused = linkage::link(&Register::of(persons).unwrap(), &decisions).unwrap_err();
    assert_eq!(refused, DecisionError::Contradictory(1));
}

#[test]
fn a_decision_about_somebody_unknown_waits() {
    let decisions = Decisions { one: vec![([1; 16], [99; 16])], ..Decisions::default() };
    assert_eq!(among_others(&[person(1, 0, &[])], &decisions).summary.waiting, 1);
}

#[test]
fn a_token_that_everybody_has_links_nobody() {
    let (mut mentions, _) = crate::support::country(sample::linkage::Country::new(7, 2_000, 200));
    for mention in &mut mentions {
        mention.refs.push((Document, [255; 16]));
    }
    let linkage = linkage::link(&Register::of(mentions).unwrap(), &Decisions::default()).unwrap();
    assert!(linkage.clusters.iter().all(|members| members.len() <= 6), "a chain of strangers");
}

#[test]
fn a_person_id_of_two_agencies_is_refused() {
    let refused = Register::of([person(1, 4, &[]), person(1, 2, &[])]).unwrap_err();
    assert!(matches!(refused, RegisterError::TwoAgencies(2, 4)));
}
