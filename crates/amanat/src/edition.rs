//! Snapshots and editions on a data directory: `refresh`, `edition publish|list|show|recompute`, and what readers open.
//!
//! One process refreshes or publishes at a time, by a lock on the directory. Readers need no lock: a Snapshot and an edition
//! never change.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use arrow::array::RecordBatch;
use async_trait::async_trait;
use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use lake::{EditionInfo, Events, LakeError, Published, Store, StoreLock};
use ledger::{Begin, Door, End, Principal};
use models::edition::{self, DIMENSIONS, EditionError, KeptReference, Manifest};
use models::{InUse, RefreshOptions, RefreshReport, Snapshot, SqlSet};
use policy::Policy;
use query::{EditionMeta, EditionSource, ReferenceTable, SourceError};
use serde_json::{Value, json};

use crate::cli::{EditionCommand, RefreshArgs};
use crate::config::Config;
use crate::data_dir::{DataDir, unusable};
use crate::exit::{self, Failure};
use crate::house::House;
use crate::memory;
use crate::progress;
use crate::receipts::Announcer;

/// Pakistan Standard Time, UTC+5 without daylight saving: the day of an edition is a day there.
const KARACHI_SECONDS: i32 = 5 * 3_600;

/// `amanat refresh`.
pub fn refresh(config: Config, args: RefreshArgs) -> anyhow::Result<()> {
    let dir = DataDir::open(&config)?;
    let bar = progress::spinner("refreshing");
    let RefreshArgs { force, thorough, rebuild, .. } = args;
    let options = RefreshOptions { force, thorough, rebuild, ..RefreshOptions::default() };
    let (_, report) = runtime()?.block_on(refresh_once(&dir, options))?;
    bar.finish_and_clear();
    if args.json {
        return exit::print(&format!("{}\n", serde_json::to_string(&report)?));
    }
    exit::print(&summary(&report))?;
    if args.explain { exit::print(&explained(&report)) } else { Ok(()) }
}

