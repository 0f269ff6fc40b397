//! TLS as ServiceNow's mutual authentication has it: who one is, and sessions that are resumed.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flow_starter_host::egress::{ConnectTo, EgressBuilder};
use flow_starter_host::{Egress, ErrorKind, FlowState};
use host_test::rig::connector;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{HandshakeKind, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

use super::input;

/// What the server saw of a handshake: the client's certificates, and whether a session was resumed.
pub(super) type Seen = Arc<Mutex<Vec<(usize, HandshakeKind)>>>;

pub(super) struct Server {
    address: SocketAddr,
    ca_pem: String,
    pub(super) issuer: Issuer<'static, KeyPair>,
    pub(super) seen: Seen,
}

impl Server {
    /// Asks each client for a certificate of its own authority's, and answers one request a connection.
    pub(super) fn start() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let ca = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        let own = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["acme.service-now.com".to_owned()])
            .unwrap()
            .signed_by(&own, &issuer)
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(ca.der().clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.unwrap())
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(own.serialize_der().into()),
            )
            .unwrap();
        let (config, seen) = (Arc::new(config), Seen::default());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (config, log) = (Arc::clone(&config), Arc::clone(&log));
                std::thread::spawn(move || {
                    let connection = ServerConnection::new(config).unwrap();
                    answer(StreamOwned::new(connection, stream.unwrap()), &log)
                });
            }
        });
        Self {
            address,
            ca_pem: ca.pem(),
            issuer,
            seen,
        }
    }

    pub(super) fn egress(&self) -> EgressBuilder {
        let acme = "https://acme.service-now.com".parse().unwrap();
        Egress::builder()
            .extra_ca_pem(&self.ca_pem)
            .connect_to(ConnectTo::new(&acme, self.address))
            .idle_timeout(Duration::ZERO)
    }
}

fn answer(
    mut stream: StreamOwned<ServerConnection, std::net::TcpStream>,
    log: &Mutex<Vec<(usize, HandshakeKind)>>,
) -> Option<()> {
    let mut heard = Vec::new();
    let mut piece = [0; 4096];
    // The body is the blueprint's.
    while !heard.ends_with(br#"{"correlationValue":"cam-id-1"}"#) {
        let count = stream.read(&mut piece).ok().filter(|count| *count > 0)?;
        heard.extend_from_slice(piece.get(..count)?);
    }
    let certificates = stream.conn.peer_certificates().map_or(0, <[_]>::len);
    log.lock().unwrap().push((certificates, stream.conn.handshake_kind()?));
    let said = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    stream.write_all(said).ok()?;
    stream.conn.send_close_notify();
    stream.flush().ok()
}

#[tokio::test]
async fn a_client_certificate_is_shown_and_its_session_resumed() {
    let server = Server::start();
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(Vec::<String>::new())
        .unwrap()
        .signed_by(&key, &server.issuer)
        .unwrap();
    let egress = server
        .egress()
        .client_certificate_pem(own.pem(), key.serialize_pem())
        .unwrap()
        .build()
        .unwrap();
    for _ in 0..2 {
        let outcome = connector().await.unwrap().execute(&egress, &input(json!({}))).await;
        assert!(outcome.result.is_ok(), "{outcome:?}");
    }
    let seen = server.seen.lock().unwrap().clone();
    assert_eq!(seen, [(1, HandshakeKind::Full), (1, HandshakeKind::Resumed)]);
}

#[tokio::test]
async fn without_the_certificate_nothing_is_answered_or_started() {
    let server = Server::start();
    let egress = server.egress().build().unwrap();
    let error = connector()
        .await
        .unwrap()
        .execute(&egress, &input(json!({})))
        .await
        .result
        .unwrap_err();
    // The alert, or the reset that overtakes it: the one is proof, the other leaves it open. Never started.
    assert!(
        matches!(
            (error.kind, error.flow),
            (ErrorKind::Tls, FlowState::NotStarted) | (ErrorKind::ConnectionLost, FlowState::Unknown)
        ),
        "{error}"
    );
    assert!(server.seen.lock().unwrap().is_empty());
}
