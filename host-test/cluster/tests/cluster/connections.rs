//! The connection itself: TLS, restarts, black holes.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use camunda_test_cluster::{Call, Cluster, Options, Transport, Version};
use serde_json::{Value, json};

use crate::client::{Client, Ending, block, one_job, poll};

fn secure(transport: Transport) -> Cluster {
    Cluster::start(Options::new(Version::V8_8).transport(transport)).unwrap()
}

#[test]
fn https_has_a_certificate_authority_of_its_own() {
    let cluster = secure(Transport::Https);
    assert!(cluster.url().starts_with("https://"));
    let reply = Client::tls(&cluster, false).call("GET", "/topology", &Value::Null);
    assert_eq!(reply.status, 200);
    let other = secure(Transport::Https);
    assert_ne!(cluster.certificates().ca, other.certificates().ca);
}

#[test]
fn a_client_certificate_can_be_demanded() {
    let cluster = secure(Transport::MutualTls);
    let reply = Client::tls(&cluster, true).call("GET", "/topology", &Value::Null);
    assert_eq!(reply.status, 200);
    let mut stranger = Client::tls(&cluster, false).stream;
    let request = b"GET /v2/topology HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let answered = stranger.write_all(request).and_then(|()| stranger.read_exact(&mut [0]));
    assert!(answered.is_err());
    assert_eq!(cluster.requests().len(), 1);
}

#[test]
fn a_stopped_cluster_refuses_and_comes_back_at_the_same_port() {
    let (cluster, job, mut client) = one_job();
    client.take();
    let address = cluster.address();
    cluster.stop();
    let refused = TcpStream::connect(address).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    cluster.resume_listening().unwrap();
    assert_eq!(cluster.address(), address);
    assert_eq!(Client::to(&cluster).complete(job, json!({})), 204);
}

#[test]
fn a_restart_ends_the_pending_polls() {
    let (cluster, job, mut client) = one_job();
    client.complete(job, json!({}));
    client.send("POST", "/jobs/activation", &poll(60_000, json!({})));
    cluster.block_nth_request(Call::Activation, 1).unwrap();
    cluster.restart().unwrap();
    let (ending, bytes) = client.try_read().unwrap_err();
    assert!([Ending::Closed, Ending::Reset].contains(&ending) && bytes.is_empty());
    assert_eq!(Client::to(&cluster).activate(json!({})).jobs(), 0);
}

#[test]
fn open_connections_can_become_a_black_hole() {
    let (cluster, job, mut client) = one_job();
    client.take();
    cluster.black_hole_connections();
    client.send("POST", &format!("/jobs/{job}/completion"), &json!({}));
    client.expect_silence();
    assert_eq!(cluster.count(Call::Completion), 0);
    assert_eq!(Client::to(&cluster).complete(job, json!({})), 204);
}

#[test]
fn new_connections_can_be_a_black_hole() {
    let (cluster, job, _client) = one_job();
    cluster.black_hole_new_connections(true);
    let mut client = Client::to(&cluster);
    block(cluster.nth_connection(2)).unwrap();
    client.send("POST", &format!("/jobs/{job}/completion"), &json!({}));
    client.expect_silence();
    cluster.black_hole_new_connections(false);
    assert_eq!(Client::to(&cluster).complete(job, json!({})), 204);
}

#[test]
fn requests_say_which_connection_they_came_on() {
    let (cluster, _, mut client) = one_job();
    client.take();
    client.activate(json!({}));
    Client::to(&cluster).activate(json!({}));
    let connections: Vec<u64> = cluster.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [1, 1, 2]);
    assert_eq!(cluster.connections(), 2);
    let first = &cluster.requests()[0];
    assert_eq!(
        (first.number, first.method.as_str(), first.path()),
        (1, "POST", "/v2/jobs/activation")
    );
    assert_eq!(first.json["type"], "t");
    cluster.clear_requests();
    assert_eq!(cluster.count(Call::Any), 0);
}
