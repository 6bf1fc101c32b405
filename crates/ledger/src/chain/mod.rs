//! A chain in one SQLite file: numbered entries, each hashed with the hash before it ([`Head::after`]).
//!
//! WAL and `synchronous=FULL`: what [`Chain::append`] has acknowledged is on disk. Several processes of one machine may hold the
//! file; SQLite's locks serialise who appends, and who reads sees the chain as it was when it began to. Rows are never
//! changed or deleted, and triggers refuse to: that is against mistakes. Against malice there is the hash, and for a chain
//! that was written anew as a whole, a head that somebody else keeps.
//!
//! Absent: what an entry means.

mod file;

use std::path::{Path, PathBuf};

use disclosure::Head;
use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior};

use crate::error::{Broken, LedgerError, Result, Why};
pub use file::{Kind, place, typed};

/// An open chain.
#[derive(Debug)]
pub struct Chain {
    connection: Connection,
    path: PathBuf,
    kind: &'static Kind,
}

impl Chain {
    /// Makes an empty file, whole or not at all. Errors: [`LedgerError::Exists`], [`LedgerError::Full`], [`LedgerError::Io`].
    pub fn create(kind: &'static Kind, path: &Path, fingerprint: &str) -> Result<Self> {
        file::create(kind, path, fingerprint)?;
        Self::open(kind, path, fingerprint)
    }

    /// Opens a file. Errors: [`LedgerError::Missing`], [`LedgerError::OtherKey`], [`LedgerError::Foreign`],
    /// [`LedgerError::NewerFormat`], [`LedgerError::ReadOnly`], [`LedgerError::Busy`].
    pub fn open(kind: &'static Kind, path: &Path, fingerprint: &str) -> Result<Self> {
        let connection = file::open(kind, path, fingerprint)?;
        Ok(Self { connection, path: path.into(), kind })
    }

    /// Opens a file to read it, whatever its key.
    pub fn read_only(kind: &'static Kind, path: &Path) -> Result<Self> {
        let connection = file::read_only(kind, path)?;
        Ok(Self { connection, path: path.into(), kind })
    }

    /// Lets the file grow to so many bytes and no further; what is there already stays.
    pub fn limit(&self, bytes: u64) -> Result<()> {
        let set = || -> rusqlite::Result<()> {
            let page: u64 = self.connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
            self.connection.pragma_update_and_check(None, "max_page_count", (bytes / page).max(1), |_| Ok(()))
        };
        set().map_err(|error| self.typed(error))
    }

    /// The head.
    pub fn head(&self) -> Result<Head> {
        head(&self.connection).map_err(|error| self.typed(error))
    }

    /// What the head was after so many entries, as it is written; `None` where there are fewer.
    pub fn head_at(&self, entries: u64) -> Result<Option<Head>> {
        if entries == 0 {
            return Ok(Some(Head::default()));
        }
        let found = self
            .connection
            .query_row("SELECT hash FROM entries WHERE number = ?1", [entries], |row| row.get(0))
            .optional()
            .map_err(|error| self.typed(error))?;
        Ok(found.map(|hash| Head { entries, hash }))
    }

    /// Appends entries durably, all or none, and returns the new head. With `after`, only where that is the head:
    /// [`LedgerError::Moved`] otherwise. Where the disk is full nothing is written: [`LedgerError::Full`].
    pub fn append<B: AsRef<[u8]>>(&mut self, after: Option<Head>, new: impl IntoIterator<Item = B>) -> Result<Head> {
        append(&mut self.connection, after, new)
            .map_err(|error| file::typed(self.kind, &self.path, error))?
            .ok_or(LedgerError::Moved)
    }

    /// Tells number, bytes and hash of the entries behind a head, in order and each checked against the one before, as
    /// they are when it begins; returns the last head. Errors: [`LedgerError::Broken`] at the first entry that does not follow
    /// (those before it were told), whatever `each` returns.
    pub fn walk(&self, after: Head, each: &mut dyn FnMut(Head, &[u8]) -> Result<()>) -> Result<Head> {
        let mut head = after;
        let mut all = self
            .connection
            .prepare("SELECT number, bytes, hash FROM entries WHERE number >= ?1 ORDER BY number")
            .map_err(|error| self.typed(error))?;
        // Of the whole chain also what has a number that no entry has.
        let first = if after.entries == 0 { i64::MIN } else { after.entries as i64 + 1 };
        let mut rows = all.query([first]).map_err(|error| self.typed(error))?;
        loop {
            let broken = |why| Broken { entry: head.entries + 1, why };
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(head),
                Err(error) if is_damage(&error) => return Err(broken(Why::Unreadable).into()),
                Err(error) => return Err(self.typed(error)),
            };
            let number: i64 = row.get(0).map_err(|_| broken(Why::Unreadable))?;
            let blob = |column| row.get_ref(column).ok().and_then(|value| value.as_blob().ok());
            let (Some(bytes), Some(hash)) = (blob(1), blob(2)) else {
                return Err(broken(Why::Unreadable).into());
            };
            let next = head.after(bytes);
            if number != next.entries as i64 {
                return Err(broken(Why::Missing).into());
            }
            if hash != next.hash {
                return Err(broken(Why::Changed).into());
            }
            each(next, bytes)?;
            head = next;
        }
    }

    /// Up to `most` entries with numbers below one, the newest first; unchecked.
    pub fn before(&self, number: u64, most: usize) -> Result<Vec<(u64, Vec<u8>)>> {
        let below = i64::try_from(number).unwrap_or(i64::MAX);
        let read = || -> rusqlite::Result<Vec<(u64, Vec<u8>)>> {
            self.connection
                .prepare_cached("SELECT number, bytes FROM entries WHERE number < ?1 ORDER BY number DESC LIMIT ?2")?
                .query_map((below, most), |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        };
        read().map_err(|error| self.typed(error))
    }

    /// Writes a copy of the chain as it is now to a new file, synced and whole or not at all, and returns the head of the copy.
    /// Others may append meanwhile.
    pub fn backup_to(&self, path: &Path) -> Result<Head> {
        file::copy(self.kind, &self.connection, path)?;
        Self::read_only(self.kind, path)?.head()
    }

    fn typed(&self, error: rusqlite::Error) -> LedgerError {
        file::typed(self.kind, &self.path, error)
    }
}

fn head(connection: &Connection) -> rusqlite::Result<Head> {
    let last = connection
        .prepare_cached("SELECT number, hash FROM entries ORDER BY number DESC LIMIT 1")?
        .query_row([], |row| Ok(Head { entries: row.get(0)?, hash: row.get(1)? }))
        .optional()?;
    Ok(last.unwrap_or_default())
}

fn append<B: AsRef<[u8]>>(
    connection: &mut Connection,
    after: Option<Head>,
    new: impl IntoIterator<Item = B>,
) -> rusqlite::Result<Option<Head>> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut head = head(&tx)?;
    if after.is_some_and(|after| after != head) {
        return Ok(None);
    }
    let mut insert = tx.prepare_cached("INSERT INTO entries (number, bytes, hash) VALUES (?1, ?2, ?3)")?;
    for bytes in new {
        head = head.after(bytes.as_ref());
        insert.execute((head.entries, bytes.as_ref(), head.hash))?;
    }
    drop(insert);
    tx.commit()?;
    Ok(Some(head))
}

/// Whether SQLite says that the file's bytes are not what it wrote.
fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}
