//! The fixed forms of identifiers: agencies, opaque tokens, record ids, uuids.
//!
//! A direct identifier cannot pass: the token alphabet has no vowels and no `l`, so that no name can be spelled, and at
//! least four letters are required, so that no CNIC or phone number passes (design: domain.md 4, 3 "No free text").
//! Each form is also a regular expression for JSON Schema; a test holds the two together.

mod label;

use uuid::Uuid;

pub(crate) use label::{
    LIST_PATTERN, LISTED_CODE_PATTERN, NINE_DIGITS_OF_URDU_PATTERN, english_label_pattern, urdu_label_pattern,
};
pub use label::{is_english_label, is_list_name, is_listed_code, is_urdu_label};

/// Characters of an opaque token.
pub const TOKEN_ALPHABET: &[u8; 30] = b"0123456789bcdfghjkmnpqrstvwxyz";
/// Shortest and longest opaque token.
pub const TOKEN_LENGTH: std::ops::RangeInclusive<usize> = 16..=64;
/// Fewest letters in an opaque token.
pub const TOKEN_LETTERS: usize = 4;
/// What `source` begins with.
pub const SOURCE_PREFIX: &str = "urn:pk:tip:";

pub(crate) const TOKEN_CLASS: &str = "0-9bcdfghjkmnp-tv-z";
pub(crate) const LETTER_CLASS: &str = "bcdfghjkmnp-tv-z";
pub(crate) const AGENCY_PATTERN: &str = "[A-Z]{2,8}(-[A-Z0-9]{1,8})?";
pub(crate) const UUID_PATTERN: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$";

pub(crate) const LOG_PLACE_PATTERN: &str = concat!(
    "^([0-9A-Za-z_-]{1,64}(#(0|[1-9][0-9]{0,18}))?/tip[.]events[.][A-Z]{2,8}(-[A-Z0-9]{1,8})?[.]v1|replay/v1)",
    "/(0|[1-9][0-9]{0,8})/(0|[1-9][0-9]{0,17})$"
);
pub(crate) const AREA_PATTERN: &str = "^PK(-[A-Z0-9]{1,5}){0,3}$";
pub(crate) const COURT_PATTERN: &str = "^CRT(-[A-Z0-9]{1,8}){1,4}$";
pub(crate) const ENGLISH_NAME_PATTERN: &str = "^[A-Za-z][A-Za-z .,'()&/-]{1,79}$";
pub(crate) const PUBLICATION_PATTERN: &str = "^[A-Za-z][A-Za-z0-9 .,:'()&/-]{2,119}$";
/// What a publication's name may not have.
pub(crate) const NINE_DIGITS_PATTERN: &str = "([0-9][^0-9]*){9}";

/// What each byte is in a token: 1 a digit, 2 a letter of the alphabet, 0 what may not be there.
const TOKEN_CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut at = 0;
    while at < TOKEN_ALPHABET.len() {
        classes[TOKEN_ALPHABET[at] as usize] = if TOKEN_ALPHABET[at].is_ascii_digit() { 1 } else { 2 };
        at += 1;
    }
    classes
};

/// Whether this is an opaque token: 16 to 64 characters of the alphabet, at least four of them letters.
pub fn is_opaque(text: &str) -> bool {
    if !TOKEN_LENGTH.contains(&text.len()) {
        return false;
    }
    let (mut letters, mut strange) = (0_u8, false);
    for &byte in text.as_bytes() {
        let class = TOKEN_CLASSES[usize::from(byte)];
        letters += class >> 1; // at most 64
        strange |= class == 0;
    }
    !strange && usize::from(letters) >= TOKEN_LETTERS
}

/// Whether this has the form of an agency code: `FIA`, `POL-PB`. Whether it exists is policy.
pub fn is_agency(text: &str) -> bool {
    let (group, rest) = text.split_once('-').map_or((text, None), |(g, r)| (g, Some(r)));
    (2..=8).contains(&group.len())
        && group.bytes().all(|b| b.is_ascii_uppercase())
        && rest.is_none_or(|r| {
            (1..=8).contains(&r.len()) && r.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        })
}

/// The agency of a record id or case id `<AGENCY>/<opaque>`, if it has that form.
pub fn agency_of_record(text: &str) -> Option<&str> {
    let (agency, token) = text.split_once('/')?;
    (is_agency(agency) && is_opaque(token)).then_some(agency)
}

/// The agency of a stream or topic `tip.events.<AGENCY>.v1`, if it has that form.
pub fn agency_of_stream(stream: &str) -> Option<&str> {
    let agency = stream.strip_prefix("tip.events.")?.strip_suffix(".v1")?;
    is_agency(agency).then_some(agency)
}

/// The stream of an agency's events.
pub fn stream_of_agency(agency: &str) -> String {
    format!("tip.events.{agency}.v1")
}

