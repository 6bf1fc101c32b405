//! What the door keeps, in `gateway.db`: receipts, which key was answered with which, mappings, and what the stream of receipts has told.
//!
//! Durable when a call returns (WAL, `synchronous=FULL`). What the stream has told and how far it was read are of one transaction, so
//! that a process that ends anywhere goes on without a gap and without telling twice.
//!
//! Absent: bodies, keys and tokens. Of a body and of an `Idempotency-Key` there is a keyed digest; of an event, its id and place.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use events::feed::FeedReport;
use events::receipt::{EditionNotice, Reader, Receipt, Told};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::hold::KeyDigest;
use super::receipt::{Kept, Outcome, Place, Status};
use crate::error::Result;
use crate::store;

pub(super) type Sql<T> = rusqlite::Result<T>;

/// Rows of a table that are looked at for their age at once.
const AT_ONCE: i64 = 10_000;

/// Most mappings of an agency.
pub(crate) const MOST_MAPPINGS: i64 = 100;

/// The request of a receipt, by which it is known when it comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Repeat {
    pub(crate) key: KeyDigest,
    pub(crate) body: [u8; 32],
}

/// What is known of a key that was used before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Repeated {
    /// With this very body; the first answer is that of the receipt.
    Same(Box<Kept>),
    /// With another one.
    Other,
}

/// How far a partition of a stream was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heard<'a> {
    pub(crate) log: &'a str,
    pub(crate) stream: &'a str,
    pub(crate) partition: i32,
    pub(crate) next: i64,
}

impl Heard<'_> {
    fn keep(self, tx: &Connection) -> Sql<()> {
        let sql = "INSERT INTO hearing (log, stream, partition, next) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT (log, stream, partition) DO UPDATE SET next = ?4";
        let Self { log, stream, partition, next } = self;
        tx.prepare_cached(sql)?.execute((log, stream, partition, next)).map(drop)
    }
}

/// An open `gateway.db`, as one user of it has it.
pub(crate) struct Book {
    path: PathBuf,
    pub(super) connection: Connection,
}

