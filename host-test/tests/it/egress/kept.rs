//! Connections that are kept for the next call, and the one risk in it: a server that closes at the very moment of sending.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use flow_starter_host::{Egress, Engine, FlowState, Limits, Policy};
use host_test::rig::{Rig, component_file, connector};
use serde_json::json;
use servicenow_stand_in::{Answer, Behaviour, DEMO_FLOW, Instance, Step};

use super::{input, rig, stand_in};

fn connections_of(rig: &Rig) -> Vec<usize> {
    rig.stand_in
        .requests()
        .iter()
        .map(|request| request.connection)
        .collect()
}

#[test]
fn calls_share_a_connection() {
    let rig = Rig::start(Instance::demo()).unwrap();
    for _ in 0..5 {
        assert!(rig.execute(&input(json!({}))).result.is_ok());
    }
    assert_eq!(connections_of(&rig), [1; 5]);
}

/// An error's answer is read to its end as well.
#[test]
fn an_answer_that_says_no_leaves_its_connection_usable() {
    let rig = Rig::start(Instance::demo()).unwrap();
    for status in [403, 503, 204] {
        rig.stand_in.behave_once(DEMO_FLOW, Behaviour::status(status));
        let _ = rig.execute(&input(json!({})));
    }
    assert!(rig.execute(&input(json!({}))).result.is_ok());
    assert_eq!(connections_of(&rig), [1; 4]);
}

#[test]
fn a_connection_that_ended_badly_or_says_close_is_not_used_again() {
    let cut_body = Behaviour::script([
        Step::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{".to_vec()),
        Step::Close,
    ]);
    for behaviour in [
        cut_body,
        Behaviour::Answer(Answer::new(200).header("Connection", "close").body("{}")),
        Behaviour::Answer(Answer::new(200).body("x".repeat(2 * 1024 * 1024))),
    ] {
        let rig = Rig::start(Instance::demo()).unwrap();
        rig.stand_in.behave_once(DEMO_FLOW, behaviour);
        let _ = rig.execute(&input(json!({})));
        assert!(rig.execute(&input(json!({}))).result.is_ok());
        assert_eq!(connections_of(&rig), [1, 2]);
    }
}

#[test]
fn a_connection_that_was_idle_for_too_long_is_not_used() {
    let stand_in = stand_in();
    let idle = Duration::from_millis(20);
    let egress = Rig::reaching(&stand_in).unwrap().idle_timeout(idle);
    let rig = rig(stand_in, egress);
    assert!(rig.execute(&input(json!({}))).result.is_ok());
    // Nothing to wait for but the time itself.
    std::thread::sleep(idle * 2);
    assert!(rig.execute(&input(json!({}))).result.is_ok());
    assert_eq!(connections_of(&rig), [1, 2]);
}

/// Nobody calls any more, and still the connection is closed.
#[test]
fn an_idle_connection_is_closed_without_another_call() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (closed, until_closed) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let mut heard = 0;
        // The request is small, and sent in one piece; what follows is the end.
        while let Ok(count @ 1..) = stream.read(&mut request) {
            heard += count;
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                .unwrap();
        }
        closed.send(heard).unwrap();
    });
    let egress = Egress::builder()
        .policy(Policy::new([endpoint.parse().unwrap()]))
        .idle_timeout(Duration::from_millis(50))
        .build()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let heard = runtime.block_on(async {
        let call = json!({ "snEndpoint": endpoint, "restApiTriggerPath": "/api/x/y", "method": "GET" }).to_string();
        let outcome = connector().await.unwrap().execute(&egress, &call).await;
        assert!(outcome.result.is_ok(), "{outcome:?}");
        tokio::time::timeout(Duration::from_secs(30), until_closed).await
    });
    assert!(heard.expect("the connection is still open").unwrap() > 0);
}

/// As many connections as were needed at once: calls in flight by the hundred do not connect again and again.
#[test]
fn each_of_many_connections_is_kept() {
    const CALLS: usize = 100;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let accepted = Arc::<AtomicUsize>::default();
        let counter = Arc::clone(&accepted);
        tokio::spawn(async move {
            // Nobody gets an answer before all have asked.
            let all = Arc::new(tokio::sync::Barrier::new(CALLS));
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counter.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(answer_when_all_have_asked(stream, Arc::clone(&all)));
            }
        });
        let egress = Egress::builder()
            .policy(Policy::new([endpoint.parse().unwrap()]))
            .idle_timeout(Duration::from_secs(300))
            .build()
            .unwrap();
        let call = json!({ "snEndpoint": endpoint, "restApiTriggerPath": "/api/x/y", "method": "GET" }).to_string();
        let engine = Engine::new(Limits {
            concurrent_calls: CALLS as u32,
            ..Limits::default()
        });
        let component = std::fs::read(component_file()).unwrap();
        let connector = engine.unwrap().load(&component).await.unwrap();
        for _ in 0..3 {
            let calls = (0..CALLS).map(|_| connector.execute(&egress, &call));
            for outcome in futures_util::future::join_all(calls).await {
                assert!(outcome.result.is_ok(), "{outcome:?}");
            }
        }
        assert_eq!(accepted.load(Ordering::Relaxed), CALLS);
    });
}

async fn answer_when_all_have_asked(mut stream: tokio::net::TcpStream, all: Arc<tokio::sync::Barrier>) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut request = [0; 4096];
    // A request without a body is small, and sent in one piece.
    while stream.read(&mut request).await.is_ok_and(|count| count > 0) {
        all.wait().await;
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            .await;
    }
}

