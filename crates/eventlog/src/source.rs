//! The reading side of the log.

use std::time::Duration;

use crate::error::{LogError, Result};
use crate::partition::Partition;
use crate::records::Fetched;

/// How the [`source_uid`](EventSource::source_uid) of a file begins; its hash follows. A file is a log of its own: it
/// continues no other log and none continues it (ingestion.md 3.3). Whoever makes such a uid and whoever judges it use this.
pub const FILE_UID_PREFIX: &str = "file-";

/// What a partition holds: offsets in `low..high`, not necessarily all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermarks {
    /// First offset that can still be read.
    pub low: i64,
    /// The next offset to be written; with transactions, the first that is not yet decided.
    pub high: i64,
}

impl Watermarks {
    /// Whether reading may begin at this offset: it is in the partition, or the next to come.
    pub(crate) fn allow(self, partition: &Partition, wanted: i64) -> Result<()> {
        if (self.low..=self.high).contains(&wanted) {
            return Ok(());
        }
        Err(LogError::OffsetOutOfRange { partition: partition.clone(), wanted, watermarks: self })
    }
}

/// What happened to the set of partitions that a reader is to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Nothing that is known of.
    None,
    /// Partitions came, or are to be given up: finish what was read of those, [`stop`](EventSource::stop) them, then
    /// [`release`](EventSource::release).
    Some,
    /// Partitions were taken away because this reader was thought dead: others may read them already. What was read of
    /// them may be dropped at once.
    Lost,
}

/// Reads partitions of a log, from offsets that the caller knows.
///
/// # Operations
///
/// [`partitions`](Self::partitions) says what there is, [`watermarks`](Self::watermarks) how far a partition goes,
/// [`read_from`](Self::read_from) and [`stop`](Self::stop) say what [`poll`](Self::poll) shall bring.
/// Which partitions are this reader's to read may change while it runs, when several readers share a log in a group:
/// [`changed`](Self::changed) tells, [`partitions`](Self::partitions) says which they are now, and [`release`](Self::release)
/// ends the reader's part in those that it was asked to give up. A partition that is not given up in time is given to
/// another all the same: what keeps two readers from both writing is the claim in the lake (ingestion.md 3.5), never this.
///
/// # Guarantees
///
/// * Within a partition, records come in ascending offset order, each once, beginning at the first offset `>= next`,
///   until `read_from` or `stop` is called for it.
/// * A record, once delivered, has the same bytes under the same `source_uid`, partition and offset for ever.
/// * A record is delivered only after it is durable (committed) in the log; whatever [`append`](crate::EventSink::append)
///   acknowledged is delivered, or an error says why not.
/// * [`Records::next_offset`](crate::Records::next_offset) never decreases. It may pass offsets that hold no record
///   (transaction markers, compaction): a batch may be empty and only move it. When everything is read, it reaches
///   `watermarks().high`.
/// * Another log is never taken for this one: if the log is another one, its `source_uid` differs.
/// * An offset that is not there is an error ([`OffsetOutOfRange`](crate::LogError::OffsetOutOfRange)), never silence and
///   never a jump to one end.
///
/// # Non-guarantees
///
/// * No order across partitions, no fairness beyond "none starves".
/// * Offsets need not be dense, and a batch may be of any size from nothing on. `max_bytes` is a goal that a batch may
///   pass by what the log stores in one piece: one message, or about a MiB of small ones.
/// * A topic that was deleted, recreated and has grown past `next` looks like the old one. Compare the record at
///   `next - 1` with what was stored (ingestion.md 3.4, step 4).
/// * Nothing is remembered: a new source starts where it is told.
///
/// # Failure and recovery
///
/// Every error leaves the source usable. A [transient](crate::LogError::is_transient) one asks for a later call (pacing is the
/// caller's; a call may return at once); the source reconnects by itself and goes on behind the last delivered record.
/// An error with a [partition](crate::LogError::partition) stops that partition only, is reported once, and ends with `read_from`.
pub trait EventSource: Send {
    /// Which log this is: Kafka's cluster id or the random id of `log.db`, `#`, and an operator's generation number.
    /// Constant for the life of the source. Part of every position that is stored (ingestion.md 3.3).
    fn source_uid(&self) -> &str;

    /// The partitions of agencies' streams that are this reader's now, sorted: all there are, its static
    /// [`Share`](crate::Share), or what its group gave it. Call it again to discover new streams.
    fn partitions(&mut self) -> Result<Vec<Partition>>;

    /// The partitions of one stream by its name, whoever's it is and whoever reads it; none where there is no such stream.
    /// So the stream of receipts is found, which is no agency's and never among [`Self::partitions`].
    fn partitions_of(&mut self, stream: &str) -> Result<Vec<Partition>> {
        let mut found = self.partitions()?;
        found.retain(|partition| *partition.stream == *stream);
        Ok(found)
    }

    /// Whether [`partitions`](Self::partitions) may say something else since it was last asked. Call it often: a member of a
    /// group shows by it that it is alive.
    fn changed(&mut self) -> Result<Change> {
        Ok(Change::None)
    }

    /// Everything that [`partitions`](Self::partitions) no longer names was stopped, and what was read of it is committed or
    /// dropped: others may have it.
    fn release(&mut self) -> Result<()> {
        Ok(())
    }

    /// The offsets a partition holds now.
    fn watermarks(&mut self, partition: &Partition) -> Result<Watermarks>;

    /// From now on, deliver this partition from offset `next` on. What was fetched before for it is dropped.
    fn read_from(&mut self, partition: &Partition, next: i64) -> Result<()>;

    /// Deliver no more of this partition. Fine for one that is not being read.
    fn stop(&mut self, partition: &Partition) -> Result<()>;

    /// The next records of one of the partitions being read, about `max_bytes` of them (at least one record).
    /// `None` when nothing arrived within `wait`. Never waits when there is something.
    fn poll(&mut self, max_bytes: usize, wait: Duration) -> Result<Option<Fetched>>;

    /// Tells the log's own tools that everything below `next` is safely stored. Best effort; nothing here depends on it.
    fn hint(&mut self, partition: &Partition, next: i64) -> Result<()>;
}

impl<S: EventSource + ?Sized> EventSource for Box<S> {
    fn source_uid(&self) -> &str {
        (**self).source_uid()
    }
    fn partitions(&mut self) -> Result<Vec<Partition>> {
        (**self).partitions()
    }
    fn partitions_of(&mut self, stream: &str) -> Result<Vec<Partition>> {
        (**self).partitions_of(stream)
    }
    fn changed(&mut self) -> Result<Change> {
        (**self).changed()
    }
    fn release(&mut self) -> Result<()> {
        (**self).release()
    }
    fn watermarks(&mut self, partition: &Partition) -> Result<Watermarks> {
        (**self).watermarks(partition)
    }
    fn read_from(&mut self, partition: &Partition, next: i64) -> Result<()> {
        (**self).read_from(partition, next)
    }
    fn stop(&mut self, partition: &Partition) -> Result<()> {
        (**self).stop(partition)
    }
    fn poll(&mut self, max_bytes: usize, wait: Duration) -> Result<Option<Fetched>> {
        (**self).poll(max_bytes, wait)
    }
    fn hint(&mut self, partition: &Partition, next: i64) -> Result<()> {
        (**self).hint(partition, next)
    }
}