impl Book {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Ok(Self { path: path.to_path_buf(), connection: store::open(path)? })
    }

    pub(super) fn typed<T>(&self, result: Sql<T>) -> Result<T> {
        result.map_err(|error| store::typed(&self.path, error))
    }

    fn write<T>(&mut self, change: impl FnOnce(&Connection) -> Sql<T>) -> Result<T> {
        let result = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|tx| {
            let done = change(&tx)?;
            tx.commit().map(|()| done)
        });
        self.typed(result)
    }

    /// Keeps receipts, all or none.
    pub(crate) fn record(&mut self, receipts: &[(Kept, Option<Repeat>)]) -> Result<()> {
        self.write(|tx| receipts.iter().try_for_each(|(kept, repeat)| record(tx, kept, repeat.as_ref())))
    }

    /// What a key was used for since then.
    pub(crate) fn repeated(&self, repeat: &Repeat, since_ms: i64) -> Result<Option<Repeated>> {
        let sql = "SELECT body, receipt FROM repeats WHERE key = ?1 AND made_ms >= ?2";
        let found: Sql<Option<([u8; 32], [u8; 16])>> = self.connection.prepare_cached(sql).and_then(|mut query| {
            query.query_row((repeat.key, since_ms), |row| Ok((row.get(0)?, row.get(1)?))).optional()
        });
        match self.typed(found)? {
            None => Ok(None),
            Some((body, _)) if body != repeat.body => Ok(Some(Repeated::Other)),
            Some((_, id)) => Ok(self.receipt(id)?.map(|kept| Repeated::Same(Box::new(kept)))),
        }
    }

    /// The receipt of an id.
    pub(crate) fn receipt(&self, id: [u8; 16]) -> Result<Option<Kept>> {
        let sql = "SELECT id, agency, log, made_ms, places, refused FROM receipts WHERE id = ?1";
        self.typed(self.connection.prepare_cached(sql).and_then(|mut query| query.query_row([id], kept).optional()))
    }

    /// What became of the events of a receipt, in its order.
    pub(crate) fn outcomes(&self, kept: &Kept) -> Result<Vec<Outcome>> {
        let stream = format!("{}/{}", kept.log, kept.stream());
        let each = kept.places.iter().map(|place| outcome(&self.connection, &stream, place));
        // One transaction: counts and events of one moment.
        self.typed(self.connection.unchecked_transaction().and_then(|_tx| each.collect()))
    }

    /// How far a stream that tells the door something was read in a log, by partition.
    pub(crate) fn heard_to(&self, log: &str, stream: &str) -> Result<BTreeMap<i32, i64>> {
        let sql = "SELECT partition, next FROM hearing WHERE log = ?1 AND stream = ?2";
        self.typed(
            self.connection
                .prepare_cached(sql)
                .and_then(|mut query| query.query_map([log, stream], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()),
        )
    }

    /// What is known of what was told, to go on from.
    pub(crate) fn reader(&self) -> Result<Reader> {
        let read = || -> Sql<Reader> {
            let mut query = self.connection.prepare_cached("SELECT stream, partition, next FROM heard")?;
            let next = query.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?.collect::<Sql<_>>()?;
            let edition = self.connection.query_row("SELECT max(edition) FROM editions", [], |row| row.get(0))?;
            Ok(Reader { next, edition })
        };
        self.typed(read())
    }

    /// Keeps what was told, each with the log's time of it, and how far the partition was read.
    pub(crate) fn learn(&mut self, heard: Heard<'_>, told: &[(i64, Told)]) -> Result<()> {
        self.write(|tx| {
            for (told_ms, told) in told {
                match told {
                    Told::Receipt(receipt) => keep_receipt(tx, receipt, *told_ms)?,
                    Told::Edition(notice) => keep_edition(tx, notice)?,
                }
            }
            heard.keep(tx)
        })
    }

    /// Keeps the reports on feeds that were told, each with the log's time of it, and how far the partition was read.
    pub(crate) fn learn_feeds(&mut self, heard: Heard<'_>, told: &[(i64, FeedReport)]) -> Result<()> {
        self.write(|tx| {
            // Partitions are read side by side: what was told later stands, whichever comes first.
            let sql = "INSERT INTO feeds (agency, told_ms, report) VALUES (?1, ?2, ?3)
                       ON CONFLICT (agency) DO UPDATE SET told_ms = ?2, report = ?3 WHERE told_ms <= ?2";
            for (told_ms, report) in told {
                tx.prepare_cached(sql)?.execute((&report.agency, told_ms, report.encode()))?;
            }
            heard.keep(tx)
        })
    }

    /// Forgets what is older than these moments; some of it at a time. How many rows went.
    pub(crate) fn prune(&mut self, (repeats_ms, receipts_ms): (i64, i64)) -> Result<usize> {
        let tables = [
            ("repeats", "made_ms", repeats_ms),
            ("receipts", "made_ms", receipts_ms),
            ("told", "told_ms", receipts_ms),
            ("exceptions", "told_ms", receipts_ms),
        ];
        self.write(|tx| {
            tables.into_iter().try_fold(0, |gone, (table, column, before)| {
                // Numbers ascend with time: what is old is among the first.
                let sql = format!(
                    "DELETE FROM {table} WHERE number IN
                     (SELECT number FROM (SELECT number, {column} FROM {table} ORDER BY number LIMIT ?1) WHERE {column} < ?2)"
                );
                Ok(gone + tx.prepare_cached(&sql)?.execute((AT_ONCE, before))?)
            })
        })
    }

    /// Keeps a mapping of an agency; `false` where it has too many.
    pub(crate) fn keep_mapping(&mut self, agency: &str, name: &str, text: &str) -> Result<bool> {
        self.write(|tx| {
            let sql = "SELECT count(*) FROM mappings WHERE agency = ?1 AND name <> ?2";
            if tx.query_row(sql, (agency, name), |row| row.get::<_, i64>(0))? >= MOST_MAPPINGS {
                return Ok(false);
            }
            let sql = "INSERT INTO mappings (agency, name, text) VALUES (?1, ?2, ?3)
                       ON CONFLICT (agency, name) DO UPDATE SET text = ?3";
            tx.execute(sql, (agency, name, text)).map(|_| true)
        })
    }

    /// A mapping of an agency.
    pub(crate) fn mapping(&self, agency: &str, name: &str) -> Result<Option<String>> {
        let sql = "SELECT text FROM mappings WHERE agency = ?1 AND name = ?2";
        self.typed(self.connection.query_row(sql, (agency, name), |row| row.get(0)).optional())
    }

    /// The names of an agency's mappings.
    pub(crate) fn mappings(&self, agency: &str) -> Result<Vec<String>> {
        let sql = "SELECT name FROM mappings WHERE agency = ?1 ORDER BY name";
        self.typed(
            self.connection
                .prepare_cached(sql)
                .and_then(|mut query| query.query_map([agency], |row| row.get(0))?.collect()),
        )
    }
}

/// A receipt of a row of `id, agency, log, made_ms, places, refused`.
pub(super) fn kept(row: &rusqlite::Row<'_>) -> Sql<Kept> {
    let (places, refused): (Vec<u8>, Option<String>) = (row.get(4)?, row.get(5)?);
    Ok(Kept {
        id: row.get(0)?,
        agency: row.get(1)?,
        log: row.get(2)?,
        made_ms: row.get(3)?,
        places: postcard::from_bytes(&places).map_err(unreadable)?,
        refused: serde_json::from_str(refused.as_deref().unwrap_or("[]")).map_err(unreadable)?,
    })
}

