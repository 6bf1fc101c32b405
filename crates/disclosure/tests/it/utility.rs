//! What protection costs, measured on a release as it leaves the vault (privacy.md 6.13).

use crate::support::*;

const YEARS: std::ops::RangeInclusive<u16> = 2011..=2022;

/// Persons of every year by sex: of three codes 30 each year, of the fourth 30 and 60 in turn. All cells are shown.
fn persons() -> Vec<Victim> {
    let sexes = ["F", "M", "T", "_X"].map(|sex| code("sex", sex));
    let group = |year: u16, sex: u16| {
        let first = u64::from(year) * 10_000 + u64::from(sex) * 1_000;
        let count = if sex == sexes[0] && year.is_multiple_of(2) { 60 } else { 30 };
        people(first..=first + count - 1, move |v| (v.year, v.sex, v.case) = (year, sex, v.sid / 3))
    };
    YEARS.flat_map(|year| sexes.map(|sex| group(year, sex))).flatten().collect()
}

#[test]
fn totals_changes_and_associations_of_a_release_are_measured_by_table() {
    let codes: Vec<u16> = YEARS.collect();
    let asked = query("victims", vec![years(&codes), whole("sex")]);
    let release = released(vec![table("t", &prepared("victims", &persons()), &asked)]);
    let (all, by_table) = release.utility;
    assert_eq!(by_table["t"], all, "there is one table");
    assert_eq!((all.cells, all.cells_hidden), (60, 0), "12 years, 4 codes and their total");
    let (totals, median, most) = all.gaps().unwrap();
    assert_eq!(totals, 12, "one of each year");
    assert!(median < 1.5 && most < 4.0, "noise alone makes .67 and 1.96 likely: {median} {most}");
    assert_eq!(all.changes.compared, 55, "11 changes of 4 codes and their total");
    assert!(all.changes.kept >= 22, "rises and falls by 30, of one code and in total, are told from noise");
    assert_eq!(all.associations.len(), 1);
    assert!((0.8..1.5).contains(&all.associations[0]), "{:?}", all.associations);
    let (median, most) = all.roots().unwrap();
    assert!(0.0 < median && median < 0.5 && most < 1.5, "noise of 2 on 30 is .18 of roots: {median} {most}");
}
