//! A head that somebody else keeps: what shows that a log was shortened or written anew as a whole.
//!
//! Who checks: the operator's program, which has the key, for the auditor who brings the head back and watches it run; the
//! auditor compares number and hash without any key, against what `amanat audit verify` says or a program of his own computes. What protects him is
//! that he *keeps* the head. The code tells the program that the head it is given is one that it has made.
//!
//! A message authentication code (BLAKE3 with a key derived from the master secret) and no signature by Ed25519, for now: nobody
//! but the operator has to be convinced of who made it, and there is no second key to create, guard and publish. The day on which a
//! court or the public must be able to check it without the operator, it becomes a signature, under a new name of the field.

use disclosure::Head;
use serde::{Deserialize, Serialize};

use crate::hex;

/// A head with a time, and a code that only the holder of the key can make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedHead {
    /// Number of entries.
    pub entries: u64,
    /// Hash over all of them.
    #[serde(with = "hex")]
    pub hash: [u8; 32],
    /// When it was signed, in milliseconds since 1970, UTC.
    pub time_ms: i64,
    /// Keyed BLAKE3 of a label, entries, hash and time.
    #[serde(with = "hex")]
    pub mac: [u8; 32],
}

impl SignedHead {
    pub(super) fn sign(head: Head, key: &[u8; 32], time_ms: i64) -> Self {
        Self { entries: head.entries, hash: head.hash, time_ms, mac: code(head, key, time_ms).into() }
    }

    /// The head, if it was signed with this key; [`verify`](super::verify()) holds a log to it.
    #[must_use]
    pub fn verify(&self, key: &[u8; 32]) -> Option<Head> {
        let head = Head { entries: self.entries, hash: self.hash };
        // Hashes of BLAKE3 are compared in constant time.
        (code(head, key, self.time_ms) == blake3::Hash::from_bytes(self.mac)).then_some(head)
    }
}

fn code(head: Head, key: &[u8; 32], time_ms: i64) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(b"audit head 1\0");
    hasher.update(&head.entries.to_le_bytes()).update(&head.hash).update(&time_ms.to_le_bytes());
    hasher.finalize()
}
