//! Bytes to [`Event`]: size, envelope, data. Typed and borrowing; never a `serde_json::Value`.
//!
//! Nothing is allocated for an event that is accepted, but a case id, an escaped subject, and lists of more than four
//! codes. The sentence of a [`Fault`] is made by a second reading, in [`crate::explain`] or `avro::explain`. What the
//! data of a type are is asked of the contract alone; a [`Wire`] says how they lie in the bytes.

use crate::avro::{self, Form, WriterSchemas};
use crate::contract::{Contract, Mode, ReadData, ReadObject};
use crate::data::{self, Data, Patch, RecordCorrected, RecordRetracted, each_plain};
use crate::envelope::{self, Carriage, Envelope, ReadEnvelope};
use crate::explain;
use crate::message::{Event, Limits, Message, NewerVersion, SealedEvent, TokenAt};
use crate::person::{Tokens, surrogate};
use crate::{EventType, Fault, FaultClass, FaultDetail, Occurred};
use serde::de::DeserializeSeed;
use serde_json::value::RawValue;

/// Reads one message of the log that is not Avro.
///
/// # Errors
/// As [`decode_with`], with no schema known.
pub fn decode<'a>(message: &Message<'a>, limits: &Limits) -> Result<Event<'a>, Fault> {
    decode_with(message, limits, &WriterSchemas::default())
}

/// Reads one message of the log, JSON or Avro. `schemas` must know the id that [`avro::schema_id`] tells of the message.
///
/// # Errors
/// `Oversize` above `limits.max_bytes`; `Parse` if it is not one JSON document in UTF-8 of bounded depth, or not one
/// value of the writer's Avro schema; `Schema` for all else that the contract does not allow. Which of the two does not
/// depend on what is met first: data that are broken anywhere are `Parse`. (Of an Avro message the envelope is judged
/// first: without it the schema need not be asked for.)
pub fn decode_with<'a>(message: &Message<'a>, limits: &Limits, schemas: &WriterSchemas) -> Result<Event<'a>, Fault> {
    let bytes = sized(message.value, *limits)?;
    let headers = envelope::headers(message.headers);
    match headers.carriage(message.value) {
        Ok(Carriage::Avro) => avro::decode(headers, bytes, schemas),
        carriage => {
            let text = text_of(bytes)?;
            if carriage? == Carriage::Structured { structured(text) } else { binary(headers, text) }
        }
    }
}

fn binary<'a>(headers: envelope::Headers<'a>, text: &'a str) -> Result<Event<'a>, Fault> {
    let envelope = headers
        .attributes()
        .and_then(|a| envelope::check(a, envelope::is_json, |name| format!("header ce_{name}")))
        .map_err(|fault| explain::broken(text).unwrap_or(fault))?;
    event_of_json(envelope, text, trimmed(text))
}

fn structured(text: &str) -> Result<Event<'_>, Fault> {
    let attributes = read(text, ReadEnvelope).map_err(|_| explain::envelope(text))?;
    let raw = attributes.data.map_or("null", RawValue::get);
    let envelope = envelope::check(attributes, envelope::is_json, |name| explain::attribute_place(text, name))
        .map_err(|fault| explain::broken(text).unwrap_or(fault))?;
    event_of_json(envelope, text, raw)
}

/// The version that a message names, if that version of its type is newer than `newest` says is known, and all else of its
/// envelope is in order: what cannot be judged yet. A message that is refused in any version is none of them.
pub fn newer_version<'a>(
    message: &Message<'a>,
    limits: &Limits,
    newest: impl Fn(EventType) -> u16,
) -> Option<NewerVersion<'a>> {
    let bytes = sized(message.value, *limits).ok()?;
    let headers = envelope::headers(message.headers);
    let carriage = headers.carriage(message.value).ok()?;
    let (attributes, fits): (_, fn(&str) -> bool) = if carriage == Carriage::Avro {
        avro::is_framed(bytes).then_some(())?;
        (headers.attributes().ok()?, avro::is_avro_text)
    } else {
        let text = text_of(bytes).ok().filter(|text| explain::broken(text).is_none())?;
        let structured = carriage == Carriage::Structured;
        let read = if structured { read(text, ReadEnvelope).ok() } else { headers.attributes().ok() };
        (read?, envelope::is_json)
    };
    let Envelope { agency, kind, version, .. } = envelope::forms(attributes, fits, &str::to_owned).ok()?;
    (version > newest(kind)).then_some(NewerVersion { agency, kind, version })
}

/// Reads the data of an accepted event as it lies in the lake, JSON or Avro: tokens are surrogates, 32 hex digits. Needs
/// no schema from elsewhere (see [`Form`]). Whatever the version in which it was sent, the newest comes out of it.
///
/// # Errors
/// As [`decode`]; on rows that this program wrote there are none.
pub fn decode_sealed(kind: EventType, version: u16, payload: &[u8]) -> Result<SealedEvent, Fault> {
    let event = sealed_as_sent(kind, version, payload)?;
    Ok(SealedEvent { data: event.data.newest(), ..event })
}

