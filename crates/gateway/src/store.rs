//! The file `gateway.db`: made once, checked when opened. The registry and the door each have tables of their own in it.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, TransactionBehavior, ffi};

use crate::error::{RegistryError, Result};

/// `PRAGMA application_id` of our files: "AMGW".
const APPLICATION_ID: i64 = 0x414d_4757;

/// `PRAGMA user_version`: the format of the file.
const FORMAT: i64 = 3;

/// How long a writer waits for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Most pages of 4 KiB: whoever sends without end fills 16 GiB and no more. The registry has a bound of its own within it.
const MAX_PAGES: i64 = 4_194_304;

/// Format 1: what the registry keeps.
const REGISTRY: &str = "
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

/// Format 2: what the door keeps (`door::book`). Numbers ascend with time, so that what is oldest comes first.
const DOOR: &str = "
    CREATE TABLE receipts (
        number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, agency TEXT NOT NULL, log TEXT NOT NULL,
        made_ms INTEGER NOT NULL, places BLOB NOT NULL, refused TEXT) STRICT;
    CREATE TABLE repeats (
        number INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, body BLOB NOT NULL, receipt BLOB NOT NULL,
        made_ms INTEGER NOT NULL) STRICT;
    CREATE TABLE mappings (
        agency TEXT NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (agency, name)) STRICT, WITHOUT ROWID;
    CREATE TABLE listening (
        log TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,
        PRIMARY KEY (log, partition)) STRICT, WITHOUT ROWID;
    CREATE TABLE heard (
        stream TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,
        PRIMARY KEY (stream, partition)) STRICT, WITHOUT ROWID;
    CREATE TABLE told (
        number INTEGER PRIMARY KEY, stream TEXT NOT NULL, partition INTEGER NOT NULL, first INTEGER NOT NULL,
        next INTEGER NOT NULL, lake_version INTEGER NOT NULL, told_ms INTEGER NOT NULL,
        UNIQUE (stream, partition, first)) STRICT;
    CREATE TABLE exceptions (
        number INTEGER PRIMARY KEY, stream TEXT NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL,
        status TEXT NOT NULL, class TEXT, detail TEXT, told_ms INTEGER NOT NULL,
        UNIQUE (stream, partition, offset)) STRICT;
    CREATE TABLE editions (edition INTEGER PRIMARY KEY, as_of TEXT NOT NULL) STRICT;
    CREATE TABLE cuts (
        stream TEXT NOT NULL, partition INTEGER NOT NULL, edition INTEGER NOT NULL, next INTEGER NOT NULL,
        PRIMARY KEY (stream, partition, edition)) STRICT, WITHOUT ROWID;";

/// Format 3: what an agency looks up of its own (`door::own`), and the stream of feeds beside that of receipts.
const OWN: &str = "
    CREATE INDEX receipts_by_agency ON receipts (agency, number);
    CREATE INDEX told_by_time ON told (stream, told_ms, first, next);
    CREATE INDEX exceptions_by_stream ON exceptions (stream, number);
    CREATE TABLE hearing (
        log TEXT NOT NULL, stream TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,
        PRIMARY KEY (log, stream, partition)) STRICT, WITHOUT ROWID;
    INSERT INTO hearing SELECT log, 'tip.receipts.v1', partition, next FROM listening;
    DROP TABLE listening;
    CREATE TABLE feeds (agency TEXT PRIMARY KEY, told_ms INTEGER NOT NULL, report BLOB NOT NULL) STRICT, WITHOUT ROWID;";

/// Opens the file, or makes it so that only its owner reads it.
pub(crate) fn open(path: &Path) -> Result<Connection> {
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

/// One transaction makes everything, so a file is either empty or whole; one of before gets the tables that are newer than it.
fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    debug_assert_eq!(mode, "wal", "a file on a local disk can be in WAL mode");
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let format: i64 = if is_empty(&tx)? { 0 } else { tx.pragma_query_value(None, "user_version", |row| row.get(0))? };
    for (_, tables) in (1..).zip([REGISTRY, DOOR, OWN]).filter(|(since, _)| format < *since) {
        tx.execute_batch(tables)?;
    }
    if format < FORMAT {
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", FORMAT)?;
    }
    tx.commit()
}

/// SQLite's error as one of ours.
pub(crate) fn typed(path: &Path, error: rusqlite::Error) -> RegistryError {
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
