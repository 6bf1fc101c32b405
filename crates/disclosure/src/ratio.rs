//! Sums, rates and shares of released numbers (privacy.md 6.5 *ShareOf*, 6.14).
//!
//! Made from [`Figure`]s alone, so a rate carries its parts' noise and can tell nothing that they do not. Intervals by
//! the delta method; digits no finer than the noise; never 0 % or 100 % of a protected denominator below 100.
//!
//! Absent: true numbers, floats.

use crate::released::{Amount, Figure, ObsStatus, Spread};

/// A released number's part in a ratio.
#[derive(Debug, Clone, Copy)]
pub struct Term<'a> {
    /// The released number.
    pub figure: &'a Figure,
    /// Whether it stands in the numerator.
    pub above: bool,
    /// Whether it stands in the denominator.
    pub below: bool,
}

impl<'a> Term<'a> {
    /// A number that stands above the line only.
    pub fn above(figure: &'a Figure) -> Self {
        Self { figure, above: true, below: false }
    }

    /// A number that stands below the line only.
    pub fn below(figure: &'a Figure) -> Self {
        Self { figure, above: false, below: true }
    }

    /// A number that stands on both sides: a child among children and adults.
    pub fn both(figure: &'a Figure) -> Self {
        Self { figure, above: true, below: true }
    }
}

/// A released count, as a ratio sees it.
#[derive(Clone, Copy)]
struct Part {
    value: i128,
    variance: i128,
    bound: i128,
    above: i128,
    below: i128,
}

