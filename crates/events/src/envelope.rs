//! The CloudEvents 1.0 envelope, from Kafka headers (binary mode) or a JSON object (structured mode). Avro values have
//! it in headers.
//!
//! Attributes that are not ours are left out and counted: only scalars, so that nothing deep or large hides there.
//! Absent: `data_base64`, batches, any other event format.

use crate::contract::{Key, missing, repeated};
use crate::{EventType, Fault, FaultDetail, calendar, form};
use crate::{avro, explain};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use uuid::Uuid;

/// The attributes of ours, in the order of [`Attributes::values`].
pub(crate) const NAMES: [&str; 9] =
    ["specversion", "id", "source", "type", "dataschema", "subject", "time", "datacontenttype", "synthetic"];

/// The place of an attribute in [`NAMES`].
fn place_of(name: &str) -> Option<usize> {
    Some(match name {
        "specversion" => 0,
        "id" => 1,
        "source" => 2,
        "type" => 3,
        "dataschema" => 4,
        "subject" => 5,
        "time" => 6,
        "datacontenttype" => 7,
        "synthetic" => 8,
        _ => return None,
    })
}

pub(crate) const DATA: u8 = 9;
const OTHER: u8 = 10;

/// The attributes as text, before their forms are checked.
#[derive(Default)]
pub(crate) struct Attributes<'a> {
    pub values: [Option<Cow<'a, str>>; 9],
    pub data: Option<&'a RawValue>,
    pub ignored: u32,
}

/// The envelope, its forms checked.
pub(crate) struct Envelope<'a> {
    pub id: Uuid,
    pub agency: &'a str,
    pub kind: EventType,
    /// The version of `dataschema`.
    pub version: u16,
    pub record_id: Cow<'a, str>,
    pub recorded_at: i64,
    pub synthetic: bool,
    pub ignored: u32,
}

/// How a message carries its envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carriage {
    Binary,
    Structured,
    /// Binary mode with an Avro value in Confluent framing.
    Avro,
}

/// What the headers of a message say, read in one pass.
pub(crate) struct Headers<'a> {
    /// The media type of `content-type`, without parameters.
    media: Option<&'a [u8]>,
    /// Whether there are headers `ce_*`.
    binary: bool,
    attributes: Attributes<'a>,
    /// The first fault among them, which concerns binary mode alone.
    fault: Option<Fault>,
}

/// Reads the headers of a message.
pub(crate) fn headers<'a>(headers: &'a [(&'a str, &'a [u8])]) -> Headers<'a> {
    let mut read = Headers { media: None, binary: false, attributes: Attributes::default(), fault: None };
    for (name, bytes) in headers {
        if let Some(attribute) = name.strip_prefix("ce_") {
            read.binary = true;
            if read.fault.is_none() {
                read.fault = read.attributes.take(attribute, bytes).err();
            }
        } else if read.media.is_none() && name.eq_ignore_ascii_case("content-type") {
            read.media = Some(bytes.split(|b| *b == b';').next().unwrap_or_default().trim_ascii());
        }
    }
    read
}

impl<'a> Headers<'a> {
    /// Tells binary from structured mode (CloudEvents Kafka binding 3): by `content-type`, else by the presence of `ce_*`.
    pub(crate) fn carriage(&self, value: Option<&[u8]>) -> Result<Carriage, Fault> {
        let Self { media, binary, .. } = *self;
        // Confluent's serializers set no content type of their own; no JSON document begins with their first byte.
        let framed = value.is_some_and(|value| value.first() == Some(&avro::MAGIC));
        match media {
            Some(b"application/json") if binary && !framed => Ok(Carriage::Binary),
            Some(m) if avro::is_avro(m) => Ok(Carriage::Avro),
            _ if binary && framed && !media.is_some_and(is_json_media) => Ok(Carriage::Avro),
            Some(m) if m.eq_ignore_ascii_case(b"application/cloudevents+json") => Ok(Carriage::Structured),
            Some(m) if binary && m.eq_ignore_ascii_case(b"application/json") => Ok(Carriage::Binary),
            Some(m) if !m.eq_ignore_ascii_case(b"application/json") => Err(Fault::schema(
                FaultDetail::NotAccepted,
                "header content-type",
                "`application/json` or `application/avro` (binary mode) or `application/cloudevents+json` (structured \
                 mode) is expected",
            )),
            None if binary => Ok(Carriage::Binary),
            _ => Ok(Carriage::Structured),
        }
    }

