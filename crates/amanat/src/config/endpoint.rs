//! The readers' door: what an operator says of it, and the file of planned releases.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize};

use super::ConfigError;

/// The indicator API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EndpointConfig {
    /// A file of planned releases, shown at `/v1/calendar`; nothing is planned without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar: Option<PathBuf>,
    /// Address under which the service is public: citations and links begin with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// Licence of the published numbers: a URL.
    pub licence: String,
    /// Streams of `/v1/events` that may be open at once.
    pub streams: usize,
    /// Whether every request passes a proxy that says in `X-Forwarded-For` whom it asks for. Only then is that header believed.
    pub behind_proxy: bool,
}

impl Default for EndpointConfig {
    fn default() -> Self {
        Self {
            calendar: None,
            public_url: None,
            licence: endpoint::LICENCE.to_owned(),
            streams: 10_000,
            behind_proxy: false,
        }
    }
}

/// The file of planned releases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CalendarFile {
    #[serde(default)]
    release: Vec<ReleaseEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseEntry {
    #[serde(deserialize_with = "day")]
    date: NaiveDate,
    title: Title,
    note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Title {
    en: String,
    ur: String,
}

fn day<'de, D: Deserializer<'de>>(from: D) -> Result<NaiveDate, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(|_| serde::de::Error::custom(format!("date is no day: {text:?}")))
}

impl EndpointConfig {
    /// What is planned, as the file says it.
    ///
    /// # Errors
    /// Where the file cannot be read, or has something that it may not have, with its place.
    pub fn releases(&self) -> Result<Vec<endpoint::Release>, ConfigError> {
        let Some(path) = &self.calendar else { return Ok(Vec::new()) };
        let refuse = |what: String| ConfigError::Invalid {
            place: "configuration key `endpoint.calendar`".into(),
            what: format!(
                "{}: {what}. A release is written [[release]], date = \"2027-01-31\", title.en = \"…\", title.ur = \"…\", and \
                 perhaps note = \"…\"",
                path.display()
            ),
        };
        let file = read(path).map_err(refuse)?;
        let release = |entry: ReleaseEntry| endpoint::Release {
            date: entry.date,
            title: query::Text { en: entry.title.en, ur: entry.title.ur },
            note: entry.note,
        };
        Ok(file.release.into_iter().map(release).collect())
    }

    /// Refuses addresses that are none, and a calendar that cannot be read: at the start, not at the first request.
    pub(super) fn checked(&self) -> Result<(), ConfigError> {
        let refuse = |key: &str, what: &str| {
            Err(ConfigError::Invalid { place: format!("configuration key `endpoint.{key}`"), what: what.into() })
        };
        let is_web = |url: &str| {
            let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
            rest.is_some_and(|rest| !rest.is_empty())
                && url.chars().all(|c| c.is_ascii_graphic() && !"<>\"\\".contains(c))
        };
        if self.public_url.as_deref().is_some_and(|url| !is_web(url) || url.contains(['?', '#'])) {
            return refuse("public_url", "is not an address of the web: write it like \"https://data.example.gov.pk\"");
        }
        if !is_web(&self.licence) {
            return refuse("licence", "is not an address of the web: name the page of the licence");
        }
        self.releases().map(drop)
    }
}

fn read(path: &Path) -> Result<CalendarFile, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
    toml::from_str(&text).map_err(|error| error.to_string().trim_end().replace('\n', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(calendar: &str) -> Result<Vec<endpoint::Release>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), calendar).unwrap();
        let config = EndpointConfig { calendar: Some(file.path().to_path_buf()), ..EndpointConfig::default() };
        config.checked().and_then(|()| config.releases()).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_is_planned_without_a_file_or_with_an_empty_one() {
        assert_eq!(EndpointConfig::default().releases().unwrap(), []);
        assert_eq!(with("").unwrap(), []);
    }

    #[test]
    fn a_release_has_a_day_a_title_in_two_languages_and_perhaps_a_note() {
        let file = "[[release]]\ndate = \"2027-01-31\"\ntitle.en = \"Q4\"\ntitle.ur = \"چوتھی\"\nnote = \"late\"\n";
        let [release] = &with(file).unwrap()[..] else { panic!("one release") };
        assert_eq!(release.date.to_string(), "2027-01-31");
        assert_eq!((release.title.en.as_str(), release.title.ur.as_str()), ("Q4", "چوتھی"));
        assert_eq!(release.note.as_deref(), Some("late"));
    }

    #[test]
    fn what_a_release_may_not_have_is_refused_with_its_place() {
        let good = "[[release]]\ndate = \"2027-01-31\"\ntitle.en = \"Q4\"\ntitle.ur = \"x\"\n";
        for (wrong, named) in [
            (good.replace("2027-01-31", "soon"), "date"),
            (good.replace("title.ur = \"x\"\n", ""), "ur"),
            (format!("{good}place = \"here\"\n"), "place"),
            (good.replace("[[release]]", "[[releases]]"), "releases"),
        ] {
            let error = with(&wrong).unwrap_err();
            assert!(error.contains("endpoint.calendar") && error.contains(named), "{error}");
        }
        let away = EndpointConfig { calendar: Some("/nowhere/x".into()), ..EndpointConfig::default() };
        assert!(away.checked().unwrap_err().to_string().contains("/nowhere/x"));
    }

    #[test]
    fn addresses_are_addresses_of_the_web() {
        let public = |url: &str| EndpointConfig { public_url: Some(url.into()), ..EndpointConfig::default() }.checked();
        assert!(public("https://data.example.gov.pk").is_ok());
        for wrong in ["data.example", "https://", "https://a b", "https://a/?q", "https://a\"b"] {
            assert!(public(wrong).unwrap_err().to_string().contains("endpoint.public_url"), "{wrong}");
        }
        let licence = EndpointConfig { licence: "CC BY".into(), ..EndpointConfig::default() };
        assert!(licence.checked().unwrap_err().to_string().contains("endpoint.licence"));
    }
}
