//! The error path: reads a message once more to say, in words that hold nothing of it, what is wrong and where.
//!
//! `Display` of serde and serde_json quotes values and unknown keys. Here only the kind of a mistake is taken from such
//! a message (by how it begins, which the input cannot choose), the path is kept only where the contract knows its
//! names, and what was expected comes from the contract (design: ingestion.md 3.6).

use crate::contract::{self, Contract, MARK, Mode, ReadData, Step};
use crate::data::{self, each_plain};
use crate::envelope::{self, ReadEnvelope};
use crate::locate::{self, Part};
use crate::{EventType, Fault, FaultClass, FaultDetail};
use serde::de::{DeserializeSeed, IgnoredAny};
use serde_json::value::RawValue;
use serde_path_to_error::{Segment, Track};
use std::fmt::Write as _;

/// No event nests deeper: envelope, data, person or sentence or fields, and their parts.
const MAX_DEPTH: usize = 16;

pub(crate) const OTHER_ATTRIBUTE: &str =
    "an attribute that is not ours is left out, but it must be a string, number or boolean";
pub(crate) const WHOLE_EVENT: &str = "a CloudEvents 1.0 object is expected, with the event in `data`";

/// What to do about a field that the contract does not know.
pub(crate) fn unknown_field(names: &str) -> String {
    format!("a field here is not one of the contract's; expected are {names}; leave it out or correct its name")
}

/// The words of one type of data.
pub(crate) struct Words {
    pub own_name: fn(&str) -> Option<&'static str>,
    pub expected: fn(&[Step]) -> String,
    pub known_names: fn(&[Step], Mode) -> String,
}

fn words_of<T: Contract>() -> Words {
    Words { own_name: contract::own_name::<T>, expected: contract::expected::<T>, known_names: known_names::<T> }
}

/// The words of a version of a type.
pub(crate) fn words((kind, version): (EventType, u16)) -> Words {
    macro_rules! dispatch {
        (
            [$($name:ident $patch:ident,)*]
            [$($of:ident $number:literal $old:ident $old_patch:ident $next:ident,)*]
        ) => {
            match (kind, version) {
                $((EventType::$of, $number) => words_of::<data::$old>(),)*
                $((EventType::$name, _) => words_of::<data::$name>(),)*
                (EventType::RecordCorrected, 1..=3) => words_of::<data::CorrectionHeadV3>(),
                (EventType::RecordCorrected, 4) => words_of::<data::CorrectionHeadV4>(),
                (EventType::RecordCorrected, _) => words_of::<data::CorrectionHead>(),
                (EventType::RecordRetracted, 1) => words_of::<data::RetractionHeadV1>(),
                (EventType::RecordRetracted, 2) => words_of::<data::RetractionHeadV2>(),
                (EventType::RecordRetracted, _) => words_of::<data::RetractionHead>(),
            }
        };
    }
    each_plain!(dispatch)
}

/// A remedy for what is absent.
pub(crate) fn add(expected: &str) -> String {
    format!("it is missing; {expected}")
}

/// Bytes that are not UTF-8.
pub(crate) fn not_utf8(bytes: &[u8]) -> Fault {
    let at = std::str::from_utf8(bytes).map_or_else(|e| e.valid_up_to(), |_| 0);
    let (line, column) = locate::line_column(bytes, at);
    Fault::new(
        FaultClass::Parse,
        FaultDetail::NotUtf8,
        format!("line {line}, column {column}"),
        "UTF-8 text is expected; save or send it in UTF-8",
    )
}

