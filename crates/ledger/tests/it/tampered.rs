//! What somebody with the disk in his hands can do, and where it shows: the first broken entry is named.

use disclosure::Head;
use ledger::{ANSWERED, Broken, LedgerError, Recorded, Verified, Why, verify};
use proptest::prelude::*;

use crate::support::*;

fn verified(place: &Place, known: Option<Head>) -> Result<Verified, Broken> {
    match verify(&place.audit(), known, &mut |_, _| ()) {
        Ok(verified) => Ok(verified),
        Err(LedgerError::Broken(broken)) => Err(broken),
        Err(error) => panic!("{error:?}"),
    }
}

fn broken(place: &Place, known: Option<Head>) -> (u64, Why) {
    let broken = verified(place, known).unwrap_err();
    (broken.entry, broken.why)
}

fn after(sql: &str) -> (u64, Why) {
    let place = Place::new();
    drop(place.asked(5));
    tamper(&place.audit(), sql);
    broken(&place, None)
}

#[test]
fn a_changed_byte_is_found() {
    let sql = "UPDATE entries SET bytes = CAST(replace(CAST(bytes AS TEXT), 'select 2', 'select 1') AS BLOB)";
    assert_eq!(after(&format!("{sql} WHERE number = 5")), (5, Why::Changed));
}

#[test]
fn a_changed_hash_is_found() {
    assert_eq!(after("UPDATE entries SET hash = zeroblob(32) WHERE number = 7"), (7, Why::Changed));
    assert_eq!(after("UPDATE entries SET hash = x'00' WHERE number = 7"), (7, Why::Changed));
}

#[test]
fn an_entry_that_was_taken_away_is_found_and_also_when_those_after_it_were_numbered_anew() {
    assert_eq!(after("DELETE FROM entries WHERE number = 4"), (4, Why::Missing));
    assert_eq!(after("DELETE FROM entries WHERE number = 1"), (1, Why::Missing));
    let renumber = "UPDATE entries SET number = -number WHERE number > 4; UPDATE entries SET number = -number - 1 WHERE number < 0";
    assert_eq!(after(&format!("DELETE FROM entries WHERE number = 4; {renumber}")), (4, Why::Changed));
}

#[test]
fn an_entry_that_was_put_in_is_found() {
    let room = "UPDATE entries SET number = -number WHERE number >= 3; UPDATE entries SET number = -number + 1 WHERE number < 0";
    let copy = "INSERT INTO entries SELECT 3, bytes, hash FROM entries WHERE number = 2";
    assert_eq!(after(&format!("{room}; {copy}")), (3, Why::Changed));
    assert_eq!(after("INSERT INTO entries SELECT 0, bytes, hash FROM entries WHERE number = 2"), (1, Why::Missing));
    assert_eq!(after("INSERT INTO entries SELECT 30, bytes, hash FROM entries WHERE number = 2"), (11, Why::Missing));
}

#[test]
fn one_that_was_put_in_with_a_hash_that_fits_breaks_the_chain_behind_it() {
    let place = Place::new();
    let log = place.asked(5);
    let room = "UPDATE entries SET number = -number WHERE number >= 3; UPDATE entries SET number = -number + 1 WHERE number < 0";
    tamper(&place.audit(), room);
    let bytes = Recorded::Begin(begin(9)).to_bytes();
    put(&place, 3, &bytes, head_at(&place, 2).after(&bytes).hash);
    assert_eq!(broken(&place, None), (4, Why::Changed));
    drop(log);
}

#[test]
fn entries_that_changed_places_are_found() {
    let swap = "UPDATE entries SET number = -6 WHERE number = 4; UPDATE entries SET number = 4 WHERE number = 6; UPDATE entries SET number = 6 WHERE number = -6";
    assert_eq!(after(swap), (4, Why::Changed));
}

