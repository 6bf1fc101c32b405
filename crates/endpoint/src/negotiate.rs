//! What the client takes and what it has: `Accept`, `Accept-Encoding`, `If-None-Match`, `If-Modified-Since` (RFC 9110).

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use chrono::{DateTime, NaiveDateTime, Utc};

use crate::problem::{Kind, Problem};

/// A form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Csv,
    Arrow,
    Parquet,
    /// JSON-stat 2.0, which has no media type of its own: it is chosen by name.
    JsonStat,
    /// SDMX-JSON 2.0 data message.
    SdmxJson,
    /// SDMX-CSV 2.0.
    SdmxCsv,
    /// SDMX-CSV 1.0, which older tools read, too.
    SdmxCsv1,
    /// SDMX-JSON 2.0 structure message.
    SdmxStructure,
    JsonLd,
    Atom,
    ICalendar,
    Zip,
    /// A workbook, Office Open XML.
    Xlsx,
    Markdown,
    Html,
}

impl Format {
    /// What `format=` calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Csv => "csv",
            Format::Arrow => "arrow",
            Format::Parquet => "parquet",
            Format::JsonStat => "jsonstat",
            Format::SdmxJson => "sdmx-json",
            Format::SdmxCsv => "sdmx-csv",
            Format::SdmxCsv1 => "sdmx-csv-1.0",
            Format::SdmxStructure => "sdmx-structure",
            Format::JsonLd => "jsonld",
            Format::Atom => "atom",
            Format::ICalendar => "ics",
            Format::Zip => "zip",
            Format::Xlsx => "xlsx",
            Format::Markdown => "markdown",
            Format::Html => "html",
        }
    }

    /// Its media type as it is accepted; the version, where it has one, is apart.
    fn essence(self) -> &'static str {
        match self {
            Format::Json | Format::JsonStat => "application/json",
            Format::Csv => "text/csv",
            Format::Arrow => "application/vnd.apache.arrow.stream",
            Format::Parquet => "application/vnd.apache.parquet",
            Format::SdmxJson => "application/vnd.sdmx.data+json",
            Format::SdmxCsv | Format::SdmxCsv1 => "application/vnd.sdmx.data+csv",
            Format::SdmxStructure => "application/vnd.sdmx.structure+json",
            Format::JsonLd => "application/ld+json",
            Format::Atom => "application/atom+xml",
            Format::ICalendar => "text/calendar",
            Format::Zip => "application/zip",
            Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Format::Markdown => "text/markdown",
            Format::Html => "text/html",
        }
    }

    /// A media type that means it, too, where nothing nearer is offered: what a program asks for that knows no SDMX.
    fn alias(self) -> Option<&'static str> {
        match self {
            Format::SdmxJson | Format::SdmxStructure | Format::JsonLd => Some("application/json"),
            Format::SdmxCsv => Some("text/csv"),
            _ => None,
        }
    }

    /// The version that its media type names.
    fn version(self) -> Option<&'static str> {
        match self {
            Format::SdmxJson | Format::SdmxCsv | Format::SdmxStructure => Some("2.0.0"),
            Format::SdmxCsv1 => Some("1.0.0"),
            _ => None,
        }
    }

    /// Its media type as it is sent.
    pub(crate) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Format::Csv => "text/csv; charset=utf-8; header=present",
            Format::SdmxJson => "application/vnd.sdmx.data+json; version=2.0.0",
            Format::SdmxCsv => "application/vnd.sdmx.data+csv; version=2.0.0; charset=utf-8",
            Format::SdmxCsv1 => "application/vnd.sdmx.data+csv; version=1.0.0; charset=utf-8",
            Format::SdmxStructure => "application/vnd.sdmx.structure+json; version=2.0.0",
            Format::Atom => "application/atom+xml; charset=utf-8",
            Format::ICalendar => "text/calendar; charset=utf-8",
            Format::Markdown => "text/markdown; charset=utf-8",
            Format::Html => "text/html; charset=utf-8",
            other => other.essence(),
        })
    }

    /// Whether a media range means it: by its parameters, too. Those of SDMX-CSV that ask for another form than the plain
    /// one (`labels=both`) mean none of ours.
    fn is_meant_by(self, range: &Range) -> bool {
        range.parameters.iter().all(|(name, value)| match name.as_str() {
            "version" => self.version().is_none_or(|version| version == value),
            "labels" => value == "id",
            "timeformat" => value == "original",
            "key" | "keys" => value == "none",
            _ => true,
        })
    }
}

