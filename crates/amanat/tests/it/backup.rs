//! `amanat backup`: a copy beside who asks and is answered, and what becomes of it in a fresh directory.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::door::House;
use crate::program::{Done, World, is_empty};

const QUESTIONS: [&str; 2] = [
    "select province, count(*) from victims where year = 2024 and sex = 'F' group by province order by 1",
    "select time_period, value from published.v01 order by 1, 2",
];

/// A command over a store in another place.
fn over(house: &House, data: &Path, args: &[&str], environment: &[(&str, &str)]) -> Done {
    let mut command = house.world.command(&[]);
    let program = command.get_program().to_owned();
    command = std::process::Command::new(program);
    command.args(args).arg("--data").arg(data).env("AMANAT_KEY", &house.keys[0]).envs(environment.iter().copied());
    let output = command.output().unwrap();
    Done {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn answers(house: &House, data: &Path, environment: &[(&str, &str)]) -> Vec<String> {
    QUESTIONS.map(|sql| over(house, data, &["sql", sql, "--format", "csv"], environment).ok()).into()
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn a_copy_made_while_questions_are_asked_answers_as_the_original_and_its_audit_log_is_whole() {
    let house = House::open();
    let expected = answers(&house, &house.world.data(), &[]);
    let copy = house.world.root.path().join("copy");
    let stop = AtomicBool::new(false);
    let said = std::thread::scope(|scope| {
        let (house, stop) = (&house, &stop);
        scope.spawn(move || {
            let levels = ["age_band", "referral_source", "citizenship", "exploitation", "quarter"];
            for level in levels.iter().cycle().take_while(|_| !stop.load(Ordering::Relaxed)) {
                house.ask(&format!("select {level}, count(*) from victims where year = 2024 group by {level}"));
            }
        });
        let said = house.world.run(&["backup", copy.to_str().unwrap()]);
        stop.store(true, Ordering::Relaxed);
        said
    });
    let said = said.ok();
    for part in ["vault.db", "audit.db", "log.db", "lake", "readers.toml", "not copied: keys/master", "To restore"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!copy.join("keys").exists() && !copy.join("lake/marts").exists());
    assert!(files(&copy).iter().all(|file| mode(file) == 0o600), "for its owner's eyes");
    let key = house.world.data().join("keys/master");
    let escrow = [("AMANAT_MASTER_KEY_FILE", key.to_str().unwrap())];
    let without = over(&house, &copy, &["status"], &[]).refused(4);
    assert!(without.contains("keys/master"), "{without}");
    assert!(over(&house, &copy, &["audit", "verify"], &[]).ok().contains("the audit log is whole"));
    assert_eq!(answers(&house, &copy, &escrow), expected);
    house.close();
}

#[test]
fn with_its_keys_a_copy_is_a_store_and_says_what_it_holds() {
    let house = House::open();
    let copy = house.world.root.path().join("with keys");
    let done = house.world.run(&["backup", copy.to_str().unwrap(), "--with-keys"]);
    assert!(done.err.contains("the copy holds the master secret"), "{done:?}");
    done.ok();
    assert_eq!((mode(&copy.join("keys/master")), mode(&copy)), (0o600, 0o700));
    let listed = over(&house, &copy, &["edition", "list"], &[]).ok();
    assert!(listed.contains("2025-12-31"), "{listed}");
    house.close();
}

#[test]
fn a_copy_goes_to_an_empty_place_outside_the_store_and_of_a_store_alone() {
    let world = World::real();
    let full = world.root.path().join("full");
    std::fs::create_dir(&full).unwrap();
    std::fs::write(full.join("something"), "of somebody").unwrap();
    let error = world.run(&["backup", full.to_str().unwrap()]).refused(2);
    assert!(error.contains("is not empty"), "{error}");
    let inside = world.data().join("copy/of/today");
    assert!(world.run(&["backup", inside.to_str().unwrap()]).refused(2).contains("inside the data directory"));
    assert!(!world.data().join("copy").exists());
    let nothing = World::new();
    let place = nothing.root.path().join("copy");
    assert!(nothing.run(&["backup", place.to_str().unwrap()]).refused(4).contains("there is no store in"));
    assert!(is_empty(&place));
    let help = world.run(&["backup", "--help"]).ok();
    assert!(help.contains("amanat backup /backup/"), "{help}");
}

#[test]
fn a_copy_that_was_broken_off_is_no_store() {
    let world = World::real();
    let copy = world.root.path().join("copy");
    world.run(&["backup", copy.to_str().unwrap(), "--with-keys"]).ok();
    std::fs::remove_file(copy.join("store.toml")).unwrap();
    let mut command = std::process::Command::new(world.command(&[]).get_program());
    let output = command.args(["status", "--data"]).arg(&copy).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(4) && said.contains("half written"), "{said}");
}
