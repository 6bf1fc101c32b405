//! The audit log: what is recorded, when it refuses, and who finds what in it (privacy.md 6.12).

use disclosure::Head;
use ledger::{
    ANSWERED, AuditLog, AuditReader, Decided, End, Filter, LedgerError, Principal, Question, Recorded, SignedHead,
    verify,
};
use rusqlite::Connection;

use crate::support::*;

fn questions(place: &Place, filter: Filter) -> Vec<Question> {
    let reader = AuditReader::open(&place.audit()).unwrap();
    reader.read(1..=u64::MAX, filter).map(Result::unwrap).collect()
}

#[test]
fn a_question_and_what_became_of_it_are_there_for_the_next_process() {
    let place = Place::new();
    let mut log = place.asked(0);
    let first = log.begin(begin(1)).unwrap();
    let second = log.begin(begin(2)).unwrap();
    log.end(end(second, "PRIV-1020", 4)).unwrap();
    drop(log);
    let log = AuditLog::open(&place.audit(), KEY).unwrap();
    assert_eq!(log.head().unwrap().entries, 3);
    let found = questions(&place, Filter::default());
    assert_eq!(found[0], Question { number: second, begin: begin(2), end: Some(end(second, "PRIV-1020", 4)) });
    assert_eq!(found[1], Question { number: first, begin: begin(1), end: None });
    let whole = verify(&place.audit(), None, &mut |_, _| ()).unwrap();
    assert_eq!((whole.head, whole.questions, whole.open), (log.head().unwrap(), 2, 1));
}

#[test]
fn the_form_of_an_entry_is_frozen() {
    let mut asked = begin(1);
    asked.sql = "select \"اردو\"\n-- as it came".into();
    let text = String::from_utf8(Recorded::Begin(asked.clone()).to_bytes()).unwrap();
    assert_eq!(
        text,
        r#"{"begin":{"time_ms":1795000000001,"principal":{"key_id":"key-1","role":"partners"},"purpose":"annual_report","sql":"select \"اردو\"\n-- as it came","door":"http"}}"#
    );
    assert_eq!(Recorded::from_bytes(text.as_bytes()), Some(Recorded::Begin(asked)));
    let text = String::from_utf8(Recorded::End(end(7, ANSWERED, 3)).to_bytes()).unwrap();
    assert_eq!(
        text,
        r#"{"end":{"begin":7,"decision":"answered","cell_queries":["9f"],"cells":12,"suppressed":3,"tiers":[4,9],"charges":["sex 1 presence+1 PK-PB/2026-Q1"],"vault_head":{"entries":3,"hash":"0303030303030303030303030303030303030303030303030303030303030303"},"slot_ms":250,"asked":[{"text":"victims {} by {sex} count {units}","cells":12,"suppressed":3,"anchors":[0,5]}]}}"#
    );
    assert_eq!(Recorded::from_bytes(text.as_bytes()), Some(Recorded::End(end(7, ANSWERED, 3))));
}