/// The format by name or, without one, by `Accept`; of equals the first offered.
pub(crate) fn format(headers: &HeaderMap, named: Option<&str>, offered: &[Format]) -> Result<Format, Problem> {
    let names = |of: fn(Format) -> &'static str| offered.iter().map(|f| of(*f)).collect::<Vec<_>>().join(", ");
    if let Some(named) = named {
        let found = offered.iter().find(|f| f.name().eq_ignore_ascii_case(named)).copied();
        return found.ok_or_else(|| {
            let hint = format!("A format is one of {}.", names(Format::name));
            Problem::new(Kind::MalformedParameter, "format names no format of this address.", hint)
        });
    }
    let accepted = listed(headers, &header::ACCEPT);
    if accepted.is_empty() {
        return offered.first().copied().ok_or_else(Problem::internal);
    }
    let mut best: Option<(u16, Format)> = None;
    // What has no media type of its own is never meant by one.
    for format in offered.iter().filter(|f| **f != Format::JsonStat) {
        let quality = quality_of_type(&accepted, *format);
        if quality > best.map_or(0, |(q, _)| q) {
            best = Some((quality, *format));
        }
    }
    best.map(|(_, format)| format).ok_or_else(|| {
        let shown = |f: &Format| match f.version() {
            Some(version) => format!("{};version={version}", f.essence()),
            None => f.essence().to_owned(),
        };
        let types: Vec<String> = offered.iter().filter(|f| **f != Format::JsonStat).map(shown).collect();
        let hint = format!("Accept one of {}.", types.join(", "));
        Problem::new(Kind::NotAcceptable, "The request accepts no format of this address.", hint)
    })
}

/// True where the client names HTML and likes it no less than JSON: a browser. `*/*` alone, as programs send it, is no wish for
/// a page.
pub(crate) fn prefers_html(headers: &HeaderMap) -> bool {
    let accepted = listed(headers, &header::ACCEPT);
    let html = accepted.iter().filter(|range| range.value == "text/html").map(|range| range.quality).max().unwrap_or(0);
    html > 0 && html >= quality_of_type(&accepted, Format::Json)
}

/// The quality that the most specific range gives to a media type; 0 when none does.
fn quality_of_type(accepted: &[Range], format: Format) -> u16 {
    let essence = format.essence();
    let (kind, _) = essence.split_once('/').unwrap_or((essence, ""));
    let specific = |range: &Range| match range.value.as_str() {
        "*/*" | "*" => Some((0, 0)),
        r if r.strip_suffix("/*") == Some(kind) => Some((1, 0)),
        r if (r == essence || Some(r) == format.alias()) && format.is_meant_by(range) => {
            Some((2, range.parameters.len()))
        }
        _ => None,
    };
    accepted.iter().filter_map(|range| Some((specific(range)?, range.quality))).max().map_or(0, |(_, q)| q)
}

/// A content coding, in the order of preference: zstd costs least to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Zstd = 0,
    Brotli = 1,
    Gzip = 2,
}

impl Coding {
    pub(crate) const ALL: [Coding; 3] = [Coding::Zstd, Coding::Brotli, Coding::Gzip];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Coding::Zstd => "zstd",
            Coding::Brotli => "br",
            Coding::Gzip => "gzip",
        }
    }
}

/// The coding that the client likes best; None for the identity, which is also what remains when nothing is acceptable.
pub(crate) fn coding(headers: &HeaderMap) -> Option<Coding> {
    coding_among(headers, &Coding::ALL)
}

