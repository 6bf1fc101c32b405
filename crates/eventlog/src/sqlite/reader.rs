//! Reads the SQLite log.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::{SqliteLog, find_partition, frame, typed};
use crate::error::{LogError, Result};
use crate::partition::Partition;
use crate::records::{Fetched, RecordsBuilder};
use crate::source::{EventSource, Watermarks};
use crate::stream::agency_of;

/// How often a waiting reader asks whether another process has committed (`PRAGMA data_version`, a few microseconds).
/// Writers of this process wake it at once.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// How many batches at most go into one answer; with batches of a MiB it is the caller's `max_bytes` that decides.
const BATCHES_PER_POLL: usize = 1024;

/// Reads a [`SqliteLog`].
pub struct SqliteSource {
    log: SqliteLog,
    connection: Connection,
    reading: Vec<Reading>,
    /// Where the next poll begins to look, so that no partition starves.
    turn: usize,
}

struct Reading {
    partition: Partition,
    next: i64,
    /// An error was reported for it; silent until `read_from`.
    stopped: bool,
}

/// A stored batch, still unread.
struct Stored {
    row: i64,
    first: i64,
    next: i64,
    /// Length of its BLOB.
    bytes: usize,
}

impl SqliteSource {
    pub(super) fn new(log: SqliteLog, connection: Connection) -> Self {
        Self { log, connection, reading: Vec::new(), turn: 0 }
    }

    fn data_version(&self) -> Result<i64> {
        self.connection.pragma_query_value(None, "data_version", |row| row.get(0)).map_err(|e| typed(&self.log.path, e))
    }

    /// The next records of the partition whose turn it is, of those that have any.
    fn fetch_any(&mut self, max_bytes: usize) -> Result<Option<Fetched>> {
        for i in 0..self.reading.len() {
            let at = (self.turn + i) % self.reading.len();
            let reading = &self.reading[at];
            if reading.stopped {
                continue;
            }
            let fetched = self.fetch(reading, max_bytes);
            match fetched {
                Ok(None) => {}
                Ok(Some(fetched)) => {
                    self.reading[at].next = fetched.records.next_offset();
                    self.turn = at + 1;
                    return Ok(Some(fetched));
                }
                Err(error) => {
                    self.reading[at].stopped = error.partition().is_some();
                    self.turn = at + 1;
                    return Err(error);
                }
            }
        }
        Ok(None)
    }

    fn fetch(&self, reading: &Reading, max_bytes: usize) -> Result<Option<Fetched>> {
        let lift = |e| typed(&self.log.path, e);
        let Reading { partition, next, .. } = reading;
        // One read transaction: the index and the BLOBs it names are of one moment, whatever is trimmed meanwhile.
        let tx = self.connection.unchecked_transaction().map_err(lift)?;
        let (id, watermarks) = known(&tx, partition).map_err(lift)?.ok_or_else(|| unknown(partition))?;
        watermarks.allow(partition, *next)?;
        let stored = stored_batches(&tx, id, *next, max_bytes).map_err(lift)?;
        let mut builder = RecordsBuilder::starting_at(*next);
        make_room(&mut builder, &stored);
        for batch in stored {
            // Offsets ascend without gaps, asserted here where they are read as in `append` where they are written.
            let follows = if builder.is_empty() { batch.first <= *next } else { batch.first == builder.next_offset() };
            let damaged =
                |reason: String| LogError::Corrupt { partition: partition.clone(), offset: batch.first, reason };
            if !follows {
                return Err(damaged("a batch is missing before it".into()));
            }
            let start = read_body(&tx, &batch, &mut builder).map_err(lift)?;
            frame::index(&mut builder, start, batch.first, *next).map_err(|reason| damaged(reason.into()))?;
            if builder.next_offset() != batch.next {
                return Err(damaged("the batch has another length than its index says".into()));
            }
        }
        let records = builder.finish();
        Ok((!records.is_empty()).then(|| Fetched { partition: partition.clone(), records }))
    }

    /// Of whatever stream, sorted.
    fn all_partitions(&self) -> Result<Vec<Partition>> {
        let list = || -> rusqlite::Result<Vec<Partition>> {
            let sql = "SELECT stream, number FROM partitions ORDER BY stream, number";
            let mut statement = self.connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| Ok(Partition::new(row.get::<_, String>(0)?, row.get(1)?)))?;
            rows.collect()
        };
        list().map_err(|e| typed(&self.log.path, e))
    }
}

