//! What a process that was killed while it wrote has left beside the places of its files. No listing shows such a name, so vacuum
//! does not know of it, and nobody else would ever delete it.

use std::fs::Metadata;
use std::io::Result;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Deletes what was left below a directory and was last written before a time, milliseconds since 1970; gives the number.
///
/// # Errors
/// What the system says; what has gone meanwhile is no error.
pub(crate) fn sweep(dir: &Path, before_ms: i64) -> Result<u64> {
    let mut swept = 0;
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let Ok(metadata) = path.symlink_metadata() else { continue };
        if metadata.is_dir() {
            swept += sweep(&path, before_ms)?;
        } else if is_staged(&path) && written_ms(&metadata)? < before_ms {
            match std::fs::remove_file(&path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
                _ => swept += 1,
            }
        }
    }
    Ok(swept)
}

/// `name#<digits>`, as [`super::FsyncStore`] names what it has not yet moved into place.
fn is_staged(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let number = name.and_then(|name| name.rsplit_once('#')).map(|(_, number)| number);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn written_ms(metadata: &Metadata) -> Result<i64> {
    let since = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