fn record(tx: &Connection, kept: &Kept, repeat: Option<&Repeat>) -> Sql<()> {
    let places = postcard::to_stdvec(&kept.places).map_err(unwritable)?;
    let refused = (!kept.refused.is_empty()).then(|| serde_json::to_string(&kept.refused)).transpose();
    let sql = "INSERT INTO receipts (id, agency, log, made_ms, places, refused) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let row = (kept.id, &kept.agency, &kept.log, kept.made_ms, places, refused.map_err(unwritable)?);
    tx.prepare_cached(sql)?.execute(row)?;
    let Some(repeat) = repeat else { return Ok(()) };
    // A key whose time is over may be used anew.
    tx.prepare_cached("DELETE FROM repeats WHERE key = ?1")?.execute([repeat.key])?;
    let sql = "INSERT INTO repeats (key, body, receipt, made_ms) VALUES (?1, ?2, ?3, ?4)";
    tx.prepare_cached(sql)?.execute((repeat.key, repeat.body, kept.id, kept.made_ms)).map(drop)
}

fn keep_receipt(tx: &Connection, receipt: &Receipt, told_ms: i64) -> Sql<()> {
    let Receipt { stream, partition, from, to, .. } = receipt;
    let sql = "INSERT INTO told (stream, partition, first, next, lake_version, told_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT DO NOTHING";
    tx.prepare_cached(sql)?.execute((stream, partition, from, to, receipt.lake_version as i64, told_ms))?;
    let sql = "INSERT INTO exceptions (stream, partition, offset, status, class, detail, told_ms)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
    for exception in &receipt.exceptions {
        let row =
            (stream, partition, exception.offset, &exception.status, &exception.class, &exception.detail, told_ms);
        tx.prepare_cached(sql)?.execute(row)?;
    }
    let sql = "INSERT INTO heard (stream, partition, next) VALUES (?1, ?2, ?3)
               ON CONFLICT (stream, partition) DO UPDATE SET next = max(next, ?3)";
    tx.prepare_cached(sql)?.execute((stream, partition, to)).map(drop)
}

fn keep_edition(tx: &Connection, notice: &EditionNotice) -> Sql<()> {
    let sql = "INSERT INTO editions (edition, as_of) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    tx.prepare_cached(sql)?.execute((notice.edition, &notice.as_of))?;
    let sql = "INSERT INTO cuts (stream, partition, edition, next) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
    for (partition, next) in &notice.cut {
        // `<source_uid>/<stream>/<partition>`; what has another form is no partition of a log.
        let Some((stream, Ok(number))) = partition.rsplit_once('/').map(|(s, n)| (s, n.parse::<i32>())) else {
            continue;
        };
        tx.prepare_cached(sql)?.execute((stream, number, notice.edition, next))?;
    }
    Ok(())
}

/// What became of one event.
fn outcome(connection: &Connection, stream: &str, place: &Place) -> Sql<Outcome> {
    let at = (stream, place.partition, place.offset);
    let nothing = |status| Outcome { status, lake_version: None, class: None, detail: None, edition: None };
    let sql = "SELECT next, lake_version FROM told WHERE stream = ?1 AND partition = ?2 AND first <= ?3
               ORDER BY first DESC LIMIT 1";
    let told: Option<(i64, i64)> =
        connection.prepare_cached(sql)?.query_row(at, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((_, version)) = told.filter(|(next, _)| *next > place.offset) else {
        let sql = "SELECT 1 FROM heard WHERE stream = ?1 AND partition = ?2 AND next > ?3";
        let is_past = connection.prepare_cached(sql)?.exists(at)?;
        return Ok(nothing(if is_past { Status::PassedOver } else { Status::Durable }));
    };
    let sql = "SELECT status, class, detail FROM exceptions WHERE stream = ?1 AND partition = ?2 AND offset = ?3";
    let exception = connection.prepare_cached(sql)?.query_row(at, |row| {
        let (status, class, detail): (String, _, _) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Outcome { class, detail, lake_version: Some(version), ..nothing(Status::of(&status)) })
    });
    if let Some(exception) = exception.optional()? {
        return Ok(exception);
    }
    let sql = "SELECT edition FROM cuts WHERE stream = ?1 AND partition = ?2 AND next > ?3 ORDER BY edition LIMIT 1";
    let edition = connection.prepare_cached(sql)?.query_row(at, |row| row.get(0)).optional()?;
    Ok(Outcome { lake_version: Some(version), edition, ..nothing(Status::Accepted) })
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(3, rusqlite::types::Type::Blob, Box::new(error))
}

fn unwritable(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}
