//! A file of people goes in, a file of tokens comes out, and no identity leaves by any way.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// People as an office writes them: put together from common names.
const PEOPLE: &str = "\u{feff}case_no,Name,D.O.B.,CNIC No.,Mother's Name,Home District,sex,phone,remarks\r\n\
    A1,Muhammad Tanveer Awan,05/03/1999,33102-8765432-9,Zarina Bibi,Lahore,M,0300-7654321,\r\n\
    A2,\"Gulnaz, d/o Sikandar Rajput\",01/01/2004,,Shahnaz Mai,Kasur,F,,seen at noon\r\n\
    A3,عائشہ بی بی,۱۲-۰۶-۲۰۰۱,۳۵۲۰۲-۴۴۱۷۸۵۲-۶,,فیصل آباد,F,,\r\n\
    A4,UNKNOWN,,00000-0000000-0,,,F,,\r\n\
    A5,Nighat Parveen,1990,,,,F,,Nighat Parveen was seen again\r\n\
    A6,Qamar Zaman\r\n";

/// Every text of an identity that stands in [`PEOPLE`].
const IDENTITIES: [&str; 22] = [
    "Tanveer",
    "Awan",
    "05/03/1999",
    "33102",
    "8765432",
    "Zarina",
    "Gulnaz",
    "Sikandar",
    "Rajput",
    "Shahnaz",
    "عائشہ",
    "بی بی",
    "۱۲-۰۶",
    "2001",
    "۳۵۲۰۲",
    "44178",
    "فیصل",
    "Nighat",
    "Parveen",
    "Qamar",
    "Zaman",
    "0300",
];

struct Office {
    folder: TempDir,
}

impl Office {
    fn new() -> Self {
        let office = Self { folder: tempfile::tempdir().unwrap() };
        office.succeed(&["--new-key", "example", "--key", "domain.key"]);
        std::fs::write(office.path("people.csv"), PEOPLE).unwrap();
        office
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn run(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_amanat-tokenize"))
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }

    /// Runs it and expects that every row was sealed.
    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments, b"");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

const ROLES: [&str; 4] = ["--keep", "case_no,sex,remarks", "--drop", "phone"];

fn rows(text: &str) -> Vec<HashMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().collect::<Result<_, _>>().unwrap()
}

#[test]
fn no_identity_is_in_anything_that_may_leave_the_machine() {
    let office = Office::new();
    let arguments = ["people.csv", "--key", "domain.key", "--out", "sealed.csv", "--summary", "summary.json"];
    let output = office.run(&[&arguments[..], &ROLES].concat(), b"");
    assert_eq!(output.status.code(), Some(3), "rows were set aside");
    let leaves = [
        office.read("sealed.csv"),
        office.read("summary.json"),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    ];
    for (text, identity) in leaves.iter().flat_map(|text| IDENTITIES.map(|identity| (text, identity))) {
        assert!(!text.contains(identity), "{identity} in\n{text}");
    }
    let secret = office.read("domain.key").lines().last().unwrap().replace("secret: ", "");
    assert!(secret.len() == 64 && leaves.iter().all(|text| !text.contains(&secret)));
}

#[test]
fn every_row_is_sealed_or_set_aside_with_its_reason() {
    let office = Office::new();
    let output = office.run(
        &[&["people.csv", "--key", "domain.key", "--out", "sealed.csv", "--summary", "summary.json"][..], &ROLES]
            .concat(),
        b"",
    );
    assert_eq!(output.status.code(), Some(3));
    let sealed = rows(&office.read("sealed.csv"));
    assert_eq!(sealed.iter().map(|row| row["case_no"].as_str()).collect::<Vec<_>>(), ["A1", "A2", "A3"]);
    for row in &sealed {
        assert!(events::form::is_opaque(&row["token_name_birth"]) && row["token_phonetic"].starts_with("tkph"));
    }
    assert!(sealed[1]["token_document"].is_empty() && !sealed[1]["token_mother_name"].is_empty());
    assert_eq!(sealed[1]["remarks"], "seen at noon");
    let aside = office.read("sealed.csv.aside");
    for reason in ["placeholder_name", "a kept column holds", "another number of cells"] {
        assert!(aside.contains(reason), "{reason}: {aside}");
    }
    let summary: serde_json::Value = serde_json::from_str(&office.read("summary.json")).unwrap();
    assert_eq!((&summary["rows"], &summary["sealed"], &summary["birth_assumed"]), (&6.into(), &3.into(), &1.into()));
    assert_eq!(
        summary["set_aside"],
        serde_json::json!({ "no_token": 1, "identity_in_kept_column": 1, "broken_row": 1 })
    );
    assert_eq!(
        summary["kinds"]["document"]["not_made"],
        serde_json::json!({ "no_document": 1, "placeholder_document": 1 })
    );
}

