//! How far two sets are apart, without knowing their members (privacy.md 6.7).
//!
//! A [`Sketch`] (PinSketch: Dodis, Ostrovsky, Reyzin, Smith 2008) holds the odd power sums of a set's elements in
//! GF(2^64). Sketches add by XOR: common elements cancel, and [`distance`] reads the size of the symmetric difference
//! off what is left, exactly up to a limit and "far" beyond. [`Buckets`] bound the same size from below and are
//! cheaper: who stays out there needs no sketch. [`separation`] draws the distance from which on a set is another one.
//!
//! Absent: names of members, floats; any draw that could be repeated; constant time in [`distance`], which takes
//! longer the more elements differ, up to the limit: a padded search counts with the limit (privacy.md 6.11). The
//! types have no `Debug`: what cannot be printed does not get into a log.

use policy::Key;

use crate::gf64::{combine, dot, odd_powers, square};
use crate::noise::first_word;

/// The element that stands for a unit in the sketches of its universe; never 0, whose powers would leave no trace.
pub(crate) fn element(key: &Key, universe: &str, sid: u64) -> u64 {
    first_word(key, &[b"ek1\0", universe.as_bytes(), b"\0", &sid.to_le_bytes()]).max(1)
}

/// The sketch of a set: `s_j = xor of e^(2j-1)` over its elements e, for j = 1..=W.
///
/// Units and cases have 14 words and are told apart up to 11. A sketch of W elements or
/// fewer can be solved for them, though not for the units behind them without their key: it is as secret as a list of
/// pseudonyms.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sketch<const W: usize>([u64; W]);

impl<const W: usize> Default for Sketch<W> {
    /// The sketch of the empty set.
    fn default() -> Self {
        Self([0; W])
    }
}

impl<const W: usize> Sketch<W> {
    /// What one element adds to a sketch: `e, e^3, ..., e^(2W-1)`.
    #[inline]
    pub(crate) fn powers(e: u64) -> [u64; W] {
        let mut powers = [0; W];
        odd_powers(e, &mut powers);
        powers
    }

    /// Puts an element in, or takes it out if it is there.
    pub(crate) fn toggle_powers(&mut self, powers: &[u64; W]) {
        for (word, power) in self.0.iter_mut().zip(powers) {
            *word ^= power;
        }
    }

    /// The sketch of the symmetric difference of two sets.
    pub(crate) fn xor(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|j| self.0[j] ^ other.0[j]))
    }

    /// The words, for storage.
    pub(crate) fn words(&self) -> &[u64; W] {
        &self.0
    }

    /// A sketch from its stored words.
    pub(crate) fn from_words(words: [u64; W]) -> Self {
        Self(words)
    }
}

/// The widest sketch there is.
const WIDEST: usize = 14;

