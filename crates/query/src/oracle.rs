//! The seam to the vault: questions in codes go out, released cells come back.
//!
//! Guarantees asked for: `datasets` and `years` are those that `ask` judges by; every answer is released, and shown or
//! hidden by the law of `disclosure` alone; the answers stand in the order of the questions. Not asked for: that two calls
//! see the same Snapshot. Failure: a refusal answers for all questions of the call, none of which may then be shown.
//!
//! Absent: SQL, names of people, rows of marts.

use std::ops::RangeInclusive;

use disclosure::{CellQuery, Figure};

use crate::refusal::Refusal;

/// Answers questions over protected microdata with released cells, or refuses them.
pub trait Oracle: Send + Sync {
    /// The years that questions of time may name.
    fn years(&self) -> RangeInclusive<u16>;

    /// What may be asked of which dataset.
    fn datasets(&self) -> &policy::Datasets;

    /// The answers, one per question, in their order. Called on a thread that may block.
    fn ask(&self, questions: &[CellQuery], asker: &str) -> Result<Vec<ReleasedCells>, Refusal>;
}

/// The answer to one question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReleasedCells {
    /// For each cell: where it stands, and a figure per measure, both in the order of the question. A code per level of
    /// `by`, the number of the class where the level is user-defined, `None` for the total.
    ///
    /// A cell that is missing is taken for suppressed. Of a question without measures, a cell whose group is not shown is
    /// missing or has a figure without a value.
    pub cells: Vec<(Vec<Option<u16>>, Vec<Figure>)>,
}
