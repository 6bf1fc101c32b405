//! Makes cells safe: rows in, released numbers out.
//!
//! ```text
//! Microdata ─Prepared::new▶ Prepared ─tabulate▶ Cells ─protect▶ Released ─ratio, rate▶ Figure
//! ```
//!
//! Each step takes only what the step before makes, and [`protect`] takes all tables of a release together, because
//! what they give away they give away together. `Cells` cannot be printed or serialised, and no function takes them
//! but [`protect`]: a number that was not released cannot be sent.
//!
//! Reading order: [`CellQuery`] (a question), [`TableQuery`] (one measure of it, laid out), `tabulate` (counting), `noise` (the
//! draws), `sketch` and `anchors` (who answers: the separation guard), `floors` (what may be shown), `complement` (what must
//! go with it), `audit` (what an outsider can compute), `charges` (what it costs), [`Vault`] (the gate), [`Released`] (what
//! leaves), [`ReleaseStore`] (what is remembered).
//!
//! Absent, and kept absent: DataFusion, Arrow, storage, network, clock, randomness, expressions.
//!
//! Source: privacy.md sections 6.1, 6.2, 6.5 to 6.8, 6.10 (audit), 6.13, 6.14.

mod anchors;
#[cfg(test)]
mod anchors_tests;
mod audit;
mod board;
mod canonical;
mod cell_query;
mod charges;
mod complement;
mod counted;
mod error;
mod floors;
mod footprint;
mod gf64;
mod histogram;
mod hits;
mod lookup;
mod measured;
mod memory;
mod microdata;
mod noise;
mod price;
mod prints;
mod protect;
mod query;
mod ratio;
mod release_store;
mod released;
mod remainder;
mod revised;
mod room;
mod sketch;
mod tabulate;
mod tally;
pub mod truth;
mod utility;
mod vault;
mod weak;

pub use audit::AuditReport;
pub use canonical::Refused;
pub use cell_query::{
    Breakdown, CellQuery, Condition, MOST_ANY_OF, MOST_ANY_OF_MANY, MOST_CELLS, MOST_CONDITIONS, MOST_DIMENSIONS,
    MOST_MEASURES,
};
pub use charges::Spent;
pub use counted::CountedTable;
pub use error::DisclosureError;
pub use footprint::Span;
pub use histogram::{Histogram, NORMAL_95, Order, Place, UNRELIABLE, quantile};
pub use microdata::{Column, Microdata, MicrodataSource, Prepared};
pub use noise::{SetName, Tier};
pub use price::{Price, prices};
pub use protect::{Release, Table};
pub use query::{Coordinate, Dimension, Measure, RollUp, TableQuery};
pub use ratio::{Term, complement, rate, ratio, total};
pub use release_store::{Anchor, AnchorFacts, AskedSet, Charge, Entry, Head, ReleaseStore, Remembered, StoreError};
pub use released::{Amount, ConfStatus, Figure, Mark, Marked, ObsStatus, Released, ReleasedCell, guard_bias};
pub use revised::{Told, change};
pub use room::{CodesAt, Reporting, Room};
pub use tabulate::{Cells, tabulate};
pub use utility::{Changes, SIZES, SizeClass, Utility};
pub use vault::{Answered, AnsweredCell, Quote, Quoted, Vault, VaultError};
#[doc(hidden)]
pub use weak::Protection;
