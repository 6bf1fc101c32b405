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
    /// The OpenID provider by which people sign in; `public_url` is where it sends them back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oidc: Option<OidcConfig>,
}

/// An OpenID provider. It says who somebody is; `amanat user invite --oidc` says who that is here, and what they may do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcConfig {
    /// What the provider calls itself: its https:// address, to the letter.
    pub issuer: String,
    /// What it calls this service.
    pub client_id: String,
    /// A file with the secret by which it knows this service; without one PKCE alone proves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret_file: Option<PathBuf>,
    /// The claim of its tokens that names a person: `sub`, or `email` (which counts when it is verified), or one of its own.
    #[serde(default = "sub")]
    pub claim: String,
    /// What people call the provider, for the page of signing in.
    #[serde(default = "the_provider")]
    pub name: String,
    /// What is asked for.
    #[serde(default = "openid")]
    pub scopes: Vec<String>,
}

fn sub() -> String {
    "sub".to_owned()
}

fn the_provider() -> String {
    "OpenID".to_owned()
}

fn openid() -> Vec<String> {
    vec!["openid".to_owned()]
}

impl Default for EndpointConfig {
    fn default() -> Self {
        Self {
            calendar: None,
            public_url: None,
            licence: endpoint::LICENCE.to_owned(),
            streams: 10_000,
            behind_proxy: false,
            oidc: None,
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

    /// The provider, ready to be asked.
    ///
    /// # Errors
    /// Where its issuer is no address that could be believed, its secret cannot be read, or there is no public address.
    pub fn provider(&self) -> Result<Option<endpoint::Oidc>, ConfigError> {
        let Some(oidc) = &self.oidc else { return Ok(None) };
        let refuse = |key: &str, what: String| ConfigError::Invalid {
            place: format!("configuration key `endpoint.{key}`"),
            what,
        };
        let secret = oidc.client_secret_file.as_ref().map(|path| {
            let text = std::fs::read_to_string(path);
            let cannot =
                |error| refuse("oidc.client_secret_file", format!("{}: cannot be read: {error}", path.display()));
            text.map(|text| endpoint::Secret(text.trim().to_owned())).map_err(cannot)
        });
        if self.public_url.is_none() {
            let what = "is missing: with endpoint.oidc it says where the provider sends people back";
            return Err(refuse("public_url", what.to_owned()));
        }
        for (key, value) in
            [("oidc.client_id", &oidc.client_id), ("oidc.claim", &oidc.claim), ("oidc.name", &oidc.name)]
        {
            if value.trim().is_empty() {
                return Err(refuse(key, "is empty".to_owned()));
            }
        }
        if !oidc.scopes.iter().any(|scope| scope == "openid") {
            return Err(refuse("oidc.scopes", "does not have \"openid\": without it there is no ID token".to_owned()));
        }
        let settings = endpoint::OidcSettings {
            issuer: oidc.issuer.clone(),
            client_id: oidc.client_id.clone(),
            client_secret: secret.transpose()?,
            claim: oidc.claim.clone(),
            name: oidc.name.clone(),
            scopes: oidc.scopes.clone(),
        };
        endpoint::Oidc::new(settings).map(Some).map_err(|what| refuse("oidc.issuer", what))
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
        self.provider()?;
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
    fn a_provider_is_believed_when_nobody_reads_what_is_sent_to_it_and_knows_where_to_send_people_back() {
        let config = |issuer: &str, public_url: Option<&str>, more: &str| {
            let text = format!("issuer = {issuer:?}\nclient_id = \"amanat\"\n{more}");
            let oidc = Some(toml::from_str::<OidcConfig>(&text).unwrap());
            EndpointConfig { oidc, public_url: public_url.map(str::to_owned), ..EndpointConfig::default() }.checked()
        };
        let here = Some("https://data.example.gov.pk");
        assert!(config("https://login.example", here, "").is_ok());
        for (issuer, public_url, more, named) in [
            ("http://login.example", here, "", "oidc.issuer"),
            ("login", here, "", "oidc.issuer"),
            ("https://login.example?a", here, "", "oidc.issuer"),
            ("https://login.example#a", here, "", "oidc.issuer"),
            ("https://login.example", here, "claim = \"\"", "oidc.claim"),
            ("https://login.example", None, "", "public_url"),
            ("https://login.example", here, "scopes = [\"profile\"]", "oidc.scopes"),
            ("https://login.example", here, "client_secret_file = \"/nowhere/x\"", "oidc.client_secret_file"),
        ] {
            let error = config(issuer, public_url, more).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
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
