//! The deduplication window of one partition: an exact memory of the event ids that its rows carry.
//!
//! It is a cache, not the truth. The truth is "does an earlier row of this partition carry this event id", and the
//! window answers it without reading the lake for the span it covers; what is older is looked up in the lake. So a
//! decision depends on the partition's prefix only: not on the window's size, on restarts, or on other partitions.
//!
//! Absent on purpose: any approximate filter (a false "seen" would drop an event) and any state of its own on disk
//! (it is rebuilt from the committed table). Source: ingestion.md 3.7.

use std::collections::VecDeque;
use std::hash::Hasher as _;

use hashbrown::HashTable;
use siphasher::sip::SipHasher13;

/// What the window keeps for one event id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct First {
    /// Offset of the first row that carried the id.
    pub offset: i64,
    /// Keyed fingerprint of its sealed content; `None` when the window was rebuilt from the lake, which does not keep it.
    pub content: Option<u64>,
}

/// Answer to "was this id seen before in this partition".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Yes, first here.
    Before(First),
    /// No: the window covers every row that could carry it.
    Never,
    /// Not in the window, and the id may be older than what it covers: look it up in the lake.
    Unknown,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    id: [u8; 16],
    offset: i64,
    /// 0 = not known (a fingerprint of 0 is stored as 1).
    content: u64,
}

/// Exact event ids of one partition, oldest first.
#[derive(Debug)]
pub(crate) struct Window {
    key: (u64, u64),
    entries: VecDeque<Entry>,
    /// Number of entries dropped so far: entry `i` of the deque has the number `dropped + i`.
    dropped: u64,
    index: HashTable<u64>,
    /// Every id of version 7 that is in no entry was made by then, milliseconds; `None` while the window covers the whole
    /// partition.
    forgot_until_ms: Option<i64>,
}

impl Window {
    /// An empty window, covering a partition that has no rows yet. `key` keeps an agency from choosing ids that fall into one
    /// slot of the index.
    pub(crate) fn new(key: (u64, u64)) -> Self {
        Self { key, entries: VecDeque::new(), dropped: 0, index: HashTable::new(), forgot_until_ms: None }
    }

    /// The same window as if the partition had no rows: a mistake that is planted by simulations (see [`lake::mistake`]).
    pub(crate) fn emptied(self) -> Self {
        Self::new(self.key)
    }

    /// Says that rows exist which are not in the window, and that their ids, as far as they are of version 7, were made by
    /// this time (milliseconds).
    pub(crate) fn forget_until(&mut self, made_ms: i64) {
        self.forgot_until_ms = Some(self.forgot_until_ms.map_or(made_ms, |f| f.max(made_ms)));
    }

    /// Ids remembered.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many ids can be put into windows of so many bytes: their room doubles when it is used up, and an id takes two slots
    /// of the index at most, each with a byte of its own.
    pub(crate) const fn ids_in(bytes: usize) -> usize {
        bytes / (2 * (size_of::<Entry>() + 2 * (size_of::<u64>() + 1)))
    }

