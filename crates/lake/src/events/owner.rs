//! Who holds a partition: the writer of the newest commit that carries its claim (ingestion.md 3.3, 3.5).
//!
//! The Delta log keeps the number of a claim in a transaction, and who made it only in `commitInfo`, which goes with its commit
//! when the log is cleaned up. So this is for the eyes of an operator, and looks back a bounded way.

use std::collections::BTreeMap;

use futures::{StreamExt as _, TryStreamExt as _};

use super::Events;
use super::entry::read_commit;
use crate::{PartitionId, Result};

/// Commits that are read at once: a store across a network answers each slowly and many as fast as one.
const AT_ONCE: usize = 16;

/// Who made a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The fencing number.
    pub claim: i64,
    /// Who commits under it: new at each start of a process.
    pub writer_id: String,
}

impl Events {
    /// The owner of each of these partitions, as far as the newest `most` commits up to the version seen tell.
    ///
    /// # Errors
    /// Storage errors; `Json` when a commit is torn.
    pub async fn owners(
        &self,
        partitions: impl IntoIterator<Item = &PartitionId>,
        most: u64,
    ) -> Result<BTreeMap<PartitionId, Owner>> {
        let mut wanted: BTreeMap<String, &PartitionId> =
            partitions.into_iter().filter(|id| self.claim_of(id).is_some()).map(|id| (id.claim_app_id(), id)).collect();
        let mut found = BTreeMap::new();
        let (log, newest) = (self.table.log_store(), self.lake_version());
        let versions = (0..most).map_while(|back| newest.checked_sub(back));
        let mut commits = futures::stream::iter(versions).map(|version| read_commit(&log, version)).buffered(AT_ONCE);
        while let (false, Some(commit)) = (wanted.is_empty(), commits.try_next().await?) {
            // What is older was cleaned up.
            let Some(commit) = commit else { break };
            let Some(writer_id) = commit.writer_id else { continue };
            for (app, claim) in commit.txns {
                if let Some(id) = wanted.remove(&app) {
                    found.insert(id.clone(), Owner { claim, writer_id: writer_id.clone() });
                }
            }
        }
        Ok(found)
    }
}
