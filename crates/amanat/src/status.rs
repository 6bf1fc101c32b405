//! `amanat status`: per partition lag, freshness, what was set aside beside its limit, claim and owner; what stands still and
//! why; bytes, outcomes, maintenance, editions. Reads beside a running `up`, and writes nothing.
//!
//! Halts that positions tell are worked out here, by the rules by which a worker halts. What only a worker sees (a message that
//! cannot be accepted, another worker's claim) it has written down ([`crate::standing`]); that holds while the partition has
//! not moved.
//!
//! In reading order: `report` (what is told), `log` (what only the log knows), `text` (how a person sees it). Costs: each Parquet
//! file of the lake is read once, five small columns of it; of the log the ends, and one record of each partition that lags.

mod log;
mod report;
mod text;

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::time::Duration;

use chrono::{DateTime, Utc};
use eventlog::{FILE_UID_PREFIX, Watermarks};
use ingest::{Allowance, Halt, Leeway, Outcome, Outcomes};
use lake::{Events, EventsSnapshot, LakeError, PartitionId};
use policy::OnReject;

use crate::cli::StatusArgs;
use crate::config::Config;
use crate::data_dir::{DataDir, unusable};
use crate::exit;
use crate::standing::{self, Process, Standing};
use log::Log;
use report::{Bytes, Owner, Row, SetAside, Status, Totals};

/// Newest commits that are searched for who made a claim: some minutes of a busy lake, days of a quiet one.
const COMMITS: u64 = 1_000;

/// Prints the status, once or again and again.
pub fn run(config: Config, args: StatusArgs) -> anyhow::Result<()> {
    let dir = DataDir::open(&config)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let mut look = Look { log: Log::new(&config, &dir), dir: &dir, outcomes: Outcomes::default() };
    loop {
        let status = runtime.block_on(look.at(Utc::now()))?;
        let shown = if args.json { format!("{}\n", serde_json::to_string(&status)?) } else { text::of(&status) };
        let Some(seconds) = args.watch else { return exit::print(&shown) };
        let redraws = !args.json && std::io::stdout().is_terminal();
        exit::print(&if redraws { format!("\x1b[2J\x1b[H{shown}") } else { shown })?;
        std::thread::sleep(Duration::from_secs(seconds));
    }
}

/// Whoever looks: what was counted before is not counted again.
struct Look<'a> {
    dir: &'a DataDir,
    log: Log<'a>,
    outcomes: Outcomes,
}

/// What the lake says at one version.
#[derive(Default)]
struct InLake {
    events: Option<Events>,
    next: BTreeMap<PartitionId, i64>,
    outcomes: BTreeMap<PartitionId, Outcome>,
    bytes: Bytes,
}

