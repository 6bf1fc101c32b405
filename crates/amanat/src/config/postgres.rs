//! The door for clients of PostgreSQL, and what encrypts it.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// The door for clients of PostgreSQL: psql, drivers, BI tools.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PostgresConfig {
    /// Whether there is one.
    pub enabled: bool,
    /// Its address.
    pub address: SocketAddr,
    /// Serve clients of other machines without TLS too: only behind something that encrypts.
    pub plain: bool,
    /// Sessions at once.
    pub sessions: usize,
    /// What the open cursors of all sessions may hold, MiB.
    pub cursors_mib: usize,
}

/// TLS: a chain of certificates, the service's own first, and its key, both as PEM. Both or neither.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsConfig {
    /// The file of certificates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// The file of the private key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
}

impl TlsConfig {
    /// Refuses a door that other machines reach in the clear, unless it is `excused`: closed, or behind something that encrypts.
    pub(super) fn covers(&self, door: &str, address: SocketAddr, excused: bool) -> Result<(), ConfigError> {
        if excused || address.ip().is_loopback() || self.certificate.is_some() {
            return Ok(());
        }
        let what = format!(
            "is reached from other machines, and nothing would encrypt what they ask: set tls.certificate and tls.key, \
             or {door}.plain = true behind something that encrypts, or an address of this machine"
        );
        Err(ConfigError::Invalid { place: format!("configuration key `{door}.address`"), what })
    }
}

impl Default for PostgresConfig {
    fn default() -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], 5433));
        Self { enabled: true, address, plain: false, sessions: 200, cursors_mib: 256 }
    }
}

impl PostgresConfig {
    /// Refuses a door that other machines reach in the clear without anybody having said so.
    pub(super) fn checked(&self, tls: &TlsConfig) -> Result<(), ConfigError> {
        let refuse = |place: &str, what: &str| {
            Err(ConfigError::Invalid { place: format!("configuration key `{place}`"), what: what.into() })
        };
        if tls.certificate.is_some() != tls.key.is_some() {
            return refuse("tls", "needs both certificate and key, or neither");
        }
        tls.covers("postgres", self.address, !self.enabled || self.plain)?;
        if self.sessions == 0 {
            return refuse("postgres.sessions", "must be at least 1; postgres.enabled = false closes the door");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_that_other_machines_reach_is_encrypted_or_somebody_says_that_something_else_encrypts() {
        let open = PostgresConfig { address: SocketAddr::from(([0, 0, 0, 0], 5433)), ..PostgresConfig::default() };
        let file = || Some(PathBuf::from("file.pem"));
        let (none, both) = (TlsConfig::default(), TlsConfig { certificate: file(), key: file() });
        let refused = open.checked(&none).unwrap_err().to_string();
        assert!(refused.contains("postgres.address") && refused.contains("tls.certificate"), "{refused}");
        open.checked(&both).unwrap();
        PostgresConfig { plain: true, ..open.clone() }.checked(&none).unwrap();
        PostgresConfig { enabled: false, ..open }.checked(&none).unwrap();
        PostgresConfig::default().checked(&none).unwrap();
        let half = TlsConfig { certificate: file(), key: None };
        assert!(PostgresConfig::default().checked(&half).is_err());
        assert!(PostgresConfig { sessions: 0, ..PostgresConfig::default() }.checked(&none).is_err());
    }
}
