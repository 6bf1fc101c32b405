//! Values of `$1`, `$2`, … as a client binds them: one row of Arrow scalars.
//!
//! What reads Arrow IPC here trusts offsets, lengths and types and breaks where they lie. So each message is looked at before it is
//! read: its types are those of values, it has one row, and its buffers lie in its body.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use arrow::ipc::{self, MessageHeader, Type};
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use arrow_flight::FlightData;
use arrow_flight::decode::{DecodedPayload, FlightDataDecoder};
use arrow_flight::error::FlightError;
use futures::{FutureExt, Stream, StreamExt, TryStreamExt};
use query::Param;
use tonic::{Code, Status};

use super::errors::{failed, malformed};

/// Values that may be bound: as many as a question may have placeholders, and more.
const MOST: usize = 1_000;
/// Values of a dictionary that a value is taken from.
const MOST_WORDS: i64 = 100_000;
/// Messages that bind one row: a schema, dictionaries, the row.
const MOST_MESSAGES: usize = MOST + 10;
/// Bytes that all values may have.
const MOST_BYTES: usize = 64 << 10;

/// Reads the one row that a client binds. Without a row there are no values.
///
/// What the look at each message has missed, and the library breaks at, is junk as well: no bytes of a client end a task here.
pub(super) async fn bound(
    messages: impl Stream<Item = Result<FlightData, Status>> + Send + 'static,
) -> Result<Vec<Param>, Status> {
    AssertUnwindSafe(read(messages)).catch_unwind().await.unwrap_or_else(|_| Err(junk()))
}

async fn read(messages: impl Stream<Item = Result<FlightData, Status>> + Send + 'static) -> Result<Vec<Param>, Status> {
    let mut check = Check::default();
    let checked = messages
        .take(MOST_MESSAGES)
        .map(|message| message.map_err(|error| unread(&error)))
        .try_filter(|message| futures::future::ready(!message.data_header.is_empty()))
        .and_then(move |message| futures::future::ready(check.message(&message).map(|()| message)))
        .map_err(|status| FlightError::Tonic(Box::new(status)));
    let mut decoded = FlightDataDecoder::new(checked);
    let mut row: Option<RecordBatch> = None;
    while let Some(message) = decoded.next().await {
        let message = message.map_err(|error| match error {
            FlightError::Tonic(status) => *status,
            _ => junk(),
        })?;
        if let DecodedPayload::RecordBatch(batch) = message.payload {
            if row.as_ref().map_or(0, RecordBatch::num_rows) + batch.num_rows() > 1 {
                return Err(several());
            }
            row = if batch.num_rows() == 1 { Some(batch) } else { row };
        }
    }
    row.map_or(Ok(Vec::new()), |row| values(&row))
}

/// The values of a row.
fn values(row: &RecordBatch) -> Result<Vec<Param>, Status> {
    let values = row.columns().iter().map(value).collect::<Result<Vec<_>, _>>()?;
    let bytes: usize = values.iter().map(|value| if let Param::Text(text) = value { text.len() } else { 8 }).sum();
    if bytes > MOST_BYTES {
        let text = format!("The values that are bound have more than {MOST_BYTES} bytes.");
        return Err(failed(Code::InvalidArgument, "too_long", &text, "Bind shorter texts."));
    }
    Ok(values)
}

/// The one value of a column.
fn value(column: &ArrayRef) -> Result<Param, Status> {
    if let DataType::Dictionary(_, values) = column.data_type() {
        let plain = cast(column, values).map_err(|_| junk())?;
        return value(&plain);
    }
    if column.is_null(0) || column.data_type() == &DataType::Null {
        return Ok(Param::Null);
    }
    match column.data_type() {
        DataType::Boolean => Ok(Param::Bool(column.as_boolean().value(0))),
        data_type if data_type.is_integer() || data_type.is_decimal() => number(&text(column)?),
        data_type if data_type.is_floating() => {
            let column = cast(column, &DataType::Float64).map_err(|_| junk())?;
            number(&column.as_primitive::<Float64Type>().value(0).to_string())
        }
        _ => Ok(Param::Text(text(column)?)),
    }
}

