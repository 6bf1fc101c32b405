//! Measures the vault's memory: many anchors in batches of 200, as questions bring them, then a replay as at a start; then
//! questions to a vault that has them all in mind, beside one that has none, and whether after a restart each cell has the
//! answer it had. Prints one JSON object. `cargo run -p ledger --example vault_bench -- 100000 [FOLDER]`.
//!
//! The many anchors are made up, in sizes as cells have them (11 to 700, as many in each doubling); the sets that are asked
//! about are of made-up persons.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, reason = "a measurement")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use disclosure::{
    Anchor, AnchorFacts, Answered, AskedSet, Breakdown, CellQuery, Column, Condition, Entry, Head, Measure, Microdata,
    ReleaseStore, Room, Span, Vault,
};
use ledger::VaultStore;
use policy::{Keys, Master, Policy, Share};

/// Anchors of one question.
const BATCH: u64 = 200;

/// An anchor as wide as real ones are: sums and syndromes are as good as random.
fn anchor(n: u64) -> Entry {
    let mut random = blake3::Hasher::new().update(&n.to_le_bytes()).finalize_xof();
    let mut word = || {
        let mut bytes = [0; 8];
        random.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    };
    let n = (11.0 * 64_f64.powf(word() as f64 / u64::MAX as f64)) as u64;
    let mut buckets = vec![0_u8; 64];
    for _ in 0..n {
        let bucket = &mut buckets[(word() % 64) as usize];
        *bucket = bucket.wrapping_add(1);
    }
    Entry::Anchor(Anchor {
        set: AskedSet {
            space: "victims/units".into(),
            n,
            c: u128::from(word()) << 64 | u128::from(word()),
            sketch: (0..14).map(|_| word()).collect(),
            case_sketch: (0..14).map(|_| word()).collect(),
            buckets,
        },
        facts: AnchorFacts { units: n, value: i128::from(n), top_case: 1, beside_cases: n, dominated: false },
    })
}

/// What is remembered of a set that nobody answers for yet: the anchor, and what it has of marked units.
fn remembered(n: u64) -> [Entry; 2] {
    let hash = blake3::hash(&n.to_be_bytes());
    let core = u128::from_le_bytes(hash.as_bytes()[..16].try_into().unwrap());
    [anchor(n), Entry::Core { space: "victims/units".into(), core, anchor: n }]
}

/// Persons who are asked about.
const PERSONS: u64 = 20_000;
const YEARS: std::ops::RangeInclusive<u16> = 2022..=2024;
/// Columns by which they are asked about, two at a time.
const BY: [&str; 4] = ["place_recruited_province", "place_exploited_province", "sector", "scope"];

/// Persons whose codes are as good as random.
fn room(vault: &Vault) -> Room {
    let victims = vault.policy().datasets.get("victims").unwrap();
    let agency = vault.policy().agencies.get("POL-PB").unwrap().index;
    let draw = |person: u64, column: usize, codes: u64| {
        let hash = blake3::hash(&[person, column as u64].map(u64::to_le_bytes).concat());
        (u64::from_le_bytes(hash.as_bytes()[..8].try_into().unwrap()) % codes) as u16
    };
    let mut dims = BTreeMap::new();
    for (number, level) in BY.iter().enumerate() {
        let codes = victims.codes(level, YEARS).unwrap();
        let of = |person| codes[usize::from(draw(person, number, codes.len() as u64))];
        dims.insert((*level).to_owned(), Column::One((0..PERSONS).map(of).collect()));
    }
    let years = (0..PERSONS).map(|person| YEARS.start() + draw(person, BY.len(), 3)).collect();
    dims.insert("year".to_owned(), Column::One(years));
    let rows = Microdata {
        dataset: "victims".to_owned(),
        sid: (1..=PERSONS).collect(),
        case_sid: (1..=PERSONS).collect(),
        agency: vec![agency; PERSONS as usize],
        served_by: None,
        measures: BTreeMap::new(),
        dims,
    };
    let datasets = BTreeMap::from([("victims".to_owned(), vault.prepare(rows).unwrap())]);
    Room::new(Span::whole(1, YEARS), datasets)
}

