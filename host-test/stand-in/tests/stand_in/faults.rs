//! The faults by which a connection ends, stalls or drips: on the head, before the answer, within it and after it.

use std::time::{Duration, Instant};

use servicenow_stand_in::{Behaviour, DEMO_FLOW, Fault, StandIn, Step};

use crate::client::{BASIC, Client, Ending, JSON, PATIENCE, demo, recorded, start};
use crate::meeting::{QUIET, leaves, meet, stalled};

/// A head that promises a body of 100 bytes, which the test may send.
fn head_first(stand_in: &StandIn, fault: Fault) -> Client {
    stand_in.behave(DEMO_FLOW, Behaviour::Fault(fault));
    let mut client = Client::tls(stand_in);
    client.send(format!(
        "POST {DEMO_FLOW}?hello=query HTTP/1.1\r\nHost: a\r\n{BASIC}{JSON}hello: header\r\nContent-Length: 100\r\n\r\n"
    ));
    client
}

#[test]
fn reset_on_head_has_not_the_whole_request() {
    let stand_in = demo();
    let mut client = head_first(&stand_in, Fault::ResetOnHead);
    assert_eq!(client.rest(), (Vec::new(), Ending::Reset));
    let seen = recorded(&stand_in);
    assert_eq!((seen.complete, seen.answered), (false, None));
    assert!(stand_in.starts().is_empty());
}

#[test]
fn close_on_head_finds_out_whether_the_rest_comes() {
    for rest in ["", &"x".repeat(100)] {
        let stand_in = demo();
        let mut client = head_first(&stand_in, Fault::CloseOnHead);
        assert_eq!(client.rest(), (Vec::new(), Ending::Closed));
        client.send(rest);
        let seen = leaves(&stand_in, client);
        assert_eq!((seen.complete, seen.answered), (!rest.is_empty(), None));
        assert!(stand_in.starts().is_empty());
    }
}

#[test]
fn early_answers_before_the_body_was_sent_and_then_hears_it() {
    for status in [413, 200] {
        let stand_in = demo();
        let mut client = head_first(&stand_in, Fault::Early(status));
        assert_eq!(client.answer().status, status);
        assert!(!stand_in.requests()[0].complete);
        client.send("x".repeat(100));
        assert!(recorded(&stand_in).complete);
        assert!(stand_in.starts().is_empty());
    }
}

#[test]
fn deaf_lets_a_large_body_back_up() {
    let stand_in = demo();
    stand_in.behave(DEMO_FLOW, Behaviour::Fault(Fault::Deaf));
    let tcp = std::net::TcpStream::connect(stand_in.http_addr()).unwrap();
    tcp.set_nonblocking(true).unwrap();
    let head = format!("POST {DEMO_FLOW} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n");
    let mut sent = 0;
    let mut stuck_since = None;
    let mut next = head.into_bytes();
    // Stuck: no byte was taken for a while, though the socket was asked again and again.
    while stuck_since.is_none_or(|since: Instant| since.elapsed() < 3 * QUIET) {
        match std::io::Write::write(&mut &tcp, &next) {
            Ok(count) => {
                sent += count;
                stuck_since = None;
                next = vec![b'x'; 64 * 1024];
            }
            Err(_) => {
                stuck_since.get_or_insert_with(Instant::now);
                std::thread::yield_now();
            }
        }
        assert!(sent < 900_000_000, "it reads on and on");
    }
    let seen = stand_in.requests().pop().unwrap();
    assert_eq!((seen.complete, seen.answered), (false, None));
    assert!(seen.body.len() < 2 * 1024 * 1024);
}

#[test]
fn deaf_and_silence_say_nothing_until_the_client_leaves() {
    for (fault, starts) in [(Fault::Deaf, 0), (Fault::Silence, 1)] {
        let (stand_in, mut client) = stalled(fault);
        assert!(client.is_silent_for(QUIET));
        assert_eq!(stand_in.starts().len(), starts);
        let seen = leaves(&stand_in, client);
        assert_eq!((seen.complete, seen.answered), (true, None));
    }
}

#[test]
fn without_an_answer_the_connection_is_closed_cut_or_reset() {
    let table = [
        (Fault::Close, Ending::Closed),
        (Fault::Cut, Ending::Cut),
        (Fault::Reset, Ending::Reset),
    ];
    for (fault, ending) in table {
        let met = meet(fault);
        assert_eq!((met.bytes, met.ending), (Vec::new(), ending));
        assert_eq!((met.seen.complete, met.seen.answered, met.starts), (true, None, 1));
    }
}

#[test]
fn within_and_after_the_head_the_connection_is_closed_or_reset() {
    let table = [
        (Fault::CloseWithinHead, Ending::Closed, false),
        (Fault::ResetWithinHead, Ending::Reset, false),
        (Fault::ResetAfterHead, Ending::Reset, true),
    ];
    for (fault, ending, whole_head) in table {
        let met = meet(fault);
        assert!(met.text().starts_with("HTTP/1.1 200 OK\r\nServer: "), "{fault:?}");
        assert_eq!(met.text().ends_with("\r\n\r\n"), whole_head, "{fault:?}");
        assert_eq!(met.text().contains("\r\n\r\n"), whole_head, "{fault:?}");
        assert_eq!(met.ending, ending, "{fault:?}");
        assert_eq!((met.seen.complete, met.seen.answered, met.starts), (true, Some(200), 1));
    }
}

