//! The file: made once, checked when opened.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, TransactionBehavior, ffi};

use crate::error::{RegistryError, Result};

/// `PRAGMA application_id` of our files: "AMGW".
const APPLICATION_ID: i64 = 0x414d_4757;

/// `PRAGMA user_version`: the format of the file.
const FORMAT: i64 = 1;

/// How long a writer waits for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Most pages of 4 KiB: whoever registers without end fills 1 GiB and no more.
const MAX_PAGES: i64 = 262_144;

const TABLES: &str = "
    CREATE TABLE schemas (
        id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, text TEXT NOT NULL, refs TEXT NOT NULL,
        digest BLOB NOT NULL UNIQUE) STRICT;
    CREATE TABLE versions (
        subject TEXT NOT NULL, version INTEGER NOT NULL, schema INTEGER NOT NULL REFERENCES schemas (id),
        PRIMARY KEY (subject, version), UNIQUE (subject, schema)) STRICT, WITHOUT ROWID;
    CREATE INDEX versions_by_schema ON versions (schema);
    CREATE TABLE levels (subject TEXT PRIMARY KEY, level TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE fetched (
        registry TEXT NOT NULL, id INTEGER NOT NULL, type TEXT NOT NULL, text TEXT NOT NULL,
        PRIMARY KEY (registry, id)) STRICT;";

/// Opens the file, or makes it so that only its owner reads it.
pub(super) fn open(path: &Path) -> Result<Connection> {
    make_private(path)?;
    let mut connection = connect(path).map_err(|error| typed(path, error))?;
    check_identity(&connection, path)?;
    create(&mut connection).map_err(|error| typed(path, error))?;
    check_identity(&connection, path)?; // another process may have been first
    Ok(connection)
}

fn make_private(path: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == ErrorKind::StorageFull => Err(RegistryError::Full(path.into())),
        Err(error) => Err(RegistryError::Unusable { path: path.into(), what: error.to_string() }),
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -8192)?; // KiB
    connection.pragma_update_and_check(None, "max_page_count", MAX_PAGES, |_| Ok(()))?;
    Ok(connection)
}

fn check_identity(connection: &Connection, path: &Path) -> Result<()> {
    let number = |pragma: &str| {
        connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).map_err(|error| typed(path, error))
    };
    let what = match (number("application_id")?, number("user_version")?) {
        (APPLICATION_ID, found) if found > FORMAT => format!("its format is {found}, this program knows {FORMAT}"),
        (APPLICATION_ID, _) => return Ok(()),
        (0, 0) if is_empty(connection).map_err(|error| typed(path, error))? => return Ok(()),
        _ => "it is a SQLite file of another program".to_owned(),
    };
    Err(RegistryError::Unusable { path: path.into(), what })
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
}

/// One transaction makes everything, so a file is either empty or whole.
fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    debug_assert_eq!(mode, "wal", "a file on a local disk can be in WAL mode");
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if is_empty(&tx)? {
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", FORMAT)?;
        tx.execute_batch(TABLES)?;
    }
    tx.commit()
}

/// SQLite's error as one of ours.
pub(super) fn typed(path: &Path, error: rusqlite::Error) -> RegistryError {
    let Some(code) = error.sqlite_error().copied() else {
        return RegistryError::Sqlite { path: path.into(), source: error };
    };
    match (code.code, code.extended_code) {
        (ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_SHMSIZE) => RegistryError::Full(path.into()),
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => RegistryError::Busy(path.into()),
        (ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen, _) => {
            RegistryError::Unusable { path: path.into(), what: "it cannot be written".into() }
        }
        (ErrorCode::NotADatabase, _) => {
            RegistryError::Unusable { path: path.into(), what: "it is not a SQLite file".into() }
        }
        _ => RegistryError::Sqlite { path: path.into(), source: error },
    }
}
