//! The embedded log: one SQLite file, durable before it acknowledges.
//!
//! WAL and `synchronous=FULL`, so a commit is on disk before it returns; one BLOB per batch of messages and a small index
//! beside it, so that a million events cost some hundred rows. Each stream has one partition, number 0: its order is the
//! order of the whole stream. The file's random id makes positions in it unmistakable (ingestion.md 3.3).
//!
//! Several processes may hold the same file (`publish` and `import` beside a running `up`): SQLite's locks serialise the
//! writers, readers never block them. All must be on one machine; network file systems break WAL.
//!
//! Absent: retention by age (the caller says what to [trim](SqliteLog::trim) and when to [shrink](SqliteLog::shrink)), and any memory of who has read what.

mod frame;
#[cfg(test)]
#[path = "../../../../fuzz/src/log_frame.rs"]
mod held_to;
mod reader;
#[cfg(test)]
#[path = "../../../../fuzz/src/seeds.rs"]
mod seeds;
mod writer;

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior, ffi};
use uuid::Uuid;

use crate::error::{LogError, Result};
use crate::partition::Partition;
pub use reader::SqliteSource;
pub use writer::SqliteSink;

/// `PRAGMA application_id` of our files: "AMNT".
const APPLICATION_ID: i64 = 0x414d_4e54;

/// `PRAGMA user_version`: the format of the file. Add a step to [`create`]'s successor when it changes; never renumber.
const FORMAT: i64 = 1;

/// How long a writer waits for another process's transaction before it says [`LogError::Unavailable`].
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The log takes messages up to this size, in bytes of key, headers and value. What ingest accepts is far less
/// (ingestion.md 3.6); what is too large for ingest is still kept, to be set aside.
pub const MAX_MESSAGE_BYTES: usize = 64 << 20;

/// A log in a SQLite file. Clones share the wake-up of readers in this process.
#[derive(Clone, Debug)]
pub struct SqliteLog {
    path: PathBuf,
    source_uid: Arc<str>,
    max_bytes: Option<u64>,
    appended: Arc<Appended>,
}

/// Wakes the readers of this process at once when one of its writers has committed.
#[derive(Debug, Default)]
struct Appended {
    count: Mutex<u64>,
    changed: Condvar,
}

impl Appended {
    fn announce(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }

    fn count(&self) -> u64 {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the count differs from `seen`, at most `wait`.
    fn wait(&self, seen: u64, wait: Duration) {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let unchanged = |count: &mut u64| *count == seen;
        drop(self.changed.wait_timeout_while(count, wait, unchanged).unwrap_or_else(PoisonError::into_inner));
    }
}

impl SqliteLog {
    /// Opens the log file, or makes it (mode 0600: it holds what agencies sent) with `new_uid` as its random id.
    ///
    /// Its folder must exist. Errors: [`LogError::ReadOnly`], [`LogError::NewerFormat`], [`LogError::NotALog`],
    /// [`LogError::DiskFull`], [`LogError::Unavailable`].
    pub fn open(path: impl AsRef<Path>, new_uid: Uuid) -> Result<Self> {
        let path = path.as_ref().to_path_buf();
        make_private(&path)?;
        let source_uid = initialise(&path, new_uid)?;
        Ok(Self { path, source_uid: source_uid.into(), max_bytes: None, appended: Arc::default() })
    }

