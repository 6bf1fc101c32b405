//! Bytes to [`Event`]: size, UTF-8, envelope, data. Typed and borrowing; never a `serde_json::Value`.
//!
//! Nothing is allocated for an event that is accepted, but a case id, an escaped subject, and lists of more than four
//! codes. The sentence of a [`Fault`] is made by a second reading, in [`crate::explain`].

use crate::contract::{Contract, Mode, ReadData, ReadObject};
use crate::data::{self, Data, Patch, RecordCorrected, each_fact};
use crate::envelope::{self, Carriage, Envelope, ReadEnvelope};
use crate::explain;
use crate::message::{Event, Limits, Message, SealedEvent, TokenAt};
use crate::person::{Tokens, surrogate};
use crate::{EventType, Fault, FaultClass, FaultDetail, Occurred};
use serde::de::DeserializeSeed;
use std::marker::PhantomData;

/// Reads one message of the log.
///
/// # Errors
/// `Oversize` above `limits.max_bytes`; `Parse` if it is not one JSON document in UTF-8 of bounded depth; `Schema` for
/// all else that the contract does not allow. Which of the two does not depend on what is met first: a document that is
/// broken anywhere is `Parse`.
pub fn decode<'a>(message: &Message<'a>, limits: &Limits) -> Result<Event<'a>, Fault> {
    let text = text_of(message.value, *limits)?;
    match envelope::carriage(message)? {
        Carriage::Binary => {
            let envelope = envelope::from_headers(message.headers)
                .and_then(|a| envelope::check(a, |name| format!("header ce_{name}")))
                .map_err(|fault| explain::broken(text).unwrap_or(fault))?;
            event(envelope, text, trimmed(text))
        }
        Carriage::Structured => {
            let attributes = read(text, ReadEnvelope).map_err(|_| explain::envelope(text))?;
            let raw = attributes.data.map_or("null", serde_json::value::RawValue::get);
            let envelope = envelope::check(attributes, |name| explain::attribute_place(text, name))
                .map_err(|fault| explain::broken(text).unwrap_or(fault))?;
            event(envelope, text, raw)
        }
    }
}

/// Reads the data of an accepted event as it lies in the lake: tokens are surrogates, 32 hex digits.
///
/// # Errors
/// As [`decode`]; on rows that this program wrote there are none.
pub fn decode_sealed(kind: EventType, version: u16, payload: &[u8]) -> Result<SealedEvent, Fault> {
    if version != 1 {
        return Err(Fault::schema(FaultDetail::VersionNotSupported, "dataschema", "version 1 is expected"));
    }
    let text = text_of(Some(payload), Limits { max_bytes: usize::MAX })?;
    let parsed = data_of(kind, text, trimmed(text), Mode::Sealed)?;
    let persons = parsed.tokens.iter().filter_map(|(kind, hex)| Some((*kind, surrogate(hex)?))).collect();
    Ok(SealedEvent { record_version: parsed.record_version, occurred: parsed.occurred, persons, data: parsed.data })
}

fn text_of(value: Option<&[u8]>, limits: Limits) -> Result<&str, Fault> {
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
    simdutf8::basic::from_utf8(bytes).map_err(|_| explain::not_utf8(bytes))
}

/// JSON's white space only.
fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r'])
}

fn event<'a>(envelope: Envelope<'a>, text: &'a str, raw: &'a str) -> Result<Event<'a>, Fault> {
    let parsed = data_of(envelope.kind, text, raw, Mode::Open)?;
    let at = |token: &str| {
        let start = token.as_ptr() as usize - raw.as_ptr() as usize;
        start..start + token.len()
    };
    let tokens = parsed.tokens.iter().map(|(kind, token)| TokenAt { kind: *kind, token, at: at(token) }).collect();
    Ok(Event {
        id: envelope.id,
        agency: envelope.agency,
        kind: envelope.kind,
        version: 1,
        record_id: envelope.record_id,
        record_version: parsed.record_version,
        recorded_at: envelope.recorded_at,
        occurred: parsed.occurred,
        synthetic: envelope.synthetic,
        raw,
        tokens,
        data: parsed.data,
        ignored_attributes: envelope.ignored,
    })
}

/// The data of an event, read.
struct Parsed<'a> {
    record_version: i64,
    occurred: Option<Occurred>,
    tokens: Tokens<'a>,
    data: Data,
}

/// One JSON document of a text, to its end.
pub(crate) fn read<'a, S: DeserializeSeed<'a>>(text: &'a str, seed: S) -> Result<S::Value, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = seed.deserialize(&mut json)?;
    json.end()?;
    Ok(value)
}

/// Reads `raw`, which is `whole` or lies in it, as the data of this type.
fn data_of<'a>(kind: EventType, whole: &'a str, raw: &'a str, mode: Mode) -> Result<Parsed<'a>, Fault> {
    macro_rules! dispatch {
        ($($name:ident $patch:ident,)*) => {
            match kind {
                $(EventType::$name => plain::<data::$name>(whole, raw, mode, Data::$name),)*
                EventType::RecordCorrected => corrected(whole, raw, mode),
                EventType::RecordRetracted => plain(whole, raw, mode, Data::RecordRetracted),
                EventType::ReportExpected => plain(whole, raw, mode, Data::ReportExpected),
                EventType::ReportNil => plain(whole, raw, mode, Data::ReportNil),
            }
        };
    }
    each_fact!(dispatch)
}

fn object<'a, T: Contract>(whole: &str, raw: &'a str, mode: Mode) -> Result<ReadObject<'a, T>, Fault> {
    let base = if mode == Mode::Patch { "data.fields" } else { "data" };
    read(raw, ReadData::<T>(mode, PhantomData)).map_err(|_| explain::data_of::<T>(whole, raw, mode, base))
}

fn plain<'a, T: Contract>(whole: &str, raw: &'a str, mode: Mode, wrap: fn(T) -> Data) -> Result<Parsed<'a>, Fault> {
    let object = object::<T>(whole, raw, mode)?;
    let data = T::complete(object.patch).map_err(|name| explain::absent::<T>(whole, raw, name))?;
    Ok(Parsed {
        record_version: object.record_version,
        occurred: object.occurred,
        tokens: object.tokens,
        data: wrap(data),
    })
}

fn corrected<'a>(whole: &str, raw: &'a str, mode: Mode) -> Result<Parsed<'a>, Fault> {
    let object = object::<data::CorrectionHead>(whole, raw, mode)?;
    let fields = object.fields.map_or("null", serde_json::value::RawValue::get);
    let head = data::CorrectionHead::complete(object.patch)
        .map_err(|name| explain::absent::<data::CorrectionHead>(whole, raw, name))?;
    let (occurred, fields) = patch_of(head.target_type, whole, fields)?;
    let data = Data::RecordCorrected(Box::new(RecordCorrected {
        target: head.target,
        target_type: head.target_type,
        occurred,
        fields,
        reason: head.reason,
    }));
    Ok(Parsed { record_version: object.record_version, occurred: None, tokens: object.tokens, data })
}

fn patch_of(kind: EventType, whole: &str, raw: &str) -> Result<(Option<Occurred>, Patch), Fault> {
    macro_rules! dispatch {
        ($($name:ident $patch:ident,)*) => {
            match kind {
                $(EventType::$name => {
                    let read = object::<data::$name>(whole, raw, Mode::Patch)?;
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
    each_fact!(dispatch)
}