impl Look<'_> {
    /// The lake first and the log afterwards: it only grows, so what is read is never past its end.
    async fn at(&mut self, now: DateTime<Utc>) -> anyhow::Result<Status> {
        let (lake, snapshot) = self.lake().await?;
        let (log, log_away) = match self.log.ends() {
            Ok(ends) => (ends, None),
            // The rest is still shown.
            Err(error) => (BTreeMap::new(), Some(error.to_string())),
        };
        let mut partitions: BTreeMap<PartitionId, Ends> =
            log.into_iter().map(|(id, log)| (id, Ends { log, next: None })).collect();
        for (id, next) in &lake.next {
            partitions.entry(id.clone()).or_default().next = Some(*next);
        }
        let mut rows = self.rows(&partitions, &lake, now).await?;
        if let Some(snapshot) = snapshot {
            let mut used = self.set_aside(&lake, &snapshot, partitions.keys()).await?;
            for (row, id) in rows.iter_mut().zip(partitions.keys()) {
                row.set_aside = used.remove(id);
            }
        }
        let maintenance = lake::maintain::Status::read(&self.dir.store).await?;
        let editions = lake::Published::open(&self.dir.store).numbers().await?;
        Ok(Status {
            at: report::time(now),
            store: if self.dir.is_sample() { "sample (synthetic)" } else { "real" },
            lake_version: lake.events.as_ref().map(Events::lake_version),
            log_away,
            totals: Totals::of(&rows),
            halted: rows.iter().filter(|row| row.halt.is_some()).count(),
            partitions: rows,
            counts: report::counts(lake.outcomes.values()),
            bytes: lake.bytes,
            maintenance,
            editions: serde_json::to_value(editions)?,
        })
    }

    async fn lake(&mut self) -> anyhow::Result<(InLake, Option<EventsSnapshot>)> {
        let Some(events) = events(self.dir).await? else { return Ok((InLake::default(), None)) };
        let snapshot = events.snapshot()?;
        let outcomes = self.outcomes.look(&snapshot).await?;
        let (next, bytes) = (snapshot.cut.clone(), Bytes::of(&snapshot.files));
        Ok((InLake { events: Some(events), next, outcomes, bytes }, Some(snapshot)))
    }

    async fn rows(
        &mut self,
        partitions: &BTreeMap<PartitionId, Ends>,
        lake: &InLake,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Vec<Row>> {
        let lagging = partitions.iter().filter_map(|(id, ends)| Some((id.clone(), ends.first_unread()?))).collect();
        let unread_ms = self.log.times(&lagging);
        let owners = match &lake.events {
            Some(events) => events.owners(partitions.keys(), COMMITS).await?,
            None => BTreeMap::new(),
        };
        let (seen, processes) = (standing::read(&self.dir.path), standing::processes(&self.dir.path));
        let row = |(id, ends): (&PartitionId, &Ends)| {
            let (reason, why) = why(id, *ends, partitions, &seen).unzip();
            let waits = reason.as_deref() == Some(Standing::WAITING);
            let (waiting, halt) = if waits { (why, None) } else { (None, why) };
            let oldest = match ends.lag() {
                Some(0) => Some(0.0),
                _ => unread_ms.get(id).map(|ms| report::age_seconds(now, ms.saturating_mul(1000))),
            };
            let last = lake.outcomes.get(id).and_then(|outcome| outcome.last_ingested_us);
            let claim = lake.events.as_ref().and_then(|events| events.claim_of(id));
            Row {
                agency: report::agency(id).map(str::to_owned),
                log_stream: id.log_stream.to_string(),
                partition: id.partition,
                in_log: ends.log.map(|marks| marks.high),
                in_lake: ends.next,
                lag: ends.lag(),
                oldest_unread_age_seconds: oldest,
                last_ingested_at: last.and_then(DateTime::from_timestamp_micros).map(report::time),
                last_ingested_age_seconds: last.map(|us| report::age_seconds(now, us)),
                set_aside: None,
                claim,
                owner: owner(id, claim, &owners, &processes),
                reason,
                halt,
                waiting,
            }
        };
        Ok(partitions.iter().map(row).collect())
    }

    /// How much of what they may set aside partitions have used; those absent of which nothing is in the lake.
    async fn set_aside<'a>(
        &self,
        lake: &InLake,
        snapshot: &EventsSnapshot,
        partitions: impl Iterator<Item = &'a PartitionId>,
    ) -> anyhow::Result<BTreeMap<PartitionId, SetAside>> {
        let Some(events) = &lake.events else { return Ok(BTreeMap::new()) };
        let allowance = |id: &PartitionId| {
            let (rule, permitted) = (self.rule(id), events.permitted(id).unwrap_or(0));
            Some(Allowance { partition: id.clone(), rule, permitted, next: *lake.next.get(id)? })
        };
        let allowances: Vec<_> = partitions.filter_map(allowance).collect();
        let leeways = Leeway::of(snapshot, &allowances).await?;
        let used = |(Allowance { partition, rule, .. }, leeway)| {
            let all = lake.outcomes.get(&partition).cloned().unwrap_or_default();
            (partition, SetAside::of(rule, leeway, &all))
        };
        Ok(allowances.into_iter().zip(leeways).map(used).collect())
    }

    /// What becomes of what cannot be accepted, as the committer has it: a file has no limit, nor has a replay.
    fn rule(&self, id: &PartitionId) -> OnReject {
        if id.log_stream.starts_with(FILE_UID_PREFIX) {
            return OnReject::SetAside;
        }
        report::agency(id).map_or(OnReject::SetAside, |agency| self.dir.policy.agencies.on_reject(agency))
    }
}

/// The table as it is now; None before anything was ingested.
async fn events(dir: &DataDir) -> anyhow::Result<Option<Events>> {
    match Events::open(&dir.store, "status").await {
        Err(LakeError::NoTable(_)) => Ok(None),
        Err(error) => Err(unusable(&dir.path, &error).into()),
        Ok(events) => Ok(Some(events)),
    }
}

/// Who made the claim: by the lake's log, and where that is too far back by what a worker of this data directory says. Which
/// process it is only the latter tells.
fn owner(
    id: &PartitionId,
    claim: Option<i64>,
    owners: &BTreeMap<PartitionId, lake::Owner>,
    processes: &[Process],
) -> Option<Owner> {
    let claim = claim?;
    let holds = |process: &&Process| process.claims.iter().any(|c| c.partition == *id && c.claim == claim);
    let writer_id = match owners.get(id).filter(|owner| owner.claim == claim) {
        Some(owner) => owner.writer_id.clone(),
        None => processes.iter().find(holds)?.writer_id.clone(),
    };
    let process = processes.iter().find(|process| process.writer_id == writer_id);
    Some(Owner { host: process.map(|p| p.host.clone()), pid: process.map(|p| p.pid), writer_id })
}

