//! `amanat status`: lag and halts per partition, what was set aside and why, editions. Reads beside a running `up`.
//!
//! Halts that positions tell are worked out here, by the rules by which a worker halts. What only a worker sees (a message that
//! cannot be accepted, another worker's claim) it has written down ([`crate::standing`]); that holds while the partition has
//! not moved.

use std::collections::BTreeMap;

use eventlog::Watermarks;
use ingest::Halt;
use lake::{Events, EventsSnapshot, LakeError, PartitionId};
use serde_json::{Value, json};

use crate::cli::StatusArgs;
use crate::config::Config;
use crate::data_dir::{DataDir, log_failure, unusable};
use crate::exit;
use crate::standing::{self, Standing};

/// Prints the status.
pub fn run(config: Config, args: StatusArgs) -> anyhow::Result<()> {
    let dir = DataDir::open(&config)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let status = runtime.block_on(gather(&config, &dir))?;
    exit::print(&if args.json { format!("{status}\n") } else { table(&status) })
}

async fn gather(config: &Config, dir: &DataDir) -> anyhow::Result<Value> {
    let (mut partitions, log_away) = match log_ends(config, dir) {
        Ok(ends) => (ends, None),
        // The rest is still shown.
        Err(error) => (BTreeMap::new(), Some(error.to_string())),
    };
    let mut counts = json!({});
    let mut lake_version = Value::Null;
    if let Some(snapshot) = snapshot(dir).await? {
        lake_version = json!(snapshot.lake_version);
        for (partition, next) in &snapshot.cut {
            partitions.entry(partition.clone()).or_default().next = Some(*next);
        }
        for ((_, status, reason), rows) in ingest::reconcile(&snapshot).await?.rows() {
            let name = if reason.is_empty() { status } else { format!("{status}: {reason}") };
            counts[name] = json!(rows);
        }
    }
    let maintained = lake::maintain::Status::read(&dir.store).await?;
    let editions = lake::Published::open(&dir.store).numbers().await?;
    let seen = standing::read(&dir.path);
    let rows: Vec<Value> =
        partitions.iter().map(|(id, ends)| row(id, *ends, why(id, *ends, &partitions, &seen))).collect();
    let halted = rows.iter().filter(|row| row["halt"].is_string()).count();
    Ok(json!({
        "store": if dir.is_sample() { "sample (synthetic)" } else { "real" }, "lake_version": lake_version,
        "log_away": log_away, "maintenance": maintained, "partitions": rows, "halted": halted, "counts": counts, "editions": editions
    }))
}

/// What the lake holds now; None before anything was ingested.
async fn snapshot(dir: &DataDir) -> anyhow::Result<Option<EventsSnapshot>> {
    match Events::open(&dir.store, "status").await {
        Err(LakeError::NoTable(_)) => Ok(None),
        Err(error) => Err(unusable(&dir.path, &error).into()),
        Ok(events) => Ok(Some(events.snapshot()?)),
    }
}

/// How far a partition goes in the log, and how far the lake has read it.
#[derive(Debug, Clone, Copy, Default)]
struct Ends {
    log: Option<Watermarks>,
    next: Option<i64>,
}

impl Ends {
    /// Messages in the log that are not yet in the lake; never below zero, for a log that ends early has a halt instead.
    fn lag(self) -> Option<i64> {
        self.log.map(|marks| (marks.high - self.next.unwrap_or(marks.low)).max(0))
    }
}

/// One partition. `halt` until an operator acts, `waiting` until an Avro schema is there, each in words; `reason` as one.
fn row(id: &PartitionId, ends: Ends, why: Option<(String, String)>) -> Value {
    let (reason, why) = why.unzip();
    let waits = reason.as_deref() == Some(Standing::WAITING);
    let (waiting, halt) = if waits { (why, None) } else { (None, why) };
    json!({
        "log_stream": id.log_stream, "partition": id.partition, "in_log": ends.log.map(|marks| marks.high),
        "in_lake": ends.next, "lag": ends.lag(), "reason": reason, "halt": halt, "waiting": waiting
    })
}

