//! A sink for receipts that fails before and after what it was given took effect, as the seed decides.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use eventlog::simulated::{SimulatedLog, SimulatedSink};
use eventlog::{EventSink, LogError, Outgoing, Position};

/// How often what has happened.
#[derive(Debug, Default)]
pub struct Faults {
    pub refused: AtomicU64,
    pub answers_lost: AtomicU64,
}

pub struct FaultySink {
    sink: SimulatedSink,
    faults: Arc<Faults>,
    /// Of a hundred appends so many go wrong.
    misfortune: u64,
    /// Whose sink, in which world.
    of: (u64, u64),
    appends: u64,
}

impl FaultySink {
    pub fn new(log: &SimulatedLog, faults: &Arc<Faults>, misfortune: u64, of: (u64, u64)) -> Self {
        Self { sink: log.sink(), faults: faults.clone(), misfortune, of, appends: 0 }
    }
}

impl EventSink for FaultySink {
    fn append(&mut self, stream: &str, messages: &[Outgoing<'_>]) -> Result<Vec<Position>, LogError> {
        self.appends += 1;
        let mut hasher = DefaultHasher::new();
        (self.of, self.appends).hash(&mut hasher);
        let draw = hasher.finish();
        if draw % 100 >= self.misfortune {
            return self.sink.append(stream, messages);
        }
        if (draw >> 8).is_multiple_of(2) {
            self.sink.append(stream, messages)?;
            self.faults.answers_lost.fetch_add(1, Ordering::Relaxed);
        } else {
            self.faults.refused.fetch_add(1, Ordering::Relaxed);
        }
        Err(LogError::Unavailable { place: "the simulated log".into(), reason: "the seed says so".into() })
    }
}
