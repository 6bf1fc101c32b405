//! Membership of a consumer group: the brokers decide which worker reads which partition (ingestion.md 3.5).
//!
//! A member fetches nothing. It is a client of its own beside the one that reads, because reading must be able to start a
//! fresh client after an outage without leaving the group, and because a reader that is held up (a store that stalls) must
//! not look dead to the group. What the group says is a hint about who should read: safety comes from the claims in
//! the lake, so a member that was thought dead and wakes up does no harm.
//!
//! Rebalancing is cooperative: what stays with a worker is not interrupted, and what goes is given up only when the worker
//! says that it has finished with it.
//!
//! Leaving ends, whatever the library does: it may lose an answer while it closes, and then it waits for ever.

use std::collections::BTreeSet;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};

use super::client::Ear;
use super::{KafkaConfig, Membership};
use crate::error::{LogError, Result};
use crate::partition::Partition;
use crate::source::Change;

/// What the streams of agencies are called, as librdkafka takes a pattern; see [`crate::stream_name`].
const STREAMS: &str = r"^tip\.events\..*\.v1$";

/// How long the library waits for the brokers to hear that a member leaves.
const LEAVE: Duration = Duration::from_secs(5);

/// A member of a group, until it is dropped.
pub(super) struct Group {
    /// Taken by the drop alone.
    consumer: Option<BaseConsumer<Member>>,
    /// How long leaving may take. After a session the brokers give its partitions to others in any case.
    patience: Duration,
}

/// What the group has said.
#[derive(Default)]
pub(super) struct Member {
    ear: Ear,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    mine: BTreeSet<Partition>,
    change: Option<Change>,
    /// The group waits until what it took away is given up.
    awaited: bool,
    stay: Stay,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Stay {
    #[default]
    In,
    /// The client is being closed: nobody will ask any more, so everything is given up at once.
    Leaving,
    /// Everything was given up.
    Out,
}

impl Group {
    /// Joins. The brokers answer later, through [`Self::changed`].
    pub(super) fn join(config: &KafkaConfig, membership: &Membership) -> Result<Self> {
        let settings = config.member(membership)?;
        let consumer: BaseConsumer<Member> =
            BaseConsumer::from_config_and_context(&settings, Member::default()).map_err(|e| config.typed(e))?;
        consumer.subscribe(&[STREAMS]).map_err(|e| config.typed(e))?;
        Ok(Self { consumer: Some(consumer), patience: membership.session_timeout + LEAVE })
    }

    fn consumer(&self) -> &BaseConsumer<Member> {
        self.consumer.as_ref().expect("only the drop takes it")
    }

    /// What the group gave this worker, sorted.
    pub(super) fn partitions(&self) -> Vec<Partition> {
        self.consumer().context().state().mine.iter().cloned().collect()
    }

    /// Whether that is something else than when last asked. By asking, a member shows that it is alive.
    pub(super) fn changed(&self) -> Result<Change> {
        while let Some(event) = self.consumer().poll(Duration::ZERO) {
            if let Err(error) = event {
                tracing::debug!(target: "librdkafka", %error, "the group");
            }
        }
        if let Some((code, reason)) = self.consumer().client().fatal_error() {
            return Err(fatal(code, &reason));
        }
        Ok(self.consumer().context().state().change.take().unwrap_or(Change::None))
    }

    /// What the group took away has been finished with.
    pub(super) fn release(&self, config: &KafkaConfig) -> Result<()> {
        if std::mem::take(&mut self.consumer().context().state().awaited) {
            give_up(self.consumer()).map_err(|e| config.typed(e))?;
        }
        Ok(())
    }

    /// Shows progress to Kafka's own tools: a member's offsets are taken from the member alone.
    pub(super) fn hint(&self, config: &KafkaConfig, partition: &Partition, next: i64) -> Result<()> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&partition.stream, partition.number, Offset::Offset(next))
            .and_then(|()| self.consumer().commit(&list, CommitMode::Async))
            .map_err(|e| config.typed(e))
    }
}

impl Drop for Group {
    /// Leaves, and waits for that, but not for ever: a client that does not close is left to a thread of its own.
    fn drop(&mut self) {
        let Some(consumer) = self.consumer.take() else { return };
        let awaited = {
            let mut state = consumer.context().state();
            state.stay = Stay::Leaving;
            std::mem::take(&mut state.awaited)
        };
        // The library waits, when it closes a client, until all was given up; nobody else would do it now.
        if awaited {
            // The client is closed next, whatever is answered.
            let _ = give_up(&consumer);
        }
        let (closed, closing) = mpsc::channel::<()>();
        let close = move || {
            drop(consumer);
            drop(closed);
        };
        let closes = thread::Builder::new().name("leave-group".into()).spawn(close).is_ok();
        if closes && closing.recv_timeout(self.patience) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!(
                waited = ?self.patience,
                "Kafka's client does not leave its consumer group and is left alone; others get its partitions when its \
                 session times out or this process ends"
            );
        }
    }
}

