//! `questions`: the sixty questions of an analyst, one after the other, on one ledger, by one share, under the default policy.
//!
//! Two editions of the sample are released through a vault, so that their grids are charged first; then its Snapshot is
//! opened and the questions are asked as any reader asks them. For each: whether it was answered, and the share of the
//! persons asked about who are in visible cells. A question to the vault has cells; a person counts in each cell that she is
//! in (of a many-valued dimension in several), and once for every measure. *Asked about* is all of these, over all parts of
//! the statement together. A part of its own (a FILTER, a grouping set) may show less: the least of them is told as well.
//! What is true is counted beside the vault and leaves as whole percents alone.
//!
//! Absent: HTTP, keys, the audit log, `vault.db` (memory stands for it); time slots.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Result, ensure};
use arrow::array::{Array, RecordBatch};
use async_trait::async_trait;
use chrono::NaiveDate;
use disclosure::truth::unprotected_units;
use disclosure::{CellQuery, Quoted, Spent, Vault, VaultError};
use models::RefreshOptions;
use models::edition::{release, room, to_batch};
use policy::{Asker, Datasets, Share};
use query::{
    Answer, Begun, Code, EditionMeta, EditionSource, NoteCode, Oracle, Outcome, Question, Reader, Refusal,
    ReleasedCells, Settings, SourceError,
};
use sample::Feed;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use crate::ledgers::{Bill, Noted};
use crate::questions::{self, Asked};
use crate::road::{Place, as_of};
use crate::{Measured, Size};

/// Persons in visible cells from which on a question counts as answered, percent.
const VISIBLE: u64 = 80;
/// Questions that must be answered.
const ANSWERED: usize = 55;
/// Sizes below which hidden cells are told apart: the floors of std and high, and of the widest noise (privacy.md 6.5).
const SIZES: [(u64, &str); 4] = [(11, "below 11"), (21, "11-20"), (62, "21-61"), (u64::MAX, "62 and more")];

/// Measures.
pub async fn measure(scratch: &Path, size: Size) -> Result<Measured> {
    let (place, _) = Place::filled(&scratch.join(format!("questions-{size:?}")), Feed::new(size.world())).await?;
    let (snapshot, _) = place.refresh(&RefreshOptions::default()).await?;
    let source = snapshot.source(&place.policy);
    let (store, bill) = Noted::new();
    let vault = Vault::open(Arc::clone(&place.policy), &place.keys, Box::new(store))?;
    let mut editions = Vec::new();
    for (number, as_of) in [(1, quarter_before()), (2, as_of())] {
        editions.push((as_of, to_batch(&release(&source, &vault, as_of, number)?.rows, number, as_of)));
    }
    vault.enter(room(&source, &vault, as_of(), 2)?);
    let house = House::over(vault);
    let catalogue = crate::catalogue::catalogue();
    let editions = Arc::new(Editions(editions));
    let reader = Reader::open_with_vault(editions, catalogue, Settings::default(), house.clone()).await?;
    let declared = bill.grids();
    let mut results = Vec::new();
    for asked in questions::all()? {
        results.push(one(&reader, &house, &bill, asked).await?);
    }
    Ok(summary(&results, json!({"declared_grids": declared, "counters_of_the_fullest_block": bill.counters()})))
}

/// The edition before that of [`as_of`], so that what changed between two can be asked.
fn quarter_before() -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 9, 30).expect("the calendar has this day")
}

/// What became of a question.
struct Seen {
    name: String,
    /// The code of the refusal.
    refused: Option<String>,
    expected: Option<String>,
    /// What the refusal tells to write instead, or the note that much of what is asked about is not shown.
    hint: String,
    tally: Tally,
    /// Values of the answer that are NULL, of its numeric columns, percent.
    null_percent: u64,
    rows: usize,
    millis: u128,
    /// Counters that rose, and by how much at most in a block.
    charged: String,
    /// Of a question that is to be refused: what became of its rewrite.
    rewrite: Option<Box<Seen>>,
}

