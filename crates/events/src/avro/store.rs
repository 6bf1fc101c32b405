//! How an Avro event lies in the lake: sealed, and readable without any registry.
//!
//! | first byte | then | when |
//! |---|---|---|
//! | `{` | JSON | sent as JSON |
//! | 0x00 | the writer's schema id, the body as sent | the writer's schema is the contract's (same Parsing Canonical Form) |
//! | 0x01 | the writer's schema id, the body written anew | it is another, or a block of the body told its length in bytes |
//!
//! Either body is of the contract's own schema of the row's type and version. So what a writer added to the schema is
//! never stored: it could hold anything (ingestion.md 3.6, unknown fields).

use super::cursor::Cursor;
use super::wire::AvroWire;
use super::{FRAME_BYTES, MAGIC, write, writer_schema};
use crate::contract::Mode;
use crate::decode::{Parsed, data_of};
use crate::{Event, EventType, Fault, FaultClass, FaultDetail};
use std::io::{self, Write};

/// First byte of a stored body that was written anew.
const WRITTEN_ANEW: u8 = 1;

/// Hex digits of a surrogate in a payload.
type Hex = [u8; 32];

/// What the bytes of an event are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// JSON text.
    Json,
    /// Avro in Confluent framing.
    Avro {
        /// Whether the body is stored as sent, but for the tokens: its schema is the contract's own, and no length in
        /// it depends on a token but the token's.
        kept: bool,
    },
}

/// Writes an Avro event as it is stored, with surrogates (32 hex digits each) in place of its tokens.
///
/// # Errors
/// Those of `out`.
pub fn write_sealed(event: &Event<'_>, surrogates: &[Hex], out: &mut impl Write) -> io::Result<()> {
    if event.form == (Form::Avro { kept: true }) {
        return splice(event, surrogates, out);
    }
    let hex = surrogates.iter().map(|hex| std::str::from_utf8(hex).unwrap_or_default());
    let person: Vec<_> = event.tokens.iter().map(|token| token.kind).zip(hex).collect();
    let mut body = Vec::with_capacity(event.raw.len() + 64);
    write::body(event.record_version, event.occurred, &person, &event.data, &mut body);
    out.write_all(&[WRITTEN_ANEW])?;
    out.write_all(event.raw.get(1..FRAME_BYTES).unwrap_or(&[0; 4]))?;
    out.write_all(&body)
}

/// Each token and the length before it are replaced; every other byte stays.
fn splice(event: &Event<'_>, surrogates: &[Hex], out: &mut impl Write) -> io::Result<()> {
    let mut written = 0;
    for (token, surrogate) in event.tokens.iter().zip(surrogates) {
        // A number is never longer than it needs (see `Cursor`), so its place follows from its value.
        let length = write::long_bytes(token.token.len() as i64).1;
        out.write_all(&event.raw[written..token.at.start - length])?;
        write::text_to(surrogate, out)?;
        written = token.at.end;
    }
    out.write_all(&event.raw[written..])
}

/// Whether a stored payload is Avro.
pub(crate) fn is_stored_avro(payload: &[u8]) -> bool {
    matches!(payload.first(), Some(&(MAGIC | WRITTEN_ANEW)))
}

pub(crate) fn decode_stored(kind: EventType, version: u16, payload: &[u8]) -> Result<Parsed<'_>, Fault> {
    if payload.len() < FRAME_BYTES {
        let expected = "a stored event is expected, which has five bytes before its body";
        return Err(Fault::new(FaultClass::Parse, FaultDetail::Truncated, "payload", expected));
    }
    let state = AvroWire::state(Cursor::new(payload, FRAME_BYTES));
    let (types, root) = writer_schema::of_contract(kind, version);
    data_of(kind, version, AvroWire { types, root, bytes: payload, state: &state }, Mode::Sealed)
}
