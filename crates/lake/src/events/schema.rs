//! Columns of the table `events` (ingestion.md 3.1), their statistics and how each is encoded.
//!
//! Typed columns are the envelope's only: a new field of an event type changes `payload`, never this table.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use deltalake::kernel::{ArrayType, DataType as DeltaType, MapType, PrimitiveType, StructField, StructType};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use crate::{LakeError, Result};

/// Partition columns. `_lane` comes first: vacuum hides paths that begin with `_` unless they are a partition's.
pub const PARTITION_COLUMNS: [&str; 2] = ["_lane", "ingest_date"];

/// Columns whose least and greatest values go into the Delta log. No payload, surrogate or detail text ever does.
pub const STATS_COLUMNS: [&str; 13] = [
    "event_id",
    "record_id",
    "event_type",
    "agency",
    "occurred_from",
    "occurred_to",
    "recorded_at",
    "ingested_at",
    "log_stream",
    "log_partition",
    "log_offset",
    "_status",
    "_error_class",
];

/// Rows of each file are in this order.
const SORT_COLUMNS: [&str; 3] = ["log_stream", "log_partition", "log_offset"];

/// Columns whose values hardly ever repeat: a dictionary is wasted work.
const NO_DICTIONARY: [&[&str]; 5] = [
    &["payload"],
    &["event_id"],
    &["record_id"],
    &["subject_refs", "list", "element"],
    &["link_refs", "list", "element"],
];

/// Of these, ids and packed times: zstd takes longer for them than for payloads, and finds little. What ingest writes has them as
/// they are; maintenance compresses them when it makes large files of small ones.
const HARDLY_SHRINK: [&[&str]; 6] = [
    &["event_id"],
    &["record_id"],
    &["recorded_at"],
    &["log_ts"],
    &["subject_refs", "list", "element"],
    &["link_refs", "list", "element"],
];

/// Numbers and times, nearly all close to their neighbours: their differences are packed at once, which takes less than a
/// dictionary and is made in half the time.
const DIFFERENCES: [&str; 9] = [
    "record_version",
    "occurred_from",
    "occurred_to",
    "recorded_at",
    "ingested_at",
    "log_ts",
    "log_partition",
    "log_offset",
    "claim",
];

/// All columns, partition columns included, as written and as read.
///
/// Strings with few values are `Dictionary(Int32, Utf8)`. Lists name their element `element`, the map's entries are
/// `key_value` of `key` and `value`: Delta's names, so a builder must use them too.
pub fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| Arc::new(Schema::new(columns())));
    Arc::clone(&SCHEMA)
}

fn columns() -> Vec<Field> {
    let few = || DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let time = || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let surrogates = || DataType::List(Arc::new(Field::new("element", DataType::Binary, true)));
    vec![
        Field::new("event_id", DataType::Utf8, true),
        Field::new("record_id", DataType::Utf8, true),
        Field::new("event_type", few(), true),
        Field::new("agency", few(), true),
        Field::new("schema_id", few(), true),
        Field::new("record_version", DataType::Int64, true),
        Field::new("occurred_from", DataType::Date32, true),
        Field::new("occurred_to", DataType::Date32, true),
        Field::new("occurred_precision", few(), true),
        Field::new("recorded_at", time(), true),
        Field::new("ingested_at", time(), false),
        Field::new("log_ts", time(), true),
        Field::new("payload", DataType::Binary, true),
        Field::new("headers", headers(), true),
        Field::new("subject_refs", surrogates(), true),
        Field::new("link_refs", surrogates(), true),
        Field::new("log_stream", few(), false),
        Field::new("log_partition", DataType::Int32, false),
        Field::new("log_offset", DataType::Int64, false),
        Field::new("writer_id", few(), false),
        Field::new("claim", DataType::Int64, false),
        Field::new("batch_id", few(), false),
        Field::new("_lane", DataType::Utf8, false),
        Field::new("_status", few(), false),
        Field::new("_error_class", few(), true),
        Field::new("_error_detail", DataType::Utf8, true),
        Field::new("ingest_date", DataType::Date32, false),
    ]
}

fn headers() -> DataType {
    let entry = vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Utf8, true)];
    DataType::Map(Arc::new(Field::new("key_value", DataType::Struct(entry.into()), false)), false)
}

