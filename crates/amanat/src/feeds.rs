//! How good the feed of each agency is: `amanat feeds` prints it for the steward, her page shows what was sent last (`heard`), and
//! `amanat up` sends it, every so often, on the stream by which the agencies' door hears of it, so that each agency sees its own.
//!
//! Absent: measuring (`models::quality`), the page of an agency (crate `gateway`).

mod heard;
mod shown;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use eventlog::{EventSink, FEEDS, Outgoing};
use events::feed::{FeedMonth, FeedReport};
use lake::{Events, LakeError};
use models::quality::Feeds;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::cli::FeedsArgs;
use crate::config::Config;
use crate::data_dir::{DataDir, log_failure};
use crate::exit::{self, Failure};
use crate::{every, linking, progress};

pub use heard::Heard;

/// How long after its start a process looks for the first time: what came meanwhile has been read and folded by then.
const AFTER_A_START: Duration = Duration::from_mins(2);

/// `amanat feeds`.
pub fn run(config: Config, args: FeedsArgs) -> anyhow::Result<()> {
    let dir = DataDir::open(&config)?;
    if let Some(agency) = args.agency.as_deref().filter(|agency| dir.policy.agencies.get(agency).is_none()) {
        let known: Vec<&str> = dir.policy.agencies.iter().map(|agency| agency.code.as_str()).collect();
        return Err(Failure::Usage(format!("no agency has the code `{agency}`; there are {}", known.join(", "))).into());
    }
    let bar = progress::spinner("looking at what the agencies sent");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut reports = runtime.block_on(measured(&config, &dir))?;
    bar.finish_and_clear();
    if args.send {
        send(&mut *dir.sink(&config)?, &reports)?;
    }
    reports.retain(|report| args.agency.as_ref().is_none_or(|agency| *agency == report.agency));
    exit::print(&if args.json { format!("{}\n", serde_json::to_string(&reports)?) } else { told(&dir, &reports) })
}

/// Looks at every feed by the newest facts; a fold goes before, unless another process keeps the Snapshots fresh.
///
/// # Errors
/// Nothing was ingested yet; storage errors.
async fn measured(config: &Config, dir: &DataDir) -> anyhow::Result<Vec<FeedReport>> {
    linking::fold(dir).await?;
    let events = Events::open(&dir.store, "feeds").await?.snapshot()?;
    let now_us = DateTime::<Utc>::from(SystemTime::now()).timestamp_micros();
    let feeds = Feeds {
        store: &dir.store,
        events: &events,
        policy: &dir.policy,
        keys: &dir.keys,
        limits: &config.quality.limits,
        today: events::calendar::karachi_day(now_us),
        threads: models::RefreshOptions::default().threads,
    };
    Ok(feeds.reports().await?)
}

/// Sends every report on the stream of feeds, each by its agency's code.
fn send(sink: &mut dyn EventSink, reports: &[FeedReport]) -> anyhow::Result<()> {
    let timestamp_ms = DateTime::<Utc>::from(SystemTime::now()).timestamp_millis();
    let messages: Vec<(&str, Vec<u8>)> =
        reports.iter().map(|report| (report.agency.as_str(), report.encode())).collect();
    let outgoing: Vec<Outgoing<'_>> = messages
        .iter()
        .map(|(agency, message)| Outgoing {
            key: Some(agency.as_bytes()),
            headers: &[],
            value: Some(message),
            timestamp_ms,
        })
        .collect();
    if !outgoing.is_empty() {
        sink.append(FEEDS, &outgoing).map_err(log_failure)?;
    }
    Ok(())
}

/// Looks and sends every so often until it is told to stop. A failure is said and tried again at the next time.
///
/// # Errors
/// None; the signature is that of the other tasks of `up`.
pub async fn keep(config: Config, dir: Arc<DataDir>, stop: CancellationToken) -> anyhow::Result<()> {
    let work = || once(config.clone(), Arc::clone(&dir));
    every::so_often(Duration::from_hours(config.quality.every_hours), AFTER_A_START, stop, work).await;
    Ok(())
}

async fn once(config: Config, dir: Arc<DataDir>) {
    let told = async {
        let reports = measured(&config, &dir).await?;
        let agencies = reports.len();
        tokio::task::spawn_blocking(move || send(&mut *dir.sink(&config)?, &reports)).await??;
        Ok(agencies)
    };
    match told.await {
        Ok(agencies) => info!(agencies, "each agency hears how good its feed is"),
        Err(error) if is_empty(&error) => {}
        Err(error) => warn!("the agencies' feeds were not looked at: {error:#}"),
    }
}

/// Whether nothing was ingested yet.
fn is_empty(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<LakeError>(), Some(LakeError::NoTable(_)))
}

/// For people.
fn told(dir: &DataDir, reports: &[FeedReport]) -> String {
    let mut out = String::new();
    for report in reports {
        let name = dir.policy.agencies.get(&report.agency).map_or("", |agency| agency.en.as_str());
        let state = report.state().name();
        let _ = writeln!(out, "{}  {name}, up to {}: {state}", report.agency, report.as_of);
        for month in report.months.iter().rev().take(3).rev() {
            let _ = writeln!(out, "  {}", of_month(month));
        }
        let missing = report.missing();
        if !report.reports.is_empty() {
            let _ = writeln!(out, "  reports: {missing} missing of {} expected", report.reports.len());
        }
        for contradiction in &report.contradictions {
            let events::feed::Contradiction { field, percent_from, percent_to } = contradiction;
            let _ = writeln!(
                out,
                "  {field}: contradicts other agencies of {percent_from} to {percent_to} % of the persons known to several"
            );
        }
        for alert in &report.alerts {
            let _ = writeln!(out, "  ! {}", alert.sentence());
        }
    }
    if reports.is_empty() {
        out.push_str("nothing came of it yet, and nothing is expected\n");
    }
    out
}

fn of_month(month: &FeedMonth) -> String {
    let days = |days: Option<u16>| days.map_or("-".to_owned(), |days| days.to_string());
    format!(
        "{}: {} accepted, {} there already, {} in conflict, {} set aside; {} fact(s), recorded after {} day(s), arrived after {}; {} version(s) without the one before",
        month.month,
        month.accepted,
        month.duplicates,
        month.conflicts,
        month.set_aside(),
        month.facts,
        days(month.days_to_record),
        days(month.days_to_arrive),
        month.versions.map_or("-".to_owned(), |versions| versions.gaps.to_string()),
    )
}
