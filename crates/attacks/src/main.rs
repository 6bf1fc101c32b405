//! `cargo run -p attacks -- --profile fast|nightly|release [--only A1,A5] [--resume FOLDER] [--json] [--write docs/attacks.md]`.

#![allow(clippy::print_stdout)]

use std::path::PathBuf;

use anyhow::{Result, bail};
use attacks::score::Profile;
use clap::Parser;

#[derive(Parser)]
struct Args {
    /// `fast`: 500 trials a class, goals on point estimates; `nightly`: 4,000, goals on upper 95 % limits; `release`: the same
    /// with a longer search, for days
    #[arg(long, default_value = "fast")]
    profile: String,
    /// Only these attacks; `all`: those of every profile
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Trials of a class, instead of the profile's
    #[arg(long)]
    trials: Option<usize>,
    /// Print the scoreboard as JSON
    #[arg(long)]
    json: bool,
    /// Keep what each attack gives in this folder, and take from there what it gave before (from the same sources)
    #[arg(long)]
    resume: Option<PathBuf>,
    /// Instead of attacks: A7 under other weights and schedules of the charges, over so many populations
    #[arg(long)]
    frontier: Option<u64>,
    /// Persons of a population of the frontier
    #[arg(long, default_value_t = 3_000)]
    persons: usize,
    /// Only alternatives of the frontier with this in their name
    #[arg(long, default_value = "")]
    alternative: String,
    /// Write the page
    #[arg(long)]
    write: Option<PathBuf>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let profile = match args.profile.as_str() {
        "fast" => Profile::Fast,
        "nightly" => Profile::Nightly,
        "release" => Profile::Release,
        other => bail!("no profile is called {other}; there are fast, nightly and release"),
    };
    if let Some(populations) = args.frontier {
        println!("{}", attacks::frontier::frontier(args.persons, populations, &args.alternative)?);
        return Ok(());
    }
    let board = attacks::suite::run(profile, args.trials, &args.only, args.resume.as_deref())?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&board)?);
    } else {
        println!("{}", board.table());
    }
    if let Some(page) = args.write {
        std::fs::write(page, attacks::page::page(&board))?;
    }
    let broken: Vec<String> = board
        .broken()
        .iter()
        .map(|score| format!("{} {} ({})", score.attack, score.class, score.target.name()))
        .collect();
    if broken.is_empty() { Ok(()) } else { bail!("goals missed or controls that stand: {}", broken.join("; ")) }
}
