//! A world: workers of a group, what the agencies send, and what goes wrong.

use std::collections::BTreeSet;
use std::future::{Future, pending, poll_fn};
use std::ops::AddAssign;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use eventlog::simulated::{ManualClock, SimulatedLog, SimulatedSource};
use eventlog::{Change, EventSink as _, EventSource as _, Outgoing, Partition};
use ingest::{Activity, CountedIds, Halt, IngestError, Monitor, Pacing, Worker, WorkerConfig, WorkerReport};
use lake::{Events, Retry, Store};
use policy::Policy;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use url::Url;

use super::clock::SimClock;
use super::receipts::{Faults, FaultySink};
use super::store::{Bucket, Seen, View};
use super::verdict;
use crate::support::*;

/// Bytes that a worker may hold, and of a batch.
const MEMORY: usize = 48 << 10;
const BATCH: usize = 4 << 10;

/// Polls, and time of the machine, after both of which a worker that time alone should move counts as running in circles: the
/// world's time stands still meanwhile, so it would for ever. Polls alone do not say it, because a worker that waits for a thread of
/// the library is polled as often as the processor can while the system lets that thread wait.
const RESTLESS: (u32, Duration) = (5_000, Duration::from_secs(20));

/// Steps of a world; between two of them up to half a second passes.
const STEPS: usize = 80;

const AGENCIES: [&str; 2] = [POLICE, "FIA"];

/// What happened in a world, to see that the worlds are bad enough.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Played {
    pub messages: u64,
    pub commits: u64,
    pub crashes: u64,
    pub pauses: u64,
    pub moves: u64,
    pub lost: u64,
    pub storms: u64,
    pub jumps: u64,
    pub fenced: u64,
    pub given_up: u64,
    pub store: Seen,
    pub receipts_refused: u64,
    pub receipts_answers_lost: u64,
}

impl Played {
    pub fn saw_everything(&self) {
        let all =
            [self.crashes, self.pauses, self.moves, self.lost, self.storms, self.jumps, self.fenced, self.given_up];
        let receipts = [self.receipts_refused, self.receipts_answers_lost];
        let store =
            [self.store.refused, self.store.answers_lost, self.store.delayed, self.store.late, self.store.late_won];
        assert!(
            all.iter().chain(&store).chain(&receipts).all(|times| *times > 0),
            "some misfortune never happened: {self:?}"
        );
    }
}

impl AddAssign for Played {
    fn add_assign(&mut self, other: Self) {
        self.messages += other.messages;
        self.commits += other.commits;
        self.crashes += other.crashes;
        self.pauses += other.pauses;
        self.moves += other.moves;
        self.lost += other.lost;
        self.storms += other.storms;
        self.jumps += other.jumps;
        self.fenced += other.fenced;
        self.given_up += other.given_up;
        self.store.refused += other.store.refused;
        self.store.answers_lost += other.store.answers_lost;
        self.store.delayed += other.store.delayed;
        self.store.late += other.store.late;
        self.store.late_won += other.store.late_won;
        self.receipts_refused += other.receipts_refused;
        self.receipts_answers_lost += other.receipts_answers_lost;
    }
}

type Running = Pin<Box<dyn Future<Output = Result<WorkerReport, IngestError>>>>;

/// A place for a worker; the worker in it comes and goes.
struct Member {
    name: String,
    running: Option<Running>,
    monitor: Arc<OnceLock<Monitor>>,
    /// Times that it was fenced, as far as counted.
    fenced: u64,
    /// Not before this time does it run (again).
    until: Duration,
}

/// The policy of a world: by its number, so that the script of a seed does not depend on it.
fn policy_of(seed: u64) -> Arc<Policy> {
    match seed % 5 {
        3 => policy("limit_percent = 25\nwindow = 12"),
        4 => policy("rule = \"suspend\""),
        _ => Arc::default(),
    }
}

