//! The fences of the house: `cargo metadata` against the table of allowed arrows in ARCHITECTURE.md, and the bans,
//! licences and sources of `deny.toml`, checked offline.
//!
//! Absent: advisories (they need a database from the network; `cargo audit` reads it where there is one).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// Rooms that only tests and developers use: nobody but they themselves may depend on them outside `[dev-dependencies]`.
const DEV_ROOMS: [&str; 4] = ["attacks", "testkit", "protocol", "xtask"];

/// What cargo knows of the house, as it is built on this platform: crates of other platforms need not be here.
fn metadata(root: &Path) -> Result<Metadata> {
    let host = Command::new("rustc").arg("-vV").output().context("rustc -vV")?;
    let host = String::from_utf8(host.stdout)?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let options = ["--offline", "--filter-platform", host].map(String::from).to_vec();
    Ok(MetadataCommand::new().manifest_path(root.join("Cargo.toml")).other_options(options).exec()?)
}

/// Checks everything and prints one line for each breach; an error when there is one.
pub fn check(root: &Path) -> Result<()> {
    let metadata = metadata(root)?;
    let architecture = std::fs::read_to_string(root.join("ARCHITECTURE.md")).context("ARCHITECTURE.md")?;
    let deny: toml::Table = std::fs::read_to_string(root.join("deny.toml")).context("deny.toml")?.parse()?;
    let mut breaches = arrows(&metadata, &allowed_arrows(&architecture)?);
    breaches.extend(bans(&metadata, &deny)?);
    breaches.extend(licences(&metadata, &deny)?);
    breaches.extend(sources(&metadata));
    if breaches.is_empty() {
        return Ok(());
    }
    bail!("{} breach(es) of the fences:\n  {}", breaches.len(), breaches.join("\n  "))
}

/// Reads the table under the heading "Allowed arrows": `| crate | may depend on |`, names separated by spaces.
pub fn allowed_arrows(architecture: &str) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let section =
        architecture.split("Allowed arrows").nth(1).context("ARCHITECTURE.md has no section \"Allowed arrows\"")?;
    let mut table = BTreeMap::new();
    for line in
        section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|')).skip(2)
    {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [room, arrows, ..] = cells.as_slice() else {
            bail!("a row of the arrows table has fewer than two cells: {line}")
        };
        let names = arrows.split_whitespace().filter(|name| *name != "–").map(|name| name.trim_matches('`').to_owned());
        table.insert(room.trim_matches('`').to_owned(), names.collect());
    }
    Ok(table)
}

fn members(metadata: &Metadata) -> impl Iterator<Item = &Package> {
    metadata.packages.iter().filter(|package| metadata.workspace_members.contains(&package.id))
}

fn arrows(metadata: &Metadata, allowed: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let rooms: BTreeSet<&str> = members(metadata).map(|package| package.name.as_str()).collect();
    let mut breaches = Vec::new();
    for package in members(metadata) {
        let name = package.name.as_str();
        let Some(may) = allowed.get(name) else {
            breaches.push(format!("{name}: not in the arrows table of ARCHITECTURE.md"));
            continue;
        };
        let built: BTreeSet<String> = package
            .dependencies
            .iter()
            .filter(|dependency| {
                dependency.kind != DependencyKind::Development && rooms.contains(dependency.name.as_str())
            })
            .map(|dependency| dependency.name.clone())
            .collect();
        breaches.extend(
            built.difference(may).map(|to| format!("{name} → {to}: an arrow that ARCHITECTURE.md does not allow")),
        );
        breaches.extend(
            may.difference(&built)
                .map(|to| format!("{name} → {to}: in ARCHITECTURE.md, but the code has no such arrow")),
        );
        if !DEV_ROOMS.contains(&name) {
            breaches.extend(
                built
                    .iter()
                    .filter(|to| DEV_ROOMS.contains(&to.as_str()))
                    .map(|to| format!("{name} → {to}: a developers' room outside dev-dependencies")),
            );
        }
    }
    breaches.extend(
        allowed
            .keys()
            .filter(|name| !rooms.contains(name.as_str()))
            .map(|name| format!("{name}: in ARCHITECTURE.md, but there is no such crate")),
    );
    breaches
}

