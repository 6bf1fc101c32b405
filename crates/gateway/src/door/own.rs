//! What an agency looks up of its own: who it is to the door, its receipts, what of its messages was set aside and why, day by day, how
//! good its feed is, templates, and rows to be put right.
//!
//! Reading order: the addresses, in this file; `lookups` (what the book says).
//!
//! Every answer is of the agency that the key or certificate names, and of nobody else. It is of `gateway.db` alone: what came by the log.
//!
//! Absent: what a message said. What an agency wants to mend it has itself; the door keeps ids, places and reasons.

mod lookups;

use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use events::EventType;
use events::calendar::format_instant;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::http::{Brought, Work, blocking, enter, json, take_in, timed};
use super::judge::{Judged, Purpose};
use super::problem::{Content, Kind, Mistake, Problem, Refused};
use super::receipt::{Counts, Kept, Status, address, id_text};
use super::{Door, open};
use crate::csv::{Corrections, WrongRow};

/// Most of a list in one answer; fewer are given unless more are asked for.
const MOST: usize = 200;
const FEW: usize = 50;
/// Days that are told one by one.
const DAYS: i64 = 31;
const DAY_MS: i64 = 86_400_000;
/// By how much Asia/Karachi is ahead of UTC.
const KARACHI_MS: i64 = events::calendar::KARACHI_US / 1000;
/// Bytes that a cell of a workbook takes beside its text, while it is made: twice what it is in the sheet.
const OF_A_CELL: usize = 256;
/// A workbook in Office Open XML (ECMA-376).
const WORKBOOK: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Which part of a list is asked for.
#[derive(Debug, Default, Deserialize)]
struct Part {
    /// What is older than this, by the number that the answer before gave.
    before: Option<i64>,
    /// How many at most.
    limit: Option<usize>,
}

impl Part {
    fn of(parts: &Parts) -> Result<(i64, usize), Problem> {
        let Query(part) = Query::<Self>::try_from_uri(&parts.uri).map_err(|_| {
            let hint = "Ask without them for the newest, then follow `next` of each answer.";
            Problem::new(Kind::Malformed, "`before` and `limit` are whole numbers.", hint)
        })?;
        Ok((part.before.unwrap_or(i64::MAX), part.limit.unwrap_or(FEW).clamp(1, MOST)))
    }
}

/// Who the caller is to the door.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Own {
    /// Its code.
    agency: String,
    /// Its name in English.
    en: String,
    /// Its name in Urdu.
    ur: String,
    /// The types of event that it may send, without `pk.tip.`.
    emits: Vec<&'static str>,
    /// Of them, those of which there is a template for a spreadsheet.
    templates: Vec<&'static str>,
    /// The names of its mappings.
    mappings: Vec<String>,
    /// Most events in one request.
    events_in_a_request: usize,
    /// Largest body as it is sent, bytes.
    body_bytes: usize,
}

/// Who the key or certificate names, and what that agency may send.
#[utoipa::path(get, path = "/v1/agency", tag = "own",
    responses((status = 200, description = "The agency", body = Own),
        (status = 401, description = "The agency is not proven", body = Content, content_type = "application/problem+json")),
    security(("key" = []), ("certificate" = [])))]
pub(crate) async fn agency(State(door): State<Door>, request: Request) -> Response {
    timed("/v1/agency", async {
        let (agency, hold) = enter(&door.inner, &request.into_parts().0)?;
        let own = agency.clone();
        let mappings = blocking(&door, hold, move |inner| open(&inner.lookups).mappings(&own)).await?;
        let settings = &door.inner.settings;
        let listed = settings.policy.agencies.get(&agency).ok_or_else(Problem::internal)?;
        let emits: Vec<EventType> =
            EventType::ALL.iter().copied().filter(|kind| settings.policy.agencies.may_emit(&agency, *kind)).collect();
        let has_template = |kind: &EventType| settings.sheets.as_ref().is_some_and(|sheets| sheets.has_template(*kind));
        Ok(json(
            StatusCode::OK,
            &Own {
                en: listed.en.clone(),
                ur: listed.ur.clone(),
                templates: emits.iter().filter(|kind| has_template(kind)).map(|kind| kind.short_name()).collect(),
                emits: emits.iter().map(|kind| kind.short_name()).collect(),
                mappings,
                events_in_a_request: settings.limits.events,
                body_bytes: settings.limits.body_bytes,
                agency,
            },
        ))
    })
    .await
}

