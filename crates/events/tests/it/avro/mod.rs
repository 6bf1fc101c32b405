//! Avro: the same events as in JSON, whatever the writer; broken bytes are refused; two other libraries agree.

mod corpus;
mod hostile;
mod make;
mod oracle;
mod schemas;
mod sealed;

use events::avro::WriterSchemas;
use events::{Event, EventType, Fault, Limits, Message, avro};
use serde_json::Value;

/// The id under which tests know the contract's schema of a type.
pub fn id_of(kind: EventType) -> u32 {
    EventType::ALL.iter().position(|k| *k == kind).unwrap() as u32 + 1
}

/// The contract's newest schemas by [`id_of`].
pub fn contract() -> WriterSchemas {
    contract_up_to(u16::MAX)
}

/// The contract's schemas of a version, or of the newest before it, by [`id_of`].
pub fn contract_up_to(version: u16) -> WriterSchemas {
    let mut schemas = WriterSchemas::default();
    for kind in EventType::ALL {
        let version = version.min(kind.newest());
        schemas.insert(id_of(*kind), &avro::schema_of(*kind, version).to_string()).unwrap();
    }
    schemas
}

/// A message of a type, with headers of a fixed envelope.
pub struct Sent {
    pub headers: Vec<(&'static str, Vec<u8>)>,
    pub value: Vec<u8>,
}

impl Sent {
    pub fn new(kind: EventType, content_type: Option<&'static str>, value: Vec<u8>) -> Self {
        let mut headers: Vec<(&str, Vec<u8>)> = vec![
            ("ce_specversion", b"1.0".to_vec()),
            ("ce_id", b"018f3b5c-0000-7000-8000-000000000001".to_vec()),
            ("ce_source", b"urn:pk:tip:POL-PB".to_vec()),
            ("ce_type", kind.name().into()),
            ("ce_dataschema", kind.dataschema(kind.newest()).into()),
            ("ce_subject", b"POL-PB/r3c0rd0000000bcdfg".to_vec()),
            ("ce_time", b"2025-03-01T10:15:00+05:00".to_vec()),
        ];
        headers.extend(content_type.map(|c| ("content-type", c.into())));
        Self { headers, value }
    }

    pub fn json(kind: EventType, data: &Value) -> Self {
        Self::new(kind, Some("application/json"), data.to_string().into_bytes())
    }

    /// The same, naming this version of its type.
    pub fn of_version(mut self, kind: EventType, version: u16) -> Self {
        let header = self.headers.iter_mut().find(|(name, _)| *name == "ce_dataschema").unwrap();
        header.1 = kind.dataschema(version).into();
        self
    }

    /// In Confluent framing, with no content type, as Confluent's serializers send it.
    pub fn avro(kind: EventType, id: u32, body: &[u8]) -> Self {
        Self::new(kind, None, framed(id, body))
    }

    pub fn decode<T>(&self, schemas: &WriterSchemas, then: impl FnOnce(Result<Event<'_>, Fault>) -> T) -> T {
        let headers: Vec<(&str, &[u8])> = self.headers.iter().map(|(n, v)| (*n, v.as_slice())).collect();
        let message = Message { key: None, headers: &headers, value: Some(&self.value) };
        then(events::decode_with(&message, &Limits::default(), schemas))
    }

    pub fn schema_id(&self) -> Option<u32> {
        let headers: Vec<(&str, &[u8])> = self.headers.iter().map(|(n, v)| (*n, v.as_slice())).collect();
        avro::schema_id(&Message { key: None, headers: &headers, value: Some(&self.value) }, &Limits::default())
    }
}

pub fn framed(id: u32, body: &[u8]) -> Vec<u8> {
    let mut value = vec![avro::MAGIC];
    value.extend_from_slice(&id.to_be_bytes());
    value.extend_from_slice(body);
    value
}

/// All that an event says, without how it was written.
pub fn said(event: &Event<'_>) -> String {
    let tokens: Vec<_> = event.tokens.iter().map(|t| (t.kind, t.token)).collect();
    for token in &event.tokens {
        assert_eq!(&event.raw[token.at.clone()], token.token.as_bytes(), "a token is where the event says");
    }
    let envelope = (event.id, event.agency, event.kind, event.version, &event.record_id, event.recorded_at);
    format!("{envelope:?} {:?} {:?} {tokens:?} {:?}", event.record_version, event.occurred, event.data)
}
