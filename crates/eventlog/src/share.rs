//! Static assignment: of several workers each reads its own share of the partitions, without a group.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::error::Result;
use crate::partition::Partition;
use crate::records::Fetched;
use crate::source::{Change, EventSource, Watermarks};

/// Which share of the partitions a reader has: those whose name falls to its number, of so many readers
/// (ingestion.md 3.5, "static assignment").
///
/// The share of a partition depends on its name alone, so that new streams move none of the others. Two readers with the
/// same number are a mistake that the claims in the lake make harmless: the later one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    number: u32,
    of: NonZeroU32,
}

impl Share {
    /// Everything.
    pub const ALL: Self = Self { number: 0, of: NonZeroU32::MIN };

    /// Share `number` (from 0) of `of`; `None` when there is no such share.
    pub fn new(number: u32, of: u32) -> Option<Self> {
        let of = NonZeroU32::new(of)?;
        (number < of.get()).then_some(Self { number, of })
    }

    /// Whether the partition belongs to this share.
    pub fn has(self, partition: &Partition) -> bool {
        let hash = fnv(partition.to_string().as_bytes());
        // The low bits of FNV-1a alone are poor for names that differ in one place.
        let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        mixed % u64::from(self.of.get()) == u64::from(self.number)
    }
}

/// FNV-1a: the same on every machine and in every version, which the standard library's hasher does not promise.
pub(crate) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A source of which a reader sees its share alone.
#[derive(Debug)]
pub struct Shared<S> {
    inner: S,
    share: Share,
}

impl<S> Shared<S> {
    /// The source, narrowed to a share.
    pub fn new(inner: S, share: Share) -> Self {
        Self { inner, share }
    }
}

impl<S: EventSource> EventSource for Shared<S> {
    fn source_uid(&self) -> &str {
        self.inner.source_uid()
    }
    fn partitions(&mut self) -> Result<Vec<Partition>> {
        let mut mine = self.inner.partitions()?;
        mine.retain(|partition| self.share.has(partition));
        Ok(mine)
    }
    fn partitions_of(&mut self, stream: &str) -> Result<Vec<Partition>> {
        self.inner.partitions_of(stream)
    }
    fn changed(&mut self) -> Result<Change> {
        self.inner.changed()
    }
    fn release(&mut self) -> Result<()> {
        self.inner.release()
    }
    fn watermarks(&mut self, partition: &Partition) -> Result<Watermarks> {
        self.inner.watermarks(partition)
    }
    fn read_from(&mut self, partition: &Partition, next: i64) -> Result<()> {
        self.inner.read_from(partition, next)
    }
    fn stop(&mut self, partition: &Partition) -> Result<()> {
        self.inner.stop(partition)
    }
    fn poll(&mut self, max_bytes: usize, wait: Duration) -> Result<Option<Fetched>> {
        self.inner.poll(max_bytes, wait)
    }
    fn hint(&mut self, partition: &Partition, next: i64) -> Result<()> {
        self.inner.hint(partition, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_belongs_to_exactly_one_share_and_the_shares_are_about_even() {
        let partitions: Vec<_> = (0..40)
            .flat_map(|agency| (0..3).map(move |n| Partition::new(format!("tip.events.POL-{agency}.v1"), n)))
            .collect();
        for of in 1..=5 {
            let shares: Vec<_> = (0..of).filter_map(|number| Share::new(number, of)).collect();
            let mut sizes = vec![0; shares.len()];
            for partition in &partitions {
                let owners: Vec<_> = (0..shares.len()).filter(|at| shares[*at].has(partition)).collect();
                assert_eq!(owners.len(), 1, "{partition} of {of}");
                sizes[owners[0]] += 1;
            }
            let fair = partitions.len() / shares.len();
            assert!(sizes.iter().all(|size| (fair / 2..=fair * 2).contains(size)), "{sizes:?}");
        }
    }

    #[test]
    fn a_share_that_there_is_not_cannot_be_made() {
        assert_eq!(Share::new(2, 2), None);
        assert_eq!(Share::new(0, 0), None);
        assert_eq!(Share::new(0, 1), Some(Share::ALL));
    }
}