pub struct World {
    seed: u64,
    faults: Arc<Faults>,
    policy: Arc<Policy>,
    rng: ChaCha8Rng,
    clock: SimClock,
    bucket: Bucket,
    log: SimulatedLog,
    members: Vec<Member>,
    partitions: Vec<Partition>,
    /// Events sent so far, by which copies are made.
    sent: Vec<Sent>,
    writers: u64,
    storm_until: Duration,
    played: Played,
    breach: Option<String>,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let clock = SimClock::default();
        let bucket = Bucket::new(seed, clock.clone());
        let log = SimulatedLog::new("simulated", 2, ManualClock::at(LOG_MS));
        let members = (0..rng.random_range(2..=3)).map(|n| Member {
            name: format!("member-{n}"),
            running: None,
            monitor: Arc::default(),
            fenced: 0,
            until: Duration::ZERO,
        });
        let members = members.collect();
        Self {
            seed,
            faults: Arc::default(),
            policy: policy_of(seed),
            rng,
            clock,
            bucket,
            log,
            members,
            partitions: Vec::new(),
            sent: Vec::new(),
            writers: 0,
            storm_until: Duration::ZERO,
            played: Played::default(),
            breach: None,
        }
    }

    /// Plays the world to its end; what happened, or the breach.
    pub async fn play(mut self) -> Result<Played, String> {
        self.begin();
        let misfortune = self.rng.random_range(0..30);
        self.bucket.set_misfortune(misfortune);
        for _ in 0..STEPS {
            self.step().await;
            if let Some(breach) = self.breach.take() {
                return Err(breach);
            }
        }
        self.catch_up().await?;
        let played = self.played;
        let truth = undisturbed(&self.log, &self.policy).await?;
        let commits = verdict::judge(&self.bucket, &self.log, &truth).await?;
        let receipts_refused = self.faults.refused.load(Ordering::Relaxed);
        let receipts_answers_lost = self.faults.answers_lost.load(Ordering::Relaxed);
        Ok(Played { commits, store: self.bucket.seen(), receipts_refused, receipts_answers_lost, ..played })
    }

    fn begin(&mut self) {
        // Each partition has a message, so that it is there to be given to somebody.
        while self.log.source().partitions().unwrap().len() < 4 || self.sent.len() < 12 {
            self.send_one();
        }
        self.partitions = self.log.source().partitions().unwrap();
        self.rebalance();
    }

    async fn step(&mut self) {
        match self.rng.random_range(0..100) {
            0..45 => (0..self.rng.random_range(1..6)).for_each(|_| self.send_one()),
            45..51 => self.crash(),
            51..58 => self.pause(),
            58..68 => self.rebalance(),
            68..72 => self.storm(),
            72..75 => self.jump(),
            _ => {}
        }
        self.clock.advance(Duration::from_millis(self.rng.random_range(1..500)));
        self.bucket.set_away(self.clock.passed() < self.storm_until);
        self.bucket.settle(false).await;
        let mut order: Vec<usize> = (0..self.members.len()).collect();
        order.shuffle(&mut self.rng);
        for member in order {
            self.turn(member).await;
        }
    }

    // What the agencies send.

    fn send_one(&mut self) {
        let n = self.sent.len() as u64 + 1;
        let agency = *AGENCIES.choose(&mut self.rng).unwrap();
        let again = self.sent.choose(&mut self.rng).cloned();
        let message = match (self.rng.random_range(0..10), again) {
            (0 | 1, Some(again)) => again,
            (2, Some(again)) if again.value.as_deref() == Some(CASE.as_bytes()) => again.value(OTHER_CASE),
            (3, _) => event(agency, "case.registered", n, CASE).value("{\"record_version\":"),
            (4, _) => Sent { value: None, ..event(agency, "case.registered", n, CASE) },
            (5, _) => event(agency, "case.registered", n, CASE).on_topic_of(AGENCIES[usize::from(agency == POLICE)]),
            (6 | 7, _) if agency == POLICE => referral(n),
            _ => event(agency, "case.registered", n, CASE),
        };
        let headers: Vec<_> = message.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let subject = headers.iter().find(|(name, _)| *name == "ce_subject").map(|(_, value)| *value);
        let (value, timestamp_ms) = (message.value.as_deref(), LOG_MS + self.clock.passed().as_millis() as i64);
        let out = Outgoing { key: subject, headers: &headers, value, timestamp_ms };
        self.log.sink().append(&eventlog::stream_name(&message.agency), &[out]).unwrap();
        if self.rng.random_bool(0.05) {
            let partition = Partition::new(eventlog::stream_name(&message.agency), self.rng.random_range(0..2));
            let gap = self.rng.random_range(1..4);
            self.log.leave_gap(&partition, gap).unwrap();
        }
        self.sent.push(message);
        self.played.messages += 1;
    }

    // What goes wrong.

    fn some_member(&mut self) -> usize {
        self.rng.random_range(0..self.members.len())
    }

    /// `kill -9`: what the worker held is gone; what it had sent to the store may still arrive.
    fn crash(&mut self) {
        let (member, down) = (self.some_member(), self.rng.random_range(100..6_000));
        self.fall(member, Duration::from_millis(down));
        self.played.crashes += 1;
    }

    fn fall(&mut self, member: usize, down: Duration) {
        let member = &mut self.members[member];
        member.running = None;
        member.monitor = Arc::default();
        member.fenced = 0;
        member.until = self.clock.passed() + down;
    }

    /// `SIGSTOP`: the worker stands still and goes on later, as if nothing had been. Meanwhile the group may think it dead.
    fn pause(&mut self) {
        let (member, still) = (self.some_member(), self.rng.random_range(500..20_000));
        self.members[member].until = self.clock.passed() + Duration::from_millis(still);
        self.played.pauses += 1;
    }

    /// The group gives each partition to somebody, whatever the others are doing.
    fn rebalance(&mut self) {
        let now = self.clock.passed();
        let mut given = vec![BTreeSet::new(); self.members.len()];
        for partition in self.partitions.clone() {
            let to = self.some_member();
            given[to].insert(partition);
        }
        for (at, partitions) in given.into_iter().enumerate() {
            let member = &self.members[at];
            let lost = member.until > now || self.rng.random_bool(0.2);
            self.log.give(&member.name, partitions, if lost { Change::Lost } else { Change::Some });
            self.played.lost += u64::from(lost);
        }
        self.played.moves += 1;
    }

    fn storm(&mut self) {
        self.storm_until = self.clock.passed() + Duration::from_millis(self.rng.random_range(500..8_000));
        self.played.storms += 1;
    }

    fn jump(&mut self) {
        self.clock.jump(self.rng.random_range(-140_000_000_000..140_000_000_000));
        self.played.jumps += 1;
    }

    // What workers do.

    /// Lets a member do what it can do now.
    async fn turn(&mut self, at: usize) {
        let member = &mut self.members[at];
        if self.clock.passed() < member.until {
            return;
        }
        if member.running.is_none() {
            self.writers += 1;
            let source = self.log.member(&member.name);
            let view = self.bucket.view(at);
            let (clock, policy) = (self.clock.clone(), self.policy.clone());
            let sink = FaultySink::new(&self.log, &self.faults, 25, (self.seed, self.writers));
            let monitor = member.monitor.clone();
            member.running = Some(worker(view, source, sink, clock, policy, self.writers, monitor));
        }
        let ended = match run_until_still(at, member, &self.bucket).await {
            Ok(ended) => ended,
            Err(breach) => {
                self.breach = Some(breach);
                return;
            }
        };
        if let Some(report) = member.monitor.get().map(Monitor::report) {
            // What the log hands over in one piece, and one batch whose rows are more than its messages, come on top.
            if report.held_bytes > MEMORY + 2 * BATCH {
                self.breach = Some(format!("I5: {} bytes held", report.held_bytes));
            }
            self.played.fenced += report.fenced - std::mem::replace(&mut member.fenced, report.fenced);
        }
        match ended {
            None => {}
            Some(Err(error @ IngestError::Crashed { .. })) => self.breach = Some(error.to_string()),
            // A worker that gives up is started again by whoever watches over it.
            Some(_) => {
                self.played.given_up += 1;
                self.fall(at, Duration::from_millis(300));
            }
        }
    }

    /// All is well again: one healthy worker must be able to bring everything in.
    async fn catch_up(&mut self) -> Result<(), String> {
        self.bucket.set_misfortune(0);
        self.bucket.set_away(false);
        for at in 0..self.members.len() {
            self.fall(at, Duration::ZERO);
        }
        self.bucket.settle(true).await;
        self.writers += 1;
        let sink = FaultySink::new(&self.log, &self.faults, 0, (self.seed, self.writers));
        let report = drain(&self.bucket, &self.log, Some(sink), &self.clock, &self.policy, self.writers).await?;
        let stuck = report.halted().find(|(_, halt)| !matches!(halt, Halt::Rejected { .. }));
        stuck.map_or(Ok(()), |(partition, halt)| Err(format!("{partition} stands still: {halt}")))
    }
}

