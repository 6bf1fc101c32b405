//! What hostile and clumsy clients send: each gets an answer or a problem with a code and a next step, and the program goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::door::{House, Reply, sent};

const COUNT: &str = "select count(*) from victims where year = 2024";

/// The limit of a statement, in bytes.
const LIMIT: usize = 16 << 10;

#[test]
fn hostile_texts_and_values_are_answered_or_refused_with_a_code_and_the_program_goes_on() {
    let house = House::open();
    statements_of_every_length(&house);
    nesting_of_ten_thousand_levels(&house);
    a_thousand_grouping_sets(&house);
    names_that_look_like_others(&house);
    names_in_quotes(&house);
    parameters_of_every_type(&house);
    house.goes_on();
    let audit = house.audit();
    assert_eq!(audit.open, 0, "every question that was begun has an end");
    for question in house.questions() {
        let end = question.end.unwrap();
        assert!(end.decision != "PRIV-5000" && end.decision != "internal", "{} {}", question.begin.sql, end.decision);
    }
    house.close();
}

fn padded(length: usize) -> String {
    format!("{COUNT}{}", " ".repeat(length - COUNT.len()))
}

fn statements_of_every_length(house: &House) {
    let expected = house.number(COUNT);
    assert_eq!(house.number(&padded(LIMIT)), expected, "just within the limit");
    for (length, code) in [(LIMIT + 1, "too_long"), (60_000, "too_long"), (100_000, "body_too_large")] {
        for reply in [house.ask(&padded(length)), house.ask_json(&json!({"sql": padded(length)}).to_string())] {
            assert_eq!((reply.status, reply.problem().as_str()), (413, code), "{length} bytes");
        }
    }
}

fn nesting_of_ten_thousand_levels(house: &House) {
    let around = |before: &str, inner: &str, after: &str, levels: usize| {
        format!("{}{inner}{}", before.repeat(levels), after.repeat(levels))
    };
    let forms: [(&str, &str, &str, &str, &str); 6] = [
        ("select count(*) from victims where year = ", "(", "2024", ")", ""),
        ("select count(*) from victims where ", "not ", "year = 2024", "", ""),
        ("", "select * from (", COUNT, ") t", ""),
        ("select ", "case when true then ", "1", " end", ""),
        ("select ", "(select ", "count(*) from victims", ")", ""),
        ("select count(*) from victims where year = 2024", " and (year = 2024", "", ")", ""),
    ];
    for (begin, before, inner, after, end) in forms {
        let most = (LIMIT - begin.len() - inner.len() - end.len()) / (before.len() + after.len());
        for levels in [33, most, 10_000] {
            let sql = format!("{begin}{}{end}", around(before, inner, after, levels));
            let reply = house.ask(&sql);
            let shown: String = sql.chars().take(100).collect();
            if reply.status == 200 {
                // What is no nesting is no harm: parentheses around one value.
                assert!(levels < most, "{levels}: {shown}");
                continue;
            }
            let code = reply.problem();
            assert!(
                ["too_deep", "too_long", "too_complex", "body_too_large"].contains(&&*code),
                "{levels}: {code} {shown}"
            );
        }
    }
}

fn a_thousand_grouping_sets(house: &House) {
    let sets = vec!["(sex)"; 1_000].join(",");
    let dimensions = "sex, age_band, citizenship, status, scope, sector, province, referral_source, act, means";
    let rollups = ["rollup(sex)"; 10].join(", ");
    for sql in [
        format!("select count(*) from victims group by grouping sets ({sets})"),
        format!("select count(*) from victims group by cube ({dimensions})"),
        format!("select count(*) from victims group by {rollups}"),
    ] {
        let reply = house.ask(&sql);
        let code = reply.problem();
        assert!(["PRIV-1013", "too_complex", "PRIV-1008"].contains(&&*code), "{code}: {reply:?}");
    }
}

fn names_that_look_like_others(house: &House) {
    for name in [
        "v\u{456}ctims",                                            // Cyrillic і
        "\u{475}ictims",                                            // Cyrillic izhitsa
        "\u{ff56}\u{ff49}\u{ff43}\u{ff54}\u{ff49}\u{ff4d}\u{ff53}", // full width
        "victims\u{200b}",                                          // zero width space
        "vic\u{200d}tims",                                          // zero width joiner
        "victims\u{301}",                                           // combining acute
        "v\u{131}ctims",                                            // dotless i
        "V\u{130}CT\u{130}MS",                                      // dotted capital I
        "victim\u{17f}",                                            // long s
        "\u{202e}smitciv",                                          // right to left
        "victims\u{ad}",                                            // soft hyphen
        "protected\u{ff0e}victims",                                 // full-width full stop
    ] {
        for written in [name.to_owned(), format!("\"{name}\""), format!("protected.\"{name}\"")] {
            let reply = house.ask(&format!("select count(*) from {written}"));
            let code = reply.problem();
            let expected = ["unknown_table", "syntax", "PRIV-1001"];
            assert!(expected.contains(&&*code), "{written:?}: {code} {}", reply.body);
        }
    }
    // Of columns and codes the same: no look-alike is taken for the real one.
    for (sql, codes) in [
        ("select count(*) from victims where ye\u{430}r = 2024", &["unknown_column", "syntax"][..]),
        ("select count(*) from victims where sex = '\u{ff26}'", &["PRIV-1004"]),
        ("select count(*) from victims where province = 'PK-P\u{412}'", &["PRIV-1004"]),
        ("select count(*) from victims where year = '\u{662}\u{660}\u{662}\u{664}'", &["PRIV-1004"]),
    ] {
        let code = house.ask(sql).problem();
        assert!(codes.contains(&&*code), "{sql}: {code}");
    }
}

