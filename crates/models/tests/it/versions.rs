//! A log of three versions mixed gives the tables of one (ingestion.md 3.10): events are kept as they were published, and
//! every table is made from the newest version of each.

use std::borrow::Cow;
use std::collections::BTreeMap;

use events::encode::{self, Draft};
use events::{EventType, Limits, Message};
use models::RefreshOptions;
use sample::{Feedline, Size};

use crate::order::hashes;
use crate::support::{Arrival, feed};

/// How often an event was told in a version, as Avro or as JSON.
type Told = BTreeMap<(EventType, u16, bool), u64>;

/// The line in a version of its type and in JSON or Avro; as it is, if it is no event.
fn told(line: &Feedline, version: u16, in_avro: bool, count: &mut Told) -> Feedline {
    let headers = line.header_slices();
    let message = Message { key: line.key.as_deref(), headers: &headers, value: Some(&line.value) };
    let Ok(event) = events::decode(&message, &Limits::default()) else { return line.clone() };
    let mut data = event.data.clone();
    while data.version() < version.min(event.kind.newest()) {
        data = data.next();
    }
    *count.entry((event.kind, data.version(), in_avro)).or_default() += 1;
    let person: Vec<_> = event.tokens.iter().map(|token| (token.kind, token.token)).collect();
    let draft = Draft { data: &data, ..Draft::of(&event, &person) };
    let schema = sample::avro::schema_id(event.kind, data.version());
    let encoded = if in_avro { encode::binary_avro(&draft, schema) } else { encode::binary(&draft) };
    let headers = encoded.headers.into_iter().map(|(name, value)| (name, Cow::Owned(value))).collect();
    Feedline { headers, value: encoded.value, ..line.clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_three_versions_mixed_gives_the_tables_of_one() {
    let lines = feed(Size::PercentOfSmall(40));
    let options = RefreshOptions::default();
    let expected = hashes(&lines, Arrival::default(), &options).await;

    // Neighbours differ in version and format, so copies of one event do, too.
    let mut count = Told::new();
    let mixed: Vec<_> = lines
        .iter()
        .enumerate()
        .map(|(at, line)| told(line, 1 + (at % 3) as u16, at / 3 % 2 == 0, &mut count))
        .collect();
    for version in 1..=3 {
        for in_avro in [false, true] {
            let of = |kind| count.get(&(kind, version, in_avro)).copied().unwrap_or(0);
            assert!(of(EventType::VictimIdentified) > 100, "{count:?}");
            assert!(of(EventType::RecordCorrected) > 10, "{count:?}");
        }
    }
    assert_eq!(hashes(&mixed, Arrival::default(), &options).await, expected);
}
