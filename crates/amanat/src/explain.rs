//! `amanat explain-number`: which kinds of events moved a published number between two editions.
//!
//! The facts below the cut of the earlier edition are folded, then those of one kind more at a time that lie below the cut of the
//! later one, then all of them as of the later one's day. What each step does to the cell is told, as far as it may be ([`Moved`]). Steps
//! add up: what two kinds do together is told with the later of them.
//!
//! It needs the data directory; nothing of it is reachable over the network.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use chrono::NaiveDate;
use disclosure::Vault;
use events::EventType;
use futures::TryStreamExt;
use lake::{EditionInfo, Events, EventsSnapshot, PartitionId, Published};
use models::edition::{Cell, Counted, DIMENSIONS, Manifest, Moved, NoCell, count};
use models::stage::Also;
use models::{Orders, RefreshOptions};
use serde_json::{Value, json};

use crate::cli::ExplainNumberArgs;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::edition::{existing, refresh_once};
use crate::exit::{self, Failure};
use crate::progress;

use EventType as E;

/// Kinds of events that are told of together, in the order in which they are added. What only says when to report moves nothing, and an
/// erasure holds at any cut: that there was one is told beside them.
const KINDS: &[(&str, &[EventType])] = &[
    ("identifications of victims", &[E::VictimIdentified]),
    ("determinations of status", &[E::VictimStatusDetermined]),
    ("referrals and services", &[E::VictimReferred, E::ServiceStarted, E::ServiceEnded, E::ReferralActedOn]),
    ("returns and reintegration", &[E::VictimReturned, E::ReintegrationAssisted]),
    ("cases", &[E::CaseRegistered, E::CaseTransferred, E::CaseLinked, E::CaseStageChanged]),
    ("accused persons", &[E::AccusedIdentified, E::AccusedArrested]),
    ("charges and their withdrawal", &[E::ChargeFiled, E::ChargeWithdrawn]),
    ("judgments and appeals", &[E::JudgmentDelivered, E::AppealDecided]),
    ("compensation", &[E::CompensationOrdered, E::CompensationPaid]),
    ("inspections and releases", &[E::InspectionConducted, E::InspectionReferred, E::WorkerReleased]),
    ("contacts and activities", &[E::ContactReceived, E::ActivityHeld]),
    ("corrections", &[E::RecordCorrected]),
    ("retractions", &[E::RecordRetracted]),
    ("which content of an event counts", &[E::ConflictDecided]),
    ("who is one person", &[E::PersonsMerged, E::PersonsSplit, E::PersonsDoubted, E::TokensRotated]),
];

/// Beside the steps, which count nobody who was erased.
const ERASED: &str = "who was erased";

/// The step after all kinds.
const LATER_DAY: &str = "the later day of which the edition speaks";