/// Why the partition stands still, as one word and in words.
fn why(id: &PartitionId, ends: Ends, all: &BTreeMap<PartitionId, Ends>, seen: &[Standing]) -> Option<(String, String)> {
    if let Some(halt) = halt(id, ends, all) {
        return Some((halt.reason().to_owned(), halt.to_string()));
    }
    let here = seen.iter().find(|one| one.partition == *id && one.next == ends.next)?;
    Some((here.reason.clone(), here.why.clone()))
}

/// Why a worker would not read on here, as far as positions tell: by the same rules by which it halts.
fn halt(id: &PartitionId, ends: Ends, all: &BTreeMap<PartitionId, Ends>) -> Option<Halt> {
    let marks = ends.log?;
    let Some(wanted) = ends.next else {
        return is_of_another_log(id, all).then_some(Halt::OtherLog);
    };
    if wanted < marks.low {
        return Some(Halt::Deleted { wanted, low: marks.low });
    }
    (wanted > marks.high).then_some(Halt::Truncated { wanted, high: marks.high })
}

/// Whether the lake has rows of this stream, and all of them from other logs. A file is a log of its own.
fn is_of_another_log(id: &PartitionId, all: &BTreeMap<PartitionId, Ends>) -> bool {
    let Some((uid, stream)) = id.log_stream.rsplit_once('/') else { return false };
    let mut known = all
        .iter()
        .filter(|(_, ends)| ends.next.is_some())
        .filter_map(|(other, _)| other.log_stream.rsplit_once('/'))
        .filter(|(of, same)| *same == stream && !of.starts_with("file-"))
        .peekable();
    known.peek().is_some() && known.all(|(of, _)| of != uid)
}

/// Ends of the log's partitions.
fn log_ends(config: &Config, dir: &DataDir) -> anyhow::Result<BTreeMap<PartitionId, Ends>> {
    let mut source = dir.source(config)?;
    let uid = source.source_uid().to_owned();
    let mut all = BTreeMap::new();
    for partition in source.partitions().map_err(log_failure)? {
        let log = match source.watermarks(&partition) {
            // One partition's trouble: the others are still shown.
            Err(error) if error.partition().is_some() => None,
            marks => Some(marks.map_err(log_failure)?),
        };
        all.insert(PartitionId::new(&uid, &partition.stream, partition.number), Ends { log, next: None });
    }
    Ok(all)
}

fn table(status: &Value) -> String {
    let number = |value: &Value| value.as_i64().map_or_else(|| "–".into(), |number| number.to_string());
    let mut text = format!(
        "store: {}   lake version: {}\n\n{:<60} {:>9} {:>9} {:>6}\n",
        status["store"].as_str().unwrap_or(""),
        number(&status["lake_version"]),
        "partition",
        "in log",
        "in lake",
        "lag"
    );
    for row in status["partitions"].as_array().into_iter().flatten() {
        let name = format!("{}/{}", row["log_stream"].as_str().unwrap_or(""), row["partition"]);
        text.push_str(&format!(
            "{name:<60} {:>9} {:>9} {:>6}\n",
            number(&row["in_log"]),
            number(&row["in_lake"]),
            number(&row["lag"])
        ));
    }
    for row in status["partitions"].as_array().into_iter().flatten() {
        let stands = [("HALTED", &row["halt"]), ("WAITS", &row["waiting"])];
        for (how, why) in stands.iter().filter_map(|(how, why)| Some((how, why.as_str()?))) {
            text.push_str(&format!("{how} {}/{}: {why}\n", row["log_stream"].as_str().unwrap_or(""), row["partition"]));
        }
    }
    if let Some(why) = status["log_away"].as_str() {
        text.push_str(&format!("the event log does not answer, so lag and halts are not known: {why}\n"));
    }
    text.push_str("\nevents by outcome\n");
    for (name, count) in flat("", &status["counts"]) {
        text.push_str(&format!("  {name:<40} {count:>9}\n"));
    }
    text.push_str(&maintenance(&status["maintenance"]));
    match status["editions"].as_array().and_then(|all| all.last()) {
        Some(latest) => text.push_str(&format!("\nlatest edition: {latest}\n")),
        None => text.push_str("\nno edition yet: `amanat edition publish --as-of DATE` makes the first\n"),
    }
    text
}

