//! The way through a proxy of the test's own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use flow_starter_host::egress::Proxy;
use flow_starter_host::{Egress, ErrorKind, FlowState, Policy, TriggerError};
use host_test::rig::Rig;
use serde_json::json;

use super::{Names, input, rig, stand_in};

/// What the proxy does with a CONNECT.
#[derive(Clone, Copy)]
pub enum Does {
    Tunnel(SocketAddr),
    /// The same after another head than the usual one.
    TunnelAfter(&'static str, SocketAddr),
    Answer(&'static str),
    Close,
}

/// A proxy on a free port; it lives as long as the process.
pub struct TestProxy {
    pub address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl TestProxy {
    pub fn start(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&heads);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (mut client, seen) = (client.unwrap(), Arc::clone(&seen));
                std::thread::spawn(move || {
                    seen.lock().unwrap().push(head(&mut client));
                    match does {
                        Does::Answer(answer) => client.write_all(answer.as_bytes()).unwrap_or_default(),
                        Does::Close => {}
                        Does::Tunnel(target) => {
                            let usual = "HTTP/1.1 200 Connection established\r\n\r\n";
                            tunnel(client, TcpStream::connect(target).unwrap(), usual);
                        }
                        Does::TunnelAfter(head, target) => tunnel(client, TcpStream::connect(target).unwrap(), head),
                    }
                });
            }
        });
        Self { address, heads }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn head(client: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && matches!(client.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

fn tunnel(mut client: TcpStream, server: TcpStream, head: &str) {
    client.write_all(head.as_bytes()).unwrap();
    let (mut up, mut down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut up, &mut &server);
        let _ = server.shutdown(std::net::Shutdown::Write);
    });
    let _ = std::io::copy(&mut down, &mut client);
    let _ = client.shutdown(std::net::Shutdown::Write);
}

/// A rig whose calls go through a proxy, and the names that were asked for on the way.
fn through(proxy: Proxy, policy: Policy) -> (Rig, Arc<Names>) {
    let stand_in = stand_in();
    let names = Names::all_here();
    let egress = Egress::builder()
        .extra_ca_pem(stand_in.ca_pem())
        .policy(policy)
        .proxy(proxy)
        .resolver(names.clone());
    (rig(stand_in, egress), names)
}

fn failure(does: Does) -> TriggerError {
    let proxy = TestProxy::start(does);
    let (rig, _) = through(Proxy::new(&proxy.url(), "").unwrap(), Policy::default());
    rig.execute(&input(json!({}))).result.unwrap_err()
}

#[test]
fn a_flow_is_started_through_the_proxy_and_the_target_is_not_looked_up_here() {
    let stand_in = stand_in();
    let proxy = TestProxy::start(Does::Tunnel(stand_in.https_addr()));
    let names = Names::all_here();
    let url = format!("http://user:pass%20word@{}", proxy.address);
    let egress = Egress::builder()
        .extra_ca_pem(stand_in.ca_pem())
        .proxy(Proxy::new(&url, "").unwrap())
        .resolver(names.clone());
    let rig = rig(stand_in, egress);
    for _ in 0..2 {
        let outcome = rig.execute(&input(json!({})));
        assert!(outcome.result.is_ok(), "{outcome:?}");
    }
    assert_eq!(rig.stand_in.starts().len(), 2);
    assert_eq!(rig.stand_in.connections(), 1, "the tunnel is kept");
    assert!(names.asked().is_empty());
    let heads = proxy.heads();
    assert_eq!(heads.len(), 1);
    assert!(
        heads[0].starts_with("CONNECT acme.service-now.com:443 HTTP/1.1\r\n"),
        "{}",
        heads[0]
    );
    let lower = heads[0].to_lowercase();
    assert!(lower.contains("\r\nhost: acme.service-now.com:443\r\n"), "{lower}");
    // Some proxies refuse whoever does not say who they are.
    let agent = format!("\r\nuser-agent: flow-starter/{}\r\n", env!("CARGO_PKG_VERSION"));
    assert!(lower.contains(&agent), "{lower}");
    assert!(
        lower.contains("\r\nproxy-authorization: basic dxnlcjpwyxnzihdvcmq="),
        "{lower}"
    );
    assert!(
        !lower.contains("\r\nauthorization"),
        "the instance's credentials are not the proxy's"
    );
}

#[test]
fn the_policy_is_kept_by_name_before_the_proxy_is_asked() {
    let proxy = TestProxy::start(Does::Close);
    let policy = Policy::new(["other.service-now.com".parse().unwrap()]);
    let (rig, names) = through(Proxy::new(&proxy.url(), "").unwrap(), policy);
    let error = rig.execute(&input(json!({}))).result.unwrap_err();
    assert_eq!((error.kind, error.flow), (ErrorKind::Denied, FlowState::NotStarted));
    assert!(proxy.heads().is_empty() && names.asked().is_empty());
}

#[test]
fn a_proxy_that_says_no_denies_and_one_that_fails_refuses() {
    for (does, kind, why) in [
        (
            Does::Answer("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
            ErrorKind::Denied,
            "403",
        ),
        (
            Does::Answer("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"),
            ErrorKind::Denied,
            "407",
        ),
        (
            Does::Answer("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"),
            ErrorKind::Refused,
            "502",
        ),
        (
            Does::Answer("HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n"),
            ErrorKind::Refused,
            "302",
        ),
        (
            Does::Answer("garbage\r\n\r\n"),
            ErrorKind::Refused,
            "did not answer CONNECT with HTTP",
        ),
        (
            Does::Close,
            ErrorKind::Refused,
            "closed the connection without an answer",
        ),
    ] {
        let error = failure(does);
        assert_eq!((error.kind, error.flow), (kind, FlowState::NotStarted), "{error}");
        assert_eq!(error.retryable, kind == ErrorKind::Refused);
        assert!(
            error.message.contains("was not sent: the proxy http://127.0.0.1:") && error.message.contains(why),
            "{error}"
        );
        assert!(!error.message.contains("policy does not allow"), "{error}");
        assert!(!error.message.contains("nothing accepts connections"), "{error}");
    }
}

#[test]
fn a_proxy_that_is_not_there_refuses() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (rig, _) = through(Proxy::new(&format!("http://{nobody}"), "").unwrap(), Policy::default());
    let error = rig.execute(&input(json!({}))).result.unwrap_err();
    assert_eq!(
        (error.kind, error.flow, error.retryable),
        (ErrorKind::Refused, FlowState::NotStarted, true)
    );
    let message =
        format!("The request to acme.service-now.com was not sent: the proxy http://{nobody} cannot be connected to");
    assert!(error.message.starts_with(&message), "{error}");
}

/// Any 2xx opens the tunnel, right after its head (RFC 9110, section 9.3.6).
#[test]
fn every_2xx_opens_the_tunnel() {
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.0 200 Connection established\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 201 Created\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
        "HTTP/1.0 204 No Content\r\n\r\n",
        "HTTP/1.1 299 Whatever\r\n\r\n",
    ] {
        let stand_in = stand_in();
        let proxy = TestProxy::start(Does::TunnelAfter(head, stand_in.https_addr()));
        let egress = Egress::builder()
            .extra_ca_pem(stand_in.ca_pem())
            .proxy(Proxy::new(&proxy.url(), "").unwrap());
        let rig = rig(stand_in, egress);
        for _ in 0..2 {
            let outcome = rig.execute(&input(json!({ "connectionTimeoutInSeconds": 5 })));
            assert!(outcome.result.is_ok(), "{head}: {outcome:?}");
        }
        assert_eq!((rig.stand_in.starts().len(), proxy.heads().len()), (2, 1), "{head}");
    }
}

/// Its own address is the operator's word; a target that goes past it is checked as ever.
#[test]
fn no_proxy_hosts_bypass_the_proxy_and_are_checked() {
    let proxy = TestProxy::start(Does::Close);
    let proxy_for_others = Proxy::new(&proxy.url(), "service-now.com").unwrap();
    let (rig, names) = through(proxy_for_others, Policy::default());
    let error = rig.execute(&input(json!({}))).result.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied, "{error}");
    assert!(error.message.contains("127.0.0.1 is loopback"), "{error}");
    assert_eq!(names.asked(), ["acme.service-now.com"]);
    assert!(proxy.heads().is_empty());
}
