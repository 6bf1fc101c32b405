//! Which events more than one bucket tells: copies of one event under two records, of which only one may count (ingestion.md 3.7.5).
//!
//! Hardly any event is, but of each it must be known. So of each a number of eight bytes is kept, a hash and the bucket, in parts
//! by hash; beyond [`WAIT`] they wait in unnamed files, and each part is looked through alone. Memory is that of a part, however many
//! events there are.
//!
//! Absent: which copy counts (see `copies`).

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, Write};
use std::path::Path;

/// Parts, by the highest bits of the hash.
const PARTS: usize = 64;
/// Numbers that wait in memory: 16 MiB of them.
const WAIT: usize = 2 << 20;
/// The bits of a number that hold the bucket: there are at most 256.
const BUCKET: u64 = 0xff;

/// Collects which bucket tells which event.
pub(crate) struct Tellers {
    parts: Vec<Part>,
    waiting: usize,
}

#[derive(Default)]
struct Part {
    memory: Vec<u64>,
    file: Option<BufWriter<File>>,
}

impl Tellers {
    pub fn new() -> Self {
        Self { parts: (0..PARTS).map(|_| Part::default()).collect(), waiting: 0 }
    }

    /// A bucket tells the event of this hash.
    pub fn note(&mut self, hash: u64, bucket: usize) {
        self.parts[(hash >> 58) as usize].memory.push(hash & !BUCKET | bucket as u64);
        self.waiting += 1;
    }

    /// Puts what waits into files, if it is much.
    pub fn settle(&mut self, scratch: &Path) -> std::io::Result<()> {
        if self.waiting <= WAIT {
            return Ok(());
        }
        for part in &mut self.parts {
            if part.file.is_none() {
                part.file = Some(BufWriter::new(tempfile::tempfile_in(scratch)?));
            }
            let file = part.file.as_mut().expect("it was made above");
            for number in part.memory.drain(..) {
                file.write_all(&number.to_le_bytes())?;
            }
        }
        self.waiting = 0;
        Ok(())
    }

    /// Events that more than one bucket tells. Two events whose hashes agree in all bits but the lowest are taken for one: that costs
    /// a look at their contents.
    pub fn shared(self) -> std::io::Result<Shared> {
        let mut shared = HashSet::new();
        for part in self.parts {
            let mut numbers = part.all()?;
            numbers.sort_unstable();
            let told_apart = numbers.windows(2).filter(|two| two[0] != two[1] && two[0] & !BUCKET == two[1] & !BUCKET);
            shared.extend(told_apart.map(|two| two[0] & !BUCKET));
        }
        Ok(Shared(shared))
    }
}

impl Part {
    fn all(self) -> std::io::Result<Vec<u64>> {
        let mut numbers = self.memory;
        if let Some(file) = self.file {
            let mut file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            file.rewind()?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            numbers.extend(bytes.as_chunks().0.iter().map(|number| u64::from_le_bytes(*number)));
        }
        Ok(numbers)
    }
}

/// Hashes of events that more than one bucket tells.
pub(crate) struct Shared(HashSet<u64>);

impl Shared {
    /// Whether nearly certainly more than one bucket tells the event of this hash.
    pub fn has(&self, hash: u64) -> bool {
        self.0.contains(&(hash & !BUCKET))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::keys::mix;

    /// Events of which every thousandth is told by two buckets, the others by one, some of them twice.
    fn shared(events: u64, scratch: &Path) -> (Shared, u64) {
        let mut tellers = Tellers::new();
        for event in 0..events {
            let hash = mix(event);
            tellers.note(hash, (event % 256) as usize);
            if event % 1_000 == 0 {
                tellers.note(hash, ((event + 1) % 256) as usize);
            }
            if event % 7 == 0 {
                tellers.note(hash, (event % 256) as usize);
            }
            tellers.settle(scratch).unwrap();
        }
        (tellers.shared().unwrap(), events)
    }

    #[test]
    fn events_of_several_buckets_are_found_in_memory_and_in_files() {
        let dir = tempfile::tempdir().unwrap();
        for events in [20_000, 3 * WAIT as u64] {
            let (shared, events) = shared(events, dir.path());
            for event in (0..events).step_by(1_000) {
                assert!(shared.has(mix(event)));
            }
            assert_eq!(shared.0.len() as u64, events.div_ceil(1_000), "no other is taken for one");
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "the files have no names");
    }
}
