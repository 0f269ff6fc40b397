//! What a hostile input tries through a proxy, and what a hostile proxy answers to CONNECT.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use flow_starter_host::egress::{Progress, Proxy};
use flow_starter_host::{Egress, ErrorKind, FlowState};
use host_test::rig::connector;
use host_test::spellings::HOSTS;
use serde_json::{Value, json};

use super::proxy::{Does, TestProxy};
use super::{Names, input};

/// The name is checked before the proxy is asked, so the proxy hears of none of them.
#[tokio::test]
async fn no_spelling_of_a_denied_host_reaches_the_proxy() {
    let connector = connector().await.unwrap();
    let proxy = TestProxy::start(Does::Close);
    let port = proxy.address.port().to_string();
    let names = Names::all_here();
    let egress = Egress::builder()
        .proxy(Proxy::new(&proxy.url(), "").unwrap())
        .resolver(names.clone())
        .build()
        .unwrap();
    let client = json!({ "type": "oauth-client-credentials-flow", "clientId": "id", "clientSecret": "secret" });
    for host in HOSTS {
        let mut token = client.clone();
        token["oauthTokenEndpoint"] = Value::from(format!("https://{host}/oauth_token.do"));
        for over in [
            json!({ "snInstance": "", "snEndpoint": format!("https://{host}") }),
            json!({ "snInstance": "", "snEndpoint": format!("http://{host}") }),
            json!({ "authentication": token }),
        ] {
            let text = input(over).replace("PORT", &port);
            let error = connector.execute(&egress, &text).await.result.expect_err(&text);
            assert!(
                matches!(error.kind, ErrorKind::Denied | ErrorKind::InvalidInput),
                "{text}: {error}"
            );
            assert_eq!(error.flow, FlowState::NotStarted, "{text}");
        }
    }
    assert_eq!(proxy.heads(), Vec::<String>::new());
    assert_eq!(names.asked(), Vec::<String>::new());
}

type Answer = fn(&mut TcpStream);

/// A proxy that answers each CONNECT in this manner, and hears what follows.
fn answering(answer: Answer) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            std::thread::spawn(move || {
                let mut client = client.unwrap();
                let (mut head, mut byte) = (Vec::new(), [0]);
                while !head.ends_with(b"\r\n\r\n") && matches!(client.read(&mut byte), Ok(1)) {
                    head.push(byte[0]);
                }
                answer(&mut client);
            });
        }
    });
    address
}

/// Until the client leaves.
fn without_end(client: &mut TcpStream, first: &[u8], then: &[u8]) {
    let mut sent = client.write_all(first);
    while sent.is_ok() {
        sent = client.write_all(then);
    }
}

#[tokio::test]
async fn no_odd_answer_to_connect_makes_a_call_or_lasts() {
    let answers: [(&str, Answer); 16] = [
        ("100", |it| it.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap()),
        ("100s without end", |it| {
            without_end(it, b"", b"HTTP/1.1 100 Continue\r\n\r\n")
        }),
        ("101", |it| {
            it.write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
                .unwrap()
        }),
        ("103", |it| {
            it.write_all(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n").unwrap()
        }),
        ("204 with a body", |it| {
            it.write_all(b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello")
                .unwrap()
        }),
        ("a redirect", |it| {
            let answer =
                b"HTTP/1.1 307 Temporary Redirect\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n";
            it.write_all(answer).unwrap()
        }),
        ("garbage", |it| {
            it.write_all(b"\x00\xff\x16\x03\x01 garbage\r\n\r\n").unwrap()
        }),
        ("garbage without end", |it| without_end(it, b"", &[b'x'; 4096])),
        ("headers without end", |it| {
            without_end(it, b"HTTP/1.1 200 OK\r\n", b"x-header: value\r\n")
        }),
        ("one header without end", |it| {
            without_end(it, b"HTTP/1.1 200 OK\r\nx-header: ", &[b'x'; 4096])
        }),
        ("200 with a body", |it| {
            it.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").unwrap()
        }),
        ("200 with chunks", |it| {
            it.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
                .unwrap()
        }),
        ("200 and an answer in the clear", |it| {
            let answer = b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
            it.write_all(answer).unwrap()
        }),
        ("200 and the end", |it| {
            it.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap()
        }),
        ("half a status line", |it| it.write_all(b"HTTP/1.1 2").unwrap()),
        ("silence", |it| {
            let _ = it.read(&mut [0]);
        }),
    ];
    let connector = connector().await.unwrap();
    for (name, answer) in answers {
        let url = format!("http://user:S3cretword@{}", answering(answer));
        let egress = Egress::builder()
            .proxy(Proxy::new(&url, "").unwrap())
            .resolver(Names::all_here())
            .build()
            .unwrap();
        let began = Instant::now();
        let outcome = connector
            .execute(&egress, &input(json!({ "connectionTimeoutInSeconds": 2 })))
            .await;
        assert!(
            began.elapsed() < Duration::from_secs(15),
            "{name}: {:?}",
            began.elapsed()
        );
        assert_eq!(outcome.requests[0].progress, Progress::Unsent, "{name}: {outcome:?}");
        assert!(!format!("{outcome:?}").contains("S3cretword"), "{name}: {outcome:?}");
        let error = outcome.result.expect_err(name);
        assert_eq!(error.flow, FlowState::NotStarted, "{name}: {error}");
        assert!(
            matches!(
                error.kind,
                ErrorKind::Refused | ErrorKind::Tls | ErrorKind::ConnectTimeout
            ),
            "{name}: {} {error}",
            error.kind
        );
    }
}