fn names_in_quotes(house: &House) {
    let expected = house.number(COUNT);
    for sql in [
        "select count(*) from \"victims\" where \"year\" = 2024",
        "select count(*) from \"Victims\" where year = 2024",
        "select count(*) from \"amanat\".\"protected\".\"victims\" where \"victims\".\"year\" = 2024",
        "select count(distinct \"victims\".\"person_id\") from victims where year = 2024",
        "select count(*) from victims as \"v\u{456}ctims\" where \"v\u{456}ctims\".year = 2024",
    ] {
        assert_eq!(house.number(sql), expected, "{sql}");
    }
    for (sql, code) in [
        ("select count(*) from \"victims \"", "unknown_table"),
        ("select count(*) from \" victims\"", "unknown_table"),
        ("select count(*) from \"protected.victims\"", "unknown_table"),
        ("select count(*) from \"\"", "unknown_table"),
        ("select count(*) from \"victims\"\"\"", "unknown_table"),
        ("select count(*) from protected.\"victims \"", "PRIV-1001"),
        ("select \"victims\".\"person_id\" from victims", "PRIV-1002"),
        ("select \"person_id\", count(*) from victims group by 1", "PRIV-1002"),
        ("select count(*) from victims where \"person_id\" = 'x'", "PRIV-1002"),
        ("select count(*) from victims where \"Year\" = 2024", "unknown_column"),
        ("select count(*) from \"victims", "syntax"),
    ] {
        let reply = house.ask(sql);
        assert_eq!(reply.problem(), code, "{sql}: {}", reply.body);
    }
}

/// The code of a problem, or what was counted.
fn outcome(reply: &Reply) -> String {
    if reply.status == 200 { reply.json()["rows"][0][0].to_string() } else { reply.problem() }
}

