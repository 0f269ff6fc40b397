//! A certificate authority of the stand-in's own, made at start, and the configurations for the names it is asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, version};

use crate::error::StartError;
use crate::instance::full_host;
use crate::tls_fault::TlsFault;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Apple's verifier takes no longer life than 825 days.
const LIFE: Duration = Duration::from_secs(365 * 24 * 3600);
const VERSIONS: [&SupportedProtocolVersion; 2] = [&version::TLS13, &version::TLS12];

/// The handshake for each name.
pub(crate) struct Tls {
    authority: Authority,
    normal: TlsSetup,
    faulty: Mutex<BTreeMap<String, TlsSetup>>,
}

/// How a handshake goes.
#[derive(Clone)]
pub(crate) struct TlsSetup {
    pub config: Arc<ServerConfig>,
    pub fault: Option<TlsFault>,
}

struct Authority {
    der: CertificateDer<'static>,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// What a certificate is made from.
struct Certificate<'a> {
    names: &'a [String],
    begins: SystemTime,
    life: Duration,
}

impl Tls {
    pub fn new(hosts: &[String], faults: &BTreeMap<String, TlsFault>) -> Result<Self, StartError> {
        let authority = Authority::new()?;
        let config = authority.sign(&Certificate::now(&with_this_machine(hosts)), &VERSIONS, false)?;
        let tls = Self {
            authority,
            normal: TlsSetup { config, fault: None },
            faulty: Mutex::default(),
        };
        for (host, fault) in faults {
            tls.set(host, Some(*fault))?;
        }
        Ok(tls)
    }

    pub fn ca_pem(&self) -> &str {
        &self.authority.pem
    }

    fn faulty(&self) -> MutexGuard<'_, BTreeMap<String, TlsSetup>> {
        self.faulty.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a client gets that asks for this name.
    pub fn setup(&self, server_name: Option<&str>) -> TlsSetup {
        server_name
            .and_then(|name| self.faulty().get(&name.to_ascii_lowercase()).cloned())
            .unwrap_or_else(|| self.normal.clone())
    }

    /// From now on the handshakes for this host go so.
    pub fn set(&self, host: &str, fault: Option<TlsFault>) -> Result<(), StartError> {
        let host = full_host(host).to_ascii_lowercase();
        match fault {
            None => self.faulty().remove(&host),
            Some(fault) => {
                let setup = self.prepare(std::slice::from_ref(&host), fault)?;
                self.faulty().insert(host, setup)
            }
        };
        Ok(())
    }

    pub fn clear(&self) {
        self.faulty().clear();
    }

    /// The way for these names and this machine, with the fault.
    pub fn prepare(&self, hosts: &[String], fault: TlsFault) -> Result<TlsSetup, StartError> {
        let names = with_this_machine(hosts);
        let good = Certificate::now(&names);
        let authority = &self.authority;
        let config = match fault {
            TlsFault::WrongName => {
                let names = ["wrong-name.invalid".to_owned()];
                authority.sign(&Certificate::now(&names), &VERSIONS, false)
            }
            TlsFault::Expired => {
                let begins = SystemTime::now() - 30 * DAY;
                let expired = Certificate {
                    begins,
                    life: 10 * DAY,
                    ..good
                };
                authority.sign(&expired, &VERSIONS, false)
            }
            TlsFault::NotYetValid => {
                let begins = SystemTime::now() + 30 * DAY;
                authority.sign(&Certificate { begins, ..good }, &VERSIONS, false)
            }
            TlsFault::UnknownAuthority => Authority::new()?.sign(&good, &VERSIONS, false),
            TlsFault::ClientCertificate12 => authority.sign(&good, &[&version::TLS12], true),
            TlsFault::ClientCertificate13 => authority.sign(&good, &[&version::TLS13], true),
            TlsFault::Only12 => authority.sign(&good, &[&version::TLS12], false),
            TlsFault::Only13 => authority.sign(&good, &[&version::TLS13], false),
            _ => authority.sign(&good, &VERSIONS, false),
        }?;
        Ok(TlsSetup {
            config,
            fault: Some(fault),
        })
    }
}

impl Authority {
    /// Its key never leaves the process.
    fn new() -> Result<Self, StartError> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name = name("ServiceNow stand-in CA (for tests only)");
        set_life(&mut params, SystemTime::now() - DAY, LIFE);
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            der: certificate.der().clone(),
            pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        })
    }

    fn sign(
        &self,
        certificate: &Certificate<'_>,
        versions: &[&'static SupportedProtocolVersion],
        asks_for_client: bool,
    ) -> Result<Arc<ServerConfig>, StartError> {
        let names = certificate.names;
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = name(names.first().map_or("localhost", String::as_str));
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        set_life(&mut params, certificate.begins, certificate.life);
        let key = KeyPair::generate()?;
        let signed = params.signed_by(&key, &self.issuer)?;

        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions)?;
        let builder = match asks_for_client {
            false => builder.with_no_client_auth(),
            true => {
                let mut roots = RootCertStore::empty();
                roots.add(self.der.clone())?;
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let mut config = builder.with_single_cert(vec![signed.der().clone()], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // For alerts of our own.
        config.enable_secret_extraction = true;
        Ok(Arc::new(config))
    }
}

impl<'a> Certificate<'a> {
    /// From yesterday, for clocks that differ.
    fn now(names: &'a [String]) -> Self {
        Self {
            names,
            begins: SystemTime::now() - DAY,
            life: LIFE,
        }
    }
}

fn with_this_machine(hosts: &[String]) -> Vec<String> {
    let local = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    hosts.iter().cloned().chain(local).collect()
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

fn set_life(params: &mut CertificateParams, begins: SystemTime, life: Duration) {
    let since = begins.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    params.not_before = date_time_ymd(1970, 1, 1) + since;
    params.not_after = params.not_before + life;
}
