//! The invariants of ingestion (ingestion.md 3.2), each as a function over plain data that returns what breaks it.
//!
//! `P` names a partition of the log, `W` a writer (one start of a process). I1 to I3 speak of the history of the table
//! and are kept by a [`Ledger`] that follows it commit by commit; I1, I4 to I8 are also questions about one moment.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

/// Which sentence of ingestion.md 3.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// Committed offsets are exactly `[start, next)` less what the log lacks or a reset skipped; none twice.
    I1,
    /// The next offset never decreases, and grows only with exactly the rows in between, or by a reset.
    I2,
    /// No commit under a claim lower than the highest. As kept: under the highest alone, by the writer that took it.
    I3,
    /// The log's own committed offset is not ahead of the table's.
    I4,
    /// Bytes held are within the budget.
    I5,
    /// A row set aside has its bytes, or after their retention their hash.
    I6,
    /// A derived table is not ahead of its source, and rebuilding gives the same.
    I7,
    /// The table holds what the log holds, decoded and sealed independently.
    I8,
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A broken invariant: which, where, how. Never a value of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach<P> {
    /// Which sentence.
    pub invariant: Invariant,
    /// Partition that it concerns, if it is one's.
    pub partition: Option<P>,
    /// Offsets concerned; empty when they are not the matter.
    pub offsets: Range<i64>,
    /// What is wrong with them.
    pub what: &'static str,
}

impl<P> Breach<P> {
    fn at(invariant: Invariant, partition: P, offsets: Range<i64>, what: &'static str) -> Self {
        Self { invariant, partition: Some(partition), offsets, what }
    }
}

impl<P: fmt::Display> fmt::Display for Breach<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.what)?;
        if let Some(partition) = &self.partition {
            write!(f, ", partition {partition}")?;
        }
        if !self.offsets.is_empty() {
            write!(f, ", offsets {} to {}", self.offsets.start, self.offsets.end - 1)?;
        }
        Ok(())
    }
}

/// What a commit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Rows and the offsets they reach.
    Write,
    /// Partitions are taken over.
    Claim,
    /// An operator moves the next offset, forward, or sets where a new generation begins; audited.
    Reset,
    /// Anything else: rewriting, a change of the schema, the table's creation.
    Other,
}

/// One commit of the table as the invariants see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit<P, W> {
    /// Who made it.
    pub writer: W,
    /// What for.
    pub kind: Kind,
    /// Rows that it adds: runs of offsets without gaps, in any order.
    pub rows: Vec<(P, Range<i64>)>,
    /// Next offsets that it sets.
    pub next: Vec<(P, i64)>,
    /// Claims that it sets (a claim) or repeats (a write).
    pub claims: Vec<(P, i64)>,
    /// Claims under which its rows were read.
    pub under: Vec<(P, i64)>,
}

/// What the history has made of one partition so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress<W> {
    /// Next offset; `None` before the first commit.
    pub next: Option<i64>,
    /// Highest claim; 0 before the first.
    pub claim: i64,
    /// Who took it.
    pub claimer: Option<W>,
}

impl<W> Default for Progress<W> {
    fn default() -> Self {
        Self { next: None, claim: 0, claimer: None }
    }
}

/// Follows the history of the table and tells which commit breaks I1, I2 or I3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger<P: Ord, W> {
    /// Each partition met so far.
    pub partitions: BTreeMap<P, Progress<W>>,
}

impl<P: Ord, W> Default for Ledger<P, W> {
    fn default() -> Self {
        Self { partitions: BTreeMap::new() }
    }
}

impl<P: Ord + Clone, W: PartialEq + Clone> Ledger<P, W> {
    /// Takes in the next commit. `absent` tells which offsets the log does not hold (transaction markers, compaction).
    pub fn follow(&mut self, commit: &Commit<P, W>, absent: impl Fn(&P, i64) -> bool) -> Vec<Breach<P>> {
        let mut breaches = self.claims(commit);
        for (partition, _) in &commit.rows {
            if !commit.next.iter().any(|(p, _)| p == partition) {
                breaches.push(Breach::at(Invariant::I2, partition.clone(), 0..0, "rows without their next offset"));
            }
        }
        for (partition, to) in &commit.next {
            let old = self.partitions.get(partition).and_then(|progress| progress.next);
            if old.is_some_and(|old| old > *to) {
                breaches.push(Breach::at(Invariant::I2, partition.clone(), *to..old.unwrap_or(*to), "went backward"));
            }
            let mut rows: Vec<_> =
                commit.rows.iter().filter(|(p, _)| p == partition).map(|(_, run)| run.clone()).collect();
            rows.sort_by_key(|run| (run.start, run.end));
            match commit.kind {
                // The first commit of a partition says where it starts.
                Kind::Write => {
                    let from = old.unwrap_or_else(|| rows.first().map_or(*to, |run| run.start));
                    breaches.extend(covers(partition, from..*to, &rows, |offset| absent(partition, offset)));
                }
                Kind::Reset if rows.is_empty() => {}
                _ => breaches.push(Breach::at(Invariant::I2, partition.clone(), 0..0, "moved by a commit of no rows")),
            }
            self.partitions.entry(partition.clone()).or_default().next = Some(*to);
        }
        breaches
    }