/// The same among the codings that there are; of equals the first offered.
pub(crate) fn coding_among(headers: &HeaderMap, offered: &[Coding]) -> Option<Coding> {
    let accepted = listed(headers, &header::ACCEPT_ENCODING);
    let quality = |name: &str| {
        let of = |wanted: &str| accepted.iter().find(|r| r.value == wanted).map(|r| r.quality);
        of(name).or_else(|| of("*"))
    };
    // The identity wins only where it is named above the codings.
    let mut best = (accepted.iter().find(|r| r.value == "identity").map_or(0, |r| r.quality), None);
    for coding in offered {
        let q = quality(coding.name()).unwrap_or(0);
        if q > best.0 || (q > 0 && q == best.0 && best.1.is_none()) {
            best = (q, Some(*coding));
        }
    }
    best.1
}

/// A member of a list header: a media range or the name of a coding, lower case, with its parameters.
struct Range {
    value: String,
    parameters: Vec<(String, String)>,
    /// Thousandths.
    quality: u16,
}

/// The members of a list header.
fn listed(headers: &HeaderMap, name: &HeaderName) -> Vec<Range> {
    let texts = headers.get_all(name).into_iter().filter_map(|v| v.to_str().ok());
    texts
        .flat_map(|text| text.split(','))
        .filter_map(|member| {
            let mut parts = member.split(';').map(str::trim);
            let value = parts.next().filter(|v| !v.is_empty())?.to_ascii_lowercase();
            let mut range = Range { value, parameters: Vec::new(), quality: 1000 };
            for (name, value) in parts.filter_map(|part| part.split_once('=')) {
                match name.trim().to_ascii_lowercase().as_str() {
                    "q" => range.quality = thousandths(value.trim()),
                    other => range.parameters.push((other.to_owned(), value.trim().trim_matches('"').to_owned())),
                }
            }
            Some(range)
        })
        .collect()
}

/// A quality; what cannot be read is none.
fn thousandths(text: &str) -> u16 {
    text.parse::<f64>().ok().filter(|q| (0.0..=1.0).contains(q)).map_or(0, |q| (q * 1000.0).round() as u16)
}

/// True when the client has this representation already. Tags are compared weakly, for caches on the way may weaken them;
/// the date counts only where no tag is sent.
pub(crate) fn is_current(headers: &HeaderMap, tag: &str, modified: Option<DateTime<Utc>>) -> bool {
    let mut tags = headers.get_all(header::IF_NONE_MATCH).into_iter().peekable();
    if tags.peek().is_some() {
        let mut members = tags.filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(',')).map(str::trim);
        return members.any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag);
    }
    let since = headers.get(header::IF_MODIFIED_SINCE).and_then(|v| parse_date(v.to_str().ok()?));
    matches!((since, modified), (Some(since), Some(modified)) if modified.timestamp() <= since.timestamp())
}

/// Form of a date in HTTP (RFC 9110, 5.6.7).
const HTTP_DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";

/// A moment as HTTP writes it.
pub(crate) fn http_date(at: DateTime<Utc>) -> Option<HeaderValue> {
    HeaderValue::from_str(&at.format(HTTP_DATE).to_string()).ok()
}

