//! A message of an agency and how it is written: CloudEvents, Kafka binary mode or structured mode.

use std::borrow::Cow;

use events::EventType;
use smallvec::SmallVec;

use crate::agency::Agency;
use crate::codes::Code;
use crate::names::{EventId, Record};
use crate::when::{Clock, write_instant};
use crate::world::account::{Named, Sentence};

use super::fields::{Field, Fields, Value};
use super::{Expected, Feedline, Header};

/// What a message says.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// Something happened.
    Fact(Fields),
    /// Fields of an earlier event are replaced.
    Correction { target: EventId, target_type: EventType, fields: Fields, reason: Code },
    /// An earlier event is taken back.
    Retraction { target: EventId, target_type: EventType, reason: Code },
    /// The reporting calendar expects an agency's report for a year.
    Expected { agency: &'static Agency, year: i32, kind: Code },
    /// Nothing to report for a year.
    Nil { year: i32, kind: Code },
}

/// A message of an agency.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) kind: EventType,
    pub(super) record: Record,
    /// The person and how many of her tokens are told.
    pub(super) person: Option<(Named, usize)>,
    pub(super) id: EventId,
    pub(super) recorded_ms: i64,
    pub(super) version: u32,
    pub(super) body: Body,
}

/// How a message is written down; its content is the same in every style.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Style {
    /// Envelope and data in one JSON object.
    pub(super) structured: bool,
    /// White space after commas and colons, fields in reverse order.
    pub(super) loose: bool,
}

/// Headers of the envelope: name and value.
pub(super) type Envelope = SmallVec<[(&'static str, Cow<'static, [u8]>); 10]>;

/// Types of which only the latest corrections and retractions speak.
fn is_aftermath(kind: EventType) -> bool {
    use EventType::{
        AccusedIdentified, CaseLinked, CaseStageChanged, CaseTransferred, CompensationOrdered, CompensationPaid,
        InspectionReferred, ReferralActedOn, WorkerReleased,
    };
    matches!(
        kind,
        AccusedIdentified
            | CaseLinked
            | CaseStageChanged
            | CaseTransferred
            | CompensationOrdered
            | CompensationPaid
            | InspectionReferred
            | ReferralActedOn
            | WorkerReleased
    )
}

impl Message {
    /// Style in which the message's agency publishes.
    pub(super) fn usual_style(&self) -> Style {
        Style { structured: matches!(self.record.agency.group, "NGO" | "HLP"), loose: false }
    }

    /// The attributes of the envelope, without `ce_`.
    pub(super) fn envelope(&self, seed: u64) -> Envelope {
        let agency = self.record.agency;
        let clock = if agency.number.is_multiple_of(3) { Clock::Utc } else { Clock::Karachi };
        let mut id = Vec::with_capacity(36);
        self.id.write(&mut id);
        let mut time = Vec::with_capacity(29);
        write_instant(self.recorded_ms, clock, &mut time);
        let mut subject = Vec::with_capacity(34);
        self.record.write(seed, &mut subject);
        let text = |text: &'static str| Cow::Borrowed(text.as_bytes());
        let mut envelope = Envelope::new();
        envelope.push(("specversion", text("1.0")));
        envelope.push(("id", Cow::Owned(id)));
        envelope.push(("source", text(agency.source)));
        envelope.push(("type", text(self.kind.name())));
        envelope.push(("dataschema", text(self.kind.dataschema(self.said_in()))));
        envelope.push(("subject", Cow::Owned(subject)));
        envelope.push(("time", Cow::Owned(time)));
        envelope.push(("synthetic", text("true")));
        envelope
    }

    /// The version it is said in: the first that knows what it speaks of.
    fn said_in(&self) -> u16 {
        let later = |of: EventType| matches!(of, EventType::ContactReceived | EventType::ActivityHeld);
        match &self.body {
            Body::Correction { target_type, .. } if is_aftermath(*target_type) => 5,
            Body::Retraction { target_type, .. } if is_aftermath(*target_type) => 3,
            Body::Correction { target_type, .. } if later(*target_type) => 4,
            Body::Retraction { target_type, .. } if later(*target_type) => 2,
            _ => 1,
        }
    }

