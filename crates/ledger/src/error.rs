//! Why the ledger did not do what was asked, one variant per cause. No error quotes an entry.

use std::fmt;
use std::path::PathBuf;

use disclosure::StoreError;

/// Result of the ledger.
pub type Result<T> = std::result::Result<T, LedgerError>;

/// Why the ledger did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// There is no file. It is never made anew by opening it.
    #[error("{0} is missing: restore it from the backup of the same data")]
    Missing(PathBuf),
    /// A file that is to be made is there already, or what SQLite keeps beside it is.
    #[error("{0} is there already")]
    Exists(PathBuf),
    /// The file names another key.
    #[error("{0} was made under another key")]
    OtherKey(PathBuf),
    /// A newer program has made the file.
    #[error("{path} has format {found}, this program knows {supported}")]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// What this program knows.
        supported: i64,
    },
    /// The file is something else.
    #[error("{path} is no {wanted}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it should be.
        wanted: &'static str,
    },
    /// The disk is full, or the file's limit is reached. Nothing of the entry was written.
    #[error("there is no room left for {0}")]
    Full(PathBuf),
    /// Another process holds the file.
    #[error("another process holds {0} for longer than ten seconds")]
    Busy(PathBuf),
    /// The file cannot be written or opened.
    #[error("{0} cannot be opened or written: its permissions, or a disk that is read only")]
    ReadOnly(PathBuf),
    /// Someone else has appended in between.
    #[error("the chain has moved on")]
    Moved,
    /// The chain does not hold.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// This process has not begun that question, or has ended it already.
    #[error("question {0} is not open here")]
    NotOpen(u64),
    /// The file system failed.
    #[error("{path} cannot be read or written")]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: std::io::Error,
    },
    /// SQLite failed for another reason.
    #[error("{path} cannot be read or written")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: rusqlite::Error,
    },
}

/// The first entry at which a chain does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("entry {entry} {why}")]
pub struct Broken {
    /// Its number, from 1.
    pub entry: u64,
    /// What is wrong there.
    pub why: Why,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// No entry has this number, and a later or an impossible one is there.
    Missing,
    /// Its hash does not follow from its bytes and the entry before: one of them was changed, taken away, put in or moved.
    Changed,
    /// It cannot be read, or is none of the entries that this program knows.
    Unreadable,
    /// It ends a question that was not open.
    NoQuestion,
    /// The file ends before it, and it is known to have been there.
    Cut,
    /// Its hash is another than the one that was signed: the chain holds in itself, and is not the one that was signed.
    Rewritten,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "is missing",
            Self::Changed => {
                "is not what was written there: it, or one before it, was changed, taken away, put in or moved"
            }
            Self::Unreadable => "cannot be read",
            Self::NoQuestion => "ends a question that was not open",
            Self::Cut => "is known to have been there, and the file ends before it",
            Self::Rewritten => "is not the one that was signed: the entries up to it were written anew",
        })
    }
}

/// As the vault knows it (privacy.md 6.1).
impl From<LedgerError> for StoreError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Missing(_) => Self::Missing,
            LedgerError::OtherKey(_) => Self::OtherKey,
            LedgerError::Moved => Self::Moved,
            LedgerError::Broken(broken) => Self::Damaged(broken.entry),
            other => Self::Io(Box::new(other)),
        }
    }
}
