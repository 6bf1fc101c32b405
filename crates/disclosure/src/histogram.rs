//! Quantiles of released histograms (privacy.md 6.5, *Quantile*): a measure's public bins, each a released cell of its own.
//!
//! ```text
//! value     a hidden bin counts as K/2; cumulated, linear inside the bin, rounded to a tenth of it; only of 4K shown units
//! interval  where the histogram stands 1.96 sd before and after, Var = sum of V_j (1-q)² up to its bin, V_j q² after it
//! ```
//!
//! One definition for questions and for editions. Made of [`Figure`]s alone: it can tell nothing that they do not.
//! Absent: true counts, the values that the bins hold.

use crate::released::{Amount, Figure, ObsStatus, guard_bias};

/// Standard deviations to each side of a 95 % interval.
pub const NORMAL_95: f64 = 1.96;
/// A number is unreliable where half its interval is more than this part of it (privacy.md 6.14, U).
pub const UNRELIABLE: f64 = 0.2;

/// Which value of a measure is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// That which so many millionths of the units are below.
    Quantile(i128),
    /// The edge of the bin below which fewer than K units are.
    Least,
    /// The edge of the bin above which fewer than K units are.
    Most,
}

/// A histogram of which enough is shown to tell a quantile.
#[derive(Debug, Clone)]
pub struct Histogram {
    bins: Vec<Bin>,
    /// Units of all bins, in millionths.
    all: i128,
    /// The floor on units, in millionths.
    k: i128,
    provisional: bool,
}

/// A bin: its edges, its units in millionths (half the floor where they are hidden), and the deviation of their noise.
#[derive(Debug, Clone, Copy)]
struct Bin {
    low: i64,
    high: i64,
    units: i128,
    deviation: f64,
}

/// A value of a histogram with its interval, in millionths.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// The value.
    pub value: i128,
    /// Lower end of the 95 % interval.
    pub lo: i128,
    /// Upper end.
    pub hi: i128,
    /// How far the guard may have moved it.
    pub bias: i128,
    /// Standard deviation of the noise, in the unit of the measure.
    pub deviation: f64,
    /// P where a bin is provisional, U where half the interval is more than a fifth of the value, else A.
    pub status: ObsStatus,
}

impl Histogram {
    /// Bins in ascending order: lower edge, upper edge, released units. `None` where fewer than four times the floor `k` of
    /// units are shown.
    pub fn new<'f>(bins: impl IntoIterator<Item = (i64, i64, Option<&'f Figure>)>, k: u64) -> Option<Self> {
        // The sd of a hidden bin, taken for K/2: that of a number anywhere between 0 and K.
        let hidden = k as f64 / 12_f64.sqrt();
        let k = i128::from(k) * Amount::ONE;
        let (mut shown, mut provisional) = (0, false);
        let mut bin = |(low, high, figure): (i64, i64, Option<&Figure>)| {
            provisional |= figure.is_some_and(|figure| figure.obs_status() == ObsStatus::P);
            let figure = figure.and_then(|figure| Some((figure.value()?.micros(), figure.deviation())));
            shown += figure.map_or(0, |(units, _)| units);
            let (units, deviation) = figure.unwrap_or((k / 2, hidden));
            Bin { low, high, units, deviation }
        };
        let bins: Vec<Bin> = bins.into_iter().map(&mut bin).collect();
        let all = bins.iter().map(|bin| bin.units).sum();
        (shown >= 4 * k).then_some(Self { bins, all, k, provisional })
    }

    /// The value of an order, with its interval.
    pub fn place(&self, order: Order) -> Option<Place> {
        let value = self.value(order, 0.0)?;
        let spread = self.spread(order);
        let at = |by: f64| self.value(order, by).unwrap_or(value);
        let [lo, hi] = [at(-NORMAL_95 * spread).min(value), at(NORMAL_95 * spread).max(value)];
        let far = guard_bias(Some((self.all / Amount::ONE).max(0))) as f64;
        let bias = if spread == 0.0 { 0 } else { (value - at(-far)).max(at(far) - value) };
        let half = to_units(hi - lo) / 2.0;
        let status = if self.provisional {
            ObsStatus::P
        } else if half > UNRELIABLE * to_units(value).abs() {
            ObsStatus::U
        } else {
            ObsStatus::A
        };
        Some(Place { value, lo, hi, bias, deviation: half / NORMAL_95, status })
    }

    /// The value of an order, or of the place so many units further on: linear inside its bin and rounded to a tenth of it.
    fn value(&self, order: Order, further: f64) -> Option<i128> {
        let (further, k) = ((further * Amount::ONE as f64) as i128, self.k);
        match order {
            Order::Quantile(millionths) => self.at((self.all * millionths / Amount::ONE + further).clamp(0, self.all)),
            Order::Least => Self::passing(self.bins.iter(), k + further).map(|bin| i128::from(bin.low) * Amount::ONE),
            Order::Most => {
                Self::passing(self.bins.iter().rev(), k - further).map(|bin| i128::from(bin.high) * Amount::ONE)
            }
        }
    }

    /// The value below which so many units are.
    fn at(&self, below: i128) -> Option<i128> {
        let mut before = 0;
        for &Bin { low, high, units, .. } in &self.bins {
            if before + units >= below && units > 0 {
                let width = i128::from(high - low);
                // A tenth of the bin: no more digits than the histogram supports.
                let tenths = ((below - before) * 20 / units + 1) / 2;
                return Some(i128::from(low) * Amount::ONE + tenths * width * (Amount::ONE / 10));
            }
            before += units;
        }
        self.bins.last().map(|bin| i128::from(bin.high) * Amount::ONE)
    }

    /// A tenth of the bin in which a value lies, in millionths.
    fn tenth_at(&self, value: i128) -> i128 {
        let holds = |bin: &&Bin| value <= i128::from(bin.high) * Amount::ONE;
        let bin = self.bins.iter().find(holds).or(self.bins.last());
        bin.map_or(0, |bin| i128::from(bin.high - bin.low) * Amount::ONE / 10)
    }

    /// The bin in which the units pass K.
    fn passing<'b>(bins: impl Iterator<Item = &'b Bin>, k: i128) -> Option<&'b Bin> {
        let mut passed = 0;
        for bin in bins {
            passed += bin.units;
            if passed > k {
                return Some(bin);
            }
        }
        None
    }

    /// The standard deviation of the place of an order in the cumulated histogram: of the units up to the bin that has it,
    /// against those after it; at the ends, of the units up to the floor.
    fn spread(&self, order: Order) -> f64 {
        let (place, up_to, after) = match order {
            Order::Quantile(millionths) => {
                let q = to_units(millionths);
                (self.all * millionths / Amount::ONE, 1.0 - q, q)
            }
            Order::Least => (self.k, 1.0, 0.0),
            Order::Most => (self.all - self.k, 0.0, 1.0),
        };
        let mut before = 0;
        let weighted = self.bins.iter().map(|bin| {
            let weight = if before <= place { up_to } else { after };
            before += bin.units;
            (weight * bin.deviation).powi(2)
        });
        weighted.sum::<f64>().sqrt()
    }
}

