//! What the source does when its group moves partitions (ingestion.md 3.5).

use std::collections::BTreeSet;

use eventlog::{Change, EventSource, Partition};
use tracing::{debug, info, warn};

use super::{LogReader, Stop};
use crate::IngestError;
use crate::worker::ToPipeline;

impl<S: EventSource> LogReader<S> {
    /// Does what the group asks: gives up what is no longer this worker's, and looks for what came.
    pub(super) fn follow_group(&mut self) -> Result<(), Stop> {
        match self.io.source.changed() {
            Ok(change) => self.change = self.change.max(change),
            Err(error) if error.is_transient() => debug!(%error, "the group does not answer"),
            Err(error) => return Err(Stop::Failed(IngestError::Log(error))),
        }
        let change = std::mem::replace(&mut self.change, Change::None);
        if change != Change::None {
            self.give_up(change)?;
            self.scanned_at = None;
        }
        self.release_what_is_finished();
        Ok(())
    }

    /// Ends with the partitions that the group took away. What was read of them is committed within a short while or not at
    /// all: dropping is always right, because offsets come from the lake (ingestion.md 3.5).
    fn give_up(&mut self, change: Change) -> Result<(), Stop> {
        let mine: BTreeSet<Partition> = match self.io.source.partitions() {
            Ok(mine) => mine.into_iter().collect(),
            Err(error) => return Err(Stop::Failed(IngestError::Log(error))),
        };
        let not_mine: Vec<Partition> = self.halted.keys().filter(|halted| !mine.contains(*halted)).cloned().collect();
        for partition in not_mine {
            self.goes_on(&partition);
            self.io.monitor.given_up(&self.id(&partition));
        }
        let gone: Vec<Partition> =
            self.reading.keys().filter(|partition| !mine.contains(*partition)).cloned().collect();
        if change == Change::Lost {
            warn!(partitions = gone.len(), "the group took this worker for dead; what it had read is dropped");
        } else {
            self.close();
        }
        for partition in gone {
            let _ = self.io.source.stop(&partition);
            self.gate.forget(&partition);
            let Some(reading) = self.reading.remove(&partition) else { continue };
            info!(partition = %partition, "given to another worker");
            if change != Change::Lost && !reading.is_settled() {
                self.leaving.push((reading.topic.clone(), reading.from));
            }
            self.io.monitor.given_up(&reading.topic.id);
            self.outbox.push_back(ToPipeline::Released { topic: reading.topic });
        }
        self.leaving_since.get_or_insert_with(|| self.io.clock.elapsed());
        Ok(())
    }

    fn release_what_is_finished(&mut self) {
        let Some(since) = self.leaving_since else { return };
        let waited = self.io.clock.elapsed().saturating_sub(since);
        if self.leaving.is_empty() || waited >= self.io.config.release_wait {
            self.leaving.clear();
            self.leaving_since = None;
            if let Err(error) = self.io.source.release() {
                debug!(%error, "the group took no release");
            }
        }
    }
}
