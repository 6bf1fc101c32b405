//! Runs the program under measurement as a user would: as a process, through its command line and its HTTP endpoint.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
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
pub fn build(bench: &Bench, profile: Profile, package: &str, bin: &str, features: &[&str]) -> Result<PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(&bench.root).args([
        "build",
        "--locked",
        "--quiet",
        "--message-format=json-render-diagnostics",
        "-p",
        package,
        "--bin",
        bin,
    ]);
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    if !features.is_empty() {
        cargo.args(["--features", &features.join(",")]);
    }
    let output = cargo.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        bail!("cargo build -p {package} failed");
    }
    String::from_utf8(output.stdout)?
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| {
            (message["target"]["name"] == *bin).then(|| message["executable"].as_str().map(PathBuf::from)).flatten()
        })
        .with_context(|| format!("cargo built no executable {bin}"))
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
    let began = Instant::now();
    let child = Command::new(program).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let id = child.id();
    let watcher = std::thread::spawn(move || watch(id));
    let output = child.wait_with_output()?;
    let seconds = began.elapsed().as_secs_f64();
    let (cpu_seconds, peak_mib) = watcher.join().map_err(|_| anyhow::anyhow!("the watcher failed"))?;
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

/// CPU seconds and peak resident set of a process, read from /proc until it ends.
fn watch(id: u32) -> (f64, f64) {
    let ticks_per_second = 100.0; // USER_HZ, fixed at 100 in the kernel's interface to programs
    let (mut cpu, mut peak) = (0.0, 0.0_f64);
    while let Ok(stat) = std::fs::read_to_string(format!("/proc/{id}/stat")) {
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
        if fields.first() == Some(&"Z") {
            break;
        }
        let number = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
        cpu = (number(11) + number(12)) / ticks_per_second;
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<f64>().ok());
        peak = peak.max(kib.unwrap_or(0.0) / 1024.0);
        std::thread::sleep(Duration::from_millis(5));
    }
    (cpu, peak)
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
        let mut command = Command::new(program);
        command.args(arguments).envs(environment.iter().copied()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { child: command.spawn()?, began: Instant::now() })
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
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
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.lines().next()?.contains(" 200 ").then(|| serde_json::from_str(body).ok())?
}
