//! What agencies are told (ingestion.md 3.4, "Receipts"): `amanat receipts` prints it, and editions are announced beside it.
//!
//! An announcement that does not get through fails nothing: it is made up for by the role *refresh*, when it starts and at each
//! of its looks. It may come twice; readers know an edition by its number.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use eventlog::{EventSource, Fetched, Outgoing, Partition, RECEIPTS};
use events::receipt::{EditionNotice, Reader, Receipt, Told};
use lake::{EditionInfo, Published};
use models::edition::Manifest;
use tracing::{debug, warn};

use crate::cli::ReceiptsArgs;
use crate::config::Config;
use crate::data_dir::{DataDir, log_failure};
use crate::exit::{self, Failure};

/// Longest wait for the next receipts.
const LOOK: Duration = Duration::from_millis(500);

/// Announces editions to the log.
#[derive(Debug, Default)]
pub struct Announcer {
    /// The last edition that the log has acknowledged.
    told: i64,
    failing: bool,
}

impl Announcer {
    /// Of an edition that was just published; those before it are not this one's business.
    pub fn of(info: &EditionInfo) -> Self {
        Self { told: info.edition - 1, failing: false }
    }

    /// Tells of every edition that it has not told of. Where that cannot be done now it says so, once.
    pub async fn announce(&mut self, config: &Config, dir: &DataDir) {
        if !config.ingest.receipts {
            return;
        }
        match tell(config, dir, self.told).await {
            Ok(told) => (self.told, self.failing) = (told, false),
            Err(error) if std::mem::replace(&mut self.failing, true) => debug!("{error:#}"),
            Err(error) => warn!(
                "published, but not announced on {RECEIPTS}: {error:#}; `amanat up` (role refresh) does it when the log answers"
            ),
        }
    }
}

/// Tells of the editions behind this one; gives the number of the last.
async fn tell(config: &Config, dir: &DataDir, told: i64) -> anyhow::Result<i64> {
    let published = Published::open(&dir.store);
    let mut latest = told;
    let mut messages = Vec::new();
    for number in published.numbers().await?.into_iter().filter(|number| *number > told) {
        messages.push(Told::Edition(notice(&published.edition(number).await?)).encode());
        latest = number;
    }
    if messages.is_empty() {
        return Ok(told);
    }
    let mut sink = dir.sink(config)?;
    let timestamp_ms = chrono::Utc::now().timestamp_millis();
    let append = move || {
        let one = |value| Outgoing { key: Some(b"editions"), headers: &[], value: Some(value), timestamp_ms };
        let outgoing: Vec<_> = messages.iter().map(|message| one(message)).collect();
        sink.append(RECEIPTS, &outgoing)
    };
    tokio::task::spawn_blocking(append).await?.map_err(log_failure)?;
    Ok(latest)
}

fn notice(info: &EditionInfo) -> EditionNotice {
    let as_of = Manifest::as_of_of(&info.manifest).map(|date| date.to_string());
    EditionNotice { edition: info.edition, as_of: as_of.unwrap_or_default(), cut: Manifest::cut_of(&info.manifest) }
}

/// `amanat receipts`: what stands on the stream now; with `--follow` also what comes.
pub fn run(config: Config, args: ReceiptsArgs) -> anyhow::Result<()> {
    let dir = DataDir::open(&config)?;
    let mut source = dir.source(&config)?;
    let mut printer = Printer { args, reader: Reader::default(), unknown: 0 };
    let (mut reading, mut unread) = (BTreeSet::new(), BTreeMap::new());
    begin(&mut *source, &mut reading, &mut unread)?;
    while printer.args.follow || !unread.is_empty() {
        let Some(fetched) = source.poll(1 << 20, LOOK).map_err(log_failure)? else {
            begin(&mut *source, &mut reading, &mut unread)?;
            continue;
        };
        printer.all(&fetched)?;
        if unread.get(&fetched.partition).is_some_and(|end| fetched.records.next_offset() >= *end) {
            unread.remove(&fetched.partition);
        }
    }
    if printer.unknown > 0 {
        let unknown = printer.unknown;
        exit::note(&format!("{unknown} message(s) have a form that this program does not know: use a newer one"));
    }
    Ok(())
}

