//! A batch as it is stored in one BLOB. Frozen: readers of every later version read it.
//!
//! ```text
//! magic "AMB1" | crc32 of all that follows, u32 | count, u32 | first offset, i64 | count × entry | bytes of the records
//! entry: timestamp ms, i64 | key length, u32 | header block length, u32 | value length, u32      (u32::MAX: absent)
//! ```
//! Integers are little-endian; the records' bytes are laid out as in [`crate::records`].

use crate::outgoing::Outgoing;
use crate::records::{ABSENT, Entry, RecordsBuilder, encode_record};

const MAGIC: &[u8; 4] = b"AMB1";
const HEAD: usize = 20;
const ENTRY: usize = 20;

/// A batch is closed when it has so many bytes: large enough for few rows, small enough to be read in one piece.
const TARGET_BYTES: usize = 1 << 20;

/// How many of the messages go into the next BLOB; at least one.
pub fn take(messages: &[Outgoing<'_>]) -> usize {
    let mut bytes = 0;
    let fits = |message: &&Outgoing<'_>| {
        bytes += message.bytes() + ENTRY;
        bytes <= TARGET_BYTES
    };
    messages.iter().take_while(fits).count().max(1)
}

/// The BLOB of these messages, the first of which has offset `first`.
pub fn encode(first: i64, messages: &[Outgoing<'_>]) -> Vec<u8> {
    let data: usize = messages.iter().map(|m| m.bytes() + m.headers.len() * 6).sum();
    let index_end = HEAD + messages.len() * ENTRY;
    let mut body = Vec::with_capacity(index_end + data);
    body.extend_from_slice(MAGIC);
    body.extend_from_slice(&[0; 4]);
    body.extend_from_slice(&(messages.len() as u32).to_le_bytes());
    body.extend_from_slice(&first.to_le_bytes());
    body.resize(index_end, 0);
    for (i, message) in messages.iter().enumerate() {
        let lengths = encode_record(&mut body, message.key, message.headers.iter().copied(), message.value);
        let entry = &mut body[HEAD + i * ENTRY..][..ENTRY];
        entry[..8].copy_from_slice(&message.timestamp_ms.to_le_bytes());
        entry[8..12].copy_from_slice(&lengths.key_len.to_le_bytes());
        entry[12..16].copy_from_slice(&lengths.headers_len.to_le_bytes());
        entry[16..].copy_from_slice(&lengths.value_len.to_le_bytes());
    }
    let crc = crc32fast::hash(&body[8..]);
    body[4..8].copy_from_slice(&crc.to_le_bytes());
    body
}

/// Indexes the BLOB that was just read to `arena[start..]` and enters its records from offset `wanted` on.
pub fn index(builder: &mut RecordsBuilder, start: usize, first: i64, wanted: i64) -> Result<(), &'static str> {
    let (arena, entries) = builder.parts();
    let body = &arena[start..];
    let head: &[u8; HEAD] = body.first_chunk().ok_or("the batch is cut short")?;
    if &head[..4] != MAGIC {
        return Err("the batch has an unknown form");
    }
    if u32_at(head, 4) != crc32fast::hash(&body[8..]) {
        return Err("the checksum of the batch is wrong");
    }
    if i64_at(head, 12) != first {
        return Err("the batch belongs to another offset");
    }
    let count = u32_at(head, 8) as usize;
    let next = first.checked_add(count as i64).ok_or("the batch has more records than there are offsets")?;
    let index_end = HEAD + count * ENTRY;
    let index = body.get(HEAD..index_end).ok_or("the batch is cut short")?;
    let mut at = start + index_end;
    entries.reserve(count);
    for (offset, entry) in (first..next).zip(index.as_chunks::<ENTRY>().0) {
        let (key_len, headers_len, value_len) = (u32_at(entry, 8), u32_at(entry, 12), u32_at(entry, 16));
        if offset >= wanted {
            entries.push(Entry { offset, timestamp_ms: i64_at(entry, 0), start: at, key_len, headers_len, value_len });
        }
        at += present(key_len) + headers_len as usize + present(value_len);
    }
    if at != arena.len() {
        return Err("the lengths in the batch do not add up");
    }
    builder.advance_to(next);
    Ok(())
}

fn present(len: u32) -> usize {
    if len == ABSENT { 0 } else { len as usize }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn i64_at(bytes: &[u8], at: usize) -> i64 {
    i64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
