//! A lake in a bucket: S3, or a server that speaks it and has conditional put (ingestion.md 2.3, 3.4 step 0).
//!
//! Guarantees: what was acknowledged is the server's to keep; `PutMode::Create` is `If-None-Match: *`, so that of two writers
//! of one object the server lets one win. Non-guarantees: an error of such a put does not say that it did not land, and a
//! retry of the client may find its own first try (`AlreadyExists`). Whoever puts so looks again: the committer by its batch
//! id, the lease by its holder, a folder by its manifest.
//!
//! Absent: a lock table beside the bucket, renames, and any secret in an error, a log line or `Debug`.

use std::fmt;
use std::path::Path as FsPath;
use std::sync::{Arc, LazyLock, Once};
use std::time::Duration;

use deltalake::DeltaResult;
use deltalake::logstore::{
    LogStore, LogStoreFactory, ObjectStoreRef, StorageConfig, default_logstore, logstore_factories,
};
use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use object_store::client::SpawnedReqwestConnector;
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use tokio::runtime::{Builder, Handle, Runtime};
use url::Url;

use crate::{LakeError, Result, Store};

/// How long one request may be tried again inside the client. What waits longer is the caller's to repeat: the worker does,
/// for as long as the store is away, and says so.
const RETRY_WITHIN: Duration = Duration::from_secs(10);
/// Longest pause between two tries, so that work goes on soon after a server is back.
const PAUSE_MOST: Duration = Duration::from_secs(1);

/// A place on S3 and the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3 {
    /// `s3://bucket/prefix`.
    pub url: Url,
    /// Address of the server; `None` = AWS, by its region.
    pub endpoint: Option<Url>,
    /// Region; `None` = that of `AWS_REGION`, or `us-east-1`.
    pub region: Option<String>,
    /// Whether the bucket is named in the path of a request (what most other servers need) or in the host name.
    pub path_style: bool,
    /// Whether a server without TLS may be talked to.
    pub allow_http: bool,
    /// Keys; `None` = those of the environment (`AWS_ACCESS_KEY_ID` and its kin, a role, the machine's own).
    pub credentials: Option<Credentials>,
}

/// An access key. Nothing shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(not shown)")
    }
}

impl Credentials {
    /// Reads the profile `[default]` of a file in the form of AWS's shared credentials.
    ///
    /// # Errors
    /// `BadPlace` with the name of the key that is missing; never what the file holds.
    pub fn parse(text: &str) -> Result<Self> {
        let default = text.lines().map(str::trim).scan(true, |is_default, line| {
            if line.starts_with('[') {
                *is_default = line == "[default]";
            }
            Some((*is_default, line))
        });
        let settings: Vec<(&str, &str)> = default
            .filter(|(is_default, line)| *is_default && !line.starts_with(['#', ';']))
            .filter_map(|(_, line)| line.split_once('=').map(|(name, value)| (name.trim(), value.trim())))
            .collect();
        let find = |name| settings.iter().find(|(found, _)| *found == name).map(|(_, value)| (*value).to_owned());
        let need = |name| {
            let missing = || LakeError::BadPlace(format!("the credentials have no `{name} = …` under `[default]`"));
            find(name).filter(|value| !value.is_empty()).ok_or_else(missing)
        };
        Ok(Self {
            access_key_id: need("aws_access_key_id")?,
            secret_access_key: need("aws_secret_access_key")?,
            session_token: find("aws_session_token"),
        })
    }
}

