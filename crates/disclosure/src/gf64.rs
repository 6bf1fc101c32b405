//! Arithmetic in GF(2^64), the field of the set sketches (privacy.md 6.7).
//!
//! Elements are polynomials over GF(2) modulo `x^64 + x^4 + x^3 + x + 1`, bit i of a word being the coefficient of
//! `x^i`; addition is XOR. Where the processor multiplies without carry (PCLMULQDQ) its instruction is used; elsewhere
//! a portable way gives the same words. Which of the two is asked of the processor, not of the build.
//!
//! This is the one module of the crate with `unsafe`: three calls, each behind the question whether the instruction
//! exists.
//!
//! Absent: tables, branches and addresses that depend on an element, so no product tells by its time what was
//! multiplied (the portable way trusts the processor to multiply integers in constant time, as 64-bit ones do);
//! division, which the sketches do without.
#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "multiplication without carry is an instruction that not every processor has")
)]

/// The product of two elements.
pub(crate) fn mul(a: u64, b: u64) -> u64 {
    dot(&[a], &[b])
}

/// The square of an element.
pub(crate) fn square(a: u64) -> u64 {
    mul(a, a)
}

/// `a_0 b_0 + a_1 b_1 + ...` as far as both reach, reduced once at the end.
pub(crate) fn dot(a: &[u64], b: &[u64]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("pclmulqdq") {
        // SAFETY: the processor has the instruction, and nothing else is asked of the caller.
        return unsafe { hardware::dot(a, b) };
    }
    portable::dot(a, b)
}

/// `a_i <- x a_i + y b_i`, as far as both reach: one step of elimination without division.
pub(crate) fn combine(x: u64, a: &mut [u64], y: u64, b: &[u64]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("pclmulqdq") {
        // SAFETY: as in `dot`.
        return unsafe { hardware::combine(x, a, y, b) };
    }
    portable::combine(x, a, y, b);
}

/// Writes `e, e^3, e^5, ...`, the first W odd powers.
///
/// As many as are known, times an even power, are as many again: products wait for few others, so that a processor works
/// on several at once. One after the other they would take three times as long.
pub(crate) fn odd_powers<const W: usize>(e: u64, powers: &mut [u64; W]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("pclmulqdq") {
        // SAFETY: as in `dot`.
        return unsafe { hardware::odd_powers(e, powers) };
    }
    portable::odd_powers(e, powers);
}

#[cfg(target_arch = "x86_64")]
mod hardware {
    //! Products by PCLMULQDQ. An element is the lower word of a vector; what the upper one holds does not count.

    use std::arch::x86_64::{
        __m128i, _mm_clmulepi64_si128, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_setzero_si128, _mm_xor_si128,
    };

    #[target_feature(enable = "pclmulqdq")]
    pub(super) fn dot(a: &[u64], b: &[u64]) -> u64 {
        let products = a.iter().zip(b).map(|(&a, &b)| product(vector(a), vector(b)));
        word(reduced(products.fold(_mm_setzero_si128(), |sum, product| _mm_xor_si128(sum, product))))
    }

    #[target_feature(enable = "pclmulqdq")]
    pub(super) fn combine(x: u64, a: &mut [u64], y: u64, b: &[u64]) {
        let (x, y) = (vector(x), vector(y));
        for (a, &b) in a.iter_mut().zip(b) {
            *a = word(reduced(_mm_xor_si128(product(x, vector(*a)), product(y, vector(b)))));
        }
    }

    #[target_feature(enable = "pclmulqdq")]
    pub(super) fn odd_powers<const W: usize>(e: u64, powers: &mut [u64; W]) {
        let mut odd = [vector(e); W];
        let (mut known, mut even) = (1, mul(odd[0], odd[0]));
        while known < W {
            for j in known..W.min(2 * known) {
                odd[j] = mul(odd[j - known], even);
            }
            (known, even) = (2 * known, mul(even, even));
        }
        for (power, odd) in powers.iter_mut().zip(odd) {
            *power = word(odd);
        }
    }

    #[inline]
    #[target_feature(enable = "pclmulqdq")]
    fn mul(a: __m128i, b: __m128i) -> __m128i {
        reduced(product(a, b))
    }

    #[inline]
    #[target_feature(enable = "pclmulqdq")]
    fn product(a: __m128i, b: __m128i) -> __m128i {
        _mm_clmulepi64_si128::<0>(a, b)
    }

