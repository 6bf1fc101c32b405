//! The agencies' door of a data directory: events over HTTP, and beside them the schema registry where it is ours. One process at a
//! time has the door open, by a lock on the directory: which `Idempotency-Key` is at work is known to one.

use std::future::Future;
use std::sync::Arc;
use std::time::SystemTime;

use ::gateway::door::{Admission, ClientCertificate, Door, OpenSource, Settings, beside, router};
use anyhow::Context;
use endpoint::{Patience, Tls};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::admission::Judge;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::exit::Failure;
use crate::template::OfTheDoor;
use crate::{producers, registry};

/// How long a request may take before its connection counts as standing still.
const LONGEST_REQUEST: std::time::Duration = std::time::Duration::from_secs(30);

/// Lock of the process that has the door open.
const LOCK: &str = "LOCK.gateway";

/// Serves the door until `stop`, and gives it, so that its metrics can be asked for.
pub fn serve(
    (config, dir): (&Config, &Arc<DataDir>),
    listener: TcpListener,
    stop: CancellationToken,
) -> anyhow::Result<(Door, impl Future<Output = anyhow::Result<()>> + Send + 'static)> {
    let lock = dir.lock(LOCK)?;
    let door = open(config, dir)?;
    let registry = if config.registry.url.is_none() { Some(::gateway::router(registry::open(dir)?)) } else { None };
    let doors = beside(router(door.clone()), registry);
    let (tls, patience, ended) = (tls(config)?, Patience::with(LONGEST_REQUEST), stop.clone().cancelled_owned());
    let served = async move {
        match &tls {
            Some(tls) => endpoint::serve_encrypted(listener, (tls, ClientCertificate), doors, patience, ended).await,
            None => endpoint::serve(listener, doors, patience, ended).await,
        }
    };
    tokio::spawn(producers::follow(dir.path.clone(), door.clone(), stop));
    let serving = async move {
        let _lock = lock;
        served.await.context("the agencies' door ended")
    };
    Ok((door, serving))
}

/// Certificate and key, and the authorities of clients' certificates, where there are any. What cannot be read stops the start.
fn tls(config: &Config) -> anyhow::Result<Option<Tls>> {
    let own = &config.gateway;
    let (Some(certificate), Some(key)) = (&own.tls.certificate, &own.tls.key) else { return Ok(None) };
    let read = match &own.client_ca {
        Some(clients) => Tls::with_clients(certificate, key, clients),
        None => Tls::read(certificate, key),
    };
    let refuse = |error| {
        let keys = "gateway.tls.certificate, gateway.tls.key and gateway.client_ca";
        Failure::Usage(format!("{error}. See the configuration keys {keys}.")).into()
    };
    read.map(Some).map_err(refuse)
}

/// Opens the door for whoever `producers.toml` names.
fn open(config: &Config, dir: &Arc<DataDir>) -> anyhow::Result<Door> {
    let settings = Settings {
        policy: Arc::clone(&dir.policy),
        admission: admission(dir),
        sheets: Some(Arc::new(OfTheDoor { synthetic: dir.is_sample() })),
        limits: config.gateway.limits(config.ingest.max_payload_bytes),
        clock: SystemTime::now,
        random,
        row_key: *dir.keys.person,
        digest_key: *dir.keys.repeat,
    };
    let known = producers::known(&dir.path)?;
    let (own, settled) = (Arc::clone(dir), config.clone());
    let source: OpenSource = Box::new(move || own.log_source(&settled));
    let door = Door::open(&dir.path.join("gateway.db"), dir.sink(config)?, source, settings)
        .map_err(|error| Failure::DataDirectory(error.to_string()))?;
    door.admit(known);
    Ok(door)
}

/// What the worker asks of an event, as far as it can be known when the log takes it.
fn admission(dir: &Arc<DataDir>) -> Admission {
    let dir = Arc::clone(dir);
    Arc::new(move |event, now_ms| {
        let judge = Judge { policy: &dir.policy, kind: Some(dir.kind), limits: events::Limits::default() };
        ingest::lies_ahead(event, now_ms).or_else(|| judge.objection(event))
    })
}

/// The id of a receipt.
fn random() -> [u8; 16] {
    uuid::Uuid::new_v4().into_bytes()
}
