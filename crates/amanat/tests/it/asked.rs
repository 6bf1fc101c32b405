//! What readers are told beside their numbers, through the real door: companions, what there is to ask, what was recorded.

use serde_json::{Value, json};

use crate::door::House;

const BY_SEX: &str = "select sex, count(*) as n from victims where year = 2024 group by sex order by 1";

impl House {
    /// `amanat sql` beside the running program, with the ministry's key in the environment.
    fn sql(&self, args: &[&str]) -> Value {
        let mut command = self.world.command(&[&["sql"], args, &["--format", "json"]].concat());
        let output = command.env("AMANAT_KEY", &self.keys[0]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn rows(&self, sql: &str) -> Vec<Value> {
        let reply = self.ask(sql);
        assert_eq!(reply.status, 200, "{sql}: {reply:?}");
        reply.json()["rows"].as_array().unwrap().clone()
    }
}

#[test]
fn companions_beside_a_running_program_are_those_over_http_and_hold_their_numbers() {
    let house = House::open();
    let beside = house.sql(&[BY_SEX, "--companions"]);
    let http = house.ask_json(&json!({"sql": BY_SEX, "companions": true}).to_string()).json();
    assert_eq!((&beside["rows"], &beside["columns"]), (&http["rows"], &http["columns"]));
    let columns: Vec<&str> =
        beside["columns"].as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap()).collect();
    assert_eq!(columns, ["sex", "n", "n_lo95", "n_hi95", "n_status", "n_bias", "as_of"]);
    let mut shown = 0;
    for row in beside["rows"].as_array().unwrap() {
        assert_eq!(row[6], "2025-12-31", "{row}");
        let Some(n) = row[1].as_i64() else {
            assert_eq!(row.as_array().unwrap()[1..6], [json!(null), json!(null), json!(null), json!("Q"), json!(null)]);
            continue;
        };
        shown += 1;
        let bounds = [&row[2], &row[3]].map(|bound| bound.as_i64().unwrap());
        assert!(bounds[0] < n && n < bounds[1] && row[4] == "A" && row[5].as_i64().unwrap() >= 22, "{row}");
    }
    assert_eq!(shown, 2);
    let total =
        house.sql(&["select sum(n) as total from (select sex, count(*) n from victims group by 1) t", "--companions"]);
    assert!(total["notes"].to_string().contains("NOTE-3004"), "{total}");
    let table =
        house.world.command(&["sql", BY_SEX, "--companions"]).env("AMANAT_KEY", &house.keys[0]).output().unwrap();
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("n_lo95") && table.contains("2025-12-31"), "{table}");
    house.close();
}

#[test]
fn what_may_be_asked_is_listed_with_its_codes_and_without_anything_of_the_data() {
    let house = House::open();
    let tables = "select table_name from information_schema.tables where table_schema = 'protected' order by 1";
    let tables = house.rows(tables);
    assert_eq!(tables.len(), 14, "{tables:?}");
    let columns = house.rows(
        "select column_name, data_type, description, code_list from information_schema.columns \
         where table_schema = 'protected' and table_name = 'victims' order by ordinal_position",
    );
    let column = |name: &str| columns.iter().find(|row| row[0] == name).unwrap_or_else(|| panic!("{name}")).clone();
    assert_eq!(column("province")[3], "reference.province");
    assert_eq!(column("year")[1], "integer");
    let several = column("exploitation");
    assert!(several[2].as_str().unwrap().contains("overlap") && several[3] == "reference.exploitation", "{several}");
    assert_eq!(column("person_id")[2], "Inside count(distinct person_id) alone");
    // Names of what tells of rows, in any catalogue: there is none.
    let all =
        house.rows("select column_name from information_schema.columns where table_schema = 'information_schema'");
    for row in all {
        let name = row[0].as_str().unwrap();
        assert!(!["rows", "size", "stat", "count", "bytes"].iter().any(|word| name.contains(word)), "{name}");
    }
    assert_eq!(house.audit().questions, 1, "looking at what there is asks nothing");
    house.close();
}

#[test]
fn a_question_is_recorded_in_words_with_the_sets_that_answered_and_shown_by_audit_show() {
    let house = House::open();
    house.ask(BY_SEX);
    house.ask(BY_SEX);
    house.ask("select count(*) from inspections where year = 2024 and kind in ('child', 'bonded')");
    house.ask("select * from victims");
    let questions = house.questions();
    let [refused, exact, again, first, ..] = &questions[..] else { panic!("{questions:?}") };
    let end = |question: &ledger::Question| question.end.clone().unwrap();
    assert_eq!((end(refused).decision.as_str(), end(refused).asked.len()), ("PRIV-1003", 0));
    let asked = &end(first).asked[0];
    assert_eq!(asked.text, "victims {year: 2024} by {sex} count {units}");
    assert_eq!((asked.cells, asked.suppressed), (4, 2));
    assert_eq!(asked.anchors.len(), 3, "the empty set and one for each sex: {asked:?}");
    assert_eq!(end(again).asked, end(first).asked, "asked again, the same sets answer");
    let [charged] = &end(first).charges[..] else { panic!("{first:?}") };
    assert!(
        charged.starts_with("victims: units by sex, year: presence +1 in ") && charged.ends_with(" blocks"),
        "{charged}"
    );
    assert_eq!(
        (end(again).charges, end(exact).charges),
        (Vec::new(), Vec::new()),
        "nothing is paid twice, or for what is exact"
    );
    assert!(end(exact).asked[0].anchors.is_empty(), "what is exact is answered by no set: {exact:?}");
    assert_eq!(end(first).tiers, [4]);
    let slot = end(first).slot_ms;
    assert!(slot % 20 == 0 && (slot / 20).is_power_of_two(), "one, two, four … slots: {slot} ms");
    let shown = house.world.run(&["audit", "show"]).ok();
    let line = "  asked: victims {year: 2024} by {sex} count {units}: 4 cells, 2 suppressed, by anchors ";
    assert_eq!(shown.matches(line).count(), 2, "{shown}");
    assert_eq!(shown.matches("  ministry-01 (ministry) by http, for annual_report").count(), 4, "{shown}");
    assert_eq!(shown.matches("  charged: victims: units by sex, year: presence +1 in ").count(), 1, "{shown}");
    house.close();
}
