//! `amanat sample`, and the filling of an empty store by `amanat up --sample`: a synthetic country's feed onto the log.
//!
//! The feed is a function of seed and size, so a broken run is resumed by leaving out what the log already holds. What the
//! generator knows to be true is written by nobody here: it is for tests only.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::{Duration, Instant};

use eventlog::{EventSink, EventSource, Outgoing};
use lake::StoreKind;
use sample::{Feed, Feedline, World};
use serde_json::json;

use crate::cli::{CountryArgs, SampleArgs, Size};
use crate::config::{Config, LogKind};
use crate::data_dir::{DataDir, log_failure};
use crate::exit::{self, Failure};
use crate::progress;

/// How long one look for more of the log may take.
const LOOK: Duration = Duration::from_millis(200);

/// Lines made durable together.
const BLOCK: usize = 4_000;

/// What was published.
pub struct Published {
    /// Lines of the feed.
    pub lines: u64,
    /// Of them, sent now (the others were in the log already).
    pub sent: u64,
    /// Bytes of those: keys, headers and values.
    pub bytes: u64,
}

/// Publishes the feed, or writes it to a file.
pub fn run(config: Config, args: SampleArgs) -> anyhow::Result<()> {
    let about = world(&args.country).size.about();
    let events = args.first.unwrap_or(about).min(about);
    let feed = Feed::new(world(&args.country)).take(args.first.map_or(usize::MAX, |first| first as usize));
    if let Some(path) = &args.to {
        let mut out = std::io::BufWriter::new(std::fs::File::create(path)?);
        let lines = sample::feed::write_ndjson(feed, &mut out)?;
        return exit::print(&format!("wrote {lines} line(s) of synthetic events to {}\n", path.display()));
    }
    let dir = DataDir::open_or_create(&config, Some(StoreKind::Sample))?;
    let pace = Pace::of(args.rate);
    let published = match &args.avro {
        Some(folder) => {
            write_schemas(folder)?;
            publish_lines(&config, &dir, events, pace, feed.map(sample::avro::line))?
        }
        None => publish_lines(&config, &dir, events, pace, feed)?,
    };
    let text = if args.json {
        format!(
            "{}\n",
            json!({"events": published.lines, "sent": published.sent, "bytes": published.bytes, "synthetic": true})
        )
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
        Size::Large => sample::Size::Large,
    };
    World::new(country.seed, size)
}

/// Writes the schemas of the sample's Avro, one `<id>.avsc` each.
fn write_schemas(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (id, text) in sample::avro::schemas() {
        std::fs::write(folder.join(format!("{id}.avsc")), text)?;
    }
    Ok(())
}

/// Publishes the whole feed to the log, leaving out what is there already.
pub fn publish(config: &Config, dir: &DataDir, country: &CountryArgs) -> anyhow::Result<Published> {
    let world = world(country);
    publish_lines(config, dir, world.size.about(), Pace::of(None), Feed::new(world))
}

fn publish_lines(
    config: &Config,
    dir: &DataDir,
    expected: u64,
    pace: Pace,
    feed: impl Iterator<Item = Feedline>,
) -> anyhow::Result<Published> {
    let mut source = dir.source(config)?;
    let mut present = match config.log.kind {
        LogKind::Sqlite => Present::First(lines_in_log(&mut *source)?),
        LogKind::Kafka => Present::read(&mut *source)?,
    };
    let mut sink = dir.sink(config)?;
    let bar = progress::bar(expected, "publishing", "events");
    let mut block: Vec<Feedline> = Vec::with_capacity(pace.block());
    let mut published = Published { lines: 0, sent: 0, bytes: 0 };
    for line in feed {
        published.lines += 1;
        if !present.has(&line) {
            block.push(line);
        }
        if block.len() == pace.block() {
            published.send(&mut block, &mut *sink)?;
            pace.wait(published.sent);
            bar.set_position(published.lines);
        }
    }
    published.send(&mut block, &mut *sink)?;
    bar.finish_and_clear();
    Ok(published)
}

impl Published {
    fn send(&mut self, block: &mut Vec<Feedline>, sink: &mut dyn EventSink) -> anyhow::Result<()> {
        self.sent += block.len() as u64;
        self.bytes += append(block, sink)?;
        Ok(())
    }
}

/// How fast a feed is published.
#[derive(Clone, Copy)]
struct Pace {
    began: Instant,
    per_second: Option<u32>,
}

impl Pace {
    fn of(per_second: Option<u32>) -> Self {
        Self { began: Instant::now(), per_second }
    }

    /// Lines made durable together; a slow feed comes in four blocks a second.
    fn block(self) -> usize {
        self.per_second.map_or(BLOCK, |rate| (rate as usize / 4).clamp(1, BLOCK))
    }

    /// Waits until so many lines may have been sent.
    fn wait(self, sent: u64) {
        let due = self.per_second.map(|rate| Duration::from_secs_f64(sent as f64 / f64::from(rate)));
        let early = due.and_then(|due| due.checked_sub(self.began.elapsed()));
        std::thread::sleep(early.unwrap_or_default());
    }
}

