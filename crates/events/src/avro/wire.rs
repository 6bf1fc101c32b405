//! An Avro message as an event: the envelope of the headers, the data by the writer's schema.

use super::cursor::Cursor;
use super::parse::{SchemaFault, Types};
use super::read::{AvroError, Reader, Value};
use super::resolve::{Node, Slot};
use super::store::Form;
use super::writer_schema::{WriterSchema, WriterSchemas};
use super::{FRAME_BYTES, MAGIC, explain, schema};
use crate::contract::{Contract, Mode, ReadData, ReadObject};
use crate::decode::{Wire, data_of, event};
use crate::envelope::{self, Carriage};
use crate::{Event, EventType, Fault, FaultClass, FaultDetail, Limits, Message};
use serde::de::DeserializeSeed;
use std::cell::Cell;

/// Whether a media type (of `content-type`, without parameters) is Avro's.
pub(crate) fn is_avro(media: &[u8]) -> bool {
    let own = [&b"application/avro"[..], b"application/vnd.confluent.avro", b"avro/binary"];
    let suffix = media.len().checked_sub(5).is_some_and(|at| media[at..].eq_ignore_ascii_case(b"+avro"));
    let application = media.get(..12).is_some_and(|m| m.eq_ignore_ascii_case(b"application/"));
    own.iter().any(|m| media.eq_ignore_ascii_case(m)) || (application && suffix)
}

/// The same of `datacontenttype`.
pub(crate) fn is_avro_text(content_type: &str) -> bool {
    is_avro(content_type.as_bytes())
}

/// The id of the writer's schema that [`crate::decode_with`] needs to read this message; `None` if it needs none: because
/// the message is JSON, or is refused whatever its schema is.
pub fn schema_id(message: &Message<'_>, limits: &Limits) -> Option<u32> {
    let bytes = message.value.filter(|value| value.first() == Some(&MAGIC) && value.len() <= limits.max_bytes)?;
    let id = framed(bytes).ok()?;
    let headers = envelope::headers(message.headers);
    (headers.carriage(message.value) == Ok(Carriage::Avro) && envelope_of(headers).is_ok()).then_some(id)
}

fn envelope_of(headers: envelope::Headers<'_>) -> Result<envelope::Envelope<'_>, Fault> {
    envelope::check(headers.attributes()?, is_avro_text, |name| format!("header ce_{name}"))
}

/// The id in Confluent's framing.
fn framed(bytes: &[u8]) -> Result<u32, Fault> {
    let frame = bytes.first_chunk::<FRAME_BYTES>().filter(|frame| frame[0] == MAGIC);
    let [_, id @ ..] = frame.ok_or_else(|| {
        let expected = "Confluent's framing is expected: the byte 0x00, the id of the registered schema as four bytes, \
                        then the Avro body; use a serializer of a schema registry";
        Fault::new(FaultClass::Parse, FaultDetail::Syntax, "value", expected)
    })?;
    Ok(u32::from_be_bytes(*id))
}

/// Whether a value is in Confluent's framing.
pub(crate) fn is_framed(bytes: &[u8]) -> bool {
    framed(bytes).is_ok()
}

fn schema_place(id: u32) -> String {
    format!("value (Avro schema {id})")
}

fn usable(schemas: &WriterSchemas, id: u32) -> Result<&WriterSchema, Fault> {
    match schemas.get(id) {
        Some(Ok(schema)) => Ok(schema),
        Some(Err(fault)) => Err(unreadable(id, fault)),
        None => {
            let expected = "an Avro schema that the schema registry has is expected";
            Err(Fault::schema(FaultDetail::SchemaNotUsable, schema_place(id), expected))
        }
    }
}

fn unreadable(id: u32, fault: &SchemaFault) -> Fault {
    let expected = format!("what is written with this schema cannot be read under the contract: {fault}");
    Fault::schema(FaultDetail::SchemaNotUsable, schema_place(id), expected)
}

/// Reads an Avro message of admissible size.
pub(crate) fn decode<'a>(
    headers: envelope::Headers<'a>,
    bytes: &'a [u8],
    schemas: &WriterSchemas,
) -> Result<Event<'a>, Fault> {
    let mut envelope = envelope_of(headers)?;
    let id = framed(bytes)?;
    let schema = usable(schemas, id)?;
    if schema.kind() != envelope.kind {
        let expected = format!("the schema is of {}, and ce_type says another type; let them agree", schema.kind());
        return Err(Fault::schema(FaultDetail::NotAccepted, schema_place(id), expected));
    }
    let plan = schema.plan(envelope.version).map_err(|fault| unreadable(id, fault))?;
    let state = AvroWire::state(Cursor::new(bytes, FRAME_BYTES));
    let wire = AvroWire { types: schema.types(), root: &plan.root, bytes, state: &state };
    let parsed = data_of(envelope.kind, envelope.version, wire, Mode::Open)?;
    let (_, ignored, sized) = state.into_inner();
    envelope.ignored = envelope.ignored.saturating_add(ignored);
    Ok(event(envelope, parsed, bytes, Form::Avro { kept: plan.as_contract && !sized }))
}

