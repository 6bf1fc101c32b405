//! What the door counts for operators. Nothing here is about a person, and no count is smaller than a message.
//!
//! Counted as it happens:
//! `amanat_gateway_requests_total{route,status}` · `amanat_gateway_request_seconds{route}` (from the head of a request to its answer) ·
//! `amanat_gateway_events_total{outcome}` (`accepted`, or the code by which an event is refused) · `amanat_gateway_body_bytes_total`
//! (as they are after their coding is undone) · `amanat_gateway_repeats_total` (first answers given again) ·
//! `amanat_gateway_append_seconds` · `amanat_gateway_appended_events_total` · `amanat_gateway_append_failures_total` ·
//! `amanat_gateway_receipts_total` (heard on the stream of receipts).
//!
//! As it stands when somebody looks: `amanat_gateway_waiting_requests` (at work, at most `gateway.requests`) · `amanat_gateway_held_bytes` (at most
//! `gateway.held_bytes`) · `amanat_gateway_log_away` (1 while the stream of receipts cannot be read).
//!
//! `deploy/` has a board and alerts over these names.

use std::time::Duration;

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use super::problem::Refused;

/// Handles; clones count into the same.
#[derive(Clone)]
pub(crate) struct Meters {
    accepted: Counter,
    bytes: Counter,
    repeats: Counter,
    append: Histogram,
    appended: Counter,
    failures: Counter,
    receipts: Counter,
    waiting: Gauge,
    held: Gauge,
    log_away: Gauge,
}

impl Meters {
    pub(crate) fn new() -> Self {
        describe();
        Self {
            accepted: counter!("amanat_gateway_events_total", "outcome" => "accepted"),
            bytes: counter!("amanat_gateway_body_bytes_total"),
            repeats: counter!("amanat_gateway_repeats_total"),
            append: histogram!("amanat_gateway_append_seconds"),
            appended: counter!("amanat_gateway_appended_events_total"),
            failures: counter!("amanat_gateway_append_failures_total"),
            receipts: counter!("amanat_gateway_receipts_total"),
            waiting: gauge!("amanat_gateway_waiting_requests"),
            held: gauge!("amanat_gateway_held_bytes"),
            log_away: gauge!("amanat_gateway_log_away"),
        }
    }

    /// A request was answered.
    pub(crate) fn answered(route: &'static str, status: u16, time: Duration) {
        counter!("amanat_gateway_requests_total", "route" => route, "status" => status.to_string()).increment(1);
        histogram!("amanat_gateway_request_seconds", "route" => route).record(time);
    }

    /// A body was read.
    pub(crate) fn read(&self, bytes: usize) {
        self.bytes.increment(bytes as u64);
    }

    /// Events were accepted, and others refused.
    pub(crate) fn judged(&self, accepted: usize, refused: &[Refused]) {
        self.accepted.increment(accepted as u64);
        for one in refused.chunk_by(|a, b| a.problem.code == b.problem.code) {
            counter!("amanat_gateway_events_total", "outcome" => one[0].problem.code.clone())
                .increment(one.len() as u64);
        }
    }

    /// A first answer was given again.
    pub(crate) fn repeated(&self) {
        self.repeats.increment(1);
    }

    /// The log took a group.
    pub(crate) fn appended(&self, events: usize, time: Duration) {
        self.append.record(time);
        self.appended.increment(events as u64);
    }

    /// The log did not take a group.
    pub(crate) fn append_failed(&self) {
        self.failures.increment(1);
    }

    /// Receipts were heard.
    pub(crate) fn heard(&self, number: usize) {
        self.receipts.increment(number as u64);
    }

    /// Whether the stream of receipts cannot be read.
    pub(crate) fn log_away(&self, away: bool) {
        self.log_away.set(if away { 1.0 } else { 0.0 });
    }

    /// What is held now.
    pub(crate) fn holding(&self, (requests, bytes): (usize, usize)) {
        self.waiting.set(requests as f64);
        self.held.set(bytes as f64);
    }
}

fn describe() {
    describe_counter!("amanat_gateway_requests_total", "Requests at the agencies' door, by address and status");
    describe_histogram!(
        "amanat_gateway_request_seconds",
        Unit::Seconds,
        "From the head of a request at the agencies' door to its answer"
    );
    describe_counter!("amanat_gateway_events_total", "Events at the agencies' door: accepted, or refused by code");
    describe_counter!("amanat_gateway_body_bytes_total", Unit::Bytes, "Bodies read, after their coding was undone");
    describe_counter!("amanat_gateway_repeats_total", "First answers given again to the same Idempotency-Key");
    describe_histogram!(
        "amanat_gateway_append_seconds",
        Unit::Seconds,
        "Time in which the log took a group of requests"
    );
    describe_counter!("amanat_gateway_appended_events_total", "Events that the log took from the agencies' door");
    describe_counter!("amanat_gateway_append_failures_total", "Groups of requests that the log did not take");
    describe_counter!("amanat_gateway_receipts_total", "Receipts heard by the agencies' door");
    describe_gauge!("amanat_gateway_waiting_requests", "Requests at work at the agencies' door");
    describe_gauge!("amanat_gateway_held_bytes", Unit::Bytes, "Bytes that these requests hold");
    describe_gauge!("amanat_gateway_log_away", "1 while the agencies' door cannot read the stream of receipts");
}
