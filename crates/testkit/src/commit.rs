//! `commit`: what a commit costs with 100,000 versions behind it, beside an fsynced create of a file in the same run.
//!
//! The versions are written as files, because 100,000 fsyncs measure nothing: commits of the length of a real one, which
//! repeat a claim and so leave the state of the table as it is. That state's checkpoint therefore is also that of a later
//! version, 50 before the last, as a maintainer leaves it; then the table is opened as any process opens it. What follows
//! is what a running system does: files are written outside the time measured, each commit is timed, and every hundred
//! commits a round of maintenance runs (checkpoint, compaction), also outside.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use lake::maintain::{Did, Lease, Maintainer, Now, Round, Rules};
use lake::{Events, Store};
use serde_json::json;

use crate::Measured;
use crate::lakes;

/// Ingest date of the rows.
const DATE: i32 = 20_000;
/// Commits timed.
const COMMITS: i64 = 500;
/// Rows of each.
const ROWS: i64 = 100;
/// How often the table is opened.
const OPENS: usize = 5;

/// Measures.
pub async fn measure(scratch: &Path, versions: u64) -> Result<Measured> {
    let place = scratch.join("commit");
    let store = Store::local(&place)?;
    let mut events = Events::open_or_create(&store, "w").await?;
    let claim = events.claim(&[lakes::partition()]).await?[&lakes::partition()];
    let written = lakes::write(&events, DATE, 0..ROWS).await?;
    lakes::commit(&mut events, &lakes::batch(0, ROWS, claim, written)).await?;
    let log = place.join("lake/events/_delta_log");
    let built = Instant::now();
    let checkpoint = events.checkpoint().await?;
    fill(&log, claim, checkpoint, versions)?;
    let built = built.elapsed();
    let mut opens = Vec::new();
    for n in 0..OPENS {
        let began = Instant::now();
        events = Events::open(&store, &format!("w{n}")).await?;
        opens.push(began.elapsed());
    }
    let began = Instant::now();
    let listed = fs::read_dir(&log)?.count();
    let listing = began.elapsed();

    let mut lease = Lease::new(&store, "m");
    let mut maintainer = Maintainer::open(&store, "m", lease.number(), Rules::default()).await?;
    let (mut commits, mut creates, mut looks) = (Vec::new(), Vec::new(), Vec::new());
    let line = fs::read(log.join(format!("{:020}.json", 2)))?;
    let running = Instant::now();
    for n in 1..=COMMITS {
        let (from, to) = (n * ROWS, (n + 1) * ROWS);
        let batch = lakes::batch(from, to, claim, lakes::write(&events, DATE, from..to).await?);
        creates.push(fsynced_create(&place.join(format!("created-{n}")), &line)?);
        let began = Instant::now();
        lakes::commit(&mut events, &batch).await?;
        commits.push(began.elapsed());
        let began = Instant::now();
        events.refresh().await?;
        looks.push(began.elapsed());
        if n % 100 == 0 {
            lease.keep(running.elapsed(), 0).await?;
            let now = Now { unix_ms: i64::from(DATE) * 86_400_000, today: DATE };
            maintainer
                .round(Round { now, staged: None, keep_from: None, all: false, before: Did::default() }, |_, _| {})
                .await?;
        }
    }
    let files = events.snapshot()?.files.len();
    let (commit, create) = (quantile(&mut commits, 0.99), quantile(&mut creates, 0.99));
    let open = opens.iter().max().copied().context("it was opened")?;
    let ratio = commit.as_secs_f64() / create.as_secs_f64();
    Ok(Measured {
        value: json!(format!("{ratio:.1}")),
        met: ratio <= 5.0 && open <= Duration::from_secs(1),
        details: json!({
            "versions_behind": versions, "commits": COMMITS, "files_at_the_end": files,
            "commit_ms": {"p50": ms(quantile(&mut commits, 0.5)), "p99": ms(commit)},
            "fsynced_create_ms": {"p50": ms(quantile(&mut creates, 0.5)), "p99": ms(create)},
            "look_for_news_ms": {"p50": ms(quantile(&mut looks, 0.5)), "p99": ms(quantile(&mut looks, 0.99))},
            "open_ms": opens.iter().map(|open| ms(*open)).collect::<Vec<_>>(),
            "names_only_listing_of_the_log_ms": ms(listing), "files_of_the_log": listed,
            "built_in_seconds": built.as_secs(),
        }),
    })
}

/// Commits after the last checkpoint.
const SINCE_CHECKPOINT: u64 = 50;

/// Writes versions up to `to` after `last`, without syncing each, and gives the checkpoint of `last` a later version.
fn fill(log: &Path, claim: i64, last: u64, to: u64) -> Result<()> {
    // As long as a real one, whose file was compacted away long ago: the audit of a batch, and a transaction.
    let audit = "x".repeat(400);
    for version in last + 1..=to {
        let info = json!({"commitInfo": {"timestamp": 1, "operation": "WRITE", "operationParameters": {"mode": "Append"},
            "isBlindAppend": true, "batch_id": format!("{version:036}"), "writer_id": "w", "ranges": audit}});
        let txn = json!({"txn": {"appId": lakes::partition().claim_app_id(), "version": claim}});
        fs::write(log.join(format!("{version:020}.json")), format!("{info}\n{txn}"))?;
    }
    let at = to - SINCE_CHECKPOINT;
    let checkpoint = |version: u64| log.join(format!("{version:020}.checkpoint.parquet"));
    fs::rename(checkpoint(last), checkpoint(at))?;
    let hint = log.join("_last_checkpoint");
    let mut said: serde_json::Value = serde_json::from_slice(&fs::read(&hint)?)?;
    said["version"] = json!(at);
    fs::write(&hint, said.to_string())?;
    File::open(log)?.sync_all()?;
    Ok(())
}

/// The least that a durable commit can cost on this disk: a new file, synced, and its name, synced.
fn fsynced_create(path: &Path, bytes: &[u8]) -> Result<Duration> {
    let began = Instant::now();
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    File::open(path.parent().context("it lies in a folder")?)?.sync_all()?;
    Ok(began.elapsed())
}

/// The time below which this share of them is.
pub fn quantile(times: &mut [Duration], q: f64) -> Duration {
    times.sort_unstable();
    let at = ((times.len() as f64 * q).ceil() as usize).clamp(1, times.len());
    times[at - 1]
}

/// Milliseconds, to a hundredth.
pub fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 100_000.0).round() / 100.0
}
