//! `amanat reset`: an operator moves the next offset of a partition, with a name and a reason (ingestion.md 3.13).
//!
//! Forward, what lies between is skipped: one commit, which a running worker notices. Backward, a new generation of the log begins:
//! the claims of the old one are taken, so that nobody writes there any more, and one commit says where each partition of the new
//! one starts. Only then the log itself is raised; a reset that was stopped in between is finished by the next one.

use std::io::{IsTerminal, Write};

use eventlog::{EventSource, Partition, Watermarks};
use lake::{Events, EventsSnapshot, LakeError, Move, Outcome, PartitionId, Reset};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::cli::ResetArgs;
use crate::config::{Config, LogKind};
use crate::data_dir::{DataDir, log_failure, unusable};
use crate::exit::{self, Failure};

/// Says what would happen, asks, and does it.
pub fn run(config: Config, args: ResetArgs) -> anyhow::Result<()> {
    for (name, text) in [("--reason", &args.reason), ("--operator", &args.operator)] {
        if text.trim().is_empty() {
            return Err(Failure::Usage(format!("{name} must say something: it is kept with what was done")).into());
        }
    }
    let dir = DataDir::open(&config)?;
    let mut source = dir.source(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut events = match Events::open(&dir.store, &format!("reset-{}", Uuid::new_v4().simple())).await {
            Err(LakeError::NoTable(_)) => {
                return Err(Failure::Usage("nothing was ingested yet: there is no offset to move".into()).into());
            }
            opened => opened.map_err(|error| unusable(&dir.path, &error))?,
        };
        if let Some(prepared) = prepared(&events.snapshot()?, source.source_uid()) {
            return finish(&config, &dir, prepared, &args);
        }
        let plan = Plan::make(&mut *source, &events.snapshot()?, &args)?;
        if args.dry_run || plan.way == Way::Nowhere {
            return exit::print(&plan.said(args.json, false));
        }
        permitted(&plan.said(false, false), args.yes)?;
        match plan.way {
            Way::Skip { .. } => skip(&mut events, &plan, &args).await?,
            _ => begin_generation(&config, &dir, &mut *source, &mut events, &plan, &args).await?,
        }
        exit::print(&plan.said(args.json, true))?;
        if matches!(plan.way, Way::Again { .. }) {
            exit::note(&what_is_left(&config, plan.generation + 1));
        }
        Ok(())
    })
}

/// What a reset would do.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    partition: Partition,
    id: PartitionId,
    /// The next offset now; `None` = never read.
    next: Option<i64>,
    marks: Watermarks,
    to: i64,
    generation: u32,
    way: Way,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It stands there already.
    Nowhere,
    /// Forward: so many messages of the log become no rows.
    Skip { events: i64 },
    /// Backward: so many are read again.
    Again { events: i64 },
}

impl Plan {
    fn make(source: &mut dyn EventSource, snapshot: &EventsSnapshot, args: &ResetArgs) -> anyhow::Result<Self> {
        let partition = find(source, &args.partition)?;
        let marks = source.watermarks(&partition).map_err(log_failure)?;
        let uid = source.source_uid();
        let (_, generation) = generation_of(uid)?;
        let id = PartitionId::new(uid, &partition.stream, partition.number);
        let next = snapshot.cut.get(&id).copied();
        let to = offset(&args.to, marks)?;
        let stands = next.unwrap_or(marks.low);
        let way = match to {
            to if to == stands => Way::Nowhere,
            to if to > stands => Way::Skip { events: to - stands.max(marks.low) },
            to => Way::Again { events: stands - to },
        };
        Ok(Self { partition, id, next, marks, to, generation, way })
    }

