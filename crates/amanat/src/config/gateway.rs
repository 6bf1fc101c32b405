//! The agencies' door: where it is, and what one request and all of them together may take.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ::gateway::door::Limits;
use serde::{Deserialize, Serialize};

use super::{ConfigError, TlsConfig};

/// The agencies' door: events over HTTP, and the embedded schema registry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GatewayConfig {
    /// Its address: of `/v1/events`, and for `schema.registry.url` of producers.
    pub http: SocketAddr,
    /// Take keys and events of other machines without TLS too: only behind a proxy that ends TLS.
    pub plain: bool,
    /// Authorities (PEM) by which certificates of agencies are checked; none are asked for where absent. Which agency a certificate is
    /// of stands in `producers.toml`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<PathBuf>,
    /// Largest body as it is sent, bytes.
    pub body_bytes: usize,
    /// Largest body after gzip or zstd is undone, bytes.
    pub decoded_bytes: usize,
    /// Most events in one request.
    pub events: usize,
    /// Requests at work at once; what comes beyond is answered 429.
    pub requests: usize,
    /// Of them, those of one agency.
    pub requests_of_one: usize,
    /// Bytes that all requests together may hold.
    pub held_bytes: usize,
    /// Of them, those of one agency.
    pub held_bytes_of_one: usize,
    /// Seconds in which a body must arrive.
    pub arrival_seconds: u64,
    /// Hours for which the first answer to an `Idempotency-Key` is given again.
    pub repeat_hours: u32,
    /// Days for which a receipt can be looked up.
    pub receipt_days: u32,
    /// Its own certificate and key.
    pub tls: TlsConfig,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        let own = Limits::default();
        Self {
            http: SocketAddr::from(([127, 0, 0, 1], 8081)),
            plain: false,
            client_ca: None,
            body_bytes: own.body_bytes,
            decoded_bytes: own.decoded_bytes,
            events: own.events,
            requests: own.requests,
            requests_of_one: own.requests_of_one,
            held_bytes: own.held_bytes,
            held_bytes_of_one: own.held_bytes_of_one,
            arrival_seconds: own.arrival.as_secs(),
            repeat_hours: 48,
            receipt_days: eventlog::RECEIPTS_DAYS,
            tls: TlsConfig::default(),
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
            requests_of_one: self.requests_of_one,
            held_bytes: self.held_bytes,
            held_bytes_of_one: self.held_bytes_of_one,
            arrival: Duration::from_secs(self.arrival_seconds),
            repeat_for: Duration::from_hours(self.repeat_hours.into()),
            keep_for: Duration::from_hours(24 * u64::from(self.receipt_days)),
        }
    }

    /// Refuses a door to which other machines would send keys in the clear without anybody having said so.
    fn encrypted(&self) -> Result<(), ConfigError> {
        let refuse = |key: &str, what: &str| {
            Err(ConfigError::Invalid { place: format!("configuration key `gateway.{key}`"), what: what.into() })
        };
        let has_tls = self.tls.certificate.is_some();
        if has_tls != self.tls.key.is_some() {
            return refuse("tls", "needs both certificate and key, or neither");
        }
        if self.client_ca.is_some() && !has_tls {
            return refuse(
                "client_ca",
                "needs gateway.tls.certificate and gateway.tls.key: a client shows its certificate by TLS",
            );
        }
        if !has_tls && !self.plain && !self.http.ip().is_loopback() {
            let what = "is reached from other machines, and nothing would encrypt the keys and events that they send: set \
                        gateway.tls.certificate and gateway.tls.key, or gateway.plain = true behind a proxy that ends TLS, or an address \
                        of this machine";
            return refuse("http", what);
        }
        Ok(())
    }

    /// Refuses limits under which nothing could be sent, or with which a retry could come too late.
    pub(super) fn checked(&self) -> Result<(), ConfigError> {
        let refuse = |key: &str, what: &str| {
            Err(ConfigError::Invalid { place: format!("configuration key `gateway.{key}`"), what: what.into() })
        };
        self.encrypted()?;
        if [self.events, self.requests, self.requests_of_one, self.body_bytes].contains(&0) || self.arrival_seconds == 0
        {
            return refuse(
                "events",
                "and requests, requests_of_one, body_bytes and arrival_seconds must be at least 1",
            );
        }
        if self.decoded_bytes < self.body_bytes {
            return refuse("decoded_bytes", "must be at least gateway.body_bytes: a body may be sent as it is");
        }
        if self.held_bytes_of_one < 4 * self.decoded_bytes {
            let what =
                "must be at least four times gateway.decoded_bytes: a body is held as sent, as decoded and as messages";
            return refuse("held_bytes_of_one", what);
        }
        if self.held_bytes < self.held_bytes_of_one {
            return refuse(
                "held_bytes",
                "must be at least gateway.held_bytes_of_one, and more, or one agency can take up all of it",
            );
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
            ("held_bytes_of_one", GatewayConfig { held_bytes_of_one: 1 << 20, ..GatewayConfig::default() }),
            ("repeat_hours", GatewayConfig { repeat_hours: 23, ..GatewayConfig::default() }),
            ("receipt_days", GatewayConfig { receipt_days: 1, ..GatewayConfig::default() }),
            ("events", GatewayConfig { events: 0, ..GatewayConfig::default() }),
        ];
        for (key, config) in wrong {
            let error = config.checked().unwrap_err().to_string();
            assert!(error.contains(&format!("gateway.{key}")), "{error}");
        }
    }

    #[test]
    fn keys_are_not_sent_in_the_clear_unless_somebody_says_that_a_proxy_ends_tls() {
        let open = GatewayConfig { http: SocketAddr::from(([0, 0, 0, 0], 8081)), ..GatewayConfig::default() };
        let file = || Some(PathBuf::from("file.pem"));
        let both = TlsConfig { certificate: file(), key: file() };
        let refused = open.checked().unwrap_err().to_string();
        for remedy in ["gateway.http", "gateway.tls.certificate", "gateway.plain"] {
            assert!(refused.contains(remedy), "{refused}");
        }
        GatewayConfig { plain: true, ..open.clone() }.checked().unwrap();
        GatewayConfig { tls: both.clone(), ..open.clone() }.checked().unwrap();
        GatewayConfig { tls: both.clone(), client_ca: file(), ..open }.checked().unwrap();
        let half = TlsConfig { key: None, ..both };
        assert!(GatewayConfig { tls: half, ..GatewayConfig::default() }.checked().is_err());
        let error = GatewayConfig { client_ca: file(), ..GatewayConfig::default() }.checked().unwrap_err().to_string();
        assert!(error.contains("gateway.client_ca") && error.contains("gateway.tls.certificate"), "{error}");
    }
}
