//! What the model remembers: the newest version, what is on its way to it, and each worker's view of it.
//!
//! The history itself is not kept. Of an older version a worker looks at, three things can ever matter: what its
//! transactions were ([`View::cached`]), which application ids were touched since ([`View::touched`], where delta-rs
//! finds conflicts), and whether the commit that it looks for is among them ([`View::landed`]). So nothing bounds how
//! far a worker may fall behind.

use crate::invariants::{Commit, Invariant, Kind, Ledger, Progress};

pub(crate) const PARTITIONS: usize = 2;
pub(crate) const WRITERS: usize = 2;

/// One value for each partition.
pub(crate) type Each<T> = [T; PARTITIONS];

#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct State {
    pub head: Head,
    /// A put whose writer was told of an error and that may still arrive at the next version.
    pub flying: Option<Entry>,
    pub writers: [Writer; WRITERS],
    /// Claims begun and things gone wrong, while these are bounded.
    pub claims: u8,
    pub faults: u8,
    pub operator: Operator,
    pub maintenance: Maintenance,
    /// The version before the newest, if a mistake lets a late put overwrite the newest.
    pub overwritable: Option<Head>,
    /// The first thing that went wrong.
    pub breach: Option<Breach>,
}

/// What a version says: the latest transactions and, for judging, who took each claim.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Head {
    pub txns: Txns,
    /// The living writer that took the claim.
    pub claimer: Each<Option<u8>>,
}

/// `lake::events::Txns`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Txns {
    /// `in/v1/…`: next offset.
    pub next: Each<Option<u8>>,
    /// `claim/v1/…`: highest claim, 0 before the first.
    pub claim: Each<u8>,
}

/// One commit, or what a put would make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Entry {
    pub kind: Kind,
    /// `writer_id`; none for one that has died, for operator and maintainers.
    pub writer: Option<u8>,
    /// `batch_id`: place in its writer's queue and 1, or 0 once nobody looks for it.
    pub batch: u8,
    /// Rows added, from and to.
    pub rows: Each<Option<(u8, u8)>>,
    /// Transactions of next offsets.
    pub next: Each<Option<u8>>,
    /// Transactions of claims.
    pub claims: Each<Option<u8>>,
    /// The claims of its ranges.
    pub under: Each<Option<u8>>,
    /// Of a rewriting: the files that it replaces (their numbers as bits) by one of these rows (offsets as bits).
    pub replaces: u16,
    pub rewritten: Each<u8>,
}

/// A worker: `ingest::Worker` with its `lake::Events`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Writer {
    pub view: View,
    pub held: Each<Option<Held>>,
    pub claiming: Option<Claiming>,
    /// Batches closed and not resolved, oldest first; the first is the one that `Committer::batch` works on.
    pub queue: [Option<Batch>; 2],
}

/// The version that a worker has seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct View {
    /// `Events::txns`: what the looks see.
    pub cached: Txns,
    /// Partitions whose next offset, and whose claim, were in a commit since the version of `Events::table`: where
    /// delta-rs checks from.
    pub touched: (Each<bool>, Each<bool>),
    /// The commit of the claim or batch at hand, since the version where the search begins.
    pub landed: Landed,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Landed {
    /// Not in the table, or where nobody looks.
    #[default]
    No,
    /// In a version newer than the cached transactions.
    Since,
    /// In a version that the cached transactions include.
    Seen,
}

/// A partition assigned: `committer::Owned` and `source::Reading`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Held {
    /// Which assignment (`Arc<Topic>`), by its claim.
    pub claim: u8,
    /// `Owned::committed`.
    pub committed: Option<u8>,
    /// `Reading::from`: where the next batch begins.
    pub from: Option<u8>,
}

/// Where a claim or a batch stands between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Phase {
    /// The next call begins with what is cached.
    Ready,
    /// The last put ended in an error.
    Failed,
    /// Of a claim: it is in the table. Of a batch: a fresh look passed, the put comes next.
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Claiming {
    pub wanted: Each<Option<u8>>,
    pub phase: Phase,
    /// Next offsets as read before the claim: used by a mistake alone.
    pub early: Each<Option<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Batch {
    pub ranges: Each<Option<Span>>,
    /// Its rows, which are its ranges unless a mistake keeps more.
    pub rows: Each<Option<(u8, u8)>>,
    /// Its files are written: the committer is at it.
    pub tried: bool,
    pub phase: Phase,
}

/// `OffsetRange`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Span {
    pub claim: u8,
    pub from: Option<u8>,
    pub to: u8,
}

/// What an operator has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Operator {
    pub resets: u8,
    /// Partitions whose offset was moved.
    pub moved: Each<bool>,
}

/// Data files and those who rewrite them, while they are part of the model.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Maintenance {
    pub files: Vec<File>,
    pub at_work: [Option<Rewriting>; 2],
    pub begun: u8,
}