/// As [`decode_sealed`], but in the version in which it was sent.
pub(crate) fn sealed_as_sent(kind: EventType, version: u16, payload: &[u8]) -> Result<SealedEvent, Fault> {
    if !(1..=kind.newest()).contains(&version) {
        let expected = format!("a version up to {} is expected; read it with a newer program", kind.newest());
        return Err(Fault::schema(FaultDetail::VersionNotSupported, "dataschema", expected));
    }
    let parsed = if avro::is_stored_avro(payload) {
        avro::decode_stored(kind, version, payload)?
    } else {
        let text = text_of(payload)?;
        data_of(kind, version, Json { whole: text, raw: trimmed(text) }, Mode::Sealed)?
    };
    let persons = parsed.tokens.iter().filter_map(|(kind, hex)| Some((*kind, surrogate(hex)?))).collect();
    Ok(SealedEvent { record_version: parsed.record_version, occurred: parsed.occurred, persons, data: parsed.data })
}

fn sized(value: Option<&[u8]>, limits: Limits) -> Result<&[u8], Fault> {
    let Some(bytes) = value else {
        return Err(Fault::new(
            FaultClass::Parse,
            FaultDetail::NoValue,
            "value",
            "an event is expected, not a tombstone",
        ));
    };
    if bytes.len() > limits.max_bytes {
        return Err(Fault::new(
            FaultClass::Oversize,
            FaultDetail::TooLarge,
            "value",
            format!("at most {} bytes are expected; one event describes one fact", limits.max_bytes),
        ));
    }
    Ok(bytes)
}

fn text_of(bytes: &[u8]) -> Result<&str, Fault> {
    simdutf8::basic::from_utf8(bytes).map_err(|_| explain::not_utf8(bytes))
}

/// JSON's white space only.
fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r'])
}

fn event_of_json<'a>(envelope: Envelope<'a>, text: &'a str, raw: &'a str) -> Result<Event<'a>, Fault> {
    let parsed = data_of(envelope.kind, envelope.version, Json { whole: text, raw }, Mode::Open)?;
    Ok(event(envelope, parsed, raw.as_bytes(), Form::Json))
}

/// The event of an envelope and its data, which were read from `raw`.
pub(crate) fn event<'a>(envelope: Envelope<'a>, parsed: Parsed<'a>, raw: &'a [u8], form: Form) -> Event<'a> {
    let at = |token: &str| {
        let start = token.as_ptr() as usize - raw.as_ptr() as usize;
        start..start + token.len()
    };
    let tokens = parsed.tokens.iter().map(|(kind, token)| TokenAt { kind: *kind, token, at: at(token) }).collect();
    Event {
        id: envelope.id,
        agency: envelope.agency,
        kind: envelope.kind,
        version: envelope.version,
        record_id: envelope.record_id,
        record_version: parsed.record_version,
        recorded_at: envelope.recorded_at,
        occurred: parsed.occurred,
        synthetic: envelope.synthetic,
        raw,
        form,
        tokens,
        data: parsed.data,
        ignored_attributes: envelope.ignored,
    }
}

/// The data of an event, read.
pub(crate) struct Parsed<'a> {
    pub record_version: i64,
    pub occurred: Option<Occurred>,
    pub tokens: Tokens<'a>,
    pub data: Data,
}

/// How the data of an event lie in bytes.
pub(crate) trait Wire<'a>: Copy {
    /// `fields` of a correction, unread: a slice of the message.
    type Fields;
    /// Reads the data as those of type `T`.
    fn object<T: Contract>(self, mode: Mode) -> Result<ReadObject<'a, T, Self::Fields>, Fault>;
    /// Reads `fields` as those of the target's type.
    fn patch<T: Contract>(
        self,
        kind: EventType,
        fields: Self::Fields,
    ) -> Result<ReadObject<'a, T, Self::Fields>, Fault>;
    /// A required field is absent.
    fn absent<T: Contract>(self, name: &'static str) -> Fault;
}

/// JSON in `raw`, which is `whole` or lies in it.
#[derive(Clone, Copy)]
struct Json<'a> {
    whole: &'a str,
    raw: &'a str,
}

impl<'a> Wire<'a> for Json<'a> {
    type Fields = &'a RawValue;
    fn object<T: Contract>(self, mode: Mode) -> Result<ReadObject<'a, T, Self::Fields>, Fault> {
        read(self.raw, ReadData::new(mode)).map_err(|_| explain::data_of::<T>(self.whole, self.raw, mode, "data"))
    }
    fn patch<T: Contract>(self, _: EventType, fields: &'a RawValue) -> Result<ReadObject<'a, T, Self::Fields>, Fault> {
        let told = |_| explain::data_of::<T>(self.whole, fields.get(), Mode::Patch, "data.fields");
        read(fields.get(), ReadData::new(Mode::Patch)).map_err(told)
    }
    fn absent<T: Contract>(self, name: &'static str) -> Fault {
        explain::absent::<T>(self.whole, self.raw, name)
    }
}

