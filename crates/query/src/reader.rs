//! The reader: the one object through which questions and indicator requests reach published numbers.
//!
//! Guarantees: a question sees one edition state from beginning to end; a new edition appears whole and without a
//! restart; a question past a limit is refused and its work stops. Not guaranteed: that two questions in a row see the
//! same edition. Absent: any road to microdata, to files, to the network.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::catalogue::Catalogue;
use crate::current::Current;
use crate::editions::{EditionSource, SourceError};
use crate::question::{Answer, Limits, Question};
use crate::refusal::{Code, Refusal};

/// How a reader works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Limits of every question.
    pub limits: Limits,
    /// Threads of the runtime on which questions are computed; never those that answer connections.
    pub threads: usize,
    /// Questions computed at once; each may use the whole memory limit.
    pub at_once: usize,
    /// Questions that may wait for a turn; past it they are refused as `busy`.
    pub waiting: usize,
}

impl Default for Settings {
    /// The default limits, two threads, four questions at once, 64 waiting.
    fn default() -> Self {
        Self { limits: Limits::default(), threads: 2, at_once: 4, waiting: 64 }
    }
}

/// Answers questions over the published editions. Cheap to clone; all clones share one state.
#[derive(Clone)]
pub struct Reader {
    inner: Arc<Inner>,
}

struct Inner {
    source: Arc<dyn EditionSource>,
    catalogue: Arc<Catalogue>,
    settings: Settings,
    current: watch::Sender<Arc<Current>>,
}

impl Reader {
    /// Reads the editions that exist and makes a reader over them. A store without an edition is not an error.
    pub async fn open(
        source: Arc<dyn EditionSource>,
        catalogue: Catalogue,
        settings: Settings,
    ) -> Result<Self, SourceError> {
        let catalogue = Arc::new(catalogue);
        let empty = Arc::new(Current::empty(Arc::clone(&catalogue)));
        let reader =
            Self { inner: Arc::new(Inner { source, catalogue, settings, current: watch::Sender::new(empty) }) };
        reader.refresh().await?;
        Ok(reader)
    }

    /// Looks once for new editions; true when there was one. Readers see the old state until the new one is whole.
    pub async fn refresh(&self) -> Result<bool, SourceError> {
        let inner = &self.inner;
        let old = self.current();
        let latest = inner.source.latest().await?;
        if latest == old.latest().map(|e| e.edition) {
            return Ok(false);
        }
        let next = old.advance(inner.source.as_ref()).await?;
        inner.current.send_replace(Arc::new(next));
        Ok(true)
    }

    /// Looks for new editions every `every` until cancelled. Errors are logged and the reader stays on what it has.
    pub async fn follow(self, every: Duration, cancel: CancellationToken) {
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
            match self.refresh().await {
                Ok(true) => tracing::info!(edition = self.current().latest().map(|e| e.edition), "new edition"),
                Ok(false) => {}
                Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "editions not refreshed"),
            }
        }
    }

    /// The state of this moment. Hold it for the length of one request, so that all of the request is of one edition.
    pub fn current(&self) -> Arc<Current> {
        Arc::clone(&self.inner.current.borrow())
    }

    /// Tells when a new edition has appeared.
    pub fn watch(&self) -> watch::Receiver<Arc<Current>> {
        self.inner.current.subscribe()
    }

    /// The definitions that this reader was made with.
    pub fn catalogue(&self) -> &Catalogue {
        &self.inner.catalogue
    }

    /// The limits of every question.
    pub fn limits(&self) -> Limits {
        self.inner.settings.limits
    }

    /// Answers one question, or refuses it. Dropping the future, or cancelling the token, stops the work.
    pub async fn ask(&self, question: Question, cancel: CancellationToken) -> Result<Answer, Refusal> {
        let _ = (question, cancel);
        Err(Refusal::new(Code::Internal, "SQL is not answered yet."))
    }
}
