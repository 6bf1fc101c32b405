//! The vault of this data directory as questions reach it: recorded before and after, paid for by the asker's role,
//! refused in words (privacy.md 6.1, 6.8, 6.12).
//!
//! Absent: SQL, and any number that was not released.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Datelike, Utc};
use disclosure::{Answered, CellQuery, Quote, Spent, Vault, VaultError};
use lake::Published;
use ledger::{AuditLog, Begin, Door, End, Principal};
use policy::{Asker, Datasets};
use query::{Begun, Code, Oracle, Outcome, Refusal, ReleasedCells};

use crate::data_dir::DataDir;
use crate::memory;

/// The vault with the log of what it is asked.
pub struct House {
    vault: Vault,
    audit: Mutex<AuditLog>,
    door: Door,
    slot: Duration,
}

impl House {
    /// Opens both, and the Snapshot of the latest edition to questions. `None` on a machine that does not hold them: there
    /// only the published tables are served.
    pub async fn open(dir: &DataDir, door: Door, slot: Duration) -> anyhow::Result<Option<Arc<Self>>> {
        if !memory::is_here(dir).await? {
            return Ok(None);
        }
        let audit = memory::audit(dir)?;
        let vault = memory::vault(dir, &audit)?;
        let house = Arc::new(Self { vault, audit: Mutex::new(audit), door, slot });
        house.enter_latest(dir).await?;
        Ok(Some(house))
    }

    /// Opens the Snapshot of the latest edition, where it is not open yet.
    pub async fn enter_latest(&self, dir: &DataDir) -> anyhow::Result<()> {
        let Some(latest) = Published::open(&dir.store).editions().await?.pop() else { return Ok(()) };
        if self.vault.room().is_some_and(|room| room.span.edition == latest.edition) {
            return Ok(());
        }
        let room = memory::room(dir, &self.vault, &latest).await?;
        self.vault.enter(room);
        Ok(())
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
            principal: Principal { key_id: asker.key_id.clone(), role: asker.role.name().to_owned() },
            purpose: String::new(),
            sql: sql.to_owned(),
            door: self.door,
        };
        let mut audit = self.audit.lock().unwrap_or_else(PoisonError::into_inner);
        audit.begin(begin).map(Begun).map_err(|error| ours("a question could not be recorded", &error))
    }

    fn ask(&self, questions: &[CellQuery], asker: &Asker) -> Result<Vec<ReleasedCells>, Refusal> {
        let answered = self.vault.ask(questions, asker.role);
        Ok(answered.map_err(refusal)?.into_iter().zip(questions).map(|(answered, q)| cells(answered, q)).collect())
    }

    fn quote(&self, question: &CellQuery, asker: &Asker) -> Result<Vec<Quote>, Refusal> {
        self.vault.quote(question, asker.role).map_err(refusal)
    }

    fn slot(&self) -> Option<Duration> {
        Some(self.slot)
    }

    fn end(&self, begun: Begun, outcome: &Outcome) -> Result<(), Refusal> {
        let decision = outcome.refused.map_or(ledger::ANSWERED, Code::name).to_owned();
        let end = End {
            begin: begun.0,
            decision,
            cell_queries: outcome.questions.clone(),
            cells: outcome.cells,
            suppressed: outcome.suppressed,
            vault_head: self.vault.head().map_err(|error| ours("the vault's memory could not be read", &error))?,
            ..End::default()
        };
        let mut audit = self.audit.lock().unwrap_or_else(PoisonError::into_inner);
        audit.end(end).map(|_| ()).map_err(|error| ours("an answer could not be recorded", &error))
    }
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
        VaultError::Spent(Spent { role, counter, free }) => {
            let of = counter.split_once('/').map_or(String::new(), |(column, _)| format!(" with {column}"));
            let detail = format!("What {role} may ask about these provinces and periods{of} in this way is spent.");
            let hint = match free.first() {
                Some(nearest) => format!("What was asked before is free: {nearest}. So are the published tables."),
                None => "Ask for fewer dimensions, or the published tables.".to_owned(),
            };
            Refusal::new(Code::ChargesSpent, detail).hint(hint)
        }
        VaultError::NoRoom => Refusal::new(Code::NoEdition, "Nothing has been published yet.")
            .hint("Protected tables can be asked about once there is an edition."),
        other => ours("the vault did not answer", &other),
    }
}

/// One text for everything that is ours (privacy.md 6.4); the cause is for the operator's log and names no value.
fn ours(what: &'static str, error: &(dyn std::error::Error + 'static)) -> Refusal {
    tracing::error!(error, "{what}");
    Refusal::new(Code::ProtectedInternal, "The question could not be answered; the fault is ours.")
}
