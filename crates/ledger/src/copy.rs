//! A copy of a SQLite file as it is at one moment, while others write to it: for backups. The embedded log and the gateway's
//! schemas are copied in the same way as the two files of this room.
//!
//! Absent: what a file holds, and in which order several are copied.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::chain::{Kind, place, typed};
use crate::error::{LedgerError, Result};

/// Whatever the file is for.
const ANY: Kind = Kind { application_id: 0, name: "SQLite file", format: 0 };

/// Pages that are copied between two tellings: 4 MiB.
const PAGES: i32 = 1024;

/// How long it waits for a writer that keeps readers out.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Copies a file as it is when this begins to a new file (mode 0600, synced, whole or not at all), by SQLite's online backup.
/// Others may write meanwhile; what they write is not in the copy. `tell` is told now and then how many bytes more are copied.
/// Returns how large the copy is.
///
/// Errors: [`LedgerError::Missing`], [`LedgerError::Exists`], [`LedgerError::Foreign`], [`LedgerError::Busy`],
/// [`LedgerError::Full`], [`LedgerError::Io`], [`LedgerError::Sqlite`].
pub fn copy_of(from: &Path, to: &Path, tell: &mut dyn FnMut(u64)) -> Result<u64> {
    if from.symlink_metadata().is_err() {
        return Err(LedgerError::Missing(from.into()));
    }
    let source = at_this_moment(from).map_err(|error| typed(&ANY, from, error))?;
    place(to, |staged| {
        let copied = copy(&source, staged, tell).map_err(|error| typed(&ANY, to, error))?;
        if !copied {
            return Err(LedgerError::Busy(from.into()));
        }
        File::open(staged)
            .and_then(|file| file.sync_all())
            .map_err(|source| LedgerError::Io { path: to.into(), source })
    })?;
    to.metadata().map(|file| file.len()).map_err(|source| LedgerError::Io { path: to.into(), source })
}

/// A connection that sees the file as it is now, whatever is written after.
fn at_this_moment(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(path, flags)?;
    source.busy_timeout(BUSY_TIMEOUT)?;
    source.execute_batch("BEGIN")?;
    // A transaction begins with its first read.
    source.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    Ok(source)
}

/// `false` where others kept the file locked.
fn copy(source: &Connection, staged: &Path, tell: &mut dyn FnMut(u64)) -> rusqlite::Result<bool> {
    let mut target = Connection::open(staged)?;
    let page: u64 = source.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let backup = Backup::new(source, &mut target)?;
    let mut told = 0;
    loop {
        let step = backup.step(PAGES)?;
        let progress = backup.progress();
        let copied = u64::try_from(progress.pagecount - progress.remaining).unwrap_or(0) * page;
        tell(copied - told);
        told = copied;
        match step {
            StepResult::Done => return Ok(true),
            StepResult::More => {}
            _ => return Ok(false),
        }
    }
}
