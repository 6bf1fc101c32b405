//! Our runs: the worker alone, as a process, over a feed that is in the log already.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Line;
use crate::figures::Bench;
use crate::figures::amanat::{Ran, run, run_with};
use crate::figures::text;
use crate::kafka::Broker;

/// Runs of each; the one in the middle counts.
const RUNS: usize = 3;

/// A data directory whose embedded log holds a feed.
pub struct Feed {
    /// The directory.
    pub data: PathBuf,
    /// Events of the feed.
    pub events: f64,
    /// Bytes of their keys, headers and values.
    pub bytes: f64,
    /// `JSON` or `Avro`.
    pub form: &'static str,
    /// Folder of the Avro schemas.
    schemas: Option<PathBuf>,
}

impl Feed {
    /// The same feed on Kafka, too.
    pub fn on_kafka(&self, program: &Path, bench: &Bench, broker: &Broker) -> Result<Self> {
        let data = bench.scratch.join("feed-kafka");
        crate::figures::same_store(&self.data, &data)?;
        let folder = text(&data);
        run(program, &["sample", "--size", "medium", "--data", &folder, "--brokers", &broker.bootstrap()])?;
        Ok(Self { data, schemas: None, ..*self })
    }

    /// A feed in the embedded log of a directory of its own: all of a size, or the first so many events.
    pub fn make(program: &Path, bench: &Bench, size: &str, first: Option<u64>, avro: bool) -> Result<Self> {
        let form = if avro { "Avro" } else { "JSON" };
        let (data, schemas) = (bench.scratch.join(format!("feed-{size}-{form}")), bench.scratch.join("schemas"));
        let (folder, schema_folder) = (text(&data), text(&schemas));
        let mut arguments = vec!["sample", "--size", size, "--data", &folder, "--json"];
        let first = first.map(|first| first.to_string());
        if let Some(first) = &first {
            arguments.extend(["--first", first]);
        }
        if avro {
            arguments.extend(["--avro", &schema_folder]);
        }
        let said: Value = serde_json::from_str(&run(program, &arguments)?.out)?;
        nix::unistd::sync(); // what is still to be written of the feed is no work of the worker's
        let number = |name: &str| said[name].as_f64().with_context(|| format!("sample printed no {name}"));
        Ok(Self { data, events: number("events")?, bytes: number("bytes")?, form, schemas: avro.then_some(schemas) })
    }
}

/// Drains what the log holds into a new lake, several times: the embedded log, or Kafka.
pub fn drain(program: &Path, feed: &Feed, broker: Option<&Broker>) -> Result<Vec<Line>> {
    (0..RUNS).map(|_| drain_once(program, feed, broker)).collect()
}

/// The same, once.
pub fn drain_once(program: &Path, feed: &Feed, broker: Option<&Broker>) -> Result<Line> {
    let (folder, brokers) = (text(&feed.data), broker.map(Broker::bootstrap));
    let mut arguments = vec!["up", "--role", "ingest", "--once", "--data", &folder];
    if let Some(brokers) = &brokers {
        arguments.extend(["--brokers", brokers]);
    }
    let schemas = feed.schemas.as_deref().map(text);
    let environment: Vec<_> = schemas.iter().map(|folder| ("AMANAT_INGEST__AVRO_SCHEMAS", &**folder)).collect();
    let from = format!("{}, {}", if broker.is_some() { "Kafka" } else { "local log" }, feed.form);
    remove_lake(&feed.data)?;
    line(feed, from, &run_with(program, &arguments, &environment)?)
}

/// Takes the lake away and leaves the log.
pub fn remove_lake(data: &Path) -> Result<()> {
    let lake = data.join("lake");
    if lake.exists() {
        std::fs::remove_dir_all(lake)?;
    }
    Ok(())
}

fn line(feed: &Feed, from: String, ran: &Ran) -> Result<Line> {
    let table = feed.data.join("lake/events");
    let versions = count(&table.join("_delta_log"), "json")?;
    ensure!(versions > 0, "nothing was committed to {}", table.display());
    Ok(Line {
        who: "amanat".into(),
        from,
        events: feed.events,
        cpu_seconds_per_million: ran.cpu_seconds / feed.events * 1e6,
        events_per_second: feed.events / ran.seconds,
        bytes_per_second: feed.bytes / ran.seconds,
        peak_mib: ran.peak_mib,
        files: count(&table, "parquet")?,
        versions,
        cpu_of_each_run: Vec::new(),
    })
}

/// Files with this ending below a folder; checkpoints are none of the table's data.
pub fn count(folder: &Path, ending: &str) -> Result<u64> {
    let mut found = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found += if path.ends_with("_delta_log") { 0 } else { count(&path, ending)? };
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found += 1;
        }
    }
    Ok(found)
}
