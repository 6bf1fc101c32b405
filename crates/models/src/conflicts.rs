//! Events of which several contents came under one id, for the steward: what differs, which content counts, and why.
//!
//! It is read from the lake at the time of asking: rows that ingest found to be a conflict, and the other rows of their ids. What counts
//! is chosen as staging chooses it ([`crate::stage`]), so the next Snapshot says the same.
//!
//! Of a field in which contents differ, what they say is told where it is a code or a date. Tokens, surrogates, ids of records and of
//! events, numbers and amounts are never told: that they differ is. Contents about persons who are erased are not here.
//!
//! Absent: deciding ([`crate::people::counted`]); two accepted rows of one id, which come to be only where an agency's partitions were dealt
//! anew (ingestion.md 3.7): staging keeps one of them as well.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, Int64Type, TimestampMicrosecondType};
use events::{EventType, calendar, schema};
use futures::TryStreamExt;
use lake::{EventsSnapshot, Lane};
use policy::{Erased, Keys, Policy};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::erased::Orders;
use crate::error::ModelsError;
use crate::stage::{self, Choices, Raw, StageError};

/// An event with several contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The agency.
    pub agency: String,
    /// The id of the event.
    pub event_id: Uuid,
    /// What came under it, in the order in which it was read.
    pub contents: Vec<Content>,
    /// In what they differ.
    pub differs: Vec<Difference>,
    /// Which of them counts.
    pub counts: usize,
    /// Why.
    pub because: Because,
}

/// One content of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The place of its row in the log, `<log>/<stream>/<partition>/<offset>`: of the first, where it came several times.
    pub row: String,
    /// Its type.
    pub kind: EventType,
    /// When it was read, microseconds UTC.
    pub read_us: i64,
}

/// A field in which contents differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The field of the contract, `fields.…` of a correction; `type`, `subject`, `time`, `dataschema` of the envelope.
    pub field: String,
    /// What each content says, where it may be told; nothing where it says nothing.
    pub said: Option<Vec<Option<String>>>,
}

/// Why a content counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// Nothing was decided: it is the least, by its sealed payload.
    Least,
    /// The steward decided it at this time, microseconds UTC.
    Decided(i64),
    /// The steward decided at this time for a row that is not here (any more): it is the least of those that are.
    DecidedForAbsent(i64),
}

impl Conflict {
    /// Whether the steward's word holds.
    pub const fn is_decided(&self) -> bool {
        matches!(self.because, Because::Decided(_))
    }
}

/// All conflicts, those that wait longest first.
///
/// # Errors
/// Storage errors; rows that this program would not have written.
pub async fn conflicts(events: &EventsSnapshot, policy: &Policy, keys: &Keys) -> Result<Vec<Conflict>, ModelsError> {
    let erased = Orders::of(events, keys).await?.erased;
    let agencies: stage::Agencies = policy.agencies.iter().map(|agency| (agency.code.clone(), agency.index)).collect();
    let choices = Choices::among(events, &events.files, &agencies, None).await?;
    let mut of_events: BTreeMap<(String, u128), Vec<Row>> = BTreeMap::new();
    for row in rows_of(events, &in_conflict(events).await?, &agencies, &erased, &choices).await? {
        of_events.entry((row.agency.clone(), row.event_id)).or_default().push(row);
    }
    let mut found = Vec::new();
    for ((agency, event_id), rows) in of_events {
        let number = agencies.get(&agency).copied().unwrap_or(u16::MAX);
        found.extend(conflict(agency, event_id, rows, choices.said_at((number, event_id)))?);
    }
    found.sort_by_key(|conflict| conflict.contents.iter().map(|content| content.read_us).max());
    Ok(found)
}

/// The ids of events of which ingest found a second content.
async fn in_conflict(events: &EventsSnapshot) -> Result<HashSet<Uuid>, ModelsError> {
    let mut ids = HashSet::new();
    for file in events.files.iter().filter(|file| file.lane == Lane::Side) {
        let mut batches = events.read(file, &["event_id", "_status"])?;
        while let Some(rows) = batches.try_next().await? {
            let (own, statuses) = (rows.column(0).as_string::<i32>(), stage::texts(&rows, 1)?);
            let found = (0..rows.num_rows()).filter(|row| statuses.get(*row) == Some("conflict"));
            ids.extend(found.filter_map(|row| events::form::parse_uuid(own.value(row))));
        }
    }
    Ok(ids)
}

