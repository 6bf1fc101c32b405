//! `docs/crash-table.md` names tests; each must be there and run by its command. A row without a test is a promise only.

use std::path::{Path, PathBuf};

use super::{read, root};

/// Rows of the page: the 17 of the design's table (ingestion.md 3.4), then those of the agencies' door.
const ROWS: usize = 19;

/// The rows by their headings, each with the commands below it.
fn rows(page: &str) -> Vec<(&str, Vec<&str>)> {
    let sections = page.split("\n## ").skip(1);
    sections
        .map(|section| {
            let heading = section.lines().next().unwrap_or_default();
            (heading, section.lines().filter(|line| line.starts_with("cargo test ")).collect())
        })
        .collect()
}

/// Files that may hold a module of a crate's tests, `it` or `lib`.
fn files_of(krate: &str, target: &str, module: &str) -> Vec<PathBuf> {
    let folder = match target {
        "it" => format!("crates/{krate}/tests/it"),
        _ => format!("crates/{krate}/src"),
    };
    let path = module.replace("::", "/");
    [format!("{folder}/{path}.rs"), format!("{folder}/{path}/mod.rs")].iter().map(|file| root().join(file)).collect()
}

/// Whether a file has a test of this name that is not switched off: its attributes stand right above it.
fn has_test(file: &Path, name: &str) -> bool {
    let Ok(text) = std::fs::read_to_string(file) else { return false };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let Some(at) = lines.iter().position(|line| line.contains(&format!("fn {name}("))) else { return false };
    let above: Vec<&str> = lines[..at].iter().rev().take_while(|line| line.starts_with("#[")).copied().collect();
    let is_test = |line: &&str| line.starts_with("#[test") || line.starts_with("#[tokio::test");
    above.iter().any(is_test) && !above.iter().any(|line| line.starts_with("#[ignore"))
}

/// What is wrong with a command, if anything.
fn wrong_with(command: &str) -> Option<String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let (krate, target, names) = match words.as_slice() {
        ["cargo", "test", "-p", krate, "--test", "it", "--", names @ ..] => (krate, "it", names),
        ["cargo", "test", "-p", krate, "--lib", "--", names @ ..] => (krate, "lib", names),
        _ => return Some(format!("not a command that runs tests by name: {command}")),
    };
    if names.is_empty() {
        return Some(format!("names no test: {command}"));
    }
    let missing = names.iter().find(|name| {
        let Some((module, test)) = name.rsplit_once("::") else { return true };
        !files_of(krate, target, module).iter().any(|file| has_test(file, test))
    });
    missing.map(|name| format!("{krate} has no test {name}"))
}

#[test]
fn every_row_of_the_crash_table_names_tests_that_are_there() {
    let page = read("docs/crash-table.md");
    let rows = rows(&page);
    assert_eq!(rows.len(), ROWS);
    let numbers: Vec<u32> =
        rows.iter().map(|(heading, _)| heading.split('.').next().unwrap().parse().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    for (heading, commands) in rows {
        assert!(!commands.is_empty(), "{heading} names no test");
        let wrong: Vec<_> = commands.iter().filter_map(|command| wrong_with(command)).collect();
        assert!(wrong.is_empty(), "{heading}: {wrong:?}");
    }
}

#[test]
fn a_name_without_a_test_is_noticed() {
    for command in [
        "cargo test -p lake --test it -- faults::no_such_test",
        "cargo test -p lake --test it -- no_such_module::a_torn_file_of_the_last_commit_is_damage",
        "cargo test -p lake --test it -- uploads::the_process_that_dies_while_it_uploads",
        "cargo test -p lake --test it -- faults::through",
        "cargo test -p lake --test it --",
        "cargo test -p lake",
    ] {
        assert!(wrong_with(command).is_some(), "{command}");
    }
}
