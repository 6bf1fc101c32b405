//! The door for clients of Arrow Flight SQL: ADBC, JDBC, and whatever else takes columns instead of rows.
//!
//! `arrow-flight` and `tonic` read and write the messages. A question is handed to [`query::Reader`], as from every door; there is no
//! session of the engine here. What is kept of clients is the text of what they prepared and which questions run, both bounded.
//!
//! Absent: writing of any kind, transactions, plans of Substrait, polling, tickets that let anybody in.

mod answer;
mod attended;
mod auth;
mod catalogue;
mod commands;
mod errors;
mod facts;
mod params;
mod prepared;
mod questions;
mod running;
mod service;
mod wire;

use std::future::Future;
use std::io::{Error, Result};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arrow_flight::flight_service_server::FlightServiceServer;
use axum::http::{HeaderValue, Response};
use query::Reader;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::body::Body;
use tonic::transport::Server;
use tower::layer::layer_fn;
use tower::util::MapResponseLayer;

use crate::gate::Gate;
use crate::serve::Patience;
use crate::tls::Tls;
use attended::Attended;
use facts::Facts;
use prepared::Statements;
use running::Running;
use service::Flight;
use wire::{Stream, Wire};

/// The protocol that a client of TLS names.
const ALPN: &[u8] = b"h2";
/// The longest time of a handshake of TLS.
const STARTUP: Duration = Duration::from_secs(20);
/// How long answers are waited for when the service stops.
const CLOSING: Duration = Duration::from_secs(5);
/// The longest message that is read, bytes: a question has at most 16 KiB, and its values and the form around it are no more.
const MESSAGE: usize = 256 << 10;
/// Calls that one connection may have open at once.
const CALLS: u32 = 64;
/// Bytes of headers that a call may have.
const HEADERS: u32 = 16 << 10;
/// A connection is asked so often whether it is there, and has so long to say so.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// How old a connection may become; clients make a new one by themselves.
const AGE: Duration = Duration::from_hours(12);

/// How the door for clients of Arrow Flight SQL is built.
#[derive(Clone)]
pub struct FlightSettings {
    /// Who comes in.
    pub gate: Arc<Gate>,
    /// Certificate and key; without them nothing is encrypted.
    pub tls: Option<Tls>,
    /// Whether clients of other machines are served without TLS.
    pub plain: bool,
    /// Connections at once.
    pub connections: usize,
    /// Longest time in which a client takes the answer to a question.
    pub answer_timeout: Duration,
    /// How long a client may stand still before it takes some bytes of its answer.
    pub taking: Duration,
    /// How long who did not take an answer in time may take to come back and be told; then the connection ends.
    pub grace: Duration,
    /// Random bytes from the operating system: for names that nobody guesses.
    pub random: fn() -> [u8; 32],
}

impl FlightSettings {
    /// Nobody but the public, no TLS, only clients of this machine, 200 connections, 60 s for an answer, 20 s for some bytes of it, 60 s to come back.
    pub fn new(random: fn() -> [u8; 32]) -> Self {
        Self {
            gate: Arc::default(),
            tls: None,
            plain: false,
            connections: 200,
            answer_timeout: Duration::from_mins(1),
            taking: Duration::from_secs(20),
            grace: Duration::from_mins(1),
            random,
        }
    }
}

/// What all calls share.
struct Shared {
    reader: Reader,
    settings: FlightSettings,
    statements: Statements,
    running: Arc<Running>,
    facts: Facts,
}

