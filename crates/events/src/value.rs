//! The kinds of value that a field can have: each reads itself, writes itself, describes itself as JSON Schema and
//! as an Avro type, and says in words what it expects. One source, so that decoder and schema cannot drift.
//!
//! Absent: free text. There is no kind for it; what names a place, a court or a publication has a form of its own (`reference`).

use crate::avro::write;
use crate::calendar::{Occurred, Precision};
use crate::code_list::Tag;
use crate::contract::{Key, Parse, Read, Step, repeated, wrong};
use crate::data::{CodeSet, Sentence};
use crate::{EventType, form};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Value, json};
use std::fmt::{self, Write as _};
use std::marker::PhantomData;
use uuid::Uuid;

/// A kind of value.
pub(crate) trait Kind {
    type Out;
    fn read<'de, D: Deserializer<'de>>(d: D) -> Result<Self::Out, D::Error>;
    fn write(value: &Self::Out, out: &mut String);
    fn schema() -> Value;
    /// Its Avro type.
    fn avro() -> Value;
    /// Writes it as a value of its Avro type.
    fn write_avro(value: &Self::Out, out: &mut Vec<u8>);
    fn expected(path: &[Step]) -> String;
}

fn quoted(out: &mut String, text: impl fmt::Display) {
    let _ = write!(out, "\"{text}\"");
}

/// One code of a list.
pub(crate) struct Code<L>(PhantomData<L>);

impl<L: Tag> Kind for Code<L> {
    type Out = u16;
    #[inline]
    fn read<'de, D: Deserializer<'de>>(d: D) -> Result<u16, D::Error> {
        Parse(L::code).deserialize(d)
    }
    fn write(value: &u16, out: &mut String) {
        quoted(out, L::list().text(*value));
    }
    fn schema() -> Value {
        json!({ "enum": L::codes().iter().map(|c| c.code).collect::<Vec<_>>() })
    }
    /// A string and not an Avro enum: most codes are no Avro names (`09-17`, `PK-PB`).
    fn avro() -> Value {
        json!("string")
    }
    fn write_avro(value: &u16, out: &mut Vec<u8>) {
        write::text(L::list().text(*value), out);
    }
    fn expected(_: &[Step]) -> String {
        format!(
            "a code of the list `{}` is expected, for instance \"{}\"; \"_X\" if unknown",
            L::NAME,
            L::codes()[0].code
        )
    }
}

/// Several different codes of a list, at least one.
pub(crate) struct Codes<L>(PhantomData<L>);

/// Most codes in one field.
pub(crate) const MOST_CODES: usize = 17;

struct ReadCodes<L>(PhantomData<L>);

impl<'de, L: Tag> Visitor<'de> for ReadCodes<L> {
    type Value = CodeSet;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of codes")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<CodeSet, A::Error> {
        let mut codes = CodeSet::new();
        while let Some(code) = seq.next_element_seed(Read::<Code<L>>::new())? {
            if codes.len() == MOST_CODES || codes.contains(&code) {
                return Err(A::Error::custom(wrong()));
            }
            codes.push(code);
        }
        if codes.is_empty() { Err(A::Error::custom(wrong())) } else { Ok(codes) }
    }
}

impl<L: Tag> Kind for Codes<L> {
    type Out = CodeSet;
    #[inline]
    fn read<'de, D: Deserializer<'de>>(d: D) -> Result<CodeSet, D::Error> {
        d.deserialize_seq(ReadCodes::<L>(PhantomData))
    }
    fn write(value: &CodeSet, out: &mut String) {
        out.push('[');
        for (i, code) in value.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            Code::<L>::write(code, out);
        }
        out.push(']');
    }
    fn schema() -> Value {
        json!({ "type": "array", "minItems": 1, "maxItems": MOST_CODES, "uniqueItems": true, "items": Code::<L>::schema() })
    }
    fn avro() -> Value {
        json!({ "type": "array", "items": Code::<L>::avro() })
    }
    fn write_avro(value: &CodeSet, out: &mut Vec<u8>) {
        write::array(value, out, Code::<L>::write_avro);
    }
    fn expected(path: &[Step]) -> String {
        match path {
            [] => format!("a list of one to {MOST_CODES} different codes of the list `{}` is expected", L::NAME),
            rest => Code::<L>::expected(rest),
        }
    }
}

/// A whole number in a range.
pub(crate) struct Int<const MIN: i64, const MAX: i64>;

struct ReadInt<const MIN: i64, const MAX: i64>;

impl<const MIN: i64, const MAX: i64> Visitor<'_> for ReadInt<MIN, MAX> {
    type Value = i64;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }
    fn visit_i64<E: Error>(self, n: i64) -> Result<i64, E> {
        if (MIN..=MAX).contains(&n) { Ok(n) } else { Err(E::custom(wrong())) }
    }
    fn visit_u64<E: Error>(self, n: u64) -> Result<i64, E> {
        i64::try_from(n).map_err(|_| E::custom(wrong())).and_then(|n| self.visit_i64(n))
    }
}

