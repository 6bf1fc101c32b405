//! What is measured of a cell, as a set of its own (privacy.md 6.5, *Other measures*).
//!
//! Units are measured by themselves; cases and agencies are entities with record keys of their own universe; acts and
//! sums are sets of pairs (unit, value), so that a corrected value is a changed element.
//!
//! Absent: any data-dependent scale of noise, which would tell of the largest contributors.

use policy::Key;

use crate::noise::{SetName, Tier, dither, noise};
use crate::query::Measure;
use crate::released::Amount;

/// Acts of one unit that count (privacy.md 6.3: the clamp of `count(*)` on acts).
pub(crate) const MOST_ACTS: u64 = 5;
/// Agencies that must contribute before their number is released (privacy.md 6.5, `K_ag`).
pub(crate) const LEAST_AGENCIES: i128 = 5;

/// The set that is measured, and its size or sum.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Measured {
    /// Number of its elements and the sum of their keys.
    pub(crate) set: SetName,
    /// Its size; of acts their clamped number; of sums the sum in millionths.
    pub(crate) value: i128,
    /// The largest and the second largest of what is added up.
    pub(crate) largest: [i128; 2],
    /// How many elements are worth anything.
    pub(crate) worth: u64,
    /// Sum of the keys of those elements that are of marked units (`noise::is_marked`).
    pub(crate) core: u128,
}

impl Measured {
    /// Whether few elements make the sum: fewer than `beside` are worth anything beside the two largest, the largest is more than
    /// half of it, or what is left beside the two largest is less than p % of the largest (privacy.md 6.6, rule 5).
    ///
    /// `beside` is a sticky draw of 2 to 10 that widens all three edges, the last two by two percent for each: without it whether a
    /// sum is shown would tell, to the unit, whether somebody's value is more than those of all others; and a sum of nothing that
    /// is shown beside one of something that is not would tell who paid anything.
    pub(crate) fn is_dominated(&self, p_percent: u64, beside: u64) -> bool {
        let ([first, second], wider) = (self.largest, 2 * i128::from(beside - 2));
        self.worth < beside + 2
            || first * 100 > (50 - wider) * self.value
            || (self.value - first - second) * 100 < (i128::from(p_percent) + wider) * first
    }

    /// Adds an element that is worth so much, of a marked unit or of none.
    pub(crate) fn add(&mut self, key: u128, value: i128, marked: bool) {
        self.set.n += 1;
        self.set.c = self.set.c.wrapping_add(key);
        self.value += value;
        self.worth += u64::from(value != 0);
        self.core = self.core.wrapping_add(if marked { key } else { 0 });
        self.note(value);
    }

    /// A set of so many units, each worth one. Its core is that of the units.
    pub(crate) fn of_units(set: SetName) -> Self {
        let largest = [set.n.min(1).into(), set.n.saturating_sub(1).min(1).into()];
        Self { set, value: set.n.into(), largest, worth: set.n, core: 0 }
    }

    /// Adds the elements of another set; none is in both.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.set.n += other.set.n;
        self.set.c = self.set.c.wrapping_add(other.set.c);
        self.value += other.value;
        self.worth += other.worth;
        self.core = self.core.wrapping_add(other.core);
        other.largest.into_iter().for_each(|value| self.note(value));
    }

    fn note(&mut self, value: i128) {
        let [first, second] = self.largest;
        self.largest = if value > first { [value, first] } else { [first, second.max(value)] };
    }
}

/// Where the sets of one measure live: they are compared with each other and with no others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Space {
    /// As anchors are kept under: `victims/units`.
    pub(crate) name: String,
    /// Whose keys the elements have.
    pub(crate) universe: String,
    /// What the seeds of its noise begin with: tag and names.
    pub(crate) seed: Vec<u8>,
    /// What one step of noise is worth, in the unit of the value.
    pub(crate) scale: i128,
    /// How many millionths the unit of the value is.
    pub(crate) micros: i128,
}

impl Space {
    /// The space of a measure of a dataset.
    pub(crate) fn of(dataset: &policy::Dataset, measure: &Measure) -> Self {
        let universe = dataset.universe.as_str();
        let space = |tag: &str, names: &[&str], name: String, universe: &str, scale: i128| {
            let mut seed = tag.as_bytes().to_vec();
            for name in names {
                seed.push(0);
                seed.extend_from_slice(name.as_bytes());
            }
            seed.push(0);
            Self { name, universe: universe.to_owned(), seed, scale, micros: Amount::ONE }
        };
        match measure {
            Measure::Units => space("cnt1", &[universe], format!("{universe}/units"), universe, 1),
            Measure::Cases => space("cas1", &[universe], format!("{universe}/cases"), "cases", 1),
            Measure::Agencies => space("agy1", &[universe], format!("{universe}/agencies"), "agencies", 1),
            Measure::Rows => {
                let scale = i128::from(MOST_ACTS.div_ceil(2));
                space("evt1", &[&dataset.name], format!("{}/rows", dataset.name), universe, scale)
            }
            Measure::Sum(column) => {
                let name = format!("{}/sum/{column}", dataset.name);
                let scale = dataset.measures.get(column).map_or(1, step_of_sum);
                Self { micros: 1, ..space("sum1", &[&dataset.name, column], name, universe, scale) }
            }
        }
    }
}

