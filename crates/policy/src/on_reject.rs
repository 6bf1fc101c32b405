//! What becomes of a message that cannot be accepted, by agency (ingestion.md 3.6).
//!
//! A message counts as one that cannot be accepted whatever its class (`parse` to `decoder_crash`); a second copy of an
//! event, with the same content or with another, was accepted before and does not count. A message that waits for its
//! Avro schema is not judged at all: that is ours to mend.

use serde::Deserialize;

use crate::PolicyError;

/// What becomes of a message that cannot be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnReject {
    /// Its partition stands still before it, until an operator lets it go on.
    Suspend,
    /// It is set aside, however many there are.
    SetAside,
    /// It is set aside, unless it would be one more than `most` among the last `window` offsets of its partition: then the
    /// partition stands still before it. A feed that has changed its form is noticed so, and not set aside as a whole.
    SetAsideWithLimit {
        /// Messages that may be set aside among the last `window` offsets.
        most: u32,
        /// Offsets of the partition, this message's own included.
        window: u32,
    },
}

/// The names in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Rule {
    Suspend,
    SetAside,
    #[default]
    SetAsideWithLimit,
}

/// The table `[on_reject]`: the rule of an agency that names none, and the limit.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct OnRejectFile {
    rule: Rule,
    limit_percent: u32,
    window: u32,
}

impl Default for OnRejectFile {
    /// Five percent of ten thousand (ingestion.md 3.6).
    fn default() -> Self {
        Self { rule: Rule::default(), limit_percent: 5, window: 10_000 }
    }
}

impl OnRejectFile {
    pub(crate) fn checked(self, file: &'static str) -> Result<Self, PolicyError> {
        let refuse = |what| Err(PolicyError::OutOfRange { file, place: "on_reject".to_owned(), what });
        if !(1..=100).contains(&self.limit_percent) {
            return refuse(
                "limit_percent must be between 1 and 100; for a limit of nothing there is rule = \"suspend\"",
            );
        }
        if !(1..=1_000_000).contains(&self.window) {
            return refuse("window must be between 1 and 1000000 offsets");
        }
        Ok(self)
    }

    pub(crate) fn of(&self, rule: Option<Rule>) -> OnReject {
        match rule.unwrap_or(self.rule) {
            Rule::Suspend => OnReject::Suspend,
            Rule::SetAside => OnReject::SetAside,
            Rule::SetAsideWithLimit => {
                // At most a hundred percent of a million: it fits.
                let most = self.window * self.limit_percent / 100;
                OnReject::SetAsideWithLimit { most, window: self.window }
            }
        }
    }
}
