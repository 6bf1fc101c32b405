//! Answers that nobody takes.
//!
//! HTTP/2 lets a client give an answer no room and yet say at each ping that it is there. Rows and turn are let go by then
//! ([`super::answer`]), but a piece of the answer and its connection would stay. So the connection is left.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::HttpBody;
use axum::http::{Request, Response};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt};
use hyper::body::Frame;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Status;
use tonic::body::Body;
use tower::Service;

use super::wire::Peer;

/// A service whose answers are taken within a time from when they begin, or their connection ends.
#[derive(Clone)]
pub(super) struct Attended<S> {
    pub(super) service: S,
    pub(super) longest: Duration,
}

impl<S> Service<Request<Body>> for Attended<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let leave = request.extensions().get::<Peer>().map(|peer| peer.leave.clone());
        let longest = self.longest;
        let answer = self.service.call(request);
        answer
            .map_ok(move |response| match leave {
                Some(leave) => attend(response, longest, leave),
                None => response,
            })
            .boxed()
    }
}

fn attend(response: Response<Body>, longest: Duration, leave: CancellationToken) -> Response<Body> {
    if response.body().is_end_stream() {
        return response;
    }
    let taken = CancellationToken::new();
    let guard = taken.clone().drop_guard();
    tokio::spawn(async move {
        if tokio::time::timeout(longest, taken.cancelled()).await.is_err() {
            leave.cancel();
        }
    });
    response.map(|body| Body::new(Taken { body, _guard: guard }))
}

/// A body that says when it is let go: it was sent, or nobody is there any more.
struct Taken {
    body: Body,
    _guard: DropGuard,
}

impl HttpBody for Taken {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}