    /// Writers of this handle refuse with [`LogError::DiskFull`] what would let the file grow beyond so many bytes
    /// (the write-ahead log beside it excluded).
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// Which log this is: `<random id>#<generation>`.
    pub fn source_uid(&self) -> &str {
        &self.source_uid
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The log under a later generation (ingestion.md 3.3): the same records under other names. One that it has reached
    /// already stays. Handles opened before keep the name that they have; who reads by it opens the log again.
    pub fn raise_generation(&self, to: u32) -> Result<Self> {
        let raise = |connection: Connection| -> rusqlite::Result<String> {
            connection.execute("UPDATE log SET generation = max(generation, ?1)", [to])?;
            connection.query_row(READ_UID, [], |row| row.get(0))
        };
        let source_uid = raise(connect(&self.path)?).map_err(|e| typed(&self.path, e))?;
        Ok(Self { source_uid: source_uid.into(), ..self.clone() })
    }

    /// A reader with a connection of its own.
    pub fn source(&self) -> Result<SqliteSource> {
        Ok(SqliteSource::new(self.clone(), connect(&self.path)?))
    }

    /// A writer with a connection of its own.
    pub fn sink(&self) -> Result<SqliteSink> {
        SqliteSink::new(self.clone(), connect(&self.path)?)
    }

    /// Deletes batches that lie wholly below offset `below` and overwrites their bytes. Returns the new low watermark,
    /// which may be less than `below`: batches are deleted whole. A few at a time, so that who appends meanwhile waits for
    /// some MiB to be written and not for all. The room is used again; [`SqliteLog::shrink`] gives it back.
    pub fn trim(&self, partition: &Partition, below: i64) -> Result<i64> {
        let mut connection = connect(&self.path)?;
        let unknown = || LogError::UnknownPartition { partition: partition.clone() };
        loop {
            let step = trim(&mut connection, partition, below).map_err(|e| typed(&self.path, e))?;
            if let (low, 0) = step.ok_or_else(unknown)? {
                return Ok(low);
            }
        }
    }

    /// Gives the room of what was trimmed back to the file system, a few MiB at a time, and says how many bytes. A file
    /// made by an earlier version of this program keeps its size and uses the room again.
    pub fn shrink(&self) -> Result<u64> {
        let connection = connect(&self.path)?;
        shrink(&connection).map_err(|e| typed(&self.path, e))
    }
}

/// Pages given back in one transaction: 4 MiB.
const PAGES_AT_A_TIME: i64 = 256;

fn shrink(connection: &Connection) -> rusqlite::Result<u64> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let (page, before) = (number("page_size")?, number("freelist_count")?);
    let mut free = before;
    while free > 0 {
        let mut step = connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES_AT_A_TIME})"))?;
        let mut rows = step.query([])?;
        while rows.next()?.is_some() {}
        drop(rows);
        let left = number("freelist_count")?;
        if left >= free {
            break; // not such a file, or others free more than we give back
        }
        free = left;
    }
    // The file itself shrinks when the write-ahead log is copied into it; readers that hold it back are not waited for.
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    Ok(((before - free).max(0) * page).unsigned_abs())
}

/// Batches deleted in one transaction; each has about a MiB.
const BATCHES_AT_A_TIME: i64 = 8;

/// Deletes the first batches below an offset. The low watermark afterwards and how many there were.
fn trim(connection: &mut Connection, partition: &Partition, below: i64) -> rusqlite::Result<Option<(i64, usize)>> {
    connection.pragma_update(None, "secure_delete", true)?;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let Some((id, low, high)) = find_partition(&tx, partition)? else {
        return Ok(None);
    };
    let below = below.min(high);
    let few = "DELETE FROM batches WHERE id IN
               (SELECT id FROM batches WHERE partition = ?1 AND next <= ?2 ORDER BY next LIMIT ?3)";
    let deleted = tx.execute(few, (id, below, BATCHES_AT_A_TIME))?;
    let first = "SELECT first FROM batches WHERE partition = ?1 ORDER BY next LIMIT 1";
    let first: Option<i64> = tx.query_row(first, [id], |row| row.get(0)).optional()?;
    let low = low.max(first.unwrap_or(high));
    tx.execute("UPDATE partitions SET low = ?2 WHERE id = ?1", (id, low))?;
    tx.commit()?;
    Ok(Some((low, deleted)))
}

/// Row id, low and high of a partition.
fn find_partition(connection: &Connection, partition: &Partition) -> rusqlite::Result<Option<(i64, i64, i64)>> {
    connection
        .prepare_cached("SELECT id, low, high FROM partitions WHERE stream = ?1 AND number = ?2")?
        .query_row((&*partition.stream, partition.number), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()
}

/// Creates the file, if it is not there, so that only its owner reads it; SQLite gives `-wal` and `-shm` the same mode.
fn make_private(path: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(e) if e.kind() == ErrorKind::StorageFull => Err(LogError::DiskFull { path: path.into() }),
        Err(e) if e.kind() == ErrorKind::NotFound => {
            Err(LogError::Refused { reason: format!("there is no folder for {}", path.display()) })
        }
        Err(_) => Err(LogError::ReadOnly { path: path.into() }),
    }
}

