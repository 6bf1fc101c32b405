//! NDJSON, line by line: events whose `person` is an object of roles become events whose `person` is a list of tokens.
//!
//! ```text
//! {"type":"pk.tip.victim.identified", …, "data":{"person":{"name":…,"born":…,"document":…}, "sex":"F", …}}
//! {"type":"pk.tip.victim.identified", …, "data":{"person":[{"kind":"document","token":…}, …], "sex":"F", …}}
//! ```
//!
//! An event without a person, or whose person is a list of tokens already, is passed on as it is; what is no event is set aside.

use std::io::{BufRead, Write};

use serde_json::{Map, Value};

use crate::columns::{BECAUSE, Role};
use crate::guard::Guard;
use crate::identity::{Canonical, Identity};
use crate::person::Person;
use crate::rows::{BATCH, Job, SealError, because};
use crate::summary::Aside;
use crate::token::is_opaque;

/// Longest line that is read, in bytes: longer ones are set aside, as far as they were read.
const LONGEST: u64 = 1 << 20;

/// Seals NDJSON.
pub fn seal_lines(mut input: impl BufRead, job: &mut Job<'_>) -> Result<(), SealError> {
    let mut batch: Vec<Vec<u8>> = Vec::with_capacity(BATCH);
    loop {
        let mut line = Vec::new();
        let read = std::io::Read::take(&mut input, LONGEST).read_until(b'\n', &mut line)?;
        if read == 0 {
            return seal_batch(&batch, job);
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        batch.push(line);
        if batch.len() == BATCH {
            seal_batch(&batch, job)?;
            batch.clear();
        }
    }
}

/// A line as it was read.
enum Line {
    /// An event whose person is to be sealed.
    Person(Value, Canonical),
    /// Nothing to seal.
    Untouched,
    /// Not to be sealed.
    Aside(Aside),
}

fn seal_batch(lines: &[Vec<u8>], job: &mut Job<'_>) -> Result<(), SealError> {
    let read: Vec<Line> = lines.iter().map(|line| read(line, job)).collect();
    let canonical = |line: &Line| if let Line::Person(_, canonical) = line { Some(canonical.clone()) } else { None };
    let people: Vec<Canonical> = read.iter().filter_map(canonical).collect();
    let mut people = job.people(&people)?.into_iter();
    for (line, read) in lines.iter().zip(read) {
        job.summary.rows += 1;
        match read {
            Line::Aside(why) => set_aside(line, why, why.says(), job)?,
            Line::Untouched => {
                job.summary.untouched += 1;
                write_line(job.out, line)?;
            }
            Line::Person(event, canonical) => {
                let person = people.next().expect("as many people as lines that have one");
                job.summary.birth_assumed += u64::from(canonical.birth_assumed);
                write(line, event, &person, job)?;
            }
        }
    }
    Ok(())
}

fn read(line: &[u8], job: &Job<'_>) -> Line {
    let Ok(text) = std::str::from_utf8(line) else { return Line::Aside(Aside::NotUtf8) };
    let Ok(Value::Object(mut event)) = serde_json::from_str(text) else { return Line::Aside(Aside::Broken) };
    event.remove(BECAUSE);
    let Some(data) = event.get_mut("data").and_then(Value::as_object_mut) else { return Line::Aside(Aside::Broken) };
    let members = match data.get_mut("person").map(Value::take) {
        None => return Line::Untouched,
        Some(Value::Array(tokens)) if tokens.iter().all(is_token) => return Line::Untouched,
        Some(Value::Object(members)) => members,
        Some(_) => return Line::Aside(Aside::Member),
    };
    let Some(roles) = roles(&members) else { return Line::Aside(Aside::Member) };
    let identity = identity(&roles);
    let event = Value::Object(event);
    if is_held(&event, &Guard::of(&identity)) {
        return Line::Aside(Aside::Held);
    }
    Line::Person(event, identity.canonical(&job.reading))
}

/// Whether this is a token with its kind, and cannot be anything that people write.
fn is_token(value: &Value) -> bool {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    value.as_object().is_some_and(|members| members.len() == 2)
        && text("kind").is_some()
        && text("token").is_some_and(is_opaque)
}

/// The members of `person` by role; none where one is no role or no text.
fn roles(members: &Map<String, Value>) -> Option<Vec<(Role, &str)>> {
    members
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| Some((Role::parse(name)?, value.as_str()?)))
        .collect()
}

fn identity<'t>(roles: &[(Role, &'t str)]) -> Identity<'t> {
    let of = |role: Role| roles.iter().find(|(known, _)| *known == role).map_or("", |(_, text)| text);
    Identity {
        given: of(Role::Name),
        surname: of(Role::Surname),
        born: of(Role::Born),
        document: of(Role::Document),
        document_kind: of(Role::DocumentKind),
        document_country: of(Role::DocumentCountry),
        mother: of(Role::Mother),
        place: of(Role::Place),
    }
}

fn is_held(value: &Value, guard: &Guard) -> bool {
    match value {
        Value::String(text) => guard.is_in(text),
        Value::Number(number) => guard.is_in(&number.to_string()),
        Value::Array(values) => values.iter().any(|value| is_held(value, guard)),
        Value::Object(members) => members.values().any(|value| is_held(value, guard)),
        _ => false,
    }
}

fn write(line: &[u8], mut event: Value, person: &Person, job: &mut Job<'_>) -> Result<(), SealError> {
    job.summary.person(person);
    let tokens: Vec<Value> =
        person.tokens().map(|(kind, token)| serde_json::json!({ "kind": kind.code(), "token": token })).collect();
    if tokens.is_empty() {
        // The contract asks for a token of everybody: there is no event of a person without one.
        return set_aside(line, Aside::NoToken, &because(person), job);
    }
    job.summary.sealed += 1;
    event["data"]["person"] = Value::Array(tokens);
    write_line(job.out, event.to_string().as_bytes())
}

fn set_aside(line: &[u8], why: Aside, says: &str, job: &mut Job<'_>) -> Result<(), SealError> {
    job.summary.set_aside(why);
    match serde_json::from_slice(line) {
        Ok(Value::Object(mut event)) => {
            event.insert(BECAUSE.into(), says.into());
            write_line(job.aside, Value::Object(event).to_string().as_bytes())
        }
        _ => write_line(job.aside, line),
    }
}

fn write_line(out: &mut dyn Write, line: &[u8]) -> Result<(), SealError> {
    out.write_all(line.strip_suffix(b"\n").unwrap_or(line))?;
    Ok(out.write_all(b"\n")?)
}
