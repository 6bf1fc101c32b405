//! What lies in `deploy/` fits the program: a board or an alert over a metric that nobody counts is silent for ever. And what
//! `docs/` says of tests is so (`crash_table`).
#![allow(clippy::unwrap_used, missing_docs)]

mod crash_table;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Names of metrics in a text: words that begin with `amanat_`.
fn names(text: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !word(c)).filter(|word| word.starts_with("amanat_"));
    words.map(str::to_owned).collect()
}

/// Names of metrics in the sources of the rooms.
fn counted() -> BTreeSet<String> {
    fn visit(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(path).unwrap();
                let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
                code.for_each(|line| found.extend(names(line)));
            }
        }
    }
    let mut found = BTreeSet::new();
    for room in ["amanat", "endpoint", "gateway", "ingest"] {
        visit(&root().join("crates").join(room).join("src"), &mut found);
    }
    found
}

fn is_counted(name: &str, counted: &BTreeSet<String>) -> bool {
    let of_histogram = ["_bucket", "_sum", "_count"].iter().filter_map(|part| name.strip_suffix(part));
    counted.contains(name) || of_histogram.into_iter().any(|base| counted.contains(base))
}

fn rules() -> Vec<Value> {
    let alerts: Value = serde_norway::from_str(&read("deploy/prometheus/alerts.yml")).unwrap();
    let groups = alerts["groups"].as_array().unwrap().clone();
    groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

#[test]
fn every_alert_and_every_panel_is_over_metrics_that_the_program_counts() {
    let counted = counted();
    let mut asked = BTreeSet::new();
    for rule in rules() {
        asked.extend(names(rule["expr"].as_str().unwrap()));
    }
    let board: Value = serde_json::from_str(&read("deploy/grafana/ingest.json")).unwrap();
    for panel in board["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let of_panel = names(target["expr"].as_str().unwrap());
            assert!(!of_panel.is_empty(), "{} asks for nothing", panel["title"]);
            asked.extend(of_panel);
        }
    }
    let unknown: Vec<_> = asked.iter().filter(|name| !is_counted(name, &counted)).collect();
    assert!(unknown.is_empty(), "nobody counts {unknown:?}");
}

#[test]
fn every_alert_has_a_severity_a_sentence_and_a_page_that_names_it_and_says_what_to_do() {
    let rules = rules();
    assert!(rules.len() > 5);
    for rule in rules {
        let alert = rule["alert"].as_str().unwrap();
        assert!(["page", "ticket", "info"].contains(&rule["labels"]["severity"].as_str().unwrap()), "{alert}");
        assert!(rule["annotations"]["summary"].is_string(), "{alert}");
        let page = read(rule["annotations"]["runbook"].as_str().unwrap());
        for part in [alert, "## What it means", "## What to do"] {
            assert!(page.contains(part), "the page of {alert} lacks `{part}`");
        }
    }
}

#[test]
fn pages_of_the_runbook_lead_to_pages_that_are_there() {
    for entry in std::fs::read_dir(root().join("docs/runbooks")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for (_, rest) in text.match_indices("](").map(|(at, _)| text.split_at(at + 2)) {
            let target = rest.split([')', '#']).next().unwrap();
            assert!(path.with_file_name(target).exists(), "{}: {target}", path.display());
        }
    }
}

#[test]
fn the_seeds_of_every_fuzz_target_are_replayed_by_a_test_of_its_room() {
    let tests = [
        "events/tests/it/corpus.rs",
        "gateway/tests/it/corpus.rs",
        "eventlog/src/sqlite/mod.rs",
        "ingest/src/lib.rs",
        "gateway/src/csv/mod.rs",
        "query/tests/it/fuzzed.rs",
        "pgcatalog/tests/it/corpus.rs",
        "endpoint/src/seeds.rs",
    ];
    let replayed: String = tests.iter().map(|file| read(&format!("crates/{file}"))).collect();
    let manifest = read("fuzz/Cargo.toml");
    let targets = std::fs::read_dir(root().join("fuzz/fuzz_targets")).unwrap();
    let targets: Vec<_> = targets.map(|file| file.unwrap().path().file_stem().unwrap().to_owned()).collect();
    assert!(!targets.is_empty());
    for target in targets {
        let target = target.to_str().unwrap();
        assert!(manifest.contains(&format!("name = \"{target}\"")), "{target} is no [[bin]] of fuzz/Cargo.toml");
        assert!(replayed.contains(&format!("each(\"{target}\"")), "{target}");
    }
}
