//! `amanat import`: a CSV file becomes events by a mapping file, through the same worker as every other log.
//!
//! The file is read twice: first to say what will be lost, set aside or counted, then to ingest it. The same file again adds
//! nothing, because the lake knows how far this very file was read; a broken import resumes for the same reason.

mod source;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use gateway::csv::{FileHash, Mapping, RowError, Rows, check_time, header, reader};
use ingest::{Clock as _, RandomIds, SystemClock, Worker, WorkerReport};
use lake::{StoreIdentity, StoreKind};
use serde_json::json;

use self::source::{FileSource, Survey};
use crate::cli::ImportArgs;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::exit::{self, Failure};
use crate::progress;

/// Rows that are named of those that are wrong; all are counted.
const SHOWN: usize = 20;

/// Imports a file.
pub fn run(config: Config, args: ImportArgs) -> anyhow::Result<()> {
    // Leaked on purpose: one mapping a process, borrowed by the thread that reads rows.
    let mapping: &'static Mapping = Box::leak(Box::new(Mapping::read(&args.mapping).map_err(input)?));
    let file = hash(&args.file)?;
    let survey = survey(&args.file, file, mapping, &config)?;
    let found = StoreIdentity::read(&config.data).map_err(|error| crate::data_dir::unusable(&config.data, &error))?;
    let brings = if mapping.synthetic { StoreKind::Sample } else { StoreKind::Real };
    if let Some(warning) = found.as_ref().and_then(|store| wrong_store(store.kind, brings)) {
        exit::note(warning);
    }
    if mapping.key.is_none() && !args.json {
        exit::note(&format!(
            "the mapping names no key column, so a row is its position in this very file (hash {}…). The same file again changes nothing; a changed copy would be counted again.",
            &file.to_hex()[..12]
        ));
    }
    if args.dry_run {
        return report(mapping, &survey, None, file, args.json);
    }
    let dir = DataDir::open_or_create(&config, found.is_none().then_some(brings))?;
    if found.is_none() {
        let kind = if mapping.synthetic { "synthetic" } else { "real" };
        exit::note(&format!(
            "there was no store in {}: a new one for {kind} data was made there",
            config.data.display()
        ));
    }
    let source = FileSource::open(&args.file, file, mapping, *dir.keys.person, &survey)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let done = runtime.block_on(ingest(&config, &dir, source))?;
    report(mapping, &survey, Some(&done), file, args.json)?;
    crate::up::halts(&done).map_or(Ok(()), |halted| Err(halted.into()))
}

async fn ingest(config: &Config, dir: &DataDir, source: FileSource) -> anyhow::Result<WorkerReport> {
    let events = lake::Events::open_or_create(&dir.store, &format!("import-{}", std::process::id())).await?;
    // A file is a log of its own: that its uid is new is the rule, not an accident. Checkpoints are the standing worker's:
    // it may run at the same time.
    let settings = ingest::WorkerConfig { accept_new_source: true, ..crate::up::worker_config(config, dir.kind) };
    let ids = Arc::new(RandomIds);
    let mut worker = Worker::new(
        source,
        events,
        dir.policy.clone(),
        dir.keys.clone(),
        settings,
        Arc::new(SystemClock::default()),
        ids,
    );
    Ok(progress::ingesting(worker.monitor(), worker.drain()).await?)
}

/// What to say before rows are written that the store will set aside, all of them.
fn wrong_store(store: StoreKind, brings: StoreKind) -> Option<&'static str> {
    match (store, brings) {
        (StoreKind::Sample, StoreKind::Real) => Some(
            "this store holds synthetic data only, and the mapping does not say `synthetic = true`: every row will be set aside (wrong_store). Name a store of real data with --data.",
        ),
        (StoreKind::Real, StoreKind::Sample) => Some(
            "this store holds real data only, and the mapping says `synthetic = true`: every row will be set aside (wrong_store). Name a sample store with --data.",
        ),
        _ => None,
    }
}

fn input(error: impl std::fmt::Display) -> Failure {
    Failure::Input(error.to_string())
}

fn hash(path: &Path) -> anyhow::Result<FileHash> {
    let mut hasher = blake3::Hasher::new();
    let file = File::open(path).map_err(|error| Failure::Input(format!("cannot read {}: {error}", path.display())))?;
    hasher.update_reader(file).with_context(|| format!("reading {}", path.display()))?;
    Ok(hasher.finalize())
}

/// Reads the file once, without writing: what is in it, what is lost, what the contract will not take.
fn survey(path: &Path, file: FileHash, mapping: &Mapping, config: &Config) -> anyhow::Result<Survey> {
    let header = header(&mut reader(File::open(path)?)).map_err(input)?;
    mapping.check_header(&header).map_err(input)?;
    // No key of a store: which ids a row gets is not looked at here, and there may be no store yet.
    let mut rows = Rows::new(mapping, file, [0; 32], File::open(path)?).map_err(input)?;
    let now_ms = SystemClock::default().now_us() / 1000;
    let limits = events::Limits { max_bytes: config.ingest.max_payload_bytes };
    let mut survey = Survey { losses: vec![0; mapping.lossy.len()], ..Survey::default() };
    let bar = progress::spinner("reading");
    let mut unread = Unread::default();
    while let Some(row) = rows.next_row() {
        let checked = row.and_then(|(row, losses)| check_time(mapping, &row, now_ms).map(|()| (row, losses)));
        let Some((row, losses)) = unread.note(checked) else { continue };
        survey.rows += 1;
        survey.high.insert(row.agency.clone(), row.ordinal + 1);
        for rule in losses {
            survey.losses[rule] += 1;
        }
        if let Err(fault) = events::encode::event_of_line(row.json.as_bytes(), &limits) {
            survey.faults += 1;
            if survey.faulty.len() < SHOWN {
                survey.faulty.push((row.line, fault.to_string()));
            }
        }
        bar.set_position(survey.rows);
    }
    bar.finish_and_clear();
    unread.ended()?;
    Ok(survey)
}

