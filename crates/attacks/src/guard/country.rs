//! Rows of every dataset of a policy, spread over their code lists, with canaries among what no answer may hold.

use std::collections::BTreeMap;

use policy::{Dataset, Policy, TimeLevel};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::people::{FIRST_SID, People, YEARS, agencies, zipf};

/// Cases begin here: like the sids, numbers that would be seen in any text.
pub const FIRST_CASE: u64 = 8_880_000_000_001;
/// An amount that one unit of each dataset with amounts has: no edge of a bin, and too long to come about by chance.
pub const CANARY_AMOUNT: i64 = 917_381;
/// Codes of a column that units have; the others stay empty.
const USED: usize = 10;
/// Datasets whose rows are acts: a unit may have several.
const ACTS: [&str; 6] = ["services", "stays", "returns", "compensations", "charges", "judgments"];

/// Every dataset, each with so many units. The same sids stand in all of them, so that one person can be taken out everywhere.
pub fn country(policy: &Policy, units: usize, rng: &mut ChaCha8Rng) -> Vec<People> {
    policy.datasets.iter().map(|dataset| spread(policy, dataset, units, rng)).collect()
}

/// The same country without one unit in any dataset.
pub fn without(country: &[People], sid: u64) -> Vec<People> {
    let rows = |people: &People| -> Vec<usize> {
        people.sid.iter().enumerate().filter(|(_, other)| **other == sid).map(|(row, _)| row).collect()
    };
    country.iter().map(|people| people.without(&rows(people))).collect()
}

/// What no text that leaves may hold.
pub fn canaries() -> [String; 3] {
    let common = |first: u64| first.to_string()[..8].to_owned();
    [common(FIRST_SID), common(FIRST_CASE), CANARY_AMOUNT.to_string()]
}

fn spread(policy: &Policy, dataset: &Dataset, units: usize, rng: &mut ChaCha8Rng) -> People {
    let mut people = People::empty(&dataset.name);
    let agencies = agencies(policy);
    let several = ACTS.contains(&dataset.name.as_str());
    for unit in 0..units {
        for _ in 0..if several && unit % 3 == 0 { 2 } else { 1 } {
            people.sid.push(FIRST_SID + unit as u64);
            people.case.push(FIRST_CASE + unit as u64 / 2);
            people.agency.push(agencies[zipf(rng, agencies.len())]);
        }
    }
    let rows = people.sid.len();
    let months = TimeLevel::Month.codes(YEARS);
    people.one.insert("month".to_owned(), (0..rows).map(|_| months[rng.random_range(0..months.len() - 1)]).collect());
    for column in dataset.columns.keys() {
        if dataset.is_many(column) {
            people.many.insert(column.clone(), (0..rows).map(|_| several_codes(dataset, column, rng)).collect());
        } else {
            people.one.insert(column.clone(), (0..rows).map(|_| code(dataset, column, rng)).collect());
        }
    }
    measured(dataset, &mut people.measures, &mut people.one, rows, rng);
    people
}

fn code(dataset: &Dataset, column: &str, rng: &mut ChaCha8Rng) -> u16 {
    let codes = dataset.codes(column, YEARS).unwrap_or_default();
    if rng.random_bool(0.04) {
        return dataset.unknown(column).unwrap_or_default();
    }
    codes[zipf(rng, codes.len().min(USED))]
}

fn several_codes(dataset: &Dataset, column: &str, rng: &mut ChaCha8Rng) -> Vec<u16> {
    let mut codes = vec![code(dataset, column, rng)];
    if rng.random_bool(0.2) {
        codes.push(code(dataset, column, rng));
        codes.sort_unstable();
        codes.dedup();
    }
    codes
}

fn measured(
    dataset: &Dataset,
    measures: &mut BTreeMap<String, Vec<Option<i64>>>,
    one: &mut BTreeMap<String, Vec<u16>>,
    rows: usize,
    rng: &mut ChaCha8Rng,
) {
    for measure in dataset.measures.values() {
        let value = |rng: &mut ChaCha8Rng| rng.random_bool(0.8).then(|| rng.random_range(measure.min..=measure.max));
        let mut values: Vec<Option<i64>> = (0..rows).map(|_| value(rng)).collect();
        if measure.max > CANARY_AMOUNT {
            values[rows / 2] = Some(CANARY_AMOUNT);
        }
        one.insert(measure.band.clone(), values.iter().map(|value| measure.band_of(*value)).collect());
        measures.insert(measure.name.clone(), values);
    }
}