/// A log as the program of format 1 left it: its entries have no questions in words.
fn of_format_1(place: &Place) -> Head {
    let mut log = place.asked(0);
    let number = log.begin(begin(1)).unwrap();
    let old = End { asked: Vec::new(), ..end(number, ANSWERED, 1) };
    let bytes = Recorded::End(old.clone()).to_bytes();
    assert!(String::from_utf8(bytes).unwrap().ends_with(r#""slot_ms":250}}"#), "as format 1 wrote it");
    log.end(old).unwrap();
    let head = log.head().unwrap();
    drop(log);
    Connection::open(place.audit()).unwrap().pragma_update(None, "user_version", 1).unwrap();
    head
}

#[test]
fn a_log_of_the_first_format_still_verifies_and_goes_on_in_the_second() {
    let place = Place::new();
    let old = of_format_1(&place);
    let format = |place: &Place| -> i64 {
        Connection::open(place.audit()).unwrap().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    };
    assert_eq!(verify(&place.audit(), Some(old), &mut |_, _| ()).unwrap().head, old);
    assert!(questions(&place, Filter::default())[0].end.as_ref().unwrap().asked.is_empty());
    assert_eq!(format(&place), 1, "who only reads changes nothing");
    let mut log = AuditLog::open(&place.audit(), KEY).unwrap();
    assert_eq!((format(&place), log.head().unwrap()), (3, old), "an older program does not write to it any more");
    ask(&mut log, 2);
    assert_eq!(verify(&place.audit(), Some(old), &mut |_, _| ()).unwrap().questions, 2);
}

#[test]
fn only_a_question_that_is_open_here_can_be_ended_and_once() {
    let place = Place::new();
    let mut log = place.asked(0);
    let mut other = AuditLog::open(&place.audit(), KEY).unwrap();
    let number = log.begin(begin(1)).unwrap();
    assert!(matches!(other.end(end(number, ANSWERED, 1)), Err(LedgerError::NotOpen(1))));
    assert!(matches!(log.end(end(2, ANSWERED, 1)), Err(LedgerError::NotOpen(2))));
    log.end(end(number, ANSWERED, 1)).unwrap();
    assert!(matches!(log.end(end(number, ANSWERED, 1)), Err(LedgerError::NotOpen(1))));
    assert_eq!(log.head().unwrap().entries, 2);
}

#[test]
fn processes_that_write_at_once_make_one_chain() {
    let place = Place::new();
    place.asked(0);
    std::thread::scope(|scope| {
        for writer in 0..3 {
            let path = place.audit();
            scope.spawn(move || {
                let mut log = AuditLog::open(&path, KEY).unwrap();
                for n in 0..20 {
                    ask(&mut log, 100 * writer + n);
                }
            });
        }
    });
    let whole = verify(&place.audit(), None, &mut |_, _| ()).unwrap();
    assert_eq!((whole.head.entries, whole.questions, whole.open), (120, 60, 0));
}

#[test]
fn where_the_disk_is_full_the_question_is_refused_nothing_is_half_written_and_later_it_goes_on() {
    let place = Place::new();
    let mut log = place.asked(2).with_max_bytes(64 << 10).unwrap();
    let open = log.begin(begin(3)).unwrap();
    let mut long = begin(4);
    long.sql = "select 1 -- ".to_owned() + &"x".repeat(4000);
    let error = loop {
        match log.begin(long.clone()) {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(error, LedgerError::Full(_)), "{error:?}");
    assert!(!format!("{error:?} {error}").contains("select"), "{error:?}");
    let head = log.head().unwrap();
    let mut answer = end(open, ANSWERED, 9);
    answer.charges = vec!["y".repeat(9000)];
    assert!(matches!(log.end(answer.clone()), Err(LedgerError::Full(_))), "a reply does not leave either");
    assert_eq!(verify(&place.audit(), None, &mut |_, _| ()).unwrap().head, head);

    let mut log = log.with_max_bytes(1 << 30).unwrap();
    let next = log.end(answer).unwrap();
    assert_eq!(next, head.entries + 1, "the question was still open");
    ask(&mut log, 5);
    assert_eq!(verify(&place.audit(), Some(head), &mut |_, _| ()).unwrap().head.entries, head.entries + 3);
}

#[test]
fn the_newest_head_of_the_vault_is_found_whoever_wrote_last() {
    let place = Place::new();
    let mut log = place.asked(0);
    assert_eq!(log.last_vault_head().unwrap(), Head::default());
    let numbers: Vec<u64> = (0..3).map(|n| log.begin(begin(n)).unwrap()).collect();
    for (number, vault) in numbers.iter().zip([5, 9, 7]) {
        log.end(end(*number, ANSWERED, vault)).unwrap();
    }
    for n in 0..300 {
        log.begin(begin(n)).unwrap();
    }
    assert_eq!(log.last_vault_head().unwrap(), Head { entries: 9, hash: [9; 32] });
}

#[test]
fn questions_are_found_by_key_by_role_by_refusal_and_by_number_the_newest_first() {
    let place = Place::new();
    let mut log = place.asked(0);
    for n in 0..600 {
        let number = log.begin(begin(n)).unwrap();
        log.end(end(number, if n % 10 == 0 { "PRIV-1020" } else { ANSWERED }, n)).unwrap();
    }
    let by = |principal: Option<&str>, refused| Filter { principal: principal.map(Into::into), refused };
    assert_eq!(questions(&place, by(None, false)).len(), 600);
    assert_eq!(questions(&place, by(Some("key-2"), false)).len(), 200);
    assert_eq!(questions(&place, by(Some("partners"), false)).len(), 300);
    assert_eq!(questions(&place, by(Some("nobody"), false)).len(), 0);
    let refused = questions(&place, by(None, true));
    assert!(refused.len() == 60 && refused.iter().all(|one| one.end.as_ref().is_some_and(End::is_refused)));
    assert!(refused.windows(2).all(|pair| pair[0].number > pair[1].number));
    assert_eq!(questions(&place, by(Some("ministry"), true)).len(), 60);
    let reader = AuditReader::open(&place.audit()).unwrap();
    let some: Vec<u64> = reader.read(5..=10, Filter::default()).map(|one| one.unwrap().number).collect();
    assert_eq!(some, [9, 7, 5]);
}

#[test]
fn a_signed_head_holds_only_under_its_key_and_as_it_was_signed() {
    let place = Place::new();
    let log = place.asked(3);
    let (key, other) = ([7; 32], [8; 32]);
    let signed = log.sign_head(&key, 1_795_000_000_000).unwrap();
    assert_eq!(signed.verify(&key), Some(log.head().unwrap()));
    assert_eq!(signed.verify(&other), None);
    for changed in [
        SignedHead { entries: 5, ..signed.clone() },
        SignedHead { time_ms: 0, ..signed.clone() },
        SignedHead { hash: [0; 32], ..signed.clone() },
        SignedHead { mac: [0; 32], ..signed.clone() },
    ] {
        assert_eq!(changed.verify(&key), None, "{changed:?}");
    }
    let text = serde_json_text(&signed);
    assert!(text.starts_with(r#"{"entries":6,"hash":""#), "{text}");
}

fn serde_json_text(signed: &SignedHead) -> String {
    let text = serde_json::to_string(signed).unwrap();
    assert_eq!(&serde_json::from_str::<SignedHead>(&text).unwrap(), signed);
    text
}

#[test]
fn a_copy_continues_the_same_chain() {
    let place = Place::new();
    let mut log = place.asked(3);
    let copy = place.path().join("copy.db");
    let head = log.backup_to(&copy).unwrap();
    assert_eq!(head, log.head().unwrap());
    ask(&mut log, 4);
    assert_eq!(verify(&copy, Some(head), &mut |_, _| ()).unwrap().head, head);
    let mut copied = AuditLog::open(&copy, KEY).unwrap();
    ask(&mut copied, 4);
    assert_eq!(copied.head().unwrap(), log.head().unwrap());
}

#[test]
fn decisions_about_who_comes_in_stand_between_the_questions_and_are_neither() {
    let place = Place::new();
    let mut log = place.asked(2);
    for (n, what) in ["came_in", "not_proven", "locked_out"].into_iter().enumerate() {
        let principal = Principal { key_id: "analyst-7".into(), role: "analyst".into() };
        let decided = Decided { time_ms: n as i64, principal, what: what.into(), door: "http".into() };
        log.decided(decided).unwrap();
    }
    let verified = verify(&place.audit(), None, &mut |_, _| ()).unwrap();
    assert_eq!((verified.questions, verified.decisions, verified.open), (2, 3, 0));
    let reader = AuditReader::open(&place.audit()).unwrap();
    let newest: Vec<String> = reader.decisions(2).unwrap().into_iter().map(|(_, decided)| decided.what).collect();
    assert_eq!(newest, ["locked_out", "not_proven"]);
    assert_eq!(reader.read(1..=u64::MAX, Filter::default()).count(), 2);
    assert!(reader.decisions(9).unwrap().iter().all(|(_, decided)| decided.principal.key_id == "analyst-7"));
}
