//! Immutable folders of Parquet files: staged rows, marts, reference tables (models.md 1 and 6).
//!
//! A folder is its manifest. Files are written first, the manifest last and at once, so a folder is there whole or not
//! at all; a process killed in between leaves files that nobody sees and [`sweep`] removes. Names are used once.
//!
//! Absent: Delta, versions, changes. Who wants another state writes another folder.

use std::sync::{Arc, Mutex};

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use parquet::arrow::AsyncArrowWriter;
use parquet::arrow::async_writer::AsyncFileWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::AsyncWriteExt;

use crate::events::sorting_columns;
use crate::{BatchStream, LakeError, Result, Store, parquet_file};

const MANIFEST: &str = "manifest.json";
/// Format of manifests.
const FORMAT: u32 = 1;

/// What a folder holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Format of this document.
    pub format: u32,
    /// Files, by name.
    pub files: Vec<FolderFile>,
    /// What the writer said about it.
    pub metadata: Value,
}

/// A file of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderFile {
    /// Name within the folder; may have slashes.
    pub name: String,
    /// Rows in it.
    pub rows: u64,
    /// Bytes of it.
    pub bytes: u64,
    /// BLAKE3 of its bytes, hexadecimal.
    pub blake3: String,
    /// Columns its rows are sorted by, ascending, nulls first; also in its footer.
    pub sorted_by: Vec<String>,
}

/// A complete folder, for reading.
#[derive(Debug, Clone)]
pub struct Folder {
    store: Store,
    /// Path within the store, without a slash at its end.
    pub path: String,
    /// Last part of the path.
    pub name: String,
    /// What it holds.
    pub manifest: Manifest,
}

/// A folder being written. Files may be written at the same time.
#[derive(Debug, Clone)]
pub struct FolderWriter {
    store: Store,
    path: String,
    done: Arc<Mutex<Vec<FolderFile>>>,
}

/// A Parquet file being written.
pub struct FileWriter {
    inner: AsyncArrowWriter<Hashing>,
    entry: FolderFile,
    done: Arc<Mutex<Vec<FolderFile>>>,
}

/// Begins the folder `parent/name`. Files that an earlier, killed attempt left are overwritten or swept.
///
/// # Errors
/// `FolderTaken` when it is complete already.
pub async fn create(store: &Store, parent: &str, name: &str) -> Result<FolderWriter> {
    let path = format!("{parent}/{name}");
    if read_manifest(store, &path).await?.is_some() {
        return Err(LakeError::FolderTaken(path));
    }
    Ok(FolderWriter { store: store.clone(), path, done: Arc::default() })
}

/// The complete folder `parent/name`.
///
/// # Errors
/// `NoFolder` when there is none or it is not complete.
pub async fn open(store: &Store, parent: &str, name: &str) -> Result<Folder> {
    let path = format!("{parent}/{name}");
    match read_manifest(store, &path).await? {
        Some(manifest) => Ok(Folder { store: store.clone(), path, name: name.to_owned(), manifest }),
        None => Err(LakeError::NoFolder(path)),
    }
}

