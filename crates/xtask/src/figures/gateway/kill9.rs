//! `gateway.kill9`: the program is killed again and again while agencies post, and started again.
//!
//! Clients know nothing of it: what was not answered they send again, with the same `Idempotency-Key`. In the end each receipt is looked
//! up, and the lake is held against all of them. Moments are drawn from the clock on purpose: over many runs every moment is tried.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::super::amanat::{Profile, build, run};
use super::super::measure::measure as measured_by;
use super::super::{Bench, Measured};
use super::served::{Store, built_apart, number, profile};

/// Events; `DOOR_EVENTS` names others.
const EVENTS: u64 = 1_000_000;
/// Events a second: so many that there is always something under way, and so few that there is time for many kills.
const RATE: u64 = 12_000;
/// A process lives so long, seconds, its start included.
const LIVES: (f64, f64) = (0.2, 4.0);
/// The least number of kills by which something is shown.
const ENOUGH: u64 = 20;

/// Measures.
pub fn measure(bench: &Bench) -> Result<Measured> {
    let (profile, events) = (profile(), number("DOOR_EVENTS", EVENTS));
    let program = built_apart(bench, profile)?;
    let client = build(profile, "testkit", "measure")?;
    let store = Store::new(bench, &program, None)?;
    let found = disturbed(bench, &client, &store, (events, RATE), u64::MAX)?;
    let (wrong, kills) = (found["wrong"].as_u64().unwrap_or(u64::MAX), found["kills"].as_u64().unwrap_or(0));
    let enough = kills >= ENOUGH && events >= EVENTS && profile == Profile::Release;
    Ok(Measured { value: wrong.to_string(), met: wrong == 0 && enough, details: found })
}

/// Posts events while the program is killed, at most so often, and looks at what came of it.
pub fn disturbed(bench: &Bench, client: &Path, store: &Store, (events, rate): (u64, u64), most: u64) -> Result<Value> {
    let acknowledged = bench.scratch.join("acknowledged").to_string_lossy().into_owned();
    let (count, rate) = (events.to_string(), rate.to_string());
    let at = store.at();
    let mut arguments = vec!["door_posts"];
    arguments.extend(at.iter().map(String::as_str));
    arguments.extend(["--events", &count, "--rate", &rate, "--acknowledged", &acknowledged]);
    let (posted, kills) = std::thread::scope(|scope| -> Result<_> {
        let posting = scope.spawn(|| run(client, &arguments));
        let kills = kill_until(store, most, || posting.is_finished())?;
        let posted = posting.join().map_err(|_| anyhow::anyhow!("the clients failed"))??;
        Ok((serde_json::from_str::<Value>(posted.out.lines().last().unwrap_or_default())?, kills))
    })?;
    let mut door = store.open(&["gateway", "ingest"], &[])?;
    let more = ["--acknowledged", &acknowledged];
    let arguments: Vec<&str> = at.iter().map(String::as_str).chain(more).chain(["--data", &store.data]).collect();
    let followed = measured_by(bench, profile_of(client), "door_followed", &arguments)?;
    ensure!(!door.ended()?, "the program ended by itself");
    door.kill()?;
    store.ingest()?;
    let arguments = ["--data", &store.data, "--events", &count].into_iter().chain(more).collect::<Vec<_>>();
    let received = measured_by(bench, profile_of(client), "door_received", &arguments)?;
    let number = |value: &str| value.parse::<u64>().unwrap_or(u64::MAX);
    let wrong = number(&followed.value).saturating_add(number(&received.value));
    let wrong = wrong.saturating_add(u64::from(posted["met"] != true || !received.met || !followed.met));
    Ok(json!({
        "wrong": wrong, "kills": kills, "events": events, "posted": posted["details"], "receipts": followed.details,
        "in_the_lake": received.details,
    }))
}

/// The build by which the client was made is the one by which the rest is looked at.
fn profile_of(client: &Path) -> Profile {
    if client.components().any(|part| part.as_os_str() == "release") { Profile::Release } else { Profile::Dev }
}

/// Starts the program and kills it at a random moment of its life, until it is enough or the clients are done; after the last kill
/// it lives. How often it was killed.
fn kill_until(store: &Store, most: u64, done: impl Fn() -> bool) -> Result<u64> {
    let mut kills = 0;
    loop {
        let mut running = store.start(&["gateway", "ingest"], &[])?;
        let share = f64::from(SystemTime::now().duration_since(UNIX_EPOCH)?.subsec_nanos()) / 1e9;
        let life = Duration::from_secs_f64(LIVES.0 + (LIVES.1 - LIVES.0) * share);
        while !done() && (kills >= most || running.began.elapsed() < life) {
            ensure!(
                !running.ended()?,
                "the program ended by itself: {}",
                store.said()?.lines().last().unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        running.kill()?;
        if done() {
            return Ok(kills);
        }
        kills += 1;
    }
}