/// One JSON document of a text, to its end.
pub(crate) fn read<'a, S: DeserializeSeed<'a>>(text: &'a str, seed: S) -> Result<S::Value, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = seed.deserialize(&mut json)?;
    json.end()?;
    Ok(value)
}

/// Reads the data of this version of a type, one that there is.
pub(crate) fn data_of<'a, W: Wire<'a>>(
    kind: EventType,
    version: u16,
    wire: W,
    mode: Mode,
) -> Result<Parsed<'a>, Fault> {
    macro_rules! dispatch {
        (
            [$($name:ident $patch:ident,)*]
            [$($of:ident $number:literal $old:ident $old_patch:ident $next:ident,)*]
        ) => {
            match (kind, version) {
                $((EventType::$of, $number) => plain::<data::$old, W>(wire, mode, Data::$old),)*
                $((EventType::$name, _) => plain::<data::$name, W>(wire, mode, Data::$name),)*
                (EventType::RecordCorrected, 1..=3) => {
                    corrected::<data::CorrectionHeadV3, W>(version, wire, mode, |head: data::CorrectionHeadV3| head.up().up())
                }
                (EventType::RecordCorrected, 4) => {
                    corrected::<data::CorrectionHeadV4, W>(version, wire, mode, data::CorrectionHeadV4::up)
                }
                (EventType::RecordCorrected, _) => corrected::<data::CorrectionHead, W>(version, wire, mode, |head| head),
                (EventType::RecordRetracted, 1) => plain(wire, mode, |head: data::RetractionHeadV1| {
                    Data::RecordRetracted(RecordRetracted::of(head.up().up(), 1))
                }),
                (EventType::RecordRetracted, 2) => plain(wire, mode, |head: data::RetractionHeadV2| {
                    Data::RecordRetracted(RecordRetracted::of(head.up(), 2))
                }),
                (EventType::RecordRetracted, _) => {
                    plain(wire, mode, |head| Data::RecordRetracted(RecordRetracted::of(head, 3)))
                }
            }
        };
    }
    each_plain!(dispatch)
}

fn plain<'a, T: Contract, W: Wire<'a>>(wire: W, mode: Mode, wrap: fn(T) -> Data) -> Result<Parsed<'a>, Fault> {
    let object = wire.object::<T>(mode)?;
    let data = T::complete(object.patch).map_err(|name| wire.absent::<T>(name))?;
    Ok(Parsed {
        record_version: object.record_version,
        occurred: object.occurred,
        tokens: object.tokens,
        data: wrap(data),
    })
}

fn corrected<'a, H: Contract, W: Wire<'a>>(
    version: u16,
    wire: W,
    mode: Mode,
    newest: fn(H) -> data::CorrectionHead,
) -> Result<Parsed<'a>, Fault> {
    let object = wire.object::<H>(mode)?;
    let head = newest(H::complete(object.patch).map_err(|n| wire.absent::<H>(n))?);
    let fields = object.fields.ok_or_else(|| wire.absent::<H>("fields"))?;
    let (occurred, fields) = patch_of(head.target_type, head.target_type.in_correction(version), wire, fields)?;
    let data = Data::RecordCorrected(Box::new(RecordCorrected {
        version,
        target: head.target,
        target_type: head.target_type,
        occurred,
        fields,
        reason: head.reason,
    }));
    Ok(Parsed { record_version: object.record_version, occurred: None, tokens: object.tokens, data })
}

fn patch_of<'a, W: Wire<'a>>(
    kind: EventType,
    version: Option<u16>,
    wire: W,
    fields: W::Fields,
) -> Result<(Option<Occurred>, Patch), Fault> {
    macro_rules! dispatch {
        (
            [$($name:ident $patch:ident,)*]
            [$($of:ident $number:literal $old:ident $old_patch:ident $next:ident,)*]
        ) => {
            match (kind, version) {
                $((EventType::$of, Some($number)) => {
                    let read = wire.patch::<data::$old>(kind, fields)?;
                    Ok((read.occurred, Patch::$old(read.patch)))
                })*
                $((EventType::$name, Some(_)) => {
                    let read = wire.patch::<data::$name>(kind, fields)?;
                    Ok((read.occurred, Patch::$name(read.patch)))
                })*
                _ => Err(Fault::schema(
                    FaultDetail::NotAccepted,
                    "data.target_type",
                    "the type of a fact is expected",
                )),
            }
        };
    }
    each_plain!(dispatch)
}
