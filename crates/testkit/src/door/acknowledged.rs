//! What the door has acknowledged: which event is at which place, kept in a file for whoever looks into the lake afterwards.

use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::ID;

/// An event and its place, as a receipt says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledged {
    /// Number of the event.
    pub number: u64,
    /// Partition of its agency's stream.
    pub partition: i32,
    /// Offset there.
    pub offset: i64,
}

/// The number of an event by its id.
pub fn number_of(id: &str) -> Option<u64> {
    u64::from_str_radix(id.strip_prefix(ID)?, 16).ok()
}

/// What an answer of `POST /v1/events` acknowledges.
pub fn of_answer(answer: &Value) -> Result<Vec<Acknowledged>> {
    let results = answer["results"].as_array().context("an answer without results")?;
    results.iter().filter(|result| result["status"] == 202).map(one).collect()
}

fn one(result: &Value) -> Result<Acknowledged> {
    let number = result["id"].as_str().and_then(number_of).context("an id that was not sent")?;
    let partition = result["partition"].as_i64().and_then(|partition| i32::try_from(partition).ok());
    let offset = result["offset"].as_i64().context("no offset")?;
    Ok(Acknowledged { number, partition: partition.context("no partition")?, offset })
}

/// Writes a file: `AGENCY NUMBER PARTITION OFFSET` in a line.
pub fn write<'a>(file: &Path, all: impl Iterator<Item = (&'a str, Acknowledged)>) -> Result<()> {
    let mut out = BufWriter::new(std::fs::File::create(file)?);
    for (agency, Acknowledged { number, partition, offset }) in all {
        writeln!(out, "{agency} {number} {partition} {offset}")?;
    }
    Ok(out.flush()?)
}

/// Reads it.
pub fn read(file: &Path) -> Result<Vec<(String, Acknowledged)>> {
    let text = std::fs::read_to_string(file)?;
    let one = |line: &str| {
        let mut words = line.split(' ');
        let agency = words.next()?.to_owned();
        let number = words.next()?.parse().ok()?;
        let (partition, offset) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some((agency, Acknowledged { number, partition, offset }))
    };
    text.lines().map(|line| one(line).context("no line of what was acknowledged")).collect()
}