    /// The remainder of a polynomial of degree below 127. `x^64 = x^4 + x^3 + x + 1`, so the upper word comes back times that;
    /// what this pushes over the edge is three bits at most and comes back the same way.
    #[inline]
    #[target_feature(enable = "pclmulqdq")]
    fn reduced(wide: __m128i) -> __m128i {
        let modulus = vector(0x1b);
        let back = _mm_clmulepi64_si128::<1>(wide, modulus);
        _mm_xor_si128(_mm_xor_si128(wide, back), _mm_clmulepi64_si128::<1>(back, modulus))
    }

    #[inline]
    #[target_feature(enable = "pclmulqdq")]
    fn vector(word: u64) -> __m128i {
        _mm_cvtsi64_si128(word as i64)
    }

    #[inline]
    #[target_feature(enable = "pclmulqdq")]
    fn word(vector: __m128i) -> u64 {
        _mm_cvtsi128_si64(vector) as u64
    }
}

mod portable {
    //! Products by ordinary multiplication with room for the carries.

    pub(super) fn dot(a: &[u64], b: &[u64]) -> u64 {
        reduced(a.iter().zip(b).fold(0, |sum, (&a, &b)| sum ^ product(a, b)))
    }

    pub(super) fn combine(x: u64, a: &mut [u64], y: u64, b: &[u64]) {
        for (a, &b) in a.iter_mut().zip(b) {
            *a = reduced(product(x, *a) ^ product(y, b));
        }
    }

    pub(super) fn odd_powers<const W: usize>(e: u64, powers: &mut [u64; W]) {
        let (mut known, mut even) = (1, mul(e, e));
        powers[0] = e;
        while known < W {
            for j in known..W.min(2 * known) {
                powers[j] = mul(powers[j - known], even);
            }
            (known, even) = (2 * known, mul(even, even));
        }
    }

    fn mul(a: u64, b: u64) -> u64 {
        reduced(product(a, b))
    }

    /// Every fifth bit.
    const FIFTH: u128 = {
        let (mut mask, mut bit) = (0, 0);
        while bit < 128 {
            mask |= 1 << bit;
            bit += 5;
        }
        mask
    };

    /// The product without carry.
    ///
    /// Of a word only every fifth bit is kept, 13 at most. In the integer product of two such words at most 13 ones
    /// meet at a place, and a sum below 32 stays within the five places up to the next: the lowest bit of each sum,
    /// its parity, is the coefficient. The 25 pairs of classes give all products of bits.
    fn product(a: u64, b: u64) -> u128 {
        let every_fifth = |word: u64, class: usize| u128::from(word & (FIFTH as u64) << class);
        (0..5).fold(0, |product, class| {
            let sum = (0..5).fold(0, |sum, i| sum ^ (every_fifth(a, i) * every_fifth(b, (class + 5 - i) % 5)));
            product | sum & FIFTH << class
        })
    }

    /// The remainder of a polynomial of degree below 127.
    ///
    /// `x^64 = x^4 + x^3 + x + 1`, so the upper word comes back four times, shifted by 0, 1, 3 and 4. What these shifts
    /// push over the edge is three bits at most and comes back the same way, which is why it is added to the upper word
    /// first.
    fn reduced(wide: u128) -> u64 {
        let (low, high) = (wide as u64, (wide >> 64) as u64);
        let high = high ^ (high >> 60) ^ (high >> 61) ^ (high >> 63);
        low ^ high ^ (high << 1) ^ (high << 3) ^ (high << 4)
    }
}

