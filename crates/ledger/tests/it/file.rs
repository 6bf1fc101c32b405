//! Files: who may read them, how they come to be, and what is not opened.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use disclosure::{Head, StoreError};
use ledger::{AuditLog, AuditReader, LedgerError, VaultStore};
use rusqlite::Connection;

use crate::support::*;

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn every_file_and_copy_is_for_its_owners_eyes() {
    let place = Place::new();
    let log = place.asked(3);
    let (mut store, _) = place.remembered(0..3);
    log.backup_to(&place.path().join("audit copy.db")).unwrap();
    store.backup_to(&place.path().join("vault copy.db")).unwrap();
    let files: Vec<_> = std::fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 6, "with the write-ahead logs: {files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_file_that_is_there_is_never_made_again() {
    let place = Place::new();
    place.remembered(0..3);
    let made = VaultStore::create(&place.vault(), KEY);
    assert!(matches!(made, Err(StoreError::Io(_))), "{made:?}");
    place.asked(1);
    assert!(matches!(AuditLog::create(&place.audit(), KEY), Err(LedgerError::Exists(_))));
    let left: Vec<_> = std::fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_str().unwrap().contains(".new")), "{left:?}");
}

#[test]
fn a_file_is_not_made_beside_the_write_ahead_log_of_one_that_was_lost() {
    let place = Place::new();
    std::fs::write(place.path().join("audit.db-wal"), "what it had last").unwrap();
    assert!(matches!(AuditLog::create(&place.audit(), KEY), Err(LedgerError::Exists(_))));
}

#[test]
fn of_two_that_make_the_file_at_once_one_does() {
    let place = Place::new();
    let path = place.vault();
    let made: usize = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..4).map(|_| scope.spawn(|| VaultStore::create(&path, KEY).is_ok())).collect();
        tries.into_iter().map(|one| usize::from(one.join().unwrap())).sum()
    });
    assert_eq!(made, 1);
    VaultStore::open(&path, KEY, Head::default()).unwrap();
}

#[test]
fn a_missing_log_is_an_error_and_is_not_made_anew() {
    let place = Place::new();
    assert!(matches!(AuditLog::open(&place.audit(), KEY), Err(LedgerError::Missing(_))));
    assert!(matches!(AuditReader::open(&place.audit()), Err(LedgerError::Missing(_))));
    assert!(matches!(ledger::verify(&place.audit(), None, &mut |_, _| ()), Err(LedgerError::Missing(_))));
    assert!(!place.audit().exists());
}

#[test]
fn a_log_of_another_key_is_refused_to_who_writes() {
    let place = Place::new();
    place.asked(1);
    assert!(matches!(AuditLog::open(&place.audit(), "8899aabbccddeeff"), Err(LedgerError::OtherKey(_))));
}

#[test]
fn one_file_is_not_taken_for_the_other_nor_for_anything_else() {
    let place = Place::new();
    place.remembered(0..1);
    assert!(matches!(AuditLog::open(&place.vault(), KEY), Err(LedgerError::Foreign { .. })));
    for content in
        [&b""[..], b"a text that is long enough to be looked at as the header of a database file, of a hundred bytes"]
    {
        std::fs::write(place.audit(), content).unwrap();
        let opened = AuditLog::open(&place.audit(), KEY);
        assert!(matches!(opened, Err(LedgerError::Foreign { .. })), "{opened:?}");
    }
}

#[test]
fn a_newer_format_is_refused() {
    let place = Place::new();
    place.asked(1);
    Connection::open(place.audit()).unwrap().pragma_update(None, "user_version", 4).unwrap();
    let opened = AuditLog::open(&place.audit(), KEY);
    assert!(matches!(opened, Err(LedgerError::NewerFormat { found: 4, supported: 3, .. })), "{opened:?}");
}

#[test]
fn entries_are_neither_changed_nor_deleted_by_mistake() {
    let place = Place::new();
    place.asked(2);
    let connection = Connection::open(place.audit()).unwrap();
    for sql in ["DELETE FROM entries", "UPDATE entries SET bytes = x'00'", "DELETE FROM entries WHERE number = 4"] {
        assert!(connection.execute(sql, []).is_err(), "{sql}");
    }
    ledger::verify(&place.audit(), None, &mut |_, _| ()).unwrap();
}
