//! The protocol of exactly-once as a model that stateright visits in full (ingestion.md 3.3 to 3.5 and 3.16, item 1).
//!
//! Two workers write two partitions of three offsets into one table. What each step does is what the code does, and the
//! steps name it: [`steps`] for a worker (`lake::events::{claim, commit}`, `ingest::committer`), for the store and
//! delta-rs, for operator and maintainers. [`state`] says what is remembered and what is not.
//!
//! What may happen at any moment: a claim of any partitions by either worker (so every
//! assignment by a group, every static one, and both at once are in it: who "should" own a partition is not asked, as
//! safety must not depend on it); a put that is applied and answered, applied and its answer lost, not applied, or left
//! in flight to be applied later or never; reads that fail after a put; a crash and restart; a partition taken away. A
//! zombie (a worker paused for as long as it likes) needs no step of its own: it is a worker whose next step comes late.
//!
//! What is bounded, by [`Limits`]: offsets, batches in a queue, resets, rewrites; with more than one offset how often a
//! worker begins to claim, and how often something goes wrong, too, for the sake of time alone. With one offset claims,
//! crashes and lost answers are without limit, and how far a worker falls behind is so everywhere. That this is finite
//! comes of what is not remembered ([`state`]): the history, and the numbers of claims beyond their order. Workers and
//! partitions are alike, so of states that differ by exchanging them one is visited. A put that aims at a version which is
//! taken can no longer land (`PutMode::Create`) and is forgotten.
//!
//! Atomic in the model though it is not in the code: delta-rs's listing, its check of what was committed since, and the
//! put at the next version, with its retries when that version is taken. A put that succeeds is one whose check saw every
//! earlier version, so any interleaving of these ends as one of the model's.
//!
//! [`Mistake`] switches plant the errors that this protocol exists to exclude; each must be found.

mod actions;
mod checks;
mod state;
mod steps;

use std::sync::atomic::{AtomicU32, Ordering};

use stateright::{Model, Property};

use crate::invariants::Invariant;
use actions::is_fault;
use state::{Breach, PARTITIONS, State, WRITERS};

/// How the answer to a put goes missing, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Applied, and the writer learns it.
    Applied,
    /// Applied, but what delta-rs or `put_actions` read afterwards fails: an error of a durable commit.
    ThenUnreadable,
    /// Applied, and the writer gets an error.
    Lost,
    /// Not applied, and the writer gets an error.
    Refused,
    /// The writer gets an error, and the put may still be applied.
    Late,
}

/// What happens next, to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// `Committer::try_assign` begins: a fresh look, then `Events::claim` of these partitions.
    Claim { writer: usize, partitions: [bool; PARTITIONS] },
    /// `put_claims`.
    PutClaim(usize, Answer),
    /// `claim`: after an error the table was read and the claim looked for.
    ResolveClaim(usize),
    /// `claim`: after an error the table could not be read either; the same claim is put again.
    RepeatClaim(usize),
    /// `Unresolved` went to `Committer::assign`, which begins anew.
    BeginClaimAnew(usize),
    /// `next_offsets` after the claim: the partitions are read from there.
    TakeOver(usize),
    /// The source closes a batch: up to these offsets.
    Close { writer: usize, to: [Option<u8>; PARTITIONS] },
    /// Both, for a batch that nothing happens to in between.
    CloseAndPut { writer: usize, to: [Option<u8>; PARTITIONS], answer: Answer },
    /// `Committer::batch`, `Events::commit`, `attempt`: the look at what is cached, and the put.
    Put(usize, Answer),
    /// `attempt` after an error or before a refusal: `reload`, and the look.
    Look(usize),
    /// `Unresolved` went to `Committer::batch`, whose next call begins with what is cached.
    CallAgain(usize),
    /// A rebalance or a halt takes the partition away.
    Revoke { writer: usize, partition: usize },
    /// The process dies; it may start again as a new writer.
    Crash(usize),
    /// The put in flight arrives.
    Land,
    /// An operator moves the next offset.
    Reset { partition: usize, to: u8 },
    /// A maintainer lists the files to rewrite.
    BeginRewrite(usize),
    /// A maintainer commits its rewriting.
    PutRewrite(usize, Answer),
}

/// Errors planted in the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// The data commit neither compares nor carries the next offset in a way that conflicts.
    SkipTheTxnCheck,
    /// A worker assumes the next claim without committing it.
    CommitWithoutClaim,
    /// An error of a data commit is followed by another put on a fresh version, without a look.
    RetryWithoutLooking,
    /// An error of a claim is taken for success.
    AssumeTheClaimLanded,
    /// The transaction remembers the last offset instead of the next.
    LastOffsetInsteadOfNext,
    /// The data commit does not repeat its claim.
    ClaimNotRepeated,
    /// Where to read is asked before the claim.
    OffsetsReadBeforeTheClaim,
    /// A reset goes backward in the same generation.
    ReuseOffsetsAfterReset,
    /// Offsets are committed first, then rows.
    OffsetsFirst,
    /// Rows are committed first, then offsets.
    RowsFirst,
    /// The log is told of progress when a batch is closed.
    HintBeforeCommit,
    /// A batch fenced in one partition is dropped in all, and the source goes on as if it had been committed.
    DropTheRestWhenFenced,
    /// The batch that is left without a fenced partition still has its rows.
    KeepTheFencedRows,
    /// The store overwrites: a late put replaces a commit.
    UnconditionalPut,
    /// Rewriters share no transaction.
    RewritersShareNoTxn,
    /// The cached table moves to the new version before the cached transactions do, and stays there when these cannot
    /// be read: a later put is then checked against a version that hides the batch's own commit.
    TableMovesBeforeTxns,
}

