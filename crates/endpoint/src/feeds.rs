//! How good each agency's feed is, for the steward: all agencies in one table, and one in full.
//!
//! Guarantees: what is shown is the report that the agency itself hears of its feed, of the same look; it names nobody, and what it says of
//! persons whom several agencies know is blurred as for the agency (`docs/decisions/2026-11-30-what-an-agency-hears-of-its-feed.md`).
//!
//! Absent: measuring, limits, and where the reports come from ([`Feeds`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Door;
use crate::problem::{Kind, Problem};
use crate::queue::{elsewhere, unread};
use crate::request::Segment;
use crate::session::unkept;

/// Knows the last report on each agency's feed. Called on a thread that may wait.
pub trait Feeds: Send + Sync {
    /// Each agency's feed in short, by the agency's code.
    ///
    /// # Errors
    /// One sentence of why they cannot be read.
    fn all(&self) -> Result<Vec<FeedSummary>, String>;

    /// The feed of an agency in full; none where nobody has looked at it yet.
    ///
    /// # Errors
    /// One sentence of why it cannot be read.
    fn one(&self, agency: &str) -> Result<Option<Feed>, String>;
}

/// An agency's feed in short.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeedSummary {
    /// The agency's code.
    #[schema(example = "POL-PB")]
    pub agency: String,
    /// Its name in English.
    pub en: String,
    /// Its name in Urdu.
    pub ur: String,
    /// When it was told (RFC 3339).
    pub told_at: String,
    /// The last day that was looked at, YYYY-MM-DD (Asia/Karachi).
    pub as_of: String,
    /// `ok`: nothing is beyond a limit; `attention`: what comes counts, but says little, comes late or comes twice; `alert`: facts are missing
    /// from the count.
    pub state: &'static str,
    /// What is beyond a limit.
    pub alerts: Vec<FeedAlert>,
    /// Messages of the month of `as_of` and the one before that were accepted.
    pub accepted: u64,
    /// … that had arrived before.
    pub duplicates: u64,
    /// … whose id had arrived before with other content.
    pub conflicts: u64,
    /// … that were set aside.
    pub set_aside: u64,
    /// Versions of its records that were recorded in those months although the version before never came; null where nobody has counted them.
    pub gaps: Option<u64>,
    /// Days from the record to the arrival: the greater median of those two months.
    pub days_to_arrive: Option<u16>,
    /// Days from what happened to its record: the greatest median of a type of event, over the last twelve months.
    pub days_to_record: Option<u16>,
    /// Of a hundred fields of the facts of the last twelve months, how many are known.
    pub known_percent: Option<u64>,
    /// The same of the twelve months before.
    pub known_percent_before: Option<u64>,
    /// Reports that the steward expects of it and that are missing.
    pub reports_missing: usize,
    /// Reports that the steward expects of it.
    pub reports_expected: usize,
    /// The months of the last two years, the oldest first.
    pub trend: Vec<FeedTrend>,
}

/// Something that is beyond a limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeedAlert {
    /// What: `missing_report`, `silent`, `set_aside`, `conflicts`, `duplicates`, `incomplete`, `falling`, `recorded_late`, `arrives_late`,
    /// `gaps`.
    pub what: &'static str,
    /// Of what: a type of event and field, or a kind of report and its period; empty of the whole feed.
    pub of: String,
    /// What was found: percent or days; of a missing report the days since its period ended.
    pub found: u64,
    /// The limit that it is beyond.
    pub limit: u64,
    /// How a feed stands that has such an alert: `attention` or `alert`.
    pub state: &'static str,
}

/// A month of a trend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeedTrend {
    /// YYYY-MM.
    pub month: String,
    /// Messages that arrived in it, whatever became of them.
    pub arrived: u64,
    /// Facts that the agency recorded in it, whenever they arrived.
    pub facts: u64,
}

/// An agency's feed in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Feed {
    /// In short.
    pub summary: FeedSummary,
    /// The months of the last two years, the oldest first.
    pub months: Vec<FeedMonth>,
    /// The types of event of which facts came in the last two years.
    pub types: Vec<FeedType>,
    /// The reports that are expected, the latest first.
    pub reports: Vec<FeedExpected>,
    /// How often it and other agencies say different things of the same persons, in steps; empty where too few are known to several.
    pub contradictions: Vec<FeedContradiction>,
}

