//! Keeping what cannot be accepted: the whole message, encrypted, with a reason and a keyed hash.
//!
//! The bytes may hold anything, a name included, so nobody reads them in passing: they are sealed with
//! XChaCha20-Poly1305 and opened only by [`open_set_aside`] (`amanat set-aside show`). The nonce is a keyed hash of
//! position and frame, so the same message at the same place gives the same bytes after a crash, and no two different
//! messages share a nonce. Absent on purpose: randomness, and any error that quotes what it found.
//! Source: ingestion.md 3.6.

use std::fmt;

use chacha20poly1305::aead::{AeadInPlace as _, KeyInit as _};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use policy::{Key, Keys};

/// Why a message was set aside (`_error_class`). The names are records: never renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ErrorClass {
    /// Not UTF-8, not JSON, a second document in the message.
    Parse,
    /// A missing, mistyped, unknown or repeated field; a code not in its list; a date out of range.
    Schema,
    /// The event's `source` is not the agency of its topic.
    AgencyMismatch,
    /// The policy does not let the agency emit this type.
    TypeNotPermitted,
    /// The value is larger than the limit.
    Oversize,
    /// Synthetic data in a real store, or real data in a sample store.
    WrongStore,
    /// The id was used before with other content (kept sealed, not encrypted).
    Conflict,
    /// Our own decoder failed.
    DecoderCrash,
}

impl ErrorClass {
    /// Every class, in the order of the design.
    pub const ALL: [Self; 8] = [
        Self::Parse,
        Self::Schema,
        Self::AgencyMismatch,
        Self::TypeNotPermitted,
        Self::Oversize,
        Self::WrongStore,
        Self::Conflict,
        Self::DecoderCrash,
    ];

    /// The name stored in `_error_class`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parse => "parse",
            Self::Schema => "schema",
            Self::AgencyMismatch => "agency_mismatch",
            Self::TypeNotPermitted => "type_not_permitted",
            Self::Oversize => "oversize",
            Self::WrongStore => "wrong_store",
            Self::Conflict => "conflict",
            Self::DecoderCrash => "decoder_crash",
        }
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a message stands in the log: part of what is authenticated, so a ciphertext cannot be moved to another row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// `<source_uid>/<stream>`, as in the column `log_stream`.
    pub log_stream: &'a str,
    /// Partition number.
    pub partition: i32,
    /// Offset of the message.
    pub offset: i64,
}

/// The three keys that set-aside rows need, derived from the master key.
pub(crate) struct SetAsideKeys {
    cipher: XChaCha20Poly1305,
    hash: Key,
    nonce: Key,
}

impl SetAsideKeys {
    /// Of a deployment's keys.
    pub(crate) fn new(keys: &Keys) -> Self {
        Self {
            cipher: XChaCha20Poly1305::new((&*keys.set_aside).into()),
            hash: keys.set_aside_hash.clone(),
            nonce: keys.set_aside_nonce.clone(),
        }
    }

    /// Keyed hash of a frame, 32 hex digits: the header `amanat-hash`. It outlives the bytes.
    pub(crate) fn hash(&self, frame: &[u8]) -> String {
        let hash = blake3::keyed_hash(&self.hash, frame);
        blake3::Hash::to_hex(&hash)[..32].to_owned()
    }

    /// Encrypts a frame: `nonce ‖ ciphertext ‖ tag`.
    pub(crate) fn encrypt(&self, place: Place<'_>, frame: &[u8]) -> Vec<u8> {
        let associated = place.bytes();
        let mut hasher = blake3::Hasher::new_keyed(&self.nonce);
        hasher.update(&associated);
        hasher.update(frame);
        let mut nonce = [0_u8; NONCE];
        hasher.finalize_xof().fill(&mut nonce);
        let mut out = Vec::with_capacity(OVERHEAD + frame.len());
        out.extend_from_slice(&nonce);
        out.extend_from_slice(frame);
        let tag = self
            .cipher
            .encrypt_in_place_detached(XNonce::from_slice(&nonce), &associated, &mut out[NONCE..])
            .expect("a frame is far below the cipher's limit of 256 GiB");
        out.extend_from_slice(&tag);
        out
    }