/// All complete folders under `parent`, by name.
pub async fn list(store: &Store, parent: &str) -> Result<Vec<Folder>> {
    let mut found = Vec::new();
    for name in names(store, parent).await? {
        match open(store, parent, &name).await {
            Ok(folder) => found.push(folder),
            Err(LakeError::NoFolder(_)) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(found)
}

/// The complete folder with the greatest name, if there is one.
pub async fn latest(store: &Store, parent: &str) -> Result<Option<Folder>> {
    for name in names(store, parent).await?.into_iter().rev() {
        match open(store, parent, &name).await {
            Ok(folder) => return Ok(Some(folder)),
            Err(LakeError::NoFolder(_)) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(None)
}

/// Removes what incomplete folders under `parent` left and gives their names. Nobody may be writing there.
pub async fn sweep(store: &Store, parent: &str) -> Result<Vec<String>> {
    let mut swept = Vec::new();
    for name in names(store, parent).await? {
        let path = format!("{parent}/{name}");
        if read_manifest(store, &path).await?.is_none() {
            remove_all(store, &path).await?;
            swept.push(name);
        }
    }
    Ok(swept)
}

/// Removes a complete folder: its manifest first, so that it is never seen in part. Readers that hold it will fail.
pub async fn remove(store: &Store, parent: &str, name: &str) -> Result<()> {
    let path = format!("{parent}/{name}");
    match store.objects().delete(&manifest_path(&path)).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => remove_all(store, &path).await,
        Err(e) => Err(e.into()),
    }
}

pub(crate) async fn names(store: &Store, parent: &str) -> Result<Vec<String>> {
    let listed = match store.objects().list_with_delimiter(Some(&Path::from(parent))).await {
        Err(object_store::Error::NotFound { .. }) => return Ok(Vec::new()),
        other => other?,
    };
    let mut names: Vec<_> = listed.common_prefixes.iter().filter_map(|p| p.filename().map(str::to_owned)).collect();
    names.sort();
    Ok(names)
}

async fn remove_all(store: &Store, path: &str) -> Result<()> {
    let objects = store.objects();
    let files: Vec<_> = objects.list(Some(&Path::from(path))).map_ok(|meta| meta.location).try_collect().await?;
    for file in files {
        objects.delete(&file).await?;
    }
    if let Some(dir) = store.dir() {
        let _ = std::fs::remove_dir_all(dir.join(path)); // empty directories; on an object store there are none
    }
    Ok(())
}

fn manifest_path(path: &str) -> Path {
    Path::from(format!("{path}/{MANIFEST}"))
}

async fn read_manifest(store: &Store, path: &str) -> Result<Option<Manifest>> {
    let bytes = match store.objects().get(&manifest_path(path)).await {
        Ok(found) => found.bytes().await?,
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        Err(e) => return Err(e.into()),
    };
    let manifest: Manifest =
        serde_json::from_slice(&bytes).map_err(|e| LakeError::json(format!("{path}/{MANIFEST}"), e))?;
    if manifest.format > FORMAT {
        return Err(LakeError::NewerFormat { found: manifest.format, known: FORMAT });
    }
    Ok(Some(manifest))
}

impl FolderWriter {
    /// The store it is written to.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Path of a file within the store: what was closed can be read before the folder is finished.
    pub fn path_of(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }

    /// Begins a Parquet file. `sorted_by` is noted in the manifest and the footer; the caller keeps the order.
    ///
    /// # Errors
    /// `Schema` when a column of `sorted_by` is not there.
    pub fn file(&self, name: &str, schema: &SchemaRef, sorted_by: &[&str]) -> Result<FileWriter> {
        self.file_with(name, schema, sorted_by, properties())
    }

    /// The same with other properties; the sort order is added to them.
    ///
    /// # Errors
    /// As [`FolderWriter::file`].
    pub fn file_with(
        &self,
        name: &str,
        schema: &SchemaRef,
        sorted_by: &[&str],
        properties: WriterPropertiesBuilder,
    ) -> Result<FileWriter> {
        if let Some(unknown) = sorted_by.iter().find(|c| schema.field_with_name(c).is_err()) {
            return Err(LakeError::Schema(format!("no column `{unknown}` to sort by")));
        }
        let properties = properties.set_sorting_columns(Some(sorting_columns(schema, sorted_by))).build();
        let path = Path::from(format!("{}/{name}", self.path));
        let upload = BufWriter::with_capacity(self.store.objects(), path, 5 << 20);
        let inner = AsyncArrowWriter::try_new(Hashing::to(upload), Arc::clone(schema), Some(properties))?;
        let entry = FolderFile {
            name: name.to_owned(),
            rows: 0,
            bytes: 0,
            blake3: String::new(),
            sorted_by: sorted_by.iter().map(|c| (*c).to_owned()).collect(),
        };
        Ok(FileWriter { inner, entry, done: Arc::clone(&self.done) })
    }

    /// Writes a whole file at once.
    pub async fn write(&self, name: &str, schema: &SchemaRef, sorted_by: &[&str], rows: &[RecordBatch]) -> Result<()> {
        let mut file = self.file(name, schema, sorted_by)?;
        for batch in rows {
            file.write(batch).await?;
        }
        file.close().await.map(drop)
    }

    /// Takes an unchanged file over from another folder, without reading it: a link on disk, a server-side copy else.
    pub async fn link(&self, from: &Folder, name: &str) -> Result<()> {
        let (source, dest) = (Path::from(from.path_of(name)), Path::from(format!("{}/{name}", self.path)));
        self.store.objects().copy(&source, &dest).await?;
        self.note(from.file(name)?.clone());
        Ok(())
    }

    fn note(&self, file: FolderFile) {
        self.done.lock().expect("no writer panics while it holds the list").push(file);
    }

    /// Makes the folder visible with all files closed so far.
    ///
    /// # Errors
    /// `FolderTaken` when another writer finished the same name first.
    pub async fn finish(self, metadata: Value) -> Result<Folder> {
        let mut files = std::mem::take(&mut *self.done.lock().expect("no writer panics while it holds the list"));
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let manifest = Manifest { format: FORMAT, files, metadata };
        let json = serde_json::to_vec_pretty(&manifest).map_err(|e| LakeError::json(MANIFEST, e))?;
        let create = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.store.objects().put_opts(&manifest_path(&self.path), json.clone().into(), create).await {
            Ok(_) => {}
            // A client that tried again after a lost answer finds its own. What is equal byte for byte names equal files.
            Err(object_store::Error::AlreadyExists { .. }) => {
                let there = self.store.objects().get(&manifest_path(&self.path)).await?.bytes().await?;
                if there != json {
                    return Err(LakeError::FolderTaken(self.path));
                }
            }
            Err(e) => return Err(e.into()),
        }
        let name = self.path.rsplit('/').next().unwrap_or_default().to_owned();
        Ok(Folder { store: self.store, path: self.path, name, manifest })
    }
}

/// Rows of a row group.
const GROUP_ROWS: usize = 128 << 10;
/// Rows that are encoded at a time.
const ENCODED_AT_ONCE: usize = GROUP_ROWS / 2;

/// How files are written if nothing else is said; the start of [`FolderWriter::file_with`]'s own.
pub fn properties() -> WriterPropertiesBuilder {
    let zstd = Compression::ZSTD(ZstdLevel::try_new(1).expect("1 is a level of zstd"));
    WriterProperties::builder().set_compression(zstd).set_max_row_group_row_count(Some(GROUP_ROWS))
}

impl FileWriter {
    /// Encodes rows on the calling task.
    pub async fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        self.entry.rows += rows.num_rows() as u64;
        // What a call encodes goes up when it ends: of a large batch, a part at a time, or all of it would be in memory encoded too.
        for from in (0..rows.num_rows()).step_by(ENCODED_AT_ONCE) {
            self.inner.write(&rows.slice(from, ENCODED_AT_ONCE.min(rows.num_rows() - from))).await?;
        }
        Ok(())
    }

    /// Finishes the file; it counts from here on.
    pub async fn close(mut self) -> Result<FolderFile> {
        self.inner.finish().await?;
        (self.entry.bytes, self.entry.blake3) = self.inner.into_inner().sum();
        self.done.lock().expect("no writer panics while it holds the list").push(self.entry.clone());
        Ok(self.entry)
    }
}

impl std::fmt::Debug for FileWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileWriter").field("name", &self.entry.name).finish_non_exhaustive()
    }
}

