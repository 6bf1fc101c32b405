//! The role *maintain*: few files, a short log, bytes gone when their time is over (ingestion.md 3.12), and room given
//! back by the embedded log (3.13).
//!
//! One process at a time does it, by a lease in the store, so it may run in `amanat up`, alone on another machine, or
//! once from a timer. It takes no lock: ingesting, refreshing and reading go on meanwhile.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use eventlog::sqlite::SqliteLog;
use eventlog::{EventSource as _, FEEDS, LogError, Partition, RECEIPTS, RECEIPTS_DAYS};
use ingest::Eraser;
use lake::maintain::{self, Did, Lease, Maintainer, Now, Round, Rules, Standing, Status};
use lake::{EventsSnapshot, LakeError, PartitionId};
use models::{Orders, Snapshot};
use policy::Erased;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::cli::MaintainArgs;
use crate::config::{Config, LogKind};
use crate::data_dir::{DataDir, log_failure, unusable};
use crate::exit::{self, Failure};
use crate::progress;

/// How often it is looked what is due.
const EVERY: Duration = Duration::from_secs(10);

/// How often the lease is renewed while work is being done.
const KEEP: Duration = Duration::from_secs(5);

/// `amanat maintain`.
pub fn run(config: Config, args: MaintainArgs) -> anyhow::Result<()> {
    let dir = Arc::new(DataDir::open(&config)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        let mut role = Role::new(config, dir);
        if args.dry_run {
            return role.dry_run().await;
        }
        if args.once {
            return role.once().await;
        }
        let stop = CancellationToken::new();
        tokio::spawn(crate::up::stop_on_signal(stop.clone()));
        role.keep(stop).await
    });
    runtime.shutdown_background();
    done
}

/// Maintains until told to stop.
pub async fn keep(config: Config, dir: Arc<DataDir>, stop: CancellationToken) -> anyhow::Result<()> {
    Role::new(config, dir).keep(stop).await
}

/// The role in one process.
struct Role {
    config: Config,
    dir: Arc<DataDir>,
    name: String,
    lease: Lease,
    maintainer: Option<Maintainer>,
    began: Instant,
    /// The date on which the embedded log was last trimmed.
    trimmed: Option<i32>,
    ordered: Ordered,
}

/// Whom the steward has ordered to be erased, as far as files were read for it.
#[derive(Default)]
struct Ordered {
    read: HashSet<String>,
    erased: Option<Arc<Erased>>,
}

impl Ordered {
    /// Reads the files that are new. `None` where nobody ever was.
    async fn follow(&mut self, events: &EventsSnapshot, keys: &policy::Keys) -> anyhow::Result<Option<Arc<Erased>>> {
        let new: Vec<_> = events.files.iter().filter(|file| !self.read.contains(&file.path)).cloned().collect();
        let found = Orders::among(events, &new, keys).await?.erased;
        self.read = events.files.iter().map(|file| file.path.clone()).collect();
        if !found.is_empty() {
            let mut all = self.erased.as_deref().cloned().unwrap_or_else(|| Erased::nobody(keys));
            found.images().for_each(|image| all.carried_out(*image));
            self.erased = Some(Arc::new(all));
        }
        Ok(self.erased.clone())
    }
}

/// Tells these persons from others.
fn whom(erased: &Erased) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    erased.images().for_each(|image| _ = hasher.update(image));
    *hasher.finalize().as_bytes()
}

impl Role {
    fn new(config: Config, dir: Arc<DataDir>) -> Self {
        let name = format!("maintain-{}-{}", std::process::id(), uuid::Uuid::new_v4());
        let lease = Lease::new(&dir.store, &name);
        Self {
            config,
            dir,
            name,
            lease,
            maintainer: None,
            began: Instant::now(),
            trimmed: None,
            ordered: Ordered::default(),
        }
    }

