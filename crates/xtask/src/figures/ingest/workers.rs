//! `ingest.two_workers`: what a second worker brings, and what it costs.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::super::amanat::{Profile, build, run_with};
use super::super::{Bench, Figure, Measured, text};
use crate::bench::{Feed, drain, median, remove_lake};
use crate::kafka::Broker;

/// How much faster two are, one core each.
const FASTER: f64 = 1.6;
/// How much more CPU two may take.
const DEARER: f64 = 1.15;
/// Runs of each; the middle one counts.
const RUNS: usize = 3;

pub fn figures() -> Vec<Figure> {
    vec![Figure {
        name: "ingest.two_workers",
        shows: "two workers, static shares: local log with a core each against one worker on one core; CPU on Kafka against one worker's (release)",
        unit: "× faster, × CPU",
        goal: "≥ 1.6× and ≤ 1.15×",
        minutes: 5,
        short: false,
        correctness: false,
        run: two_workers,
    }]
}

fn two_workers(bench: &Bench) -> Result<Measured> {
    let program = build(Profile::Release, "amanat", "amanat")?;
    let feed = Feed::make(&program, bench, "medium", None, false)?;
    let one = middle(&program, &feed, None, &["0"])?;
    let two = middle(&program, &feed, None, &["0", "1"])?;
    let broker = Broker::up()?;
    let published = feed.on_kafka(&program, bench, &broker)?;
    let alone = median(drain(&program, &published, Some(&broker))?).cpu_seconds_per_million;
    let both = middle(&program, &published, Some(&broker), &["0,1", "0,1"])?.1 / published.events * 1e6;
    let (faster, dearer) = (one.0 / two.0, both / alone);
    Ok(Measured {
        value: format!("{faster:.2} and {dearer:.2}"),
        met: faster >= FASTER && dearer <= DEARER,
        details: json!({
            "local_log_seconds": {"one_worker_one_core": one.0, "two_workers_a_core_each": two.0},
            "local_log_cpu_seconds": {"one": one.1, "two": two.1},
            "kafka_cpu_seconds_per_million": {"one": alone, "two": both},
        }),
    })
}

/// Wall and CPU seconds of the run in the middle by wall time.
fn middle(program: &Path, feed: &Feed, broker: Option<&Broker>, cores: &[&str]) -> Result<(f64, f64)> {
    let mut runs = (0..RUNS).map(|_| together(program, feed, broker, cores)).collect::<Result<Vec<_>>>()?;
    runs.sort_by(|a, b| a.0.total_cmp(&b.0));
    runs.get(RUNS / 2).copied().context("it ran")
}

/// As many workers as there are sets of cores, each with its share of the partitions, until the log is drained.
fn together(program: &Path, feed: &Feed, broker: Option<&Broker>, cores: &[&str]) -> Result<(f64, f64)> {
    remove_lake(&feed.data)?;
    let (folder, brokers, program) = (text(&feed.data), broker.map(Broker::bootstrap), text(program));
    let workers = cores.len().to_string();
    let (began, before) = (Instant::now(), super::super::amanat::cpu_of_children()?);
    std::thread::scope(|scope| {
        let runs: Vec<_> = cores
            .iter()
            .enumerate()
            .map(|(number, cores)| {
                let (folder, brokers, program, workers) = (&folder, &brokers, &program, &workers);
                scope.spawn(move || {
                    let mut arguments =
                        vec!["-c", cores, program, "up", "--role", "ingest", "--once", "--data", folder];
                    if let Some(brokers) = brokers {
                        arguments.extend(["--brokers", brokers]);
                    }
                    let number = number.to_string();
                    let share = [("AMANAT_INGEST__WORKER", &*number), ("AMANAT_INGEST__WORKERS", &**workers)];
                    run_with(Path::new("taskset"), &arguments, &share)
                })
            })
            .collect();
        runs.into_iter().try_for_each(|run| run.join().map_err(|_| anyhow::anyhow!("a run failed"))?.map(drop))
    })?;
    let done = (began.elapsed().as_secs_f64(), super::super::amanat::cpu_of_children()? - before);
    ensure!(done.0 > 0.0, "it takes time");
    Ok(done)
}
