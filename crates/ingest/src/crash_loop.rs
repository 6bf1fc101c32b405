//! A message that kills the process (an abort, an exhausted stack) is found and set aside, so that it cannot kill it for ever.
//!
//! A small file is there while messages are decoded and is removed when that ends: a process that finds one follows another
//! that did not end. Only then is there more to write: before each message that its predecessor may have died at, the file is
//! told which one it is, in place. Those are the next ones of each partition, no more than a worker may hold (I5), and no more
//! than the log held when the partition was assigned. A process that finds a message named there notes a crash at it; a
//! message with two is set aside without being decoded. The steady state costs one file at the start and its removal at the
//! end.
//!
//! What is written in place is not synced: a process that dies leaves it to the system, which does not. A machine that dies
//! may leave an older state, so a crash is noted only if the machine is the same run of its kernel (no clock tells that: the
//! kernel's boot id does, where there is one). One crash alone accuses nobody: it may have come from outside, while an
//! innocent message was being decoded. A file that cannot be written is a warning, and no reason not to ingest.
//!
//! Source: ingestion.md 3.6 (`decoder_crash`). Panics are caught where they happen (`crash`).

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use lake::PartitionId;
use tracing::{error, warn};

/// Crashes at one message after which it is set aside without being decoded (ingestion.md 3.6).
const CRASHES: u32 = 2;

/// Bytes of the file's first line, which is written in place: a stream's name has at most 249 letters, a log's uid fewer.
const LINE: usize = 512;

/// Where a message stands.
type Position = (PartitionId, i64);

/// The file, and what it said.
#[derive(Debug, Default)]
pub(crate) struct CrashLoop {
    path: PathBuf,
    /// `None`: there is none, or it cannot be written.
    file: Option<File>,
    /// Bytes of messages that the process before this one may have held, if it did not end; else none.
    held: usize,
    /// Messages that processes died at, with the number of times; until they are in the lake.
    crashes: BTreeMap<Position, u32>,
    /// The next messages of each partition that the predecessor may have died at: below this offset, and so many bytes.
    suspects: BTreeMap<PartitionId, (i64, usize)>,
    /// Whether the file names a message.
    names_one: bool,
    /// The first line as it was written last; kept for its memory.
    line: Vec<u8>,
}

impl CrashLoop {
    /// Decoding begins. Without a path nothing is watched. `most_held`: bytes of messages that a worker may hold.
    pub(crate) fn begin(path: Option<&Path>, most_held: usize) -> Self {
        let Some(path) = path else { return Self::default() };
        let mut this = Self { path: path.to_owned(), ..Self::default() };
        if let Err(error) = this.open(most_held) {
            this.cannot_write(&error);
        }
        this
    }

    fn open(&mut self, most_held: usize) -> io::Result<()> {
        match fs::read(&self.path) {
            Ok(bytes) => {
                self.held = most_held;
                self.understand(&String::from_utf8_lossy(&bytes));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        self.write()
    }

    /// Reads what the predecessor left.
    fn understand(&mut self, text: &str) {
        let mut lines = text.lines();
        let named = lines.next().and_then(|line| line.trim_end().strip_prefix("decoding "));
        let same_machine = lines.next().is_some_and(|boot| boot == boot_id());
        self.crashes = lines.filter_map(crash).collect();
        let Some(at) = named.filter(|_| same_machine).and_then(position) else { return };
        let times = self.crashes.entry(at.clone()).or_default();
        *times += 1;
        error!(partition = %at.0, offset = at.1, times = *times, "the program died while it decoded this message");
    }

    /// Writes the file anew and durably.
    fn write(&mut self) -> io::Result<()> {
        let mut text = format!("{:<width$}\n{}\n", "decoding nothing", boot_id(), width = LINE - 1);
        for ((partition, offset), times) in &self.crashes {
            text.push_str(&format!("{times} {partition}/{offset}\n"));
        }
        let new = self.path.with_extension("new");
        fs::write(&new, text)?;
        let file = File::options().write(true).open(&new)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        self.sync_folder()?;
        self.file = Some(file);
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }

    fn cannot_write(&mut self, error: &io::Error) {
        warn!(file = %self.path.display(), %error, "a message that kills the program would not be found: the file that names it cannot be written");
        self.file = None;
    }

    /// A partition is read from `next` on, of which the log holds what is below `log_end`.
    pub(crate) fn assign(&mut self, partition: &PartitionId, next: i64, log_end: i64) {
        self.crashes.retain(|(of, offset), _| of != partition || *offset >= next);
        if self.held > 0 {
            self.suspects.insert(partition.clone(), (log_end, self.held));
        }
    }

    /// Whether [`Self::lets_decode`] is to be asked of messages of a partition from this offset on: some may have killed a process.
    pub(crate) fn watches(&self, partition: &PartitionId, from: i64) -> bool {
        let suspect = self.suspects.get(partition).is_some_and(|(below, left)| from < *below && *left > 0);
        suspect || self.crashes.keys().any(|(of, _)| of == partition)
    }

    /// Whether a message may be decoded; if so, it is what this process dies at, should it die now.
    pub(crate) fn lets_decode(&mut self, partition: &PartitionId, offset: i64, bytes: usize) -> bool {
        // In the steady state both maps are empty.
        let crashes = if self.crashes.is_empty() { None } else { self.crashes.get(&(partition.clone(), offset)) };
        if crashes.is_some_and(|times| *times >= CRASHES) {
            error!(%partition, offset, "the message is set aside without being decoded: the program died at it before");
            return false;
        }
        match self.suspects.get_mut(partition) {
            Some((below, left)) if offset < *below && *left > 0 => *left = left.saturating_sub(bytes),
            _ => return true,
        }
        self.name(format_args!("decoding {partition}/{offset}"));
        self.names_one = true;
        true
    }

    /// The messages of a batch are decoded: whatever happens now is not because of one of them.
    pub(crate) fn batch_is_decoded(&mut self) {
        if std::mem::take(&mut self.names_one) {
            self.name(format_args!("decoding nothing"));
        }
    }

    fn name(&mut self, what: fmt::Arguments<'_>) {
        let Some(file) = &self.file else { return };
        self.line.clear();
        let written = self.line.write_fmt(what).and_then(|()| {
            self.line.resize(LINE - 1, b' ');
            self.line.push(b'\n');
            file.write_all_at(&self.line, 0)
        });
        if let Err(error) = written {
            self.cannot_write(&error);
        }
    }

    /// Decoding has ended, and not by a crash. Messages that are not known to be in the lake stay on record.
    pub(crate) fn end(&mut self) {
        if self.file.is_none() {
            return;
        }
        let ended = if self.crashes.is_empty() {
            fs::remove_file(&self.path).and_then(|()| self.sync_folder())
        } else {
            self.write()
        };
        if let Err(error) = ended {
            self.cannot_write(&error);
        }
    }
}

/// A line of the list of crashes.
fn crash(line: &str) -> Option<(Position, u32)> {
    let (times, at) = line.split_once(' ')?;
    Some((position(at)?, times.parse().ok()?))
}

/// `<log_stream>/<partition>/<offset>`.
fn position(text: &str) -> Option<Position> {
    let mut parts = text.rsplitn(3, '/');
    let (offset, partition) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some((PartitionId { log_stream: parts.next()?.into(), partition }, offset))
}

/// What names this run of the machine's kernel; empty where nothing does.
fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}