/// Columns of a data file: all but the partition columns. Batches given to a writer have these.
pub fn file_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let all = columns().into_iter();
        Arc::new(Schema::new(all.filter(|f| !PARTITION_COLUMNS.contains(&f.name().as_str())).collect::<Vec<_>>()))
    });
    Arc::clone(&SCHEMA)
}

/// The same columns in Delta's types.
pub(crate) fn delta_columns() -> Result<Vec<StructField>> {
    to_delta(&schema())
}

/// Whether rows with our columns fit a table with these: a maintainer of a newer program may have added a column that may be
/// null, or relaxed one of ours (ingestion.md 3.10). Anything else is a table for another program.
///
/// # Errors
/// `Schema` with the column and what to do.
pub(crate) fn fits(table: &StructType) -> Result<()> {
    let wrong = |name: &str, how: &str| {
        let what =
            format!("column `{name}` of table events {how}; use the program that this table is for, or a newer one");
        Err(LakeError::Schema(what))
    };
    for ours in delta_columns()? {
        match table.field(ours.name()) {
            None => return wrong(ours.name(), "is not there"),
            Some(theirs) if theirs.data_type() != ours.data_type() => return wrong(ours.name(), "has another type"),
            Some(theirs) if ours.is_nullable() && !theirs.is_nullable() => {
                return wrong(ours.name(), "may not be null any more");
            }
            Some(_) => {}
        }
    }
    match unknown(table).find(|field| !field.is_nullable()) {
        Some(field) => wrong(field.name(), "is required and not known here"),
        None => Ok(()),
    }
}

/// Whether this program knows every column of the table, so that files which it writes anew keep all that they held.
///
/// # Errors
/// `Schema` with a column that would be lost.
pub(crate) fn is_known(table: &StructType) -> Result<()> {
    match unknown(table).next() {
        Some(field) => {
            let what = format!(
                "column `{}` of table events is not known here, and files written anew would lose it; maintain with the \
                 newer program",
                field.name()
            );
            Err(LakeError::Schema(what))
        }
        None => Ok(()),
    }
}

fn unknown(table: &StructType) -> impl Iterator<Item = &StructField> {
    let ours = schema();
    table.fields().filter(move |field| ours.field_with_name(field.name()).is_err())
}

/// Delta's form of an Arrow schema, for the types used here.
pub(crate) fn to_delta(schema: &Schema) -> Result<Vec<StructField>> {
    schema
        .fields()
        .iter()
        .map(|f| Ok(StructField::new(f.name(), delta_type(f.data_type())?, f.is_nullable())))
        .collect()
}

fn delta_type(arrow: &DataType) -> Result<DeltaType> {
    Ok(match arrow {
        DataType::Utf8 => DeltaType::STRING,
        DataType::Int64 => DeltaType::LONG,
        DataType::Int32 => DeltaType::INTEGER,
        DataType::Date32 => DeltaType::DATE,
        DataType::Binary => DeltaType::BINARY,
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => DeltaType::TIMESTAMP,
        DataType::Decimal128(precision, scale) => {
            let decimal = PrimitiveType::decimal(*precision, u8::try_from(*scale).unwrap_or(0))
                .map_err(|e| LakeError::Schema(e.to_string()))?;
            DeltaType::Primitive(decimal)
        }
        DataType::Dictionary(_, values) => delta_type(values)?,
        DataType::List(element) => {
            DeltaType::from(ArrayType::new(delta_type(element.data_type())?, element.is_nullable()))
        }
        DataType::Map(entry, _) => {
            let DataType::Struct(pair) = entry.data_type() else {
                return Err(LakeError::Schema("a map without key and value".into()));
            };
            let (key, value) = (delta_type(pair[0].data_type())?, delta_type(pair[1].data_type())?);
            DeltaType::from(MapType::new(key, value, pair[1].is_nullable()))
        }
        other => {
            return Err(LakeError::Schema(format!("type {other} is not used in Delta tables here")));
        }
    })
}

/// Key in the footer of a side file from whose set-aside rows the bytes were taken.
pub(crate) const WITHOUT_BYTES: &str = "amanat.set_aside_bytes_expired";

