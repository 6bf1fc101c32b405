//! From one generation of a domain's key to the next: pairs of tokens that are one person's.
//!
//! During a rotation both generations are evaluated over the same canonical form, and each pair is written as the event
//! `tokens.rotated` will carry it: `{"old": {"kind", "token"}, "new": {"kind", "token"}}`, one in a line. The pairs hold no
//! identity; who has them can tell that an old and a new token are one person's, and nothing else.
//!
//! Absent: the event itself and its sending, and any decision when a generation ends (docs/guides/tokenize.md).

use std::collections::HashSet;
use std::io::{self, Write};

use crate::person::Person;
use crate::token::Kind;

/// Pairs that are remembered, so that a person who stands in many rows is written once; beyond them some come twice,
/// which says the same twice.
const REMEMBERED: usize = 1 << 20;

/// Writes pairs.
pub struct Pairs<'w> {
    out: &'w mut dyn Write,
    seen: HashSet<u128>,
    before: HashSet<u128>,
}

impl<'w> Pairs<'w> {
    /// Onto this output.
    pub fn onto(out: &'w mut dyn Write) -> Self {
        Self { out, seen: HashSet::new(), before: HashSet::new() }
    }

    /// Writes what a person was and is called, where that was not written lately; gives the number of pairs.
    pub fn write(&mut self, old: &Person, new: &Person) -> io::Result<u64> {
        let mut written = 0;
        for kind in Kind::ALL {
            let (Some(old), Some(new)) = (old.token(kind), new.token(kind)) else { continue };
            if self.is_new(old) {
                writeln!(self.out, "{}", pair(kind, old, new))?;
                written += 1;
            }
        }
        Ok(written)
    }

    fn is_new(&mut self, old: &str) -> bool {
        let name = old.bytes().fold(0_u128, |name, byte| name.wrapping_mul(31).wrapping_add(u128::from(byte)));
        if self.before.contains(&name) || !self.seen.insert(name) {
            return false;
        }
        if self.seen.len() >= REMEMBERED {
            self.before = std::mem::take(&mut self.seen);
        }
        true
    }
}

/// The data of an event `tokens.rotated`.
pub fn pair(kind: Kind, old: &str, new: &str) -> serde_json::Value {
    let token = |token: &str| serde_json::json!({ "kind": kind.code(), "token": token });
    serde_json::json!({ "old": token(old), "new": token(new) })
}
