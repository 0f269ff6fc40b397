//! An answer that arrives before its request was written. HTTP/1.1 answers carry no number, so on a kept connection it would be taken for the
//! next request's: a flow would be reported as started that nobody was asked to start.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flow_starter_host::egress::{ConnectTo, Progress};
use flow_starter_host::{Egress, FlowState, Policy};
use host_test::rig::connector;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use super::input;

/// When the second answer comes.
#[derive(Clone, Copy, Debug)]
enum Second {
    /// In the same write as the first.
    Together,
    /// So much later.
    After(Duration),
    /// Half of it at once; the rest behind the next request, if one comes on this connection. With TLS that cuts a record.
    CutInTwo,
    /// The same with a record for each half.
    TwoWrites,
}

const SECONDS: [Second; 6] = [
    Second::Together,
    Second::After(Duration::from_millis(1)),
    Second::After(Duration::from_millis(10)),
    Second::After(Duration::from_millis(50)),
    Second::CutInTwo,
    Second::TwoWrites,
];

const UNASKED: &str = r#"{"result":{"executionId":"unasked"}}"#;
const REAL: &str = r#"{"result":{"executionId":"real"}}"#;
const TOKEN: &str = r#"{"access_token":"an-access-token","token_type":"Bearer","expires_in":1800}"#;

fn answer(body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

enum Wire {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Wire {
    fn read(&mut self, piece: &mut [u8]) -> usize {
        let read = match self {
            Self::Plain(tcp) => tcp.read(piece),
            Self::Tls(tls) => tls.read(piece),
        };
        read.unwrap_or(0)
    }

    /// The client may have left.
    fn write(&mut self, bytes: &[u8]) {
        let _ = match self {
            Self::Plain(tcp) => tcp.write_all(bytes),
            Self::Tls(tls) => tls.write_all(bytes).and_then(|()| tls.flush()),
        };
    }

    /// As it goes over TCP.
    fn encoded(&mut self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Plain(_) => bytes.to_vec(),
            Self::Tls(tls) => {
                let mut records = Vec::new();
                tls.conn.writer().write_all(bytes).unwrap();
                while tls.conn.wants_write() {
                    tls.conn.write_tls(&mut records).unwrap();
                }
                records
            }
        }
    }

    fn tcp(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => &mut tls.sock,
        }
    }

    /// The path of the next request, whose body the head gives a length. None: the client left.
    fn request(&mut self) -> Option<String> {
        let (mut heard, mut piece) = (Vec::new(), [0; 4096]);
        loop {
            let text = String::from_utf8_lossy(&heard).to_lowercase();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head
                    .split("content-length: ")
                    .nth(1)
                    .map_or(0, |rest| rest.lines().next().unwrap_or_default().parse().unwrap());
                if body.len() >= length {
                    return head.split(' ').nth(1).map(str::to_owned);
                }
            }
            match self.read(&mut piece) {
                0 => return None,
                count => heard.extend_from_slice(&piece[..count]),
            }
        }
    }
}

struct Server {
    address: SocketAddr,
    ca_pem: Option<String>,
    /// Each request with the number of its connection.
    heard: Arc<Mutex<Vec<(usize, String)>>>,
    /// The second answer is on its way, as far as it is sent unasked.
    sent: Receiver<()>,
}

impl Server {
    /// The first request of the first connection gets two answers, and no other request there gets any. Other connections are served well.
    fn start(tls: bool, second: Second) -> Self {
        let own = rcgen::generate_simple_self_signed(["acme.service-now.com".to_owned()]).unwrap();
        let config = tls.then(|| Arc::new(config(&own)));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::<Mutex<Vec<(usize, String)>>>::default();
        let log = Arc::clone(&heard);
        let (sending, sent) = channel();
        std::thread::spawn(move || {
            for (number, tcp) in listener.incoming().enumerate() {
                let (config, log, sending) = (config.clone(), Arc::clone(&log), sending.clone());
                std::thread::spawn(move || {
                    let tcp = tcp.unwrap();
                    tcp.set_nodelay(true).unwrap();
                    let wire = match config {
                        None => Wire::Plain(tcp),
                        Some(config) => {
                            Wire::Tls(Box::new(StreamOwned::new(ServerConnection::new(config).unwrap(), tcp)))
                        }
                    };
                    serve(wire, number, second, &log, &sending);
                });
            }
        });
        Self {
            address,
            ca_pem: tls.then(|| own.cert.pem()),
            heard,
            sent,
        }
    }

    fn egress(&self) -> Egress {
        let egress = match &self.ca_pem {
            None => Egress::builder().policy(Policy::new([self.endpoint().parse().unwrap()])),
            Some(ca_pem) => {
                let acme = "https://acme.service-now.com".parse().unwrap();
                Egress::builder()
                    .extra_ca_pem(ca_pem)
                    .connect_to(ConnectTo::new(&acme, self.address))
            }
        };
        egress.build().unwrap()
    }

    fn endpoint(&self) -> String {
        match &self.ca_pem {
            None => format!("http://{}", self.address),
            Some(_) => "https://acme.service-now.com".to_owned(),
        }
    }

    fn input(&self, authentication: Value) -> String {
        input(json!({ "snInstance": "", "snEndpoint": self.endpoint(), "authentication": authentication }))
    }

    fn connections_of(&self, path: &str) -> Vec<usize> {
        let heard = self.heard.lock().unwrap();
        let matching = heard.iter().filter(|(_, heard)| heard.starts_with(path));
        matching.map(|(connection, _)| *connection).collect()
    }
}

