//! Rows that are about nothing, appended to a lake: what measurements of the lake itself need, and no log or worker.

use std::ops::Range;
use std::sync::Arc;

use anyhow::{Result, ensure};
use arrow::array::{
    ArrayRef, BinaryArray, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, new_null_array,
};
use arrow::datatypes::Int32Type;
use lake::{ClosedBatch, Counts, Events, Lane, LaneBatch, OffsetRange, Outcome, PartitionId, Written};
use uuid::Uuid;

/// The one partition.
pub fn partition() -> PartitionId {
    PartitionId::new("log#0", "tip.events.FIA.v1", 0)
}

/// Rows at these offsets; each about as large as an event.
pub fn rows(offsets: Range<i64>) -> Result<RecordBatch> {
    let schema = lake::events::file_schema();
    let count = usize::try_from(offsets.end - offsets.start)?;
    let few = |text: &str| -> ArrayRef {
        let texts: DictionaryArray<Int32Type> = std::iter::repeat_n(text, count).collect();
        Arc::new(texts)
    };
    let spread = |n: i64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.cast_signed()).cast_unsigned();
    let id = |n: i64, kind: u64| Uuid::from_u64_pair(kind, spread(n)).hyphenated().to_string();
    let stream = partition().log_stream;
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "event_id" => Arc::new(StringArray::from_iter_values(offsets.clone().map(|n| id(n, 1)))),
            "record_id" => Arc::new(StringArray::from_iter_values(offsets.clone().map(|n| id(n / 3, 2)))),
            "payload" => Arc::new(BinaryArray::from_iter_values(offsets.clone().map(|n| id(n, 3).repeat(8)))),
            "ingested_at" => Arc::new(TimestampMicrosecondArray::from(vec![1; count]).with_timezone("UTC")),
            "log_stream" => few(&stream),
            "log_partition" => Arc::new(Int32Array::from(vec![0; count])),
            "log_offset" => Arc::new(Int64Array::from_iter_values(offsets.clone())),
            "writer_id" | "batch_id" => few("x"),
            "claim" => Arc::new(Int64Array::from(vec![1; count])),
            "_status" => few("ok"),
            _ => new_null_array(field.data_type(), count),
        }
    });
    Ok(RecordBatch::try_new(schema.clone(), columns.collect())?)
}

/// A file of rows that is written and not committed.
pub async fn write(events: &Events, ingest_date: i32, offsets: Range<i64>) -> Result<Written> {
    Ok(events.write(vec![LaneBatch { lane: Lane::Main, ingest_date, rows: rows(offsets)? }]).await?)
}

/// The batch of such a file.
pub fn batch(from: i64, to: i64, claim: i64, written: Written) -> ClosedBatch {
    let ranges = vec![OffsetRange { partition: partition(), from: (from > 0).then_some(from), to, claim }];
    let batch_id = Uuid::from_u128(to.unsigned_abs().into());
    ClosedBatch { batch_id, ranges, written, counts: Counts::default(), schema_ids: Vec::new(), receipted: Vec::new() }
}

/// Commits it, and nothing else will do.
pub async fn commit(events: &mut Events, batch: &ClosedBatch) -> Result<()> {
    let outcome = events.commit(batch).await?;
    ensure!(matches!(outcome, Outcome::Committed { .. }), "the batch was refused: {outcome:?}");
    Ok(())
}
