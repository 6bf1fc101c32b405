//! What servers for tests have in common: a port, a process, its end.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::Result;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const STOP_WITHIN: Duration = Duration::from_secs(20);
/// Pause between two looks at a server that starts or stops.
pub const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long a server lives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// Until `down`.
    UntilDown,
    /// Until this process ends, in whatever way.
    UntilWeEnd,
}

/// A port on which nothing listens now.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Stops a child and waits for its end: asks, waits, insists.
pub fn stop(process: &mut Child) {
    let _ = kill(Pid::from_raw(process.id() as i32), Signal::SIGTERM);
    let deadline = Instant::now() + STOP_WITHIN;
    while matches!(process.try_wait(), Ok(None)) {
        if Instant::now() > deadline {
            let _ = process.kill();
            let _ = process.wait();
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Stops a process that is not our child: asks, waits, insists.
pub fn stop_process(pid: Pid) {
    let _ = kill(pid, Signal::SIGTERM);
    let deadline = Instant::now() + STOP_WITHIN;
    while kill(pid, None).is_ok() {
        if Instant::now() > deadline {
            let _ = kill(pid, Signal::SIGKILL);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// The process that a pid file names, if it lives and its arguments hold `mark`: a number may have gone to another program.
pub fn running(pid_file: &Path, mark: &str) -> Option<Pid> {
    let pid: i32 = fs::read_to_string(pid_file).ok()?.trim().parse().ok()?;
    command_line(pid).is_some_and(|line| line.contains(mark)).then(|| Pid::from_raw(pid))
}

/// The arguments of a living process, with spaces between; `None` if there is none.
fn command_line(pid: i32) -> Option<String> {
    let procfs = Path::new("/proc").join(pid.to_string()).join("cmdline");
    if let Ok(line) = fs::read(procfs) {
        return Some(String::from_utf8_lossy(&line).replace('\0', " "));
    }
    let output = Command::new("ps").args(["-o", "args=", "-p", &pid.to_string()]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
