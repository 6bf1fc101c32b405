//! What a message needs before it can be read, and which partitions wait for it: the Avro schema of its writer (who is asked
//! for it, which are known), and the version of its type (see `versions`).
//!
//! An id that the registry does not have, or a registry that does not answer, is ours to mend and not the agency's: the
//! partition waits, visibly, and nothing is set aside for it (ingestion.md 3.6). The look is taken here, before messages
//! are handed on: a batch never holds a message whose schema is not known, because the run ends before it. A schema that
//! is known but cannot be read under the contract is the writer's mistake: it is told once, and its messages are set
//! aside, each with that reason.
//!
//! Absent: HTTP (the program brings a [`SchemaSource`]), and forgetting: an id's schema never changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use eventlog::{Partition, Record, Records, RecordsBuilder};
use events::avro::{self, WriterSchemas};
use events::{EventType, Limits, Message};
use smallvec::SmallVec;
use tracing::{info, warn};

use crate::backoff::Backoff;
use crate::versions::KnownVersions;

/// What a registry says of an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaAnswer {
    /// The schema's text.
    Found(String),
    /// It has no such id.
    Unknown,
    /// It does not answer; why, in words without secrets.
    Away(String),
    /// None is configured; the setting that is missing.
    NotConfigured(&'static str),
}

/// Whoever knows writers' schemas by their id in a registry.
///
/// It is asked on the thread that reads the log, so it must answer within a few seconds, with `Away` if need be. A known
/// id is not asked for again.
pub trait SchemaSource: fmt::Debug + Send + Sync {
    /// The schema of an id.
    fn schema(&self, id: u32) -> SchemaAnswer;
}

/// No registry.
#[derive(Debug, Clone, Copy)]
pub struct NoRegistry;

impl SchemaSource for NoRegistry {
    fn schema(&self, _: u32) -> SchemaAnswer {
        SchemaAnswer::NotConfigured("ingest.avro_schemas (a folder) or the registry's address")
    }
}

/// Schemas that are all given at the start.
#[derive(Debug, Clone, Default)]
pub struct StaticSchemas(pub BTreeMap<u32, String>);

impl SchemaSource for StaticSchemas {
    fn schema(&self, id: u32) -> SchemaAnswer {
        self.0.get(&id).map_or(SchemaAnswer::Unknown, |text| SchemaAnswer::Found(text.clone()))
    }
}

/// Why a partition waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The message that cannot be read yet; the next to be ingested.
    pub offset: i64,
    /// What it needs.
    pub need: Need,
}

/// What a message needs to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// The Avro schema that it is written with.
    Schema {
        /// The schema's id.
        id: u32,
        /// What the registry says.
        reason: WaitReason,
    },
    /// A program that knows this version of its type.
    Version {
        /// Its type.
        kind: EventType,
        /// The version that its `dataschema` names.
        version: u16,
    },
}

/// What a registry says instead of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitReason {
    /// It has no such id.
    Unknown,
    /// It does not answer; why.
    Away(String),
    /// None is configured; the setting that is missing.
    NotConfigured(&'static str),
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, need } = self;
        let (id, reason) = match need {
            Need::Schema { id, reason } => (id, reason),
            Need::Version { kind, version } => {
                return write!(
                    f,
                    "offset {offset} is an event {kind} of version {version}, which this program does not know; start a \
                     program that does, and the partition is read on; if there is no such version, the producer names \
                     it by mistake"
                );
            }
        };
        write!(f, "offset {offset} is written with the Avro schema {id}, ")?;
        match reason {
            WaitReason::Unknown => f.write_str(
                "which the schema registry does not have; check that the worker uses the registry that the producer \
                 registers with; the partition is read on when the schema is there",
            ),
            WaitReason::Away(why) => {
                write!(f, "and the schema registry does not answer ({why}); the partition is read on when it does")
            }
            WaitReason::NotConfigured(setting) => {
                write!(f, "and no schema registry is configured; set {setting}, and start the worker again")
            }
        }
    }
}

/// The schemas that are known, shared by the threads of a worker.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownSchemas(Arc<Mutex<Arc<WriterSchemas>>>);

