//! A partition that stands still goes on when an operator has done something about it, without a restart: a permit lets the
//! message in its way be set aside (`lake::Events::permit`), a reset moves its next offset (`lake::Events::reset`). Both are in
//! the lake, and are looked for at each scan while a partition needs one.
//!
//! Absent: what is mended in the log or in the configuration. That is noticed when the worker starts.

use eventlog::{EventSource, Partition};
use tokio::sync::oneshot;
use tracing::info;

use super::{LogReader, Stop};
use crate::committer::ToCommitter;

impl<S: EventSource> LogReader<S> {
    /// Lets those partitions be claimed again of which the message that stood in the way is permitted. Of those that were moved
    /// the committer tells, as it does when a batch meets a reset ([`super::Control::Moved`]).
    pub(super) async fn look_at_what_stands_still(&mut self) -> Result<(), Stop> {
        let standing: Vec<Partition> = self.halted.keys().chain(self.gate.waiting()).cloned().collect();
        if standing.is_empty() {
            return Ok(());
        }
        let partitions = standing.iter().map(|partition| self.id(partition)).collect();
        let (reply, answer) = oneshot::channel();
        let committer = self.io.committer.clone();
        let ask = committer.send(ToCommitter::Look { partitions, reply });
        self.attend(ask).await.map_err(|_| Stop::Alone)?;
        let permits = self.attend(answer).await.map_err(|_| Stop::Alone)?;
        for (partition, permit) in standing.into_iter().zip(permits) {
            let Some(offset) = self.rejected.get(&partition).copied() else { continue };
            if permit.is_some_and(|below| offset < below) {
                info!(partition = %partition, offset, "what cannot be accepted may be set aside; reading on");
                self.goes_on(&partition);
            }
        }
        Ok(())
    }
}
