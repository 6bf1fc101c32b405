//! What the client of Kafka meets between it and the brokers, on librdkafka's own mock of them: no broker is needed, and each
//! misfortune happens when it is told to (ingestion.md 3.16, item 3). Faults that only a real broker has are in `kafka`.

use std::collections::BTreeSet;
use std::time::Duration;

use eventlog::kafka::mock::{Answer, MockKafka, Request};
use eventlog::kafka::{KafkaConfig, KafkaSink, KafkaSource, Membership};
use eventlog::{Change, EventSink as _, EventSource as _, LogError, Partition, Position};

use super::bench::*;

const STREAM: &str = "tip.events.FIA.v1";

fn at(number: i32) -> Partition {
    Partition::new(STREAM, number)
}

/// A cluster with a stream of three partitions, led by the brokers in turn.
fn cluster(brokers: i32) -> MockKafka {
    let cluster = MockKafka::of(brokers).unwrap();
    cluster.create(STREAM, 3).unwrap();
    for number in 0..3 {
        cluster.lead(&at(number), 1 + number % brokers).unwrap();
    }
    cluster
}

/// Short waits, so that a test sees many of them.
fn impatient(cluster: &MockKafka) -> KafkaConfig {
    let mut config = cluster.config();
    (config.request_timeout, config.delivery_timeout) = (Duration::from_secs(1), Duration::from_secs(2));
    for setting in ["fetch.error.backoff.ms", "retry.backoff.ms"] {
        config.settings.insert(setting.into(), "20".into());
    }
    config
}

fn publish(cluster: &MockKafka, numbers: std::ops::Range<usize>) {
    append_numbers(&mut KafkaSink::new(cluster.config()).unwrap(), STREAM, numbers);
}

/// A reader of the whole stream that goes on whatever it is told, as long as that concerns no partition.
struct Reader {
    source: KafkaSource,
    got: ByPartition,
}

impl Reader {
    fn of(config: KafkaConfig) -> Self {
        let mut source = KafkaSource::connect(config).unwrap();
        assert_eq!(read_stream(&mut source, STREAM).len(), 3);
        Self { source, got: ByPartition::new() }
    }

    fn poll(&mut self) -> Option<LogError> {
        match self.source.poll(1 << 20, Duration::from_millis(50)) {
            Ok(Some(fetched)) => {
                let records = fetched.records.iter().map(Owned::from);
                self.got.entry(fetched.partition).or_default().extend(records);
                None
            }
            Ok(None) => None,
            Err(error) => {
                assert!(error.partition().is_none(), "no partition is in trouble: {error}");
                Some(error)
            }
        }
    }

    fn read(&self, of: &Partition) -> usize {
        self.got.get(of).map_or(0, Vec::len)
    }

    /// Reads until there are so many records, and checks that they are the numbers below that, each once, without a gap.
    fn reads(&mut self, numbers: usize) {
        until("all is read", || {
            self.poll();
            self.got.values().map(Vec::len).sum::<usize>() >= numbers
        });
        let mut found: Vec<usize> = self.got.values().flat_map(|r| values(r)).map(|n| n.parse().unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, (0..numbers).collect::<Vec<_>>(), "each once");
        for (partition, records) in &self.got {
            assert!(
                records.iter().map(|record| record.offset).eq(0..records.len() as i64),
                "{partition} without a gap"
            );
        }
    }
}

#[test]
fn brokers_that_go_down_while_reading_are_waited_for_and_each_record_comes_once() {
    let cluster = cluster(2);
    publish(&cluster, 0..100);
    let mut reader = Reader::of(impatient(&cluster));
    reader.reads(100);
    for broker in [1, 2] {
        cluster.down(broker).unwrap();
    }
    let mut said = None;
    until("the reader says that the brokers are away", || {
        said = reader.poll();
        said.is_some()
    });
    let said = said.unwrap();
    assert!(said.is_transient(), "{said}");
    for broker in [1, 2] {
        cluster.up(broker).unwrap();
    }
    publish(&cluster, 100..200);
    reader.reads(200);
}

