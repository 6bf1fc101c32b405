//! Folders with a store in them, and entries of made-up questions.

use std::path::{Path, PathBuf};

use disclosure::{Anchor, AnchorFacts, AskedSet, Charge, Entry, Head, ReleaseStore};
use ledger::{ANSWERED, Asked, AuditLog, Begin, Door, End, Principal, VaultStore};
use policy::Profile;
use rusqlite::Connection;
use tempfile::TempDir;

pub const KEY: &str = "0011223344556677";

/// A folder of its own, gone when the test ends.
pub struct Place {
    dir: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn vault(&self) -> PathBuf {
        self.path().join("vault.db")
    }

    pub fn audit(&self) -> PathBuf {
        self.path().join("audit.db")
    }

    /// A memory with anchors of these numbers.
    pub fn remembered(&self, numbers: std::ops::Range<u64>) -> (VaultStore, Head) {
        let mut store = VaultStore::create(&self.vault(), KEY).unwrap();
        let head = store.commit(Head::default(), &numbers.map(anchor).collect::<Vec<_>>()).unwrap();
        (store, head)
    }

    /// A log with so many questions, each answered.
    pub fn asked(&self, questions: u64) -> AuditLog {
        let mut log = AuditLog::create(&self.audit(), KEY).unwrap();
        for n in 0..questions {
            ask(&mut log, n);
        }
        log
    }
}

pub fn anchor(n: u64) -> Entry {
    Entry::Anchor(Anchor {
        set: AskedSet {
            space: "victims/units".into(),
            n: 11 + n,
            c: u128::from(n) << 64 | 7,
            sketch: vec![n ^ 0x5555_5555_5555_5555; 14],
            case_sketch: vec![n; 14],
            buckets: vec![n as u8; 64],
        },
        facts: AnchorFacts { units: 11 + n, value: 11, top_case: 4, beside_cases: 5, dominated: n.is_multiple_of(2) },
    })
}

pub fn answer(n: u64) -> Entry {
    Entry::Answer {
        anchor: n,
        profile: Profile::Sens,
        tier: 9,
        value: (!n.is_multiple_of(3)).then_some(i128::from(n) << 80),
    }
}

pub fn charge(n: u64) -> Entry {
    Entry::Charge(Charge {
        universe: "victims".into(),
        grid: format!("grid {n}"),
        role: n.is_multiple_of(2).then(|| "ministry".into()),
        blocks: vec![(n as u16, 4), (2, 5)],
        counters: vec![("presence".into(), 2)],
        open_at: Some(n as i64),
    })
}

pub fn begin(n: u64) -> Begin {
    Begin {
        time_ms: 1_795_000_000_000 + n as i64,
        principal: Principal {
            key_id: format!("key-{}", n % 3),
            role: if n.is_multiple_of(2) { "ministry" } else { "partners" }.into(),
        },
        purpose: "annual_report".into(),
        sql: format!("select {n}"),
        door: Door::Http,
    }
}

pub fn end(question: u64, decision: &str, vault: u64) -> End {
    End {
        begin: question,
        decision: decision.into(),
        cell_queries: vec!["9f".into()],
        cells: 12,
        suppressed: 3,
        tiers: vec![4, 9],
        charges: vec!["sex 1 presence+1 PK-PB/2026-Q1".into()],
        vault_head: Head { entries: vault, hash: [vault as u8; 32] },
        slot_ms: 250,
        asked: vec![Asked {
            text: "victims {} by {sex} count {units}".into(),
            cells: 12,
            suppressed: 3,
            anchors: vec![0, 5],
        }],
    }
}

/// Asks a question and answers it; returns its number.
pub fn ask(log: &mut AuditLog, n: u64) -> u64 {
    let number = log.begin(begin(n)).unwrap();
    log.end(end(number, ANSWERED, n + 1)).unwrap();
    number
}

/// Does to a file what nobody may, after taking away what guards it against mistakes.
pub fn tamper(path: &Path, sql: &str) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("DROP TRIGGER IF EXISTS entries_stay; DROP TRIGGER IF EXISTS entries_are_final;").unwrap();
    connection.execute_batch(sql).unwrap();
}

pub fn all(store: &mut dyn ReleaseStore) -> Vec<Entry> {
    let mut entries = Vec::new();
    store.replay(Head::default(), &mut |entry| entries.push(entry)).unwrap();
    entries
}
