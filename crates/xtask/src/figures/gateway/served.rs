//! A store for the door, keys of four agencies, and the program that has the door open.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::super::amanat::{Profile, Running, build, free_port, get, run};
use super::super::{Bench, text};

/// Who sends; each may emit what is posted.
const AGENCIES: [&str; 4] = ["POL-PB", "POL-SD", "POL-KP", "FIA"];

/// How long the door may take to open.
const PATIENCE: Duration = Duration::from_mins(1);

/// A store and the keys to its door.
pub struct Store {
    program: PathBuf,
    /// Where it is.
    pub data: String,
    /// A file of agencies and keys, as `measure` takes it.
    pub keys: String,
    /// The door's port.
    pub port: u16,
    log: PathBuf,
    brokers: Option<String>,
}

impl Store {
    /// Makes one with nothing in it, over Kafka where brokers are named.
    pub fn new(bench: &Bench, program: &Path, brokers: Option<String>) -> Result<Self> {
        let place = |name: &str| bench.scratch.join(name);
        let (data, empty) = (text(&place("door")), text(&place("nothing.ndjson")));
        std::fs::write(&empty, "")?;
        let over: Vec<&str> = brokers.iter().flat_map(|brokers| ["--brokers", brokers.as_str()]).collect();
        run(program, &[&["publish", &empty, "--data", &data], &over[..]].concat())?;
        let mut keys = String::new();
        for agency in AGENCIES {
            let made = run(program, &["producer", "new", "--agency", agency, "--id", agency, "--data", &data])?;
            keys += &format!("{agency} {}\n", made.out.lines().next().context("no key was printed")?);
        }
        std::fs::write(place("keys"), keys)?;
        let (program, keys, log, port) = (program.into(), text(&place("keys")), place("door.log"), free_port()?);
        Ok(Self { program, data, keys, port, log, brokers })
    }

    /// Starts roles of the program and waits until the door is open.
    pub fn open(&self, roles: &[&str], environment: &[(&str, &str)]) -> Result<Running> {
        let mut running = self.start(roles, environment)?;
        while get(self.port, "/v1/problems").is_none() {
            ensure!(!running.ended()?, "the program ended: {}", self.said()?.lines().last().unwrap_or_default());
            ensure!(running.began.elapsed() < PATIENCE, "the door does not open");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(running)
    }

    /// Starts roles of the program; what it says is added to a file.
    pub fn start(&self, roles: &[&str], environment: &[(&str, &str)]) -> Result<Running> {
        let mut command = Command::new(&self.program);
        command.args(["up", "--data", &self.data]).args(roles.iter().flat_map(|role| ["--role", role]));
        command.args(self.brokers.iter().flat_map(|brokers| ["--brokers", brokers.as_str()]));
        command.env("AMANAT_GATEWAY__HTTP", format!("127.0.0.1:{}", self.port)).env("RUST_BACKTRACE", "0");
        command.envs(environment.iter().copied()).stdout(self.file()?).stderr(self.file()?);
        Running::of(&mut command)
    }

    fn file(&self) -> Result<File> {
        Ok(OpenOptions::new().create(true).append(true).open(&self.log)?)
    }

    /// What the program has said since the store was made.
    pub fn said(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&std::fs::read(&self.log)?).into_owned())
    }

    /// Where the door is and who sends, as arguments of `measure`.
    pub fn at(&self) -> [String; 4] {
        ["--address".into(), format!("127.0.0.1:{}", self.port), "--keys".into(), self.keys.clone()]
    }

    /// Brings what is in the log to the lake.
    pub fn ingest(&self) -> Result<()> {
        let over: Vec<&str> = self.brokers.iter().flat_map(|brokers| ["--brokers", brokers.as_str()]).collect();
        let arguments = ["up", "--role", "ingest", "--once", "--data", &self.data];
        run(&self.program, &[&arguments, &over[..]].concat()).map(drop)
    }
}

/// The build of figures that are about time; `DOOR_BUILD=dev` is for trying them out, and then no goal counts as reached.
pub fn profile() -> Profile {
    if std::env::var("DOOR_BUILD").is_ok_and(|build| build == "dev") { Profile::Dev } else { Profile::Release }
}

/// A number from the environment, or what the figure says.
pub fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(otherwise)
}

/// A copy of the program, which a build beside a long run does not change.
pub fn built_apart(bench: &Bench, profile: Profile) -> Result<PathBuf> {
    let copy = bench.scratch.join("amanat");
    std::fs::copy(build(profile, "amanat", "amanat")?, &copy)?;
    Ok(copy)
}
