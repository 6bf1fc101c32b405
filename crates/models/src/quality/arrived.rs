//! What arrived of each agency, month by month: accepted, there already, in conflict, set aside.
//!
//! Absent: what a message says. Four columns of the lake are read, and only of files of the months asked for.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use events::calendar::karachi_day;
use futures::TryStreamExt;
use lake::EventsSnapshot;
use policy::TimeLevel;

use super::Histogram;
use crate::error::ModelsError;
use crate::stage::texts;

/// Columns that are read, in this order.
const COLUMNS: [&str; 5] = ["log_stream", "_status", "_error_class", "ingested_at", "recorded_at"];
/// The longest delay that is told apart, days.
const LONGEST: i32 = 366;

/// What arrived of an agency in a month.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Arrived {
    /// Accepted, those who were erased since among them.
    pub accepted: u64,
    /// There already.
    pub duplicates: u64,
    /// There already with other content.
    pub conflicts: u64,
    /// Set aside, by reason.
    pub set_aside: BTreeMap<String, u64>,
    /// Accepted, by days from the record to the arrival.
    pub delays: Histogram,
    /// The last day on which something arrived.
    pub last_day: i32,
}

/// By agency's code and month.
pub(super) type ByAgency = BTreeMap<String, BTreeMap<u16, Arrived>>;

/// Reads what arrived since a month began.
pub(super) async fn read(events: &EventsSnapshot, first: u16) -> Result<ByAgency, ModelsError> {
    let first_day = TimeLevel::Month.days(first).map_or(i32::MIN, |(from, _)| from);
    let mut arrived = ByAgency::new();
    // A day in Karachi begins on the day before in UTC.
    for file in events.files.iter().filter(|file| file.ingest_date >= first_day.saturating_sub(1)) {
        let mut batches = events.read(file, &COLUMNS)?;
        while let Some(rows) = batches.try_next().await? {
            note(&mut arrived, &rows, first_day)?;
        }
    }
    Ok(arrived)
}

fn note(arrived: &mut ByAgency, rows: &RecordBatch, first_day: i32) -> Result<(), ModelsError> {
    let (streams, statuses, classes) = (texts(rows, 0)?, texts(rows, 1)?, texts(rows, 2)?);
    let times = |at: usize| rows.column(at).as_primitive::<TimestampMicrosecondType>();
    let (ingested, recorded) = (times(3), times(4));
    for row in 0..rows.num_rows() {
        let day = karachi_day(ingested.value(row));
        // The stream's agency: what was set aside may name another, or none.
        let Some(agency) = streams.get(row).and_then(agency_of).filter(|_| day >= first_day) else { continue };
        let known = match arrived.get_mut(agency) {
            Some(known) => known,
            None => arrived.entry(agency.to_owned()).or_default(),
        };
        let month = known.entry(TimeLevel::Month.of_day(day)).or_default();
        month.last_day = month.last_day.max(day);
        match statuses.get(row) {
            Some("duplicate") => month.duplicates += 1,
            Some("conflict") => month.conflicts += 1,
            Some("set_aside") => {
                *month.set_aside.entry(classes.get(row).unwrap_or_default().to_owned()).or_default() += 1;
            }
            Some("ok" | "erased") => {
                month.accepted += 1;
                if recorded.is_valid(row) {
                    let delay = (day - karachi_day(recorded.value(row))).clamp(0, LONGEST);
                    *month.delays.entry(delay as u16).or_default() += 1;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The agency of `<source>/<stream>`.
fn agency_of(stream: &str) -> Option<&str> {
    events::form::agency_of_stream(stream.rsplit('/').next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_of_whatever_log_and_generation_names_its_agency() {
        for stream in ["file-1/tip.events.POL-PB.v1", "kafka#2/tip.events.POL-PB.v1", "tip.events.POL-PB.v1"] {
            assert_eq!(agency_of(stream), Some("POL-PB"), "{stream}");
        }
        assert_eq!(agency_of("file-1/tip.receipts.v1"), None);
    }
}