/// The number of elements in a difference of two sketches if it is at most `most`, otherwise `None`: far.
///
/// Power sums of D distinct elements other than 0 obey a linear recurrence of length D and of none shorter, as long as
/// D <= W. So up to W elements the answer is certain. More than W look like chance, and chance obeys a recurrence no
/// longer than `most` with probability about `2^(-64 (W - most))`: 2^-192 for units and for cases.
///
/// The recurrence is found by Berlekamp and Massey's algorithm, without division: `c`, the recurrence so far, may be
/// any multiple of itself, so instead of `c + (d/d') b` we write `d' c + d b`, where `b` is the recurrence before the
/// last change of length, moved by the steps since then, and `d'` what it missed by.
///
/// **Every other step is skipped: even power sums never surprise.** Write `S = s_1 z + s_2 z^2 + ...` and
/// `R(C) = S C + z C'`, where `C'` is the derivative. In characteristic 2 `z C'` is the odd part of `C`, and `S` is
/// `S^2 + odd terms`, because `s_2k = s_k^2`. So the odd terms are `S (1 + S)`, and the odd part of `(1 + S) C` is
/// `(1 + S)^2 odd(C) + S (1 + S) even(C) = (1 + S) R(C)`.
/// 1. If `R(C)` begins at `z^2j` or later, `(1 + S) R(C)` begins with the same term; but it is odd and has none at
///    `z^2j`. So `R(C)` begins after `z^2j`, and as `z C'` has no even terms, step 2j misses by nothing.
/// 2. Before step n, `C` has no term at `z^n` (its length is below n), hence the miss `d` of step n is the coefficient
///    of `R(C)` at `z^n`.
/// 3. The miss of an odd step is mended in `R` too: `R(z^m B) = z^m (R(B) + m B)`. At a later change `m` is a
///    difference of odd steps, hence even, and `z^m R(B)` begins with `d' z^n`. At the first change `B = 1`, `d' = 1`
///    and `m = n` is odd: `z^m (S + 1)` begins with `z^n`. So after odd step n `R(C)` begins after `z^n`.
///
/// By 2, 3 and 1 in turn, each even step finds nothing to mend and can be left out.
pub(crate) fn distance<const W: usize>(difference: &Sketch<W>, most: usize) -> Option<usize> {
    const { assert!(W <= WIDEST, "the arrays below hold what the widest sketch needs") };
    assert!(most < W, "the words to spare are what tells near from far");
    if difference.0.iter().fold(0, |any, word| any | word) == 0 {
        return Some(0);
    }
    // All 2W power sums, the last first: `s_k` stands at `2W - k`. Even ones are squares.
    let mut sums = [0; 2 * WIDEST];
    let (mut c, mut b) = ([0; WIDEST + 1], [0; WIDEST + 1]);
    (c[0], b[1]) = (1, 1);
    let (mut length, mut missed_by) = (0, 1);
    for n in (1..2 * W).step_by(2) {
        sums[2 * W - n] = difference.0[n / 2];
        if n > 1 {
            sums[2 * W - (n - 1)] = square(sums[2 * W - (n - 1) / 2]);
        }
        // c_0 s_n + c_1 s_(n-1) + ... + c_length s_(n-length); length < n
        let d = dot(&c[..=length], &sums[2 * W - n..]);
        if d != 0 {
            let longer = length.max(n - length);
            if longer > most {
                return None;
            }
            let before = c;
            combine(missed_by, &mut c[..=longer], d, &b[..=longer]);
            if longer > length {
                (b, missed_by, length) = (before, d, longer);
            }
        }
        // Two steps on. What falls over the end is of a degree that only a length beyond `most` could use.
        b.copy_within(..WIDEST - 1, 2);
        b[..2].fill(0);
    }
    Some(length)
}

/// How many elements of a set fall into each of 64 buckets, modulo 256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Buckets([u8; 64]);

impl Default for Buckets {
    /// The buckets of the empty set.
    fn default() -> Self {
        Self([0; 64])
    }
}

impl Buckets {
    /// Counts an element.
    pub(crate) fn add(&mut self, e: u64) {
        let count = &mut self.0[(e % 64) as usize];
        *count = count.wrapping_add(1);
    }

    /// Counts the elements of other buckets.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(count, other)| *count = count.wrapping_add(*other));
    }

    /// The counts, for storage.
    pub(crate) fn bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// Buckets from their stored counts.
    pub(crate) fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }
}

/// What two sets differ by at least: the sum of the circular differences of their buckets.
///
/// An element of one set alone moves one count by one, so this is never above the size of the symmetric difference.
///
/// By itself this becomes four instructions on each 16 buckets and a sum of bytes (SSE2, which every x86-64 has); within
/// another function compilers were seen to sum one bucket after the other. Hence never inlined.
#[inline(never)]
pub(crate) fn apart(a: &Buckets, b: &Buckets) -> u32 {
    let (a, b) = (&a.0, &b.0);
    let circular: [u8; 64] = std::array::from_fn(|i| a[i].wrapping_sub(b[i]).min(b[i].wrapping_sub(a[i])));
    circular.iter().map(|&difference| u32::from(difference)).sum()
}

/// The distance d in 4..=12 from which on two sets are told apart: P(d = k) proportional to 0.6^|k-8|.
///
/// Sticky: the pair of sets alone decides, in either order, so asking again draws nothing new.
pub(crate) fn separation(key: &Key, universe: &str, c_s: u128, c_a: u128) -> u64 {
    let (low, high) = (c_s.min(c_a).to_le_bytes(), c_s.max(c_a).to_le_bytes());
    smeared(first_word(key, &[b"dist1\0", universe.as_bytes(), b"\0", &low, &high]))
}

/// A number in 4..=12 around 8, drawn by a word: wherever a rule would have an edge that one person crosses, this is how
/// wide it is.
pub(crate) fn smeared(word: u64) -> u64 {
    4 + SEPARATION.iter().map(|&threshold| u64::from(threshold <= word)).sum::<u64>()
}

