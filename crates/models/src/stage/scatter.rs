//! Rows of the lake, dealt out to buckets.
//!
//! A bucket holds whole records: `hash(record_id) % buckets`. Rows stay sealed and undecoded here. Up to
//! [`MEMORY_BYTES`] they wait in memory, beyond that in unnamed files that the system removes with the process.
//!
//! Absent: which rows count. Positions in the log are read only to leave out what lies beyond a cut, and to know the rows that the steward
//! chose.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{BufReader, BufWriter, Seek};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, FixedSizeBinaryArray, FixedSizeBinaryBuilder, ListArray, RecordBatch,
    UInt16Array, UInt32Array,
};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{
    DataType, Field, Int32Type, Int64Type, Schema, SchemaRef, TimestampMicrosecondType, UInt16Type,
};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use events::EventType;
use lake::PartitionId;
use policy::Erased;

use super::batch::fact_code;
use super::choices::Choices;
use super::copies::{Content, Winners};
use super::rows::{self, Raw, Row};
use super::tellers::Tellers;
use super::{Agencies, ERASED, Plan, Skipped, StageError};
use crate::keys::{hash_bytes, mix};

/// Columns of the lake that staging reads, in this order.
pub(crate) const COLUMNS: [&str; 12] = [
    "event_id",
    "record_id",
    "event_type",
    "agency",
    "schema_id",
    "recorded_at",
    "payload",
    "_status",
    "log_stream",
    "log_partition",
    "log_offset",
    "subject_refs",
];

/// How much may wait in memory.
const MEMORY_BYTES: usize = 160 << 20;

/// What was told of persons who are erased: agency, event id, and the hash of the record in which it was told.
pub(crate) type Gone = HashSet<(u16, u128, u64)>;

/// Where rows of the lake end: the next offset of each partition; rows of other partitions lie beyond it.
pub(crate) type Cut = BTreeMap<PartitionId, i64>;

/// Where the rows of the lake that count end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends<'a> {
    /// All rows below this cut.
    pub cut: &'a Cut,
    /// And some beyond it.
    pub also: Option<&'a Also>,
}

/// Rows beyond a cut that count all the same: those of some types, below a later cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Also {
    /// The later cut.
    pub below: Cut,
    /// The types.
    pub kinds: Vec<EventType>,
}

/// Deals rows out.
pub(crate) struct Scatter<'a> {
    agencies: &'a Agencies,
    ends: Option<Ends<'a>>,
    erased: &'a Erased,
    choices: &'a Choices,
    gone: Gone,
    scratch: PathBuf,
    buckets: Vec<Waiting>,
    waiting_bytes: usize,
    tellers: Tellers,
    /// Rows taken.
    pub rows: u64,
    /// Rows left out, by reason.
    pub skipped: Skipped,
}

/// The rows of one bucket that wait to be decoded.
#[derive(Default)]
struct Waiting {
    memory: Vec<RecordBatch>,
    file: Option<StreamWriter<BufWriter<File>>>,
}

impl<'a> Scatter<'a> {
    /// Deals to so many buckets (at most 256) what a plan takes, of which some rows were chosen.
    pub fn new(buckets: usize, plan: &Plan<'a>, choices: &'a Choices) -> Self {
        Self {
            agencies: plan.agencies,
            ends: plan.ends,
            erased: plan.erased,
            choices,
            gone: Gone::new(),
            scratch: plan.scratch.clone(),
            buckets: (0..buckets).map(|_| Waiting::default()).collect(),
            waiting_bytes: 0,
            tellers: Tellers::new(),
            rows: 0,
            skipped: Skipped::default(),
        }
    }

