//! Acts of the state on declared grids, and marks: exact, provisional, not collected, impossible.

use std::collections::BTreeMap;

use disclosure::{ConfStatus, Coordinate, Dimension, Mark, Marked, Measure, ObsStatus, TableQuery};
use events::code_list::list;

use crate::support::*;

/// C01's grid by year: cases under the PTPA.
fn cases_by_province() -> TableQuery {
    let sections = list("section");
    let ptpa = (0..sections.codes.len() as u16).filter(|&n| sections.text(n).starts_with("PTPA")).collect();
    let mut query = query("cases", vec![years(&[2023, 2024]), whole("province")]);
    query.population = BTreeMap::from([("section".to_owned(), ptpa)]);
    query
}

fn ptpa() -> u16 {
    code("section", "PTPA-3-1")
}

fn mark(status: Marked, at: &[(&str, u16)]) -> Mark {
    Mark { status, at: at.iter().map(|(name, code)| ((*name).to_owned(), vec![*code])).collect() }
}

#[test]
fn acts_of_the_state_are_exact_on_their_grid_zeros_included() {
    let rows = prepared("cases", &people(1..=3, |v| v.exploitation = vec![ptpa()]));
    let release = released(vec![table("t", &rows, &cases_by_province())]);
    let at = |year, province| release.tables[0].at(&[Coordinate::Code(year), province]).unwrap();
    let punjab = at(2024, Coordinate::Code(code("province", "PK-PB")));
    assert_eq!((value(punjab), punjab.obs_status(), punjab.conf_status()), (Some(3), ObsStatus::A, ConfStatus::F));
    assert_eq!((punjab.lo95(), punjab.hi95()), (punjab.value(), punjab.value()), "width 0");
    assert_eq!(value(at(2024, Coordinate::Code(code("province", "PK-GB")))), Some(0));
    assert_eq!(value(at(2023, Coordinate::Total)), Some(0));
    assert_eq!(value(at(2024, Coordinate::Total)), Some(3));
}

#[test]
fn off_the_declared_grid_the_same_acts_are_protected() {
    let rows = prepared("cases", &people(1..=3, |v| v.exploitation = vec![ptpa()]));
    let mut by_scope = query("cases", vec![years(&[2024]), whole("scope")]);
    by_scope.population = cases_by_province().population;
    let release = released(vec![table("t", &rows, &by_scope)]);
    let domestic = release.tables[0].at(&[Coordinate::Code(2024), Coordinate::Code(0)]).unwrap();
    assert!(is_hidden(domestic));
    let mut without_population = cases_by_province();
    without_population.population.clear();
    let release = released(vec![table("t", &rows, &without_population)]);
    assert!(release.tables[0].cells().iter().all(|cell| is_hidden(&cell.figure)), "the population is part of the grid");
}

#[test]
fn sections_put_together_are_no_slice_of_a_declared_grid() {
    // Exact numbers of two sections and of their union would give the exact number of those under both.
    let rows = prepared("cases", &people(1..=3, |v| v.exploitation = vec![ptpa()]));
    let mut asked = cases_by_province();
    let all = asked.population["section"].clone();
    let exact = |asked: &TableQuery| {
        let release = released(vec![table("t", &rows, asked)]);
        release.tables[0].cells().iter().all(|cell| cell.figure.value().is_some())
    };
    assert!(exact(&asked), "the grid's own population");
    asked.population.insert("section".into(), all[..2].to_vec());
    assert!(!exact(&asked));
}

#[test]
fn codes_put_together_by_hand_are_on_no_declared_grid() {
    let rows = prepared("cases", &people(1..=3, |v| v.exploitation = vec![ptpa()]));
    let mut by_hand = cases_by_province();
    let provinces: Vec<u16> = (0..events::code_list::list("province").codes.len() as u16).collect();
    by_hand.by.retain(|dimension| dimension.name != "province");
    by_hand.by.push(Dimension::classes("province", vec![provinces[..1].to_vec(), provinces[1..].to_vec()]));
    let release = released(vec![table("t", &rows, &by_hand)]);
    assert!(
        release.tables[0].cells().iter().all(|cell| is_hidden(&cell.figure)),
        "as EXPLAIN says and as it is charged"
    );
}

#[test]
fn acts_off_the_declared_grids_are_protected_like_persons() {
    let rows = prepared("cases", &people(1..=3, |_| ()));
    let asked = TableQuery { measure: Measure::Rows, ..cases_by_province() };
    let release = released(vec![table("t", &rows, &asked)]);
    assert!(release.tables[0].cells().iter().all(|cell| is_hidden(&cell.figure)), "units are declared, rows are not");
}

#[test]
fn a_mark_is_shown_instead_of_a_number_and_says_nothing_of_one() {
    let persons = people(1..=3, |v| v.exploitation = vec![ptpa()]);
    let rows = prepared("cases", &persons);
    let punjab = code("province", "PK-PB");
    for (status, flag) in [(Marked::NotCollected, ObsStatus::L), (Marked::Impossible, ObsStatus::M)] {
        let marked = marked(table("t", &rows, &cases_by_province()), mark(status, &[("province", punjab)]));
        let release = released(vec![marked]);
        let at = |year| release.tables[0].at(&[Coordinate::Code(year), Coordinate::Code(punjab)]).unwrap();
        assert_eq!((value(at(2024)), at(2024).obs_status(), at(2024).conf_status()), (None, flag, ConfStatus::F));
        assert_eq!(at(2023), at(2024), "with or without cases");
        let total = release.tables[0].at(&[Coordinate::Code(2024), Coordinate::Total]).unwrap();
        assert_eq!(value(total), Some(3), "a total over the dimension is not covered");
    }
}

#[test]
fn of_two_marks_the_stricter_holds_and_a_provisional_number_is_shown() {
    let rows = prepared("cases", &people(1..=3, |v| v.exploitation = vec![ptpa()]));
    let punjab = code("province", "PK-PB");
    let both = [mark(Marked::NotCollected, &[("province", punjab)]), mark(Marked::Provisional, &[("year", 2024)])];
    let table = both.into_iter().fold(table("t", &rows, &cases_by_province()), marked);
    let release = released(vec![table]);
    let at = |coordinate| release.tables[0].at(&[Coordinate::Code(2024), coordinate]).unwrap();
    assert_eq!(at(Coordinate::Code(punjab)).obs_status(), ObsStatus::L);
    assert_eq!((value(at(Coordinate::Total)), at(Coordinate::Total).obs_status()), (Some(3), ObsStatus::P));
}

#[test]
fn of_persons_it_is_never_said_that_nothing_was_collected() {
    let rows = prepared("victims", &people(1..=40, |_| ()));
    let asked = query("victims", vec![years(&[2023, 2024])]);
    let marked = marked(table("t", &rows, &asked), mark(Marked::NotCollected, &[("year", 2023)]));
    let release = released(vec![marked]);
    let figure = release.tables[0].at(&[Coordinate::Code(2023)]).unwrap();
    assert!(is_hidden(figure), "missing and hidden look the same");
}

#[test]
fn tables_of_other_rows_are_not_released_together() {
    let (few, more) = (prepared("victims", &people(1..=40, |_| ())), prepared("victims", &people(1..=41, |_| ())));
    let asked = query("victims", vec![years(&[2024])]);
    assert!(try_released(vec![table("a", &few, &asked), table("b", &more, &asked)]).is_err());
}
