//! The agencies' door: where it is, and what one request and all of them together may take.

use std::net::SocketAddr;
use std::time::Duration;

use ::gateway::door::Limits;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// The agencies' door: events over HTTP, and the embedded schema registry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GatewayConfig {
    /// Its address: of `/v1/events`, and for `schema.registry.url` of producers.
    pub http: SocketAddr,
    /// Largest body as it is sent, bytes.
    pub body_bytes: usize,
    /// Largest body after gzip or zstd is undone, bytes.
    pub decoded_bytes: usize,
    /// Most events in one request.
    pub events: usize,
    /// Requests at work at once; what comes beyond is answered 429.
    pub requests: usize,
    /// Bytes that all requests together may hold.
    pub held_bytes: usize,
    /// Seconds in which a body must arrive.
    pub arrival_seconds: u64,
    /// Hours for which the first answer to an `Idempotency-Key` is given again.
    pub repeat_hours: u32,
    /// Days for which a receipt can be looked up.
    pub receipt_days: u32,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        let own = Limits::default();
        Self {
            http: SocketAddr::from(([127, 0, 0, 1], 8081)),
            body_bytes: own.body_bytes,
            decoded_bytes: own.decoded_bytes,
            events: own.events,
            requests: own.requests,
            held_bytes: own.held_bytes,
            arrival_seconds: own.arrival.as_secs(),
            repeat_hours: 48,
            receipt_days: eventlog::RECEIPTS_DAYS,
        }
    }
}

impl GatewayConfig {
    /// The same as the door takes it; an event may be as large as the worker lets it (`ingest.max_payload_bytes`).
    pub fn limits(&self, event_bytes: usize) -> Limits {
        Limits {
            event_bytes,
            body_bytes: self.body_bytes,
            decoded_bytes: self.decoded_bytes,
            events: self.events,
            requests: self.requests,
            held_bytes: self.held_bytes,
            arrival: Duration::from_secs(self.arrival_seconds),
            repeat_for: Duration::from_hours(self.repeat_hours.into()),
            keep_for: Duration::from_hours(24 * u64::from(self.receipt_days)),
        }
    }

    /// Refuses limits under which nothing could be sent, or with which a retry could come too late.
    pub(super) fn checked(&self) -> Result<(), ConfigError> {
        let refuse = |key: &str, what: &str| {
            Err(ConfigError::Invalid { place: format!("configuration key `gateway.{key}`"), what: what.into() })
        };
        if self.events == 0 || self.requests == 0 || self.body_bytes == 0 || self.arrival_seconds == 0 {
            return refuse("events", "and requests, body_bytes and arrival_seconds must be at least 1");
        }
        if self.decoded_bytes < self.body_bytes {
            return refuse("decoded_bytes", "must be at least gateway.body_bytes: a body may be sent as it is");
        }
        if self.held_bytes < 4 * self.decoded_bytes {
            let what =
                "must be at least four times gateway.decoded_bytes: a body is held as sent, as decoded and as messages";
            return refuse("held_bytes", what);
        }
        if self.repeat_hours < 24 {
            return refuse("repeat_hours", "must be at least 24: who sends again tomorrow must not send twice");
        }
        if u64::from(self.receipt_days) * 24 < u64::from(self.repeat_hours) {
            return refuse(
                "receipt_days",
                "must not be shorter than gateway.repeat_hours: an answer is made of its receipt",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_doors_own_and_hold() {
        let config = GatewayConfig::default();
        assert_eq!(config.limits(Limits::default().event_bytes), Limits::default());
        config.checked().unwrap();
    }

    #[test]
    fn limits_under_which_nothing_could_be_sent_are_refused_by_name() {
        let wrong = [
            ("decoded_bytes", GatewayConfig { decoded_bytes: 1, ..GatewayConfig::default() }),
            ("held_bytes", GatewayConfig { held_bytes: 1 << 20, ..GatewayConfig::default() }),
            ("repeat_hours", GatewayConfig { repeat_hours: 23, ..GatewayConfig::default() }),
            ("receipt_days", GatewayConfig { receipt_days: 1, ..GatewayConfig::default() }),
            ("events", GatewayConfig { events: 0, ..GatewayConfig::default() }),
        ];
        for (key, config) in wrong {
            let error = config.checked().unwrap_err().to_string();
            assert!(error.contains(&format!("gateway.{key}")), "{error}");
        }
    }
}