fn connect(path: &Path) -> Result<Connection> {
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "cache_size", -8192)?; // KiB
        connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
        Ok(connection)
    };
    open().map_err(|e| typed(path, e))
}

/// Makes the tables where there are none, and reads the id. Safe for two processes at once.
fn initialise(path: &Path, new_uid: Uuid) -> Result<String> {
    let mut connection = connect(path)?;
    check_identity(&connection, path)?;
    if connection.is_readonly("main").map_err(|e| typed(path, e))? {
        return Err(LogError::ReadOnly { path: path.into() });
    }
    create(&mut connection, new_uid).map_err(|e| typed(path, e))?;
    check_identity(&connection, path)?; // another process may have been first
    connection.query_row(READ_UID, [], |row| row.get(0)).map_err(|e| typed(path, e))
}

const READ_UID: &str = "SELECT uid || '#' || generation FROM log";

fn check_identity(connection: &Connection, path: &Path) -> Result<()> {
    let number = |pragma: &str| {
        connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).map_err(|e| typed(path, e))
    };
    match (number("application_id")?, number("user_version")?) {
        (APPLICATION_ID, found) if found > FORMAT => {
            Err(LogError::NewerFormat { path: path.into(), found, supported: FORMAT })
        }
        (APPLICATION_ID, _) => Ok(()),
        (0, 0) if is_empty(connection).map_err(|e| typed(path, e))? => Ok(()),
        _ => Err(LogError::NotALog { path: path.into(), reason: "it is a SQLite file of another program" }),
    }
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
}

/// One transaction makes everything, so a file is either empty or whole.
fn create(connection: &mut Connection, new_uid: Uuid) -> rusqlite::Result<()> {
    if is_empty(connection)? {
        connection.pragma_update(None, "page_size", 16384)?; // few, long pages: the content is BLOBs of about a MiB
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?; // what is trimmed can be given back
    }
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    debug_assert_eq!(mode, "wal", "a file on a local disk can be in WAL mode");
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if is_empty(&tx)? {
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", FORMAT)?;
        tx.execute_batch(
            "CREATE TABLE log (uid TEXT NOT NULL, generation INTEGER NOT NULL);
             CREATE TABLE partitions (
                id INTEGER PRIMARY KEY, stream TEXT NOT NULL, number INTEGER NOT NULL,
                low INTEGER NOT NULL, high INTEGER NOT NULL, UNIQUE (stream, number));
             CREATE TABLE batches (
                id INTEGER PRIMARY KEY, partition INTEGER NOT NULL, first INTEGER NOT NULL, next INTEGER NOT NULL,
                body BLOB NOT NULL);
             CREATE UNIQUE INDEX batches_by_offset ON batches (partition, next, first);",
        )?;
        tx.execute("INSERT INTO log (uid, generation) VALUES (?1, 0)", [new_uid.hyphenated().to_string()])?;
    }
    tx.commit()
}

/// SQLite's error as one of ours, one variant per cause.
fn typed(path: &Path, error: rusqlite::Error) -> LogError {
    let path = path.to_path_buf();
    let Some(code) = error.sqlite_error().copied() else {
        return LogError::Sqlite { path, source: error };
    };
    match (code.code, code.extended_code) {
        // SHMSIZE: the wal-index beside the file could not grow, which only a full disk brings about.
        (ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_SHMSIZE) => LogError::DiskFull { path },
        (ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen, _) => LogError::ReadOnly { path },
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => LogError::Unavailable {
            place: path.display().to_string(),
            reason: "another process holds it for longer than ten seconds".into(),
        },
        (ErrorCode::NotADatabase, _) => LogError::NotALog { path, reason: "it is not a SQLite file" },
        _ => LogError::Sqlite { path, source: error },
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_seeds_of_fuzzing_hold() {
        super::seeds::each("log_frame", super::held_to::batch);
    }
}
