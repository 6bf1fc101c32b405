//! A local file system that keeps what it acknowledged: `FsyncStore`.
//!
//! `object_store` 0.13 writes, renames and answers; a power cut may then leave an empty or torn file under its final
//! name (ingestion.md 2.3). Here every object is written beside its place, synced, moved into place by a link or a
//! rename, and its directory synced, before the answer.
//!
//! Guarantees: after `Ok` of a put, copy or rename the object is whole and survives a power cut; an object is never
//! visible in part; `PutMode::Create` has exactly one winner. Absent: `PutMode::Update` (not implemented, as in
//! `LocalFileSystem`), syncing of deletes (a deleted file may come back after a power cut; nothing here relies on it).
//!
//! What a killed process leaves half written is deleted by the maintainer, days later (`staged`).
//!
//! The end of a Delta log is found by asking for names instead of listing its directory (`tail`), so that a commit costs
//! the same with a hundred versions behind it and with a hundred thousand.

pub(crate) mod staged;
mod tail;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result, UploadPart,
};

/// [`LocalFileSystem`] at the root of the file system, with durable puts.
#[derive(Debug, Clone)]
pub struct FsyncStore {
    inner: LocalFileSystem,
    /// Makes staging names unique within the process; the process id makes them unique between processes.
    staged: Arc<AtomicU64>,
}

impl FsyncStore {
    /// A store whose paths are absolute paths of this machine without their first slash.
    pub fn new() -> Self {
        Self { inner: LocalFileSystem::new(), staged: Arc::default() }
    }

    /// Opens a file beside `dest`. `name#<digits>` is a name that `LocalFileSystem` never lists nor serves.
    fn stage(&self, dest: &FsPath) -> Result<(File, PathBuf)> {
        loop {
            let n = self.staged.fetch_add(1, Ordering::Relaxed);
            let mut name = dest.as_os_str().to_owned();
            name.push(format!("#{}{n:06}", std::process::id()));
            let path = PathBuf::from(name);
            match OpenOptions::new().write(true).create_new(true).mode(file_mode(dest)).open(&path) {
                Ok(file) => return Ok((file, path)),
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {} // left by a killed process with our id
                Err(e) if e.kind() == ErrorKind::NotFound => create_dirs(dest)?,
                Err(e) => return Err(failed(e)),
            }
        }
    }
}

impl Default for FsyncStore {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Display for FsyncStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FsyncStore({})", self.inner)
    }
}

/// The version that a listing of a Delta log begins at: `…/_delta_log/<20 digits>`.
fn log_version(prefix: &Path, offset: &Path) -> Option<u64> {
    let name = offset.filename().filter(|name| name.len() == 20 && name.bytes().all(|b| b.is_ascii_digit()))?;
    let in_it = prefix.filename() == Some("_delta_log") && offset.prefix_matches(prefix);
    (in_it && offset.parts().count() == prefix.parts().count() + 1).then(|| name.parse().ok())?
}

fn object(dir: &Path, name: &str, metadata: &std::fs::Metadata) -> Result<ObjectMeta> {
    let last_modified = metadata.modified().map_err(failed)?.into();
    Ok(ObjectMeta { location: dir.clone().join(name), last_modified, size: metadata.len(), e_tag: None, version: None })
}

fn failed(source: std::io::Error) -> Error {
    Error::Generic { store: "FsyncStore", source: Box::new(source) }
}

fn exists(dest: &FsPath, source: std::io::Error) -> Error {
    Error::AlreadyExists { path: dest.display().to_string(), source: Box::new(source) }
}

fn parent(path: &FsPath) -> Result<&FsPath> {
    path.parent().ok_or_else(|| failed(ErrorKind::NotFound.into()))
}

/// Microdata is its owner's alone, whatever the umask. What is published may be read by whom the umask lets.
fn file_mode(path: &FsPath) -> u32 {
    if is_published(path) { 0o666 } else { 0o600 }
}

fn dir_mode(path: &FsPath) -> u32 {
    if is_published(path) { 0o777 } else { 0o700 }
}

fn is_published(path: &FsPath) -> bool {
    let parts: Vec<_> = path.components().map(std::path::Component::as_os_str).collect();
    parts.windows(2).any(|pair| pair[0] == "lake" && pair[1] == "published")
}

/// Makes a directory that its owner alone may enter, and what is missing above it. One that is there stays as it is.
///
/// # Errors
/// `ReadOnly`, `Full` or `Io` when it cannot be made.
pub fn create_private_dir(dir: &FsPath) -> crate::Result<()> {
    let io = |e| crate::LakeError::io("create", dir, e);
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(above) = dir.parent().filter(|above| !above.as_os_str().is_empty()) {
        std::fs::create_dir_all(above).map_err(io)?;
    }
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(io(e)),
        _ => Ok(()),
    }
}

/// Creates the missing directories above `path` and syncs each new one's parent, so that they survive as well.
fn create_dirs(path: &FsPath) -> Result<()> {
    let mut missing = Vec::new();
    let mut dir = parent(path)?;
    while !dir.exists() {
        missing.push(dir);
        dir = parent(dir)?;
    }
    for dir in missing.into_iter().rev() {
        match DirBuilder::new().mode(dir_mode(dir)).create(dir) {
            Ok(()) => sync_dir_of(dir)?,
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            Err(e) => return Err(failed(e)),
        }
    }
    Ok(())
}

