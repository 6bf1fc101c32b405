//! A child process that ends with its parent, however the parent ends.
//!
//! `prctl(PR_SET_PDEATHSIG)` acts on the caller and survives `exec`, so this program is started a second time, ties
//! itself to the first and then becomes the command. That needs no `unsafe` code between fork and exec.

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

/// The command, wrapped so that it dies with this process.
pub fn command(command: &[OsString]) -> Result<Command> {
    let mut wrapped = Command::new(std::env::current_exe().context("where is this program?")?);
    wrapped.args(["tied", "--parent", &std::process::id().to_string(), "--"]).args(command);
    // The command may be another cargo.
    crate::forget_this_package(&mut wrapped);
    Ok(wrapped)
}

/// The second half of [`command`]. Returns only if it fails.
pub fn become_command(parent: i32, command: &[OsString]) -> Result<ExitCode> {
    tie_to(parent)?;
    let (program, args) = command.split_first().context("which command?")?;
    let Err(error): Result<Infallible, _> = Err(Command::new(program).args(args).exec());
    Err(error).with_context(|| format!("cannot run {}", program.to_string_lossy()))
}

#[cfg(target_os = "linux")]
fn tie_to(parent: i32) -> Result<()> {
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)
        .context("cannot tie this process to its parent")?;
    if nix::unistd::getppid().as_raw() != parent {
        bail!("the parent ended before the command began");
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn tie_to(_: i32) -> Result<()> {
    Ok(()) // no such thing here: the broker is stopped on every ordinary end, not on SIGKILL
}
