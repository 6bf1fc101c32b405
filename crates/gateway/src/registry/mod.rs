//! The registry: subjects, their versions, and schemas by id, in one SQLite file.
//!
//! Durable before it is answered (WAL, `synchronous=FULL`). Several processes of one machine may share the file: nothing is
//! remembered outside it but what cannot change. Ids ascend, are never reused and mean the same for ever, so nothing is ever
//! deleted: events are kept for ever and each names the id of its schema.
//!
//! Absent: HTTP (see [`crate::router`]), accounts, contexts, modes.

mod drafts;
mod rows;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, TransactionBehavior};
use tracing::{info, warn};

use crate::avro::{Definitions, Effort, SchemaFault};
use crate::error::{RegistryError, Result};
use crate::reading::Readable;
use crate::schema::{Draft, Level, MAX_SCHEMA_BYTES, Schema, Version, Which};
use crate::store;
use drafts::{Followed, definitions, digest};

/// Most subjects.
pub const MAX_SUBJECTS: i64 = 10_000;

/// Most versions of a subject.
pub const MAX_VERSIONS: usize = 500;

/// Most bytes of all versions of a subject together: what one comparison reads at most.
pub const MAX_SUBJECT_BYTES: usize = 4 << 20;

/// Most bytes of all schemas together: whoever registers without end fills 1 GiB and no more.
const MAX_REGISTRY_BYTES: i64 = 1 << 30;

/// Most bytes that one comparison reads, what schemas refer to included: small schemas may refer to large ones.
const MAX_COMPARED_BYTES: usize = 16 << 20;

/// The level where none was set.
const DEFAULT_LEVEL: Level = Level::BackwardTransitive;

/// A released version of a contract, known to the program. Its subject is guarded: nothing in it is weakened, and what is
/// registered there must be readable by the newest contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltIn {
    /// The subject.
    pub subject: String,
    /// The contract's version, from 1.
    pub version: u32,
    /// The Avro schema, referring to nothing.
    pub text: String,
}

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the schema may become the next version.
    pub compatible: bool,
    /// Why not, one sentence each.
    pub differences: Vec<String>,
}

/// With which versions a schema is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// With those that the subject's level names; a subject that does not exist yet takes anything.
    Level,
    /// With one version, in the direction that the level names.
    One(Which),
}

/// The registry. Clones share it.
#[derive(Clone)]
pub struct Registry {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    connection: Mutex<Connection>,
    /// The newest contract of each guarded subject.
    contracts: BTreeMap<String, (u32, Readable)>,
}

/// What of a subject decides about a new version.
struct Known {
    versions: Vec<Version>,
    level: Level,
}

impl Registry {
    /// Opens the file or makes it (mode 0600), and registers the contracts in the order given, so that in a new file their ids
    /// follow from it. A contract that is registered already keeps its id.
    pub fn open(path: &Path, built_in: &[BuiltIn]) -> Result<Self> {
        let connection = store::open(path)?;
        let mut contracts: BTreeMap<String, (u32, Readable)> = BTreeMap::new();
        for contract in built_in {
            let readable = Readable::read(&Draft::avro(&contract.text), &Definitions::new())?;
            let newest =
                contracts.entry(contract.subject.clone()).or_insert_with(|| (contract.version, readable.clone()));
            if contract.version > newest.0 {
                *newest = (contract.version, readable);
            }
        }
        let inner = Inner { path: path.to_path_buf(), connection: Mutex::new(connection), contracts };
        let registry = Self { inner: Arc::new(inner) };
        for contract in built_in {
            registry.install(contract)?;
        }
        Ok(registry)
    }

    /// Registers a contract. What agencies have registered before it cannot keep it out; the log says when they do not fit.
    fn install(&self, contract: &BuiltIn) -> Result<()> {
        let draft = Draft::avro(&contract.text);
        match self.find(&contract.subject, &draft) {
            Ok(_) => return Ok(()),
            Err(RegistryError::SubjectNotFound(_) | RegistryError::SchemaNotFound(_)) => {}
            Err(other) => return Err(other),
        }
        let verdict = self.check(&contract.subject, Against::Level, &draft)?;
        if !verdict.compatible {
            let (subject, differences) = (&contract.subject, verdict.differences.join("; "));
            warn!(subject, version = contract.version, differences, "the contract cannot read what is registered here");
        }
        let readable = Readable::read(&draft, &Definitions::new())?;
        self.insert(&contract.subject, &draft, &digest(&draft, &readable), None)?;
        Ok(())
    }

