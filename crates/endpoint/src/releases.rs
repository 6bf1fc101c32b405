//! What was published and what will be: the calendar of releases (JSON, iCalendar) and the feed of editions (Atom).
//!
//! Both formats are written here: a few lines each, the same bytes each time; other people's readers read them in
//! `tests/standards`.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{DateTime, NaiveDate, Utc};
use query::EditionMeta;
use serde::Serialize;
use utoipa::ToSchema;

use crate::bodies::{Freshness, Shared, Whole};
use crate::citation::{Citation, address};
use crate::indicators::Text;
use crate::negotiate::{self, Format};
use crate::problem::Problem;
use crate::reference::Edition;
use crate::request::Pairs;
use crate::{Door, Settings};

/// A release that is planned: the operator's word, shown as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The day.
    pub date: NaiveDate,
    /// What will be published.
    pub title: query::Text,
    /// What else is to be said, in any language.
    pub note: Option<String>,
}

/// The calendar of releases.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Calendar {
    /// What was published, oldest first.
    editions: Vec<Edition>,
    /// What is planned, soonest first; empty where the operator has planned nothing.
    releases: Vec<Planned>,
}

/// A planned release.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Planned {
    /// The day, `YYYY-MM-DD`.
    date: String,
    title: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// The name of an edition that no other one has, in this store or another.
pub(crate) fn urn(edition: &EditionMeta) -> String {
    let said = serde_json::to_vec(edition).unwrap_or_default();
    format!("urn:amanat:edition:{}:{}", edition.edition, &blake3::hash(&said).to_hex()[..16])
}

/// What was published when, and what is planned.
#[utoipa::path(get, path = "/v1/calendar", tag = "editions",
    params(("format" = Option<String>, Query, description = "json or ics; goes before Accept")),
    responses(
        (status = 200, description = "The calendar", content((Calendar = "application/json"), (String = "text/calendar"))),
        (status = 304, description = "Nothing new")))]
pub(crate) async fn calendar(
    State(door): State<Arc<Door>>,
    mut pairs: Pairs,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let named = pairs.take("format");
    pairs.none_left(&["format"])?;
    let format = negotiate::format(&asked, named.as_deref(), &[Format::Json, Format::ICalendar])?;
    let current = door.reader.current();
    let shared =
        Shared::of(current.latest(), "/v1/calendar", format, Freshness::Minute).defined(door.settings.defined_at);
    let own = Arc::clone(&door);
    let make = move || {
        let mut releases = own.settings.calendar.clone();
        releases.sort_by_key(|release| release.date);
        if format == Format::ICalendar {
            return Ok(Whole::from(icalendar(&own.settings, current.editions(), &releases).into_bytes()));
        }
        let planned = |r: Release| Planned { date: r.date.to_string(), title: (&r.title).into(), note: r.note };
        Whole::json(&Calendar {
            editions: current.editions().map(Edition::from).collect(),
            releases: releases.into_iter().map(planned).collect(),
        })
    };
    door.bodies.answer(&asked, shared, make).await
}

/// Editions as a feed.
#[utoipa::path(get, path = "/v1/feed.atom", tag = "editions",
    responses((status = 200, description = "Atom (RFC 4287)", body = String, content_type = "application/atom+xml"),
        (status = 304, description = "Nothing new")))]
pub(crate) async fn feed(State(door): State<Arc<Door>>, asked: HeaderMap) -> Result<Response, Problem> {
    let current = door.reader.current();
    let shared = Shared::of(current.latest(), "/v1/feed.atom", Format::Atom, Freshness::Minute);
    let own = Arc::clone(&door);
    let make = move || {
        let editions: Vec<EditionMeta> = current.editions().rev().cloned().collect();
        Ok(Whole::from(atom(&own.settings, &editions).into_bytes()))
    };
    door.bodies.answer(&asked, shared, make).await
}

