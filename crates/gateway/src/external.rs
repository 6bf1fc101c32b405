//! Another registry by its URL: Confluent's, or one that speaks like it. It is asked for the schema of an id and for nothing
//! else; what it has said once is kept for ever, because an id never changes its meaning.
//!
//! Absent: retries. Whoever asks waits and asks again; the partition stands still meanwhile (ingestion.md part 5).

use std::fmt;
use std::time::Duration;

use reqwest::header::ACCEPT;
use reqwest::{Client, Response, StatusCode, Url};
use serde::Deserialize;

use crate::avro::Definitions;
use crate::reading::Readable;
use crate::schema::{Draft, MAX_REFERENCES, MAX_SCHEMA_BYTES, Reference, SchemaType};

const CONNECT_WITHIN: Duration = Duration::from_secs(3);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Greatest answer, bytes.
const MAX_ANSWER_BYTES: usize = 2 << 20;

/// Deepest chain of schemas that refer to each other.
const MAX_REFERENCE_DEPTH: usize = 8;

/// Where the registry is and how it knows us. Shown without its secrets.
#[derive(Clone)]
pub struct Access {
    url: Url,
    credentials: Credentials,
}

#[derive(Clone)]
enum Credentials {
    None,
    Basic { user: String, password: String },
    Bearer(String),
}

/// Why an address cannot be one of a registry.
#[derive(Debug, thiserror::Error)]
pub enum ExternalError {
    /// It is no URL. The text is not repeated: it may hold a password.
    #[error("not a URL of a registry, such as https://registry.example:8081 ({0})")]
    Url(String),
    /// A password in the URL and a token are two answers to one question.
    #[error("both a user in the URL and a token are given; leave one of them out")]
    TwoCredentials,
    /// The HTTP client could not be made, as when the system has no root certificates.
    #[error("the HTTP client cannot be made: {0}")]
    Client(String),
}

impl Access {
    /// From a URL, perhaps with `user:password@`, or with a bearer token.
    pub fn new(url: &str, token: Option<String>) -> Result<Self, ExternalError> {
        let mut url: Url = url.parse().map_err(|error| ExternalError::Url(format!("{error}")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(ExternalError::Url("it must begin with http:// or https:// and name a host".into()));
        }
        let user = decoded(url.username());
        let credentials = match (user.is_empty(), token) {
            (true, None) => Credentials::None,
            (true, Some(token)) => Credentials::Bearer(token),
            (false, None) => Credentials::Basic { user, password: decoded(url.password().unwrap_or_default()) },
            (false, Some(_)) => return Err(ExternalError::TwoCredentials),
        };
        // A URL with a host can lose its user.
        let _ = (url.set_username(""), url.set_password(None));
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self { url, credentials })
    }

    /// The address without user and password.
    pub fn shown(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}

/// Percent-decoding of a user or password in a URL.
fn decoded(text: &str) -> String {
    let pair = format!("x={}", text.replace('+', "%2B"));
    let mut probe = Url::parse("http://localhost/").expect("a constant URL is one");
    probe.set_query(Some(&pair));
    probe.query_pairs().next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// What the registry said of an id.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// The schema, complete in itself.
    Schema(Draft),
    /// It does not know the id.
    Unknown,
    /// It knows the id, and its schema is none that events can be written with here.
    Unsupported(String),
    /// It did not answer, or not as a registry answers.
    Away(String),
}

/// A client of another registry. Clones share its connections.
#[derive(Clone, Debug)]
pub struct External {
    http: Client,
    access: Access,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SchemaBody {
    schema: String,
    schema_type: Option<String>,
    references: Option<Vec<Reference>>,
}

#[derive(Deserialize)]
struct ErrorBody {
    error_code: u32,
}

/// Code of an id that a registry does not know.
const SCHEMA_NOT_FOUND: u32 = 40403;

impl External {
    /// A client; nothing is asked yet.
    pub fn new(access: Access) -> Result<Self, ExternalError> {
        let http = Client::builder().connect_timeout(CONNECT_WITHIN).timeout(ANSWER_WITHIN);
        let http = http.build().map_err(|error| ExternalError::Client(why(error)))?;
        Ok(Self { http, access })
    }

    /// The address without user and password.
    pub fn shown(&self) -> &str {
        self.access.shown()
    }

