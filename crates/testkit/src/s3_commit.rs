//! `s3_commit`: what a commit costs on an S3 server, beside one GET of a small object there.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use lake::{Credentials, Events, S3, Store, StoreIdentity, StoreKind};
use serde_json::json;

use crate::Measured;
use crate::commit::{ms, quantile};
use crate::lakes;

/// Ingest date of the rows.
const DATE: i32 = 20_000;
/// Commits timed.
const COMMITS: i64 = 200;
/// Rows of each.
const ROWS: i64 = 100;

/// Measures. `credentials` is a file in the form of AWS's; the server is on this machine.
pub async fn measure(scratch: &Path, url: &str, endpoint: &str, credentials: &Path) -> Result<Measured> {
    let store = S3 {
        url: url.parse().context("--url")?,
        endpoint: Some(endpoint.parse().context("--endpoint")?),
        region: Some("us-east-1".into()),
        path_style: true,
        allow_http: true,
        credentials: Some(Credentials::parse(&std::fs::read_to_string(credentials)?)?),
    }
    .store(scratch)?;
    StoreIdentity::open_or_create_in(&store, "measured", StoreKind::Sample).await?;
    let (mut commits, mut gets) = timed(&store).await?;
    let commit = quantile(&mut commits, 0.99);
    Ok(Measured {
        value: json!(ms(commit)),
        met: true,
        details: json!({
            "commits": COMMITS,
            "commit_ms": {"p50": ms(quantile(&mut commits, 0.5)), "p99": ms(commit)},
            "get_ms": {"p50": ms(quantile(&mut gets, 0.5)), "p99": ms(quantile(&mut gets, 0.99))},
        }),
    })
}

type Times = Vec<std::time::Duration>;

async fn timed(store: &Store) -> Result<(Times, Times)> {
    let mut events = Events::open_or_create(store, "w").await?;
    let claim = events.claim(&[lakes::partition()]).await?[&lakes::partition()];
    let (mut commits, mut gets) = (Vec::new(), Vec::new());
    for n in 0..COMMITS {
        let (from, to) = (n * ROWS, (n + 1) * ROWS);
        let batch = lakes::batch(from, to, claim, lakes::write(&events, DATE, from..to).await?);
        let began = Instant::now();
        lakes::commit(&mut events, &batch).await?;
        commits.push(began.elapsed());
        let began = Instant::now();
        StoreIdentity::read_in(store).await?.context("it was made")?;
        gets.push(began.elapsed());
    }
    Ok((commits, gets))
}
