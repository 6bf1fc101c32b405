//! The configuration: one TOML file, the environment and flags, under the same names, in that order of precedence.
//!
//! Parsed once, at the door: what leaves this module is valid. Unknown keys are refused with the place and the keys that
//! exist. Secrets are named by file, never written here, and never printed by `config show`.

mod endpoint;
mod flight;
mod gateway;
mod lake;
mod postgres;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{Environment, File, FileFormat};
use models::quality::FeedLimits;
use serde::{Deserialize, Serialize, Serializer};

pub use self::endpoint::EndpointConfig;
pub use self::flight::FlightConfig;
pub use self::gateway::GatewayConfig;
pub use self::lake::LakeConfig;
pub use self::postgres::{PostgresConfig, TlsConfig};

/// Everything a role needs to know. Every field has a default that works on a laptop with nothing installed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The data directory: log, lake, keys (see ARCHITECTURE.md, "What a data directory holds").
    pub data: PathBuf,
    /// Address of the HTTP endpoint.
    pub http: SocketAddr,
    /// Address at which `/metrics` is shown to whoever asks. Without it the endpoint shows them, to this machine alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<SocketAddr>,
    /// The door for clients of PostgreSQL.
    pub postgres: PostgresConfig,
    /// The door for clients of Arrow Flight SQL.
    pub flight: FlightConfig,
    /// Certificate and key of the doors that encrypt by themselves.
    pub tls: TlsConfig,
    /// Where events come from.
    pub log: LogConfig,
    /// Where they are kept.
    pub lake: LakeConfig,
    /// The write road.
    pub ingest: IngestConfig,
    /// Marts and Snapshots.
    pub refresh: RefreshConfig,
    /// Who is one with whom.
    pub linkage: LinkageConfig,
    /// How good each agency's feed is.
    pub quality: QualityConfig,
    /// Limits of one question.
    pub sql: SqlConfig,
    /// What keeps answers about protected tables from telling more than they say.
    pub privacy: PrivacyConfig,
    /// The readers' door.
    pub endpoint: EndpointConfig,
    /// The agencies' door.
    pub gateway: GatewayConfig,
    /// Where the schemas of Avro events are found.
    pub registry: RegistryConfig,
    /// Which agencies may emit what, and how datasets are protected.
    pub policy: PolicyConfig,
    /// Log lines of the program itself.
    pub telemetry: TelemetryConfig,
}

/// The event log.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// `sqlite` (embedded, `<data>/log.db`) or `kafka`.
    pub kind: LogKind,
    /// Kafka bootstrap servers, comma separated. Used with `kind = "kafka"`.
    pub brokers: String,
    /// Partitions of a topic that this program creates.
    pub partitions: i32,
    /// Raised by the operator when a topic was recreated on purpose, so that its offsets begin anew (ingestion.md 3.3).
    pub generation: u32,
    /// Whether another log than before may continue a stream, as after a lost `log.db` or a move to another cluster. Off:
    /// the stream stands still. Switch it on for that one time; a raised `generation` does not need it.
    pub accept_new_source: bool,
    /// Days for which the embedded log keeps records after they are in the lake; 0 = for ever. They decide how far a lost
    /// lake could be ingested again. Kafka's retention is its brokers'.
    pub retention_days: u32,
    /// Kafka: share the partitions with other workers by this consumer group, the same for all workers on a lake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Kafka: a name of this worker in the group that stays over restarts (`group.instance.id`): within the session timeout it
    /// gets its partitions back at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Kafka: a worker of the group that shows no sign for so many milliseconds is taken for dead.
    pub session_timeout_ms: u64,
    /// Replicas of a Kafka topic that this program creates; -1 leaves it to the brokers.
    pub replicas: i32,
    /// Further client settings, passed to librdkafka as they are (TLS, SASL). `"sasl.password_file" = "FILE"` reads the value
    /// of `sasl.password` from a file; so for every setting. Secrets are masked wherever this is shown.
    #[serde(serialize_with = "masked")]
    pub kafka: BTreeMap<String, String>,
}

/// Says all but the secrets, as [`masked`].
impl std::fmt::Debug for LogConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&toml::to_string(self).map_err(|_| std::fmt::Error)?)
    }
}

/// What stands for a secret.
const MASK: &str = "(not shown)";

