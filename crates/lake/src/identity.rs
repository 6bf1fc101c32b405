//! `store.toml`: what a data directory is (architecture.md 1). Written once, whole or not at all; never changed.
//!
//! Absent: keys. Only the fingerprint of the master key is here, so that a store refuses another key.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{LakeError, Result};

/// Newest format of a data directory that this program reads and writes.
pub const FORMAT: u32 = 1;

const FILE: &str = "store.toml";
/// Entries that only a store makes: with one of these but no `store.toml`, a store was lost in part.
const TRACES: [&str; 4] = ["lake", "log.db", "vault.db", "audit.db"];

/// Which data a store admits. A store made for the sample refuses real data, and the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// Synthetic events only.
    Sample,
    /// Real events only.
    Real,
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sample => "sample",
            Self::Real => "real",
        })
    }
}

/// What `store.toml` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreIdentity {
    /// Format of the directory.
    pub format: u32,
    /// Fingerprint of the master key, hexadecimal.
    pub key_fingerprint: String,
    /// Which data it admits.
    pub kind: StoreKind,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnDisk {
    format: u32,
    key_fingerprint: String,
    sample: bool,
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

impl StoreIdentity {
    /// Reads the identity of `dir`; `None` when the directory is missing or holds no store yet.
    ///
    /// # Errors
    /// `HalfWritten` when data is there without a readable `store.toml`, `NewerFormat`, `ReadOnly`, `Io`.
    pub fn read(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == ErrorKind::NotFound => {
                return match TRACES.iter().find(|name| dir.join(name).exists()) {
                    Some(name) => Err(LakeError::HalfWritten { what: format!("`{name}` without `{FILE}`") }),
                    None => Ok(None),
                };
            }
            Err(e) if e.kind() == ErrorKind::InvalidData => return Err(unreadable()),
            Err(e) => return Err(LakeError::io("read", &path, e)),
        };
        // The format first: a newer file may have keys unknown here.
        let FormatOnly { format } = toml::from_str(&text).map_err(|_| unreadable())?;
        if format > FORMAT {
            return Err(LakeError::NewerFormat { found: format, known: FORMAT });
        }
        let file: OnDisk = toml::from_str(&text).map_err(|_| unreadable())?;
        let kind = if file.sample { StoreKind::Sample } else { StoreKind::Real };
        Ok(Some(Self { format, key_fingerprint: file.key_fingerprint, kind }))
    }

    /// Reads the identity and checks it against the key and kind given; writes it when the directory is empty.
    ///
    /// # Errors
    /// As [`StoreIdentity::read`] and [`StoreIdentity::check`]; `Full` or `ReadOnly` when it cannot be written.
    pub fn open_or_create(dir: &Path, key_fingerprint: &str, kind: StoreKind) -> Result<Self> {
        if let Some(found) = Self::read(dir)? {
            found.check(key_fingerprint, kind)?;
            return Ok(found);
        }
        let new = Self { format: FORMAT, key_fingerprint: key_fingerprint.to_owned(), kind };
        new.write(dir)?;
        Ok(new)
    }

    /// # Errors
    /// `WrongKey`, `WrongKind`.
    pub fn check(&self, key_fingerprint: &str, kind: StoreKind) -> Result<()> {
        if self.key_fingerprint != key_fingerprint {
            return Err(LakeError::WrongKey { store: self.key_fingerprint.clone(), given: key_fingerprint.to_owned() });
        }
        if self.kind != kind {
            return Err(LakeError::WrongKind { store: self.kind, given: kind });
        }
        Ok(())
    }

    /// Written beside, synced, linked into place: a crash leaves either no file or a whole one.
    fn write(&self, dir: &Path) -> Result<()> {
        let file = OnDisk {
            format: self.format,
            key_fingerprint: self.key_fingerprint.clone(),
            sample: self.kind == StoreKind::Sample,
        };
        let text = toml::to_string(&file).expect("three plain fields are always TOML");
        let text = format!("# What this data directory is. Written once; do not edit.\n{text}");
        let (path, staged) = (dir.join(FILE), dir.join(format!("{FILE}.{}", std::process::id())));
        let io = |action, e| LakeError::io(action, &path, e);
        crate::fsync::create_private_dir(dir)?;
        let written = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&staged)
            .and_then(|mut f| f.write_all(text.as_bytes()).and_then(|()| f.sync_all()))
            .and_then(|()| std::fs::hard_link(&staged, &path));
        let _ = std::fs::remove_file(&staged);
        written.map_err(|e| io("write", e))?;
        File::open(dir).and_then(|d| d.sync_all()).map_err(|e| io("sync", e))
    }
}

fn unreadable() -> LakeError {
    LakeError::HalfWritten { what: format!("`{FILE}` is not readable as such") }
}
