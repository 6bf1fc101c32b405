//! `amanat up`: the roles of one process, or one of them alone.
//!
//! *ingest* brings what the agencies published from the log to the lake; *refresh* folds it into Snapshots; *endpoint* serves
//! the published editions; *gateway* takes events from agencies and serves the schema registry; *maintain* keeps the lake small and fast. One ingesting and one
//! refreshing process at a time, by locks on the directory; any number of
//! endpoints. Ctrl-C (or SIGTERM) stops reading, commits what was read, answers what was asked, and ends.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use ::gateway::door::Door as AgenciesDoor;
use anyhow::Context;
use endpoint::{FlightSettings, Gate, Patience, PostgresSettings, Tls};
use ingest::{Monitor, RandomIds, SystemClock, Worker, WorkerConfig, WorkerReport};
use lake::{Events, LakeError, Published, StoreKind, StoreLock};
use ledger::Door;
use models::RefreshOptions;
use query::Reader;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::cli::{CountryArgs, Role, UpArgs};
use crate::config::{Config, FlightConfig, PostgresConfig};
use crate::data_dir::DataDir;
use crate::exit::Failure;
use crate::house::House;
use crate::receipts::Announcer;
use crate::signal::stop_asked;
use crate::standing::WorkerFiles;
use crate::{
    country, edition, exit, feeds, gateway, maintain, progress, questions, queue, readers, reference, sampling,
    telemetry,
};

/// When a member of a group claims a partition again that another had claimed, although the group gave it to this one.
const RECLAIM_AFTER: Duration = Duration::from_mins(1);

/// How often a reader looks for a new edition: one listing of a folder.
const LOOK_FOR_EDITIONS: Duration = Duration::from_millis(500);

/// How often a log that is away at the start is asked again.
const LOOK_FOR_THE_LOG: Duration = Duration::from_secs(2);

type Ingester = Worker<Box<dyn eventlog::EventSource>>;