    /// The data as compact JSON.
    pub(super) fn data(&self, seed: u64, loose: bool) -> Vec<u8> {
        let mut json = Json { out: Vec::with_capacity(640), seed, loose };
        let mut parts = self.parts();
        if loose {
            parts.reverse();
        }
        json.object(parts.iter(), |json, part| match part {
            Part::Version(version) => {
                json.member("record_version", |json| json.number(i64::from(*version)));
            }
            Part::Person(named, tokens) => {
                json.member("person", |json| json.person(*named, *tokens));
            }
            Part::Field(field) => json.field(field),
            Part::Text(name, text) => json.member(name, |json| json.text(text)),
            Part::Target(id) => json.member("target", |json| json.event(*id)),
            Part::Year(year) => json.member("period", |json| json.text(&year.to_string())),
            Part::Fields(fields) => {
                json.member("fields", |json| json.object(fields.iter(), Json::field));
            }
        });
        json.out
    }

    fn parts(&self) -> SmallVec<[Part<'_>; 20]> {
        let mut parts: SmallVec<[Part<'_>; 20]> = SmallVec::new();
        parts.push(Part::Version(self.version));
        match &self.body {
            Body::Fact(fields) => {
                parts.push(Part::Field(&fields[0]));
                if let Some((named, tokens)) = self.person {
                    parts.push(Part::Person(named, tokens));
                }
                parts.extend(fields[1..].iter().map(Part::Field));
            }
            Body::Correction { target, target_type, fields, reason } => {
                parts.push(Part::Target(*target));
                parts.push(Part::Text("target_type", target_type.name()));
                parts.push(Part::Fields(fields));
                parts.push(Part::Text("reason", reason));
            }
            Body::Retraction { target, target_type, reason } => {
                parts.push(Part::Target(*target));
                parts.push(Part::Text("target_type", target_type.name()));
                parts.push(Part::Text("reason", reason));
            }
            Body::Expected { agency, year, kind } => {
                parts.push(Part::Text("agency", agency.code));
                parts.push(Part::Year(*year));
                parts.push(Part::Text("kind", kind));
            }
            Body::Nil { year, kind } => {
                parts.push(Part::Year(*year));
                parts.push(Part::Text("kind", kind));
            }
        }
        parts
    }

    /// The line of the log that carries the message.
    pub(super) fn line(
        &self,
        seed: u64,
        style: Style,
        logged_ms: i64,
        expected: Expected,
        note: &'static str,
    ) -> Feedline {
        let envelope = self.envelope(seed);
        let data = self.data(seed, style.loose);
        let mut line = carry(self.record.agency.topic, envelope, data, style.structured);
        line.log_timestamp_ms = logged_ms;
        line.expected = expected;
        line.note = note;
        line
    }
}

/// Puts envelope and data on a topic. The key is the subject, the record id.
pub(super) fn carry(topic: &'static str, envelope: Envelope, data: Vec<u8>, structured: bool) -> Feedline {
    let key = envelope.iter().find(|(name, _)| *name == "subject").map(|(_, subject)| subject.to_vec());
    let (headers, value) = if structured {
        (
            vec![("content-type", Cow::Borrowed(b"application/cloudevents+json".as_slice()))],
            structured_value(&envelope, &data),
        )
    } else {
        (binary_headers(envelope), data)
    };
    Feedline { topic, key, headers, value, log_timestamp_ms: 0, expected: Expected::Accept, note: "" }
}

fn binary_headers(envelope: Envelope) -> Vec<Header> {
    let mut headers = Vec::with_capacity(envelope.len() + 1);
    for (name, value) in envelope {
        headers.push((header_name(name), value));
    }
    headers.push(("content-type", Cow::Borrowed(b"application/json".as_slice())));
    headers
}

fn header_name(attribute: &'static str) -> &'static str {
    match attribute {
        "specversion" => "ce_specversion",
        "id" => "ce_id",
        "source" => "ce_source",
        "type" => "ce_type",
        "dataschema" => "ce_dataschema",
        "subject" => "ce_subject",
        "time" => "ce_time",
        _ => "ce_synthetic",
    }
}

/// One JSON object of envelope and data. The subject's slash is escaped, as PHP writes it.
pub(super) fn structured_value(envelope: &Envelope, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() + 420);
    out.push(b'{');
    for (name, value) in envelope {
        out.push(b'"');
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        if *name == "synthetic" {
            out.extend_from_slice(value);
        } else {
            out.push(b'"');
            for &byte in value.iter() {
                if byte == b'/' && *name == "subject" {
                    out.push(b'\\');
                }
                out.push(byte);
            }
            out.push(b'"');
        }
        out.push(b',');
    }
    out.extend_from_slice(b"\"datacontenttype\":\"application/json\",\"data\":");
    out.extend_from_slice(data);
    out.push(b'}');
    out
}

/// A member of the data object.
enum Part<'a> {
    Version(u32),
    Person(Named, usize),
    Field(&'a Field),
    Text(&'static str, &'static str),
    Target(EventId),
    Year(i32),
    Fields(&'a Fields),
}

/// A JSON text in the making. No string here needs an escape: codes, opaque names, ids and dates only.
struct Json {
    out: Vec<u8>,
    seed: u64,
    loose: bool,
}

impl Json {
    fn object<T>(&mut self, members: impl Iterator<Item = T>, write: impl Fn(&mut Self, T)) {
        self.out.push(b'{');
        for (at, member) in members.enumerate() {
            self.comma(at);
            write(self, member);
        }
        self.out.push(b'}');
    }

    fn comma(&mut self, at: usize) {
        if at > 0 {
            self.out.extend_from_slice(if self.loose { b",\t " } else { b"," });
        }
    }

    fn member(&mut self, name: &str, value: impl FnOnce(&mut Self)) {
        self.text(name);
        self.out.extend_from_slice(if self.loose { b" : " } else { b":" });
        value(self);
    }

    fn text(&mut self, text: &str) {
        self.out.push(b'"');
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'"');
    }

    fn number(&mut self, number: i64) {
        let mut digits = [0u8; 20];
        let mut rest = number.unsigned_abs();
        let mut at = digits.len();
        while at == digits.len() || rest > 0 {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        if number < 0 {
            self.out.push(b'-');
        }
        self.out.extend_from_slice(&digits[at..]);
    }

    fn event(&mut self, id: EventId) {
        self.out.push(b'"');
        id.write(&mut self.out);
        self.out.push(b'"');
    }

    fn field(&mut self, field: &Field) {
        self.member(field.name, |json| json.value(&field.value));
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Code(code) => self.text(code),
            Value::Codes(codes) => {
                self.out.push(b'[');
                for (at, code) in codes.iter().enumerate() {
                    self.comma(at);
                    self.text(code);
                }
                self.out.push(b']');
            }
            Value::Number(number) => self.number(*number),
            Value::When(when) => {
                self.out.push(b'"');
                when.write(&mut self.out);
                self.out.push(b'"');
            }
            Value::Event(id) => self.event(*id),
            Value::Record(record) => {
                self.out.push(b'"');
                record.write(self.seed, &mut self.out);
                self.out.push(b'"');
            }
            Value::Agency(agency) => self.text(agency.code),
            Value::Sentence(sentence) => self.sentence(*sentence),
        }
    }

    fn sentence(&mut self, sentence: Sentence) {
        let parts = [
            ("imprisonment_months", sentence.imprisonment_months),
            ("fine_pkr", sentence.fine_pkr),
            ("compensation_pkr", sentence.compensation_pkr),
        ];
        let said = parts.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
        self.object(said, |json, (name, value)| {
            json.member(name, |json| json.number(value));
        });
    }

    fn person(&mut self, named: Named, tokens: usize) {
        self.out.push(b'[');
        for (at, kind) in named.person.kinds().iter().take(tokens).enumerate() {
            self.comma(at);
            self.out.extend_from_slice(b"{\"kind\":\"");
            self.out.extend_from_slice(kind.code().as_bytes());
            self.out.extend_from_slice(b"\",\"token\":\"");
            named.person.write_token(self.seed, named.agency, *kind, &mut self.out);
            self.out.extend_from_slice(b"\"}");
        }
        self.out.push(b']');
    }
}
