//! What holds of every register, whatever is in it.

use std::collections::{BTreeMap, BTreeSet};

use linkage::{Born, Decisions, Kind, Linkage, Mention, PersonId, Register, Said, link};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;

/// Somebody of a small country in which tokens are few, so that everything collides: several tokens of a kind, several
/// deliveries of one person, codes that contradict.
fn mention() -> impl Strategy<Value = Mention> {
    let refs = subsequence(Kind::ALL.to_vec(), 0..=4).prop_flat_map(|kinds| {
        kinds.into_iter().map(|kind| (0..9_u8).prop_map(move |token| (kind, [token; 16]))).collect::<Vec<_>>()
    });
    let said = || prop_oneof![2 => Just(Said::Nothing), 5 => (0..2_u16).prop_map(Said::One)];
    let born = prop_oneof![1 => Just(Born::UNKNOWN), 3 => (1980..2000_i16, 0..3_i16).prop_map(|(year, span)| Born::between(year, year + span))];
    (0..40_u8, 0..1_000_i64, refs, said(), born, said(), said()).prop_map(
        |(person, seen, refs, sex, born, citizenship, province)| {
            let mut mention = Mention::new([person; 16], u16::from(person % 4), (seen, [person; 16]));
            mention.refs.extend(refs);
            (mention.sex, mention.born, mention.citizenship, mention.province) = (sex, born, citizenship, province);
            mention
        },
    )
}

fn pairs() -> impl Strategy<Value = Vec<(PersonId, PersonId)>> {
    let pair = (0..40_u8, 0..40_u8).prop_filter("two persons", |(a, b)| a != b);
    vec(pair.prop_map(|(a, b)| ([a; 16], [b; 16])), 0..6)
}

fn linked(mentions: &[Mention], decisions: &Decisions) -> Option<Linkage> {
    link(&Register::of(mentions.to_vec()).unwrap(), decisions).ok()
}

/// In which cluster each is.
fn places(linkage: &Linkage) -> BTreeMap<PersonId, usize> {
    let clusters = linkage.clusters.iter().enumerate();
    clusters.flat_map(|(at, members)| members.iter().map(move |person| (*person, at))).collect()
}

/// Everything that all deliveries say of a person, of one kind.
fn documents(mentions: &[Mention], person: PersonId) -> BTreeSet<[u8; 16]> {
    let hers = mentions.iter().filter(|mention| mention.person == person);
    hers.flat_map(|mention| &mention.refs).filter(|(kind, _)| *kind == Kind::Document).map(|(_, link)| *link).collect()
}

fn sex(mentions: &[Mention], person: PersonId) -> Said {
    mentions
        .iter()
        .filter(|mention| mention.person == person)
        .fold(Said::Nothing, |said, mention| said.and(mention.sex))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn clusters_part_the_persons(mentions in vec(mention(), 0..80)) {
        let linkage = linked(&mentions, &Decisions::default()).unwrap();
        let persons: BTreeSet<PersonId> = mentions.iter().map(|mention| mention.person).collect();
        prop_assert_eq!(linkage.clusters.persons(), persons.len());
        prop_assert_eq!(places(&linkage).into_keys().collect::<BTreeSet<_>>(), persons);
    }

    #[test]
    fn neither_the_order_of_mentions_nor_their_cut_changes_anything(
        (mentions, shuffled) in vec(mention(), 0..80).prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        cut in 0.0..1.0_f64,
        decisions in pairs(),
    ) {
        let decisions = Decisions { not_one: decisions, ..Decisions::default() };
        let whole = linked(&mentions, &decisions).unwrap();
        let (first, second) = shuffled.split_at((shuffled.len() as f64 * cut) as usize);
        let register = Register::of(first.to_vec()).unwrap();
        // What was found of the first part is of no consequence for the whole.
        link(&register, &decisions).unwrap();
        let parts = link(&register.with(second.to_vec()).unwrap(), &decisions).unwrap();
        prop_assert_eq!(whole.clusters, parts.clusters);
        prop_assert_eq!(whole.merges, parts.merges);
        prop_assert_eq!(whole.doubtful, parts.doubtful);
        prop_assert_eq!(whole.summary, parts.summary);
    }

    #[test]
    fn what_a_steward_decides_holds(mentions in vec(mention(), 0..80), one in pairs(), not_one in pairs()) {
        let decisions = Decisions { one, not_one };
        let Some(linkage) = linked(&mentions, &decisions) else { return Ok(()) };
        let places = places(&linkage);
        let both = |(a, b): &(PersonId, PersonId)| Some((*places.get(a)?, *places.get(b)?));
        prop_assert!(decisions.one.iter().filter_map(both).all(|(a, b)| a == b));
        prop_assert!(decisions.not_one.iter().filter_map(both).all(|(a, b)| a != b));
    }

    #[test]
    fn the_published_number_lies_between_the_bounds(mentions in vec(mention(), 0..80)) {
        let linkage = linked(&mentions, &Decisions::default()).unwrap();
        let summary = linkage.summary;
        prop_assert!(summary.all_plausible_linked <= summary.clusters && summary.clusters <= summary.persons);
        prop_assert_eq!(summary.clusters + linkage.merges.len() as u64, summary.persons);
        prop_assert!(summary.linked <= summary.persons);
    }

    #[test]
    fn nobody_is_one_through_somebody_who_contradicts(mentions in vec(mention(), 0..80)) {
        let linkage = linked(&mentions, &Decisions::default()).unwrap();
        for members in linkage.clusters.iter() {
            for (at, one) in members.iter().enumerate() {
                for other in &members[at + 1..] {
                    let (mine, hers) = (documents(&mentions, *one), documents(&mentions, *other));
                    let differ = !mine.is_empty() && !hers.is_empty() && mine.is_disjoint(&hers);
                    prop_assert!(!(differ && one[0] % 4 == other[0] % 4), "two documents of one agency");
                    let sexes = (sex(&mentions, *one), sex(&mentions, *other));
                    prop_assert!(!matches!(sexes, (Said::One(a), Said::One(b)) if a != b), "two sexes");
                }
            }
        }
    }

    #[test]
    fn each_merge_is_of_the_cluster_and_keeps_the_oldest(mentions in vec(mention(), 0..80)) {
        let linkage = linked(&mentions, &Decisions::default()).unwrap();
        let places = places(&linkage);
        for merge in &linkage.merges {
            let members = linkage.clusters.get(places[&merge.joined]);
            prop_assert_eq!(merge.kept, members[0]);
            prop_assert!(members.contains(&merge.pair.0) && members.contains(&merge.pair.1));
            prop_assert!(linkage.doubtful.iter().all(|doubtful| doubtful.pair != merge.pair));
        }
    }
}
