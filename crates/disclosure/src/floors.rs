//! Which cells may be shown at all, and with which number (privacy.md 6.5, 6.6, 6.7).
//!
//! Rules are evaluated on true values, with a sticky jitter so that the boundary is no oracle, and on the set that
//! answers for the cell: the cell's own, or one that it is near. The reason for hiding stays in the vault.

use policy::{AgencyRule, Dataset, Keys, Profile};

use crate::anchors::{AnchorId, Kept, Looked, Seeker};
use crate::board::{Answering, Board, CellId, Entry, Reason, State};
use crate::measured::LEAST_AGENCIES;
use crate::memory::{Answer, Draft, Memory};
use crate::noise::{beside_jitter, floor_jitter};
use crate::query::Measure;
use crate::release_store::AnchorFacts;
use crate::released::Marked;
use crate::tabulate::{Contributions, Facts};

/// Decides every cell of the board, totals before their parts.
pub(crate) fn apply(board: &mut Board, keys: &Keys, draft: &mut Draft<'_>) {
    // Most of what a cell is compared with was there before any of them.
    let looked = look(board, keys, draft.memory);
    for id in board.coarse_to_fine() {
        settle(board, id, keys, draft, looked[id]);
    }
}

/// What each cell of the board will find among the sets that were asked about by now.
pub(crate) fn look(board: &Board, keys: &Keys, memory: &Memory) -> Vec<Looked> {
    let seekers = board.cells.iter().enumerate().filter_map(|(id, entry)| seeker(entry).map(|seeker| (id, seeker)));
    let (ids, seekers): (Vec<CellId>, Vec<Seeker<'_>>) = seekers.unzip();
    let mut looked = vec![Looked::default(); board.cells.len()];
    for (id, found) in ids.into_iter().zip(memory.look_for(&keys.distance, &seekers)) {
        looked[id] = found;
    }
    looked
}

/// The set of a cell that is to be answered, where it is neither marked nor exact.
fn seeker(entry: &Entry) -> Option<Seeker<'_>> {
    let asked = !entry.exact && !entry.mark.is_some_and(Marked::hides);
    let prints = entry.prints.as_ref().filter(|_| asked)?;
    Some(Seeker { space: &entry.space, set: entry.facts.set(), core: entry.facts.core, prints })
}

/// One cell: marked, exact, or as the set that answers for it: answered before, hidden, or shown with noise.
/// `looked` is what it has found among the sets before, if it was looked for.
pub(crate) fn settle(board: &mut Board, id: CellId, keys: &Keys, draft: &mut Draft<'_>, looked: Looked) {
    let entry = &board.cells[id];
    if entry.mark.is_some_and(Marked::hides) {
        board.cells[id].state = State::Hidden(Reason::Marked);
    } else if entry.exact {
        let value = i128::from(entry.true_value());
        board.cells[id].state = State::Shown { value, tier: None, pinned: false };
    } else if let Some(seeker) = seeker(entry) {
        let anchor = draft.anchor_for(&keys.distance, seeker, looked, facts_of(entry, keys));
        if !has_units(board, entry) {
            board.cells[id].state = State::Hidden(Reason::Units);
            return;
        }
        // One set has one answer, whatever tiers the grids have in which it is met.
        let met = board.answered_for(anchor, entry.profile).map(|twin| board.cells[twin].state);
        let state = met.unwrap_or_else(|| decide(entry, anchor, keys, draft));
        let kept = draft.memory.anchor(anchor);
        let answering = Answering { anchor, units: kept.set.n, value: kept.facts.value };
        board.answered_by(id, answering);
        board.cells[id].state = state;
    }
}

/// Whether the units of a cell of agencies are shown. The same few agencies hold the records of many cells, small ones too: all of
/// these are one set to the guard, and its number would say of each that it is not empty.
fn has_units(board: &Board, entry: &Entry) -> bool {
    let shown = |id: CellId| matches!(board.cells[id].state, State::Shown { .. });
    entry.measure != Measure::Agencies || entry.with.is_some_and(shown)
}

