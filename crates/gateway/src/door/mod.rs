//! The agencies' door for events: by HTTP onto the log, and receipts back (ingestion.md 3.4, "Receipts"; 3.11).
//!
//! Reading order, as a request goes: `caller` (whose it is), `hold` (what it may take up), `body` (bytes, their coding undone),
//! `documents` (events of it), `judge` (each one), `clerk` (appends groups, records, answers), `receipt` (the answer, and what becomes
//! of it), `book` (what is kept in `gateway.db`), `listener` (reads the streams that tell the door something), `http` (the addresses), `own`
//! (what an agency looks up of its own), `pages` (its page).
//!
//! # Guarantees
//!
//! * What is answered with 202, or 207 for its line, is durable in the log at the place that the receipt names, and the receipt is
//!   durable in `gateway.db`.
//! * What is answered otherwise, or not at all, may be sent again without harm: an event counts once by its id.
//! * Memory is bounded by [`Limits`], whatever is sent: what is beyond is refused at once, with the time after which to come again.
//! * One agency takes up its share of turns and bytes at most, and others wait for a part of it at most, whatever it sends.
//!
//! # Non-guarantees
//!
//! * A request that was not answered may be in the log. The same `Idempotency-Key` finds its receipt if there is one; if there is none,
//!   its events are appended once more and the worker sees second copies (`duplicate`).
//! * An accepted event may still be set aside by the worker, for what only the log and the lake can tell. Its receipt says so.
//!
//! Absent: the lake (what is known of it came by the log), persons (nothing of a body is kept, logged or answered), and any queue
//! that is not bounded.

mod body;
mod book;
mod caller;
mod clerk;
mod documents;
mod hold;
mod http;
mod judge;
mod listener;
mod metrics;
mod openapi;
mod own;
mod pages;
mod problem;
mod receipt;
mod settings;

use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use eventlog::EventSink;
use events::Validator;
use policy::Producers;

use self::book::Book;
use self::clerk::{Clerk, Job};
use self::hold::Room;
use self::listener::Listener;
use self::metrics::Meters;
use crate::error::Result;

pub use self::caller::ClientCertificate;
pub use self::http::{beside, router};
pub use self::listener::OpenSource;
pub use self::settings::{Admission, Limits, Settings, Sheets, Template};

/// An open door. Clones are the same door; when the last is gone, its threads end.
#[derive(Clone)]
pub struct Door {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    /// The log's `source_uid`, once it is known.
    log: Arc<OnceLock<String>>,
    room: Room,
    validator: Validator,
    producers: RwLock<Arc<Producers>>,
    jobs: Sender<Job>,
    /// For keys that were used before: looked up within requests.
    repeats: Mutex<Book>,
    /// For what is looked up by itself, which may take longer.
    lookups: Mutex<Book>,
    meters: Meters,
    _alive: Arc<()>,
}

impl Door {
    /// Opens the door over `gateway.db` and a log, and starts its two threads. Nobody may send anything before [`Self::admit`].
    ///
    /// # Errors
    /// Those of the file.
    pub fn open(path: &Path, sink: Box<dyn EventSink>, source: OpenSource, settings: Settings) -> Result<Self> {
        let (alive, log, meters) = (Arc::new(()), Arc::new(OnceLock::new()), Meters::new());
        let logged = Arc::clone(&log);
        let (jobs, waiting) = channel();
        let book = || Book::open(path);
        let clerk =
            Clerk { sink, book: book()?, log: Arc::clone(&log), settings: settings.clone(), meters: meters.clone() };
        let listener = Listener {
            open: source,
            book: book()?,
            log,
            settings: settings.clone(),
            meters: meters.clone(),
            alive: Arc::downgrade(&alive),
            forgot_ms: 0,
        };
        let inner = Inner {
            room: Room::new(
                settings.limits,
                &settings.policy.agencies,
                std::thread::available_parallelism().map_or(2, usize::from),
            ),
            validator: Validator::new(&events::Limits { max_bytes: settings.limits.event_bytes }),
            producers: RwLock::default(),
            jobs,
            log: logged,
            repeats: Mutex::new(book()?),
            lookups: Mutex::new(book()?),
            meters,
            _alive: alive,
            settings,
        };
        start("gateway-append", move || clerk.work(&waiting));
        start("gateway-receipts", move || listener.listen());
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Lets these in from now on, and nobody else.
    pub fn admit(&self, producers: Producers) {
        *self.inner.producers.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(producers);
    }

    /// Sets the metrics of what is held; called whenever somebody reads the metrics.
    pub fn observe(&self) {
        self.inner.meters.holding(self.inner.room.held());
    }
}

impl Inner {
    fn producers(&self) -> Arc<Producers> {
        Arc::clone(&self.producers.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A book that several ask in turn. Who broke while asking has changed nothing in it.
fn open(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread that the system does not give leaves the door shut: its requests are answered 503.
fn start(name: &str, work: impl FnOnce() + Send + 'static) {
    if let Err(error) = std::thread::Builder::new().name(name.to_owned()).spawn(work) {
        tracing::error!(name, error = &error as &dyn std::error::Error, "the thread could not be started");
    }
}
