//! Second copies of an event: the same content makes a `duplicate` (no payload, the header `amanat-of` names the first
//! row), other content a `conflict`, kept sealed for a person to decide (ingestion.md 3.7). Neither is ever dropped.
//!
//! Absent: which of two conflicting contents counts (staging chooses, by content).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use events::EventType;
use lake::PartitionId;
use smallvec::SmallVec;

use crate::IngestError;
use crate::columns::Envelope;
use crate::seal::{Content, Sealed, Surrogate};

/// An event that came out of the pipeline whole, kept apart from the columns.
#[derive(Debug)]
pub(crate) struct Kept {
    pub envelope: Envelope<String>,
    pub payload: Vec<u8>,
    pub subjects: SmallVec<[Surrogate; 4]>,
    pub links: SmallVec<[Surrogate; 4]>,
    pub headers: Vec<(&'static str, String)>,
}

impl Kept {
    pub(crate) fn new(sealed: &Sealed<'_>, headers: &[(&'static str, &str)]) -> Self {
        let mut payload = Vec::with_capacity(sealed.event.raw.len() + 64);
        sealed.write_payload(&mut payload).expect("writing to memory does not fail");
        Self {
            envelope: sealed.envelope().keep(),
            payload,
            subjects: sealed.subjects.clone(),
            links: sealed.links.clone(),
            headers: headers.iter().map(|&(name, value)| (name, value.to_owned())).collect(),
        }
    }

    pub(crate) fn content(&self) -> Content<'_> {
        content(&self.envelope, &self.payload)
    }
}

/// What is compared of a row.
pub(crate) fn content<'a, S: AsRef<str>>(envelope: &'a Envelope<S>, payload: &'a [u8]) -> Content<'a> {
    Content {
        kind: envelope.kind,
        version: envelope.version,
        record_id: envelope.record_id.as_ref(),
        recorded_at: envelope.recorded_at,
        payload,
    }
}

/// An event id in a partition, whose first row is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Wanted {
    pub partition: PartitionId,
    /// Where its first row may lie beside the partition itself ([`crate::batch::Topic::kin`]).
    pub kin: Arc<[PartitionId]>,
    pub id: [u8; 16],
    /// Offset of the first row, where the window knows it.
    pub at: Option<i64>,
    /// Whether the contents of its file are to be told, of which the window may not know others either.
    pub learns: bool,
}

/// A committed row, as it is compared.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    /// Where it stands: in the partition of the copy, or in one of its kin.
    pub partition: PartitionId,
    pub offset: i64,
    pub kind: EventType,
    pub version: u16,
    pub record_id: String,
    pub recorded_at: i64,
    /// Sealed payload; `None` when it was erased.
    pub payload: Option<Vec<u8>>,
}

impl Stored {
    /// Whether the copy says the same. A row whose payload is gone has nothing left to differ from.
    pub(crate) fn same_as(&self, copy: &Kept) -> bool {
        let Self { kind, version, ref record_id, recorded_at, .. } = *self;
        self.payload
            .as_ref()
            .is_none_or(|payload| Content { kind, version, record_id, recorded_at, payload }.same_as(&copy.content()))
    }
}

/// What the lake answered.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// First rows by the partition that asked and id; an id that has no committed row is absent.
    pub rows: HashMap<(PartitionId, [u8; 16]), Stored>,
    /// Where those stand whose place was known.
    pub places: BTreeSet<(PartitionId, i64)>,
    /// Fingerprints of rows read on the way, so that a file is read for them at most once.
    pub contents: BTreeMap<PartitionId, Vec<Fingerprint>>,
}

/// What a committed row says, in short.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fingerprint {
    pub id: [u8; 16],
    pub offset: i64,
    pub content: u64,
}

/// Whoever can look into committed rows. Everything before the batch being decoded counts as committed.
pub(crate) trait Earlier {
    /// The first rows of these ids. All hits of a batch are asked for at once. Fails only when the worker is ending.
    async fn find(&mut self, wanted: Vec<Wanted>) -> Result<Found, IngestError>;
}
