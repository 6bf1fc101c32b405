//! What is said beside a value of a released row (privacy.md 6.14): from the released cells of the value alone.
//!
//! ```text
//! count, sum   [n - q95(V), n + q95(V)] of the tier's exact law, never below zero; half a step wider where a step is more than 1
//! mean  s/n    Var = (Var_s + m² V) / n²
//! quantile     where the histogram stands 1.96 sd before and after, Var = sum of V_j (1-q)² up to its bin, V_j q² after it
//! ```
//!
//! Absent: anything of a cell but its figure. What is hidden has no interval, whatever the reason.

use disclosure::{Amount, Figure, ObsStatus, guard_bias};

use super::batch::{Answers, Bins};
use super::measure::Order;
use super::release::{Cell, Histogram, Source};

/// Standard deviations to each side of a 95 % interval.
pub(super) const NORMAL_95: f64 = 1.96;
/// A number is unreliable where half its interval is more than this part of it (privacy.md 6.14, U).
pub(super) const UNRELIABLE: f64 = 0.2;

/// A value's interval, in millionths.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interval {
    pub(super) lo: i128,
    pub(super) hi: i128,
    /// How far the guard may have moved it.
    pub(super) bias: i128,
    /// Standard deviation of the noise.
    pub(super) deviation: f64,
}

impl Interval {
    fn exact(value: i128) -> Self {
        Self { lo: value, hi: value, bias: 0, deviation: 0.0 }
    }
}

impl Answers<'_> {
    /// The status of a value, and its interval where it is shown. `most` is what one element of its set adds at most.
    pub(super) fn interval(&self, source: &Source, most: i64) -> (ObsStatus, Option<Interval>) {
        match source {
            Source::Known(_) => (ObsStatus::Q, None),
            Source::Count(cell, measure) => self.of_figure(cell, *measure, most, true),
            Source::Sum(cell, measure) => self.of_figure(cell, *measure, most, false),
            Source::Shown(cells) => (ObsStatus::A, Some(Interval::exact(self.shown(cells) * Amount::ONE))),
            Source::Mean { cell, sum, units, .. } => {
                let mean = self.mean(source).zip(self.figure(cell, *sum)).zip(self.figure(cell, *units));
                let missing = || status(&[self.figure(cell, *sum), self.figure(cell, *units)]);
                mean.map_or_else(|| (missing(), None), |((mean, sum), units)| of_mean(mean, sum, units, most))
            }
            Source::Quantile(histogram) => self.of_quantile(histogram),
        }
    }

    fn of_figure(&self, cell: &Cell, measure: usize, most: i64, counts: bool) -> (ObsStatus, Option<Interval>) {
        let Some(figure) = self.figure(cell, measure) else { return (ObsStatus::Q, None) };
        let (Some(value), Some(lo), Some(hi)) = (figure.value(), figure.lo95(), figure.hi95()) else {
            return (figure.obs_status(), None);
        };
        let elements = counts.then(|| value.micros() / Amount::ONE);
        let bias = if figure.tier().is_none() { 0 } else { guard_bias(elements) * i128::from(most) * Amount::ONE };
        let interval = Interval { lo: lo.micros(), hi: hi.micros(), bias, deviation: deviation(figure) };
        (figure.obs_status(), Some(interval))
    }

    fn of_quantile(&self, histogram: &Histogram) -> (ObsStatus, Option<Interval>) {
        let figures: Vec<Option<&Figure>> = histogram.bins.iter().map(|(_, _, cell)| self.figure(cell, 0)).collect();
        let Some((value, bins)) = self.quantile(histogram).zip(self.bins(histogram)) else {
            return (ObsStatus::Q, None);
        };
        // The sd of a hidden bin, taken for K/2: that of a number anywhere between 0 and K.
        let hidden = histogram.k as f64 / 12_f64.sqrt();
        let noise = |figure: Option<&Figure>| figure.filter(|f| f.value().is_some()).map_or(hidden, deviation);
        let spread = bins.spread(histogram.order, figures.iter().copied().map(noise));
        let all = (bins.all / Amount::ONE).max(0);
        let at = |by: f64| bins.value(histogram.order, by).unwrap_or(value);
        let [lo, hi] = [at(-NORMAL_95 * spread).min(value), at(NORMAL_95 * spread).max(value)];
        let far = guard_bias(Some(all)) as f64;
        let bias = if spread == 0.0 { 0 } else { (value - at(-far)).max(at(far) - value) };
        let deviation = to_units(hi - lo) / (2.0 * NORMAL_95);
        let provisional = figures.iter().flatten().any(|figure| figure.obs_status() == ObsStatus::P);
        let status = if provisional { ObsStatus::P } else { reliable(to_units(hi - lo) / 2.0, to_units(value)) };
        (status, Some(Interval { lo, hi, bias, deviation }))
    }
}