impl KnownSchemas {
    /// What is known now; it does not change.
    pub(crate) fn now(&self) -> Arc<WriterSchemas> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Rarely called, so the whole is copied, and readers need no lock.
    fn add(&self, id: u32, text: &str) {
        let mut schemas = WriterSchemas::clone(&self.now());
        if let Err(fault) = schemas.insert(id, text) {
            warn!(schema = id, %fault, "an Avro schema cannot be read under the contract; its messages are set aside");
        } else {
            info!(schema = id, "an Avro schema is known from now on");
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(schemas);
    }
}

/// Schemas of a worker: what is known and who is asked.
#[derive(Debug, Clone)]
pub(crate) struct Schemas {
    pub known: KnownSchemas,
    pub source: Arc<dyn SchemaSource>,
}

impl Schemas {
    pub(crate) fn new(source: Arc<dyn SchemaSource>) -> Self {
        Self { known: KnownSchemas::default(), source }
    }

    /// The Avro schema that a record needs and that cannot be had now; `known` is renewed when one was learned. One comparison for
    /// each message that is not Avro.
    pub(crate) fn lacks(&self, record: &Record<'_>, known: &mut Arc<WriterSchemas>, limits: Limits) -> Option<Need> {
        let value = record.value.filter(|value| value.first() == Some(&avro::MAGIC));
        let id = frame_id(value).filter(|id| !known.knows(*id))?;
        let headers: SmallVec<[(&str, &[u8]); 12]> = record.headers.collect();
        let message = Message { key: record.key, headers: &headers, value };
        // Only now the envelope is looked at: a message that is refused anyway needs no schema.
        avro::schema_id(&message, &limits)?;
        match self.ask(id) {
            Ok(()) => {
                *known = self.known.now();
                None
            }
            Err(reason) => Some(Need::Schema { id, reason }),
        }
    }

    /// Asks for an id that is not known.
    fn ask(&self, id: u32) -> Result<(), WaitReason> {
        match self.source.schema(id) {
            SchemaAnswer::Found(text) => {
                self.known.add(id, &text);
                Ok(())
            }
            SchemaAnswer::Unknown => Err(WaitReason::Unknown),
            SchemaAnswer::Away(why) => Err(WaitReason::Away(why)),
            SchemaAnswer::NotConfigured(setting) => Err(WaitReason::NotConfigured(setting)),
        }
    }
}

/// Holds back what cannot be read yet.
#[derive(Debug)]
pub(crate) struct Gate {
    schemas: Schemas,
    versions: KnownVersions,
    limits: Limits,
    waiting: BTreeMap<Partition, Waiting>,
    backoff: Backoff,
    /// When the waiting ones are asked for again.
    due: Duration,
}

/// What became of a partition that waited.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// What it needs is there: it can be read on.
    Ready(Partition),
    /// It waits on; the reason may be another.
    Still(Partition, Waiting),
}

impl Gate {
    pub(crate) fn new(schemas: Schemas, versions: KnownVersions, limits: Limits, backoff: Backoff) -> Self {
        Self { schemas, versions, limits, waiting: BTreeMap::new(), backoff, due: Duration::ZERO }
    }

    pub(crate) fn holds(&self, partition: &Partition) -> bool {
        self.waiting.contains_key(partition)
    }

