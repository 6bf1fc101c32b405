//! What an answer says of itself: one over released cells (privacy.md 6.3), and one of another day than today.
//!
//! Absent: anything from the data. Whether a cell is hidden is seen in the rows; a note follows from the question.

use chrono::NaiveDate;
use serde::Serialize;

use crate::editions::EditionMeta;

/// What a note is about. The name is stable: clients may rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum NoteCode {
    /// A total over cells is NULL where one of them is not shown.
    #[serde(rename = "NOTE-3001")]
    Strict,
    /// Cells of a many-valued dimension overlap.
    #[serde(rename = "NOTE-3002")]
    Overlap,
    /// A sum of what is shown alone.
    #[serde(rename = "NOTE-3003")]
    Visible,
    /// A number without an interval, where companions are asked for.
    #[serde(rename = "NOTE-3004")]
    Unaccompanied,
    /// Much of what is asked about is expected in cells that are not shown.
    #[serde(rename = "NOTE-3005")]
    Sparse,
    /// The answer is of an edition that is not released.
    #[serde(rename = "NOTE-3006")]
    Embargoed,
    /// A table is read as it was known on a date.
    #[serde(rename = "NOTE-3007")]
    Known,
}

impl NoteCode {
    /// The stable name: `NOTE-3001`.
    pub fn name(self) -> &'static str {
        match self {
            NoteCode::Strict => "NOTE-3001",
            NoteCode::Overlap => "NOTE-3002",
            NoteCode::Visible => "NOTE-3003",
            NoteCode::Unaccompanied => "NOTE-3004",
            NoteCode::Sparse => "NOTE-3005",
            NoteCode::Embargoed => "NOTE-3006",
            NoteCode::Known => "NOTE-3007",
        }
    }
}

/// A remark on an answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Note {
    /// What it is about.
    pub code: NoteCode,
    /// The remark, with the column's name and a remedy.
    pub detail: String,
}

impl Note {
    pub(crate) fn strict(column: &str) -> Self {
        let detail = format!(
            "{column} is NULL where one of the cells under it is not shown. Ask for the total as a cell of its own, by \
             ROLLUP or GROUPING SETS, or for sum_visible(…)."
        );
        Self { code: NoteCode::Strict, detail }
    }

    pub(crate) fn overlap(level: &str) -> Self {
        let detail = format!(
            "A person may have several codes of {level} and is in the cell of each, so its cells do not add up. Ask for a \
             total as a cell of its own."
        );
        Self { code: NoteCode::Overlap, detail }
    }

    pub(crate) fn visible(column: &str) -> Self {
        let detail = format!(
            "{column} adds up what is shown and is less than the total where a cell is not; count(*) filter (where … is \
             null) says how many are not."
        );
        Self { code: NoteCode::Visible, detail }
    }

    pub(crate) fn unaccompanied(column: &str) -> Self {
        let detail = format!(
            "{column} has no interval, status or bias here: it is made of several released numbers, which may share their \
             noise. Ask for the total as a cell of its own, by ROLLUP or GROUPING SETS: that has them."
        );
        Self { code: NoteCode::Unaccompanied, detail }
    }

    pub(crate) fn embargoed(edition: u32, until: &str) -> Self {
        let detail =
            format!("EMBARGOED until {until}: edition {edition} is not released. Pass nothing of it on before.");
        Self { code: NoteCode::Embargoed, detail }
    }

    /// `published` is the day on which the edition became public.
    pub(crate) fn known(table: &str, date: NaiveDate, edition: &EditionMeta, published: NaiveDate) -> Self {
        let EditionMeta { edition, as_of, .. } = edition;
        let detail = format!(
            "{table} is read as known on {date}: edition {edition}, published on {published}, data as of {as_of}."
        );
        Self { code: NoteCode::Known, detail }
    }

    pub(crate) fn sparse(remedy: &str) -> Self {
        let detail = format!(
            "By the published tables, much of what is asked about is in cells that are too small to be shown. To see more: \
             {remedy}."
        );
        Self { code: NoteCode::Sparse, detail }
    }
}