#[test]
fn a_log_that_was_cut_is_found_by_who_keeps_a_signed_head() {
    let place = Place::new();
    let log = place.asked(5);
    let known = log.sign_head(&[7; 32], 0).unwrap().verify(&[7; 32]);
    assert_eq!(verified(&place, known).unwrap().head.entries, 10);
    tamper(&place.audit(), "DELETE FROM entries WHERE number > 8");
    assert_eq!(verified(&place, None).unwrap().head.entries, 8, "in itself it is whole");
    assert_eq!(broken(&place, known), (9, Why::Cut));
    tamper(&place.audit(), "DELETE FROM entries");
    assert_eq!(broken(&place, known), (1, Why::Cut));
}

#[test]
fn a_log_that_was_written_anew_is_found_by_who_keeps_a_signed_head() {
    let (place, other) = (Place::new(), Place::new());
    let known = place.asked(3).head().unwrap();
    let mut log = other.asked(0);
    for n in [0, 2, 3, 4, 5] {
        ask(&mut log, n);
    }
    assert!(verified(&other, None).is_ok());
    assert_eq!(broken(&other, Some(known)), (6, Why::Rewritten));
}

#[test]
fn bytes_that_are_no_entry_and_an_end_of_no_question_are_found_though_their_hash_holds() {
    for (bytes, why) in [
        (b"{}".to_vec(), Why::Unreadable),
        (Recorded::End(end(9, ANSWERED, 3)).to_bytes(), Why::NoQuestion),
        (Recorded::End(end(1, ANSWERED, 3)).to_bytes(), Why::NoQuestion),
    ] {
        let place = Place::new();
        let log = place.asked(2);
        put(&place, 5, &bytes, log.head().unwrap().after(&bytes).hash);
        assert_eq!(broken(&place, None), (5, why));
    }
}

#[test]
fn pages_of_the_file_that_were_overwritten_are_found() {
    let place = Place::new();
    let mut log = place.asked(0);
    log.record(&(0..400).map(|n| Recorded::Begin(begin(n))).collect::<Vec<_>>()).unwrap();
    drop(log); // closing copies the write-ahead log into the file
    let mut file = std::fs::read(place.audit()).unwrap();
    let middle = file.len() / 2 / 4096 * 4096;
    file[middle..middle + 4096].fill(0xee);
    std::fs::write(place.audit(), file).unwrap();
    let (entry, why) = broken(&place, None);
    assert!((1..400).contains(&entry) && why == Why::Unreadable, "{entry} {why:?}");
}

fn head_at(place: &Place, entries: u64) -> Head {
    let connection = rusqlite::Connection::open(place.audit()).unwrap();
    let read = "SELECT hash FROM entries WHERE number = ?1";
    Head { entries, hash: connection.query_row(read, [entries], |row| row.get(0)).unwrap() }
}

fn put(place: &Place, number: u64, bytes: &[u8], hash: [u8; 32]) {
    let connection = rusqlite::Connection::open(place.audit()).unwrap();
    connection.execute("INSERT INTO entries VALUES (?1, ?2, ?3)", (number, bytes, hash)).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whichever_bit_of_whichever_entry_is_changed_that_entry_is_named(number in 1..=10u64, at in 0..1000usize, bit in 0..8u8, of_hash: bool) {
        let place = Place::new();
        drop(place.asked(5));
        tamper(&place.audit(), "");
        let connection = rusqlite::Connection::open(place.audit()).unwrap();
        let column = if of_hash { "hash" } else { "bytes" };
        let read = format!("SELECT {column} FROM entries WHERE number = ?1");
        let mut blob: Vec<u8> = connection.query_row(&read, [number], |row| row.get(0)).unwrap();
        let place_of_byte = at % blob.len();
        blob[place_of_byte] ^= 1 << bit;
        connection.execute(&format!("UPDATE entries SET {column} = ?2 WHERE number = ?1"), (number, blob)).unwrap();
        prop_assert_eq!(broken(&place, None), (number, Why::Changed));
    }
}
