//! What questions cost and how noise grows with what was asked (privacy.md 6.8): weights, and for each kind of counter
//! where its noise begins to grow and how fast.
//!
//! The values in force were set by simulation of attack A7 (docs/decisions, `noise-grows-early`). They are no part of a policy
//! file: a file decides what is secret, not what a secret costs.
//!
//! Absent: counters, grids, who pays.

use crate::datasets::Profile;

/// The variance of the widest noise: past it nothing is answered.
pub const WIDEST: u64 = 144;

/// How the noise of a counter grows: `V_t = V_0 max(1, (t / T_0)^gamma)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// The variance of the first answers, `V_0`.
    pub first: u64,
    /// The charges up to which it stays, `T_0`.
    pub until: u64,
    /// How fast it grows from there: `gamma` in halves.
    pub halves: u32,
}

impl Schedule {
    /// Whether noise of this variance is wide enough after so many charges; without roots or fractions.
    pub fn allows(&self, variance: u64, t: u64) -> bool {
        let (first, ratio) = (u128::from(self.first), |x: u64| u128::from(x).pow(self.halves));
        let variance = u128::from(variance);
        variance >= first && variance * variance * ratio(self.until) >= first * first * ratio(t)
    }

    /// The most that the counter may reach: its noise is then the widest.
    pub fn most(&self) -> u64 {
        let (mut allowed, mut refused) = (0, 1 << 20);
        while refused - allowed > 1 {
            let middle = u64::midpoint(allowed, refused);
            *(if self.allows(WIDEST, middle) { &mut allowed } else { &mut refused }) = middle;
        }
        allowed
    }
}

/// All weights and schedules of privacy.md 6.8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charging {
    /// By what each further dimension multiplies the weight of a grid.
    pub dimension: u32,
    /// By what a many-valued dimension does.
    pub many: u32,
    /// By what codes put together by whoever asks do.
    pub together: u32,
    /// By what a sum does.
    pub sum: u32,
    /// The counter that every question raises.
    pub presence: Schedule,
    /// Counters of columns of the profile std.
    pub std: Schedule,
    /// Counters of columns of the profile sens.
    pub sens: Schedule,
    /// Counters of columns of the profile high.
    pub high: Schedule,
    /// `T_0` of a secret whose column is many-valued: its overlapping cells are hard to add up, so that they tell less.
    pub many_until: u64,
}

impl Default for Charging {
    fn default() -> Self {
        let secret = |first, until| Schedule { first, until, halves: 4 };
        Self {
            dimension: 2,
            many: 1,
            together: 2,
            sum: 4,
            presence: Schedule { first: 4, until: 26, halves: 3 },
            std: secret(4, 3),
            sens: secret(9, 3),
            high: secret(16, 3),
            many_until: 4,
        }
    }
}

impl Charging {
    /// The schedule of a secret column's counter.
    pub fn of(&self, profile: Profile, many_valued: bool) -> Schedule {
        let schedule = match profile {
            Profile::Std => self.std,
            Profile::Sens => self.sens,
            Profile::High => self.high,
        };
        if many_valued { Schedule { until: self.many_until, ..schedule } } else { schedule }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_ends_where_its_noise_is_the_widest() {
        let charging = Charging::default();
        let most = [charging.presence, charging.std, charging.sens, charging.high].map(|schedule| schedule.most());
        assert_eq!(most, [283, 18, 12, 9], "V_t of privacy.md 6.8, T_0 of docs/decisions");
        let many_valued = [Profile::Std, Profile::Sens, Profile::High].map(|profile| charging.of(profile, true).most());
        assert_eq!(many_valued, [24, 16, 12]);
    }
}