/// One question by each two columns, in each year.
fn questions() -> Vec<CellQuery> {
    let mut questions = Vec::new();
    for (at, first) in BY.iter().enumerate() {
        for second in &BY[at + 1..] {
            questions.extend(YEARS.map(|year| CellQuery {
                dataset: "victims".to_owned(),
                population: vec![Condition {
                    dimension: "time".to_owned(),
                    level: "year".to_owned(),
                    codes: vec![year],
                }],
                by: [first, second].map(|level| Breakdown::Level((*level).to_owned())).to_vec(),
                measures: vec![Measure::Units],
            }));
        }
    }
    questions
}

/// Opens a vault over a memory, asks, and tells the answers, how many cells they have, and seconds: to open, to ask, to ask again.
fn load(path: &Path, known: Head) -> (Vec<Answered>, usize, [f64; 3]) {
    let began = Instant::now();
    let store = VaultStore::open(path, "measured", known).unwrap();
    let keys = Keys::derive(&Master::from_bytes([3; 32]));
    let vault = Vault::open(Arc::new(Policy::default()), &keys, Box::new(store)).unwrap();
    let opened = began.elapsed().as_secs_f64();
    vault.enter(room(&vault));
    let ask = || {
        let began = Instant::now();
        let answers = questions().into_iter().flat_map(|one| vault.ask(&[one], Share::Ministry).unwrap());
        // Only who asks first is charged.
        let answers = answers.map(|answer| Answered { charged: Vec::new(), ..answer });
        (answers.collect::<Vec<_>>(), began.elapsed().as_secs_f64())
    };
    let (first, asked) = ask();
    let (again, repeated) = ask();
    assert_eq!(first, again, "the same question has the same answer");
    let cells = first.iter().map(|answer| answer.cells.len()).sum();
    (first, cells, [opened, asked, repeated])
}

fn main() {
    let anchors: u64 = std::env::args().nth(1).map_or(100_000, |text| text.parse().unwrap());
    let folder = std::env::args().nth(2).map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = tempfile::tempdir_in(folder).unwrap();
    let path = dir.path().join("vault.db");
    let batches: Vec<Vec<Entry>> = (0..anchors.div_ceil(BATCH))
        .map(|batch| (batch * BATCH..(batch + 1) * BATCH).flat_map(remembered).collect())
        .collect();

    let mut store = VaultStore::create(&path, "measured").unwrap();
    let begun = Instant::now();
    let head = batches.iter().fold(Head::default(), |head, batch| store.commit(head, batch).unwrap());
    let append_seconds = begun.elapsed().as_secs_f64();
    drop(store);

    let bytes = path.metadata().unwrap().len();
    let begun = Instant::now();
    let mut store = VaultStore::open(&path, "measured", head).unwrap();
    let mut replayed = 0u64;
    store.replay(Head::default(), &mut |_| replayed += 1).unwrap();
    let replay_seconds = begun.elapsed().as_secs_f64();

    let begun = Instant::now();
    store.backup_to(&dir.path().join("copy.db")).unwrap();
    let backup_seconds = begun.elapsed().as_secs_f64();

    drop(store);
    let empty = dir.path().join("empty.db");
    drop(VaultStore::create(&empty, "measured").unwrap());
    let (_, _, [_, without, _]) = load(&empty, Head::default());
    let (answers, cells, [open_seconds, asked, repeated]) = load(&path, head);
    let (replayed_answers, _, _) = load(&path, head);
    let micros = |seconds: f64| (seconds * 1e6 / cells as f64).round();

    println!(
        "{}",
        serde_json::json!({
            "anchors": anchors,
            "entries": replayed,
            "bytes": bytes,
            "batches": batches.len(),
            "append_seconds": append_seconds,
            "replay_seconds": replay_seconds,
            "backup_seconds": backup_seconds,
            "vault_open_seconds": open_seconds,
            "cells_asked": cells,
            "micros_a_cell": micros(asked),
            "micros_a_cell_without_anchors": micros(without),
            "micros_a_cell_asked_again": micros(repeated),
            "bytes_an_anchor": bytes / anchors,
            "restart_answers_equal": answers == replayed_answers,
        })
    );
}
