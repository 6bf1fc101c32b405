//! Reference data by the program: loaded as events, kept with each edition, and what an old edition divided by stays known.

use serde_json::Value;

use crate::program::World;

const POPULATIONS: &str = "area,counted_on,sex,age_group,persons,method,source\n";

fn ingest(world: &World) {
    world.run(&["up", "--role", "ingest", "--once"]).ok();
}

/// Rows that a question gives.
fn asked(world: &World, sql: &str) -> String {
    world.run(&["sql", sql, "--format", "csv"]).ok()
}

#[test]
fn what_the_steward_loads_is_said_once_and_is_published_with_the_next_edition() {
    let world = World::sample();
    let file = world.file(
        "populations.csv",
        format!("{POPULATIONS}PK-GB,2020-07-01,,,1000000,estimate,A made-up estimate\nPK-GB,2024-07-01,,,2000000,census,A made-up census\n"),
    );
    let load = |dry: &[&str]| world.run(&[&["reference", "load", "populations", &file], dry].concat()).ok();
    assert!(load(&["--dry-run"]).starts_with("2 line(s) say something new, 0 what is known\n"));
    assert!(load(&[]).contains("they are in the log"));
    ingest(&world);
    assert!(load(&[]).starts_with("0 line(s) say something new, 2 what is known\n"), "the same file says nothing");

    world.run(&["edition", "publish", "--as-of", "2024-12-31"]).ok();
    let of_year = "select population, method from reference.population where province = 'PK-GB' and year = 2022";
    // 2^(730/1461) of a million: 1 July 2022 is 730 days after the first of 1,461.
    assert!(asked(&world, of_year).contains("1413878,interpolated"), "{}", asked(&world, of_year));
    let known = asked(&world, "select count(*) n from reference.populations where area = 'PK-GB'");
    assert!(known.contains('2'), "{known}");
    let before = "select valid_to from reference.areas where area = 'PK-TA'";
    assert!(asked(&world, before).contains("2018-05-31"));
    assert!(asked(&world, "select count(*) n from reference.courts").contains('0'));

    let shown: Value = serde_json::from_str(&world.run(&["edition", "show", "1"]).ok()).unwrap();
    let tables = shown["reference"]["tables"].as_object().unwrap();
    assert_eq!(tables.len(), 7, "{shown}");
    let other = world.file("more.csv", format!("{POPULATIONS}PK-GB,2022-07-01,,,5000000,census,Another census\n"));
    world.run(&["reference", "load", "populations", &other]).ok();
    ingest(&world);
    world.run(&["edition", "publish", "--as-of", "2024-12-31"]).ok();
    assert!(asked(&world, of_year).contains("5000000,census"));
    for edition in ["1", "2"] {
        assert!(world.run(&["edition", "recompute", edition]).ok().contains("equal"));
    }
}

#[test]
fn a_file_with_a_mistake_says_nothing_and_names_each_by_its_place() {
    let world = World::sample();
    let file = world.file(
        "courts.csv",
        "court,level,area,valid_from,valid_to,name_en,name_ur,source\n\
         CRT-PB-1,sessions,PK-PB,2010-01-01,,A made-up court,فرضی عدالت,Notification\n\
         CRT-PB-2,sessions,PK-PB,2010,,A made-up court,فرضی عدالت,Notification\n",
    );
    let said = world.run(&["reference", "load", "courts", &file]).refused(3);
    assert!(said.contains("line 3, column valid_from: a day such as 2018-05-31"), "{said}");
    assert!(said.contains("nothing of the file was said"), "{said}");
    let listed: Value = serde_json::from_str(&world.run(&["reference", "list", "courts", "--json"]).ok()).unwrap();
    assert_eq!(listed, Value::Array(Vec::new()));
    let areas = world.run(&["reference", "list", "areas", "--at", "2018-01-01", "--csv"]).ok();
    assert!(areas.contains("\nPK-TA,province,,,2018-05-31,Federally Administered Tribal Areas,"), "{areas}");
    assert!(!world.run(&["reference", "list", "areas", "--at", "2019-01-01"]).ok().contains("PK-TA"));
}

#[test]
fn agencies_and_codes_are_what_policy_and_contract_say_until_the_steward_dates_or_renames_them() {
    let world = World::sample();
    let agencies = world.file(
        "agencies.csv",
        "agency,agency_group,valid_from,valid_to,successor,name_en,name_ur,source\n\
         HLP-NAT,HLP,2010-01-01,2023-12-31,,Helpline 1098 (made up),مددگار ۱۰۹۸,A made-up notification\n\
         HLP-NAT,HLP,2024-01-01,,,Helpline 1099 (made up),مددگار ۱۰۹۹,A made-up notification\n",
    );
    let codes = world.file(
        "codes.csv",
        "list,code,valid_from,valid_to,replaced_by,name_en,name_ur,source\n\
         section,PTPA-4,2018-06-01,2024-06-30,PTPA-3-1,PTPA s. 4 (made up),فرضی دفعہ 4,A made-up gazette\n",
    );
    for (table, file) in [("agencies", &agencies), ("codes", &codes)] {
        assert!(world.run(&["reference", "load", table, file]).ok().contains("they are in the log"));
    }
    ingest(&world);
    let listed = |table: &str, at: &str| world.run(&["reference", "list", table, "--at", at, "--csv"]).ok();
    assert!(listed("agencies", "2023-12-31").contains("HLP-NAT,HLP,2010-01-01,2023-12-31,,Helpline 1098 (made up)"));
    assert!(listed("agencies", "2024-01-01").contains("HLP-NAT,HLP,2024-01-01,,,Helpline 1099 (made up)"));
    assert!(
        listed("agencies", "2009-12-31").contains("\nFIA,FIA,,,,Federal Investigation Agency,"),
        "as the policy says"
    );
    assert!(
        listed("codes", "2024-06-30").contains("section,PTPA-4,2018-06-01,2024-06-30,PTPA-3-1,PTPA s. 4 (made up)")
    );
    assert!(!listed("codes", "2024-07-01").contains("section,PTPA-4,"));

    world.run(&["edition", "publish", "--as-of", "2024-12-31"]).ok();
    let names = asked(&world, "select name_en from reference.agencies where agency = 'HLP-NAT' order by valid_from");
    let places = ["Helpline 1098 (made up)", "Helpline 1099 (made up)"].map(|name| names.find(name));
    assert!(places[0].is_some() && places[0] < places[1], "{names}");
    let today = "select replaced_by from reference.codes as known on $1 where list = 'section' and code = 'PTPA-4'";
    let day = query::known::day(std::time::SystemTime::now());
    let known = world.run(&["sql", today, "--param", &day.to_string(), "--format", "csv"]).ok();
    assert!(known.contains("PTPA-3-1"), "{known}");
    let before = world.run(&["sql", today, "--param", "2020-01-01"]).refused(6);
    assert!(before.contains("Nothing had been published by the end of that date."), "{before}");
}
