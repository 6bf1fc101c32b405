//! Runs the program under measurement as a user would: as a process, through its command line and its HTTP endpoint.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::Signal;
use nix::sys::time::TimeVal;
use nix::unistd::Pid;
use serde_json::Value;

use super::Bench;

/// Which build is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// What the README's first command builds.
    Dev,
    /// `cargo build --release`.
    Release,
}

/// Builds the program and gives its path.
pub fn build(profile: Profile, package: &str, bin: &str) -> Result<PathBuf> {
    built(profile, package, "--bin", bin)
}

/// Builds an example and gives its path.
pub fn build_example(package: &str, example: &str) -> Result<PathBuf> {
    built(Profile::Dev, package, "--example", example)
}

fn built(profile: Profile, package: &str, kind: &str, name: &str) -> Result<PathBuf> {
    let mut cargo = crate::cargo();
    cargo.args(["build", "--locked", "--quiet", "--message-format=json-render-diagnostics"]);
    cargo.args(["-p", package, kind, name]);
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    let output = cargo.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        bail!("cargo build -p {package} failed");
    }
    String::from_utf8(output.stdout)?
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| {
            (message["target"]["name"] == *name).then(|| message["executable"].as_str().map(PathBuf::from)).flatten()
        })
        .with_context(|| format!("cargo built no executable {name}"))
}

/// Builds the program and gives the path of a copy, which a build beside a long run does not change.
pub fn built_apart(bench: &Bench) -> Result<PathBuf> {
    let copy = bench.scratch.join("amanat");
    std::fs::copy(build(Profile::Release, "amanat", "amanat")?, &copy)?;
    Ok(copy)
}

/// A finished run of the program.
pub struct Ran {
    /// Standard output.
    pub out: String,
    /// User and system time of the process, seconds.
    pub cpu_seconds: f64,
    /// Wall time, seconds.
    pub seconds: f64,
    /// Largest resident set, MiB.
    pub peak_mib: f64,
}

/// Runs to the end; an error when it fails.
pub fn run(program: &Path, arguments: &[&str]) -> Result<Ran> {
    run_with(program, arguments, &[])
}

