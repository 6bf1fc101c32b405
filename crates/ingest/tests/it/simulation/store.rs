//! An object store in memory in which things go wrong, as the seed decides.
//!
//! What befalls an operation is drawn from the seed, the worker, the time, the kind of object and how many such operations there
//! were at that time: not from the order in which threads come by, nor from the order in which the library under the lake closes
//! the files of a batch, which is random. So the same world meets the same misfortunes.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};
use tokio::sync::oneshot;

use super::clock::SimClock;

/// The store as it is, and what is under way to it. Clones share it.
#[derive(Debug, Clone)]
pub struct Bucket {
    pub objects: Arc<InMemory>,
    seed: u64,
    clock: SimClock,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Of a hundred operations so many go wrong; 0 = the store is well.
    misfortune: u64,
    /// Nothing works at all.
    away: bool,
    counts: BTreeMap<(usize, String), (Duration, u64)>,
    /// Puts that wait, by worker, until a time.
    gates: Vec<(usize, Duration, oneshot::Sender<()>)>,
    /// Puts that were given up and take effect at a time all the same.
    late: Vec<(Duration, Path, PutPayload, PutMode)>,
    /// Whoever must know that a put has begun to wait.
    watcher: Option<Waker>,
    pub seen: Seen,
}

/// How often what has happened.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub refused: u64,
    pub answers_lost: u64,
    pub delayed: u64,
    pub late: u64,
    pub late_won: u64,
}

/// The store as one worker sees it.
#[derive(Debug, Clone)]
pub struct View {
    bucket: Bucket,
    worker: usize,
}

enum Fate {
    Well,
    Refused,
    AnswerLost,
    Delayed(Duration),
    Late(Duration),
}

impl Bucket {
    pub fn new(seed: u64, clock: SimClock) -> Self {
        Self { objects: Arc::default(), seed, clock, shared: Arc::default() }
    }

    pub fn view(&self, worker: usize) -> View {
        View { bucket: self.clone(), worker }
    }

    pub fn set_misfortune(&self, of_a_hundred: u64) {
        self.shared.lock().unwrap().misfortune = of_a_hundred;
    }

    pub fn set_away(&self, away: bool) {
        self.shared.lock().unwrap().away = away;
    }

    pub fn seen(&self) -> Seen {
        self.shared.lock().unwrap().seen
    }

    /// Whether a put of the worker waits for its time.
    pub fn holds(&self, worker: usize) -> bool {
        self.shared.lock().unwrap().gates.iter().any(|(of, _, _)| *of == worker)
    }

    /// Whom to wake when a put begins to wait.
    pub fn watch(&self, watcher: &Waker) {
        self.shared.lock().unwrap().watcher = Some(watcher.clone());
    }

    /// Lets through, and applies, what is due; everything, when `all`.
    pub async fn settle(&self, all: bool) {
        let now = self.clock.passed();
        let (gates, late): (Vec<_>, Vec<_>) = {
            let mut shared = self.shared.lock().unwrap();
            let (open, shut) = std::mem::take(&mut shared.gates).into_iter().partition(|(_, at, _)| all || *at <= now);
            shared.gates = shut;
            let (due, rest) = std::mem::take(&mut shared.late).into_iter().partition(|(at, ..)| all || *at <= now);
            shared.late = rest;
            (open, due)
        };
        for (_, path, payload, mode) in late {
            let put = self.objects.put_opts(&path, payload, mode.into()).await;
            self.shared.lock().unwrap().seen.late_won += u64::from(put.is_ok());
        }
        for (_, _, gate) in gates {
            // Whoever waited may be dead.
            let _ = gate.send(());
        }
    }

    fn fate(&self, worker: usize, what: &str) -> Fate {
        let mut shared = self.shared.lock().unwrap();
        let now = self.clock.passed();
        let count = shared.counts.entry((worker, what.to_owned())).or_default();
        *count = if count.0 == now { (now, count.1 + 1) } else { (now, 1) };
        let mut hasher = DefaultHasher::new();
        (self.seed, worker, what, *count).hash(&mut hasher);
        let draw = hasher.finish();
        if shared.away {
            shared.seen.refused += 1;
            return Fate::Refused;
        }
        let is_put = what.starts_with("put");
        // Reads are many; each is as harmless as the next.
        let misfortune = if is_put { shared.misfortune } else { shared.misfortune / 8 };
        if draw % 100 >= misfortune {
            return Fate::Well;
        }
        let time = Duration::from_millis((draw >> 16) % 20_000);
        match (draw >> 8) % 4 {
            0 if is_put => {
                shared.seen.answers_lost += 1;
                Fate::AnswerLost
            }
            1 if is_put => {
                shared.seen.delayed += 1;
                Fate::Delayed(time)
            }
            2 if is_put => {
                shared.seen.late += 1;
                Fate::Late(time)
            }
            _ => {
                shared.seen.refused += 1;
                Fate::Refused
            }
        }
    }
}

fn refused() -> Error {
    Error::Generic { store: "Simulated", source: "503 slow down".into() }
}

/// What kind of object it is: data files have random names.
fn kind(path: &Path) -> String {
    let path = path.as_ref();
    if path.contains("_delta_log") {
        return path.rsplit('/').next().unwrap_or_default().to_owned();
    }
    "data".into()
}

impl View {
    fn ask(&self, what: &str, path: &Path) -> Result<()> {
        match self.bucket.fate(self.worker, &format!("{what} {}", kind(path))) {
            Fate::Refused => Err(refused()),
            _ => Ok(()),
        }
    }
}

impl std::fmt::Display for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Simulated")
    }
}

#[async_trait]
impl ObjectStore for View {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let objects = &self.bucket.objects;
        match self.bucket.fate(self.worker, &format!("put {}", kind(location))) {
            Fate::Well => objects.put_opts(location, payload, opts).await,
            Fate::Refused => Err(refused()),
            Fate::AnswerLost => {
                // Also "it is there already" is an answer that may be lost.
                let _ = objects.put_opts(location, payload, opts).await;
                Err(refused())
            }
            Fate::Delayed(time) => {
                let (open, opened) = oneshot::channel();
                let at = self.bucket.clock.passed() + time;
                let watcher = {
                    let mut shared = self.bucket.shared.lock().unwrap();
                    shared.gates.push((self.worker, at, open));
                    shared.watcher.take()
                };
                watcher.into_iter().for_each(Waker::wake);
                // The world ends by dropping its gates.
                let _ = opened.await;
                objects.put_opts(location, payload, opts).await
            }
            Fate::Late(time) => {
                let at = self.bucket.clock.passed() + time;
                self.bucket.shared.lock().unwrap().late.push((at, location.clone(), payload, opts.mode));
                Err(refused())
            }
        }
    }

    async fn put_multipart_opts(&self, at: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.ask("put", at)?;
        self.bucket.objects.put_multipart_opts(at, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.ask("get", location)?;
        self.bucket.objects.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.ask("get", location)?;
        self.bucket.objects.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.bucket.objects.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.ask("list", prefix.unwrap_or(&Path::default())) {
            Ok(()) => self.bucket.objects.list(prefix),
            Err(error) => futures::stream::once(async { Err(error) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.ask("list", prefix.unwrap_or(&Path::default()))?;
        self.bucket.objects.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.bucket.objects.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.bucket.objects.rename_opts(from, to, options).await
    }
}
