//! Compaction: many small files of a lane and date become few large ones, sorted by record (ingestion.md 3.12).
//!
//! A date that is over is left with one small file at most. On the date that still grows, files are merged by size
//! class, each eight times the one below, so that a row is rewritten four times at most and not every minute, and the
//! files of a date are bounded: some dozens of each class.
//!
//! Files that staging has not read yet are left alone: [`crate::EventsSnapshot::added_since`] would not find them and a
//! catch-up would become a full rebuild. It would lose nothing; too many files would cost more.

use std::collections::{BTreeMap, HashSet};

use super::rewrite::{Reason, Rewrite};
use super::{Did, Maintainer, Now, Rules};
use crate::events::entry::read_commit;
use crate::{DataFile, Lane, Result};

/// Versions of which it is still asked what they added; staging that is further behind rebuilds in any case.
const MOST_BEHIND: u64 = 10_000;

/// Files that compaction would make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// All of one lane and date, in the order of the snapshot.
    pub files: Vec<DataFile>,
}

impl Wanted {
    /// Bytes of all.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

impl Maintainer {
    /// What compaction would do now. `staged` is the version up to which staging has read the table, if anyone stages.
    ///
    /// # Errors
    /// Storage errors.
    pub async fn to_compact(&mut self, now: Now, staged: Option<u64>) -> Result<Vec<Wanted>> {
        self.events.refresh().await?;
        let unstaged = self.added_after(staged).await?;
        let snapshot = self.events.snapshot()?;
        Ok(groups(&snapshot.files, now.today, &unstaged, &self.rules))
    }

    /// Compacts what is wanted, most files first; `heard` is told before each group how many are left.
    ///
    /// # Errors
    /// `Superseded`, `RowsDiffer`, storage errors; what was done so far stays.
    pub async fn compact(
        &mut self,
        now: Now,
        staged: Option<u64>,
        mut heard: impl FnMut(&Wanted, usize),
    ) -> Result<Did> {
        let wanted = self.to_compact(now, staged).await?;
        let mut did = Did::default();
        for (n, group) in wanted.iter().enumerate() {
            heard(group, wanted.len() - n);
            let files = group.files.clone();
            let rewrite = Rewrite { files, reason: Reason::Compaction, change: None, without_bytes: false };
            if let Some(done) = self.rewrite(rewrite, now).await? {
                did.rewrites += 1;
                did.files_replaced += done.files_before;
                did.files_written += done.files_after;
                did.bytes_written += done.bytes_after;
                did.rows_rewritten += done.rows;
            }
        }
        Ok(did)
    }

    /// Files that came with new rows after a version.
    async fn added_after(&mut self, staged: Option<u64>) -> Result<HashSet<String>> {
        let newest = self.events.lake_version();
        let Some(staged) = staged.filter(|staged| newest.saturating_sub(*staged) <= MOST_BEHIND) else {
            self.added = Added::default();
            return Ok(HashSet::new());
        };
        if staged < self.added.from || staged > self.added.to {
            self.added = Added { from: staged, to: staged, files: Vec::new() };
        }
        let log = self.events.log();
        while self.added.to < newest {
            let version = self.added.to + 1;
            let Some(commit) = read_commit(&log, version).await? else {
                self.added = Added::default();
                return Ok(HashSet::new()); // cleaned up: staging has to rebuild anyway
            };
            let new = commit.adds.into_iter().filter(|add| add.data_change);
            self.added.files.extend(new.map(|add| (version, add.path)));
            self.added.to = version;
        }
        self.added.files.retain(|(version, _)| *version > staged);
        self.added.from = staged;
        Ok(self.added.files.iter().map(|(_, path)| path.clone()).collect())
    }
}

/// Files that came with the commits after `from` and up to `to`, kept so that each commit is read once.
#[derive(Debug, Default)]
pub(super) struct Added {
    from: u64,
    to: u64,
    files: Vec<(u64, String)>,
}

/// Which files to merge.
fn groups(files: &[DataFile], today: i32, unstaged: &HashSet<String>, rules: &Rules) -> Vec<Wanted> {
    let mut by_place: BTreeMap<(i32, Lane), Vec<&DataFile>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.bytes < rules.small_bytes) {
        by_place.entry((file.ingest_date, file.lane)).or_default().push(file);
    }
    let mut wanted = Vec::new();
    for ((date, _), mut small) in by_place {
        if small.len() < rules.too_many {
            small.retain(|file| !unstaged.contains(&file.path));
        }
        if date >= today {
            small = overflowing(small, rules);
        }
        wanted.extend(cut(&small, rules.group_bytes));
    }
    wanted.sort_by_key(|group| std::cmp::Reverse(group.files.len()));
    wanted
}

