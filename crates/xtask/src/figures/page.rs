//! Keeps measurements (`docs/figures.json`) and writes the page that people read (`docs/figures.md`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::Row;

/// The files that are written here.
const WRITTEN: [&str; 2] = ["docs/figures.json", "docs/figures.md"];

/// Puts a measurement in the place of an older one of the same name and rewrites the page.
pub fn keep(root: &Path, row: &Row) -> Result<()> {
    let [json, written] = WRITTEN.map(|name| root.join(name));
    let mut kept: BTreeMap<String, Row> = match std::fs::read_to_string(&json) {
        Ok(text) => serde_json::from_str::<Vec<Row>>(&text)?.into_iter().map(|row| (row.name.clone(), row)).collect(),
        Err(_) => BTreeMap::new(),
    };
    kept.insert(row.name.clone(), row.clone());
    let all: Vec<&Row> = kept.values().collect();
    std::fs::write(&json, serde_json::to_string_pretty(&all)? + "\n")?;
    std::fs::write(written, page(&all)?)?;
    Ok(())
}

fn page(rows: &[&Row]) -> Result<String> {
    let mut page = String::from(
        "# Figures\n\nMeasured by `cargo xtask figures [NAME…]`, which rewrites this page; each row again by its name. A figure that nobody can run again is not claimed.\n\n| figure | what it shows | value | goal | met | takes | measured |\n|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let met = if row.met { "yes" } else { "**no**" };
        writeln!(
            page,
            "| `{}` | {} | {} {} | {} | {met} | {} s | {}, {} |",
            row.name, row.shows, row.value, row.unit, row.goal, row.details["took_seconds"], row.date, row.commit
        )?;
    }
    page.push_str("\n## What was seen\n");
    for row in rows {
        writeln!(
            page,
            "\n### {}\n\n{}\n\n```json\n{}\n```",
            row.name,
            row.machine,
            serde_json::to_string_pretty(&row.details)?
        )?;
    }
    Ok(page)
}

/// Today, UTC.
pub fn today() -> String {
    output("date", &["-u", "+%Y-%m-%d"])
}

/// Short hash of the commit, with `+` when the tree has changes.
pub fn commit(root: &Path) -> String {
    let root = root.to_string_lossy();
    // What was measured before this one changes nothing of what is measured.
    let [json, written] = WRITTEN.map(|name| format!(":!{name}"));
    let changed = output("git", &["-C", &root, "status", "--porcelain", "--", ".", &json, &written]);
    let dirty = if changed.is_empty() { "" } else { "+" };
    output("git", &["-C", &root, "rev-parse", "--short", "HEAD"]) + dirty
}

/// Processor, cores, memory and compiler.
pub fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |rest| rest.trim_start_matches(['\t', ' ', ':']));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib: u64 = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0);
    format!(
        "{model}, {cores} cores, {} GiB; {}; Apache Kafka {}; DuckDB {}",
        kib >> 20,
        output("rustc", &["--version"]),
        crate::kafka::VERSION,
        super::road::DUCKDB
    )
}

fn output(program: &str, arguments: &[&str]) -> String {
    Command::new(program)
        .args(arguments)
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}
