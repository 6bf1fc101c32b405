//! What agencies are told of their messages: the form of what stands on the stream of receipts, and the fold by which it is read
//! (ingestion.md 3.4, "Receipts").
//!
//! After a commit the worker says of each partition which offsets are in the lake now, and which of them were not accepted.
//! What is not an exception was accepted; an offset that no receipt speaks of has no row (an operator's reset skipped it, or the
//! log holds nothing there). A receipt may come again, also with other bounds, but never before all of what lies below it was told: so
//! whoever keeps the next offset of each partition and ignores what lies below has one outcome of each offset ([`Reader`]).
//!
//! Absent on purpose: anything about a person. A sentence names places and remedies, never a value (3.6).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Most exceptions in one receipt; a range with more is cut (ingestion.md 3.4).
pub const MOST_EXCEPTIONS: usize = 1_000;

/// What became of the messages at the offsets `[from, to)` of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// A version of the table `events` that holds their rows.
    pub lake_version: u64,
    /// The batch that brought them; `None` of a receipt that was made from the table, which may speak of several.
    pub batch_id: Option<String>,
    /// `<source_uid>/<stream>`: another generation of a stream is another one (ingestion.md 3.3).
    pub stream: String,
    /// Number of the partition.
    pub partition: i32,
    /// First offset.
    pub from: i64,
    /// Offset after the last one.
    pub to: i64,
    /// What was not accepted, in order of offset.
    pub exceptions: Vec<Exception>,
}

/// A message that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// Its offset.
    pub offset: i64,
    /// `set_aside`, `duplicate` or `conflict`, as in the column `_status`.
    pub status: String,
    /// The reason as one word (`_error_class`); none of a duplicate.
    pub class: Option<String>,
    /// The reason as a sentence that names the place and the remedy, never a value (`_error_detail`).
    pub detail: Option<String>,
}

/// An edition was published: whatever lies below its cut and was accepted is counted in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditionNotice {
    /// Its number.
    pub edition: i64,
    /// The day that it speaks of, YYYY-MM-DD.
    pub as_of: String,
    /// The next offset of each partition, `<source_uid>/<stream>/<partition>`.
    pub cut: BTreeMap<String, i64>,
}

/// A message on the stream of receipts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Told {
    /// What became of a range.
    Receipt(Receipt),
    /// An edition was published.
    Edition(EditionNotice),
}

impl Receipt {
    /// The receipt as several, none of which has more than [`MOST_EXCEPTIONS`]; together they say the same.
    pub fn cut(self) -> Vec<Self> {
        let Self { exceptions, from, to, .. } = &self;
        let chunks: Vec<_> = exceptions.chunks(MOST_EXCEPTIONS).collect();
        let begins: Vec<i64> = chunks.iter().skip(1).map(|chunk| chunk[0].offset).collect();
        if begins.is_empty() {
            return vec![self];
        }
        let ends = begins.iter().copied().chain([*to]);
        let part = |((from, to), chunk): ((i64, i64), &&[Exception])| Self {
            from,
            to,
            exceptions: chunk.to_vec(),
            batch_id: self.batch_id.clone(),
            stream: self.stream.clone(),
            ..self
        };
        std::iter::once(*from).chain(begins.iter().copied()).zip(ends).zip(&chunks).map(part).collect()
    }

    /// The agency's stream: `stream` without the log that it is in.
    pub fn stream_name(&self) -> &str {
        self.stream.rsplit_once('/').map_or(&self.stream, |(_, name)| name)
    }
}

impl Told {
    /// As it is sent: one JSON object.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings and numbers always have a form in JSON")
    }

    /// Reads what was sent; `None` where it has a form that this program does not know. Further fields are ignored, so that a
    /// reader of before reads on beside a writer of later.
    pub fn decode(message: &[u8]) -> Option<Self> {
        serde_json::from_slice(message).ok()
    }
}

/// Reads the stream of receipts: passes on what is new and nothing twice. All that it keeps is the next offset of each partition
/// and the number of the last edition; whoever stores those with what was passed on may end and go on at any message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reader {
    /// The next offset of each partition of which something was told, by stream and number.
    pub next: BTreeMap<(String, i32), i64>,
    /// The highest edition told of.
    pub edition: Option<i64>,
}

impl Reader {
    /// What this message says that none before it said.
    pub fn take(&mut self, told: Told) -> Option<Told> {
        match told {
            Told::Receipt(receipt) => self.take_receipt(receipt).map(Told::Receipt),
            Told::Edition(notice) => {
                let is_new = self.edition.is_none_or(|known| known < notice.edition);
                is_new.then(|| {
                    self.edition = Some(notice.edition);
                    Told::Edition(notice)
                })
            }
        }
    }

    fn take_receipt(&mut self, mut receipt: Receipt) -> Option<Receipt> {
        let next = self.next.entry((receipt.stream.clone(), receipt.partition)).or_insert(receipt.from);
        if receipt.to <= *next {
            return None;
        }
        receipt.from = receipt.from.max(*next);
        receipt.exceptions.retain(|exception| exception.offset >= receipt.from);
        *next = receipt.to;
        Some(receipt)
    }
}