#[cfg(unix)]
#[test]
fn keys_and_rows_that_were_set_aside_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let office = Office::new();
    office.run(&[&["people.csv", "--key", "domain.key", "--out", "sealed.csv"][..], &ROLES].concat(), b"");
    let mode = |name: &str| std::fs::metadata(office.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("domain.key"), mode("sealed.csv.aside")), (0o600, 0o600));
    std::fs::set_permissions(office.path("domain.key"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = office.run(&["people.csv", "--key", "domain.key", "--check"], b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("chmod 600"));
}

#[test]
fn rows_that_were_mended_go_through_the_same_command() {
    let office = Office::new();
    let first = [&["people.csv", "--key", "domain.key", "--out", "sealed.csv"][..], &ROLES].concat();
    office.run(&first, b"");
    let output = office.run(&first, b"");
    assert_eq!(output.status.code(), Some(2), "rows that were set aside are not written over");
    let mended = office.read("sealed.csv.aside").replace("UNKNOWN,,", "Shagufta Rind,7/8/1997,");
    std::fs::write(office.path("mended.csv"), mended.replace("Nighat Parveen was seen", "seen")).unwrap();
    let again = [&["mended.csv", "--key", "domain.key", "--out", "more.csv"][..], &ROLES].concat();
    assert_eq!(office.run(&again, b"").status.code(), Some(3), "the row of two cells is left");
    assert_eq!(rows(&office.read("more.csv")).len(), 2);
}

#[test]
fn a_check_writes_nothing_and_says_what_would_become_of_it() {
    let office = Office::new();
    let output =
        office.run(&[&["people.csv", "--key", "domain.key", "--check", "--out", "x.csv"][..], &ROLES].concat(), b"");
    assert_eq!(output.status.code(), Some(3));
    let says = String::from_utf8(output.stderr).unwrap();
    assert!(says.contains("nothing was written") && says.contains("3 sealed, 3 set aside"), "{says}");
    assert_eq!(names(office.folder.path()), HashSet::from(["domain.key".to_owned(), "people.csv".to_owned()]));
}

fn names(folder: &Path) -> HashSet<String> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_pipe_is_sealed_as_a_file_is() {
    let office = Office::new();
    office.run(&[&["people.csv", "--key", "domain.key", "--out", "sealed.csv"][..], &ROLES].concat(), b"");
    let output = office.run(&[&["--key", "domain.key", "--aside", "rest"][..], &ROLES].concat(), PEOPLE.as_bytes());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), office.read("sealed.csv"));
    let output = office.run(&["--key", "domain.key"], PEOPLE.as_bytes());
    assert_eq!(output.status.code(), Some(2), "without a place for what is set aside nothing begins");
}

#[cfg(unix)]
#[test]
fn a_device_is_written_to_and_stays_a_device() {
    use std::os::unix::fs::FileTypeExt;
    let office = Office::new();
    let pipe = office.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::read_to_string(pipe).unwrap()
    });
    let arguments = ["people.csv", "--key", "domain.key", "--out", "pipe", "--aside", "rest"];
    office.run(&[&arguments[..], &ROLES].concat(), b"");
    assert!(reader.join().unwrap().contains("tknb"));
    assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo());
}

#[test]
fn rows_without_tokens_pass_where_that_is_asked_for() {
    let office = Office::new();
    let arguments = ["people.csv", "--key", "domain.key", "--out", "sealed.csv", "--without-tokens"];
    office.run(&[&arguments[..], &ROLES].concat(), b"");
    let sealed = rows(&office.read("sealed.csv"));
    assert_eq!(
        sealed.iter().filter(|row| row["token_name_birth"].is_empty()).map(|row| &row["case_no"]).collect::<Vec<_>>(),
        ["A4"]
    );
}

