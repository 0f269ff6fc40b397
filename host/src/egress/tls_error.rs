//! Messages for TLS failures: the libraries' own texts are names from their code.

use std::io;

use rustls::{AlertDescription, CertificateError, Error, InconsistentKeys};

use super::certificate::{CertificateFault, printable};
use super::record::{Step, Stop, StopCause};

/// How many names of a certificate are repeated.
const NAMES_SHOWN: usize = 6;

/// Where a handshake with this peer (`server`, `proxy`) stopped.
pub(super) fn stop(step: Step, peer: &str, error: &io::Error) -> Stop {
    let cause = match rustls_error(error) {
        Some(Error::InvalidCertificate(why)) => Some(StopCause::Certificate(fault(why))),
        Some(Error::AlertReceived(alert)) if asks_for_a_certificate(*alert) => Some(StopCause::ClientCertificate),
        _ => None,
    };
    Stop {
        step,
        why: words(peer, error),
        cause,
    }
}

/// What rustls said, if it was rustls.
pub(super) fn rustls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

/// A whole sentence without its end.
pub(super) fn words(peer: &str, error: &io::Error) -> String {
    match rustls_error(error) {
        Some(error) => failure(peer, error),
        None => match error.kind() {
            io::ErrorKind::UnexpectedEof => format!("the {peer} closed the connection during the handshake"),
            io::ErrorKind::ConnectionReset => format!("the {peer} reset the connection during the handshake"),
            _ => error.to_string(),
        },
    }
}

fn failure(peer: &str, error: &Error) -> String {
    match error {
        Error::InvalidCertificate(why) => format!("the {peer}'s certificate {}", certificate(why)),
        Error::NoCertificatesPresented => format!("the {peer} sent no certificate"),
        Error::AlertReceived(alert) => format!("the {peer} ended the handshake with the TLS alert {}", name(*alert)),
        Error::PeerIncompatible(_) => {
            format!("the {peer} and this host have no version of TLS (1.2, 1.3) or no cipher suite in common")
        }
        Error::InvalidMessage(_) => format!("the {peer} does not speak TLS, or its messages are damaged"),
        Error::NoApplicationProtocol => format!("the {peer} offers neither HTTP/2 nor HTTP/1.1"),
        Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. }
        | Error::PeerMisbehaved(_)
        | Error::PeerSentOversizedRecord
        | Error::DecryptError => format!("the {peer} violates the TLS protocol"),
        error => unnamed(&format!("the handshake with the {peer} failed"), error),
    }
}

/// What is wrong with a certificate, as the end of a sentence that begins with it.
pub(super) fn certificate(why: &CertificateError) -> String {
    use CertificateError as E;
    #[allow(deprecated, reason = "rustls still makes them")]
    let words = match why {
        E::Expired | E::ExpiredContext { .. } => "has expired",
        E::NotValidYet | E::NotValidYetContext { .. } => "is not valid yet",
        E::NotValidForNameContext { expected, presented } => {
            let names: Vec<_> = presented
                .iter()
                .take(NAMES_SHOWN)
                .map(|name| subject_name(name))
                .collect();
            let names = match presented.len() {
                0 => "nor for any other name (it has no subjectAltName)".to_owned(),
                all if all > NAMES_SHOWN => format!("but for {} and others", names.join(", ")),
                _ => format!("but for {}", names.join(", ")),
            };
            return format!("is not for {}, {}", expected.to_str(), printable(&names));
        }
        E::NotValidForName => "is for another name",
        E::UnknownIssuer => "was not issued by a trusted authority",
        // An authority that was made anew under its old name, for one.
        E::BadSignature => "was not issued by a trusted authority (a trusted authority of that name has another key)",
        E::BadEncoding => "cannot be read",
        E::Revoked => "was revoked",
        E::UnhandledCriticalExtension => "has an unknown critical extension",
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => {
            "is for another purpose (its extended key usage does not allow it)"
        }
        E::UnsupportedSignatureAlgorithm
        | E::UnsupportedSignatureAlgorithmContext { .. }
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "is signed with an unsupported algorithm (SHA-1, MD5 and RSA of less than 2048 bits are not)"
        }
        E::Other(other) => match other.0.downcast_ref() {
            Some(why) => refused_by_webpki(why),
            None => return unnamed("cannot be used", why),
        },
        why => return unnamed("cannot be used", why),
    };
    words.to_owned()
}

/// What rustls has no name for, by the library below it.
fn refused_by_webpki(why: &webpki::Error) -> &'static str {
    use webpki::Error as E;
    match why {
        E::CaUsedAsEndEntity => "is a certificate authority's (CA:TRUE), so it cannot be a server's",
        E::EndEntityUsedAsCa => "was issued by a certificate that is not an authority's (CA:FALSE)",
        E::UnsupportedCertVersion => "is not X.509 version 3, the only supported version",
        E::NameConstraintViolation => "has a name that its authority may not issue certificates for",
        E::PathLenConstraintViolated
        | E::MaximumPathDepthExceeded
        | E::MaximumPathBuildCallsExceeded
        | E::MaximumSignatureChecksExceeded => "has too long a chain of issuers",
        E::SignatureAlgorithmMismatch => "names two different signature algorithms",
        E::InvalidSerialNumber => "has an invalid serial number (it must be positive, of 20 bytes at most)",
        why => {
            tracing::debug!(?why, "a certificate was refused");
            "breaks the rules of X.509 (RFC 5280)"
        }
    }
}

