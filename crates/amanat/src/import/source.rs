//! A file as a log: one stream per agency, the row's ordinal as offset, the file's hash as source uid. Read by the same
//! worker as every other log (ingestion.md, decision 1).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use eventlog::{EventSource, FILE_UID_PREFIX, Fetched, LogError, Partition, RecordsBuilder, Watermarks, stream_name};

use gateway::csv::{FileHash, Mapping, Row, RowError, Rows};

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
    /// Reads the file from its beginning.
    open: Box<dyn Fn() -> Result<Rows<'static, File>, RowError> + Send>,
    rows: Rows<'static, File>,
    high: BTreeMap<String, i64>,
    /// Next ordinal to deliver of each partition being read.
    next: BTreeMap<Partition, i64>,
    /// Partitions of which the reader said once whether it reads them. Rows are read when all are: a row is passed once.
    named: BTreeSet<Partition>,
    /// Ordinal of the next row to be read from the file.
    at: i64,
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
        survey: &Survey,
    ) -> anyhow::Result<Self> {
        let path = path.to_owned();
        let open = move || {
            let input =
                File::open(&path).map_err(|_| RowError::Csv { line: 1, what: "cannot be read from the disk" })?;
            Rows::new(mapping, file, token_key, input)
        };
        Ok(Self {
            uid: uid(file),
            rows: open()?,
            open: Box::new(open),
            named: BTreeSet::new(),
            at: 0,
            high: survey.high.clone(),
            next: BTreeMap::new(),
            ready: VecDeque::new(),
            ended: false,
        })
    }

    /// Nothing of the partition is delivered from now on.
    fn forget(&mut self, partition: &Partition) {
        self.named.insert(partition.clone());
        self.next.remove(partition);
        self.ready.retain(|fetched| fetched.partition != *partition);
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
            self.at = row.ordinal + 1;
            let next = self.next.get_mut(&partition(&row.agency)).filter(|next| row.ordinal >= **next);
            if let Some(next) = next {
                *next = row.ordinal + 1;
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
        self.forget(partition);
        if next < self.at {
            // Its rows have been passed, so the file is read once more; the others go on behind what they had.
            self.rows = (self.open)().map_err(|error| LogError::Refused { reason: error.to_string() })?;
            (self.at, self.ended) = (0, false);
        }
        self.next.insert(partition.clone(), next);
        Ok(())
    }

    fn stop(&mut self, partition: &Partition) -> Result<(), LogError> {
        self.forget(partition);
        Ok(())
    }

    fn poll(&mut self, _max_bytes: usize, wait: Duration) -> Result<Option<Fetched>, LogError> {
        let all_named = self.named.len() == self.high.len();
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

#[cfg(test)]
mod tests {
    use super::*;

    const MAPPING: &str = "title = 't'\nevent = 'victim.identified'\nagency = { column = 'from', values = { H = 'HLP-X', C = 'IOM' } }\ntime = { column = 'year', form = 'year' }\n[fields]\n";

    fn source(rows: &[&str]) -> (tempfile::NamedTempFile, FileSource) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = rows.iter().fold("year,from\n".to_owned(), |text, from| text + "2012," + from + "\n");
        std::fs::write(file.path(), &text).unwrap();
        let mapping = Box::leak(Box::new(Mapping::parse(MAPPING).unwrap()));
        let mut survey = Survey::default();
        for (ordinal, from) in rows.iter().enumerate() {
            let agency = if *from == "H" { "HLP-X" } else { "IOM" };
            survey.high.insert(agency.into(), i64::try_from(ordinal).unwrap() + 1);
        }
        let hash = blake3::hash(text.as_bytes());
        let source = FileSource::open(file.path(), hash, mapping, [7; 32], &survey).unwrap();
        (file, source)
    }

    /// Offsets by agency of all that comes.
    fn offsets(source: &mut FileSource) -> Vec<(String, i64)> {
        let mut all = Vec::new();
        while let Some(fetched) = source.poll(1 << 20, Duration::ZERO).unwrap() {
            let agency = eventlog::agency_of(&fetched.partition.stream).unwrap().to_owned();
            all.extend(fetched.records.iter().map(|record| (agency.clone(), record.offset)));
        }
        all.sort();
        all
    }

    fn at(agency: &str, offset: i64) -> (String, i64) {
        (agency.to_owned(), offset)
    }

    #[test]
    fn a_partition_that_is_stopped_before_it_began_does_not_hold_up_the_others() {
        let (_file, mut source) = source(&["H", "C", "H"]);
        source.stop(&partition("IOM")).unwrap();
        source.read_from(&partition("HLP-X"), 0).unwrap();
        assert_eq!(offsets(&mut source), [at("HLP-X", 0), at("HLP-X", 2)]);
    }

    #[test]
    fn a_partition_that_is_stopped_and_begun_again_is_read_again_and_the_others_once() {
        let (_file, mut source) = source(&["H", "C", "H"]);
        for agency in ["HLP-X", "IOM"] {
            source.read_from(&partition(agency), 0).unwrap();
        }
        assert_eq!(offsets(&mut source).len(), 3);
        source.stop(&partition("HLP-X")).unwrap();
        source.read_from(&partition("HLP-X"), 1).unwrap();
        assert_eq!(offsets(&mut source), [at("HLP-X", 2)]);
    }
}
