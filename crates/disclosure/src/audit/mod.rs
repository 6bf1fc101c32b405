//! The audit of a release: what an outsider can compute from all its tables together (privacy.md 6.10, item 3).
//!
//! Shown numbers are intervals (the noise is bounded and its bound is public), hidden ones are unknowns, sums are
//! equations. For every hidden cell the smallest and largest value that fits everything shown must be at least the
//! floor apart, and must include 0 unless the cell holds at least the floor. Where that fails, the next smallest
//! sibling is hidden, or where none is left the next smallest cell that hangs together with it, and that part of the
//! release is examined again. What still fails when nothing is left to hide is confined by exact numbers of the state,
//! which are public anyway, or the release is refused. Deterministic: order follows the tables and the codes.
//!
//! Relations audited: totals over one dimension, roll-ups between tables (quarters and years, bands and groups),
//! margins shared by tables, exact totals, parts never above their total. Not audited: what an outsider knows from
//! elsewhere; that is the noise's work and, with guarded SQL, the separation guard's.

mod solve;
mod system;
#[cfg(test)]
mod tests;

use crate::board::{Board, CellId};
use crate::complement::{self, smallest_shown};
use crate::error::DisclosureError;
use system::System;

/// What the audit did. For the vault and the figures; counts of cells only, no cell is named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// Parts of the release that hang together and hold a hidden cell.
    pub components: usize,
    /// Hidden cells examined in the last round.
    pub hidden: usize,
    /// Linear programs solved.
    pub programs: usize,
    /// Rounds of examining and hiding.
    pub rounds: usize,
    /// Cells that the audit had to hide.
    pub hidden_by_audit: usize,
    /// Hidden cells that exact numbers of the state confine and no further hiding can free.
    pub confined: usize,
}

/// Examines the board and hides what must be hidden until nothing can be computed.
pub(crate) fn run(board: &mut Board) -> Result<AuditReport, DisclosureError> {
    let mut report = AuditReport::default();
    let mut confined = vec![false; board.cells.len()];
    let families_of = board.families_of();
    let mut systems = System::components(board, None);
    report.components = systems.len();
    report.hidden = systems.iter().map(System::unknowns).sum();
    while !systems.is_empty() {
        report.rounds += 1;
        let mut round = Round { before: report.hidden_by_audit, touched: Vec::new() };
        for system in &systems {
            let failing = system.examine(&confined, &mut report.programs)?;
            hide_siblings(board, &families_of, (system, &failing), &mut confined, &mut round, &mut report)?;
        }
        let touched = round.touched;
        report.hidden_by_audit += complement::apply(board);
        systems = if touched.is_empty() { Vec::new() } else { System::components(board, Some(&touched)) };
    }
    report.confined = confined.iter().filter(|&&confined| confined).count();
    Ok(report)
}

/// Whether every hidden cell among these is still unknown enough. Hides nothing.
pub(crate) fn holds_for(board: &Board, cells: &[CellId]) -> Result<bool, DisclosureError> {
    let mut programs = 0;
    let confined = vec![false; board.cells.len()];
    for system in System::components(board, Some(cells)) {
        if !system.examine(&confined, &mut programs)?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// One time that all parts that changed are examined.
#[derive(Default)]
struct Round {
    /// Cells that the audit had hidden before it. What one set answers for is hidden together, also in other parts: a part that was laid
    /// out when the round began may since have nothing left to hide.
    before: usize,
    /// Cells whose parts are examined again.
    touched: Vec<CellId>,
}

/// For each failing cell of a part of the release hides the smallest sibling, one per family and round.
fn hide_siblings(
    board: &mut Board,
    families_of: &[Vec<usize>],
    (system, failing): (&System, &[CellId]),
    confined: &mut [bool],
    round: &mut Round,
    report: &mut AuditReport,
) -> Result<(), DisclosureError> {
    let touched = &mut round.touched;
    let mut helped = vec![false; board.families.len()];
    for &cell in failing {
        let own = &families_of[cell];
        if own.iter().any(|&family| helped[family]) {
            touched.push(cell);
            continue;
        }
        let Some(sibling) = next_sibling(board, own).or_else(|| smallest_shown(board, &system.cells)) else {
            // What fails was found before this round hid anything: then it is examined again, not given up.
            if report.hidden_by_audit > round.before {
                touched.push(cell);
            } else if system.cells.iter().any(|&id| board.cells[id].exact && board.cells[id].shown().is_some()) {
                confined[cell] = true;
            } else {
                return Err(DisclosureError::Audit("a hidden cell follows from what is public".to_owned()));
            }
            continue;
        };
        let hidden = board.hide(sibling);
        report.hidden_by_audit += hidden.len();
        touched.extend(hidden);
        touched.push(cell);
        for &family in own {
            helped[family] = true;
        }
    }
    Ok(())
}

/// The smallest shown sibling in the families of a cell: first where units have one code, then along many-valued
/// dimensions, then the totals.
fn next_sibling(board: &Board, own: &[usize]) -> Option<CellId> {
    let children = |complementary: bool| {
        let families = own.iter().map(|&at| &board.families[at]).filter(|f| f.complementary == complementary);
        families.flat_map(|family| family.children.iter().copied()).collect::<Vec<_>>()
    };
    let totals: Vec<CellId> = own.iter().map(|&at| board.families[at].total).collect();
    smallest_shown(board, &children(true))
        .or_else(|| smallest_shown(board, &children(false)))
        .or_else(|| smallest_shown(board, &totals))
}
