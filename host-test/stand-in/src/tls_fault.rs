//! The named ways in which a TLS handshake goes wrong.

use serde::Deserialize;

/// One way for a handshake to go wrong, for one host name or one port. In a file: `"expired"`, `{ alert = 40 }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsFault {
    /// The certificate is for another name.
    WrongName,
    /// The certificate expired 20 days ago.
    Expired,
    /// The certificate becomes valid in 30 days.
    NotYetValid,
    /// The certificate is signed by an authority that nobody knows.
    UnknownAuthority,
    /// The client is asked for a certificate, and has none to show: TLS 1.2, where the handshake fails (alert 40,
    /// `handshake_failure`, as OpenSSL sends it).
    #[serde(rename = "client-certificate-tls12")]
    ClientCertificate12,
    /// The same with TLS 1.3, where the client learns of it (alert 116, `certificate_required`) only after it believes
    /// the handshake to be over, and may have sent its request.
    #[serde(rename = "client-certificate-tls13")]
    ClientCertificate13,
    /// Hears the client's first message and never answers.
    Silence,
    /// Sends half of its first flight, and then no more.
    Stall,
    /// Hears the client's first message and closes.
    Close,
    /// Closes after half of its first flight.
    CloseWithin,
    /// Resets after half of its first flight.
    Reset,
    /// Answers the client's first message with this fatal alert.
    Alert(u8),
    /// Answers in plain HTTP, as a server does that was set up without TLS.
    NotTls,
    /// Speaks TLS 1.2 only. Not wrong.
    #[serde(rename = "only-tls12")]
    Only12,
    /// Speaks TLS 1.3 only. Not wrong.
    #[serde(rename = "only-tls13")]
    Only13,
}

impl TlsFault {
    /// Each of them; the one with a number with one that is typical.
    pub const ALL: [Self; 15] = [
        Self::WrongName,
        Self::Expired,
        Self::NotYetValid,
        Self::UnknownAuthority,
        Self::ClientCertificate12,
        Self::ClientCertificate13,
        Self::Silence,
        Self::Stall,
        Self::Close,
        Self::CloseWithin,
        Self::Reset,
        Self::Alert(40),
        Self::NotTls,
        Self::Only12,
        Self::Only13,
    ];
}
