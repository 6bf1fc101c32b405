//! The way back: an event as a Kafka message in binary mode, or as one line of structured JSON.
//!
//! Used by whoever publishes: `publish`, `import`, the sample. Nothing is checked here but by [`crate::decode`]:
//! [`binary_of_line`] decodes first.

use crate::contract::{ObjectWriter, RecordVersion};
use crate::value::When;
use crate::{Data, Event, Fault, Limits, Message, Occurred, TokenKind, calendar, form};
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
    let mut object = ObjectWriter::open(out);
    object.field::<RecordVersion>("record_version", &draft.record_version);
    if let Some(occurred) = &draft.occurred {
        object.field::<When>("occurred_on", occurred);
    }
    if !draft.person.is_empty() {
        let list = object.key("person");
        for (i, (kind, token)) in draft.person.iter().enumerate() {
            list.push(if i == 0 { '[' } else { ',' });
            let _ = write!(list, "{{\"kind\":\"{}\",\"token\":\"{token}\"}}", kind.as_str());
        }
        list.push(']');
    }
    draft.data.write(&mut object);
    object.close();
}

/// A message in binary mode.
pub fn binary(draft: &Draft<'_>) -> Encoded {
    let mut value = String::with_capacity(512);
    data_json(draft, &mut value);
    message(
        draft.id,
        draft.agency,
        draft.data.kind(),
        draft.record_id,
        draft.recorded_at,
        draft.synthetic,
        value.into(),
    )
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
        kind.dataschema(),
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
        event.kind,
        &event.record_id,
        event.recorded_at,
        event.synthetic,
        event.raw.as_bytes().to_vec(),
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

fn message(
    id: Uuid,
    agency: &str,
    kind: crate::EventType,
    record_id: &str,
    recorded_at: i64,
    synthetic: bool,
    value: Vec<u8>,
) -> Encoded {
    let mut headers = vec![
        ("content-type", b"application/json".to_vec()),
        ("ce_specversion", b"1.0".to_vec()),
        ("ce_id", id.as_hyphenated().to_string().into_bytes()),
        ("ce_source", format!("{}{agency}", form::SOURCE_PREFIX).into_bytes()),
        ("ce_type", kind.name().as_bytes().to_vec()),
        ("ce_dataschema", kind.dataschema().as_bytes().to_vec()),
        ("ce_subject", record_id.as_bytes().to_vec()),
        ("ce_time", calendar::format_instant(recorded_at).into_bytes()),
    ];
    if synthetic {
        headers.push(("ce_synthetic", b"true".to_vec()));
    }
    Encoded { key: record_id.as_bytes().to_vec(), headers, value }
}
