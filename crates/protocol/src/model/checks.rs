//! The visits: everything that two workers can do, and each planted mistake.

use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};

use super::{Limits, Met, Mistake, Protocol};

/// Nothing but offsets and one batch at a time is bounded.
const FREE: Limits = Limits { offsets: 1, queue: 1, claims: None, faults: None, resets: 0, rewrites: 0 };

/// Visits everything within the limits; each of these turns must have been met.
fn visit(limits: Limits, met: &[Met]) {
    let began = Instant::now();
    let checker = Protocol::new(limits).checker().threads(2).spawn_bfs().join();
    println!(
        "{limits:?}: {} states, {} steps, depth {}, {:.0} s",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
        began.elapsed().as_secs_f64()
    );
    checker.assert_properties();
    for what in met {
        assert!(checker.model().has_met(*what), "{what:?} never happened");
    }
}

const TURNS: [Met; 6] = [
    Met::ZombieFenced,
    Met::FoundAfterError,
    Met::ClaimFoundAfterError,
    Met::LatePutLanded,
    Met::Conflict,
    Met::RestKept,
];

#[test]
fn i1_to_i4_hold_of_two_workers_two_partitions_and_three_offsets() {
    visit(Limits { offsets: 3, claims: Some(3), faults: Some(2), ..FREE }, &TURNS);
}

#[test]
fn i1_to_i4_hold_however_often_workers_claim_crash_and_are_left_without_an_answer() {
    visit(FREE, &TURNS);
}

#[test]
fn i1_to_i4_hold_while_an_operator_moves_offsets() {
    let limits = Limits { offsets: 2, claims: Some(3), faults: Some(1), resets: 1, ..FREE };
    visit(limits, &[Met::Moved, Met::ZombieFenced]);
}

#[test]
fn no_row_is_in_two_files_while_maintainers_rewrite() {
    visit(Limits { offsets: 2, claims: Some(2), faults: Some(1), rewrites: 2, ..FREE }, &[Met::Conflict]);
}

#[test]
fn i1_to_i4_hold_while_batches_queue_behind_one_that_is_lost() {
    let limits = Limits { offsets: 2, queue: 2, claims: Some(2), faults: Some(2), ..FREE };
    visit(limits, &[Met::ZombieFenced, Met::RestKept]);
}

/// 8.8 million states.
#[test]
#[ignore = "the larger visit of .ci/nightly"]
fn larger_three_offsets_and_four_claims() {
    visit(Limits { offsets: 3, claims: Some(4), faults: Some(2), ..FREE }, &TURNS);
}

/// Nobody has waited for its end yet: more than 7.6 million states.
#[test]
#[ignore = "larger than a night on two cores"]
fn largest_two_offsets_with_nothing_bounded() {
    visit(Limits { offsets: 2, ..FREE }, &TURNS);
}

/// The shortest way to a breach, for whoever wonders why the protocol is as it is.
fn is_caught(mistake: Mistake) -> String {
    let more = match mistake {
        Mistake::SkipTheTxnCheck | Mistake::ReuseOffsetsAfterReset => Limits { resets: 1, ..FREE },
        Mistake::RewritersShareNoTxn => Limits { rewrites: 2, ..FREE },
        _ => FREE,
    };
    let limits = Limits { offsets: 2, claims: Some(3), faults: Some(2), ..more };
    let checker = Protocol::with(limits, mistake).checker().threads(2).finish_when(HasDiscoveries::AnyFailures);
    let checker = checker.spawn_bfs().join();
    let found = checker.discoveries().into_iter().find(|(name, _)| !name.starts_with("everything"));
    let (name, path) = found.unwrap_or_else(|| panic!("{mistake:?} is not caught"));
    format!("{mistake:?} breaks {name:?}:\n  {:?}", path.into_actions())
}

#[test]
fn each_planted_mistake_is_caught() {
    for mistake in Mistake::ALL {
        println!("{}", is_caught(mistake));
    }
}
