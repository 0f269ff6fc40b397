//! Every row of the tables in `classify`.

use super::*;

#[derive(Debug, PartialEq)]
enum Settled {
    Done,
    Gone,
    Taken,
    Deferred(Option<u64>),
    Rejected,
    TooLarge,
    Unanswered,
}

#[derive(Debug, PartialEq)]
enum Put {
    Done,
    Refused,
    Unanswered,
}
use Put::{Refused, Unanswered};

fn settled(answer: SettleAnswer) -> Settled {
    match answer {
        SettleAnswer::Settled => Settled::Done,
        SettleAnswer::Gone => Settled::Gone,
        SettleAnswer::TakenOver { .. } => Settled::Taken,
        SettleAnswer::Deferred { after, .. } => Settled::Deferred(after.map(|after| after.as_secs())),
        SettleAnswer::Rejected { too_large: false, .. } => Settled::Rejected,
        SettleAnswer::Rejected { too_large: true, .. } => Settled::TooLarge,
        SettleAnswer::Unanswered { .. } => Settled::Unanswered,
    }
}

fn put(answer: PutAnswer) -> Put {
    match answer {
        PutAnswer::Done => Put::Done,
        PutAnswer::Refused { .. } => Refused,
        PutAnswer::Unanswered { .. } => Unanswered,
    }
}

fn moved(answer: ExtendAnswer) -> Put {
    match answer {
        ExtendAnswer::Done => Put::Done,
        ExtendAnswer::Refused { .. } => Refused,
        ExtendAnswer::Unanswered { .. } => Unanswered,
    }
}

