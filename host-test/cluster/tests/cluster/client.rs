//! A client of sockets alone: one connection, one request after the other.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use camunda_test_cluster::{Cluster, JobKey, JobSpec, Options, Version};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

/// Reaching it is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

pub trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

pub struct Client {
    pub stream: Box<dyn Stream>,
    tcp: TcpStream,
    prefix: String,
    authorization: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Value,
}

/// How a request ended that got no whole answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Ending {
    Closed,
    Reset,
    /// Nothing came in the time that the test gave it.
    Silent,
}

pub fn start(version: Version) -> Cluster {
    Cluster::start(Options::new(version)).unwrap()
}

/// A cluster of 8.8 with one job, and a client.
pub fn one_job() -> (Cluster, JobKey, Client) {
    one(Version::V8_8, JobSpec::new("t"))
}

pub fn one(version: Version, spec: JobSpec) -> (Cluster, JobKey, Client) {
    let cluster = start(version);
    let job = cluster.create_job(spec);
    let client = Client::to(&cluster);
    (cluster, job, client)
}

impl Reply {
    pub fn title(&self) -> &str {
        self.body["title"].as_str().unwrap_or_default()
    }

    pub fn job(&self) -> &Value {
        &self.body["jobs"][0]
    }

    pub fn jobs(&self) -> usize {
        self.body["jobs"].as_array().unwrap().len()
    }
}

impl Client {
    pub fn to(cluster: &Cluster) -> Self {
        Self::at(cluster.address())
    }

    pub fn at(address: SocketAddr) -> Self {
        let stream = tcp(address);
        let same = stream.try_clone().unwrap();
        Self::over(same, Box::new(stream))
    }

    fn over(tcp: TcpStream, stream: Box<dyn Stream>) -> Self {
        Self {
            stream,
            tcp,
            prefix: "/v2".to_owned(),
            authorization: None,
        }
    }

    pub fn tls(cluster: &Cluster, with_certificate: bool) -> Self {
        let certificates = cluster.certificates();
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(certificates.ca.as_bytes()).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = if with_certificate {
            let own = CertificateDer::from_pem_slice(certificates.client_certificate.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(certificates.client_key.as_bytes()).unwrap();
            builder.with_client_auth_cert(vec![own], key).unwrap()
        } else {
            builder.with_no_client_auth()
        };
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let stream = tcp(cluster.address());
        let same = stream.try_clone().unwrap();
        Self::over(same, Box::new(StreamOwned::new(connection, stream)))
    }

    /// How long to wait for bytes.
    pub fn patience(&self, patience: Duration) {
        self.tcp.set_read_timeout(Some(patience)).unwrap();
    }

    /// Nothing comes, as far as one can tell.
    pub fn expect_silence(&mut self) {
        self.patience(Duration::from_millis(100));
        assert_eq!(self.try_read(), Err((Ending::Silent, Vec::new())));
        self.patience(PATIENCE);
    }

    pub fn prefix(mut self, prefix: &str) -> Self {
        self.prefix = prefix.to_owned();
        self
    }

    pub fn authorization(mut self, value: impl Into<String>) -> Self {
        self.authorization = Some(value.into());
        self
    }

    pub fn send(&mut self, method: &str, path: &str, body: &Value) {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.send_as(method, path, "application/json", &body);
    }

    pub fn send_as(&mut self, method: &str, path: &str, kind: &str, body: &str) {
        let authorization = match &self.authorization {
            Some(value) => format!("Authorization: {value}\r\n"),
            None => String::new(),
        };
        let path = format!("{}{path}", self.prefix);
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n{authorization}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(request.as_bytes()).unwrap();
        self.stream.flush().unwrap();
    }

    pub fn read(&mut self) -> Reply {
        self.try_read().unwrap()
    }

    /// A whole answer, or how it ended, and what of it had come.
    pub fn try_read(&mut self) -> Result<Reply, (Ending, Vec<u8>)> {
        let mut bytes = Vec::new();
        loop {
            if let Some(reply) = parse(&bytes) {
                return Ok(reply);
            }
            let mut piece = [0; 4096];
            match self.stream.read(&mut piece) {
                Ok(0) => return Err((Ending::Closed, bytes)),
                Ok(count) => bytes.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Err((Ending::Reset, bytes)),
                Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {
                    return Err((Ending::Silent, bytes));
                }
                // A test beside this one has ended a program.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // TLS without its own end.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err((Ending::Closed, bytes)),
                Err(error) => panic!("{error}"),
            }
        }
    }

    pub fn call(&mut self, method: &str, path: &str, body: &Value) -> Reply {
        self.send(method, path, body);
        self.read()
    }

    /// One activation without waiting, for one job of type `t`; `more` is merged over it.
    pub fn activate(&mut self, more: Value) -> Reply {
        self.call("POST", "/jobs/activation", &poll(-1, more))
    }

    /// The job's key, after an activation that must give one.
    pub fn take(&mut self) -> JobKey {
        let reply = self.activate(json!({}));
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.job()["jobKey"].as_str().expect("a job").parse().unwrap()
    }

    pub fn complete(&mut self, job: JobKey, variables: Value) -> u16 {
        let path = format!("/jobs/{job}/completion");
        self.call("POST", &path, &json!({ "variables": variables })).status
    }

    pub fn fail(&mut self, job: JobKey, body: Value) -> u16 {
        self.call("POST", &format!("/jobs/{job}/failure"), &body).status
    }

    pub fn throw(&mut self, job: JobKey, code: &str) -> u16 {
        let body = json!({ "errorCode": code, "errorMessage": "it broke", "variables": { "thrown": true } });
        self.call("POST", &format!("/jobs/{job}/error"), &body).status
    }

    pub fn patch(&mut self, job: JobKey, changeset: Value) -> u16 {
        let body = json!({ "changeset": changeset });
        self.call("PATCH", &format!("/jobs/{job}"), &body).status
    }

    /// Local variables of the job's task.
    pub fn mark(&mut self, cluster: &Cluster, job: JobKey, variables: Value) -> u16 {
        let task = cluster.job(job).unwrap().element_instance;
        let body = json!({ "variables": variables, "local": true });
        self.call("PUT", &format!("/element-instances/{task}/variables"), &body)
            .status
    }
}

fn tcp(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// The body of an activation.
pub fn poll(request_timeout: i64, more: Value) -> Value {
    let mut body = json!({
        "type": "t", "timeout": 600_000, "maxJobsToActivate": 1, "worker": "w", "requestTimeout": request_timeout,
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn parse(bytes: &[u8]) -> Option<Reply> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    let body = bytes.get(end..end + length)?;
    Some(Reply {
        status,
        head,
        body: serde_json::from_slice(body).unwrap_or_default(),
    })
}

/// Waits without a runtime of its own.
pub fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}