/// A month of a feed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeedMonth {
    /// YYYY-MM.
    pub month: String,
    /// Messages that arrived in it and were accepted.
    pub accepted: u64,
    /// … that had arrived before.
    pub duplicates: u64,
    /// … whose id had arrived before with other content.
    pub conflicts: u64,
    /// … that were set aside, by reason.
    pub set_aside: BTreeMap<String, u64>,
    /// Days from the record to the arrival, median.
    pub days_to_arrive: Option<u16>,
    /// Facts that were recorded in it.
    pub facts: u64,
    /// Days from what happened to its record, median.
    pub days_to_record: Option<u16>,
    /// Versions of its records that were recorded in it; null where nobody has counted them.
    pub versions: Option<FeedVersions>,
}

/// Versions of records: events by the counter that their agency keeps of each record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeedVersions {
    /// That came.
    pub came: u64,
    /// Of those, how many came although the version before never did.
    pub gaps: u64,
}

/// A type of event of a feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeedType {
    /// Its name.
    #[schema(example = "pk.tip.victim.identified")]
    pub event_type: String,
    /// Over the last twelve months.
    pub now: FeedCompleteness,
    /// Over the twelve before.
    pub before: FeedCompleteness,
}

/// How complete facts of a type are, and how soon they were recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeedCompleteness {
    /// Facts that count, corrected as they stand.
    pub facts: u64,
    /// Of how many a field is known, by field.
    pub known: BTreeMap<String, u64>,
    /// Days from what happened to its record, median.
    pub days_to_record: Option<u16>,
}

/// A report that is expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeedExpected {
    /// What is reported (list `report_kind`).
    pub kind: String,
    /// First day of the period, YYYY-MM-DD.
    pub from: String,
    /// Last day of the period.
    pub to: String,
    /// How far it is: `ahead`, `received`, `nothing` (the agency said that there was nothing to report), `missing`.
    pub state: &'static str,
}

/// How often what is said of persons whom several agencies know contradicts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeedContradiction {
    /// The field.
    pub field: String,
    /// Of a hundred of those persons, at least about so many …
    pub percent_from: u8,
    /// … and at most about so many.
    pub percent_to: u8,
}

/// Every agency's feed.
#[derive(Serialize, ToSchema)]
#[schema(as = Feeds)]
pub(crate) struct Listed {
    /// Feeds that stand at `alert`.
    alerts: usize,
    /// Each in short, by the agency's code.
    feeds: Vec<FeedSummary>,
}

/// How good each agency's feed is: what arrived, how complete and how soon it is, what is missing, what is beyond a limit.
#[utoipa::path(get, path = "/v1/feeds", operation_id = "agency_feeds", tag = "steward",
    responses((status = 200, description = "Each feed in short", body = Listed)))]
pub(crate) async fn all(State(door): State<Arc<Door>>) -> Result<Response, Problem> {
    let feeds = elsewhere(door.settings.feeds.clone(), UNKNOWN, Feeds::all).await?.map_err(unread)?;
    let alerts = feeds.iter().filter(|feed| feed.state == "alert").count();
    Ok(unkept(StatusCode::OK, Listed { alerts, feeds }))
}

/// The feed of one agency in full, as the agency hears of it.
#[utoipa::path(get, path = "/v1/feeds/{agency}", operation_id = "agency_feed", tag = "steward",
    params(("agency" = String, Path, description = "Code of the agency", example = "POL-PB")),
    responses((status = 200, description = "The feed", body = Feed)))]
pub(crate) async fn one(State(door): State<Arc<Door>>, Segment(agency): Segment) -> Result<Response, Problem> {
    let feed = elsewhere(door.settings.feeds.clone(), UNKNOWN, move |feeds| feeds.one(&agency)).await?;
    let feed = feed.map_err(unread)?.ok_or_else(|| {
        let hint = "GET /v1/feeds lists those on which there is a report; each feed is looked at once a day.";
        Problem::new(Kind::NotFound, "There is no report on the feed of such an agency.", hint)
    })?;
    Ok(unkept(StatusCode::OK, feed))
}

/// Said where no reports can be read.
const UNKNOWN: &str = "How good feeds are is not known here.";
