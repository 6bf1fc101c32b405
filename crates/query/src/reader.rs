//! The reader: the one object through which questions and indicator requests reach published numbers.
//!
//! Guarantees: a question sees one edition state from beginning to end; a new edition appears whole and without a
//! restart; a question past a limit is refused and its work stops. Not guaranteed: that two questions in a row see the
//! same edition. Absent: any road to microdata but the
//! questions in codes of an [`Oracle`], to files, to the network.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use chrono::NaiveDate;
use policy::{Access, Role};
use tokio::sync::{Semaphore, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use disclosure::CellQuery;

use crate::catalogue::Catalogue;
use crate::current::Current;
use crate::editions::{EditionMeta, EditionSource, SourceError};
use crate::functions::FUNCTIONS;
use crate::known;
use crate::listed;
use crate::notes::Note;
use crate::oracle::Oracle;
use crate::pace::{Pace, Paced};
use crate::question::{Answer, Limits, Question, Shape, Turn};
use crate::refusal::{Code, Refusal};
use crate::run::{self, Ground};
use crate::turns::{Places, Taken, Turns, Who};

/// Stack of the threads on which questions are computed. What nests is bounded by the guard; this is what the parser and
/// the rewriting of plans need for the most that it lets through, with room. It is reserved, not used.
const STACK: usize = 64 << 20;

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
    /// Questions of one reader that are computed at once: fewer than all, so that no reader holds every turn.
    pub of_one: usize,
    /// Questions of one reader that may wait.
    pub waiting_of_one: usize,
    /// How often questions may be asked; as often as they are answered where there is none.
    pub pace: Option<Pace>,
    /// Who may ask what.
    pub access: Arc<Access>,
    /// Makes the number that a question bears in the log, and in its refusal where the fault is ours: random bits.
    pub incidents: fn() -> u64,
    /// Now: an embargo ends by it.
    pub clock: fn() -> SystemTime,
}

impl Default for Settings {
    /// The default limits, two threads, four questions at once and three of one reader, 64 and 32 waiting, no pace, the access
    /// that is compiled in, the number 0 for every question, the clock of the system.
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            threads: 2,
            at_once: 4,
            waiting: 64,
            of_one: 3,
            waiting_of_one: 32,
            pace: None,
            access: Arc::default(),
            incidents: || 0,
            clock: SystemTime::now,
        }
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
    /// Answers for protected tables; without one there are none.
    oracle: Option<Arc<dyn Oracle>>,
    /// What is released.
    current: watch::Sender<Arc<Current>>,
    /// The same with what is under embargo.
    ahead: Mutex<Arc<Current>>,
    threads: Threads,
    /// Turns to compute, and places to wait for one.
    turns: Arc<Turns>,
    paced: Option<Paced>,
    /// Turns to plan without computing: milliseconds each, and none of those waits for a question.
    plans: Semaphore,
}

/// The runtime of questions. Dropped without waiting, so that it may be dropped anywhere.
struct Threads(Option<tokio::runtime::Runtime>);

impl Threads {
    fn start(count: usize) -> Result<Self, SourceError> {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(count.max(1))
            .thread_name("question")
            .thread_stack_size(STACK)
            .enable_time()
            .build()
            .map(|runtime| Self(Some(runtime)))
            .map_err(|e| SourceError::Read(Box::new(e)))
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Stops the work when the one who waits for it is gone.
struct StopOnDrop(AbortHandle, CancellationToken);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.1.cancel();
        self.0.abort();
    }
}

impl Reader {
    /// Reads the editions that exist and makes a reader over them. A store without an edition is not an error.
    pub async fn open(
        source: Arc<dyn EditionSource>,
        catalogue: Catalogue,
        settings: Settings,
    ) -> Result<Self, SourceError> {
        Self::over(source, catalogue, settings, None).await
    }

    /// The same with the protected tables that an oracle answers for.
    pub async fn open_with_vault(
        source: Arc<dyn EditionSource>,
        catalogue: Catalogue,
        settings: Settings,
        oracle: Arc<dyn Oracle>,
    ) -> Result<Self, SourceError> {
        Self::over(source, catalogue, settings, Some(oracle)).await
    }

