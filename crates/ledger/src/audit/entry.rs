//! What is recorded of a question. The form is frozen: names and meanings stay, fields are only added, with a default.
//!
//! Absent: true numbers, persons, what a suppressed cell would have shown, and how long it took but for its class.

use disclosure::Head;
use serde::{Deserialize, Serialize};

use crate::hex;

/// The decision of a question that was answered; every other one is the code of a refusal.
pub const ANSWERED: &str = "answered";

/// One entry, kept and hashed as one line of JSON, its fields in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recorded {
    /// A question was asked.
    Begin(Begin),
    /// It was answered or refused.
    End(End),
    /// Somebody came in, or did not; or who may was changed. Since format 3.
    Decided(Decided),
}

/// What was decided about who may come in and what they may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// When, in milliseconds since 1970, UTC.
    pub time_ms: i64,
    /// About whom; where nobody has that name, it is not kept.
    pub principal: Principal,
    /// What: `came_in`, `not_proven`, `locked_out`, `left`, `invited`, `key_made`, `accepted`, `removed`, `not_allowed`, `question_saved`,
    /// `question_removed`, `link_decided`, `conflict_decided`.
    pub what: String,
    /// At which door: `http`, `postgres`, `flight`, `cli`.
    pub door: String,
}

/// A question, before anything is done for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    /// When it came, in milliseconds since 1970, UTC.
    pub time_ms: i64,
    /// Who asks.
    pub principal: Principal,
    /// Why: the code of the purpose that was named.
    pub purpose: String,
    /// The text as it came.
    pub sql: String,
    /// Which way it came.
    pub door: Door,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Names the key that was shown; not the key.
    pub key_id: String,
    /// Of a question, the share that pays for it; of a decision, the role.
    pub role: String,
}

/// Which way a question came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// SQL over HTTP.
    Http,
    /// The command line, beside the store.
    Cli,
    /// The making of an edition.
    Edition,
}

/// What became of a question, before its reply leaves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct End {
    /// The number of its [`Begin`].
    pub begin: u64,
    /// [`ANSWERED`], or the code of the refusal.
    pub decision: String,
    /// Ids of the cell queries that it came to, in hexadecimal digits.
    #[serde(default)]
    pub cell_queries: Vec<String>,
    /// How many cells left.
    #[serde(default)]
    pub cells: u64,
    /// How many of these were suppressed. For the privacy office alone.
    #[serde(default)]
    pub suppressed: u64,
    /// Variances of the noise of its cells, each once.
    #[serde(default)]
    pub tiers: Vec<u16>,
    /// What was charged, a line for each grid; empty where nothing was.
    #[serde(default)]
    pub charges: Vec<String>,
    /// The head of the vault's memory after it.
    #[serde(with = "hex::head")]
    pub vault_head: Head,
    /// The time slot at whose end the reply leaves, in milliseconds (privacy.md 6.11): what the client can measure anyway.
    #[serde(default)]
    pub slot_ms: u64,
    /// Its cell queries in words, in the order of [`End::cell_queries`], each with what became of it. Since format 2.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<Asked>,
}

/// A cell query in words, and what answered it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Asked {
    /// Dataset, conditions, breakdown and measures, in codes of the published lists alone.
    pub text: String,
    /// How many cells left.
    pub cells: u64,
    /// How many of these were suppressed. For the privacy office alone.
    pub suppressed: u64,
    /// Numbers of the sets in the vault's memory that answered; not for which cell, and never how large they are.
    #[serde(default)]
    pub anchors: Vec<u64>,
}

impl Door {
    /// As it is written in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Cli => "cli",
            Self::Edition => "edition",
        }
    }
}

impl End {
    /// Whether the question was refused.
    pub fn is_refused(&self) -> bool {
        self.decision != ANSWERED
    }
}

impl Recorded {
    /// The bytes that are kept and hashed.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an entry is plain data with text for keys")
    }

    /// The entry of these bytes; `None` where they are none that this program knows.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}
