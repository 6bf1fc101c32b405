//! What of a long run is kept is asked of the sources it followed from: of those all parts use, and of the module that is one
//! part's own (`build.rs`).

use std::fs;
use std::path::{Path, PathBuf};

/// Parts and modules, as the build script has them.
fn of_one_part() -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join("build.rs")).expect("the build script");
    let list = text.split("const OF_ONE_PART").nth(1).and_then(|rest| rest.split("];").next()).expect("the list");
    let quoted: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
    let pairs = quoted.chunks(2);
    pairs.map(|pair| (pair[0].to_lowercase(), pair[1].trim_end_matches(".rs").to_owned())).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// The functions of a source in which a module is named.
fn users(text: &str, module: &str) -> Vec<String> {
    let mut inside = "";
    let mut found = Vec::new();
    for line in text.lines() {
        let starts = ["fn ", "pub fn ", "pub(super) fn "].iter().find_map(|start| line.strip_prefix(start));
        if let Some(name) = starts {
            inside = name.split('(').next().unwrap_or_default();
        }
        let is_import = line.starts_with("use ") || line.starts_with("//");
        if !is_import
            && line
                .split(|at: char| !at.is_alphanumeric() && at != ':' && at != '_')
                .any(|word| word.starts_with(&format!("{module}::")))
        {
            found.push(inside.to_owned());
        }
    }
    found
}

#[test]
fn a_module_of_one_part_is_used_by_that_part_alone() {
    let pairs = of_one_part();
    assert!(pairs.len() >= 8, "{pairs:?}");
    for (part, module) in pairs {
        let mut by_its_part = 0;
        for path in sources(&root().join("src")) {
            let text = fs::read_to_string(&path).expect("a source");
            let is_suite = path.ends_with("suite.rs") || path.parent().is_some_and(|folder| folder.ends_with("suite"));
            let is_named = ["crate", "attacks"].iter().any(|of| text.contains(&format!("{of}::{module}")));
            let imports = is_named && !is_suite;
            assert!(!imports, "{} uses {module}, which is {part}'s own", path.display());
            let users = if is_suite { users(&text, &module) } else { Vec::new() };
            assert!(users.iter().all(|user| *user == part), "{module} is used by {users:?}, not by {part} alone");
            by_its_part += users.len();
        }
        assert!(by_its_part > 0, "{module} is not used by {part}");
    }
}