/// Begins to read the partitions of the stream that are not read yet. `unread` is where each of those ends that holds something.
fn begin(
    source: &mut dyn EventSource,
    reading: &mut BTreeSet<Partition>,
    unread: &mut BTreeMap<Partition, i64>,
) -> Result<(), Failure> {
    for partition in source.partitions_of(RECEIPTS).map_err(log_failure)? {
        if !reading.insert(partition.clone()) {
            continue;
        }
        let marks = source.watermarks(&partition).map_err(log_failure)?;
        source.read_from(&partition, marks.low).map_err(log_failure)?;
        if marks.high > marks.low {
            unread.insert(partition, marks.high);
        }
    }
    Ok(())
}

/// Prints each thing that is told, once.
struct Printer {
    args: ReceiptsArgs,
    reader: Reader,
    unknown: u64,
}

impl Printer {
    fn all(&mut self, fetched: &Fetched) -> anyhow::Result<()> {
        for value in fetched.records.iter().filter_map(|record| record.value) {
            let Some(told) = Told::decode(value) else {
                self.unknown += 1;
                continue;
            };
            let Some(new) = self.reader.take(told) else { continue };
            if self.is_wanted(&new) {
                exit::print(&if self.args.json { json_line(&new) } else { lines(&new) })?;
            }
        }
        Ok(())
    }

    /// Editions are everyone's.
    fn is_wanted(&self, told: &Told) -> bool {
        match (told, &self.args.agency) {
            (Told::Receipt(receipt), Some(agency)) => eventlog::agency_of(receipt.stream_name()) == Some(agency),
            (Told::Receipt(_) | Told::Edition(_), _) => true,
        }
    }
}

fn json_line(told: &Told) -> String {
    format!("{}\n", String::from_utf8_lossy(&told.encode()))
}

/// For people.
fn lines(told: &Told) -> String {
    match told {
        Told::Edition(notice) => format!("edition {} of {} is published\n", notice.edition, notice.as_of),
        Told::Receipt(receipt) => {
            let Receipt { stream, partition, from, to, exceptions, .. } = receipt;
            let accepted = (to - from) - exceptions.len() as i64;
            let not = match exceptions.len() {
                0 => format!("{accepted} accepted"),
                not => format!("{accepted} accepted, {not} not"),
            };
            let mut text = format!("{stream}/{partition} offsets {from} to {}: {not}\n", to - 1);
            for exception in exceptions {
                let words = [Some(&*exception.status), exception.class.as_deref(), exception.detail.as_deref()];
                let said: Vec<&str> = words.into_iter().flatten().collect();
                text.push_str(&format!("  {} {}\n", exception.offset, said.join(": ")));
            }
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use events::receipt::Exception;

    use super::*;

    #[test]
    fn a_receipt_is_printed_with_each_reason() {
        let exception = |offset, status: &str, why: Option<(&str, &str)>| Exception {
            offset,
            status: status.into(),
            class: why.map(|why| why.0.into()),
            detail: why.map(|why| why.1.into()),
        };
        let receipt = Receipt {
            lake_version: 4,
            batch_id: None,
            stream: "u#0/tip.events.FIA.v1".into(),
            partition: 0,
            from: 5,
            to: 9,
            exceptions: vec![
                exception(6, "set_aside", Some(("schema", "province: a code is expected"))),
                exception(7, "duplicate", None),
            ],
        };
        let text = lines(&Told::Receipt(receipt));
        let expected = "u#0/tip.events.FIA.v1/0 offsets 5 to 8: 2 accepted, 2 not\n  6 set_aside: schema: province: a code is \
                        expected\n  7 duplicate\n";
        assert_eq!(text, expected);
    }
}