/// Runs until told to stop; with `--once` until everything published so far is ingested and folded.
pub fn run(config: Config, args: UpArgs) -> anyhow::Result<()> {
    let began = Instant::now();
    let dir = Arc::new(DataDir::open_or_create(&config, args.sample.then_some(StoreKind::Sample))?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let up = Up {
        config,
        args,
        dir,
        began,
        stop: CancellationToken::new(),
        ingesting: Arc::default(),
        agencies: Arc::default(),
        files: None,
    };
    let done = runtime.block_on(up.run());
    // Work that was left when told to stop is not waited for: what it had not committed is read again.
    runtime.shutdown_background();
    done
}

/// The roles of this process at work.
type Roles = JoinSet<anyhow::Result<()>>;

/// What was made before the roles begin.
#[derive(Default)]
struct Ready {
    worker: Option<Ingester>,
    /// Partitions that stand still.
    halted: Option<Failure>,
}

struct Up {
    config: Config,
    args: UpArgs,
    dir: Arc<DataDir>,
    began: Instant,
    stop: CancellationToken,
    /// The worker of this process, once there is one.
    ingesting: Arc<OnceLock<Monitor>>,
    /// The agencies' door of this process, once it is open.
    agencies: Arc<OnceLock<AgenciesDoor>>,
    /// That worker's files, where it has the role.
    files: Option<WorkerFiles>,
}

impl Up {
    fn has(&self, role: Role) -> bool {
        self.args.role.is_empty() || self.args.role.contains(&role)
    }

    /// Whether the agencies' door is open.
    fn serves_agencies(&self) -> bool {
        self.has(Role::Gateway) && !self.args.once
    }

    /// The worker's lock and its name. Two workers with one number would take their partitions from each other. Members of a
    /// group may be any number: each takes the first place that is free.
    fn worker_lock(&self) -> anyhow::Result<Option<(StoreLock, String)>> {
        if !self.has(Role::Ingest) {
            return Ok(None);
        }
        if self.config.log.group.is_none() || self.args.once {
            let number = self.config.ingest.worker.to_string();
            let lock = match self.config.ingest.worker {
                0 => self.dir.lock(StoreLock::WRITER)?,
                _ => self.dir.lock(&format!("{}.{number}", StoreLock::WRITER))?,
            };
            return Ok(Some((lock, number)));
        }
        let mut place = 0;
        loop {
            let name = format!("member.{place}");
            match StoreLock::acquire(&self.dir.path, &format!("{}.{name}", StoreLock::WRITER)) {
                Ok(lock) => return Ok(Some((lock, name))),
                Err(LakeError::Locked { .. }) => place += 1,
                Err(error) => return Err(crate::data_dir::unusable(&self.dir.path, &error).into()),
            }
        }
    }

    /// Makes the worker's folder; None where another role than ingest is asked for.
    fn worker_files(&self, name: Option<&str>) -> anyhow::Result<Option<WorkerFiles>> {
        let Some(name) = name else { return Ok(None) };
        let folder = lake::create_private_dir(&self.dir.path.join("ingest"));
        folder.map_err(|error| crate::data_dir::unusable(&self.dir.path, &error))?;
        Ok(Some(WorkerFiles::new(&self.dir.path, name)))
    }

    async fn run(mut self) -> anyhow::Result<()> {
        // The addresses and the locks first: what cannot be had is said before any work.
        let served = self.has(Role::Endpoint) && !self.args.once;
        let listener = if served { Some(bind(self.config.http, "--http").await?) } else { None };
        let for_postgres = if served && self.config.postgres.enabled {
            Some((bind(self.config.postgres.address, "--postgres").await?, self.tls()?))
        } else {
            None
        };
        let for_flight = if served && self.config.flight.enabled {
            Some((bind(self.config.flight.address, "--flight").await?, self.tls()?))
        } else {
            None
        };
        let for_metrics = match self.config.metrics {
            Some(address) if !self.args.once => Some(bind(address, "the configuration key `metrics`:").await?),
            _ => None,
        };
        let for_agencies = if self.serves_agencies() {
            Some(bind(self.config.gateway.http, "the configuration key `gateway.http`:").await?)
        } else {
            None
        };
        let writer = self.worker_lock()?;
        self.files = self.worker_files(writer.as_ref().map(|(_, name)| name.as_str()))?;
        if self.args.sample {
            readers::make_sample_analyst(&self.config, &self.dir)?;
        }
        tokio::spawn(stop_on_signal(self.stop.clone()));
        let mut tasks = JoinSet::new();
        let doors = self.open_doors(listener, for_metrics, &mut tasks).await?;
        if let (Some((listener, tls)), Some((reader, gate))) = (for_postgres, &doors) {
            self.open_to_postgres(listener, tls, (reader.clone(), Arc::clone(gate)), &mut tasks);
        }
        if let (Some((listener, tls)), Some((reader, gate))) = (for_flight, &doors) {
            self.open_to_flight(listener, tls, (reader.clone(), Arc::clone(gate)), &mut tasks);
        }
        let (reader, gate) = doors.unzip();
        if let Some(listener) = for_agencies {
            let (door, served) = gateway::serve((&self.config, &self.dir), listener, self.stop.clone())?;
            let _ = self.agencies.set(door);
            tasks.spawn(served);
        }
        let ready = self.prepare().await?;
        if self.args.once {
            return ready.map_or(Ok(()), |ready| ready.halted.map_or(Ok(()), |halted| Err(halted.into())));
        }
        if let Some(ready) = ready {
            if let Some(reader) = reader {
                // Whoever reads "ready" may ask at once for what was published before it.
                reader.refresh().await?;
            }
            self.greet(gate.as_deref())?;
            self.keep_at_it(ready, &mut tasks);
        }
        let mut result = Ok(());
        while let Some(ended) = tasks.join_next().await {
            // The first role that fails stops the others, which commit and answer what they have.
            self.stop.cancel();
            result = result.and(ended.map_err(anyhow::Error::from).and_then(|ended| ended));
        }
        result
    }

    /// Serves what is published already, and what the program counts.
    async fn open_doors(
        &self,
        door: Option<TcpListener>,
        metrics: Option<TcpListener>,
        tasks: &mut Roles,
    ) -> anyhow::Result<Option<(Reader, Arc<Gate>)>> {
        let patience = Patience::with(Duration::from_secs(self.config.sql.time_limit_seconds));
        if door.is_none() && metrics.is_none() {
            return Ok(None);
        }
        let counted = telemetry::metrics(Arc::clone(&self.ingesting), Arc::clone(&self.agencies))?;
        let own = &self.config.endpoint;
        let mut settings = endpoint::Settings {
            calendar: own.releases()?,
            public_url: own.public_url.clone(),
            licence: own.licence.clone(),
            streams: own.streams,
            behind_proxy: own.behind_proxy,
            oidc: own.provider()?.map(Arc::new),
            stop: self.stop.clone(),
            defined_at: SystemTime::now(),
            reference: reference::pages(),
            ..endpoint::Settings::default()
        };
        match metrics {
            Some(listener) => {
                let stop = self.stop.clone().cancelled_owned();
                let served = endpoint::serve(listener, endpoint::metrics_router(counted), patience, stop);
                tasks.spawn(async move { served.await.context("the address of the metrics ended") });
            }
            None => settings.metrics = Some(counted),
        }
        let Some(listener) = door else { return Ok(None) };
        let house = House::open(&self.dir, Door::Http, self.config.privacy.slot()).await?;
        let gate = readers::gate(&self.config, &self.dir, house.clone())?;
        tokio::spawn(readers::follow(self.config.clone(), Arc::clone(&gate), self.stop.clone()));
        settings.gate = Arc::clone(&gate);
        settings.questions = questions::open(&self.dir)?;
        let at_the_data = queue::AtTheData::new(self.config.clone(), Arc::clone(&self.dir));
        settings.queue = Some(Arc::new(queue::Handed(at_the_data)));
        settings.feeds = Some(Arc::new(feeds::Heard::new(self.config.clone(), Arc::clone(&self.dir))));
        let kept = Arc::clone(&settings.questions);
        tokio::spawn(questions::follow(Arc::clone(&self.dir), kept, self.stop.clone()));
        let reader = edition::reader(&self.config, &self.dir, house.clone()).await?;
        tokio::spawn(reader.clone().follow(LOOK_FOR_EDITIONS, self.stop.clone()));
        if let Some(house) = house {
            tokio::spawn(follow_editions(house, Arc::clone(&self.dir), reader.clone(), self.stop.clone()));
        } else {
            warn!("this machine does not hold the vault: only the published tables are served here");
        }
        if self.has(Role::Ingest) {
            settings.checks.push(("ingest", Arc::new(ingest_is_well(Arc::clone(&self.ingesting)))));
        }
        let (doors, made_ahead) = endpoint::open(reader.clone(), settings);
        tokio::spawn(made_ahead);
        let served = endpoint::serve(listener, doors, patience, self.stop.clone().cancelled_owned());
        tasks.spawn(async move { served.await.context("the endpoint ended") });
        Ok(Some((reader, gate)))
    }

    /// Certificate and key, where there are any. What cannot be read stops the start: nothing is served unencrypted instead.
    fn tls(&self) -> anyhow::Result<Option<Tls>> {
        let files = self.config.tls.certificate.as_deref().zip(self.config.tls.key.as_deref());
        let read = files.map(|(certificate, key)| Tls::read(certificate, key)).transpose();
        read.map_err(|error| {
            Failure::Usage(format!("{error}. See the configuration keys tls.certificate and tls.key.")).into()
        })
    }

    /// Serves clients of PostgreSQL.
    fn open_to_postgres(
        &self,
        listener: TcpListener,
        tls: Option<Tls>,
        (reader, gate): (Reader, Arc<Gate>),
        tasks: &mut Roles,
    ) {
        let PostgresConfig { plain, sessions, cursors_mib, .. } = self.config.postgres;
        let settings = PostgresSettings {
            gate,
            tls,
            plain,
            sessions,
            cursors: cursors_mib << 20,
            ..PostgresSettings::new(readers::random_now)
        };
        let stop = self.stop.clone().cancelled_owned();
        let served = endpoint::serve_postgres(listener, reader, settings, stop);
        tasks.spawn(async move { served.await.context("the door for PostgreSQL ended") });
    }

    /// Serves clients of Arrow Flight SQL.
    fn open_to_flight(
        &self,
        listener: TcpListener,
        tls: Option<Tls>,
        (reader, gate): (Reader, Arc<Gate>),
        tasks: &mut Roles,
    ) {
        let FlightConfig { plain, connections, .. } = self.config.flight;
        let settings = FlightSettings { gate, tls, plain, connections, ..FlightSettings::new(readers::random_now) };
        let stop = self.stop.clone().cancelled_owned();
        let served = endpoint::serve_flight(listener, reader, settings, stop);
        tasks.spawn(async move { served.await.context("the door for Flight SQL ended") });
    }

    /// What must be done before the roles begin; None when told to stop meanwhile, and then what was committed stays and the
    /// rest is read again at the next start.
    async fn prepare(&self) -> anyhow::Result<Option<Ready>> {
        let work = async {
            let ready = self.fill_and_ingest().await?;
            self.first_edition().await?;
            if self.args.once && self.has(Role::Refresh) && !self.args.sample {
                self.refresh().await?;
            }
            if self.args.once && self.has(Role::Refresh) {
                Announcer::default().announce(&self.config, &self.dir).await;
            }
            Ok(ready)
        };
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Ok(None),
            ready = work => ready.map(Some),
        }
    }

    fn keep_at_it(&self, ready: Ready, tasks: &mut Roles) {
        if self.has(Role::Ingest) {
            let (config, dir, stop) = (self.config.clone(), Arc::clone(&self.dir), self.stop.clone());
            let ingesting = Arc::clone(&self.ingesting);
            tasks.spawn(keep_ingesting(config, dir, self.files.clone(), ready.worker, ingesting, stop));
        }
        if self.has(Role::Refresh) {
            tasks.spawn(keep_fresh(self.config.clone(), Arc::clone(&self.dir), self.stop.clone()));
            tasks.spawn(crate::linking::keep(self.config.clone(), Arc::clone(&self.dir), self.stop.clone()));
            tasks.spawn(feeds::keep(self.config.clone(), Arc::clone(&self.dir), self.stop.clone()));
        }
        if self.has(Role::Maintain) {
            tasks.spawn(maintain::keep(self.config.clone(), Arc::clone(&self.dir), self.stop.clone()));
        }
    }

    /// Publishes the sample's feed to the log, and ingests what the log holds now where that must come first.
    async fn fill_and_ingest(&self) -> anyhow::Result<Ready> {
        if self.args.sample {
            let (config, dir, args) = (self.config.clone(), Arc::clone(&self.dir), self.args.country.clone());
            tokio::task::spawn_blocking(move || fill_with_sample(&config, &dir, &args)).await??;
        }
        if !self.has(Role::Ingest) {
            return Ok(Ready::default());
        }
        let drained = self.args.once || self.args.sample;
        let mut worker = match worker(&self.config, &self.dir, self.files.as_ref(), !drained).await {
            Err(error) if !drained && is_away(&error) => return Ok(Ready::default()),
            worker => worker?,
        };
        let _ = self.ingesting.set(worker.monitor());
        let mut halted = None;
        if drained {
            let report = progress::ingesting(worker.monitor(), worker.drain()).await?;
            ingested(&report)?;
            halted = halts(&report);
            self.files.iter().for_each(|files| files.tell(&report));
        }
        Ok(Ready { worker: Some(worker), halted })
    }

    /// A sample store publishes its first edition by itself; in a real one a person decides.
    async fn first_edition(&self) -> anyhow::Result<()> {
        let wanted = self.args.sample && self.has(Role::Refresh);
        if !wanted || Published::open(&self.dir.store).latest().await?.is_some() {
            return Ok(());
        }
        let bar = progress::spinner("publishing");
        let info = edition::publish(&self.dir, sampling::as_of(), None).await?;
        bar.finish_and_clear();
        exit::print(&format!("edition {} published: {} rows\n", info.edition, info.rows))
    }

    async fn refresh(&self) -> anyhow::Result<()> {
        let bar = progress::spinner("refreshing");
        let (snapshot, report) = edition::refresh_once(&self.dir, RefreshOptions::default()).await?;
        bar.finish_and_clear();
        exit::print(&format!("Snapshot {}: {} event(s) folded\n", snapshot.name(), report.stage.raw))
    }

    fn greet(&self, gate: Option<&Gate>) -> anyhow::Result<()> {
        let mut text = format!("ready after {:.1} s", self.began.elapsed().as_secs_f64());
        if self.has(Role::Endpoint) {
            let http = self.config.http;
            let records = if self.args.sample {
                "\n               amanat sql \"select province, count(*) from victims where year = 2024 and status = 'actual' group by province\""
            } else {
                ""
            };
            text.push_str(&format!(
                "\n  pages        http://{http}/ and http://{http}/docs\n  indicators   http://{http}/v1/indicators/V01/data\n  SQL          amanat sql \"select * from published.v01 limit 5\"{records}\n  API          http://{http}/openapi.json"
            ));
        }
        if self.has(Role::Endpoint) && self.config.postgres.enabled {
            let address = self.config.postgres.address;
            let (host, port) = (address.ip(), address.port());
            text.push_str(&format!("\n  PostgreSQL   psql -h {host} -p {port} -U public amanat"));
            if self.args.sample {
                let key = self.dir.path.join("keys/analyst");
                text.push_str(&format!("\n               or -U analyst, whose password stands in {}", key.display()));
            }
        }
        if self.has(Role::Endpoint) && self.config.flight.enabled {
            let scheme = if self.config.tls.certificate.is_some() { "grpc+tls" } else { "grpc" };
            text.push_str(&format!("\n  Flight SQL   {scheme}://{}", self.config.flight.address));
        }
        if self.serves_agencies() {
            let http = self.config.gateway.http;
            text.push_str(&format!("\n  agencies     http://{http}/v1/events (`amanat producer new` makes a key)"));
            if self.config.registry.url.is_none() {
                text.push_str(&format!("\n  schemas      http://{http} (Confluent's schema.registry.url)"));
            }
        }
        if let Some(gate) = gate
            && let Some(link) = readers::first_link(&self.config, &self.dir)?
        {
            // Whoever reads the link may use it at once.
            gate.replace(readers::readers(&self.config)?);
            text.push_str(&format!("\n  first login  {link}\n               once, for the one who lets others in"));
        }
        exit::print(&format!("{text}\nCtrl-C ends and loses nothing.\n"))
    }
}

