//! Every mistake of a file of events, line by line, for the people who make it (`amanat validate`).
//!
//! JSON Schema finds all mistakes of a line at once; the typed decoder stops at the first. So the schemas speak first,
//! and the decoder adds what a schema cannot see: repeated fields, a subject of another agency, a `dataschema` of
//! another type. Both are made from one contract, and both use its words: a mistake is told by path, line, column and
//! what was expected, never by a value. Absent: any use on the road of accepted events (a schema costs microseconds).

use crate::contract::{Mode, Step};
use crate::locate::{self, Part};
use crate::{EventType, Fault, FaultClass, FaultDetail, Limits, encode, envelope, explain, schema};
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;
use std::io::{self, BufRead};
use std::sync::OnceLock;

/// Mistakes told of one line by a schema; who wrote more mends these first. Keeps the work on a hostile line bounded.
pub const MOST_MISTAKES: usize = 100;

/// The schemas, compiled.
#[derive(Debug)]
pub struct Validator {
    envelope: jsonschema::Validator,
    /// By version of a type, in the order of [`EventType::versions`].
    data: Vec<OnceLock<jsonschema::Validator>>,
    limits: Limits,
}

/// Checks a file of structured events, one in a line, and calls `each` with every mistake; its place names the line.
/// Blank lines are passed over. Gives the number of events. Of a line beyond the limit no more than the limit is held.
///
/// # Errors
/// Those of the reader, which is the caller's.
pub fn lines(mut reader: impl BufRead, limits: &Limits, mut each: impl FnMut(&Fault)) -> io::Result<u64> {
    let validator = Validator::new(limits);
    let (mut line, mut number, mut events) = (Vec::new(), 0, 0);
    while read_line(&mut reader, &mut line, limits.max_bytes)? {
        number += 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        events += 1;
        for fault in &validator.line(number, &line) {
            each(fault);
        }
    }
    Ok(events)
}

/// Reads a line without its end; keeps one byte more than `most`, so that its length is seen to be too much.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>, most: usize) -> io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = bytes.iter().position(|b| *b == b'\n');
        let part = &bytes[..end.unwrap_or(bytes.len())];
        let room = most.saturating_add(1).saturating_sub(line.len());
        line.extend_from_slice(&part[..part.len().min(room)]);
        let used = end.map_or(bytes.len(), |e| e + 1);
        reader.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

impl Validator {
    /// Compiles the envelope's schema; those of the types when first needed.
    pub fn new(limits: &Limits) -> Self {
        let data = EventType::versions().map(|_| OnceLock::new()).collect();
        Self { envelope: compile(&schema::envelope()), data, limits: *limits }
    }

    /// All mistakes of one structured event, in the order in which they stand; `number` is its line in the file.
    pub fn line(&self, number: u64, line: &[u8]) -> Vec<Fault> {
        let mut faults = self.document(line);
        for fault in &mut faults {
            fault.place = on_line(&fault.place, number);
        }
        faults
    }

    /// All mistakes of one structured event, as [`Self::line`]; places are those within the document, which may have several lines.
    pub fn document(&self, document: &[u8]) -> Vec<Fault> {
        match encode::event_of_line(document, &self.limits) {
            Err(fault) if fault.class == FaultClass::Schema => {
                let seen = self.by_schema_alone(document);
                told_by_both(seen, &fault)
            }
            Err(fault) => vec![fault],
            Ok(_) => Vec::new(),
        }
    }

    /// What JSON Schema alone says of one structured event; nothing if it is not one JSON document in UTF-8.
    pub fn by_schema_alone(&self, line: &[u8]) -> Vec<Fault> {
        std::str::from_utf8(line).map(|text| self.by_schema(text)).unwrap_or_default()
    }

    /// What JSON Schema says of a text that is one JSON document.
    fn by_schema(&self, text: &str) -> Vec<Fault> {
        let Ok(event) = serde_json::from_str::<Value>(text) else {
            return Vec::new();
        };
        let of = named(&event);
        let mut found = Found { text, items: Vec::new() };
        for error in self.envelope.iter_errors(&event).take(MOST_MISTAKES) {
            found.envelope(&error);
        }
        if let (Some(of), Some(data)) = (of, event.get("data").filter(|d| d.is_object())) {
            let target = data.get("target_type").and_then(Value::as_str).and_then(EventType::from_name);
            let target = target.and_then(|target| Some((target, target.in_correction(of.1)?)));
            let schema = self.data[of.0.place(of.1)].get_or_init(|| compile(&schema::of(of.0, of.1)));
            for error in schema.iter_errors(data).take(MOST_MISTAKES) {
                found.data(&error, of, target);
            }
        }
        found.sorted()
    }
}

/// A type and one of its versions.
type Of = (EventType, u16);

/// The type that an event names, and its version: the newest where it names none that there is.
fn named(event: &Value) -> Option<Of> {
    let text = |name: &str| event.get(name).and_then(Value::as_str);
    let kind = text("type").and_then(EventType::from_name)?;
    let version = text("dataschema").and_then(|schema| kind.version_in(schema));
    Some((kind, version.filter(|version| *version <= kind.newest()).unwrap_or(kind.newest())))
}

/// The schemas' mistakes and the decoder's first: at one place the decoder knows the reason more finely, and what no
/// schema sees is told by it alone.
fn told_by_both(mut seen: Vec<Fault>, decoded: &Fault) -> Vec<Fault> {
    let path = |f: &Fault| f.place.split(" (").next().map(str::to_owned);
    match seen.iter_mut().find(|f| path(f) == path(decoded)) {
        Some(same) => *same = Fault { place: std::mem::take(&mut same.place), ..decoded.clone() },
        None => seen.push(decoded.clone()),
    }
    seen
}

