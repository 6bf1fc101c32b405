//! What is owed: of each partition of ours, up to where the table has it, up to where the log has receipts, and the receipts that
//! wait to be sent. Shared by the committer, who adds, and the sender, who takes; neither holds it while it waits.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use events::receipt::{Receipt, Told};
use lake::PartitionId;
use tokio::sync::Notify;

use crate::batch::Topic;

/// Bytes of receipts that wait in memory, beside the byte budget. More are made from the table when it is their turn: at one
/// commit a second and twelve partitions that is some twenty minutes of a log that is away.
const MOST_BYTES: usize = 4 << 20;

/// What an exception is taken to be worth in bytes before it is written out.
const BYTES_PER_EXCEPTION: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Ledger {
    state: Mutex<State>,
    /// Something is owed that was not, or nothing will be any more.
    pub news: Notify,
}

#[derive(Debug, Default)]
struct State {
    accounts: BTreeMap<PartitionId, Account>,
    bytes: usize,
    ended: bool,
}

/// A partition of ours.
#[derive(Debug)]
struct Account {
    topic: Arc<Topic>,
    /// The log has acknowledged receipts of everything below; `None`: of nothing, and where the partition's rows begin is not known.
    acknowledged: Option<i64>,
    /// The table has everything below; `None`: it was never read.
    committed: Option<i64>,
    /// Receipts that are made, in order. Between two of them, and around them, may be offsets of which none is made yet.
    ready: VecDeque<Ready>,
}

/// A receipt that is made: with it, everything in `[from, upto)` is told.
#[derive(Debug, Clone)]
pub(super) struct Ready {
    pub from: i64,
    pub upto: i64,
    pub message: Arc<[u8]>,
}

/// What is to be done for a partition.
#[derive(Debug)]
pub(super) enum Due {
    /// Send this.
    Send(Ready),
    /// Make the receipts of these offsets from the table; without `from`, from the partition's first row on.
    Make { from: Option<i64>, to: i64 },
}

impl Ready {
    /// Receipts in order that tell all of `[from, upto)`. What lies before one and behind the one before it has no rows.
    pub(super) fn all(from: i64, upto: i64, receipts: Vec<Receipt>) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::with_capacity(receipts.len());
        for receipt in receipts {
            let (from, upto) = (all.last().map_or(from, |before| before.upto), receipt.to);
            all.push(Self { from, upto, message: Told::Receipt(receipt).encode().into() });
        }
        if let Some(last) = all.last_mut() {
            last.upto = upto;
        }
        all
    }
}

impl Account {
    fn due(&self) -> Option<Due> {
        let to = self.ready.front().map_or(self.committed?, |front| front.from);
        match self.acknowledged {
            Some(at) if at >= to => self.ready.front().cloned().map(Due::Send),
            from => Some(Due::Make { from, to }),
        }
    }

    fn owed(&self) -> i64 {
        self.committed.map_or(0, |committed| committed - self.acknowledged.unwrap_or(0))
    }
}

impl Ledger {
    pub(super) fn open(&self, topic: &Arc<Topic>, acknowledged: Option<i64>, committed: Option<i64>) {
        let account = Account { topic: topic.clone(), acknowledged, committed, ready: VecDeque::new() };
        let mut state = self.lock();
        let before = state.accounts.insert(topic.id.clone(), account);
        state.forget(before);
        drop(state);
        self.news.notify_one();
    }

    pub(super) fn close(&self, topic: &Arc<Topic>) {
        let mut state = self.lock();
        if state.account(topic).is_some() {
            let before = state.accounts.remove(&topic.id);
            state.forget(before);
        }
    }

    /// The table has `[from, to)`; `ready` tells it, or nothing where there was no room.
    pub(super) fn committed(&self, topic: &Arc<Topic>, from: i64, to: i64, ready: Vec<Ready>) {
        let mut state = self.lock();
        let Some(account) = state.account(topic) else { return };
        if account.committed.is_none() {
            // Nobody has read it before, so there is nothing to be told before its first row.
            account.acknowledged = Some(from);
        }
        account.committed = Some(to);
        let bytes: usize = ready.iter().map(|ready| ready.message.len()).sum();
        account.ready.extend(ready);
        state.bytes += bytes;
        drop(state);
        self.news.notify_one();
    }

    pub(super) fn has_room_for(&self, exceptions: usize) -> bool {
        self.lock().bytes + exceptions * BYTES_PER_EXCEPTION < MOST_BYTES
    }

    pub(super) fn acknowledged(&self, topic: &Arc<Topic>) -> Option<i64> {
        self.lock().account(topic).and_then(|account| account.acknowledged)
    }

    /// What is to be done next, for each partition of which something is owed.
    pub(super) fn due(&self) -> Vec<(Arc<Topic>, Due)> {
        let state = self.lock();
        state.accounts.values().filter_map(|account| Some((account.topic.clone(), account.due()?))).collect()
    }

    /// Receipts were made that tell all of `[from, upto)`. Where there were no rows there is nothing to be sent.
    pub(super) fn made(&self, topic: &Arc<Topic>, from: i64, upto: i64, receipts: Vec<Receipt>) {
        let ready = Ready::all(from, upto, receipts);
        let bytes: usize = ready.iter().map(|ready| ready.message.len()).sum();
        let mut state = self.lock();
        let Some(account) = state.account(topic) else { return };
        account.acknowledged = Some(if ready.is_empty() { upto } else { from });
        for ready in ready.into_iter().rev() {
            account.ready.push_front(ready);
        }
        state.bytes += bytes;
    }

