//! Data directories, addresses and settings that cannot be used: each with its exit code and a remedy, nothing made worse.

use std::net::TcpListener;

use crate::program::{World, event, is_empty};

#[test]
fn a_port_in_use_is_said_with_a_remedy() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let error = World::real().run(&["up", "--http", &address]).refused(5);
    assert!(error.contains("in use") && error.contains(&address) && error.contains("--http"), "{error}");
}

#[test]
fn a_directory_of_a_newer_version_is_not_touched() {
    let world = World::real();
    let newer = "format = 99\nanother_key = true\n";
    std::fs::write(world.data().join("store.toml"), newer).unwrap();
    for command in [&["status"][..], &["up", "--once"], &["publish", "-"]] {
        let error = world.run(command).refused(4);
        assert!(error.contains("newer program"), "{error}");
    }
    assert_eq!(std::fs::read_to_string(world.data().join("store.toml")).unwrap(), newer);
}

#[test]
fn a_half_written_directory_is_refused_and_not_made_anew() {
    let without_key = World::real();
    std::fs::remove_file(without_key.data().join("keys/master")).unwrap();
    for command in [&["status"][..], &["up", "--once"]] {
        let error = without_key.run(command).refused(4);
        assert!(error.contains("keys/master") && error.contains("restore"), "{error}");
    }
    assert!(!without_key.data().join("keys/master").exists(), "another key would be another store");

    let without_name = World::real();
    std::fs::remove_file(without_name.data().join("store.toml")).unwrap();
    std::fs::write(without_name.data().join("log.db"), "").unwrap();
    let error = without_name.run(&["up", "--once"]).refused(4);
    assert!(error.contains("half written"), "{error}");

    let cut = World::real();
    std::fs::write(cut.data().join("store.toml"), "form").unwrap();
    assert!(cut.run(&["status"]).refused(4).contains("half written"));
}

#[test]
fn a_key_of_another_store_is_refused() {
    let world = World::real();
    std::fs::write(world.data().join("keys/master"), [7; 32]).unwrap();
    assert!(world.run(&["status"]).refused(4).contains("key"));
}

#[test]
fn a_place_that_cannot_be_written_is_said() {
    let world = World::new();
    std::fs::write(world.data(), "a file where a directory belongs").unwrap();
    let below = world.data().join("store");
    let error = world.run(&["up", "--once", "--data", below.to_str().unwrap()]);
    assert_ne!(error.code, Some(0), "{error:?}");
    let mut command = world.command(&["up", "--once"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{output:?}");
}

#[test]
fn a_read_only_directory_is_said() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::real();
    std::fs::set_permissions(world.data(), std::fs::Permissions::from_mode(0o500)).unwrap();
    let writable = std::fs::write(world.data().join("probe"), "").is_ok();
    let done = (!writable).then(|| world.publish(&event(1, false)));
    std::fs::set_permissions(world.data(), std::fs::Permissions::from_mode(0o700)).unwrap();
    match done {
        Some(done) => assert!(done.refused(4).contains("cannot")),
        None => eprintln!("SKIPPED: this user may write whatever the mode says"),
    }
}

#[test]
fn a_store_admits_its_own_kind_of_data_only() {
    let real = World::real();
    assert!(real.run(&["up", "--sample"]).refused(4).contains("real data"));
    assert!(real.publish(&event(1, true)).refused(3).contains("real data only"));
    let sample = World::sample();
    assert!(sample.publish(&event(1, false)).refused(3).contains("synthetic data only"));
    let file = sample.file("real.ndjson", event(1, false));
    assert!(sample.run(&["publish", &file]).refused(3).contains("nothing was sent"));
    assert_eq!(sample.status()["partitions"], serde_json::json!([]));
}

#[test]
fn a_sample_store_holds_one_country() {
    let world = World::sample();
    std::fs::write(world.data().join("sample.toml"), "size = \"small\"\nseed = 7\n").unwrap();
    for command in
        [&["up", "--sample", "--once"][..], &["sample"], &["up", "--sample", "--seed", "7", "--size", "medium"]]
    {
        let error = world.run(command).refused(6);
        assert!(error.contains("--size small --seed 7"), "{error}");
    }
}

#[test]
fn an_unknown_setting_is_refused_by_name() {
    let world = World::new();
    let file = world.file("amanat.toml", "[sql]\nrows = 5\n");
    let error = world.run(&["config", "check", "--config", &file]).refused(2);
    assert!(error.contains("rows"), "{error}");
    let output = world.command(&["status"]).env("AMANAT_SQL__ROWS", "5").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(is_empty(&world.data()));
}

#[test]
fn a_policy_whose_grids_use_more_than_half_of_what_may_be_asked_is_refused_by_every_command() {
    let world = World::new();
    let grid = r#"{ indicator = "X", dataset = "victims", by = ["quarter", "province", "sex", "age_group", "exploitation"] },"#;
    let datasets = policy::DEFAULT_DATASETS.replacen("\ndeclared = [\n", &format!("\ndeclared = [\n    {grid}\n"), 1);
    let datasets = world.file("datasets.toml", datasets);
    let file = world.file("amanat.toml", format!("[policy]\ndatasets = {datasets:?}\n"));
    for command in [&["config", "check"][..], &["status"], &["up", "--sample", "--once"]] {
        let error = world.run(&[command, &["--config", &file]].concat()).refused(2);
        assert!(error.contains("more than half"), "{error}");
        assert!(is_empty(&world.data()), "nothing is made before the policy is read");
    }
}

#[test]
fn secrets_are_not_shown() {
    let world = World::new();
    let file = world.file("amanat.toml", "[log.kafka]\n\"sasl.password\" = \"hush\"\n\"sasl.username\" = \"me\"\n");
    let shown = world.run(&["config", "show", "--config", &file]).ok();
    assert!(shown.contains("\"sasl.username\" = \"me\"") && !shown.contains("hush"), "{shown}");
}