impl<const MIN: i64, const MAX: i64> Kind for Int<MIN, MAX> {
    type Out = i64;
    fn read<'de, D: Deserializer<'de>>(d: D) -> Result<i64, D::Error> {
        d.deserialize_i64(ReadInt::<MIN, MAX>)
    }
    fn write(value: &i64, out: &mut String) {
        let _ = write!(out, "{value}");
    }
    fn schema() -> Value {
        json!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
    /// Always a long: on the wire an int is the same bytes, and a writer's int is promoted to it.
    fn avro() -> Value {
        json!("long")
    }
    fn write_avro(value: &i64, out: &mut Vec<u8>) {
        write::long(*value, out);
    }
    fn expected(_: &[Step]) -> String {
        format!("a whole number of {MIN} to {MAX} is expected, without quotes and without a decimal point")
    }
}

macro_rules! parsed {
    ($(#[$doc:meta])* $name:ident: $out:ty, $parse:expr, $shown:expr, $schema:expr, $expected:expr) => {
        $(#[$doc])*
        pub(crate) struct $name;
        impl Kind for $name {
            type Out = $out;
            #[inline]
            fn read<'de, D: Deserializer<'de>>(d: D) -> Result<$out, D::Error> {
                Parse($parse).deserialize(d)
            }
            fn write(value: &$out, out: &mut String) {
                quoted(out, ($shown)(value));
            }
            fn schema() -> Value {
                $schema
            }
            fn avro() -> Value {
                json!("string")
            }
            fn write_avro(value: &$out, out: &mut Vec<u8>) {
                write::text(&($shown)(value).to_string(), out);
            }
            fn expected(_: &[Step]) -> String {
                $expected.into()
            }
        }
    };
}

parsed!(
    /// When it happened: a day, month, quarter or year.
    When: Occurred, Occurred::parse,
    |v: &Occurred| *v,
    json!({ "type": "string", "pattern": crate::schema::date_pattern(true) }),
    "a date such as \"2024-03-09\", \"2024-03\", \"2024-Q1\" or \"2024\" is expected, not before 1947-08-14"
);

parsed!(
    /// A reporting period: a month, quarter or year.
    Period: Occurred, |t| Occurred::parse(t).filter(|o| o.precision != Precision::Day),
    |v: &Occurred| *v,
    json!({ "type": "string", "pattern": crate::schema::date_pattern(false) }),
    "a period such as \"2024-03\", \"2024-Q1\" or \"2024\" is expected"
);

parsed!(
    /// The id of another event.
    Reference: Uuid, form::parse_uuid,
    |v: &Uuid| v.hyphenated(),
    json!({ "type": "string", "pattern": form::UUID_PATTERN }),
    "the id of an event is expected: a UUID of version 7 (or 8), lower case with hyphens"
);

parsed!(
    /// A case id, `<AGENCY>/<opaque>`.
    CaseId: String, |t| form::agency_of_record(t).map(|_| t.to_owned()),
    String::clone,
    crate::person::token_schema(&format!("{}/", form::AGENCY_PATTERN)),
    "a case id is expected: the registering agency's code, a slash, and an opaque token"
);

parsed!(
    /// The record id of a helpline's contact, `<AGENCY>/<opaque>`.
    ContactId: String, |t| form::agency_of_record(t).map(|_| t.to_owned()),
    String::clone,
    crate::person::token_schema(&format!("{}/", form::AGENCY_PATTERN)),
    "the id of a helpline's contact is expected: the helpline's code, a slash, and an opaque token"
);

parsed!(
    /// An agency code.
    AgencyCode: String, |t| form::is_agency(t).then(|| t.to_owned()),
    String::clone,
    json!({ "type": "string", "pattern": format!("^{}$", form::AGENCY_PATTERN) }),
    "an agency code such as \"POL-PB\" is expected"
);

parsed!(
    /// The place of a row in the log, as receipts and the warehouse write it.
    LogPlace: String, |t| form::is_log_place(t).then(|| t.to_owned()),
    String::clone,
    json!({ "type": "string", "pattern": form::LOG_PLACE_PATTERN }),
    "the place of a row is expected, `<log>/<stream>/<partition>/<offset>`, as the warehouse writes it"
);

mod reference;
pub(crate) use reference::{
    AreaCode, CourtCode, Day, EnglishLabel, EnglishName, ListName, ListedCode, Publication, UrduLabel, UrduName,
};

/// A type that may be a target: of the first so many of the contract, those that a version knows.
macro_rules! target {
    ($(#[$doc:meta])* $name:ident, $which:expr, $newest:literal) => {
        $(#[$doc])*
        pub(crate) struct $name<const KNOWN: usize = { usize::MAX }>;
        impl<const KNOWN: usize> $name<KNOWN> {
            fn is_meant(kind: EventType) -> bool {
                kind.before() < KNOWN && ($which)(kind)
            }
            fn parse(text: &str) -> Option<EventType> {
                EventType::from_name(text).filter(|kind| Self::is_meant(*kind))
            }
        }
        impl<const KNOWN: usize> Kind for $name<KNOWN> {
            type Out = EventType;
            #[inline]
            fn read<'de, D: Deserializer<'de>>(d: D) -> Result<EventType, D::Error> {
                Parse(Self::parse).deserialize(d)
            }
            fn write(value: &EventType, out: &mut String) {
                quoted(out, value);
            }
            fn schema() -> Value {
                let meant = EventType::ALL.iter().filter(|kind| Self::is_meant(**kind));
                json!({ "enum": meant.map(|kind| kind.name()).collect::<Vec<_>>() })
            }
            fn avro() -> Value {
                json!("string")
            }
            fn write_avro(value: &EventType, out: &mut Vec<u8>) {
                write::text(value.name(), out);
            }
            fn expected(_: &[Step]) -> String {
                let since = if KNOWN == usize::MAX { "" } else { ", one that this version knows," };
                format!(concat!($newest, "{} is expected"), since)
            }
        }
    };
}

target!(
    /// The type of a fact.
    FactRef, EventType::is_fact, "the type of a fact, for instance \"pk.tip.victim.identified\""
);
target!(
    /// The type of a fact or of a correction.
    RetractableRef, EventType::is_retractable, "the type of a fact or \"pk.tip.record.corrected\""
);

parsed!(
    /// The id of a person in the warehouse: the surrogate of the token that named her first, at the agency that did.
    PersonId: [u8; 16], crate::person::surrogate,
    |v: &[u8; 16]| format!("{:032x}", u128::from_be_bytes(*v)),
    json!({ "type": "string", "pattern": "^[0-9a-f]{32}$" }),
    "the id of a person is expected: 32 lower-case hexadecimal digits, as the warehouse tells it to linkage and the steward"
);

impl Sentence {
    /// Its parts by name, in the order of the contract.
    fn parts(&self) -> [(&'static str, Option<i64>); 3] {
        [
            ("imprisonment_months", self.imprisonment_months),
            ("fine_pkr", self.fine_pkr),
            ("compensation_pkr", self.compensation_pkr),
        ]
    }
}

type Months = Int<0, 1_200>;
type Rupees = Int<0, 1_000_000_000_000>;

/// A sentence: at least one of its three fields.
pub(crate) struct SentenceKind;

struct ReadSentence;

impl<'de> Visitor<'de> for ReadSentence {
    type Value = Sentence;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sentence, A::Error> {
        let mut s = Sentence::default();
        while let Some(key) = map.next_key_seed(Key(sentence_key))? {
            let (slot, name, value) = match key {
                0 => (&mut s.imprisonment_months, "imprisonment_months", map.next_value_seed(Read::<Months>::new())?),
                1 => (&mut s.fine_pkr, "fine_pkr", map.next_value_seed(Read::<Rupees>::new())?),
                _ => (&mut s.compensation_pkr, "compensation_pkr", map.next_value_seed(Read::<Rupees>::new())?),
            };
            if slot.replace(value).is_some() {
                return Err(A::Error::custom(repeated(name)));
            }
        }
        if s == Sentence::default() { Err(A::Error::custom(wrong())) } else { Ok(s) }
    }
}

fn sentence_key(name: &str) -> Option<u8> {
    match name {
        "imprisonment_months" => Some(0),
        "fine_pkr" => Some(1),
        "compensation_pkr" => Some(2),
        _ => None,
    }
}

impl Kind for SentenceKind {
    type Out = Sentence;
    fn read<'de, D: Deserializer<'de>>(d: D) -> Result<Sentence, D::Error> {
        d.deserialize_map(ReadSentence)
    }
    fn write(value: &Sentence, out: &mut String) {
        let mut object = crate::contract::ObjectWriter::open(out);
        for (name, value) in value.parts() {
            if let Some(n) = value {
                object.field::<Rupees>(name, &n);
            }
        }
        object.close();
    }
    fn schema() -> Value {
        json!({
            "type": "object", "additionalProperties": false, "minProperties": 1,
            "properties": {
                "imprisonment_months": Months::schema(), "fine_pkr": Rupees::schema(), "compensation_pkr": Rupees::schema()
            }
        })
    }
    fn avro() -> Value {
        let parts = Sentence::default().parts();
        let fields = parts.iter().map(|(name, _)| crate::avro::optional_field(name, &json!("long"), None));
        crate::avro::record("Sentence", "What a court imposed; at least one part.", fields.collect())
    }
    fn write_avro(value: &Sentence, out: &mut Vec<u8>) {
        for (_, part) in value.parts() {
            write::optional::<Rupees>(part.as_ref(), out);
        }
    }
    fn expected(path: &[Step]) -> String {
        match path {
            [Step::Name("imprisonment_months"), ..] => Months::expected(&[]),
            [Step::Name(_), ..] => Rupees::expected(&[]),
            _ => {
                "an object with one or more of `imprisonment_months`, `fine_pkr`, `compensation_pkr` is expected".into()
            }
        }
    }
}
