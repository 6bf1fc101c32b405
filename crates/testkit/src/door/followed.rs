//! `door_followed`: what the receipts of a run say when the lake has everything: each event was accepted, or is a copy of one that was;
//! and whether the door keeps a receipt that nobody was given.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use super::At;
use super::http::{self, head};
use super::posts::receipts_beside;
use crate::Measured;

/// How long what the lake has may take to be told.
const PATIENCE: Duration = Duration::from_mins(2);

/// Wait before a receipt is looked up again.
const PAUSE: Duration = Duration::from_millis(50);

/// Measures: receipts with an event that is neither accepted nor a copy.
pub fn measure(at: &At, acknowledged: &Path, data: &Path) -> Result<Measured> {
    let (senders, mut connection) = (at.senders()?, http::Connection::open(at.address)?);
    let lines = std::fs::read_to_string(receipts_beside(acknowledged))?;
    let (mut all, mut events, mut copies, mut wrong) = (0_u64, 0_u64, 0_u64, 0_u64);
    for line in lines.lines() {
        let (agency, url) = line.split_once(' ').context("a line is `AGENCY ADDRESS`")?;
        let sender = senders.iter().find(|sender| sender.agency == agency).context("an unknown agency")?;
        let counts = told(&mut connection, &(head("GET", url, &sender.key, &[]) + "\r\n"))?;
        let of = |status: &str| counts[status].as_u64().unwrap_or_default();
        all += 1;
        events += of("accepted") + of("duplicate");
        copies += of("duplicate");
        wrong += u64::from(["durable", "set_aside", "conflict", "passed_over"].map(of).iter().any(|count| *count > 0));
    }
    let kept = kept(data)?;
    let given_to_nobody = kept.saturating_sub(all);
    Ok(Measured {
        value: json!(wrong + given_to_nobody),
        met: wrong == 0 && kept == all,
        details: json!({
            "receipts": all, "kept_by_the_door": kept, "events": events, "of_them_second_copies": copies, "wrong": wrong,
        }),
    })
}

/// Receipts in the door's own file.
fn kept(data: &Path) -> Result<u64> {
    let file = Connection::open_with_flags(data.join("gateway.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let count: i64 = file.query_row("SELECT count(*) FROM receipts", [], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// The counts of a receipt, once nothing of it is only durable.
fn told(connection: &mut http::Connection, request: &str) -> Result<Value> {
    let began = Instant::now();
    loop {
        let answer = connection.ask(request.as_bytes())?;
        ensure!(answer.status == 200, "a receipt is answered {}", answer.status);
        let counts = answer.json()["counts"].clone();
        if counts["durable"] == 0 || began.elapsed() > PATIENCE {
            return Ok(counts);
        }
        std::thread::sleep(PAUSE);
    }
}
