//! The ordered, replayable log of events behind one pair of traits: [`EventSource`] reads it, [`EventSink`] appends to it.
//!
//! Three implementations keep the same contract (architecture.md 5.13):
//!
//! * [`sqlite`]: one file, the embedded default. Durable before it acknowledges; several processes may share it.
//! * [`kafka`]: Apache Kafka through librdkafka. An idempotent producer; partitions by static share, or by a consumer
//!   group that decides who reads what and nothing else.
//! * [`simulated`]: in memory, with faults that a test scripts and a clock that a test owns.
//!
//! What is absent, on purpose: this crate never looks into a message, keeps no reader's position (positions live in the
//! lake, in the same commit as the rows: ingestion.md 3.3), knows no agency, no clock of its own and no SQL but that of
//! its own file.

mod error;
pub mod kafka;
mod outgoing;
mod partition;
mod records;
mod share;
pub mod simulated;
mod sink;
mod source;
pub mod sqlite;
mod stream;

pub use error::{LogError, Result};
pub use outgoing::Outgoing;
pub use partition::Partition;
pub use records::{Fetched, Headers, Record, Records, RecordsBuilder};
pub use share::{Share, Shared};
pub use sink::{EventSink, Position};
pub use source::{Change, EventSource, FILE_UID_PREFIX, Watermarks};
pub use stream::{FEEDS, RECEIPTS, RECEIPTS_DAYS, agency_of, stream_name, valid_stream_name};