/// What an undisturbed worker makes of the log.
async fn undisturbed(log: &SimulatedLog, policy: &Arc<Policy>) -> Result<verdict::Truth, String> {
    let clock = SimClock::default();
    let bucket = Bucket::new(0, clock.clone());
    // Mistakes are planted in the world, not in the truth.
    let mistake = std::env::var("AMANAT_MISTAKE").ok();
    if let Some(name) = &mistake {
        fail::cfg(name, "off").unwrap();
    }
    let drained = drain(&bucket, log, None, &clock, policy, 0).await;
    if let Some(name) = &mistake {
        fail::cfg(name, "return").unwrap();
    }
    verdict::truth(&bucket, &drained?).await
}

async fn drain(
    bucket: &Bucket,
    log: &SimulatedLog,
    sink: Option<FaultySink>,
    clock: &SimClock,
    policy: &Arc<Policy>,
    writer: u64,
) -> Result<WorkerReport, String> {
    let monitor = Arc::new(OnceLock::new());
    let (view, source, watched) = (bucket.view(usize::MAX), log.source(), monitor.clone());
    let (theirs, policy) = (clock.clone(), policy.clone());
    let running: Running = Box::pin(async move {
        let worker = make(view, source, theirs, policy, writer, &watched).await?;
        match sink {
            Some(sink) => worker.with_receipts(Box::new(sink)).drain().await,
            None => { worker }.drain().await,
        }
    });
    let mut member = Member { name: String::new(), running: Some(running), monitor, fenced: 0, until: Duration::ZERO };
    for _ in 0..3_000 {
        match run_until_still(usize::MAX, &mut member, bucket).await? {
            Some(Ok(report)) => return Ok(report),
            Some(Err(error)) => return Err(format!("a healthy worker ended: {error}")),
            None => clock.advance(Duration::from_millis(50)),
        }
    }
    let report = member.monitor.get().map(Monitor::report);
    Err(format!("a healthy worker cannot catch up: {:?}", report.map(|report| report.partitions)))
}

