//! TLS from a certificate and its key, and certificates of clients where a door takes them. What cannot be set up is an error at the
//! start: nothing goes on unencrypted.

use std::path::Path;
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};

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
    /// Nobody's certificate could be checked by these authorities.
    #[error("the authorities in {file} cannot be used: {what}")]
    Authorities {
        /// Its name.
        file: String,
        /// Why.
        what: String,
    },
}

/// Certificate and key for the doors that encrypt by themselves.
#[derive(Clone)]
pub struct Tls(Arc<ServerConfig>);

impl Tls {
    /// Reads a chain of certificates, the service's own first, and its private key, both as PEM.
    pub fn read(certificates: &Path, key: &Path) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain(certificates)?, private(key)?)?;
        Ok(Self(Arc::new(config)))
    }

    /// The same, and clients may show a certificate: one that an authority of the file `clients` (PEM) has signed, or that stands in it
    /// by itself. Any other, and one whose time is over, ends the handshake; a client that shows none is let on, to prove itself otherwise.
    pub fn with_clients(certificates: &Path, key: &Path, clients: &Path) -> Result<Self, TlsError> {
        let unusable = |what: String| TlsError::Authorities { file: clients.display().to_string(), what };
        let mut authorities = RootCertStore::empty();
        for authority in chain(clients)? {
            authorities.add(authority).map_err(|error| unusable(error.to_string()))?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .map_err(|error: VerifierBuilderError| unusable(error.to_string()))?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain(certificates)?, private(key)?)?;
        // A session that is taken up again would bring its certificate along without its time being looked at.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self(Arc::new(config)))
    }

    /// What answers the handshakes of a door whose clients name this protocol.
    pub(crate) fn acceptor(&self, protocol: &[u8]) -> TlsAcceptor {
        let mut config = ServerConfig::clone(&self.0);
        config.alpn_protocols = vec![protocol.to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }
}

fn chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let refuse = |what: String| TlsError::Certificate { file: file.display().to_string(), what };
    let chain = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| refuse(error.to_string()))?;
    if chain.is_empty() { Err(refuse("there is none in it".to_owned())) } else { Ok(chain) }
}

fn private(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let refuse = |what: String| TlsError::Key { file: file.display().to_string(), what };
    PrivateKeyDer::from_pem_file(file).map_err(|error| refuse(error.to_string()))
}

/// The SHA-256 fingerprint of the first certificate of a file (PEM), which is that of its holder where others follow: over its DER form,
/// as `openssl x509 -fingerprint -sha256` prints it.
pub fn fingerprint(file: &Path) -> Result<[u8; 32], TlsError> {
    Ok(fingerprint_of(&chain(file)?[0]))
}

/// The same of one that a client has shown.
pub(crate) fn fingerprint_of(certificate: &CertificateDer<'_>) -> [u8; 32] {
    Sha256::digest(certificate).into()
}
