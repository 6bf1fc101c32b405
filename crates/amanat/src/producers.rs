//! Who may send events over HTTP: `producers.toml` of the data directory, and `amanat producer` that changes it.
//!
//! Absent: keys in a form that opens anything. What is shown once is shown here.

use std::path::{Path, PathBuf};

use endpoint::Decided;
use gateway::door::Door;
use policy::{Producers, new_certificate, new_producer, without_producer};
use tokio_util::sync::CancellationToken;

use crate::cli::ProducerCommand;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::exit::{self, Failure};
use crate::{following, readers};

/// Lock of whoever changes the file.
const LOCK: &str = "LOCK.producers";

/// The role under which the audit log has a producer's key.
const ROLE: &str = "producer";

/// Runs `amanat producer …`.
pub fn run(config: Config, command: ProducerCommand) -> anyhow::Result<()> {
    let dir = DataDir::open(&config)?;
    match command {
        ProducerCommand::New { agency, id, expires, certificate: None } => {
            add_key(&dir, &agency, &id, expires.map(|day| day.to_string()).as_deref())
        }
        ProducerCommand::New { agency, id, expires, certificate: Some(file) } => {
            let until = expires.map(|day| day.to_string());
            add_certificate(&dir, (&agency, &id, until.as_deref()), &file, config.gateway.client_ca.is_some())
        }
        ProducerCommand::List => exit::print(&listed(&known(&dir.path)?)),
        ProducerCommand::Remove { id } => remove(&dir, &id),
    }
}

fn add_key(dir: &DataDir, agency: &str, id: &str, expires: Option<&str>) -> anyhow::Result<()> {
    let (key, lines) = new_producer(id, agency, expires, readers::random()?);
    add(dir, (agency, id), &lines)?;
    exit::print(&format!(
        "{key}\n\nThis key of {agency} ({id}) is shown once; the warehouse keeps its hash. A running `amanat up` takes it at once.\n"
    ))
}

fn add_certificate(
    dir: &DataDir,
    (agency, id, expires): (&str, &str, Option<&str>),
    file: &Path,
    asked_for: bool,
) -> anyhow::Result<()> {
    let fingerprint = endpoint::fingerprint(file).map_err(|error| Failure::Usage(error.to_string()))?;
    add(dir, (agency, id), &new_certificate(id, agency, expires, fingerprint))?;
    exit::print(&format!(
        "Whoever shows this certificate sends for {agency} ({id}). A running `amanat up` takes it at once.\n"
    ))?;
    if !asked_for {
        exit::note(
            "no certificates are asked for yet: set gateway.client_ca, gateway.tls.certificate and gateway.tls.key",
        );
    }
    Ok(())
}

/// Puts a key or certificate of an agency into the file.
fn add(dir: &DataDir, (agency, id): (&str, &str), lines: &str) -> anyhow::Result<()> {
    if dir.policy.agencies.get(agency).is_none() {
        let what = format!("the policy lists no agency {agency}: check its code, or have it listed (policy.agencies)");
        return Err(Failure::Usage(what).into());
    }
    // The same name twice is an error of whoever types, not a change of the key.
    let refuse = |error: policy::PolicyError| Failure::Usage(error.to_string());
    Producers::parse(&format!("{}{lines}", text(&dir.path)?)).map_err(refuse)?;
    readers::note(dir, Decided::KeyMade, id, ROLE)?;
    change(&dir.path, |before| format!("{before}{lines}"))
}

fn remove(dir: &DataDir, id: &str) -> anyhow::Result<()> {
    if !known(&dir.path)?.iter().any(|producer| producer.name == id) {
        let what = format!("there is no producer {id}; `amanat producer list` lists them");
        return Err(Failure::Usage(what).into());
    }
    readers::note(dir, Decided::Removed, id, ROLE)?;
    change(&dir.path, |before| without_producer(before, id))?;
    exit::note(&format!("{id} sends no more; a running `amanat up` has taken it out"));
    Ok(())
}

/// For people: who may send.
fn listed(producers: &Producers) -> String {
    let line = |producer: &policy::Producer| {
        let until = producer.expires.as_ref().map_or(String::new(), |day| format!(", until {day}"));
        format!("{}  {}, by {}{until}\n", producer.name, producer.agency, producer.comes_by())
    };
    producers.iter().map(line).collect()
}

fn file(data: &Path) -> PathBuf {
    data.join("producers.toml")
}

fn text(data: &Path) -> anyhow::Result<String> {
    match std::fs::read_to_string(file(data)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(Failure::Usage(format!("{} cannot be read: {error}", file(data).display())).into()),
        Ok(text) => Ok(text),
    }
}

/// Who may send events to a store; nobody where there is no file.
pub fn known(data: &Path) -> anyhow::Result<Producers> {
    let parsed = Producers::parse(&text(data)?);
    parsed.map_err(|error| Failure::Usage(format!("{}: {error}", file(data).display())).into())
}

fn change(data: &Path, make: impl FnOnce(&str) -> String) -> anyhow::Result<()> {
    readers::change(&file(data), (data, LOCK), |before| {
        let text = make(before);
        Producers::parse(&text)?;
        Ok((text, ()))
    })
}

/// Lets the door follow the file, until told to stop. A file that cannot be read leaves the producers as they are.
pub async fn follow(data: PathBuf, door: Door, stop: CancellationToken) {
    let path = file(&data);
    let seen = || std::fs::metadata(&path).ok().and_then(|meta| Some((meta.modified().ok()?, meta.len())));
    let then = || match known(&data) {
        Ok(producers) => {
            door.admit(producers);
            true
        }
        Err(error) => {
            tracing::warn!(error = %error, "the producers stay as they were");
            false
        }
    };
    following::changes(stop, seen, then).await;
}