#[rustfmt::skip]
fn table() -> Vec<(&'static str, Reply, Settled, Put, Put)> {
    let seconds = |seconds| format!("retry-after: {seconds}\r\n");
    let batch = "Command 'COMPLETE' rejected with code 'EXCEEDED_BATCH_RECORD_SIZE': ";
    let processing = "Command 'COMPLETE' rejected with code 'PROCESSING_ERROR': ";
    vec![
        // answer, report, mark, record
        ("204", no_content(), Settled::Done, Put::Done, Put::Done),
        ("404", problem(404, "NOT_FOUND", "no job"), Settled::Gone, Refused, Refused),
        ("404 of another title", problem(404, "Not Found", "no route"), Settled::Unanswered, Refused, Refused),
        ("404 in HTML", html(404), Settled::Unanswered, Unanswered, Unanswered),
        ("404 in JSON", json(404, r#"{"title":"NOT_FOUND"}"#), Settled::Unanswered, Unanswered, Unanswered),
        ("409", problem(409, "INVALID_STATE", "failed"), Settled::Taken, Refused, Refused),
        ("409 in HTML", html(409), Settled::Unanswered, Unanswered, Unanswered),
        ("401", problem(401, "UNAUTHORIZED", "tenant"), Settled::Deferred(None), Refused, Unanswered),
        ("401 without a body", answer(401, "", ""), Settled::Deferred(None), Refused, Unanswered),
        ("403", problem(403, "FORBIDDEN", "no"), Settled::Deferred(None), Refused, Unanswered),
        ("403 in HTML", html(403), Settled::Unanswered, Unanswered, Unanswered),
        ("429", problem(429, "RESOURCE_EXHAUSTED", "later"), Settled::Deferred(None), Unanswered, Unanswered),
        ("429 of a rate limiter", answer(429, &seconds(7), "slow down"), Settled::Deferred(Some(7)), Unanswered, Unanswered),
        ("503, exhausted", problem(503, "RESOURCE_EXHAUSTED", "later"), Settled::Deferred(None), Unanswered, Unanswered),
        ("503", problem(503, "UNAVAILABLE", "RESOURCE_EXHAUSTED"), Settled::Unanswered, Unanswered, Unanswered),
        ("503 in HTML", html(503), Settled::Unanswered, Unanswered, Unanswered),
        ("400", problem(400, "INVALID_ARGUMENT", "bad"), Settled::Rejected, Refused, Refused),
        ("400 for its size", problem(400, "INVALID_ARGUMENT", "larger than the maximum message size"), Settled::TooLarge, Refused, Refused),
        ("400 in HTML", html(400), Settled::Unanswered, Unanswered, Unanswered),
        ("413", problem(413, "PAYLOAD_TOO_LARGE", "no"), Settled::TooLarge, Unanswered, Unanswered),
        ("413 in HTML", html(413), Settled::TooLarge, Unanswered, Unanswered),
        ("500, rejected for its size", problem(500, "INTERNAL", batch), Settled::TooLarge, Unanswered, Unanswered),
        ("500, rejected", problem(500, "INTERNAL", processing), Settled::Rejected, Unanswered, Unanswered),
        ("500", problem(500, "INTERNAL", "oh"), Settled::Unanswered, Unanswered, Unanswered),
        ("500 in HTML", html(500), Settled::Unanswered, Unanswered, Unanswered),
        ("502", html(502), Settled::Unanswered, Unanswered, Unanswered),
        ("504", problem(504, "DEADLINE_EXCEEDED", "late"), Settled::Unanswered, Unanswered, Unanswered),
        ("200", json(200, "{}"), Settled::Unanswered, Unanswered, Unanswered),
        ("202", answer(202, "", ""), Settled::Unanswered, Unanswered, Unanswered),
        ("302", answer(302, "location: /elsewhere\r\n", ""), Settled::Unanswered, Unanswered, Unanswered),
        ("307", answer(307, "location: /elsewhere\r\n", ""), Settled::Unanswered, Unanswered, Unanswered),
        ("308", answer(308, "location: /elsewhere\r\n", ""), Settled::Unanswered, Unanswered, Unanswered),
        ("an end without an answer", Reply::Last(Vec::new()), Settled::Unanswered, Unanswered, Unanswered),
        ("half a head", Reply::Last(b"HTTP/1.1 204".to_vec()), Settled::Unanswered, Unanswered, Unanswered),
        ("half a problem", Reply::Last(b"HTTP/1.1 404 X\r\ncontent-type: application/problem+json\r\ncontent-length: 99\r\n\r\n{".to_vec()), Settled::Unanswered, Unanswered, Unanswered),
        ("no HTTP", Reply::Last(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec()), Settled::Unanswered, Unanswered, Unanswered),
    ]
}

#[tokio::test]
async fn each_answer_has_its_one_meaning() {
    for (name, reply, report, mark, record) in table() {
        let server = Server::start(move |_, _| reply.clone()).await;
        let client = client(&server);
        for each in [complete(), fail(), throw()] {
            assert_eq!(settled(client.settle(&job(), each).await), report, "{name}: {each:?}");
        }
        assert_eq!(put(client.mark(&job(), raw("{}")).await), mark, "{name}: mark");
        assert_eq!(put(client.record(&job(), raw("{}")).await), record, "{name}: record");
        assert_eq!(
            moved(client.extend(&job(), Duration::from_secs(1)).await),
            mark,
            "{name}: extend"
        );
        assert_eq!(
            moved(client.check(&leased(), Duration::from_secs(1)).await.unwrap()),
            mark,
            "{name}: check"
        );
        // No redirect is followed, and nothing is repeated.
        assert_eq!(server.seen().len(), 7, "{name}");
        assert_eq!(server.count(|seen| seen.line().contains("elsewhere")), 0, "{name}");
    }
}

#[tokio::test]
async fn a_request_without_a_connection_was_not_sent() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let plain = Server::start(|_, _| Reply::Silence).await;
    let tls_to_plain = plain.address.replace("http:", "https:");
    // No name ends in .invalid (RFC 2606).
    for address in [
        format!("http://{closed}"),
        tls_to_plain,
        "http://cluster.invalid".to_owned(),
    ] {
        let client = Camunda8::builder(&address)
            .limits(|limits| limits.connect = Duration::from_millis(300))
            .build()
            .unwrap();
        let answer = client.settle(&job(), fail()).await;
        let SettleAnswer::Deferred { after: None, detail } = answer else {
            panic!("{address}: {answer:?}");
        };
        assert!(detail.starts_with("no connection: "), "{detail}");
        assert_eq!(put(client.mark(&job(), raw("{}")).await), Unanswered);
        assert!(matches!(
            client.activate(&poll()).await,
            Err(ActivationError::Failed { .. })
        ));
    }
}

#[tokio::test]
async fn a_detail_is_one_line_without_credentials() {
    let server = Server::start(|seen, _| match seen.line() {
        line if line.contains("/completion") => {
            problem(409, "INVALID_STATE", "for demo:hunter2, \r\n hunter2 ZGVtbzpodW50ZXIy")
        }
        _ => html(502),
    })
    .await;
    let client = Camunda8::builder(&server.address)
        .basic("demo", "hunter2".into())
        .build()
        .unwrap();
    let answer = client.settle(&job(), complete()).await;
    let detail = "409 INVALID_STATE: for demo:***, *** ***".to_owned();
    assert_eq!(answer, SettleAnswer::TakenOver { detail });
    let answer = client.settle(&job(), fail()).await;
    let detail = "502 with text/html, which is no answer of the cluster's".to_owned();
    assert_eq!(answer, SettleAnswer::Unanswered { detail });
}

#[tokio::test]
async fn the_version_is_the_gateways() {
    let server = Server::start(|_, before| match before {
        0 => json(200, r#"{"gatewayVersion":"8.9.1","brokers":[]}"#),
        1 => json(200, "{}"),
        _ => problem(401, "UNAUTHORIZED", "who?"),
    })
    .await;
    let client = client(&server);
    assert_eq!(client.version().await.as_deref(), Ok("8.9.1"));
    assert!(client.version().await.unwrap_err().contains("gatewayVersion"));
    assert_eq!(client.version().await.unwrap_err(), "401 UNAUTHORIZED: who?");
    assert_eq!(server.seen()[0].line(), "GET /v2/topology");
}
