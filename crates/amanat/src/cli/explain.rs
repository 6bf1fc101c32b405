//! Arguments of `explain-number`.

use clap::Args;

/// Arguments of `explain-number`.
#[derive(Debug, Args)]
pub struct ExplainNumberArgs {
    /// The indicator, such as V01
    pub indicator: String,
    /// The cell, as published: time_period=2025, province=PK-PB, …; a dimension that is not named is the total
    #[arg(value_name = "NAME=CODE", required = true, value_parser = part)]
    pub cell: Vec<(String, String)>,
    /// Two editions; the earlier is compared with the later
    #[arg(long, num_args = 1, required = true, value_name = "NUMBER")]
    pub edition: Vec<i64>,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

fn part(text: &str) -> Result<(String, String), String> {
    let (name, code) = text.split_once('=').ok_or("NAME=CODE is expected, such as time_period=2025")?;
    Ok((name.trim().to_owned(), code.trim().to_owned()))
}