impl S3 {
    /// The store at this place. Nothing is asked of the server yet ([`Store::check_conditional_put`] does). `scratch` is a
    /// private local folder for what does not fit into memory.
    ///
    /// # Errors
    /// `BadPlace` when the URL names no bucket or the settings contradict each other.
    pub fn store(&self, scratch: &FsPath) -> Result<Store> {
        let refuse = |what: &str| LakeError::BadPlace(format!("{} {what}", self.url));
        let bucket = self.url.host_str().filter(|_| self.url.scheme() == "s3");
        let bucket = bucket.ok_or_else(|| refuse("is not of the form s3://bucket/prefix"))?;
        if self.endpoint.as_ref().is_some_and(|endpoint| endpoint.scheme() == "http") && !self.allow_http {
            return Err(refuse("would be reached without TLS: use https, or set lake.allow_http"));
        }
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .with_conditional_put(S3ConditionalPut::ETagMatch) // whatever the environment says
            .with_virtual_hosted_style_request(!self.path_style)
            .with_client_options(ClientOptions::new().with_connect_timeout(Duration::from_secs(2)))
            .with_http_connector(SpawnedReqwestConnector::new(self.io()?))
            .with_allow_http(self.allow_http)
            .with_retry(RetryConfig {
                backoff: BackoffConfig { max_backoff: PAUSE_MOST, ..BackoffConfig::default() },
                retry_timeout: RETRY_WITHIN,
                ..RetryConfig::default()
            });
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/'));
        }
        if let Some(region) = &self.region {
            builder = builder.with_region(region);
        }
        if let Some(keys) = &self.credentials {
            builder = builder.with_access_key_id(&keys.access_key_id).with_secret_access_key(&keys.secret_access_key);
            if let Some(token) = &keys.session_token {
                builder = builder.with_token(token);
            }
        }
        let bucket = builder.build().map_err(|error| refuse(&format!("cannot be reached so: {error}")))?;
        know_s3();
        Ok(Store::from_object_store(self.url.clone(), Arc::new(bucket))?.with_scratch(scratch))
    }

    fn io(&self) -> Result<Handle> {
        let failed = |error: &std::io::Error| LakeError::Io {
            action: "start a thread for",
            path: self.url.to_string(),
            source: error.kind().into(),
        };
        IO.as_ref().map(|runtime| runtime.handle().clone()).map_err(failed)
    }
}

/// A thread of its own for connections. delta-rs makes checkpoints on the thread that calls it, and decoding holds others for
/// long: a connection that is driven by one of them would stand still meanwhile and end in a time-out. It also lets a store
/// outlive the runtime that used it first.
static IO: LazyLock<std::io::Result<Runtime>> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).thread_name("s3").enable_all().build());

/// delta-rs knows the logs of memory and disk; that of a bucket is the same code over our object store. Its own, in another
/// crate, would bring a client of its own and a lock table that conditional put makes needless.
fn know_s3() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let scheme = Url::parse("s3://").expect("a scheme alone is a URL");
        logstore_factories().insert(scheme, Arc::new(OverOurStore));
    });
}

/// Delta logs over the object store that they are given.
struct OverOurStore;

impl LogStoreFactory for OverOurStore {
    fn with_options(
        &self,
        prefixed: ObjectStoreRef,
        root: ObjectStoreRef,
        location: &Url,
        options: &StorageConfig,
    ) -> DeltaResult<Arc<dyn LogStore>> {
        Ok(default_logstore(prefixed, root, location, options))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_profile_of_a_credentials_file_is_read_and_nothing_shows_it() {
        let text = "# a comment\n[other]\naws_access_key_id = no\n[default]\naws_access_key_id = hush-id\naws_secret_access_key=hush=key\n";
        let keys = Credentials::parse(text).unwrap();
        assert_eq!((&*keys.access_key_id, &*keys.secret_access_key), ("hush-id", "hush=key"));
        assert!(!format!("{keys:?}").contains("hush"));
        let error = Credentials::parse("[default]\naws_access_key_id = hush-id\n").unwrap_err().to_string();
        assert!(error.contains("aws_secret_access_key") && !error.contains("hush"), "{error}");
    }

    #[test]
    fn a_place_that_is_no_bucket_or_would_be_reached_in_the_clear_is_refused() {
        let at = |url: &str, endpoint: &str| S3 {
            url: Url::parse(url).unwrap(),
            endpoint: Some(Url::parse(endpoint).unwrap()),
            region: None,
            path_style: true,
            allow_http: false,
            credentials: None,
        };
        let refusal = |place: S3| place.store(FsPath::new("/tmp")).unwrap_err().to_string();
        assert!(refusal(at("gs://bucket/x", "https://s3.example")).contains("s3://bucket/prefix"));
        assert!(refusal(at("s3://bucket/x", "http://s3.example")).contains("lake.allow_http"));
    }
}