fn table<'a>(deny: &'a toml::Table, section: &str, key: &str) -> Result<&'a Vec<toml::Value>> {
    deny.get(section)
        .and_then(|value| value.get(key))
        .and_then(toml::Value::as_array)
        .with_context(|| format!("deny.toml has no {section}.{key}"))
}

fn bans(metadata: &Metadata, deny: &toml::Table) -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for ban in table(deny, "bans", "deny")? {
        let banned = ban.get("crate").and_then(toml::Value::as_str).context("a ban without `crate`")?;
        let wrappers: Option<BTreeSet<&str>> = ban
            .get("wrappers")
            .and_then(toml::Value::as_array)
            .map(|names| names.iter().filter_map(toml::Value::as_str).collect());
        match wrappers {
            Some(wrappers) => breaches.extend(
                members(metadata)
                    .filter(|package| {
                        !DEV_ROOMS.contains(&package.name.as_str()) && !wrappers.contains(package.name.as_str())
                    })
                    .filter(|package| {
                        package
                            .dependencies
                            .iter()
                            .any(|dependency| dependency.name == banned && dependency.kind == DependencyKind::Normal)
                    })
                    .map(|package| format!("{} → {banned}: only {wrappers:?} may touch it", package.name)),
            ),
            None if metadata.packages.iter().any(|package| package.name.as_str() == banned) => {
                breaches.push(format!("{banned} is banned and in the tree"));
            }
            None => {}
        }
    }
    Ok(breaches)
}

fn licences(metadata: &Metadata, deny: &toml::Table) -> Result<Vec<String>> {
    let allowed: BTreeSet<&str> = table(deny, "licenses", "allow")?.iter().filter_map(toml::Value::as_str).collect();
    Ok(metadata
        .packages
        .iter()
        .filter(|package| !package.license.as_deref().is_some_and(|licence| satisfied(licence, &allowed)))
        .map(|package| {
            format!(
                "{} {}: licence {:?} is not among those of deny.toml",
                package.name, package.version, package.license
            )
        })
        .collect())
}

/// An SPDX expression holds when, of each group joined by AND, one alternative joined by OR is allowed. Parentheses in the
/// registry's expressions only ever group the ORs, so AND binds last.
fn satisfied(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let flat = expression.replace('/', " OR ").replace(['(', ')'], "");
    flat.split(" AND ").all(|group| group.split(" OR ").any(|licence| allowed.contains(licence.trim())))
}

fn sources(metadata: &Metadata) -> Vec<String> {
    metadata
        .packages
        .iter()
        .filter(|package| package.source.as_ref().is_some_and(|source| !source.is_crates_io()))
        .map(|package| format!("{} {}: comes from elsewhere than crates.io", package.name, package.version))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_as_architecture_md_says() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        check(&root).unwrap();
    }

    #[test]
    fn an_arrow_that_is_not_in_the_table_is_a_breach() {
        let metadata = metadata(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap();
        let none: BTreeMap<String, BTreeSet<String>> =
            members(&metadata).map(|package| (package.name.to_string(), BTreeSet::new())).collect();
        assert!(arrows(&metadata, &none).iter().any(|breach| breach.starts_with("ingest → lake")));
    }

    #[test]
    fn licences_are_read_as_expressions() {
        let allowed = BTreeSet::from(["MIT", "ISC"]);
        assert!(satisfied("Apache-2.0 OR MIT", &allowed));
        assert!(satisfied("(Apache-2.0 OR ISC) AND MIT", &allowed));
        assert!(!satisfied("MIT AND GPL-3.0", &allowed));
    }
}
