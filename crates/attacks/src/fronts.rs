//! A8, fronts by single persons: two sets that differ by the victim, after others were asked about in the order that tells most
//! such pairs apart (privacy.md 6.7, 7.2).
//!
//! Somewhere between two anchors the answer changes, and the order of asking is the attacker's. Here she has a set of whatever size
//! she needs, each part of every larger one, and either knows everybody but the victim and has looked for the best order
//! beforehand, on a model of the guard; or knows nobody, and asks for every set on a way with the victim and without.
//!
//! Absent: the search for orders; draws of the guard that she has learnt by asking about others.

use std::collections::BTreeMap;

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
    let order = |number: u64| ORDERS[number as usize % ORDERS.len()];
    claims(arena, 0xa8f, &|door, keys, is_there| tells_apart(door, target, keys, order(keys), is_there))
}

/// Claims that the victim is there where `tells` says so: of a vault with these keys, in which she is or is not.
fn claims(arena: &Arena, seed: u64, tells: &(dyn Fn(&Door, u64, bool) -> Result<bool> + Sync)) -> Result<Tally> {
    let results = arena.parallel(&|door: &Door, number| {
        let is_there = ChaCha8Rng::seed_from_u64(seed << 32 | number).random_bool(0.5);
        Ok(Some((tells(door, number, is_there)?, is_there)))
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

/// A way from a set that is shown to another, or to nobody. On it each set is asked about with the victim and without her: where
/// the answer changes, it may change between the two.
pub struct Way {
    /// As it is called.
    pub name: &'static str,
    /// How many there are besides her in each set, as they are asked about.
    pub sizes: &'static [usize],
    /// A set without her that is asked about before.
    pub before: Option<usize>,
    /// Whether all sets with her come first, and then those without; otherwise each set without her follows the one with her.
    pub apart: bool,
}

/// The ways of the suite: down to nobody, whose answer is always that nothing is shown, and down to a group asked about before.
pub const WAYS: [Way; 3] = [
    Way { name: "down to nobody", sizes: DOWN, before: None, apart: false },
    Way { name: "down to nobody, first with her", sizes: DOWN, before: None, apart: true },
    Way { name: "between two fronts", sizes: BETWEEN, before: Some(20), apart: false },
];
const DOWN: &[usize] = &[17, 14, 11, 8, 7, 6, 5, 4, 3, 2, 1, 0];
const BETWEEN: &[usize] = &[36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20];

/// Claims that the victim is there where any set with her has another answer than the same without her.
pub fn on_the_way(arena: &Arena, target: Target, way: &Way) -> Result<Tally> {
    claims(arena, 0xa8e, &|door, keys, is_there| tells_on_the_way(door, target, keys, way, is_there))
}

/// Claims that the victim is there where the pair has different answers after a chain of sets led there by three persons a step.
pub fn by_threes(arena: &Arena, target: Target) -> Result<Tally> {
    claims(arena, 0xa8d, &|door, keys, is_there| tells_by_threes(door, target, keys, is_there))
}

/// Whether a vault with these keys answers thirty persons differently from the same with the victim. Before, sets of all of them are asked
/// about with thirty others, then with three fewer each time. Where a chain ends later for what differs by three at most, the set
/// with her is three from the last of these, and that without her four.
pub fn tells_by_threes(door: &Door, target: Target, keys: u64, is_there: bool) -> Result<bool> {
    let months = TimeLevel::Month.codes(YEARS);
    // A group of three, the thirty, the victim, and nine groups of three.
    let sizes = [3, 30, usize::from(is_there)].into_iter().chain([3; 9]);
    let people: Vec<u16> =
        months.iter().zip(sizes).flat_map(|(&month, size)| std::iter::repeat_n(month, size)).collect();
    let mut all = People::plain(door.policy(), "victims", people.len());
    all.one.insert("month".to_owned(), people);
    door.open(target, keys, &[&all])?;
    let ask = |first: usize, last: usize| {
        door.ask(&format!("select count(*) from victims where {}", between((months[first], months[last])))).first()
    };
    (2..=11).rev().for_each(|last| drop(ask(0, last)));
    ask(1, 3);
    Ok(ask(1, 1) != ask(1, 2))
}

/// Whether a vault with these keys answers any set of a way differently with the victim and without, in persons or in cases.
pub fn tells_on_the_way(door: &Door, target: Target, keys: u64, way: &Way, is_there: bool) -> Result<bool> {
    // The victim is alone in the first month; each month after it has those that a set has more than the next smaller one.
    let months = TimeLevel::Month.codes(YEARS);
    let mut sizes: Vec<usize> = way.sizes.to_vec();
    sizes.sort_unstable();
    let steps = std::iter::once(&0).chain(&sizes).zip(&sizes).map(|(less, more)| more - less);
    let victim = is_there.then_some(months[0]);
    let others = months[1..].iter().zip(steps).flat_map(|(&month, step)| std::iter::repeat_n(month, step));
    let people: Vec<u16> = victim.into_iter().chain(others).collect();
    let mut all = People::plain(door.policy(), "victims", people.len());
    all.one.insert("month".to_owned(), people);
    door.open(target, keys, &[&all])?;
    let ask = |size: usize, with_her: bool| -> Result<Vec<Option<i64>>> {
        let last = sizes.iter().position(|known| *known == size).context("a size of the way")? + 1;
        let first = usize::from(!with_her);
        let months = between((months[first], months[last]));
        Ok(door.ask(&format!("select count(*), count(distinct case_id) from victims where {months}")).first())
    };
    way.before.map(|size| ask(size, false)).transpose()?;
    let (mut told, mut with_her) = (false, BTreeMap::new());
    for &size in way.sizes {
        with_her.insert(size, ask(size, true)?);
        told |= !way.apart && ask(size, false)? != with_her[&size];
    }
    for size in way.sizes.iter().filter(|_| way.apart) {
        told |= ask(*size, false)? != with_her[size];
    }
    Ok(told)
}