/// Hashes and counts what goes up.
struct Hashing {
    upload: BufWriter,
    hash: blake3::Hasher,
    /// Bytes that are not hashed yet: BLAKE3 takes much at once several times as fast as little by little.
    unhashed: Vec<u8>,
    bytes: u64,
}

/// Bytes that are hashed at once.
const HASHED_AT_ONCE: usize = 256 << 10;

impl Hashing {
    fn to(upload: BufWriter) -> Self {
        Self { upload, hash: blake3::Hasher::new(), unhashed: Vec::new(), bytes: 0 }
    }

    /// Bytes so far, and their hash.
    fn sum(mut self) -> (u64, String) {
        self.hash.update(&self.unhashed);
        (self.bytes, self.hash.finalize().to_hex().to_string())
    }
}

impl AsyncFileWriter for Hashing {
    fn write(&mut self, part: Bytes) -> BoxFuture<'_, parquet::errors::Result<()>> {
        self.unhashed.extend_from_slice(&part);
        if self.unhashed.len() >= HASHED_AT_ONCE {
            self.hash.update(&self.unhashed);
            self.unhashed.clear();
        }
        self.bytes += part.len() as u64;
        async move { self.upload.put(part).await.map_err(|e| ParquetError::External(Box::new(e))) }.boxed()
    }

    fn complete(&mut self) -> BoxFuture<'_, parquet::errors::Result<()>> {
        async move { self.upload.shutdown().await.map_err(|e| ParquetError::External(Box::new(e))) }.boxed()
    }
}

