//! Deals rows of a fold to buckets of another key, sorted: from records to persons, from acts to what they answer.
//!
//! Rows are dealt by their places, and each bucket gathers its own when its turn comes: side by side, and only those in work twice in
//! memory.
//!
//! Absent: meaning.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::{SortColumn, SortOptions, concat_batches, interleave, lexsort_to_indices, take_record_batch};
use arrow::datatypes::{SchemaRef, UInt64Type};
use arrow::error::ArrowError;

use crate::keys::hashes;

/// Rows that a bucket of states should hold.
const BUCKET_ROWS: usize = 65_536;
/// Most buckets of states.
pub(crate) const MOST_BUCKETS: usize = 64;

/// How many buckets so many rows are dealt to.
pub(crate) fn buckets_for(rows: usize) -> usize {
    rows.div_ceil(BUCKET_ROWS).next_power_of_two().clamp(1, MOST_BUCKETS)
}

/// Rows dealt to one bucket, not yet gathered: where they lie among those of all.
pub(crate) struct Dealt {
    schema: SchemaRef,
    /// Shared by the buckets that they were dealt to.
    batches: Arc<Vec<RecordBatch>>,
    places: Vec<(usize, usize)>,
    order: Vec<String>,
}

impl Dealt {
    /// Its rows, sorted (ascending, nulls last).
    pub fn gather(self) -> Result<RecordBatch, ArrowError> {
        sorted(&gather(&self.schema, &self.batches, &self.places)?, &self.order)
    }
}

/// Some columns of a batch, by name.
pub(crate) fn project(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let at = schema.fields().iter().map(|field| batch.schema_ref().index_of(field.name()));
    batch.project(&at.collect::<Result<Vec<_>, _>>()?)
}

/// Deals `batches` to a group of so many buckets by `key`. Rows whose key is null answer nothing and go nowhere; those of other groups
/// are left out.
pub(crate) fn deal(
    schema: &SchemaRef,
    batches: Vec<RecordBatch>,
    key: &str,
    order: &[String],
    group: Range<usize>,
    buckets: usize,
) -> Result<Vec<Dealt>, ArrowError> {
    let mut places: Vec<Vec<(usize, usize)>> = vec![Vec::new(); group.len()];
    for (number, batch) in batches.iter().enumerate() {
        let hashes = hashes(batch.column(schema.index_of(key)?))?;
        for (row, hash) in hashes.iter().enumerate() {
            let bucket = hash.map(|hash| (hash % buckets as u64) as usize).filter(|bucket| group.contains(bucket));
            if let Some(bucket) = bucket {
                places[bucket - group.start].push((number, row));
            }
        }
    }
    let batches = Arc::new(batches);
    let dealt = |places| {
        let (schema, batches) = (Arc::clone(schema), Arc::clone(&batches));
        Dealt { schema, batches, places, order: order.to_vec() }
    };
    Ok(places.into_iter().map(dealt).collect())
}

/// The rows of each bucket by a column of hashes, in the order in which they come.
pub(crate) fn split(rows: &RecordBatch, hash: &str, buckets: usize) -> Result<Vec<RecordBatch>, ArrowError> {
    if buckets == 1 {
        return Ok(vec![rows.clone()]);
    }
    let hashes = rows.column(rows.schema().index_of(hash)?).as_primitive::<UInt64Type>();
    let mut places: Vec<Vec<u32>> = vec![Vec::new(); buckets];
    for (row, hash) in hashes.values().iter().enumerate() {
        places[(hash % buckets as u64) as usize].push(row as u32);
    }
    places.into_iter().map(|places| take_record_batch(rows, &UInt32Array::from(places))).collect()
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