#[test]
fn events_are_sealed_into_events_that_the_contract_takes() {
    let office = Office::new();
    let event = |person: &str| {
        format!(
            r#"{{"specversion":"1.0","id":"018f2f6e-8d0a-7c3e-9b1f-2a4c6e8d0b13","source":"urn:pk:tip:POL-PB","type":"pk.tip.victim.identified","dataschema":"https://schemas.amanat.example/victim.identified/v1","subject":"POL-PB/0q7vkzr3m9xw2t8h","time":"2026-03-10T14:00:00+05:00","datacontenttype":"application/json","data":{{"record_version":1,"occurred_on":"2026-03-09","person":{person},"sex":"F","age_band":"18-20","citizenship":"PK","status":"actual","exploitation":["forced_labour"],"place_identified":"PK-PB","referral_source":"police"}}}}"#
        )
    };
    let person = r#"{"name":"Gulnaz Rajput","born":"2004-03-01","document":"33102-8765432-9","mother":"Zarina","place":"Kasur"}"#;
    let lines = [
        event(person),
        event(r#"[{"kind":"document","token":"9x4k2mvq7trz0wbh6sdn"}]"#),
        event(r#"{"name":"نامعلوم"}"#),
        event(r#"{"name":"Gulnaz","phone":"0300"}"#),
        event("\"Gulnaz Rajput\""),
        "{\"name\":\"Gulnaz Rajput\"}".to_owned(),
        "Gulnaz Rajput".to_owned(),
    ];
    std::fs::write(office.path("events.ndjson"), lines.join("\n")).unwrap();
    let output = office.run(&["events.ndjson", "--key", "domain.key", "--out", "sealed.ndjson"], b"");
    assert_eq!(output.status.code(), Some(3));
    let sealed = office.read("sealed.ndjson");
    assert_eq!(sealed.lines().count(), 2);
    for line in sealed.lines() {
        let taken = events::encode::event_of_line(line.as_bytes(), &events::Limits::default());
        assert!(taken.is_ok(), "{line}");
    }
    assert!(
        sealed.contains("tkdc")
            && !sealed.contains("Gulnaz")
            && !String::from_utf8_lossy(&output.stderr).contains("Gulnaz")
    );
    assert_eq!(office.read("sealed.ndjson.aside").lines().count(), 5);
}

#[test]
fn a_rotation_ties_each_token_to_the_one_before() {
    let office = Office::new();
    office.succeed(&["--new-key", "example", "--key", "new.key", "--after", "domain.key"]);
    office.run(&[&["people.csv", "--key", "domain.key", "--out", "old.csv"][..], &ROLES].concat(), b"");
    let twice = format!("{PEOPLE}{}", PEOPLE.lines().nth(1).unwrap());
    std::fs::write(office.path("people.csv"), twice).unwrap();
    let arguments =
        ["people.csv", "--key", "new.key", "--old-key", "domain.key", "--pairs", "pairs.ndjson", "--out", "new.csv"];
    office.run(&[&arguments[..], &ROLES].concat(), b"");
    let pairs: Vec<serde_json::Value> =
        office.read("pairs.ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str, kind: &str| {
        let rows = rows(&office.read(name));
        rows.iter().map(|row| row[kind].clone()).filter(|token| !token.is_empty()).collect::<Vec<_>>()
    };
    let mut all = 0;
    for kind in ["document", "name_birth", "phonetic", "mother_name"] {
        let (old, new) = (of("old.csv", &format!("token_{kind}")), of("new.csv", &format!("token_{kind}")));
        for (old, new) in old.iter().zip(&new) {
            let pair =
                serde_json::json!({ "old": { "kind": kind, "token": old }, "new": { "kind": kind, "token": new } });
            assert_eq!(pairs.iter().filter(|known| **known == pair).count(), 1, "{pair}");
            all += 1;
        }
    }
    assert!(all >= 9 && pairs.len() >= all);
    let wrong = ["people.csv", "--key", "domain.key", "--old-key", "new.key", "--pairs", "p", "--check"];
    assert_eq!(office.run(&wrong, b"").status.code(), Some(2), "a rotation goes forward");
}

#[test]
fn a_key_is_shown_by_its_fingerprint_alone_and_never_written_over() {
    let office = Office::new();
    let shown = office.succeed(&["--key", "domain.key", "--show-key"]);
    assert!(shown.starts_with("domain example, generation 1, fingerprint "));
    let output = office.run(&["--new-key", "example", "--key", "domain.key"], b"");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(office.succeed(&["--key", "domain.key", "--show-key"]), shown);
}

#[test]
fn a_file_without_a_header_is_refused_without_its_first_line() {
    let office = Office::new();
    let output = office.run(&["--key", "domain.key", "--check"], b"A1,Muhammad Tanveer,33102-8765432-9\n");
    assert_eq!(output.status.code(), Some(2));
    let says = String::from_utf8(output.stderr).unwrap();
    assert!(says.contains("header") && !says.contains("Tanveer") && !says.contains("33102"), "{says}");
}
