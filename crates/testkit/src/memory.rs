//! `fold_memory`: what a rebuild takes of memory, of a third of a country's events and of all of them.
//!
//! A rebuild (stage, fold, marts) runs in a process of its own, whose greatest resident set the kernel tells. The finished marts are in it
//! to the end, since whoever answers questions holds them anyway; what there is beside them must not grow with the events.

use std::ops::RangeInclusive;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use eventlog::Partition;
use models::RefreshOptions;
use sample::{Feed, World};
use serde_json::{Value, json};

use crate::Measured;
use crate::road::{Batches, Place, append};

/// Lines that the log holds at a time: ingested, they are trimmed, so that the disk holds the lake and little else.
const PORTION: usize = 1_000_000;
/// With three times the events, a rebuild takes at most so many times the memory beside the marts.
const GOAL: f64 = 1.25;

/// Measures.
pub async fn measure(scratch: &Path, millions: u32) -> Result<Measured> {
    let folder = scratch.join("memory");
    let mut feed = Feed::new(World::new(crate::SEED, sample::Size::Millions(millions)));
    let portions = millions.div_ceil(3) as usize;
    let mut curve = Vec::new();
    {
        let place = Place::new(&folder)?;
        fill(&place, &mut feed, portions).await?;
    }
    curve.push(rebuilt(&folder)?);
    {
        let place = Place::new(&folder)?;
        fill(&place, &mut feed, usize::MAX).await?;
    }
    curve.push(rebuilt(&folder)?);
    let beside = |point: &Value| Some(point["peak_mib"].as_f64()? - point["marts_mib"].as_f64()?);
    let (less, more) = (beside(&curve[0]).context("no peak")?, beside(&curve[1]).context("no peak")?);
    let times = more / less;
    Ok(Measured {
        value: json!(format!("{:.0} MiB, {times:.2}", curve[1]["peak_mib"].as_f64().context("no peak")?)),
        met: times <= GOAL,
        details: json!({"rebuilds": curve, "beside_the_marts_mib": [less.round(), more.round()]}),
    })
}

/// Brings so many portions of a feed into the lake, or what there is of it.
async fn fill(place: &Place, feed: &mut impl Iterator<Item = sample::Feedline>, portions: usize) -> Result<()> {
    for _ in 0..portions {
        if append(&mut place.log.sink()?, feed.by_ref().take(PORTION))? == 0 {
            break;
        }
        place.ingest(place.log.source()?, Batches::default()).await?;
        for (id, next) in &place.events().await?.cut {
            let stream = id.log_stream.rsplit('/').next().context("a partition has a stream")?;
            place.log.trim(&Partition::new(stream, id.partition), *next)?;
        }
    }
    Ok(())
}

/// A rebuild in a process of its own.
fn rebuilt(folder: &Path) -> Result<Value> {
    let output = Command::new(std::env::current_exe()?).args(["rebuild", "--data"]).arg(folder).output()?;
    ensure!(output.status.success(), "the rebuild failed: {}", String::from_utf8_lossy(&output.stderr));
    let line = String::from_utf8(output.stdout)?;
    let answer: Value = serde_json::from_str(line.lines().last().context("the rebuild printed nothing")?)?;
    Ok(answer["details"].clone())
}

/// `rebuild`: stages and folds all events of a place, or folds what is staged, and tells what this process took at most, and when.
pub async fn rebuild(data: &Path, staged: bool) -> Result<Measured> {
    let place = Place::new(data)?;
    let options = RefreshOptions { rebuild: !staged, force: true, ..RefreshOptions::default() };
    let resident = Resident::begin();
    let began = Instant::now();
    let (snapshot, report) = place.refresh(&options).await?;
    let seconds = began.elapsed().as_secs_f64();
    let samples = resident.end();
    let (mut from, mut greatest, mut slowest) = (report.stage_millis, Vec::new(), Vec::new());
    for model in &report.models {
        let most = most_mib(&samples, from..=from + model.millis);
        greatest.push((most, model.table.clone()));
        slowest.push((model.millis, model.table.clone()));
        from += model.millis;
    }
    slowest.sort_unstable_by(|a, b| b.cmp(a));
    slowest.truncate(5);
    // Each model that took more than all before it: there the way up is seen.
    let mut most = 0;
    greatest.retain(|(of_model, _)| {
        let before = most;
        most = most.max(*of_model);
        before + STEP_MIB <= *of_model
    });
    let peak = peak_mib()?;
    Ok(Measured {
        value: json!(peak.round()),
        met: true,
        details: json!({
            "events": report.stage.raw,
            "peak_mib": peak.round(),
            "marts_mib": snapshot.memory_bytes() >> 20,
            "stage_seconds": report.stage_millis as f64 / 1e3,
            "stage_peak_mib": most_mib(&samples, 0..=report.stage_millis),
            "fold_seconds": (from - report.stage_millis) as f64 / 1e3,
            "fold_peak_mib": most_mib(&samples, report.stage_millis..=from),
            "fold_peaks_mib": greatest,
            "marts_peak_mib": most_mib(&samples, from..=u64::MAX),
            "slowest_models_millis": slowest,
            "seconds": (seconds * 10.0).round() / 10.0,
        }),
    })
}

/// By how much more than any model before it a model is worth a line.
const STEP_MIB: u64 = 50;

/// The resident set of this process while something runs.
struct Resident {
    /// Dropped when it is over.
    goes_on: Sender<()>,
    sampler: JoinHandle<Vec<(u64, u64)>>,
}

impl Resident {
    /// Looks at it ten times a second.
    fn begin() -> Self {
        let (goes_on, over) = channel();
        let sampler = std::thread::spawn(move || {
            let (began, mut samples) = (Instant::now(), Vec::new());
            while over.recv_timeout(Duration::from_millis(100)) == Err(RecvTimeoutError::Timeout) {
                let now = began.elapsed().as_millis() as u64;
                samples.extend(status_mib("VmRSS:").ok().map(|mib| (now, mib as u64)));
            }
            samples
        });
        Self { goes_on, sampler }
    }

    /// Milliseconds since the beginning, and MiB.
    fn end(self) -> Vec<(u64, u64)> {
        drop(self.goes_on);
        self.sampler.join().unwrap_or_default()
    }
}

/// The most that was resident in some span of milliseconds.
fn most_mib(samples: &[(u64, u64)], within: RangeInclusive<u64>) -> u64 {
    samples.iter().filter(|(at, _)| within.contains(at)).map(|(_, mib)| *mib).max().unwrap_or(0)
}

/// The greatest resident set of this process so far, MiB.
fn peak_mib() -> Result<f64> {
    status_mib("VmHWM:")
}

fn status_mib(name: &str) -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).context("the kernel tells no resident set")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
}
