//! An OpenTelemetry collector: takes traces over OTLP/HTTP, and keeps what it received.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use super::harness::PATIENCE;

/// How it treats requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Takes,
    /// Answers every request with this status.
    Refuses(u16),
    /// Reads, and never answers.
    Silent,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Received {
    /// The request line and the headers.
    pub head: String,
    pub body: Vec<u8>,
}

pub struct Collector {
    address: SocketAddr,
    received: Arc<(Mutex<Vec<Received>>, Condvar)>,
}

impl Collector {
    pub fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::<(Mutex<Vec<Received>>, Condvar)>::default();
        let own = Arc::clone(&received);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let own = Arc::clone(&own);
                std::thread::spawn(move || serve(&stream, manner, &own));
            }
        });
        Self { address, received }
    }

    /// For `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.0.lock().unwrap().clone()
    }

    /// Waits until so many requests have come.
    pub fn wait(&self, requests: usize) {
        let (all, changed) = &*self.received;
        let (_all, late) = changed
            .wait_timeout_while(all.lock().unwrap(), PATIENCE, |all| all.len() < requests)
            .unwrap();
        assert!(!late.timed_out(), "the collector waits for {requests} requests");
    }

    /// All spans, with the attributes of the process that sent each.
    pub fn spans(&self) -> Vec<(Vec<KeyValue>, Span)> {
        let mut spans = Vec::new();
        for Received { body, .. } in self.received() {
            let request = ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
            for resource in request.resource_spans {
                let about = resource.resource.unwrap_or_default().attributes;
                for scope in resource.scope_spans {
                    spans.extend(scope.spans.into_iter().map(|span| (about.clone(), span)));
                }
            }
        }
        spans
    }
}

/// The text of an attribute; empty where there is none.
pub fn text<'a>(attributes: &'a [KeyValue], name: &str) -> &'a str {
    let found = attributes.iter().find(|attribute| attribute.key == name);
    match found.and_then(|found| found.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(text)) => text,
        _ => "",
    }
}

fn serve(stream: &TcpStream, manner: Manner, received: &(Mutex<Vec<Received>>, Condvar)) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        received.0.lock().unwrap().push(request);
        received.1.notify_all();
        let status = match manner {
            Manner::Takes => 200,
            Manner::Refuses(status) => status,
            Manner::Silent => {
                std::thread::sleep(Duration::MAX);
                return;
            }
        };
        let head =
            format!("HTTP/1.1 {status} Whatever\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n");
        if (&mut &*stream).write_all(head.as_bytes()).is_err() {
            return;
        }
    }
}

/// None: the client has left.
fn read(reader: &mut BufReader<&TcpStream>) -> Option<Received> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let lower = head.to_ascii_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some(Received { head, body })
}