#[test]
fn a_broker_that_stays_down_holds_up_its_partitions_alone_until_others_lead_them() {
    let cluster = cluster(3);
    let mut sink = KafkaSink::new(cluster.config()).unwrap();
    let keys: Vec<String> = (0..60).map(|n| format!("k{n}")).collect();
    let values: Vec<String> = (0..60).map(|n| n.to_string()).collect();
    let first: Vec<_> = keys.iter().zip(&values).map(|(key, value)| message(key, value)).collect();
    let places = sink.append(STREAM, &first).unwrap();
    let mut reader = Reader::of(impatient(&cluster));
    reader.reads(60);

    cluster.down(2).unwrap();
    let key_to = |number| &keys[places.iter().position(|place| place.partition == number).unwrap()];
    let before = [reader.read(&at(0)), reader.read(&at(2))];
    sink.append(STREAM, &[message(key_to(0), "60"), message(key_to(2), "61")]).unwrap();
    until("the others are read", || {
        reader.poll();
        [reader.read(&at(0)), reader.read(&at(2))] == before.map(|records| records + 1)
    });
    cluster.lead(&at(1), 3).unwrap();
    sink.append(STREAM, &[message(key_to(1), "62")]).unwrap();
    reader.reads(63);
}

#[test]
fn a_partition_whose_leader_moves_is_read_on_without_a_gap() {
    let cluster = cluster(3);
    let mut reader = Reader::of(impatient(&cluster));
    for (round, leader) in [2, 3, 1, 2].into_iter().enumerate() {
        publish(&cluster, round * 40..round * 40 + 20);
        for number in 0..3 {
            cluster.lead(&at(number), leader).unwrap();
        }
        publish(&cluster, round * 40 + 20..round * 40 + 40);
        reader.reads(round * 40 + 40);
    }
}

#[test]
fn an_error_that_time_heals_costs_no_record_whatever_its_kind() {
    let cluster = cluster(1);
    let mut reader = Reader::of(impatient(&cluster));
    let (mut sent, mut said) = (0, Vec::new());
    for answer in [
        Answer::NotLeaderForPartition,
        Answer::LeaderNotAvailable,
        Answer::ReplicaNotAvailable,
        Answer::BrokerNotAvailable,
        Answer::KafkaStorageError,
        Answer::OffsetNotAvailable,
        Answer::FencedLeaderEpoch,
        Answer::UnknownLeaderEpoch,
        Answer::RequestTimedOut,
        Answer::NetworkException,
        Answer::BrokerTransportFailure,
        Answer::UnknownTopicOrPartition,
        Answer::OffsetOutOfRange,
    ] {
        // An answer without an error comes only when these were given: what is read proves that they were met.
        cluster.answer(Request::Fetch, &[answer; 2]);
        publish(&cluster, sent..sent + 10);
        sent += 10;
        until("what was sent is read", || {
            said.extend(reader.poll().map(|error| (answer, error)));
            reader.got.values().map(Vec::len).sum::<usize>() >= sent
        });
        reader.reads(sent);
    }
    assert!(said.iter().all(|(_, error)| error.is_transient()), "{said:?}");
}

#[test]
fn answers_that_take_too_long_are_a_log_that_is_away_and_nothing_is_read_twice() {
    let cluster = cluster(1);
    let mut config = impatient(&cluster);
    config.settings.insert("socket.timeout.ms".into(), "1000".into());
    publish(&cluster, 0..30);
    let mut reader = Reader::of(config.clone());
    reader.reads(30);
    cluster.answer_after(1, Duration::from_secs(4)).unwrap();
    let asked = reader.source.watermarks(&at(0)).unwrap_err();
    assert!(asked.is_transient(), "{asked}");
    let connected = KafkaSource::connect(config).err().unwrap();
    assert!(connected.is_transient(), "{connected}");
    until("the reader says that the brokers are away", || reader.poll().is_some_and(|error| error.is_transient()));
    cluster.answer_after(1, Duration::ZERO).unwrap();
    publish(&cluster, 30..60);
    reader.reads(60);
}

/// What the group gives a member now; it gives up at once what it is asked to.
fn given(member: &mut KafkaSource) -> BTreeSet<Partition> {
    if member.changed().unwrap() != Change::None {
        member.release().unwrap();
    }
    member.partitions().unwrap().into_iter().collect()
}

/// Whether each partition is exactly one member's, and each member has one.
fn is_shared(members: &mut [KafkaSource]) -> bool {
    let held: Vec<_> = members.iter_mut().map(given).collect();
    let all: BTreeSet<_> = held.iter().flatten().collect();
    held.iter().all(|of_one| !of_one.is_empty()) && held.iter().map(BTreeSet::len).sum::<usize>() == 3 && all.len() == 3
}

