//! `vault.db`: what the vault remembers, on disk.

use std::path::Path;

use disclosure::{Entry, Head, ReleaseStore, StoreError};

use crate::chain::{Chain, Kind};
use crate::error::{Broken, LedgerError, Why};

const KIND: Kind = Kind { application_id: 0x414d_5654, name: "memory of the vault", format: 1 }; // "AMVT"

/// The vault's memory in a SQLite file.
///
/// Guarantees: those of [`ReleaseStore`]. What `commit` has acknowledged is on disk; two processes may hold the file (the
/// server, and `amanat edition publish`), and of two that commit after the same head one gets [`StoreError::Moved`].
/// Non-guarantees: network file systems; a disk that lies about syncing. That a whole older file was put in its place is
/// seen by whoever knows a later head: the audit log records one with every answer ([`AuditLog::last_vault_head`]).
///
/// [`AuditLog::last_vault_head`]: crate::AuditLog::last_vault_head
#[derive(Debug)]
pub struct VaultStore {
    chain: Chain,
}

impl VaultStore {
    /// Makes an empty memory (mode 0600, synced with its folder, whole or not at all), for a store in which nothing was asked yet.
    ///
    /// Errors: [`StoreError::Io`] where a file is there already ([`LedgerError::Exists`]) or the disk fails.
    pub fn create(path: &Path, key_fingerprint: &str) -> Result<Self, StoreError> {
        Ok(Self { chain: Chain::create(&KIND, path, key_fingerprint)? })
    }

    /// Opens a memory that must be there, made under this key, and hold what is known to have been in it.
    ///
    /// Errors: [`StoreError::Missing`], [`StoreError::OtherKey`], [`StoreError::Behind`] where it ends before `known`,
    /// [`StoreError::Damaged`] where it has another entry there; [`StoreError::Io`]. Entries are checked by
    /// [`ReleaseStore::replay`].
    pub fn open(path: &Path, key_fingerprint: &str, known: Head) -> Result<Self, StoreError> {
        let store = Self { chain: Chain::open(&KIND, path, key_fingerprint)? };
        store.must_hold(known)?;
        Ok(store)
    }

    /// Writes a copy of the memory as it is now to a new file (mode 0600, synced, whole or not at all) and returns the
    /// head of the copy. Others may commit meanwhile. It belongs to the backup of the data that were asked about.
    ///
    /// Errors: [`StoreError::Io`], where a file is there already or the disk fails.
    pub fn backup_to(&mut self, path: &Path) -> Result<Head, StoreError> {
        Ok(self.chain.backup_to(path)?)
    }

    fn must_hold(&self, known: Head) -> Result<(), StoreError> {
        match self.chain.head_at(known.entries)? {
            Some(head) if head == known => Ok(()),
            Some(_) => Err(StoreError::Damaged(known.entries)),
            None => Err(StoreError::Behind { has: self.chain.head()?.entries, known: known.entries }),
        }
    }
}

impl ReleaseStore for VaultStore {
    fn head(&mut self) -> Result<Head, StoreError> {
        Ok(self.chain.head()?)
    }

    fn replay(&mut self, after: Head, each: &mut dyn FnMut(Entry)) -> Result<Head, StoreError> {
        self.must_hold(after)?;
        let head = self.chain.walk(after, &mut |head, bytes| {
            let unreadable = Broken { entry: head.entries, why: Why::Unreadable };
            each(Entry::from_bytes(bytes).ok_or(LedgerError::Broken(unreadable))?);
            Ok(())
        })?;
        Ok(head)
    }

    fn commit(&mut self, after: Head, new: &[Entry]) -> Result<Head, StoreError> {
        Ok(self.chain.append(Some(after), new.iter().map(Entry::to_bytes))?)
    }
}
