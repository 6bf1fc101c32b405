//! Counting: closed lists, several codes, and questions that are none.

use disclosure::truth::unprotected_counts;
use disclosure::{Coordinate, Dimension, DisclosureError, Prepared, tabulate};
use policy::Policy;

use crate::support::*;

#[test]
fn every_code_of_the_list_has_a_cell_whether_anybody_has_it_or_not() {
    for people in [people(1..=40, |_| ()), Vec::new()] {
        let rows = prepared("victims", &people);
        let release = released(vec![table("t", &rows, &query("victims", vec![years(&[2023, 2024]), whole("sex")]))]);
        let places: Vec<_> = release.tables[0].cells().iter().map(|cell| cell.at.clone()).collect();
        let expected: Vec<_> = [2023, 2024]
            .iter()
            .flat_map(|&year| {
                let sexes = (0..4).map(Coordinate::Code).chain([Coordinate::Total]);
                sexes.map(move |sex| vec![Coordinate::Code(year), sex])
            })
            .collect();
        assert_eq!(places, expected);
    }
}

#[test]
fn a_code_outside_the_closed_list_is_an_error_where_there_is_a_total() {
    let rows = prepared("victims", &people(1..=40, |_| ()));
    let women_left_out = Dimension::codes("sex", vec![code("sex", "M")]).with_total();
    let refused = tabulate(&rows, &query("victims", vec![women_left_out]));
    assert!(matches!(refused, Err(DisclosureError::OutsideDomain { .. })));
    let no_total = Dimension::codes("sex", vec![code("sex", "M")]);
    let cells = tabulate(&rows, &query("victims", vec![no_total])).unwrap();
    assert_eq!(unprotected_counts(&cells)[0].count, 0, "without one, others are not asked about");
}

#[test]
fn a_person_with_several_codes_is_in_the_cell_of_each_and_once_in_the_total() {
    let both = vec![code("exploitation", "sexual"), code("exploitation", "forced_labour")];
    let rows = prepared("victims", &people(1..=40, |v| v.exploitation.clone_from(&both)));
    let cells = tabulate(&rows, &query("victims", vec![whole("exploitation")])).unwrap();
    let counts = unprotected_counts(&cells);
    let at = |at: Coordinate| counts.iter().find(|cell| cell.at == [at]).unwrap().count;
    assert_eq!(both.iter().map(|&code| at(Coordinate::Code(code))).collect::<Vec<_>>(), [40, 40]);
    assert_eq!(at(Coordinate::Total), 40);
}

#[test]
fn a_person_counts_once_however_many_rows_she_has() {
    let mut twice = people(1..=40, |_| ());
    twice.extend(people(1..=40, |v| v.case += 1_000));
    let cells = tabulate(&prepared("victims", &twice), &query("victims", vec![years(&[2024])])).unwrap();
    assert_eq!(unprotected_counts(&cells)[0].count, 40);
    assert_eq!(value(&year_total(&twice)), Some(39), "the set is the same, so is its number");
}

#[test]
fn a_population_counts_who_has_one_of_its_codes() {
    let mut mixed = people(1..=40, |_| ());
    mixed.extend(people(41..=60, |v| v.sex = code("sex", "M")));
    let mut women = query("victims", vec![years(&[2024])]);
    women.population.insert("sex".into(), vec![code("sex", "F"), code("sex", "_X")]);
    let cells = tabulate(&prepared("victims", &mixed), &women).unwrap();
    assert_eq!(unprotected_counts(&cells)[0].count, 40);
}

#[test]
fn what_is_no_question_is_refused_by_name() {
    let rows = prepared("victims", &people(1..=40, |_| ()));
    let refused = |by: Vec<Dimension>| tabulate(&rows, &query("victims", by)).unwrap_err();
    assert!(matches!(refused(vec![whole("sex"), whole("sex")]), DisclosureError::Malformed { .. }), "twice");
    assert!(matches!(refused(vec![Dimension::codes("sex", vec![])]), DisclosureError::Malformed { .. }), "no codes");
    assert!(matches!(refused(vec![Dimension::codes("sex", vec![1, 1])]), DisclosureError::Malformed { .. }));
    assert!(matches!(refused(vec![years(&[2024]).with_remainder()]), DisclosureError::Malformed { .. }));
    assert!(matches!(refused(vec![Dimension::codes("name", vec![0])]), DisclosureError::UnknownDimension { .. }));
    assert!(matches!(refused(vec![Dimension::codes("means", vec![0])]), DisclosureError::MissingColumn { .. }));
    let wide = |name| Dimension::codes(name, (0..2_000).collect());
    assert!(matches!(refused(vec![wide("sex"), wide("year")]), DisclosureError::TooManyCells { .. }));
    let mut nobody = query("victims", vec![years(&[2024])]);
    nobody.population.insert("sex".into(), vec![]);
    assert_eq!(unprotected_counts(&tabulate(&rows, &nobody).unwrap())[0].count, 0, "a contradiction selects nobody");
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let policy = Policy::default();
    let good = microdata("victims", &people(1..=3, |_| ()));
    let refused = |data| Prepared::new(data, &policy, &keys()).unwrap_err();
    let unsorted = disclosure::Microdata { sid: vec![2, 1, 3], ..good.clone() };
    assert!(matches!(refused(unsorted), DisclosureError::NotSorted(_)));
    let short = disclosure::Microdata { agency: vec![0], ..good.clone() };
    assert!(matches!(refused(short), DisclosureError::Misshapen { .. }));
    let measures = std::collections::BTreeMap::from([("released".to_owned(), vec![Some(1), None])]);
    let unmeasured = disclosure::Microdata { measures, ..good.clone() };
    assert!(matches!(refused(unmeasured), DisclosureError::Misshapen { column, .. } if column == "released"));
    let unknown = disclosure::Microdata { dataset: "people".into(), ..good.clone() };
    assert!(matches!(refused(unknown), DisclosureError::UnknownDataset(_)));
    assert_eq!(format!("{good:?}"), "Microdata(victims)", "nothing of a row is ever printed");
}