    /// Decrypts what [`Self::encrypt`] made for the same place.
    fn decrypt(&self, place: Place<'_>, payload: &[u8]) -> Result<Vec<u8>, OpenError> {
        if payload.len() < OVERHEAD {
            return Err(OpenError::Truncated);
        }
        let (nonce, rest) = payload.split_at(NONCE);
        let (body, tag) = rest.split_at(rest.len() - TAG);
        let mut frame = body.to_vec();
        self.cipher
            .decrypt_in_place_detached(XNonce::from_slice(nonce), &place.bytes(), &mut frame, Tag::from_slice(tag))
            .map_err(|_| OpenError::NotAuthentic)?;
        Ok(frame)
    }
}

impl fmt::Debug for SetAsideKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetAsideKeys")
    }
}

const NONCE: usize = 24;
const TAG: usize = 16;
const OVERHEAD: usize = NONCE + TAG;

impl Place<'_> {
    /// Unambiguous: the stream's length comes first.
    fn bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.log_stream.len() + 20);
        bytes.extend_from_slice(&(self.log_stream.len() as u64).to_le_bytes());
        bytes.extend_from_slice(self.log_stream.as_bytes());
        bytes.extend_from_slice(&self.partition.to_le_bytes());
        bytes.extend_from_slice(&self.offset.to_le_bytes());
        bytes
    }
}

/// A message as it came, opened again.
#[derive(Clone, PartialEq, Eq)]
pub struct SetAsideMessage {
    /// Message key.
    pub key: Option<Vec<u8>>,
    /// Headers in the order sent.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Message value.
    pub value: Option<Vec<u8>>,
}

/// Says how large a message is, never what it holds: it may hold a person's name.
impl fmt::Debug for SetAsideMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetAsideMessage")
            .field("key_bytes", &self.key.as_ref().map(Vec::len))
            .field("headers", &self.headers.len())
            .field("value_bytes", &self.value.as_ref().map(Vec::len))
            .finish()
    }
}

/// Why set-aside bytes could not be opened.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
pub enum OpenError {
    /// The row keeps no bytes any more.
    #[error("the bytes of this row have expired: only its hash, reason and offset remain")]
    Expired,
    /// Shorter than nonce and tag.
    #[error("the stored bytes are shorter than a sealed message can be: the file is damaged")]
    Truncated,
    /// Another key, another row, or changed bytes.
    #[error(
        "the stored bytes do not authenticate: they were sealed with another key, belong to another row, or were changed"
    )]
    NotAuthentic,
    /// Authentic, but not a frame of this version.
    #[error("the sealed message has a form that this version does not know")]
    UnknownForm,
}

/// Opens the bytes of a set-aside row at its place. `payload` is the row's column of that name.
///
/// The result is in clear and may name persons: the caller shows it to whom the policy allows, and records that it did.
pub fn open_set_aside(keys: &Keys, place: Place<'_>, payload: Option<&[u8]>) -> Result<SetAsideMessage, OpenError> {
    let frame = SetAsideKeys::new(keys).decrypt(place, payload.ok_or(OpenError::Expired)?)?;
    read_frame(&frame).ok_or(OpenError::UnknownForm)
}

/// Form of the frame; written first, so that another form can follow.
const FRAME_VERSION: u8 = 1;
const ABSENT: u32 = u32::MAX;

/// Puts a message into one byte string: version, key, number of headers, name and value of each, value; each with
/// its length (little endian, `u32::MAX` = absent).
pub(crate) fn write_frame<'h>(
    frame: &mut Vec<u8>,
    key: Option<&[u8]>,
    headers: impl Iterator<Item = (&'h str, &'h [u8])> + Clone,
    value: Option<&[u8]>,
) {
    frame.clear();
    frame.push(FRAME_VERSION);
    write_part(frame, key);
    frame.extend_from_slice(&(headers.clone().count() as u32).to_le_bytes());
    for (name, content) in headers {
        write_part(frame, Some(name.as_bytes()));
        write_part(frame, Some(content));
    }
    write_part(frame, value);
}

fn write_part(frame: &mut Vec<u8>, part: Option<&[u8]>) {
    let length = part.map_or(ABSENT, |p| u32::try_from(p.len()).expect("the log takes no message of 4 GiB"));
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(part.unwrap_or_default());
}

