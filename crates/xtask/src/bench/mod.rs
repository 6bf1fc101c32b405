//! `cargo xtask bench ingest`: what ingesting costs, in a release build, beside peers on the same events in the same run.
//!
//! Ours is measured as `amanat up --role ingest` runs: decoding, sealing, looking for copies, setting aside and syncing are on.
//! The figures `ingest.json`, `ingest.avro` and `ingest.peers` are rows of this table.

mod own;
mod peers;
mod table;

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use crate::figures::Bench;
use crate::figures::amanat::{Profile, build};
use crate::kafka::Broker;
pub use own::{Feed, drain, drain_once, remove_lake};
pub use peers::{duckdb, spark};
pub use table::{Line, median};

/// `cargo xtask bench …`
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// CPU, speed and memory of ingesting the medium sample: from the local log and from Kafka, JSON and Avro, and peers.
    Ingest {
        /// Leave the peers out (they fetch 300 MB once)
        #[arg(long)]
        alone: bool,
        /// Print one JSON object instead of a table
        #[arg(long)]
        json: bool,
    },
}

/// Runs a benchmark.
pub fn run(root: &Path, args: &Args) -> Result<()> {
    let What::Ingest { alone, json } = args.what;
    std::env::set_current_dir(root)?;
    let scratch = tempfile::Builder::new().prefix("amanat-bench-").tempdir()?;
    let bench = Bench { root: root.to_path_buf(), scratch: scratch.path().to_path_buf() };
    let lines = ingest(&bench, !alone)?;
    if json {
        let versions = json!({"kafka": crate::kafka::VERSION, "duckdb": peers::DUCKDB, "spark": peers::SPARK});
        println!("{:#}", json!({"machine": crate::figures::machine(), "versions": versions, "lines": lines}));
    } else {
        println!("{}\n{}", crate::figures::machine(), table::text(&lines));
    }
    Ok(())
}

/// The whole table.
fn ingest(bench: &Bench, peers: bool) -> Result<Vec<Line>> {
    let program = build(Profile::Release, "amanat", "amanat")?;
    let feed = |avro| Feed::make(&program, bench, "medium", None, avro);
    let (json, avro) = (feed(false)?, feed(true)?);
    let mut lines = vec![median(drain(&program, &json, None)?), median(drain(&program, &avro, None)?)];
    let broker = Broker::up()?;
    let published = json.on_kafka(&program, bench, &broker)?;
    lines.push(median(drain(&program, &published, Some(&broker))?));
    if peers {
        lines.push(duckdb(bench, &program)?);
        lines.extend(spark(bench, &published, &broker)?);
    }
    Ok(lines)
}