/// A value as it is written: dates and times as in ISO 8601.
fn text(column: &ArrayRef) -> Result<String, Status> {
    let options = FormatOptions::default();
    let written = ArrayFormatter::try_new(column.as_ref(), &options).map_err(|_| junk())?;
    written.value(0).try_to_string().map_err(|_| junk())
}

/// A number in the grammar of JSON, which has no infinity.
fn number(written: &str) -> Result<Param, Status> {
    serde_json::from_str::<serde_json::Number>(written).map(Param::Number).map_err(|_| {
        let text = format!("{written} is no number that can be bound.");
        failed(Code::InvalidArgument, "parameter", &text, "Bind a finite number, or NULL.")
    })
}

fn several() -> Status {
    let text = "More than one row of values is bound.";
    failed(
        Code::InvalidArgument,
        "parameter",
        text,
        "Bind one row and ask once for each; nothing is asked in bulk here.",
    )
}

fn junk() -> Status {
    malformed("The values that are bound are no row of Arrow IPC.")
}

/// What a client sent as its stream could not be read: it left, or a message is too long.
fn unread(error: &Status) -> Status {
    match error.code() {
        Code::Cancelled => error.clone(),
        _ => malformed("The values that are bound break off, or one message of them is too long."),
    }
}

/// Looks at each message of a stream before it is read.
#[derive(Default)]
struct Check {
    /// The columns of the row.
    columns: Vec<Layout>,
    /// The values of dictionaries, by their number.
    words: HashMap<i64, Layout>,
}

/// Bytes that each element of the buffers of a column has, and whether buffers of texts follow them.
#[derive(Clone, Copy)]
struct Layout {
    widths: &'static [usize],
    has_texts: bool,
}

impl Check {
    fn message(&mut self, message: &FlightData) -> Result<(), Status> {
        let header = ipc::root_as_message(&message.data_header).map_err(|_| junk())?;
        let body = message.data_body.len();
        match header.header_type() {
            MessageHeader::Schema => self.schema(header.header_as_schema().ok_or_else(junk)?),
            MessageHeader::RecordBatch => {
                let row = header.header_as_record_batch().ok_or_else(junk)?;
                if row.length() > 1 {
                    return Err(several());
                }
                is_well_formed(row, &self.columns, 1, body)
            }
            MessageHeader::DictionaryBatch => {
                let batch = header.header_as_dictionary_batch().ok_or_else(junk)?;
                let (words, layout) = batch.data().zip(self.words.get(&batch.id())).ok_or_else(junk)?;
                is_well_formed(words, std::slice::from_ref(layout), MOST_WORDS, body)
            }
            _ => Err(junk()),
        }
    }

    fn schema(&mut self, schema: ipc::Schema<'_>) -> Result<(), Status> {
        let fields = schema.fields().ok_or_else(junk)?;
        if fields.len() > MOST || schema.endianness() != ipc::Endianness::Little {
            return Err(junk());
        }
        *self = Self::default();
        for field in fields {
            let values = layout(field).ok_or_else(|| {
                let text = "A value is bound that is neither text nor number, truth value, date or time.";
                failed(Code::InvalidArgument, "parameter", text, "Bind one scalar for each placeholder.")
            })?;
            self.columns.push(match field.dictionary() {
                None => values,
                Some(dictionary) => {
                    // Two columns may share a dictionary; of two types it is none.
                    let known =
                        self.words.insert(dictionary.id(), values).is_none_or(|known| known.widths == values.widths);
                    let index = dictionary.indexType().and_then(int).filter(|_| known);
                    Layout { widths: index.ok_or_else(junk)?, has_texts: false }
                }
            });
        }
        Ok(())
    }
}

