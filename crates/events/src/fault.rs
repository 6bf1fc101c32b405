//! What is wrong with a message: the class, the place, and what was expected.
//!
//! Invariant: nothing in a fault comes from the message but positions and names that the contract itself knows.

use std::fmt;

/// Why a message was not accepted, coarsely (`_error_class`, design: ingestion.md 3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultClass {
    /// It is not one JSON document, or not one value of its Avro schema.
    Parse,
    /// It is JSON, but not what the contract says.
    Schema,
    /// It is larger than the limit.
    Oversize,
}

impl FaultClass {
    /// The word of `_error_class`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parse => "parse",
            Self::Schema => "schema",
            Self::Oversize => "oversize",
        }
    }
}

/// Why, finely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FaultDetail {
    /// There is no value (a tombstone is not an event).
    NoValue,
    /// Bytes are not UTF-8.
    NotUtf8,
    /// The JSON text or the Avro bytes are broken.
    Syntax,
    /// The JSON text or the Avro bytes end too early.
    Truncated,
    /// Something follows the document or the value.
    SecondDocument,
    /// Nested deeper than any event can be.
    TooDeep,
    /// Larger than the limit.
    TooLarge,
    /// A required field or attribute is absent.
    Missing,
    /// A field that the contract does not know.
    Unknown,
    /// A field or attribute that occurs twice.
    Repeated,
    /// A value of the wrong type, form, range or list.
    NotAccepted,
    /// A type that is not one of ours.
    UnknownType,
    /// A version of a type that this program does not know.
    VersionNotSupported,
    /// The message's Avro schema is not known here, or cannot be read under the contract.
    SchemaNotUsable,
}

impl FaultDetail {
    /// A stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoValue => "no_value",
            Self::NotUtf8 => "not_utf8",
            Self::Syntax => "syntax",
            Self::Truncated => "truncated",
            Self::SecondDocument => "second_document",
            Self::TooDeep => "too_deep",
            Self::TooLarge => "too_large",
            Self::Missing => "missing",
            Self::Unknown => "unknown",
            Self::Repeated => "repeated",
            Self::NotAccepted => "not_accepted",
            Self::UnknownType => "unknown_type",
            Self::VersionNotSupported => "version_not_supported",
            Self::SchemaNotUsable => "schema_not_usable",
        }
    }
}

/// A message that cannot be accepted. `Display` is one sentence for a person: place, what was expected, the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Coarse reason.
    pub class: FaultClass,
    /// Fine reason.
    pub detail: FaultDetail,
    /// Where: a path such as `data.person[0].token`, and line and column where they are known (1-based, in bytes).
    pub place: String,
    /// What was expected there, and the remedy.
    pub expected: String,
}

impl Fault {
    pub(crate) fn new(
        class: FaultClass,
        detail: FaultDetail,
        place: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self { class, detail, place: place.into(), expected: expected.into() }
    }

    pub(crate) fn schema(detail: FaultDetail, place: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::new(FaultClass::Schema, detail, place, expected)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}.", self.place, self.expected)
    }
}

impl std::error::Error for Fault {}