/// The inverse of an element other than 0, by Fermat: `a^(2^64 - 2)`, the product of `a^2, a^4, ..., a^(2^63)`.
///
/// The sketches need none; the tests show with it that this is a field and compare with the textbook's algorithm.
#[cfg(test)]
pub(crate) fn inverse(a: u64) -> u64 {
    let powers = std::iter::successors(Some(square(a)), |&power| Some(square(power)));
    powers.take(63).fold(1, mul)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Numbers without end, the same for the same seed (splitmix64).
    pub(crate) fn numbers(seed: u64) -> impl Iterator<Item = u64> {
        std::iter::successors(Some(seed), |state| Some(state.wrapping_add(0x9e37_79b9_7f4a_7c15))).skip(1).map(
            |state| {
                let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
                mixed ^ mixed >> 31
            },
        )
    }

    /// Many numbers, and those at the edges.
    fn elements(seed: u64, count: usize) -> Vec<u64> {
        [0, 1, 2, 1 << 63, u64::MAX, 0x1b].into_iter().chain(numbers(seed)).take(count).collect()
    }

    /// Multiplication as on paper: shift, add, and take the modulus away where a bit reaches `x^64`.
    fn on_paper(a: u64, b: u64) -> u64 {
        (0..64).rev().fold(0, |product, bit| {
            let doubled = product << 1 ^ if product >> 63 == 1 { 0x1b } else { 0 };
            doubled ^ if b >> bit & 1 == 1 { a } else { 0 }
        })
    }

    #[test]
    fn the_processor_and_the_portable_way_give_the_same_products() {
        // On a processor without the instruction this compares the portable way with itself; the paper does not.
        for (a, b) in elements(1, 100_000).into_iter().zip(elements(2, 100_000).into_iter().rev()) {
            assert_eq!(mul(a, b), portable::dot(&[a], &[b]), "{a:x} {b:x}");
            assert_eq!(mul(a, b), on_paper(a, b), "{a:x} {b:x}");
        }
        for a in elements(1, 6) {
            for b in elements(1, 6) {
                assert_eq!((mul(a, b), portable::dot(&[a], &[b])), (on_paper(a, b), on_paper(a, b)), "{a:x} {b:x}");
            }
        }
    }

    #[test]
    fn products_are_those_worked_out_elsewhere() {
        assert_eq!(mul(1 << 63, 2), 0x1b);
        assert_eq!(mul(0x4493_8b92_236a_ea10, 0xc24a_25e9_4255_70c8), 0xc4ab_1a2c_a9e7_a237);
        assert_eq!(inverse(0x4493_8b92_236a_ea10), 0x883f_192c_c4c5_d2a4);
    }

    #[test]
    fn sums_of_products_and_steps_of_elimination_are_what_single_products_make_of_them() {
        let (a, b): (Vec<u64>, Vec<u64>) = (numbers(3).take(15).collect(), numbers(4).take(15).collect());
        for length in 0..=15 {
            let sum = (0..length).fold(0, |sum, i| sum ^ mul(a[i], b[i]));
            assert_eq!((dot(&a[..length], &b), portable::dot(&a[..length], &b)), (sum, sum));
        }
        let (x, y) = (a[0], b[0]);
        let expected: Vec<u64> = (0..15).map(|i| mul(x, a[i]) ^ mul(y, b[i])).collect();
        let (mut here, mut portable) = (a.clone(), a.clone());
        combine(x, &mut here, y, &b);
        portable::combine(x, &mut portable, y, &b);
        assert_eq!((&here, &portable), (&expected, &expected));
    }

    #[test]
    fn odd_powers_are_what_products_one_after_the_other_make() {
        for e in elements(7, 1_000) {
            let powers: [u64; 14] = std::array::from_fn(|j| (0..j).fold(e, |power, _| on_paper(power, on_paper(e, e))));
            let (mut here, mut portable) = ([0; 14], [0; 14]);
            odd_powers(e, &mut here);
            portable::odd_powers(e, &mut portable);
            assert_eq!((here, portable), (powers, powers), "{e:x}");
        }
    }

    #[test]
    fn the_laws_of_a_ring_hold() {
        let mut numbers = numbers(5);
        let mut next = || numbers.next().expect("there is no end");
        for _ in 0..10_000 {
            let (a, b, c) = (next(), next(), next());
            assert_eq!(mul(a, 1), a);
            assert_eq!(mul(a, 0), 0);
            assert_eq!(mul(a, b), mul(b, a));
            assert_eq!(mul(mul(a, b), c), mul(a, mul(b, c)));
            assert_eq!(mul(a, b ^ c), mul(a, b) ^ mul(a, c));
            assert_eq!(square(a ^ b), square(a) ^ square(b));
        }
    }

    #[test]
    fn the_modulus_is_irreducible_so_that_this_is_a_field() {
        // Rabin's test at degree 64 = 2^6: x^(2^64) = x, and x^(2^32) - x has an inverse.
        let squared = |times| (0..times).fold(2, |power, _| square(power));
        assert_eq!(squared(64), 2);
        let half_way = squared(32) ^ 2;
        assert_eq!(mul(half_way, inverse(half_way)), 1);
    }

    #[test]
    fn every_element_but_zero_has_an_inverse() {
        for a in elements(6, 1_000).into_iter().filter(|&a| a != 0) {
            assert_eq!(mul(a, inverse(a)), 1, "{a:x}");
        }
    }
}
