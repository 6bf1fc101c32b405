//! What may be shown: integers and fixed-point numbers with their intervals and flags (privacy.md 6.14).
//!
//! Only [`protect`](crate::protect) and the ratios of its results make a [`Figure`]; a number that was not released
//! cannot be put into one.
//!
//! Absent: floats, true counts, reasons.

use std::collections::BTreeMap;
use std::fmt;

use crate::noise::Tier;
use crate::query::{Coordinate, TableQuery};

/// A released number in millionths (scale 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i128);

impl Amount {
    /// Digits after the point.
    pub const SCALE: u32 = 6;
    /// One, in millionths.
    pub const ONE: i128 = 1_000_000;

    pub(crate) const fn from_micros(micros: i128) -> Self {
        Self(micros)
    }

    #[cfg(test)]
    pub(crate) const fn from_count(count: i64) -> Self {
        Self(count as i128 * Self::ONE)
    }

    /// The number times 10^6: what a `Decimal128(38, 6)` holds.
    pub const fn micros(self) -> i128 {
        self.0
    }

    /// The number, where it is whole.
    pub fn as_integer(self) -> Option<i64> {
        (self.0 % Self::ONE == 0).then(|| i64::try_from(self.0 / Self::ONE).ok()).flatten()
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (self.0.unsigned_abs() / 1_000_000, self.0.unsigned_abs() % 1_000_000);
        if part == 0 {
            return write!(f, "{sign}{whole}");
        }
        let digits = format!("{part:06}");
        write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

/// What kind of value this is (SDMX code list OBS_STATUS).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObsStatus {
    /// Normal: with noise, or exact on a declared grid.
    A,
    /// Low reliability: small, or noisy in proportion.
    U,
    /// Missing: suppressed, for whatever reason, emptiness included.
    Q,
    /// Missing: not collected.
    L,
    /// Provisional: its period is open, or a part of it will be replaced.
    P,
    /// Missing: cannot exist.
    M,
}

impl ObsStatus {
    /// The SDMX code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::U => "U",
            Self::Q => "Q",
            Self::L => "L",
            Self::P => "P",
            Self::M => "M",
        }
    }
}

/// Whether confidentiality removed the value (SDMX code list CONF_STATUS).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConfStatus {
    /// Free for publication.
    F,
    /// Confidential: the one public flag of every suppression.
    C,
}

impl ConfStatus {
    /// The SDMX code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::F => "F",
            Self::C => "C",
        }
    }
}

/// What is known of a cell without counting: from the reporting calendar or the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Marked {
    /// Its period is open: shown, flag P.
    Provisional,
    /// Reports were expected and are missing: not shown, flag L. On exact cells only: of persons it would say that
    /// nobody is there.
    NotCollected,
    /// Cannot exist by definition: not shown, flag M.
    Impossible,
}

impl Marked {
    pub(crate) const fn hides(self) -> bool {
        !matches!(self, Self::Provisional)
    }
}

/// A mark on all cells that have one of the codes in each dimension named. Made before counting, from public facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// What is marked.
    pub status: Marked,
    /// Codes by dimension. A cell that is a total over a dimension named here is not covered.
    pub at: BTreeMap<String, Vec<u16>>,
}

impl Mark {
    pub(crate) fn covers(&self, cell: &[(String, u16)]) -> bool {
        let code_at = |name: &str| cell.iter().find(|(dimension, _)| dimension == name).map(|&(_, code)| code);
        self.at.iter().all(|(name, codes)| code_at(name).is_some_and(|code| codes.contains(&code)))
    }
}

/// One released value with its interval and flags. Fields cannot be set from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    value: Option<(Amount, Amount, Amount)>,
    obs: ObsStatus,
    conf: ConfStatus,
    noise: Option<Noise>,
}

/// The noise of a released number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Noise {
    /// Of this tier, a step of it being worth so much.
    Drawn(Tier, Amount),
    /// Of several released numbers that were added up: variance and bound, in whole units.
    Added(i64, i64),
}

/// How far a released number may be from what it is the number of, in whole units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Spread {
    /// Variance of its noise.
    pub(crate) variance: i128,
    /// The noise is never larger.
    pub(crate) bound: i128,
}

impl Figure {
    /// A count with noise, or exact where there is no tier.
    #[cfg(test)]
    pub(crate) fn count(value: i64, tier: Option<Tier>, provisional: bool) -> Self {
        Self::measured(value.into(), tier, (1, Amount::ONE), provisional)
    }

