//! What goes wrong before anything is sent: the name, the address, TCP, TLS. Nothing is ever started by it, and the message says where
//! it stopped.

use std::sync::Arc;

use flow_starter_host::egress::{Progress, Purpose};
use flow_starter_host::{ErrorKind, FlowState, TriggerError};
use serde_json::json;
use servicenow_stand_in::{PortFault, TlsFault};

use super::{Names, acme, at, failure, honest, in_time, input, rig, stand_in, to_acme};

fn assert_not_started(error: &TriggerError, kind: ErrorKind, retryable: bool, step: &str) {
    assert_eq!(
        (error.kind, error.flow, error.retryable),
        (kind, FlowState::NotStarted, retryable),
        "{error}"
    );
    assert!(error.message.contains("The flow has not started."), "{error}");
    assert!(!error.message.contains("unknown whether"), "{error}");
    assert!(error.message.contains(&format!("It stopped at {step}")), "{error}");
    assert_eq!(error.response, None);
}

#[test]
fn an_unknown_name_is_dns() {
    let stand_in = stand_in();
    let names = Arc::new(Names::default());
    let egress = to_acme(&stand_in).resolver(names.clone());
    let rig = rig(stand_in, egress);
    let error = failure(in_time(|| rig.execute(&input(json!({})))));
    assert_not_started(&error, ErrorKind::Dns, true, "DNS: there is no such name");
    assert_eq!(names.asked(), ["acme.service-now.com"]);
    assert!(rig.stand_in.requests().is_empty());
}

#[test]
fn a_name_server_that_never_answers_is_connect_timeout() {
    let stand_in = stand_in();
    let names = Arc::new(Names {
        never_answers: true,
        ..Names::default()
    });
    let egress = to_acme(&stand_in).resolver(names);
    let rig = rig(stand_in, egress);
    let error = failure(in_time(|| {
        rig.execute(&input(json!({ "connectionTimeoutInSeconds": 0.2 })))
    }));
    assert_not_started(
        &error,
        ErrorKind::ConnectTimeout,
        true,
        "DNS: no name server answered in time",
    );
}

#[test]
fn a_closed_port_is_refused() {
    let stand_in = stand_in();
    let address = stand_in.open_port(PortFault::Refused).unwrap();
    let egress = to_acme(&stand_in).connect_to(at(address));
    let rig = rig(stand_in, egress);
    let error = failure(in_time(|| rig.execute(&input(json!({})))));
    assert_not_started(&error, ErrorKind::Refused, true, "TCP: ");
}

#[test]
fn a_port_that_never_accepts_is_connect_timeout() {
    let stand_in = stand_in();
    let address = stand_in.open_port(PortFault::Full).unwrap();
    let egress = to_acme(&stand_in).connect_to(at(address));
    let rig = rig(stand_in, egress);
    let error = failure(in_time(|| {
        rig.execute(&input(json!({ "connectionTimeoutInSeconds": 0.2 })))
    }));
    assert_not_started(&error, ErrorKind::ConnectTimeout, true, "TCP: no connection in time");
}

#[test]
fn a_handshake_that_never_ends_is_connect_timeout() {
    for fault in [TlsFault::Silence, TlsFault::Stall] {
        let stand_in = stand_in();
        stand_in.tls_fault("acme", fault).unwrap();
        let egress = to_acme(&stand_in).connect_to(at(stand_in.https_addr()));
        let rig = rig(stand_in, egress);
        let error = failure(in_time(|| {
            rig.execute(&input(json!({ "connectionTimeoutInSeconds": 0.2 })))
        }));
        assert_not_started(
            &error,
            ErrorKind::ConnectTimeout,
            true,
            "TLS: the handshake did not end in time",
        );
    }
}

#[test]
fn a_certificate_that_is_not_to_be_trusted_is_tls() {
    for (fault, why) in [
        (
            TlsFault::WrongName,
            "is not for acme.service-now.com, but for wrong-name.invalid",
        ),
        (TlsFault::Expired, "expired"),
        (TlsFault::NotYetValid, "not valid yet"),
        (TlsFault::UnknownAuthority, "was not issued by a trusted authority"),
    ] {
        let stand_in = stand_in();
        stand_in.tls_fault("acme", fault).unwrap();
        let egress = to_acme(&stand_in).connect_to(at(stand_in.https_addr()));
        let rig = rig(stand_in, egress);
        let error = failure(in_time(|| rig.execute(&input(json!({})))));
        assert_not_started(&error, ErrorKind::Tls, false, "TLS: ");
        assert!(error.message.contains(why), "{fault:?}: {error}");
        assert!(rig.stand_in.requests().is_empty());
    }
}