    /// The names of all subjects, in order.
    pub fn subjects(&self) -> Result<Vec<String>> {
        self.with(|connection| rows::subjects(connection))
    }

    /// The numbers of a subject's versions, ascending.
    pub fn versions(&self, subject: &str) -> Result<Vec<i32>> {
        let versions = self.with(|connection| rows::version_numbers(connection, subject))?;
        if versions.is_empty() { Err(RegistryError::SubjectNotFound(subject.into())) } else { Ok(versions) }
    }

    /// A version of a subject.
    pub fn version(&self, subject: &str, which: Which) -> Result<Version> {
        let found = self.with(|connection| rows::version(connection, subject, which))?;
        if let Some(found) = found {
            return Ok(found);
        }
        self.versions(subject)?;
        let version = match which {
            Which::Latest => "latest".to_owned(),
            Which::Number(number) => number.to_string(),
        };
        Err(RegistryError::VersionNotFound { subject: subject.into(), version })
    }

    /// The schema of an id.
    pub fn schema(&self, id: i32) -> Result<Schema> {
        let found = self.with(|connection| rows::schema(connection, id))?;
        found.ok_or_else(|| RegistryError::SchemaNotFound(format!("there is no id {id}")))
    }

    /// The schema of an id with everything it refers to inside it: what a decoder takes.
    pub fn resolved(&self, id: i32) -> Result<Schema> {
        let schema = self.schema(id)?;
        if schema.draft.references.is_empty() {
            return Ok(schema);
        }
        let text = self.read(&schema.draft)?.canonical();
        Ok(Schema { id, draft: Draft { text, references: Vec::new(), ..schema.draft } })
    }

    /// The versions under which an id is registered.
    pub fn places(&self, id: i32) -> Result<Vec<(String, i32)>> {
        self.schema(id)?;
        self.with(|connection| rows::places(connection, id))
    }

    /// The ids of the schemas that refer to a version.
    pub fn referenced_by(&self, subject: &str, which: Which) -> Result<Vec<i32>> {
        let version = self.version(subject, which)?;
        self.with(|connection| rows::referenced_by(connection, subject, version.version))
    }

    /// The version of a subject that says the same as the draft.
    pub fn find(&self, subject: &str, draft: &Draft) -> Result<Version> {
        let versions = self.versions(subject)?;
        debug_assert!(!versions.is_empty());
        let digest = digest(draft, &self.read(draft)?);
        let found = self.with(|connection| rows::version_of_digest(connection, subject, &digest))?;
        found.ok_or_else(|| RegistryError::SchemaNotFound(format!("no version of '{subject}' says the same")))
    }

    /// Registers a schema as the next version of a subject, if it fits those before it; what says the same as a version is
    /// that version. `normalize` stores the canonical form in place of the text as sent.
    pub fn register(&self, subject: &str, draft: &Draft, normalize: bool) -> Result<Version> {
        check_subject(subject)?;
        let readable = self.read(draft)?;
        let digest = digest(draft, &readable);
        let stored = if normalize && draft.references.is_empty() {
            Draft { text: readable.canonical(), ..draft.clone() }
        } else {
            draft.clone()
        };
        loop {
            if let Some(found) = self.with(|connection| rows::version_of_digest(connection, subject, &digest))? {
                return Ok(found);
            }
            // Compared outside the transaction: a comparison may take a second, and other processes wait for the writer.
            let known = self.known(subject)?;
            self.room(subject, &known, &stored)?;
            let verdict = self.judge(subject, &readable, &known.versions, known.level)?;
            if !verdict.compatible {
                return Err(RegistryError::Incompatible { subject: subject.into(), differences: verdict.differences });
            }
            if let Some(version) = self.insert(subject, &stored, &digest, Some((known.versions.len(), known.level)))? {
                info!(subject, version = version.version, id = version.schema.id, "registered");
                return Ok(version);
            }
        }
    }

