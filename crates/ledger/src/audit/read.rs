//! Looks into an audit log: questions with what became of them, the newest first.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;
use std::path::Path;

use disclosure::Head;
use serde::Serialize;

use super::{Begin, Decided, End, KIND, Recorded};
use crate::chain::Chain;
use crate::error::{Broken, Result, Why};

/// Entries that are read at a time.
const PAGE: usize = 256;

/// Reads a log beside who writes it. It needs no key.
#[derive(Debug)]
pub struct AuditReader {
    chain: Chain,
}

/// A question and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Question {
    /// The number of its first entry.
    pub number: u64,
    /// The question.
    pub begin: Begin,
    /// What became of it; `None` where its process died before the reply left, or is still at it.
    pub end: Option<End>,
}

/// Which questions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only of this key (by its id) or of keys of this role.
    pub principal: Option<String>,
    /// Only those that were refused.
    pub refused: bool,
}

impl AuditReader {
    /// Opens a log. Errors: [`LedgerError::Missing`](crate::LedgerError::Missing),
    /// [`LedgerError::Foreign`](crate::LedgerError::Foreign), [`LedgerError::NewerFormat`](crate::LedgerError::NewerFormat).
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self { chain: Chain::read_only(&KIND, path)? })
    }

    /// The head.
    pub fn head(&self) -> Result<Head> {
        self.chain.head()
    }

    /// The newest decisions about who comes in, at most so many, the newest first, unchecked.
    pub fn decisions(&self, most: usize) -> Result<Vec<(u64, Decided)>> {
        let mut found = Vec::new();
        let mut entries = self.read(1..=u64::MAX, Filter::default());
        while found.len() < most {
            match entries.next_entry()? {
                Some((number, Recorded::Decided(decided))) => found.push((number, decided)),
                Some(_) => {}
                None => break,
            }
        }
        Ok(found)
    }

    /// Questions by the number of their first entry, the newest first, unchecked: [`verify`](super::verify()) checks. An entry that
    /// cannot be read is an item of its own ([`LedgerError::Broken`](crate::LedgerError::Broken)), and the next ones follow.
    pub fn read(&self, range: RangeInclusive<u64>, filter: Filter) -> Questions<'_> {
        Questions { chain: &self.chain, range, filter, below: u64::MAX, page: VecDeque::new(), ends: BTreeMap::new() }
    }
}

/// Questions, the newest first. It reads backward from the end of the log, so that of each question the end is known.
#[derive(Debug)]
pub struct Questions<'a> {
    chain: &'a Chain,
    range: RangeInclusive<u64>,
    filter: Filter,
    below: u64,
    page: VecDeque<(u64, Vec<u8>)>,
    /// Ends whose begin was not read yet.
    ends: BTreeMap<u64, End>,
}

impl Questions<'_> {
    fn next_entry(&mut self) -> Result<Option<(u64, Recorded)>> {
        if self.page.is_empty() && self.below > *self.range.start() {
            let below = std::mem::take(&mut self.below); // after an error of the disk it is over
            self.page = self.chain.before(below, PAGE)?.into();
        }
        let Some((number, bytes)) = self.page.pop_front() else { return Ok(None) };
        self.below = number;
        if number < *self.range.start() {
            self.page.clear();
            return Ok(None);
        }
        let recorded = Recorded::from_bytes(&bytes).ok_or(Broken { entry: number, why: Why::Unreadable })?;
        Ok(Some((number, recorded)))
    }
}

impl Iterator for Questions<'_> {
    type Item = Result<Question>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (number, begin) = match self.next_entry().transpose()? {
                Ok((number, Recorded::Begin(begin))) => (number, begin),
                Ok((_, Recorded::End(end))) => {
                    self.ends.insert(end.begin, end);
                    continue;
                }
                Ok((_, Recorded::Decided(_))) => continue,
                Err(error) => return Some(Err(error)),
            };
            let question = Question { number, begin, end: self.ends.remove(&number) };
            if self.range.contains(&number) && self.filter.takes(&question) {
                return Some(Ok(question));
            }
        }
    }
}

impl Filter {
    fn takes(&self, question: &Question) -> bool {
        let of = &question.begin.principal;
        let asked = self.principal.as_ref().is_none_or(|wanted| *wanted == of.key_id || *wanted == of.role);
        asked && (!self.refused || question.end.as_ref().is_some_and(End::is_refused))
    }
}
