//! Commands of `reference`.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};

/// Commands of `reference`.
#[derive(Debug, Subcommand)]
pub enum ReferenceCommand {
    /// Say what a CSV file says, as events of the steward; nothing of a file with a mistake is said
    Load(LoadArgs),
    /// Show what is known: what the program brings along, and the steward's words in place of that
    List(ListArgs),
}

/// Arguments of `reference load`.
#[derive(Debug, Args)]
pub struct LoadArgs {
    /// What the file is about
    #[arg(value_enum)]
    pub table: ReferenceTable,
    /// The file: CSV with a line of column names, UTF-8; `-` reads standard input
    pub file: PathBuf,
    /// Check the file and say what would be said, and say nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `reference list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// What to show
    #[arg(value_enum)]
    pub table: ReferenceTable,
    /// Only what is so on a day; of populations those of its year, interpolated where nobody counted
    #[arg(long, value_name = "DATE")]
    pub at: Option<NaiveDate>,
    /// Print a JSON array
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// Print CSV: without --at a file that `reference load` reads again
    #[arg(long)]
    pub csv: bool,
}

/// A kind of reference data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReferenceTable {
    /// Administrative areas with their days
    Areas,
    /// Areas, or parts of them, that went into others
    AreaChanges,
    /// Residents of areas by counts, estimates and projections
    Populations,
    /// Courts with their days
    Courts,
    /// Agencies: what each is called, and when its mandate runs
    Agencies,
    /// Codes of lists: when each is valid, and what it is called
    Codes,
}