    /// The attributes of binary mode.
    pub(crate) fn attributes(self) -> Result<Attributes<'a>, Fault> {
        self.fault.map_or(Ok(self.attributes), Err)
    }
}

fn is_json_media(media: &[u8]) -> bool {
    media.eq_ignore_ascii_case(b"application/json") || media.eq_ignore_ascii_case(b"application/cloudevents+json")
}

/// Whether `datacontenttype` says JSON.
pub(crate) fn is_json(content_type: &str) -> bool {
    content_type.eq_ignore_ascii_case("application/json")
}

impl<'a> Attributes<'a> {
    /// Takes the attribute of a header `ce_*`.
    fn take(&mut self, name: &str, bytes: &'a [u8]) -> Result<(), Fault> {
        let Some(index) = place_of(name) else {
            self.ignored += 1;
            return Ok(());
        };
        let place = || format!("header ce_{}", NAMES[index]);
        let text = std::str::from_utf8(bytes).map_err(|_| {
            Fault::new(crate::FaultClass::Parse, FaultDetail::NotUtf8, place(), "UTF-8 text is expected")
        })?;
        if self.values[index].replace(Cow::Borrowed(text)).is_some() {
            return Err(Fault::schema(FaultDetail::Repeated, place(), "the header is expected once; send it once"));
        }
        Ok(())
    }
}

/// Reads the envelope of structured mode.
pub(crate) struct ReadEnvelope;

fn key(name: &str) -> Option<u8> {
    Some(match name {
        "data" => DATA,
        "data_base64" => return None,
        _ => place_of(name).map_or(OTHER, |p| p as u8),
    })
}

impl<'de> DeserializeSeed<'de> for ReadEnvelope {
    type Value = Attributes<'de>;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Attributes<'de>, D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ReadEnvelope {
    type Value = Attributes<'de>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a CloudEvents object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attributes<'de>, A::Error> {
        let mut attributes = Attributes::default();
        while let Some(key) = map.next_key_seed(Key(key))? {
            match key {
                DATA => {
                    if attributes.data.replace(map.next_value()?).is_some() {
                        return Err(A::Error::custom(repeated("data")));
                    }
                }
                OTHER => {
                    map.next_value_seed(Scalar)?;
                    attributes.ignored += 1;
                }
                own => {
                    let own = usize::from(own);
                    let value =
                        if NAMES[own] == "synthetic" { map.next_value_seed(Flag)? } else { map.next_value_seed(Text)? };
                    if attributes.values[own].replace(value).is_some() {
                        return Err(A::Error::custom(repeated(NAMES[own])));
                    }
                }
            }
        }
        if attributes.data.is_none() {
            return Err(A::Error::custom(missing("data")));
        }
        Ok(attributes)
    }
}

/// A string, borrowed unless it has escapes.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Cow<'de, str>, D::Error> {
        d.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// `true`, `false`, or one of them as a string (Kafka headers know only strings).
struct Flag;

impl<'de> DeserializeSeed<'de> for Flag {
    type Value = Cow<'de, str>;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Cow<'de, str>, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Flag {
    type Value = Cow<'de, str>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true or false")
    }
    fn visit_bool<E: Error>(self, flag: bool) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(if flag { "true" } else { "false" }))
    }
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// A scalar that is left out.
struct Scalar;

impl<'de> DeserializeSeed<'de> for Scalar {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

impl Visitor<'_> for Scalar {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, number or boolean")
    }
    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// What each attribute must be, in words.
