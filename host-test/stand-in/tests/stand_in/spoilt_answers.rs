//! Answers that are not what their framing says, or are no HTTP, or only look wrong.

use servicenow_stand_in::{Behaviour, DEMO_FLOW, Fault, Step};

use crate::client::{Client, Ending, demo, recorded, start};
use crate::meeting::{leaves, meet, stalled};

#[test]
fn content_length_is_too_short_too_long_or_no_number() {
    for fault in [Fault::LengthTooShort, Fault::LengthTooLong] {
        let met = meet(fault);
        let (_, body) = met.parts();
        assert!(body.ends_with("\"}}"), "the body is whole");
        match fault {
            Fault::LengthTooShort => assert_eq!(met.length(), body.len() / 2),
            _ => assert_eq!(met.length(), body.len() + 100),
        }
        assert_eq!((met.ending, met.starts), (Ending::Closed, 1));
    }
    let met = meet(Fault::LengthNoNumber);
    assert!(met.text().contains("\r\nContent-Length: many\r\n"));
    assert_eq!((met.ending, met.starts), (Ending::Closed, 1));
}

#[test]
fn cut_unframed_ends_a_body_that_only_the_connection_delimits() {
    let met = meet(Fault::CutUnframed);
    let (head, body) = met.parts();
    assert!(!head.contains("Content-Length") && !head.contains("Transfer-Encoding"));
    assert_eq!((body.len(), met.ending, met.starts), (30, Ending::Cut, 1));
}

#[test]
fn chunks_are_broken_or_unfinished() {
    for (fault, end) in [
        (Fault::BrokenChunk, "\r\nthese are no chunks\r\n"),
        (Fault::UnfinishedChunks, "\r\n"),
    ] {
        let met = meet(fault);
        let (head, body) = met.parts();
        assert!(head.contains("\r\nTransfer-Encoding: chunked\r\n") && !head.contains("Content-Length"));
        let rest = body.strip_prefix("1e\r\n").unwrap();
        assert_eq!(&rest[30..], end, "{fault:?}");
        assert_eq!((met.ending, met.starts), (Ending::Closed, 1));
    }
}

#[test]
fn endless_bodies_and_heads_end_when_the_client_leaves() {
    for (fault, piece) in [
        (Fault::EndlessBody, "\r\n400\r\n   "),
        (Fault::EndlessHead, "\r\nX-Endless: "),
    ] {
        let (stand_in, mut client) = stalled(fault);
        let bytes = client.take(20 * 1024 * 1024);
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.matches(piece).count() > 10_000, "{fault:?}");
        assert_eq!(text.contains("\r\n\r\n"), fault == Fault::EndlessBody);
        let seen = leaves(&stand_in, client);
        assert_eq!((seen.complete, seen.answered), (true, Some(200)));
        assert_eq!(stand_in.starts().len(), 1);
    }
}

#[test]
fn gzip_holds_the_instances_own_answer() {
    let met = meet(Fault::Gzip);
    let text = met.text();
    assert!(text.contains("\r\nContent-Encoding: gzip\r\n"));
    let at = met.bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let body = &met.bytes[at..];
    assert_eq!(body.len(), met.length());
    // A header of 10 bytes, a stored block's of 5, the bytes, their checksum and their length.
    assert_eq!(body[..4], [0x1f, 0x8b, 8, 0]);
    assert_eq!(body[10..15], [1, 61, 0, 194, 255]);
    let inner = &body[15..76];
    assert!(inner.starts_with(b"{\"result\":{\"executionId\":\"") && inner.ends_with(b"\"}}"));
    assert_eq!(body[80..], [61, 0, 0, 0]);
    assert_eq!(met.starts, 1);
}

#[test]
fn garbage_is_not_http() {
    let met = meet(Fault::Garbage);
    assert!(met.bytes.starts_with(b"\x00\x01\xfe\xff"));
    assert_eq!((met.ending, met.seen.answered, met.starts), (Ending::Closed, None, 1));
}

#[test]
fn http10_ends_with_the_connection() {
    let met = meet(Fault::Http10);
    let (head, body) = met.parts();
    assert!(head.starts_with("HTTP/1.0 200 OK\r\n") && !head.contains("Content-Length"));
    assert!(body.ends_with("\"}}"));
    assert_eq!(
        (met.ending, met.seen.answered, met.starts),
        (Ending::Closed, Some(200), 1)
    );
}

#[test]
fn interim_answers_come_first_and_the_connection_goes_on() {
    for (fault, line) in [
        (Fault::Continue, "HTTP/1.1 100 Continue\r\n\r\n"),
        (
            Fault::EarlyHints,
            "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n",
        ),
    ] {
        let (stand_in, mut client) = stalled(fault);
        assert_eq!(client.up_to(b"\r\n\r\n"), line.as_bytes());
        assert_eq!(client.answer().status, 200);
        assert_eq!(stand_in.requests()[0].answered, Some(200));
        assert_eq!(stand_in.starts().len(), 1);
        stand_in.behave_well();
        assert_eq!(client.send(start()).answer().status, 200);
    }
}

#[test]
fn an_interim_response_is_not_recorded() {
    let interim = "HTTP/1.1 102 Processing\r\n\r\n";
    let table = [
        (interim.to_owned(), None),
        (format!("{interim}{interim}HTTP/1.1 202 Accepted\r\n\r\n"), Some(202)),
    ];
    for (bytes, answered) in table {
        let stand_in = demo();
        stand_in.behave(DEMO_FLOW, Behaviour::script([Step::Bytes(bytes.clone().into_bytes())]));
        let met = Client::plain(&stand_in).send(start()).rest();
        assert_eq!(met, (bytes.into_bytes(), Ending::Closed));
        assert_eq!(recorded(&stand_in).answered, answered);
    }
}

#[test]
fn a_cancelled_transaction_shows_in_the_body_alone() {
    let envelope = r#"{"error":{"message":"Transaction cancelled: maximum execution time exceeded","#;
    for (fault, before) in [
        (Fault::Cancelled, ""),
        (Fault::CancelledWithinBody, "{\"result\":{\"executionId\":"),
    ] {
        let met = meet(fault);
        let (head, body) = met.parts();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(body.starts_with(before) && body.contains(envelope), "{body}");
        assert!(body.ends_with(r#""},"status":"failure"}"#), "{body}");
        assert_eq!((met.length(), met.starts), (body.len(), 1));
    }
}

#[test]
fn a_body_is_labelled_html_or_missing_or_a_sign_in_page() {
    let met = meet(Fault::HtmlType);
    let (head, body) = met.parts();
    assert!(head.contains("\r\nContent-Type: text/html;charset=UTF-8"), "{head}");
    assert!(body.starts_with("{\"result\":"), "{body}");
    let met = meet(Fault::EmptyBody);
    assert_eq!((met.parts().1, met.length(), met.starts), ("".into(), 0, 1));
    let met = meet(Fault::SignIn);
    let (head, body) = met.parts();
    assert!(
        head.contains("\r\nContent-Type: application/json;charset=UTF-8"),
        "{head}"
    );
    assert_eq!((&*body, met.starts), ("<h1>Sign in</h1>", 0));
}