/// How far a partition goes in the log, and how far the lake has read it.
#[derive(Debug, Clone, Copy, Default)]
struct Ends {
    log: Option<Watermarks>,
    next: Option<i64>,
}

impl Ends {
    /// Messages in the log that are not yet in the lake; never below zero, for a log that ends early has a halt instead.
    fn lag(self) -> Option<i64> {
        self.log.map(|marks| (marks.high - self.next.unwrap_or(marks.low)).max(0))
    }

    /// Where the first message lies that is not in the lake, if there is one.
    fn first_unread(self) -> Option<i64> {
        let low = self.log?.low;
        (self.lag()? > 0).then_some(self.next.unwrap_or(low)).filter(|next| *next >= low)
    }
}

/// Why the partition stands still, as one word and in words.
fn why(id: &PartitionId, ends: Ends, all: &BTreeMap<PartitionId, Ends>, seen: &[Standing]) -> Option<(String, String)> {
    if let Some(halt) = halt(id, ends, all) {
        return Some((halt.reason().to_owned(), halt.to_string()));
    }
    let here = seen.iter().find(|one| one.partition == *id && one.next == ends.next)?;
    Some((here.reason.clone(), here.why.clone()))
}

/// Why a worker would not read on here, as far as positions tell: by the same rules by which it halts.
fn halt(id: &PartitionId, ends: Ends, all: &BTreeMap<PartitionId, Ends>) -> Option<Halt> {
    let marks = ends.log?;
    let Some(wanted) = ends.next else {
        return is_of_another_log(id, all).then_some(Halt::OtherLog);
    };
    if wanted < marks.low {
        return Some(Halt::Deleted { wanted, low: marks.low });
    }
    (wanted > marks.high).then_some(Halt::Truncated { wanted, high: marks.high })
}

/// Whether the lake has rows of this stream, and all of them from other logs. A file is a log of its own.
fn is_of_another_log(id: &PartitionId, all: &BTreeMap<PartitionId, Ends>) -> bool {
    let Some((uid, stream)) = id.log_stream.rsplit_once('/') else { return false };
    let mut known = all
        .iter()
        .filter(|(_, ends)| ends.next.is_some())
        .filter_map(|(other, _)| other.log_stream.rsplit_once('/'))
        .filter(|(of, same)| *same == stream && !of.starts_with("file-"))
        .peekable();
    known.peek().is_some() && known.all(|(of, _)| of != uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Log, its low and high, next offset of the lake.
    type Known<'a> = (&'a str, Option<(i64, i64)>, Option<i64>);

    fn all(known: &[Known<'_>]) -> BTreeMap<PartitionId, Ends> {
        let ends = |log: Option<(i64, i64)>, next| Ends { log: log.map(|(low, high)| Watermarks { low, high }), next };
        known.iter().map(|(name, log, next)| (PartitionId::new(name, "s", 0), ends(*log, *next))).collect()
    }

    fn why(known: &[Known<'_>]) -> Option<Halt> {
        let all = all(known);
        let (id, ends) = all.iter().find(|(_, ends)| ends.log.is_some()).expect("one is in the log");
        halt(id, *ends, &all)
    }

    #[test]
    fn a_log_that_ends_or_begins_elsewhere_than_the_lake_has_read_is_a_halt() {
        assert_eq!(why(&[("a", Some((0, 5)), Some(5))]), None);
        assert_eq!(why(&[("a", Some((0, 5)), None)]), None);
        assert_eq!(why(&[("a", Some((0, 5)), Some(7))]), Some(Halt::Truncated { wanted: 7, high: 5 }));
        assert_eq!(why(&[("a", Some((4, 5)), Some(2))]), Some(Halt::Deleted { wanted: 2, low: 4 }));
    }

    #[test]
    fn what_a_worker_has_seen_holds_while_the_partition_has_not_moved() {
        let all = all(&[("a", Some((0, 9)), Some(5))]);
        let (id, ends) = all.first_key_value().expect("there is one");
        let seen = |next| Standing { partition: id.clone(), next, reason: "rejected".into(), why: "because".into() };
        let reason = |seen: &[Standing]| super::why(id, *ends, &all, seen).map(|(reason, _)| reason);
        assert_eq!(reason(&[seen(Some(5))]).as_deref(), Some("rejected"));
        assert_eq!(reason(&[seen(Some(4)), seen(None)]), None);
    }

    #[test]
    fn a_stream_known_from_another_log_alone_is_a_halt_and_a_file_is_no_other_log() {
        assert_eq!(why(&[("a", None, Some(7)), ("b", Some((0, 5)), None)]), Some(Halt::OtherLog));
        assert_eq!(why(&[("file-1", None, Some(7)), ("b", Some((0, 5)), None)]), None);
        assert_eq!(why(&[("a", None, Some(7)), ("b", Some((0, 5)), Some(5))]), None);
    }
}
