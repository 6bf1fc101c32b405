//! Editions of the sample: what is exact, what was not collected, and that the manifest's hash is that of `sql/`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use disclosure::{ObsStatus, Vault};
use models::edition::{DIMENSIONS, Key, Row, release, unprotected};
use models::{RefreshOptions, SqlSet, refresh};
use policy::{Keys, Master, Policy};
use sample::Size;

use crate::support::{AS_OF, Arrival, Lake, feed, keys, policy, vault};

const EXACT: [&str; 3] = ["C01", "L01", "L02"];

#[tokio::test(flavor = "multi_thread")]
async fn exact_cells_are_the_counts_and_what_nobody_reported_is_not_a_zero() {
    let lake = Lake::of(&feed(Size::Small), Arrival::default()).await;
    let (snapshot, _) = lake.refresh(&RefreshOptions::default()).await;
    assert_eq!(snapshot.sql_hash(), SqlSet::embedded().hash().to_hex().as_str());
    let (policy, as_of) = (policy(), AS_OF.parse().unwrap());
    let source = snapshot.source(&policy);
    let counts: BTreeMap<Key, u64> = unprotected(&source, &vault(&policy), as_of).unwrap().into_iter().collect();
    let rows = release(&source, &vault(&policy), as_of, 1).unwrap().rows;

    let is_exact = |row: &&Row| {
        let of_grid = EXACT.contains(&row.key.indicator.as_str()) && row.unit != "percent";
        (of_grid || is_of_acts(row)) && !row.key.time_period.starts_with("FY")
    };
    let (mut zeros, mut silent) = (0, 0);
    for row in rows.iter().filter(is_exact) {
        let count = counts[&row.key];
        match row.figure.obs_status() {
            ObsStatus::L => {
                silent += 1;
                assert_eq!(count, 0, "{:?}: reported, and marked as not collected", row.key);
                assert_eq!(row.figure.value(), None);
            }
            ObsStatus::A => {
                zeros += usize::from(count == 0);
                let exact = [row.figure.value(), row.figure.lo95(), row.figure.hi95()];
                assert!(
                    exact.iter().all(|v| v.and_then(disclosure::Amount::as_integer) == Some(count as i64)),
                    "{:?}",
                    row.key
                );
            }
            other => panic!("{:?} is {other:?}", row.key),
        }
    }
    assert!(zeros > 0 && silent > 0, "{zeros} zeros, {silent} not collected");

    // Of years without a census the population is reckoned, and the rows say so.
    let rates = || rows.iter().filter(|row| row.key.indicator == "V02" && row.figure.value().is_some());
    assert!(rates().any(|row| row.key.time_period == "2023") && rates().any(|row| row.key.time_period == "2015"));
    let counted = |row: &Row| ["2017", "2023"].contains(&row.key.time_period.as_str());
    assert!(rates().all(|row| (row.figure.obs_status() == ObsStatus::P) != counted(row)));

    // Nothing about persons is ever said to be empty: missing and hidden look the same.
    let of_victims = |row: &&Row| ["V01", "V03", "V11"].contains(&row.key.indicator.as_str());
    assert!(rows.iter().filter(of_victims).all(|row| row.figure.obs_status() != ObsStatus::L));
    // The year is over: who is identified again within 24 months (V12) may still change, the number of victims is settled.
    let of_years = rows.iter().filter(of_victims).filter(|row| !row.key.time_period.starts_with("FY"));
    assert!(of_years.into_iter().all(|row| row.figure.obs_status() != ObsStatus::P));
}

/// A national fiscal year is its quarters as they were released: July to June, with the noise of all four.
#[tokio::test(flavor = "multi_thread")]
async fn a_fiscal_year_is_the_sum_of_its_released_quarters() {
    let lake = Lake::of(&feed(Size::Small), Arrival::default()).await;
    let (snapshot, _) = lake.refresh(&RefreshOptions::default()).await;
    let policy = policy();
    let rows = release(&snapshot.source(&policy), &vault(&policy), AS_OF.parse().unwrap(), 1).unwrap().rows;
    let of: BTreeMap<&Key, &Row> = rows.iter().map(|row| (&row.key, row)).collect();
    let (mut exact, mut noisy, mut open) = (0, 0, 0);
    for row in rows.iter().filter(|row| row.key.time_period.starts_with("FY") && row.unit != "percent") {
        let first: u16 = row.key.time_period[2..6].parse().unwrap();
        let quarters = [(first, 3), (first, 4), (first + 1, 1), (first + 1, 2)];
        let at =
            |(year, quarter): (u16, u16)| of.get(&Key { time_period: format!("{year}-Q{quarter}"), ..row.key.clone() });
        let quarters: Vec<_> = quarters.into_iter().filter_map(at).collect();
        let values: Option<Vec<i128>> =
            quarters.iter().map(|row| row.figure.value().map(disclosure::Amount::micros)).collect();
        let value = row.figure.value().map(disclosure::Amount::micros);
        if row.figure.obs_status() == ObsStatus::L {
            assert!(quarters.iter().any(|row| row.figure.obs_status() == ObsStatus::L), "{:?}", row.key);
            continue;
        }
        assert_eq!(value, values.map(|values| values.iter().sum()), "{:?}", row.key);
        if quarters.len() < 4 && value.is_some() {
            open += 1;
            assert_eq!((first, row.figure.obs_status()), (2025, ObsStatus::P), "the one that goes on");
        }
        let widest = quarters.iter().filter_map(|row| Some(row.figure.hi95()?.micros() - row.figure.value()?.micros()));
        let (widest, half) = (widest.max().unwrap_or(0), row.figure.hi95().map(|hi| hi.micros() - value.unwrap()));
        match half {
            Some(0) => exact += 1,
            Some(half) => {
                noisy += 1;
                assert!(half > widest, "{:?}: wider than any quarter", row.key);
            }
            None => {}
        }
    }
    assert!(exact > 100 && noisy > 20 && open > 0, "{exact} exact, {noisy} noisy, {open} open");
    let shares = rows.iter().filter(|row| row.key.measure == "share_finding" && row.key.time_period.starts_with("FY"));
    assert!(shares.count() > 0, "shares of fiscal years are shares of their sums");
}

