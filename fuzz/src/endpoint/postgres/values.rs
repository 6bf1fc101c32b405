//! Values of parameters, as text and binary.

use bytes::BytesMut;
use query::Param;

use super::statements::sendable;
use crate::postgres::cells::{Form, oid, write_text};
use crate::postgres::values::read;

/// Types whose values are written in binary by the door itself, and read again: those of columns of the catalogue. Last an array of
/// texts and one of numbers.
const TYPES: [u32; 14] = [
    oid::BOOL,
    oid::INT2,
    oid::INT4,
    oid::INT8,
    oid::FLOAT4,
    oid::FLOAT8,
    oid::NUMERIC,
    oid::TEXT,
    oid::DATE,
    oid::TIMESTAMP,
    oid::TIMESTAMPTZ,
    oid::UNKNOWN,
    1009,
    1007,
];

/// A byte for the form (text, binary), one for the type, four for a type that nobody knows (where the byte says so), the value.
pub(super) fn value(input: &[u8]) {
    let [form, kind, other @ ..] = input else { return };
    let Some((other, bytes)) = other.split_first_chunk::<4>() else { return };
    let type_oid = TYPES.get(usize::from(*kind)).copied().unwrap_or(u32::from_be_bytes(*other));
    let is_binary = form & 1 == 1;
    // The type that the client names goes before what the question says; one that is not known does not.
    let other = if type_oid == oid::UNKNOWN { oid::TEXT } else { oid::BOOL };
    let (given, inferred) = if form & 2 == 2 { (0, type_oid) } else { (type_oid, other) };
    match read(Some(bytes), is_binary, given, inferred) {
        Ok(param) if type_oid != 0 && TYPES.contains(&type_oid) => again(&param, type_oid, is_binary),
        Ok(_) => {}
        Err(failed) => sendable(&failed, ""),
    }
    assert_eq!(read(None, is_binary, given, inferred).ok(), Some(Param::Null));
}

/// What was read is the same when it is written as text and read again, and in binary where it came in binary.
fn again(param: &Param, type_oid: u32, is_binary: bool) {
    let text = match param {
        Param::Null => panic!("bytes are no NULL"),
        Param::Bool(truth) => if *truth { "t" } else { "f" }.to_owned(),
        Param::Number(number) => number.to_string(),
        Param::Text(text) => text.clone(),
    };
    let type_oid = if type_oid == oid::UNKNOWN { oid::TEXT } else { type_oid };
    assert_eq!(read(Some(text.as_bytes()), false, type_oid, 0).as_ref(), Ok(param), "written as text: {text}");
    // A number with an exponent is none that the catalogue has.
    if !is_binary || type_oid == oid::NUMERIC && text.contains('e') {
        return;
    }
    let once = in_binary(&text, type_oid);
    if ![1007, 1009].contains(&type_oid) {
        assert_eq!(once.as_ref(), Some(param), "written in binary: {text}");
    } else if let Some(Param::Text(array)) = &once {
        // It may have come with elements of another type than its own. Written by its own type it stays what it is.
        assert_eq!(in_binary(array, type_oid), once, "written in binary: {array}");
    }
}

fn in_binary(text: &str, type_oid: u32) -> Option<Param> {
    let mut written = BytesMut::new();
    write_text(Some(text), type_oid, Form::Binary, &mut written);
    read(Some(&written[4..]), true, type_oid, 0).ok()
}
