//! What rows of one record are to each other: corrections and retractions of one another.
//!
//! | row | its target | so |
//! |---|---|---|
//! | retraction | a fact or correction of the same record and of the type named | the target is `retracted` |
//! | correction | a fact of the same record and of the type named | takes the target's place and person |
//! | correction | … which is retracted | `target_retracted` |
//! | either | not in the record (yet) | `target_unknown`: applies when the target arrives |
//! | either | a correction corrected, a retraction retracted, another type | `flagged`: no effect |
//!
//! A record has one agency (the first part of its id, checked when the event was admitted), so "the same record" is
//! also "the same agency". Nothing here depends on the order of rows, nor on when a row was decoded: rows that were staged
//! before are linked anew with those that came since ([`Told`] is what both know of themselves).
//!
//! Absent: what follows for counting (`sql/staging`); copies (see `copies`).

use std::collections::{HashMap, HashSet};

use events::EventType;

use super::rows::Place;

/// What a row says of itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told<'a> {
    /// The record.
    pub record: &'a str,
    /// The agency, as numbered by the policy.
    pub agency: u16,
    /// Its own type.
    pub kind: EventType,
    /// The type of fact it states, corrects or retracts.
    pub fact: EventType,
    /// Its own place.
    pub own: Place,
    /// The event that it corrects or retracts.
    pub target: Option<u128>,
    /// The surrogate of the first person it names; zeros where it names none.
    pub person: [u8; 16],
    /// Another row tells the same event and was kept.
    pub is_copy: bool,
}

impl Told<'_> {
    fn key(&self) -> (u16, u128) {
        (self.agency, self.own.event_id)
    }
}

/// What a row is to the others of its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Links {
    /// Its place in the order: of a correction, its target's.
    pub place: Place,
    /// The person it is about: of a correction, its target's.
    pub person: [u8; 16],
    /// A valid retraction names it.
    pub retracted: bool,
    /// A correction whose target is retracted.
    pub target_retracted: bool,
    /// A correction or retraction whose target has not arrived.
    pub target_unknown: bool,
    /// A correction or retraction that has no effect: of the wrong type, or in a circle.
    pub flagged: bool,
}

/// Links whole records; the answer has an element for each row.
pub(crate) fn link(rows: &[Told<'_>]) -> Vec<Links> {
    let kept: Kept = rows.iter().enumerate().filter(|(_, row)| !row.is_copy).map(|(at, row)| (row.key(), at)).collect();
    let mut links: Vec<Links> = rows.iter().map(alone).collect();
    mark_retracted(rows, &kept, &mut links);
    place_corrections(rows, &kept, &mut links);
    links
}

/// Kept row of each event.
type Kept = HashMap<(u16, u128), usize>;

fn alone(row: &Told<'_>) -> Links {
    Links {
        place: row.own,
        person: row.person,
        retracted: false,
        target_retracted: false,
        target_unknown: false,
        flagged: false,
    }
}

/// The target of `row` as a row of the same record, if it is there.
fn target_of(rows: &[Told<'_>], kept: &Kept, row: &Told<'_>) -> Option<usize> {
    let target = *kept.get(&(row.agency, row.target?))?;
    (rows[target].record == row.record).then_some(target)
}

fn mark_retracted(rows: &[Told<'_>], kept: &Kept, links: &mut [Links]) {
    let mut retracted = HashSet::new();
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| row.kind == EventType::RecordRetracted) {
        match target_of(rows, kept, row).map(|target| &rows[target]) {
            None => links[at].target_unknown = true,
            Some(target) if target.kind == row.fact && target.kind != EventType::RecordRetracted => {
                if !row.is_copy {
                    retracted.insert(target.key());
                }
            }
            Some(_) => links[at].flagged = true,
        }
    }
    // Every copy of a retracted event is retracted, so that the two rules can be read apart.
    for (_, link) in rows.iter().zip(links).filter(|(row, _)| retracted.contains(&row.key())) {
        link.retracted = true;
    }
}

fn place_corrections(rows: &[Told<'_>], kept: &Kept, links: &mut [Links]) {
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| row.kind == EventType::RecordCorrected) {
        match target_of(rows, kept, row) {
            None => links[at].target_unknown = true,
            Some(target) if rows[target].kind == row.fact => {
                links[at].place = rows[target].own;
                links[at].person = rows[target].person;
                links[at].target_retracted = links[target].retracted;
            }
            Some(_) => links[at].flagged = true,
        }
    }
}