    /// The log has acknowledged the first of the receipts that wait.
    pub(super) fn sent(&self, topic: &Arc<Topic>) {
        let mut state = self.lock();
        let Some(account) = state.account(topic) else { return };
        if let Some(sent) = account.ready.pop_front() {
            account.acknowledged = Some(sent.upto);
            state.bytes -= sent.message.len();
        }
    }

    /// Offsets that are in the table and of which the log has acknowledged no receipt.
    pub(super) fn owed(&self) -> i64 {
        self.lock().accounts.values().map(Account::owed).sum()
    }

    /// Nothing will be added.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.news.notify_one();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.lock().ended
    }

    /// A panic elsewhere leaves a ledger that is still true: each change is made in one step.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The account of this assignment. One that was assigned again has another.
    fn account(&mut self, topic: &Arc<Topic>) -> Option<&mut Account> {
        self.accounts.get_mut(&topic.id).filter(|account| Arc::ptr_eq(&account.topic, topic))
    }

    fn forget(&mut self, account: Option<Account>) {
        let ready = account.iter().flat_map(|account| &account.ready);
        self.bytes -= ready.map(|ready| ready.message.len()).sum::<usize>();
    }
}

#[cfg(test)]
mod tests {
    use eventlog::Partition;
    use policy::Policy;

    use super::*;

    fn topic() -> Arc<Topic> {
        let id = PartitionId::new("u#0", "tip.events.FIA.v1", 0);
        let source = Partition::new("tip.events.FIA.v1", 0);
        Arc::new(Topic::new(source, id, "FIA", 1, &Policy::default().agencies))
    }

    fn receipt(from: i64, to: i64) -> Receipt {
        let (stream, exceptions) = ("u#0/tip.events.FIA.v1".into(), Vec::new());
        Receipt { lake_version: 1, batch_id: None, stream, partition: 0, from, to, exceptions }
    }

    fn ready(from: i64, to: i64) -> Vec<Ready> {
        Ready::all(from, to, vec![receipt(from, to)])
    }

    /// What is due for the only partition, as bounds: to be sent, or to be made.
    fn due(ledger: &Ledger) -> Option<(&'static str, Option<i64>, i64)> {
        ledger.due().pop().map(|(_, due)| match due {
            Due::Send(ready) => ("send", Some(ready.from), ready.upto),
            Due::Make { from, to } => ("make", from, to),
        })
    }

    #[test]
    fn what_found_no_room_is_made_from_the_table_between_what_did() {
        let (ledger, topic) = (Ledger::default(), topic());
        ledger.open(&topic, Some(0), Some(0));
        assert_eq!(due(&ledger), None);
        ledger.committed(&topic, 0, 5, ready(0, 5));
        ledger.committed(&topic, 5, 9, Vec::new());
        ledger.committed(&topic, 9, 12, ready(9, 12));
        assert_eq!(due(&ledger), Some(("send", Some(0), 5)));
        ledger.sent(&topic);
        assert_eq!((ledger.acknowledged(&topic), ledger.owed()), (Some(5), 7));
        assert_eq!(due(&ledger), Some(("make", Some(5), 9)));
        ledger.made(&topic, 5, 7, vec![receipt(5, 7)]);
        assert_eq!(due(&ledger), Some(("send", Some(5), 7)));
        ledger.sent(&topic);
        ledger.made(&topic, 7, 9, Vec::new());
        assert_eq!(due(&ledger), Some(("send", Some(9), 12)), "offsets without a row have no receipt");
        ledger.sent(&topic);
        assert_eq!((due(&ledger), ledger.owed(), ledger.lock().bytes), (None, 0, 0));
    }

    #[test]
    fn of_a_lake_that_nobody_was_told_of_the_beginning_is_looked_for() {
        let (ledger, topic) = (Ledger::default(), topic());
        ledger.open(&topic, None, Some(40));
        assert_eq!(due(&ledger), Some(("make", None, 40)));
        ledger.committed(&topic, 40, 44, ready(40, 44));
        ledger.made(&topic, 30, 40, vec![receipt(30, 33), receipt(37, 39)]);
        for expected in [(30, 33), (33, 40), (40, 44)] {
            assert_eq!(due(&ledger), Some(("send", Some(expected.0), expected.1)));
            ledger.sent(&topic);
        }
        assert_eq!(ledger.acknowledged(&topic), Some(44));
    }

    #[test]
    fn of_a_partition_that_was_never_read_nothing_is_owed_before_its_first_row() {
        let (ledger, topic) = (Ledger::default(), topic());
        ledger.open(&topic, None, None);
        assert_eq!((due(&ledger), ledger.owed()), (None, 0));
        ledger.committed(&topic, 500, 520, ready(500, 520));
        assert_eq!(due(&ledger), Some(("send", Some(500), 520)));
    }

    #[test]
    fn what_waits_in_memory_has_a_limit_and_what_is_released_is_forgotten() {
        let (ledger, topic) = (Ledger::default(), topic());
        ledger.open(&topic, Some(0), Some(0));
        let mut next = 0;
        while ledger.has_room_for(1_000) {
            ledger.committed(&topic, next, next + 1, ready(next, next + 1));
            next += 1;
        }
        assert!(ledger.has_room_for(0) && ledger.lock().bytes <= MOST_BYTES);
        let again = Arc::new(Topic::new(topic.source.clone(), topic.id.clone(), "FIA", 2, &Policy::default().agencies));
        ledger.open(&again, Some(0), Some(next));
        ledger.sent(&topic);
        assert_eq!(ledger.acknowledged(&topic), None, "of an assignment that is over");
        assert_eq!((ledger.acknowledged(&again), ledger.lock().bytes), (Some(0), 0));
        ledger.close(&topic);
        assert_eq!(due(&ledger), Some(("make", Some(0), next)));
        ledger.close(&again);
        assert_eq!(due(&ledger), None);
    }
}