/// Rows of compacted files are in this order.
const COMPACTED_ORDER: [&str; 3] = ["record_id", "record_version", "event_id"];

/// Rows of a row group.
const GROUP_ROWS: usize = 128 * 1024;

/// Bytes of a page of payloads, before compression: who wants one event reads a page of them.
const PAYLOAD_PAGE_BYTES: usize = 128 * 1024;

/// How often a Bloom filter says "perhaps" of an id that is not there.
const FALSE_POSITIVES: f64 = 1e-4;

/// zstd level 1 but for ids, row groups of 128 k rows, sort order in the footer (ingestion.md 2.4), and a Bloom filter on
/// `event_id`: a worker that was restarted looks late copies up in files of which it remembers nothing.
pub(crate) fn writer_properties() -> WriterProperties {
    let properties = properties(1, &SORT_COLUMNS, GROUP_ROWS as u64);
    let as_they_are = |properties: WriterPropertiesBuilder, path: &&[&str]| {
        properties.set_column_compression(column(path), Compression::UNCOMPRESSED)
    };
    HARDLY_SHRINK.iter().fold(properties, as_they_are).build()
}

/// The same for files that maintenance writes: zstd level 3 for all columns, sorted by record (ingestion.md 3.12). `rows` are those
/// of all files together.
pub(crate) fn compacted_properties(rows: u64, without_bytes: bool) -> WriterProperties {
    let mark = without_bytes.then(|| vec![KeyValue::new(WITHOUT_BYTES.to_owned(), "true".to_owned())]);
    properties(3, &COMPACTED_ORDER, rows).set_key_value_metadata(mark).build()
}

fn properties(level: i32, order: &[&str], rows: u64) -> WriterPropertiesBuilder {
    let zstd = Compression::ZSTD(ZstdLevel::try_new(level).expect("1 and 3 are levels of zstd"));
    let mut properties = WriterProperties::builder()
        .set_compression(zstd)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_sorting_columns(Some(sorting_columns(&file_schema(), order)))
        .set_column_data_page_size_limit("payload".into(), PAYLOAD_PAGE_BYTES)
        .set_column_bloom_filter_enabled("event_id".into(), true)
        .set_column_bloom_filter_fpp("event_id".into(), FALSE_POSITIVES)
        // Of fewer rows the filter is folded when it is written.
        .set_column_bloom_filter_max_ndv("event_id".into(), rows.clamp(1, GROUP_ROWS as u64))
        // Nobody reads more of them than the Delta log takes.
        .set_statistics_enabled(EnabledStatistics::None);
    for name in STATS_COLUMNS {
        properties = properties.set_column_statistics_enabled(name.into(), EnabledStatistics::Chunk);
    }
    for path in NO_DICTIONARY {
        properties = properties.set_column_dictionary_enabled(column(path), false);
    }
    for name in DIFFERENCES {
        properties = properties.set_column_dictionary_enabled(name.into(), false);
        properties = properties.set_column_encoding(name.into(), Encoding::DELTA_BINARY_PACKED);
    }
    properties
}

fn column(path: &[&str]) -> ColumnPath {
    ColumnPath::new(path.iter().copied().map(String::from).collect())
}

/// The footer's form of an ascending order, nulls first. Leaf numbers equal field numbers until the first nested
/// column, so leaves are counted.
pub(crate) fn sorting_columns(schema: &Schema, names: &[&str]) -> Vec<SortingColumn> {
    let mut leaf = 0;
    let mut found = vec![None; names.len()];
    for field in schema.fields() {
        if let Some(at) = names.iter().position(|name| name == field.name()) {
            found[at] = Some(SortingColumn { column_idx: leaf, descending: false, nulls_first: true });
        }
        leaf += leaves(field.data_type());
    }
    found.into_iter().flatten().collect()
}

fn leaves(data_type: &DataType) -> i32 {
    match data_type {
        DataType::List(f) | DataType::LargeList(f) | DataType::FixedSizeList(f, _) | DataType::Map(f, _) => {
            leaves(f.data_type())
        }
        DataType::Struct(fields) => fields.iter().map(|f| leaves(f.data_type())).sum(),
        _ => 1,
    }
}
