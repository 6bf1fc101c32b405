//! `ingest.no_loss`: three workers of one group on real Kafka under load, each ready to maintain the lake too, killed and paused at
//! random seconds, and then the independent checker over what the log and the lake hold.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail, ensure};
use nix::sys::signal::Signal;
use serde_json::json;

use super::super::amanat::{Running, built_apart, run, run_with};
use super::super::{Bench, Figure, Measured, text};
use super::commits::Commits;
use crate::kafka::Broker;

/// Workers of the group.
const WORKERS: usize = 3;
/// Minutes of disturbance; `NO_LOSS_MINUTES` names others.
const MINUTES: u64 = 50;
/// Events a second: kept low enough that the checker, which reads each with its own decoder, ends within minutes.
const RATE: u64 = 500;
/// Something happens every so many seconds, evenly drawn.
const EVERY: (u64, u64) = (2, 12);
/// A pause lasts so many seconds: below and above the session timeout, so that some wake as zombies.
const PAUSE: (u64, u64) = (1, 20);
/// Session timeout of the group, milliseconds.
const SESSION: &str = "6000";
/// The group of the workers.
const GROUP: &str = "no-loss";

pub fn figures() -> Vec<Figure> {
    vec![Figure {
        name: "ingest.no_loss",
        shows: "three workers on real Kafka under load that maintain the lake too, kill -9 and SIGSTOP at random seconds; the independent checker over all of it (release)",
        unit: "broken invariants",
        goal: "0",
        minutes: 60,
        short: false,
        correctness: true,
        run: no_loss,
    }]
}

/// A worker, and until when it is paused.
struct Worker {
    running: Running,
    paused_until: Option<Instant>,
}

fn no_loss(bench: &Bench) -> Result<Measured> {
    let program = built_apart(bench)?;
    let minutes = std::env::var("NO_LOSS_MINUTES").ok().and_then(|minutes| minutes.parse().ok()).unwrap_or(MINUTES);
    let broker = Broker::up()?;
    let (brokers, data) = (broker.bootstrap(), bench.scratch.join("no-loss"));
    let folder = text(&data);
    let events = (minutes * 60 * RATE).to_string();
    let common = ["--data", &*folder, "--brokers", &*brokers];
    // The first events make the topics and the store that all share.
    run(&program, &[&["sample", "--size", "large", "--first", "1000"], &common[..]].concat())?;
    let feed = ["sample", "--size", "large", "--first", &events, "--rate", &RATE.to_string()].map(str::to_owned);
    let feed: Vec<&str> = feed.iter().map(String::as_str).chain(common).collect();
    let mut producer = Running::start(&program, &feed, &[])?;
    let environment = [("AMANAT_LOG__GROUP", GROUP), ("AMANAT_LOG__SESSION_TIMEOUT_MS", SESSION)];
    let worker = || -> Result<Worker> {
        let roles = ["up", "--role", "ingest", "--role", "maintain"];
        let running = Running::start(&program, &[&roles, &common[..]].concat(), &environment)?;
        Ok(Worker { running, paused_until: None })
    };
    let mut workers = (0..WORKERS).map(|_| worker()).collect::<Result<Vec<_>>>()?;
    let seed = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let mut dice = Dice { seed, drawn: 0 };
    let (mut kills, mut pauses, mut died) = (0_u32, 0_u32, 0_u32);
    while !producer.ended()? {
        std::thread::sleep(Duration::from_secs(dice.between(EVERY)));
        for one in &mut workers {
            if one.paused_until.is_some_and(|until| until <= Instant::now()) {
                one.running.signal(Signal::SIGCONT)?;
                one.paused_until = None;
            }
            if one.running.ended()? {
                died += 1; // by itself: nothing may end a worker but us
                *one = worker()?;
            }
        }
        let chosen = dice.between((0, WORKERS as u64 - 1)) as usize;
        if dice.between((0, 1)) == 0 {
            let fresh = worker()?;
            std::mem::replace(&mut workers[chosen], fresh).running.kill()?;
            kills += 1;
        } else if workers[chosen].paused_until.is_none() {
            workers[chosen].running.signal(Signal::SIGSTOP)?;
            workers[chosen].paused_until = Some(Instant::now() + Duration::from_secs(dice.between(PAUSE)));
            pauses += 1;
        }
    }
    ensure!(producer.succeeded()?, "the feed was not published whole");
    for one in workers {
        one.running.kill()?;
    }
    // The rest of the log, and marts, so that the checker can compare them with a rebuild.
    run_with(
        &program,
        &[&["up", "--role", "ingest", "--role", "refresh", "--once"], &common[..]].concat(),
        &environment,
    )?;
    let checked = check(bench, &program, &data, &brokers)?;
    let commits = Commits::of(&data).new_ones()?.len();
    let broken = checked.iter().filter(|line| line.contains("BROKEN")).count();
    ensure!(
        broken > 0 || checked.iter().filter(|line| line.contains(" holds:")).count() >= 6,
        "the checker looked at too little: {checked:?}"
    );
    Ok(Measured {
        value: broken.to_string(),
        met: broken == 0 && died == 0 && minutes >= MINUTES,
        details: json!({
            "minutes": minutes, "workers": WORKERS, "events": minutes * 60 * RATE, "seed": seed.to_string(), "kills": kills, "pauses": pauses,
            "workers_that_ended_by_themselves": died, "commits_of_rows": commits, "checker": checked,
        }),
    })
}

/// What the independent checker says, line by line.
fn check(bench: &Bench, program: &Path, data: &Path, brokers: &str) -> Result<Vec<String>> {
    let checker = bench.root.join("tests/checker/run");
    let mut command = Command::new(checker);
    command.arg(data).args(["--kafka", brokers, "--group", GROUP, "--amanat"]).arg(program);
    let output = command.output()?;
    let lines: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    if !output.status.success() && !lines.iter().any(|line| line.contains("BROKEN")) {
        bail!("the checker failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(lines)
}

/// Draws that a seed repeats.
struct Dice {
    seed: u128,
    drawn: u64,
}

impl Dice {
    /// Evenly one of `from..=to`.
    fn between(&mut self, (from, to): (u64, u64)) -> u64 {
        self.drawn += 1;
        let hash = blake3::hash(&[&self.seed.to_le_bytes()[..], &self.drawn.to_le_bytes()].concat());
        let mut first = [0; 8];
        first.copy_from_slice(&hash.as_bytes()[..8]);
        from + u64::from_le_bytes(first) % (to - from + 1)
    }
}
