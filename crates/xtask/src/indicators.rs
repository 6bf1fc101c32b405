//! `cargo xtask indicators`: for a reviewer, how each indicator is defined, by which SQL it is made and which tests count it on a
//! population reckoned by hand. Writes `docs/indicators.md`.
//!
//! Nothing is listed by hand. Definitions are those of `sql/indicators/*.yml`; a test belongs to an indicator where it names its id
//! in an assertion (`counted.year("V01", …)`) or in a line of its comment (`/// Indicators: V02, V04.`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_norway::Value;

/// The page.
const PAGE: &str = "docs/indicators.md";
/// Folders of tests, and what their modules are called in the names of tests.
const TESTS: [(&str, &str); 2] =
    [("crates/models/tests/it/indicators", "indicators"), ("crates/models/src/edition", "edition")];
/// Kinds of indicators, as ids begin.
const KINDS: &str = "VCLSRPQ";

/// What of a definition the page shows.
#[derive(Deserialize)]
struct Definition {
    id: String,
    title: Text,
    counting_rule: Text,
    #[serde(default)]
    tables: Vec<Table>,
    #[serde(default)]
    shares: Vec<Value>,
    #[serde(default)]
    quantiles: Vec<Value>,
    #[serde(default)]
    revisions: Vec<Value>,
    #[serde(default)]
    rate: Option<Value>,
}

#[derive(Deserialize)]
struct Text {
    en: String,
}

#[derive(Deserialize)]
struct Table {
    measure: String,
    dataset: String,
    by: Vec<String>,
}

/// Writes the page; with `check` compares it with the one that is there.
pub fn run(root: &Path, check: bool) -> Result<()> {
    let (page, path) = (page(root)?, root.join(PAGE));
    if !check {
        return std::fs::write(&path, page).with_context(|| format!("{PAGE} cannot be written"));
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    ensure!(there == page, "{PAGE} is not what the definitions and tests say: cargo xtask indicators");
    Ok(())
}

/// The tests that count each indicator, by id: names as `cargo test` prints them.
pub fn tests(root: &Path) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (folder, module) in TESTS {
        for (file, text) in files(&root.join(folder), "rs")? {
            let inner = if module == "edition" { "::tests" } else { "" };
            let at = if file == "mod" { format!("{module}{inner}") } else { format!("{module}::{file}{inner}") };
            for (name, ids) in named(&text, module == "edition") {
                for id in ids {
                    found.entry(id).or_default().insert(format!("{at}::{name}"));
                }
            }
        }
    }
    Ok(found)
}

/// The ids of all definitions.
pub fn ids(root: &Path) -> Result<Vec<String>> {
    Ok(definitions(root)?.into_iter().map(|definition| definition.id).collect())
}

/// The tests of a file with the indicators that each names: in its comment, and unless `comments` alone count, in its lines.
fn named(text: &str, comments: bool) -> Vec<(String, BTreeSet<String>)> {
    let mut all: Vec<(String, BTreeSet<String>)> = Vec::new();
    let (mut said, mut is_test) = (BTreeSet::new(), false);
    for line in text.lines().map(str::trim) {
        if let Some(listed) = line.strip_prefix("/// Indicators:") {
            said.extend(listed.split([',', '.']).map(|id| id.trim().to_owned()).filter(|id| is_id(id)));
        } else if line.starts_with("#[test") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some(name) = function(line) {
            if is_test {
                all.push((name.to_owned(), std::mem::take(&mut said)));
            } else {
                // What stands in a helper is nobody's.
                all.push((String::new(), BTreeSet::new()));
            }
            is_test = false;
        } else if let Some((_, ids)) = all.last_mut().filter(|_| !comments) {
            ids.extend(line.split('"').filter(|word| is_id(word)).map(str::to_owned));
        }
    }
    all.retain(|(name, ids)| !name.is_empty() && !ids.is_empty());
    all
}

fn function(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn "))?;
    rest.split(['(', '<']).next()
}

