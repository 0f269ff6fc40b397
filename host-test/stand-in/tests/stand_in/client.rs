//! A client that sends the bytes it is given and says how a connection ended: sockets and rustls, nothing in between.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion, version};
use servicenow_stand_in::{DEMO_FLOW, Instance, StandIn};

/// Long enough for any machine: reaching it is a failure.
pub const PATIENCE: Duration = Duration::from_secs(30);
pub const BASIC: &str = "Authorization: Basic Y2FtdW5kYTpkZW1vLXBhc3N3b3Jk\r\n";
pub const JSON: &str = "Content-Type: application/json\r\n";
pub const BOTH_VERSIONS: [&SupportedProtocolVersion; 2] = [&version::TLS12, &version::TLS13];

/// How a connection ended, as its client sees it.
#[derive(Debug, PartialEq, Eq)]
pub enum Ending {
    /// In good order; over TLS with a `close_notify`.
    Closed,
    /// TLS without a `close_notify`.
    Cut,
    Reset,
    /// A fatal alert with this number.
    Alert(u8),
    /// Not within the time that was asked for.
    Open,
    Other(String),
}

pub trait Stream: Read + Write {
    fn tcp(&self) -> &TcpStream;
}

impl Stream for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Stream for StreamOwned<ClientConnection, TcpStream> {
    fn tcp(&self) -> &TcpStream {
        &self.sock
    }
}

pub struct Client {
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

pub fn demo() -> StandIn {
    StandIn::start(Instance::demo()).unwrap()
}

impl Client {
    pub fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self::over(stream)
    }

    pub fn over(stream: impl Stream + 'static) -> Self {
        Self {
            stream: Box::new(stream),
            buffer: Vec::new(),
        }
    }

    pub fn plain(stand_in: &StandIn) -> Self {
        Self::to(stand_in.http_addr())
    }

    pub fn tls(stand_in: &StandIn) -> Self {
        Self::over(handshake(stand_in, stand_in.https_addr(), &stand_in.host(), &BOTH_VERSIONS).unwrap())
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.stream.write_all(bytes.as_ref()).unwrap();
        self.stream.flush().unwrap();
        self
    }

    /// Sends what it can: the other side may have gone.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) {
        let _gone_already = self.stream.write_all(bytes.as_ref()).and_then(|()| self.stream.flush());
    }

    fn fill(&mut self) -> Result<(), Ending> {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(Ending::Closed),
            Ok(count) => {
                self.buffer.extend_from_slice(&buffer[..count]);
                Ok(())
            }
            Err(error) => Err(ending(&error)),
        }
    }

    /// Reads until the connection ends; all that came and was not yet taken, and how it ended.
    pub fn rest(&mut self) -> (Vec<u8>, Ending) {
        loop {
            if let Err(ending) = self.fill() {
                return (std::mem::take(&mut self.buffer), ending);
            }
        }
    }

    /// Reads until so many bytes are there, and takes them.
    pub fn take(&mut self, count: usize) -> Vec<u8> {
        while self.buffer.len() < count {
            self.fill().unwrap();
        }
        let rest = self.buffer.split_off(count);
        std::mem::replace(&mut self.buffer, rest)
    }

    /// Takes bytes up to and with these.
    pub fn up_to(&mut self, end: &[u8]) -> Vec<u8> {
        loop {
            let found = self.buffer.windows(end.len()).position(|window| window == end);
            match found {
                Some(at) => return self.take(at + end.len()),
                None => self.fill().unwrap(),
            }
        }
    }

    /// Reads one answer, whose length must be told.
    pub fn answer(&mut self) -> Answer {
        let head = String::from_utf8(self.up_to(b"\r\n\r\n")).unwrap();
        let mut lines = head.lines();
        let line = lines.next().unwrap();
        let status = line.strip_prefix("HTTP/1.1 ").unwrap()[..3].parse().unwrap();
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut answer = Answer {
            status,
            headers,
            body: Vec::new(),
        };
        let length = answer
            .header("content-length")
            .map_or(0, |length| length.parse().unwrap());
        answer.body = self.take(length);
        answer
    }

    /// Nothing comes for so long, and the connection stays open.
    pub fn is_silent_for(&mut self, time: Duration) -> bool {
        self.stream.tcp().set_read_timeout(Some(time)).unwrap();
        let filled = self.fill();
        self.stream.tcp().set_read_timeout(Some(PATIENCE)).unwrap();
        filled == Err(Ending::Open) && self.buffer.is_empty()
    }

    /// Throws away what comes, until nothing more does for so long. The connection must stay open.
    pub fn until_silent_for(&mut self, time: Duration) {
        while !self.is_silent_for(time) {
            assert!(!self.buffer.is_empty(), "the connection has ended");
            self.buffer.clear();
        }
    }

    pub fn get(&mut self, target: &str, headers: &str) -> Answer {
        self.send(request("GET", target, headers, "")).answer()
    }

    pub fn post(&mut self, target: &str, headers: &str, body: &str) -> Answer {
        self.send(request("POST", target, headers, body)).answer()
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The message of ServiceNow's error envelope, whose shape it asserts.
    pub fn failure(&self) -> String {
        let json = self.json();
        assert_eq!(json["status"], "failure");
        assert!(json["error"].as_object().unwrap().contains_key("detail"));
        json["error"]["message"].as_str().unwrap().to_owned()
    }
}