    /// Partitions that wait.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Partition> {
        self.waiting.keys()
    }

    pub(crate) fn forget(&mut self, partition: &Partition) {
        self.waiting.remove(partition);
    }

    /// Lets records through; `from` is the first offset that is wanted. Where one needs what cannot be had now, only those
    /// before it, and their partition waits.
    pub(crate) fn pass(
        &mut self,
        partition: &Partition,
        records: Records,
        from: i64,
        now: Duration,
    ) -> (Records, Option<Waiting>) {
        let Some(waiting) = self.first_held(partition, &records, from) else { return (records, None) };
        warn!(partition = %partition, reason = %waiting, "the partition waits");
        self.waiting.insert(partition.clone(), waiting.clone());
        if self.wanted().count() == 1 {
            self.due = now + self.backoff.failed().0;
        }
        (before(&records, waiting.offset), Some(waiting))
    }

    /// The schemas that partitions wait for.
    fn wanted(&self) -> impl Iterator<Item = u32> {
        self.waiting.values().filter_map(|waiting| match waiting.need {
            Need::Schema { id, .. } => Some(id),
            Need::Version { .. } => None,
        })
    }

    /// The first record that needs something that cannot be had now.
    fn first_held(&self, partition: &Partition, records: &Records, from: i64) -> Option<Waiting> {
        let mut known = self.schemas.known.now();
        for record in records.iter().filter(|record| record.offset >= from) {
            let need = match self.versions.lacks(partition, &record, self.limits) {
                Some((kind, version)) => Some(Need::Version { kind, version }),
                None => self.schemas.lacks(&record, &mut known, self.limits),
            };
            if let Some(need) = need {
                return Some(Waiting { offset: record.offset, need });
            }
        }
        None
    }

    /// Asks again, when it is time, for the schemas that partitions wait for: each id once. Who waits for another program waits
    /// on.
    pub(crate) fn ask_again(&mut self, now: Duration) -> Vec<Asked> {
        if self.waiting.is_empty() || now < self.due {
            return Vec::new();
        }
        let ids: BTreeSet<u32> = self.wanted().collect();
        if ids.is_empty() {
            return Vec::new();
        }
        let known = self.schemas.known.now();
        let answers: BTreeMap<u32, Result<(), WaitReason>> =
            ids.into_iter().map(|id| (id, if known.knows(id) { Ok(()) } else { self.schemas.ask(id) })).collect();
        self.due = now + self.backoff.failed().0;
        if answers.values().any(Result::is_ok) {
            self.backoff.worked();
        }
        let told = self.waiting.iter_mut().filter_map(|(partition, waiting)| {
            let Need::Schema { id, reason } = &mut waiting.need else { return None };
            Some(match &answers[id] {
                Ok(()) => Asked::Ready(partition.clone()),
                Err(why) => {
                    reason.clone_from(why);
                    Asked::Still(partition.clone(), waiting.clone())
                }
            })
        });
        told.collect()
    }
}

/// The records before an offset.
fn before(records: &Records, offset: i64) -> Records {
    let first = records.get(0).map_or(offset, |record| record.offset.min(offset));
    let mut builder = RecordsBuilder::starting_at(first);
    for record in records.iter().take_while(|record| record.offset < offset) {
        builder.push(record.offset, record.timestamp_ms, record.key, record.headers, record.value);
    }
    builder.advance_to(offset);
    builder.finish()
}

/// The id in the framing, before anything else of the message is looked at.
fn frame_id(value: Option<&[u8]>) -> Option<u32> {
    let [_, id @ ..] = value?.first_chunk::<{ avro::FRAME_BYTES }>()?;
    Some(u32::from_be_bytes(*id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_that_waits_says_for_what_why_and_what_to_do() {
        let said = |reason| Waiting { offset: 12, need: Need::Schema { id: 7, reason } }.to_string();
        assert!(said(WaitReason::Unknown).starts_with("offset 12 is written with the Avro schema 7, which"));
        assert!(said(WaitReason::Away("refused".into())).contains("does not answer (refused)"));
        let SchemaAnswer::NotConfigured(setting) = NoRegistry.schema(7) else { panic!("there is none") };
        assert!(said(WaitReason::NotConfigured(setting)).contains("set ingest.avro_schemas"));
        let need = Need::Version { kind: EventType::VictimIdentified, version: 9 };
        let said = Waiting { offset: 12, need }.to_string();
        assert!(said.contains("pk.tip.victim.identified of version 9") && said.contains("start a program"), "{said}");
    }

    #[test]
    fn an_id_is_asked_for_until_it_is_known_and_then_never_again() {
        let schemas = Schemas::new(Arc::new(StaticSchemas::default()));
        assert_eq!(schemas.ask(1), Err(WaitReason::Unknown));
        schemas.known.add(1, "not a schema");
        assert!(schemas.known.now().knows(1), "a schema that cannot be used is known, too");
    }
}