/// Client settings without the values of secrets.
fn masked<S: Serializer>(settings: &BTreeMap<String, String>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(settings.iter().map(|(name, value)| (name, if is_secret(name) { MASK } else { value })))
}

/// Whether the value of a client setting may be a secret, by its name: better one too many.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words = ["password", "secret", "key", "pem", "token", "oauthbearer", "credential", "jaas"];
    !name.ends_with(".location") && words.iter().any(|word| name.contains(word))
}

/// Which log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogKind {
    /// The embedded log.
    Sqlite,
    /// Apache Kafka.
    Kafka,
}

/// The write road.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IngestConfig {
    /// Largest message that is decoded, in bytes; a larger one is set aside as `oversize`.
    pub max_payload_bytes: usize,
    /// A batch is closed at this many bytes of messages.
    pub batch_bytes: usize,
    /// … or this many rows.
    pub batch_rows: usize,
    /// … or this age in milliseconds, if the worker is not busy with those before it.
    pub batch_age_ms: u64,
    /// … or this age in milliseconds in any case.
    pub batch_age_most_ms: u64,
    /// Bytes that a worker may hold between the log and the commit, beside its deduplication windows.
    pub memory_bytes: usize,
    /// Of several workers on one lake each reads its share of the partitions: this is worker number `worker` (from 0) of
    /// `workers`. Not together with `log.group`.
    pub worker: u32,
    /// How many workers share the partitions.
    pub workers: u32,
    /// Days for which set-aside bytes are kept (encrypted); then hash, reason and offset remain.
    pub set_aside_days: u32,
    /// Whether agencies are told, on the stream `tip.receipts.v1` of the log, what became of their messages and which editions
    /// were published.
    pub receipts: bool,
    /// Folder of writers' Avro schemas, `<id>.avsc`: for where no schema registry is. Read when the program starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avro_schemas: Option<PathBuf>,
}

/// Marts and Snapshots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RefreshConfig {
    /// Seconds between two looks for new events by the refresh role of `up`.
    pub every_seconds: u64,
}

/// Finding which persons of several agencies are one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinkageConfig {
    /// Hours between two runs by the refresh role of `up`; 0: only by `amanat link run`. A sample store is linked by that alone.
    pub every_hours: u64,
}

/// How good each agency's feed is: when that is looked at, and what is beyond a limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QualityConfig {
    /// Hours between two looks by the refresh role of `up`, after which each agency hears of its feed; 0: only by `amanat feeds --send`.
    pub every_hours: u64,
    /// What is beyond them is an alert.
    pub limits: FeedLimits,
}

/// Limits of one question (issue: 30 s, 512 MiB, 100,000 rows).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SqlConfig {
    /// Seconds.
    pub time_limit_seconds: u64,
    /// MiB.
    pub memory_limit_mib: usize,
    /// Rows.
    pub row_limit: usize,
    /// Questions in a minute of one reader: of the holder of a key or account, or of one network without one. 0 = no limit.
    pub questions_per_minute: u32,
    /// Questions in a minute of all readers together. 0 = no limit.
    pub questions_per_minute_of_all: u32,
}

/// What keeps answers about protected tables from telling more than they say (privacy.md 6.17).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PrivacyConfig {
    /// An answer leaves so many milliseconds after its question, or twice, four times, … as many.
    pub slot_ms: u64,
}

impl Default for PrivacyConfig {
    fn default() -> Self {
        Self { slot_ms: 250 }
    }
}

impl PrivacyConfig {
    /// The shortest time after which an answer leaves.
    pub fn slot(&self) -> Duration {
        Duration::from_millis(self.slot_ms)
    }
}

/// Another schema registry. Without one the embedded registry is used.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegistryConfig {
    /// Its URL, perhaps with `user:password@`, which is never shown.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "without_user")]
    pub url: Option<String>,
    /// A file with a bearer token for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
}

/// Says all but the secrets.
impl std::fmt::Debug for RegistryConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&toml::to_string(self).map_err(|_| std::fmt::Error)?)
    }
}

