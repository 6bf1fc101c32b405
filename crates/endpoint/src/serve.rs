//! Serving a router on an address, so that the program needs to know no HTTP library.

use std::future::Future;

use axum::Router;
use tokio::net::TcpListener;

/// Answers requests until `stop` is ready; then finishes those that have begun.
///
/// # Errors
/// Those of the listener.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}