    /// Memory that it takes, room for further ids included: by it windows are bounded.
    pub(crate) fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>() + self.index.allocation_size()
    }

    /// Gives back the room of what was forgotten.
    pub(crate) fn shrink(&mut self) {
        self.entries.shrink_to_fit();
        let (entries, dropped, key) = (&self.entries, self.dropped, self.key);
        self.index.shrink_to_fit(|&n| hash_id(key, &entries[(n - dropped) as usize].id));
    }

    /// Looks up an id.
    pub(crate) fn seen(&self, id: &[u8; 16]) -> Seen {
        let hash = self.hash(id);
        match self.index.find(hash, |&number| self.entry(number).id == *id) {
            Some(&number) => {
                let entry = self.entry(number);
                Seen::Before(First { offset: entry.offset, content: (entry.content != 0).then_some(entry.content) })
            }
            None if self.covers(id) => Seen::Never,
            None => Seen::Unknown,
        }
    }

    /// Remembers an id that is not in the window. Offsets ascend. Nothing is forgotten before [`Self::drop_oldest`]: the lake
    /// cannot answer for a row that is not committed yet.
    pub(crate) fn insert(&mut self, id: [u8; 16], offset: i64, content: Option<u64>) {
        debug_assert!(self.entries.back().is_none_or(|last| last.offset < offset), "offsets ascend");
        let number = self.dropped + self.entries.len() as u64;
        let content = content.map_or(0, |c| c.max(1));
        self.entries.push_back(Entry { id, offset, content });
        let (entries, dropped, key) = (&self.entries, self.dropped, self.key);
        let rehash = |&n: &u64| hash_id(key, &entries[(n - dropped) as usize].id);
        self.index.insert_unique(hash_id(key, &id), number, rehash);
    }

    /// The id was found in the lake after all: the window's entry is not its first row.
    pub(crate) fn correct(&mut self, id: &[u8; 16], first: i64) {
        let hash = self.hash(id);
        if let Some(&number) = self.index.find(hash, |&number| self.entry(number).id == *id) {
            let entry = &mut self.entries[(number - self.dropped) as usize];
            entry.offset = first;
            entry.content = 0;
        }
    }

    /// The id's first row is in another partition: the next copy is looked up in the lake again, where that is known.
    pub(crate) fn forget(&mut self, id: &[u8; 16]) {
        let (entries, dropped) = (&self.entries, self.dropped);
        let is = |&number: &u64| entries[(number - dropped) as usize].id == *id;
        if let Ok(found) = self.index.find_entry(hash_id(self.key, id), is) {
            found.remove();
        }
        self.forget_until(made_at_ms(id).unwrap_or(i64::MIN));
    }

    /// The content of the row at this offset, where it was not known.
    pub(crate) fn learn(&mut self, id: &[u8; 16], offset: i64, content: u64) {
        let hash = self.hash(id);
        if let Some(&number) = self.index.find(hash, |&number| self.entry(number).id == *id) {
            let entry = &mut self.entries[(number - self.dropped) as usize];
            if entry.offset == offset {
                entry.content = content.max(1);
            }
        }
    }

    /// Forgets the oldest `count` ids, to keep all windows together within their bytes. Once the batch that brought them is on its
    /// way to the lake.
    pub(crate) fn drop_oldest(&mut self, count: usize) {
        for _ in 0..count.min(self.entries.len()) {
            self.drop_one();
        }
    }

    fn drop_one(&mut self) {
        let Some(oldest) = self.entries.pop_front() else { return };
        let number = self.dropped;
        self.dropped += 1;
        if let Ok(found) = self.index.find_entry(self.hash(&oldest.id), |&n| n == number) {
            found.remove();
        }
        self.forget_until(made_at_ms(&oldest.id).unwrap_or(i64::MIN));
    }

    fn entry(&self, number: u64) -> &Entry {
        &self.entries[(number - self.dropped) as usize]
    }

    fn hash(&self, id: &[u8; 16]) -> u64 {
        hash_id(self.key, id)
    }

    /// An id of version 7 that was made after all that are forgotten is none of them. No clock comes into it but the one that
    /// made the ids, be it right or wrong: what counts is which of them it called the later.
    fn covers(&self, id: &[u8; 16]) -> bool {
        match self.forgot_until_ms {
            None => true,
            Some(forgot) => made_at_ms(id).is_some_and(|made| made > forgot),
        }
    }
}

/// Milliseconds since 1970 at which a UUIDv7 was made (RFC 9562 section 5.7); `None` for other versions.
pub(crate) fn made_at_ms(id: &[u8; 16]) -> Option<i64> {
    (id[6] >> 4 == 7).then(|| id[..6].iter().fold(0, |ms, &byte| ms << 8 | i64::from(byte)))
}

