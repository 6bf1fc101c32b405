//! Others on the same events: DuckDB as a bound from below, Spark Structured Streaming with Delta Lake as the peer that keeps
//! exactly-once by the same means. Both are fetched once into the cache folder.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};

use super::Line;
use super::own::{Feed, count};
use crate::figures::amanat::{Ran, run};
use crate::figures::{Bench, python_with, text};
use crate::kafka::Broker;

/// DuckDB's Python package.
pub const DUCKDB: &str = "2.0.1";
/// Spark and Delta Lake, as in `tests/peers/spark/pom.xml`.
pub const SPARK: &str = "Spark 4.0.0 with delta-spark 4.0.0";

/// What Spark needs of a Java 17 to start at all (its own launcher's list).
const OPEN: [&str; 11] = [
    "java.base/java.lang",
    "java.base/java.lang.invoke",
    "java.base/java.lang.reflect",
    "java.base/java.io",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/sun.nio.ch",
    "java.base/sun.security.action",
];

/// DuckDB from NDJSON to Parquet.
pub fn duckdb(bench: &Bench, program: &Path) -> Result<Line> {
    let python = python_with("duckdb", DUCKDB)?;
    let (source, target) = (bench.scratch.join("feed.ndjson"), bench.scratch.join("duckdb.parquet"));
    run(program, &["sample", "--size", "medium", "--to", &text(&source)])?;
    let script = bench.root.join("tests/peers/duckdb/peer.py");
    let ran = run(&python, &[&text(&script), &text(&source), &text(&target)])?;
    let bytes = std::fs::metadata(&source)?.len() as f64;
    let rows: f64 = ran.out.trim().parse()?;
    Ok(line("DuckDB, no exactly-once", "NDJSON file", rows, bytes, &ran, (1, 0)))
}

/// Spark from Kafka to a Delta table: records copied as they are, and with the envelope as columns; each as a whole run and
/// once it is warm.
pub fn spark(bench: &Bench, published: &Feed, broker: &Broker) -> Result<Vec<Line>> {
    let folder = bench.root.join("tests/peers/spark");
    let jars = jars(&folder)?;
    let classes = bench.scratch.join("spark-classes");
    let class_path = format!("{}:{}/*", text(&classes), text(&jars));
    run(Path::new("javac"), &["-nowarn", "-cp", &class_path, "-d", &text(&classes), &text(&folder.join("Peer.java"))])?;
    let mut lines = Vec::new();
    for does in ["copy", "envelope"] {
        let table = bench.scratch.join(format!("spark-{does}"));
        let opened: Vec<String> = OPEN.iter().map(|package| format!("--add-opens={package}=ALL-UNNAMED")).collect();
        let mut arguments: Vec<&str> = opened.iter().map(String::as_str).collect();
        let (target, brokers) = (text(&table), broker.bootstrap());
        arguments.extend(["-Xmx4g", "-cp", &class_path, "Peer", &brokers, &target, does]);
        let ran = run(Path::new("java"), &arguments)?;
        let last = ran.out.lines().last().unwrap_or_default();
        let said: Vec<f64> = last.split(' ').filter_map(|number| number.parse().ok()).collect();
        let [rows, warm_rows, warm_cpu] = said[..] else { bail!("Spark said `{last}`") };
        ensure!((rows - published.events).abs() < 0.5, "Spark read {rows} of {} events", published.events);
        let left = (count(&table.join("table"), "parquet")?, count(&table.join("table/_delta_log"), "json")?);
        let whole = line(&format!("Spark, {does}"), "Kafka, JSON", rows, published.bytes, &ran, left);
        let warm = Line {
            who: format!("Spark, {does}, warm"),
            cpu_seconds_per_million: warm_cpu / warm_rows * 1e6,
            events: warm_rows,
            ..whole.clone()
        };
        lines.extend([whole, warm]);
    }
    Ok(lines)
}

/// The jars of Spark and Delta Lake, fetched once.
fn jars(folder: &Path) -> Result<PathBuf> {
    let pom = folder.join("pom.xml");
    let name = blake3::hash(&std::fs::read(&pom)?).to_hex();
    let jars = crate::cache()?.join(format!("spark-{}", &name[..12]));
    if !jars.exists() {
        let partial = jars.with_extension("partial");
        let goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
        let to = format!("-DoutputDirectory={}", text(&partial));
        run(Path::new("mvn"), &["-q", "-B", "-f", &text(&pom), goal, "-DincludeScope=runtime", &to])?;
        std::fs::rename(&partial, &jars)?;
    }
    Ok(jars)
}

fn line(who: &str, from: &str, events: f64, bytes: f64, ran: &Ran, (files, versions): (u64, u64)) -> Line {
    Line {
        who: who.into(),
        from: from.into(),
        events,
        cpu_seconds_per_million: ran.cpu_seconds / events * 1e6,
        events_per_second: events / ran.seconds,
        bytes_per_second: bytes / ran.seconds,
        peak_mib: ran.peak_mib,
        files,
        versions,
        cpu_of_each_run: Vec::new(),
    }
}
