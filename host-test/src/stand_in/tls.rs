//! A certificate authority of the stand-in's own, made at start, and the certificate that it signs.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;

use super::server::StartError;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Apple's verifier takes no longer life than 825 days.
const LIFE: Duration = Duration::from_secs(365 * 24 * 3600);

pub(super) struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Its key never leaves the process.
    pub fn new() -> Result<Self, StartError> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name = name("ServiceNow stand-in CA (for tests only)");
        set_life(&mut params);
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self {
            pem,
            issuer: Issuer::new(params, key),
        })
    }

    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// TLS 1.2 and 1.3, with a certificate for these hosts and for this machine.
    pub fn server_config(&self, hosts: &[String]) -> Result<Arc<ServerConfig>, StartError> {
        let local = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let names = hosts.iter().cloned().chain(local).collect::<Vec<_>>();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = name(hosts.first().map_or("localhost", String::as_str));
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        set_life(&mut params);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

/// From yesterday, for clocks that differ.
fn set_life(params: &mut CertificateParams) {
    let today = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    params.not_before = date_time_ymd(1970, 1, 1) + today.saturating_sub(DAY);
    params.not_after = params.not_before + LIFE;
}