    fn said(&self, as_json: bool, done: bool) -> String {
        let (what, events) = match self.way {
            Way::Nowhere => ("nothing", 0),
            Way::Skip { events } => ("skip", events),
            Way::Again { events } => ("read_again", events),
        };
        let generation = matches!(self.way, Way::Again { .. }).then_some(self.generation + 1);
        if as_json {
            let log = json!({ "low": self.marks.low, "high": self.marks.high });
            let report = json!({
                "partition": self.id.to_string(), "next": self.next, "to": self.to, "log": log, "way": what,
                "events": events, "generation": generation, "done": done
            });
            return format!("{report}\n");
        }
        let next = self.next.map_or_else(|| "never read".to_owned(), |next| format!("next offset {next}"));
        let would = |done_text: &'static str, text: &'static str| if done { done_text } else { text };
        let (low, high) = (self.marks.low, self.marks.high);
        let first = format!("{}: {next}; the log holds {low} to {high}\n", self.id);
        first
            + &match self.way {
                Way::Nowhere => format!("it stands at {} already: nothing to do\n", self.to),
                Way::Skip { events } => format!(
                    "{events} event(s) {} skipped: offsets {} to {} become no rows; {} is next\n",
                    would("were", "would be"),
                    self.next.unwrap_or(low),
                    self.to - 1,
                    self.to
                ),
                Way::Again { events } => format!(
                    "{events} event(s) {} read again, from offset {} on, in generation {} of the log; those that are in the lake \
                     become duplicates\n",
                    would("are", "would be"),
                    self.to,
                    self.generation + 1
                ),
            }
    }
}

/// The partition of this name in the log.
fn find(source: &mut dyn EventSource, name: &str) -> anyhow::Result<Partition> {
    let all = source.partitions().map_err(log_failure)?;
    if let Some(found) = all.iter().find(|partition| partition.to_string() == name) {
        return Ok(found.clone());
    }
    let names: Vec<String> = all.iter().map(|partition| format!("\n  {partition}")).collect();
    Err(Failure::Usage(format!("the log has no partition {name}; it has:{}", names.concat())).into())
}

fn offset(text: &str, marks: Watermarks) -> Result<i64, Failure> {
    let to = match text {
        "earliest" => marks.low,
        "latest" => marks.high,
        number => number
            .parse()
            .map_err(|_| Failure::Usage(format!("--to {number}: an offset, `earliest` or `latest` is expected")))?,
    };
    if (marks.low..=marks.high).contains(&to) {
        return Ok(to);
    }
    let Watermarks { low, high } = marks;
    Err(Failure::Usage(format!("--to {to}: the log holds offsets {low} to {high} of this partition")))
}

/// The log and the generation in a source's uid.
fn generation_of(uid: &str) -> anyhow::Result<(&str, u32)> {
    let parsed = uid.rsplit_once('#').and_then(|(log, number)| Some((log, number.parse().ok()?)));
    parsed.ok_or_else(|| Failure::Usage(format!("the log {uid} has no generations")).into())
}

/// A person at the terminal agrees, or said so beforehand.
fn permitted(what: &str, yes: bool) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(format!(
            "{what}nobody can be asked here: look at it with --dry-run, and say --yes if it is meant"
        ))
        .into());
    }
    write!(std::io::stderr(), "{what}Type `yes` to do it: ")?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    if answer.trim() == "yes" { Ok(()) } else { Err(Failure::Refused("nothing was changed".into()).into()) }
}

async fn skip(events: &mut Events, plan: &Plan, args: &ResetArgs) -> anyhow::Result<()> {
    let moves = vec![Move { partition: plan.id.clone(), from: plan.next, to: plan.to }];
    commit(events, moves, args).await
}

/// The claims first: what the workers of the old generation have not committed by then they never will, so the offsets read
/// afterwards are where the new one starts.
async fn begin_generation(
    config: &Config,
    dir: &DataDir,
    source: &mut dyn EventSource,
    events: &mut Events,
    plan: &Plan,
    args: &ResetArgs,
) -> anyhow::Result<()> {
    let (log, uid) = (generation_of(source.source_uid())?.0.to_owned(), source.source_uid().to_owned());
    let all = source.partitions().map_err(log_failure)?;
    let old = |of: &Partition| PartitionId::new(&uid, &of.stream, of.number);
    let known: Vec<PartitionId> = all.iter().map(old).filter(|id| events.next_offset(id).is_some()).collect();
    events.claim(&known).await?;
    let next = events.next_offsets(&known).await?;
    let new = format!("{log}#{}", plan.generation + 1);
    let begins = |of: &Partition| {
        let to = if *of == plan.partition { Some(plan.to) } else { next.get(&old(of)).copied().flatten() };
        Some(Move { partition: PartitionId::new(&new, &of.stream, of.number), from: None, to: to? })
    };
    commit(events, all.iter().filter_map(begins).collect(), args).await?;
    raise(config, dir, plan.generation + 1)
}

