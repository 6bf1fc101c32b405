//! Column builders for the table `events` (ingestion.md 3.1), one set per lane, as old as the worker.
//!
//! A row is appended only when it is complete, and appending cannot fail: a bad message never touches a builder. Columns
//! with few values are dictionaries whose values are made once per batch or once for ever; columns constant in a batch
//! are made when it ends. Absent: what goes into a row (see [`crate::pipeline`]).

use std::io::Write as _;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BinaryBuilder, Date32Builder, DictionaryArray, Int32Array, Int32Builder, Int64Array,
    Int64Builder, ListArray, MapArray, NullBufferBuilder, PrimitiveArray, PrimitiveBuilder, RecordBatch, StringArray,
    StringBuilder, StructArray, TimestampMicrosecondArray, TimestampMicrosecondBuilder,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::{ArrowPrimitiveType, DataType, Int32Type, SchemaRef};
use arrow::error::ArrowError;
use events::{EventType, Occurred, Precision};
use uuid::Uuid;

use crate::batch::{RawBatch, Run, Topic};
use crate::pipeline::At;
use crate::seal::Surrogate;
use crate::set_aside::ErrorClass;

/// `_status` of a row. The names are records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowStatus {
    Ok,
    Tombstone,
    SetAside,
    Duplicate,
    Conflict,
}

const STATUSES: [&str; 5] = ["ok", "tombstone", "set_aside", "duplicate", "conflict"];
const PRECISIONS: [Precision; 4] = [Precision::Day, Precision::Month, Precision::Quarter, Precision::Year];

/// Envelope of a decoded event, as the columns take it. `S` is the record id, borrowed or kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Envelope<S> {
    pub id: Uuid,
    pub record_id: S,
    pub kind: EventType,
    pub version: u16,
    pub record_version: i64,
    pub recorded_at: i64,
    pub occurred: Option<Occurred>,
}

/// What a row says beside its place. The payload is written by the caller through [`Columns::payload`] first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub at: At,
    pub status: RowStatus,
    pub envelope: Option<Envelope<&'a str>>,
    pub refs: Option<(&'a [Surrogate], &'a [Surrogate])>,
    pub headers: &'a [(&'a str, &'a str)],
    pub error: Option<(ErrorClass, &'a str)>,
}

impl Row<'_> {
    /// A message without a value: accepted, and nothing more to say.
    pub(crate) const fn tombstone(at: At) -> Self {
        Self { at, status: RowStatus::Tombstone, envelope: None, refs: None, headers: &[], error: None }
    }
}

impl Envelope<&str> {
    /// The same, owning its record id.
    pub(crate) fn keep(&self) -> Envelope<String> {
        let Self { id, record_id, kind, version, record_version, recorded_at, occurred } = *self;
        Envelope { id, record_id: record_id.to_owned(), kind, version, record_version, recorded_at, occurred }
    }
}

impl Envelope<String> {
    /// The same, borrowing its record id.
    pub(crate) fn borrow(&self) -> Envelope<&str> {
        let &Self { id, ref record_id, kind, version, record_version, recorded_at, occurred } = self;
        Envelope { id, record_id, kind, version, record_version, recorded_at, occurred }
    }
}

/// Column builders of one lane.
#[derive(Debug)]
pub(crate) struct Columns {
    schema: SchemaRef,
    rows: usize,
    event_id: StringBuilder,
    record_id: StringBuilder,
    event_type: Int32Builder,
    schema_id: Int32Builder,
    record_version: Int64Builder,
    occurred_from: Date32Builder,
    occurred_to: Date32Builder,
    precision: Int32Builder,
    recorded_at: TimestampMicrosecondBuilder,
    log_ts: TimestampMicrosecondBuilder,
    payload: BinaryBuilder,
    header_ends: Vec<i32>,
    header_names: StringBuilder,
    header_values: StringBuilder,
    subjects: Refs,
    links: Refs,
    log_offset: Int64Builder,
    status: Int32Builder,
    error_class: Int32Builder,
    error_detail: StringBuilder,
    /// Runs: number of rows that the topic at this place of the batch has in this lane.
    run_rows: Vec<usize>,
    constants: Constants,
}

/// Dictionary values that never change.
#[derive(Debug)]
struct Constants {
    event_types: ArrayRef,
    schema_ids: ArrayRef,
    precisions: ArrayRef,
    statuses: ArrayRef,
    classes: ArrayRef,
}

