//! The figures of the main road: from an event published to an indicator read.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::amanat::{self, Profile, Running, build, free_port, get, run};
use super::measure::measure;
use super::{Bench, Figure, Measured};

/// The date that the sample's editions speak of: the last day of its fifteen years.
const AS_OF: &str = "2025-12-31";
/// Identifiers of the thirteen first indicators (domain, 7).
pub const THIRTEEN: [&str; 13] =
    ["V01", "V02", "V03", "V04", "V11", "C01", "C03", "C04", "C05", "L01", "L02", "S01", "R01"];

/// The registry's part for the main road.
pub fn figures() -> Vec<Figure> {
    vec![
        Figure {
            name: "road.first_indicator",
            shows: "first command: the binary starts, thirteen indicators are served, each with a visible value",
            unit: "s to the first indicator",
            goal: "13 served, first one ≤ 15 s",
            minutes: 1,
            short: true,
            // Fewer than thirteen is an error of the measurement; a slow day is no wrong number.
            correctness: false,
            run: first_indicator,
        },
        Figure {
            name: "road.tests",
            shows: "second command passes",
            unit: "s, cold",
            goal: "passes, cold and warm",
            minutes: 20,
            short: false,
            correctness: true,
            run: tests,
        },
        Figure {
            name: "road.real_records",
            shows: "CTDC records imported, imported again, totals by year and form before protection",
            unit: "records",
            goal: "14,299; again 0 new; 0 differences",
            minutes: 1,
            short: true,
            correctness: true,
            run: real_records,
        },
        Figure {
            name: "road.truth",
            shows: "thirteen indicators before protection against the generator's ground truth, small and medium; and with one rule off",
            unit: "differences",
            goal: "0; each rule switched off: more than 0",
            minutes: 8,
            short: false,
            correctness: true,
            run: truth,
        },
        Figure {
            name: "road.truth_small",
            shows: "the same on the small sample",
            unit: "differences",
            goal: "0; each rule switched off: more than 0",
            minutes: 2,
            short: true,
            correctness: true,
            run: truth_small,
        },
        Figure {
            name: "road.kafka_equals_embedded",
            shows: "medium sample through Apache Kafka equals the embedded run",
            unit: "to the embedded run",
            goal: "equal; manifests differ in cut and lake version only",
            minutes: 8,
            short: false,
            correctness: true,
            run: |bench| kafka_equals_embedded(bench, "medium"),
        },
        Figure {
            name: "road.kafka_equals_embedded_small",
            shows: "the same with the small sample",
            unit: "to the embedded run",
            goal: "equal; manifests differ in cut and lake version only",
            minutes: 1,
            short: true,
            correctness: true,
            run: |bench| kafka_equals_embedded(bench, "small"),
        },
        Figure {
            name: "road.kill9",
            shows: "worker killed five times while ingesting the medium sample, embedded and Kafka, and once at each fail point",
            unit: "lost or double",
            goal: "0; equal to the undisturbed run",
            minutes: 15,
            short: false,
            correctness: true,
            run: super::kill9::measure,
        },
        Figure {
            name: "road.malformed",
            shows: "1 % malformed lines of every kind: each set aside for its own reason, counts reconcile",
            unit: "wrong",
            goal: "0",
            minutes: 1,
            short: true,
            correctness: true,
            run: |bench| measure(bench, Profile::Dev, "malformed", &[]),
        },
        Figure {
            name: "road.cost",
            shows: "ingest per million events (release), peak memory; full fold against DuckDB on the same Parquet",
            unit: "CPU-s per million (SQLite and Kafka)",
            goal: "≤ 6 CPU-s, ≤ 512 MiB, fold ≤ 1.5× DuckDB",
            minutes: 40,
            short: false,
            correctness: false,
            run: cost,
        },
        Figure {
            name: "road.determinism",
            shows: "the same million events in three arrival orders and batch sizes",
            unit: "hash for all",
            goal: "1",
            minutes: 8,
            short: false,
            correctness: true,
            run: |bench| measure(bench, Profile::Dev, "determinism", &["--size", "medium"]),
        },
        Figure {
            name: "road.hostile_sql",
            shows: "hostile statements refused or bounded, ordinary questions answered right",
            unit: "failures",
            goal: "0 of ≥ 200 and ≥ 40",
            minutes: 2,
            short: true,
            correctness: true,
            run: super::hostile::measure,
        },
        Figure {
            name: "road.disclosure",
            shows: "test vectors; a planted leak found; persons suppressed and median error in national-year cells, both samples",
            unit: "% persons suppressed (medium)",
            goal: "< 5 %; median error < 5 % for n ≥ 50",
            minutes: 4,
            short: false,
            correctness: true,
            run: disclosure,
        },
        Figure {
            name: "road.first_look",
            shows: "what the README's commands print to a new user",
            unit: "lines",
            goal: "a capture in docs/first-look.txt",
            minutes: 1,
            short: false,
            correctness: false,
            run: first_look,
        },
    ]
}

