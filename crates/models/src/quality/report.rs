//! The report of one agency, put together from what was measured, and what in it is beyond a limit.
//!
//! Absent: measuring.

use std::collections::BTreeMap;

use events::feed::{
    Alert, AlertKind, Completeness, ExpectedReport, FeedMonth, FeedReport, FeedType, ReportState, Versions,
};
use events::{EventType, code_list};
use policy::time::date_text;
use policy::{Agency, TimeLevel};
use serde::{Deserialize, Serialize};

use super::arrived::{self, Arrived};
use super::facts::{self, Said};
use super::{Histogram, add, contradictions, gaps, median};
use crate::snapshot::Report;

/// Months of each side of a comparison.
const YEAR: u16 = 12;
/// Fewer of anything is too little to be judged: one of ten is not ten percent.
const FEWEST: u64 = 20;

/// What is beyond these is an alert (configuration section `quality`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeedLimits {
    /// Of a hundred messages of this month and the last, so many may be set aside.
    pub set_aside_percent: u64,
    /// … have the id of another event.
    pub conflict_percent: u64,
    /// … be there already.
    pub duplicate_percent: u64,
    /// Of a hundred facts of the last twelve months, a field is known of at least so many.
    pub known_percent: u64,
    /// A field may be known of so many fewer of a hundred than in the twelve months before.
    pub falling_points: u64,
    /// Days from what happened to its record, median of the last twelve months.
    pub record_days: u64,
    /// Days from the record to the arrival, median of this month and the last.
    pub arrival_days: u64,
    /// Days after the end of its period for which a report may be missing.
    pub report_days: u64,
    /// Of a hundred versions of records that were recorded in this month and the last, of so many the version before may not be here.
    pub gap_percent: u64,
    /// Days without any arrival, of an agency that has sent something in the last two years.
    pub silent_days: u64,
}

impl Default for FeedLimits {
    fn default() -> Self {
        Self {
            set_aside_percent: 2,
            conflict_percent: 1,
            duplicate_percent: 10,
            known_percent: 80,
            falling_points: 10,
            record_days: 30,
            arrival_days: 7,
            report_days: 15,
            gap_percent: 1,
            silent_days: 62,
        }
    }
}

/// What was measured, of all agencies.
pub(super) struct Parts {
    /// What became of messages.
    pub arrived: arrived::ByAgency,
    /// What facts say.
    pub said: facts::ByAgency,
    /// Which versions of records came.
    pub versions: gaps::ByAgency,
    /// Reports that are expected.
    pub expected: Vec<(Report, ReportState)>,
    /// What contradicts.
    pub contradictions: contradictions::ByAgency,
}

impl Parts {
    /// The report of an agency; none where nothing ever came of it and nothing is expected.
    pub(super) fn report(&self, agency: &Agency, today: i32, limits: &FeedLimits) -> Option<FeedReport> {
        let nothing = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let arrived = self.arrived.get(&agency.code).unwrap_or(&nothing.0);
        let said = self.said.get(&agency.index).unwrap_or(&nothing.1);
        let versions = self.versions.get(&agency.index).unwrap_or(&nothing.2);
        let mut expected: Vec<_> = self.expected.iter().filter(|(line, _)| line.agency == agency.index).collect();
        if arrived.is_empty() && said.is_empty() && expected.is_empty() {
            return None;
        }
        expected.sort_by_key(|(line, _)| (std::cmp::Reverse((line.to, line.from)), line.kind));
        let types: Vec<FeedType> = said.iter().map(|(kind, months)| of_type(*kind, months, today)).collect();
        let judge = Judge { today, limits };
        let mut alerts: Vec<Alert> = expected.iter().filter_map(|(line, state)| judge.report(line, *state)).collect();
        alerts.extend(judge.arrivals(arrived));
        alerts.extend(judge.gaps(versions));
        alerts.extend(types.iter().flat_map(|of| judge.facts(of)));
        Some(FeedReport {
            agency: agency.code.clone(),
            as_of: date_text(today),
            months: months(arrived, said, versions),
            types,
            reports: expected.into_iter().map(|(line, state)| told(line, *state)).collect(),
            contradictions: self.contradictions.get(&agency.index).cloned().unwrap_or_default(),
            alerts,
        })
    }
}

