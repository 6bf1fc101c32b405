//! An answer on its way: the schema that was promised, then the rows, in pieces that clients take.
//!
//! The answer keeps its turn until its last piece is taken, and is broken off past the deadline: rows that wait for a slow reader
//! are memory, and nobody may hold a turn for ever.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use arrow_flight::FlightData;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use futures::{Stream, StreamExt, TryStreamExt};
use query::{Answer, EditionMeta, Note, Reader};
use tokio::sync::mpsc::{self, Sender};
use tonic::{Code, Status};

use super::commands::message;
use super::errors::{failed, internal};
use super::running::Place;

/// Bytes of one message, about: below the 4 MiB that clients take by default.
const PIECE: usize = 1 << 20;
/// Rows of no more bytes are not worth a turn: about what the buffers of a connection hold.
const UNTURNED: usize = 256 << 10;
/// Keys of the metadata that a schema has, beside those of the tables.
const NOTICE: &str = "amanat.notice";
const EDITION: &str = "amanat.edition";
const NOTES: &str = "amanat.notes";

/// The schema in which an answer of these columns is sent. Every column may be NULL, and texts are of the one kind that all
/// clients read; so a schema does not depend on the way on which its rows were computed.
pub(super) fn schema(columns: &Schema, notes: &[Note], edition: Option<&EditionMeta>) -> SchemaRef {
    let field = |field: &Arc<Field>| Field::new(field.name(), plain(field.data_type()), true);
    let mut metadata = std::collections::HashMap::new();
    if let Some(edition) = edition {
        metadata.insert(EDITION.to_owned(), edition.edition.to_string());
        if edition.synthetic {
            metadata.insert(NOTICE.to_owned(), "SYNTHETIC: nobody in this store exists.".to_owned());
        }
    }
    if !notes.is_empty() {
        let notes: Vec<String> = notes.iter().map(|note| format!("{} [{}]", note.detail, note.code.name())).collect();
        metadata.insert(NOTES.to_owned(), notes.join("\n"));
    }
    Arc::new(Schema::new_with_metadata(columns.fields().iter().map(field).collect::<Vec<_>>(), metadata))
}

/// The type in which a column is sent: older clients know no views, and dictionaries cost them a message each.
pub(super) fn plain(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::Dictionary(_, values) => plain(values),
        other => other.clone(),
    }
}

/// A hash of a schema with its metadata, by which an answer is known to be what was promised.
pub(super) fn hash(schema: &Schema) -> Result<String, Status> {
    // The order of metadata in a message is that of a hash map; so it is sorted and hashed by itself.
    let bare = message(&Schema::new(schema.fields().clone()))?;
    let mut metadata: Vec<_> = schema.metadata().iter().collect();
    metadata.sort();
    let mut hasher = blake3::Hasher::new();
    hasher.update(&bare).update(format!("{metadata:?}").as_bytes());
    Ok(hasher.finalize().to_hex()[..32].to_owned())
}

/// The messages of an answer, if it is what was promised.
pub(super) fn send(
    answer: Answer,
    promised: &str,
    reader: &Reader,
    place: Place,
    deadline: Duration,
) -> Result<impl Stream<Item = Result<FlightData, Status>> + Send + use<>, Status> {
    let current = reader.current();
    let edition = answer.edition.and_then(|number| current.edition(number));
    let schema = schema(&answer.schema, &answer.notes, edition);
    if hash(&schema)? != promised {
        let text = "The answer has other columns than were promised: a new edition was published, or the ticket is not of this question.";
        return Err(failed(Code::Aborted, "changed", text, "Ask again."));
    }
    let (sender, receiver) = mpsc::channel(1);
    let end: End = Arc::default();
    let ended = Arc::clone(&end);
    tokio::spawn(async move {
        let gone = place.token.clone();
        let sent = tokio::select! {
            biased;
            () = gone.cancelled() => Err(withdrawn()),
            sent = tokio::time::timeout(deadline, feed(answer, schema, &sender)) => sent.unwrap_or_else(|_| Err(late(deadline))),
        };
        // By now neither rows nor turn are held. Who took nothing meanwhile learns how it ended when it comes back, however late.
        drop(place);
        let _ = ended.set(sent);
        drop(sender);
    });
    Ok(to_its_end(receiver, end))
}

/// How an answer ended; nothing where what sends it has broken off.
type End = Arc<OnceLock<Result<(), Status>>>;

/// What was sent, and then the error where that was not all: an answer that was broken off never looks like a shorter one.
fn to_its_end(
    receiver: mpsc::Receiver<Result<FlightData, Status>>,
    end: End,
) -> impl Stream<Item = Result<FlightData, Status>> + Send {
    futures::stream::unfold(Some((receiver, end)), |open| async move {
        let (mut receiver, end) = open?;
        if let Some(item) = receiver.recv().await {
            return Some((item, Some((receiver, end))));
        }
        match end.get() {
            Some(Ok(())) => None,
            Some(Err(status)) => Some((Err(status.clone()), None)),
            None => Some((Err(broken()), None)),
        }
    })
}

/// Hands the messages over, one when the last was taken.
async fn feed(answer: Answer, schema: SchemaRef, to: &Sender<Result<FlightData, Status>>) -> Result<(), Status> {
    let Answer { batches, turn, .. } = answer;
    let bytes: usize = batches.iter().map(RecordBatch::get_array_memory_size).sum();
    let turn = (bytes > UNTURNED).then_some(turn);
    let mut messages = std::pin::pin!(encoded(batches, schema));
    while let Some(message) = messages.next().await {
        let is_last = message.is_err();
        if to.send(message).await.is_err() || is_last {
            // Nobody takes them any more, or there is nothing more to take.
            break;
        }
    }
    drop(turn);
    Ok(())
}

/// The messages of a schema and its rows.
pub(super) fn encoded(
    batches: Vec<RecordBatch>,
    schema: SchemaRef,
) -> impl Stream<Item = Result<FlightData, Status>> + Send {
    let shaped = Arc::clone(&schema);
    let rows = batches.into_iter().map(move |batch| Ok(as_promised(&batch, &shaped)?));
    FlightDataEncoderBuilder::new()
        .with_schema(schema)
        .with_max_flight_data_size(PIECE)
        .build(futures::stream::iter(rows))
        .map_err(|error: FlightError| internal(&error))
}

fn as_promised(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| cast(column, field.data_type()));
    RecordBatch::try_new(Arc::clone(schema), columns.collect::<Result<Vec<ArrayRef>, _>>()?)
}

fn broken() -> Status {
    failed(Code::Internal, "internal", "The answer broke off; the fault is ours.", "Ask again in a while.")
}

fn withdrawn() -> Status {
    failed(Code::Cancelled, "cancelled", "The question was withdrawn.", "Ask it again, if it is still of use.")
}

fn late(deadline: Duration) -> Status {
    let text = format!("The answer was not taken within {} s.", deadline.as_secs_f64());
    failed(Code::DeadlineExceeded, "time_limit", &text, "Take the rows as they come, or ask for fewer.")
}
