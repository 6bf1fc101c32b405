//! Answers questions over published numbers, or refuses them with a hint.
//!
//! One road: `SQL text ─guard▶ plan ─run▶ Answer | Refusal`. The [`Reader`] holds the editions in memory and is the only
//! object that owns a query session; there is no way from here to microdata, files or the network (architecture.md 2).
//! What a question says of protected tables becomes questions in codes for an [`Oracle`], whose released cells take their
//! place in the plan; where no oracle is attached there are no protected tables.
//! Whether a reader may ask it is looked up in [`policy::Access`] where a name becomes a table, for every door alike.
//! Absent: HTTP, storage formats, how a reader shows who it is.

pub mod catalogue;
mod companions;
mod current;
mod editions;
mod explain;
mod facade;
mod functions;
mod guard;
pub mod known;
mod listed;
mod marginals;
mod metered;
mod names;
mod notes;
mod oracle;
mod order;
mod pace;
mod pages;
mod question;
pub mod questionnaire;
mod reader;
mod refusal;
mod run;
pub mod saved;
pub mod selection;
mod tables;
mod turns;
mod widened;

pub use catalogue::{Catalogue, CodeEntry, CodeListMeta, Dimension, IndicatorMeta, PopulationRow, Text};
pub use current::Current;
pub use disclosure::{CellQuery, CountedTable};
pub use editions::{EditionMeta, EditionSource, ReferenceTable, SourceError};
pub use notes::{Note, NoteCode};
pub use oracle::{Asked, Begun, Oracle, Outcome, ReleasedCells};
pub use pace::Pace;
pub use pages::{Page, Rewrite};
pub use question::{Answer, Limits, Param, Question, Shape, Turn};
pub use reader::{Reader, Settings};
pub use refusal::{Code, Place, Refusal};
pub use selection::{Rows, Selection, Unselected};
pub use tables::{ColumnInfo, TableInfo};
pub use turns::network;
