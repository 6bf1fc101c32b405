//! Reads the simulated log.

use std::sync::Arc;
use std::time::Duration;

use super::{ReadFault, SimulatedLog, Stored, unavailable};
use crate::error::Result;
use crate::partition::Partition;
use crate::records::{Fetched, RecordsBuilder};
use crate::source::{Change, EventSource, Watermarks};
use crate::stream::agency_of;

/// Reads a [`SimulatedLog`].
pub struct SimulatedSource {
    log: SimulatedLog,
    /// Its name in the log's group, if it is a member.
    member: Option<Arc<str>>,
    reading: Vec<Reading>,
    turn: usize,
}

struct Reading {
    partition: Partition,
    next: i64,
    stopped: bool,
}

impl SimulatedSource {
    pub(super) fn new(log: SimulatedLog, member: Option<Arc<str>>) -> Self {
        Self { log, member, reading: Vec::new(), turn: 0 }
    }

    /// Plays the next fault of the script, if it is of a kind that this call knows.
    fn fault(&self, known: impl Fn(ReadFault) -> bool) -> Option<ReadFault> {
        let mut state = self.log.state();
        let next = state.reading.front().copied().filter(|fault| known(*fault));
        if next.is_some() {
            state.reading.pop_front();
        }
        next
    }

    fn ask(&self) -> Result<()> {
        self.fault(|fault| fault == ReadFault::Unavailable).map_or(Ok(()), |_| Err(unavailable()))
    }

    fn fetch_any(&mut self, max_bytes: usize, max_records: usize, again: bool) -> Result<Option<Fetched>> {
        for i in 0..self.reading.len() {
            let at = (self.turn + i) % self.reading.len();
            let Reading { partition, next, stopped } = &self.reading[at];
            if *stopped {
                continue;
            }
            let fetched = self.log.with(partition, |stored| take(partition, *next, stored, max_bytes, max_records));
            match fetched.and_then(|inner| inner) {
                Ok(None) => {}
                Ok(Some(fetched)) => {
                    if !again {
                        self.reading[at].next = fetched.records.next_offset();
                        self.turn = at + 1;
                    }
                    return Ok(Some(fetched));
                }
                Err(error) => {
                    self.reading[at].stopped = true;
                    self.turn = at + 1;
                    return Err(error);
                }
            }
        }
        Ok(None)
    }
}

impl EventSource for SimulatedSource {
    fn source_uid(&self) -> &str {
        &self.log.source_uid
    }

    fn partitions(&mut self) -> Result<Vec<Partition>> {
        self.ask()?;
        let state = self.log.state();
        if let Some(member) = &self.member {
            return Ok(state.members[member].mine.iter().cloned().collect());
        }
        let agencies = state.streams.iter().filter(|(stream, _)| agency_of(stream).is_some());
        Ok(agencies.flat_map(|(stream, all)| partitions_of(stream, all)).collect())
    }

    fn partitions_of(&mut self, stream: &str) -> Result<Vec<Partition>> {
        self.ask()?;
        let state = self.log.state();
        Ok(state.streams.get_key_value(stream).map_or_else(Vec::new, |(name, all)| partitions_of(name, all).collect()))
    }

    fn changed(&mut self) -> Result<Change> {
        let Some(member) = &self.member else { return Ok(Change::None) };
        let mut state = self.log.state();
        let change = state.members.get_mut(member).and_then(|member| member.change.take());
        Ok(change.unwrap_or(Change::None))
    }

    fn release(&mut self) -> Result<()> {
        let mut state = self.log.state();
        if let Some(member) = self.member.as_ref().and_then(|name| state.members.get_mut(name)) {
            member.released += 1;
        }
        Ok(())
    }

    fn watermarks(&mut self, partition: &Partition) -> Result<Watermarks> {
        self.ask()?;
        self.log.with(partition, |stored| stored.watermarks())
    }

    fn read_from(&mut self, partition: &Partition, next: i64) -> Result<()> {
        let watermarks = self.watermarks(partition)?;
        self.stop(partition)?;
        watermarks.allow(partition, next)?;
        self.reading.push(Reading { partition: partition.clone(), next, stopped: false });
        Ok(())
    }

    fn stop(&mut self, partition: &Partition) -> Result<()> {
        self.reading.retain(|reading| reading.partition != *partition);
        Ok(())
    }

    fn poll(&mut self, max_bytes: usize, wait: Duration) -> Result<Option<Fetched>> {
        let fetched = match self.fault(|_| true) {
            Some(ReadFault::Unavailable) => return Err(unavailable()),
            Some(ReadFault::Silent) => None,
            Some(ReadFault::Slow(by)) => {
                self.log.clock.advance(by);
                self.fetch_any(max_bytes, 1, false)?
            }
            Some(ReadFault::Redeliver) => self.fetch_any(max_bytes, usize::MAX, true)?,
            None => self.fetch_any(max_bytes, usize::MAX, false)?,
        };
        if fetched.is_none() {
            self.log.clock.advance(wait);
            std::thread::yield_now(); // a writer on another thread gets its turn
        }
        Ok(fetched)
    }

    fn hint(&mut self, partition: &Partition, next: i64) -> Result<()> {
        self.log.state().hints.insert(partition.clone(), next);
        Ok(())
    }
}

fn partitions_of(stream: &Arc<str>, all: &[Stored]) -> impl Iterator<Item = Partition> {
    let stream = stream.clone();
    (0..all.len() as i32).map(move |number| Partition { stream: stream.clone(), number })
}

fn take(
    partition: &Partition,
    next: i64,
    stored: &Stored,
    max_bytes: usize,
    max_records: usize,
) -> Result<Option<Fetched>> {
    stored.watermarks().allow(partition, next)?;
    if next == stored.high {
        return Ok(None);
    }
    let mut builder = RecordsBuilder::starting_at(next);
    let from = stored.records.partition_point(|record| record.offset < next);
    let mut all = true;
    for (taken, record) in stored.records.range(from..).enumerate() {
        if taken == max_records || (taken > 0 && builder.arena_len() >= max_bytes) {
            all = false;
            break;
        }
        let headers = record.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        builder.push(record.offset, record.timestamp_ms, record.key.as_deref(), headers, record.value.as_deref());
    }
    if all {
        builder.advance_to(stored.high); // past a gap at the end
    }
    Ok(Some(Fetched { partition: partition.clone(), records: builder.finish() }))
}
