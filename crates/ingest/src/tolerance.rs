//! How many messages that cannot be accepted a partition takes before it stands still (ingestion.md 3.6).
//!
//! The count is over the last offsets of the partition in the log's order, and a pure function of what is committed and
//! what is read: at an assignment it is rebuilt from the table's side lane, so a restart neither forgets it nor lets a
//! feed through. Whether a message becomes a row is all that is decided here; what the row says never depends on it.
//!
//! An operator lets a partition go on by a permit (`lake::Events::permit`): what lies below it is set aside, and is not
//! counted. Absent: time, batches, other partitions. Offsets that hold no record (transaction markers) count as accepted.

use std::collections::VecDeque;

use arrow::array::AsArray as _;
use arrow::datatypes::Int64Type;
use futures::TryStreamExt as _;
use lake::{EventsSnapshot, LakeError, Lane, PartitionId, RowFilter};
use policy::OnReject;

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

    /// The tolerance of a partition whose next offset is `next`, as its committed rows leave it.
    pub(crate) async fn rebuilt(
        snapshot: &EventsSnapshot,
        partition: &PartitionId,
        rule: OnReject,
        permitted: i64,
        next: Option<i64>,
    ) -> Result<Self, LakeError> {
        let counted = match (rule, next) {
            (OnReject::SetAsideWithLimit { window, .. }, Some(next)) => {
                set_aside_since(snapshot, partition, (next - i64::from(window)).max(permitted)).await?
            }
            _ => Vec::new(),
        };
        Ok(Self::new(rule, permitted, counted))
    }
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
    /// That of a partition whose next offset is `next` and which may set everything aside below `permitted`.
    ///
    /// # Errors
    /// Storage errors of the lake.
    pub async fn of(
        snapshot: &EventsSnapshot,
        partition: &PartitionId,
        rule: OnReject,
        permitted: i64,
        next: i64,
    ) -> Result<Self, LakeError> {
        let (most, window) = match rule {
            OnReject::SetAsideWithLimit { most, window } => (Some(most), window),
            OnReject::Suspend | OnReject::SetAside => (None, WINDOW),
        };
        let first = (next - i64::from(window) + 1).max(permitted);
        let counted = set_aside_since(snapshot, partition, first).await?.len() as u64;
        Ok(Self { counted, window, most })
    }
}

/// Offsets of the partition's rows that were set aside, from this offset on. Conflicts and duplicates are not among them.
async fn set_aside_since(snapshot: &EventsSnapshot, partition: &PartitionId, from: i64) -> Result<Vec<i64>, LakeError> {
    let mut found = Vec::new();
    let filter = RowFilter::Offsets { partition: partition.clone(), from, to: i64::MAX };
    let may_hold = |file: &&lake::DataFile| file.lane == Lane::Side && file.may_hold(partition, from, i64::MAX);
    for file in snapshot.files.iter().filter(may_hold) {
        let mut batches = snapshot.read_where(file, &["log_offset", "_status"], &filter)?;
        while let Some(batch) = batches.try_next().await? {
            let statuses = arrow::compute::cast(batch.column(1), &arrow::datatypes::DataType::Utf8)?;
            let offsets = batch.column(0).as_primitive::<Int64Type>();
            let set_aside = |row: &usize| statuses.as_string::<i32>().value(*row) == "set_aside";
            found.extend((0..batch.num_rows()).filter(set_aside).map(|row| offsets.value(row)));
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
