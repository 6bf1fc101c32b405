//! Folders that lie one above the other: what a refresh has changed lies above what was there, and replaces it key by key.
//!
//! The lowest layer holds every row of a table; each layer above holds the rows of some keys (records, persons) and says which
//! keys these are: rows below with such a key no longer count. So a refresh writes what changed and nothing else, and a reader
//! who has opened a layer has all of those below it, which never change.
//!
//! A layer is a folder ([`lake::folder`]): there whole or not at all. Its manifest says which folder it lies on.
//!
//! Absent: what rows mean; when layers are laid together (see `refresh`).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::and;
use arrow::datatypes::{DataType, Field, SchemaRef, UInt64Type};
use arrow::error::ArrowError;
use bytes::Bytes;
use futures::FutureExt;
use lake::Store;
use lake::folder::{self, Folder, FolderWriter};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::basic::Compression;
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::properties::EnabledStatistics;
use parquet::schema::types::ColumnPath;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::ModelsError;
use crate::keys::{self, Keys};
use crate::runtime::side_by_side;

/// Where a layer says which keys it replaces.
const CHANGED: &str = "changed";
/// Rows in a page of a file in which rows are looked for.
const PAGE_ROWS: usize = 1024;
/// Rows that are decoded at once.
const BATCH_ROWS: usize = 8192;

/// What the manifest of a layer says beside what its owner says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Laid<T> {
    /// Name of the folder it lies on; none of the lowest.
    pub over: Option<String>,
    /// Buckets of its files.
    pub layer_buckets: usize,
    /// The rest.
    #[serde(flatten)]
    pub said: T,
}

impl<T: for<'a> Deserialize<'a>> Laid<T> {
    /// What a folder's manifest says.
    pub fn of(folder: &Folder) -> Result<Self, ModelsError> {
        serde_json::from_value(folder.manifest.metadata.clone()).map_err(ModelsError::Manifest)
    }
}

/// Layers, the lowest first.
#[derive(Debug, Clone)]
pub(crate) struct Layers {
    store: Store,
    layers: Vec<Layer>,
}

/// One of them.
#[derive(Debug, Clone)]
struct Layer {
    folder: Folder,
    buckets: usize,
    /// By table: the keys that layers above replace.
    replaced: BTreeMap<String, Arc<Keys>>,
}

/// Which rows are read: those for which all picks hold.
#[derive(Clone)]
pub(crate) struct Pick {
    /// The columns that it looks at.
    columns: Vec<String>,
    /// Whether a row is wanted, over a batch of these columns.
    holds: Holds,
}

type Holds = Arc<dyn Fn(&RecordBatch) -> Result<BooleanArray, ArrowError> + Send + Sync>;

impl Pick {
    /// Rows for which something holds.
    pub fn new(
        columns: &[&str],
        holds: impl Fn(&RecordBatch) -> Result<BooleanArray, ArrowError> + Send + Sync + 'static,
    ) -> Self {
        Self { columns: columns.iter().map(|name| (*name).to_owned()).collect(), holds: Arc::new(holds) }
    }

    /// Rows whose hash in this column is in a set.
    pub fn within(column: &str, keys: &Arc<Keys>) -> Self {
        let keys = Arc::clone(keys);
        Self::new(&[column], move |batch| Ok(keys.mask(batch.column(0))))
    }

    /// Rows whose hash in this column is in no set.
    pub fn without(column: &str, keys: &Arc<Keys>) -> Self {
        let keys = Arc::clone(keys);
        Self::new(&[column], move |batch| arrow::compute::not(&keys.mask(batch.column(0))))
    }

    /// Rows of some buckets of so many.
    pub fn of_buckets(column: &str, some: Range<usize>, buckets: usize) -> Self {
        Self::new(&[column], move |batch| {
            let hashes = batch.column(0).as_primitive::<UInt64Type>();
            Ok(hashes.values().iter().map(|hash| Some(some.contains(&((hash % buckets as u64) as usize)))).collect())
        })
    }
}

