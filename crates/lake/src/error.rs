//! What can go wrong in the lake: one variant per cause, so that the program can name a remedy for each.
//!
//! No variant ever carries a value of the data; paths, names, versions and counts only.

use std::error::Error;
use std::io::ErrorKind;

use deltalake::DeltaTableError;

use crate::PartitionId;

/// Result of a lake operation.
pub type Result<T, E = LakeError> = std::result::Result<T, E>;

/// A cause of failure. `#[source]` leads to the library's own words.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LakeError {
    /// Another process holds the lock.
    #[error("the data directory is in use by process {pid} (lock `{lock}`): stop it, or use another directory")]
    Locked {
        /// Name of the lock file in the data directory.
        lock: String,
        /// Process id the holder wrote into the lock file; 0 when it could not be read.
        pid: u32,
    },
    /// `store.toml` names a format this program does not know.
    #[error("the store has format {found}, this program knows up to {known}: use a newer program")]
    NewerFormat {
        /// Format found.
        found: u32,
        /// Newest format this program reads.
        known: u32,
    },
    /// A directory holds data but no readable `store.toml`.
    #[error("the data directory is half written ({what}): restore it from a copy or begin with an empty directory")]
    HalfWritten {
        /// What is missing or unreadable.
        what: String,
    },
    /// The store was made with another master key.
    #[error("the store was made with key {store}, the key given is {given}: name the right key")]
    WrongKey {
        /// Fingerprint in `store.toml`.
        store: String,
        /// Fingerprint of the key given.
        given: String,
    },
    /// A sample store was opened for real data, or the other way round.
    #[error("the store is for {store} data and was opened for {given} data: use another directory")]
    WrongKind {
        /// Kind in `store.toml`.
        store: crate::StoreKind,
        /// Kind asked for.
        given: crate::StoreKind,
    },
    /// The data directory says that its lake is elsewhere than the caller does.
    #[error(
        "its lake is {store}, the configuration says {given}: set `lake.url` as it was, or use another directory; if the lake was copied there, say so in the line `lake` of store.toml"
    )]
    OtherLake {
        /// Where `store.toml` says it is.
        store: String,
        /// Where the caller says it is.
        given: String,
    },
    /// The object store lacks what every commit rests on.
    #[error(
        "the object store of {place} has no conditional put ({why}): two writers would overwrite each other's commits. Use AWS S3, or a server that honours `If-None-Match: *` on PutObject"
    )]
    NoConditionalPut {
        /// URL of the store.
        place: String,
        /// What it did.
        why: String,
    },
    /// The object store does not let us in. Its own words are left out: they repeat parts of the key.
    #[error(
        "the object store refuses access ({path}): check the credentials, the region and what they may do (get, put, list, delete)"
    )]
    Denied {
        /// Object or folder, within the bucket.
        path: String,
    },
    /// There is no store here.
    #[error("there is no store in this directory (no store.toml)")]
    NoStore,
    /// The place cannot be written.
    #[error("cannot write to the store: {path} is read only or not permitted")]
    ReadOnly {
        /// File or directory.
        path: String,
    },
    /// No space left.
    #[error("the disk of the store is full (or its quota is reached): {path}")]
    Full {
        /// File or directory.
        path: String,
    },
    /// Any other error of the file system.
    #[error("{action} {path}")]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// File or directory.
        path: String,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// A URL or path that cannot name a store.
    #[error("not a place for a store: {0}")]
    BadPlace(String),
    /// The table is not there.
    #[error("table {0} does not exist")]
    NoTable(&'static str),
    /// The table is there but damaged: a torn commit or a missing or torn data file.
    #[error("table {table} is damaged: {what}")]
    Damaged {
        /// Name of the table.
        table: String,
        /// What is missing or torn.
        what: String,
    },
    /// A batch or caller gave columns other than the table's.
    #[error("columns do not fit: {0}")]
    Schema(String),
    /// Error of the Delta library.
    #[error("delta table")]
    Delta(#[source] Box<DeltaTableError>),
    /// Error of the object store.
    #[error("object store")]
    Object(#[source] Box<object_store::Error>),
    /// Error of the Parquet library.
    #[error("parquet file")]
    Parquet(#[source] Box<parquet::errors::ParquetError>),
    /// Error of the Arrow library.
    #[error("arrow data")]
    Arrow(#[source] Box<arrow::error::ArrowError>),
    /// A JSON document of ours (manifest, commit) that does not parse.
    #[error("{what} is not the JSON expected")]
    Json {
        /// Which document.
        what: String,
        /// Place of the mistake.
        #[source]
        source: serde_json::Error,
    },
    /// A commit could not be resolved in the attempts allowed. Calling `commit` again with the *same* batch is safe.
    #[error("commit not resolved after {attempts} attempts; the same batch may be tried again")]
    Unresolved {
        /// Attempts made in this call.
        attempts: u32,
        /// The last error.
        #[source]
        source: Box<LakeError>,
    },
    /// A batch's ranges do not follow from each other; a mistake of the caller.
    #[error("batch for {partition} ends at {to} before it begins")]
    BadRange {
        /// Where.
        partition: PartitionId,
        /// End offset given.
        to: i64,
    },
    /// A commit of the history asked for has been cleaned up: rebuild in full.
    #[error("commit {lake_version} is no longer in the log; rebuild in full")]
    HistoryGone {
        /// Version whose commit is gone.
        lake_version: u64,
    },
    /// Somebody else published this edition, or editions were skipped.
    #[error("edition {asked} cannot be published: the latest is {latest}")]
    EditionTaken {
        /// Number asked for.
        asked: i64,
        /// Latest number in the table; 0 when none.
        latest: i64,
    },
    /// No such edition.
    #[error("there is no edition {0}")]
    NoEdition(i64),
    /// A folder of that name exists and is complete.
    #[error("folder {0} exists already")]
    FolderTaken(String),
    /// No complete folder of that name.
    #[error("there is no complete folder {0}")]
    NoFolder(String),
    /// Another process maintains the table, or this one's lease ended. Nothing was committed; its lease decides when it
    /// may go on.
    #[error("another process maintains the table: this one has number {number}, the table has seen {found}")]
    Superseded {
        /// Number of this process; 0 when it holds no lease.
        number: u64,
        /// Highest number in the table.
        found: u64,
    },
    /// The files of a rewrite do not hold the rows that they replace. Nothing was committed.
    #[error("a rewrite holds {found} rows that are not the {expected} rows read; the files stay as they were")]
    RowsDiffer {
        /// Rows to be written.
        expected: u64,
        /// Rows found.
        found: u64,
    },
    /// A column of a type that has no canonical form (floats).
    #[error("column `{column}` has type {data_type}, which has no canonical form")]
    NotCanonical {
        /// Column.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// A fail point fired (tests only).
    #[error("fail point {0}")]
    FailPoint(&'static str),
}

impl LakeError {
    /// Turns an error of the file system into its cause.
    pub(crate) fn io(action: &'static str, path: &std::path::Path, source: std::io::Error) -> Self {
        let path = path.display().to_string();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full { path },
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => Self::ReadOnly { path },
            _ => Self::Io { action, path, source },
        }
    }

    pub(crate) fn json(what: impl Into<String>, source: serde_json::Error) -> Self {
        Self::Json { what: what.into(), source }
    }

    /// Whether waiting may help (storage errors), as opposed to a mistake that stays one.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Delta(_)
                | Self::Object(_)
                | Self::Parquet(_)
                | Self::Full { .. }
                | Self::Io { .. }
                | Self::Unresolved { .. }
        )
    }
}

/// The system error at the root of a library's error, if there is one. Uploads wrap the object store's error in an
/// `io::Error` of kind `Other`, which hides the kind that matters: so the innermost one counts.
fn io_kind(error: &(dyn Error + 'static)) -> Option<ErrorKind> {
    let mut kind = None;
    let mut next = Some(error);
    while let Some(e) = next {
        let Some(io) = e.downcast_ref::<std::io::Error>() else {
            next = e.source();
            continue;
        };
        kind = Some(io.kind());
        // Not `source`: that of an `io::Error` skips the error that it wraps.
        next = io.get_ref().map(|wrapped| wrapped as &(dyn Error + 'static));
    }
    kind
}

/// The object store's refusal at the root of a library's error, if that is it.
fn denied(error: &(dyn Error + 'static)) -> Option<LakeError> {
    use object_store::Error::{PermissionDenied, Unauthenticated};
    let mut next = Some(error);
    while let Some(e) = next {
        if let Some(PermissionDenied { path, .. } | Unauthenticated { path, .. }) = e.downcast_ref() {
            return Some(LakeError::Denied { path: path.clone() });
        }
        // A listing that is refused has no variant of its own, and its text repeats what was signed.
        if ["401", "403"].iter().any(|status| e.to_string().contains(&format!("non-2xx status code: {status}"))) {
            return Some(LakeError::Denied { path: "a listing".into() });
        }
        next = e.source();
    }
    None
}

/// `Full`, `ReadOnly` and `Denied` keep their name through every library.
fn by_cause(error: &(dyn Error + 'static)) -> Option<LakeError> {
    if let Some(denied) = denied(error) {
        return Some(denied);
    }
    let path = "lake".to_owned();
    match io_kind(error)? {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Some(LakeError::Full { path }),
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => Some(LakeError::ReadOnly { path }),
        _ => None,
    }
}

impl From<DeltaTableError> for LakeError {
    fn from(e: DeltaTableError) -> Self {
        by_cause(&e).unwrap_or_else(|| Self::Delta(Box::new(e)))
    }
}

impl From<object_store::Error> for LakeError {
    fn from(e: object_store::Error) -> Self {
        by_cause(&e).unwrap_or_else(|| Self::Object(Box::new(e)))
    }
}

impl From<parquet::errors::ParquetError> for LakeError {
    fn from(e: parquet::errors::ParquetError) -> Self {
        by_cause(&e).unwrap_or_else(|| Self::Parquet(Box::new(e)))
    }
}

impl From<arrow::error::ArrowError> for LakeError {
    fn from(e: arrow::error::ArrowError) -> Self {
        Self::Arrow(Box::new(e))
    }
}
