//! `consistency`: what is published against what is asked, over three editions between which events come late and
//! records are corrected (privacy.md 6.7, Consistency).
//!
//! Each edition is released through one vault, which remembers the earlier ones; then its Snapshot is opened and every
//! margin of every table is asked in SQL, as an analyst would write it. Each published cell must be found in the answer with
//! the same value, or without one where it is hidden or not collected.
//!
//! Not asked: remainders (`_R`), which no question says. A margin of more cells than a question may have is asked period by
//! period; one that the guard refuses is a failure, told by code.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::{Datelike, NaiveDate};
use disclosure::{Measure, TableQuery, Vault};
use models::RefreshOptions;
use models::edition::{DIMENSIONS, Key, release, room, to_batch};
use models::indicator::{self, Indicator, Table, Years, published_column};
use policy::{Dataset, Policy, Unit};
use query::{Answer, Code, Question, Reader, Settings};
use sample::{Feed, Feedline};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::asked::{Editions, House};
use crate::ledgers::Noted;
use crate::road::{Batches, Place, append};
use crate::{Measured, Size};

/// The ends of the quarters that the editions speak of; the last one has all that is ever told of them.
const QUARTERS: [(i32, u32, u32); 3] = [(2025, 6, 30), (2025, 9, 30), (2025, 12, 31)];
/// Days after a quarter at which its edition is made.
const AFTER: i64 = 15;
/// Cells that differ, of which is told.
const TOLD: usize = 10;

#[derive(Default)]
struct Tally {
    shown: u64,
    hidden: u64,
    not_collected: u64,
    remainders: u64,
    /// Published rows, and those of them that were found in an answer.
    published: usize,
    found: usize,
    refused: BTreeMap<String, u64>,
    differing: Vec<String>,
}

/// Measures.
pub async fn measure(scratch: &Path, size: Size) -> Result<Measured> {
    let place = Place::new(&scratch.join(format!("consistency-{size:?}")))?;
    let vault = Vault::open(Arc::clone(&place.policy), &place.keys, Box::new(Noted::new().0))?;
    let house = House::over(vault);
    let (mut editions, mut lines) = (Vec::new(), Vec::new());
    let mut feed: Vec<Feedline> = Feed::new(size.world()).collect();
    let mut tally = Tally::default();
    for (number, (year, month, day)) in (1..).zip(QUARTERS) {
        let as_of = NaiveDate::from_ymd_opt(year, month, day).context("a day of the calendar")?;
        let until = as_of.and_hms_opt(0, 0, 0).context("midnight")?.and_utc().timestamp_millis() + AFTER * 86_400_000;
        let is_last = number == QUARTERS.len() as i64;
        let (told, later) = feed.into_iter().partition(|line| is_last || line.log_timestamp_ms < until);
        feed = later;
        lines.push(peculiar(&told));
        append(&mut place.log.sink()?, told.into_iter())?;
        place.ingest(place.log.source()?, Batches::default()).await?;
        let (snapshot, _) = place.refresh(&RefreshOptions::default()).await?;
        let source = snapshot.source(&place.policy);
        let released = release(&source, house.vault(), as_of, number)?;
        editions.push((as_of, to_batch(&released.rows, number, as_of)));
        house.vault().enter(room(&source, house.vault(), as_of, number)?);
        let published = released.rows.iter().map(|row| (row.key.clone(), row.figure)).collect();
        let reader = Reader::open_with_vault(
            Arc::new(Editions(editions.clone())),
            crate::catalogue::catalogue(),
            Settings::default(),
            house.clone(),
        );
        tally.compare(&reader.await?, &place.policy, &published, as_of.year() as u16).await?;
    }
    Ok(found(&tally, &lines))
}

/// How many lines there are, and how many of each peculiarity.
fn peculiar(lines: &[Feedline]) -> Value {
    let mut notes: BTreeMap<&str, u64> = BTreeMap::new();
    for line in lines.iter().filter(|line| !line.note.is_empty()) {
        *notes.entry(line.note).or_default() += 1;
    }
    json!({"lines": lines.len(), "peculiar": notes})
}

