//! Why a stand-in cannot start.

use std::io;
use std::net::SocketAddr;

use crate::check::InstanceError;

/// The stand-in could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The instance contradicts itself.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// A port is taken, or may not be used.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// No certificate could be made.
    #[error("cannot make the certificates: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS refused the certificate.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// TLS refused to ask for client certificates.
    #[error("cannot set up TLS: {0}")]
    ClientCertificates(#[from] rustls::server::VerifierBuilderError),
    /// No thread or no runtime.
    #[error("cannot start the server's thread: {0}")]
    Thread(#[from] io::Error),
}