/// The same with these environment variables.
pub fn run_with(program: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Result<Ran> {
    let before = cpu_of_children()?;
    let began = Instant::now();
    // Why it failed is one sentence; where in the code, with the folders of a machine, is no part of a figure.
    let child = Command::new(program)
        .args(arguments)
        .env("RUST_BACKTRACE", "0")
        .envs(environment.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let id = child.id();
    let watcher = std::thread::spawn(move || watch(id));
    let output = child.wait_with_output()?;
    let seconds = began.elapsed().as_secs_f64();
    let cpu_seconds = cpu_of_children()? - before;
    let peak_mib = watcher.join().map_err(|_| anyhow::anyhow!("the watcher failed"))?;
    if !output.status.success() {
        bail!(
            "{} {} failed ({}): {}",
            program.display(),
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(Ran { out: String::from_utf8_lossy(&output.stdout).into_owned(), cpu_seconds, seconds, peak_mib })
}

/// User and system time of all processes that this one has started and that have ended, seconds (getrusage). Measured runs
/// follow one another, and what runs beside them (a broker) is still alive, so the difference is the run's own.
pub fn cpu_of_children() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

/// Peak resident set of a process, read from /proc until it ends.
fn watch(id: u32) -> f64 {
    let mut peak = 0.0_f64;
    let ended = |stat: &str| stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'));
    while std::fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !ended(&stat)) {
        peak = peak.max(peak_mib(id));
        std::thread::sleep(Duration::from_millis(5));
    }
    peak
}

/// The largest resident set of a living process, MiB.
fn peak_mib(id: u32) -> f64 {
    memory_mib(id, "VmHWM:")
}

fn memory_mib(id: u32, what: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(what));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// A running program; killed when dropped.
pub struct Running {
    child: Child,
    /// When it was started.
    pub began: Instant,
}

impl Running {
    /// Starts it with its output discarded.
    pub fn start(program: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Result<Self> {
        Self::start_in(Path::new("."), program, arguments, environment)
    }

    /// The same in a working folder.
    pub fn start_in(folder: &Path, program: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Result<Self> {
        let mut command = Command::new(program);
        command.current_dir(folder);
        for address in ["AMANAT_GATEWAY__HTTP", "AMANAT_POSTGRES__ADDRESS", "AMANAT_FLIGHT__ADDRESS"] {
            command.env(address, "127.0.0.1:0"); // any free port: figures run beside each other
        }
        // One figure asks as fast as many readers.
        for pace in ["AMANAT_SQL__QUESTIONS_PER_MINUTE", "AMANAT_SQL__QUESTIONS_PER_MINUTE_OF_ALL"] {
            command.env(pace, "0");
        }
        // As an operator starts it: a panic that a library catches within itself would otherwise bring the line tables to memory.
        command.env("RUST_BACKTRACE", "0");
        command.args(arguments).envs(environment.iter().copied()).stdout(Stdio::null()).stderr(Stdio::null());
        Self::of(&mut command)
    }

    /// Starts a command as it is.
    pub fn of(command: &mut Command) -> Result<Self> {
        Ok(Self { child: command.spawn()?, began: Instant::now() })
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Sends a signal, for instance to pause it.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(nix::sys::signal::kill(Pid::from_raw(i32::try_from(self.child.id())?), signal)?)
    }

    /// Largest resident set so far, MiB.
    pub fn peak_mib(&self) -> f64 {
        peak_mib(self.child.id())
    }

    /// Resident set now, MiB.
    pub fn resident_mib(&self) -> f64 {
        memory_mib(self.child.id(), "VmRSS:")
    }

    /// User and system time so far, seconds (proc(5), `stat`: fields 14 and 15, in hundredths on Linux).
    pub fn cpu_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let ticks = after_name.split_whitespace().skip(11).take(2);
        ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
    }

    /// Whether it ended well; an error while it runs.
    pub fn succeeded(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.context("it still runs")?.success())
    }

    /// Whether it has ended by itself.
    pub fn ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A loopback port that was free a moment ago.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// GET as JSON; `None` while nothing answers or the answer is not 200.
pub fn get(port: u16, path: &str) -> Option<Value> {
    let asked = format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n");
    match exchange(port, &asked, None)? {
        // `/healthz` and `/readyz` may answer in plain words.
        (200, body) => Some(serde_json::from_str(&body).unwrap_or(Value::Null)),
        _ => None,
    }
}

/// POST of JSON: status and body of the answer.
pub fn post(port: u16, path: &str, body: &str) -> Option<(u16, Value)> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    let (status, answer) = exchange(port, &head, Some(body))?;
    Some((status, serde_json::from_str(&answer).unwrap_or(Value::Null)))
}

/// Bodies longer than this may be refused by their length alone, before they are sent.
const LONG_BODY: usize = 60_000;

fn exchange(port: u16, head: &str, body: Option<&str>) -> Option<(u16, String)> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.write_all(head.as_bytes()).ok()?;
    let mut answer = Vec::new();
    if let Some(body) = body {
        if body.len() > LONG_BODY {
            stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
            let _ = stream.read_to_end(&mut answer);
        }
        if answer.is_empty() {
            stream.write_all(body.as_bytes()).ok()?;
        }
    }
    stream.set_read_timeout(Some(Duration::from_mins(1))).ok()?;
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8(answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.lines().next()?.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

/// What `cargo test` of a room said.
pub struct Tested {
    /// Tests that passed.
    pub passed: usize,
    /// Names of those that failed.
    pub failed: Vec<String>,
    /// Names of all that passed.
    pub names: Vec<String>,
}

/// Runs tests of a room; an error only where they cannot be built.
pub fn test(package: &str, arguments: &[&str]) -> Result<Tested> {
    test_with(package, arguments, &[])
}

/// The same with an environment.
pub fn test_with(package: &str, arguments: &[&str], environment: &[(&str, String)]) -> Result<Tested> {
    let mut cargo = crate::cargo();
    cargo.args(["test", "--locked", "-p", package]).args(arguments).envs(environment.iter().cloned());
    let output = cargo.stderr(Stdio::piped()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let ended = |how: &str| -> Vec<String> {
        let name = |line: &str| Some(line.strip_prefix("test ")?.strip_suffix(how)?.to_owned());
        text.lines().filter_map(name).collect()
    };
    let (names, failed) = (ended(" ... ok"), ended(" ... FAILED"));
    if !output.status.success() && failed.is_empty() {
        bail!("cargo test -p {package} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(Tested { passed: names.len(), failed, names })
}
