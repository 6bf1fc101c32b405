//! The writing side of the log.

use crate::error::{LogError, Result};
use crate::outgoing::Outgoing;
use crate::stream::valid_stream_name;

/// Where a message landed in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Number of the partition.
    pub partition: i32,
    /// Offset in it.
    pub offset: i64,
}

/// Appends messages to streams of a log.
///
/// # Guarantees
///
/// * `Ok` means durable: every message of the call is on disk (SQLite: synced; Kafka: acknowledged by all in-sync
///   replicas), once, at the position returned for it.
/// * Messages of one call with equal keys keep their order; so do those of successive calls of one sink that succeeded.
/// * A stream is created by the first append to it.
///
/// # Non-guarantees
///
/// * After an error it is not known which messages of the call are in the log: SQLite and the simulated log take all or
///   none, Kafka may have taken some. Appending the same again may store an event twice; readers know it by its id.
/// * No order between sinks, and none between different keys.
///
/// # Failure and recovery
///
/// Every error leaves the sink usable. [Transient](crate::LogError::is_transient) ones ask for the same call later.
pub trait EventSink: Send {
    /// Appends the messages to the stream and returns their positions, in the order given, when all are durable.
    fn append(&mut self, stream: &str, messages: &[Outgoing<'_>]) -> Result<Vec<Position>>;

    /// Appends to several streams, as [`Self::append`] does to one; the positions by stream, in the order given. After an error
    /// it is not known of which streams messages are in the log.
    fn append_each(&mut self, parts: &[(&str, &[Outgoing<'_>])]) -> Result<Vec<Vec<Position>>> {
        parts.iter().map(|(stream, messages)| self.append(stream, messages)).collect()
    }
}

impl<S: EventSink + ?Sized> EventSink for Box<S> {
    fn append(&mut self, stream: &str, messages: &[Outgoing<'_>]) -> Result<Vec<Position>> {
        (**self).append(stream, messages)
    }

    fn append_each(&mut self, parts: &[(&str, &[Outgoing<'_>])]) -> Result<Vec<Vec<Position>>> {
        (**self).append_each(parts)
    }
}

/// What every log refuses alike, before anything is written.
pub(crate) fn admissible(stream: &str, messages: &[Outgoing<'_>], limit: usize) -> Result<()> {
    if !valid_stream_name(stream) {
        return Err(LogError::StreamName { stream: stream.into() });
    }
    for (index, message) in messages.iter().enumerate() {
        let bytes = message.bytes();
        if bytes > limit {
            return Err(LogError::TooLarge { index, bytes, limit });
        }
        let refuse = |what: &str| Err(LogError::Refused { reason: format!("message {index} of this append {what}") });
        if message.timestamp_ms <= 0 {
            return refuse("has no timestamp");
        }
        let unfit = |name: &str| name.len() > usize::from(u16::MAX) || name.contains('\0');
        if message.headers.iter().any(|(name, _)| unfit(name)) {
            return refuse("has a header name that is too long or contains NUL");
        }
    }
    Ok(())
}
