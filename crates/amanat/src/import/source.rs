//! A file as a log: one stream per agency, the row's ordinal as offset, the file's hash as source uid. Read by the same
//! worker as every other log (ingestion.md, decision 1).

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use eventlog::{EventSource, FILE_UID_PREFIX, Fetched, LogError, Partition, RecordsBuilder, Watermarks, stream_name};

use super::mapping::Mapping;
use super::rows::{FileHash, Row, RowError, Rows};

/// Rows read from the file at once.
const BLOCK: usize = 4_096;

/// What a first pass over the file found.
#[derive(Debug, Default)]
pub struct Survey {
    /// Rows.
    pub rows: u64,
    /// One past the last ordinal, per agency.
    pub high: BTreeMap<String, i64>,
    /// Rows per loss rule of the mapping.
    pub losses: Vec<u64>,
    /// Rows that the contract will set aside, at most ten of them: line and sentence.
    pub faulty: Vec<(u64, String)>,
    /// How many such rows there are.
    pub faults: u64,
}

/// A CSV file as an event source.
pub struct FileSource {
    uid: String,
    rows: Rows<'static, File>,
    high: BTreeMap<String, i64>,
    next: BTreeMap<Partition, i64>,
    ready: VecDeque<Fetched>,
    ended: bool,
}

impl FileSource {
    /// Opens the file for reading as a log, after a survey of it. The mapping lives as long as the program.
    pub fn open(
        path: &Path,
        file: FileHash,
        mapping: &'static Mapping,
        token_key: [u8; 32],
        synthetic: bool,
        survey: &Survey,
    ) -> anyhow::Result<Self> {
        let rows = Rows::new(mapping, file, token_key, synthetic, File::open(path)?)?;
        Ok(Self {
            uid: uid(file),
            rows,
            high: survey.high.clone(),
            next: BTreeMap::new(),
            ready: VecDeque::new(),
            ended: false,
        })
    }

    /// Reads the next block of rows and sorts them by stream.
    fn read_block(&mut self) -> Result<(), RowError> {
        let mut blocks: BTreeMap<String, RecordsBuilder> = BTreeMap::new();
        for _ in 0..BLOCK {
            let Some(row) = self.rows.next_row() else {
                self.ended = true;
                break;
            };
            let (row, _) = row?;
            let wanted = self.next.get(&partition(&row.agency)).is_some_and(|next| row.ordinal >= *next);
            if wanted {
                let block =
                    blocks.entry(row.agency.clone()).or_insert_with(|| RecordsBuilder::starting_at(row.ordinal));
                push(block, &row);
            }
        }
        self.ready.extend(
            blocks
                .into_iter()
                .map(|(agency, block)| Fetched { partition: partition(&agency), records: block.finish() }),
        );
        Ok(())
    }
}

/// The source uid of a file.
pub fn uid(file: FileHash) -> String {
    format!("{FILE_UID_PREFIX}{}", &file.to_hex()[..32])
}

fn partition(agency: &str) -> Partition {
    Partition::new(stream_name(agency), 0)
}

fn push(block: &mut RecordsBuilder, row: &Row) {
    let headers = [("content-type", &b"application/cloudevents+json"[..])];
    block.push(row.ordinal, row.time_ms, Some(row.record_id.as_bytes()), headers, Some(row.json.as_bytes()));
}

impl EventSource for FileSource {
    fn source_uid(&self) -> &str {
        &self.uid
    }

    fn partitions(&mut self) -> Result<Vec<Partition>, LogError> {
        Ok(self.high.keys().map(|agency| partition(agency)).collect())
    }

    fn watermarks(&mut self, of: &Partition) -> Result<Watermarks, LogError> {
        let agency = eventlog::agency_of(&of.stream).unwrap_or_default();
        Ok(Watermarks { low: 0, high: self.high.get(agency).copied().unwrap_or(0) })
    }

    fn read_from(&mut self, partition: &Partition, next: i64) -> Result<(), LogError> {
        self.next.insert(partition.clone(), next);
        Ok(())
    }

    fn stop(&mut self, partition: &Partition) -> Result<(), LogError> {
        self.next.remove(partition);
        Ok(())
    }

    fn poll(&mut self, _max_bytes: usize, wait: Duration) -> Result<Option<Fetched>, LogError> {
        let all_named = self.next.len() == self.high.len();
        while self.ready.is_empty() && !self.ended && all_named {
            self.read_block().map_err(|error| LogError::Refused { reason: error.to_string() })?;
        }
        if self.ready.is_empty() {
            std::thread::sleep(wait.min(Duration::from_millis(20))); // nothing will come: the caller's wait, kept short
        }
        Ok(self.ready.pop_front())
    }

    fn hint(&mut self, _partition: &Partition, _next: i64) -> Result<(), LogError> {
        Ok(())
    }
}