impl Columns {
    /// Builders for batches of this schema (the lake's; ingestion.md 3.1).
    pub(crate) fn new(schema: SchemaRef) -> Self {
        Self {
            schema,
            rows: 0,
            event_id: StringBuilder::new(),
            record_id: StringBuilder::new(),
            event_type: Int32Builder::new(),
            schema_id: Int32Builder::new(),
            record_version: Int64Builder::new(),
            occurred_from: Date32Builder::new(),
            occurred_to: Date32Builder::new(),
            precision: Int32Builder::new(),
            recorded_at: TimestampMicrosecondBuilder::new(),
            log_ts: TimestampMicrosecondBuilder::new(),
            payload: BinaryBuilder::new(),
            header_ends: Vec::new(),
            header_names: StringBuilder::new(),
            header_values: StringBuilder::new(),
            subjects: Refs::new(),
            links: Refs::new(),
            log_offset: Int64Builder::new(),
            status: Int32Builder::new(),
            error_class: Int32Builder::new(),
            error_detail: StringBuilder::new(),
            run_rows: Vec::new(),
            constants: Constants::new(),
        }
    }

    /// Rows so far.
    pub(crate) const fn len(&self) -> usize {
        self.rows
    }

    /// Where the next row's payload is written; [`Self::append`] or [`Self::append_without_payload`] ends it.
    pub(crate) fn payload(&mut self) -> &mut BinaryBuilder {
        &mut self.payload
    }

    /// Writes the next row's payload.
    pub(crate) fn write_payload(&mut self, payload: &[u8]) {
        self.payload.write_all(payload).expect("writing to memory does not fail");
    }

    /// The payload written since the last row.
    pub(crate) fn open_payload(&self) -> &[u8] {
        let start = *self.payload.offsets_slice().last().expect("offsets begin with 0") as usize;
        &self.payload.values_slice()[start..]
    }

    /// Begins the rows of the next topic of the batch.
    pub(crate) fn begin_run(&mut self) {
        self.run_rows.push(0);
    }

    /// Ends a row whose payload was written.
    pub(crate) fn append(&mut self, row: &Row<'_>) {
        self.payload.append_value([]);
        self.append_fields(row);
    }

    /// Ends a row without a payload.
    pub(crate) fn append_without_payload(&mut self, row: &Row<'_>) {
        debug_assert!(self.open_payload().is_empty(), "a payload was written for a row that has none");
        self.payload.append_null();
        self.append_fields(row);
    }

    fn append_fields(&mut self, row: &Row<'_>) {
        match &row.envelope {
            Some(envelope) => self.append_envelope(envelope),
            None => self.append_no_envelope(),
        }
        self.log_offset.append_value(row.at.offset);
        self.log_ts.append_value(row.at.log_ms.saturating_mul(1000));
        self.status.append_value(row.status as i32);
        if let Some((class, detail)) = row.error {
            self.error_class.append_value(class as i32);
            self.error_detail.append_value(detail);
        } else {
            self.error_class.append_null();
            self.error_detail.append_null();
        }
        for (name, value) in row.headers {
            self.header_names.append_value(name);
            self.header_values.append_value(value);
        }
        self.header_ends.push(self.header_names.offsets_slice().len() as i32 - 1);
        self.subjects.append(row.refs.map(|(subjects, _)| subjects));
        self.links.append(row.refs.map(|(_, links)| links));
        self.rows += 1;
        *self.run_rows.last_mut().expect("a run was begun") += 1;
    }

    fn append_envelope(&mut self, envelope: &Envelope<&str>) {
        let mut id = Uuid::encode_buffer();
        self.event_id.append_value(envelope.id.hyphenated().encode_lower(&mut id));
        self.record_id.append_value(envelope.record_id);
        self.event_type.append_value(envelope.kind as i32);
        self.schema_id.append_value(envelope.kind.place(envelope.version) as i32);
        self.record_version.append_value(envelope.record_version);
        self.recorded_at.append_value(envelope.recorded_at);
        self.occurred_from.append_option(envelope.occurred.map(|o| o.from));
        self.occurred_to.append_option(envelope.occurred.map(|o| o.to));
        let precision = envelope.occurred.and_then(|o| PRECISIONS.iter().position(|p| *p == o.precision));
        self.precision.append_option(precision.map(|p| p as i32));
    }

    fn append_no_envelope(&mut self) {
        self.event_id.append_null();
        self.record_id.append_null();
        self.event_type.append_null();
        self.schema_id.append_null();
        self.record_version.append_null();
        self.recorded_at.append_null();
        self.occurred_from.append_null();
        self.occurred_to.append_null();
        self.precision.append_null();
    }

