//! When a number about persons may be shown (privacy.md 6.5, 6.6), through the whole vault.

use disclosure::{ConfStatus, Coordinate, Dimension, Prepared, Tier};
use policy::Policy;

use crate::support::*;

#[test]
fn the_numbers_of_the_page_come_out_of_the_vault() {
    // The vectors of 6.5 and 6.6: persons 1..=n under the page's raw keys.
    assert_eq!(value(&year_total(&people(1..=11, |_| ()))), Some(13), "11 persons, jitter 0, noise +2");
    assert_eq!(value(&year_total(&people(1..=100, |_| ()))), Some(98), "100 persons, noise -2");
    assert_eq!(value(&year_total(&people(1..=40, |_| ()))), Some(39), "40 persons, noise -1");
    assert!(is_hidden(&year_total(&people(1..=12, |_| ()))), "12 persons, jitter 4: the floor of this set is 15");
    assert!(is_hidden(&year_total(&people(1..=10, |_| ()))));
}

#[test]
fn a_sensitive_cell_has_its_own_floor_and_tier() {
    let rows = prepared("victims", &people(1..=40, |_| ()));
    let by = vec![years(&[2024]), whole("exploitation")];
    let release = released(vec![table("t", &rows, &query("victims", by))]);
    let at = |coordinate| release.tables[0].at(&[Coordinate::Code(2024), coordinate]).unwrap();
    let sexual = at(Coordinate::Code(code("exploitation", "sexual")));
    assert_eq!((value(sexual), sexual.tier()), (Some(41), Some(Tier::V9)), "tier 9 of the set 1..=40 on the page");
    assert_eq!((value(at(Coordinate::Total)), at(Coordinate::Total).tier()), (Some(39), Some(Tier::V4)));
    let few = prepared("victims", &people(1..=19, |_| ()));
    let by = vec![years(&[2024]), whole("exploitation")];
    let release = released(vec![table("t", &few, &query("victims", by))]);
    let sexual = release.tables[0].at(&[Coordinate::Code(2024), Coordinate::Code(code("exploitation", "sexual"))]);
    assert!(is_hidden(sexual.unwrap()), "19 is below the floor of 20, though above that of an ordinary cell");
}

#[test]
fn a_code_may_ask_for_more_than_its_column() {
    // Beside 400 others, of whom the few unknown are hidden with whoever is.
    let of = |sex: &str, persons: u64| {
        let mut all = people(1..=persons, |v| v.sex = code("sex", sex));
        all.extend(people(1_001..=1_400, |v| v.sex = code("sex", if v.sid % 8 == 0 { "_X" } else { "M" })));
        let rows = prepared("victims", &all);
        let release = released(vec![table("t", &rows, &query("victims", vec![years(&[2024]), whole("sex")]))]);
        *release.tables[0].at(&[Coordinate::Code(2024), Coordinate::Code(code("sex", sex))]).unwrap()
    };
    assert_eq!(of("F", 100).tier(), Some(Tier::V4));
    assert_eq!(of("T", 100).tier(), Some(Tier::V16));
    assert!(is_hidden(&of("T", 20)), "highly sensitive: 21 and more");
}

#[test]
fn more_than_two_cases_and_none_of_four_fifths() {
    // How many must be beside the largest is drawn for each set, up to ten: far from that edge nothing depends on it.
    let in_cases = |cases: &dyn Fn(u64) -> u64| year_total(&people(1..=40, |v| v.case = cases(v.sid)));
    assert!(is_hidden(&in_cases(&|_| 1)), "one raid is one story");
    assert!(is_hidden(&in_cases(&|sid| sid % 2)), "two cases");
    assert_eq!(value(&in_cases(&|sid| sid % 3)), Some(39), "three");
    assert!(is_hidden(&in_cases(&|sid| if sid == 1 { 3 } else { sid % 2 })), "two cases and one person");
    assert_eq!(value(&in_cases(&|sid| if sid <= 24 { 1 } else { sid })), Some(39), "the largest has 60 %");
    assert!(is_hidden(&in_cases(&|sid| if sid <= 33 { 1 } else { sid })), "the largest has more than 80 %");
}

#[test]
fn a_private_caseload_is_hidden_behind_others_beside_the_second_largest() {
    let held_by = |who: &dyn Fn(u64) -> &'static str| year_total(&people(1..=40, |v| v.agency = agency(who(v.sid))));
    let shelter = agency_of_group("SHL");
    assert!(is_hidden(&held_by(&|_| shelter)));
    assert!(is_hidden(&held_by(&|sid| if sid <= 30 { shelter } else { "POL-PB" })), "two holders");
    let three = |sid| match sid {
        1..=16 => shelter,
        17..=29 => "POL-PB",
        _ => "FIA",
    };
    assert_eq!(value(&held_by(&three)), Some(39), "the third holds 11, more than any draw asks for");
    let dominated = |sid| match sid {
        1..=30 => shelter,
        31..=39 => "POL-PB",
        _ => "FIA",
    };
    assert!(is_hidden(&held_by(&dominated)), "beside the two largest there is 1, less than 10 % of 30");
    assert_eq!(value(&held_by(&|_| "POL-PB")), Some(39), "a state body needs nobody beside it");
}

