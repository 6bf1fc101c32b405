//! Serving a service on an address, so that the program needs to know no HTTP library.
//!
//! A client that stops reading its answer, or stops sending its question, is left after a while: what it holds (a turn to
//! compute, memory) belongs to those who wait. A client that is merely slow is not, as long as bytes move.

use std::convert::Infallible;
use std::future::Future;
use std::io::{Error, ErrorKind, IoSlice, Result};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::tls::{Tls, fingerprint_of};

/// How long a connection may stand still.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// From the last byte sent to the next: the next request arrives, is answered, and the answer begins. Above the longest
    /// time of a question, for a client is silent while it waits.
    pub silence: Duration,
    /// For the client to take some bytes of its answer.
    pub taking: Duration,
}

impl Patience {
    /// For questions that may take this long.
    pub fn with(longest_question: Duration) -> Self {
        Self { silence: longest_question + Duration::from_secs(45), taking: Duration::from_secs(20) }
    }
}

/// Connections that are open at once; past them those that come wait until one ends.
const CONNECTIONS: usize = 20_000;
/// The longest head of a request, bytes: addresses with filters are long, and what is longer is no question of a person.
const LONGEST_HEAD: usize = 64 << 10;
/// How long requests that have begun are waited for when the service stops.
const CLOSING: Duration = Duration::from_secs(30);
/// The protocol that a client of TLS names.
const ALPN: &[u8] = b"http/1.1";
/// The longest time of a handshake of TLS.
const STARTUP: Duration = Duration::from_secs(20);
/// How old an encrypted connection may become, as its client's certificate is looked at when it begins; clients make a new one by
/// themselves.
const AGE: Duration = Duration::from_hours(12);

/// Answers requests until `stop` is ready; then finishes those that have begun. The service is always ready: what it cannot do at once
/// it does in the future that it gives back, as routers do.
///
/// HTTP/1.1 alone: by HTTP/2 one connection has many requests, which its client may begin and leave, and none of the limits here
/// would hold for each of them.
///
/// # Errors
/// None yet: a connection that cannot be accepted is tried again.
pub async fn serve<S>(
    listener: TcpListener,
    service: S,
    patience: Patience,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let begin = |stream, peer, service, closing| connection(Timed::new(stream, patience), peer, service, closing);
    each(listener, service, begin, stop).await
}

/// The same over TLS. Each request of a client that has shown a certificate bears, among its extensions, what `shown` makes of the
/// certificate's SHA-256 fingerprint.
///
/// # Errors
/// None yet, as of [`serve`].
pub async fn serve_encrypted<S, M>(
    listener: TcpListener,
    (tls, shown): (&Tls, fn([u8; 32]) -> M),
    service: S,
    patience: Patience,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
    M: Clone + Send + Sync + 'static,
{
    let acceptor = tls.acceptor(ALPN);
    let begin = |stream, peer, service, closing| {
        encrypted((acceptor.clone(), Timed::new(stream, patience)), shown, peer, service, closing)
    };
    each(listener, service, begin, stop).await
}

/// Begins each connection, until `stop` is ready; then waits for those that have begun.
async fn each<S: Clone, C: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    service: S,
    begin: impl Fn(TcpStream, SocketAddr, S, CancellationToken) -> C,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let closing = CancellationToken::new();
    let mut open = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            Some(_) = open.join_next() => continue,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                let begun = begin(stream, peer, service.clone(), closing.clone());
                open.spawn(async move {
                    let _place = place;
                    begun.await;
                });
            }
            // Too many open files, say: those that are open may end meanwhile.
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    closing.cancel();
    let _ = tokio::time::timeout(CLOSING, async { while open.join_next().await.is_some() {} }).await;
    Ok(())
}

/// The next connection, when there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(Error::other)?;
    let (stream, peer) = listener.accept().await?;
    // What is written is sent: an answer behind another waits for nothing, nor does an event of a stream.
    let _ = stream.set_nodelay(true);
    Ok((stream, peer, place))
}