impl Mistake {
    pub const ALL: [Self; 16] = [
        Self::SkipTheTxnCheck,
        Self::CommitWithoutClaim,
        Self::RetryWithoutLooking,
        Self::AssumeTheClaimLanded,
        Self::LastOffsetInsteadOfNext,
        Self::ClaimNotRepeated,
        Self::OffsetsReadBeforeTheClaim,
        Self::ReuseOffsetsAfterReset,
        Self::OffsetsFirst,
        Self::RowsFirst,
        Self::HintBeforeCommit,
        Self::DropTheRestWhenFenced,
        Self::KeepTheFencedRows,
        Self::UnconditionalPut,
        Self::RewritersShareNoTxn,
        Self::TableMovesBeforeTxns,
    ];
}

/// What bounds the visit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Offsets of each partition.
    pub offsets: u8,
    /// Batches that a worker may have closed and not resolved.
    pub queue: usize,
    /// Times that a worker begins to claim; none = as often as it likes.
    pub claims: Option<u8>,
    /// Puts without an answer, reads that fail, partitions taken away, crashes, all together; none = without limit.
    pub faults: Option<u8>,
    /// Resets by an operator.
    pub resets: u8,
    /// Commits of maintainers.
    pub rewrites: u8,
}

/// The model: limits, at most one mistake, and what was met on the way.
#[derive(Debug)]
pub(crate) struct Protocol {
    pub limits: Limits,
    pub mistake: Option<Mistake>,
    met: AtomicU32,
}

/// Turns of the protocol that must be met in a run, or the model is not what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Met {
    /// A worker whose claim is no longer the highest was refused.
    ZombieFenced,
    /// A worker found that an operator had moved its offset.
    Moved,
    /// A batch whose answer was lost was found in the table.
    FoundAfterError,
    /// A claim whose answer was lost was found in the table.
    ClaimFoundAfterError,
    /// A put arrived after its writer had been told of an error.
    LatePutLanded,
    /// delta-rs refused a put because of what was committed since.
    Conflict,
    /// A batch lost one partition and its rest was kept.
    RestKept,
}

impl Protocol {
    pub fn new(limits: Limits) -> Self {
        Self { limits, mistake: None, met: AtomicU32::new(0) }
    }

    pub fn with(limits: Limits, mistake: Mistake) -> Self {
        Self { mistake: Some(mistake), ..Self::new(limits) }
    }

    fn makes(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    fn meet(&self, what: Met) {
        self.met.fetch_or(1 << what as u32, Ordering::Relaxed);
    }

    pub fn has_met(&self, what: Met) -> bool {
        self.met.load(Ordering::Relaxed) & (1 << what as u32) != 0
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        // What is broken stays so: nothing after it is of interest.
        if state.breach.is_some() {
            return;
        }
        for writer in 0..WRITERS {
            self.of_writer(state, writer, actions);
        }
        if self.limits.claims.is_some_and(|most| state.claims >= most) {
            actions.retain(|action| !matches!(action, Action::Claim { .. }));
        }
        if self.limits.faults.is_some_and(|most| state.faults >= most) {
            actions.retain(|action| !is_fault(*action));
        }
        actions.extend(state.flying.map(|_| Action::Land));
        self.of_operator(state, actions);
        for maintainer in 0..2 {
            match state.maintenance.at_work[maintainer] {
                None if state.maintenance.begun < self.limits.rewrites && !state.maintenance.files.is_empty() => {
                    actions.push(Action::BeginRewrite(maintainer));
                }
                None => {}
                Some(_) => actions.extend(self.answers(state).map(|answer| Action::PutRewrite(maintainer, answer))),
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        self.step(&mut state, action);
        state.faults += u8::from(self.limits.faults.is_some() && is_fault(action));
        state.claims += u8::from(self.limits.claims.is_some() && matches!(action, Action::Claim { .. }));
        state.tidy(self.mistake.is_none());
        // A trace is easier to follow when workers keep their names.
        let state = if self.mistake.is_none() { state.representative() } else { state };
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("I1: each offset once, none lost", |_, s: &State| !s.breaks(Invariant::I1)),
            Property::always("I2: the next offset moves with its rows alone", |_, s: &State| !s.breaks(Invariant::I2)),
            Property::always("I3: no commit under a lower claim", |_, s: &State| !s.breaks(Invariant::I3)),
            Property::always("I4: the log is not told more than is committed", |_, s: &State| !s.breaks(Invariant::I4)),
            Property::always("an offset under a held claim is moved by an operator alone", |_, s: &State| {
                s.breach != Some(Breach::MovedByNobody)
            }),
            Property::sometimes("everything is committed", |m: &Self, s: &State| s.is_complete(m.limits.offsets)),
        ]
    }
}
