//! The end of a Delta log in a local directory, found by asking for names instead of listing.
//!
//! A commit looks for the latest version first, and a listing of a directory with 100,000 files takes longer than the
//! commit itself. But versions follow each other without gaps, so from a version that is there the next ones can be
//! asked for by name until one is not there.
//!
//! What a listing would show and a look by name does not: checkpoints in several parts or under random names, `.crc`
//! files and compacted commits. Nothing here makes them. Where the answer is not certain (a first version that is not
//! there, a gap, a very long tail) there is none, and the caller lists.

use std::fs::Metadata;
use std::io::{ErrorKind, Result};
use std::path::Path;

/// Versions asked for at most. Beyond them a listing is no slower.
const MOST: u64 = 1_000;

/// How far beyond the end is looked, in powers of two, for versions after a gap. They would mean that a commit was lost
/// or deleted; a listing shows it and the reader of the log refuses, where an end in the middle would be written over.
const LOOK_AHEAD: u32 = 16;

/// The names of a version, in their order.
const ENDINGS: [&str; 2] = ["checkpoint.parquet", "json"];

/// A file of the log.
#[derive(Debug)]
pub(super) struct LogFile {
    pub name: String,
    pub metadata: Metadata,
}

/// The files of version `from` and later, in order of their names; `None` = only a listing can tell.
pub(super) fn tail(log: &Path, from: u64) -> Result<Option<Vec<LogFile>>> {
    let mut found = Vec::new();
    for version in from..from.saturating_add(MOST) {
        let before = found.len();
        files_of(log, version, &mut found)?;
        if found.len() > before {
            continue;
        }
        // The end, if the version before it is there and none after it.
        let follows = version.checked_sub(1).is_some_and(|before| is_there(log, before));
        if !follows {
            return Ok(None);
        }
        if !(0..LOOK_AHEAD).any(|n| is_there(log, version.saturating_add(1 << n))) {
            return Ok(Some(found));
        }
        // Versions beyond: either they and this one were committed since we looked, or there is a gap.
        files_of(log, version, &mut found)?;
        if found.len() == before {
            return Ok(None);
        }
    }
    Ok(None)
}

fn files_of(log: &Path, version: u64, found: &mut Vec<LogFile>) -> Result<()> {
    for ending in ENDINGS {
        let name = name(version, ending);
        match std::fs::metadata(log.join(&name)) {
            Ok(metadata) => found.push(LogFile { name, metadata }),
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

fn is_there(log: &Path, version: u64) -> bool {
    // The commit first: it is there unless it was cleaned up behind a checkpoint.
    ENDINGS.iter().rev().any(|ending| log.join(name(version, ending)).exists())
}

fn name(version: u64, ending: &str) -> String {
    format!("{version:020}.{ending}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn log(names: &[(u64, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (version, ending) in names {
            std::fs::write(dir.path().join(name(*version, ending)), "x").unwrap();
        }
        dir
    }

    fn commits(versions: impl Iterator<Item = u64>) -> tempfile::TempDir {
        log(&versions.map(|v| (v, "json")).collect::<Vec<_>>())
    }

    fn names(log: &tempfile::TempDir, from: u64) -> Option<Vec<String>> {
        Some(tail(log.path(), from).unwrap()?.into_iter().map(|file| file.name).collect())
    }

    #[test]
    fn the_versions_from_one_on_are_found_with_their_checkpoints() {
        let log = log(&[(0, "json"), (1, "json"), (2, "checkpoint.parquet"), (2, "json"), (3, "json")]);
        assert_eq!(names(&log, 2).unwrap(), [name(2, "checkpoint.parquet"), name(2, "json"), name(3, "json")]);
        assert_eq!(names(&log, 4).unwrap(), [] as [String; 0], "the version before is the latest");
    }

    #[test]
    fn a_version_behind_the_clean_up_is_left_to_a_listing() {
        let log = log(&[(5, "checkpoint.parquet"), (5, "json"), (6, "json")]);
        assert_eq!(names(&log, 0), None);
        assert_eq!(names(&log, 5).unwrap().len(), 3);
    }

    #[test]
    fn a_gap_is_left_to_a_listing_and_is_not_taken_for_the_end() {
        for missing in [1, 2, 7, 100] {
            let log = commits((0..5).chain(5 + missing..2_000));
            assert_eq!(names(&log, 3), None, "{missing} missing");
        }
    }

    #[test]
    fn a_checkpoint_whose_commit_was_cleaned_up_is_no_gap() {
        let log = log(&[(5, "checkpoint.parquet"), (6, "json")]);
        assert_eq!(names(&log, 5).unwrap(), [name(5, "checkpoint.parquet"), name(6, "json")]);
        assert_eq!(names(&log, 6).unwrap(), [name(6, "json")]);
    }

    #[test]
    fn a_very_long_tail_is_left_to_a_listing() {
        let log = commits(0..MOST + 10);
        assert_eq!(names(&log, 1), None);
        assert_eq!(names(&log, 100).unwrap().len(), MOST as usize - 90);
    }
}
