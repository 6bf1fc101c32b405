//! TLS from a certificate and its key. What cannot be set up is an error at the start: nothing goes on unencrypted.

use std::path::Path;
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{self, ServerConfig};

/// Why TLS cannot be set up.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The file of certificates cannot be read, or holds none.
    #[error("the certificates in {file} cannot be read: {what}")]
    Certificate {
        /// Its name.
        file: String,
        /// Why.
        what: String,
    },
    /// The file of the private key cannot be read, or holds none.
    #[error("the private key in {file} cannot be read: {what}")]
    Key {
        /// Its name.
        file: String,
        /// Why.
        what: String,
    },
    /// Certificate and key do not belong together, or are of a kind that is not known.
    #[error("certificate and key cannot be used: {0}")]
    Pair(#[from] rustls::Error),
}

/// Certificate and key for the doors that encrypt by themselves.
#[derive(Clone)]
pub struct Tls(Arc<ServerConfig>);

impl Tls {
    /// Reads a chain of certificates, the service's own first, and its private key, both as PEM.
    pub fn read(certificates: &Path, key: &Path) -> Result<Self, TlsError> {
        let name = |path: &Path| path.display().to_string();
        let certificate = |what: String| TlsError::Certificate { file: name(certificates), what };
        let chain = CertificateDer::pem_file_iter(certificates)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| certificate(error.to_string()))?;
        if chain.is_empty() {
            return Err(certificate("there is none in it".to_owned()));
        }
        let private = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| TlsError::Key { file: name(key), what: error.to_string() })?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, private)?;
        Ok(Self(Arc::new(config)))
    }

    /// What answers the handshakes of a door whose clients name this protocol.
    pub(crate) fn acceptor(&self, protocol: &[u8]) -> TlsAcceptor {
        let mut config = ServerConfig::clone(&self.0);
        config.alpn_protocols = vec![protocol.to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }
}