impl Seen {
    fn is_answered(&self) -> bool {
        self.refused.is_none() && self.tally.visible_percent().is_none_or(|percent| percent >= VISIBLE)
    }

    fn is_as_expected(&self) -> bool {
        match &self.rewrite {
            None => self.is_answered(),
            Some(rewrite) => self.is_led_on() && rewrite.is_answered(),
        }
    }

    /// Refused as expected; or shown in part, which is more, with the hint that the refusal would have had.
    fn is_led_on(&self) -> bool {
        let is_sparse = self.expected.as_deref() == Some(Code::TooSparse.name());
        self.refused == self.expected || (is_sparse && self.refused.is_none() && !self.hint.is_empty())
    }

    /// One line of the report.
    fn line(&self) -> String {
        let percent = |percent: Option<u64>| percent.map_or("–".to_owned(), |percent| format!("{percent} %"));
        let mut line = match &self.refused {
            Some(code) => format!("refused {code}, {} ms, hint: {}", self.millis, self.hint),
            None => format!(
                "answered, visible {} (least part {}), {} rows, {} % NULL, widest noise {}, {} ms",
                percent(self.tally.visible_percent()),
                percent(self.tally.least_percent()),
                self.rows,
                self.null_percent,
                self.tally.widest.map_or("none".to_owned(), |tier| format!("V={tier}")),
                self.millis
            ),
        };
        if self.refused.is_none() && !self.hint.is_empty() {
            line.push_str(&format!(", note: {}", self.hint));
        }
        if let Some(hidden) = self.tally.hidden() {
            line.push_str(&format!("; hidden persons by size of cell: {hidden}"));
        }
        if !self.charged.is_empty() {
            line.push_str(&format!("; charged {}", self.charged));
        }
        if let Some(rewrite) = &self.rewrite {
            line.push_str(&format!(" → rewrite {}", rewrite.line()));
        }
        line
    }
}

async fn one(reader: &Reader, house: &House, bill: &Bill, asked: Asked) -> Result<Seen> {
    let rewrite = match asked.rewrite {
        Some(sql) => {
            let seen = ask(reader, house, bill, &asked.name, &asked.sql).await?;
            let rewrite = ask(reader, house, bill, &asked.name, &sql).await?;
            return Ok(Seen { expected: asked.refused, rewrite: Some(Box::new(rewrite)), ..seen });
        }
        None => None,
    };
    Ok(Seen { expected: asked.refused, rewrite, ..ask(reader, house, bill, &asked.name, &asked.sql).await? })
}

/// Who asks all of it.
pub(crate) fn analyst() -> Asker {
    Asker::analyst("an analyst", Share::Ministry)
}

async fn ask(reader: &Reader, house: &House, bill: &Bill, name: &str, sql: &str) -> Result<Seen> {
    let question = Question { asker: Some(analyst()), ..Question::new(sql) };
    let before = bill.counters();
    let began = Instant::now();
    let answer = reader.ask(question, CancellationToken::new()).await;
    let millis = began.elapsed().as_millis();
    let tally = house.asked.lock().unwrap_or_else(PoisonError::into_inner).split_off(0);
    let tally = tally.into_iter().last().unwrap_or_default();
    let spent = house.spent.lock().unwrap_or_else(PoisonError::into_inner).take();
    let refused = answer.as_ref().err().map(|refusal| {
        let what = spent.map_or_else(|| refusal.detail.clone(), |spent| format!("{} is spent", spent.counter));
        (refusal.code, what)
    });
    // A fault of ours is no refusal.
    if let Some((code, what)) = &refused {
        ensure!(*code != Code::ProtectedInternal && *code != Code::Internal, "question {name}: {what}");
    }
    let refused = refused.map(|(code, what)| match code {
        Code::ChargesSpent => format!("{} ({what})", code.name()),
        _ => code.name().to_owned(),
    });
    let (rows, null_percent) = answer.as_ref().map_or((0, 0), |answer| (answer.row_count(), nulls(answer)));
    let charged = risen(&before, &bill.counters());
    let hint = match answer {
        Ok(answer) => answer.notes.into_iter().find(|note| note.code == NoteCode::Sparse).map(|note| note.detail),
        Err(refusal) => refusal.hint,
    };
    let hint = hint.unwrap_or_default();
    let (name, expected, rewrite) = (name.to_owned(), None, None);
    Ok(Seen { name, refused, expected, hint, tally, null_percent, rows, millis, charged, rewrite })
}

