//! What can happen: the envelope, the event types and their versions, the code lists, and how bytes become an event.
//!
//! Reading order: [`EventType`] (what can be said, in which versions), [`data`] (what each type carries), `upcast` (how a
//! version becomes the next), [`code_list`] and [`calendar`] (the words and the dates), [`decode`] (bytes to [`Event`]),
//! [`encode`] (the way back), [`schema`] (JSON Schema made from the same contract), [`avro`] (the second wire format, from
//! the same contract), [`validate`] (every mistake of a file, for people), [`receipt`] (what agencies are told of their messages), [`feed`] (what they are
//! told of all of them together).
//!
//! Absent on purpose: any I/O, any clock, any policy. Whether an agency may emit a type, whether `time` agrees with the
//! log's, whether a target exists: others decide, with what [`Event`] carries.
//!
//! Invariant: no [`Fault`] ever quotes a value of the input (design: ingestion.md 3.6).

pub mod avro;
pub mod calendar;
pub mod code_list;
mod contract;
pub mod data;
mod decode;
pub mod encode;
mod envelope;
mod event_type;
mod explain;
mod fault;
pub mod feed;
pub mod form;
mod locate;
mod message;
mod person;
pub mod receipt;
pub mod schema;
mod upcast;
pub mod validate;
mod value;

pub use calendar::{Occurred, Precision};
pub use data::{CodeSet, Data, Patch};
pub use decode::{decode, decode_sealed, decode_with, newer_version};
pub use encode::sealed_json;
pub use event_type::EventType;
pub use fault::{Fault, FaultClass, FaultDetail};
pub use message::{Event, Limits, Message, NewerVersion, SealedEvent, TokenAt};
pub use person::TokenKind;
pub use validate::Validator;
