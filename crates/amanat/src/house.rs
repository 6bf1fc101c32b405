//! The vault of this data directory as questions reach it: recorded before and after, paid for by the asker's share,
//! refused in words (privacy.md 6.1, 6.8, 6.12).
//!
//! Absent: SQL, and any number that was not released.

use std::collections::{BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Datelike, Utc};
use disclosure::{Answered, CellQuery, Quoted, Vault, VaultError};
use endpoint::{Decision, Record};
use ledger::{Asked, AuditLog, Begin, Decided, Door, End, Principal};
use models::Snapshot;
use models::edition::Manifest;
use policy::{Asker, Datasets};
use query::{Begun, Code, Oracle, Outcome, Refusal, ReleasedCells};

use crate::data_dir::DataDir;
use crate::{edition, memory};

/// The vault with the log of what it is asked.
pub struct House {
    vault: Vault,
    audit: Mutex<AuditLog>,
    /// What the vault said of questions which have begun and not ended, by the number of the question.
    answering: Mutex<HashMap<u64, Said>>,
    /// The name of the Snapshot that is open.
    open: Mutex<String>,
    door: Door,
    slot: Duration,
}

/// What the vault said of a question, for the log.
#[derive(Default)]
struct Said {
    /// The sets that answered, for each of its cell queries.
    anchors: Vec<Vec<u64>>,
    /// What was charged, a line for each grid and for its open quarter.
    charges: Vec<String>,
}

impl House {
    /// Opens both, and the Snapshot of the latest edition that is released to questions. `None` on a machine that does not hold them: there
    /// only the published tables are served.
    pub async fn open(dir: &DataDir, door: Door, slot: Duration) -> anyhow::Result<Option<Arc<Self>>> {
        if !memory::is_here(dir).await? {
            return Ok(None);
        }
        let audit = memory::audit(dir)?;
        let vault = memory::vault(dir, &audit)?;
        let house = Arc::new(Self {
            vault,
            audit: Mutex::new(audit),
            answering: Mutex::default(),
            open: Mutex::default(),
            door,
            slot,
        });
        house.enter_latest(dir).await?;
        Ok(Some(house))
    }

    /// Opens the Snapshot of the latest edition that is released, where neither it nor a later one is open yet: a clock that is put
    /// back closes nothing. One that stands for it since somebody was erased takes its place.
    pub async fn enter_latest(&self, dir: &DataDir) -> anyhow::Result<()> {
        let Some(latest) = edition::released(dir).await?.pop() else { return Ok(()) };
        if let Some(room) = self.vault.room() {
            let kept = Snapshot::name_with(&dir.store, &Manifest::marts_of(&latest.manifest)).await?;
            let is_open = kept.is_none_or(|kept| kept == *locked(&self.open));
            if room.span.edition > latest.edition || (room.span.edition == latest.edition && is_open) {
                return Ok(());
            }
        }
        let (room, name) = memory::room(dir, &self.vault, &latest).await?;
        self.vault.enter(room);
        *locked(&self.open) = name;
        Ok(())
    }

    fn answers(&self, questions: &[CellQuery], asker: &Asker) -> Result<Vec<Answered>, Refusal> {
        self.vault.ask(questions, asker.share).map_err(refusal)
    }
}

impl Oracle for House {
    fn years(&self) -> RangeInclusive<u16> {
        // Before the first edition nothing can be asked, whatever the years.
        let this_year = DateTime::<Utc>::from(SystemTime::now()).year() as u16;
        self.vault.room().map_or(this_year..=this_year, |room| room.span.years.clone())
    }

    fn datasets(&self) -> &Datasets {
        &self.vault.policy().datasets
    }

    fn begin(&self, sql: &str, asker: &Asker) -> Result<Begun, Refusal> {
        let begin = Begin {
            time_ms: DateTime::<Utc>::from(SystemTime::now()).timestamp_millis(),
            principal: Principal { key_id: asker.key_id.clone(), role: asker.share.name().to_owned() },
            purpose: asker.purpose.clone(),
            sql: sql.to_owned(),
            door: self.door,
        };
        locked(&self.audit).begin(begin).map(Begun).map_err(|error| ours("a question could not be recorded", &error))
    }

    fn ask(&self, questions: &[CellQuery], asker: &Asker) -> Result<Vec<ReleasedCells>, Refusal> {
        Ok(self.answers(questions, asker)?.into_iter().zip(questions).map(|(answered, q)| cells(answered, q)).collect())
    }

    fn ask_begun(&self, begun: &Begun, questions: &[CellQuery], asker: &Asker) -> Result<Vec<ReleasedCells>, Refusal> {
        let mut answers = self.answers(questions, asker)?;
        let mut said = Said::default();
        for answered in &mut answers {
            said.anchors.push(std::mem::take(&mut answered.anchors));
            said.charges.append(&mut answered.charged);
        }
        locked(&self.answering).insert(begun.0, said);
        Ok(answers.into_iter().zip(questions).map(|(answered, question)| cells(answered, question)).collect())
    }

