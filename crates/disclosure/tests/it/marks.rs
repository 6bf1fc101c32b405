//! What is known of the cells of a question before they are counted: periods that are not over, periods to come, reports that
//! did not come (privacy.md 6.6, 6.14).

use std::collections::BTreeMap;
use std::sync::Arc;

use disclosure::{Breakdown, CellQuery, CodesAt, Condition, Figure, Measure, ObsStatus, Reporting, Room, Span, Vault};
use events::code_list::list;
use policy::{Policy, Share, TimeLevel};

use crate::support::*;

/// An edition of 15 May 2025, when its second quarter is open and its second half is to come.
fn mid_may() -> Span {
    let month = (2025 - 1900) * 12 + 4;
    let (first, _) = TimeLevel::Month.days(month).unwrap();
    Span { edition: 1, years: 2011..=2025, last_day: first + 14 }
}

/// No report came from this province.
struct NothingFrom(u16);

impl Reporting for NothingFrom {
    fn is_silent(&self, _: &str, on: &CodesAt) -> bool {
        on.get("province").is_some_and(|codes| *codes == [self.0])
    }
}

/// Three cases under the PTPA of this quarter, and as many victims; nobody told of Gilgit-Baltistan.
fn vault() -> Vault {
    let vault = Vault::forgetful(Arc::new(undeclared()), &keys());
    let rows = people(1..=3, |v| {
        v.exploitation = vec![code("section", "PTPA-3-1")];
        (v.year, v.quarter) = (2025, quarter(2025, 2));
    });
    let datasets = ["cases", "victims"].map(|name| (name.to_owned(), prepared(name, &rows)));
    let reporting: Option<Arc<dyn Reporting>> = Some(Arc::new(NothingFrom(code("province", "PK-GB"))));
    vault.enter(Room { reporting, ..Room::new(mid_may(), BTreeMap::from(datasets)) });
    vault
}

/// Cases under the PTPA, a declared grid, under further conditions.
fn cases(conditions: &[(&str, &[u16])], by: &[&str]) -> CellQuery {
    let sections = list("section");
    let ptpa: Vec<u16> = (0..sections.codes.len() as u16).filter(|&n| sections.text(n).starts_with("PTPA")).collect();
    let all = [&[("section", ptpa.as_slice())], conditions].concat();
    of("cases", &all, by)
}

fn of(dataset: &str, conditions: &[(&str, &[u16])], by: &[&str]) -> CellQuery {
    let policy = Policy::default();
    let columns = policy.datasets.get(dataset).unwrap();
    let condition = |(level, codes): &(&str, &[u16])| Condition {
        dimension: columns.dimension_of(level).unwrap().to_owned(),
        level: (*level).to_owned(),
        codes: codes.to_vec(),
    };
    CellQuery {
        dataset: dataset.into(),
        population: conditions.iter().map(condition).collect(),
        by: by.iter().map(|level| Breakdown::Level((*level).to_owned())).collect(),
        measures: vec![Measure::Units],
    }
}

fn told(question: CellQuery) -> Vec<(Vec<u16>, Option<i64>, ObsStatus)> {
    let answered = vault().ask(&[question], Share::Ministry).unwrap().remove(0);
    let cell = |figure: &Figure| (value(figure), figure.obs_status());
    answered.cells.into_iter().map(|at| (at.at.clone(), cell(&at.figures[0]).0, cell(&at.figures[0]).1)).collect()
}

fn one(question: CellQuery) -> (Option<i64>, ObsStatus) {
    let all = told(question);
    assert_eq!(all.len(), 1);
    (all[0].1, all[0].2)
}

#[test]
fn a_period_that_is_not_over_is_provisional() {
    let (second, first) = (quarter(2025, 2), quarter(2025, 1));
    assert_eq!(one(cases(&[("quarter", &[second])], &[])), (Some(3), ObsStatus::P));
    assert_eq!(one(cases(&[("year", &[2025])], &[])), (Some(3), ObsStatus::P));
    assert_eq!(one(cases(&[("quarter", &[first])], &[])), (Some(0), ObsStatus::A));
    assert_eq!(one(cases(&[("quarter", &[first]), ("year", &[2025])], &[])), (Some(0), ObsStatus::A), "the quarter is");
    assert_eq!(one(cases(&[("year", &[2024])], &[])), (Some(0), ObsStatus::A));
}

#[test]
fn what_nobody_reported_is_no_zero() {
    let (silent, told) = (code("province", "PK-GB"), code("province", "PK-SD"));
    assert_eq!(one(cases(&[("year", &[2024]), ("province", &[silent])], &[])), (None, ObsStatus::L));
    assert_eq!(one(cases(&[("year", &[2024]), ("province", &[told])], &[])), (Some(0), ObsStatus::A));
    assert_eq!(one(cases(&[("year", &[2024]), ("province", &[told, silent])], &[])), (Some(0), ObsStatus::A));
}

#[test]
fn what_nobody_reported_is_marked_in_a_breakdown_too() {
    for (at, value, status) in told(cases(&[("year", &[2024])], &["province"])) {
        let silent = at == [code("province", "PK-GB")];
        assert_eq!((value, status), if silent { (None, ObsStatus::L) } else { (Some(0), ObsStatus::A) });
    }
}

#[test]
fn of_persons_it_is_never_said_that_nothing_was_reported() {
    let silent = code("province", "PK-GB");
    let (value, status) = one(of("victims", &[("year", &[2024]), ("province", &[silent])], &[]));
    assert_eq!((value, status), (None, ObsStatus::Q));
}

#[test]
fn a_period_to_come_is_no_zero() {
    let future = quarter(2025, 3);
    assert_eq!(one(cases(&[("quarter", &[future])], &[])), (None, ObsStatus::L));
    assert_eq!(one(of("victims", &[("quarter", &[future])], &[])), (None, ObsStatus::Q));
    assert_eq!(one(cases(&[("quarter", &[quarter(2025, 2), future])], &[])), (Some(3), ObsStatus::P));
}

#[test]
fn periods_to_come_are_no_rows_but_where_nothing_else_was_asked_for() {
    let quarters: Vec<u16> =
        told(cases(&[("year", &[2025])], &["quarter"])).into_iter().map(|(at, ..)| at[0]).collect();
    assert!(quarters.contains(&quarter(2025, 2)) && !quarters.contains(&quarter(2025, 3)), "{quarters:?}");
    let future = [quarter(2025, 3), quarter(2025, 4)];
    for dataset in ["cases", "victims"] {
        let asked = if dataset == "cases" {
            cases(&[("quarter", &future)], &["quarter"])
        } else {
            of(dataset, &[("quarter", &future)], &["quarter"])
        };
        let answer = told(asked);
        assert_eq!(answer.len(), 2, "{dataset}");
        assert!(answer.iter().all(|(_, value, _)| value.is_none()), "{dataset}");
    }
}