/// Columns that staging reads, and behind them when a row was read.
const COLUMNS: [&str; stage::COLUMNS.len() + 1] = {
    let mut all = ["ingested_at"; stage::COLUMNS.len() + 1];
    let mut at = 0;
    while at < stage::COLUMNS.len() {
        all[at] = stage::COLUMNS[at];
        at += 1;
    }
    all
};

/// A row of the lake.
struct Row {
    agency: String,
    number: u16,
    event_id: u128,
    record_id: String,
    kind: EventType,
    version: u16,
    recorded_us: i64,
    payload: Vec<u8>,
    is_chosen: bool,
    place: String,
    offset: i64,
    read_us: i64,
}

impl Row {
    fn raw(&self) -> Raw<'_> {
        Raw {
            event_id: self.event_id,
            record_id: &self.record_id,
            kind: self.kind,
            version: self.version,
            agency: self.number,
            recorded_at: self.recorded_us,
            payload: &self.payload,
            is_chosen: self.is_chosen,
        }
    }
}

/// The rows of these events that staging takes.
async fn rows_of(
    events: &EventsSnapshot,
    ids: &HashSet<Uuid>,
    agencies: &stage::Agencies,
    erased: &Erased,
    choices: &Choices,
) -> Result<Vec<Row>, ModelsError> {
    let texts = Arc::new(ids.iter().map(Uuid::to_string).collect::<HashSet<String>>());
    let mut found = Vec::new();
    for file in events.files.iter().filter(|file| ids.iter().any(|id| file.may_carry(*id))) {
        let Some(mut batches) = events.seek_ids(file, &texts, &COLUMNS).await?.rows else { continue };
        while let Some(rows) = batches.try_next().await? {
            read(&rows, agencies, erased, choices, &mut found)?;
        }
    }
    Ok(found)
}

fn read(
    rows: &RecordBatch,
    agencies: &stage::Agencies,
    erased: &Erased,
    choices: &Choices,
    found: &mut Vec<Row>,
) -> Result<(), StageError> {
    let texts = |at: usize| stage::texts(rows, at);
    let (kinds, codes, schemas, statuses, streams) = (texts(2)?, texts(3)?, texts(4)?, texts(7)?, texts(8)?);
    let (ids, records) = (rows.column(0).as_string::<i32>(), rows.column(1).as_string::<i32>());
    let (payloads, subjects) = (rows.column(6).as_binary::<i32>(), rows.column(11).as_list::<i32>());
    let time = |at: usize| rows.column(at).as_primitive::<TimestampMicrosecondType>();
    let (partitions, offsets) =
        (rows.column(9).as_primitive::<Int32Type>(), rows.column(10).as_primitive::<Int64Type>());
    for row in 0..rows.num_rows() {
        let is_fact = matches!(statuses.get(row), Some("ok" | "conflict")) && !payloads.is_null(row);
        if !is_fact || stage::first_subject(subjects, row).is_some_and(|person| erased.has(&person)) {
            continue;
        }
        let wrong = StageError::Row;
        let agency = codes.get(row).unwrap_or_default();
        let number = *agencies.get(agency).ok_or(StageError::Agency)?;
        let kind = kinds.get(row).and_then(EventType::from_name).ok_or_else(|| wrong("event_type"))?;
        let event_id = events::form::parse_uuid(ids.value(row)).ok_or_else(|| wrong("event_id"))?.as_u128();
        let at = (streams.get(row).unwrap_or_default(), partitions.value(row), offsets.value(row));
        found.push(Row {
            agency: agency.to_owned(),
            number,
            event_id,
            record_id: records.value(row).to_owned(),
            kind,
            version: schemas.get(row).and_then(stage::version_of).ok_or_else(|| wrong("schema_id"))?,
            recorded_us: time(5).value(row),
            payload: payloads.value(row).to_vec(),
            is_chosen: choices.has(kind, (number, event_id), at),
            place: format!("{}/{}/{}", at.0, at.1, at.2),
            offset: at.2,
            read_us: time(12).value(row),
        });
    }
    Ok(())
}

