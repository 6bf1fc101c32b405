//! `live`: how soon an event that is published can be read from the lake.
//!
//! Events are due at an even rate, and the time of each runs from when it was due, so a producer that falls behind makes
//! the figure worse and not better. It ends when a reader of `events`, which looks for a new version every 20 ms, sees the
//! offset of the event below the table's next offset. Percentiles are over all events; nothing is warmed up or left out.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use eventlog::kafka::{KafkaConfig, KafkaSink};
use eventlog::{EventSink, Outgoing};
use lake::{Events, Store};
use sample::{Feed, Feedline, Size, World};
use serde_json::json;

use crate::{Measured, SEED};

/// How often the producers send what is due, and the reader looks.
const TICK: Duration = Duration::from_millis(20);
/// Goals, seconds (issue 4): median and 99 in 100.
const GOALS: (f64, f64) = (0.8, 2.0);
/// What is not visible so long after the last event was due is taken for lost.
const GIVE_UP: Duration = Duration::from_mins(1);

/// What is published and not seen yet: by topic and partition, offset and when it was due, in order.
type Unseen = Mutex<BTreeMap<(String, i32), VecDeque<(i64, Instant)>>>;

/// Measures.
pub async fn measure(brokers: &str, data: &Path, rate: u32, seconds: u32) -> Result<Measured> {
    let total = rate as usize * seconds as usize;
    let lines: Vec<Feedline> = Feed::new(World::new(SEED, Size::Large)).take(total).collect();
    let mut topics: BTreeMap<&str, Vec<(Duration, &Feedline)>> = BTreeMap::new();
    for (number, line) in lines.iter().enumerate() {
        topics.entry(line.topic).or_default().push((Duration::from_secs_f64(number as f64 / f64::from(rate)), line));
    }
    let unseen = Unseen::default();
    // Topics are made before the clock runs: an agency's topic is there before its events.
    let mut sinks: Vec<(&str, KafkaSink)> = Vec::new();
    for (topic, lines) in &mut topics {
        let mut sink = KafkaSink::new(KafkaConfig::new(brokers))?;
        send(topic, &lines.drain(..1).collect::<Vec<_>>(), &mut sink, Instant::now(), &unseen)?;
        sinks.push((topic, sink));
    }
    let mut events = open(data).await?;
    watch(&mut events, &unseen, topics.len(), Instant::now()).await?;

    let began = Instant::now();
    let mut seen = Vec::with_capacity(total);
    let published = std::thread::scope(|scope| -> Result<Duration> {
        let producers: Vec<_> = sinks
            .iter_mut()
            .map(|(topic, sink)| {
                let (lines, unseen) = (&topics[topic], &unseen);
                scope.spawn(move || produce(topic, lines, sink, began, unseen))
            })
            .collect();
        let left = total - topics.len();
        let due = began + Duration::from_secs(u64::from(seconds));
        seen = tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(watch(&mut events, &unseen, left, due))
        })?;
        let ended = producers.into_iter().map(|one| one.join().map_err(|_| anyhow::anyhow!("a producer failed"))?);
        ended.collect::<Result<Vec<Duration>>>()?.into_iter().max().context("there are topics")
    })?;
    seen.sort_by(f64::total_cmp);
    let (p50, p99) = (at(&seen, 0.5), at(&seen, 0.99));
    Ok(Measured {
        value: json!(format!("{p50:.2} and {p99:.2}")),
        met: p50 <= GOALS.0 && p99 <= GOALS.1,
        details: json!({
            "events_per_second": rate, "seconds": seconds, "events": total, "topics": topics.len(),
            "visible_after_seconds": {"p50": p50, "p90": at(&seen, 0.9), "p99": p99, "p999": at(&seen, 0.999), "most": at(&seen, 1.0)},
            "producers_ended_after_seconds": published.as_secs_f64(),
            "lake_versions": events.lake_version(),
        }),
    })
}

/// The lake, as soon as the worker has made it.
async fn open(data: &Path) -> Result<Events> {
    let (store, began) = (Store::local(data)?, Instant::now());
    loop {
        match Events::open(&store, "reader").await {
            Ok(events) => return Ok(events),
            Err(error) => ensure!(began.elapsed() < GIVE_UP, "the worker has made no lake: {error}"),
        }
        tokio::time::sleep(TICK).await;
    }
}

/// Sends what is due every tick; says how long it took in all.
fn produce(
    topic: &str,
    lines: &[(Duration, &Feedline)],
    sink: &mut KafkaSink,
    began: Instant,
    unseen: &Unseen,
) -> Result<Duration> {
    let mut rest = lines;
    while !rest.is_empty() {
        let now = began.elapsed();
        let due = rest.partition_point(|(due, _)| *due <= now);
        if due == 0 {
            std::thread::sleep(TICK);
            continue;
        }
        send(topic, &rest[..due], sink, began, unseen)?;
        rest = &rest[due..];
    }
    Ok(began.elapsed())
}

fn send(
    topic: &str,
    lines: &[(Duration, &Feedline)],
    sink: &mut KafkaSink,
    began: Instant,
    unseen: &Unseen,
) -> Result<()> {
    let headers: Vec<_> = lines.iter().map(|(_, line)| line.header_slices()).collect();
    let outgoing = lines.iter().zip(&headers).map(|((_, line), headers)| Outgoing {
        key: line.key.as_deref(),
        headers,
        value: Some(&line.value),
        timestamp_ms: line.log_timestamp_ms,
    });
    let positions = sink.append(topic, &outgoing.collect::<Vec<_>>())?;
    let mut unseen = unseen.lock().unwrap_or_else(PoisonError::into_inner);
    for (position, (due, _)) in positions.iter().zip(lines) {
        let of_partition = unseen.entry((topic.to_owned(), position.partition)).or_default();
        of_partition.push_back((position.offset, began + *due));
    }
    Ok(())
}

/// Looks until `count` events are visible; seconds of each.
async fn watch(events: &mut Events, unseen: &Unseen, count: usize, last_due: Instant) -> Result<Vec<f64>> {
    let mut seen = Vec::with_capacity(count);
    while seen.len() < count {
        events.refresh().await?;
        let now = Instant::now();
        for (partition, next) in events.snapshot()?.cut {
            let stream = partition.log_stream.rsplit_once('/').map_or("", |(_, stream)| stream);
            let key = (stream.to_owned(), partition.partition);
            let mut unseen = unseen.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(waiting) = unseen.get_mut(&key) else { continue };
            while let Some((_, due)) = waiting.pop_front_if(|(offset, _)| *offset < next) {
                seen.push(now.saturating_duration_since(due).as_secs_f64());
            }
        }
        let late = now.saturating_duration_since(last_due);
        ensure!(
            late < GIVE_UP,
            "{} of {count} event(s) are not visible {} s after the last was due",
            count - seen.len(),
            late.as_secs()
        );
        tokio::time::sleep(TICK).await;
    }
    Ok(seen)
}

/// The value that a share of all do not exceed.
fn at(sorted: &[f64], share: f64) -> f64 {
    let at = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len());
    (sorted[at - 1] * 1e3).round() / 1e3
}
