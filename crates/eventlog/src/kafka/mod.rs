//! Apache Kafka as the log, through librdkafka.
//!
//! Reading: partitions start where the caller says; no committed offset is ever read, and an offset that is not there is
//! an error (ingestion.md 3.4, step 1). Which partitions a worker reads is said by hand or by a consumer group (`group`), which
//! decides that alone. Which cluster it is, is asked at the start and again after every outage. Writing: idempotent, acknowledged by all in-sync replicas, and `append` returns
//! only after the delivery report of each message.
//!
//! librdkafka's own log lines go to `tracing` at debug level (target `librdkafka`): what matters comes as an error.
//!
//! Absent: transactions (readers see only committed ones of others), schema registries.

mod client;
mod group;
pub mod mock;
mod reader;
mod topics;
mod writer;

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use crate::error::{LogError, Result};
use crate::partition::Partition;
pub use reader::KafkaSource;
pub use writer::KafkaSink;

/// The largest message that is sent, and that topics made here take, in bytes. Ingest accepts far less
/// (ingestion.md 3.6); what is too large for it is still kept, to be set aside.
pub const MAX_MESSAGE_BYTES: usize = 32 << 20;

/// How to reach Kafka, and what to make there.
#[derive(Clone, Debug)]
pub struct KafkaConfig {
    /// `host:port[,host:port…]`
    pub bootstrap: String,
    /// Which life of the streams this is: the part of [`source_uid`](crate::EventSource::source_uid) behind `#`. An
    /// operator raises it after topics were recreated or moved on purpose (ingestion.md 3.3).
    pub generation: u32,
    /// Partitions of a topic that a sink creates.
    pub partitions: i32,
    /// Replicas of a topic that a sink creates; -1 leaves it to the brokers (`default.replication.factor`).
    pub replicas: i32,
    /// How long a question to the brokers may take before it is [`LogError::Unavailable`].
    pub request_timeout: Duration,
    /// How long a message may wait for its acknowledgement before the append is [`LogError::Unavailable`].
    pub delivery_timeout: Duration,
    /// Commit hints as offsets of this consumer group, so that Kafka's own tools show a lag. They are never read here.
    /// With a [`Self::membership`] the hints go to its group.
    pub hint_group: Option<String>,
    /// Share the partitions with other workers by a consumer group; `None`: read all that the caller asks for.
    pub membership: Option<Membership>,
    /// Further settings of librdkafka: security, fetch sizes, compression. Those that the guarantees rest on are refused.
    pub settings: BTreeMap<String, String>,
}

/// How a worker takes part in a consumer group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Name of the group, the same for all workers on one lake.
    pub group: String,
    /// A name that stays with a worker over its restarts (`group.instance.id`): within the session timeout it gets back what it
    /// had, without a rebalance. No two workers at once may have the same.
    pub instance: Option<String>,
    /// A worker that shows no sign for this long is taken for dead and its partitions go to others. With
    /// [`Self::next_generation`] the brokers decide (`group.consumer.session.timeout.ms`).
    pub session_timeout: Duration,
    /// Use the protocol of KIP-848 (`group.protocol=consumer`, brokers since Kafka 4.0): the brokers assign. Not together
    /// with an instance name: a successor would be locked out until the session times out (ingestion.md 3.5).
    pub next_generation: bool,
}

impl Membership {
    /// A member of this group, everything else as usual.
    pub fn of(group: impl Into<String>) -> Self {
        Self { group: group.into(), instance: None, session_timeout: Duration::from_secs(10), next_generation: false }
    }
}

impl KafkaConfig {
    /// Kafka at these brokers, everything else as usual.
    pub fn new(bootstrap: impl Into<String>) -> Self {
        Self {
            bootstrap: bootstrap.into(),
            generation: 0,
            partitions: 3,
            replicas: -1,
            request_timeout: Duration::from_secs(5),
            delivery_timeout: Duration::from_secs(30),
            hint_group: None,
            membership: None,
            settings: BTreeMap::new(),
        }
    }