/// Whether this has the form of a place in the log, `<log>/<stream>/<partition>/<offset>`: the stream is an agency's, with the log's
/// own id (ingestion.md 3.3), or the one of replays, `replay/v1`. No other text has it, and a place has one spelling.
pub fn is_log_place(text: &str) -> bool {
    let mut parts = text.rsplitn(3, '/');
    let (Some(offset), Some(partition), Some(stream)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let is_stream = stream == "replay/v1"
        || stream.split_once('/').is_some_and(|(log, stream)| is_log(log) && agency_of_stream(stream).is_some());
    is_stream && is_number(partition, 9) && is_number(offset, 18)
}

/// The id of a log: letters, digits, `-` and `_`, and mostly `#` with the number of its generation.
fn is_log(text: &str) -> bool {
    let (id, generation) = text.split_once('#').map_or((text, None), |(id, generation)| (id, Some(generation)));
    (1..=64).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        && generation.is_none_or(|generation| is_number(generation, 19))
}

/// Whether this is a whole number in its one spelling, of so many digits at most.
fn is_number(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'))
}

/// Whether these parts follow a code's head, each of so many capitals and digits.
fn are_parts<'a>(mut parts: impl Iterator<Item = &'a str>, longest: usize) -> bool {
    let is_code = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    parts.all(|part| (1..=longest).contains(&part.len()) && part.bytes().all(is_code))
}

/// Whether this has the form of an area's code: `PK`, the nation; ISO 3166-2 (`PK-PB`), and at most two parts below.
pub fn is_area(text: &str) -> bool {
    let mut parts = text.split('-');
    parts.next() == Some("PK") && parts.clone().count() <= 3 && are_parts(parts, 5)
}

/// Whether this has the form of a court's code: `CRT-PB-LHR-1`.
pub fn is_court(text: &str) -> bool {
    let mut parts = text.split('-');
    parts.next() == Some("CRT") && (1..=4).contains(&parts.clone().count()) && are_parts(parts, 8)
}

/// Whether this has the form of an English name of a place or a court: no digits.
pub fn is_english_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphabetic() || b" .,'()&/-".contains(&byte);
    (2..=80).contains(&text.len()) && text.as_bytes()[0].is_ascii_alphabetic() && text.bytes().all(is_part)
}

/// Whether this has the form of a publication's name: eight digits at most.
pub fn is_publication(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b" .,:'()&/-".contains(&byte);
    (3..=120).contains(&text.len())
        && text.as_bytes()[0].is_ascii_alphabetic()
        && text.bytes().all(is_part)
        && text.bytes().filter(u8::is_ascii_digit).count() <= 8
}

/// Letters of Urdu in Unicode, without its digits.
const URDU_LETTERS: [std::ops::RangeInclusive<char>; 2] = ['\u{621}'..='\u{64a}', '\u{671}'..='\u{6d3}'];
/// Marks above and below letters, and what stands between them: comma and the non-joiner among it.
const URDU_BETWEEN: &str = "\u{64b}\u{64c}\u{64d}\u{64e}\u{64f}\u{650}\u{651}\u{652}\u{670} \u{60c}\u{200c}().-";

/// Whether this has the form of an Urdu name of a place or a court: no digits of either script.
pub fn is_urdu_name(text: &str) -> bool {
    let is_letter = |letter: char| URDU_LETTERS.iter().any(|letters| letters.contains(&letter));
    (2..=80).contains(&text.chars().count())
        && text.chars().next().is_some_and(is_letter)
        && text.chars().all(|letter| is_letter(letter) || URDU_BETWEEN.contains(letter))
}

/// The regular expression of [`is_urdu_name`].
pub(crate) fn urdu_name_pattern() -> String {
    let [first, second] = &URDU_LETTERS;
    let letters = format!("{}-{}{}-{}", first.start(), first.end(), second.start(), second.end());
    format!("^[{letters}][{letters}{URDU_BETWEEN}]{{1,79}}$")
}

/// A person's id in the warehouse, in the alphabet of record ids, which has no vowel: a letter for each hexadecimal digit. So are
/// the records named that linkage and the steward keep of persons.
pub fn person_letters(person: &[u8; 16]) -> [u8; 32] {
    const LETTERS: &[u8; 16] = b"bcdfghjkmnpqrstv";
    let mut letters = [0; 32];
    for (pair, byte) in letters.chunks_exact_mut(2).zip(person) {
        pair[0] = LETTERS[usize::from(byte >> 4)];
        pair[1] = LETTERS[usize::from(byte & 15)];
    }
    letters
}

/// A UUID of version 7, or 8 for ids made by `import`, in its canonical form: lower case, hyphenated.
pub fn parse_uuid(text: &str) -> Option<Uuid> {
    let b = text.as_bytes();
    if b.len() != 36 || !matches!(b[14], b'7' | b'8') || !matches!(b[19], b'8' | b'9' | b'a' | b'b') {
        return None;
    }
    if [8, 13, 18, 23].into_iter().any(|at| b[at] != b'-') {
        return None;
    }
    // Two digits at a time; one that is none leaves a mark in `wrong`.
    let (mut bytes, mut wrong) = ([0_u8; 16], 0_u8);
    for (byte, at) in bytes.iter_mut().zip([0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34]) {
        let (high, low) = (LOWER_HEX[usize::from(b[at])], LOWER_HEX[usize::from(b[at + 1])]);
        wrong |= high | low;
        *byte = (high << 4) | (low & 15);
    }
    (wrong < 16).then(|| Uuid::from_bytes(bytes))
}

/// The value of each lower-case hexadecimal digit; 255 for every other byte.
const LOWER_HEX: [u8; 256] = {
    let mut values = [255; 256];
    let mut digit = 0;
    while digit < 16 {
        values[b"0123456789abcdef"[digit] as usize] = digit as u8;
        digit += 1;
    }
    values
};
