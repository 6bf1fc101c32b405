//! What a Kafka log promises beyond the contract: brokers that are away, at the start and later, and that are others.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use eventlog::kafka::{KafkaConfig, KafkaSink, KafkaSource, Membership};
use eventlog::{Change, EventSink, EventSource, LogError, Partition};

use super::bench::*;

fn impatient(bootstrap: &str) -> KafkaConfig {
    let mut config = KafkaConfig::new(bootstrap);
    config.request_timeout = Duration::from_secs(2);
    config.delivery_timeout = Duration::from_secs(3);
    config
}

/// A port of loopback on which nobody listens.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn brokers_that_are_away_at_the_start_are_unavailable_and_named() {
    let away = nobody();
    let error = KafkaSource::connect(impatient(&away)).err().unwrap();
    assert!(error.is_transient(), "{error}");
    assert!(error.to_string().contains(&away), "{error}");
    let mut sink = KafkaSink::new(impatient(&away)).unwrap();
    for _ in 0..2 {
        let error = sink.append("tip.events.FIA.v1", &[message("key", "value")]).unwrap_err();
        assert!(error.is_transient(), "{error}");
        assert!(!error.to_string().contains("value"), "{error}");
    }
}

#[test]
fn settings_that_a_guarantee_rests_on_are_not_the_operators() {
    for (key, value) in [
        ("acks", "1"),
        ("enable.idempotence", "false"),
        ("auto.offset.reset", "latest"),
        ("enable.auto.commit", "true"),
        ("group.id", "other"),
        ("bootstrap.servers", "elsewhere:9092"),
    ] {
        let mut config = impatient("127.0.0.1:1");
        config.settings.insert(key.into(), value.into());
        let (source, sink) = (KafkaSource::connect(config.clone()).err(), KafkaSink::new(config).err());
        let refused =
            |error: Option<LogError>| matches!(error, Some(LogError::Refused { reason }) if reason.contains(key));
        assert!(refused(source) || refused(sink), "{key}");
    }
    let mut typo = impatient("127.0.0.1:1");
    typo.settings.insert("compression.typ".into(), "lz4".into());
    assert!(matches!(KafkaSource::connect(typo).err(), Some(LogError::Refused { .. })), "an unknown setting");
}

/// A broker of this test's own, which it may stop. Stopped when dropped.
struct Broker {
    port: u16,
}

impl Broker {
    fn on_a_free_port() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        Self { port: listener.local_addr().unwrap().port() }
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn chore(&self, words: &[&str]) -> bool {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let port = self.port.to_string();
        let mut command = Command::new(env!("CARGO"));
        command.current_dir(root).args(["run", "-q", "-p", "xtask", "--", "kafka"]).args(words);
        command.args(["--port", &port]).output().unwrap().status.success()
    }

    fn up(&self) {
        assert!(self.chore(&["up"]), "the broker starts");
    }

    fn up_again(&self) {
        assert!(self.chore(&["up", "--keep"]), "the broker starts with what it stored");
    }

    fn down(&self) {
        assert!(self.chore(&["down"]));
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.chore(&["down"]);
    }
}

#[test]
fn brokers_that_go_away_later_are_waited_for_and_nothing_is_lost() {
    if Kafka::new().is_none() {
        return;
    }
    let broker = Broker::on_a_free_port();
    broker.up();
    let stream = fresh_stream();
    let config = impatient(&broker.address());
    append_numbers(&mut KafkaSink::new(KafkaConfig::new(broker.address())).unwrap(), &stream, 0..100);
    let mut sink = KafkaSink::new(config.clone()).unwrap();
    let mut source = connected(&config);
    let partitions = read_stream(&mut source, &stream);
    let mut got = numbers(&drain(&mut source, &partitions));

    broker.down();
    until("the reader says that the brokers are away", || match source.poll(1 << 20, Duration::from_millis(200)) {
        Ok(_) => false,
        Err(error) => {
            assert!(error.is_transient(), "{error}");
            true
        }
    });
    let error = sink.append(&stream, &[message("k", "0")]).unwrap_err();
    assert!(error.is_transient(), "{error}");

    broker.up_again();
    until("the writer is heard again", || match sink.append(&stream, &[message("k", "100")]) {
        Ok(_) => true,
        Err(error) => {
            assert!(error.is_transient(), "{error}");
            false
        }
    });
    until("the reader goes on where it was", || {
        match source.poll(1 << 20, Duration::from_millis(200)) {
            Ok(Some(fetched)) => got.extend(fetched.records.iter().map(|r| number(r.value.unwrap()))),
            Ok(None) => {}
            Err(error) => assert!(error.is_transient(), "{error}"),
        }
        got.contains(&100)
    });
    got.sort_unstable();
    assert_eq!(got[..100], (0..100).collect::<Vec<_>>(), "each once");

    broker.down();
    broker.up(); // with nothing of what it stored: another cluster under the same address
    let mut found = None;
    until("the reader sees that it is another", || {
        found = source.poll(1 << 20, Duration::from_millis(200)).err().filter(|error| !error.is_transient());
        found.is_some()
    });
    assert!(matches!(found, Some(LogError::AnotherLog { .. })), "{found:?}");
    assert_ne!(connected(&config).source_uid(), source.source_uid());
}

