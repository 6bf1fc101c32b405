//! `amanat status`: lag per partition, what was set aside and why, editions. Reads beside a running `up`.

use std::collections::BTreeMap;

use lake::{Events, PartitionId};
use serde_json::{Value, json};

use crate::cli::StatusArgs;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::exit;

/// Prints the status.
pub fn run(config: Config, args: StatusArgs) -> anyhow::Result<()> {
    let dir = DataDir::open(&config)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let status = runtime.block_on(gather(&config, &dir))?;
    exit::print(&if args.json { format!("{status}\n") } else { table(&status) })
}

async fn gather(config: &Config, dir: &DataDir) -> anyhow::Result<Value> {
    let mut partitions = log_ends(config, dir);
    let mut counts = json!({});
    let mut lake_version = Value::Null;
    if let Ok(events) = Events::open(&dir.store, "status").await {
        let snapshot = events.snapshot()?;
        lake_version = json!(snapshot.lake_version);
        for (partition, next) in &snapshot.cut {
            partitions.entry(partition.clone()).or_insert((None, None)).1 = Some(*next);
        }
        for ((_, status, reason), rows) in ingest::reconcile(&snapshot).await?.rows() {
            let name = if reason.is_empty() { status } else { format!("{status}: {reason}") };
            counts[name] = json!(rows);
        }
    }
    let editions = lake::Published::open(&dir.store).numbers().await?;
    let partitions: Vec<Value> = partitions
        .into_iter()
        .map(|(id, (high, next))| {
            let lag = high.map(|high| high - next.unwrap_or(0));
            json!({"log_stream": id.log_stream, "partition": id.partition, "in_log": high, "in_lake": next, "lag": lag})
        })
        .collect();
    Ok(
        json!({"store": if dir.is_sample() { "sample (synthetic)" } else { "real" }, "lake_version": lake_version, "partitions": partitions, "counts": counts, "editions": editions}),
    )
}

type Ends = BTreeMap<PartitionId, (Option<i64>, Option<i64>)>;

/// Ends of the log's partitions; empty where the log does not answer, so that the rest is still shown.
fn log_ends(config: &Config, dir: &DataDir) -> Ends {
    let Ok(mut source) = dir.source(config) else { return Ends::new() };
    let uid = source.source_uid().to_owned();
    let partitions = source.partitions().unwrap_or_default();
    partitions
        .into_iter()
        .filter_map(|partition| {
            let high = source.watermarks(&partition).ok()?.high;
            Some((PartitionId::new(&uid, &partition.stream, partition.number), (Some(high), None)))
        })
        .collect()
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
    text.push_str("\nevents by outcome\n");
    for (name, count) in flat("", &status["counts"]) {
        text.push_str(&format!("  {name:<40} {count:>9}\n"));
    }
    match status["editions"].as_array().and_then(|all| all.last()) {
        Some(latest) => text.push_str(&format!("\nlatest edition: {latest}\n")),
        None => text.push_str("\nno edition yet: `amanat edition publish --as-of DATE` makes the first\n"),
    }
    text
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