/// The share `sum above / sum below`, times `per` (1 for a share, 100 for percent). For parts that cannot exceed the
/// whole.
///
/// A part that is suppressed suppresses the share; one that was not collected makes it not collected; a share of exactly
/// nothing cannot exist. `P` if any part is provisional, else `U` if any part is of low reliability.
pub fn ratio(terms: &[Term<'_>], per: u32) -> Figure {
    let parts = match parts(terms) {
        Ok(parts) => parts,
        Err(missing) => return missing,
    };
    let a: i128 = parts.iter().map(|part| part.above * part.value).sum();
    let b: i128 = parts.iter().map(|part| part.below * part.value).sum();
    if b <= 0 {
        // Of nothing there is no share. Where that is known exactly, nothing is hidden.
        let exact = parts.iter().all(|part| part.bound == 0);
        return if exact { Figure::impossible() } else { Figure::suppressed() };
    }
    // Var(a/b) = sum of V_i (above_i b - below_i a)^2 / b^4
    let spread: i128 = parts.iter().map(|part| part.variance * (part.above * b - part.below * a).pow(2)).sum();
    let half = half_width(spread, b);
    let bound: i128 = parts.iter().map(|part| part.below * part.bound).sum();
    let value = clamp(Amount::ONE * a / b, b, bound);
    let (lo, hi) = ((value - half).max(0), (value + half).min(Amount::ONE));
    let step = if spread == 0 { 1 } else { step_of_share(b) };
    let per = i128::from(per);
    let amount = |micros: i128, round: fn(i128, i128) -> i128| Amount::from_micros(round(micros, step) * per);
    let displayed = clamp_display(nearest(value, step), b, bound, step);
    Figure::derived(Amount::from_micros(displayed * per), amount(lo, down), amount(hi, up), status(terms))
}

/// The rate of a released number per `per` of a public, exact population.
pub fn rate(figure: &Figure, population: u64, per: u32) -> Figure {
    let (Some(value), Some(lo), Some(hi)) = (figure.value(), figure.lo95(), figure.hi95()) else {
        return *figure;
    };
    if population == 0 {
        return Figure::not_collected();
    }
    let scaled = |amount: Amount| amount.micros() * i128::from(per) / i128::from(population);
    let half = scaled(hi) - scaled(value);
    let step = step_below(half);
    let status = figure.obs_status();
    let amounts = [nearest(scaled(value), step), down(scaled(lo), step), up(scaled(hi), step)];
    let [value, lo, hi] = amounts.map(Amount::from_micros);
    Figure::derived(value, lo, hi, status)
}

/// What a share leaves of the whole: of `per` 100, the percent that it is not.
#[must_use]
pub fn complement(share: &Figure, per: u32) -> Figure {
    let (Some(value), Some(lo), Some(hi)) = (share.value(), share.lo95(), share.hi95()) else { return *share };
    let left = |amount: Amount| Amount::from_micros(i128::from(per) * Amount::ONE - amount.micros());
    Figure::derived(left(value), left(hi), left(lo), share.obs_status())
}

/// The sum of released numbers of disjoint sets, each with a draw of its own (the quarters of a fiscal year): their variances
/// add up.
///
/// A part that is suppressed suppresses the sum, one that was not collected makes it not collected, one that cannot exist adds
/// nothing. `P` if any part is provisional, else `U` by the rule for single numbers (privacy.md 6.14).
pub fn total(parts: &[&Figure]) -> Figure {
    let of = |status| parts.iter().any(|part| part.obs_status() == status);
    if of(ObsStatus::L) {
        return Figure::not_collected();
    }
    if of(ObsStatus::Q) || parts.is_empty() {
        return Figure::suppressed();
    }
    let value: i128 = parts.iter().filter_map(|part| part.value()).map(Amount::micros).sum();
    let spread = parts.iter().map(|part| part.spread()).fold(Spread::default(), |sum, part| Spread {
        variance: sum.variance + part.variance,
        bound: sum.bound + part.bound,
    });
    // 1.96 sd in millionths, rounded up to a whole unit.
    let half = (38_416 * spread.variance).unsigned_abs().isqrt() as i128;
    let half = (half + 99) / 100 * Amount::ONE;
    let unreliable = spread.variance > 0 && (value < 34 * Amount::ONE || half * 5 > value);
    let status = match status(&parts.iter().map(|figure| Term::above(figure)).collect::<Vec<_>>()) {
        ObsStatus::P => ObsStatus::P,
        _ if unreliable => ObsStatus::U,
        _ => ObsStatus::A,
    };
    Figure::added(Amount::from_micros(value), half, spread, status)
}

/// The parts as numbers, or why there is no ratio.
fn parts(terms: &[Term<'_>]) -> Result<Vec<Part>, Figure> {
    let missing = |status| terms.iter().any(|term| term.figure.obs_status() == status);
    if missing(ObsStatus::M) || terms.is_empty() {
        return Err(Figure::impossible());
    }
    if missing(ObsStatus::L) {
        return Err(Figure::not_collected());
    }
    let part = |term: &Term<'_>| {
        let value = term.figure.value().and_then(Amount::as_integer)?;
        let Spread { variance, bound } = term.figure.spread();
        Some(Part {
            value: i128::from(value),
            variance,
            bound,
            above: i128::from(term.above),
            below: i128::from(term.below),
        })
    };
    terms.iter().map(part).collect::<Option<Vec<_>>>().ok_or(Figure::suppressed())
}

fn status(terms: &[Term<'_>]) -> ObsStatus {
    let any = |status| terms.iter().any(|term| term.figure.obs_status() == status);
    if any(ObsStatus::P) {
        ObsStatus::P
    } else if any(ObsStatus::U) {
        ObsStatus::U
    } else {
        ObsStatus::A
    }
}

/// `1.96 sqrt(spread) / b^2` in millionths, rounded up.
fn half_width(spread: i128, b: i128) -> i128 {
    // 1.96^2 * 10^12 * spread / b^4, under the root
    let squared = 3_841_600_000_000i128.saturating_mul(spread) / b.pow(4);
    let root = squared.unsigned_abs().isqrt();
    root as i128 + i128::from(squared > 0)
}

/// Keeps a share away from 0 and 1 by the noise's bound, where there is noise (privacy.md 6.5).
fn clamp(share: i128, b: i128, bound: i128) -> i128 {
    let edge = (Amount::ONE * bound / b).min(Amount::ONE / 2);
    share.clamp(edge, Amount::ONE - edge)
}

/// After rounding: never 0 or 1 of a protected denominator below 100.
fn clamp_display(rounded: i128, b: i128, bound: i128, step: i128) -> i128 {
    let edge = if bound > 0 && b < 100 { step } else { 0 };
    rounded.clamp(edge, Amount::ONE - edge)
}

/// Whole percents below 500, tenths of a percent above (privacy.md 6.14).
fn step_of_share(b: i128) -> i128 {
    if b < 500 { 10_000 } else { 1_000 }
}

/// The largest power of ten that is not above a number, at least 1.
fn step_below(number: i128) -> i128 {
    let mut step = 1;
    while step * 10 <= number {
        step *= 10;
    }
    step
}

fn nearest(number: i128, step: i128) -> i128 {
    (number + step / 2).div_euclid(step) * step
}

fn down(number: i128, step: i128) -> i128 {
    number.div_euclid(step) * step
}

fn up(number: i128, step: i128) -> i128 {
    (number + step - 1).div_euclid(step) * step
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Tier;
    use crate::released::ConfStatus;

    fn noisy(value: i64) -> Figure {
        Figure::count(value, Some(Tier::V4), false)
    }

    fn exact(value: i64) -> Figure {
        Figure::count(value, None, false)
    }

    fn micros(figure: &Figure) -> [i128; 3] {
        [figure.value(), figure.lo95(), figure.hi95()].map(|amount| amount.unwrap().micros())
    }

    #[test]
    fn a_share_has_the_interval_of_the_delta_method() {
        // sd = 2 sqrt(1 + 0.25^2) / 1000 = 0.00206; 1.96 sd = 0.00404; digits of 0.1 %
        let share = ratio(&[Term::above(&noisy(250)), Term::below(&noisy(1000))], 1);
        assert_eq!(micros(&share), [250_000, 245_000, 255_000]);
    }

    #[test]
    fn a_part_that_stands_on_both_sides_varies_once() {
        let (child, adult) = (noisy(2_000), noisy(8_000));
        // V (0.8^2 + 0.2^2) / 10000^2: half-width 0.00032, shown in tenths of a percent
        let share = ratio(&[Term::both(&child), Term::below(&adult)], 100);
        assert_eq!(share.value().unwrap().to_string(), "20");
        assert_eq!([share.lo95(), share.hi95()].map(|a| a.unwrap().to_string()), ["19.9", "20.1"]);
    }

    #[test]
    fn nobody_is_ever_told_that_all_or_none_of_a_small_group() {
        for a in [0, 3, 57, 60, 66] {
            let share = ratio(&[Term::above(&noisy(a)), Term::below(&noisy(60))], 100);
            let value = share.value().unwrap().micros();
            assert!((16_000_000..=84_000_000).contains(&value), "{a}: {value}");
        }
    }

    #[test]
    fn a_share_of_exact_numbers_is_exact() {
        let share = ratio(&[Term::above(&exact(3)), Term::below(&exact(3))], 100);
        assert_eq!(micros(&share), [100_000_000; 3]);
        assert_eq!(micros(&ratio(&[Term::above(&exact(1)), Term::below(&exact(3))], 1)), [333_333; 3]);
        let of_nothing = ratio(&[Term::above(&exact(0)), Term::below(&exact(0))], 1);
        assert_eq!((of_nothing.value(), of_nothing.obs_status()), (None, ObsStatus::M));
        assert_eq!(of_nothing.conf_status(), ConfStatus::F, "no inspections, no share: nothing is confidential");
    }

    #[test]
    fn a_sum_of_released_numbers_has_the_variance_of_all_of_them() {
        let year = total(&[&noisy(100), &noisy(120), &noisy(90), &noisy(110)]);
        // 1.96 sqrt(4 * 4) = 7.84
        assert_eq!(micros(&year), [420_000_000, 412_000_000, 428_000_000]);
        assert_eq!((year.obs_status(), year.deviation()), (ObsStatus::A, 4.0));
        let part = ratio(&[Term::above(&total(&[&noisy(50), &noisy(50)])), Term::below(&year)], 100);
        let alone = ratio(&[Term::above(&noisy(100)), Term::below(&noisy(420))], 100);
        let width = |figure: &Figure| micros(figure)[2] - micros(figure)[1];
        assert!(width(&part) > width(&alone), "a share of sums carries the noise of the sums");
    }

    #[test]
    fn a_sum_of_exact_numbers_is_exact_and_what_is_missing_stays_so() {
        let year = total(&[&exact(3), &exact(0), &exact(4), &Figure::impossible()]);
        assert_eq!((micros(&year), year.obs_status()), ([7_000_000; 3], ObsStatus::A));
        assert_eq!(total(&[&noisy(100), &Figure::suppressed()]).obs_status(), ObsStatus::Q);
        assert_eq!(total(&[&exact(1), &Figure::not_collected(), &Figure::suppressed()]).obs_status(), ObsStatus::L);
        let open = Figure::count(40, None, true);
        assert_eq!(total(&[&exact(100), &open]).obs_status(), ObsStatus::P);
        assert_eq!(total(&[&noisy(12), &noisy(13)]).obs_status(), ObsStatus::U);
    }

    #[test]
    fn what_a_share_leaves_has_its_interval_the_other_way_round() {
        let unknown = ratio(&[Term::above(&noisy(250)), Term::below(&noisy(1000))], 100);
        assert_eq!(micros(&complement(&unknown, 100)), [75_000_000, 74_500_000, 75_500_000]);
        assert_eq!(complement(&Figure::suppressed(), 100).obs_status(), ObsStatus::Q);
    }

    #[test]
    fn a_rate_carries_the_interval_of_its_numerator() {
        let rate = rate(&noisy(15_000), 241_499_431, 100_000);
        assert_eq!(micros(&rate), [6_211_000, 6_209_000, 6_213_000]);
    }

    #[test]
    fn digits_go_no_further_than_the_noise() {
        // +-4 of 2.4 million per 100,000 is +-0.17: one digit after the point
        let rate = rate(&noisy(200), 2_363_863, 100_000);
        assert_eq!(micros(&rate)[0] % 100_000, 0);
    }

    #[test]
    fn what_is_suppressed_or_not_collected_stays_so() {
        let good = noisy(100);
        let suppressed = ratio(&[Term::above(&Figure::suppressed()), Term::below(&good)], 1);
        assert_eq!(suppressed.obs_status(), ObsStatus::Q);
        let silent = ratio(&[Term::above(&Figure::not_collected()), Term::below(&good)], 1);
        assert_eq!(silent.obs_status(), ObsStatus::L);
        assert_eq!(rate(&Figure::suppressed(), 100, 1).obs_status(), ObsStatus::Q);
    }
}
