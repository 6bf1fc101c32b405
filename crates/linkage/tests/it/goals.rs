//! The goals, pair by pair: precision at least 0.99 and recall at least 0.95, at 3 % wrong tokens and 60 % without documents.

use linkage::{Decisions, Register, link};
use sample::linkage::Country;

use crate::support::{country, linked, made};

/// Persons of each country.
const PERSONS: u32 = 20_000;

fn meets_the_goals(overlap: u32) {
    let (linkage, quality) = linked(Country::new(1, PERSONS, overlap));
    let (precision, recall) = (quality.precision(), quality.recall());
    assert!(precision >= 0.99, "precision {precision}");
    assert!(recall >= 0.95, "recall {recall}");
    let summary = linkage.summary;
    assert!(summary.all_plausible_linked <= summary.clusters && summary.clusters <= summary.persons);
    assert!(summary.linked_per_mille() > 0);
}

#[test]
fn the_goals_are_met_where_one_in_twenty_is_known_to_several_agencies() {
    meets_the_goals(50);
}

#[test]
fn the_goals_are_met_where_one_in_ten_is() {
    meets_the_goals(100);
}

#[test]
fn the_goals_are_met_where_one_in_five_is() {
    meets_the_goals(200);
}

#[test]
fn the_number_of_persons_lies_between_the_bounds() {
    let (linkage, quality) = linked(Country::new(2, PERSONS, 100));
    assert!(quality.people <= linkage.summary.persons);
    // Not everybody who is one shares something; of those a bound cannot know.
    assert!(linkage.summary.all_plausible_linked <= quality.people + quality.people / 200);
    assert!(linkage.summary.clusters.abs_diff(quality.people) * 100 <= quality.people, "the count is off by 1 %");
}

#[test]
fn more_wrong_tokens_find_fewer_and_do_not_link_more_strangers() {
    let at = |wrong| linked(Country { wrong_per_mille: wrong, ..Country::new(1, PERSONS, 100) }).1;
    let (none, many) = (at(0), at(100));
    assert!(none.recall() > many.recall());
    assert!(none.precision() >= 0.99 && many.precision() >= 0.98, "{} {}", none.precision(), many.precision());
}

#[test]
fn blocks_that_are_split_are_counted() {
    let register = Register::of(country(Country::new(1, PERSONS, 100)).0).unwrap();
    let by = |most| made(linkage::link_by_blocks(&register, &Decisions::default(), most)).summary;
    let (small, whole) = (by(8), by(PERSONS as usize * 2));
    assert!(small.left_out > 0 && whole.left_out == 0);
    assert!(small.compared < whole.compared);
}

#[test]
fn the_same_country_gives_the_same_clusters() {
    let register = Register::of(country(Country::new(3, 2_000, 200)).0).unwrap();
    let once = || made(link(&register, &Decisions::default()));
    assert_eq!(once().clusters, once().clusters);
    assert_eq!(once().merges, once().merges);
}