/// Size classes below the large files.
const CLASSES: usize = 4;

/// The class of a small file: 3 is up to `small_bytes`, each below is an eighth.
fn class(file: &DataFile, rules: &Rules) -> usize {
    (1..CLASSES).filter(|n| file.bytes >= rules.small_bytes >> (3 * (CLASSES - n))).count()
}

/// Files of the highest class that has too many, and of all classes below it.
fn overflowing<'f>(small: Vec<&'f DataFile>, rules: &Rules) -> Vec<&'f DataFile> {
    let mut counts = [0; CLASSES];
    for file in &small {
        counts[class(file, rules)] += 1;
    }
    let full = (0..CLASSES).rev().find(|class| counts[*class] > rules.most_small);
    small.into_iter().filter(|file| full.is_some_and(|full| class(file, rules) <= full)).collect()
}

/// Cuts files into groups that one rewrite takes; one file alone is none.
fn cut(files: &[&DataFile], group_bytes: u64) -> Vec<Wanted> {
    let mut groups: Vec<Wanted> = Vec::new();
    for file in files {
        match groups.last_mut() {
            Some(group) if group.bytes() + file.bytes <= group_bytes => group.files.push((*file).clone()),
            _ => groups.push(Wanted { files: vec![(*file).clone()] }),
        }
    }
    groups.retain(|group| group.files.len() > 1);
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: i32 = 20_000;

    fn file(n: usize, date: i32, bytes: u64) -> DataFile {
        DataFile { path: format!("{n}"), lane: Lane::Main, ingest_date: date, rows: 1, bytes, span: None, ids: None }
    }

    fn counts(files: &[DataFile], unstaged: &[&str]) -> Vec<usize> {
        let unstaged = unstaged.iter().map(|path| (*path).to_owned()).collect();
        groups(files, TODAY, &unstaged, &Rules::default()).iter().map(|group| group.files.len()).collect()
    }

    #[test]
    fn a_date_that_is_over_is_left_with_one_small_file() {
        let files: Vec<_> = (0..3).map(|n| file(n, TODAY - 1, 1 << 20)).collect();
        assert_eq!(counts(&files, &[]), [3]);
        assert_eq!(counts(&files[..1], &[]), [] as [usize; 0]);
        let large: Vec<_> = (0..9).map(|n| file(n, TODAY - 1, 32 << 20)).collect();
        assert_eq!(counts(&large, &[]), [] as [usize; 0], "large enough");
    }

    #[test]
    fn today_is_merged_by_size_class_so_that_rows_are_rewritten_a_few_times_only() {
        let tiny: Vec<_> = (0..32).map(|n| file(n, TODAY, 10 << 10)).collect();
        assert_eq!(counts(&tiny, &[]), [] as [usize; 0], "not yet too many");
        let mut more: Vec<_> = (0..33).map(|n| file(n, TODAY, 10 << 10)).collect();
        more.extend((100..110).map(|n| file(n, TODAY, 8 << 20)));
        assert_eq!(counts(&more, &[]), [33], "those of the larger class wait until they are too many themselves");
        more.extend((200..230).map(|n| file(n, TODAY, 8 << 20)));
        let all: usize = counts(&more, &[]).iter().sum();
        assert_eq!(all, 73, "all below a full class go with it");
        assert_eq!(counts(&more, &[]).len(), 2, "in groups that one rewrite takes");
    }

    #[test]
    fn files_that_staging_has_not_read_are_left_alone_until_they_are_too_many() {
        let files: Vec<_> = (0..4).map(|n| file(n, TODAY - 1, 1 << 10)).collect();
        assert_eq!(counts(&files, &["2", "3"]), [2]);
        let many: Vec<_> = (0..1_000).map(|n| file(n, TODAY - 1, 1 << 10)).collect();
        let names: Vec<_> = many.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(counts(&many, &names), [1_000]);
    }
}