fn decide(entry: &Entry, anchor: AnchorId, keys: &Keys, draft: &Draft<'_>) -> State {
    if let Some(answer) = draft.memory.answer(anchor, entry.profile) {
        let shown = |value| State::Shown { value, tier: Some(answer.tier), pinned: true };
        return answer.value.map_or(State::Hidden(Reason::Earlier), shown);
    }
    // What is hidden is hidden from whoever asks in a stricter way: the number would be the same with more of the same noise.
    if draft.memory.is_hidden_below(anchor, entry.profile) {
        return State::Hidden(Reason::Earlier);
    }
    let kept = draft.memory.anchor(anchor);
    if let Some(reason) = refusal(entry, kept, keys) {
        return State::Hidden(reason);
    }
    let value = entry.space.noisy(&keys.noise, kept.set, entry.tier, kept.facts.value);
    State::Shown { value, tier: Some(entry.tier), pinned: false }
}

/// Gives every set that answered for a cell of the board its answer, for good.
pub(crate) fn remember(board: &Board, draft: &mut Draft<'_>) {
    for id in board.coarse_to_fine() {
        let entry = &board.cells[id];
        if let Some(Answering { anchor, .. }) = entry.anchor {
            let answer = match entry.state {
                State::Shown { value, tier, .. } => Answer { tier: tier.unwrap_or(entry.tier), value: Some(value) },
                State::Hidden(_) => Answer { tier: entry.tier, value: None },
            };
            draft.give(anchor, entry.profile, answer);
        }
    }
}

/// Takes back what was shown before and is hidden on this board, of an edition: whoever asks about one of its cells, by whatever
/// columns, must not be told what it hides (privacy.md 6.7, Consistency; 6.6, "the sibling hidden is anchored as Q").
pub(crate) fn take_back(board: &Board, draft: &mut Draft<'_>) {
    for id in board.coarse_to_fine() {
        let entry = &board.cells[id];
        if let (Some(Answering { anchor, .. }), State::Hidden(_)) = (entry.anchor, entry.state) {
            let stricter = Profile::ALL.into_iter().filter(|profile| *profile >= entry.profile);
            stricter.filter(|profile| !board.shows(anchor, *profile)).for_each(|p| draft.take_back(anchor, p));
        }
    }
}

/// What the floors will ask of a cell's own set, whoever is answered through it.
fn facts_of(entry: &Entry, keys: &Keys) -> AnchorFacts {
    let (facts, policy) = (&entry.facts, &entry.rows.0.policy);
    // Rule 5: few make the sum.
    let of_few = || {
        let beside = beside_jitter(&keys.threshold, b"thr5", &policy.universe, facts.measured.set);
        facts.measured.is_dominated(policy.p_percent, beside)
    };
    AnchorFacts {
        units: facts.n,
        value: facts.measured.value,
        top_case: facts.top_case,
        beside_cases: facts.beside_cases,
        dominated: is_dominated(facts, policy, keys) || (matches!(entry.measure, Measure::Sum(_)) && of_few()),
    }
}

/// The first rule that forbids to show a cell.
fn refusal(entry: &Entry, kept: &Kept, keys: &Keys) -> Option<Reason> {
    let (policy, facts) = (&entry.rows.0.policy, &kept.facts);
    let jitter = floor_jitter(&keys.threshold, &policy.universe, kept.set);
    // Rule 1: units, with the sticky jitter; of a sum also those that have a value.
    if matches!(entry.measure, Measure::Sum(_)) && kept.set.n < entry.floor() + jitter {
        return Some(Reason::SmallCount);
    }
    if facts.units < entry.tier.floor(entry.floor()) + jitter {
        return Some(Reason::SmallCount);
    }
    // Rule 2: one raid is one story. Says nothing where the unit is itself a record.
    let beside = || beside_jitter(&keys.threshold, b"thr2", &policy.universe, kept.set);
    if !policy.unit.is_record() && is_few_stories(facts, policy.top_case_percent, beside()) {
        return Some(Reason::Cases);
    }
    // Rule 3: private caseloads.
    if facts.dominated {
        return Some(Reason::Caseload);
    }
    // Few agencies are known by name to everybody (privacy.md 6.5, `K_ag`).
    (entry.measure == Measure::Agencies && facts.value < LEAST_AGENCIES).then_some(Reason::Caseload)
}

