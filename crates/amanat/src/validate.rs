//! `amanat validate`: every mistake of a file of events, with line and field. Offline: needs no data directory.

use std::io::BufReader;
use std::path::Path;

use crate::cli::ValidateArgs;
use crate::config::Config;
use crate::exit::{self, Failure};

/// Checks a file.
pub fn run(config: Config, args: ValidateArgs) -> anyhow::Result<()> {
    let limits = events::Limits { max_bytes: config.ingest.max_payload_bytes };
    let input: Box<dyn std::io::Read> = if args.file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(
            std::fs::File::open(&args.file)
                .map_err(|error| Failure::Input(format!("cannot read {}: {error}", args.file.display())))?,
        )
    };
    let mut mistakes = 0_u64;
    let lines = events::validate::lines(BufReader::new(input), &limits, |mistake| {
        mistakes += 1;
        let _ = exit::print(&format!("{mistake}\n"));
    })?;
    if mistakes == 0 {
        return exit::print(&format!("{lines} event(s), no mistakes\n"));
    }
    Err(Failure::Input(format!("{mistakes} mistake(s) in {lines} line(s)")).into())
}
