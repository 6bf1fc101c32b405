//! The seeds of the fuzz targets, by the very code that fuzzing runs.

#[path = "../../../../fuzz/src/events.rs"]
mod held_to;

/// Every file of a corpus; none at all would be a mistake of the path.
fn replay(target: &str, hold: fn(&[u8])) {
    let folder = format!("{}/../../fuzz/corpus-seed/{target}", env!("CARGO_MANIFEST_DIR"));
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().collect();
    assert!(!files.is_empty());
    for file in files {
        hold(&std::fs::read(file.unwrap().path()).unwrap());
    }
}

#[test]
fn the_seeds_of_fuzzing_hold() {
    replay("structured", held_to::structured);
    replay("binary", held_to::binary);
    replay("sealed", held_to::sealed);
}
