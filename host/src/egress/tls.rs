//! Whom to trust: Mozilla's certificate authorities as `webpki-roots` compiles them in, so that every machine trusts the same, and those
//! that the operator adds. There is no switch that turns verification off.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::EgressError;

/// TLS 1.2 and 1.3, HTTP/1.1 alone.
pub(super) fn client_config(extra_ca_pem: &[u8]) -> Result<Arc<ClientConfig>, EgressError> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    add(&mut roots, extra_ca_pem)?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| EgressError::Tls(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn add(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), EgressError> {
    if pem.trim_ascii().is_empty() {
        return Ok(());
    }
    let unreadable = |what: String| EgressError::Certificate(what);
    let mut found = false;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| unreadable(format!("{error:?}")))?;
        roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
        found = true;
    }
    if found { Ok(()) } else { Err(unreadable("no certificate in it".to_owned())) }
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
                matches!(client_config(pem.as_bytes()), Err(EgressError::Certificate(_))),
                "{pem}"
            );
        }
        assert!(client_config(b"\n").is_ok());
    }
}