/// What differs by fewer is always one set to the guard: the least that [`separation`] draws.
pub(crate) const LEAST_SEPARATION: u64 = 4;
/// How far the neighbours of an anchor's neighbours may be from it, at most: what cases may differ by (privacy.md 6.7).
pub(crate) const STRETCH: u64 = 30;
/// The same of one that differs from a neighbour by three at most.
pub(crate) const STRETCH_OF_FEW: u64 = 60;

/// How far the neighbours of an anchor's neighbours may be from it: 12..=`most`, each as likely. Sticky: the anchor decides.
///
/// Wide, so that nobody who counts up to it finds the edge between two sets that differ by one person. Up to [`STRETCH_OF_FEW`]
/// they stand on different sides of it with a chance of 1 in 49, and then only if a chain of questions led there by three persons
/// at a time. One word draws both limits, so that the one of few is never the nearer.
pub(crate) fn stretch(key: &Key, universe: &str, c: u128, most: u64) -> u64 {
    let word = first_word(key, &[b"dist2\0", universe.as_bytes(), b"\0", &c.to_le_bytes()]);
    drawn(word, 12..=most)
}

/// The most that [`held`] draws.
pub(crate) const MOST_HELD: u64 = 5;

/// Up to which distance the sets that an anchor answers for hold what is asked later, whatever else is nearer: 0..=5, each as
/// likely. Sticky: the anchor decides.
///
/// Of two sets that differ by one person, one may be held and the other not. Whoever has led the neighbours of an anchor to
/// where that could be meets the edge with a chance of 1 in 6 for each anchor. Farther out it would be met by who leads nothing;
/// without holding, fronts meet wherever she wants (docs/decisions, `what-was-asked-first-holds`).
pub(crate) fn held(key: &Key, universe: &str, c: u128) -> u64 {
    drawn(first_word(key, &[b"dist5\0", universe.as_bytes(), b"\0", &c.to_le_bytes()]), 0..=MOST_HELD)
}

/// How far two sets may be from each other where few cases make the difference (privacy.md 6.7), in persons or in cases:
/// anything of the range is as likely. Sticky: the pair of sets decides. `rule` tells draws apart.
///
/// Whoever brings just as many fabricated persons, in just as many cases, as a fixed rule allows would learn from the answer
/// whether there is one more.
pub(crate) fn spread(
    key: &Key,
    rule: &[u8],
    universe: &str,
    (c_s, c_a): (u128, u128),
    range: std::ops::RangeInclusive<u64>,
) -> u64 {
    let (low, high) = (c_s.min(c_a).to_le_bytes(), c_s.max(c_a).to_le_bytes());
    let word = first_word(key, &[rule, universe.as_bytes(), b"\0", &low, &high]);
    drawn(word, range)
}

/// A number of a range by a word: each as likely.
fn drawn(word: u64, range: std::ops::RangeInclusive<u64>) -> u64 {
    let (least, most) = range.into_inner();
    least + u64::try_from((u128::from(word) * u128::from(most - least + 1)) >> 64).unwrap_or(most - least)
}

/// `625 * 0.6^|k-8|` for k = 4..=12: whole numbers.
const WEIGHTS: [u128; 9] = [81, 135, 225, 375, 625, 375, 225, 135, 81];

/// `floor(2^64 F(k))` for k = 4..=11, exactly.
const SEPARATION: [u64; 8] = {
    let (mut total, mut k) = (0, 0);
    while k < WEIGHTS.len() {
        total += WEIGHTS[k];
        k += 1;
    }
    let (mut thresholds, mut below, mut k) = ([0; 8], 0, 0);
    while k < thresholds.len() {
        below += WEIGHTS[k];
        thresholds[k] = ((below << 64) / total) as u64;
        k += 1;
    }
    thresholds
};

#[cfg(test)]
mod tests {
    //! The laws, limits and test vectors of privacy.md 6.7, with its raw keys.

    use super::*;
    use crate::gf64::{inverse, mul, tests::numbers};
    use crate::noise::record_key;
    use crate::prints::{CASE_WORDS, Prints, UNIT_WORDS, case_element};

    fn raw(first: u8) -> Key {
        Key::from_bytes(std::array::from_fn(|i| first + i as u8))
    }

    fn sketch<const W: usize>(elements: impl IntoIterator<Item = u64>) -> Sketch<W> {
        let mut sketch = Sketch::default();
        elements.into_iter().for_each(|e| sketch.toggle_powers(&Sketch::powers(e)));
        sketch
    }

