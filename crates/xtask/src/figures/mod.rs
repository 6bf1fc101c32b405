//! The figures that the project claims: a registry, and the one command that measures them again.
//!
//! `cargo xtask figures [NAME…]` runs the named ones (all without names, the quick ones with `--short`), keeps every
//! measurement in `docs/figures.json` and rewrites `docs/figures.md` from it. It exits non-zero when a correctness figure
//! falls short; a performance figure that falls short is printed and written down, because a slow day is no wrong number.

pub mod amanat;
mod attacks;
mod doors;
mod fuzz;
mod gateway;
mod guard;
mod hostile;
mod ingest;
mod kill9;
mod maintain;
mod measure;
mod newcomers;
mod page;
mod road;
mod s3;
mod stalled;
mod state;

use std::path::{Path, PathBuf};
use std::time::Instant;

pub use page::machine;
pub use road::{python_with, same_store, text};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

/// One claim of the project.
pub struct Figure {
    /// Stable name, for instance `road.truth`.
    pub name: &'static str,
    /// What it shows, in a sentence.
    pub shows: &'static str,
    /// Unit of the value.
    pub unit: &'static str,
    /// What has to be reached, in words; `run` decides.
    pub goal: &'static str,
    /// About how long it takes on two cores, minutes.
    pub minutes: u32,
    /// Part of `.ci/run`.
    pub short: bool,
    /// A wrong number rather than a slow one.
    pub correctness: bool,
    /// Measures.
    pub run: fn(&Bench) -> Result<Measured>,
}

/// What a measurement gave.
#[derive(Debug, Clone)]
pub struct Measured {
    /// The headline, in the figure's unit.
    pub value: String,
    /// Whether the goal was reached.
    pub met: bool,
    /// Everything else that was seen.
    pub details: serde_json::Value,
}

/// The value of a measurement that could not be made.
const FAILED: &str = "failed";

/// A measurement as printed by `--json` and kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    /// Name of the figure.
    pub name: String,
    /// The headline.
    pub value: String,
    /// Its unit.
    pub unit: String,
    /// The goal.
    pub goal: String,
    /// Whether it was reached.
    pub met: bool,
    /// Everything else that was seen.
    pub details: serde_json::Value,
    /// What it shows.
    #[serde(default)]
    pub shows: String,
    /// When, UTC date.
    #[serde(default)]
    pub date: String,
    /// Commit measured.
    #[serde(default)]
    pub commit: String,
    /// Processor, cores, memory, compiler.
    #[serde(default)]
    pub machine: String,
}

/// Where measurements run.
pub struct Bench {
    /// Root of the project.
    pub root: PathBuf,
    /// Scratch folder, removed afterwards.
    pub scratch: PathBuf,
}

/// Every figure, in the order in which they make sense.
pub fn registry() -> Vec<Figure> {
    road::figures()
        .into_iter()
        .chain(ingest::figures())
        .chain(maintain::figures())
        .chain(state::figures())
        .chain(s3::figures())
        .chain(stalled::figures())
        .chain(gateway::figures())
        .chain(fuzz::figures())
        .chain(attacks::figures())
        .chain(guard::figures())
        .chain(doors::figures())
        .chain(newcomers::figures())
        .collect()
}

/// `cargo xtask figures …`
#[derive(clap::Args)]
pub struct Args {
    /// Which figures: a name (`road.truth`) or the part before the dot; all without names
    names: Vec<String>,
    /// Only those that `.ci/run` measures; docs/ stays as it is
    #[arg(long)]
    short: bool,
    /// Print what was measured as a JSON array
    #[arg(long)]
    json: bool,
}

impl Args {
    fn wants(&self, figure: &Figure) -> bool {
        (self.names.is_empty() || self.names.iter().any(|name| figure.is_called(name))) && (!self.short || figure.short)
    }
}

impl Figure {
    fn is_called(&self, name: &str) -> bool {
        self.name == name || self.name.split('.').next() == Some(name)
    }
}

/// Runs the chosen figures.
pub fn run(root: &Path, args: &Args) -> Result<()> {
    let registry = registry();
    if let Some(unknown) = args.names.iter().find(|name| !registry.iter().any(|figure| figure.is_called(name))) {
        let known: Vec<&str> = registry.iter().map(|figure| figure.name).collect();
        bail!("no figure is called {unknown}; there are: {}", known.join(", "));
    }
    // Configurations of the project name files from here.
    std::env::set_current_dir(root)?;
    let mut rows = Vec::new();
    let mut wrong = Vec::new();
    for figure in registry.iter().filter(|figure| args.wants(figure)) {
        let row = one(root, figure)?;
        eprintln!("{} {} {} (goal: {})", if row.met { "met  " } else { "SHORT" }, row.name, row.value, row.goal);
        // Each as it is measured: whoever ends a long run keeps what it has shown.
        if !args.short {
            page::keep(root, &row)?;
        }
        // A measurement that could not be made is not a slow one.
        if !row.met && (figure.correctness || row.value == FAILED) {
            eprintln!("{:#}", row.details);
            wrong.push(figure.name);
        }
        rows.push(row);
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    }
    if wrong.is_empty() { Ok(()) } else { bail!("figures fall short or could not be measured: {}", wrong.join(", ")) }
}

/// An error for a page that others read: without the folders of this machine.
fn without_places(error: &str, bench: &Bench) -> String {
    let program = std::env::current_exe().ok().and_then(|path| Some(path.parent()?.to_path_buf()));
    let places = [Some(bench.scratch.clone()), program, Some(bench.root.clone())];
    places.into_iter().flatten().fold(error.to_owned(), |text, place| text.replace(&*place.to_string_lossy(), "…"))
}

fn one(root: &Path, figure: &Figure) -> Result<Row> {
    eprintln!("… {} — {} (about {} min)", figure.name, figure.shows, figure.minutes);
    let scratch = tempfile::Builder::new().prefix("amanat-figure-").tempdir()?;
    let bench = Bench { root: root.to_path_buf(), scratch: scratch.path().to_path_buf() };
    let began = Instant::now();
    let measured = (figure.run)(&bench).unwrap_or_else(|error| {
        let error = without_places(&format!("{error:#}"), &bench);
        eprintln!("{}: {error}", figure.name);
        Measured { value: FAILED.into(), met: false, details: serde_json::json!({"error": error}) }
    });
    let mut details = measured.details;
    if let Some(object) = details.as_object_mut() {
        object.insert("took_seconds".into(), serde_json::json!(began.elapsed().as_secs()));
    }
    Ok(Row {
        name: figure.name.into(),
        value: measured.value,
        unit: figure.unit.into(),
        goal: figure.goal.into(),
        met: measured.met,
        details,
        shows: figure.shows.into(),
        date: page::today(),
        commit: page::commit(root),
        machine: page::machine(),
    })
}
