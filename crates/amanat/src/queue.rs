//! What waits for the steward, for her page: conflicts as the lake has them now, and doubtful pairs as they were when everybody was last
//! compared here.
//!
//! Comparing everybody takes seconds to a minute of a core, so it is not done for each request: the last result is kept, with its moment, and made anew in the
//! background when somebody asks, a newer Snapshot is there and the last result is [`COMPARED_FOR`] old, or a pair was decided
//! [`LOOKED_FOR`] ago at most.
//! Nothing of it is written to a disk.
//!
//! Absent: what the words do (`models`), who may ask (`endpoint`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use endpoint::{NotSaid, Pair, Queue, Said, Waiting, Word};
use lake::{Events, LakeError};
use linkage::Doubt;
use models::conflicts::{self, Because, Conflict};
use models::people::{self, Found};
use models::{ModelsError, RefreshOptions, Snapshot};
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::config::Config;
use crate::conflicts::instant;
use crate::data_dir::DataDir;
use crate::linking;

/// How long what was compared is shown before everybody is compared anew.
const COMPARED_FOR: Duration = Duration::from_mins(10);
/// How long after a pair was decided each newer Snapshot is looked at: the word comes with one of the next.
const LOOKED_FOR: Duration = Duration::from_mins(3);
/// How long conflicts are shown at least before the lake is read anew, be it written to or not; ten times as long as reading took, where
/// that is longer.
const READ_FOR: Duration = Duration::from_secs(2);
/// Most conflicts and most pairs that are shown at once.
const MOST: usize = 200;

type StewardsPair = ([u8; 16], [u8; 16], bool);

/// The queue of this machine's data directory.
pub struct AtTheData {
    config: Config,
    dir: Arc<DataDir>,
    /// The service's runtime: what is asked on a thread that may wait is done there.
    handle: Handle,
    conflicts: Mutex<Option<Read>>,
    compared: Mutex<Compared>,
}

/// Conflicts that were read.
struct Read {
    at: Instant,
    took: Duration,
    lake_version: u64,
    all: Arc<Vec<Conflict>>,
}

/// What came of comparing everybody.
#[derive(Default)]
struct Compared {
    last: Option<Pairs>,
    /// Whether it is being done anew.
    is_running: bool,
    /// When a pair was decided here last.
    decided: Option<Instant>,
}

/// Doubtful pairs, and those that were decided.
struct Pairs {
    began: Instant,
    as_of: SystemTime,
    /// Up to where the Snapshot goes that was looked at.
    lake_version: Option<u64>,
    /// What was found, or the code of why nothing can be.
    found: Result<Found, &'static str>,
    said: Vec<StewardsPair>,
}

impl AtTheData {
    /// The queue of a data directory. Is made in the runtime that serves.
    pub fn new(config: Config, dir: Arc<DataDir>) -> Arc<Self> {
        Arc::new(Self {
            config,
            dir,
            handle: Handle::current(),
            conflicts: Mutex::default(),
            compared: Mutex::default(),
        })
    }

    /// All conflicts of what has been ingested, a moment old at most.
    fn conflicts(&self) -> anyhow::Result<Arc<Vec<Conflict>>> {
        // One reads; who comes meanwhile waits for it.
        let mut kept = locked(&self.conflicts);
        if let Some(read) = kept.as_ref().filter(|read| read.at.elapsed() < READ_FOR.max(read.took * 10)) {
            return Ok(Arc::clone(&read.all));
        }
        let known = kept.as_ref().map(|read| (read.lake_version, Arc::clone(&read.all)));
        let began = Instant::now();
        let (lake_version, all) = self.handle.block_on(self.read(known))?;
        *kept = Some(Read { at: Instant::now(), took: began.elapsed(), lake_version, all: Arc::clone(&all) });
        Ok(all)
    }

    async fn read(&self, known: Option<(u64, Arc<Vec<Conflict>>)>) -> anyhow::Result<(u64, Arc<Vec<Conflict>>)> {
        let events = match Events::open(&self.dir.store, "queue").await {
            Err(LakeError::NoTable(_)) => return Ok((0, Arc::default())),
            events => events?.snapshot()?,
        };
        if let Some(known) = known.filter(|(version, _)| *version == events.lake_version) {
            return Ok(known);
        }
        let all = conflicts::conflicts(&events, &self.dir.policy, &self.dir.keys).await?;
        Ok((events.lake_version, Arc::new(all)))
    }

    /// Begins to compare everybody, if that is due; it goes on by itself.
    fn compare_if_due(self: &Arc<Self>) {
        let newest = self.handle.block_on(Snapshot::latest_lake_version(&self.dir.store)).ok().flatten();
        let mut compared = locked(&self.compared);
        let is_due = compared.last.as_ref().is_none_or(|last| {
            let is_looked_for = compared.decided.is_some_and(|decided| decided.elapsed() < LOOKED_FOR);
            last.lake_version != newest && (is_looked_for || last.began.elapsed() >= COMPARED_FOR)
        });
        if newest.is_none() || compared.is_running || !is_due {
            return;
        }
        compared.is_running = true;
        let queue = Arc::clone(self);
        self.handle.spawn(async move {
            let (began, as_of) = (Instant::now(), SystemTime::now());
            let found = queue.compare().await.map_err(|error| not_compared(&error));
            // Words that contradict each other are shown, so that one can be taken back.
            let said = people::standing(&queue.dir.store, &queue.dir.policy, threads()).await.unwrap_or_default();
            let mut compared = locked(&queue.compared);
            compared.is_running = false;
            compared.last = Some(Pairs { began, as_of, lake_version: newest, found, said });
        });
    }