    fn unit(sid: u64) -> u64 {
        element(&raw(0x80), "victims", sid)
    }

    /// `c(S)` of the units with these numbers.
    fn sum(sids: std::ops::RangeInclusive<u64>) -> u128 {
        sids.fold(0, |c, sid| c.wrapping_add(record_key(&raw(0), "victims", sid)))
    }

    #[test]
    fn elements_and_words_are_those_worked_out_elsewhere() {
        let elements = [1, 2, 3].map(unit);
        assert_eq!(elements, [0x4493_8b92_236a_ea10, 0xc24a_25e9_4255_70c8, 0x1e41_9436_0234_febf]);
        let expected = [
            0x9898_3a4d_630b_6467,
            0x80f2_56ec_4090_6a19,
            0x899e_7dcb_cc31_2e85,
            0x2b1a_eb65_5915_a7d1,
            0x2732_7b90_b5e1_a303,
            0xb026_9a37_78cd_e4c0,
            0x0c4b_261e_97d8_bb6b,
            0xf35b_e7f9_b001_f319,
            0xe266_f7fe_1bd5_3e48,
            0x9492_5c16_fa0f_b291,
            0xc883_bf7d_c662_530e,
            0x2cf3_4745_64cc_6d70,
            0xe185_ab0d_3bf9_f0a1,
            0x37ff_cedc_d3b1_90c9,
        ];
        assert_eq!(sketch::<14>(elements).words(), &expected);
        assert_eq!(sketch::<6>(elements).words()[..], expected[..6]);
    }

    #[test]
    fn what_is_in_both_sets_or_twice_in_one_cancels() {
        let (s, a) = (sketch::<14>((1..=40).map(unit)), sketch::<14>((3..=45).map(unit)));
        assert!(s.xor(&a) == sketch([1, 2, 41, 42, 43, 44, 45].map(unit)));
        assert!(s.xor(&s) == Sketch::default());
        assert!(sketch::<14>([7, 7].map(unit)) == Sketch::default());
        assert!(Sketch::from_words(*s.words()) == s);
    }

    #[test]
    fn every_distance_up_to_the_limit_is_exact_and_every_other_is_far() {
        for size in 0..=60 {
            let expected = |most: usize| Some(size).filter(|&size| size <= most);
            for start in 0..20 {
                let elements = || (1..=size as u64).map(|i| unit(1_000 * start + i));
                assert_eq!(distance(&sketch::<14>(elements()), 11), expected(11), "{size}");
                assert_eq!(distance(&sketch::<6>(elements()), 4), expected(4), "{size}");
            }
        }
    }

    #[test]
    fn elements_whose_sums_vanish_are_counted_all_the_same() {
        // Three with s_1 = 0, and the seven of a subspace, whose only odd sums other than 0 are s_7 and later ones.
        let [a, b, c] = [1, 2, 3].map(unit);
        assert_eq!(sketch::<14>([a, b, a ^ b]).words()[0], 0);
        assert_eq!(distance(&sketch::<14>([a, b, a ^ b]), 11), Some(3));
        assert_eq!(distance(&sketch::<6>([a, b, a ^ b]), 4), Some(3));
        let subspace = [a, b, c, a ^ b, a ^ c, b ^ c, a ^ b ^ c];
        assert_eq!(sketch::<14>(subspace).words()[..3], [0, 0, 0]);
        assert_eq!(distance(&sketch::<14>(subspace), 11), Some(7));
        assert_eq!(distance(&sketch::<6>(subspace), 4), None);
    }

    fn power_sums<const W: usize>(sketch: &Sketch<W>) -> [u64; 2 * WIDEST] {
        let mut sums = [0; 2 * WIDEST];
        for k in 1..=2 * W {
            sums[2 * W - k] = if k % 2 == 1 { sketch.0[k / 2] } else { square(sums[2 * W - k / 2]) };
        }
        sums
    }