impl RegistryConfig {
    /// How the registry is reached; `None` where the embedded one is used.
    pub fn access(&self) -> Result<Option<::gateway::Access>, ConfigError> {
        let Some(url) = &self.url else { return Ok(None) };
        let refuse =
            |key: &str, what: String| ConfigError::Invalid { place: format!("configuration key `{key}`"), what };
        let read = |file: &PathBuf| {
            let text = std::fs::read_to_string(file);
            let why = |error| refuse("registry.token_file", format!("{} cannot be read: {error}", file.display()));
            text.map(|text| text.trim().to_owned()).map_err(why)
        };
        let token = self.token_file.as_ref().map(read).transpose()?;
        ::gateway::Access::new(url, token).map(Some).map_err(|error| refuse("registry.url", error.to_string()))
    }
}

/// A URL without user and password.
#[allow(clippy::ref_option, reason = "serde hands the field over so")]
fn without_user<S: Serializer>(url: &Option<String>, to: S) -> Result<S::Ok, S::Error> {
    let access = ::gateway::Access::new(url.as_deref().unwrap_or_default(), None);
    to.serialize_str(access.as_ref().map_or(MASK, ::gateway::Access::shown))
}

/// Files that replace the policy compiled into the program. Their hash is in every edition's manifest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyConfig {
    /// Who may emit what.
    pub agencies: Option<PathBuf>,
    /// What is counted, hidden and exact.
    pub datasets: Option<PathBuf>,
    /// Which role may ask what, and use which address.
    pub access: Option<PathBuf>,
    /// Hashed keys and passwords of those who may come in; `readers.toml` in the data directory where absent.
    pub readers: Option<PathBuf>,
}

/// Log lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryConfig {
    /// A level (`info`) or a filter (`info,ingest=debug`).
    pub level: String,
    /// `pretty` or `json`.
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("./amanat-data"),
            http: SocketAddr::from(([127, 0, 0, 1], 8080)),
            metrics: None,
            postgres: PostgresConfig::default(),
            flight: FlightConfig::default(),
            tls: TlsConfig::default(),
            log: LogConfig::default(),
            lake: LakeConfig::default(),
            ingest: IngestConfig::default(),
            refresh: RefreshConfig::default(),
            linkage: LinkageConfig::default(),
            quality: QualityConfig::default(),
            sql: SqlConfig::default(),
            privacy: PrivacyConfig::default(),
            endpoint: EndpointConfig::default(),
            gateway: GatewayConfig::default(),
            registry: RegistryConfig::default(),
            policy: PolicyConfig::default(),
            telemetry: TelemetryConfig::default(),
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            kind: LogKind::Sqlite,
            brokers: String::new(),
            partitions: 3,
            generation: 0,
            accept_new_source: false,
            retention_days: 7,
            group: None,
            instance: None,
            session_timeout_ms: 10_000,
            replicas: -1,
            kafka: BTreeMap::new(),
        }
    }
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self {
            max_payload_bytes: 1 << 20,
            batch_bytes: 24 << 20,
            batch_rows: 128 * 1024,
            batch_age_ms: 500,
            batch_age_most_ms: 10_000,
            memory_bytes: 96 << 20,
            worker: 0,
            workers: 1,
            set_aside_days: 90,
            receipts: true,
            avro_schemas: None,
        }
    }
}

impl Default for RefreshConfig {
    fn default() -> Self {
        Self { every_seconds: 60 }
    }
}

impl Default for LinkageConfig {
    fn default() -> Self {
        Self { every_hours: 24 }
    }
}

impl Default for QualityConfig {
    fn default() -> Self {
        Self { every_hours: 24, limits: FeedLimits::default() }
    }
}

impl Default for SqlConfig {
    fn default() -> Self {
        Self {
            time_limit_seconds: 30,
            memory_limit_mib: 512,
            row_limit: 100_000,
            questions_per_minute: 300,
            questions_per_minute_of_all: 3_000,
        }
    }
}

impl SqlConfig {
    /// How often questions may be asked; a side without a limit has a very high one, and none where both have none.
    pub fn pace(&self) -> Option<query::Pace> {
        let of = |limit: u32| NonZeroU32::new(limit);
        let (one, all) = (of(self.questions_per_minute), of(self.questions_per_minute_of_all));
        let any = || NonZeroU32::MAX;
        (one.is_some() || all.is_some())
            .then(|| query::Pace { of_one: one.unwrap_or_else(any), of_all: all.unwrap_or_else(any) })
    }
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Pretty }
    }
}