/// With TLS 1.3 the refusal comes when the request is on its way already: the alert alone proves that nothing was done with it.
#[test]
fn a_missing_client_certificate_is_tls_and_nothing_is_started() {
    for fault in [TlsFault::ClientCertificate12, TlsFault::ClientCertificate13] {
        let stand_in = stand_in();
        stand_in.tls_fault("acme", fault).unwrap();
        let egress = to_acme(&stand_in).connect_to(at(stand_in.https_addr()));
        let rig = rig(stand_in, egress);
        let outcome = in_time(|| rig.execute(&input(json!({}))));
        honest(&outcome, &rig.stand_in).unwrap();
        assert_eq!(outcome.requests[0].progress, Progress::Unsent, "{outcome:?}");
        assert_not_started(&failure(outcome), ErrorKind::Tls, false, "TLS: ");
        assert!(rig.stand_in.starts().is_empty());
    }
}

/// Each fault of connecting, in the token's request: the flow's is never made, so nothing is started, and the way is the same.
#[test]
fn an_unsent_token_request_starts_no_flow() {
    let oauth = |limits: serde_json::Value| {
        let mut over = json!({ "authentication": {
            "type": "oauth-client-credentials-flow", "clientId": "demo-client", "clientSecret": "demo-secret" } });
        over.as_object_mut()
            .unwrap()
            .extend(limits.as_object().unwrap().clone());
        input(over)
    };
    let short = json!({ "connectionTimeoutInSeconds": 0.2 });
    let refused = stand_in();
    let refusing = refused.open_port(PortFault::Refused).unwrap();
    let full = stand_in();
    let never = full.open_port(PortFault::Full).unwrap();
    let untrusted = stand_in();
    untrusted.tls_fault("acme", TlsFault::Expired).unwrap();
    let (nobody, denied) = (stand_in(), stand_in());
    for (kind, retryable, limits, rig) in [
        (ErrorKind::Dns, true, json!({}), {
            let egress = to_acme(&nobody).resolver(Arc::new(Names::default()));
            rig(nobody, egress)
        }),
        (ErrorKind::Refused, true, json!({}), {
            let egress = to_acme(&refused).connect_to(at(refusing));
            rig(refused, egress)
        }),
        (ErrorKind::ConnectTimeout, true, short, {
            let egress = to_acme(&full).connect_to(at(never));
            rig(full, egress)
        }),
        (ErrorKind::Tls, false, json!({}), {
            let egress = to_acme(&untrusted).connect_to(at(untrusted.https_addr()));
            rig(untrusted, egress)
        }),
        (ErrorKind::Denied, false, json!({}), {
            let egress = to_acme(&denied)
                .policy(flow_starter_host::Policy::deny_all())
                .connect_to(at(denied.https_addr()));
            rig(denied, egress)
        }),
    ] {
        let outcome = in_time(|| rig.execute(&oauth(limits)));
        let purposes: Vec<_> = outcome.requests.iter().map(|request| request.purpose).collect();
        assert_eq!(purposes, [Purpose::Token]);
        let error = failure(outcome);
        assert_eq!(
            (error.kind, error.flow, error.retryable),
            (kind, FlowState::NotStarted, retryable),
            "{error}"
        );
        assert!(
            error.message.starts_with("The token request to acme.service-now.com"),
            "{error}"
        );
        assert!(rig.stand_in.requests().is_empty() && rig.stand_in.starts().is_empty());
    }
}

#[test]
fn one_address_that_answers_is_enough() {
    let stand_in = stand_in();
    let port = stand_in.https_addr().port();
    let names = Names::knowing("acme.service-now.com", &["127.0.0.2", "127.0.0.1"]);
    let origin = format!("https://acme.service-now.com:{port}");
    let egress = to_acme(&stand_in)
        .policy(
            flow_starter_host::Policy::new([acme(), origin.parse().unwrap()])
                .open(flow_starter_host::egress::AddressKind::Loopback),
        )
        .resolver(names);
    let rig = rig(stand_in, egress);
    let outcome = in_time(|| rig.execute(&input(json!({ "snInstance": "", "snEndpoint": origin }))));
    assert!(outcome.result.is_ok(), "{outcome:?}");
    assert_eq!(rig.stand_in.starts().len(), 1);
}
