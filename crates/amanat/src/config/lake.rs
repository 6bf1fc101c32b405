//! Where the lake is kept: in the data directory, or in a bucket.

use std::path::PathBuf;

use lake::{Credentials, S3};
use serde::{Deserialize, Serialize};
use url::Url;

use super::ConfigError;

/// The lake. Without a URL it is in the data directory. Keys of a bucket come from the environment (`AWS_ACCESS_KEY_ID` and
/// its kin, a role of the machine) or from a file; none is ever a configuration value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LakeConfig {
    /// `s3://bucket/prefix`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Address of the server, where it is not AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Its region; without one that of `AWS_REGION`, or `us-east-1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Whether the bucket is named in the path of a request, or in the host name.
    pub path_style: bool,
    /// Whether a server without TLS may be talked to: on one machine, or for a trial.
    pub allow_http: bool,
    /// A file in the form of AWS's shared credentials, of which the profile `[default]` is read when the program starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials_file: Option<PathBuf>,
}

impl Default for LakeConfig {
    fn default() -> Self {
        Self { url: None, endpoint: None, region: None, path_style: true, allow_http: false, credentials_file: None }
    }
}

fn refuse(key: &str, what: impl Into<String>) -> ConfigError {
    ConfigError::Invalid { place: format!("configuration key `lake.{key}`"), what: what.into() }
}

/// A URL without user and password: those would be shown.
fn parse(key: &str, text: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(text).map_err(|error| refuse(key, format!("is no URL: {error}")))?;
    if url.username().is_empty() && url.password().is_none() {
        return Ok(url);
    }
    Err(refuse(key, "holds a user or password: name them in lake.credentials_file or in the environment"))
}

impl LakeConfig {
    /// The bucket and how it is reached; `None` where the lake is in the data directory.
    pub fn place(&self) -> Result<Option<S3>, ConfigError> {
        let Some(url) = &self.url else {
            let alone = self.endpoint.is_some() || self.credentials_file.is_some();
            return if alone { Err(refuse("url", "is not set, but how to reach it is")) } else { Ok(None) };
        };
        let url = parse("url", url)?;
        if url.scheme() != "s3" || url.host_str().is_none_or(str::is_empty) {
            return Err(refuse(
                "url",
                "is not of the form s3://bucket/prefix; a lake on disk is in the data directory",
            ));
        }
        let endpoint = self.endpoint.as_deref().map(|text| parse("endpoint", text)).transpose()?;
        if endpoint.as_ref().is_some_and(|endpoint| endpoint.scheme() != "https") && !self.allow_http {
            return Err(refuse("endpoint", "is not https: use it, or set lake.allow_http = true"));
        }
        Ok(Some(S3 {
            url,
            endpoint,
            region: self.region.clone(),
            path_style: self.path_style,
            allow_http: self.allow_http,
            credentials: self.credentials()?,
        }))
    }

    fn credentials(&self) -> Result<Option<Credentials>, ConfigError> {
        let Some(file) = &self.credentials_file else { return Ok(None) };
        let wrong = |why: String| refuse("credentials_file", format!("{}: {why}", file.display()));
        let text = std::fs::read_to_string(file).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        Credentials::parse(&text).map(Some).map_err(|error| wrong(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Overrides};

    fn read(toml: &str) -> Result<Config, super::ConfigError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), toml).unwrap();
        Config::read(Some(file.path()), [], &Overrides::default())
    }

    #[test]
    fn the_keys_of_a_bucket_stand_in_a_file_and_are_never_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[default]\naws_access_key_id = hush-id\naws_secret_access_key = hush\n").unwrap();
        let toml = format!(
            "[lake]\nurl = \"s3://bucket/amanat\"\nendpoint = \"https://s3.example\"\ncredentials_file = {:?}\n",
            file.path()
        );
        let config = read(&toml).unwrap();
        let place = config.lake.place().unwrap().unwrap();
        assert!(place.credentials.is_some());
        for shown in [toml::to_string_pretty(&config).unwrap(), format!("{config:?}"), format!("{place:?}")] {
            assert!(!shown.contains("hush") && shown.contains("bucket"), "{shown}");
        }
    }

    #[test]
    fn a_place_that_is_no_bucket_is_in_the_clear_or_holds_a_secret_is_refused_by_its_key() {
        for (toml, key) in [
            ("url = \"/srv/lake\"", "lake.url"),
            ("url = \"https://s3.example/bucket\"", "lake.url"),
            ("endpoint = \"https://s3.example\"", "lake.url"),
            ("url = \"s3://b/p\"\nendpoint = \"http://s3.example\"", "lake.endpoint"),
            ("url = \"s3://b/p\"\nendpoint = \"https://amanat:hush@s3.example\"", "lake.endpoint"),
            ("url = \"s3://b/p\"\ncredentials_file = \"/nowhere/x\"", "lake.credentials_file"),
        ] {
            let error = read(&format!("[lake]\n{toml}\n")).unwrap_err().to_string();
            assert!(error.contains(key) && !error.contains("hush"), "{error}");
        }
    }
}
