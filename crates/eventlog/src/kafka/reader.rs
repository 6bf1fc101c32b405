//! Reads Kafka, partition by partition, from offsets that the caller knows.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{Offset, TopicPartitionList};

use super::client::Ear;
use super::group::Group;
use super::{KafkaConfig, is_away, is_out_of_range, is_unknown_partition, topics};
use crate::error::{LogError, Result};
use crate::partition::Partition;
use crate::records::{Fetched, RecordsBuilder};
use crate::source::{Change, EventSource, Watermarks};
use crate::stream::agency_of;

/// The least time that the brokers get to show that they are back.
const MIN_PROBE: Duration = Duration::from_millis(250);

/// Request timeouts for which a client is kept although some partitions do not answer.
const PATIENCE: u32 = 6;

/// Reads the topics `tip.events.<agency>.v1` of a Kafka cluster.
pub struct KafkaSource {
    config: KafkaConfig,
    source_uid: String,
    consumer: BaseConsumer<Ear>,
    /// For questions: on the consumer's connection they would wait behind a fetch that waits for news.
    asking: BaseConsumer<Ear>,
    /// Where a group decides who reads what.
    group: Option<Group>,
    reading: Vec<Reading>,
    /// Batches and errors that wait for the next polls, in the order in which they came.
    ready: VecDeque<Result<Fetched>>,
    /// Set while partitions did not answer at the last start: until then what is assigned stays so.
    patient_until: Option<Instant>,
    /// Something was said about a connection, so find out whether the cluster is there before saying "nothing new".
    doubtful: bool,
}

struct Reading {
    partition: Partition,
    /// The offset behind what was taken from librdkafka.
    next: i64,
    /// Records taken but not yet passed on.
    builder: Option<RecordsBuilder>,
    /// Bytes and number of the records passed on last: about what the next ones will take.
    last_taken: (usize, usize),
    /// An error was reported for it; silent until `read_from`.
    stopped: bool,
}

impl KafkaSource {
    /// Connects and asks which cluster this is. [`LogError::Unavailable`] if nobody answers: call again later.
    pub fn connect(config: KafkaConfig) -> Result<Self> {
        let Clients { consumer, asking, source_uid } = connect(&config)?;
        let group = config.membership.as_ref().map(|membership| Group::join(&config, membership)).transpose()?;
        let (reading, ready) = (Vec::new(), VecDeque::new());
        Ok(Self { config, source_uid, consumer, asking, group, reading, ready, patient_until: None, doubtful: false })
    }

    fn fetch_watermarks(&self, partition: &Partition) -> Result<Watermarks> {
        let (stream, number) = (&*partition.stream, partition.number);
        let answer = self.asking.fetch_watermarks(stream, number, self.config.request_timeout);
        let (low, high) = answer.map_err(|error| match self.config.typed_for(partition, error) {
            // librdkafka says so of a partition whose leader is away, too; only the brokers' own list tells that it is gone.
            LogError::UnknownPartition { .. } if self.is_there(partition) => {
                self.config.unavailable(format!("no leader of {partition} answers"))
            }
            error => error,
        })?;
        Ok(Watermarks { low, high })
    }

    /// Whether the brokers list the partition, or cannot be asked.
    fn is_there(&self, partition: &Partition) -> bool {
        let there = topics::partitions(&self.config, self.asking.client(), |topic| topic == &*partition.stream);
        there.map_or(true, |there| there.binary_search(partition).is_ok())
    }

