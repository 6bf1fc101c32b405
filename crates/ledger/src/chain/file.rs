//! The file of a chain: made whole or not at all, checked when opened, copied whole or not at all.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use crate::error::{LedgerError, Result};

/// What a file is for.
#[derive(Debug)]
pub struct Kind {
    /// `PRAGMA application_id`.
    pub application_id: i64,
    /// As people call it.
    pub name: &'static str,
    /// `PRAGMA user_version`: the format of what the file holds, from 1. A program writes the newest that it knows and reads
    /// all before it. Never renumber.
    pub format: i64,
}

/// How long a writer waits for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

const TABLES: &str = "
    CREATE TABLE store (key_fingerprint TEXT NOT NULL) STRICT;
    CREATE TABLE entries (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
    CREATE TRIGGER entries_stay BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;
    CREATE TRIGGER entries_are_final BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries never change'); END;";

/// Makes the file of an empty chain.
pub fn create(kind: &Kind, path: &Path, fingerprint: &str) -> Result<()> {
    place(path, |staged| {
        let make = || -> rusqlite::Result<()> {
            let mut connection = connect(staged)?;
            let tx = connection.transaction()?;
            tx.execute_batch(TABLES)?;
            tx.execute("INSERT INTO store (key_fingerprint) VALUES (?1)", [fingerprint])?;
            tx.pragma_update(None, "application_id", kind.application_id)?;
            tx.pragma_update(None, "user_version", kind.format)?;
            tx.commit()?;
            // Closing copies the write-ahead log into the file and takes it away.
            connection.close().map_err(|(_, error)| error)
        };
        make().map_err(|error| typed(kind, path, error))
    })
}

/// Opens a file to append to it.
pub fn open(kind: &Kind, path: &Path, fingerprint: &str) -> Result<Connection> {
    must_be_there(path)?;
    let connection = connect(path).map_err(|error| typed(kind, path, error))?;
    let format = check_identity(kind, &connection, path)?;
    let named: String = connection
        .query_row("SELECT key_fingerprint FROM store", [], |row| row.get(0))
        .map_err(|error| typed(kind, path, error))?;
    if named != fingerprint {
        return Err(LedgerError::OtherKey(path.into()));
    }
    if connection.is_readonly("main").map_err(|error| typed(kind, path, error))? {
        return Err(LedgerError::ReadOnly(path.into()));
    }
    if format < kind.format {
        // From here on it holds what an older program would not understand.
        connection.pragma_update(None, "user_version", kind.format).map_err(|error| typed(kind, path, error))?;
    }
    Ok(connection)
}

/// Opens a file to read it.
pub fn read_only(kind: &Kind, path: &Path) -> Result<Connection> {
    must_be_there(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connect = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        Ok(connection)
    };
    let connection = connect().map_err(|error| typed(kind, path, error))?;
    check_identity(kind, &connection, path)?;
    Ok(connection)
}

/// Copies a chain as it is now to a new file.
pub fn copy(kind: &Kind, from: &Connection, path: &Path) -> Result<()> {
    place(path, |staged| {
        // SQLite takes an empty file for none, and keeps its mode. It does not sync what it writes there; `place` does.
        let name = staged.to_str().ok_or_else(|| LedgerError::ReadOnly(path.into()))?;
        from.execute("VACUUM INTO ?1", [name]).map(drop).map_err(|error| typed(kind, path, error))
    })
}

/// Never makes a file.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    debug_assert_eq!(mode, "wal", "a file on a local disk can be in WAL mode");
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -8192)?; // KiB
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    Ok(connection)
}

fn must_be_there(path: &Path) -> Result<()> {
    match path.symlink_metadata() {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(LedgerError::Missing(path.into())),
        Err(source) => Err(LedgerError::Io { path: path.into(), source }),
    }
}

/// Whether the file is of this kind; returns its format.
fn check_identity(kind: &Kind, connection: &Connection, path: &Path) -> Result<i64> {
    let number = |pragma: &str| {
        connection
            .pragma_query_value(None, pragma, |row| row.get::<_, i64>(0))
            .map_err(|error| typed(kind, path, error))
    };
    if number("application_id")? != kind.application_id {
        return Err(LedgerError::Foreign { path: path.into(), wanted: kind.name });
    }
    match number("user_version")? {
        found if found > kind.format => {
            Err(LedgerError::NewerFormat { path: path.into(), found, supported: kind.format })
        }
        found => Ok(found),
    }
}

/// Makes a new file beside its place, readable by its owner alone, and puts it there when it is whole and on disk.
pub fn place(path: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    // A write-ahead log without its file is left of one that was lost; a new file must not be given its content.
    if ["", "-wal", "-shm"].iter().any(|end| beside(path, end).symlink_metadata().is_ok()) {
        return Err(LedgerError::Exists(path.into()));
    }
    let staged = staged(path);
    clear(&staged);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let placed = options
        .open(&staged)
        .map_err(|source| of_io(path, source))
        .and_then(|_| make(&staged))
        .and_then(|()| link(&staged, path).map_err(|source| of_io(path, source)));
    clear(&staged);
    placed
}

/// A link fails where there is a file, a rename would replace it.
fn link(staged: &Path, path: &Path) -> std::io::Result<()> {
    File::open(staged)?.sync_all()?;
    std::fs::hard_link(staged, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// What a process that died has left, or what we are done with.
fn clear(staged: &Path) {
    for end in ["", "-wal", "-shm", "-journal"] {
        let _ = std::fs::remove_file(beside(staged, end)); // it may never have been there
    }
}

fn staged(path: &Path) -> PathBuf {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let mine = format!(".{}-{}.new", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    beside(path, &mine)
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}

fn of_io(path: &Path, source: std::io::Error) -> LedgerError {
    match source.kind() {
        ErrorKind::AlreadyExists => LedgerError::Exists(path.into()),
        ErrorKind::StorageFull => LedgerError::Full(path.into()),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => LedgerError::ReadOnly(path.into()),
        _ => LedgerError::Io { path: path.into(), source },
    }
}

/// SQLite's error as one of ours, one variant per cause.
pub fn typed(kind: &Kind, path: &Path, error: rusqlite::Error) -> LedgerError {
    let path = path.to_path_buf();
    let Some(code) = error.sqlite_error().copied() else {
        return LedgerError::Sqlite { path, source: error };
    };
    match (code.code, code.extended_code) {
        // SHMSIZE: the wal-index beside the file could not grow, which only a full disk brings about.
        (ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_SHMSIZE) => LedgerError::Full(path),
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => LedgerError::Busy(path),
        (ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen, _) => LedgerError::ReadOnly(path),
        (ErrorCode::NotADatabase, _) => LedgerError::Foreign { path, wanted: kind.name },
        _ => LedgerError::Sqlite { path, source: error },
    }
}
