//! What the vault remembers and what was asked, of a data directory: `vault.db` and `audit.db`.
//!
//! Both are made before anything is published and never again: a vault without its memory would give the same question a second number
//! (privacy.md 6.7), so a store that has lost it refuses until it is restored.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use disclosure::{Head, Remembered, Room, StoreError, Vault};
use lake::{EditionInfo, Published};
use ledger::{AuditLog, LedgerError, VaultStore};
use models::edition::{self, Manifest};
use models::{RefreshOptions, Snapshot};

use crate::data_dir::DataDir;
use crate::edition::refresh_once;
use crate::exit::Failure;

/// The file of the vault's memory.
const VAULT: &str = "vault.db";
/// The file of what was asked.
pub const AUDIT: &str = "audit.db";

/// Whether this directory holds the vault's memory; made here where nothing was published yet, and so nothing was answered.
/// Another machine on the same bucket does not hold it.
pub async fn is_here(dir: &DataDir) -> anyhow::Result<bool> {
    let (vault, audit) = (dir.path.join(VAULT), dir.path.join(AUDIT));
    if vault.exists() || audit.exists() {
        return Ok(true);
    }
    if Published::open(&dir.store).latest().await?.is_some() {
        return Ok(false);
    }
    VaultStore::create(&vault, &dir.fingerprint).map_err(|error| refused(&dir.path, &error))?;
    AuditLog::create(&audit, &dir.fingerprint).map_err(|error| unwritten(&dir.path, &error))?;
    Ok(true)
}

/// The log of what was asked.
pub fn audit(dir: &DataDir) -> anyhow::Result<AuditLog> {
    AuditLog::open(&dir.path.join(AUDIT), &dir.fingerprint).map_err(|error| unwritten(&dir.path, &error).into())
}

/// The vault, with all that it ever released in mind. Refuses a memory that is missing, older than what was answered with
/// it, or made under another key.
pub fn vault(dir: &DataDir, audit: &AuditLog) -> anyhow::Result<Vault> {
    let known = audit.last_vault_head().map_err(|error| unwritten(&dir.path, &error))?;
    let store = store(dir, known)?;
    Ok(Vault::open(Arc::clone(&dir.policy), &dir.keys, Box::new(store)).map_err(|error| refused(&dir.path, &error))?)
}

/// A vault that remembers what was released before an edition, and forgets what it is asked now.
pub fn vault_before(dir: &DataDir, info: &EditionInfo) -> anyhow::Result<Vault> {
    let [before, after] = Manifest::ledger_of(&info.manifest).context(
        "the edition's manifest does not say where the vault's memory stood: it was made by an older program",
    )?;
    let mut store = store(dir, after)?;
    let copy = Remembered::copy(&mut store, before).map_err(|error| refused(&dir.path, &error))?;
    Ok(Vault::open(Arc::clone(&dir.policy), &dir.keys, Box::new(copy))?)
}

/// Refuses a memory that does not know how an edition was made: it is another machine's, or older.
pub fn knows(dir: &DataDir, info: &EditionInfo) -> anyhow::Result<()> {
    let Some([_, after]) = Manifest::ledger_of(&info.manifest) else {
        let what = format!("edition {} was made by a program without a vault; publish a new one", info.edition);
        return Err(Failure::Refused(what).into());
    };
    store(dir, after).map(|_| ())
}

fn store(dir: &DataDir, known: Head) -> anyhow::Result<VaultStore> {
    VaultStore::open(&dir.path.join(VAULT), &dir.fingerprint, known).map_err(|error| refused(&dir.path, &error).into())
}

/// The Snapshot that an edition was made of, as questions see it, and its name; folded again below the edition's cut where the store
/// does not have it any more. Without those who were erased since.
pub async fn room(dir: &DataDir, vault: &Vault, info: &EditionInfo) -> anyhow::Result<(Room, String)> {
    knows(dir, info)?;
    let as_of = Manifest::as_of_of(&info.manifest).context("the edition's manifest has no date")?;
    let hashes = Manifest::marts_of(&info.manifest);
    let snapshot = if let Some(found) = Snapshot::open_with(&dir.store, &hashes).await? {
        found
    } else {
        let options = RefreshOptions { below: Some(Manifest::below(&info.manifest)), ..RefreshOptions::default() };
        refresh_once(dir, options).await?.0
    };
    if snapshot.hashes() != hashes && snapshot.info().erased_since == 0 {
        let what = format!(
            "the Snapshot of edition {} cannot be made again: the events below its cut, `sql/` or the policy are not what they were. Publish a new edition",
            info.edition
        );
        return Err(Failure::Refused(what).into());
    }
    let room = edition::room(&snapshot.source(&dir.policy), vault, as_of, info.edition)?;
    Ok((room, snapshot.name().to_owned()))
}

fn refused(data: &Path, error: &StoreError) -> Failure {
    let place = data.join(VAULT);
    Failure::DataDirectory(format!("{}: {}", place.display(), with_causes(error)))
}

fn unwritten(data: &Path, error: &LedgerError) -> Failure {
    let place = data.join(AUDIT);
    Failure::DataDirectory(format!("{}: {}", place.display(), with_causes(error)))
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
