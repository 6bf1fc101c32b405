//! How good the feed of each agency is (domain.md 7, Q02 and Q03 of one agency): what arrived, how complete and how soon it is, which
//! reports are missing, which versions of records never came, and how often agencies contradict each other. What it comes to is an [`events::feed::FeedReport`] for each agency.
//!
//! Reading order: `arrived` (messages, from the lake), `facts` (what they say, by `sql/quality/`), `gaps` (which never came), `contradictions` (with other agencies),
//! `report` (the report of one agency, and what is beyond a limit).
//!
//! Two sources: the table of events for what became of messages, the newest Snapshot's staged rows and states for what facts say. All but
//! contradictions are sums over an agency's own rows, made bucket by bucket.
//!
//! Absent: who may see a report, and the stream it is sent on; indicators (those count the nation's persons, protected).

mod arrived;
mod contradictions;
mod facts;
mod gaps;
mod report;

use std::collections::BTreeMap;

use events::feed::FeedReport;
use lake::{EventsSnapshot, Store};
use policy::{Keys, Policy, TimeLevel};

use crate::edition::missing_reports;
use crate::error::ModelsError;
use crate::people::Facts;
use crate::snapshot::Snapshot;

pub use report::FeedLimits;

/// Months that are looked at, the present one among them: two years, so that each month has one to be held against.
const MONTHS: u16 = 25;

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Feeds<'a> {
    /// The store of the Snapshots.
    pub store: &'a Store,
    /// The table of events.
    pub events: &'a EventsSnapshot,
    /// The agencies.
    pub policy: &'a Policy,
    /// By which what is said of contradictions is blurred.
    pub keys: &'a Keys,
    /// What is beyond them is an alert.
    pub limits: &'a FeedLimits,
    /// The last day looked at, days since 1970-01-01 (Asia/Karachi).
    pub today: i32,
    /// Threads.
    pub threads: usize,
}

/// Numbers of one agency by what they are about.
type Histogram = BTreeMap<u16, u64>;

impl Feeds<'_> {
    /// The report of each agency that ever sent something, or of which a report is expected, in the order of the policy.
    ///
    /// # Errors
    /// No Snapshot; storage errors.
    pub async fn reports(&self) -> Result<Vec<FeedReport>, ModelsError> {
        let facts = Facts::open(self.store, self.policy, self.threads).await?;
        let lines = Snapshot::latest_calendar(self.store).await?;
        let arrived = arrived::read(self.events, self.first_month()).await?;
        let said = facts::read(&facts, self.first_month()).await?;
        let versions = gaps::read(&facts, self.first_month()).await?;
        let spoke = facts::spoke(&facts, &lines).await?;
        let expected = missing_reports(&lines, &spoke, self.today);
        let contradictions = contradictions::read(&facts, self.keys, self.today).await?;
        let of = report::Parts { arrived, said, versions, expected, contradictions };
        Ok(self.policy.agencies.iter().filter_map(|agency| of.report(agency, self.today, self.limits)).collect())
    }

    /// The first month that is looked at.
    fn first_month(&self) -> u16 {
        TimeLevel::Month.of_day(self.today).saturating_sub(MONTHS - 1)
    }
}

/// The median of numbers that are counted by value: the lower one of two.
fn median(histogram: &Histogram) -> Option<u16> {
    let half = histogram.values().sum::<u64>().div_ceil(2);
    let mut below = 0;
    histogram.iter().find_map(|(value, count)| {
        below += count;
        (half > 0 && below >= half).then_some(*value)
    })
}

/// Adds one histogram to another.
fn add(to: &mut Histogram, from: &Histogram) {
    for (value, count) in from {
        *to.entry(*value).or_default() += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_value_at_which_half_are_reached() {
        assert_eq!(median(&Histogram::new()), None);
        assert_eq!(median(&Histogram::from([(3, 1)])), Some(3));
        assert_eq!(median(&Histogram::from([(0, 2), (5, 2)])), Some(0));
        assert_eq!(median(&Histogram::from([(0, 2), (5, 1), (9, 2)])), Some(5));
    }
}
