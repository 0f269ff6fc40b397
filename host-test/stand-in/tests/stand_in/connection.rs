//! What is recorded of a request, and how a connection goes on.

use servicenow_stand_in::{Behaviour, DEMO_FLOW, Instance, Options, StandIn, Step};

use crate::client::{Client, Ending, JSON, PATIENCE, demo, recorded, request, start};

const PUBLIC: &str = "/api/sn_cico/flow_starter/public_flow";

#[test]
fn a_request_is_recorded_byte_for_byte() {
    let stand_in = demo();
    let target = "/api/a%2Fb/%C3%A4;v=1/..%2e?x=a%20b&x=&y=%26";
    let head = format!(
        "POST {target} HTTP/1.1\r\nhOsT: acme.service-now.com\r\nX-Twice: 1\r\nx-twice:2\r\nX-Latin: \u{e4}\r\n\
         Content-Length: 5\r\n\r\n"
    );
    let mut head = head.into_bytes();
    let at = head.windows(2).position(|two| two == "\u{e4}".as_bytes()).unwrap();
    head.splice(at..at + 2, [0xe4]);
    let body = [0, 0xff, b'\r', b'\n', b'{'];
    Client::tls(&stand_in).send([head.as_slice(), &body].concat()).answer();

    let seen = recorded(&stand_in);
    assert_eq!(seen.head, head);
    assert_eq!(seen.body, body);
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str(), seen.version.as_str()),
        ("POST", target, "HTTP/1.1")
    );
    assert_eq!(
        (seen.path(), seen.query()),
        ("/api/a%2Fb/%C3%A4;v=1/..%2e", "x=a%20b&x=&y=%26")
    );
    let names = seen.headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["hOsT", "X-Twice", "x-twice", "X-Latin", "Content-Length"]);
    assert_eq!(seen.header("X-TWICE").collect::<Vec<_>>(), ["1", "2"]);
    let tls = seen.tls.unwrap();
    assert_eq!(
        (tls.server_name.as_deref(), tls.version.as_str()),
        (Some("acme.service-now.com"), "TLSv1_3")
    );
    assert!(seen.complete && seen.over);
    assert_eq!(seen.answered, Some(400));
}

#[test]
fn chunks_are_taken_together_whatever_pieces_they_come_in() {
    let stand_in = demo();
    let sent = format!(
        "POST {PUBLIC} HTTP/1.1\r\nHost: a\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n\
         4;extension=1\r\n{{\"a\"\r\n3\r\n:1}}\r\n0\r\nTrailer: x\r\nother: y\r\n\r\n"
    );
    for size in [1, 7, sent.len()] {
        let mut client = Client::plain(&stand_in);
        for piece in sent.as_bytes().chunks(size) {
            client.send(piece);
        }
        assert_eq!(client.answer().status, 200);
        assert_eq!(recorded(&stand_in).body, b"{\"a\":1}");
        // The chunks' end was found: the next request begins where it should.
        assert_eq!(client.post(PUBLIC, JSON, "{}").status, 200);
    }
    assert_eq!(stand_in.starts().len(), 6);
}

#[test]
fn a_connection_serves_one_request_after_the_other_until_the_client_closes() {
    let stand_in = demo();
    let mut client = Client::tls(&stand_in);
    for _ in 0..3 {
        assert_eq!(client.send(start()).answer().status, 200);
    }
    Client::tls(&stand_in).send(start()).answer();
    let connections = stand_in
        .requests()
        .iter()
        .map(|seen| seen.connection)
        .collect::<Vec<_>>();
    assert_eq!(connections, [1, 1, 1, 2]);
    assert_eq!(stand_in.connections(), 2);
    assert_eq!(
        stand_in.requests().iter().map(|seen| seen.number).collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );

    let answer = client.post(PUBLIC, "Connection: close\r\n", "");
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(client.rest(), (Vec::new(), Ending::Closed));
}

#[test]
fn requests_sent_ahead_are_answered_in_order() {
    let stand_in = demo();
    let mut client = Client::plain(&stand_in);
    client.send(format!(
        "{}{}",
        request("GET", "/unknown", "", ""),
        request("POST", PUBLIC, "", "")
    ));
    assert_eq!((client.answer().status, client.answer().status), (400, 200));
}

