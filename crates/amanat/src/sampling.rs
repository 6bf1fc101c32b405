//! `amanat sample`, and the filling of an empty store by `amanat up --sample`: a synthetic country's feed onto the log.
//!
//! The feed is a function of seed and size, so a broken run is resumed by counting what each stream already holds. What the
//! generator knows to be true is written by nobody here: it is for tests only.

use std::collections::BTreeMap;

use eventlog::{EventSink, EventSource, Outgoing};
use lake::StoreKind;
use sample::{Feed, Feedline, World};
use serde_json::json;

use crate::cli::{CountryArgs, SampleArgs, Size};
use crate::config::Config;
use crate::data_dir::{DataDir, log_failure};
use crate::exit::{self, Failure};
use crate::progress;

/// Lines made durable together.
const BLOCK: usize = 4_000;

/// What was published.
pub struct Published {
    /// Lines of the feed.
    pub lines: u64,
    /// Of them, sent now (the others were in the log already).
    pub sent: u64,
}

/// Publishes the feed, or writes it to a file.
pub fn run(config: Config, args: SampleArgs) -> anyhow::Result<()> {
    if let Some(path) = &args.to {
        let mut out = std::io::BufWriter::new(std::fs::File::create(path)?);
        let lines = sample::feed::write_ndjson(Feed::new(world(&args.country)), &mut out)?;
        return exit::print(&format!("wrote {lines} line(s) of synthetic events to {}\n", path.display()));
    }
    let dir = DataDir::open_or_create(&config, Some(StoreKind::Sample))?;
    let published = publish(&config, &dir, &args.country)?;
    let text = if args.json {
        format!("{}\n", json!({"events": published.lines, "sent": published.sent, "synthetic": true}))
    } else {
        format!("published {} synthetic event(s), {} of them now\n", published.lines, published.sent)
    };
    exit::print(&text)
}

/// The day that a sample's first edition speaks of: the last of its years.
pub fn as_of() -> chrono::NaiveDate {
    chrono::NaiveDate::from_ymd_opt(sample::size::LAST_YEAR, 12, 31).expect("every year has a 31 December")
}

/// The country of these arguments.
pub fn world(country: &CountryArgs) -> World {
    let size = match country.size {
        Size::Small => sample::Size::Small,
        Size::Medium => sample::Size::Medium,
    };
    World::new(country.seed, size)
}

/// Publishes the whole feed to the log, leaving out what is there already.
pub fn publish(config: &Config, dir: &DataDir, country: &CountryArgs) -> anyhow::Result<Published> {
    let mut present = lines_in_log(&mut *dir.source(config)?)?;
    let mut sink = dir.sink(config)?;
    let expected = match country.size {
        Size::Small => 30_000,
        Size::Medium => 1_000_000,
    };
    let bar = progress::bar(expected, "publishing", "events");
    let mut block: Vec<Feedline> = Vec::with_capacity(BLOCK);
    let mut published = Published { lines: 0, sent: 0 };
    for line in Feed::new(world(country)) {
        published.lines += 1;
        match present.get_mut(line.topic) {
            Some(left) if *left > 0 => *left -= 1,
            _ => block.push(line),
        }
        if block.len() == BLOCK {
            published.sent += append(&mut block, &mut *sink)?;
            bar.set_position(published.lines);
        }
    }
    published.sent += append(&mut block, &mut *sink)?;
    bar.finish_and_clear();
    Ok(published)
}

/// How many messages each stream holds, over its partitions. A log from which messages were deleted cannot be resumed.
fn lines_in_log(source: &mut dyn EventSource) -> anyhow::Result<BTreeMap<String, i64>> {
    let mut present = BTreeMap::new();
    for partition in source.partitions().map_err(log_failure)? {
        let marks = source.watermarks(&partition).map_err(log_failure)?;
        if marks.low > 0 {
            return Err(Failure::DataDirectory(format!("{partition} has lost its first messages, so the sample cannot be continued; use an empty data directory")).into());
        }
        *present.entry(partition.stream.to_string()).or_insert(0) += marks.high;
    }
    Ok(present)
}

/// Appends lines stream by stream, in their order.
fn append(block: &mut Vec<Feedline>, sink: &mut dyn EventSink) -> anyhow::Result<u64> {
    let mut streams: BTreeMap<&str, Vec<&Feedline>> = BTreeMap::new();
    for line in block.iter() {
        streams.entry(line.topic).or_default().push(line);
    }
    for (stream, lines) in streams {
        let headers: Vec<Vec<(&str, &[u8])>> = lines.iter().map(|line| line.header_slices()).collect();
        let outgoing: Vec<Outgoing<'_>> = lines
            .iter()
            .zip(&headers)
            .map(|(line, headers)| Outgoing {
                key: line.key.as_deref(),
                headers,
                value: Some(&line.value),
                timestamp_ms: line.log_timestamp_ms,
            })
            .collect();
        sink.append(stream, &outgoing).map_err(log_failure)?;
    }
    let sent = block.len() as u64;
    block.clear();
    Ok(sent)
}