/// RFC 4287, newest first.
fn atom(settings: &Settings, editions: &[EditionMeta]) -> String {
    let updated = editions.first().map_or("1970-01-01T00:00:00Z", |e| e.published_at.as_str());
    let mut out =
        String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n");
    let mut tag = |line: String| {
        out.push_str(&line);
        out.push('\n');
    };
    tag("<id>urn:amanat:editions</id>".to_owned());
    tag("<title>Amanat: editions of the national indicators on trafficking in persons</title>".to_owned());
    tag(format!("<updated>{}</updated>", xml(updated)));
    tag("<author><name>Amanat</name></author>".to_owned());
    tag(format!("<rights>{}</rights>", xml(&settings.licence)));
    let own = address(settings, "/v1/feed.atom");
    tag(format!("<link rel=\"self\" type=\"application/atom+xml\" href=\"{}\"/>", xml(&own)));
    for edition in editions {
        let number = edition.edition;
        let citation = Citation::of_edition(settings, edition);
        let archive = address(settings, &format!("/v1/editions/{number}/archive.zip"));
        tag("<entry>".to_owned());
        tag(format!("<id>{}</id>", xml(&urn(edition))));
        tag(format!("<title>Edition {number}, data as of {}</title>", xml(&edition.as_of)));
        tag(format!("<updated>{0}</updated>\n<published>{0}</published>", xml(&edition.published_at)));
        tag(format!("<link rel=\"alternate\" type=\"application/json\" href=\"{}\"/>", xml(&citation.href)));
        tag(format!("<link rel=\"enclosure\" type=\"application/zip\" href=\"{}\"/>", xml(&archive)));
        tag(format!("<summary>{}</summary>\n</entry>", xml(&citation.text)));
    }
    tag("</feed>".to_owned());
    out
}

/// A text of XML, in an element or between quotation marks.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML 1.0 has no other control characters, not even as references.
            '\t' | '\n' | '\r' => out.push(letter),
            other if other.is_control() => {}
            other => out.push(other),
        }
    }
    out
}

/// RFC 5545: an event of a whole day for each release.
fn icalendar<'a>(settings: &Settings, editions: impl Iterator<Item = &'a EditionMeta>, releases: &[Release]) -> String {
    let mut out = String::new();
    for line in ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Amanat//Releases//EN", "METHOD:PUBLISH"] {
        folded(&mut out, line);
    }
    let event = |out: &mut String, uid: &str, stamp: DateTime<Utc>, day: NaiveDate, lines: &[String]| {
        folded(out, "BEGIN:VEVENT");
        folded(out, &format!("UID:{uid}"));
        folded(out, &format!("DTSTAMP:{}", stamp.format("%Y%m%dT%H%M%SZ")));
        folded(out, &format!("DTSTART;VALUE=DATE:{}", day.format("%Y%m%d")));
        folded(out, "TRANSP:TRANSPARENT");
        for line in lines {
            folded(out, line);
        }
        folded(out, "END:VEVENT");
    };
    for edition in editions {
        // What has no date is in the JSON and in the feed.
        let Ok(at) = DateTime::parse_from_rfc3339(&edition.published_at) else { continue };
        let at = at.to_utc();
        let citation = Citation::of_edition(settings, edition);
        let lines = [
            format!("SUMMARY:Amanat\\, edition {}", edition.edition),
            format!("DESCRIPTION:{}", escaped(&citation.text)),
            format!("URL:{}", citation.href),
        ];
        event(&mut out, &urn(edition), at, at.date_naive(), &lines);
    }
    for release in releases {
        // A planned release has no moment at which it was said; its own day is the same for every copy.
        let stamp = release.date.and_time(chrono::NaiveTime::MIN).and_utc();
        let said = format!("{} {}", release.date, release.title.en);
        let uid = format!("urn:amanat:release:{}:{}", release.date, &blake3::hash(said.as_bytes()).to_hex()[..16]);
        let mut text = release.title.ur.clone();
        if let Some(note) = &release.note {
            let _ = write!(text, "\n{note}");
        }
        let lines = [
            format!("SUMMARY:{}", escaped(&release.title.en)),
            format!("DESCRIPTION:{}", escaped(&text)),
            "STATUS:TENTATIVE".to_owned(),
        ];
        event(&mut out, &uid, stamp, release.date, &lines);
    }
    folded(&mut out, "END:VCALENDAR");
    out
}

/// A text of iCalendar (RFC 5545, 3.3.11).
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,");
    text.replace("\r\n", "\n").replace(['\n', '\r'], "\\n").chars().filter(|c| !c.is_control()).collect()
}

/// A line of at most 75 bytes, and what is left of it on lines that begin with a space (RFC 5545, 3.1).
fn folded(out: &mut String, line: &str) {
    let mut room = 75;
    for letter in line.chars() {
        if letter.len_utf8() > room {
            out.push_str("\r\n ");
            room = 74;
        }
        room -= letter.len_utf8();
        out.push(letter);
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_folded_between_letters() {
        let mut out = String::new();
        folded(&mut out, &"ش".repeat(100));
        assert!(out.ends_with("\r\n"));
        assert!(out.lines().all(|line| line.len() <= 75), "{out}");
        assert_eq!(out.replace("\r\n ", "").trim_end(), "ش".repeat(100));
    }

    #[test]
    fn texts_are_no_markup() {
        assert_eq!(xml("a<b>&\"c\u{0}"), "a&lt;b&gt;&amp;&quot;c");
        assert_eq!(escaped("a,b;c\\d\r\ne\u{7}"), "a\\,b\\;c\\\\d\\ne");
    }
}
