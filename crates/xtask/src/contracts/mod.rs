//! `cargo xtask contracts`: what is released of the contract with agencies is frozen, and its descriptions are made from it.
//!
//! Everything is read from the files under `schemas/`, which a test of `events` compares with the code. Whether a new version of
//! an Avro schema reads what all before it wrote is judged by a test of `gateway`, which has the judge.

mod asyncapi;
mod released;
mod site;
mod versions;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// `cargo xtask contracts …`
#[derive(clap::Args)]
pub struct Args {
    /// Write schemas/asyncapi.yaml anew
    #[arg(long)]
    write: bool,
    /// Add the versions that are not yet in schemas/RELEASED: from then on they are frozen
    #[arg(long)]
    release: bool,
    /// Write a site of plain HTML pages, one per event type, into this folder
    #[arg(long, value_name = "DIR")]
    site: Option<PathBuf>,
}

/// Checks what is released, or writes what was asked for.
pub fn run(root: &Path, args: &Args) -> Result<()> {
    let contract = Contract::read(&root.join("schemas"))?;
    if args.release {
        let added = released::add(&contract)?;
        println!("{added} file(s) released");
    }
    if args.write {
        fs::write(contract.folder.join(asyncapi::FILE), asyncapi::text(&contract)?)?;
    }
    if let Some(folder) = &args.site {
        println!("{} page(s) in {}", site::write(&contract, folder)?, folder.display());
    }
    check(&contract)
}

/// Refuses a change of what is released, and a description that is not of today.
fn check(contract: &Contract) -> Result<()> {
    let mut breaches = released::breaches(contract)?;
    breaches.extend(versions::breaches(contract));
    let file = contract.folder.join(asyncapi::FILE);
    if fs::read_to_string(&file).unwrap_or_default() != asyncapi::text(contract)? {
        breaches.push(format!("{}: not of today; run `cargo xtask contracts --write`", asyncapi::FILE));
    }
    if breaches.is_empty() {
        return Ok(());
    }
    bail!("{} breach(es) of the contract:\n  {}", breaches.len(), breaches.join("\n  "))
}

/// The contract as it lies under `schemas/`.
pub struct Contract {
    folder: PathBuf,
    envelope: Value,
    /// By short name (`case.registered`).
    types: BTreeMap<String, EventType>,
    /// By name.
    code_lists: BTreeMap<String, Value>,
}

/// What there is of an event type.
pub struct EventType {
    /// JSON Schema by version.
    schemas: BTreeMap<u32, Value>,
    /// Avro schema by version.
    avro: BTreeMap<u32, Value>,
    /// Valid samples by name.
    samples: BTreeMap<String, Value>,
    /// Events of invalid samples by name; of those that are one JSON document.
    refused: BTreeMap<String, Value>,
    /// Golden samples of steps from a version to the next by name: `from` and `to`.
    upcasts: BTreeMap<String, Value>,
}

impl EventType {
    /// The newest version with its schema.
    fn newest(&self) -> Result<(u32, &Value)> {
        let newest = self.schemas.last_key_value().context("an event type has a JSON Schema")?;
        Ok((*newest.0, newest.1))
    }
}

impl Contract {
    /// Reads everything.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut contract = Self {
            folder: folder.to_path_buf(),
            envelope: json(&folder.join("envelope/v1.json"))?,
            types: BTreeMap::new(),
            code_lists: BTreeMap::new(),
        };
        for path in files(&folder.join("code-lists"), "json")? {
            contract.code_lists.insert(stem(&path), json(&path)?);
        }
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && name.contains('.') {
                contract.types.insert(name, event_type(&path)?);
            }
        }
        Ok(contract)
    }
}

fn event_type(folder: &Path) -> Result<EventType> {
    let versions = |extension| -> Result<BTreeMap<u32, Value>> {
        let version = |path: PathBuf| {
            let number = stem(&path).strip_prefix('v').and_then(|number| number.parse().ok());
            Ok((number.with_context(|| format!("{}: not named v1, v2, …", path.display()))?, json(&path)?))
        };
        files(folder, extension)?.into_iter().map(version).collect()
    };
    let samples = |which: &str| -> Result<BTreeMap<String, Value>> {
        let folder = folder.join("samples").join(which);
        let files = if folder.exists() { files(&folder, "json")? } else { Vec::new() };
        files.into_iter().map(|path| Ok((stem(&path), json(&path)?))).collect()
    };
    let refused = samples("invalid")?.into_iter().map(|(name, sample)| (name, sample["event"].clone())).collect();
    let (schemas, avro) = (versions("json")?, versions("avsc")?);
    Ok(EventType { schemas, avro, samples: samples("valid")?, refused, upcasts: samples("upcasts")? })
}

fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("{}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|of| of == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn json(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schemas() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas")
    }

    #[test]
    fn the_contract_is_as_it_was_released_and_described_as_it_is() {
        check(&Contract::read(&schemas()).unwrap()).unwrap();
    }

    #[test]
    fn the_site_has_a_page_for_each_type_and_none_leads_elsewhere() {
        let contract = Contract::read(&schemas()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        site::write(&contract, folder.path()).unwrap();
        for name in contract.types.keys() {
            let page = fs::read_to_string(folder.path().join(format!("{name}.html"))).unwrap();
            assert!(page.contains(&format!("pk.tip.{name}")) && page.contains("record_version"), "{name}");
            for link in page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
                let target = link.split('#').next().unwrap();
                assert!(!link.contains("://") && folder.path().join(target).exists(), "{name}: {link}");
            }
            assert!(!page.contains("<script"), "plain pages");
        }
    }

    /// A copy of the contract with one file changed.
    fn changed(file: &str, change: impl FnOnce(String) -> Option<String>) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        copy(&schemas(), folder.path());
        let path = folder.path().join(file);
        match change(fs::read_to_string(&path).unwrap()) {
            Some(text) => fs::write(&path, text).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let contract = Contract::read(folder.path()).unwrap();
        [released::breaches(&contract).unwrap(), versions::breaches(&contract)].concat()
    }

    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            if entry.path().is_dir() {
                copy(&entry.path(), &to.join(entry.file_name()));
            } else {
                fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
    }

    #[test]
    fn a_released_schema_that_changes_is_refused_with_the_remedy() {
        for change in
            [("\"minItems\": 1", "\"minItems\": 2"), ("\"required\": [\"record_version\", ", "\"required\": [")]
        {
            let breaches = changed("case.registered/v1.json", |text| Some(text.replacen(change.0, change.1, 1)));
            assert!(breaches.len() == 1 && breaches[0].contains("case.registered/v2.json"), "{breaches:?}");
        }
    }

    #[test]
    fn a_released_file_that_is_gone_is_refused() {
        let breaches = changed("code-lists/verdict.json", |_| None);
        assert!(breaches.iter().any(|breach| breach.contains("code-lists/verdict.json")), "{breaches:?}");
    }

    #[test]
    fn a_description_may_be_mended_and_layout_does_not_count() {
        let mended =
            |text: String| Some(text.replace("The agency's counter on the record.", "A counter.").replace("  ", " "));
        assert_eq!(changed("case.registered/v1.json", mended), Vec::<String>::new());
    }

    #[test]
    fn a_code_may_be_added_to_a_list_at_its_end_and_none_may_go_or_move() {
        const NEW: &str = r#"{"code": "N", "en": "n", "ur": "n"}"#;
        let added = |text: String| Some(text.replacen("}\n  ]", &format!("}},\n    {NEW}\n  ]"), 1));
        assert_eq!(changed("code-lists/sex.json", added), Vec::<String>::new());
        let between =
            |text: String| Some(text.replacen("{\"code\": \"F\"", &format!("{NEW},\n    {{\"code\": \"F\""), 1));
        let moved = changed("code-lists/sex.json", between);
        assert!(moved.len() == 1 && moved[0].contains("at the end"), "{moved:?}");
        let gone = changed("code-lists/sex.json", |text| Some(text.replacen("\"code\": \"F\"", "\"code\": \"FF\"", 1)));
        assert!(gone.len() == 1 && gone[0].contains("`F`"), "{gone:?}");
    }

    #[test]
    fn a_released_schema_that_admits_a_new_code_is_refused_and_a_new_version_named() {
        let added = |text: String| Some(text.replacen("\"other\", \"_X\"", "\"other\", \"NEW-1\", \"_X\"", 1));
        let breaches = changed("case.registered/v1.json", added);
        let said =
            breaches.len() == 1 && breaches[0].contains("NEW-1") && breaches[0].contains("case.registered/v2.json");
        assert!(said, "{breaches:?}");
        let gone = changed("case.registered/v1.json", |text| Some(text.replacen("\"PK-JK\", ", "", 1)));
        assert!(gone.len() == 1 && gone[0].contains("PK-JK"), "{gone:?}");
    }

    #[test]
    fn a_version_that_refuses_what_an_earlier_one_accepted_is_named() {
        let narrower =
            |text: String| Some(text.replacen("\"place_identified\"\n", "\"place_identified\", \"scope\"\n", 1));
        let breaches = changed("victim.identified/v3.json", narrower);
        assert!(breaches.iter().any(|breach| breach.contains("does not accept all that v1 accepted")), "{breaches:?}");
    }

    #[test]
    fn a_version_without_samples_or_without_a_step_to_the_next_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        copy(&schemas(), folder.path());
        let type_folder = folder.path().join("record.corrected");
        fs::remove_dir_all(type_folder.join("samples/upcasts")).unwrap();
        fs::remove_file(type_folder.join("samples/valid/v2_contact_id.json")).unwrap();
        let breaches = versions::breaches(&Contract::read(folder.path()).unwrap());
        let said = |part: &str| breaches.iter().any(|breach| breach.contains(part));
        assert!(said("record.corrected/v1.json: no golden sample of its step to v2"), "{breaches:?}");
        assert!(said("crates/events/src/upcast.rs"), "{breaches:?}");
        assert!(
            said("record.corrected/v2.json: no sample of it; add one to record.corrected/samples/valid"),
            "{breaches:?}"
        );
    }
}
