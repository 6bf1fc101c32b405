//! Copies of SQLite files for backups: of one moment, private, whole or not at all.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};

use ledger::{LedgerError, copy_of, verify};

use crate::support::*;

#[test]
fn a_copy_is_of_one_moment_while_others_write() {
    let place = Place::new();
    let mut log = place.asked(500);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut n = 500;
            while !stop.load(Ordering::Relaxed) {
                ask(&mut log, n);
                n += 1;
            }
        });
        for round in 0..5 {
            let before = verify(&place.audit(), None, &mut |_, _| ()).unwrap();
            let copy = place.path().join(format!("copy {round}.db"));
            let mut told = 0;
            let size = copy_of(&place.audit(), &copy, &mut |bytes| told += bytes).unwrap();
            assert_eq!((told, copy.metadata().unwrap().permissions().mode() & 0o777), (size, 0o600));
            let copied = verify(&copy, Some(before.head), &mut |_, _| ()).unwrap();
            assert!(copied.open <= 1, "a question of that moment may be under way: {copied:?}");
        }
        stop.store(true, Ordering::Relaxed);
        writer.join().unwrap();
    });
}

#[test]
fn a_copy_replaces_nothing_and_what_is_no_database_is_not_copied() {
    let place = Place::new();
    place.asked(1);
    let copy = place.path().join("copy.db");
    std::fs::write(&copy, "here already").unwrap();
    assert!(matches!(copy_of(&place.audit(), &copy, &mut |_| ()), Err(LedgerError::Exists(_))));
    let other = place.path().join("other.db");
    assert!(matches!(copy_of(&place.vault(), &other, &mut |_| ()), Err(LedgerError::Missing(_))));
    assert!(matches!(copy_of(&copy, &other, &mut |_| ()), Err(LedgerError::Foreign { .. })));
    assert!(!other.exists(), "nothing half made");
}