    async fn compare(&self) -> anyhow::Result<Found> {
        let dir = &self.dir;
        let events = Events::open(&dir.store, "queue").await?.snapshot()?;
        Ok(people::link(&dir.store, &events, &dir.policy, &dir.keys, threads()).await?)
    }

    fn is_a_content(&self, agency: &str, event_id: &str, row: &str) -> anyhow::Result<bool> {
        let Ok(event_id) = Uuid::parse_str(event_id) else { return Ok(false) };
        let all = self.conflicts()?;
        let mut meant = all.iter().filter(|conflict| conflict.agency == agency && conflict.event_id == event_id);
        Ok(meant.any(|conflict| conflict.contents.iter().any(|content| content.row == row)))
    }
}

/// What the endpoint is handed.
pub struct Handed(pub Arc<AtTheData>);

impl Queue for Handed {
    fn waiting(&self) -> Result<Waiting, String> {
        let all = self.0.conflicts().map_err(|error| unread(&error))?;
        self.0.compare_if_due();
        let undecided: Vec<&Conflict> = all.iter().filter(|conflict| !conflict.is_decided()).collect();
        let compared = locked(&self.0.compared);
        let last = compared.last.as_ref();
        let found = last.and_then(|last| last.found.as_ref().ok());
        let doubtful = found.map_or(&[][..], |found| &found.doubtful);
        Ok(Waiting {
            conflicts: undecided.iter().take(MOST).map(|conflict| shown(conflict)).collect(),
            conflicts_in_all: undecided.len(),
            links: doubtful.iter().take(MOST).map(pair).collect(),
            links_in_all: doubtful.len(),
            links_as_of: last.map(|last| DateTime::<Utc>::from(last.as_of).to_rfc3339_opts(SecondsFormat::Secs, true)),
            links_problem: last.and_then(|last| last.found.as_ref().err().copied()),
            is_comparing: compared.is_running,
            said: last.map_or_else(Vec::new, |last| last.said.iter().map(said).collect()),
        })
    }

    fn may_say(&self, word: &Word) -> Result<(), NotSaid> {
        match word {
            Word::Persons { .. } => Ok(()),
            Word::Counts { agency, event_id, row } => match self.0.is_a_content(agency, event_id, row) {
                Ok(true) => Ok(()),
                Ok(false) => Err(NotSaid::Objection("No event of several contents has one at this place.")),
                Err(error) => Err(NotSaid::Failed(unread(&error))),
            },
        }
    }

    fn say(&self, word: &Word) -> Result<(), String> {
        let (config, dir) = (&self.0.config, &self.0.dir);
        let said = match word {
            Word::Persons { person, other, are_one } => {
                locked(&self.0.compared).decided = Some(Instant::now());
                linking::say(config, dir, (*person, *other), *are_one)
            }
            Word::Counts { agency, event_id, row } => Uuid::parse_str(event_id)
                .map_err(anyhow::Error::from)
                .and_then(|event_id| crate::conflicts::decide(config, dir, agency, event_id, row)),
        };
        said.map_err(|error| {
            tracing::error!(error = &*error as &dyn std::error::Error, "a word of the steward could not be said");
            "The log of events does not take the word now.".to_owned()
        })
    }
}

fn threads() -> usize {
    RefreshOptions::default().threads
}

/// The code of why persons could not be compared.
fn not_compared(error: &anyhow::Error) -> &'static str {
    tracing::warn!(error = &**error as &dyn std::error::Error, "doubtful pairs could not be found");
    match error.downcast_ref::<ModelsError>() {
        Some(ModelsError::Decisions(_)) => "words_contradict",
        _ => "failed",
    }
}

fn unread(error: &anyhow::Error) -> String {
    tracing::warn!(error = &**error as &dyn std::error::Error, "what waits for the steward could not be read");
    match error.downcast_ref::<ModelsError>() {
        Some(ModelsError::NoSnapshot) => "Nothing was folded yet.".to_owned(),
        _ => "What waits for the steward cannot be read now.".to_owned(),
    }
}

fn shown(conflict: &Conflict) -> endpoint::Conflict {
    let (because, decided_at) = match conflict.because {
        Because::Least => ("least", None),
        Because::Decided(at) => ("decided", Some(at)),
        Because::DecidedForAbsent(at) => ("decided_for_absent", Some(at)),
    };
    let content = |(at, content): (usize, &conflicts::Content)| endpoint::Content {
        row: content.row.clone(),
        kind: content.kind.short_name(),
        read_at: instant(content.read_us),
        counts: at == conflict.counts,
    };
    let difference =
        |it: &conflicts::Difference| endpoint::Difference { field: it.field.clone(), said: it.said.clone() };
    endpoint::Conflict {
        agency: conflict.agency.clone(),
        event_id: conflict.event_id.to_string(),
        contents: conflict.contents.iter().enumerate().map(content).collect(),
        differs: conflict.differs.iter().map(difference).collect(),
        because,
        decided_at: decided_at.map(instant),
    }
}

fn pair(doubtful: &linkage::Doubtful) -> Pair {
    Pair {
        person: hex(doubtful.pair.0),
        other: hex(doubtful.pair.1),
        confidence_per_mille: u32::from(doubtful.confidence),
        because: match doubtful.because {
            Doubt::Weak => "weak",
            Doubt::Contradicts(_) => "contradicts",
            Doubt::OthersContradict => "others_contradict",
            Doubt::AgencyKeepsApart => "agency_keeps_apart",
            Doubt::TooMany => "too_many",
        },
    }
}

fn said((person, other, are_one): &StewardsPair) -> Said {
    Said { person: hex(*person), other: hex(*other), are_one: *are_one }
}

fn hex(person: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(person))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
