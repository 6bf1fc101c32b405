//! The committed seeds of a target, for the tests of the room whose code it asks: by the very code that fuzzing runs.

/// Holds every seed of the target to a property; none at all would be a mistake of the path.
pub fn each(target: &str, hold: fn(&[u8])) {
    let folder = format!("{}/../../fuzz/corpus-seed/{target}", env!("CARGO_MANIFEST_DIR"));
    let files: Vec<_> = std::fs::read_dir(folder).expect("the target has seeds").collect();
    assert!(!files.is_empty());
    for file in files {
        hold(&std::fs::read(file.expect("a seed").path()).expect("a seed"));
    }
}