/// Syncs the directory that holds `path`, which makes its name durable.
fn sync_dir_of(path: &FsPath) -> Result<()> {
    File::open(parent(path)?).and_then(|d| d.sync_all()).map_err(failed)
}

/// Gives a staged, synced file its final name.
fn publish(staged: &FsPath, dest: &FsPath, mode: &PutMode) -> Result<()> {
    match mode {
        PutMode::Create => {
            let linked = std::fs::hard_link(staged, dest);
            let _ = std::fs::remove_file(staged); // a name nobody sees; a leftover costs space only
            linked.map_err(|e| if e.kind() == ErrorKind::AlreadyExists { exists(dest, e) } else { failed(e) })?;
        }
        _ => std::fs::rename(staged, dest).map_err(failed)?,
    }
    sync_dir_of(dest)
}

fn put(store: &FsyncStore, dest: &FsPath, payload: &PutPayload, mode: &PutMode) -> Result<PutResult> {
    let (mut file, staged) = store.stage(dest)?;
    let written = payload.iter().try_for_each(|part| file.write_all(part)).and_then(|()| file.sync_all());
    let done = written.map_err(failed).and_then(|()| publish(&staged, dest, mode));
    if done.is_err() {
        let _ = std::fs::remove_file(&staged);
    }
    done.map(|()| PutResult { e_tag: None, version: None })
}

/// Runs file work off the async threads, or in place when there is no runtime.
async fn blocking<T: Send + 'static>(f: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => runtime.spawn_blocking(f).await.map_err(|source| Error::JoinError { source })?,
        Err(_) => f(),
    }
}

#[async_trait]
impl ObjectStore for FsyncStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        if matches!(opts.mode, PutMode::Update(_)) || !opts.attributes.is_empty() {
            return Err(Error::NotImplemented {
                operation: "put with `PutMode::Update` or attributes".into(),
                implementer: self.to_string(),
            });
        }
        let dest = self.inner.path_to_filesystem(location)?;
        let store = self.clone();
        blocking(move || put(&store, &dest, &payload, &opts.mode)).await
    }

    async fn put_multipart_opts(&self, location: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        let dest = self.inner.path_to_filesystem(location)?;
        let store = self.clone();
        let (file, staged) = {
            let dest = dest.clone();
            blocking(move || store.stage(&dest)).await?
        };
        Ok(Box::new(Upload { file: Arc::new(file), staged: Some(staged), dest, next: 0 }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        let Some((log, from)) = prefix.and_then(|prefix| Some((prefix.clone(), log_version(prefix, offset)?))) else {
            return self.inner.list_with_offset(prefix, offset);
        };
        let (inner, offset) = (self.inner.clone(), offset.clone());
        let found = async move {
            let dir = inner.path_to_filesystem(&log)?;
            let tail = blocking(move || tail::tail(&dir, from).map_err(failed)).await?;
            Ok::<_, Error>(match tail {
                Some(files) => {
                    let named = move |file: tail::LogFile| object(&log, &file.name, &file.metadata);
                    futures::stream::iter(files.into_iter().map(named)).boxed()
                }
                None => inner.list_with_offset(Some(&log), &offset),
            })
        };
        futures::stream::once(found).try_flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    /// Copies are links to a synced file, so only the directory has to be synced.
    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await?;
        let dest = self.inner.path_to_filesystem(to)?;
        blocking(move || sync_dir_of(&dest)).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await?;
        let dest = self.inner.path_to_filesystem(to)?;
        blocking(move || sync_dir_of(&dest)).await
    }
}

/// An object in several parts: each part has its place in the staged file from the moment it is handed over.
#[derive(Debug)]
struct Upload {
    file: Arc<File>,
    /// `None` once completed or aborted.
    staged: Option<PathBuf>,
    dest: PathBuf,
    next: u64,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let mut at = self.next;
        self.next += data.content_length() as u64;
        let file = Arc::clone(&self.file);
        blocking(move || {
            for part in &data {
                file.write_all_at(part, at).map_err(failed)?;
                at += part.len() as u64;
            }
            Ok(())
        })
        .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let staged = self.staged.take().ok_or_else(|| failed(ErrorKind::InvalidInput.into()))?;
        let (file, dest) = (Arc::clone(&self.file), self.dest.clone());
        blocking(move || {
            let done = file.sync_all().map_err(failed).and_then(|()| publish(&staged, &dest, &PutMode::Overwrite));
            if done.is_err() {
                let _ = std::fs::remove_file(&staged);
            }
            done.map(|()| PutResult { e_tag: None, version: None })
        })
        .await
    }

    async fn abort(&mut self) -> Result<()> {
        match self.staged.take() {
            Some(staged) => blocking(move || std::fs::remove_file(staged).map_err(failed)).await,
            None => Ok(()),
        }
    }
}

impl Drop for Upload {
    /// A dropped upload leaves no file behind.
    fn drop(&mut self) {
        if let Some(staged) = self.staged.take() {
            let _ = std::fs::remove_file(staged);
        }
    }
}