    fn claims(&mut self, commit: &Commit<P, W>) -> Vec<Breach<P>> {
        let mut breaches = Vec::new();
        let breach = |p: &P, what| Breach::at(Invariant::I3, p.clone(), 0..0, what);
        for (partition, claim) in &commit.claims {
            let progress = self.partitions.entry(partition.clone()).or_default();
            match commit.kind {
                Kind::Claim if *claim > progress.claim => {
                    (progress.claim, progress.claimer) = (*claim, Some(commit.writer.clone()));
                }
                // Taking the same number again is what a writer does that did not learn that it has it.
                Kind::Claim if *claim == progress.claim && progress.claimer.as_ref() == Some(&commit.writer) => {}
                Kind::Claim => breaches.push(breach(partition, "a claim that is not higher")),
                _ if *claim < progress.claim => breaches.push(breach(partition, "a lower claim is repeated")),
                _ => {}
            }
        }
        for (partition, claim) in &commit.under {
            let progress = self.partitions.entry(partition.clone()).or_default();
            match *claim {
                claim if claim < progress.claim => breaches.push(breach(partition, "rows under a lower claim")),
                claim if claim > progress.claim => breaches.push(breach(partition, "rows under a claim never taken")),
                _ if progress.claimer.as_ref() != Some(&commit.writer) => {
                    breaches.push(breach(partition, "rows under another writer's claim"));
                }
                _ => {}
            }
        }
        breaches
    }
}

/// I1 and I2 of one stretch: the runs, sorted by their start, hold each offset of `wanted` once, less those absent.
pub fn covers<P: Clone>(
    partition: &P,
    wanted: Range<i64>,
    runs: &[Range<i64>],
    absent: impl Fn(i64) -> bool,
) -> Vec<Breach<P>> {
    let mut breaches = Vec::new();
    let mut breach = |invariant, offsets: Range<i64>, what| {
        breaches.push(Breach::at(invariant, partition.clone(), offsets, what));
    };
    let mut at = wanted.start;
    for run in runs.iter().filter(|run| !run.is_empty()) {
        if run.start < wanted.start || run.end > wanted.end {
            breach(Invariant::I2, run.clone(), "rows outside of what the next offset moved over");
        }
        if run.start < at {
            breach(Invariant::I1, run.start..run.end.min(at), "offsets twice");
        }
        if let Some(lost) = (at..run.start.min(wanted.end)).find(|offset| !absent(*offset)) {
            breach(Invariant::I1, lost..run.start, "offsets without a row");
        }
        at = at.max(run.end);
    }
    if let Some(lost) = (at..wanted.end).find(|offset| !absent(*offset)) {
        breach(Invariant::I1, lost..wanted.end, "offsets without a row");
    }
    breaches
}

/// I4: what the log was told is not ahead of the table.
pub fn hint<P>(partition: P, hinted: i64, next: Option<i64>) -> Option<Breach<P>> {
    (next.is_none_or(|next| hinted > next)).then(|| {
        Breach::at(Invariant::I4, partition, next.unwrap_or(hinted)..hinted, "the log was told more than is committed")
    })
}

/// I5: bytes held against the budget.
pub fn within_budget<P>(held: u64, budget: u64) -> Option<Breach<P>> {
    (held > budget).then_some(Breach {
        invariant: Invariant::I5,
        partition: None,
        offsets: 0..0,
        what: "more bytes are held than the budget allows",
    })
}

/// What is kept of a row that was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetAside {
    /// Its encrypted bytes are there.
    pub bytes: bool,
    /// The keyed hash of them is there.
    pub hash: bool,
    /// Its bytes are older than the retention (90 days).
    pub expired: bool,
}

/// I6: nothing that was set aside is without evidence.
pub fn set_aside<P>(partition: P, offset: i64, kept: SetAside) -> Option<Breach<P>> {
    let what = match kept {
        SetAside { hash: false, .. } => "set aside without its hash",
        SetAside { bytes: false, expired: false, .. } => "set aside without its bytes",
        _ => return None,
    };
    Some(Breach::at(Invariant::I6, partition, offset..offset + 1, what))
}

/// I7: a derived table, made at version `made_from` of the events, against their present version and its rebuilding.
pub fn derived<P>(made_from: u64, lake_version: u64, rebuilt_equal: bool) -> Option<Breach<P>> {
    let what = match (made_from > lake_version, rebuilt_equal) {
        (true, _) => "a derived table is ahead of the events",
        (_, false) => "rebuilding a derived table gives another",
        _ => return None,
    };
    Some(Breach { invariant: Invariant::I7, partition: None, offsets: 0..0, what })
}

