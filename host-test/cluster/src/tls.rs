//! A certificate authority of the cluster's own, made at start; a server's certificate and a client's.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::error::StartError;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// What a client needs, as PEM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Certificates {
    /// The certificate authority to trust.
    pub ca: String,
    /// A client certificate by that authority.
    pub client_certificate: String,
    /// Its private key (PKCS #8).
    pub client_key: String,
}

/// The server's side of TLS, and the client's.
pub(crate) fn prepare(demand_client: bool) -> Result<(Arc<ServerConfig>, Certificates), StartError> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name = name("test cluster CA");
    live(&mut params);
    let key = KeyPair::generate()?;
    let authority = params.self_signed(&key)?;
    let issuer = Issuer::new(params, key);

    let hosts = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let (server, server_key) = sign(&issuer, "localhost", &hosts, ExtendedKeyUsagePurpose::ServerAuth)?;
    let (client, client_key) = sign(&issuer, "worker", &[], ExtendedKeyUsagePurpose::ClientAuth)?;

    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let builder = if demand_client {
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone())?;
        builder
            .with_client_cert_verifier(WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?)
    } else {
        builder.with_no_client_auth()
    };
    let key = PrivateKeyDer::Pkcs8(server_key.serialize_der().into());
    let mut config = builder.with_single_cert(vec![server.der().clone()], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let certificates = Certificates {
        ca: authority.pem(),
        client_certificate: client.pem(),
        client_key: client_key.serialize_pem(),
    };
    Ok((Arc::new(config), certificates))
}

fn sign(
    issuer: &Issuer<'_, KeyPair>,
    common_name: &str,
    hosts: &[String],
    usage: ExtendedKeyUsagePurpose,
) -> Result<(Certificate, KeyPair), StartError> {
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name = name(common_name);
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    live(&mut params);
    let key = KeyPair::generate()?;
    Ok((params.signed_by(&key, issuer)?, key))
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

/// From yesterday, for clocks that differ, and for a year: some verifiers refuse a longer life.
fn live(params: &mut CertificateParams) {
    let begins = SystemTime::now() - DAY;
    let since = begins.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    params.not_before = date_time_ymd(1970, 1, 1) + since;
    params.not_after = params.not_before + 365 * DAY;
}
