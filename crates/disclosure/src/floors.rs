//! Which cells may be shown at all, and with which number (privacy.md 6.5, 6.6).
//!
//! Rules are evaluated on true values, with a sticky jitter so that the boundary is no oracle. The reason for hiding
//! stays in the vault.

use policy::Keys;

use crate::board::{Board, Entry, Reason, State};
use crate::noise::{Tier, floor_jitter, noise};
use crate::released::Marked;
use crate::tabulate::{Contributions, Facts};

/// Decides every cell of the board.
pub(crate) fn apply(board: &mut Board, keys: &Keys) {
    for entry in &mut board.cells {
        entry.state = decide(entry, keys);
    }
}

/// One cell: marked, exact, answered before, hidden, or shown with noise.
pub(crate) fn decide(entry: &Entry, keys: &Keys) -> State {
    if entry.mark.is_some_and(Marked::hides) {
        return State::Hidden(Reason::Marked);
    }
    if entry.exact {
        return State::Shown { value: entry.true_value() as i64, tier: None, pinned: false };
    }
    let universe = &entry.rows.0.policy.universe;
    let set = entry.facts.set();
    let tier = Tier::first_of(entry.profile);
    if let Some(reason) = refusal(entry, keys, tier) {
        return State::Hidden(reason);
    }
    let value = set.n as i64 + noise(&keys.noise, universe, set, tier);
    State::Shown { value, tier: Some(tier), pinned: false }
}

/// The first rule that forbids to show a cell.
fn refusal(entry: &Entry, keys: &Keys, tier: Tier) -> Option<Reason> {
    let policy = &entry.rows.0.policy;
    let facts = &entry.facts;
    let jitter = floor_jitter(&keys.threshold, &policy.universe, facts.set());
    // Rule 1: units, with the sticky jitter.
    if facts.n < tier.floor(entry.floor()) + jitter {
        return Some(Reason::SmallCount);
    }
    // Rule 2: one raid is one story. Says nothing where the unit is itself a record.
    if !policy.unit.is_record() && (facts.cases < policy.min_cases || is_one_story(facts, policy.top_case_percent)) {
        return Some(Reason::Cases);
    }
    // Rule 3: private caseloads: of those who hold the records, and of those who served.
    if dominated(&facts.agencies, policy.p_percent) || dominated(&facts.servers, policy.p_percent) {
        return Some(Reason::Caseload);
    }
    None
}

/// Whether the largest case has more than its share of the units.
fn is_one_story(facts: &Facts, percent: u64) -> bool {
    facts.top_case * 100 > facts.n * percent
}

/// The p % rule between caseloads, where a private one is the largest: at least three contributors, and what the others
/// hold beside the two largest is at least p % of the largest. Off (no contributions counted) for state bodies.
fn dominated(x: &Contributions, p: u64) -> bool {
    x.private_first && (x.count < 3 || (x.sum - x.first - x.second) * 100 < p * x.first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(units: &[(u64, bool)]) -> Contributions {
        let mut x = Contributions::default();
        for &(units, private) in units {
            x.add(units, private);
        }
        x
    }

    #[test]
    fn a_private_caseload_needs_two_others_beside_it() {
        assert!(dominated(&held(&[(40, true)]), 10));
        assert!(dominated(&held(&[(40, true), (30, true)]), 10));
        assert!(!dominated(&held(&[(40, true), (30, true), (4, true)]), 10));
        assert!(dominated(&held(&[(40, true), (30, true), (3, true)]), 10), "the rest is below 10 % of the largest");
    }

    #[test]
    fn a_state_body_that_is_the_largest_needs_nobody() {
        assert!(!dominated(&held(&[(40, false)]), 10));
        assert!(!dominated(&held(&[(40, false), (39, true)]), 10));
        assert!(dominated(&held(&[(40, false), (40, true)]), 10), "a private caseload that shares the first place");
    }

    #[test]
    fn one_case_may_hold_four_fifths_and_no_more() {
        let facts = |n, top_case| Facts { n, top_case, ..Facts::default() };
        assert!(!is_one_story(&facts(20, 16), 80));
        assert!(is_one_story(&facts(20, 17), 80));
    }
}