/// The conflict that rows of one event are, if they say different things.
fn conflict(
    agency: String,
    event_id: u128,
    mut rows: Vec<Row>,
    decided_us: Option<i64>,
) -> Result<Option<Conflict>, StageError> {
    rows.sort_by(|a, b| (a.read_us, a.offset, &a.place).cmp(&(b.read_us, b.offset, &b.place)));
    let mut contents: Vec<&Row> = Vec::new();
    for row in &rows {
        if !contents.iter().any(|known| known.raw().content() == row.raw().content()) {
            contents.push(row);
        }
    }
    let kept = rows.iter().min_by(|a, b| a.raw().rank().cmp(&b.raw().rank()));
    let Some(kept) = kept.filter(|_| contents.len() > 1) else { return Ok(None) };
    let because = match decided_us {
        Some(at) if kept.is_chosen => Because::Decided(at),
        Some(at) => Because::DecidedForAbsent(at),
        None => Because::Least,
    };
    let counts = contents.iter().position(|content| content.raw().content() == kept.raw().content());
    let differs = differences(&contents)?;
    let content = |row: &&Row| Content { row: row.place.clone(), kind: row.kind, read_us: row.read_us };
    let contents = contents.iter().map(content).collect();
    let event_id = Uuid::from_u128(event_id);
    Ok(Some(Conflict { agency, event_id, contents, differs, counts: counts.unwrap_or(0), because }))
}

/// What a content says in a field, and how it is told where it may be.
type Field = (Value, Option<String>);

fn differences(contents: &[&Row]) -> Result<Vec<Difference>, StageError> {
    let fields = contents.iter().map(|row| fields(row)).collect::<Result<Vec<_>, _>>()?;
    let names: BTreeSet<&String> = fields.iter().flat_map(BTreeMap::keys).collect();
    let of = |name: &String| {
        let said: Vec<Option<&Field>> = fields.iter().map(|fields| fields.get(name)).collect();
        let is_same = said.windows(2).all(|two| two[0].map(|field| &field.0) == two[1].map(|field| &field.0));
        let told = said.iter().map(|field| field.map_or(Some(None), |(_, told)| told.clone().map(Some)));
        (!is_same).then(|| Difference { field: name.clone(), said: told.collect() })
    };
    Ok(names.into_iter().filter_map(of).collect())
}

/// All that a row says.
fn fields(row: &Row) -> Result<BTreeMap<String, Field>, StageError> {
    let body: Map<String, Value> =
        serde_json::from_slice(&row.raw().content().0).map_err(|_| StageError::Row("payload"))?;
    let mut out: BTreeMap<String, Field> = BTreeMap::new();
    let mut envelope = |name: &str, value: Value, told: Option<String>| out.insert(name.to_owned(), (value, told));
    envelope("subject", row.record_id.as_str().into(), None);
    envelope("time", row.recorded_us.into(), Some(calendar::format_instant(row.recorded_us)));
    envelope("type", row.kind.name().into(), Some(row.kind.short_name().to_owned()));
    envelope("dataschema", row.version.into(), Some(format!("v{}", row.version)));
    let own = schema::of(row.kind, row.version);
    let target = body.get("target_type").and_then(Value::as_str).and_then(EventType::from_name);
    for (name, value) in body {
        match value {
            Value::Object(parts) if name == "fields" => {
                let of_target = target.map(|kind| schema::of(kind, kind.newest())).unwrap_or_default();
                for (part, value) in parts {
                    let told = told(&part, &value, &of_target);
                    out.insert(format!("fields.{part}"), (value, told));
                }
            }
            value => {
                let told = told(&name, &value, &own);
                out.insert(name, (value, told));
            }
        }
    }
    Ok(out)
}

/// Fields of the contract that are dates.
const DATES: [&str; 2] = ["occurred_on", "period"];

/// How a field's value is told, where it is a code, several codes or a date.
fn told(name: &str, value: &Value, of: &Value) -> Option<String> {
    let property = &of["properties"][name];
    let is_closed = property["enum"].is_array() || property["items"]["enum"].is_array();
    if !is_closed && !DATES.contains(&name) {
        return None;
    }
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(codes) => {
            let codes: Option<Vec<&str>> = codes.iter().map(Value::as_str).collect();
            codes.map(|codes| codes.join(", "))
        }
        _ => None,
    }
}
