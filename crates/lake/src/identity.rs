//! `store.toml`: what a data directory is (architecture.md 1). Written once, whole or not at all; never changed by us. A lake
//! in a bucket has one of its own beside it, so that data directories on several machines agree about key and kind.
//!
//! Absent: keys. Only the fingerprint of the master key is here, so that a store refuses another key.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use object_store::path::Path as ObjectPath;
use object_store::{ObjectStoreExt, PutMode, PutOptions};
use serde::{Deserialize, Serialize};

use crate::{LakeError, Result, Store};

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
    /// URL of the lake where it is not in the directory itself.
    pub lake: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnDisk {
    format: u32,
    key_fingerprint: String,
    sample: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lake: Option<String>,
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
        Self::parse(&text).map(Some)
    }

    /// Reads the identity of a lake in a bucket; `None` when no store is there yet.
    ///
    /// # Errors
    /// `HalfWritten`, `NewerFormat`, `Denied`, storage errors.
    pub async fn read_in(store: &Store) -> Result<Option<Self>> {
        match store.objects().get(&ObjectPath::from(FILE)).await {
            Ok(found) => {
                let bytes = found.bytes().await?;
                Self::parse(std::str::from_utf8(&bytes).map_err(|_| unreadable())?).map(Some)
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        // The format first: a newer file may have keys unknown here.
        let FormatOnly { format } = toml::from_str(text).map_err(|_| unreadable())?;
        if format > FORMAT {
            return Err(LakeError::NewerFormat { found: format, known: FORMAT });
        }
        let file: OnDisk = toml::from_str(text).map_err(|_| unreadable())?;
        let kind = if file.sample { StoreKind::Sample } else { StoreKind::Real };
        Ok(Self { format, key_fingerprint: file.key_fingerprint, kind, lake: file.lake })
    }

    /// Reads the identity and checks it against the key, kind and lake given; writes it when the directory is empty. `lake`
    /// is the URL of the lake where that is not in the directory itself.
    ///
    /// # Errors
    /// As [`StoreIdentity::read`], [`StoreIdentity::check`] and [`StoreIdentity::check_lake`]; `Full` or `ReadOnly` when it
    /// cannot be written.
    pub fn open_or_create(dir: &Path, key_fingerprint: &str, kind: StoreKind, lake: Option<&str>) -> Result<Self> {
        if let Some(found) = Self::read(dir)? {
            found.check(key_fingerprint, kind)?;
            found.check_lake(lake)?;
            return Ok(found);
        }
        let lake = lake.map(str::to_owned);
        let new = Self { format: FORMAT, key_fingerprint: key_fingerprint.to_owned(), kind, lake };
        new.write(dir)?;
        Ok(new)
    }

    /// The same for the lake in a bucket, by one put of which only one of many can win.
    ///
    /// # Errors
    /// As [`StoreIdentity::read_in`] and [`StoreIdentity::check`].
    pub async fn open_or_create_in(store: &Store, key_fingerprint: &str, kind: StoreKind) -> Result<Self> {
        let new = Self { format: FORMAT, key_fingerprint: key_fingerprint.to_owned(), kind, lake: None };
        let create = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match store.objects().put_opts(&ObjectPath::from(FILE), new.text().into(), create).await {
            Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => {}
            Err(e) => return Err(e.into()),
        }
        let found = Self::read_in(store).await?.ok_or(LakeError::NoStore)?;
        found.check(key_fingerprint, kind)?;
        Ok(found)
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

    /// A data directory whose lake is not where its operator thinks would begin a second one, from a log that may no longer
    /// hold what the first one has.
    ///
    /// # Errors
    /// `OtherLake`.
    pub fn check_lake(&self, lake: Option<&str>) -> Result<()> {
        if self.lake.as_deref() == lake {
            return Ok(());
        }
        let said = |lake: Option<&str>| lake.unwrap_or("in the directory itself").to_owned();
        Err(LakeError::OtherLake { store: said(self.lake.as_deref()), given: said(lake) })
    }

    fn text(&self) -> String {
        let file = OnDisk {
            format: self.format,
            key_fingerprint: self.key_fingerprint.clone(),
            sample: self.kind == StoreKind::Sample,
            lake: self.lake.clone(),
        };
        let text = toml::to_string(&file).expect("four plain fields are always TOML");
        format!(
            "# What this store is. Written once; do not edit, but for `lake` after the lake was copied elsewhere.\n{text}"
        )
    }

    /// Written beside, synced, linked into place: a crash leaves either no file or a whole one.
    fn write(&self, dir: &Path) -> Result<()> {
        let text = self.text();
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
