//! The steps: what the code does between two moments at which others may act.

use super::state::{Batch, Breach, Claiming, Each, Entry, File, Head, Held, Landed, PARTITIONS, Phase, Rewriting};
use super::state::{Maintenance, Span, State, WRITERS, Writer};
use super::{Action, Answer, Met, Mistake, Protocol};
use crate::invariants::{self, Invariant, Kind};

/// How a put ended for who asked for it.
#[derive(PartialEq, Eq)]
enum Ended {
    Ok,
    Err,
}

/// What a look says of a batch (`Outcome`, or that it may be put).
enum Seen {
    Committed,
    Fenced(usize),
    Moved(usize),
    Free,
}

impl Protocol {
    pub(super) fn step(&self, state: &mut State, action: Action) {
        match action {
            Action::Claim { writer, partitions } => self.begin_claim(state, writer, partitions),
            Action::PutClaim(w, answer) => self.put_claim(state, w, answer),
            Action::ResolveClaim(w) => self.resolve_claim(state, w),
            Action::RepeatClaim(w) => repeat_claim(&mut state.writers[w]),
            Action::BeginClaimAnew(w) => {
                let wanted = state.writers[w].claiming.map_or([None; 2], |claiming| claiming.wanted);
                self.begin_claim(state, w, wanted.map(|claim| claim.is_some()));
            }
            Action::TakeOver(w) => self.take_over(state, w),
            Action::Close { writer, to } => self.close(state, writer, to),
            Action::CloseAndPut { writer, to, answer } => {
                self.close(state, writer, to);
                self.put_batch(state, writer, answer);
            }
            Action::Put(w, answer) => self.put_batch(state, w, answer),
            Action::Look(w) => self.look(state, w),
            Action::CallAgain(w) => set_phase(&mut state.writers[w], Phase::Ready),
            Action::Revoke { writer, partition } => state.writers[writer].held[partition] = None,
            Action::Crash(w) => crash(state, w),
            Action::Land => self.land(state),
            Action::Reset { partition, to } => {
                let mut entry = Entry::new(Kind::Reset, None);
                entry.next[partition] = Some(to);
                state.operator.resets += 1;
                state.operator.moved[partition] = true;
                self.append(state, entry);
            }
            Action::BeginRewrite(m) => begin_rewrite(state, m),
            Action::PutRewrite(m, answer) => self.put_rewrite(state, m, answer),
        }
    }

    // The store and delta-rs.

    /// `CommitBuilder … .await`: conflicts with what came since the cached table, or a conditional put.
    fn put(&self, state: &mut State, conflict: bool, entry: Entry, answer: Answer) -> Ended {
        if conflict {
            self.meet(Met::Conflict);
            return Ended::Err;
        }
        match answer {
            Answer::Applied | Answer::ThenUnreadable | Answer::Lost => self.append(state, entry),
            Answer::Late => state.flying = Some(entry),
            Answer::Refused => {}
        }
        if answer == Answer::Applied { Ended::Ok } else { Ended::Err }
    }

    /// The next version is made. What was in flight aimed at it and has come too late.
    fn append(&self, state: &mut State, entry: Entry) {
        if self.makes(Mistake::UnconditionalPut) {
            state.overwritable = state.flying.map(|_| state.head);
        } else {
            state.flying = None;
        }
        if let Some(broken) = state.head.follow(&entry) {
            state.broken(Breach::Of(broken));
        }
        for w in 0..WRITERS {
            let writer = &mut state.writers[w];
            for p in 0..PARTITIONS {
                writer.view.touched.0[p] |= entry.next[p].is_some();
                writer.view.touched.1[p] |= entry.claims[p].is_some();
            }
            let claim = |claiming: Claiming| entry.kind == Kind::Claim && entry.claims == claiming.wanted;
            let at_hand = entry.batch == 1 || writer.claiming.is_some_and(claim);
            if entry.writer == Some(w as u8) && at_hand && writer.view.landed == Landed::No {
                writer.view.landed = Landed::Since;
            }
        }
        if self.limits.rewrites > 0 {
            change_files(state, &entry);
        }
    }

