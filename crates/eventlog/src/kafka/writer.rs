//! Appends to Kafka, and waits for the delivery report of each message.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};

use super::client::Ear;
use super::{KafkaConfig, MAX_MESSAGE_BYTES, is_unknown_partition, topics};
use crate::error::{LogError, Result};
use crate::outgoing::Outgoing;
use crate::sink::{EventSink, Position, admissible};

/// How long an append waits for room at most, before it tries again.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Writes topics of a Kafka cluster.
pub struct KafkaSink {
    config: KafkaConfig,
    producer: ThreadedProducer<Reports>,
    /// Topics that are known to be there.
    known: HashSet<String>,
}

impl KafkaSink {
    /// Makes a sink. Does not ask the brokers anything yet; the first append does.
    pub fn new(config: KafkaConfig) -> Result<Self> {
        let producer = connect(&config)?;
        Ok(Self { config, producer, known: HashSet::new() })
    }

    fn deliver(&mut self, parts: &[(&str, &[Outgoing<'_>])]) -> Result<Vec<Vec<Position>>, Failed> {
        let reports = self.producer.context().clone();
        let call = reports.begin(parts.iter().map(|(_, messages)| messages.len()).sum());
        let messages =
            parts.iter().flat_map(|(stream, messages)| messages.iter().map(move |message| (*stream, message)));
        let mut sent = 0;
        let mut refused = None;
        for (index, (stream, message)) in messages.enumerate() {
            match self.send(stream, call, index, message) {
                Ok(()) => sent += 1,
                Err(error) => {
                    refused = Some(Failed { index, error });
                    break;
                }
            }
        }
        // Also after a refusal: what is under way must be settled before the next call.
        let settled = reports.wait_for(sent);
        let mut settled = refused.map_or(settled, Err)?.into_iter();
        Ok(parts.iter().map(|(_, messages)| settled.by_ref().take(messages.len()).collect()).collect())
    }

    /// Hands one message to librdkafka, waiting for room in its queue.
    fn send(&self, stream: &str, call: u32, index: usize, message: &Outgoing<'_>) -> Result<(), KafkaError> {
        let mut record = BaseRecord::with_opaque_to(stream, opaque(call, index)).timestamp(message.timestamp_ms);
        record.key = message.key;
        record.payload = message.value;
        if !message.headers.is_empty() {
            let empty = OwnedHeaders::new_with_capacity(message.headers.len());
            let add = |headers: OwnedHeaders, (key, value): &(&str, &[u8])| {
                headers.insert(Header { key, value: Some(*value) })
            };
            record = record.headers(message.headers.iter().fold(empty, add));
        }
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                // Every message in the queue is delivered or times out, so there will be room.
                Err((KafkaError::MessageProduction(Code::QueueFull), back)) => {
                    record = back;
                    self.producer.context().wait_for_room();
                }
                Err((error, _)) => return Err(error),
            }
        }
    }

    fn typed(&mut self, parts: &[(&str, &[Outgoing<'_>])], failed: Failed) -> LogError {
        let Failed { mut index, error } = failed;
        let of = parts.iter().find(|(_, messages)| {
            let here = index < messages.len();
            index -= if here { 0 } else { messages.len() };
            here
        });
        let (stream, messages) = of.copied().expect("a message that failed is one of the call");
        let code = error.rdkafka_error_code();
        // The next append asks for the topic again: what went wrong may have been what the client knew of it, and a topic that
        // was not permitted once stays so to the client until it asks.
        self.known.remove(stream);
        if self.producer.client().fatal_error().is_some() {
            // librdkafka's idempotent producer has given up (broker lost our sequence): a new one starts afresh.
            match connect(&self.config) {
                Ok(fresh) => self.producer = fresh,
                Err(error) => return error,
            }
            return self.config.unavailable("the producer had to be restarted");
        }
        match code {
            Some(Code::MessageSizeTooLarge | Code::InvalidMessageSize) => {
                // What is above our own limit was refused before it was sent.
                let bytes = messages[index].bytes();
                let reason = format!(
                    "Kafka does not take message {index} of this append ({bytes} bytes) or the batch it went in: raise \
                     `max.message.bytes` of topic {stream} (up to {MAX_MESSAGE_BYTES} is sent), or set a smaller `batch.size`"
                );
                LogError::Refused { reason }
            }
            Some(code) if is_unknown_partition(code) => {
                self.config.unavailable(format!("topic {stream} is gone; the next append makes it again"))
            }
            // The client numbers its messages anew by itself; whether this one is there nobody knows.
            Some(Code::OutOfOrderSequenceNumber | Code::UnknownProducerId | Code::InvalidProducerEpoch) => {
                self.config.unavailable("the brokers have lost count of this producer's messages; it begins anew")
            }
            Some(Code::MessageTimedOut) => {
                let seconds = self.config.delivery_timeout.as_secs();
                let reason = self.producer.context().ear.reason().unwrap_or_default();
                self.config.unavailable(format!("no acknowledgement within {seconds} s {reason}").trim_end())
            }
            _ => self.config.typed(error),
        }
    }
}

impl EventSink for KafkaSink {
    fn append(&mut self, stream: &str, messages: &[Outgoing<'_>]) -> Result<Vec<Position>> {
        Ok(self.append_each(&[(stream, messages)])?.pop().unwrap_or_default())
    }

    /// All are under way at once, so that it takes no longer than the slowest.
    fn append_each(&mut self, parts: &[(&str, &[Outgoing<'_>])]) -> Result<Vec<Vec<Position>>> {
        for (stream, messages) in parts {
            admissible(stream, messages, MAX_MESSAGE_BYTES)?;
        }
        for (stream, _) in parts.iter().filter(|(_, messages)| !messages.is_empty()) {
            if !self.known.contains(*stream) {
                topics::ensure(&self.config, self.producer.client(), stream)?;
                self.known.insert((*stream).to_owned());
            }
        }
        self.deliver(parts).map_err(|failed| self.typed(parts, failed))
    }
}

fn connect(config: &KafkaConfig) -> Result<ThreadedProducer<Reports>> {
    let client = config.producer()?;
    ThreadedProducer::from_config_and_context(&client, Reports::default()).map_err(|e| config.typed(e))
}

/// A message that was not delivered, and why.
struct Failed {
    index: usize,
    error: KafkaError,
}

/// Collects delivery reports, which arrive on the producer's thread.
#[derive(Default)]
struct Reports {
    ear: Ear,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    call: u32,
    positions: Vec<Position>,
    reported: usize,
    /// Reports for which somebody waits: to be woken by each of many thousand costs more than to send it.
    awaited: usize,
    failed: Option<Failed>,
}

/// Of what is under way, the part whose delivery makes room enough to go on.
const ROOM: usize = 1000;

impl Reports {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a call of so many messages and returns its number.
    fn begin(&self, messages: usize) -> u32 {
        let nowhere = Position { partition: -1, offset: -1 };
        let mut state = self.state();
        let call = state.call.wrapping_add(1);
        *state = State { call, positions: vec![nowhere; messages], reported: 0, awaited: usize::MAX, failed: None };
        call
    }

    /// Waits until there is room for more, or a little while.
    fn wait_for_room(&self) {
        let mut state = self.state();
        state.awaited = state.reported + ROOM;
        drop(self.changed.wait_timeout(state, LOOK_EVERY).unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits until all messages sent are reported; each is, at the latest when its time is up.
    fn wait_for(&self, sent: usize) -> Result<Vec<Position>, Failed> {
        let mut state = self.state();
        state.awaited = sent;
        while state.reported < sent {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        match state.failed.take() {
            Some(failed) => Err(failed),
            None => Ok(std::mem::take(&mut state.positions)),
        }
    }
}

/// Number of the call and of the message in it, in librdkafka's one word per message.
fn opaque(call: u32, index: usize) -> usize {
    (call as usize) << 32 | index
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.ear.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.ear.error(error, reason);
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, opaque: usize) {
        let (call, index) = ((opaque >> 32) as u32, opaque & 0xffff_ffff);
        let mut state = self.state();
        if state.call != call {
            return; // of a call that has ended
        }
        match result {
            Ok(message) => {
                state.positions[index] = Position { partition: message.partition(), offset: message.offset() }
            }
            // The first cause tells most; those after it are often only its consequence.
            Err((error, _)) if state.failed.is_none() => state.failed = Some(Failed { index, error: error.clone() }),
            Err(_) => {}
        }
        state.reported += 1;
        if state.reported >= state.awaited {
            self.changed.notify_one();
        }
    }
}
