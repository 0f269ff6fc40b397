//! Connections and their limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::time::Instant;

use super::*;

/// The server has the request, so that only the limit is left to end the call.
async fn stalled<T>(server: &Server, arrived: usize, call: impl Future<Output = T>) -> (T, Duration) {
    let watch = async {
        server.arrived(arrived).await;
        tokio::time::pause();
        Instant::now()
    };
    let (ended, started) = tokio::join!(
        async {
            let ended = call.await;
            let at = Instant::now();
            tokio::time::resume();
            (ended, at)
        },
        watch
    );
    (ended.0, ended.1 - started)
}

fn about(took: Duration, seconds: u64) -> bool {
    took <= Duration::from_millis(seconds * 1000 + 50) && took + Duration::from_secs(5) > Duration::from_secs(seconds)
}

#[tokio::test]
async fn every_call_has_a_time_limit_and_its_connection_is_not_used_again() {
    let server = Server::start(|_, _| Reply::Silence).await;
    let client = client(&server);
    let (answer, took) = stalled(&server, 1, client.activate(&poll())).await;
    assert!(matches!(answer, Err(ActivationError::Failed { .. })), "{answer:?}");
    assert!(about(took, 20), "{took:?}");
    let (answer, took) = stalled(&server, 2, client.settle(&job(), fail())).await;
    assert_eq!(
        answer,
        SettleAnswer::Unanswered {
            detail: "no answer within 10 s".to_owned()
        }
    );
    assert!(about(took, 10), "{took:?}");
    let (answer, _) = stalled(&server, 3, client.mark(&job(), raw("{}"))).await;
    assert!(matches!(answer, PutAnswer::Unanswered { .. }));
    let connections: Vec<_> = server.seen().iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [0, 1, 2]);
}

/// A body that never ends.
#[tokio::test]
async fn the_limit_counts_to_the_last_byte() {
    let server =
        Server::start(|_, _| Reply::Bytes(b"HTTP/1.1 200 X\r\ncontent-length: 99\r\n\r\n{\"jobs\":[".to_vec())).await;
    let client = client(&server);
    let (answer, took) = stalled(&server, 1, client.activate(&poll())).await;
    assert!(matches!(answer, Err(ActivationError::Failed { .. })), "{answer:?}");
    assert!(about(took, 20), "{took:?}");
    let _ = stalled(&server, 2, client.activate(&poll())).await;
    assert_eq!(server.seen()[1].connection, 1);
}

#[tokio::test]
async fn a_kept_connection_is_used_again_until_it_was_idle_for_30_s() {
    let server = Server::start(|_, _| no_content()).await;
    let kept = client(&server);
    for _ in 0..3 {
        assert_eq!(kept.settle(&job(), complete()).await, SettleAnswer::Settled);
    }
    assert_eq!(server.seen()[2].connection, 0);
    // The pool reads the system's clock.
    let closed = Camunda8::builder(&server.address)
        .limits(|limits| limits.idle = Duration::from_nanos(1))
        .build()
        .unwrap();
    for _ in 0..3 {
        assert_eq!(closed.settle(&job(), complete()).await, SettleAnswer::Settled);
    }
    let connections: Vec<_> = server.seen()[3..].iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [1, 2, 3]);
}

/// The server closes each kept connection when the second request arrives on it.
#[tokio::test]
async fn a_request_on_a_connection_that_breaks_is_sent_once() {
    let server = Server::start(|_, before| match before {
        0 => no_content(),
        _ => Reply::Last(Vec::new()),
    })
    .await;
    let client = client(&server);
    assert_eq!(client.settle(&job(), complete()).await, SettleAnswer::Settled);
    let answer = client.settle(&job(), fail()).await;
    assert!(matches!(answer, SettleAnswer::Unanswered { .. }), "{answer:?}");
    assert_eq!(server.seen().len(), 2);
    assert_eq!(server.seen()[1].connection, 0);
}

/// The connection is closed between two requests. Whether the client has noticed or not, the server sees each request once.
#[tokio::test]
async fn a_connection_that_the_server_has_closed_costs_no_request() {
    let server = Server::start(|_, _| Reply::Last(b"HTTP/1.1 204 X\r\n\r\n".to_vec())).await;
    let observed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&observed);
    let client = Camunda8::builder(&server.address)
        .observe(Arc::new(move |_, _| {
            count.fetch_add(1, Ordering::SeqCst);
        }))
        .build()
        .unwrap();
    let mut done = 0;
    for _ in 0..50 {
        match client.settle(&job(), fail()).await {
            SettleAnswer::Settled => done += 1,
            SettleAnswer::Unanswered { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(server.seen().len(), done);
    assert_eq!(observed.load(Ordering::SeqCst), 50);
}

#[tokio::test]
async fn a_proxy_is_used_where_the_settings_say_so() {
    let proxy = Server::start(|seen, _| match seen.line() {
        line if line.starts_with("CONNECT") => html(407),
        _ => no_content(),
    })
    .await;
    let url = proxy.address.replace("http://", "http://me:hunter2@");
    let proxies = |no_proxy: &str| Proxies {
        http: Some(url.as_str().into()),
        https: Some(url.as_str().into()),
        no_proxy: Some(no_proxy.to_owned()),
    };
    let plain = Camunda8::builder("http://cluster.invalid")
        .proxies(proxies(""))
        .build()
        .unwrap();
    assert_eq!(plain.settle(&job(), complete()).await, SettleAnswer::Settled);
    let line = "POST http://cluster.invalid/v2/jobs/2251799813685249/completion";
    assert_eq!(proxy.seen()[0].line(), line);
    assert_eq!(
        proxy.seen()[0].header("proxy-authorization"),
        Some("Basic bWU6aHVudGVyMg==")
    );

    // The tunnel was refused, so nothing was sent through it.
    let tls = Camunda8::builder("https://cluster.invalid")
        .proxies(proxies(""))
        .build()
        .unwrap();
    let SettleAnswer::Deferred { detail, .. } = tls.settle(&job(), fail()).await else {
        panic!("sent");
    };
    assert!(!detail.contains("hunter2"), "{detail}");
    assert_eq!(proxy.seen()[1].line(), "CONNECT cluster.invalid:443");

    let without = Camunda8::builder("http://cluster.invalid")
        .proxies(proxies("example.com, .invalid"))
        .build()
        .unwrap();
    assert!(matches!(
        without.settle(&job(), fail()).await,
        SettleAnswer::Deferred { .. }
    ));
    let cluster = Server::start(|_, _| no_content()).await;
    let local = cluster.address.replace("127.0.0.1", "localhost");
    for address in [&cluster.address, &local] {
        let client = Camunda8::builder(address).proxies(proxies("")).build().unwrap();
        assert_eq!(client.settle(&job(), complete()).await, SettleAnswer::Settled);
    }
    assert_eq!((proxy.seen().len(), cluster.seen().len()), (2, 2));
}
