//! Killed at any moment, what was acknowledged is there. (A killed process, not a lost disk cache: that `synchronous=FULL` syncs
//! is SQLite's word.)

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use disclosure::{Head, ReleaseStore};
use ledger::{ANSWERED, AuditLog, AuditReader, Filter, VaultStore, verify};

use crate::support::*;

/// Runs [`the_process_that_is_killed`] in a process of its own.
fn start(place: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["kill::the_process_that_is_killed", "--exact", "--ignored", "--nocapture"])
        .env("LEDGER_DIR", place)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "run by the test of this module, in a process of its own"]
fn the_process_that_is_killed() {
    let place = std::path::PathBuf::from(std::env::var("LEDGER_DIR").unwrap());
    let mut log = AuditLog::open(&place.join("audit.db"), KEY).unwrap();
    let mut store = VaultStore::open(&place.join("vault.db"), KEY, log.last_vault_head().unwrap()).unwrap();
    let mut head = store.head().unwrap();
    let mut out = std::io::stdout();
    for n in 0.. {
        let question = log.begin(begin(n)).unwrap();
        writeln!(out, "begun {question} {n}").unwrap();
        head = store.commit(head, &[anchor(head.entries), answer(head.entries)]).unwrap();
        writeln!(out, "committed {}", head.entries).unwrap();
        log.end(ledger::End { vault_head: head, ..end(question, ANSWERED, 0) }).unwrap();
        writeln!(out, "ended {question}").unwrap();
    }
}

/// What a process has acknowledged before it was killed.
#[derive(Default)]
struct Acknowledged {
    begun: Vec<(u64, u64)>,
    ended: Vec<u64>,
    committed: u64,
}

impl Acknowledged {
    fn take(&mut self, line: &str) -> bool {
        let mut words = line.split(' ');
        let kind = words.next().unwrap();
        let numbers: Vec<u64> = words.filter_map(|word| word.parse().ok()).collect();
        match (kind, numbers.as_slice()) {
            ("begun", [question, n]) => self.begun.push((*question, *n)),
            ("ended", [question]) => self.ended.push(*question),
            ("committed", [entries]) => self.committed = *entries,
            _ => return false, // of the test runner
        }
        true
    }

    /// Kills the process when it has acknowledged so many things; what it says until it is dead counts.
    fn of_one_killed_after(&mut self, acknowledged: usize, place: &Path) {
        let mut child = start(place);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut seen = 0;
        while seen < acknowledged {
            seen += usize::from(self.take(&lines.next().unwrap()));
        }
        child.kill().unwrap();
        let left: Vec<String> = lines.collect();
        // The last line may be cut in the middle of a number.
        for line in left.iter().take(left.len().saturating_sub(1)) {
            self.take(line);
        }
        assert!(!child.wait().unwrap().success());
    }
}

#[test]
fn whenever_a_process_is_killed_what_it_had_acknowledged_is_there_and_the_chains_hold() {
    let place = Place::new();
    place.asked(0);
    place.remembered(0..0);
    let mut acknowledged = Acknowledged::default();
    // Of three steps; whatever the remainder, each of them is struck.
    for after in [1, 2, 3, 17, 40, 61, 8, 100] {
        acknowledged.of_one_killed_after(after, place.path());
        let whole = verify(&place.audit(), None, &mut |_, _| ()).unwrap();
        let reader = AuditReader::open(&place.audit()).unwrap();
        let found: Vec<_> = reader.read(1..=whole.head.entries, Filter::default()).map(Result::unwrap).collect();
        let question = |number: u64| found.iter().find(|question| question.number == number).unwrap();
        for (number, n) in &acknowledged.begun {
            assert_eq!(question(*number).begin, begin(*n));
        }
        assert!(acknowledged.ended.iter().all(|number| question(*number).end.is_some()));

        let known = AuditLog::open(&place.audit(), KEY).unwrap().last_vault_head().unwrap();
        let mut store = VaultStore::open(&place.vault(), KEY, known).unwrap();
        let entries = all(&mut store);
        assert!(
            entries.len() as u64 >= acknowledged.committed && entries.len().is_multiple_of(2),
            "whole or not at all"
        );
        for (pair, at) in entries.chunks(2).zip((0..).step_by(2)) {
            assert_eq!(pair, [anchor(at), answer(at)]);
        }
        assert_eq!(store.replay(Head::default(), &mut |_| ()).unwrap(), store.head().unwrap());
    }
}
