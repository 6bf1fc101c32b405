//! Sealing: the agency's tokens leave the event, keyed surrogates take their place, every other byte stays as sent.
//!
//! The payload is spliced, not written anew: tokens are slices of the message, so their byte ranges are known
//! (ingestion.md 3.6). Of Avro the length before a token is replaced with it; what is kept of it and how is told in
//! [`events::avro::Form`]. Absent: any choice of which surrogate becomes a person's id (models, by record order).

use std::hash::Hasher as _;
use std::io::{self, Write};

use events::avro::{self, Form};
use events::{Event, EventType, TokenAt};
use policy::Keys;
use siphasher::sip::SipHasher13;
use smallvec::SmallVec;

use crate::admit::Admitted;
use crate::columns::Envelope;

/// Sixteen bytes that stand for a token.
pub(crate) type Surrogate = [u8; 16];

/// An event whose tokens have surrogates. The payload is made by [`Sealed::write_payload`], straight into a column.
#[derive(Debug)]
pub(crate) struct Sealed<'a> {
    pub event: Event<'a>,
    /// Surrogates in the order of the tokens; the first names the person. Then those by which the event itself names persons.
    pub subjects: SmallVec<[Surrogate; 4]>,
    /// For linkage alone: keyed hash of kind and token without the agency, in the order of the tokens.
    pub links: SmallVec<[Surrogate; 4]>,
}

/// Replaces tokens by surrogates.
pub(crate) fn seal<'a>(event: Event<'a>, _: Admitted, keys: &Keys) -> Sealed<'a> {
    let agency = event.agency;
    let sealed = event.tokens.iter().map(|t| policy::person_surrogate(keys, agency, t.token));
    let subjects = sealed.chain(event.data.persons()).collect();
    let links = event.tokens.iter().map(|t| policy::link_ref(keys, t.kind.as_str(), t.token)).collect();
    Sealed { event, subjects, links }
}

impl Sealed<'_> {
    /// The envelope, as columns take it.
    pub(crate) fn envelope(&self) -> Envelope<&str> {
        Envelope {
            id: self.event.id,
            record_id: &self.event.record_id,
            kind: self.event.kind,
            version: self.event.version,
            record_version: self.event.record_version,
            recorded_at: self.event.recorded_at,
            occurred: self.event.occurred,
        }
    }

    /// Writes the event's data with surrogates (32 hex digits) in place of tokens.
    pub(crate) fn write_payload(&self, out: &mut impl Write) -> io::Result<()> {
        if self.event.form == Form::Json {
            return splice(self.event.raw, &self.event.tokens, &self.subjects, out);
        }
        let subjects: SmallVec<[_; 4]> = self.subjects.iter().map(hex).collect();
        avro::write_sealed(&self.event, &subjects, out)
    }
}

fn splice(raw: &[u8], tokens: &[TokenAt<'_>], surrogates: &[Surrogate], out: &mut impl Write) -> io::Result<()> {
    let mut written = 0;
    for (token, surrogate) in tokens.iter().zip(surrogates) {
        debug_assert!(written <= token.at.start && raw.get(token.at.clone()) == Some(token.token.as_bytes()));
        out.write_all(&raw[written..token.at.start])?;
        out.write_all(&hex(surrogate))?;
        written = token.at.end;
    }
    out.write_all(&raw[written..])
}

/// A surrogate as it stands in payloads.
pub(crate) fn hex(surrogate: &Surrogate) -> [u8; 32] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 32];
    for (pair, byte) in text.chunks_exact_mut(2).zip(surrogate) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    text
}

/// What makes two copies of an event the same: everything that is stored of it but its place and times of arrival.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Content<'a> {
    pub kind: EventType,
    pub version: u16,
    pub record_id: &'a str,
    /// Microseconds UTC.
    pub recorded_at: i64,
    /// Sealed payload.
    pub payload: &'a [u8],
}

impl Content<'_> {
    /// Keyed fingerprint; equal contents have equal ones. It is only ever compared between copies of one event id, and
    /// nobody without the key can make two contents meet.
    pub(crate) fn fingerprint(&self, key: (u64, u64)) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(key.0, key.1);
        hasher.write(self.payload);
        hasher.write_usize(self.payload.len());
        hasher.write(self.kind.name().as_bytes());
        hasher.write_u16(self.version);
        hasher.write_i64(self.recorded_at);
        hasher.write(self.record_id.as_bytes());
        hasher.finish()
    }

    /// Whether both say the same, however they are serialised and in whichever version: "both decoded and sealed, so that
    /// a re-serialised event is still the same" (ingestion.md 3.7); an agency that has upgraded may send what it sent before.
    pub(crate) fn same_as(&self, other: &Content<'_>) -> bool {
        let envelope = |c: &Content<'_>| (c.kind, c.recorded_at);
        if envelope(self) != envelope(other) || self.record_id != other.record_id {
            return false;
        }
        (self.version == other.version && self.payload == other.payload)
            || match (self.decode(), other.decode()) {
                (Some(one), Some(two)) => one == two,
                _ => false,
            }
    }

    fn decode(&self) -> Option<events::SealedEvent> {
        events::decode_sealed(self.kind, self.version, self.payload).ok()
    }
}