/// The fault of a text that is not one JSON document of bounded depth, if it is not.
pub(crate) fn broken(text: &str) -> Option<Fault> {
    if locate::depth(text.as_bytes(), MAX_DEPTH) > MAX_DEPTH {
        return Some(Fault::new(
            FaultClass::Parse,
            FaultDetail::TooDeep,
            "value",
            format!("at most {MAX_DEPTH} levels of nesting are expected; no event needs more"),
        ));
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let (error, detail, expected) = match IgnoredAny.deserialize_from(&mut json) {
        Err(e) if e.is_eof() => (
            e,
            FaultDetail::Truncated,
            "the JSON document ends too early; send it whole (in a file an event is one line: `jq -c .` makes one)",
        ),
        Err(e) => (e, FaultDetail::Syntax, "valid JSON is expected"),
        Ok(()) => match json.end() {
            Err(e) => {
                (e, FaultDetail::SecondDocument, "one JSON document in a message is expected; send each in its own")
            }
            Ok(()) => return None,
        },
    };
    let place = format!("line {}, column {}", error.line(), error.column());
    Some(Fault::new(FaultClass::Parse, detail, place, expected))
}

trait DeserializeFrom {
    fn deserialize_from(
        self,
        json: &mut serde_json::Deserializer<serde_json::de::StrRead<'_>>,
    ) -> Result<(), serde_json::Error>;
}

impl DeserializeFrom for IgnoredAny {
    fn deserialize_from(
        self,
        json: &mut serde_json::Deserializer<serde_json::de::StrRead<'_>>,
    ) -> Result<(), serde_json::Error> {
        <IgnoredAny as serde::Deserialize>::deserialize(json).map(|_| ())
    }
}

/// What went wrong, by how the message begins.
enum Mistake {
    Missing(String),
    Repeated(String),
    Unknown,
    Wrong,
}

fn mistake(text: &str) -> Mistake {
    let Some(ours) = text.strip_prefix(MARK) else {
        return Mistake::Wrong;
    };
    let mut parts = ours.split(':');
    match (parts.next(), parts.next()) {
        (Some("missing"), Some(name)) => Mistake::Missing(name.to_owned()),
        (Some("repeated"), Some(name)) => Mistake::Repeated(name.to_owned()),
        (Some(word), _) if word.starts_with("unknown") => Mistake::Unknown,
        _ => Mistake::Wrong,
    }
}

/// Reads again with a track of the path; gives the error, or `None` if there is none.
pub(crate) fn traced<T, E>(read: impl FnOnce(&mut Track) -> Result<T, E>) -> Option<(Vec<Segment>, E)> {
    let mut track = Track::new();
    let error = read(&mut track).err()?;
    let path = track.path().iter().map(Segment::clone).collect();
    Some((path, error))
}

fn steps(path: &[Segment], own: impl Fn(&str) -> Option<&'static str>) -> Vec<Step> {
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => Step::Index(*index),
            Segment::Map { key } => own(key).map_or(Step::Masked, Step::Name),
            Segment::Enum { .. } | Segment::Unknown => Step::Masked,
        })
        .collect()
}

/// `data.person[0].token`; a masked step ends it.
pub(crate) fn path_text(base: &str, steps: &[Step]) -> String {
    let mut text = base.to_owned();
    for step in steps {
        match step {
            Step::Name(name) if text.is_empty() => text.push_str(name),
            Step::Name(name) => {
                let _ = write!(text, ".{name}");
            }
            Step::Index(index) => {
                let _ = write!(text, "[{index}]");
            }
            Step::Masked => break,
        }
    }
    if text.is_empty() { "the event".into() } else { text }
}

fn placed(path: &str, whole: &str, offset: usize) -> String {
    let (line, column) = locate::line_column(whole.as_bytes(), offset);
    format!("{path} (line {line}, column {column})")
}

/// What is wrong with data of type `T` in `raw`, a part of `whole`.
pub(crate) fn data_of<T: Contract>(whole: &str, raw: &str, mode: Mode, base: &str) -> Fault {
    if let Some(fault) = broken(whole) {
        return fault;
    }
    let start = offset_in(whole, raw);
    let read = |track: &mut Track| {
        let mut json = serde_json::Deserializer::from_str(raw);
        ReadData::<T, &RawValue>::new(mode)
            .deserialize(serde_path_to_error::Deserializer::new(&mut json, track))
            .and_then(|_| json.end())
    };
    let Some((path, error)) = traced(read) else {
        return Fault::schema(FaultDetail::NotAccepted, base, "data of this event type is expected");
    };
    let here = start + locate::offset_of(raw, error.line(), error.column());
    told::<T>(&path, &error.to_string(), mode, base, |text, path, is_value| {
        let parts = is_value.then(|| locate::parts(path)).flatten();
        let at = parts.and_then(|p| locate::value_at(raw, &p)).map_or(here, |o| start + o);
        placed(text, whole, at)
    })
}

/// What is wrong, by the path where reading stopped and what the visitor said. `place` makes a place of a path in words,
/// the path itself, and whether the mistake is the value there.
pub(crate) fn told<T: Contract>(
    path: &[Segment],
    said: &str,
    mode: Mode,
    base: &str,
    place: impl Fn(&str, &[Step], bool) -> String,
) -> Fault {
    let mut path = steps(path, contract::own_name::<T>);
    match mistake(said) {
        Mistake::Unknown => {
            path.pop(); // the unknown key itself
            truncate(&mut path);
            let names = known_names::<T>(&path, mode);
            let place = place(&path_text(base, &path), &path, false);
            Fault::schema(FaultDetail::Unknown, place, unknown_field(&names))
        }
        Mistake::Missing(name) => {
            truncate(&mut path);
            let name = contract::own_name::<T>(&name).unwrap_or("a field");
            path.push(Step::Name(name));
            let place = place(&path_text(base, &path), &path, false);
            Fault::schema(FaultDetail::Missing, place, add(&contract::expected::<T>(&path)))
        }
        Mistake::Repeated(name) => {
            truncate_to_object(&mut path, &name);
            let name = contract::own_name::<T>(&name).unwrap_or("a field");
            path.push(Step::Name(name));
            let place = place(&path_text(base, &path), &path, false);
            Fault::schema(FaultDetail::Repeated, place, "the field is expected once; send it once")
        }
        Mistake::Wrong => {
            let expected = if path.is_empty() && mode == Mode::Patch {
                contract::expected::<T>(&[Step::Name("fields")])
            } else {
                contract::expected::<T>(&path)
            };
            Fault::schema(FaultDetail::NotAccepted, place(&path_text(base, &path), &path, true), expected)
        }
    }
}

