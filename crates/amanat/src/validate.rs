//! `amanat validate`: every mistake of a file of events, with line and field. Offline: needs no data directory.

use events::Validator;

use crate::admission::Judge;
use crate::cli::ValidateArgs;
use crate::config::Config;
use crate::exit::{self, Failure};
use crate::lines::{each_line, open};

/// Checks a file: form and codes by the contract, who may emit what by the policy. Whether a store admits this kind of data,
/// only the store knows; `publish` asks it.
pub fn run(config: Config, args: ValidateArgs) -> anyhow::Result<()> {
    let limits = events::Limits { max_bytes: config.ingest.max_payload_bytes };
    let policy = crate::data_dir::policy(&config)?;
    let judge = Judge { policy: &policy, kind: None, limits };
    let validator = Validator::new(&limits);
    let (mut lines, mut mistakes) = (0_u64, 0_u64);
    each_line(open(&args.file)?, limits.max_bytes, |number, line| {
        lines += 1;
        for mistake in mistakes_of(number, line, &validator, judge) {
            mistakes += 1;
            exit::print(&format!("{mistake}\n"))?;
        }
        Ok(())
    })?;
    if mistakes == 0 {
        return exit::print(&format!("{lines} event(s), no mistakes\n"));
    }
    Err(Failure::Input(format!("{mistakes} mistake(s) in {lines} line(s)")).into())
}

/// All that the contract says of a line; where it says nothing, what the policy does.
fn mistakes_of(number: u64, line: &[u8], validator: &Validator, judge: Judge<'_>) -> Vec<String> {
    let faults = validator.line(number, line);
    if !faults.is_empty() {
        return faults.iter().map(ToString::to_string).collect();
    }
    judge.read(line).err().map(|sentence| format!("line {number}: {sentence}")).into_iter().collect()
}