    fn land(&self, state: &mut State) {
        let Some(entry) = state.flying.take() else { return };
        self.meet(Met::LatePutLanded);
        match state.overwritable.take() {
            None => self.append(state, entry),
            Some(before) => {
                let lost = std::mem::replace(&mut state.head, before).txns.next;
                let broken = state.head.follow(&entry);
                if broken.is_some() || (0..PARTITIONS).any(|p| state.head.txns.next[p] < lost[p]) {
                    state.broken(Breach::Of(Invariant::I2));
                }
            }
        }
    }

    // `lake::events::claim`.

    fn begin_claim(&self, state: &mut State, w: usize, partitions: Each<bool>) {
        let writer = &mut state.writers[w];
        // Read at any time before: the cache may be of any age.
        let early = if self.makes(Mistake::OffsetsReadBeforeTheClaim) { writer.view.cached.next } else { [None; 2] };
        let early = writer.claiming.map_or(early, |claiming| claiming.early);
        writer.view.landed = Landed::No;
        writer.refresh(&state.head);
        let phase = if self.makes(Mistake::CommitWithoutClaim) { Phase::Done } else { Phase::Ready };
        writer.claiming = Some(Claiming { wanted: next_claims(writer, partitions), phase, early });
    }

    fn put_claim(&self, state: &mut State, w: usize, answer: Answer) {
        let Some(claiming) = state.writers[w].claiming else { return };
        let mut entry = Entry::new(Kind::Claim, Some(w as u8));
        entry.claims = claiming.wanted;
        let ended = self.put_actions(state, w, entry, answer);
        let phase = if ended == Ended::Ok { Phase::Done } else { Phase::Failed };
        state.writers[w].claiming = Some(Claiming { phase, ..claiming });
    }

    /// `put_actions`. When others committed in between, their transactions are read; if that fails, neither the cached
    /// table nor the cached transactions have moved, which is the same as a lost answer.
    fn put_actions(&self, state: &mut State, w: usize, entry: Entry, answer: Answer) -> Ended {
        let touched = state.writers[w].view.touched;
        let conflict = entry.conflicts(touched, !self.makes(Mistake::SkipTheTxnCheck));
        let ended = self.put(state, conflict, entry, answer);
        if ended == Ended::Ok {
            state.writers[w].refresh(&state.head);
        } else if answer == Answer::ThenUnreadable && !conflict {
            // Under `TableMovesBeforeTxns` alone. (It takes another's commit in between, which is always possible.)
            state.writers[w].view.touched = Default::default();
        }
        ended
    }

    /// `reload`, then `claims_landed`.
    fn resolve_claim(&self, state: &mut State, w: usize) {
        let writer = &mut state.writers[w];
        writer.refresh(&state.head);
        let Some(claiming) = writer.claiming else { return };
        let landed = writer.view.landed == Landed::Seen || self.makes(Mistake::AssumeTheClaimLanded);
        writer.claiming = Some(if landed {
            self.meet(Met::ClaimFoundAfterError);
            Claiming { phase: Phase::Done, ..claiming }
        } else {
            let wanted = next_claims(writer, claiming.wanted.map(|claim| claim.is_some()));
            Claiming { wanted, phase: Phase::Ready, ..claiming }
        });
    }

    /// `next_offsets`: refreshed, so it sees what came before the claim and between the claim and now.
    fn take_over(&self, state: &mut State, w: usize) {
        let writer = &mut state.writers[w];
        writer.refresh(&state.head);
        writer.view.landed = Landed::No;
        let Some(claiming) = writer.claiming.take() else { return };
        let early = self.makes(Mistake::OffsetsReadBeforeTheClaim);
        let next = if early { claiming.early } else { writer.view.cached.next };
        for (p, next) in next.into_iter().enumerate() {
            if let Some(claim) = claiming.wanted[p] {
                writer.held[p] = Some(Held { claim, committed: next, from: next });
            }
        }
    }