    /// Lets librdkafka fetch this partition from here on.
    fn assign(&self, partition: &Partition, next: i64) -> Result<()> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&partition.stream, partition.number, Offset::Offset(next))
            .and_then(|()| self.consumer.incremental_assign(&list))
            .map_err(|e| self.config.typed(e))
    }

    fn unassign(&self, partition: &Partition) -> Result<()> {
        let mut list = TopicPartitionList::new();
        list.add_partition(&partition.stream, partition.number);
        self.consumer.incremental_unassign(&list).map_err(|e| self.config.typed(e))
    }

    /// Forgets what librdkafka has fetched ahead and starts again behind what was taken from it.
    fn restart_all(&self) -> Result<()> {
        for reading in self.reading.iter().filter(|reading| !reading.stopped) {
            self.unassign(&reading.partition)?;
            self.assign(&reading.partition, reading.next)?;
        }
        Ok(())
    }

    /// Takes what librdkafka has, up to `max_bytes`, waiting for the first of it until the deadline.
    fn take(&mut self, max_bytes: usize, deadline: Instant) {
        let (mut bytes, mut room) = (0, max_bytes);
        let mut last = 0; // messages of a partition come in runs
        while bytes < max_bytes {
            let wait = if bytes == 0 { deadline.saturating_duration_since(Instant::now()) } else { Duration::ZERO };
            match self.consumer.poll(wait) {
                Some(Ok(message)) => {
                    let of = |reading: &Reading| is_of(&message, reading);
                    if !self.reading.get(last).is_some_and(of) {
                        match self.reading.iter().position(of) {
                            Some(at) => last = at,
                            None => continue, // stopped meanwhile
                        }
                    }
                    bytes += keep(&mut self.reading[last], &message, &mut room);
                }
                Some(Err(error)) => {
                    self.hand_over();
                    if let Err(error) = self.judge(error) {
                        self.ready.push_back(Err(error));
                    }
                    if !self.ready.is_empty() {
                        return;
                    }
                }
                None if bytes > 0 || Instant::now() >= deadline => break,
                None => {}
            }
        }
        self.hand_over();
    }

    /// Makes batches of the records taken.
    fn hand_over(&mut self) {
        for reading in &mut self.reading {
            if let Some(builder) = reading.builder.take() {
                let bytes = builder.arena_len();
                let records = builder.finish();
                reading.last_taken = (bytes, records.len());
                let fetched = Fetched { partition: reading.partition.clone(), records };
                self.ready.push_back(Ok(fetched));
            }
        }
    }

    /// What an event of librdkafka means. It does not say which partition it is about, so that is found out.
    fn judge(&mut self, error: KafkaError) -> Result<()> {
        match error.rdkafka_error_code() {
            Some(code) if is_out_of_range(code) => self.find_those_out_of_range(),
            Some(code) if is_unknown_partition(code) => self.find_those_gone(),
            Some(code) if is_away(code) => {
                self.doubtful = true;
                Ok(())
            }
            // A damaged batch, which librdkafka would pass over: start again before it, so that nothing is lost.
            Some(Code::BadMessage | Code::InvalidMessage) => {
                self.restart_all()?;
                Err(LogError::Kafka { place: self.config.bootstrap.clone(), source: error })
            }
            _ => Err(self.config.typed(error)),
        }
    }

    fn find_those_out_of_range(&mut self) -> Result<()> {
        let mut found = false;
        for at in 0..self.reading.len() {
            let Reading { partition, next, stopped, .. } = &self.reading[at];
            if *stopped {
                continue;
            }
            let error = match self.fetch_watermarks(partition) {
                Ok(watermarks) => watermarks.allow(partition, *next).err(),
                Err(error) if error.partition().is_some() => Some(error),
                Err(error) => {
                    self.doubtful = true; // ask again when the brokers are back; restarting finds it again
                    return Err(error);
                }
            };
            if let Some(error) = error {
                found = true;
                self.give_up(at, error)?;
            }
        }
        // Nothing to see any more (it was truncated and has grown again): librdkafka has stopped fetching all the same.
        if found { Ok(()) } else { self.restart_all() }
    }

    fn find_those_gone(&mut self) -> Result<()> {
        let there = topics::partitions(&self.config, self.asking.client(), |_| true)?;
        for at in 0..self.reading.len() {
            let Reading { partition, stopped, .. } = &self.reading[at];
            if !stopped && there.binary_search(partition).is_err() {
                let error = LogError::UnknownPartition { partition: partition.clone() };
                self.give_up(at, error)?;
            }
        }
        Ok(())
    }

    fn give_up(&mut self, at: usize, error: LogError) -> Result<()> {
        self.unassign(&self.reading[at].partition)?;
        self.reading[at].stopped = true;
        self.ready.push_back(Err(error));
        Ok(())
    }

    /// After an outage: is somebody there, and is it still the same cluster? Then start again with a fresh client, which
    /// remembers nothing of topics that may have been made anew.
    ///
    /// A partition whose leader does not answer is assigned all the same, and librdkafka waits for its leader: it must
    /// not hold up the others. While some do not answer, doubts go on coming; the client is not made anew for each of
    /// them, or it would never get to fetch.
    fn reconnect(&mut self, within: Duration) -> Result<()> {
        let within = within.clamp(MIN_PROBE, self.config.request_timeout);
        if let Err(error) = self.asking.client().fetch_metadata(None, within) {
            drain(&self.consumer);
            drain(&self.asking);
            return Err(match self.asking.context().reason() {
                Some(reason) => self.config.unavailable(reason),
                None => self.config.typed(error),
            });
        }
        let fresh = connect(&self.config)?;
        if fresh.source_uid != self.source_uid {
            return Err(LogError::AnotherLog { expected: self.source_uid.clone(), found: fresh.source_uid });
        }
        if self.patient_until.is_some_and(|until| Instant::now() < until) {
            self.doubtful = false;
            return Ok(());
        }
        (self.consumer, self.asking) = (fresh.consumer, fresh.asking);
        let mut silent = None;
        let mut answered = 0;
        for at in 0..self.reading.len() {
            let Reading { partition, next, stopped, .. } = &self.reading[at];
            if *stopped {
                continue;
            }
            let checked = self.fetch_watermarks(partition).and_then(|marks| marks.allow(partition, *next));
            match checked {
                Ok(()) => {
                    self.assign(partition, *next)?;
                    answered += 1;
                }
                Err(error) if error.partition().is_some() => {
                    self.reading[at].stopped = true;
                    self.ready.push_back(Err(error));
                }
                Err(error) if error.is_transient() => {
                    self.assign(partition, *next)?;
                    silent = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        self.patient_until = silent.is_some().then(|| Instant::now() + PATIENCE * self.config.request_timeout);
        if let (Some(error), 0) = (silent, answered) {
            self.patient_until = None;
            return Err(error);
        }
        self.doubtful = false; // only now: after any error above, all of it is done again
        Ok(())
    }

    /// Offsets that hold no record (transaction markers) pass without a message; only the position shows them.
    fn take_gaps(&mut self) -> Result<()> {
        let positions = self.consumer.position().map_err(|e| self.config.typed(e))?;
        for reading in self.reading.iter_mut().filter(|reading| !reading.stopped) {
            let found = positions.find_partition(&reading.partition.stream, reading.partition.number);
            if let Some(Offset::Offset(position)) = found.map(|element| element.offset())
                && position > reading.next
            {
                reading.next = position;
                let records = RecordsBuilder::starting_at(position).finish();
                self.ready.push_back(Ok(Fetched { partition: reading.partition.clone(), records }));
            }
        }
        Ok(())
    }
}

impl EventSource for KafkaSource {
    fn source_uid(&self) -> &str {
        &self.source_uid
    }

    fn partitions(&mut self) -> Result<Vec<Partition>> {
        if let Some(group) = &self.group {
            return Ok(group.partitions());
        }
        topics::partitions(&self.config, self.asking.client(), |topic| agency_of(topic).is_some())
    }

    fn partitions_of(&mut self, stream: &str) -> Result<Vec<Partition>> {
        topics::partitions(&self.config, self.asking.client(), |topic| topic == stream)
    }

    fn changed(&mut self) -> Result<Change> {
        self.group.as_ref().map_or(Ok(Change::None), Group::changed)
    }

    fn release(&mut self) -> Result<()> {
        self.group.as_ref().map_or(Ok(()), |group| group.release(&self.config))
    }

    fn watermarks(&mut self, partition: &Partition) -> Result<Watermarks> {
        self.fetch_watermarks(partition)
    }

    fn read_from(&mut self, partition: &Partition, next: i64) -> Result<()> {
        let watermarks = self.fetch_watermarks(partition)?;
        self.stop(partition)?;
        watermarks.allow(partition, next)?;
        self.assign(partition, next)?;
        self.reading.push(Reading {
            partition: partition.clone(),
            next,
            builder: None,
            last_taken: (0, 0),
            stopped: false,
        });
        Ok(())
    }

    fn stop(&mut self, partition: &Partition) -> Result<()> {
        if let Some(at) = self.reading.iter().position(|reading| reading.partition == *partition) {
            if !self.reading[at].stopped {
                self.unassign(partition)?;
            }
            self.reading.remove(at);
        }
        self.ready.retain(|waiting| match waiting {
            Ok(fetched) => fetched.partition != *partition,
            Err(error) => error.partition() != Some(partition),
        });
        Ok(())
    }

    fn poll(&mut self, max_bytes: usize, wait: Duration) -> Result<Option<Fetched>> {
        if let Some(waiting) = self.ready.pop_front() {
            return waiting.map(Some);
        }
        let deadline = Instant::now() + wait;
        if self.doubtful {
            self.reconnect(wait)?; // before anything else is taken: it might be of another cluster
        }
        self.take(max_bytes, deadline);
        if self.ready.is_empty() && self.doubtful {
            self.reconnect(MIN_PROBE)?;
        }
        if self.ready.is_empty() {
            self.take_gaps()?;
        }
        self.ready.pop_front().transpose()
    }

    fn hint(&mut self, partition: &Partition, next: i64) -> Result<()> {
        if let Some(group) = &self.group {
            return group.hint(&self.config, partition, next);
        }
        if self.config.hint_group.is_none() {
            return Ok(());
        }
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&partition.stream, partition.number, Offset::Offset(next))
            .and_then(|()| self.consumer.commit(&list, CommitMode::Async))
            .map_err(|e| self.config.typed(e))
    }
}

struct Clients {
    consumer: BaseConsumer<Ear>,
    asking: BaseConsumer<Ear>,
    source_uid: String,
}

fn connect(config: &KafkaConfig) -> Result<Clients> {
    let settings = config.consumer()?;
    let client = || BaseConsumer::from_config_and_context(&settings, Ear::default()).map_err(|e| config.typed(e));
    let (consumer, asking) = (client()?, client()?);
    // A client connects by itself once a second; asked for something it connects at once.
    let asked = consumer.client().fetch_metadata(None, config.request_timeout);
    if asked.is_ok()
        && let Some(cluster) = consumer.client().fetch_cluster_id(config.request_timeout)
    {
        return Ok(Clients { consumer, asking, source_uid: format!("{cluster}#{}", config.generation) });
    }
    drain(&consumer);
    let reason = consumer.context().reason();
    Err(config.unavailable(reason.unwrap_or_else(|| "no broker answers".into())))
}

/// Errors are heard only while polling. Records that come with them are fetched again: the caller starts anew.
fn drain(consumer: &BaseConsumer<Ear>) {
    for _ in 0..10_000 {
        if consumer.poll(Duration::ZERO).is_none() {
            return;
        }
    }
}

fn is_of(message: &BorrowedMessage<'_>, reading: &Reading) -> bool {
    reading.partition.number == message.partition() && *reading.partition.stream == *message.topic() && !reading.stopped
}

/// Copies a message to its partition's batch and says how many bytes it had. librdkafka's memory is free again after it.
/// A new batch is given what the partition's last one took, out of `room`: all together never more than is to be taken.
fn keep(reading: &mut Reading, message: &BorrowedMessage<'_>, room: &mut usize) -> usize {
    if message.offset() < reading.next {
        return 0; // fetched before the partition was started anew
    }
    let builder = reading.builder.get_or_insert_with(|| {
        let mut builder = RecordsBuilder::starting_at(reading.next);
        let (bytes, records) = reading.last_taken;
        if bytes <= *room {
            *room -= bytes;
            builder.reserve(bytes, records);
        }
        builder
    });
    let before = builder.arena_len();
    let headers = message.headers().into_iter().flat_map(|headers| (0..headers.count()).map(|i| header(headers, i)));
    let timestamp = message.timestamp().to_millis().unwrap_or(-1);
    builder.push(message.offset(), timestamp, message.key(), headers, message.payload());
    reading.next = builder.next_offset();
    (builder.arena_len() - before).max(1)
}

/// A header; a value that is null counts as empty. The library panics at a name that is not UTF-8, which any producer
/// can send: such a name becomes "\u{fffd}", and the record is kept.
fn header<H: Headers>(headers: &H, at: usize) -> (&str, &[u8]) {
    let found = catch_unwind(AssertUnwindSafe(|| headers.try_get(at)));
    match found {
        Ok(Some(header)) => (header.key, header.value.unwrap_or_default()),
        Ok(None) | Err(_) => ("\u{fffd}", &[]),
    }
}
