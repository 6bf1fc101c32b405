//! The agencies' door: events over HTTP onto the log, with receipts that follow them, and a schema registry for producers that write Avro.
//!
//! Reading order: [`door`] (events and receipts), [`csv`] (rows to events), [`schema`] (what is registered), [`Registry`] (subjects, versions, ids, in one SQLite file), [`avro`] (when a
//! schema can read what another wrote), [`router`] (Confluent's REST interface over it), [`Schemas`] (the schema of an id, from
//! here or from another registry by URL).
//!
//! Absent: the lake (what became of an event comes back on the log), persons, and queues without a bound. What Avro producers write goes to the
//! log and never passes here.

pub mod avro;
pub mod csv;
pub mod door;
mod error;
mod external;
mod http;
mod reading;
pub mod registry;
pub mod schema;
mod schemas;
mod store;

pub use error::{RegistryError, Result};
pub use external::{Access, External, ExternalError};
pub use http::{MAX_BODY_BYTES, router};
pub use registry::{Against, BuiltIn, Registry, Verdict};
pub use schema::{Draft, Level, Reference, Schema, SchemaType, Version, Which};
pub use schemas::{Found, Schemas};