fn config() -> WorkerConfig {
    let mut config = crate::support::config();
    config.pacing = Pacing::OneThread;
    (config.batch_bytes, config.batch_rows, config.poll_bytes, config.memory_bytes) = (BATCH, 5, BATCH / 4, MEMORY);
    (config.batch_age, config.batch_age_most) = (Duration::from_millis(300), Duration::from_secs(2));
    (config.rescan, config.poll_wait) = (Duration::from_secs(2), Duration::from_millis(100));
    (config.backoff_first, config.backoff_most) = (Duration::from_millis(50), Duration::from_millis(800));
    (config.release_wait, config.reclaim_after) = (Duration::from_secs(1), Some(Duration::from_secs(4)));
    config.store_attempts = Some(12);
    config.window_bytes = 600;
    config
}

async fn make(
    view: View,
    source: SimulatedSource,
    clock: SimClock,
    policy: Arc<Policy>,
    writer: u64,
    monitor: &OnceLock<Monitor>,
) -> Result<Worker<SimulatedSource>, IngestError> {
    let url = Url::parse("memory:///").unwrap();
    let store = Store::from_object_store(url, Arc::new(view)).map_err(IngestError::Lake)?;
    let events = Events::open_or_create(&store, &format!("writer-{writer}")).await.map_err(IngestError::Lake)?;
    let events = events.with_retry(Retry { attempts: 1, wait_ms: 0 });
    let (keys, ids) = (Arc::new(keys()), Arc::new(CountedIds::new(writer << 16)));
    let worker = Worker::new(source, events, policy, keys, config(), Arc::new(clock), ids);
    let _ = monitor.set(worker.monitor());
    Ok(worker)
}

