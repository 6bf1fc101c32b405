//! `determinism`: the same events, arriving in three orders and cut into batches of three sizes, give the same marts and
//! the same edition.
//!
//! What may not change is the order within a partition: which of two events with one id came first is the log's word.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use disclosure::Vault;
use eventlog::simulated::{ManualClock, SimulatedLog};
use models::edition::{release, to_batch};
use models::{RefreshOptions, Snapshot};
use sample::{Feed, Feedline};
use serde_json::json;

use crate::road::{Batches, Place, append, as_of};
use crate::{Measured, Size};

/// What must be equal.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Outcome {
    /// Hash of each mart.
    marts: BTreeMap<String, String>,
    /// Hash of the edition's rows.
    published: String,
}

/// Measures.
pub async fn measure(scratch: &Path, size: Size) -> Result<Measured> {
    let began = Instant::now();
    let (mut outcomes, mut runs) = (Vec::new(), Vec::new());
    for (name, run) in ["as it comes", "agency by agency", "several partitions"].into_iter().zip(0..) {
        let place = Place::new(&scratch.join(format!("determinism-{run}")))?;
        let batches = match run {
            0 => as_it_comes(&place, size).await?,
            1 => agency_by_agency(&place, size).await?,
            _ => several_partitions(&place, size).await?,
        };
        // The number of buckets is another thing that must not show.
        let options = RefreshOptions { buckets: [None, Some(4), Some(32)][run], ..RefreshOptions::default() };
        let (snapshot, report) = place.refresh(&options).await?;
        let outcome = outcome(&place, &snapshot)?;
        runs.push(json!({
            "order": name, "commits": batches, "events": report.stage.raw, "buckets": report.buckets,
            "published": outcome.published,
        }));
        outcomes.push(outcome);
    }
    let different: BTreeSet<&Outcome> = outcomes.iter().collect();
    Ok(Measured {
        value: json!(different.len()),
        met: different.len() == 1,
        details: json!({"runs": runs, "marts": outcomes[0].marts, "seconds": began.elapsed().as_secs()}),
    })
}

/// The feed's order, batches of the usual size.
async fn as_it_comes(place: &Place, size: Size) -> Result<u64> {
    append(&mut place.log.sink()?, Feed::new(size.world()))?;
    Ok(place.ingest(place.log.source()?, Batches::default()).await?.batches)
}

/// One agency after the other, last name first, each ingested before the next one reports; small batches.
async fn agency_by_agency(place: &Place, size: Size) -> Result<u64> {
    let topics: BTreeSet<&str> = Feed::new(size.world()).map(|line| line.topic).collect();
    let topics: Vec<&str> = topics.into_iter().rev().collect();
    let batches = Batches { rows: 9_973, bytes: 3 << 20, poll: 1 << 20 };
    let mut commits = 0;
    // In a few parts: the feed is told anew for each, so that it is never held in memory.
    for some in topics.chunks(topics.len().div_ceil(4)) {
        let mut kept: BTreeMap<&str, Vec<Feedline>> = BTreeMap::new();
        for line in Feed::new(size.world()).filter(|line| some.contains(&line.topic)) {
            kept.entry(line.topic).or_default().push(line);
        }
        for (_, lines) in kept.into_iter().rev() {
            append(&mut place.log.sink()?, lines.into_iter())?;
            commits += place.ingest(place.log.source()?, batches).await?.batches;
        }
    }
    Ok(commits)
}

/// Four partitions to an agency, so that the events of one agency interleave otherwise; large batches.
async fn several_partitions(place: &Place, size: Size) -> Result<u64> {
    let log = SimulatedLog::new("determinism", 4, ManualClock::at(0));
    append(&mut log.sink(), Feed::new(size.world()))?;
    let batches = Batches { rows: 100_003, bytes: 64 << 20, poll: 16 << 20 };
    Ok(place.ingest(log.source(), batches).await?.batches)
}

fn outcome(place: &Place, snapshot: &Snapshot) -> Result<Outcome> {
    let released = release(
        &snapshot.source(&place.policy),
        &Vault::forgetful(Arc::clone(&place.policy), &place.keys),
        as_of(),
        1,
    )?;
    let rows = to_batch(&released.rows, 1, as_of());
    let published = lake::canonical::hash(&rows.schema(), std::slice::from_ref(&rows))?.to_hex().to_string();
    Ok(Outcome { marts: snapshot.hashes(), published })
}