    // `ingest::source` and `ingest::committer`.

    /// `Reading::close`: what was read of each partition, contiguous with the batch before.
    fn close(&self, state: &mut State, w: usize, to: Each<Option<u8>>) {
        let writer = &mut state.writers[w];
        let (mut ranges, mut rows) = ([None; 2], [None; 2]);
        for p in 0..PARTITIONS {
            if let (Some(held), Some(to)) = (&mut writer.held[p], to[p]) {
                ranges[p] = Some(Span { claim: held.claim, from: held.from, to });
                rows[p] = Some((held.from.unwrap_or(0), to));
                held.from = Some(to);
            }
        }
        let place = usize::from(writer.queue[0].is_some());
        writer.queue[place] = Some(Batch { ranges, rows, tried: false, phase: Phase::Ready });
        if self.makes(Mistake::HintBeforeCommit) {
            tell_the_log(state, ranges.map(|range| range.map(|range| range.to)));
        }
    }

    /// The top of the loop in `Committer::batch`: what is no longer ours goes; none when nothing is left. The files are
    /// written, or written anew, and the search for their commit begins at the cached version.
    fn keep_what_is_ours(&self, writer: &mut Writer) -> Option<Batch> {
        let mut batch = writer.queue[0]?;
        let before = batch.ranges;
        for p in 0..PARTITIONS {
            let held = writer.held[p];
            let contiguous =
                |h: Held, range: &Span| h.committed == range.from || self.makes(Mistake::DropTheRestWhenFenced);
            let is_ours = |range: &Span| held.is_some_and(|h| h.claim == range.claim && contiguous(h, range));
            batch.ranges[p] = batch.ranges[p].filter(is_ours);
            if batch.ranges[p].is_none() && !self.makes(Mistake::KeepTheFencedRows) {
                batch.rows[p] = None;
            }
        }
        if batch.ranges == [None; 2] {
            return None;
        }
        if !batch.tried || batch.ranges != before {
            if batch.tried {
                self.meet(Met::RestKept);
            }
            batch.tried = true;
            if writer.view.landed == Landed::Seen {
                writer.view.landed = Landed::No;
            }
        }
        writer.queue[0] = Some(batch);
        Some(batch)
    }

    /// `attempt` with `again = false` looks at the cache alone; when that refuses, it looks again at a fresh version.
    pub(super) fn cached_look_refuses(&self, writer: &Writer) -> bool {
        let mut writer = *writer;
        let seen = self.keep_what_is_ours(&mut writer).map(|batch| self.see(&writer, &batch));
        matches!(seen, Some(Seen::Fenced(_) | Seen::Moved(_)))
    }

    /// `find`, then `refusal` of each range, against the cached version.
    fn see(&self, writer: &Writer, batch: &Batch) -> Seen {
        if writer.view.landed == Landed::Seen {
            return Seen::Committed;
        }
        for p in 0..PARTITIONS {
            let Some(range) = batch.ranges[p] else { continue };
            if writer.view.cached.claim[p] != range.claim && !self.makes(Mistake::CommitWithoutClaim) {
                return Seen::Fenced(p);
            }
            if writer.view.cached.next[p] != range.from && !self.makes(Mistake::SkipTheTxnCheck) {
                return Seen::Moved(p);
            }
        }
        Seen::Free
    }

    fn put_batch(&self, state: &mut State, w: usize, answer: Answer) {
        let writer = &mut state.writers[w];
        let Some(mut batch) = writer.queue[0] else { return };
        if batch.phase == Phase::Ready {
            match self.keep_what_is_ours(writer) {
                Some(ours) => batch = ours,
                None => return resolved(state, w),
            }
            if matches!(self.see(writer, &batch), Seen::Committed) {
                return self.committed(state, w);
            }
        }
        match self.put_actions(state, w, self.entry(w, &batch), answer) {
            Ended::Ok => self.committed(state, w),
            Ended::Err => set_phase(&mut state.writers[w], Phase::Failed),
        }
    }

