//! The steward's word on conflicts: which row of an event counts, of several with one id (`conflict.decided`).
//!
//! A word names a row by its place in the log, which no rewrite of the lake changes. Of several words on an event the last stands,
//! in the order of the words and not of their arrival. One that names a row which is not there, or is none of that event, chooses
//! nothing: it is counted ([`super::StageCounts::choices`]) and everything is as without it, until the row comes.
//!
//! They are known before rows are dealt out: those that were staged before stand in the family `choices`, the others are read from the
//! lake by their type. What lies beyond a cut decides nothing below it.
//!
//! Absent: which row is kept where nothing was decided (see `copies`).

use std::cmp::Reverse;
use std::collections::HashMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use events::data::ConflictDecided;
use events::{Data, EventType};
use futures::TryStreamExt;
use lake::{DataFile, EventsSnapshot, RowFilter};

use super::family::CHOICES;
use super::rows::Place;
use super::scatter::{self, Ends, texts, version_of};
use super::{Agencies, Plan, StageError, kept};
use crate::error::ModelsError;
use crate::layers::Layers;

/// Columns of the family that say what was decided, in this order.
const SAID: [&str; 6] = ["record_version", "recorded_at", "event_id", "about_agency", "about_event", "row"];

/// The number of agencies that the policy does not list: none of their events are here.
const NOBODY: u16 = u16::MAX;

/// The standing word on each event.
#[derive(Debug, Clone, Default)]
pub(crate) struct Choices(HashMap<(u16, u128), Choice>);

/// A word. The greatest stands; of two contents of one word, the lesser row, as with any event the least content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Choice {
    /// Its place among the words.
    said: Place,
    /// The row that it names.
    row: Reverse<String>,
}

impl Choices {
    /// What these files of the lake say, as far as it counts.
    pub async fn among(
        events: &EventsSnapshot,
        files: &[DataFile],
        agencies: &Agencies,
        ends: Option<Ends<'_>>,
    ) -> Result<Self, StageError> {
        const WORDS: [&str; 1] = [EventType::ConflictDecided.name()];
        let mut found = Self::default();
        for file in files {
            let mut batches = events.read_where(file, &scatter::COLUMNS, &RowFilter::EventTypes(&WORDS))?;
            while let Some(rows) = batches.try_next().await? {
                found.read(agencies, ends, &rows)?;
            }
        }
        Ok(found)
    }

    fn read(&mut self, agencies: &Agencies, ends: Option<Ends<'_>>, rows: &RecordBatch) -> Result<(), StageError> {
        let (schemas, statuses) = (texts(rows, 4)?, texts(rows, 7)?);
        let (ids, payloads) = (rows.column(0).as_string::<i32>(), rows.column(6).as_binary::<i32>());
        let times = rows.column(5).as_primitive::<TimestampMicrosecondType>();
        let below = scatter::below_cut(ends, rows)?;
        for row in (0..rows.num_rows()).filter(|row| below(*row)) {
            if !matches!(statuses.get(row), Some("ok" | "conflict")) || payloads.is_null(row) {
                continue;
            }
            let version = schemas.get(row).and_then(version_of).ok_or(StageError::Row("schema_id"))?;
            let id = events::form::parse_uuid(ids.value(row)).ok_or(StageError::Row("event_id"))?;
            let sealed = events::decode_sealed(EventType::ConflictDecided, version, payloads.value(row))
                .map_err(StageError::Decode)?;
            let said = Place { version: sealed.record_version, recorded_at: times.value(row), event_id: id.as_u128() };
            if let Data::ConflictDecided(ConflictDecided { agency, event_id, row }) = sealed.data {
                self.hear(number(agencies, &agency), event_id.as_u128(), Choice { said, row: Reverse(row) });
            }
        }
        Ok(())
    }

    /// What was staged before.
    pub async fn staged(plan: &Plan<'_>, below: &Layers) -> Result<Self, ModelsError> {
        let mut found = Self::default();
        for rows in below.rows(kept(CHOICES), Some(&SAID), &[], plan.parallel).await? {
            found.again(plan.agencies, &rows);
        }
        Ok(found)
    }

    fn again(&mut self, agencies: &Agencies, rows: &RecordBatch) {
        let column = |name: &str| rows.column_by_name(name).expect("staged rows have the columns of their schema");
        let number_of = |name: &str| column(name).as_primitive::<Int64Type>();
        let id = |name: &str, row: usize| {
            let bytes = column(name).as_fixed_size_binary().value(row);
            u128::from_be_bytes(bytes.try_into().expect("the column is 16 bytes wide"))
        };
        let text = |name: &str, row: usize| column(name).as_string::<i32>().value(row);
        for row in 0..rows.num_rows() {
            let said = Place {
                version: number_of("record_version").value(row),
                recorded_at: number_of("recorded_at").value(row),
                event_id: id("event_id", row),
            };
            let choice = Choice { said, row: Reverse(text("row", row).to_owned()) };
            self.hear(number(agencies, text("about_agency", row)), id("about_event", row), choice);
        }
    }

    /// Adds the words of others.
    pub fn and(mut self, others: &Self) -> Self {
        for ((agency, event), choice) in &others.0 {
            self.hear(*agency, *event, choice.clone());
        }
        self
    }

    fn hear(&mut self, agency: u16, event: u128, choice: Choice) {
        let standing = self.0.entry((agency, event)).or_insert_with(|| choice.clone());
        if *standing < choice {
            *standing = choice;
        }
    }

    /// When the word that stands on an event was said, microseconds UTC.
    pub fn said_at(&self, event: (u16, u128)) -> Option<i64> {
        self.0.get(&event).map(|choice| choice.said.recorded_at)
    }

    /// The events that are spoken of.
    pub fn events(&self) -> impl Iterator<Item = (u16, u128)> + '_ {
        self.0.keys().copied()
    }

    /// How many events are spoken of.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the row at a place of the log, of an event, is the one that counts. A word on the steward's own words on conflicts chooses
    /// nothing: what was decided must be known before it is known what counts.
    pub fn has(&self, kind: EventType, event: (u16, u128), at: (&str, i32, i64)) -> bool {
        let (stream, partition, offset) = at;
        let is_it = |choice: &Choice| choice.row.0 == format!("{stream}/{partition}/{offset}");
        kind != EventType::ConflictDecided && self.0.get(&event).is_some_and(is_it)
    }
}

fn number(agencies: &Agencies, code: &str) -> u16 {
    agencies.get(code).copied().unwrap_or(NOBODY)
}
