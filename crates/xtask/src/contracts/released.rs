//! What is released, and that it stays so: `schemas/RELEASED` has a line for each released file.
//!
//! `schema FILE HASH CODES`: the hash is of what the schema says without descriptions and without its lists of codes; these follow
//! by name, so that one that was added can be told: a program that knows the version would set it aside, so it belongs to a new
//! version. (The envelope's lists are of types and versions, and may gain some.) `avro FILE HASH`: the hash is of all but
//! descriptions. `codes FILE - CODES`: a list of codes, in its order; it may gain some at its end, for codes are numbered by place.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use super::Contract;

const FILE: &str = "RELEASED";

const HEAD: &str = "# What of the contract is released, and frozen from then on. Checked by `cargo xtask contracts`, written by `--release`; never\n# change or remove a line: a change of the contract is a new version beside the released one. docs: schemas/README.md\n";

/// One file of the contract: its line in the list.
struct Frozen {
    kind: String,
    file: String,
    hash: String,
    codes: Vec<String>,
}

impl Frozen {
    fn line(&self) -> String {
        let codes = self.codes.join(" ");
        [self.kind.as_str(), &self.file, &self.hash, &codes].join(" ").trim_end().to_owned()
    }
}

/// Every file of the contract, as it is today.
fn today(contract: &Contract) -> Vec<Frozen> {
    let mut all = vec![schema("schema", "envelope/v1.json".into(), &contract.envelope)];
    for (name, kind) in &contract.types {
        all.extend(
            kind.schemas.iter().map(|(version, value)| schema("schema", format!("{name}/v{version}.json"), value)),
        );
        all.extend(kind.avro.iter().map(|(version, value)| schema("avro", format!("{name}/v{version}.avsc"), value)));
    }
    for (name, list) in &contract.code_lists {
        let codes = list["codes"].as_array().into_iter().flatten().filter_map(|code| code["code"].as_str());
        let codes = codes.map(str::to_owned).collect();
        all.push(Frozen { kind: "codes".into(), file: format!("code-lists/{name}.json"), hash: "-".into(), codes });
    }
    all
}

fn schema(kind: &str, file: String, value: &Value) -> Frozen {
    let mut codes = BTreeSet::new();
    let bare = without_words(value, &mut codes);
    let hash = blake3::hash(bare.to_string().as_bytes()).to_hex()[..16].to_owned();
    Frozen { kind: kind.into(), file, hash, codes: codes.into_iter().collect() }
}

/// What a schema says: keys sorted, without descriptions; its lists of codes are taken out into `codes`.
fn without_words(value: &Value, codes: &mut BTreeSet<String>) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| without_words(item, codes)).collect(),
        Value::Object(object) => {
            let listed = object.get("items").is_some_and(|items| items.get("enum").is_some());
            let mut kept: Vec<(&String, Value)> = Vec::new();
            for (key, inner) in object {
                match (key.as_str(), inner) {
                    ("description" | "doc" | "title" | "$comment", Value::String(_)) => {}
                    // Closed lists.
                    ("enum", Value::Array(list)) => {
                        codes.extend(
                            list.iter().map(|code| code.as_str().map_or_else(|| code.to_string(), str::to_owned)),
                        );
                    }
                    // As many as there are codes.
                    ("maxItems", Value::Number(_)) if listed => {}
                    _ => kept.push((key, without_words(inner, codes))),
                }
            }
            kept.sort_by_key(|(key, _)| key.as_str());
            Value::Object(kept.into_iter().map(|(key, inner)| (key.clone(), inner)).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

fn read(contract: &Contract) -> Result<Vec<Frozen>> {
    let text = fs::read_to_string(contract.folder.join(FILE)).context("schemas/RELEASED")?;
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let mut words = line.split(' ').map(str::to_owned);
            let (Some(kind), Some(file), Some(hash)) = (words.next(), words.next(), words.next()) else {
                bail!("schemas/RELEASED: not `kind file hash codes`: {line}")
            };
            Ok(Frozen { kind, file, hash, codes: words.collect() })
        })
        .collect()
}

/// What of the released contract is not as it was, each with the remedy.
pub fn breaches(contract: &Contract) -> Result<Vec<String>> {
    let today = today(contract);
    let mut breaches = Vec::new();
    for Frozen { kind, file, hash, codes } in read(contract)? {
        let Some(now) = today.iter().find(|frozen| frozen.file == file) else {
            breaches.push(format!("{file}: released and gone; bring it back, events were written with it"));
            continue;
        };
        if now.hash != hash {
            breaches.push(format!("{file}: released and changed; bring it back and add {}", next(contract, &file)));
        }
        for code in codes.iter().filter(|code| !now.codes.contains(code)) {
            breaches.push(format!(
                "{file}: the released code `{code}` is gone; bring it back, events were written with it"
            ));
        }
        let whole = codes.iter().all(|code| now.codes.contains(code));
        if kind == "codes" && whole && !now.codes.starts_with(&codes) {
            breaches
                .push(format!("{file}: released codes have moved; codes are numbered by place, so add one at the end"));
        }
        let closed = kind == "schema" && !file.starts_with("envelope/");
        for code in now.codes.iter().filter(|code| closed && !codes.contains(code)) {
            breaches.push(format!(
                "{file}: released, and now takes the code `{code}`, which a program that knows this version would set aside; \
                 let it keep the first codes of the list (`First` in crates/events) and add {}",
                next(contract, &file)
            ));
        }
    }
    Ok(breaches)
}

/// The file that a change belongs into.
fn next(contract: &Contract, file: &str) -> String {
    let (name, rest) = file.split_once('/').unwrap_or((file, ""));
    let extension = rest.rsplit('.').next().unwrap_or("json");
    let newest = contract.types.get(name).and_then(|kind| kind.schemas.keys().last()).copied().unwrap_or(1);
    format!("{name}/v{}.{extension}", newest + 1)
}

/// Adds what is not in the list yet; returns how many files. Codes that were added to a released file are added to its line.
pub fn add(contract: &Contract) -> Result<usize> {
    let broken = if contract.folder.join(FILE).exists() { breaches(contract)? } else { Vec::new() };
    if !broken.is_empty() {
        bail!("nothing is released while what was is broken:\n  {}", broken.join("\n  "));
    }
    let known: BTreeSet<String> = if contract.folder.join(FILE).exists() {
        read(contract)?.into_iter().map(|frozen| frozen.file).collect()
    } else {
        BTreeSet::new()
    };
    let all = today(contract);
    let mut text = HEAD.to_owned();
    for frozen in &all {
        writeln!(text, "{}", frozen.line())?;
    }
    fs::write(contract.folder.join(FILE), text)?;
    Ok(all.iter().filter(|frozen| !known.contains(&frozen.file)).count())
}
