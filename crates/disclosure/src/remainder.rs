//! The remainder row: hidden siblings counted together, where at least two are hidden (privacy.md 6.6).
//!
//! The union of hidden siblings is itself a cell, with its own set, thresholds and noise. It is shown only where the
//! audit still holds with it.

use std::sync::Arc;

use policy::Keys;

use crate::anchors::Looked;
use crate::audit;
use crate::board::{Board, CellId, Entry, Family, Reason, State};
use crate::error::DisclosureError;
use crate::floors;
use crate::lookup::NOWHERE;
use crate::memory::Draft;
use crate::query::Coordinate;
use crate::tabulate::Counted;

/// A remainder row of a table.
pub(crate) struct Remainder {
    pub(crate) table: usize,
    pub(crate) at: Vec<Coordinate>,
    pub(crate) cell: CellId,
}

/// A group of hidden siblings: where it stands, its parts and the family they are of.
struct Group {
    at: Vec<Coordinate>,
    parts: Vec<usize>,
    family: usize,
}

/// Counts, judges and audits the remainder rows that the questions ask for.
pub(crate) fn apply(board: &mut Board, keys: &Keys, draft: &mut Draft<'_>) -> Result<Vec<Remainder>, DisclosureError> {
    let mut remainders = Vec::new();
    for table in 0..board.tables.len() {
        for dimension in 0..board.tables[table].cells.query.by.len() {
            if board.tables[table].cells.query.by[dimension].remainder {
                along(board, table, dimension, (keys, draft), &mut remainders)?;
            }
        }
    }
    for remainder in &remainders {
        let shown = matches!(board.cells[remainder.cell].state, State::Shown { .. });
        if shown && !audit::holds_for(board, &[remainder.cell])? {
            board.hide(remainder.cell);
        }
    }
    Ok(remainders)
}

/// The remainder rows of one table along one dimension.
fn along(
    board: &mut Board,
    table: usize,
    dimension: usize,
    (keys, draft): (&Keys, &mut Draft<'_>),
    remainders: &mut Vec<Remainder>,
) -> Result<(), DisclosureError> {
    let groups = groups(board, table, dimension);
    let placed = &board.tables[table];
    let mut union_of = vec![NOWHERE; placed.ids.len()];
    for (number, group) in groups.iter().enumerate() {
        group.parts.iter().for_each(|&part| union_of[part] = number as u32);
    }
    let Counted { facts, prints } = placed.cells.count_unions(&union_of, groups.len())?;
    for (at, (group, facts)) in groups.into_iter().zip(facts).enumerate() {
        let parts: Vec<CellId> = group.parts.iter().map(|&part| board.tables[table].ids[part]).collect();
        let of_parts = || parts.iter().map(|&id| &board.cells[id]);
        let first = &board.cells[parts[0]];
        let cell = board.cells.len();
        board.cells.push(Entry {
            facts,
            prints: prints.get(at).copied(),
            space: Arc::clone(&first.space),
            rows: first.rows.clone(),
            measure: first.measure.clone(),
            profile: of_parts().map(|part| part.profile).max().unwrap_or(first.profile),
            exact: false,
            mark: None,
            tier: of_parts().map(|part| part.tier).max().unwrap_or(first.tier),
            depth: first.depth,
            with: None,
            beside: None,
            anchor: None,
            state: State::Hidden(Reason::Secondary),
        });
        floors::settle(board, cell, keys, draft, Looked::default());
        let Family { at_least, at_most, .. } = board.families[group.family];
        board.families.push(Family { total: cell, children: parts, complementary: false, at_least, at_most });
        remainders.push(Remainder { table, at: group.at, cell });
    }
    Ok(())
}

/// Two or more hidden siblings under a shown total.
fn groups(board: &Board, table: usize, dimension: usize) -> Vec<Group> {
    let placed = &board.tables[table];
    let (query, shape) = (&placed.cells.query, &placed.cells.shape);
    let (asked, stride) = (&query.by[dimension], shape.strides[dimension]);
    let mut groups = Vec::new();
    for total in (0..shape.cells).filter(|cell| cell / stride % asked.len() == asked.codes.len()) {
        let first = total - asked.codes.len() * stride;
        let hidden = |&part: &usize| match board.cells[placed.ids[part]].state {
            State::Hidden(reason) => reason != Reason::Marked,
            State::Shown { .. } => false,
        };
        let parts: Vec<usize> = (0..asked.codes.len()).map(|at| first + at * stride).filter(hidden).collect();
        let id = placed.ids[total];
        let children = |family: &Family| family.total == id && family.children.contains(&placed.ids[first]);
        let family = board.families.iter().position(children);
        if let (Some(family), true, true) = (family, parts.len() >= 2, board.cells[id].shown().is_some()) {
            let mut at = query.coordinates(shape, total);
            at[dimension] = Coordinate::Remainder;
            groups.push(Group { at, parts, family });
        }
    }
    groups
}
