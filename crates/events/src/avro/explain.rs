//! The error path of Avro: the message is read once more to say what is wrong and where, in words that hold nothing of
//! it. Places are paths of the contract's names and the byte of the value, the first being 1.

use super::cursor::{Broken, Cursor, MAX_DEPTH};
use super::parse::Types;
use super::read::{AvroError, Reader, Value};
use super::resolve::Node;
use super::schema;
use crate::contract::{self, Contract, Mode, ReadData, Step};
use crate::explain::{add, path_text, told, traced};
use crate::{EventType, Fault, FaultClass, FaultDetail};
use serde::de::DeserializeSeed;
use serde_path_to_error::Track;

fn byte(at: usize) -> String {
    format!("byte {}", at + 1)
}

/// The fault of bytes that are not one value of the writer's schema, if they are not.
fn broken(types: &Types, mut cursor: Cursor<'_>) -> Option<Fault> {
    let why = cursor.pass(types, types.root, 0).and_then(|()| cursor.end()).err()?;
    let (detail, expected) = match why {
        Broken::Truncated => (FaultDetail::Truncated, "the message ends too early for its Avro schema; send it whole"),
        Broken::NotUtf8 => (FaultDetail::NotUtf8, "UTF-8 text is expected, as Avro has strings"),
        Broken::Number => {
            (FaultDetail::Syntax, "a number of the type in the Avro schema is expected, in as few bytes as it needs")
        }
        Broken::Index => (FaultDetail::Syntax, "a branch or symbol that the Avro schema has is expected"),
        Broken::Blocks => (FaultDetail::Syntax, "a block as long as it says is expected"),
        Broken::TooDeep => {
            let expected = format!("at most {MAX_DEPTH} levels of nesting are expected; no event needs more");
            return Some(Fault::new(FaultClass::Parse, FaultDetail::TooDeep, byte(cursor.at), expected));
        }
        Broken::Trailing => (FaultDetail::SecondDocument, "one event in a message is expected; send each in its own"),
    };
    let expected = format!("{expected}; write it with the schema whose id it bears");
    Some(Fault::new(FaultClass::Parse, detail, byte(cursor.at), expected))
}

/// What is wrong with data of type `T`.
pub(super) fn data_of<'p, T: Contract>(types: &Types, reader: Reader<'p, '_>, root: &'p Node, mode: Mode) -> Fault {
    broken(types, reader.cursor.clone()).unwrap_or_else(|| wrong::<T>(reader, root, mode, "data"))
}

/// What is wrong with the fields of a correction, whose bytes are sound.
pub(super) fn patch_of<'p, T: Contract>(reader: Reader<'p, '_>, node: &'p Node) -> Fault {
    wrong::<T>(reader, node, Mode::Patch, "data.fields")
}

fn wrong<'p, T: Contract>(mut reader: Reader<'p, '_>, node: &'p Node, mode: Mode, base: &str) -> Fault {
    let read = |track: &mut Track| {
        let value = Value { reader: &mut reader, node, whole: None };
        ReadData::<T, &[u8]>::new(mode).deserialize(serde_path_to_error::Deserializer::new(value, track))
    };
    let Some((path, error)) = traced::<_, AvroError>(read) else {
        return Fault::schema(FaultDetail::NotAccepted, base, "data of this event type is expected");
    };
    told::<T>(&path, &error.to_string(), mode, base, |text, _, is_value| {
        let at = if is_value { reader.value_at } else { reader.cursor.at };
        format!("{text} ({})", byte(at))
    })
}

/// `fields` of a correction are those of another type than its target's.
pub(super) fn other_record(at: usize, kind: EventType) -> Fault {
    let expected = format!("the record {} is expected, as the target's type is {kind}", schema::patch_name(kind));
    Fault::schema(FaultDetail::NotAccepted, format!("data.fields ({})", byte(at)), expected)
}

/// A required field of `T` that is absent.
pub(super) fn absent<T: Contract>(end: usize, name: &'static str) -> Fault {
    let path = [Step::Name(name)];
    let place = format!("{} ({})", path_text("data", &path), byte(end));
    Fault::schema(FaultDetail::Missing, place, add(&contract::expected::<T>(&path)))
}
