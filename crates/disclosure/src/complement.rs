//! Complementary suppression per one-way family (privacy.md 6.6).
//!
//! A hidden part that stands alone is the total minus the others, up to noise. Where that noise is too small to hide a
//! cell of the floor, the smallest shown sibling is hidden too, by released values only.
//!
//! Absent: any rule along a many-valued dimension; global optimisation. What linked tables give away together is the
//! audit's to find.

use crate::board::{Board, CellId, Family, Reason, State};

/// 1.96 squared, in ten-thousandths.
const Z95_SQUARED: u64 = 38_416;

/// Hides siblings until no family has a lone hidden cell that its noise does not cover. Returns how many were hidden.
pub(crate) fn apply(board: &mut Board) -> usize {
    let mut hidden = 0;
    loop {
        let mut changed = false;
        for at in 0..board.families.len() {
            if let Some(sibling) = endangered(board, &board.families[at]).and_then(|lone| next(board, at, lone)) {
                board.cells[sibling].state = State::Hidden(Reason::Secondary);
                hidden += 1;
                changed = true;
            }
        }
        if !changed {
            return hidden;
        }
    }
}

/// The lone hidden cell of a family, if the noise of the others does not cover it: `1.96 sqrt(sum of V) < K`.
fn endangered(board: &Board, family: &Family) -> Option<CellId> {
    if !family.complementary {
        return None;
    }
    let mut lone = None;
    let mut variance = 0;
    for id in family.children.iter().copied().chain([family.total]) {
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
    open.min_by_key(|&id| (board.cells[id].is_pinned(), board.cells[id].shown().map_or(i64::MAX, |(value, _)| value)))
}
