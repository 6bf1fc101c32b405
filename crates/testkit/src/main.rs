//! `measure`: the measurements of `cargo xtask figures` that need the rooms themselves.
//!
//! Each subcommand builds what it measures in a scratch folder from real parts (log, ingest, lake, models, disclosure) and
//! prints on its last line one JSON object `{"value", "met", "details"}`. Everything it makes up is synthetic, so its
//! details may quote cells; measurements over a given store quote counts of differences only.
//!
//! Absent: the registry of figures and their goals in words, processes and HTTP (`xtask`).
#![allow(clippy::print_stdout)] // a command line talks on it

mod asked;
mod avro;
mod catalogue;
mod commit;
mod consistent;
mod determinism;
mod disclosed;
mod door;
mod erased;
mod fold;
mod known;
mod lakes;
mod ledgers;
mod linked;
mod live;
mod maintenance;
mod malformed;
mod memory;
mod questions;
mod real_records;
mod reconciled;
mod refolds;
mod road;
mod s3_commit;
mod scattered;
mod sealed;
mod speed;
mod truth;
mod utility;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use serde_json::{Value, json};

/// Measurements that need the rooms themselves.
#[derive(Parser)]
#[command(disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    what: What,
    /// Folder to work in; nothing in it is removed
    #[arg(long, global = true, default_value = ".")]
    scratch: PathBuf,
}

#[derive(Subcommand)]
#[command(rename_all = "snake_case")]
enum What {
    /// Cells before protection against the generator's ground truth, and with one rule off at a time
    Truth {
        #[arg(long, value_enum, default_value_t = Size::Small)]
        size: Size,
    },
    /// The same events in three arrival orders and batch sizes
    Determinism {
        #[arg(long, value_enum, default_value_t = Size::Small)]
        size: Size,
    },
    /// CPU of reading the sample's events, from Avro, from JSON, and by arrow-avro
    Avro {
        #[arg(long, value_enum, default_value_t = Size::Small)]
        size: Size,
    },
    /// Editions published while a country reports, each recomputed from the events below its cut
    AsKnownOn {
        #[arg(long, value_enum, default_value_t = Size::Small)]
        size: Size,
    },
    /// A hundred persons erased, and every byte of the data directory searched for them
    Erasure {
        #[arg(long, value_enum, default_value_t = Size::Small)]
        size: Size,
    },
    /// Malformed lines of every kind
    Malformed,
    /// The sixty questions of an analyst, one after the other
    Questions {
        #[arg(long, value_enum, default_value_t = Size::Small)]
        size: Size,
    },
    /// What is published against what is asked, over three editions
    Consistency {
        #[arg(long, value_enum, default_value_t = Size::Small)]
        size: Size,
    },
    /// What protection hides and how far it moves what it shows; a planted leak
    Disclosure,
    /// What protection costs on both samples, over all published tables
    Utility {
        /// Write the page
        #[arg(long)]
        write: Option<PathBuf>,
    },
    /// A protected GROUP BY over many persons, and DuckDB's unprotected one on the same rows
    Speed {
        /// Persons
        #[arg(long, default_value_t = 10_000_000)]
        persons: u32,
        /// Anchors in the vault's memory before
        #[arg(long, default_value_t = 100_000)]
        anchors: u64,
        /// A Python interpreter that has the package `duckdb`
        #[arg(long)]
        python: PathBuf,
    },
    /// The full fold of a sample, and DuckDB running the same SQL on the same files
    FoldAgainstDuckdb {
        #[arg(long, value_enum, default_value_t = Size::Small)]
        size: Size,
        /// About so many million events instead
        #[arg(long)]
        millions: Option<u32>,
        /// A Python interpreter that has the package `duckdb`
        #[arg(long)]
        python: PathBuf,
    },
    /// What a rebuild takes of memory, of a third of all events and of all
    FoldMemory {
        /// Millions of events
        #[arg(long, default_value_t = 30)]
        millions: u32,
    },
    /// A rebuild of a store of `fold_memory`, and the greatest resident set of its process
    Rebuild {
        /// Data directory
        #[arg(long)]
        data: PathBuf,
        /// Folds the rows that are staged there already
        #[arg(long)]
        staged: bool,
    },
    /// Tangled logs refreshed in parts, against the same logs rebuilt
    Refolds {
        /// Logs
        #[arg(long, default_value_t = 1_000)]
        logs: u64,
        /// Messages of each
        #[arg(long, default_value_t = 60)]
        messages: u32,
    },
    /// A refresh after late events and corrections all over the country, against a rebuild
    Scattered {
        /// Millions of events
        #[arg(long, default_value_t = 10)]
        millions: u32,
    },
    /// A commit with many versions behind it, beside an fsynced create
    Commit {
        /// Versions behind it
        #[arg(long, default_value_t = 100_000)]
        versions: u64,
    },
    /// Publish to Kafka at a rate, and see how soon each event can be read from the lake that a worker fills
    Live {
        /// Kafka
        #[arg(long)]
        brokers: String,
        /// Data directory of the worker
        #[arg(long)]
        data: PathBuf,
        /// Events a second
        #[arg(long)]
        rate: u32,
        /// For so long
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
    /// A commit on an S3 server of this machine
    S3Commit {
        /// `s3://bucket/prefix`
        #[arg(long)]
        url: String,
        /// Address of the server
        #[arg(long)]
        endpoint: String,
        /// A file in the form of AWS's shared credentials
        #[arg(long)]
        credentials: PathBuf,
    },
    /// Who is found to be one, beside the truth: the goals, a million persons, a series of wrong tokens
    Linkage,
    /// How fast an agency's file is sealed, and whom tokens of names unite
    Tokenize,
    /// Compaction and vacuum while a writer appends and readers count
    Maintenance,
    /// Rows of a store's lake by status and reason, and whether each offset read has exactly one
    Reconcile {
        /// Data directory
        #[arg(long)]
        data: PathBuf,
    },
    /// Posts events to the agencies' door as fast as it takes them, or at a rate
    DoorLoad(door::load::Load),
    /// Posts events to the agencies' door until each is acknowledged, whatever becomes of the program
    DoorPosts(door::posts::Posts),
    /// Sends what nobody should send to the agencies' door, and good events in between
    DoorBadInput(door::bad_input::BadInput),
    /// What a lake has of the events that the door has acknowledged
    DoorReceived {
        /// Data directory
        #[arg(long)]
        data: PathBuf,
        /// What was acknowledged
        #[arg(long)]
        acknowledged: PathBuf,
        /// Events that were to be
        #[arg(long)]
        events: u64,
    },
    /// What the receipts of a run say when the lake has everything
    DoorFollowed {
        #[command(flatten)]
        at: door::At,
        /// What was acknowledged
        #[arg(long)]
        acknowledged: PathBuf,
        /// Data directory
        #[arg(long)]
        data: PathBuf,
    },
    /// The embedded log without a door: events a second by events in one append
    DoorLimit {
        /// Events in one append
        #[arg(long, value_delimiter = ',', default_value = "1,32,1000")]
        sizes: Vec<usize>,
    },
    /// Totals of an imported store against the file it came from
    RealRecords {
        /// Data directory of the imported store
        #[arg(long)]
        data: PathBuf,
        /// The file
        #[arg(long)]
        csv: PathBuf,
        /// Configuration of the store, for its policy
        #[arg(long)]
        config: Option<PathBuf>,
    },
}

/// Size of the sample.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Size {
    /// About 30 thousand events.
    Small,
    /// About 1 million.
    Medium,
    /// About 30 million.
    Large,
}

