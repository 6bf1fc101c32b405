//! Serving a router on an address, so that the program needs to know no HTTP library.
//!
//! A client that stops reading its answer, or stops sending its question, is left after a while: what it holds (a turn to
//! compute, memory) belongs to those who wait. A client that is merely slow is not, as long as bytes move.

use std::future::Future;
use std::io::{Error, ErrorKind, IoSlice, Result};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Sleep;

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

/// Answers requests until `stop` is ready; then finishes those that have begun.
///
/// # Errors
/// Those of the listener.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    patience: Patience,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let service = router.into_make_service_with_connect_info::<Peer>();
    axum::serve(Patient { listener, patience }, service).with_graceful_shutdown(stop).await
}

/// Who is at the other end of the connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

impl Connected<IncomingStream<'_, Patient>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Patient>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// A listener whose connections end when they stand still.
struct Patient {
    listener: TcpListener,
    patience: Patience,
}

impl Listener for Patient {
    type Io = Timed<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, peer) = Listener::accept(&mut self.listener).await;
        // What is written is sent: an answer behind another waits for nothing, nor does an event of a stream.
        let _ = stream.set_nodelay(true);
        (Timed::new(stream, self.patience), peer)
    }

    fn local_addr(&self) -> Result<Self::Addr> {
        self.listener.local_addr()
    }
}

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
#[derive(Default)]
struct Clock(Option<Pin<Box<Sleep>>>);

impl Clock {
    /// What is still pending becomes an error when the clock, begun at the first such call, has run out.
    fn watch<T>(&mut self, outcome: Poll<Result<T>>, limit: Duration, cx: &mut Context<'_>) -> Poll<Result<T>> {
        if outcome.is_ready() {
            return outcome;
        }
        let clock = self.0.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        ready!(clock.as_mut().poll(cx));
        Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the client stood still")))
    }
}

impl<S> Timed<S> {
    pub(crate) fn new(stream: S, patience: Patience) -> Self {
        Self { stream, patience, silence: Clock::default(), taking: Clock::default() }
    }

    /// Watches an outcome of writing: bytes that went out set both clocks back.
    fn sent<T>(&mut self, outcome: Poll<Result<T>>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        if outcome.is_ready() {
            (self.silence, self.taking) = (Clock::default(), Clock::default());
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
