//! A vault with less protection is for attacks: no other room names it.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn only_attacks_weaken_a_vault() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    sources(&crates, &mut files);
    assert!(files.len() > 100, "{} files", files.len());
    let names = |path: &&PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        text.contains("weakened(") || text.contains("Protection::")
    };
    let room = |path: &PathBuf| path.strip_prefix(&crates).unwrap().iter().next().unwrap().to_owned();
    let mut rooms: Vec<_> = files.iter().filter(names).map(room).collect();
    rooms.dedup();
    rooms.sort();
    rooms.dedup();
    assert_eq!(rooms, ["attacks", "disclosure"]);
}
