//! What an agency is told of its feed: how much of it arrived and how, how complete and how soon its facts are, and which reports are
//! missing. A message on the stream of feeds is one agency's whole report, so the last one stands for all before it.
//!
//! Everything in it is about what the agency itself has sent, but for [`Contradiction`], which is rounded so far that no person can be
//! found by it (`docs/decisions/2026-11-30-what-an-agency-hears-of-its-feed.md`).
//!
//! Absent: persons, records, and what other agencies sent.

mod standing;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use standing::FeedState;

/// The report of one agency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedReport {
    /// Its code.
    pub agency: String,
    /// The last day that was looked at, YYYY-MM-DD (Asia/Karachi).
    pub as_of: String,
    /// The months of the last two years in which something arrived or was recorded, the oldest first.
    pub months: Vec<FeedMonth>,
    /// The types of event of which it sent facts in the last two years.
    pub types: Vec<FeedType>,
    /// The reports that the steward expects of it, the latest first.
    pub reports: Vec<ExpectedReport>,
    /// How often it and other agencies say different things of the same persons; empty where too few are known to several.
    pub contradictions: Vec<Contradiction>,
    /// What is beyond a limit.
    pub alerts: Vec<Alert>,
}

/// A month.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedMonth {
    /// YYYY-MM.
    pub month: String,
    /// Messages that arrived in it and were accepted.
    pub accepted: u64,
    /// … that had arrived before.
    pub duplicates: u64,
    /// … whose id had arrived before with other content.
    pub conflicts: u64,
    /// … that were set aside, by reason (`_error_class`).
    pub set_aside: BTreeMap<String, u64>,
    /// Days from the record to the arrival, the median of those accepted.
    pub days_to_arrive: Option<u16>,
    /// Facts that it recorded in this month, whenever they arrived.
    pub facts: u64,
    /// Days from what happened to its record, the median of those known to the day.
    pub days_to_record: Option<u16>,
    /// Versions of its records that it recorded in this month; none in reports of before they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<Versions>,
}

/// Versions of records: events by the counter that their agency keeps of each record (`record_version`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// That came.
    pub came: u64,
    /// Of those, how many came although the version before never did.
    pub gaps: u64,
}

impl FeedMonth {
    /// Messages that were set aside, for whatever reason.
    pub fn set_aside(&self) -> u64 {
        self.set_aside.values().sum()
    }

    /// Messages that arrived.
    pub fn arrived(&self) -> u64 {
        self.accepted + self.duplicates + self.conflicts + self.set_aside()
    }
}

/// A type of event, over the last twelve months and the twelve before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedType {
    /// Its name.
    pub event_type: String,
    /// Over the last twelve months.
    pub now: Completeness,
    /// Over the twelve before.
    pub before: Completeness,
}

/// How complete facts of a type are, and how soon they were recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completeness {
    /// Facts that count, corrected as they stand.
    pub facts: u64,
    /// Of how many a field is known, by field.
    pub known: BTreeMap<String, u64>,
    /// Days from what happened to its record, the median of those known to the day.
    pub days_to_record: Option<u16>,
}

impl Completeness {
    /// The percentage of facts of which a field is known; none where there are no facts.
    pub fn known_percent(&self, field: &str) -> Option<u64> {
        (self.facts > 0).then(|| self.known.get(field).copied().unwrap_or(0) * 100 / self.facts)
    }
}

/// A report that the steward expects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedReport {
    /// What is reported (list `report_kind`).
    pub kind: String,
    /// First day of the period, YYYY-MM-DD.
    pub from: String,
    /// Last day of the period.
    pub to: String,
    /// How far it is.
    pub state: ReportState,
}

/// How far an expected report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportState {
    /// The period has not ended.
    Ahead,
    /// A fact of the period is here.
    Received,
    /// The agency said that there was nothing to report.
    Nothing,
    /// The period has ended, and neither is here.
    Missing,
}

impl ReportState {
    /// Its name, as it is sent.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ahead => "ahead",
            Self::Received => "received",
            Self::Nothing => "nothing",
            Self::Missing => "missing",
        }
    }
}

/// How often what is said of persons whom several agencies know contradicts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contradiction {
    /// The field.
    pub field: String,
    /// Of a hundred of those persons, at least about so many …
    pub percent_from: u8,
    /// … and at most about so many.
    pub percent_to: u8,
}

/// Something that is beyond a limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// What.
    pub what: AlertKind,
    /// Of what: a type and field (`victim.identified means`), a kind of report and its period; empty of the whole feed.
    pub of: String,
    /// What was found: percent or days; of a missing report the days since its period ended.
    pub found: u64,
    /// The limit that it is beyond.
    pub limit: u64,
}

/// What can be beyond a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// An expected report is missing.
    MissingReport,
    /// Nothing has arrived for longer than is usual for this feed.
    Silent,
    /// Too much of what arrived was set aside.
    SetAside,
    /// Too much of what arrived was there already with other content.
    Conflicts,
    /// Too much of what arrived was there already.
    Duplicates,
    /// A field is known of too few facts.
    Incomplete,
    /// A field is known of clearly fewer facts than a year ago.
    Falling,
    /// Facts are recorded too long after they happened.
    RecordedLate,
    /// Facts arrive too long after they were recorded.
    ArrivesLate,
    /// Of too many versions of records the one before never came.
    Gaps,
}

