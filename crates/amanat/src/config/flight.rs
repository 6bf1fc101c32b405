//! The door for clients of Arrow Flight SQL.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::{ConfigError, TlsConfig};

/// The door for clients of Arrow Flight SQL: ADBC, JDBC, what takes columns instead of rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FlightConfig {
    /// Whether there is one.
    pub enabled: bool,
    /// Its address.
    pub address: SocketAddr,
    /// Serve clients of other machines without TLS too: only behind something that encrypts.
    pub plain: bool,
    /// Connections at once.
    pub connections: usize,
}

impl Default for FlightConfig {
    fn default() -> Self {
        Self { enabled: true, address: SocketAddr::from(([127, 0, 0, 1], 8815)), plain: false, connections: 200 }
    }
}

impl FlightConfig {
    /// Refuses a door that other machines reach in the clear without anybody having said so.
    pub(super) fn checked(&self, tls: &TlsConfig) -> Result<(), ConfigError> {
        tls.covers("flight", self.address, !self.enabled || self.plain)?;
        if self.connections == 0 {
            let what = "must be at least 1; flight.enabled = false closes the door".to_owned();
            return Err(ConfigError::Invalid { place: "configuration key `flight.connections`".to_owned(), what });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_door_that_other_machines_reach_is_encrypted_or_somebody_says_that_something_else_encrypts() {
        let open = FlightConfig { address: SocketAddr::from(([0, 0, 0, 0], 8815)), ..FlightConfig::default() };
        let file = || Some(PathBuf::from("file.pem"));
        let (none, both) = (TlsConfig::default(), TlsConfig { certificate: file(), key: file() });
        let refused = open.checked(&none).unwrap_err().to_string();
        assert!(refused.contains("flight.address") && refused.contains("flight.plain"), "{refused}");
        open.checked(&both).unwrap();
        FlightConfig { plain: true, ..open.clone() }.checked(&none).unwrap();
        FlightConfig { enabled: false, ..open }.checked(&none).unwrap();
        FlightConfig::default().checked(&none).unwrap();
        assert!(FlightConfig { connections: 0, ..FlightConfig::default() }.checked(&none).is_err());
    }
}
