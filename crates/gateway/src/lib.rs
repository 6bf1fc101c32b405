//! The agencies' door: a schema registry for producers that write Avro. (HTTP and CSV in, receipts out, follow.)
//!
//! Reading order: [`schema`] (what is registered), [`Registry`] (subjects, versions, ids, in one SQLite file), [`avro`] (when a
//! schema can read what another wrote), [`router`] (Confluent's REST interface over it), [`Schemas`] (the schema of an id, from
//! here or from another registry by URL).
//!
//! Absent: events. The registry stores schemas; what is written with them goes to the log and never passes here.

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
