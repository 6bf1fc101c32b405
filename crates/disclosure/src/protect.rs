//! The gate: true counts in, released tables out (privacy.md 6.6, 6.10).
//!
//! All tables of a release pass together, because what they give away they give away together: floors and noise per
//! cell, complementary suppression per family, the audit over everything, remainder rows, flags. Nothing else makes a
//! [`Released`].

use std::collections::{BTreeMap, BTreeSet};

use policy::Keys;

use crate::audit::{self, AuditReport};
use crate::board::{Board, Reason, State, Tiers};
use crate::complement;
use crate::error::DisclosureError;
use crate::floors;
use crate::memory::Draft;
use crate::released::{Figure, Mark, Marked, Released, ReleasedCell};
use crate::remainder::{self, Remainder};
use crate::tabulate::Cells;
use crate::utility::{self, Utility};
use crate::weak::{self, Protection};

/// A table of a release: its counts and what is known of its cells without counting.
#[derive(Debug, Clone)]
pub struct Table {
    /// A name for it, unique in the release.
    pub name: String,
    /// The counts.
    pub cells: Cells,
    /// From the reporting calendar and the catalogue.
    pub marks: Vec<Mark>,
}

/// All tables of an edition, fit to be shown.
#[derive(Debug)]
pub struct Release {
    /// In the order given.
    pub tables: Vec<Released>,
    /// What the audit did. Not for publication.
    pub audit: AuditReport,
    /// What protection cost, true against released, over all tables and of each by name. Not for publication.
    pub utility: (Utility, BTreeMap<String, Utility>),
}

/// Protects all tables of an edition jointly: floors and noise, complementary suppression, the audit over everything.
///
/// Deterministic: the same rows, policy, keys and memory give the same release. Fails when tables contradict each other
/// or the audit cannot be carried out; then nothing is released.
pub(crate) fn protect(
    tables: Vec<Table>,
    keys: &Keys,
    draft: &mut Draft<'_>,
    tiers: &dyn Tiers,
) -> Result<Release, DisclosureError> {
    let mut board = Board::new(placed(tables), tiers)?;
    floors::apply(&mut board, keys, draft);
    complement::apply(&mut board);
    let audit = audit::run(&mut board)?;
    let remainders = remainder::apply(&mut board, keys, draft)?;
    floors::remember(&board, draft);
    floors::take_back(&board, draft);
    let tables = (0..board.tables.len()).map(|table| write(&board, table, &remainders)).collect();
    Ok(Release { tables, audit, utility: utility::measure(&board) })
}

/// Protects the tables of one question. What it may give away together with other questions is for the separation guard
/// and the charges; complementary suppression looks at the question's own grids (privacy.md 6.6). What it hides is hidden in
/// this answer: a number that was given before stays given, or whoever asks could have those of editions taken back.
pub(crate) fn protect_question(
    tables: Vec<Table>,
    keys: &Keys,
    draft: &mut Draft<'_>,
    tiers: &dyn Tiers,
    protection: Protection,
) -> Result<Vec<Released>, DisclosureError> {
    let mut board = Board::new(placed(tables), tiers)?;
    if protection.is_bare() {
        weak::apply(&mut board, keys, protection);
    } else {
        board.add_siblings();
        floors::apply(&mut board, keys, draft);
        complement::apply(&mut board);
        floors::remember(&board, draft);
    }
    Ok((0..board.tables.len()).map(|table| write(&board, table, &[])).collect())
}

pub(crate) fn placed(tables: Vec<Table>) -> Vec<(String, Cells, Vec<Mark>)> {
    tables.into_iter().map(|table| (table.name, table.cells, table.marks)).collect()
}

/// Writes a table as it may be shown.
fn write(board: &Board, table: usize, remainders: &[Remainder]) -> Released {
    let placed = &board.tables[table];
    let (query, shape) = (&placed.cells.query, &placed.cells.shape);
    let cell =
        |(cell, &id): (usize, &usize)| ReleasedCell { at: query.coordinates(shape, cell), figure: figure(board, id) };
    let mut cells: Vec<ReleasedCell> = placed.ids.iter().enumerate().map(cell).collect();
    for remainder in remainders.iter().filter(|remainder| remainder.table == table) {
        if board.cells[remainder.cell].shown().is_some() {
            cells.push(ReleasedCell { at: remainder.at.clone(), figure: figure(board, remainder.cell) });
        }
    }
    let answering: BTreeSet<u64> =
        placed.ids.iter().filter_map(|&id| board.cells[id].anchor).map(|a| a.anchor).collect();
    Released { name: placed.name.clone(), query: query.clone(), cells, anchors: answering.into_iter().collect() }
}

fn figure(board: &Board, id: usize) -> Figure {
    let entry = &board.cells[id];
    match (entry.state, entry.mark) {
        (State::Shown { value, tier, .. }, mark) => {
            let unit = (entry.space.scale, entry.space.micros);
            Figure::measured(value, tier, unit, mark == Some(Marked::Provisional))
        }
        (State::Hidden(Reason::Marked), Some(Marked::NotCollected)) => Figure::not_collected(),
        (State::Hidden(Reason::Marked), Some(Marked::Impossible)) => Figure::impossible(),
        (State::Hidden(_), _) => Figure::suppressed(),
    }
}
