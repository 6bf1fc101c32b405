//! Appends to the SQLite log: one transaction, one sync, all or none, of however many streams.

use rusqlite::{Connection, TransactionBehavior};

use super::{MAX_MESSAGE_BYTES, SqliteLog, find_partition, frame, typed};
use crate::error::Result;
use crate::outgoing::Outgoing;
use crate::partition::Partition;
use crate::sink::{EventSink, Position, admissible};

/// Writes a [`SqliteLog`]. Give it many messages at a time: each call pays for one sync of the disk.
pub struct SqliteSink {
    log: SqliteLog,
    connection: Connection,
}

impl SqliteSink {
    pub(super) fn new(log: SqliteLog, connection: Connection) -> Result<Self> {
        if let Some(bytes) = log.max_bytes {
            let limit = || -> rusqlite::Result<()> {
                let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
                let pages = (bytes / page.max(1) as u64).max(1);
                connection.pragma_update(None, "max_page_count", pages as i64)
            };
            limit().map_err(|e| typed(&log.path, e))?;
        }
        Ok(Self { log, connection })
    }
}

impl EventSink for SqliteSink {
    fn append(&mut self, stream: &str, messages: &[Outgoing<'_>]) -> Result<Vec<Position>> {
        let positions = self.append_each(&[(stream, messages)])?;
        Ok(positions.into_iter().flatten().collect())
    }

    /// All streams in one transaction: one sync of the disk for all.
    fn append_each(&mut self, parts: &[(&str, &[Outgoing<'_>])]) -> Result<Vec<Vec<Position>>> {
        for (stream, messages) in parts {
            admissible(stream, messages, MAX_MESSAGE_BYTES)?;
        }
        if parts.iter().all(|(_, messages)| messages.is_empty()) {
            return Ok(vec![Vec::new(); parts.len()]);
        }
        let positions = append(&mut self.connection, parts).map_err(|e| typed(&self.log.path, e))?;
        self.log.appended.announce();
        Ok(positions)
    }
}

fn append(connection: &mut Connection, parts: &[(&str, &[Outgoing<'_>])]) -> rusqlite::Result<Vec<Vec<Position>>> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut positions = Vec::with_capacity(parts.len());
    for (stream, messages) in parts {
        let first = if messages.is_empty() { 0 } else { append_part(&tx, &Partition::new(*stream, 0), messages)? };
        positions.push((first..).take(messages.len()).map(|offset| Position { partition: 0, offset }).collect());
    }
    tx.commit()?;
    Ok(positions)
}

/// Returns the offset of the first message; the others follow without gaps.
fn append_part(tx: &Connection, partition: &Partition, messages: &[Outgoing<'_>]) -> rusqlite::Result<i64> {
    let (id, high) = if let Some((id, _, high)) = find_partition(tx, partition)? {
        (id, high)
    } else {
        let insert = "INSERT INTO partitions (stream, number, low, high) VALUES (?1, ?2, 0, 0)";
        tx.execute(insert, (&*partition.stream, partition.number))?;
        (tx.last_insert_rowid(), 0)
    };
    let mut next = high;
    let mut rest = messages;
    while !rest.is_empty() {
        let (batch, others) = rest.split_at(frame::take(rest));
        let first = next;
        next += batch.len() as i64;
        tx.prepare_cached("INSERT INTO batches (partition, first, next, body) VALUES (?1, ?2, ?3, ?4)")?.execute((
            id,
            first,
            next,
            frame::encode(first, batch),
        ))?;
        rest = others;
    }
    tx.prepare_cached("UPDATE partitions SET high = ?2 WHERE id = ?1")?.execute((id, next))?;
    Ok(high)
}