/// The fact behind the words.
pub(super) fn fault(why: &CertificateError) -> CertificateFault {
    use CertificateError as E;
    match why {
        E::Expired | E::ExpiredContext { .. } => CertificateFault::Expired,
        E::NotValidYet | E::NotValidYetContext { .. } => CertificateFault::NotYetValid,
        E::NotValidForName | E::NotValidForNameContext { .. } => CertificateFault::WrongName,
        // A signature that does not fit is another authority's of the same name: an authority that was made anew, for one.
        E::UnknownIssuer | E::BadSignature => CertificateFault::UnknownAuthority,
        E::Other(other) if other.0.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity) => {
            CertificateFault::Authority
        }
        _ => CertificateFault::Other,
    }
}

/// Why a client's certificate and its key cannot be used together, as the end of a sentence that begins with the certificate or the key.
pub(super) enum Unfit {
    Certificate(String),
    Key(String),
}

impl From<Error> for Unfit {
    fn from(error: Error) -> Self {
        match &error {
            Error::InvalidCertificate(why) => Self::Certificate(format!("it {}", certificate(why))),
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                Self::Key("it is not the key of the client's certificate".to_owned())
            }
            // Of the key: the certificate is looked at after it. What rustls says may repeat a part of it.
            _ => Self::Key(
                "it is damaged, or of an unsupported kind (RSA, ECDSA on P-256, P-384 or P-521, and Ed25519 are)"
                    .to_owned(),
            ),
        }
    }
}

/// rustls writes `DnsName("acme.example")`.
fn subject_name(text: &str) -> &str {
    text.split_once('(')
        .and_then(|(_, name)| name.strip_suffix(')'))
        .unwrap_or(text)
        .trim_matches('"')
}

/// The library's own text is for the log.
fn unnamed(words: &str, error: &dyn std::fmt::Display) -> String {
    tracing::debug!(%error, "TLS");
    words.to_owned()
}

/// The server wants to know who the client is (RFC 8446, section 6.2).
fn asks_for_a_certificate(alert: AlertDescription) -> bool {
    use AlertDescription as A;
    matches!(
        alert,
        A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::UnknownCA
            | A::CertificateRequired
    )
}

/// An alert as the RFC and every other program call it, with its number.
pub(super) fn name(alert: AlertDescription) -> String {
    let number = u8::from(alert);
    let name = match number {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        40 => "handshake_failure",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => return number.to_string(),
    };
    format!("{name} ({number})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn other(why: webpki::Error) -> CertificateError {
        CertificateError::Other(rustls::OtherError(Arc::new(why)))
    }

    /// A name out of a library's code has a capital within a word.
    fn assert_for_a_person(text: &str) {
        let is_code = |word: &str| {
            let letters: Vec<char> = word.chars().filter(|c| c.is_alphabetic()).collect();
            letters
                .windows(2)
                .any(|pair| pair[0].is_lowercase() && pair[1].is_uppercase())
        };
        assert!(!text.split(' ').any(is_code) && !text.contains(['{', '"']), "{text}");
    }

    #[test]
    fn no_message_contains_a_librarys_identifier() {
        use rustls::{InvalidMessage, PeerIncompatible, PeerMisbehaved};
        for error in [
            Error::InvalidCertificate(CertificateError::UnknownIssuer),
            Error::InvalidCertificate(CertificateError::BadEncoding),
            Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure),
            Error::InvalidCertificate(other(webpki::Error::CaUsedAsEndEntity)),
            Error::InvalidCertificate(other(webpki::Error::UnsupportedCertVersion)),
            Error::InvalidCertificate(other(webpki::Error::MalformedExtensions)),
            Error::InvalidMessage(InvalidMessage::InvalidContentType),
            Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
            Error::PeerMisbehaved(PeerMisbehaved::BadCertChainExtensions),
            Error::InconsistentKeys(InconsistentKeys::Unknown),
            Error::AlertReceived(AlertDescription::HandshakeFailure),
            Error::AlertReceived(AlertDescription::Unknown(99)),
        ] {
            assert_for_a_person(&words("server", &io::Error::other(error)));
        }
        let tls = |error| words("server", &io::Error::other(error));
        assert_eq!(
            tls(Error::AlertReceived(AlertDescription::UnknownCA)),
            "the server ended the handshake with the TLS alert unknown_ca (48)"
        );
        assert_eq!(
            tls(Error::InvalidCertificate(other(webpki::Error::CaUsedAsEndEntity))),
            "the server's certificate is a certificate authority's (CA:TRUE), so it cannot be a server's"
        );
    }

    #[test]
    fn a_wrong_name_is_reported_with_the_certificates_names() {
        let wrong = |presented: &[&str]| {
            let error = CertificateError::NotValidForNameContext {
                expected: "acme.service-now.com".try_into().unwrap(),
                presented: presented.iter().map(|it| (*it).to_owned()).collect(),
            };
            certificate(&error)
        };
        assert_eq!(
            wrong(&["DnsName(\"a.example\")", "IpAddress(192.0.2.1)"]),
            "is not for acme.service-now.com, but for a.example, 192.0.2.1"
        );
        assert_eq!(
            wrong(&[]),
            "is not for acme.service-now.com, nor for any other name (it has no subjectAltName)"
        );
        assert!(!wrong(&["DnsName(\"red\u{1b}[31m\")"]).contains('\u{1b}'));
    }
}
