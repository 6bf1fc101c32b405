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
use parquet::bloom_filter::Sbbf;

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
    let wanted = wanted(columns)?;
    let opened = async move {
        let builder = parquet_file::open(objects, &file.path, Some(file.bytes)).await?;
        let predicates = predicates(&builder, &filter);
        let builder = builder.with_row_filter(ParquetFilter::new(predicates));
        let rows = parquet_file::rows(builder, &wanted)?;
        Ok::<_, LakeError>(rows.map(move |batch| place(&batch?, &wanted, &file)))
    };
    Ok(futures::stream::once(opened).try_flatten().boxed())
}

/// Chosen columns of the row groups of a file that may hold one of these event ids, by its Bloom filters.
pub(super) async fn by_filters(
    objects: Arc<dyn ObjectStore>,
    file: DataFile,
    columns: &[&str],
    ids: &[String],
) -> Result<Sought> {
    let wanted = wanted(columns)?;
    let mut builder = parquet_file::open(objects, &file.path, Some(file.bytes)).await?;
    let leaf = builder.parquet_schema().columns().iter().position(|leaf| leaf.path().string() == "event_id");
    let leaf = leaf.ok_or_else(|| LakeError::Schema("a data file without `event_id`".into()))?;
    let (mut filters, mut groups) = (Vec::new(), Vec::new());
    for group in 0..builder.metadata().num_row_groups() {
        let Some(filter) = builder.get_row_group_column_bloom_filter(group, leaf).await? else {
            return Ok(Sought::NoFilter);
        };
        if ids.iter().any(|id| filter.check(id.as_str())) {
            groups.push(group);
        }
        filters.push(filter);
    }
    let filter = IdFilter(filters);
    if groups.is_empty() {
        return Ok(Sought::Nowhere(filter));
    }
    let rows = parquet_file::rows(builder.with_row_groups(groups), &wanted)?;
    Ok(Sought::Perhaps(rows.map(move |batch| place(&batch?, &wanted, &file)).boxed(), filter))
}

/// What the Bloom filters of a file say of some event ids.
pub enum Sought {
    /// It has none.
    NoFilter,
    /// It holds none of the ids, for certain.
    Nowhere(IdFilter),
    /// It may hold some: among these rows, and in no others.
    Perhaps(BatchStream, IdFilter),
}

/// Bloom filters over the event ids of one file. They say "no" for certain, and "perhaps" once in ten thousand times of an id
/// that is not there.
#[derive(Debug)]
pub struct IdFilter(Vec<Sbbf>);

impl IdFilter {
    /// An empty one for a file of so many rows that has none; `None` where there can be none.
    pub fn for_rows(rows: u64) -> Option<Self> {
        Some(Self(vec![Sbbf::new_with_ndv_fpp(rows, schema::FALSE_POSITIVES).ok()?]))
    }

    /// Adds an id, as the table has it: lower case with hyphens.
    pub fn insert(&mut self, id: &str) {
        self.0.iter_mut().for_each(|filter| filter.insert(id));
    }

    /// Whether the file may hold the id; written as in [`Self::insert`].
    pub fn may_hold(&self, id: &str) -> bool {
        self.0.iter().any(|filter| filter.check(id))
    }

    /// Memory that it takes. A block has 256 bits.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|filter| filter.num_blocks() * 32).sum()
    }
}

fn wanted(columns: &[&str]) -> Result<SchemaRef> {
    let table = schema::schema();
    let fields = columns
        .iter()
        .map(|name| table.field_with_name(name).cloned().map_err(|_| LakeError::Schema(format!("no column `{name}`"))))
        .collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(Schema::new(fields)))
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

/// Lowers the first offset known of each partition by the rows of a batch (stream, partition, offset).
pub(super) fn first_offsets(batch: &RecordBatch, of: &[&PartitionId], firsts: &mut [i64]) -> Result<()> {
    let streams = cast(batch.column(0), &arrow::datatypes::DataType::Utf8)?;
    let (streams, numbers) = (streams.as_string::<i32>(), batch.column(1).as_primitive::<Int32Type>());
    let offsets = batch.column(2).as_primitive::<Int64Type>();
    for row in 0..batch.num_rows() {
        let is = |id: &&PartitionId| id.partition == numbers.value(row) && *id.log_stream == *streams.value(row);
        if let Some(at) = of.iter().position(is) {
            firsts[at] = firsts[at].min(offsets.value(row));
        }
    }
    Ok(())
}

fn in_partition(batch: &RecordBatch, partition: &PartitionId) -> Result<BooleanArray, ArrowError> {
    let (streams, numbers) = (batch.column(0), batch.column(1).as_primitive::<Int32Type>());
    let same = arrow::compute::kernels::cmp::eq(streams, &StringArray::new_scalar(&*partition.log_stream))?;
    let numbers =
        arrow::compute::kernels::cmp::eq(numbers, &arrow::array::Int32Array::new_scalar(partition.partition))?;
    arrow::compute::and(&same, &numbers)
}