/// Why a configuration was refused. The text names the place and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The named file is not there or cannot be read.
    #[error(
        "cannot read the configuration file {path}: {source}. Name another with --config, or leave it out for the defaults."
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A key or value is wrong.
    #[error("{place}: {what}. `amanat config show` prints every key with its present value.")]
    Invalid {
        /// Key and source.
        place: String,
        /// What is wrong with it.
        what: String,
    },
}

/// Flags that have a configuration key of the same name.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--data`
    pub data: Option<PathBuf>,
    /// `--http`
    pub http: Option<SocketAddr>,
    /// `--postgres`
    pub postgres: Option<SocketAddr>,
    /// `--flight`
    pub flight: Option<SocketAddr>,
    /// `--brokers`: selects Kafka.
    pub brokers: Option<String>,
    /// `--log-level`
    pub level: Option<String>,
}

/// Environment variables that begin with `AMANAT_` and are no configuration key.
const NOT_KEYS: [&str; 7] = ["config", "key", "master_key_file", "cache", "test_kafka", "test_s3", "failpoints"];

impl Config {
    /// Reads defaults, then the file (if any), then `AMANAT_<KEY>` / `AMANAT_<SECTION>__<KEY>`, then flags.
    pub fn read(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &Overrides,
    ) -> Result<Self, ConfigError> {
        let mut layers = config::Config::builder();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .map_err(|source| ConfigError::Unreadable { path: path.to_path_buf(), source })?;
            layers = layers.add_source(File::from_str(&text, FileFormat::Toml));
        }
        let variables = environment.into_iter().filter(|(name, _)| {
            name.strip_prefix("AMANAT_").is_some_and(|key| !NOT_KEYS.contains(&key.to_ascii_lowercase().as_str()))
        });
        let environment = Environment::with_prefix("AMANAT").prefix_separator("_").separator("__").try_parsing(true);
        layers = layers.add_source(environment.source(Some(variables.collect())));
        let merged = layers.build().and_then(config::Config::try_deserialize::<Self>);
        let mut config =
            merged.map_err(|error| ConfigError::Invalid { place: "configuration".into(), what: error.to_string() })?;
        if let Some(data) = &flags.data {
            config.data.clone_from(data);
        }
        if let Some(http) = flags.http {
            config.http = http;
        }
        if let Some(address) = flags.postgres {
            config.postgres.address = address;
        }
        if let Some(address) = flags.flight {
            config.flight.address = address;
        }
        if let Some(brokers) = &flags.brokers {
            config.log.kind = LogKind::Kafka;
            config.log.brokers.clone_from(brokers);
        }
        if let Some(level) = &flags.level {
            config.telemetry.level.clone_from(level);
        }
        config.checked()
    }

    fn checked(mut self) -> Result<Self, ConfigError> {
        self.log.kafka = with_files(std::mem::take(&mut self.log.kafka))?;
        self.registry.access()?;
        self.lake.place()?;
        self.endpoint.checked()?;
        self.gateway.checked()?;
        self.postgres.checked(&self.tls)?;
        self.flight.checked(&self.tls)?;
        let refuse = |place: &str, what: &str| {
            Err(ConfigError::Invalid { place: format!("configuration key `{place}`"), what: what.into() })
        };
        if self.log.kind == LogKind::Kafka && self.log.brokers.is_empty() {
            return refuse(
                "log.brokers",
                "is empty, and log.kind is \"kafka\": name the bootstrap servers, for instance \"127.0.0.1:9092\"",
            );
        }
        if self.log.partitions < 1 {
            return refuse("log.partitions", "must be at least 1");
        }
        if self.log.replicas != -1 && self.log.replicas < 1 {
            return refuse("log.replicas", "must be at least 1, or -1 for what the brokers are set to");
        }
        if self.ingest.batch_bytes < 1 << 16 || self.ingest.batch_rows == 0 || self.ingest.batch_age_ms == 0 {
            return refuse("ingest", "batch_bytes must be at least 65536, batch_rows and batch_age_ms at least 1");
        }
        if self.ingest.memory_bytes < 3 * self.ingest.batch_bytes {
            return refuse(
                "ingest.memory_bytes",
                "must be at least three times ingest.batch_bytes: one batch is read, one decoded, one written",
            );
        }
        if self.ingest.worker >= self.ingest.workers {
            return refuse("ingest.worker", "must be below ingest.workers: the workers are numbered from 0");
        }
        if self.log.group.is_some() && (self.log.kind != LogKind::Kafka || self.ingest.workers > 1) {
            return refuse(
                "log.group",
                "needs log.kind = \"kafka\", and the group divides the partitions: leave ingest.workers at 1",
            );
        }
        if self.ingest.batch_age_ms.max(self.ingest.batch_age_most_ms) > 86_400_000 {
            return refuse(
                "ingest.batch_age_most_ms",
                "must be below a day: vacuum may delete files of a batch older than that",
            );
        }
        Ok(self)
    }
}

