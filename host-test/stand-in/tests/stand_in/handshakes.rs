//! Every fault of a handshake, by host name, as a client meets it.

use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use rustls::{CertificateError, ClientConnection, Error, StreamOwned, SupportedProtocolVersion, version};
use servicenow_stand_in::{FailedHandshake, Instance, StandIn, TlsFault};

use crate::client::{BOTH_VERSIONS, Client, Ending, PATIENCE, demo, ending, handshake, start};

const HOST: &str = "faulty.service-now.com";

type Shaken = Result<StreamOwned<ClientConnection, TcpStream>, std::io::Error>;

fn shake_with(stand_in: &StandIn, versions: &[&'static SupportedProtocolVersion]) -> Shaken {
    handshake(stand_in, stand_in.https_addr(), HOST, versions)
}

/// What becomes of a handshake with this fault; the stand-in's other name is not touched by it.
fn shake(fault: TlsFault) -> (StandIn, Shaken) {
    let stand_in = demo();
    stand_in.tls_fault("faulty", fault).unwrap();
    let shaken = shake_with(&stand_in, &BOTH_VERSIONS);
    assert_eq!(Client::tls(&stand_in).send(start()).answer().status, 200);
    assert_eq!(stand_in.requests().len(), 1, "no request of the faulty one");
    (stand_in, shaken)
}

fn certificate_error(fault: TlsFault) -> CertificateError {
    let (stand_in, shaken) = shake(fault);
    let error = shaken.err().unwrap();
    let failed = failed(&stand_in);
    assert_eq!(failed.server_name.as_deref(), Some(HOST));
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidCertificate(error)) => error.clone(),
        other => panic!("{other:?}"),
    }
}

/// The failed handshake that the stand-in knows of.
fn failed(stand_in: &StandIn) -> FailedHandshake {
    assert!(stand_in.wait_for_failed_handshakes(1, PATIENCE));
    stand_in.failed_handshakes().remove(0)
}

#[test]
fn certificates_are_wrong_in_each_way() {
    assert!(matches!(
        certificate_error(TlsFault::WrongName),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
    ));
    assert!(matches!(
        certificate_error(TlsFault::Expired),
        CertificateError::Expired | CertificateError::ExpiredContext { .. }
    ));
    assert!(matches!(
        certificate_error(TlsFault::NotYetValid),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }
    ));
    assert!(matches!(
        certificate_error(TlsFault::UnknownAuthority),
        CertificateError::UnknownIssuer | CertificateError::BadSignature
    ));
}

#[test]
fn a_missing_client_certificate_fails_the_handshake_of_tls12() {
    let stand_in = demo();
    stand_in.tls_fault(HOST, TlsFault::ClientCertificate12).unwrap();
    let error = shake_with(&stand_in, &BOTH_VERSIONS).unwrap_err();
    assert_eq!(ending(&error), Ending::Alert(40));
    assert_eq!(failed(&stand_in).why, "configured fault: ClientCertificate12");
    assert!(stand_in.requests().is_empty());
    // A client that knows only TLS 1.3 finds no version in common.
    let error = shake_with(&stand_in, &[&version::TLS13]).unwrap_err();
    assert!(matches!(ending(&error), Ending::Alert(_)), "{error}");
}

#[test]
fn with_tls13_a_missing_client_certificate_fails_after_the_handshake() {
    let stand_in = demo();
    stand_in.tls_fault(HOST, TlsFault::ClientCertificate13).unwrap();
    let mut client = Client::over(shake_with(&stand_in, &BOTH_VERSIONS).unwrap());
    client.try_send(start());
    assert_eq!(client.rest(), (Vec::new(), Ending::Alert(116)));
    assert!(
        failed(&stand_in).why.contains("no certificates"),
        "{:?}",
        failed(&stand_in)
    );
    assert!(stand_in.requests().is_empty() && stand_in.starts().is_empty());
    let error = shake_with(&stand_in, &[&version::TLS12]).unwrap_err();
    assert_eq!(ending(&error), Ending::Alert(70), "protocol_version");
}

#[test]
fn the_alert_about_a_client_certificate_outlives_a_large_request() {
    let stand_in = demo();
    stand_in.tls_fault(HOST, TlsFault::ClientCertificate13).unwrap();
    let mut client = Client::over(shake_with(&stand_in, &[&version::TLS13]).unwrap());
    client.try_send(vec![b'x'; 4 * 1024 * 1024]);
    assert_eq!(client.rest().1, Ending::Alert(116));
}

#[test]
fn with_tls12_a_missing_client_certificate_fails_the_handshake() {
    let (_stand_in, tcp) = spoilt(TlsFault::ClientCertificate12);
    let mut client = Client::over(tcp);
    // The server's whole first flight, and then it waits for the certificate.
    assert_eq!(client.take(3), [22, 3, 3]);
    client.until_silent_for(Duration::from_millis(100));
    client.send([22, 3, 3, 0, 7, 11, 0, 0, 3, 0, 0, 0]);
    assert_eq!(client.rest(), (vec![21, 3, 3, 0, 2, 2, 40], Ending::Closed));
}