/// A table of some layers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept<'a> {
    /// Its name: that of its folder of files.
    pub table: &'a str,
    /// The column of hashes by which its rows are replaced.
    pub key: &'a str,
    /// The name under which a layer says what it replaces.
    pub replaces: &'a str,
}

impl Layers {
    /// One layer by itself, which holds all there is.
    pub fn alone(store: &Store, folder: Folder, buckets: usize) -> Self {
        let layer = Layer { folder, buckets, replaced: BTreeMap::new() };
        Self { store: store.clone(), layers: vec![layer] }
    }

    /// The layers of which `tip` is the highest.
    ///
    /// # Errors
    /// A layer is missing or says nothing of itself.
    pub async fn below(store: &Store, parent: &str, tip: Folder) -> Result<Self, ModelsError> {
        let mut layers = Vec::new();
        let mut replaced: BTreeMap<String, Arc<Keys>> = BTreeMap::new();
        let mut next = Some(tip);
        while let Some(folder) = next {
            let laid: Laid<Value> = Laid::of(&folder)?;
            let own = changed(store, &folder).await?;
            layers.push(Layer { folder, buckets: laid.layer_buckets, replaced: replaced.clone() });
            for (name, keys) in own {
                let both = replaced.get(&name).map(|above| above.iter().chain(keys.iter()).collect());
                replaced.insert(name, Arc::new(both.unwrap_or(keys)));
            }
            next = match laid.over {
                Some(name) => Some(folder::open(store, parent, &name).await?),
                None => None,
            };
        }
        layers.reverse();
        Ok(Self { store: store.clone(), layers })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.layers.len()
    }

    /// Buckets of the lowest.
    pub fn buckets(&self) -> usize {
        self.layers[0].buckets
    }

    /// Rows in the lowest, and in all above it, of all tables.
    pub fn rows_below_and_above(&self) -> (u64, u64) {
        let rows = |layer: &Layer| -> u64 {
            layer
                .folder
                .manifest
                .files
                .iter()
                .filter(|file| !file.name.starts_with(CHANGED))
                .map(|file| file.rows)
                .sum()
        };
        (rows(&self.layers[0]), self.layers[1..].iter().map(rows).sum())
    }

    /// The file of a bucket of a table as it is, where it is all there is of it: nothing lies above the lowest layer.
    ///
    /// # Errors
    /// Storage errors.
    pub async fn whole_file(&self, table: &str, bucket: usize) -> Result<Option<Bytes>, ModelsError> {
        let folder = &self.layers[0].folder;
        let name = file_name(table, bucket);
        if folder.file(&name).is_err() { Ok(None) } else { bytes(&self.store, folder, &name).await.map(Some) }
    }

    /// Columns of a table whose lowest layer has a first bucket, be it empty.
    ///
    /// # Errors
    /// Storage errors; it has none.
    pub async fn schema(&self, table: &str) -> Result<SchemaRef, ModelsError> {
        Ok(self.layers[0].folder.schema(&file_name(table, 0)).await?)
    }

    /// The rows that count of one of the lowest layer's buckets, unsorted.
    ///
    /// # Errors
    /// Storage errors.
    pub async fn bucket(&self, kept: Kept<'_>, bucket: usize) -> Result<Vec<RecordBatch>, ModelsError> {
        let buckets = self.buckets();
        let mut out = Vec::new();
        for layer in &self.layers {
            let name = file_name(kept.table, bucket % layer.buckets);
            if layer.folder.file(&name).is_ok() {
                let mut picks = layer.live(kept);
                picks.extend(
                    (layer.buckets != buckets).then(|| Pick::of_buckets(kept.key, bucket..bucket + 1, buckets)),
                );
                out.extend(read(bytes(&self.store, &layer.folder, &name).await?, None, &picks)?);
            }
        }
        Ok(out)
    }

