//! What a lake in a bucket promises beyond the suite, which runs there as well: a real server (`cargo xtask s3`), and a store that
//! is none of ours.

use std::io::Write as _;
use std::ops::Range;
use std::sync::{Arc, Once};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use lake::{Credentials, LakeError, S3, Store, StoreIdentity, StoreKind};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use uuid::Uuid;

use crate::support::*;

/// Whether a server is there. Without one the test is skipped, aloud; with `CI_REQUIRE_S3=1` that is a failure.
fn is_there() -> bool {
    static SAY_ONCE: Once = Once::new();
    if std::env::var_os("AMANAT_TEST_S3").is_some() {
        return true;
    }
    assert!(
        std::env::var_os("CI_REQUIRE_S3").is_none_or(|value| value != "1"),
        "CI_REQUIRE_S3=1, but AMANAT_TEST_S3 names no server"
    );
    SAY_ONCE.call_once(|| {
        // Not `eprintln!`: the test harness would swallow it.
        let notice = "\n*** SKIPPED: the lake on a real S3 server. Run the suites on it with\n\
                      ***   cargo xtask s3 up --with -- cargo test -p lake -p ingest -p models --test it\n\n";
        std::io::stderr().write_all(notice.as_bytes()).unwrap();
    });
    false
}

/// A store that puts whatever it is told to put, as servers did that had not heard of `If-None-Match`.
#[derive(Debug, Default)]
struct Careless(InMemory);

impl std::fmt::Display for Careless {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Careless")
    }
}

#[async_trait]
impl ObjectStore for Careless {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        self.0.put_opts(location, payload, PutOptions { mode: PutMode::Overwrite, ..opts }).await
    }

    async fn put_multipart_opts(&self, at: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.0.put_multipart_opts(at, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.0.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.0.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.0.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.0.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.0.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.0.copy_opts(from, to, options).await
    }
}

fn over(objects: Arc<dyn ObjectStore>) -> Store {
    Store::from_object_store("memory:///bucket/amanat/".parse().unwrap(), objects).unwrap()
}

async fn objects(store: &Store) -> usize {
    use futures::TryStreamExt as _;
    store.objects().list(None).try_collect::<Vec<_>>().await.unwrap().len()
}

#[tokio::test]
async fn a_store_without_conditional_put_is_refused_with_the_remedy() {
    let store = over(Arc::new(Careless::default()));
    let error = store.check_conditional_put(Uuid::from_u128(1)).await.unwrap_err();
    assert!(matches!(error, LakeError::NoConditionalPut { .. }), "{error}");
    assert!(error.to_string().contains("If-None-Match"), "{error}");
    assert!(!error.is_transient(), "waiting does not help");
    assert_eq!(objects(&store).await, 0, "the probe is cleaned up");
}

#[tokio::test]
async fn a_store_with_conditional_put_is_taken_and_the_probe_cleaned_up() {
    let place = Place::new();
    for store in [place.store.clone(), over(Arc::new(InMemory::new()))] {
        store.check_conditional_put(Uuid::from_u128(1)).await.unwrap();
        assert_eq!(objects(&store).await, 0);
    }
}

#[tokio::test]
async fn a_probe_that_the_client_put_twice_is_no_refusal() {
    let (place, faults) = (Place::new(), Faults::default());
    faults.script("_probe", &[Fault::Retried]);
    place.through(&faults).check_conditional_put(Uuid::from_u128(1)).await.unwrap();
}

#[tokio::test]
async fn a_store_belongs_to_one_key_and_one_kind_of_data_wherever_it_is_opened_from() {
    let place = Place::new();
    assert_eq!(StoreIdentity::read_in(&place.store).await.unwrap(), None);
    let open = async |key, kind| StoreIdentity::open_or_create_in(&place.store, key, kind).await;
    let made = open("ab12", StoreKind::Sample).await.unwrap();
    assert_eq!(open("ab12", StoreKind::Sample).await.unwrap(), made, "from another machine");
    assert!(matches!(open("ffff", StoreKind::Sample).await, Err(LakeError::WrongKey { .. })));
    assert!(matches!(open("ab12", StoreKind::Real).await, Err(LakeError::WrongKind { .. })));
    assert_eq!(StoreIdentity::read_in(&place.store).await.unwrap(), Some(made));
}

#[tokio::test]
async fn of_many_writers_that_create_one_object_at_once_the_server_lets_one_win() {
    if !is_there() {
        return;
    }
    let place = Place::new();
    for round in 0..20 {
        let path = Path::from(format!("contended/{round}"));
        let puts = (0..16).map(|n| {
            let (objects, path) = (place.store.objects(), path.clone());
            let create = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            async move { objects.put_opts(&path, format!("{n}").into(), create).await }
        });
        let done = futures::future::join_all(puts).await;
        assert_eq!(done.iter().filter(|put| put.is_ok()).count(), 1, "{done:?}");
        let lost = |put: &Result<_>| matches!(put, Err(object_store::Error::AlreadyExists { .. }));
        assert_eq!(done.iter().filter(|put| lost(put)).count(), 15, "{done:?}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_let_us_in_is_named_without_a_key() {
    if !is_there() {
        return;
    }
    let bucket = std::env::var("AMANAT_TEST_S3").unwrap();
    let (endpoint, bucket) = bucket.rsplit_once('/').unwrap();
    let known = std::env::var("AWS_ACCESS_KEY_ID").unwrap();
    let keys = format!("[default]\naws_access_key_id = {known}\naws_secret_access_key = hush\n");
    let place = S3 {
        url: format!("s3://{bucket}/denied").parse().unwrap(),
        endpoint: Some(endpoint.parse().unwrap()),
        region: Some("us-east-1".into()),
        path_style: true,
        allow_http: true,
        credentials: Some(Credentials::parse(&keys).unwrap()),
    };
    let store = place.store(std::path::Path::new("/nonexistent")).unwrap();
    let mut errors = vec![store.check_conditional_put(Uuid::from_u128(1)).await.unwrap_err()];
    errors.push(lake::Events::open_or_create(&store, "w").await.unwrap_err());
    for error in errors {
        assert!(matches!(error, LakeError::Denied { .. }), "{error:?}");
        let shown = format!("{error:?} {error}");
        assert!(!shown.contains("hush") && !shown.contains(&known), "{shown}");
    }
}
