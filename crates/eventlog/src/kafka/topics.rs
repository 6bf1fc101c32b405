//! Topics: which there are, and making one.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::Client;
use rdkafka::error::RDKafkaErrorCode as Code;

use super::client::Ear;
use super::{KafkaConfig, MAX_MESSAGE_BYTES, is_away};
use crate::error::{LogError, Result};
use crate::partition::Partition;
use crate::stream::{RECEIPTS, RECEIPTS_DAYS};

/// How long to wait before asking again whether a new topic has its leaders.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// All partitions of the topics that pass the filter, sorted.
///
/// Asks for all topics: a question about a single one would create it, on brokers that are set up so.
pub fn partitions<C: rdkafka::ClientContext>(
    config: &KafkaConfig,
    client: &Client<C>,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Partition>> {
    let metadata = client.fetch_metadata(None, config.request_timeout).map_err(|e| config.typed(e))?;
    let mut found = Vec::new();
    for topic in metadata.topics().iter().filter(|topic| topic.error().is_none() && wanted(topic.name())) {
        let stream: std::sync::Arc<str> = topic.name().into();
        found.extend(topic.partitions().iter().map(|p| Partition { stream: stream.clone(), number: p.id() }));
    }
    found.sort();
    Ok(found)
}

/// Makes the topic, unless it is there, and waits until each of its partitions has a leader.
pub fn ensure<C: rdkafka::ClientContext>(config: &KafkaConfig, client: &Client<C>, topic: &str) -> Result<()> {
    if has_leaders(config, client, topic)? {
        return Ok(());
    }
    create(config, topic)?;
    let deadline = Instant::now() + config.request_timeout;
    while !has_leaders(config, client, topic)? {
        if Instant::now() > deadline {
            return Err(config.unavailable(format!("topic {topic} has no leaders yet")));
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

fn has_leaders<C: rdkafka::ClientContext>(config: &KafkaConfig, client: &Client<C>, topic: &str) -> Result<bool> {
    let metadata = client.fetch_metadata(None, config.request_timeout).map_err(|e| config.typed(e))?;
    let found = metadata.topics().iter().find(|t| t.name() == topic);
    Ok(found.is_some_and(|t| {
        t.error().is_none() && !t.partitions().is_empty() && t.partitions().iter().all(|p| p.leader() >= 0)
    }))
}

fn create(config: &KafkaConfig, topic: &str) -> Result<()> {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", &config.bootstrap).set("client.id", "amanat");
    for (key, value) in config.settings.iter().filter(|(key, _)| of_the_connection(key)) {
        client.set(key, value);
    }
    let admin: AdminClient<Ear> = client.create_with_context(Ear::default()).map_err(|e| config.typed(e))?;
    let max_bytes = MAX_MESSAGE_BYTES.to_string();
    let kept = retention(topic);
    let new = NewTopic::new(topic, config.partitions, TopicReplication::Fixed(config.replicas))
        // Never by key: of the messages with one key each says something else.
        .set("cleanup.policy", "delete")
        .set("max.message.bytes", &max_bytes);
    let new = kept.iter().fold(new, |new, (name, value)| new.set(name, value));
    let options = AdminOptions::new()
        .request_timeout(Some(config.request_timeout))
        .operation_timeout(Some(config.request_timeout));
    let results = futures::executor::block_on(admin.create_topics([&new], &options)).map_err(|e| config.typed(e))?;
    for result in results {
        match result {
            Ok(_) | Err((_, Code::TopicAlreadyExists)) => {}
            Err((_, code)) if is_away(code) => return Err(config.unavailable(code.to_string())),
            Err((_, code)) => {
                return Err(LogError::Refused { reason: format!("Kafka does not make topic {topic}: {code}") });
            }
        }
    }
    Ok(())
}

/// For how long a topic keeps its messages.
fn retention(topic: &str) -> Vec<(&'static str, String)> {
    if topic == RECEIPTS {
        // Sent as they are made, so that a message's own time is its age.
        return vec![("retention.ms", (i64::from(RECEIPTS_DAYS) * 86_400_000).to_string())];
    }
    vec![
        // Kafka expires by the message's own time, and events of past years would go at once. The log is the source of
        // everything: an operator who wants it to forget says so.
        ("retention.ms", "-1".to_owned()),
        // By the message's time too a segment is closed, and a feed of fifteen years would be a file a week. With nothing to
        // expire there is nothing to close for but size.
        ("segment.ms", i64::MAX.to_string()),
    ]
}

/// Settings that every kind of client takes, as opposed to those of consumers or producers.
fn of_the_connection(key: &str) -> bool {
    ["security.", "ssl.", "sasl.", "socket.", "broker.", "client."].iter().any(|prefix| key.starts_with(prefix))
}