    /// `put`: rows, next offsets, and each claim repeated.
    fn entry(&self, w: usize, batch: &Batch) -> Entry {
        let mut entry = Entry::new(Kind::Write, Some(w as u8));
        entry.batch = 1;
        entry.under = batch.ranges.map(|range| range.map(|range| range.claim));
        let last = u8::from(self.makes(Mistake::LastOffsetInsteadOfNext));
        entry.next = batch.ranges.map(|range| range.map(|range| range.to - last));
        entry.rows = batch.rows;
        entry.claims = if self.makes(Mistake::ClaimNotRepeated) { [None; 2] } else { entry.under };
        if self.makes(Mistake::OffsetsFirst) {
            entry.rows = [None; 2];
        }
        if self.makes(Mistake::RowsFirst) {
            entry.next = [None; 2];
        }
        entry
    }

    fn look(&self, state: &mut State, w: usize) {
        let writer = &mut state.writers[w];
        let Some(mut batch) = writer.queue[0] else { return };
        if batch.phase == Phase::Ready {
            match self.keep_what_is_ours(writer) {
                Some(ours) => batch = ours,
                None => return resolved(state, w),
            }
        }
        writer.refresh(&state.head);
        if batch.phase == Phase::Failed && self.makes(Mistake::RetryWithoutLooking) {
            return set_phase(writer, Phase::Done);
        }
        match self.see(writer, &batch) {
            Seen::Committed => {
                self.meet(Met::FoundAfterError);
                self.committed(state, w);
            }
            Seen::Fenced(p) => {
                self.meet(Met::ZombieFenced);
                self.lose(state, w, p);
            }
            Seen::Moved(p) => {
                self.meet(Met::Moved);
                if !state.operator.moved[p] {
                    state.broken(Breach::MovedByNobody);
                }
                self.lose(state, w, p);
            }
            Seen::Free => set_phase(writer, Phase::Done),
        }
    }

    /// `Committer::fenced` and `moved`; the loop goes on with the rest.
    fn lose(&self, state: &mut State, w: usize, p: usize) {
        state.writers[w].held[p] = None;
        set_phase(&mut state.writers[w], Phase::Ready);
        if self.makes(Mistake::DropTheRestWhenFenced) {
            resolved(state, w);
        }
    }

    /// `Committer::committed`: what we hold has moved on, and the log is told so.
    fn committed(&self, state: &mut State, w: usize) {
        let Some(batch) = state.writers[w].queue[0] else { return };
        for p in 0..PARTITIONS {
            let Some(range) = batch.ranges[p] else { continue };
            if let Some(held) = state.writers[w].held[p].as_mut().filter(|held| held.claim == range.claim) {
                held.committed = Some(range.to);
            }
        }
        let last = u8::from(self.makes(Mistake::LastOffsetInsteadOfNext));
        tell_the_log(state, batch.ranges.map(|range| range.map(|range| range.to - last)));
        resolved(state, w);
    }

    // Maintainers (ingestion.md 3.12; not in the code yet).

    fn put_rewrite(&self, state: &mut State, m: usize, answer: Answer) {
        let Some(rewriting) = state.maintenance.at_work[m].take() else { return };
        let mut entry = Entry::new(Kind::Other, None);
        (entry.replaces, entry.rewritten) = (rewriting.replaces, rewriting.rows);
        let conflict = rewriting.touched && !self.makes(Mistake::RewritersShareNoTxn);
        // However it ended, the next one begins with a fresh list of files.
        self.put(state, conflict, entry, answer);
    }
}

/// The batch at hand is over; a put of it that is still in flight is nobody's now.
fn resolved(state: &mut State, w: usize) {
    state.writers[w].shift();
    if let Some(entry) = state.flying.as_mut().filter(|entry| entry.writer == Some(w as u8)) {
        entry.batch = 0;
    }
}

