//! `avro`: what reading the sample's events costs, in CPU-seconds per million: from Avro and from JSON as ingest reads them,
//! and by arrow-avro behind the walk that must precede it (docs/decisions/2026-11-26-avro-by-own-cursor.md).
//!
//! One thread; the time is that thread's own on a processor, as the system counts it (Linux).

use std::collections::BTreeMap;
use std::hint::black_box;

use anyhow::{Context as _, Result, ensure};
use arrow_avro::reader::{Decoder, ReaderBuilder};
use arrow_avro::schema::{AvroSchema, Fingerprint, FingerprintAlgorithm, SchemaStore};
use events::avro::WriterSchemas;
use events::{EventType, Limits, Message};
use sample::{Feed, Feedline};
use serde_json::json;

use crate::{Measured, Size};

/// Events read in one measurement, at least.
const EVENTS: usize = 1_000_000;

/// Rows of a batch of arrow-avro's.
const ROWS: usize = 8_192;

/// Ingest's goal for Avro in all is 2.5 s; its plan gives decoding 0.5 s (ingestion.md 4.2).
const GOAL: f64 = 0.5;

/// Measures.
pub fn measure(size: Size) -> Result<Measured> {
    let json: Vec<Feedline> = Feed::new(size.world()).filter(is_event).take(100_000).collect();
    let avro: Vec<Feedline> = json.iter().cloned().map(sample::avro::line).collect();
    let mut schemas = WriterSchemas::default();
    for (id, text) in sample::avro::schemas() {
        schemas.insert(id, &text).context("a schema of the contract")?;
    }
    let rounds = EVENTS.div_ceil(json.len());
    let from_avro = per_million(&avro, rounds, |message| read(message, &schemas))?;
    let from_json = per_million(&json, rounds, |message| read(message, &schemas))?;
    // What both have in common: the headers are read and judged, the value is not.
    let envelope = per_million(&avro, rounds, |message| {
        ensure!(events::avro::schema_id(black_box(message), &Limits::default()).is_some(), "an Avro message");
        Ok(())
    })?;
    let mut decoders = decoders()?;
    let by_arrow = per_million(&avro, rounds, |message| columns(message, &mut decoders))?;
    let walked = per_million(&avro, rounds, |message| {
        read(message, &schemas)?;
        columns(message, &mut decoders)
    })?;
    let bytes = |lines: &[Feedline]| lines.iter().map(|line| line.value.len()).sum::<usize>() / lines.len();
    Ok(Measured {
        value: json!(from_avro),
        met: from_avro <= GOAL,
        details: json!({
            "unit": "CPU-seconds per million events, one thread", "goal": GOAL, "events": json.len() * rounds,
            "avro": from_avro, "json": from_json, "of_both_the_envelope": envelope, "arrow_avro_alone": by_arrow, "walk_then_arrow_avro": walked,
            "bytes_avro": bytes(&avro), "bytes_json": bytes(&json), "release_build": !cfg!(debug_assertions),
        }),
    })
}

/// Binary mode and of the contract; structured lines and malformed ones are left out. So are corrections: arrow-avro 59.3
/// fails at the second batch that holds a union of records ("Offsets must be non-negative …").
fn is_event(line: &Feedline) -> bool {
    let headers = line.header_slices();
    let message = Message { key: None, headers: &headers, value: Some(&line.value) };
    let event = events::decode(&message, &Limits::default());
    let binary = line.headers.iter().any(|(name, _)| *name == "ce_id");
    binary && event.is_ok_and(|event| event.kind != EventType::RecordCorrected)
}

fn per_million(lines: &[Feedline], rounds: usize, mut each: impl FnMut(&Message<'_>) -> Result<()>) -> Result<f64> {
    let headers: Vec<_> = lines.iter().map(Feedline::header_slices).collect();
    let message = |i: usize| Message { key: None, headers: &headers[i], value: Some(&lines[i].value) };
    let before = cpu()?;
    for _ in 0..rounds {
        for i in 0..lines.len() {
            each(black_box(&message(i)))?;
        }
    }
    let seconds = cpu()? - before;
    Ok((seconds / (lines.len() * rounds) as f64 * 1e8).round() / 100.0)
}

fn read(message: &Message<'_>, schemas: &WriterSchemas) -> Result<()> {
    black_box(events::decode_with(message, &Limits::default(), schemas)?);
    Ok(())
}

/// Decoders of one schema each: a decoder that meets another schema must flush, and the feed's types alternate.
fn decoders() -> Result<BTreeMap<u32, Decoder>> {
    let of = |kind: &EventType| {
        let id = sample::avro::schema_id(*kind, 1);
        let mut store = SchemaStore::new_with_type(FingerprintAlgorithm::Id);
        let schema = AvroSchema::new(events::avro::schema_of(*kind, 1).to_string());
        store.set(Fingerprint::Id(id), schema).context("a schema")?;
        let decoder = ReaderBuilder::new().with_writer_schema_store(store).with_batch_size(ROWS).build_decoder();
        Ok((id, decoder.context("a decoder")?))
    };
    EventType::ALL.iter().map(of).collect()
}

fn columns(message: &Message<'_>, decoders: &mut BTreeMap<u32, Decoder>) -> Result<()> {
    let bytes = message.value.context("a value")?;
    let id = u32::from_be_bytes(bytes[1..5].try_into()?);
    let decoder = decoders.get_mut(&id).context("a schema of the sample")?;
    ensure!(decoder.decode(bytes)? == bytes.len(), "arrow-avro reads a message to its end");
    if decoder.batch_is_full() {
        black_box(decoder.flush()?);
    }
    Ok(())
}

/// Seconds that this thread has run on a processor.
fn cpu() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").context("this is measured on Linux")?;
    let nanoseconds: f64 = stat.split(' ').next().unwrap_or_default().parse()?;
    Ok(nanoseconds / 1e9)
}