/// Answers a group that takes partitions away. A group that has not agreed on a way to rebalance (any more) takes no answer of the
/// cooperative one, and a client without an answer is never closed: then the answer is that nothing is assigned at all.
fn give_up(consumer: &BaseConsumer<Member>) -> KafkaResult<()> {
    consumer.incremental_unassign(&TopicPartitionList::new()).or_else(|_| consumer.unassign())
}

fn fatal(code: RDKafkaErrorCode, reason: &str) -> LogError {
    LogError::Refused {
        reason: format!(
            "the consumer group has shut this worker out ({code}: {reason}); if another worker runs under the same \
             instance name, stop one of the two or name it otherwise"
        ),
    }
}

impl Member {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn note(&mut self, change: Change) {
        self.change = Some(self.change.map_or(change, |before| before.max(change)));
    }
}

fn listed(list: &TopicPartitionList) -> Vec<Partition> {
    list.elements().iter().map(|element| Partition::new(element.topic(), element.partition())).collect()
}

impl ConsumerContext for Member {
    /// The library's own assignment stays empty: it would fetch. An empty list is an answer all the same.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, what: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let nothing = TopicPartitionList::new();
        let mut state = self.state();
        match state.stay {
            Stay::In => {}
            Stay::Leaving => state.stay = Stay::Out,
            // A client that is being closed takes any answer for one that gives everything up, and is gone once that is
            // done. It drops what it is told meanwhile, and whoever told it waits for ever (librdkafka's issue 4884).
            Stay::Out => return,
        }
        let answer = match what {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                state.mine.extend(listed(list));
                state.note(Change::Some);
                consumer.incremental_assign(&nothing)
            }
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => {
                let lost = consumer.assignment_lost();
                let gone = listed(list);
                state.mine.retain(|partition| !gone.contains(partition));
                state.note(if lost { Change::Lost } else { Change::Some });
                state.awaited = !lost && state.stay == Stay::In;
                if state.awaited { Ok(()) } else { give_up(consumer) }
            }
            other => {
                let code: RDKafkaErrorCode = other.into();
                tracing::debug!(target: "librdkafka", %code, "rebalancing failed; the group begins again");
                state.mine.clear();
                state.note(Change::Lost);
                give_up(consumer)
            }
        };
        if let Err(error) = answer {
            tracing::debug!(target: "librdkafka", %error, "the group took no answer");
        }
    }
}

impl ClientContext for Member {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.ear.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.ear.error(error, reason);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use super::*;
    use crate::kafka::mock::MockKafka;

    const STREAM: &str = "tip.events.FIA.v1";

    fn until(what: &str, mut holds: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_mins(1);
        while !holds() {
            assert!(Instant::now() < deadline, "waited in vain until {what}");
            thread::yield_now();
        }
    }

    fn cluster() -> MockKafka {
        let cluster = MockKafka::of(1).unwrap();
        cluster.create(STREAM, 3).unwrap();
        cluster
    }

    fn member(cluster: &MockKafka, group: &str) -> Group {
        let session_timeout = Duration::from_millis(3200);
        Group::join(&cluster.config(), &Membership { session_timeout, ..Membership::of(group) }).unwrap()
    }

    /// What is there as long as the client is.
    fn context(member: &Group) -> Arc<Member> {
        Arc::clone(member.consumer().context())
    }

    #[test]
    fn one_who_leaves_in_the_middle_of_a_rebalance_without_a_coordinator_is_gone() {
        let cluster = cluster();
        let groups: Vec<String> = (0..24).map(|n| format!("workers-{n}")).collect();
        let first: Vec<_> = groups.iter().map(|group| member(&cluster, group)).collect();
        until("each has all of its group", || {
            first.iter().all(|one| one.changed().is_ok() && one.partitions().len() == 3)
        });
        let second: Vec<_> = groups.iter().map(|group| member(&cluster, group)).collect();
        until("each is asked to give up some", || {
            first.iter().all(|one| one.changed().is_ok() && one.consumer().context().state().awaited)
        });

        // Each is now told twice to give something up or to take it: once by the rebalance that goes on, and once by its own
        // close. And nobody is there to hear that it leaves, so that it is closed at the first answer.
        cluster.down(1).unwrap();
        let contexts: Vec<_> = first.iter().chain(&second).map(context).collect();
        drop((first, second));
        until("all clients are closed", || contexts.iter().all(|context| Arc::strong_count(context) == 1));
    }

    #[test]
    fn a_client_that_does_not_close_holds_nobody_up() {
        let cluster = cluster();
        let mut one = member(&cluster, "workers");
        until("it has all", || one.changed().is_ok() && one.partitions().len() == 3);
        let context = context(&one);
        // The brokers take their time to hear that it leaves.
        cluster.answer_after(1, Duration::from_mins(1)).unwrap();
        one.patience = Duration::from_millis(100);
        drop(one);
        assert!(Arc::strong_count(&context) > 1, "it is there still");
        until("it is closed", || Arc::strong_count(&context) == 1);
    }
}