    /// Whether a schema could become the next version of a subject.
    pub fn check(&self, subject: &str, against: Against, draft: &Draft) -> Result<Verdict> {
        let readable = self.read(draft)?;
        let known = self.known(subject)?;
        match against {
            Against::Level => self.judge(subject, &readable, &known.versions, known.level),
            Against::One(which) => {
                let version = self.version(subject, which)?;
                self.judge(subject, &readable, &[version], known.level)
            }
        }
    }

    /// The level of a subject by its own setting, or the global one (`None`).
    pub fn level(&self, subject: Option<&str>) -> Result<Level> {
        let found = self.with(|connection| rows::level(connection, subject.unwrap_or_default()))?;
        match (found, subject) {
            (Some(level), _) => Ok(level),
            (None, None) => Ok(DEFAULT_LEVEL),
            (None, Some(subject)) => Err(RegistryError::NoLevel(subject.into())),
        }
    }

    /// The level that is in force for a subject.
    pub fn level_in_force(&self, subject: &str) -> Result<Level> {
        self.with(|connection| self.in_force(connection, subject))
    }

    /// A contract's subject does not follow the global level, which anybody may lower.
    fn in_force(&self, connection: &Connection, subject: &str) -> rusqlite::Result<Level> {
        let own = rows::level(connection, subject)?;
        let global = if self.is_guarded(subject) { None } else { rows::level(connection, "")? };
        Ok(own.or(global).unwrap_or(DEFAULT_LEVEL))
    }

    /// Sets the level of a subject, or the global one.
    pub fn set_level(&self, subject: Option<&str>, level: Level) -> Result<()> {
        if let Some(subject) = subject {
            check_subject(subject)?;
            if self.is_guarded(subject) && !matches!(level, Level::BackwardTransitive | Level::FullTransitive) {
                return Err(RegistryError::NotPermitted(format!(
                    "'{subject}' is a contract of this registry; its level is BACKWARD_TRANSITIVE or FULL_TRANSITIVE."
                )));
            }
        }
        self.with(|connection| rows::set_level(connection, subject.unwrap_or_default(), level))?;
        info!(subject = subject.unwrap_or("(all)"), level = level.name(), "compatibility level set");
        Ok(())
    }

    /// Takes a level away; returns what it was.
    pub fn clear_level(&self, subject: Option<&str>) -> Result<Level> {
        let was = self.level(subject)?;
        self.with(|connection| rows::clear_level(connection, subject.unwrap_or_default()))?;
        info!(subject = subject.unwrap_or("(all)"), "compatibility level back to the default");
        Ok(was)
    }

    /// Whether a subject belongs to a contract of the program.
    pub fn is_guarded(&self, subject: &str) -> bool {
        self.inner.contracts.contains_key(subject)
    }

    /// What was fetched from another registry under an id, if it was.
    pub(crate) fn fetched(&self, registry: &str, id: i32) -> Result<Option<Draft>> {
        self.with(|connection| rows::fetched(connection, registry, id))
    }

    /// Keeps what another registry says of an id.
    pub(crate) fn keep_fetched(&self, registry: &str, id: i32, draft: &Draft) -> Result<()> {
        self.with(|connection| rows::keep_fetched(connection, registry, id, draft))
    }

    /// Reads a draft with what it refers to.
    fn read(&self, draft: &Draft) -> Result<Readable> {
        if draft.text.len() > MAX_SCHEMA_BYTES {
            return Err(SchemaFault::whole(format!("longer than {} KiB", MAX_SCHEMA_BYTES >> 10)).into());
        }
        Ok(self.read_counted(draft)?.0)
    }

    /// Reads a draft, and says how many bytes that took.
    fn read_counted(&self, draft: &Draft) -> Result<(Readable, usize)> {
        let mut followed = Followed::default();
        let definitions = self.with_typed(|connection| definitions(connection, draft, 0, &mut followed))?;
        Ok((Readable::read(draft, &definitions)?, draft.text.len() + followed.bytes))
    }

    fn known(&self, subject: &str) -> Result<Known> {
        self.with(|connection| {
            let versions = rows::all_versions(connection, subject)?;
            Ok(Known { versions, level: self.in_force(connection, subject)? })
        })
    }