/// Answers the requests of one connection after its handshake. The clocks are below TLS, so that they see the bytes that move.
async fn encrypted<S, M>(
    (acceptor, stream): (TlsAcceptor, Timed<TcpStream>),
    shown: fn([u8; 32]) -> M,
    peer: SocketAddr,
    mut service: S,
    closing: CancellationToken,
) where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
    M: Clone + Send + Sync + 'static,
{
    let stream = match tokio::time::timeout(STARTUP, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        // Without TLS, with a certificate that does not hold, or too slow: no event of ours.
        Ok(Err(error)) => return tracing::debug!(error = &error as &dyn std::error::Error, "no handshake"),
        Err(_) => return tracing::debug!("no handshake in time"),
    };
    let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let mark = certificate.map(|own| shown(fingerprint_of(own)));
    let marked = tower::service_fn(move |mut request: Request<Body>| {
        if let Some(mark) = &mark {
            request.extensions_mut().insert(mark.clone());
        }
        service.call(request)
    });
    let old = closing.child_token();
    let aged = async {
        tokio::time::sleep(AGE).await;
        old.cancel();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = connection(stream, peer, marked, old.clone()) => {}
        () = aged => {}
    }
}

/// Answers the requests of one connection; when the service closes, the one that has begun.
async fn connection<S>(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: SocketAddr,
    service: S,
    closing: CancellationToken,
) where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let peer = ConnectInfo(Peer(peer));
    let answering = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        service.clone().call(request)
    });
    let mut connection =
        std::pin::pin!(Builder::new().max_buf_size(LONGEST_HEAD).serve_connection(TokioIo::new(stream), answering));
    let done = tokio::select! {
        biased;
        done = connection.as_mut() => done,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    // Who leaves in the middle, or speaks another protocol, is no event of ours.
    if let Err(error) = done {
        tracing::debug!(error = &error as &dyn std::error::Error, "a connection ended");
    }
}

/// Who is at the other end of the connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// A stream whose reads and writes fail when they have waited too long.
///
/// Only bytes sent set the clock of reading back: a client that sends its request a byte at a time gains nothing by it.
pub(crate) struct Timed<S> {
    stream: S,
    patience: Patience,
    silence: Clock,
    taking: Clock,
}

/// A clock that runs while something waits.
///
/// A connection waits and goes on thousands of times in a second. So the alarm is set once and not at each of them: when it rings, it
/// is looked whether its time has come, and else it is set for what is left.
#[derive(Default)]
struct Clock {
    since: Option<Instant>,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Clock {
    /// What is still pending becomes an error when the clock, begun at the first such call, has run out.
    fn watch<T>(&mut self, outcome: Poll<Result<T>>, limit: Duration, cx: &mut Context<'_>) -> Poll<Result<T>> {
        if outcome.is_ready() {
            return outcome;
        }
        let due = *self.since.get_or_insert_with(Instant::now) + limit;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        loop {
            ready!(alarm.as_mut().poll(cx));
            if alarm.deadline() >= due {
                return Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the client stood still")));
            }
            alarm.as_mut().reset(due);
        }
    }

    /// It begins anew when something waits again.
    fn set_back(&mut self) {
        self.since = None;
    }
}

impl<S> Timed<S> {
    pub(crate) fn new(stream: S, patience: Patience) -> Self {
        Self { stream, patience, silence: Clock::default(), taking: Clock::default() }
    }

    /// Watches an outcome of writing: bytes that went out set both clocks back.
    fn sent<T>(&mut self, outcome: Poll<Result<T>>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        if outcome.is_ready() {
            self.silence.set_back();
            self.taking.set_back();
        }
        self.taking.watch(outcome, self.patience.taking, cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buf);
        let limit = self.patience.silence;
        self.silence.watch(outcome, limit, cx)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.sent(outcome, cx)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        // A TCP stream has nothing of its own to flush, so this says nothing about the client.
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.sent(outcome, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