/// Runs `amanat explain-number`.
pub fn run(config: Config, args: ExplainNumberArgs) -> anyhow::Result<()> {
    let dir = DataDir::open(&config)?;
    let (mut cell, mut period) = (BTreeMap::new(), None);
    let mut measure = None;
    for (name, code) in args.cell {
        match name.as_str() {
            "time_period" => period = Some(code),
            "measure" => measure = Some(code),
            _ => _ = cell.insert(name, code),
        }
    }
    let time_period =
        period.ok_or_else(|| Failure::Usage("time_period is needed, such as time_period=2025".to_owned()))?;
    let cell = Cell { indicator: args.indicator, measure, time_period, dimensions: cell };
    let [one, other] = args.edition[..] else {
        return Err(Failure::Usage("two editions are expected: --edition 1 --edition 2".to_owned()).into());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let explained = runtime.block_on(explain(&dir, &cell, one.min(other), one.max(other)))?;
    exit::print(&if args.json { explained.as_json() } else { explained.as_text() })
}

/// What was published, and what moved it.
struct Explained {
    published: [Value; 2],
    /// Kinds of events that came between, and what each did.
    steps: Vec<(&'static str, Moved)>,
    /// What else is not as it was.
    changed: Vec<&'static str>,
}

async fn explain(dir: &DataDir, cell: &Cell, earlier: i64, later: i64) -> anyhow::Result<Explained> {
    let (from, to) = (existing(dir, earlier).await?, existing(dir, later).await?);
    let bar = progress::spinner("folding");
    let events = Events::open(&dir.store, "explain").await?.snapshot()?;
    let came = came_between(&events, &Manifest::below(&from.manifest), &Manifest::below(&to.manifest)).await?;
    let states = States { dir, cell, vault: Vault::forgetful(dir.policy.clone(), &dir.keys) };
    let (day, last_day) = (as_of(&from)?, as_of(&to)?);
    let mut before = states.count(Manifest::below(&from.manifest), None, day).await?;
    let (mut steps, mut kinds) = (Vec::new(), Vec::new());
    for (name, of) in KINDS.iter().filter(|(_, of)| of.iter().any(|kind| came.contains(kind))) {
        kinds.extend_from_slice(of);
        let also = Also { below: Manifest::below(&to.manifest), kinds: kinds.clone() };
        let after = states.count(Manifest::below(&from.manifest), Some(also), day).await?;
        steps.push((*name, before.moved_to(after)));
        before = after;
        bar.inc(1);
    }
    let all = states.count(Manifest::below(&to.manifest), None, last_day).await?;
    if day != last_day {
        steps.push((LATER_DAY, before.moved_to(all)));
    }
    bar.finish_and_clear();
    let published = [published(dir, &from, cell).await?, published(dir, &to, cell).await?];
    let orders = Orders::of(&events, &dir.keys).await?;
    let mut changed = changed(&from, &to);
    if orders.beyond(&Manifest::below(&from.manifest)) > orders.beyond(&Manifest::below(&to.manifest)) {
        changed.push(ERASED);
    }
    Ok(Explained { published, steps, changed })
}

fn as_of(info: &EditionInfo) -> anyhow::Result<NaiveDate> {
    Manifest::as_of_of(&info.manifest).context("the edition's manifest has no date")
}

/// What an edition follows from beside events, where it is other than in the earlier one.
fn changed(from: &EditionInfo, to: &EditionInfo) -> Vec<&'static str> {
    let parts = [("sql", "the rules of counting (sql/)"), ("policy", "the policy"), ("methodology", "the methodology")];
    parts.iter().filter(|(key, _)| from.manifest[key] != to.manifest[key]).map(|(_, name)| *name).collect()
}

/// States of what was known, and the cell that is counted in them.
struct States<'a> {
    dir: &'a DataDir,
    cell: &'a Cell,
    /// It remembers nothing: nothing is released here.
    vault: Vault,
}

impl States<'_> {
    async fn count(
        &self,
        cut: BTreeMap<PartitionId, i64>,
        also: Option<Also>,
        as_of: NaiveDate,
    ) -> anyhow::Result<Counted> {
        let options = RefreshOptions { below: Some(cut), also, ..RefreshOptions::default() };
        let (snapshot, _) = refresh_once(self.dir, options).await?;
        count(&snapshot.source(&self.dir.policy), &self.vault, as_of, self.cell).map_err(|error| match error {
            NoCell::Edition(error) => error.into(),
            named => Failure::Usage(named.to_string()).into(),
        })
    }
}

/// Types of the events between two cuts.
async fn came_between(
    events: &EventsSnapshot,
    from: &BTreeMap<PartitionId, i64>,
    to: &BTreeMap<PartitionId, i64>,
) -> anyhow::Result<BTreeSet<EventType>> {
    let mut kinds = BTreeSet::new();
    for (partition, end) in to {
        let start = from.get(partition).copied().unwrap_or(0);
        let mut batches = events.scan_partition(partition, start, &["event_type", "log_offset"])?;
        while let Some(rows) = batches.try_next().await? {
            let names = cast(rows.column(0), &DataType::Utf8)?;
            let offsets = rows.column(1).as_primitive::<Int64Type>().values();
            let within = names.as_string::<i32>().iter().zip(offsets).filter(|(_, offset)| *offset < end);
            kinds.extend(within.filter_map(|(name, _)| EventType::from_name(name?)));
        }
    }
    Ok(kinds)
}

/// What an edition says of the cell.
async fn published(dir: &DataDir, info: &EditionInfo, cell: &Cell) -> anyhow::Result<Value> {
    let mut found = json!({"edition": info.edition, "as_of": info.manifest["as_of"], "value": null});
    for rows in Published::open(&dir.store).read(info.edition).await? {
        if let Some(row) = row_of(&rows, cell)? {
            for column in ["value", "lo95", "hi95", "obs_status"] {
                found[column] = text(&rows, column, row)?.into();
            }
        }
    }
    Ok(found)
}