/// Receipts of the agency, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Receipts {
    /// They.
    receipts: Vec<Listed>,
    /// Where older ones are.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A receipt in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Listed {
    /// Its id.
    receipt: String,
    /// Its address.
    url: String,
    /// When the log had taken the events, RFC 3339.
    made: String,
    /// Lines that were refused.
    refused: usize,
    /// How far the others are.
    counts: Counts,
}

impl Listed {
    fn of(kept: &Kept, counts: Counts) -> Self {
        Self {
            receipt: id_text(kept.id),
            url: address(kept.id),
            made: format_instant(kept.made_ms.saturating_mul(1000)),
            refused: kept.refused.len(),
            counts,
        }
    }
}

/// What was received, request by request.
#[utoipa::path(get, path = "/v1/receipts", tag = "own",
    params(("before" = Option<i64>, Query, description = "as `next` of an answer has it"), ("limit" = Option<usize>, Query, description = "1 to 200; 50 without it")),
    responses((status = 200, description = "Receipts, the newest first", body = Receipts),
        (status = 401, description = "The agency is not proven", body = Content, content_type = "application/problem+json")),
    security(("key" = []), ("certificate" = [])))]
pub(crate) async fn receipts(State(door): State<Door>, request: Request) -> Response {
    timed("/v1/receipts", async {
        let parts = request.into_parts().0;
        let (agency, hold) = enter(&door.inner, &parts)?;
        let (before, limit) = Part::of(&parts)?;
        let look = move |inner: &super::Inner| open(&inner.lookups).receipts(&agency, before, limit);
        let (receipts, last) = blocking(&door, hold, look).await?;
        let next = last.map(|last| format!("/v1/receipts?before={last}&limit={limit}"));
        Ok(json(StatusCode::OK, &Receipts { receipts, next }))
    })
    .await
}

/// Messages of the agency that were not accepted by the warehouse, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NotAccepted {
    /// They.
    messages: Vec<Aside>,
    /// Where older ones are.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A message that was not accepted.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Aside {
    /// When the door heard of it, RFC 3339.
    told: String,
    /// `set_aside` or `conflict`.
    status: Status,
    /// Why, as one word.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The same as a sentence with place and remedy.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// Where it is in the log.
    stream: String,
    /// Number of the partition.
    partition: i32,
    /// Its offset there.
    offset: i64,
    /// Of what came by this door: its receipt …
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<String>,
    /// … and its line in that request.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

/// What was set aside and why, by whatever way it came.
#[utoipa::path(get, path = "/v1/set-aside", tag = "own",
    params(("before" = Option<i64>, Query, description = "as `next` of an answer has it"), ("limit" = Option<usize>, Query, description = "1 to 200; 50 without it")),
    responses((status = 200, description = "Messages, the newest first", body = NotAccepted),
        (status = 401, description = "The agency is not proven", body = Content, content_type = "application/problem+json"),
        (status = 503, description = "The log has not answered since the start", body = Content, content_type = "application/problem+json")),
    security(("key" = []), ("certificate" = [])))]
pub(crate) async fn set_aside(State(door): State<Door>, request: Request) -> Response {
    timed("/v1/set-aside", async {
        let parts = request.into_parts().0;
        let (agency, hold) = enter(&door.inner, &parts)?;
        let (before, limit) = Part::of(&parts)?;
        let log = log(&door)?;
        let look = move |inner: &super::Inner| open(&inner.lookups).set_aside((&log, &agency), before, limit);
        let found = blocking(&door, hold, look).await?;
        let last = found.last().filter(|_| found.len() == limit).map(|(number, _)| *number);
        let next = last.map(|last| format!("/v1/set-aside?before={last}&limit={limit}"));
        Ok(json(StatusCode::OK, &NotAccepted { messages: found.into_iter().map(|(_, aside)| aside).collect(), next }))
    })
    .await
}