fn set_phase(writer: &mut Writer, phase: Phase) {
    writer.queue[0].iter_mut().for_each(|batch| batch.phase = phase);
}

/// I4. The log may be told later, but `next` only grows, so it is enough to look now.
fn tell_the_log(state: &mut State, next: Each<Option<u8>>) {
    for p in 0..PARTITIONS {
        let committed = state.head.txns.next[p].map(i64::from);
        if next[p].is_some_and(|next| invariants::hint(p, next.into(), committed).is_some()) {
            state.broken(Breach::Of(Invariant::I4));
        }
    }
}

fn next_claims(writer: &Writer, partitions: Each<bool>) -> Each<Option<u8>> {
    [0, 1].map(|p| partitions[p].then_some(writer.view.cached.claim[p] + 1))
}

/// The loop of `claim` when the table could not be read: the same question to the cache gives the same answer, and the
/// search begins where it did.
fn repeat_claim(writer: &mut Writer) {
    if let Some(claiming) = writer.claiming {
        let wanted = next_claims(writer, claiming.wanted.map(|claim| claim.is_some()));
        writer.claiming = Some(Claiming { wanted, phase: Phase::Ready, ..claiming });
    }
}

/// Everything in memory is gone; what was put stays put, and what was in flight stays in flight.
fn crash(state: &mut State, w: usize) {
    state.writers[w] = Writer::default();
    let dead = |writer: &mut Option<u8>| *writer = writer.filter(|writer| *writer as usize != w);
    let heads: [Option<&mut Head>; 2] = [Some(&mut state.head), state.overwritable.as_mut()];
    heads.into_iter().flatten().for_each(|head| head.claimer.iter_mut().for_each(dead));
    if let Some(entry) = &mut state.flying {
        dead(&mut entry.writer);
        entry.batch = if entry.writer.is_none() { 0 } else { entry.batch };
    }
}

fn begin_rewrite(state: &mut State, m: usize) {
    let mut rewriting = Rewriting { replaces: 0, rows: [0; 2], touched: false };
    for file in &state.maintenance.files {
        rewriting.replaces |= 1 << file.number;
        (0..PARTITIONS).for_each(|p| rewriting.rows[p] |= file.rows[p]);
    }
    state.maintenance.begun += 1;
    state.maintenance.at_work[m] = Some(rewriting);
}

/// Files of the newest version: a commit of rows adds one, a rewriting replaces those it names by one. I1 of files: no
/// row is in two.
fn change_files(state: &mut State, entry: &Entry) {
    let bits = |rows: Option<(u8, u8)>| rows.map_or(0, |(from, to)| (1 << to) - (1 << from));
    let rewrites = entry.replaces != 0;
    let rows = match entry.kind {
        Kind::Write => entry.rows.map(bits),
        _ if rewrites => entry.rewritten,
        _ => return,
    };
    let Maintenance { files, at_work, .. } = &mut state.maintenance;
    at_work.iter_mut().flatten().for_each(|rewriting| rewriting.touched |= rewrites);
    let named = at_work.iter().flatten().map(|rewriting| rewriting.replaces).fold(entry.replaces, |all, one| all | one);
    let named = named | state.flying.map_or(0, |flying| flying.replaces);
    let used = files.iter().fold(named, |all, file| all | 1 << file.number);
    files.retain(|file| entry.replaces & (1 << file.number) == 0);
    let number = used.trailing_ones() as u8;
    files.push(File { number, rows });
    files.sort_unstable();
    let twice = (0..PARTITIONS).any(|p| {
        let mut seen = 0;
        files.iter().any(|file| {
            let again = seen & file.rows[p] != 0;
            seen |= file.rows[p];
            again
        })
    });
    if twice {
        state.broken(Breach::Of(Invariant::I1));
    }
}