fn row_of(rows: &RecordBatch, cell: &Cell) -> anyhow::Result<Option<usize>> {
    let mut wanted = vec![("indicator", cell.indicator.as_str()), ("time_period", cell.time_period.as_str())];
    wanted.extend(cell.measure.iter().map(|measure| ("measure", measure.as_str())));
    let columns: Vec<_> =
        wanted.iter().map(|(name, code)| Ok((texts(rows, name)?, *code))).collect::<Result<_, anyhow::Error>>()?;
    // An edition that is older than a dimension does not have its column: it applied to nothing there.
    let is_there = |name: &&&str| rows.column_by_name(name).is_some() || cell.dimensions.contains_key(**name);
    let dimensions: Vec<_> = DIMENSIONS
        .iter()
        .filter(is_there)
        .map(|name| Ok((texts(rows, name)?, cell.dimensions.get(*name))))
        .collect::<Result<_, anyhow::Error>>()?;
    let is_it = |row: &usize| {
        let at = |column: &arrow::array::ArrayRef| column.as_string::<i32>().value(*row).to_owned();
        let total = |code: String| matches!(code.as_str(), "_T" | "_Z");
        columns.iter().all(|(column, code)| at(column) == *code)
            && dimensions
                .iter()
                .all(|(column, code)| code.map_or_else(|| total(at(column)), |code| at(column) == *code))
    };
    Ok((0..rows.num_rows()).find(is_it))
}

fn texts(rows: &RecordBatch, name: &str) -> anyhow::Result<arrow::array::ArrayRef> {
    let column = rows.column_by_name(name).with_context(|| format!("an edition has no column {name}"))?;
    Ok(cast(column, &DataType::Utf8)?)
}

/// A value as people write it: no zeros after the point.
fn text(rows: &RecordBatch, name: &str, row: usize) -> anyhow::Result<Option<String>> {
    let column = texts(rows, name)?;
    let column = column.as_string::<i32>();
    let shown = column.iter().nth(row).flatten();
    let trimmed = |text: &str| {
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
    };
    Ok(shown.map(trimmed))
}

impl Explained {
    fn as_json(&self) -> String {
        let steps: Vec<Value> =
            self.steps.iter().map(|(kind, moved)| json!({"kind": kind, "moved": said(*moved)})).collect();
        let [from, to] = &self.published;
        format!("{}\n", json!({"from": from, "to": to, "steps": steps, "also_changed": self.changed}))
    }

    fn as_text(&self) -> String {
        let mut out = String::new();
        for published in &self.published {
            let part = |key: &str| published[key].as_str().map(str::to_owned);
            let value = part("value").unwrap_or_else(|| "not shown".to_owned());
            let interval = part("lo95").zip(part("hi95")).map_or(String::new(), |(lo, hi)| format!(" ({lo} to {hi})"));
            let (edition, as_of) = (&published["edition"], part("as_of").unwrap_or_default());
            out.push_str(&format!("edition {edition}, as of {as_of}: {value}{interval}\n"));
        }
        if self.steps.is_empty() {
            out.push_str("no event came between them\n");
        }
        for (kind, moved) in &self.steps {
            out.push_str(&format!("  {kind:<42} {}\n", said(*moved)));
        }
        for changed in &self.changed {
            out.push_str(&format!("  {changed}: other than then; both are counted by those of today here\n"));
        }
        out
    }
}

fn said(moved: Moved) -> String {
    match moved {
        Moved::Little => "by fewer than 11, perhaps by none".to_owned(),
        Moved::Between { up, least, below } => {
            let way = if up { "up" } else { "down" };
            below.map_or(format!("{way} by {least} or more"), |below| format!("{way} by {least} to {}", below - 1))
        }
        Moved::Exactly(0) => "not moved".to_owned(),
        Moved::Exactly(by) => format!("{} by {}", if by > 0 { "up" } else { "down" }, by.unsigned_abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_that_can_move_a_number_is_of_one_kind() {
        let idle = [
            E::ReportExpected,
            E::ReportNil,
            E::PersonsDecided,
            E::PersonErasureOrdered,
            // Reference data count nobody: a rate follows its numerator here.
            E::AreaDeclared,
            E::AreaChanged,
            E::PopulationCounted,
            E::CourtDeclared,
            E::AgencyDeclared,
            E::CodeDeclared,
        ];
        for kind in EventType::ALL.iter().filter(|kind| !idle.contains(kind)) {
            let of = KINDS.iter().filter(|(_, kinds)| kinds.contains(kind)).count();
            assert_eq!(of, 1, "{kind}");
        }
    }
}