/// `amanat edition …`.
pub fn run(config: Config, command: EditionCommand) -> anyhow::Result<()> {
    let dir = DataDir::open(&config)?;
    runtime()?.block_on(async {
        match command {
            EditionCommand::Publish { as_of, embargo } => {
                let bar = progress::spinner("publishing");
                let embargo_until = embargo.map(|until| moment(until.to_utc()));
                let info = publish(&dir, as_of.unwrap_or_else(today), embargo_until).await?;
                bar.finish_and_clear();
                Announcer::of(&info).announce(&config, &dir).await;
                exit::print(&format!("published edition {}: {} rows\n{}", info.edition, info.rows, waits(&dir).await?))
            }
            EditionCommand::List { json } => list(&dir, json).await,
            EditionCommand::Show { edition } => {
                let info = existing(&dir, edition).await?;
                exit::print(&format!("{}\n", serde_json::to_string_pretty(&shown(&info))?))
            }
            EditionCommand::Recompute { edition } => recompute(&dir, edition).await,
        }
    })
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Today in Pakistan.
pub fn today() -> NaiveDate {
    let zone = FixedOffset::east_opt(KARACHI_SECONDS).expect("five hours are an offset");
    DateTime::<Utc>::from(std::time::SystemTime::now()).with_timezone(&zone).date_naive()
}

/// Makes a Snapshot of what the lake holds now, or gives back the last one if it is still right.
pub async fn refresh_once(dir: &DataDir, options: RefreshOptions) -> anyhow::Result<(Snapshot, RefreshReport)> {
    let _lock = dir.lock(StoreLock::REFRESH)?;
    let events = match Events::open(&dir.store, "refresh").await {
        Err(LakeError::NoTable(_)) => {
            return Err(Failure::Refused(
                "nothing has been ingested yet: `amanat up` ingests what is published.".into(),
            )
            .into());
        }
        other => other.map_err(|error| unusable(&dir.path, &error))?,
    };
    // The Snapshot of the latest edition that is released is the one that questions are asked about.
    let latest = released(dir).await?.pop();
    let in_use =
        latest.map(|info| InUse { marts: Manifest::marts_of(&info.manifest), cut: Manifest::below(&info.manifest) });
    let options = RefreshOptions { in_use, ..options };
    Ok(models::refresh(&dir.store, &events.snapshot()?, &dir.policy, &dir.keys, &options).await?)
}

/// Publishes the next edition from a fresh Snapshot.
pub async fn publish(dir: &DataDir, as_of: NaiveDate, embargo_until: Option<String>) -> anyhow::Result<EditionInfo> {
    let (snapshot, _) = refresh_once(dir, RefreshOptions::default()).await?;
    let _lock = dir.lock(StoreLock::REFRESH)?;
    let mut published = Published::open_or_create(&dir.store, &DIMENSIONS).await?;
    let manifest = Manifest { embargo_until, ..manifest(dir, &snapshot, as_of) };
    let source = snapshot.source(&dir.policy);
    let id = uuid::Uuid::new_v4();
    if !memory::is_here(dir).await? {
        let what = "this machine does not hold the vault's memory: publish where vault.db is";
        return Err(Failure::Refused(what.to_owned()).into());
    }
    let mut audit = memory::audit(dir)?;
    if let Some(edition) = published.editions().await?.last() {
        memory::knows(dir, edition)?;
    }
    let vault = memory::vault(dir, &audit)?;
    let begin = audit.begin(asked_by_the_house(dir, as_of))?;
    let done = edition::publish(&mut published, &source, &vault, manifest, today(), id).await;
    let decision = if done.is_ok() { ledger::ANSWERED } else { "refused" };
    audit.end(End { begin, decision: decision.to_owned(), vault_head: vault.head()?, ..End::default() })?;
    done.map_err(refusal)
}

/// An edition is asked of the vault like a question, by the house.
fn asked_by_the_house(dir: &DataDir, as_of: NaiveDate) -> Begin {
    Begin {
        time_ms: DateTime::<Utc>::from(std::time::SystemTime::now()).timestamp_millis(),
        principal: Principal { key_id: "the house".to_owned(), role: "publisher".to_owned() },
        purpose: format!("edition as of {as_of}, policy {}", dir.policy.hash.to_hex()),
        sql: String::new(),
        door: Door::Edition,
    }
}

/// What an edition made of this Snapshot follows from.
fn manifest(dir: &DataDir, snapshot: &Snapshot, as_of: NaiveDate) -> Manifest {
    let cut = snapshot.cut().into_iter().map(|(id, next)| (format!("{}/{}", id.log_stream, id.partition), next));
    Manifest {
        as_of,
        published_at: moment(std::time::SystemTime::now().into()),
        embargo_until: None,
        synthetic: dir.is_sample(),
        cut: cut.collect(),
        lake_version: snapshot.lake_version(),
        marts: snapshot.hashes(),
        reference: KeptReference::default(),
        sql: snapshot.sql_hash().to_owned(),
        policy: snapshot.policy_hash().to_owned(),
        methodology: dir.policy.datasets.methodology().to_owned(),
        key_fingerprint: dir.fingerprint.clone(),
        ledger: Default::default(),
    }
}

/// A moment as manifests have it.
fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// The editions that are released by now, oldest first.
pub async fn released(dir: &DataDir) -> anyhow::Result<Vec<EditionInfo>> {
    let mut editions = Published::open(&dir.store).editions().await?;
    let metas: Vec<EditionMeta> = editions.iter().map(meta).collect();
    editions.truncate(EditionMeta::released(&metas, std::time::SystemTime::now()).len());
    Ok(editions)
}

/// A line about the editions that are not released, where there are any.
async fn waits(dir: &DataDir) -> anyhow::Result<String> {
    let released = released(dir).await?.len();
    let editions = Published::open(&dir.store).editions().await?;
    let Some(waiting) = editions.get(released).map(meta) else { return Ok(String::new()) };
    let (number, until) = (waiting.edition, waiting.embargo_until.unwrap_or_default());
    Ok(match editions.len() - released {
        1 => format!("edition {number} is under embargo until {until}\n"),
        more => format!("edition {number} is under embargo until {until}, and {} after it wait with it\n", more - 1),
    })
}

/// A refusal has its own exit code.
fn refusal(error: EditionError) -> anyhow::Error {
    match error {
        EditionError::SecondInQuarter { .. }
        | EditionError::Undated(_)
        | EditionError::Future { .. }
        | EditionError::Year(_)
        | EditionError::Backward { .. }
        | EditionError::Changed { .. } => Failure::Refused(error.to_string()).into(),
        other => other.into(),
    }
}

pub async fn existing(dir: &DataDir, edition: i64) -> anyhow::Result<EditionInfo> {
    match Published::open(&dir.store).edition(edition).await {
        Err(LakeError::NoEdition(_)) => Err(Failure::Usage(format!(
            "there is no edition {edition}; `amanat edition list` shows those that there are."
        ))
        .into()),
        other => Ok(other?),
    }
}

async fn list(dir: &DataDir, as_json: bool) -> anyhow::Result<()> {
    let editions = Published::open(&dir.store).editions().await?;
    if as_json {
        let all: Vec<Value> = editions.iter().map(shown).collect();
        return exit::print(&format!("{}\n", Value::from(all)));
    }
    if editions.is_empty() {
        return exit::print("no edition yet: `amanat edition publish --as-of DATE` makes the first\n");
    }
    let mut text = if dir.is_sample() { "SYNTHETIC: nobody in these numbers exists\n" } else { "" }.to_owned();
    text += &format!("{:>7}  {:<10}  {:<20}  {:>7}  hash\n", "edition", "as of", "published", "rows");
    for info in &editions {
        let said = |key: &str| info.manifest[key].as_str().unwrap_or("–").to_owned();
        text.push_str(&format!(
            "{:>7}  {:<10}  {:<20}  {:>7}  {}…\n",
            info.edition,
            said("as_of"),
            said("published_at"),
            info.rows,
            info.rows_blake3.get(..16).unwrap_or(&info.rows_blake3)
        ));
    }
    text += &waits(dir).await?;
    exit::print(&text)
}

/// An edition as `show` and `list --json` print it: its manifest, number, rows and their hash. It counts the events of each
/// partition, so it is for the house; readers get [`meta`].
fn shown(info: &EditionInfo) -> Value {
    let mut shown = json!({"edition": info.edition, "rows": info.rows, "hash": info.rows_blake3, "published_version": info.lake_version});
    if let (Some(into), Some(manifest)) = (shown.as_object_mut(), info.manifest.as_object()) {
        into.extend(manifest.clone());
    }
    shown
}

async fn recompute(dir: &DataDir, number: i64) -> anyhow::Result<()> {
    let info = existing(dir, number).await?;
    let as_of = Manifest::as_of_of(&info.manifest).context("the edition's manifest has no date")?;
    check_unchanged(dir, &info, as_of)?;
    let vault = memory::vault_before(dir, &info)?;
    let options = RefreshOptions { below: Some(Manifest::below(&info.manifest)), ..RefreshOptions::default() };
    let (snapshot, _) = refresh_once(dir, options).await?;
    let history = edition::earlier(&mut Published::open(&dir.store), number).await?;
    let found = edition::recompute(&info, &snapshot.source(&dir.policy), &vault, as_of, &history)?;
    let marts = json!(snapshot.hashes()) == info.manifest["marts"];
    if found.equal() && marts {
        return exit::print(&format!("edition {number} recomputed: equal ({})\n", found.recomputed));
    }
    let erased = snapshot.info().erased_since;
    if erased > 0 {
        return exit::print(&format!(
            "edition {number} recomputed: differs, since {erased} person(s) were erased after it was published (published {}, recomputed {}). What was published stays as it is; what is published from now on does not count them.\n",
            found.published, found.recomputed
        ));
    }
    Err(Failure::Refused(format!(
        "edition {number} recomputed: NOT equal (published {}, recomputed {}, marts {}). The events below its cut, or the program, are not what they were.",
        found.published,
        found.recomputed,
        if marts { "equal" } else { "not equal" }
    ))
    .into())
}

/// Refuses before any work when `sql/`, the policy, the methodology or the key is not the one of the edition.
fn check_unchanged(dir: &DataDir, info: &EditionInfo, as_of: NaiveDate) -> anyhow::Result<()> {
    let now = Manifest {
        as_of,
        published_at: String::new(),
        embargo_until: None,
        synthetic: dir.is_sample(),
        cut: BTreeMap::new(),
        lake_version: 0,
        marts: BTreeMap::new(),
        reference: KeptReference::default(),
        sql: SqlSet::embedded().hash().to_hex().to_string(),
        policy: dir.policy.hash.to_hex().to_string(),
        methodology: dir.policy.datasets.methodology().to_owned(),
        key_fingerprint: dir.fingerprint.clone(),
        ledger: Default::default(),
    };
    edition::check_unchanged(info, &now).map_err(refusal)
}

fn summary(report: &RefreshReport) -> String {
    if report.unchanged {
        return format!("nothing new since Snapshot {}\n", report.snapshot);
    }
    let rows: u64 = report.marts.values().map(|mart| mart.rows).sum();
    let folded = match report.records_changed {
        Some(records) => format!("{records} record(s) with new events folded again, and what they touch"),
        None => format!("{} bucket(s) folded", report.buckets),
    };
    format!("Snapshot {}: {} event(s) in {} marts\n", report.snapshot, report.stage.raw, report.marts.len())
        + &format!("  {rows} row(s); staged in {} ms, {folded}\n", report.stage_millis)
}

/// The graph: each table below what it reads, with rows and time.
fn explained(report: &RefreshReport) -> String {
    let mut text = format!("\n{:<22} {:>10} {:>8} {:>8}  {}\n", "table", "rows", "ms", "buckets", "reads");
    for model in &report.models {
        let rows = if model.path.starts_with("staging/") { "view".to_owned() } else { model.rows.to_string() };
        let reads = model.reads.join(", ");
        text.push_str(&format!("{:<22} {rows:>10} {:>8} {:>8}  {reads}\n", model.table, model.millis, model.buckets));
    }
    text
}

/// The lake's editions as the reader sees them.
pub struct LakeEditions(pub Store);

#[async_trait]
impl EditionSource for LakeEditions {
    async fn list(&self) -> Result<Vec<EditionMeta>, SourceError> {
        Ok(Published::open(&self.0).editions().await.map_err(unread)?.iter().map(meta).collect())
    }

    async fn latest(&self) -> Result<Option<u32>, SourceError> {
        Ok(Published::open(&self.0).latest().await.map_err(unread)?.and_then(|number| u32::try_from(number).ok()))
    }

    async fn read(&self, edition: u32) -> Result<Vec<RecordBatch>, SourceError> {
        Published::open(&self.0).read(edition.into()).await.map_err(unread)
    }

    async fn reference(&self, edition: u32) -> Result<Vec<ReferenceTable>, SourceError> {
        let published = Published::open(&self.0);
        let info = published.edition(edition.into()).await.map_err(unread)?;
        let kept = Manifest::reference_of(&info.manifest);
        let mut tables = Vec::with_capacity(kept.tables.len());
        for (name, hash) in kept.tables {
            let (rows, said) = published.reference_at(&name, &kept.version).await.map_err(unread)?;
            let found = lake::canonical::hash(&rows.schema(), std::slice::from_ref(&rows)).map_err(unread)?;
            if found.to_hex().as_str() != hash {
                let what = format!("reference.{name} is not what the edition was made with");
                return Err(SourceError::Malformed { edition, what });
            }
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let columns = said["columns"].as_array().into_iter().flatten();
            let columns = columns.map(|pair| (text(&pair[0]), text(&pair[1]))).collect();
            tables.push(ReferenceTable { description: text(&said["description"]), name, columns, rows });
        }
        Ok(tables)
    }
}

fn unread(error: LakeError) -> SourceError {
    SourceError::Read(Box::new(error))
}

/// What is public about an edition. Its cut is not: it counts the events of each agency.
fn meta(info: &EditionInfo) -> EditionMeta {
    let said = |key: &str| info.manifest[key].as_str().map(str::to_owned);
    EditionMeta {
        edition: u32::try_from(info.edition).unwrap_or(u32::MAX),
        as_of: said("as_of").unwrap_or_default(),
        // Both in UTC, and of one length: the later text is the later moment.
        published_at: said("published_at").max(said("embargo_until")).unwrap_or_default(),
        synthetic: info.manifest["synthetic"] == true,
        methodology: said("methodology"),
        policy_hash: said("policy"),
        sql_hash: said("sql"),
        embargo_until: said("embargo_until"),
    }
}

/// A reader over the editions of a data directory, and over the vault where this machine has it.
pub async fn reader(config: &Config, dir: &DataDir, house: Option<Arc<House>>) -> anyhow::Result<query::Reader> {
    let limits = query::Limits {
        time: std::time::Duration::from_secs(config.sql.time_limit_seconds),
        memory: config.sql.memory_limit_mib << 20,
        rows: config.sql.row_limit,
        ..query::Limits::default()
    };
    let incidents = || uuid::Uuid::new_v4().as_u64_pair().1;
    let access = Arc::new(crate::readers::access(config)?);
    let settings = query::Settings { limits, incidents, access, pace: config.sql.pace(), ..query::Settings::default() };
    let source = Arc::new(LakeEditions(dir.store.clone()));
    let catalogue = crate::catalogue::catalogue(&dir.policy);
    Ok(match house {
        Some(house) => query::Reader::open_with_vault(source, catalogue, settings, house).await?,
        None => query::Reader::open(source, catalogue, settings).await?,
    })
}

/// The policy decides which indicators exist: those whose dataset it has, and rates where it names the territory.
pub fn is_published(indicator: &models::indicator::Indicator, policy: &Policy) -> bool {
    if indicator.rate.as_ref().is_some_and(|rate| !rate.is_of(policy)) {
        return false;
    }
    let of = |id: &str| models::indicator::all().iter().find(|other| other.id == id);
    let counts = |indicator: &models::indicator::Indicator| indicator.tables.iter().any(|table| table.is_known(policy));
    // What compares editions compares whatever they have.
    counts(indicator) || !indicator.revisions.is_empty() || indicator.made_of().into_iter().filter_map(of).any(counts)
}

/// What the declared grids of a policy use of what may be asked, in order. Refused where less than half of a counter is left
/// for questions (privacy.md 6.8, 6.16).
pub fn declared(policy: &Policy) -> anyhow::Result<Vec<disclosure::Price>> {
    let (tables, span) = edition::declared(policy, today())?;
    let prices = disclosure::prices(policy, &tables, &span)?;
    if let Some((counter, charged, most)) = prices.iter().rev().find_map(disclosure::Price::overdrawn) {
        return Err(Failure::Usage(format!(
            "the declared grids use {charged} of {most} of the counter `{counter}`, more than half: leave out a dimension, or use years instead of quarters"
        ))
        .into());
    }
    Ok(prices)
}

/// The same as a text.
pub fn charges(policy: &Policy) -> anyhow::Result<String> {
    let prices = declared(policy)?;
    let mut text = format!(
        "{} declared grids are charged, in this order:\n  variance  left for questions  indicator  grid: counters (charged of most)\n",
        prices.len()
    );
    for price in &prices {
        let counters: Vec<String> =
            price.counters.iter().map(|(name, charged, most)| format!("{name} {charged}/{most}")).collect();
        let left = price.counters.iter().map(|(_, charged, most)| 100 - charged * 100 / most).min().unwrap_or(100);
        let indicator = price.indicator.as_deref().unwrap_or("undeclared");
        let counters = counters.join(", ");
        text.push_str(&format!(
            "  {:>8}  {left:>16} %  {indicator}  {}: {counters}\n",
            price.tier.variance(),
            price.grid
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;
    use models::edition::{Key, Row, to_batch};
    use models::reference::{Count, Reference, day};
    use query::{Question, Reader, Settings};
    use tokio_util::sync::CancellationToken;
    use uuid::Uuid;

    use super::*;

    /// Publishes an edition on a day, and keeps these reference data with it, as `models::edition` does.
    async fn publish(published: &mut Published, number: i64, on: &str, reference: &Reference) {
        let version = format!("{number:010}-made-up");
        let mut tables = serde_json::Map::new();
        for table in reference.tables(2020..=2021) {
            let said = json!({"description": table.description, "columns": []});
            published.keep_reference(table.name, &version, &table.rows, said).await.unwrap();
            let hash = lake::canonical::hash(&table.rows.schema(), std::slice::from_ref(&table.rows)).unwrap();
            tables.insert(table.name.to_owned(), hash.to_hex().to_string().into());
        }
        let key = Key {
            indicator: "V01".to_owned(),
            measure: "victims".to_owned(),
            time_period: "2020".to_owned(),
            dimensions: std::array::from_fn(|_| "_T".to_owned()),
        };
        let row = Row { key, figure: disclosure::Figure::not_collected(), unit: "person".to_owned() };
        let rows = to_batch(&[row], number, on.parse().unwrap());
        let reference = json!({"version": version, "tables": tables});
        let manifest =
            json!({"as_of": on, "published_at": format!("{on}T08:00:00Z"), "synthetic": true, "reference": reference});
        published
            .append_edition(number, Uuid::from_u128(number.unsigned_abs().into()), &[rows], manifest)
            .await
            .unwrap();
    }

    async fn population(reader: &Reader, known: &str) -> i64 {
        let sql = format!("select population from reference.population {known} where province = '_T' and year = 2020");
        let answer = reader.ask(Question::new(&sql), CancellationToken::new()).await.unwrap();
        let [rows] = &answer.batches[..] else { panic!("one batch") };
        rows.column(0).as_primitive::<Int64Type>().value(0)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_population_that_was_corrected_between_two_editions_is_known_with_each_as_it_was_then() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path()).unwrap();
        let mut published = Published::open_or_create(&store, &DIMENSIONS).await.unwrap();
        let before = Reference::built_in();
        publish(&mut published, 1, "2025-01-15", &before).await;
        let nation = before.counts.iter().find(|count| count.area == Count::NATION).unwrap().clone();
        let counted = Count { counted_on: day("2020-07-01").unwrap(), persons: 230_000_000, ..nation };
        let after = Reference { counts: [before.counts.clone(), vec![counted]].concat(), ..before };
        publish(&mut published, 2, "2025-04-15", &after).await;

        let source = Arc::new(LakeEditions(store));
        let catalogue = crate::catalogue::catalogue(&Policy::default());
        let reader = Reader::open(source, catalogue, Settings::default()).await.unwrap();
        assert_eq!(population(&reader, "").await, 230_000_000);
        assert_eq!(population(&reader, "as known on '2025-04-15'").await, 230_000_000);
        assert_eq!(population(&reader, "as known on '2025-04-14'").await, 225_754_250, "between two censuses");
    }
}
