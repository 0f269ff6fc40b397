//! A server's certificate in readable form, and the verifier that records it, even if it refuses it.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::time::ASN1Time;

use super::tls::Configs;
use super::tls_error;

/// A server's certificate. The server controls its text; control characters are replaced by spaces.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerCertificate {
    /// Its subject alternative names: DNS names and addresses (RFC 5280, section 4.2.1.6).
    pub names: Vec<String>,
    /// Who issued it.
    pub issuer: String,
    /// Start of its validity.
    pub not_before: SystemTime,
    /// End of its validity.
    pub not_after: SystemTime,
    /// Why it is not trusted; `None` if it is.
    pub fault: Option<CertificateFault>,
}

/// Why a certificate is not trusted; of several reasons, the first that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CertificateFault {
    /// It has expired.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// It is for other names.
    WrongName,
    /// No trusted authority issued it.
    UnknownAuthority,
    /// It is a certificate authority's own, which may not be a server's (RFC 5280, section 4.2.1.9: `cA` is true).
    Authority,
    /// Anything else.
    Other,
}

impl ServerCertificate {
    /// None where it cannot be read.
    fn read(der: &[u8], fault: Option<CertificateFault>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.map_or_else(Vec::new, |found| {
            found.value.general_names.iter().filter_map(name).collect()
        });
        let validity = certificate.validity();
        Some(Self {
            names,
            issuer: printable(&certificate.issuer().to_string()),
            not_before: time(validity.not_before)?,
            not_after: time(validity.not_after)?,
            fault,
        })
    }
}

fn name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(printable(name)),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let address = v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from)).ok()?;
            Some(address.to_string())
        }
        _ => None,
    }
}

fn time(time: ASN1Time) -> Option<SystemTime> {
    let seconds = time.timestamp();
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    }
}

/// How much of a text of the server's is shown, in characters.
const TEXT_MAX: usize = 300;

/// A text of the server's choice without what could steer a terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(TEXT_MAX)
        .collect()
}

/// What a handshake showed.
#[derive(Debug, Default)]
struct Seen {
    certificate: Option<ServerCertificate>,
    /// The server asked for a client's certificate, and whether one was shown.
    asked: Option<bool>,
}

/// Keeps what one handshake shows. It decides nothing: the verifier and the identity are those of every call.
#[derive(Debug)]
pub(super) struct Recorder {
    verifier: Arc<WebPkiServerVerifier>,
    identity: Arc<dyn ResolvesClientCert>,
    seen: Mutex<Seen>,
}

impl Recorder {
    /// A recorder of the handshakes with a server by `configs`, and the configurations by which they are recorded.
    pub(super) fn of(configs: &Configs) -> (Arc<Self>, Configs) {
        let recorder = Arc::new(Self {
            verifier: Arc::clone(&configs.verifier),
            identity: Arc::clone(&configs.server.client_auth_cert_resolver),
            seen: Mutex::default(),
        });
        let mut recorded = ClientConfig::clone(&configs.server);
        recorded.client_auth_cert_resolver = Arc::clone(&recorder) as Arc<dyn ResolvesClientCert>;
        // The word is rustls's for any verifier but its own; ours asks just that one.
        recorded
            .dangerous()
            .set_certificate_verifier(Arc::clone(&recorder) as Arc<dyn ServerCertVerifier>);
        // A resumed session shows no certificate.
        recorded.resumption = Resumption::disabled();
        let recorded = Configs {
            server: Arc::new(recorded),
            ..configs.clone()
        };
        (recorder, recorded)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn certificate(&self) -> Option<ServerCertificate> {
        self.seen().certificate.clone()
    }

    /// None: the server did not ask for a client's certificate. Else whether one was shown.
    pub(super) fn asked(&self) -> Option<bool> {
        self.seen().asked
    }
}

fn fault(error: &Error) -> CertificateFault {
    match error {
        Error::InvalidCertificate(why) => tls_error::fault(why),
        _ => CertificateFault::Other,
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self
            .verifier
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        self.seen().certificate = ServerCertificate::read(end_entity, verdict.as_ref().err().map(fault));
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.verifier.root_hint_subjects()
    }
}

impl ResolvesClientCert for Recorder {
    fn resolve(&self, root_hint_subjects: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let shown = self.identity.resolve(root_hint_subjects, schemes);
        self.seen().asked = Some(shown.is_some());
        shown
    }

    fn has_certs(&self) -> bool {
        self.identity.has_certs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType, date_time_ymd};

    #[test]
    fn a_certificate_is_read_and_what_could_steer_a_terminal_is_not_in_it() {
        let mut params = CertificateParams::new(["acme.service-now.com".to_owned(), "192.0.2.1".to_owned()]).unwrap();
        params
            .subject_alt_names
            .push(SanType::DnsName("red\u{1b}[31m.example".try_into().unwrap()));
        params.distinguished_name.push(DnType::CommonName, "An\u{7}authority");
        params.not_before = date_time_ymd(1969, 12, 31);
        params.not_after = date_time_ymd(2049, 1, 2);
        let own = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let read = ServerCertificate::read(own.der(), Some(CertificateFault::Expired)).unwrap();
        assert_eq!(read.names, ["acme.service-now.com", "192.0.2.1", "red [31m.example"]);
        assert!(read.issuer.contains("An authority"), "{}", read.issuer);
        let day = Duration::from_secs(24 * 3600);
        assert_eq!(read.not_before, SystemTime::UNIX_EPOCH - day);
        assert_eq!(read.not_after, SystemTime::UNIX_EPOCH + day * 28_856);
        assert_eq!(read.fault, Some(CertificateFault::Expired));
        assert_eq!(ServerCertificate::read(b"junk", None), None);
    }
}