impl Folder {
    /// The manifest's entry of a file.
    ///
    /// # Errors
    /// `NoFolder` when the folder has no such file.
    pub fn file(&self, name: &str) -> Result<&FolderFile> {
        let found = self.manifest.files.iter().find(|f| f.name == name);
        found.ok_or_else(|| LakeError::NoFolder(format!("{}/{name}", self.path)))
    }

    /// Path of a file within the store, for engines that open it themselves.
    pub fn path_of(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }

    /// Columns of a file.
    pub async fn schema(&self, name: &str) -> Result<SchemaRef> {
        let builder =
            parquet_file::open(self.store.objects(), &self.path_of(name), Some(self.file(name)?.bytes)).await?;
        Ok(Arc::clone(builder.schema()))
    }

    /// Rows of a file in their order; all columns, or those named, in the file's order.
    pub async fn read(&self, name: &str, columns: Option<&[&str]>) -> Result<BatchStream> {
        let builder =
            parquet_file::open(self.store.objects(), &self.path_of(name), Some(self.file(name)?.bytes)).await?;
        let all = Arc::clone(builder.schema());
        let wanted = match columns {
            None => all,
            Some(names) => Arc::new(chosen(&all, names)?),
        };
        parquet_file::rows(builder, &wanted)
    }

    /// Reads every file and compares it with the manifest.
    ///
    /// # Errors
    /// `Damaged` with the name of the first file that differs.
    pub async fn verify(&self) -> Result<()> {
        for file in &self.manifest.files {
            let mut stream = self.store.objects().get(&Path::from(self.path_of(&file.name))).await?.into_stream();
            let mut hash = blake3::Hasher::new();
            while let Some(part) = stream.next().await {
                hash.update(&part?);
            }
            if hash.finalize().to_hex().as_str() != file.blake3 {
                return Err(LakeError::Damaged { table: self.path.clone(), what: format!("file {}", file.name) });
            }
        }
        Ok(())
    }
}

fn chosen(all: &Schema, names: &[&str]) -> Result<Schema> {
    if let Some(unknown) = names.iter().find(|n| all.field_with_name(n).is_err()) {
        return Err(LakeError::Schema(format!("no column `{unknown}`")));
    }
    let fields = all.fields().iter().filter(|f| names.contains(&f.name().as_str()));
    Ok(Schema::new(fields.cloned().collect::<Vec<_>>()))
}
