//! Rows of events, decoded once.
//!
//! Absent: reading the lake (rows come as borrowed columns) and what the rows mean together (see `link`).

use std::borrow::Cow;

use events::{Data, EventType, Occurred};
use policy::Erased;

use super::link::Told;
use super::scatter::Gone;
use crate::keys::hash_bytes;

/// An event's place in the folding order of its record (domain.md 4): `record_version`, then `time`, then event id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The agency's counter on the record.
    pub version: i64,
    /// When the agency recorded it, microseconds UTC.
    pub recorded_at: i64,
    /// The event's id.
    pub event_id: u128,
}

/// One row of the lake, as stored: sealed, not yet decoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw<'a> {
    /// The event's id.
    pub event_id: u128,
    /// The record.
    pub record_id: &'a str,
    /// The type.
    pub kind: EventType,
    /// Version of the type's schema.
    pub version: u16,
    /// The agency, as numbered by the policy.
    pub agency: u16,
    /// `time`, microseconds UTC.
    pub recorded_at: i64,
    /// The sealed payload.
    pub payload: &'a [u8],
    /// The steward said that of all rows of its event this one counts.
    pub is_chosen: bool,
}

/// What a row says, in the order in which the least is kept.
type Said<'a> = (Cow<'a, [u8]>, EventType, &'a str, i64, u16);

impl Raw<'_> {
    /// What makes two rows the same event (ingestion.md 3.7).
    pub fn key(&self) -> (u16, u128) {
        (self.agency, self.event_id)
    }

    /// Where it is told: the event, and the hash of the record.
    fn place(&self) -> (u16, u128, u64) {
        (self.agency, self.event_id, hash_bytes(self.record_id.as_bytes()))
    }

    /// By what one of several copies is kept, the least: whether the steward chose another, then the content.
    pub fn rank(&self) -> (bool, Said<'_>) {
        (!self.is_chosen, self.content())
    }

    /// By what one of several copies is kept where nothing was decided: content alone, the sealed payload first (ingestion.md 3.7.5),
    /// as JSON whatever it was sent as.
    pub fn content(&self) -> Said<'_> {
        let payload = events::sealed_json(self.kind, self.version, self.payload);
        (payload, self.kind, self.record_id, self.recorded_at, self.version)
    }
}

/// A decoded row.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    /// The row as stored.
    pub raw: Raw<'a>,
    /// Its own place.
    pub own: Place,
    /// The type of fact it states, or of the fact it corrects; of a retraction, its target's type.
    pub fact: EventType,
    /// What it says.
    pub data: Data,
    /// When it happened; of a correction only if that is corrected.
    pub occurred: Option<Occurred>,
    /// The surrogate of the first person it names; zeros where it names none.
    pub person: [u8; 16],
    /// That of its second token.
    pub second: Option<[u8; 16]>,
    /// Another row tells the same event and was kept (see `copies`).
    pub is_copy: bool,
}

impl<'a> Row<'a> {
    /// Decodes a row; its data are of the newest version of its type, and name nobody who is erased.
    pub fn decode(raw: Raw<'a>, erased: &Erased) -> Result<Self, events::Fault> {
        let mut sealed = events::decode_sealed(raw.kind, raw.version, raw.payload)?;
        for person in sealed.data.persons_mut() {
            *person = erased.in_place_of(person).unwrap_or(*person);
        }
        let own = Place { version: sealed.record_version, recorded_at: raw.recorded_at, event_id: raw.event_id };
        let (fact, occurred) = match &sealed.data {
            Data::RecordCorrected(correction) => (correction.target_type, correction.occurred),
            Data::RecordRetracted(retraction) => (retraction.target_type, None),
            Data::ReportExpected(report) => (raw.kind, Some(report.period)),
            Data::ReportNil(report) => (raw.kind, Some(report.period)),
            _ => (raw.kind, sealed.occurred),
        };
        let mut tokens = sealed.persons.iter().map(|(_, surrogate)| *surrogate);
        let (first, second) = (tokens.next(), tokens.next());
        let person = first.or_else(|| sealed.data.persons().first().copied()).unwrap_or_default();
        Ok(Self { raw, own, fact, data: sealed.data, occurred, person, second, is_copy: false })
    }

    /// Where what it corrects or retracts is told: in its own record.
    fn target_place(&self) -> Option<(u16, u128, u64)> {
        let (agency, _, record) = self.raw.place();
        Some((agency, self.target()?, record))
    }

    /// Whether it takes another event back.
    pub fn is_retraction(&self) -> bool {
        matches!(self.data, Data::RecordRetracted(_))
    }

    /// The event that it corrects or retracts.
    pub fn target(&self) -> Option<u128> {
        match &self.data {
            Data::RecordCorrected(correction) => Some(correction.target.as_u128()),
            Data::RecordRetracted(retraction) => Some(retraction.target.as_u128()),
            _ => None,
        }
    }

    /// What it says of itself to the other rows of its record.
    pub fn told(&self) -> Told<'a> {
        Told {
            record: self.raw.record_id,
            agency: self.raw.agency,
            kind: self.raw.kind,
            fact: self.fact,
            own: self.own,
            target: self.target(),
            person: self.person,
            is_copy: self.is_copy,
        }
    }
}

/// Rows but for corrections and retractions of what is gone (and of those corrections), and how many those were. What is said within its
/// record of an event of which another content is kept there is not gone.
pub(crate) fn without<'a>(mut rows: Vec<Row<'a>>, gone: &Gone) -> (Vec<Row<'a>>, u64) {
    let (before, mut gone) = (rows.len(), gone.clone());
    while !gone.is_empty() {
        let here: Gone = rows.iter().map(|row| row.raw.place()).collect();
        let is_left = |row: &Row<'_>| !row.target_place().is_some_and(|at| gone.contains(&at) && !here.contains(&at));
        let (left, found): (Vec<_>, Vec<_>) = rows.into_iter().partition(is_left);
        rows = left;
        if found.is_empty() {
            break;
        }
        gone.extend(found.iter().map(|row| row.raw.place()));
    }
    let left_out = (before - rows.len()) as u64;
    (rows, left_out)
}
