//! `speed`: a protected GROUP BY over ten million persons, beside DuckDB's unprotected answer on the same rows in Parquet in the
//! same run.
//!
//! Persons are generated as mart rows: every column of `victims`, codes independent and skewed, four persons to a case in
//! random order, so that no pass over them is helped by how they lie. The vault is resident and remembers a hundred
//! thousand anchors, crowded at the sizes that cells have; its memory is a real `vault.db`. Left out: SQL, the time slot
//! (250 ms and its multiples), the network.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use arrow::array::{ArrayRef, RecordBatch, UInt16Array};
use disclosure::{
    Anchor, AnchorFacts, AskedSet, Breakdown, CellQuery, Column, Condition, Entry, Head, Measure, Microdata,
    ReleaseStore, Room, Span, StoreError, Vault,
};
use ledger::VaultStore;
use parquet::arrow::ArrowWriter;
use policy::{Keys, Master, Policy, Share, TimeLevel};
use serde_json::{Value, json};

use crate::Measured;

/// Threads of each side.
const THREADS: usize = 2;
/// Runs of DuckDB, and questions to the vault; the median counts.
const RUNS: usize = 5;
/// The goals: so many times DuckDB's time, cold (the search for anchors shown apart) and repeated.
const GOALS: (f64, f64) = (2.0, 0.1);
/// Years of the persons.
const YEARS: std::ops::RangeInclusive<u16> = 2011..=2025;
/// The dimensions of the question.
const BY: [&str; 4] = ["province", "sex", "age_band", "status"];

/// Measures. `python` is an interpreter that has the package `duckdb`.
pub fn measure(scratch: &Path, persons: u32, anchors: u64, python: &Path) -> Result<Measured> {
    let policy = Arc::new(Policy::default());
    let file = scratch.join("speed.parquet");
    let data = rows(&policy, persons)?;
    write_parquet(&file, &data)?;
    let duckdb = ask_duckdb(python, &file)?;

    let before = resident_mib()?;
    let built = Instant::now();
    let keys = Keys::derive(&Master::from_bytes([7; 32]));
    let committing = Arc::new(AtomicU64::new(0));
    let store = Timed { store: remembering(scratch, anchors)?, nanoseconds: Arc::clone(&committing) };
    let vault = Vault::open(Arc::clone(&policy), &keys, Box::new(store))?;
    let columns = column_mib(&data);
    let prepared = vault.prepare(data)?;
    let datasets = BTreeMap::from([("victims".to_owned(), prepared)]);
    vault.enter(Room::new(Span::whole(1, YEARS), datasets));
    let build_seconds = built.elapsed().as_secs_f64();
    let vault_mib = resident_mib()? + columns - before;

    let mut asked = Vec::new();
    for year in YEARS.rev().take(RUNS) {
        asked.push(ask(&vault, &policy, year, &committing)?);
    }
    let counting = median(asked.iter().map(|asked| asked.counting));
    let cold = median(asked.iter().map(|asked| asked.cold));
    let repeated = median(asked.iter().map(|asked| asked.repeated));
    let peer = median(duckdb["seconds"].as_array().context("no times of DuckDB")?.iter().filter_map(Value::as_f64));
    let ratios = (counting / peer, cold / peer, repeated / peer);
    Ok(Measured {
        value: json!(format!("{:.2}, {:.2} and {:.4}", ratios.0, ratios.1, ratios.2)),
        met: ratios.0 <= GOALS.0 && ratios.2 <= GOALS.1,
        details: json!({
            "persons": persons,
            "cells": asked[0].cells,
            "anchors_before": anchors,
            "cold_seconds": asked.iter().map(|asked| asked.cold).collect::<Vec<_>>(),
            "of_this_counting_the_rest_is_the_search_for_anchors_and_the_store": asked.iter().map(|asked| asked.counting).collect::<Vec<_>>(),
            "repeated_seconds": asked.iter().map(|asked| asked.repeated).collect::<Vec<_>>(),
            "milliseconds_by_part": by_part(&asked, cold),
            "duckdb": duckdb,
            "vault_build_seconds": build_seconds,
            "vault_mib_per_million_persons": vault_mib / (f64::from(persons) / 1e6),
            "time_slot": "not in these times: answers leave after 250 ms or a multiple",
        }),
    })
}