fn read_frame(frame: &[u8]) -> Option<SetAsideMessage> {
    let (&version, mut rest) = frame.split_first()?;
    if version != FRAME_VERSION {
        return None;
    }
    let key = read_part(&mut rest)?;
    let count = read_u32(&mut rest)?;
    let mut headers = Vec::new();
    for _ in 0..count {
        let name = String::from_utf8(read_part(&mut rest)??).ok()?;
        headers.push((name, read_part(&mut rest)??));
    }
    let value = read_part(&mut rest)?;
    rest.is_empty().then_some(SetAsideMessage { key, headers, value })
}

/// Outer `None`: the frame ends too early. Inner `None`: the part is absent.
#[allow(clippy::option_option)]
fn read_part(rest: &mut &[u8]) -> Option<Option<Vec<u8>>> {
    let length = read_u32(rest)?;
    if length == ABSENT {
        return Some(None);
    }
    let (part, after) = rest.split_at_checked(length as usize)?;
    *rest = after;
    Some(Some(part.to_vec()))
}

fn read_u32(rest: &mut &[u8]) -> Option<u32> {
    let (number, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    Some(u32::from_le_bytes(*number))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use policy::Master;

    use super::*;

    const PLACE: Place<'static> = Place { log_stream: "u1/tip.events.FIA.v1", partition: 3, offset: 41 };

    fn keys_of(master: u8) -> Keys {
        Keys::derive(&Master::from_bytes([master; 32]))
    }

    fn keys() -> Keys {
        keys_of(1)
    }

    fn sealed(place: Place<'_>) -> Vec<u8> {
        let mut frame = Vec::new();
        let headers: [(&str, &[u8]); 2] = [("ce_id", b"x"), ("empty", b"")];
        write_frame(&mut frame, Some(b"k"), headers.into_iter(), Some(b"\xff\x00half a json {"));
        SetAsideKeys::new(&keys()).encrypt(place, &frame)
    }

    #[test]
    fn what_was_set_aside_opens_to_the_very_message() {
        let message = open_set_aside(&keys(), PLACE, Some(&sealed(PLACE))).unwrap();
        assert_eq!(message.key.as_deref(), Some(&b"k"[..]));
        assert_eq!(message.headers, vec![("ce_id".into(), b"x".to_vec()), ("empty".into(), vec![])]);
        assert_eq!(message.value.as_deref(), Some(&b"\xff\x00half a json {"[..]));
    }

    #[test]
    fn the_same_message_at_the_same_place_gives_the_same_bytes() {
        assert_eq!(sealed(PLACE), sealed(PLACE));
    }

    #[test]
    fn at_another_place_the_nonce_and_so_every_byte_differs() {
        let other = Place { offset: 42, ..PLACE };
        assert_ne!(sealed(PLACE)[..NONCE], sealed(other)[..NONCE]);
        assert_eq!(open_set_aside(&keys(), other, Some(&sealed(PLACE))), Err(OpenError::NotAuthentic));
    }

    #[test]
    fn a_changed_byte_or_another_key_is_noticed() {
        let mut bytes = sealed(PLACE);
        *bytes.last_mut().unwrap() ^= 1;
        assert_eq!(open_set_aside(&keys(), PLACE, Some(&bytes)), Err(OpenError::NotAuthentic));
        assert_eq!(open_set_aside(&keys_of(2), PLACE, Some(&sealed(PLACE))), Err(OpenError::NotAuthentic));
        assert_eq!(open_set_aside(&keys(), PLACE, Some(b"short")), Err(OpenError::Truncated));
        assert_eq!(open_set_aside(&keys(), PLACE, None), Err(OpenError::Expired));
    }

    #[test]
    fn absent_key_and_value_stay_absent_and_are_not_empty() {
        let mut frame = Vec::new();
        write_frame(&mut frame, None, std::iter::empty(), None);
        let message = read_frame(&frame).unwrap();
        assert_eq!(message, SetAsideMessage { key: None, headers: vec![], value: None });
        assert_eq!(read_frame(&frame[..frame.len() - 1]), None);
    }

    #[test]
    fn the_hash_tells_nothing_without_the_key() {
        let hash = |master| SetAsideKeys::new(&keys_of(master)).hash(b"frame");
        assert_ne!(hash(1), hash(2));
        assert_eq!(hash(1).len(), 32);
    }
}
