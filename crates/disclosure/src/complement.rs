//! Complementary suppression per one-way family (privacy.md 6.6).
//!
//! A hidden part that stands alone is the total minus the others, up to noise. Where that noise is too small to hide a
//! cell of the floor, the smallest shown sibling is hidden too, by released values only.
//!
//! Absent: any rule along a many-valued dimension, or between numbers of agencies; global optimisation. What linked tables
//! give away together is the audit's to find.

use crate::board::{Board, CellId, Family, Siblings};
use crate::noise::Tier;
use crate::query::Measure;

/// 1.96 squared, in ten-thousandths.
const Z95_SQUARED: u64 = 38_416;

/// Hides siblings until no family has a lone hidden cell that its noise does not cover. Returns how many were hidden.
pub(crate) fn apply(board: &mut Board) -> usize {
    let mut hidden = 0;
    loop {
        let before = hidden;
        for at in 0..board.families.len() {
            if let Some(sibling) = endangered(board, &board.families[at]).and_then(|lone| next(board, at, lone)) {
                hidden += board.hide(sibling).len();
            }
        }
        for at in 0..board.siblings.len() {
            if let Some(sibling) = endangered_among(board, &board.siblings[at]) {
                hidden += board.hide(sibling).len();
            }
        }
        if hidden == before {
            return hidden;
        }
    }
}

/// The lone hidden cell of a family, if the noise of the others does not cover it.
fn endangered(board: &Board, family: &Family) -> Option<CellId> {
    if !family.complementary || board.cells[family.total].measure == Measure::Agencies || has_one_number(board, family)
    {
        return None;
    }
    lone(board, family.children.iter().copied().chain([family.total]), 0)
}

/// Whether one set answers for the total and for a part: then their difference is none, whoever the others are.
fn has_one_number(board: &Board, family: &Family) -> bool {
    let answered = |id: CellId| board.cells[id].anchor.map(|answering| (answering.anchor, board.cells[id].profile));
    let total = answered(family.total);
    total.is_some() && family.children.iter().any(|&child| answered(child) == total)
}

/// What is hidden with the lone hidden cell among siblings whose total was not asked for here: it may be had elsewhere, with
/// the least noise there is, or with none. What was released before is known; hiding it again would help nobody.
fn endangered_among(board: &Board, Siblings { cells, of_exact }: &Siblings) -> Option<CellId> {
    // An agency is in many parts: no number of agencies is what the others leave.
    if cells.iter().any(|&id| board.cells[id].measure == Measure::Agencies) {
        return None;
    }
    let variance = if *of_exact { 0 } else { Tier::V4.variance() };
    lone(board, cells.iter().copied(), variance)?;
    let open = cells.iter().copied().filter(|&id| !board.cells[id].is_pinned()).collect::<Vec<_>>();
    smallest_shown(board, &open)
}

/// The lone hidden cell among these, unless `1.96 sqrt(sum of V) >= K`; `variance` is that of what is not among them.
fn lone(board: &Board, cells: impl Iterator<Item = CellId>, mut variance: u64) -> Option<CellId> {
    let mut lone = None;
    for id in cells {
        let entry = &board.cells[id];
        if entry.is_impossible() {
            continue;
        }
        match entry.shown() {
            Some((_, v)) => variance += v,
            None if lone.replace(id).is_some() => return None,
            None => {}
        }
    }
    let lone = lone.filter(|&id| !board.cells[id].exact)?;
    let k = board.cells[lone].floor();
    (Z95_SQUARED * variance < 10_000 * k * k).then_some(lone)
}

/// What is hidden with it: the smallest shown sibling, one already released only if no other is left, else the total.
fn next(board: &Board, family: usize, lone: CellId) -> Option<CellId> {
    let family = &board.families[family];
    smallest_shown(board, &family.children).or_else(|| {
        let total = family.total;
        (total != lone && board.cells[total].can_be_hidden()).then_some(total)
    })
}

/// The shown cell with the smallest released value, in the order of codes where equal.
pub(crate) fn smallest_shown(board: &Board, cells: &[CellId]) -> Option<CellId> {
    let open = cells.iter().copied().filter(|&id| board.cells[id].can_be_hidden());
    open.min_by_key(|&id| (board.cells[id].is_pinned(), board.cells[id].shown().map_or(i128::MAX, |(value, _)| value)))
}
