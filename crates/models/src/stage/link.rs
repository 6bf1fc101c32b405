//! What the rows of a bucket are to each other: copies, corrections, retractions.
//!
//! | row | its target | so |
//! |---|---|---|
//! | any | an equal (agency, event id) with less content | `is_copy` (ingestion.md 3.7.5) |
//! | retraction | a fact or correction of the same record and of the type named | the target is `retracted` |
//! | correction | a fact of the same record and of the type named | takes the target's place and person |
//! | correction | … which is retracted | `target_retracted` |
//! | either | not in the record (yet) | `target_unknown`: applies when the target arrives |
//! | either | a correction corrected, a retraction retracted, another type | `flagged`: no effect |
//!
//! A record has one agency (the first part of its id, checked when the event was admitted), so "the same record" is
//! also "the same agency". Nothing here depends on the order of rows.
//!
//! Absent: what follows for counting (`sql/staging`).

use std::borrow::Cow;
use std::collections::HashMap;

use events::EventType;

use super::rows::Row;

/// Contents of the rows to keep for events that several buckets tell (see `copies`).
pub(crate) type Winners = HashMap<(u16, u128), Content>;

/// What identifies a kept row, owned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Content {
    payload: Vec<u8>,
    kind: EventType,
    record_id: String,
    recorded_at: i64,
    version: u16,
}

impl Content {
    /// The content of a row.
    pub fn of(raw: &super::rows::Raw<'_>) -> Self {
        let (payload, kind, record_id, recorded_at, version) = raw.content();
        Self { payload: payload.into_owned(), kind, record_id: record_id.to_owned(), recorded_at, version }
    }

    fn is(&self, row: &Row<'_>) -> bool {
        let payload = Cow::Borrowed(self.payload.as_slice());
        (payload, self.kind, self.record_id.as_str(), self.recorded_at, self.version) == row.raw.content()
    }
}

/// Links the rows of one bucket.
pub(crate) fn link(rows: &mut [Row<'_>], winners: &Winners) {
    let kept = mark_copies(rows, winners);
    mark_retracted(rows, &kept);
    place_corrections(rows, &kept);
}

/// Kept row of each event.
type Kept = HashMap<(u16, u128), usize>;

fn mark_copies(rows: &mut [Row<'_>], winners: &Winners) -> Kept {
    let mut kept = Kept::with_capacity(rows.len());
    for at in 0..rows.len() {
        let key = rows[at].raw.key();
        if winners.get(&key).is_some_and(|winner| !winner.is(&rows[at])) {
            rows[at].is_copy = true;
            continue;
        }
        match kept.get(&key).copied() {
            Some(other) if rows[other].raw.content() <= rows[at].raw.content() => rows[at].is_copy = true,
            Some(other) => {
                rows[other].is_copy = true;
                kept.insert(key, at);
            }
            None => {
                kept.insert(key, at);
            }
        }
    }
    kept
}

/// The target of `row` as a row of the same record, if it is there.
fn target_of(rows: &[Row<'_>], kept: &Kept, row: usize) -> Option<usize> {
    let row = &rows[row];
    let target = *kept.get(&(row.raw.agency, row.target()?))?;
    (rows[target].raw.record_id == row.raw.record_id).then_some(target)
}

fn mark_retracted(rows: &mut [Row<'_>], kept: &Kept) {
    let mut retracted = std::collections::HashSet::new();
    for at in 0..rows.len() {
        if !rows[at].is_retraction() {
            continue;
        }
        match target_of(rows, kept, at) {
            None => rows[at].target_unknown = true,
            Some(target) if rows[target].raw.kind == rows[at].fact && !rows[target].is_retraction() => {
                if !rows[at].is_copy {
                    retracted.insert(rows[target].raw.key());
                }
            }
            Some(_) => rows[at].flagged = true,
        }
    }
    // Every copy of a retracted event is retracted, so that the two rules can be read apart.
    for row in rows.iter_mut().filter(|row| retracted.contains(&row.raw.key())) {
        row.retracted = true;
    }
}

fn place_corrections(rows: &mut [Row<'_>], kept: &Kept) {
    for at in 0..rows.len() {
        if !rows[at].is_correction() {
            continue;
        }
        match target_of(rows, kept, at) {
            None => rows[at].target_unknown = true,
            Some(target) if rows[target].raw.kind == rows[at].fact => {
                rows[at].place = rows[target].own;
                rows[at].person = rows[target].person;
                rows[at].target_retracted = rows[target].retracted;
            }
            Some(_) => rows[at].flagged = true,
        }
    }
}
