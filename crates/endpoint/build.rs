//! Lists the files of `web/dist` with their bytes, so that the program carries its pages and needs nothing but Rust to be built.
//! What they are built from, and how, is in `web/`; `web/check` holds the two together.

use std::fmt::Write as _;
use std::fs;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

fn main() -> Result<()> {
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
