//! Data files to batches: chosen columns through Parquet, rows filtered before the other columns are decoded.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Date32Array, StringArray, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, Int64Type, Schema, SchemaRef};
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
    /// Rows at given offsets of partitions, each partition's ascending.
    Positions(Arc<BTreeMap<PartitionId, Vec<i64>>>),
    /// Rows with given event ids, as the table has them.
    EventIds(Arc<HashSet<String>>),
    /// Rows of these event types.
    EventTypes(&'static [&'static str]),
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

/// Chosen columns of the rows of a file that carry one of these event ids; row groups that cannot hold one are passed over.
pub(super) async fn by_ids(
    objects: Arc<dyn ObjectStore>,
    file: DataFile,
    columns: &[&str],
    ids: Arc<HashSet<String>>,
) -> Result<Sought> {
    let wanted = wanted(columns)?;
    let mut builder = parquet_file::open(objects, &file.path, Some(file.bytes)).await?;
    let leaf = builder.parquet_schema().columns().iter().position(|leaf| leaf.path().string() == "event_id");
    let leaf = leaf.ok_or_else(|| LakeError::Schema("a data file without `event_id`".into()))?;
    let (mut filters, mut groups) = (Vec::new(), Vec::new());
    let all = builder.metadata().num_row_groups();
    for group in 0..all {
        let filter = builder.get_row_group_column_bloom_filter(group, leaf).await?;
        if filter.as_ref().is_none_or(|filter| ids.iter().any(|id| filter.check(id.as_str()))) {
            groups.push(group);
        }
        filters.extend(filter);
    }
    let filter = (filters.len() == all).then_some(IdFilter(filters));
    if groups.is_empty() {
        return Ok(Sought { filter, rows: None });
    }
    let carries = predicates(&builder, &RowFilter::EventIds(ids));
    let builder = builder.with_row_groups(groups).with_row_filter(ParquetFilter::new(carries));
    let rows = parquet_file::rows(builder, &wanted)?.map(move |batch| place(&batch?, &wanted, &file));
    Ok(Sought { filter, rows: Some(rows.boxed()) })
}

/// What a file says of some event ids.
pub struct Sought {
    /// Its Bloom filters, to be asked the next time; `None` where it has none.
    pub filter: Option<IdFilter>,
    /// The rows that carry one of the ids; `None` where the filters say that there are none.
    pub rows: Option<BatchStream>,
}

/// Bloom filters over the event ids of one file. They say "no" for certain, and "perhaps" once in ten thousand times of an id
/// that is not there.
#[derive(Debug)]
pub struct IdFilter(Vec<Sbbf>);

impl IdFilter {
    /// Whether the file may hold the id, written as the table has it: lower case with hyphens.
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

/// What is cheap or passes few rows first: each predicate decodes only rows the one before let pass.
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
        RowFilter::Positions(places) => {
            let offsets: HashSet<i64> = places.values().flatten().copied().collect();
            let (places, mask) = (Arc::clone(places), columns(&["log_stream", "log_partition", "log_offset"]));
            let exact = ArrowPredicateFn::new(mask, move |batch| at_places(&batch, &places));
            vec![by_offset(Box::new(move |at| offsets.contains(&at))), Box::new(exact)]
        }
        RowFilter::EventIds(ids) => {
            let ids = Arc::clone(ids);
            let known = ArrowPredicateFn::new(columns(&["event_id"]), move |batch| {
                let column = batch.column(0).as_string::<i32>().iter();
                Ok(column.map(|id| Some(id.is_some_and(|id| ids.contains(id)))).collect())
            });
            vec![Box::new(known)]
        }
        RowFilter::EventTypes(types) => {
            let types = *types;
            let is_one = ArrowPredicateFn::new(columns(&["event_type"]), move |batch| {
                let names = cast(batch.column(0), &DataType::Utf8)?;
                Ok(names.as_string::<i32>().iter().map(|name| name.map(|name| types.contains(&name))).collect())
            });
            vec![Box::new(is_one)]
        }
    }
}

/// Lowers the first offset known of each partition by the rows of a batch (stream, partition, offset).
pub(super) fn first_offsets(batch: &RecordBatch, of: &[&PartitionId], firsts: &mut [i64]) -> Result<()> {
    let streams = cast(batch.column(0), &DataType::Utf8)?;
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

/// Which rows (stream, partition, offset) are at these places.
fn at_places(batch: &RecordBatch, places: &BTreeMap<PartitionId, Vec<i64>>) -> Result<BooleanArray, ArrowError> {
    let streams = cast(batch.column(0), &DataType::Utf8)?;
    let (streams, numbers) = (streams.as_string::<i32>(), batch.column(1).as_primitive::<Int32Type>());
    let offsets = batch.column(2).as_primitive::<Int64Type>();
    let is = |row: usize| {
        let of = |id: &PartitionId| id.partition == numbers.value(row) && *id.log_stream == *streams.value(row);
        places.iter().any(|(id, at)| of(id) && at.binary_search(&offsets.value(row)).is_ok())
    };
    Ok((0..batch.num_rows()).map(|row| Some(is(row))).collect())
}

fn in_partition(batch: &RecordBatch, partition: &PartitionId) -> Result<BooleanArray, ArrowError> {
    let (streams, numbers) = (batch.column(0), batch.column(1).as_primitive::<Int32Type>());
    let same = arrow::compute::kernels::cmp::eq(streams, &StringArray::new_scalar(&*partition.log_stream))?;
    let numbers =
        arrow::compute::kernels::cmp::eq(numbers, &arrow::array::Int32Array::new_scalar(partition.partition))?;
    arrow::compute::and(&same, &numbers)
}
