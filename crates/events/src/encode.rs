//! The way back: an event as a Kafka message in binary mode, JSON or Avro, or as one line of structured JSON.
//!
//! Used by whoever publishes: `publish`, `import`, the sample. Nothing is checked here but by [`crate::decode`]:
//! [`binary_of_line`] decodes first.

use crate::avro::{self, Form};
use crate::contract::{ObjectWriter, RecordVersion};
use crate::value::When;
use crate::{Data, Event, EventType, Fault, Limits, Message, Occurred, TokenKind, calendar, form};
use std::borrow::Cow;
use std::fmt::Write as _;
use uuid::Uuid;

/// An event to be written.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    /// Id of the event (UUID version 7, or 8 if imported).
    pub id: Uuid,
    /// Agency code.
    pub agency: &'a str,
    /// Record id, `<AGENCY>/<opaque>`.
    pub record_id: &'a str,
    /// The agency's counter on the record.
    pub record_version: i64,
    /// When the agency recorded it, microseconds UTC.
    pub recorded_at: i64,
    /// When it happened; needed by facts, refused by the other types.
    pub occurred: Option<Occurred>,
    /// Whether it is made up.
    pub synthetic: bool,
    /// Tokens of the person; empty if the type names none.
    pub person: &'a [(TokenKind, &'a str)],
    /// What it carries.
    pub data: &'a Data,
}

impl<'a> Draft<'a> {
    /// An event that was read, to be written again. `person` is its [`Event::tokens`] as a draft takes them.
    pub fn of(event: &'a Event<'_>, person: &'a [(TokenKind, &'a str)]) -> Self {
        Self {
            id: event.id,
            agency: event.agency,
            record_id: &event.record_id,
            record_version: event.record_version,
            recorded_at: event.recorded_at,
            occurred: event.occurred,
            synthetic: event.synthetic,
            person,
            data: &event.data,
        }
    }
}

/// A message ready for the log. Its headers are binary mode's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Encoded {
    /// Record id.
    pub key: Vec<u8>,
    /// `content-type` and `ce_*`.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// The data.
    pub value: Vec<u8>,
}

impl Encoded {
    /// Headers as borrowed by [`Message`].
    pub fn header_slices(&self) -> Vec<(&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (*name, value.as_slice())).collect()
    }
}

/// The data of an event as JSON, appended to `out`.
pub fn data_json(draft: &Draft<'_>, out: &mut String) {
    body_json(draft.record_version, draft.occurred, draft.person, draft.data, out);
}

fn body_json<S: AsRef<str>>(
    record_version: i64,
    occurred: Option<Occurred>,
    person: &[(TokenKind, S)],
    data: &Data,
    out: &mut String,
) {
    let mut object = ObjectWriter::open(out);
    object.field::<RecordVersion>("record_version", &record_version);
    if let Some(occurred) = &occurred {
        object.field::<When>("occurred_on", occurred);
    }
    if !person.is_empty() {
        let list = object.key("person");
        for (i, (kind, token)) in person.iter().enumerate() {
            list.push(if i == 0 { '[' } else { ',' });
            let _ = write!(list, "{{\"kind\":\"{}\",\"token\":\"{}\"}}", kind.as_str(), token.as_ref());
        }
        list.push(']');
    }
    data.write(&mut object);
    object.close();
}

/// A stored payload as JSON: JSON as it is, Avro as the contract writes it. So stored events of both formats can be
/// compared by their bytes, to choose among different contents of one event id whatever they were sent as.
pub fn sealed_json(kind: EventType, version: u16, payload: &[u8]) -> Cow<'_, [u8]> {
    let avro = avro::is_stored_avro(payload).then(|| crate::decode::sealed_as_sent(kind, version, payload));
    // One that does not decode is told so where it is read.
    let Some(Ok(event)) = avro else { return Cow::Borrowed(payload) };
    let hex = |(kind, surrogate): &(TokenKind, [u8; 16])| (*kind, format!("{:032x}", u128::from_be_bytes(*surrogate)));
    let person: Vec<_> = event.persons.iter().map(hex).collect();
    let mut out = String::with_capacity(512);
    body_json(event.record_version, event.occurred, &person, &event.data, &mut out);
    Cow::Owned(out.into_bytes())
}

/// A message in binary mode.
pub fn binary(draft: &Draft<'_>) -> Encoded {
    let mut value = String::with_capacity(512);
    data_json(draft, &mut value);
    message(
        draft.id,
        draft.agency,
        (draft.data.kind(), draft.data.version()),
        draft.record_id,
        draft.recorded_at,
        draft.synthetic,
        JSON,
        value.into(),
    )
}

