//! `road.hostile_sql`: the corpora of `query`, asked over HTTP of a running endpoint with a published edition.
//!
//! Each hostile statement must be refused with a code that the corpus names, or end within the limits. The endpoint runs
//! alone on its directory, so any file that appears or changes there or in its working folder is its doing. That ordinary
//! questions are answered *right* is shown where answers can be worked out by hand: over the small country of the tests of
//! `query`, which run as part of the figure; here each must be answered, and counts must agree with the indicator API.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::amanat::{Profile, Running, build, free_port, get, post, run, test};
use super::{Bench, Measured};

/// Statements and questions that the goal asks for.
const ENOUGH: (usize, usize) = (200, 40);
/// Limits of a question: shorter than the program's, so that the figure is; the code that enforces them is the same.
const LIMITS: &str = "[sql]\ntime_limit_seconds = 3\nmemory_limit_mib = 64\n";
/// Time limit, and what refusing may take beside it.
const AT_MOST: Duration = Duration::from_millis(3_000 + 1_500);
/// Codes of refusals that say: it was bounded.
const BOUNDED: [&str; 3] = ["time_limit", "memory_limit", "row_limit"];

/// A question of a corpus.
struct Case {
    line: usize,
    expect: Vec<String>,
    params: Value,
    sql: String,
}

/// Measures.
pub fn measure(bench: &Bench) -> Result<Measured> {
    let right_by_hand = test("query", &["--test", "it", "ordinary"])?;
    let program = build(Profile::Dev, "amanat", "amanat")?;
    let (data, working) = (bench.scratch.join("data"), bench.scratch.join("working"));
    std::fs::create_dir_all(&working)?;
    let config = bench.scratch.join("limits.toml");
    std::fs::write(&config, LIMITS)?;
    let common = ["--data", &*data.to_string_lossy(), "--config", &*config.to_string_lossy()];
    run(&program, &[&["up", "--sample", "--once"], &common[..]].concat())?;
    // Somebody is let in already, so that the start has no link to make for it: no statement may change a file after that.
    run(&program, &[&["user", "invite", "--name", "operator-1", "--role", "operator"], &common[..]].concat())?;
    let port = free_port()?;
    let http = format!("127.0.0.1:{port}");
    let before = files(&[&data, &working])?;
    let arguments = [&["up", "--role", "endpoint", "--http", &http], &common[..]].concat();
    let mut endpoint = Running::start_in(&working, &program, &arguments, &[])?;
    until_it_answers(&mut endpoint, port)?;
    let corpus = |name: &str| std::fs::read_to_string(bench.root.join("tests").join(name));
    let hostile = read(&corpus("attacks/hostile.sql")?)?;
    let ordinary = read(&corpus("questions/ordinary.sql")?)?;
    let mut wrong = Vec::new();
    let mut codes: BTreeMap<String, u64> = BTreeMap::new();
    for case in &hostile {
        let (code, took) = ask(port, case)?;
        *codes.entry(code.clone()).or_default() += 1;
        if !refused_or_bounded(case, &code) || took > AT_MOST {
            wrong.push(format!("hostile.sql line {}: {code} after {:.1} s", case.line, took.as_secs_f64()));
        }
    }
    for case in &ordinary {
        let (code, _) = ask(port, case)?;
        if code != "ok" {
            wrong.push(format!("ordinary.sql line {}: {code}", case.line));
        }
    }
    let agreeing = agreeing(port, &mut wrong)?;
    let alive = !endpoint.ended()? && get(port, "/healthz").is_some();
    let (peak_mib, after) = (endpoint.peak_mib(), files(&[&data, &working])?);
    endpoint.kill()?;
    let made: Vec<&String> = after.symmetric_difference(&before).collect();
    let enough = hostile.len() >= ENOUGH.0 && ordinary.len() >= ENOUGH.1 && right_by_hand.passed > 0;
    Ok(Measured {
        value: wrong.len().to_string(),
        met: wrong.is_empty() && alive && made.is_empty() && enough,
        details: json!({
            "hostile": hostile.len(),
            "answers_to_hostile": codes,
            "ordinary_answered": ordinary.len(),
            "ordinary_right": format!("{} questions with worked-out answers, by cargo test -p query", ordinary.len()),
            "counts_equal_to_the_indicator_api": agreeing,
            "process_alive": alive,
            "peak_mib": peak_mib.round(),
            "files_made_or_changed": made,
            "failures": wrong,
        }),
    })
}

