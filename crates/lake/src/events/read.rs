//! Data files to batches: chosen columns through Parquet, rows filtered before the other columns are decoded.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Date32Array, StringArray, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{Int32Type, Int64Type, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStore;
use parquet::arrow::arrow_reader::{ArrowPredicate, ArrowPredicateFn, RowFilter as ParquetFilter};

use super::DataFile;
use super::schema::{self, PARTITION_COLUMNS};
use crate::parquet_file::{self, BatchStream, Opened};
use crate::{LakeError, PartitionId, Result};

/// Which rows of a file are wanted.
#[derive(Debug, Clone)]
pub enum RowFilter {
    /// All.
    All,
    /// Rows of a partition with offsets of `[from, to)`.
    Offsets {
        /// Partition.
        partition: PartitionId,
        /// First offset.
        from: i64,
        /// First offset not wanted.
        to: i64,
    },
    /// Rows of a partition at given offsets, ascending.
    Positions {
        /// Partition.
        partition: PartitionId,
        /// Offsets, ascending.
        offsets: Arc<[i64]>,
    },
    /// Rows of a partition with given event ids.
    EventIds {
        /// Partition.
        partition: PartitionId,
        /// Event ids.
        ids: Arc<HashSet<String>>,
    },
}

/// A file of the table as a stream.
pub(super) fn file(
    objects: Arc<dyn ObjectStore>,
    file: DataFile,
    columns: &[&str],
    filter: RowFilter,
) -> Result<BatchStream> {
    let table = schema::schema();
    let wanted = columns
        .iter()
        .map(|name| table.field_with_name(name).cloned().map_err(|_| LakeError::Schema(format!("no column `{name}`"))))
        .collect::<Result<Vec<_>>>()?;
    let wanted = Arc::new(Schema::new(wanted));
    let opened = async move {
        let builder = parquet_file::open(objects, &file.path, Some(file.bytes)).await?;
        let predicates = predicates(&builder, &filter);
        let builder = builder.with_row_filter(ParquetFilter::new(predicates));
        let rows = parquet_file::rows(builder, &wanted)?;
        Ok::<_, LakeError>(rows.map(move |batch| place(&batch?, &wanted, &file)))
    };
    Ok(futures::stream::once(opened).try_flatten().boxed())
}

/// Puts columns in the order and types asked; partition columns come from the file's place, missing ones are null.
fn place(batch: &RecordBatch, wanted: &SchemaRef, file: &DataFile) -> Result<RecordBatch> {
    let rows = batch.num_rows();
    let columns = wanted.fields().iter().map(|field| -> Result<ArrayRef> {
        if let Some(column) = batch.column_by_name(field.name()) {
            return Ok(if column.data_type() == field.data_type() {
                Arc::clone(column)
            } else {
                cast(column, field.data_type())?
            });
        }
        Ok(match field.name().as_str() {
            name if name == PARTITION_COLUMNS[0] => Arc::new(StringArray::from(vec![file.lane.name(); rows])),
            name if name == PARTITION_COLUMNS[1] => Arc::new(Date32Array::from(vec![file.ingest_date; rows])),
            _ => new_null_array(field.data_type(), rows),
        })
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(wanted), columns, &options)?)
}

/// The partition first, then what is asked of its rows: each predicate decodes only rows the one before let pass.
fn predicates(builder: &Opened, filter: &RowFilter) -> Vec<Box<dyn ArrowPredicate>> {
    let columns = |names: &'static [&'static str]| parquet_file::columns(builder, |name| names.contains(&name));
    let of = |partition: &PartitionId| -> Box<dyn ArrowPredicate> {
        let partition = partition.clone();
        let mask = columns(&["log_stream", "log_partition"]);
        Box::new(ArrowPredicateFn::new(mask, move |batch| in_partition(&batch, &partition)))
    };
    let by_offset = |keep: Box<dyn Fn(i64) -> bool + Send>| -> Box<dyn ArrowPredicate> {
        Box::new(ArrowPredicateFn::new(columns(&["log_offset"]), move |batch| {
            Ok(batch.column(0).as_primitive::<Int64Type>().iter().map(|at| at.map(&keep)).collect())
        }))
    };
    match filter {
        RowFilter::All => Vec::new(),
        RowFilter::Offsets { partition, from, to } => {
            let range = *from..*to;
            vec![of(partition), by_offset(Box::new(move |at| range.contains(&at)))]
        }
        RowFilter::Positions { partition, offsets } => {
            let offsets = Arc::clone(offsets);
            vec![of(partition), by_offset(Box::new(move |at| offsets.binary_search(&at).is_ok()))]
        }
        RowFilter::EventIds { partition, ids } => {
            let ids = Arc::clone(ids);
            let known = ArrowPredicateFn::new(columns(&["event_id"]), move |batch| {
                let column = batch.column(0).as_string::<i32>().iter();
                Ok(column.map(|id| Some(id.is_some_and(|id| ids.contains(id)))).collect())
            });
            vec![of(partition), Box::new(known)]
        }
    }
}

fn in_partition(batch: &RecordBatch, partition: &PartitionId) -> Result<BooleanArray, ArrowError> {
    let (streams, numbers) = (batch.column(0), batch.column(1).as_primitive::<Int32Type>());
    let same = arrow::compute::kernels::cmp::eq(streams, &StringArray::new_scalar(&*partition.log_stream))?;
    let numbers =
        arrow::compute::kernels::cmp::eq(numbers, &arrow::array::Int32Array::new_scalar(partition.partition))?;
    arrow::compute::and(&same, &numbers)
}
