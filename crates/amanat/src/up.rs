//! `amanat up`: the write road in one process, from the log to the lake.
//!
//! One ingesting process at a time by a lock on the directory; fenced by claims. Ctrl-C (or SIGTERM) stops reading, commits
//! what was read, and ends: nothing acknowledged is lost.

use std::sync::Arc;
use std::time::Duration;

use ingest::{RandomIds, SystemClock, Worker, WorkerConfig};
use lake::{Events, StoreKind, StoreLock};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::cli::{Size, UpArgs};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::{exit, sampling};

/// Runs until told to stop, or until everything is ingested.
pub fn run(config: Config, args: UpArgs) -> anyhow::Result<()> {
    let dir = DataDir::open_or_create(&config, args.sample.then_some(StoreKind::Sample))?;
    let _lock = dir.lock(StoreLock::WRITER)?;
    if args.sample {
        fill_with_sample(&config, &dir, &args)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut worker = worker(&config, &dir).await?;
        let report = if args.once {
            worker.drain().await?
        } else {
            let stop = CancellationToken::new();
            tokio::spawn(stop_on_signal(stop.clone()));
            worker.run_until(stop.cancelled_owned()).await?
        };
        let counts = &report.counts;
        exit::print(&format!(
            "{} event(s) ingested, {} duplicate(s), {} conflict(s), {} set aside\n",
            counts.ok,
            counts.duplicate,
            counts.conflict,
            counts.set_aside_total()
        ))
    })
}

/// A worker over the configured log.
async fn worker(config: &Config, dir: &DataDir) -> anyhow::Result<Worker<Box<dyn eventlog::EventSource>>> {
    let source = dir.source(config)?;
    let writer = format!("ingest-{}", std::process::id());
    let events = Events::open_or_create(&dir.store, &writer)
        .await
        .map_err(|error| crate::data_dir::unusable(&dir.path, &error))?;
    let (clock, ids) = (Arc::new(SystemClock::default()), Arc::new(RandomIds));
    Ok(Worker::new(source, events, dir.policy.clone(), dir.keys.clone(), worker_config(config, dir.kind), clock, ids))
}

/// The worker's settings from the configuration.
pub fn worker_config(config: &Config, kind: StoreKind) -> WorkerConfig {
    WorkerConfig {
        max_payload: config.ingest.max_payload_bytes,
        batch_bytes: config.ingest.batch_bytes,
        batch_rows: config.ingest.batch_rows,
        batch_age: Duration::from_millis(config.ingest.batch_age_ms),
        ..WorkerConfig::new(kind)
    }
}

/// Publishes the feed to the log, as far as it is not there yet.
fn fill_with_sample(config: &Config, dir: &DataDir, args: &UpArgs) -> anyhow::Result<()> {
    let size = if args.country.size == Size::Small { "small" } else { "medium" };
    exit::print(&format!(
        "Amanat, with a SYNTHETIC country ({size}, seed {}). Nobody in it exists.\n",
        args.country.seed
    ))?;
    let published = sampling::publish(config, dir, &args.country)?;
    exit::print(&format!("{} event(s) of the agencies in the log, {} of them now\n", published.lines, published.sent))
}

/// Ends on Ctrl-C or SIGTERM; a second one ends at once.
async fn stop_on_signal(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    for round in 0..2 {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        if round == 0 {
            info!("stopping: what was read is being committed; once more ends at once");
            stop.cancel();
        } else {
            std::process::exit(130);
        }
    }
}
