//! Trusted authorities, and the client certificate.
//!
//! The trusted authorities are Mozilla's as `webpki-roots` compiles them in, so that every machine trusts the public ones whatever is
//! installed on it; those that the operator adds; and, where the embedder chooses it, the system's own. A company that inspects TLS puts its
//! authority into the system's store, and every other program there trusts it. There is no switch that turns verification off.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, Error, RootCertStore};
use rustls_native_certs::CertificateResult;
use tokio::sync::OnceCell;

use super::EgressError;
use super::tls_error::{self, Unfit};

/// A client's certificate and key, for mutual TLS.
#[derive(Clone)]
pub(super) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
}

impl Identity {
    pub(super) fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, EgressError> {
        let bad = |what: &str| EgressError::ClientCertificate(what.to_owned());
        let chain = without_byte_order_marks(chain);
        let certificates = CertificateDer::pem_slice_iter(&chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| bad(no_certificate(&chain)))?;
        if certificates.is_empty() {
            return Err(bad(no_certificate(&chain)));
        }
        // What is wrong with a key is not repeated: the error may hold a part of it.
        let key = key.strip_prefix(BYTE_ORDER_MARK).unwrap_or(key);
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| EgressError::ClientKey(no_key(key).to_owned()))?;
        Ok(Self {
            chain: certificates,
            key: Arc::new(key),
        })
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(***)")
    }
}

/// How connections are secured. With the system's authorities it is whole only when the first connection needs it: reading the store takes
/// milliseconds, which a program that makes no such connection need not spend.
#[derive(Debug)]
pub(super) struct Tls {
    /// Without the system's authorities.
    base: Configs,
    identity: Option<Identity>,
    whole: OnceCell<Configs>,
}

/// What a handshake takes.
#[derive(Clone, Debug)]
pub(super) struct Configs {
    pub(super) roots: Arc<RootCertStore>,
    /// Who checks the servers' certificates, in both configurations.
    pub(super) verifier: Arc<WebPkiServerVerifier>,
    pub(super) server: Arc<ClientConfig>,
    /// For the proxy, which is not shown the client's certificate.
    pub(super) proxy: Arc<ClientConfig>,
}

impl Tls {
    /// Trusts the public authorities and those of `extra_ca_pem`, and the system's where `system_roots` says so.
    pub(super) fn new(
        extra_ca_pem: &[u8],
        identity: Option<Identity>,
        system_roots: bool,
    ) -> Result<Self, EgressError> {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        add(&mut roots, extra_ca_pem)?;
        let base = Configs::new(roots, identity.as_ref())?;
        Ok(Self {
            whole: OnceCell::new_with((!system_roots).then(|| base.clone())),
            base,
            identity: identity.filter(|_| system_roots),
        })
    }

    /// With these configurations and no others.
    pub(super) fn of(configs: Configs) -> Self {
        Self {
            whole: OnceCell::new_with(Some(configs.clone())),
            base: configs,
            identity: None,
        }
    }

    pub(super) async fn configs(&self) -> &Configs {
        self.whole.get_or_init(|| self.with_the_systems()).await
    }

    /// A store that cannot be read is no failure: what it would have added is not trusted, and the log says so.
    async fn with_the_systems(&self) -> Configs {
        let read = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await;
        let CertificateResult { certs, errors, .. } = read.unwrap_or_default();
        // Somebody who names a place expects it to count.
        let named = ["SSL_CERT_FILE", "SSL_CERT_DIR"]
            .into_iter()
            .find(|name| std::env::var_os(name).is_some());
        for error in &errors {
            match named {
                Some(variable) => {
                    tracing::warn!(variable, %error, "certificate authorities that cannot be read are not trusted")
                }
                None => {
                    tracing::debug!(%error, "certificate authorities of the system that cannot be read are not trusted")
                }
            }
        }
        if let Some(variable) = named.filter(|_| certs.is_empty() && errors.is_empty()) {
            tracing::warn!(
                variable,
                "it contains no certificate authority, so none of the system's is trusted"
            );
        }
        let mut systems = RootCertStore::empty();
        let (read, unreadable) = systems.add_parsable_certificates(certs);
        tracing::debug!(read, unreadable, "certificate authorities of the system");
        let mut all = RootCertStore::clone(&self.base.roots);
        let known = all.roots.len();
        for root in systems.roots {
            if !all.roots.contains(&root) {
                all.roots.push(root);
            }
        }
        if all.roots.len() == known {
            return self.base.clone();
        }
        Configs::new(all, self.identity.as_ref()).unwrap_or_else(|error| {
            tracing::warn!(%error, "the system's certificate authorities cannot be used");
            self.base.clone()
        })
    }
}

impl Configs {
    fn new(roots: RootCertStore, identity: Option<&Identity>) -> Result<Self, EgressError> {
        let roots = Arc::new(roots);
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), provider)
            .build()
            .map_err(|error| EgressError::Tls(error.to_string()))?;
        Ok(Self {
            server: client_config(&verifier, identity, &["h2", "http/1.1"])?,
            proxy: client_config(&verifier, None, &["http/1.1"])?,
            verifier,
            roots,
        })
    }
}

