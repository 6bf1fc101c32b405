//! `cargo xtask fuzz`: each target of `fuzz/` in turn, by cargo-fuzz on the nightly toolchain.
//!
//! Corpora, artifacts and the account of what was run are kept in the cache folder, so that hours accumulate over runs; the
//! committed seeds (`fuzz/corpus-seed`) are read each time. The figures `ingest.fuzz` and `doors.fuzz` read the account.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::{cache, forget_this_package};

/// `cargo xtask fuzz …`
#[derive(clap::Args)]
pub struct Args {
    /// Which target; all in turn without a name
    target: Option<String>,
    /// Minutes for each target
    #[arg(long, default_value_t = 10)]
    minutes: u64,
}

/// What has been run of a target, over all runs on this machine.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Account {
    /// Minutes of fuzzing.
    pub minutes: u64,
    /// Inputs tried.
    pub inputs: u64,
    /// Inputs kept after minimising.
    pub corpus: u64,
    /// Inputs that broke a property and still lie in the artifacts folder.
    pub crashes: u64,
}

/// A folder that lies in memory, where there is one.
const IN_MEMORY: &str = "/dev/shm";

/// Where everything is kept.
fn place() -> Result<PathBuf> {
    Ok(cache()?.join("fuzz"))
}

/// The accounts by target; every target of the project has one.
pub fn accounts(root: &Path) -> Result<BTreeMap<String, Account>> {
    let kept: BTreeMap<String, Account> = match std::fs::read_to_string(place()?.join("accounts.json")) {
        Ok(text) => serde_json::from_str(&text)?,
        Err(_) => BTreeMap::new(),
    };
    let account = |target: String| {
        let account = kept.get(&target).cloned().unwrap_or_default();
        (target, account)
    };
    Ok(targets(root)?.into_iter().map(account).collect())
}

/// Names of the targets: the files of `fuzz/fuzz_targets`.
fn targets(root: &Path) -> Result<Vec<String>> {
    let files = std::fs::read_dir(root.join("fuzz/fuzz_targets")).context("fuzz/fuzz_targets")?;
    let name = |file: std::io::Result<std::fs::DirEntry>| Some(file.ok()?.path().file_stem()?.to_str()?.to_owned());
    let mut names: Vec<String> = files.filter_map(name).collect();
    names.sort();
    Ok(names)
}

/// Fuzzes; fails when a target has a crash open.
pub fn run(root: &Path, args: &Args) -> Result<ExitCode> {
    let all = targets(root)?;
    let chosen: Vec<&String> = all.iter().filter(|t| args.target.as_ref().is_none_or(|name| name == *t)).collect();
    if chosen.is_empty() {
        bail!("no target of that name; there are: {}", all.join(", "));
    }
    has_nightly()?;
    let cargo_fuzz = tool()?;
    let mut open = 0;
    for target in chosen {
        let account = one(root, &cargo_fuzz, target, args.minutes)?;
        let mut accounts = accounts(root)?;
        accounts.insert(target.clone(), account.clone());
        std::fs::write(place()?.join("accounts.json"), serde_json::to_string_pretty(&accounts)?)?;
        let Account { minutes, inputs, corpus, crashes } = account;
        println!("{target}: {minutes} min, {inputs} inputs tried, {corpus} kept, {crashes} crash(es) open");
        open += crashes;
    }
    Ok(if open == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Coverage and the address sanitizer are the nightly toolchain's alone.
fn has_nightly() -> Result<()> {
    let found = Command::new("rustup").args(["run", "nightly", "rustc", "--version"]).output();
    match found {
        Ok(said) if said.status.success() => Ok(()),
        _ => bail!("fuzzing needs the nightly toolchain: rustup toolchain install nightly --profile minimal"),
    }
}

/// cargo-fuzz, installed into the cache folder where it is missing.
fn tool() -> Result<PathBuf> {
    let folder = cache()?.join("tools");
    let program = folder.join("bin/cargo-fuzz");
    if !program.exists() {
        let install = ["install", "cargo-fuzz", "--locked", "--root"];
        done(Command::new("cargo").args(install).arg(&folder), "cargo install cargo-fuzz")?;
    }
    Ok(program)
}

fn one(root: &Path, cargo_fuzz: &Path, target: &str, minutes: u64) -> Result<Account> {
    let place = place()?;
    let (corpus, artifacts) = (place.join("corpus").join(target), place.join("artifacts").join(target));
    std::fs::create_dir_all(&corpus)?;
    std::fs::create_dir_all(&artifacts)?;
    let cargo_fuzz = |verb: &str| {
        let mut command = Command::new(cargo_fuzz);
        forget_this_package(&mut command).current_dir(root.join("fuzz")).env("CARGO_TARGET_DIR", place.join("target"));
        // The chore runs on the project's toolchain; sanitizers are the nightly one's.
        command.env_remove("CARGO").env("RUSTUP_TOOLCHAIN", "nightly").args(["fuzz", verb, target]);
        // A target that makes files makes thousands; nothing is lost with them.
        if Path::new(IN_MEMORY).is_dir() {
            command.env("TMPDIR", IN_MEMORY);
        }
        command
    };
    let mut fuzz = cargo_fuzz("run");
    fuzz.arg(&corpus).arg(root.join("fuzz/corpus-seed").join(target)).arg("--");
    fuzz.args([format!("-max_total_time={}", minutes * 60), "-print_final_stats=1".into(), "-timeout=10".into()]);
    fuzz.args(["-rss_limit_mb=2048".to_owned(), format!("-artifact_prefix={}/", artifacts.display())]);
    let said = fuzz.output().context("cargo fuzz run")?;
    let log = String::from_utf8_lossy(&said.stderr);
    std::fs::write(place.join(format!("{target}.log")), log.as_bytes())?;
    let stat = |name: &str| {
        let rest = log.lines().find_map(|line| line.strip_prefix("stat::")?.strip_prefix(name)?.strip_prefix(':'));
        rest.and_then(|number| number.trim().parse::<u64>().ok())
    };
    let tried = match stat("number_of_executed_units") {
        Some(tried) => tried,
        // A crash ends the run before its numbers are printed.
        None if files(&artifacts) > 0 => 0,
        None => bail!("{target} could not be run; see {}", place.join(format!("{target}.log")).display()),
    };
    done(cargo_fuzz("cmin").arg(&corpus), "cargo fuzz cmin")?;
    let before = accounts(root)?.remove(target).unwrap_or_default();
    // A crash ends the run early.
    let seconds = tried.checked_div(stat("average_exec_per_sec").unwrap_or(0)).unwrap_or(0);
    Ok(Account {
        minutes: before.minutes + minutes.min((seconds + 30) / 60),
        inputs: before.inputs + tried,
        corpus: files(&corpus),
        crashes: files(&artifacts),
    })
}

fn files(folder: &Path) -> u64 {
    std::fs::read_dir(folder).map_or(0, |files| files.count() as u64)
}

fn done(command: &mut Command, what: &str) -> Result<()> {
    let said = command.output().with_context(|| what.to_owned())?;
    if said.status.success() { Ok(()) } else { bail!("{what}: {}", String::from_utf8_lossy(&said.stderr)) }
}
