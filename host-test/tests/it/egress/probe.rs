//! The way to an instance tried step by step: what is found, where it stops, and that no request is sent.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant, SystemTime};

use flow_starter_host::egress::{
    AddressKind, CertificateFault, ClientCertificate, ConnectTo, EgressBuilder, Probe, Proxy, Step, StepOutcome, Stop,
    StopCause,
};
use flow_starter_host::{Egress, Policy};
use host_test::rig::{Rig, connector};
use rcgen::{CertificateParams, KeyPair};
use rustls::HandshakeKind;
use serde_json::json;
use servicenow_stand_in::{Instance, StandIn, TlsFault};

use super::proxy::{Does, TestProxy};
use super::tls::Server;
use super::{Names, acme_at_port, by_name, input, stand_in, to_endpoint};

const ACME: &str = "acme.service-now.com";
const LIMIT: Duration = Duration::from_secs(20);

async fn probe(egress: EgressBuilder, origin: &str) -> Probe {
    egress.build().unwrap().probe(&origin.parse().unwrap(), LIMIT).await
}

/// The step at which it stopped, and why; everything after it is not reached.
fn stop(probe: &Probe) -> (Step, String) {
    let failed = |outcome: &StepOutcome| matches!(outcome, StepOutcome::Failed(_));
    let at = probe.steps.iter().position(|it| failed(&it.outcome)).unwrap();
    for later in &probe.steps[at + 1..] {
        assert!(matches!(later.outcome, StepOutcome::Skipped(_)), "{probe:?}");
    }
    assert!(!probe.passed());
    let StepOutcome::Failed(Stop { why, .. }) = &probe.steps[at].outcome else {
        unreachable!()
    };
    (probe.steps[at].step, why.clone())
}

fn cause(probe: &Probe) -> Option<StopCause> {
    let mut steps = probe.steps.iter();
    steps.find_map(|it| match &it.outcome {
        StepOutcome::Failed(stop) => stop.cause,
        _ => None,
    })
}

/// `+` passed, `-` skipped, `!` failed: policy, DNS, address, proxy, TCP, TLS.
fn marks(probe: &Probe) -> String {
    let mark = |outcome: &StepOutcome| match outcome {
        StepOutcome::Passed(_) => '+',
        StepOutcome::Failed(_) => '!',
        StepOutcome::Skipped(_) => '-',
    };
    probe.steps.iter().map(|step| mark(&step.outcome)).collect()
}

fn with_fault(fault: TlsFault) -> StandIn {
    StandIn::start(Instance::demo().tls_fault("acme", fault)).unwrap()
}

fn to_acme_at(address: SocketAddr) -> EgressBuilder {
    let acme = "https://acme.service-now.com".parse().unwrap();
    Egress::builder().connect_to(ConnectTo::new(&acme, address))
}

fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn a_good_connection_is_reported_step_by_step_without_a_request() {
    let stand_in = stand_in();
    let names = Names::answering(ACME, &[&["127.0.0.1"]]);
    let endpoint = acme_at_port(&stand_in);
    let probe = probe(by_name(&stand_in, names.clone()), &endpoint).await;
    assert!(probe.passed());
    assert_eq!(marks(&probe), "+++-++", "{probe:?}");
    assert_eq!(probe.origin.to_string(), endpoint);
    let said = format!("{:?}", probe.steps);
    for found in ["127.0.0.1", &stand_in.https_addr().to_string(), "TLS 1.3, HTTP/1.1"] {
        assert!(said.contains(found), "{found}: {said}");
    }
    let certificate = probe.certificate.unwrap();
    assert!(certificate.names.contains(&ACME.to_owned()), "{certificate:?}");
    assert!(certificate.names.contains(&"::1".to_owned()), "{certificate:?}");
    assert!(certificate.issuer.contains("ServiceNow stand-in CA"), "{certificate:?}");
    assert!(certificate.not_before < SystemTime::now() && certificate.not_after > SystemTime::now());
    assert_eq!(certificate.fault, None);
    assert_eq!(probe.client_certificate, ClientCertificate::NotAsked);
    assert_eq!(names.asked(), [ACME]);
    assert_eq!(stand_in.connections(), 1);
    assert!(stand_in.requests().is_empty());
}

#[tokio::test]
async fn unneeded_steps_are_skipped_with_a_reason() {
    let stand_in = stand_in();
    let mapped = Rig::reaching(&stand_in).unwrap();
    let mapped = probe(mapped, "https://acme.service-now.com").await;
    assert_eq!(marks(&mapped), "+---++");
    let plain = format!("http://{}", stand_in.http_addr());
    let probe = probe(Rig::reaching(&stand_in).unwrap(), &plain).await;
    assert_eq!(marks(&probe), "+-+-+-");
    assert_eq!(probe.certificate, None);
    assert!(
        !format!("{mapped:?} {probe:?}").contains("not reached"),
        "{mapped:?} {probe:?}"
    );
}