/// A data file: its rows as bits of offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct File {
    pub number: u8,
    pub rows: Each<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Rewriting {
    pub replaces: u16,
    pub rows: Each<u8>,
    /// `rewrite/v1` was in a commit since the files were listed.
    pub touched: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Breach {
    Of(Invariant),
    /// A worker that holds the claim found another offset than its own, and no operator had moved it.
    MovedByNobody,
}

impl Entry {
    pub fn new(kind: Kind, writer: Option<u8>) -> Self {
        let (rows, next, claims, under) = ([None; 2], [None; 2], [None; 2], [None; 2]);
        Self { kind, writer, batch: 0, rows, next, claims, under, replaces: 0, rewritten: [0; 2] }
    }

    /// delta-rs: "the same application id on both sides".
    pub fn conflicts(&self, (next, claims): (Each<bool>, Each<bool>), offsets_count: bool) -> bool {
        (0..PARTITIONS)
            .any(|p| self.claims[p].is_some() && claims[p] || offsets_count && self.next[p].is_some() && next[p])
    }
}

impl Head {
    /// Takes the commit in and tells what it breaks of I1 to I3.
    pub fn follow(&mut self, entry: &Entry) -> Option<Invariant> {
        let mut ledger = Ledger { partitions: (0..PARTITIONS).map(|p| (p, self.progress(p))).collect() };
        let broken = ledger.follow(&as_commit(entry), |_, _| false).pop();
        for p in 0..PARTITIONS {
            self.txns.next[p] = entry.next[p].or(self.txns.next[p]);
            self.txns.claim[p] = entry.claims[p].unwrap_or(self.txns.claim[p]);
            if entry.kind == Kind::Claim && entry.claims[p].is_some() {
                self.claimer[p] = entry.writer;
            }
        }
        broken.map(|breach| breach.invariant)
    }

    fn progress(&self, p: usize) -> Progress<Option<u8>> {
        Progress {
            next: self.txns.next[p].map(i64::from),
            claim: self.txns.claim[p].into(),
            claimer: (self.txns.claim[p] > 0).then_some(self.claimer[p]),
        }
    }
}

/// The entry as the invariants see it.
fn as_commit(entry: &Entry) -> Commit<usize, Option<u8>> {
    fn listed<T>(each: &Each<Option<T>>) -> impl Iterator<Item = (usize, &T)> {
        each.iter().enumerate().filter_map(|(p, value)| value.as_ref().map(|value| (p, value)))
    }
    let numbers = |each: &Each<Option<u8>>| listed(each).map(|(p, n)| (p, i64::from(*n))).collect();
    Commit {
        writer: entry.writer,
        kind: entry.kind,
        rows: listed(&entry.rows).map(|(p, (from, to))| (p, i64::from(*from)..i64::from(*to))).collect(),
        next: numbers(&entry.next),
        claims: numbers(&entry.claims),
        under: numbers(&entry.under),
    }
}

impl Writer {
    /// Whether a crash would lose anything.
    pub fn is_anything(&self) -> bool {
        self.claiming.is_some() || self.queue[0].is_some() || self.held.iter().any(Option::is_some)
    }

    /// `refresh`, `reload`, or the end of an own commit: the view is the newest version.
    pub fn refresh(&mut self, head: &Head) {
        let landed = if self.view.landed == Landed::No { Landed::No } else { Landed::Seen };
        self.view = View { cached: head.txns, touched: Default::default(), landed };
    }

    /// The first batch is resolved.
    pub fn shift(&mut self) -> Option<Batch> {
        self.view.landed = Landed::No;
        let first = self.queue[0].take();
        self.queue.swap(0, 1);
        first
    }

    /// Whether it knows of this claim as its own.
    fn uses(&self, p: usize, claim: u8) -> bool {
        self.held[p].is_some_and(|held| held.claim == claim)
            || self.claiming.is_some_and(|claiming| claiming.wanted[p] == Some(claim))
            || self.queue.iter().flatten().any(|batch| batch.ranges[p].is_some_and(|range| range.claim == claim))
    }

    /// Whether anything is to be done with this partition before the next refresh.
    fn looks_at(&self, p: usize) -> bool {
        self.held[p].is_some()
            || self.claiming.is_some_and(|claiming| claiming.wanted[p].is_some())
            || self.queue.iter().flatten().any(|batch| batch.ranges[p].is_some())
    }
}

impl State {
    pub fn breaks(&self, invariant: Invariant) -> bool {
        self.breach == Some(Breach::Of(invariant))
    }

    pub fn is_complete(&self, offsets: u8) -> bool {
        self.head.txns.next == [Some(offsets); PARTITIONS]
    }

    pub fn broken(&mut self, breach: Breach) {
        self.breach = self.breach.or(Some(breach));
    }

    /// Brings equal situations to equal states: what nobody can ask about any more is forgotten.
    pub fn tidy(&mut self, is_right: bool) {
        for p in 0..PARTITIONS {
            let claim = self.head.txns.claim[p];
            let uses = |writer: &Writer| writer.uses(p, claim);
            let flies = self.flying.is_some_and(|entry| entry.under[p] == Some(claim));
            // Nobody can write under the claim any more, so it does not matter whose it was.
            self.head.claimer[p] = self.head.claimer[p].filter(|w| flies || uses(&self.writers[*w as usize]));
        }
        for writer in &mut self.writers {
            for p in (0..PARTITIONS).filter(|_| is_right) {
                // Every put of a worker that names a partition's offset names its claim.
                writer.view.touched.0[p] |= writer.view.touched.1[p];
            }
            for p in 0..PARTITIONS {
                // It refreshes before it does anything with the partition.
                if !writer.looks_at(p) {
                    (writer.view.touched.0[p], writer.view.touched.1[p]) = (false, false);
                    (writer.view.cached.next[p], writer.view.cached.claim[p]) = (None, 0);
                }
            }
        }
        for p in 0..PARTITIONS {
            self.rank_claims(p);
        }
    }

    /// Does something to every claim of a partition that is written anywhere.
    fn each_claim(&mut self, p: usize, mut f: impl FnMut(&mut u8)) {
        f(&mut self.head.txns.claim[p]);
        if let Some(before) = &mut self.overwritable {
            f(&mut before.txns.claim[p]);
        }
        if let Some(entry) = &mut self.flying {
            entry.claims[p].iter_mut().for_each(&mut f);
            entry.under[p].iter_mut().for_each(&mut f);
        }
        for writer in &mut self.writers {
            f(&mut writer.view.cached.claim[p]);
            writer.held[p].iter_mut().for_each(|held| f(&mut held.claim));
            writer.claiming.iter_mut().for_each(|claiming| claiming.wanted[p].iter_mut().for_each(&mut f));
            for batch in writer.queue.iter_mut().flatten() {
                batch.ranges[p].iter_mut().for_each(|range| f(&mut range.claim));
            }
        }
    }

    /// Only the order of claims matters: they become 0, 1, 2, … A claim above the highest committed is always the next
    /// one, so that "one more than the highest" means the same afterwards.
    fn rank_claims(&mut self, p: usize) {
        let mut present = 1_u32;
        self.each_claim(p, |claim| present |= 1 << *claim);
        self.each_claim(p, |claim| *claim = (present & ((1 << *claim) - 1)).count_ones() as u8);
    }

    fn exchange_partitions(&mut self) {
        let swap_txns = |txns: &mut Txns| {
            txns.next.swap(0, 1);
            txns.claim.swap(0, 1);
        };
        for head in [&mut self.head].into_iter().chain(&mut self.overwritable) {
            swap_txns(&mut head.txns);
            head.claimer.swap(0, 1);
        }
        if let Some(entry) = &mut self.flying {
            entry.rows.swap(0, 1);
            entry.next.swap(0, 1);
            entry.claims.swap(0, 1);
            entry.under.swap(0, 1);
            entry.rewritten.swap(0, 1);
        }
        for writer in &mut self.writers {
            swap_txns(&mut writer.view.cached);
            writer.view.touched.0.swap(0, 1);
            writer.view.touched.1.swap(0, 1);
            writer.held.swap(0, 1);
            if let Some(claiming) = &mut writer.claiming {
                claiming.wanted.swap(0, 1);
                claiming.early.swap(0, 1);
            }
            for batch in writer.queue.iter_mut().flatten() {
                batch.ranges.swap(0, 1);
                batch.rows.swap(0, 1);
            }
        }
        self.operator.moved.swap(0, 1);
        self.maintenance.files.iter_mut().for_each(|file| file.rows.swap(0, 1));
        self.maintenance.at_work.iter_mut().flatten().for_each(|rewriting| rewriting.rows.swap(0, 1));
    }

    fn exchange_writers(&mut self) {
        let swap = |writer: &mut Option<u8>| *writer = writer.map(|w| 1 - w);
        self.head.claimer.iter_mut().for_each(swap);
        self.overwritable.iter_mut().for_each(|head| head.claimer.iter_mut().for_each(swap));
        self.flying.iter_mut().for_each(|entry| swap(&mut entry.writer));
        self.writers.swap(0, 1);
    }

    /// The least of the states that differ from this one by exchanging workers or partitions.
    pub fn representative(mut self) -> Self {
        self.maintenance.at_work.sort_unstable();
        let mut least = self.clone();
        for exchange in [Self::exchange_writers, Self::exchange_partitions, Self::exchange_writers] {
            exchange(&mut self);
            if self < least {
                least.clone_from(&self);
            }
        }
        least
    }
}