/// What `/readyz` asks of a worker in this process. A partition that stands still is for `status` and the metrics: readers
/// have what was published before it.
fn ingest_is_well(ingesting: Arc<OnceLock<Monitor>>) -> impl Fn() -> Option<String> {
    move || {
        let Some(monitor) = ingesting.get() else { return Some("the event log does not answer yet".to_owned()) };
        let reachable = monitor.report().reachable;
        let away = [
            (reachable.log_away, "the event log does not answer"),
            (reachable.lake_away, "the lake cannot be written"),
        ];
        away.iter().find(|(is, _)| *is).map(|(_, what)| (*what).to_owned())
    }
}

/// The partitions of a report that stand still, each with the reason and what an operator can do.
pub fn halts(report: &WorkerReport) -> Option<Failure> {
    let halted = report.halted().map(|(partition, halt)| format!("\n  {partition}: {halt}"));
    let waiting = report.waiting().map(|(partition, waiting)| format!("\n  {partition}: {waiting}"));
    let halted: Vec<String> = halted.chain(waiting).collect();
    (!halted.is_empty()).then(|| {
        Failure::Unavailable(format!(
            "{} partition(s) stand still; the others are ingested{}",
            halted.len(),
            halted.concat()
        ))
    })
}

/// Says what a worker did.
fn ingested(report: &WorkerReport) -> anyhow::Result<()> {
    let counts = &report.counts;
    exit::print(&format!(
        "{} event(s) ingested, {} duplicate(s), {} conflict(s), {} set aside\n",
        counts.ok,
        counts.duplicate,
        counts.conflict,
        counts.set_aside_total()
    ))
}

