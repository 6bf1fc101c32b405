//! Whole workers on Kafka whose brokers, leaders, coordinators and connections fail as told: from the client to the table
//! (ingestion.md 3.16, item 3). The invariants I1 to I4 are asked of the table and of its log. What librdkafka's mock of the
//! brokers is not is said at [`MockKafka`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use eventlog::kafka::mock::{Answer, MockKafka, Request};
use eventlog::kafka::{KafkaConfig, KafkaSink, KafkaSource, Membership};
use eventlog::{Change, EventSink as _, EventSource as _, Outgoing, Partition, Position};
use ingest::{CountedIds, IngestError, Monitor, SystemClock, Worker, WorkerConfig, WorkerReport};
use lake::{Events, PartitionId};
use policy::Policy;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::commits::{history, offsets_only_grow_under_growing_claims};
use crate::full_disk::Disk;
use crate::support::*;

const GROUP: &str = "workers";
const PARTITIONS: i32 = 3;

/// Longer than the mock lets the first member of a group wait for others, and so about how long each of its rebalances takes.
const SESSION: Duration = Duration::from_millis(3200);

fn stream() -> String {
    eventlog::stream_name(POLICE)
}

fn at(number: i32) -> Partition {
    Partition::new(stream(), number)
}

/// A cluster, a lake, and what was acknowledged by the one and must be in the other.
struct World {
    kafka: MockKafka,
    sink: KafkaSink,
    place: Place,
    acknowledged: BTreeMap<Position, u64>,
    sent: u64,
    writers: u64,
    config: WorkerConfig,
    /// The lake's store refuses everything.
    away: Arc<AtomicBool>,
}

impl World {
    fn of(brokers: i32) -> Self {
        let kafka = MockKafka::of(brokers).unwrap();
        kafka.create(&stream(), PARTITIONS).unwrap();
        for number in 0..PARTITIONS {
            kafka.lead(&at(number), 1 + number % brokers).unwrap();
        }
        let sink = KafkaSink::new(kafka.config()).unwrap();
        let (place, acknowledged, away) = (Place::new(), BTreeMap::new(), Arc::default());
        Self { kafka, sink, place, acknowledged, sent: 0, writers: 0, config: config(), away }
    }

    /// Publishes so many events, again and again until they are acknowledged, as an agency does.
    fn publish(&mut self, events: u64) {
        let numbers = self.sent + 1..=self.sent + events;
        self.sent += events;
        let sent: Vec<Sent> = numbers.clone().map(case).collect();
        let headers: Vec<Vec<(&str, &[u8])>> = sent
            .iter()
            .map(|one| one.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect())
            .collect();
        let keys: Vec<String> = numbers.clone().map(|n| record(POLICE, n)).collect();
        let messages: Vec<_> = (0..sent.len())
            .map(|n| Outgoing {
                key: Some(keys[n].as_bytes()),
                headers: &headers[n],
                value: sent[n].value.as_deref(),
                timestamp_ms: sent[n].log_ms,
            })
            .collect();
        let positions = loop {
            match self.sink.append(&stream(), &messages) {
                Ok(positions) => break positions,
                Err(error) => assert!(error.is_transient(), "{error}"),
            }
        };
        self.acknowledged.extend(positions.into_iter().zip(numbers));
    }

    fn kafka_config(&self, membership: Option<Membership>) -> KafkaConfig {
        let mut config = self.kafka.config();
        config.request_timeout = Duration::from_millis(500);
        config.settings.insert("fetch.error.backoff.ms".into(), "20".into());
        KafkaConfig { hint_group: Some(GROUP.into()), membership, ..config }
    }

    async fn worker(&mut self, membership: Option<Membership>) -> Worker<KafkaSource> {
        let source = KafkaSource::connect(self.kafka_config(membership)).unwrap();
        self.writers += 1;
        let store = Disk::that_goes_away(&self.place, &self.away);
        let events = Events::open_or_create(&store, &format!("kafka-{}", self.writers)).await.unwrap();
        let (policy, keys) = (Arc::new(Policy::default()), Arc::new(keys()));
        let ids = Arc::new(CountedIds::new(1000 + self.writers));
        Worker::new(source, events, policy, keys, self.config.clone(), Arc::new(SystemClock::default()), ids)
    }

    async fn running(&mut self, membership: Option<Membership>) -> Running {
        let mut worker = self.worker(membership).await;
        let monitor = worker.monitor();
        let (end, ended) = oneshot::channel::<()>();
        let task = tokio::spawn(async move { worker.run_until(async { drop(ended.await) }).await });
        Running { monitor, end, task }
    }

    /// Whether all that was acknowledged is committed, as the workers say.
    fn is_in(&self, workers: &[&Running]) -> bool {
        let mut next: BTreeMap<i32, i64> = BTreeMap::new();
        for worker in workers {
            for (id, status) in worker.monitor.report().partitions {
                let committed = next.entry(id.partition).or_default();
                *committed = (*committed).max(status.committed.unwrap_or_default());
            }
        }
        self.acknowledged.keys().all(|place| next.get(&place.partition).is_some_and(|next| place.offset < *next))
    }

