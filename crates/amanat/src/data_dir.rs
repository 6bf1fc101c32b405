//! The data directory: opened once, checked, and handed on as the parts that the roles need.
//!
//! `log.db` (embedded log) · `lake/`, where that is not in a bucket · `keys/master` (0600, or a file named by `AMANAT_MASTER_KEY_FILE`) · `store.toml`
//! (format, key fingerprint, sample or real) · `vault.db` and `audit.db` (what was released and what was asked). A store refuses another key and the other kind of data; a key is never logged.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use eventlog::kafka::{KafkaConfig, KafkaSink, KafkaSource, Membership};
use eventlog::sqlite::SqliteLog;
use eventlog::{EventSink, EventSource, Share, Shared};
use lake::{LakeError, Store, StoreIdentity, StoreKind, StoreLock};
use policy::{Keys, Master, Policy};

use crate::bucket::Bucket;
use crate::config::{Config, LogKind};
use crate::exit::Failure;

/// An open data directory.
pub struct DataDir {
    /// Where it is.
    pub path: PathBuf,
    /// Which data it admits.
    pub kind: StoreKind,
    /// The lake in it.
    pub store: Store,
    /// Keys derived from the master secret.
    pub keys: Arc<Keys>,
    /// Names the master secret and tells nothing about it.
    pub fingerprint: String,
    /// The policy in force.
    pub policy: Arc<Policy>,
}

impl DataDir {
    /// Opens a directory, or makes it where nothing is yet. `wanted` is the kind of data that the command brings; `None` takes
    /// the store as it is, and makes a real one.
    pub fn open_or_create(config: &Config, wanted: Option<StoreKind>) -> anyhow::Result<Self> {
        // Before anything is made: a policy that is refused leaves nothing behind.
        let policy = policy(config)?;
        let bucket = Bucket::of(config)?;
        let found = match StoreIdentity::read(&config.data).map_err(|error| unusable(&config.data, &error))? {
            None => bucket.as_ref().map(Bucket::identity).transpose()?.flatten(),
            here => here,
        };
        let kind = wanted.or(found.as_ref().map(|identity| identity.kind)).unwrap_or(StoreKind::Real);
        lake::create_private_dir(&config.data).map_err(|error| unusable(&config.data, &error))?;
        let master = master(&config.data, found.is_none())?;
        let fingerprint = master.fingerprint();
        if let Some(bucket) = &bucket {
            bucket.settle(&fingerprint, kind)?;
        }
        StoreIdentity::open_or_create(&config.data, &fingerprint, kind, bucket.as_ref().map(Bucket::url))
            .map_err(|error| unusable(&config.data, &error))?;
        Self::with(config, bucket, kind, (&master, policy))
    }

    /// Opens a directory that must be there.
    pub fn open(config: &Config) -> anyhow::Result<Self> {
        let policy = policy(config)?;
        let bucket = Bucket::of(config)?;
        let found = StoreIdentity::read(&config.data).map_err(|error| unusable(&config.data, &error))?;
        let Some(identity) = found else {
            let place = config.data.display();
            return Err(Failure::DataDirectory(format!("there is no store in {place}. `amanat up --sample` makes one to try, `amanat up` one for real data; --data names another directory.")).into());
        };
        let master = master(&config.data, false)?;
        identity
            .check(&master.fingerprint(), identity.kind)
            .and_then(|()| identity.check_lake(bucket.as_ref().map(Bucket::url)))
            .map_err(|error| unusable(&config.data, &error))?;
        if let Some(bucket) = &bucket {
            bucket.agrees(&identity)?;
        }
        Self::with(config, bucket, identity.kind, (&master, policy))
    }

    fn with(
        config: &Config,
        bucket: Option<Bucket>,
        kind: StoreKind,
        (master, policy): (&Master, Policy),
    ) -> anyhow::Result<Self> {
        let store = match bucket {
            Some(bucket) => bucket.store()?,
            None => Store::local(&config.data).map_err(|error| unusable(&config.data, &error))?,
        };
        Ok(Self {
            path: config.data.clone(),
            kind,
            store,
            keys: Arc::new(Keys::derive(master)),
            fingerprint: master.fingerprint(),
            policy: Arc::new(policy),
        })
    }

    /// Whether everything in it is synthetic.
    pub fn is_sample(&self) -> bool {
        self.kind == StoreKind::Sample
    }

    /// Takes the lock of a role, or says which process holds it.
    pub fn lock(&self, role: &str) -> anyhow::Result<StoreLock> {
        StoreLock::acquire(&self.path, role).map_err(|error| unusable(&self.path, &error).into())
    }

    /// The embedded log.
    pub fn embedded(&self) -> anyhow::Result<SqliteLog> {
        SqliteLog::open(self.path.join("log.db"), uuid::Uuid::new_v4()).map_err(|error| log_failure(error).into())
    }

