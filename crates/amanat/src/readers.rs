//! Keys of those who may ask about protected tables: `readers.toml` of the data directory, or the file that the
//! configuration names.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use policy::{Readers, Role, new_reader};

use crate::cli::{KeyCommand, NewKeyArgs};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::exit::{self, Failure};

/// The key that `amanat sql` takes from the environment.
pub const KEY_VARIABLE: &str = "AMANAT_KEY";

/// `amanat key …`.
pub fn run(config: Config, command: KeyCommand) -> anyhow::Result<()> {
    let dir = DataDir::open(&config)?;
    match command {
        KeyCommand::New(NewKeyArgs { id, role, purpose }) => {
            let key = add(&file(&config), (&id, role.into(), &purpose))?;
            exit::print(&format!(
                "{key}\n\nThis key of {id} ({}) is shown once; the warehouse keeps its hash. A running `amanat up` reads it at its next start.\n",
                Role::from(role).name()
            ))?;
            drop(dir);
            Ok(())
        }
    }
}

/// The readers of a deployment; none where there is no file.
pub fn readers(config: &Config) -> anyhow::Result<Readers> {
    let path = file(config);
    match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && config.policy.readers.is_none() => {
            Ok(Readers::default())
        }
        Err(error) => Err(Failure::Usage(format!("the keys in {} cannot be read: {error}", path.display())).into()),
        Ok(text) => {
            Readers::parse(&text).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())).into())
        }
    }
}

/// The key of whoever asks from this machine: from the environment, or that of the sample's analyst.
pub fn own_key(config: &Config) -> Option<String> {
    let sample = || std::fs::read_to_string(sample_key(&config.data)).ok();
    std::env::var(KEY_VARIABLE).ok().or_else(sample).map(|key| key.trim().to_owned())
}

/// A sample store has one analyst, so that protected tables can be tried at once.
pub fn make_sample_analyst(config: &Config) -> anyhow::Result<()> {
    let (file, own) = (file(config), sample_key(&config.data));
    if file.exists() || own.exists() {
        return Ok(());
    }
    let key = add(&file, ("analyst", Role::Ministry, "sample"))?;
    let mut out = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&own)?;
    out.write_all(format!("{key}\n").as_bytes())?;
    Ok(out.sync_all()?)
}

fn file(config: &Config) -> PathBuf {
    config.policy.readers.clone().unwrap_or_else(|| config.data.join("readers.toml"))
}

fn sample_key(data: &Path) -> PathBuf {
    data.join("keys/analyst")
}

/// Adds a reader to the file and returns the key.
fn add(file: &Path, (id, role, purpose): (&str, Role, &str)) -> anyhow::Result<String> {
    let mut random = [0; 48];
    std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut random)?;
    let (mut key, mut salt) = ([0; 32], [0; 16]);
    key.copy_from_slice(&random[..32]);
    salt.copy_from_slice(&random[32..]);
    let (key, line) = new_reader(id, role, purpose, (key, salt));
    let before = match std::fs::read_to_string(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        other => other.with_context(|| format!("cannot read {}", file.display()))?,
    };
    let text = format!("{before}{line}");
    Readers::parse(&text).map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
    let mut out = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(file)?;
    out.write_all(line.as_bytes())?;
    out.sync_all()?;
    Ok(key)
}
