//! `door_received`: what a lake holds of the events that a door has acknowledged. Each must be there exactly once as accepted, and
//! the row at the place that its receipt names must be of it; every other row of it must be a copy that is not counted.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result};
use arrow::array::AsArray as _;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use futures::TryStreamExt as _;
use lake::{Events, EventsSnapshot, Store};
use serde_json::json;

use super::acknowledged::{self, number_of};
use crate::Measured;

/// What the rows of a lake say.
#[derive(Default)]
struct Rows {
    /// How often each event was accepted.
    accepted: HashMap<u64, u32>,
    /// The event at each place: agency's stream, partition, offset.
    at: HashMap<(String, i32, i64), u64>,
    by_status: BTreeMap<String, u64>,
    of_others: u64,
}

/// Measures; `events` is how many were to be acknowledged.
pub async fn measure(data: &Path, file: &Path, events: u64) -> Result<Measured> {
    let snapshot = Events::open(&Store::local(data)?, "figures").await?.snapshot()?;
    let whole = ingest::reconcile(&snapshot).await?.is_whole();
    let rows = read(&snapshot).await?;
    let all = acknowledged::read(file)?;
    let (mut lost, mut doubled, mut elsewhere) = (0_u64, 0_u64, 0_u64);
    for (agency, one) in &all {
        match rows.accepted.get(&one.number) {
            None => lost += 1,
            Some(1) => {}
            Some(_) => doubled += 1,
        }
        let place = (eventlog::stream_name(agency), one.partition, one.offset);
        elsewhere += u64::from(rows.at.get(&place) != Some(&one.number));
    }
    let found = all.len() as u64 - lost;
    let unasked = (rows.accepted.len() as u64).saturating_sub(found) + rows.of_others;
    let wrong = lost + doubled + elsewhere + unasked + events.abs_diff(all.len() as u64);
    Ok(Measured {
        value: json!(wrong),
        met: wrong == 0 && whole,
        details: json!({
            "events": events, "acknowledged": all.len(), "lost": lost, "counted_twice": doubled, "receipt_names_another_place": elsewhere,
            "accepted_and_never_acknowledged": unasked, "each_offset_has_one_row": whole, "rows": rows.by_status,
        }),
    })
}

async fn read(snapshot: &EventsSnapshot) -> Result<Rows> {
    let mut rows = Rows::default();
    for file in snapshot.files.iter() {
        let columns = ["event_id", "log_stream", "log_partition", "log_offset", "_status"];
        let mut batches = snapshot.read(file, &columns)?;
        while let Some(batch) = batches.try_next().await? {
            let text = |column: usize| cast(batch.column(column), &DataType::Utf8);
            let (ids, streams, statuses) = (text(0)?, text(1)?, text(4)?);
            let (ids, streams, statuses) =
                (ids.as_string::<i32>(), streams.as_string::<i32>(), statuses.as_string::<i32>());
            let partitions = batch.column(2).as_primitive::<Int32Type>();
            let offsets = batch.column(3).as_primitive::<Int64Type>();
            for at in 0..batch.num_rows() {
                let (_, stream) = streams.value(at).rsplit_once('/').context("a stream without its log")?;
                let place = (stream.to_owned(), partitions.value(at), offsets.value(at));
                rows.add(number_of(ids.value(at)), place, statuses.value(at));
            }
        }
    }
    Ok(rows)
}

impl Rows {
    fn add(&mut self, number: Option<u64>, place: (String, i32, i64), status: &str) {
        *self.by_status.entry(status.to_owned()).or_default() += 1;
        let Some(number) = number else {
            self.of_others += 1;
            return;
        };
        self.at.insert(place, number);
        if status == "ok" {
            *self.accepted.entry(number).or_default() += 1;
        }
    }
}
