//! A report on a feed as the steward's page has it.
//!
//! Absent: numbers that are not in the report.

use chrono::{DateTime, SecondsFormat, Utc};
use endpoint::{
    Feed, FeedAlert, FeedCompleteness, FeedContradiction, FeedExpected, FeedMonth, FeedSummary, FeedTrend, FeedType,
    FeedVersions,
};
use events::feed::{self, FeedReport};
use policy::Policy;

use super::heard::Told;

/// In short.
pub(super) fn summary(policy: &Policy, told: &Told) -> FeedSummary {
    let report = &told.report;
    let agency = policy.agencies.get(&report.agency);
    let name = |of: fn(&policy::Agency) -> &String| agency.map_or(&report.agency, of).clone();
    let recent = |of: fn(&feed::FeedMonth) -> u64| report.recent().map(of).sum();
    FeedSummary {
        agency: report.agency.clone(),
        en: name(|agency| &agency.en),
        ur: name(|agency| &agency.ur),
        told_at: DateTime::<Utc>::from_timestamp_millis(told.at_ms)
            .unwrap_or_default()
            .to_rfc3339_opts(SecondsFormat::Secs, true),
        as_of: report.as_of.clone(),
        state: report.state().name(),
        alerts: report.alerts.iter().map(alert).collect(),
        accepted: recent(|month| month.accepted),
        duplicates: recent(|month| month.duplicates),
        conflicts: recent(|month| month.conflicts),
        set_aside: recent(feed::FeedMonth::set_aside),
        gaps: report.recent_versions().map(|versions| versions.gaps),
        days_to_arrive: report.recent().filter_map(|month| month.days_to_arrive).max(),
        days_to_record: days_to_record(report),
        known_percent: report.known_percent(),
        known_percent_before: report.known_percent_before(),
        reports_missing: report.missing(),
        reports_expected: report.reports.len(),
        trend: report.months.iter().map(trend).collect(),
    }
}

/// In full.
pub(super) fn feed(policy: &Policy, told: &Told) -> Feed {
    let report = &told.report;
    Feed {
        summary: summary(policy, told),
        months: report.months.iter().map(month).collect(),
        types: report.types.iter().map(of_type).collect(),
        reports: report.reports.iter().map(expected).collect(),
        contradictions: report.contradictions.iter().map(contradiction).collect(),
    }
}

/// Of the type of event of which most facts came: few facts of another say little of a feed.
fn days_to_record(report: &FeedReport) -> Option<u16> {
    report.types.iter().max_by_key(|of| of.now.facts).and_then(|of| of.now.days_to_record)
}

fn alert(alert: &feed::Alert) -> FeedAlert {
    let feed::Alert { what, of, found, limit } = alert;
    FeedAlert { what: what.name(), of: of.clone(), found: *found, limit: *limit, state: what.state().name() }
}

fn trend(month: &feed::FeedMonth) -> FeedTrend {
    FeedTrend { month: month.month.clone(), arrived: month.arrived(), facts: month.facts }
}

fn month(month: &feed::FeedMonth) -> FeedMonth {
    FeedMonth {
        month: month.month.clone(),
        accepted: month.accepted,
        duplicates: month.duplicates,
        conflicts: month.conflicts,
        set_aside: month.set_aside.clone(),
        days_to_arrive: month.days_to_arrive,
        facts: month.facts,
        days_to_record: month.days_to_record,
        versions: month.versions.map(|of| FeedVersions { came: of.came, gaps: of.gaps }),
    }
}

fn of_type(of: &feed::FeedType) -> FeedType {
    FeedType { event_type: of.event_type.clone(), now: completeness(&of.now), before: completeness(&of.before) }
}

fn completeness(of: &feed::Completeness) -> FeedCompleteness {
    FeedCompleteness { facts: of.facts, known: of.known.clone(), days_to_record: of.days_to_record }
}

fn expected(report: &feed::ExpectedReport) -> FeedExpected {
    let feed::ExpectedReport { kind, from, to, state } = report;
    FeedExpected { kind: kind.clone(), from: from.clone(), to: to.clone(), state: state.name() }
}

fn contradiction(of: &feed::Contradiction) -> FeedContradiction {
    let feed::Contradiction { field, percent_from, percent_to } = of;
    FeedContradiction { field: field.clone(), percent_from: *percent_from, percent_to: *percent_to }
}