    /// I1 to I4, of the table, of its log, and of what Kafka was told.
    async fn holds(&mut self) {
        let commits = history(&*self.place.store().objects()).await.unwrap();
        offsets_only_grow_under_growing_claims(&commits).unwrap();
        assert!(ingest::reconcile(&self.place.snapshot().await).await.unwrap().is_whole());

        let rows = self.place.rows().await;
        let (mut places, mut counted) = (BTreeMap::new(), BTreeSet::new());
        for row in &rows {
            let place = Position { partition: row.partition.partition, offset: row.offset };
            assert!(places.insert(place, row).is_none(), "I1: two rows at {place:?}");
            match row.status() {
                "ok" => assert!(counted.insert(row.get("event_id").unwrap().to_owned()), "counted twice: {place:?}"),
                // The mock takes a batch that its client repeats for another one.
                other => assert_eq!(other, "duplicate", "{place:?}"),
            }
        }
        assert_eq!(counted, (1..=self.sent).map(|n| id(n).to_string()).collect(), "each event once");
        for (place, n) in &self.acknowledged {
            assert_eq!(places[place].get("event_id"), Some(id(*n).to_string().as_str()), "{place:?}");
        }

        let mut log = KafkaSource::connect(self.kafka.config()).unwrap();
        let uid = log.source_uid().to_owned();
        let cut = self.place.snapshot().await.cut;
        for number in 0..PARTITIONS {
            let next = cut[&PartitionId::new(&uid, &stream(), number)];
            assert_eq!(next, log.watermarks(&at(number)).unwrap().high, "I1: all of the log is in");
            let hint = self.kafka.committed(GROUP, &at(number)).unwrap().unwrap_or_default();
            assert!(hint <= next, "I4: Kafka was told {hint} of {next}");
        }
    }
}

fn config() -> WorkerConfig {
    let mut config = crate::support::config();
    (config.batch_age, config.rescan) = (Duration::from_millis(20), Duration::from_millis(300));
    config.backoff_most = Duration::from_millis(100);
    (config.store_attempts, config.reclaim_after) = (None, Some(Duration::from_secs(1)));
    config
}

/// A worker at work.
struct Running {
    monitor: Monitor,
    end: oneshot::Sender<()>,
    task: JoinHandle<Result<WorkerReport, IngestError>>,
}

impl Running {
    fn log_is_away(&self) -> bool {
        self.monitor.report().reachable.log_away
    }

    fn partitions(&self) -> usize {
        self.monitor.report().partitions.len()
    }

    async fn ends(self) -> WorkerReport {
        self.end.send(()).unwrap();
        let ended = tokio::time::timeout(Duration::from_mins(1), self.task).await;
        ended.expect("a worker that is told to end does").unwrap().unwrap()
    }
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        // The threads that it waits for need the processor too.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_whose_brokers_fail_in_every_way_ingests_each_event_once() {
    let mut world = World::of(3);
    let worker = world.running(None).await;
    world.publish(20);
    until("the first are in", || world.is_in(&[&worker])).await;

    for broker in 1..=3 {
        world.kafka.down(broker).unwrap();
    }
    until("the log is away", || worker.log_is_away()).await;
    for broker in 1..=3 {
        world.kafka.up(broker).unwrap();
    }
    world.publish(20);
    until("what was published after the outage is in", || world.is_in(&[&worker])).await;

    for leader in [2, 3, 1] {
        world.publish(10);
        for number in 0..PARTITIONS {
            world.kafka.lead(&at(number), leader).unwrap();
        }
        world.publish(10);
    }
    until("what was published while leaders moved is in", || world.is_in(&[&worker])).await;

    let errors = [
        Answer::NotLeaderForPartition,
        Answer::KafkaStorageError,
        Answer::OffsetOutOfRange,
        Answer::UnknownTopicOrPartition,
        Answer::BrokerTransportFailure,
        Answer::Unknown,
    ];
    for request in [Request::Fetch, Request::ListOffsets, Request::Produce] {
        world.kafka.answer(request, &errors[..if request == Request::Fetch { 6 } else { 2 }]);
    }
    world.publish(20);
    until("what was published between errors is in", || world.is_in(&[&worker])).await;

    for broker in 1..=3 {
        world.kafka.answer_after(broker, Duration::from_secs(2)).unwrap();
    }
    until("answers take too long", || worker.log_is_away()).await;
    for broker in 1..=3 {
        world.kafka.answer_after(broker, Duration::ZERO).unwrap();
    }
    world.publish(20);
    until("what was published after slow answers is in", || world.is_in(&[&worker])).await;

