//! The fingerprint of a cell: what the separation guard compares (privacy.md 6.5 *Accumulator*, 6.7).
//!
//! Sums of keyed values only: no member of the set is named. Who lacks the keys learns from it which sets are nearly the same,
//! and of small sets pseudonyms of their members (`sketch`): it is as secret as the records.

use policy::Key;

use crate::noise::first_word;
use crate::sketch::{Buckets, Sketch};

/// Words of the sketch of a set: distances up to 11 are exact.
pub(crate) const UNIT_WORDS: usize = 14;
/// Words of the sketch of its cases: distances up to 11 are exact, too.
pub(crate) const CASE_WORDS: usize = 14;

/// The fingerprint of a set.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Prints {
    /// Of its elements.
    pub(crate) sketch: Sketch<UNIT_WORDS>,
    /// Of its cases, each with the members it has in the set. Empty where what is measured are no persons.
    pub(crate) cases: Sketch<CASE_WORDS>,
    /// Its elements by bucket.
    pub(crate) buckets: Buckets,
}

impl Prints {
    /// Puts an element in.
    pub(crate) fn add(&mut self, element: u64) {
        self.add_powers(&Sketch::powers(element));
    }

    /// Puts an element in, of which the powers are known: it is the first of them.
    pub(crate) fn add_powers(&mut self, powers: &[u64; UNIT_WORDS]) {
        self.sketch.toggle_powers(powers);
        self.buckets.add(powers[0]);
    }

    /// Puts the elements and cases of another fingerprint in.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.sketch = self.sketch.xor(&other.sketch);
        self.cases = self.cases.xor(&other.cases);
        self.buckets.merge(&other.buckets);
    }

    /// Puts a case with its members in.
    pub(crate) fn add_case(&mut self, element: u64) {
        self.cases.toggle_powers(&Sketch::<CASE_WORDS>::powers(element));
    }
}

/// The element that stands for a case together with its members in a set: another one when a member comes or goes.
pub(crate) fn case_element(key: &Key, universe: &str, case: u64, members: u128) -> u64 {
    let parts: [&[u8]; 5] = [b"case1\0", universe.as_bytes(), b"\0", &case.to_le_bytes(), &members.to_le_bytes()];
    first_word(key, &parts).max(1)
}
