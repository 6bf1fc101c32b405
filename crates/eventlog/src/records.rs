//! Records as they are read: one arena of bytes and a small index, so that a million events cost a handful of allocations.
//!
//! Layout of one record in the arena, and in the BLOBs of the SQLite log: key, header block, value, without gaps.
//! Header block: for each header `name length u16 LE, value length u32 LE, name, value`.

use crate::partition::Partition;

/// Length that means "absent" for a key or a value.
pub(crate) const ABSENT: u32 = u32::MAX;

/// Records of one partition, in offset order.
#[derive(Debug)]
pub struct Fetched {
    /// Where they come from.
    pub partition: Partition,
    /// The records; possibly none, when only [`Records::next_offset`] moved.
    pub records: Records,
}

/// A batch of records in one arena.
#[derive(Default)]
pub struct Records {
    arena: Vec<u8>,
    entries: Vec<Entry>,
    next_offset: i64,
}

/// Where a record lies in the arena.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub offset: i64,
    pub timestamp_ms: i64,
    pub start: usize,
    pub key_len: u32,
    pub headers_len: u32,
    pub value_len: u32,
}

/// One record, borrowed from its batch.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    /// Its place in the partition.
    pub offset: i64,
    /// The log's time of it, milliseconds since 1970 UTC.
    pub timestamp_ms: i64,
    /// The key, if it has one.
    pub key: Option<&'a [u8]>,
    /// The headers, in order; names may repeat.
    pub headers: Headers<'a>,
    /// The value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
}

impl Records {
    /// How many records.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none. The batch may still move [`next_offset`](Self::next_offset).
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Memory that the batch holds, in bytes: for the byte budget (ingestion.md 3.11).
    pub fn bytes(&self) -> usize {
        self.arena.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    /// The offset to read next, after this batch: past the last record, and past offsets behind it that hold none.
    pub fn next_offset(&self) -> i64 {
        self.next_offset
    }

    /// The record at this place of the batch.
    pub fn get(&self, index: usize) -> Option<Record<'_>> {
        self.entries.get(index).map(|entry| self.record(entry))
    }

    /// The records in offset order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Record<'_>> + Clone {
        self.entries.iter().map(|entry| self.record(entry))
    }

    fn record(&self, entry: &Entry) -> Record<'_> {
        let mut rest = &self.arena[entry.start..];
        let mut take = |len: u32| {
            let (head, tail) = rest.split_at(len as usize);
            rest = tail;
            head
        };
        let key = (entry.key_len != ABSENT).then(|| take(entry.key_len));
        let headers = Headers::of(take(entry.headers_len));
        let value = (entry.value_len != ABSENT).then(|| take(entry.value_len));
        Record { offset: entry.offset, timestamp_ms: entry.timestamp_ms, key, headers, value }
    }
}

impl std::fmt::Debug for Records {
    // Never the bytes: a debug line is a log line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let first = self.entries.first().map(|entry| entry.offset);
        f.debug_struct("Records")
            .field("len", &self.len())
            .field("first", &first)
            .field("next_offset", &self.next_offset)
            .finish_non_exhaustive()
    }
}

/// Bytes of the lengths of a header's name and value, before both.
const LENGTHS: usize = size_of::<u16>() + size_of::<u32>();

/// The headers of a record: an iterator over name and value.
#[derive(Clone, Copy, Default)]
pub struct Headers<'a> {
    rest: &'a [u8],
    /// The same as text, once it was asked for and if it is one. Names, values and their lengths nearly always are, all together,
    /// and one look at all of it costs less than a look at each name.
    text: Option<&'a str>,
    looked: bool,
}

impl<'a> Headers<'a> {
    fn of(rest: &'a [u8]) -> Self {
        Self { rest, text: None, looked: false }
    }

    /// The value of the last header of this name (Kafka's rule for names that repeat).
    pub fn get(self, name: &str) -> Option<&'a [u8]> {
        self.named(name).last()
    }

    /// The value of the first header of this name. Looks at the names' bytes alone, so it costs less than a search of the items.
    pub fn first(self, name: &str) -> Option<&'a [u8]> {
        self.named(name).next()
    }

    fn named(mut self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let all = std::iter::from_fn(move || self.next_bytes());
        all.filter(move |(n, _)| *n == name.as_bytes()).map(|(_, value)| value)
    }

    fn next_bytes(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        let (name_len, rest) = self.rest.split_first_chunk::<2>()?;
        let (value_len, rest) = rest.split_first_chunk::<4>()?;
        let (name, rest) = rest.split_at_checked(u16::from_le_bytes(*name_len).into())?;
        let (value, rest) = rest.split_at_checked(u32::from_le_bytes(*value_len) as usize)?;
        self.rest = rest;
        Some((name, value))
    }
}

#[expect(clippy::copy_iterator, reason = "a view of bytes, read more than once by copying it")]
impl<'a> Iterator for Headers<'a> {
    type Item = (&'a str, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if !self.looked {
            (self.text, self.looked) = (std::str::from_utf8(self.rest).ok(), true);
        }
        let before = self.rest.len();
        let (name, value) = self.next_bytes()?;
        let text = self.text.and_then(|text| text.get(LENGTHS..LENGTHS + name.len()));
        self.text = self.text.and_then(|text| text.get(before - self.rest.len()..));
        // Written from a `&str` and kept under a checksum, so the check cannot fail; it is not worth a panic either.
        Some((text.unwrap_or_else(|| std::str::from_utf8(name).unwrap_or_default()), value))
    }
}

/// Makes a batch of records, in ascending offset order.
pub struct RecordsBuilder {
    records: Records,
}

