//! Whether an audit log is whole: every entry follows from the one before, can be read, and ends only what was begun.

use std::collections::BTreeSet;
use std::path::Path;

use disclosure::Head;

use super::{KIND, Recorded};
use crate::chain::Chain;
use crate::error::{Broken, Result, Why};

/// So many entries are verified between two tellings.
const TELL_EVERY: u64 = 4096;

/// A log that is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Its head: number of entries, and the hash over all of them.
    pub head: Head,
    /// How many questions were begun.
    pub questions: u64,
    /// How many decisions about who comes in.
    pub decisions: u64,
    /// How many of the questions have no end: their process died before the reply left, or is still at it.
    pub open: u64,
}

/// Verifies a log from its first entry, streaming; others may append meanwhile. `known` is a head from elsewhere
/// ([`SignedHead::verify`](super::SignedHead::verify)): the log must have had it. `tell` is told now and then how many
/// entries are done, and how many there are.
///
/// Without `known` a log that was shortened at its end, or written anew as a whole, looks whole.
///
/// Errors: [`LedgerError::Broken`](crate::LedgerError::Broken) with the first entry that is broken; those of opening a file.
pub fn verify(path: &Path, known: Option<Head>, tell: &mut dyn FnMut(u64, u64)) -> Result<Verified> {
    let chain = Chain::read_only(&KIND, path)?;
    let total = chain.head()?.entries;
    let (mut questions, mut decisions, mut open) = (0, 0, BTreeSet::new());
    let head = chain.walk(Head::default(), &mut |head, bytes| {
        let broken = |why| Broken { entry: head.entries, why };
        if known.is_some_and(|known| known.entries == head.entries && known.hash != head.hash) {
            return Err(broken(Why::Rewritten).into());
        }
        match Recorded::from_bytes(bytes).ok_or(broken(Why::Unreadable))? {
            Recorded::Begin(_) => {
                questions += 1;
                open.insert(head.entries);
            }
            Recorded::Decided(_) => decisions += 1,
            Recorded::End(end) if open.remove(&end.begin) => {}
            Recorded::End(_) => return Err(broken(Why::NoQuestion).into()),
        }
        if head.entries % TELL_EVERY == 0 {
            tell(head.entries, total);
        }
        Ok(())
    })?;
    match known {
        Some(known) if known.entries > head.entries => Err(Broken { entry: head.entries + 1, why: Why::Cut }.into()),
        _ => Ok(Verified { head, questions, decisions, open: open.len() as u64 }),
    }
}
