//! Brings facts in: reads the log, decodes, admits or sets aside, seals, deduplicates, appends to the lake.
//!
//! Reading order: [`Worker`] (the whole), `source` and `reading` (messages to batches; `schemas`: Avro schemas, and waiting for
//! them), `pipeline` (batches to rows) with `admit`,
//! `seal`, `set_aside`, `tolerance` (how much of that), `window` and `copies`, `columns`, `committer` (rows to one commit), `receipts` (agencies are told), [`reconcile`] (is it all there).
//!
//! Invariants (ingestion.md 3.2): each message of the log becomes exactly one row, or its partition stands still; rows
//! and offsets are one commit; no commit under an old claim; set-aside bytes are kept, encrypted. What a message becomes
//! depends on itself, its place, the policy and the earlier messages of its partition, and on no clock.
//!
//! Absent on purpose: query plans, HTTP, the meaning of an event (models), the choice of the log (the program).

mod admit;
mod backoff;
mod batch;
mod budget;
mod clock;
mod columns;
mod committer;
mod config;
mod copies;
mod crash;
mod crash_loop;
mod erase;
mod error;
mod generation;
mod headers;
mod listing;
mod lookup;
mod memory;
mod metrics;
mod outcomes;
mod pipeline;
mod reading;
mod receipts;
mod reconcile;
mod replay;
mod schemas;
mod seal;
mod selection;
mod set_aside;
mod side;
mod source;
mod status;
mod tolerance;
mod versions;
mod window;
mod worker;

pub use admit::{lies_ahead, objection};
pub use clock::{Clock, CountedIds, Ids, RandomIds, Sleep, SystemClock};
pub use config::{Pacing, WorkerConfig};
pub use erase::Eraser;
pub use error::IngestError;
pub use listing::{SetAsideList, SetAsideRow, ShowError, list_set_aside, show_set_aside};
pub use metrics::observe;
pub use outcomes::{Outcome, Outcomes};
pub use reconcile::{Reconciliation, Tally, reconcile};
pub use replay::{Replay, ReplayError, Replayed, replay_partition, resolved};
pub use schemas::{Need, NoRegistry, SchemaAnswer, SchemaSource, StaticSchemas, WaitReason, Waiting};
pub use selection::{Selection, SelectionError};
pub use set_aside::{ErrorClass, OpenError, Place, SetAsideMessage, open_set_aside};
pub use status::{Activity, Counts, Halt, Monitor, PartitionStatus, Reachable, State, WorkerReport};
pub use tolerance::{Allowance, Leeway};
pub use versions::KnownVersions;
pub use worker::Worker;

#[cfg(test)]
#[path = "../../../fuzz/src/set_aside_frame.rs"]
mod held_to;
#[cfg(test)]
#[path = "../../../fuzz/src/seeds.rs"]
mod seeds;

#[cfg(test)]
mod tests {
    #[test]
    fn the_seeds_of_fuzzing_hold() {
        super::seeds::each("set_aside_frame", super::held_to::frame);
    }
}
