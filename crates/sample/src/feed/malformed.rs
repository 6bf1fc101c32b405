//! Lines that are no events: every kind of bad input that a line of a feed can be, each with the reason for which it
//! must be set aside.
//!
//! A malformed line is made from a good message under an id of its own, so that setting it aside loses nothing.

use events::EventType;

use crate::agency::agency;
use crate::codes::Codes;
use crate::names::EventId;
use crate::when::{DAY_MS, When, day_of_ms, days};

use super::fields::Value;
use super::message::{Body, Envelope, Message, carry};
use super::{Expected, Feedline, Reason};

/// Bytes of an ordinary oversize line: a little more than the limit of 1 MiB.
const OVERSIZE: usize = (1 << 20) + 4096;
/// Bytes of the dedicated feed's first oversize line.
const ENORMOUS: usize = 20_000_000;
/// How deep a nested line goes.
const DEPTH: usize = 1000;

/// How a line is malformed, and why it is therefore set aside.
pub const MALFORMATIONS: [(&str, Reason); 28] = [
    ("not UTF-8", Reason::Parse),
    ("half a JSON", Reason::Parse),
    ("two documents in a line", Reason::Parse),
    ("empty", Reason::Parse),
    ("not JSON", Reason::Parse),
    ("nesting 1,000 deep", Reason::Parse),
    ("oversize", Reason::Oversize),
    ("a number where a code belongs", Reason::Schema),
    ("a code not in the list", Reason::Schema),
    ("a code twice", Reason::Schema),
    ("a date in 1890", Reason::Schema),
    ("a date next year", Reason::Schema),
    ("a day that is not in the calendar", Reason::Schema),
    ("recorded after it was logged", Reason::Schema),
    ("a required field missing", Reason::Schema),
    ("an unknown field", Reason::Schema),
    ("a null", Reason::Schema),
    ("a field twice", Reason::Schema),
    ("a token of digits alone", Reason::Schema),
    ("data that is a list", Reason::Schema),
    ("another agency's record", Reason::Schema),
    ("no time", Reason::Schema),
    ("an id of version 4", Reason::Schema),
    ("an unknown type", Reason::Schema),
    ("a type not accepted yet", Reason::Schema),
    ("another agency's type", Reason::TypeNotPermitted),
    ("another agency's topic", Reason::AgencyMismatch),
    ("not synthetic", Reason::WrongStore),
];

/// Breaks a share of the lines.
pub(super) struct Breaker {
    share_ppm: u32,
    owed_ppm: u32,
    made: u64,
    oversize_left: u32,
    enormous: bool,
}

impl Breaker {
    /// One line in a thousand; few of them large.
    pub(super) fn in_passing() -> Self {
        Self { share_ppm: 1000, owed_ppm: 0, made: 0, oversize_left: 2, enormous: false }
    }

    /// The given share in parts per million, the first oversize line enormous.
    pub(super) fn dedicated(share_ppm: u32) -> Self {
        Self { share_ppm, owed_ppm: 0, made: 0, oversize_left: 20, enormous: true }
    }

    /// No line.
    pub(super) fn never() -> Self {
        Self { share_ppm: 0, owed_ppm: 0, made: 0, oversize_left: 0, enormous: false }
    }

    /// A malformed line like this message, if one is due and the message lends itself to it.
    pub(super) fn after(&mut self, message: &Message, seed: u64, logged_ms: i64) -> Option<Feedline> {
        self.owed_ppm += self.share_ppm;
        let lends_itself = matches!(
            message.kind,
            EventType::VictimIdentified
                | EventType::AccusedArrested
                | EventType::ChargeFiled
                | EventType::JudgmentDelivered
        );
        if self.owed_ppm < 1_000_000 || !lends_itself {
            return None;
        }
        self.owed_ppm -= 1_000_000;
        let mut kind = (self.made % MALFORMATIONS.len() as u64) as usize;
        self.made += 1;
        if MALFORMATIONS[kind].0 == "oversize" {
            if self.oversize_left == 0 {
                kind = 0;
            }
            self.oversize_left = self.oversize_left.saturating_sub(1);
        }
        let (note, reason) = MALFORMATIONS[kind];
        let enormous = note == "oversize" && std::mem::take(&mut self.enormous);
        let bytes = if enormous { ENORMOUS } else { OVERSIZE };
        let id = EventId::new(seed, message.recorded_ms, (1 << 63) | self.made);
        let draft = Draft { message: Message { id, ..message.clone() }, seed, logged_ms };
        let mut line = draft.broken(note, bytes);
        line.log_timestamp_ms = logged_ms;
        line.expected = Expected::SetAside(reason);
        line.note = note;
        Some(line)
    }
}

/// A message about to be broken.
struct Draft {
    message: Message,
    seed: u64,
    logged_ms: i64,
}

impl Draft {
    fn broken(mut self, how: &'static str, oversize: usize) -> Feedline {
        let recorded_day = day_of_ms(self.message.recorded_ms);
        match how {
            "a number where a code belongs" => self.set(Value::Number(3)),
            "a code not in the list" => self.set(Value::Code("unheard_of")),
            "a code twice" => self.set_list(),
            "a date in 1890" => self.set_day(When::on(days(1890, 5, 9))),
            "a date next year" => self.set_day(When::on(recorded_day + 366)),
            "a required field missing" => self.leave_out(),
            "recorded after it was logged" => {
                self.message.recorded_ms = self.logged_ms + 3 * DAY_MS;
            }
            "another agency's type" => {
                self.message.record.agency = agency(unentitled(self.message.kind));
            }
            _ => {}
        }
        self.altered(how, oversize)
    }

