//! Where editions come from: a small trait, so that the reader runs over the lake and over memory alike.

use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// What is public about an edition (users.md 5.5 items 3 and 13).
///
/// Absent on purpose: the cut of the log by partition and offset, which counts the events of each agency
/// (privacy.md 6.11, *Metadata*). It stays in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EditionMeta {
    /// Number, from 1, without gaps.
    pub edition: u32,
    /// Date of the Snapshot that it was made from, `YYYY-MM-DD`.
    pub as_of: String,
    /// When it was published, RFC 3339.
    pub published_at: String,
    /// True when the store holds synthetic people.
    pub synthetic: bool,
    /// Version of the methodology.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub methodology: Option<String>,
    /// Hash of the policy files, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_hash: Option<String>,
    /// Hash of `sql/`, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql_hash: Option<String>,
}

/// Why editions cannot be read now. The cause is for the operator's log, never for a client.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The store could not be read.
    #[error("published editions cannot be read")]
    Read(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What was read is not an edition.
    #[error("edition {edition} is malformed: {what}")]
    Malformed {
        /// Which edition.
        edition: u32,
        /// What is wrong with its shape.
        what: String,
    },
}

/// A place where complete editions are found.
///
/// Guarantees asked of an implementation: `list` names complete editions only, oldest first; `read` of a listed edition
/// gives all of its rows, the same each time. Not asked: that `list` is fresh to the moment. Failure: an error leaves
/// the reader on the editions that it has.
#[async_trait]
pub trait EditionSource: Send + Sync + 'static {
    /// The complete editions, oldest first.
    async fn list(&self) -> Result<Vec<EditionMeta>, SourceError>;
    /// The number of the newest complete edition: cheap, asked every few seconds.
    async fn latest(&self) -> Result<Option<u32>, SourceError>;
    /// All rows of an edition, in the long form of `published.indicator_values`.
    async fn read(&self, edition: u32) -> Result<Vec<RecordBatch>, SourceError>;
}