    /// Takes a batch of [`COLUMNS`].
    pub fn push(&mut self, batch: &RecordBatch) -> Result<(), StageError> {
        let rows = self.counted(batch)?;
        if rows.is_empty() {
            return Ok(());
        }
        let batch = take_record_batch(batch, &UInt32Array::from(rows))?;
        let batch = self.narrow(&batch)?;
        let mut dealt: Vec<Vec<u32>> = vec![Vec::new(); self.buckets.len()];
        let records = batch.column(1).as_string::<i32>();
        let (ids, agencies) = (batch.column(0).as_fixed_size_binary(), batch.column(4).as_primitive::<UInt16Type>());
        for row in 0..batch.num_rows() {
            let bucket = (hash_bytes(records.value(row).as_bytes()) % self.buckets.len() as u64) as usize;
            dealt[bucket].push(row as u32);
            if self.buckets.len() > 1 {
                self.tellers.note(event_hash(agencies.value(row), ids.value(row)), bucket);
            }
        }
        self.tellers.settle(&self.scratch)?;
        self.rows += batch.num_rows() as u64;
        for (bucket, rows) in dealt.into_iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
            let part = take_record_batch(&batch, &UInt32Array::from(rows))?;
            self.waiting_bytes += part.get_array_memory_size();
            self.buckets[bucket].memory.push(part);
        }
        if self.waiting_bytes > MEMORY_BYTES { self.spill() } else { Ok(()) }
    }

    /// Rows that are facts: accepted or in conflict, with a payload, below the cut, about nobody who is erased.
    fn counted(&mut self, batch: &RecordBatch) -> Result<Vec<u32>, StageError> {
        let status = texts(batch, 7)?;
        let subjects = batch.column(11).as_list::<i32>();
        let payload = batch.column(6);
        let below = below_cut(self.ends, batch)?;
        let mut rows = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            if !below(row) {
                self.skipped.beyond_cut += 1;
            } else if !matches!(status.get(row), Some("ok" | "conflict")) || payload.is_null(row) {
                self.skipped.skip(status.get(row).unwrap_or(""), 1);
            } else if !self.erased.is_empty()
                && first_subject(subjects, row).is_some_and(|person| self.erased.has(&person))
            {
                self.skipped.skip(ERASED, 1);
                self.gone.insert(self.place(batch, row)?);
            } else {
                rows.push(row as u32);
            }
        }
        Ok(rows)
    }

    /// Agency and id of the event of a row, and the hash of its record.
    fn place(&self, batch: &RecordBatch, row: usize) -> Result<(u16, u128, u64), StageError> {
        let id = events::form::parse_uuid(batch.column(0).as_string::<i32>().value(row));
        let agency = texts(batch, 3)?.get(row).and_then(|code| self.agencies.get(code).copied());
        let id = id.ok_or(StageError::Row("event_id"))?.as_u128();
        let record = hash_bytes(batch.column(1).as_string::<i32>().value(row).as_bytes());
        Ok((agency.ok_or(StageError::Agency)?, id, record))
    }

    /// The columns of [`waiting_schema`]: texts that are numbers elsewhere become numbers here.
    fn narrow(&self, batch: &RecordBatch) -> Result<RecordBatch, StageError> {
        let mut ids = FixedSizeBinaryBuilder::with_capacity(batch.num_rows(), 16);
        for id in batch.column(0).as_string::<i32>() {
            let id = id.and_then(events::form::parse_uuid).ok_or(StageError::Row("event_id"))?;
            ids.append_value(id.as_bytes())?;
        }
        let kinds = numbers(batch, 2, |name| EventType::from_name(name).map(fact_code), StageError::Row("event_type"))?;
        let agencies = numbers(batch, 3, |code| self.agencies.get(code).copied(), StageError::Agency)?;
        let versions = numbers(batch, 4, version_of, StageError::Row("schema_id"))?;
        let times = batch.column(5).as_primitive::<TimestampMicrosecondType>().reinterpret_cast::<Int64Type>();
        let ids = ids.finish();
        let chosen = self.chosen(batch, &ids, &kinds, &agencies)?;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(ids),
            Arc::clone(batch.column(1)),
            Arc::new(kinds),
            Arc::new(versions),
            Arc::new(agencies),
            Arc::new(times),
            Arc::clone(batch.column(6)),
            Arc::new(chosen),
        ];
        Ok(RecordBatch::try_new(waiting_schema(), columns)?)
    }

    /// Which rows the steward chose.
    fn chosen(
        &self,
        batch: &RecordBatch,
        ids: &FixedSizeBinaryArray,
        kinds: &UInt16Array,
        agencies: &UInt16Array,
    ) -> Result<BooleanArray, StageError> {
        if self.choices.is_empty() {
            return Ok(vec![false; batch.num_rows()].into());
        }
        let streams = texts(batch, 8)?;
        let (partitions, offsets) =
            (batch.column(9).as_primitive::<Int32Type>(), batch.column(10).as_primitive::<Int64Type>());
        let is_chosen = |row: usize| {
            let event = (agencies.value(row), u128::from_be_bytes(ids.value(row).try_into().ok()?));
            let at = (streams.get(row)?, partitions.value(row), offsets.value(row));
            Some(self.choices.has(EventType::ALL[usize::from(kinds.value(row))], event, at))
        };
        Ok((0..batch.num_rows()).map(|row| Some(is_chosen(row).unwrap_or(false))).collect())
    }

    fn spill(&mut self) -> Result<(), StageError> {
        for bucket in &mut self.buckets {
            if bucket.file.is_none() {
                let file = BufWriter::with_capacity(1 << 16, tempfile::tempfile_in(&self.scratch)?);
                bucket.file = Some(StreamWriter::try_new(file, &waiting_schema())?);
            }
            let writer = bucket.file.as_mut().expect("it was made above");
            // One batch of many small ones: a bucket has a few rows of each batch of the lake.
            writer.write(&concat_batches(&waiting_schema(), &std::mem::take(&mut bucket.memory))?)?;
        }
        self.waiting_bytes = 0;
        Ok(())
    }

    /// The rows of the only bucket, and the events about persons who are erased.
    pub fn into_one(self) -> Result<(Vec<RecordBatch>, Gone), StageError> {
        let (buckets, _, gone) = self.finish()?;
        let rows = buckets.into_iter().map(Bucket::take).next().unwrap_or_else(|| Ok(Vec::new()))?;
        Ok((rows, gone))
    }

    /// The rows of a bucket that will be left when what was said of persons who are erased is out: of the others none is the one that counts.
    fn left<'r>(&self, rows: Vec<Raw<'r>>) -> Result<Vec<Raw<'r>>, StageError> {
        if self.gone.is_empty() {
            return Ok(rows);
        }
        let decoded = rows.into_iter().map(|raw| Row::decode(raw, self.erased)).collect::<Result<Vec<_>, _>>();
        let (left, _) = rows::without(decoded.map_err(StageError::Decode)?, &self.gone);
        Ok(left.into_iter().map(|row| row.raw).collect())
    }

    /// The dealt buckets, the rows to keep of events that several of them tell, and the events about persons who are erased.
    pub fn finish(mut self) -> Result<(Vec<Bucket>, Winners, Gone), StageError> {
        let shared = std::mem::replace(&mut self.tellers, Tellers::new()).shared()?;
        let mut buckets = Vec::with_capacity(self.buckets.len());
        for waiting in std::mem::take(&mut self.buckets) {
            let file = match waiting.file {
                Some(writer) => Some(writer.into_inner()?.into_inner().map_err(std::io::IntoInnerError::into_error)?),
                None => None,
            };
            buckets.push(Bucket { memory: waiting.memory, file });
        }
        let mut winners = Winners::new();
        for bucket in buckets.iter_mut().filter(|_| !shared.is_empty()) {
            let batches = bucket.peek()?;
            for raw in self.left(batches.iter().flat_map(raws).collect())? {
                if shared.has(event_hash(raw.agency, &raw.event_id.to_be_bytes())) {
                    let content = Content::of(&raw);
                    let winner = winners.entry(raw.key()).or_insert_with(|| content.clone());
                    if content < *winner {
                        *winner = content;
                    }
                }
            }
        }
        Ok((buckets, winners, self.gone))
    }
}

