//! The remainder row: hidden siblings counted together, where at least two are hidden (privacy.md 6.6).
//!
//! The union of hidden siblings is itself a cell, with its own set, thresholds and noise. It is shown only where the
//! audit still holds with it.

use policy::Keys;

use crate::audit;
use crate::board::{Board, CellId, Entry, Family, Reason, State};
use crate::error::DisclosureError;
use crate::floors;
use crate::query::Coordinate;
use crate::tabulate::NOWHERE;

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
pub(crate) fn apply(board: &mut Board, keys: &Keys) -> Result<Vec<Remainder>, DisclosureError> {
    let mut remainders = Vec::new();
    for table in 0..board.tables.len() {
        for dimension in 0..board.tables[table].cells.query.by.len() {
            if board.tables[table].cells.query.by[dimension].remainder {
                along(board, table, dimension, keys, &mut remainders)?;
            }
        }
    }
    for remainder in &remainders {
        let shown = matches!(board.cells[remainder.cell].state, State::Shown { .. });
        if shown && !audit::holds_for(board, &[remainder.cell])? {
            board.cells[remainder.cell].state = State::Hidden(Reason::Secondary);
        }
    }
    Ok(remainders)
}

/// The remainder rows of one table along one dimension.
fn along(
    board: &mut Board,
    table: usize,
    dimension: usize,
    keys: &Keys,
    remainders: &mut Vec<Remainder>,
) -> Result<(), DisclosureError> {
    let groups = groups(board, table, dimension);
    let placed = &board.tables[table];
    let mut union_of = vec![NOWHERE; placed.ids.len()];
    for (number, group) in groups.iter().enumerate() {
        group.parts.iter().for_each(|&part| union_of[part] = number as u32);
    }
    let facts = placed.cells.count_unions(&union_of, groups.len())?;
    for (group, facts) in groups.into_iter().zip(facts) {
        let parts: Vec<CellId> = group.parts.iter().map(|&part| board.tables[table].ids[part]).collect();
        let profile = parts.iter().map(|&id| board.cells[id].profile).max().expect("a group has two parts");
        let first = &board.cells[parts[0]];
        let (rows, measure, mark) = (first.rows.clone(), first.measure.clone(), None);
        let mut entry =
            Entry { facts, rows, measure, profile, exact: false, mark, state: State::Hidden(Reason::Secondary) };
        entry.state = floors::decide(&entry, keys);
        let cell = board.cells.len();
        board.cells.push(entry);
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
