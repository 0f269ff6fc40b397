//! Which certificate authorities the connection trusts, and which certificate it shows.
//!
//! As for ServiceNow: Mozilla's authorities, the system's, and those that the operator adds. They are the cluster's own setting and never
//! ServiceNow's. Nothing turns verification off.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::SettingsError;

/// With TLS 1.2 and 1.3, for HTTP/1.1. `system`: whether to read the system's authorities.
pub(crate) fn config(
    ca_pem: &[u8],
    identity_pem: Option<(&[u8], &[u8])>,
    system: bool,
) -> Result<ClientConfig, SettingsError> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    add_authorities(&mut roots, ca_pem)?;
    if system {
        add_systems(&mut roots);
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| SettingsError::Client(error.to_string()))?
        .with_root_certificates(roots);
    let mut config = match identity_pem {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            let (chain, key) = (client_chain(chain)?, client_key(key)?);
            builder.with_client_auth_cert(chain, key).map_err(|error| match error {
                rustls::Error::InconsistentKeys(_) => {
                    SettingsError::ClientKey("it is not the key of the client certificate".to_owned())
                }
                rustls::Error::InvalidCertificate(_) => {
                    SettingsError::ClientCertificate("a certificate in it is damaged".to_owned())
                }
                _ => SettingsError::ClientKey("its kind is not supported".to_owned()),
            })?
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn add_authorities(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), SettingsError> {
    if pem.is_empty() {
        return Ok(());
    }
    for certificate in certificates(pem).map_err(SettingsError::Authority)? {
        roots
            .add(certificate)
            .map_err(|error| SettingsError::Authority(error.to_string()))?;
    }
    Ok(())
}

/// A store that cannot be read is no failure: what it would have added is not trusted, and the log says so.
fn add_systems(roots: &mut RootCertStore) {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::debug!(%error, "certificate authorities of the system that cannot be read are not trusted");
    }
    let mut systems = RootCertStore::empty();
    systems.add_parsable_certificates(found.certs);
    for root in systems.roots {
        if !roots.roots.contains(&root) {
            roots.roots.push(root);
        }
    }
}

fn client_chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, SettingsError> {
    certificates(pem).map_err(SettingsError::ClientCertificate)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = without_byte_order_marks(pem);
    let found = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| "it is cut short or a certificate in it is damaged".to_owned())?;
    if found.is_empty() {
        return Err("it holds no PEM certificate".to_owned());
    }
    Ok(found)
}

/// The cause is not repeated: it may hold a part of the key.
fn client_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, SettingsError> {
    let pem = pem.strip_prefix(BYTE_ORDER_MARK).unwrap_or(pem);
    PrivateKeyDer::from_pem_slice(pem)
        .map_err(|_| SettingsError::ClientKey("it holds no readable private key, or is encrypted".to_owned()))
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Windows editors write one before the first line, where it hides the certificate behind it. Of two files in one it stands in the middle.
fn without_byte_order_marks(pem: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(pem.len());
    let mut rest = pem;
    while let Some((first, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(BYTE_ORDER_MARK) {
            rest = after;
        } else {
            text.push(*first);
            rest = after;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(ca: &[u8], identity: Option<(&[u8], &[u8])>) -> String {
        config(ca, identity, false).unwrap_err().to_string()
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_and_not_repeated() {
        let own = rcgen::generate_simple_self_signed(["client".to_owned()]).unwrap();
        let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let (certificate, key) = (own.cert.pem(), own.signing_key.serialize_pem());
        let damaged = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0c2VjcmV0\n-----END PRIVATE KEY-----\n";

        assert!(refused(b"junk", None).contains("certificate authority"));
        assert!(refused(&certificate.as_bytes()[..90], None).contains("cut short"));
        assert!(refused(b"", Some((b"junk", key.as_bytes()))).contains("client certificate"));
        assert!(refused(b"", Some((certificate.as_bytes(), b"junk"))).contains("client key"));
        let text = refused(b"", Some((certificate.as_bytes(), damaged.as_bytes())));
        assert!(text.contains("client key") && !text.contains("c2VjcmV0"), "{text}");
        let text = refused(b"", Some((certificate.as_bytes(), other.as_bytes())));
        assert!(text.contains("not the key of the client certificate"), "{text}");

        let marked = format!("\u{feff}{certificate}\u{feff}{certificate}");
        let key = format!("\u{feff}{key}");
        assert!(config(marked.as_bytes(), Some((marked.as_bytes(), key.as_bytes())), false).is_ok());
    }
}