fn worker(
    view: View,
    source: SimulatedSource,
    sink: FaultySink,
    clock: SimClock,
    policy: Arc<Policy>,
    writer: u64,
    monitor: Arc<OnceLock<Monitor>>,
) -> Running {
    Box::pin(async move {
        let worker = make(view, source, clock, policy, writer, &monitor).await?;
        worker.with_receipts(Box::new(sink)).run_until(pending()).await
    })
}

/// Polls a worker until nothing but time, or the store's gate, can move it. While it waits for the library's threads under the lake,
/// nobody else moves, so that what they find does not depend on how fast they are.
async fn run_until_still(
    at: usize,
    member: &mut Member,
    bucket: &Bucket,
) -> Result<Option<Result<WorkerReport, IngestError>>, String> {
    let Some(running) = member.running.as_mut() else { return Ok(None) };
    let (mut polls, mut turns, since) = (0, 0, Instant::now());
    let called = Arc::new(Called::default());
    let waker = Waker::from(called.clone());
    // Without tokio's budget for a turn: once it is spent, nothing that is waited for goes on until the turn ends, and here a turn is
    // as long as the worker goes on.
    tokio::task::unconstrained(poll_fn(|outer| {
        *called.outer.lock().unwrap() = Some(outer.waker().clone());
        turns += 1;
        loop {
            polls += 1;
            if polls > RESTLESS.0 {
                if since.elapsed() > RESTLESS.1 {
                    let doing = member.monitor.get().map(Monitor::report);
                    return Poll::Ready(Err(format!(
                        "a worker never comes to rest, {polls} polls in {turns}: {doing:?}"
                    )));
                }
                std::thread::yield_now();
            }
            called.again.store(false, Ordering::SeqCst);
            if let Poll::Ready(ended) = running.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Poll::Ready(Ok(Some(ended)));
            }
            if called.again.load(Ordering::SeqCst) {
                continue;
            }
            let report = member.monitor.get().map(Monitor::report);
            let waits = report.is_some_and(|report| report.activity == Activity::Waiting && !report.makes_receipts);
            bucket.watch(outer.waker());
            return if waits || bucket.holds(at) { Poll::Ready(Ok(None)) } else { Poll::Pending };
        }
    }))
    .await
}

/// Whether the worker wants to be polled again.
#[derive(Default)]
struct Called {
    again: AtomicBool,
    outer: Mutex<Option<Waker>>,
}

impl Wake for Called {
    fn wake(self: Arc<Self>) {
        self.again.store(true, Ordering::SeqCst);
        if let Some(outer) = self.outer.lock().unwrap().take() {
            outer.wake();
        }
    }
}
