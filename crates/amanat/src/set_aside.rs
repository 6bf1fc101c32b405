//! `amanat set-aside`: what could not be accepted. `list` shows positions and reasons; `show` decrypts one record, whose bytes
//! may name a person: they go to standard output alone.

use std::io::{IsTerminal, Write};

use anyhow::Context;
use arrow::array::{Array, AsArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use futures::TryStreamExt;
use ingest::{SetAsideMessage, ShowError};
use lake::{Events, Lane, PartitionId};

use crate::cli::SetAsideCommand;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::escape::escaped;
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
    let resolved = ingest::resolved(&snapshot).await?;
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
                    let (id, offset) = rows.position(row);
                    let by = resolved.get(&(id.clone(), offset)).map(|by| format!("  [{}]", resolved_by(*by)));
                    text.push_str(&format!("{id}/{offset}  {why}: {detail}{}\n", by.unwrap_or_default()));
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

/// What is said of a row that a replay has resolved.
fn resolved_by(offset: i64) -> String {
    format!("resolved: replayed as {}/{offset}", ingest::replay_partition())
}

impl<'b> Rows<'b> {
    fn position(&self, row: usize) -> (PartitionId, i64) {
        let (stream, partition) = (self.stream.value(row), self.partition.value(row));
        (PartitionId { log_stream: stream.into(), partition }, self.offset.value(row))
    }

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
    match ingest::show_set_aside(&snapshot, &dir.keys, &partition, offset).await {
        Ok(message) => {
            if let Some(by) = ingest::resolved(&snapshot).await?.get(&(partition, offset)) {
                exit::note(&resolved_by(*by));
            }
            write(&message)
        }
        Err(ShowError::NotThere) => Err(Failure::Usage(format!(
            "no bytes were set aside at {position}: `amanat set-aside list` shows what was. Of a conflict the list's sentence is all: its event was readable and is kept sealed, as every event is."
        ))
        .into()),
        Err(ShowError::Open(error)) => Err(Failure::Refused(error.to_string()).into()),
        Err(error) => Err(error.into()),
    }
}

/// Key and headers to standard error, for the person who looks; the value to standard output, byte for byte where a file or a
/// program takes it, escaped where a terminal would obey it.
fn write(message: &SetAsideMessage) -> anyhow::Result<()> {
    let mut about = match &message.key {
        Some(key) => format!("key: {}\n", escaped(key)),
        None => "no key\n".to_owned(),
    };
    for (name, value) in &message.headers {
        about.push_str(&format!("{}: {}\n", escaped(name.as_bytes()), escaped(value)));
    }
    // Whoever closed standard error does not want it.
    let _ = std::io::stderr().write_all(about.as_bytes());
    let value = message.value.as_deref().unwrap_or_default();
    if std::io::stdout().is_terminal() {
        exit::print(&format!("{}\n", escaped(value)))
    } else {
        exit::print_bytes(value)
    }
}
