//! `cargo run -p attacks --bin guard -- rewrites|neighbours|statements [COUNT] [--seed N]`: trials of the guard; prints one
//! JSON object.

#![allow(clippy::print_stdout)]

use anyhow::Result;
use attacks::guard::{neighbours, rewrites, statements};
use clap::{Parser, ValueEnum};

#[derive(Parser)]
struct Args {
    /// Which trial
    what: What,
    /// Questions of each rule, pairs of answers, or statements
    count: usize,
    /// What is asked follows from it
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// Every rewriting rule gives the same bytes
    Rewrites,
    /// One person more or less changes no refusal and no shape
    Neighbours,
    /// Nothing breaks and nothing leaks, whatever is written
    Statements,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let found = match args.what {
        What::Rewrites => rewrites::run(args.count, args.seed)?,
        What::Neighbours => neighbours::run(args.count, args.seed)?,
        What::Statements => statements::run(args.count as u64, args.seed)?,
    };
    println!("{}", serde_json::to_string_pretty(&found)?);
    Ok(())
}