/// Ingests until told to stop. A log that is away when the program starts is waited for, as one that goes away later is.
async fn keep_ingesting(
    config: Config,
    dir: Arc<DataDir>,
    files: Option<WorkerFiles>,
    mut ready: Option<Ingester>,
    ingesting: Arc<OnceLock<Monitor>>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut said = false;
    let mut worker = loop {
        if let Some(worker) = ready.take() {
            break worker;
        }
        match worker(&config, &dir, files.as_ref(), true).await {
            Ok(worker) => ready = Some(worker),
            Err(error) if is_away(&error) => {
                if !std::mem::replace(&mut said, true) {
                    warn!("{error:#}; trying until it answers");
                }
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    () = tokio::time::sleep(LOOK_FOR_THE_LOG) => {}
                }
            }
            Err(error) => return Err(error),
        }
    };
    let _ = ingesting.set(worker.monitor());
    if let Some(files) = files {
        tokio::spawn(files.keep_telling(worker.monitor(), stop.clone()));
    }
    ingested(&worker.run_until(stop.cancelled_owned()).await?)
}

fn is_away(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<Failure>(), Some(Failure::Unavailable(_)))
}

/// A worker over the configured log. One that drains the log and ends does not join a group for that: it reads all there is.
async fn worker(
    config: &Config,
    dir: &DataDir,
    files: Option<&WorkerFiles>,
    joins_group: bool,
) -> anyhow::Result<Ingester> {
    let source = dir.source_of_worker(config, joins_group)?;
    // New at each start on any machine: by it a writer knows its own claims.
    let writer = format!("ingest-{}", uuid::Uuid::new_v4().simple());
    let events = Events::open_or_create(&dir.store, &writer)
        .await
        .map_err(|error| crate::data_dir::unusable(&dir.path, &error))?;
    let (clock, ids) = (Arc::new(SystemClock::default()), Arc::new(RandomIds));
    let schemas = crate::avro_schemas::source(config, dir)?;
    let settings = worker_config(config, dir.kind);
    let (policy, keys) = (dir.policy.clone(), dir.keys.clone());
    let worker = Worker::new(source, events, policy, keys, settings, clock, ids).with_schemas(schemas);
    let worker = if config.ingest.receipts { worker.with_receipts(dir.sink(config)?) } else { worker };
    Ok(match files {
        Some(files) => worker.with_crash_file(files.decoding()),
        None => worker,
    })
}