impl AlertKind {
    /// Its name, as it is sent.
    pub fn name(self) -> &'static str {
        match self {
            Self::MissingReport => "missing_report",
            Self::Silent => "silent",
            Self::SetAside => "set_aside",
            Self::Conflicts => "conflicts",
            Self::Duplicates => "duplicates",
            Self::Incomplete => "incomplete",
            Self::Falling => "falling",
            Self::RecordedLate => "recorded_late",
            Self::ArrivesLate => "arrives_late",
            Self::Gaps => "gaps",
        }
    }
}

impl FeedReport {
    /// As it is sent: one JSON object.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings and numbers always have a form in JSON")
    }

    /// Reads what was sent; `None` where it has a form that this program does not know. Further fields are ignored.
    pub fn decode(message: &[u8]) -> Option<Self> {
        serde_json::from_slice(message).ok()
    }
}

impl Alert {
    /// The alert as a sentence with its remedy.
    pub fn sentence(&self) -> String {
        let Self { of, found, limit, .. } = self;
        match self.what {
            AlertKind::MissingReport => {
                format!(
                    "{of}: nothing has come, {found} day(s) after the period ended. Send what there is, or `report.nil`."
                )
            }
            AlertKind::Silent => {
                format!("nothing has arrived for {found} day(s), longer than {limit}. Look whether the sender runs.")
            }
            AlertKind::SetAside => format!(
                "{found} % of what arrived in this month and the last was set aside, more than {limit} %. Mend the lines and send them again."
            ),
            AlertKind::Conflicts => format!(
                "{found} % had an id that was used before for other content, more than {limit} %. Give each event an id of its own; say changes by record.corrected."
            ),
            AlertKind::Duplicates => format!(
                "{found} % had arrived before, more than {limit} %. It counts once; look why the sender repeats itself."
            ),
            AlertKind::Incomplete => format!("{of} is known of {found} % of facts, less than {limit} %."),
            AlertKind::Falling => {
                format!("{of} is known of {found} points fewer facts of a hundred than a year ago, more than {limit}.")
            }
            AlertKind::RecordedLate => {
                format!("{of} is recorded {found} day(s) after it happened (median), later than {limit}.")
            }
            AlertKind::ArrivesLate => {
                format!("what was recorded arrives {found} day(s) later (median), later than {limit}.")
            }
            AlertKind::Gaps => format!(
                "before {found} % of what was recorded in this month and the last, the version of its record that goes before never came, more than {limit} %. Look which events of those records were not sent or were set aside, and send them."
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn report() -> FeedReport {
        FeedReport {
            agency: "FIA".into(),
            as_of: "2026-11-30".into(),
            months: vec![FeedMonth {
                month: "2026-11".into(),
                accepted: 90,
                duplicates: 4,
                conflicts: 1,
                set_aside: BTreeMap::from([("parse".into(), 2), ("schema".into(), 3)]),
                ..FeedMonth::default()
            }],
            types: Vec::new(),
            reports: Vec::new(),
            contradictions: Vec::new(),
            alerts: Vec::new(),
        }
    }

    #[test]
    fn a_report_is_read_as_it_was_sent_and_by_a_reader_of_before() {
        let sent = report();
        assert_eq!(FeedReport::decode(&sent.encode()), Some(sent.clone()));
        let mut later: serde_json::Value = serde_json::from_slice(&sent.encode()).unwrap();
        later["more"] = 1.into();
        assert_eq!(FeedReport::decode(later.to_string().as_bytes()), Some(sent));
        assert_eq!(FeedReport::decode(b"{}"), None);
    }

    #[test]
    fn a_report_of_before_versions_were_counted_is_read_without_them() {
        let mut counted = report();
        counted.months[0].versions = Some(Versions { came: 90, gaps: 2 });
        assert_eq!(FeedReport::decode(&counted.encode()), Some(counted.clone()));
        let mut before: serde_json::Value = serde_json::from_slice(&counted.encode()).unwrap();
        before["months"][0].as_object_mut().unwrap().remove("versions");
        assert_eq!(FeedReport::decode(before.to_string().as_bytes()), Some(report()));
    }

    #[test]
    fn what_is_said_of_a_feed_is_called_as_it_is_sent() {
        for name in
            ["missing_report", "silent", "set_aside", "conflicts", "duplicates", "incomplete", "arrives_late", "gaps"]
        {
            let kind: AlertKind = serde_json::from_value(name.into()).unwrap();
            assert_eq!(kind.name(), name);
        }
        for name in ["ahead", "received", "nothing", "missing"] {
            let state: ReportState = serde_json::from_value(name.into()).unwrap();
            assert_eq!(state.name(), name);
        }
    }

    #[test]
    fn everything_that_arrived_is_one_of_four() {
        let month = &report().months[0];
        assert_eq!((month.set_aside(), month.arrived()), (5, 100));
    }

    #[test]
    fn of_no_facts_nothing_is_known_to_be_complete() {
        assert_eq!(Completeness::default().known_percent("sex"), None);
        let some = Completeness { facts: 3, known: BTreeMap::from([("sex".into(), 2)]), days_to_record: None };
        assert_eq!((some.known_percent("sex"), some.known_percent("means")), (Some(66), Some(0)));
    }
}