#[tokio::test]
async fn a_certificate_that_is_refused_is_shown_all_the_same() {
    for (fault, why, name) in [
        (TlsFault::Expired, CertificateFault::Expired, ACME),
        (TlsFault::NotYetValid, CertificateFault::NotYetValid, ACME),
        (TlsFault::WrongName, CertificateFault::WrongName, "wrong-name.invalid"),
        (TlsFault::UnknownAuthority, CertificateFault::UnknownAuthority, ACME),
    ] {
        let stand_in = with_fault(fault);
        let probe = probe(Rig::reaching(&stand_in).unwrap(), "https://acme.service-now.com").await;
        assert_eq!(stop(&probe).0, Step::Tls, "{fault:?}");
        let certificate = probe.certificate.unwrap();
        assert_eq!(certificate.fault, Some(why));
        assert_eq!(certificate.names[0], name);
        let now = SystemTime::now();
        assert_eq!(certificate.not_after < now, fault == TlsFault::Expired);
        assert_eq!(certificate.not_before > now, fault == TlsFault::NotYetValid);
        assert!(stand_in.requests().is_empty());
    }
}

#[tokio::test]
async fn a_client_certificate_that_is_asked_for_and_missing_fails_tls() {
    for fault in [TlsFault::ClientCertificate12, TlsFault::ClientCertificate13] {
        let stand_in = with_fault(fault);
        let probe = probe(Rig::reaching(&stand_in).unwrap(), "https://acme.service-now.com").await;
        assert_eq!(stop(&probe).0, Step::Tls, "{fault:?}");
        assert_eq!(probe.client_certificate, ClientCertificate::Missing);
        assert!(stand_in.requests().is_empty());
    }
}

/// A server that asks for the client's certificate, and a way to it that shows one.
fn mutual() -> (Server, Egress) {
    let server = Server::start();
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(Vec::<String>::new())
        .unwrap()
        .signed_by(&key, &server.issuer)
        .unwrap();
    let egress = server.egress().client_certificate_pem(own.pem(), key.serialize_pem());
    (server, egress.unwrap().build().unwrap())
}

#[tokio::test]
async fn a_client_certificate_that_is_asked_for_and_shown_passes() {
    let (server, egress) = mutual();
    let probe = egress
        .probe(&"https://acme.service-now.com".parse().unwrap(), LIMIT)
        .await;
    assert!(probe.passed(), "{probe:?}");
    assert_eq!(probe.client_certificate, ClientCertificate::Shown);
    assert!(server.seen.lock().unwrap().is_empty(), "no request was answered");
}

#[tokio::test]
async fn a_probe_and_the_calls_leave_each_others_sessions_alone() {
    let (server, egress) = mutual();
    let call = async || connector().await.unwrap().execute(&egress, &input(json!({}))).await;
    assert!(call().await.result.is_ok());
    let probe = egress
        .probe(&"https://acme.service-now.com".parse().unwrap(), LIMIT)
        .await;
    assert!(probe.certificate.is_some(), "a resumed session shows none: {probe:?}");
    assert!(call().await.result.is_ok());
    let seen = server.seen.lock().unwrap().clone();
    assert_eq!(seen, [(1, HandshakeKind::Full), (1, HandshakeKind::Resumed)]);
}

#[tokio::test]
async fn a_port_that_refuses_stops_at_tcp() {
    let probe = probe(to_acme_at(nobody()), "https://acme.service-now.com").await;
    let (step, why) = stop(&probe);
    assert_eq!(step, Step::Tcp);
    assert!(why.contains("refused"), "{why}");
    assert_eq!(marks(&probe), "+---!-");
}

#[tokio::test]
async fn a_name_that_does_not_resolve_stops_at_dns() {
    let stand_in = stand_in();
    let egress = by_name(&stand_in, std::sync::Arc::default());
    let probe = probe(egress, &acme_at_port(&stand_in)).await;
    assert_eq!(stop(&probe), (Step::Dns, "there is no such name".to_owned()));
    assert_eq!(stand_in.connections(), 0);
}

#[tokio::test]
async fn an_address_that_the_policy_does_not_open_is_not_connected_to() {
    let stand_in = stand_in();
    let endpoint = acme_at_port(&stand_in);
    let egress = by_name(&stand_in, Names::all_here()).policy(Policy::new([endpoint.parse().unwrap()]));
    let probe = probe(egress, &endpoint).await;
    let (step, why) = stop(&probe);
    assert_eq!(step, Step::Address);
    assert!(why.contains("127.0.0.1 is loopback"), "{why}");
    assert_eq!(cause(&probe), Some(StopCause::Address(AddressKind::Loopback)));
    assert_eq!(marks(&probe), "++!---");
    assert_eq!(stand_in.connections(), 0);
}

