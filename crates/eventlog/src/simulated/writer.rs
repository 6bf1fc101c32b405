//! Appends to the simulated log.

use super::{Message, SimulatedLog, State, WriteFault, unavailable};
use crate::error::{LogError, Result};
use crate::outgoing::Outgoing;
use crate::share::fnv;
use crate::sink::{EventSink, Position, admissible};

/// The largest message it takes, in bytes.
const MAX_MESSAGE_BYTES: usize = 64 << 20;

/// Writes a [`SimulatedLog`].
pub struct SimulatedSink {
    log: SimulatedLog,
}

impl SimulatedSink {
    pub(super) fn new(log: SimulatedLog) -> Self {
        Self { log }
    }
}

impl EventSink for SimulatedSink {
    fn append(&mut self, stream: &str, messages: &[Outgoing<'_>]) -> Result<Vec<Position>> {
        admissible(stream, messages, MAX_MESSAGE_BYTES)?;
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let mut state = self.log.state();
        match state.writing.pop_front() {
            None => Ok(append(&mut state, stream, messages)),
            Some(WriteFault::Unavailable) => Err(unavailable()),
            Some(WriteFault::DiskFull) => Err(LogError::DiskFull { path: "the simulated log".into() }),
            Some(WriteFault::LostAnswer) => {
                append(&mut state, stream, messages);
                Err(unavailable())
            }
        }
    }
}

fn append(state: &mut State, stream: &str, messages: &[Outgoing<'_>]) -> Vec<Position> {
    let partitions = state.create(stream);
    let count = partitions.len() as u64;
    let append_one = |message: &Outgoing<'_>| {
        let number = message.key.map_or(0, |key| fnv(key) % count) as usize;
        let stored = &mut partitions[number];
        let offset = stored.high;
        stored.high += 1;
        stored.records.push_back(Message {
            offset,
            timestamp_ms: message.timestamp_ms,
            key: message.key.map(<[u8]>::to_vec),
            headers: message.headers.iter().map(|(name, value)| ((*name).to_string(), value.to_vec())).collect(),
            value: message.value.map(<[u8]>::to_vec),
        });
        Position { partition: number as i32, offset }
    };
    messages.iter().map(append_one).collect()
}