pub(crate) fn parse_date(text: &str) -> Option<DateTime<Utc>> {
    NaiveDateTime::parse_from_str(text.trim(), HTTP_DATE).ok().map(|at| at.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).expect("a header"))])
    }

    #[test]
    fn the_format_follows_the_accepted_ranges() {
        const BOTH: [Format; 2] = [Format::Json, Format::Csv];
        let chosen = |accept: &str| format(&with(header::ACCEPT, accept), None, &BOTH).ok();
        assert_eq!(format(&HeaderMap::new(), None, &BOTH).ok(), Some(Format::Json));
        assert_eq!(chosen("*/*"), Some(Format::Json));
        assert_eq!(chosen("text/html, application/xml;q=0.9, */*;q=0.8"), Some(Format::Json));
        assert_eq!(chosen("text/csv"), Some(Format::Csv));
        assert_eq!(chosen("text/*;q=0.5, application/json;q=0.4"), Some(Format::Csv));
        assert_eq!(chosen("text/csv;q=0, */*"), Some(Format::Json));
        assert_eq!(chosen("application/json;q=0, */*"), Some(Format::Csv));
        assert_eq!(chosen("text/html"), None);
        assert_eq!(format(&HeaderMap::new(), Some("CSV"), &BOTH).ok(), Some(Format::Csv));
        assert!(format(&HeaderMap::new(), Some("xml"), &BOTH).is_err());
    }

    #[test]
    fn who_names_html_first_is_a_browser() {
        let browser = |accept: &str| prefers_html(&with(header::ACCEPT, accept));
        assert!(browser("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(!prefers_html(&HeaderMap::new()));
        assert!(!browser("*/*"));
        assert!(!browser("text/*"));
        assert!(!browser("application/json, text/html;q=0.5"));
        assert!(!browser("text/html;q=0"));
    }

    #[test]
    fn a_version_is_part_of_a_media_type() {
        const SDMX: [Format; 4] = [Format::Json, Format::SdmxCsv, Format::SdmxCsv1, Format::SdmxJson];
        let chosen = |accept: &str| format(&with(header::ACCEPT, accept), None, &SDMX).ok();
        assert_eq!(chosen("application/vnd.sdmx.data+csv"), Some(Format::SdmxCsv), "the newest without a version");
        assert_eq!(chosen("application/vnd.sdmx.data+csv; version=1.0.0"), Some(Format::SdmxCsv1));
        assert_eq!(chosen("application/vnd.sdmx.data+csv;version=2.0.0;labels=id"), Some(Format::SdmxCsv));
        assert_eq!(chosen("application/vnd.sdmx.data+csv;version=2.0.0;labels=both"), None);
        assert_eq!(chosen("application/vnd.sdmx.data+json;version=2.1.0"), None);
        assert_eq!(chosen("application/vnd.sdmx.data+json;version=2.1.0, */*;q=0.1"), Some(Format::Json));
        assert_eq!(chosen("application/vnd.sdmx.data+json;q=0.5;version=\"2.0.0\", text/html"), Some(Format::SdmxJson));
    }

    #[test]
    fn the_coding_follows_the_accepted_codings() {
        let chosen = |accept: &str| coding(&with(header::ACCEPT_ENCODING, accept));
        assert_eq!(coding(&HeaderMap::new()), None);
        assert_eq!(chosen("gzip, deflate, br, zstd"), Some(Coding::Zstd));
        assert_eq!(chosen("gzip, br"), Some(Coding::Brotli));
        assert_eq!(chosen("gzip;q=1, br;q=0.5"), Some(Coding::Gzip));
        assert_eq!(chosen("*"), Some(Coding::Zstd));
        assert_eq!(chosen("deflate"), None);
        assert_eq!(chosen("identity, gzip;q=0.5"), None);
        assert_eq!(chosen("identity;q=0.5, gzip"), Some(Coding::Gzip));
        assert_eq!(chosen("identity;q=0, gzip"), Some(Coding::Gzip));
        assert_eq!(chosen("gzip;q=0"), None);
    }

    #[test]
    fn a_tag_decides_and_a_date_only_without_one() {
        let modified = parse_date("Wed, 15 Jan 2025 08:00:00 GMT");
        assert!(modified.is_some());
        let has = |name, value: &str| is_current(&with(name, value), "\"a\"", modified);
        assert!(has(header::IF_NONE_MATCH, "\"b\", W/\"a\""));
        assert!(has(header::IF_NONE_MATCH, "*"));
        assert!(!has(header::IF_NONE_MATCH, "\"b\""));
        assert!(has(header::IF_MODIFIED_SINCE, "Wed, 15 Jan 2025 08:00:00 GMT"));
        assert!(!has(header::IF_MODIFIED_SINCE, "Wed, 15 Jan 2025 07:59:59 GMT"));
        assert!(!has(header::IF_MODIFIED_SINCE, "yesterday"));
        let mut both = with(header::IF_NONE_MATCH, "\"b\"");
        both.insert(header::IF_MODIFIED_SINCE, HeaderValue::from_static("Wed, 15 Jan 2025 08:00:00 GMT"));
        assert!(!is_current(&both, "\"a\"", modified));
    }
}
