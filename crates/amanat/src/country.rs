//! Which synthetic country a sample store holds: `sample.toml` beside `store.toml`, written before its first event.
//!
//! Two countries in one store would be mixed silently: their ids differ, so both would be counted.

use std::path::Path;

use anyhow::Context;
use lake::{LakeError, StoreKind};
use serde::{Deserialize, Serialize};

use crate::cli::{CountryArgs, SampleArgs, Size};
use crate::config::Config;
use crate::data_dir::{DataDir, unusable};
use crate::exit::Failure;

const FILE: &str = "sample.toml";

/// What `sample.toml` says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Country {
    size: String,
    seed: u64,
}

impl From<&CountryArgs> for Country {
    fn from(args: &CountryArgs) -> Self {
        Self { size: name(args.size).to_owned(), seed: args.seed }
    }
}

/// A size as the command line calls it.
pub fn name(size: Size) -> &'static str {
    match size {
        Size::Small => "small",
        Size::Medium => "medium",
        Size::Large => "large",
    }
}

/// Remembers the country of an open store, or refuses another than it holds.
pub fn settle(dir: &DataDir, wanted: &CountryArgs) -> anyhow::Result<()> {
    let (path, wanted) = (dir.path.join(FILE), Country::from(wanted));
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let unreadable = LakeError::HalfWritten { what: format!("`{FILE}` is not readable as such") };
            let held: Country = toml::from_str(&text).map_err(|_| unusable(&dir.path, &unreadable))?;
            if held == wanted {
                return Ok(());
            }
            Err(Failure::Refused(format!(
                "{} holds the synthetic country of --size {} --seed {}, and another would be mixed into it: name these, or another directory with --data",
                dir.path.display(), held.size, held.seed
            ))
            .into())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => write(&path, &wanted),
        Err(error) => Err(Failure::DataDirectory(format!("cannot read {}: {error}", path.display())).into()),
    }
}

/// As [`settle`], for `amanat sample` before it opens the store itself.
pub fn settle_before(config: &Config, args: &SampleArgs) -> anyhow::Result<()> {
    if args.to.is_some() {
        return Ok(());
    }
    settle(&DataDir::open_or_create(config, Some(StoreKind::Sample))?, &args.country)
}

/// Written beside and renamed: there whole or not at all.
fn write(path: &Path, country: &Country) -> anyhow::Result<()> {
    let staged = path.with_extension(format!("toml.{}", std::process::id()));
    std::fs::write(&staged, toml::to_string(country)?)
        .and_then(|()| std::fs::rename(&staged, path))
        .with_context(|| format!("writing {}", path.display()))
}
