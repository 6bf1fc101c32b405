//! Values in Avro's binary encoding, appended to a buffer.
//!
//! Absent: any check; what is written was typed by the contract.

use crate::contract::RecordVersion;
use crate::value::{Kind, When};
use crate::{Data, Occurred, TokenKind};
use std::io::{self, Write};

/// Most bytes of a long.
const LONG_BYTES: usize = 10;

/// A long in zigzag and variable length: the bytes, and how many of them count.
pub(crate) fn long_bytes(value: i64) -> ([u8; LONG_BYTES], usize) {
    let (mut rest, mut bytes, mut len) = (((value << 1) ^ (value >> 63)) as u64, [0; LONG_BYTES], 0);
    loop {
        let last = rest < 0x80;
        bytes[len] = if last { rest as u8 } else { rest as u8 | 0x80 };
        len += 1;
        if last {
            return (bytes, len);
        }
        rest >>= 7;
    }
}

pub(crate) fn long(value: i64, out: &mut Vec<u8>) {
    let (bytes, len) = long_bytes(value);
    out.extend_from_slice(&bytes[..len]);
}

pub(crate) fn text(text: &str, out: &mut Vec<u8>) {
    long(text.len() as i64, out);
    out.extend_from_slice(text.as_bytes());
}

/// A string to a stream.
pub(crate) fn text_to(text: &[u8], out: &mut impl Write) -> io::Result<()> {
    let (bytes, len) = long_bytes(text.len() as i64);
    out.write_all(&bytes[..len])?;
    out.write_all(text)
}

/// An array as one block, as every encoder in use writes it.
pub(crate) fn array<T>(items: &[T], out: &mut Vec<u8>, each: impl Fn(&T, &mut Vec<u8>)) {
    if !items.is_empty() {
        long(items.len() as i64, out);
        for item in items {
            each(item, out);
        }
    }
    long(0, out);
}

/// A field of type `["null", T]`.
pub(crate) fn optional<K: Kind>(value: Option<&K::Out>, out: &mut Vec<u8>) {
    long(i64::from(value.is_some()), out);
    if let Some(value) = value {
        K::write_avro(value, out);
    }
}

/// The data of an event by the contract's own schema: the shared fields, then those of its type.
pub(crate) fn body<S: AsRef<str>>(
    record_version: i64,
    occurred: Option<Occurred>,
    person: &[(TokenKind, S)],
    data: &Data,
    out: &mut Vec<u8>,
) {
    RecordVersion::write_avro(&record_version, out);
    if let Some(occurred) = &occurred {
        When::write_avro(occurred, out);
    }
    if !person.is_empty() {
        array(person, out, |(kind, token), out| {
            text(kind.as_str(), out);
            text(token.as_ref(), out);
        });
    }
    data.write_avro(out);
}