pub fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn first_indicator(bench: &Bench) -> Result<Measured> {
    let program = build(Profile::Dev, "amanat", "amanat")?;
    let port = free_port()?;
    let data = text(&bench.scratch.join("first"));
    let mut running =
        Running::start(&program, &["up", "--sample", "--data", &data, "--http", &format!("127.0.0.1:{port}")], &[])?;
    let limit = Duration::from_mins(2);
    let first = loop {
        if visible(port, THIRTEEN[0]).is_some_and(|cells| cells > 0) {
            break running.began.elapsed();
        }
        ensure!(!running.ended()?, "the program ended before it served an indicator");
        ensure!(running.began.elapsed() < limit, "no indicator within {limit:?}");
        std::thread::sleep(Duration::from_millis(20));
    };
    let cells: Vec<(&str, usize)> = THIRTEEN.iter().map(|id| (*id, visible(port, id).unwrap_or(0))).collect();
    let served = cells.iter().filter(|(_, cells)| *cells > 0).count();
    running.kill()?;
    // A wrong number, whatever the time; the time alone is a matter of the day.
    ensure!(served == THIRTEEN.len(), "{served} of {} indicators show a value: {cells:?}", THIRTEEN.len());
    Ok(Measured {
        value: format!("{:.1}", first.as_secs_f64()),
        met: first <= Duration::from_secs(15),
        details: json!({"served_with_a_visible_value": served, "visible_cells": cells}),
    })
}

/// Number of cells of an indicator that show a value; `None` while it is not served.
fn visible(port: u16, id: &str) -> Option<usize> {
    visible_of(&get(port, &format!("/v1/indicators/{id}/data"))?)
}

/// The same of an answer of the indicator API.
pub fn visible_of(answer: &Value) -> Option<usize> {
    let rows = answer["rows"].as_array()?;
    let column = answer["columns"].as_array()?.iter().position(|column| column == "value" || column["name"] == "value");
    Some(
        rows.iter()
            .filter(|row| !(row.get("value").or_else(|| row.get(column?))).unwrap_or(&Value::Null).is_null())
            .count(),
    )
}

/// The test vectors and the planted leaks are tests of the room; what protection costs is measured on both samples.
fn disclosure(bench: &Bench) -> Result<Measured> {
    let tested = amanat::test("disclosure", &[])?;
    let among = |part: &str| tested.names.iter().filter(|name| name.contains(part)).cloned().collect::<Vec<_>>();
    let (vectors, leaks) = (among("of_the_page"), among("audit::tests"));
    let measured = measure(bench, Profile::Dev, "disclosure", &[])?;
    let mut details = measured.details;
    if let Some(details) = details.as_object_mut() {
        details.insert("tests_passed".into(), json!(tested.passed));
        details.insert("tests_failed".into(), json!(tested.failed));
        details.insert("test_vectors".into(), json!(vectors));
        details.insert("planted_leaks".into(), json!(leaks));
    }
    let met = measured.met && tested.failed.is_empty() && !vectors.is_empty() && !leaks.is_empty();
    Ok(Measured { value: measured.value, met, details })
}

