//! Measures the audit log: how long a question takes to record, how long a log of many takes to verify, and whether what is
//! changed in it is found: a byte two thirds into the long log; then, in a log of [`SHORT`] entries, each field of an entry,
//! its hash, its place and its being there, at [`POSITIONS`] random positions. (An entry is checked by its bytes and the hash
//! before it, so that where a log ends after it makes no difference; the long log would take days.) Prints one JSON object.
//! `cargo run -p ledger --example audit_bench -- 1000000 [FOLDER]`.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, reason = "a measurement")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use disclosure::Head;
use ledger::{ANSWERED, Asked, AuditLog, Begin, Broken, Door, End, LedgerError, Principal, Recorded, verify};

/// Questions that are recorded as the server does it, each entry durable before the next step.
const ONE_BY_ONE: u64 = 500;

/// Entries of the log that is changed at many positions.
const SHORT: u64 = 2_000;

/// Positions that are changed, one at a time.
const POSITIONS: u64 = 1_000;

/// Entries in one transaction, for the rest.
const BATCH: u64 = 5_000;

fn begin(n: u64) -> Begin {
    Begin {
        time_ms: 1_795_000_000_000 + n as i64,
        principal: Principal { key_id: format!("{:08x}", n % 40), role: "ministry".into() },
        purpose: "annual_report".into(),
        sql: format!(
            "select province, sex, count(distinct person_id) from victims where year = {} group by 1, 2 order by 1, 2",
            2010 + n % 16
        ),
        door: Door::Http,
    }
}

fn end(begin: u64) -> End {
    let head = Head { entries: begin, hash: blake3::hash(&begin.to_le_bytes()).into() };
    End {
        begin,
        decision: ANSWERED.into(),
        cell_queries: vec![blake3::hash(&begin.to_le_bytes()).to_hex().to_string()],
        cells: 14,
        suppressed: 2,
        tiers: vec![4],
        charges: vec!["sex presence+1".into()],
        vault_head: head,
        slot_ms: 250,
        asked: vec![Asked {
            text: "victims {year: 2024} by {province; sex} count {units}".into(),
            cells: 14,
            suppressed: 2,
            anchors: (begin..begin + 14).collect(),
        }],
    }
}

/// The fields of an entry, each by the way to it.
const BEGIN: [&str; 6] = ["time_ms", "principal/key_id", "principal/role", "purpose", "sql", "door"];
const END: [&str; 10] =
    ["begin", "decision", "cell_queries", "cells", "suppressed", "tiers", "charges", "vault_head", "slot_ms", "asked"];
/// What else is done to an entry.
const DEEDS: [&str; 5] =
    ["hash", "bytes with a hash that fits", "taken away", "exchanged with the next", "put in twice"];

/// Writes entries up to a number.
fn fill(log: &mut AuditLog, entries: u64) {
    let mut next = log.head().unwrap().entries + 1;
    while next <= entries {
        let batch: Vec<Recorded> = (next..next + BATCH.min(entries + 1 - next))
            .map(|at| if at % 2 == 1 { Recorded::Begin(begin(at)) } else { Recorded::End(end(at - 1)) })
            .collect();
        next = log.record(&batch).unwrap().entries + 1;
    }
}

/// Another value of the same type.
fn other(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::{Value, json};
    match value {
        Value::Number(number) => json!(number.as_i64().unwrap() + 1),
        Value::String(text) if text == "http" => json!("cli"),
        Value::String(text) => json!(format!("{text} ")),
        Value::Array(values) => json!(values[1..]),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), other(value))).collect(),
        other => other.clone(),
    }
}

/// Changes a field of an entry.
fn with_other(bytes: &[u8], field: &str) -> Vec<u8> {
    let mut entry: serde_json::Value = serde_json::from_slice(bytes).unwrap();
    let kind = entry.as_object().unwrap().keys().next().unwrap().clone();
    let value = entry.pointer_mut(&format!("/{kind}/{field}")).unwrap();
    *value = other(value);
    serde_json::to_vec(&entry).unwrap()
}