    async fn keep(&mut self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut failing = false;
        loop {
            let turn = async {
                match self.turn(false).await {
                    Ok(Some((did, status))) => {
                        count(&status);
                        if did != Did::default() {
                            info!(?did, "maintained");
                        }
                    }
                    // Another maintains and counts.
                    Ok(None) => {}
                    Err(error) if failing => tracing::debug!("{error:#}"),
                    Err(error) => {
                        failing = true;
                        warn!("maintenance waits: {error:#}; it is tried again");
                        return;
                    }
                }
                failing = false;
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = turn => {}
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
        // Whoever comes next need not wait. What was being rewritten is made again by them.
        Ok(self.lease.release().await?)
    }

    /// One look and what is due; None while another process maintains or there is nothing yet.
    async fn turn(&mut self, all: bool) -> anyhow::Result<Option<(Did, Status)>> {
        let Some(mut maintainer) = self.take().await? else { return Ok(None) };
        if let Standing::Other { .. } = self.stand(&maintainer).await? {
            self.maintainer = Some(maintainer);
            return Ok(None);
        }
        let round = self.round(all).await?;
        let bar = progress::spinner("compacting");
        let round = Round { before: self.erase(&mut maintainer, round.now).await?, ..round };
        let done = {
            let heard = |group: &maintain::Wanted, left: usize| {
                bar.inc(group.files.len() as u64);
                tracing::debug!(files = group.files.len(), bytes = group.bytes(), groups_left = left, "compacting");
            };
            let work = maintainer.round(round, heard);
            let mut work = std::pin::pin!(work);
            loop {
                tokio::select! {
                    done = &mut work => break done,
                    () = tokio::time::sleep(KEEP) => drop(self.lease.keep(self.began.elapsed(), 0).await?),
                }
            }
        };
        bar.finish_and_clear();
        let done = match done {
            // Another took over while we were away: it does what we would have done.
            Err(LakeError::Superseded { .. }) if !all => None,
            other => Some(other?),
        };
        if done.is_some() && (all || self.trimmed != Some(round.now.today)) {
            self.trim_log(&maintainer.events().snapshot()?, round.now).await?;
            self.trimmed = Some(round.now.today);
        }
        self.maintainer = Some(maintainer);
        Ok(done)
    }

    /// Takes out of the table whom the steward has ordered to be erased: out of what came since the last turn, out of all where an
    /// order is new.
    async fn erase(&mut self, maintainer: &mut Maintainer, now: Now) -> anyhow::Result<Did> {
        maintainer.look().await?;
        let snapshot = maintainer.events().snapshot()?;
        let Some(erased) = self.ordered.follow(&snapshot, &self.dir.keys).await? else { return Ok(Did::default()) };
        let work = maintainer.erase(Eraser::new(Arc::clone(&erased)), whom(&erased), now);
        let mut work = std::pin::pin!(work);
        let did = loop {
            tokio::select! {
                done = &mut work => break done?,
                () = tokio::time::sleep(KEEP) => drop(self.lease.keep(self.began.elapsed(), 0).await?),
            }
        };
        if did.files_erased > 0 {
            info!(files = did.files_erased, "persons were taken out of the table as the steward ordered");
        }
        Ok(did)
    }

    /// The table as it was left by the last turn, or opened now; None when nothing was ingested yet.
    async fn take(&mut self) -> anyhow::Result<Option<Maintainer>> {
        if let Some(maintainer) = self.maintainer.take() {
            return Ok(Some(maintainer));
        }
        match Maintainer::open(&self.dir.store, &self.name, self.lease.number(), Rules::default()).await {
            Ok(maintainer) => Ok(Some(maintainer)),
            Err(LakeError::NoTable(_)) => Ok(None),
            Err(error) => Err(unusable(&self.dir.path, &error).into()),
        }
    }

    async fn stand(&mut self, maintainer: &Maintainer) -> anyhow::Result<Standing> {
        Ok(self.lease.keep(self.began.elapsed(), maintain::claimed(maintainer.events())).await?)
    }

    async fn round(&self, all: bool) -> anyhow::Result<Round> {
        let now = now();
        let keep_from = now.today - i32::try_from(self.config.ingest.set_aside_days).unwrap_or(i32::MAX / 2);
        Ok(Round {
            now,
            staged: Snapshot::latest_lake_version(&self.dir.store).await?,
            keep_from: Some(keep_from),
            all,
            before: Did::default(),
        })
    }

    /// `amanat maintain --once`: waits for its turn, does everything, and says what it did.
    async fn once(&mut self) -> anyhow::Result<()> {
        let bar = progress::spinner("waiting for another maintainer");
        loop {
            let Some(maintainer) = self.take().await? else {
                return exit::print("nothing was ingested yet, and nothing is to be maintained\n");
            };
            let standing = self.stand(&maintainer).await?;
            self.maintainer = Some(maintainer);
            let Standing::Other { holder, left, number } = standing else { break };
            if self.began.elapsed() > maintain::TAKE_OVER_AFTER + EVERY {
                return Err(Failure::Unavailable(format!(
                    "{holder} maintains this store (number {number}) and does what is due; `amanat status` shows it"
                ))
                .into());
            }
            tokio::time::sleep(left.min(Duration::from_secs(1))).await;
        }
        bar.finish_and_clear();
        let done = self.turn(true).await;
        let released = self.lease.release().await;
        let Some((did, status)) = done? else {
            return Err(Failure::Unavailable("another process took over; it does what is due".into()).into());
        };
        released?;
        exit::print(&said(&did, &status))
    }

    /// What `--once` would do, counted; nothing is written.
    async fn dry_run(&mut self) -> anyhow::Result<()> {
        let Some(mut maintainer) = self.take().await? else {
            return exit::print("nothing was ingested yet, and nothing is to be maintained\n");
        };
        let round = self.round(true).await?;
        let groups = maintainer.to_compact(round.now, round.staged).await?;
        let files: usize = groups.iter().map(|group| group.files.len()).sum();
        let bytes: u64 = groups.iter().map(maintain::Wanted::bytes).sum();
        let expiring: usize = match round.keep_from {
            Some(keep_from) => maintainer.to_expire(keep_from).await?.iter().map(Vec::len).sum(),
            None => 0,
        };
        let unneeded = maintainer.to_vacuum(round.now).await?.len();
        exit::print(&format!(
            "would compact {files} file(s) of {bytes} bytes in {} group(s)\nwould take set-aside bytes from {expiring} file(s)\nwould delete {unneeded} file(s) that no version needs\n{} version(s) since the last checkpoint\n",
            groups.len(),
            maintainer.events().versions_since_checkpoint()
        ))
    }

    /// Deletes records of the embedded log that have been in the lake for so many days. Kafka's retention is its brokers'.
    async fn trim_log(&self, snapshot: &EventsSnapshot, now: Now) -> anyhow::Result<()> {
        let days = i32::try_from(self.config.log.retention_days).unwrap_or(i32::MAX / 2);
        if self.config.log.kind != LogKind::Sqlite || days == 0 || !self.dir.path.join("log.db").exists() {
            return Ok(());
        }
        let recent = snapshot.first_offsets_since(now.today - days).await?;
        let log = self.dir.embedded()?;
        let below = trimmable(&snapshot.cut, &recent, log.source_uid(), self.ordered.erased.is_none());
        let trim = move || -> Result<u64, LogError> {
            for (partition, below) in below {
                match log.trim(&partition, below) {
                    Err(LogError::UnknownPartition { .. }) | Ok(_) => {}
                    Err(error) => return Err(error),
                }
            }
            trim_told(&log, now.unix_ms - i64::from(RECEIPTS_DAYS) * 86_400_000)?;
            log.shrink()
        };
        let bytes = tokio::task::spawn_blocking(trim).await?.map_err(log_failure)?;
        if bytes > 0 {
            info!(bytes, days, "the embedded log gave back room of records that are in the lake");
        }
        Ok(())
    }
}

/// Deletes receipts and reports on feeds that were sent before this time, milliseconds UTC. What they said stands in the lake. Reads what
/// is to go, and what lies in one piece with it.
fn trim_told(log: &SqliteLog, before_ms: i64) -> Result<(), LogError> {
    let mut source = log.source()?;
    let (receipts, feeds) = (source.partitions_of(RECEIPTS)?, source.partitions_of(FEEDS)?);
    for partition in receipts.into_iter().chain(feeds) {
        let low = source.watermarks(&partition)?.low;
        source.read_from(&partition, low)?;
        let mut below = low;
        while let Some(fetched) = source.poll(1 << 20, Duration::ZERO)? {
            let old = fetched.records.iter().take_while(|record| record.timestamp_ms < before_ms);
            below = old.last().map_or(below, |record| record.offset + 1);
            if below < fetched.records.next_offset() {
                break;
            }
        }
        source.stop(&partition)?;
        log.trim(&partition, below)?;
    }
    Ok(())
}

/// Below which offset each partition of this log is in the lake and older than what is kept. The last record in the lake
/// stays: a worker that begins compares it with its row. Not where somebody was erased: it may be about her, and an agency may send
/// nothing more.
fn trimmable(
    cut: &BTreeMap<PartitionId, i64>,
    recent: &BTreeMap<PartitionId, i64>,
    source_uid: &str,
    keep_last: bool,
) -> Vec<(Partition, i64)> {
    let of_this_log = |(id, next): (&PartitionId, &i64)| {
        let stream = id.log_stream.strip_prefix(source_uid)?.strip_prefix('/')?;
        // A generation that a reset began holds none of the rows that were read under the one before.
        let same = |other: &PartitionId| same_records(other, id);
        let recent = recent.iter().filter(|(other, _)| same(other)).map(|(_, first)| *first).min();
        let below = recent.unwrap_or(i64::MAX).min(next - i64::from(keep_last));
        Some((Partition::new(stream, id.partition), below))
    };
    cut.iter().filter_map(of_this_log).collect()
}

/// Whether both are one partition of one log, in whatever generation.
fn same_records(one: &PartitionId, other: &PartitionId) -> bool {
    let of = |id: &PartitionId| {
        let (uid, stream) = id.log_stream.rsplit_once('/')?;
        Some((uid.rsplit_once('#').map_or(uid, |(log, _)| log).to_owned(), stream.to_owned(), id.partition))
    };
    of(one).is_some() && of(one) == of(other)
}

fn now() -> Now {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let unix_ms = i64::try_from(unix.as_millis()).unwrap_or(i64::MAX);
    Now { unix_ms, today: events::calendar::karachi_day(unix_ms.saturating_mul(1000)) }
}

/// What a round left, for the metrics of the process that maintains.
fn count(status: &Status) {
    metrics::gauge!("amanat_maintain_last_round_timestamp_seconds").set(status.last_run_ms as f64 / 1e3);
    metrics::gauge!("amanat_maintain_last_daily_timestamp_seconds").set(status.daily_ms as f64 / 1e3);
    metrics::gauge!("amanat_lake_files").set(status.files as f64);
    metrics::gauge!("amanat_lake_files_waiting").set(status.files_waiting as f64);
    metrics::gauge!("amanat_lake_file_bytes").set(status.bytes as f64);
    metrics::gauge!("amanat_lake_versions_since_checkpoint").set(status.versions_since_checkpoint as f64);
}

/// What a round did and what it left, for people.
fn said(did: &Did, status: &Status) -> String {
    format!(
        "{} file(s) compacted, {} expired and {} freed of persons who were to be erased, into {} ({} rows, {} bytes), {} checkpoint(s), {} commit(s) of the log, {} unneeded and {} replaced file(s) deleted\nthe table has {} file(s) of {} bytes at version {}, {} version(s) since the last checkpoint\n",
        did.files_replaced,
        did.files_expired,
        did.files_erased,
        did.files_written,
        did.rows_rewritten,
        did.bytes_written,
        did.checkpoints,
        did.log_files_deleted,
        did.files_vacuumed,
        did.files_purged,
        status.files,
        status.bytes,
        status.lake_version,
        status.versions_since_checkpoint,
    )
}

#[cfg(test)]
mod tests {
    use eventlog::{EventSink as _, Outgoing};

    use super::*;

    #[test]
    fn receipts_are_kept_for_their_days_and_not_longer() {
        let place = tempfile::tempdir().unwrap();
        let log = SqliteLog::open(place.path().join("log.db"), uuid::Uuid::from_u128(1)).unwrap();
        trim_told(&log, 500).unwrap();
        for timestamp_ms in [100, 200, 499, 500, 900] {
            let receipt = Outgoing { key: None, headers: &[], value: Some(b"{}"), timestamp_ms };
            log.sink().unwrap().append(RECEIPTS, &[receipt]).unwrap();
        }
        let low = || log.source().unwrap().watermarks(&Partition::new(RECEIPTS, 0)).unwrap().low;
        trim_told(&log, 50).unwrap();
        assert_eq!(low(), 0);
        trim_told(&log, 500).unwrap();
        assert_eq!(low(), 3);
        trim_told(&log, 9_000).unwrap();
        assert_eq!(low(), 5);
    }

    #[test]
    fn the_log_loses_only_what_is_in_the_lake_is_old_and_is_not_the_last() {
        let id = |uid: &str, stream: &str| PartitionId::new(uid, stream, 0);
        let cut = BTreeMap::from([
            (id("a#0", "recent"), 100),
            (id("a#0", "quiet"), 50),
            (id("a#1", "recent"), 7),
            (id("b#0", "recent"), 900),
        ]);
        let recent = BTreeMap::from([(id("a#0", "recent"), 40), (id("b#0", "recent"), 800)]);
        let begun = trimmable(&BTreeMap::from([(id("a#1", "recent"), 100)]), &recent, "a#1", true);
        assert_eq!(begun[0].1, 40, "what was read under the generation before is as recent as it was");
        let trimmed: BTreeMap<_, _> = trimmable(&cut, &recent, "a#0", true)
            .into_iter()
            .map(|(partition, below)| (partition.stream.to_string(), below))
            .collect();
        let expected = BTreeMap::from([("recent".to_owned(), 40), ("quiet".to_owned(), 49)]);
        assert_eq!(trimmed, expected, "another log, or another generation of this one, is another partition");
        let quiet = trimmable(&cut, &recent, "a#0", false).into_iter().find(|(of, _)| &*of.stream == "quiet");
        assert_eq!(
            quiet.map(|(_, below)| below),
            Some(50),
            "the last word of a quiet agency may be about who was erased"
        );
    }
}