/// A quantile as an edition publishes it. Hidden where too little is shown; not collected where a bin was not.
pub fn quantile<'f>(
    bins: impl IntoIterator<Item = (i64, i64, Option<&'f Figure>)> + Clone,
    k: u64,
    millionths: i128,
) -> Figure {
    let has = |status| bins.clone().into_iter().any(|(_, _, figure)| figure.is_some_and(|f| f.obs_status() == status));
    if has(ObsStatus::L) {
        return Figure::not_collected();
    }
    let Some(histogram) = Histogram::new(bins, k) else { return Figure::suppressed() };
    let Some(at) = histogram.place(Order::Quantile(millionths)) else { return Figure::suppressed() };
    // A value that is rounded to a tenth of its bin and has noise is not known to less than that.
    let least = if at.deviation > 0.0 || histogram.bins.iter().any(|bin| bin.deviation > 0.0) {
        histogram.tenth_at(at.value)
    } else {
        0
    };
    let (lo, hi) = (at.lo.min(at.value - least).max(0), at.hi.max(at.value + least));
    let [value, lo, hi] = [at.value, lo, hi].map(Amount::from_micros);
    Figure::derived(value, lo, hi, at.status)
}

fn to_units(micros: i128) -> f64 {
    micros as f64 / Amount::ONE as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Tier;

    fn exact(counts: &[i64]) -> Vec<Figure> {
        counts.iter().map(|&n| Figure::count(n, None, false)).collect()
    }

    /// Bins of ten each, from 0.
    fn bins(figures: &[Figure]) -> Vec<(i64, i64, Option<&Figure>)> {
        figures.iter().enumerate().map(|(at, figure)| (10 * at as i64, 10 * at as i64 + 10, Some(figure))).collect()
    }

    #[test]
    fn a_median_lies_where_half_of_the_units_are_below() {
        // 100 of 400 below 10, half of all are 200: a third of the way through the 300 between 10 and 20, to a tenth of the bin.
        let figures = exact(&[100, 300]);
        let median = quantile(bins(&figures), 11, 500_000);
        assert_eq!(median.value().unwrap().to_string(), "13");
        assert_eq!((median.lo95(), median.hi95()), (median.value(), median.value()), "exact bins, an exact median");
        assert_eq!(median.obs_status(), ObsStatus::A);
    }

    #[test]
    fn a_median_of_noisy_bins_has_an_interval_that_widens_with_the_noise() {
        let of = |tier| -> Vec<Figure> { [60, 60].map(|n| Figure::count(n, Some(tier), false)).to_vec() };
        let width = |tier| {
            let figures = of(tier);
            let median = quantile(bins(&figures), 11, 250_000);
            median.hi95().unwrap().micros() - median.lo95().unwrap().micros()
        };
        assert!(width(Tier::V4) > 0 && width(Tier::V144) > width(Tier::V4));
    }

    #[test]
    fn of_fewer_than_four_times_the_floor_no_quantile_is_told() {
        assert_eq!(quantile(bins(&exact(&[20, 23])), 11, 500_000).obs_status(), ObsStatus::Q);
        assert_eq!(quantile(bins(&exact(&[20, 24])), 11, 500_000).obs_status(), ObsStatus::A);
        let hidden = [Figure::suppressed(), Figure::count(43, None, false)];
        assert_eq!(quantile(bins(&hidden), 11, 500_000).obs_status(), ObsStatus::Q, "what is hidden does not count");
    }

    #[test]
    fn a_provisional_bin_makes_the_quantile_provisional_and_one_that_was_not_collected_takes_it_away() {
        let open = [Figure::count(100, None, true), Figure::count(100, None, false)];
        assert_eq!(quantile(bins(&open), 11, 500_000).obs_status(), ObsStatus::P);
        let silent = [Figure::not_collected(), Figure::count(100, None, false)];
        assert_eq!(quantile(bins(&silent), 11, 500_000).obs_status(), ObsStatus::L);
    }
}
