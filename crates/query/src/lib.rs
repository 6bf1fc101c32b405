//! Answers questions over published numbers, or refuses them with a hint.
//!
//! One road: `SQL text ─guard▶ plan ─run▶ Answer | Refusal`. The [`Reader`] holds the editions in memory and is the only
//! object that owns a query session; there is no way from here to microdata, files or the network (architecture.md 2).
//! What a question says of protected tables becomes questions in codes for an [`Oracle`], whose released cells take their
//! place in the plan; where no oracle is attached there are no protected tables.
//! Absent: HTTP, storage formats, who is asking.

pub mod catalogue;
mod companions;
mod current;
mod editions;
mod explain;
mod facade;
mod functions;
mod guard;
mod listed;
mod marginals;
mod metered;
mod names;
mod notes;
mod oracle;
mod order;
mod pages;
mod question;
mod reader;
mod refusal;
mod run;
pub mod selection;
mod tables;

pub use catalogue::{Catalogue, CodeEntry, CodeListMeta, Dimension, IndicatorMeta, PopulationRow, Text};
pub use current::Current;
pub use disclosure::CountedTable;
pub use editions::{EditionMeta, EditionSource, SourceError};
pub use notes::{Note, NoteCode};
pub use oracle::{Asked, Begun, Oracle, Outcome, ReleasedCells};
pub use pages::{Page, Rewrite};
pub use question::{Answer, Limits, Param, Question, Shape, Turn};
pub use reader::{Reader, Settings};
pub use refusal::{Code, Place, Refusal};
pub use selection::{Rows, Selection, Unselected};
pub use tables::{ColumnInfo, TableInfo};
