//! Which of several rows of one event counts.
//!
//! Over accepted rows and conflicts one is kept for each (agency, event id): the row that the steward chose, and else by content, the
//! least sealed payload, never by position (ingestion.md 3.7.5). Ingest makes copies rare; here it is decided.
//!
//! Absent: files, what the steward chose (see `choices`), links between different events (see `link`).

use std::borrow::Cow;
use std::collections::HashMap;

use events::EventType;

use super::rows::{Raw, Row};

/// Contents of the rows to keep for events that several buckets tell.
pub(crate) type Winners = HashMap<(u16, u128), Content>;

/// What identifies a kept row, owned; the least is kept ([`Raw::rank`]).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Content {
    /// Whether it is not the one that the steward chose.
    unchosen: bool,
    payload: Vec<u8>,
    kind: EventType,
    record_id: String,
    recorded_at: i64,
    version: u16,
}

impl Content {
    /// The content of a row.
    pub fn of(raw: &Raw<'_>) -> Self {
        let (unchosen, (payload, kind, record_id, recorded_at, version)) = raw.rank();
        Self { unchosen, payload: payload.into_owned(), kind, record_id: record_id.to_owned(), recorded_at, version }
    }

    fn is(&self, row: &Row<'_>) -> bool {
        let payload = Cow::Borrowed(self.payload.as_slice());
        let content = (payload, self.kind, self.record_id.as_str(), self.recorded_at, self.version);
        (self.unchosen, content) == row.raw.rank()
    }
}

/// Marks all rows of an event but the one that counts. `winners` knows those of which rows lie elsewhere too.
pub(crate) fn mark(rows: &mut [Row<'_>], winners: &Winners) {
    let mut kept: HashMap<(u16, u128), usize> = HashMap::with_capacity(rows.len());
    for at in 0..rows.len() {
        let key = rows[at].raw.key();
        if winners.get(&key).is_some_and(|winner| !winner.is(&rows[at])) {
            rows[at].is_copy = true;
            continue;
        }
        match kept.get(&key).copied() {
            Some(other) if rows[other].raw.rank() <= rows[at].raw.rank() => rows[at].is_copy = true,
            Some(other) => {
                rows[other].is_copy = true;
                kept.insert(key, at);
            }
            None => {
                kept.insert(key, at);
            }
        }
    }
}