/// The worker's settings from the configuration.
pub fn worker_config(config: &Config, kind: StoreKind) -> WorkerConfig {
    WorkerConfig {
        max_payload: config.ingest.max_payload_bytes,
        batch_bytes: config.ingest.batch_bytes,
        batch_rows: config.ingest.batch_rows,
        batch_age: Duration::from_millis(config.ingest.batch_age_ms),
        batch_age_most: Duration::from_millis(config.ingest.batch_age_most_ms),
        memory_bytes: config.ingest.memory_bytes,
        reclaim_after: config.log.group.as_ref().map(|_| RECLAIM_AFTER),
        accept_new_source: config.log.accept_new_source,
        set_aside_days: config.ingest.set_aside_days,
        ..WorkerConfig::new(kind)
    }
}

/// Publishes the feed to the log, as far as it is not there yet.
fn fill_with_sample(config: &Config, dir: &DataDir, wanted: &CountryArgs) -> anyhow::Result<()> {
    country::settle(dir, wanted)?;
    let size = country::name(wanted.size);
    exit::print(&format!("Amanat, with a SYNTHETIC country ({size}, seed {}). Nobody in it exists.\n", wanted.seed))?;
    let published = sampling::publish(config, dir, wanted)?;
    exit::print(&format!("{} event(s) of the agencies in the log, {} of them now\n", published.lines, published.sent))
}

