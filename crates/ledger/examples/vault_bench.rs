//! Measures the vault's memory: many anchors in batches of 200, as questions bring them, then a replay as at a start. Prints one
//! JSON object. `cargo run -p ledger --example vault_bench -- 100000 [FOLDER]`.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, reason = "a measurement")]

use std::path::PathBuf;
use std::time::Instant;

use disclosure::{Anchor, AnchorFacts, AskedSet, Entry, Head, ReleaseStore};
use ledger::VaultStore;

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
    Entry::Anchor(Anchor {
        set: AskedSet {
            space: "victims/units".into(),
            n: word() % 30_000,
            c: u128::from(word()) << 64 | u128::from(word()),
            sketch: (0..14).map(|_| word()).collect(),
            case_sketch: (0..14).map(|_| word()).collect(),
            buckets: (0..64).map(|_| word() as u8).collect(),
        },
        facts: AnchorFacts { units: word() % 30_000, value: 7, top_case: 30, beside_cases: 900, dominated: false },
    })
}

fn main() {
    let anchors: u64 = std::env::args().nth(1).map_or(100_000, |text| text.parse().unwrap());
    let folder = std::env::args().nth(2).map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = tempfile::tempdir_in(folder).unwrap();
    let path = dir.path().join("vault.db");
    let batches: Vec<Vec<Entry>> =
        (0..anchors.div_ceil(BATCH)).map(|batch| (batch * BATCH..(batch + 1) * BATCH).map(anchor).collect()).collect();

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

    println!(
        "{}",
        serde_json::json!({
            "anchors": replayed,
            "bytes": bytes,
            "batches": batches.len(),
            "append_seconds": append_seconds,
            "replay_seconds": replay_seconds,
            "backup_seconds": backup_seconds,
        })
    );
}
