//! HTTP/2 where it is offered, and what its refusals prove.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use flow_starter_host::egress::{ConnectTo, Progress};
use flow_starter_host::{Egress, ErrorKind, FlowState};
use h2::Reason;
use host_test::rig::connector;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tokio::net::TcpListener;

use super::input;

/// What the server does with a stream whose request it has read.
#[derive(Clone, Copy)]
pub(super) enum Does {
    Answer,
    Reset(Reason),
    GoAway,
    Vanish,
}

/// What the server saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    connections: usize,
    pub(super) requests: Vec<(http::request::Parts, Vec<u8>)>,
}

pub(super) struct Server {
    address: SocketAddr,
    ca_pem: String,
    pub(super) seen: Arc<Mutex<Seen>>,
}

/// Listens on a free port, on the test's own runtime.
pub(super) async fn serve(does: Does) -> Server {
    let own = rcgen::generate_simple_self_signed(["acme.service-now.com".to_owned()]).unwrap();
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![own.cert.der().clone()],
            PrivateKeyDer::Pkcs8(own.signing_key.serialize_der().into()),
        )
        .unwrap();
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::<Mutex<Seen>>::default();
    let log = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, log) = (acceptor.clone(), Arc::clone(&log));
            tokio::spawn(async move {
                let stream = acceptor.accept(stream).await.unwrap();
                log.lock().unwrap().connections += 1;
                connection(stream, does, log).await
            });
        }
    });
    Server {
        address,
        ca_pem: own.cert.pem(),
        seen,
    }
}

async fn connection(
    stream: tokio_rustls::server::TlsStream<tokio::net::TcpStream>,
    does: Does,
    log: Arc<Mutex<Seen>>,
) -> Option<()> {
    let mut connection = h2::server::handshake(stream).await.ok()?;
    while let Some(accepted) = connection.accept().await {
        let (request, mut respond) = accepted.ok()?;
        let log = Arc::clone(&log);
        let read = async move {
            let (head, mut body) = request.into_parts();
            let mut bytes = Vec::new();
            while let Some(piece) = body.data().await {
                let piece = piece.ok()?;
                body.flow_control().release_capacity(piece.len()).ok()?;
                bytes.extend_from_slice(&piece);
            }
            log.lock().unwrap().requests.push((head, bytes));
            Some(())
        };
        match does {
            Does::Answer => {
                tokio::spawn(async move {
                    read.await?;
                    let response = http::Response::builder()
                        .header("content-type", "application/json")
                        .body(())
                        .ok()?;
                    let mut body = respond.send_response(response, false).ok()?;
                    body.send_data(r#"{"result":{"executionId":"abc"}}"#.into(), true).ok()
                });
            }
            Does::Reset(reason) => {
                tokio::spawn(async move {
                    read.await?;
                    respond.send_reset(reason);
                    Some(())
                });
            }
            // The request was read, so nobody can say.
            Does::GoAway => {
                tokio::spawn(read);
                connection.abrupt_shutdown(Reason::NO_ERROR);
            }
            Does::Vanish => return None,
        }
    }
    Some(())
}

impl Server {
    pub(super) fn egress(&self) -> Egress {
        let acme = "https://acme.service-now.com".parse().unwrap();
        Egress::builder()
            .extra_ca_pem(&self.ca_pem)
            .connect_to(ConnectTo::new(&acme, self.address))
            .build()
            .unwrap()
    }
}

#[tokio::test]
async fn calls_share_an_http2_connection_at_the_same_time() {
    let server = serve(Does::Answer).await;
    let egress = server.egress();
    let connector = connector().await.unwrap();
    let text = input(json!({}));
    let first = connector.execute(&egress, &text).await;
    assert!(first.result.unwrap().contains(r#""executionId":"abc""#));
    let (one, two, three) = tokio::join!(
        connector.execute(&egress, &text),
        connector.execute(&egress, &text),
        connector.execute(&egress, &text)
    );
    assert!(one.result.is_ok() && two.result.is_ok() && three.result.is_ok());
    let seen = server.seen.lock().unwrap();
    assert_eq!((seen.connections, seen.requests.len()), (1, 4));
    let (head, body) = &seen.requests[0];
    assert_eq!(
        head.uri.to_string(),
        "https://acme.service-now.com/api/sn_cico/flow_starter/my_flow?hello=query"
    );
    assert!(!head.headers.contains_key("host"), "{head:?}");
    assert_eq!(head.headers["hello"], "header");
    assert_eq!(body, br#"{"correlationValue":"cam-id-1"}"#);
}

/// REFUSED_STREAM is the server's word that it did nothing (RFC 9113, section 8.7); no other end of a stream is.
#[tokio::test]
async fn only_a_refused_stream_proves_that_nothing_was_started() {
    for (does, kind, flow, progress) in [
        (
            Does::Reset(Reason::REFUSED_STREAM),
            ErrorKind::ConnectionLost,
            FlowState::NotStarted,
            Progress::Unsent,
        ),
        (
            Does::Reset(Reason::INTERNAL_ERROR),
            ErrorKind::ConnectionLost,
            FlowState::Unknown,
            Progress::Sent,
        ),
        (
            Does::Reset(Reason::CANCEL),
            ErrorKind::ConnectionLost,
            FlowState::Unknown,
            Progress::Sent,
        ),
        (
            Does::GoAway,
            ErrorKind::ConnectionLost,
            FlowState::Unknown,
            Progress::Sent,
        ),
        (
            Does::Vanish,
            ErrorKind::ConnectionLost,
            FlowState::Unknown,
            Progress::Sent,
        ),
    ] {
        let server = serve(does).await;
        let outcome = connector()
            .await
            .unwrap()
            .execute(&server.egress(), &input(json!({})))
            .await;
        assert_eq!(outcome.requests.len(), 1);
        assert_eq!(outcome.requests[0].progress, progress, "{outcome:?}");
        let error = outcome.result.unwrap_err();
        assert_eq!((error.kind, error.flow), (kind, flow), "{error}");
        assert_eq!(error.retryable, flow == FlowState::NotStarted);
        assert!(server.seen.lock().unwrap().requests.len() <= 1, "sent twice");
    }
}