fn is_id(word: &str) -> bool {
    word.len() == 3 && word.starts_with(|c| KINDS.contains(c)) && word[1..].bytes().all(|b| b.is_ascii_digit())
}

/// Files of a folder with an ending, by name without it, ascending.
fn files(folder: &Path, ending: &str) -> Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    for path in entries.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<Vec<_>>>()? {
        if path.extension().is_some_and(|own| own == ending) {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            all.insert(name, std::fs::read_to_string(&path)?);
        }
    }
    Ok(all)
}

fn definitions(root: &Path) -> Result<Vec<Definition>> {
    let read = |(name, text): (String, String)| {
        serde_norway::from_str(&text).with_context(|| format!("sql/indicators/{name}.yml"))
    };
    let mut all: Vec<Definition> =
        files(&root.join("sql/indicators"), "yml")?.into_iter().map(read).collect::<Result<_>>()?;
    all.sort_by_key(|definition| (KINDS.find(&definition.id[..1]), definition.id.clone()));
    Ok(all)
}

fn page(root: &Path) -> Result<String> {
    let (definitions, tests) = (definitions(root)?, tests(root)?);
    let mut out = format!(
        "# Indicators: definition, SQL, test\n\nFor reviewers. {} indicators: what each counts, from which mart on which grids, and which \
         tests count it on a population reckoned by hand (`cargo test -p models NAME`). Made by `cargo xtask indicators` from \
         `sql/indicators/*.yml` and the tests; the program's own reference (`/docs/reference/indicators`) has the full texts in English \
         and Urdu. `cargo xtask figures state.indicators` runs the tests.\n\n| | indicator | counted | from | tests |\n|---|---|---|---|---|\n",
        definitions.len()
    );
    for definition in &definitions {
        let own = tests.get(&definition.id);
        let named = own.map_or_else(
            || "none yet".to_owned(),
            |tests| tests.iter().map(|test| format!("`{test}`")).collect::<Vec<_>>().join("<br>"),
        );
        let _ = writeln!(
            out,
            "| [{id}](../sql/indicators/{id}.yml) | {} | {} | {} | {named} |",
            cell(&definition.title.en),
            cell(&definition.counting_rule.en),
            made_of(definition),
            id = definition.id
        );
    }
    Ok(out)
}

/// From what it is made: marts with their grids, or what is derived of released cells.
fn made_of(definition: &Definition) -> String {
    let grid = |table: &Table| {
        let (dataset, by) = (&table.dataset, table.by.join(" × "));
        format!("[{dataset}](../sql/marts/{dataset}.sql) `{}`: {by}", table.measure)
    };
    let mut parts: Vec<String> = definition.tables.iter().map(grid).collect();
    for (count, what) in [
        (definition.shares.len(), "shares of released cells"),
        (definition.quantiles.len(), "quantiles of released cells"),
        (usize::from(definition.rate.is_some()), "rate of released cells"),
        (definition.revisions.len(), "changes between editions"),
    ] {
        if count > 0 {
            parts.push(what.to_owned());
        }
    }
    parts.join("<br>")
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::named;

    const TESTS: &str = r#"
fn helper() { let unused = "C05"; }
#[tokio::test]
async fn a_person_counts_once() {
    assert_eq!(counted.year("V01", "victims", "2023"), 9);
    assert_eq!(counted.at("V03", "victims", "2023", &[]), 9);
}
/// Indicators: V02, Q04.
#[test]
fn by_hand() {
    derived("X99", "V1", "2023");
}
"#;

    #[test]
    fn a_test_belongs_to_what_it_names_in_its_lines_or_its_comment() {
        let found = named(TESTS, false);
        let ids = |at: usize| found[at].1.iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!((found[0].0.as_str(), ids(0)), ("a_person_counts_once", vec!["V01", "V03"]));
        assert_eq!((found[1].0.as_str(), ids(1)), ("by_hand", vec!["Q04", "V02"]));
        assert_eq!(named(TESTS, true).len(), 1, "where comments alone count");
    }

    #[test]
    fn the_page_is_what_definitions_and_tests_say() {
        super::run(&crate::root(), true).unwrap();
    }
}
