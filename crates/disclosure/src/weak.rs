//! Protections taken away on purpose, so that an attack can show what each of them is worth (privacy.md 7.1: four
//! targets side by side).
//!
//! **Never on the road to a reader.** Only [`Vault::weakened`](crate::Vault::weakened) takes a [`Protection`], and that
//! vault keeps nothing: it has no store, so it cannot stand where a store is needed. This is a constructor and no feature
//! of Cargo, because a feature that one room switches on is on for every room built with it.
//!
//! Absent: anything that a vault with a store could be told.

use policy::Keys;

use crate::board::{Board, Reason, State};
use crate::noise::{Tier, noise};
use crate::released::Marked;

/// The floor of the naive endpoint (privacy.md 7.3, *naive k=11 exact*).
const NAIVE_FLOOR: u64 = 11;

/// How much of the protection of privacy.md 6.5 to 6.7 a vault gives.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Protection {
    /// All of it.
    #[default]
    Full,
    /// All but nearness: each set has a number of its own.
    WithoutGuard,
    /// Set-keyed noise over a floor of 11: the cell key method.
    NoiseAlone,
    /// The exact number over a floor of 11.
    FloorAlone,
}

impl Protection {
    /// Whether nearly the same persons get the same number.
    pub(crate) fn is_guarded(self) -> bool {
        self != Self::WithoutGuard
    }

    /// Whether nothing but floor and noise decides about a cell.
    pub(crate) fn is_bare(self) -> bool {
        matches!(self, Self::NoiseAlone | Self::FloorAlone)
    }
}

/// Decides every cell by a floor of 11 alone, with noise or without.
pub(crate) fn apply(board: &mut Board, keys: &Keys, protection: Protection) {
    for entry in &mut board.cells {
        let value = entry.facts.measured.value;
        // Its noise never grows: charges are not a part of it.
        let tier = Tier::first_of(entry.profile);
        entry.state = if entry.mark.is_some_and(Marked::hides) {
            State::Hidden(Reason::Marked)
        } else if entry.exact {
            State::Shown { value: i128::from(entry.true_value()), tier: None, pinned: false }
        } else if protection == Protection::FloorAlone && entry.facts.n >= NAIVE_FLOOR {
            State::Shown { value, tier: None, pinned: false }
        } else if protection == Protection::NoiseAlone && entry.facts.n >= tier.floor(NAIVE_FLOOR) {
            let steps = i128::from(noise(&keys.noise, &entry.space.seed, entry.facts.set(), tier));
            State::Shown { value: (value + steps * entry.space.scale).max(0), tier: Some(tier), pinned: false }
        } else {
            State::Hidden(Reason::SmallCount)
        };
    }
}