/// Which counters a question raised: `victims presence +2 (to 40)`.
fn risen(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> String {
    let rise = |(name, now): (&String, &u64)| {
        let rise = now - before.get(name).copied().unwrap_or(0);
        (rise > 0).then(|| format!("{name} +{rise} (to {now})"))
    };
    after.iter().filter_map(rise).collect::<Vec<_>>().join(", ")
}

/// NULLs among the values of the numeric columns, percent.
fn nulls(answer: &Answer) -> u64 {
    let (mut all, mut null) = (0, 0);
    for batch in &answer.batches {
        for column in batch.columns().iter().filter(|column| column.data_type().is_numeric()) {
            all += column.len() as u64;
            null += column.null_count() as u64;
        }
    }
    percent_of(null, all).unwrap_or(0)
}

fn summary(results: &[Seen], charges: Value) -> Measured {
    let answered = results.iter().filter(|seen| seen.is_answered()).count();
    let strictly = |seen: &&Seen| seen.is_answered() && seen.tally.least_percent().is_none_or(|p| p >= VISIBLE);
    let names = |of: &dyn Fn(&Seen) -> bool| -> Vec<&str> {
        results.iter().filter(|seen| of(seen)).map(|seen| seen.name.as_str()).collect()
    };
    let lines: Map<String, Value> = results.iter().map(|seen| (seen.name.clone(), json!(seen.line()))).collect();
    let led = results.iter().filter(|seen| seen.rewrite.is_some() && seen.is_as_expected());
    Measured {
        value: json!(format!("{answered} of {}", results.len())),
        met: answered >= ANSWERED && results.iter().all(|seen| seen.is_answered() || seen.is_as_expected()),
        details: json!({
            "answered": answered,
            "answered_in_every_part": results.iter().filter(strictly).count(),
            "refused_or_shown_in_part_and_led_to_an_answer": led.count(),
            "other_than_expected": names(&|seen| !seen.is_as_expected()),
            "refused_for_charges": names(&|seen| seen.refused.as_ref().is_some_and(|code| code.starts_with("PRIV-1020"))),
            "shown_too_little": names(&|seen| seen.refused.is_none() && !seen.is_answered()),
            "questions": lines,
            "charges": charges,
        }),
    }
}

fn percent_of(part: u64, whole: u64) -> Option<u64> {
    (whole > 0).then(|| (part * 200 + whole) / (whole * 2))
}

/// Persons asked about, and where they are.
#[derive(Default)]
struct Tally {
    all: u64,
    visible: u64,
    /// In hidden cells, by size.
    hidden: [u64; SIZES.len()],
    /// For each part of the statement: persons, and those in visible cells.
    parts: Vec<(u64, u64)>,
    /// Variance of the widest noise among the cells shown.
    widest: Option<u64>,
}

impl Tally {
    fn visible_percent(&self) -> Option<u64> {
        percent_of(self.visible, self.all)
    }

    fn least_percent(&self) -> Option<u64> {
        self.parts.iter().filter_map(|&(all, visible)| percent_of(visible, all)).min()
    }

    /// How many of all are in hidden cells of each size, percent.
    fn hidden(&self) -> Option<String> {
        let part = |(count, (_, size)): (&u64, &(u64, &str))| {
            percent_of(*count, self.all).filter(|&percent| percent > 0).map(|percent| format!("{size}: {percent} %"))
        };
        let parts: Vec<String> = self.hidden.iter().zip(&SIZES).filter_map(part).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// The vault as questions reach it, with what is true counted beside it.
pub struct House {
    vault: Vault,
    /// What the last question was about.
    asked: Mutex<Vec<Tally>>,
    /// Why the last question was refused for its price.
    spent: Mutex<Option<Spent>>,
}

impl House {
    /// Over a vault that nobody has asked.
    pub fn over(vault: Vault) -> Arc<Self> {
        Arc::new(Self { vault, asked: Mutex::default(), spent: Mutex::default() })
    }

    /// The vault.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    fn answers(&self, questions: &[CellQuery], share: Share) -> Result<(Vec<ReleasedCells>, Tally), VaultError> {
        let answers = self.vault.ask(questions, share)?;
        let (mut tally, mut released) = (Tally::default(), Vec::new());
        for (question, answered) in questions.iter().zip(answers) {
            let units = unprotected_units(&self.vault, question)?;
            let mut part = (0, 0);
            for (cell, units) in answered.cells.iter().zip(&units) {
                for figure in &cell.figures {
                    part.0 += units.count;
                    if figure.value().is_some() {
                        part.1 += units.count;
                        tally.widest = tally.widest.max(figure.tier().map(disclosure::Tier::variance));
                    } else {
                        let size = SIZES.iter().position(|(below, _)| units.count < *below).unwrap_or_default();
                        tally.hidden[size] += units.count;
                    }
                }
            }
            tally.all += part.0;
            tally.visible += part.1;
            tally.parts.push(part);
            let shown = |cell: &disclosure::AnsweredCell| {
                !question.measures.is_empty() || cell.figures.iter().all(|figure| figure.value().is_some())
            };
            let cells = answered.cells.into_iter().filter(shown);
            let cells = cells.map(|cell| (cell.at.into_iter().map(Some).collect(), cell.figures));
            released.push(ReleasedCells { cells: cells.collect(), as_of: Some(answered.as_of) });
        }
        Ok((released, tally))
    }
}

impl Oracle for House {
    fn years(&self) -> RangeInclusive<u16> {
        self.vault.room().map_or(2011..=2025, |room| room.span.years.clone())
    }

    fn datasets(&self) -> &Datasets {
        &self.vault.policy().datasets
    }

    fn begin(&self, _: &str, _: &Asker) -> Result<Begun, Refusal> {
        Ok(Begun(0))
    }

    fn quote(&self, questions: &[CellQuery], asker: &Asker) -> Result<Quoted, Refusal> {
        let quoted = self.vault.quote(questions, asker.share);
        quoted.map_err(|error| Refusal::new(Code::ProtectedInternal, error.to_string()))
    }

    fn ask(&self, questions: &[CellQuery], asker: &Asker) -> Result<Vec<ReleasedCells>, Refusal> {
        match self.answers(questions, asker.share) {
            Ok((released, tally)) => {
                self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(tally);
                Ok(released)
            }
            Err(VaultError::Spent(spent)) => {
                let free = spent.free.join("; ");
                *self.spent.lock().unwrap_or_else(PoisonError::into_inner) = Some(spent);
                Err(Refusal::new(Code::ChargesSpent, "The share's share is spent.").hint(free))
            }
            Err(error) => Err(Refusal::new(Code::ProtectedInternal, error.to_string())),
        }
    }

    fn end(&self, _: Begun, _: &Outcome) -> Result<(), Refusal> {
        Ok(())
    }
}

/// Editions in memory, oldest first.
pub struct Editions(pub Vec<(NaiveDate, RecordBatch)>);

#[async_trait]
impl EditionSource for Editions {
    async fn list(&self) -> Result<Vec<EditionMeta>, SourceError> {
        let meta = |(number, (as_of, _)): (u32, &(NaiveDate, RecordBatch))| EditionMeta {
            edition: number,
            as_of: as_of.to_string(),
            synthetic: true,
            ..EditionMeta::default()
        };
        Ok((1..).zip(&self.0).map(meta).collect())
    }

    async fn latest(&self) -> Result<Option<u32>, SourceError> {
        Ok(u32::try_from(self.0.len()).ok())
    }

    async fn read(&self, edition: u32) -> Result<Vec<RecordBatch>, SourceError> {
        let at = usize::try_from(edition).unwrap_or_default().wrapping_sub(1);
        Ok(self.0.get(at).map(|(_, rows)| rows.clone()).into_iter().collect())
    }
}
