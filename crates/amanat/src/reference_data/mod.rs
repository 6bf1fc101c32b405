//! `amanat reference`: areas, populations, courts, agencies and codes, loaded from files as events of the steward, and
//! shown.
//!
//! A file is read whole and judged line by line; with one mistake nothing of it is said. What it says that is known already is not said
//! again, so that the same file a second time says nothing. A word counts when it has been ingested and folded.
//!
//! Absent: the rules of which word stands (`sql/marts`), what an entry is (`models::reference`).

mod lines;
mod shown;

use std::io::Read as _;
use std::path::Path;
use std::time::SystemTime;

use anyhow::Context;
use chrono::{DateTime, Utc};
use events::encode::Encoded;
use lake::{Events, LakeError};
use models::Snapshot;
use models::people::STEWARD;
use models::reference::{Agency, Area, Change, Count, Court, DatedCode, Line, Reference, said};

use self::lines::{Told, read};
use crate::cli::{ListArgs, LoadArgs, ReferenceCommand, ReferenceTable};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::exit::{self, Failure};
use crate::linking;

/// Events appended together.
const BLOCK: usize = 2_000;
/// Largest file that is read.
const MOST_BYTES: u64 = 64 << 20;

/// `amanat reference …`.
pub fn run(config: Config, command: ReferenceCommand) -> anyhow::Result<()> {
    let dir = DataDir::open(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let known = runtime.block_on(known(&dir))?;
    match command {
        ReferenceCommand::Load(args) => match args.table {
            ReferenceTable::Areas => load::<Area>(&config, &dir, &args, &known),
            ReferenceTable::AreaChanges => load::<Change>(&config, &dir, &args, &known),
            ReferenceTable::Populations => load::<Count>(&config, &dir, &args, &known),
            ReferenceTable::Courts => load::<Court>(&config, &dir, &args, &known),
            ReferenceTable::Agencies => load::<Agency>(&config, &dir, &args, &known),
            ReferenceTable::Codes => load::<DatedCode>(&config, &dir, &args, &known),
        },
        ReferenceCommand::List(args) => list(&args, known),
    }
}

/// What is known by the newest facts; before the first, what the program brings along.
async fn known(dir: &DataDir) -> anyhow::Result<Reference> {
    match Events::open(&dir.store, "reference").await {
        Err(LakeError::NoTable(_)) => return Ok(Reference::beneath(&dir.policy)),
        other => other.map(drop)?,
    }
    linking::fold(dir).await?;
    let snapshot = Snapshot::open_latest(&dir.store).await?;
    let of_snapshot = snapshot.map(|snapshot| Reference::of(&snapshot, &dir.policy)).transpose()?;
    Ok(of_snapshot.unwrap_or_else(|| Reference::beneath(&dir.policy)))
}

fn load<L: Line>(config: &Config, dir: &DataDir, args: &LoadArgs, known: &Reference) -> anyhow::Result<()> {
    let beneath = Reference::beneath(&dir.policy);
    let told = read::<L>(&bytes(&args.file)?, known, &beneath).map_err(|mistakes| refused(&mistakes))?;
    let Told { new, known: same } = told;
    let counted = format!("{} line(s) say something new, {same} what is known\n", new.len());
    if args.dry_run {
        return exit::print(&format!("{counted}nothing was said: --dry-run\n"));
    }
    let at_us = DateTime::<Utc>::from(SystemTime::now()).timestamp_micros();
    let events: Vec<Encoded> =
        new.iter().map(|(entry, withdrawn)| said(entry, *withdrawn, at_us, dir.is_sample())).collect();
    let mut sink = dir.sink(config)?;
    for block in events.chunks(BLOCK) {
        linking::append(&mut *sink, STEWARD, block)?;
    }
    let next =
        if new.is_empty() { "" } else { "they are in the log; they count once they have been ingested and folded\n" };
    exit::print(&format!("{counted}{next}"))
}

fn bytes(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().take(MOST_BYTES + 1).read_to_end(&mut bytes).context("standard input")?;
    } else {
        let open = std::fs::File::open(file).with_context(|| file.display().to_string())?;
        open.take(MOST_BYTES + 1).read_to_end(&mut bytes).with_context(|| file.display().to_string())?;
    }
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Failure::Input("the file is larger than 64 MiB: load it in parts".into()).into());
    }
    Ok(bytes)
}

/// Every mistake on a line of its own, on standard error; the last word says what became of the file.
fn refused(mistakes: &[String]) -> anyhow::Error {
    for mistake in mistakes {
        exit::note(mistake);
    }
    Failure::Input(format!("{} mistake(s); nothing of the file was said", mistakes.len())).into()
}

fn list(args: &ListArgs, known: Reference) -> anyhow::Result<()> {
    let day = args.at.map(|date| models::reference::day(&date.to_string()).ok_or(date)).transpose();
    let day = day.map_err(|_| Failure::Usage("--at: a day of 1947-08-14 or later is expected".into()))?;
    let known = match day {
        Some(day) => known.on(day),
        None => known,
    };
    let rows = match (args.table, args.at) {
        (ReferenceTable::Areas, _) => shown::Rows::of::<Area>(&known.areas),
        (ReferenceTable::AreaChanges, _) => shown::Rows::of::<Change>(&known.changes),
        (ReferenceTable::Courts, _) => shown::Rows::of::<Court>(&known.courts),
        (ReferenceTable::Agencies, _) => shown::Rows::of::<Agency>(&known.agencies),
        (ReferenceTable::Codes, _) => shown::Rows::of::<DatedCode>(&known.codes),
        (ReferenceTable::Populations, None) => shown::Rows::of::<Count>(&known.counts),
        (ReferenceTable::Populations, Some(date)) => shown::Rows::of_year(&known.counts, date),
    };
    exit::print(&if args.json {
        rows.json()
    } else if args.csv {
        rows.csv()?
    } else {
        rows.table()
    })
}
