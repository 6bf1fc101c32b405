//! A Snapshot that is open to questions, and what is known of the cells of a question before they are counted
//! (privacy.md 6.6, 6.14).
//!
//! Absent: counting; any mark that follows from rows of persons.

use std::collections::BTreeMap;
use std::sync::Arc;

use policy::{Dataset, Resolved};

use crate::error::DisclosureError;
use crate::footprint::Span;
use crate::microdata::Prepared;
use crate::query::{Coordinate, TableQuery};
use crate::released::{Mark, Marked};

/// The rows of a Snapshot, as an edition spoke of them. Immutable; replaced as a whole.
pub struct Room {
    /// The edition that was made of this Snapshot, and the periods that it speaks of.
    pub span: Span,
    /// The date it speaks of, as it is written in answers.
    pub as_of: String,
    /// Datasets by name.
    pub datasets: BTreeMap<String, Prepared>,
    /// What was expected of agencies and did not come; without it everything counts as collected.
    pub reporting: Option<Arc<dyn Reporting>>,
}

/// The codes that a cell stands on, by level.
pub type CodesAt = BTreeMap<String, Vec<u16>>;

/// The reporting calendar, as far as answers need it.
///
/// The same for the same codes, and never by what rows say of persons. Of protected cells it is not asked: there it would
/// confirm that nobody is in them.
pub trait Reporting: Send + Sync {
    /// Whether reports on what stands on these codes were expected and none of them came (flag L).
    fn is_silent(&self, dataset: &str, on: &CodesAt) -> bool;
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Room(edition {})", self.span.edition)
    }
}

impl Room {
    /// Rows of an edition of a date, with nothing known of reports.
    pub fn new(span: Span, datasets: BTreeMap<String, Prepared>) -> Self {
        Self { as_of: policy::time::date_text(span.last_day), span, datasets, reporting: None }
    }

    /// Of the codes of a level those that are shown: none of a period after this Snapshot, where a zero would be a
    /// statement about the future. Where all of them are, they were asked for by name, and are not collected yet.
    pub(crate) fn shown(&self, dataset: &Dataset, level: &str, codes: Vec<u16>) -> Vec<u16> {
        let shown: Vec<u16> = codes.iter().copied().filter(|&code| !self.is_future(dataset, level, code)).collect();
        if shown.is_empty() { codes } else { shown }
    }

    /// What is known of the cells of a question: what stands on a period that is not over is provisional, and on a declared
    /// grid is not collected what nobody reported, or what is still to come.
    pub(crate) fn marks(
        &self,
        dataset: &Dataset,
        query: &TableQuery,
        is_exact: bool,
    ) -> Result<Vec<Mark>, DisclosureError> {
        let shape = query.shape()?;
        let mut marks = Vec::new();
        for at in (0..shape.cells).map(|cell| query.coordinates(&shape, cell)) {
            let on = query.codes_on(&at);
            let status = if is_exact && self.is_silent(dataset, &on) {
                Marked::NotCollected
            } else if self.is_open(dataset, &on) {
                Marked::Provisional
            } else {
                continue;
            };
            marks.push(Mark { status, at: coordinates(query, &at) });
        }
        Ok(marks)
    }

    /// Whether nothing can have come of what stands on these codes: nothing was reported, or its time is still to come.
    fn is_silent(&self, dataset: &Dataset, on: &CodesAt) -> bool {
        let future = |(level, codes): (&String, &Vec<u16>)| {
            !codes.is_empty() && codes.iter().all(|&code| self.is_future(dataset, level, code))
        };
        on.iter().any(future) || self.reporting.as_ref().is_some_and(|told| told.is_silent(&dataset.name, on))
    }

    /// Whether what stands on these codes may still grow: on each level of time that is named, a period is not over.
    fn is_open(&self, dataset: &Dataset, on: &CodesAt) -> bool {
        let mut times =
            on.iter().filter(|(level, _)| matches!(dataset.resolve(level), Some(Resolved::Time(_)))).peekable();
        let open = |(level, codes): (&String, &Vec<u16>)| {
            codes.iter().any(|&code| days_of(dataset, level, code).is_some_and(|(_, last)| last > self.span.last_day))
        };
        times.peek().is_some() && times.all(open)
    }

    fn is_future(&self, dataset: &Dataset, level: &str, code: u16) -> bool {
        days_of(dataset, level, code).is_some_and(|(first, _)| first > self.span.last_day)
    }
}

/// The first and last day of a period; `None` where the level is none of time, or the period is not known.
fn days_of(dataset: &Dataset, level: &str, code: u16) -> Option<(i32, i32)> {
    let Some(Resolved::Time(time)) = dataset.resolve(level) else { return None };
    time.days(code)
}

/// Where a cell stands, as marks name it.
fn coordinates(query: &TableQuery, at: &[Coordinate]) -> CodesAt {
    let code = |at: &Coordinate| match at {
        Coordinate::Code(code) => Some(vec![*code]),
        Coordinate::Total | Coordinate::Remainder => None,
    };
    query.by.iter().zip(at).filter_map(|(dimension, at)| Some((dimension.label(), code(at)?))).collect()
}