impl Space {
    /// The value with its noise, in whole units. Sums of non-negative values are never shown below zero; of counts it
    /// cannot happen (n >= K > D).
    pub(crate) fn noisy(&self, key: &Key, set: SetName, tier: Tier, value: i128) -> i128 {
        let noise =
            i128::from(noise(key, &self.seed, set, tier)) * self.scale + dither(key, &self.seed, set, self.scale);
        let whole = Amount::ONE / self.micros;
        ((value + noise + whole / 2).div_euclid(whole) * whole).max(0)
    }

    /// What one step of noise is worth.
    pub(crate) fn step(&self) -> Amount {
        Amount::from_micros(self.scale * self.micros)
    }
}

/// One step of a sum's noise: half of the public range, so that its deviation is one maximal unit at the first tier; all
/// of it where the column is sensitive (privacy.md 6.5).
fn step_of_sum(column: &policy::MeasureColumn) -> i128 {
    let range = i128::from(column.max - column.min) * Amount::ONE;
    if column.sensitive { range } else { range / 2 }
}

/// The key of a pair of unit and value.
pub(crate) fn value_key(key: &Key, dataset: &str, column: &str, sid: u64, value: i128) -> u128 {
    let mut hasher = blake3::Hasher::new_keyed(key);
    pair(&mut hasher, b"val1\0", dataset, column, sid, value);
    u128::from_le_bytes(hasher.finalize().as_bytes()[..16].try_into().expect("a hash has 32 bytes"))
}

/// The element that stands for a pair of unit and value.
pub(crate) fn value_element(key: &Key, dataset: &str, column: &str, sid: u64, value: i128) -> u64 {
    let mut hasher = blake3::Hasher::new_keyed(key);
    pair(&mut hasher, b"val1\0", dataset, column, sid, value);
    u64::from_le_bytes(hasher.finalize().as_bytes()[..8].try_into().expect("a hash has 32 bytes")).max(1)
}

/// `"val1\0" || dataset || "\0" || column || "\0" || LE64(sid) || LE128(value)`.
fn pair(hasher: &mut blake3::Hasher, tag: &[u8], dataset: &str, column: &str, sid: u64, value: i128) {
    hasher.update(tag).update(dataset.as_bytes()).update(b"\0").update(column.as_bytes()).update(b"\0");
    hasher.update(&sid.to_le_bytes()).update(&value.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is measured of units with these values.
    fn of(values: &[i128]) -> Measured {
        let mut measured = Measured::default();
        values.iter().zip(1..).for_each(|(&value, key)| measured.add(key, value, false));
        measured
    }

    #[test]
    fn a_sum_of_nothing_and_one_of_few_payments_are_hidden_alike() {
        for payers in 0..=12 {
            let values: Vec<i128> = (0..30).map(|unit| if unit < payers { 100 } else { 0 }).collect();
            for beside in 2..=10 {
                // Of equal payments each is less than a third as soon as there are four.
                let few = payers < usize::try_from(beside).unwrap() + 2;
                assert_eq!(of(&values).is_dominated(10, beside), few, "{payers} of 30 paid, {beside}");
            }
        }
    }

    #[test]
    fn where_the_largest_is_too_much_of_a_sum_is_drawn() {
        // Fourteen others have ten each.
        let hidden = |largest: i128, beside| {
            let mut values = vec![10; 14];
            values.push(largest);
            of(&values).is_dominated(10, beside)
        };
        let first_hidden = |beside| (1..=200).find(|&largest| hidden(largest, beside)).unwrap();
        let edges: Vec<i128> = (2..=10).map(first_hidden).collect();
        assert_eq!(edges[0], 141, "more than half");
        assert!(edges.windows(2).all(|pair| pair[1] < pair[0]), "each draw has an edge of its own: {edges:?}");
        assert!(edges[8] < 80, "{edges:?}");
    }

    #[test]
    fn what_two_have_must_be_beside_what_others_have() {
        let mut values = vec![1_000, 1_000];
        values.extend([10; 20]);
        assert!(!of(&values[2..]).is_dominated(10, 2));
        values.extend([990; 1]);
        assert!(!of(&values).is_dominated(10, 2));
        values.pop();
        values.truncate(11);
        assert!(of(&values).is_dominated(10, 2), "90 is less than a tenth of a thousand");
    }
}
