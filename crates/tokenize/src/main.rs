//! `amanat-tokenize`: `amanat tokenize` as a program of its own, for a machine that has nothing else of the warehouse.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use tokenize::program::{Arguments, EXAMPLES, run};

/// Seals names, dates of birth and document numbers on this machine: what leaves it are tokens.
#[derive(Debug, Parser)]
#[command(name = "amanat-tokenize", version, after_help = EXAMPLES.replace("amanat tokenize", "amanat-tokenize"), max_term_width = 110)]
struct Program {
    #[command(flatten)]
    arguments: Arguments,
}

fn main() -> ExitCode {
    match run(&Program::parse().arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "error: {failure}");
            ExitCode::from(failure.code())
        }
    }
}