#[tokio::test]
async fn a_name_that_the_policy_denies_is_not_so_much_as_looked_up() {
    let stand_in = stand_in();
    let names = Names::all_here();
    let egress = by_name(&stand_in, names.clone()).policy(Policy::deny_all());
    let probe = probe(egress, &acme_at_port(&stand_in)).await;
    assert_eq!(stop(&probe).0, Step::Policy);
    assert_eq!(marks(&probe), "!-----");
    assert!(names.asked().is_empty());
    assert_eq!(stand_in.connections(), 0);
}

#[tokio::test]
async fn a_refusing_proxy_fails_the_test_and_a_working_one_is_shown() {
    let stand_in = stand_in();
    let refusing = TestProxy::start(Does::Answer("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"));
    let tunnelling = TestProxy::start(Does::Tunnel(stand_in.https_addr()));
    let names = Names::all_here();
    let through = |proxy: &TestProxy| {
        let url = format!("http://user:s3cret@{}", proxy.address);
        Egress::builder()
            .extra_ca_pem(stand_in.ca_pem())
            .proxy(Proxy::new(&url, "").unwrap())
            .resolver(names.clone())
    };
    let refused = probe(through(&refusing), "https://acme.service-now.com").await;
    let (step, why) = stop(&refused);
    assert_eq!(step, Step::Proxy);
    assert!(why.contains("403"), "{why}");
    assert_eq!(cause(&refused), Some(StopCause::ProxyStatus(403)));
    let tunnelled = probe(through(&tunnelling), "https://acme.service-now.com").await;
    assert!(tunnelled.passed(), "{tunnelled:?}");
    assert_eq!(marks(&tunnelled), "+--+-+");
    for (probe, proxy) in [(refused, refusing), (tunnelled, tunnelling)] {
        assert!(probe.proxy.as_ref().unwrap().starts_with(&proxy.url()), "{probe:?}");
        assert!(!format!("{probe:?}").contains("s3cret"), "{probe:?}");
        let heads = proxy.heads();
        assert_eq!(heads.len(), 1);
        let agent = format!("\r\nuser-agent: flow-starter/{}\r\n", env!("CARGO_PKG_VERSION"));
        assert!(heads[0].to_lowercase().contains(&agent), "{}", heads[0]);
    }
    assert!(names.asked().is_empty());
    assert!(stand_in.requests().is_empty());
}

#[tokio::test]
async fn a_step_that_does_not_end_is_ended() {
    for fault in [TlsFault::Silence, TlsFault::Stall] {
        let stand_in = with_fault(fault);
        let egress = Rig::reaching(&stand_in).unwrap().build().unwrap();
        let began = Instant::now();
        let acme = "https://acme.service-now.com".parse().unwrap();
        let probe = egress.probe(&acme, Duration::from_millis(300)).await;
        assert!(began.elapsed() < Duration::from_secs(10));
        assert_eq!(
            stop(&probe),
            (Step::Tls, "the handshake did not end in time".to_owned())
        );
        assert!(probe.steps.last().unwrap().took >= Duration::from_millis(300));
    }
}

/// A probe that went another way than a call does would reassure for nothing.
#[tokio::test]
async fn a_probe_stops_where_a_call_stops_and_says_the_same() {
    let stand_in = stand_in();
    let expired = with_fault(TlsFault::Expired);
    let endpoint = acme_at_port(&stand_in);
    let acme = "https://acme.service-now.com".to_owned();
    for (egress, endpoint) in [
        (to_acme_at(nobody()), &acme),
        (Rig::reaching(&expired).unwrap(), &acme),
        (by_name(&stand_in, std::sync::Arc::default()), &endpoint),
        (
            by_name(&stand_in, Names::all_here()).policy(Policy::new([endpoint.parse().unwrap()])),
            &endpoint,
        ),
        (
            Egress::builder().proxy(Proxy::new(&TestProxy::start(Does::Close).url(), "").unwrap()),
            &acme,
        ),
    ] {
        let egress = egress.build().unwrap();
        let (step, why) = stop(&egress.probe(&endpoint.parse().unwrap(), LIMIT).await);
        let call = connector()
            .await
            .unwrap()
            .execute(&egress, &to_endpoint(endpoint))
            .await;
        let stopped = call.requests[0].stopped.clone().unwrap();
        assert_eq!(stopped.step, step);
        // A certificate's error tells the time to the second.
        assert_eq!(stopped.why.get(..40), why.get(..40), "{why}");
    }
}