    fn consumer(&self) -> Result<ClientConfig> {
        let mut config = self.client(&[
            // librdkafka wants the name of a group to read at all; nobody joins it.
            ("group.id", self.hint_group.as_deref().unwrap_or("amanat")),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "error"),
            ("isolation.level", "read_committed"),
            ("check.crcs", "true"),
        ])?;
        let usual = [
            // Read ahead while a batch is decoded, and no more: what is queued keeps the whole answers of the brokers alive,
            // packed and unpacked.
            ("queued.max.messages.kbytes", "8192"),
            ("fetch.max.bytes", "8388608"),
            ("fetch.queue.backoff.ms", "10"),
            // A partition that is added waits until the fetch under way returns; half a second each would be long.
            ("fetch.wait.max.ms", "100"),
        ];
        self.usual(&mut config, &usual);
        Ok(config)
    }

    /// A client that takes part in a group and fetches nothing.
    fn member(&self, membership: &Membership) -> Result<ClientConfig> {
        let mut config = self.client(&[
            ("group.id", &membership.group),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
        ])?;
        // New streams are found by asking for all topics; the library's five minutes would be long for a new agency.
        self.usual(&mut config, &[("topic.metadata.refresh.interval.ms", "10000")]);
        match (&membership.instance, membership.next_generation) {
            (Some(_), true) => {
                let reason = "an instance name does not go together with the next generation's group protocol: its successor \
                              would be locked out until the session times out; leave one of the two out";
                return Err(LogError::Refused { reason: reason.into() });
            }
            // The library refuses the classic protocol's settings beside this one (ingestion.md 3.5).
            (None, true) => drop(config.set("group.protocol", "consumer")),
            (instance, false) => {
                let millis = membership.session_timeout.as_millis();
                config.set("partition.assignment.strategy", "cooperative-sticky");
                config.set("session.timeout.ms", millis.to_string());
                config.set("heartbeat.interval.ms", (millis / 4).max(100).to_string());
                if let Some(instance) = instance {
                    config.set("group.instance.id", instance);
                }
            }
        }
        Ok(config)
    }

    fn producer(&self) -> Result<ClientConfig> {
        let mut config = self.client(&[
            ("enable.idempotence", "true"),
            ("acks", "all"),
            // Java's partitioner: an agency that produces by itself puts a record's events where we would.
            ("partitioner", "murmur2_random"),
            ("message.timeout.ms", &self.delivery_timeout.as_millis().to_string()),
            ("message.max.bytes", &MAX_MESSAGE_BYTES.to_string()),
        ])?;
        let usual = [("linger.ms", "5"), ("compression.type", "lz4"), ("queue.buffering.max.kbytes", "65536")];
        self.usual(&mut config, &usual);
        Ok(config)
    }

    /// The settings that a guarantee rests on, and those of the operator, who may not contradict them.
    fn client(&self, fixed: &[(&str, &str)]) -> Result<ClientConfig> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap).set("client.id", "amanat");
        config.set("socket.keepalive.enable", "true");
        for (key, value) in &self.settings {
            let ours = fixed.iter().any(|(name, _)| name == key) || key == "bootstrap.servers";
            if ours || key.starts_with("group.") || OF_THE_GROUP.contains(&key.as_str()) {
                return Err(LogError::Refused { reason: format!("the Kafka setting {key} is not yours to set") });
            }
            config.set(key, value);
        }
        for (key, value) in fixed {
            config.set(*key, *value);
        }
        Ok(config)
    }

    fn usual(&self, config: &mut ClientConfig, defaults: &[(&str, &str)]) {
        for (key, value) in defaults {
            if !self.settings.contains_key(*key) {
                config.set(*key, *value);
            }
        }
    }

    fn unavailable(&self, reason: impl Into<String>) -> LogError {
        LogError::Unavailable { place: self.bootstrap.clone(), reason: reason.into() }
    }

    /// librdkafka's error as one of ours, one variant per cause.
    fn typed(&self, error: KafkaError) -> LogError {
        match error {
            KafkaError::ClientConfig(_, reason, key, _) => {
                LogError::Refused { reason: format!("Kafka setting {key}: {reason}") }
            }
            KafkaError::ClientCreation(reason) => LogError::Refused { reason },
            _ => match error.rdkafka_error_code() {
                Some(code) if is_away(code) => self.unavailable(code.to_string()),
                Some(code) if is_refusal(code) => {
                    LogError::Refused { reason: format!("Kafka at {}: {code}", self.bootstrap) }
                }
                _ => LogError::Kafka { place: self.bootstrap.clone(), source: error },
            },
        }
    }

    fn typed_for(&self, partition: &Partition, error: KafkaError) -> LogError {
        match error.rdkafka_error_code() {
            Some(code) if is_unknown_partition(code) => LogError::UnknownPartition { partition: partition.clone() },
            _ => self.typed(error),
        }
    }
}

/// Settings of group membership that do not say so by their name; see [`Membership`].
const OF_THE_GROUP: [&str; 3] = ["partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms"];

/// Codes that time heals.
fn is_away(code: Code) -> bool {
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::MessageTimedOut
            | Code::QueueFull
            | Code::PurgeQueue
            | Code::PurgeInflight
            | Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::BrokerNotAvailable
            | Code::ReplicaNotAvailable
            | Code::NetworkException
            | Code::NotEnoughReplicas
            | Code::NotEnoughReplicasAfterAppend
            | Code::NotController
            | Code::KafkaStorageError
            | Code::FencedLeaderEpoch
            | Code::UnknownLeaderEpoch
            | Code::OffsetNotAvailable
            | Code::CoordinatorLoadInProgress
            | Code::CoordinatorNotAvailable
            | Code::NotCoordinator
            | Code::WaitingForCoordinator
            | Code::InProgress
            | Code::ThrottlingQuotaExceeded
    )
}

/// Codes that only an operator heals.
fn is_refusal(code: Code) -> bool {
    matches!(
        code,
        Code::Authentication
            | Code::SSL
            | Code::SaslAuthenticationFailed
            | Code::UnsupportedSASLMechanism
            | Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::SecurityDisabled
            | Code::UnsupportedVersion
            | Code::UnsupportedFeature
            | Code::PolicyViolation
            | Code::InvalidReplicationFactor
            | Code::InvalidPartitions
            | Code::InvalidConfig
    )
}

fn is_unknown_partition(code: Code) -> bool {
    matches!(code, Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition)
}

fn is_out_of_range(code: Code) -> bool {
    matches!(code, Code::AutoOffsetReset | Code::OffsetOutOfRange | Code::NoOffset)
}
