//! What may happen next.

use super::state::{PARTITIONS, Phase, State};
use super::{Action, Answer, Mistake, Protocol};

/// Whether something goes wrong here that [`super::Limits`] may bound.
pub(super) fn is_fault(action: Action) -> bool {
    match action {
        Action::PutClaim(_, answer) | Action::Put(_, answer) | Action::CloseAndPut { answer, .. } => {
            answer != Answer::Applied
        }
        Action::RepeatClaim(_)
        | Action::BeginClaimAnew(_)
        | Action::CallAgain(_)
        | Action::Revoke { .. }
        | Action::Crash(_) => true,
        _ => false,
    }
}

impl Protocol {
    /// How a put may end. Of several puts in flight at one moment one at most can land, as all aim at the next version;
    /// the others end as if refused. So one is in flight at most, and nothing is left out.
    pub(super) fn answers(&self, state: &State) -> impl Iterator<Item = Answer> + use<> {
        let late = state.flying.is_none().then_some(Answer::Late);
        // Without the mistake it is the same as a lost answer, see `after_put`.
        let unreadable = self.makes(Mistake::TableMovesBeforeTxns).then_some(Answer::ThenUnreadable);
        [Answer::Applied, Answer::Lost, Answer::Refused].into_iter().chain(late).chain(unreadable)
    }

    /// What a worker may do next.
    pub(super) fn of_writer(&self, state: &State, w: usize, actions: &mut Vec<Action>) {
        let writer = &state.writers[w];
        if writer.is_anything() {
            actions.push(Action::Crash(w));
        }
        if let Some(claiming) = &writer.claiming {
            match claiming.phase {
                Phase::Ready => actions.extend(self.answers(state).map(|answer| Action::PutClaim(w, answer))),
                Phase::Failed => {
                    actions.extend([Action::ResolveClaim(w), Action::RepeatClaim(w), Action::BeginClaimAnew(w)]);
                }
                Phase::Done => actions.push(Action::TakeOver(w)),
            }
            // The committer does one thing at a time; the source waits for it.
            return;
        }
        match writer.queue[0].map(|batch| batch.phase) {
            Some(Phase::Ready) if self.cached_look_refuses(writer) => actions.push(Action::Look(w)),
            Some(Phase::Ready | Phase::Done) => {
                actions.extend(self.answers(state).map(|answer| Action::Put(w, answer)));
            }
            Some(Phase::Failed) => actions.extend([Action::Look(w), Action::CallAgain(w)]),
            None => {}
        }
        if writer.queue[0].is_none_or(|batch| !batch.tried) {
            let open = [0, 1].map(|p| writer.held[p].is_none() && state.head.txns.next[p] != Some(self.limits.offsets));
            for partitions in [[true, false], [false, true], [true, true]] {
                if (0..PARTITIONS).all(|p| open[p] || !partitions[p]) {
                    actions.push(Action::Claim { writer: w, partitions });
                }
            }
        }
        for partition in (0..PARTITIONS).filter(|p| writer.held[*p].is_some()) {
            actions.push(Action::Revoke { writer: w, partition });
        }
        if writer.queue[self.limits.queue - 1].is_none() {
            self.closings(state, w, actions);
        }
    }

    /// Every batch that the source may close. Where batches do not queue, nothing can come between closing one and the
    /// first look at the cache that the closing does not leave as it was, so both are one step.
    fn closings(&self, state: &State, w: usize, actions: &mut Vec<Action>) {
        let reach = |p: usize| {
            let from = state.writers[w].held[p].map(|held| held.from.unwrap_or(0));
            let more = from.map_or(0..0, |from| from + 1..self.limits.offsets + 1);
            more.map(Some).chain([None])
        };
        for to in reach(0).flat_map(|one| reach(1).map(move |two| [one, two])).filter(|to| *to != [None; 2]) {
            let mut closed = state.clone();
            self.step(&mut closed, Action::Close { writer: w, to });
            if self.limits.queue > 1 || self.cached_look_refuses(&closed.writers[w]) {
                actions.push(Action::Close { writer: w, to });
            } else {
                actions.extend(self.answers(state).map(|answer| Action::CloseAndPut { writer: w, to, answer }));
            }
        }
    }

    pub(super) fn of_operator(&self, state: &State, actions: &mut Vec<Action>) {
        if state.operator.resets >= self.limits.resets {
            return;
        }
        for partition in 0..PARTITIONS {
            let next = state.head.txns.next[partition];
            let to = match next {
                // Where a new generation begins.
                None => 1..self.limits.offsets,
                Some(next) if self.makes(Mistake::ReuseOffsetsAfterReset) => 0..next,
                Some(next) => next + 1..self.limits.offsets + 1,
            };
            actions.extend(to.map(|to| Action::Reset { partition, to }));
        }
    }
}
