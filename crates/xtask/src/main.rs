//! Chores of the project, one subcommand each: `cargo xtask <name>`.
//!
//! Light on purpose: nothing here links DataFusion or librdkafka, so that a chore starts at once.
#![allow(clippy::print_stdout, clippy::print_stderr)] // a command line talks on them

mod fences;
mod figures;
mod kafka;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Chores of the project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

/// To add a chore: a module with `Args` and `run`, a variant here and its line below.
#[derive(Subcommand)]
enum Chore {
    /// Start, stop or look at a real Apache Kafka on loopback, for tests.
    Kafka(kafka::Args),
    /// Check the arrows between crates, bans, licences and sources.
    Fences,
    /// Measure what the project claims, and write it down in docs/figures.md.
    Figures(figures::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().chore {
        Chore::Kafka(args) => kafka::run(args),
        Chore::Fences => fences::check(&root()).map(|()| ExitCode::SUCCESS),
        Chore::Figures(args) => figures::run(&root(), &args).map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

/// Root of the project.
fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
