//! Commands of `conflict`.

use clap::{ArgGroup, Args, Subcommand};
use uuid::Uuid;

/// Commands of `conflict`.
#[derive(Debug, Subcommand)]
pub enum ConflictCommand {
    /// Events of which several contents came under one id: in what they differ, which counts, and why; those that wait longest first
    List {
        /// Of one agency
        #[arg(long, value_name = "AGENCY")]
        agency: Option<String>,
        /// Those that were decided too
        #[arg(long)]
        decided: bool,
        /// How many
        #[arg(long, default_value_t = 20, value_name = "NUMBER")]
        most: usize,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Say which content counts; the next fold obeys it
    Decide(DecideArgs),
}

/// Of which event, and which content.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true))]
pub struct DecideArgs {
    /// The agency that sent it
    pub agency: String,
    /// The id of the event, as `amanat conflict list` prints it
    pub event: Uuid,
    /// The content that counts, by its number in the list
    #[arg(long, value_name = "NUMBER", group = "which")]
    pub counts: Option<usize>,
    /// Or by the place of its row in the log, `<log>/<stream>/<partition>/<offset>`
    #[arg(long, value_name = "PLACE", group = "which")]
    pub row: Option<String>,
}
