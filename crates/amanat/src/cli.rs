//! The command line: what can be asked of the program, with examples. Parsing only; each command lives in its own module.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::{Config, Overrides};
use crate::exit;

/// Amanat: the event-sourced national data warehouse on trafficking in persons.
///
/// Agencies publish case events; ingest writes them, exactly once, to a lake. The readers' commands come with the next change.
#[derive(Debug, Parser)]
#[command(version, after_long_help = exit::HELP, max_term_width = 110)]
pub struct Cli {
    /// Settings that every command knows.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Settings that every command knows.
#[derive(Debug, Args)]
pub struct Common {
    /// Data directory: log, lake, keys [default: ./amanat-data]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Common")]
    pub data: Option<PathBuf>,
    /// Configuration file (TOML); environment `AMANAT_<KEY>` and flags override it
    #[arg(long, global = true, env = "AMANAT_CONFIG", value_name = "FILE", help_heading = "Common")]
    pub config: Option<PathBuf>,
    /// Kafka bootstrap servers; without them the embedded log in the data directory is used
    #[arg(long, global = true, value_name = "HOST:PORT", help_heading = "Common")]
    pub brokers: Option<String>,
    /// Log level or filter, for instance `debug` or `info,ingest=debug` [default: info]
    #[arg(long, global = true, value_name = "LEVEL", help_heading = "Common")]
    pub log_level: Option<String>,
    /// Address of the HTTP endpoint [default: 127.0.0.1:8080]
    #[arg(long, global = true, value_name = "ADDR", help_heading = "Common")]
    pub http: Option<SocketAddr>,
}

impl Common {
    /// The flags that have a configuration key of the same name.
    pub fn overrides(&self) -> Overrides {
        Overrides {
            data: self.data.clone(),
            http: self.http,
            brokers: self.brokers.clone(),
            level: self.log_level.clone(),
        }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the write road: what the agencies publish goes from the log to the lake, exactly once
    #[command(
        after_help = "Examples:\n  amanat up --sample --once          a synthetic country in an empty data directory\n  amanat up                          what the agencies publish\n  amanat up --brokers 127.0.0.1:9092 read Apache Kafka instead of the embedded log"
    )]
    Up(UpArgs),
    /// Publish events (structured CloudEvents, one JSON a line) to the log, checked first
    #[command(
        after_help = "Examples:\n  amanat publish events.ndjson\n  tail -f new.ndjson | amanat publish -\n  amanat publish --raw --agency FIA bytes.bin   (sample stores only: sends the lines unchecked)"
    )]
    Publish(PublishArgs),
    /// Import a CSV file as events, by a mapping file
    #[command(
        after_help = "Example:\n  amanat import export.csv --mapping deploy/ctdc/mapping.toml\nThe same file again changes nothing. A changed copy counts again unless the mapping names a key column."
    )]
    Import(ImportArgs),
    /// Check a file of events offline: every mistake with its line and field
    #[command(after_help = "Example:\n  amanat validate events.ndjson")]
    Validate(ValidateArgs),
    /// Lag per partition, what was set aside and why
    Status(StatusArgs),
    /// What could not be accepted: list it, or show one record
    #[command(subcommand)]
    SetAside(SetAsideCommand),
    /// Publish a synthetic country's feed to the log, without running the other roles
    Sample(SampleArgs),
    /// Check or show the configuration in force
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// Arguments of `up`.
#[derive(Debug, Args)]
pub struct UpArgs {
    /// Fill an empty data directory with a synthetic country first
    #[arg(long)]
    pub sample: bool,
    /// How large the synthetic country is
    #[command(flatten)]
    pub country: CountryArgs,
    /// Stop when everything published so far is ingested
    #[arg(long)]
    pub once: bool,
}

/// Size and seed of the synthetic country.
#[derive(Debug, Clone, Args)]
pub struct CountryArgs {
    /// Size: small is about 30,000 events, medium about 1,000,000, over fifteen years
    #[arg(long, value_enum, default_value_t = Size::Small)]
    pub size: Size,
    /// Seed of the generator: the same seed and size give the same country, to the byte
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Size of the synthetic country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Size {
    /// About 30,000 events.
    Small,
    /// About 1,000,000 events.
    Medium,
}

/// Arguments of `publish`.
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// File of events, one JSON a line; `-` reads standard input
    pub file: PathBuf,
    /// Send each line as it is, unchecked, as from `--agency` (sample stores only)
    #[arg(long, requires = "agency")]
    pub raw: bool,
    /// With --raw: whose topic the bytes go to
    #[arg(long, value_name = "CODE")]
    pub agency: Option<String>,
}

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// CSV file (UTF-8, with or without BOM)
    pub file: PathBuf,
    /// Mapping file: which column becomes which field, and what is lost
    #[arg(long, value_name = "FILE")]
    pub mapping: PathBuf,
    /// Check and report only; write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the report as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// File of events, one JSON a line; `-` reads standard input
    pub file: PathBuf,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Print one JSON object instead of tables
    #[arg(long)]
    pub json: bool,
}

/// Commands of `set-aside`.
#[derive(Debug, Subcommand)]
pub enum SetAsideCommand {
    /// List what was set aside: position, reason and sentence, never content
    List {
        /// Only this reason, for instance `schema`
        #[arg(long)]
        reason: Option<String>,
        /// At most this many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Decrypt one set-aside record and write its bytes to standard output
    Show {
        /// Position as printed by `list`: STREAM/PARTITION/OFFSET
        position: String,
    },
}

/// Arguments of `sample`.
#[derive(Debug, Args)]
pub struct SampleArgs {
    /// How large the synthetic country is
    #[command(flatten)]
    pub country: CountryArgs,
    /// Write the feed as NDJSON to this file instead of publishing it
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// Print the report as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Commands of `config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Read everything, say what is wrong, exit 0 when nothing is
    Check,
    /// Print the configuration in force as TOML (it holds no secrets)
    Show,
}

/// Runs `config check|show`. Reading it has already checked it.
pub fn config(config: &Config, command: &ConfigCommand) -> anyhow::Result<()> {
    let policy = crate::data_dir::policy(config)?;
    let text = match command {
        ConfigCommand::Show => toml::to_string_pretty(config)?,
        ConfigCommand::Check => format!("configuration and policy are valid (policy {})\n", policy.hash),
    };
    exit::print(&text)
}