fn hash_id(key: (u64, u64), id: &[u8; 16]) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(key.0, key.1);
    hasher.write(id);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn id(made_ms: u64, n: u8) -> [u8; 16] {
        let mut id = [0_u8; 16];
        id[..6].copy_from_slice(&made_ms.to_be_bytes()[2..]);
        id[6] = 0x70;
        id[15] = n;
        id
    }

    fn window() -> Window {
        Window::new((1, 2))
    }

    const DAY_MS: i64 = 86_400_000;

    #[test]
    fn an_id_is_remembered_with_its_first_offset_and_content() {
        let mut w = window();
        assert_eq!(w.seen(&id(1, 1)), Seen::Never);
        w.insert(id(1, 1), 5, Some(77));
        assert_eq!(w.seen(&id(1, 1)), Seen::Before(First { offset: 5, content: Some(77) }));
        assert_eq!(w.seen(&id(1, 2)), Seen::Never);
    }

    #[test]
    fn an_id_that_fell_out_by_number_is_looked_up_and_not_called_new() {
        let mut w = window();
        for n in 0..3 {
            w.insert(id(1, n), i64::from(n), None);
        }
        w.drop_oldest(1);
        assert_eq!(w.len(), 2);
        assert_eq!(w.seen(&id(1, 0)), Seen::Unknown);
        assert_eq!(w.seen(&id(1, 2)), Seen::Before(First { offset: 2, content: None }));
    }

    #[test]
    fn an_id_made_after_what_was_forgotten_is_new_without_a_look() {
        let mut w = window();
        w.insert(id(0, 0), 0, None);
        w.insert(id(0, 1), 1, None);
        w.drop_oldest(1);
        assert_eq!(w.seen(&id(0, 9)), Seen::Unknown);
        assert_eq!(w.seen(&id(1, 9)), Seen::Never, "a millisecond later");
        let mut other_version = id(1, 9);
        other_version[6] = 0x80;
        assert_eq!(w.seen(&other_version), Seen::Unknown, "only version 7 tells its time");
    }

    #[test]
    fn an_id_newer_than_its_log_time_is_looked_up_once_it_is_forgotten() {
        let mut w = window();
        let ahead = id(20 * DAY_MS as u64, 0);
        w.insert(ahead, 0, None);
        w.insert(id(0, 1), 1, None);
        w.drop_oldest(1);
        assert_eq!(w.seen(&ahead), Seen::Unknown, "it is in the lake");
    }

    #[test]
    fn a_corrected_entry_names_the_row_found_in_the_lake() {
        let mut w = window();
        w.insert(id(1, 1), 50, Some(3));
        w.correct(&id(1, 1), 4);
        assert_eq!(w.seen(&id(1, 1)), Seen::Before(First { offset: 4, content: None }));
    }

    #[test]
    fn many_ids_stay_exact_while_the_oldest_leave() {
        let mut w = window();
        for n in 0..5000_u64 {
            let mut i = id(n, 0);
            i[8..].copy_from_slice(&n.to_le_bytes());
            assert_ne!(w.seen(&i), Seen::Before(First { offset: n as i64, content: None }));
            w.insert(i, n as i64, None);
            w.drop_oldest(w.len().saturating_sub(1000));
        }
        assert_eq!(w.len(), 1000);
        for n in 4000..5000_u64 {
            let mut i = id(n, 0);
            i[8..].copy_from_slice(&n.to_le_bytes());
            assert_eq!(w.seen(&i), Seen::Before(First { offset: n as i64, content: None }));
        }
    }

    #[test]
    fn what_is_forgotten_gives_its_room_back_and_the_rest_stays_exact() {
        let mut w = window();
        for n in 0..4000_u64 {
            let mut i = id(n, 0);
            i[8..].copy_from_slice(&n.to_le_bytes());
            w.insert(i, n as i64, None);
        }
        let before = w.bytes();
        w.drop_oldest(3900);
        assert_eq!(w.bytes(), before, "room is kept until it is asked for");
        w.shrink();
        assert!(w.bytes() < before / 8, "{} of {before}", w.bytes());
        for n in 3900..4000_u64 {
            let mut i = id(n, 0);
            i[8..].copy_from_slice(&n.to_le_bytes());
            assert_eq!(w.seen(&i), Seen::Before(First { offset: n as i64, content: None }));
        }
        w.drop_oldest(100);
        w.shrink();
        assert_eq!(w.bytes(), 0);
    }
}