pub fn request(method: &str, target: &str, headers: &str, body: &str) -> String {
    let length = match method {
        "GET" => String::new(),
        _ => format!("Content-Length: {}\r\n", body.len()),
    };
    format!("{method} {target} HTTP/1.1\r\nHost: acme.service-now.com\r\n{headers}{length}\r\n{body}")
}

/// A request that starts the demo's flow.
pub fn start() -> String {
    let headers = format!("{BASIC}{JSON}hello: header\r\n");
    request(
        "POST",
        &format!("{DEMO_FLOW}?hello=query"),
        &headers,
        r#"{"correlationValue":"cam-id-1"}"#,
    )
}

pub fn handshake(
    stand_in: &StandIn,
    address: SocketAddr,
    host: &str,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<StreamOwned<ClientConnection, TcpStream>, std::io::Error> {
    shake(stand_in, address, host, versions, ring::default_provider())
}

fn shake(
    stand_in: &StandIn,
    address: SocketAddr,
    host: &str,
    versions: &[&'static SupportedProtocolVersion],
    provider: rustls::crypto::CryptoProvider,
) -> Result<StreamOwned<ClientConnection, TcpStream>, std::io::Error> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(stand_in.ca_pem().as_bytes()).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut tcp = TcpStream::connect(address)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    tcp.set_write_timeout(Some(PATIENCE))?;
    while connection.is_handshaking() {
        connection.complete_io(&mut tcp)?;
    }
    Ok(StreamOwned::new(connection, tcp))
}

pub fn ending(error: &std::io::Error) -> Ending {
    match error.kind() {
        ErrorKind::ConnectionReset => Ending::Reset,
        ErrorKind::UnexpectedEof => Ending::Cut,
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Ending::Open,
        _ => match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::AlertReceived(alert)) => Ending::Alert(u8::from(*alert)),
            _ => Ending::Other(error.to_string()),
        },
    }
}

/// The last request, once its exchange is over.
pub fn recorded(stand_in: &StandIn) -> servicenow_stand_in::Recorded {
    assert!(stand_in.wait_until(PATIENCE, |requests, _| requests.last().is_some_and(|last| last.over)));
    stand_in.requests().pop().unwrap()
}

/// A handshake that offers only this cipher suite.
pub fn handshake_with(
    stand_in: &StandIn,
    suite: rustls::SupportedCipherSuite,
) -> Result<StreamOwned<ClientConnection, TcpStream>, std::io::Error> {
    let provider = rustls::crypto::CryptoProvider {
        cipher_suites: vec![suite],
        ..ring::default_provider()
    };
    let versions = match suite {
        rustls::SupportedCipherSuite::Tls12(_) => [&version::TLS12],
        rustls::SupportedCipherSuite::Tls13(_) => [&version::TLS13],
    };
    shake(stand_in, stand_in.https_addr(), &stand_in.host(), &versions, provider)
}
