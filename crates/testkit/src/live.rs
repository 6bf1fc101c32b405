//! `live`: how soon an event that is published can be read from the lake.
//!
//! Events are due at an even rate, and the time of each runs from when it was due, so a producer that falls behind makes
//! the figure worse and not better. It ends when a reader of `events`, which looks for a new version every 20 ms, sees the
//! offset of the event below the table's next offset. Percentiles are over all events; nothing is warmed up or left out.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
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

/// An event and when it is due, after the beginning.
type Due = (Duration, Feedline);

/// Measures.
pub async fn measure(brokers: &str, data: &Path, rate: u32, seconds: u32) -> Result<Measured> {
    let total = rate as usize * seconds as usize;
    let lines = Feed::new(World::new(SEED, Size::Large)).take(total).enumerate();
    let lines: Vec<Due> =
        lines.map(|(number, line)| (Duration::from_secs_f64(number as f64 / f64::from(rate)), line)).collect();
    let unseen = Unseen::default();
    // Topics are made before the clock runs: an agency's topic is there before its events.
    let mut sink = KafkaSink::new(KafkaConfig::new(brokers))?;
    let mut firsts: BTreeMap<&str, &Due> = BTreeMap::new();
    for due in &lines {
        firsts.entry(due.1.topic).or_insert(due);
    }
    send(firsts.values().copied(), &mut sink, Instant::now(), &unseen)?;
    let mut events = open(data).await?;
    watch(&mut events, &unseen, firsts.len(), Instant::now()).await?;

    let rest: Vec<&Due> = lines.iter().filter(|due| !std::ptr::eq(firsts[due.1.topic], *due)).collect();
    let began = Instant::now();
    let mut seen = Vec::with_capacity(total);
    let published = std::thread::scope(|scope| -> Result<Duration> {
        let producer = scope.spawn(|| produce(&rest, &mut sink, began, &unseen));
        let due = began + Duration::from_secs(u64::from(seconds));
        seen = tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(watch(&mut events, &unseen, rest.len(), due))
        })?;
        producer.join().map_err(|_| anyhow::anyhow!("the producer failed"))?
    })?;
    seen.sort_by(f64::total_cmp);
    let (p50, p99) = (at(&seen, 0.5), at(&seen, 0.99));
    Ok(Measured {
        value: json!(format!("{p50:.2} and {p99:.2}")),
        met: p50 <= GOALS.0 && p99 <= GOALS.1,
        details: json!({
            "events_per_second": rate, "seconds": seconds, "events": total, "topics": firsts.len(),
            "visible_after_seconds": {"p50": p50, "p90": at(&seen, 0.9), "p99": p99, "p999": at(&seen, 0.999), "most": at(&seen, 1.0)},
            "producer_ended_after_seconds": published.as_secs_f64(),
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
fn produce(due: &[&Due], sink: &mut KafkaSink, began: Instant, unseen: &Unseen) -> Result<Duration> {
    let mut rest = due;
    while !rest.is_empty() {
        let now = began.elapsed();
        let (overdue, later) = rest.split_at(rest.partition_point(|(due, _)| *due <= now));
        if overdue.is_empty() {
            std::thread::sleep(TICK);
            continue;
        }
        send(overdue.iter().copied(), sink, began, unseen)?;
        rest = later;
    }
    Ok(began.elapsed())
}

/// Publishes all at once, whatever their topics, and notes where they landed.
fn send<'a>(due: impl Iterator<Item = &'a Due>, sink: &mut KafkaSink, began: Instant, unseen: &Unseen) -> Result<()> {
    let mut topics: BTreeMap<&str, Vec<(&Due, Vec<_>)>> = BTreeMap::new();
    for due in due {
        topics.entry(due.1.topic).or_default().push((due, due.1.header_slices()));
    }
    let parts: Vec<(&str, Vec<Outgoing<'_>>)> = topics
        .iter()
        .map(|(topic, lines)| {
            let outgoing = lines.iter().map(|((_, line), headers)| Outgoing {
                key: line.key.as_deref(),
                headers,
                value: Some(&line.value),
                timestamp_ms: line.log_timestamp_ms,
            });
            (*topic, outgoing.collect())
        })
        .collect();
    let parts: Vec<(&str, &[Outgoing<'_>])> = parts.iter().map(|(topic, lines)| (*topic, &lines[..])).collect();
    let landed = sink.append_each(&parts)?;
    let mut unseen = unseen.lock().unwrap_or_else(PoisonError::into_inner);
    for ((topic, lines), positions) in topics.iter().zip(landed) {
        for (((due, _), _), position) in lines.iter().zip(positions) {
            let of_partition = unseen.entry(((*topic).to_owned(), position.partition)).or_default();
            of_partition.push_back((position.offset, began + *due));
        }
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