    /// The rows that count of a table of which all picks hold, in no order; `columns` or all of them.
    ///
    /// # Errors
    /// Storage errors.
    pub async fn rows(
        &self,
        kept: Kept<'_>,
        columns: Option<&[&str]>,
        picks: &[Pick],
        parallel: usize,
    ) -> Result<Vec<RecordBatch>, ModelsError> {
        let mut work = Vec::new();
        for layer in &self.layers {
            let mut all = layer.live(kept);
            all.extend(picks.iter().cloned());
            let files = layer.folder.manifest.files.iter().filter(|file| is_of(&file.name, kept.table));
            work.extend(files.map(|file| (layer.folder.clone(), file.name.clone(), all.clone())));
        }
        let columns: Option<Vec<String>> = columns.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        let mut tasks = Vec::with_capacity(work.len());
        for (folder, name, picks) in work {
            let (store, columns) = (self.store.clone(), columns.clone());
            tasks.push(async move { read(bytes(&store, &folder, &name).await?, columns.as_deref(), &picks) }.boxed());
        }
        // A few files at a time: what is not asked for yet is not in memory.
        Ok(side_by_side(tasks, parallel).await?.into_iter().flatten().collect())
    }
}

impl Layer {
    /// Rows that no layer above replaces.
    fn live(&self, kept: Kept<'_>) -> Vec<Pick> {
        let replaced = self.replaced.get(kept.replaces).filter(|keys| !keys.is_empty());
        replaced.map(|keys| Pick::without(kept.key, keys)).into_iter().collect()
    }
}

/// The file of a table's bucket. Buckets without rows have none.
pub(crate) fn file_name(table: &str, bucket: usize) -> String {
    format!("{table}/{bucket:02}.parquet")
}

fn is_of(file: &str, table: &str) -> bool {
    file.strip_prefix(table).is_some_and(|rest| rest.starts_with('/'))
}

/// How the bytes of a file are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    /// As files of a folder are: staged rows are written once.
    Small,
    /// States are written by every fold, and read again while it runs.
    Fast,
}

/// Writes rows of a table's bucket, so that few of them can be read without the rest.
///
/// # Errors
/// Storage errors; `sorted_by` names a column that is not there.
pub(crate) async fn write(
    folder: &FolderWriter,
    name: &str,
    sorted_by: &[&str],
    rows: &RecordBatch,
    packing: Packing,
) -> Result<(), lake::LakeError> {
    if rows.num_rows() == 0 {
        return Ok(());
    }
    // Where pages begin is noted, what is least and greatest in each is not: rows are found by a hash.
    let properties =
        folder::properties().set_data_page_row_count_limit(PAGE_ROWS).set_statistics_enabled(EnabledStatistics::Chunk);
    let properties = match packing {
        Packing::Small => properties,
        Packing::Fast => properties.set_compression(Compression::LZ4_RAW),
    };
    // Hashes and ids come once or a few times each: a dictionary of them is work for nothing, twice.
    let schema = rows.schema();
    let is_id = |field: &&Arc<Field>| matches!(field.data_type(), DataType::UInt64 | DataType::FixedSizeBinary(_));
    let ids = schema.fields().iter().filter(is_id).map(|field| ColumnPath::from(field.name().as_str()));
    let properties = ids.fold(properties, |properties, id| properties.set_column_dictionary_enabled(id, false));
    let mut file = folder.file_with(name, &rows.schema(), sorted_by, properties)?;
    file.write(rows).await?;
    file.close().await.map(drop)
}

/// Writes which keys of a table a layer replaces.
///
/// # Errors
/// Storage errors.
pub(crate) async fn write_changed(folder: &FolderWriter, replaces: &str, keys: &Keys) -> Result<(), ModelsError> {
    let name = format!("{CHANGED}/{replaces}.parquet");
    Ok(folder.write(&name, &keys::file_schema(), &["hash"], &[keys.to_batch()?]).await?)
}

/// The keys that a layer replaces, by table.
pub(crate) async fn changed(store: &Store, folder: &Folder) -> Result<BTreeMap<String, Keys>, ModelsError> {
    let mut out = BTreeMap::new();
    for file in folder.manifest.files.iter().filter(|file| is_of(&file.name, CHANGED)) {
        let rows = read(bytes(store, folder, &file.name).await?, None, &[])?;
        let table = file.name.trim_start_matches(CHANGED).trim_start_matches('/').trim_end_matches(".parquet");
        out.insert(table.to_owned(), Keys::from_batches(&rows));
    }
    Ok(out)
}

