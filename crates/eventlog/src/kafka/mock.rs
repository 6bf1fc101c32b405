//! A Kafka cluster inside this process, made by librdkafka itself (`rd_kafka_mock_cluster_new`), whose misfortunes a test
//! scripts: brokers that go down, leaders and coordinators that move, answers that are errors, late or a closed connection
//! (ingestion.md 3.16, item 3). What talks to it is the real client over real sockets; only the brokers are not real.
//!
//! Absent, so that nothing may be concluded from it: durability, creation of topics by a client, transactions, the brokers'
//! check of a producer's sequence numbers (a batch that the client repeats is in the log twice, where a broker would know
//! it), throughput. It forgets in silence what exceeds 5 MiB or 100,000 batches of a partition (`rdkafka_mock.c` of
//! librdkafka 2.12.1): for tests only, and for small ones.

use std::time::Duration;

use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::mocking::{MockCluster, MockCoordinator};
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::KafkaConfig;
use crate::error::{LogError, Result};
use crate::partition::Partition;

/// What a client asks of a broker, and what it may be told. [`Answer::BrokerTransportFailure`] closes the connection
/// instead of an answer.
pub use rdkafka::types::{RDKafkaApiKey as Request, RDKafkaErrorCode as Answer};

/// The cluster; gone when dropped. Brokers are numbered from 1.
pub struct MockKafka {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl MockKafka {
    /// A cluster of so many brokers, with nothing in it.
    pub fn of(brokers: i32) -> Result<Self> {
        Ok(Self { cluster: MockCluster::new(brokers).map_err(failed)? })
    }

    /// How to reach it, everything else as usual.
    pub fn config(&self) -> KafkaConfig {
        KafkaConfig::new(self.cluster.bootstrap_servers())
    }

    /// Makes a topic with so many partitions, each on all brokers; some broker leads it.
    pub fn create(&self, topic: &str, partitions: i32) -> Result<()> {
        self.cluster.create_topic(topic, partitions, 3).map_err(failed)
    }

    /// A broker leads the partition from now on. (Nobody cannot: the mock answers a fetch of such a partition by a crash.)
    pub fn lead(&self, partition: &Partition, broker: i32) -> Result<()> {
        self.cluster.partition_leader(&partition.stream, partition.number, Some(broker)).map_err(failed)
    }

    /// A broker drops its connections and takes no others. What it leads stays without an answer.
    pub fn down(&self, broker: i32) -> Result<()> {
        self.cluster.broker_down(broker).map_err(failed)
    }

    /// It takes connections again.
    pub fn up(&self, broker: i32) -> Result<()> {
        self.cluster.broker_up(broker).map_err(failed)
    }

    /// Every answer of a broker takes so long from now on.
    pub fn answer_after(&self, broker: i32, time: Duration) -> Result<()> {
        self.cluster.broker_round_trip_time(broker, time).map_err(failed)
    }

    /// A broker coordinates the group from now on. The first members of a group wait 3 s for others, so sessions must be longer;
    /// each later rebalance takes a second less than a session, whoever has answered.
    pub fn coordinate(&self, group: &str, broker: i32) -> Result<()> {
        self.cluster.coordinator(MockCoordinator::Group(group.to_owned()), broker).map_err(failed)
    }

    /// The next requests of this kind, of whichever client, are answered so, one after the other.
    pub fn answer(&self, request: Request, answers: &[Answer]) {
        let code = |answer: &Answer| {
            RDKafkaRespErr::try_from(*answer as i32).unwrap_or(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN)
        };
        self.cluster.request_errors(request, &answers.iter().map(code).collect::<Vec<_>>());
    }

    /// The offset that a group has committed for a partition; `None`: none.
    pub fn committed(&self, group: &str, partition: &Partition) -> Result<Option<i64>> {
        let config = self.config();
        let mut settings = ClientConfig::new();
        settings.set("bootstrap.servers", &config.bootstrap).set("group.id", group);
        let client = BaseConsumer::from_config(&settings).map_err(failed)?;
        let mut asked = TopicPartitionList::new();
        asked.add_partition(&partition.stream, partition.number);
        let answer = client.committed_offsets(asked, config.request_timeout).map_err(failed)?;
        let offset = answer.find_partition(&partition.stream, partition.number).map(|found| found.offset());
        Ok(if let Some(Offset::Offset(next)) = offset { Some(next) } else { None })
    }
}

fn failed(source: KafkaError) -> LogError {
    LogError::Kafka { place: "a cluster for tests".into(), source }
}
