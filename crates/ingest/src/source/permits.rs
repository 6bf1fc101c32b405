//! A partition that stands still before a message goes on when an operator permits that message to be set aside
//! (`lake::Events::permit`). The permit is in the lake, and is looked for at each scan while a partition needs one.

use eventlog::EventSource;
use tokio::sync::oneshot;
use tracing::info;

use super::{LogReader, Stop};
use crate::committer::ToCommitter;

impl<S: EventSource> LogReader<S> {
    /// Lets those partitions be claimed again of which the message that stood in the way is permitted.
    pub(super) async fn look_for_permits(&mut self) -> Result<(), Stop> {
        if self.rejected.is_empty() {
            return Ok(());
        }
        let rejected: Vec<_> = self.rejected.iter().map(|(partition, offset)| (partition.clone(), *offset)).collect();
        let partitions = rejected.iter().map(|(partition, _)| self.id(partition)).collect();
        let (reply, answer) = oneshot::channel();
        let committer = self.io.committer.clone();
        let ask = committer.send(ToCommitter::Permits { partitions, reply });
        self.attend(ask).await.map_err(|_| Stop::Alone)?;
        let permits = self.attend(answer).await.map_err(|_| Stop::Alone)?;
        for ((partition, offset), permit) in rejected.into_iter().zip(permits) {
            if permit.is_some_and(|below| offset < below) {
                info!(partition = %partition, offset, "what cannot be accepted may be set aside; reading on");
                self.rejected.remove(&partition);
                self.halted.remove(&partition);
            }
        }
        Ok(())
    }
}
