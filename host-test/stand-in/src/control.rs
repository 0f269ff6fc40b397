//! The control address: the stand-in's faults and records as JSON over HTTP, for test suites in any language.
//!
//! It is a listener of its own, not a path of the instance: no path is taken away from flows, and what is recorded is
//! only what a client of the instance sent. It answers this machine only, and no web page: a request with an `Origin`,
//! or for a host name that is not this machine's, is refused.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::answer::reason;
use crate::behaviour::Behaviour;
use crate::body::{Body, BodyEnd};
use crate::http1::Head;
use crate::port::PortFault;
use crate::record::{Recorded, Start};
use crate::serving::{Serving, accept};
use crate::tls_fault::TlsFault;
use crate::wire::Wire;

const MOST_BODY_BYTES: usize = 16 * 1024 * 1024;
/// How long `GET /requests?at-least=…` waits, unless it says.
const PATIENCE: u64 = 5000;

/// What `GET /` says of the others.
const ROUTES: [(&str, &str); 12] = [
    ("GET /ca.pem", "the certificate authority to trust"),
    (
        "GET /requests",
        "what was received; ?at-least=2 waits for two that are over, 5000 ms or ?within-ms=…, else 408",
    ),
    ("DELETE /requests", "forgets requests, starts and failed handshakes"),
    ("GET /starts", "the flows that started"),
    ("GET /failed-handshakes", "the connections on which TLS failed"),
    (
        "POST /behaviours",
        r#"{"path": "/api/…", "behaviour": {"fault": "reset"}, "once": true}; behaviours as in an instance's file"#,
    ),
    ("DELETE /behaviours", "everything is normal again"),
    ("POST /hibernate", r#"{"asleep": true}"#),
    ("POST /revoke-tokens", "makes the issued tokens invalid"),
    (
        "POST /tls-faults",
        r#"{"host": "expired", "fault": "expired"}; a fault of null: normal again"#,
    ),
    ("GET /ports", "the ports that go wrong"),
    (
        "POST /ports",
        r#"{"fault": "silent"} opens such a port, and tells its address"#,
    ),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetBehaviour {
    path: String,
    behaviour: Behaviour,
    #[serde(default)]
    once: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hibernate {
    asleep: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetTlsFault {
    host: String,
    fault: Option<TlsFault>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenPort {
    fault: PortFault,
    #[serde(default)]
    port: u16,
}

enum Reply {
    Json(Value),
    Pem(String),
    Failure(u16, String),
}

/// Listens from now on. It has to be called on the runtime.
pub(crate) fn spawn(serving: Arc<Serving>, listener: TcpListener) {
    tokio::spawn(async move {
        loop {
            let stream = accept(&listener).await;
            tokio::spawn(serve(Arc::clone(&serving), Wire::plain(stream)));
        }
    });
}

/// Serves requests until one side ends it.
async fn serve(serving: Arc<Serving>, mut wire: Wire) {
    while let Ok(head) = Head::read(&mut wire).await {
        let body = read_body(&mut wire, &head).await;
        let closing = body.is_none() || !head.keeps_alive();
        let reply = match body {
            None => Reply::Failure(400, "the body cannot be read, or is larger than 16 MiB".to_owned()),
            Some(_) if !is_from_here(&head) => Reply::Failure(403, "only for this machine's own programs".to_owned()),
            Some(body) => answer(&serving, &head, &body).await,
        };
        if wire.send(&reply.encode(closing)).await.is_err() {
            return;
        }
        if closing {
            wire.end_of_output().await;
            return wire.linger().await;
        }
    }
}

async fn read_body(wire: &mut Wire, head: &Head) -> Option<Vec<u8>> {
    let mut incoming = Body::new(head.framing()?);
    let mut body = Vec::new();
    loop {
        match incoming.take(wire, |piece| body.extend_from_slice(piece)) {
            Some(BodyEnd::Whole) => return Some(body),
            Some(_) => return None,
            None if body.len() > MOST_BODY_BYTES => return None,
            None => {}
        }
        if !matches!(wire.fill().await, Ok(1..)) {
            return None;
        }
    }
}

/// A web page may send requests to this machine as well, under its own name (`Origin`) or under one that it has made
/// resolve to here (`Host`).
fn is_from_here(head: &Head) -> bool {
    let local = |host: &str| {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        ["127.0.0.1", "localhost", "[::1]"].contains(&name)
    };
    head.values("origin").next().is_none() && head.values("host").all(local)
}

async fn answer(serving: &Arc<Serving>, head: &Head, body: &[u8]) -> Reply {
    let state = &serving.state;
    match (head.method.as_str(), head.path()) {
        ("GET", "/") => Reply::Json(overview(serving)),
        ("GET", "/ca.pem") => Reply::Pem(serving.tls.ca_pem().to_owned()),
        ("GET", "/requests") => requests(serving, head).await,
        ("DELETE", "/requests") => done(|| state.log.clear()),
        ("GET", "/starts") => Reply::Json(state.log.starts().iter().map(start).collect()),
        ("GET", "/failed-handshakes") => Reply::Json(
            state
                .log
                .failed_handshakes()
                .iter()
                .map(|failed| {
                    json!({ "connection": failed.connection, "server_name": failed.server_name, "why": failed.why })
                })
                .collect(),
        ),
        ("POST", "/behaviours") => with(body, |set: SetBehaviour| {
            let mut current = state.current();
            done(|| match set.once {
                true => current.behave_once(set.path, set.behaviour),
                false => current.behave(set.path, set.behaviour),
            })
        }),
        ("DELETE", "/behaviours") => done(|| serving.behave_well()),
        ("POST", "/hibernate") => with(body, |set: Hibernate| done(|| state.current().hibernating = set.asleep)),
        ("POST", "/revoke-tokens") => done(|| state.current().revoke_tokens()),
        ("POST", "/tls-faults") => with(body, |set: SetTlsFault| match serving.tls.set(&set.host, set.fault) {
            Ok(()) => done(|| ()),
            Err(error) => Reply::Failure(400, error.to_string()),
        }),
        ("GET", "/ports") => Reply::Json(ports(serving)),
        ("POST", "/ports") => match serde_json::from_slice::<OpenPort>(body) {
            Err(error) => Reply::Failure(400, error.to_string()),
            Ok(open) => match serving.open(open.port, open.fault).await {
                Ok(address) => Reply::Json(json!({ "address": address })),
                Err(error) => Reply::Failure(409, error.to_string()),
            },
        },
        (method, path) => Reply::Failure(404, format!("there is no {method} {path} here; GET / lists what there is")),
    }
}

fn done(act: impl FnOnce()) -> Reply {
    act();
    Reply::Json(json!({}))
}

fn with<T: DeserializeOwned>(body: &[u8], act: impl FnOnce(T) -> Reply) -> Reply {
    match serde_json::from_slice(body) {
        Ok(read) => act(read),
        Err(error) => Reply::Failure(400, error.to_string()),
    }
}

fn overview(serving: &Serving) -> Value {
    let addresses = serving.addresses;
    json!({
        "hosts": serving.state.instance.full_hosts(),
        "https": addresses.https,
        "http": addresses.http,
        "control": addresses.control,
        "connections": serving.connections(),
        "routes": BTreeMap::from(ROUTES),
    })
}

fn ports(serving: &Serving) -> Value {
    serving
        .faulty_ports()
        .iter()
        .map(|(address, fault)| json!({ "address": address, "fault": format!("{fault:?}") }))
        .collect()
}

async fn requests(serving: &Serving, head: &Head) -> Reply {
    let query = head.target.split_once('?').map_or("", |(_, query)| query);
    let (mut at_least, mut patience) = (0, PATIENCE);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let Ok(number) = value.parse::<u64>() else {
            return Reply::Failure(400, format!("{name} is not a whole number"));
        };
        match &*name {
            "at-least" => at_least = number,
            "within-ms" => patience = number,
            _ => return Reply::Failure(400, format!("{name} is neither at-least nor within-ms")),
        }
    }
    let log = &serving.state.log;
    let mut changes = log.changes();
    let enough = async {
        loop {
            let requests = log.requests();
            let over = requests.iter().filter(|request| request.over).count() as u64;
            if over >= at_least || changes.changed().await.is_err() {
                return requests;
            }
        }
    };
    match tokio::time::timeout(Duration::from_millis(patience), enough).await {
        Ok(requests) => Reply::Json(requests.iter().map(request).collect()),
        Err(_) => Reply::Failure(
            408,
            format!("after {patience} ms there were not {at_least} requests that are over"),
        ),
    }
}

fn request(request: &Recorded) -> Value {
    json!({
        "number": request.number,
        "connection": request.connection,
        "tls": request.tls.as_ref().map(|tls| json!({ "server_name": tls.server_name, "version": tls.version })),
        "method": request.method,
        "target": request.target,
        "version": request.version,
        "headers": request.headers,
        "head_base64": STANDARD.encode(&request.head),
        "body": std::str::from_utf8(&request.body).ok(),
        "body_base64": STANDARD.encode(&request.body),
        "complete": request.complete,
        "answered": request.answered,
        "over": request.over,
    })
}

fn start(start: &Start) -> Value {
    json!({
        "id": start.id,
        "method": start.method.as_str(),
        "flow": start.flow,
        "user": start.user,
        "request": start.request,
    })
}

impl Reply {
    fn encode(self, closing: bool) -> Vec<u8> {
        let (status, kind, body) = match self {
            Self::Json(value) => (200, "application/json", value.to_string()),
            Self::Pem(text) => (200, "application/x-pem-file", text),
            Self::Failure(status, what) => (status, "application/json", json!({ "error": what }).to_string()),
        };
        let connection = if closing { "Connection: close\r\n" } else { "" };
        format!(
            "HTTP/1.1 {status} {}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{connection}\r\n{body}",
            reason(status),
            body.len()
        )
        .into_bytes()
    }
}