/// The median of each part, in milliseconds.
fn by_part(asked: &[Asked], cold: f64) -> Value {
    let milliseconds = |seconds: f64| json!((seconds * 1e4).round() / 10.0);
    let of_part = |at: usize| median(asked.iter().map(|asked| asked.parts[at].1));
    let names = asked[0].parts.iter().map(|(name, _)| *name);
    let mut parts: Vec<(&str, f64)> = names.enumerate().map(|(at, name)| (name, of_part(at))).collect();
    let whole = |name: &str| parts.iter().filter(|part| part.0 == name).map(|part| part.1).sum::<f64>();
    let (counting, search) = (whole("counting on two threads"), whole("search for anchors"));
    let commit = median(asked.iter().map(|asked| asked.commit));
    parts.extend([("commit", commit), ("judging, and the rest", cold - counting - search - commit)]);
    parts.into_iter().map(|(name, seconds)| (name.to_owned(), milliseconds(seconds))).collect()
}

/// A question asked twice.
struct Asked {
    cold: f64,
    counting: f64,
    commit: f64,
    parts: Vec<(&'static str, f64)>,
    repeated: f64,
    cells: usize,
}

fn ask(vault: &Vault, policy: &Policy, year: u16, committing: &AtomicU64) -> Result<Asked> {
    let dataset = policy.datasets.get("victims").context("no victims")?;
    let question = CellQuery {
        dataset: "victims".to_owned(),
        population: vec![Condition { dimension: "time".to_owned(), level: "year".to_owned(), codes: vec![year] }],
        by: BY.iter().map(|level| Breakdown::Level((*level).to_owned())).collect(),
        measures: vec![Measure::Units],
    }
    .canonical(dataset, YEARS);
    let parts = parts(vault, &question)?;
    let counting = parts.first().context("no parts")?.1;
    let committing_before = Timed::seconds(committing);
    let mut times = [0.0; 2];
    let mut answers = Vec::new();
    for seconds in &mut times {
        let began = Instant::now();
        answers.push(vault.ask(std::slice::from_ref(&question), Share::Ministry)?);
        *seconds = began.elapsed().as_secs_f64();
    }
    let commit = Timed::seconds(committing) - committing_before;
    Ok(Asked { cold: times[0], counting, commit, parts, repeated: times[1], cells: answers[0][0].cells.len() })
}

/// Seconds of each part of a question: counting as it is, then its passes one after the other over half of the rows, which is
/// what each of the two threads does, then the search.
fn parts(vault: &Vault, question: &CellQuery) -> Result<Vec<(&'static str, f64)>> {
    let (mut parts, mut began) = (Vec::new(), Instant::now());
    vault.in_parts(question, &mut |part| {
        parts.push((part, began.elapsed().as_secs_f64()));
        began = Instant::now();
    })?;
    Ok(parts)
}

/// A store that tells how long commits take.
struct Timed {
    store: VaultStore,
    nanoseconds: Arc<AtomicU64>,
}

impl Timed {
    fn seconds(nanoseconds: &AtomicU64) -> f64 {
        nanoseconds.load(Ordering::Relaxed) as f64 / 1e9
    }
}

impl ReleaseStore for Timed {
    fn head(&mut self) -> std::result::Result<Head, StoreError> {
        self.store.head()
    }

    fn replay(&mut self, after: Head, each: &mut dyn FnMut(Entry)) -> std::result::Result<Head, StoreError> {
        self.store.replay(after, each)
    }