/// The data of an event in Avro, by the contract's own schema of its version, appended to `out`.
pub fn data_avro(draft: &Draft<'_>, out: &mut Vec<u8>) {
    avro::write::body(draft.record_version, draft.occurred, draft.person, draft.data, out);
}

/// A message in binary mode whose value is Avro in Confluent framing; `schema_id` is the id under which the registry has
/// the contract's schema of the type and version.
pub fn binary_avro(draft: &Draft<'_>, schema_id: u32) -> Encoded {
    let mut value = Vec::with_capacity(256);
    value.push(avro::MAGIC);
    value.extend_from_slice(&schema_id.to_be_bytes());
    data_avro(draft, &mut value);
    let of = (draft.data.kind(), draft.data.version());
    message(draft.id, draft.agency, of, draft.record_id, draft.recorded_at, draft.synthetic, AVRO, value)
}

/// An event that was read, as an Avro message like [`binary_avro`].
pub fn avro_of(event: &Event<'_>, schema_id: u32) -> Encoded {
    let person: Vec<_> = event.tokens.iter().map(|token| (token.kind, token.token)).collect();
    binary_avro(&Draft::of(event, &person), schema_id)
}

/// One line of structured JSON, without the line feed.
pub fn structured(draft: &Draft<'_>) -> String {
    let kind = draft.data.kind();
    let mut out = String::with_capacity(1_024);
    let _ = write!(
        out,
        "{{\"specversion\":\"1.0\",\"id\":\"{}\",\"source\":\"{}{}\",\"type\":\"{kind}\",\"dataschema\":\"{}\",\
         \"subject\":\"{}\",\"time\":\"{}\",\"datacontenttype\":\"application/json\",",
        draft.id.as_hyphenated(),
        form::SOURCE_PREFIX,
        draft.agency,
        kind.dataschema(draft.data.version()),
        draft.record_id,
        calendar::format_instant(draft.recorded_at),
    );
    if draft.synthetic {
        out.push_str("\"synthetic\":true,");
    }
    out.push_str("\"data\":");
    data_json(draft, &mut out);
    out.push('}');
    out
}

/// An event that was read, as a message in binary mode; its data stay byte for byte.
pub fn binary_of(event: &Event<'_>) -> Encoded {
    message(
        event.id,
        event.agency,
        (event.kind, event.version),
        &event.record_id,
        event.recorded_at,
        event.synthetic,
        if event.form == Form::Json { JSON } else { AVRO },
        event.raw.to_vec(),
    )
}

/// A line of structured JSON, read: the message in binary mode and the agency it belongs to.
///
/// # Errors
/// As [`crate::decode`].
pub fn binary_of_line(line: &[u8], limits: &Limits) -> Result<(String, Encoded), Fault> {
    let event = event_of_line(line, limits)?;
    Ok((event.agency.to_owned(), binary_of(&event)))
}

/// A line of structured JSON, read.
///
/// # Errors
/// As [`crate::decode`].
pub fn event_of_line<'a>(line: &'a [u8], limits: &Limits) -> Result<Event<'a>, Fault> {
    crate::decode(&Message { key: None, headers: &[], value: Some(line) }, limits)
}

const JSON: &str = "application/json";
const AVRO: &str = "application/avro";

#[allow(clippy::too_many_arguments)] // each is one header
fn message(
    id: Uuid,
    agency: &str,
    (kind, version): (EventType, u16),
    record_id: &str,
    recorded_at: i64,
    synthetic: bool,
    content_type: &str,
    value: Vec<u8>,
) -> Encoded {
    let mut headers = vec![
        ("content-type", content_type.as_bytes().to_vec()),
        ("ce_specversion", b"1.0".to_vec()),
        ("ce_id", id.as_hyphenated().to_string().into_bytes()),
        ("ce_source", format!("{}{agency}", form::SOURCE_PREFIX).into_bytes()),
        ("ce_type", kind.name().as_bytes().to_vec()),
        ("ce_dataschema", kind.dataschema(version).as_bytes().to_vec()),
        ("ce_subject", record_id.as_bytes().to_vec()),
        ("ce_time", calendar::format_instant(recorded_at).into_bytes()),
    ];
    if synthetic {
        headers.push(("ce_synthetic", b"true".to_vec()));
    }
    Encoded { key: record_id.as_bytes().to_vec(), headers, value }
}