    /// The length of the shortest recurrence by the textbook (Massey 1969): all 2W steps, with division.
    fn textbook<const W: usize>(sketch: &Sketch<W>) -> usize {
        let mut sums: Vec<u64> = power_sums(sketch)[..2 * W].to_vec();
        sums.reverse();
        let mut current = vec![0; 4 * W];
        current[0] = 1;
        let (mut earlier, mut missed_by, mut since, mut length) = (current.clone(), 1, 1, 0);
        for n in 0..2 * W {
            let miss = (0..=length).fold(0, |miss, i| miss ^ mul(current[i], sums[n - i]));
            let (before, factor) = (current.clone(), mul(miss, inverse(missed_by)));
            for i in since..4 * W {
                current[i] ^= mul(factor, earlier[i - since]);
            }
            if miss != 0 && 2 * length <= n {
                (length, earlier, missed_by, since) = (n + 1 - length, before, miss, 0);
            }
            since += 1;
        }
        length
    }

    #[test]
    fn odd_steps_alone_find_what_all_steps_find() {
        // Words of which half are 0 and a quarter one element of GF(2^32): the exceptions that sets hardly ever meet.
        let mut numbers = numbers(7);
        let mut next = || numbers.next().expect("there is no end");
        let any = next();
        let in_subfield = any ^ (0..32).fold(any, |e, _| square(e));
        for _ in 0..2_000 {
            let choice = next();
            let words: [u64; 14] = std::array::from_fn(|j| match choice >> (2 * j) & 3 {
                0 | 1 => 0,
                2 => in_subfield,
                _ => next(),
            });
            let sketch = Sketch::from_words(words);
            let length = textbook(&sketch);
            assert_eq!(distance(&sketch, 13), Some(length).filter(|&length| length <= 13), "{choice:x}");
            let narrow = Sketch::<6>::from_words(std::array::from_fn(|j| words[j]));
            let length = textbook(&narrow);
            assert_eq!(distance(&narrow, 5), Some(length).filter(|&length| length <= 5), "{choice:x}");
        }
    }

    const UNITS: usize = 400;
    const UNITS_OF_A_CASE: usize = 4;

    /// The units that sets are drawn from, four to a case, with what each adds to a sketch.
    struct Pool {
        units: Vec<(u64, [u64; UNIT_WORDS])>,
        /// Of each case, what it adds with each choice of its units as members.
        cases: Vec<[[u64; CASE_WORDS]; 1 << UNITS_OF_A_CASE]>,
    }

    impl Pool {
        fn new() -> Self {
            let units = (0..UNITS as u64).map(unit).map(|e| (e, Sketch::powers(e))).collect();
            let key_of = |at: usize| record_key(&raw(0), "victims", at as u64);
            let members = |case: usize, chosen: usize| {
                let chosen = (0..UNITS_OF_A_CASE).filter(|place| chosen >> place & 1 == 1);
                chosen.fold(0, |c: u128, place| c.wrapping_add(key_of(case * UNITS_OF_A_CASE + place)))
            };
            let case = |case: usize| {
                let element = |chosen| case_element(&raw(0x80), "victims", case as u64, members(case, chosen));
                std::array::from_fn(|chosen| Sketch::<CASE_WORDS>::powers(element(chosen)))
            };
            Self { units, cases: (0..UNITS / UNITS_OF_A_CASE).map(case).collect() }
        }

        /// What is kept of the units at these places, and of each case which of its units are among them, bit by bit.
        fn set(&self, places: impl Iterator<Item = usize>) -> (Prints, Vec<usize>) {
            let (mut prints, mut members) = (Prints::default(), vec![0; self.cases.len()]);
            for at in places {
                prints.add_powers(&self.units[at].1);
                members[at / UNITS_OF_A_CASE] |= 1 << (at % UNITS_OF_A_CASE);
            }
            for (powers, &chosen) in self.cases.iter().zip(&members).filter(|(_, chosen)| **chosen > 0) {
                prints.cases.toggle_powers(&powers[chosen]);
            }
            (prints, members)
        }
    }

    /// How many cases with their members are in one of two sets alone: an altered one is in both, each time another.
    fn cases_that_differ(s: &[usize], a: &[usize]) -> usize {
        let differ = s.iter().zip(a).filter(|(s, a)| s != a);
        differ.map(|(s, a)| usize::from(*s > 0) + usize::from(*a > 0)).sum()
    }