/// A required field of `T` that is absent from `raw`.
pub(crate) fn absent<T: Contract>(whole: &str, raw: &str, name: &'static str) -> Fault {
    if let Some(fault) = broken(whole) {
        return fault;
    }
    let path = [Step::Name(name)];
    let end = offset_in(whole, raw) + raw.len().saturating_sub(1);
    Fault::schema(
        FaultDetail::Missing,
        placed(&path_text("data", &path), whole, end),
        add(&contract::expected::<T>(&path)),
    )
}

/// A path that ends inside an object, cut to that object.
fn truncate(path: &mut Vec<Step>) {
    if let Some(masked) = path.iter().position(|s| *s == Step::Masked) {
        path.truncate(masked);
    }
}

/// A path whose last step may already be the repeated field itself.
fn truncate_to_object(path: &mut Vec<Step>, name: &str) {
    if matches!(path.last(), Some(Step::Name(last)) if *last == name) {
        path.pop();
    }
}

fn known_names<T: Contract>(path: &[Step], mode: Mode) -> String {
    let names: Vec<&str> = match path {
        [Step::Name("person"), ..] => vec!["kind", "token"],
        [Step::Name("sentence"), ..] => vec!["imprisonment_months", "fine_pkr", "compensation_pkr"],
        _ => {
            let shared = [
                ("record_version", mode != Mode::Patch),
                ("occurred_on", T::OCCURRED),
                ("person", T::PERSON && mode != Mode::Patch),
                ("fields", T::FIELDS_OF_TARGET),
            ];
            let shared = shared.iter().filter(|(_, has)| *has).map(|(name, _)| *name);
            shared.chain(T::FIELDS.iter().map(|f| f.name)).collect()
        }
    };
    names.join(", ")
}

fn offset_in(whole: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize).min(whole.len())
}

/// What is wrong with an envelope in structured mode.
pub(crate) fn envelope(text: &str) -> Fault {
    if let Some(fault) = broken(text) {
        return fault;
    }
    let read = |track: &mut Track| {
        let mut json = serde_json::Deserializer::from_str(text);
        ReadEnvelope.deserialize(serde_path_to_error::Deserializer::new(&mut json, track)).and_then(|_| json.end())
    };
    let Some((path, error)) = traced(read) else {
        return Fault::schema(FaultDetail::NotAccepted, "the event", WHOLE_EVENT);
    };
    let own = |key: &str| envelope::NAMES.iter().copied().chain(["data"]).find(|n| *n == key);
    let path = steps(&path, own);
    let here = locate::offset_of(text, error.line(), error.column());
    match mistake(&error.to_string()) {
        Mistake::Unknown => Fault::schema(
            FaultDetail::Unknown,
            placed("the event", text, here),
            "`data_base64` is not accepted; send `data` as a JSON object",
        ),
        Mistake::Missing(_) => {
            Fault::schema(FaultDetail::Missing, placed("data", text, here), add(envelope::expected("data")))
        }
        Mistake::Repeated(name) => Fault::schema(
            FaultDetail::Repeated,
            placed(own(&name).unwrap_or("an attribute"), text, here),
            "the attribute is expected once; send it once",
        ),
        Mistake::Wrong => {
            let expected = match path.first() {
                Some(Step::Name(name)) => envelope::expected(name),
                Some(_) => OTHER_ATTRIBUTE,
                None => WHOLE_EVENT,
            };
            let at = locate::parts(&path).and_then(|p| locate::value_at(text, &p)).unwrap_or(here);
            Fault::schema(FaultDetail::NotAccepted, placed(&path_text("", &path), text, at), expected)
        }
    }
}

/// Where an attribute stands in structured mode.
pub(crate) fn attribute_place(text: &str, name: &'static str) -> String {
    match locate::value_at(text, &[Part::Name(name)]) {
        Some(offset) => placed(name, text, offset),
        None => name.to_owned(),
    }
}