/// Rows of a partition and their content: `hash` is independent of their order, over (partition, offset, sealed payload).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// How many.
    pub rows: u64,
    /// The sum of the rows' hashes.
    pub hash: u128,
}

/// I8: the table's content against the log's, each computed by its own means.
pub fn same_content<P>(partition: P, table: Content, log: Content) -> Option<Breach<P>> {
    let what = match (table.rows == log.rows, table == log) {
        (false, _) => "the table has another number of rows than the log",
        (true, false) => "a row differs from the log's record",
        _ => return None,
    };
    Some(Breach::at(Invariant::I8, partition, 0..0, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(writer: u8, rows: Range<i64>, next: i64, claim: i64) -> Commit<&'static str, u8> {
        Commit {
            writer,
            kind: Kind::Write,
            rows: vec![("p", rows)],
            next: vec![("p", next)],
            claims: vec![("p", claim)],
            under: vec![("p", claim)],
        }
    }

    fn taken(writer: u8, claim: i64) -> Commit<&'static str, u8> {
        let (rows, next, under) = (vec![], vec![], vec![]);
        Commit { writer, kind: Kind::Claim, rows, next, claims: vec![("p", claim)], under }
    }

    fn broken(history: &[Commit<&'static str, u8>]) -> Vec<(Invariant, Range<i64>)> {
        let mut ledger = Ledger::default();
        let breaches = history.iter().flat_map(|commit| ledger.follow(commit, |_, offset| offset == 7));
        breaches.map(|breach| (breach.invariant, breach.offsets)).collect()
    }

    #[test]
    fn a_history_of_claims_and_contiguous_writes_breaks_nothing() {
        let history = [taken(1, 1), write(1, 2..5, 5, 1), taken(2, 2), write(2, 5..7, 8, 2), write(2, 8..9, 9, 2)];
        assert_eq!(broken(&history), []);
    }

    #[test]
    fn an_offset_twice_a_lost_one_and_one_going_backward_are_named() {
        let begun = [taken(1, 1), write(1, 0..5, 5, 1)];
        let after = |rows: Range<i64>, next| {
            let [one, two] = begun.clone();
            broken(&[one, two, write(1, rows, next, 1)])
        };
        assert!(after(4..6, 6).contains(&(Invariant::I1, 4..5)));
        assert_eq!(after(6..7, 8), [(Invariant::I1, 5..6)]);
        assert!(after(4..4, 4).contains(&(Invariant::I2, 4..5)));
        assert!(after(5..10, 9).contains(&(Invariant::I2, 5..10)));
        assert_eq!(after(5..6, 7), [(Invariant::I1, 6..7)]);
    }

    #[test]
    fn rows_under_a_lower_claim_or_one_never_taken_or_anothers_are_named() {
        for (claims, writer, under) in [(vec![1, 2], 1, 1), (vec![1], 1, 2), (vec![1], 2, 1)] {
            let mut history: Vec<_> = claims.iter().map(|claim| taken(1, *claim)).collect();
            history.push(write(writer, 0..1, 1, under));
            assert!(broken(&history).iter().any(|(broken, _)| *broken == Invariant::I3), "{claims:?} {writer} {under}");
        }
        assert_eq!(broken(&[taken(1, 1), taken(2, 1)]), [(Invariant::I3, 0..0)]);
    }

    #[test]
    fn only_a_reset_moves_the_offset_without_rows() {
        let mut moved = write(1, 9..9, 9, 1);
        (moved.rows, moved.under) = (vec![], vec![]);
        moved.kind = Kind::Reset;
        let begun = [taken(1, 1), write(1, 0..5, 5, 1)];
        assert_eq!(broken(&[begun[0].clone(), begun[1].clone(), moved.clone(), write(1, 9..10, 10, 1)]), []);
        moved.kind = Kind::Other;
        assert_eq!(broken(&[begun[0].clone(), begun[1].clone(), moved]), [(Invariant::I2, 0..0)]);
    }

    #[test]
    fn questions_about_one_moment_are_answered() {
        assert!(hint("p", 5, Some(5)).is_none() && hint("p", 6, Some(5)).is_some() && hint("p", 0, None).is_some());
        assert!(within_budget::<u8>(5, 5).is_none() && within_budget::<u8>(6, 5).is_some());
        let kept = |bytes, hash, expired| set_aside("p", 1, SetAside { bytes, hash, expired }).is_none();
        assert!(kept(true, true, false) && kept(false, true, true));
        assert!(!kept(false, true, false) && !kept(true, false, false));
        assert!(derived::<u8>(3, 3, true).is_none() && derived::<u8>(4, 3, true).is_some());
        assert!(derived::<u8>(3, 3, false).is_some());
        let content = |rows, hash| Content { rows, hash };
        assert!(same_content("p", content(1, 2), content(1, 2)).is_none());
        assert!(same_content("p", content(1, 2), content(2, 2)).is_some());
        assert!(same_content("p", content(1, 2), content(1, 3)).is_some());
    }
}
