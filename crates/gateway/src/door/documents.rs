//! What a body consists of: one event, a batch, lines, or rows of a CSV file. Each part is handed on by itself, with its number.

use axum::http::{HeaderMap, header};
use serde::Deserializer as _;
use serde::de::{SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::problem::{Kind, Problem};

/// The media types of bodies, for problems and for the API document.
const TYPES: &str = "application/cloudevents+json or application/json (one event), application/cloudevents-batch+json (a JSON array), \
                     application/x-ndjson (one event in a line) or text/csv with ?mapping=NAME";

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// One structured CloudEvent.
    One,
    /// A JSON array of them (CloudEvents JSON format 1.0, section 4).
    Batch,
    /// One in a line.
    Lines,
    /// Rows, which a mapping makes events of.
    Csv,
}

impl Form {
    /// By `Content-Type`.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let unread = |detail: &str, hint: String| Err(Problem::new(Kind::UnsupportedMediaType, detail, hint));
        let mut all = headers.get_all(header::CONTENT_TYPE).iter();
        let (Some(one), None) = (all.next(), all.next()) else {
            return unread("One `Content-Type` is expected.", format!("Send {TYPES}."));
        };
        let text = one.to_str().unwrap_or_default().to_ascii_lowercase();
        let (essence, parameters) = text.split_once(';').unwrap_or((&text, ""));
        if !parameters.split(';').all(is_utf8) {
            return unread("The body is said to be in another character set than UTF-8.", "Send it in UTF-8.".into());
        }
        if headers.contains_key("ce-specversion") {
            let hint = format!("Put the envelope into the body (structured mode): {TYPES}.");
            return unread("An event in binary mode (its envelope in `ce-` headers) is not read here.", hint);
        }
        match essence.trim() {
            "application/cloudevents+json" | "application/json" => Ok(Self::One),
            "application/cloudevents-batch+json" => Ok(Self::Batch),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(Self::Lines),
            "text/csv" => Ok(Self::Csv),
            _ => unread("The body has a media type that is not read.", format!("Send {TYPES}.")),
        }
    }
}

/// Whether a parameter of a media type is none of a character set, or says UTF-8.
fn is_utf8(parameter: &str) -> bool {
    let charset = parameter.trim().strip_prefix("charset=").map(|value| value.trim_matches('"'));
    charset.is_none_or(|charset| ["utf-8", "utf8", "us-ascii"].contains(&charset))
}

/// A body without the mark by which some programs begin UTF-8.
pub(crate) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// Hands on each event of a body that is JSON.
pub(crate) fn each(
    form: Form,
    body: &[u8],
    most: usize,
    mut take: impl FnMut(u32, &[u8]) -> Result<(), Problem>,
) -> Result<(), Problem> {
    match form {
        Form::Batch => batch(body, most, &mut take),
        Form::Lines | Form::Csv => {
            let lines = (1..).zip(body.split(|byte| *byte == b'\n'));
            let filled = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
            for (count, (number, line)) in filled.enumerate() {
                if count == most {
                    return Err(too_many(most));
                }
                take(number, line.strip_suffix(b"\r").unwrap_or(line))?;
            }
            Ok(())
        }
        Form::One => take(1, body),
    }
}

/// The elements of an array, each as it is written. No more of them are kept than may be there.
fn batch(body: &[u8], most: usize, take: &mut impl FnMut(u32, &[u8]) -> Result<(), Problem>) -> Result<(), Problem> {
    let broken =
        |what: &str| Problem::new(Kind::Malformed, what, "Send a JSON array of CloudEvents, in UTF-8 and whole.");
    let text = std::str::from_utf8(body).map_err(|_| broken("The batch is not UTF-8."))?;
    let mut json = serde_json::Deserializer::from_str(text);
    let read = json.deserialize_seq(Elements { most }).and_then(|elements| json.end().map(|()| elements));
    let elements = read.map_err(|error| {
        let (line, column) = (error.line(), error.column());
        broken(&format!("The batch is not one JSON array, as is seen at line {line}, column {column}."))
    })?;
    if elements.len() > most {
        return Err(too_many(most));
    }
    (1..).zip(elements).try_for_each(|(number, element)| take(number, element.get().as_bytes()))
}

struct Elements {
    most: usize,
}

impl<'de> Visitor<'de> for Elements {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::new();
        while let Some(element) = elements.next_element()? {
            if found.len() <= self.most {
                found.push(element);
            }
        }
        Ok(found)
    }
}

pub(crate) fn too_many(most: usize) -> Problem {
    Problem::new(
        Kind::TooManyEvents,
        format!("The request has more than {most} events."),
        "Send them in several requests.",
    )
}
