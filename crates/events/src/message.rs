//! A message as it comes from the log, and the event that it turns out to be.

use crate::avro::Form;
use crate::{Data, EventType, Occurred, TokenKind};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::ops::Range;
use uuid::Uuid;

/// A message of the log, as bytes.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Key; by contract the record id. Not compared here: it only chooses the partition.
    pub key: Option<&'a [u8]>,
    /// Headers in the order sent.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// Value; `None` is a tombstone, which is not an event.
    pub value: Option<&'a [u8]>,
}

/// Bounds of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest value in bytes.
    pub max_bytes: usize,
}

impl Default for Limits {
    /// 1 MiB (design: ingestion.md 3.6).
    fn default() -> Self {
        Self { max_bytes: 1 << 20 }
    }
}

/// A token and where it stands, so that sealing can splice a surrogate in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenAt<'a> {
    /// What it was made from.
    pub kind: TokenKind,
    /// The token itself.
    pub token: &'a str,
    /// Its bytes in [`Event::raw`], without the quotes.
    pub at: Range<usize>,
}

/// An event of the contract; whether it is admitted is for others to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// The event's id, unique per agency: UUID version 7, or 8 if imported.
    pub id: Uuid,
    /// The agency of `source`.
    pub agency: &'a str,
    /// Its type.
    pub kind: EventType,
    /// Version of `dataschema`.
    pub version: u16,
    /// `subject`, of the form `<AGENCY>/<opaque>` with the agency of `source`.
    pub record_id: Cow<'a, str>,
    /// The agency's counter on the record, 1 or more.
    pub record_version: i64,
    /// `time`: when the agency recorded it, in microseconds UTC.
    pub recorded_at: i64,
    /// `occurred_on`; `None` for corrections, retractions and the reporting calendar.
    pub occurred: Option<Occurred>,
    /// Whether it says that it is synthetic.
    pub synthetic: bool,
    /// The data as sent: JSON the same in binary and structured mode, without surrounding white space; Avro with its
    /// framing.
    pub raw: &'a [u8],
    /// What `raw` is.
    pub form: Form,
    /// The person's tokens in the order sent; empty if the type names no person.
    pub tokens: SmallVec<[TokenAt<'a>; 4]>,
    /// What it carries, in the version in which it was sent; [`Data::newest`] makes it the newest.
    pub data: Data,
    /// How many envelope attributes, and fields of an Avro writer's schema, were not ours and were left out.
    pub ignored_attributes: u32,
}

/// An event that names a version of its type which is not known here: whoever reads it must wait until it is (design:
/// ingestion.md 3.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewerVersion<'a> {
    /// The agency of `source`.
    pub agency: &'a str,
    /// Its type.
    pub kind: EventType,
    /// The version it names.
    pub version: u16,
}

/// The data of an event as it lies in the lake, with surrogates in place of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedEvent {
    /// The agency's counter on the record.
    pub record_version: i64,
    /// `occurred_on`, if the type has it.
    pub occurred: Option<Occurred>,
    /// The person's surrogates in the order sent; the first names the person.
    pub persons: SmallVec<[(TokenKind, [u8; 16]); 4]>,
    /// What it carries, in the newest version of its type.
    pub data: Data,
}
