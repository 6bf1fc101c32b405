//! `amanat set-aside`: what could not be accepted. `list` shows positions and reasons; `show` decrypts one record, whose bytes
//! may name a person: they go to standard output alone.

use std::io::Write;

use anyhow::Context;
use arrow::array::{Array, AsArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use futures::TryStreamExt;
use lake::{Events, Lane, PartitionId};

use crate::cli::SetAsideCommand;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::exit::{self, Failure};

/// Lists or shows.
pub fn run(config: Config, command: SetAsideCommand) -> anyhow::Result<()> {
    let dir = DataDir::open(&config)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        match command {
            SetAsideCommand::List { reason, limit } => list(&dir, reason.as_deref(), limit).await,
            SetAsideCommand::Show { position } => show(&dir, &position).await,
        }
    })
}

const COLUMNS: [&str; 7] =
    ["log_stream", "log_partition", "log_offset", "_status", "_error_class", "_error_detail", "agency"];

async fn list(dir: &DataDir, reason: Option<&str>, limit: usize) -> anyhow::Result<()> {
    let snapshot = Events::open(&dir.store, "set-aside").await?.snapshot()?;
    let mut text = String::new();
    let (mut shown, mut all) = (0, 0);
    for file in snapshot.files.iter().filter(|file| file.lane == Lane::Side) {
        let mut batches = snapshot.read(file, &COLUMNS)?;
        while let Some(batch) = batches.try_next().await? {
            let rows = Rows::of(&batch)?;
            for row in 0..batch.num_rows() {
                let why = if rows.class.is_valid(row) { rows.class.value(row) } else { Default::default() };
                if rows.status.value(row) == "duplicate" || reason.is_some_and(|reason| reason != why) {
                    continue;
                }
                all += 1;
                if shown < limit {
                    shown += 1;
                    let detail = if rows.detail.is_valid(row) { rows.detail.value(row) } else { Default::default() };
                    text.push_str(&format!(
                        "{}/{}/{}  {why}: {detail}\n",
                        rows.stream.value(row),
                        rows.partition.value(row),
                        rows.offset.value(row)
                    ));
                }
            }
        }
    }
    if all > shown {
        text.push_str(&format!("… and {} more; --limit shows them\n", all - shown));
    }
    if all == 0 {
        text.push_str("nothing is set aside\n");
    }
    exit::print(&text)
}

/// The columns of a batch, typed.
struct Rows<'b> {
    stream: StringArray,
    partition: &'b Int32Array,
    offset: &'b Int64Array,
    status: StringArray,
    class: StringArray,
    detail: StringArray,
}

impl<'b> Rows<'b> {
    fn of(batch: &'b RecordBatch) -> anyhow::Result<Self> {
        let text = |name: &str| -> anyhow::Result<StringArray> {
            let column = batch.column_by_name(name).with_context(|| format!("column {name}"))?;
            Ok(cast(column, &DataType::Utf8)?.as_string::<i32>().clone())
        };
        Ok(Self {
            stream: text("log_stream")?,
            partition: batch.column_by_name("log_partition").context("column log_partition")?.as_primitive(),
            offset: batch.column_by_name("log_offset").context("column log_offset")?.as_primitive(),
            status: text("_status")?,
            class: text("_error_class")?,
            detail: text("_error_detail")?,
        })
    }
}

async fn show(dir: &DataDir, position: &str) -> anyhow::Result<()> {
    let usage = || {
        Failure::Usage(format!(
            "{position:?} is no position; `amanat set-aside list` prints them as STREAM/PARTITION/OFFSET"
        ))
    };
    let mut parts = position.rsplitn(3, '/');
    let offset: i64 = parts.next().and_then(|part| part.parse().ok()).ok_or_else(usage)?;
    let number: i32 = parts.next().and_then(|part| part.parse().ok()).ok_or_else(usage)?;
    let stream = parts.next().ok_or_else(usage)?;
    let partition = PartitionId { log_stream: stream.into(), partition: number };
    let snapshot = Events::open(&dir.store, "set-aside").await?.snapshot()?;
    let mut batches = snapshot.rows_at(
        &partition,
        &[offset],
        &["payload", "_status", "log_stream", "log_partition", "log_offset"],
    )?;
    while let Some(batch) = batches.try_next().await? {
        let payload = batch.column_by_name("payload").context("column payload")?;
        let payload = cast(payload, &DataType::Binary)?;
        let payload = payload.as_binary::<i32>();
        if batch.num_rows() > 0 {
            let place = ingest::Place { log_stream: stream, partition: number, offset };
            let bytes = payload.is_valid(0).then(|| payload.value(0));
            let message =
                ingest::open_set_aside(&dir.keys, place, bytes).map_err(|error| Failure::Refused(error.to_string()))?;
            std::io::stdout().write_all(message.value.as_deref().unwrap_or_default())?;
            return exit::print("\n");
        }
    }
    Err(Failure::Usage(format!("nothing was set aside at {position}")).into())
}
