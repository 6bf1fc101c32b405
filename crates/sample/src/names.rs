//! The names of things: record ids, person tokens, event ids. All opaque, all from hashes of counters.
//!
//! Tokens are made as an agency's own machine would make them (architecture.md, *tokenize*): a keyed hash of an
//! identity, written in an alphabet without vowels, so that no name, CNIC or telephone number can be spelled.
//! There is no identity behind them here, only a counter of synthetic people.

use crate::agency::Agency;

/// 32 characters for 5 bits each, of the 30 allowed ones (two letters twice).
const ALPHABET: &[u8; 32] = b"0123456789bcdfghjkmnpqrstvwxyzbc";
/// 16 letters for 4 bits each: the first four characters of each name, because at least four letters are asked for.
const LETTERS: &[u8; 16] = b"bcdfghjkmnpqrstv";
const HEX: &[u8; 16] = b"0123456789abcdef";

/// Kind of a person token (code list `token_kind`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// From the number of an identity document.
    Document,
    /// From name and date of birth.
    NameBirth,
    /// From the sound of the name.
    Phonetic,
    /// From the mother's name.
    MotherName,
}

impl TokenKind {
    /// Its code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::NameBirth => "name_birth",
            Self::Phonetic => "phonetic",
            Self::MotherName => "mother_name",
        }
    }
}

/// Mixes a number so that neighbours share nothing (the finaliser of SplitMix64; a bijection).
pub fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Writes an opaque name of 24 characters, the first four letters.
fn write_opaque(hash: u64, out: &mut Vec<u8>) {
    let mut name = [0u8; 24];
    let (first, second) = (mix(hash), mix(hash ^ 0x5bf0_3635));
    for (at, place) in name.iter_mut().enumerate() {
        let word = if at < 12 { first } else { second };
        let bits = word >> (at % 12 * 5);
        *place = if at < 4 { LETTERS[(bits & 15) as usize] } else { ALPHABET[(bits & 31) as usize] };
    }
    out.extend_from_slice(&name);
}

/// A record of an agency: what an event's `subject` names.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    /// Whose record.
    pub agency: &'static Agency,
    /// The agency's number for it (unique in the world).
    pub number: u64,
}

impl Record {
    /// Writes `<AGENCY>/<opaque>`.
    pub fn write(self, seed: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(self.agency.code.as_bytes());
        out.push(b'/');
        write_opaque(mix(seed ^ 0x7265_636f) ^ self.number, out);
    }
}

/// A synthetic person: nothing but a number and how well she can be identified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Person {
    /// Unique in the world.
    pub number: u64,
    /// Whether she has an identity document; without one her name and birth come first.
    pub documented: bool,
}

impl Person {
    /// The kinds of her tokens, the one that names her first.
    pub fn kinds(self) -> &'static [TokenKind] {
        use TokenKind::{Document, MotherName, NameBirth, Phonetic};
        if self.documented { &[Document, NameBirth, Phonetic, MotherName] } else { &[NameBirth, Phonetic, MotherName] }
    }

    /// Writes her token of a kind as an agency makes it. Agencies of one tokenizing domain share their keys and
    /// therefore make equal document tokens; all other tokens are the agency's own.
    pub fn write_token(self, seed: u64, agency: &Agency, kind: TokenKind, out: &mut Vec<u8>) {
        let maker = if kind == TokenKind::Document { u64::from(agency.domain) } else { 64 + u64::from(agency.number) };
        let key = mix(seed ^ (maker << 8) ^ kind as u64);
        write_opaque(key ^ mix(self.number), out);
    }
}

/// An event id, UUIDv7: 48 bits of the milliseconds at which the agency recorded it, the rest a hash of a serial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub u128);

impl EventId {
    /// The id of the fact with this serial, recorded at this time.
    pub fn new(seed: u64, recorded_ms: i64, serial: u64) -> Self {
        let low = mix(mix(seed) ^ serial);
        let high = mix(low ^ 0x6964);
        let random = (u128::from(high & 0x0fff) << 64) | u128::from(low & 0x3fff_ffff_ffff_ffff);
        Self((recorded_ms as u128) << 80 | (7 << 76) | (2 << 62) | random)
    }

    /// Writes it in lower case with hyphens.
    pub fn write(self, out: &mut Vec<u8>) {
        let mut text = [b'-'; 36];
        let mut at = 0;
        for nibble in 0..32 {
            at += usize::from(matches!(nibble, 8 | 12 | 16 | 20));
            text[at] = HEX[(self.0 >> (124 - nibble * 4)) as usize & 15];
            at += 1;
        }
        out.extend_from_slice(&text);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::agency::agency;

    fn token(person: Person, code: &str, kind: TokenKind) -> String {
        let mut out = Vec::new();
        person.write_token(1, agency(code), kind, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_event_id_is_a_version_7_uuid_of_its_time() {
        let mut out = Vec::new();
        EventId::new(1, 0x0192_3456_789a, 5).write(&mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("01923456-789a-7"), "{text}");
        assert!(matches!(text.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{text}");
        assert_eq!(text.len(), 36);
    }

    #[test]
    fn agencies_of_one_domain_share_document_tokens_and_no_others() {
        let person = Person { number: 77, documented: true };
        let at = |code| token(person, code, TokenKind::Document);
        assert_eq!(at("FIA"), at("POL-PB"));
        assert_ne!(at("FIA"), at("IOM"));
        assert_ne!(token(person, "FIA", TokenKind::NameBirth), token(person, "POL-PB", TokenKind::NameBirth));
    }

    #[test]
    fn a_name_has_its_letters_and_no_vowel() {
        for number in 0..2000 {
            let name = token(Person { number, documented: false }, "IOM", TokenKind::Phonetic);
            assert_eq!(name.len(), 24);
            assert!(name.bytes().filter(u8::is_ascii_lowercase).count() >= 4, "{name}");
            assert!(name.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase() && !b"aeiloul".contains(&b)));
        }
    }
}