fn parameters_of_every_type(house: &House) {
    let all = house.number(COUNT).to_string();
    let long = format!("\"{}\"", "x".repeat(10_000));
    let by = |column: &str, value: &str| {
        let sql = json!(format!("select count(*) from victims where {column} = $1"));
        let reply = house.ask_json(&format!(r#"{{"sql": {sql}, "params": [{value}]}}"#));
        assert!(reply.status < 500, "{column} = {value}: {reply:?}");
        (outcome(&reply), reply)
    };
    let answered = |column: &str, value: &str| assert_eq!(by(column, value).0, all, "{column} = {value}");
    answered("year", "2024");
    answered("year", "\"2024\"");

    let refused = |column: &str, value: &str, codes: &[&str]| {
        let (found, reply) = by(column, value);
        assert!(codes.contains(&&*found), "{column} = {value}: {found} {}", reply.body);
    };
    for value in [
        "2024.5",
        "-1",
        "0",
        "1e300",
        "18446744073709551615",
        "123456789012345678901234567890",
        "\"\"",
        "\"2024 \"",
        "true",
        &long,
    ] {
        refused("year", value, &["PRIV-1004", "PRIV-1003"]);
        refused("sex", value, &["PRIV-1004", "PRIV-1003"]);
    }
    for column in ["year", "sex", "month"] {
        refused(column, "null", &["PRIV-1003", "PRIV-1004", "null"]);
        for value in ["[2024]", "{\"a\": 1}", "[[[]]]", "1e400", "NaN", "2024,", "'2024'"] {
            refused(column, value, &["malformed_body"]);
        }
        refused(column, "\"2024\", \"2024\"", &["parameter"]);
        refused(column, "", &["parameter"]);
    }
    let deep = "[".repeat(10_000);
    refused("year", &deep, &["malformed_body"]);
    assert!(!by("year", "{\"a\": 1}").1.body.contains("enum"), "in the client's words");
}

#[test]
fn clients_that_leave_in_the_middle_leave_no_question_without_an_end_and_nothing_hangs() {
    let house = House::open();
    let levels =
        ["sex", "age_band", "age_group", "province", "citizenship_region", "quarter", "month", "referral_source"];
    for (n, level) in levels.iter().cycle().take(24).enumerate() {
        let sql = format!("select {level}, count(*) as n{n} from victims where year = 2024 group by {level}");
        let leaving = sent(house.address, Some(&house.keys[0]), "text/plain", sql.as_bytes());
        if n % 2 == 0 {
            // Some leave when their question has begun, others whenever it may be.
            let has_begun = || house.questions().iter().any(|question| question.begin.sql == sql);
            house.until_audit("the question has begun", |_| has_begun());
        }
        drop(leaving);
    }
    // One may still begin when those before it have ended: what is looked at is one reading, in which each has an end.
    let mut asked = Vec::new();
    house.until_audit("each has an end", |_| {
        asked = house.questions();
        asked.iter().all(|question| question.end.is_some())
    });
    asked.retain(|question| !question.begin.sql.is_empty());
    assert!(asked.len() >= 12, "{}", asked.len());
    for question in asked {
        let end = question.end.unwrap();
        assert!(["answered", "cancelled"].contains(&&*end.decision), "{end:?}");
        assert!(!end.asked.is_empty() && end.asked.iter().all(|asked| asked.text.starts_with("victims ")), "{end:?}");
    }
    house.goes_on();
    house.close();
}

/// Questions at once, of which many are equal.
const AT_ONCE: usize = 200;

fn storm() -> Vec<String> {
    let levels = [
        "sex",
        "age_band",
        "age_group",
        "exploitation",
        "quarter",
        "province",
        "referral_source",
        "citizenship_region",
    ];
    let by =
        |level: &str| format!("select {level}, count(*) from victims where year = 2024 group by {level} order by 1");
    levels.iter().map(|level| by(level)).chain([COUNT.replace("count(*)", "'all', count(*)")]).collect()
}

/// A number of `/proc/PID/status`.
fn status(pid: u32, name: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn of_two_hundred_questions_at_once_each_is_answered_with_its_one_number_or_told_when_to_come_again() {
    let house = House::open();
    house.goes_on();
    let (pid, questions) = (house.up.id(), storm());
    let (threads, memory) = (status(pid, "Threads:"), status(pid, "VmHWM:"));
    let (most, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let ask = |n: usize| house.ask_with(&house.keys[n % 3], &questions[n % questions.len()]);
    let replies: Vec<(usize, Reply)> = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                most.fetch_max(status(pid, "Threads:"), Ordering::Relaxed);
                std::thread::yield_now();
            }
        });
        let asked: Vec<_> = (0..AT_ONCE).map(|n| scope.spawn(move || (n % questions_of(), ask(n)))).collect();
        let replies = asked.into_iter().map(|one| one.join().unwrap()).collect();
        done.store(true, Ordering::Relaxed);
        replies
    });
    let answered = answers(&replies);
    assert_eq!(answered.len(), questions.len(), "each was answered to somebody");
    for (n, sql) in questions.iter().enumerate() {
        assert_eq!(house.ask(sql).by_first(), answered[&n], "as asked alone: {sql}");
    }
    let more = most.load(Ordering::Relaxed).saturating_sub(threads);
    assert!(more <= 24, "{more} threads more than before");
    let grown = status(pid, "VmHWM:").saturating_sub(memory);
    assert!(grown < 512 << 10, "{grown} KiB more than before");
    assert_eq!(house.until_audit("each has an end", |audit| audit.open == 0).open, 0);
    house.close();
}

fn questions_of() -> usize {
    storm().len()
}

/// The one answer that each question had; the others were told to come again.
fn answers(replies: &[(usize, Reply)]) -> BTreeMap<usize, BTreeMap<String, Value>> {
    let mut answered = BTreeMap::new();
    let mut refused = BTreeSet::new();
    for (n, reply) in replies {
        if reply.status == 200 {
            let one = reply.by_first();
            assert_eq!(answered.entry(*n).or_insert_with(|| one.clone()), &one, "one number for one question");
            continue;
        }
        assert!(reply.status == 429 || reply.status == 503, "{reply:?}");
        assert!(reply.head.contains("retry-after: "), "{reply:?}");
        refused.insert(reply.problem());
    }
    assert!(refused.iter().all(|code| code == "busy"), "{refused:?}");
    answered
}

#[test]
fn a_key_is_needed_before_anything_is_asked_and_no_refusal_shows_it() {
    let house = House::open();
    let none = crate::door::send(house.address, None, "text/plain", COUNT.as_bytes());
    assert_eq!((none.status, none.problem().as_str()), (401, "key_needed"));
    let wrong = house.ask_with(&"0".repeat(house.keys[0].len()), COUNT);
    assert_eq!((wrong.status, wrong.problem().as_str()), (401, "key_needed"));
    assert_eq!(house.audit().questions, 1, "the edition alone: nothing was asked");
    house.close();
}
