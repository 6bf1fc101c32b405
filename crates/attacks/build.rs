//! What a measurement belongs to: a hash of the sources that a score follows from, so that parts of a long run are put together
//! only where they were made from the same (`src/kept.rs`). The hash of the program itself will not do: the same sources, built
//! again or in another folder, give other bytes.
//!
//! Not part of it: comments of Rust, tests, and the words of the page. A module that one part alone uses is hashed for that part
//! alone: a change to it makes that part anew, and not the whole night.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use blake3::Hasher;

/// Beside the crates: versions and profiles, code lists that are compiled in, the bypasses of A21.
const BESIDE: [&str; 4] = ["Cargo.lock", "Cargo.toml", "schemas/code-lists", "tests/attacks/bypasses.sql"];
/// Of a crate: what no score follows from.
const WITHOUT: [&str; 5] = ["tests", "examples", "benches", "open.toml", "page.rs"];
/// Parts, and the module that only each of them uses (held to by `tests/modules.rs`).
const OF_ONE_PART: [(&str, &str); 8] = [
    ("A8", "fronts.rs"),
    ("A10", "search.rs"),
    ("A11", "aggregates.rs"),
    ("A13", "published.rs"),
    ("A14", "dummies.rs"),
    ("A15", "changes.rs"),
    ("A16", "caseload.rs"),
    ("A19", "timing.rs"),
];

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("../..");
    let mut crates = BTreeSet::new();
    add_with_dependencies(&root, "attacks", &mut crates)?;
    let mut hasher = Hasher::new();
    hasher.update(env::var("PROFILE").map_err(io::Error::other)?.as_bytes());
    let crates = crates.iter().map(|name| format!("crates/{name}"));
    for path in BESIDE.into_iter().map(str::to_owned).chain(crates) {
        println!("cargo::rerun-if-changed=../../{path}");
        add(&root, Path::new(&path), &mut hasher)?;
    }
    println!("cargo::rustc-env=AMANAT_ATTACKS_SOURCES={}", hasher.finalize().to_hex());
    let mut own = String::new();
    for (part, module) in OF_ONE_PART {
        let mut hasher = Hasher::new();
        add_file(&root, &Path::new("crates/attacks/src").join(module), &mut hasher)?;
        own += &format!("{part}={} ", hasher.finalize().to_hex());
    }
    println!("cargo::rustc-env=AMANAT_ATTACKS_OWN={}", own.trim_end());
    Ok(())
}

/// A crate of this workspace, and those that it needs.
fn add_with_dependencies(root: &Path, name: &str, crates: &mut BTreeSet<String>) -> io::Result<()> {
    if !crates.insert(name.to_owned()) {
        return Ok(());
    }
    let text = fs::read_to_string(root.join("crates").join(name).join("Cargo.toml"))?;
    let manifest: toml::Table = text.parse().map_err(io::Error::other)?;
    let needs = manifest.get("dependencies").and_then(toml::Value::as_table);
    for needed in needs.into_iter().flat_map(toml::Table::keys).filter(|name| root.join("crates").join(name).is_dir()) {
        add_with_dependencies(root, needed, crates)?;
    }
    Ok(())
}

/// A file with its path, or a folder with all that is in it, in the order of names.
fn add(root: &Path, path: &Path, hasher: &mut Hasher) -> io::Result<()> {
    let full = root.join(path);
    if full.is_dir() {
        let mut names = fs::read_dir(&full)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
        names.sort();
        return names
            .iter()
            .filter(|name| !WITHOUT.iter().any(|without| *name == without) && !is_of_one_part(&path.join(name)))
            .try_for_each(|name| add(root, &path.join(name), hasher));
    }
    add_file(root, path, hasher)
}

fn is_of_one_part(path: &Path) -> bool {
    let of_attacks = path.strip_prefix("crates/attacks/src");
    of_attacks.is_ok_and(|path| OF_ONE_PART.iter().any(|(_, module)| path == Path::new(module)))
}

fn add_file(root: &Path, path: &Path, hasher: &mut Hasher) -> io::Result<()> {
    let mut bytes = fs::read(root.join(path))?;
    if path.extension().is_some_and(|extension| extension == "rs") {
        let is_code = |line: &&[u8]| !line.trim_ascii_start().starts_with(b"//");
        bytes = bytes.split(|&byte| byte == b'\n').filter(is_code).collect::<Vec<_>>().join(&b'\n');
    }
    for part in [path.as_os_str().as_encoded_bytes(), &bytes] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    Ok(())
}
