//! What is said beside a value of a released row (privacy.md 6.14): from the released cells of the value alone.
//!
//! ```text
//! count, sum   [n - q95(V), n + q95(V)] of the tier's exact law, never below zero; half a step wider where a step is more than 1
//! mean  s/n    Var = (Var_s + m² V) / n²
//! quantile     as editions publish it ([`disclosure::Histogram`])
//! ```
//!
//! Absent: anything of a cell but its figure. What is hidden has no interval, whatever the reason.

use disclosure::{Amount, Figure, NORMAL_95, ObsStatus, Place, UNRELIABLE, guard_bias};

use super::batch::Answers;
use super::release::{Cell, Histogram, Source};

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
        let interval = Interval { lo: lo.micros(), hi: hi.micros(), bias, deviation: figure.deviation() };
        (figure.obs_status(), Some(interval))
    }

    fn of_quantile(&self, histogram: &Histogram) -> (ObsStatus, Option<Interval>) {
        let Some(Place { lo, hi, bias, deviation, status, .. }) = self.quantile(histogram) else {
            return (ObsStatus::Q, None);
        };
        (status, Some(Interval { lo, hi, bias, deviation }))
    }
}

/// By the delta method, the two numbers having noise of their own (privacy.md 6.5, Mean).
fn of_mean(mean: i128, sum: &Figure, units: &Figure, most: i64) -> (ObsStatus, Option<Interval>) {
    let Some(n) = units.value().and_then(Amount::as_integer).filter(|n| *n > 0) else { return (ObsStatus::Q, None) };
    let (m, persons) = (to_units(mean), n as f64);
    let deviation = sum.deviation().hypot(m * units.deviation()) / persons;
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

fn to_units(micros: i128) -> f64 {
    micros as f64 / Amount::ONE as f64
}
