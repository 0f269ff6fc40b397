//! TLS to a cluster with its own authority, which asks for a certificate.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;

use super::*;

struct Pem {
    authority: String,
    server: (rustls::pki_types::CertificateDer<'static>, KeyPair),
    client: (String, String),
    roots: RootCertStore,
}

fn certificates() -> Pem {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let issue = |name: &str| {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.signed_by(&key, &authority).unwrap(), key)
    };
    let (server, client) = (issue("127.0.0.1"), issue("worker"));
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    Pem {
        authority: authority.pem(),
        server: (server.0.der().clone(), server.1),
        client: (client.0.pem(), client.1.serialize_pem()),
        roots,
    }
}

async fn server(pem: &Pem) -> Server {
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(pem.roots.clone()), Arc::clone(&provider))
        .build()
        .unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![pem.server.0.clone()],
            PrivateKeyDer::try_from(pem.server.1.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    Server::run(Some(acceptor), |_, _| no_content()).await
}

#[tokio::test]
async fn an_own_authority_and_a_client_certificate_open_the_connection() {
    let pem = certificates();
    let server = server(&pem).await;
    let builder = || Camunda8::builder(&server.address);
    let both = builder()
        .ca_pem(pem.authority.clone())
        .client_identity_pem(pem.client.0.clone(), pem.client.1.clone())
        .build()
        .unwrap();
    assert_eq!(both.settle(&job(), complete()).await, SettleAnswer::Settled);

    // By TLS 1.2 a certificate is refused within the handshake.
    for (client, words) in [
        (builder(), "UnknownIssuer"),
        (builder().ca_pem(pem.authority.clone()), ""),
    ] {
        let client = client.build().unwrap();
        let answer = client.settle(&job(), fail()).await;
        let SettleAnswer::Deferred { detail, .. } = answer else {
            panic!("{answer:?}");
        };
        assert!(detail.contains(words), "{detail}");
    }
    assert_eq!(server.seen().len(), 1);
}
