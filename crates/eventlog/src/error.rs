//! What can go wrong with a log, one variant per cause.
//!
//! Messages name streams, offsets, sizes and files. They never quote a key, a header or a value.

use std::path::PathBuf;

use crate::partition::Partition;
use crate::source::Watermarks;

/// Result of an operation on a log.
pub type Result<T, E = LogError> = std::result::Result<T, E>;

/// Why an operation on a log failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The log cannot be reached now (broker away, database busy). Nothing is wrong with it as far as anyone knows: wait
    /// and call again. After [`append`](crate::EventSink::append) the messages may or may not be in the log.
    #[error("the event log at {place} is unavailable: {reason}")]
    Unavailable {
        /// Brokers or file.
        place: String,
        /// What the library below said.
        reason: String,
    },

    /// The wanted offset is not in the partition: records were deleted before they were read (`wanted < low`), or the
    /// partition was truncated or recreated (`wanted > high`). Reading on would lose or confuse data, so the source stops
    /// this partition until [`read_from`](crate::EventSource::read_from) is called again (ingestion.md 3.4, step 4).
    #[error(
        "offset {wanted} of {partition} is out of range: the log holds {}..{}; {}",
        watermarks.low,
        watermarks.high,
        if *wanted < watermarks.low { "older records were deleted before they were read" } else { "it was truncated or recreated" }
    )]
    OffsetOutOfRange {
        /// Which partition.
        partition: Partition,
        /// The offset asked for.
        wanted: i64,
        /// What the partition holds.
        watermarks: Watermarks,
    },

    /// No such stream or partition, or it has been deleted since.
    #[error("the event log has no partition {partition}")]
    UnknownPartition {
        /// Which partition.
        partition: Partition,
    },

    /// A stream name that not every log takes (see [`valid_stream_name`](crate::valid_stream_name)).
    #[error("{stream:?} cannot be the name of a stream: use 1 to 249 letters, digits, '.', '_' and '-'")]
    StreamName {
        /// The name as given.
        stream: String,
    },

    /// A message is larger than the log takes. Nothing of the call was appended to SQLite or the simulated log; with
    /// Kafka the messages before it may be.
    #[error("message {index} of this append has {bytes} bytes, more than the event log takes ({limit} bytes)")]
    TooLarge {
        /// Ordinal of the message in the call, from 0.
        index: usize,
        /// Its size: key, headers and value.
        bytes: usize,
        /// The limit.
        limit: usize,
    },

    /// No room left. Nothing of the call was appended.
    #[error(
        "no space left for the event log {path}: free some space (or raise its limit), then go on; nothing that was acknowledged is lost"
    )]
    DiskFull {
        /// The file.
        path: PathBuf,
    },

    /// The file or its folder cannot be written.
    #[error("the event log {path} cannot be written: check the owner and mode of the file and of its folder")]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },

    /// The file was written by a newer version of this program.
    #[error(
        "the event log {path} has format {found}, this program knows formats up to {supported}: use the newer program"
    )]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format number.
        found: i64,
        /// The highest format number known here.
        supported: i64,
    },

    /// The file is something else.
    #[error("{path} is not an event log: {reason}")]
    NotALog {
        /// The file.
        path: PathBuf,
        /// How that was seen.
        reason: &'static str,
    },

    /// The log behind the address is another one than when the source was made: its positions mean something else.
    #[error("this is another event log: it was {expected}, now it is {found}; look at what happened, then start again")]
    AnotherLog {
        /// `source_uid` as it was.
        expected: String,
        /// `source_uid` as it is.
        found: String,
    },

    /// Bytes of a partition are damaged (checksum). The source stops this partition; skipping is an operator's decision.
    #[error("the event log is damaged at {partition}, offset {offset}: {reason}")]
    Corrupt {
        /// Which partition.
        partition: Partition,
        /// First offset that cannot be read.
        offset: i64,
        /// What is wrong.
        reason: String,
    },

    /// A setting is refused (by us or by librdkafka), or the broker does not let us in. Trying again does not help.
    #[error("the event log cannot be used as configured: {reason}")]
    Refused {
        /// What and why.
        reason: String,
    },

    /// Anything else from SQLite.
    #[error("the event log {path} failed: {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// SQLite's error; it names no data.
        #[source]
        source: rusqlite::Error,
    },

    /// Anything else from librdkafka.
    #[error("the event log at {place} failed: {source}")]
    Kafka {
        /// The brokers.
        place: String,
        /// librdkafka's error; it names no data.
        #[source]
        source: rdkafka::error::KafkaError,
    },
}

impl LogError {
    /// Whether the same call may succeed later without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// The partition that this error is about, if it is about one: the others may go on.
    pub fn partition(&self) -> Option<&Partition> {
        match self {
            Self::OffsetOutOfRange { partition, .. }
            | Self::UnknownPartition { partition }
            | Self::Corrupt { partition, .. } => Some(partition),
            _ => None,
        }
    }
}
