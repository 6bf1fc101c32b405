//! A8, fronts by single persons: two sets that differ by the victim, after others were asked about in the order that tells most
//! such pairs apart (privacy.md 6.7, 7.2).
//!
//! Somewhere between two anchors the answer changes, and the order of asking is the attacker's. Here she knows everybody
//! but the victim, has a set of whatever size she needs, each part of every larger one, and has looked for the best order
//! beforehand, on a model of the guard.
//!
//! Absent: the search for orders; draws of the guard that she has learnt by asking about others.

use anyhow::{Context, Result};
use policy::TimeLevel;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::know::between;
use crate::people::{People, YEARS};
use crate::referee::Arena;
use crate::score::Tally;
use crate::target::{Door, Sql, Target};

/// The pair: so many persons, and the victim with them.
const PAIR: usize = 37;

/// How many persons are in the sets that are asked about before. The first six told a third of the pairs to all of them apart while
/// the nearest set answered and the oldest of equally near ones; the others are the worst that are known for the guard as it is.
pub const ORDERS: [&[usize]; 12] = [
    &[31, 43, 35, 39],
    &[45, 30, 41, 34, 39, 36],
    &[30, 42, 51, 32, 36, 39],
    &[45, 41, 39, 30, 34, 36],
    &[30, 34, 36, 45, 41, 39],
    &[43, 35, 39],
    &[45, 41, 30, 34, 36],
    &[43, 31],
    &[45, 34],
    &[45, 33, 42],
    &[44, 32, 40, 34],
    &[32, 46, 41, 39, 35, 49, 51],
];

/// Claims that the victim is there where the pair has different answers. Without her both are one set.
pub fn single_persons(arena: &Arena, target: Target) -> Result<Tally> {
    let results = arena.parallel(&|door: &Door, number| {
        let mut rng = ChaCha8Rng::seed_from_u64(0xa8f << 32 | number);
        let (order, is_there) = (ORDERS[number as usize % ORDERS.len()], rng.random_bool(0.5));
        Ok(Some((tells_apart(door, target, number, order, is_there)?, is_there)))
    })?;
    let mut tally = Tally::default();
    for (claim, truth) in results {
        tally.add(claim, truth);
    }
    Ok(tally)
}

/// Whether a vault with these keys answers the pair differently after sets of so many persons were asked about.
pub fn tells_apart(door: &Door, target: Target, keys: u64, order: &[usize], is_there: bool) -> Result<bool> {
    let mut sizes: Vec<usize> = order.iter().copied().chain([PAIR, PAIR + 1]).collect();
    sizes.sort_unstable();
    sizes.dedup();
    // A month for what each set has more than the one before: the sets are the persons from the first month to another.
    let months = TimeLevel::Month.codes(YEARS);
    let (mut people, mut before) = (Vec::new(), 0);
    for (&month, &size) in months.iter().zip(&sizes) {
        let victim = usize::from(size == PAIR + 1 && !is_there);
        people.extend(std::iter::repeat_n(month, size - before - victim));
        before = size;
    }
    let mut all = People::plain(door.policy(), "victims", people.len());
    all.one.insert("month".to_owned(), people);
    door.open(target, keys, &[&all])?;
    let ask = |size: usize| -> Result<Vec<Option<i64>>> {
        let last = sizes.iter().position(|known| *known == size).context("a size of the order")?;
        Ok(door.ask(&format!("select count(*) from victims where {}", between((months[0], months[last])))).first())
    };
    order.iter().try_for_each(|&size| ask(size).map(drop))?;
    Ok(ask(PAIR)? != ask(PAIR + 1)?)
}
