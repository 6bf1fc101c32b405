//! Keeps facts: appends batches with their offsets in one Delta commit, reads snapshots, keeps immutable folders and
//! published editions (ingestion.md part 3, models.md 1).
//!
//! Rooms inside, in reading order: [`Store`] and [`S3`] (where), [`StoreIdentity`] and [`StoreLock`] (whose), [`Events`] (facts),
//! [`maintain`] (their files), [`folder`] (derived tables), [`Published`] (editions), [`canonical`] (what "equal" means).
//!
//! Absent: Kafka, SQL, policy. Storage obeys; it does not decide what is admitted or shown.

pub mod canonical;
mod error;
pub mod events;
pub mod folder;
mod fsync;
mod identity;
mod lock;
pub mod maintain;
mod parquet_file;
mod partition;
pub mod published;
mod s3;
mod store;

pub use error::{LakeError, Result};
pub use events::{
    ClosedBatch, Counts, DataFile, Events, EventsSnapshot, IdFilter, Lane, LaneBatch, LaneWriter, Move, OffsetRange,
    Outcome, Owner, Reset, Retry, RowFilter, Skips, Sought, Span, Written,
};
pub use fsync::{FsyncStore, create_private_dir};
pub use identity::{FORMAT, StoreIdentity, StoreKind};
pub use lock::StoreLock;
pub use parquet_file::BatchStream;
pub use partition::PartitionId;
pub use published::{EditionInfo, Published};
pub use s3::{Credentials, S3};
pub use store::Store;

/// Whether a known mistake is switched on here. A simulation plants mistakes of the protocol, one at a time, to see whether it
/// would notice them; a release build has none, and a development build makes none by itself.
#[cfg_attr(not(debug_assertions), expect(unused_variables))]
pub fn mistake(name: &'static str) -> bool {
    #[cfg(debug_assertions)]
    fail::fail_point!(name, |_| true);
    false
}

/// A named place at which a test may stop the process or make it panic at one offset of a partition: `return(abort:5)`,
/// `return(panic:5)`. A development build has them, and a release build has none.
#[cfg_attr(not(debug_assertions), expect(unused_variables))]
pub fn crash_point(name: &'static str, offset: i64) {
    #[cfg(debug_assertions)]
    fail::fail_point!(name, |how: Option<String>| {
        match how.as_deref().and_then(|how| how.split_once(':')) {
            Some(("abort", at)) if at == offset.to_string() => std::process::abort(),
            Some(("panic", at)) => assert!(at != offset.to_string(), "planted at offset {at}"),
            _ => {}
        }
    });
}

/// A named place where a test may stop the process (`return(abort)`) or make the step fail (`return`). A development
/// build has them, so that tests and figures stop the very program that was built once; a release build has none.
#[cfg_attr(not(debug_assertions), expect(unused_variables, clippy::unnecessary_wraps))]
pub(crate) fn failpoint(name: &'static str) -> Result<()> {
    #[cfg(debug_assertions)]
    fail::fail_point!(name, |how: Option<String>| match how.as_deref() {
        Some("abort") => std::process::abort(),
        _ => Err(LakeError::FailPoint(name)),
    });
    Ok(())
}