    let report = worker.ends().await;
    assert_eq!(report.halted().count(), 0, "{report:?}");
    world.holds().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_of_a_group_whose_coordinator_moves_ingest_each_event_once() {
    let mut world = World::of(3);
    world.kafka.coordinate(GROUP, 1).unwrap();
    let membership = Membership { session_timeout: SESSION, ..Membership::of(GROUP) };
    let first = world.running(Some(membership.clone())).await;
    world.publish(20);
    until("the first worker has all in", || first.partitions() == 3 && world.is_in(&[&first])).await;

    let second = world.running(Some(membership.clone())).await;
    world.kafka.coordinate(GROUP, 2).unwrap();
    world.kafka.answer(Request::JoinGroup, &[Answer::NotCoordinator, Answer::CoordinatorNotAvailable]);
    world.publish(20);
    let apart = |first: &Running, second: &Running| {
        let both = [first.partitions(), second.partitions()];
        both.iter().all(|partitions| *partitions > 0) && both.iter().sum::<usize>() == 3
    };
    until("the two share", || apart(&first, &second)).await;
    world.publish(20);
    until("both bring in what is theirs", || world.is_in(&[&first, &second])).await;

    // A member that its coordinator does not know any more is taken for dead while it reads.
    world.kafka.answer(Request::Heartbeat, &[Answer::UnknownMemberId]);
    world.publish(20);
    for number in 0..PARTITIONS {
        world.kafka.lead(&at(number), 3).unwrap();
    }
    world.kafka.coordinate(GROUP, 3).unwrap();
    world.publish(20);
    until("the two share again", || apart(&first, &second)).await;
    until("nothing was lost with it", || world.is_in(&[&first, &second])).await;

    second.ends().await;
    world.publish(20);
    until("the first worker took over", || first.partitions() == 3 && world.is_in(&[&first])).await;
    first.ends().await;
    world.holds().await;
}

/// Polling goes on while the store is away: what another member is to get is given up, and what it leaves is taken back
/// (ingestion.md 3.4, crash-point table; 3.11).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_whose_store_refuses_everything_answers_its_group_and_holds_no_more_than_its_budget() {
    let membership = Membership { session_timeout: SESSION, ..Membership::of(GROUP) };
    let (memory, batch) = (96 << 10, 16 << 10);
    let mut world = World::of(1);
    (world.config.memory_bytes, world.config.batch_bytes, world.config.poll_bytes) = (memory, batch, batch / 2);
    let worker = world.running(Some(membership.clone())).await;
    world.publish(20);
    until("the first are in", || worker.partitions() == 3 && world.is_in(&[&worker])).await;

    world.away.store(true, Ordering::SeqCst);
    world.publish(1000);
    until("the lake is away", || worker.monitor.report().reachable.lake_away).await;
    let mut most = 0;
    let mut holding = || {
        most = most.max(worker.monitor.report().held_bytes);
        worker.partitions()
    };
    let mut other = KafkaSource::connect(world.kafka_config(Some(membership))).unwrap();
    until("another member got what the worker gave up", || {
        if other.changed().unwrap() != Change::None {
            other.release().unwrap();
        }
        let given = other.partitions().unwrap().len();
        given > 0 && holding() + given == 3
    })
    .await;
    drop(other);
    until("the worker has all again", || holding() == 3).await;
    world.away.store(false, Ordering::SeqCst);
    until("all is in", || world.is_in(&[&worker])).await;
    assert!((memory / 4..=memory + 2 * batch).contains(&most), "I5: {most} of {memory} bytes were held");
    worker.ends().await;
    world.holds().await;
}

/// Kafka's committed offset is a hint to its own tools: that it cannot be committed loses nothing, and what is committed there
/// is not believed (I4).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offset_that_kafka_was_not_told_or_told_wrongly_changes_nothing() {
    let mut world = World::of(1);
    world.publish(30);
    let mut liar = KafkaSource::connect(world.kafka_config(None)).unwrap();
    for number in 0..PARTITIONS {
        // A busy machine may be late to answer; the source says then that it is to be asked again.
        until("the partition is read", || match liar.read_from(&at(number), 0) {
            Err(error) if error.is_transient() => false,
            read => {
                read.unwrap();
                true
            }
        })
        .await;
        liar.hint(&at(number), 4).unwrap();
    }
    until("Kafka was told of what nobody ingested", || {
        (0..PARTITIONS).all(|number| world.kafka.committed(GROUP, &at(number)).unwrap() == Some(4))
    })
    .await;
    drop(liar);
    world.kafka.answer(Request::OffsetCommit, &[Answer::NotCoordinator; 1000]);
    assert_eq!(world.worker(None).await.drain().await.unwrap().counts.ok, 30, "from the beginning");
    world.publish(30);
    assert_eq!(world.worker(None).await.drain().await.unwrap().counts.ok, 30, "from where the lake says");
    world.holds().await;
}