/// Rule 3: private caseloads dominate, of those who hold the records or of those who served.
fn is_dominated(facts: &Facts, policy: &Dataset, keys: &Keys) -> bool {
    let beside = beside_jitter(&keys.threshold, b"thr3", &policy.universe, facts.set());
    let dominated = |x: &Contributions| dominated(x, policy.p_percent, beside);
    policy.agency_rule == AgencyRule::Private && (dominated(&facts.agencies) || dominated(&facts.servers))
}

/// Whether the largest cases are nearly all there is: fewer than `beside` units are in others than the two largest (or
/// more, where more cases are asked for), or the largest has more than its share.
///
/// `min_cases` alone would open a cell of two raids to whoever adds one person of a third; the draw widens that edge.
fn is_few_stories(facts: &AnchorFacts, percent: u64, beside: u64) -> bool {
    let others = facts.units - facts.top_case;
    facts.beside_cases < beside || others * 100 < facts.units * (100 - percent) + 100 * (beside - 2)
}

/// The p % rule between caseloads, where a private one is the largest: what others hold beside the two largest is at
/// least p % of the largest, and at least `beside`, so that there are three contributors or more.
fn dominated(x: &Contributions, p: u64, beside: u64) -> bool {
    let others = x.sum - x.first - x.second;
    x.private_first && (others < beside || others * 100 < p * x.first + 100 * (beside - 2))
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
    fn a_private_caseload_needs_others_beside_the_second_largest() {
        assert!(dominated(&held(&[(40, true)]), 10, 2));
        assert!(dominated(&held(&[(40, true), (30, true)]), 10, 2));
        assert!(!dominated(&held(&[(40, true), (30, true), (4, true)]), 10, 2));
        assert!(dominated(&held(&[(40, true), (30, true), (3, true)]), 10, 2), "the rest is below 10 % of the largest");
    }

    #[test]
    fn a_state_body_that_is_the_largest_needs_nobody() {
        assert!(!dominated(&held(&[(40, false)]), 10, 10));
        assert!(!dominated(&held(&[(40, false), (39, true)]), 10, 10));
        assert!(dominated(&held(&[(40, false), (40, true)]), 10, 2), "a private caseload that shares the first place");
    }

    #[test]
    fn how_many_must_be_beside_the_largest_caseloads_is_drawn() {
        let third = |units| held(&[(40, true), (30, true), (units, true)]);
        for beside in 2..=10 {
            assert!(dominated(&third(beside + 1), 10, beside), "p % of the largest is not enough");
            assert!(!dominated(&third(beside + 2), 10, beside));
        }
        assert!(dominated(&held(&[(12, true), (11, true), (4, true)]), 10, 5));
    }

    #[test]
    fn one_case_may_hold_four_fifths_and_no_more() {
        let facts = |units, top_case| AnchorFacts { units, top_case, beside_cases: 10, ..AnchorFacts::default() };
        assert!(!is_few_stories(&facts(100, 80), 80, 2));
        assert!(is_few_stories(&facts(100, 81), 80, 2));
        assert!(is_few_stories(&facts(100, 80), 80, 3));
    }

    #[test]
    fn two_cases_and_one_person_are_two_stories() {
        let facts =
            |beside_cases| AnchorFacts { units: 40 + beside_cases, top_case: 20, beside_cases, ..Default::default() };
        for beside in 2..=10 {
            assert!(is_few_stories(&facts(beside - 1), 80, beside));
            assert!(!is_few_stories(&facts(beside), 80, beside));
        }
    }
}