/// What became of messages, day by day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Days {
    /// The last 31 days on which the door heard of messages, the newest first.
    days: Vec<Day>,
}

/// A day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Day {
    /// YYYY-MM-DD (Asia/Karachi).
    date: String,
    /// Messages accepted.
    accepted: u64,
    /// Messages that were there already.
    duplicates: u64,
    /// Messages whose id was there already with other content.
    conflicts: u64,
    /// Messages set aside.
    set_aside: u64,
}

/// What became of the messages of the last 31 days, by whatever way they came.
#[utoipa::path(get, path = "/v1/feed/days", tag = "own",
    responses((status = 200, description = "Days", body = Days),
        (status = 401, description = "The agency is not proven", body = Content, content_type = "application/problem+json"),
        (status = 503, description = "The log has not answered since the start", body = Content, content_type = "application/problem+json")),
    security(("key" = []), ("certificate" = [])))]
pub(crate) async fn days(State(door): State<Door>, request: Request) -> Response {
    timed("/v1/feed/days", async {
        let (agency, hold) = enter(&door.inner, &request.into_parts().0)?;
        let (log, now_ms) = (log(&door)?, door.inner.settings.now_ms());
        let first = (now_ms + KARACHI_MS).div_euclid(DAY_MS) - DAYS + 1;
        let look = move |inner: &super::Inner| open(&inner.lookups).days((&log, &agency), first);
        Ok(json(StatusCode::OK, &Days { days: blocking(&door, hold, look).await? }))
    })
    .await
}

/// How good the feed of the agency is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Feed {
    /// When the door heard of it, RFC 3339.
    told: String,
    /// The report: months, types with their fields, expected reports, contradictions, alerts.
    #[schema(value_type = Object)]
    report: Box<RawValue>,
}

/// Completeness and timeliness of the feed, the calendar of expected reports, and what is beyond a limit.
#[utoipa::path(get, path = "/v1/feed", tag = "own",
    responses((status = 200, description = "The last report", body = Feed),
        (status = 401, description = "The agency is not proven", body = Content, content_type = "application/problem+json"),
        (status = 404, description = "There is no report yet", body = Content, content_type = "application/problem+json")),
    security(("key" = []), ("certificate" = [])))]
pub(crate) async fn feed(State(door): State<Door>, request: Request) -> Response {
    timed("/v1/feed", async {
        let (agency, hold) = enter(&door.inner, &request.into_parts().0)?;
        let found = blocking(&door, hold, move |inner| open(&inner.lookups).feed(&agency)).await?;
        let none = || {
            let hint = "It is made once a day by `amanat up`, or by `amanat feeds --send`.";
            Problem::new(Kind::NotFound, "Nobody has looked at this feed yet.", hint)
        };
        let (told_ms, report) = found.ok_or_else(none)?;
        let report = String::from_utf8(report).ok().and_then(|text| RawValue::from_string(text).ok());
        let told = format_instant(told_ms.saturating_mul(1000));
        Ok(json(StatusCode::OK, &Feed { told, report: report.ok_or_else(Problem::internal)? }))
    })
    .await
}

/// A file of a template for a spreadsheet: `rows.xlsx`, `rows.mapping.toml` or, of a type that names a person, `rows.columns.toml`.
#[utoipa::path(get, path = "/v1/templates/{type}/{file}", tag = "own",
    params(("type" = String, Path, description = "Type of event without `pk.tip.`"), ("file" = String, Path, description = "Name of the file")),
    responses((status = 200, description = "The file", body = Vec<u8>),
        (status = 401, description = "The agency is not proven", body = Content, content_type = "application/problem+json"),
        (status = 404, description = "There is none", body = Content, content_type = "application/problem+json")),
    security(("key" = []), ("certificate" = [])))]