/// In a fresh clone of what is committed, from nothing built, and again.
fn tests(bench: &Bench) -> Result<Measured> {
    let (clone, target) = (bench.scratch.join("clone"), bench.scratch.join("target"));
    run(Path::new("git"), &["clone", "--quiet", &text(&bench.root), &text(&clone)])?;
    let mut seconds = Vec::new();
    let mut passed = true;
    for _ in ["cold", "warm"] {
        let began = Instant::now();
        let mut cargo = crate::cargo();
        cargo.args(["test", "--workspace", "--locked", "--quiet"]).current_dir(&clone).env("CARGO_TARGET_DIR", &target);
        passed &= cargo.stdout(std::process::Stdio::null()).status()?.success();
        seconds.push(began.elapsed().as_secs());
    }
    Ok(Measured {
        value: seconds[0].to_string(),
        met: passed,
        details: json!({"command": "cargo test --workspace", "cold_seconds": seconds[0], "warm_seconds": seconds[1]}),
    })
}

fn real_records(bench: &Bench) -> Result<Measured> {
    let beside = || bench.root.join("../shared/data/ctdc/ctdc_derived_14299.csv");
    let file = std::env::var_os("CTDC_RECORDS").map_or_else(beside, PathBuf::from);
    if !file.exists() {
        eprintln!(
            "SKIPPED road.real_records: the CTDC records are not here (CTDC_RECORDS names the file); they are not part of the project (docs/guides/import-a-csv.md says where they come from)"
        );
        return Ok(Measured {
            value: "skipped".into(),
            met: true,
            details: json!({"skipped": "the records are not on this machine"}),
        });
    }
    let program = build(Profile::Dev, "amanat", "amanat")?;
    let (data, file, config, mapping) = (
        text(&bench.scratch.join("ctdc")),
        text(&file),
        text(&bench.root.join("deploy/ctdc/amanat.toml")),
        text(&bench.root.join("deploy/ctdc/mapping.toml")),
    );
    let common = ["--data", data.as_str(), "--config", config.as_str()];
    let import = |bench: &Bench| -> Result<Value> {
        let mut arguments = vec!["import", file.as_str(), "--mapping", mapping.as_str(), "--json"];
        arguments.extend(common);
        let _ = bench;
        Ok(serde_json::from_str(&run(&program, &arguments)?.out)?)
    };
    let (first, again) = (import(bench)?, import(bench)?);
    run(&program, &[&["refresh"], &common[..]].concat())?;
    run(&program, &[&["edition", "publish", "--as-of", "2018-12-31"], &common[..]].concat())?;
    let compared =
        measure(bench, Profile::Dev, "real_records", &["--data", &data, "--csv", &file, "--config", &config])?;
    let met = first["accepted"] == 14_299 && again["accepted"] == 0 && compared.met;
    Ok(Measured {
        value: first["accepted"].to_string(),
        met,
        details: json!({"first": first, "again": again, "compared": compared.details}),
    })
}

fn truth(bench: &Bench) -> Result<Measured> {
    let (small, medium) = (
        measure(bench, Profile::Dev, "truth", &["--size", "small"])?,
        measure(bench, Profile::Dev, "truth", &["--size", "medium"])?,
    );
    Ok(Measured {
        value: medium.value,
        met: small.met && medium.met,
        details: json!({"small": small.details, "medium": medium.details}),
    })
}

fn truth_small(bench: &Bench) -> Result<Measured> {
    measure(bench, Profile::Dev, "truth", &["--size", "small"])
}

/// Manifest of edition 1 after refresh and publication, as printed by `edition show`.
pub fn edition(program: &Path, data: &str, more: &[&str]) -> Result<Value> {
    let common = [&["--data", data], more].concat();
    run(program, &[&["refresh"], &common[..]].concat())?;
    run(program, &[&["edition", "publish", "--as-of", AS_OF], &common[..]].concat())?;
    Ok(serde_json::from_str(&run(program, &[&["edition", "show", "1"], &common[..]].concat())?.out)?)
}