    #[test]
    fn distances_are_those_of_brute_force_on_a_hundred_thousand_pairs_of_sets() {
        // privacy.md 6.16 (7). Sets of 0 to 200 units that differ by 0 to 20, drawn from 400; their cases by 0 to 40.
        let (pool, mut places) = (Pool::new(), (0..UNITS).collect::<Vec<_>>());
        let mut numbers = numbers(9);
        let mut below = |limit: usize| (numbers.next().expect("there is no end") % limit as u64) as usize;
        let mut of_cases = [0; 12];
        for _ in 0..100_000 {
            let differ = below(21);
            let size = differ + below(181);
            for i in 0..size {
                places.swap(i, i + below(UNITS - i));
            }
            let in_s_alone = below(differ + 1);
            let (s, s_members) = pool.set((0..size).filter(|&i| i < in_s_alone || i >= differ).map(|i| places[i]));
            let (a, a_members) = pool.set(places[in_s_alone..size].iter().copied());
            assert_eq!(distance(&s.sketch.xor(&a.sketch), 11), Some(differ).filter(|&differ| differ <= 11));
            let cases = cases_that_differ(&s_members, &a_members);
            assert_eq!(distance(&s.cases.xor(&a.cases), 11), Some(cases).filter(|&cases| cases <= 11));
            of_cases[cases.min(11)] += 1;
            assert!(apart(&s.buckets, &a.buckets) as usize <= differ);
            assert_eq!(apart(&s.buckets, &a.buckets), apart(&a.buckets, &s.buckets));
        }
        assert!(of_cases.iter().all(|&pairs| pairs > 1_000), "every distance is met: {of_cases:?}");
    }

    #[test]
    fn buckets_go_round() {
        let count = |e: u64, times: usize| {
            let mut buckets = Buckets::default();
            (0..times).for_each(|_| buckets.add(e));
            buckets
        };
        assert_eq!(apart(&count(5, 255), &count(5, 257)), 2);
        assert_eq!(apart(&count(5, 3), &count(69, 3)), 0);
        assert_eq!(apart(&count(5, 3), &count(6, 4)), 7);
        assert_eq!(apart(&count(5, 128), &Buckets::default()), 128);
        assert_eq!(apart(&Buckets::from_bytes([128; 64]), &Buckets::default()), 64 * 128);
        assert!(count(5, 256) == Buckets::default());
        assert!(Buckets::from_bytes(*count(5, 3).bytes()) == count(69, 3));
    }

    #[test]
    fn separations_are_those_of_the_page() {
        let key = raw(0x60);
        assert_eq!(separation(&key, "victims", sum(1..=11), sum(1..=12)), 4);
        assert_eq!(separation(&key, "victims", sum(1..=12), sum(2..=12)), 8);
        // Worked out elsewhere.
        assert_eq!(separation(&key, "victims", sum(1..=11), sum(1..=11)), 8);
        assert_eq!(separation(&key, "victims", sum(1..=11), sum(1..=100)), 5);
    }

    #[test]
    fn a_pair_has_one_separation_whoever_was_first() {
        for n in 12..100 {
            let (s, a) = (sum(1..=n), sum(1..=n + 1));
            assert_eq!(separation(&raw(0x60), "victims", s, a), separation(&raw(0x60), "victims", a, s));
        }
    }

    #[test]
    fn the_thresholds_are_those_worked_out_elsewhere() {
        assert_eq!(
            SEPARATION,
            [
                0x092f_fa8e_3c1d_7d8f,
                0x187f_f17b_4af9_4ed4,
                0x3205_37b1_0e67_ab9c,
                0x5c8e_020a_a974_f0ea,
                0xa371_fdf5_568b_0f15,
                0xcdfa_c84e_f198_5463,
                0xe780_0e84_b506_b12b,
                0xf6d0_0571_c3e2_8270,
            ]
        );
    }

    #[test]
    fn separations_follow_their_law() {
        let (key, mut numbers) = (raw(0x60), numbers(10));
        let mut next = || u128::from(numbers.next().expect("there is no end")) << 64 | 1;
        let mut counts = [0u32; 9];
        for _ in 0..100_000 {
            counts[separation(&key, "victims", next(), next()) as usize - 4] += 1;
        }
        let total = WEIGHTS.iter().sum::<u128>() as f64;
        let excess = |(&count, &weight): (&u32, &u128)| {
            let expected = 1e5 * weight as f64 / total;
            (f64::from(count) - expected).powi(2) / expected
        };
        // Chi-square with 8 degrees of freedom: 26.1 is passed by chance once in a thousand.
        let chi_square = counts.iter().zip(&WEIGHTS).map(excess).sum::<f64>();
        assert!(chi_square < 26.1, "{chi_square} {counts:?}");
    }
}