/// Serves clients of Arrow Flight SQL until `stop` is ready; then waits a while for the answers that are on their way.
///
/// # Errors
/// None but a defect: a connection that cannot be accepted is tried again.
pub async fn serve_flight(
    listener: TcpListener,
    reader: Reader,
    settings: FlightSettings,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    describe();
    let longest = settings.answer_timeout + settings.grace;
    let facts = Facts::new(&reader).map_err(Error::other)?;
    let (sender, mut accepted) = mpsc::channel(1);
    let accepting = accept(listener, settings.clone(), sender);
    let shared = Shared { reader, settings, statements: Statements::default(), running: Arc::default(), facts };
    let service = FlightServiceServer::new(Flight(Arc::new(shared))).max_decoding_message_size(MESSAGE);
    let closing = CancellationToken::new();
    let connections = futures::stream::poll_fn(move |cx| accepted.poll_recv(cx));
    let serving = Server::builder()
        .max_concurrent_streams(CALLS)
        .http2_max_header_list_size(HEADERS)
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE))
        .max_connection_age(AGE)
        .max_connection_age_grace(AGE)
        .layer(layer_fn(move |service| Attended { service, longest }))
        .layer(MapResponseLayer::new(told))
        .add_service(service)
        .serve_with_incoming_shutdown(connections, closing.clone().cancelled_owned());
    let stopping = async {
        tokio::select! {
            () = stop => {}
            () = accepting => {}
        }
        closing.cancel();
        tokio::time::sleep(CLOSING).await;
    };
    tokio::select! {
        served = serving => served.map_err(Error::other),
        () = stopping => Ok(()),
    }
}

/// Accepts connections for ever, and hands each over when it can be spoken on.
async fn accept(listener: TcpListener, settings: FlightSettings, to: Sender<Result<Wire>>) {
    let places = Arc::new(Semaphore::new(settings.connections.min(Semaphore::MAX_PERMITS)));
    let tls = settings.tls.as_ref().map(|tls| tls.acceptor(ALPN));
    let patience = Patience { silence: KEEP_ALIVE * 3, taking: settings.taking };
    let mut opening = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            Some(_) = opening.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            // Too many open files, say: those that are open may end meanwhile.
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            // Nothing can be said before HTTP/2 is spoken; the client sees that nobody is there, and tries again.
            metrics::counter!("amanat_flight_connections_refused_total").increment(1);
            continue;
        };
        let (tls, to) = (tls.clone(), to.clone());
        opening.spawn(async move {
            match tokio::time::timeout(STARTUP, open(stream, address, tls, patience, place)).await {
                Ok(Ok(wire)) => drop(to.send(Ok(wire)).await),
                // Who leaves in the middle, or speaks another protocol, is no event of ours.
                Ok(Err(error)) => tracing::debug!(error = &error as &dyn std::error::Error, "a connection ended"),
                Err(_) => {}
            }
        });
    }
}

async fn open(
    stream: TcpStream,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    patience: Patience,
    place: OwnedSemaphorePermit,
) -> Result<Wire> {
    stream.set_nodelay(true)?;
    let stream = match tls {
        Some(tls) => Stream::Tls(Box::new(tls.accept(stream).await?)),
        None => Stream::Plain(stream),
    };
    Ok(Wire::new(stream, address, patience, place))
}

/// What the library refuses by itself is refused as we do: bytes that are no message of the call, or too many of them.
fn told(mut response: Response<Body>) -> Response<Body> {
    const STATUS: &str = "grpc-status";
    const MESSAGE_OF_STATUS: &str = "grpc-message";
    let headers = response.headers_mut();
    let status = headers.get(STATUS).and_then(|status| status.to_str().ok()?.parse::<i32>().ok());
    let is_unread = [Code::OutOfRange, Code::Internal].into_iter().any(|code| status == Some(code as i32));
    if is_unread && !errors::is_ours(headers) {
        let status = errors::malformed("What was sent is no message of this call, or is longer than one may be.");
        headers.remove(STATUS);
        headers.remove(MESSAGE_OF_STATUS);
        if status.add_header(headers).is_err() {
            headers.insert(STATUS, HeaderValue::from(Code::InvalidArgument as i32));
        }
    }
    response
}

fn describe() {
    metrics::describe_gauge!("amanat_flight_connections", "Connections of Flight SQL clients that are open");
    metrics::describe_counter!("amanat_flight_connections_total", "Connections of Flight SQL clients since the start");
    metrics::describe_counter!(
        "amanat_flight_connections_refused_total",
        "Connections of Flight SQL clients that found no place"
    );
    metrics::describe_counter!("amanat_flight_calls_total", "Calls of Flight SQL clients since the start");
    metrics::describe_counter!(
        "amanat_flight_refusals_total",
        "Calls of Flight SQL clients that were refused, by code"
    );
}
