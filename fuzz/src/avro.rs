//! Avro in Confluent's framing, and the schemas that writers register for it; compiled by the tests of `events` too.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use ::events::avro::{WriterSchema, WriterSchemas, canonical_form, schema_id, schema_of, write_sealed};
use ::events::encode::avro_of;
use ::events::{Event, EventType, Limits, Message, decode_sealed, decode_with};

/// The contract's own schemas by id, from 1 on in the order of types and versions; then each once more as a writer might have it,
/// with a field that the contract does not know, which is skipped.
static SCHEMAS: LazyLock<WriterSchemas> = LazyLock::new(|| {
    let own: Vec<String> = EventType::ALL
        .iter()
        .flat_map(|kind| (1..=kind.newest()).map(|version| schema_of(*kind, version).to_string()))
        .collect();
    let more =
        own.iter().map(|text| text.replacen(r#""fields":["#, r#""fields":[{"name":"own_number","type":"string"},"#, 1));
    let mut schemas = WriterSchemas::default();
    for (id, text) in (1..).zip(own.iter().cloned().chain(more)) {
        schemas.insert(id, &text).expect("an Avro schema that resolves to the contract's");
    }
    schemas
});

/// The first byte chooses type and version of the envelope; the rest is the value, whose frame names the writer's schema.
pub fn framing(input: &[u8]) {
    let Some((chosen, value)) = input.split_first() else { return };
    read(*chosen, value, &SCHEMAS);
}

/// The text of a writer's schema, a line `---`, and the body of a message that was written with it.
pub fn schema(input: &[u8]) {
    const END: &[u8] = b"\n---\n";
    let end = input.windows(END.len()).position(|window| window == END);
    let (text, body) = end.map_or((input, &[][..]), |end| (&input[..end], &input[end + END.len()..]));
    let Ok(text) = std::str::from_utf8(text) else { return };
    if let Ok(canonical) = canonical_form(text) {
        assert_eq!(canonical_form(&canonical).as_ref(), Ok(&canonical), "a canonical form is its own");
    }
    let Ok(compiled) = WriterSchema::compile(text) else { return };
    let mut schemas = WriterSchemas::default();
    schemas.insert(1, text).expect("it was compiled");
    let value = [&[0, 0, 0, 0, 1], body].concat();
    for version in 1..=compiled.kind().newest() {
        read_as(compiled.kind(), version, &value, &schemas);
    }
}

fn read(chosen: u8, value: &[u8], schemas: &WriterSchemas) {
    let all: Vec<_> =
        EventType::ALL.iter().flat_map(|kind| (1..=kind.newest()).map(|version| (*kind, version))).collect();
    let (kind, version) = all[usize::from(chosen) % all.len()];
    read_as(kind, version, value, schemas);
}

/// No panic; what was accepted can be sealed and read again, and written by the contract's schema and read again.
fn read_as(kind: EventType, version: u16, value: &[u8], schemas: &WriterSchemas) {
    let schema = format!("https://schemas.amanat.example/{}/v{version}", kind.short_name());
    let headers: [(&str, &[u8]); 9] = [
        ("content-type", b"application/avro"),
        ("ce_specversion", b"1.0"),
        ("ce_id", b"018f3b5c-0000-7000-8000-0000000000d6"),
        ("ce_source", b"urn:pk:tip:POL-PB"),
        ("ce_type", kind.name().as_bytes()),
        ("ce_dataschema", schema.as_bytes()),
        ("ce_subject", b"POL-PB/r3c0rd0000000bcdfg"),
        ("ce_time", b"2025-03-01T10:15:00+05:00"),
        ("ce_synthetic", b"true"),
    ];
    let message = Message { key: None, headers: &headers, value: Some(value) };
    let limits = Limits::default();
    let asked = schema_id(&message, &limits);
    if let Ok(event) = decode_with(&message, &limits, schemas) {
        assert!(asked.is_some_and(|id| schemas.knows(id)), "a schema that was not asked for");
        sealed(&event);
        written_again(&event);
    }
}

fn sealed(event: &Event<'_>) {
    let surrogates: Vec<[u8; 32]> = (b'a'..=b'f').cycle().take(event.tokens.len()).map(|digit| [digit; 32]).collect();
    let mut stored = Vec::new();
    write_sealed(event, &surrogates, &mut stored).expect("a vector takes all");
    for token in &event.tokens {
        assert_eq!(&event.raw[token.at.clone()], token.token.as_bytes(), "a token is where it is said to be");
    }
    // A person names a token of each kind once, and so it is with surrogates.
    let kinds: BTreeSet<_> = event.tokens.iter().map(|token| token.kind).collect();
    if kinds.len() == event.tokens.len() {
        let read =
            decode_sealed(event.kind, event.version, &stored).expect("what was accepted can be read when sealed");
        let read = (read.data, read.occurred, read.persons.len());
        assert_eq!(read, (event.data.clone().newest(), event.occurred, event.tokens.len()));
    }
}

/// With the id that the contract's own schema of this type and version has in [`SCHEMAS`].
fn written_again(event: &Event<'_>) {
    let older = |kind: &&EventType| (**kind as usize) < event.kind as usize;
    let before: u32 = EventType::ALL.iter().filter(older).map(|kind| u32::from(kind.newest())).sum();
    let encoded = avro_of(event, before + u32::from(event.version));
    let headers = encoded.header_slices();
    let again = Message { key: None, headers: &headers, value: Some(&encoded.value) };
    let again =
        decode_with(&again, &Limits { max_bytes: usize::MAX }, &SCHEMAS).expect("what was accepted is accepted again");
    assert_eq!(
        (again.id, again.kind, again.version, again.occurred),
        (event.id, event.kind, event.version, event.occurred)
    );
    assert_eq!((&again.data, again.record_version), (&event.data, event.record_version));
    assert!(event.tokens.iter().zip(&again.tokens).all(|(one, two)| one.token == two.token));
    assert_eq!(event.tokens.len(), again.tokens.len());
}
