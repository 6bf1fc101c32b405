//! Chores of the project, one subcommand each: `cargo xtask <name>`.
//!
//! Light on purpose: nothing here links DataFusion or librdkafka, so that a chore starts at once.
#![allow(clippy::print_stdout, clippy::print_stderr)] // a command line talks on them

mod bench;
mod contracts;
mod fences;
mod figures;
mod fuzz;
mod indicators;
mod kafka;
mod papers;
mod s3;
mod server;
mod tied;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

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
    /// Start, stop or look at a real S3 server on loopback, for tests.
    S3(s3::Args),
    /// Check the arrows between crates, bans, licences and sources.
    Fences,
    /// Check that what is released of the contract is as it was; make its AsyncAPI document and site.
    Contracts(contracts::Args),
    /// Measure what the project claims, and write it down in docs/figures.md.
    Figures(figures::Args),
    /// Measure what ingesting costs, beside others on the same events (release build).
    Bench(bench::Args),
    /// Fuzz what reads bytes from outside, each target in turn.
    Fuzz(fuzz::Args),
    /// Write docs/indicators.md: each indicator's definition, SQL and tests.
    Indicators,
    /// Run the commands that README and guides show, against a served sample.
    Papers,
    /// (internal) Become COMMAND, and die when PARENT does.
    #[command(hide = true)]
    Tied {
        #[arg(long)]
        parent: i32,
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().chore {
        Chore::Kafka(args) => kafka::run(args),
        Chore::S3(args) => s3::run(args),
        Chore::Tied { parent, command } => tied::become_command(parent, &command),
        Chore::Fences => fences::check(&root()).map(|()| ExitCode::SUCCESS),
        Chore::Contracts(args) => contracts::run(&root(), &args).map(|()| ExitCode::SUCCESS),
        Chore::Bench(args) => bench::run(&root(), &args).map(|()| ExitCode::SUCCESS),
        Chore::Fuzz(args) => fuzz::run(&root(), &args),
        Chore::Indicators => indicators::run(&root(), false).map(|()| ExitCode::SUCCESS),
        Chore::Papers => papers::run(&root()),
        Chore::Figures(args) => figures::run(&root(), &args).map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

/// The folder outside the tree for what chores fetch once.
fn cache() -> anyhow::Result<PathBuf> {
    match (std::env::var_os("AMANAT_CACHE"), std::env::var_os("HOME")) {
        (Some(cache), _) => Ok(cache.into()),
        (None, Some(home)) => Ok(PathBuf::from(home).join(".cache/amanat")),
        (None, None) => anyhow::bail!("set AMANAT_CACHE: there is no HOME to keep things in"),
    }
}

/// `cargo`, at the root of the project.
fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    forget_this_package(&mut cargo).current_dir(root());
    cargo
}

/// Takes from a command what the cargo that runs this chore has said about this package. Build scripts that look at it (that of
/// `ring` does) would otherwise run again, and with them nearly the whole tree would be built anew.
fn forget_this_package(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|said| name.to_string_lossy().starts_with(said)) {
            command.env_remove(name);
        }
    }
    command
}

/// Root of the project.
fn root() -> PathBuf {
    // As cargo says when it runs the chore: two clones that share a target folder also share the chore's program.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    PathBuf::from(package).join("../..")
}