/// What the log holds of the feed.
enum Present {
    /// The first so many lines of each stream: an append of the embedded log is in it whole or not at all.
    First(BTreeMap<String, i64>),
    /// These lines, so often. Kafka may have taken any of the lines of a broken append, so a count tells nothing.
    Lines(HashMap<[u8; 16], i64>),
}

impl Present {
    /// Reads all that the log holds.
    fn read(source: &mut dyn EventSource) -> anyhow::Result<Self> {
        lines_in_log(source)?;
        let mut unread = BTreeMap::new();
        for partition in source.partitions().map_err(log_failure)? {
            let high = source.watermarks(&partition).map_err(log_failure)?.high;
            if high > 0 {
                source.read_from(&partition, 0).map_err(log_failure)?;
                unread.insert(partition, high);
            }
        }
        let mut lines = HashMap::new();
        while !unread.is_empty() {
            let Some(fetched) = source.poll(4 << 20, LOOK).map_err(log_failure)? else { continue };
            for record in fetched.records.iter() {
                *lines.entry(line_hash(&fetched.partition.stream, record.key, record.value)).or_insert(0) += 1;
            }
            if unread.get(&fetched.partition).is_some_and(|high| fetched.records.next_offset() >= *high) {
                unread.remove(&fetched.partition);
                source.stop(&fetched.partition).map_err(log_failure)?;
            }
        }
        Ok(Self::Lines(lines))
    }

    /// Whether the log holds this line, which is the next of its stream.
    fn has(&mut self, line: &Feedline) -> bool {
        match self {
            Self::First(streams) => take_one(streams.get_mut(line.topic)),
            Self::Lines(lines) => {
                take_one(lines.get_mut(&line_hash(line.topic, line.key.as_deref(), Some(&line.value))))
            }
        }
    }
}

/// Takes one of what is left; whether there was one.
fn take_one(left: Option<&mut i64>) -> bool {
    left.filter(|left| **left > 0).map(|left| *left -= 1).is_some()
}

/// Names a line: stream, key and value, each with its length.
fn line_hash(stream: &str, key: Option<&[u8]>, value: Option<&[u8]>) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    for part in [stream.as_bytes(), key.unwrap_or_default(), value.unwrap_or_default()] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    hasher.finalize().as_bytes()[..16].try_into().expect("16 of 32 bytes")
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

/// Appends lines, those of each stream in their order; tells their bytes.
fn append(block: &mut Vec<Feedline>, sink: &mut dyn EventSink) -> anyhow::Result<u64> {
    let mut streams: BTreeMap<&str, Vec<(&Feedline, Vec<_>)>> = BTreeMap::new();
    for line in block.iter() {
        streams.entry(line.topic).or_default().push((line, line.header_slices()));
    }
    let streams = streams.iter().map(|(stream, lines)| {
        let outgoing = lines.iter().map(|(line, headers)| Outgoing {
            key: line.key.as_deref(),
            headers,
            value: Some(&line.value),
            timestamp_ms: line.log_timestamp_ms,
        });
        (*stream, outgoing.collect())
    });
    let streams: Vec<(&str, Vec<Outgoing<'_>>)> = streams.collect();
    let parts: Vec<(&str, &[Outgoing<'_>])> = streams.iter().map(|(stream, lines)| (*stream, &lines[..])).collect();
    sink.append_each(&parts).map_err(log_failure)?;
    let bytes = parts.iter().flat_map(|(_, lines)| *lines).map(Outgoing::bytes).sum::<usize>();
    block.clear();
    Ok(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use eventlog::simulated::{ManualClock, SimulatedLog};

    fn block(lines: usize) -> Vec<Feedline> {
        Feed::new(World::new(7, sample::Size::Small)).take(lines).collect()
    }

    /// Kafka takes the messages of an append by partition, so a broken one leaves any of them.
    #[test]
    fn a_feed_that_was_broken_off_within_a_block_is_resumed_with_the_lines_that_are_missing() {
        let log = SimulatedLog::new("log", 3, ManualClock::at(1_709_967_600_000));
        let half = block(300).into_iter().enumerate().filter(|(n, _)| n % 3 != 1);
        append(&mut half.map(|(_, line)| line).collect(), &mut log.sink()).unwrap();
        let mut present = Present::read(&mut log.source()).unwrap();
        let mut missing: Vec<_> = block(300).into_iter().filter(|line| !present.has(line)).collect();
        assert_eq!(missing.len(), 100);
        append(&mut missing, &mut log.sink()).unwrap();
        let mut whole = Present::read(&mut log.source()).unwrap();
        assert!(block(300).iter().all(|line| whole.has(line)), "nothing is lost");
        assert!(!block(300).iter().any(|line| whole.has(line)), "and nothing is there twice");
    }
}