pub(crate) async fn template(
    State(door): State<Door>,
    Path((kind, file)): Path<(String, String)>,
    request: Request,
) -> Response {
    timed("/v1/templates", async {
        let (agency, hold) = enter(&door.inner, &request.into_parts().0)?;
        let policy = &door.inner.settings.policy;
        let kind = EventType::from_name(&format!("pk.tip.{kind}"));
        let kind = kind.filter(|kind| policy.agencies.may_emit(&agency, *kind));
        let make = move |inner: &super::Inner| {
            Ok(inner.settings.sheets.as_ref().zip(kind).and_then(|(sheets, kind)| sheets.template(&agency, kind)))
        };
        let made = blocking(&door, hold, make).await?;
        let found = made.and_then(|made| match file.as_str() {
            "rows.xlsx" => Some((WORKBOOK, made.workbook)),
            "rows.mapping.toml" => Some(("application/toml", made.mapping.into_bytes())),
            "rows.columns.toml" => made.columns.map(|text| ("application/toml", text.into_bytes())),
            _ => None,
        });
        let none = || {
            let hint = "GET /v1/agency lists the types of which there is one.";
            Problem::new(Kind::NotFound, "There is no such template for this agency.", hint)
        };
        let (media, bytes) = found.ok_or_else(none)?;
        Ok(file_of(media, &file, bytes))
    })
    .await
}

/// The rows of a CSV file that would not be accepted, as a workbook to put them right in.
///
/// The same body, mapping and limits as `/v1/events`; nothing is appended and nothing is kept. Save the sheet `rows` as CSV and send it.
#[utoipa::path(post, path = "/v1/corrections", tag = "own",
    params(("mapping" = String, Query, description = "the name of a mapping of this agency")),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, description = "The workbook", body = Vec<u8>),
        (status = 204, description = "Every row would be accepted"),
        (status = 401, description = "The agency is not proven", body = Content, content_type = "application/problem+json"),
        (status = 413, description = "Beyond a limit", body = Content, content_type = "application/problem+json"),
        (status = 415, description = "Not CSV", body = Content, content_type = "application/problem+json"),
        (status = 422, description = "There is no such mapping, or the file does not fit it", body = Content, content_type = "application/problem+json"),
        (status = 429, description = "Too much in hand", body = Content, content_type = "application/problem+json")),
    security(("key" = []), ("certificate" = [])))]
pub(crate) async fn corrections(State(door): State<Door>, request: Request) -> Response {
    timed("/v1/corrections", async {
        let Work::Judged(brought) = take_in(&door, request, Purpose::Correct).await? else {
            return Err(Problem::internal());
        };
        let Brought { judged: Judged { refused, cells, .. }, mapping, mut hold, .. } = *brought;
        let Some((mapping, header)) = mapping else {
            let hint = "Send text/csv; of events in JSON, /v1/validate names every mistake.";
            return Err(Problem::new(Kind::UnsupportedMediaType, "Rows of a CSV file are expected.", hint));
        };
        if refused.is_empty() {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        hold.take(OF_A_CELL * cells.len() * header.len())?;
        let made = blocking(&door, hold, move |inner| {
            let rows = refused.into_iter().zip(cells).map(|(refused, cells)| wrong_row(refused, cells)).collect();
            let corrections = Corrections { mapping: &mapping, header: &header, rows };
            Ok(inner.settings.sheets.as_ref().and_then(|sheets| sheets.corrections(&corrections)))
        });
        Ok(file_of(WORKBOOK, "corrections.xlsx", made.await?.ok_or_else(Problem::internal)?))
    })
    .await
}

fn wrong_row(refused: Refused, cells: Vec<String>) -> WrongRow {
    let mistakes = refused.problem.mistakes.into_iter().map(|Mistake { place, expected }| (place, expected));
    WrongRow { line: refused.line, cells, mistakes: mistakes.collect() }
}

fn file_of(media: &'static str, name: &str, bytes: Vec<u8>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, media.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (StatusCode::OK, headers, Bytes::from(bytes)).into_response()
}

/// The log whose streams the door hears.
fn log(door: &Door) -> Result<String, Problem> {
    let away = || {
        let hint = "Ask again; `amanat status` says what is wrong with the log.";
        Problem::new(Kind::LogAway, "The event log has not answered since the start.", hint).after(5)
    };
    door.inner.log.get().cloned().ok_or_else(away)
}
