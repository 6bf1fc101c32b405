//! What `amanat status --json` tells. Names end in their unit; fields are added, never renamed.
//!
//! Bytes are told by day and not by partition: a commit writes the rows of all partitions into the same one or two files, and
//! compaction sorts them by record, so no file is one partition's.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use ingest::{Leeway, Outcome};
use lake::{DataFile, Lane, PartitionId};
use policy::OnReject;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Status {
    /// When it was looked.
    pub at: String,
    pub store: &'static str,
    pub lake_version: Option<u64>,
    /// Why the log does not answer, if it does not.
    pub log_away: Option<String>,
    pub partitions: Vec<Row>,
    pub totals: Totals,
    /// Partitions that stand still until an operator acts.
    pub halted: usize,
    /// Rows by status and reason.
    pub counts: BTreeMap<String, u64>,
    pub bytes: Bytes,
    pub maintenance: Option<lake::maintain::Status>,
    pub editions: serde_json::Value,
}

/// One partition. What is not known is null.
#[derive(Serialize)]
pub(super) struct Row {
    pub agency: Option<String>,
    pub log_stream: String,
    pub partition: i32,
    /// Offset behind the log's last message, and the next one by the lake.
    pub in_log: Option<i64>,
    pub in_lake: Option<i64>,
    /// Messages in the log that are not in the lake.
    pub lag: Option<i64>,
    /// Since when the oldest of them lies in the log; 0 when there is none.
    pub oldest_unread_age_seconds: Option<f64>,
    /// When the newest rows were read from the log, to be committed within the same second as a rule.
    pub last_ingested_at: Option<String>,
    pub last_ingested_age_seconds: Option<f64>,
    pub set_aside: Option<SetAside>,
    /// The fencing number, and who holds it.
    pub claim: Option<i64>,
    pub owner: Option<Owner>,
    /// Why it stands still, as one word and in words: `halt` until an operator acts, `waiting` until what is missing is there.
    pub reason: Option<String>,
    pub halt: Option<String>,
    pub waiting: Option<String>,
}

/// Who holds a claim. Host and process are known of workers on this data directory alone.
#[derive(Serialize)]
pub(super) struct Owner {
    pub writer_id: String,
    pub host: Option<String>,
    pub pid: Option<u32>,
}

/// What was set aside of a partition, over its last offsets as the policy counts it, and over all its rows.
#[derive(Serialize)]
pub(super) struct SetAside {
    pub rule: &'static str,
    pub window_messages: u64,
    pub window_offsets: u32,
    /// From so many on, the next message that cannot be accepted stops the partition; null: no number does.
    pub limit_messages: Option<u32>,
    pub all_messages: u64,
    pub all_rows: u64,
    pub all_ratio: f64,
}

impl SetAside {
    pub(super) fn of(rule: OnReject, leeway: Leeway, all: &Outcome) -> Self {
        let rule = match rule {
            OnReject::Suspend => "suspend",
            OnReject::SetAside => "set_aside",
            OnReject::SetAsideWithLimit { .. } => "set_aside_with_limit",
        };
        let (all_messages, all_rows) = (all.status("set_aside"), all.total());
        let Leeway { counted: window_messages, window: window_offsets, most: limit_messages } = leeway;
        let all_ratio = ratio(all_messages, all_rows);
        Self { rule, window_messages, window_offsets, limit_messages, all_messages, all_rows, all_ratio }
    }
}

/// Over all partitions.
#[derive(Serialize)]
pub(super) struct Totals {
    pub partitions: usize,
    pub lag_messages: Option<i64>,
    pub oldest_unread_age_seconds: Option<f64>,
    pub last_ingested_age_seconds: Option<f64>,
    pub set_aside_messages: u64,
    pub rows: u64,
    pub set_aside_ratio: f64,
}

impl Totals {
    pub(super) fn of(rows: &[Row]) -> Self {
        let all = |of: fn(&SetAside) -> u64| rows.iter().filter_map(|row| row.set_aside.as_ref()).map(of).sum();
        let (set_aside, total) = (all(|of| of.all_messages), all(|of| of.all_rows));
        let ages = |of: fn(&Row) -> Option<f64>| rows.iter().filter_map(of);
        Self {
            partitions: rows.len(),
            lag_messages: rows.iter().filter_map(|row| row.lag).reduce(|sum, lag| sum + lag),
            oldest_unread_age_seconds: ages(|row| row.oldest_unread_age_seconds).reduce(f64::max),
            last_ingested_age_seconds: ages(|row| row.last_ingested_age_seconds).reduce(f64::min),
            set_aside_messages: set_aside,
            rows: total,
            set_aside_ratio: ratio(set_aside, total),
        }
    }
}

/// Parquet files of the table `events`.
#[derive(Serialize, Default)]
#[expect(clippy::struct_field_names, reason = "the names are keys of the answer, with their units")]
pub(super) struct Bytes {
    pub files: u64,
    pub total_bytes: u64,
    /// By `ingest_date` (Asia/Karachi).
    pub by_day: BTreeMap<NaiveDate, Day>,
}

/// Files of a day: `main_bytes` of what was accepted, `side_bytes` of what was set aside, of copies and conflicts.
#[derive(Serialize, Default)]
pub(super) struct Day {
    pub files: u64,
    pub main_bytes: u64,
    pub side_bytes: u64,
}

impl Bytes {
    pub(super) fn of(files: &[DataFile]) -> Self {
        let mut bytes = Self::default();
        for file in files {
            let date = NaiveDate::default() + chrono::Days::new(u64::try_from(file.ingest_date).unwrap_or_default());
            let day = bytes.by_day.entry(date).or_default();
            (bytes.files, bytes.total_bytes, day.files) =
                (bytes.files + 1, bytes.total_bytes + file.bytes, day.files + 1);
            match file.lane {
                Lane::Main => day.main_bytes += file.bytes,
                Lane::Side => day.side_bytes += file.bytes,
            }
        }
        bytes
    }
}

/// Rows by status, with the reason where there is one.
pub(super) fn counts<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for ((status, reason), rows) in outcomes.flat_map(|outcome| &outcome.rows) {
        let name = if reason.is_empty() { status.clone() } else { format!("{status}: {reason}") };
        *counts.entry(name).or_default() += rows;
    }
    counts
}

/// The agency of a partition's stream; `None` of a replay.
pub(super) fn agency(id: &PartitionId) -> Option<&str> {
    eventlog::agency_of(id.log_stream.rsplit_once('/')?.1)
}

pub(super) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Never below zero: clocks of two machines differ.
pub(super) fn age_seconds(now: DateTime<Utc>, then_us: i64) -> f64 {
    now.timestamp_micros().saturating_sub(then_us).max(0) as f64 / 1e6
}

fn ratio(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { part as f64 / all as f64 }
}