/// What the group gives a member now; it gives up at once what it is asked to.
fn given(member: &mut KafkaSource) -> Vec<Partition> {
    if member.changed().unwrap() != Change::None {
        member.release().unwrap();
    }
    member.partitions().unwrap()
}

#[test]
fn members_of_a_group_share_the_partitions_and_take_over_from_one_that_leaves() {
    let Some(kafka) = Kafka::new() else { return };
    let stream = fresh_stream();
    append_numbers(&mut *kafka.sink(), &stream, 0..30);
    for next_generation in [false, true] {
        let membership = Membership { next_generation, ..Membership::of(format!("{stream}-{next_generation}")) };
        let config = KafkaConfig { membership: Some(membership), ..kafka.config.clone() };
        let of_the_stream = |all: &[Partition]| all.iter().filter(|partition| *partition.stream == *stream).count();

        let mut one = connected(&config);
        until("the first member has all", || of_the_stream(&given(&mut one)) == 3);
        let mut two = connected(&config);
        until("the two share", || {
            let (first, second) = (given(&mut one), given(&mut two));
            let apart = first.iter().all(|partition| !second.contains(partition));
            let all = of_the_stream(&first) + of_the_stream(&second) == 3;
            apart && all && !first.is_empty() && !second.is_empty()
        });
        drop(two);
        until("the first member has all again", || of_the_stream(&given(&mut one)) == 3);

        // Where to read is the caller's to say, in a group too.
        let partitions = partitions_of(&mut one, &stream);
        for partition in &partitions {
            one.read_from(partition, 0).unwrap();
        }
        assert_eq!(numbers(&drain(&mut one, &partitions)).len(), 30);
    }
}

#[test]
fn a_member_that_is_asked_to_give_up_keeps_the_others_waiting_until_it_has() {
    let Some(kafka) = Kafka::new() else { return };
    let stream = fresh_stream();
    append_numbers(&mut *kafka.sink(), &stream, 0..30);
    let config = KafkaConfig { membership: Some(Membership::of(&stream)), ..kafka.config.clone() };
    let mut one = connected(&config);
    until("the first member has all", || given(&mut one).iter().filter(|p| *p.stream == *stream).count() == 3);
    let before = one.partitions().unwrap();
    let mut two = connected(&config);
    until("the first member is asked to give up some", || {
        given(&mut two);
        one.changed().unwrap() == Change::Some && one.partitions().unwrap().len() < before.len()
    });
    let kept = one.partitions().unwrap();
    let asked: Vec<_> = before.into_iter().filter(|partition| !kept.contains(partition)).collect();
    let has_none = |of: &[Partition]| of.iter().all(|partition| !asked.contains(partition));
    assert!(has_none(&given(&mut two)), "nobody has them before they are given up");
    one.release().unwrap();
    until("the second member has them", || {
        given(&mut one);
        !has_none(&given(&mut two))
    });
}

/// A reader, as soon as the brokers have time for an impatient one.
fn connected(config: &KafkaConfig) -> KafkaSource {
    let mut source = None;
    until("a reader is let in", || match KafkaSource::connect(config.clone()) {
        Ok(found) => {
            source = Some(found);
            true
        }
        Err(error) => {
            assert!(error.is_transient(), "{error}");
            false
        }
    });
    source.unwrap()
}

fn number(value: &[u8]) -> u32 {
    std::str::from_utf8(value).unwrap().parse().unwrap()
}

fn numbers(records: &ByPartition) -> Vec<u32> {
    records.values().flatten().map(|record| number(record.value.as_ref().unwrap())).collect()
}
