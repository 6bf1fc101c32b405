//! Deals rows of a fold to buckets of another key, sorted: from records to persons, from acts to what they answer.
//!
//! States are few beside events, so they pass through memory.
//!
//! Absent: meaning. Rows whose key is null are dealt to the first bucket.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{SortColumn, SortOptions, concat_batches, interleave, lexsort_to_indices, take_record_batch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;

use crate::stage::hash_bytes;

/// Rows that a bucket of states should hold.
const BUCKET_ROWS: usize = 65_536;

/// How many buckets so many rows are dealt to.
pub(crate) fn buckets_for(rows: usize) -> usize {
    rows.div_ceil(BUCKET_ROWS).next_power_of_two().clamp(1, crate::stage::MOST_BUCKETS)
}

/// Deals `batches` to `buckets` by `key` and sorts each by `order` (ascending, nulls last).
pub(crate) fn deal(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    key: &str,
    order: &[String],
    buckets: usize,
) -> Result<Vec<RecordBatch>, ArrowError> {
    let mut places: Vec<Vec<(usize, usize)>> = vec![Vec::new(); buckets];
    for (number, batch) in batches.iter().enumerate() {
        let bucket_of = bucket_of(batch.column(schema.index_of(key)?), buckets)?;
        for row in 0..batch.num_rows() {
            places[bucket_of(row)].push((number, row));
        }
    }
    places.iter().map(|places| sorted(&gather(schema, batches, places)?, order)).collect()
}

/// One batch, sorted by `order` (ascending, nulls last).
pub(crate) fn sorted(batch: &RecordBatch, order: &[String]) -> Result<RecordBatch, ArrowError> {
    if order.is_empty() || batch.num_rows() < 2 {
        return Ok(batch.clone());
    }
    let options = Some(SortOptions { descending: false, nulls_first: false });
    let columns = order
        .iter()
        .map(|name| Ok(SortColumn { values: Arc::clone(batch.column(batch.schema().index_of(name)?)), options }))
        .collect::<Result<Vec<_>, ArrowError>>()?;
    take_record_batch(batch, &lexsort_to_indices(&columns, None)?)
}

fn gather(schema: &SchemaRef, batches: &[RecordBatch], places: &[(usize, usize)]) -> Result<RecordBatch, ArrowError> {
    if batches.is_empty() {
        return Ok(RecordBatch::new_empty(Arc::clone(schema)));
    }
    if batches.iter().map(RecordBatch::num_rows).sum::<usize>() == places.len() {
        return concat_batches(schema, batches);
    }
    let columns = (0..schema.fields().len()).map(|column| {
        let arrays: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(column).as_ref()).collect();
        interleave(&arrays, places)
    });
    RecordBatch::try_new(Arc::clone(schema), columns.collect::<Result<Vec<ArrayRef>, _>>()?)
}

fn bucket_of(key: &ArrayRef, buckets: usize) -> Result<Box<dyn Fn(usize) -> usize + '_>, ArrowError> {
    let bucket = move |bytes: &[u8]| (hash_bytes(bytes) % buckets as u64) as usize;
    match key.data_type() {
        DataType::FixedSizeBinary(_) => {
            let key = key.as_fixed_size_binary();
            Ok(Box::new(move |row| if key.is_null(row) { 0 } else { bucket(key.value(row)) }))
        }
        DataType::Utf8 => {
            let key = key.as_string::<i32>();
            Ok(Box::new(move |row| if key.is_null(row) { 0 } else { bucket(key.value(row).as_bytes()) }))
        }
        other => Err(ArrowError::SchemaError(format!("rows cannot be dealt by a column of type {other}"))),
    }
}