    fn commit(&mut self, after: Head, new: &[Entry]) -> std::result::Result<Head, StoreError> {
        let began = Instant::now();
        let head = self.store.commit(after, new);
        self.nanoseconds.fetch_add(began.elapsed().as_nanos() as u64, Ordering::Relaxed);
        head
    }
}

/// Mart rows of so many victims.
fn rows(policy: &Policy, persons: u32) -> Result<Microdata> {
    let dataset = policy.datasets.get("victims").context("no victims")?;
    let mut dims = BTreeMap::new();
    for (number, level) in dataset.all_levels().enumerate() {
        let codes = dataset.codes(level, YEARS).context("a level without codes")?;
        let code = |person: u32| skewed(&codes, person, number as u64);
        let column = if dataset.is_many(level) {
            Column::Many { offsets: (0..=persons).collect(), codes: (0..persons).map(code).collect() }
        } else {
            Column::One((0..persons).map(code).collect())
        };
        dims.insert(level.to_owned(), column);
    }
    let cases = u64::from(persons / 4).max(1);
    let agencies = policy.agencies.iter().count().max(1) as u64;
    Ok(Microdata {
        dataset: "victims".to_owned(),
        sid: (0..u64::from(persons)).map(|person| person << 20 | mixed(person, 99) >> 44).collect(),
        case_sid: (0..u64::from(persons)).map(|person| mixed(mixed(person, 98) % cases, 97)).collect(),
        agency: (0..u64::from(persons)).map(|person| (mixed(person, 96) % agencies) as u16).collect(),
        served_by: None,
        dims,
        measures: BTreeMap::new(),
    })
}

/// A code of a list: the first ones more often.
fn skewed(codes: &[u16], person: u32, column: u64) -> u16 {
    let uniform = (mixed(u64::from(person), column) >> 11) as f64 / (1u64 << 53) as f64;
    codes[((uniform * uniform) * codes.len() as f64) as usize % codes.len()]
}

/// A number that depends on both and looks drawn (splitmix64).
fn mixed(number: u64, stream: u64) -> u64 {
    let mut z = number.wrapping_add(stream << 40).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

fn write_parquet(file: &Path, data: &Microdata) -> Result<()> {
    let named = BY.iter().chain(&["year"]).map(|name| match &data.dims[*name] {
        Column::One(codes) => Ok((*name, Arc::new(UInt16Array::from(codes.clone())) as ArrayRef)),
        Column::Many { .. } => anyhow::bail!("{name} has several codes"),
    });
    let batch = RecordBatch::try_from_iter(named.collect::<Result<Vec<_>>>()?)?;
    let mut writer = ArrowWriter::try_new(File::create(file)?, batch.schema(), None)?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(())
}

fn ask_duckdb(python: &Path, file: &Path) -> Result<Value> {
    let year = TimeLevel::Year.codes(YEARS).into_iter().rev().nth(1).context("no year")?;
    let by = BY.join(", ");
    let sql =
        format!("SELECT {by}, count(*) FROM read_parquet('{}') WHERE year = {year} GROUP BY {by}", file.display());
    let mut child = Command::new(python)
        .args(["-c", include_str!("speed.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", python.display()))?;
    let job = json!({"threads": THREADS, "runs": RUNS, "sql": sql});
    child.stdin.take().context("no pipe")?.write_all(job.to_string().as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "DuckDB did not answer");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// A store that remembers so many anchors, as many of small sets as of large ones.
fn remembering(scratch: &Path, anchors: u64) -> Result<VaultStore> {
    let path = scratch.join("speed-vault.db");
    let mut store = VaultStore::create(&path, "measured")?;
    let entries: Vec<Entry> = (0..anchors).flat_map(|number| [anchor(number), core(number)]).collect();
    let mut head = Head::default();
    for batch in entries.chunks(1_000) {
        head = store.commit(head, batch)?;
    }
    Ok(store)
}

/// What the set of an anchor has of marked units; nobody has none.
fn core(number: u64) -> Entry {
    let core = u128::from(mixed(number, 198)) << 64 | u128::from(mixed(number, 199));
    Entry::Core { space: "victims/units".to_owned(), core, anchor: number }
}

fn anchor(number: u64) -> Entry {
    let word = |at: u64| mixed(number, 200 + at);
    // Sizes of 0 to 65,536, each power of two as often: where cells are, anchors are.
    let n = word(0) >> (48 + word(1) % 16);
    Entry::Anchor(Anchor {
        set: AskedSet {
            space: "victims/units".to_owned(),
            n,
            c: u128::from(word(2)) << 64 | u128::from(word(3)),
            sketch: (4..18).map(word).collect(),
            case_sketch: (18..32).map(word).collect(),
            buckets: buckets(n, number),
        },
        facts: AnchorFacts { units: n, value: i128::from(n), ..AnchorFacts::default() },
    })
}

/// Buckets as a set of this size has them: what two sets share of them decides whether their sketches are compared. Exact for
/// small sets, and by a sum of twelve uniform draws for large ones.
fn buckets(n: u64, number: u64) -> Vec<u8> {
    let mut counts = vec![0u8; 64];
    if n < 1_000 {
        (0..n).for_each(|element| counts[(mixed(element, 300 + number) % 64) as usize] += 1);
        return counts;
    }
    let (mean, deviation) = (n as f64 / 64.0, (n as f64 / 64.0).sqrt());
    for (at, count) in counts.iter_mut().enumerate() {
        let uniform = |draw: u64| mixed(number << 6 | at as u64, 400 + draw) as f64 / u64::MAX as f64;
        let normal = (0..12).map(uniform).sum::<f64>() - 6.0;
        *count = (mean + deviation * normal).round().rem_euclid(256.0) as u8;
    }
    counts
}

/// What the process has in memory, in MiB.
fn resident_mib() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}

/// What the columns of codes take, in MiB: they were made before the vault.
fn column_mib(data: &Microdata) -> f64 {
    let bytes = |column: &Column| match column {
        Column::One(codes) => 2 * codes.len(),
        Column::Many { offsets, codes } => 4 * offsets.len() + 2 * codes.len(),
    };
    let columns: usize = data.dims.values().map(bytes).sum();
    (columns + 18 * data.sid.len()) as f64 / (1024.0 * 1024.0)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