type Published = BTreeMap<Key, disclosure::Figure>;

impl Tally {
    async fn compare(&mut self, reader: &Reader, policy: &Policy, published: &Published, last: u16) -> Result<()> {
        self.remainders += published.keys().filter(|key| key.dimensions.iter().any(|code| code == "_R")).count() as u64;
        let mut found = BTreeSet::new();
        for indicator in indicator::all() {
            for table in &indicator.tables {
                let query = table.query(policy, Years::ending(last))?;
                let dataset = policy.datasets.get(&table.dataset).context("a dataset")?;
                for kept in margins(&query) {
                    let place = Asked { query: &query, dataset, kept: &kept, of: (indicator, table) };
                    self.margin(reader, &place, (published, &mut found)).await?;
                }
            }
        }
        self.published += published.len();
        self.found += found.len();
        Ok(())
    }

    /// Asks all of a margin or, where that has more cells than a question may have, each period of it.
    async fn margin(
        &mut self,
        reader: &Reader,
        asked: &Asked<'_>,
        (published, found): (&Published, &mut BTreeSet<Key>),
    ) -> Result<()> {
        let periods = asked.periods();
        let mut slices: VecDeque<Option<&str>> = VecDeque::from([None]);
        while let Some(slice) = slices.pop_front() {
            let sql = asked.sql(slice);
            let question = Question { asker: Some(crate::asked::analyst()), ..Question::new(sql.clone()) };
            // An answer keeps its turn until it is dropped: one after the other.
            match reader.ask(question, CancellationToken::new()).await {
                Ok(answer) => self.cells(&sql, &answer, asked, (published, found))?,
                Err(refusal) if refusal.code == Code::TooManyCells && slice.is_none() && !periods.is_empty() => {
                    slices.extend(periods.iter().map(|period| Some(period.as_str())));
                }
                Err(refusal) => *self.refused.entry(refusal.code.name().to_owned()).or_default() += 1,
            }
        }
        Ok(())
    }

    fn cells(
        &mut self,
        sql: &str,
        answer: &Answer,
        asked: &Asked<'_>,
        (published, found): (&Published, &mut BTreeSet<Key>),
    ) -> Result<()> {
        for batch in &answer.batches {
            let options = FormatOptions::default().with_null("NULL");
            let columns: Vec<ArrayFormatter<'_>> = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column, &options))
                .collect::<Result<_, _>>()?;
            for row in 0..batch.num_rows() {
                let texts: Vec<String> = columns.iter().map(|column| column.value(row).to_string()).collect();
                let Some((value, codes)) = texts.split_last() else { continue };
                let key = asked.key(codes);
                let Some((key, figure)) = key.and_then(|key| published.get_key_value(&key)) else { continue };
                found.insert(key.clone());
                let known = figure.value().map_or("NULL".to_owned(), |value| value.to_string());
                match (figure.obs_status().code(), figure.value().is_some()) {
                    _ if *value != known => {
                        let status = figure.obs_status().code();
                        let told = format!("{sql}: {codes:?} {value} asked, {known} ({status}) published");
                        self.differing.push(told);
                    }
                    ("L", _) => self.not_collected += 1,
                    (_, true) => self.shown += 1,
                    (_, false) => self.hidden += 1,
                }
            }
        }
        Ok(())
    }
}

/// Every choice of dimensions that are not summed over.
fn margins(query: &TableQuery) -> Vec<Vec<&str>> {
    let mut margins: Vec<Vec<&str>> = vec![Vec::new()];
    for dimension in &query.by {
        let with: Vec<Vec<&str>> = margins.iter().map(|kept| [&kept[..], &[&dimension.name]].concat()).collect();
        margins = if dimension.total { margins.into_iter().chain(with).collect() } else { with };
    }
    margins
}