/// A client hello by hand, so that what follows can be read as bytes.
fn hello(stand_in: &StandIn) -> TcpStream {
    let config =
        rustls::ClientConfig::builder_with_provider(std::sync::Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&BOTH_VERSIONS)
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
    let mut connection = ClientConnection::new(std::sync::Arc::new(config), HOST.try_into().unwrap()).unwrap();
    let mut tcp = TcpStream::connect(stand_in.https_addr()).unwrap();
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    connection.write_tls(&mut tcp).unwrap();
    tcp
}

fn spoilt(fault: TlsFault) -> (StandIn, TcpStream) {
    let stand_in = demo();
    stand_in.tls_fault(HOST, fault).unwrap();
    let tcp = hello(&stand_in);
    assert_eq!(failed(&stand_in).why, format!("configured fault: {fault:?}"));
    (stand_in, tcp)
}

#[test]
fn a_handshake_never_ends() {
    let quiet = Duration::from_millis(100);
    let (_silent, tcp) = spoilt(TlsFault::Silence);
    assert!(Client::over(tcp).is_silent_for(quiet));

    let (_stalled, tcp) = spoilt(TlsFault::Stall);
    let mut client = Client::over(tcp);
    // A record of the handshake, and then not the rest.
    assert_eq!(client.take(3), [22, 3, 3]);
    let first = client.take(2);
    let length = usize::from(first[0]) * 256 + usize::from(first[1]);
    client.take(length);
    client.until_silent_for(quiet);
}

#[test]
fn a_connection_drops_within_the_handshake() {
    let (_closed, mut tcp) = spoilt(TlsFault::Close);
    let mut bytes = Vec::new();
    tcp.read_to_end(&mut bytes).unwrap();
    assert!(bytes.is_empty());

    let (_within, mut tcp) = spoilt(TlsFault::CloseWithin);
    tcp.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes[..3], [22, 3, 3]);

    let (_reset, tcp) = spoilt(TlsFault::Reset);
    let (bytes, end) = Client::over(tcp).rest();
    assert_eq!((&bytes[..3], end), ([22, 3, 3].as_slice(), Ending::Reset));
}

#[test]
fn half_a_flight_is_not_enough_for_a_client() {
    for fault in [TlsFault::CloseWithin, TlsFault::Close] {
        let (_stand_in, shaken) = shake(fault);
        assert_eq!(ending(&shaken.unwrap_err()), Ending::Cut, "{fault:?}");
    }
    let (_stand_in, shaken) = shake(TlsFault::Reset);
    assert_eq!(ending(&shaken.unwrap_err()), Ending::Reset);
}

#[test]
fn an_alert_answers_the_first_message() {
    for description in [40, 112] {
        let (_stand_in, mut tcp) = spoilt(TlsFault::Alert(description));
        let mut bytes = Vec::new();
        tcp.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, [21, 3, 3, 0, 2, 2, description]);
    }
}

#[test]
fn a_server_without_tls_answers_in_http() {
    let (_stand_in, mut tcp) = spoilt(TlsFault::NotTls);
    let mut text = String::new();
    tcp.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 400 "), "{text}");
}

#[test]
fn a_host_may_speak_one_version_only() {
    for (fault, version, other) in [
        (TlsFault::Only12, &version::TLS12, &version::TLS13),
        (TlsFault::Only13, &version::TLS13, &version::TLS12),
    ] {
        let stand_in = demo();
        stand_in.tls_fault(HOST, fault).unwrap();
        let mut client = Client::over(shake_with(&stand_in, &[version]).unwrap());
        assert_eq!(client.send(start()).answer().status, 200);
        assert_eq!(ending(&shake_with(&stand_in, &[other]).unwrap_err()), Ending::Alert(70));
    }
}

#[test]
fn a_fault_may_be_declared_and_behaving_well_ends_it() {
    let stand_in = StandIn::start(Instance::demo().tls_fault("Faulty", TlsFault::Close)).unwrap();
    assert!(shake_with(&stand_in, &BOTH_VERSIONS).is_err());
    stand_in.behave_well();
    // It is no name of the instance: its handshake is as good as the certificate's.
    let error = shake_with(&stand_in, &BOTH_VERSIONS).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData, "{error}");
    stand_in.tls_fault(HOST, TlsFault::Only13).unwrap();
    assert!(shake_with(&stand_in, &BOTH_VERSIONS).is_ok());
}

#[test]
fn a_client_that_does_not_trust_the_authority_is_known() {
    let stand_in = demo();
    let other = demo();
    let refused = handshake(&other, stand_in.https_addr(), &stand_in.host(), &BOTH_VERSIONS);
    assert!(refused.is_err());
    let failed = failed(&stand_in);
    assert_eq!((failed.connection, failed.server_name), (1, Some(stand_in.host())));
    assert!(stand_in.requests().is_empty());
    stand_in.clear();
    assert!(stand_in.failed_handshakes().is_empty());
}

#[test]
fn connections_without_tls_are_recorded() {
    let stand_in = demo();
    Client::to(stand_in.https_addr()).send("GET / HTTP/1.1\r\n\r\n").rest();
    assert_eq!(failed(&stand_in).server_name, None);
}
