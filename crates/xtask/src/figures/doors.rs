//! The figures of the readers' doors.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::amanat::{Profile, Running, build, free_port, get, run};
use super::{Bench, Figure, Measured, text};

/// Streams that are opened.
const STREAMS: u32 = 5_000;

/// How long the synthetic country may take to be served.
const SERVED_WITHIN: Duration = Duration::from_mins(2);

/// The registry's part for the doors.
pub fn figures() -> Vec<Figure> {
    vec![
        Figure {
            name: "doors.standards",
            shows: "the indicator API read by others: SDMX by the official schemas and pysdmx, JSON-stat, Data Package, DCAT, Parquet, Arrow, Atom, iCalendar, OpenAPI by redocly and schemathesis (tests/standards)",
            unit: "checks",
            goal: "all",
            minutes: 3,
            short: false,
            correctness: true,
            run: standards,
        },
        Figure {
            name: "doors.policy",
            shows: "who may ask what: the matrix of access.toml cell by cell, each role at each table for each kind of question and at each address; a table or address without a row fails",
            unit: "cells as drawn",
            goal: "all, over 400",
            minutes: 1,
            short: false,
            correctness: true,
            run: policy,
        },
        Figure {
            name: "doors.browser",
            shows: "the pages in a real browser: stories in both languages, axe, widths, weight, time until they can be used (tests/browser)",
            unit: "checks",
            goal: "all",
            minutes: 6,
            short: false,
            correctness: true,
            run: browser,
        },
        Figure {
            name: "doors.bi_tool",
            shows: "Apache Superset connects, lists, asks and charts (tests/bi)",
            unit: "steps",
            goal: "all",
            minutes: 10,
            short: false,
            correctness: true,
            run: bi_tool,
        },
        Figure {
            name: "doors.notebooks",
            shows: "the notebooks in Python and R, from top to bottom (notebooks)",
            unit: "checks",
            goal: "all",
            minutes: 3,
            short: false,
            correctness: true,
            run: notebooks,
        },
        Figure {
            name: "doors.clients",
            shows: "real clients of PostgreSQL and Flight SQL: connect, tables with comments, a typed parameter, a refusal with hint and code, a question ended that frees the CPU (tests/clients)",
            unit: "clients",
            goal: "all",
            minutes: 2,
            short: false,
            correctness: true,
            run: clients,
        },
        Figure {
            name: "gateway.producers",
            shows: "the examples for producers against a running `amanat up` with the embedded log and with Apache Kafka: Python and Java by HTTP and by Kafka, a spreadsheet made by `amanat template`, filled, sealed and sent (examples/producers)",
            unit: "events in the lake once, with a receipt that says so",
            goal: "all",
            minutes: 3,
            short: false,
            correctness: true,
            run: producers,
        },
        Figure {
            name: "doors.polling",
            shows: "an indicator polled by 500 clients on one machine with them, in a release build: requests a second beside nginx as a cache in front of it and nginx with the same bytes in a file; the 99th percentile at a fixed 20,000 a second, and at 2,000 beside ten heavy questions; 304, CPU, memory (tests/polling)",
            unit: "checks",
            goal: "all: ≥ 1.0 times the cache, ≥ 0.8 times the file, p99 ≤ 20 ms and ≤ 50 ms",
            minutes: 10,
            short: false,
            correctness: false,
            run: polling,
        },
        Figure {
            name: "doors.hostile",
            shows: "10,000 hostile requests at all doors: heads, paths, bodies, slow clients, TLS and protocol junk, forged and replayed proofs; after each family the process is alive, its memory bounded and a reader answered as before (tests/hostile)",
            unit: "requests handled as they should be",
            goal: "all",
            minutes: 6,
            short: false,
            correctness: true,
            run: hostile,
        },
        Figure {
            name: "doors.oidc",
            shows: "signing in by OpenID Connect: a certified provider, and a hostile one that gives bad tokens, bad answers and bad descriptions of itself while the way back is tampered with (tests/oidc)",
            unit: "checks",
            goal: "all",
            minutes: 5,
            short: false,
            correctness: true,
            run: sign_in,
        },
        Figure {
            name: "doors.sse",
            shows: "5,000 open streams of new editions on loopback: memory of the server for each; from the edition to the last stream that is told (development build)",
            unit: "KiB a stream, and s from the end of `edition publish` to the last stream told",
            goal: "≤ 32 KiB; all told, within 2 s",
            minutes: 1,
            short: false,
            correctness: false,
            run: streams,
        },
    ]
}

