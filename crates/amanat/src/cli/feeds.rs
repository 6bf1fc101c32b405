//! Arguments of `feeds`.

use clap::Args;

/// Arguments of `feeds`.
#[derive(Debug, Args)]
pub struct FeedsArgs {
    /// Only this agency
    #[arg(long, value_name = "CODE")]
    pub agency: Option<String>,
    /// Print a JSON array of the reports, as agencies hear them
    #[arg(long)]
    pub json: bool,
    /// Send every report to the agencies' door now, not only once a day
    #[arg(long)]
    pub send: bool,
}