    /// Opens the log for reading.
    pub fn source(&self, config: &Config) -> anyhow::Result<Box<dyn EventSource>> {
        Ok(self.log_source(config).map_err(log_failure)?)
    }

    /// The same with the log's own error, for whoever waits until it answers.
    pub fn log_source(&self, config: &Config) -> Result<Box<dyn EventSource>, eventlog::LogError> {
        Ok(match config.log.kind {
            LogKind::Sqlite => Box::new(SqliteLog::open(self.path.join("log.db"), uuid::Uuid::new_v4())?.source()?),
            LogKind::Kafka => Box::new(KafkaSource::connect(kafka(config))?),
        })
    }

    /// The log as a worker reads it: its share of the partitions, or what its group gives it.
    pub fn source_of_worker(&self, config: &Config, joins_group: bool) -> anyhow::Result<Box<dyn EventSource>> {
        if let (Some(group), true) = (&config.log.group, joins_group) {
            let membership = Membership {
                instance: config.log.instance.clone(),
                session_timeout: Duration::from_millis(config.log.session_timeout_ms),
                ..Membership::of(group)
            };
            let kafka = KafkaConfig { membership: Some(membership), ..kafka(config) };
            return Ok(Box::new(KafkaSource::connect(kafka).map_err(log_failure)?));
        }
        let share = Share::new(config.ingest.worker, config.ingest.workers).unwrap_or(Share::ALL);
        Ok(Box::new(Shared::new(self.source(config)?, share)))
    }

    /// Opens the log for appending.
    pub fn sink(&self, config: &Config) -> anyhow::Result<Box<dyn EventSink>> {
        Ok(match config.log.kind {
            LogKind::Sqlite => Box::new(self.embedded()?.sink().map_err(log_failure)?),
            LogKind::Kafka => Box::new(KafkaSink::new(kafka(config)).map_err(log_failure)?),
        })
    }
}

fn kafka(config: &Config) -> KafkaConfig {
    KafkaConfig {
        generation: config.log.generation,
        partitions: config.log.partitions,
        replicas: config.log.replicas,
        settings: config.log.kafka.clone(),
        ..KafkaConfig::new(&config.log.brokers)
    }
}

/// The policy in force: compiled in, or the files that the configuration names.
pub fn policy(config: &Config) -> anyhow::Result<Policy> {
    let text = |file: Option<&PathBuf>, default: &str| match file {
        Some(path) => {
            std::fs::read_to_string(path).with_context(|| format!("cannot read the policy file {}", path.display()))
        }
        None => Ok(default.to_owned()),
    };
    let agencies = text(config.policy.agencies.as_ref(), policy::DEFAULT_AGENCIES)?;
    let datasets = text(config.policy.datasets.as_ref(), policy::DEFAULT_DATASETS)?;
    let policy = Policy::parse(&agencies, &datasets)
        .map_err(|error| Failure::Usage(format!("the policy is not valid: {error}")))?;
    crate::edition::declared(&policy)?;
    Ok(policy)
}

/// Reads the master secret, or makes it in a store that is new.
fn master(data: &Path, new_store: bool) -> anyhow::Result<Master> {
    if let Some(file) = std::env::var_os("AMANAT_MASTER_KEY_FILE") {
        return read_master(Path::new(&file));
    }
    let file = data.join("keys/master");
    if file.exists() || !new_store {
        return read_master(&file);
    }
    make_master(&file)
        .map_err(|error| Failure::DataDirectory(format!("cannot make the key file {}: {error}", file.display())).into())
}

fn read_master(file: &Path) -> anyhow::Result<Master> {
    let refuse = |what: &str| {
        Failure::DataDirectory(format!(
            "the key file {} {what}. Without this key the store cannot be opened; restore it from its escrow.",
            file.display()
        ))
    };
    let bytes = std::fs::read(file).map_err(|error| refuse(&format!("cannot be read: {error}")))?;
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| refuse("does not hold 32 bytes"))?;
    Ok(Master::from_bytes(bytes))
}

/// Makes a key file: written beside, synced, linked into place, readable by its owner alone.
fn make_master(file: &Path) -> std::io::Result<Master> {
    let mut random = [0; 32];
    std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut random)?;
    let folder = file.parent().expect("a key file lies in a folder");
    std::fs::create_dir_all(folder)?;
    let staged = folder.join(format!("master.{}", std::process::id()));
    let mut out = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&staged)?;
    out.write_all(&random)?;
    out.sync_all()?;
    let linked = std::fs::hard_link(&staged, file);
    std::fs::remove_file(&staged)?;
    linked?;
    std::fs::File::open(folder)?.sync_all()?;
    Ok(Master::generate(random))
}

/// A store error with the directory's name and exit code 4.
pub fn unusable(path: &Path, error: &LakeError) -> Failure {
    Failure::DataDirectory(format!("the data directory {} cannot be used: {error}", path.display()))
}

/// A log error with its exit code.
pub fn log_failure(error: eventlog::LogError) -> Failure {
    crate::exit::of_log(&error)
}
