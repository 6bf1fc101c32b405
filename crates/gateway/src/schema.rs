//! What is registered: a text, its type, the schemas that it refers to; and how strictly a subject's versions are compared.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest text of a schema, bytes.
pub const MAX_SCHEMA_BYTES: usize = 512 << 10;

/// Most references of one schema.
pub const MAX_REFERENCES: usize = 32;

/// The language of a schema. Confluent's third one, `PROTOBUF`, is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SchemaType {
    /// Apache Avro.
    #[serde(rename = "AVRO")]
    Avro,
    /// JSON Schema: kept and served; two versions are compatible when they say the same.
    #[serde(rename = "JSON")]
    Json,
}

impl SchemaType {
    /// As the protocol spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Avro => "AVRO",
            Self::Json => "JSON",
        }
    }

    /// From the protocol's spelling; `None` for a language that is not supported.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "AVRO" => Some(Self::Avro),
            "JSON" => Some(Self::Json),
            _ => None,
        }
    }
}

/// That a schema uses the types of a version of a subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The name by which the schema uses it; for Avro a full name.
    pub name: String,
    /// Where it is registered.
    pub subject: String,
    /// Its version there.
    pub version: i32,
}

/// A schema as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its language.
    pub schema_type: SchemaType,
    /// Its text.
    pub text: String,
    /// What it refers to.
    pub references: Vec<Reference>,
}

impl Draft {
    /// An Avro schema that refers to nothing.
    pub fn avro(text: impl Into<String>) -> Self {
        Self { schema_type: SchemaType::Avro, text: text.into(), references: Vec::new() }
    }
}

/// A registered schema. Its id is global, never reused, and means the same for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The number that messages carry.
    pub id: i32,
    /// Language, text and references as they were registered.
    pub draft: Draft,
}

/// A version of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The subject.
    pub subject: String,
    /// Its number there, from 1, without gaps.
    pub version: i32,
    /// The schema.
    pub schema: Schema,
}

/// Which version of a subject is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The highest.
    Latest,
    /// This one.
    Number(i32),
}

impl FromStr for Which {
    type Err = ();

    /// `latest`, `-1` (the same), or a number from 1.
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "latest" | "-1" => Ok(Self::Latest),
            number => number.parse().ok().filter(|number| *number > 0).map(Self::Number).ok_or(()),
        }
    }
}

/// What a new version must be able to read, or be read by. The words are Confluent's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Level {
    /// Nothing.
    None,
    /// It reads what the last version writes.
    Backward,
    /// It reads what every version writes: the default, because events are kept for ever (ingestion.md part 5).
    BackwardTransitive,
    /// The last version reads what it writes.
    Forward,
    /// Every version reads what it writes.
    ForwardTransitive,
    /// Both, with the last version.
    Full,
    /// Both, with every version.
    FullTransitive,
}

impl Level {
    /// Every level.
    pub const ALL: [Self; 7] = [
        Self::None,
        Self::Backward,
        Self::BackwardTransitive,
        Self::Forward,
        Self::ForwardTransitive,
        Self::Full,
        Self::FullTransitive,
    ];

    /// As the protocol spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Backward => "BACKWARD",
            Self::BackwardTransitive => "BACKWARD_TRANSITIVE",
            Self::Forward => "FORWARD",
            Self::ForwardTransitive => "FORWARD_TRANSITIVE",
            Self::Full => "FULL",
            Self::FullTransitive => "FULL_TRANSITIVE",
        }
    }

    /// Whether all versions count, not the last alone.
    pub fn is_transitive(self) -> bool {
        matches!(self, Self::BackwardTransitive | Self::ForwardTransitive | Self::FullTransitive)
    }

    /// Whether the new version must read what earlier ones write.
    pub fn reads_earlier(self) -> bool {
        matches!(self, Self::Backward | Self::BackwardTransitive | Self::Full | Self::FullTransitive)
    }

    /// Whether earlier versions must read what the new one writes.
    pub fn read_by_earlier(self) -> bool {
        matches!(self, Self::Forward | Self::ForwardTransitive | Self::Full | Self::FullTransitive)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|level| level.name() == text.to_ascii_uppercase()).ok_or(())
    }
}
