//! `ingest.s3`: the lake on a real S3 server. The suites of lake and ingest there; the road end to end against the same on disk; a
//! worker whose server is killed and started again under it; what a commit costs.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::amanat::{Profile, Running, build, run, test_with};
use super::road::{edition, text, undisturbed};
use super::{Bench, Figure, Measured, measure};
use crate::s3::Server;

/// The test that shows that a store without conditional put is refused.
const REFUSAL: &str = "a_store_without_conditional_put_is_refused_with_the_remedy";
/// Commits in the log when the server is killed, each time: well before the last.
const KILLS: [usize; 3] = [3, 8, 13];
/// Rows of a batch while it is killed, so that there are some twenty commits.
const ROWS: u32 = 1_000;
const PATIENCE: Duration = Duration::from_mins(5);

/// The registry's part for the lake in a bucket.
pub fn figures() -> Vec<Figure> {
    vec![Figure {
        name: "ingest.s3",
        shows: "the lake on a real S3 server with conditional put: the suites of lake and ingest, the road end to end against a lake on disk, the server killed and restarted in the middle of ingest",
        unit: "tests passed there",
        goal: "none fails; editions and marts equal, invariants hold by the independent checker; a store without conditional put is refused",
        minutes: 6,
        short: false,
        correctness: true,
        run: measure,
    }]
}

fn measure(bench: &Bench) -> Result<Measured> {
    let program = build(Profile::Dev, "amanat", "amanat")?;
    let mut server = Server::up()?;
    let (local, _) = undisturbed(bench, &program, "small")?;
    let expected = edition(&program, &text(&local), &[])?;
    let road = Bucketed::new(bench, &server, &local, "end-to-end", "")?;
    run(&program, &road.ingest())?;
    let equal = road.judged(bench, &program, &server, &expected)?;
    let killed = killed(bench, &program, &mut server, &local, &expected)?;
    let latency = latency(bench, &server)?;
    eprintln!("  end to end {equal}\n  killed {killed}\n  commit {latency}");
    let suites = suites(&server)?;
    let holds = |seen: &Value| seen["equal"] == true && seen["invariants_hold"] == true;
    let refuses = suites.names.iter().any(|name| name.ends_with(REFUSAL));
    Ok(Measured {
        value: suites.passed.to_string(),
        met: suites.failed.is_empty() && refuses && holds(&equal) && holds(&killed),
        details: json!({
            "server": format!("Versity S3 Gateway {}", crate::s3::VERSION),
            "suites": {"passed": suites.passed, "failed": suites.failed},
            "refuses_a_store_without_conditional_put": refuses,
            "end_to_end": equal,
            "server_killed": killed,
            "commit": latency,
        }),
    })
}

/// The suites of lake and ingest with their lakes in the bucket. Simulated worlds have a store of their own and stay at home.
fn suites(server: &Server) -> Result<super::amanat::Tested> {
    let environment = server.environment();
    let mut all = test_with("lake", &["--test", "it"], &environment)?;
    let ingest = test_with("ingest", &["--test", "it", "--", "--skip", "simulation::"], &environment)?;
    all.passed += ingest.passed;
    all.failed.extend(ingest.failed);
    all.names.extend(ingest.names);
    Ok(all)
}

/// A data directory with the key and the log of another, and its lake in the bucket.
pub(super) struct Bucketed {
    pub data: PathBuf,
    pub config: PathBuf,
    url: String,
}

impl Bucketed {
    pub fn new(bench: &Bench, server: &Server, like: &Path, name: &str, more: &str) -> Result<Self> {
        let data = bench.scratch.join(name);
        std::fs::create_dir_all(data.join("keys"))?;
        std::fs::copy(like.join("keys/master"), data.join("keys/master"))?;
        for file in ["log.db", "log.db-wal"].map(|name| (like.join(name), data.join(name))) {
            if file.0.exists() {
                std::fs::copy(file.0, file.1)?;
            }
        }
        let (url, keys) = (Server::url(name), bench.scratch.join("credentials"));
        std::fs::write(&keys, server.credentials())?;
        // As the store on disk: it holds a sample. With a log and without this file it would be taken for half a store.
        let identity = std::fs::read_to_string(like.join("store.toml"))?;
        std::fs::write(data.join("store.toml"), format!("{identity}lake = {url:?}\n"))?;
        let config = bench.scratch.join(format!("{name}.toml"));
        let lake = format!(
            "[lake]\nurl = {url:?}\nendpoint = {:?}\nallow_http = true\nregion = \"us-east-1\"\ncredentials_file = \"{}\"\n",
            server.endpoint(),
            keys.display()
        );
        std::fs::write(&config, format!("{lake}{more}"))?;
        let place = Self { data, config, url };
        Ok(place)
    }

