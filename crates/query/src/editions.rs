//! Where editions come from: a small trait, so that the reader runs over the lake and over memory alike.

use std::collections::BTreeMap;
use std::time::SystemTime;

use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
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
    /// When it was published, RFC 3339: when it was made, or when its embargo is over where that is later.
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
    /// When its embargo is over, RFC 3339; nobody but those whom the policy of access names learns of it before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embargo_until: Option<String>,
}

impl EditionMeta {
    /// Whether its embargo is over. One whose end cannot be read is not.
    pub fn is_released(&self, now: SystemTime) -> bool {
        let Some(until) = &self.embargo_until else { return true };
        DateTime::parse_from_rfc3339(until).is_ok_and(|until| until <= DateTime::<Utc>::from(now))
    }

    /// Of editions in their order those that are released: up to the first that is not, for what comes after it was made
    /// knowing it.
    pub fn released(editions: &[Self], now: SystemTime) -> &[Self] {
        let end = editions.iter().position(|edition| !edition.is_released(now));
        &editions[..end.unwrap_or(editions.len())]
    }
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

/// A table of reference data that was kept with an edition: areas, populations, courts, agencies, codes. Public like
/// the edition.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceTable {
    /// Its name, `reference.<name>` in SQL.
    pub name: String,
    /// What it holds.
    pub description: String,
    /// What its columns mean, by name.
    pub columns: BTreeMap<String, String>,
    /// Its rows.
    pub rows: RecordBatch,
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
    /// The reference tables of an edition; none where none were kept with it.
    async fn reference(&self, _edition: u32) -> Result<Vec<ReferenceTable>, SourceError> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn edition(number: u32, embargo_until: Option<&str>) -> EditionMeta {
        EditionMeta { edition: number, embargo_until: embargo_until.map(str::to_owned), ..EditionMeta::default() }
    }

    #[test]
    fn an_edition_is_released_at_its_moment_and_never_before_those_that_came_before() {
        let all = [edition(1, None), edition(2, Some("2026-12-01T09:00:00+05:00")), edition(3, None)];
        let at = |text: &str| SystemTime::from(DateTime::parse_from_rfc3339(text).expect("a moment"));
        assert_eq!(EditionMeta::released(&all, at("2026-12-01T03:59:59Z")).len(), 1);
        assert_eq!(EditionMeta::released(&all, at("2026-12-01T04:00:00Z")).len(), 3);
        let unreadable = [edition(1, Some("soon"))];
        assert!(EditionMeta::released(&unreadable, SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40)).is_empty());
    }
}