pub(crate) fn expected(name: &str) -> &'static str {
    match name {
        "specversion" => "\"1.0\" is expected",
        "id" => "a UUID of version 7 (or 8, if imported) is expected, lower case with hyphens",
        "source" => "\"urn:pk:tip:\" and an agency code such as \"POL-PB\" are expected, without escapes",
        "type" => "an event type of this contract is expected, \"pk.tip.<noun>.<participle>\"",
        "dataschema" => {
            "\"https://schemas.amanat.example/<noun>.<participle>/v1\" or a later version is expected, of the same type"
        }
        "subject" => {
            "a record id is expected: the code of the source's agency, a slash, and an opaque token \
             (16 to 64 of 0123456789bcdfghjkmnpqrstvwxyz, at least four letters)"
        }
        "time" => "an RFC 3339 time with an offset is expected, for instance \"2024-03-09T10:15:00+05:00\"",
        "datacontenttype" => "the media type of the data is expected, \"application/json\" or \"application/avro\"",
        "synthetic" => "true or false is expected",
        "data" => "the event's data is expected as a JSON object",
        _ => "a string, number or boolean is expected",
    }
}

/// Checks the attributes. `fits` judges `datacontenttype`, `place` says where an attribute stands.
pub(crate) fn check(
    attributes: Attributes<'_>,
    fits: fn(&str) -> bool,
    place: impl Fn(&'static str) -> String,
) -> Result<Envelope<'_>, Fault> {
    let envelope = forms(attributes, fits, &place)?;
    let newest = envelope.kind.newest();
    if envelope.version <= newest {
        return Ok(envelope);
    }
    let expected = format!("a version up to {newest} of this type is expected; send it in one of these");
    Err(Fault::schema(FaultDetail::VersionNotSupported, place("dataschema"), expected))
}

/// Checks the forms of the attributes; the version may be one that is not known here.
pub(crate) fn forms<'a>(
    attributes: Attributes<'a>,
    fits: fn(&str) -> bool,
    place: &impl Fn(&'static str) -> String,
) -> Result<Envelope<'a>, Fault> {
    let [specversion, id, source, kind, dataschema, subject, time, content_type, synthetic] = attributes.values;
    let bad = |name: &'static str| Fault::schema(FaultDetail::NotAccepted, place(name), expected(name));
    let need = |value: Option<Cow<'a, str>>, name: &'static str| {
        value.ok_or_else(|| Fault::schema(FaultDetail::Missing, place(name), explain::add(expected(name))))
    };
    if need(specversion, "specversion")? != "1.0" {
        return Err(bad("specversion"));
    }
    let kind = event_type(&need(kind, "type")?, place)?;
    let version = kind.version_in(&need(dataschema, "dataschema")?).ok_or_else(|| bad("dataschema"))?;
    let id = form::parse_uuid(&need(id, "id")?).ok_or_else(|| bad("id"))?;
    let Cow::Borrowed(source) = need(source, "source")? else {
        return Err(bad("source"));
    };
    let agency =
        source.strip_prefix(form::SOURCE_PREFIX).filter(|a| form::is_agency(a)).ok_or_else(|| bad("source"))?;
    let record_id = need(subject, "subject")?;
    if form::agency_of_record(&record_id) != Some(agency) {
        return Err(bad("subject"));
    }
    let recorded_at = calendar::parse_instant(&need(time, "time")?).ok_or_else(|| bad("time"))?;
    if content_type.is_some_and(|c| !fits(&c)) {
        return Err(bad("datacontenttype"));
    }
    let synthetic = match synthetic.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(bad("synthetic")),
    };
    Ok(Envelope { id, agency, kind, version, record_id, recorded_at, synthetic, ignored: attributes.ignored })
}

pub(crate) fn event_type(name: &str, place: &impl Fn(&'static str) -> String) -> Result<EventType, Fault> {
    EventType::from_name(name).ok_or_else(|| Fault::schema(FaultDetail::UnknownType, place("type"), expected("type")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attribute_has_the_place_of_its_name() {
        assert_eq!(NAMES.map(place_of), std::array::from_fn(Some));
        assert_eq!(place_of("data"), None);
    }
}