/// The keys under which two manifests differ. Where reference tables lie is named anew each time; what they hold is compared.
fn differing(left: &Value, right: &Value) -> Vec<String> {
    let told = |manifest: &Value| {
        let mut told = manifest.as_object().cloned().unwrap_or_default();
        if let Some(reference) = told.get_mut("reference").and_then(Value::as_object_mut) {
            reference.remove("version");
        }
        told
    };
    let (left, right) = (told(left), told(right));
    let keys: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    keys.into_iter().filter(|key| left.get(*key) != right.get(*key)).cloned().collect()
}

/// Copies the key and the store's description, so that two data directories are the same store.
pub fn same_store(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to.join("keys"))?;
    for file in ["keys/master", "store.toml"] {
        std::fs::copy(from.join(file), to.join(file)).with_context(|| format!("copying {file}"))?;
    }
    Ok(())
}

/// Ingests a sample from the embedded log, undisturbed; gives the data directory and the seconds of ingesting.
pub fn undisturbed(bench: &Bench, program: &Path, size: &str) -> Result<(PathBuf, f64)> {
    let data = bench.scratch.join("embedded");
    run(program, &["sample", "--size", size, "--data", &text(&data)])?;
    let ingested = run(program, &["up", "--role", "ingest", "--once", "--data", &text(&data)])?;
    Ok((data, ingested.seconds))
}

fn kafka_equals_embedded(bench: &Bench, size: &str) -> Result<Measured> {
    let program = build(Profile::Dev, "amanat", "amanat")?;
    let (embedded, _) = undisturbed(bench, &program, size)?;
    let kafka = bench.scratch.join("kafka");
    same_store(&embedded, &kafka)?;
    let broker = crate::kafka::Broker::up()?;
    let brokers = broker.bootstrap();
    run(&program, &["sample", "--size", size, "--data", &text(&kafka), "--brokers", &brokers])?;
    run(&program, &["up", "--role", "ingest", "--once", "--data", &text(&kafka), "--brokers", &brokers])?;
    drop(broker);
    let (left, right) = (edition(&program, &text(&embedded), &[])?, edition(&program, &text(&kafka), &[])?);
    let differ = differing(&left, &right);
    let met = differ.iter().all(|key| key == "cut" || key == "lake_version" || key == "published_at");
    Ok(Measured {
        value: if met { "equal" } else { "different" }.into(),
        met,
        details: json!({"differing": differ, "hash": left["hash"], "marts": left["marts"]}),
    })
}

/// Times that each source is ingested; the median run counts.
const COST_RUNS: usize = 3;

fn cost(bench: &Bench) -> Result<Measured> {
    let program = build(Profile::Release, "amanat", "amanat")?;
    let data = bench.scratch.join("cost");
    let published: Value =
        serde_json::from_str(&run(&program, &["sample", "--size", "medium", "--data", &text(&data), "--json"])?.out)?;
    let events = published["events"].as_f64().context("sample printed no number of events")?;
    let sqlite = ingested(&program, bench, &data, "cost-sqlite", &[])?;
    let broker = crate::kafka::Broker::up()?;
    let brokers = broker.bootstrap();
    let kafka_data = bench.scratch.join("cost-kafka");
    same_store(&data, &kafka_data)?;
    run(&program, &["sample", "--size", "medium", "--data", &text(&kafka_data), "--brokers", &brokers])?;
    let kafka = ingested(&program, bench, &kafka_data, "cost-kafka", &["--brokers", &brokers])?;
    drop(broker);
    let refreshed = run(&program, &["refresh", "--data", &text(&bench.scratch.join("cost-sqlite-0"))])?;
    let fold = fold(bench, Profile::Release, "medium")?;
    let per_million = |ran: &amanat::Ran| ran.cpu_seconds / events * 1e6;
    let peak = |runs: &[amanat::Ran]| runs.iter().map(|ran| ran.peak_mib).fold(0.0, f64::max);
    let lines = |runs: &[amanat::Ran]| {
        json!({
            "cpu_seconds_per_million": per_million(median(runs)),
            "cpu_seconds_per_million_of_each_run": runs.iter().map(per_million).collect::<Vec<_>>(),
            "events_per_second": events / median(runs).seconds,
            "peak_mib": peak(runs),
        })
    };
    let met = [&sqlite, &kafka].iter().all(|runs| per_million(median(runs)) <= 6.0 && peak(runs) <= 512.0)
        && refreshed.peak_mib <= 512.0
        && fold.met;
    Ok(Measured {
        value: format!("{:.2} and {:.2}", per_million(median(&sqlite)), per_million(median(&kafka))),
        met,
        details: json!({"events": events, "sqlite": lines(&sqlite), "kafka": lines(&kafka), "refresh_seconds": refreshed.seconds, "refresh_peak_mib": refreshed.peak_mib, "fold_against_duckdb": fold.value, "fold": fold.details}),
    })
}