    fn ingest(&self) -> [&str; 8] {
        let (data, config) = (path(&self.data), path(&self.config));
        ["up", "--role", "ingest", "--once", "--data", data, "--config", config]
    }

    /// Whether the lake in the bucket comes to the same edition and marts, and what the independent checker finds there.
    fn judged(&self, bench: &Bench, program: &Path, server: &Server, expected: &Value) -> Result<Value> {
        let got = edition(program, path(&self.data), &["--config", path(&self.config)])?;
        let checked = Command::new(bench.root.join("tests/checker/run"))
            .arg(&self.data)
            .args(["--lake", &self.url])
            .envs(server.environment())
            .output()
            .context("cannot run the checker: install Python 3 with venv")?;
        let said = String::from_utf8_lossy(&checked.stdout);
        Ok(json!({
            "equal": got["hash"] == expected["hash"] && got["marts"] == expected["marts"],
            "invariants_hold": checked.status.success(),
            "checker": said.lines().map(|line| line.split(';').next().unwrap_or(line)).collect::<Vec<_>>(),
        }))
    }
}

pub(super) fn path(path: &Path) -> &str {
    path.to_str().expect("a scratch folder has a name in UTF-8")
}

/// `kill -9` of the server in the middle of ingest, again and again; it comes back once the worker has noticed.
fn killed(bench: &Bench, program: &Path, server: &mut Server, like: &Path, expected: &Value) -> Result<Value> {
    let rows = format!("[ingest]\nbatch_rows = {ROWS}\n[telemetry]\nlevel = \"warn\"\n");
    let place = Bucketed::new(bench, server, like, "killed", &rows)?;
    let (log, said) = (server.objects("killed").join("lake/events/_delta_log"), bench.scratch.join("said"));
    let mut command = Command::new(program);
    command.args(place.ingest()).stdout(Stdio::null()).stderr(File::create(&said)?);
    let mut worker = Running::of(command.stdin(Stdio::null()))?;
    let mut seen = Vec::new();
    for at in KILLS {
        wait(&mut worker, "a commit", || commits(&log) >= at)?;
        server.kill()?;
        seen.push(commits(&log));
        let before = length(&said);
        wait(&mut worker, "a word about the absent server", || length(&said) > before)?;
        server.restart()?;
    }
    let began = Instant::now();
    while !worker.ended()? {
        ensure!(began.elapsed() < PATIENCE, "the worker did not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    ensure!(worker.succeeded()?, "the worker failed: {}", std::fs::read_to_string(&said)?);
    let mut judged = place.judged(bench, program, server, expected)?;
    judged["kills_at_commits"] = json!(seen);
    judged["commits"] = json!(commits(&log));
    Ok(judged)
}

/// Commits of a log, by the names in the server's folder: looked at from beside it, because it may be away.
pub(super) fn commits(log: &Path) -> usize {
    let names = std::fs::read_dir(log).into_iter().flatten().flatten().map(|entry| entry.path());
    names.filter(|path| path.extension().is_some_and(|ending| ending == "json")).count()
}

fn length(file: &Path) -> u64 {
    file.metadata().map_or(0, |metadata| metadata.len())
}

/// Waits for a condition while the worker works.
fn wait(worker: &mut Running, what: &str, mut is_so: impl FnMut() -> bool) -> Result<()> {
    let began = Instant::now();
    while !is_so() {
        ensure!(!worker.ended()?, "the worker ended before {what}");
        ensure!(began.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn latency(bench: &Bench, server: &Server) -> Result<Value> {
    let (url, keys) = (Server::url("latency"), bench.scratch.join("credentials"));
    let arguments = ["--url", &url, "--endpoint", &server.endpoint(), "--credentials", path(&keys)];
    Ok(measure::measure(bench, Profile::Dev, "s3_commit", &arguments)?.details)
}