async fn commit(events: &mut Events, moves: Vec<Move>, args: &ResetArgs) -> anyhow::Result<()> {
    let (operator, reason) = (args.operator.clone(), args.reason.clone());
    match events.reset(&Reset { id: Uuid::new_v4(), moves, operator, reason }).await? {
        Outcome::Committed { .. } => Ok(()),
        Outcome::Moved { partition, seen } => Err(Failure::Unavailable(format!(
            "{partition} has gone on to offset {} meanwhile and nothing was changed: look again with --dry-run",
            seen.unwrap_or(0)
        ))
        .into()),
        Outcome::Fenced { partition, .. } => Err(anyhow::anyhow!("{partition} was claimed, which stops no reset")),
    }
}

/// Kafka's generation is a setting, which the operator makes.
fn raise(config: &Config, dir: &DataDir, generation: u32) -> anyhow::Result<()> {
    if config.log.kind == LogKind::Sqlite {
        dir.embedded()?.raise_generation(generation).map_err(log_failure)?;
    }
    Ok(())
}

/// The generation that a reset has begun in the lake and the log does not have yet.
fn prepared(snapshot: &EventsSnapshot, uid: &str) -> Option<u32> {
    let (log, generation) = generation_of(uid).ok()?;
    let of_log = |id: &PartitionId| {
        let (uid, _) = id.log_stream.rsplit_once('/')?;
        generation_of(uid).ok().filter(|(other, _)| *other == log).map(|(_, number)| number)
    };
    snapshot.cut.keys().filter_map(of_log).max().filter(|number| *number > generation)
}

/// A reset was stopped, or its setting was not made: what it decided stands, and is finished here.
fn finish(config: &Config, dir: &DataDir, generation: u32, args: &ResetArgs) -> anyhow::Result<()> {
    let said = |done: bool| {
        let report: Value = json!({ "way": "finish", "generation": generation, "done": done });
        let is = if done { "is" } else { "would be" };
        let text = format!(
            "generation {generation} of the log was begun by an earlier reset, which {is} finished; nothing else is moved\n"
        );
        if args.json { format!("{report}\n") } else { text }
    };
    if args.dry_run {
        return exit::print(&said(false));
    }
    permitted(&said(false), args.yes)?;
    raise(config, dir, generation)?;
    exit::print(&said(true))?;
    exit::note(&what_is_left(config, generation));
    Ok(())
}

fn what_is_left(config: &Config, generation: u32) -> String {
    match config.log.kind {
        LogKind::Sqlite => "start the workers (`amanat up`) again: those that run stand still, fenced".to_owned(),
        LogKind::Kafka => format!(
            "set `log.generation = {generation}` for every worker and start them again: until then they stand still"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_must_be_one_that_the_log_holds() {
        let marks = Watermarks { low: 3, high: 9 };
        assert_eq!(offset("earliest", marks).unwrap(), 3);
        assert_eq!(offset("latest", marks).unwrap(), 9);
        assert_eq!(offset("4", marks).unwrap(), 4);
        assert!(offset("2", marks).unwrap_err().to_string().contains("3 to 9"));
        assert!(offset("soon", marks).unwrap_err().to_string().contains("`latest`"));
    }

    #[test]
    fn a_plan_says_how_many_events_would_be_skipped_or_read_again() {
        let plan = |next, to, way| Plan {
            partition: Partition::new("tip.events.FIA.v1", 0),
            id: PartitionId::new("log#0", "tip.events.FIA.v1", 0),
            next,
            marks: Watermarks { low: 0, high: 9 },
            to,
            generation: 0,
            way,
        };
        let skip = plan(Some(4), 7, Way::Skip { events: 3 }).said(false, false);
        assert!(skip.contains("3 event(s) would be skipped: offsets 4 to 6 become no rows; 7 is next"), "{skip}");
        let again = plan(Some(4), 1, Way::Again { events: 3 }).said(false, false);
        assert!(again.contains("3 event(s) would be read again, from offset 1 on, in generation 1"), "{again}");
        assert!(plan(None, 0, Way::Nowhere).said(false, true).contains("never read"));
    }
}
