//! Files that the program writes: whole or not at all, and readable by their owner alone where they hold what must not travel.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file that is written beside its place and moved there when it is whole.
pub(crate) struct Staged {
    path: PathBuf,
    private: bool,
    /// Whether the file is there even if nothing is written.
    writer: Option<BufWriter<File>>,
}

impl Staged {
    /// A file that will be at `path`; made when something is written to it.
    pub(crate) fn at(path: &Path, private: bool) -> Self {
        Self { path: path.to_path_buf(), private, writer: None }
    }

    /// Moves what was written to its place, durably. Gives its path, or nothing where nothing was written.
    pub(crate) fn finish(mut self) -> io::Result<Option<PathBuf>> {
        let Some(writer) = self.writer.take() else { return Ok(None) };
        let moved = writer.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| file.sync_all());
        let moved = moved.and_then(|()| std::fs::rename(self.part(), &self.path));
        if moved.is_err() {
            let _ = std::fs::remove_file(self.part());
        }
        moved.map(|()| Some(self.path.clone()))
    }

    fn part(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        self.path.with_file_name(name)
    }

    fn writer(&mut self) -> io::Result<&mut BufWriter<File>> {
        if self.writer.is_none() {
            let _ = std::fs::remove_file(self.part()); // of a run that was broken off
            self.writer = Some(BufWriter::with_capacity(1 << 16, new_file(&self.part(), self.private)?));
        }
        Ok(self.writer.as_mut().expect("made above"))
    }
}

impl Write for Staged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.as_mut().map_or(Ok(()), BufWriter::flush)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.writer.take().is_some() {
            let _ = std::fs::remove_file(self.part());
        }
    }
}

/// Makes a file that was not there.
pub(crate) fn new_file(path: &Path, private: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = private; // the folder's rights are the file's there
    options.open(path)
}

/// Whether others than its owner can read a file.
#[cfg(unix)]
pub(crate) fn is_open_to_others(path: &Path) -> io::Result<bool> {
    Ok(std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path)?.permissions()) & 0o077 != 0)
}

/// Rights are the folder's there.
#[cfg(not(unix))]
pub(crate) fn is_open_to_others(_: &Path) -> io::Result<bool> {
    Ok(false)
}