#[test]
fn nothing_is_kept_where_nothing_may_be() {
    let stand_in = stand_in();
    let egress = Rig::reaching(&stand_in).unwrap().idle_timeout(Duration::ZERO);
    let rig = rig(stand_in, egress);
    for _ in 0..3 {
        assert!(rig.execute(&input(json!({}))).result.is_ok());
    }
    assert_eq!(connections_of(&rig), [1, 2, 3]);
}

/// The server closed without a word between two calls: the second one sees it before it sends.
#[test]
fn a_goodbye_that_has_arrived_is_seen_before_anything_is_sent() {
    let rig = Rig::start(Instance::demo()).unwrap();
    for call in 1..=20 {
        rig.stand_in
            .behave_once(DEMO_FLOW, Behaviour::script([Step::Answer, Step::Close]));
        let outcome = rig.execute(&input(json!({})));
        assert!(outcome.result.is_ok(), "{outcome:?}");
        let over = rig.stand_in.wait_until(Duration::from_secs(30), |requests, _| {
            requests.len() == call && requests.iter().all(|request| request.over)
        });
        assert!(over);
    }
    assert_eq!(rig.stand_in.starts().len(), 20);
}

/// Connections are an egress's own: another one, with another certificate or proxy, never gets them.
#[test]
fn another_egress_has_connections_of_its_own() {
    let stand_in = stand_in();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        for _ in 0..2 {
            let egress = Rig::reaching(&stand_in).unwrap().build().unwrap();
            for _ in 0..2 {
                assert!(
                    connector()
                        .await
                        .unwrap()
                        .execute(&egress, &input(json!({})))
                        .await
                        .result
                        .is_ok()
                );
            }
        }
    });
    let connections: Vec<_> = stand_in.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [1, 1, 2, 2]);
}

/// A server that closes each kept connection after a while of its own choosing, without a word, and remembers each request that it had
/// whole.
struct ClosingServer {
    port: u16,
    /// How often each body came whole.
    received: Arc<Mutex<HashMap<String, usize>>>,
    connections: Arc<AtomicUsize>,
}

fn closing_server() -> ClosingServer {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let received = Arc::<Mutex<HashMap<String, usize>>>::default();
    let connections = Arc::<AtomicUsize>::default();
    let (log, counter) = (Arc::clone(&received), Arc::clone(&connections));
    std::thread::spawn(move || {
        for (number, stream) in (0u64..).zip(listener.incoming()) {
            counter.fetch_add(1, Ordering::Relaxed);
            let (stream, log) = (stream.unwrap(), Arc::clone(&log));
            // All moments from at once to after the next request has come, in an order that hops about.
            let patience = Duration::from_micros(number.wrapping_mul(7919) % 3000);
            std::thread::spawn(move || serve_until_closed(stream, patience, &log));
        }
    });
    ClosingServer {
        port,
        received,
        connections,
    }
}

fn serve_until_closed(stream: TcpStream, patience: Duration, log: &Mutex<HashMap<String, usize>>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut writer = stream;
    loop {
        let mut length = 0;
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        *log.lock().unwrap().entry(String::from_utf8(body).ok()?).or_default() += 1;
        writer
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
            .ok()?;
        let begun = Instant::now();
        while begun.elapsed() < patience {
            std::hint::spin_loop();
        }
        // Closed here if nothing more has come by now, whatever may be on its way.
        if reader.buffer().is_empty() && !waiting(&writer) {
            return None;
        }
    }
}

fn waiting(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let something = stream.peek(&mut [0]).is_ok_and(|count| count > 0);
    stream.set_nonblocking(false).unwrap();
    something
}

/// The race, ten thousand times: whatever the moment, the server has each request once at the most, a success exactly once, and what is
/// called not started never.
#[test]
fn a_server_that_closes_at_the_moment_of_sending_never_gets_a_request_twice() {
    const CALLS: usize = 10_000;
    let ClosingServer {
        port,
        received,
        connections,
    } = closing_server();
    let endpoint = format!("http://127.0.0.1:{port}");
    let egress = Egress::builder()
        .policy(Policy::new([endpoint.parse().unwrap()]))
        .build()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut said = HashMap::new();
    runtime.block_on(async {
        let connector = connector().await.unwrap();
        for number in 0..CALLS {
            let body = format!("call-{number}");
            let call = json!({
                "snEndpoint": endpoint, "restApiTriggerPath": "/api/x/y", "method": "POST",
                "headers": { "content-type": "text/plain" }, "body": body,
            });
            let outcome = connector.execute(&egress, &call.to_string()).await;
            said.insert(
                body,
                outcome.result.map_or_else(|error| error.flow, |_| FlowState::Started),
            );
        }
    });
    let received = received.lock().unwrap();
    for (body, state) in &said {
        let times = received.get(body).copied().unwrap_or_default();
        match state {
            FlowState::Started => assert_eq!(times, 1, "{body}"),
            FlowState::NotStarted => assert_eq!(times, 0, "{body}"),
            FlowState::Unknown => assert!(times <= 1, "{body}"),
        }
    }
    let connections = connections.load(Ordering::Relaxed);
    assert!(
        connections < CALLS * 9 / 10,
        "{connections} connections for {CALLS} calls: none is kept, and nothing is raced for"
    );
    let unknown = said.values().filter(|state| **state == FlowState::Unknown).count();
    assert!(
        unknown < CALLS / 2,
        "{unknown} of {CALLS} calls lost the race: a goodbye that has arrived is not seen"
    );
    println!("{unknown} of {CALLS} calls met the server's goodbye on the way, and are unknown");
}
