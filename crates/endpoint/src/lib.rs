//! The readers' door: SQL over HTTP and the indicator API.
//!
//! Absent: plans, tables, the lake. What a door gives comes from [`query::Reader`] and from nowhere else.

mod serve;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;

pub use serve::serve;

/// Text of `/metrics` in Prometheus' exposition format.
pub type MetricsText = Arc<dyn Fn() -> String + Send + Sync>;

/// A dependency that `/readyz` asks for: its name, and None when it is ready or one sentence why it is not.
pub type Check = (&'static str, Arc<dyn Fn() -> Option<String> + Send + Sync>);

/// How the door is built.
#[derive(Clone)]
pub struct Settings {
    /// What `/metrics` shows; without it the route answers 404.
    pub metrics: Option<MetricsText>,
    /// What must hold for `/readyz` beside a published edition.
    pub checks: Vec<Check>,
    /// Greatest body of a request, bytes.
    pub body_limit: usize,
    /// Longest time of a request that is not a question in SQL (those have their own limit).
    pub request_timeout: Duration,
}

impl Default for Settings {
    /// No metrics, no checks, 64 KiB, 10 s.
    fn default() -> Self {
        Self { metrics: None, checks: Vec::new(), body_limit: 64 << 10, request_timeout: Duration::from_secs(10) }
    }
}

/// All doors over one reader.
pub fn router(reader: query::Reader, settings: Settings) -> Router {
    let _ = (reader, settings);
    Router::new()
}