/// Settings that name a file (`sasl.password_file`) become those that they stand for, with what the file holds.
fn with_files(settings: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, ConfigError> {
    let read = |(name, value): (String, String)| {
        let Some(plain) = name.strip_suffix("_file") else { return Ok((name, value)) };
        let text = std::fs::read_to_string(&value).map_err(|error| ConfigError::Invalid {
            place: format!("configuration key `log.kafka.{name}`"),
            what: format!("the file {value} cannot be read: {error}"),
        })?;
        Ok((plain.to_owned(), text.trim_end_matches(['\r', '\n']).to_owned()))
    };
    settings.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(toml: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), toml).unwrap();
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::read(Some(file.path()), environment, &Overrides::default())
    }

    #[test]
    fn nothing_gives_the_defaults() {
        assert_eq!(read("", &[]).unwrap(), Config::default());
    }

    #[test]
    fn the_environment_overrides_the_file_and_flags_override_both() {
        let config = read(
            "[sql]\nrow_limit = 5\ntime_limit_seconds = 7\n",
            &[("AMANAT_SQL__ROW_LIMIT", "6"), ("AMANAT_CACHE", "x")],
        )
        .unwrap();
        assert_eq!((config.sql.row_limit, config.sql.time_limit_seconds), (6, 7));
        let flags = Overrides { brokers: Some("127.0.0.1:9092".into()), ..Overrides::default() };
        assert_eq!(Config::read(None, [], &flags).unwrap().log.kind, LogKind::Kafka);
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        for (toml, environment) in [("[sql]\nrows = 5\n", vec![]), ("", vec![("AMANAT_SQL__ROWS", "5")])] {
            let error = read(toml, &environment).unwrap_err().to_string();
            assert!(error.contains("rows"), "{error}");
        }
    }

    #[test]
    fn secrets_of_the_client_are_never_shown_and_may_stand_in_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "hush-file\n").unwrap();
        let toml = format!(
            "[log.kafka]\n\"sasl.username\" = \"amanat\"\n\"sasl.password_file\" = {:?}\n\"ssl.key.password\" = \"hush\"\n\"ssl.key.location\" = \"/etc/key\"\n",
            file.path()
        );
        let config = read(&toml, &[]).unwrap();
        assert_eq!(config.log.kafka["sasl.password"], "hush-file");
        for shown in [toml::to_string_pretty(&config).unwrap(), format!("{config:?}")] {
            assert!(!shown.contains("hush"), "{shown}");
            assert!(shown.contains("amanat") && shown.contains("/etc/key"), "{shown}");
        }
        let error = read("[log.kafka]\n\"sasl.password_file\" = \"/nowhere/x\"\n", &[]).unwrap_err().to_string();
        assert!(error.contains("sasl.password_file"), "{error}");
    }

    #[test]
    fn a_registrys_password_is_never_shown_and_its_address_is_checked() {
        let config = read("[registry]\nurl = \"https://amanat:hush@registry.example:8081\"\n", &[]).unwrap();
        for shown in [toml::to_string_pretty(&config).unwrap(), format!("{config:?}")] {
            assert!(!shown.contains("hush") && shown.contains("https://registry.example:8081"), "{shown}");
        }
        let error = read("", &[("AMANAT_REGISTRY__URL", "amanat:hush@registry")]).unwrap_err().to_string();
        assert!(error.contains("registry.url") && !error.contains("hush"), "{error}");
        let both = "[registry]\nurl = \"https://registry.example\"\ntoken_file = \"/nowhere/x\"\n";
        let error = read(both, &[]).unwrap_err().to_string();
        assert!(error.contains("registry.token_file"), "{error}");
    }

    #[test]
    fn kafka_without_brokers_says_what_to_name() {
        let error = read("[log]\nkind = \"kafka\"\n", &[]).unwrap_err().to_string();
        assert!(error.contains("log.brokers"), "{error}");
    }
}