    /// A value with noise, or exact where there is no tier: one step of noise is worth `step` of its unit, which is so
    /// many `micros`.
    pub(crate) fn measured(value: i128, tier: Option<Tier>, (step, micros): (i128, i128), provisional: bool) -> Self {
        // Steps larger than one are widened by a dither of half a step.
        let half = tier.map_or(0, |tier| i128::from(tier.half_width_95()) * step + step / 2);
        let obs = match tier {
            _ if provisional => ObsStatus::P,
            Some(tier) if is_unreliable(value, tier.variance(), step, micros) => ObsStatus::U,
            _ => ObsStatus::A,
        };
        let [value, lo, hi] = [value, (value - half).max(0), value + half].map(|v| Amount::from_micros(v * micros));
        let noise = tier.map(|tier| Noise::Drawn(tier, Amount::from_micros(step * micros)));
        Self { value: Some((value, lo, hi)), obs, conf: ConfStatus::F, noise }
    }

    /// A value derived from released ones.
    pub(crate) fn derived(value: Amount, lo: Amount, hi: Amount, obs: ObsStatus) -> Self {
        Self { value: Some((value, lo, hi)), obs, conf: ConfStatus::F, noise: None }
    }

    /// A sum of released values, with the noise of all of them.
    pub(crate) fn added(value: Amount, half: i128, spread: Spread, obs: ObsStatus) -> Self {
        let (lo, hi) = (Amount((value.0 - half).max(0)), Amount(value.0 + half));
        // Bounds of measures are far below what 64 bits hold, squared and summed.
        let short = |number: i128| i64::try_from(number).unwrap_or(i64::MAX);
        let added = Noise::Added(short(spread.variance), short(spread.bound));
        let noise = (spread != Spread::default()).then_some(added);
        Self { value: Some((value, lo, hi)), obs, conf: ConfStatus::F, noise }
    }

    /// Suppressed: the one flag for every reason.
    pub(crate) const fn suppressed() -> Self {
        Self { value: None, obs: ObsStatus::Q, conf: ConfStatus::C, noise: None }
    }

    /// Not collected: no number can be given, and none is hidden.
    pub const fn not_collected() -> Self {
        Self { value: None, obs: ObsStatus::L, conf: ConfStatus::F, noise: None }
    }

    /// Cannot exist.
    pub const fn impossible() -> Self {
        Self { value: None, obs: ObsStatus::M, conf: ConfStatus::F, noise: None }
    }

    /// The same value, known to be replaced by a better one: flag P. What is missing stays missing.
    #[must_use]
    pub fn provisional(self) -> Self {
        if self.value.is_some() { Self { obs: ObsStatus::P, ..self } } else { self }
    }

    /// The value.
    pub fn value(&self) -> Option<Amount> {
        self.value.map(|(value, _, _)| value)
    }

    /// Lower end of the 95 % interval of the noise.
    pub fn lo95(&self) -> Option<Amount> {
        self.value.map(|(_, lo, _)| lo)
    }

    /// Upper end of the 95 % interval of the noise.
    pub fn hi95(&self) -> Option<Amount> {
        self.value.map(|(_, _, hi)| hi)
    }

    /// What kind of value this is.
    pub fn obs_status(&self) -> ObsStatus {
        self.obs
    }

    /// Whether confidentiality removed it.
    pub fn conf_status(&self) -> ConfStatus {
        self.conf
    }

    /// The tier of its noise; none where it is exact, missing or derived.
    pub fn tier(&self) -> Option<Tier> {
        match self.noise? {
            Noise::Drawn(tier, _) => Some(tier),
            Noise::Added(..) => None,
        }
    }

    /// What one step of its noise is worth: 1 where units are counted.
    pub fn step(&self) -> Option<Amount> {
        match self.noise? {
            Noise::Drawn(_, step) => Some(step),
            Noise::Added(..) => None,
        }
    }

    /// The standard deviation of its noise, in its unit; 0 where it is exact, missing or derived.
    pub fn deviation(&self) -> f64 {
        match self.noise {
            None => 0.0,
            Some(Noise::Added(variance, _)) => (variance as f64).sqrt(),
            Some(Noise::Drawn(tier, step)) => {
                // Steps larger than one have a dither, even over one step, beside their noise.
                let dither = if step.0 > Amount::ONE { 1.0 / 12.0 } else { 0.0 };
                (tier.variance() as f64 + dither).sqrt() * step.0 as f64 / Amount::ONE as f64
            }
        }
    }