fn told(line: &Report, state: ReportState) -> ExpectedReport {
    let kind = code_list::list("report_kind").text(line.kind).to_owned();
    ExpectedReport { kind, from: date_text(line.from), to: date_text(line.to), state }
}

fn months(
    arrived: &BTreeMap<u16, Arrived>,
    said: &BTreeMap<EventType, BTreeMap<u16, Said>>,
    versions: &BTreeMap<u16, Versions>,
) -> Vec<FeedMonth> {
    let mut days: BTreeMap<u16, (u64, Histogram)> = BTreeMap::new();
    for (month, said) in said.values().flatten() {
        let known = days.entry(*month).or_default();
        known.0 += said.facts;
        add(&mut known.1, &said.days);
    }
    let all: std::collections::BTreeSet<u16> =
        arrived.keys().chain(days.keys()).chain(versions.keys()).copied().collect();
    let nothing = (Arrived::default(), (0, Histogram::new()));
    let month = |month: u16| {
        let (arrived, (facts, days)) =
            (arrived.get(&month).unwrap_or(&nothing.0), days.get(&month).unwrap_or(&nothing.1));
        FeedMonth {
            month: TimeLevel::Month.label(month),
            accepted: arrived.accepted,
            duplicates: arrived.duplicates,
            conflicts: arrived.conflicts,
            set_aside: arrived.set_aside.clone(),
            days_to_arrive: median(&arrived.delays),
            facts: *facts,
            days_to_record: median(days),
            versions: Some(versions.get(&month).copied().unwrap_or_default()),
        }
    };
    all.into_iter().map(month).collect()
}

fn of_type(kind: EventType, months: &BTreeMap<u16, Said>, today: i32) -> FeedType {
    let this = TimeLevel::Month.of_day(today);
    let part = |from: u16, to: u16| {
        let (mut whole, mut days) = (Completeness::default(), Histogram::new());
        for said in months.range(from..to).map(|(_, said)| said) {
            whole.facts += said.facts;
            add(&mut days, &said.days);
            for (field, known) in &said.known {
                *whole.known.entry(field.clone()).or_default() += known;
            }
        }
        whole.days_to_record = median(&days);
        whole
    };
    let now = (this + 1).saturating_sub(YEAR);
    FeedType {
        event_type: kind.name().to_owned(),
        now: part(now, u16::MAX),
        before: part(now.saturating_sub(YEAR), now),
    }
}

/// Says what is beyond a limit.
struct Judge<'a> {
    today: i32,
    limits: &'a FeedLimits,
}

