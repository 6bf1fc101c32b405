//! The door for clients of PostgreSQL: psql, drivers of all languages, BI tools.
//!
//! pgwire reads and writes the messages; everything else is ours, because what it comes with shares a session among all,
//! cannot end a question that runs, and goes on unencrypted where TLS fails (users.md 5.3). A question is handed to
//! [`query::Reader`], as from every door; there is no session of the engine here.
//!
//! Absent: writing of any kind, LISTEN that hears anything, replication, files.

mod cancel;
mod catalogues;
mod cells;
mod codec;
mod copy;
mod cursor;
mod errors;
#[cfg(test)]
#[path = "../../../../fuzz/src/endpoint/postgres/mod.rs"]
pub(crate) mod held_to;
mod proof;
mod session;
mod settings;
mod startup;
mod statement;
mod stream;
mod table;
mod values;

use std::future::Future;
use std::io::Result;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use pgwire::messages::ProtocolVersion;
use query::Reader;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::codec::Framed;
use tokio_util::sync::CancellationToken;

use crate::gate::Gate;
use crate::serve::{Patience, Timed};
use crate::tls::Tls;
use cancel::Connections;
use catalogues::Catalogues;
use codec::Codec;
pub use codec::is_reading_a_message;
use errors::Failed;
use session::Session;
use stream::Opening;

/// Connections from the first byte to a session, those to cancel included; past them those that come wait.
const STARTING: usize = 1_000;
/// The longest time from the first byte to a session.
const STARTUP: Duration = Duration::from_secs(20);
/// How long a session may be silent.
const SILENCE: Duration = Duration::from_hours(12);
/// How long sessions are waited for when the service stops.
const CLOSING: Duration = Duration::from_secs(5);

/// How the door for PostgreSQL clients is built.
#[derive(Clone)]
pub struct PostgresSettings {
    /// Who comes in.
    pub gate: Arc<Gate>,
    /// Certificate and key; without them nothing is encrypted.
    pub tls: Option<Tls>,
    /// Whether clients of other machines are served without TLS.
    pub plain: bool,
    /// Sessions at once, requests to cancel left out.
    pub sessions: usize,
    /// Bytes that the open cursors of all sessions may hold.
    pub cursors: usize,
    /// How long a client may stand still before it takes some bytes of its rows.
    pub taking: Duration,
    /// Longest time in which a client takes the rows of a question, or those that it asked for of a cursor.
    pub answer_timeout: Duration,
    /// Bytes that a session may keep: what it prepared, and the values that it bound.
    pub kept: usize,
    /// Random bytes from the operating system: for secrets of cancelling, and once for what unknown names are asked.
    pub random: fn() -> [u8; 32],
}

impl PostgresSettings {
    /// Nobody but the public, no TLS, only clients of this machine, 200 sessions, 256 MiB of cursors, 20 s, 60 s, 2 MiB.
    pub fn new(random: fn() -> [u8; 32]) -> Self {
        let (taking, answer_timeout) = (Duration::from_secs(20), Duration::from_mins(1));
        Self {
            gate: Arc::default(),
            tls: None,
            plain: false,
            sessions: 200,
            cursors: 256 << 20,
            taking,
            answer_timeout,
            kept: 2 << 20,
            random,
        }
    }
}

/// What all connections share.
struct Shared {
    reader: Reader,
    settings: PostgresSettings,
    connections: Arc<Connections>,
    catalogues: Catalogues,
    /// KiB that open cursors may hold.
    cursors: Arc<Semaphore>,
    sessions: Arc<Semaphore>,
    pids: AtomicI32,
    /// Makes up what unknown names are asked for.
    secret: [u8; 32],
}

