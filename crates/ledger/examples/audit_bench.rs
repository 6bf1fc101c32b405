//! Measures the audit log: how long a question takes to record, how long a log of many takes to verify, and whether one changed
//! byte is found. Prints one JSON object. `cargo run -p ledger --example audit_bench -- 1000000 [FOLDER]`.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, reason = "a measurement")]

use std::path::PathBuf;
use std::time::Instant;

use disclosure::Head;
use ledger::{ANSWERED, AuditLog, Begin, Broken, Door, End, LedgerError, Principal, Recorded, verify};

/// Questions that are recorded as the server does it, each entry durable before the next step.
const ONE_BY_ONE: u64 = 500;

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
    }
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
    let mut next = log.head().unwrap().entries + 1;
    while next <= entries {
        let batch: Vec<Recorded> = (next..next + BATCH.min(entries + 1 - next))
            .map(|at| if at % 2 == 1 { Recorded::Begin(begin(at)) } else { Recorded::End(end(at - 1)) })
            .collect();
        next = log.record(&batch).unwrap().entries + 1;
    }
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
    let tampered = verify(&path, None, &mut |_, _| ());
    let tamper_found = matches!(tampered, Err(LedgerError::Broken(Broken { entry, .. })) if entry == at);

    println!(
        "{}",
        serde_json::json!({
            "entries": verified.head.entries,
            "bytes": bytes,
            "question_ms": question_ms,
            "write_seconds": write_seconds,
            "verify_seconds": verify_seconds,
            "tamper_found": tamper_found,
        })
    );
}