    async fn over(
        source: Arc<dyn EditionSource>,
        catalogue: Catalogue,
        settings: Settings,
        oracle: Option<Arc<dyn Oracle>>,
    ) -> Result<Self, SourceError> {
        let catalogue = Arc::new(catalogue);
        let protected = oracle.as_ref().map(|oracle| listed::of(oracle.datasets(), &catalogue)).unwrap_or_default();
        let empty = Arc::new(Current::empty(Arc::clone(&catalogue), protected)?);
        let threads = Threads::start(settings.threads)?;
        let at_once = settings.at_once.max(1);
        let reader = Self {
            inner: Arc::new(Inner {
                source,
                catalogue,
                ahead: Mutex::new(Arc::clone(&empty)),
                current: watch::Sender::new(empty),
                threads,
                turns: Turns::new(Places {
                    at_once,
                    of_one: settings.of_one.clamp(1, at_once),
                    waiting: settings.waiting,
                    waiting_of_one: settings.waiting_of_one,
                }),
                plans: Semaphore::new(at_once),
                paced: settings.pace.map(Paced::new),
                settings,
                oracle,
            }),
        };
        reader.refresh().await?;
        Ok(reader)
    }

    /// Looks once for new editions and for embargoes that are over; true when there was one that is released. Readers see the old
    /// state until the new one is whole. What was released stays so, wherever the clock goes.
    pub async fn refresh(&self) -> Result<bool, SourceError> {
        let inner = &self.inner;
        let mut ahead = self.ahead();
        let latest = inner.source.latest().await?;
        if latest != ahead.latest().map(|e| e.edition) {
            ahead = Arc::new(ahead.advance(inner.source.as_ref()).await?);
            *inner.ahead.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&ahead);
        }
        let all: Vec<_> = ahead.editions().cloned().collect();
        let released = EditionMeta::released(&all, (inner.settings.clock)()).len();
        if released <= self.current().editions().count() {
            return Ok(false);
        }
        let next = if released == all.len() { ahead } else { Arc::new(ahead.first(released)?) };
        inner.current.send_replace(next);
        Ok(true)
    }

    /// The state with the editions that are under embargo.
    fn ahead(&self) -> Arc<Current> {
        Arc::clone(&self.inner.ahead.lock().unwrap_or_else(PoisonError::into_inner))
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

    /// Names of the functions on offer and their kinds: `scalar`, `aggregate`, `window`.
    pub fn functions(&self) -> Vec<(&'static str, &'static str)> {
        FUNCTIONS.listed()
    }

    /// Today in Pakistan, by the reader's clock.
    pub fn today(&self) -> NaiveDate {
        known::day((self.inner.settings.clock)())
    }

    /// Who may ask what.
    pub fn access(&self) -> &Access {
        &self.inner.settings.access
    }

    /// The limits of every question.
    pub fn limits(&self) -> Limits {
        self.inner.settings.limits
    }

    /// What a question would ask of protected tables, and the notes that its answer would bear: the same refusals as
    /// [`Reader::ask`] gives before any cell is asked for, and no cell is (privacy.md 6.4).
    pub async fn compile(&self, question: Question) -> Result<(Vec<CellQuery>, Vec<Note>), Refusal> {
        let limits = question.limits.map_or(self.limits(), |own| own.min(self.limits()));
        let ground = self.ground(&question);
        let Some(runtime) = &self.inner.threads.0 else {
            return Err(Refusal::new(Code::Cancelled, "The reader is closing."));
        };
        // On the threads whose stacks are made for what nests.
        let work = runtime.spawn(async move { run::guarded(&question, false, &limits, &ground) });
        let guarded = work.await.unwrap_or_else(|error| {
            tracing::error!(panicked = error.is_panic(), "a question broke off");
            Err(Refusal::new(Code::Internal, "The question could not be answered; the fault is ours."))
        })?;
        Ok((guarded.questions, guarded.notes))
    }

    /// What a question takes and what its answer will look like, without asking it: nothing is computed, charged or recorded,
    /// and no key is needed, for it says no more than the catalogue. Where values are missing, stand-ins take their place. The
    /// same refusals as [`Reader::ask`] gives for the form of a question.
    pub async fn shape(&self, question: Question) -> Result<Shape, Refusal> {
        let limits = question.limits.map_or(self.limits(), |own| own.min(self.limits()));
        let ground = self.ground(&question);
        let Some(runtime) = &self.inner.threads.0 else {
            return Err(Refusal::new(Code::Cancelled, "The reader is closing."));
        };
        let _turn = self.inner.plans.acquire().await;
        // On the threads whose stacks are made for what nests.
        let work = runtime.spawn(run::shape(question, limits, ground));
        let shape = work.await.unwrap_or_else(|error| {
            tracing::error!(panicked = error.is_panic(), "the shape of a question could not be told");
            Err(Refusal::new(Code::Internal, "The question could not be planned; the fault is ours."))
        });
        shape.map_err(Refusal::with_remedy)
    }

    /// Answers one question, or refuses it. Dropping the future, or cancelling the token, stops the work.
    ///
    /// The refusal comes in time even when the work is in a step that cannot be left at once; such work keeps its turn
    /// until it has ended, so that work left behind is never more than `at_once` questions. An answer keeps the turn as
    /// well, until it is dropped: rows that wait for a slow reader are memory too.
    pub async fn ask(&self, question: Question, cancel: CancellationToken) -> Result<Answer, Refusal> {
        let limits = question.limits.map_or(self.limits(), |own| own.min(self.limits()));
        let end = Instant::now() + limits.time;
        let incident = format!("{:016x}", (self.inner.settings.incidents)());
        // Whatever is logged on the way bears the number, so that the cause of a fault is found by it.
        let span = tracing::error_span!("question", incident);
        let answer = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(Refusal::new(Code::Cancelled, "The question was withdrawn.")),
            answer = self.answer(question, limits, end, span.clone()).instrument(span) => {
                answer.map_err(Refusal::with_remedy)
            }
            () = tokio::time::sleep_until(end) => Err(too_long(&limits)),
        };
        answer.map_err(|refusal| refusal.numbered(incident))
    }

    async fn answer(&self, question: Question, limits: Limits, end: Instant, span: Span) -> Result<Answer, Refusal> {
        let turn = self.turn(&question).await?;
        let ground = self.ground(&question);
        let embargoed = self.embargoed(&ground.current);
        let Some(runtime) = &self.inner.threads.0 else {
            return Err(Refusal::new(Code::Cancelled, "The reader is closing."));
        };
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let work = async move {
            // A refusal gives the turn back here; an answer takes it along, for its rows are still in memory.
            let mut answer = run::answer(question, limits, ground, (stopped, end)).await?;
            answer.notes.extend(embargoed);
            Ok(Answer { turn, ..answer })
        };
        let work = runtime.spawn(work.instrument(span));
        let _stop = StopOnDrop(work.abort_handle(), stop);
        work.await.unwrap_or_else(|error| {
            tracing::error!(panicked = error.is_panic(), "a question broke off");
            Err(Refusal::new(Code::Internal, "The question could not be answered; the fault is ours."))
        })
    }

    fn ground(&self, question: &Question) -> Ground {
        let inner = &self.inner;
        let role = question.asker.as_ref().map_or(Role::Public, |asker| asker.role);
        let sees_ahead = question.ahead && self.access().may_see_embargoed(role);
        let current = if sees_ahead { self.ahead() } else { self.current() };
        let (access, now) = (Arc::clone(&inner.settings.access), (inner.settings.clock)());
        Ground { current, oracle: inner.oracle.clone(), access, now }
    }

    /// What is to be said of an answer over a state that has an edition under embargo.
    fn embargoed(&self, seen: &Current) -> Option<Note> {
        let waiting = seen.editions().nth(self.current().editions().count())?;
        Some(Note::embargoed(waiting.edition, waiting.embargo_until.as_deref()?))
    }

    /// A turn to compute, when there is one.
    async fn turn(&self, question: &Question) -> Result<Turn, Refusal> {
        let inner = &self.inner;
        let who = Who::of(question.asker.as_ref().map(|asker| asker.key_id.as_str()), question.peer);
        if let Some(wait) = inner.paced.as_ref().and_then(|paced| paced.count(&who).err()) {
            let seconds = wait.as_secs() + 1;
            let refusal = Refusal::new(Code::TooOften, "More questions were asked than may be in a minute.");
            return Err(refusal
                .hint(format!("Ask again in {seconds} s; what is asked often is better polled as an indicator.")));
        }
        Turns::take(&inner.turns, who).await.map_err(|taken| {
            let detail = match taken {
                Taken::ByAll => {
                    let at_once = inner.settings.at_once;
                    format!("{at_once} questions are being computed and as many as may wait are waiting.")
                }
                Taken::ByOne => "As many of your questions are waiting as may.".to_owned(),
            };
            Refusal::new(Code::Busy, detail).hint("Ask again in a few seconds.")
        })
    }
}

fn too_long(limits: &Limits) -> Refusal {
    let detail = format!("The question takes longer than {} s.", limits.time.as_secs_f64());
    Refusal::new(Code::TimeLimit, detail).hint("Join on codes, filter before joining, or ask for less at once.")
}
