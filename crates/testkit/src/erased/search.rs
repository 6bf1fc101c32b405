//! Every byte of a directory, searched: files as they are; Parquet files also as their columns are when they are read, and the
//! embedded log also as its records are.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::time::Duration;

use aho_corasick::AhoCorasick;
use anyhow::Result;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::ipc::writer::StreamWriter;
use eventlog::sqlite::SqliteLog;
use eventlog::{EventSource as _, RECEIPTS};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// Something that stands for a person.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Needle {
    /// As the agency sends it.
    Token(String),
    /// As the warehouse writes it.
    Surrogate([u8; 16]),
}

impl Needle {
    /// How it may be written: a surrogate as bytes, in hexadecimal digits, and in the letters of record ids.
    fn forms(&self) -> Vec<Vec<u8>> {
        match self {
            Self::Token(token) => vec![token.as_bytes().to_vec()],
            Self::Surrogate(id) => {
                let hex = format!("{:032x}", u128::from_be_bytes(*id)).into_bytes();
                vec![id.to_vec(), hex, events::form::person_letters(id).to_vec()]
            }
        }
    }
}

/// What is searched for.
pub struct Needles {
    automaton: AhoCorasick,
    count: usize,
    /// Those that others bear too: they stay, of others.
    pub shared: usize,
}

impl Needles {
    /// All of `theirs` that are not `of_others`.
    pub fn new(theirs: HashSet<Needle>, of_others: &HashSet<Needle>) -> Result<Self> {
        let all = theirs.len();
        let own: Vec<Needle> = theirs.into_iter().filter(|needle| !of_others.contains(needle)).collect();
        let automaton = AhoCorasick::new(own.iter().flat_map(Needle::forms))?;
        Ok(Self { automaton, count: own.len(), shared: all - own.len() })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    fn count(&self, bytes: &[u8]) -> u64 {
        self.automaton.find_iter(bytes).count() as u64
    }
}

/// Occurrences by the kind of file.
pub type Found = BTreeMap<String, u64>;

/// Searches a data directory.
pub fn search(root: &Path, log: &SqliteLog, needles: &Needles) -> Result<Found> {
    let mut found = Found::new();
    let mut add = |what: String, occurrences: u64| {
        if occurrences > 0 {
            *found.entry(what).or_default() += occurrences;
        }
    };
    each_file(root, &mut |path| {
        let bytes = std::fs::read(path)?;
        let kind = kind_of(root, path);
        add(kind.clone(), needles.count(&bytes));
        if path.extension().is_some_and(|ending| ending == "parquet") {
            add(format!("{kind}, read"), needles.count(&columns(bytes)?));
        }
        Ok(())
    })?;
    add("log.db, read".to_owned(), in_log(log, needles)?);
    Ok(found)
}

/// Calls for each file below a directory.
pub fn each_file(directory: &Path, of: &mut dyn FnMut(&Path) -> Result<()>) -> Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() { each_file(&path, of)? } else { of(&path)? }
    }
    Ok(())
}

/// `lake/events`, `lake/events/_delta_log`, `vault.db`.
fn kind_of(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let mut parts: Vec<String> = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let is_log = parts.iter().any(|part| part == "_delta_log");
    let last = parts.len() - 1;
    parts.truncate(last.clamp(1, 2));
    if is_log { parts.join("/") + "/_delta_log" } else { parts.join("/") }
}

/// The values of a Parquet file, as memory has them.
fn columns(file: Vec<u8>) -> Result<Vec<u8>> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(file))?.build()?;
    let mut out = Vec::new();
    for batch in reader {
        let batch = batch?;
        let mut writer = StreamWriter::try_new(&mut out, &batch.schema())?;
        writer.write(&batch)?;
        writer.finish()?;
    }
    Ok(out)
}

/// Of the records that the embedded log still gives.
fn in_log(log: &SqliteLog, needles: &Needles) -> Result<u64> {
    let mut source = log.source()?;
    let mut found = 0;
    let mut partitions = source.partitions()?;
    partitions.extend(source.partitions_of(RECEIPTS)?);
    for partition in partitions {
        let low = source.watermarks(&partition)?.low;
        source.read_from(&partition, low)?;
        while let Some(fetched) = source.poll(1 << 20, Duration::ZERO)? {
            for record in fetched.records.iter() {
                found += record.value.map_or(0, |value| needles.count(value));
                found += record.key.map_or(0, |key| needles.count(key));
            }
        }
        source.stop(&partition)?;
    }
    Ok(found)
}

/// The persons whom rows (agency, subjects) are about.
pub fn first_subjects(rows: &RecordBatch, persons: &mut BTreeSet<[u8; 16]>) {
    let subjects = rows.column(1).as_list::<i32>();
    for row in (0..rows.num_rows()).filter(|row| subjects.is_valid(*row)) {
        let of_row = subjects.value(row);
        persons.extend(
            of_row.as_binary::<i32>().iter().flatten().next().and_then(|first| <[u8; 16]>::try_from(first).ok()),
        );
    }
}