#[test]
fn a_group_whose_coordinator_moves_and_errs_while_it_rebalances_ends_with_each_partition_at_one_member() {
    let cluster = cluster(3);
    cluster.coordinate("workers", 1).unwrap();
    let membership = Membership { session_timeout: Duration::from_millis(3200), ..Membership::of("workers") };
    let config = KafkaConfig { membership: Some(membership), ..impatient(&cluster) };
    let mut members = vec![KafkaSource::connect(config.clone()).unwrap()];
    until("the first member has all", || is_shared(&mut members));

    // In the middle of the rebalance that a second member begins.
    members.push(KafkaSource::connect(config).unwrap());
    cluster.coordinate("workers", 2).unwrap();
    cluster.answer(Request::JoinGroup, &[Answer::CoordinatorNotAvailable, Answer::NotCoordinator]);
    cluster.answer(Request::SyncGroup, &[Answer::NotCoordinator, Answer::RebalanceInProgress]);
    until("the two share", || is_shared(&mut members));
}

#[test]
fn what_is_acknowledged_is_there_once_at_its_place_whatever_went_wrong_before() {
    let cluster = cluster(1);
    let mut sink = KafkaSink::new(impatient(&cluster)).unwrap();
    let mut acknowledged = Vec::new();
    for (round, answer) in [
        Answer::NotLeaderForPartition,
        Answer::LeaderNotAvailable,
        Answer::RequestTimedOut,
        Answer::NotEnoughReplicas,
        Answer::NotEnoughReplicasAfterAppend,
        Answer::KafkaStorageError,
        Answer::BrokerTransportFailure,
        Answer::UnknownTopicOrPartition,
    ]
    .into_iter()
    .enumerate()
    {
        cluster.answer(Request::Produce, &[answer; 3]);
        // One at a time: what is under way beside a closed connection comes twice to the mock, which does not count.
        for n in round * 5..round * 5 + 5 {
            let text = n.to_string();
            let places = sink.append(STREAM, &[message(&text, &text)]);
            let places = places.unwrap_or_else(|error| panic!("{answer:?} is healed by the client itself: {error}"));
            acknowledged.extend(places);
        }
    }
    let mut reader = Reader::of(cluster.config());
    reader.reads(40);
    let found = |of: &Position| values(&reader.got[&at(of.partition)])[of.offset as usize].clone();
    let places: Vec<_> = acknowledged.iter().map(found).collect();
    assert_eq!(places, (0..40).map(|n: usize| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn what_is_not_acknowledged_is_told_and_the_next_append_works() {
    let cluster = cluster(1);
    let mut sink = KafkaSink::new(impatient(&cluster)).unwrap();
    publish(&cluster, 0..1);
    let mut sent = 1;
    let refused: fn(&LogError) -> bool = |error| matches!(error, LogError::Refused { .. });
    for (answer, told) in [
        (Answer::TopicAuthorizationFailed, refused),
        (Answer::PolicyViolation, refused),
        (Answer::MessageSizeTooLarge, refused),
        (Answer::NetworkException, LogError::is_transient),
        (Answer::InvalidTimestamp, |error| matches!(error, LogError::Kafka { .. })),
        (Answer::OutOfOrderSequenceNumber, LogError::is_transient),
        (Answer::UnknownProducerId, LogError::is_transient),
        (Answer::InvalidProducerEpoch, LogError::is_transient),
    ] {
        cluster.answer(Request::Produce, &[answer; 1]);
        let text = sent.to_string();
        match sink.append(STREAM, &[message("k", &text)]) {
            // The client began its series of numbers anew by itself.
            Ok(_) => sent += 1,
            Err(error) => assert!(told(&error), "{answer:?}: {error:?}"),
        }
        let text = sent.to_string();
        sink.append(STREAM, &[message("k", &text)]).unwrap_or_else(|error| panic!("after {answer:?}: {error}"));
        sent += 1;
    }
    cluster.down(1).unwrap();
    let error = sink.append(STREAM, &[message("k", "hush")]).unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("no acknowledgement within 2 s"), "{error}");
    assert!(!error.to_string().contains("hush"), "{error}");
    cluster.up(1).unwrap();
    let text = sent.to_string();
    until("the writer is heard again", || sink.append(STREAM, &[message("k", &text)]).is_ok());
    Reader::of(cluster.config()).reads(sent + 1);
}