fn standards(bench: &Bench) -> Result<Measured> {
    checked(bench, Profile::Dev, "tests/standards/run", &[], " checks")
}

fn browser(bench: &Bench) -> Result<Measured> {
    checked(bench, Profile::Dev, "tests/browser/run", &[], "")
}

fn polling(bench: &Bench) -> Result<Measured> {
    checked(bench, Profile::Release, "tests/polling/run", &[], "")
}

fn hostile(bench: &Bench) -> Result<Measured> {
    checked(bench, Profile::Dev, "tests/hostile/run", &[], "")
}

fn sign_in(bench: &Bench) -> Result<Measured> {
    checked(bench, Profile::Dev, "tests/oidc/run", &[], " checks")
}

fn bi_tool(bench: &Bench) -> Result<Measured> {
    checked(bench, Profile::Dev, "tests/bi/run", &[], "")
}

fn notebooks(bench: &Bench) -> Result<Measured> {
    checked(bench, Profile::Dev, "notebooks/run", &[], "")
}

/// What a script says that checks one thing after the other: `ok …` or `FAIL… …` for each, and `N of N` with its unit at the end.
fn checked(bench: &Bench, profile: Profile, script: &str, arguments: &[&str], unit: &str) -> Result<Measured> {
    let amanat = build(profile, "amanat", "amanat")?;
    let output = Command::new(bench.root.join(script)).args(arguments).env("AMANAT", &amanat).output()?;
    said(&output, script, unit)
}

/// What a script says: `N of M` and the unit on a line, `ok` and `FAIL` before each part.
fn said(output: &Output, script: &str, unit: &str) -> Result<Measured> {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let of = |line: &&str| line.split_once(" of ").is_some_and(|(n, _)| n.bytes().all(|b| b.is_ascii_digit()));
    let value =
        said.lines().filter_map(|line| line.strip_suffix(unit)).rfind(of).with_context(|| {
            format!("{script} gave no number of checks: {}", String::from_utf8_lossy(&output.stderr))
        })?;
    let failed: Vec<&str> = said.lines().filter(|line| line.starts_with("FAIL")).collect();
    let checks: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("ok ")).map(str::trim).collect();
    Ok(Measured {
        value: value.to_owned(),
        met: output.status.success() && failed.is_empty(),
        details: json!({"passed": checks, "failed": failed}),
    })
}

/// The matrix of the policy, cell by cell: each role at each table for each kind of question, and at each address.
fn policy(_: &Bench) -> Result<Measured> {
    let output = Command::new(env!("CARGO"))
        .args(["test", "--workspace", "--locked", "--no-fail-fast", "--test", "it", "--"])
        .args(["access::", "embargo::", "people::", "--nocapture", "--test-threads", "1"])
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = |text: &str| text.split_whitespace().find_map(|word| word.parse::<u64>().ok()).unwrap_or_default();
    let cells: u64 = said.lines().filter(|line| line.ends_with("cells of the matrix")).map(number).sum();
    let passed: u64 = said.lines().filter(|line| line.starts_with("test result:")).map(number).sum();
    let met = output.status.success() && cells > 400;
    Ok(Measured { value: format!("{cells} of {cells}"), met, details: json!({ "tests passed": passed }) })
}

/// The examples run with a broker of their own, which this very program starts.
fn producers(bench: &Bench) -> Result<Measured> {
    let amanat = build(Profile::Dev, "amanat", "amanat")?;
    let script = bench.root.join("examples/producers/run");
    let kafka = ["kafka", "up", "--with", "--"];
    let output = Command::new(std::env::current_exe()?).args(kafka).arg(script).env("AMANAT", &amanat).output()?;
    said(&output, "examples/producers/run", " events")
}