/// TLS 1.2 and 1.3, offering these protocols of HTTP. Sessions are resumed.
fn client_config(
    verifier: &Arc<WebPkiServerVerifier>,
    identity: Option<&Identity>,
    http: &[&str],
) -> Result<Arc<ClientConfig>, EgressError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| EgressError::Tls(error.to_string()))?
        .with_webpki_verifier(Arc::clone(verifier));
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => builder
            .with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())
            .map_err(|error| match error.into() {
                Unfit::Certificate(why) => EgressError::ClientCertificate(why),
                Unfit::Key(why) => EgressError::ClientKey(why),
            })?,
    };
    config.alpn_protocols = http.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Ok(Arc::new(config))
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Windows editors begin a file with one. Of two files in one it stands in the middle, and the certificate after it would be skipped without
/// a word.
fn without_byte_order_marks(pem: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(pem.len());
    let mut rest = pem;
    while let Some((first, after)) = rest.split_first() {
        match rest.strip_prefix(BYTE_ORDER_MARK) {
            Some(after) => rest = after,
            None => {
                text.push(*first);
                rest = after;
            }
        }
    }
    text
}

fn add(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), EgressError> {
    let pem = without_byte_order_marks(pem);
    if pem.trim_ascii().is_empty() {
        return Ok(());
    }
    let unreadable = |what: &str| EgressError::Certificate(what.to_owned());
    let mut found = false;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| match error {
            pem::Error::MissingSectionEnd { .. } => unreadable("it is truncated: an END CERTIFICATE is missing"),
            _ => unreadable("one of its certificates is damaged (not base64)"),
        })?;
        roots.add(certificate).map_err(|error| match error {
            Error::InvalidCertificate(why) => {
                unreadable(&format!("one of its certificates {}", tls_error::certificate(&why)))
            }
            _ => unreadable("one of its certificates cannot be used"),
        })?;
        found = true;
    }
    if found {
        Ok(())
    } else {
        Err(unreadable(no_certificate(&pem)))
    }
}

/// What a file without a PEM certificate is, and how to make one of it.
fn no_certificate(file: &[u8]) -> &'static str {
    match Form::of(file) {
        Form::Pkcs12 => {
            "it is PKCS #12 (.p12, .pfx), not PEM; convert its certificate: openssl pkcs12 -in FILE -clcerts -nokeys -out client.pem \
             (and its key: openssl pkcs12 -in FILE -nocerts -nodes -out client-key.pem)"
        }
        Form::Der => "it is DER, not PEM; convert it: openssl x509 -inform der -in FILE -out FILE.pem",
        Form::Java => "it is a Java key store, not PEM; convert its certificates: keytool -list -rfc -keystore FILE",
        Form::Pem if has(file, b"-----BEGIN CERTIFICATE-----") => "the certificate in it is damaged",
        Form::Pem if has(file, b"PRIVATE KEY-----") => "it holds a private key and no certificate",
        Form::Pem => "it is PEM, but holds no certificate",
        Form::Other => "it is not PEM: there is no -----BEGIN CERTIFICATE----- in it",
    }
}

/// What a file without a readable private key is, and how to make one of it. Nothing of the file is repeated.
fn no_key(file: &[u8]) -> &'static str {
    match Form::of(file) {
        // RFC 7468, section 11, and RFC 1421, section 4.6.1.1.
        Form::Pem if has(file, b"BEGIN ENCRYPTED PRIVATE KEY") || has(file, b"Proc-Type: 4,ENCRYPTED") => {
            "it is encrypted, which is not supported; remove the passphrase: openssl pkey -in FILE -out client-key.pem"
        }
        Form::Pem if has(file, b"BEGIN OPENSSH PRIVATE KEY") => "it is an OpenSSH key, which TLS cannot use",
        Form::Pem if has(file, b"PRIVATE KEY-----") => "it is damaged",
        Form::Pem => "it is PEM, but holds no private key",
        Form::Pkcs12 => {
            "it is PKCS #12 (.p12, .pfx), not PEM; convert its key: openssl pkcs12 -in FILE -nocerts -nodes -out client-key.pem"
        }
        Form::Java => "it is a Java key store, not PEM",
        Form::Der => "it is DER, not PEM; convert it: openssl pkey -inform der -in FILE -out client-key.pem",
        Form::Other => "it is not PEM (PKCS #8, PKCS #1 or SEC 1, not encrypted)",
    }
}

/// How a file of certificates or keys is written.
enum Form {
    Pem,
    Der,
    Pkcs12,
    Java,
    Other,
}

impl Form {
    fn of(file: &[u8]) -> Self {
        match file {
            [0xfe, 0xed, 0xfe, 0xed, ..] => Self::Java,
            // A SEQUENCE, its length in one byte or in several; PKCS #12's begins with version 3 (RFC 7292, section 4).
            [0x30, length, rest @ ..] if *length >= 0x80 => {
                let inner = rest.get(usize::from(length & 0x7f)..).unwrap_or_default();
                if inner.starts_with(&[2, 1, 3]) {
                    Self::Pkcs12
                } else {
                    Self::Der
                }
            }
            [0x30, length, rest @ ..] if usize::from(*length) == rest.len() => Self::Der,
            _ if has(file, b"-----BEGIN ") => Self::Pem,
            _ => Self::Other,
        }
    }
}

