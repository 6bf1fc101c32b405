//! A lake that is full, or away: the worker waits and says so, and what it read goes in once.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use ingest::{CountedIds, IngestError, Worker};
use lake::{Events, LakeError, Store};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};
use policy::Policy;

use crate::support::*;

/// A disk on which the next so many files find no room, or a store that refuses everything.
#[derive(Debug)]
pub struct Disk {
    inner: Arc<dyn ObjectStore>,
    full_for: Arc<AtomicU32>,
    away: Arc<AtomicBool>,
}

impl Disk {
    /// The place's store, which refuses everything while `away` says so.
    pub fn that_goes_away(place: &Place, away: &Arc<AtomicBool>) -> Store {
        let below = place.store();
        let disk = Self { inner: below.root_objects(), full_for: Arc::default(), away: away.clone() };
        Store::from_object_store(below.url().clone(), Arc::new(disk)).unwrap()
    }

    fn answers(&self) -> Result<()> {
        let refused = || Error::Generic { store: "Disk", source: "503 slow down".into() };
        if self.away.load(Ordering::SeqCst) { Err(refused()) } else { Ok(()) }
    }

    fn room(&self) -> Result<()> {
        self.answers()?;
        let left = self.full_for.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        let full = || Error::Generic {
            store: "Disk",
            source: Box::new(std::io::Error::from(std::io::ErrorKind::StorageFull)),
        };
        left.map_or(Ok(()), |_| Err(full()))
    }
}

impl std::fmt::Display for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Disk")
    }
}

#[async_trait]
impl ObjectStore for Disk {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        self.room()?;
        self.inner.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(&self, at: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.room()?;
        self.inner.put_multipart_opts(at, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.answers()?;
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.answers()?;
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.answers() {
            Ok(()) => self.inner.list(prefix),
            Err(error) => Box::pin(futures::stream::once(async { Err(error) })),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.answers()?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}

/// A worker over a place whose disk has no room for the next `full_for` files.
async fn worker(
    place: &Place,
    full_for: &Arc<AtomicU32>,
    attempts: Option<u32>,
) -> Worker<eventlog::sqlite::SqliteSource> {
    let below = place.store();
    let disk = Disk { inner: below.root_objects(), full_for: full_for.clone(), away: Arc::default() };
    let store = Store::from_object_store(below.url().clone(), Arc::new(disk)).unwrap();
    let events = Events::open_or_create(&store, "writer").await.unwrap();
    let events = events.with_retry(lake::Retry { attempts: 1, wait_ms: 1 });
    let config = ingest::WorkerConfig { store_attempts: attempts, ..config() };
    let (policy, keys, ids) = (Arc::new(Policy::default()), Arc::new(keys()), Arc::new(CountedIds::new(1)));
    Worker::new(place.log.source().unwrap(), events, policy, keys, config, Arc::new(StillClock { days: 0 }), ids)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_waited_for_and_nothing_is_lost_or_doubled() {
    let mut place = Place::new();
    place.send(&(1..=20).map(case).collect::<Vec<_>>());
    let full_for = Arc::new(AtomicU32::new(0));
    let mut worker = worker(&place, &full_for, None).await;
    full_for.store(7, Ordering::SeqCst);
    let report = worker.drain().await.unwrap();
    assert_eq!(full_for.load(Ordering::SeqCst), 0, "it was tried until there was room");
    assert_eq!((report.counts.ok, report.reachable.lake_away), (20, false));
    assert_eq!(place.rows().await.len(), 20);
    place.reconciled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_shall_not_wait_ends_with_the_cause_and_may_be_run_again() {
    let mut place = Place::new();
    place.send(&(1..=5).map(case).collect::<Vec<_>>());
    let full_for = Arc::new(AtomicU32::new(0));
    let mut worker = worker(&place, &full_for, Some(2)).await;
    full_for.store(u32::MAX, Ordering::SeqCst);
    let error = tokio::time::timeout(Duration::from_mins(1), worker.drain()).await.unwrap().unwrap_err();
    let IngestError::Lake(cause) = &error else { panic!("{error}") };
    let named = |cause: &LakeError| matches!(cause, LakeError::Full { .. });
    let named = named(cause) || matches!(cause, LakeError::Unresolved { source, .. } if named(source));
    assert!(named, "{cause}");
    full_for.store(0, Ordering::SeqCst);
    assert_eq!(worker.drain().await.unwrap().counts.ok, 5);
    place.reconciled().await;
}