    /// Ends the lane's rows of these runs of a batch, in the order appended, in the table's schema. The builders are ready for the next.
    ///
    /// Fails only when the table's schema is not that of ingestion.md 3.1.
    pub(crate) fn finish(
        &mut self,
        runs: &[Run],
        batch: &RawBatch,
        writer_id: &str,
    ) -> Result<RecordBatch, ArrowError> {
        let topics: Vec<&Topic> = runs.iter().map(|run| &*run.topic).collect();
        let rows = std::mem::take(&mut self.rows);
        let mut run_rows = std::mem::take(&mut self.run_rows);
        run_rows.resize(topics.len(), 0);
        let per_run = PerRun { topics: &topics, rows: &run_rows };
        let schema = self.schema.clone();
        let columns = schema.fields().iter().map(|field| {
            let array: ArrayRef = match field.name().as_str() {
                "event_id" => renew_strings(&mut self.event_id),
                "record_id" => renew_strings(&mut self.record_id),
                "event_type" => coded(&mut self.event_type, &self.constants.event_types)?,
                "agency" => per_run.strings(|topic| &topic.agency)?,
                "schema_id" => coded(&mut self.schema_id, &self.constants.schema_ids)?,
                "record_version" => Arc::new(renew(&mut self.record_version)),
                "occurred_from" => Arc::new(renew(&mut self.occurred_from)),
                "occurred_to" => Arc::new(renew(&mut self.occurred_to)),
                "occurred_precision" => coded(&mut self.precision, &self.constants.precisions)?,
                "recorded_at" => Arc::new(renew(&mut self.recorded_at).with_timezone("UTC")),
                "ingested_at" => constant_instant(batch.ingested_at_us, rows),
                "log_ts" => Arc::new(renew(&mut self.log_ts).with_timezone("UTC")),
                "payload" => renew_bytes(&mut self.payload),
                "headers" => self.finish_headers(field.data_type())?,
                "subject_refs" => self.subjects.finish(field.data_type())?,
                "link_refs" => self.links.finish(field.data_type())?,
                "log_stream" => per_run.strings(|topic| &topic.id.log_stream)?,
                "log_partition" => per_run.partitions(),
                "log_offset" => Arc::new(renew(&mut self.log_offset)),
                "writer_id" => constant(writer_id, rows)?,
                "claim" => per_run.claims(),
                "batch_id" => constant(&batch.id.to_string(), rows)?,
                "_status" => coded(&mut self.status, &self.constants.statuses)?,
                "_error_class" => coded(&mut self.error_class, &self.constants.classes)?,
                "_error_detail" => renew_strings(&mut self.error_detail),
                other => {
                    return Err(ArrowError::SchemaError(format!(
                        "events has a column {other} that ingest does not know"
                    )));
                }
            };
            fit(array, field.data_type())
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        RecordBatch::try_new(schema, columns)
    }

    fn finish_headers(&mut self, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
        let DataType::Map(entries, sorted) = wanted else {
            return Err(ArrowError::SchemaError("headers is not a map".into()));
        };
        let DataType::Struct(fields) = entries.data_type() else {
            return Err(ArrowError::SchemaError("headers has no entries".into()));
        };
        let (names, values) = (renew_strings(&mut self.header_names), renew_strings(&mut self.header_values));
        let columns = [names, values].into_iter().zip(fields).map(|(array, field)| fit(array, field.data_type()));
        let structs = StructArray::try_new(fields.clone(), columns.collect::<Result<_, _>>()?, None)?;
        let offsets = ends_to_offsets(&mut self.header_ends);
        Ok(Arc::new(MapArray::try_new(entries.clone(), offsets, structs, None, *sorted)?))
    }
}

impl Constants {
    fn new() -> Self {
        let strings = |names: Vec<&str>| -> ArrayRef { Arc::new(StringArray::from(names)) };
        let kinds = || EventType::ALL.iter().copied();
        debug_assert!(kinds().enumerate().all(|(place, kind)| kind as usize == place), "a type is its place in ALL");
        Self {
            event_types: strings(kinds().map(EventType::name).collect()),
            schema_ids: strings(EventType::versions().map(|(kind, version)| kind.dataschema(version)).collect()),
            precisions: strings(PRECISIONS.iter().map(|p| p.as_str()).collect()),
            statuses: strings(STATUSES.to_vec()),
            classes: strings(ErrorClass::ALL.iter().map(|c| c.name()).collect()),
        }
    }
}

/// Columns that say the same for all rows of a topic.
struct PerRun<'a> {
    topics: &'a [&'a Topic],
    rows: &'a [usize],
}