impl RecordsBuilder {
    /// An empty batch that starts (and so far ends) at `next`.
    pub fn starting_at(next: i64) -> Self {
        Self { records: Records { next_offset: next, ..Records::default() } }
    }

    /// Makes room for so many bytes and records: an arena that grows while it is filled is moved, and ends with room to
    /// spare.
    pub(crate) fn reserve(&mut self, bytes: usize, records: usize) {
        self.records.arena.reserve_exact(bytes);
        self.records.entries.reserve_exact(records);
    }

    /// Adds a record; its offset must not lie below [`next_offset`](Records::next_offset).
    pub fn push<'h>(
        &mut self,
        offset: i64,
        timestamp_ms: i64,
        key: Option<&[u8]>,
        headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
        value: Option<&[u8]>,
    ) {
        assert!(offset >= self.records.next_offset, "offsets ascend: {offset} after {}", self.records.next_offset);
        let start = self.records.arena.len();
        let lengths = encode_record(&mut self.records.arena, key, headers, value);
        self.records.entries.push(Entry { offset, timestamp_ms, start, ..lengths });
        self.records.next_offset = offset + 1;
    }

    /// Moves the end of the batch past offsets that hold no record. Never back.
    pub fn advance_to(&mut self, next: i64) {
        self.records.next_offset = self.records.next_offset.max(next);
    }

    /// Bytes in the arena so far.
    pub fn arena_len(&self) -> usize {
        self.records.arena.len()
    }

    /// The offset behind the last record so far.
    pub fn next_offset(&self) -> i64 {
        self.records.next_offset
    }

    /// Whether there is no record yet.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The batch.
    pub fn finish(self) -> Records {
        self.records
    }

    /// Room for a stored batch and its index entries, for a log whose stored form is the arena's.
    pub(crate) fn parts(&mut self) -> (&mut Vec<u8>, &mut Vec<Entry>) {
        (&mut self.records.arena, &mut self.records.entries)
    }
}

/// Appends a record's bytes and says how long its parts are. Header names longer than `u16` are the caller's to refuse.
pub(crate) fn encode_record<'h>(
    arena: &mut Vec<u8>,
    key: Option<&[u8]>,
    headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
    value: Option<&[u8]>,
) -> Entry {
    arena.extend_from_slice(key.unwrap_or_default());
    let before = arena.len();
    for (name, value) in headers {
        debug_assert!(u16::try_from(name.len()).is_ok(), "a header's name fits its length field");
        arena.extend_from_slice(&(name.len() as u16).to_le_bytes());
        arena.extend_from_slice(&(value.len() as u32).to_le_bytes());
        arena.extend_from_slice(name.as_bytes());
        arena.extend_from_slice(value);
    }
    let headers_len = (arena.len() - before) as u32;
    arena.extend_from_slice(value.unwrap_or_default());
    let length = |part: Option<&[u8]>| part.map_or(ABSENT, |bytes| bytes.len() as u32);
    Entry { offset: 0, timestamp_ms: 0, start: 0, key_len: length(key), headers_len, value_len: length(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_absent_and_empty_parts_included() {
        let mut builder = RecordsBuilder::starting_at(5);
        let headers: [(&str, &[u8]); 3] = [("ce_id", b"1"), ("ce_id", b"2"), ("empty", b"")];
        builder.push(5, 1, Some(b"k"), headers, Some(b"value"));
        builder.push(7, 2, None, [], None);
        builder.push(8, 3, Some(b""), [], Some(b""));
        builder.advance_to(11);
        builder.advance_to(9);
        let records = builder.finish();

        let got: Vec<_> =
            records.iter().map(|r| (r.offset, r.timestamp_ms, r.key, r.value, r.headers.count())).collect();
        assert_eq!(
            got,
            [
                (5, 1, Some(&b"k"[..]), Some(&b"value"[..]), 3),
                (7, 2, None, None, 0),
                (8, 3, Some(&b""[..]), Some(&b""[..]), 0),
            ]
        );
        assert_eq!(records.next_offset(), 11);
        let first = records.get(0).expect("there is one");
        assert_eq!(first.headers.collect::<Vec<_>>(), headers);
        assert_eq!(first.headers.get("ce_id"), Some(&b"2"[..]));
        assert_eq!(first.headers.get("absent"), None);
    }

    #[test]
    fn headers_whose_bytes_are_no_text_have_the_same_names() {
        let long = "v".repeat(200); // a length that is no text
        let headers: [(&str, &[u8]); 4] =
            [("a", b"1"), ("نام", &[0xff, 0xfe]), (&"n".repeat(130), long.as_bytes()), ("z", b"")];
        let mut builder = RecordsBuilder::starting_at(0);
        builder.push(0, 0, None, headers, Some(b"v"));
        builder.push(1, 0, None, [("نام", "ایک".as_bytes()), ("b", &b"2"[..])], Some(b"v"));
        let records = builder.finish();
        assert_eq!(records.get(0).unwrap().headers.collect::<Vec<_>>(), headers);
        assert_eq!(records.get(1).unwrap().headers.collect::<Vec<_>>(), [("نام", "ایک".as_bytes()), ("b", &b"2"[..])]);
        assert_eq!(records.get(0).unwrap().headers.first("z"), Some(&b""[..]));
    }

    #[test]
    fn a_debug_line_shows_no_bytes() {
        let mut builder = RecordsBuilder::starting_at(0);
        builder.push(0, 0, Some(b"secret"), [("name", &b"secret"[..])], Some(b"secret"));
        assert!(!format!("{:?}", builder.finish()).contains("secret"));
    }
}