/// Which rows of a batch of [`COLUMNS`] lie before the ends.
pub(crate) fn below_cut<'b>(
    ends: Option<Ends<'_>>,
    batch: &'b RecordBatch,
) -> Result<Box<dyn Fn(usize) -> bool + 'b>, StageError> {
    let Some(Ends { cut, also }) = ends else { return Ok(Box::new(|_| true)) };
    let mut ends = below(batch, cut)?;
    if let Some(Also { below: later, kinds }) = also {
        let names = texts(batch, 2)?;
        let is_meant = |row| names.get(row).and_then(EventType::from_name).is_some_and(|kind| kinds.contains(&kind));
        let later = below(batch, later)?;
        for (row, counts) in ends.iter_mut().enumerate() {
            *counts = *counts || (later[row] && is_meant(row));
        }
    }
    Ok(Box::new(move |row| ends[row]))
}

/// The person whom a row is about.
pub(crate) fn first_subject(subjects: &ListArray, row: usize) -> Option<[u8; 16]> {
    let of_row = subjects.is_valid(row).then(|| subjects.value(row))?;
    let subjects = of_row.as_binary::<i32>();
    (subjects.len() > 0 && subjects.is_valid(0)).then(|| subjects.value(0).try_into().ok())?
}

/// Which rows lie below a cut.
fn below(batch: &RecordBatch, cut: &Cut) -> Result<Vec<bool>, StageError> {
    let streams = texts(batch, 8)?;
    let (partitions, offsets) =
        (batch.column(9).as_primitive::<Int32Type>(), batch.column(10).as_primitive::<Int64Type>());
    // A file holds few partitions: the end of each is looked up once per run of rows.
    let mut ends = Vec::with_capacity(batch.num_rows());
    let mut last: Option<(&str, i32, i64)> = None;
    for row in 0..batch.num_rows() {
        let (stream, partition) = (streams.get(row).unwrap_or(""), partitions.value(row));
        let end = match last {
            Some((s, p, end)) if s == stream && p == partition => end,
            _ => {
                let id = PartitionId { log_stream: stream.into(), partition };
                cut.get(&id).copied().unwrap_or(i64::MIN)
            }
        };
        last = Some((stream, partition, end));
        ends.push(offsets.value(row) < end);
    }
    Ok(ends)
}