/// Rows that cannot be made events of: all are looked for before the import is refused, so that a file is mended once.
#[derive(Default)]
struct Unread {
    count: u64,
    shown: Vec<String>,
}

impl Unread {
    fn note<T>(&mut self, row: Result<T, RowError>) -> Option<T> {
        row.map_err(|error| {
            self.count += 1;
            if self.shown.len() < SHOWN {
                self.shown.push(error.to_string());
            }
        })
        .ok()
    }

    fn ended(self) -> Result<(), Failure> {
        match (self.count, &self.shown[..]) {
            (0, _) => Ok(()),
            (1, [one]) => Err(input(one)),
            (count, shown) => {
                let more = if count > shown.len() as u64 { "\n  …" } else { "" };
                Err(input(format!(
                    "{count} rows cannot be read; nothing was imported:\n  {}{more}",
                    shown.join("\n  ")
                )))
            }
        }
    }
}

fn report(
    mapping: &Mapping,
    survey: &Survey,
    done: Option<&WorkerReport>,
    file: FileHash,
    as_json: bool,
) -> anyhow::Result<()> {
    let losses: Vec<_> = mapping
        .lossy
        .iter()
        .zip(&survey.losses)
        .map(|(rule, rows)| json!({"rows": rows, "because": rule.because}))
        .collect();
    if as_json {
        let counts = done.map(|report| report.counts).unwrap_or_default();
        let report = json!({
            "title": mapping.title, "file": file.to_hex().to_string(), "rows": survey.rows, "accepted": counts.ok, "duplicates": counts.duplicate,
            "conflicts": counts.conflict, "set_aside": counts.set_aside_total(), "lossy": losses, "not_carried": mapping.not_carried, "absent": mapping.absent,
        });
        return exit::print(&format!("{report}\n"));
    }
    let mut text = format!("{}: {} rows\n", mapping.title, survey.rows);
    if let Some(report) = done {
        let counts = &report.counts;
        text.push_str(&format!(
            "  {} accepted, {} duplicate(s), {} conflict(s), {} set aside\n",
            counts.ok,
            counts.duplicate,
            counts.conflict,
            counts.set_aside_total()
        ));
        if counts.rows() == 0 && report.halted().next().is_none() {
            text.push_str("  nothing new: this file has been imported before\n");
        }
    }
    text.push_str("lossy:\n");
    for (rule, rows) in mapping.lossy.iter().zip(&survey.losses) {
        text.push_str(&format!("  {rows:>8}  {}\n", rule.because));
    }
    for (column, because) in &mapping.not_carried {
        text.push_str(&format!("  not carried: {column} ({because})\n"));
    }
    if !mapping.absent.is_empty() {
        text.push_str(&format!("  absent in the file: {}\n", mapping.absent.join(", ")));
    }
    if survey.faults > 0 {
        text.push_str(&format!(
            "{} row(s) are not events of the contract and are set aside, whole, with their reason:\n",
            survey.faults
        ));
        for (line, fault) in &survey.faulty {
            text.push_str(&format!("  line {line}: {fault}\n"));
        }
        if survey.faults > survey.faulty.len() as u64 {
            text.push_str(&format!("  … and {} more\n", survey.faults - survey.faulty.len() as u64));
        }
    }
    exit::print(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = "year,from\n2012,H\n";
    const MAPPING: &str = "title = 't'\nevent = 'victim.identified'\nagency = { column = 'from', values = { H = 'HLP-X' } }\ntime = { column = 'year', form = 'year' }\n[fields]\n";

    /// Runs an import into a directory that is not there, and says whether it is there afterwards.
    fn import(mapping: &str, dry_run: bool) -> (anyhow::Result<()>, bool) {
        let dir = tempfile::tempdir().unwrap();
        let (file, map, data) = (dir.path().join("f.csv"), dir.path().join("m.toml"), dir.path().join("data"));
        std::fs::write(&file, CSV).unwrap();
        std::fs::write(&map, mapping).unwrap();
        let config = Config { data: data.clone(), ..Config::default() };
        let result = run(config, ImportArgs { file, mapping: map, dry_run, json: true });
        (result, data.exists())
    }

    #[test]
    fn a_dry_run_creates_nothing() {
        let (result, exists) = import(MAPPING, true);
        result.unwrap();
        assert!(!exists);
    }

    #[test]
    fn a_mapping_that_does_not_fit_the_header_is_refused_before_a_store_is_made() {
        let (result, exists) = import(&MAPPING.replace("'year', form", "'date', form"), false);
        assert!(result.unwrap_err().to_string().contains("date"));
        assert!(!exists);
    }

    #[test]
    fn rows_that_the_store_will_set_aside_are_announced() {
        assert!(wrong_store(StoreKind::Sample, StoreKind::Real).unwrap().contains("synthetic = true"));
        assert!(wrong_store(StoreKind::Real, StoreKind::Sample).is_some());
        assert_eq!(wrong_store(StoreKind::Real, StoreKind::Real), None);
    }
}