/// Avro bytes, the types of the schema they were written with, and how to read them.
#[derive(Clone, Copy)]
pub(crate) struct AvroWire<'s, 'a> {
    pub types: &'s Types,
    pub root: &'s Node,
    pub bytes: &'a [u8],
    pub state: &'s State,
}

/// Where the body begins; then, once it is read: fields passed over, and whether a block told its length in bytes.
pub(crate) type State = Cell<(usize, u32, bool)>;

impl AvroWire<'_, '_> {
    pub(crate) fn state(body: Cursor<'_>) -> State {
        Cell::new((body.at, 0, false))
    }
}

impl<'s, 'a> AvroWire<'s, 'a> {
    fn reader(self, at: usize) -> Reader<'s, 'a> {
        Reader::new(self.types, Cursor::new(self.bytes, at))
    }

    fn body(self) -> usize {
        self.state.get().0
    }

    /// Notes what reading met.
    fn done(self, reader: &Reader<'_, '_>) {
        let (at, ignored, sized) = self.state.get();
        self.state.set((at, ignored + reader.ignored, sized | reader.cursor.sized));
    }

    /// How `fields` of a correction are written.
    fn fields_slot(self) -> Option<&'s Slot> {
        let Node::Record(record) = self.root else { return None };
        record.fields.iter().find(|slot| slot.name == "fields")
    }

    /// The record in which the fields of a correction lie, if it is that of the target's type.
    fn patch_node(self, reader: &mut Reader<'s, 'a>, kind: EventType) -> Result<Option<&'s Node>, AvroError> {
        let Some(node) = self.fields_slot().and_then(|slot| slot.node.as_ref()) else { return Ok(None) };
        let node = reader.choose(node)?;
        Ok(Some(node).filter(|n| matches!(n, Node::Record(record) if schema::is_patch_name(&record.name, kind))))
    }
}

impl<'a> Wire<'a> for AvroWire<'_, 'a> {
    type Fields = &'a [u8];

    fn object<T: Contract>(self, mode: Mode) -> Result<ReadObject<'a, T, &'a [u8]>, Fault> {
        let mut reader = self.reader(self.body());
        let value = Value { reader: &mut reader, node: self.root, whole: None };
        let read = ReadData::new(mode).deserialize(value).and_then(|object| {
            reader.cursor.end()?;
            Ok(object)
        });
        self.done(&reader);
        read.map_err(|_| explain::data_of::<T>(self.types, self.reader(self.body()), self.root, mode))
    }

    fn patch<T: Contract>(self, kind: EventType, fields: &'a [u8]) -> Result<ReadObject<'a, T, &'a [u8]>, Fault> {
        let at = fields.as_ptr() as usize - self.bytes.as_ptr() as usize;
        let mut reader = self.reader(at);
        let Ok(Some(node)) = self.patch_node(&mut reader, kind) else {
            return Err(explain::other_record(at, kind));
        };
        let start = reader.cursor.clone();
        let value = Value { reader: &mut reader, node, whole: None };
        let read = ReadData::new(Mode::Patch).deserialize(value);
        self.done(&reader);
        read.map_err(|_| explain::patch_of::<T>(Reader::new(self.types, start), node))
    }

    fn absent<T: Contract>(self, name: &'static str) -> Fault {
        explain::absent::<T>(self.bytes.len(), name)
    }
}
