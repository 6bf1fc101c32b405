//! `cargo xtask s3`: a real S3 server with conditional put on loopback, for tests and for trying things out.
//!
//! The server is the Versity S3 Gateway over a folder; it comes from `VERSITYGW`, or else `go install` builds it once into the
//! cache folder (`$AMANAT_CACHE`, or `~/.cache/amanat`). Its access keys are random and new at each start.
//!
//! Never left behind: with `up --with -- COMMAND` the kernel kills the server when this process ends, however it ends.
//! A server of plain `up` is meant to stay; `down` stops it by its process id, and only if that process is our server.
//!
//! Absent: TLS, accounts, several buckets. Nothing listens on anything but 127.0.0.1.

mod instance;
mod runtime;

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use nix::sys::signal::Signal;

use crate::server::{self, Life};
use crate::tied;
use instance::{BUCKET, Instance, Keys, REGION};
pub use runtime::VERSION;

/// The port of `up`, `down` and `status` when none is given.
const DEFAULT_PORT: u16 = 19000;

/// `cargo xtask s3 …`
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Start a server and wait until it answers; prints its address and keys as lines for a shell to `export`.
    ///
    /// Examples:
    ///   cargo xtask s3 up --with -- cargo test -p lake --test it
    ///   eval "$(cargo xtask s3 up)"; AMANAT_LAKE__URL=s3://amanat/trial amanat up --sample
    #[command(verbatim_doc_comment)]
    Up {
        /// Its port on 127.0.0.1 [default: 19000; with --with: any free one]
        #[arg(long)]
        port: Option<u16>,
        /// Keep what the last server on this port stored, instead of starting empty
        #[arg(long)]
        keep: bool,
        /// Run COMMAND with the address (AMANAT_TEST_S3) and the keys set, then stop the server, whatever happens
        #[arg(long, requires = "command")]
        with: bool,
        /// The command of --with
        #[arg(last = true, requires = "with")]
        command: Vec<OsString>,
    },
    /// Stop the server.
    Down {
        /// Its port
        #[arg(long, default_value_t = DEFAULT_PORT)]
        port: u16,
    },
    /// Say whether the server runs and answers; exit code 1 if not.
    Status {
        /// Its port
        #[arg(long, default_value_t = DEFAULT_PORT)]
        port: u16,
    },
}

/// What tests and the program need to find a server: its bucket for tests, and the configuration of a lake but for its URL.
fn environment(instance: &Instance, keys: &Keys) -> [(&'static str, String); 6] {
    [
        ("AMANAT_TEST_S3", format!("{}/{BUCKET}", instance.endpoint())),
        ("AMANAT_LAKE__ENDPOINT", instance.endpoint()),
        ("AMANAT_LAKE__ALLOW_HTTP", "true".into()),
        ("AWS_REGION", REGION.into()),
        ("AWS_ACCESS_KEY_ID", keys.access.clone()),
        ("AWS_SECRET_ACCESS_KEY", keys.secret.clone()),
    ]
}

/// A server for as long as it is held: on any free port, empty at first, its files removed with it.
pub struct Server {
    instance: Instance,
    keys: Keys,
    started: instance::Started,
}

impl Server {
    /// Starts one and waits until it answers.
    pub fn up() -> Result<Self> {
        let (instance, keys) = (Instance::on(server::free_port()?)?, Keys::new()?);
        let started = instance.start(false, &keys, Life::UntilWeEnd)?;
        let mut server = Self { instance, keys, started };
        server.started.wait_until_it_answers()?;
        Ok(server)
    }

    /// Where it is and how it is opened, as environment.
    pub fn environment(&self) -> [(&'static str, String); 6] {
        environment(&self.instance, &self.keys)
    }

    /// Its address.
    pub fn endpoint(&self) -> String {
        self.instance.endpoint()
    }

    /// Its keys, in the form of AWS's shared credentials.
    pub fn credentials(&self) -> String {
        let Keys { access, secret } = &self.keys;
        format!("[default]\naws_access_key_id = {access}\naws_secret_access_key = {secret}\n")
    }

    /// The folder that holds the objects of a place in its bucket, for a look from beside the server.
    pub fn objects(&self, prefix: &str) -> std::path::PathBuf {
        self.instance.objects().join(BUCKET).join(prefix)
    }

    /// URL of a place in the bucket.
    pub fn url(prefix: &str) -> String {
        format!("s3://{BUCKET}/{prefix}")
    }

    /// `kill -9` in the middle of whatever it does.
    pub fn kill(&mut self) -> Result<()> {
        self.started.kill()
    }

    /// It answers nobody from now on, and refuses nobody: connections stay open.
    pub fn pause(&self) -> Result<()> {
        self.started.signal(Signal::SIGSTOP)
    }

    /// It goes on where it was paused.
    pub fn resume(&self) -> Result<()> {
        self.started.signal(Signal::SIGCONT)
    }

    /// The same server again after [`Server::kill`]: same port, keys and objects.
    pub fn restart(&mut self) -> Result<()> {
        self.started = self.instance.start(true, &self.keys, Life::UntilWeEnd)?;
        self.started.wait_until_it_answers()
    }
}

impl Drop for Server {
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
    let (instance, keys) = (Instance::on(port)?, Keys::new()?);
    if instance.running().is_some() {
        bail!("{} is already running; stop it with `cargo xtask s3 down --port {port}`", instance.endpoint());
    }
    let mut starting = instance.start(keep, &keys, Life::UntilDown)?;
    if let Err(error) = starting.wait_until_it_answers() {
        starting.stop();
        return Err(error);
    }
    for (name, value) in environment(&instance, &keys) {
        println!("export {name}={value}");
    }
    eprintln!("an S3 server ({VERSION}) answers; stop it with `cargo xtask s3 down --port {port}`");
    Ok(ExitCode::SUCCESS)
}

fn up_with(port: Option<u16>, keep: bool, command: &[OsString]) -> Result<ExitCode> {
    let port = port.map_or_else(server::free_port, Ok)?;
    let (instance, keys) = (Instance::on(port)?, Keys::new()?);
    if instance.running().is_some() {
        bail!("{} is already running", instance.endpoint());
    }
    let mut started = instance.start(keep, &keys, Life::UntilWeEnd)?;
    let outcome = started.wait_until_it_answers().and_then(|()| {
        let mut child: Command = tied::command(command)?;
        child.envs(environment(&instance, &keys));
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
            println!("stopped {}", instance.endpoint());
        }
        None => println!("nothing runs on {}", instance.endpoint()),
    }
    instance.forget();
    Ok(ExitCode::SUCCESS)
}

fn status(port: u16) -> Result<ExitCode> {
    let instance = Instance::on(port)?;
    let Some(pid) = instance.running() else {
        println!("{}: not running", instance.endpoint());
        return Ok(ExitCode::FAILURE);
    };
    match instance.answers() {
        Ok(()) => {
            println!("{}: answers, process {pid}", instance.endpoint());
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            println!("{}: process {pid} runs but does not answer: {error}", instance.endpoint());
            Ok(ExitCode::FAILURE)
        }
    }
}
