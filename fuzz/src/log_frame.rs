//! Batches of the embedded log as they lie in its file; compiled by the tests of `eventlog` too.

use super::frame::{encode, index};
use crate::outgoing::Outgoing;
use crate::records::{Record, Records, RecordsBuilder};

/// Where the checksum lies, and where what it covers begins.
const CRC: std::ops::Range<usize> = 4..8;

/// Where the first offset lies.
const FIRST: std::ops::Range<usize> = 12..20;

/// Any bytes are a batch or are refused; with the checksum mended too, for a checksum is no protection against whoever writes
/// the file. What is read of a batch lies within it, and written again it is the same batch.
pub fn batch(bytes: &[u8]) {
    read(bytes);
    let mut mended = bytes.to_vec();
    if let Some(covered) = bytes.get(CRC.end..) {
        mended[CRC].copy_from_slice(&crc32fast::hash(covered).to_le_bytes());
        read(&mended);
    }
}

fn read(body: &[u8]) {
    let first = body.get(FIRST).map_or(0, |bytes| i64::from_le_bytes(bytes.try_into().expect("eight bytes")));
    let Some(all) = indexed(body, first, first) else { return };
    assert!(all.iter().zip(first..).all(|(record, offset)| record.offset == offset), "offsets ascend without a gap");
    let half = first.saturating_add((all.len() / 2) as i64);
    let later = indexed(body, first, half).expect("the same batch");
    assert_eq!(
        (later.len(), later.next_offset()),
        (all.len() - all.len() / 2, all.next_offset()),
        "from the middle on"
    );
    assert!(indexed(body, first.wrapping_add(1), first).is_none(), "a batch of another place");
    written_again(body, first, &all);
}

fn indexed(body: &[u8], first: i64, wanted: i64) -> Option<Records> {
    // The arena holds what was read before.
    let before = b"another batch";
    let mut builder = RecordsBuilder::starting_at(wanted);
    builder.parts().0.extend_from_slice(before);
    builder.parts().0.extend_from_slice(body);
    index(&mut builder, before.len(), first, wanted).ok()?;
    Some(builder.finish())
}

/// Header blocks that no writer of ours makes (cut short, a name that is no text and is read as none) are read as far as they
/// go, and so are shorter when they are written.
fn written_again(body: &[u8], first: i64, all: &Records) {
    let headers: Vec<Vec<(&str, &[u8])>> = all.iter().map(|record| record.headers.collect()).collect();
    let messages: Vec<Outgoing<'_>> = all
        .iter()
        .zip(&headers)
        .map(|(Record { key, value, timestamp_ms, .. }, headers)| Outgoing { key, headers, value, timestamp_ms })
        .collect();
    let again = encode(first, &messages);
    assert!(again.len() != body.len() || again == body, "read, written");
}