/// What the last round of maintenance left.
fn maintenance(status: &Value) -> String {
    let Some(last) = status["last_run_ms"].as_i64().and_then(chrono::DateTime::from_timestamp_millis) else {
        return "\nmaintenance: never; `amanat up` does it, or `amanat maintain`\n".to_owned();
    };
    format!(
        "\nmaintenance: {} by {}\n  {} file(s) of {} bytes, {} waiting for compaction, {} version(s) since the last checkpoint\n",
        last.format("%Y-%m-%d %H:%M:%S UTC"),
        status["holder"].as_str().unwrap_or(""),
        status["files"],
        status["bytes"],
        status["files_waiting"],
        status["versions_since_checkpoint"],
    )
}

/// Leaves of nested counts, as dotted names.
fn flat(prefix: &str, value: &Value) -> Vec<(String, i64)> {
    match value {
        Value::Object(object) => object
            .iter()
            .flat_map(|(key, value)| {
                flat(&if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") }, value)
            })
            .collect(),
        _ => value.as_i64().filter(|count| *count > 0).map(|count| (prefix.to_owned(), count)).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Log, its low and high, next offset of the lake.
    type Known<'a> = (&'a str, Option<(i64, i64)>, Option<i64>);

    fn all(known: &[Known<'_>]) -> BTreeMap<PartitionId, Ends> {
        let ends = |log: Option<(i64, i64)>, next| Ends { log: log.map(|(low, high)| Watermarks { low, high }), next };
        known.iter().map(|(name, log, next)| (PartitionId::new(name, "s", 0), ends(*log, *next))).collect()
    }

    fn why(known: &[Known<'_>]) -> Option<Halt> {
        let all = all(known);
        let (id, ends) = all.iter().find(|(_, ends)| ends.log.is_some()).expect("one is in the log");
        halt(id, *ends, &all)
    }

    #[test]
    fn a_log_that_ends_or_begins_elsewhere_than_the_lake_has_read_is_a_halt() {
        assert_eq!(why(&[("a", Some((0, 5)), Some(5))]), None);
        assert_eq!(why(&[("a", Some((0, 5)), None)]), None);
        assert_eq!(why(&[("a", Some((0, 5)), Some(7))]), Some(Halt::Truncated { wanted: 7, high: 5 }));
        assert_eq!(why(&[("a", Some((4, 5)), Some(2))]), Some(Halt::Deleted { wanted: 2, low: 4 }));
    }

    #[test]
    fn what_a_worker_has_seen_holds_while_the_partition_has_not_moved() {
        let all = all(&[("a", Some((0, 9)), Some(5))]);
        let (id, ends) = all.first_key_value().expect("there is one");
        let seen = |next| Standing { partition: id.clone(), next, reason: "rejected".into(), why: "because".into() };
        let reason = |seen: &[Standing]| super::why(id, *ends, &all, seen).map(|(reason, _)| reason);
        assert_eq!(reason(&[seen(Some(5))]).as_deref(), Some("rejected"));
        assert_eq!(reason(&[seen(Some(4)), seen(None)]), None);
    }

    #[test]
    fn a_stream_known_from_another_log_alone_is_a_halt_and_a_file_is_no_other_log() {
        assert_eq!(why(&[("a", None, Some(7)), ("b", Some((0, 5)), None)]), Some(Halt::OtherLog));
        assert_eq!(why(&[("file-1", None, Some(7)), ("b", Some((0, 5)), None)]), None);
        assert_eq!(why(&[("a", None, Some(7)), ("b", Some((0, 5)), Some(5))]), None);
    }
}