/// The exact cells of C04 and C05: by province, by section, and the year's total.
fn is_of_acts(row: &Row) -> bool {
    let at = |name: &str| &row.key.dimensions[DIMENSIONS.iter().position(|dimension| *dimension == name).unwrap()];
    ["C04", "C05"].contains(&row.key.indicator.as_str()) && at("sex") == "_T" && at("citizenship") == "_T"
}

/// What began after the date is in no cell, nor what began before the fifteen years; and no other number depends on it.
#[tokio::test(flavor = "multi_thread")]
async fn an_edition_speaks_of_what_began_on_or_before_its_date() {
    let lake = Lake::of(&feed(Size::Small), Arrival::default()).await;
    let (snapshot, _) = lake.refresh(&RefreshOptions::default()).await;
    let policy = policy();
    let source = snapshot.source(&policy);
    let counts = |as_of: &str| -> BTreeMap<Key, u64> {
        unprotected(&source, &vault(&policy), as_of.parse().unwrap()).unwrap().into_iter().collect()
    };
    let (all, half) = (counts(AS_OF), counts("2018-06-30"));
    let of = |cells: &BTreeMap<Key, u64>, wanted: &dyn Fn(&Key) -> bool| -> u64 {
        cells.iter().filter(|(key, _)| key.indicator == "C01" && wanted(key)).map(|(_, count)| count).sum()
    };
    let known = |key: &Key| key.time_period.starts_with("2018-Q") && key.time_period.as_str() <= "2018-Q2";
    assert_eq!(of(&half, &known), of(&all, &known), "the half year that is over");
    assert_eq!(of(&half, &|key| key.time_period.as_str() > "2018-Q2" && key.time_period != "_X"), 0);
    let unknown = |key: &Key| key.time_period == "_X";
    assert!(of(&half, &unknown) < of(&all, &unknown), "of an unknown quarter: the years of the edition alone");
    let year = |cells: &BTreeMap<Key, u64>| -> u64 {
        let of_2018 = |key: &&Key| key.indicator == "V11" && key.time_period == "2018";
        cells.keys().filter(of_2018).map(|key| cells[key]).sum()
    };
    assert!(year(&half) > 0 && year(&half) < year(&all), "half of the year");
}

/// As the store of the CTDC records: victims and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_policy_of_one_dataset_makes_its_mart_and_publishes_its_indicators_alone() {
    let few: Vec<_> = feed(Size::Small).into_iter().take(6_000).collect();
    let lake = Lake::of(&few, Arrival::default()).await;
    let policy = Arc::new(Policy::parse(policy::DEFAULT_AGENCIES, policy::CTDC_DATASETS).unwrap());
    let options = RefreshOptions::default();
    let (snapshot, _) = refresh(&lake.store, &lake.events().await, &policy, &keys(), &options).await.unwrap();
    assert_eq!(
        snapshot.hashes().keys().collect::<Vec<_>>(),
        ["agencies", "area_changes", "areas", "calendar", "codes", "courts", "populations", "victims"]
    );
    let rows = release(&snapshot.source(&policy), &vault(&policy), AS_OF.parse().unwrap(), 1).unwrap().rows;
    let indicators: BTreeSet<&str> = rows.iter().map(|row| row.key.indicator.as_str()).collect();
    assert_eq!(
        indicators.into_iter().collect::<Vec<_>>(),
        ["Q02", "V01", "V03", "V04", "V05", "V06", "V07", "V08", "V09", "V11"],
        "no rate: they are of the whole world"
    );
}

/// The numbers of a vault, and with them what is hidden together, follow from its key.
#[tokio::test(flavor = "multi_thread")]
async fn an_edition_is_published_where_one_answer_hides_parts_of_the_release_that_are_examined_after_it() {
    let lake = Lake::of(&feed(Size::Small), Arrival::default()).await;
    let (snapshot, _) = lake.refresh(&RefreshOptions::default()).await;
    let policy = policy();
    let keys = Keys::derive(&Master::from_bytes([45; 32]));
    let vault = Vault::forgetful(Arc::clone(&policy), &keys);
    let released = release(&snapshot.source(&policy), &vault, AS_OF.parse().unwrap(), 1).unwrap();
    assert!(!released.rows.is_empty());
}
