//! Bytes of a message to an event, in each mode; compiled by the tests of `events` too.

use std::collections::BTreeSet;

use ::events::encode::{binary_of, event_of_line};
use ::events::{EventType, Fault, Limits, Message, decode, decode_sealed};

/// Shortest piece of an input whose appearance in a reason counts as a leak, in bytes.
const PIECE: usize = 6;

/// A value without headers: structured mode.
pub fn structured(value: &[u8]) {
    judge(value, |value| event_of_line(value, &Limits::default()).map(|event| check_event(&event)));
}

/// Headers, one a line (`name: value`), an empty line, and the value.
pub fn binary(input: &[u8]) {
    judge(input, |input| {
        let (headers, value) = split(input);
        let message = Message { key: None, headers: &headers, value: Some(value) };
        decode(&message, &Limits::default()).map(|event| check_event(&event))
    });
}

fn split(input: &[u8]) -> (Vec<(&str, &[u8])>, &[u8]) {
    let (mut headers, mut rest) = (Vec::new(), input);
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let line = &rest[..end];
        rest = &rest[end + 1..];
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let name = std::str::from_utf8(&line[..colon]).unwrap_or("x");
        headers.push((name, line.get(colon + 1..).unwrap_or_default().trim_ascii_start()));
    }
    (headers, rest)
}

/// The first byte chooses the type, the rest is the payload as it lies in the lake.
pub fn sealed(input: &[u8]) {
    let Some((kind, payload)) = input.split_first() else { return };
    let kind = EventType::ALL[usize::from(*kind) % EventType::ALL.len()];
    judge(payload, |payload| decode_sealed(kind, kind.newest(), payload).map(drop));
}

/// No panic, and a reason that does not follow the input.
fn judge(input: &[u8], read: impl Fn(&[u8]) -> Result<(), Fault>) {
    let Err(fault) = read(input) else { return };
    let said = fault.to_string().into_bytes();
    let pieces: BTreeSet<&[u8]> = said.windows(PIECE).collect();
    let suspects: BTreeSet<&[u8]> = input.windows(PIECE).filter(|piece| pieces.contains(piece)).collect();
    for piece in suspects.into_iter().take(16) {
        // The contract has words of its own, and an input may hold them. What is quoted changes with the input.
        let other: Vec<u8> = piece.iter().map(|byte| turned(*byte)).collect();
        let has = |text: &[u8]| text.windows(PIECE).any(|found| found == other);
        if has(&said) || has(input) {
            continue;
        }
        let changed = replaced(input, piece, &other);
        if let Err(fault) = read(&changed) {
            assert!(!has(fault.to_string().as_bytes()), "the reason quotes the input");
        }
    }
}

/// Another letter or digit of the same kind.
fn turned(byte: u8) -> u8 {
    match byte {
        b'a'..=b'y' | b'A'..=b'Y' | b'0'..=b'8' => byte + 1,
        b'z' => b'a',
        b'Z' => b'A',
        b'9' => b'1',
        other => other,
    }
}

fn replaced(input: &[u8], piece: &[u8], other: &[u8]) -> Vec<u8> {
    let mut out = input.to_vec();
    let mut at = 0;
    while at + piece.len() <= out.len() {
        if &out[at..at + piece.len()] == piece {
            out[at..at + piece.len()].copy_from_slice(other);
            at += piece.len();
        } else {
            at += 1;
        }
    }
    out
}

/// What was read can be written and read again, and sealed and read again, with nothing changed.
fn check_event(event: &::events::Event<'_>) {
    let encoded = binary_of(event);
    let headers = encoded.header_slices();
    let again = Message { key: Some(&encoded.key), headers: &headers, value: Some(&encoded.value) };
    let again = decode(&again, &Limits { max_bytes: usize::MAX }).expect("what was accepted is accepted again");
    let envelope = |e: &::events::Event<'_>| (e.id, e.kind, e.version, e.record_version, e.recorded_at, e.occurred);
    assert_eq!(envelope(event), envelope(&again), "decode, encode, decode");
    assert_eq!((event.agency, &*event.record_id, event.raw), (again.agency, &*again.record_id, again.raw));
    assert_eq!((event.synthetic, &event.data), (again.synthetic, &again.data));
    assert!(event.tokens.iter().zip(&again.tokens).all(|(one, two)| one.token == two.token && one.at == two.at));
    assert_eq!(event.tokens.len(), again.tokens.len());

    let mut payload = Vec::new();
    let mut written = 0;
    for token in &event.tokens {
        assert_eq!(&event.raw[token.at.clone()], token.token.as_bytes(), "a token is where it is said to be");
        payload.extend_from_slice(&event.raw[written..token.at.start]);
        payload.extend_from_slice(b"0123456789abcdef0123456789abcdef");
        written = token.at.end;
    }
    payload.extend_from_slice(&event.raw[written..]);
    // Two tokens of one kind would be the same surrogate here, and a person names a token once.
    let kinds: BTreeSet<_> = event.tokens.iter().map(|token| token.kind).collect();
    if kinds.len() == event.tokens.len() {
        let sealed =
            decode_sealed(event.kind, event.version, &payload).expect("what was accepted can be read when sealed");
        assert_eq!(
            (sealed.data, sealed.occurred, sealed.persons.len()),
            (event.data.clone().newest(), event.occurred, event.tokens.len())
        );
    }
}