/// Takes an address, or says who else may have it and where to name another.
async fn bind(address: SocketAddr, named_by: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let hint = if error.kind() == std::io::ErrorKind::AddrInUse {
            format!("is in use, perhaps by another `amanat up`: end that one, or name another address with {named_by} 127.0.0.1:PORT")
        } else {
            format!("cannot be taken ({error}): name another with {named_by} ADDRESS:PORT")
        };
        Failure::Unavailable(format!("the address {address} {hint}.")).into()
    })
}

/// Folds what has arrived, every so often, and announces editions that nobody has announced yet. A failure is said and tried
/// again: readers keep what they have.
async fn keep_fresh(config: Config, dir: Arc<DataDir>, stop: CancellationToken) -> anyhow::Result<()> {
    let every = Duration::from_secs(config.refresh.every_seconds.max(1));
    let mut announcer = Announcer::default();
    let options = RefreshOptions::default();
    loop {
        announcer.announce(&config, &dir).await;
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(every) => {}
        }
        match Events::open(&dir.store, "refresh").await {
            Err(LakeError::NoTable(_)) => {}
            Err(error) => warn!(error = &error as &dyn std::error::Error, "not refreshed"),
            Ok(_) => match edition::refresh_once(&dir, options.clone()).await {
                Ok((_, report)) if report.unchanged => {}
                Ok((snapshot, report)) => {
                    let (events, records_changed) = (report.stage.raw, report.records_changed);
                    info!(snapshot = snapshot.name(), events, records_changed, "refreshed");
                }
                Err(error) => warn!("not refreshed: {error:#}"),
            },
        }
    }
}