    fn quote(&self, questions: &[CellQuery], asker: &Asker) -> Result<Quoted, Refusal> {
        self.vault.quote(questions, asker.share).map_err(refusal)
    }

    fn slot(&self) -> Option<Duration> {
        Some(self.slot)
    }

    fn leaves(&self, slot: Duration) {
        metrics::counter!("amanat_sql_slots_total", "slot" => multiple(slot, self.slot)).increment(1);
    }

    fn end(&self, begun: Begun, outcome: &Outcome) -> Result<(), Refusal> {
        let said = locked(&self.answering).remove(&begun.0).unwrap_or_default();
        let vault_head = self.vault.head().map_err(|error| ours("the vault's memory could not be read", &error))?;
        let end = End { begin: begun.0, vault_head, ..ended(outcome, said) };
        locked(&self.audit).end(end).map(|_| ()).map_err(|error| ours("an answer could not be recorded", &error))
    }
}

impl Record for House {
    fn record(&self, decision: &Decision) -> bool {
        let Decision { what, name, role, door } = decision;
        let decided = Decided {
            time_ms: DateTime::<Utc>::from(SystemTime::now()).timestamp_millis(),
            principal: Principal { key_id: name.clone(), role: (*role).to_owned() },
            what: what.name().to_owned(),
            door: (*door).to_owned(),
        };
        let kept = locked(&self.audit).decided(decided);
        if let Err(error) = &kept {
            tracing::error!(error = error as &dyn std::error::Error, "a decision could not be recorded");
        }
        kept.is_ok()
    }
}

/// A slot in multiples of the first one, `1x`, `2x`, `4x` and so on up to the time limit of a question.
fn multiple(slot: Duration, first: Duration) -> String {
    format!("{}x", slot.as_millis() / first.as_millis().max(1))
}

/// What became of a question, as the log has it.
fn ended(outcome: &Outcome, said: Said) -> End {
    let questions = &outcome.questions;
    let tiers: BTreeSet<u16> = questions.iter().flat_map(|asked| &asked.tiers).copied().collect();
    let anchors = said.anchors.into_iter().chain(std::iter::repeat(Vec::new()));
    let asked = questions.iter().zip(anchors).map(|(asked, anchors)| Asked {
        text: asked.text.clone(),
        cells: asked.cells,
        suppressed: asked.suppressed,
        anchors,
    });
    End {
        decision: outcome.refused.map_or(ledger::ANSWERED, Code::name).to_owned(),
        cell_queries: questions.iter().map(|asked| asked.id.clone()).collect(),
        cells: questions.iter().map(|asked| asked.cells).sum(),
        suppressed: questions.iter().map(|asked| asked.suppressed).sum(),
        tiers: tiers.into_iter().collect(),
        charges: said.charges,
        slot_ms: outcome.slot.map_or(0, |slot| u64::try_from(slot.as_millis()).unwrap_or(u64::MAX)),
        asked: asked.collect(),
        ..End::default()
    }
}

/// What a lock guards is whole between two statements, whoever panicked.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cells(answered: Answered, question: &CellQuery) -> ReleasedCells {
    let shown = |cell: &disclosure::AnsweredCell| {
        !question.measures.is_empty() || cell.figures.iter().all(|figure| figure.value().is_some())
    };
    let cells = answered.cells.into_iter().filter(shown);
    let cells = cells.map(|cell| (cell.at.into_iter().map(Some).collect(), cell.figures));
    ReleasedCells { cells: cells.collect(), as_of: Some(answered.as_of) }
}

fn refusal(error: VaultError) -> Refusal {
    match error {
        VaultError::Spent(spent) => Refusal::spent(&spent),
        VaultError::NoRoom => Refusal::new(Code::NoEdition, "Nothing has been published yet.")
            .hint("Protected tables can be asked about once there is an edition."),
        other => ours("the vault did not answer", &other),
    }
}

/// One text for everything that is ours; the cause is for the operator's log and names no value.
fn ours(what: &'static str, error: &(dyn std::error::Error + 'static)) -> Refusal {
    tracing::error!(error, "{what}");
    Refusal::ours()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_counted_in_multiples_of_the_first_whatever_its_length() {
        let ms = Duration::from_millis;
        assert_eq!([250, 500, 2_000].map(|slot| multiple(ms(slot), ms(250))), ["1x", "2x", "8x"]);
        assert_eq!(multiple(ms(1), ms(0)), "1x", "no slot is a slot of a millisecond");
    }
}