fn config(own: &rcgen::CertifiedKey<rcgen::KeyPair>) -> ServerConfig {
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![own.cert.der().clone()],
            PrivateKeyDer::Pkcs8(own.signing_key.serialize_der().into()),
        )
        .unwrap();
    config.send_half_rtt_data = true;
    config
}

fn serve(mut wire: Wire, connection: usize, second: Second, log: &Mutex<Vec<(usize, String)>>, sending: &Sender<()>) {
    let mut served = 0;
    while let Some(path) = wire.request() {
        let first = answer(if path.starts_with("/oauth_token") { TOKEN } else { REAL });
        log.lock().unwrap().push((connection, path));
        served += 1;
        match (connection, served) {
            (0, 1) => {}
            (0, _) => continue,
            _ => {
                wire.write(&first);
                continue;
            }
        }
        let unasked = answer(UNASKED);
        match second {
            Second::Together => wire.write(&[first, unasked].concat()),
            Second::After(pause) => {
                wire.write(&first);
                std::thread::sleep(pause);
                wire.write(&unasked);
            }
            Second::CutInTwo => {
                wire.write(&first);
                let encoded = wire.encoded(&unasked);
                let (half, rest) = encoded.split_at(encoded.len() / 2);
                let _ = wire.tcp().write_all(half);
                let _ = sending.send(());
                if wire.read(&mut [0]) > 0 {
                    log.lock().unwrap().push((connection, "something".to_owned()));
                    let _ = wire.tcp().write_all(rest);
                }
            }
            Second::TwoWrites => {
                wire.write(&first);
                let (half, rest) = unasked.split_at(unasked.len() / 2);
                wire.write(half);
                let _ = sending.send(());
                if wire.read(&mut [0]) > 0 {
                    log.lock().unwrap().push((connection, "something".to_owned()));
                    wire.write(rest);
                }
            }
        }
        let _ = sending.send(());
    }
}

fn started(outcome: Result<String, flow_starter_host::TriggerError>) -> String {
    let outcome: Value = serde_json::from_str(&outcome.unwrap()).unwrap();
    outcome["executionId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_second_answer_behind_a_token_starts_no_flow() {
    let connector = connector().await.unwrap();
    for tls in [false, true] {
        for second in SECONDS {
            let server = Server::start(tls, second);
            let client = json!({ "type": "oauth-client-credentials-flow", "clientId": "id", "clientSecret": "secret" });
            let outcome = connector.execute(&server.egress(), &server.input(client)).await;
            assert_eq!(started(outcome.result), "real", "{second:?}, TLS: {tls}");
            assert_eq!(server.connections_of("/oauth_token.do"), [0], "{second:?}");
            assert_eq!(server.connections_of("/api/"), [1], "{second:?}");
            assert!(server.connections_of("something").is_empty(), "{second:?}");
        }
    }
}

/// The second answer has arrived when the next flow's request is about to be written.
#[tokio::test]
async fn a_second_answer_behind_a_flow_starts_no_other() {
    let connector = connector().await.unwrap();
    for tls in [false, true] {
        for second in SECONDS {
            let server = Server::start(tls, second);
            let (egress, text) = (server.egress(), server.input(Value::Null));
            assert_eq!(started(connector.execute(&egress, &text).await.result), "real");
            server.sent.recv_timeout(Duration::from_secs(30)).unwrap();
            let outcome = connector.execute(&egress, &text).await;
            assert_eq!(started(outcome.result), "real", "{second:?}, TLS: {tls}");
            assert_eq!(server.connections_of("/api/"), [0, 1], "{second:?}, TLS: {tls}");
            assert!(server.connections_of("something").is_empty(), "{second:?}, TLS: {tls}");
        }
    }
}

/// TLS 1.3 lets a server speak in its first flight already.
#[tokio::test]
async fn an_answer_on_a_fresh_connection_before_its_request_starts_no_flow() {
    let own = rcgen::generate_simple_self_signed(["acme.service-now.com".to_owned()]).unwrap();
    let config = Arc::new(config(&own));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Arc::<Mutex<Vec<u8>>>::default();
    let log = Arc::clone(&heard);
    std::thread::spawn(move || {
        for tcp in listener.incoming() {
            let mut tcp = tcp.unwrap();
            let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            tls.read_tls(&mut tcp).unwrap();
            tls.process_new_packets().unwrap();
            tls.writer().write_all(&answer(UNASKED)).unwrap();
            let mut flight = Vec::new();
            while tls.wants_write() {
                tls.write_tls(&mut flight).unwrap();
            }
            tcp.write_all(&flight).unwrap();
            let mut stream = StreamOwned::new(tls, tcp);
            let mut request = Vec::new();
            let _ = stream.read_to_end(&mut request);
            log.lock().unwrap().extend(request);
        }
    });
    let acme = "https://acme.service-now.com".parse().unwrap();
    let egress = Egress::builder()
        .extra_ca_pem(own.cert.pem())
        .connect_to(ConnectTo::new(&acme, address))
        .build()
        .unwrap();
    let outcome = connector().await.unwrap().execute(&egress, &input(json!({}))).await;
    assert_eq!(outcome.requests[0].progress, Progress::Unsent, "{outcome:?}");
    let error = outcome.result.unwrap_err();
    assert_eq!(error.flow, FlowState::NotStarted, "{error}");
    assert!(heard.lock().unwrap().is_empty());
}