/// Serves clients of PostgreSQL until `stop` is ready; then tells those that are there, and waits a while for them.
///
/// # Errors
/// None yet: a connection that cannot be accepted is tried again.
pub async fn serve_postgres(
    listener: TcpListener,
    reader: Reader,
    settings: PostgresSettings,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    describe();
    let shared = Arc::new(Shared {
        reader,
        connections: Arc::default(),
        catalogues: Catalogues::new(),
        cursors: Arc::new(Semaphore::new((settings.cursors >> 10).min(Semaphore::MAX_PERMITS))),
        sessions: Arc::new(Semaphore::new(settings.sessions.min(Semaphore::MAX_PERMITS))),
        pids: AtomicI32::new(1),
        secret: (settings.random)(),
        settings,
    });
    let closing = CancellationToken::new();
    let mut open = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    let starting = Arc::new(Semaphore::new(STARTING));
    let accept = async || -> Result<_> {
        let place = Arc::clone(&starting).acquire_owned().await.map_err(std::io::Error::other)?;
        Ok((listener.accept().await?, place))
    };
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            Some(_) = open.join_next() => continue,
            accepted = accept() => accepted,
        };
        match accepted {
            Ok(((stream, peer), place)) => {
                let (shared, closing) = (Arc::clone(&shared), closing.clone());
                open.spawn(async move {
                    // Who leaves in the middle, or speaks another protocol, is no event of ours.
                    if let Err(error) = connection(shared, stream, (peer, place), closing).await {
                        tracing::debug!(error = &error as &dyn std::error::Error, "a connection ended");
                    }
                });
            }
            // Too many open files, say: those that are open may end meanwhile.
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    closing.cancel();
    let _ = tokio::time::timeout(CLOSING, async { while open.join_next().await.is_some() {} }).await;
    Ok(())
}

async fn connection(
    shared: Arc<Shared>,
    stream: TcpStream,
    (peer, place): (SocketAddr, OwnedSemaphorePermit),
    closing: CancellationToken,
) -> Result<()> {
    stream.set_nodelay(true)?;
    let begun = tokio::time::timeout(STARTUP, begin(&shared, stream, peer)).await;
    drop(place);
    match begun {
        Ok(Ok(Some(session))) => {
            metrics::counter!("amanat_postgres_sessions_total").increment(1);
            let open = Counted::new();
            let done = session.run(closing).await;
            drop(open);
            done
        }
        Ok(other) => other.map(|_| ()),
        Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
    }
}

/// From the first byte to a session; none where the connection was for cancelling another.
async fn begin(shared: &Arc<Shared>, stream: TcpStream, peer: SocketAddr) -> Result<Option<Session>> {
    let settings = &shared.settings;
    let tls = settings.tls.as_ref().map(|tls| tls.acceptor(stream::ALPN));
    let (wire, encrypted, startup) = match stream::open(stream, tls.as_ref()).await? {
        Opening::Cancel(request) => {
            shared.connections.cancel(request.pid, &request.secret_key);
            return Ok(None);
        }
        Opening::Startup { wire, encrypted, startup } => (wire, encrypted, startup),
    };
    let wire = Box::new(Timed::new(wire, Patience { silence: SILENCE, taking: settings.taking }));
    let mut line: startup::Line = Framed::new(wire, Codec::new(ProtocolVersion::PROTOCOL3_0));
    if !(encrypted || settings.plain || peer.ip().is_loopback()) {
        let failed = Failed::fatal("28000", "Clients of other machines are served with TLS alone.");
        return startup::refuse(&mut line, &failed.hint("Connect with sslmode=require.")).await;
    }
    let Ok(held) = Arc::clone(&shared.sessions).try_acquire_owned() else {
        let failed = Failed::fatal("53300", format!("There are {} sessions already.", settings.sessions));
        return startup::refuse(&mut line, &failed.hint("Close some, or try again in a while.")).await;
    };
    let guest = startup::admit(&mut line, startup, shared, peer.ip()).await?;
    let pid = shared.pids.fetch_add(1, Ordering::Relaxed);
    let secret = startup::cancel_secret(line.codec().spoken(), (settings.random)());
    let current = shared.reader.current();
    let place = shared.connections.enter(pid, &secret, held);
    startup::greet(&mut line, &guest, (pid, secret), current.latest()).await?;
    Ok(Some(Session::new(Arc::clone(shared), line, guest, place, pid)))
}

/// A session that is counted while it is open.
struct Counted;

impl Counted {
    fn new() -> Self {
        metrics::gauge!("amanat_postgres_sessions").increment(1);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!("amanat_postgres_sessions").decrement(1);
    }
}

fn describe() {
    metrics::describe_gauge!("amanat_postgres_sessions", "Sessions of PostgreSQL clients that are open");
    metrics::describe_counter!("amanat_postgres_sessions_total", "Sessions of PostgreSQL clients since the start");
}