/// A place within a line of its own, as a place in a file.
fn on_line(place: &str, number: u64) -> String {
    if place.contains("line 1, column") {
        place.replace("line 1, column", &format!("line {number}, column"))
    } else {
        format!("{place} (line {number})")
    }
}

fn compile(schema: &Value) -> jsonschema::Validator {
    jsonschema::validator_for(schema).expect("schemas of the contract compile, by test")
}

/// Mistakes with their byte offset.
struct Found<'a> {
    text: &'a str,
    items: Vec<(usize, Fault)>,
}

impl Found<'_> {
    fn sorted(mut self) -> Vec<Fault> {
        self.items.sort_by_key(|(offset, _)| *offset);
        let mut faults: Vec<Fault> = self.items.into_iter().map(|(_, fault)| fault).collect();
        faults.dedup();
        faults
    }

    /// Puts a mistake at the value that `keys` leads to, or at the nearest value around it.
    fn push(&mut self, keys: &[Part<'_>], detail: FaultDetail, path: &str, expected: &str) {
        let offset = (0..=keys.len()).rev().find_map(|n| locate::value_at(self.text, &keys[..n])).unwrap_or(0);
        let (line, column) = locate::line_column(self.text.as_bytes(), offset);
        let fault = Fault::schema(detail, format!("{path} (line {line}, column {column})"), expected);
        self.items.push((offset, fault));
    }

    fn envelope(&mut self, error: &jsonschema::ValidationError<'_>) {
        let pointer = error.instance_path().as_str().to_owned();
        let keys = unescaped(&pointer);
        let parts = parts(&keys);
        let own = |key: &str| envelope::NAMES.iter().copied().chain(["data"]).find(|n| *n == key);
        match error.kind() {
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().and_then(own).unwrap_or("the event");
                self.push(&[], FaultDetail::Missing, name, &explain::add(envelope::expected(name)));
            }
            ValidationErrorKind::FalseSchema => self.push(
                &parts,
                FaultDetail::Unknown,
                "the event",
                "`data_base64` is not accepted; send `data` as a JSON object",
            ),
            _ => match keys.first().map(String::as_str) {
                Some("type") => self.event_type(&parts),
                Some(key) => match own(key) {
                    Some(name) => self.push(&parts, FaultDetail::NotAccepted, name, envelope::expected(name)),
                    None => self.push(&parts, FaultDetail::NotAccepted, "the event", explain::OTHER_ATTRIBUTE),
                },
                None => self.push(&parts, FaultDetail::NotAccepted, "the event", explain::WHOLE_EVENT),
            },
        }
    }

    /// A type that is not accepted: the envelope's own check knows which of the two it is.
    fn event_type(&mut self, parts: &[Part<'_>]) {
        let name =
            serde_json::from_str::<Value>(self.text).ok().and_then(|v| Some(v.get("type")?.as_str()?.to_owned()));
        match name.map(|name| envelope::event_type(&name, &|attribute| attribute.to_owned())) {
            Some(Err(fault)) => self.push(parts, fault.detail, "type", &fault.expected),
            _ => self.push(parts, FaultDetail::NotAccepted, "type", envelope::expected("type")),
        }
    }

    fn data(&mut self, error: &jsonschema::ValidationError<'_>, kind: Of, target: Option<Of>) {
        let pointer = error.instance_path().as_str().to_owned();
        let mut keys = unescaped(&pointer);
        keys.insert(0, "data".to_owned());
        let path: Vec<Step> = keys[1..].iter().map(|key| step(key, kind, target)).collect();
        let text = explain::path_text("data", &path);
        match error.kind() {
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().map_or(Step::Masked, |name| step(name, kind, target));
                let path = [path.as_slice(), &[name]].concat();
                let expected = explain::add(&expected(kind, target, &path));
                self.push(&parts(&keys), FaultDetail::Missing, &explain::path_text("data", &path), &expected);
            }
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                for key in unexpected {
                    let mut keys = keys.clone();
                    keys.push(key.clone());
                    self.push(
                        &parts(&keys),
                        FaultDetail::Unknown,
                        &text,
                        &explain::unknown_field(&names(kind, target, &path)),
                    );
                }
            }
            _ => self.push(&parts(&keys), FaultDetail::NotAccepted, &text, &expected(kind, target, &path)),
        }
    }
}

/// The steps of a JSON pointer.
fn unescaped(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect()
}

fn parts(keys: &[String]) -> Vec<Part<'_>> {
    keys.iter().map(|key| key.parse().map_or(Part::Name(key.as_str()), Part::Index)).collect()
}

/// A step by its key: an index, a name of the contract's, or masked.
fn step(key: &str, kind: Of, target: Option<Of>) -> Step {
    let own = |kind: Of| (explain::words(kind).own_name)(key);
    match key.parse() {
        Ok(index) => Step::Index(index),
        Err(_) => own(kind).or_else(|| target.and_then(own)).map_or(Step::Masked, Step::Name),
    }
}

/// What belongs at a path; below `fields` of a correction its target's type says it.
fn expected(kind: Of, target: Option<Of>, path: &[Step]) -> String {
    match (path, target) {
        ([Step::Name("fields"), rest @ ..], Some(target)) if !rest.is_empty() => {
            (explain::words(target).expected)(rest)
        }
        _ => (explain::words(kind).expected)(path),
    }
}

fn names(kind: Of, target: Option<Of>, path: &[Step]) -> String {
    match (path, target) {
        ([Step::Name("fields"), rest @ ..], Some(target)) => (explain::words(target).known_names)(rest, Mode::Patch),
        _ => (explain::words(kind).known_names)(path, Mode::Open),
    }
}
