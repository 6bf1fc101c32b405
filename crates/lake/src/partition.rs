//! Names of log partitions and of the transactions that remember how far each was read (ingestion.md 3.3).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A partition of the log, named so that another cluster's or a recreated topic's is another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartitionId {
    /// `<source_uid>/<stream>`.
    pub log_stream: Arc<str>,
    /// Number within the stream.
    pub partition: i32,
}

const INPUT: &str = "in/v1/";
const CLAIM: &str = "claim/v1/";
const PERMIT: &str = "permit/v1/";
const SKIPPED: &str = "skipped/v1/";
const SKIP_END: &str = "skip-end/v1/";
const RECEIPT: &str = "receipt/v1/";

impl PartitionId {
    /// Partition `partition` of `stream` in the log `source_uid`.
    pub fn new(source_uid: &str, stream: &str, partition: i32) -> Self {
        Self { log_stream: format!("{source_uid}/{stream}").into(), partition }
    }

    /// Application id whose version is the next offset to read.
    pub fn app_id(&self) -> String {
        format!("{INPUT}{self}")
    }

    /// Application id whose version is the claim.
    pub fn claim_app_id(&self) -> String {
        format!("{CLAIM}{self}")
    }

    /// Application id whose version is the offset below which everything may be set aside.
    pub fn permit_app_id(&self) -> String {
        format!("{PERMIT}{self}")
    }

    /// Application id whose version says how many offsets behind the first row resets have skipped, in all.
    pub fn skipped_app_id(&self) -> String {
        format!("{SKIPPED}{self}")
    }

    /// Application id whose version is the next offset that the last reset set.
    pub fn skip_end_app_id(&self) -> String {
        format!("{SKIP_END}{self}")
    }

    /// Application id whose version is the next offset without a receipt that the log has acknowledged (ingestion.md 3.3).
    pub fn receipt_app_id(&self) -> String {
        format!("{RECEIPT}{self}")
    }

    /// The partition an `in/v1/…` application id speaks of.
    pub(crate) fn of_app_id(app_id: &str) -> Option<Self> {
        let (log_stream, partition) = app_id.strip_prefix(INPUT)?.rsplit_once('/')?;
        Some(Self { log_stream: log_stream.into(), partition: partition.parse().ok()? })
    }
}

impl fmt::Display for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.log_stream, self.partition)
    }
}
