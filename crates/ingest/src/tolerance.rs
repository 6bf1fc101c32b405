//! How many messages that cannot be accepted a partition takes before it stands still (ingestion.md 3.6).
//!
//! The count is over the last offsets of the partition in the log's order, and a pure function of what is committed and
//! what is read: at an assignment it is rebuilt from the table's side lane, so a restart neither forgets it nor lets a
//! feed through. Whether a message becomes a row is all that is decided here; what the row says never depends on it.
//!
//! An operator lets a partition go on by a permit (`lake::Events::permit`): what lies below it is set aside, and is not
//! counted. Absent: time, batches, other partitions. Offsets that hold no record (transaction markers) count as accepted.

use std::collections::VecDeque;

use futures::TryStreamExt as _;
use lake::{EventsSnapshot, LakeError, Lane, PartitionId};
use policy::OnReject;

use crate::lookup::{Places, text};

/// What one partition still takes.
#[derive(Debug, Clone)]
pub(crate) struct Tolerance {
    rule: OnReject,
    /// Below this offset everything may be set aside.
    permitted: i64,
    /// Offsets of counted messages, ascending; older ones than the window are left out when the next is counted.
    counted: VecDeque<i64>,
    /// A message was not taken: no later one is read.
    exceeded: bool,
}

impl Tolerance {
    /// `counted`: offsets that the partition has set aside already, in any order.
    pub(crate) fn new(rule: OnReject, permitted: i64, mut counted: Vec<i64>) -> Self {
        counted.retain(|offset| *offset >= permitted);
        counted.sort_unstable();
        Self { rule, permitted, counted: counted.into(), exceeded: false }
    }

    /// Whether the message at this offset, which cannot be accepted, may be set aside. Offsets ascend.
    pub(crate) fn takes(&mut self, offset: i64) -> bool {
        if offset < self.permitted {
            return true;
        }
        let taken = match self.rule {
            OnReject::Suspend => false,
            OnReject::SetAside => true,
            OnReject::SetAsideWithLimit { most, window } => {
                while self.counted.front().is_some_and(|first| *first <= offset - i64::from(window)) {
                    self.counted.pop_front();
                }
                let taken = self.counted.len() < most as usize;
                self.counted.extend(taken.then_some(offset));
                taken
            }
        };
        self.exceeded |= !taken;
        taken
    }

    /// Whether a message was not taken. Its partition stands still, whatever is still under way for it.
    pub(crate) fn is_exceeded(&self) -> bool {
        self.exceeded
    }

    /// The limit that is reached when a message is not taken: messages, and offsets among which they are.
    pub(crate) fn limit(&self) -> Option<(u32, u32)> {
        match self.rule {
            OnReject::SetAsideWithLimit { most, window } => Some((most, window)),
            OnReject::Suspend | OnReject::SetAside => None,
        }
    }

    /// The tolerances of partitions, in their order, as their committed rows leave them.
    pub(crate) async fn rebuilt(snapshot: &EventsSnapshot, of: &[Allowance]) -> Result<Vec<Self>, LakeError> {
        let limited = of.iter().map(|one| match one.rule {
            OnReject::SetAsideWithLimit { window, .. } => Some((one.next - i64::from(window)).max(one.permitted)),
            OnReject::Suspend | OnReject::SetAside => None,
        });
        let from: Vec<_> =
            of.iter().zip(limited).map(|(one, from)| (&one.partition, from.unwrap_or(i64::MAX))).collect();
        let counted = set_aside_since(snapshot, &from).await?;
        Ok(of.iter().zip(counted).map(|(one, counted)| Self::new(one.rule, one.permitted, counted)).collect())
    }
}

/// What a partition may set aside, and from where on.
#[derive(Debug, Clone)]
pub struct Allowance {
    /// The partition.
    pub partition: PartitionId,
    /// What becomes of what cannot be accepted.
    pub rule: OnReject,
    /// Below this offset everything may be set aside.
    pub permitted: i64,
    /// Offset of the next message.
    pub next: i64,
}

/// How much of what it may set aside a partition has used, as an operator sees it: the same count by which it stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leeway {
    /// Messages set aside that count against the next one.
    pub counted: u64,
    /// Offsets among which they are counted, that of the next message included.
    pub window: u32,
    /// Messages that may be set aside among so many offsets; `None`: the policy sets no limit, or suspends at the first.
    pub most: Option<u32>,
}