    /// The line with envelope, data or value altered as text.
    fn altered(&self, how: &'static str, oversize: usize) -> Feedline {
        let mut envelope = self.message.envelope(self.seed);
        let mut data = self.message.data(self.seed, false);
        let structured = self.message.usual_style().structured;
        let mut topic = self.message.record.agency.topic;
        match how {
            "a day that is not in the calendar" => {
                insert(&mut data, b"\"occurred_on\":\"2023-02-30\"", Some("occurred_on"));
            }
            "an unknown field" => insert(&mut data, b"\"remarks\":\"none\"", None),
            "a null" => insert(&mut data, b"\"sex\":null", Some("sex")),
            "a field twice" => insert(&mut data, b"\"record_version\":1", None),
            "a token of digits alone" => insert(
                &mut data,
                b"\"person\":[{\"kind\":\"document\",\"token\":\"0000000000000000\"}]",
                Some("person"),
            ),
            "nesting 1,000 deep" => insert(&mut data, &nested(), None),
            "data that is a list" => data = [b"[", data.as_slice(), b"]"].concat(),
            "another agency's record" => {
                set(&mut envelope, "subject", b"OEP/bcdfghjkmnpqrstvwxyz0123");
            }
            "no time" => envelope.retain(|(name, _)| *name != "time"),
            "an id of version 4" => {
                set(&mut envelope, "id", b"3b241101-e2bb-4255-8caf-4136c566a962");
            }
            "an unknown type" => set_type(&mut envelope, "case.vanished"),
            "a type not accepted yet" => set_type(&mut envelope, "case.transferred"),
            "another agency's topic" => topic = elsewhere(topic),
            "not synthetic" => set(&mut envelope, "synthetic", b"false"),
            _ => {}
        }
        let mut line = carry(topic, envelope, data, structured);
        let value = &mut line.value;
        match how {
            "not UTF-8" => {
                let middle = value.len() / 2;
                value[middle] = 0xff;
            }
            "half a JSON" => value.truncate(value.len() / 2),
            "two documents in a line" => value.extend_from_within(..),
            "empty" => value.clear(),
            "not JSON" => *value = b"agency;record;date;remarks".to_vec(),
            "oversize" => {
                let closing = value.pop();
                value.resize(oversize - 1, b' ');
                value.extend(closing);
            }
            _ => {}
        }
        line
    }

    /// Replaces the first required field after the date.
    fn set(&mut self, value: Value) {
        if let Body::Fact(fields) = &mut self.message.body {
            fields[1].value = value;
        }
    }

    fn set_day(&mut self, when: When) {
        if let Body::Fact(fields) = &mut self.message.body {
            fields[0].value = Value::When(when);
        }
    }

    /// Names a code twice in the first list.
    fn set_list(&mut self) {
        if let Body::Fact(fields) = &mut self.message.body {
            for field in fields {
                if let Value::Codes(codes) = &mut field.value {
                    *codes = Codes::from_slice(&[codes[0], codes[0]]);
                    return;
                }
            }
        }
    }

    fn leave_out(&mut self) {
        if let Body::Fact(fields) = &mut self.message.body {
            fields.remove(1);
        }
    }
}

/// Inserts a member at the beginning of an object; a member named `instead_of` is renamed away from its place first.
fn insert(data: &mut Vec<u8>, member: &[u8], instead_of: Option<&str>) {
    if let Some(name) = instead_of {
        remove(data, name);
    }
    let rest = data.split_off(1);
    data.extend_from_slice(member);
    data.push(b',');
    data.extend_from_slice(&rest);
}

/// Removes a top-level member and its comma. Values here are strings or lists of flat objects without brackets inside.
fn remove(data: &mut Vec<u8>, name: &str) {
    let quoted = format!("\"{name}\":");
    let start = data.windows(quoted.len()).position(|at| at == quoted.as_bytes()).expect("these types have the field");
    let after = start + quoted.len();
    let end_of_value = if data[after] == b'[' { b']' } else { b'"' };
    let length = data[after + 1..].iter().position(|byte| *byte == end_of_value).expect("the value is closed") + 2;
    data.drain(start..=(after + length));
}

/// A member 1,000 lists deep.
fn nested() -> Vec<u8> {
    [b"\"remarks\":".to_vec(), vec![b'['; DEPTH], vec![b']'; DEPTH]].concat()
}

fn set(envelope: &mut Envelope, attribute: &str, to: &[u8]) {
    for (name, value) in envelope {
        if *name == attribute {
            *value = to.to_vec().into();
        }
    }
}

fn set_type(envelope: &mut Envelope, name: &str) {
    set(envelope, "type", format!("pk.tip.{name}").as_bytes());
    set(envelope, "dataschema", format!("https://schemas.amanat.example/{name}/v1").as_bytes());
}

/// An agency that may not emit the type (domain.md 4, column "by").
fn unentitled(kind: EventType) -> &'static str {
    match kind {
        EventType::VictimIdentified => "PRO-PB",
        EventType::AccusedArrested => "LAB-PB",
        EventType::ChargeFiled => "POL-PB",
        _ => "SHL-PB",
    }
}

/// Another agency's topic.
fn elsewhere(topic: &str) -> &'static str {
    agency(if topic == agency("FIA").topic { "POL-PB" } else { "FIA" }).topic
}
