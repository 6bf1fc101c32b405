//! Files that the program writes: whole or not at all, and readable by their owner alone where they hold what must not travel.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file that is written beside its place and moved there when it is whole. A place that is a device or a pipe is written
/// to as it comes: nothing can be moved there.
pub(crate) struct Staged {
    path: PathBuf,
    private: bool,
    device: bool,
    /// None until something is written: then there is no file either.
    writer: Option<BufWriter<File>>,
}

impl Staged {
    /// A file that will be at `path`; made when something is written to it.
    pub(crate) fn at(path: &Path, private: bool) -> Self {
        let device = std::fs::metadata(path).is_ok_and(|there| !there.is_file());
        Self { path: path.to_path_buf(), private, device, writer: None }
    }

    /// Moves what was written to its place, durably. Gives its path, or nothing where nothing was written.
    pub(crate) fn finish(mut self) -> io::Result<Option<PathBuf>> {
        let Some(writer) = self.writer.take() else { return Ok(None) };
        let file = writer.into_inner().map_err(io::IntoInnerError::into_error);
        if self.device {
            return file.map(|_| Some(self.path.clone()));
        }
        let moved = file.and_then(|file| file.sync_all()).and_then(|()| std::fs::rename(self.part(), &self.path));
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

    fn open(&self) -> io::Result<File> {
        if self.device {
            return OpenOptions::new().write(true).open(&self.path);
        }
        let _ = std::fs::remove_file(self.part()); // of a run that was broken off
        new_file(&self.part(), self.private)
    }

    fn writer(&mut self) -> io::Result<&mut BufWriter<File>> {
        if self.writer.is_none() {
            self.writer = Some(BufWriter::with_capacity(1 << 16, self.open()?));
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
        if self.writer.take().is_some() && !self.device {
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