/// By the delta method, the two numbers having noise of their own (privacy.md 6.5, Mean).
fn of_mean(mean: i128, sum: &Figure, units: &Figure, most: i64) -> (ObsStatus, Option<Interval>) {
    let Some(n) = units.value().and_then(Amount::as_integer).filter(|n| *n > 0) else { return (ObsStatus::Q, None) };
    let (m, persons) = (to_units(mean), n as f64);
    let deviation = deviation(sum).hypot(m * deviation(units)) / persons;
    let half = (NORMAL_95 * deviation * Amount::ONE as f64).ceil() as i128;
    let moved = |figure: &Figure| if figure.tier().is_none() { 0 } else { guard_bias(Some(n.into())) };
    let bias = (moved(sum) * i128::from(most) * Amount::ONE + moved(units) * mean.abs()) / i128::from(n);
    let interval = Interval { lo: (mean - half).max(mean.min(0)), hi: mean + half, bias, deviation };
    let parts = status(&[Some(sum), Some(units)]);
    let own = reliable(NORMAL_95 * deviation, m);
    (if parts == ObsStatus::A { own } else { parts }, Some(interval))
}

/// The status of what is made of several numbers: what is missing first, then what is provisional, then what is
/// unreliable; hidden where one of them is not there.
fn status(parts: &[Option<&Figure>]) -> ObsStatus {
    let of = |part: Option<&Figure>| part.map_or(ObsStatus::Q, Figure::obs_status);
    let order = [ObsStatus::M, ObsStatus::L, ObsStatus::Q, ObsStatus::P, ObsStatus::U];
    order.into_iter().find(|status| parts.iter().any(|part| of(*part) == *status)).unwrap_or(ObsStatus::A)
}

fn reliable(half: f64, value: f64) -> ObsStatus {
    if half > UNRELIABLE * value.abs() { ObsStatus::U } else { ObsStatus::A }
}

/// The standard deviation of a figure's noise, in the unit of the figure.
fn deviation(figure: &Figure) -> f64 {
    let step = figure.step().map_or(0, Amount::micros);
    // Steps larger than one have a dither, even over one step, beside their noise.
    let dither = if step > Amount::ONE { 1.0 / 12.0 } else { 0.0 };
    figure.tier().map_or(0.0, |tier| (tier.variance() as f64 + dither).sqrt()) * to_units(step)
}

fn to_units(micros: i128) -> f64 {
    micros as f64 / Amount::ONE as f64
}

impl Bins {
    /// The standard deviation of the place of an order in the cumulated histogram: of the units up to the bin that has it,
    /// against those after it; at the ends, of the units up to the floor.
    fn spread(&self, order: Order, deviations: impl Iterator<Item = f64>) -> f64 {
        let (place, up_to, after) = match order {
            Order::Quantile(millionths) => {
                let q = to_units(millionths);
                (self.all * millionths / Amount::ONE, 1.0 - q, q)
            }
            Order::Least => (self.k, 1.0, 0.0),
            Order::Most => (self.all - self.k, 0.0, 1.0),
        };
        let mut before = 0;
        let weights = self.each.iter().map(|&(_, _, units)| {
            let weight = if before <= place { up_to } else { after };
            before += units;
            weight
        });
        weights.zip(deviations).map(|(weight, sd)| (weight * sd).powi(2)).sum::<f64>().sqrt()
    }
}
