//! `road.kill9`: a worker that is killed while it ingests, on both logs, at random moments and at each fail point.
//!
//! Three things must be as if nothing had happened: the edition and every mart (one hash each), the rows of the lake by status and
//! reason (marts leave copies out, so a doubled row would not show in them), and one row for each offset read.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::amanat::{Profile, Running, build, run};
use super::measure;
use super::road::{edition, same_store, text, undisturbed};
use super::{Bench, Measured};

/// Places at which the program stops itself (`lake::failpoint`), and `None` for random moments.
const WHERE: [Option<&str>; 4] = [None, Some("before_upload"), Some("before_commit"), Some("after_commit")];
/// Kills at random moments, on each log.
const RANDOM_KILLS: u32 = 5;
/// What a worker needs before it reads.
const START: Duration = Duration::from_millis(250);

/// What a run must come to.
struct Expected {
    edition: Value,
    rows: Value,
    took: Duration,
}

/// Measures.
pub fn measure(bench: &Bench) -> Result<Measured> {
    let program = build(Profile::Dev, "amanat", "amanat")?;
    let (embedded, seconds) = undisturbed(bench, &program, "medium")?;
    let took = Duration::from_secs_f64(seconds);
    let rows = rows(bench, &embedded)?;
    ensure!(rows["whole"] == true, "the undisturbed run is not whole");
    let expected = Expected { edition: edition(&program, &text(&embedded), &[])?, rows, took };
    let mut runs = Vec::new();
    for place in WHERE {
        let data = bench.scratch.join(format!("killed-{}", place.unwrap_or("at-random")));
        same_store(&embedded, &data)?;
        for file in ["log.db", "log.db-wal"].map(|name| (embedded.join(name), data.join(name))) {
            if file.0.exists() {
                std::fs::copy(file.0, file.1)?;
            }
        }
        runs.push(disturbed(bench, &program, &data, &[], place, &expected)?);
    }
    let broker = crate::kafka::Broker::up()?;
    let brokers = broker.bootstrap();
    let published = bench.scratch.join("published-to-kafka");
    same_store(&embedded, &published)?;
    run(&program, &["sample", "--size", "medium", "--data", &text(&published), "--brokers", &brokers])?;
    for place in WHERE {
        let data = bench.scratch.join(format!("kafka-killed-{}", place.unwrap_or("at-random")));
        same_store(&embedded, &data)?;
        runs.push(disturbed(bench, &program, &data, &["--brokers", &brokers], place, &expected)?);
    }
    let wrong = runs.iter().filter(|run| run["equal"] != true || run["rows_equal"] != true).count();
    let enough = runs.iter().all(|run| run["kills"] == if run["where"] == "random" { RANDOM_KILLS } else { 1 });
    Ok(Measured {
        value: wrong.to_string(),
        met: wrong == 0 && enough,
        details: json!({"rows": expected.rows, "runs": runs}),
    })
}

/// Rows of the lake by status and reason, and whether each offset read has exactly one.
fn rows(bench: &Bench, data: &Path) -> Result<Value> {
    Ok(measure::measure(bench, Profile::Dev, "reconcile", &["--data", &text(data)])?.details)
}

fn disturbed(
    bench: &Bench,
    program: &Path,
    data: &Path,
    more: &[&str],
    place: Option<&str>,
    expected: &Expected,
) -> Result<Value> {
    let folder = text(data);
    let arguments = [&["up", "--role", "ingest", "--once", "--data", &folder], more].concat();
    let kills = match place {
        Some(name) => killed_at(program, &arguments, name)?,
        None => killed_at_random(program, &arguments, expected.took)?,
    };
    run(program, &arguments)?;
    let found = rows(bench, data)?;
    let got = edition(program, &folder, &[])?;
    Ok(json!({
        "log": if more.is_empty() { "sqlite" } else { "kafka" },
        "where": place.unwrap_or("random"),
        "kills": kills,
        "equal": got["hash"] == expected.edition["hash"] && got["marts"] == expected.edition["marts"],
        "rows_equal": found == expected.rows,
    }))
}

/// The third batch ends the process: there is something before it and something after it.
fn killed_at(program: &Path, arguments: &[&str], name: &str) -> Result<u32> {
    let stop = format!("{name}=2*off->1*return(abort)");
    let mut running = Running::start(program, arguments, &[("FAILPOINTS", &stop)])?;
    while !running.ended()? {
        ensure!(running.began.elapsed() < Duration::from_mins(10), "the fail point {name} was not reached");
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(u32::from(!running.succeeded()?))
}

/// Five kills, each within a fifth of the time that an undisturbed run takes, so that there is always something left to do.
/// Moments are drawn from the clock on purpose: over many runs every moment is tried.
fn killed_at_random(program: &Path, arguments: &[&str], took: Duration) -> Result<u32> {
    let mut kills = 0;
    for _ in 0..RANDOM_KILLS {
        let share = f64::from(SystemTime::now().duration_since(UNIX_EPOCH)?.subsec_nanos()) / 1e9;
        let mut running = Running::start(program, arguments, &[])?;
        std::thread::sleep(START + (took / RANDOM_KILLS).mul_f64(share));
        kills += u32::from(!running.ended()?);
        running.kill()?;
    }
    Ok(kills)
}
