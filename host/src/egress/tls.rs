//! Whom to trust, and who one is.
//!
//! The trusted authorities are Mozilla's as `webpki-roots` compiles them in, and those that the operator adds. Not the platform's: a
//! container often has none, a laptop has some that its owner never chose, and so every machine trusts the same. There is no switch
//! that turns verification off.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::EgressError;

/// A client's certificate and key, for mutual TLS.
#[derive(Clone)]
pub(super) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
}

impl Identity {
    pub(super) fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, EgressError> {
        let bad = |what: &str| EgressError::ClientCertificate(what.to_owned());
        let chain = CertificateDer::pem_slice_iter(&without_byte_order_marks(chain))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| bad("the certificate is not PEM"))?;
        if chain.is_empty() {
            return Err(bad("the certificate's file holds none"));
        }
        // What is wrong with a key is not repeated: the error may hold a part of it.
        let key = PrivateKeyDer::from_pem_slice(key.strip_prefix(BYTE_ORDER_MARK).unwrap_or(key))
            .map_err(|_| bad("the key is not PEM (PKCS #8, PKCS #1 or SEC 1, unencrypted)"))?;
        Ok(Self {
            chain,
            key: Arc::new(key),
        })
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(***)")
    }
}

/// Who checks a server's certificate: against the public authorities and these.
pub(super) fn verifier(extra_ca_pem: &[u8]) -> Result<Arc<WebPkiServerVerifier>, EgressError> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    add(&mut roots, extra_ca_pem)?;
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(ring::default_provider()))
        .build()
        .map_err(|error| EgressError::Tls(error.to_string()))
}

/// TLS 1.2 and 1.3, offering these protocols of HTTP. Sessions are resumed.
pub(super) fn client_config(
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
            .map_err(|error| {
                EgressError::ClientCertificate(format!("certificate and key do not go together: {error}"))
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
    let unreadable = |what: String| EgressError::Certificate(what);
    let mut found = false;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| unreadable(format!("{error:?}")))?;
        roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
        found = true;
    }
    if found {
        Ok(())
    } else {
        Err(unreadable("no certificate in it".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused() {
        for pem in [
            "junk",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
        ] {
            assert!(
                matches!(verifier(pem.as_bytes()), Err(EgressError::Certificate(_))),
                "{pem}"
            );
            assert!(
                matches!(
                    Identity::from_pem(pem.as_bytes(), b""),
                    Err(EgressError::ClientCertificate(_))
                ),
                "{pem}"
            );
        }
        assert!(verifier(b"\n").is_ok());
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
        let public = verifier(b"").unwrap();
        let error = client_config(&public, Some(&identity), &[]).unwrap_err();
        assert!(!format!("{error} {error:?} {identity:?}").contains("c2VjcmV0"));
        let right = Identity::from_pem(own.cert.pem().as_bytes(), own.signing_key.serialize_pem().as_bytes()).unwrap();
        assert!(client_config(&public, Some(&right), &[]).is_ok());
    }
}
