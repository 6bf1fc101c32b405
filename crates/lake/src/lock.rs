//! One writer process per role and data directory.
//!
//! The lock is the kernel's (`flock`): it ends with its process, however that ends, so a stale file never blocks. It
//! guards against mistakes on one machine; safety between machines comes from claims and conditional commits.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::{LakeError, Result};

/// A held lock; dropping it releases it.
#[derive(Debug)]
pub struct StoreLock {
    _file: File,
}

impl StoreLock {
    /// Lock of whoever ingests.
    pub const WRITER: &'static str = "LOCK";
    /// Lock of whoever refreshes and publishes.
    pub const REFRESH: &'static str = "LOCK.refresh";

    /// Takes the lock `name` in `dir` or says at once who holds it.
    ///
    /// # Errors
    /// `Locked` with the holder's process id; `ReadOnly`, `Full`, `Io`.
    pub fn acquire(dir: &Path, name: &str) -> Result<Self> {
        let path = dir.join(name);
        let io = |action, e| LakeError::io(action, &path, e);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false) // the holder's process id must stay readable
            .open(&path)
            .map_err(|e| io("open", e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let _ = file.read_to_string(&mut text); // the holder may be writing; 0 then
                let pid = text.trim().parse().unwrap_or(0);
                return Err(LakeError::Locked { lock: name.to_owned(), pid });
            }
            Err(TryLockError::Error(e)) => return Err(io("lock", e)),
        }
        file.set_len(0).map_err(|e| io("write", e))?;
        file.rewind().map_err(|e| io("write", e))?;
        writeln!(file, "{}", std::process::id()).map_err(|e| io("write", e))?;
        Ok(Self { _file: file })
    }
}