/// A margin of a table.
struct Asked<'a> {
    query: &'a TableQuery,
    dataset: &'a Dataset,
    /// The dimensions that are not summed over.
    kept: &'a [&'a str],
    of: (&'a Indicator, &'a Table),
}

impl Asked<'_> {
    /// A condition for each period; none where the margin is not by period.
    fn periods(&self) -> Vec<String> {
        let is_period = |name: &str| self.dataset.dimension_of(name) == Some(policy::TIME) && self.kept.contains(&name);
        let Some(period) = self.query.by.iter().find(|dimension| is_period(&dimension.name)) else { return Vec::new() };
        let texts = period.codes.iter().filter_map(|&code| self.dataset.code_text(&period.name, code));
        texts.map(|text| format!("{} in ('{text}')", period.name)).collect()
    }

    /// The margin, or a slice of it, as an analyst asks for it.
    fn sql(&self, slice: Option<&str>) -> String {
        let measure = match (&self.query.measure, self.dataset.unit) {
            (Measure::Units, Unit::Person) => "count(distinct person_id)".to_owned(),
            (Measure::Cases, _) | (Measure::Units, Unit::Case) => "count(distinct case_id)".to_owned(),
            (Measure::Agencies, _) => "count(distinct agency)".to_owned(),
            (Measure::Sum(column), _) => format!("sum({column})"),
            (Measure::Units | Measure::Rows, _) => "count(*)".to_owned(),
        };
        let condition = |(level, codes): (&String, &Vec<u16>)| {
            let texts = codes.iter().filter_map(|code| self.dataset.code_text(level, *code));
            format!("{level} in ({})", texts.map(|code| format!("'{code}'")).collect::<Vec<_>>().join(", "))
        };
        let population = self.query.population.iter().map(condition);
        let conditions: Vec<String> = population.chain(slice.map(str::to_owned)).collect();
        let mut text = format!("select {} from {}", [self.kept, &[&measure]].concat().join(", "), self.query.dataset);
        if !conditions.is_empty() {
            text.push_str(&format!(" where {}", conditions.join(" and ")));
        }
        if !self.kept.is_empty() {
            text.push_str(&format!(" group by {}", self.kept.join(", ")));
        }
        text
    }

    /// Where a row of an answer stands among what is published.
    fn key(&self, codes: &[String]) -> Option<Key> {
        let (indicator, table) = self.of;
        let applicable = indicator.dimensions();
        let mut dimensions = DIMENSIONS.map(|name| if applicable.contains(&name) { "_T" } else { "_Z" }.to_owned());
        let (mut time_period, mut measure) = ("_T".to_owned(), &table.measure);
        for (name, code) in self.kept.iter().zip(codes) {
            if let Some(parts) = table.parts.as_ref().filter(|parts| parts.of == *name) {
                measure = parts.measures.get(code)?;
                continue;
            }
            let column = published_column(name).and_then(|column| DIMENSIONS.iter().position(|known| *known == column));
            match column {
                Some(at) => dimensions[at].clone_from(code),
                None => time_period.clone_from(code),
            }
        }
        Some(Key { indicator: indicator.id.clone(), measure: measure.clone(), time_period, dimensions })
    }
}

fn found(tally: &Tally, lines: &[Value]) -> Measured {
    Measured {
        value: json!(tally.differing.len().to_string()),
        met: tally.differing.is_empty() && tally.refused.is_empty() && tally.shown > 0,
        details: json!({
            "editions": lines,
            "cells_equal": tally.shown,
            "cells_hidden_in_both": tally.hidden,
            "not_collected": tally.not_collected,
            "published_rows_shares_and_rates_too": tally.published,
            "published_rows_found": tally.found,
            "remainders_not_asked": tally.remainders,
            "margins_refused": tally.refused,
            "differing": tally.differing.iter().take(TOLD).collect::<Vec<_>>(),
        }),
    }
}