#[test]
fn those_whom_one_private_body_serves_are_its_caseload_whoever_holds_their_records() {
    let served_by = |who: &dyn Fn(u64) -> &'static str| {
        let mut data = microdata("services", &people(1..=40, |_| ()));
        data.served_by = Some(data.sid.iter().map(|&sid| agency(who(sid))).collect());
        let rows = Prepared::new(data, &Policy::default(), &keys()).unwrap();
        let release = released(vec![table("t", &rows, &query("services", vec![years(&[2024])]))]);
        *release.tables[0].at(&[Coordinate::Code(2024)]).unwrap()
    };
    let shelter = agency_of_group("SHL");
    assert!(is_hidden(&served_by(&|_| shelter)), "referred by the police, all served by one shelter");
    let spread = |sid| match sid {
        1..=16 => shelter,
        17..=29 => "POL-PB",
        _ => "FIA",
    };
    assert_eq!(value(&served_by(&spread)), Some(39));
    assert_eq!(value(&served_by(&|_| "POL-PB")), Some(39));
}

#[test]
fn a_large_part_is_hidden_with_the_few_who_are_left() {
    // Of 200, 95 are children, 100 adults; whoever reads the three numbers reads the 5 others.
    let all = of_three_ages();
    let rows = prepared("victims", &all);
    let by_age = query("victims", vec![years(&[2024]), whole("age_group")]);
    let release = released(vec![table("t", &rows, &by_age)]);
    let at = |of| release.tables[0].at(&[Coordinate::Code(2024), of]).unwrap();
    assert!(is_hidden(at(Coordinate::Code(code("age_group", "_X")))));
    assert!(is_hidden(at(Coordinate::Code(code("age_group", "child")))), "the smaller of those shown");
    assert!(!is_hidden(at(Coordinate::Code(code("age_group", "adult")))));
    assert!(!is_hidden(at(Coordinate::Total)));
}

/// 95 children, 100 adults, 5 of unknown age.
fn of_three_ages() -> Vec<Victim> {
    let mut all = people(1..=95, |v| v.age_group = code("age_group", "child"));
    all.extend(people(96..=195, |_| ()));
    all.extend(people(196..=200, |v| v.age_group = code("age_group", "_X")));
    all
}

#[test]
fn a_part_that_is_nearly_the_whole_has_the_number_of_the_whole() {
    // S01: of 100 referred, 95 were served; their two numbers are one, so that nobody reads the 5 others.
    let mut all = people(1..=95, |_| ());
    all.extend(people(96..=100, |v| v.sex = code("sex", "M")));
    let rows = prepared("victims", &all);
    let part = Dimension::codes("sex", vec![code("sex", "F"), code("sex", "M")]).with_total();
    let release = released(vec![table("t", &rows, &query("victims", vec![years(&[2024]), part]))]);
    let at = |of| release.tables[0].at(&[Coordinate::Code(2024), of]).unwrap();
    assert_eq!(value(at(Coordinate::Total)), Some(98));
    assert_eq!(value(at(Coordinate::Code(code("sex", "F")))), Some(98));
    assert!(is_hidden(at(Coordinate::Code(code("sex", "M")))));
}

#[test]
fn a_part_and_a_population_of_one_code_are_the_same_persons() {
    let rows = prepared("victims", &of_three_ages());
    let by_part = query("victims", vec![years(&[2024]), whole("age_group")]);
    let mut children = query("victims", vec![years(&[2024])]);
    children.population.insert("age_group".into(), vec![code("age_group", "child")]);
    let release = released(vec![table("parts", &rows, &by_part), table("children", &rows, &children)]);
    assert!(is_hidden(release.tables[1].at(&[Coordinate::Code(2024)]).unwrap()), "hidden in one table, hidden in both");
}

#[test]
fn a_store_of_public_records_has_no_private_caseloads() {
    let policy = Policy::ctdc();
    let only = policy.agencies.get("HLP-CTDC").unwrap().index;
    let held = people(1..=40, |v| v.agency = only);
    assert_eq!(value(&year_total_by(&policy, &held)), Some(39));
}

#[test]
fn what_is_hidden_and_what_is_empty_look_the_same() {
    let reasons = [
        year_total(&[]),
        year_total(&people(1..=3, |_| ())),
        year_total(&people(1..=40, |v| v.case = 1)),
        year_total(&people(1..=40, |v| v.agency = agency(agency_of_group("SHL")))),
    ];
    assert!(reasons.iter().all(|figure| *figure == reasons[0] && is_hidden(figure)));
    assert_eq!(reasons[0].conf_status(), ConfStatus::C);
    assert_eq!(format!("{:?}", reasons[0]), format!("{:?}", reasons[3]), "nor does a log line tell them apart");
}

#[test]
fn the_same_set_has_the_same_number_in_every_question_and_beside_any_others() {
    let forty = people(1..=40, |_| ());
    let mut more = forty.clone();
    more.extend(people(41..=500, |v| (v.year, v.quarter) = (2023, quarter(2023, 1))));
    let rows = prepared("victims", &more);
    let by_quarter = query("victims", vec![Dimension::codes("quarter", vec![quarter(2024, 1), quarter(2024, 2)])]);
    let by_year = query("victims", vec![years(&[2023, 2024]), whole("province")]);
    let mut first = by_quarter.clone();
    first.population.insert("sex".into(), vec![code("sex", "F")]);
    let release = released(vec![table("a", &rows, &first), table("b", &rows, &by_year)]);
    let quarter = release.tables[0].at(&[Coordinate::Code(quarter(2024, 1))]).unwrap();
    let year = |province| release.tables[1].at(&[Coordinate::Code(2024), province]).unwrap();
    assert_eq!(value(quarter), Some(39));
    for province in [Coordinate::Code(code("province", "PK-PB")), Coordinate::Total] {
        assert_eq!(value(year(province)), Some(39), "the same forty, asked in another way");
    }
}

fn agency_of_group(group: &str) -> &'static str {
    let policy: &'static Policy = Box::leak(Box::new(Policy::default()));
    &policy.agencies.iter().find(|agency| agency.group == group).unwrap().code
}