    fn room(&self, subject: &str, known: &Known, new: &Draft) -> Result<()> {
        let bytes: usize = known.versions.iter().map(|version| version.schema.draft.text.len()).sum();
        if known.versions.len() >= MAX_VERSIONS || bytes + new.text.len() > MAX_SUBJECT_BYTES {
            return Err(RegistryError::NotPermitted(format!(
                "'{subject}' is full: at most {MAX_VERSIONS} versions and {} MiB together. Register a new subject.",
                MAX_SUBJECT_BYTES >> 20
            )));
        }
        if known.versions.is_empty() && self.with(|connection| rows::subject_count(connection))? >= MAX_SUBJECTS {
            return Err(RegistryError::NotPermitted(format!("there are {MAX_SUBJECTS} subjects already.")));
        }
        let all = self.with(|connection| rows::schema_bytes(connection))?;
        if all + new.text.len() as i64 > MAX_REGISTRY_BYTES {
            return Err(RegistryError::Full(self.inner.path.clone()));
        }
        Ok(())
    }

    /// Compares a schema with versions, the newest first, in the directions of a level.
    fn judge(&self, subject: &str, new: &Readable, versions: &[Version], level: Level) -> Result<Verdict> {
        let mut effort = Effort::of_a_request();
        // With itself as well: what cannot be compared even with itself could never have a successor.
        let mut differences = new.cannot_read(new, &mut effort);
        let counted = if level.is_transitive() { versions.len() } else { 1 };
        let mut compared = 0;
        for version in versions.iter().rev().take(counted) {
            if level == Level::None || !differences.is_empty() {
                break;
            }
            let (earlier, bytes) = self.read_counted(&version.schema.draft)?;
            let number = version.version;
            compared += bytes;
            if compared > MAX_COMPARED_BYTES {
                differences.push("the versions and what they refer to are too large to be compared".into());
            }
            if level.reads_earlier() {
                let found = new.cannot_read(&earlier, &mut effort).into_iter();
                differences.extend(found.map(|what| format!("it cannot read what version {number} writes: {what}")));
            }
            if level.read_by_earlier() {
                let found = earlier.cannot_read(new, &mut effort).into_iter();
                differences.extend(found.map(|what| format!("version {number} cannot read what it writes: {what}")));
            }
        }
        if let (Some((number, contract)), true) = (self.inner.contracts.get(subject), differences.is_empty()) {
            let found = contract.cannot_read(new, &mut effort).into_iter();
            differences.extend(
                found.map(|what| format!("version {number} of the contract could not read its events: {what}")),
            );
        }
        Ok(Verdict { compatible: differences.is_empty(), differences })
    }

    /// Adds a version. With `judged`, only if the subject still has so many versions and that level: `None` when not.
    fn insert(
        &self,
        subject: &str,
        draft: &Draft,
        digest: &[u8],
        judged: Option<(usize, Level)>,
    ) -> Result<Option<Version>> {
        if let Some((count, level)) = judged {
            return self.with(|connection| {
                let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                if rows::version_numbers(&tx, subject)?.len() != count || self.in_force(&tx, subject)? != level {
                    return Ok(None);
                }
                let added = rows::add(&tx, subject, draft, digest)?;
                tx.commit()?;
                Ok(Some(added))
            });
        }
        self.with(|connection| {
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let added = match rows::version_of_digest(&tx, subject, digest)? {
                Some(found) => found, // another process was first
                None => rows::add(&tx, subject, draft, digest)?,
            };
            tx.commit()?;
            Ok(Some(added))
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Result<T> {
        self.with_typed(|connection| Ok(work(connection)?))
    }

    fn with_typed<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        // A panic while the lock was held rolled its transaction back; the connection is as good as new.
        let mut connection = self.inner.connection.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut connection).map_err(|error| match error {
            RegistryError::Sqlite { source, .. } => store::typed(&self.inner.path, source),
            other => other,
        })
    }
}

impl From<rusqlite::Error> for RegistryError {
    fn from(source: rusqlite::Error) -> Self {
        Self::Sqlite { path: PathBuf::new(), source }
    }
}

fn check_subject(subject: &str) -> Result<()> {
    let good = !subject.is_empty() && subject.len() <= 255 && !subject.chars().any(char::is_control);
    if good { Ok(()) } else { Err(RegistryError::InvalidSubject) }
}