    /// Asks for the schema of an id.
    pub(crate) async fn ask(&self, id: i32) -> Said {
        let id = id.to_string();
        self.schema(&id).await.unwrap_or_else(|said| said)
    }

    async fn schema(&self, id: &str) -> Result<Said, Said> {
        let body = self.get(&["schemas", "ids", id]).await?;
        let draft = draft(body)?;
        if draft.references.is_empty() {
            return Ok(Said::Schema(draft));
        }
        let definitions = self.definitions(&draft).await?;
        let whole = Readable::read(&draft, &definitions).map_err(|fault| Said::Unsupported(fault.to_string()))?;
        Ok(Said::Schema(Draft { text: whole.canonical(), references: Vec::new(), ..draft }))
    }

    /// The named types of what a schema refers to, deepest first.
    async fn definitions(&self, of: &Draft) -> Result<Definitions, Said> {
        let too_many = || Said::Unsupported(format!("it refers to more than {MAX_REFERENCES} schemas"));
        let mut layers: Vec<Vec<Draft>> = Vec::new();
        let mut next = of.references.clone();
        let mut followed = 0;
        while !next.is_empty() {
            followed += next.len();
            if followed > MAX_REFERENCES || layers.len() >= MAX_REFERENCE_DEPTH {
                return Err(too_many());
            }
            let mut layer = Vec::new();
            for reference in std::mem::take(&mut next) {
                let version = reference.version.to_string();
                let body = self.get(&["subjects", &reference.subject, "versions", &version]).await?;
                let draft = draft(body)?;
                next.extend(draft.references.iter().cloned());
                layer.push(draft);
            }
            layers.push(layer);
        }
        let mut definitions = Definitions::new();
        for draft in layers.iter().rev().flatten() {
            let read = Readable::read(draft, &definitions).map_err(|fault| Said::Unsupported(fault.to_string()))?;
            if let Readable::Avro(schema) = read {
                schema.define(&mut definitions);
            }
        }
        Ok(definitions)
    }

    async fn get(&self, path: &[&str]) -> Result<SchemaBody, Said> {
        let mut url = self.access.url.clone();
        // A URL with a host has a path.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let mut request = self.http.get(url).header(ACCEPT, "application/vnd.schemaregistry.v1+json, application/json");
        request = match &self.access.credentials {
            Credentials::None => request,
            Credentials::Basic { user, password } => request.basic_auth(user, Some(password)),
            Credentials::Bearer(token) => request.bearer_auth(token),
        };
        let response = request.send().await.map_err(|error| self.away(&why(error)))?;
        let status = response.status();
        let body = whole(response).await.map_err(|what| self.away(&what))?;
        match status {
            StatusCode::OK => {
                serde_json::from_slice(&body).map_err(|_| self.away("it answers what no registry answers"))
            }
            StatusCode::NOT_FOUND if says_unknown(&body) => Err(Said::Unknown),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(self.away("it refuses our credentials (user and password in registry.url, or registry.token_file)"))
            }
            other => Err(self.away(&format!("it answers with status {}", other.as_u16()))),
        }
    }

    fn away(&self, what: &str) -> Said {
        Said::Away(format!("the schema registry {}: {what}", self.shown()))
    }
}

fn says_unknown(body: &[u8]) -> bool {
    serde_json::from_slice::<ErrorBody>(body).is_ok_and(|body| body.error_code == SCHEMA_NOT_FOUND)
}

fn draft(body: SchemaBody) -> Result<Draft, Said> {
    let language = body.schema_type.unwrap_or_else(|| "AVRO".into());
    let Some(schema_type) = SchemaType::of(&language) else {
        return Err(Said::Unsupported(format!("a schema of type {}", language.chars().take(40).collect::<String>())));
    };
    if body.schema.len() > MAX_SCHEMA_BYTES {
        return Err(Said::Unsupported(format!("a schema longer than {} KiB", MAX_SCHEMA_BYTES >> 10)));
    }
    Ok(Draft { schema_type, text: body.schema, references: body.references.unwrap_or_default() })
}

/// The body, if it is not too long.
async fn whole(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(why)? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(format!("its answer is longer than {} KiB", MAX_ANSWER_BYTES >> 10));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// An error of the client with its causes and without the URL, which the caller shows without its secrets.
fn why(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}
