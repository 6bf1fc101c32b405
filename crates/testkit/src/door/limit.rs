//! `door_limit`: the log without a door. The same events, decoded and encoded as the door does it, appended to an embedded log of their
//! own, so many in one call, each call durable when it returns. No door over this log can be faster than that.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use eventlog::sqlite::SqliteLog;
use eventlog::{EventSink, Outgoing, stream_name};
use events::encode::{Encoded, binary_of_line};
use serde_json::{Map, json};
use uuid::Uuid;

use super::event;
use crate::Measured;

/// So long for each size.
const FOR: Duration = Duration::from_secs(3);

/// Measures: events a second by events in one call.
pub fn measure(scratch: &Path, sizes: &[usize]) -> Result<Measured> {
    let mut rates = Map::new();
    for size in sizes {
        let folder = tempfile::tempdir_in(scratch)?;
        rates.insert(size.to_string(), json!(rate(folder.path(), *size)?.round()));
    }
    Ok(Measured { value: json!(rates), met: true, details: json!({}) })
}

fn rate(folder: &Path, size: usize) -> Result<f64> {
    let stream = stream_name("POL-PB");
    let lines: Vec<String> = (0..size as u64).map(|number| event(number, "POL-PB")).collect();
    let encoded = lines.iter().map(|line| {
        let made = binary_of_line(line.as_bytes(), &events::Limits::default());
        made.map(|(_, message)| message).map_err(|fault| anyhow!("no event: {fault}"))
    });
    let encoded = encoded.collect::<Result<Vec<_>>>()?;
    let headers: Vec<_> = encoded.iter().map(Encoded::header_slices).collect();
    let outgoing = |(message, headers)| {
        let message: &Encoded = message;
        let headers: &Vec<(&str, &[u8])> = headers;
        Outgoing { key: Some(&message.key), headers, value: Some(&message.value), timestamp_ms: 1_764_504_000_000 }
    };
    let messages: Vec<Outgoing<'_>> = encoded.iter().zip(&headers).map(outgoing).collect();
    let mut sink = SqliteLog::open(folder.join("log.db"), Uuid::from_u128(1))?.sink()?;
    let (began, mut calls) = (Instant::now(), 0_u32);
    while began.elapsed() < FOR {
        sink.append(&stream, &messages)?;
        calls += 1;
    }
    Ok(f64::from(calls) * size as f64 / began.elapsed().as_secs_f64())
}
