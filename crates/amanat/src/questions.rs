//! Saved questions on a data directory: one file each in `questions/`, as psql could run it.
//!
//! Absent: those that the program brings along (`sql/questions`), and what a text means ([`query::saved`]).

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context;
use endpoint::{Questions, Shelf};
use query::saved::is_name;
use tokio_util::sync::CancellationToken;

use crate::data_dir::DataDir;
use crate::following;

/// The longest file that is read: far more than the SQL of one question may be long.
const LONGEST: u64 = 256 << 10;
/// What the name of such a file ends with.
const ENDING: &str = "sql";

/// The folder.
struct Folder(PathBuf);

impl Shelf for Folder {
    fn put(&self, name: &str, text: Option<&str>) -> Result<(), String> {
        self.replace(name, text).map_err(|error| {
            tracing::error!(name, error = format!("{error:#}"), "a saved question was not kept");
            "The folder of saved questions cannot be written.".to_owned()
        })
    }
}

impl Folder {
    fn replace(&self, name: &str, text: Option<&str>) -> anyhow::Result<()> {
        anyhow::ensure!(is_name(name), "no name of a saved question");
        let path = self.0.join(format!("{name}.{ENDING}"));
        match text {
            Some(text) => {
                lake::create_private_dir(&self.0)?;
                let mut new = tempfile::NamedTempFile::new_in(&self.0)?;
                new.write_all(text.as_bytes())?;
                new.as_file().sync_all()?;
                new.persist(&path)?;
            }
            None => match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            },
        }
        Ok(std::fs::File::open(&self.0)?.sync_all()?)
    }
}

/// The saved questions of a deployment.
pub fn open(dir: &DataDir) -> anyhow::Result<Arc<Questions>> {
    let folder = folder(dir);
    let kept = read(&folder)?;
    Ok(Arc::new(Questions::new(Some(Arc::new(Folder(folder))), kept)))
}

/// Lets them follow the folder, until told to stop: another process, or a person, may have written there.
pub async fn follow(dir: Arc<DataDir>, questions: Arc<Questions>, stop: CancellationToken) {
    let folder = folder(&dir);
    let then = || match read(&folder) {
        Ok(kept) => {
            questions.replace(kept);
            true
        }
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "the saved questions stay as they were");
            true
        }
    };
    following::changes(stop, || seen(&folder), then).await;
}

fn folder(dir: &DataDir) -> PathBuf {
    dir.path.join("questions")
}

/// Names with when each was written and how long it is.
fn seen(folder: &Path) -> Vec<(String, Option<SystemTime>, u64)> {
    let mut seen: Vec<_> = files(folder)
        .unwrap_or_default()
        .into_iter()
        .map(|(name, path)| {
            let meta = std::fs::metadata(path).ok();
            (name, meta.as_ref().and_then(|meta| meta.modified().ok()), meta.map_or(0, |meta| meta.len()))
        })
        .collect();
    seen.sort();
    seen
}

/// Names and texts of the files; one that cannot be read is left out with a line in the log.
fn read(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut kept = Vec::new();
    for (name, path) in files(folder)? {
        let is_long = std::fs::metadata(&path).is_ok_and(|meta| meta.len() > LONGEST);
        match std::fs::read_to_string(&path) {
            Ok(text) if !is_long => kept.push((name, text)),
            _ => tracing::warn!(name, "a saved question is too long or no text in UTF-8, and is left out"),
        }
    }
    Ok(kept)
}

fn files(folder: &Path) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("cannot read {}", folder.display()))?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.extension().is_some_and(|ending| ending == ENDING) && is_name(&name) {
            files.push((name, path));
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_question_is_a_file_and_other_files_are_none() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder(place.path().join("questions"));
        assert_eq!(read(&folder.0).unwrap(), []);
        folder.put("a-question", Some("-- title: A\n\nselect 1")).unwrap();
        std::fs::write(folder.0.join("notes.txt"), "no question").unwrap();
        std::fs::write(folder.0.join("Shouting.sql"), "no name").unwrap();
        std::fs::write(folder.0.join("bytes.sql"), [0xff]).unwrap();
        let before = seen(&folder.0);
        assert_eq!(read(&folder.0).unwrap(), [("a-question".to_owned(), "-- title: A\n\nselect 1".to_owned())]);
        folder.put("a-question", None).unwrap();
        folder.put("a-question", None).unwrap();
        assert_ne!(seen(&folder.0), before);
        for name in ["../a", "a/b", "", "A"] {
            assert!(folder.put(name, Some("x")).is_err(), "{name}");
        }
        assert_eq!(read(&folder.0).unwrap(), []);
    }
}