/// Ingests the log of a store into copies of the store, several times; in order of CPU time.
fn ingested(program: &Path, bench: &Bench, store: &Path, name: &str, more: &[&str]) -> Result<Vec<amanat::Ran>> {
    let mut runs = Vec::new();
    for number in 0..COST_RUNS {
        let data = bench.scratch.join(format!("{name}-{number}"));
        same_store(store, &data)?;
        if store.join("log.db").exists() {
            std::fs::copy(store.join("log.db"), data.join("log.db"))?;
        }
        let folder = text(&data);
        runs.push(run(program, &[&["up", "--role", "ingest", "--once", "--data", &folder], more].concat())?);
    }
    runs.sort_by(|a, b| a.cpu_seconds.total_cmp(&b.cpu_seconds));
    Ok(runs)
}

/// The run in the middle of runs in order.
fn median(runs: &[amanat::Ran]) -> &amanat::Ran {
    &runs[runs.len() / 2]
}

/// The version of DuckDB's Python package that the fold is held against.
pub const DUCKDB: &str = "2.0.1";

/// The fold against DuckDB, whose Python package is put into a folder of the cache.
fn fold(bench: &Bench, profile: Profile, size: &str) -> Result<Measured> {
    let python = python_with("duckdb", DUCKDB)?;
    measure(bench, profile, "fold_against_duckdb", &["--size", size, "--python", &text(&python)])
}

/// A Python interpreter with one package of a fixed version.
pub fn python_with(package: &str, version: &str) -> Result<PathBuf> {
    let folder = crate::cache()?.join(format!("python-{package}-{version}"));
    let python = folder.join("bin/python");
    if !folder.join("complete").exists() {
        run(Path::new("python3"), &["-m", "venv", &text(&folder)])?;
        run(&python, &["-m", "pip", "install", "--quiet", &format!("{package}=={version}")])?;
        std::fs::write(folder.join("complete"), "")?;
    }
    Ok(python)
}

fn first_look(bench: &Bench) -> Result<Measured> {
    let program = build(Profile::Dev, "amanat", "amanat")?;
    let data = text(&bench.scratch.join("look"));
    let mut capture = String::from("$ amanat up --sample --once\n");
    let up = std::process::Command::new(&program).args(["up", "--sample", "--once", "--data", &data]).output()?;
    capture.push_str(&String::from_utf8_lossy(&up.stdout));
    for arguments in [
        vec![
            "sql",
            "select time_period, value, lo95, hi95, obs_status from published.v01 where province = '_T' and sex = '_T' and age_group = '_T' and length(time_period) = 4 order by time_period desc limit 5",
        ],
        vec![
            "sql",
            "select province, count(*) as victims, count(*) filter (where age_group = 'child') as children from victims where status = 'actual' and year >= 2016 group by province",
        ],
        vec!["sql", "select * from victims"],
        vec!["status"],
    ] {
        let shown: Vec<String> = arguments
            .iter()
            .map(|word| if word.contains(' ') { format!("\"{word}\"") } else { (*word).to_owned() })
            .collect();
        capture.extend(["\n$ amanat ", &shown.join(" "), "\n"]);
        let output = std::process::Command::new(&program).args(&arguments).args(["--data", &data]).output()?;
        capture.push_str(&String::from_utf8_lossy(&output.stdout));
        capture.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    let capture = capture.replace(&data, "./amanat-data");
    std::fs::write(bench.root.join("docs/first-look.txt"), &capture)?;
    Ok(Measured {
        value: capture.lines().count().to_string(),
        met: up.status.success(),
        details: json!({"file": "docs/first-look.txt"}),
    })
}
