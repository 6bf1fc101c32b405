//! Makes tables from facts: stages events, folds them by `sql/`, owns marts and Snapshots (models.md).
//!
//! Reading order: [`stage`] (facts become typed rows), [`sql`] and [`model`] (the rules and what is said about them),
//! [`graph`] (rules are run), [`refresh`] (a Snapshot is made), [`Snapshot`] (and read by the vault), [`quality`] (how good each agency's feed is).
//!
//! Absent: Kafka, HTTP, who is asking, any judgment what may be shown.

mod check;
pub mod conflicts;
pub mod edition;
mod engine;
mod erased;
mod error;
mod exchange;
pub mod graph;
pub mod indicator;
mod keys;
mod layers;
mod mart;
pub mod model;
pub mod people;
mod pick;
pub mod quality;
pub mod reference;
mod refresh;
mod runtime;
mod snapshot;
pub mod sql;
pub mod stage;
mod states;

pub use engine::Plans;
pub use erased::{Order, Orders};
pub use error::ModelsError;
pub use graph::Memory;
pub use refresh::{InUse, Layering, RefreshOptions, RefreshReport, refresh};
pub use snapshot::{CutEntry, Inputs, MartInfo, Report, Snapshot, SnapshotInfo, Source};
pub use sql::SqlSet;
