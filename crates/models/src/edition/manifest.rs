//! What an edition follows from. The same cut, policy, key, `sql/` and date give an equal edition.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, NaiveDate};
use disclosure::Head;
use lake::PartitionId;
use serde_json::{Value, json};

/// What an edition follows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The date that it speaks of (Asia/Karachi).
    pub as_of: NaiveDate,
    /// When it was published, RFC 3339 UTC. Of no consequence for its rows.
    pub published_at: String,
    /// When it is released, RFC 3339 UTC, where that is later. Of no consequence for its rows.
    pub embargo_until: Option<String>,
    /// Everything in the store is synthetic.
    pub synthetic: bool,
    /// Next offset per partition (`<log stream>/<partition>`): events below it are in.
    pub cut: BTreeMap<String, i64>,
    /// Version of the `events` table that the Snapshot was made from.
    pub lake_version: u64,
    /// Canonical hash of each mart.
    pub marts: BTreeMap<String, String>,
    /// The reference tables that were kept with it, where there are any.
    pub reference: KeptReference,
    /// Hash of `sql/` ([`crate::SqlSet::hash`]).
    pub sql: String,
    /// Hash of the policy files.
    pub policy: String,
    /// Version of the methodology.
    pub methodology: String,
    /// Fingerprint of the master key.
    pub key_fingerprint: String,
    /// Where the vault's memory stood before the edition was made, and after.
    pub ledger: [Head; 2],
}

/// The reference tables of an edition (`lake::Published::reference_at`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeptReference {
    /// The version under which they lie.
    pub version: String,
    /// Canonical hash of each by name.
    pub tables: BTreeMap<String, String>,
}

impl Manifest {
    /// As it is kept.
    pub fn to_json(&self) -> Value {
        let mut kept = json!({
            "as_of": self.as_of.to_string(), "published_at": self.published_at, "synthetic": self.synthetic, "cut": self.cut,
            "lake_version": self.lake_version, "marts": self.marts, "sql": self.sql, "policy": self.policy,
            "methodology": self.methodology, "key_fingerprint": self.key_fingerprint,
            "ledger": {"before": self.ledger[0].to_text(), "after": self.ledger[1].to_text()},
        });
        if let Some(until) = &self.embargo_until {
            kept["embargo_until"] = until.as_str().into();
        }
        if !self.reference.tables.is_empty() {
            kept["reference"] = json!({"version": self.reference.version, "tables": self.reference.tables});
        }
        kept
    }

    /// The reference tables of a kept manifest; none of an edition from before there were any.
    pub fn reference_of(kept: &Value) -> KeptReference {
        let tables = kept["reference"]["tables"].as_object().cloned().unwrap_or_default();
        KeptReference {
            version: kept["reference"]["version"].as_str().unwrap_or_default().to_owned(),
            tables: tables.into_iter().filter_map(|(name, hash)| Some((name, hash.as_str()?.to_owned()))).collect(),
        }
    }

    /// The date of a kept manifest.
    pub fn as_of_of(kept: &Value) -> Option<NaiveDate> {
        kept["as_of"].as_str()?.parse().ok()
    }

    /// The day on which it was published, in Pakistan (UTC+5, without daylight saving).
    pub fn published_on(kept: &Value) -> Option<NaiveDate> {
        let at = DateTime::parse_from_rfc3339(kept["published_at"].as_str()?).ok()?;
        Some(at.with_timezone(&FixedOffset::east_opt(5 * 3_600)?).date_naive())
    }

    /// Where the vault's memory stood before an edition was made, and after.
    pub fn ledger_of(kept: &Value) -> Option<[Head; 2]> {
        let head = |at: &str| Head::from_text(kept["ledger"][at].as_str()?);
        Some([head("before")?, head("after")?])
    }

    /// The hashes of the marts of a kept manifest.
    pub fn marts_of(kept: &Value) -> BTreeMap<String, String> {
        let marts = kept["marts"].as_object().cloned().unwrap_or_default();
        marts.into_iter().filter_map(|(name, hash)| Some((name, hash.as_str()?.to_owned()))).collect()
    }

    /// The cut of a kept manifest.
    pub fn cut_of(kept: &Value) -> BTreeMap<String, i64> {
        let cut = kept["cut"].as_object().cloned().unwrap_or_default();
        cut.into_iter().filter_map(|(partition, next)| Some((partition, next.as_i64()?))).collect()
    }

    /// The same as places of the log: the events below it are in the edition.
    pub fn below(kept: &Value) -> BTreeMap<PartitionId, i64> {
        let place = |(name, next): (String, i64)| {
            let (stream, partition) = name.rsplit_once('/')?;
            Some((PartitionId { log_stream: stream.into(), partition: partition.parse().ok()? }, next))
        };
        Self::cut_of(kept).into_iter().filter_map(place).collect()
    }

    /// What must be the same for an edition to be made again: name, then, now.
    pub fn compare(&self, kept: &Value) -> [(&'static str, String, String); 4] {
        let then = |key: &str| kept[key].as_str().unwrap_or("nothing").to_owned();
        [
            ("sql/", then("sql"), self.sql.clone()),
            ("the policy", then("policy"), self.policy.clone()),
            ("the methodology version", then("methodology"), self.methodology.clone()),
            ("the key", then("key_fingerprint"), self.key_fingerprint.clone()),
        ]
    }
}
