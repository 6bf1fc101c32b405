//! The seam to the vault: questions in codes go out, released cells come back.
//!
//! Guarantees asked for: `datasets` and `years` are those that `ask` judges by; every answer is released, and shown or
//! hidden by the law of `disclosure` alone; the answers stand in the order of the questions. Not asked for: that two calls
//! see the same Snapshot. Failure: a refusal answers for all questions of the call, none of which may then be shown.
//!
//! Absent: SQL, names of people, rows of marts.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use disclosure::{CellQuery, Figure, Quoted};
use policy::Asker;

use crate::refusal::{Code, Refusal};

/// Answers questions over protected microdata with released cells, or refuses them.
pub trait Oracle: Send + Sync {
    /// The years that questions of time may name.
    fn years(&self) -> RangeInclusive<u16>;

    /// What may be asked of which dataset.
    fn datasets(&self) -> &policy::Datasets;

    /// Records that a question is about to be asked, durably. A question that cannot be recorded is not answered.
    fn begin(&self, sql: &str, asker: &Asker) -> Result<Begun, Refusal>;

    /// The answers, one per question, in their order; the asker's share pays. Called on a thread that may block.
    fn ask(&self, questions: &[CellQuery], asker: &Asker) -> Result<Vec<ReleasedCells>, Refusal>;

    /// The same for a question that was recorded as begun, so that [`Oracle::end`] can record more of the answers than they
    /// say.
    fn ask_begun(&self, _begun: &Begun, questions: &[CellQuery], asker: &Asker) -> Result<Vec<ReleasedCells>, Refusal> {
        self.ask(questions, asker)
    }

    /// What these questions would cost the asker if they were asked together now, in this order, and how wide their noise
    /// would be; empty where that is not told.
    fn quote(&self, _questions: &[CellQuery], _asker: &Asker) -> Result<Quoted, Refusal> {
        Ok(Quoted::default())
    }

    /// The shortest time after which an answer may leave; longer ones leave after twice, four times, … as long, so that a
    /// clock at the client's end tells little (privacy.md 6.11). `None`: as soon as it is there.
    fn slot(&self) -> Option<Duration> {
        None
    }

    /// Told that an answer leaves at the end of the slot that is so long, for counting. Not a moment before, so that a
    /// counter which others can read tells no more of the time that the answer took than the slot does.
    fn leaves(&self, _slot: Duration) {}

    /// Records what became of a question, once, before anything of it leaves; also of one whose asker has left before. An
    /// answer that cannot be recorded does not leave.
    fn end(&self, begun: Begun, outcome: &Outcome) -> Result<(), Refusal>;
}

/// A question that was recorded as begun.
#[derive(Debug)]
pub struct Begun(pub u64);

/// What became of a question. Counts of cells are for the privacy office's eyes (privacy.md 6.12).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// `None` where it was answered, else the code of the refusal; [`Code::Cancelled`] where the asker left before the end.
    pub refused: Option<Code>,
    /// The questions in codes that it came to, in the order in which they were asked.
    pub questions: Vec<Asked>,
    /// The slot at whose end the answer leaves; none where it leaves at once.
    pub slot: Option<Duration>,
}

/// A question in codes, and how much of its answer is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Its id.
    pub id: String,
    /// The question in words, with codes of the published lists alone ([`CellQuery::to_text`]).
    pub text: String,
    /// Cells of the answer.
    pub cells: u64,
    /// Of these, not shown.
    pub suppressed: u64,
    /// Variances of the noise of its cells, ascending, each once.
    pub tiers: Vec<u16>,
}

impl Asked {
    /// A question that is not answered yet.
    pub(crate) fn new(question: &CellQuery, datasets: &policy::Datasets) -> Self {
        let text = datasets.get(&question.dataset).map(|dataset| question.to_text(dataset)).unwrap_or_default();
        Self { id: question.id(), text, ..Self::default() }
    }

    /// Notes how much of its answer is shown.
    pub(crate) fn answered(&mut self, answer: &ReleasedCells) {
        let figures = || answer.cells.iter().flat_map(|(_, figures)| figures);
        self.cells = figures().count() as u64;
        self.suppressed = figures().filter(|figure| figure.value().is_none()).count() as u64;
        let tiers: BTreeSet<u16> = figures().filter_map(Figure::tier).map(|tier| tier.variance() as u16).collect();
        self.tiers = tiers.into_iter().collect();
    }
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
    /// The date of the Snapshot that it is of, as `2024-12-31`; none where that is not told.
    pub as_of: Option<String>,
}
