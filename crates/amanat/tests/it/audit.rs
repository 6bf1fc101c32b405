//! `amanat audit`: a log that is whole, one that is not, and what is found in it.

use disclosure::Head;
use ledger::{ANSWERED, AuditLog, Begin, Door, End, Principal};
use serde_json::Value;

use crate::program::World;

/// A store with an audit log of so many questions, every third refused; as the server writes it.
fn asked(world: &World, questions: u64) -> AuditLog {
    let store = std::fs::read_to_string(world.data().join("store.toml")).unwrap();
    let line = store.lines().find(|line| line.starts_with("key_fingerprint")).unwrap();
    let fingerprint = line.split('"').nth(1).unwrap();
    let path = world.data().join("audit.db");
    let mut log = AuditLog::create(&path, fingerprint).unwrap();
    for n in 1..=questions {
        ask(&mut log, n);
    }
    log
}

fn ask(log: &mut AuditLog, n: u64) {
    let role = if n.is_multiple_of(2) { "ministry" } else { "partners" };
    let principal = Principal { key_id: format!("key-{n}"), role: role.into() };
    let (purpose, sql) = ("annual_report".into(), format!("select {n}"));
    let begin = Begin { time_ms: 1_795_763_322_123, principal, purpose, sql, door: Door::Http };
    let number = log.begin(begin).unwrap();
    let decision = if n.is_multiple_of(3) { "PRIV-1020" } else { ANSWERED }.to_owned();
    let vault_head = Head { entries: n, hash: [1; 32] };
    log.end(End { begin: number, decision, cells: 7, vault_head, slot_ms: 250, ..End::default() }).unwrap();
}

/// Does to the log what nobody may.
fn tamper(world: &World, sql: &str) {
    let guards = "DROP TRIGGER IF EXISTS entries_stay; DROP TRIGGER IF EXISTS entries_are_final;";
    let connection = rusqlite::Connection::open(world.data().join("audit.db")).unwrap();
    connection.execute_batch(&format!("{guards} {sql}")).unwrap();
}

#[test]
fn a_whole_log_says_so_beside_who_writes_it_and_a_broken_one_names_its_first_broken_entry() {
    let world = World::real();
    let log = asked(&world, 4);
    let text = world.run(&["audit", "verify"]).ok();
    assert!(
        text.starts_with(
            "the audit log is whole: 8 entries, 4 questions, 0 of them without an end, 0 decisions\nhead "
        ),
        "{text}"
    );
    drop(log);
    tamper(&world, "DELETE FROM entries WHERE number = 5");
    let error = world.run(&["audit", "verify"]).refused(4);
    assert!(error.contains("audit.db is broken: entry 5 is missing"), "{error}");
}

#[test]
fn a_signed_head_that_was_kept_shows_that_the_log_was_cut() {
    let world = World::real();
    let mut log = asked(&world, 3);
    let head = world.file("head.json", world.run(&["audit", "head"]).ok());
    ask(&mut log, 4);
    drop(log);
    let text = world.run(&["audit", "verify", "--head", &head]).ok();
    assert!(text.contains("8 entries") && text.contains("it has the head of 6 entries signed at 20"), "{text}");
    tamper(&world, "DELETE FROM entries WHERE number > 4");
    assert!(world.run(&["audit", "verify"]).ok().contains("4 entries"));
    let error = world.run(&["audit", "verify", "--head", &head]).refused(4);
    assert!(error.contains("entry 5 is known to have been there, and the file ends before it"), "{error}");
}

#[test]
fn a_head_that_this_store_has_not_signed_is_refused() {
    let world = World::real();
    drop(asked(&world, 1));
    let signed = world.run(&["audit", "head"]).ok();
    let mut head: Value = serde_json::from_str(&signed).unwrap();
    head["entries"] = 1.into();
    let changed = world.file("head.json", head.to_string());
    let error = world.run(&["audit", "verify", "--head", &changed]).refused(3);
    assert!(error.contains("was not signed with the key of this store, or was changed since"), "{error}");
    let other = World::real();
    let elsewhere = other.file("head.json", signed);
    other.run(&["audit", "verify", "--head", &elsewhere]).refused(3);
    let text = world.file("text.json", "no head");
    assert!(world.run(&["audit", "verify", "--head", &text]).refused(3).contains("is no head"));
}

#[test]
fn before_anything_was_asked_it_says_so_and_only_a_signed_head_makes_that_an_error() {
    let world = World::real();
    let shown = world.run(&["audit", "show"]);
    assert!(shown.err.contains("nothing was asked yet: there is no audit.db in"), "{shown:?}");
    assert_eq!((shown.code, &*shown.out), (Some(0), ""));
    assert!(world.run(&["audit", "verify"]).ok().starts_with("nothing was asked yet"));
    drop(asked(&world, 1));
    let head = world.file("head.json", world.run(&["audit", "head"]).ok());
    std::fs::remove_file(world.data().join("audit.db")).unwrap();
    let error = world.run(&["audit", "verify", "--head", &head]).refused(4);
    assert!(error.contains("nothing was asked yet") && error.contains("a head of 2 entries was signed"), "{error}");
    assert!(World::new().run(&["audit", "show"]).refused(4).contains("there is no store in"));
}

#[test]
fn questions_are_shown_by_role_by_refusal_and_the_last_ones() {
    let world = World::real();
    let mut log = asked(&world, 30);
    let text = world.run(&["audit", "show", "--last", "2"]);
    assert!(text.err.contains("there are earlier ones"), "{text:?}");
    assert_eq!(
        text.ok(),
        "57  2026-11-27T07:08:42.123Z  key-29 (partners) by http, for annual_report\n  select 29\n  answered in 250 ms: 7 cells, 0 suppressed\n\
         59  2026-11-27T07:08:42.123Z  key-30 (ministry) by http, for annual_report\n  select 30\n  refused: PRIV-1020\n"
    );
    let found = |args: &[&str]| -> Vec<Value> {
        let printed = world.run(&[&["audit", "show", "--json"], args].concat()).ok();
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert_eq!(found(&[]).len(), 20);
    let refused = found(&["--refused", "--principal", "partners"]);
    assert!(refused.len() == 5 && refused.iter().all(|one| one["end"]["decision"] == "PRIV-1020"), "{refused:?}");
    assert_eq!(found(&["--principal", "key-7"])[0]["begin"]["sql"], "select 7");
    let principal = Principal { key_id: "key-x".into(), role: "ministry".into() };
    let sql = "select\n'as it came'".to_owned();
    log.begin(Begin { time_ms: 0, principal, purpose: String::new(), sql: sql.clone(), door: Door::Cli }).unwrap();
    let open = &found(&["--last", "1"])[0];
    assert!(open["begin"]["sql"] == *sql && open["end"].is_null(), "{open}");
    let none = world.run(&["audit", "show", "--principal", "nobody"]);
    assert!(none.code == Some(0) && none.err.contains("no such question was asked"), "{none:?}");
}
