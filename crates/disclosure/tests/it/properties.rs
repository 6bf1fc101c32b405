//! What holds of every release, whatever the population: nothing below a floor, nothing to be subtracted.

use std::collections::BTreeMap;

use disclosure::truth::unprotected_counts;
use disclosure::{ConfStatus, Coordinate, Dimension, Figure, ObsStatus, Prepared, Release, TableQuery, Tier, tabulate};
use events::code_list::list;
use policy::{Policy, Profile, Resolved};
use proptest::prelude::*;

use crate::support::*;

const YEARS: [u16; 2] = [2023, 2024];
/// By so many persons a set may differ from the one that answers for it (privacy.md 6.7): 11, and up to 30 inside few
/// cases.
const GUARD: u64 = 30;

fn codes(name: &str) -> u16 {
    list(name).codes.len() as u16
}

/// Populations from empty to a thousand, with groups of every size, cases of many persons and private caseloads.
fn population() -> impl Strategy<Value = Vec<Victim>> {
    let policy = Policy::default();
    let holders = ["POL-PB", "FIA", "POL-SD"].map(|code| policy.agencies.get(code).unwrap().index);
    let private = policy.agencies.iter().find(|agency| agency.private).unwrap().index;
    // Uneven shares, so that some cells are large, some small and some empty.
    let sex = prop_oneof![12 => Just(0_u16), 5 => Just(1), 1 => Just(2), 1 => Just(3)];
    let province = prop_oneof![20 => Just(0_u16), 8 => Just(1), 4 => Just(2), 1 => 3..codes("province")];
    let age = prop_oneof![3 => Just(0_u16), 9 => Just(1), 1 => Just(codes("age_group") - 1)];
    let exploitation = proptest::collection::btree_set(
        prop_oneof![9 => Just(0_u16), 5 => Just(1), 1 => 2..codes("exploitation")],
        1..3,
    );
    let agency = prop_oneof![4 => Just(holders[0]), 2 => Just(holders[1]), 1 => Just(holders[2]), 1 => Just(private)];
    let victim = (any::<bool>(), 0..4_u16, sex, age, province, exploitation, agency, 0..200_u64);
    proptest::collection::vec(victim, 0..1_000).prop_map(|all| {
        let made =
            all.into_iter().enumerate().map(|(at, (late, q, sex, age_group, province, exploitation, agency, case))| {
                let year = YEARS[usize::from(late)];
                let (sid, exploitation) = (at as u64 + 1, exploitation.into_iter().collect());
                Victim {
                    sid,
                    case,
                    agency,
                    year,
                    quarter: quarter(year, q + 1),
                    sex,
                    age_group,
                    province,
                    exploitation,
                }
            });
        made.collect()
    })
}

/// The tables that editions ask of victims: V01's and V03's.
fn questions() -> Vec<TableQuery> {
    let quarters: Vec<u16> = YEARS.iter().flat_map(|&year| (1..=4).map(move |q| quarter(year, q))).collect();
    let of_year = quarters.iter().map(|code| Some(1900 + code / 4)).collect();
    let quarters = Dimension::codes("quarter", quarters).rolling_up_to("year", of_year);
    let tables = [
        vec![years(&YEARS), whole("province")],
        vec![quarters, whole("province")],
        vec![years(&YEARS), whole("sex"), whole("age_group")],
        vec![years(&YEARS), whole("exploitation")],
        vec![years(&YEARS), whole("exploitation"), whole("sex")],
    ];
    tables.map(|by| query("victims", by)).to_vec()
}

fn release_of(rows: &Prepared) -> Release {
    let tables = questions().iter().enumerate().map(|(n, asked)| table(&format!("t{n}"), rows, asked)).collect();
    released(tables)
}

/// A cell by the codes it is split by, whatever table it stands in.
type Name = BTreeMap<String, u16>;

fn name(asked: &TableQuery, at: &[Coordinate]) -> Name {
    let code = |(dimension, at): (&Dimension, &Coordinate)| match at {
        Coordinate::Code(code) => Some((dimension.name.clone(), *code)),
        Coordinate::Total | Coordinate::Remainder => None,
    };
    asked.by.iter().zip(at).filter_map(code).collect()
}

/// Every cell of the release with what is true of it.
fn cells(rows: &Prepared, release: &Release) -> Vec<(usize, Vec<Coordinate>, Name, u64, Figure)> {
    let mut all = Vec::new();
    for (number, (asked, table)) in questions().iter().zip(&release.tables).enumerate() {
        let counts = unprotected_counts(&tabulate(rows, asked).unwrap());
        assert_eq!(counts.len(), table.cells().len(), "a cell for every code, no more and no less");
        for (count, cell) in counts.into_iter().zip(table.cells()) {
            assert!(count.at == cell.at);
            all.push((number, cell.at.clone(), name(asked, &cell.at), count.count, cell.figure));
        }
    }
    all
}

/// The strictest profile of a cell by the policy.
fn profile(policy: &Policy, name: &Name) -> Profile {
    let victims = policy.datasets.get("victims").unwrap();
    let of = |(dimension, code): (&String, &u16)| match victims.resolve(dimension) {
        Some(Resolved::Column(column, level)) => column.profile_of(level, *code),
        _ => Profile::Std,
    };
    name.iter().map(of).max().unwrap_or(Profile::Std)
}