fn has(file: &[u8], text: &[u8]) -> bool {
    file.windows(text.len()).any(|found| found == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusting(pem: &[u8]) -> Result<Tls, EgressError> {
        Tls::new(pem, None, false)
    }

    fn showing(identity: &Identity) -> Result<Tls, EgressError> {
        Tls::new(b"", Some(identity.clone()), false)
    }

    #[test]
    fn an_invalid_certificate_is_refused() {
        for pem in [
            "junk",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
        ] {
            assert!(
                matches!(trusting(pem.as_bytes()), Err(EgressError::Certificate(_))),
                "{pem}"
            );
            assert!(
                matches!(
                    Identity::from_pem(pem.as_bytes(), b""),
                    Err(EgressError::ClientCertificate(_) | EgressError::ClientKey(_))
                ),
                "{pem}"
            );
        }
        assert!(trusting(b"\n").is_ok());
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        let make = || rcgen::generate_simple_self_signed(["client".to_owned()]).unwrap();
        let (one, other) = (make(), make());
        // Two files in one.
        let both = format!("\u{feff}{}\u{feff}{}", one.cert.pem(), other.cert.pem());
        let mut roots = RootCertStore::empty();
        add(&mut roots, both.as_bytes()).unwrap();
        assert_eq!(roots.len(), 2);
        assert!(add(&mut roots, "\u{feff}\n".as_bytes()).is_ok());
        let key = format!("\u{feff}{}", one.signing_key.serialize_pem());
        let identity = Identity::from_pem(both.as_bytes(), key.as_bytes()).unwrap();
        assert_eq!(identity.chain.len(), 2);
    }

    #[test]
    fn a_key_that_cannot_be_read_is_not_repeated() {
        let own = rcgen::generate_simple_self_signed(["client".to_owned()]).unwrap();
        let key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0c2VjcmV0\n-----END PRIVATE KEY-----\n";
        let identity = Identity::from_pem(own.cert.pem().as_bytes(), key.as_bytes()).unwrap();
        let error = showing(&identity).unwrap_err();
        assert!(matches!(error, EgressError::ClientKey(_)), "{error}");
        assert!(!format!("{error} {error:?} {identity:?}").contains("c2VjcmV0"));
        let right = Identity::from_pem(own.cert.pem().as_bytes(), own.signing_key.serialize_pem().as_bytes()).unwrap();
        assert!(showing(&right).is_ok());
    }

    #[test]
    fn a_key_of_another_certificate_is_the_keys_fault() {
        let own = rcgen::generate_simple_self_signed(["client".to_owned()]).unwrap();
        let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let identity = Identity::from_pem(own.cert.pem().as_bytes(), other.as_bytes()).unwrap();
        assert_eq!(
            showing(&identity).unwrap_err(),
            EgressError::ClientKey("it is not the key of the client's certificate".to_owned())
        );
    }

    #[test]
    fn a_file_in_another_form_is_named_with_what_to_do() {
        let own = rcgen::generate_simple_self_signed(["client".to_owned()]).unwrap();
        let (certificate, key) = (own.cert.pem(), own.signing_key.serialize_pem());
        let pkcs12: &[u8] = &[0x30, 0x82, 0x0a, 0x41, 2, 1, 3, 0x30];
        let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let traditional = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nMIIB\n-----END RSA PRIVATE KEY-----\n";
        for (chain, key, setting, words) in [
            (
                pkcs12,
                key.as_bytes(),
                "certificate",
                "openssl pkcs12 -in FILE -clcerts",
            ),
            (
                own.cert.der().as_ref(),
                key.as_bytes(),
                "certificate",
                "openssl x509 -inform der",
            ),
            (
                key.as_bytes(),
                key.as_bytes(),
                "certificate",
                "a private key and no certificate",
            ),
            (b"\xfe\xed\xfe\xed\0\0", key.as_bytes(), "certificate", "Java key store"),
            (
                certificate.as_bytes(),
                pkcs12,
                "key",
                "openssl pkcs12 -in FILE -nocerts",
            ),
            (certificate.as_bytes(), encrypted.as_bytes(), "key", "it is encrypted"),
            (certificate.as_bytes(), traditional.as_bytes(), "key", "it is encrypted"),
            (
                certificate.as_bytes(),
                certificate.as_bytes(),
                "key",
                "holds no private key",
            ),
            (certificate.as_bytes(), b"", "key", "it is not PEM"),
        ] {
            let error = Identity::from_pem(chain, key).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("the client's {setting} cannot be used: ")),
                "{error}"
            );
            assert!(error.contains(words), "{error}");
        }
        let error = trusting(pkcs12).unwrap_err().to_string();
        assert!(error.contains("PKCS #12"), "{error}");
    }
}
