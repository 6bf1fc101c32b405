//! CSV files on their way to the lake.

use crate::program::World;

const MAPPING: &str = r#"
title = "Registry"
event = "victim.identified"
key = "no."
[agency]
constant = "POL-PB"
[time]
column = "درج"
form = "date"
[fields]
occurred_on = { column = "درج" }
status = { constant = "actual" }
sex = { column = "جنس", values = { "عورت" = "F", "مرد" = "M" } }
age_band = { constant = "18-20" }
citizenship = { constant = "PK" }
exploitation = { column = "form, as written", list = true, values = { "said \"forced\"" = "forced_labour", "other" = "other" } }
place_identified = { constant = "PK-PB" }
referral_source = { constant = "police" }
"#;

#[test]
fn a_file_with_a_mark_of_its_order_windows_lines_quotes_and_urdu_reaches_the_lake() {
    let world = World::new();
    let mapping = world.file("mapping.toml", MAPPING);
    let csv = "\u{feff}no.,درج,جنس,\"form, as written\"\r\n1,2024-03-09,عورت,\"said \"\"forced\"\"\"\r\n2,2024-03-10,مرد,other\r\n3,2024-03-11,عورت,other";
    let file = world.file("registry.csv", csv);
    let report = world.run(&["import", &file, "--mapping", &mapping]).ok();
    assert!(report.contains("3 accepted"), "{report}");
    assert_eq!(world.status()["counts"]["ok"], 3, "{}", world.status());
    let again = world.run(&["import", &file, "--mapping", &mapping]).ok();
    assert!(again.contains("imported before"), "{again}");
    assert_eq!(world.status()["counts"]["ok"], 3);
}

#[test]
fn a_mapping_with_a_missing_column_is_refused_by_name_and_nothing_is_ingested() {
    let world = World::new();
    let mapping = world.file("mapping.toml", MAPPING);
    let file = world.file("registry.csv", "no.,درج,sex,\"form, as written\"\n1,2024-03-09,F,other\n");
    let error = world.run(&["import", &file, "--mapping", &mapping]).refused(3);
    assert!(error.contains("\"جنس\"") && error.contains("header") && error.contains("sex"), "{error}");
    assert!(!world.data().join("lake").exists() && !world.data().join("log.db").exists());
}