/// Does something to an entry. Who can write the file can drop its triggers.
fn tamper(log: &rusqlite::Connection, at: u64, deed: &str) {
    let row = |number: u64| -> (Vec<u8>, Vec<u8>) {
        let one = "SELECT bytes, hash FROM entries WHERE number = ?1";
        log.query_row(one, [number], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    let (bytes, hash) = row(at);
    let put = |number: u64, bytes: &[u8], hash: &[u8]| {
        let put = "INSERT OR REPLACE INTO entries (number, bytes, hash) VALUES (?1, ?2, ?3)";
        log.execute(put, (number, bytes, hash)).unwrap();
    };
    match deed {
        "hash" => put(at, &bytes, &hash.iter().rev().copied().collect::<Vec<u8>>()),
        "bytes with a hash that fits" => {
            let before = if at == 1 { Head::default().hash.to_vec() } else { row(at - 1).1 };
            let before = Head { entries: at - 1, hash: before.try_into().unwrap() };
            let changed = [&bytes[..], b" "].concat();
            put(at, &changed, &before.after(&changed).hash);
        }
        "taken away" => drop(log.execute("DELETE FROM entries WHERE number = ?1", [at]).unwrap()),
        "exchanged with the next" => {
            let (next, next_hash) = row(at + 1);
            put(at, &next, &next_hash);
            put(at + 1, &bytes, &hash);
        }
        "put in twice" => put(at + 1, &bytes, &hash),
        field => put(at, &with_other(&bytes, field), &hash),
    }
}

/// How often each deed was done at a random position, and those that were not found where they were done.
fn tampered(folder: &Path) -> (BTreeMap<&'static str, u64>, Vec<String>) {
    let path = folder.join("short.db");
    let mut log = AuditLog::create(&path, "measured").unwrap();
    fill(&mut log, SHORT);
    let known = log.head().unwrap();
    drop(log);
    let log = rusqlite::Connection::open(&path).unwrap();
    log.execute_batch("DROP TRIGGER entries_are_final; DROP TRIGGER entries_stay;").unwrap();
    log.execute_batch("PRAGMA synchronous = OFF; CREATE TABLE kept AS SELECT * FROM entries;").unwrap();
    let (mut done, mut missed) = (BTreeMap::new(), Vec::new());
    for trial in 0..POSITIONS {
        let random = blake3::hash(&trial.to_le_bytes());
        let at = u64::from_le_bytes(random.as_bytes()[..8].try_into().unwrap()) % (SHORT - 1) + 1;
        let fields: &[&str] = if at % 2 == 1 { &BEGIN } else { &END };
        let deeds = [fields, &DEEDS].concat();
        let deed = deeds[random.as_bytes()[8] as usize % deeds.len()];
        tamper(&log, at, deed);
        // With a hash of its own the entry follows; the one behind it does not.
        let first = at + u64::from(["bytes with a hash that fits", "put in twice"].contains(&deed));
        match verify(&path, Some(known), &mut |_, _| ()) {
            Err(LedgerError::Broken(Broken { entry, .. })) if entry == first => {}
            found => missed.push(format!("{deed} at {at}: {:?}", found.map_err(|error| error.to_string()))),
        }
        *done.entry(deed).or_default() += 1;
        let near = "INSERT OR REPLACE INTO entries SELECT * FROM kept WHERE number BETWEEN ?1 AND ?1 + 1";
        log.execute(near, [at]).unwrap();
    }
    (done, missed)
}

fn main() {
    let entries: u64 = std::env::args().nth(1).map_or(1_000_000, |text| text.parse().unwrap());
    let folder = std::env::args().nth(2).map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = tempfile::tempdir_in(folder).unwrap();
    let path = dir.path().join("audit.db");
    let mut log = AuditLog::create(&path, "measured").unwrap();

    let begun = Instant::now();
    for n in 0..ONE_BY_ONE {
        let number = log.begin(begin(n)).unwrap();
        log.end(end(number)).unwrap();
    }
    let question_ms = begun.elapsed().as_secs_f64() * 1e3 / ONE_BY_ONE as f64;

    let begun = Instant::now();
    fill(&mut log, entries);
    let write_seconds = begun.elapsed().as_secs_f64();
    drop(log);

    let bytes = path.metadata().unwrap().len();
    let begun = Instant::now();
    let verified = verify(&path, None, &mut |_, _| ()).unwrap();
    let verify_seconds = begun.elapsed().as_secs_f64();

    let at = verified.head.entries * 2 / 3;
    let changed =
        "DROP TRIGGER entries_are_final; UPDATE entries SET bytes = CAST(bytes || x'20' AS BLOB) WHERE number = ";
    rusqlite::Connection::open(&path).unwrap().execute_batch(&format!("{changed}{at}")).unwrap();
    let found = verify(&path, None, &mut |_, _| ());
    let long_log_found = matches!(found, Err(LedgerError::Broken(Broken { entry, .. })) if entry == at);

    let (done, missed) = tampered(dir.path());
    println!(
        "{}",
        serde_json::json!({
            "entries": verified.head.entries,
            "bytes": bytes,
            "question_ms": question_ms,
            "write_seconds": write_seconds,
            "verify_seconds": verify_seconds,
            "found_in_the_long_log": long_log_found,
            "positions": POSITIONS,
            "done": done,
            "missed": missed,
        })
    );
}
