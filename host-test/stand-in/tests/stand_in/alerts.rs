//! Fatal TLS alerts in place of an answer.

use servicenow_stand_in::{Behaviour, DEMO_FLOW, Fault, Step};

use crate::client::{Client, Ending, demo, start};
use crate::meeting::meet;

#[test]
fn an_alert_about_a_certificate_refuses_and_another_does_not() {
    for (description, starts) in [
        (42, 0),
        (43, 0),
        (44, 0),
        (45, 0),
        (46, 0),
        (48, 0),
        (49, 0),
        (116, 0),
        (80, 1),
        (40, 1),
    ] {
        let met = meet(Fault::Alert(description));
        assert_eq!((met.bytes, met.ending), (Vec::new(), Ending::Alert(description)));
        assert_eq!(
            (met.seen.complete, met.seen.answered, met.starts),
            (true, None, starts),
            "{description}"
        );
    }
}

#[test]
fn an_alert_goes_out_under_each_cipher_and_each_version() {
    use rustls::crypto::ring::cipher_suite::{
        TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384, TLS13_CHACHA20_POLY1305_SHA256,
    };
    let suites = [
        TLS13_AES_128_GCM_SHA256,
        TLS13_AES_256_GCM_SHA384,
        TLS13_CHACHA20_POLY1305_SHA256,
        TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ];
    let stand_in = demo();
    stand_in.behave(DEMO_FLOW, Behaviour::Fault(Fault::Alert(80)));
    for suite in suites {
        let stream = crate::client::handshake_with(&stand_in, suite).unwrap();
        let mut client = Client::over(stream);
        assert_eq!(
            client.send(start()).rest(),
            (Vec::new(), Ending::Alert(80)),
            "{suite:?}"
        );
    }
}

#[test]
fn without_tls_an_alert_is_a_cut() {
    let stand_in = demo();
    stand_in.behave(DEMO_FLOW, Behaviour::Fault(Fault::Alert(80)));
    assert_eq!(
        Client::plain(&stand_in).send(start()).rest(),
        (Vec::new(), Ending::Closed)
    );
}

#[test]
fn an_alert_reaches_a_client_that_is_still_sending() {
    let stand_in = demo();
    stand_in.behave(DEMO_FLOW, Behaviour::Script(vec![Step::Alert(80)]));
    let mut client = Client::tls(&stand_in);
    client.send(format!(
        "POST {DEMO_FLOW} HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n"
    ));
    client.try_send(vec![b'x'; 4_000_000]);
    assert_eq!(client.rest(), (Vec::new(), Ending::Alert(80)));
    assert!(!crate::client::recorded(&stand_in).complete);
}