impl EventSource for SqliteSource {
    fn source_uid(&self) -> &str {
        self.log.source_uid()
    }

    fn partitions(&mut self) -> Result<Vec<Partition>> {
        let mut found = self.all_partitions()?;
        found.retain(|partition| agency_of(&partition.stream).is_some());
        Ok(found)
    }

    fn partitions_of(&mut self, stream: &str) -> Result<Vec<Partition>> {
        let mut found = self.all_partitions()?;
        found.retain(|partition| *partition.stream == *stream);
        Ok(found)
    }

    fn watermarks(&mut self, partition: &Partition) -> Result<Watermarks> {
        let found = known(&self.connection, partition).map_err(|e| typed(&self.log.path, e))?;
        found.map(|(_, watermarks)| watermarks).ok_or_else(|| unknown(partition))
    }

    fn read_from(&mut self, partition: &Partition, next: i64) -> Result<()> {
        let watermarks = self.watermarks(partition)?;
        self.stop(partition)?;
        watermarks.allow(partition, next)?;
        self.reading.push(Reading { partition: partition.clone(), next, stopped: false });
        Ok(())
    }

    fn stop(&mut self, partition: &Partition) -> Result<()> {
        self.reading.retain(|reading| reading.partition != *partition);
        Ok(())
    }

    fn poll(&mut self, max_bytes: usize, wait: Duration) -> Result<Option<Fetched>> {
        let deadline = Instant::now() + wait;
        loop {
            // Both before the look: whatever is committed after it ends the wait.
            let (appended, version) = (self.log.appended.count(), self.data_version()?);
            if let Some(fetched) = self.fetch_any(max_bytes)? {
                return Ok(Some(fetched));
            }
            loop {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Ok(None);
                }
                self.log.appended.wait(appended, left.min(LOOK_EVERY));
                if self.log.appended.count() != appended || self.data_version()? != version {
                    break;
                }
            }
        }
    }

    fn hint(&mut self, _: &Partition, _: i64) -> Result<()> {
        Ok(()) // no tools of its own
    }
}

fn unknown(partition: &Partition) -> LogError {
    LogError::UnknownPartition { partition: partition.clone() }
}

fn known(connection: &Connection, partition: &Partition) -> rusqlite::Result<Option<(i64, Watermarks)>> {
    Ok(find_partition(connection, partition)?.map(|(id, low, high)| (id, Watermarks { low, high })))
}

/// The next batches: as many as it takes to have `max_bytes`, at least one.
fn stored_batches(connection: &Connection, id: i64, next: i64, max_bytes: usize) -> rusqlite::Result<Vec<Stored>> {
    let sql =
        "SELECT id, first, next, length(body) FROM batches WHERE partition = ?1 AND next > ?2 ORDER BY next LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((id, next, BATCHES_PER_POLL as i64))?;
    let (mut stored, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()?.filter(|_| bytes < max_bytes) {
        let batch = Stored { row: row.get(0)?, first: row.get(1)?, next: row.get(2)?, bytes: row.get(3)? };
        bytes += batch.bytes;
        stored.push(batch);
    }
    Ok(stored)
}

/// Exactly the room that the batches take.
fn make_room(builder: &mut RecordsBuilder, stored: &[Stored]) {
    // A damaged index may say anything of its numbers; room is then made as records are found.
    let records = stored.iter().fold(0_i64, |sum, batch| sum.saturating_add(batch.next.saturating_sub(batch.first)));
    let records = usize::try_from(records).unwrap_or(0).min(1 << 20);
    builder.reserve(stored.iter().map(|batch| batch.bytes).sum(), records);
}

/// Reads the BLOB to the end of the arena, without a copy between, and says where it begins.
fn read_body(connection: &Connection, batch: &Stored, builder: &mut RecordsBuilder) -> rusqlite::Result<usize> {
    let body = connection.blob_open("main", "batches", "body", batch.row, true)?;
    let (arena, _) = builder.parts();
    let start = arena.len();
    arena.resize(start + body.len(), 0);
    body.read_at_exact(&mut arena[start..], 0)?;
    Ok(start)
}
