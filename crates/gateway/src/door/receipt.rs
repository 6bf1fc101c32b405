//! A receipt: which events of a request are in the log, and where. The answer to the request is made of it and of nothing else, so the
//! answer that is given again is the answer that was given.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::problem::Refused;

/// Where one event is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) id: [u8; 16],
    pub(crate) partition: i32,
    pub(crate) offset: i64,
}

/// A receipt as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) id: [u8; 16],
    pub(crate) agency: String,
    /// `source_uid` of the log that took the events.
    pub(crate) log: String,
    /// When the log had taken them, milliseconds since 1970 UTC.
    pub(crate) made_ms: i64,
    pub(crate) places: Vec<Place>,
    pub(crate) refused: Vec<Refused>,
}

/// An id of a receipt as it is written.
pub(crate) fn id_text(id: [u8; 16]) -> String {
    Uuid::from_bytes(id).simple().to_string()
}

/// An id of a receipt as it is read; `None` of anything else.
pub(crate) fn id_of(text: &str) -> Option<[u8; 16]> {
    (text.len() == 32).then(|| Uuid::try_parse(text).ok()).flatten().map(Uuid::into_bytes)
}

/// The address of a receipt.
pub(crate) fn address(id: [u8; 16]) -> String {
    format!("/v1/receipts/{}", id_text(id))
}

/// The answer to a request of which at least one event was taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Answer {
    /// Id of the receipt.
    receipt: String,
    /// Its address.
    url: String,
    /// Events that are durable in the log.
    accepted: usize,
    /// Events that are not, each with its problem.
    refused: usize,
    /// One for each event, in the order of their lines.
    #[schema(value_type = Vec<Taken>)]
    results: Vec<Box<RawValue>>,
}

/// An event that is durable in the log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Taken {
    /// Its number from 1: the line of NDJSON or CSV, the place in a batch.
    line: u32,
    /// 202.
    status: u16,
    /// Its id.
    #[schema(value_type = String)]
    id: Uuid,
    /// Where it is.
    stream: String,
    /// Number of the partition.
    partition: i32,
    /// Its offset there.
    offset: i64,
}

impl Kept {
    /// The agency's stream.
    pub(crate) fn stream(&self) -> String {
        eventlog::stream_name(&self.agency)
    }

    /// 202, or 207 where some were refused.
    pub(crate) fn status(&self) -> u16 {
        if self.refused.is_empty() { 202 } else { 207 }
    }

    /// The answer to the request.
    pub(crate) fn answer(&self) -> Answer {
        let stream = self.stream();
        let taken = |place: &Place| {
            let (id, stream) = (Uuid::from_bytes(place.id), stream.clone());
            let Place { line, partition, offset, .. } = *place;
            (line, serde_json::value::to_raw_value(&Taken { line, status: 202, id, stream, partition, offset }))
        };
        let refused = self.refused.iter().map(|refused| (refused.line, serde_json::value::to_raw_value(refused)));
        let mut results: Vec<_> = self.places.iter().map(taken).chain(refused).collect();
        results.sort_by_key(|(line, _)| *line);
        Answer {
            receipt: id_text(self.id),
            url: address(self.id),
            accepted: self.places.len(),
            refused: self.refused.len(),
            results: results.into_iter().filter_map(|(_, result)| result.ok()).collect(),
        }
    }
}

/// A receipt as it is looked up.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Followed {
    /// Its id.
    receipt: String,
    /// When the log had taken the events, RFC 3339.
    made: String,
    /// How many events are how far.
    counts: Counts,
    /// Each event, in the order of their lines.
    events: Vec<FollowedEvent>,
    /// The lines that were refused, as they were answered.
    refused: Vec<Refused>,
}

/// How many events of a receipt are how far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Counts {
    durable: u64,
    accepted: u64,
    set_aside: u64,
    duplicate: u64,
    conflict: u64,
    passed_over: u64,
}

impl Counts {
    /// The number of events that are so far.
    pub(crate) fn of(&mut self, status: Status) -> &mut u64 {
        match status {
            Status::Durable => &mut self.durable,
            Status::Accepted => &mut self.accepted,
            Status::SetAside => &mut self.set_aside,
            Status::Duplicate => &mut self.duplicate,
            Status::Conflict => &mut self.conflict,
            Status::PassedOver => &mut self.passed_over,
        }
    }
}

/// How far an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// In the log; the warehouse has not read it yet.
    Durable,
    /// In the lake, and counted from the next edition on.
    Accepted,
    /// In the lake, encrypted, not counted.
    SetAside,
    /// The lake has the same event already: it counts once.
    Duplicate,
    /// The lake has another event of that id, which counts.
    Conflict,
    /// Read past without a row: an operator skipped it.
    PassedOver,
}

impl Status {
    /// By the word in the column `_status`.
    pub(crate) fn of(word: &str) -> Self {
        match word {
            "duplicate" => Self::Duplicate,
            "conflict" => Self::Conflict,
            _ => Self::SetAside,
        }
    }
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) status: Status,
    pub(crate) lake_version: Option<i64>,
    pub(crate) class: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) edition: Option<i64>,
}

/// An event of a receipt as it is looked up.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FollowedEvent {
    /// Its number in the request.
    line: u32,
    /// Its id.
    #[schema(value_type = String)]
    id: Uuid,
    /// Where it is.
    stream: String,
    /// Number of the partition.
    partition: i32,
    /// Its offset there.
    offset: i64,
    /// How far it is.
    status: Status,
    /// A version of the table `events` that has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    lake_version: Option<i64>,
    /// The first edition that counts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    counted_in: Option<i64>,
    /// Why it was not accepted, as one word.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The same as a sentence with place and remedy.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl Kept {
    /// What became of the events, by the outcome of each.
    pub(crate) fn followed(&self, outcomes: Vec<Outcome>) -> Followed {
        let mut counts = Counts::default();
        let event = |(place, outcome): (&Place, Outcome)| {
            *counts.of(outcome.status) += 1;
            FollowedEvent {
                line: place.line,
                id: Uuid::from_bytes(place.id),
                stream: self.stream(),
                partition: place.partition,
                offset: place.offset,
                status: outcome.status,
                lake_version: outcome.lake_version,
                counted_in: outcome.edition,
                reason: outcome.class,
                detail: outcome.detail,
            }
        };
        let events = self.places.iter().zip(outcomes).map(event).collect();
        let made = events::calendar::format_instant(self.made_ms.saturating_mul(1000));
        Followed { receipt: id_text(self.id), made, counts, events, refused: self.refused.clone() }
    }
}
