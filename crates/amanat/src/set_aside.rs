//! `amanat set-aside`: what could not be accepted. `list` shows positions and reasons; `show` decrypts one record, whose bytes
//! may name a person: they go to standard output alone.

use std::io::{IsTerminal, Write};

use ingest::{SetAsideMessage, SetAsideRow, ShowError};
use lake::{Events, PartitionId};

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
            SetAsideCommand::List { reason, agency, limit } => list(&dir, Wanted { reason, agency }, limit).await,
            SetAsideCommand::Show { position } => show(&dir, &position).await,
        }
    })
}

/// Which rows are listed.
struct Wanted {
    reason: Option<String>,
    agency: Option<String>,
}

impl Wanted {
    fn has(&self, row: &SetAsideRow) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        row.status != "duplicate" && is(&self.reason, &row.class) && is(&self.agency, &row.agency)
    }
}

async fn list(dir: &DataDir, wanted: Wanted, limit: usize) -> anyhow::Result<()> {
    let snapshot = Events::open(&dir.store, "set-aside").await?.snapshot()?;
    let resolved = ingest::resolved(&snapshot).await?;
    let list = ingest::list_set_aside(&snapshot, |row| wanted.has(row), limit).await?;
    let line = |row: &SetAsideRow| {
        let SetAsideRow { partition, offset, class, detail, .. } = row;
        let by = resolved.get(&(partition.clone(), *offset)).map(|by| format!("  [{}]", resolved_by(*by)));
        format!("{partition}/{offset}  {class}: {detail}{}\n", by.unwrap_or_default())
    };
    let mut text: String = list.rows.iter().map(line).collect();
    match list.all - list.rows.len() {
        0 if list.all == 0 => text.push_str("nothing is set aside\n"),
        0 => {}
        more => text.push_str(&format!("… and {more} more, which are older; --limit shows them\n")),
    }
    exit::print(&text)
}

/// What is said of a row that a replay has resolved.
fn resolved_by(offset: i64) -> String {
    format!("resolved: replayed as {}/{offset}", ingest::replay_partition())
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