impl Size {
    fn world(self) -> sample::World {
        let size = match self {
            Self::Small => sample::Size::Small,
            Self::Medium => sample::Size::Medium,
            Self::Large => sample::Size::Large,
        };
        sample::World::new(SEED, size)
    }
}

/// Seed of the country: the one of `amanat up --sample`.
const SEED: u64 = 1;

/// What a measurement gives.
struct Measured {
    value: Value,
    met: bool,
    details: Value,
}

fn main() -> anyhow::Result<ExitCode> {
    let Cli { what, scratch } = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let measured = runtime.block_on(async {
        match what {
            What::Truth { size } => truth::measure(&scratch, size).await,
            What::Determinism { size } => determinism::measure(&scratch, size).await,
            What::Avro { size } => avro::measure(size),
            What::AsKnownOn { size } => known::measure(&scratch, size).await,
            What::Erasure { size } => erased::measure(&scratch, size).await,
            What::Malformed => malformed::measure(&scratch).await,
            What::Questions { size } => asked::measure(&scratch, size).await,
            What::Consistency { size } => consistent::measure(&scratch, size).await,
            What::Disclosure => disclosed::measure(&scratch).await,
            What::Speed { persons, anchors, python } => speed::measure(&scratch, persons, anchors, &python),
            What::Utility { write } => utility::measure(&scratch, write.as_deref()).await,
            What::FoldAgainstDuckdb { size, millions, python } => {
                let world = millions.map(|millions| sample::World::new(SEED, sample::Size::Millions(millions)));
                fold::measure(&scratch, world.unwrap_or_else(|| size.world()), &python).await
            }
            What::FoldMemory { millions } => memory::measure(&scratch, millions).await,
            What::Rebuild { data, staged } => memory::rebuild(&data, staged).await,
            What::Refolds { logs, messages } => refolds::measure(&scratch, logs, messages).await,
            What::Scattered { millions } => scattered::measure(&scratch, millions).await,
            What::Commit { versions } => commit::measure(&scratch, versions).await,
            What::Live { brokers, data, rate, seconds } => live::measure(&brokers, &data, rate, seconds).await,
            What::S3Commit { url, endpoint, credentials } => {
                s3_commit::measure(&scratch, &url, &endpoint, &credentials).await
            }
            What::Linkage => linked::measure(),
            What::Tokenize => sealed::measure(),
            What::Maintenance => maintenance::measure(&scratch).await,
            What::Reconcile { data } => reconciled::measure(&data).await,
            What::DoorLoad(load) => door::load::measure(&load),
            What::DoorPosts(posts) => door::posts::measure(&posts),
            What::DoorBadInput(asked) => door::bad_input::measure(&asked),
            What::DoorReceived { data, acknowledged, events } => {
                door::received::measure(&data, &acknowledged, events).await
            }
            What::DoorFollowed { at, acknowledged, data } => door::followed::measure(&at, &acknowledged, &data),
            What::DoorLimit { sizes } => door::limit::measure(&scratch, &sizes),
            What::RealRecords { data, csv, config } => real_records::measure(&data, &csv, config.as_deref()).await,
        }
    })?;
    println!("{}", json!({"value": measured.value, "met": measured.met, "details": measured.details}));
    Ok(ExitCode::SUCCESS)
}