/// Offsets that are looked at where the policy has no window of its own (its default: ingestion.md 3.6).
const WINDOW: u32 = 10_000;

impl Leeway {
    /// Those of partitions, in their order.
    ///
    /// # Errors
    /// Storage errors of the lake.
    pub async fn of(snapshot: &EventsSnapshot, of: &[Allowance]) -> Result<Vec<Self>, LakeError> {
        let limits = of.iter().map(|one| match one.rule {
            OnReject::SetAsideWithLimit { most, window } => (Some(most), window),
            OnReject::Suspend | OnReject::SetAside => (None, WINDOW),
        });
        let limits: Vec<_> = limits.collect();
        let first =
            |(one, (_, window)): (&Allowance, &(_, u32))| (one.next - i64::from(*window) + 1).max(one.permitted);
        let from: Vec<_> = of.iter().zip(&limits).map(|asked| (&asked.0.partition, first(asked))).collect();
        let counted = set_aside_since(snapshot, &from).await?.into_iter().map(|offsets| offsets.len() as u64);
        Ok(limits.into_iter().zip(counted).map(|((most, window), counted)| Self { counted, window, most }).collect())
    }
}

/// Offsets of rows that were set aside, of each partition from its offset on. Conflicts and duplicates are not among them. A
/// file is read once for all partitions.
async fn set_aside_since(snapshot: &EventsSnapshot, since: &[(&PartitionId, i64)]) -> Result<Vec<Vec<i64>>, LakeError> {
    let mut found = vec![Vec::new(); since.len()];
    for file in snapshot.files.iter().filter(|file| file.lane == Lane::Side) {
        let here = since.iter().zip(&mut found).filter(|((id, from), _)| file.may_hold(id, *from, i64::MAX));
        let (here, mut found): (Vec<_>, Vec<_>) = here.unzip();
        if here.is_empty() {
            continue;
        }
        let ids: Vec<&PartitionId> = here.iter().map(|(id, _)| *id).collect();
        let mut batches = snapshot.read(file, &["log_stream", "log_partition", "log_offset", "_status"])?;
        while let Some(batch) = batches.try_next().await? {
            let (places, statuses) = (Places::of(&batch)?, text(batch.column(3))?);
            for row in (0..batch.num_rows()).filter(|row| statuses.value(*row) == "set_aside") {
                let Some(of) = ids.iter().position(|id| places.is(row, id)) else { continue };
                found[of].extend(Some(places.offset(row)).filter(|offset| *offset >= here[of].1));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_OF_TEN: OnReject = OnReject::SetAsideWithLimit { most: 2, window: 10 };

    fn taken(mut tolerance: Tolerance, offsets: &[i64]) -> Vec<bool> {
        offsets.iter().map(|offset| tolerance.takes(*offset)).collect()
    }

    #[test]
    fn a_message_is_one_too_many_only_among_the_last_offsets() {
        let fresh = || Tolerance::new(TWO_OF_TEN, 0, Vec::new());
        assert_eq!(
            taken(fresh(), &[0, 9, 10]),
            [true, true, true],
            "offset 0 is no longer among the ten that end at 10"
        );
        assert_eq!(taken(fresh(), &[0, 8, 9]), [true, true, false]);
        assert_eq!(taken(fresh(), &[1, 2, 3, 11]), [true, true, false, true], "what was not taken is not counted");
    }

    #[test]
    fn what_is_rebuilt_takes_what_the_old_one_would_have_taken() {
        let offsets = [3, 4, 9, 12, 13, 14, 30];
        let mut old = Tolerance::new(TWO_OF_TEN, 0, Vec::new());
        for (at, offset) in offsets.iter().enumerate() {
            let rebuilt = Tolerance::new(TWO_OF_TEN, 0, old.counted.iter().rev().copied().collect());
            assert_eq!(taken(rebuilt, &offsets[at..]), taken(old.clone(), &offsets[at..]));
            old.takes(*offset);
        }
    }

    #[test]
    fn what_is_permitted_is_taken_and_does_not_count() {
        let permitted = |rule| Tolerance::new(rule, 5, vec![0, 4]);
        assert_eq!(taken(permitted(TWO_OF_TEN), &[1, 2, 3, 4, 5, 6, 7]), [true, true, true, true, true, true, false]);
        assert_eq!(taken(permitted(OnReject::Suspend), &[4, 5]), [true, false]);
        assert_eq!(taken(permitted(OnReject::SetAside), &[4, 5, 6, 7]), [true; 4]);
    }
}