/// How often it is looked whether another Snapshot stands for the one that is open to questions: without somebody who was erased.
const LOOK_FOR_ERASURE: Duration = Duration::from_mins(1);

/// Opens the Snapshot of each new edition to questions.
async fn follow_editions(house: Arc<House>, dir: Arc<DataDir>, reader: Reader, stop: CancellationToken) {
    let mut editions = reader.watch();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = editions.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(LOOK_FOR_ERASURE) => {}
        }
        if let Err(error) = house.enter_latest(&dir).await {
            warn!("the Snapshot of the new edition is not open to questions: {error:#}");
        }
    }
}

/// Ends on Ctrl-C or SIGTERM; a second one ends at once.
pub async fn stop_on_signal(stop: CancellationToken) {
    if stop_asked().await.is_err() {
        return;
    }
    info!("stopping: what was read is being committed; once more ends at once");
    stop.cancel();
    if stop_asked().await.is_ok() {
        std::process::exit(130);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worker_takes_its_settings_from_the_configuration() {
        let mut config = Config::default();
        let worker = worker_config(&config, StoreKind::Real);
        assert_eq!((worker.accept_new_source, worker.set_aside_days), (false, 90));
        (config.log.accept_new_source, config.ingest.set_aside_days) = (true, 7);
        let worker = worker_config(&config, StoreKind::Real);
        assert_eq!((worker.accept_new_source, worker.set_aside_days), (true, 7));
    }
}