/// The rows of one bucket, sealed.
pub(crate) struct Bucket {
    memory: Vec<RecordBatch>,
    file: Option<File>,
}

impl Bucket {
    /// All its rows, which are forgotten with the answer.
    pub fn take(mut self) -> Result<Vec<RecordBatch>, StageError> {
        self.peek()
    }

    fn peek(&mut self) -> Result<Vec<RecordBatch>, StageError> {
        let mut batches = self.memory.clone();
        if let Some(file) = &mut self.file {
            file.rewind()?;
            for batch in StreamReader::try_new(BufReader::with_capacity(1 << 20, file), None)? {
                batches.push(batch?);
            }
        }
        Ok(batches)
    }
}

/// Rows of a batch of [`waiting_schema`].
pub(crate) fn raws(batch: &RecordBatch) -> impl Iterator<Item = Raw<'_>> {
    let ids = batch.column(0).as_fixed_size_binary();
    let records = batch.column(1).as_string::<i32>();
    let kinds = batch.column(2).as_primitive::<UInt16Type>();
    let versions = batch.column(3).as_primitive::<UInt16Type>();
    let agencies = batch.column(4).as_primitive::<UInt16Type>();
    let times = batch.column(5).as_primitive::<Int64Type>();
    let payloads = batch.column(6).as_binary::<i32>();
    let chosen = batch.column(7).as_boolean();
    (0..batch.num_rows()).map(move |row| Raw {
        event_id: u128::from_be_bytes(ids.value(row).try_into().expect("the column is 16 bytes wide")),
        record_id: records.value(row),
        kind: EventType::ALL[usize::from(kinds.value(row))],
        version: versions.value(row),
        agency: agencies.value(row),
        recorded_at: times.value(row),
        payload: payloads.value(row),
        is_chosen: chosen.value(row),
    })
}

fn waiting_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("event_id", DataType::FixedSizeBinary(16), false),
        Field::new("record_id", DataType::Utf8, true),
        Field::new("kind", DataType::UInt16, false),
        Field::new("version", DataType::UInt16, false),
        Field::new("agency", DataType::UInt16, false),
        Field::new("recorded_at", DataType::Int64, false),
        Field::new("payload", DataType::Binary, true),
        Field::new("is_chosen", DataType::Boolean, false),
    ]))
}

/// `https://schemas.amanat.example/victim.identified/v1` → 1.
pub(crate) fn version_of(schema_id: &str) -> Option<u16> {
    EventType::of_dataschema(schema_id).map(|(_, version)| version)
}

/// A text column, plain or with a dictionary.
pub(crate) enum Texts<'a> {
    Plain(&'a arrow::array::StringArray),
    Few(&'a arrow::array::Int32Array, &'a arrow::array::StringArray),
}

impl<'a> Texts<'a> {
    /// The text of a row.
    pub(crate) fn get(&self, row: usize) -> Option<&'a str> {
        match self {
            Self::Plain(texts) => texts.is_valid(row).then(|| texts.value(row)),
            Self::Few(keys, values) => keys.is_valid(row).then(|| values.value(keys.value(row) as usize)),
        }
    }
}

pub(crate) fn texts(batch: &RecordBatch, column: usize) -> Result<Texts<'_>, StageError> {
    let column = batch.column(column);
    if let Some(texts) = column.as_string_opt::<i32>() {
        return Ok(Texts::Plain(texts));
    }
    let few = column.as_dictionary_opt::<Int32Type>().ok_or(StageError::Row("type of a column"))?;
    Ok(Texts::Few(few.keys(), few.values().as_string_opt::<i32>().ok_or(StageError::Row("type of a column"))?))
}

/// A text column as numbers; each text of a dictionary is looked up once.
fn numbers(
    batch: &RecordBatch,
    column: usize,
    number: impl Fn(&str) -> Option<u16>,
    otherwise: StageError,
) -> Result<UInt16Array, StageError> {
    let texts = texts(batch, column)?;
    let mut known: Vec<(&str, u16)> = Vec::new();
    let mut out = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let text = texts.get(row).unwrap_or("");
        // The same text mostly comes from the same bytes: comparing the place is enough nearly always.
        let found =
            known.iter().find(|(k, _)| std::ptr::eq(*k, text)).or_else(|| known.iter().find(|(k, _)| *k == text));
        if let Some((_, n)) = found {
            out.push(*n);
        } else {
            let Some(n) = number(text) else { return Err(otherwise) };
            known.push((text, n));
            out.push(n);
        }
    }
    Ok(out.into())
}

fn event_hash(agency: u16, event_id: &[u8]) -> u64 {
    mix(hash_bytes(event_id) ^ u64::from(agency))
}
