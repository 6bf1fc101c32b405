//! `query` without its engine: what of it the doors are compiled against, and what reads texts of clients.
//!
//! A [`Reader`] that holds editions takes the place of the one that answers questions as well; all else is `query`'s own.
#![allow(dead_code)]

#[path = "../../../../crates/query/src/catalogue.rs"]
pub mod catalogue;
mod current;
#[path = "../../../../crates/query/src/editions.rs"]
mod editions;
#[path = "../../../../crates/query/src/known.rs"]
pub mod known;
#[path = "../../../../crates/query/src/names.rs"]
mod names;
#[path = "../../../../crates/query/src/notes.rs"]
mod notes;
#[path = "../../../../crates/query/src/pages.rs"]
mod pages;
#[path = "../../../../crates/query/src/question.rs"]
mod question;
#[path = "../../../../crates/query/src/refusal.rs"]
mod refusal;
#[path = "../../../../crates/query/src/saved.rs"]
pub mod saved;
#[path = "../../../../crates/query/src/selection.rs"]
pub mod selection;
/// Nobody computes here, so nobody waits for a turn.
mod turns {
    pub(crate) struct Held;
}

pub use catalogue::{Catalogue, CodeEntry, CodeListMeta, Dimension, IndicatorMeta, PopulationRow, Text};
pub use current::{Current, Reader, Settings};
pub use editions::{EditionMeta, EditionSource, SourceError};
pub use notes::{Note, NoteCode};
pub use pages::{Page, Rewrite};
pub use question::{Answer, Limits, Param, Question, Shape, Turn};
pub use refusal::{Code, Place, Refusal};
pub use selection::{Rows, Selection, Unselected};
