//! The master secret and the keys that follow from it (privacy.md 6.5, 6.15, 8.1; ingestion.md 3.3, 3.6).
//!
//! Context strings are frozen: another string is another key, and old numbers could then be averaged with new ones.
//!
//! Absent: where the master secret is kept (the program reads the file), randomness (it comes in as an argument), any
//! way to print a key. Numbers derived here are stable for ever under one master secret.

use std::fmt;

use zeroize::Zeroize;

/// The context of a purpose. Frozen.
macro_rules! context {
    ($purpose:literal) => {
        concat!("amanat 2026-11 ", $purpose)
    };
}

/// A 32-byte secret that is overwritten when dropped and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// A key from raw bytes. For test vectors; keys of a deployment come from [`Keys::derive`].
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl std::ops::Deref for Key {
    type Target = [u8; 32];

    fn deref(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(secret)")
    }
}

/// The master secret of a deployment: 32 bytes from which every key follows.
///
/// It has no `Display` and its `Debug` shows nothing. Losing it means that old and new numbers can be averaged;
/// leaking it means that every published number can be made exact.
#[derive(Clone)]
pub struct Master(Key);

impl Master {
    /// The master secret as kept in `keys/master`.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Key(bytes))
    }

    /// A new master secret from 32 random bytes, which the caller takes from the operating system.
    pub fn generate(random: [u8; 32]) -> Self {
        Self(Key(random))
    }

    /// The bytes to write to `keys/master` (mode 0600). For the program's key file alone.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Sixteen hexadecimal digits that name this key and tell nothing about it: written in `store.toml` and manifests.
    pub fn fingerprint(&self) -> String {
        let full = blake3::derive_key(context!("fingerprint"), &*self.0);
        full[..8].iter().fold(String::with_capacity(16), |mut text, byte| {
            use fmt::Write;
            write!(text, "{byte:02x}").expect("writing to a string cannot fail");
            text
        })
    }
}

impl fmt::Debug for Master {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Master(secret)")
    }
}

/// One key per purpose, derived from the master secret.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Surrogates of persons (`K_person`).
    pub person: Key,
    /// References for linkage: tokens without their agency.
    pub link: Key,
    /// Dense identifiers inside a universe (`K_sid`).
    pub sid: Key,
    /// Record keys, whose sums name sets (`K_rk`).
    pub rk: Key,
    /// Elements of set sketches (`K_ek`), for the separation guard.
    pub ek: Key,
    /// Noise (`K_noise`).
    pub noise: Key,
    /// Sticky jitter of the floors (`K_thr`).
    pub threshold: Key,
    /// Separation distance (`K_dist`), for the separation guard.
    pub distance: Key,
    /// Record swapping, off by default.
    pub swap: Key,
    /// Encryption of set-aside bytes.
    pub set_aside: Key,
    /// Nonces of set-aside bytes (from position and frame, no randomness).
    pub set_aside_nonce: Key,
    /// Hash of set-aside bytes, which remains when the bytes expire.
    pub set_aside_hash: Key,
    /// Digests of what agencies send by HTTP, by which the same request is known when it comes again.
    pub repeat: Key,
    /// Signs heads of the audit log, for a second institution to keep (privacy.md 6.12).
    pub audit_head: Key,
    /// What stands in place of a person who was erased (ingestion.md 3.12).
    pub erased: Key,
}

impl Keys {
    /// Derives every key.
    pub fn derive(master: &Master) -> Self {
        let key = |context: &str| Key(blake3::derive_key(context, &*master.0));
        Self {
            person: key(context!("person")),
            link: key(context!("link")),
            sid: key(context!("sid")),
            rk: key(context!("rk")),
            ek: key(context!("ek")),
            noise: key(context!("noise")),
            threshold: key(context!("thr")),
            distance: key(context!("dist")),
            swap: key(context!("swap")),
            set_aside: key(context!("set-aside")),
            set_aside_nonce: key(context!("set-aside-nonce")),
            set_aside_hash: key(context!("set-aside-hash")),
            repeat: key(context!("repeat")),
            audit_head: key(context!("audit-head")),
            erased: key(context!("erased")),
        }
    }
}

/// The surrogate of an agency's token: 16 bytes that only the holder of the key can recompute (ingestion.md 3.3).
///
/// The same token of two agencies gives two surrogates.
pub fn person_surrogate(keys: &Keys, agency: &str, token: &str) -> [u8; 16] {
    first_16(&keys.person, &[agency.as_bytes(), b"\0", token.as_bytes()])
}

/// What linkage compares: kind and token without the agency, under a key of its own. Never read by marts or vault.
pub fn link_ref(keys: &Keys, kind: &str, token: &str) -> [u8; 16] {
    first_16(&keys.link, &[kind.as_bytes(), b"\0", token.as_bytes()])
}

/// What stands in place of a person who was erased: nobody without the key can tell whom it stood for, and who holds key and
/// surrogate can tell that she must not come in again (ingestion.md 3.12).
pub(crate) fn image(key: &Key, person: &[u8; 16]) -> [u8; 16] {
    first_16(key, &[person])
}

/// The identifier of a person inside a universe (privacy.md 8.1, L3).
pub fn sid(keys: &Keys, universe: &str, person: [u8; 16]) -> u64 {
    first_8(&keys.sid, &[universe.as_bytes(), b"\0", &person])
}

/// The identifier of a case for the floors on cases, the same in every dataset: over the lead case's id
/// (`<AGENCY>/<token>`).
pub fn case_sid(keys: &Keys, case_id: &str) -> u64 {
    record_sid(keys, "cases", case_id)
}

/// The identifier of a unit that is itself a record (`<AGENCY>/<token>`): a case, an inspection, an activity, a
/// contact; and of the record that stands for the case where there is none.
pub fn record_sid(keys: &Keys, universe: &str, record_id: &str) -> u64 {
    first_8(&keys.sid, &[universe.as_bytes(), b"\0", record_id.as_bytes()])
}

/// Longest input that is put together before it is hashed: then it costs one round or two, and no state of a hasher.
const AT_ONCE: usize = 128;

fn hash(key: &Key, parts: &[&[u8]]) -> blake3::Hash {
    let (mut all, mut length) = ([0; AT_ONCE], 0);
    for part in parts {
        let Some(room) = all.get_mut(length..length + part.len()) else { return hash_in_parts(key, parts) };
        room.copy_from_slice(part);
        length += part.len();
    }
    blake3::keyed_hash(key, &all[..length])
}

fn hash_in_parts(key: &Key, parts: &[&[u8]]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(key);
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize()
}

fn first_16(key: &Key, parts: &[&[u8]]) -> [u8; 16] {
    hash(key, parts).as_bytes()[..16].try_into().expect("a hash has 32 bytes")
}

fn first_8(key: &Key, parts: &[&[u8]]) -> u64 {
    u64::from_le_bytes(hash(key, parts).as_bytes()[..8].try_into().expect("a hash has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_the_same_whether_its_parts_are_put_together_or_not() {
        let (key, bytes) = (Key::from_bytes([7; 32]), [42_u8; 2 * AT_ONCE]);
        for length in [0, 1, AT_ONCE - 2, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE] {
            let parts: [&[u8]; 3] = [b"a", &bytes[..length], b"\0"];
            assert_eq!(hash(&key, &parts), hash_in_parts(&key, &parts), "{length}");
        }
    }
}
