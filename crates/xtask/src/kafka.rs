//! `cargo xtask kafka`: a real Apache Kafka (KRaft, one node) on loopback, for tests and for trying things out.
//!
//! The broker comes from `KAFKA_HOME`, or else from its published Maven artifacts, which `mvn` fetches once into the
//! cache folder (`$AMANAT_CACHE`, or `~/.cache/amanat`). Java 17 or newer is needed either way.
//!
//! Never left behind: with `up --with -- COMMAND` the kernel kills the broker when this process ends, however it ends.
//! A broker of plain `up` is meant to stay; `down` stops it by its process id, and only if that process is our broker.
//!
//! Absent: several nodes, TLS, accounts. Nothing listens on anything but 127.0.0.1.

mod broker;
mod probe;
mod runtime;

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::Subcommand;

use crate::server::{self, Life};
use crate::tied;
use broker::Instance;
pub use runtime::VERSION;

/// The port of `up`, `down` and `status` when none is given. Not Kafka's own 9092, where another one may run.
const DEFAULT_PORT: u16 = 19092;

/// `cargo xtask kafka …`
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Start a broker and wait until it answers; prints its address.
    Up {
        /// Its port on 127.0.0.1 [default: 19092; with --with: any free one]
        #[arg(long)]
        port: Option<u16>,
        /// Keep what the last broker on this port stored, instead of starting empty
        #[arg(long)]
        keep: bool,
        /// Run COMMAND with AMANAT_TEST_KAFKA set to the address, then stop the broker, whatever happens
        #[arg(long, requires = "command")]
        with: bool,
        /// The command of --with
        #[arg(last = true, requires = "with")]
        command: Vec<OsString>,
    },
    /// Stop the broker.
    Down {
        /// Its port
        #[arg(long, default_value_t = DEFAULT_PORT)]
        port: u16,
    },
    /// Say whether the broker runs and answers; exit code 1 if not.
    Status {
        /// Its port
        #[arg(long, default_value_t = DEFAULT_PORT)]
        port: u16,
    },
}

/// A broker for as long as it is held: on any free port, empty at first, its files removed with it.
pub struct Broker {
    instance: Instance,
    started: broker::Started,
}

impl Broker {
    /// Starts one and waits until it answers.
    pub fn up() -> Result<Self> {
        let instance = Instance::on(server::free_port()?)?;
        let started = instance.start(false, Life::UntilWeEnd)?;
        let mut broker = Self { instance, started };
        broker.started.wait_until_it_answers()?;
        Ok(broker)
    }

    /// Its address, as clients take it.
    pub fn bootstrap(&self) -> String {
        self.instance.address()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.started.stop();
        self.instance.remove();
    }
}

/// Runs the chore; the exit code is that of the command of `--with`, if there is one.
pub fn run(args: Args) -> Result<ExitCode> {
    match args.verb {
        Verb::Up { port, keep, with: true, command } => up_with(port, keep, &command),
        Verb::Up { port, keep, .. } => up(port.unwrap_or(DEFAULT_PORT), keep),
        Verb::Down { port } => down(port),
        Verb::Status { port } => status(port),
    }
}

fn up(port: u16, keep: bool) -> Result<ExitCode> {
    let instance = Instance::on(port)?;
    if instance.running().is_some() {
        bail!("{} is already running; stop it with `cargo xtask kafka down --port {port}`", instance.address());
    }
    let mut starting = instance.start(keep, Life::UntilDown)?;
    if let Err(error) = starting.wait_until_it_answers() {
        starting.stop();
        return Err(error);
    }
    println!("{}", instance.address());
    eprintln!("Kafka {} answers; stop it with `cargo xtask kafka down --port {port}`", runtime::VERSION);
    Ok(ExitCode::SUCCESS)
}

fn up_with(port: Option<u16>, keep: bool, command: &[OsString]) -> Result<ExitCode> {
    let port = port.map_or_else(server::free_port, Ok)?;
    let instance = Instance::on(port)?;
    if instance.running().is_some() {
        bail!("{} is already running", instance.address());
    }
    let mut started = instance.start(keep, Life::UntilWeEnd)?;
    let outcome = started.wait_until_it_answers().and_then(|()| {
        let mut child = tied::command(command)?;
        child.env("AMANAT_TEST_KAFKA", instance.address());
        let shown = command[0].to_string_lossy();
        child.status().with_context(|| format!("cannot run {shown}"))
    });
    started.stop();
    if !keep {
        instance.remove();
    }
    let code = outcome?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

fn down(port: u16) -> Result<ExitCode> {
    let instance = Instance::on(port)?;
    match instance.running() {
        Some(pid) => {
            server::stop_process(pid);
            println!("stopped {}", instance.address());
        }
        None => println!("nothing runs on {}", instance.address()),
    }
    instance.forget();
    Ok(ExitCode::SUCCESS)
}

fn status(port: u16) -> Result<ExitCode> {
    let instance = Instance::on(port)?;
    let Some(pid) = instance.running() else {
        println!("{}: not running", instance.address());
        return Ok(ExitCode::FAILURE);
    };
    match probe::brokers(port) {
        Ok(count) => {
            println!("{}: answers, {count} broker, process {pid}", instance.address());
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            println!("{}: process {pid} runs but does not answer: {error}", instance.address());
            Ok(ExitCode::FAILURE)
        }
    }
}

/// `java`, of `JAVA_HOME` if that is set.
fn java() -> Command {
    match std::env::var_os("JAVA_HOME") {
        Some(home) => Command::new(std::path::Path::new(&home).join("bin/java")),
        None => Command::new("java"),
    }
}