#[test]
fn a_body_that_waits_for_100_continue_gets_it_when_it_will_be_read() {
    let stand_in = demo();
    let mut client = Client::plain(&stand_in);
    let head = |length: usize| {
        format!("POST {PUBLIC} HTTP/1.1\r\nHost: a\r\n{JSON}Expect: 100-continue\r\nContent-Length: {length}\r\n\r\n")
    };
    client.send(head(2));
    assert_eq!(client.up_to(b"\r\n\r\n"), b"HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(client.send("{}").answer().status, 200);
    client.send(head(11 * 1024 * 1024));
    assert_eq!(client.answer().status, 400);
}

#[test]
fn a_truncated_request_is_recorded_and_starts_nothing() {
    let stand_in = demo();
    let whole = request("POST", PUBLIC, JSON, r#"{"a":1}"#);
    let head_end = whole.find("\r\n\r\n").unwrap() + 4;
    for sent in [10, head_end - 1, head_end, head_end + 3] {
        stand_in.clear();
        let mut client = Client::plain(&stand_in);
        client.send(&whole[..sent]);
        drop(client);
        let seen = recorded(&stand_in);
        assert!(!seen.complete, "{sent}");
        assert_eq!(seen.answered, None, "{sent}");
        assert_eq!(seen.head, whole.as_bytes()[..sent.min(head_end)]);
        assert_eq!(seen.body, whole.as_bytes()[sent.min(head_end)..sent]);
    }
    assert!(stand_in.starts().is_empty());
}

#[test]
fn non_http_is_refused_after_reading_it() {
    let stand_in = demo();
    let table = [
        "not http at all\r\n\r\n".to_owned(),
        format!("POST {PUBLIC} HTTP/1.1\r\nContent-Length: 1, 2\r\n\r\n"),
        format!("POST {PUBLIC} HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"),
        format!("POST {PUBLIC} HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
        format!("POST {PUBLIC} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        format!("POST {PUBLIC} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n123456\r\n0\r\n\r\n"),
    ];
    for sent in table {
        let mut client = Client::plain(&stand_in);
        let answer = client.send(&sent).answer();
        assert_eq!(
            (answer.status, answer.failure().as_str()),
            (400, "Bad request"),
            "{sent}"
        );
        assert_eq!(client.rest(), (Vec::new(), Ending::Closed), "{sent}");
    }
    assert!(stand_in.requests().iter().all(|seen| !seen.complete));
    assert!(stand_in.starts().is_empty());
}

#[test]
fn an_early_answer_reaches_a_client_that_is_still_sending() {
    let stand_in = demo();
    let bytes = b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    stand_in.behave(PUBLIC, Behaviour::Script(vec![Step::Bytes(bytes.to_vec())]));
    let mut client = Client::tls(&stand_in);
    client.send(format!(
        "POST {PUBLIC} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000001\r\n\r\n"
    ));
    assert_eq!(client.up_to(b"\r\n\r\n"), bytes);
    assert!(!stand_in.requests()[0].over);
    // It takes the whole body, though it has answered.
    client.send(vec![b'x'; 1_000_001]);
    let seen = recorded(&stand_in);
    assert_eq!(
        (seen.complete, seen.body.len(), seen.answered),
        (true, 1_000_001, Some(413))
    );
    assert_eq!(client.rest(), (Vec::new(), Ending::Closed));
    assert!(stand_in.starts().is_empty());
}

#[test]
fn the_answer_is_in_the_record_when_the_client_has_it() {
    let stand_in = demo();
    let mut client = Client::plain(&stand_in);
    for count in 1..=50 {
        client.post(PUBLIC, JSON, "{}");
        let requests = stand_in.requests();
        assert_eq!(requests.len(), count);
        assert_eq!(requests[count - 1].answered, Some(200));
        assert_eq!(stand_in.starts().len(), count);
    }
}

#[test]
fn clearing_forgets_and_numbers_go_on() {
    let stand_in = demo();
    let mut client = Client::tls(&stand_in);
    client.send(start()).answer();
    stand_in.clear();
    assert!(stand_in.requests().is_empty() && stand_in.starts().is_empty());
    client.send(start()).answer();
    assert!(stand_in.wait_for_requests(1, PATIENCE));
    assert_eq!(stand_in.requests()[0].number, 2);
}

#[test]
fn only_the_configured_number_of_requests_is_kept() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let options = Options {
        observer: Some(Box::new(move |event| sender.send(format!("{event:?}")).unwrap())),
        keep: Some(2),
        ..Options::default()
    };
    let stand_in = StandIn::start_with(Instance::demo(), options).unwrap();
    let mut client = Client::plain(&stand_in);
    for _ in 0..5 {
        client.send(start()).answer();
    }
    for _ in 0..5 {
        assert!(receiver.recv_timeout(PATIENCE).unwrap().contains(DEMO_FLOW));
    }
    // The last is told before the surplus goes, and a further exchange comes after that.
    client.send(start()).answer();
    receiver.recv_timeout(PATIENCE).unwrap();
    assert!(stand_in.requests().len() <= 3);
    assert!(stand_in.starts().len() <= 3);
}

#[test]
fn dropping_the_stand_in_ends_what_its_clients_wait_for() {
    let stand_in = demo();
    stand_in.behave(PUBLIC, Behaviour::Script(vec![Step::Silence]));
    let mut client = Client::plain(&stand_in);
    client.send(request("POST", PUBLIC, JSON, "{}"));
    assert!(stand_in.wait_for_requests(1, PATIENCE));
    drop(stand_in);
    assert!(matches!(client.rest().1, Ending::Closed | Ending::Reset));
}