fn clients(bench: &Bench) -> Result<Measured> {
    let amanat = build(Profile::Dev, "amanat", "amanat")?;
    let (mut counts, mut rows, mut met) = ((0, 0), Vec::new(), true);
    let mut replayed = String::new();
    for (script, arguments) in [("tests/clients/postgres/run", &["--all"][..]), ("tests/clients/flight/run", &[])] {
        let output = Command::new(bench.root.join(script)).args(arguments).env("AMANAT", &amanat).output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let counted =
            |unit: &str| said.lines().filter_map(|line| line.strip_suffix(unit)?.split_once(" of ")).next_back();
        let (passed, all) = counted(" clients").with_context(|| {
            format!("{script} gave no number of clients: {}", String::from_utf8_lossy(&output.stderr))
        })?;
        counts = (counts.0 + passed.parse::<u32>()?, counts.1 + all.parse::<u32>()?);
        if let Some((passed, all)) = counted(" recorded statements") {
            replayed = format!("{passed} of {all}");
        }
        rows.extend(said.lines().filter(|line| line.starts_with('|')).skip(2).map(str::to_owned));
        met &= output.status.success();
    }
    let value = format!("{} of {}", counts.0, counts.1);
    Ok(Measured { value, met, details: json!({ "rows": rows, "recorded statements replayed": replayed }) })
}

fn streams(bench: &Bench) -> Result<Measured> {
    let amanat = build(Profile::Dev, "amanat", "amanat")?;
    let (data, port) = (text(&bench.scratch.join("store")), free_port()?);
    run(&amanat, &["up", "--sample", "--once", "--data", &data])?;
    let arguments = ["up", "--role", "endpoint", "--data", &data, "--http", &format!("127.0.0.1:{port}")];
    let mut served = Running::start(&amanat, &arguments, &[])?;
    while get(port, "/readyz").is_none() {
        ensure!(!served.ended()?, "`amanat up --role endpoint` ended");
        ensure!(served.began.elapsed() < SERVED_WITHIN, "`amanat up --role endpoint` does not answer");
        std::thread::sleep(Duration::from_millis(50));
    }
    let before = served.resident_mib();
    let mut client = Client::start(&bench.root.join("tests/standards/streams.py"), port)?;
    let began = Instant::now();
    ensure!(client.line()? == "open", "not every stream was opened");
    let (opened, open) = (began.elapsed().as_secs_f64(), served.resident_mib());
    run(&amanat, &["edition", "publish", "--as-of", "2025-12-31", "--data", &data])?;
    let published = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64();
    let told: Value = serde_json::from_str(&client.line()?).context("what the client measured")?;
    let moment = |name: &str| told[name].as_f64().with_context(|| format!("no moment {name}"));
    let kib = (open - before) * 1024.0 / f64::from(STREAMS);
    // The server looks for editions every half second: it may see one before `publish` has ended.
    let (last, spread) = ((moment("last")? - published).max(0.0), moment("last")? - moment("first")?);
    Ok(Measured {
        value: format!("{kib:.1} and {last:.2}"),
        met: kib <= 32.0 && last <= 2.0 && told["told"] == json!(STREAMS),
        details: json!({
            "streams": STREAMS,
            "mib_before": before,
            "mib_open": open,
            "seconds_to_open": opened,
            "seconds_from_first_told_to_last": spread,
        }),
    })
}

/// The listeners; killed when dropped.
struct Client {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Client {
    fn start(script: &Path, port: u16) -> Result<Self> {
        let mut child = Command::new("python3")
            .args([&text(script), &port.to_string(), &STREAMS.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .context("python3 is not here")?;
        let lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        Ok(Self { child, lines })
    }

    fn line(&mut self) -> Result<String> {
        Ok(self.lines.next().context("the listeners ended")??)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