fn until_it_answers(endpoint: &mut Running, port: u16) -> Result<()> {
    while get(port, "/readyz").is_none() {
        ensure!(!endpoint.ended()?, "the endpoint ended");
        ensure!(endpoint.began.elapsed() < Duration::from_mins(1), "the endpoint does not answer");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// `ok`, or the code of the refusal; and how long it took.
fn ask(port: u16, case: &Case) -> Result<(String, Duration)> {
    let began = Instant::now();
    let body = json!({"sql": case.sql, "params": case.params}).to_string();
    let (status, answer) =
        post(port, "/v1/sql", &body).with_context(|| format!("no answer to the statement of line {}", case.line))?;
    let code = if status == 200 { "ok" } else { answer["code"].as_str().unwrap_or("a problem without a code") };
    Ok((code.to_owned(), began.elapsed()))
}

/// Over the larger store another limit may be the first one, or none be reached: all that is asked is that it ends.
fn refused_or_bounded(case: &Case, code: &str) -> bool {
    let expects = |wanted: &str| case.expect.iter().any(|expected| expected == wanted);
    let bounded = BOUNDED.iter().any(|limit| expects(limit)) && (code == "ok" || BOUNDED.contains(&code));
    let before_the_question = code == "body_too_large" && expects("too_long");
    expects(code) || bounded || before_the_question
}

/// How many indicators have as many rows and values by SQL as by the indicator API.
fn agreeing(port: u16, wrong: &mut Vec<String>) -> Result<usize> {
    let mut agreeing = 0;
    for id in super::road::THIRTEEN {
        let sql = format!("select count(*), count(value) from published.{}", id.to_lowercase());
        let (status, answer) = post(port, "/v1/sql", &json!({"sql": sql}).to_string()).context("no answer")?;
        let data = get(port, &format!("/v1/indicators/{id}/data")).context("no data")?;
        let rows = data["rows"].as_array().context("no rows")?;
        let expected = json!([rows.len(), super::road::visible_of(&data).context("no column of values")?]);
        if status == 200 && answer["rows"][0] == expected {
            agreeing += 1;
        } else {
            wrong.push(format!("{id}: SQL counts {}, the indicator API {expected}", answer["rows"][0]));
        }
    }
    Ok(agreeing)
}

/// Name, size and time of change of every file below.
fn files(folders: &[&Path]) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut left: Vec<_> = folders.iter().map(|folder| folder.to_path_buf()).collect();
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let (path, entry) = {
                let entry = entry?;
                (entry.path(), entry.metadata()?)
            };
            if entry.is_dir() {
                left.push(path);
            } else if !is_beside_a_ledger(&path) {
                found.insert(format!("{} {} {:?}", path.display(), entry.len(), entry.modified()?));
            }
        }
    }
    Ok(found)
}

/// What SQLite keeps beside `vault.db` and `audit.db` while they are open; the two themselves are looked at.
fn is_beside_a_ledger(path: &Path) -> bool {
    const BESIDE: [&str; 4] = ["vault.db-wal", "vault.db-shm", "audit.db-wal", "audit.db-shm"];
    path.file_name().is_some_and(|name| BESIDE.iter().any(|beside| name == *beside))
}

/// Reads a corpus; its form is told in its first lines.
fn read(corpus: &str) -> Result<Vec<Case>> {
    let mut cases: Vec<Case> = Vec::new();
    for (at, line) in corpus.lines().enumerate() {
        if let Some(expect) = line.strip_prefix("-- expect: ") {
            let expect = expect.split(" or ").map(|code| code.trim().to_owned()).collect();
            cases.push(Case { line: at + 1, expect, params: json!([]), sql: String::new() });
        } else if let Some(case) = cases.last_mut() {
            if let Some(params) = line.strip_prefix("-- params: ") {
                case.params = serde_json::from_str(params)?;
            } else if !line.starts_with("--> ") {
                case.sql.push_str(line);
                case.sql.push('\n');
            }
        }
    }
    for case in &mut cases {
        case.sql = expanded(case.sql.trim_end())?;
    }
    Ok(cases)
}

/// `{{1000*text}}` stands for a text repeated.
fn expanded(sql: &str) -> Result<String> {
    let Some((before, rest)) = sql.split_once("{{") else { return Ok(sql.to_owned()) };
    let Some((repeated, after)) = rest.split_once("}}") else { bail!("{{{{ without }}}}") };
    let (count, text) = repeated.split_once('*').context("{{count*text}}")?;
    Ok(format!("{before}{}{}", text.repeat(count.parse()?), expanded(after)?))
}
