//! The feed as Avro: each line that is an event of the contract, written in Confluent framing by the contract's own schema,
//! under ids that are fixed here. For measurements and for trying Avro out where no registry is.
//!
//! What is no event of the contract (the feed's malformed lines) stays as it is.

use std::borrow::Cow;

use events::{EventType, Limits, Message, avro, encode};

use crate::Feedline;

/// The id of the schema of a version: its place in the contract, from 1.
pub fn schema_id(kind: EventType, version: u16) -> u32 {
    kind.place(version) as u32 + 1
}

/// Every schema by its id.
pub fn schemas() -> impl Iterator<Item = (u32, String)> {
    let of = |(kind, version)| (schema_id(kind, version), avro::schema_of(kind, version).to_string());
    EventType::versions().map(of)
}

/// The line in Avro, if it is an event.
pub fn line(line: Feedline) -> Feedline {
    let headers = line.header_slices();
    let message = Message { key: line.key.as_deref(), headers: &headers, value: Some(&line.value) };
    let event = events::decode(&message, &Limits::default()).ok();
    let Some(encoded) = event.map(|event| encode::avro_of(&event, schema_id(event.kind, event.version))) else {
        return line;
    };
    let headers = encoded.headers.into_iter().map(|(name, value)| (name, Cow::Owned(value))).collect();
    Feedline { headers, value: encoded.value, ..line }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Feed, Size, World};
    use events::avro::WriterSchemas;

    #[test]
    fn a_line_in_avro_says_what_it_said_in_json_in_fewer_bytes() {
        let mut known = WriterSchemas::default();
        schemas().for_each(|(id, text)| known.insert(id, &text).unwrap());
        let (mut json, mut avro, mut events) = (0, 0, 0);
        for one in Feed::new(World::new(3, Size::Small)).take(3_000) {
            let other = line(one.clone());
            let (one_headers, other_headers) = (one.header_slices(), other.header_slices());
            let one = Message { key: None, headers: &one_headers, value: Some(&one.value) };
            let other = Message { key: None, headers: &other_headers, value: Some(&other.value) };
            let Ok(told) = events::decode(&one, &Limits::default()) else { continue };
            let again = events::decode_with(&other, &Limits::default(), &known).unwrap();
            assert_eq!((&told.id, &told.record_id, told.recorded_at), (&again.id, &again.record_id, again.recorded_at));
            assert_eq!((&told.data, told.occurred, told.synthetic), (&again.data, again.occurred, again.synthetic));
            (json, avro, events) = (json + told.raw.len(), avro + again.raw.len(), events + 1);
        }
        assert!(events > 2_000 && avro < json, "{events} events, {json} and {avro} bytes");
    }
}