/// Rows of a file that was written into a folder which is not finished yet: these columns of those of which all picks hold.
///
/// # Errors
/// Storage errors.
pub(crate) async fn read_written(
    folder: &FolderWriter,
    name: &str,
    columns: &[String],
    picks: &[Pick],
) -> Result<Vec<RecordBatch>, ModelsError> {
    read(object(folder.store(), folder.path_of(name)).await?, Some(columns), picks)
}

async fn bytes(store: &Store, folder: &Folder, name: &str) -> Result<Bytes, ModelsError> {
    object(store, folder.path_of(name)).await
}

async fn object(store: &Store, path: String) -> Result<Bytes, ModelsError> {
    let object = store.objects().get(&Path::from(path)).await.map_err(lake::LakeError::from)?;
    Ok(object.bytes().await.map_err(lake::LakeError::from)?)
}

/// Rows of a file of which all picks hold. These are asked first, of their columns alone; then pages that hold rows are read.
fn read(bytes: Bytes, columns: Option<&[String]>, picks: &[Pick]) -> Result<Vec<RecordBatch>, ModelsError> {
    let pages = if picks.is_empty() { PageIndexPolicy::Skip } else { PageIndexPolicy::Optional };
    let Some(wanted) = wanted(&bytes, picks)? else { return Ok(Vec::new()) };
    let metadata = metadata(&bytes, pages)?;
    let mask = match columns {
        Some(names) => roots(&metadata, names)?,
        None => ProjectionMask::all(),
    };
    let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(bytes, metadata).with_projection(mask);
    if let Wanted::Some(rows) = wanted {
        builder = builder.with_row_selection(rows);
    }
    let reader = builder.with_batch_size(BATCH_ROWS).build().map_err(ArrowError::from)?;
    Ok(reader.collect::<Result<Vec<_>, _>>()?)
}

/// Which rows of a file are wanted.
enum Wanted {
    All,
    Some(RowSelection),
}

/// The rows of which all picks hold; `None` where there is none.
fn wanted(bytes: &Bytes, picks: &[Pick]) -> Result<Option<Wanted>, ModelsError> {
    if picks.is_empty() {
        return Ok(Some(Wanted::All));
    }
    let metadata = metadata(bytes, PageIndexPolicy::Skip)?;
    let names: BTreeSet<String> = picks.iter().flat_map(|pick| pick.columns.iter().cloned()).collect();
    let mask = roots(&metadata, &names.into_iter().collect::<Vec<_>>())?;
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(bytes.clone(), metadata).with_projection(mask);
    let mut masks = Vec::new();
    for batch in builder.with_batch_size(BATCH_ROWS).build().map_err(ArrowError::from)? {
        let batch = batch?;
        let mut all: Option<BooleanArray> = None;
        for pick in picks {
            let own = pick.columns.iter().map(|name| batch.schema().index_of(name)).collect::<Result<Vec<_>, _>>()?;
            let holds = (pick.holds)(&batch.project(&own)?)?;
            all = Some(all.map_or_else(|| Ok(holds.clone()), |all| and(&all, &holds))?);
        }
        masks.extend(all);
    }
    let rows = RowSelection::from_filters(&masks);
    Ok(rows.selects_any().then_some(Wanted::Some(rows)))
}

fn metadata(bytes: &Bytes, pages: PageIndexPolicy) -> Result<ArrowReaderMetadata, ArrowError> {
    let options = ArrowReaderOptions::new().with_offset_index_policy(pages);
    Ok(ArrowReaderMetadata::load(bytes, options)?)
}

fn roots(metadata: &ArrowReaderMetadata, names: &[String]) -> Result<ProjectionMask, ArrowError> {
    let places = names.iter().map(|name| metadata.schema().index_of(name)).collect::<Result<Vec<_>, _>>()?;
    Ok(ProjectionMask::roots(metadata.parquet_schema(), places))
}