/// How the values of a field lie in buffers, if it is of a type of values. Each type is asked for what its reading takes for granted.
fn layout(field: ipc::Field<'_>) -> Option<Layout> {
    if field.children().is_some_and(|children| !children.is_empty()) {
        return None;
    }
    let widths = match field.type_type() {
        Type::Null => &[],
        Type::Bool => wide(1),
        Type::Utf8 => &[1, 4, 1],
        Type::LargeUtf8 => &[1, 8, 1],
        Type::Utf8View => wide(16),
        Type::Int => field.type_as_int().and_then(int)?,
        Type::FloatingPoint => {
            wide(*[2, 4, 8].get(usize::try_from(field.type_as_floating_point()?.precision().0).ok()?)?)
        }
        Type::Date => wide(*[4, 8].get(usize::try_from(field.type_as_date()?.unit().0).ok()?)?),
        Type::Timestamp if (0..=3).contains(&field.type_as_timestamp()?.unit().0) => wide(8),
        Type::Decimal => decimal(field.type_as_decimal()?)?,
        _ => return None,
    };
    Some(Layout { widths, has_texts: field.type_type() == Type::Utf8View })
}

/// The buffers of a column of elements so wide: which are there, and the elements.
const fn wide(bytes: usize) -> &'static [usize] {
    match bytes {
        2 => &[1, 2],
        4 => &[1, 4],
        8 => &[1, 8],
        16 => &[1, 16],
        32 => &[1, 32],
        _ => &[1, 1],
    }
}

fn int(int: ipc::Int<'_>) -> Option<&'static [usize]> {
    let bits = usize::try_from(int.bitWidth()).ok().filter(|bits| [8, 16, 32, 64].contains(bits));
    bits.map(|bits| wide(bits / 8))
}

fn decimal(decimal: ipc::Decimal<'_>) -> Option<&'static [usize]> {
    let (most, bytes) = match decimal.bitWidth() {
        32 => (9, 4),
        64 => (18, 8),
        128 => (38, 16),
        256 => (76, 32),
        _ => return None,
    };
    let (precision, scale) = (decimal.precision(), decimal.scale());
    ((1..=most).contains(&precision) && (0..=precision).contains(&scale)).then(|| wide(bytes))
}

/// Whether a batch has at most so many rows, is not compressed, and lies in its body as its columns lie.
fn is_well_formed(batch: ipc::RecordBatch<'_>, columns: &[Layout], most: i64, body: usize) -> Result<(), Status> {
    let lies_within = |buffer: &ipc::Buffer, width: usize| {
        let (from, length) = (usize::try_from(buffer.offset()), usize::try_from(buffer.length()));
        from.ok().zip(length.ok()).is_some_and(|(from, length)| {
            length % width == 0 && from.checked_add(length).is_some_and(|end| end <= body)
        })
    };
    let nodes_are_well = batch.nodes().is_some_and(|nodes| {
        nodes.iter().all(|node| node.length() == batch.length() && (0..=node.length()).contains(&node.null_count()))
    });
    let widths = widths(&batch, columns);
    let buffers_are_well = widths.is_some_and(|widths| {
        let buffers = batch.buffers().map_or(0, |buffers| buffers.len());
        buffers == widths.len()
            && batch
                .buffers()
                .is_none_or(|buffers| buffers.iter().zip(widths).all(|(buffer, width)| lies_within(buffer, width)))
    });
    let is_well =
        (0..=most).contains(&batch.length()) && batch.compression().is_none() && nodes_are_well && buffers_are_well;
    if is_well { Ok(()) } else { Err(junk()) }
}

/// Bytes of an element of each buffer that a batch must have.
fn widths(batch: &ipc::RecordBatch<'_>, columns: &[Layout]) -> Option<Vec<usize>> {
    const MOST_TEXTS: usize = 1_000;
    let mut counts = batch.variadicBufferCounts().into_iter().flatten();
    let mut widths = Vec::new();
    for column in columns {
        widths.extend_from_slice(column.widths);
        if column.has_texts {
            let count = usize::try_from(counts.next()?).ok().filter(|count| *count <= MOST_TEXTS)?;
            widths.extend(std::iter::repeat_n(1, count));
        }
    }
    // One too many is where the library breaks.
    counts.next().is_none().then_some(widths)
}
