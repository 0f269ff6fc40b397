//! Why a cluster does not start, and what was waited for in vain.

use std::fmt;
use std::io;
use std::time::Duration;

/// A cluster cannot start, or cannot listen again.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken, or there are no sockets left.
    #[error("cannot listen: {0}")]
    Listen(#[from] io::Error),
    /// A certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The certificates do not go together.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The client certificates could not be asked for.
    #[error("cannot set up the check of client certificates: {0}")]
    ClientCertificate(#[from] rustls::server::VerifierBuilderError),
}

/// Something did not happen in time ([`crate::Options::patience`]).
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("not within {patience:?}: {awaited}\n{seen}")]
pub struct TimedOut {
    /// What was waited for.
    pub awaited: String,
    /// How long.
    pub patience: Duration,
    /// The jobs and the latest requests at the end.
    pub seen: String,
}

/// So that an `unwrap` in a test shows the jobs line by line.
impl fmt::Debug for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