impl Judge<'_> {
    fn report(&self, line: &Report, state: ReportState) -> Option<Alert> {
        let days = u64::try_from(self.today - line.to).unwrap_or(0);
        let is_late = state == ReportState::Missing && days > self.limits.report_days;
        let kind = code_list::list("report_kind").text(line.kind);
        let of = format!("{kind} {} to {}", date_text(line.from), date_text(line.to));
        is_late.then_some(Alert { what: AlertKind::MissingReport, of, found: days, limit: self.limits.report_days })
    }

    /// What is wrong with how messages arrive.
    fn arrivals(&self, arrived: &BTreeMap<u16, Arrived>) -> Vec<Alert> {
        let limits = self.limits;
        let last = arrived.values().map(|month| month.last_day).max();
        let silent = last.map_or(0, |last| u64::try_from(self.today - last).unwrap_or(0));
        let recent = arrived.range(TimeLevel::Month.of_day(self.today) - 1..).map(|(_, month)| month);
        let (mut sums, mut delays) = ([0_u64; 4], Histogram::new());
        for month in recent {
            let set_aside = month.set_aside.values().sum();
            for (sum, count) in sums.iter_mut().zip([month.accepted, set_aside, month.conflicts, month.duplicates]) {
                *sum += count;
            }
            add(&mut delays, &month.delays);
        }
        let all: u64 = sums.iter().sum();
        let percent = |at: usize| if all < FEWEST { 0 } else { sums[at] * 100 / all };
        let late = median(&delays).map_or(0, u64::from);
        let found = [
            (AlertKind::Silent, silent, limits.silent_days),
            (AlertKind::SetAside, percent(1), limits.set_aside_percent),
            (AlertKind::Conflicts, percent(2), limits.conflict_percent),
            (AlertKind::Duplicates, percent(3), limits.duplicate_percent),
            (AlertKind::ArrivesLate, late, limits.arrival_days),
        ];
        let beyond = found.into_iter().filter(|(_, found, limit)| found > limit);
        beyond.map(|(what, found, limit)| Alert { what, of: String::new(), found, limit }).collect()
    }

    /// What never came of the records of this month and the last.
    fn gaps(&self, versions: &BTreeMap<u16, Versions>) -> Option<Alert> {
        let recent = versions.range(TimeLevel::Month.of_day(self.today) - 1..).map(|(_, month)| month);
        let (came, gaps) = recent.fold((0, 0), |(came, gaps), month| (came + month.came, gaps + month.gaps));
        let (found, limit) = (if came < FEWEST { 0 } else { gaps * 100 / came }, self.limits.gap_percent);
        (found > limit).then_some(Alert { what: AlertKind::Gaps, of: String::new(), found, limit })
    }

    /// What is wrong with facts of a type.
    fn facts(&self, of: &FeedType) -> Vec<Alert> {
        let name = of.event_type.trim_start_matches("pk.tip.");
        let mut alerts = Vec::new();
        let late = of.now.days_to_record.map_or(0, u64::from);
        if late > self.limits.record_days && of.now.facts >= FEWEST {
            let limit = self.limits.record_days;
            alerts.push(Alert { what: AlertKind::RecordedLate, of: name.to_owned(), found: late, limit });
        }
        for field in of.now.known.keys().filter(|_| of.now.facts >= FEWEST) {
            let Some(known) = of.now.known_percent(field) else { continue };
            let before = of.before.known_percent(field).filter(|_| of.before.facts >= FEWEST);
            let fallen = before.map_or(0, |before| before.saturating_sub(known));
            let of = format!("{name} {field}");
            let (limit, falling) = (self.limits.known_percent, self.limits.falling_points);
            if known < limit {
                alerts.push(Alert { what: AlertKind::Incomplete, of: of.clone(), found: known, limit });
            }
            if fallen > falling {
                alerts.push(Alert { what: AlertKind::Falling, of, found: fallen, limit: falling });
            }
        }
        alerts
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use policy::Policy;

    use super::*;

    /// 15 November 2026.
    const TODAY: i32 = 20_772;

    fn parts() -> Parts {
        Parts {
            arrived: BTreeMap::new(),
            said: BTreeMap::new(),
            versions: BTreeMap::new(),
            expected: Vec::new(),
            contradictions: BTreeMap::new(),
        }
    }

    fn report(parts: &Parts) -> Option<FeedReport> {
        parts.report(Policy::default().agencies.get("FIA").unwrap(), TODAY, &FeedLimits::default())
    }

    fn this_month(month: Arrived) -> Parts {
        let month = Arrived { last_day: TODAY, ..month };
        let months = BTreeMap::from([(TimeLevel::Month.of_day(TODAY), month)]);
        Parts { arrived: BTreeMap::from([("FIA".to_owned(), months)]), ..parts() }
    }

    fn alerts(parts: &Parts) -> Vec<(AlertKind, String, u64)> {
        report(parts).unwrap().alerts.into_iter().map(|alert| (alert.what, alert.of, alert.found)).collect()
    }

    #[test]
    fn an_agency_of_which_nothing_is_known_has_no_report() {
        assert_eq!(report(&parts()), None);
        assert!(report(&this_month(Arrived::default())).is_some());
    }

    #[test]
    fn what_was_set_aside_is_an_alert_where_it_is_much_of_enough() {
        let set_aside = |bad: u64, good: u64| Arrived {
            accepted: good,
            set_aside: BTreeMap::from([("schema".to_owned(), bad)]),
            ..Arrived::default()
        };
        assert_eq!(alerts(&this_month(set_aside(3, 97))), [(AlertKind::SetAside, String::new(), 3)]);
        assert!(alerts(&this_month(set_aside(2, 98))).is_empty());
        assert!(alerts(&this_month(set_aside(9, 10))).is_empty(), "too few to be judged");
    }

    #[test]
    fn versions_that_never_came_are_an_alert_where_they_are_many_of_enough() {
        let of = |months_ago: u16, came: u64, gaps: u64| {
            let months = BTreeMap::from([(TimeLevel::Month.of_day(TODAY) - months_ago, Versions { came, gaps })]);
            let agency = Policy::default().agencies.get("FIA").unwrap().index;
            let arrived = this_month(Arrived::default()).arrived;
            alerts(&Parts { versions: BTreeMap::from([(agency, months)]), arrived, ..parts() })
        };
        assert_eq!(of(1, 100, 2), [(AlertKind::Gaps, String::new(), 2)]);
        assert!(of(0, 100, 1).is_empty());
        assert!(of(0, 19, 9).is_empty(), "too few to be judged");
        assert!(of(2, 100, 50).is_empty(), "long ago: the months say it, and nobody is called for it any more");
    }

    #[test]
    fn an_agency_that_is_silent_for_long_is_an_alert() {
        let mut parts = this_month(Arrived { accepted: 1, ..Arrived::default() });
        parts.arrived.values_mut().flat_map(BTreeMap::values_mut).for_each(|month| month.last_day = TODAY - 63);
        assert_eq!(alerts(&parts), [(AlertKind::Silent, String::new(), 63)]);
    }

    #[test]
    fn a_field_that_is_often_unknown_or_less_often_known_than_a_year_ago_is_an_alert() {
        let said = |known: u64| Said {
            facts: 100,
            known: BTreeMap::from([("means".to_owned(), known)]),
            days: Histogram::from([(3, 100)]),
        };
        let of = |now: u64, before: u64| {
            let this = TimeLevel::Month.of_day(TODAY);
            let months = BTreeMap::from([(this, said(now)), (this - 12, said(before))]);
            let by_type = BTreeMap::from([(EventType::VictimIdentified, months)]);
            let agency = Policy::default().agencies.get("FIA").unwrap().index;
            Parts { said: BTreeMap::from([(agency, by_type)]), ..parts() }
        };
        let field = || "victim.identified means".to_owned();
        assert!(alerts(&of(85, 90)).is_empty());
        assert_eq!(alerts(&of(79, 80)), [(AlertKind::Incomplete, field(), 79)]);
        assert_eq!(alerts(&of(84, 95)), [(AlertKind::Falling, field(), 11)]);
    }

    #[test]
    fn a_missing_report_is_an_alert_after_some_days() {
        let of = |to: i32, state: ReportState| {
            let agency = Policy::default().agencies.get("FIA").unwrap().index;
            let line = Report { agency, kind: 0, from: to - 30, to, nil: false };
            Parts { expected: vec![(line, state)], ..parts() }
        };
        assert_eq!(alerts(&of(TODAY - 16, ReportState::Missing)).len(), 1);
        assert!(alerts(&of(TODAY - 15, ReportState::Missing)).is_empty());
        assert!(alerts(&of(TODAY - 16, ReportState::Nothing)).is_empty());
    }
}