impl PerRun<'_> {
    fn strings(&self, of: impl Fn(&Topic) -> &str) -> Result<ArrayRef, ArrowError> {
        let values: ArrayRef = Arc::new(StringArray::from_iter_values(self.topics.iter().map(|topic| of(topic))));
        let mut keys = Vec::with_capacity(self.rows.iter().sum());
        for (place, &rows) in self.rows.iter().enumerate() {
            keys.resize(keys.len() + rows, place as i32);
        }
        dictionary(Int32Array::from(keys), values)
    }

    fn partitions(&self) -> ArrayRef {
        let mut column = Int32Builder::with_capacity(self.rows.iter().sum());
        for (topic, &rows) in self.topics.iter().zip(self.rows) {
            column.append_value_n(topic.id.partition, rows);
        }
        Arc::new(column.finish())
    }

    fn claims(&self) -> ArrayRef {
        let mut column = Vec::with_capacity(self.rows.iter().sum());
        for (topic, &rows) in self.topics.iter().zip(self.rows) {
            column.resize(column.len() + rows, topic.claim);
        }
        Arc::new(Int64Array::from(column))
    }
}

/// A list of surrogates per row: 16 bytes each, so the inner offsets need not be kept.
#[derive(Debug)]
struct Refs {
    bytes: Vec<u8>,
    ends: Vec<i32>,
    present: NullBufferBuilder,
}

impl Refs {
    fn new() -> Self {
        Self { bytes: Vec::new(), ends: Vec::new(), present: NullBufferBuilder::new(0) }
    }

    fn append(&mut self, refs: Option<&[Surrogate]>) {
        self.bytes.extend_from_slice(refs.unwrap_or_default().as_flattened());
        self.ends.push((self.bytes.len() / size_of::<Surrogate>()) as i32);
        self.present.append(refs.is_some());
    }

    fn finish(&mut self, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
        let DataType::List(item) = wanted else {
            return Err(ArrowError::SchemaError("a column of surrogates is not a list".into()));
        };
        let capacity = self.bytes.len();
        let bytes = std::mem::replace(&mut self.bytes, Vec::with_capacity(capacity));
        let count = bytes.len() / size_of::<Surrogate>();
        let inner = (0..=count as i32).map(|n| n * size_of::<Surrogate>() as i32).collect::<ScalarBuffer<i32>>();
        let values: ArrayRef = Arc::new(BinaryArray::try_new(OffsetBuffer::new(inner), Buffer::from_vec(bytes), None)?);
        let values = fit(values, item.data_type())?;
        let offsets = ends_to_offsets(&mut self.ends);
        let present = self.present.finish();
        Ok(Arc::new(ListArray::try_new(item.clone(), offsets, values, present)?))
    }
}

fn ends_to_offsets(ends: &mut Vec<i32>) -> OffsetBuffer<i32> {
    let mut offsets = Vec::with_capacity(ends.len() + 1);
    offsets.push(0);
    offsets.append(ends);
    OffsetBuffer::new(offsets.into())
}

/// Hands the builder's values over and gives it room for as many again.
fn renew<T: ArrowPrimitiveType>(builder: &mut PrimitiveBuilder<T>) -> PrimitiveArray<T> {
    let array = builder.finish();
    *builder = PrimitiveBuilder::with_capacity(array.len());
    array
}

/// Hands the builder's strings over and gives it room for as many again.
fn renew_strings(builder: &mut StringBuilder) -> ArrayRef {
    let array = builder.finish();
    *builder = StringBuilder::with_capacity(array.len(), array.value_data().len());
    Arc::new(array)
}

fn renew_bytes(builder: &mut BinaryBuilder) -> ArrayRef {
    let array = builder.finish();
    *builder = BinaryBuilder::with_capacity(array.len(), array.value_data().len());
    Arc::new(array)
}

fn coded(keys: &mut Int32Builder, values: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    dictionary(renew(keys), values.clone())
}

fn constant(value: &str, rows: usize) -> Result<ArrayRef, ArrowError> {
    dictionary(Int32Array::from(vec![0; rows]), Arc::new(StringArray::from(vec![value])))
}

fn constant_instant(instant_us: i64, rows: usize) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(vec![instant_us; rows]).with_timezone("UTC"))
}

fn dictionary(keys: Int32Array, values: ArrayRef) -> Result<ArrayRef, ArrowError> {
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values)?))
}

/// The table's type of a column, where it is not the one built.
fn fit(array: ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == wanted { Ok(array) } else { cast(&array, wanted) }
}
