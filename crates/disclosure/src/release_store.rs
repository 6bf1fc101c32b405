//! What the vault remembers of earlier releases: room for anchors and charges (privacy.md 6.1, 6.7, 6.8).
//!
//! In this edition nothing is remembered: set-keyed noise already gives the same set the same number, and a store of
//! real data refuses a second edition in one quarter. With guarded SQL an implementation over `vault.db` answers here:
//! a near set gets its neighbour's answer, and each charge raises the tier in force.

use policy::Profile;

use crate::noise::{SetName, Tier};

/// The memory of the vault.
///
/// Guarantees: an answer once given for a set and profile is given again. Non-guarantees: that every set ever asked is
/// remembered; one that is not gets the same draw from its own name.
pub trait ReleaseStore {
    /// The tier at which cells of a profile are answered now; never below the profile's first.
    fn tier_in_force(&self, profile: Profile) -> Tier;

    /// The answer that this set (or its anchor) already has for a profile.
    fn answer(&self, universe: &str, set: &SetName, profile: Profile) -> Option<Answer>;
}

/// An answer already given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Its tier.
    pub tier: Tier,
    /// The released number; `None` where it was suppressed.
    pub value: Option<i64>,
}

/// The memory of a vault that has released nothing and was charged nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NothingReleased;

impl ReleaseStore for NothingReleased {
    fn tier_in_force(&self, profile: Profile) -> Tier {
        first_tier(profile)
    }

    fn answer(&self, _: &str, _: &SetName, _: Profile) -> Option<Answer> {
        None
    }
}

/// The first tier of a profile (privacy.md 6.8: V_0 is 4, 9, 16).
pub fn first_tier(profile: Profile) -> Tier {
    Tier::from_variance(profile.first_tier()).expect("4, 9 and 16 are tiers")
}
