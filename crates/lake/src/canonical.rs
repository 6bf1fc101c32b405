//! What *equal* means: one BLAKE3 over canonical Arrow IPC of sorted rows.
//!
//! The form, exactly:
//! 1. Columns in the order of the schema given, all nullable, without metadata; dictionaries decoded to their values;
//!    `LargeUtf8`, `Utf8View` become `Utf8`, `LargeBinary`, `BinaryView`, `FixedSizeBinary` become `Binary`,
//!    `LargeList` and `FixedSizeList` become `List` of `element`. Floats, maps, unions and intervals have no form.
//! 2. Rows sorted by all columns from left to right, ascending, nulls first, in the order of Arrow's row format (bytes
//!    for text). Equal rows are equal, so their order does not matter; copies count.
//! 3. Cut into batches of 65,536 rows, each rebuilt from its values (so that neither what lies under a null nor the
//!    bounds of the batches given show), written as an Arrow IPC stream, version 5, aligned to 64 bytes, uncompressed.
//!    No rows is a stream with a schema and no batch.
//!
//! The hash holds for one version of the Arrow library; who compares across versions computes both anew.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::ipc::MetadataVersion;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow::record_batch::RecordBatch;
use arrow::row::{OwnedRow, Row, RowConverter, Rows, SortField};

use crate::{LakeError, Result};

/// Rows of a batch of the canonical form.
const BATCH_ROWS: usize = 65_536;

/// The hash of a table given in batches, whatever their bounds and order.
///
/// Rows that come in the canonical order are hashed as they come, 65,536 of them at a time in memory once more; others are sorted
/// first, all of them.
///
/// # Errors
/// `NotCanonical` when a column has no canonical form, `Schema` when a batch has other columns.
pub fn hash(schema: &Schema, batches: &[RecordBatch]) -> Result<blake3::Hash> {
    let canonical = canonical_schema(schema)?;
    let fields = canonical.fields().iter().map(|f| SortField::new(f.data_type().clone())).collect();
    let converter = RowConverter::new(fields)?;
    if let Some(hash) = in_order(&canonical, &converter, batches)? {
        return Ok(hash);
    }
    let mut rows = converter.empty_rows(0, 0);
    for batch in batches {
        converter.append(&mut rows, &conform(&canonical, batch)?)?;
    }
    sorted(&canonical, &converter, &rows)
}

/// The canonical types of a schema.
fn canonical_schema(schema: &Schema) -> Result<SchemaRef> {
    let fields = schema.fields().iter().map(|f| Ok(Field::new(f.name(), canonical_type(f)?, true)));
    Ok(Arc::new(Schema::new(fields.collect::<Result<Vec<_>>>()?)))
}

fn canonical_type(field: &Field) -> Result<DataType> {
    let element = |f: &Field| -> Result<DataType> {
        Ok(DataType::List(Arc::new(Field::new("element", canonical_type(f)?, true))))
    };
    Ok(match field.data_type() {
        DataType::Dictionary(_, values) => canonical_type(&Field::new(field.name(), values.as_ref().clone(), true))?,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            DataType::Binary
        }
        DataType::List(f) | DataType::LargeList(f) | DataType::FixedSizeList(f, _) => element(f)?,
        plain @ (DataType::Null
        | DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64
        | DataType::Date32
        | DataType::Date64
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Timestamp(..)
        | DataType::Duration(_)
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..)) => plain.clone(),
        other => {
            return Err(LakeError::NotCanonical { column: field.name().clone(), data_type: other.to_string() });
        }
    })
}

/// Columns of a batch, by position, in canonical types. Names must agree.
fn conform(canonical: &SchemaRef, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
    let names = |s: &Schema| s.fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>();
    if names(canonical) != names(&batch.schema()) {
        return Err(LakeError::Schema("a batch has other columns than the table".into()));
    }
    let pairs = batch.columns().iter().zip(canonical.fields());
    pairs.map(|(column, field)| Ok(cast(column, field.data_type())?)).collect()
}

/// The hash of rows that come in their order; `None` where they do not.
fn in_order(schema: &SchemaRef, converter: &RowConverter, batches: &[RecordBatch]) -> Result<Option<blake3::Hash>> {
    let mut form = Form::new(schema, converter)?;
    let mut rows = converter.empty_rows(0, 0);
    let mut last: Option<OwnedRow> = None;
    for batch in batches {
        let columns = conform(schema, batch)?;
        let mut at = 0;
        while at < batch.num_rows() {
            let taken = (BATCH_ROWS - rows.num_rows()).min(batch.num_rows() - at);
            let before = rows.num_rows();
            let columns: Vec<ArrayRef> = columns.iter().map(|column| column.slice(at, taken)).collect();
            converter.append(&mut rows, &columns)?;
            at += taken;
            if !is_in_order(&rows, before, last.as_ref()) {
                return Ok(None);
            }
            if rows.num_rows() == BATCH_ROWS {
                form.write(rows.iter())?;
                last = Some(rows.row(BATCH_ROWS - 1).owned());
                rows.clear();
            }
        }
    }
    if rows.num_rows() > 0 {
        form.write(rows.iter())?;
    }
    form.hash().map(Some)
}

/// Whether the rows from `from` on stand where they belong: each after the one before it, the first of all after `last`.
fn is_in_order(rows: &Rows, from: usize, last: Option<&OwnedRow>) -> bool {
    let is_after_last = from > 0 || last.is_none_or(|last| last.row() <= rows.row(0));
    is_after_last && (from.max(1)..rows.num_rows()).all(|at| rows.row(at - 1) <= rows.row(at))
}

fn sorted(schema: &SchemaRef, converter: &RowConverter, rows: &Rows) -> Result<blake3::Hash> {
    let mut order: Vec<Row<'_>> = rows.iter().collect();
    order.sort_unstable();
    let mut form = Form::new(schema, converter)?;
    for chunk in order.chunks(BATCH_ROWS) {
        form.write(chunk.iter().copied())?;
    }
    form.hash()
}

/// The canonical form as it is written, of which only the hash is kept.
struct Form<'a> {
    schema: &'a SchemaRef,
    converter: &'a RowConverter,
    stream: StreamWriter<blake3::Hasher>,
}

impl<'a> Form<'a> {
    fn new(schema: &'a SchemaRef, converter: &'a RowConverter) -> Result<Self> {
        let options = IpcWriteOptions::try_new(64, false, MetadataVersion::V5)?;
        let stream = StreamWriter::try_new_with_options(blake3::Hasher::new(), schema, options)?;
        Ok(Self { schema, converter, stream })
    }

    /// Writes a batch: [`BATCH_ROWS`] rows, or the last.
    fn write<'r>(&mut self, rows: impl Iterator<Item = Row<'r>>) -> Result<()> {
        let columns = self.converter.convert_rows(rows)?;
        self.stream.write(&RecordBatch::try_new(Arc::clone(self.schema), columns)?)?;
        Ok(())
    }

    fn hash(mut self) -> Result<blake3::Hash> {
        self.stream.finish()?;
        Ok(self.stream.into_inner()?.finalize())
    }
}