    /// The same as whole numbers, for sums and ratios.
    pub(crate) fn spread(&self) -> Spread {
        match self.noise {
            None => Spread::default(),
            Some(Noise::Added(variance, bound)) => Spread { variance: variance.into(), bound: bound.into() },
            Some(Noise::Drawn(tier, step)) => {
                let step = step.0 / Amount::ONE;
                // Steps larger than one have a dither of variance step^2 / 12 beside their noise.
                let variance = i128::from(tier.variance()) * step * step + step * step / 12;
                Spread { variance, bound: i128::from(tier.bound()) * step + step / 2 }
            }
        }
    }
}

/// The elements by which a released number may belong to another set: `clamp(ceil(2n / 3), 22, 30)`, or 30 where n is not
/// known (privacy.md 6.7, `case_near`, as drawn: docs/decisions, `few-cases-have-no-edge`; 6.14). That is the reach of one
/// question; where nearly the same sets were asked about in a row it may be 30 for any n, and 60 where they differed by three
/// at most each time (docs/decisions: every set asked about is remembered). Sets that differ by units of which none is marked
/// have one answer at any distance: a chance of (3/4)^d for d of them.
pub fn guard_bias(elements: Option<i128>) -> i128 {
    elements.map_or(30, |n| ((2 * n.max(0) + 2) / 3).clamp(22, 30))
}

/// Flag U: a count below 34, or `1.96 sqrt(V)` steps above a fifth of the value (privacy.md 6.14).
fn is_unreliable(value: i128, variance: u64, step: i128, micros: i128) -> bool {
    let small = micros == Amount::ONE && value < 34;
    small || 9_604 * i128::from(variance) * step * step > 100 * value * value
}

/// A released cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleasedCell {
    /// Where it stands on each dimension, in the question's order.
    pub at: Vec<Coordinate>,
    /// What may be shown.
    pub figure: Figure,
}

/// A released table: every cell of its question, shown or not.
#[derive(Debug, Clone)]
pub struct Released {
    pub(crate) name: String,
    pub(crate) query: TableQuery,
    pub(crate) cells: Vec<ReleasedCell>,
    /// Numbers of the sets that answered, ascending, each once.
    pub(crate) anchors: Vec<u64>,
}

impl Released {
    /// The name it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The question.
    pub fn query(&self) -> &TableQuery {
        &self.query
    }

    /// Its cells, in the order of the question's dimensions and codes, totals last; then remainders.
    pub fn cells(&self) -> &[ReleasedCell] {
        &self.cells
    }

    /// The figure at these coordinates; `None` where the question has no such cell.
    pub fn at(&self, at: &[Coordinate]) -> Option<&Figure> {
        self.cells.iter().find(|cell| cell.at == at).map(|cell| &cell.figure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_without_needless_digits() {
        let written = [1_500_000, -250_000, 3_000_000, 1].map(|micros| Amount::from_micros(micros).to_string());
        assert_eq!(written, ["1.5", "-0.25", "3", "0.000001"]);
    }

    #[test]
    fn a_value_is_unreliable_below_34_and_where_its_noise_is_a_fifth() {
        let flag = |value, tier| Figure::count(value, Some(tier), false).obs_status();
        assert_eq!([flag(33, Tier::V4), flag(34, Tier::V4)], [ObsStatus::U, ObsStatus::A]);
        assert_eq!([flag(39, Tier::V16), flag(40, Tier::V16)], [ObsStatus::U, ObsStatus::A]);
    }

    #[test]
    fn a_number_may_belong_to_a_set_of_a_third_more_or_less_at_most() {
        assert_eq!([0, 33, 34, 45, 46, 9_000].map(|n| guard_bias(Some(n))), [22, 22, 23, 30, 30, 30]);
        assert_eq!(guard_bias(None), 30, "of a sum the number of its elements is not known");
    }

    #[test]
    fn the_interval_is_that_of_the_tier_and_never_below_zero() {
        let figure = Figure::count(5, Some(Tier::V9), false);
        assert_eq!([figure.lo95(), figure.hi95()], [Some(Amount::from_count(0)), Some(Amount::from_count(11))]);
        let exact = Figure::count(5, None, false);
        assert_eq!([exact.lo95(), exact.hi95()], [Some(Amount::from_count(5)); 2]);
        assert_eq!(exact.obs_status(), ObsStatus::A);
    }
}
