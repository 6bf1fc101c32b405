//! How a feed stands as a whole, for whoever looks at all of them: its state, and few numbers in the place of many.
//!
//! Absent: limits and measuring; what is beyond a limit stands in the report.

use super::{AlertKind, Completeness, FeedMonth, FeedReport, ReportState, Versions};

/// How a feed stands, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FeedState {
    /// Nothing is beyond a limit.
    Ok,
    /// What comes counts, but says little, comes late or comes twice.
    Attention,
    /// Facts are missing from the count: they did not come, or what came does not count.
    Alert,
}

impl FeedState {
    /// Its name, as programs read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Attention => "attention",
            Self::Alert => "alert",
        }
    }
}

impl AlertKind {
    /// How a feed stands that has such an alert and no worse one.
    pub fn state(self) -> FeedState {
        match self {
            Self::MissingReport | Self::Silent | Self::SetAside | Self::Conflicts | Self::Gaps => FeedState::Alert,
            Self::Duplicates | Self::Incomplete | Self::Falling | Self::RecordedLate | Self::ArrivesLate => {
                FeedState::Attention
            }
        }
    }
}

impl FeedReport {
    /// How the feed stands.
    pub fn state(&self) -> FeedState {
        self.alerts.iter().map(|alert| alert.what.state()).max().unwrap_or(FeedState::Ok)
    }

    /// The month of the last day that was looked at and the one before, as far as there are any: by them what arrives is judged.
    pub fn recent(&self) -> impl Iterator<Item = &FeedMonth> {
        let first = month_before(&self.as_of);
        self.months.iter().filter(move |month| first.as_ref().is_some_and(|first| month.month >= *first))
    }

    /// Of a hundred fields of the facts of the last twelve months, how many are known; none where there are no facts.
    pub fn known_percent(&self) -> Option<u64> {
        known_percent(self.types.iter().map(|of| &of.now))
    }

    /// The same of the twelve months before.
    pub fn known_percent_before(&self) -> Option<u64> {
        known_percent(self.types.iter().map(|of| &of.before))
    }

    /// Versions of records of those months; none where they were not counted.
    pub fn recent_versions(&self) -> Option<Versions> {
        let counted = self.recent().filter_map(|month| month.versions);
        counted.reduce(|all, more| Versions { came: all.came + more.came, gaps: all.gaps + more.gaps })
    }

    /// How many of the reports that the steward expects are missing.
    pub fn missing(&self) -> usize {
        self.reports.iter().filter(|report| report.state == ReportState::Missing).count()
    }
}

fn known_percent<'a>(parts: impl Iterator<Item = &'a Completeness>) -> Option<u64> {
    let (known, all) = parts.fold((0, 0), |(known, all), part| {
        (known + part.known.values().sum::<u64>(), all + part.facts * part.known.len() as u64)
    });
    (all > 0).then(|| known * 100 / all)
}

/// The month before that of a day, YYYY-MM.
fn month_before(day: &str) -> Option<String> {
    let (year, month) = (day.get(..4)?.parse::<u16>().ok()?, day.get(5..7)?.parse::<u16>().ok()?);
    Some(if month > 1 { format!("{year:04}-{:02}", month - 1) } else { format!("{:04}-12", year.checked_sub(1)?) })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Alert, FeedType};
    use super::*;

    fn report(as_of: &str, months: &[&str], alerts: &[AlertKind]) -> FeedReport {
        let month = |month: &&str| FeedMonth { month: (*month).to_owned(), ..FeedMonth::default() };
        let alert = |what: &AlertKind| Alert { what: *what, of: String::new(), found: 3, limit: 2 };
        FeedReport {
            agency: "FIA".into(),
            as_of: as_of.into(),
            months: months.iter().map(month).collect(),
            types: Vec::new(),
            reports: Vec::new(),
            contradictions: Vec::new(),
            alerts: alerts.iter().map(alert).collect(),
        }
    }

    #[test]
    fn a_feed_stands_as_the_worst_that_is_said_of_it() {
        let state = |alerts: &[AlertKind]| report("2026-11-30", &[], alerts).state();
        assert_eq!(state(&[]), FeedState::Ok);
        assert_eq!(state(&[AlertKind::Duplicates, AlertKind::Falling]), FeedState::Attention);
        assert_eq!(state(&[AlertKind::SetAside, AlertKind::Falling]), FeedState::Alert);
    }

    #[test]
    fn what_arrives_is_judged_by_this_month_and_the_last_across_the_year() {
        let recent = |as_of: &str| {
            let report = report(as_of, &["2026-10", "2026-11", "2026-12", "2027-01"], &[]);
            report.recent().map(|month| month.month.clone()).collect::<Vec<_>>()
        };
        assert_eq!(recent("2027-01-02"), ["2026-12", "2027-01"]);
        assert_eq!(recent("2027-02-02"), ["2027-01"]);
        assert!(recent("soon").is_empty());
    }

    #[test]
    fn versions_are_those_of_the_months_in_which_they_were_counted() {
        let mut report = report("2026-12-30", &["2026-10", "2026-11", "2026-12"], &[]);
        assert_eq!(report.recent_versions(), None);
        for (month, gaps) in report.months.iter_mut().zip([7, 1, 2]) {
            month.versions = Some(Versions { came: 10, gaps });
        }
        assert_eq!(report.recent_versions(), Some(Versions { came: 20, gaps: 3 }));
    }

    #[test]
    fn every_field_of_every_fact_has_the_same_weight() {
        let part = |facts: u64, known: &[(&str, u64)]| Completeness {
            facts,
            known: known.iter().map(|(field, known)| ((*field).to_owned(), *known)).collect::<BTreeMap<_, _>>(),
            days_to_record: None,
        };
        let mut report = report("2026-11-30", &[], &[]);
        assert_eq!(report.known_percent(), None);
        let of = |now, before| FeedType { event_type: "pk.tip.case.registered".into(), now, before };
        report.types.push(of(part(10, &[("scope", 10), ("province", 5)]), part(0, &[("scope", 0)])));
        report.types.push(of(part(80, &[("sex", 60)]), part(4, &[("sex", 1)])));
        assert_eq!((report.known_percent(), report.known_percent_before()), (Some(75), Some(25)));
    }
}