fn floor(profile: Profile) -> u64 {
    match profile {
        Profile::Std => 11,
        Profile::Sens => 20,
        Profile::High => 21,
    }
}

fn micros(figure: &Figure) -> (i64, i64, i64) {
    let whole = |amount: Option<disclosure::Amount>| amount.unwrap().as_integer().unwrap();
    (whole(figure.value()), whole(figure.lo95()), whole(figure.hi95()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn no_number_is_shown_below_its_floor_and_each_is_near_the_truth(people in population()) {
        let policy = Policy::default();
        let rows = prepared("victims", &people);
        let release = release_of(&rows);
        let all = cells(&rows, &release);
        // A set that is nearly another's has the other's number, whatever is shown of the other (privacy.md 6.7).
        let answers = |n: u64, profile: Profile| {
            all.iter().any(|(_, _, _, theirs, _)| *theirs >= floor(profile) && theirs.abs_diff(n) <= GUARD)
        };
        for (_, at, name, n, figure) in all.clone() {
            let Some(tier) = figure.tier() else {
                prop_assert!(is_hidden(&figure) && figure.conf_status() == ConfStatus::C, "{at:?}");
                continue;
            };
            let profile = profile(&policy, &name);
            let first = match profile { Profile::Std => Tier::V4, Profile::Sens => Tier::V9, Profile::High => Tier::V16 };
            let (value, lo, hi) = micros(&figure);
            prop_assert!(n >= floor(profile) || answers(n, profile), "{at:?} is shown below its floor");
            prop_assert_eq!(tier, first);
            prop_assert!(value.abs_diff(n as i64) <= tier.bound() + GUARD && value >= 1);
            prop_assert_eq!((value - lo, hi - value), ((tier.half_width_95() as i64).min(value), tier.half_width_95() as i64));
            prop_assert!(matches!(figure.obs_status(), ObsStatus::A | ObsStatus::U));
            prop_assert!(figure.obs_status() == ObsStatus::U || value >= 34);
        }
    }

    #[test]
    fn the_same_cell_has_the_same_figure_in_every_table(people in population()) {
        let rows = prepared("victims", &people);
        let mut seen: BTreeMap<Name, Figure> = BTreeMap::new();
        for (_, at, name, _, figure) in cells(&rows, &release_of(&rows)) {
            let before = *seen.entry(name).or_insert(figure);
            prop_assert_eq!(before, figure, "{:?}", at);
        }
    }

    /// One relation is less than the audit's all, so what it leaves open the audit left open: here computed by hand.
    #[test]
    fn no_hidden_cell_follows_from_its_total_and_its_siblings(people in population()) {
        let policy = Policy::default();
        let rows = prepared("victims", &people);
        let release = release_of(&rows);
        let all = cells(&rows, &release);
        let of_table = |number| all.iter().filter(move |cell| cell.0 == number);
        // Dimensions along which a person has one code, so that parts add up to their total.
        for (number, dimension) in [(0, 1), (1, 1), (2, 1), (2, 2), (4, 2)] {
            for total in of_table(number).filter(|cell| cell.1[dimension] == Coordinate::Total) {
                let siblings: Vec<_> = of_table(number)
                    .filter(|cell| cell.1[dimension] != Coordinate::Total)
                    .filter(|cell| (0..cell.1.len()).all(|at| at == dimension || cell.1[at] == total.1[at]))
                    .collect();
                let known = |figure: &Figure, name: &Name| match figure.tier() {
                    Some(tier) => {
                        let (value, bound) = (micros(figure).0, (tier.bound() + GUARD) as i64);
                        let least = tier.floor(floor(profile(&policy, name))) as i64 - GUARD as i64;
                        ((value - bound).max(least), value + bound)
                    }
                    None => (0, i64::from(i32::MAX)),
                };
                prop_assert_eq!(siblings.iter().map(|cell| cell.3).sum::<u64>(), total.3);
                let (total_lo, total_hi) = known(&total.4, &total.2);
                for hidden in siblings.iter().filter(|cell| cell.4.tier().is_none()) {
                    let others = || siblings.iter().filter(|cell| cell.1 != hidden.1).map(|cell| known(&cell.4, &cell.2));
                    let lo = (total_lo - others().map(|(_, hi)| hi).sum::<i64>()).max(0);
                    let hi = (total_hi - others().map(|(lo, _)| lo).sum::<i64>()).max(0);
                    let k = floor(profile(&policy, &hidden.2));
                    prop_assert!(hi - lo >= k as i64, "{:?}: {lo}..{hi}", hidden.1);
                    prop_assert!(lo == 0 || hidden.3 >= k, "{:?}: {lo}..{hi} says that somebody is there", hidden.1);
                }
            }
        }
    }

    #[test]
    fn a_release_follows_from_the_rows_alone(people in population(), turn in 0..1_000_usize) {
        let rows = prepared("victims", &people);
        let mut turned = people.clone();
        turned.rotate_left(if people.is_empty() { 0 } else { turn % people.len() });
        let figures = |rows: &Prepared| {
            let release = release_of(rows);
            release.tables.iter().flat_map(|t| t.cells().to_vec()).collect::<Vec<_>>()
        };
        prop_assert!(figures(&rows) == figures(&prepared("victims", &turned)));
    }
}
