//! Avro as the second wire format of events: schemas made from the contract, decoding in Confluent framing, writing.
//!
//! An event travels in binary mode: the envelope in headers `ce_*`, the data as the value, framed as Confluent's
//! serializers do it (0x00, the schema's id as four big-endian bytes, the body). Reading order: [`schema_of`] (what the
//! contract is in Avro), `parse` (a writer's schema), `resolve` (the writer's schema against the contract's: a plan,
//! made once per id), `cursor` (bytes, every claim checked), `read` (the plan drives the *same* visitors that read
//! JSON), `explain` (the error path), `write`.
//!
//! Schema resolution is Avro's (specification 1.11, "Schema Resolution"): fields go by name, in any order; a field that
//! the contract does not know is skipped and counted; an optional one that the writer lacks is absent; int is promoted to
//! long and bytes to string. Unlike JSON, where a field that the contract does not know is refused: there it can only be
//! a mistake, here the writer's schema declares it. It is never stored (see [`Form`]).
//!
//! Absent: the registry (the caller hands schemas in, see [`WriterSchemas`]), object container files, single-object
//! encoding, reader defaults other than null (the contract has none).

mod canonical;
mod cursor;
mod explain;
mod parse;
mod read;
mod resolve;
mod schema;
mod store;
mod wire;
pub(crate) mod write;
mod writer_schema;

pub use canonical::canonical_form;
pub use parse::SchemaFault;
pub use schema::schema_of;
pub(crate) use schema::{optional_field, record};
pub use store::{Form, write_sealed};
pub(crate) use store::{decode_stored, is_stored_avro};
pub use wire::schema_id;
pub(crate) use wire::{decode, is_avro, is_avro_text, is_framed};
pub use writer_schema::{WriterSchema, WriterSchemas};

/// First byte of Confluent's framing.
pub const MAGIC: u8 = 0;

/// Bytes before the body: the first byte and the schema's id.
pub const FRAME_BYTES: usize = 5;
