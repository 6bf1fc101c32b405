//! Lists the files of `web/dist` and the papers of `docs/` with their bytes, so that the program carries its pages and its documentation, and needs nothing but Rust to be built.
//! What they are built from, and how, is in `web/`; `web/check` holds the two together.

use std::fmt::Write as _;
use std::fs;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

fn main() -> Result<()> {
    papers()?;
    pages()
}

fn pages() -> Result<()> {
    println!("cargo:rerun-if-changed=web/dist");
    println!("cargo:rerun-if-changed=build.rs");
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("web/dist");
    let mut files = Vec::new();
    gather(&root, &mut files)
        .map_err(|e| Error::new(e.kind(), format!("{}: {e}; run web/check --write", root.display())))?;
    files.sort();
    let mut listed = String::from("/// Name below `web/dist` and bytes of each file, sorted by name.\n");
    listed.push_str("pub(crate) static FILES: &[(&str, &[u8])] = &[\n");
    for path in &files {
        let name = path.strip_prefix(&root).map_err(Error::other)?.to_string_lossy().replace('\\', "/");
        // By the folder of the crate, not its place on this machine: a build that is moved finds its files where it is now.
        let place = format!("/web/dist/{name}");
        writeln!(listed, "    ({name:?}, include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {place:?}))),")
            .map_err(Error::other)?;
    }
    listed.push_str("];\n");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join("pages.rs");
    fs::write(out, listed)
}

/// The papers of `docs/` that the program shows, by their names below it.
fn papers() -> Result<()> {
    let docs = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../../docs");
    println!("cargo:rerun-if-changed=../../README.md");
    let mut listed = String::from("/// Name and text of each page, sorted by name.\n");
    listed.push_str("pub(crate) static FILES: &[(&str, &str)] = &[\n");
    let mut entry = |name: &str, place: &str| {
        let place = format!("/../../{place}");
        writeln!(listed, "    ({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {place:?}))),")
            .map_err(Error::other)
    };
    for folder in ["guides", "runbooks"] {
        println!("cargo:rerun-if-changed=../../docs/{folder}");
        let mut names = Vec::new();
        for file in fs::read_dir(docs.join(folder))? {
            let name = file?.file_name().to_string_lossy().into_owned();
            names.extend(name.strip_suffix(".md").map(str::to_owned));
        }
        names.sort();
        for name in names {
            entry(&format!("{folder}/{name}"), &format!("docs/{folder}/{name}.md"))?;
        }
    }
    for name in ["methodology", "methodology.ur", "sdmx"] {
        println!("cargo:rerun-if-changed=../../docs/{name}.md");
        entry(name, &format!("docs/{name}.md"))?;
    }
    entry("readme", "README.md")?;
    listed.push_str("];\n");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join("docs.rs");
    fs::write(out, listed)
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