#[test]
fn within_the_body_the_connection_is_closed_cut_or_reset() {
    let table = [
        (Fault::CloseWithinBody, Ending::Closed),
        (Fault::CutWithinBody, Ending::Cut),
        (Fault::ResetWithinBody, Ending::Reset),
    ];
    for (fault, ending) in table {
        let met = meet(fault);
        let (_, body) = met.parts();
        assert!(body.starts_with(r#"{"result":{"#), "{fault:?}");
        assert_eq!(body.len(), met.length() / 2, "{fault:?}");
        assert_eq!(met.ending, ending, "{fault:?}");
        assert_eq!((met.seen.complete, met.seen.answered, met.starts), (true, Some(200), 1));
    }
}

#[test]
fn stalls_leave_the_connection_open() {
    for (fault, whole_head) in [
        (Fault::StallWithinHead, false),
        (Fault::StallAfterHead, true),
        (Fault::StallWithinBody, true),
    ] {
        let (stand_in, mut client) = stalled(fault);
        if whole_head {
            let head = String::from_utf8(client.up_to(b"\r\n\r\n")).unwrap();
            assert!(head.contains("Content-Length: 61\r\n"), "{head}");
        } else {
            client.take(40);
        }
        if fault == Fault::StallWithinBody {
            assert_eq!(client.take(30).len(), 30);
        }
        // Within the head, more than the 40 bytes have come.
        if whole_head {
            assert!(client.is_silent_for(QUIET));
        }
        assert_eq!(stand_in.starts().len(), 1);
        let seen = leaves(&stand_in, client);
        assert_eq!((seen.complete, seen.answered), (true, Some(200)), "{fault:?}");
    }
}

#[test]
fn reset_after_the_answer_comes_after_the_whole_of_it() {
    let met = meet(Fault::ResetAfterAnswer);
    assert_eq!(met.parts().1.len(), met.length());
    assert_eq!((met.ending, met.starts), (Ending::Reset, 1));
}

#[test]
fn drip_sends_one_byte_at_a_time_with_pauses() {
    let stand_in = demo();
    let every = Duration::from_millis(1);
    stand_in.behave(DEMO_FLOW, Behaviour::Fault(Fault::Drip(every)));
    let mut client = Client::plain(&stand_in);
    let begun = Instant::now();
    let (bytes, ending) = client.send(start()).rest();
    assert!(begun.elapsed() >= every * u32::try_from(bytes.len()).unwrap());
    assert!(bytes.ends_with(b"\"}}"));
    // A client that keeps connections is told not to keep this one.
    assert!(String::from_utf8_lossy(&bytes).contains("\r\nConnection: close\r\n"));
    assert_eq!(ending, Ending::Closed);
}

#[test]
fn a_drip_ends_when_its_client_leaves() {
    let (stand_in, mut client) = stalled(Fault::Drip(Duration::from_millis(20)));
    client.take(3);
    assert!(leaves(&stand_in, client).over);
}

#[test]
fn a_fault_may_come_late_and_at_the_token_endpoint_too() {
    let stand_in = demo();
    let by = Duration::from_millis(200);
    let late = Behaviour::Delay {
        by,
        then: Box::new(Behaviour::Fault(Fault::Reset)),
    };
    stand_in.behave("/oauth_token.do", late);
    let begun = Instant::now();
    let mut client = Client::tls(&stand_in);
    client.send("POST /oauth_token.do HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(client.rest().1, Ending::Reset);
    assert!(begun.elapsed() >= by);
}

#[test]
fn a_script_does_what_no_name_stands_for() {
    let stand_in = demo();
    let steps = [
        Step::Start,
        Step::AnswerUpTo(20),
        Step::Pause(Duration::from_millis(1)),
        Step::Bytes(b"...".to_vec()),
        Step::Drip {
            bytes: b"!!".to_vec(),
            every: Duration::from_millis(1),
        },
        Step::Cut,
    ];
    stand_in.behave(DEMO_FLOW, Behaviour::script(steps));
    let (bytes, ending) = Client::tls(&stand_in).send(start()).rest();
    assert_eq!(
        (bytes.as_slice(), ending),
        (b"HTTP/1.1 200 OK\r\nSer...!!".as_slice(), Ending::Cut)
    );
    assert_eq!(stand_in.starts().len(), 1);
}

#[test]
fn a_script_that_answers_in_order_keeps_the_connection() {
    let stand_in = demo();
    stand_in.behave_once(DEMO_FLOW, Behaviour::script([Step::Answer]));
    let mut client = Client::tls(&stand_in);
    assert_eq!(client.send(start()).answer().status, 200);
    assert_eq!(client.send(start()).answer().status, 200);
    assert_eq!(stand_in.connections(), 1);
}

#[test]
fn after_each_fault_the_next_connection_is_served_as_ever() {
    for fault in Fault::ALL {
        let (stand_in, client) = stalled(fault);
        assert!(stand_in.wait_for_requests(1, PATIENCE));
        stand_in.behave_well();
        drop(client);
        assert!(recorded(&stand_in).over, "{fault:?}");
        assert_eq!(Client::tls(&stand_in).send(start()).answer().status, 200, "{fault:?}");
    }
}
