//! `audit.db`: who asked what, and what became of it (privacy.md 6.12).
//!
//! In reading order: `entry` (what is recorded), [`AuditLog`] (who writes), `signed` (a head that somebody else keeps), [`verify`]
//! (whether it is whole), [`AuditReader`] (who looks).

mod entry;
mod read;
mod signed;
mod verify;

use std::collections::BTreeSet;
use std::path::Path;

use disclosure::Head;

use crate::chain::{Chain, Kind};
use crate::error::{Broken, LedgerError, Result, Why};
pub use entry::{ANSWERED, Asked, Begin, Decided, Door, End, Principal, Recorded};
pub use read::{AuditReader, Filter, Question, Questions};
pub use signed::SignedHead;
pub use verify::{Verified, verify};

/// Format 2: an end has its cell queries in words, and the sets that answered. Format 3: decisions about who comes in. A log of an
/// older format becomes one of this when it is opened to write; its entries stay as they are, and verify as before.
const KIND: Kind = Kind { application_id: 0x414d_4155, name: "audit log", format: 3 }; // "AMAU"

/// How many of the newest entries [`AuditLog::last_vault_head`] looks at. Processes that answer side by side write their ends in
/// another order than their commits to the vault, at most by as many as are answering at once.
const LOOK_BACK: usize = 10_000;

/// Writes an audit log.
///
/// Guarantees: an entry whose number was returned is on disk; one for which there was no room is an error, and nothing of it is
/// there. Several processes may hold the file: their entries are one chain. A question that has no `End` got no answer: its
/// process died, or is still at it. Non-guarantees: that an entry is not there after all when the disk failed at it and the
/// process died then; against who may write the file and writes the whole chain anew there is only a [`SignedHead`] that
/// somebody else keeps.
#[derive(Debug)]
pub struct AuditLog {
    chain: Chain,
    /// Questions that this process has begun and not ended.
    open: BTreeSet<u64>,
}

impl AuditLog {
    /// Makes an empty log (mode 0600, synced with its folder, whole or not at all), for a store in which nothing was asked yet.
    ///
    /// Errors: [`LedgerError::Exists`], [`LedgerError::Full`], [`LedgerError::ReadOnly`], [`LedgerError::Io`].
    pub fn create(path: &Path, key_fingerprint: &str) -> Result<Self> {
        Ok(Self { chain: Chain::create(&KIND, path, key_fingerprint)?, open: BTreeSet::new() })
    }

    /// Opens a log that must be there and made under this key.
    ///
    /// Errors: [`LedgerError::Missing`], [`LedgerError::OtherKey`], [`LedgerError::Foreign`], [`LedgerError::NewerFormat`],
    /// [`LedgerError::ReadOnly`], [`LedgerError::Busy`]. The chain is not checked: that is for [`verify`].
    pub fn open(path: &Path, key_fingerprint: &str) -> Result<Self> {
        Ok(Self { chain: Chain::open(&KIND, path, key_fingerprint)?, open: BTreeSet::new() })
    }

    /// This handle refuses with [`LedgerError::Full`] what would let the file grow beyond so many bytes (the write-ahead log
    /// beside it excluded).
    pub fn with_max_bytes(self, bytes: u64) -> Result<Self> {
        self.chain.limit(bytes)?;
        Ok(self)
    }

    /// Records that a question was asked, durably, before the vault is. Its number names it to [`AuditLog::end`].
    ///
    /// Errors: [`LedgerError::Full`], [`LedgerError::Busy`], [`LedgerError::Sqlite`]: the question is refused.
    pub fn begin(&mut self, begin: Begin) -> Result<u64> {
        let number = self.record(&[Recorded::Begin(begin)])?.entries;
        self.open.insert(number);
        Ok(number)
    }

    /// Records what became of a question, durably, before the reply leaves, and returns the number of this entry.
    ///
    /// Errors: [`LedgerError::NotOpen`] for a question that this handle has not begun or has ended; as [`AuditLog::begin`]:
    /// the question is still open then, and its reply must not leave.
    pub fn end(&mut self, end: End) -> Result<u64> {
        let question = end.begin;
        if !self.open.contains(&question) {
            return Err(LedgerError::NotOpen(question));
        }
        let number = self.record(&[Recorded::End(end)])?.entries;
        self.open.remove(&question);
        Ok(number)
    }

    /// Records a decision about who comes in, durably, before it has an effect.
    ///
    /// Errors: as [`AuditLog::begin`]: then it must have none.
    pub fn decided(&mut self, decided: Decided) -> Result<u64> {
        Ok(self.record(&[Recorded::Decided(decided)])?.entries)
    }

    /// Appends entries as they are in one transaction, for copies and measurements: nothing holds ends to their begins.
    pub fn record(&mut self, entries: &[Recorded]) -> Result<Head> {
        self.chain.append(None, entries.iter().map(Recorded::to_bytes))
    }

    /// The head.
    pub fn head(&self) -> Result<Head> {
        self.chain.head()
    }

    /// The newest head of the vault's memory that an answer has recorded; [`VaultStore::open`] holds the memory to it. Zero
    /// before the first answer.
    ///
    /// Errors: [`LedgerError::Broken`] where one of the newest entries cannot be read.
    ///
    /// [`VaultStore::open`]: crate::VaultStore::open
    pub fn last_vault_head(&self) -> Result<Head> {
        let mut newest = Head::default();
        let (mut below, mut looked) = (u64::MAX, 0);
        loop {
            let page = self.chain.before(below, 256)?;
            let Some((lowest, _)) = page.last() else { return Ok(newest) };
            below = *lowest;
            looked += page.len();
            for (entry, bytes) in page {
                let recorded = Recorded::from_bytes(&bytes).ok_or(Broken { entry, why: Why::Unreadable })?;
                if let Recorded::End(end) = recorded
                    && end.vault_head.entries > newest.entries
                {
                    newest = end.vault_head;
                }
            }
            if looked >= LOOK_BACK && newest.entries > 0 {
                return Ok(newest);
            }
        }
    }

    /// Signs the head, for a second institution to keep. `key` is for this alone; `time_ms` is now.
    pub fn sign_head(&self, key: &[u8; 32], time_ms: i64) -> Result<SignedHead> {
        Ok(SignedHead::sign(self.head()?, key, time_ms))
    }

    /// Writes a copy of the log as it is now to a new file (mode 0600, synced, whole or not at all), and returns its head.
    ///
    /// Errors: [`LedgerError::Exists`], [`LedgerError::Full`], [`LedgerError::Sqlite`].
    pub fn backup_to(&self, path: &Path) -> Result<Head> {
        self.chain.backup_to(path)
    }
}
